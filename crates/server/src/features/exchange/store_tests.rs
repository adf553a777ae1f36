//! Runs and subscriptions: counts kept, interrupted runs closed, deliveries paused and let go on.

use jiff::SignedDuration;
use tongqu_domain::{
    exchange::Counts,
    ids::{DepartmentId, EntryId, GrantId, RunId, StoreId, SubscriptionId},
};

use super::{
    engine::{Reach, Side},
    store::{self, Failure, NewRun, RunKind, RunStep, Subscription, Success, Wanted},
};
use crate::platform::db::testing::{Bench, PARTIES, commit, monday, store_suite};

store_suite!(
    a_run_that_ends_well_keeps_its_counts_and_digests,
    a_failed_run_keeps_why,
    interrupted_runs_of_the_same_delivery_are_closed,
    a_run_is_the_last_also_after_the_clock_was_set_back,
    runs_are_listed_newest_first_for_their_parties,
    deliveries_pause_and_go_on,
    a_table_is_the_target_of_one_subscription,
);

const AROUND: &str = "\
    INSERT INTO stores (id, department_id, name, url, created_at) VALUES ('sto-b', 'dep-b', 's', 'sqlite:x', 'now'); \
    INSERT INTO entries (id, department_id, name, class_code, sequence, created_at) VALUES \
    ('ent-1', 'dep-a', '甲', '307001', 1, 'now'), ('ent-2', 'dep-a', '乙', '307001', 2, 'now'); \
    INSERT INTO grants (id, case_id, entry_id, requester_department_id, provider_department_id, state_code, content, \
    created_at) VALUES ('gra-1', 'cas-1', 'ent-1', 'dep-b', 'dep-a', 'active', '{}', 'now'), \
    ('gra-2', 'cas-2', 'ent-1', 'dep-b', 'dep-a', 'active', '{}', 'now');";

fn id<T: TryFrom<String>>(text: &str) -> T
where
    T::Error: std::fmt::Debug,
{
    T::try_from(text.to_owned()).unwrap()
}

fn subscription(id_text: &str, grant: &str, table: &str) -> Subscription {
    Subscription {
        id: id(id_text),
        grant_id: id(grant),
        entry_id: id("ent-1"),
        store_id: id("sto-b"),
        table: table.to_owned(),
        state_code: "active".to_owned(),
    }
}

async fn subscribed(bench: &Bench) {
    bench.sql(PARTIES).await;
    bench.sql(AROUND).await;
    let mut tx = bench.begin().await;
    store::insert_subscription(&mut tx, &subscription("sub-1", "gra-1", "t"), monday())
        .await
        .unwrap();
    commit(tx).await;
}

/// A run that began this many seconds after Monday morning; of `sub-1` if it is a delivery.
async fn begun(bench: &Bench, kind: RunKind, entry: &str, seconds: i64) -> RunId {
    let (subscription, requester, entry_id): (SubscriptionId, DepartmentId, EntryId) =
        (id("sub-1"), id("dep-b"), id(entry));
    let is_delivery = kind == RunKind::Delivery;
    let mut tx = bench
        .begin_at(monday() + SignedDuration::from_secs(seconds))
        .await;
    let new = NewRun {
        kind,
        entry_id: &entry_id,
        subscription_id: is_delivery.then_some(&subscription),
        collection_run_id: None,
        provider: &id("dep-a"),
        requester: is_delivery.then_some(&requester),
        started_by: None,
    };
    let run = store::insert_run(&mut tx, &new).await.unwrap();
    commit(tx).await;
    run
}

async fn a_run_is_the_last_also_after_the_clock_was_set_back(bench: Bench) {
    subscribed(&bench).await;
    begun(&bench, RunKind::Delivery, "ent-1", 3600).await;
    let second = begun(&bench, RunKind::Delivery, "ent-1", 0).await;
    let third = begun(&bench, RunKind::Delivery, "ent-1", 5).await;
    let mut db = bench.read().await;
    let last = store::last_delivery(&mut db, &id("sub-1")).await.unwrap();
    assert_eq!(last.unwrap().id, third);
    drop(db);
    let mut tx = bench
        .begin_at(monday() + SignedDuration::from_secs(9))
        .await;
    let failure = Failure {
        code: "store.timeout".to_owned(),
        side: Side::Requester,
        column: None,
        faulty_of_read: None,
        differing: None,
    };
    store::fail(&mut tx, &second, &failure, &[]).await.unwrap();
    commit(tx).await;
    let second = store::find_run(&mut *bench.read().await, &second).await;
    let second = second.unwrap().unwrap();
    assert!(second.finished_at >= Some(second.created_at), "{second:?}");
}

