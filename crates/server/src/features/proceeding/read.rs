//! One case in full: where it stands, who holds it, by when and by which clause, and all that happened.

use std::collections::BTreeMap;

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    case::{CaseEvent, Happening},
    ids::{CaseId, DepartmentId},
};
use utoipa::ToSchema;

use super::subject::SubjectKind;
use crate::{
    features::{
        case::{
            self, CaseLineView, CaseRow, ClauseView, StepLineView, case_line, clause_view,
            step_lines,
        },
        directory,
    },
    platform::db::Db,
    platform::http::{ApiError, Ctx, Language, Problem, Reply, reply},
};

/// A case in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProceedingView {
    pub case_id: String,
    pub number: String,
    pub title: String,
    /// Send it back with a step: it tells whether somebody has acted in between.
    pub revision: u32,
    pub process_id: String,
    pub process_name: String,
    pub process_clause: ClauseView,
    /// The regulation that it runs under, for its whole life.
    pub pack_title: String,
    pub pack_id: String,
    /// Kind and id of the thing that it is about.
    pub subject_kind: String,
    pub subject_id: String,
    pub requester_name: Option<String>,
    pub provider_name: Option<String>,
    /// Instant.
    pub opened_at: String,
    /// `open`, `completed`, `refused`, `not_accepted` or `withdrawn`.
    pub state: String,
    /// Instant; absent while it is open.
    pub ended_at: Option<String>,
    /// What is known by now, by name.
    pub facts: Vec<FactLineView>,
    pub steps: Vec<StepLineView>,
    /// What must be observed while it is open, for example that business goes on as usual.
    pub duties: Vec<DutyView>,
    pub events: Vec<EventView>,
    pub previous_case_id: Option<String>,
    /// Cases about this one, or about the request that it is of: a dispute, a decision of a higher body.
    pub linked: Vec<CaseLineView>,
    /// What the viewer may do beside taking steps: `withdraw`, `urge`.
    pub actions: Vec<&'static str>,
}

/// A fact that is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactLineView {
    pub id: String,
    pub name: String,
    /// A code, or `true` or `false`.
    pub value: String,
}

/// A duty that holds while the case is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyView {
    pub name: String,
    pub role_name: String,
    pub clause: ClauseView,
}

/// Something that happened in a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    pub seq: u32,
    /// `opened`, `step_done`, `noted`, `paused`, `resumed`, `excepted`, `urged` or `withdrawn`.
    pub happening: &'static str,
    pub step_name: Option<String>,
    /// Instant at which it was recorded, which decides.
    pub at: String,
    /// Instant at which it happened, where that was before.
    pub happened_at: Option<String>,
    /// Absent where the platform itself did it.
    pub by_name: Option<String>,
    pub department_name: Option<String>,
    /// Whose deputy the person was.
    pub on_behalf_of_name: Option<String>,
    pub outcome_name: Option<String>,
    pub reason: Option<String>,
    pub ground: Option<String>,
    pub seal_kind: Option<String>,
    /// The file that was handed in.
    pub attachment_id: Option<String>,
    /// Who consented, where the step needs it.
    pub consent_name: Option<String>,
    pub extra_working_days: Option<u32>,
}

/// Read a case. The parties, whoever holds a step of it, the operator and the authority may.
#[utoipa::path(get, path = "/cases/{case_id}", tag = "case", operation_id = "read_case",
    params(("case_id" = String, Path)),
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_case(ctx: Ctx, Path(case_id): Path<String>) -> Reply<ProceedingView> {
    let row = load(&ctx, &case_id).await?;
    reply(view(&ctx, &row.case.head().id).await?)
}

/// The case that a path names, if the viewer may read it.
pub(super) async fn load(ctx: &Ctx, case_id: &str) -> Result<CaseRow, ApiError> {
    let not_found = || ApiError::not_found("case.not_found");
    let id = CaseId::parse(case_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    let row = case::find_row(&mut db, &ctx.app, &id)
        .await?
        .ok_or_else(not_found)?;
    let parties = &row.case.head().parties;
    let involved: Vec<&DepartmentId> = parties
        .requester
        .iter()
        .chain(&parties.provider)
        .chain(parties.bound.values())
        .collect();
    ctx.must(Action::ReadCase, &Subject::Parties(&involved))?;
    // What is held back is there for nobody else.
    if row.held && parties.requester.as_ref() != Some(ctx.department()) {
        return Err(not_found());
    }
    Ok(row)
}

/// A case as the viewer sees it now.
pub(super) async fn view(ctx: &Ctx, id: &CaseId) -> Result<ProceedingView, ApiError> {
    let mut db = ctx.read().await?;
    let row = case::find(&mut db, &ctx.app, id).await?;
    let departments = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let linked = linked(ctx, &mut db, &row, &departments).await?;
    drop(db);
    let head = row.case.head();
    let process = row
        .pack
        .process(&head.process)
        .ok_or_else(|| ApiError::bug("a replayed case has its process"))?;
    let name = |department: &Option<DepartmentId>| {
        department
            .as_ref()
            .map(|d| departments.get(d.as_str()).cloned().unwrap_or_default())
    };
    let all = step_lines(ctx, &row, &departments, &people)?;
    let (duties, steps): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| s.kind == "duty");
    Ok(ProceedingView {
        case_id: head.id.to_string(),
        number: row.number.clone(),
        title: row.title.clone(),
        revision: row.case.last_seq(),
        process_id: process.id.to_string(),
        process_name: ctx.language.name_of(process),
        process_clause: clause_view(&process.clause, &row.pack),
        pack_title: ctx.language.name_of(&row.pack.meta),
        pack_id: row.pack.meta.id.to_string(),
        subject_kind: row.subject.0.clone(),
        subject_id: row.subject.1.clone(),
        requester_name: name(&head.parties.requester),
        provider_name: name(&head.parties.provider),
        opened_at: head.opened_at.to_string(),
        state: case::state_code(&row.case),
        ended_at: row.case.ending().map(|ending| ending.at.to_string()),
        facts: fact_lines(&row, ctx.language),
        actions: actions(ctx, &row, &steps),
        steps,
        duties: duties
            .into_iter()
            .filter(|duty| duty.state == "open")
            .map(|duty| DutyView {
                name: duty.name,
                role_name: duty.role_name,
                clause: duty.clause,
            })
            .collect(),
        events: row
            .case
            .events()
            .iter()
            .map(|event| event_view(ctx, event, &row, &departments, &people))
            .collect(),
        linked,
        previous_case_id: head.previous_case.as_ref().map(ToString::to_string),
    })
}

