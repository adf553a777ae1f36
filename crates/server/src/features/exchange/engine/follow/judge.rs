//! What the log tells beside what the pool has: each row is judged as the merge of a collection does, and numbered for
//! the pool.

use std::{collections::HashMap, sync::Arc};

use futures_util::TryStreamExt as _;
use tongqu_connectors::{
    Query, RecordBatch, Store, Value,
    rows::{BatchBuilder, Op, Rows},
};
use tongqu_domain::exchange::{Counts, RowCheck, RowHash, ValueRef, diff};

use super::super::{
    Changes, Limits, RunError, Side, at,
    merge::{FAULT_SHARE_ROWS_MIN, pick},
    pool::{PoolTable, QuarantinedRow},
    send,
};
use super::quarantine::Quarantine;

/// Writes numbered rows for the pool.
pub(super) struct Writer {
    builder: BatchBuilder,
    next_seq: i64,
    limits: Limits,
}

impl Writer {
    pub(super) fn new(table: &PoolTable, first_seq: i64, limits: Limits) -> Self {
        Self {
            builder: BatchBuilder::for_changes(&table.stored_columns()),
            next_seq: first_seq,
            limits,
        }
    }

    /// Adds a row, and gives a batch that is full with it.
    pub(super) fn push(
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
    pub(super) async fn finish(&mut self, changes: &Changes) -> Result<i64, RunError> {
        if self.builder.rows() > 0 {
            send(changes, self.builder.finish()).await;
        }
        Ok(self.next_seq)
    }
}

/// Compares what the log tells with what the pool has, as the merge of a collection does.
pub(super) struct Judge {
    pub pool: Arc<dyn Store>,
    pub table: PoolTable,
    pub key: Vec<usize>,
    pub check: Arc<RowCheck>,
    pub limits: Limits,
    pub writer: Writer,
    pub counts: Counts,
    pub quarantine: Quarantine,
    pub lately: Counts,
    /// The pool's cursor before.
    pub cursor: i64,
    pub run_id: String,
}

pub(super) struct Judged {
    pub counts: Counts,
    pub quarantine: Quarantine,
    pub lately: Counts,
}

/// Live rows of the pool by their key.
type Live = HashMap<RowHash, Vec<Value>>;

impl Judge {
    pub(super) async fn take(
        &mut self,
        batch: &RecordBatch,
        changes: &Changes,
    ) -> Result<(), RunError> {
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

    pub(super) async fn finish(mut self, changes: &Changes) -> Result<Judged, RunError> {
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
