//! Serving a subscriber of a followed resource: whatever comes into the pool is brought on at once, as long as a grant
//! is in force.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{RwLock, watch},
    time::Instant,
};
use tongqu_domain::ids::{RunId, SubscriptionId};

use super::super::{
    engine::{self, Delivered, Delivery, KEYS_READ_BACK_MAX, Reach, RunError},
    failure::record_failure,
    jobs::{JobError, begin_delivery, finish_delivery, limits, step},
    store::RunStep,
    subscribed::{OpenTarget, Subscribed, subscribed_over},
};
use super::account::{Accounts, Span, Tally};
use crate::app::App;

/// How often it is looked whether the open run is over.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long it is waited while nothing may move, and after failures: it doubles up to the longest.
const NOT_NOW: Duration = Duration::from_secs(5);
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// After a failure that somebody has to mend.
const MENDED_WITHIN: Duration = Duration::from_mins(5);

/// How far the pool has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// The last change number.
    pub seq: i64,
    /// Changed rows since the follower began.
    pub rows: u64,
}

/// Serves one subscriber.
pub(super) struct Serving {
    app: Arc<App>,
    id: SubscriptionId,
    moved: watch::Receiver<Moved>,
    /// Held while the whole is compared, so that the pool doesn't change meanwhile.
    gate: Arc<RwLock<()>>,
    accounts: Arc<Accounts>,
    target: OpenTarget,
    /// Up to where the target has everything; unknown in the beginning, and after a failure.
    served: Option<Moved>,
    open: Option<Open>,
    /// Not before this time.
    not_before: Option<Instant>,
    /// What the last attempt failed with, and how often in a row.
    failing: Option<(&'static str, u32)>,
}

/// A run that is being added to.
struct Open {
    run_id: RunId,
    /// As it is now, with the rows that were there before the run.
    subscribed: Subscribed,
    delivered: Option<Delivered>,
    began: RunStep,
    span: Span,
}

impl Serving {
    pub(super) fn new(
        app: Arc<App>,
        id: SubscriptionId,
        moved: watch::Receiver<Moved>,
        gate: Arc<RwLock<()>>,
        accounts: Arc<Accounts>,
    ) -> Self {
        Self {
            app,
            id,
            moved,
            gate,
            accounts,
            target: None,
            served: None,
            open: None,
            not_before: None,
            failing: None,
        }
    }

    /// Serves until `leaves` turns true. What is being brought then is finished.
    pub(super) async fn until(mut self, mut leaves: watch::Receiver<bool>) {
        while !*leaves.borrow() {
            if let Err(error) = self.look().await {
                self.failed_itself(&error);
            }
            tokio::select! {
                moved = self.moved.changed(), if self.not_before.is_none() => {
                    // The follower is gone: it tells us to leave.
                    if moved.is_err() {
                        break;
                    }
                }
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = leaves.changed() => {}
            }
        }
        if let Err(error) = self.close().await {
            self.failed_itself(&error);
        }
    }

    fn failed_itself(&mut self, error: &JobError) {
        tracing::error!(subscription = %self.id, code = error.code(), "can't serve a subscriber; it is tried again");
        self.served = None;
        self.not_before = Some(Instant::now() + NOT_NOW);
    }

    /// Brings what has come, and ends the open run if it is over.
    async fn look(&mut self) -> Result<(), JobError> {
        let config = &self.app.config.exchange;
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.span.is_over(config))
        {
            self.close().await?;
        }
        if self.not_before.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        self.not_before = None;
        let moved = *self.moved.borrow_and_update();
        if self.served == Some(moved) {
            return Ok(());
        }
        let subscribed = subscribed_over(&self.app, &self.id, &mut self.target).await?;
        let Some(subscribed) = subscribed else {
            self.not_before = Some(Instant::now() + NOT_NOW);
            return self.close().await;
        };
        if self.bring(moved, subscribed).await? {
            (self.served, self.failing) = (Some(moved), None);
        }
        Ok(())
    }

