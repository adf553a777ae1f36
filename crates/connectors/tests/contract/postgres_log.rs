//! PostgreSQL's change log: what is told of each change, in which order, and what happens when something breaks.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;
use tongqu_connectors::rows::Op;
use tongqu_connectors::{ApplyPlan, LogPosition, LogQuery, Query, Value};
use tongqu_domain::exchange::Column;

use crate::logs::{LONG, SHORT, gone, next, nothing, place_query, table, until, upsert};
use crate::suite::{all_types, edge_rows};
use crate::support::{Bench, places, text};

async fn place_table(bench: &Bench) {
    bench
        .sql("CREATE TABLE place (id varchar(12) PRIMARY KEY, name text, size bigint)")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_comes_as_reading_gives_it() {
    let bench = Bench::postgres().await;
    let columns = all_types();
    let plan = ApplyPlan::new("types", columns.clone(), &["id"], "c", 1, "run-1");
    bench.apply(&plan, &[]).await.unwrap();
    let query = LogQuery::of("consumer", table("types", &columns, &["id"]));
    let mut log = bench.store.open_log(query, None).await.unwrap();
    bench.apply(&plan, &edge_rows()).await.unwrap();
    let changes: Vec<Vec<Value>> = next(&mut log)
        .await
        .changes
        .into_iter()
        .map(|c| c.1)
        .collect();
    assert_eq!(changes, edge_rows());
    assert_eq!(changes, bench.rows("types", &columns, &["id"]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_of_its_own_come_as_reading_gives_them() {
    let bench = Bench::postgres().await;
    bench
        .sql(
            "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN code AS varchar(6);
             CREATE TABLE native (u uuid PRIMARY KEY, c char(5), j json, b jsonb, m mood, d code, \
             n numeric(38,10), t0 timestamp(0), z timestamptz, x_net inet)",
        )
        .await;
    let mut columns = bench.store.discover("native").await.unwrap().columns;
    let query = |columns: &[Column]| LogQuery::of("consumer", table("native", columns, &["u"]));
    // The log has addresses as bytes, which aren't their text.
    let asked = query(&columns);
    let refused = bench.store.check_log(&asked).await.unwrap_err();
    assert_eq!(refused.code(), "store.type_refused", "{refused}");
    assert!(refused.to_string().contains("x_net"), "{refused}");
    let refused = bench.store.open_log(asked, None).await.err().unwrap();
    assert_eq!(refused.code(), "store.type_refused", "{refused}");

    columns.retain(|column| column.name != "x_net");
    bench.store.check_log(&query(&columns)).await.unwrap();
    let mut log = bench.store.open_log(query(&columns), None).await.unwrap();
    bench
        .sql(
            "INSERT INTO native VALUES ('00000000-0000-0000-0000-0000000000AF', 'ab', '{\"b\": 1, \"a\":2}', \
             '{\"b\": 1, \"a\":2}', 'glad', '410400', -1234567890123456789012345678.0123456789, \
             '2026-09-21 01:02:03', '2026-09-21 09:02:03.000004+08', '10.0.0.1')",
        )
        .await;
    let read = bench.rows("native", &columns, &["u"]).await;
    let told = next(&mut log).await.changes;
    assert_eq!(told, [(Op::Upsert, read[0].clone())]);
    assert_eq!(told[0].1[0], text("00000000-0000-0000-0000-0000000000af"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_change_is_told() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    bench
        .sql("INSERT INTO place VALUES ('1', 'a', 1), ('2', 'b', 2), ('3', 'c', 3)")
        .await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
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

    // Keys that go round: the last state of each counts.
    bench
        .sql("BEGIN; UPDATE place SET id = '5' WHERE id = '9'; UPDATE place SET id = '9' WHERE id = '4'; COMMIT")
        .await;
    let changes = next(&mut log).await.changes;
    let moved = (Op::Upsert, vec![text("9"), Value::Null, Value::Int(4)]);
    assert_eq!(changes, [gone("4"), upsert("5", "b", 2), moved]);

    bench
        .sql("BEGIN; DELETE FROM place WHERE id = '1'; TRUNCATE place; INSERT INTO place VALUES ('7', 'g', 7); COMMIT")
        .await;
    let emptied = next(&mut log).await;
    assert_eq!(
        (emptied.truncated, emptied.changes),
        (true, vec![upsert("7", "g", 7)])
    );
    bench.sql("TRUNCATE place").await;
    let emptied = next(&mut log).await;
    assert_eq!((emptied.truncated, emptied.changes), (true, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_late_is_told_late_and_what_is_rolled_back_never() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    let late = bench.postgres_client().await;
    late.batch_execute("BEGIN; INSERT INTO place VALUES ('late', 'a', 1)")
        .await
        .unwrap();
    bench.sql("INSERT INTO place VALUES ('2', 'b', 2)").await;
    bench
        .sql("BEGIN; INSERT INTO place VALUES ('3', 'c', 3); ROLLBACK")
        .await;
    bench
        .sql("BEGIN; INSERT INTO place VALUES ('4', 'd', 4); SAVEPOINT s; INSERT INTO place VALUES ('5', 'e', 5); \
              ROLLBACK TO s; COMMIT")
        .await;
    let last = until(&mut log, 2).await;
    assert_eq!(
        last.into_values().collect::<Vec<_>>(),
        [upsert("2", "b", 2), upsert("4", "d", 4)]
    );
    assert!(nothing(&mut log).await);
    // What was confirmed meanwhile doesn't make the late one be forgotten, also not over a new connection.
    let state = bench.store.log_state("consumer").await.unwrap();
    log.confirm(state.current).await.unwrap();
    wait_confirmed(&bench, state.current).await;
    drop(log);
    let mut log = bench
        .store
        .open_log(place_query(), Some(state.current))
        .await
        .unwrap();
    late.batch_execute("COMMIT").await.unwrap();
    assert_eq!(next(&mut log).await.changes, [upsert("late", "a", 1)]);
}

async fn wait_confirmed(bench: &Bench, upto: LogPosition) {
    let confirmed = async {
        while bench.store.log_state("consumer").await.unwrap().confirmed < upto {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, confirmed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_values_that_did_not_change_are_never_lost() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    // Values that can't be compressed lie apart.
    let large = "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 2000) AS n";
    bench
        .sql(&format!(
            "INSERT INTO place SELECT id, ({large}), 1 FROM unnest(ARRAY['1', '2', '3']) AS id"
        ))
        .await;
    let read = |bench: Bench| async move { bench.rows("place", &places(), &["id"]).await };
    // One by one, so that a later change doesn't hide an earlier one.
    let mut query = place_query();
    query.batch_rows_max = 1;
    let mut log = bench.store.open_log(query, None).await.unwrap();
    bench.sql("UPDATE place SET size = 2 WHERE id = '1'").await;
    let changes = next(&mut log).await.changes;
    let rows = read(bench.beside()).await;
    assert_eq!(changes, [(Op::Upsert, rows[0].clone())]);
    assert!(matches!(&changes[0].1[1], Value::Text(name) if name.len() == 64_000));

    // The key changes too, and the row is gone before it could be read again.
    bench.sql("UPDATE place SET id = '9' WHERE id = '2'").await;
    bench.sql("UPDATE place SET size = 3 WHERE id = '3'").await;
    bench.sql("DELETE FROM place WHERE id = '3'").await;
    let rows = read(bench.beside()).await;
    let moved = (Op::Upsert, rows[1].clone());
    assert_eq!(next(&mut log).await.changes, [gone("2"), moved]);
    assert_eq!(next(&mut log).await.changes, [gone("3")]);
    assert_eq!(next(&mut log).await.changes, [gone("3")]);

    bench
        .sql("ALTER TABLE place REPLICA IDENTITY FULL; UPDATE place SET size = 4 WHERE id = '1'")
        .await;
    // With the whole old row in the log, it is the row of that moment, whatever came later.
    let changes = next(&mut log).await.changes;
    let mut then = rows[0].clone();
    then[2] = Value::Int(4);
    assert_eq!(changes, [(Op::Upsert, then)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_transactions_that_wait_come_together() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    let client = bench.postgres_client().await;
    for n in 0..200 {
        let sql = format!(
            "INSERT INTO place VALUES ('{}', 'a', {n}) ON CONFLICT (id) DO UPDATE SET size = {n}",
            n % 10
        );
        client.batch_execute(&sql).await.unwrap();
    }
    let mut batches = 0;
    let mut seen = 0;
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
    let bench = Bench::postgres().await;
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
            "BEGIN; INSERT INTO place SELECT n::text, 'first', n FROM generate_series(1, 10000) AS n;
             UPDATE place SET name = 'last' WHERE size > 1; DELETE FROM place WHERE size BETWEEN 11 AND 20; COMMIT",
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
async fn what_was_not_confirmed_comes_again() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    let start = log.start();
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    let first = next(&mut log).await;
    assert!(first.upto > start);
    bench.sql("INSERT INTO place VALUES ('2', 'b', 2)").await;
    let second = next(&mut log).await;
    log.confirm(first.upto).await.unwrap();
    wait_confirmed(&bench, first.upto).await;
    drop(log);
    // From the place that is confirmed, and from one further on, which the consumer has kept itself.
    let mut log = bench
        .store
        .open_log(place_query(), Some(first.upto))
        .await
        .unwrap();
    assert_eq!(next(&mut log).await.changes, [upsert("2", "b", 2)]);
    drop(log);
    let mut log = bench
        .store
        .open_log(place_query(), Some(second.upto))
        .await
        .unwrap();
    bench.sql("INSERT INTO place VALUES ('3', 'c', 3)").await;
    assert_eq!(next(&mut log).await.changes, [upsert("3", "c", 3)]);
    drop(log);
    let behind = bench
        .store
        .open_log(place_query(), Some(start))
        .await
        .err()
        .unwrap();
    assert_eq!(behind.code(), "store.log_lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_is_told() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    let start = log.start();
    bench.cut_others().await;
    assert_eq!(
        log.next(LONG).await.err().unwrap().code(),
        "store.unreachable"
    );
    assert_eq!(
        log.next(LONG).await.err().unwrap().code(),
        "store.interrupted"
    );
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    let mut log = bench
        .store
        .open_log(place_query(), Some(start))
        .await
        .unwrap();
    assert_eq!(next(&mut log).await.changes, [upsert("1", "a", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_gone_is_told_apart() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let none = bench.store.log_state("consumer").await.unwrap_err();
    assert_eq!(none.code(), "store.log_lost");
    let log = bench.store.open_log(place_query(), None).await.unwrap();
    let start = log.start();
    assert!(bench.store.log_state("consumer").await.unwrap().is_read);
    let busy = bench.store.drop_log("consumer").await.unwrap_err();
    assert!(busy.code() == "store.log_busy" && busy.is_transient());
    drop(log);
    let slot_gone = async {
        while bench.try_sql(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()",
        ).await.is_err() {}
    };
    timeout(LONG, slot_gone).await.unwrap();
    let lost = bench
        .store
        .open_log(place_query(), Some(start))
        .await
        .err()
        .unwrap();
    assert_eq!(lost.code(), "store.log_lost");
    let log = bench.store.open_log(place_query(), None).await.unwrap();
    let start = log.start();
    drop(log);
    // A table that was made anew is no longer published, though slot and name are there.
    bench.sql("DROP TABLE place").await;
    place_table(&bench).await;
    let lost = bench
        .store
        .open_log(place_query(), Some(start))
        .await
        .err()
        .unwrap();
    assert_eq!(lost.code(), "store.log_lost");
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    bench.sql("INSERT INTO place VALUES ('1', 'a', 1)").await;
    assert_eq!(next(&mut log).await.changes, [upsert("1", "a", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_tables_do_not_make_the_log_grow() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    bench
        .sql("CREATE TABLE other AS SELECT n, md5(n::text) FROM generate_series(1, 50000) AS n")
        .await;
    let before = bench.store.log_state("consumer").await.unwrap();
    assert!(before.retained_bytes > 1_000_000, "{before:?}");
    let moved = async {
        loop {
            if let Some(batch) = log.next(SHORT).await.unwrap() {
                assert!(batch.tables.is_empty() && batch.transactions == 0);
                log.confirm(batch.upto).await.unwrap();
                if batch.upto >= before.current {
                    break;
                }
            }
        }
    };
    timeout(LONG, moved).await.unwrap();
    wait_confirmed(&bench, before.current).await;
    drop(log);
    let dropped = async { while bench.store.drop_log("consumer").await.is_err() {} };
    timeout(LONG, dropped).await.unwrap();
    bench.sql("DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM pg_publication); \
               ASSERT NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE database = current_database()); END $$").await;
    bench.store.drop_log("consumer").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_altered_is_told() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
    let start = log.start();
    bench
        .sql("ALTER TABLE place ADD COLUMN note text; INSERT INTO place VALUES ('1', 'a', 1, 'n')")
        .await;
    assert_eq!(next(&mut log).await.changes, [upsert("1", "a", 1)]);
    bench
        .sql(
            "ALTER TABLE place ALTER size TYPE text; INSERT INTO place VALUES ('2', 'b', '2', 'n')",
        )
        .await;
    assert_eq!(
        log.next(LONG).await.err().unwrap().code(),
        "store.type_refused"
    );
    bench
        .sql("ALTER TABLE place DROP size; INSERT INTO place VALUES ('3', 'c', 'n')")
        .await;
    drop(log);
    let refused = bench
        .store
        .open_log(place_query(), Some(start))
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "store.column_missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_followed_is_refused_with_a_reason() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    bench
        .sql(
            "CREATE TABLE keyless (id varchar(12) NOT NULL, name text, size bigint);
             CREATE VIEW seen AS SELECT * FROM place; CREATE UNLOGGED TABLE fast (LIKE place INCLUDING ALL);
             CREATE TABLE computed (id varchar(12) PRIMARY KEY, name text, size bigint GENERATED ALWAYS AS (1) STORED)",
        )
        .await;
    let open = |name: &'static str, key: &'static str| {
        let store = bench.store.clone();
        async move {
            let query = LogQuery::of("consumer", table(name, &places(), &[key]));
            store
                .open_log(query, None)
                .await
                .err()
                .map(|error| error.code())
        }
    };
    assert_eq!(open("keyless", "id").await, Some("store.log_identity"));
    assert_eq!(open("place", "name").await, Some("store.log_identity"));
    assert_eq!(open("seen", "id").await, Some("store.log_unavailable"));
    assert_eq!(open("fast", "id").await, Some("store.log_unavailable"));
    assert_eq!(open("computed", "id").await, Some("store.type_refused"));
    assert_eq!(open("absent", "id").await, Some("store.table_missing"));
    bench.sql("ALTER TABLE keyless REPLICA IDENTITY FULL").await;
    assert_eq!(open("keyless", "id").await, None);

    bench
        .sql("DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'r'; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        .await;
    let (_, host) = bench.url.split_once('@').unwrap();
    let reader = tongqu_connectors::open(&format!("postgres://reader:r@{host}")).unwrap();
    let refused = reader.open_log(place_query(), None).await.err().unwrap();
    assert_eq!(refused.code(), "store.permission_missing");
    assert!(refused.to_string().contains("REPLICATION"), "{refused}");

    let file = Bench::sqlite().await;
    let refused = file
        .store
        .open_log(place_query(), None)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "store.log_unavailable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_and_a_later_reading_leave_no_gap() {
    let bench = Bench::postgres().await;
    place_table(&bench).await;
    let writer = bench.beside();
    let writing = tokio::spawn(async move {
        let client = writer.postgres_client().await;
        for n in 0..500 {
            let sql = format!(
                "INSERT INTO place VALUES ('{n}', 'a', {n}); UPDATE place SET name = 'b' WHERE id = '{}'",
                n / 2
            );
            client.batch_execute(&sql).await.unwrap();
        }
    });
    let mut log = bench.store.open_log(place_query(), None).await.unwrap();
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
    while !held.contains_key(&format!("{:?}", text("end"))) {
        for change in next(&mut log).await.changes {
            held.insert(format!("{:?}", change.1[0]), change);
        }
    }
    let rows = bench.rows("place", &places(), &["id"]).await;
    let held: Vec<Vec<Value>> = held.into_values().map(|change| change.1).collect();
    assert_eq!(held, rows);
}