async fn a_run_that_ends_well_keeps_its_counts_and_digests(bench: Bench) {
    subscribed(&bench).await;
    let run_id = begun(&bench, RunKind::Delivery, "ent-1", 0).await;
    let counts = Counts {
        read: 10,
        delivered: 4,
        unchanged: 3,
        out_of_scope: 2,
        quarantined: 1,
        inserted: 3,
        updated: 1,
        deleted: 5,
    };
    let steps = [RunStep {
        name: "began".to_owned(),
        at: "x".to_owned(),
        rows: Some(7),
    }];
    let success = Success {
        counts: &counts,
        source_digest: Some("aa".to_owned()),
        target_digest: Some("bb".to_owned()),
        digest_rows: Some(9),
        digest_reach: Some(Reach::Changed),
        rows_held: Some(12),
        steps: &steps,
    };
    let mut tx = bench
        .begin_at(monday() + SignedDuration::from_secs(5))
        .await;
    store::succeed(&mut tx, &run_id, &success).await.unwrap();
    commit(tx).await;
    let mut db = bench.read().await;
    let run = store::find_run(&mut db, &run_id).await.unwrap().unwrap();
    assert_eq!((run.state_code.as_str(), run.counts), ("succeeded", counts));
    assert_eq!(
        (
            run.source_digest.as_deref(),
            run.target_digest.as_deref(),
            run.digest_rows,
            run.digest_reach,
            run.rows_held
        ),
        (
            Some("aa"),
            Some("bb"),
            Some(9),
            Some(Reach::Changed),
            Some(12)
        )
    );
    assert_eq!(
        (run.steps[0].rows, run.finished_at),
        (Some(7), Some(monday() + SignedDuration::from_secs(5)))
    );
    assert_eq!(store::delivered_rows(&mut db).await.unwrap(), 4);
    assert_eq!(
        store::runs_of_case(&mut db, "cas-1").await.unwrap().len(),
        1
    );
    assert!(
        store::runs_of_case(&mut db, "cas-2")
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_failed_run_keeps_why(bench: Bench) {
    subscribed(&bench).await;
    let run_id = begun(&bench, RunKind::Collection, "ent-1", 0).await;
    let failure = Failure {
        column: Some("phone".to_owned()),
        ..failure("exchange.column_gone", Side::Provider)
    };
    let mut tx = bench.begin().await;
    store::fail(&mut tx, &run_id, &failure, &[]).await.unwrap();
    commit(tx).await;
    let mut db = bench.read().await;
    let run = store::find_run(&mut db, &run_id).await.unwrap().unwrap();
    let kept = run.failure.unwrap();
    assert_eq!(
        (run.state_code.as_str(), kept.code.as_str(), kept.side),
        ("failed", "exchange.column_gone", Side::Provider)
    );
    assert_eq!(kept.column.as_deref(), Some("phone"));
    assert_eq!(store::delivered_rows(&mut db).await.unwrap(), 0);
}

async fn interrupted_runs_of_the_same_delivery_are_closed(bench: Bench) {
    subscribed(&bench).await;
    let collection = begun(&bench, RunKind::Collection, "ent-1", 0).await;
    let delivery = begun(&bench, RunKind::Delivery, "ent-1", 1).await;
    let elsewhere = begun(&bench, RunKind::Collection, "ent-2", 2).await;
    let mut tx = bench.begin().await;
    let entry: EntryId = id("ent-1");
    assert_eq!(
        store::close_interrupted(&mut tx, RunKind::Collection, &entry, None)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store::close_interrupted(&mut tx, RunKind::Collection, &entry, None)
            .await
            .unwrap(),
        0
    );
    let other: SubscriptionId = id("sub-2");
    assert_eq!(
        store::close_interrupted(&mut tx, RunKind::Delivery, &entry, Some(&other))
            .await
            .unwrap(),
        0
    );
    commit(tx).await;
    let mut db = bench.read().await;
    let mut states = Vec::new();
    for run in [&collection, &delivery, &elsewhere] {
        states.push(
            store::find_run(&mut db, run)
                .await
                .unwrap()
                .unwrap()
                .state_code,
        );
    }
    assert_eq!(states, ["failed", "running", "running"]);
}

fn of<'a>(party: Option<&'a DepartmentId>, entry: &'a str) -> Wanted<'a> {
    Wanted {
        party,
        entry,
        ..Wanted::default()
    }
}

async fn runs_are_listed_newest_first_for_their_parties(bench: Bench) {
    subscribed(&bench).await;
    let mut begun_runs = Vec::new();
    for n in 0..4 {
        begun_runs.push(begun(&bench, RunKind::Collection, "ent-1", n).await);
        begun_runs.push(begun(&bench, RunKind::Delivery, "ent-1", n).await);
    }
    begun(&bench, RunKind::Collection, "ent-2", 9).await;
    let mut db = bench.read().await;
    let (a, b, entry): (DepartmentId, DepartmentId, EntryId) =
        (id("dep-a"), id("dep-b"), id("ent-1"));
    assert_eq!(
        store::runs(&mut db, &Wanted::default(), None, 100)
            .await
            .unwrap()
            .len(),
        9
    );
    assert_eq!(
        store::runs(&mut db, &of(Some(&a), entry.as_str()), None, 100)
            .await
            .unwrap()
            .len(),
        8
    );
    let theirs = store::runs(&mut db, &of(Some(&b), ""), None, 100)
        .await
        .unwrap();
    assert!(theirs.len() == 4 && theirs.iter().all(|r| r.kind == RunKind::Delivery));
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = store::runs(&mut db, &of(None, entry.as_str()), cursor.as_deref(), 3)
            .await
            .unwrap();
        seen.extend(page.iter().take(3).map(|r| (r.created_at, r.id.clone())));
        if page.len() <= 3 {
            break;
        }
        cursor = Some(format!(
            "{} {}",
            tongqu_domain::time::instant_text(page[2].created_at),
            page[2].id
        ));
    }
    assert!(seen.is_sorted_by(|x, y| x >= y), "{seen:?}");
    let mut ids: Vec<RunId> = seen.into_iter().map(|s| s.1).collect();
    ids.sort();
    begun_runs.sort();
    assert_eq!(ids, begun_runs);
}

async fn deliveries_pause_and_go_on(bench: Bench) {
    subscribed(&bench).await;
    let mut tx = bench.begin().await;
    store::insert_subscription(&mut tx, &subscription("sub-2", "gra-2", "t_2"), monday())
        .await
        .unwrap();
    commit(tx).await;
    bench
        .sql("UPDATE subscriptions SET state_code = 'ended' WHERE id = 'sub-2'")
        .await;
    let entry: EntryId = id("ent-1");
    for (reason, active, states) in [
        (Some("exchange.column_gone"), 0, ["paused", "ended"]),
        (Some("exchange.column_gone"), 0, ["paused", "ended"]),
        (None, 1, ["active", "ended"]),
    ] {
        let mut tx = bench.begin().await;
        store::set_paused(&mut tx, &entry, reason).await.unwrap();
        commit(tx).await;
        let mut db = bench.read().await;
        assert_eq!(
            store::active_subscriptions(&mut db, &entry)
                .await
                .unwrap()
                .len(),
            active
        );
        for (subscription, state) in ["sub-1", "sub-2"].into_iter().zip(states) {
            let found = store::find_subscription(&mut db, &id(subscription))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(found.state_code, state);
        }
    }
}

async fn a_table_is_the_target_of_one_subscription(bench: Bench) {
    subscribed(&bench).await;
    let (shop, grant): (StoreId, GrantId) = (id("sto-b"), id("gra-1"));
    let mut tx = bench.begin().await;
    assert!(store::is_target_taken(&mut tx, &shop, "t").await.unwrap());
    assert!(!store::is_target_taken(&mut tx, &shop, "t_2").await.unwrap());
    let twice =
        store::insert_subscription(&mut tx, &subscription("sub-2", "gra-2", "t"), monday()).await;
    assert!(twice.unwrap_err().is_unique_violation());
    drop(tx);
    let mut tx = bench.begin().await;
    let twice =
        store::insert_subscription(&mut tx, &subscription("sub-2", "gra-1", "t_2"), monday()).await;
    assert!(
        twice.unwrap_err().is_unique_violation(),
        "a grant has one subscription"
    );
    drop(tx);
    let mut db = bench.read().await;
    let found = store::subscription_of_grant(&mut db, &grant)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id.as_str(), found.table.as_str()), ("sub-1", "t"));
}

fn failure(code: &str, side: Side) -> Failure {
    Failure {
        code: code.to_owned(),
        side,
        column: None,
        faulty_of_read: None,
        differing: None,
    }
}
