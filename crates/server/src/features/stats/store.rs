//! All SQL of statistics. Reads only; every question is bounded by the departments, by the mounted entries, or
//! by what happened in the period.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use tongqu_domain::{
    case::{CaseEvent, Happening},
    catalogue::UpdateCycle,
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _};

/// Published entries of a department.
#[derive(Debug, Clone, Copy)]
pub struct Entries {
    pub published: i64,
    pub mounted: i64,
    pub with_data: i64,
}

/// Published entries by department.
pub(super) async fn entries(db: &mut Db) -> Result<BTreeMap<String, Entries>, DbError> {
    sqlx::query(
        "SELECT e.department_id, COUNT(*) AS published, COUNT(m.id) AS mounted, \
         CAST(SUM(CASE WHEN m.pooled = 1 AND m.rows_total > 0 THEN 1 ELSE 0 END) AS BIGINT) AS with_data \
         FROM entries e LEFT JOIN mountings m ON m.entry_id = e.id \
         WHERE e.active_no IS NOT NULL GROUP BY e.department_id",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok((
            row.text("department_id")?,
            Entries {
                published: row.int("published")?,
                mounted: row.int("mounted")?,
                with_data: row.int("with_data")?,
            },
        ))
    })
    .collect()
}

/// An entry of which the platform holds rows.
#[derive(Debug)]
pub struct Held {
    pub department_id: String,
    pub cycle: UpdateCycle,
    pub last_arrival_at: Option<Timestamp>,
}

/// The entries of which the platform holds rows.
pub(super) async fn held(db: &mut Db) -> Result<Vec<Held>, DbError> {
    #[derive(serde::Deserialize)]
    struct Content {
        update_cycle: UpdateCycle,
    }
    let mut rows = sqlx::query(
        "SELECT e.department_id, v.content, m.last_arrival_at FROM mountings m \
         JOIN entries e ON e.id = m.entry_id JOIN versions v ON v.entry_id = e.id AND v.no = e.active_no \
         WHERE m.pooled = 1 AND m.rows_total > 0",
    )
    .fetch(db);
    let mut held = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let content: Content = row.json("content")?;
        held.push(Held {
            department_id: row.text("department_id")?,
            cycle: content.update_cycle,
            last_arrival_at: row.opt_instant("last_arrival_at")?,
        });
    }
    Ok(held)
}

/// Requests between two departments.
#[derive(Debug)]
pub struct Asked {
    pub provider_id: String,
    pub requester_id: String,
    pub requests: i64,
}

/// Requests filed from `from` until `until`, by both sides.
pub(super) async fn asked(
    db: &mut Db,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Asked>, DbError> {
    sqlx::query(
        "SELECT provider_department_id, requester_department_id, COUNT(*) AS n FROM sharing_requests \
         WHERE created_at >= $1 AND created_at < $2 GROUP BY provider_department_id, requester_department_id",
    )
    .bind(instant_text(from))
    .bind(instant_text(until))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Asked {
            provider_id: row.text("provider_department_id")?,
            requester_id: row.text("requester_department_id")?,
            requests: row.int("n")?,
        })
    })
    .collect()
}

/// A step that was taken.
#[derive(Debug)]
pub struct Taken {
    /// Whether its case is one of a request for data.
    pub on_request: bool,
    pub provider_id: String,
    /// When the case was opened.
    pub opened_at: Timestamp,
    pub event: CaseEvent,
}

/// Gives each step taken from `from` until `until` to `each`, one after the other, so that a busy year isn't
/// held in memory.
pub(super) async fn for_each_step(
    db: &mut Db,
    from: Timestamp,
    until: Timestamp,
    mut each: impl FnMut(&Taken) + Send,
) -> Result<(), DbError> {
    let mut rows = sqlx::query(
        "SELECT c.subject_kind, c.provider_department_id, c.opened_at, e.event FROM case_events e \
         JOIN cases c ON c.id = e.case_id WHERE e.at >= $1 AND e.at < $2",
    )
    .bind(instant_text(from))
    .bind(instant_text(until))
    .fetch(db);
    while let Some(row) = rows.try_next().await? {
        let event: CaseEvent = row.json("event")?;
        if event.happening != Happening::StepDone {
            continue;
        }
        each(&Taken {
            on_request: row.text("subject_kind")? == "request",
            provider_id: row.text("provider_department_id")?,
            opened_at: row.instant("opened_at")?,
            event,
        });
    }
    Ok(())
}

/// How often each of these acts happened from `from` until `until`.
pub(super) async fn acts(
    db: &mut Db,
    whats: [&str; 2],
    from: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<String, i64>, DbError> {
    let [first, second] = whats;
    sqlx::query(
        "SELECT what, COUNT(*) AS n FROM evidence WHERE what IN ($1, $2) AND at >= $3 AND at < $4 GROUP BY what",
    )
    .bind(first.to_owned())
    .bind(second.to_owned())
    .bind(instant_text(from))
    .bind(instant_text(until))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((row.text("what")?, row.int("n")?)))
    .collect()
}
