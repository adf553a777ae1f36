//! What only SQLite can show: values of any type in any column, files instead of servers, collations
//! that fold keys, and a process killed while it writes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tongqu_connectors::{ApplyPlan, Query, Value};
use tongqu_domain::exchange::ColumnType;

use crate::support::{
    Bench, TEXT, batches, column, key_column, place, places, plan, text, upsert_batch,
};

#[tokio::test]
async fn a_value_that_does_not_fit_its_column_is_named() {
    let bench = Bench::sqlite().await;
    bench
        .sql(
            "CREATE TABLE loose (i INTEGER, b BOOLEAN, f DOUBLE, t TEXT, d DATE, s TIMESTAMP, z TIMESTAMPTZ, n DECIMAL(6,2), x BLOB)",
        )
        .await;
    let cases = [
        ("i", "'abc'"),
        ("i", "1.5"),
        ("b", "2"),
        ("f", "'abc'"),
        ("t", "x'ff00'"),
        ("t", "CAST(x'ff00' AS TEXT)"),
        ("d", "'2024/01/02'"),
        ("d", "20240102"),
        ("d", "'2024-02-30'"),
        ("s", "'2024-01-02 03:04:05+08:00'"),
        ("s", "'2024-01-02 03:04:05.1234567'"),
        ("z", "'2024-01-02 03:04:05'"),
        ("n", "1.234"),
        ("n", "'12a'"),
        ("n", "12345.67"),
        ("x", "'text'"),
    ];
    let info = bench.store.discover("loose").await.unwrap();
    assert_eq!((info.columns.len(), info.refused.len()), (9, 0));
    for (name, value) in cases {
        bench
            .sql(&format!(
                "DELETE FROM loose; INSERT INTO loose ({name}) VALUES ({value})"
            ))
            .await;
        let error = bench
            .query(Query::all("loose", info.columns.clone()))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "store.value_refused", "{name} {value}");
        let told = error.to_string();
        assert!(
            told.contains(&format!("column {name} of loose")) && !told.contains("2024"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn values_that_mean_the_same_are_read_whatever_their_form() {
    let bench = Bench::sqlite().await;
    bench.sql("CREATE TABLE forms (k INTEGER PRIMARY KEY, s TIMESTAMP, z TIMESTAMPTZ, n DECIMAL(6,2))").await;
    bench
        .sql(
            "INSERT INTO forms VALUES (1, '2024-01-02 03:04', '2024-01-02T11:04:00+08:00', 12.3), \
             (2, '2024-01-02T03:04:00.5', '2024-01-02 03:04:00.500Z', 7), (3, '2024-01-02 03:04:00', '2024-01-02 03:04Z', '0.10')",
        )
        .await;
    let columns = bench.store.discover("forms").await.unwrap().columns;
    let rows = bench.rows("forms", &columns, &["s", "k"]).await;
    let stamp: i64 = 1_704_164_640_000_000;
    let cents = |unscaled| Value::Decimal { unscaled, scale: 2 };
    let row = |id, half: i64, unscaled| {
        vec![
            Value::Int(id),
            Value::Timestamp(stamp + half),
            Value::Instant(stamp + half),
            cents(unscaled),
        ]
    };
    assert_eq!(rows, [row(1, 0, 1230), row(3, 0, 10), row(2, 500_000, 700)]);
}

#[tokio::test]
async fn types_without_an_exact_meaning_are_refused_with_advice() {
    let bench = Bench::sqlite().await;
    bench.sql("CREATE TABLE odd (id INTEGER PRIMARY KEY, a STRING, b, c NUMERIC, d DECIMAL(20,4), e GEOMETRY)").await;
    let info = bench.store.discover("odd").await.unwrap();
    assert_eq!(info.columns, [key_column("id", ColumnType::Int64)]);
    let refused: Vec<(&str, bool)> = info
        .refused
        .iter()
        .map(|r| (r.column.as_str(), r.reason.contains("declare")))
        .collect();
    assert_eq!(
        refused,
        [
            ("a", true),
            ("b", true),
            ("c", true),
            ("d", true),
            ("e", true)
        ]
    );
    let error = bench
        .query(Query::all("odd", vec![column("a", TEXT)]))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.type_refused");
}

#[tokio::test]
async fn a_missing_file_is_an_error_and_is_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.db");
    let store = tongqu_connectors::open(&format!("sqlite:{}", path.display())).unwrap();
    let changes = || batches(vec![Ok(upsert_batch(&places(), &[place("1", "a", 1)]))]);
    let errors = [
        store.ping().await.unwrap_err(),
        store.tables().await.unwrap_err(),
        store
            .read(Query::all("place", places()))
            .await
            .err()
            .unwrap(),
        store.apply(plan(1), changes()).await.unwrap_err(),
        store.cursor("consumer").await.unwrap_err(),
        store.drop_consumer("consumer").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "store.missing");
        assert!(error.to_string().contains("gone.db"));
    }
    assert!(!path.exists());

    // Opened to be created, it reads as empty until the first write.
    let store = tongqu_connectors::open_or_create(&format!("sqlite:{}", path.display())).unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.tables().await.unwrap(), Vec::<String>::new());
    assert_eq!(
        store
            .read(Query::all("place", places()))
            .await
            .err()
            .unwrap()
            .code(),
        "store.table_missing"
    );
    assert!(!path.exists());
    store.apply(plan(1), changes()).await.unwrap();
    assert!(path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_to_be_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.db");
    std::fs::write(&path, "Dear reader, ".repeat(200)).unwrap();
    let store = tongqu_connectors::open(&format!("sqlite:{}", path.display())).unwrap();
    let error = store.ping().await.unwrap_err();
    assert_eq!(error.code(), "store.unreachable");
    assert!(
        error.to_string().contains("not an SQLite database"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_that_folds_case_matches_and_keeps_the_new_spelling() {
    let bench = Bench::sqlite().await;
    bench
        .sql("CREATE TABLE place (id TEXT COLLATE NOCASE PRIMARY KEY, name TEXT, size INTEGER)")
        .await;
    bench.apply(&plan(1), &[place("ab", "x", 1)]).await.unwrap();
    let renamed = bench.apply(&plan(2), &[place("AB", "x", 1)]).await.unwrap();
    assert_eq!((renamed.inserted, renamed.updated), (0, 1));
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("AB", "x", 1)]
    );
    // Two spellings at once can't both be kept there, so they aren't silently made one.
    let both = bench
        .apply(&plan(3), &[place("cd", "x", 1), place("CD", "y", 1)])
        .await
        .unwrap_err();
    assert_eq!(both.code(), "store.key_duplicates");
}

#[tokio::test]
async fn row_numbers_and_generated_columns_are_understood() {
    let bench = Bench::sqlite().await;
    bench
        .sql(
            "CREATE TABLE numbered (id INTEGER PRIMARY KEY, name TEXT, loud TEXT AS (upper(name)))",
        )
        .await;
    let info = bench.store.discover("numbered").await.unwrap();
    assert_eq!(
        (info.key.as_slice(), info.columns.len()),
        (&["id".to_owned()][..], 3)
    );
    let two = ApplyPlan::new(
        "numbered",
        info.columns[..2].to_vec(),
        &["id"],
        "consumer",
        1,
        "run-1",
    );
    assert_eq!(
        bench
            .apply(&two, &[vec![Value::Int(7), text("a")]])
            .await
            .unwrap()
            .inserted,
        1
    );
    let three = ApplyPlan::new(
        "numbered",
        info.columns.clone(),
        &["id"],
        "consumer",
        2,
        "run-2",
    );
    assert_eq!(
        bench.apply(&three, &[]).await.unwrap_err().code(),
        "store.type_refused"
    );
    assert_eq!(
        bench.rows("numbered", &info.columns, &["id"]).await,
        [vec![Value::Int(7), text("a"), text("A")]]
    );
}

#[tokio::test]
async fn a_locked_file_is_not_waited_for_while_staging() {
    let bench = Bench::sqlite().await;
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    let writer = rusqlite::Connection::open(&bench.url["sqlite:".len()..]).unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; UPDATE place SET size = 9")
        .unwrap();
    let store = bench.store.clone();
    let apply = tokio::spawn(async move {
        store
            .apply(
                plan(2),
                batches(vec![Ok(upsert_batch(&places(), &[place("2", "b", 2)]))]),
            )
            .await
    });
    // A reader isn't held up by either.
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1)]
    );
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(apply.await.unwrap().unwrap().inserted, 1);
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 9), place("2", "b", 2)]
    );
}

