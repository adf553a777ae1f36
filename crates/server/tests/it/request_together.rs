//! Several requests for the same data, decided at once.

use serde_json::{Value, json};

use crate::support::{TestApp, a_request, villages_entry};

async fn ask(app: &TestApp, person: &str, entry: &str, purpose_kind: &str) -> Value {
    let mut body = a_request(entry);
    body["purpose_kind"] = json!(purpose_kind);
    app.as_person(person).post("/requests", body).await.ok()
}

async fn alike(app: &TestApp, person: &str, request: &Value) -> Vec<String> {
    let id = request["request_id"].as_str().unwrap();
    let view = app
        .as_person(person)
        .get(&format!("/requests/{id}/alike"))
        .await
        .ok();
    let mut names: Vec<String> = view["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["requester_name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn together(requests: &[&Value], verdict: &str, reason: &str) -> Value {
    let requests: Vec<Value> = requests
        .iter()
        .map(|it| json!({ "request_id": it["request_id"], "revision": it["revision"] }))
        .collect();
    json!({ "requests": requests, "verdict": verdict, "reason": reason })
}

/// PDS-10.2b
#[tokio::test]
async fn pds_10_2b_requests_alike_are_decided_together_and_each_for_itself() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let first = ask(&app, "civil", &entry, "data_check").await;
    let second = ask(&app, "tax", &entry, "data_check").await;
    let other_purpose = ask(&app, "tax", &entry, "admin_basis").await;
    let other_entry = app
        .published_entry(&villages_entry("另一张表", "conditional"))
        .await;
    let elsewhere = ask(&app, "tax", &other_entry, "data_check").await;
    assert_eq!(alike(&app, "stats", &first).await, ["云溪县税务局"]);
    assert_eq!(alike(&app, "stats", &other_purpose).await, [""; 0]);
    assert_eq!(
        alike(&app, "civil", &first).await,
        [""; 0],
        "not theirs to decide"
    );
    for stranger in [&other_purpose, &elsewhere] {
        let body = together(&[&first, stranger], "approve", "");
        let reply = app
            .as_person("stats")
            .post("/requests/decisions", body)
            .await;
        reply.refused(422, "request.not_alike");
    }
    let twice = together(&[&first, &first], "approve", "");
    let reply = app
        .as_person("stats")
        .post("/requests/decisions", twice)
        .await;
    reply.refused(422, "request.named_twice");
    // Somebody has urged the second meanwhile: it is left alone, the first is decided.
    let id = second["request_id"].as_str().unwrap();
    let urged = app
        .as_person("tax")
        .post(&format!("/requests/{id}/urging"), json!({}))
        .await
        .ok();
    let body = together(&[&first, &second], "refuse", "本表正在核查");
    let done = app
        .as_person("stats")
        .post("/requests/decisions", body)
        .await
        .ok();
    assert_eq!(
        (
            &done["items"][0]["decided"],
            &done["items"][1]["decided"],
            &done["items"][1]["code"]
        ),
        (
            &json!(true),
            &json!(false),
            &json!("platform.changed_meanwhile")
        )
    );
    assert!(
        done["items"][1]["message"]
            .as_str()
            .unwrap()
            .chars()
            .count()
            > 5
    );
    let now = app.request_of(&first).await;
    let step = now["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["action"] == "decide")
        .unwrap();
    assert_eq!(
        (&now["state"], &step["reason"]),
        (&json!("refused"), &json!("本表正在核查"))
    );
    assert_eq!(app.request_of(&second).await["state"], "open");
    // A refusal without a reason is refused for each, and nobody decides their own.
    let bare = together(&[&urged], "refuse", " ");
    let done = app
        .as_person("stats")
        .post("/requests/decisions", bare)
        .await
        .ok();
    assert_eq!(done["items"][0]["code"], "case.reason_required");
    let own = together(&[&urged], "approve", "");
    let done = app
        .as_person("tax")
        .post("/requests/decisions", own)
        .await
        .ok();
    assert_eq!(done["items"][0]["code"], "case.own_request");
    let records = app
        .as_person("auditor")
        .get("/ledger/records?what=request.decided")
        .await
        .ok();
    assert_eq!(
        records["items"].as_array().unwrap().len(),
        1,
        "evidence of its own"
    );
    app.finish().await;
}

#[tokio::test]
async fn two_approved_together_have_a_grant_each() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let first = ask(&app, "civil", &entry, "data_check").await;
    let second = ask(&app, "tax", &entry, "data_check").await;
    let body = together(&[&first, &second], "approve", "");
    let done = app
        .as_person("stats")
        .post("/requests/decisions", body)
        .await
        .ok();
    assert!(
        done["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["decided"] == true)
    );
    let grants = [app.grant(&first).await, app.grant(&second).await];
    assert_ne!(grants[0].requester, grants[1].requester);
    app.finish().await;
}
