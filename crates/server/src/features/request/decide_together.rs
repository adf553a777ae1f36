//! Decide several requests at once: the same data for the same kind of purpose, one decision, one reason.
//!
//! Each request is decided in a transaction of its own with its own evidence, so one that somebody else has
//! decided meanwhile doesn't hold the others back. Spec: PDS-10.2b, PDS-11.2.

use std::collections::BTreeSet;

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    case::{Deed, StepInput},
    ids::CaseId,
    law::{Action, Outcome},
};
use utoipa::ToSchema;

use super::{
    act::{Acted, act},
    decide::{Verdict, deciding_step},
    read::load,
    store::{self, Request},
};
use crate::{
    features::{
        case::{self, CaseRow, ClockView, clock_view, refusal},
        directory,
    },
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// Requests decided at once; beyond that nobody has read them.
const TOGETHER_MAX: usize = 50;

/// Requests that can be decided together with one.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlikeView {
    pub items: Vec<AlikeLineView>,
}

/// A request that asks for the same data for the same kind of purpose.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlikeLineView {
    pub request_id: String,
    pub number: String,
    /// Send it back with the decision.
    pub revision: u32,
    pub requester_name: String,
    pub purpose: String,
    pub duty: String,
    /// How many data items it asks for.
    pub columns: u32,
    pub due_on: Option<String>,
    pub clock: ClockView,
}

/// One decision on several requests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideTogetherBody {
    pub requests: Vec<DecidedBody>,
    pub verdict: Verdict,
    /// The reason in words; a refusal can't do without one.
    #[serde(default)]
    pub reason: Option<String>,
    /// Code of a ground, where the regulation lists them.
    #[serde(default)]
    pub ground: Option<String>,
}

/// A request to be decided, as it was read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecidedBody {
    pub request_id: String,
    /// `revision` of the request as it was read; if somebody has acted since, it is left alone.
    pub revision: u32,
}

/// What became of each request.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidedTogetherView {
    pub items: Vec<DecidedLineView>,
}

/// What became of one request.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidedLineView {
    pub request_id: String,
    pub number: String,
    pub requester_name: String,
    pub decided: bool,
    /// Code and sentence of why it wasn't decided.
    pub code: Option<String>,
    pub message: Option<String>,
}

