//! What only PostgreSQL can show: its own types, collations and declared limits.

use tongqu_connectors::{ApplyPlan, Filter, Pace, PacedStore, Query, Rate, Sums, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::support::{Bench, TEXT, collect, column, key_column, place, places, plan, text};

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
             x_reg regclass, x_snap pg_lsn)",
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
    assert_eq!(refused, ["x_reg", "x_snap"]);
    assert!(
        info.refused
            .iter()
            .all(|refusal| refusal.reason.contains("view"))
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
    for (name, value) in [("n", "'NaN'"), ("s", "'294276-12-31'")] {
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
async fn a_column_that_the_server_computes_must_have_been_sent_so() {
    let bench = Bench::postgres().await;
    bench
        .sql("CREATE TABLE held (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) STORED)")
        .await;
    let (_, plan) = one_value(ColumnType::Int32);
    for other in [Value::Null, Value::Int(1)] {
        let rows = [vec![Value::Int(1), other]];
        let refused = bench.apply(&plan, &rows).await.unwrap_err();
        assert_eq!(refused.code(), "store.value_refused", "{refused}");
    }
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), None);
    let rows = [vec![Value::Int(1), Value::Int(2)]];
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().inserted, 1);
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

/// What may change in a row, and what two rows may swap.
const CHANGES: [&str; 9] = [
    "UPDATE summed SET c = 'ab' WHERE id = 7",
    "UPDATE summed SET t = '' WHERE id = 7",
    "UPDATE summed SET t = NULL WHERE id = 7",
    "UPDATE summed SET n = n + 0.01 WHERE id = 7",
    "UPDATE summed SET at = at + interval '1 microsecond' WHERE id = 7",
    "UPDATE summed SET j = '{\"a\": 1}' WHERE id = 7",
    "UPDATE summed SET t = CASE id WHEN 7 THEN 'w8' ELSE 'w7' END WHERE id IN (7, 8)",
    "UPDATE summed SET c = t, t = c WHERE id = 7",
    "DELETE FROM summed WHERE id = 7",
];

async fn sums_of(bench: &Bench, table: &str, columns: &[Column], bits: u8) -> Sums {
    let query = Query::all(table, columns.to_vec()).ordered_by(&["id"]);
    let view = bench.store.snapshot(query, &["id".to_owned()]).await;
    view.unwrap().unwrap().sums(bits).await.unwrap()
}

/// Two tables whose columns are declared otherwise have the same sums while they hold the same, and every change
/// is seen, also where two rows of one share swap a value. Spec: PDS-8.1.
#[tokio::test]
async fn sums_differ_where_the_rows_differ() {
    let bench = Bench::postgres().await;
    bench
        .sql(
            "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             CREATE TABLE summed (id int PRIMARY KEY, c char(5), t varchar(20) COLLATE folded, n numeric(12,2), f float8, \
             at timestamptz(6), j jsonb, b bytea, u uuid, d date); \
             INSERT INTO summed SELECT i, 'c' || i, 'v' || i, i / 7.0, i / 3.0, \
             timestamptz '2026-01-01' + i * interval '1 second', jsonb_build_object('i', i), int4send(i), \
             lpad(i::text, 32, '0')::uuid, date '2026-01-01' + i FROM generate_series(1, 100) AS i",
        )
        .await;
    let columns = bench.store.discover("summed").await.unwrap().columns;
    let asked = ApplyPlan::new("kept", columns.clone(), &["id"], "consumer", 1, "run-1");
    let rows = bench.store.read(Query::all("summed", columns.clone()));
    bench.store.apply(asked, rows.await.unwrap()).await.unwrap();
    let kept = sums_of(&bench, "kept", &columns, 4).await;
    assert_eq!(kept.rows(), 100);
    assert_eq!(sums_of(&bench, "summed", &columns, 4).await, kept);

    bench
        .sql("UPDATE summed SET t = upper(t) WHERE id = 9")
        .await;
    let folded = sums_of(&bench, "summed", &columns, 4).await;
    assert_ne!(folded, kept, "spelled otherwise");
    bench
        .sql("UPDATE summed SET t = lower(t) WHERE id = 9")
        .await;
    for change in CHANGES {
        bench
            .sql(&format!("CREATE TABLE before AS TABLE summed; {change}"))
            .await;
        // One share holds all, so that what two of its rows swap could cancel out.
        let (ours, theirs) = (
            sums_of(&bench, "summed", &columns, 0).await,
            sums_of(&bench, "kept", &columns, 0).await,
        );
        assert!(ours.differing(&theirs).unwrap().rows() > 0, "{change}");
        bench
            .sql("TRUNCATE summed; INSERT INTO summed TABLE before; DROP TABLE before")
            .await;
    }
    assert_eq!(sums_of(&bench, "summed", &columns, 4).await, kept);
}

