//! Values and types: equal afterwards, or refused with a reason.

use tongqu_connectors::{ApplyPlan, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::support::{Bench, Engine, column, key_column, text};

pub fn all_types() -> Vec<Column> {
    vec![
        key_column("id", ColumnType::Int32),
        column("boolean", ColumnType::Boolean),
        column("int16", ColumnType::Int16),
        column("int32", ColumnType::Int32),
        column("int64", ColumnType::Int64),
        column("uint64", ColumnType::UInt64),
        column("float32", ColumnType::Float32),
        column("float64", ColumnType::Float64),
        column(
            "money",
            ColumnType::Decimal {
                precision: 12,
                scale: 2,
            },
        ),
        column(
            "long_decimal",
            ColumnType::Decimal {
                precision: 38,
                scale: 20,
            },
        ),
        column("text", ColumnType::Text { chars_max: None }),
        column(
            "short_text",
            ColumnType::Text {
                chars_max: Some(20),
            },
        ),
        column("bytes", ColumnType::Bytes),
        column("date", ColumnType::Date),
        column("time", ColumnType::Time),
        column("stamp", ColumnType::Timestamp),
        column("instant", ColumnType::Instant),
    ]
}

fn decimal(unscaled: i128, scale: i8) -> Value {
    Value::Decimal { unscaled, scale }
}

pub fn edge_rows() -> Vec<Vec<Value>> {
    let nulls = std::iter::once(Value::Int(1))
        .chain(std::iter::repeat_n(Value::Null, 16))
        .collect();
    let least = vec![
        Value::Int(2),
        Value::Bool(false),
        Value::Int(i16::MIN.into()),
        Value::Int(i32::MIN.into()),
        Value::Int(i64::MIN),
        Value::UInt(0),
        Value::Float(f64::from(f32::MIN)),
        Value::Float(f64::MIN),
        decimal(-999_999_999_999, 2),
        decimal(-(10_i128.pow(38) - 1), 20),
        text(""),
        text(""),
        Value::Bytes(Vec::new()),
        // 1900-01-01
        Value::Date(-25_567),
        Value::Time(0),
        // 1899-12-31 23:59:59.999999
        Value::Timestamp(-25_567 * 86_400_000_000 - 1),
        // 1970-01-02 00:00:00.000001
        Value::Instant(86_400_000_001),
    ];
    let most = vec![
        Value::Int(3),
        Value::Bool(true),
        Value::Int(i16::MAX.into()),
        Value::Int(i32::MAX.into()),
        Value::Int(i64::MAX),
        Value::UInt(u64::MAX),
        Value::Float(f64::from(f32::MAX)),
        Value::Float(f64::MAX),
        decimal(999_999_999_999, 2),
        decimal(10_i128.pow(38) - 1, 20),
        text("𠮷野家 😀 \t\n\r'\"\\ %_ 末"),
        text("平顶山市𠮷"),
        Value::Bytes((0..=255).collect()),
        // 9999-12-31
        Value::Date(2_932_896),
        Value::Time(86_399_999_999),
        // 9999-12-31 23:59:59.999999
        Value::Timestamp(2_932_897 * 86_400_000_000 - 1),
        // 2038-01-19 03:14:07.999999, the last one that a MySQL TIMESTAMP has
        Value::Instant(2_147_483_647_999_999),
    ];
    let small = vec![
        Value::Int(4),
        Value::Null,
        Value::Int(-1),
        Value::Int(0),
        Value::Int(-1),
        Value::UInt(9_223_372_036_854_775_808),
        Value::Float(f64::from(0.1_f32)),
        Value::Float(0.1 + 0.2),
        decimal(10, 2),
        decimal(1, 20),
        text(" a  "),
        text("007"),
        Value::Bytes(vec![0]),
        // 2024-02-29
        Value::Date(19_782),
        Value::Time(1),
        Value::Timestamp(0),
        // 2026-09-21 01:02:03.000004 UTC
        Value::Instant(1_789_952_523_000_004),
    ];
    vec![nulls, least, most, small]
}

pub async fn every_type_comes_back_as_it_went_in(bench: &Bench) {
    let plan = ApplyPlan::new("types", all_types(), &["id"], "consumer", 1, "run-1");
    let rows = edge_rows();
    let first = bench.apply(&plan, &rows).await.unwrap();
    assert_eq!(first.inserted, 4);
    let back = bench.rows("types", &all_types(), &["id"]).await;
    for (row, expected) in back.iter().zip(&rows) {
        for ((column, value), expected) in all_types().iter().zip(row).zip(expected) {
            assert_eq!(value, expected, "{} in row {:?}", column.name, row[0]);
        }
    }
    assert_eq!(back.len(), rows.len());
    // The engine must also see that nothing differs, type by type.
    let again = bench.apply(&plan, &rows).await.unwrap();
    assert_eq!((again.inserted, again.updated, again.unchanged), (0, 0, 4));
}

pub async fn numbers_that_are_none_come_back_or_are_refused(bench: &Bench) {
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("single", ColumnType::Float32),
        column("double", ColumnType::Float64),
    ];
    let plan = ApplyPlan::new("numbers", columns.clone(), &["id"], "consumer", 1, "run-1");
    let row = |id, value: f64| vec![Value::Int(id), Value::Float(value), Value::Float(value)];
    let rows = [
        row(1, f64::NAN),
        row(2, f64::INFINITY),
        row(3, f64::NEG_INFINITY),
    ];
    if bench.engine == Engine::Mysql {
        // MySQL has no such numbers; its own answer would be an error or, worse, NULL.
        for odd in &rows {
            let error = bench
                .apply(&plan, std::slice::from_ref(odd))
                .await
                .unwrap_err();
            assert_eq!(error.code(), "store.value_refused");
            assert!(error.to_string().contains("single"), "{error}");
        }
        return;
    }
    if bench.is_through_odbc && bench.engine == Engine::Sqlite {
        // SQLite's own library makes such a number NULL when it is bound as what it is.
        let error = bench.apply(&plan, &rows[..1]).await.unwrap_err();
        assert_eq!(error.code(), "store.value_refused");
        assert!(error.to_string().contains("single"), "{error}");
        bench.apply(&plan, &rows[1..]).await.unwrap();
        assert_eq!(bench.rows("numbers", &columns, &["id"]).await, rows[1..]);
        return;
    }
    bench.apply(&plan, &rows).await.unwrap();
    let back = bench.rows("numbers", &columns, &["id"]).await;
    assert!(matches!(back[0][1..], [Value::Float(a), Value::Float(b)] if a.is_nan() && b.is_nan()));
    assert_eq!(back[1..], rows[1..]);
    let again = bench.apply(&plan, &rows).await.unwrap();
    assert_eq!((again.updated, again.unchanged), (0, 3));
}

pub async fn created_columns_are_discovered_as_they_were_planned(bench: &Bench) {
    let plan = ApplyPlan::new("types", all_types(), &["id"], "consumer", 1, "run-1");
    bench.apply(&plan, &[]).await.unwrap();
    let info = bench.store.discover("types").await.unwrap();
    assert_eq!(info.key, ["id"]);
    assert_eq!(info.refused, []);
    for (found, planned) in info.columns.iter().zip(all_types()) {
        let expected = match (bench.engine, planned.column_type) {
            // What the engine has no type of its own for is kept in the narrowest one that holds it.
            (Engine::Postgres, ColumnType::UInt64) => ColumnType::Decimal {
                precision: 20,
                scale: 0,
            },
            (Engine::Mysql, ColumnType::Boolean) => ColumnType::Int16,
            (_, column_type) => column_type,
        };
        assert_eq!(
            (&found.name, found.column_type, found.nullable),
            (&planned.name, expected, planned.nullable)
        );
    }
    assert_eq!(info.columns.len(), all_types().len());
}
