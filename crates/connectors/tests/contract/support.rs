//! What the contract's tests stand on: a store of their own, and rows written down shortly.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use mysql_async::prelude::Queryable;
use tempfile::TempDir;
use tongqu_connectors::rows::{BatchBuilder, Op, Rows};
use tongqu_connectors::{
    Applied, ApplyPlan, BatchStream, ConnectorError, Query, RecordBatch, Store, Value,
};
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use crate::agent::Link;

/// Which engine a test runs on, for the few places where SQL itself differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    Mysql,
}

/// A store of one test's own, empty at first.
pub struct Bench {
    pub engine: Engine,
    /// Whether the store is reached through ODBC; `url` is then the engine's own address all the same.
    pub is_through_odbc: bool,
    pub url: String,
    pub store: Arc<dyn Store>,
    _dir: Option<TempDir>,
    _link: Option<Link>,
}

impl Bench {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("store.db").display());
        let store = tongqu_connectors::open_or_create(&url).unwrap();
        Self {
            engine: Engine::Sqlite,
            is_through_odbc: false,
            url,
            store,
            _dir: Some(dir),
            _link: None,
        }
    }

    /// A SQLite file through ODBC, where a file has to be there.
    #[cfg(feature = "odbc")]
    pub async fn odbc_sqlite() -> Self {
        let mut bench = Self::sqlite().await;
        bench.sql("PRAGMA journal_mode = WAL").await;
        bench.is_through_odbc = true;
        bench.store = tongqu_connectors::open(&bench.address(&bench.url)).unwrap();
        bench
    }

    #[cfg(feature = "odbc")]
    pub async fn odbc_postgres() -> Self {
        let mut bench = Self::postgres().await;
        bench.is_through_odbc = true;
        bench.store = tongqu_connectors::open(&bench.address(&bench.url)).unwrap();
        bench
    }

    /// The address by which a store of this test is opened that the engine itself has at `url`.
    pub fn address(&self, url: &str) -> String {
        if !self.is_through_odbc {
            return url.to_owned();
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            return format!("odbc:Driver={{SQLite3}};Database={path};");
        }
        let (_, rest) = url.split_once("://").unwrap();
        let (login, place) = rest.rsplit_once('@').unwrap();
        let ((user, password), (host, database)) = (
            login.split_once(':').unwrap(),
            place.split_once('/').unwrap(),
        );
        let (host, port) = host.split_once(':').unwrap();
        format!(
            "odbc:Driver={{PostgreSQL Unicode}};Server={host};Port={port};Database={database};Uid={user};Pwd={{{password}}};"
        )
    }

    pub async fn postgres() -> Self {
        let url = tongqu_connectors::testing::postgres()
            .fresh_database()
            .unwrap();
        let store = tongqu_connectors::open(&url).unwrap();
        Self {
            engine: Engine::Postgres,
            is_through_odbc: false,
            url,
            store,
            _dir: None,
            _link: None,
        }
    }

    pub async fn mysql() -> Self {
        Self::mysql_on(tongqu_connectors::testing::mariadb())
    }

    pub fn mysql_on(server: &tongqu_connectors::testing::TestServer) -> Self {
        let url = server.fresh_database().unwrap();
        let store = tongqu_connectors::open(&url).unwrap();
        Self {
            engine: Engine::Mysql,
            is_through_odbc: false,
            url,
            store,
            _dir: None,
            _link: None,
        }
    }

    /// The SQLite store, reached through an agent.
    pub async fn agent_with_sqlite() -> Self {
        Self::sqlite().await.behind_agent().await
    }

    /// The PostgreSQL store, reached through an agent.
    pub async fn agent_with_postgres() -> Self {
        Self::postgres().await.behind_agent().await
    }

    async fn behind_agent(self) -> Self {
        let link = Link::to(self.store.clone()).await;
        Self {
            store: link.store.clone(),
            _link: Some(link),
            ..self
        }
    }

    /// Runs SQL beside the store, through the engine's own client.
    pub async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap();
    }

    pub async fn try_sql(&self, sql: &str) -> Result<(), String> {
        match self.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(&self.url["sqlite:".len()..]).unwrap();
                connection
                    .busy_timeout(std::time::Duration::from_secs(20))
                    .unwrap();
                connection
                    .execute_batch(sql)
                    .map_err(|error| error.to_string())
            }
            Engine::Postgres => {
                let done = self.postgres_client().await.batch_execute(sql).await;
                done.map_err(|error| error.as_db_error().unwrap().message().to_owned())
            }
            Engine::Mysql => {
                let opts = mysql_async::Opts::from_url(&self.url).unwrap();
                let mut conn = mysql_async::Conn::new(opts).await.unwrap();
                let done = conn.query_drop(sql).await;
                conn.disconnect().await.unwrap();
                done.map_err(|error| error.to_string())
            }
        }
    }

    /// The same store for another task; the folder of a file stays with this one.
    pub fn beside(&self) -> Self {
        Self {
            engine: self.engine,
            is_through_odbc: self.is_through_odbc,
            url: self.url.clone(),
            store: self.store.clone(),
            _dir: None,
            _link: None,
        }
    }

    /// Cuts off every other connection to this test's database, as a failing network or an
    /// administrator would.
    pub async fn cut_others(&self) {
        match self.engine {
            Engine::Sqlite => unreachable!("a file has no connections"),
            Engine::Postgres => {
                self.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .await;
            }
            Engine::Mysql => {
                let opts = mysql_async::Opts::from_url(&self.url).unwrap();
                let mut conn = mysql_async::Conn::new(opts).await.unwrap();
                let others: Vec<u64> = conn
                    .query(
                        "SELECT id FROM information_schema.processlist \
                         WHERE db = database() AND id <> connection_id()",
                    )
                    .await
                    .unwrap();
                for other in others {
                    let killed = conn.query_drop(format!("KILL {other}")).await;
                    // One that is ending by itself may be gone by now.
                    let is_gone =
                        |error: &mysql_async::Error| error.to_string().contains("Unknown thread");
                    assert!(killed.as_ref().err().is_none_or(is_gone), "{killed:?}");
                }
                conn.disconnect().await.unwrap();
            }
        }
    }

    pub async fn postgres_client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// All rows of a table, ordered by these columns.
    pub async fn rows(
        &self,
        table: &str,
        columns: &[Column],
        order_by: &[&str],
    ) -> Vec<Vec<Value>> {
        self.query(Query::all(table, columns.to_vec()).ordered_by(order_by))
            .await
            .unwrap()
    }

    /// All rows of a query, or the first error, whether it comes at once or in the stream.
    pub async fn query(&self, query: Query) -> Result<Vec<Vec<Value>>, ConnectorError> {
        collect(self.store.read(query).await?).await
    }

    pub async fn apply(
        &self,
        plan: &ApplyPlan,
        rows: &[Vec<Value>],
    ) -> Result<Applied, ConnectorError> {
        self.store
            .apply(plan.clone(), upserts(&plan.columns, rows))
            .await
    }
}

