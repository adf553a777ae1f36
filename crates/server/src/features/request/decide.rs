//! Approve or refuse. A refusal states its reason; nobody decides their own request.
//! Spec: PDS-10.2b, PDS-11.2, PDS-17.

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::{
    case::{Deed, StepInput, StepState},
    law::{Action, Outcome, StepId},
};
use utoipa::ToSchema;

use super::{
    act::{Acted, act},
    read::{RequestView, load, view},
};
use crate::{
    features::case::CaseRow,
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    Refuse,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    pub verdict: Verdict,
    /// The reason in words; a refusal can't do without one.
    #[serde(default)]
    pub reason: Option<String>,
    /// Code of a ground, where the regulation lists them.
    #[serde(default)]
    pub ground: Option<String>,
    /// `revision` of the request as it was read; if somebody has acted since, nothing is done.
    pub revision: u32,
}

/// Decide a request.
#[utoipa::path(post, path = "/requests/{request_id}/decision", tag = "request", operation_id = "decide_request",
    params(("request_id" = String, Path)), request_body = DecideBody,
    responses((status = 200, body = RequestView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn decide_request(
    ctx: Ctx,
    Path(request_id): Path<String>,
    Json(body): Json<DecideBody>,
) -> Reply<RequestView> {
    let (request, row) = load(&ctx, &request_id).await?;
    let step = deciding_step(&ctx, &row)?;
    // Who may not decide is told so; only then does it matter whether the page was fresh.
    row.case
        .may_take(&ctx.actor, &step, &row.pack)
        .map_err(crate::features::case::refusal)?;
    if body.revision != row.case.last_seq() {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    let outcome = match body.verdict {
        Verdict::Approve => Outcome::Approved,
        Verdict::Refuse => Outcome::Refused,
    };
    let input = StepInput {
        outcome: Some(outcome),
        reason: body.reason,
        ground: body.ground,
        ..StepInput::default()
    };
    act(
        &ctx,
        &request,
        &row,
        Deed::TakeStep { step, input },
        Acted {
            what: "request.decided",
        },
    )
    .await?;
    reply(view(&ctx, &request.id).await?)
}

/// The step in which this request is decided: the open one, or the one that was taken already, so that
/// the refusal can say so.
fn deciding_step(ctx: &Ctx, row: &CaseRow) -> Result<StepId, ApiError> {
    let steps = row
        .case
        .steps(&row.pack, &ctx.app.calendar(), ctx.now)
        .map_err(crate::features::case::refusal)?;
    let mut deciding = steps
        .into_iter()
        .filter(|s| s.action == Action::Decide && !matches!(s.state, StepState::Skipped));
    let first = deciding
        .next()
        .ok_or_else(|| ApiError::conflict("request.nothing_to_decide"))?;
    let open = std::iter::once(&first)
        .find(|s| s.state.is_open())
        .map(|s| s.id.clone());
    Ok(open
        .or_else(|| deciding.find(|s| s.state.is_open()).map(|s| s.id))
        .unwrap_or(first.id))
}
