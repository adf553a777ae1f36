//! What goes wrong is said exactly, and leaves the target as it was.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tongqu_connectors::rows::Op;
use tongqu_connectors::{ApplyPlan, ConnectorError, Value};
use tongqu_domain::exchange::ColumnType;

use crate::support::{
    Bench, Engine, TEXT, batches, changes, column, key_column, place, places, plan, upsert_batch,
    upserts,
};

async fn assert_untouched(bench: &Bench) {
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1)]
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(1));
}

pub async fn an_error_in_the_stream_leaves_the_target_alone(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let broken = batches(vec![
        Ok(upsert_batch(
            &places(),
            &[place("1", "b", 1), place("2", "b", 2)],
        )),
        Err(ConnectorError::Stopped {
            reason: "too many faulty rows".to_owned(),
        }),
    ]);
    let error = bench
        .store
        .apply(plan(2).replacing_all(), broken)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ConnectorError::Stopped {
            reason: "too many faulty rows".to_owned()
        }
    );
    assert_untouched(bench).await;
    // Nothing is left behind that would be in the way of the next run.
    bench.apply(&plan(2), &[place("1", "b", 1)]).await.unwrap();
}

pub async fn a_caller_who_goes_away_leaves_the_target_alone(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let first = stream::iter([Ok(upsert_batch(
        &places(),
        &[place("1", "b", 1), place("2", "b", 2)],
    ))]);
    let endless = first.chain(stream::pending()).boxed();
    let apply = bench.store.apply(plan(2).replacing_all(), endless);
    assert!(
        tokio::time::timeout(Duration::from_millis(500), apply)
            .await
            .is_err()
    );
    assert_untouched(bench).await;
    bench.apply(&plan(2), &[place("1", "b", 1)]).await.unwrap();
}

pub async fn a_refusal_does_not_wait_for_the_stream(bench: &Bench) {
    bench.apply(&plan(5), &[place("1", "a", 1)]).await.unwrap();
    let apply = bench.store.apply(plan(4), stream::pending().boxed());
    let refused = tokio::time::timeout(Duration::from_secs(20), apply).await;
    assert_eq!(
        refused.unwrap().unwrap_err().code(),
        "store.cursor_backwards"
    );
}

pub async fn the_slower_of_two_runs_is_refused(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    // While the first is still staging, the second goes past it.
    let faster = bench.beside();
    let changes = stream::once(async move {
        faster
            .apply(&plan(9), &[place("1", "faster", 1)])
            .await
            .unwrap();
        Ok(upsert_batch(&places(), &[place("1", "slower", 1)]))
    });
    let error = bench
        .store
        .apply(plan(5), changes.boxed())
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ConnectorError::CursorBackwards {
            consumer: "consumer".to_owned(),
            held: 9,
            offered: 5
        }
    );
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "faster", 1)]
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(9));
}

/// While the first rows of one consumer are still coming, another one begins with a table of its own.
pub async fn a_slow_beginner_holds_up_nobody(bench: &Bench) {
    let other = bench.beside();
    let begun = stream::iter([Ok(upsert_batch(&places(), &[place("1", "slow", 1)]))]);
    let rest = stream::once(async move {
        let mut quick = plan(1);
        "other_place".clone_into(&mut quick.table);
        "other consumer".clone_into(&mut quick.consumer);
        let rows = [place("2", "quick", 1)];
        let applied = other.apply(&quick, &rows);
        let applied = tokio::time::timeout(Duration::from_secs(20), applied).await;
        assert_eq!(applied.expect("nobody is waited for").unwrap().inserted, 1);
        Ok(upsert_batch(&places(), &[place("3", "slow", 1)]))
    });
    let slow = bench.store.apply(plan(1), begun.chain(rest).boxed()).await;
    assert_eq!(slow.unwrap().inserted, 2);
}

pub async fn a_change_that_fails_late_is_undone_whole(bench: &Bench) {
    let rows = [place("1", "a", 1), place("2", "b", 2), place("3", "c", 3)];
    let mut with_short_names = plan(1);
    with_short_names.columns[1].column_type = ColumnType::Text {
        chars_max: Some(20),
    };
    bench.apply(&with_short_names, &rows).await.unwrap();
    bench
        .sql("CREATE UNIQUE INDEX one_name ON place (name)")
        .await;
    // Deletes, updates and the cursor come before the insert that breaks the other unique index.
    let columns = with_short_names.columns.clone();
    let set = [
        (Op::Delete, place("1", "a", 1)),
        (Op::Upsert, place("2", "z", 2)),
        (Op::Upsert, place("9", "c", 9)),
    ];
    with_short_names.cursor = 2;
    let error = bench
        .store
        .apply(with_short_names, changes(&columns, &set))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.key_duplicates");
    assert_eq!(bench.rows("place", &places(), &["id"]).await, rows);
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(1));
}