pub async fn collect(mut stream: BatchStream) -> Result<Vec<Vec<Value>>, ConnectorError> {
    let mut all = Vec::new();
    while let Some(batch) = stream.next().await {
        all.extend(values_of(&batch?));
    }
    Ok(all)
}

pub fn values_of(batch: &RecordBatch) -> Vec<Vec<Value>> {
    let rows = Rows::new(batch).unwrap();
    let width = rows.columns().len();
    (0..rows.len())
        .map(|row| {
            (0..width)
                .map(|column| rows.value(row, column).into())
                .collect()
        })
        .collect()
}

pub fn column(name: &str, column_type: ColumnType) -> Column {
    Column {
        name: name.to_owned(),
        column_type,
        nullable: true,
    }
}

pub fn key_column(name: &str, column_type: ColumnType) -> Column {
    Column {
        name: name.to_owned(),
        column_type,
        nullable: false,
    }
}

pub const TEXT: ColumnType = ColumnType::Text { chars_max: None };

pub fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// `id` (text key of at most 12 characters), `name`, `size`.
pub fn places() -> Vec<Column> {
    vec![
        key_column(
            "id",
            ColumnType::Text {
                chars_max: Some(12),
            },
        ),
        column("name", TEXT),
        column("size", ColumnType::Int64),
    ]
}

pub fn place(id: &str, name: &str, size: i64) -> Vec<Value> {
    vec![text(id), text(name), Value::Int(size)]
}

/// A plan for the table `place` on behalf of `consumer`.
pub fn plan(cursor: i64) -> ApplyPlan {
    ApplyPlan::new("place", places(), &["id"], "consumer", cursor, "run-1")
}

fn borrowed(row: &[Value]) -> Vec<ValueRef<'_>> {
    row.iter().map(Value::as_ref).collect()
}

pub fn upsert_batch(columns: &[Column], rows: &[Vec<Value>]) -> RecordBatch {
    let mut builder = BatchBuilder::for_changes(columns);
    for row in rows {
        builder.push_change(Op::Upsert, &borrowed(row)).unwrap();
    }
    builder.finish()
}

pub fn upserts(columns: &[Column], rows: &[Vec<Value>]) -> BatchStream {
    batches(vec![Ok(upsert_batch(columns, rows))])
}

pub fn changes(columns: &[Column], rows: &[(Op, Vec<Value>)]) -> BatchStream {
    let mut builder = BatchBuilder::for_changes(columns);
    for (op, row) in rows {
        builder.push_change(*op, &borrowed(row)).unwrap();
    }
    batches(vec![Ok(builder.finish())])
}

pub fn batches(batches: Vec<Result<RecordBatch, ConnectorError>>) -> BatchStream {
    stream::iter(batches).boxed()
}
