//! MySQL, MariaDB, and databases that speak their protocol.
//!
//! Values are read in the binary form of prepared statements, so that no text form rounds a number or
//! shifts a time, and written as texts of all their digits, in UTC. DDL ends a transaction there, so
//! tables are created before it.

mod apply;
mod catalog;
mod log;
mod read;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder, Params, Row, ServerError};

use crate::store::CURSOR_TABLE;
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ChangeLog, ConnectorError, KeyCheck, LogPosition,
    LogQuery, LogState, Query, Result, Store, TableInfo,
};

/// How long a connection may take to come about: long enough for a distant county's line.
const CONNECT_WAIT_MS: u64 = 10_000;

/// How long a lock is waited for: an officer's open transaction shouldn't hold up a run for ever.
const LOCK_WAIT_MS: u64 = 30_000;

/// Quiet time after which the peer is probed.
const PROBE_AFTER: Duration = Duration::from_secs(30);

/// How long the server waits for a slow reader or between two statements: a working day.
const PATIENCE_S: u32 = 28_800;

/// The longest key that the server indexes, in bytes: texts are sorted at least that far.
const KEY_BYTES_MAX: u32 = 3_072;

#[derive(Clone)]
pub(crate) struct MysqlStore {
    address: Address,
    opts: Opts,
    /// How far each consumer is in the log: the server knows nothing of it.
    logs: Arc<Mutex<HashMap<String, Progress>>>,
}

/// How far a consumer is.
#[derive(Clone, Copy)]
struct Progress {
    confirmed: LogPosition,
    /// The second, since 1970, of the last event that it was sent.
    changed: u64,
}

impl std::fmt::Debug for MysqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MysqlStore({})", self.address)
    }
}

impl MysqlStore {
    pub(crate) fn new(address: Address) -> Result<Self> {
        let invalid = |reason: &str| ConnectorError::AddressInvalid {
            reason: reason.to_owned(),
        };
        let opts = Opts::from_url(address.reveal())
            .map_err(|_| invalid("MySQL's driver can't read it"))?;
        if opts.db_name().is_none_or(str::is_empty) {
            return Err(invalid("it names no database"));
        }
        let opts = OptsBuilder::from_opts(opts)
            // The address decides, not what the server says of itself.
            .prefer_socket(false)
            .tcp_keepalive(Some(PROBE_AFTER))
            .into();
        Ok(Self {
            address,
            opts,
            logs: Arc::default(),
        })
    }

    async fn session(&self) -> Result<Session> {
        self.session_with(self.opts.clone()).await
    }

    async fn session_with(&self, opts: Opts) -> Result<Session> {
        let store = self.address.to_string();
        let connected =
            tokio::time::timeout(Duration::from_millis(CONNECT_WAIT_MS), Conn::new(opts)).await;
        let Ok(conn) = connected else {
            let reason = format!("no answer within {CONNECT_WAIT_MS} ms");
            return Err(ConnectorError::Unreachable { store, reason });
        };
        let conn = conn.map_err(|error| failure(&store, "connect", "", &error))?;
        let mut session = Session {
            store,
            conn,
            opts: self.opts.clone(),
        };
        let lock_wait_s = LOCK_WAIT_MS / 1_000;
        // Strict: what a column can't hold is an error, not another value, and where it still isn't one, it is
        // warned of. Zero is a key like any other.
        let settings = format!(
            "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
             NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', \
             time_zone = '+00:00', innodb_lock_wait_timeout = {lock_wait_s}, \
             lock_wait_timeout = {lock_wait_s}, net_write_timeout = {PATIENCE_S}, \
             net_read_timeout = {PATIENCE_S}, wait_timeout = {PATIENCE_S}, \
             max_sort_length = {KEY_BYTES_MAX}, sql_select_limit = DEFAULT, \
             sql_notes = 1, max_error_count = 64"
        );
        session
            .run("SET NAMES utf8mb4", "prepare the session", "")
            .await?;
        session.run(&settings, "prepare the session", "").await?;
        Ok(session)
    }
}

#[async_trait]
impl Store for MysqlStore {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn ping(&self) -> Result<()> {
        self.session().await?.run("DO 1", "answer", "").await
    }

