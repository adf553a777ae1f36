//! What the tests of change logs share: what is told, written down shortly.

use std::collections::BTreeMap;
use std::time::Duration;

use tongqu_connectors::rows::{Op, Rows};
use tongqu_connectors::{ChangeLog, LogBatch, LogPosition, LogQuery, LogTable, Value};
use tongqu_domain::exchange::Column;

use crate::support::{place, places, text, values_of};

/// Longer than any of it takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(30);
/// Enough for what has been committed to arrive, where nothing is expected.
pub const SHORT: Duration = Duration::from_millis(300);

pub fn table(name: &str, columns: &[Column], key: &[&str]) -> LogTable {
    LogTable {
        table: name.to_owned(),
        columns: columns.to_vec(),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
    }
}

pub fn place_query() -> LogQuery {
    LogQuery::of("consumer", table("place", &places(), &["id"]))
}

/// What a batch did to its only table.
pub struct Told {
    pub upto: LogPosition,
    pub transactions: u64,
    pub truncated: bool,
    pub changes: Vec<(Op, Vec<Value>)>,
    pub largest_batch: usize,
}

pub async fn told(batch: LogBatch) -> Told {
    use futures_util::TryStreamExt;
    assert_eq!(batch.tables.len(), 1);
    let mut told = Told {
        upto: batch.upto,
        transactions: batch.transactions,
        truncated: false,
        changes: Vec::new(),
        largest_batch: 0,
    };
    for mut table in batch.tables {
        told.truncated |= table.truncated;
        while let Some(batch) = table.changes.try_next().await.unwrap() {
            let rows = Rows::new(&batch).unwrap();
            let ops = (0..rows.len()).map(|row| rows.op(row));
            told.changes.extend(ops.zip(values_of(&batch)));
            told.largest_batch = told.largest_batch.max(rows.len());
        }
        assert_eq!(told.changes.len(), usize::try_from(table.rows).unwrap());
    }
    told
}

/// The next batch that tells of a change; others may tell that there was none.
pub async fn next(log: &mut Box<dyn ChangeLog>) -> Told {
    loop {
        let batch = log.next(LONG).await.unwrap().unwrap();
        if batch.transactions > 0 {
            return told(batch).await;
        }
    }
}

pub async fn nothing(log: &mut Box<dyn ChangeLog>) -> bool {
    while let Some(batch) = log.next(SHORT).await.unwrap() {
        if batch.transactions > 0 {
            return false;
        }
    }
    true
}

pub fn upsert(id: &str, name: &str, size: i64) -> (Op, Vec<Value>) {
    (Op::Upsert, place(id, name, size))
}

pub fn gone(id: &str) -> (Op, Vec<Value>) {
    (Op::Delete, vec![text(id), Value::Null, Value::Null])
}

/// Several transactions from here on, however they are put together.
pub async fn until(
    log: &mut Box<dyn ChangeLog>,
    transactions: u64,
) -> BTreeMap<String, (Op, Vec<Value>)> {
    let mut seen = 0;
    let mut last = BTreeMap::new();
    while seen < transactions {
        let told = next(log).await;
        seen += told.transactions;
        for change in told.changes {
            last.insert(format!("{:?}", change.1[0]), change);
        }
    }
    last
}
