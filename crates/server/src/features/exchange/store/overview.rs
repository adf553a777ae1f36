//! Sums over runs, for whoever watches the exchange. Bounded by the number of department pairs, of hours, or
//! of resources that fail at present.

use jiff::Timestamp;
use tongqu_domain::{exchange::Counts, ids::DepartmentId, time::instant_text};

use super::{Run, RunKind, run};
use crate::platform::db::{Db, DbError, RowExt as _};

/// What moved between two departments in a span of time.
#[derive(Debug)]
pub struct Moved {
    pub kind: RunKind,
    pub provider: DepartmentId,
    /// For deliveries.
    pub requester: Option<DepartmentId>,
    pub runs: i64,
    pub failed: i64,
    /// Of the runs that succeeded.
    pub counts: Counts,
}

fn party_text(party: Option<&DepartmentId>) -> &str {
    party.map_or("", DepartmentId::as_str)
}

/// Sums of the runs begun from `from` until `until`, by kind and parties.
pub async fn moved(
    db: &mut Db,
    party: Option<&DepartmentId>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Moved>, DbError> {
    sqlx::query(
        "SELECT kind, provider_department_id, requester_department_id, COUNT(*) AS runs, \
         CAST(SUM(CASE WHEN state_code = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed, \
         CAST(SUM(rows_read) AS BIGINT) AS n_read, CAST(SUM(rows_delivered) AS BIGINT) AS n_delivered, \
         CAST(SUM(rows_unchanged) AS BIGINT) AS n_unchanged, \
         CAST(SUM(rows_out_of_scope) AS BIGINT) AS n_out_of_scope, \
         CAST(SUM(rows_quarantined) AS BIGINT) AS n_quarantined, \
         CAST(SUM(rows_inserted) AS BIGINT) AS n_inserted, CAST(SUM(rows_updated) AS BIGINT) AS n_updated, \
         CAST(SUM(rows_deleted) AS BIGINT) AS n_deleted \
         FROM runs WHERE created_at >= $1 AND created_at < $2 \
         AND ($3 = '' OR provider_department_id = $3 OR requester_department_id = $3) \
         GROUP BY kind, provider_department_id, requester_department_id",
    )
    .bind(instant_text(from))
    .bind(instant_text(until))
    .bind(party_text(party).to_owned())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let rows = |column| {
            row.int(column).and_then(|n| {
                u64::try_from(n).map_err(|_| DbError::BrokenRow {
                    column,
                    reason: "a count below zero".to_owned(),
                })
            })
        };
        Ok(Moved {
            kind: RunKind::find(&row.text("kind")?).ok_or_else(|| DbError::BrokenRow {
                column: "kind",
                reason: "unknown kind of run".to_owned(),
            })?,
            provider: row.id("provider_department_id")?,
            requester: row.opt_id("requester_department_id")?,
            runs: row.int("runs")?,
            failed: row.int("failed")?,
            counts: Counts {
                read: rows("n_read")?,
                delivered: rows("n_delivered")?,
                unchanged: rows("n_unchanged")?,
                out_of_scope: rows("n_out_of_scope")?,
                quarantined: rows("n_quarantined")?,
                inserted: rows("n_inserted")?,
                updated: rows("n_updated")?,
                deleted: rows("n_deleted")?,
            },
        })
    })
    .collect()
}

/// How much an hour had.
#[derive(Debug)]
pub struct Hour {
    /// Its first instant.
    pub at: Timestamp,
    pub runs: i64,
    pub failed: i64,
    /// Rows delivered to requesters.
    pub delivered: i64,
}

