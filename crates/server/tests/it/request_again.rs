//! Asking again with the values of last time, against the entry as it is now.

use serde_json::{Value, json};
use tongqu_domain::catalogue::EntryContent;

use crate::support::{TestApp, a_request, villages_entry};

async fn prefill(app: &TestApp, person: &str, query: &str) -> Value {
    app.as_person(person)
        .get(&format!("/requests/preview?{query}"))
        .await
        .ok()["prefill"]
        .clone()
}

async fn refuse(app: &TestApp, request: &Value) {
    let id = request["request_id"].as_str().unwrap();
    let body = json!({ "verdict": "refuse", "reason": "理由", "revision": request["revision"] });
    app.as_person("stats")
        .post(&format!("/requests/{id}/decision"), body)
        .await
        .ok();
}

#[tokio::test]
async fn what_the_entry_no_longer_has_is_named_and_dropped() {
    let app = TestApp::start().await;
    let content = villages_entry("行政区划代码", "conditional");
    let entry = app.published_entry(&content).await;
    let mut body = a_request(&entry);
    body["columns"] = json!(["code", "name", "phone"]);
    body["condition"] = json!([
        { "column": "phone", "op": "prefix", "values": ["138"] },
        { "column": "code", "op": "prefix", "values": ["41"] },
    ]);
    body["term_months"] = json!(12);
    let request = app.as_person("civil").post("/requests", body).await.ok();
    refuse(&app, &request).await;
    let newer = EntryContent {
        items: content
            .items
            .iter()
            .filter(|item| item.code != "phone")
            .cloned()
            .collect(),
        ..content
    };
    app.publish("stats", &newer).await;
    let from = request["request_id"].as_str().unwrap();
    let filled = prefill(&app, "civil", &format!("entry_id={entry}&from={from}")).await;
    assert_eq!(
        (
            &filled["columns"],
            &filled["dropped"][0]["name"],
            &filled["condition"][0]["column"],
            &filled["dropped_condition"][0]["column"],
            &filled["mode"],
            &filled["term_months"],
            &filled["previous_request_id"]
        ),
        (
            &json!(["code", "name"]),
            &json!("联系电话"),
            &json!("code"),
            &json!("phone"),
            &json!("table"),
            &json!(12),
            &json!(from)
        )
    );
    // What is filled in can be filed as it is, against the new version.
    let mut again = a_request(&entry);
    again["version_no"] = json!(2);
    for field in [
        "columns",
        "condition",
        "purpose",
        "duty",
        "term_months",
        "previous_request_id",
    ] {
        again[field] = filled[field].clone();
    }
    let filed = app.as_person("civil").post("/requests", again).await.ok();
    assert_eq!(filed["previous_request_id"], json!(from));
    // Nobody fills a form in with another department's values.
    for (person, query) in [
        ("tax", format!("entry_id={entry}&from={from}")),
        (
            "civil",
            format!("entry_id={entry}&from=req-0000000000000000"),
        ),
    ] {
        let reply = app
            .as_person(person)
            .get(&format!("/requests/preview?{query}"))
            .await;
        reply.refused(404, "request.not_found");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_first_request_on_an_entry_begins_with_what_the_department_last_wrote() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let other = app
        .published_entry(&villages_entry("另一张表", "conditional"))
        .await;
    let bare = prefill(&app, "civil", &format!("entry_id={other}")).await;
    assert_eq!((&bare["duty"], &bare["mode"]), (&json!(""), &Value::Null));
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let filled = prefill(&app, "civil", &format!("entry_id={other}")).await;
    assert_eq!(
        (
            &filled["duty"],
            &filled["consumer_system"],
            &filled["mode"],
            &filled["purpose"],
            &filled["columns"],
            &filled["previous_request_id"]
        ),
        (
            &json!("社会救助审核确认"),
            &json!("社会救助系统"),
            &json!("table"),
            &json!(""),
            &json!(["code"]),
            &Value::Null
        ),
        "the purpose belongs to the other request"
    );
    let foreign = prefill(&app, "tax", &format!("entry_id={other}")).await;
    assert_eq!(foreign["duty"], "");
    app.finish().await;
}

/// PDS-9: whoever enters a paper application sees the form as the applicant would, and nobody else does.
#[tokio::test]
async fn pds_9_the_form_of_a_paper_application_is_filled_in_for_the_applicant() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let query = format!(
        "/requests/preview?entry_id={entry}&department_id={}",
        app.department("civil").await
    );
    let seen = app.as_person("operator").get(&query).await.ok();
    assert_eq!(seen["prefill"]["duty"], "社会救助审核确认");
    for person in ["stats", "tax"] {
        let reply = app.as_person(person).get(&query).await;
        assert_eq!(reply.status, 403, "{person}");
    }
    let menus = app.as_person("operator").get("/session").await.ok();
    assert_eq!(menus["may"]["enter_paper"], true);
    let menus = app.as_person("civil").get("/session").await.ok();
    assert_eq!(menus["may"]["enter_paper"], false);
    app.finish().await;
}
