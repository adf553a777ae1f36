//! What only PostgreSQL can show: its own types, collations and declared limits.

use tongqu_connectors::{ApplyPlan, Filter, Query, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::support::{Bench, TEXT, column, key_column, place, places, plan, text};

fn decimal(unscaled: i128, scale: i8) -> Value {
    Value::Decimal { unscaled, scale }
}

#[tokio::test]
async fn types_of_its_own_are_read_exactly_or_refused() {
    let bench = Bench::postgres().await;
    bench
        .sql("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN code AS varchar(6)")
        .await;
    bench
        .sql(
            "CREATE TABLE native (id int PRIMARY KEY, c char(5), u uuid, j json, b jsonb, m mood, d code, \
             n numeric(38,10), t0 timestamp(0), z timestamptz, \
             x_any numeric, x_span interval, x_list int[], x_money money, x_net inet)",
        )
        .await;
    bench
        .sql(
            "INSERT INTO native VALUES (1, 'ab', '00000000-0000-0000-0000-0000000000AF', '{\"b\": 1, \"a\":2}', \
             '{\"b\": 1, \"a\":2}', 'glad', '410400', -1234567890123456789012345678.0123456789, \
             '2026-09-21 01:02:03', '2026-09-21 09:02:03.000004+08')",
        )
        .await;
    let info = bench.store.discover("native").await.unwrap();
    let refused: Vec<&str> = info
        .refused
        .iter()
        .map(|refusal| refusal.column.as_str())
        .collect();
    assert_eq!(refused, ["x_any", "x_span", "x_list", "x_money", "x_net"]);
    assert!(
        info.refused
            .iter()
            .all(|refusal| refusal.reason.contains("declare") || refusal.reason.contains("view"))
    );
    let rows = bench.rows("native", &info.columns, &["id"]).await;
    let stamp = 1_789_952_523_000_000;
    assert_eq!(
        rows,
        [vec![
            Value::Int(1),
            text("ab   "),
            text("00000000-0000-0000-0000-0000000000af"),
            text("{\"b\": 1, \"a\":2}"),
            text("{\"a\": 2, \"b\": 1}"),
            text("glad"),
            text("410400"),
            decimal(-12_345_678_901_234_567_890_123_456_780_123_456_789, 10),
            Value::Timestamp(stamp),
            Value::Instant(stamp + 4),
        ]]
    );
    // An enumeration has an order of its own; ours is that of its texts.
    let by_text = Query::all("native", vec![column("m", TEXT)])
        .only(Filter::eq("m", text("glad")))
        .ordered_by(&["m", "u", "c"]);
    assert_eq!(bench.query(by_text).await.unwrap(), [[text("glad")]]);
}

#[tokio::test]
async fn values_without_a_counterpart_are_refused_by_column() {
    let bench = Bench::postgres().await;
    bench
        .sql("CREATE TABLE odd (id int, n numeric(10,2), d date, s timestamp, z timestamptz)")
        .await;
    let columns = bench.store.discover("odd").await.unwrap().columns;
    for (name, value) in [
        ("n", "'NaN'"),
        ("d", "'infinity'"),
        ("s", "'-infinity'"),
        ("z", "'infinity'"),
        ("s", "'294276-12-31'"),
    ] {
        bench
            .sql(&format!(
                "TRUNCATE odd; INSERT INTO odd (id, {name}) VALUES (7, {value})"
            ))
            .await;
        let error = bench
            .query(Query::all("odd", columns.clone()))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "store.value_refused", "{name} {value}");
        assert!(
            error.to_string().contains(&format!("column {name} of odd")),
            "{error}"
        );
    }
}

fn one_value(column_type: ColumnType) -> (Vec<Column>, ApplyPlan) {
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("v", column_type),
    ];
    let plan = ApplyPlan::new("held", columns.clone(), &["id"], "consumer", 1, "run-1");
    (columns, plan)
}