    async fn tables(&self) -> Result<Vec<String>> {
        catalog::tables(&mut self.session().await?).await
    }

    async fn discover(&self, table: &str) -> Result<TableInfo> {
        catalog::discover(&mut self.session().await?, table).await
    }

    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck> {
        catalog::check_key(&mut self.session().await?, table, key).await
    }

    async fn read(&self, query: Query) -> Result<BatchStream> {
        query.check()?;
        read::read(self.session().await?, query).await
    }

    fn prefers_key_order(&self) -> bool {
        true
    }

    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
        plan.check()?;
        apply::apply(self.session().await?, plan, changes).await
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        self.session().await?.cursor(consumer, Locking::None).await
    }

    async fn drop_consumer(&self, consumer: &str) -> Result<()> {
        let mut session = self.session().await?;
        if catalog::find_table(&mut session, CURSOR_TABLE)
            .await?
            .is_none()
        {
            return Ok(());
        }
        let sql = format!("DELETE FROM {CURSOR_TABLE} WHERE consumer = ?");
        session
            .execute(&sql, (consumer,), "drop a cursor", CURSOR_TABLE)
            .await
            .map(|_| ())
    }

    async fn open_log(
        &self,
        query: LogQuery,
        after: Option<LogPosition>,
    ) -> Result<Box<dyn ChangeLog>> {
        Ok(Box::new(log::open(self, query, after).await?))
    }

    async fn check_log(&self, query: &LogQuery) -> Result<()> {
        log::check(self, query).await
    }

    async fn log_state(&self, consumer: &str) -> Result<LogState> {
        log::state(self, consumer).await
    }

    async fn drop_log(&self, consumer: &str) -> Result<()> {
        log::drop_log(self, consumer).await
    }
}

/// Whether a row that is read is kept from others until the transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Locking {
    None,
    ForUpdate,
}

/// A connection of one call.
struct Session {
    store: String,
    conn: Conn,
    opts: Opts,
}

impl Session {
    fn failure(&self, doing: &'static str, table: &str, error: &Error) -> ConnectorError {
        failure(&self.store, doing, table, error)
    }

    /// Runs a statement without parameters or results.
    async fn run(&mut self, sql: &str, doing: &'static str, table: &str) -> Result<()> {
        let done = self.conn.query_drop(sql).await;
        done.map_err(|error| self.failure(doing, table, &error))
    }

    /// Runs a statement and gives back how many rows it changed.
    async fn execute(
        &mut self,
        sql: &str,
        values: impl Into<Params> + Send,
        doing: &'static str,
        table: &str,
    ) -> Result<u64> {
        let done = self.conn.exec_drop(sql, values.into()).await;
        done.map_err(|error| self.failure(doing, table, &error))?;
        Ok(self.conn.affected_rows())
    }

    async fn rows(
        &mut self,
        sql: &str,
        values: impl Into<Params> + Send,
        doing: &'static str,
        table: &str,
    ) -> Result<Vec<Row>> {
        let rows = self.conn.exec(sql, values.into()).await;
        rows.map_err(|error| self.failure(doing, table, &error))
    }

