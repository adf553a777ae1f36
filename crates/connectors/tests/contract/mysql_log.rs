//! The change log of MySQL and MariaDB: what is told of each change, in which order, and what happens when something
//! breaks.

use std::collections::BTreeMap;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use tokio::time::timeout;
use tongqu_connectors::rows::Op;
use tongqu_connectors::testing::TestServer;
use tongqu_connectors::{
    ApplyPlan, ChangeLog, ConnectorError, LogHealth, LogPosition, LogQuery, Query, Value,
};

use crate::logs::{LONG, SHORT, gone, next, nothing, place_query, table, until, upsert};
use crate::suite::{all_types, edge_rows};
use crate::support::{Bench, place, places, text};

async fn place_table(bench: &Bench) {
    bench
        .sql("CREATE TABLE place (id varchar(12) PRIMARY KEY, name longtext, size bigint) CHARACTER SET utf8mb4")
        .await;
}

async fn client(bench: &Bench) -> mysql_async::Conn {
    let opts = mysql_async::Opts::from_url(&bench.url).unwrap();
    mysql_async::Conn::new(opts).await.unwrap()
}

async fn opened(bench: &Bench, after: Option<LogPosition>) -> Box<dyn ChangeLog> {
    bench.store.open_log(place_query(), after).await.unwrap()
}

async fn refused(bench: &Bench, after: Option<LogPosition>) -> ConnectorError {
    let opened = bench.store.open_log(place_query(), after).await;
    opened.err().unwrap()
}

/// The error that ends the log, whatever is told before it.
async fn ended(log: &mut Box<dyn ChangeLog>) -> ConnectorError {
    loop {
        match log.next(LONG).await {
            Err(error) => return error,
            Ok(batch) => assert!(batch.is_some(), "nothing comes"),
        }
    }
}

/// The numbers up to `last`, as a table.
fn numbers(last: u32) -> String {
    let digit = "(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 \
         UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    format!(
        "(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 1 AS n \
         FROM {digit} a, {digit} b, {digit} c, {digit} e, {digit} f \
         HAVING n <= {last}) AS numbers"
    )
}

