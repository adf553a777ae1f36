//! Finding out what a store holds.

use tongqu_connectors::{ApplyPlan, KeyCheck};

use crate::support::{Bench, Engine, place, places, plan};

pub async fn keys_are_checked_for_duplicates_and_nulls(bench: &Bench) {
    bench
        .sql("CREATE TABLE loose (a VARCHAR(10), b VARCHAR(10))")
        .await;
    bench
        .sql("INSERT INTO loose VALUES ('1', 'x'), ('1', 'x'), ('1', 'x'), ('2', 'x'), ('2', 'y'), (NULL, 'x'), (NULL, NULL), ('q', 'x'), ('Q', 'x')")
        .await;
    let check = |key: &'static [&'static str]| async move {
        let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
        bench.store.check_key("loose", &key).await
    };
    // `q` and `Q` are two keys.
    assert_eq!(
        check(&["a"]).await.unwrap(),
        KeyCheck {
            duplicates: 3,
            nulls: 2
        }
    );
    assert_eq!(
        check(&["a", "b"]).await.unwrap(),
        KeyCheck {
            duplicates: 2,
            nulls: 2
        }
    );
    assert!(!check(&["a", "b"]).await.unwrap().is_sound());
    assert_eq!(
        check(&["c"]).await.unwrap_err().code(),
        "store.column_missing"
    );
    assert_eq!(check(&[]).await.unwrap_err().code(), "store.plan_invalid");
    bench
        .sql("DELETE FROM loose WHERE a IS NULL OR a = '1'")
        .await;
    assert!(check(&["a", "b"]).await.unwrap().is_sound());
}

pub async fn tables_are_listed_without_our_own(bench: &Bench) {
    bench.apply(&plan(1), &[place("1", "x", 1)]).await.unwrap();
    bench.sql("CREATE TABLE another (a INTEGER)").await;
    bench
        .sql("CREATE VIEW some_places AS SELECT id, name FROM place")
        .await;
    assert_eq!(
        bench.store.tables().await.unwrap(),
        ["another", "place", "some_places"]
    );
    let view = bench.store.discover("some_places").await.unwrap();
    assert_eq!(
        view.columns
            .iter()
            .map(|column| column.name.as_str())
            .collect::<Vec<_>>(),
        ["id", "name"]
    );
    assert_eq!(view.key, Vec::<String>::new());
    assert_eq!(
        bench
            .rows("some_places", &view.columns, &["id"])
            .await
            .len(),
        1
    );
    assert_eq!(
        bench.store.discover("nowhere").await.unwrap_err().code(),
        "store.table_missing"
    );
}

pub async fn odd_names_are_only_names(bench: &Bench) {
    if bench.is_through_odbc && bench.engine == Engine::Sqlite {
        // Its driver gets statements in the process's character set, which here is ASCII.
        let plan = ApplyPlan::new("区划", places(), &["id"], "consumer", 1, "run-1");
        let error = bench.apply(&plan, &[place("1", "x", 1)]).await.unwrap_err();
        assert_eq!(error.code(), "store.type_refused");
        bench
            .sql("CREATE TABLE plain (id INTEGER, 名称 TEXT)")
            .await;
        bench.sql("CREATE TABLE 区划 (id INTEGER)").await;
        let info = bench.store.discover("plain").await.unwrap();
        assert_eq!((info.columns.len(), info.refused.len()), (1, 1));
        assert_eq!(bench.store.tables().await.unwrap(), ["plain"]);
        return odd_names(bench, "admin \"areas\"; DROP TABLE x --", "no `.`").await;
    }
    odd_names(bench, "行政 \"区划\"; DROP TABLE x --", "编 `号`").await;
}

async fn odd_names(bench: &Bench, table: &str, key: &str) {
    let mut columns = places();
    key.clone_into(&mut columns[0].name);
    "select \"'?".clone_into(&mut columns[1].name);
    let plan = ApplyPlan::new(table, columns.clone(), &[key], "o'consumer\"`", 1, "run'1");
    bench.apply(&plan, &[place("1", "x", 1)]).await.unwrap();
    let second = bench.apply(&plan, &[place("1", "y", 1)]).await.unwrap();
    assert_eq!(second.updated, 1);
    assert_eq!(
        bench.rows(table, &columns, &[key]).await,
        [place("1", "y", 1)]
    );
    assert_eq!(bench.store.discover(table).await.unwrap().columns, columns);
    assert_eq!(bench.store.cursor("o'consumer\"`").await.unwrap(), Some(1));
    assert!(
        bench
            .store
            .tables()
            .await
            .unwrap()
            .contains(&table.to_owned())
    );
}
