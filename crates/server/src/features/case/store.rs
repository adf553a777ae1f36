//! All SQL of cases.

use std::sync::Arc;

use jiff::Timestamp;
use tongqu_domain::{
    calendar::Calendar,
    case::{Case, CaseEvent, CaseHead, Clock, OpenStep, StepState},
    ids::{CaseId, DepartmentId, PersonId},
    law::{Pack, ProcessId, RoleId, Step, StepId, StepKind},
    time::{china_date, instant_text},
};

use crate::{
    app::App,
    platform::db::{Db, DbError, RowExt as _, Tx, counters},
};

/// A case together with the pack it began under.
pub struct CaseRow {
    pub number: String,
    /// What it is about, in a line.
    pub title: String,
    /// Kind and id of the thing that it is about.
    pub subject: (String, String),
    pub case: Case,
    pub pack: Arc<Pack>,
}

/// An open step, as a desk shows it.
#[derive(Debug, Clone)]
pub struct Task {
    pub case_id: CaseId,
    pub number: String,
    pub title: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub pack_id: String,
    pub pack_version: String,
    pub process_id: ProcessId,
    pub step_id: StepId,
    pub open: OpenStep,
    pub requester_department_id: String,
    pub provider_department_id: String,
    /// Who holds it, and in which role of the pack.
    pub department_id: DepartmentId,
    pub role: RoleId,
    /// Who filed the case; `None` if the platform opened it.
    pub filed_by: Option<PersonId>,
}

/// A case in a list.
#[derive(Debug, Clone)]
pub struct CaseLine {
    pub case_id: CaseId,
    pub number: String,
    pub title: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub pack_id: String,
    pub pack_version: String,
    pub process_id: ProcessId,
    pub requester_department_id: String,
    pub provider_department_id: String,
    pub opened_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub outcome: Option<String>,
}

/// Which cases a list shows.
#[derive(Debug, Default)]
pub struct CaseFilter<'a> {
    /// Only those to which one of these departments is a party or in which it may take an open step;
    /// `None`: all.
    pub of: Option<&'a [DepartmentId]>,
    pub process: Option<&'a str>,
    pub subject: Option<(&'a str, &'a str)>,
    /// Only open ones, or only ended ones.
    pub ended: Option<bool>,
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("domain structures make JSON")
}

fn broken(column: &'static str, reason: impl std::fmt::Display) -> DbError {
    DbError::BrokenRow {
        column,
        reason: reason.to_string(),
    }
}

