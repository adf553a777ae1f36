//! Overdue steps and what was found about them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    ids::{CaseId, DepartmentId},
    law::ProcessId,
    supervision::{Consequences, FindingKind, FindingState},
    time::instant_text,
};

use super::broken;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// Where a sweep stands: everything up to here was looked at. The default is the beginning.
#[derive(Debug, Clone, Default)]
pub struct Place {
    due_on: String,
    case_id: String,
    step_id: String,
}

/// An open step past its date, about which nothing was found yet.
#[derive(Debug)]
pub struct OverdueStep {
    pub case_id: CaseId,
    pub step_id: String,
    pub department_id: DepartmentId,
    pub opened_at: Timestamp,
    pub due_on: Date,
    pub pack_id: String,
    pub pack_version: String,
    pub process_id: ProcessId,
}

impl OverdueStep {
    /// The place of this step.
    pub fn place(&self) -> Place {
        Place {
            due_on: self.due_on.to_string(),
            case_id: self.case_id.to_string(),
            step_id: self.step_id.clone(),
        }
    }
}

/// The next overdue steps after `place`, the oldest date first.
pub async fn overdue(
    db: &mut Db,
    today: Date,
    place: &Place,
    rows_max: u32,
) -> Result<Vec<OverdueStep>, DbError> {
    sqlx::query(
        "SELECT t.due_on, t.case_id, t.step_id, t.department_id, t.opened_at, c.pack_id, c.pack_version, c.process_id \
         FROM tasks t JOIN cases c ON c.id = t.case_id \
         WHERE t.due_on < $1 AND t.paused = 0 AND (t.due_on, t.case_id, t.step_id) > ($2, $3, $4) \
         AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.case_id = t.case_id AND f.step_id = t.step_id \
         AND f.opened_at = t.opened_at) \
         ORDER BY t.due_on, t.case_id, t.step_id LIMIT $5",
    )
    .bind(today.to_string())
    .bind(&place.due_on)
    .bind(&place.case_id)
    .bind(&place.step_id)
    .bind(i64::from(rows_max))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(OverdueStep {
            case_id: row.id("case_id")?,
            step_id: row.text("step_id")?,
            department_id: row.id("department_id")?,
            opened_at: row.instant("opened_at")?,
            due_on: row.parsed("due_on")?,
            pack_id: row.text("pack_id")?,
            pack_version: row.text("pack_version")?,
            process_id: ProcessId::parse(&row.text("process_id")?)
                .map_err(|e| broken("process_id", e))?,
        })
    })
    .collect()
}

/// Columns of a finding that its first record fills in.
const COLUMNS: usize = 11;

