//! Exchange stores behind ODBC, and the refusal of their addresses where the program was built without it.

use crate::support::TestApp;
#[cfg(feature = "odbc")]
use crate::support::{
    ExchangeDb, more_villages, nothing, village_rows, villages_entry, villages_of_41,
};
#[cfg(feature = "odbc")]
use tongqu_connectors::testing;

/// From a SQLite file to PostgreSQL, both behind their drivers: collected, delivered, read back and compared.
#[cfg(feature = "odbc")]
#[tokio::test]
async fn rows_go_from_store_to_store_behind_odbc() {
    let app = TestApp::start().await;
    let source = ExchangeDb::at(&app.dir().join("behind-odbc.db"));
    source.sql("PRAGMA journal_mode = WAL");
    source.sql(&village_rows(400));
    let url = format!(
        "odbc:Driver={{SQLite3}};Database={};",
        source.path().display()
    );
    let store_id = app.register_store("stats", &url).await;
    let target = testing::postgres().fresh_database().unwrap();
    app.register_store("civil", &odbc_of(&target)).await;

    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    app.mount_from(&entry, &store_id, "division_village").await;
    let request = villages_of_41(&entry);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    let subscription = opened["subscription_id"].as_str().unwrap();
    let first = app.last_run("civil", &entry, "delivery").await;
    assert_eq!(first.0["receipt"]["equal"], true, "{}", first.0["failure"]);
    assert_eq!(held(&target).await, in_scope(&source));

    source.sql(
        "UPDATE division_village SET name = '𠮷村' WHERE code = '410402000004'; \
         DELETE FROM division_village WHERE code = '410402000006'",
    );
    source.sql(&more_villages(400, 10));
    app.run_again(subscription).await;
    let run = app.last_run("civil", &entry, "delivery").await;
    assert_eq!(
        run.counts(),
        "12 read, 7 delivered, 0 unchanged, 5 out of scope, 0 quarantined; +5 ~1 -1"
    );
    assert_eq!(held(&target).await, in_scope(&source));
    let path = format!("/subscriptions/{subscription}/reconciliations");
    app.as_person("operator").post(&path, nothing()).await.ok();
    app.idle().await;
    let compared = app.last_run("civil", &entry, "reconciliation").await;
    assert_eq!(compared.state(), "succeeded");

    let stores = app.as_person("admin").get("/stores").await.ok();
    assert!(!stores.to_string().contains("Pwd"), "{stores}");
    let engines = stores["items"].as_array().unwrap().iter();
    assert!(engines.into_iter().all(|store| store["engine"] == "odbc"));
    app.finish().await;
}

/// The address of a server's database, as its driver has it.
#[cfg(feature = "odbc")]
fn odbc_of(url: &str) -> String {
    let (login, place) = url["postgres://".len()..].rsplit_once('@').unwrap();
    let ((user, password), (host, database)) = (
        login.split_once(':').unwrap(),
        place.split_once('/').unwrap(),
    );
    let (host, port) = host.split_once(':').unwrap();
    format!(
        "odbc:Driver={{PostgreSQL Unicode}};Server={host};Port={port};Database={database};Uid={user};Pwd={password};"
    )
}

/// What the source has in scope, as it is to be delivered.
#[cfg(feature = "odbc")]
fn in_scope(source: &ExchangeDb) -> Vec<Vec<String>> {
    source.rows(
        "SELECT code, name, substr(phone, 1, 3) || '****' || substr(phone, 8) FROM division_village \
         WHERE code LIKE '41%' ORDER BY code",
    )
}

/// What the target holds, by the server's own client.
#[cfg(feature = "odbc")]
async fn held(url: &str) -> Vec<Vec<String>> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let sql =
        "SELECT code, name, coalesce(phone, '-') FROM division_village ORDER BY code COLLATE \"C\"";
    let rows = client.query(sql, &[]).await.unwrap();
    let text = |row: &tokio_postgres::Row| (0..3).map(|place| row.get(place)).collect();
    rows.iter().map(text).collect()
}

#[tokio::test]
async fn an_odbc_address_that_can_not_be_used_is_refused() {
    let app = TestApp::start().await;
    let department_id = app.department("stats").await;
    let url = "odbc:Driver={No Such Driver};Uid=tax;Pwd=s3cret;";
    let body = serde_json::json!({ "department_id": department_id, "name": "前置库", "url": url });
    app.expects_in_log("store.unreachable");
    let answer = app.as_person("admin").post("/stores", body).await;
    let problem = if cfg!(feature = "odbc") {
        answer.refused(503, "store.unreachable")
    } else {
        answer.refused(422, "store.address_invalid")
    };
    assert!(!problem.to_string().contains("s3cret"));
    app.finish().await;
}
