//! Throttles: an exchange store is read and written no faster than its department or the operator allows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    TestApp, a_request, faults, more_villages, nothing, village_rows, villages_entry,
};

async fn throttle(app: &TestApp, person: &str, store: &str, body: Value) -> crate::support::Reply {
    let path = format!("/stores/{}/throttle", app.store_id(store).await);
    app.as_person(person).put(&path, body).await
}

#[tokio::test]
async fn a_store_is_throttled_by_its_department_and_by_whoever_runs_the_platform() {
    let app = TestApp::start().await;
    for person in ["operator", "stats", "stats_head", "admin"] {
        let body = json!({ "rows_per_s": 5000, "bytes_per_s": 1_048_576 });
        let set = throttle(&app, person, "stats", body).await.ok();
        assert_eq!(
            (&set["rows_per_s"], &set["bytes_per_s"], &set["actions"]),
            (&json!(5000), &json!(1_048_576), &json!(["throttle"])),
            "{person}"
        );
    }
    for (person, code) in [
        ("civil", "access.other_department"),
        ("auditor", "access.no_post"),
    ] {
        throttle(&app, person, "stats", json!({ "rows_per_s": 1 }))
            .await
            .refused(403, code);
    }
    let seen = async |person: &'static str| {
        app.as_person(person).get("/stores").await.ok()["items"][0].clone()
    };
    assert_eq!(seen("stats").await["rows_per_s"], 5000);
    assert_eq!(seen("operator").await["actions"], json!(["throttle"]));

    // What is left out is without limit.
    let set = throttle(&app, "stats", "stats", json!({ "rows_per_s": 100 }))
        .await
        .ok();
    assert_eq!(
        (&set["rows_per_s"], &set["bytes_per_s"]),
        (&json!(100), &Value::Null)
    );
    throttle(&app, "stats", "stats", json!({})).await.ok();
    assert_eq!(seen("stats").await["rows_per_s"], Value::Null);
    app.as_person("operator")
        .put("/stores/sto-unknown/throttle", json!({}))
        .await
        .refused(404, "store.not_found");
    let records = app
        .as_person("auditor")
        .get("/ledger/records?what=directory.store_throttled")
        .await
        .ok();
    assert_eq!(records["items"].as_array().unwrap().len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn a_throttle_outside_its_bounds_is_refused_with_all_its_faults() {
    let app = TestApp::start().await;
    for (rows, bytes) in [
        (0, 1023),
        (-1, 0),
        (10_000_001, 10 * 1024 * 1024 * 1024_i64 + 1),
        (i64::MIN, i64::MAX),
    ] {
        let body = json!({ "rows_per_s": rows, "bytes_per_s": bytes });
        let refused = throttle(&app, "operator", "stats", body)
            .await
            .refused(422, "directory.invalid");
        assert_eq!(
            faults(&refused),
            [
                "rows_per_s: store.rows_per_s",
                "bytes_per_s: store.bytes_per_s"
            ],
            "{rows} {bytes}"
        );
    }
    for (rows, bytes) in [(1, 1024), (10_000_000, 10 * 1024 * 1024 * 1024_i64)] {
        let body = json!({ "rows_per_s": rows, "bytes_per_s": bytes });
        throttle(&app, "operator", "stats", body).await.ok();
    }
    app.finish().await;
}

/// Reading the provider's store and writing into the requester's take their time, and all rows arrive; a limit
/// that is lifted doesn't hold up the run that is under way.
#[tokio::test]
async fn rows_move_at_the_pace_that_is_set() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    let (source, target) = (app.store("stats").await, app.store("civil").await);
    source.sql(&village_rows(300));
    throttle(&app, "operator", "stats", json!({ "rows_per_s": 200 }))
        .await
        .ok();
    throttle(&app, "civil", "civil", json!({ "rows_per_s": 250 }))
        .await
        .ok();
    let began = Instant::now();
    app.mount(&entry, "division_village").await;
    let collected = began.elapsed();
    assert!(
        collected >= Duration::from_millis(1450),
        "300 rows at 200 a second in {collected:?}"
    );
    let mut request = a_request(&entry);
    request["columns"] = json!(["code", "name", "phone"]);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    let began = Instant::now();
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    let delivered = began.elapsed();
    assert!(
        delivered >= Duration::from_millis(2350),
        "300 rows written and read back at 250 a second in {delivered:?}"
    );
    assert_eq!(target.number("SELECT count(*) FROM division_village"), 300);
    let run = app.last_run("civil", &entry, "delivery").await;
    assert_eq!(run.0["receipt"]["equal"], true);

    source.sql(&more_villages(300, 20_000));
    let path = format!(
        "/subscriptions/{}/runs",
        opened["subscription_id"].as_str().unwrap()
    );
    let began = Instant::now();
    app.as_person("operator").post(&path, nothing()).await.ok();
    tokio::time::sleep(Duration::from_millis(500)).await;
    throttle(&app, "operator", "stats", json!({})).await.ok();
    throttle(&app, "operator", "civil", json!({})).await.ok();
    app.idle().await;
    assert!(
        began.elapsed() < Duration::from_mins(1),
        "20,300 rows at 200 a second take 100 seconds"
    );
    assert_eq!(
        target.number("SELECT count(*) FROM division_village"),
        20_300
    );
    app.finish().await;
}
