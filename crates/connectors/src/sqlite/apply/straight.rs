//! Rows of an empty table, which lie ready as they will lie in it: the shortest way there is.

use rusqlite::{Connection, Transaction};

use super::super::quoted;
use super::intake::{FIRST, STAGE, Shape, Staged};
use super::{Applying, Target};
use crate::rows::{OP_COLUMN, Op};
use crate::text::joined;
use crate::{Applied, Result};

impl Applying {
    /// Whether the table is missing, or has all columns and no row. Its keys have to be told apart bytewise, as their
    /// order is followed.
    pub(super) fn is_straight(&self, connection: &Connection, target: &Target) -> Result<bool> {
        let is_bytewise = target.key_collations.iter().all(|name| name == "BINARY");
        Ok(is_bytewise && target.missing.is_empty() && self.is_empty(connection, target)?)
    }

    fn is_empty(&self, connection: &Connection, target: &Target) -> Result<bool> {
        if !target.exists {
            return Ok(true);
        }
        let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {})", self.table());
        connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(self.failed("look for its first row"))
    }

    /// A stage that is declared as the table would be created.
    pub(super) fn create_first(&self, connection: &Connection) -> Result<()> {
        self.create_table(connection, FIRST)
    }

    /// Makes a stage of changes out of the rows that lie ready.
    pub(super) fn unfold(&self, connection: &Connection, target: &Target) -> Result<()> {
        self.create_stage(connection, target)?;
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let upsert = Op::Upsert.code();
        let sql = format!(
            "INSERT INTO {STAGE} ({columns}, {OP_COLUMN}) SELECT {columns}, {upsert} FROM {FIRST}; \
             DROP TABLE {FIRST}"
        );
        connection
            .execute_batch(&sql)
            .map_err(self.failed("fill the stage"))
    }

    /// Whether the rows lie ready, and the table still has none.
    pub(super) fn can_take_over(
        &self,
        transaction: &Transaction<'_>,
        target: &Target,
        staged: &Staged,
    ) -> Result<bool> {
        if staged.shape == Shape::Changes {
            return Ok(false);
        }
        let is_empty = self.is_empty(transaction, target)?;
        if !is_empty {
            self.unfold(transaction, target)?;
        }
        Ok(is_empty)
    }

    /// Puts the rows that lie ready into the table. From one table into another that is declared alike, SQLite copies
    /// them without looking into them; an index would be in the way of that.
    pub(super) fn take_over(
        &self,
        transaction: &Transaction<'_>,
        target: &Target,
        staged: &Staged,
    ) -> Result<Applied> {
        let table = self.table();
        let failed = self.failed("change the table");
        if target.exists {
            let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
            let sql = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {FIRST}");
            transaction.execute_batch(&sql).map_err(failed)?;
        } else {
            self.create_table(transaction, &table)?;
            let sql = format!("INSERT INTO {table} SELECT * FROM {FIRST}");
            transaction.execute_batch(&sql).map_err(failed)?;
            self.create_indexes(transaction)?;
        }
        Ok(Applied {
            inserted: staged.upserts,
            ..Applied::default()
        })
    }
}
