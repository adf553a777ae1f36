//! One page for an officer: lamps, the next days, to do, my requests, settled.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, StepSubject, Subject},
    case::Clock,
    ids::DepartmentId,
    time::china_date,
};
use utoipa::ToSchema;

use crate::{
    features::{
        case::{
            self, CaseLineView, ClauseView, ClockView, Task, case_line, clause_view, clock_view,
        },
        directory,
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
    pub settled: Vec<CaseLineView>,
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
    pub case_id: String,
    pub number: String,
    /// What it is about, for example the name of the catalogue entry.
    pub title: String,
    pub process_name: String,
    /// Kind and id of the thing that it is about: `request`, `entry`, `grant`...
    pub subject_kind: String,
    pub subject_id: String,
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
    // A department that others were merged into goes on with what was theirs.
    let own = directory::answers_for(&mut db, ctx.department()).await?;
    let todo: Vec<TaskView> = case::tasks_of(&mut db, &own, TASKS_MAX)
        .await?
        .into_iter()
        .filter_map(|task| task_view(&ctx, task, &departments))
        .collect();
    let mut own_requests =
        request::requests_of_department(&mut db, &own, None, None, LISTED_MAX).await?;
    own_requests.truncate(usize::try_from(LISTED_MAX).unwrap_or(usize::MAX));
    let mine = request::lines(&ctx, &mut db, &own_requests, &departments).await?;
    let settled: Vec<CaseLineView> = case::settled_by(&mut db, &own, LISTED_MAX)
        .await?
        .iter()
        .map(|settled| case_line(&ctx, settled, &departments))
        .collect();
    let lamps = lamps(&ctx, &mut db, &own, &settled).await?;
    let days = strip(&ctx, &todo);
    reply(DeskView {
        lamps,
        days,
        todo,
        mine,
        settled,
    })
}

async fn lamps(
    ctx: &Ctx,
    db: &mut Db,
    own: &[DepartmentId],
    settled: &[CaseLineView],
) -> Result<LampsView, ApiError> {
    let today = china_date(ctx.now);
    // Where the next working day isn't known, only today counts as soon.
    let soon = ctx.app.calendar().next_working_day(today).unwrap_or(today);
    let (overdue, soon, all) = case::count_tasks(db, own, today, soon).await?;
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(LampsView {
        overdue: count(overdue),
        soon: count(soon),
        ample: count(all - overdue - soon),
        settled: u32::try_from(settled.len()).unwrap_or(u32::MAX),
    })
}

/// A task as the viewer sees it, from what is stored of the open step and from the pack alone.
fn task_view(ctx: &Ctx, task: Task, departments: &BTreeMap<String, String>) -> Option<TaskView> {
    let pack = ctx.app.packs.of_case(&task.pack_id, &task.pack_version)?;
    let process = pack.process(&task.process_id)?;
    let step = process.step(&task.step_id)?;
    let role = pack.role(&task.role)?;
    let subject = StepSubject {
        department: Some(&task.department_id),
        posts: &role.posts,
        action: step.action,
        filed_by: task.filed_by.as_ref(),
    };
    let clock = Clock::of_open(step, &task.open, china_date(ctx.now), &ctx.app.calendar());
    let limit = step
        .deadline
        .as_ref()
        .and_then(|deadline| deadline.limit.working_days());
    let clause = step
        .deadline
        .as_ref()
        .map_or(&step.clause, |deadline| &deadline.clause);
    let name_of = |id: &str| departments.get(id).cloned().unwrap_or_default();
    Some(TaskView {
        case_id: task.case_id.to_string(),
        number: task.number,
        title: task.title,
        process_name: ctx.language.name_of(process),
        subject_kind: task.subject_kind,
        subject_id: task.subject_id,
        may_take: ctx.may(Action::TakeStep, &Subject::Step(subject)),
        step_id: task.step_id.to_string(),
        step_name: ctx.language.name_of(step),
        action: step.action.code().to_owned(),
        requester_name: name_of(&task.requester_department_id),
        provider_name: name_of(&task.provider_department_id),
        opened_at: task.open.opened_at.to_string(),
        due_on: task.open.due_on.map(|d| d.to_string()),
        clock: clock_view(&clock, limit),
        clause: clause_view(clause, &pack),
    })
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
