//! By way of a temporary stage, where the changes meet what the table has.

use rusqlite::{Connection, Transaction};

use super::super::{quoted, types};
use super::intake::{STAGE, Staged};
use super::{Applying, Target};
use crate::rows::{OP_COLUMN, Op};
use crate::text::joined;
use crate::{Applied, ApplyMode, ConnectorError, Result};
use tongqu_domain::exchange::ColumnType;

/// The number of a row in the stage.
const ROW: &str = "_tongqu_row";

/// The index over the stage's key, made only when it is needed.
const STAGE_KEY: &str = "temp._tongqu_stage_key";

/// Staged rows that aren't in the table, or are there otherwise.
const DIFFERENCE: &str = "temp._tongqu_difference";

impl Applying {
    /// A stage in which rows lie as they come, and with what each does.
    pub(super) fn create_stage(&self, connection: &Connection, target: &Target) -> Result<()> {
        let columns = joined(&self.plan.columns, ", ", |column| {
            let collation = self.plan.key.iter().position(|name| *name == column.name);
            let collation = collation.map_or(String::new(), |place| {
                format!(" COLLATE {}", target.key_collations[place])
            });
            format!(
                "{} {}{collation}",
                quoted(&column.name),
                types::declared(column.column_type)
            )
        });
        // Rows lie in the order in which they come: appending is all that has to be done for each.
        let sql = format!(
            "CREATE TABLE {STAGE} ({ROW} INTEGER PRIMARY KEY, {columns}, {OP_COLUMN} SMALLINT NOT NULL)"
        );
        connection
            .execute_batch(&sql)
            .map_err(self.failed("create the stage"))
    }

    /// Makes sure that no key was staged twice, as the table tells keys apart.
    pub(super) fn index_stage(
        &self,
        connection: &Connection,
        target: &Target,
        staged: &Staged,
    ) -> Result<()> {
        let is_bytewise = target.key_collations.iter().all(|name| name == "BINARY");
        if is_bytewise && !staged.is_unordered {
            return Ok(());
        }
        let key = self.key_columns();
        let sql = format!("CREATE UNIQUE INDEX {STAGE_KEY} ON _tongqu_stage ({key})");
        let indexed = connection
            .execute_batch(&sql)
            .map_err(self.failed("check the stage's keys"));
        let Err(ConnectorError::KeyDuplicates { table, .. }) = indexed else {
            return indexed;
        };
        let sql =
            format!("SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM {STAGE} GROUP BY {key})");
        let duplicates: i64 = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(self.failed("count duplicate keys"))?;
        let duplicates = duplicates.unsigned_abs();
        Err(ConnectorError::KeyDuplicates { table, duplicates })
    }

    pub(super) fn change_rows(
        &self,
        transaction: &Transaction<'_>,
        staged: &Staged,
    ) -> Result<Applied> {
        let run = |sql: &str| {
            let changed = transaction
                .execute(sql, [])
                .map_err(self.failed("change the table"))?;
            Ok(u64::try_from(changed).expect("a count of rows"))
        };
        let count = |sql: &str| {
            let counted = transaction.query_row(sql, [], |row| row.get::<_, i64>(0));
            counted
                .map(i64::unsigned_abs)
                .map_err(self.failed("count its rows"))
        };
        let table = self.table();
        let taken_out = if staged.deletes == 0 {
            0
        } else {
            run(&self.delete())?
        };
        if count(&format!("SELECT NOT EXISTS (SELECT 1 FROM {table})"))? == 1 {
            let inserted = run(&self.first_insert(staged))?;
            return Ok(Applied {
                inserted,
                updated: 0,
                deleted: taken_out,
                unchanged: staged.deletes - taken_out,
            });
        }
        // One pass along both keys finds what there is to write, which mostly is little.
        transaction
            .execute_batch(&format!(
                "CREATE TABLE {DIFFERENCE} ({ROW} INTEGER PRIMARY KEY, is_new BOOLEAN NOT NULL)"
            ))
            .map_err(self.failed("compare the table with the stage"))?;
        let differing = run(&self.fill_difference())?;
        let inserted = count(&format!("SELECT count(*) FROM {DIFFERENCE} WHERE is_new"))?;
        let there = staged.upserts - inserted;
        let superfluous = match self.plan.mode {
            ApplyMode::Upsert => 0,
            // Counting is far cheaper than looking each row up in the stage.
            ApplyMode::ReplaceAll if count(&format!("SELECT count(*) FROM {table}"))? == there => 0,
            ApplyMode::ReplaceAll => {
                let key = self.key_columns();
                let sql =
                    format!("CREATE INDEX IF NOT EXISTS {STAGE_KEY} ON _tongqu_stage ({key})");
                transaction
                    .execute_batch(&sql)
                    .map_err(self.failed("index the stage"))?;
                run(&self.delete_unstaged())?
            }
        };
        if differing > 0 {
            run(&self.upsert())?;
        }
        Ok(Applied {
            inserted,
            updated: differing - inserted,
            deleted: taken_out + superfluous,
            unchanged: staged.upserts - differing + staged.deletes - taken_out,
        })
    }

