//! All SQL of the job queue.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tongqu_domain::time::instant_text;

use super::{NewJob, WAIT_MAX};
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
    pub lane: String,
    pub payload: String,
    pub attempts: i64,
    /// Who holds it.
    pub worker: String,
    /// What an earlier worker has noted of a standing job, see [`note_progress`].
    pub progress: Option<String>,
    /// Turns true when a standing job is to make way: somebody waits for its lane, or the node stops.
    pub makes_way: watch::Receiver<bool>,
}

/// Queues a job within the caller's write; it runs once that is committed.
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO jobs (id, kind, lane, payload, state, attempts, run_after, created_at, standing) \
         VALUES ($1, $2, $3, $4, 'queued', 0, $5, $5, $6)",
    )
    .bind(random_hex::<12>())
    .bind(job.kind)
    .bind(job.lane)
    .bind(job.payload)
    .bind(instant_text(Timestamp::UNIX_EPOCH))
    .bind(i64::from(job.stands))
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

/// Whether a standing job of this kind and lane waits or runs.
pub async fn stands(db: &mut Db, job: &NewJob) -> Result<bool, DbError> {
    let n = sqlx::query(
        "SELECT COUNT(*) AS n FROM jobs WHERE kind = $1 AND lane = $2 AND state IN ('queued', 'running')",
    )
    .bind(job.kind)
    .bind(job.lane.clone())
    .fetch_one(db)
    .await?
    .int("n")?;
    Ok(n > 0)
}

/// Has standing jobs of this kind and lane tried again at once, whatever they wait for.
pub async fn hurry(tx: &mut Tx, job: &NewJob) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE jobs SET run_after = $1 WHERE kind = $2 AND lane = $3 AND state = 'queued'",
    )
    .bind(instant_text(Timestamp::UNIX_EPOCH))
    .bind(job.kind)
    .bind(job.lane.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many jobs are neither done nor given up; those that stand aren't counted, because they never end.
pub async fn unfinished(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query(
        "SELECT COUNT(*) AS n FROM jobs WHERE standing = 0 AND state IN ('queued', 'running')",
    )
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
    sqlx::query("SELECT COUNT(*) AS n FROM jobs WHERE standing = 0 AND state = 'queued'")
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

/// No job waits for longer than until then.
fn latest(now: Timestamp) -> String {
    instant_text(now + WAIT_MAX + WAIT_MAX)
}

/// Which jobs a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Those that end.
    Ending,
    /// Those that go on until they have to make way.
    Standing,
}

/// Claims a free job. One that is to wait for longer than any job waits before it is tried again was put off before
/// the clock was set back, and is free as well.
pub(super) async fn claim(
    registry: &Registry,
    worker: &str,
    sort: Sort,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, DbError> {
    let standing = i64::from(sort == Sort::Standing);
    let latest = latest(now);
    let mut db = registry.read().await?;
    let waiting = sqlx::query(
        "SELECT COUNT(*) AS n FROM jobs WHERE state = 'queued' AND standing = $1 \
         AND (run_after <= $2 OR run_after > $3)",
    )
    .bind(standing)
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
        .bind(standing)
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
        lane: row.text("lane")?,
        payload: row.text("payload")?,
        attempts: row.int("attempts")?,
        worker: worker.to_owned(),
        progress: row.opt_text("progress")?,
        makes_way: watch::channel(false).1,
    };
    tx.commit_bookkeeping().await?;
    Ok(Some(job))
}

/// Lanes in which a job waits that isn't a standing one.
pub(super) async fn wanted_lanes(
    registry: &Registry,
    now: Timestamp,
) -> Result<HashSet<String>, DbError> {
    let mut db = registry.read().await?;
    let rows = sqlx::query(
        "SELECT DISTINCT lane FROM jobs WHERE state = 'queued' AND standing = 0 \
         AND (run_after <= $1 OR run_after > $2)",
    )
    .bind(instant_text(now))
    .bind(latest(now))
    .fetch_all(&mut *db)
    .await?;
    rows.iter().map(|row| row.text("lane")).collect()
}

/// Keeps what a standing job has done, for whoever takes it over; `false` if that has happened already.
pub async fn note_progress(
    registry: &Registry,
    at: Timestamp,
    job: &Claimed,
    progress: &str,
) -> Result<bool, DbError> {
    let mut tx = registry.begin(at).await?;
    let done = sqlx::query(
        "UPDATE jobs SET progress = $1 WHERE id = $2 AND worker = $3 AND state = 'running'",
    )
    .bind(progress)
    .bind(&job.id)
    .bind(&job.worker)
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await?;
    Ok(done.rows_affected() == 1)
}

/// Prolongs the lease; whether `worker` still held it.
pub(super) async fn renew(
    registry: &Registry,
    id: &str,
    worker: &str,
    until: Timestamp,
) -> Result<bool, DbError> {
    let mut tx = registry.begin(until).await?;
    let done = sqlx::query(
        "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND worker = $3 AND state = 'running'",
    )
    .bind(instant_text(until))
    .bind(id)
    .bind(worker)
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await?;
    Ok(done.rows_affected() == 1)
}

/// Queues a standing job again that made way: it isn't an act, and nothing of its attempts counts.
pub(super) async fn make_way(registry: &Registry, id: &str, worker: &str) -> Result<(), DbError> {
    let mut tx = registry.begin(Timestamp::UNIX_EPOCH).await?;
    sqlx::query(
        "UPDATE jobs SET state = 'queued', attempts = 0, worker = NULL, lease_until = NULL, progress = NULL, \
         error_code = NULL WHERE id = $1 AND worker = $2 AND state = 'running'",
    )
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
