//! All SQL of the calendar.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    calendar::Calendar,
    case::{Case, CaseEvent, CaseHead},
    ids::{CaseId, DepartmentId},
    law::Pack,
    time::instant_text,
};

use crate::{
    app::App,
    platform::db::{Db, DbError, RowExt as _, Tx},
};

/// A holiday notice as it was loaded.
#[derive(Debug)]
pub(super) struct Notice {
    pub no: i64,
    pub title: String,
    pub number: String,
    pub calendar: Calendar,
    pub loaded_by: String,
    pub loaded_at: Timestamp,
}

/// Every notice, in the order of loading.
pub(super) async fn notices(db: &mut Db) -> Result<Vec<Notice>, DbError> {
    sqlx::query("SELECT no, title, number, csv, loaded_by, loaded_at FROM calendars ORDER BY no")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| {
            let csv = row.text("csv")?;
            Ok(Notice {
                no: row.int("no")?,
                title: row.text("title")?,
                number: row.text("number")?,
                calendar: Calendar::parse_csv(&csv).map_err(|e| broken("csv", e))?,
                loaded_by: row.text("loaded_by")?,
                loaded_at: row.instant("loaded_at")?,
            })
        })
        .collect()
}

/// The number of the last notice; 0 without one.
pub(super) async fn last_no(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COALESCE(MAX(no), 0) AS no FROM calendars")
        .fetch_one(db)
        .await?
        .int("no")
}

/// Keeps a notice under the next number.
pub(super) async fn insert_notice(
    tx: &mut Tx,
    title: &str,
    number: &str,
    csv: &str,
    person_id: &str,
) -> Result<i64, DbError> {
    let no = last_no(tx).await? + 1;
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO calendars (no, title, number, csv, loaded_by, loaded_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(no)
    .bind(title)
    .bind(number)
    .bind(csv)
    .bind(person_id)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(no)
}

/// An open step as it is saved.
#[derive(Debug)]
pub struct OpenStep {
    pub case_id: CaseId,
    pub step_id: String,
    pub department_id: DepartmentId,
    pub opened_at: Timestamp,
    pub due_on: Option<Date>,
    pub number: String,
}

/// A case with its open steps, replayed from its events.
pub struct OpenCase {
    pub case: Case,
    pub pack: Arc<Pack>,
    pub steps: Vec<OpenStep>,
}

/// The next cases after `after` that have an open step without a date or with one from `from` on: at most
/// as many as `rows_max` steps are theirs.
pub(super) async fn open_cases(
    db: &mut Db,
    app: &App,
    after: &str,
    from: Date,
    rows_max: u32,
) -> Result<Vec<OpenCase>, DbError> {
    let rows = sqlx::query(
        "SELECT t.case_id, t.step_id, t.department_id, t.opened_at, t.due_on, c.number, c.opening \
         FROM tasks t JOIN cases c ON c.id = t.case_id \
         WHERE t.case_id > $1 AND (t.due_on IS NULL OR t.due_on >= $2) ORDER BY t.case_id, t.step_id LIMIT $3",
    )
    .bind(after)
    .bind(from.to_string())
    .bind(i64::from(rows_max))
    .fetch_all(&mut *db)
    .await?;
    let is_full = rows.len() >= usize::try_from(rows_max).unwrap_or(usize::MAX);
    let mut cases: BTreeMap<String, (CaseHead, Vec<OpenStep>)> = BTreeMap::new();
    for row in &rows {
        let id = row.text("case_id")?;
        if !cases.contains_key(&id) {
            cases.insert(id.clone(), (row.json("opening")?, Vec::new()));
        }
        if let Some((_, steps)) = cases.get_mut(&id) {
            steps.push(OpenStep {
                case_id: row.id("case_id")?,
                step_id: row.text("step_id")?,
                department_id: row.id("department_id")?,
                opened_at: row.instant("opened_at")?,
                due_on: row.opt_date("due_on")?,
                number: row.text("number")?,
            });
        }
    }
    // Further steps of the last case may stand on the next page; a page never ends within a case.
    if is_full && cases.len() > 1 {
        cases.pop_last();
    }
    let Some(last) = cases.keys().next_back().cloned() else {
        return Ok(Vec::new());
    };
    let mut events: BTreeMap<String, Vec<CaseEvent>> = BTreeMap::new();
    for row in sqlx::query(
        "SELECT e.case_id, e.event FROM case_events e WHERE e.case_id > $1 AND e.case_id <= $2 AND EXISTS \
         (SELECT 1 FROM tasks t WHERE t.case_id = e.case_id AND (t.due_on IS NULL OR t.due_on >= $3)) \
         ORDER BY e.case_id, e.seq",
    )
    .bind(after)
    .bind(last)
    .bind(from.to_string())
    .fetch_all(&mut *db)
    .await?
    {
        events
            .entry(row.text("case_id")?)
            .or_default()
            .push(row.json("event")?);
    }
    cases
        .into_iter()
        .map(|(id, (head, steps))| {
            let pack = app
                .packs
                .of_case(head.pack.as_str(), &head.pack_version)
                .ok_or_else(|| {
                    broken("opening", format!("rule pack {} isn't loaded", head.pack))
                })?;
            let case = Case::replay(head, events.remove(&id).unwrap_or_default(), &pack)
                .map_err(|refusal| broken("event", refusal))?;
            Ok(OpenCase { case, pack, steps })
        })
        .collect()
}

/// Puts another date on an open step; nothing happens if it is no longer open as it was read.
pub(super) async fn move_step(
    tx: &mut Tx,
    step: &OpenStep,
    due_on: Option<Date>,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE tasks SET due_on = $1 WHERE case_id = $2 AND step_id = $3 AND opened_at = $4",
    )
    .bind(due_on.map(|d| d.to_string()))
    .bind(step.case_id.as_str())
    .bind(&step.step_id)
    .bind(instant_text(step.opened_at))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn broken(column: &'static str, reason: impl std::fmt::Display) -> DbError {
    DbError::BrokenRow {
        column,
        reason: reason.to_string(),
    }
}
