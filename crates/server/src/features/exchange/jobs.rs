//! What the workers do: collect a resource, then deliver it to each subscriber. Both may be run again
//! at any time; what was done already is found to be done.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongqu_domain::{
    grant::Grant,
    ids::{EntryId, RunId, SubscriptionId},
    time::instant_text,
};

use super::{
    engine::{self, Collected, Delivered, Limits, Reach, RunError, collect_since},
    failure::record_failure,
    following::{self, Ended},
    lanes,
    reading::Reading,
    reconcile,
    resource::Resource,
    store::{self, NewRun, RunKind, RunStep, Subscription, Success},
    subscribed::{Subscribed, subscribed},
};
use crate::{
    app::App,
    features::{
        catalogue::{self, COLLECT, CollectPayload, Mounting},
        request,
    },
    platform::{
        db::{DbError, Tx},
        evidence::{Entry, Evidence},
        http::ApiError,
        jobs::{self, Claimed, NewJob, Outcome},
    },
};

/// The kind of the job that delivers a resource to one subscriber.
const DELIVER: &str = "exchange.deliver";

#[derive(Debug, Serialize, Deserialize)]
struct DeliverPayload {
    subscription_id: SubscriptionId,
    collection_run_id: RunId,
    started_by: Option<String>,
}

/// Does one job of exchange.
pub fn handle(
    app: Arc<App>,
    job: Claimed,
) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        let done = match job.kind.as_str() {
            following::FOLLOW => match following::follow(&app, &job).await {
                Ok(Ended::MadeWay) => return Outcome::MadeWay,
                Ok(Ended::Over) => Ok(()),
                Err(error) => Err(error),
            },
            following::UNFOLLOW => following::unfollow(&app, &job).await,
            COLLECT => collect(&app, &job).await,
            DELIVER => deliver(&app, &job).await,
            reconcile::RECONCILE => reconcile::reconcile(&app, &job).await,
            other => {
                tracing::error!(job = %job.id, kind = other, "nobody handles this kind of job");
                Err(JobError::Unknown)
            }
        };
        match done {
            Ok(()) => Outcome::Done,
            Err(JobError::Run(error)) if error.is_transient() => Outcome::Again {
                code: error.code().to_owned(),
            },
            Err(JobError::Run(error)) => Outcome::Failed {
                code: error.code().to_owned(),
            },
            Err(error @ JobError::Unknown) => Outcome::Failed {
                code: error.code().to_owned(),
            },
            Err(JobError::Platform(error)) => {
                tracing::error!(job = %job.id, ?error, "a job failed");
                Outcome::Again {
                    code: error.code().to_owned(),
                }
            }
        }
    })
}

pub(super) enum JobError {
    /// The run failed; it is recorded and the parties are told.
    Run(RunError),
    /// The platform itself failed.
    Platform(ApiError),
    Unknown,
}

impl JobError {
    /// The stable code.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Run(error) => error.code(),
            Self::Platform(error) => error.code(),
            Self::Unknown => "platform.unknown_job",
        }
    }
}

impl<E: Into<ApiError>> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::Platform(error.into())
    }
}

pub(super) fn limits(app: &App) -> Limits {
    let set = &app.config.exchange;
    Limits {
        batch_rows_max: set.batch_rows_max,
        batch_bytes_max: set.batch_bytes_max,
        quarantine_permille_max: u16::try_from(set.quarantine_share_max_percent * 10)
            .unwrap_or(1000),
    }
}

/// A note of what was done when.
pub(super) fn step(app: &App, name: &str, rows: Option<u64>) -> RunStep {
    RunStep {
        name: name.to_owned(),
        at: instant_text(app.clock.now()),
        rows,
    }
}

pub(super) fn payload<T: serde::de::DeserializeOwned>(job: &Claimed) -> Result<T, JobError> {
    serde_json::from_str(&job.payload).map_err(|e| JobError::Platform(ApiError::bug(e)))
}

