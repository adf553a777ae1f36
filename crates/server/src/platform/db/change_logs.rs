//! How the change logs stand that providers' stores hold back for the platform. Instants are the machine's.

use jiff::Timestamp;
use tongqu_domain::{
    ids::{EntryId, MountingId, StoreId},
    time::instant_text,
};

use super::{Db, DbError, Registry, RowExt as _};

/// What its follower is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStage {
    /// It is being opened, and the whole is compared if it was lost.
    Opening,
    /// Its changes are taken over.
    Following,
    /// They can't be taken over.
    Failing,
}

impl LogStage {
    const ALL: [Self; 3] = [Self::Opening, Self::Following, Self::Failing];

    /// The code in store and interface.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Following => "following",
            Self::Failing => "failing",
        }
    }
}

/// A change log that a store holds back.
#[derive(Debug, Clone)]
pub struct HeldLog {
    pub entry_id: EntryId,
    /// The mounting whose table it is of.
    pub mounting_id: MountingId,
    pub store_id: StoreId,
    /// Under which name the store holds it.
    pub consumer: String,
    pub stage: LogStage,
    /// Why it fails.
    pub error_code: Option<String>,
    /// Since when it is in this stage.
    pub since: Timestamp,
    pub checked_at: Timestamp,
    /// How many were taken over since it was opened.
    pub transactions: i64,
    /// When the last one was taken over.
    pub changed_at: Option<Timestamp>,
    /// `reserved`, `extended`, `endangered` or `lost`, as the store says.
    pub health: Option<String>,
    /// Bytes that the store has written behind the last confirmed place.
    pub lag_bytes: Option<i64>,
    /// Bytes that the store can't delete because of it.
    pub retained_bytes: Option<i64>,
}

fn held_log(row: &sqlx::any::AnyRow) -> Result<HeldLog, DbError> {
    let stage = row.text("state")?;
    let stage = LogStage::ALL.into_iter().find(|s| s.code() == stage);
    Ok(HeldLog {
        entry_id: row.id("entry_id")?,
        mounting_id: row.id("mounting_id")?,
        store_id: row.id("store_id")?,
        consumer: row.text("consumer")?,
        stage: stage.ok_or_else(|| DbError::BrokenRow {
            column: "state",
            reason: "unknown stage of a change log".to_owned(),
        })?,
        error_code: row.opt_text("error_code")?,
        since: row.instant("since")?,
        checked_at: row.instant("checked_at")?,
        transactions: row.int("transactions")?,
        changed_at: row.opt_instant("changed_at")?,
        health: row.opt_text("health")?,
        lag_bytes: row.opt_int("lag_bytes")?,
        retained_bytes: row.opt_int("retained_bytes")?,
    })
}

macro_rules! select_logs {
    ($rest:literal) => {
        concat!(
            "SELECT entry_id, mounting_id, store_id, consumer, state, error_code, since, checked_at, transactions, \
             changed_at, health, lag_bytes, retained_bytes FROM change_logs ",
            $rest
        )
    };
}

/// All of them.
pub async fn all(db: &mut Db) -> Result<Vec<HeldLog>, DbError> {
    sqlx::query(select_logs!("ORDER BY entry_id"))
        .fetch_all(db)
        .await?
        .iter()
        .map(held_log)
        .collect()
}

/// The one of an entry.
pub async fn find(db: &mut Db, entry_id: &EntryId) -> Result<Option<HeldLog>, DbError> {
    sqlx::query(select_logs!("WHERE entry_id = $1"))
        .bind(entry_id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(held_log)
        .transpose()
}

/// Keeps how one stands. It is no act towards anybody.
pub async fn save(registry: &Registry, log: &HeldLog) -> Result<(), DbError> {
    let mut tx = registry.begin(log.checked_at).await?;
    sqlx::query(
        "INSERT INTO change_logs (entry_id, mounting_id, store_id, consumer, state, error_code, since, checked_at, \
         transactions, changed_at, health, lag_bytes, retained_bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (entry_id) DO UPDATE SET mounting_id = excluded.mounting_id, store_id = excluded.store_id, \
         consumer = excluded.consumer, state = excluded.state, error_code = excluded.error_code, \
         since = excluded.since, checked_at = excluded.checked_at, transactions = excluded.transactions, \
         changed_at = excluded.changed_at, health = excluded.health, lag_bytes = excluded.lag_bytes, \
         retained_bytes = excluded.retained_bytes",
    )
    .bind(log.entry_id.as_str())
    .bind(log.mounting_id.as_str())
    .bind(log.store_id.as_str())
    .bind(&log.consumer)
    .bind(log.stage.code())
    .bind(log.error_code.clone())
    .bind(instant_text(log.since))
    .bind(instant_text(log.checked_at))
    .bind(log.transactions)
    .bind(log.changed_at.map(instant_text))
    .bind(log.health.clone())
    .bind(log.lag_bytes)
    .bind(log.retained_bytes)
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await
}

/// Forgets one that its store no longer holds.
pub async fn forget(
    registry: &Registry,
    entry_id: &EntryId,
    consumer: &str,
) -> Result<(), DbError> {
    let mut tx = registry.begin(Timestamp::UNIX_EPOCH).await?;
    sqlx::query("DELETE FROM change_logs WHERE entry_id = $1 AND consumer = $2")
        .bind(entry_id.as_str())
        .bind(consumer)
        .execute(&mut *tx)
        .await?;
    tx.commit_bookkeeping().await
}
