//! What the open runs of a follower have done so far. It is kept with its job once a second, so that a node that dies
//! takes at most that much of the account with it, and none of the rows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tongqu_domain::ids::{EntryId, RunId, SubscriptionId};

use super::super::{
    engine::{Collected, Delivered},
    jobs::{Done, JobError, Then, finish_collection, finish_delivery, step},
    resource::Resource,
    store,
    subscribed::subscribed,
};
use crate::{
    app::App,
    platform::{
        config,
        jobs::{self, Claimed},
    },
};

/// How often it is kept.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

/// What a run has done so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Tally {
    Collection {
        entry_id: EntryId,
        collected: Collected,
    },
    Delivery {
        subscription_id: SubscriptionId,
        delivered: Delivered,
        /// Rows in the target before it.
        rows_before: u64,
    },
}

/// The open runs of a follower.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    open: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tallies: BTreeMap<RunId, Tally>,
    is_changed: bool,
    noted: Option<Instant>,
}

impl Accounts {
    pub(super) fn keep(&self, run_id: &RunId, tally: Tally) {
        let mut kept = self.lock();
        kept.tallies.insert(run_id.clone(), tally);
        kept.is_changed = true;
    }

    /// The run has ended.
    pub(super) fn close(&self, run_id: &RunId) {
        let mut kept = self.lock();
        kept.is_changed |= kept.tallies.remove(run_id).is_some();
    }

    /// Writes it down if it has changed and wasn't written lately.
    pub(super) async fn note_now_and_then(&self, app: &App, job: &Claimed) -> Result<(), JobError> {
        let is_due = {
            let kept = self.lock();
            kept.is_changed && kept.noted.is_none_or(|at| at.elapsed() >= NOTE_INTERVAL)
        };
        if is_due {
            self.note(app, job).await
        } else {
            Ok(())
        }
    }

    /// Writes it down.
    pub(super) async fn note(&self, app: &App, job: &Claimed) -> Result<(), JobError> {
        let text = {
            let mut kept = self.lock();
            (kept.is_changed, kept.noted) = (false, Some(Instant::now()));
            serde_json::to_string(&kept.tallies).expect("plain structures make JSON")
        };
        jobs::note_progress(&app.registry, app.clock.now(), job, &text).await?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the runs that an earlier worker left open, as far as it wrote down what they did.
///
/// Errors: of the registry and the ledger.
pub(super) async fn recover(app: &Arc<App>, job: &Claimed) -> Result<(), JobError> {
    let Some(progress) = &job.progress else {
        return Ok(());
    };
    let tallies: BTreeMap<RunId, Tally> = match serde_json::from_str(progress) {
        Ok(tallies) => tallies,
        Err(error) => {
            tracing::error!(job = %job.id, %error, "what an earlier version noted can't be read");
            return Ok(());
        }
    };
    for (run_id, tally) in tallies {
        let mut db = app.registry.read().await?;
        let run = store::find_run(&mut db, &run_id).await?;
        drop(db);
        if run.is_some_and(|run| run.state_code == "running") {
            end_for(app, &run_id, tally).await?;
        }
    }
    Ok(())
}

async fn end_for(app: &Arc<App>, run_id: &RunId, tally: Tally) -> Result<(), JobError> {
    match tally {
        Tally::Collection {
            entry_id,
            collected,
        } => {
            let mut db = app.registry.read().await?;
            let resource = Resource::find(&mut db, &entry_id).await?;
            drop(db);
            let done = Done {
                mounting: &resource.mounting,
                collected: &collected,
                is_whole: false,
                steps: &[step(app, "taken_over", Some(collected.counts.read))],
            };
            finish_collection(app, run_id, done, Then::Nothing).await
        }
        Tally::Delivery {
            subscription_id,
            delivered,
            rows_before,
        } => {
            // Without a grant in force the run stays what it is: one that broke off.
            let Some(mut subscribed) = subscribed(app, &subscription_id).await? else {
                return Ok(());
            };
            subscribed.rows_before = rows_before;
            let steps = [step(app, "taken_over", Some(delivered.counts.delivered))];
            finish_delivery(app, run_id, &subscribed, &delivered, &steps).await
        }
    }
}

/// A stretch of changes that is summed up as one run.
#[derive(Debug)]
pub(super) struct Span {
    begun: Instant,
    last: Instant,
}

impl Span {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            last: now,
        }
    }

    pub(super) fn go_on(&mut self) {
        self.last = Instant::now();
    }

    /// Whether nothing came for a while, or it has lasted long enough.
    pub(super) fn is_over(&self, limits: &config::Exchange) -> bool {
        self.last.elapsed() >= Duration::from_secs(limits.span_idle_s)
            || self.begun.elapsed() >= Duration::from_secs(limits.span_max_s)
    }
}
