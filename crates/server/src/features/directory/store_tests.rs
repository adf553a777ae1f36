//! The directory: names given out once, posts replaced, stores and notices in order.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tongqu_connectors::Rate;
use tongqu_domain::{
    access::Role,
    ids::{DepartmentId, PersonId, StoreId},
};

use super::{
    notices::Notice,
    store::{self, Department, ExchangeStore},
};
use crate::platform::db::testing::{Bench, PARTIES, commit, monday, store_suite};

store_suite!(
    a_name_or_code_is_given_out_once,
    posts_are_replaced_as_a_whole,
    stores_of_a_department_come_oldest_first,
    notices_come_newest_first_page_by_page,
    a_setting_is_kept_in_place_of_an_earlier_one,
);

fn dep(id: &str) -> DepartmentId {
    DepartmentId::parse(id).unwrap()
}

async fn a_name_or_code_is_given_out_once(bench: Bench) {
    bench.sql(PARTIES).await;
    let department = |id: &str, name: &str, credit_code: &str| Department {
        id: dep(id),
        name: name.to_owned(),
        short_name: name.to_owned(),
        credit_code: credit_code.to_owned(),
        division_code: "410400".to_owned(),
        level: "city".to_owned(),
        kind: "organ".to_owned(),
        by_reference: false,
        superior_id: None,
        merged: None,
    };
    for taken in [
        department("dep-c", "统计局", "C"),
        department("dep-c", "税务局", "A"),
    ] {
        let mut tx = bench.begin().await;
        assert!(
            store::insert_department(&mut tx, &taken)
                .await
                .unwrap_err()
                .is_unique_violation()
        );
    }
    let mut tx = bench.begin().await;
    store::insert_department(&mut tx, &department("dep-c", "税务局", "C"))
        .await
        .unwrap();
    commit(tx).await;
    let mut db = bench.read().await;
    assert_eq!(store::departments_count(&mut db).await.unwrap(), 3);
    assert_eq!(
        store::find_department(&mut db, &dep("dep-c"))
            .await
            .unwrap()
            .unwrap()
            .name,
        "税务局"
    );
    assert!(
        store::find_department(&mut db, &dep("dep-d"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(store::has_people(&mut db).await.unwrap());
}

async fn posts_are_replaced_as_a_whole(bench: Bench) {
    bench.sql(PARTIES).await;
    let person = PersonId::parse("per-a").unwrap();
    for posts in [
        vec![Role::Head, Role::DataOfficer, Role::Head],
        vec![Role::Auditor],
        vec![],
    ] {
        let mut tx = bench.begin().await;
        store::replace_posts(&mut tx, &person, &dep("dep-a"), &posts)
            .await
            .unwrap();
        commit(tx).await;
        let mut db = bench.read().await;
        let people = store::people(&mut db).await.unwrap();
        let held = &people.iter().find(|p| p.id == person).unwrap().posts;
        let held = held.get(&dep("dep-a")).cloned().unwrap_or_default();
        let mut expected = posts.clone();
        expected.sort_by_key(|r| r.code());
        expected.dedup();
        assert_eq!(held, expected);
        assert_eq!(
            store::is_held(&mut db, Role::Auditor).await.unwrap(),
            posts == [Role::Auditor]
        );
    }
}

async fn stores_of_a_department_come_oldest_first(bench: Bench) {
    bench.sql(PARTIES).await;
    for (n, id) in (0..).zip(["sto-c", "sto-a", "sto-b"]) {
        let mut tx = bench
            .begin_at(monday() + SignedDuration::from_secs(n))
            .await;
        let exchange_store = ExchangeStore {
            id: StoreId::parse(id).unwrap(),
            department_id: dep(if id == "sto-b" { "dep-b" } else { "dep-a" }),
            name: id.to_owned(),
            url: "sqlite:x.db".to_owned(),
            rate: Rate::default(),
        };
        store::insert_store(&mut tx, &exchange_store).await.unwrap();
        commit(tx).await;
    }
    let mut db = bench.read().await;
    let own = store::stores_of(&mut db, &dep("dep-a")).await.unwrap();
    assert_eq!(
        own.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(),
        ["sto-c", "sto-a"]
    );
    assert_eq!(own[0].engine(), "sqlite");
    assert_eq!(store::stores(&mut db).await.unwrap().len(), 3);
    let found = store::find_store(&mut db, &StoreId::parse("sto-b").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.department_id, dep("dep-b"));
    assert_eq!(found.rate, Rate::default());
    drop(db);

    let rate = Rate {
        rows: Some(5000),
        bytes: None,
    };
    let mut tx = bench.begin_at(monday()).await;
    store::set_rate(&mut tx, &found.id, rate).await.unwrap();
    commit(tx).await;
    let mut db = bench.read().await;
    let limited = store::every_store(&mut db).await.unwrap();
    let limits: Vec<Option<u64>> = limited.iter().map(|s| s.rate.rows).collect();
    assert_eq!(
        limits,
        [None, None, Some(5000)],
        "the others stay as they were"
    );
    let shown = store::stores(&mut db).await.unwrap();
    let shown = shown.iter().find(|s| s.id == "sto-b").unwrap();
    assert_eq!((shown.rows_per_s, shown.bytes_per_s), (Some(5000), None));
}

async fn notices_come_newest_first_page_by_page(bench: Bench) {
    bench.sql(PARTIES).await;
    // Three at one instant, so that the order within it matters too.
    for n in 0_i64..7 {
        let mut tx = bench
            .begin_at(monday() + SignedDuration::from_secs(n / 3))
            .await;
        let id = n.to_string();
        let notice = Notice {
            to: &dep("dep-a"),
            kind: "request.filed",
            subject: ("request", &id),
            facts: BTreeMap::from([("number", id.clone())]),
        };
        store::insert_notice(&mut tx, &notice).await.unwrap();
        commit(tx).await;
    }
    let mut db = bench.read().await;
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = store::notices(&mut db, &dep("dep-a"), cursor.as_deref(), 2)
            .await
            .unwrap();
        seen.extend(
            page.iter()
                .take(2)
                .map(|n| (n.at.clone(), n.subject_id.clone())),
        );
        if page.len() <= 2 {
            break;
        }
        cursor = Some(format!("{} {}", page[1].at, page[1].id));
    }
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0), "{seen:?}");
    let mut subjects: Vec<String> = seen.into_iter().map(|s| s.1).collect();
    subjects.sort();
    assert_eq!(
        subjects,
        ["0", "1", "2", "3", "4", "5", "6"],
        "none is left out, none comes twice"
    );
    assert!(
        store::notices(&mut db, &dep("dep-b"), None, 2)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_setting_is_kept_in_place_of_an_earlier_one(bench: Bench) {
    for value in ["云溪", "石龙"] {
        let mut tx = bench.begin().await;
        store::save_setting(&mut tx, "platform_name", value)
            .await
            .unwrap();
        commit(tx).await;
        assert_eq!(
            store::setting(&mut *bench.read().await, "platform_name")
                .await
                .unwrap()
                .as_deref(),
            Some(value)
        );
    }
    let mut db = bench.read().await;
    assert_eq!(store::setting(&mut db, "nothing").await.unwrap(), None);
    assert_eq!(store::platform_department(&mut db).await.unwrap(), None);
}
