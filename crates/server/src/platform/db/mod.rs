//! The registry: one SQL text per query, valid on SQLite and on PostgreSQL.
//!
//! Columns are TEXT or BIGINT, flags 0/1, instants one agreed text form (`domain::time`), structures
//! JSON text. What differs between the engines lives in [`dialect`]. A write goes through [`Tx`],
//! whose only commit takes evidence; a read borrows a connection from [`Registry::read`].

pub mod agents;
pub mod change_logs;
pub mod counters;
pub mod dialect;
pub mod idempotency;
mod migrate;
pub mod nodes;
pub mod outbox;
pub mod packs;
mod places;
mod row;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
pub(crate) mod testing;
mod tx;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use sqlx::{Any, AnyPool, any::AnyPoolOptions, pool::PoolConnection};
use tokio::sync::{Notify, watch};

pub use dialect::Engine;
pub(crate) use places::in_places;
pub use places::placed;
pub use row::RowExt;
pub use sqlx::AnyConnection as Db;
pub use tx::Tx;

/// Why the registry could not answer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The engine refused or failed.
    #[error("registry: {0}")]
    Engine(#[from] sqlx::Error),
    /// A row of ours doesn't read back as what we wrote.
    #[error("registry row is broken: column {column}: {reason}")]
    BrokenRow {
        column: &'static str,
        reason: String,
    },
    /// Somebody else was faster: the row is no longer as it was read.
    #[error("the row was changed by somebody else")]
    Stale,
    /// Another post under the same `Idempotency-Key` was faster.
    #[error("another post under this key was faster")]
    KeyTaken,
    /// The address names an engine that we don't speak.
    #[error("registry address must begin with sqlite: or postgres:")]
    UnknownEngine,
    /// A folder or file of an embedded store can't be made.
    #[error("data folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The registry was written by a newer version of the product.
    #[error(
        "the registry knows migration {0}, which this version doesn't; start the newer version"
    )]
    FromTheFuture(String),
}

impl DbError {
    /// Whether the engine gave up because others wrote the same rows at the same time.
    #[must_use]
    pub fn is_collision(&self) -> bool {
        let code = match self {
            Self::Engine(sqlx::Error::Database(e)) => e.code(),
            _ => None,
        };
        // SQLSTATE: serialization failure, deadlock.
        matches!(code.as_deref(), Some("40001" | "40P01"))
    }

    /// Whether a unique constraint said no, which callers turn into their own "already there".
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Engine(sqlx::Error::Database(e)) if e.is_unique_violation())
    }
}

/// The store of people, catalogue, cases, grants and jobs.
#[derive(Debug)]
pub struct Registry {
    engine: Engine,
    writers: AnyPool,
    readers: AnyPool,
    committed: Arc<Notify>,
    written: watch::Sender<u64>,
    node_id: OnceLock<String>,
}

impl Registry {
    /// Opens the registry at `url` (`sqlite:PATH` or `postgres://...`) and brings its schema up to date.
    ///
    /// Errors: [`DbError`] if it can't be reached, or was written by a newer version.
    pub async fn open(url: &str, readers_max: u32) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of(url)?;
        let (writers, readers) = match engine {
            Engine::Sqlite => open_sqlite(url, readers_max).await?,
            Engine::Postgres => {
                let pool = AnyPoolOptions::new()
                    .max_connections(readers_max + 2)
                    .connect(url)
                    .await?;
                (pool.clone(), pool)
            }
        };
        let registry = Self {
            engine,
            writers,
            readers,
            committed: Arc::new(Notify::new()),
            written: watch::Sender::new(0),
            node_id: OnceLock::new(),
        };
        migrate::run(&registry).await?;
        Ok(registry)
    }

    /// From here on whatever is committed here is evidence of this node, which alone writes it into its ledger. What
    /// nobody has as its own yet becomes this node's too.
    ///
    /// Errors: [`DbError`].
    pub async fn work_for(&self, node_id: &str) -> Result<(), DbError> {
        outbox::adopt(self, node_id).await?;
        // A registry is opened by one node.
        self.node_id.get_or_init(|| node_id.to_owned());
        Ok(())
    }

    /// The node that works here; empty before [`Registry::work_for`].
    #[must_use]
    pub fn node_id(&self) -> &str {
        self.node_id.get().map_or("", String::as_str)
    }

    /// Which engine holds the registry.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Borrows a connection for reading.
    pub async fn read(&self) -> Result<PoolConnection<Any>, DbError> {
        Ok(self.readers.acquire().await?)
    }

    /// Begins a write. On SQLite it holds the one writer from here on, so keep it short.
    pub async fn begin(&self, at: jiff::Timestamp) -> Result<Tx, DbError> {
        let inner = match self.engine {
            Engine::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writers.begin().await?,
        };
        Ok(Tx::new(
            inner,
            at,
            self.node_id.get().cloned(),
            self.committed.clone(),
            self.written.clone(),
        ))
    }

    /// Told each time a write has been committed; the ledger's sequencer waits on it.
    #[must_use]
    pub fn committed(&self) -> Arc<Notify> {
        self.committed.clone()
    }

    /// Counts the writes that were committed here. Unlike [`Registry::committed`] it never misses one that
    /// happened while its holder was busy.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.writers.close().await;
        self.readers.close().await;
    }
}

async fn open_sqlite(url: &str, readers_max: u32) -> Result<(AnyPool, AnyPool), DbError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    if let Some(folder) = Path::new(path).parent() {
        std::fs::create_dir_all(folder)?;
    }
    let url = format!("sqlite:{path}?mode=rwc");
    let options = || {
        AnyPoolOptions::new().after_connect(|db, _| {
            Box::pin(async move {
                sqlx::raw_sql(dialect::SQLITE_PRAGMAS).execute(db).await?;
                Ok(())
            })
        })
    };
    let writers = options().max_connections(1).connect(&url).await?;
    let readers = options().max_connections(readers_max).connect(&url).await?;
    Ok((writers, readers))
}
