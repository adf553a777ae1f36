//! Applying: what is in the table afterwards, and what was counted.

use tongqu_connectors::rows::Op;
use tongqu_connectors::{AddColumns, Applied, ApplyPlan, Value};
use tongqu_domain::exchange::ColumnType;

use crate::support::{
    Bench, batches, changes, column, key_column, place, places, plan, text, upsert_batch,
};

fn applied(inserted: u64, updated: u64, deleted: u64, unchanged: u64) -> Applied {
    Applied {
        inserted,
        updated,
        deleted,
        unchanged,
    }
}

pub async fn first_apply_creates_the_table_with_its_key(bench: &Bench) {
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), None);
    let first = bench
        .apply(&plan(7), &[place("1", "a", 1), place("2", "b", 2)])
        .await
        .unwrap();
    assert_eq!(first, applied(2, 0, 0, 0));
    let info = bench.store.discover("place").await.unwrap();
    assert_eq!((info.columns, info.key), (places(), vec!["id".to_owned()]));
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1), place("2", "b", 2)]
    );
}

pub async fn only_rows_that_differ_are_written(bench: &Bench) {
    let rows = [
        place("1", "a", 1),
        place("2", "b", 2),
        vec![text("3"), Value::Null, Value::Null],
    ];
    bench.apply(&plan(1), &rows).await.unwrap();
    let second = [
        place("1", "a", 1),
        // Only case, only a blank, only NULL against empty: all of them differ.
        place("2", "B", 2),
        vec![text("3"), text(""), Value::Null],
        place("4", "d", 4),
    ];
    assert_eq!(
        bench.apply(&plan(2), &second).await.unwrap(),
        applied(1, 2, 0, 1)
    );
    assert_eq!(bench.rows("place", &places(), &["id"]).await, second);
    let third = [place("2", "B ", 2)];
    assert_eq!(
        bench.apply(&plan(3), &third).await.unwrap(),
        applied(0, 1, 0, 0)
    );
    assert_eq!(bench.rows("place", &places(), &["id"]).await[1], third[0]);
}

pub async fn deletes_are_counted_and_absent_ones_ignored(bench: &Bench) {
    bench
        .apply(
            &plan(1),
            &[place("1", "a", 1), place("2", "b", 2), place("3", "c", 3)],
        )
        .await
        .unwrap();
    let gone = |id: &str| (Op::Delete, vec![text(id), Value::Null, Value::Null]);
    let set = [
        gone("1"),
        gone("9"),
        (Op::Upsert, place("2", "x", 2)),
        (Op::Upsert, place("4", "d", 4)),
    ];
    let done = bench
        .store
        .apply(plan(2), changes(&places(), &set))
        .await
        .unwrap();
    assert_eq!(done, applied(1, 1, 1, 1));
    let expected = [place("2", "x", 2), place("3", "c", 3), place("4", "d", 4)];
    assert_eq!(bench.rows("place", &places(), &["id"]).await, expected);
}

pub async fn replace_all_leaves_exactly_the_staged_rows(bench: &Bench) {
    bench
        .apply(
            &plan(1),
            &[place("1", "a", 1), place("2", "b", 2), place("3", "c", 3)],
        )
        .await
        .unwrap();
    let rows = [place("2", "b", 2), place("3", "x", 3), place("4", "d", 4)];
    let done = bench.apply(&plan(2).replacing_all(), &rows).await.unwrap();
    assert_eq!(done, applied(1, 1, 1, 1));
    assert_eq!(bench.rows("place", &places(), &["id"]).await, rows);
    let keep_only_two = [
        (Op::Upsert, place("2", "b", 2)),
        (Op::Delete, vec![text("3"), Value::Null, Value::Null]),
    ];
    let done = bench
        .store
        .apply(plan(3).replacing_all(), changes(&places(), &keep_only_two))
        .await
        .unwrap();
    assert_eq!(done, applied(0, 0, 2, 1));
}

pub async fn replace_all_with_nothing_empties_the_table(bench: &Bench) {
    bench
        .apply(&plan(1), &[place("1", "a", 1), place("2", "b", 2)])
        .await
        .unwrap();
    let done = bench
        .store
        .apply(plan(2).replacing_all(), batches(vec![]))
        .await
        .unwrap();
    assert_eq!(done, applied(0, 0, 2, 0));
    assert!(bench.rows("place", &places(), &["id"]).await.is_empty());
}

pub async fn repeating_an_apply_changes_nothing(bench: &Bench) {
    let gone = |id: &str| (Op::Delete, vec![text(id), Value::Null, Value::Null]);
    bench.apply(&plan(1), &[place("9", "z", 9)]).await.unwrap();
    let set = [(Op::Upsert, place("1", "a", 1)), gone("9")];
    let first = bench
        .store
        .apply(plan(2), changes(&places(), &set))
        .await
        .unwrap();
    let again = bench
        .store
        .apply(plan(2), changes(&places(), &set))
        .await
        .unwrap();
    assert_eq!((first, again), (applied(1, 0, 1, 0), applied(0, 0, 0, 2)));
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1)]
    );
}