    /// Equality of the two keys, under the table's collation.
    fn same_key(&self, left: &str, right: &str) -> String {
        joined(&self.plan.key, " AND ", |name| {
            let name = quoted(name);
            format!("{left}.{name} = {right}.{name}")
        })
    }

    fn delete(&self) -> String {
        let key = self.key_columns();
        format!(
            "DELETE FROM {} WHERE ({key}) IN (SELECT {key} FROM {STAGE} WHERE {OP_COLUMN} = {})",
            self.table(),
            Op::Delete.code()
        )
    }

    fn delete_unstaged(&self) -> String {
        format!(
            "DELETE FROM {} AS t WHERE NOT EXISTS \
             (SELECT 1 FROM {STAGE} AS s WHERE s.{OP_COLUMN} = {} AND {})",
            self.table(),
            Op::Upsert.code(),
            self.same_key("s", "t")
        )
    }

    fn first_insert(&self, staged: &Staged) -> String {
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let order = if staged.is_unordered {
            self.key_columns()
        } else {
            ROW.to_owned()
        };
        format!(
            "INSERT INTO {} ({columns}) SELECT {columns} FROM {STAGE} WHERE {OP_COLUMN} = {} ORDER BY {order}",
            self.table(),
            Op::Upsert.code(),
        )
    }

    fn fill_difference(&self) -> String {
        // The key is compared too: where the table matches keys without regard to case, the
        // spelling may have changed.
        let differs = joined(&self.plan.columns, " OR ", |column| {
            let name = quoted(&column.name);
            let collation = match column.column_type {
                ColumnType::Text { .. } => " COLLATE BINARY",
                _ => "",
            };
            format!("t.{name}{collation} IS NOT s.{name}")
        });
        let is_new = format!("t.{} IS NULL", quoted(&self.plan.key[0]));
        format!(
            "INSERT INTO {DIFFERENCE} SELECT s.{ROW}, {is_new} FROM {STAGE} AS s LEFT JOIN {} AS t ON {} \
             WHERE s.{OP_COLUMN} = {} AND ({is_new} OR {differs})",
            self.table(),
            self.same_key("t", "s"),
            Op::Upsert.code()
        )
    }

    fn upsert(&self) -> String {
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let staged = joined(&self.plan.columns, ", ", |column| {
            format!("s.{}", quoted(&column.name))
        });
        let set = joined(&self.plan.columns, ", ", |column| {
            format!("{0} = excluded.{0}", quoted(&column.name))
        });
        format!(
            "INSERT INTO {} ({columns}) SELECT {staged} FROM {DIFFERENCE} AS d CROSS JOIN {STAGE} AS s \
             WHERE s.{ROW} = d.{ROW} ON CONFLICT ({}) DO UPDATE SET {set}",
            self.table(),
            self.key_columns()
        )
    }
}
