//! Numbers for reports and statistics, from what the other features have stored. Reads only.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    case::{CaseEvent, Happening},
    ids::DepartmentId,
    law::Outcome,
    time::{china_date, instant_text},
};

use crate::platform::db::{Db, DbError, RowExt as _};

/// What a department has provided and used between two instants.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Versions of its entries that were published.
    pub entries_published: i64,
    pub requests_filed: i64,
    pub requests_received: i64,
    /// Grants on its data.
    pub grants_given: i64,
    /// Grants that it holds, whenever they were given.
    pub grants_held: i64,
    /// Those under which data arrived.
    pub grants_used: i64,
    /// Deliveries to it.
    pub runs: i64,
    /// Rows that arrived with them.
    pub rows_received: i64,
    /// Rows of its data that were delivered to others.
    pub rows_delivered: i64,
}

/// The numbers of a department from `from` up to and without `until`.
pub async fn totals(
    db: &mut Db,
    department_id: &DepartmentId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Totals, DbError> {
    let row = sqlx::query(
        "SELECT \
         (SELECT COUNT(*) FROM versions v JOIN entries e ON e.id = v.entry_id WHERE e.department_id = $1 \
         AND v.published_at >= $2 AND v.published_at < $3) AS entries_published, \
         (SELECT COUNT(*) FROM sharing_requests WHERE requester_department_id = $1 \
         AND created_at >= $2 AND created_at < $3) AS requests_filed, \
         (SELECT COUNT(*) FROM sharing_requests WHERE provider_department_id = $1 \
         AND created_at >= $2 AND created_at < $3) AS requests_received, \
         (SELECT COUNT(*) FROM grants WHERE provider_department_id = $1 \
         AND created_at >= $2 AND created_at < $3) AS grants_given, \
         (SELECT COUNT(*) FROM grants WHERE requester_department_id = $1 AND created_at < $3) AS grants_held, \
         (SELECT COUNT(DISTINCT s.grant_id) FROM runs r JOIN subscriptions s ON s.id = r.subscription_id \
         WHERE r.requester_department_id = $1 AND r.state_code = 'succeeded' \
         AND r.finished_at >= $2 AND r.finished_at < $3) AS grants_used, \
         (SELECT COUNT(*) FROM runs WHERE kind = 'delivery' AND requester_department_id = $1 \
         AND state_code = 'succeeded' AND finished_at >= $2 AND finished_at < $3) AS runs, \
         (SELECT CAST(COALESCE(SUM(rows_delivered), 0) AS BIGINT) FROM runs WHERE kind = 'delivery' \
         AND requester_department_id = $1 AND state_code = 'succeeded' \
         AND finished_at >= $2 AND finished_at < $3) AS rows_received, \
         (SELECT CAST(COALESCE(SUM(rows_delivered), 0) AS BIGINT) FROM runs WHERE kind = 'delivery' \
         AND provider_department_id = $1 AND state_code = 'succeeded' \
         AND finished_at >= $2 AND finished_at < $3) AS rows_delivered",
    )
    .bind(department_id.as_str())
    .bind(instant_text(from))
    .bind(instant_text(until))
    .fetch_one(db)
    .await?;
    Ok(Totals {
        entries_published: row.int("entries_published")?,
        requests_filed: row.int("requests_filed")?,
        requests_received: row.int("requests_received")?,
        grants_given: row.int("grants_given")?,
        grants_held: row.int("grants_held")?,
        grants_used: row.int("grants_used")?,
        runs: row.int("runs")?,
        rows_received: row.int("rows_received")?,
        rows_delivered: row.int("rows_delivered")?,
    })
}

/// How many published entries of each department have no data behind them; service interfaces have none to mount.
/// Spec: YJ-3.1.1b.
pub async fn unmounted_by_department(db: &mut Db) -> Result<BTreeMap<String, i64>, DbError> {
    // Quotes within a text of the content are escaped, so the pattern can't be met by what somebody wrote.
    sqlx::query(
        "SELECT e.department_id, COUNT(*) AS n FROM entries e \
         JOIN versions v ON v.entry_id = e.id AND v.no = e.active_no \
         WHERE NOT EXISTS (SELECT 1 FROM mountings m WHERE m.entry_id = e.id) \
         AND v.content NOT LIKE '%\"format\":\"interface\"%' GROUP BY e.department_id",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((row.text("department_id")?, row.int("n")?)))
    .collect()
}

/// How a department has worked on the steps that it held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Worked {
    /// Requests decided, either way.
    pub decided: i64,
    /// Those decided in time, where there was a date.
    pub decided_on_time: i64,
    /// Steps done, of every kind.
    pub steps_done: i64,
    /// Those done after their date.
    pub steps_late: i64,
}

