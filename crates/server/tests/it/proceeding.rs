//! Cases of every process through the API: begun, taken step by step, urged, ended; and what they change.

use serde_json::{Value, json};

use crate::support::{TestApp, a_request, nothing, villages_entry};

/// Begins a case and gives it.
async fn open(app: &TestApp, person: &str, body: Value) -> Value {
    app.as_person(person).post("/cases", body).await.ok()
}

/// Takes a step of a case as it stands and gives the case.
async fn take(app: &TestApp, person: &str, case: &Value, step: &str, input: Value) -> Value {
    let id = case["case_id"].as_str().unwrap();
    let now = app
        .as_person(person)
        .get(&format!("/cases/{id}"))
        .await
        .ok();
    app.as_person(person)
        .post(
            &format!("/cases/{id}/steps/{step}"),
            json!({ "input": input, "revision": now["revision"] }),
        )
        .await
        .ok()
}

fn step<'a>(case: &'a Value, id: &str) -> &'a Value {
    case["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["id"] == id)
        .unwrap_or_else(|| panic!("no step {id} in {case:#}"))
}

/// PDS-23
#[tokio::test]
async fn pds_23_a_dispute_without_agreement_goes_to_the_government() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let case = open(
        &app,
        "civil",
        json!({
            "process_id": "dispute",
            "subject": { "kind": "request", "id": request["request_id"] },
        }),
    )
    .await;
    assert_eq!(case["title"], "行政区划代码", "named after its subject");
    assert_eq!(step(&case, "convene")["state"], "open");
    assert_eq!(step(&case, "convene")["clause"]["id"], "PDS-23");

    let desk = app.as_person("operator").get("/desk").await.ok();
    let todo = desk["todo"].as_array().unwrap();
    assert!(
        todo.iter()
            .any(|task| task["case_id"] == case["case_id"] && task["may_take"] == true),
        "{todo:?}"
    );
    let urged = app
        .as_person("civil")
        .post(
            &format!(
                "/cases/{}/steps/convene/urging",
                case["case_id"].as_str().unwrap()
            ),
            nothing(),
        )
        .await
        .ok();
    assert!(step(&urged, "convene")["last_urged_at"].is_string());

    let case = take(
        &app,
        "operator",
        &case,
        "convene",
        json!({ "outcome": "not_agreed" }),
    )
    .await;
    assert_eq!(
        (&case["state"], &step(&case, "escalate")["state"]),
        (&json!("open"), &json!("open"))
    );
    let case = take(&app, "operator", &case, "escalate", json!({})).await;
    assert_eq!(case["state"], "completed");
    app.as_person("tax")
        .get(&format!("/cases/{}", case["case_id"].as_str().unwrap()))
        .await
        .refused(403, "access.other_department");
    app.finish().await;
}

/// PDS-10.3
#[tokio::test]
async fn pds_10_3_a_correction_has_a_clock_for_either_side() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    // Found on Monday, reported on Wednesday: one working day late.
    app.set_clock("2026-09-23T02:00:00Z").await;
    let case = open(
        &app,
        "civil",
        json!({
            "process_id": "correction_by_department",
            "subject": { "kind": "entry", "id": entry },
            "title": "村名与实地不符",
            "facts": { "mode": "table" },
            "began_at": "2026-09-21T02:00:00Z",
        }),
    )
    .await;
    let report = step(&case, "report");
    assert_eq!(
        (
            &report["due_on"],
            &report["clock"]["kind"],
            &report["clock"]["days"]
        ),
        (&json!("2026-09-22"), &json!("overdue"), &json!(1))
    );
    let case = take(&app, "civil", &case, "report", json!({})).await;
    assert_eq!(step(&case, "report")["clock"]["in_time"], false);
    // Three working days from Wednesday, over the Mid-Autumn Festival (25-27 September).
    assert_eq!(step(&case, "handle")["due_on"], "2026-09-29");
    let notices = app.as_person("operator").get("/notices").await.ok();
    assert!(
        notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|notice| notice["subject_id"] == case["case_id"]),
        "the platform unit is told as well"
    );
    let case = take(&app, "stats", &case, "handle", json!({})).await;
    assert_eq!(case["state"], "completed");
    app.finish().await;
}
