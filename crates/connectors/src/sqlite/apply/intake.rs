//! Filling the stage with what the caller sends.

use rusqlite::{Connection, Statement};
use tongqu_domain::exchange::diff::OrderGuard;

use super::super::{quoted, types};
use super::{Applying, Target};
use crate::batches::Changes;
use crate::rows::{OP_COLUMN, Op, Rows};
use crate::text::joined;
use crate::{ConnectorError, RecordBatch, Result};

/// The stage of changes.
pub(super) const STAGE: &str = "temp._tongqu_stage";

/// The stage of rows for an empty table.
pub(super) const FIRST: &str = "temp._tongqu_first";

/// How rows lie in the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As they come, each with what it does, in [`STAGE`].
    Changes,
    /// As they will lie in the table, in [`FIRST`]: upserts only, and in the order of their keys.
    Table,
}

/// What was staged.
pub(super) struct Staged {
    pub shape: Shape,
    pub upserts: u64,
    pub deletes: u64,
    /// Follows the keys as they come.
    order: OrderGuard,
    /// Whether some key came out of order. Until then no two can be alike, and none has to be looked up.
    pub is_unordered: bool,
}

impl Staged {
    /// Counts the rows of a batch and follows their keys.
    fn admit(&mut self, rows: &Rows<'_>, key: &[usize]) {
        let mut values = Vec::with_capacity(key.len());
        for row in 0..rows.len() {
            match rows.op(row) {
                Op::Upsert => self.upserts += 1,
                Op::Delete => self.deletes += 1,
            }
            if !self.is_unordered {
                values.clear();
                values.extend(key.iter().map(|position| rows.value(row, *position)));
                self.is_unordered = self.order.admit(&values).is_err();
            }
        }
    }
}

impl Applying {
    pub(super) fn take_in(
        &self,
        connection: &mut Connection,
        target: &Target,
        shape: Shape,
        changes: &mut Changes,
    ) -> Result<Staged> {
        let failed = self.failed("fill the stage");
        // A transaction on the temporary database alone: the file isn't locked.
        let transaction = connection.transaction().map_err(&failed)?;
        let mut staged = Staged {
            shape,
            upserts: 0,
            deletes: 0,
            order: OrderGuard::default(),
            is_unordered: false,
        };
        loop {
            match changes.blocking_recv() {
                Some(Some(batch)) => self.take_batch(&transaction, target, &batch?, &mut staged)?,
                Some(None) => break,
                None => {
                    return Err(ConnectorError::Stopped {
                        reason: "the caller went away".to_owned(),
                    });
                }
            }
        }
        transaction.commit().map_err(&failed)?;
        Ok(staged)
    }

    fn take_batch(
        &self,
        connection: &Connection,
        target: &Target,
        batch: &RecordBatch,
        staged: &mut Staged,
    ) -> Result<()> {
        let rows = Rows::new(batch)?;
        rows.check_columns(&self.plan.columns)?;
        self.plan.check_key_values(&rows)?;
        staged.admit(&rows, &self.plan.key_positions());
        if staged.shape == Shape::Table && (staged.is_unordered || staged.deletes > 0) {
            self.unfold(connection, target)?;
            staged.shape = Shape::Changes;
        }
        let failed = self.failed("fill the stage");
        let sql = self.insertion(staged.shape);
        let mut insert = connection.prepare_cached(&sql).map_err(&failed)?;
        let mut scratch = String::new();
        for row in 0..rows.len() {
            self.bind_row(&mut insert, &rows, row, &mut scratch)?;
            if staged.shape == Shape::Changes {
                let op = rows.op(row).code();
                insert
                    .raw_bind_parameter(self.plan.columns.len() + 1, op)
                    .map_err(&failed)?;
            }
            insert.raw_execute().map_err(&failed)?;
        }
        Ok(())
    }

    fn insertion(&self, shape: Shape) -> String {
        let (stage, mark) = match shape {
            Shape::Changes => (STAGE, Some(OP_COLUMN)),
            Shape::Table => (FIRST, None),
        };
        let names = self.plan.columns.iter().map(|column| column.name.as_str());
        let columns = joined(names.clone().chain(mark), ", ", quoted);
        let places = joined(names.chain(mark), ", ", |_| "?".to_owned());
        format!("INSERT INTO {stage} ({columns}) VALUES ({places})")
    }

    fn bind_row(
        &self,
        insert: &mut Statement<'_>,
        rows: &Rows<'_>,
        row: usize,
        scratch: &mut String,
    ) -> Result<()> {
        for (position, column) in self.plan.columns.iter().enumerate() {
            let value = types::write(rows.value(row, position), column.column_type, scratch);
            let value = value.map_err(|found| {
                let (table, name) = (&self.plan.table, &column.name);
                ConnectorError::value_refused(table, name, column.column_type, found)
            })?;
            insert
                .raw_bind_parameter(position + 1, value)
                .map_err(self.failed("fill the stage"))?;
        }
        Ok(())
    }
}
