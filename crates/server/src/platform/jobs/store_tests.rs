//! The job queue: one worker a job, one running job a lane, nothing lost.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{
    NewJob,
    store::{self, Claimed, Sort, enqueue, requeue_orphans, unfinished},
};
use crate::platform::db::{
    RowExt as _,
    testing::{Bench, commit, monday, store_suite},
};

store_suite!(
    no_two_jobs_of_a_lane_run_at_once,
    a_job_is_claimed_by_one_worker,
    a_retried_job_waits_for_its_time,
    a_silent_worker_loses_its_job_and_no_longer_settles_it,
    a_renewed_lease_keeps_the_job,
    jobs_of_a_dead_process_are_queued_again,
    a_standing_job_makes_way_for_the_others_of_its_lane,
    what_a_standing_job_noted_is_there_for_whoever_takes_it_over,
    a_clock_that_is_set_back_holds_up_no_job,
);

const LEASE: SignedDuration = SignedDuration::from_secs(60);

async fn queue(bench: &Bench, lanes: &[&str]) {
    let mut tx = bench.begin().await;
    for lane in lanes {
        enqueue(&mut tx, NewJob::new("test.job", *lane, lane))
            .await
            .unwrap();
    }
    commit(tx).await;
}

fn after(seconds: i64) -> Timestamp {
    monday() + SignedDuration::from_secs(seconds)
}

async fn claim(bench: &Bench, worker: &str, now: Timestamp) -> Option<Claimed> {
    claim_of(bench, Sort::Ending, worker, now).await
}

async fn claim_of(bench: &Bench, sort: Sort, worker: &str, now: Timestamp) -> Option<Claimed> {
    store::claim(&bench.registry, worker, sort, now, now + LEASE)
        .await
        .unwrap()
}

async fn take_over(bench: &Bench, now: Timestamp) {
    store::take_over_expired(&bench.registry, now, LEASE)
        .await
        .unwrap();
}

/// Whether the worker still held the job.
async fn finish(bench: &Bench, job: &Claimed, worker: &str) -> bool {
    let mut tx = bench.begin().await;
    let held = store::finish(&mut tx, &job.id, worker, "done", None)
        .await
        .unwrap();
    commit(tx).await;
    held
}

async fn left(bench: &Bench) -> i64 {
    unfinished(&mut *bench.read().await).await.unwrap()
}

async fn no_two_jobs_of_a_lane_run_at_once(bench: Bench) {
    queue(&bench, &["a", "b", "c"].repeat(20)).await;
    let mut done = 0;
    while done < 60 {
        let bench = &bench;
        let workers: Vec<String> = (0..8).map(|n| format!("worker{n}")).collect();
        let claims = join_all(workers.iter().map(|worker| claim(bench, worker, monday()))).await;
        let mut lanes = BTreeSet::new();
        for (job, worker) in claims.into_iter().zip(&workers) {
            let Some(job) = job else { continue };
            let mut db = bench.read().await;
            let row = sqlx::query("SELECT lane FROM jobs WHERE id = $1")
                .bind(&job.id)
                .fetch_one(&mut *db)
                .await;
            assert!(
                lanes.insert(row.unwrap().text("lane").unwrap()),
                "two jobs of one lane run"
            );
            drop(db);
            assert!(finish(bench, &job, worker).await);
            done += 1;
        }
    }
    assert_eq!(left(&bench).await, 0);
}

async fn a_job_is_claimed_by_one_worker(bench: Bench) {
    queue(&bench, &["a"]).await;
    let claims =
        join_all(["one", "two", "three"].map(|worker| claim(&bench, worker, monday()))).await;
    let claimed: Vec<Claimed> = claims.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 1);
    assert_eq!(
        (
            claimed[0].kind.as_str(),
            claimed[0].payload.as_str(),
            claimed[0].attempts
        ),
        ("test.job", "\"a\"", 1)
    );
    assert!(claim(&bench, "four", monday()).await.is_none());
}

async fn a_retried_job_waits_for_its_time(bench: Bench) {
    queue(&bench, &["a"]).await;
    let job = claim(&bench, "one", monday()).await.unwrap();
    let mut tx = bench.begin().await;
    assert!(
        store::retry(&mut tx, &job.id, "one", after(10), "store.timeout")
            .await
            .unwrap()
    );
    commit(tx).await;
    assert!(claim(&bench, "two", after(9)).await.is_none());
    assert_eq!(claim(&bench, "two", after(10)).await.unwrap().attempts, 2);
}

async fn a_silent_worker_loses_its_job_and_no_longer_settles_it(bench: Bench) {
    queue(&bench, &["a", "a"]).await;
    let job = claim(&bench, "silent", monday()).await.unwrap();
    take_over(&bench, after(59)).await;
    assert!(
        claim(&bench, "other", after(59)).await.is_none(),
        "its lane is busy"
    );
    take_over(&bench, after(61)).await;
    let again = claim(&bench, "other", after(61)).await.unwrap();

    // The first worker comes back: whatever it says about its old job counts no more.
    assert!(!finish(&bench, &job, "silent").await);
    let mut tx = bench.begin().await;
    assert!(
        !store::retry(&mut tx, &job.id, "silent", after(100), "x.y")
            .await
            .unwrap()
    );
    drop(tx);
    assert_eq!(left(&bench).await, 2);
    assert!(
        claim(&bench, "third", after(61)).await.is_none(),
        "the lane is still busy"
    );
    assert!(finish(&bench, &again, "other").await);
    assert_eq!(left(&bench).await, 1);
}

