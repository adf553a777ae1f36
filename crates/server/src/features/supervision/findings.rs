//! Findings: the list, and one with its evidence.

use std::sync::Arc;

use axum::extract::{Path, Query};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    case::{Case, StepState},
    ids::DepartmentId,
    law::{Pack, StepId},
    supervision::{FindingKind, FindingState},
    time::china_date,
};
use utoipa::IntoParams;

use super::{
    store::{self, Finding, Wanted},
    views::{FindingDetailView, FindingView, MaySettle, finding_view, step_of},
};
use crate::{
    app::App,
    features::{case, directory},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
    },
};

/// Which findings.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct FindingsQuery {
    /// Of this department; others than the authority see their own only.
    pub department_id: Option<String>,
    /// `draft`, `issued` or `dismissed`. Drafts are for the authority.
    pub state: Option<String>,
    /// Under this clause.
    pub clause: Option<String>,
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

fn may_settle(ctx: &Ctx) -> MaySettle {
    if ctx.may(Action::Supervise, &Subject::Platform) {
        MaySettle::Yes
    } else {
        MaySettle::No
    }
}

/// What was found about overdue steps, the newest first.
#[utoipa::path(get, path = "/supervision/findings", tag = "supervision", operation_id = "list_findings",
    params(FindingsQuery),
    responses((status = 200, body = Page<FindingView>), (status = 403, body = Problem)))]
pub async fn list_findings(
    ctx: Ctx,
    Query(query): Query<FindingsQuery>,
) -> Reply<Page<FindingView>> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let of_all = ctx.may(Action::ReadSupervision, &Subject::Platform);
    let department_id = match &query.department_id {
        Some(id) if of_all => id.as_str(),
        None if of_all => "",
        Some(_) | None => ctx.department().as_str(),
    };
    let may_settle = may_settle(&ctx);
    let wanted = Wanted {
        department_id,
        state: query.state.as_deref().unwrap_or_default(),
        clause: query.clause.as_deref().unwrap_or_default(),
        without_drafts: may_settle == MaySettle::No,
        cursor: query.cursor.as_deref(),
    };
    let size = PageQuery {
        cursor: None,
        size: query.size,
    }
    .size();
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let found = Page::cut(store::list(&mut db, &wanted, size).await?, size, |f| {
        format!("{} {}", tongqu_domain::time::instant_text(f.found_at), f.id)
    });
    let today = china_date(ctx.now);
    let items = found
        .items
        .iter()
        .map(|f| {
            let pack = pack_of(&ctx.app, f)?;
            finding_view(&ctx, f, &pack, today, &departments, &people, may_settle)
        })
        .collect::<Result<_, ApiError>>()?;
    reply(Page {
        items,
        next_cursor: found.next_cursor,
    })
}

/// The pack of the case that a finding is about.
pub(super) fn pack_of(app: &App, finding: &Finding) -> Result<Arc<Pack>, ApiError> {
    app.packs
        .of_case(&finding.pack_id, &finding.pack_version)
        .ok_or_else(|| ApiError::bug(format!("rule pack {} isn't loaded", finding.pack_id)))
}

/// A finding that the viewer may see.
///
/// Errors: `finding.not_found`, for those of others as well.
pub(super) async fn load(ctx: &Ctx, db: &mut Db, id: &str) -> Result<Finding, ApiError> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let found = store::find(db, id).await?;
    let may_see = |f: &Finding| {
        ctx.may(
            Action::ReadSupervision,
            &Subject::Department(&f.department_id),
        ) && (f.state != FindingState::Draft || may_settle(ctx) == MaySettle::Yes)
    };
    found
        .filter(may_see)
        .ok_or_else(|| ApiError::not_found("finding.not_found"))
}

/// A finding with its evidence: case, step, date, who held it, and how it stands now.
#[utoipa::path(get, path = "/supervision/findings/{finding_id}", tag = "supervision", operation_id = "read_finding",
    params(("finding_id" = String, Path)),
    responses((status = 200, body = FindingDetailView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_finding(ctx: Ctx, Path(finding_id): Path<String>) -> Reply<FindingDetailView> {
    reply(detail(&ctx, &finding_id).await?)
}

pub(super) async fn detail(ctx: &Ctx, id: &str) -> Result<FindingDetailView, ApiError> {
    let mut db = ctx.read().await?;
    let finding = load(ctx, &mut db, id).await?;
    let departments = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let row = case::find(&mut db, &ctx.app, &finding.case_id).await?;
    let today = china_date(ctx.now);
    let view = finding_view(
        ctx,
        &finding,
        &row.pack,
        today,
        &departments,
        &people,
        may_settle(ctx),
    )?;
    let state = StepId::parse(&finding.step_id)
        .ok()
        .and_then(|step| row.case.step_state(&step).cloned());
    let done = match &state {
        Some(StepState::Done { at, by, .. }) => Some((*at, by.as_ref().map(|b| b.person.clone()))),
        Some(StepState::Waiting | StepState::Open { .. } | StepState::Skipped) | None => None,
    };
    let until = done.as_ref().map_or(today, |(at, _)| china_date(*at));
    let late = ctx
        .app
        .calendar()
        .working_days_between(finding.due_on, until)
        .ok()
        .and_then(|days| u32::try_from(days).ok());
    let step = step_of(&finding, &row.pack);
    let role_name = step
        .and_then(|step| row.pack.role(&step.role))
        .map_or(String::new(), |role| ctx.language.name_of(role));
    let name_of = |id: &DepartmentId| departments.get(id.as_str()).cloned().unwrap_or_default();
    let addressees = addressees(&finding, &row.case, &row.pack)
        .iter()
        .map(name_of)
        .collect();
    let draft_text = draft_text(ctx, &view, late.unwrap_or(0));
    Ok(FindingDetailView {
        finding: view,
        role_name,
        opened_at: finding.opened_at.to_string(),
        done_by_name: done
            .as_ref()
            .and_then(|(_, by)| people.get(by.as_ref()?.as_str()).cloned()),
        done_at: done.map(|(at, _)| at.to_string()),
        due_on_now: finding.due_on_now.map(|d| d.to_string()),
        late_working_days: late,
        addressees,
        draft_text,
    })
}

/// To whom a finding goes: the roles that the process of a notice tells, as they are held in the case
/// that was late, and whoever held the step. Spec: PDS-22.2.
pub(super) fn addressees(finding: &Finding, case: &Case, pack: &Pack) -> Vec<DepartmentId> {
    let mut to = vec![finding.department_id.clone()];
    let process = finding.process_id.as_ref().and_then(|id| pack.process(id));
    for step in process.iter().flat_map(|process| &process.steps) {
        for role in step.notify.iter().chain(&step.addressee) {
            if let Some(department) = case.head().parties.holder(pack, role)
                && !to.contains(department)
            {
                to.push(department.clone());
            }
        }
    }
    to
}

/// A sentence to begin with, in the viewer's language.
fn draft_text(ctx: &Ctx, view: &FindingView, late: u32) -> String {
    let code = match FindingKind::find(view.kind) {
        Some(FindingKind::Notice) => "finding.draft_notice",
        Some(FindingKind::Finding) => "finding.draft_finding",
        Some(FindingKind::Reminder) | None => "finding.draft_reminder",
    };
    ctx.sentence(
        code,
        &[
            ("department", view.department_name.clone()),
            ("number", view.number.clone()),
            ("step", view.step_name.clone()),
            ("due_on", view.due_on.clone()),
            ("late", late.to_string()),
            ("clause", view.clause.place.clone()),
        ],
    )
}
