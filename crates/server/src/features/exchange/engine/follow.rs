//! Following: the provider's change log is taken over into the pool as it is written.
//!
//! The pool keeps the position in the log beside the resource's own cursor, and both move in the transaction that
//! brings the rows. So a follower may die anywhere: the next one goes on from the position in the pool, and nothing
//! is brought twice or left out. The provider's store is told to forget only what the pool has.
//!
//! A follower begins with a collection, which compares the whole. It runs after the log was opened, so that there
//! is no gap; until the follower has come past that time, a row may once more show a state that it had since the log
//! was opened. A log that is lost begins anew in the same way.
//!
//! One resource has one follower, and no collection runs beside it: both number rows from the pool's cursor on.
//! Spec: PDS-8.1.

mod quarantine;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tongqu_connectors::{
    BatchStream, ChangeLog, ConnectorError, Filter, LogBatch, LogPosition, LogQuery, LogTable,
    Query, RecordBatch, Store, Value, one_batch,
    rows::{BatchBuilder, Op, Rows},
};
use tongqu_domain::exchange::{Counts, RowCheck, RowHash, ValueRef, diff};

use self::quarantine::Quarantine;
use super::{
    Changes, Collected, Limits, RunError, Side, Source, at,
    collect::{collect, plan, pool_cursor, still_there},
    merge::{FAULT_SHARE_ROWS_MIN, pick},
    pool::{DELETED, PoolTable, QuarantinedRow},
    send, stream_of,
};

/// What one step of a follower did.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Each row counts once, with its last state, however many transactions changed it.
    pub counts: Counts,
    /// Transactions that were taken over.
    pub transactions: u64,
    /// The last change number in the pool.
    pub seq: i64,
    /// Up to where the provider's log was taken over.
    pub upto: LogPosition,
}

impl Followed {
    /// Whether there is something to deliver.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.counts.delivered + self.counts.deleted > 0
    }

    /// By how many rows the pool has grown; negative if it has fewer.
    #[must_use]
    pub fn grown_by(&self) -> i64 {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        count(self.counts.inserted) - count(self.counts.deleted)
    }
}

/// Takes the log of one resource over.
pub struct Follower {
    log: Box<dyn ChangeLog>,
    pool: Arc<dyn Store>,
    table: PoolTable,
    check: Arc<RowCheck>,
    limits: Limits,
    quarantine: Quarantine,
    /// What was read lately, for the share of faulty rows.
    lately: Counts,
}

/// The cursor under which the pool keeps the position in the provider's log.
fn mark(consumer: &str) -> String {
    format!("{consumer}/log")
}

impl Follower {
    /// Goes on where the pool left off; `None` where it never followed, or the log is lost: then [`Follower::begin`].
    ///
    /// Errors: [`RunError`]; those of the provider's side say what its administrator has to change.
    pub async fn resume(
        source: &Source,
        pool: &Arc<dyn Store>,
        limits: Limits,
    ) -> Result<Option<Self>, RunError> {
        let table = PoolTable::of(&source.mounting, &source.items);
        let query = query_of(source, &table, limits).await?;
        match resume(source, pool, &table, &query).await? {
            Some(log) => Ok(Some(Self::over(log, source, pool, table, limits).await?)),
            None => Ok(None),
        }
    }

    /// Begins anew: opens a log, then compares the whole.
    ///
    /// Errors: as of [`Follower::resume`].
    pub async fn begin(
        source: &Source,
        pool: &Arc<dyn Store>,
        run_id: &str,
        limits: Limits,
    ) -> Result<(Self, Collected), RunError> {
        let table = PoolTable::of(&source.mounting, &source.items);
        let query = query_of(source, &table, limits).await?;
        let log = source.store.open_log(query, None).await.map_err(of_log)?;
        let collected = collect(source, pool, run_id, limits).await?;
        let position = log.start().as_cursor();
        let begun = plan(&table, run_id, collected.seq).marking(&mark(table.consumer()), position);
        let nothing = BatchBuilder::for_changes(&table.stored_columns()).finish();
        let begun = pool.apply(begun, one_batch(nothing)).await;
        begun.map_err(at(Side::Platform))?;
        let follower = Self::over(log, source, pool, table, limits).await?;
        Ok((follower, collected))
    }