async fn a_renewed_lease_keeps_the_job(bench: Bench) {
    queue(&bench, &["a"]).await;
    let job = claim(&bench, "busy", monday()).await.unwrap();
    store::renew(&bench.registry, &job.id, "busy", after(120))
        .await
        .unwrap();
    store::renew(&bench.registry, &job.id, "stranger", after(1))
        .await
        .unwrap();
    take_over(&bench, after(90)).await;
    assert!(finish(&bench, &job, "busy").await);
    assert_eq!(left(&bench).await, 0);
}

async fn jobs_of_a_dead_process_are_queued_again(bench: Bench) {
    queue(&bench, &["a", "b"]).await;
    claim(&bench, "dead", monday()).await.unwrap();
    assert_eq!(requeue_orphans(&bench.registry, monday()).await.unwrap(), 1);
    assert_eq!(requeue_orphans(&bench.registry, monday()).await.unwrap(), 0);
    assert!(claim(&bench, "new", monday()).await.is_some());
    assert!(claim(&bench, "new", monday()).await.is_some());
    assert_eq!(left(&bench).await, 2);
}

async fn stand(bench: &Bench, lane: &str) {
    let mut tx = bench.begin().await;
    let job = NewJob::new("test.stand", lane, &lane).standing();
    assert!(!store::stands(&mut tx, &job).await.unwrap());
    enqueue(&mut tx, NewJob::new("test.stand", lane, &lane).standing())
        .await
        .unwrap();
    assert!(store::stands(&mut tx, &job).await.unwrap());
    commit(tx).await;
}

async fn a_standing_job_makes_way_for_the_others_of_its_lane(bench: Bench) {
    stand(&bench, "a").await;
    assert_eq!(
        left(&bench).await,
        0,
        "it never ends, so nobody waits for it"
    );
    assert!(claim(&bench, "worker", monday()).await.is_none());
    let standing = claim_of(&bench, Sort::Standing, "one", monday()).await;
    let standing = standing.unwrap();
    queue(&bench, &["a", "b"]).await;
    let wanted = store::wanted_lanes(&bench.registry, monday()).await;
    assert!(wanted.unwrap().contains("a"));
    let other = claim(&bench, "worker", monday()).await.unwrap();
    assert_eq!(other.lane, "b", "the lane is taken");
    store::make_way(&bench.registry, &standing.id, "one")
        .await
        .unwrap();
    assert!(
        claim_of(&bench, Sort::Standing, "one", monday())
            .await
            .is_none(),
        "the others go first"
    );
    let first = claim(&bench, "worker", monday()).await.unwrap();
    assert_eq!(first.lane, "a");
    assert!(
        claim_of(&bench, Sort::Standing, "one", monday())
            .await
            .is_none()
    );
    assert!(finish(&bench, &first, "worker").await);
    let again = claim_of(&bench, Sort::Standing, "two", monday()).await;
    assert_eq!(again.unwrap().attempts, 1, "making way isn't an attempt");
}

async fn what_a_standing_job_noted_is_there_for_whoever_takes_it_over(bench: Bench) {
    stand(&bench, "a").await;
    let dead = claim_of(&bench, Sort::Standing, "dead", monday()).await;
    let dead = dead.unwrap();
    let note = async |job: &Claimed, text: &str| {
        store::note_progress(&bench.registry, monday(), job, text)
            .await
            .unwrap()
    };
    assert!(note(&dead, "seven").await);
    take_over(&bench, after(61)).await;
    let heir = claim_of(&bench, Sort::Standing, "heir", after(61)).await;
    let heir = heir.unwrap();
    assert_eq!(heir.progress.as_deref(), Some("seven"));
    assert!(!note(&dead, "eight").await, "it is no longer his");
    assert!(
        !store::renew(&bench.registry, &dead.id, "dead", after(200))
            .await
            .unwrap()
    );
    assert!(
        store::renew(&bench.registry, &heir.id, "heir", after(200))
            .await
            .unwrap()
    );
}

async fn a_clock_that_is_set_back_holds_up_no_job(bench: Bench) {
    let set_back = |seconds: i64| after(seconds - 3600);
    queue(&bench, &["a", "b"]).await;
    // One is left by a worker that died, the other is to be tried again in a minute.
    claim(&bench, "dead", monday()).await.unwrap();
    let failed = claim(&bench, "one", monday()).await.unwrap();
    let mut tx = bench.begin().await;
    assert!(
        store::retry(&mut tx, &failed.id, "one", after(60), "store.timeout")
            .await
            .unwrap()
    );
    commit(tx).await;
    let retried = claim(&bench, "two", set_back(0)).await.unwrap();
    assert_eq!(retried.id, failed.id);
    take_over(&bench, set_back(0)).await;
    assert!(claim(&bench, "three", set_back(0)).await.is_some());
    // Leases and waits of the clock that is in force now are as good as ever.
    take_over(&bench, set_back(59)).await;
    assert!(claim(&bench, "four", set_back(59)).await.is_none());
    assert_eq!(left(&bench).await, 2);
}
