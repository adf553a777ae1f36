//! Nodes and exchange stores: who serves, who answers, and who may know.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{TestApp, nothing};

/// The view of the nodes, once this one has said that it serves.
async fn nodes(app: &TestApp, person: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = app.as_person(person).get("/nodes").await.ok();
        let nodes = seen["nodes"].as_array().unwrap();
        if nodes
            .iter()
            .any(|node| node["answered"] == true && node["state"] == "serving")
        {
            return seen;
        }
        assert!(Instant::now() < deadline, "the node says nothing of itself");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_node_says_how_it_is_and_keeps_its_name() {
    says_how_it_is(TestApp::start().await, "sqlite").await;
}

#[tokio::test]
async fn a_node_says_how_it_is_and_keeps_its_name_on_postgres() {
    says_how_it_is(TestApp::on_postgres().await, "postgres").await;
}

async fn says_how_it_is(mut app: TestApp, engine: &str) {
    app.idle().await;
    let seen = nodes(&app, "operator").await;
    let node = seen["nodes"][0].clone();
    assert_eq!(
        (&node["state"], &node["answered"], &node["registry_engine"]),
        (&json!("serving"), &json!(true), &json!(engine))
    );
    assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
    let (free, total) = (&node["disk_free"], &node["disk_total"]);
    assert!(
        free.as_i64() > Some(0) && free.as_i64() < total.as_i64(),
        "{node}"
    );
    assert!(node["registry_latency_us"].as_i64() > Some(0), "{node}");

    let id = node["node_id"].clone();
    app.restart().await;
    let again = nodes(&app, "operator").await;
    assert_eq!(again["nodes"].as_array().unwrap().len(), 1, "{again}");
    let node = &again["nodes"][0];
    assert_eq!((&node["node_id"], &node["state"]), (&id, &json!("serving")));
    assert!(
        node["ledger_size"].as_i64() > Some(0),
        "a head was signed at the stop: {node}"
    );
    assert_eq!(node["ledger_root"].as_str().unwrap().len(), 64);
    app.finish().await;
}

#[tokio::test]
async fn a_silent_node_is_late_first_and_then_silent() {
    let app = TestApp::start_with(|config| config.node.heartbeat_s = 3600).await;
    nodes(&app, "operator").await;
    let aged = async |seconds: i64| {
        let then = app.app().clock.wall() - jiff::SignedDuration::from_secs(seconds);
        let registry = rusqlite::Connection::open(app.dir().join("data/registry.db")).unwrap();
        registry.busy_timeout(Duration::from_secs(10)).unwrap();
        registry
            .execute(
                "INSERT INTO nodes SELECT 'node-other', version, started_at, ?1, NULL, registry_engine, \
                 registry_latency_us, disk_free, disk_total, 0, 0, 0, NULL, NULL FROM nodes \
                 WHERE id <> 'node-other' ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at",
                [tongqu_domain::time::instant_text(then)],
            )
            .unwrap();
        let seen = nodes(&app, "operator").await;
        let nodes = seen["nodes"].as_array().unwrap();
        let other = nodes.iter().find(|n| n["node_id"] == "node-other");
        other.map(|n| n["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(aged(60).await.as_deref(), Some("serving"));
    assert_eq!(aged(4 * 3600).await.as_deref(), Some("late"));
    assert_eq!(aged(20 * 3600).await.as_deref(), Some("silent"));
    assert_eq!(
        aged(8 * 24 * 3600).await,
        None,
        "a week later it is forgotten"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_store_that_goes_away_is_found_and_noted_once() {
    goes_away(TestApp::start().await).await;
}

#[tokio::test]
async fn a_store_that_goes_away_is_found_and_noted_once_on_postgres() {
    goes_away(TestApp::on_postgres().await).await;
}

async fn goes_away(app: TestApp) {
    let store = app.store("stats").await;
    let seen = app.as_person("operator").get("/nodes").await.ok();
    assert_eq!(
        seen["stores"][0]["state"], "unknown",
        "nobody has asked it yet"
    );
    let check = async || {
        let checked = app
            .as_person("operator")
            .post("/nodes/store-checks", nothing())
            .await
            .ok();
        checked["stores"][0].clone()
    };
    let first = check().await;
    assert_eq!(
        (&first["state"], &first["department_name"]),
        (&json!("reachable"), &json!("云溪县统计局"))
    );

    store.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let away = store.path().with_extension("away");
    std::fs::rename(store.path(), &away).unwrap();
    let lost = check().await;
    assert_eq!(
        (&lost["state"], &lost["error_code"]),
        (&json!("unreachable"), &json!("store.missing"))
    );
    assert!(lost["message"].as_str().unwrap().contains('请'), "{lost}");
    let still = check().await;
    assert_eq!(still["since"], lost["since"], "away since the first time");
    assert_ne!(still["checked_at"], lost["checked_at"]);
    std::fs::rename(&away, store.path()).unwrap();
    assert_eq!(check().await["state"], "reachable");

    app.idle().await;
    let text = app.ledger_text();
    assert_eq!(text.matches("directory.store_lost").count(), 1);
    assert_eq!(text.matches("directory.store_found").count(), 1);
    app.finish().await;
}

#[tokio::test]
async fn nodes_are_for_those_who_keep_the_platform_running() {
    let app = TestApp::start().await;
    app.as_person("admin").get("/nodes").await.ok();
    for person in ["stats", "auditor", "leader"] {
        app.as_person(person)
            .get("/nodes")
            .await
            .refused(403, "access.no_post");
        app.as_person(person)
            .post("/nodes/store-checks", nothing())
            .await
            .refused(403, "access.no_post");
    }
    app.finish().await;
}
