//! PostgreSQL, and databases that speak its protocol.
//!
//! Each call has a session to itself. One that ended well leaves it to the next call ([`kept`]); a session that is
//! dropped in the middle is cut off, and the server undoes what it had begun.

mod apply;
mod binary;
mod catalog;
mod kept;
mod log;
mod read;
mod sums;
pub(crate) mod types;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::DbError;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use self::kept::Kept;
use crate::store::CURSOR_TABLE;
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ChangeLog, ConnectorError, KeyCheck, LogPosition,
    LogQuery, LogState, Query, Result, Snapshot, Store, TableInfo,
};

/// How long a connection may take to come about: long enough for a distant county's line.
const CONNECT_WAIT_MS: u64 = 10_000;

/// How long a lock is waited for: an officer's open transaction shouldn't hold up a run for ever.
const LOCK_WAIT_MS: u64 = 30_000;

/// A peer that answers no probe for so long is gone.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Quiet time after which the peer is probed.
const PROBE_AFTER: Duration = Duration::from_secs(30);

/// The longest name in bytes; the server would cut a longer one without a word.
const NAME_BYTES_MAX: usize = 63;

#[derive(Clone)]
pub(crate) struct PostgresStore {
    address: Address,
    config: Config,
    kept: Kept,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresStore({})", self.address)
    }
}

impl PostgresStore {
    pub(crate) fn new(address: Address) -> Result<Self> {
        let invalid = |reason: &str| ConnectorError::AddressInvalid {
            reason: reason.to_owned(),
        };
        let mut config = Config::from_str(address.reveal())
            .map_err(|_| invalid("PostgreSQL's driver can't read it"))?;
        if matches!(config.get_ssl_mode(), SslMode::Require) {
            return Err(invalid(
                "sslmode=require is not available; use a protected network",
            ));
        }
        config
            .application_name("tongqu")
            .connect_timeout(Duration::from_millis(CONNECT_WAIT_MS))
            .keepalives_idle(PROBE_AFTER)
            .tcp_user_timeout(SILENCE_MAX);
        Ok(Self {
            address,
            config,
            kept: Kept::default(),
        })
    }

    /// A kept session, or a new one.
    async fn session(&self) -> Result<Session> {
        if let Some(session) = self.kept.take().await {
            return Ok(session);
        }
        let store = self.address.to_string();
        let connected = self.config.connect(NoTls).await;
        let (client, connection) =
            connected.map_err(|error| connect_failure(store.clone(), &error))?;
        let driver = tokio::spawn(async move {
            // Whatever breaks the connection fails the call that waits for it, which tells it.
            let _ = connection.await;
        });
        let session = Session {
            store,
            client,
            driver: Driver(Some(driver)),
            statements: Mutex::default(),
        };
        let settings = format!(
            "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; \
             SET extra_float_digits = 3; SET lc_monetary = 'C'; SET lock_timeout = {LOCK_WAIT_MS}; SET statement_timeout = 0; \
             SET client_min_messages = warning"
        );
        session.run(&settings, "prepare the session", "").await?;
        Ok(session)
    }

