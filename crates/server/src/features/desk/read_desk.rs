//! One page for an officer: lamps, the next days, to do, my requests, settled.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    case::{Clock, StepState},
    ids::RequestId,
    time::china_date,
};
use utoipa::ToSchema;

use crate::{
    features::{
        case::{self, ClauseView, ClockView, clause_view, clock_view},
        catalogue, directory,
        request::{self, RequestLineView},
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The most tasks that a desk shows; the most urgent come first.
const TASKS_MAX: u32 = 200;
/// How many settled cases and own requests are shown.
const LISTED_MAX: u32 = 20;
/// Days of the strip.
const DAYS: i32 = 14;

/// A desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeskView {
    pub lamps: LampsView,
    /// The next 14 days, today first.
    pub days: Vec<DayView>,
    pub todo: Vec<TaskView>,
    /// Requests of the own department, newest first.
    pub mine: Vec<RequestLineView>,
    /// Cases settled by the own department, newest first.
    pub settled: Vec<RequestLineView>,
}

/// How many tasks are under which lamp.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LampsView {
    pub overdue: u32,
    /// Due today or on the next working day.
    pub soon: u32,
    /// On time, or without a date.
    pub ample: u32,
    /// Cases settled by the own department, as far as they are listed.
    pub settled: u32,
}

/// A day of the strip.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayView {
    pub date: String,
    /// `working`, `weekend`, `holiday`, `make_up` or `unknown`.
    pub kind: &'static str,
    /// Name of the holiday that it belongs to.
    pub name: Option<String>,
    pub today: bool,
    /// How many tasks are due on it.
    pub due: u32,
}

/// Something to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskView {
    pub request_id: String,
    pub case_id: String,
    pub number: String,
    /// Name of the catalogue entry.
    pub title: String,
    pub step_id: String,
    pub step_name: String,
    /// What is done: `decide`, `deliver`, `supply`...
    pub action: String,
    pub requester_name: String,
    pub provider_name: String,
    /// Instant since which it waits.
    pub opened_at: String,
    pub due_on: Option<String>,
    pub clock: ClockView,
    pub clause: ClauseView,
    /// Whether the viewer may take it, or only somebody else of the department.
    pub may_take: bool,
}

/// The own desk.
#[utoipa::path(get, path = "/desk", tag = "desk", operation_id = "read_desk",
    responses((status = 200, body = DeskView), (status = 403, body = Problem)))]
pub async fn read_desk(ctx: Ctx) -> Reply<DeskView> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let (todo, clocks) = tasks(&ctx, &mut db, &departments).await?;
    let mut mine = Vec::new();
    for request in
        request::requests_of_department(&mut db, ctx.department(), None, LISTED_MAX).await?
    {
        mine.push(line(&ctx, &mut db, &request.id, &departments).await?);
    }
    let mut settled = Vec::new();
    for (_, kind, id) in case::settled_by(&mut db, ctx.department(), LISTED_MAX).await? {
        if kind == "request"
            && let Ok(id) = RequestId::parse(&id)
        {
            settled.push(line(&ctx, &mut db, &id, &departments).await?);
        }
    }
    let mut lamps = LampsView {
        settled: u32::try_from(settled.len()).unwrap_or(u32::MAX),
        ..LampsView::default()
    };
    for clock in clocks {
        match clock {
            Clock::Overdue { .. } => lamps.overdue += 1,
            Clock::DueSoon { .. } | Clock::DueToday => lamps.soon += 1,
            Clock::Off
            | Clock::NoLimit
            | Clock::OnTime { .. }
            | Clock::Word { .. }
            | Clock::Paused
            | Clock::Done { .. }
            | Clock::CalendarMissing { .. } => lamps.ample += 1,
        }
    }
    let days = strip(&ctx, &todo);
    reply(DeskView {
        lamps,
        days,
        todo,
        mine,
        settled,
    })
}

async fn tasks(
    ctx: &Ctx,
    db: &mut Db,
    departments: &BTreeMap<String, String>,
) -> Result<(Vec<TaskView>, Vec<Clock>), ApiError> {
    let (mut views, mut clocks) = (Vec::new(), Vec::new());
    for task in case::tasks_of(db, ctx.department(), TASKS_MAX).await? {
        let Ok(request_id) = RequestId::parse(&task.subject_id) else {
            continue;
        };
        let Some((request, row)) = request::load_by_id(ctx, db, &request_id).await? else {
            continue;
        };
        let steps = row
            .case
            .steps(&row.pack, &ctx.app.calendar(), ctx.now)
            .map_err(case::refusal)?;
        let open = steps
            .into_iter()
            .find(|s| s.id.as_str() == task.step_id && matches!(s.state, StepState::Open { .. }));
        let Some(step) = open else { continue };
        let title = catalogue::find_entry(db, &request.content.entry_id)
            .await?
            .map(|e| e.name)
            .unwrap_or_default();
        let name_of = |id: &str| departments.get(id).cloned().unwrap_or_default();
        clocks.push(step.clock);
        views.push(TaskView {
            request_id: request.id.to_string(),
            case_id: task.case_id.to_string(),
            number: task.number,
            title,
            may_take: row.case.may_take(&ctx.actor, &step.id, &row.pack).is_ok(),
            step_id: task.step_id,
            step_name: step.name,
            action: step.action.code().to_owned(),
            requester_name: name_of(&task.requester_department_id),
            provider_name: name_of(&task.provider_department_id),
            opened_at: task.opened_at.to_string(),
            due_on: step.due_on.map(|d| d.to_string()),
            clock: clock_view(&step.clock, step.working_days),
            clause: clause_view(step.due_clause.as_ref().unwrap_or(&step.clause), &row.pack),
        });
    }
    Ok((views, clocks))
}

async fn line(
    ctx: &Ctx,
    db: &mut Db,
    id: &RequestId,
    departments: &BTreeMap<String, String>,
) -> Result<RequestLineView, ApiError> {
    let (request, row) = request::load_by_id(ctx, db, id)
        .await?
        .ok_or_else(|| ApiError::bug("a case names a request that isn't there"))?;
    let name = catalogue::find_entry(db, &request.content.entry_id)
        .await?
        .map(|e| e.name)
        .unwrap_or_default();
    request::line(ctx, &request, &row, name, departments)
}

fn strip(ctx: &Ctx, todo: &[TaskView]) -> Vec<DayView> {
    let today = china_date(ctx.now);
    let calendar = ctx.app.calendar();
    (0..DAYS)
        .map(|n| {
            let date = today.saturating_add(i64::from(n).days());
            let text = date.to_string();
            let due = todo
                .iter()
                .filter(|t| t.due_on.as_deref() == Some(text.as_str()))
                .count();
            let day = calendar.day(date).ok();
            DayView {
                kind: day.as_ref().map_or("unknown", |d| d.kind.code()),
                name: day.and_then(|d| d.name.map(str::to_owned)),
                today: n == 0,
                due: u32::try_from(due).unwrap_or(u32::MAX),
                date: text,
            }
        })
        .collect()
}
