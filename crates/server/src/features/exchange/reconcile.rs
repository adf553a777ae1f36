//! Reconciliation 全量核对 of deliveries: at intervals and whenever somebody asks for it. Nothing is moved; what
//! differs is named, both sides are told, and the next delivery brings the whole again.
//! Spec: PDS-8.1 (source and shared copy are compared, differences are reported).

use std::sync::Arc;

use axum::extract::Path;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    exchange::Counts,
    ids::{EntryId, SubscriptionId},
};

use super::{
    engine::{self, Reach, Reconciled, RunError},
    failure::record_failure,
    jobs::{JobError, limits, payload, step},
    lanes,
    start_run::{StartedView, runnable},
    store::{self, NewRun, RunKind, RunStep, Success},
    subscribed::{Subscribed, subscribed},
};
use crate::{
    app::App,
    platform::{
        db::{Db, DbError},
        evidence::Entry,
        http::{ApiError, Ctx, Problem, Reply, reply},
        jobs::{self, Claimed, NewJob},
    },
};

/// The kind of the job that compares the whole of a delivery.
pub(super) const RECONCILE: &str = "exchange.reconcile";

/// How long a comparison is put off whose target has yet to get what the pool has.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(10);

/// Comparisons that are set going at once.
const BATCH_ROWS: i64 = 100;

#[derive(Debug, Serialize, Deserialize)]
struct ReconcilePayload {
    subscription_id: SubscriptionId,
    /// Whoever asked for it; nobody where it was due.
    started_by: Option<String>,
}

