//! What only ODBC can show: that nothing is lost between a driver and an engine's own client, and what is refused
//! because a driver would change it.

use tongqu_connectors::{AddColumns, ApplyPlan, Filter, Query, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::suite::{all_types, edge_rows, nasty_texts, texts_rows};
use crate::support::{
    Bench, Engine, TEXT, batches, collect, column, key_column, place, places, plan, text,
    upsert_batch, upserts,
};

/// The store by the engine's own client.
fn native(bench: &Bench) -> Bench {
    let mut native = bench.beside();
    native.is_through_odbc = false;
    native.store = tongqu_connectors::open(&bench.url).unwrap();
    native
}

/// Values of every type and texts of every kind, with the columns they belong to.
fn everything(engine: Engine) -> Vec<(ApplyPlan, Vec<Vec<Value>>)> {
    let plan_of = |table, columns: Vec<Column>| {
        ApplyPlan::new(table, columns, &["id"], "consumer", 1, "run-1")
    };
    let mut texts = nasty_texts();
    if engine == Engine::Sqlite {
        texts.push("nul\u{0}中\u{0}\\0".to_owned());
    }
    let texts_columns = vec![
        key_column("id", ColumnType::Int32),
        column("first", TEXT),
        column("bytes", ColumnType::Bytes),
        column("last", TEXT),
    ];
    vec![
        (plan_of("types", all_types()), edge_rows()),
        (plan_of("texts", texts_columns), texts_rows(&texts)),
    ]
}

/// What one wrote the other reads alike, and finds nothing to change in it.
async fn assert_carried(writer: &Bench, reader: &Bench) {
    for (mut plan, rows) in everything(writer.engine) {
        let count = u64::try_from(rows.len()).unwrap();
        assert_eq!(writer.apply(&plan, &rows).await.unwrap().inserted, count);
        let back = reader.rows(&plan.table, &plan.columns, &["id"]).await;
        for (found, expected) in back.iter().zip(&rows) {
            assert_eq!(found, expected, "{} {:?}", plan.table, expected[0]);
        }
        assert_eq!(back.len(), rows.len());
        assert_eq!(reader.store.cursor("consumer").await.unwrap(), Some(1));
        plan.cursor = 2;
        let again = reader.apply(&plan, &rows).await.unwrap();
        assert_eq!((again.unchanged, again.updated), (count, 0));
        assert_eq!(writer.store.cursor("consumer").await.unwrap(), Some(2));
        let (a, b) = (
            writer.store.discover(&plan.table).await.unwrap(),
            reader.store.discover(&plan.table).await.unwrap(),
        );
        assert_eq!((a.columns, a.key), (b.columns, b.key));
        writer.store.drop_consumer("consumer").await.unwrap();
        assert_eq!(reader.store.cursor("consumer").await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_sqlite_wrote_itself_is_read_through_odbc() {
    let bench = Bench::odbc_sqlite().await;
    assert_carried(&native(&bench), &bench).await;
}

#[tokio::test]
async fn what_was_written_through_odbc_sqlite_reads_itself() {
    let bench = Bench::odbc_sqlite().await;
    assert_carried(&bench, &native(&bench)).await;
}

#[tokio::test]
async fn what_postgres_wrote_itself_is_read_through_odbc() {
    let bench = Bench::odbc_postgres().await;
    assert_carried(&native(&bench), &bench).await;
}

#[tokio::test]
async fn what_was_written_through_odbc_postgres_reads_itself() {
    let bench = Bench::odbc_postgres().await;
    assert_carried(&bench, &native(&bench)).await;
}

#[tokio::test]
async fn doubles_that_sqlite_wrote_keep_every_bit() {
    let bench = Bench::odbc_sqlite().await;
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("double", ColumnType::Float64),
    ];
    let mut bits: u64 = 0x2545_F491_4F6C_DD1D;
    let mut rows = Vec::new();
    while rows.len() < 20_000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(bits.rotate_left(23));
        if double.is_finite() {
            let id = i64::try_from(rows.len()).unwrap();
            rows.push(vec![Value::Int(id), Value::Float(double)]);
        }
    }
    for (id, double) in [
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
    ]
    .into_iter()
    .enumerate()
    {
        let id = i64::try_from(20_000 + id).unwrap();
        rows.push(vec![Value::Int(id), Value::Float(double)]);
    }
    let plan = ApplyPlan::new("doubles", columns.clone(), &["id"], "consumer", 1, "run-1");
    native(&bench).apply(&plan, &rows).await.unwrap();
    let back = bench.rows("doubles", &columns, &["id"]).await;
    for (found, expected) in back.iter().zip(&rows) {
        assert_eq!(found, expected);
    }
    assert_eq!(back.len(), rows.len());
    let not_a_number = [vec![Value::Int(-1), Value::Float(f64::NAN)]];
    native(&bench).apply(&plan, &not_a_number).await.unwrap();
    let back = bench.rows("doubles", &columns, &["id"]).await;
    assert!(matches!(back[0][1], Value::Float(value) if value.is_nan()));
}

#[tokio::test]
async fn a_value_that_is_not_of_its_columns_type_in_sqlite_is_refused() {
    let bench = Bench::odbc_sqlite().await;
    bench
        .sql("CREATE TABLE loose (i INTEGER, b BOOLEAN, f DOUBLE, t TEXT, d DATE, s TIMESTAMP, n DECIMAL(6,2), x BLOB)")
        .await;
    let info = bench.store.discover("loose").await.unwrap();
    assert_eq!((info.columns.len(), info.refused.len()), (8, 0));
    // The driver would read each of them as something else.
    for (name, value) in [
        ("i", "'abc'"),
        ("i", "1.5"),
        ("b", "2"),
        ("f", "'abc'"),
        ("t", "x'ff00'"),
        ("t", "CAST(x'ff00' AS TEXT)"),
        ("d", "20240102"),
        ("d", "'2024-02-30'"),
        ("s", "'2024-01-02 03:04:05+08:00'"),
        ("s", "'2024-01-02 03:04:05.1234567'"),
        ("n", "1.234"),
        ("n", "'12a'"),
        ("x", "'text'"),
    ] {
        bench
            .sql(&format!(
                "DELETE FROM loose; INSERT INTO loose ({name}) VALUES ({value})"
            ))
            .await;
        let query = Query::all("loose", info.columns.clone());
        let error = bench.query(query).await.unwrap_err();
        assert_eq!(error.code(), "store.value_refused", "{name} {value}");
        let told = error.to_string();
        assert!(told.contains(&format!("column {name} of loose")), "{told}");
    }
    bench
        .sql("DELETE FROM loose; INSERT INTO loose (f, n, s) VALUES (7, 12.3, '2024-01-02 03:04')")
        .await;
    let rows = bench
        .query(Query::all("loose", info.columns))
        .await
        .unwrap();
    let cents = Value::Decimal {
        unscaled: 1_230,
        scale: 2,
    };
    assert_eq!((&rows[0][2], &rows[0][6]), (&Value::Float(7.0), &cents));
}

#[tokio::test]
async fn types_of_postgres_are_read_exactly_or_refused() {
    let bench = Bench::odbc_postgres().await;
    bench
        .sql("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN code AS varchar(6)")
        .await;
    bench
        .sql(
            "CREATE TABLE native (id int PRIMARY KEY, c char(5), u uuid, j json, m mood, d code, \
             n numeric(38,10), any_n numeric, t0 timestamp(0), z timestamptz, x_reg regclass); \
             INSERT INTO native VALUES (1, 'ab', '00000000-0000-0000-0000-0000000000AF', '{\"b\": 1, \"a\":2}', \
             'glad', '410400', -1234567890123456789012345678.0123456789, 1e-30, \
             '2026-09-21 01:02:03', '2026-09-21 09:02:03.000004+08')",
        )
        .await;
    let info = bench.store.discover("native").await.unwrap();
    let own = native(&bench).store.discover("native").await.unwrap();
    assert_eq!((&info.columns, &info.refused), (&own.columns, &own.refused));
    assert_eq!(info.refused[0].column, "x_reg");
    let rows = bench.rows("native", &info.columns, &["id"]).await;
    assert_eq!(
        rows,
        native(&bench).rows("native", &info.columns, &["id"]).await
    );
    assert_eq!(rows[0][1], text("ab   "));
    let by_text = Query::all("native", vec![column("m", TEXT)])
        .only(Filter::eq("m", text("glad")))
        .only(Filter::eq("c", text("ab   ")))
        .ordered_by(&["m", "u", "c"]);
    assert_eq!(bench.query(by_text).await.unwrap(), [[text("glad")]]);
}

#[tokio::test]
async fn what_a_column_of_postgres_would_change_is_refused_before_it_is_written() {
    let bench = Bench::odbc_postgres().await;
    bench
        .sql(
            "CREATE TYPE mood AS ENUM ('sad', 'glad'); \
             CREATE TABLE strict (id int PRIMARY KEY, c char(5), t0 timestamp(0), v varchar(3), \
             m mood, g int GENERATED ALWAYS AS (id + 1) STORED); \
             CREATE VIEW seen AS SELECT * FROM strict",
        )
        .await;
    let apply = async |table: &str, name: &str, column_type, value: Value| {
        let columns = vec![
            key_column("id", ColumnType::Int32),
            column(name, column_type),
        ];
        let plan = ApplyPlan::new(table, columns, &["id"], "consumer", 1, "run-1");
        bench.apply(&plan, &[vec![Value::Int(1), value]]).await
    };
    let cases = [
        ("c", TEXT, text("ab"), "store.value_refused"),
        (
            "t0",
            ColumnType::Timestamp,
            Value::Timestamp(500_000),
            "store.value_refused",
        ),
        ("v", TEXT, text("四个汉字"), "store.value_refused"),
        ("v", TEXT, text("a\0"), "store.value_refused"),
        ("m", TEXT, text("glad"), "store.type_refused"),
        ("g", ColumnType::Int32, Value::Int(2), "store.type_refused"),
    ];
    for (name, column_type, value, code) in cases {
        let error = apply("strict", name, column_type, value).await.unwrap_err();
        assert_eq!(error.code(), code, "{name}");
        assert!(
            error
                .to_string()
                .contains(&format!("column {name} of strict")),
            "{error}"
        );
    }
    let error = apply("seen", "v", TEXT, text("a")).await.unwrap_err();
    assert_eq!(error.code(), "store.plan_invalid");
    for (name, column_type, value) in [
        ("c", TEXT, text("汉字abc")),
        ("t0", ColumnType::Timestamp, Value::Timestamp(5_000_000)),
        ("v", TEXT, text("三汉字")),
    ] {
        apply("strict", name, column_type, value).await.unwrap();
    }
    let columns = bench.store.discover("strict").await.unwrap().columns;
    let rows = native(&bench).rows("strict", &columns, &["id"]).await;
    assert_eq!(
        rows[0][1..4],
        [text("汉字abc"), Value::Timestamp(5_000_000), text("三汉字")]
    );
}

/// A table may rewrite what it is sent by means that nobody can see from outside.
#[tokio::test]
async fn what_a_trigger_rewrites_is_undone() {
    let bench = Bench::odbc_postgres().await;
    bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    bench
        .sql(
            "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$; \
             CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON place FOR EACH ROW EXECUTE FUNCTION shout()",
        )
        .await;
    let rows = [place("1", "b", 1), place("2", "C", 2)];
    let error = bench.apply(&plan(2), &rows).await.unwrap_err();
    assert_eq!(error.code(), "store.value_refused");
    assert!(error.to_string().contains("1 row(s)"), "{error}");
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        [place("1", "a", 1)]
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(1));
}

/// Rows whose sizes change wildly, so that parts and buffers have to.
#[tokio::test]
async fn large_and_small_rows_arrive_whole() {
    for bench in [Bench::odbc_postgres().await, Bench::odbc_sqlite().await] {
        let row = |n: i64| {
            let length = if n % 97 == 0 { 100_000 } else { 10 };
            place(&format!("{n:05}"), &"𠮷a".repeat(length), n)
        };
        let rows: Vec<_> = (0..1_500).map(row).collect();
        native(&bench).apply(&plan(1), &rows).await.unwrap();
        let back = bench.rows("place", &places(), &["id"]).await;
        assert_eq!(back.len(), rows.len());
        assert!(back == rows, "the rows are alike");
        let done = bench.apply(&plan(2).replacing_all(), &rows).await.unwrap();
        assert_eq!((done.unchanged, done.updated), (1_500, 0));
    }
}

/// Where every column has a largest value, the driver fills buffers with many rows at once.
#[tokio::test]
async fn rows_of_bounded_columns_are_fetched_whole_in_blocks() {
    let bench = Bench::odbc_postgres().await;
    let short = |chars| ColumnType::Text {
        chars_max: Some(chars),
    };
    let columns = vec![
        key_column("id", short(6)),
        column("name", short(20)),
        column("size", ColumnType::Int64),
        column("share", ColumnType::Float64),
        column("day", ColumnType::Date),
    ];
    let plan = ApplyPlan::new("short", columns.clone(), &["id"], "consumer", 1, "run-1");
    let row = |n: i64| {
        let name = match n % 4 {
            0 => text(&"𠮷".repeat(20)),
            1 => text(""),
            2 => Value::Null,
            _ => text("平顶山市"),
        };
        let share = f64::from(i32::try_from(n).unwrap()) / 7.0;
        let day = i32::try_from(n).unwrap();
        vec![
            text(&format!("{n:06}")),
            name,
            Value::Int(n),
            Value::Float(share),
            Value::Date(day),
        ]
    };
    let rows: Vec<_> = (0..5_500).map(row).collect();
    native(&bench).apply(&plan, &rows).await.unwrap();
    let query = Query::all("short", columns).ordered_by(&["id"]);
    let back = bench.query(query).await.unwrap();
    assert_eq!(back.len(), rows.len());
    for (found, expected) in back.iter().zip(&rows) {
        assert_eq!(found, expected);
    }
}

/// What the two find in each other's way, in one table and under one cursor.
#[tokio::test]
async fn consumers_of_both_kinds_share_a_table_and_its_cursors() {
    for bench in [Bench::odbc_postgres().await, Bench::odbc_sqlite().await] {
        let own = native(&bench);
        own.apply(&plan(1), &[place("1", "own", 1)]).await.unwrap();
        bench
            .apply(&plan(2), &[place("2", "odbc", 2)])
            .await
            .unwrap();
        let late = own.apply(&plan(1), &[]).await.unwrap_err();
        assert_eq!(late.code(), "store.cursor_backwards");
        own.apply(&plan(3), &[place("1", "again", 1)])
            .await
            .unwrap();
        let late = bench.apply(&plan(3).advancing(), &[]).await.unwrap_err();
        assert_eq!(late.code(), "store.cursor_backwards");
        let mut wider = plan(4);
        wider.columns.push(column("note", TEXT));
        wider.add_columns = AddColumns::Allow;
        let mut noted = place("3", "odbc", 3);
        noted.push(text("备注"));
        bench.apply(&wider, &[noted.clone()]).await.unwrap();
        let back = own.rows("place", &wider.columns, &["id"]).await;
        assert_eq!((back.len(), &back[2]), (3, &noted));
    }
}

#[tokio::test]
async fn a_driver_or_file_that_is_not_there_is_said_to_be_missing() {
    let open = |url: &str| tongqu_connectors::open(url).unwrap();
    let store = open("odbc:Driver={No Such Driver};Server=db;Uid=tax;Pwd=s3cret;");
    let error = store.ping().await.unwrap_err();
    assert_eq!(error.code(), "store.unreachable");
    assert!(error.to_string().contains("on this machine"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.db");
    let store = open(&format!(
        "odbc:Driver={{SQLite3}};Database={};",
        path.display()
    ));
    let errors = [
        store.ping().await.unwrap_err(),
        store
            .read(Query::all("place", places()))
            .await
            .err()
            .unwrap(),
        store
            .apply(plan(1), upserts(&places(), &[place("1", "a", 1)]))
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "store.unreachable", "{error}");
    }
    assert!(!path.exists());
}

/// A stream that nobody reads holds neither a thread nor the snapshot for long.
#[tokio::test]
async fn many_streams_at_once_are_read_to_their_ends() {
    let bench = Bench::odbc_postgres().await;
    let rows: Vec<_> = (0..3_000)
        .map(|n| place(&format!("{n:05}"), "x", n))
        .collect();
    let stream = batches(
        rows.chunks(500)
            .map(|rows| Ok(upsert_batch(&places(), rows)))
            .collect(),
    );
    bench.store.apply(plan(1), stream).await.unwrap();
    let query = || {
        Query::all("place", places())
            .ordered_by(&["id"])
            .in_batches_of(100)
    };
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(bench.store.read(query()).await.unwrap());
    }
    for stream in streams {
        assert_eq!(collect(stream).await.unwrap(), rows);
    }
}

/// A database that no dialect describes: MariaDB by its own driver, asked to quote names as standard SQL does.
#[tokio::test]
async fn a_database_without_a_dialect_is_read_and_not_written_to() {
    let bench = Bench::mysql().await;
    let (login, place) = bench.url["mysql://".len()..].rsplit_once('@').unwrap();
    let ((user, password), (host, database)) = (
        login.split_once(':').unwrap(),
        place.split_once('/').unwrap(),
    );
    let (host, port) = host.split_once(':').unwrap();
    let url = format!(
        "odbc:Driver={{MariaDB Unicode}};Server={host};Port={port};Database={database};Uid={user};Pwd={password};\
         InitStmt={{SET sql_mode = 'ANSI_QUOTES'}};"
    );
    let mut unknown = bench.beside();
    unknown.store = tongqu_connectors::open(&url).unwrap();
    bench
        .sql(
            "CREATE TABLE kinds (id INT PRIMARY KEY, small SMALLINT, big BIGINT, money DECIMAL(12,2), \
             single FLOAT, wide DOUBLE, name VARCHAR(20) CHARACTER SET utf8mb4, \
             note LONGTEXT CHARACTER SET utf8mb4, bytes VARBINARY(8), day DATE, moment DATETIME(6))",
        )
        .await;
    bench
        .sql(
            "INSERT INTO kinds VALUES (1, -32768, 9223372036854775807, -1234567890.12, 0.1, 0.30000000000000004, \
             '平顶山市𠮷', 'a\\tb\\\\', x'00ff', '9999-12-31', '2026-09-21 01:02:03.000004'), \
             (2, NULL, NULL, NULL, NULL, NULL, '', '', x'', NULL, NULL)",
        )
        .await;
    unknown.store.ping().await.unwrap();
    assert_eq!(unknown.store.tables().await.unwrap(), ["kinds"]);
    let info = unknown.store.discover("kinds").await.unwrap();
    assert_eq!(
        (info.key.as_slice(), info.refused.len()),
        (&["id".to_owned()][..], 0)
    );
    let own = bench.store.discover("kinds").await.unwrap();
    let types = |columns: &[Column]| -> Vec<_> {
        columns
            .iter()
            .map(|c| (c.name.clone(), c.column_type))
            .collect()
    };
    let bounded = |columns: Vec<Column>| {
        let short = columns.into_iter().filter(|column| column.name != "note");
        short.collect::<Vec<_>>()
    };
    assert_eq!(
        types(&bounded(info.columns.clone())),
        types(&bounded(own.columns.clone()))
    );
    // With a value of any size among them, and with none.
    for columns in [info.columns.clone(), bounded(info.columns)] {
        let found = unknown.rows("kinds", &columns, &["id"]).await;
        assert_eq!(found, bench.rows("kinds", &columns, &["id"]).await);
        assert_eq!(found.len(), 2);
    }
    let query =
        |filter| Query::all("kinds", vec![key_column("id", ColumnType::Int32)]).only(filter);
    let above = unknown
        .query(query(Filter::gt("id", Value::Int(1))))
        .await
        .unwrap();
    assert_eq!(above, [[Value::Int(2)]]);
    let by_text = query(Filter::eq("name", text("x")));
    assert_eq!(
        unknown.query(by_text).await.unwrap_err().code(),
        "store.type_refused"
    );
    let error = unknown.apply(&plan(1), &[]).await.unwrap_err();
    assert_eq!(error.code(), "store.plan_invalid");
    assert!(error.to_string().contains("through ODBC"), "{error}");
}