    /// Keeps the session of a call that ended well.
    fn done<T>(&self, session: Session, outcome: Result<T>) -> Result<T> {
        if outcome.is_ok() {
            self.kept.keep(session);
        }
        outcome
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn ping(&self) -> Result<()> {
        let session = self.session().await?;
        let answered = session.run("SELECT 1", "answer", "").await;
        self.done(session, answered)
    }

    async fn tables(&self) -> Result<Vec<String>> {
        let session = self.session().await?;
        let tables = catalog::tables(&session).await;
        self.done(session, tables)
    }

    async fn discover(&self, table: &str) -> Result<TableInfo> {
        let session = self.session().await?;
        let info = catalog::discover(&session, table).await;
        self.done(session, info)
    }

    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck> {
        let session = self.session().await?;
        let check = catalog::check_key(&session, table, key).await;
        self.done(session, check)
    }

    async fn read(&self, query: Query) -> Result<BatchStream> {
        query.check()?;
        read::read(self, query).await
    }

    async fn snapshot(&self, query: Query, key: &[String]) -> Result<Option<Box<dyn Snapshot>>> {
        query.check()?;
        sums::snapshot(self, query, key).await
    }

    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
        plan.check()?;
        apply::apply(self, plan, changes).await
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        let session = self.session().await?;
        let cursor = session.cursor(consumer).await;
        self.done(session, cursor)
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

    async fn drop_consumer(&self, consumer: &str) -> Result<()> {
        let session = self.session().await?;
        if catalog::find_table(&session, CURSOR_TABLE).await?.is_none() {
            return Ok(());
        }
        let sql = format!("DELETE FROM {CURSOR_TABLE} WHERE consumer = $1");
        session
            .execute(&sql, &[&consumer], "drop a cursor", CURSOR_TABLE)
            .await
            .map(|_| ())
    }
}

/// A connection and the task that drives it. Dropped, it is cut off at once.
struct Session {
    store: String,
    client: Client,
    #[expect(dead_code, reason = "held for what its drop does")]
    driver: Driver,
    /// What was prepared here, by its SQL.
    statements: Mutex<HashMap<String, Statement>>,
}

/// Statements that a session keeps prepared.
const STATEMENTS_MAX: usize = 128;

/// Ends the task with the session: a result that nobody reads any more isn't sent to its end.
struct Driver(Option<JoinHandle<()>>);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

impl Session {
    /// Runs statements without parameters or results.
    async fn run(&self, sql: &str, doing: &'static str, table: &str) -> Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|error| self.failure(doing, table, &error))
    }

    /// Runs a statement and gives back how many rows it changed.
    async fn execute(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
        table: &str,
    ) -> Result<u64> {
        let done = match self.prepared(sql).await {
            Ok(statement) => self.client.execute(&statement, values).await,
            Err(error) => Err(error),
        };
        done.map_err(|error| self.failure(doing, table, &error))
    }