#[tokio::test]
async fn what_a_declared_column_would_change_is_refused_before() {
    let bench = Bench::postgres().await;
    let time = 3_723_000_000;
    for (declared, column_type, fits, changed) in [
        ("varchar(3)", TEXT, text("末末末"), text("末末末末")),
        // Blanks at the end would be cut off without a word.
        ("varchar(3)", TEXT, text("abc"), text("abc ")),
        ("char(3)", TEXT, text("abc"), text("ab")),
        (
            "timestamp(0)",
            ColumnType::Timestamp,
            Value::Timestamp(time),
            Value::Timestamp(time + 1),
        ),
        (
            "time(3)",
            ColumnType::Time,
            Value::Time(time + 1_000),
            Value::Time(time + 1),
        ),
        (
            "timestamptz(0)",
            ColumnType::Instant,
            Value::Instant(time),
            Value::Instant(time + 1),
        ),
    ] {
        bench
            .sql(&format!(
                "CREATE TABLE held (id int PRIMARY KEY, v {declared})"
            ))
            .await;
        let (columns, plan) = one_value(column_type);
        bench
            .apply(&plan, &[vec![Value::Int(1), fits.clone()]])
            .await
            .unwrap();
        let rows = [
            vec![Value::Int(1), changed],
            vec![Value::Int(2), fits.clone()],
        ];
        let error = bench.apply(&plan, &rows).await.unwrap_err();
        assert_eq!(error.code(), "store.value_refused", "{declared}");
        assert!(
            error.to_string().contains("column v of held") && error.to_string().contains("1 row"),
            "{error}"
        );
        assert_eq!(
            bench.rows("held", &columns, &["id"]).await,
            [[Value::Int(1), fits]]
        );
        bench.sql("DROP TABLE held").await;
    }
}

#[tokio::test]
async fn types_that_can_only_be_read_are_not_written() {
    let bench = Bench::postgres().await;
    for declared in [
        "uuid",
        "jsonb",
        "interval",
        "int GENERATED ALWAYS AS (id + 1) STORED",
    ] {
        bench
            .sql(&format!(
                "CREATE TABLE held (id int PRIMARY KEY, v {declared})"
            ))
            .await;
        let column_type = if declared.starts_with("int G") {
            ColumnType::Int32
        } else {
            TEXT
        };
        let (_, plan) = one_value(column_type);
        let error = bench
            .apply(&plan, &[vec![Value::Int(1), Value::Null]])
            .await
            .unwrap_err();
        assert_eq!(error.code(), "store.type_refused", "{declared}: {error}");
        bench.sql("DROP TABLE held").await;
    }
}

#[tokio::test]
async fn a_key_that_folds_case_matches_and_keeps_the_new_spelling() {
    let bench = Bench::postgres().await;
    bench
        .sql(
            "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             CREATE TABLE place (id varchar(12) COLLATE folding PRIMARY KEY, name text COLLATE folding, size bigint)",
        )
        .await;
    bench.apply(&plan(1), &[place("ab", "x", 1)]).await.unwrap();
    let renamed = bench.apply(&plan(2), &[place("AB", "X", 1)]).await.unwrap();
    assert_eq!((renamed.inserted, renamed.updated), (0, 1));
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("AB", "X", 1)]
    );
    let both = bench
        .apply(&plan(3), &[place("cd", "x", 1), place("CD", "y", 1)])
        .await
        .unwrap_err();
    assert_eq!(both.code(), "store.key_duplicates");
    // A filter still tells the two apart.
    let exactly = Query::all("place", places()).only(Filter::eq("name", text("x")));
    assert_eq!(bench.query(exactly).await.unwrap().len(), 0);
}

#[tokio::test]
async fn blanks_that_char_pads_are_neither_lost_nor_a_difference() {
    let bench = Bench::postgres().await;
    bench
        .sql("CREATE TABLE padded (id char(5) PRIMARY KEY, v char(3))")
        .await;
    let columns = vec![key_column("id", TEXT), column("v", TEXT)];
    let plan = ApplyPlan::new("padded", columns.clone(), &["id"], "consumer", 1, "run-1");
    let row = |id: &str, v: &str| vec![text(id), text(v)];
    let rows = [row("ab   ", "x  "), row("ab c ", "xyz")];
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().inserted, 2);
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().unchanged, 2);
    assert_eq!(bench.rows("padded", &columns, &["id"]).await, rows);
    let second = [row("ab   ", "y  ")];
    let done = bench.apply(&plan.replacing_all(), &second).await.unwrap();
    assert_eq!((done.updated, done.deleted), (1, 1));
}

