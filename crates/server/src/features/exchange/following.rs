//! Following 随变更: a resource whose provider's change log is taken over as it is written, and its subscribers served
//! right away.
//!
//! One standing job holds the resource's lane, so that no collection, delivery or comparison runs beside it; it makes
//! way for them. Within it, one task takes the log over into the pool, and one for each subscriber brings what the pool
//! has: a slow or dead subscriber delays nobody. What they do is summed up as one run for each stretch of changes.
//!
//! A log that is lost begins anew with a comparison of the whole, which also comes by the schedule: a log doesn't tell
//! what somebody does to the pool or a target. Spec: PDS-8.1, YC-18 (promptly).

mod account;
mod held;
mod runs;
mod served;
mod serving;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};
use tongqu_domain::ids::EntryId;

pub(super) use self::held::{is_too_large, unfollow};
use self::{
    held::{Holding, give_up_endless},
    runs::Runs,
    served::Served,
    serving::Moved,
};
use super::{
    engine::{Follower, may_follow},
    jobs::{JobError, limits, payload},
    resource::Resource,
    store,
};
use crate::{
    app::App,
    features::catalogue,
    platform::{
        db::{Db, DbError, Tx, change_logs},
        evidence::Entry,
        http::ApiError,
        jobs::{self, Claimed, NewJob},
    },
};

/// The kind of the standing job that follows a resource.
pub(super) const FOLLOW: &str = "exchange.follow";
/// The kind of the job that lets the provider's store forget.
pub(super) const UNFOLLOW: &str = "exchange.unfollow";

/// How long one look at the log lasts while nothing comes: whoever waits for the lane waits so long.
const LOOK: Duration = Duration::from_millis(300);
/// How often it is looked whether schedule and subscriptions are still the same.
const REVIEW_INTERVAL: Duration = Duration::from_secs(3);
/// How often the provider's store is asked how the log stands.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Under this name the log's position is moved on where there is nothing to account for.
const NO_RUN: &str = "-";

#[derive(Debug, Serialize, Deserialize)]
struct FollowPayload {
    entry_id: EntryId,
}

/// The standing job that follows a resource.
pub(super) fn following(entry_id: &EntryId) -> NewJob {
    of_kind(FOLLOW, entry_id).standing()
}

/// The job that lets the provider's store forget.
pub(super) fn unfollowing(entry_id: &EntryId) -> NewJob {
    of_kind(UNFOLLOW, entry_id)
}

fn of_kind(kind: &'static str, entry_id: &EntryId) -> NewJob {
    let payload = FollowPayload {
        entry_id: entry_id.clone(),
    };
    NewJob::new(kind, catalogue::lane(entry_id), &payload)
}

/// How the job ended.
pub(super) enum Ended {
    /// The resource is no longer to be followed.
    Over,
    /// Somebody else needs the lane, or the resource is another than when it began.
    MadeWay,
}

/// Sees to it that what is to be followed has a job, and what is no longer followed is forgotten by its store.
///
/// Errors: of the registry.
pub(super) async fn start_due(app: &App) -> Result<(), ApiError> {
    let mut db = app.registry.read().await?;
    let followed = store::followed_entries(&mut db).await?;
    let held = change_logs::all(&mut db).await?;
    drop(db);
    for entry_id in &followed {
        ensure(app, following(entry_id), entry_id).await?;
    }
    let followed: BTreeSet<&EntryId> = followed.iter().collect();
    for log in held.iter().filter(|log| !followed.contains(&log.entry_id)) {
        ensure(app, unfollowing(&log.entry_id), &log.entry_id).await?;
    }
    give_up_endless(app, &held).await
}

async fn ensure(app: &App, job: NewJob, entry_id: &EntryId) -> Result<(), ApiError> {
    let mut db = app.registry.read().await?;
    let stands = jobs::stands(&mut db, &job).await?;
    drop(db);
    if stands {
        return Ok(());
    }
    let mut tx = app.registry.begin(app.clock.now()).await?;
    if jobs::stands(&mut tx, &job).await? {
        return Ok(());
    }
    let what = if job.stands {
        "exchange.following_due"
    } else {
        "exchange.unfollowing_due"
    };
    jobs::enqueue(&mut tx, job).await?;
    let due = Entry::by_platform(what).on("entry", entry_id);
    Ok(tx.commit(due).await?)
}

/// Sets following going, or ends it, as part of the write by which a schedule was set.
///
/// Errors: of the registry.
pub(super) async fn changed(tx: &mut Tx, entry_id: &EntryId, follows: bool) -> Result<(), DbError> {
    let job = following(entry_id);
    if follows {
        return if jobs::stands(tx, &job).await? {
            jobs::hurry(tx, &job).await
        } else {
            jobs::enqueue(tx, job).await
        };
    }
    if change_logs::find(tx, entry_id).await?.is_some() {
        jobs::enqueue(tx, unfollowing(entry_id)).await?;
    }
    Ok(())
}

