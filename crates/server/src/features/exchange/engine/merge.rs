//! The snapshot difference: source and pool, both in the order of the key, walked side by side.

use tongqu_connectors::rows::{BatchBuilder, Op, RecordBatch, Rows};
use tongqu_domain::exchange::{
    Counts, RowCheck, ValueRef, count_of,
    diff::{self, OrderGuard, Step},
};

use super::{
    Limits, RunError,
    pool::{PoolTable, QuarantinedRow},
};

/// Rows kept in quarantine with all their detail. Beyond it they are counted and stay at the source.
pub const QUARANTINE_ROWS_MAX: usize = 20_000;

/// Before so many rows the share of faulty ones says little.
pub(super) const FAULT_SHARE_ROWS_MIN: u64 = 10_000;

/// One side of the merge: its current batch and how far it has been taken.
#[derive(Default)]
pub(super) struct Front {
    pub batch: Option<RecordBatch>,
    pub taken: usize,
    pub ended: bool,
    /// The row in front has passed the order guard. It may wait there while the other side fetches.
    is_admitted: bool,
}

impl Front {
    /// A side that has this batch in front.
    pub(super) fn of(batch: RecordBatch) -> Self {
        Self {
            batch: Some(batch),
            ..Self::default()
        }
    }

    /// Whether another batch has to be fetched before the merge can go on.
    pub(super) fn is_dry(&self) -> bool {
        !self.ended
            && self
                .batch
                .as_ref()
                .is_none_or(|b| self.taken >= b.num_rows())
    }

    /// Goes on to the next row.
    fn take(&mut self) {
        self.taken += 1;
        self.is_admitted = false;
    }
}

/// Walks both sides and gathers the changes for the pool.
pub(super) struct Merge {
    table: PoolTable,
    key: Vec<usize>,
    check: RowCheck,
    /// None where the source comes in any order.
    source_order: Option<OrderGuard>,
    pool_order: OrderGuard,
    builder: BatchBuilder,
    limits: Limits,
    next_seq: i64,
    pub counts: Counts,
    pub quarantine: Vec<QuarantinedRow>,
    /// Rows that the pool holds afterwards.
    pub live_rows: u64,
    /// Where the watched column stands, what is too high to be true, and the highest value below.
    watched: Option<(usize, i64)>,
    seen: Option<i64>,
}

impl Merge {
    pub(super) fn new(table: PoolTable, check: RowCheck, first_seq: i64, limits: Limits) -> Self {
        Self {
            key: table.key_positions(),
            builder: BatchBuilder::for_changes(&table.stored_columns()),
            table,
            check,
            source_order: Some(OrderGuard::new()),
            pool_order: OrderGuard::new(),
            limits,
            next_seq: first_seq,
            counts: Counts::default(),
            quarantine: Vec::new(),
            live_rows: 0,
            watched: None,
            seen: None,
        }
    }

    /// Looks out for the highest value of this column of the source that isn't above `highest`.
    pub(super) fn watch(&mut self, column: usize, highest: i64) {
        self.watched = Some((column, highest));
    }

    /// The highest value of the watched column among the rows read.
    pub(super) fn seen(&self) -> Option<i64> {
        self.seen
    }

