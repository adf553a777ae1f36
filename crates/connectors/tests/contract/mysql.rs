//! What only MySQL and MariaDB can show: their own types, character sets and silent changes.

use tongqu_connectors::{ApplyPlan, Filter, Query, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::suite::{nasty_texts, texts_rows};
use crate::support::{Bench, TEXT, column, key_column, place, places, plan, text};

fn decimal(unscaled: i128, scale: i8) -> Value {
    Value::Decimal { unscaled, scale }
}

#[tokio::test]
async fn types_of_its_own_are_read_exactly_or_refused() {
    let bench = Bench::mysql().await;
    bench
        .sql(
            "CREATE TABLE native (id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, su SMALLINT UNSIGNED, \
             m MEDIUMINT UNSIGNED, iu INT UNSIGNED, bu BIGINT UNSIGNED, f FLOAT, b BIT(1), y YEAR, \
             e ENUM('no', 'yes'), s SET('a', 'b'), c CHAR(5), v VARBINARY(4), d DATETIME, z TIMESTAMP(6) NULL, \
             x_long DECIMAL(65,30), x_bits BIT(8), x_place POINT)",
        )
        .await;
    bench
        .sql(
            "INSERT INTO native VALUES (1, -128, 255, 65535, 16777215, 4294967295, 18446744073709551615, 0.1, b'1', 2026, \
             'yes', 'a,b', 'ab', x'00ff', '2026-09-21 01:02:03', '2026-09-21 09:02:03.000004', 1, b'1', NULL)",
        )
        .await;
    let info = bench.store.discover("native").await.unwrap();
    let refused: Vec<&str> = info
        .refused
        .iter()
        .map(|refusal| refusal.column.as_str())
        .collect();
    assert_eq!(refused, ["x_long", "x_bits", "x_place"]);
    let rows = bench.rows("native", &info.columns, &["id"]).await;
    let stamp = 1_789_952_523_000_000;
    assert_eq!(
        rows,
        [vec![
            Value::Int(1),
            Value::Int(-128),
            Value::Int(255),
            Value::Int(65_535),
            Value::Int(16_777_215),
            Value::Int(4_294_967_295),
            Value::UInt(u64::MAX),
            Value::Float(f64::from(0.1_f32)),
            Value::Bool(true),
            Value::Int(2026),
            text("yes"),
            text("a,b"),
            text("ab"),
            Value::Bytes(vec![0, 255]),
            Value::Timestamp(stamp),
            // The server's clock is eight hours ahead of UTC.
            Value::Instant(stamp + 4),
        ]]
    );
}

#[tokio::test]
async fn values_without_a_counterpart_are_refused_by_column() {
    let bench = Bench::mysql().await;
    bench
        .sql("CREATE TABLE odd (id INT, d DATE, s DATETIME, t TIME, b TINYINT(1))")
        .await;
    let mut columns = bench.store.discover("odd").await.unwrap().columns;
    columns[4].column_type = ColumnType::Boolean;
    for (name, value) in [
        ("d", "'0000-00-00'"),
        ("d", "'2026-00-01'"),
        ("s", "'0000-00-00 00:00:00'"),
        ("t", "'-01:00:00'"),
        ("t", "'838:59:59'"),
        ("b", "2"),
    ] {
        bench.sql("TRUNCATE odd").await;
        bench
            .sql(&format!(
                "SET STATEMENT sql_mode = '' FOR INSERT INTO odd (id, {name}) VALUES (7, {value})"
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
    bench.sql("TRUNCATE odd").await;
    bench
        .sql("INSERT INTO odd (id, t, b) VALUES (7, '24:00:00', 1)")
        .await;
    let row = bench
        .query(Query::all("odd", columns))
        .await
        .unwrap()
        .remove(0);
    assert_eq!(row[3..], [Value::Time(86_400_000_000), Value::Bool(true)]);
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
    let bench = Bench::mysql().await;
    let time = 3_723_000_000;
    for (declared, column_type, fits, changed) in [
        ("VARCHAR(3)", TEXT, text("末末末"), text("末末末末")),
        ("VARCHAR(3)", TEXT, text("abc"), text("abc ")),
        ("CHAR(3)", TEXT, text("ab"), text("ab ")),
        (
            "TINYTEXT",
            TEXT,
            text(&"x".repeat(255)),
            text(&"x".repeat(256)),
        ),
        (
            "VARCHAR(9) CHARACTER SET latin1",
            TEXT,
            text("café"),
            text("末"),
        ),
        (
            "VARCHAR(9) CHARACTER SET utf8mb3",
            TEXT,
            text("末"),
            text("𠮷"),
        ),
        (
            "BINARY(3)",
            ColumnType::Bytes,
            Value::Bytes(vec![0, 1, 0]),
            Value::Bytes(vec![0, 1]),
        ),
        (
            "DATETIME",
            ColumnType::Timestamp,
            Value::Timestamp(time),
            Value::Timestamp(time + 1),
        ),
        (
            "TIME(3)",
            ColumnType::Time,
            Value::Time(time + 1_000),
            Value::Time(time + 1),
        ),
        (
            "TIMESTAMP NULL",
            ColumnType::Instant,
            Value::Instant(time),
            Value::Instant(time + 1),
        ),
        (
            "TIMESTAMP(6) NULL",
            ColumnType::Instant,
            Value::Instant(time),
            Value::Instant(0),
        ),
        (
            "TINYINT",
            ColumnType::Int16,
            Value::Int(-128),
            Value::Int(128),
        ),
        (
            "DATE",
            ColumnType::Date,
            Value::Date(0),
            Value::Date(3_000_000),
        ),
    ] {
        bench
            .sql(&format!(
                "CREATE TABLE held (id INT PRIMARY KEY, v {declared})"
            ))
            .await;
        let (columns, plan) = one_value(column_type);
        bench
            .apply(&plan, &[vec![Value::Int(1), fits.clone()]])
            .await
            .unwrap();
        for id in [1, 2] {
            let error = bench
                .apply(&plan, &[vec![Value::Int(id), changed.clone()]])
                .await
                .unwrap_err();
            assert_eq!(error.code(), "store.value_refused", "{declared}: {error:?}");
            assert!(
                error.to_string().contains("column v of held"),
                "{declared}: {error}"
            );
        }
        assert_eq!(
            bench.rows("held", &columns, &["id"]).await,
            [[Value::Int(1), fits]],
            "{declared}"
        );
        bench.sql("DROP TABLE held").await;
    }
}

#[tokio::test]
async fn types_that_can_only_be_read_are_not_written() {
    let bench = Bench::mysql().await;
    for (declared, column_type) in [
        ("ENUM('a')", TEXT),
        ("YEAR", ColumnType::Int16),
        ("FLOAT(7,2)", ColumnType::Float32),
        ("INT AS (id + 1) PERSISTENT", ColumnType::Int32),
        ("POINT", TEXT),
    ] {
        bench
            .sql(&format!(
                "CREATE TABLE held (id INT PRIMARY KEY, v {declared})"
            ))
            .await;
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
async fn a_table_that_can_not_undo_is_refused() {
    let bench = Bench::mysql().await;
    bench
        .sql(
            "CREATE TABLE place (id VARCHAR(12) PRIMARY KEY, name TEXT, size BIGINT) ENGINE=MyISAM",
        )
        .await;
    let error = bench
        .apply(&plan(1), &[place("1", "a", 1)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.not_transactional");
    assert!(
        error.to_string().contains("MyISAM") && error.to_string().contains("place"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_that_folds_case_matches_and_keeps_the_new_spelling() {
    let bench = Bench::mysql().await;
    bench
        .sql("CREATE TABLE place (id VARCHAR(12) COLLATE utf8mb4_unicode_ci PRIMARY KEY, name TEXT COLLATE utf8mb4_unicode_ci, size BIGINT)")
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
    let exactly = Query::all("place", places()).only(Filter::eq("name", text("x")));
    assert_eq!(bench.query(exactly).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_table_in_another_character_set_is_read_and_ordered_as_utf_8() {
    let bench = Bench::mysql().await;
    bench
        .sql("CREATE TABLE old (t VARCHAR(9)) CHARACTER SET gbk")
        .await;
    // In GBK 平 comes after 河, in UTF-8 before it.
    bench
        .sql("INSERT INTO old VALUES ('河'), ('平'), ('a'), ('B'), (NULL)")
        .await;
    let columns = [column("t", TEXT)];
    let rows = bench.rows("old", &columns, &["t"]).await;
    assert_eq!(
        rows.concat(),
        [Value::Null, text("B"), text("a"), text("平"), text("河")]
    );
    let found = bench
        .query(Query::all("old", columns.to_vec()).only(Filter::eq("t", text("平"))))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn decimals_are_compared_to_the_last_digit() {
    let bench = Bench::mysql().await;
    let column_type = ColumnType::Decimal {
        precision: 38,
        scale: 2,
    };
    let columns = vec![key_column("v", column_type)];
    let plan = ApplyPlan::new("sums", columns.clone(), &["v"], "consumer", 1, "run-1");
    let large = 10_i128.pow(30);
    bench
        .apply(
            &plan,
            &[vec![decimal(large, 2)], vec![decimal(large + 1, 2)]],
        )
        .await
        .unwrap();
    let query = Query::all("sums", columns).only(Filter::eq("v", decimal(large + 1, 2)));
    assert_eq!(bench.query(query).await.unwrap(), [[decimal(large + 1, 2)]]);
}

#[tokio::test]
async fn a_key_too_long_to_index_is_refused() {
    let bench = Bench::mysql().await;
    let mut long = plan(1);
    long.columns[0].column_type = ColumnType::Text {
        chars_max: Some(900),
    };
    assert_eq!(
        bench.apply(&long, &[]).await.unwrap_err().code(),
        "store.type_refused"
    );
    long.columns[0].column_type = TEXT;
    let error = bench
        .apply(&long, &[place(&"x".repeat(256), "a", 1)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "store.value_refused");
    assert_eq!(bench.store.tables().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_without_a_database_is_refused() {
    let error = tongqu_connectors::open("mysql://tax:s3cret@127.0.0.1:3306/").unwrap_err();
    assert_eq!(error.code(), "store.address_invalid");
}

#[tokio::test]
async fn a_server_that_takes_no_files_of_clients_gets_the_rows_all_the_same() {
    let bench = Bench::mysql().await;
    bench.sql("SET GLOBAL local_infile = 0").await;
    let rows = texts_rows(&nasty_texts());
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("first", TEXT),
        column("bytes", ColumnType::Bytes),
        column("last", TEXT),
    ];
    let mut plan = ApplyPlan::new("texts", columns.clone(), &["id"], "consumer", 1, "run-1");
    let first = bench.apply(&plan, &rows).await;
    plan.cursor = 2;
    let again = bench.apply(&plan, &rows).await;
    let mut twice = rows.clone();
    twice.push(rows[0].clone());
    "others".clone_into(&mut plan.table);
    "another".clone_into(&mut plan.consumer);
    let refused = bench.apply(&plan, &twice).await;
    bench.sql("SET GLOBAL local_infile = 1").await;
    let count = u64::try_from(rows.len()).unwrap();
    assert_eq!(first.unwrap().inserted, count);
    assert_eq!(again.unwrap().unchanged, count);
    assert_eq!(refused.unwrap_err().code(), "store.key_duplicates");
    assert_eq!(bench.rows("texts", &columns, &["id"]).await, rows);
    assert_eq!(bench.store.tables().await.unwrap(), ["texts"]);
}

#[tokio::test]
async fn an_empty_table_of_other_types_is_filled_exactly() {
    let bench = Bench::mysql().await;
    bench
        .sql(
            "CREATE TABLE other (id DECIMAL(20,0) NOT NULL PRIMARY KEY, b BIT(1), t TINYINT(1), n BIGINT UNSIGNED, \
             d DECIMAL(30,10), c CHAR(3) CHARACTER SET gbk, l VARCHAR(9) CHARACTER SET latin1, v VARBINARY(4), \
             z TIMESTAMP(6) NOT NULL)",
        )
        .await;
    let money = ColumnType::Decimal {
        precision: 12,
        scale: 2,
    };
    let columns = vec![
        key_column("id", ColumnType::Int64),
        column("b", ColumnType::Boolean),
        column("t", ColumnType::Boolean),
        column("n", ColumnType::UInt64),
        column("d", money),
        column("c", TEXT),
        column("l", TEXT),
        column("v", ColumnType::Bytes),
        key_column("z", ColumnType::Instant),
    ];
    let plan = ApplyPlan::new("other", columns, &["id"], "consumer", 1, "run-1");
    let row = |id, flag: Value, instant| {
        vec![
            Value::Int(id),
            flag.clone(),
            flag,
            Value::UInt(u64::MAX),
            decimal(-5, 2),
            text("平顶山"),
            text("café"),
            Value::Bytes(vec![0x5c, 0xff, 0, 9]),
            instant,
        ]
    };
    let stamp = Value::Instant(1_789_952_523_000_004);
    let rows = [
        row(-1, Value::Bool(true), stamp.clone()),
        row(7, Value::Bool(false), stamp.clone()),
        row(8, Value::Null, stamp),
    ];
    // Some servers would put the present moment where there is none.
    let lacking = [rows[0].clone(), row(9, Value::Null, Value::Null)];
    let mut loose = plan.clone();
    loose.columns[8].nullable = true;
    let error = bench.apply(&loose, &lacking).await.unwrap_err();
    assert_eq!(error.code(), "store.null_refused");
    assert!(error.to_string().contains('z'), "{error}");
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().inserted, 3);
    let kept = "b IS NULL AND id = 8 OR b = (id = -1) AND t = b";
    let exact = "d = -0.05 AND HEX(l) = '636166E9' AND HEX(v) = '5CFF0009' AND z = '2026-09-21 09:02:03.000004'";
    bench
        .sql(&format!(
            "CREATE TABLE seen (n INT PRIMARY KEY); INSERT INTO seen VALUES (3); \
             INSERT INTO seen SELECT COUNT(*) + 1 FROM other WHERE ({kept}) AND {exact} AND c = '平顶山'"
        ))
        .await;
    let seen = [key_column("n", ColumnType::Int32)];
    assert_eq!(
        bench.rows("seen", &seen, &["n"]).await.concat(),
        [Value::Int(3), Value::Int(4)]
    );
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().unchanged, 3);
}
