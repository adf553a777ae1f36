//! Which agents there are, and how they are doing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::AgentId,
};
use utoipa::ToSchema;

use super::store::{self, Agent};
use crate::{
    features::directory,
    platform::{
        db::Db,
        http::{ApiError, Ctx, Page, Problem, Reply, reply},
    },
};

/// Signs of life that may be missed before an agent counts as away.
const BEATS_MISSED_MAX: i64 = 3;

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentView {
    pub id: String,
    pub department_id: String,
    pub department_name: String,
    pub name: String,
    /// `invited` (has a code, and no certificate yet), `code_over` (its code wasn't used in time), `connected`,
    /// `away`, `certificate_over` (it was away for too long, and needs a new code) or `revoked`.
    pub state: &'static str,
    /// Machine instant of its last sign of life.
    pub seen_at: Option<String>,
    /// The node that it is connected to.
    pub node_id: Option<String>,
    pub version: Option<String>,
    /// Until when its certificate is good; it gets itself a new one in time.
    pub certificate_until: Option<String>,
    /// Bytes that wait on its disk, and that may.
    pub spool_bytes: Option<i64>,
    pub spool_bytes_max: Option<i64>,
    /// Readings and writings under way.
    pub transfers: Option<i64>,
    /// The stores beside it.
    pub stores: Vec<StoreBesideView>,
    /// What the viewer may do: `invite_again`, `revoke`.
    pub actions: Vec<&'static str>,
}

/// A store beside an agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreBesideView {
    pub name: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub engine: String,
    /// The address by which it is registered as an exchange store.
    pub url: String,
}

/// The agents of all departments. For the operator and the system administrator.
#[utoipa::path(get, path = "/agents", tag = "nodes", operation_id = "list_agents",
    responses((status = 200, body = Page<AgentView>), (status = 403, body = Problem)))]
pub async fn list_agents(ctx: Ctx) -> Reply<Page<AgentView>> {
    if !ctx.may(Action::ManageSettings, &Subject::Platform) {
        ctx.must(Action::Deliver, &Subject::Platform)?;
    }
    let mut db = ctx.read().await?;
    let agents = store::agents(&mut db).await?;
    let names = directory::department_names(&mut db).await?;
    drop(db);
    let items = agents.into_iter().map(|it| AgentView::of(&ctx, it, &names));
    reply(Page {
        items: items.collect(),
        next_cursor: None,
    })
}

impl AgentView {
    pub(super) fn of(ctx: &Ctx, agent: Agent, names: &BTreeMap<String, String>) -> Self {
        let now = ctx.app.clock.wall();
        let heartbeat_s = i64::try_from(ctx.app.config.node.heartbeat_s.max(1)).unwrap_or(i64::MAX);
        let state = state_of(&agent, now, heartbeat_s.saturating_mul(BEATS_MISSED_MAX));
        let may = ctx.may(Action::ManageDirectory, &Subject::Platform) && state != "revoked";
        let shown = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let department_id = agent.department_id.to_string();
        Self {
            department_name: names.get(&department_id).cloned().unwrap_or_default(),
            department_id,
            name: agent.name,
            state,
            seen_at: shown(agent.seen_at),
            node_id: agent.node_id.filter(|_| state == "connected"),
            version: agent.version,
            certificate_until: shown(agent.certificate_until),
            spool_bytes: agent.spool_bytes,
            spool_bytes_max: agent.spool_bytes_max,
            transfers: agent.transfers,
            stores: agent
                .stores
                .into_iter()
                .map(|store| StoreBesideView {
                    url: format!("agent://{}/{}", agent.id, store.name),
                    name: store.name,
                    engine: store.engine,
                })
                .collect(),
            actions: if may {
                vec!["invite_again", "revoke"]
            } else {
                Vec::new()
            },
            id: agent.id.to_string(),
        }
    }
}

fn state_of(agent: &Agent, now: Timestamp, silent_s_max: i64) -> &'static str {
    let is_heard = |seen: Timestamp| now.duration_since(seen).as_secs() <= silent_s_max;
    if agent.revoked_at.is_some() {
        "revoked"
    } else if agent.enrolled_at.is_none() {
        match agent.code_until {
            Some(until) if until > now => "invited",
            Some(_) | None => "code_over",
        }
    } else if agent.node_id.is_some() && agent.seen_at.is_some_and(is_heard) {
        "connected"
    } else if agent.certificate_until.is_some_and(|until| until <= now) {
        "certificate_over"
    } else {
        "away"
    }
}

pub(super) fn not_found() -> ApiError {
    ApiError::not_found("agent.not_found")
}

/// The agent that a path names.
pub(super) async fn named(db: &mut Db, id: &str) -> Result<Agent, ApiError> {
    let id = AgentId::parse(id).map_err(|_| not_found())?;
    store::find(db, &id).await?.ok_or_else(not_found)
}
