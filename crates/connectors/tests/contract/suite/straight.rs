//! The first rows of a consumer, for which an empty table is filled without a detour.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tongqu_connectors::rows::Op;
use tongqu_connectors::{ApplyPlan, BatchStream, ConnectorError, Value};
use tongqu_domain::exchange::{Column, ColumnType};

use crate::support::{
    Bench, Engine, TEXT, batches, changes, column, key_column, place, places, plan, text,
    upsert_batch,
};

/// Texts at which forms of writing rows down stumble, one by one and all together.
pub fn nasty_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "  两端  ",
        "\\N",
        "\\",
        "\\\\N",
        "\\.",
        "NULL",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "a\tb\nc\rd\\e",
        "\\t\\n\\0",
        "'\"`",
        "a,b;c|d",
        "\u{1}\u{1a}\u{1b}\u{1f}\u{7f}",
        "\u{feff}带标记",
        "零宽\u{200b}\u{200d}",
        "𠮷野家😀👨‍👩‍👧𬱖",
        "\u{10ffff}\u{ffff}\u{fffd}",
        "e\u{301}\u{0}".trim_end_matches('\u{0}'),
        "%s ? :1 $1 @x {} \u{a0}",
    ]
    .map(str::to_owned)
    .into();
    texts.push(texts.concat());
    // More than fits into one chunk, with something to escape at every place where a chunk may end.
    texts.push("长\t\\\n".repeat(100_000));
    texts
}

fn texts_plan(cursor: i64) -> ApplyPlan {
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("first", TEXT),
        column("bytes", ColumnType::Bytes),
        column("last", TEXT),
    ];
    ApplyPlan::new("texts", columns, &["id"], "consumer", cursor, "run-1")
}

/// Each text at both ends of its row, beside NULL and beside bytes that are no text.
pub fn texts_rows(texts: &[String]) -> Vec<Vec<Value>> {
    let bytes = |id: i64| match id % 4 {
        0 => Value::Null,
        1 => Value::Bytes(Vec::new()),
        2 => Value::Bytes((0..=255).collect()),
        // What begins a character of several bytes, before what separates or escapes.
        _ => Value::Bytes(vec![
            0xe4, b'\\', 0xf0, b'\t', 0xc3, b'\n', 0xff, 0, b'\\', b'N',
        ]),
    };
    let mut rows = Vec::new();
    for (id, value) in (0_i64..).zip(texts) {
        let (first, last) = if id % 2 == 0 {
            (text(value), Value::Null)
        } else {
            (Value::Null, text(value))
        };
        rows.push(vec![Value::Int(2 * id), first, bytes(id), last]);
        rows.push(vec![
            Value::Int(2 * id + 1),
            text(value),
            bytes(id + 1),
            text(value),
        ]);
    }
    rows
}

pub async fn every_text_arrives_as_it_is(bench: &Bench) {
    let mut texts = nasty_texts();
    if bench.engine != Engine::Postgres {
        texts.push("nul\u{0}中\u{0}\\0".to_owned());
    }
    let rows = texts_rows(&texts);
    let plan = texts_plan(1);
    let first = bench.apply(&plan, &rows).await.unwrap();
    assert_eq!(first.inserted, u64::try_from(rows.len()).unwrap());
    let back = bench.rows("texts", &plan.columns, &["id"]).await;
    for (found, expected) in back.iter().zip(&rows) {
        assert_eq!(found, expected, "row {:?}", expected[0]);
    }
    assert_eq!(back.len(), rows.len());
    // By way of the stage they come to the same.
    let again = bench.apply(&texts_plan(2), &rows).await.unwrap();
    assert_eq!((again.updated, again.unchanged), (0, first.inserted));
}

pub async fn a_row_may_be_one_empty_text(bench: &Bench) {
    let columns = vec![key_column(
        "id",
        ColumnType::Text {
            chars_max: Some(12),
        },
    )];
    let plan = ApplyPlan::new("keys", columns.clone(), &["id"], "consumer", 1, "run-1");
    let rows = [vec![text("")], vec![text("\\")], vec![text("a")]];
    assert_eq!(bench.apply(&plan, &rows).await.unwrap().inserted, 3);
    let mut back = bench.rows("keys", &columns, &["id"]).await;
    back.sort_by_key(|row| format!("{row:?}").len());
    assert_eq!(back, [&rows[0][..], &rows[2], &rows[1]]);
}

pub async fn floating_point_numbers_keep_every_bit(bench: &Bench) {
    let columns = vec![
        key_column("id", ColumnType::Int32),
        column("single", ColumnType::Float32),
        column("double", ColumnType::Float64),
    ];
    let plan = ApplyPlan::new("numbers", columns.clone(), &["id"], "consumer", 1, "run-1");
    let mut bits: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut rows = Vec::new();
    while rows.len() < 3_000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let single = f32::from_bits(u32::try_from(bits >> 32).unwrap());
        let double = f64::from_bits(bits.rotate_left(17));
        if single.is_normal() && double.is_finite() {
            let id = i64::try_from(rows.len()).unwrap();
            rows.push(vec![
                Value::Int(id),
                Value::Float(single.into()),
                Value::Float(double),
            ]);
        }
    }
    bench.apply(&plan, &rows).await.unwrap();
    let back = bench.rows("numbers", &columns, &["id"]).await;
    for (found, expected) in back.iter().zip(&rows) {
        assert_eq!(found, expected);
    }
    assert_eq!(back.len(), rows.len());
}