/// The hours from `from` until `until` in which runs began. China's offset is whole hours, so hours of the
/// stored instants make up the days of China.
pub(in super::super) async fn hours(
    db: &mut Db,
    party: Option<&DepartmentId>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Hour>, DbError> {
    sqlx::query(
        "SELECT SUBSTR(created_at, 1, 13) || ':00:00.000000Z' AS begun, COUNT(*) AS runs, \
         CAST(SUM(CASE WHEN state_code = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed, \
         CAST(SUM(CASE WHEN kind = 'delivery' THEN rows_delivered ELSE 0 END) AS BIGINT) AS n_delivered \
         FROM runs WHERE created_at >= $1 AND created_at < $2 \
         AND ($3 = '' OR provider_department_id = $3 OR requester_department_id = $3) \
         GROUP BY SUBSTR(created_at, 1, 13) ORDER BY SUBSTR(created_at, 1, 13)",
    )
    .bind(instant_text(from))
    .bind(instant_text(until))
    .bind(party_text(party).to_owned())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Hour {
            at: row.instant("begun")?,
            runs: row.int("runs")?,
            failed: row.int("failed")?,
            delivered: row.int("n_delivered")?,
        })
    })
    .collect()
}

/// How many runs are under way.
pub(in super::super) async fn running(
    db: &mut Db,
    party: Option<&DepartmentId>,
) -> Result<i64, DbError> {
    sqlx::query(
        "SELECT COUNT(*) AS n FROM runs WHERE state_code = 'running' \
         AND ($1 = '' OR provider_department_id = $1 OR requester_department_id = $1)",
    )
    .bind(party_text(party).to_owned())
    .fetch_one(db)
    .await?
    .int("n")
}

/// A resource or delivery whose newest run failed, and for how long it has been so.
pub struct Failing {
    pub run: Run,
    /// When the first of the failed runs in a row began.
    pub since: Timestamp,
    /// How many failed in a row.
    pub in_a_row: i64,
    /// Deliveries of the resource that are paused because of it.
    pub paused: i64,
}

/// What fails at present, the newest first: runs after `from` that failed and weren't followed by another run
/// of the same resource and subscription.
pub(in super::super) async fn failing(
    db: &mut Db,
    party: Option<&DepartmentId>,
    from: Timestamp,
    size: u32,
) -> Result<Vec<Failing>, DbError> {
    sqlx::query(
        "SELECT r.id, r.kind, r.entry_id, r.subscription_id, r.collection_run_id, r.provider_department_id, \
         r.requester_department_id, r.state_code, r.started_by, r.created_at, r.finished_at, r.rows_read, \
         r.rows_delivered, r.rows_unchanged, r.rows_out_of_scope, r.rows_quarantined, r.rows_inserted, \
         r.rows_updated, r.rows_deleted, r.source_digest, r.target_digest, r.digest_rows, r.digest_reach, r.rows_held, r.failure, \
         r.steps, f.since, f.in_a_row, \
         (SELECT COUNT(*) FROM subscriptions s WHERE s.entry_id = r.entry_id AND s.state_code = 'paused') AS paused \
         FROM runs r JOIN (\
           SELECT x.entry_id, x.kind, COALESCE(x.subscription_id, '') AS lane, MIN(x.created_at) AS since, \
           MAX(x.created_at) AS newest, COUNT(*) AS in_a_row FROM runs x \
           WHERE x.state_code = 'failed' AND x.created_at >= $1 AND NOT EXISTS (\
             SELECT 1 FROM runs y WHERE y.entry_id = x.entry_id AND y.kind = x.kind \
             AND COALESCE(y.subscription_id, '') = COALESCE(x.subscription_id, '') \
             AND y.created_at > x.created_at AND y.state_code <> 'failed') \
           GROUP BY x.entry_id, x.kind, COALESCE(x.subscription_id, '')\
         ) f ON f.entry_id = r.entry_id AND f.kind = r.kind AND f.lane = COALESCE(r.subscription_id, '') \
         AND f.newest = r.created_at \
         WHERE r.state_code = 'failed' \
         AND ($2 = '' OR r.provider_department_id = $2 OR r.requester_department_id = $2) \
         ORDER BY r.created_at DESC, r.id DESC LIMIT $3",
    )
    .bind(instant_text(from))
    .bind(party_text(party).to_owned())
    .bind(i64::from(size))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Failing {
            run: run(row)?,
            since: row.instant("since")?,
            in_a_row: row.int("in_a_row")?,
            paused: row.int("paused")?,
        })
    })
    .collect()
}