async fn collect(app: &Arc<App>, job: &Claimed) -> Result<(), JobError> {
    let payload: CollectPayload = payload(job)?;
    let entry_id = &payload.entry_id;
    let mut db = app.registry.read().await?;
    let resource = Resource::find(&mut db, entry_id).await?;
    let (entry, mounting) = (&resource.entry, &resource.mounting);
    let reading = Reading::choose(app, &mut db, mounting, payload.started_by.is_some()).await?;
    drop(db);

    let run_id = begin_collection(app, &resource, payload.started_by.as_deref()).await?;
    let mut steps = vec![step(app, "began", None)];
    let source = resource.source(app, reading.watched.clone())?;
    let (pool, limits) = (&app.pool, limits(app));
    let collected = match reading.from {
        Some(from) => collect_since(&source, pool, run_id.as_str(), limits, from).await,
        None => engine::collect(&source, pool, run_id.as_str(), limits).await,
    };
    match collected {
        Ok(collected) => {
            let how = reading.step();
            steps.push(step(app, how, Some(collected.counts.read)));
            let done = Done {
                mounting,
                collected: &collected,
                is_whole: reading.from.is_none(),
                steps: &steps,
            };
            let then = Then::Deliver {
                started_by: payload.started_by,
            };
            finish_collection(app, &run_id, done, then).await
        }
        Err(error) => {
            let parties = vec![entry.department_id.clone()];
            record_failure(app, &run_id, entry_id, &entry.name, parties, &error, &steps).await?;
            Err(JobError::Run(error))
        }
    }
}

/// Notes that a collection begins, and closes one that broke off.
pub(super) async fn begin_collection(
    app: &App,
    resource: &Resource,
    started_by: Option<&str>,
) -> Result<RunId, JobError> {
    let entry_id = &resource.entry.id;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    store::close_interrupted(&mut tx, RunKind::Collection, entry_id, None).await?;
    let new = NewRun {
        kind: RunKind::Collection,
        entry_id,
        subscription_id: None,
        collection_run_id: None,
        provider: &resource.entry.department_id,
        requester: None,
        started_by,
    };
    let run_id = store::insert_run(&mut tx, &new).await?;
    let begun = Entry::by_platform("exchange.collection_begun").on("run", &run_id);
    tx.commit(begun.with("entry_id", entry_id.as_str())).await?;
    Ok(run_id)
}

/// A collection that ended well.
pub(super) struct Done<'a> {
    pub mounting: &'a Mounting,
    pub collected: &'a Collected,
    pub is_whole: bool,
    pub steps: &'a [RunStep],
}

/// What comes after a collection.
pub(super) enum Then {
    /// Each subscriber is served by a job.
    Deliver { started_by: Option<String> },
    /// Whoever follows the change log serves them.
    Nothing,
}

pub(super) async fn finish_collection(
    app: &Arc<App>,
    run_id: &RunId,
    done: Done<'_>,
    then: Then,
) -> Result<(), JobError> {
    let Done {
        mounting,
        collected,
        is_whole,
        steps,
    } = done;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let success = Success {
        counts: &collected.counts,
        source_digest: None,
        target_digest: None,
        digest_rows: None,
        digest_reach: None,
        rows_held: None,
        steps,
    };
    store::succeed(&mut tx, run_id, &success).await?;
    catalogue::arrived(
        &mut tx,
        mounting,
        i64::try_from(collected.live_rows).unwrap_or(i64::MAX),
    )
    .await?;
    if let Some(seen) = collected.seen {
        store::note_seen(&mut tx, &mounting.entry_id, &mounting.id, seen, is_whole).await?;
    }
    store::set_paused(&mut tx, &mounting.entry_id, None).await?;
    if let Then::Deliver { started_by } = then {
        deliver_to_all(&mut tx, &mounting.entry_id, run_id, started_by).await?;
    }
    let supplied = request::note_supplied(app, &mut tx, &mounting.entry_id).await?;
    let entry = counted(
        Entry::by_platform("exchange.collected").on("run", run_id),
        &collected.counts,
    )
    .with("entry_id", mounting.entry_id.as_str())
    .with("live_rows", collected.live_rows);
    tx.commit(Evidence::of(entry, supplied)).await?;
    catalogue::index_entry(app, &mounting.entry_id).await?;
    Ok(())
}

async fn deliver_to_all(
    tx: &mut Tx,
    entry_id: &EntryId,
    run_id: &RunId,
    started_by: Option<String>,
) -> Result<(), DbError> {
    for subscription in store::active_subscriptions(tx, entry_id).await? {
        let lane = lanes::of_subscription(tx, entry_id, &subscription.id).await?;
        let is_own = lane != catalogue::lane(entry_id);
        let payload = DeliverPayload {
            subscription_id: subscription.id,
            collection_run_id: run_id.clone(),
            started_by: started_by.clone(),
        };
        let job = NewJob::new(DELIVER, lane, &payload);
        // One that waits brings everything that the pool has when it begins.
        if is_own && jobs::is_queued(tx, &job).await? {
            jobs::hurry(tx, &job).await?;
        } else {
            jobs::enqueue(tx, job).await?;
        }
    }
    Ok(())
}

