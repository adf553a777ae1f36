//! Reading: order, filters, batches, snapshots.

use futures_util::StreamExt;
use tongqu_connectors::{ApplyPlan, Filter, FilterOp, Query, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::support::{
    Bench, Engine, TEXT, collect, column, key_column, place, places, plan, text, values_of,
};

fn first_texts(rows: &[Vec<Value>]) -> Vec<&str> {
    fn first(row: &[Value]) -> &str {
        let Value::Text(text) = &row[0] else {
            panic!("the first column is text")
        };
        text
    }
    rows.iter().map(|row| first(row)).collect()
}

/// Texts that every linguistic collation orders otherwise than their bytes.
const TRICKY: [&str; 12] = [
    "", " ", "B", "Z", "_", "a", "a ", "aA", "aa", "ß", "中", "𠮷",
];

pub async fn text_is_ordered_bytewise(bench: &Bench) {
    let collation = match bench.engine {
        Engine::Sqlite => "COLLATE NOCASE",
        Engine::Postgres => "COLLATE \"zh-x-icu\"",
        Engine::Mysql => "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    };
    bench
        .sql(&format!("CREATE TABLE tricky (t VARCHAR(20) {collation})"))
        .await;
    for value in TRICKY.iter().rev() {
        bench
            .sql(&format!("INSERT INTO tricky VALUES ('{value}')"))
            .await;
    }
    let columns = [column("t", TEXT)];
    assert_eq!(
        first_texts(&bench.rows("tricky", &columns, &["t"]).await),
        TRICKY
    );

    // The table that we create orders alike, through its key.
    let own = vec![key_column("t", TEXT)];
    let rows: Vec<Vec<Value>> = TRICKY.iter().map(|value| vec![text(value)]).collect();
    let plan = ApplyPlan::new("own", own.clone(), &["t"], "consumer", 1, "run-1");
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().inserted, 12);
    assert_eq!(first_texts(&bench.rows("own", &own, &["t"]).await), TRICKY);
}

pub async fn numbers_and_dates_are_ordered_by_value(bench: &Bench) {
    let decimal = |unscaled| Value::Decimal { unscaled, scale: 2 };
    let cases: Vec<(ColumnType, Vec<Value>)> = vec![
        (
            ColumnType::Int64,
            vec![
                Value::Int(-10),
                Value::Int(-9),
                Value::Int(9),
                Value::Int(10),
            ],
        ),
        (
            ColumnType::UInt64,
            vec![
                Value::UInt(9),
                Value::UInt(10),
                Value::UInt(i64::MAX as u64 + 1),
                Value::UInt(u64::MAX),
            ],
        ),
        (
            ColumnType::Decimal {
                precision: 20,
                scale: 2,
            },
            vec![
                decimal(-1000),
                decimal(-950),
                decimal(-5),
                decimal(950),
                decimal(1000),
            ],
        ),
        (
            ColumnType::Date,
            vec![Value::Date(-1), Value::Date(0), Value::Date(10_000)],
        ),
        (
            ColumnType::Timestamp,
            vec![
                Value::Timestamp(-1),
                Value::Timestamp(0),
                Value::Timestamp(1),
            ],
        ),
        (
            ColumnType::Instant,
            vec![Value::Instant(2_000_000), Value::Instant(2_000_001)],
        ),
        (
            ColumnType::Boolean,
            vec![Value::Bool(false), Value::Bool(true)],
        ),
    ];
    for (position, (column_type, values)) in cases.into_iter().enumerate() {
        let table = format!("ordered_{position}");
        let columns = vec![key_column("v", column_type)];
        let plan = ApplyPlan::new(&table, columns.clone(), &["v"], "consumer", 1, "run-1");
        let rows: Vec<Vec<Value>> = values
            .iter()
            .rev()
            .map(|value| vec![value.clone()])
            .collect();
        bench.apply(&plan, &rows).await.unwrap();
        if is_refused_to_order(bench, column_type) {
            let plain = Query::all(&table, columns);
            let above = plain.clone().only(Filter::gt("v", values[0].clone()));
            for query in [plain.ordered_by(&["v"]), above] {
                let error = bench.query(query).await.unwrap_err();
                assert_eq!(error.code(), "store.type_refused", "{column_type}");
            }
            continue;
        }
        let back = bench.rows(&table, &columns, &["v"]).await;
        assert_eq!(
            back.into_iter().flatten().collect::<Vec<_>>(),
            values,
            "{column_type}"
        );
        // Comparing follows the same order.
        let above = bench
            .query(Query::all(&table, columns).only(Filter::gt("v", values[0].clone())))
            .await
            .unwrap();
        assert_eq!(above.len(), values.len() - 1, "{column_type}");
    }
}

/// What SQLite keeps as text is ordered by functions of our own, which its library behind ODBC hasn't.
fn is_refused_to_order(bench: &Bench, column_type: ColumnType) -> bool {
    let is_text = matches!(
        column_type,
        ColumnType::UInt64
            | ColumnType::Decimal { .. }
            | ColumnType::Timestamp
            | ColumnType::Instant
    );
    bench.is_through_odbc && bench.engine == Engine::Sqlite && is_text
}

async fn with_places(bench: &Bench) -> Vec<Vec<Value>> {
    let rows = vec![
        place("41", "河南省", 4),
        place("4104", "平顶山市", 3),
        place("410402", "新华区", 2),
        place("42", "湖北省", 4),
        place("4_", "条件", 1),
        vec![text("43"), Value::Null, Value::Null],
    ];
    bench.apply(&plan(1), &rows).await.unwrap();
    rows
}

pub async fn filters_choose_exactly_their_rows(bench: &Bench) {
    with_places(bench).await;
    let size = |op, size| Filter::new("size", op, Value::Int(size));
    let cases: Vec<(Filter, &[&str])> = vec![
        (Filter::eq("name", text("平顶山市")), &["4104"]),
        (Filter::eq("id", text("41 ")), &[]),
        (Filter::prefix("id", "41"), &["41", "4104", "410402"]),
        (Filter::prefix("id", "4_"), &["4_"]),
        (
            Filter::prefix("id", ""),
            &["41", "4104", "410402", "42", "43", "4_"],
        ),
        (Filter::prefix("name", "河"), &["41"]),
        (
            Filter::within("id", vec![text("42"), text("43"), text("99")]),
            &["42", "43"],
        ),
        (Filter::within("id", vec![]), &[]),
        (
            Filter::within("size", vec![Value::Int(1), Value::Int(2)]),
            &["410402", "4_"],
        ),
        (size(FilterOp::Eq, 4), &["41", "42"]),
        (size(FilterOp::Gt, 3), &["41", "42"]),
        (size(FilterOp::Ge, 3), &["41", "4104", "42"]),
        (size(FilterOp::Lt, 2), &["4_"]),
        (size(FilterOp::Le, 2), &["410402", "4_"]),
        (Filter::eq("name", text("x' OR '1'='1")), &[]),
    ];
    for (filter, expected) in cases {
        let query = Query::all("place", places())
            .only(filter.clone())
            .ordered_by(&["id"]);
        assert_eq!(
            first_texts(&bench.query(query).await.unwrap()),
            expected,
            "{filter:?}"
        );
    }
    let both = Query::all("place", places())
        .only(Filter::prefix("id", "41"))
        .only(size(FilterOp::Lt, 4))
        .ordered_by(&["id"]);
    assert_eq!(
        first_texts(&bench.query(both).await.unwrap()),
        ["4104", "410402"]
    );
}

/// As many as one reading may name, of one column and of several; keys that aren't there find nothing.
pub async fn rows_are_read_by_their_keys(bench: &Bench) {
    let columns = vec![
        key_column("area", TEXT),
        key_column("n", ColumnType::Int64),
        column("name", TEXT),
    ];
    let rows: Vec<Vec<Value>> = (0..600)
        .map(|n| {
            let area = ["41", "42", "𠮷'"][n % 3];
            let n = i64::try_from(n).unwrap();
            vec![text(area), Value::Int(n), text("x")]
        })
        .collect();
    let (one, both) = (
        vec!["n".to_owned()],
        vec!["area".to_owned(), "n".to_owned()],
    );
    let plan = ApplyPlan::new("keyed", columns.clone(), &both, "consumer", 1, "run-1");
    bench.apply(&plan, &rows).await.unwrap();
    let found = async |key: &[String], keys: Vec<Vec<Value>>| {
        let query = Query::all("keyed", columns.clone())
            .only(Filter::gt("n", Value::Int(2)))
            .with_keys(key, keys)
            .ordered_by(&["n"]);
        bench.query(query).await.unwrap()
    };
    let most = i64::try_from(Query::keys_max(1)).unwrap();
    let named = (0..most).map(|n| vec![Value::Int(n)]).collect();
    assert_eq!(found(&one, named).await, rows[3..]);
    let mut named: Vec<Vec<Value>> = rows[..200].iter().map(|row| row[..2].to_vec()).collect();
    named.push(vec![text("42"), Value::Int(3)]);
    named.push(vec![text("43"), Value::Int(9)]);
    assert!(named.len() <= Query::keys_max(2));
    assert_eq!(found(&both, named).await, rows[3..200]);
    assert!(found(&both, Vec::new()).await.is_empty());
}

pub async fn a_filter_may_name_a_column_that_is_not_read(bench: &Bench) {
    with_places(bench).await;
    let names = vec![column("name", TEXT)];
    let query = Query::all("place", names)
        .only(Filter::prefix("id", "41"))
        .ordered_by(&["size"]);
    assert_eq!(
        first_texts(&bench.query(query).await.unwrap()),
        ["新华区", "平顶山市", "河南省"]
    );
}

pub async fn batches_keep_within_their_limits(bench: &Bench) {
    let rows: Vec<Vec<Value>> = (0..1_000)
        .map(|n| place(&format!("{n:04}"), &"字".repeat(100), n))
        .collect();
    bench.apply(&plan(1), &rows).await.unwrap();
    let sizes = |query: Query| async move {
        let stream = bench.store.read(query).await.unwrap();
        stream
            .map(|batch| batch.unwrap().num_rows())
            .collect::<Vec<_>>()
            .await
    };
    assert_eq!(
        sizes(Query::all("place", places()).in_batches_of(300)).await,
        [300, 300, 300, 100]
    );
    let mut narrow = Query::all("place", places());
    narrow.batch_bytes_max = 32_000;
    // A row has 300 bytes of name and less than 30 of everything else.
    let by_bytes = sizes(narrow.clone()).await;
    assert!(
        by_bytes
            .iter()
            .all(|rows| (90..=110).contains(rows) || *rows < 90),
        "{by_bytes:?}"
    );
    assert_eq!(by_bytes.iter().sum::<usize>(), 1_000);
    narrow.batch_bytes_max = 1;
    assert_eq!(sizes(narrow).await, vec![1; 1_000]);
}

pub async fn a_stream_is_one_snapshot(bench: &Bench) {
    let rows: Vec<Vec<Value>> = (0..2_000)
        .map(|n| place(&format!("{n:04}"), "before", n))
        .collect();
    bench.apply(&plan(1), &rows).await.unwrap();
    let query = Query::all("place", places())
        .ordered_by(&["id"])
        .in_batches_of(10);
    let mut stream = bench.store.read(query).await.unwrap();
    let first = values_of(&stream.next().await.unwrap().unwrap());
    // Everything changes while the stream is being read.
    bench.sql("UPDATE place SET name = 'after'").await;
    bench.sql("DELETE FROM place WHERE id > '1000'").await;
    let rest = collect(stream).await.unwrap();
    assert_eq!(first.len() + rest.len(), 2_000);
    assert!(
        first
            .iter()
            .chain(&rest)
            .all(|row| row[1] == text("before"))
    );
}

pub async fn a_dropped_stream_ends_its_reading(bench: &Bench) {
    let rows: Vec<Vec<Value>> = (0..2_000)
        .map(|n| place(&format!("{n:04}"), "x", n))
        .collect();
    bench.apply(&plan(1), &rows).await.unwrap();
    for _ in 0..20 {
        let mut stream = bench
            .store
            .read(Query::all("place", places()).in_batches_of(10))
            .await
            .unwrap();
        stream.next().await.unwrap().unwrap();
    }
    // The table isn't held by any of them: it can be dropped.
    bench.sql("DROP TABLE place").await;
    assert_eq!(
        bench.store.discover("place").await.unwrap_err().code(),
        "store.table_missing"
    );
}

pub async fn an_empty_table_gives_an_empty_stream(bench: &Bench) {
    bench.apply(&plan(1), &[]).await.unwrap();
    assert_eq!(
        bench.rows("place", &places(), &["id"]).await,
        Vec::<Vec<Value>>::new()
    );
}

pub async fn missing_tables_and_columns_are_named(bench: &Bench) {
    bench.apply(&plan(1), &[]).await.unwrap();
    let gone = bench
        .query(Query::all("nowhere", places()))
        .await
        .unwrap_err();
    assert_eq!(gone.code(), "store.table_missing");
    assert!(gone.to_string().contains("nowhere"));
    let with = |name: &str| Query::all("place", vec![column(name, TEXT)]);
    let queries = [
        with("colour"),
        with("name").only(Filter::eq("colour", text("red"))),
        with("name").ordered_by(&["colour"]),
    ];
    for query in queries {
        let error = bench.query(query).await.unwrap_err();
        assert_eq!(error.code(), "store.column_missing");
        assert!(
            error.to_string().contains("colour") && error.to_string().contains("place"),
            "{error}"
        );
    }
}

pub async fn a_narrower_type_is_refused_before_reading(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "x", 1)]).await.unwrap();
    for (name, wanted) in [
        ("size", TEXT),
        ("name", ColumnType::Int64),
        ("name", ColumnType::Date),
        ("size", ColumnType::Bytes),
    ] {
        let error = bench
            .query(Query::all("place", vec![column(name, wanted)]))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "store.type_refused", "{name} as {wanted}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

pub async fn null_where_none_is_expected_is_refused(bench: &Bench) {
    bench
        .apply(&plan(1), &[vec![text("1"), Value::Null, Value::Null]])
        .await
        .unwrap();
    let strict: Vec<Column> = vec![key_column("name", TEXT)];
    let error = bench.query(Query::all("place", strict)).await.unwrap_err();
    assert_eq!(error.code(), "store.value_refused");
    assert!(error.to_string().contains("name"), "{error}");
}

pub async fn a_pool_feed_is_read_by_sequence(bench: &Bench) {
    let mut columns = places();
    columns.push(key_column("_seq", ColumnType::Int64));
    columns.push(key_column("_deleted", ColumnType::Int16));
    let mut plan = ApplyPlan::new("place", columns.clone(), &["id"], "pool", 3, "run-1");
    plan.index_on = vec!["_seq".to_owned()];
    let pooled = |id: &str, seq, deleted| {
        let mut row = place(id, "x", 1);
        row.extend([Value::Int(seq), Value::Int(deleted)]);
        row
    };
    bench
        .apply(
            &plan,
            &[pooled("a", 1, 0), pooled("b", 2, 0), pooled("c", 3, 0)],
        )
        .await
        .unwrap();
    plan.cursor = 5;
    let second = bench
        .apply(&plan, &[pooled("a", 4, 1), pooled("d", 5, 0)])
        .await
        .unwrap();
    assert_eq!((second.inserted, second.updated), (1, 1));
    let feed = Query::all("place", columns)
        .only(Filter::gt("_seq", Value::Int(3)))
        .ordered_by(&["_seq"]);
    assert_eq!(
        bench.query(feed).await.unwrap(),
        [pooled("a", 4, 1), pooled("d", 5, 0)]
    );
}