/// Keeps drafts; of a step about which there is a record already, none is added. Gives the ids of those
/// that are new.
pub async fn insert(
    tx: &mut Tx,
    drafts: &[(String, OverdueStep, Consequences)],
) -> Result<BTreeSet<String>, DbError> {
    if drafts.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<String> = (0..drafts.len())
        .map(|row| {
            let marks: Vec<String> = (1..=COLUMNS)
                .map(|column| format!("${}", row * COLUMNS + column))
                .collect();
            format!("({}, 'draft')", marks.join(", "))
        })
        .collect();
    let text = format!(
        "INSERT INTO findings (id, case_id, step_id, opened_at, department_id, due_on, kind, code, process_id, \
         clause, found_at, state) VALUES {} ON CONFLICT (case_id, step_id, opened_at) DO NOTHING RETURNING id",
        rows.join(", ")
    );
    let found_at = instant_text(tx.at());
    // Nothing but numbered placeholders is put into the text.
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (id, step, consequences) in drafts {
        query = query
            .bind(id.clone())
            .bind(step.case_id.to_string())
            .bind(step.step_id.clone())
            .bind(instant_text(step.opened_at))
            .bind(step.department_id.to_string())
            .bind(step.due_on.to_string())
            .bind(consequences.kind.code())
            .bind(consequences.code.clone())
            .bind(consequences.process.as_ref().map(ToString::to_string))
            .bind(consequences.clause.to_string())
            .bind(found_at.clone());
    }
    query
        .fetch_all(&mut **tx)
        .await?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// What was found about a step, with how the step stands now.
#[derive(Debug)]
pub struct Finding {
    pub id: String,
    pub case_id: CaseId,
    pub number: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub pack_id: String,
    pub pack_version: String,
    pub case_process_id: ProcessId,
    pub step_id: String,
    pub opened_at: Timestamp,
    pub department_id: DepartmentId,
    pub due_on: Date,
    pub kind: FindingKind,
    pub code: Option<String>,
    pub process_id: Option<ProcessId>,
    pub clause: String,
    pub found_at: Timestamp,
    pub state: FindingState,
    pub text: Option<String>,
    pub settled_by: Option<String>,
    pub settled_at: Option<Timestamp>,
    pub follow_up_case_id: Option<String>,
    /// Whether the step is still open as it was then.
    pub open: bool,
    /// The date of the open step now.
    pub due_on_now: Option<Date>,
}

const SELECT: &str = "SELECT f.id, f.case_id, f.step_id, f.opened_at, f.department_id, f.due_on, f.kind, f.code, \
     f.process_id, f.clause, f.found_at, f.state, f.text, f.settled_by, f.settled_at, f.follow_up_case_id, \
     c.number, c.subject_kind, c.subject_id, c.pack_id, c.pack_version, c.process_id AS case_process_id, \
     CASE WHEN t.case_id IS NULL THEN 0 ELSE 1 END AS open, t.due_on AS due_on_now \
     FROM findings f JOIN cases c ON c.id = f.case_id \
     LEFT JOIN tasks t ON t.case_id = f.case_id AND t.step_id = f.step_id AND t.opened_at = f.opened_at ";

fn finding(row: &sqlx::any::AnyRow) -> Result<Finding, DbError> {
    let process = |column| -> Result<Option<ProcessId>, DbError> {
        row.opt_text(column)?
            .map(|id| ProcessId::parse(&id).map_err(|e| broken(column, e)))
            .transpose()
    };
    let kind = row.text("kind")?;
    let state = row.text("state")?;
    Ok(Finding {
        id: row.text("id")?,
        case_id: row.id("case_id")?,
        number: row.text("number")?,
        subject_kind: row.text("subject_kind")?,
        subject_id: row.text("subject_id")?,
        pack_id: row.text("pack_id")?,
        pack_version: row.text("pack_version")?,
        case_process_id: process("case_process_id")?
            .ok_or_else(|| broken("case_process_id", "it is empty"))?,
        step_id: row.text("step_id")?,
        opened_at: row.instant("opened_at")?,
        department_id: row.id("department_id")?,
        due_on: row.parsed("due_on")?,
        kind: FindingKind::find(&kind).ok_or_else(|| broken("kind", &kind))?,
        code: row.opt_text("code")?,
        process_id: process("process_id")?,
        clause: row.text("clause")?,
        found_at: row.instant("found_at")?,
        state: FindingState::find(&state).ok_or_else(|| broken("state", &state))?,
        text: row.opt_text("text")?,
        settled_by: row.opt_text("settled_by")?,
        settled_at: row.opt_instant("settled_at")?,
        follow_up_case_id: row.opt_text("follow_up_case_id")?,
        open: row.flag("open")?,
        due_on_now: row.opt_date("due_on_now")?,
    })
}

/// A finding by its id.
pub async fn find(db: &mut Db, id: &str) -> Result<Option<Finding>, DbError> {
    let text = format!("{SELECT} WHERE f.id = $1");
    sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(id)
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(finding)
        .transpose()
}

/// Which findings are wanted; an empty text wants all.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub department_id: &'a str,
    pub state: &'a str,
    pub clause: &'a str,
    /// Drafts are for the authority only.
    pub without_drafts: bool,
    pub cursor: Option<&'a str>,
}

/// Findings, the newest first: one more than `size`, so that the caller knows whether there is a next page.
pub async fn list(db: &mut Db, wanted: &Wanted<'_>, size: u32) -> Result<Vec<Finding>, DbError> {
    let text = format!(
        "{SELECT} WHERE ($1 = '' OR f.department_id = $1) AND ($2 = '' OR f.state = $2) \
         AND ($3 = '' OR f.clause = $3) AND ($4 = 0 OR f.state <> 'draft') AND f.found_at || ' ' || f.id < $5 \
         ORDER BY f.found_at DESC, f.id DESC LIMIT $6"
    );
    sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(wanted.department_id)
        .bind(wanted.state)
        .bind(wanted.clause)
        .bind(i64::from(wanted.without_drafts))
        .bind(wanted.cursor.unwrap_or("~"))
        .bind(i64::from(size) + 1)
        .fetch_all(db)
        .await?
        .iter()
        .map(finding)
        .collect()
}

/// How a draft was settled.
#[derive(Debug)]
pub struct Settled<'a> {
    pub state: FindingState,
    pub text: &'a str,
    pub by: &'a str,
    pub follow_up_case_id: Option<&'a str>,
}

/// Settles a draft.
///
/// Errors: [`DbError::Stale`] if it is no draft any more.
pub async fn settle(tx: &mut Tx, id: &str, settled: &Settled<'_>) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    let done = sqlx::query(
        "UPDATE findings SET state = $1, text = $2, settled_by = $3, settled_at = $4, follow_up_case_id = $5 \
         WHERE id = $6 AND state = 'draft'",
    )
    .bind(settled.state.code())
    .bind(settled.text)
    .bind(settled.by)
    .bind(at)
    .bind(settled.follow_up_case_id)
    .bind(id)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(DbError::Stale)
    }
}

/// How many drafts wait, by department.
pub async fn drafts_by_department(db: &mut Db) -> Result<BTreeMap<String, i64>, DbError> {
    sqlx::query("SELECT department_id, COUNT(*) AS n FROM findings WHERE state = 'draft' GROUP BY department_id")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((row.text("department_id")?, row.int("n")?)))
        .collect()
}
