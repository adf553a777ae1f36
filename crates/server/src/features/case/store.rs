//! All SQL of cases. Their open steps have a room of their own.

mod tasks;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tongqu_domain::{
    calendar::Calendar,
    case::{Case, CaseEvent, CaseHead},
    ids::{CaseId, DepartmentId},
    law::{Pack, ProcessId},
    time::{china_date, instant_text},
};

use crate::{
    app::App,
    platform::db::{Db, DbError, RowExt as _, Tx, counters, in_places, placed},
};

use tasks::save_tasks;
pub use tasks::{Task, count_tasks, tasks_of};

/// A case together with the pack it began under.
pub struct CaseRow {
    pub number: String,
    /// What it is about, in a line.
    pub title: String,
    /// Kind and id of the thing that it is about.
    pub subject: (String, String),
    pub case: Case,
    pub pack: Arc<Pack>,
    /// Whether only the department that asks sees it, see [`hold`].
    pub held: bool,
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
        "SELECT number, title, subject_kind, subject_id, opening, held FROM cases WHERE id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let events = sqlx::query("SELECT event FROM case_events WHERE case_id = $1 ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(&mut *db)
        .await?
        .iter()
        .map(|row| row.json::<CaseEvent>("event"))
        .collect::<Result<Vec<_>, _>>()?;
    case_row(app, &row, events).map(Some)
}

/// Several cases as they stand, in a few statements however many they are. One that isn't there is left out.
pub async fn find_many(
    db: &mut Db,
    app: &App,
    ids: &[CaseId],
) -> Result<BTreeMap<CaseId, CaseRow>, DbError> {
    let mut found = BTreeMap::new();
    for places in placed(ids) {
        let mut events: BTreeMap<CaseId, Vec<CaseEvent>> = BTreeMap::new();
        let mut query = sqlx::query(concat!(
            "SELECT case_id, event FROM case_events WHERE case_id IN ",
            in_places!(),
            " ORDER BY case_id, seq"
        ));
        for place in &places {
            query = query.bind(place.clone());
        }
        for row in query.fetch_all(&mut *db).await? {
            let of: CaseId = row.id("case_id")?;
            events.entry(of).or_default().push(row.json("event")?);
        }
        let mut query = sqlx::query(concat!(
            "SELECT id, number, title, subject_kind, subject_id, opening, held FROM cases WHERE id IN ",
            in_places!()
        ));
        for place in places {
            query = query.bind(place);
        }
        for row in query.fetch_all(&mut *db).await? {
            let id: CaseId = row.id("id")?;
            let known = events.remove(&id).unwrap_or_default();
            found.insert(id, case_row(app, &row, known)?);
        }
    }
    Ok(found)
}

fn case_row(
    app: &App,
    row: &sqlx::any::AnyRow,
    events: Vec<CaseEvent>,
) -> Result<CaseRow, DbError> {
    let head: CaseHead = row.json("opening")?;
    let pack = app
        .packs
        .of_case(head.pack.as_str(), &head.pack_version)
        .ok_or_else(|| broken("opening", format!("rule pack {} isn't loaded", head.pack)))?;
    let case = Case::replay(head, events, &pack).map_err(|refusal| broken("event", refusal))?;
    Ok(CaseRow {
        number: row.text("number")?,
        title: row.text("title")?,
        subject: (row.text("subject_kind")?, row.text("subject_id")?),
        case,
        pack,
        held: row.int("held")? == 1,
    })
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

/// Hides a case that has just been begun from everybody but the department that asks, until [`show`]: its open
/// steps are on no desk. Its dates run as if it were seen.
pub async fn hold(tx: &mut Tx, id: &CaseId) -> Result<(), DbError> {
    for hide in [
        "UPDATE cases SET held = 1 WHERE id = $1",
        "DELETE FROM tasks WHERE case_id = $1",
        "DELETE FROM tasks_also WHERE case_id = $1",
    ] {
        sqlx::query(hide)
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Shows a case that was held back to everybody whom it concerns.
pub async fn show(
    tx: &mut Tx,
    case: &Case,
    pack: &Pack,
    calendar: &Calendar,
) -> Result<(), DbError> {
    sqlx::query("UPDATE cases SET held = 0 WHERE id = $1")
        .bind(case.head().id.as_str())
        .execute(&mut **tx)
        .await?;
    save_tasks(tx, case, pack, calendar).await
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
        "WHERE (opened_at < $1 OR (opened_at = $1 AND id > $2)) AND (held = 0 OR requester_department_id = $3) \
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

/// The oldest open case about each of several things of a kind, by the thing's id.
pub async fn open_about_each<T: ToString>(
    db: &mut Db,
    kind: &str,
    ids: &[T],
) -> Result<BTreeMap<String, CaseId>, DbError> {
    let mut found = BTreeMap::new();
    for places in placed(ids) {
        let mut query = sqlx::query(concat!(
            "SELECT subject_id, id FROM cases WHERE subject_id IN ",
            in_places!(),
            " AND subject_kind = $21 AND ended_at IS NULL ORDER BY opened_at, id"
        ));
        for place in places {
            query = query.bind(place);
        }
        for row in query.bind(kind).fetch_all(&mut *db).await? {
            found
                .entry(row.text("subject_id")?)
                .or_insert(row.id("id")?);
        }
    }
    Ok(found)
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
            "WHERE provider_department_id = $1 AND ended_at IS NOT NULL AND held = 0 ORDER BY ended_at DESC, id LIMIT $2"
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
    sqlx::query("SELECT COUNT(*) AS n FROM cases WHERE ended_at IS NULL AND held = 0")
        .fetch_one(db)
        .await?
        .int("n")
}
