//! SQLite: one file, many readers, one writer.
//!
//! Work runs on threads that may block; batches pass through a bounded channel, so a slow reader
//! slows the thread down and a reader that goes away stops it.

mod apply;
mod catalog;
mod read;
pub(crate) mod types;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use crate::store::CURSOR_TABLE;
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ConnectorError, KeyCheck, Query, Result, Store,
    TableInfo,
};

/// How long a lock is waited for. A department's own program may hold its file that long while it
/// writes; beyond it somebody has forgotten a transaction.
const LOCK_WAIT_MS: u64 = 30_000;

/// What happens when the file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creation {
    /// It is an error: a wrong path must not become an empty store.
    Never,
    /// It counts as empty and is created by the first write.
    OnWrite,
}

#[derive(Debug)]
pub(crate) struct SqliteStore {
    address: Address,
    file: File,
}

/// The file, for use on threads of its own.
#[derive(Debug, Clone)]
struct File {
    path: PathBuf,
    creation: Creation,
}

impl SqliteStore {
    pub(crate) fn new(address: Address, path: PathBuf, creation: Creation) -> Self {
        Self {
            address,
            file: File { path, creation },
        }
    }

    /// Runs `work` on a reading connection, on a thread that may block.
    async fn with_reader<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &File) -> Result<T> + Send + 'static,
    {
        let file = self.file.clone();
        on_thread(&self.file, move || work(&file.open_reader()?, &file)).await
    }
}

/// Runs `work` on a thread that may block.
async fn on_thread<T, F>(file: &File, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ConnectorError::Interrupted {
            store: file.shown(),
        }),
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn ping(&self) -> Result<()> {
        self.with_reader(|connection, file| {
            // The header is read with the first statement, not when the file is opened.
            let answer = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
            answer.map_err(|error| file.failure("open it", "", error))
        })
        .await
    }

    async fn tables(&self) -> Result<Vec<String>> {
        self.with_reader(catalog::tables).await
    }

    async fn discover(&self, table: &str) -> Result<TableInfo> {
        let table = table.to_owned();
        self.with_reader(move |connection, file| catalog::discover(connection, file, &table))
            .await
    }

    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck> {
        let (table, key) = (table.to_owned(), key.to_vec());
        self.with_reader(move |connection, file| catalog::check_key(connection, file, &table, &key))
            .await
    }

    async fn read(&self, query: Query) -> Result<BatchStream> {
        read::read(self.file.clone(), query).await
    }

    fn prefers_key_order(&self) -> bool {
        true
    }

    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
        apply::apply(self.file.clone(), plan, changes).await
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        let consumer = consumer.to_owned();
        self.with_reader(move |connection, file| {
            if !catalog::exists(connection, file, CURSOR_TABLE)? {
                return Ok(None);
            }
            let sql = format!("SELECT cursor FROM {CURSOR_TABLE} WHERE consumer = ?1");
            let cursor = connection
                .query_row(&sql, [&consumer], |row| row.get(0))
                .optional();
            cursor.map_err(|error| file.failure("read a cursor", CURSOR_TABLE, error))
        })
        .await
    }

    async fn drop_consumer(&self, consumer: &str) -> Result<()> {
        let (file, consumer) = (self.file.clone(), consumer.to_owned());
        on_thread(&self.file, move || {
            if file.creation == Creation::OnWrite && !file.path.exists() {
                return Ok(());
            }
            let connection = file.open_writer()?;
            if !catalog::exists(&connection, &file, CURSOR_TABLE)? {
                return Ok(());
            }
            let gone = connection.execute(
                &format!("DELETE FROM {CURSOR_TABLE} WHERE consumer = ?1"),
                [&consumer],
            );
            gone.map(|_| ())
                .map_err(|error| file.failure("drop a cursor", CURSOR_TABLE, error))
        })
        .await
    }
}

impl File {
    fn shown(&self) -> String {
        Address::sqlite(&self.path).to_string()
    }