    /// Goes on, or begins anew where it can't, and gives what the collection did then.
    ///
    /// Errors: as of [`Follower::resume`].
    pub async fn open(
        source: &Source,
        pool: &Arc<dyn Store>,
        run_id: &str,
        limits: Limits,
    ) -> Result<(Self, Option<Collected>), RunError> {
        if let Some(follower) = Self::resume(source, pool, limits).await? {
            return Ok((follower, None));
        }
        let (follower, collected) = Self::begin(source, pool, run_id, limits).await?;
        Ok((follower, Some(collected)))
    }

    async fn over(
        log: Box<dyn ChangeLog>,
        source: &Source,
        pool: &Arc<dyn Store>,
        table: PoolTable,
        limits: Limits,
    ) -> Result<Self, RunError> {
        let check = RowCheck::new(&source.items, &table.columns, source.today)
            .map_err(|_| RunError::MountingUnfit)?;
        Ok(Self {
            log,
            pool: Arc::clone(pool),
            quarantine: Quarantine::load(pool.as_ref(), &table).await?,
            table,
            check: Arc::new(check),
            limits,
            lately: Counts::default(),
        })
    }

    /// What has been committed, or what is within `wait`; `None` if nothing was. It is to be taken over, or the follower
    /// to be opened anew.
    ///
    /// Errors: [`RunError`]; a follower is then to be opened anew.
    pub async fn next(&mut self, wait: Duration) -> Result<Option<LogBatch>, RunError> {
        self.log.next(wait).await.map_err(of_log)
    }

    /// Takes over what [`Follower::next`] gave. Afterwards the pool has it, and deliveries may be made at once.
    ///
    /// Errors: [`RunError`]; the pool is then as it was, apart from the rows in quarantine, and a follower is to be
    /// opened anew.
    pub async fn take(&mut self, batch: LogBatch, run_id: &str) -> Result<Followed, RunError> {
        let (upto, transactions) = (batch.upto, batch.transactions);
        let mut followed = Followed {
            counts: Counts::default(),
            transactions,
            seq: pool_cursor(self.pool.as_ref(), &self.table)
                .await?
                .unwrap_or(0),
            upto,
        };
        let mut changes = (0, stream::empty().boxed());
        for told in batch.tables {
            if told.truncated {
                self.empty(&mut followed, run_id).await?;
            }
            changes = (told.rows, told.changes);
        }
        self.take_over(&mut followed, changes, run_id).await?;
        self.log.confirm(upto).await.map_err(of_log)?;
        Ok(followed)
    }