#[tokio::test]
async fn duplicates_in_the_stage_are_counted() {
    let bench = Bench::postgres().await;
    let rows = [
        place("1", "a", 1),
        place("1", "b", 1),
        place("1", "c", 1),
        place("2", "a", 1),
        place("2", "b", 1),
    ];
    let error = bench.apply(&plan(1), &rows).await.unwrap_err();
    assert_eq!(
        error,
        tongqu_connectors::ConnectorError::KeyDuplicates {
            table: "place".to_owned(),
            duplicates: 3
        }
    );
}

#[tokio::test]
async fn a_view_and_a_name_too_long_are_refused() {
    let bench = Bench::postgres().await;
    bench
        .sql("CREATE VIEW place AS SELECT 1 AS id, 'a' AS name, 2 AS size")
        .await;
    assert_eq!(
        bench.apply(&plan(1), &[]).await.unwrap_err().code(),
        "store.plan_invalid"
    );
    // The server would cut the name off, and two of them might become one.
    let mut long = plan(1);
    long.table = "行".repeat(22);
    let error = bench.apply(&long, &[]).await.unwrap_err();
    assert_eq!(error.code(), "store.plan_invalid");
    assert!(error.to_string().contains("63"), "{error}");
}

#[tokio::test]
async fn text_with_a_nul_character_is_refused() {
    let bench = Bench::postgres().await;
    let error = bench
        .apply(&plan(1), &[place("1", "a\0b", 1)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.value_refused");
    assert!(
        error.to_string().contains("column name of place"),
        "{error}"
    );
}

#[tokio::test]
async fn reading_by_our_own_key_needs_no_sort() {
    let bench = Bench::postgres().await;
    let rows: Vec<Vec<Value>> = (0..2_000)
        .map(|n| place(&format!("{n:05}"), "x", n))
        .collect();
    bench.apply(&plan(1), &rows).await.unwrap();
    bench.sql("ANALYZE place").await;
    let client = bench.postgres_client().await;
    let plan = client
        .query(
            "EXPLAIN SELECT * FROM place WHERE id >= '00010' AND id < '00011' ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(plan[0].starts_with("Index Scan"), "{plan:?}");
}

/// Sessions are kept for the next call, and one that the server has ended meanwhile is not used again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_one_after_another_share_a_session() {
    let bench = Bench::postgres().await;
    let ours = "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND application_name = 'tongqu'";
    let watch = bench.postgres_client().await;
    let sessions = async || -> Option<String> { watch.query_one(ours, &[]).await.unwrap().get(0) };
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    bench.apply(&plan(2), &[place("1", "b", 1)]).await.unwrap();
    // The first one, which took many rows in, is about to end.
    let mut first = sessions().await.unwrap();
    while first.contains(' ') {
        first = sessions().await.unwrap();
    }
    bench
        .apply(&plan(3), &[place("1", "c", 1), place("2", "d", 2)])
        .await
        .unwrap();
    bench.store.cursor("consumer").await.unwrap();
    bench.rows("place", &places(), &["id"]).await;
    assert_eq!(sessions().await.as_ref(), Some(&first));
    bench.cut_others().await;
    let done = bench
        .apply(&plan(4), &[place("1", "c", 1), place("2", "e", 2)])
        .await
        .unwrap();
    assert_eq!((done.updated, done.unchanged), (1, 1));
}

/// A row that somebody adds while it is being added is met and counted as one that was there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_adds_meanwhile_is_counted_right() {
    let bench = Bench::postgres().await;
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let officer = bench.postgres_client().await;
    officer
        .batch_execute("BEGIN; INSERT INTO place VALUES ('2', 'theirs', 2)")
        .await
        .unwrap();
    let beside = bench.beside();
    let applying = tokio::spawn(async move {
        beside
            .apply(&plan(2), &[place("1", "b", 1), place("2", "ours", 2)])
            .await
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND wait_event_type = 'Lock'";
    let watch = bench.postgres_client().await;
    while watch.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
    officer.batch_execute("COMMIT").await.unwrap();
    let done = applying.await.unwrap().unwrap();
    assert_eq!((done.inserted, done.updated), (0, 2));
    let rows = [place("1", "b", 1), place("2", "ours", 2)];
    assert_eq!(bench.rows("place", &places(), &["id"]).await, rows);
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(2));
}