/// `count` rows in batches, of which `late` makes the last one.
fn many(count: i64, late: Vec<Value>) -> BatchStream {
    const BATCH: i64 = 10_000;
    let row = |n: i64| place(&format!("{n:07}"), "plain", n);
    let whole = (0..count / BATCH).map(move |batch| {
        let rows: Vec<_> = (batch * BATCH..(batch + 1) * BATCH).map(row).collect();
        Ok(upsert_batch(&places(), &rows))
    });
    let last = std::iter::once_with(move || Ok(upsert_batch(&places(), &[late])));
    stream::iter(whole.chain(last)).boxed()
}

/// Everything is as if the apply had not been: the next one begins anew.
async fn assert_nothing_is_there(bench: &Bench) {
    assert_eq!(bench.store.tables().await.unwrap(), Vec::<String>::new());
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), None);
    assert_eq!(
        bench
            .apply(&plan(1), &[place("1", "a", 1)])
            .await
            .unwrap()
            .inserted,
        1
    );
}

pub async fn a_key_that_comes_again_very_late_undoes_all(bench: &Bench) {
    let late = place("0000007", "again", 7);
    let error = bench.store.apply(plan(1), many(60_000, late)).await;
    assert_eq!(
        error.unwrap_err(),
        ConnectorError::KeyDuplicates {
            table: "place".to_owned(),
            duplicates: 1
        }
    );
    assert_nothing_is_there(bench).await;
}

pub async fn duplicates_of_the_first_rows_are_counted(bench: &Bench) {
    let rows = [
        place("1", "a", 1),
        place("2", "b", 2),
        place("1", "c", 3),
        place("1", "a", 1),
        place("2", "b", 2),
    ];
    let error = bench.apply(&plan(1), &rows).await.unwrap_err();
    let expected = ConnectorError::KeyDuplicates {
        table: "place".to_owned(),
        duplicates: 3,
    };
    assert_eq!(error, expected);
    // Where the table is there, some engines stop at the first one.
    bench.store.apply(plan(0), batches(vec![])).await.unwrap();
    bench.store.drop_consumer("consumer").await.unwrap();
    let error = bench.apply(&plan(1), &rows).await.unwrap_err();
    assert_eq!(error.code(), "store.key_duplicates");
    assert!(bench.rows("place", &places(), &["id"]).await.is_empty());
}

pub async fn a_value_too_long_very_late_undoes_all(bench: &Bench) {
    if bench.engine == Engine::Sqlite {
        // There a declared length says nothing.
        return;
    }
    let late = place("123456789012345", "too long a key", 7);
    let error = bench.store.apply(plan(1), many(60_000, late)).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), "store.value_refused");
    assert!(error.to_string().contains("column id of place"), "{error}");
    assert_nothing_is_there(bench).await;
}

pub async fn changes_that_fail_very_late_undo_all(bench: &Bench) {
    let broken = ConnectorError::Stopped {
        reason: "too many faulty rows".to_owned(),
    };
    let late = place("last", "z", 0);
    let failing = many(60_000, late).chain(stream::iter([Err(broken.clone())]));
    let error = bench.store.apply(plan(1), failing.boxed()).await;
    assert_eq!(error.unwrap_err(), broken);
    assert_nothing_is_there(bench).await;
}

pub async fn a_first_caller_who_goes_away_leaves_no_row(bench: &Bench) {
    bench.apply(&plan(0), &[]).await.unwrap();
    bench.store.drop_consumer("consumer").await.unwrap();
    let endless = many(20_000, place("last", "z", 0)).chain(stream::pending());
    let apply = bench.store.apply(plan(1), endless.boxed());
    let waited = tokio::time::timeout(Duration::from_secs(2), apply).await;
    assert!(waited.is_err());
    assert!(bench.rows("place", &places(), &["id"]).await.is_empty());
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), None);
    let next = bench.apply(&plan(1), &[place("1", "a", 1)]).await.unwrap();
    assert_eq!(next.inserted, 1);
}

pub async fn a_deletion_finds_nothing_in_an_empty_table(bench: &Bench) {
    let set = [
        (Op::Upsert, place("1", "a", 1)),
        (Op::Upsert, place("2", "b", 2)),
        (Op::Delete, vec![text("9"), Value::Null, Value::Null]),
    ];
    let stream = changes(&places(), &set);
    let done = bench.store.apply(plan(1).replacing_all(), stream).await;
    let done = done.unwrap();
    assert_eq!(
        (done.inserted, done.updated, done.deleted, done.unchanged),
        (2, 0, 0, 1)
    );
    assert_eq!(bench.rows("place", &places(), &["id"]).await.len(), 2);
}

/// The declared table has its columns in another order, one more with a default, and takes its keys as they come.
pub async fn a_declared_empty_table_is_filled_by_name(bench: &Bench) {
    bench
        .sql(
            "CREATE TABLE place (size BIGINT, note VARCHAR(9) DEFAULT 'none', name VARCHAR(50), \
             id VARCHAR(12) NOT NULL PRIMARY KEY)",
        )
        .await;
    let rows: Vec<_> = (0..200)
        .rev()
        .map(|n| place(&format!("{n:03}"), "own", n))
        .collect();
    assert_eq!(bench.apply(&plan(1), &rows).await.unwrap().inserted, 200);
    let mut columns: Vec<Column> = places();
    columns.push(column("note", TEXT));
    let back = bench.rows("place", &columns, &["id"]).await;
    assert_eq!(back.len(), 200);
    assert_eq!(
        back[7],
        [text("007"), text("own"), Value::Int(7), text("none")]
    );
}