    async fn cursor(&mut self, consumer: &str, locking: Locking) -> Result<Option<i64>> {
        if catalog::find_table(self, CURSOR_TABLE).await?.is_none() {
            return Ok(None);
        }
        let lock = if locking == Locking::ForUpdate {
            " FOR UPDATE"
        } else {
            ""
        };
        let sql = format!("SELECT `cursor` FROM {CURSOR_TABLE} WHERE consumer = ?{lock}");
        let rows = self
            .rows(&sql, (consumer,), "read a cursor", CURSOR_TABLE)
            .await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// Breaks the connection off without reading its result to the end, from beside it.
    fn cut(self) {
        tokio::spawn(async move {
            let id = self.conn.id();
            if let Ok(mut beside) = Conn::new(self.opts.clone()).await {
                let _ = beside.query_drop(format!("KILL {id}")).await;
                let _ = beside.disconnect().await;
            }
            drop(self);
        });
    }
}

/// What a failure means. The server's texts quote values, so only the column's name is taken out of
/// them, and the whole text only where it speaks of SQL, which holds no values.
fn failure(store: &str, doing: &'static str, table: &str, error: &Error) -> ConnectorError {
    let store = store.to_owned();
    match error {
        Error::Server(said) => said_failure(store, doing, table, said),
        Error::Io(IoError::Io(cause)) => ConnectorError::Unreachable {
            store,
            reason: cause.to_string(),
        },
        Error::Driver(DriverError::ConnectionClosed) => ConnectorError::Unreachable {
            store,
            reason: "the connection broke".to_owned(),
        },
        _ => ConnectorError::Database {
            store,
            doing: doing.into(),
            code: "driver".to_owned(),
            hint: String::new(),
        },
    }
}

fn said_failure(
    store: String,
    doing: &'static str,
    table: &str,
    said: &ServerError,
) -> ConnectorError {
    let table = table.to_owned();
    let column = || column_in(&said.message).unwrap_or("(unknown)").to_owned();
    let value = |reason: &str| ConnectorError::ValueRefused {
        table: table.clone(),
        column: column(),
        reason: reason.to_owned(),
    };
    match said.code {
        1044 | 1045 | 1130 | 1698 => ConnectorError::LoginRefused { store },
        1049 => ConnectorError::StoreMissing { store },
        1146 => ConnectorError::TableMissing { table },
        1142 | 1143 | 1227 => ConnectorError::PermissionMissing {
            store,
            table,
            right: "read and change it".into(),
        },
        1062 | 1586 => ConnectorError::KeyDuplicates {
            table,
            duplicates: 1,
        },
        1048 | 1263 | 1364 => ConnectorError::NullRefused {
            table,
            column: column(),
        },
        1406 => value("it is longer than the column"),
        1264 => value("it is out of the column's range"),
        1366 | 3988 | 1977 => value("it has a character that the column's character set lacks"),
        1292 | 1265 | 1411 => value("the column can't hold it unchanged"),
        // Lock waits, deadlock, time limits: all of them pass.
        1205 | 1213 | 3024 | 1969 => ConnectorError::Timeout {
            store,
            doing: doing.into(),
            waited_ms: LOCK_WAIT_MS,
        },
        1021 | 1114 => ConnectorError::SpaceLacking { store },
        1153 => ConnectorError::LimitPassed {
            what: "a row's size in bytes (max_allowed_packet of the server)".into(),
            limit: 16 * 1024 * 1024,
        },
        1040 | 1203 => ConnectorError::Unreachable {
            store,
            reason: "too many connections".to_owned(),
        },
        1053 | 1317 | 1927 | 1077 | 1079 => ConnectorError::Unreachable {
            store,
            reason: "the server broke it off".to_owned(),
        },
        code => {
            // Syntax, unknown column, collations, key and row sizes.
            let quotes_no_value = matches!(code, 1064 | 1054 | 1267 | 1069 | 1071 | 1118 | 1170);
            let hint = if quotes_no_value {
                format!(": {}", said.message)
            } else {
                String::new()
            };
            ConnectorError::Database {
                store,
                doing: doing.into(),
                code: code.to_string(),
                hint,
            }
        }
    }
}

/// The column that a message names: `... column 'name' ...` or `... column `db`.`table`.`name` ...`.
fn column_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("olumn ")?;
    let quote = rest
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '`'))?;
    let name = rest.split(' ').next()?.trim_end_matches(',');
    let inner = name.strip_prefix(quote)?.strip_suffix(quote)?;
    inner.rsplit("`.`").next()
}

/// A name as MySQL reads it whatever characters it has.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `table` or `database.table`, quoted.
fn quoted_table(table: &str) -> String {
    match table.split_once('.') {
        Some((database, table)) => format!("{}.{}", quoted(database), quoted(table)),
        None => quoted(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_column_is_taken_out_of_a_message() {
        assert_eq!(
            column_in("Data too long for column 'name' at row 1"),
            Some("name")
        );
        let quoting = r"Incorrect string value: '\xF0\x9F' for column `db`.`place`.`name` at row 3";
        assert_eq!(column_in(quoting), Some("name"));
        assert_eq!(column_in("Column 'name' cannot be null"), Some("name"));
        assert_eq!(column_in("Duplicate entry 'x' for key 'PRIMARY'"), None);
    }
}