    /// One delivery; whether it ended well. A failure is told to the parties.
    async fn bring(&mut self, moved: Moved, mut subscribed: Subscribed) -> Result<bool, JobError> {
        if let Some(open) = &self.open {
            // The run before is ours, and hasn't broken off.
            subscribed.delivery.compares = Reach::Changed;
            subscribed.rows_before = open.subscribed.rows_before;
        }
        let delivery = &subscribed.delivery;
        if self.served.is_none() {
            match self.is_behind(delivery).await {
                Ok(false) if delivery.compares == Reach::Changed => return Ok(true),
                // A store that still doesn't answer isn't worth another failed run.
                Err(error) if self.fails_still(&error) => {
                    self.pause(&error);
                    return Ok(false);
                }
                Ok(_) | Err(_) => {}
            }
        }
        let rows = self
            .served
            .map(|served| moved.rows.saturating_sub(served.rows));
        let is_few = rows.is_some_and(|rows| rows <= KEYS_READ_BACK_MAX as u64);
        let alone = if is_few && delivery.compares == Reach::Changed {
            None
        } else {
            Some(self.gate.clone().write_owned().await)
        };
        let open = self.begin(subscribed).await?;
        let delivery = &open.subscribed.delivery;
        let (run_id, limits) = (open.run_id.clone(), limits(&self.app));
        let delivered = engine::deliver(delivery, &self.app.pool, run_id.as_str(), limits).await;
        drop(alone);
        match delivered {
            Ok(delivered) => self.add(open, &delivered).await.map(|()| true),
            Err(error) => self.fail(open, &error).await.map(|()| false),
        }
    }

    /// Whether the target lacks something; a target that failed before is asked first whether it answers again.
    async fn is_behind(&self, delivery: &Delivery) -> Result<bool, RunError> {
        if self.failing.is_some() {
            let answered = delivery.target.ping().await;
            answered.map_err(RunError::of_target)?;
        }
        engine::is_behind(delivery, &self.app.pool).await
    }

    /// The open run under the present grant; begins one if none is.
    async fn begin(&mut self, subscribed: Subscribed) -> Result<Open, JobError> {
        if let Some(open) = self.open.take() {
            return Ok(Open { subscribed, ..open });
        }
        let (subscription, grant) = (&subscribed.subscription, &subscribed.grant);
        Ok(Open {
            run_id: begin_delivery(&self.app, subscription, grant, (None, None)).await?,
            subscribed,
            delivered: None,
            began: step(&self.app, "began", None),
            span: Span::begin(),
        })
    }

    /// Adds a delivery to the run. One that compared the whole is a run of its own, and ends it.
    async fn add(&mut self, mut open: Open, delivered: &Delivered) -> Result<(), JobError> {
        let all = match &open.delivered {
            Some(before) => before.and(delivered),
            None => delivered.clone(),
        };
        let tally = Tally::Delivery {
            subscription_id: self.id.clone(),
            delivered: all.clone(),
            rows_before: open.subscribed.rows_before,
        };
        self.accounts.keep(&open.run_id, tally);
        open.delivered = Some(all);
        open.span.go_on();
        self.open = Some(open);
        if delivered.reach == Reach::Whole {
            self.close().await?;
        }
        Ok(())
    }

    /// Ends the open run, if there is one.
    async fn close(&mut self) -> Result<(), JobError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let Some(delivered) = &open.delivered else {
            return Ok(());
        };
        let steps = [
            open.began,
            step(&self.app, "applied", Some(delivered.counts.delivered)),
            step(&self.app, "read_back", Some(delivered.held.rows())),
        ];
        finish_delivery(&self.app, &open.run_id, &open.subscribed, delivered, &steps).await?;
        self.accounts.close(&open.run_id);
        Ok(())
    }

    /// Tells the parties. What the run had brought before was brought.
    async fn fail(&mut self, mut open: Open, error: &RunError) -> Result<(), JobError> {
        if open.delivered.is_some() {
            let subscribed = subscribed_over(&self.app, &self.id, &mut self.target).await?;
            self.open = Some(open);
            self.close().await?;
            let Some(subscribed) = subscribed else {
                return Ok(());
            };
            open = self.begin(subscribed).await?;
        }
        let subscribed = &open.subscribed;
        let (entry_id, name) = (&subscribed.subscription.entry_id, &subscribed.entry_name);
        let (parties, steps) = (subscribed.parties(), [open.began]);
        record_failure(
            &self.app,
            &open.run_id,
            entry_id,
            name,
            parties,
            error,
            &steps,
        )
        .await?;
        self.pause(error);
        Ok(())
    }

    fn fails_still(&self, error: &RunError) -> bool {
        self.failing.is_some_and(|(code, _)| code == error.code())
    }

    /// Waits before the next attempt, which looks anew at what the target has.
    fn pause(&mut self, error: &RunError) {
        let times = match self.failing {
            Some((code, times)) if code == error.code() => times + 1,
            _ => 0,
        };
        let pause = if error.is_transient() {
            (PAUSE_MIN * 2_u32.pow(times.min(6))).min(PAUSE_MAX)
        } else {
            MENDED_WITHIN
        };
        self.failing = Some((error.code(), times));
        self.served = None;
        self.not_before = Some(Instant::now() + pause);
    }
}
