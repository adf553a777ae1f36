//! This node's signs of life: who it is, and how it is doing, kept in the registry for whoever watches.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    db::{
        DbError,
        nodes::{self, Node, StoreCheck},
        outbox,
    },
    evidence::Entry,
    jobs, ledger,
    secrets::random_hex,
};
use crate::app::App;

/// Who this node is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The same after every start on the same data folder.
    pub id: String,
    /// Machine instant.
    pub started_at: Timestamp,
}

impl Identity {
    /// Reads the id that the data folder keeps, or gives it one.
    ///
    /// Errors: if the folder can't be written.
    pub fn open(data_dir: &Path, started_at: Timestamp) -> std::io::Result<Self> {
        let path = data_dir.join("node-id");
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let kept = kept.trim();
        let is_id = kept.len() > 5 && kept.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let id = if is_id {
            kept.to_owned()
        } else {
            let id = format!("node-{}", random_hex::<4>());
            std::fs::write(&path, format!("{id}\n"))?;
            id
        };
        Ok(Self { id, started_at })
    }
}

/// Keeps this node's state in the registry at intervals until `stop` turns true, then notes that it stopped.
pub async fn beat(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let interval = Duration::from_secs(app.config.node.heartbeat_s.max(1));
    while !*stop.borrow() {
        if let Err(error) = say(&app, None).await {
            tracing::warn!(%error, "this node's state can't be kept");
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            // A dropped sender means stop as well.
            _stopped = stop.wait_for(|stop| *stop) => break,
        }
    }
    if let Err(error) = say(&app, Some(app.clock.wall())).await {
        tracing::warn!(%error, "it can't be kept that this node stops");
    }
}

async fn say(app: &App, stopped_at: Option<Timestamp>) -> Result<(), DbError> {
    let asked = Instant::now();
    let mut db = app.registry.read().await?;
    outbox::newest(&mut db).await?;
    let latency = asked.elapsed();
    let jobs_running = jobs::held_by(&mut db, &app.node.id).await?;
    drop(db);
    let (data_dir, ledger_dir) = (
        app.config.data_dir().to_owned(),
        app.ledger.dir().to_owned(),
    );
    let measured =
        tokio::task::spawn_blocking(move || (disk(&data_dir), ledger::last_head(&ledger_dir)))
            .await;
    let (disk, head) = measured.unwrap_or_default();
    let node = Node {
        id: app.node.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: app.node.started_at,
        beat_at: app.clock.wall(),
        stopped_at,
        registry_engine: app.registry.engine().code().to_owned(),
        registry_latency_us: i64::try_from(latency.as_micros()).unwrap_or(i64::MAX),
        disk_free: disk.map(|(free, _)| free),
        disk_total: disk.map(|(_, total)| total),
        jobs_running,
        streams: i64::try_from(app.live.streams()).unwrap_or(i64::MAX),
        ledger_size: head.as_ref().map_or(0, |signed| {
            i64::try_from(signed.head.size).unwrap_or(i64::MAX)
        }),
        ledger_root: head.as_ref().map(|signed| signed.head.root.to_string()),
        ledger_at: head.map(|signed| signed.head.at),
    };
    let mut tx = app.registry.begin(app.clock.now()).await?;
    nodes::save(&mut tx, &node).await?;
    tx.commit_bookkeeping().await
}

/// Bytes that are free, and bytes there are, on the file system of a folder.
#[cfg(unix)]
fn disk(dir: &Path) -> Option<(i64, i64)> {
    let found = nix::sys::statvfs::statvfs(dir).ok()?;
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(found.fragment_size())).ok();
    Some((bytes(found.blocks_available())?, bytes(found.blocks())?))
}

#[cfg(not(unix))]
fn disk(_: &Path) -> Option<(i64, i64)> {
    None
}

/// Keeps what came of asking an exchange store. That a store went away, or came back, is an act of its own.
pub async fn note_store_check(
    app: &App,
    check: &StoreCheck,
    before: Option<&StoreCheck>,
) -> Result<(), DbError> {
    let answered = before.is_none_or(|before| before.error_code.is_none());
    let answers = check.error_code.is_none();
    let mut tx = app.registry.begin(app.clock.now()).await?;
    nodes::save_store_check(&mut tx, check).await?;
    let entry = match (answered, &check.error_code) {
        (true, Some(code)) => {
            Entry::by_platform("directory.store_lost").with("code", code.as_str())
        }
        (false, None) => Entry::by_platform("directory.store_found"),
        (true, None) | (false, Some(_)) => {
            debug_assert_eq!(answered, answers);
            return tx.commit_bookkeeping().await;
        }
    };
    tx.commit(entry.on("store", &check.store_id)).await
}
