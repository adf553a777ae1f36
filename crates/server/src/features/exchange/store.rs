//! All SQL of exchange.

mod overview;
mod pseudonyms;
mod schedules;
mod subscriptions;

pub use overview::{Failing, Hour, Moved, moved};
pub(super) use overview::{failing, hours, running};
pub(super) use pseudonyms::{change_pseudonym_mark, pseudonym_mark};
pub(super) use schedules::{
    NewSchedule, Watch, due_schedules, followed_entries, move_schedule_on, note_seen, schedule_of,
    set_schedule,
};
pub use subscriptions::{LastDelivery, Subscription, last_deliveries};
pub(super) use subscriptions::{
    active_subscriptions, due_for_reconciliation, find_subscription, insert_subscription,
    is_target_taken, plan_reconciliation, set_paused, subscription_of_grant,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    exchange::Counts,
    ids::{DepartmentId, EntryId, RunId, SubscriptionId},
    time::instant_text,
};

use super::engine::{Reach, Side};
use crate::platform::{
    db::{Db, DbError, RowExt as _, Tx},
    secrets::random_hex,
};

/// Which way the rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// Provider's store to pool.
    Collection,
    /// Pool to requester's store.
    Delivery,
    /// The whole of a delivery compared, without moving anything.
    Reconciliation,
}

impl RunKind {
    /// The code in store and interface.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Delivery => "delivery",
            Self::Reconciliation => "reconciliation",
        }
    }

    fn find(code: &str) -> Option<Self> {
        [Self::Collection, Self::Delivery, Self::Reconciliation]
            .into_iter()
            .find(|k| k.code() == code)
    }
}

/// What a run did, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunStep {
    /// `began`, `read`, `applied`, `read_back`, `receipt`...
    pub name: String,
    /// Instant.
    pub at: String,
    /// A count that belongs to it.
    pub rows: Option<u64>,
}

/// Why a run failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code.
    pub code: String,
    /// Who has to act.
    pub side: Side,
    /// The column concerned.
    pub column: Option<String>,
    /// Rows faulty and rows read, where that is why it stopped.
    #[serde(default)]
    pub faulty_of_read: Option<(u64, u64)>,
    /// Rows of pool and target that differ, where that is what a reconciliation found.
    #[serde(default)]
    pub differing: Option<u64>,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: RunId,
    pub kind: RunKind,
    pub entry_id: EntryId,
    pub subscription_id: Option<SubscriptionId>,
    pub collection_run_id: Option<RunId>,
    pub provider_department_id: DepartmentId,
    pub requester_department_id: Option<DepartmentId>,
    pub state_code: String,
    pub started_by: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub counts: Counts,
    pub source_digest: Option<String>,
    pub target_digest: Option<String>,
    pub digest_rows: Option<i64>,
    /// How far the digests reach; the whole where nothing is said.
    pub digest_reach: Option<Reach>,
    /// Rows in the target afterwards.
    pub rows_held: Option<i64>,
    pub failure: Option<Failure>,
    pub steps: Vec<RunStep>,
}

/// A run about to begin.
pub(super) struct NewRun<'a> {
    pub kind: RunKind,
    pub entry_id: &'a EntryId,
    pub subscription_id: Option<&'a SubscriptionId>,
    pub collection_run_id: Option<&'a RunId>,
    pub provider: &'a DepartmentId,
    pub requester: Option<&'a DepartmentId>,
    pub started_by: Option<&'a str>,
}

