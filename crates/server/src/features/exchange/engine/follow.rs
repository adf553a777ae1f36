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

mod judge;
mod quarantine;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tongqu_connectors::{
    BatchStream, ChangeLog, ConnectorError, Filter, LogBatch, LogPosition, LogQuery, LogTable,
    Query, Store, Value, one_batch,
    rows::{BatchBuilder, Rows},
};
use tongqu_domain::exchange::{Counts, RowCheck};

use self::{
    judge::{Judge, Writer},
    quarantine::Quarantine,
};
use super::{
    Collected, Limits, RunError, Side, Source, at,
    collect::{collect, plan, pool_cursor, still_there},
    pool::{DELETED, PoolTable},
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
        let next = self.log.next(wait).await;
        // The place may still be there, though nothing sound comes behind it: the next follower begins anew.
        if let Err(ConnectorError::LogLost { .. }) = &next {
            forget(self.pool.as_ref(), self.table.consumer()).await?;
        }
        next.map_err(of_log)
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
