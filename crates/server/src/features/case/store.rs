//! All SQL of cases.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    calendar::Calendar,
    case::{Case, CaseEvent, CaseHead, StepState},
    ids::{CaseId, DepartmentId},
    law::{Pack, StepKind},
    time::{china_date, instant_text},
};

use crate::{
    app::App,
    platform::db::{Db, DbError, RowExt as _, Tx, counters},
};

/// A case together with the pack it began under.
pub struct CaseRow {
    pub number: String,
    pub case: Case,
    pub pack: Arc<Pack>,
}

/// An open step, as a desk shows it.
#[derive(Debug, Clone)]
pub struct Task {
    pub case_id: CaseId,
    pub number: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub step_id: String,
    pub opened_at: Timestamp,
    pub due_on: Option<Date>,
    pub requester_department_id: String,
    pub provider_department_id: String,
    pub department_id: String,
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
    let row = sqlx::query("SELECT number, opening FROM cases WHERE id = $1")
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
    Ok(Some(CaseRow { number, case, pack }))
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
    case: &Case,
    pack: &Pack,
    calendar: &Calendar,
) -> Result<(), DbError> {
    let head = case.head();
    let department =
        |d: &Option<DepartmentId>| d.as_ref().map_or(String::new(), ToString::to_string);
    sqlx::query(
        "INSERT INTO cases (id, number, subject_kind, subject_id, pack_id, pack_version, process_id, \
         requester_department_id, provider_department_id, filed_by, opening, revision, opened_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12)",
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
    sqlx::query("DELETE FROM tasks WHERE case_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
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
        let (Some(department), StepKind::Required) = (&step.department, step.kind) else {
            continue;
        };
        sqlx::query(
            "INSERT INTO tasks (case_id, step_id, department_id, role, opened_at, due_on) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(step.id.as_str())
        .bind(department.as_str())
        .bind(step.role.as_str())
        .bind(instant_text(opened_at))
        .bind(step.due_on.map(|d| d.to_string()))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

fn task(row: &sqlx::any::AnyRow) -> Result<Task, DbError> {
    Ok(Task {
        case_id: row.id("case_id")?,
        number: row.text("number")?,
        subject_kind: row.text("subject_kind")?,
        subject_id: row.text("subject_id")?,
        step_id: row.text("step_id")?,
        opened_at: row.instant("opened_at")?,
        due_on: row.opt_date("due_on")?,
        requester_department_id: row.text("requester_department_id")?,
        provider_department_id: row.text("provider_department_id")?,
        department_id: row.text("department_id")?,
    })
}

/// Open steps that a department holds, the most urgent first; at most `limit`.
pub async fn tasks_of(
    db: &mut Db,
    department_id: &DepartmentId,
    limit: u32,
) -> Result<Vec<Task>, DbError> {
    sqlx::query(
        "SELECT t.case_id, c.number, c.subject_kind, c.subject_id, t.step_id, t.opened_at, t.due_on, \
         c.requester_department_id, c.provider_department_id, t.department_id \
         FROM tasks t JOIN cases c ON c.id = t.case_id WHERE t.department_id = $1 \
         ORDER BY COALESCE(t.due_on, '9999'), t.opened_at, t.case_id LIMIT $2",
    )
    .bind(department_id.as_str())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(task)
    .collect()
}

/// Cases in which somebody of this department has taken a step, newest first: subject and number.
pub async fn settled_by(
    db: &mut Db,
    department_id: &DepartmentId,
    limit: u32,
) -> Result<Vec<(CaseId, String, String)>, DbError> {
    sqlx::query(
        "SELECT id, subject_kind, subject_id FROM cases \
         WHERE provider_department_id = $1 AND ended_at IS NOT NULL ORDER BY ended_at DESC, id LIMIT $2",
    )
    .bind(department_id.as_str())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((row.id("id")?, row.text("subject_kind")?, row.text("subject_id")?)))
    .collect()
}

/// How many cases are open.
pub async fn count_open(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM cases WHERE ended_at IS NULL")
        .fetch_one(db)
        .await?
        .int("n")
}
