//! Sessions: who is behind a token, and until when.

use jiff::{SignedDuration, Timestamp};
use tongqu_domain::{access::Role, ids::PersonId};

use super::store::{self, find_actor};
use crate::platform::db::testing::{Bench, PARTIES, commit, monday, store_suite};

store_suite!(
    a_session_ends_at_its_instant,
    a_closed_account_has_no_actor,
    failures_are_counted_and_forgotten,
    old_sessions_are_cleared_away,
);

fn person() -> PersonId {
    PersonId::parse("per-a").unwrap()
}

fn after(hours: i64) -> Timestamp {
    monday() + SignedDuration::from_hours(hours)
}

async fn open(bench: &Bench, token: &str, at: Timestamp) {
    let mut tx = bench.begin_at(at).await;
    let until = at + SignedDuration::from_hours(8);
    store::open_session(&mut tx, &person(), token, until)
        .await
        .unwrap();
    commit(tx).await;
}

async fn a_session_ends_at_its_instant(bench: Bench) {
    bench.sql(PARTIES).await;
    bench.sql("INSERT INTO posts (person_id, department_id, role) VALUES ('per-a', 'dep-a', 'head'), ('per-a', 'dep-a', 'data_officer')").await;
    open(&bench, "t1", monday()).await;
    let mut db = bench.read().await;
    let actor = find_actor(&mut db, "t1".to_owned(), after(7))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(actor.roles, [Role::DataOfficer, Role::Head]);
    assert_eq!(
        (actor.department.as_str(), actor.contractor),
        ("dep-a", false)
    );
    assert!(
        find_actor(&mut db, "t1".to_owned(), after(8))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        find_actor(&mut db, "t2".to_owned(), after(1))
            .await
            .unwrap()
            .is_none()
    );
    drop(db);
    let mut tx = bench.begin().await;
    store::close_session(&mut tx, "t1").await.unwrap();
    commit(tx).await;
    assert!(
        find_actor(&mut *bench.read().await, "t1".to_owned(), after(1))
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_closed_account_has_no_actor(bench: Bench) {
    bench.sql(PARTIES).await;
    open(&bench, "t1", monday()).await;
    bench
        .sql("UPDATE people SET active = 0 WHERE id = 'per-a'")
        .await;
    let mut db = bench.read().await;
    assert!(
        find_actor(&mut db, "t1".to_owned(), after(1))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store::find_account(&mut db, "a")
            .await
            .unwrap()
            .is_some_and(|a| !a.active)
    );
    assert!(
        store::find_account(&mut db, "A").await.unwrap().is_none(),
        "names are told apart by case"
    );
}

async fn failures_are_counted_and_forgotten(bench: Bench) {
    bench.sql(PARTIES).await;
    let mut tx = bench.begin().await;
    store::save_failure(&mut tx, &person(), 5, Some(after(1)))
        .await
        .unwrap();
    commit(tx).await;
    let account = store::find_account(&mut *bench.read().await, "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (account.failures, account.locked_until),
        (5, Some(after(1)))
    );
    open(&bench, "t1", after(2)).await;
    let account = store::find_account(&mut *bench.read().await, "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((account.failures, account.locked_until), (0, None));
}

async fn old_sessions_are_cleared_away(bench: Bench) {
    bench.sql(PARTIES).await;
    open(&bench, "old", monday()).await;
    open(&bench, "new", after(9)).await;
    let mut db = bench.read().await;
    let n = sqlx::query("SELECT COUNT(*) AS n FROM sessions")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    assert_eq!(crate::platform::db::RowExt::int(&n, "n").unwrap(), 1);
}
