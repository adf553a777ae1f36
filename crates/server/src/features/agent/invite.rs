//! Invite an agent: it enrols itself with a one-time code.

use axum::{Json, extract::Path};
use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tongqu_domain::{
    access::{Action, Subject},
    ids::{AgentId, DepartmentId},
};
use utoipa::ToSchema;

use super::{
    list_agents::{AgentView, named, not_found},
    store,
};
use crate::{
    features::directory,
    platform::{
        agents::Listening,
        db::Tx,
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_hex,
    },
};

const NAME_CHARS_MAX: usize = 100;

/// An agent to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentBody {
    pub department_id: String,
    /// Name in lists, for example 税务局前置机.
    pub name: String,
}

/// An agent that may enrol itself now.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentInvitationView {
    pub agent: AgentView,
    /// The one-time code. It is shown this once.
    pub code: String,
    /// Machine instant until which it is good.
    pub until: String,
    /// Host and port that the agent is to call.
    pub hub: String,
}

/// Invite an agent of a department. For system administrators.
#[utoipa::path(post, path = "/agents", tag = "nodes", operation_id = "invite_agent",
    request_body = AgentBody,
    responses((status = 200, body = AgentInvitationView), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn invite_agent(ctx: Ctx, Json(body): Json<AgentBody>) -> Reply<AgentInvitationView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let listening = listening(&ctx)?;
    let unknown =
        || ApiError::invalid("agent.invalid").field("department_id", "directory.department_id");
    let department_id = DepartmentId::parse(&body.department_id).map_err(|_| unknown())?;
    let department = directory::find_department(&mut *ctx.read().await?, &department_id)
        .await?
        .filter(directory::Department::is_active)
        .ok_or_else(unknown)?;
    let name = body.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::invalid("agent.invalid").field("name", "agent.name"));
    }
    let id = AgentId::parse(&format!("agt-{}", random_hex::<6>())).expect("hex fits an identifier");
    let mut tx = ctx.begin().await?;
    let now = ctx.app.clock.wall();
    store::insert(&mut tx, &id, &department.id, name, now).await?;
    invited(ctx, tx, id, &listening, "agent.invited").await
}

/// Give an agent another code, with which it enrols anew. Codes given before are good no longer; the certificate that
/// it has stays good until then.
#[utoipa::path(post, path = "/agents/{agent_id}/codes", tag = "nodes", operation_id = "invite_agent_again",
    params(("agent_id" = String, Path)),
    responses((status = 200, body = AgentInvitationView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn invite_agent_again(
    ctx: Ctx,
    Path(agent_id): Path<String>,
) -> Reply<AgentInvitationView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let listening = listening(&ctx)?;
    let found = named(&mut *ctx.read().await?, &agent_id).await?;
    if found.revoked_at.is_some() {
        return Err(ApiError::conflict("agent.revoked"));
    }
    let tx = ctx.begin().await?;
    invited(ctx, tx, found.id, &listening, "agent.invited_again").await
}

async fn invited(
    ctx: Ctx,
    mut tx: Tx,
    id: AgentId,
    listening: &Listening,
    what: &'static str,
) -> Reply<AgentInvitationView> {
    let config = &ctx.app.config.agents;
    let secret = random_hex::<16>();
    let until = ctx.app.clock.wall() + config.code_hours.hours();
    store::set_code(&mut tx, &id, &code_hash(&secret), until).await?;
    tx.commit(ctx.did(what).on("agent", &id)).await?;
    let mut db = ctx.read().await?;
    let agent = store::find(&mut db, &id).await?.ok_or_else(not_found)?;
    let names = directory::department_names(&mut db).await?;
    drop(db);
    let hub = match config.public_address.as_str() {
        "" => listening.at.to_string(),
        address => address.to_owned(),
    };
    reply(AgentInvitationView {
        code: format!("{id}.{secret}.{}", listening.fingerprint),
        until: until.to_string(),
        hub,
        agent: AgentView::of(&ctx, agent, &names),
    })
}

fn listening(ctx: &Ctx) -> Result<Listening, ApiError> {
    let listening = ctx.app.lines.listening().cloned();
    listening.ok_or_else(|| ApiError::conflict("agent.not_listening"))
}

/// By which the secret of a code is kept. It is random and long, so nothing slower is needed.
pub(super) fn code_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
