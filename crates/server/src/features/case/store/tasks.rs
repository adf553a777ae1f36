//! SQL of open steps, as desks and supervision find them without replaying a case.

use tongqu_domain::{
    calendar::Calendar,
    case::{Case, Clock, OpenStep, StepState},
    ids::{CaseId, DepartmentId, PersonId},
    law::{Pack, ProcessId, RoleId, Step, StepId, StepKind},
    time::instant_text,
};

use super::broken;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

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

/// Writes the open steps of a case anew: who holds each, and who may take it besides.
pub(super) async fn save_tasks(
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
