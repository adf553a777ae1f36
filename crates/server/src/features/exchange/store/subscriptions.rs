//! Standing deliveries, and what was last delivered under each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tongqu_domain::{
    ids::{EntryId, GrantId, StoreId, SubscriptionId},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx, in_places, placed};

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
pub(in super::super) async fn find_subscription(
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
pub(in super::super) async fn subscription_of_grant(
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
pub(in super::super) async fn active_subscriptions(
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
pub(in super::super) async fn is_target_taken(
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

pub(in super::super) async fn insert_subscription(
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
pub(in super::super) async fn due_for_reconciliation(
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
pub(in super::super) async fn plan_reconciliation(
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
pub(in super::super) async fn set_paused(
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
