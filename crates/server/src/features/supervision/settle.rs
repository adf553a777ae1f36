//! Settling a draft: send it, or set it aside with a reason. Only a person does either.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::{CaseId, DepartmentId},
    supervision::FindingState,
    time::china_date,
};
use utoipa::ToSchema;

use super::{
    findings::{addressees, detail, load},
    follow_up::{FollowUpCase, open_follow_up},
    store::{self, Finding, Settled},
    views::{FindingDetailView, standing, step_of},
};
use crate::{
    features::{
        case::{self, CaseRow},
        directory::{self, Notice},
    },
    platform::{
        db::Tx,
        evidence::Evidence,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The longest text of a notice or reason, in characters.
const TEXT_CHARS_MAX: usize = 2000;

/// What is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueBody {
    /// In words; 1-2000 characters.
    pub text: String,
}

/// Why nothing is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissBody {
    /// In words; 1-2000 characters.
    pub reason: String,
}

/// A text of its own, as a person writes it to give a reason.
///
/// Errors: `finding.text_needed` at `field`.
pub(super) fn words(text: &str, field: &'static str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        return Err(ApiError::invalid("finding.text_needed")
            .field(field, "finding.text_needed")
            .arg("chars", TEXT_CHARS_MAX));
    }
    Ok(text.to_owned())
}

async fn draft(ctx: &Ctx, id: &str) -> Result<(Finding, CaseRow), ApiError> {
    ctx.must(Action::Supervise, &Subject::Platform)?;
    let mut db = ctx.read().await?;
    let finding = load(ctx, &mut db, id).await?;
    if finding.state != FindingState::Draft {
        return Err(ApiError::conflict("finding.settled"));
    }
    let row = case::find(&mut db, &ctx.app, &finding.case_id).await?;
    Ok((finding, row))
}

/// Send a draft to the departments it concerns. Where the pack names a process, its case is opened.
#[utoipa::path(post, path = "/supervision/findings/{finding_id}/issue", tag = "supervision",
    operation_id = "issue_finding", params(("finding_id" = String, Path)), request_body = IssueBody,
    responses((status = 200, body = FindingDetailView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn issue_finding(
    ctx: Ctx,
    Path(finding_id): Path<String>,
    Json(body): Json<IssueBody>,
) -> Reply<FindingDetailView> {
    let (finding, row) = draft(&ctx, &finding_id).await?;
    let text = words(&body.text, "text")?;
    if standing(&finding, china_date(ctx.now)) == "moved" {
        return Err(ApiError::conflict("finding.not_overdue"));
    }
    let mut tx = ctx.begin().await?;
    let mut more = Vec::new();
    let mut follow_up = None;
    if let Some(process) = &finding.process_id {
        let notice = FollowUpCase {
            finding_id: &finding.id,
            process,
            pack: &row.pack,
            overdue: &row.case,
            actor: &ctx.actor,
        };
        let (case_id, entry) = open_follow_up(&ctx.app, &mut tx, notice).await?;
        follow_up = Some(case_id);
        more.push(entry);
    }
    let settled = Settled {
        state: FindingState::Issued,
        text: &text,
        by: ctx.actor.person.as_str(),
        follow_up_case_id: follow_up.as_ref().map(CaseId::as_str),
    };
    store::settle(&mut tx, &finding.id, &settled).await?;
    let to = addressees(&finding, &row.case, &row.pack);
    for department in &to {
        tell(&mut tx, &finding, &row, department, &text).await?;
    }
    let issued = ctx
        .did("supervision.finding_issued")
        .on("finding", &finding.id)
        .with("kind", finding.kind.code())
        .with("code", finding.code.clone())
        .with("case_id", finding.case_id.as_str())
        .with("step", finding.step_id.as_str())
        .with("due_on", finding.due_on.to_string())
        .with("to", to.iter().map(ToString::to_string).collect::<Vec<_>>())
        .with("text", text)
        .under(Some(finding.clause.clone()));
    tx.commit(Evidence::of(issued, more)).await?;
    reply(detail(&ctx, &finding_id).await?)
}

async fn tell(
    tx: &mut Tx,
    finding: &Finding,
    row: &CaseRow,
    to: &DepartmentId,
    text: &str,
) -> Result<(), ApiError> {
    let step = step_of(finding, &row.pack).map_or(String::new(), |step| step.name.clone());
    let notice = Notice {
        to,
        kind: "supervision.issued",
        subject: ("finding", &finding.id),
        facts: BTreeMap::from([
            ("kind", finding.kind.label().to_owned()),
            ("number", finding.number.clone()),
            ("step", step),
            ("due_on", finding.due_on.to_string()),
            ("clause", finding.clause.clone()),
            ("text", text.to_owned()),
        ]),
    };
    directory::notify(tx, &notice).await?;
    Ok(())
}

/// Set a draft aside, with a reason that stays on record. Nobody is told.
#[utoipa::path(post, path = "/supervision/findings/{finding_id}/dismiss", tag = "supervision",
    operation_id = "dismiss_finding", params(("finding_id" = String, Path)), request_body = DismissBody,
    responses((status = 200, body = FindingDetailView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn dismiss_finding(
    ctx: Ctx,
    Path(finding_id): Path<String>,
    Json(body): Json<DismissBody>,
) -> Reply<FindingDetailView> {
    let (finding, _) = draft(&ctx, &finding_id).await?;
    let reason = words(&body.reason, "reason")?;
    let mut tx = ctx.begin().await?;
    let settled = Settled {
        state: FindingState::Dismissed,
        text: &reason,
        by: ctx.actor.person.as_str(),
        follow_up_case_id: None,
    };
    store::settle(&mut tx, &finding.id, &settled).await?;
    tx.commit(
        ctx.did("supervision.finding_dismissed")
            .on("finding", &finding.id)
            .with("kind", finding.kind.code())
            .with("case_id", finding.case_id.as_str())
            .with("step", finding.step_id.as_str())
            .with("reason", reason)
            .under(Some(finding.clause.clone())),
    )
    .await?;
    reply(detail(&ctx, &finding_id).await?)
}