    /// A connection that can't change anything. A file that is still to be created reads as empty.
    fn open_reader(&self) -> Result<Connection> {
        if !self.path.exists() {
            return match self.creation {
                Creation::Never => Err(ConnectorError::StoreMissing {
                    store: self.shown(),
                }),
                Creation::OnWrite => Connection::open_in_memory()
                    .map_err(|error| self.failure("open an empty store", "", error)),
            };
        }
        self.connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// A connection whose commits are on disk when they return.
    fn open_writer(&self) -> Result<Connection> {
        let flags = match self.creation {
            Creation::Never if !self.path.exists() => {
                return Err(ConnectorError::StoreMissing {
                    store: self.shown(),
                });
            }
            Creation::Never => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Creation::OnWrite => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let is_new = std::fs::metadata(&self.path).map_or(true, |file| file.len() == 0);
        let connection = self.connect(&self.path, flags)?;
        if !is_new {
            set_wal(&connection)
                .map_err(|error| self.failure("prepare it for writing", "", error))?;
        }
        // FULL makes a commit survive a power cut, with whichever journal. 32 MiB of the table stay in memory, and 16 MiB of the stage, which is
        // written and read in order; its journal needs no file, since it dies with the connection.
        let settings = connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA main.cache_size = -32768; PRAGMA temp.cache_size = -16384; \
             PRAGMA temp.journal_mode = MEMORY;",
        );
        settings.map_err(|error| self.failure("prepare it for writing", "", error))?;
        Ok(connection)
    }

    /// A new file, which nobody reads yet, is first filled under SQLite's own journal: that writes each page once, where
    /// WAL writes it twice. From then on it has WAL. If somebody holds the file just now, the next writer sees to it.
    fn let_readers_go_on(&self, connection: &Connection) {
        if let Err(error) = set_wal(connection) {
            tracing::debug!(store = self.shown(), %error, "the file keeps its journal for now");
        }
    }

    fn connect(&self, path: &Path, flags: OpenFlags) -> Result<Connection> {
        let open = || {
            let connection =
                Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MS))?;
            types::add_collations(&connection)?;
            Ok(connection)
        };
        open().map_err(|error| self.failure("open it", "", error))
    }

    /// What a failure means. SQLite's messages quote names but never values; still only those of
    /// errors in SQL itself are kept.
    fn failure(&self, doing: &'static str, table: &str, error: rusqlite::Error) -> ConnectorError {
        let store = self.shown();
        let rusqlite::Error::SqliteFailure(cause, message) = error else {
            let (code, hint) = ("driver".to_owned(), String::new());
            return ConnectorError::Database {
                store,
                doing: doing.into(),
                code,
                hint,
            };
        };
        let message = message.unwrap_or_default();
        let table = table.to_owned();
        // Of the extended codes: SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE and _NOTNULL.
        match (cause.code, cause.extended_code) {
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => ConnectorError::Timeout {
                store,
                doing: doing.into(),
                waited_ms: LOCK_WAIT_MS,
            },
            (ErrorCode::CannotOpen, _) => unreachable_file(store, "the file can't be opened"),
            (ErrorCode::NotADatabase, _) => {
                unreachable_file(store, "the file is not an SQLite database")
            }
            (ErrorCode::DatabaseCorrupt, _) => unreachable_file(store, "the file is damaged"),
            (ErrorCode::SystemIoFailure, _) => unreachable_file(store, "the disk reports an error"),
            (ErrorCode::DiskFull, _) => ConnectorError::SpaceLacking { store },
            (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => {
                ConnectorError::PermissionMissing {
                    store,
                    table,
                    right: "write the file and its folder".into(),
                }
            }
            (ErrorCode::OperationInterrupted, _) => ConnectorError::Interrupted { store },
            (ErrorCode::TooBig, _) => ConnectorError::LimitPassed {
                what: "the size of a value".into(),
                limit: 1_000_000_000,
            },
            (_, 1555 | 2067) => ConnectorError::KeyDuplicates {
                table,
                duplicates: 1,
            },
            (_, 1299) => {
                let column = message
                    .rsplit_once('.')
                    .map_or("(unknown)", |(_, column)| column)
                    .to_owned();
                ConnectorError::NullRefused { table, column }
            }
            (ErrorCode::Unknown, _) => ConnectorError::Database {
                store,
                doing: doing.into(),
                code: cause.extended_code.to_string(),
                hint: format!(": {message}"),
            },
            _ => ConnectorError::Database {
                store,
                doing: doing.into(),
                code: cause.extended_code.to_string(),
                hint: String::new(),
            },
        }
    }
}

/// WAL lets readers go on beside the one big transaction of an apply.
fn set_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA journal_mode = WAL")
}

fn unreachable_file(store: String, reason: &str) -> ConnectorError {
    ConnectorError::Unreachable {
        store,
        reason: reason.to_owned(),
    }
}

/// A name as SQLite reads it whatever characters it has.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