/// Compare the whole of a delivery now.
#[utoipa::path(post, path = "/subscriptions/{subscription_id}/reconciliations", tag = "exchange",
    operation_id = "start_reconciliation", params(("subscription_id" = String, Path)),
    responses((status = 200, body = StartedView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn start_reconciliation(
    ctx: Ctx,
    Path(subscription_id): Path<String>,
) -> Reply<StartedView> {
    let subscription = runnable(&ctx, &subscription_id).await?;
    if subscription.state_code != "active" {
        return Err(ApiError::conflict("exchange.subscription_paused"));
    }
    let mut tx = ctx.begin().await?;
    let asker = Some(ctx.actor.person.to_string());
    let job = job(&mut tx, &subscription.entry_id, &subscription.id, asker).await?;
    jobs::enqueue(&mut tx, job).await?;
    tx.commit(
        ctx.did("exchange.reconciliation_asked_for")
            .on("subscription", &subscription.id),
    )
    .await?;
    reply(StartedView {
        subscription_id,
        entry_id: subscription.entry_id.to_string(),
    })
}

/// In the lane of the subscription, so that nothing is brought meanwhile.
async fn job(
    db: &mut Db,
    entry_id: &EntryId,
    id: &SubscriptionId,
    started_by: Option<String>,
) -> Result<NewJob, DbError> {
    let lane = lanes::of_subscription(db, entry_id, id).await?;
    let payload = ReconcilePayload {
        subscription_id: id.clone(),
        started_by,
    };
    Ok(NewJob::new(RECONCILE, lane, &payload))
}

/// When a delivery that was whole at `at` is compared again.
pub(super) fn next(app: &App, at: Timestamp) -> Timestamp {
    at + SignedDuration::from_hours(app.config.exchange.reconcile_every_h)
}

/// Sets those comparisons going that are due by the platform's clock. Two nodes never start one twice.
///
/// Errors: of the registry.
pub async fn start_due(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    let mut db = app.registry.read().await?;
    let due = store::due_for_reconciliation(&mut db, now, BATCH_ROWS).await?;
    drop(db);
    for (subscription, planned) in due {
        let mut tx = app.registry.begin(now).await?;
        let next = next(app, now);
        if !store::plan_reconciliation(&mut tx, &subscription.id, Some(&planned), next).await? {
            continue;
        }
        let job = job(&mut tx, &subscription.entry_id, &subscription.id, None).await?;
        jobs::enqueue(&mut tx, job).await?;
        let due = Entry::by_platform("exchange.reconciliation_due");
        tx.commit(due.on("subscription", &subscription.id)).await?;
    }
    Ok(())
}

/// Does the job.
pub(super) async fn reconcile(app: &Arc<App>, job: &Claimed) -> Result<(), JobError> {
    let payload: ReconcilePayload = payload(job)?;
    let Some(subscribed) = subscribed(app, &payload.subscription_id).await? else {
        return Ok(());
    };
    if payload.started_by.is_none() && is_behind(app, &subscribed).await? {
        return Ok(());
    }
    let subscription = &subscribed.subscription;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let (kind, entry_id) = (RunKind::Reconciliation, &subscription.entry_id);
    store::close_interrupted(&mut tx, kind, entry_id, Some(&subscription.id)).await?;
    let new = NewRun {
        kind,
        entry_id,
        subscription_id: Some(&subscription.id),
        collection_run_id: None,
        provider: &subscribed.grant.provider,
        requester: Some(&subscribed.grant.requester),
        started_by: payload.started_by.as_deref(),
    };
    let run_id = store::insert_run(&mut tx, &new).await?;
    let begun = Entry::by_platform("exchange.reconciliation_begun").on("run", &run_id);
    tx.commit(begun.with("subscription_id", subscription.id.as_str()))
        .await?;

    let mut steps = vec![step(app, "began", None)];
    let compared = engine::reconcile(
        &subscribed.delivery,
        &app.pool,
        run_id.as_str(),
        limits(app),
    )
    .await;
    let mut parties = subscribed.parties();
    let failed = match compared {
        // The pool moved on meanwhile: nobody's fault, and soon made up for.
        Err(RunError::Behind) if payload.started_by.is_none() => {
            put_off(app, &subscribed).await?;
            parties.clear();
            RunError::Behind
        }
        Ok(found) => {
            steps.push(step(app, "compared", Some(found.held.rows())));
            let entry = Entry::by_platform("exchange.reconciled")
                .on("run", &run_id)
                .with("subscription_id", subscription.id.as_str())
                .with("sent_digest", found.sent.sum_hex())
                .with("held_digest", found.held.sum_hex())
                .with("rows", found.held.rows())
                .with("differing", found.differing);
            if found.differing == 0 {
                let mut tx = app.registry.begin(app.clock.now()).await?;
                let counts = alike(&found);
                store::succeed(&mut tx, &run_id, &success(&found, &counts, &steps)).await?;
                tx.commit(entry).await?;
                return Ok(());
            }
            // The delivery that mends it is looked at soon.
            let mut tx = app.registry.begin(app.clock.now()).await?;
            let soon = app.clock.now() + PUT_OFF;
            store::plan_reconciliation(&mut tx, &subscription.id, None, soon).await?;
            tx.commit(entry).await?;
            RunError::RowsDiffer {
                rows: found.differing,
            }
        }
        Err(error) => error,
    };
    let name = &subscribed.entry_name;
    record_failure(app, &run_id, entry_id, name, parties, &failed, &steps).await?;
    Err(JobError::Run(failed))
}

/// Whether a comparison that is due has to wait for a delivery; it is then put off.
async fn is_behind(app: &Arc<App>, subscribed: &Subscribed) -> Result<bool, JobError> {
    let is_behind = engine::is_behind(&subscribed.delivery, &app.pool).await;
    if !is_behind.map_err(JobError::Run)? {
        return Ok(false);
    }
    put_off(app, subscribed).await?;
    Ok(true)
}

async fn put_off(app: &Arc<App>, subscribed: &Subscribed) -> Result<(), JobError> {
    let id = &subscribed.subscription.id;
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let later = app.clock.now() + PUT_OFF;
    store::plan_reconciliation(&mut tx, id, None, later).await?;
    let put_off = Entry::by_platform("exchange.reconciliation_put_off");
    tx.commit(put_off.on("subscription", id)).await?;
    Ok(())
}

fn alike(found: &Reconciled) -> Counts {
    Counts {
        read: found.sent.rows(),
        unchanged: found.sent.rows(),
        ..Counts::default()
    }
}

fn success<'a>(found: &Reconciled, counts: &'a Counts, steps: &'a [RunStep]) -> Success<'a> {
    Success {
        counts,
        source_digest: Some(found.sent.sum_hex()),
        target_digest: Some(found.held.sum_hex()),
        digest_rows: Some(found.held.rows()),
        digest_reach: Some(Reach::Whole),
        rows_held: Some(found.held.rows()),
        steps,
    }
}
