//! Change logs: what a store writes down about its changes, read as they are committed.
//!
//! A log belongs to a consumer, who names the tables and keeps the position up to which it has taken everything
//! over, in its own target. It begins with [`crate::Store::open_log`] at no position: from then on the store holds
//! every change for the consumer. What was in the tables before is brought by a plain reading that begins *after*
//! the log was opened. That reading and the log overlap, and never leave a gap: a transaction that the reading
//! didn't see commits after the log's start, so the log tells it; one that both hold is told as the state of its
//! rows, and bringing a state twice changes nothing. So reading, then applying the log from its start, ends in
//! exactly the table's state.
//!
//! What holds on every store that has a log:
//! 1. Transactions come whole and in the order in which they were committed, however long they were open before.
//!    What was rolled back never comes.
//! 2. Values are those that [`crate::Store::read`] gives, in the same types.
//! 3. Nothing is given up before [`ChangeLog::confirm`]; whoever opens the log again goes on from the position that
//!    it names, and a log that doesn't reach back to it any more is refused.
//!
//! What the engines share lies beside this: rows in a packed form ([`layout`]), the last state of each row
//! ([`fold`]), large transactions in a file ([`spill`]), transactions put together ([`gather`]) and made into
//! batches ([`decode`]).

pub(crate) mod decode;
pub(crate) mod fold;
pub(crate) mod gather;
pub(crate) mod layout;
mod spill;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use tongqu_domain::exchange::Column;

use crate::query::{BATCH_BYTES_MAX, BATCH_ROWS_MAX};
use crate::{BatchStream, ConnectorError, Result};

/// A place in a store's log; later changes have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogPosition(pub u64);

impl LogPosition {
    /// As a consumer's cursor.
    #[must_use]
    pub fn as_cursor(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// From a consumer's cursor.
    #[must_use]
    pub fn of_cursor(cursor: i64) -> Self {
        Self(u64::try_from(cursor).unwrap_or(0))
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for LogPosition {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.split_once('/').ok_or(())?;
        let part = |text| u32::from_str_radix(text, 16).map_err(|_| ());
        Ok(Self(u64::from(part(high)?) << 32 | u64::from(part(low)?)))
    }
}

/// A table that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTable {
    /// As in [`crate::Query`].
    pub table: String,
    /// The columns in the order wanted, with the types wanted, as in [`crate::Query`].
    pub columns: Vec<Column>,
    /// The columns by which rows are told apart, all of them among `columns`.
    pub key: Vec<String>,
}

/// What a consumer wants of a store's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// On whose behalf the store holds changes back; one log for each.
    pub consumer: String,
    /// The tables, each once.
    pub tables: Vec<LogTable>,
    /// Most changed rows of a batch. Small transactions are put together up to it; a larger one comes in several
    /// batches of one stream.
    pub batch_rows_max: usize,
    /// Most bytes of values in a batch.
    pub batch_bytes_max: usize,
}

impl LogQuery {
    /// One table, with the usual batch sizes.
    #[must_use]
    pub fn of(consumer: &str, table: LogTable) -> Self {
        Self {
            consumer: consumer.to_owned(),
            tables: vec![table],
            batch_rows_max: BATCH_ROWS_MAX,
            batch_bytes_max: BATCH_BYTES_MAX,
        }
    }

    /// Errors: [`ConnectorError::PlanInvalid`].
    pub(crate) fn check(&self) -> Result<()> {
        for (place, table) in self.tables.iter().enumerate() {
            let unsound = |reason: &str| Err(ConnectorError::plan_invalid(&table.table, reason));
            if table.key.is_empty() {
                return unsound("the log is asked for without a key");
            }
            let has = |name: &String| table.columns.iter().any(|column| column.name == *name);
            if !table.key.iter().all(has) {
                return unsound("a key column is not among its columns");
            }
            if self.tables[..place]
                .iter()
                .any(|other| other.table == table.table)
            {
                return unsound("it is asked for twice");
            }
        }
        if self.tables.is_empty() || self.consumer.is_empty() {
            return Err(ConnectorError::plan_invalid(
                "",
                "no table or no consumer is named",
            ));
        }
        Ok(())
    }
}

/// What whole transactions did to the tables, all of them together.
pub struct LogBatch {
    /// Up to where everything is told with this batch: the end of its last transaction.
    pub upto: LogPosition,
    /// How many transactions touched the tables; 0 if the batch only tells that nothing happened up to here.
    pub transactions: u64,
    /// One for each table that was touched.
    pub tables: Vec<TableChanges>,
}

/// What happened to one table.
pub struct TableChanges {
    /// Its place in [`LogQuery::tables`].
    pub table: usize,
    /// All rows that it had were removed at once (TRUNCATE), before the changes below.
    pub truncated: bool,
    /// How many rows `changes` has.
    pub rows: u64,
    /// The last state of each row that was touched: [`crate::rows::Op::Upsert`], or [`crate::rows::Op::Delete`] with
    /// the key's values alone. Each key comes once. A row whose key was changed is a delete and an upsert.
    pub changes: BatchStream,
}

/// A log that is being read. Dropped, it keeps its place in the store.
#[async_trait]
pub trait ChangeLog: Send {
    /// Where it began, this time.
    fn start(&self) -> LogPosition;

    /// The next transactions, in the order of their commits; `None` if there were none within `wait`. What is
    /// waiting already is put together, so that a backlog comes in large batches and a single change at once.
    /// A batch without tables only moves the position on; it should be confirmed like others.
    ///
    /// Each stream of a batch is to be read to its end, or dropped, before the next call. May be dropped while it
    /// waits, without loss.
    ///
    /// Errors: `unreachable`, `log_lost`, `column_missing`, `type_refused`, `value_refused`. After an error the log
    /// is to be opened again.
    async fn next(&mut self, wait: Duration) -> Result<Option<LogBatch>>;

    /// Lets the store forget everything up to `upto`: call it once that is safe elsewhere.
    ///
    /// Errors: `unreachable`.
    async fn confirm(&mut self, upto: LogPosition) -> Result<()>;
}

/// How a consumer's log stands in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// Up to where the consumer has confirmed.
    pub confirmed: LogPosition,
    /// Up to where the store has written.
    pub current: LogPosition,
    /// Bytes of log between the two.
    pub lag_bytes: u64,
    /// Bytes of log that the store can't delete because of this consumer. Let them grow without end and the
    /// store's disk is full: [`crate::Store::drop_log`] ends it. None where the store deletes by its own rules.
    pub retained_bytes: u64,
    /// How long the store still keeps, by its own rules, what isn't confirmed; `None` where nothing is deleted
    /// before it is confirmed, or nothing waits.
    pub kept_for: Option<Duration>,
    /// Whether the store still has all of them.
    pub health: LogHealth,
    /// Whether somebody reads it now.
    pub is_read: bool,
}

/// Whether a store still has what a consumer hasn't confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogHealth {
    /// Within what the store keeps anyway.
    Reserved,
    /// Beyond that, kept for the consumer's sake.
    Extended,
    /// Past the store's limit, or near it; it may be deleted soon.
    Endangered,
    /// Deleted: the log has a gap and must begin anew.
    Lost,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_as_they_are_written() {
        for text in ["0/0", "16/B374D848", "FFFFFFFF/1"] {
            assert_eq!(LogPosition::from_str(text).unwrap().to_string(), text);
        }
        assert_eq!(LogPosition::from_str("1/0").unwrap(), LogPosition(1 << 32));
        assert!(LogPosition::from_str("12").is_err());
        let position = LogPosition(77);
        assert_eq!(LogPosition::of_cursor(position.as_cursor()), position);
    }
}