/// A case with its number, as it stands.
pub async fn find_row(db: &mut Db, app: &App, id: &CaseId) -> Result<Option<CaseRow>, DbError> {
    let row = sqlx::query(
        "SELECT number, title, subject_kind, subject_id, opening FROM cases WHERE id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let head: CaseHead = row.json("opening")?;
    let number = row.text("number")?;
    let pack = app
        .packs
        .of_case(head.pack.as_str(), &head.pack_version)
        .ok_or_else(|| broken("opening", format!("rule pack {} isn't loaded", head.pack)))?;
    let events = sqlx::query("SELECT event FROM case_events WHERE case_id = $1 ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(&mut *db)
        .await?
        .iter()
        .map(|row| row.json::<CaseEvent>("event"))
        .collect::<Result<Vec<_>, _>>()?;
    let case = Case::replay(head, events, &pack).map_err(|refusal| broken("event", refusal))?;
    Ok(Some(CaseRow {
        number,
        title: row.text("title")?,
        subject: (row.text("subject_kind")?, row.text("subject_id")?),
        case,
        pack,
    }))
}

/// A case that must be there, because something refers to it.
pub async fn find(db: &mut Db, app: &App, id: &CaseId) -> Result<CaseRow, DbError> {
    find_row(db, app, id)
        .await?
        .ok_or_else(|| broken("case_id", "there is no such case"))
}

/// The next number of its kind on a day, for example `SQ-2026-0921-0003`.
pub async fn next_number(tx: &mut Tx, prefix: &str) -> Result<String, DbError> {
    let day = china_date(tx.at());
    let stem = format!(
        "{prefix}-{:04}-{:02}{:02}-",
        day.year(),
        day.month(),
        day.day()
    );
    let next = counters::next(tx, &format!("case:{stem}")).await?;
    Ok(format!("{stem}{next:04}"))
}

/// Saves a case that has just been begun.
pub async fn save_new(
    tx: &mut Tx,
    number: &str,
    subject: (&str, &str),
    title: &str,
    case: &Case,
    pack: &Pack,
    calendar: &Calendar,
) -> Result<(), DbError> {
    let head = case.head();
    let department =
        |d: &Option<DepartmentId>| d.as_ref().map_or(String::new(), ToString::to_string);
    sqlx::query(
        "INSERT INTO cases (id, number, subject_kind, subject_id, pack_id, pack_version, process_id, \
         requester_department_id, provider_department_id, filed_by, opening, revision, opened_at, title) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13)",
    )
    .bind(head.id.as_str())
    .bind(number)
    .bind(subject.0)
    .bind(subject.1)
    .bind(head.pack.as_str())
    .bind(&head.pack_version)
    .bind(head.process.as_str())
    .bind(department(&head.parties.requester))
    .bind(department(&head.parties.provider))
    .bind(head.parties.filed_by.as_ref().map_or(String::new(), ToString::to_string))
    .bind(json(head))
    .bind(instant_text(head.opened_at))
    .bind(title)
    .execute(&mut **tx)
    .await?;
    save_events(tx, case, 0, pack, calendar).await
}

/// Saves what an act has added to a case.
///
/// Errors: [`DbError::Stale`] if somebody has acted in the case since it was read.
pub async fn save_steps(
    tx: &mut Tx,
    before: &Case,
    after: &Case,
    pack: &Pack,
    calendar: &Calendar,
) -> Result<(), DbError> {
    save_events(tx, after, before.last_seq(), pack, calendar).await
}

async fn save_events(
    tx: &mut Tx,
    case: &Case,
    known: u32,
    pack: &Pack,
    calendar: &Calendar,
) -> Result<(), DbError> {
    let id = case.head().id.as_str();
    let ending = case.ending();
    let done = sqlx::query(
        "UPDATE cases SET revision = $1, ended_at = $2, outcome = $3 WHERE id = $4 AND revision = $5",
    )
    .bind(i64::from(case.last_seq()))
    .bind(ending.map(|e| instant_text(e.at)))
    .bind(case.outcome().map(|o| json(&o).trim_matches('"').to_owned()))
    .bind(id)
    .bind(i64::from(known))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() != 1 {
        return Err(DbError::Stale);
    }
    for event in case.events_after(known) {
        sqlx::query("INSERT INTO case_events (case_id, seq, event, at) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(i64::from(event.seq))
            .bind(json(event))
            .bind(instant_text(event.at))
            .execute(&mut **tx)
            .await?;
    }
    save_tasks(tx, case, pack, calendar).await
}

async fn save_tasks(
    tx: &mut Tx,
    case: &Case,
    pack: &Pack,
    calendar: &Calendar,
) -> Result<(), DbError> {
    let id = case.head().id.as_str();
    for delete in [
        "DELETE FROM tasks WHERE case_id = $1",
        "DELETE FROM tasks_also WHERE case_id = $1",
    ] {
        sqlx::query(delete).bind(id).execute(&mut **tx).await?;
    }
    if case.is_ended() {
        return Ok(());
    }
    let steps = case
        .steps(pack, calendar, tx.at())
        .map_err(|refusal| broken("event", refusal))?;
    for step in steps {
        let StepState::Open { opened_at } = step.state else {
            continue;
        };
        let holders = holders(case, pack, &step.id);
        let (Some(((role, department), others)), StepKind::Required) =
            (holders.split_first(), step.kind)
        else {
            continue;
        };
        sqlx::query(
            "INSERT INTO tasks (case_id, step_id, department_id, role, opened_at, due_on, paused, counted_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(step.id.as_str())
        .bind(department.as_str())
        .bind(role.as_str())
        .bind(instant_text(opened_at))
        .bind(step.due_on.map(|d| d.to_string()))
        .bind(i64::from(step.clock == Clock::Paused))
        .bind(step.counted_at.map(instant_text))
        .execute(&mut **tx)
        .await?;
        for (role, department) in others {
            sqlx::query(
                "INSERT INTO tasks_also (case_id, step_id, department_id, role) VALUES ($1, $2, $3, $4)",
            )
            .bind(id)
            .bind(step.id.as_str())
            .bind(department.as_str())
            .bind(role.as_str())
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}

/// The departments that may take a step, each once with its first role; the main one first.
fn holders<'a>(
    case: &'a Case,
    pack: &'a Pack,
    step: &StepId,
) -> Vec<(&'a RoleId, &'a DepartmentId)> {
    let head = case.head();
    let rule = pack
        .process(&head.process)
        .and_then(|process| process.step(step));
    let mut holders: Vec<(&RoleId, &DepartmentId)> = Vec::new();
    for role in rule.into_iter().flat_map(Step::takers) {
        if let Some(department) = head.parties.holder(pack, role)
            && !holders.iter().any(|(_, known)| *known == department)
        {
            holders.push((role, department));
        }
    }
    holders
}

macro_rules! select_tasks {
    ($rest:literal) => {
        concat!(
            "SELECT t.case_id, c.number, c.title, c.subject_kind, c.subject_id, c.pack_id, c.pack_version, \
             c.process_id, t.step_id, t.opened_at, t.due_on, t.paused, t.counted_at, c.requester_department_id, \
             c.provider_department_id, t.department_id, t.role, c.filed_by \
             FROM tasks t JOIN cases c ON c.id = t.case_id ",
            $rest
        )
    };
}

macro_rules! select_tasks_also {
    ($rest:literal) => {
        concat!(
            "SELECT t.case_id, c.number, c.title, c.subject_kind, c.subject_id, c.pack_id, c.pack_version, \
             c.process_id, t.step_id, t.opened_at, t.due_on, t.paused, t.counted_at, c.requester_department_id, \
             c.provider_department_id, a.department_id, a.role, c.filed_by \
             FROM tasks_also a JOIN tasks t ON t.case_id = a.case_id AND t.step_id = a.step_id \
             JOIN cases c ON c.id = t.case_id ",
            $rest
        )
    };
}

fn task(row: &sqlx::any::AnyRow) -> Result<Task, DbError> {
    let filed_by = row.text("filed_by")?;
    Ok(Task {
        case_id: row.id("case_id")?,
        number: row.text("number")?,
        title: row.text("title")?,
        subject_kind: row.text("subject_kind")?,
        subject_id: row.text("subject_id")?,
        pack_id: row.text("pack_id")?,
        pack_version: row.text("pack_version")?,
        process_id: ProcessId::parse(&row.text("process_id")?)
            .map_err(|e| broken("process_id", e))?,
        step_id: StepId::parse(&row.text("step_id")?).map_err(|e| broken("step_id", e))?,
        open: OpenStep {
            opened_at: row.instant("opened_at")?,
            counted_at: row.opt_instant("counted_at")?,
            due_on: row.opt_date("due_on")?,
            is_paused: row.int("paused")? == 1,
        },
        requester_department_id: row.text("requester_department_id")?,
        provider_department_id: row.text("provider_department_id")?,
        department_id: row.id("department_id")?,
        role: RoleId::parse(&row.text("role")?).map_err(|e| broken("role", e))?,
        filed_by: (!filed_by.is_empty())
            .then(|| PersonId::parse(&filed_by))
            .transpose()
            .map_err(|e| broken("filed_by", e))?,
    })
}

/// Open steps that these departments hold or may take besides, the most urgent first; at most `limit`.
pub async fn tasks_of(
    db: &mut Db,
    departments: &[DepartmentId],
    limit: u32,
) -> Result<Vec<Task>, DbError> {
    let mut tasks = Vec::new();
    for department in departments {
        tasks.extend(held_by(db, department, limit).await?);
        tasks.extend(also_by(db, department, limit).await?);
    }
    // Dates sort as text; steps without one come after all that have one.
    let urgency = |task: &Task| {
        let due_on = task.open.due_on;
        (
            due_on.is_none(),
            due_on,
            task.open.opened_at,
            task.case_id.clone(),
            task.step_id.clone(),
        )
    };
    tasks.sort_by_cached_key(urgency);
    // Whoever answers for both sides of a case sees its step once.
    tasks.dedup_by(|a, b| a.case_id == b.case_id && a.step_id == b.step_id);
    tasks.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(tasks)
}

async fn held_by(
    db: &mut Db,
    department_id: &DepartmentId,
    limit: u32,
) -> Result<Vec<Task>, DbError> {
    let dated = sqlx::query(select_tasks!(
        "WHERE t.department_id = $1 AND t.due_on IS NOT NULL ORDER BY t.due_on, t.opened_at, t.case_id LIMIT $2"
    ))
    .bind(department_id.as_str())
    .bind(i64::from(limit))
    .fetch_all(&mut *db)
    .await?;
    let left = limit.saturating_sub(u32::try_from(dated.len()).unwrap_or(limit));
    let undated = sqlx::query(select_tasks!(
        "WHERE t.department_id = $1 AND t.due_on IS NULL ORDER BY t.opened_at, t.case_id LIMIT $2"
    ))
    .bind(department_id.as_str())
    .bind(i64::from(left))
    .fetch_all(db)
    .await?;
    dated.iter().chain(&undated).map(task).collect()
}

async fn also_by(
    db: &mut Db,
    department_id: &DepartmentId,
    limit: u32,
) -> Result<Vec<Task>, DbError> {
    sqlx::query(select_tasks_also!(
        "WHERE a.department_id = $1 \
         ORDER BY CASE WHEN t.due_on IS NULL THEN 1 ELSE 0 END, t.due_on, t.opened_at, t.case_id LIMIT $2"
    ))
    .bind(department_id.as_str())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(task)
    .collect()
}

/// How many open steps these departments hold or may take besides, by lamp: overdue, due until `soon`, all.
pub async fn count_tasks(
    db: &mut Db,
    departments: &[DepartmentId],
    today: jiff::civil::Date,
    soon: jiff::civil::Date,
) -> Result<(i64, i64, i64), DbError> {
    let mut sum = (0, 0, 0);
    for department in departments {
        for select in [
            "SELECT COUNT(*) AS n, \
             COALESCE(SUM(CASE WHEN due_on < $2 THEN 1 ELSE 0 END), 0) AS overdue, \
             COALESCE(SUM(CASE WHEN due_on >= $2 AND due_on <= $3 THEN 1 ELSE 0 END), 0) AS soon \
             FROM tasks WHERE department_id = $1",
            "SELECT COUNT(*) AS n, \
             COALESCE(SUM(CASE WHEN t.due_on < $2 THEN 1 ELSE 0 END), 0) AS overdue, \
             COALESCE(SUM(CASE WHEN t.due_on >= $2 AND t.due_on <= $3 THEN 1 ELSE 0 END), 0) AS soon \
             FROM tasks_also a JOIN tasks t ON t.case_id = a.case_id AND t.step_id = a.step_id \
             WHERE a.department_id = $1",
        ] {
            let row = sqlx::query(select)
                .bind(department.as_str())
                .bind(today.to_string())
                .bind(soon.to_string())
                .fetch_one(&mut *db)
                .await?;
            sum.0 += row.int("overdue")?;
            sum.1 += row.int("soon")?;
            sum.2 += row.int("n")?;
        }
    }
    Ok(sum)
}

macro_rules! select_lines {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, title, subject_kind, subject_id, pack_id, pack_version, process_id, \
             requester_department_id, provider_department_id, opened_at, ended_at, outcome FROM cases ",
            $rest
        )
    };
}

fn line(row: &sqlx::any::AnyRow) -> Result<CaseLine, DbError> {
    Ok(CaseLine {
        case_id: row.id("id")?,
        number: row.text("number")?,
        title: row.text("title")?,
        subject_kind: row.text("subject_kind")?,
        subject_id: row.text("subject_id")?,
        pack_id: row.text("pack_id")?,
        pack_version: row.text("pack_version")?,
        process_id: ProcessId::parse(&row.text("process_id")?)
            .map_err(|e| broken("process_id", e))?,
        requester_department_id: row.text("requester_department_id")?,
        provider_department_id: row.text("provider_department_id")?,
        opened_at: row.instant("opened_at")?,
        ended_at: row.opt_instant("ended_at")?,
        outcome: row.opt_text("outcome")?,
    })
}

/// Cases that a filter lets through, newest first; one more than `size`, from `cursor` on.
pub async fn list(
    db: &mut Db,
    filter: &CaseFilter<'_>,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<CaseLine>, DbError> {
    let Some(departments) = filter.of else {
        return list_of(db, filter, "", cursor, size).await;
    };
    let mut lines = Vec::new();
    for department in departments {
        lines.extend(list_of(db, filter, department.as_str(), cursor, size).await?);
    }
    lines.sort_by(|a, b| (b.opened_at, &a.case_id).cmp(&(a.opened_at, &b.case_id)));
    lines.dedup_by(|a, b| a.case_id == b.case_id);
    lines.truncate(
        usize::try_from(size)
            .unwrap_or(usize::MAX)
            .saturating_add(1),
    );
    Ok(lines)
}

/// The same for one department; '' for all.
async fn list_of(
    db: &mut Db,
    filter: &CaseFilter<'_>,
    department: &str,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<CaseLine>, DbError> {
    let (at, id) = cursor
        .and_then(|c| c.split_once(' '))
        .unwrap_or(("9999", ""));
    let (subject_kind, subject_id) = filter.subject.unwrap_or(("", ""));
    let ended = match filter.ended {
        None => "",
        Some(true) => "ended",
        Some(false) => "open",
    };
    sqlx::query(select_lines!(
        "WHERE (opened_at < $1 OR (opened_at = $1 AND id > $2)) \
         AND ($3 = '' OR requester_department_id = $3 OR provider_department_id = $3 \
              OR EXISTS (SELECT 1 FROM tasks t WHERE t.case_id = cases.id AND t.department_id = $3) \
              OR EXISTS (SELECT 1 FROM tasks_also a WHERE a.case_id = cases.id AND a.department_id = $3)) \
         AND ($4 = '' OR process_id = $4) AND ($5 = '' OR (subject_kind = $5 AND subject_id = $6)) \
         AND ($7 = '' OR ($7 = 'ended' AND ended_at IS NOT NULL) OR ($7 = 'open' AND ended_at IS NULL)) \
         ORDER BY opened_at DESC, id LIMIT $8"
    ))
    .bind(at)
    .bind(id)
    .bind(department)
    .bind(filter.process.unwrap_or_default())
    .bind(subject_kind)
    .bind(subject_id)
    .bind(ended)
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(line)
    .collect()
}

/// Cases of a process about a thing, newest first.
pub async fn of_process_about(
    db: &mut Db,
    process: &ProcessId,
    subject: (&str, &str),
) -> Result<Vec<CaseLine>, DbError> {
    sqlx::query(select_lines!(
        "WHERE subject_kind = $1 AND subject_id = $2 AND process_id = $3 ORDER BY opened_at DESC, id"
    ))
    .bind(subject.0)
    .bind(subject.1)
    .bind(process.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(line)
    .collect()
}

/// Cases of any process about a thing, open and ended, oldest first.
pub async fn all_about(db: &mut Db, subject: (&str, &str)) -> Result<Vec<CaseLine>, DbError> {
    sqlx::query(select_lines!(
        "WHERE subject_kind = $1 AND subject_id = $2 ORDER BY opened_at, id"
    ))
    .bind(subject.0)
    .bind(subject.1)
    .fetch_all(db)
    .await?
    .iter()
    .map(line)
    .collect()
}

/// Open cases about a thing, oldest first.
pub async fn open_about(db: &mut Db, subject: (&str, &str)) -> Result<Vec<CaseLine>, DbError> {
    sqlx::query(select_lines!(
        "WHERE subject_kind = $1 AND subject_id = $2 AND ended_at IS NULL ORDER BY opened_at, id"
    ))
    .bind(subject.0)
    .bind(subject.1)
    .fetch_all(db)
    .await?
    .iter()
    .map(line)
    .collect()
}

/// Ended cases to which these departments provided, newest first: the lines of those settled by them.
pub async fn settled_by(
    db: &mut Db,
    departments: &[DepartmentId],
    limit: u32,
) -> Result<Vec<CaseLine>, DbError> {
    let mut lines = Vec::new();
    for department in departments {
        let rows = sqlx::query(select_lines!(
            "WHERE provider_department_id = $1 AND ended_at IS NOT NULL ORDER BY ended_at DESC, id LIMIT $2"
        ))
        .bind(department.as_str())
        .bind(i64::from(limit))
        .fetch_all(&mut *db)
        .await?;
        for row in &rows {
            lines.push(line(row)?);
        }
    }
    lines.sort_by(|a, b| (b.ended_at, &a.case_id).cmp(&(a.ended_at, &b.case_id)));
    lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(lines)
}

/// How many cases are open.
pub async fn count_open(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM cases WHERE ended_at IS NULL")
        .fetch_one(db)
        .await?
        .int("n")
}
