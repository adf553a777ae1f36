//! Transactions put together as their changes come, and handed on in batches: small ones together, large ones from a
//! file. Memory holds at most two batches of rows that are put together, and what is being decoded of one.

use std::sync::Arc;

use super::decode::Decoder;
use super::fold::{Fold, Row};
use super::layout::Form;
use super::spill::Spill;
use crate::{LogBatch, LogPosition, LogQuery, Result, Store, TableChanges, one_batch};

pub(crate) struct Gatherer<F> {
    pub decoder: Decoder<F>,
    /// Transactions that have ended and are still to be told.
    done: Fold,
    transactions: u64,
    /// Up to where everything that came is in `done`, or was told.
    reached: LogPosition,
    /// Up to where the caller knows.
    told: LogPosition,
    /// The transaction that is coming.
    open: Option<Coming>,
    /// One that has ended and has no room beside those before it.
    ended: Option<(Coming, LogPosition)>,
}

/// A transaction, in memory and, beyond the limits, in a file.
pub(crate) struct Coming {
    pub fold: Fold,
    spill: Option<Spill>,
}

impl Coming {
    fn new(tables: usize) -> Self {
        Self {
            fold: Fold::new(tables),
            spill: None,
        }
    }

    /// Whether it did nothing to the tables.
    pub(crate) fn is_empty(&self) -> bool {
        self.spill.is_none() && self.fold.is_empty()
    }

    async fn spill(&mut self) -> Result<()> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill::new()?),
        };
        let tables = self.fold.tables.len();
        spill
            .add(std::mem::replace(&mut self.fold, Fold::new(tables)))
            .await
    }
}

impl<F: Form> Gatherer<F> {
    pub(crate) fn new(store: Arc<dyn Store>, query: LogQuery, start: LogPosition) -> Self {
        Self {
            done: Fold::new(query.tables.len()),
            decoder: Decoder {
                store,
                query: Arc::new(query),
                layouts: Vec::new(),
            },
            transactions: 0,
            reached: start,
            told: start,
            open: None,
            ended: None,
        }
    }

    /// Up to where everything that came was put together.
    pub(crate) fn reached(&self) -> LogPosition {
        self.reached
    }

    /// Up to where the caller knows.
    pub(crate) fn told(&self) -> LogPosition {
        self.told
    }

    /// Whether nothing more is to be taken before it is handed on.
    pub(crate) fn is_due(&self) -> bool {
        self.ended.is_some() || self.is_full(&self.done)
    }

    /// Whether something is to be told.
    pub(crate) fn has_ended(&self) -> bool {
        self.transactions > 0
    }

    fn is_full(&self, fold: &Fold) -> bool {
        let query = &self.decoder.query;
        fold.rows >= query.batch_rows_max.max(1) || fold.bytes >= query.batch_bytes_max.max(1)
    }

    pub(crate) fn begin(&mut self) {
        self.open = Some(Coming::new(self.decoder.query.tables.len()));
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The changes of the transaction that is coming, and what they are decoded with.
    pub(crate) fn open(&mut self) -> Option<(&mut Fold, &Decoder<F>)> {
        let open = self.open.as_mut()?;
        Some((&mut open.fold, &self.decoder))
    }

    /// The transaction that is coming is not to be told now.
    pub(crate) fn take_open(&mut self) -> Option<Coming> {
        self.open.take()
    }

    /// Goes on with one that was taken out.
    pub(crate) fn put_open(&mut self, coming: Coming) {
        self.open = Some(coming);
    }

    /// Puts the transaction that is coming into its file once it has grown too large for memory.
    pub(crate) async fn relieve(&mut self) -> Result<()> {
        let is_full = self
            .open
            .as_ref()
            .is_some_and(|open| self.is_full(&open.fold));
        match self.open.as_mut().filter(|_| is_full) {
            Some(open) => open.spill().await,
            None => Ok(()),
        }
    }

    /// Nothing of the tables happened up to here.
    pub(crate) fn pass(&mut self, upto: LogPosition) {
        if self.open.is_none() && self.ended.is_none() {
            self.reached = self.reached.max(upto);
        }
    }

    /// Puts the transaction that has come whole behind those before it, if there is room.
    pub(crate) fn end(&mut self, end: LogPosition) {
        let Some(open) = self.open.take() else { return };
        if open.is_empty() {
            self.reached = self.reached.max(end);
            return;
        }
        let query = &self.decoder.query;
        let has_room = self.transactions == 0
            || (self.done.rows + open.fold.rows <= query.batch_rows_max
                && self.done.bytes + open.fold.bytes <= query.batch_bytes_max);
        if open.spill.is_some() || !has_room {
            self.ended = Some((open, end));
            return;
        }
        self.done.add(open.fold);
        self.transactions += 1;
        self.reached = end;
    }

    /// What is to be told now. Where there is nothing, but much of others' has passed, that alone: the store may then
    /// forget it.
    pub(crate) async fn batch(&mut self, has_passed_much: bool) -> Result<Option<LogBatch>> {
        let batch = self.next_batch(has_passed_much).await?;
        if let Some(batch) = &batch {
            self.told = batch.upto;
        }
        Ok(batch)
    }

    async fn next_batch(&mut self, has_passed_much: bool) -> Result<Option<LogBatch>> {
        if self.transactions > 0 {
            return self.small_batch().await.map(Some);
        }
        match self.ended.take() {
            Some((coming, end)) => {
                self.reached = end;
                if let Some(spill) = coming.spill {
                    return self.large_batch(coming.fold, spill).await.map(Some);
                }
                self.done = coming.fold;
                self.transactions = 1;
                self.small_batch().await.map(Some)
            }
            None if has_passed_much => Ok(Some(LogBatch {
                upto: self.reached,
                transactions: 0,
                tables: Vec::new(),
            })),
            None => Ok(None),
        }
    }

    async fn small_batch(&mut self) -> Result<LogBatch> {
        let nothing = Fold::new(self.decoder.query.tables.len());
        let done = std::mem::replace(&mut self.done, nothing);
        let transactions = std::mem::take(&mut self.transactions);
        let mut tables = Vec::new();
        for (table, fold) in done.tables.into_iter().enumerate() {
            let rows: Vec<Row> = fold.rows.into_values().collect();
            if rows.is_empty() && !fold.truncated {
                continue;
            }
            tables.push(TableChanges {
                table,
                truncated: fold.truncated,
                rows: u64::try_from(rows.len()).unwrap_or(u64::MAX),
                changes: one_batch(self.decoder.batch(table, &rows).await?),
            });
        }
        Ok(LogBatch {
            upto: self.reached,
            transactions,
            tables,
        })
    }

    async fn large_batch(&mut self, rest: Fold, mut spill: Spill) -> Result<LogBatch> {
        spill.add(rest).await?;
        let spill = Arc::new(spill);
        let mut tables = Vec::new();
        for table in 0..self.decoder.query.tables.len() {
            let held = spill.held(table).await?;
            if held.rows == 0 && !held.truncated {
                continue;
            }
            tables.push(TableChanges {
                table,
                truncated: held.truncated,
                rows: held.rows,
                changes: self.decoder.clone().stream(Arc::clone(&spill), table),
            });
        }
        Ok(LogBatch {
            upto: self.reached,
            transactions: 1,
            tables,
        })
    }
}
