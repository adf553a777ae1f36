//! How the nodes and the exchange stores are doing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tongqu_domain::access::{Action, Subject};
use utoipa::ToSchema;

use crate::{
    features::directory,
    platform::{
        db::nodes::{self, Node, StoreCheck},
        http::{ApiError, Ctx, Problem, Reply, reply},
        jobs,
    },
};

/// A node that was silent for longer isn't coming back and is no longer shown.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Beats that may be missed before a node counts as late, and as silent.
const LATE_BEATS: i64 = 3;
const SILENT_BEATS: i64 = 12;

/// Nodes and exchange stores.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodesView {
    /// Machine instant of this view. All instants here are the machine's, not the demo clock's.
    pub at: String,
    /// Seconds between two signs of life.
    pub heartbeat_s: u64,
    pub nodes: Vec<NodeView>,
    /// Jobs that wait for a worker of any node.
    pub jobs_waiting: i64,
    pub stores: Vec<StoreStateView>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    pub node_id: String,
    /// `serving`, `late`, `silent` or `stopped`.
    pub state: &'static str,
    /// Whether this node answered the question.
    pub answered: bool,
    pub version: String,
    pub started_at: String,
    pub beat_at: String,
    /// Whole seconds since the last sign of life.
    pub silent_s: i64,
    /// `sqlite` or `postgres`.
    pub registry_engine: String,
    pub registry_latency_us: i64,
    /// Bytes.
    pub disk_free: Option<i64>,
    pub disk_total: Option<i64>,
    /// `ok`, `low` (less than a fifth is free) or `full` (less than a twentieth).
    pub disk_state: &'static str,
    pub jobs_running: i64,
    /// Open pages that are told of changes.
    pub streams: i64,
    /// Records under its last signed head.
    pub ledger_size: i64,
    /// Root of that head, hex SM3.
    pub ledger_root: Option<String>,
    /// Instant of that head, by the platform's clock.
    pub ledger_at: Option<String>,
}

/// Whether a department's exchange store answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreStateView {
    pub store_id: String,
    pub name: String,
    pub department_id: String,
    pub department_name: String,
    /// `reachable`, `unreachable` or `unknown`.
    pub state: &'static str,
    /// Since when it is so.
    pub since: Option<String>,
    pub checked_at: Option<String>,
    /// The node that asked.
    pub node_id: Option<String>,
    pub latency_ms: Option<i64>,
    pub error_code: Option<String>,
    /// What is wrong and what to do, in the user's language.
    pub message: Option<String>,
}

/// Read how the nodes and the exchange stores are doing. For the operator and the system administrator.
#[utoipa::path(get, path = "/nodes", tag = "nodes", operation_id = "read_nodes",
    responses((status = 200, body = NodesView), (status = 403, body = Problem)))]
pub async fn read_nodes(ctx: Ctx) -> Reply<NodesView> {
    may_watch(&ctx)?;
    reply(view(&ctx).await?)
}

/// Whoever keeps the platform running: the operator and the system administrator.
pub(super) fn may_watch(ctx: &Ctx) -> Result<(), ApiError> {
    if ctx.may(Action::ManageSettings, &Subject::Platform) {
        return Ok(());
    }
    ctx.must(Action::Deliver, &Subject::Platform)
}

pub(super) async fn view(ctx: &Ctx) -> Result<NodesView, ApiError> {
    let app = &ctx.app;
    let now = app.clock.wall();
    let mut db = ctx.read().await?;
    let known = nodes::all(&mut db, now - FORGOTTEN_AFTER).await?;
    let checks: BTreeMap<String, StoreCheck> = nodes::store_checks(&mut db)
        .await?
        .into_iter()
        .map(|check| (check.store_id.to_string(), check))
        .collect();
    let stores = directory::every_store(&mut db).await?;
    let departments = directory::department_names(&mut db).await?;
    let jobs_waiting = jobs::waiting(&mut db).await?;
    drop(db);
    let heartbeat_s = app.config.node.heartbeat_s.max(1);
    Ok(NodesView {
        at: now.to_string(),
        heartbeat_s,
        nodes: known
            .into_iter()
            .map(|node| node_view(node, now, heartbeat_s, &app.node.id))
            .collect(),
        jobs_waiting,
        stores: stores
            .into_iter()
            .map(|store| {
                let check = checks.get(store.id.as_str());
                let code = check.and_then(|check| check.error_code.clone());
                StoreStateView {
                    state: match (check, &code) {
                        (None, _) => "unknown",
                        (Some(_), None) => "reachable",
                        (Some(_), Some(_)) => "unreachable",
                    },
                    department_name: departments
                        .get(store.department_id.as_str())
                        .cloned()
                        .unwrap_or_default(),
                    department_id: store.department_id.to_string(),
                    store_id: store.id.to_string(),
                    name: store.name,
                    since: check.map(|check| check.since.to_string()),
                    checked_at: check.map(|check| check.checked_at.to_string()),
                    node_id: check.map(|check| check.node_id.clone()),
                    latency_ms: check.map(|check| check.latency_ms),
                    message: code.as_ref().map(|code| ctx.sentence(code, &[])),
                    error_code: code,
                }
            })
            .collect(),
    })
}

fn node_view(node: Node, now: Timestamp, heartbeat_s: u64, own_id: &str) -> NodeView {
    let silent_s = now.duration_since(node.beat_at).as_secs().max(0);
    let beats = silent_s / i64::try_from(heartbeat_s).unwrap_or(i64::MAX).max(1);
    let state = match node.stopped_at {
        Some(_) => "stopped",
        None if beats >= SILENT_BEATS => "silent",
        None if beats >= LATE_BEATS => "late",
        None => "serving",
    };
    let disk_state = match (node.disk_free, node.disk_total) {
        (Some(free), Some(total)) if free < total / 20 => "full",
        (Some(free), Some(total)) if free < total / 5 => "low",
        (Some(_), Some(_)) | (None, _) | (_, None) => "ok",
    };
    NodeView {
        answered: node.id == own_id,
        node_id: node.id,
        state,
        version: node.version,
        started_at: node.started_at.to_string(),
        beat_at: node.beat_at.to_string(),
        silent_s,
        registry_engine: node.registry_engine,
        registry_latency_us: node.registry_latency_us,
        disk_free: node.disk_free,
        disk_total: node.disk_total,
        disk_state,
        jobs_running: node.jobs_running,
        streams: node.streams,
        ledger_size: node.ledger_size,
        ledger_root: node.ledger_root,
        ledger_at: node.ledger_at.map(|at| at.to_string()),
    }
}
