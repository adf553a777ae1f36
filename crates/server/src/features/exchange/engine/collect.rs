//! Collection: the provider's table is compared with the pool and the difference is applied.
//!
//! The source needs no change log and no time column; SELECT is enough. Spec: PDS-8.1, YC-17.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tongqu_connectors::{ApplyPlan, BatchStream, ConnectorError, Store};
use tongqu_domain::{
    catalogue::DataItem,
    exchange::{Column, Counts, RowCheck, diff::DiffError},
};

use super::{
    Changes, Limits, RunError, Side, at,
    merge::{Front, Merge},
    pool::{PoolTable, QuarantinedRow, SEQ},
    quarantine::keep_quarantine,
    send,
    sides::{Asked, Sides},
    stream_of,
};
use crate::features::catalogue::Mounting;

/// What is to be collected.
pub struct Source {
    pub store: Arc<dyn Store>,
    pub mounting: Mounting,
    pub items: Vec<DataItem>,
    /// The day by which dates in identifiers are judged.
    pub today: Date,
    /// The column by which changes are found between two comparisons of the whole, if there is one.
    pub watched: Option<Watched>,
}

/// A column that grows with every change of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its name in the source's table.
    pub column: String,
    /// The highest value that was seen so far, as the column counts: days, microseconds or numbers.
    pub seen: Option<i64>,
    /// What is above it can't be true yet, and isn't counted as seen.
    pub highest: i64,
}

impl Source {
    /// Where a column of the source's table stands among the mounted ones.
    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        let mut columns = self.mounting.columns.iter();
        columns.position(|mounted| mounted.column.name == column)
    }
}

/// What a collection did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Collected {
    pub counts: Counts,
    /// Rows in the pool afterwards.
    pub live_rows: u64,
    /// The last change number in the pool.
    pub seq: i64,
    /// The highest value of the watched column so far.
    pub seen: Option<i64>,
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
    let (collecting, columns) = Collecting::begin(source, pool, run_id, limits).await?;
    let asked = Asked {
        source,
        columns,
        rows: collecting.rows,
        table: &collecting.table,
        limits,
    };
    let mut sides = asked.open(pool).await?;
    let mut merge = collecting.merge()?;
    merge.are_alike(sides.alike);
    if sides.is_first {
        merge.source_comes_in_any_order();
    }
    let (changes, merging) = stream_of(|changes| async move {
        walk(&mut merge, &mut sides, &changes).await?;
        Ok(merge)
    });
    let merge = collecting.apply(changes, merging).await?;
    collecting.keep_quarantine(&merge.quarantine).await?;
    Ok(collecting.collected(&merge, merge.live_rows))
}

/// A collection under way.
pub(super) struct Collecting<'a> {
    pub source: &'a Source,
    pub pool: &'a Arc<dyn Store>,
    pub table: PoolTable,
    pub run_id: &'a str,
    pub limits: Limits,
    /// About how many rows the source has; 0 if nobody knows or all of them have to be seen.
    pub rows: u64,
    seq_before: i64,
}

impl<'a> Collecting<'a> {
    /// Looks at source and pool. Gives the source's columns too.
    pub(super) async fn begin(
        source: &'a Source,
        pool: &'a Arc<dyn Store>,
        run_id: &'a str,
        limits: Limits,
    ) -> Result<(Self, Vec<Column>), RunError> {
        let table = PoolTable::of(&source.mounting, &source.items);
        let (columns, rows) = still_there(source).await?;
        let seq_before = pool_cursor(pool.as_ref(), &table).await?.unwrap_or(0);
        // Rows that are alike on both sides aren't read, so their values aren't seen.
        let must_see_all = source
            .watched
            .as_ref()
            .is_some_and(|watched| watched.seen.is_none());
        let collecting = Self {
            source,
            pool,
            table,
            run_id,
            limits,
            rows: if must_see_all { 0 } else { rows },
            seq_before,
        };
        Ok((collecting, columns))
    }

    pub(super) fn merge(&self) -> Result<Merge, RunError> {
        let source = self.source;
        let check = RowCheck::new(&source.items, &self.table.columns, source.today);
        let check = check.map_err(|_| RunError::MountingUnfit)?;
        let mut merge = Merge::new(self.table.clone(), check, self.seq_before + 1, self.limits);
        if let Some(watched) = &source.watched {
            let place = source.place_of(&watched.column);
            merge.watch(place.ok_or(RunError::MountingUnfit)?, watched.highest);
        }
        Ok(merge)
    }

    /// The last change number of this collection.
    pub(super) fn seq(&self) -> i64 {
        self.seq_before + SEQ_BLOCK
    }

    /// Brings what the merge finds into the pool.
    pub(super) async fn apply(
        &self,
        changes: BatchStream,
        merging: JoinHandle<Result<Merge, RunError>>,
    ) -> Result<Merge, RunError> {
        // Its numbers follow what was there when it began. Another that began there as well, because this one was
        // taken for dead, has given the same numbers.
        let plan = plan(&self.table, self.run_id, self.seq()).advancing();
        let applied = self.pool.apply(plan, changes).await;
        // The merge's own verdict says more than the store's, which only saw its stream stop.
        let merge = match merging.await.map_err(|_| RunError::CountsDiffer)? {
            Err(RunError::TooManyFaults {
                read,
                quarantined,
                rows,
            }) => {
                // The provider has to see what to mend, also where nothing was moved because of it.
                let (pool, run_id) = (self.pool.as_ref(), self.run_id);
                keep_quarantine(pool, &self.table, run_id, self.seq_before, &rows).await?;
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
        Ok(merge)
    }

    async fn keep_quarantine(&self, rows: &[QuarantinedRow]) -> Result<(), RunError> {
        keep_quarantine(
            self.pool.as_ref(),
            &self.table,
            self.run_id,
            self.seq(),
            rows,
        )
        .await
    }

    pub(super) fn collected(&self, merge: &Merge, live_rows: u64) -> Collected {
        let before = self
            .source
            .watched
            .as_ref()
            .and_then(|watched| watched.seen);
        Collected {
            counts: merge.counts,
            live_rows,
            seq: self.seq(),
            seen: before.max(merge.seen()),
        }
    }
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

/// What a change of the pool's rows is applied by.
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
/// their types, and about how many rows there are.
pub(super) async fn still_there(source: &Source) -> Result<(Vec<Column>, u64), RunError> {
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
    let last_time = source
        .mounting
        .rows_total
        .and_then(|n| u64::try_from(n).ok());
    Ok((columns, now.rows_estimate.max(last_time).unwrap_or(0)))
}

async fn walk(merge: &mut Merge, sides: &mut Sides, changes: &Changes) -> Result<(), RunError> {
    let (mut source, mut pool) = (Front::default(), Front::default());
    loop {
        if source.is_dry() {
            refill(&mut source, &mut sides.ours, Side::Provider).await?;
            continue;
        }
        if pool.is_dry() {
            refill(&mut pool, &mut sides.theirs, Side::Platform).await?;
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

pub(super) async fn refill(
    front: &mut Front,
    batches: &mut BatchStream,
    side: Side,
) -> Result<(), RunError> {
    front.batch = batches.try_next().await.map_err(at(side))?;
    front.taken = 0;
    front.ended = front.batch.is_none();
    Ok(())
}
