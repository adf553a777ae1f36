//! Where a transaction waits that is too large for memory: a temporary file of SQLite's, which is gone as soon as it
//! is closed. In it each key has its last state, as in [`Fold`].

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::task::JoinHandle;

use super::fold::{Fold, Row};
use crate::rows::Op;
use crate::{ConnectorError, Result};

type Outcome = std::result::Result<(), rusqlite::Error>;

pub(super) struct Spill {
    file: Arc<Mutex<Connection>>,
    /// What is being written. Kept here so that it is waited for even if the caller went away meanwhile.
    writing: Option<JoinHandle<Outcome>>,
}

/// How many rows there are of a table, and whether it was emptied first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub rows: u64,
    pub truncated: bool,
}

impl Spill {
    pub(super) fn new() -> Result<Self> {
        // An empty name stands for a temporary file; 8 MB of it stay in memory.
        let file = Connection::open("").map_err(|error| failure(&error))?;
        let prepare = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192; \
             CREATE TABLE held (t INTEGER, k BLOB, op INTEGER, layout INTEGER, cells BLOB, \
             PRIMARY KEY (t, k)) WITHOUT ROWID; \
             CREATE TABLE emptied (t INTEGER PRIMARY KEY)";
        file.execute_batch(prepare)
            .map_err(|error| failure(&error))?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            writing: None,
        })
    }

    /// Adds what came later.
    pub(super) async fn add(&mut self, later: Fold) -> Result<()> {
        self.settle().await?;
        let file = Arc::clone(&self.file);
        self.writing = Some(tokio::task::spawn_blocking(move || {
            write(
                &mut file.lock().unwrap_or_else(PoisonError::into_inner),
                later,
            )
        }));
        self.settle().await
    }

    async fn settle(&mut self) -> Result<()> {
        let Some(writing) = &mut self.writing else {
            return Ok(());
        };
        let done = writing.await;
        self.writing = None;
        done.unwrap_or(Err(rusqlite::Error::InvalidQuery))
            .map_err(|error| failure(&error))
    }

    /// What there is of a table.
    pub(super) async fn held(&self, table: usize) -> Result<Held> {
        self.with(move |file| {
            let count = "SELECT count(*) FROM held WHERE t = ?1";
            let rows: i64 = file.query_row(count, [number(table)], |row| row.get(0))?;
            let emptied = "SELECT 1 FROM emptied WHERE t = ?1";
            let emptied = file.query_row(emptied, [number(table)], |_| Ok(()));
            Ok(Held {
                rows: rows.unsigned_abs(),
                truncated: emptied.optional()?.is_some(),
            })
        })
        .await
    }

    /// Rows of a table behind the key `after`, as many as fit, and the last one's key.
    pub(super) async fn rows(
        &self,
        table: usize,
        after: Option<Box<[u8]>>,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<(Box<[u8]>, Row)>> {
        self.with(move |file| {
            let sql = "SELECT k, op, layout, cells FROM held WHERE t = ?1 AND (?2 IS NULL OR k > ?2) ORDER BY k";
            let mut statement = file.prepare_cached(sql)?;
            let mut found = statement.query(params![number(table), after.as_deref()])?;
            let (mut rows, mut bytes) = (Vec::new(), 0);
            while rows.len() < rows_max && bytes < bytes_max {
                let Some(row) = found.next()? else { break };
                let key: Vec<u8> = row.get(0)?;
                let cells: Vec<u8> = row.get(3)?;
                bytes += cells.len();
                let is_gone = row.get::<_, i64>(1)? == i64::from(Op::Delete.code());
                let held = Row {
                    op: if is_gone { Op::Delete } else { Op::Upsert },
                    layout: row.get(2)?,
                    cells: cells.into(),
                };
                rows.push((key.into(), held));
            }
            Ok(rows)
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T> {
        let file = Arc::clone(&self.file);
        let done = tokio::task::spawn_blocking(move || {
            work(&file.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await
            .unwrap_or(Err(rusqlite::Error::InvalidQuery))
            .map_err(|error| failure(&error))
    }
}

fn write(file: &mut Connection, later: Fold) -> Outcome {
    let transaction = file.transaction()?;
    for (place, table) in later.tables.into_iter().enumerate() {
        if table.truncated {
            transaction.execute("DELETE FROM held WHERE t = ?1", [number(place)])?;
            transaction.execute("INSERT OR IGNORE INTO emptied VALUES (?1)", [number(place)])?;
        }
        let mut put = transaction
            .prepare_cached("INSERT OR REPLACE INTO held VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (key, row) in table.rows {
            let op = row.op.code();
            put.execute(params![
                number(place),
                &key[..],
                op,
                row.layout,
                &row.cells[..]
            ])?;
        }
    }
    transaction.commit()
}

fn number(table: usize) -> i64 {
    i64::try_from(table).unwrap_or(i64::MAX)
}

fn failure(error: &rusqlite::Error) -> ConnectorError {
    const STORE: &str = "the folder for temporary files of this machine";
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => ConnectorError::SpaceLacking {
            store: STORE.to_owned(),
        },
        code => ConnectorError::Database {
            store: STORE.to_owned(),
            doing: "hold a large transaction".into(),
            code: code.map_or_else(String::new, |code| format!("{code:?}")),
            hint: String::new(),
        },
    }
}
