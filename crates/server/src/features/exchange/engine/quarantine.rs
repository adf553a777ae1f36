//! The rows that a collection set aside, beside the pool's table.

use tongqu_connectors::{
    ApplyPlan, Store, one_batch,
    rows::{BatchBuilder, Op},
};
use tongqu_domain::exchange::ValueRef;

use super::{
    RunError, Side, at,
    pool::{PoolTable, QuarantinedRow, quarantine_columns},
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