pub async fn duplicate_keys_are_refused(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let twice = [place("2", "b", 2), place("3", "c", 3), place("2", "x", 2)];
    let error = bench.apply(&plan(2), &twice).await.unwrap_err();
    assert_eq!(error.code(), "store.key_duplicates");
    // In different batches, and by different operations, they are duplicates too.
    let apart = batches(
        twice
            .iter()
            .map(|row| Ok(upsert_batch(&places(), std::slice::from_ref(row))))
            .collect(),
    );
    assert_eq!(
        bench.store.apply(plan(2), apart).await.unwrap_err().code(),
        "store.key_duplicates"
    );
    let both = [
        (Op::Delete, place("2", "b", 2)),
        (Op::Upsert, place("2", "b", 2)),
    ];
    let error = bench
        .store
        .apply(plan(2), changes(&places(), &both))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.key_duplicates");
    assert_untouched(bench).await;
}

pub async fn null_keys_are_refused(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let mut row = place("2", "b", 2);
    row[0] = Value::Null;
    let error = bench
        .apply(&plan(2), &[place("3", "c", 3), row])
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ConnectorError::KeyNulls {
            table: "place".to_owned(),
            column: "id".to_owned(),
            nulls: 1
        }
    );
    assert_untouched(bench).await;
}

pub async fn null_in_a_column_that_takes_none_is_refused(bench: &Bench) {
    let mut strict = plan(1);
    strict.columns[1].nullable = false;
    bench.apply(&strict, &[place("1", "a", 1)]).await.unwrap();
    strict.cursor = 2;
    let mut row = place("2", "b", 2);
    row[1] = Value::Null;
    let error = bench
        .apply(&strict, &[place("1", "x", 1), row])
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ConnectorError::NullRefused {
            table: "place".to_owned(),
            column: "name".to_owned()
        }
    );
    assert_untouched(bench).await;
}

