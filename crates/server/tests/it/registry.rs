//! The registry on its two engines: the same schema, and the same answers of what the API doesn't show.

use std::collections::BTreeMap;

use tongqu::platform::db::Registry;
use tongqu_connectors::testing;

/// Table to column to whether it may be NULL.
type Schema = BTreeMap<String, BTreeMap<String, bool>>;

fn add(schema: &mut Schema, table: String, column: String, nullable: bool) {
    schema.entry(table).or_default().insert(column, nullable);
}

fn of_sqlite(path: &std::path::Path) -> Schema {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut statement = db
        .prepare(
            "SELECT t.name, c.name, c.\"notnull\" = 0 AND c.pk = 0 FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
        )
        .unwrap();
    let mut schema = Schema::new();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    for row in rows {
        let (table, column, nullable) = row.unwrap();
        add(&mut schema, table, column, nullable);
    }
    schema
}

async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// One migration in two dialects is one migration: whoever adds a column to one has to add it to the other.
#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.db");
    Registry::open(&format!("sqlite:{}", path.display()), 2)
        .await
        .unwrap()
        .close()
        .await;
    let embedded = of_sqlite(&path);

    let url = testing::postgres().fresh_database().unwrap();
    Registry::open(&url, 2).await.unwrap().close().await;
    let client = client(&url).await;
    let mut grown = Schema::new();
    let columns = "SELECT table_name::text, column_name::text, is_nullable = 'YES' FROM information_schema.columns \
                   WHERE table_schema = 'public'";
    for row in client.query(columns, &[]).await.unwrap() {
        add(&mut grown, row.get(0), row.get(1), row.get(2));
    }
    assert!(embedded.len() > 15, "{embedded:?}");
    assert_eq!(embedded, grown);

    let indexes = |names: Vec<String>| -> Vec<String> {
        let mut names: Vec<String> = names.into_iter().filter(|n| n.contains("_by_")).collect();
        names.sort();
        names
    };
    let db = rusqlite::Connection::open(&path).unwrap();
    let mut statement = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index'")
        .unwrap();
    let embedded = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<Vec<String>, _>>()
        .unwrap();
    let rows = client
        .query(
            "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        indexes(embedded),
        indexes(rows.iter().map(|row| row.get(0)).collect())
    );
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.db");
    let embedded = format!("sqlite:{}", path.display());
    for url in [embedded, testing::postgres().fresh_database().unwrap()] {
        for _ in 0..2 {
            let registry = Registry::open(&url, 2).await.unwrap();
            let mut db = registry.read().await.unwrap();
            let waiting = tongqu::platform::db::outbox::waiting(&mut db, "", 100)
                .await
                .unwrap();
            assert_eq!(waiting.len(), 1, "one record of one migration");
            drop(db);
            registry.close().await;
        }
    }
}

/// A registry of a newer version is left alone.
#[tokio::test]
async fn a_registry_from_the_future_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.db");
    let url = format!("sqlite:{}", path.display());
    Registry::open(&url, 2).await.unwrap().close().await;
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute(
        "INSERT INTO schema_migrations (name) VALUES ('9999_flying_cars')",
        [],
    )
    .unwrap();
    drop(db);
    let error = Registry::open(&url, 2).await.unwrap_err().to_string();
    assert!(error.contains("9999_flying_cars"), "{error}");
}
