//! The quarantine of a followed resource: rows come into it and leave it one by one.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use tongqu_connectors::{
    ConnectorError, Query, Store, one_batch,
    rows::{BatchBuilder, Op, Rows},
};
use tongqu_domain::exchange::ValueRef;

use super::super::{
    RunError, Side, at,
    merge::QUARANTINE_ROWS_MAX,
    pool::{PoolTable, QuarantinedRow, quarantine_columns},
    quarantine::keep_quarantine,
};

/// Which rows are in quarantine, by their keys, and under which number.
#[derive(Clone, Default)]
pub(super) struct Quarantine {
    held: HashMap<String, i64>,
    next: i64,
    /// Numbers of rows that are mended or gone, still to be taken out.
    released: Vec<i64>,
}

impl Quarantine {
    pub(super) async fn load(pool: &dyn Store, table: &PoolTable) -> Result<Self, RunError> {
        let mut quarantine = Self::default();
        let query = Query::all(&table.quarantine, quarantine_columns());
        let mut batches = match pool.read(query).await {
            Ok(batches) => batches,
            Err(ConnectorError::TableMissing { .. }) => return Ok(quarantine),
            Err(error) => return Err(at(Side::Platform)(error)),
        };
        while let Some(batch) = batches.try_next().await.map_err(at(Side::Platform))? {
            let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
            for n in 0..rows.len() {
                let (ValueRef::Int(number), ValueRef::Text(row)) =
                    (rows.value(n, 0), rows.value(n, 4))
                else {
                    continue;
                };
                quarantine.next = quarantine.next.max(number + 1);
                if let Some(identity) = table.identity_of(row) {
                    quarantine.held.insert(identity, number);
                }
            }
        }
        Ok(quarantine)
    }

    /// The row with this key is no longer faulty, or no longer there.
    pub(super) fn release(&mut self, identity: Option<String>) {
        if let Some(number) = identity.and_then(|identity| self.held.remove(&identity)) {
            self.released.push(number);
        }
    }

    /// Writes down what was found and takes out what was released.
    pub(super) async fn keep(
        &mut self,
        pool: &dyn Store,
        table: &PoolTable,
        cursor: i64,
        run_id: &str,
        found: Vec<(Option<String>, QuarantinedRow)>,
    ) -> Result<(), RunError> {
        let columns = quarantine_columns();
        let mut builder = BatchBuilder::for_changes(&columns);
        let unfit = |_| RunError::MountingUnfit;
        for number in self.released.drain(..) {
            let mut values = vec![ValueRef::Null; columns.len()];
            values[0] = ValueRef::Int(number);
            builder.push_change(Op::Delete, &values).map_err(unfit)?;
        }
        for (identity, row) in found {
            let known = identity
                .as_ref()
                .and_then(|identity| self.held.get(identity));
            if known.is_none() && self.held.len() >= QUARANTINE_ROWS_MAX {
                continue;
            }
            let number = known.copied().unwrap_or(self.next);
            self.next = self.next.max(number + 1);
            let values = [
                ValueRef::Int(number),
                ValueRef::Text(&row.key),
                ValueRef::Text(&row.column),
                ValueRef::Text(&row.code),
                ValueRef::Text(&row.row),
            ];
            builder.push_change(Op::Upsert, &values).map_err(unfit)?;
            if let Some(identity) = identity {
                self.held.insert(identity, number);
            }
        }
        if builder.rows() == 0 {
            return Ok(());
        }
        let name = &table.quarantine;
        let plan = tongqu_connectors::ApplyPlan::new(name, columns, &["n"], name, cursor, run_id);
        let kept = pool.apply(plan, one_batch(builder.finish())).await;
        kept.map(drop).map_err(at(Side::Platform))
    }

    pub(super) async fn clear(
        &mut self,
        pool: &dyn Store,
        table: &PoolTable,
        cursor: i64,
        run_id: &str,
    ) -> Result<(), RunError> {
        if self.held.is_empty() && self.next == 0 {
            return Ok(());
        }
        *self = Self::default();
        keep_quarantine(pool, table, run_id, cursor, &[]).await
    }
}