/// Requests that can be decided together with this one by the viewer.
#[utoipa::path(get, path = "/requests/{request_id}/alike", tag = "request", operation_id = "list_alike_requests",
    params(("request_id" = String, Path)),
    responses((status = 200, body = AlikeView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn list_alike_requests(ctx: Ctx, Path(request_id): Path<String>) -> Reply<AlikeView> {
    let (request, row) = load(&ctx, &request_id).await?;
    if !may_decide(&ctx, &row) {
        return reply(AlikeView { items: Vec::new() });
    }
    let mut db = ctx.read().await?;
    let mut alike = store::open_requests_on_entry(&mut db, &request.content.entry_id).await?;
    alike.retain(|other| other.id != request.id && are_alike(&request, other));
    alike.truncate(TOGETHER_MAX - 1);
    let cases: Vec<CaseId> = alike.iter().map(|other| other.case_id.clone()).collect();
    let cases = case::find_many(&mut db, &ctx.app, &cases).await?;
    let departments = directory::department_names(&mut db).await?;
    let mut items = Vec::new();
    for other in &alike {
        let Some(their) = cases.get(&other.case_id) else {
            continue;
        };
        if !may_decide(&ctx, their) || !is_same_step(&ctx, &row, their)? {
            continue;
        }
        let steps = their
            .case
            .steps(&their.pack, &ctx.app.calendar(), ctx.now)
            .map_err(refusal)?;
        let Some(step) = steps
            .iter()
            .find(|s| s.action == Action::Decide && s.state.is_open())
        else {
            continue;
        };
        items.push(AlikeLineView {
            request_id: other.id.to_string(),
            number: their.number.clone(),
            revision: their.case.last_seq(),
            requester_name: departments
                .get(other.requester.as_str())
                .cloned()
                .unwrap_or_default(),
            purpose: other.content.purpose.clone(),
            duty: other.content.duty.clone(),
            columns: u32::try_from(other.content.columns.len()).unwrap_or(u32::MAX),
            due_on: step.due_on.map(|day| day.to_string()),
            clock: clock_view(&step.clock, step.working_days),
        });
    }
    reply(AlikeView { items })
}

/// Decide several requests on the same entry for the same kind of purpose, each for itself.
#[utoipa::path(post, path = "/requests/decisions", tag = "request", operation_id = "decide_together",
    request_body = DecideTogetherBody,
    responses((status = 200, body = DecidedTogetherView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn decide_together(
    ctx: Ctx,
    Json(body): Json<DecideTogetherBody>,
) -> Reply<DecidedTogetherView> {
    let ids: BTreeSet<&str> = body
        .requests
        .iter()
        .map(|r| r.request_id.as_str())
        .collect();
    if ids.len() != body.requests.len() || ids.is_empty() {
        return Err(
            ApiError::invalid("request.named_twice").field("requests", "request.named_twice")
        );
    }
    if ids.len() > TOGETHER_MAX {
        return Err(ApiError::invalid("request.too_many_together").arg("max", TOGETHER_MAX));
    }
    // Whether they go together is settled before the first of them is decided.
    let mut loaded: Vec<(Request, CaseRow, u32)> = Vec::new();
    for one in &body.requests {
        let (request, row) = load(&ctx, &one.request_id).await?;
        if let Some((first, first_row, _)) = loaded.first()
            && !(are_alike(first, &request) && is_same_step(&ctx, first_row, &row)?)
        {
            return Err(ApiError::invalid("request.not_alike").arg("number", &row.number));
        }
        loaded.push((request, row, one.revision));
    }
    let departments = directory::department_names(&mut *ctx.read().await?).await?;
    let mut items = Vec::with_capacity(loaded.len());
    for (request, row, revision) in &loaded {
        let refused = decide_one(&ctx, request, row, *revision, &body).await.err();
        let refused = match refused {
            // A fault of ours is no answer about one request.
            Some(error) if error.is_bug() => return Err(error),
            other => other.map(|error| error.problem(ctx.language, "")),
        };
        items.push(DecidedLineView {
            request_id: request.id.to_string(),
            number: row.number.clone(),
            requester_name: departments
                .get(request.requester.as_str())
                .cloned()
                .unwrap_or_default(),
            decided: refused.is_none(),
            code: refused.as_ref().map(|it| it.code.clone()),
            message: refused.map(|it| it.message),
        });
    }
    reply(DecidedTogetherView { items })
}

async fn decide_one(
    ctx: &Ctx,
    request: &Request,
    row: &CaseRow,
    revision: u32,
    body: &DecideTogetherBody,
) -> Result<(), ApiError> {
    let step = deciding_step(ctx, row)?;
    row.case
        .may_take(&ctx.actor, &step, &row.pack)
        .map_err(refusal)?;
    if revision != row.case.last_seq() {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    let outcome = match body.verdict {
        Verdict::Approve => Outcome::Approved,
        Verdict::Refuse => Outcome::Refused,
    };
    let input = StepInput {
        outcome: Some(outcome),
        reason: body.reason.clone(),
        ground: body.ground.clone(),
        ..StepInput::default()
    };
    let acted = Acted {
        what: "request.decided",
    };
    act(ctx, request, row, Deed::TakeStep { step, input }, acted).await
}

/// The same data for the same kind of purpose.
fn are_alike(one: &Request, other: &Request) -> bool {
    one.content.entry_id == other.content.entry_id
        && one.content.purpose_kind == other.content.purpose_kind
}

/// Whether both are decided in the same step of the same process, so that one reason and ground fit both.
fn is_same_step(ctx: &Ctx, one: &CaseRow, other: &CaseRow) -> Result<bool, ApiError> {
    let (head, other_head) = (one.case.head(), other.case.head());
    Ok(head.pack == other_head.pack
        && head.pack_version == other_head.pack_version
        && head.process == other_head.process
        && deciding_step(ctx, one)? == deciding_step(ctx, other)?)
}

/// Whether the viewer may take the step in which a request is decided now.
fn may_decide(ctx: &Ctx, row: &CaseRow) -> bool {
    deciding_step(ctx, row)
        .is_ok_and(|step| row.case.may_take(&ctx.actor, &step, &row.pack).is_ok())
}
