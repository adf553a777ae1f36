//! Collection: the provider's table is compared with the pool and the difference is applied.
//!
//! The source needs no change log and no time column; SELECT is enough. Spec: PDS-8.1, YC-17.

use std::{pin::Pin, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use tongqu_connectors::{
    ApplyPlan, BatchStream, ConnectorError, Query, Store, one_batch,
    rows::{BatchBuilder, Op},
};
use tongqu_domain::{
    catalogue::DataItem,
    exchange::{Column, Counts, RowCheck, ValueRef, diff::DiffError},
};

use super::{
    Changes, Limits, RunError, Side, at,
    merge::{Front, Merge},
    pool::{PoolTable, QuarantinedRow, SEQ, quarantine_columns},
    send, stream_of,
};
use crate::features::catalogue::Mounting;

/// What is to be collected.
pub struct Source {
    pub store: Arc<dyn Store>,
    pub mounting: Mounting,
    pub items: Vec<DataItem>,
    /// The day by which dates in identifiers are judged.
    pub today: Date,
}

/// What a collection did.
#[derive(Debug, Clone)]
pub struct Collected {
    pub counts: Counts,
    /// Rows in the pool afterwards.
    pub live_rows: u64,
    /// The last change number in the pool.
    pub seq: i64,
}

/// Change numbers are given out in blocks, one for each collection: the cursor is part of the
/// transaction's plan and so must be known before the last row has been compared.
const SEQ_BLOCK: i64 = 1 << 32;

/// Brings the pool up to the source's present state.
///
/// Errors: [`RunError`]; the pool is then as it was.
pub async fn collect(
    source: &Source,
    pool: &Arc<dyn Store>,
    run_id: &str,
    limits: Limits,
) -> Result<Collected, RunError> {
    let table = PoolTable::of(&source.mounting, &source.items);
    let source_columns = still_there(source).await?;
    let check = RowCheck::new(&source.items, &table.columns, source.today)
        .map_err(|_| RunError::MountingUnfit)?;
    let seq_before = pool_cursor(pool.as_ref(), &table).await?.unwrap_or(0);
    let seq = seq_before + SEQ_BLOCK;

    let mut theirs = live_pool_rows(pool.as_ref(), &table, limits)
        .await?
        .peekable();
    // An empty pool needs no comparing, so the source need not sort; the pool's own key then finds keys that
    // come twice.
    let is_first = Pin::new(&mut theirs).peek().await.is_none();
    let mut ours = Query::all(&source.mounting.table, source_columns);
    if !is_first {
        ours = ours.ordered_by(&source.mounting.key);
    }
    let mut ours = source
        .store
        .read(limits.bound(ours))
        .await
        .map_err(at(Side::Provider))?;
    let mut theirs = theirs.boxed();

    let mut merge = Merge::new(table.clone(), check, seq_before + 1, limits);
    if is_first {
        merge.source_comes_in_any_order();
    }
    let (changes, merging) = stream_of(|changes| async move {
        walk(&mut merge, &mut ours, &mut theirs, &changes).await?;
        Ok(merge)
    });
    let applied = pool.apply(plan(&table, run_id, seq), changes).await;
    // The merge's own verdict says more than the store's, which only saw its stream stop.
    let merge = match merging.await.map_err(|_| RunError::CountsDiffer)? {
        Err(RunError::TooManyFaults {
            read,
            quarantined,
            rows,
        }) => {
            // The provider has to see what to mend, also where nothing was moved because of it.
            keep_quarantine(pool.as_ref(), &table, run_id, seq_before, &rows).await?;
            return Err(RunError::TooManyFaults {
                read,
                quarantined,
                rows,
            });
        }
        merged => merged?,
    };
    let applied = applied.map_err(|error| match error {
        ConnectorError::KeyDuplicates { .. } => RunError::Order(DiffError::DuplicateKey),
        error => at(Side::Platform)(error),
    })?;
    let staged = applied.inserted + applied.updated + applied.unchanged;
    if !merge.counts.adds_up() || staged != merge.counts.delivered + merge.counts.deleted {
        return Err(RunError::CountsDiffer);
    }
    keep_quarantine(pool.as_ref(), &table, run_id, seq, &merge.quarantine).await?;
    Ok(Collected {
        counts: merge.counts,
        live_rows: merge.live_rows,
        seq,
    })
}

/// How far the pool has come with this resource; `None` if it was never collected.
pub(super) async fn pool_cursor(
    pool: &dyn Store,
    table: &PoolTable,
) -> Result<Option<i64>, RunError> {
    match pool.cursor(table.consumer()).await {
        Ok(cursor) => Ok(cursor),
        Err(ConnectorError::StoreMissing { .. }) => Ok(None),
        Err(error) => Err(at(Side::Platform)(error)),
    }
}

pub(super) fn plan(table: &PoolTable, run_id: &str, seq: i64) -> ApplyPlan {
    let mut plan = ApplyPlan::new(
        &table.name,
        table.stored_columns(),
        &table.key,
        table.consumer(),
        seq,
        run_id,
    );
    plan.index_on = vec![SEQ.to_owned()];
    plan
}

/// The mounted columns under the table's own names, after a look whether they are still there with
/// their types.
pub(super) async fn still_there(source: &Source) -> Result<Vec<Column>, RunError> {
    let now = source
        .store
        .discover(&source.mounting.table)
        .await
        .map_err(at(Side::Provider))?;
    let mut columns = Vec::with_capacity(source.mounting.columns.len());
    for mounted in source.mounting.columns.iter().map(|c| &c.column) {
        let column = now
            .columns
            .iter()
            .find(|c| c.name == mounted.name)
            .ok_or_else(|| RunError::ColumnGone {
                column: mounted.name.clone(),
            })?;
        if column.column_type != mounted.column_type {
            return Err(RunError::ColumnChanged {
                column: mounted.name.clone(),
            });
        }
        // Whether NULL may come is the row check's business: a NULL where there may be none is a fault.
        columns.push(Column {
            nullable: true,
            ..column.clone()
        });
    }
    Ok(columns)
}

async fn live_pool_rows(
    pool: &dyn Store,
    table: &PoolTable,
    limits: Limits,
) -> Result<BatchStream, RunError> {
    match pool
        .read(limits.bound(table.live_rows().ordered_by(&table.key)))
        .await
    {
        Ok(batches) => Ok(batches),
        Err(ConnectorError::TableMissing { .. } | ConnectorError::StoreMissing { .. }) => {
            Ok(stream::empty().boxed())
        }
        Err(error) => Err(at(Side::Platform)(error)),
    }
}

async fn walk(
    merge: &mut Merge,
    ours: &mut BatchStream,
    theirs: &mut BatchStream,
    changes: &Changes,
) -> Result<(), RunError> {
    let (mut source, mut pool) = (Front::default(), Front::default());
    loop {
        if source.is_dry() {
            refill(&mut source, ours, Side::Provider).await?;
            continue;
        }
        if pool.is_dry() {
            refill(&mut pool, theirs, Side::Platform).await?;
            continue;
        }
        match merge.advance(&mut source, &mut pool)? {
            Some(batch) => send(changes, batch).await,
            None if source.is_dry() || pool.is_dry() => {}
            None => break,
        }
    }
    merge.refuse_too_many_faults()?;
    if let Some(batch) = merge.finish() {
        send(changes, batch).await;
    }
    Ok(())
}

async fn refill(front: &mut Front, batches: &mut BatchStream, side: Side) -> Result<(), RunError> {
    front.batch = batches.try_next().await.map_err(at(side))?;
    front.taken = 0;
    front.ended = front.batch.is_none();
    Ok(())
}

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
