//! Work that outlives a request: queued in the same transaction as the change that calls for it,
//! claimed by one worker at a time, tried again after a failure, taken over from a dead worker.
//!
//! At most one job of a lane runs at a time, so two workers never move the same resource. A standing job goes on until
//! another one waits for its lane, see [`standing`].

mod standing;
mod store;
#[cfg(test)]
mod store_tests;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

pub use store::{
    Claimed, enqueue, held_by, hurry, is_queued, note_progress, requeue_orphans, stands,
    unfinished, waiting,
};

use self::store::Sort;
use super::{db::DbError, evidence::Entry, secrets::random_hex};
use crate::app::App;

/// A job to be queued.
#[derive(Debug)]
pub struct NewJob {
    /// Which handler, `<noun>.<verb>`.
    pub kind: &'static str,
    /// At most one job of a lane runs at a time.
    pub lane: String,
    /// What the handler needs, as JSON.
    pub payload: String,
    /// Whether it goes on until somebody else needs its lane.
    pub stands: bool,
}

impl NewJob {
    /// A job of `kind` in `lane` with `payload`.
    #[must_use]
    pub fn new(kind: &'static str, lane: impl Into<String>, payload: &impl Serialize) -> Self {
        let payload = serde_json::to_string(payload).expect("job payloads are plain structures");
        Self {
            kind,
            lane: lane.into(),
            payload,
            stands: false,
        }
    }

    /// The same as a standing job.
    #[must_use]
    pub fn standing(self) -> Self {
        Self {
            stands: true,
            ..self
        }
    }
}

/// The longest that a job waits before it is tried again.
const RETRY_WAIT_MAX: Duration = Duration::from_mins(1);

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// The work is done.
    Done,
    /// It can't be done; another attempt would fail in the same way.
    Failed { code: String },
    /// It failed, but may succeed later.
    Again { code: String },
    /// A standing job made way. It goes on once its lane is free again.
    MadeWay,
}

/// A handler of all job kinds, given by the features when the parts are put together.
pub type Handler = fn(Arc<App>, Claimed) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Runs `workers` workers until `stop` turns true. A job under way is finished first.
pub async fn work(app: Arc<App>, handler: Handler, mut stop: watch::Receiver<bool>) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..app.config.exchange.workers {
        workers.spawn(work_alone(app.clone(), handler, stop.clone()));
    }
    workers.spawn(standing::work(app.clone(), handler, stop.clone()));
    workers.spawn(async move {
        // The only failure is a dropped sender, which means stop as well.
        let _stopped = stop.wait_for(|s| *s).await;
    });
    while workers.join_next().await.is_some() {}
}