/// A store on a server of its own, whose settings a test may change.
async fn alone() -> (TestServer, Bench) {
    let server = TestServer::start_logging_mariadb().unwrap();
    let bench = Bench::mysql_on(&server);
    place_table(&bench).await;
    (server, bench)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_comes_as_reading_gives_it() {
    let bench = Bench::mysql().await;
    let columns = all_types();
    let plan = ApplyPlan::new("types", columns.clone(), &["id"], "c", 1, "run-1");
    bench.apply(&plan, &[]).await.unwrap();
    let query = LogQuery::of("consumer", table("types", &columns, &["id"]));
    let mut log = bench.store.open_log(query, None).await.unwrap();
    bench.apply(&plan, &edge_rows()).await.unwrap();
    let changes = next(&mut log).await.changes;
    let changes: Vec<Vec<Value>> = changes.into_iter().map(|change| change.1).collect();
    assert_eq!(changes, edge_rows());
    assert_eq!(changes, bench.rows("types", &columns, &["id"]).await);
}

/// Types and values of theirs.
const NATIVE: &[(&str, &str)] = &[
    ("TINYINT", "-128, -1, 0, 127"),
    ("TINYINT UNSIGNED", "0, 128, 255"),
    ("SMALLINT", "-32768, 32767"),
    ("SMALLINT UNSIGNED", "65535"),
    ("MEDIUMINT", "-8388608, -1, 8388607"),
    ("MEDIUMINT UNSIGNED", "16777215"),
    ("INT", "-2147483648, 2147483647"),
    ("INT(5) UNSIGNED ZEROFILL", "0, 7, 4294967295"),
    ("BIGINT", "-9223372036854775808, 9223372036854775807"),
    (
        "BIGINT UNSIGNED",
        "9223372036854775808, 18446744073709551615",
    ),
    ("BIT(1)", "b'0', b'1'"),
    ("FLOAT", "0.1, -3.402823466e38, 1.17549e-38"),
    ("FLOAT(7,2)", "1.25"),
    ("DOUBLE", "0.1, -1.7976931348623157e308, 5e-324"),
    ("DECIMAL(1,0)", "-9, 0, 9"),
    ("DECIMAL(9,9)", "-0.999999999, 0.000000001"),
    ("DECIMAL(10,3)", "-1234567.891, 0, 0.001"),
    (
        "DECIMAL(38,20)",
        "-999999999999999999.99999999999999999999, 1",
    ),
    ("DECIMAL(18,0)", "-999999999999999999, 999999999999999999"),
    ("YEAR", "0, 1901, 2026, 2155"),
    ("DATE", "'1000-01-01', '9999-12-31', '2024-02-29'"),
    ("TIME", "'00:00:00', '23:59:59', '24:00:00'"),
    ("TIME(1)", "'00:00:00.1', '23:59:59.9'"),
    ("TIME(3)", "'00:00:00.001'"),
    ("TIME(6)", "'00:00:00.000001', '23:59:59.999999'"),
    ("DATETIME", "'1000-01-01 00:00:00', '9999-12-31 23:59:59'"),
    ("DATETIME(2)", "'2026-09-21 01:02:03.04'"),
    ("DATETIME(5)", "'2026-09-21 01:02:03.00004'"),
    ("DATETIME(6)", "'1000-01-01 00:00:00.000001'"),
    (
        "TIMESTAMP NULL",
        "'1970-01-01 08:00:01', '2038-01-19 11:14:07'",
    ),
    ("TIMESTAMP(3) NULL", "'2026-09-21 09:02:03.004'"),
    ("TIMESTAMP(6) NULL", "'2026-09-21 09:02:03.000004'"),
    (
        "ENUM('no','Yes','it''s','平顶山','')",
        "'no', 'Yes', 'it''s', '平顶山', ''",
    ),
    ("SET('a','B','平')", "'', 'a', 'B,平', 'a,B,平'"),
    ("CHAR(5)", "'', 'ab', 'ab   ', '末末末末末', '😀'"),
    ("CHAR(255)", "'ab', '末'"),
    ("CHAR(9) CHARACTER SET ucs2", "'ab', '平 '"),
    ("VARCHAR(60)", "'', ' a ', '𠮷野家 😀'"),
    ("VARCHAR(300)", "'', REPEAT('末',300)"),
    ("VARCHAR(9) CHARACTER SET utf8mb3", "'平顶山'"),
    ("VARCHAR(9) CHARACTER SET gbk", "'平顶山', 'a€', '一·—…'"),
    ("VARCHAR(9) CHARACTER SET gb2312", "'平顶山a'"),
    ("VARCHAR(9) CHARACTER SET big5", "'一乙'"),
    ("VARCHAR(9) CHARACTER SET latin1", "'café', '€', 'ÿ'"),
    ("VARCHAR(9) CHARACTER SET utf16", "'a平😀'"),
    ("VARCHAR(9) CHARACTER SET utf16le", "'a平😀'"),
    ("VARCHAR(9) CHARACTER SET utf32", "'a平😀'"),
    ("VARCHAR(9) CHARACTER SET ujis", "'日本'"),
    ("TINYTEXT", "'', REPEAT('x',255)"),
    ("TEXT", "REPEAT('末',20000)"),
    ("MEDIUMTEXT CHARACTER SET gbk", "REPEAT('末',70000)"),
    ("LONGTEXT", "''"),
    ("VARCHAR(200) COMPRESSED", "'', REPEAT('末',200)"),
    ("BLOB COMPRESSED", "'', REPEAT('x',2000)"),
    ("JSON", "'{\"b\": 1,\"a\":2}', 'null', '[1.0,\"平\"]'"),
    ("BINARY(4)", "x'', x'00', x'00ff0000', x'20202020'"),
    ("VARBINARY(4)", "x'', x'00', x'00ff00', x'2020'"),
    ("BLOB", "x'', x'00', REPEAT(x'ff',300)"),
    ("LONGBLOB", "REPEAT(x'00',70000)"),
    ("INT AS (z * 0 + 7) STORED", ""),
];

/// Types of the engine's own, with their edges: what the log tells is what reading gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_of_its_own_come_as_reading_gives_them() {
    let bench = Bench::mysql().await;
    for (declared, values) in NATIVE {
        let name = "native";
        let made = bench
            .try_sql(&format!(
                "CREATE TABLE native (id INT PRIMARY KEY AUTO_INCREMENT, v {declared}, x POINT, y BIT(9), z INT) \
                 CHARACTER SET utf8mb4"
            ))
            .await;
        // MySQL compresses no single columns.
        if made.is_err() && declared.contains("COMPRESSED") {
            continue;
        }
        assert_eq!(made, Ok(()), "{declared}");
        let mut columns = bench.store.discover(name).await.unwrap().columns;
        // In another order than the table's.
        columns.retain(|column| column.name != "z");
        columns.reverse();
        let query = LogQuery::of("consumer", table(name, &columns, &["id"]));
        let mut log = bench.store.open_log(query, None).await.unwrap();
        let insert = if values.is_empty() {
            "INSERT INTO native (z) VALUES (1), (2)".to_owned()
        } else {
            // One by one, so that a comma within a text doesn't matter.
            format!(
                "INSERT INTO native (v, x, y, z) VALUES (NULL, POINT(1, 2), b'1', 1), ({}, NULL, b'1', 1)",
                values.replace(", ", ", NULL, b'1', 1), (")
            )
        };
        let written = bench
            .try_sql(&format!(
                "SET NAMES utf8mb4; SET sql_mode = ''; {insert}; UPDATE native SET z = 9"
            ))
            .await;
        assert_eq!(written, Ok(()), "{declared}");
        let rows = bench.rows(name, &columns, &["id"]).await;
        let mut held = BTreeMap::new();
        while held.len() < rows.len() || held.values().any(|seen| *seen < 2) {
            for (op, row) in next(&mut log).await.changes {
                assert_eq!(op, Op::Upsert);
                assert!(
                    rows.contains(&row),
                    "{declared}: {row:?} is not of {rows:?}"
                );
                let id = format!("{:?}", row.last().unwrap());
                *held.entry(id).or_insert(0) += 2;
            }
        }
        assert!(!rows.is_empty(), "{declared}");
        drop(log);
        bench.sql("DROP TABLE native").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_without_a_counterpart_are_refused_as_reading_does() {
    let bench = Bench::mysql().await;
    for (declared, value) in [
        ("DATE", "'0000-00-00'"),
        ("DATE", "'2026-00-01'"),
        ("DATETIME", "'0000-00-00 00:00:00'"),
        ("TIMESTAMP NULL", "'0000-00-00 00:00:00'"),
        ("TIME", "'-01:00:00'"),
        ("TIME(6)", "'-00:00:00.000001'"),
        ("TIME", "'838:59:59'"),
    ] {
        bench
            .sql(&format!(
                "CREATE TABLE odd (id INT PRIMARY KEY, v {declared})"
            ))
            .await;
        let columns = bench.store.discover("odd").await.unwrap().columns;
        let query = LogQuery::of("consumer", table("odd", &columns, &["id"]));
        let mut log = bench.store.open_log(query, None).await.unwrap();
        bench
            .sql(&format!(
                "SET sql_mode = ''; INSERT INTO odd VALUES (1, {value})"
            ))
            .await;
        let told = ended(&mut log).await;
        let read = bench.query(Query::all("odd", columns)).await.unwrap_err();
        assert_eq!(told, read, "{declared} {value}");
        drop(log);
        bench.sql("DROP TABLE odd").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_change_is_told() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    bench
        .sql("INSERT INTO place VALUES ('1', 'a', 1), ('2', 'b', 2), ('3', 'c', 3)")
        .await;
    let mut log = opened(&bench, None).await;
    bench
        .sql(
            "BEGIN; INSERT INTO place VALUES ('4', NULL, 4); UPDATE place SET name = 'x' WHERE id = '1';
             UPDATE place SET id = '9' WHERE id = '2'; DELETE FROM place WHERE id = '3'; COMMIT",
        )
        .await;
    let changes = next(&mut log).await.changes;
    let new = (Op::Upsert, vec![text("4"), Value::Null, Value::Int(4)]);
    let expected = [
        upsert("1", "x", 1),
        gone("2"),
        gone("3"),
        new,
        upsert("9", "b", 2),
    ];
    assert_eq!(changes, expected);

    // Keys that go round: the last state of each counts. REPLACE deletes and inserts.
    bench
        .sql(
            "BEGIN; UPDATE place SET id = '5' WHERE id = '9'; UPDATE place SET id = '9' WHERE id = '4';
             REPLACE INTO place VALUES ('1', 'y', 7); COMMIT",
        )
        .await;
    let changes = next(&mut log).await.changes;
    let moved = (Op::Upsert, vec![text("9"), Value::Null, Value::Int(4)]);
    let expected = [upsert("1", "y", 7), gone("4"), upsert("5", "b", 2), moved];
    assert_eq!(changes, expected);

    bench
        .sql("TRUNCATE place; INSERT INTO place VALUES ('7', 'g', 7)")
        .await;
    let mut emptied = next(&mut log).await;
    assert!(emptied.truncated);
    if emptied.changes.is_empty() {
        emptied = next(&mut log).await;
    }
    assert_eq!(emptied.changes, [upsert("7", "g", 7)]);
    let (_, database) = bench.url.rsplit_once('/').unwrap();
    bench
        .sql(&format!("/* all */ truncate  table `{database}`.place"))
        .await;
    let emptied = next(&mut log).await;
    assert_eq!((emptied.truncated, emptied.changes), (true, vec![]));
    // A table of the same name elsewhere is another.
    let other = Bench::mysql().await;
    place_table(&other).await;
    other
        .sql("INSERT INTO place VALUES ('1', 'a', 1); TRUNCATE place; DROP TABLE place")
        .await;
    assert!(nothing(&mut log).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tables_are_told_together() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    bench
        .sql("CREATE TABLE other (n INT PRIMARY KEY, place VARCHAR(12))")
        .await;
    let columns = bench.store.discover("other").await.unwrap().columns;
    let mut query = place_query();
    query.tables.push(table("other", &columns, &["n"]));
    let mut log = bench.store.open_log(query, None).await.unwrap();
    bench
        .sql("BEGIN; INSERT INTO place VALUES ('1', 'a', 1); INSERT INTO other VALUES (7, '1'); COMMIT")
        .await;
    let batch = log.next(LONG).await.unwrap().unwrap();
    assert_eq!(batch.transactions, 1);
    let touched: Vec<usize> = batch.tables.iter().map(|table| table.table).collect();
    assert_eq!(touched, [0, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_late_is_told_late_and_what_is_rolled_back_never() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut log = opened(&bench, None).await;
    let mut late = client(&bench).await;
    late.query_drop("BEGIN; INSERT INTO place VALUES ('late', 'a', 1)")
        .await
        .unwrap();
    bench.sql("INSERT INTO place VALUES ('2', 'b', 2)").await;
    bench
        .sql("BEGIN; INSERT INTO place VALUES ('3', 'c', 3); ROLLBACK")
        .await;
    bench
        .sql(
            "BEGIN; INSERT INTO place VALUES ('4', 'd', 4); SAVEPOINT s; INSERT INTO place VALUES ('5', 'e', 5); \
             ROLLBACK TO s; COMMIT",
        )
        .await;
    let last = until(&mut log, 2).await;
    assert_eq!(
        last.into_values().collect::<Vec<_>>(),
        [upsert("2", "b", 2), upsert("4", "d", 4)]
    );
    assert!(nothing(&mut log).await);
    let batch = log.next(SHORT).await.unwrap();
    assert!(batch.is_none());
    late.query_drop("COMMIT").await.unwrap();
    assert_eq!(next(&mut log).await.changes, [upsert("late", "a", 1)]);

    // With something that can't be rolled back beside it, the log tells what was taken back.
    bench
        .sql(
            "CREATE TABLE plain (n INT) ENGINE = MyISAM; BEGIN; INSERT INTO place VALUES ('6', 'f', 6); \
             CREATE TEMPORARY TABLE passing (n INT); ROLLBACK; INSERT INTO place VALUES ('7', 'g', 7)",
        )
        .await;
    assert_eq!(next(&mut log).await.changes, [upsert("7", "g", 7)]);
    bench
        .sql(
            "BEGIN; INSERT INTO place VALUES ('8', 'h', 8); SAVEPOINT s; INSERT INTO plain VALUES (1); \
             INSERT INTO place VALUES ('9', 'i', 9); ROLLBACK TO s; COMMIT",
        )
        .await;
    assert_eq!(ended(&mut log).await.code(), "store.log_lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_transactions_are_told_once_they_are_committed() {
    // Whoever reads beside can't know what was prepared either.
    let (_server, bench) = alone().await;
    let mut log = opened(&bench, None).await;
    let (_, database) = bench.url.rsplit_once('/').unwrap();
    let prepare = |id: &str, name: &str| {
        format!(
            "XA START '{database}','{name}'; INSERT INTO place VALUES ('{id}', 'a', 1); \
             XA END '{database}','{name}'; XA PREPARE '{database}','{name}'"
        )
    };
    bench.sql(&prepare("1", "one")).await;
    bench.sql(&prepare("2", "two")).await;
    bench.sql("INSERT INTO place VALUES ('3', 'a', 1)").await;
    let before = next(&mut log).await;
    assert_eq!(before.changes, [upsert("3", "a", 1)]);
    bench.sql(&format!("XA ROLLBACK '{database}','one'")).await;
    bench.sql(&format!("XA COMMIT '{database}','two'")).await;
    assert_eq!(next(&mut log).await.changes, [upsert("2", "a", 1)]);
    // Whoever began to read between the two can't know what is committed there.
    drop(log);
    let mut log = opened(&bench, Some(before.upto)).await;
    assert_eq!(ended(&mut log).await.code(), "store.log_lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_transactions_that_wait_come_together() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut log = opened(&bench, None).await;
    let mut client = client(&bench).await;
    for n in 0..200 {
        let sql = format!(
            "INSERT INTO place VALUES ('{}', 'a', {n}) ON DUPLICATE KEY UPDATE size = {n}",
            n % 10
        );
        client.query_drop(sql).await.unwrap();
    }
    let (mut batches, mut seen) = (0, 0);
    let mut last = Vec::new();
    while seen < 200 {
        let told = next(&mut log).await;
        batches += 1;
        seen += told.transactions;
        last = told.changes;
    }
    assert!(batches < 20, "{batches}");
    assert_eq!(last.last(), Some(&upsert("9", "a", 199)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_transaction_comes_whole_and_in_small_pieces() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut query = place_query();
    query.batch_rows_max = 500;
    let mut log = bench.store.open_log(query, None).await.unwrap();
    bench
        .sql("INSERT INTO place VALUES ('a', 'before', 1)")
        .await;
    // Each key twice, and some of them gone again.
    bench
        .sql(
            &format!("BEGIN; INSERT INTO place SELECT n, 'first', n FROM {}; \
             UPDATE place SET name = 'last' WHERE size > 1; DELETE FROM place WHERE size BETWEEN 11 AND 20; COMMIT", numbers(10_000)),
        )
        .await;
    bench
        .sql("INSERT INTO place VALUES ('z', 'after', 1)")
        .await;
    assert_eq!(next(&mut log).await.changes, [upsert("a", "before", 1)]);
    let large = next(&mut log).await;
    assert_eq!((large.transactions, large.changes.len()), (1, 10_000));
    assert!(large.largest_batch <= 500, "{}", large.largest_batch);
    let deleted = large.changes.iter().filter(|change| change.0 == Op::Delete);
    assert_eq!(deleted.count(), 10);
    let last = large
        .changes
        .iter()
        .filter(|change| change.1[1] == text("last"));
    assert_eq!(last.count(), 9_989);
    assert_eq!(next(&mut log).await.changes, [upsert("z", "after", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_goes_on_from_the_position_that_its_consumer_kept() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut log = opened(&bench, None).await;
    let start = log.start();
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    let first = next(&mut log).await;
    assert!(first.upto > start);
    bench.sql("INSERT INTO place VALUES ('2', 'b', 2)").await;
    let second = next(&mut log).await;
    log.confirm(first.upto).await.unwrap();
    let state = bench.store.log_state("consumer").await.unwrap();
    assert_eq!((state.confirmed, state.is_read), (first.upto, true));
    assert!(
        state.lag_bytes > 0 && state.current >= second.upto,
        "{state:?}"
    );
    assert_eq!(
        (state.retained_bytes, state.health),
        (0, LogHealth::Reserved)
    );
    for (after, expected) in [
        (start, vec![upsert("1", "a", 1), upsert("2", "b", 2)]),
        (first.upto, vec![upsert("2", "b", 2)]),
    ] {
        drop(log);
        log = opened(&bench, Some(after)).await;
        let told = until(&mut log, u64::try_from(expected.len()).unwrap()).await;
        assert_eq!(told.into_values().collect::<Vec<_>>(), expected);
    }
    drop(log);
    // Also over the files' borders.
    bench
        .sql("FLUSH BINARY LOGS; INSERT INTO place VALUES ('3', 'c', 3); FLUSH BINARY LOGS")
        .await;
    let mut log = opened(&bench, Some(second.upto)).await;
    let third = next(&mut log).await;
    assert_eq!(third.changes, [upsert("3", "c", 3)]);
    assert!(third.upto > second.upto);
    bench
        .sql("FLUSH BINARY LOGS; INSERT INTO place VALUES ('4', 'd', 4)")
        .await;
    assert_eq!(next(&mut log).await.changes, [upsert("4", "d", 4)]);
    drop(log);
    let mut log = opened(&bench, Some(third.upto)).await;
    assert_eq!(next(&mut log).await.changes, [upsert("4", "d", 4)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_is_told() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut log = opened(&bench, None).await;
    let start = log.start();
    bench.cut_others().await;
    let broken = ended(&mut log).await;
    assert!(broken.is_transient(), "{broken:?}");
    assert_eq!(ended(&mut log).await.code(), "store.interrupted");
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    drop(log);
    let mut log = opened(&bench, Some(start)).await;
    assert_eq!(next(&mut log).await.changes, [upsert("1", "a", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_log_has_one_reader() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let none = bench.store.log_state("consumer").await.unwrap_err();
    assert_eq!(none.code(), "store.log_lost");
    let mut log = opened(&bench, None).await;
    // Also not by a program that knows nothing of this one.
    let beside = tongqu_connectors::open(&bench.url).unwrap();
    let busy = beside.open_log(place_query(), None).await.err().unwrap();
    assert!(busy.code() == "store.log_busy" && busy.is_transient());
    let busy = beside.drop_log("consumer").await.unwrap_err();
    assert_eq!(busy.code(), "store.log_busy");
    let mut query = place_query();
    "another".clone_into(&mut query.consumer);
    let mut another = beside.open_log(query, None).await.unwrap();
    bench.store.check_log(&place_query()).await.unwrap();
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    for log in [&mut log, &mut another] {
        assert_eq!(next(log).await.changes, [upsert("1", "a", 1)]);
    }
    drop(log);
    let dropped = async { while bench.store.drop_log("consumer").await.is_err() {} };
    timeout(LONG, dropped).await.unwrap();
    bench.store.drop_log("consumer").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_tables_move_the_position_on() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut log = opened(&bench, None).await;
    bench
        .sql(&format!(
            "CREATE TABLE other AS SELECT n, SHA2(n, 256) AS s FROM {}; FLUSH BINARY LOGS",
            numbers(50_000)
        ))
        .await;
    let before = bench.store.log_state("consumer").await.unwrap();
    assert!(before.lag_bytes > 1_000_000, "{before:?}");
    let moved = async {
        while bench.store.log_state("consumer").await.unwrap().lag_bytes > 1_000_000 {
            if let Some(batch) = log.next(SHORT).await.unwrap() {
                assert!(batch.tables.is_empty() && batch.transactions == 0);
                log.confirm(batch.upto).await.unwrap();
            }
        }
    };
    timeout(LONG, moved).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_altered_is_told() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let mut log = opened(&bench, None).await;
    let start = log.start();
    bench
        .sql(
            "ALTER TABLE place ADD COLUMN note text FIRST; ALTER TABLE place ADD KEY (name(3)); \
             INSERT INTO place VALUES ('n', '1', 'a', 1)",
        )
        .await;
    assert_eq!(next(&mut log).await.changes, [upsert("1", "a", 1)]);
    // Values of all rows may have changed.
    bench
        .sql("ALTER TABLE place MODIFY size INT; INSERT INTO place VALUES ('n', '2', 'b', 2)")
        .await;
    assert_eq!(ended(&mut log).await.code(), "store.log_lost");
    drop(log);
    let mut log = opened(&bench, None).await;
    bench
        .sql("ALTER TABLE place MODIFY size TEXT; INSERT INTO place VALUES ('n', '3', 'c', '3')")
        .await;
    assert_eq!(ended(&mut log).await.code(), "store.type_refused");
    drop(log);
    assert_eq!(refused(&bench, None).await.code(), "store.type_refused");
    bench.sql("ALTER TABLE place MODIFY size BIGINT").await;
    let mut log = opened(&bench, None).await;
    bench
        .sql("ALTER TABLE place DROP size; INSERT INTO place VALUES ('n', '4', 'd')")
        .await;
    assert_eq!(ended(&mut log).await.code(), "store.column_missing");
    drop(log);
    assert_eq!(
        refused(&bench, Some(start)).await.code(),
        "store.column_missing"
    );
}

/// What was written before a table was altered isn't read as if it had been written afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_an_earlier_declaration_are_not_misread() {
    let bench = Bench::mysql().await;
    for alter in [
        "ALTER TABLE place ADD COLUMN note varchar(12) FIRST",
        "ALTER TABLE place ADD COLUMN note bigint AFTER name",
        // Nothing in the log tells these two apart.
        "ALTER TABLE place CHANGE a size bigint, CHANGE size a bigint",
    ] {
        bench
            .sql("CREATE TABLE place (id varchar(12) PRIMARY KEY, name longtext, size bigint, a bigint) CHARACTER SET utf8mb4")
            .await;
        let log = opened(&bench, None).await;
        let start = log.start();
        drop(log);
        bench.sql("INSERT INTO place VALUES ('1', 'a', 1, 2)").await;
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        bench.sql(alter).await;
        // One by one, so that nothing would keep the row from being told before the table was altered.
        let mut query = place_query();
        query.batch_rows_max = 1;
        let mut log = bench.store.open_log(query, Some(start)).await.unwrap();
        let told = log.next(LONG).await.err().map(|error| error.code());
        assert_eq!(told, Some("store.log_lost"), "{alter}");
        drop(log);
        bench.sql("DROP TABLE place").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_gone_or_another_is_told() {
    let bench = Bench::mysql().await;
    for (change, code) in [
        ("DROP TABLE place", "store.table_missing"),
        ("RENAME TABLE place TO elsewhere", "store.table_missing"),
        (
            "ALTER TABLE place RENAME TO elsewhere",
            "store.table_missing",
        ),
        (
            "CREATE TABLE new LIKE place; RENAME TABLE place TO old, new TO place",
            "store.log_lost",
        ),
        (
            "CREATE OR REPLACE TABLE place (id varchar(12) PRIMARY KEY, name longtext, size bigint)",
            "store.log_lost",
        ),
        (
            "DROP DATABASE {}; CREATE DATABASE {}",
            "store.table_missing",
        ),
    ] {
        let (_, database) = bench.url.rsplit_once('/').unwrap();
        place_table(&bench).await;
        let mut log = opened(&bench, None).await;
        bench.sql(&change.replace("{}", database)).await;
        assert_eq!(ended(&mut log).await.code(), code, "{change}");
        drop(log);
        bench
            .sql("DROP TABLE IF EXISTS place, elsewhere, new, old")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_instead_of_rows_are_told() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    bench.sql("CREATE TABLE other (n INT)").await;
    for statement in [
        "UPDATE place SET size = 3",
        "INSERT INTO other VALUES (1)",
        "DELETE FROM place WHERE id = 'x'; INSERT INTO place VALUES ('2', 'b', 2)",
    ] {
        bench.sql("REPLACE INTO place VALUES ('1', 'a', 1)").await;
        let mut log = opened(&bench, None).await;
        bench
            .sql(&format!(
                "SET SESSION binlog_format = STATEMENT; {statement}"
            ))
            .await;
        assert_eq!(
            ended(&mut log).await.code(),
            "store.log_lost",
            "{statement}"
        );
    }
    for image in ["MINIMAL", "NOBLOB"] {
        let mut log = opened(&bench, None).await;
        bench
            .sql(&format!(
                "SET SESSION binlog_row_image = {image}; UPDATE place SET size = size + 1"
            ))
            .await;
        assert_eq!(ended(&mut log).await.code(), "store.log_lost", "{image}");
    }
    // Where it can't concern us, it doesn't.
    let mut log = opened(&bench, None).await;
    let other = Bench::mysql().await;
    other
        .sql("CREATE TABLE other (n INT); SET SESSION binlog_format = STATEMENT; INSERT INTO other VALUES (1)")
        .await;
    assert!(nothing(&mut log).await);
}

/// Settings and rights that are missing are named before anything is begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_tell_enough_is_refused() {
    let (_server, bench) = alone().await;
    let check = || async {
        let query = place_query();
        bench.store.check_log(&query).await.err()
    };
    assert_eq!(check().await, None);
    for (set, good, named) in [
        (
            "binlog_format = MIXED",
            "binlog_format = ROW",
            "binlog_format",
        ),
        (
            "binlog_row_image = MINIMAL",
            "binlog_row_image = FULL",
            "binlog_row_image",
        ),
    ] {
        bench.sql(&format!("SET GLOBAL {set}")).await;
        let refused = check().await.unwrap();
        assert_eq!(refused.code(), "store.log_unavailable");
        assert!(refused.to_string().contains(named), "{refused}");
        bench.sql(&format!("SET GLOBAL {good}")).await;
    }
    let (_, place) = bench.url.split_once('@').unwrap();
    let (_, database) = place.split_once('/').unwrap();
    bench
        .sql(&format!(
            "CREATE USER reader IDENTIFIED BY 'r'; GRANT SELECT ON {database}.* TO reader"
        ))
        .await;
    let reader = tongqu_connectors::open(&format!("mysql://reader:r@{place}")).unwrap();
    for right in ["BINLOG MONITOR", "REPLICATION SLAVE"] {
        let refused = reader.check_log(&place_query()).await.unwrap_err();
        assert_eq!(refused.code(), "store.permission_missing");
        assert!(refused.to_string().contains(right), "{refused}");
        bench.sql(&format!("GRANT {right} ON *.* TO reader")).await;
    }
    reader.check_log(&place_query()).await.unwrap();
    let mut log = reader.open_log(place_query(), None).await.unwrap();
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    assert_eq!(next(&mut log).await.changes, [upsert("1", "a", 1)]);

    let mute = TestServer::start_mariadb(tongqu_connectors::testing::Memory::Short).unwrap();
    let mute = tongqu_connectors::open(&mute.fresh_database().unwrap()).unwrap();
    let refused = mute.check_log(&place_query()).await.unwrap_err();
    assert_eq!(refused.code(), "store.log_unavailable");
    assert!(refused.to_string().contains("log_bin"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_followed_is_refused_with_a_reason() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    bench
        .sql(
            "CREATE TABLE keyless (id varchar(12) NOT NULL, name text, size bigint);
             CREATE VIEW seen AS SELECT * FROM place;
             CREATE TABLE plain (id varchar(12) PRIMARY KEY, name text, size bigint) ENGINE = MyISAM;
             CREATE TABLE kept (id varchar(12) PRIMARY KEY, name text, size bigint) WITH SYSTEM VERSIONING;
             CREATE TABLE computed (id varchar(12) PRIMARY KEY, name text, size bigint AS (1) VIRTUAL);
             CREATE TABLE packed (id varchar(12) COMPRESSED, name text, size bigint, n INT UNIQUE);
             CREATE TABLE child (id varchar(12) PRIMARY KEY, name text, size bigint, \
                FOREIGN KEY (id) REFERENCES place (id) ON DELETE CASCADE)",
        )
        .await;
    let code = |name: &'static str, key: &'static str| {
        let store = bench.store.clone();
        async move {
            let query = LogQuery::of("consumer", table(name, &places(), &[key]));
            let checked = store
                .check_log(&query)
                .await
                .err()
                .map(|error| error.code());
            let opened = store.open_log(query, None).await.err();
            assert_eq!(opened.map(|error| error.code()), checked);
            checked
        }
    };
    assert_eq!(code("keyless", "id").await, Some("store.key_missing"));
    assert_eq!(code("place", "name").await, Some("store.key_missing"));
    assert_eq!(code("seen", "id").await, Some("store.log_unavailable"));
    assert_eq!(code("plain", "id").await, Some("store.not_transactional"));
    assert_eq!(code("kept", "id").await, Some("store.log_unavailable"));
    assert_eq!(code("computed", "id").await, Some("store.type_refused"));
    assert_eq!(code("packed", "id").await, Some("store.type_refused"));
    assert_eq!(code("child", "id").await, Some("store.log_unavailable"));
    assert_eq!(code("absent", "id").await, Some("store.table_missing"));
    assert_eq!(code("place", "id").await, None);
}

/// Files that were deleted, and a log that was begun anew, are told apart from the log that was meant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_gone_is_told() {
    let (_server, bench) = alone().await;
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    let log = opened(&bench, None).await;
    let start = log.start();
    drop(log);
    bench.sql("FLUSH BINARY LOGS; FLUSH BINARY LOGS").await;
    // When it will be deleted is seen beforehand.
    for (kept_s, health) in [
        (0, LogHealth::Reserved),
        (86_400, LogHealth::Reserved),
        (1, LogHealth::Endangered),
    ] {
        tokio::time::sleep(Duration::from_millis(400)).await;
        bench
            .sql(&format!("SET GLOBAL binlog_expire_logs_seconds = {kept_s}"))
            .await;
        let state = bench.store.log_state("consumer").await.unwrap();
        assert_eq!((state.health, state.is_read), (health, false), "{state:?}");
        assert_eq!(state.kept_for.is_some(), kept_s > 0, "{state:?}");
        assert!(state.kept_for.is_none_or(|left| left.as_secs() <= kept_s));
    }
    bench.sql("SET GLOBAL binlog_expire_logs_seconds = 0").await;
    let purge = async {
        // The reader's end has to be noticed first.
        while bench.store.log_state("consumer").await.unwrap().health != LogHealth::Lost {
            bench
                .sql(
                    "INSERT INTO place SELECT UUID_SHORT() % 100000000, 'b', 2; FLUSH BINARY LOGS; \
                      PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY",
                )
                .await;
        }
    };
    timeout(LONG, purge).await.unwrap();
    assert_eq!(refused(&bench, Some(start)).await.code(), "store.log_lost");

    // Begun anew, with a file of the same number that is at least as long.
    bench.sql("RESET MASTER").await;
    let mut log = opened(&bench, None).await;
    bench.sql("INSERT INTO place VALUES ('2', 'b', 2)").await;
    let meant = next(&mut log).await.upto;
    drop(log);
    let same = opened(&bench, Some(meant)).await;
    drop(same);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let reset = async { while bench.try_sql("RESET MASTER").await.is_err() {} };
    timeout(LONG, reset).await.unwrap();
    bench
        .sql("INSERT INTO place VALUES ('3', 'b', 2); INSERT INTO place VALUES ('4', 'b', 2)")
        .await;
    assert_eq!(refused(&bench, Some(meant)).await.code(), "store.log_lost");
}

/// What the server may be set to changes nothing in what is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_the_log_do_not_matter() {
    let (_server, bench) = alone().await;
    let mut log = opened(&bench, None).await;
    let long = "x".repeat(3_000);
    for (n, set) in [
        "binlog_checksum = NONE",
        "binlog_checksum = CRC32",
        "log_bin_compress = ON",
        "binlog_row_metadata = FULL",
        "binlog_row_metadata = MINIMAL",
        "log_bin_compress = OFF",
        "binlog_annotate_row_events = OFF",
        "time_zone = '-03:00'",
    ]
    .iter()
    .enumerate()
    {
        bench.sql(&format!("SET GLOBAL {set}")).await;
        let id = n.to_string();
        bench
            .sql(&format!("INSERT INTO place VALUES ('{id}', '{long}', 1)"))
            .await;
        assert_eq!(
            next(&mut log).await.changes,
            [upsert(&id, &long, 1)],
            "{set}"
        );
        bench
            .sql(&format!("UPDATE place SET size = 2 WHERE id = '{id}'"))
            .await;
        assert_eq!(
            next(&mut log).await.changes,
            [upsert(&id, &long, 2)],
            "{set}"
        );
    }
    // A file begins after each start of the server.
    let upto = log.start();
    drop(log);
    let mut log = opened(&bench, Some(upto)).await;
    assert!(next(&mut log).await.transactions > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_and_comes_again_goes_on_with_its_log() {
    let (mut server, bench) = alone().await;
    let mut log = opened(&bench, None).await;
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    let upto = next(&mut log).await.upto;
    server.kill().unwrap();
    assert!(ended(&mut log).await.is_transient());
    assert!(refused(&bench, Some(upto)).await.is_transient());
    server.start_again().unwrap();
    bench.sql("REPLACE INTO place VALUES ('2', 'b', 2)").await;
    let mut log = opened(&bench, Some(upto)).await;
    assert_eq!(next(&mut log).await.changes, [upsert("2", "b", 2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_and_a_later_reading_leave_no_gap() {
    let bench = Bench::mysql().await;
    place_table(&bench).await;
    let writer = bench.beside();
    let writing = tokio::spawn(async move {
        let mut client = client(&writer).await;
        for n in 0..500 {
            let sql = format!(
                "BEGIN; INSERT INTO place VALUES ('{n}', 'a', {n}); \
                 UPDATE place SET name = 'b' WHERE id = '{}'; DELETE FROM place WHERE id = '{}'; COMMIT",
                n / 2,
                n / 3
            );
            client.query_drop(sql).await.unwrap();
        }
    });
    let mut log = opened(&bench, None).await;
    let snapshot = Query::all("place", places()).ordered_by(&["id"]);
    let mut held: BTreeMap<String, (Op, Vec<Value>)> = bench
        .query(snapshot)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (format!("{:?}", row[0]), (Op::Upsert, row)))
        .collect();
    writing.await.unwrap();
    bench.sql("INSERT INTO place VALUES ('end', 'a', 1)").await;
    let end = format!("{:?}", text("end"));
    while !held.contains_key(&end) {
        for change in next(&mut log).await.changes {
            held.insert(format!("{:?}", change.1[0]), change);
        }
    }
    let rows = bench.rows("place", &places(), &["id"]).await;
    let held = held.into_values().filter(|change| change.0 == Op::Upsert);
    let held: Vec<Vec<Value>> = held.map(|change| change.1).collect();
    assert_eq!(held, rows);
    assert!(rows.contains(&place("end", "a", 1)));
}