    /// The statement, prepared once for the session. The types of its results have to be the same whatever becomes
    /// of the tables in it.
    async fn prepared(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let known = |held: &Mutex<HashMap<String, Statement>>| {
            let held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(sql).cloned()
        };
        if let Some(statement) = known(&self.statements) {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        let held = self.statements.lock();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        if held.len() >= STATEMENTS_MAX {
            held.clear();
        }
        held.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn rows(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
        table: &str,
    ) -> Result<Vec<Row>> {
        let rows = match self.prepared(sql).await {
            Ok(statement) => self.client.query(&statement, values).await,
            Err(error) => Err(error),
        };
        rows.map_err(|error| self.failure(doing, table, &error))
    }

    /// The only value of the only row, a count.
    async fn count(&self, sql: &str, doing: &'static str, table: &str) -> Result<u64> {
        let rows = self.rows(sql, &[], doing, table).await?;
        let count: Option<i64> = rows.first().and_then(|row| row.try_get(0).ok());
        Ok(count.expect("a count always has one row").unsigned_abs())
    }

    /// Breaks off what the server is doing, from beside it: it wouldn't notice by itself before it
    /// has something to send.
    fn cut(self) {
        tokio::spawn(async move {
            let _ = self.client.cancel_token().cancel_query(NoTls).await;
            drop(self);
        });
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        if catalog::find_table(self, CURSOR_TABLE).await?.is_none() {
            return Ok(None);
        }
        let sql = format!("SELECT cursor FROM {CURSOR_TABLE} WHERE consumer = $1");
        let rows = self
            .rows(&sql, &[&consumer], "read a cursor", CURSOR_TABLE)
            .await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// What a failure means. The server's texts quote values, so only those about the SQL itself,
    /// which holds none, are kept.
    fn failure(
        &self,
        doing: &'static str,
        table: &str,
        error: &tokio_postgres::Error,
    ) -> ConnectorError {
        let store = self.store.clone();
        match error.as_db_error() {
            Some(said) => said_failure(store, doing, table, Said::of(said)),
            None if error.is_closed() || is_io(error) => ConnectorError::Unreachable {
                store,
                reason: "the connection broke".to_owned(),
            },
            None => ConnectorError::Database {
                store,
                doing: doing.into(),
                code: "driver".to_owned(),
                hint: String::new(),
            },
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// An error of the server, by whichever connection it came.
#[derive(Clone, Copy)]
struct Said<'a> {
    code: &'a str,
    message: &'a str,
    column: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn of(error: &'a DbError) -> Self {
        Self {
            code: error.code().code(),
            message: error.message(),
            column: error.column(),
        }
    }
}

fn said_failure(store: String, doing: &'static str, table: &str, said: Said<'_>) -> ConnectorError {
    let (table, code) = (table.to_owned(), said.code);
    let column = || said.column.unwrap_or("(unknown)").to_owned();
    let value = |reason: &str| ConnectorError::ValueRefused {
        table: table.clone(),
        column: column(),
        reason: reason.to_owned(),
    };
    match code {
        "42P01" => ConnectorError::TableMissing { table },
        "42501" => ConnectorError::PermissionMissing {
            store,
            table,
            right: "read and change it".into(),
        },
        // The second: two staged rows meet one row of a table whose collation folds them.
        "23505" | "21000" => ConnectorError::KeyDuplicates {
            table,
            duplicates: 1,
        },
        "23502" => ConnectorError::NullRefused {
            table,
            column: column(),
        },
        // A generated column or identity; only the message names it. COPY has a code of its own for the former.
        code @ ("428C9" | "42P10") if code == "428C9" || said.message.contains('"') => {
            let column = said.message.split('"').nth(1).unwrap_or("(unknown)");
            let reason = "the database computes it itself, so nothing can be written there";
            ConnectorError::type_refused(&table, column, reason)
        }
        "22001" => value("it is longer than the column"),
        "22003" => value("it is out of the column's range"),
        "22P02" => value("it isn't what the column's type takes"),
        "22021" | "22P05" => value("it has a character that the database's encoding lacks"),
        "22008" | "22007" => value("it is a date or time beyond the column's range"),
        "54000" => value("it is too long for an index"),
        // Locks, cancellation, deadlock, serialisation: all of them pass.
        "55P03" | "57014" | "40001" | "40P01" => ConnectorError::Timeout {
            store,
            doing: doing.into(),
            waited_ms: LOCK_WAIT_MS,
        },
        "53100" => ConnectorError::SpaceLacking { store },
        _ if code.starts_with("28") => ConnectorError::LoginRefused { store },
        _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
            ConnectorError::Unreachable {
                store,
                reason: said.message.to_owned(),
            }
        }
        _ => {
            let quotes_no_value = code.starts_with("42") || code.starts_with("0A");
            let hint = if quotes_no_value {
                format!(": {}", said.message)
            } else {
                String::new()
            };
            ConnectorError::Database {
                store,
                doing: doing.into(),
                code: code.to_owned(),
                hint,
            }
        }
    }
}

fn connect_failure(store: String, error: &tokio_postgres::Error) -> ConnectorError {
    if let Some(said) = error.as_db_error() {
        return match said.code().code() {
            "3D000" => ConnectorError::StoreMissing { store },
            _ => said_failure(store, "connect", "", Said::of(said)),
        };
    }
    let source = std::error::Error::source(error).map(ToString::to_string);
    let reason = source.unwrap_or_else(|| error.to_string());
    if error.to_string().contains("password missing") {
        return ConnectorError::LoginRefused { store };
    }
    ConnectorError::Unreachable { store, reason }
}

/// A name as PostgreSQL reads it whatever characters it has.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `table` or `schema.table`, quoted.
fn quoted_table(table: &str) -> String {
    match table.split_once('.') {
        Some((schema, table)) => format!("{}.{}", quoted(schema), quoted(table)),
        None => quoted(table),
    }
}
