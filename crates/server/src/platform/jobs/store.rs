//! All SQL of the job queue.

use jiff::{SignedDuration, Timestamp};
use tongqu_domain::time::instant_text;

use super::{NewJob, RETRY_WAIT_MAX};
use crate::platform::{
    db::{Db, DbError, Registry, RowExt as _, Tx},
    evidence::Entry,
    secrets::random_hex,
};

/// A job that this worker holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: String,
    pub kind: String,
    pub payload: String,
    pub attempts: i64,
}

/// Queues a job within the caller's write; it runs once that is committed.
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO jobs (id, kind, lane, payload, state, attempts, run_after, created_at) \
         VALUES ($1, $2, $3, $4, 'queued', 0, $5, $5)",
    )
    .bind(random_hex::<12>())
    .bind(job.kind)
    .bind(job.lane)
    .bind(job.payload)
    .bind(instant_text(Timestamp::UNIX_EPOCH))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a job of the same kind already waits in the same lane: what it would do, that one does.
pub async fn is_queued(tx: &mut Tx, job: &NewJob) -> Result<bool, DbError> {
    let n = sqlx::query(
        "SELECT COUNT(*) AS n FROM jobs WHERE kind = $1 AND lane = $2 AND state = 'queued'",
    )
    .bind(job.kind)
    .bind(job.lane.clone())
    .fetch_one(&mut **tx)
    .await?
    .int("n")?;
    Ok(n > 0)
}

/// How many jobs are neither done nor given up.
pub async fn unfinished(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM jobs WHERE state IN ('queued', 'running')")
        .fetch_one(db)
        .await?
        .int("n")
}

/// How many jobs the workers of a node hold. Their names begin with the node's.
pub async fn held_by(db: &mut Db, node_id: &str) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM jobs WHERE state = 'running' AND worker LIKE $1")
        .bind(format!("{node_id}-%"))
        .fetch_one(db)
        .await?
        .int("n")
}

/// How many jobs no worker holds yet.
pub async fn waiting(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM jobs WHERE state = 'queued'")
        .fetch_one(db)
        .await?
        .int("n")
}

/// Puts jobs back that a dead process of this single-node installation left running.
pub async fn requeue_orphans(registry: &Registry, at: Timestamp) -> Result<u64, DbError> {
    let mut tx = registry.begin(at).await?;
    let n = sqlx::query("UPDATE jobs SET state = 'queued', worker = NULL, lease_until = NULL WHERE state = 'running'")
        .execute(&mut *tx)
        .await?
        .rows_affected();
    if n > 0 {
        tx.commit(Entry::by_platform("job.requeued").with("jobs", n))
            .await?;
    }
    Ok(n)
}

/// Puts jobs back whose worker has not reported in time, for leases of the length `lease`.
///
/// A lease that ends much later than any that is given now comes from before the clock was set back; waiting for
/// its end could take days. A worker that lives has renewed it meanwhile, or renews nothing any more.
pub(super) async fn take_over_expired(
    registry: &Registry,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<(), DbError> {
    let latest = now + lease + lease;
    let mut db = registry.read().await?;
    let expired = sqlx::query(
        "SELECT COUNT(*) AS n FROM jobs WHERE state = 'running' AND (lease_until < $1 OR lease_until > $2)",
    )
    .bind(instant_text(now))
    .bind(instant_text(latest))
    .fetch_one(&mut *db)
    .await?
    .int("n")?;
    drop(db);
    if expired == 0 {
        return Ok(());
    }
    let mut tx = registry.begin(now).await?;
    sqlx::query(
        "UPDATE jobs SET state = 'queued', worker = NULL \
         WHERE state = 'running' AND (lease_until < $1 OR lease_until > $2)",
    )
    .bind(instant_text(now))
    .bind(instant_text(latest))
    .execute(&mut *tx)
    .await?;
    tx.commit(Entry::by_platform("job.taken_over").with("jobs", expired))
        .await
}

/// Claims a free job. One that is to wait for longer than any job waits before it is tried again was put off before
/// the clock was set back, and is free as well.
pub(super) async fn claim(
    registry: &Registry,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, DbError> {
    let latest = instant_text(now + RETRY_WAIT_MAX + RETRY_WAIT_MAX);
    let mut db = registry.read().await?;
    let waiting = sqlx::query(
        "SELECT COUNT(*) AS n FROM jobs WHERE state = 'queued' AND (run_after <= $1 OR run_after > $2)",
    )
    .bind(instant_text(now))
    .bind(latest.clone())
    .fetch_one(&mut *db)
    .await?
    .int("n")?;
    drop(db);
    if waiting == 0 {
        return Ok(None);
    }
    let mut tx = registry.begin(now).await?;
    let row = sqlx::query(registry.engine().claim_job())
        .bind(worker)
        .bind(instant_text(lease_until))
        .bind(instant_text(now))
        .bind(latest)
        .fetch_optional(&mut *tx)
        .await
        .map_err(DbError::from);
    let row = match row {
        // Another worker has just claimed a job of the same lane, see `jobs_by_running_lane`.
        Err(error) if error.is_unique_violation() => return Ok(None),
        other => other?,
    };
    let Some(row) = row else { return Ok(None) };
    let job = Claimed {
        id: row.text("id")?,
        kind: row.text("kind")?,
        payload: row.text("payload")?,
        attempts: row.int("attempts")?,
    };
    tx.commit_bookkeeping().await?;
    Ok(Some(job))
}

pub(super) async fn renew(
    registry: &Registry,
    id: &str,
    worker: &str,
    until: Timestamp,
) -> Result<(), DbError> {
    let mut tx = registry.begin(until).await?;
    sqlx::query(
        "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND worker = $3 AND state = 'running'",
    )
    .bind(instant_text(until))
    .bind(id)
    .bind(worker)
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await
}

/// Ends a job; whether `worker` still held it.
pub(super) async fn finish(
    tx: &mut Tx,
    id: &str,
    worker: &str,
    state: &str,
    code: Option<&str>,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE jobs SET state = $1, error_code = $2, lease_until = NULL \
         WHERE id = $3 AND worker = $4 AND state = 'running'",
    )
    .bind(state)
    .bind(code)
    .bind(id)
    .bind(worker)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Queues a job again; whether `worker` still held it.
pub(super) async fn retry(
    tx: &mut Tx,
    id: &str,
    worker: &str,
    after: Timestamp,
    code: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'queued', run_after = $1, error_code = $2, lease_until = NULL \
         WHERE id = $3 AND worker = $4 AND state = 'running'",
    )
    .bind(instant_text(after))
    .bind(code)
    .bind(id)
    .bind(worker)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
