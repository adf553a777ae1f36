//! Take a step, urge, stop and start a clock, withdraw.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::{
    case::{Act, Case, Deed},
    ids::{DepartmentId, EntryId},
    law::StepId,
};
use utoipa::ToSchema;

use super::{
    body::{StepBody, checked_reason},
    effects,
    read::{ProceedingView, load, view},
    subject::SubjectKind,
};
use crate::{
    app::App,
    features::{
        attachment,
        case::{self, CaseRow, refusal},
        directory::{self, Notice},
        request,
    },
    platform::{
        db::Tx,
        evidence::{Entry, Evidence},
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// A step that somebody takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBody {
    #[serde(default)]
    pub input: StepBody,
    /// `revision` of the case as it was read; if somebody has acted since, nothing is done.
    pub revision: u32,
}

/// Why, if one says; to stop a clock one has to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    #[serde(default)]
    pub reason: Option<String>,
}

/// Take a step of a case.
#[utoipa::path(post, path = "/cases/{case_id}/steps/{step_id}", tag = "case", operation_id = "take_step",
    params(("case_id" = String, Path), ("step_id" = String, Path)), request_body = TakeBody,
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn take_step(
    ctx: Ctx,
    Path((case_id, step_id)): Path<(String, String)>,
    Json(body): Json<TakeBody>,
) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    let step = step(&step_id)?;
    // Who may not act is told so; only then does it matter whether the page was fresh.
    row.case
        .may_take(&ctx.actor, &step, &row.pack)
        .map_err(refusal)?;
    if body.revision != row.case.last_seq() {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    let form = attachment::form_given(
        &mut *ctx.read().await?,
        ctx.department(),
        body.input.form.as_ref(),
    )
    .await?;
    let input = body.input.into_input(&row.pack, form)?;
    act(
        &ctx,
        &row,
        Deed::TakeStep { step, input },
        "case.step_taken",
    )
    .await
}

/// Urge whoever holds a step 催办.
#[utoipa::path(post, path = "/cases/{case_id}/steps/{step_id}/urging", tag = "case", operation_id = "urge_step",
    params(("case_id" = String, Path), ("step_id" = String, Path)),
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn urge_step(
    ctx: Ctx,
    Path((case_id, step_id)): Path<(String, String)>,
) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    let step = step(&step_id)?;
    act(&ctx, &row, Deed::Urge { step }, "case.urged").await
}

/// Stop the clock of a step, where the regulation allows it.
#[utoipa::path(post, path = "/cases/{case_id}/steps/{step_id}/pause", tag = "case", operation_id = "pause_step",
    params(("case_id" = String, Path), ("step_id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn pause_step(
    ctx: Ctx,
    Path((case_id, step_id)): Path<(String, String)>,
    Json(body): Json<ReasonBody>,
) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    let deed = Deed::Pause {
        step: step(&step_id)?,
        reason: body.reason.unwrap_or_default(),
    };
    act(&ctx, &row, deed, "case.paused").await
}

/// Let the clock of a step run on.
#[utoipa::path(post, path = "/cases/{case_id}/steps/{step_id}/resumption", tag = "case", operation_id = "resume_step",
    params(("case_id" = String, Path), ("step_id" = String, Path)),
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn resume_step(
    ctx: Ctx,
    Path((case_id, step_id)): Path<(String, String)>,
) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    let step = step(&step_id)?;
    act(&ctx, &row, Deed::Resume { step }, "case.resumed").await
}

/// An exception that is claimed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionBody {
    /// Code of the exception, see `exceptions` of the step.
    pub exception: String,
    /// The basis of the claim, in words: at best the law it rests on.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Claim that a step isn't to be taken, because the regulation excepts the case. The claim stays on record.
/// Spec: TP-7a, TP-24.
#[utoipa::path(post, path = "/cases/{case_id}/steps/{step_id}/exception", tag = "case", operation_id = "claim_exception",
    params(("case_id" = String, Path), ("step_id" = String, Path)), request_body = ExceptionBody,
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn claim_exception(
    ctx: Ctx,
    Path((case_id, step_id)): Path<(String, String)>,
    Json(body): Json<ExceptionBody>,
) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    let basis = checked_reason(body.reason)?.unwrap_or_default();
    let deed = Deed::ClaimException {
        step: step(&step_id)?,
        exception: body.exception,
        basis,
    };
    act(&ctx, &row, deed, "case.exception_claimed").await
}

/// Take back what was asked, before it is decided.
#[utoipa::path(post, path = "/cases/{case_id}/withdrawal", tag = "case", operation_id = "withdraw_case",
    params(("case_id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn withdraw_case(
    ctx: Ctx,
    Path(case_id): Path<String>,
    Json(body): Json<ReasonBody>,
) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    let reason = body.reason;
    act(&ctx, &row, Deed::Withdraw { reason }, "case.withdrawn").await
}

fn step(id: &str) -> Result<StepId, ApiError> {
    StepId::parse(id).map_err(|_| ApiError::not_found("case.unknown_step"))
}

