//! All SQL of exchange.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    exchange::Counts,
    ids::{DepartmentId, EntryId, GrantId, RunId, StoreId, SubscriptionId},
    time::instant_text,
};

mod overview;
mod schedules;

pub use overview::{Failing, Hour, Moved, moved};
pub(super) use overview::{failing, hours, running};
pub(super) use schedules::{due_schedules, move_schedule_on, schedule_of, set_schedule};

use super::engine::{Reach, Side};
use crate::platform::{
    db::{Db, DbError, RowExt as _, Tx, in_places, placed},
    secrets::random_hex,
};

/// A standing delivery under a grant.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub grant_id: GrantId,
    pub entry_id: EntryId,
    pub store_id: StoreId,
    pub table: String,
    /// `active`, `paused` or `ended`.
    pub state_code: String,
}

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

pub(super) async fn insert_run(tx: &mut Tx, run: &NewRun<'_>) -> Result<RunId, DbError> {
    let at = instant_text(tx.at());
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
        "UPDATE runs SET state_code = 'failed', finished_at = $1, failure = $2 \
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
        "UPDATE runs SET state_code = 'succeeded', finished_at = $1, rows_read = $2, rows_delivered = $3, \
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
    sqlx::query("UPDATE runs SET state_code = 'failed', finished_at = $1, failure = $2, steps = $3 WHERE id = $4")
        .bind(at)
        .bind(json(failure))
        .bind(json(&steps))
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
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

/// What was last delivered under a grant.
#[derive(Debug, Clone)]
pub struct LastDelivery {
    /// The table in the requester's exchange store.
    pub table: String,
    /// When the last delivery ended well; `None` before the first.
    pub at: Option<Timestamp>,
    /// Rows in the table after it.
    pub rows: Option<u64>,
}

/// What was last delivered under each of several grants; those without a delivery are left out.
pub async fn last_deliveries(
    db: &mut Db,
    grants: &[&GrantId],
) -> Result<BTreeMap<GrantId, LastDelivery>, DbError> {
    let mut found = BTreeMap::new();
    for places in placed(grants) {
        let mut query = sqlx::query(concat!(
            "SELECT s.grant_id, s.table_name, u.finished_at, u.rows_held FROM subscriptions s \
             LEFT JOIN runs u ON u.id = (SELECT l.id FROM runs l WHERE l.subscription_id = s.id \
             AND l.kind = 'delivery' AND l.state_code = 'succeeded' ORDER BY l.finished_at DESC, l.id DESC LIMIT 1) \
             WHERE s.grant_id IN ",
            in_places!()
        ));
        for place in places {
            query = query.bind(place);
        }
        for row in query.fetch_all(&mut *db).await? {
            let delivery = LastDelivery {
                table: row.text("table_name")?,
                at: row.opt_instant("finished_at")?,
                rows: row
                    .opt_int("rows_held")?
                    .and_then(|n| u64::try_from(n).ok()),
            };
            found.insert(row.id("grant_id")?, delivery);
        }
    }
    Ok(found)
}

/// Whether the last delivery under a subscription has ended, and well.
pub(super) async fn has_delivered_well(db: &mut Db, id: &SubscriptionId) -> Result<bool, DbError> {
    let last = sqlx::query(
        "SELECT state_code FROM runs WHERE subscription_id = $1 AND kind = 'delivery' \
         ORDER BY created_at DESC, id DESC LIMIT 1",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    let state = last.map(|row| row.text("state_code")).transpose()?;
    Ok(state.as_deref() == Some("succeeded"))
}

/// How many rows the target of a subscription had after its last run that ended well; 0 before the first.
pub(super) async fn rows_held(db: &mut Db, id: &SubscriptionId) -> Result<u64, DbError> {
    let row = sqlx::query(
        "SELECT rows_held FROM runs WHERE subscription_id = $1 AND state_code = 'succeeded' \
         ORDER BY finished_at DESC, id DESC LIMIT 1",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    let held = row
        .map(|row| row.opt_int("rows_held"))
        .transpose()?
        .flatten();
    Ok(held.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
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

fn subscription(row: &sqlx::any::AnyRow) -> Result<Subscription, DbError> {
    Ok(Subscription {
        id: row.id("id")?,
        grant_id: row.id("grant_id")?,
        entry_id: row.id("entry_id")?,
        store_id: row.id("store_id")?,
        table: row.text("table_name")?,
        state_code: row.text("state_code")?,
    })
}

/// A subscription by its id.
pub(super) async fn find_subscription(
    db: &mut Db,
    id: &SubscriptionId,
) -> Result<Option<Subscription>, DbError> {
    sqlx::query("SELECT id, grant_id, entry_id, store_id, table_name, state_code FROM subscriptions WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(subscription)
        .transpose()
}

/// The subscription under a grant, if one is open.
pub(super) async fn subscription_of_grant(
    db: &mut Db,
    grant_id: &GrantId,
) -> Result<Option<Subscription>, DbError> {
    sqlx::query("SELECT id, grant_id, entry_id, store_id, table_name, state_code FROM subscriptions WHERE grant_id = $1")
        .bind(grant_id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(subscription)
        .transpose()
}

/// Active subscriptions of a resource.
pub(super) async fn active_subscriptions(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Vec<Subscription>, DbError> {
    sqlx::query(
        "SELECT id, grant_id, entry_id, store_id, table_name, state_code FROM subscriptions \
         WHERE entry_id = $1 AND state_code = 'active' ORDER BY id",
    )
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(subscription)
    .collect()
}

/// Whether a table of a store is already the target of another subscription.
pub(super) async fn is_target_taken(
    db: &mut Db,
    store_id: &StoreId,
    table: &str,
) -> Result<bool, DbError> {
    let n = sqlx::query(
        "SELECT COUNT(*) AS n FROM subscriptions WHERE store_id = $1 AND table_name = $2",
    )
    .bind(store_id.as_str())
    .bind(table)
    .fetch_one(db)
    .await?
    .int("n")?;
    Ok(n > 0)
}

pub(super) async fn insert_subscription(
    tx: &mut Tx,
    subscription: &Subscription,
    next_reconciliation: Timestamp,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO subscriptions (id, grant_id, entry_id, store_id, table_name, state_code, created_at, \
         next_reconciliation_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(subscription.id.as_str())
    .bind(subscription.grant_id.as_str())
    .bind(subscription.entry_id.as_str())
    .bind(subscription.store_id.as_str())
    .bind(&subscription.table)
    .bind(&subscription.state_code)
    .bind(at)
    .bind(instant_text(next_reconciliation))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Active subscriptions whose whole is to be compared by now, at most `limit`, with the instant for which that was
/// planned.
pub(super) async fn due_for_reconciliation(
    db: &mut Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Subscription, String)>, DbError> {
    sqlx::query(
        "SELECT id, grant_id, entry_id, store_id, table_name, state_code, next_reconciliation_at FROM subscriptions \
         WHERE state_code = 'active' AND next_reconciliation_at <= $1 ORDER BY next_reconciliation_at, id LIMIT $2",
    )
    .bind(instant_text(now))
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((subscription(row)?, row.text("next_reconciliation_at")?)))
    .collect()
}

/// Plans the next comparison of the whole; with `planned` only in the place of the one that was planned for that
/// instant. `false` if somebody else has planned it meanwhile.
pub(super) async fn plan_reconciliation(
    tx: &mut Tx,
    id: &SubscriptionId,
    planned: Option<&str>,
    next: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE subscriptions SET next_reconciliation_at = $1 \
         WHERE id = $2 AND ($3 = '' OR next_reconciliation_at = $3)",
    )
    .bind(instant_text(next))
    .bind(id.as_str())
    .bind(planned.unwrap_or_default().to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Pauses the active subscriptions of a resource, or lets those go on that were paused for `reason`.
pub(super) async fn set_paused(
    tx: &mut Tx,
    entry_id: &EntryId,
    reason: Option<&str>,
) -> Result<(), DbError> {
    let (from, to) = if reason.is_some() {
        ("active", "paused")
    } else {
        ("paused", "active")
    };
    sqlx::query(
        "UPDATE subscriptions SET state_code = $1, pause_reason = $2 WHERE entry_id = $3 AND state_code = $4",
    )
    .bind(to)
    .bind(reason.map(str::to_owned))
    .bind(entry_id.as_str())
    .bind(from)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
