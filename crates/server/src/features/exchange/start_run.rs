//! Start a delivery by hand: the source is collected first, then every subscriber is served.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::SubscriptionId,
};
use utoipa::ToSchema;

use super::store::{self, Subscription};
use crate::{
    features::{catalogue, request},
    platform::{
        http::{ApiError, Ctx, Problem, Reply, reply},
        jobs,
    },
};

/// What was set going.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedView {
    pub subscription_id: String,
    pub entry_id: String,
}

/// Run a subscription now.
#[utoipa::path(post, path = "/subscriptions/{subscription_id}/runs", tag = "exchange", operation_id = "start_run",
    params(("subscription_id" = String, Path)),
    responses((status = 200, body = StartedView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn start_run(ctx: Ctx, Path(subscription_id): Path<String>) -> Reply<StartedView> {
    let subscription = runnable(&ctx, &subscription_id).await?;
    let mut tx = ctx.begin().await?;
    let job = catalogue::collection_job(&subscription.entry_id, Some(ctx.actor.person.as_str()));
    jobs::enqueue(&mut tx, job).await?;
    tx.commit(
        ctx.did("exchange.run_asked_for")
            .on("subscription", &subscription.id),
    )
    .await?;
    reply(StartedView {
        subscription_id,
        entry_id: subscription.entry_id.to_string(),
    })
}

/// The subscription that a path names, if the viewer may run it and it hasn't ended.
pub(super) async fn runnable(ctx: &Ctx, subscription_id: &str) -> Result<Subscription, ApiError> {
    let not_found = || ApiError::not_found("exchange.subscription_not_found");
    let id = SubscriptionId::parse(subscription_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    let subscription = store::find_subscription(&mut db, &id)
        .await?
        .ok_or_else(not_found)?;
    let grant = request::find_grant(&mut db, &subscription.grant_id)
        .await?
        .ok_or_else(not_found)?;
    ctx.must(
        Action::StartRun,
        &Subject::Parties(&[&grant.provider, &grant.requester]),
    )?;
    if subscription.state_code == "ended" {
        return Err(ApiError::conflict("exchange.subscription_ended"));
    }
    Ok(subscription)
}
