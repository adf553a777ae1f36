//! Approve or refuse. A refusal states its reason; nobody decides their own request.
//! An approval may grant a part of what was asked. Spec: PDS-10.2b, PDS-11.2, PDS-17, YC-24.

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::{
    case::{Deed, StepInput, StepState},
    law::{Action, Outcome, StepId},
    request::PartialApproval,
};
use utoipa::ToSchema;

use super::{
    act::{Acted, act_in_part},
    part::{PartBody, read_part},
    read::{RequestView, load, view},
    store::Request,
};
use crate::{
    features::{case::CaseRow, catalogue},
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
    /// What the approval takes away from what was asked; left out, all of it is granted.
    #[serde(default)]
    pub part: Option<PartBody>,
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
    let part = taken_away(&ctx, &request, &row, &step, &body).await?;
    let input = StepInput {
        outcome: Some(outcome),
        reason: body.reason,
        ground: body.ground,
        ..StepInput::default()
    };
    let deed = Deed::TakeStep {
        step: step.clone(),
        input,
    };
    let acted = Acted {
        what: "request.decided",
    };
    let part = part.as_ref().map(|part| (&step, part));
    act_in_part(&ctx, &request, &row, deed, acted, part).await?;
    reply(view(&ctx, &request.id).await?)
}

/// What an approval takes away, checked; `None` if it is nothing. A refusal takes all.
async fn taken_away(
    ctx: &Ctx,
    request: &Request,
    row: &CaseRow,
    step: &StepId,
    body: &DecideBody,
) -> Result<Option<PartialApproval>, ApiError> {
    let (Some(part), Verdict::Approve) = (&body.part, body.verdict) else {
        return Ok(None);
    };
    let mut db = ctx.read().await?;
    let content = &request.content;
    let version = catalogue::find_version(&mut db, &content.entry_id, content.version_no)
        .await?
        .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
    let policy = row
        .pack
        .process(&row.case.head().process)
        .and_then(|process| process.step(step))
        .and_then(|step| step.reason.as_ref());
    let reason = body.reason.as_deref();
    read_part(&mut db, part.clone(), reason, request, &version, policy).await
}

/// The step in which this request is decided: the open one, or the one that was taken already, so that
/// the refusal can say so.
pub(super) fn deciding_step(ctx: &Ctx, row: &CaseRow) -> Result<StepId, ApiError> {
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
