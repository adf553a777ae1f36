//! What every store relies on: writes with their evidence, counters, kept replies.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{
    DbError, Engine, counters, idempotency,
    outbox::{self, Wanted},
    testing::{Bench, commit, monday, store_suite},
};
use crate::platform::evidence::{Entry, Evidence};

store_suite!(
    a_write_that_is_dropped_leaves_nothing,
    evidence_comes_in_order_and_is_marked_once,
    each_record_waits_for_the_node_that_wrote_it,
    records_are_found_page_by_page,
    numbers_asked_for_at_once_are_given_out_once,
    a_number_of_an_undone_write_is_given_again,
    of_two_writes_under_one_key_one_commits,
    a_key_whose_deed_was_undone_is_free_again,
);

async fn a_write_that_is_dropped_leaves_nothing(bench: Bench) {
    let before = outbox::waiting_ids(&mut *bench.read().await)
        .await
        .unwrap()
        .len();
    let mut tx = bench.begin().await;
    counters::next(&mut tx, "x").await.unwrap();
    drop(tx);
    let mut tx = bench.begin().await;
    assert_eq!(counters::next(&mut tx, "x").await.unwrap(), 1);
    drop(tx);
    assert_eq!(
        outbox::waiting_ids(&mut *bench.read().await)
            .await
            .unwrap()
            .len(),
        before
    );
}