pub(super) fn counted(entry: Entry, counts: &tongqu_domain::exchange::Counts) -> Entry {
    entry
        .with("read", counts.read)
        .with("delivered", counts.delivered)
        .with("unchanged", counts.unchanged)
        .with("out_of_scope", counts.out_of_scope)
        .with("quarantined", counts.quarantined)
        .with("deleted", counts.deleted)
}

async fn deliver(app: &Arc<App>, job: &Claimed) -> Result<(), JobError> {
    let payload: DeliverPayload = payload(job)?;
    let Some(subscribed) = subscribed(app, &payload.subscription_id).await? else {
        return Ok(());
    };
    let Subscribed {
        subscription,
        grant,
        delivery,
        ..
    } = &subscribed;
    let entry_id = &subscription.entry_id;
    let asked = (
        Some(&payload.collection_run_id),
        payload.started_by.as_deref(),
    );
    let run_id = begin_delivery(app, subscription, grant, asked).await?;
    let mut steps = vec![step(app, "began", None)];
    match engine::deliver(delivery, &app.pool, run_id.as_str(), limits(app)).await {
        Ok(delivered) => {
            steps.push(step(app, "applied", Some(delivered.counts.delivered)));
            steps.push(step(app, "read_back", Some(delivered.held.rows())));
            finish_delivery(app, &run_id, &subscribed, &delivered, &steps).await
        }
        Err(error) => {
            let (name, parties) = (&subscribed.entry_name, subscribed.parties());
            record_failure(app, &run_id, entry_id, name, parties, &error, &steps).await?;
            Err(JobError::Run(error))
        }
    }
}

/// Notes that a delivery begins, after which collection and at whose wish, and closes one that broke off.
pub(super) async fn begin_delivery(
    app: &App,
    subscription: &Subscription,
    grant: &Grant,
    (collection_run_id, started_by): (Option<&RunId>, Option<&str>),
) -> Result<RunId, JobError> {
    let entry_id = &subscription.entry_id;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    store::close_interrupted(&mut tx, RunKind::Delivery, entry_id, Some(&subscription.id)).await?;
    let new = NewRun {
        kind: RunKind::Delivery,
        entry_id,
        subscription_id: Some(&subscription.id),
        collection_run_id,
        provider: &grant.provider,
        requester: Some(&grant.requester),
        started_by,
    };
    let run_id = store::insert_run(&mut tx, &new).await?;
    let begun = Entry::by_platform("exchange.delivery_begun").on("run", &run_id);
    tx.commit(
        begun
            .with("subscription_id", subscription.id.as_str())
            .with("grant_id", grant.id.as_str()),
    )
    .await?;
    Ok(run_id)
}

pub(super) async fn finish_delivery(
    app: &App,
    run_id: &RunId,
    subscribed: &Subscribed,
    delivered: &Delivered,
    steps: &[RunStep],
) -> Result<(), JobError> {
    let subscription = &subscribed.subscription;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let rows_held = match delivered.reach {
        Reach::Whole => delivered.held.rows(),
        Reach::Changed => (subscribed.rows_before + delivered.counts.inserted)
            .saturating_sub(delivered.counts.deleted),
    };
    let success = Success {
        counts: &delivered.counts,
        source_digest: Some(delivered.sent.sum_hex()),
        target_digest: Some(delivered.held.sum_hex()),
        digest_rows: Some(delivered.held.rows()),
        digest_reach: Some(delivered.reach),
        rows_held: Some(rows_held),
        steps,
    };
    store::succeed(&mut tx, run_id, &success).await?;
    let settled = request::complete_delivery(app, &mut tx, &subscribed.request_id).await?;
    if let Some(grant) = request::find_grant(&mut tx, &subscription.grant_id).await? {
        request::note_used(app, &mut tx, &grant).await?;
    }
    // Both digests are the receipt: anybody can compare them with the target later. Spec: PDS-21.1.
    let entry = counted(
        Entry::by_platform("exchange.delivered").on("run", run_id),
        &delivered.counts,
    )
    .with("subscription_id", subscription.id.as_str())
    .with("sent_digest", delivered.sent.sum_hex())
    .with("held_digest", delivered.held.sum_hex())
    .with("reach", delivered.reach.code())
    .with("rows", delivered.held.rows())
    .with("rows_held", rows_held);
    tx.commit(Evidence::of(entry, settled)).await?;
    Ok(())
}