pub async fn a_target_without_a_key_is_refused(bench: &Bench) {
    bench
        .sql("CREATE TABLE place (id VARCHAR(12) NOT NULL, name VARCHAR(50), size BIGINT)")
        .await;
    let error = bench
        .apply(&plan(1), &[place("1", "a", 1)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.key_missing");
    assert!(error.to_string().contains("id"), "{error}");
    // A unique index over more columns isn't enough, over just these it is.
    bench
        .sql("CREATE UNIQUE INDEX wide ON place (id, size)")
        .await;
    assert_eq!(
        bench
            .apply(&plan(1), &[place("1", "a", 1)])
            .await
            .unwrap_err()
            .code(),
        "store.key_missing"
    );
    bench.sql("CREATE UNIQUE INDEX exact ON place (id)").await;
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    assert_eq!(
        bench
            .apply(&plan(1), &[place("1", "b", 1)])
            .await
            .unwrap()
            .updated,
        1
    );
}

pub async fn a_target_of_a_narrower_type_is_refused(bench: &Bench) {
    let float = match bench.engine {
        Engine::Sqlite | Engine::Postgres => "REAL",
        Engine::Mysql => "FLOAT",
    };
    for (declared, column_type) in [
        (float, ColumnType::Int64),
        ("VARCHAR(50)", ColumnType::Int64),
        ("DATE", ColumnType::Timestamp),
        (
            "DECIMAL(10,2)",
            ColumnType::Decimal {
                precision: 12,
                scale: 2,
            },
        ),
        (
            "DECIMAL(10,2)",
            ColumnType::Decimal {
                precision: 10,
                scale: 3,
            },
        ),
        ("BIGINT", TEXT),
        ("BIGINT", ColumnType::UInt64),
    ] {
        bench
            .sql(&format!(
                "CREATE TABLE narrow (id VARCHAR(12) NOT NULL PRIMARY KEY, v {declared})"
            ))
            .await;
        let columns = vec![
            key_column(
                "id",
                ColumnType::Text {
                    chars_max: Some(12),
                },
            ),
            column("v", column_type),
        ];
        let plan = ApplyPlan::new("narrow", columns, &["id"], "consumer", 1, "run-1");
        let error = bench.apply(&plan, &[]).await.unwrap_err();
        assert_eq!(
            error.code(),
            "store.type_refused",
            "{column_type} into {declared}"
        );
        assert!(error.to_string().contains("column v"), "{error}");
        bench.sql("DROP TABLE narrow").await;
    }
}

pub async fn wrong_batches_are_refused(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let mut renamed = places();
    "title".clone_into(&mut renamed[1].name);
    let mut retyped = places();
    retyped[2].column_type = ColumnType::Int32;
    let fewer = places()[..2].to_vec();
    for (columns, row) in [
        (renamed, place("1", "b", 1)),
        (retyped, place("1", "b", 1)),
        (fewer, place("1", "b", 1)[..2].to_vec()),
    ] {
        let error = bench
            .store
            .apply(plan(2), upserts(&columns, &[row]))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "store.batch_invalid");
    }
    assert_untouched(bench).await;
}

pub async fn unsound_plans_are_refused(bench: &Bench) {
    let changed = |change: fn(&mut ApplyPlan)| {
        let mut plan = plan(1);
        change(&mut plan);
        plan
    };
    for (plan, code) in [
        (changed(|plan| plan.key.clear()), "store.key_missing"),
        (
            changed(|plan| plan.key = vec!["colour".to_owned()]),
            "store.plan_invalid",
        ),
        (
            changed(|plan| plan.key = vec!["name".to_owned()]),
            "store.plan_invalid",
        ),
        (
            changed(|plan| "ID".clone_into(&mut plan.columns[1].name)),
            "store.plan_invalid",
        ),
        (
            changed(|plan| "_op".clone_into(&mut plan.columns[1].name)),
            "store.plan_invalid",
        ),
        (
            changed(|plan| plan.index_on = vec!["colour".to_owned()]),
            "store.plan_invalid",
        ),
        (changed(|plan| plan.consumer.clear()), "store.plan_invalid"),
        (
            changed(|plan| plan.consumer = "x".repeat(192)),
            "store.plan_invalid",
        ),
    ] {
        assert_eq!(
            bench
                .store
                .apply(plan, batches(vec![]))
                .await
                .unwrap_err()
                .code(),
            code
        );
    }
    assert_eq!(bench.store.tables().await.unwrap(), Vec::<String>::new());
}

pub async fn errors_hold_no_values_and_no_password(bench: &Bench) {
    const SECRET: &str = "410402199001011234";
    bench.apply(&plan(1), &[]).await.unwrap();
    let mut errors = vec![
        bench
            .apply(&plan(2), &[place("s", SECRET, 1), place("s", SECRET, 2)])
            .await
            .unwrap_err(),
        bench
            .query(tongqu_connectors::Query::all("nowhere", places()))
            .await
            .unwrap_err(),
    ];
    bench
        .sql(&format!("INSERT INTO place VALUES ('1', '{SECRET}', 1)"))
        .await;
    bench
        .sql("CREATE UNIQUE INDEX one_name ON place (name)")
        .await;
    errors.push(
        bench
            .apply(&plan(2), &[place("2", SECRET, 1)])
            .await
            .unwrap_err(),
    );
    let long_key = SECRET.repeat(1_000);
    errors.extend(
        bench
            .apply(&plan(2), &[place(&long_key, "x", 1)])
            .await
            .err(),
    );
    for error in errors {
        let told = format!("{error} {error:?}");
        assert!(
            !told.contains(SECRET) && !told.contains("tongqu-test"),
            "{told}"
        );
    }
    let told = format!(
        "{} {:?} {:?}",
        bench.store.address(),
        bench.store.address(),
        bench.store
    );
    assert!(!told.contains("tongqu-test"), "{told}");
}

/// The test's address with another user, password, port or database.
fn elsewhere(bench: &Bench, login: Option<&str>, port: Option<u16>, database: &str) -> String {
    let (scheme, rest) = bench.url.split_once("://").unwrap();
    let (own_login, place) = rest.rsplit_once('@').unwrap();
    let (host, _) = place.split_once('/').unwrap();
    let (name, own_port) = host.split_once(':').unwrap();
    let port = port.map_or(own_port.to_owned(), |port| port.to_string());
    let url = format!(
        "{scheme}://{}@{name}:{port}/{database}",
        login.unwrap_or(own_login)
    );
    bench.address(&url)
}

pub async fn a_server_that_is_down_is_unreachable(bench: &Bench) {
    let url = elsewhere(bench, Some("tax:s3cret"), Some(1), "exchange");
    let store = tongqu_connectors::open(&url).unwrap();
    let stream = upserts(&places(), &[place("1", "a", 1)]);
    let errors = [
        store.ping().await.unwrap_err(),
        store
            .read(tongqu_connectors::Query::all("place", places()))
            .await
            .err()
            .unwrap(),
        store.apply(plan(1), stream).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "store.unreachable");
        assert!(error.is_transient());
        let shown = if bench.is_through_odbc {
            "Server=127.0.0.1;Port=1;Database=exchange;"
        } else {
            "127.0.0.1:1/exchange"
        };
        assert!(error.to_string().contains(shown), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

pub async fn a_refused_sign_in_is_told_apart(bench: &Bench) {
    let url = elsewhere(bench, Some("tongqu:wr0ng"), None, "exchange");
    let error = tongqu_connectors::open(&url)
        .unwrap()
        .ping()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.login_refused");
    assert!(!error.to_string().contains("wr0ng"), "{error}");
    assert!(!error.is_transient());
}

pub async fn a_database_that_is_not_there_is_missing(bench: &Bench) {
    let url = elsewhere(bench, None, None, "nowhere");
    let error = tongqu_connectors::open(&url)
        .unwrap()
        .ping()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.missing");
    assert!(error.to_string().contains("nowhere"), "{error}");
}

pub async fn a_reading_that_is_cut_off_is_not_an_end(bench: &Bench) {
    // Far more than fits into the buffers on the way.
    let rows: Vec<Vec<Value>> = (0..3_000)
        .map(|n| place(&format!("{n:05}"), &"x".repeat(5_000), n))
        .collect();
    bench.apply(&plan(1), &rows).await.unwrap();
    let query = tongqu_connectors::Query::all("place", places()).in_batches_of(10);
    let mut stream = bench.store.read(query).await.unwrap();
    stream.next().await.unwrap().unwrap();
    bench.cut_others().await;
    let mut seen = 10;
    let error = loop {
        match stream
            .next()
            .await
            .expect("a broken stream doesn't just end")
        {
            Ok(batch) => seen += batch.num_rows(),
            Err(error) => break error,
        }
    };
    assert!(seen < 3_000);
    assert!(error.is_transient(), "{error:?}");
    assert!(stream.next().await.is_none());
}

pub async fn an_apply_that_is_cut_off_leaves_the_target_alone(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let first = upsert_batch(&places(), &[place("1", "b", 1), place("2", "b", 2)]);
    let second = upsert_batch(&places(), &[place("3", "b", 3)]);
    let cut = bench.beside();
    let changes = stream::iter([Ok(first)]).chain(stream::once(async move {
        cut.cut_others().await;
        Ok(second)
    }));
    let error = bench
        .store
        .apply(plan(2).replacing_all(), changes.boxed())
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_untouched(bench).await;
    bench.apply(&plan(2), &[place("1", "b", 1)]).await.unwrap();
}

pub async fn tables_of_another_schema_are_reached_by_their_full_name(bench: &Bench) {
    // A database of MySQL is what a schema is elsewhere; its name has to be this test's own.
    let schema = format!("{}_b", bench.url.rsplit('/').next().unwrap());
    bench.sql(&format!("CREATE SCHEMA {schema}")).await;
    let table = format!("{schema}.place");
    let mut plan = plan(1);
    plan.table.clone_from(&table);
    plan.index_on = vec!["size".to_owned()];
    bench.apply(&plan, &[place("1", "a", 1)]).await.unwrap();
    assert_eq!(
        bench
            .apply(&plan, &[place("1", "b", 1)])
            .await
            .unwrap()
            .updated,
        1
    );
    assert_eq!(
        bench.rows(&table, &places(), &["id"]).await,
        [place("1", "b", 1)]
    );
    assert_eq!(bench.store.discover(&table).await.unwrap().key, ["id"]);
    assert_eq!(
        bench.store.discover("place").await.unwrap_err().code(),
        "store.table_missing"
    );
    if bench.engine == Engine::Postgres {
        assert_eq!(bench.store.tables().await.unwrap(), [table]);
    }
    bench.sql(&format!("DROP TABLE {schema}.place")).await;
    bench.sql(&format!("DROP SCHEMA {schema}")).await;
}