    /// Both at once.
    ///
    /// Errors: as of [`Follower::take`].
    pub async fn step(
        &mut self,
        wait: Duration,
        run_id: &str,
    ) -> Result<Option<Followed>, RunError> {
        match self.next(wait).await? {
            Some(batch) => self.take(batch, run_id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Turns every row into a tombstone. The cursor stays, so that no delivery sees this without what follows.
    async fn empty(&mut self, followed: &mut Followed, run_id: &str) -> Result<(), RunError> {
        self.quarantine
            .clear(self.pool.as_ref(), &self.table, followed.seq, run_id)
            .await?;
        let key = self.table.key_positions();
        let columns = key
            .iter()
            .map(|place| self.table.columns[*place].clone())
            .collect();
        let live = Query::all(&self.table.name, columns).only(Filter::eq(DELETED, Value::Int(0)));
        let read = self.pool.read(self.limits.bound(live)).await;
        let mut live = read.map_err(at(Side::Platform))?;
        let mut writer = Writer::new(&self.table, followed.seq + 1, self.limits);
        let before = followed.seq;
        let table = self.table.clone();
        let (changes, writing) = stream_of(|changes| async move {
            while let Some(batch) = live.try_next().await.map_err(at(Side::Platform))? {
                let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
                let mut key = Vec::new();
                let mut full = Vec::new();
                for n in 0..rows.len() {
                    rows.fill(n, &mut key);
                    full.extend(writer.push(&table.tombstone(&table.key_positions(), &key), true)?);
                }
                drop(rows);
                for batch in full {
                    send(&changes, batch).await;
                }
            }
            writer.finish(&changes).await
        });
        let applied = self
            .pool
            .apply(plan(&self.table, run_id, before), changes)
            .await;
        let next_seq = writing.await.map_err(|_| RunError::CountsDiffer)??;
        applied.map_err(at(Side::Platform))?;
        followed.counts.deleted += u64::try_from(next_seq - before - 1).unwrap_or(0);
        followed.seq = next_seq - 1;
        Ok(())
    }

    /// Brings the changed rows and moves cursor and position.
    async fn take_over(
        &mut self,
        followed: &mut Followed,
        (rows, mut changed): (u64, BatchStream),
        run_id: &str,
    ) -> Result<(), RunError> {
        let before = followed.seq;
        let seq = before + i64::try_from(rows).map_err(|_| RunError::CountsDiffer)?;
        let mut judge = Judge {
            pool: Arc::clone(&self.pool),
            table: self.table.clone(),
            key: self.table.key_positions(),
            check: Arc::clone(&self.check),
            limits: self.limits,
            writer: Writer::new(&self.table, before + 1, self.limits),
            counts: Counts::default(),
            quarantine: self.quarantine.clone(),
            lately: self.lately,
            cursor: before,
            run_id: run_id.to_owned(),
        };
        let (changes, judging) = stream_of(|changes| async move {
            while let Some(batch) = changed.try_next().await.map_err(of_log)? {
                judge.take(&batch, &changes).await?;
            }
            judge.finish(&changes).await
        });
        let moved = plan(&self.table, run_id, seq);
        // As with a collection: another that began here as well has given the same numbers.
        let moved = if seq > before {
            moved.advancing()
        } else {
            moved
        };
        let moved = moved.marking(&mark(self.table.consumer()), followed.upto.as_cursor());
        let applied = self.pool.apply(moved, changes).await;
        let judged = judging.await.map_err(|_| RunError::CountsDiffer)??;
        let applied = applied.map_err(at(Side::Platform))?;
        let staged = applied.inserted + applied.updated + applied.unchanged;
        if !judged.counts.adds_up() || staged != judged.counts.delivered + judged.counts.deleted {
            return Err(RunError::CountsDiffer);
        }
        self.quarantine = judged.quarantine;
        self.lately = judged.lately;
        followed.counts = followed.counts.merge(&judged.counts);
        followed.seq = seq;
        Ok(())
    }
}

/// Whether the source can be followed. Changes nothing.
///
/// Errors: as of [`Follower::resume`].
pub async fn may_follow(source: &Source, limits: Limits) -> Result<(), RunError> {
    let table = PoolTable::of(&source.mounting, &source.items);
    let query = query_of(source, &table, limits).await?;
    source.store.check_log(&query).await.map_err(of_log)
}

/// Ends following: the provider's store may delete what it held back for `consumer`, and the next follower begins anew.
///
/// Errors: [`RunError::Store`], with `log_busy` while a follower still reads.
pub async fn unfollow(store: &dyn Store, pool: &dyn Store, consumer: &str) -> Result<(), RunError> {
    forget(pool, consumer).await?;
    store.drop_log(consumer).await.map_err(at(Side::Provider))
}

async fn forget(pool: &dyn Store, consumer: &str) -> Result<(), RunError> {
    match pool.drop_consumer(&mark(consumer)).await {
        Ok(()) | Err(ConnectorError::StoreMissing { .. }) => Ok(()),
        Err(error) => Err(at(Side::Platform)(error)),
    }
}

async fn query_of(
    source: &Source,
    table: &PoolTable,
    limits: Limits,
) -> Result<LogQuery, RunError> {
    let table_of_source = LogTable {
        table: source.mounting.table.clone(),
        columns: still_there(source).await?.0,
        key: source.mounting.key.clone(),
    };
    Ok(LogQuery {
        batch_rows_max: limits.batch_rows_max,
        batch_bytes_max: limits.batch_bytes_max,
        ..LogQuery::of(table.consumer(), table_of_source)
    })
}

/// The log from the pool's position on; `None` if it is to begin anew.
async fn resume(
    source: &Source,
    pool: &Arc<dyn Store>,
    table: &PoolTable,
    query: &LogQuery,
) -> Result<Option<Box<dyn ChangeLog>>, RunError> {
    let position = match pool.cursor(&mark(table.consumer())).await {
        Ok(position) => position,
        Err(ConnectorError::StoreMissing { .. }) => None,
        Err(error) => return Err(at(Side::Platform)(error)),
    };
    let Some(position) = position.map(LogPosition::of_cursor) else {
        return Ok(None);
    };
    match source.store.open_log(query.clone(), Some(position)).await {
        Ok(log) => Ok(Some(log)),
        // Forgotten first: should we die now, the gap is still known.
        Err(ConnectorError::LogLost { .. }) => {
            forget(pool.as_ref(), table.consumer()).await.map(|()| None)
        }
        Err(error) => Err(of_log(error)),
    }
}

/// What an error of the provider's log means for the mounting.
fn of_log(error: ConnectorError) -> RunError {
    match error {
        ConnectorError::ColumnMissing { column, .. } => RunError::ColumnGone { column },
        ConnectorError::TypeRefused { column, .. } => RunError::ColumnChanged { column },
        error => at(Side::Provider)(error),
    }
}

/// Writes numbered rows for the pool.
struct Writer {
    builder: BatchBuilder,
    next_seq: i64,
    limits: Limits,
}

impl Writer {
    fn new(table: &PoolTable, first_seq: i64, limits: Limits) -> Self {
        Self {
            builder: BatchBuilder::for_changes(&table.stored_columns()),
            next_seq: first_seq,
            limits,
        }
    }

    /// Adds a row, and gives a batch that is full with it.
    fn push(
        &mut self,
        row: &[ValueRef<'_>],
        is_tombstone: bool,
    ) -> Result<Option<RecordBatch>, RunError> {
        let mut stored = Vec::with_capacity(row.len() + 2);
        stored.extend_from_slice(row);
        stored.push(ValueRef::Int(self.next_seq));
        stored.push(ValueRef::Int(is_tombstone.into()));
        self.next_seq += 1;
        self.builder
            .push_change(Op::Upsert, &stored)
            .map_err(|_| RunError::MountingUnfit)?;
        let limits = self.limits;
        let is_full = self
            .builder
            .is_full(limits.batch_rows_max, limits.batch_bytes_max);
        Ok(is_full.then(|| self.builder.finish()))
    }

    /// Sends what is left, and gives the next number.
    async fn finish(&mut self, changes: &Changes) -> Result<i64, RunError> {
        if self.builder.rows() > 0 {
            send(changes, self.builder.finish()).await;
        }
        Ok(self.next_seq)
    }
}

/// Compares what the log tells with what the pool has, as the merge of a collection does.
struct Judge {
    pool: Arc<dyn Store>,
    table: PoolTable,
    key: Vec<usize>,
    check: Arc<RowCheck>,
    limits: Limits,
    writer: Writer,
    counts: Counts,
    quarantine: Quarantine,
    lately: Counts,
    /// The pool's cursor before.
    cursor: i64,
    run_id: String,
}

struct Judged {
    counts: Counts,
    quarantine: Quarantine,
    lately: Counts,
}

/// Live rows of the pool by their key.
type Live = HashMap<RowHash, Vec<Value>>;

impl Judge {
    async fn take(&mut self, batch: &RecordBatch, changes: &Changes) -> Result<(), RunError> {
        let live = self.live_rows(batch).await?;
        let mut full = Vec::new();
        let mut found = Vec::new();
        {
            let rows = Rows::new(batch).map_err(at(Side::Provider))?;
            let (mut row, mut key) = (Vec::new(), Vec::new());
            for n in 0..rows.len() {
                rows.fill(n, &mut row);
                pick(&row, &self.key, &mut key);
                let identity = PoolTable::identity(&key);
                let held = live.get(&RowHash::of(&key));
                let written = match rows.op(n) {
                    Op::Delete => self.take_gone(&key, identity, held.is_some())?,
                    Op::Upsert => self.take_row(&row, identity, held, &mut found)?,
                };
                full.extend(written);
            }
        }
        // Before the rows beside them are taken over: whoever repeats this finds them, and loses none.
        self.keep(found).await?;
        self.refuse_too_many_faults()?;
        for batch in full {
            send(changes, batch).await;
        }
        Ok(())
    }

    fn take_gone(
        &mut self,
        key: &[ValueRef<'_>],
        identity: Option<String>,
        is_held: bool,
    ) -> Result<Option<RecordBatch>, RunError> {
        self.quarantine.release(identity);
        if !is_held {
            return Ok(None);
        }
        self.counts.deleted += 1;
        let tombstone = self.table.tombstone(&self.key, key);
        self.writer.push(&tombstone, true)
    }

    fn take_row(
        &mut self,
        row: &[ValueRef<'_>],
        identity: Option<String>,
        held: Option<&Vec<Value>>,
        found: &mut Vec<(Option<String>, QuarantinedRow)>,
    ) -> Result<Option<RecordBatch>, RunError> {
        self.counts.read += 1;
        let is_same = held.is_some_and(|held| {
            let held: Vec<ValueRef<'_>> = held.iter().map(Value::as_ref).collect();
            diff::same_row(row, &held)
        });
        if is_same {
            self.counts.unchanged += 1;
            self.quarantine.release(identity);
            return Ok(None);
        }
        let fault = self.check.check(row).err();
        // A row that turned faulty keeps its last good state in the pool.
        if fault.is_some() || identity.is_none() {
            self.counts.quarantined += 1;
            found.push((identity, self.table.quarantined(row, fault)));
            return Ok(None);
        }
        self.counts.delivered += 1;
        if held.is_some() {
            self.counts.updated += 1;
        } else {
            self.counts.inserted += 1;
        }
        self.quarantine.release(identity);
        self.writer.push(row, false)
    }

    async fn live_rows(&self, batch: &RecordBatch) -> Result<Live, RunError> {
        let mut keys = Vec::with_capacity(batch.num_rows());
        {
            let rows = Rows::new(batch).map_err(at(Side::Provider))?;
            for n in 0..rows.len() {
                let key: Vec<Value> = self.key.iter().map(|p| rows.value(n, *p).into()).collect();
                if !key.contains(&Value::Null) {
                    keys.push(key);
                }
            }
        }
        let mut live = Live::new();
        for some in keys.chunks(Query::keys_max(self.key.len())) {
            let query = self
                .table
                .live_rows()
                .with_keys(&self.table.key, some.to_vec());
            let read = self.pool.read(self.limits.bound(query)).await;
            let mut batches = read.map_err(at(Side::Platform))?;
            while let Some(batch) = batches.try_next().await.map_err(at(Side::Platform))? {
                let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
                let (mut row, mut key) = (Vec::new(), Vec::new());
                for n in 0..rows.len() {
                    rows.fill(n, &mut row);
                    pick(&row, &self.key, &mut key);
                    let row = row.iter().map(|value| (*value).into()).collect();
                    live.insert(RowHash::of(&key), row);
                }
            }
        }
        Ok(live)
    }

    async fn keep(&mut self, found: Vec<(Option<String>, QuarantinedRow)>) -> Result<(), RunError> {
        let pool = self.pool.as_ref();
        self.quarantine
            .keep(pool, &self.table, self.cursor, &self.run_id, found)
            .await
    }

    /// As a collection does, over the rows that were read lately.
    fn refuse_too_many_faults(&self) -> Result<(), RunError> {
        let lately = self.lately.merge(&self.counts);
        let permille_max = self.limits.quarantine_permille_max;
        if lately.read >= FAULT_SHARE_ROWS_MIN && lately.has_too_many_faults(permille_max) {
            return Err(RunError::TooManyFaults {
                read: lately.read,
                quarantined: lately.quarantined,
                rows: Vec::new(),
            });
        }
        Ok(())
    }

    async fn finish(mut self, changes: &Changes) -> Result<Judged, RunError> {
        self.writer.finish(changes).await?;
        let lately = self.lately.merge(&self.counts);
        let is_long_ago = lately.read >= FAULT_SHARE_ROWS_MIN;
        Ok(Judged {
            counts: self.counts,
            quarantine: self.quarantine,
            lately: if is_long_ago {
                Counts::default()
            } else {
                lately
            },
        })
    }
}