/// How a run ended well.
pub(super) struct Success<'a> {
    pub counts: &'a Counts,
    pub source_digest: Option<String>,
    pub target_digest: Option<String>,
    pub digest_rows: Option<u64>,
    pub digest_reach: Option<Reach>,
    /// Rows in the target afterwards.
    pub rows_held: Option<u64>,
    pub steps: &'a [RunStep],
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain structures make JSON")
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Notes that a run begins. It counts as begun after every earlier run of its entry, also where the clock was set back
/// since then: which delivery was the last one decides what the next one compares and counts.
pub(super) async fn insert_run(tx: &mut Tx, run: &NewRun<'_>) -> Result<RunId, DbError> {
    let at = instant_text(begins_at(tx, run.entry_id).await?);
    let id = RunId::parse(&format!("run-{}", random_hex::<8>())).expect("hex fits an identifier");
    sqlx::query(
        "INSERT INTO runs (id, kind, entry_id, subscription_id, collection_run_id, provider_department_id, \
         requester_department_id, state_code, started_by, created_at, started_at, rows_read, rows_delivered, \
         rows_unchanged, rows_out_of_scope, rows_quarantined, rows_inserted, rows_updated, rows_deleted, steps) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $9, 0, 0, 0, 0, 0, 0, 0, 0, '[]')",
    )
    .bind(id.as_str())
    .bind(run.kind.code())
    .bind(run.entry_id.as_str())
    .bind(run.subscription_id.map(|s| s.as_str().to_owned()))
    .bind(run.collection_run_id.map(|r| r.as_str().to_owned()))
    .bind(run.provider.as_str())
    .bind(run.requester.map(|d| d.as_str().to_owned()))
    .bind(run.started_by.map(str::to_owned))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

async fn begins_at(tx: &mut Tx, entry_id: &EntryId) -> Result<Timestamp, DbError> {
    let now = tx.at();
    let last = sqlx::query(
        "SELECT created_at FROM runs WHERE entry_id = $1 ORDER BY created_at DESC LIMIT 1",
    )
    .bind(entry_id.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    let last = last.map(|row| row.instant("created_at")).transpose()?;
    Ok(last.map_or(now, |last| now.max(last + SignedDuration::from_micros(1))))
}

/// Closes runs of a lane that a dead worker left behind.
pub(super) async fn close_interrupted(
    tx: &mut Tx,
    kind: RunKind,
    entry_id: &EntryId,
    subscription_id: Option<&SubscriptionId>,
) -> Result<u64, DbError> {
    let at = instant_text(tx.at());
    let failure = Failure {
        code: "exchange.interrupted".to_owned(),
        side: Side::Platform,
        column: None,
        faulty_of_read: None,
        differing: None,
    };
    let done = sqlx::query(
        "UPDATE runs SET state_code = 'failed', failure = $2, \
         finished_at = CASE WHEN created_at > $1 THEN created_at ELSE $1 END \
         WHERE state_code = 'running' AND kind = $3 AND entry_id = $4 AND COALESCE(subscription_id, '') = $5",
    )
    .bind(at)
    .bind(json(&failure))
    .bind(kind.code())
    .bind(entry_id.as_str())
    .bind(subscription_id.map_or("", SubscriptionId::as_str))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn succeed(tx: &mut Tx, id: &RunId, success: &Success<'_>) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    let c = success.counts;
    sqlx::query(
        "UPDATE runs SET state_code = 'succeeded', \
         finished_at = CASE WHEN created_at > $1 THEN created_at ELSE $1 END, rows_read = $2, rows_delivered = $3, \
         rows_unchanged = $4, rows_out_of_scope = $5, rows_quarantined = $6, rows_inserted = $7, \
         rows_updated = $8, rows_deleted = $9, source_digest = $10, target_digest = $11, digest_rows = $12, \
         steps = $13, digest_reach = $14, rows_held = $15 WHERE id = $16",
    )
    .bind(at)
    .bind(count(c.read))
    .bind(count(c.delivered))
    .bind(count(c.unchanged))
    .bind(count(c.out_of_scope))
    .bind(count(c.quarantined))
    .bind(count(c.inserted))
    .bind(count(c.updated))
    .bind(count(c.deleted))
    .bind(success.source_digest.clone())
    .bind(success.target_digest.clone())
    .bind(success.digest_rows.map(count))
    .bind(json(&success.steps))
    .bind(success.digest_reach.map(Reach::code))
    .bind(success.rows_held.map(count))
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn fail(
    tx: &mut Tx,
    id: &RunId,
    failure: &Failure,
    steps: &[RunStep],
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "UPDATE runs SET state_code = 'failed', failure = $2, steps = $3, \
         finished_at = CASE WHEN created_at > $1 THEN created_at ELSE $1 END WHERE id = $4",
    )
    .bind(at)
    .bind(json(failure))
    .bind(json(&steps))
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether the run before this one, of the same kind, resource and subscription, has failed for the same reason.
pub(super) async fn failed_alike_before(
    db: &mut Db,
    id: &RunId,
    code: &str,
) -> Result<bool, DbError> {
    let before = sqlx::query(
        "SELECT b.failure FROM runs r JOIN runs b ON b.kind = r.kind AND b.entry_id = r.entry_id \
         AND COALESCE(b.subscription_id, '') = COALESCE(r.subscription_id, '') AND b.id <> r.id \
         AND b.created_at <= r.created_at WHERE r.id = $1 ORDER BY b.created_at DESC, b.id DESC LIMIT 1",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    let failure: Option<Failure> = before
        .map(|row| row.opt_json("failure"))
        .transpose()?
        .flatten();
    Ok(failure.is_some_and(|failure| failure.code == code))
}

fn run(row: &sqlx::any::AnyRow) -> Result<Run, DbError> {
    let broken = |column, reason: &str| DbError::BrokenRow {
        column,
        reason: reason.to_owned(),
    };
    let rows = |column| {
        row.int(column)
            .and_then(|n| u64::try_from(n).map_err(|_| broken(column, "a count below zero")))
    };
    Ok(Run {
        id: row.id("id")?,
        kind: RunKind::find(&row.text("kind")?)
            .ok_or_else(|| broken("kind", "unknown kind of run"))?,
        entry_id: row.id("entry_id")?,
        subscription_id: row.opt_id("subscription_id")?,
        collection_run_id: row.opt_id("collection_run_id")?,
        provider_department_id: row.id("provider_department_id")?,
        requester_department_id: row.opt_id("requester_department_id")?,
        state_code: row.text("state_code")?,
        started_by: row.opt_text("started_by")?,
        created_at: row.instant("created_at")?,
        finished_at: row.opt_instant("finished_at")?,
        counts: Counts {
            read: rows("rows_read")?,
            delivered: rows("rows_delivered")?,
            unchanged: rows("rows_unchanged")?,
            out_of_scope: rows("rows_out_of_scope")?,
            quarantined: rows("rows_quarantined")?,
            inserted: rows("rows_inserted")?,
            updated: rows("rows_updated")?,
            deleted: rows("rows_deleted")?,
        },
        source_digest: row.opt_text("source_digest")?,
        target_digest: row.opt_text("target_digest")?,
        digest_rows: row.opt_int("digest_rows")?,
        digest_reach: row
            .opt_text("digest_reach")?
            .as_deref()
            .and_then(Reach::find),
        rows_held: row.opt_int("rows_held")?,
        failure: row.opt_json("failure")?,
        steps: row.json("steps")?,
    })
}

macro_rules! select_runs {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, entry_id, subscription_id, collection_run_id, provider_department_id, \
             requester_department_id, state_code, started_by, created_at, finished_at, rows_read, rows_delivered, \
             rows_unchanged, rows_out_of_scope, rows_quarantined, rows_inserted, rows_updated, rows_deleted, \
             source_digest, target_digest, digest_rows, digest_reach, rows_held, failure, steps FROM runs ",
            $rest
        )
    };
}

/// A run by its id.
pub(super) async fn find_run(db: &mut Db, id: &RunId) -> Result<Option<Run>, DbError> {
    sqlx::query(select_runs!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(run)
        .transpose()
}

/// Which runs; empty texts mean any.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    /// Only those to which the department is a party: what the viewer may see.
    pub party: Option<&'a DepartmentId>,
    /// The same, by the viewer's own choice.
    pub department: &'a str,
    pub entry: &'a str,
    pub kind: &'a str,
    pub state: &'a str,
    /// Only those that set rows aside.
    pub with_faults: bool,
    /// Begun from this instant on.
    pub from: Option<Timestamp>,
    /// Begun before this instant.
    pub until: Option<Timestamp>,
}

/// The runs that are wanted, newest first; one more than `size`.
pub(super) async fn runs(
    db: &mut Db,
    wanted: &Wanted<'_>,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<Run>, DbError> {
    let party = wanted.party.map_or("", DepartmentId::as_str);
    sqlx::query(select_runs!(
        "WHERE ($1 = '' OR provider_department_id = $1 OR requester_department_id = $1) \
         AND ($2 = '' OR entry_id = $2) AND ($3 = '' OR created_at || ' ' || id < $3) \
         AND ($4 = '' OR provider_department_id = $4 OR requester_department_id = $4) \
         AND ($5 = '' OR kind = $5) AND ($6 = '' OR state_code = $6) AND rows_quarantined >= $7 \
         AND created_at >= $8 AND ($9 = '' OR created_at < $9) \
         ORDER BY created_at DESC, id DESC LIMIT $10"
    ))
    .bind(party.to_owned())
    .bind(wanted.entry.to_owned())
    .bind(cursor.unwrap_or_default().to_owned())
    .bind(wanted.department.to_owned())
    .bind(wanted.kind.to_owned())
    .bind(wanted.state.to_owned())
    .bind(i64::from(wanted.with_faults))
    .bind(wanted.from.map(instant_text).unwrap_or_default())
    .bind(wanted.until.map(instant_text).unwrap_or_default())
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(run)
    .collect()
}

/// The deliveries under the grant of a case, newest first.
pub async fn runs_of_case(db: &mut Db, case_id: &str) -> Result<Vec<Run>, DbError> {
    sqlx::query(select_runs!(
        "WHERE subscription_id IN (SELECT s.id FROM subscriptions s JOIN grants g ON g.id = s.grant_id \
         WHERE g.case_id = $1) ORDER BY created_at DESC, id DESC LIMIT 20"
    ))
    .bind(case_id)
    .fetch_all(db)
    .await?
    .iter()
    .map(run)
    .collect()
}

/// How the last delivery under a subscription has ended.
pub(super) async fn last_delivery(
    db: &mut Db,
    id: &SubscriptionId,
) -> Result<Option<Run>, DbError> {
    sqlx::query(select_runs!(
        "WHERE subscription_id = $1 AND kind = 'delivery' ORDER BY created_at DESC, id DESC LIMIT 1"
    ))
    .bind(id.as_str())
    .fetch_optional(db)
    .await?
    .as_ref()
    .map(run)
    .transpose()
}

/// The collection of a resource that its quarantine is of: it ended well, or stopped because of faulty rows.
pub(super) async fn last_with_quarantine(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Option<Run>, DbError> {
    sqlx::query(select_runs!(
        "WHERE entry_id = $1 AND kind = 'collection' AND (state_code = 'succeeded' \
         OR failure LIKE '%\"exchange.too_many_faults\"%') ORDER BY created_at DESC, id DESC LIMIT 1"
    ))
    .bind(entry_id.as_str())
    .fetch_optional(db)
    .await?
    .as_ref()
    .map(run)
    .transpose()
}

/// How many rows have been delivered to requesters in all.
pub async fn delivered_rows(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query(
        "SELECT CAST(COALESCE(SUM(rows_delivered), 0) AS BIGINT) AS n FROM runs \
         WHERE kind = 'delivery' AND state_code = 'succeeded'",
    )
    .fetch_one(db)
    .await?
    .int("n")
}
