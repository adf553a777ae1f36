//! Lamps by department, and the daily digest.

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{ids::DepartmentId, time::instant_text};

use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// How many open steps of a department are under which lamp.
#[derive(Debug, Clone)]
pub struct Lamps {
    pub department_id: DepartmentId,
    pub open: i64,
    pub overdue: i64,
    pub due_today: i64,
    /// Due after today, up to the next working day.
    pub due_next: i64,
    /// Opened since the digest before.
    pub new: i64,
}

/// The lamps of every department that holds an open step. One whose clock stands is never late.
pub async fn lamps(
    db: &mut Db,
    today: Date,
    next_working_day: Option<Date>,
    since: Option<Timestamp>,
) -> Result<Vec<Lamps>, DbError> {
    sqlx::query(
        "SELECT department_id, COUNT(*) AS open, \
         CAST(SUM(CASE WHEN paused = 0 AND due_on < $1 THEN 1 ELSE 0 END) AS BIGINT) AS overdue, \
         CAST(SUM(CASE WHEN paused = 0 AND due_on = $1 THEN 1 ELSE 0 END) AS BIGINT) AS due_today, \
         CAST(SUM(CASE WHEN paused = 0 AND due_on > $1 AND due_on <= $2 THEN 1 ELSE 0 END) AS BIGINT) AS due_next, \
         CAST(SUM(CASE WHEN opened_at > $3 THEN 1 ELSE 0 END) AS BIGINT) AS fresh \
         FROM tasks GROUP BY department_id ORDER BY department_id",
    )
    .bind(today.to_string())
    .bind(next_working_day.unwrap_or(today).to_string())
    .bind(since.map(instant_text).unwrap_or_default())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Lamps {
            department_id: row.id("department_id")?,
            open: row.int("open")?,
            overdue: row.int("overdue")?,
            due_today: row.int("due_today")?,
            due_next: row.int("due_next")?,
            new: row.int("fresh")?,
        })
    })
    .collect()
}

/// When the digests of the last day before `day` were made; `None` if there were none.
pub async fn digest_before(db: &mut Db, day: Date) -> Result<Option<Timestamp>, DbError> {
    sqlx::query("SELECT MAX(at) AS at FROM digests WHERE day < $1")
        .bind(day.to_string())
        .fetch_one(db)
        .await?
        .opt_instant("at")
}

/// Notes that a department gets its digest of a day; whether it hadn't got it yet.
pub async fn begin_digest(
    tx: &mut Tx,
    department_id: &DepartmentId,
    day: Date,
) -> Result<bool, DbError> {
    let at = instant_text(tx.at());
    let done = sqlx::query(
        "INSERT INTO digests (department_id, day, at) VALUES ($1, $2, $3) ON CONFLICT (department_id, day) DO NOTHING",
    )
    .bind(department_id.as_str())
    .bind(day.to_string())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