pub async fn the_cursor_moves_with_the_data(bench: &Bench) {
    bench.apply(&plan(5), &[place("1", "a", 1)]).await.unwrap();
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(5));
    // Even an empty set of changes moves it, and another consumer has its own.
    bench.store.apply(plan(8), batches(vec![])).await.unwrap();
    let mut other = plan(2);
    "another".clone_into(&mut other.consumer);
    bench.apply(&other, &[place("2", "b", 2)]).await.unwrap();
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(8));
    assert_eq!(bench.store.cursor("another").await.unwrap(), Some(2));
}

pub async fn marks_are_set_with_the_data(bench: &Bench) {
    let mark = || async { bench.store.cursor("source").await.unwrap() };
    let first = plan(1).marking("source", 70);
    bench.apply(&first, &[place("1", "a", 1)]).await.unwrap();
    assert_eq!(mark().await, Some(70));
    // Neither moves without the other.
    let failed = [place("2", "b", 2), place("2", "b", 2)];
    let failing = plan(2).marking("source", 80);
    bench.apply(&failing, &failed).await.unwrap_err();
    let late = plan(0).marking("source", 90);
    bench.apply(&late, &[]).await.unwrap_err();
    assert_eq!(mark().await, Some(70));
    let back = plan(2).marking("source", 60).marking("more", 1);
    bench.store.apply(back, batches(vec![])).await.unwrap();
    assert_eq!(
        (mark().await, bench.store.cursor("more").await.unwrap()),
        (Some(60), Some(1))
    );
    let unsound = plan(3).marking("consumer", 1);
    let refused = bench.apply(&unsound, &[]).await.unwrap_err();
    assert_eq!(refused.code(), "store.plan_invalid");
}

pub async fn a_cursor_never_goes_backwards(bench: &Bench) {
    bench.apply(&plan(5), &[place("1", "a", 1)]).await.unwrap();
    let error = bench
        .apply(&plan(4), &[place("1", "old", 0), place("2", "old", 0)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.cursor_backwards");
    assert!(
        error.to_string().contains('5') && error.to_string().contains('4'),
        "{error}"
    );
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1)]
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(5));
}

pub async fn of_two_who_begin_at_the_same_place_one_comes_too_late(bench: &Bench) {
    let first = plan(5).advancing();
    bench.apply(&first, &[place("1", "a", 1)]).await.unwrap();
    let error = bench
        .apply(&first, &[place("1", "b", 1), place("2", "b", 2)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.cursor_backwards");
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1)]
    );
    // Also where both looked before either of them wrote.
    let late = plan(6).advancing();
    let rows = ["one", "two"].map(|name| [place("1", name, 1)]);
    let (one, two) = tokio::join!(bench.apply(&late, &rows[0]), bench.apply(&late, &rows[1]));
    let codes: Vec<&str> = [&one, &two]
        .iter()
        .filter_map(|done| {
            done.as_ref()
                .err()
                .map(tongqu_connectors::ConnectorError::code)
        })
        .collect();
    assert_eq!(codes, ["store.cursor_backwards"], "{one:?} {two:?}");
    let next = plan(7).advancing();
    bench.apply(&next, &[]).await.unwrap();
}

pub async fn a_consumer_can_be_dropped(bench: &Bench) {
    bench.store.drop_consumer("consumer").await.unwrap();
    bench.apply(&plan(5), &[place("1", "a", 1)]).await.unwrap();
    bench.store.drop_consumer("consumer").await.unwrap();
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), None);
    assert_eq!(bench.rows("place", &places(), &["id"]).await.len(), 1);
    bench.apply(&plan(1), &[place("1", "b", 1)]).await.unwrap();
}

pub async fn a_column_is_added_only_when_allowed(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let mut wider = plan(2);
    wider.columns.push(column(
        "note",
        ColumnType::Text {
            chars_max: Some(30),
        },
    ));
    let mut row = place("1", "a", 1);
    row.push(text("备注"));
    let refused = bench
        .apply(&wider, std::slice::from_ref(&row))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "store.column_missing");
    assert!(refused.to_string().contains("note"), "{refused}");
    wider.add_columns = AddColumns::Allow;
    assert_eq!(
        bench
            .apply(&wider, std::slice::from_ref(&row))
            .await
            .unwrap(),
        applied(0, 1, 0, 0)
    );
    assert_eq!(bench.rows("place", &wider.columns, &["id"]).await, [row]);
}

