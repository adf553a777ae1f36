//! The rows that a collection set aside, beside the pool's table.

use std::collections::BTreeSet;

use tongqu_connectors::{
    ApplyPlan, Store, one_batch,
    rows::{BatchBuilder, Op},
};
use tongqu_domain::exchange::ValueRef;

use super::{
    RunError, Side, at,
    merge::QUARANTINE_ROWS_MAX,
    pool::{PoolTable, QuarantinedRow, quarantine_columns, read_quarantine},
};

/// Replaces what is known to be faulty; rows mended at the source are no longer in it.
pub(super) async fn keep_quarantine(
    pool: &dyn Store,
    table: &PoolTable,
    run_id: &str,
    seq: i64,
    rows: &[QuarantinedRow],
) -> Result<(), RunError> {
    let columns = quarantine_columns();
    let mut builder = BatchBuilder::for_changes(&columns);
    for (n, row) in (0_i64..).zip(rows) {
        let values = [
            ValueRef::Int(n),
            ValueRef::Text(&row.key),
            ValueRef::Text(&row.column),
            ValueRef::Text(&row.code),
            ValueRef::Text(&row.row),
        ];
        builder
            .push_change(Op::Upsert, &values)
            .map_err(|_| RunError::MountingUnfit)?;
    }
    let plan = ApplyPlan::new(
        &table.quarantine,
        columns,
        &["n"],
        &table.quarantine,
        seq,
        run_id,
    )
    .replacing_all();
    pool.apply(plan, one_batch(builder.finish()))
        .await
        .map_err(at(Side::Platform))?;
    Ok(())
}

/// Brings what is known to be faulty up to date where only some rows were looked at: of these, named by their keys as
/// text, only those of `rows` are faulty now.
pub(super) async fn mend_quarantine(
    pool: &dyn Store,
    table: &PoolTable,
    run_id: &str,
    seq: i64,
    looked_at: &BTreeSet<String>,
    rows: Vec<QuarantinedRow>,
) -> Result<(), RunError> {
    let before = read_quarantine(pool, table, QUARANTINE_ROWS_MAX).await?;
    let known = before.len();
    let mut kept: Vec<QuarantinedRow> = before
        .into_iter()
        .filter(|row| !looked_at.contains(&row.key))
        .collect();
    if kept.len() == known && rows.is_empty() {
        return Ok(());
    }
    kept.extend(rows);
    kept.truncate(QUARANTINE_ROWS_MAX);
    keep_quarantine(pool, table, run_id, seq, &kept).await
}
