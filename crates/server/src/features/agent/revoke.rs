//! Shut an agent out.

use axum::extract::Path;
use tongqu_domain::access::{Action, Subject};

use super::{
    list_agents::{AgentView, named, not_found},
    store,
};
use crate::{
    features::directory,
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// Shut an agent out for good: its line is cut within a heartbeat, and its certificate is good no longer. What it has
/// brought stays. For system administrators.
#[utoipa::path(post, path = "/agents/{agent_id}/revocation", tag = "nodes", operation_id = "revoke_agent",
    params(("agent_id" = String, Path)),
    responses((status = 200, body = AgentView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn revoke_agent(ctx: Ctx, Path(agent_id): Path<String>) -> Reply<AgentView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let found = named(&mut *ctx.read().await?, &agent_id).await?;
    let mut tx = ctx.begin().await?;
    if !store::revoke(&mut tx, &found.id, ctx.app.clock.wall()).await? {
        return Err(ApiError::conflict("agent.revoked"));
    }
    tx.commit(ctx.did("agent.revoked").on("agent", &found.id))
        .await?;
    let mut db = ctx.read().await?;
    let agent = store::find(&mut db, &found.id)
        .await?
        .ok_or_else(not_found)?;
    let names = directory::department_names(&mut db).await?;
    drop(db);
    reply(AgentView::of(&ctx, agent, &names))
}
