//! Signs of life: of the nodes, and of the departments' exchange stores.

use jiff::Timestamp;
use tongqu_domain::{ids::StoreId, time::instant_text};

use super::{Db, DbError, RowExt as _, Tx};

/// A node as it last said of itself. Instants are the machine's, not the demo clock's.
#[derive(Debug, Clone)]
pub struct Node {
    pub id: String,
    pub version: String,
    pub started_at: Timestamp,
    pub beat_at: Timestamp,
    /// When it stopped in order; a node that died has none.
    pub stopped_at: Option<Timestamp>,
    /// `sqlite` or `postgres`.
    pub registry_engine: String,
    pub registry_latency_us: i64,
    /// Bytes of the file system that holds the data folder; `None` where it can't be told.
    pub disk_free: Option<i64>,
    pub disk_total: Option<i64>,
    /// Jobs that its workers hold.
    pub jobs_running: i64,
    /// Open streams of changes.
    pub streams: i64,
    /// Records under its last signed head.
    pub ledger_size: i64,
    pub ledger_root: Option<String>,
    pub ledger_at: Option<Timestamp>,
}

/// Keeps what a node says of itself.
pub async fn save(tx: &mut Tx, node: &Node) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO nodes (id, version, started_at, beat_at, stopped_at, registry_engine, registry_latency_us, \
         disk_free, disk_total, jobs_running, streams, ledger_size, ledger_root, ledger_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, started_at = excluded.started_at, \
         beat_at = excluded.beat_at, stopped_at = excluded.stopped_at, registry_engine = excluded.registry_engine, \
         registry_latency_us = excluded.registry_latency_us, disk_free = excluded.disk_free, \
         disk_total = excluded.disk_total, jobs_running = excluded.jobs_running, streams = excluded.streams, \
         ledger_size = excluded.ledger_size, ledger_root = excluded.ledger_root, ledger_at = excluded.ledger_at",
    )
    .bind(node.id.clone())
    .bind(node.version.clone())
    .bind(instant_text(node.started_at))
    .bind(instant_text(node.beat_at))
    .bind(node.stopped_at.map(instant_text))
    .bind(node.registry_engine.clone())
    .bind(node.registry_latency_us)
    .bind(node.disk_free)
    .bind(node.disk_total)
    .bind(node.jobs_running)
    .bind(node.streams)
    .bind(node.ledger_size)
    .bind(node.ledger_root.clone())
    .bind(node.ledger_at.map(instant_text))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The nodes that were heard of since `since`, in the order of their ids.
pub async fn all(db: &mut Db, since: Timestamp) -> Result<Vec<Node>, DbError> {
    sqlx::query(
        "SELECT id, version, started_at, beat_at, stopped_at, registry_engine, registry_latency_us, disk_free, \
         disk_total, jobs_running, streams, ledger_size, ledger_root, ledger_at FROM nodes \
         WHERE beat_at >= $1 ORDER BY id",
    )
    .bind(instant_text(since))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Node {
            id: row.text("id")?,
            version: row.text("version")?,
            started_at: row.instant("started_at")?,
            beat_at: row.instant("beat_at")?,
            stopped_at: row.opt_instant("stopped_at")?,
            registry_engine: row.text("registry_engine")?,
            registry_latency_us: row.int("registry_latency_us")?,
            disk_free: row.opt_int("disk_free")?,
            disk_total: row.opt_int("disk_total")?,
            jobs_running: row.int("jobs_running")?,
            streams: row.int("streams")?,
            ledger_size: row.int("ledger_size")?,
            ledger_root: row.opt_text("ledger_root")?,
            ledger_at: row.opt_instant("ledger_at")?,
        })
    })
    .collect()
}

/// What came of asking an exchange store. Instants are the machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCheck {
    pub store_id: StoreId,
    pub node_id: String,
    pub checked_at: Timestamp,
    /// Since when the answer is the same.
    pub since: Timestamp,
    /// Why it doesn't answer; `None` if it does.
    pub error_code: Option<String>,
    pub latency_ms: i64,
}

/// The last check of every store that was checked.
pub async fn store_checks(db: &mut Db) -> Result<Vec<StoreCheck>, DbError> {
    sqlx::query(
        "SELECT store_id, node_id, checked_at, since, error_code, latency_ms FROM store_checks ORDER BY store_id",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(StoreCheck {
            store_id: row.id("store_id")?,
            node_id: row.text("node_id")?,
            checked_at: row.instant("checked_at")?,
            since: row.instant("since")?,
            error_code: row.opt_text("error_code")?,
            latency_ms: row.int("latency_ms")?,
        })
    })
    .collect()
}

/// Keeps a check in place of the one before.
pub async fn save_store_check(tx: &mut Tx, check: &StoreCheck) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO store_checks (store_id, node_id, checked_at, since, reachable, error_code, latency_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (store_id) DO UPDATE SET node_id = excluded.node_id, \
         checked_at = excluded.checked_at, since = excluded.since, reachable = excluded.reachable, \
         error_code = excluded.error_code, latency_ms = excluded.latency_ms",
    )
    .bind(check.store_id.as_str().to_owned())
    .bind(check.node_id.clone())
    .bind(instant_text(check.checked_at))
    .bind(instant_text(check.since))
    .bind(i64::from(check.error_code.is_none()))
    .bind(check.error_code.clone())
    .bind(check.latency_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