/// The steps that people of a department took in cases on its data, event by event.
pub async fn worked(
    db: &mut Db,
    department_id: &DepartmentId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Worked, DbError> {
    let mut rows = sqlx::query(
        "SELECT e.event FROM cases c JOIN case_events e ON e.case_id = c.id \
         WHERE c.provider_department_id = $1 AND e.at >= $2 AND e.at < $3",
    )
    .bind(department_id.as_str().to_owned())
    .bind(instant_text(from))
    .bind(instant_text(until))
    .fetch(db);
    let mut worked = Worked::default();
    while let Some(row) = rows.try_next().await? {
        let event: CaseEvent = row.json("event")?;
        let is_theirs = event
            .by
            .as_ref()
            .is_some_and(|by| by.department == *department_id);
        if event.happening != Happening::StepDone || !is_theirs {
            continue;
        }
        let in_time = event.due_on.map(|due_on| china_date(event.at) <= due_on);
        worked.steps_done += 1;
        worked.steps_late += i64::from(in_time == Some(false));
        if matches!(event.outcome, Some(Outcome::Approved | Outcome::Refused)) {
            worked.decided += 1;
            worked.decided_on_time += i64::from(in_time == Some(true));
        }
    }
    Ok(worked)
}

/// How one grant was used.
#[derive(Debug)]
pub struct Usage {
    pub provider_id: String,
    pub requester_id: String,
    /// 共享方式, a code of the pack.
    pub mode: String,
    pub granted_at: Timestamp,
    pub runs: i64,
    pub rows: i64,
    /// `active`, `suspended` or `ended`.
    pub state_code: String,
    /// The civil date on which it is no longer valid.
    pub valid_until: Option<Date>,
}

impl Usage {
    /// Whether it may be used on a day, as it stands now.
    #[must_use]
    pub fn is_active_on(&self, date: Date) -> bool {
        self.state_code == "active" && self.valid_until.is_none_or(|until| date < until)
    }
}

/// Every grant that was there before `until`, with its deliveries from `from` on.
pub async fn usage(db: &mut Db, from: Timestamp, until: Timestamp) -> Result<Vec<Usage>, DbError> {
    #[derive(serde::Deserialize)]
    struct Content {
        mode: String,
    }
    let mut rows = sqlx::query(
        "SELECT g.provider_department_id, g.requester_department_id, g.created_at, g.state_code, \
         g.valid_until, q.content, COUNT(r.id) AS runs, CAST(COALESCE(SUM(r.rows_delivered), 0) AS BIGINT) AS delivered \
         FROM grants g JOIN sharing_requests q ON q.case_id = g.case_id \
         LEFT JOIN subscriptions s ON s.grant_id = g.id \
         LEFT JOIN runs r ON r.subscription_id = s.id AND r.kind = 'delivery' AND r.state_code = 'succeeded' \
         AND r.finished_at >= $1 AND r.finished_at < $2 \
         WHERE g.created_at < $2 \
         GROUP BY g.id, g.provider_department_id, g.requester_department_id, g.created_at, \
         g.state_code, g.valid_until, q.content",
    )
    .bind(instant_text(from))
    .bind(instant_text(until))
    .fetch(db);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let content: Content = row.json("content")?;
        found.push(Usage {
            provider_id: row.text("provider_department_id")?,
            requester_id: row.text("requester_department_id")?,
            mode: content.mode,
            granted_at: row.instant("created_at")?,
            runs: row.int("runs")?,
            rows: row.int("delivered")?,
            state_code: row.text("state_code")?,
            valid_until: row.opt_date("valid_until")?,
        });
    }
    Ok(found)
}