pub async fn a_column_dropped_from_the_target_is_named(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    bench.sql("ALTER TABLE place DROP COLUMN size").await;
    let error = bench
        .apply(&plan(2), &[place("1", "b", 1)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.column_missing");
    assert!(
        error.to_string().contains("size") && error.to_string().contains("place"),
        "{error}"
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(1));
}

pub async fn an_index_is_made_with_the_table(bench: &Bench) {
    let mut indexed = plan(1);
    indexed.index_on = vec!["size".to_owned()];
    bench.apply(&indexed, &[place("1", "a", 1)]).await.unwrap();
    // Only one index can have this name.
    let taken = bench
        .try_sql("CREATE INDEX place_by_size ON place (size)")
        .await;
    assert!(taken.is_err());
}

pub async fn two_appliers_do_not_lose_rows(bench: &Bench) {
    bench.apply(&plan(0), &[]).await.unwrap();
    let mut tasks = Vec::new();
    for applier in 0..4_i64 {
        let store = bench.store.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0..5_i64 {
                let mut plan = plan(round);
                plan.consumer = format!("consumer-{applier}");
                let rows = [
                    place(&format!("{applier}-{round}"), "own", round),
                    place("shared", "x", applier * 100 + round),
                ];
                let stream = batches(vec![Ok(upsert_batch(&plan.columns, &rows))]);
                // Two at once may meet on the shared row; then the loser says so and does it again.
                let mut outcome = store.apply(plan.clone(), stream).await;
                while outcome
                    .as_ref()
                    .is_err_and(tongqu_connectors::ConnectorError::is_transient)
                {
                    let stream = batches(vec![Ok(upsert_batch(&plan.columns, &rows))]);
                    outcome = store.apply(plan.clone(), stream).await;
                }
                outcome.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(bench.rows("place", &places(), &["id"]).await.len(), 21);
}

pub async fn a_large_change_set_is_applied_exactly(bench: &Bench) {
    const ROWS: i64 = 20_000;
    let all = |name: &'static str| {
        (0..ROWS)
            .map(move |n| place(&format!("{n:06}"), name, n))
            .collect::<Vec<_>>()
    };
    let before = all("before");
    let stream = batches(
        before
            .chunks(4_096)
            .map(|rows| Ok(upsert_batch(&places(), rows)))
            .collect(),
    );
    assert_eq!(
        bench.store.apply(plan(1), stream).await.unwrap(),
        applied(20_000, 0, 0, 0)
    );
    // Every 20th changes, every 100th disappears, 100 appear.
    let mut after = before;
    for row in after.iter_mut().step_by(20) {
        row[1] = text("after");
    }
    let mut kept: Vec<Vec<Value>> = after
        .into_iter()
        .enumerate()
        .filter(|(place, _)| place % 100 != 50)
        .map(|(_, row)| row)
        .collect();
    kept.extend((0..100).map(|n| place(&format!("n{n:05}"), "new", n)));
    let stream = batches(
        kept.chunks(4_096)
            .map(|rows| Ok(upsert_batch(&places(), rows)))
            .collect(),
    );
    let done = bench
        .store
        .apply(plan(2).replacing_all(), stream)
        .await
        .unwrap();
    assert_eq!(done, applied(100, 1_000, 200, 18_800));
    assert_eq!(bench.rows("place", &places(), &["id"]).await, kept);
}

pub async fn rows_may_come_in_any_order(bench: &Bench) {
    const ROWS: i64 = 3_001;
    // A multiple of a number without common divisor visits each row once, in wild order.
    let row = |n: i64, name: &str| place(&format!("{:05}", n * 1_009 % ROWS), name, n);
    let all = |name: &'static str| (0..ROWS).map(|n| row(n, name)).collect::<Vec<_>>();
    assert_eq!(
        bench.apply(&plan(1), &all("a")).await.unwrap(),
        applied(3_001, 0, 0, 0)
    );
    let mut second = all("a");
    second.truncate(2_000);
    second[7][1] = text("b");
    second.push(place("x", "new", 1));
    let done = bench
        .apply(&plan(2).replacing_all(), &second)
        .await
        .unwrap();
    assert_eq!(done, applied(1, 1, 1_001, 1_999));
    second.push(second[99].clone());
    let error = bench.apply(&plan(3), &second).await.unwrap_err();
    assert_eq!(error.code(), "store.key_duplicates");
    second.pop();
    second.sort_by(|a, b| format!("{:?}", a[0]).cmp(&format!("{:?}", b[0])));
    assert_eq!(bench.rows("place", &places(), &["id"]).await, second);
}

pub async fn a_key_alone_is_a_table(bench: &Bench) {
    let columns = vec![
        key_column("a", ColumnType::Int64),
        key_column("b", ColumnType::Text { chars_max: Some(5) }),
    ];
    let plan = ApplyPlan::new(
        "pairs",
        columns.clone(),
        &["b", "a"],
        "consumer",
        1,
        "run-1",
    );
    let pair = |a, b: &str| vec![Value::Int(a), text(b)];
    let rows = [pair(2, "x"), pair(1, "y"), pair(3, "y")];
    assert_eq!(
        bench.apply(&plan, &rows).await.unwrap(),
        applied(3, 0, 0, 0)
    );
    assert_eq!(
        bench
            .apply(&plan, &[pair(1, "y"), pair(1, "z")])
            .await
            .unwrap(),
        applied(1, 0, 0, 1)
    );
    assert_eq!(bench.store.discover("pairs").await.unwrap().key, ["b", "a"]);
    assert_eq!(bench.rows("pairs", &columns, &["b", "a"]).await[..3], rows);
}