async fn evidence_comes_in_order_and_is_marked_once(bench: Bench) {
    for n in 0..3 {
        let tx = bench.begin().await;
        let first = Entry::by("test.first", "per-a", "dep-a").on("thing", n);
        tx.commit(Evidence::of(
            first,
            [Entry::by_platform("test.followed").on("thing", n)],
        ))
        .await
        .unwrap();
    }
    let waiting = outbox::waiting(&mut *bench.read().await, "", 100)
        .await
        .unwrap();
    // The first one is the migration's.
    let subjects: Vec<String> = waiting
        .iter()
        .skip(1)
        .map(|w| {
            let record: serde_json::Value = serde_json::from_str(&w.record).unwrap();
            format!(
                "{} {}",
                record["what"].as_str().unwrap(),
                record["subject"]["id"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        subjects,
        [
            "test.first 0",
            "test.followed 0",
            "test.first 1",
            "test.followed 1",
            "test.first 2",
            "test.followed 2"
        ]
    );
    let marks: Vec<(i64, u64)> = waiting
        .iter()
        .take(4)
        .zip(10..)
        .map(|(w, index)| (w.id, index))
        .collect();
    outbox::mark(&bench.registry, &marks).await.unwrap();
    let left = outbox::waiting(&mut *bench.read().await, "", 100)
        .await
        .unwrap();
    assert_eq!(left.len(), 3);
    assert_eq!(
        outbox::waiting(&mut *bench.read().await, "", 2)
            .await
            .unwrap()
            .len(),
        2
    );
    let found = outbox::find(&mut *bench.read().await, &Wanted::default(), 100)
        .await
        .unwrap();
    let places: Vec<Option<i64>> = found.iter().map(|r| r.ledger_index).collect();
    assert_eq!(
        places,
        [None, None, None, Some(13), Some(12), Some(11), Some(10)]
    );
}

async fn each_record_waits_for_the_node_that_wrote_it(bench: Bench) {
    let waiting = async |node_id: &str| {
        let mut db = bench.read().await;
        outbox::waiting(&mut db, node_id, 100).await.unwrap().len()
    };
    assert_eq!((waiting("").await, waiting("node-a").await), (1, 0));
    bench.registry.work_for("node-a").await.unwrap();
    assert_eq!((waiting("").await, waiting("node-a").await), (0, 1));
    commit(bench.begin().await).await;
    assert_eq!((waiting("").await, waiting("node-a").await), (0, 2));

    // Another node's are left to it, where there can be another.
    bench
        .sql("UPDATE evidence SET node_id = 'node-b' WHERE id = (SELECT MIN(id) FROM evidence)")
        .await;
    bench.registry.work_for("node-a").await.unwrap();
    let others = usize::from(bench.registry.engine() == Engine::Postgres);
    assert_eq!(waiting("node-b").await, others);
}

async fn records_are_found_page_by_page(bench: Bench) {
    for n in 0..5 {
        let entry = Entry::by(
            if n % 2 == 0 { "test.even" } else { "test.odd" },
            "per-a",
            "dep-a",
        );
        bench
            .begin()
            .await
            .commit(entry.on("thing", n))
            .await
            .unwrap();
    }
    let mut db = bench.read().await;
    let even = Wanted {
        what: "test.even",
        ..Wanted::default()
    };
    let first = outbox::find(&mut db, &even, 2).await.unwrap();
    // One more than asked for tells that there is a next page.
    assert_eq!(
        first
            .iter()
            .map(|r| r.subject_id.as_str())
            .collect::<Vec<_>>(),
        ["4", "2", "0"]
    );
    let next = Wanted {
        before: Some(first[1].id),
        ..even
    };
    assert_eq!(
        outbox::find(&mut db, &next, 2).await.unwrap()[0].subject_id,
        "0"
    );
    let one = Wanted {
        subject_id: "3",
        person_id: "per-a",
        ..Wanted::default()
    };
    assert_eq!(outbox::find(&mut db, &one, 2).await.unwrap().len(), 1);
    let nobody = Wanted {
        person_id: "per-b",
        ..Wanted::default()
    };
    assert!(outbox::find(&mut db, &nobody, 2).await.unwrap().is_empty());
}

async fn numbers_asked_for_at_once_are_given_out_once(bench: Bench) {
    let given = join_all((0..20).map(|_| async {
        let mut tx = bench.begin().await;
        let n = counters::next(&mut tx, "code:307001").await.unwrap();
        commit(tx).await;
        n
    }))
    .await;
    assert_eq!(
        given.into_iter().collect::<BTreeSet<i64>>(),
        (1..=20).collect()
    );
}

async fn a_number_of_an_undone_write_is_given_again(bench: Bench) {
    let mut tx = bench.begin().await;
    assert_eq!(counters::next(&mut tx, "a").await.unwrap(), 1);
    commit(tx).await;
    let mut tx = bench.begin().await;
    assert_eq!(counters::next(&mut tx, "a").await.unwrap(), 2);
    drop(tx);
    let mut tx = bench.begin().await;
    assert_eq!(counters::next(&mut tx, "a").await.unwrap(), 2);
    assert_eq!(counters::next(&mut tx, "b").await.unwrap(), 1);
}

fn post(key: &str) -> idempotency::Post {
    idempotency::Post {
        person_id: "per-a".to_owned(),
        key: key.to_owned(),
        route: "POST /x".to_owned(),
        body_digest: "00".to_owned(),
    }
}

async fn of_two_writes_under_one_key_one_commits(bench: Bench) {
    let write = || {
        idempotency::once(post("k"), async {
            let mut tx = bench.begin().await;
            counters::next(&mut tx, "deeds").await.unwrap();
            tx.commit(Entry::by_platform("test.done")).await
        })
    };
    let outcomes = join_all([write(), write(), write()]).await;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Ok(()) | Err(DbError::KeyTaken))),
        "{outcomes:?}"
    );
    let kept = idempotency::find(&mut *bench.read().await, "per-a", "k")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (kept.status, kept.reply.as_str()),
        (0, ""),
        "under way until its reply is kept"
    );
    idempotency::keep(&bench.registry, monday(), &post("k"), 200, "{}")
        .await
        .unwrap();
    let kept = idempotency::find(&mut *bench.read().await, "per-a", "k")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (kept.status, kept.reply.as_str(), kept.route.as_str()),
        (200, "{}", "POST /x")
    );
    assert!(
        idempotency::find(&mut *bench.read().await, "per-b", "k")
            .await
            .unwrap()
            .is_none()
    );
    let mut tx = bench.begin().await;
    assert_eq!(
        counters::next(&mut tx, "deeds").await.unwrap(),
        2,
        "the deed was done once"
    );
}

async fn a_key_whose_deed_was_undone_is_free_again(bench: Bench) {
    idempotency::once(post("k"), async {
        let mut tx = bench.begin().await;
        counters::next(&mut tx, "deeds").await.unwrap();
    })
    .await;
    assert!(
        idempotency::find(&mut *bench.read().await, "per-a", "k")
            .await
            .unwrap()
            .is_none()
    );
    let done = idempotency::once(post("k"), async {
        bench
            .begin()
            .await
            .commit(Entry::by_platform("test.done"))
            .await?;
        // The key goes with the first write; further ones of the same post aren't in its way.
        bench
            .begin()
            .await
            .commit(Entry::by_platform("test.done"))
            .await
    });
    done.await.unwrap();
}