/// Does the standing job, until it has to make way.
pub(super) async fn follow(app: &Arc<App>, job: &Claimed) -> Result<Ended, JobError> {
    let FollowPayload { entry_id } = payload(job)?;
    account::recover(app, job).await?;
    let mut db = app.registry.read().await?;
    if !is_followed(&mut db, &entry_id).await? {
        return Ok(Ended::Over);
    }
    let resource = Resource::find(&mut db, &entry_id).await?;
    let held = change_logs::find(&mut db, &entry_id).await?;
    drop(db);
    let mut holding = Holding::of(app, &resource, held).await?;
    let failed_before = holding.fails_with();
    let mut runs = Runs::of(app.clone(), resource);
    let followed = follow_on(app, job, &mut holding, &mut runs).await;
    if let Err(JobError::Run(error)) = &followed {
        runs.fail(error, failed_before.as_deref()).await?;
        holding.fails(error.code()).await?;
    }
    followed
}

async fn is_followed(db: &mut Db, entry_id: &EntryId) -> Result<bool, DbError> {
    let schedule = store::schedule_of(db, entry_id).await?;
    Ok(schedule.is_some_and(|schedule| schedule.follows))
}

async fn follow_on(
    app: &Arc<App>,
    job: &Claimed,
    holding: &mut Holding,
    runs: &mut Runs,
) -> Result<Ended, JobError> {
    let source = runs.resource.source(app, None)?;
    let limits = limits(app);
    holding.opens().await?;
    let resumed = Follower::resume(&source, &app.pool, limits).await;
    let mut follower = if let Some(follower) = resumed.map_err(JobError::Run)? {
        follower
    } else {
        // Refused before a run is begun: it is tried again and again.
        may_follow(&source, limits).await.map_err(JobError::Run)?;
        let run_id = runs.begin().await?;
        let begun = Follower::begin(&source, &app.pool, run_id.as_str(), limits).await;
        let (follower, collected) = begun.map_err(JobError::Run)?;
        holding.begun_anew();
        runs.compared(collected).await?;
        follower
    };
    holding.follows(source.store.as_ref()).await?;
    let (moved, watching) = watch::channel(Moved::default());
    let entry_id = runs.resource.entry.id.clone();
    let mut served = Served::new(app.clone(), entry_id, watching, runs.accounts.clone());
    let mut look = Looking {
        job,
        follower: &mut follower,
        holding,
        runs,
        moved,
        served: &mut served,
    };
    let ended = look.until_it_ends(source.store.as_ref()).await;
    served.leave().await;
    // What was taken over until now is to be told whatever ended it.
    runs.close().await?;
    runs.accounts.note(app, job).await?;
    ended
}

/// The follower at work, and all that it has to look after.
struct Looking<'a> {
    job: &'a Claimed,
    follower: &'a mut Follower,
    holding: &'a mut Holding,
    runs: &'a mut Runs,
    moved: watch::Sender<Moved>,
    served: &'a mut Served,
}

impl Looking<'_> {
    async fn until_it_ends(
        &mut self,
        store: &dyn tongqu_connectors::Store,
    ) -> Result<Ended, JobError> {
        let app = self.runs.app.clone();
        let mut reviewed: Option<Instant> = None;
        let mut checked = Instant::now();
        loop {
            if *self.job.makes_way.borrow() {
                return Ok(Ended::MadeWay);
            }
            if reviewed.is_none_or(|at| at.elapsed() >= REVIEW_INTERVAL) {
                if !self.is_unchanged().await? {
                    return Ok(Ended::MadeWay);
                }
                self.served.review().await?;
                reviewed = Some(Instant::now());
            }
            self.step().await?;
            let is_over = self.runs.is_over();
            if is_over {
                self.runs.close().await?;
            }
            if is_over || checked.elapsed() >= CHECK_INTERVAL {
                self.holding.follows(store).await?;
                checked = Instant::now();
            }
            self.runs.accounts.note_now_and_then(&app, self.job).await?;
        }
    }

    /// Whether the resource is still to be followed, and is what it was.
    async fn is_unchanged(&mut self) -> Result<bool, JobError> {
        let app = &self.runs.app;
        let before = &self.runs.resource;
        let mut db = app.registry.read().await?;
        let entry_id = &before.entry.id;
        if !is_followed(&mut db, entry_id).await? {
            return Ok(false);
        }
        let now = Resource::find(&mut db, entry_id).await?;
        Ok(now.mounting.id == before.mounting.id
            && now.items == before.items
            && now.store.url == before.store.url)
    }

    async fn step(&mut self) -> Result<(), JobError> {
        let come = self.follower.next(LOOK).await.map_err(JobError::Run)?;
        let Some(batch) = come else { return Ok(()) };
        let transactions = batch.transactions;
        let run_id = if transactions == 0 {
            NO_RUN.to_owned()
        } else {
            self.runs.begin().await?.to_string()
        };
        // Whoever compares the whole holds the gate meanwhile.
        let passing = self.served.gate.clone().read_owned().await;
        let followed = self.follower.take(batch, &run_id).await;
        drop(passing);
        let followed = followed.map_err(JobError::Run)?;
        if followed.has_changes() {
            let counts = followed.counts;
            self.moved.send_modify(|moved| {
                moved.seq = followed.seq;
                moved.rows += counts.delivered + counts.deleted;
            });
        }
        if transactions > 0 {
            self.holding.took_over(transactions);
            self.runs.add(&followed);
        }
        Ok(())
    }
}