    fn look_at(&mut self, row: &[ValueRef<'_>]) {
        if let Some((column, highest)) = self.watched {
            let count = count_of(&row[column]).filter(|count| *count <= highest);
            self.seen = self.seen.max(count);
        }
    }

    /// For a pool without rows, where no two rows are compared.
    pub(super) fn source_comes_in_any_order(&mut self) {
        self.source_order = None;
    }

    /// So many rows were found alike without being read.
    pub(super) fn are_alike(&mut self, rows: u64) {
        self.counts.read += rows;
        self.counts.unchanged += rows;
        self.live_rows += rows;
    }

    /// Goes on until one side needs another batch or the changes fill one. Gives the full batch.
    pub(super) fn advance(
        &mut self,
        source: &mut Front,
        pool: &mut Front,
    ) -> Result<Option<RecordBatch>, RunError> {
        let unfit = |_| RunError::MountingUnfit;
        // Cheap: a batch shares its columns.
        let (source_batch, pool_batch) = (source.batch.clone(), pool.batch.clone());
        let source_rows = source_batch
            .as_ref()
            .map(Rows::new)
            .transpose()
            .map_err(unfit)?;
        let pool_rows = pool_batch
            .as_ref()
            .map(Rows::new)
            .transpose()
            .map_err(unfit)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let (mut our_key, mut their_key) = (Vec::new(), Vec::new());
        let (mut filled, mut pool_filled) = (usize::MAX, usize::MAX);
        while !source.is_dry() && !pool.is_dry() {
            if self
                .builder
                .is_full(self.limits.batch_rows_max, self.limits.batch_bytes_max)
            {
                return Ok(Some(self.builder.finish()));
            }
            let our_row = source_rows.as_ref().filter(|r| source.taken < r.len());
            let their_row = pool_rows.as_ref().filter(|r| pool.taken < r.len());
            if let Some(rows) = our_row.filter(|_| filled != source.taken) {
                rows.fill(source.taken, &mut ours);
                self.look_at(&ours);
                pick(&ours, &self.key, &mut our_key);
                // A key with NULL can't be compared; such a row has a fault and is set aside.
                if our_key.iter().any(ValueRef::is_null) {
                    self.set_aside(&ours)?;
                    source.take();
                    continue;
                }
                if !source.is_admitted {
                    if let Some(order) = &mut self.source_order {
                        order.admit(&our_key)?;
                    }
                    source.is_admitted = true;
                }
                filled = source.taken;
            }
            if let Some(rows) = their_row.filter(|_| pool_filled != pool.taken) {
                rows.fill(pool.taken, &mut theirs);
                pick(&theirs, &self.key, &mut their_key);
                if !pool.is_admitted {
                    self.pool_order.admit(&their_key)?;
                    pool.is_admitted = true;
                }
                pool_filled = pool.taken;
            }
            match diff::step(
                our_row.map(|_| our_key.as_slice()),
                their_row.map(|_| their_key.as_slice()),
            ) {
                None => return Ok(None),
                Some(Step::OnlySource) => {
                    self.take_new(&ours)?;
                    source.take();
                }
                Some(Step::OnlyPool) => {
                    self.take_gone(&their_key)?;
                    pool.take();
                }
                Some(Step::Both) => {
                    self.take_both(&ours, &theirs)?;
                    source.take();
                    pool.take();
                }
            }
        }
        Ok(None)
    }

    /// The changes gathered so far, if there are any.
    pub(super) fn finish(&mut self) -> Option<RecordBatch> {
        (self.builder.rows() > 0).then(|| self.builder.finish())
    }

    /// Stops if too many of the rows read are faulty.
    pub(super) fn refuse_too_many_faults(&mut self) -> Result<(), RunError> {
        if self
            .counts
            .has_too_many_faults(self.limits.quarantine_permille_max)
        {
            return Err(RunError::TooManyFaults {
                read: self.counts.read,
                quarantined: self.counts.quarantined,
                rows: std::mem::take(&mut self.quarantine),
            });
        }
        Ok(())
    }

    fn take_new(&mut self, row: &[ValueRef<'_>]) -> Result<(), RunError> {
        if self.check.check(row).is_err() {
            return self.set_aside(row);
        }
        self.counts.read += 1;
        self.counts.delivered += 1;
        self.counts.inserted += 1;
        self.live_rows += 1;
        self.push(row)
    }

    fn take_both(
        &mut self,
        ours: &[ValueRef<'_>],
        theirs: &[ValueRef<'_>],
    ) -> Result<(), RunError> {
        self.live_rows += 1;
        if diff::same_row(ours, theirs) {
            self.counts.read += 1;
            self.counts.unchanged += 1;
            return Ok(());
        }
        // A row that turned faulty keeps its last good state in the pool.
        if self.check.check(ours).is_err() {
            return self.set_aside(ours);
        }
        self.counts.read += 1;
        self.counts.delivered += 1;
        self.counts.updated += 1;
        self.push(ours)
    }

    fn take_gone(&mut self, key: &[ValueRef<'_>]) -> Result<(), RunError> {
        self.counts.deleted += 1;
        let tombstone = self.table.tombstone(&self.key, key);
        self.push_marked(&tombstone, 1)
    }

    fn push(&mut self, row: &[ValueRef<'_>]) -> Result<(), RunError> {
        self.push_marked(row, 0)
    }

    fn push_marked(&mut self, row: &[ValueRef<'_>], deleted: i64) -> Result<(), RunError> {
        let mut stored = Vec::with_capacity(row.len() + 2);
        stored.extend_from_slice(row);
        stored.push(ValueRef::Int(self.next_seq));
        stored.push(ValueRef::Int(deleted));
        self.next_seq += 1;
        self.builder
            .push_change(Op::Upsert, &stored)
            .map_err(|_| RunError::MountingUnfit)
    }

    fn set_aside(&mut self, row: &[ValueRef<'_>]) -> Result<(), RunError> {
        self.counts.read += 1;
        self.counts.quarantined += 1;
        if self.quarantine.len() < QUARANTINE_ROWS_MAX {
            let fault = self.check.check(row).err();
            self.quarantine.push(self.table.quarantined(row, fault));
        }
        if self.counts.read >= FAULT_SHARE_ROWS_MIN {
            self.refuse_too_many_faults()
        } else {
            Ok(())
        }
    }
}

pub(super) fn pick<'a>(row: &[ValueRef<'a>], positions: &[usize], out: &mut Vec<ValueRef<'a>>) {
    out.clear();
    out.extend(positions.iter().map(|p| row[*p]));
}