async fn act(ctx: &Ctx, row: &CaseRow, deed: Deed, what: &'static str) -> Reply<ProceedingView> {
    let id = row.case.head().id.clone();
    // What a step of a sharing request brings about, a grant above all, is the request's own business.
    if row.subject.0 == SubjectKind::Request.code()
        && let Some(request) = request::request_of_case(&mut *ctx.read().await?, &id).await?
    {
        request::act(ctx, &request, row, deed, request::Acted { what }).await?;
        return reply(view(ctx, &id).await?);
    }
    let act = Act {
        actor: ctx.actor.clone(),
        at: ctx.now,
        deed,
    };
    let calendar = ctx.app.calendar();
    let after = row.case.apply(act, &row.pack, &calendar).map_err(refusal)?;
    let known = row.case.last_seq();
    let mut tx = ctx.begin().await?;
    case::save_steps(&mut tx, &row.case, &after, &row.pack, &calendar).await?;
    let after = CaseRow {
        number: row.number.clone(),
        title: row.title.clone(),
        subject: row.subject.clone(),
        case: after,
        pack: row.pack.clone(),
        held: row.held,
    };
    attachment::bind_new(&mut tx, &after.case, known).await?;
    let more = settle(&ctx.app, &mut tx, &after, known).await?;
    tell(&mut tx, &after, known, what).await?;
    tell_holders(&mut tx, Some(&row.case), &after).await?;
    let first = case::account(
        ctx.did(what).on("case", &id),
        &after.case,
        known,
        &after.pack,
    );
    tx.commit(Evidence::of(first, more)).await?;
    effects::show(&ctx.app, &after, known).await?;
    reply(view(ctx, &id).await?)
}

/// What the events after number `known` change elsewhere, as part of the caller's write.
pub(super) async fn settle(
    app: &App,
    tx: &mut Tx,
    row: &CaseRow,
    known: u32,
) -> Result<Vec<Entry>, ApiError> {
    let mut entries = Vec::new();
    for event in row.case.events_after(known) {
        for happened in &event.events {
            entries.extend(effects::of(app, tx, row, *happened, event).await?);
        }
    }
    Ok(entries)
}

/// Tells every department that holds a grant on the entry of a duty that an act has brought about and that
/// binds more than the parties. Spec: YC-19.3, YJ-3.2.3b.
pub(super) async fn tell_holders(
    tx: &mut Tx,
    before: Option<&Case>,
    after: &CaseRow,
) -> Result<(), ApiError> {
    if after.subject.0 != SubjectKind::Entry.code() {
        return Ok(());
    }
    let known: Vec<StepId> = before.map_or_else(Vec::new, |case| {
        let duties = case::open_duties(case, &after.pack);
        duties.into_iter().map(|step| step.id.clone()).collect()
    });
    let duties = case::open_duties(&after.case, &after.pack);
    let begun: Vec<_> = duties
        .into_iter()
        .filter(|step| !known.contains(&step.id))
        .collect();
    if begun.is_empty() {
        return Ok(());
    }
    let entry = EntryId::parse(&after.subject.1).map_err(ApiError::bug)?;
    let mut holders: Vec<DepartmentId> = request::users_of_entry(tx, &entry)
        .await?
        .into_iter()
        .map(|grant| grant.requester)
        .collect();
    holders.sort_unstable();
    holders.dedup();
    let head = after.case.head();
    for to in &holders {
        for step in &begun {
            let notice = Notice {
                to,
                kind: "case.duty_begun",
                subject: (SubjectKind::Entry.code(), entry.as_str()),
                facts: BTreeMap::from([
                    ("number", after.number.clone()),
                    ("name", after.title.clone()),
                    (
                        "process",
                        after
                            .pack
                            .process(&head.process)
                            .map(|process| process.name.clone())
                            .unwrap_or_default(),
                    ),
                    ("step", step.name.clone()),
                    ("clause", step.clause.to_string()),
                ]),
            };
            directory::notify(tx, &notice).await?;
        }
    }
    Ok(())
}

/// Tells the departments that the regulation names for the steps taken, and those between whom the case
/// is. Spec: PDS-10.1, TP-21b, YJ-3.2.3a.
pub(super) async fn tell(
    tx: &mut Tx,
    row: &CaseRow,
    known: u32,
    what: &'static str,
) -> Result<(), ApiError> {
    let head = row.case.head();
    let process = row.pack.process(&head.process);
    let mut to: Vec<&DepartmentId> = Vec::new();
    to.extend(&head.parties.requester);
    to.extend(&head.parties.provider);
    let mut step_name = String::new();
    let mut outcome = String::new();
    for event in row.case.events_after(known) {
        let Some(step) = event.step.as_ref().and_then(|id| process?.step(id)) else {
            continue;
        };
        if step_name.is_empty() {
            step_name.clone_from(&step.name);
            outcome = event
                .outcome
                .map_or(String::new(), |o| o.label().to_owned());
        }
        let named = step.notify.iter().chain(&step.addressee).chain(&step.with);
        to.extend(named.filter_map(|role| head.parties.holder(&row.pack, role)));
    }
    // Whoever holds the next step learns of it even where the regulation names nobody.
    to.extend(row.case.open_steps().filter_map(|id| {
        let step = process?.step(id)?;
        head.parties.holder(&row.pack, &step.role)
    }));
    to.sort_unstable();
    to.dedup();
    for department in to {
        let notice = Notice {
            to: department,
            kind: what,
            subject: ("case", head.id.as_str()),
            facts: BTreeMap::from([
                ("number", row.number.clone()),
                ("name", row.title.clone()),
                (
                    "process",
                    process.map(|p| p.name.clone()).unwrap_or_default(),
                ),
                ("step", step_name.clone()),
                ("outcome", outcome.clone()),
            ]),
        };
        directory::notify(tx, &notice).await?;
    }
    Ok(())
}
