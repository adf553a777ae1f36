//! Work that outlives a request: queued in the same transaction as the change that calls for it,
//! claimed by one worker at a time, tried again after a failure, taken over from a dead worker.
//!
//! At most one job of a lane runs at a time, so two workers never move the same resource.

mod store;
#[cfg(test)]
mod store_tests;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

pub use store::{Claimed, enqueue, held_by, is_queued, requeue_orphans, unfinished, waiting};

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
}

/// A handler of all job kinds, given by the features when the parts are put together.
pub type Handler = fn(Arc<App>, Claimed) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Runs `workers` workers until `stop` turns true. A job under way is finished first.
pub async fn work(app: Arc<App>, handler: Handler, mut stop: watch::Receiver<bool>) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..app.config.exchange.workers {
        workers.spawn(work_alone(app.clone(), handler, stop.clone()));
    }
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
        match claim(&app, &worker).await {
            Ok(Some(job)) => attempt(&app, handler, &worker, job).await,
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
async fn claim(app: &App, worker: &str) -> Result<Option<Claimed>, DbError> {
    let now = app.clock.wall();
    store::take_over_expired(&app.registry, now, lease(app)).await?;
    store::claim(&app.registry, worker, now, lease_end(app, now)).await
}

fn lease(app: &App) -> SignedDuration {
    SignedDuration::from_secs(app.config.exchange.lease_s)
}

fn lease_end(app: &App, now: Timestamp) -> Timestamp {
    now + lease(app)
}

async fn attempt(app: &Arc<App>, handler: Handler, worker: &str, job: Claimed) {
    let id = job.id.clone();
    let attempts = job.attempts;
    let kind = job.kind.clone();
    let mut running = tokio::spawn(handler(app.clone(), job));
    let beat = Duration::from_secs(
        u64::try_from(app.config.exchange.lease_s / 3)
            .unwrap_or(20)
            .max(1),
    );
    let outcome = loop {
        tokio::select! {
            ended = &mut running => break ended.unwrap_or_else(|panic| {
                tracing::error!(job = %id, %panic, "a job panicked");
                Outcome::Failed { code: "platform.bug".to_owned() }
            }),
            () = tokio::time::sleep(beat) => {
                let now = app.clock.wall();
                if let Err(error) = store::renew(&app.registry, &id, worker, lease_end(app, now)).await {
                    tracing::error!(job = %id, %error, "can't renew the lease");
                }
            }
        }
    };
    if let Err(error) = settle(app, &id, worker, &kind, attempts, outcome).await {
        tracing::error!(job = %id, %error, "can't settle the job; its lease will run out");
    }
}

async fn settle(
    app: &App,
    id: &str,
    worker: &str,
    kind: &str,
    attempts: i64,
    outcome: Outcome,
) -> Result<(), DbError> {
    let limits = &app.config.exchange;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let (held, entry) = match outcome {
        Outcome::Done => (
            store::finish(&mut tx, id, worker, "done", None).await?,
            Entry::by_platform("job.done"),
        ),
        Outcome::Again { code } if attempts < limits.run_attempts_max => {
            let doublings = u32::try_from(attempts.clamp(1, 6)).unwrap_or(1) - 1;
            let wait_ms = limits.retry_wait_ms.saturating_mul(1 << doublings);
            let after = app.clock.wall() + Duration::from_millis(wait_ms).min(RETRY_WAIT_MAX);
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
    if !held {
        tracing::warn!(job = %id, "the job was taken over meanwhile; its new worker settles it");
        return Ok(());
    }
    tx.commit(
        entry
            .on("job", id)
            .with("kind", kind)
            .with("attempts", attempts),
    )
    .await
}
