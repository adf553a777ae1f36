//! When resources are collected by themselves.

use jiff::Timestamp;
use tongqu_domain::{
    exchange::Schedule,
    ids::{EntryId, MountingId, PersonId},
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
    pub watch: Option<Watch>,
    /// Whether the change log is followed, and the whole compared when the time comes.
    pub follows: bool,
}

/// The column by which changes are read between two comparisons of the whole.
#[derive(Debug, Clone)]
pub(in super::super) struct Watch {
    /// In the source's table.
    pub column: String,
    /// Seconds, or numbers where the column counts so.
    pub overlap: i64,
    /// The mounting whose column it is.
    pub mounting_id: MountingId,
    /// Its highest value so far, as it counts.
    pub seen: Option<i64>,
    /// When the whole was compared last.
    pub compared_at: Option<Timestamp>,
}

macro_rules! select_schedules {
    ($rest:literal) => {
        concat!(
            "SELECT entry_id, cron, next_at, watched_column, overlap, mounting_id, seen, compared_at, \
             follows FROM schedules ",
            $rest
        )
    };
}

fn scheduled(row: &sqlx::any::AnyRow) -> Result<Scheduled, DbError> {
    Ok(Scheduled {
        entry_id: row.id("entry_id")?,
        cron: row.text("cron")?,
        next_at: row.instant("next_at")?,
        watch: watch(row)?,
        follows: row.int("follows")? == 1,
    })
}

fn watch(row: &sqlx::any::AnyRow) -> Result<Option<Watch>, DbError> {
    let Some(column) = row.opt_text("watched_column")? else {
        return Ok(None);
    };
    Ok(Some(Watch {
        column,
        overlap: row.opt_int("overlap")?.unwrap_or(0),
        mounting_id: row.id("mounting_id")?,
        seen: row.opt_int("seen")?,
        compared_at: row.opt_instant("compared_at")?,
    }))
}

/// The schedule of a resource, if it has one.
pub(in super::super) async fn schedule_of(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Option<Scheduled>, DbError> {
    sqlx::query(select_schedules!("WHERE entry_id = $1"))
        .bind(entry_id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(scheduled)
        .transpose()
}

/// A schedule to be set.
pub(in super::super) struct NewSchedule<'a> {
    pub schedule: &'a Schedule,
    pub next_at: Timestamp,
    pub watch: Option<Watch>,
    pub follows: bool,
}

/// Sets the schedule of a resource, or takes it away.
pub(in super::super) async fn set_schedule(
    tx: &mut Tx,
    entry_id: &EntryId,
    new: Option<NewSchedule<'_>>,
    set_by: &PersonId,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query("DELETE FROM schedules WHERE entry_id = $1")
        .bind(entry_id.as_str())
        .execute(&mut **tx)
        .await?;
    if let Some(new) = new {
        let watch = new.watch.as_ref();
        sqlx::query(
            "INSERT INTO schedules (entry_id, cron, next_at, set_at, set_by, watched_column, overlap, mounting_id, \
             seen, compared_at, follows) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(entry_id.as_str())
        .bind(new.schedule.text())
        .bind(instant_text(new.next_at))
        .bind(at)
        .bind(set_by.as_str())
        .bind(watch.map(|watch| watch.column.clone()))
        .bind(watch.map(|watch| watch.overlap))
        .bind(watch.map(|watch| watch.mounting_id.to_string()))
        .bind(watch.and_then(|watch| watch.seen))
        .bind(watch.and_then(|watch| watch.compared_at).map(instant_text))
        .bind(i64::from(new.follows))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Notes how far a collection has seen the watched column, and that it compared the whole if it did.
pub(in super::super) async fn note_seen(
    tx: &mut Tx,
    entry_id: &EntryId,
    mounting_id: &MountingId,
    seen: i64,
    compared_whole: bool,
) -> Result<(), DbError> {
    let compared_at = compared_whole.then(|| instant_text(tx.at()));
    sqlx::query(
        "UPDATE schedules SET seen = $1, compared_at = COALESCE($2, compared_at) \
         WHERE entry_id = $3 AND mounting_id = $4",
    )
    .bind(seen)
    .bind(compared_at)
    .bind(entry_id.as_str())
    .bind(mounting_id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Schedules whose time has come, at most `limit`.
pub(in super::super) async fn due_schedules(
    db: &mut Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Scheduled>, DbError> {
    sqlx::query(select_schedules!(
        "WHERE next_at <= $1 ORDER BY next_at, entry_id LIMIT $2"
    ))
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

/// Resources whose change log is to be followed.
pub(in super::super) async fn followed_entries(db: &mut Db) -> Result<Vec<EntryId>, DbError> {
    sqlx::query("SELECT entry_id FROM schedules WHERE follows = 1 ORDER BY entry_id")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.id("entry_id"))
        .collect()
}