/// Rows of the table that the killed child fills; all rows of a round carry its number.
const KILL_ROWS: i64 = 3_000;

/// The child's work: replaces the table by the next round, again and again, until it is killed.
/// Run by [`killed_at_any_moment_the_target_is_whole`] in a process of its own, otherwise idle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "how the child learns that it is one"
)]
async fn child_that_applies_until_it_is_killed() {
    let Ok(path) = std::env::var("TONGQU_TEST_KILL_FILE") else {
        return;
    };
    let store = tongqu_connectors::open_or_create(&format!("sqlite:{path}")).unwrap();
    let mut round = store.cursor("consumer").await.unwrap().unwrap_or(0);
    println!("started");
    loop {
        round += 1;
        let rows: Vec<Vec<Value>> = (0..KILL_ROWS)
            .map(|n| place(&format!("{round}-{n}"), "x", round))
            .collect();
        let batches_of_round = rows
            .chunks(500)
            .map(|rows| Ok(upsert_batch(&places(), rows)))
            .collect();
        store
            .apply(plan(round).replacing_all(), batches(batches_of_round))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn killed_at_any_moment_the_target_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let store = tongqu_connectors::open_or_create(&format!("sqlite:{}", path.display())).unwrap();
    let mut last = 0;
    for kill in 0..12_u64 {
        kill_after(&path, Duration::from_millis(40 + kill * 37)).await;
        let Some(cursor) = store.cursor("consumer").await.unwrap() else {
            continue;
        };
        assert!(cursor >= last, "the cursor went back");
        last = cursor;
        let mut stream = store.read(Query::all("place", places())).await.unwrap();
        let mut rows = 0;
        while let Some(batch) = futures_util::StreamExt::next(&mut stream).await {
            for row in crate::support::values_of(&batch.unwrap()) {
                assert_eq!(
                    row[2],
                    Value::Int(cursor),
                    "rows and cursor are of one round"
                );
                rows += 1;
            }
        }
        assert_eq!(rows, KILL_ROWS);
    }
    assert!(last > 0, "no round was ever finished");
}

/// Starts the child and ends it by SIGKILL a while after it began to work.
async fn kill_after(path: &Path, wait: Duration) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "sqlite::child_that_applies_until_it_is_killed",
            "--nocapture",
        ])
        .env("TONGQU_TEST_KILL_FILE", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("started")));
    tokio::time::sleep(wait).await;
    child.kill().unwrap();
    child.wait().unwrap();
}