async fn work_alone(app: Arc<App>, handler: Handler, mut stop: watch::Receiver<bool>) {
    let worker = format!("{}-{}", app.node.id, random_hex::<4>());
    let committed = app.registry.committed();
    while !*stop.borrow() {
        match claim(&app, &worker, Sort::Ending).await {
            Ok(Some(job)) => attempt(&app, handler, Sort::Ending, job).await,
            Ok(None) => {
                tokio::select! {
                    () = committed.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(500)) => {}
                    _ = stop.changed() => {}
                }
            }
            Err(error) => {
                tracing::error!(%error, "can't look for work");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}

/// Claims one free job, after taking over those whose worker went silent.
async fn claim(app: &App, worker: &str, sort: Sort) -> Result<Option<Claimed>, DbError> {
    let now = app.clock.wall();
    store::take_over_expired(&app.registry, now, lease(app)).await?;
    store::claim(&app.registry, worker, sort, now, lease_end(app, now)).await
}

fn lease(app: &App) -> SignedDuration {
    SignedDuration::from_secs(app.config.exchange.lease_s)
}

fn lease_end(app: &App, now: Timestamp) -> Timestamp {
    now + lease(app)
}

async fn attempt(app: &Arc<App>, handler: Handler, sort: Sort, job: Claimed) {
    let held = Held {
        id: job.id.clone(),
        worker: job.worker.clone(),
        kind: job.kind.clone(),
        attempts: job.attempts,
        sort,
    };
    let mut running = tokio::spawn(handler(app.clone(), job));
    let beat = Duration::from_secs(
        u64::try_from(app.config.exchange.lease_s / 3)
            .unwrap_or(20)
            .max(1),
    );
    let outcome = loop {
        tokio::select! {
            ended = &mut running => break ended.unwrap_or_else(|panic| {
                tracing::error!(job = %held.id, %panic, "a job panicked");
                Outcome::Failed { code: "platform.bug".to_owned() }
            }),
            () = tokio::time::sleep(beat) => {
                let now = app.clock.wall();
                match store::renew(&app.registry, &held.id, &held.worker, lease_end(app, now)).await {
                    Ok(true) => {}
                    Ok(false) => {
                        // Whoever has it now works on it; two must not.
                        tracing::warn!(job = %held.id, "the job was taken over meanwhile; it is left to its new worker");
                        running.abort();
                        return;
                    }
                    Err(error) => tracing::error!(job = %held.id, %error, "can't renew the lease"),
                }
            }
        }
    };
    if let Err(error) = settle(app, &held, outcome).await {
        tracing::error!(job = %held.id, %error, "can't settle the job; its lease will run out");
    }
}

/// A job that a worker of this node holds.
struct Held {
    id: String,
    worker: String,
    kind: String,
    attempts: i64,
    sort: Sort,
}

async fn settle(app: &App, held: &Held, outcome: Outcome) -> Result<(), DbError> {
    let (id, worker) = (&held.id, &held.worker);
    if held.sort == Sort::Standing {
        match outcome {
            Outcome::MadeWay => return store::make_way(&app.registry, id, worker).await,
            Outcome::Again { code } => {
                return stand_again(app, held, retry_wait(app, held), &code).await;
            }
            Outcome::Failed { code } => return stand_again(app, held, WAIT_MAX, &code).await,
            Outcome::Done => {}
        }
    }
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let (is_held, entry) = match outcome {
        Outcome::Done | Outcome::MadeWay => (
            store::finish(&mut tx, id, worker, "done", None).await?,
            Entry::by_platform("job.done"),
        ),
        Outcome::Again { code } if held.attempts < app.config.exchange.run_attempts_max => {
            let after = app.clock.wall() + retry_wait(app, held);
            (
                store::retry(&mut tx, id, worker, after, &code).await?,
                Entry::by_platform("job.retried").with("code", code),
            )
        }
        Outcome::Again { code } | Outcome::Failed { code } => (
            store::finish(&mut tx, id, worker, "failed", Some(&code)).await?,
            Entry::by_platform("job.failed").with("code", code),
        ),
    };
    if !is_held {
        tracing::warn!(job = %id, "the job was taken over meanwhile; its new worker settles it");
        return Ok(());
    }
    tx.commit(
        entry
            .on("job", id)
            .with("kind", held.kind.as_str())
            .with("attempts", held.attempts),
    )
    .await
}

/// How long a standing job waits that somebody has to help first: longer than any other.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// It doubles with each attempt, up to a minute.
fn retry_wait(app: &App, held: &Held) -> Duration {
    let doublings = u32::try_from(held.attempts.clamp(1, 6)).unwrap_or(1) - 1;
    let wait_ms = app.config.exchange.retry_wait_ms;
    Duration::from_millis(wait_ms.saturating_mul(1 << doublings)).min(RETRY_WAIT_MAX)
}

/// A standing job is never given up. Its handler has told what went wrong, so this is no act.
async fn stand_again(app: &App, held: &Held, wait: Duration, code: &str) -> Result<(), DbError> {
    let after = app.clock.wall() + wait;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    store::retry(&mut tx, &held.id, &held.worker, after, code).await?;
    tx.commit_bookkeeping().await
}