/// The cases about a case. Whoever may read it may know that they are there. Spec: LY-4.
async fn linked(
    ctx: &Ctx,
    db: &mut Db,
    row: &CaseRow,
    departments: &BTreeMap<String, String>,
) -> Result<Vec<CaseLineView>, ApiError> {
    let id = &row.case.head().id;
    let mut lines = case::all_about(db, ("case", id.as_str())).await?;
    if row.subject.0 == SubjectKind::Request.code() {
        let about_request = case::all_about(db, (&row.subject.0, &row.subject.1)).await?;
        lines.extend(about_request.into_iter().filter(|line| line.case_id != *id));
    }
    Ok(lines
        .iter()
        .map(|line| case_line(ctx, line, departments))
        .collect())
}

fn fact_lines(row: &CaseRow, language: Language) -> Vec<FactLineView> {
    row.case
        .facts()
        .iter()
        .filter_map(|(id, value)| {
            let rule = row.pack.facts.iter().find(|rule| rule.id == *id)?;
            Some(FactLineView {
                id: id.clone(),
                name: language.name_of(rule),
                value: value.to_string(),
            })
        })
        .collect()
}

fn event_view(
    ctx: &Ctx,
    event: &CaseEvent,
    row: &CaseRow,
    departments: &BTreeMap<String, String>,
    people: &BTreeMap<String, String>,
) -> EventView {
    let step = event
        .step
        .as_ref()
        .and_then(|id| row.pack.process(&row.case.head().process)?.step(id));
    let person = |id: &str| people.get(id).cloned().unwrap_or_default();
    EventView {
        seq: event.seq,
        happening: match event.happening {
            Happening::Opened => "opened",
            Happening::StepDone => "step_done",
            Happening::Noted => "noted",
            Happening::Paused => "paused",
            Happening::Resumed => "resumed",
            Happening::Excepted => "excepted",
            Happening::Urged => "urged",
            Happening::Withdrawn => "withdrawn",
        },
        step_name: step.map(|step| ctx.language.name_of(step)),
        at: event.at.to_string(),
        happened_at: event.happened_at.map(|at| at.to_string()),
        by_name: event.by.as_ref().map(|by| person(by.person.as_str())),
        department_name: event.by.as_ref().map(|by| {
            departments
                .get(by.department.as_str())
                .cloned()
                .unwrap_or_default()
        }),
        on_behalf_of_name: event
            .by
            .as_ref()
            .and_then(|by| by.on_behalf_of.as_ref())
            .map(|id| person(id.as_str())),
        outcome_name: event.outcome.map(|outcome| ctx.language.name_of(&outcome)),
        reason: event.reason.clone(),
        ground: event.ground.as_ref().map(|code| {
            let name = step.and_then(|step| {
                let grounds = step.grounds.iter().find(|it| it.code == *code);
                let exception = || step.exceptions.iter().find(|it| it.code == *code);
                let ground = grounds.map(|it| ctx.language.name_of(it));
                ground.or_else(|| Some(ctx.language.name_of(exception()?)))
            });
            name.unwrap_or_else(|| code.clone())
        }),
        seal_kind: event.form.as_ref().and_then(|form| form.seal_kind.clone()),
        attachment_id: event
            .form
            .as_ref()
            .and_then(|form| form.attachment.as_ref())
            .map(ToString::to_string),
        consent_name: event.consent.as_ref().map(|by| person(by.person.as_str())),
        extra_working_days: event.extra_working_days,
    }
}

fn actions(ctx: &Ctx, row: &CaseRow, steps: &[StepLineView]) -> Vec<&'static str> {
    let mut actions = Vec::new();
    if row.case.may_withdraw(&ctx.actor, &row.pack).is_ok() {
        actions.push("withdraw");
    }
    let parties: Vec<&DepartmentId> = row.case.head().parties.requester.iter().collect();
    let waits = steps.iter().any(|step| step.state == "open");
    if waits && ctx.may(Action::UrgeStep, &Subject::Parties(&parties)) {
        actions.push("urge");
    }
    actions
}