/// Of the shares that differ all rows are read, in order and under the query's own conditions, and no others.
#[tokio::test]
async fn only_shares_that_differ_are_read() {
    let bench = Bench::postgres().await;
    bench
        .sql(
            "CREATE TABLE ours (id varchar(12) PRIMARY KEY, v int, gone int NOT NULL DEFAULT 0); \
             INSERT INTO ours SELECT 'k' || i, i FROM generate_series(1, 4000) AS i; \
             CREATE TABLE theirs (LIKE ours INCLUDING ALL); INSERT INTO theirs TABLE ours; \
             UPDATE ours SET v = -1 WHERE id IN ('k5', 'k77'); DELETE FROM ours WHERE id = 'k900'; \
             UPDATE ours SET gone = 1 WHERE id = 'k901'",
        )
        .await;
    let columns = vec![key_column("id", TEXT), column("v", ColumnType::Int32)];
    let view = async |table: &str| {
        let live = Query::all(table, columns.clone()).only(Filter::eq("gone", Value::Int(0)));
        let (live, key) = (live.ordered_by(&["id"]), ["id".to_owned()]);
        let view = bench.store.snapshot(live, &key);
        view.await.unwrap().unwrap()
    };
    let (mut ours, mut theirs) = (view("ours").await, view("theirs").await);
    let (our_sums, their_sums) = (ours.sums(8).await.unwrap(), theirs.sums(8).await.unwrap());
    let differing = our_sums.differing(&their_sums).unwrap();
    bench
        .sql("UPDATE ours SET v = -2 WHERE id = 'k5'; DELETE FROM theirs")
        .await;
    let ours = collect(ours.read(Some(&differing)).await.unwrap()).await;
    let theirs = collect(theirs.read(Some(&differing)).await.unwrap()).await;
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let is_in_order = |rows: &[Vec<Value>]| {
        rows.is_sorted_by(|a, b| match (&a[0], &b[0]) {
            (Value::Text(a), Value::Text(b)) => a < b,
            _ => false,
        })
    };
    assert!(is_in_order(&ours) && is_in_order(&theirs));
    assert_eq!(theirs.len() - ours.len(), 2, "two are gone");
    assert_eq!(
        u64::try_from(theirs.len()).unwrap() + differing.rows_alike(),
        4000
    );
    assert!(theirs.len() < 400, "{} rows were read", theirs.len());
    let changed: Vec<_> = ours.iter().filter(|row| !theirs.contains(row)).collect();
    assert_eq!(
        changed,
        [
            &vec![text("k5"), Value::Int(-1)],
            &vec![text("k77"), Value::Int(-1)]
        ],
        "as the view was when it was begun"
    );
}

