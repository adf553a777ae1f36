//! When resources are collected by themselves.

use jiff::Timestamp;
use tongqu_domain::{
    exchange::Schedule,
    ids::{EntryId, PersonId},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// The schedule of a resource, as it was set.
#[derive(Debug, Clone)]
pub(in super::super) struct Scheduled {
    pub entry_id: EntryId,
    /// Five fields of cron.
    pub cron: String,
    pub next_at: Timestamp,
}

fn scheduled(row: &sqlx::any::AnyRow) -> Result<Scheduled, DbError> {
    Ok(Scheduled {
        entry_id: row.id("entry_id")?,
        cron: row.text("cron")?,
        next_at: row.instant("next_at")?,
    })
}

/// The schedule of a resource, if it has one.
pub(in super::super) async fn schedule_of(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Option<Scheduled>, DbError> {
    sqlx::query("SELECT entry_id, cron, next_at FROM schedules WHERE entry_id = $1")
        .bind(entry_id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(scheduled)
        .transpose()
}

/// Sets the schedule of a resource, or takes it away.
pub(in super::super) async fn set_schedule(
    tx: &mut Tx,
    entry_id: &EntryId,
    schedule: Option<(&Schedule, Timestamp)>,
    set_by: &PersonId,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query("DELETE FROM schedules WHERE entry_id = $1")
        .bind(entry_id.as_str())
        .execute(&mut **tx)
        .await?;
    if let Some((schedule, next_at)) = schedule {
        sqlx::query(
            "INSERT INTO schedules (entry_id, cron, next_at, set_at, set_by) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(entry_id.as_str())
        .bind(schedule.text())
        .bind(instant_text(next_at))
        .bind(at)
        .bind(set_by.as_str())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Schedules whose time has come, at most `limit`.
pub(in super::super) async fn due_schedules(
    db: &mut Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Scheduled>, DbError> {
    sqlx::query(
        "SELECT entry_id, cron, next_at FROM schedules WHERE next_at <= $1 ORDER BY next_at, entry_id LIMIT $2",
    )
    .bind(instant_text(now))
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(scheduled)
    .collect()
}

/// Notes when a schedule comes again. `false` if somebody else has done so, or set another one.
pub(in super::super) async fn move_schedule_on(
    tx: &mut Tx,
    due: &Scheduled,
    next_at: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE schedules SET next_at = $1 WHERE entry_id = $2 AND next_at = $3 AND cron = $4",
    )
    .bind(instant_text(next_at))
    .bind(due.entry_id.as_str())
    .bind(instant_text(due.next_at))
    .bind(&due.cron)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
