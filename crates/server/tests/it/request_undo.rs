//! What was filed can be taken back for a while before anybody else sees it.

use serde_json::{Value, json};

use crate::support::{TestApp, a_request, nothing, step, village_rows, villages_entry};

async fn held(class: &str) -> (TestApp, Value) {
    let app = TestApp::start_with(|config| config.request.undo_minutes = 10).await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", class))
        .await;
    app.store("civil").await;
    app.store("stats").await.sql(&village_rows(6));
    app.mount(&entry, "division_village").await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    (app, request)
}

fn path(request: &Value, verb: &str) -> String {
    format!(
        "/requests/{}{verb}",
        request["request_id"].as_str().unwrap()
    )
}

/// Whether anybody but the department that asked sees anything of a request.
async fn seen_by_others(app: &TestApp, request: &Value) -> bool {
    let mut seen = false;
    for person in ["stats", "operator", "leader"] {
        let reply = app.as_person(person).get(&path(request, "")).await;
        seen |= reply.status == 200;
        let case = request["case_id"].as_str().unwrap();
        let reply = app.as_person(person).get(&format!("/cases/{case}")).await;
        seen |= reply.status == 200;
        for list in [
            "/desk",
            "/notices?size=100",
            "/cases?size=100",
            "/grants?side=provided",
        ] {
            let reply = app.as_person(person).get(list).await;
            let text = String::from_utf8_lossy(&reply.bytes).into_owned();
            seen |= ["request_id", "case_id"]
                .iter()
                .any(|id| text.contains(request[id].as_str().unwrap()));
        }
    }
    let all = app
        .as_person("operator")
        .get("/cases?scope=all&size=100")
        .await
        .ok();
    seen || all
        .to_string()
        .contains(request["case_id"].as_str().unwrap())
}

async fn recorded(app: &TestApp, request: &Value) -> Vec<String> {
    let id = request["request_id"].as_str().unwrap();
    let records = app
        .as_person("auditor")
        .get(&format!("/ledger/records?subject_id={id}"))
        .await
        .ok();
    let mut acts: Vec<String> = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let record: Value = serde_json::from_str(it["record"].as_str().unwrap()).unwrap();
            record["what"].as_str().unwrap().to_owned()
        })
        .collect();
    acts.reverse();
    acts
}

#[tokio::test]
async fn what_is_taken_back_in_time_was_never_seen() {
    for class in ["conditional", "unconditional"] {
        let (app, request) = held(class).await;
        assert_eq!(request["actions"], json!(["undo"]));
        let until = request["undo_until"].as_str().unwrap();
        assert!(until.starts_with("2026-09-21T01:10:"), "{until}");
        assert!(!seen_by_others(&app, &request).await, "{class}");
        let stranger = app
            .as_person("stats")
            .post(&path(&request, "/undo"), nothing())
            .await;
        stranger.refused(404, "request.not_found");
        let undone = app
            .as_person("civil")
            .post(&path(&request, "/undo"), nothing())
            .await
            .ok();
        assert_eq!(
            (&undone["state"], &undone["grant"], &undone["undo_until"]),
            (&json!("withdrawn"), &Value::Null, &Value::Null)
        );
        app.set_clock("2026-09-21T02:00:00Z").await;
        let released = tongqu::features::request::release_due(app.app()).await;
        assert_eq!(released.unwrap(), 0, "what was taken back is never shown");
        assert!(!seen_by_others(&app, &request).await, "{class}");
        let mine = app.as_person("civil").get("/requests").await.ok();
        assert_eq!(mine["items"][0]["state"], "withdrawn");
        assert_eq!(
            recorded(&app, &request).await,
            ["request.filed", "request.undone"]
        );
        app.finish().await;
    }
}

/// The law's clock runs from the filing: PDS-17.
#[tokio::test]
async fn pds_17_what_is_not_taken_back_counts_from_its_filing() {
    let (app, request) = held("conditional").await;
    let due = step(&request, "decide")["due_on"].clone();
    app.set_clock("2026-09-21T01:09:00Z").await;
    let release = || tongqu::features::request::release_due(app.app());
    assert_eq!(release().await.unwrap(), 0);
    app.set_clock("2026-09-21T01:11:00Z").await;
    let late = app
        .as_person("civil")
        .post(&path(&request, "/undo"), nothing())
        .await;
    late.refused(409, "request.undo_over");
    assert_eq!((release().await.unwrap(), release().await.unwrap()), (1, 0));
    assert!(seen_by_others(&app, &request).await);
    assert!(app.waits_for("stats", &request).await && app.was_told("stats", &request).await);
    let now = app.request_seen_by("stats", &request).await;
    assert_eq!(
        (
            &now["filed_at"],
            &step(&now, "decide")["due_on"],
            &now["undo_until"]
        ),
        (&request["filed_at"], &due, &Value::Null)
    );
    app.decide("stats", &now, "decide", "approved").await;
    assert_eq!(
        recorded(&app, &request).await[..2],
        ["request.filed", "request.released"]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_grant_that_nobody_decides_on_comes_with_the_release() {
    let (app, request) = held("unconditional").await;
    assert!(request["grant"].is_null());
    app.set_clock("2026-09-21T01:11:00Z").await;
    tongqu::features::request::release_due(app.app())
        .await
        .unwrap();
    let now = app.delivered(&request).await;
    assert_eq!(
        (&now["state"], &now["grant"]["state"]),
        (&json!("completed"), &json!("in_force"))
    );
    app.finish().await;
}

#[tokio::test]
async fn whoever_goes_on_with_a_held_request_shows_it() {
    let (app, request) = held("conditional").await;
    app.as_person("civil")
        .post(&path(&request, "/urging"), nothing())
        .await
        .ok();
    assert!(app.waits_for("stats", &request).await);
    let late = app
        .as_person("civil")
        .post(&path(&request, "/undo"), nothing())
        .await;
    late.refused(409, "request.undo_over");
    app.finish().await;
}