/// Each type with values at its edges, as SQL; the last is computed by the server.
const TYPES: [(&str, &[&str]); 43] = [
    ("boolean", &["true", "false"]),
    ("smallint", &["-32768", "32767"]),
    ("integer", &["-2147483648", "2147483647"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807"]),
    (
        "numeric",
        &[
            "'NaN'",
            "'Infinity'",
            "1e-30",
            "12345678901234567890123456789012345678901234567890.5",
            "1.10",
        ],
    ),
    (
        "numeric(38,10)",
        &["-9999999999999999999999999999.9999999999", "0.0000000001"],
    ),
    ("numeric(12,2)", &["9999999999.99", "-0.01"]),
    (
        "real",
        &[
            "'NaN'",
            "'-Infinity'",
            "3.4028235e38",
            "1e-45",
            "'-0'",
            "0.1",
        ],
    ),
    (
        "double precision",
        &[
            "'NaN'",
            "'Infinity'",
            "1.7976931348623157e308",
            "5e-324",
            "'-0'",
            "0.30000000000000004",
        ],
    ),
    ("money", &["'-92233720368547758.08'", "'12.34'"]),
    ("char(10)", &["'ab'", "''", "'  x'", "'汉字'"]),
    (
        "varchar(40)",
        &["''", "'  two ends  '", "'𠮷é'", "'a''b\"c'"],
    ),
    (
        "text",
        &[
            "''",
            "E'tab\\tline\\nback\\\\'",
            "'\\N'",
            "'NULL'",
            "repeat('长', 100000)",
        ],
    ),
    (
        "bytea",
        &[
            "''",
            "'\\x00ff5c0a27'",
            "decode(repeat('00ff', 100000), 'hex')",
        ],
    ),
    (
        "date",
        &[
            "'infinity'",
            "'-infinity'",
            "'4713-01-01 BC'",
            "'5874897-12-31'",
            "'1582-10-10'",
            "'0001-01-01'",
        ],
    ),
    ("time(6)", &["'00:00'", "'24:00:00'", "'23:59:59.999999'"]),
    (
        "time(6) with time zone",
        &["'00:00:00+15:59'", "'23:59:59.999999-08'", "'12:00+05:30'"],
    ),
    (
        "timestamp(6)",
        &[
            "'infinity'",
            "'-infinity'",
            "'0001-01-01'",
            "'294246-12-31 23:59:59.999999'",
        ],
    ),
    (
        "timestamptz(6)",
        &[
            "'infinity'",
            "'-infinity'",
            "'1900-01-01 00:00+08:05:43'",
            "'2024-01-01 00:00:00.000001+00'",
        ],
    ),
    (
        "interval",
        &[
            "'1 year 2 months 3 days 04:05:06.000007'",
            "'-178000000 years'",
            "'-1 day +01:00:00'",
        ],
    ),
    (
        "uuid",
        &[
            "'00000000-0000-0000-0000-000000000000'",
            "'ffffffff-ffff-4fff-bfff-ffffffffffff'",
        ],
    ),
    (
        "json",
        &["'{\"b\":1, \"a\":  [1.10,null], \"a\":2}'", "'null'"],
    ),
    (
        "jsonb",
        &[
            "'{\"b\":1,\"a\":[1.10,null],\"n\":12345678901234567890.123}'",
            "'\"x\\ny\"'",
        ],
    ),
    (
        "integer[]",
        &["'{1,NULL,3}'", "'{}'", "'[2:3]={7,8}'", "'{{1,2},{3,4}}'"],
    ),
    (
        "text[]",
        &["ARRAY['a,b', '', '\"q\"', NULL, 'NULL', E'\\\\']", "'{}'"],
    ),
    (
        "numeric(38,10)[]",
        &["ARRAY[9999999999999999999999999999.9999999999, NULL]"],
    ),
    ("double precision[]", &["ARRAY[0.1::float8, 'NaN', 5e-324]"]),
    (
        "timestamptz[]",
        &["ARRAY['2024-01-01 00:00:00.000001+00'::timestamptz, 'infinity']"],
    ),
    ("feeling", &["'很好'", "'it''s'"]),
    ("bit(8)", &["B'00000001'", "B'11111111'"]),
    (
        "bit varying(64)",
        &[
            "B''",
            "B'1'",
            "B'1000000000000000000000000000000000000000000000000000000000000000'",
        ],
    ),
    ("inet", &["'192.168.0.1/24'", "'::1'"]),
    ("cidr", &["'10.0.0.0/8'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("point", &["'(1.1,-2.2)'", "'(0.1,1e-300)'"]),
    ("polygon", &["'((0,0),(0,1),(1,1))'"]),
    ("xml", &["'<a>汉</a>'"]),
    ("tsvector", &["'a:1 b:2'"]),
    ("int4range", &["'[1,5)'", "'empty'"]),
    ("tstzrange", &["'[2024-01-01 00:00+00,)'"]),
    ("place", &["ROW('a,b', NULL, 1)"]),
    ("idno", &["'850001193001010015'"]),
    ("integer GENERATED ALWAYS AS (id * 2) STORED", &["DEFAULT"]),
];

/// What a table holds, by the server's own account.
async fn account(bench: &Bench, table: &str) -> String {
    let sql = format!(
        "SELECT md5(string_agg(id || coalesce(v::text, 'NULL'), '|' ORDER BY id)) FROM {table}"
    );
    let client = bench.postgres_client().await;
    client.batch_execute("SET timezone = 'UTC'").await.unwrap();
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

/// Every type goes from PostgreSQL to PostgreSQL unchanged, into a table of the same type and by way of one that we
/// create; a column that the server computes is computed there and compared. Spec: PDS-8.1.
#[tokio::test]
async fn every_type_arrives_identical() {
    let (source, target) = (Bench::postgres().await, Bench::postgres().await);
    let types = "CREATE TYPE feeling AS ENUM ('很好', 'it''s'); \
         CREATE TYPE place AS (a text, b int, c smallint); CREATE DOMAIN idno AS char(18);";
    for bench in [&source, &target] {
        bench.sql(types).await;
    }
    for (nth, (declared, values)) in TYPES.into_iter().enumerate() {
        let table = format!("t{nth}");
        let create = format!("CREATE TABLE {table} (id int PRIMARY KEY, v {declared})");
        for bench in [&source, &target] {
            bench.sql(&create).await;
        }
        for (id, value) in (1..).zip(values) {
            source
                .sql(&format!("INSERT INTO {table} VALUES ({id}, {value})"))
                .await;
        }
        if values != ["DEFAULT"] {
            source
                .sql(&format!("INSERT INTO {table} VALUES (0, NULL)"))
                .await;
        }
        let columns = source.store.discover(&table).await.unwrap().columns;
        assert_eq!(columns.len(), 2, "{declared} is refused");
        let sent = account(&source, &table).await;
        let is_padded = matches!(declared, "char(10)" | "idno");
        for (into, run) in [(&table, 1), (&format!("new{nth}"), 1), (&table, 2)] {
            let rows = source
                .store
                .read(Query::all(&table, columns.clone()))
                .await
                .unwrap();
            let plan = ApplyPlan::new(into, columns.clone(), &["id"], into, run, "run");
            let applied = target.store.apply(plan, rows).await;
            let applied = applied.unwrap_or_else(|error| panic!("{declared} into {into}: {error}"));
            assert_eq!(run == 1, applied.unchanged == 0, "{declared} into {into}");
            // Shown as text, char(n) loses its blanks, which a table of our own making keeps.
            if !is_padded || *into == table {
                let held = account(&target, into).await;
                assert_eq!(held, sent, "{declared} into {into}");
            }
            let ours = source.rows(&table, &columns, &["id"]).await;
            let theirs = target.rows(into, &columns, &["id"]).await;
            assert_eq!(
                format!("{ours:?}"),
                format!("{theirs:?}"),
                "{declared} read back from {into}"
            );
        }
    }
}

/// A text that a type would write otherwise, or doesn't take, is refused and nothing is kept of it.
#[tokio::test]
async fn a_text_that_a_type_would_rewrite_is_refused() {
    let bench = Bench::postgres().await;
    bench
        .sql("CREATE TABLE held (id int PRIMARY KEY, v jsonb, u uuid)")
        .await;
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("v", TEXT),
        column("u", TEXT),
    ];
    let plan = ApplyPlan::new("held", columns, &["id"], "consumer", 1, "run-1");
    let row = |v: &str, u: &str| vec![Value::Int(1), text(v), text(u)];
    let sound = "00000000-0000-0000-0000-0000000000af";
    for (row, column) in [
        (row("{\"b\":1}", sound), "v"),
        (row("1", &sound.to_uppercase()), "u"),
        (row("{", sound), ""),
    ] {
        let refused = bench.apply(&plan, &[row]).await.unwrap_err();
        assert_eq!(refused.code(), "store.value_refused");
        assert!(refused.to_string().contains(column), "{refused}");
    }
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), None);
    let applied = bench.apply(&plan, &[row("{\"b\": 1}", sound)]).await;
    assert_eq!(applied.unwrap().inserted, 1);
}

/// A store that is to be spared isn't summed up, which reads every row as fast as the server can.
#[tokio::test]
async fn a_store_with_a_pace_is_not_summed_up() {
    let bench = Bench::postgres().await;
    bench.sql("CREATE TABLE held (id int PRIMARY KEY)").await;
    let pace = Pace::new(Rate::default());
    let paced = PacedStore::of(bench.store.clone(), pace.clone());
    let is_summed_up = async || {
        let query = Query::all("held", vec![key_column("id", ColumnType::Int32)]);
        let view = paced.snapshot(query, &["id".to_owned()]).await;
        view.unwrap().is_some()
    };
    assert!(is_summed_up().await);
    pace.set(Rate {
        rows: Some(100),
        bytes: None,
    });
    assert!(!is_summed_up().await);
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
