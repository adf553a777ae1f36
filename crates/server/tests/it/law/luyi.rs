//! The measures of Luyi County: one platform over four base libraries.

use serde_json::{Value, json};
use tongqu_domain::{catalogue::EntryContent, law::Standing};

use crate::support::{TestApp, a_request, faults, step};

/// What is wrong with an entry that can't be imported, by code.
async fn faults_of(app: &TestApp, content: EntryContent) -> Vec<String> {
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[content]))
        .await
        .ok();
    assert_eq!(imported["accepted_total"], 0, "{imported}");
    let faults = imported["faults"].as_array().unwrap();
    faults
        .iter()
        .map(|fault| fault["code"].as_str().unwrap().to_owned())
        .collect()
}

/// LY-2
#[tokio::test]
async fn ly_2_only_the_four_libraries_are_taken_in() {
    let app = TestApp::under_luyi().await;
    let content = app.content("行政区划代码", "proactive");
    let untagged = EntryContent {
        base_library: None,
        ..content.clone()
    };
    assert_eq!(faults_of(&app, untagged).await, ["entry.library_missing"]);
    app.published_entry(&content).await;
    app.finish().await;
}

/// LY-3.1, LY-3.2, LY-3.3
#[tokio::test]
async fn ly_3_the_libraries_have_their_themes_and_sources() {
    let app = TestApp::under_luyi().await;
    let pack = app.pack();
    for (list, expected, open_ended) in [
        ("population_themes", 9, true),
        ("legal_person_sources", 13, true),
        ("economy_sources", 12, false),
        ("base_libraries", 4, false),
    ] {
        let list = pack.list(list).unwrap();
        assert_eq!(
            (list.items.len(), list.open_ended),
            (expected, open_ended),
            "{}",
            list.id
        );
    }
    app.finish().await;
}

/// LY-5.2
#[tokio::test]
async fn ly_5_2_an_application_without_a_duty_is_rejected() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let mut request = a_request(&entry);
    request["duty"] = json!("");
    let problem = app
        .as_person("civil")
        .post("/requests", request)
        .await
        .refused(422, "request.faulty");
    assert_eq!(faults(&problem), ["duty: request.duty_missing"]);
    assert_eq!(
        problem["clause"],
        Value::Null,
        "no clause of another regulation is cited"
    );
    app.finish().await;
}

/// LY-5.4
#[tokio::test]
async fn ly_5_4_state_secrets_are_kept_out() {
    let app = TestApp::under_luyi().await;
    let secret = EntryContent {
        declared_unclassified: false,
        ..app.content("行政区划代码", "proactive")
    };
    assert_eq!(
        faults_of(&app, secret).await,
        ["entry.not_declared_unclassified"]
    );
    app.finish().await;
}

/// LY-6.2
#[tokio::test]
async fn ly_6_2_a_published_resource_is_found_by_its_name() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let found = app
        .as_person("civil")
        .get("/catalogue/entries?q=区划代码")
        .await
        .ok();
    assert_eq!(found["items"][0]["entry_id"], json!(entry));
    app.finish().await;
}

/// LY-8.1
#[tokio::test]
async fn ly_8_1_a_data_item_without_its_standard_is_rejected() {
    let app = TestApp::under_luyi().await;
    let mut content = app.content("行政区划代码", "proactive");
    content.items[1].standard = None;
    assert_eq!(faults_of(&app, content).await, ["item.standard_missing"]);
    app.finish().await;
}

/// LY-8.2
#[tokio::test]
async fn ly_8_2_changed_information_is_supplied_within_two_working_days() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    // Changed on Monday, noticed and supplied on Thursday.
    app.set_clock("2026-09-24T01:00:00Z").await;
    let body = json!({
        "process_id": "data_supply_after_change", "subject": { "kind": "entry", "id": entry },
        "began_at": "2026-09-21T02:00:00Z",
    });
    let case = app.try_open("stats", body).await.ok();
    let supply = step(&case, "supply");
    assert_eq!(
        (
            &supply["due_on"],
            &supply["clock"]["kind"],
            &supply["clock"]["days"],
            &supply["clause"]["id"]
        ),
        (
            &json!("2026-09-23"),
            &json!("overdue"),
            &json!(1),
            &json!("LY-8.2")
        )
    );
    let done = app.take("stats", &case, "supply", json!({})).await;
    assert_eq!(
        (&done["state"], &step(&done, "supply")["clock"]["in_time"]),
        (&json!("completed"), &json!(false))
    );
    app.finish().await;
}

/// A second version of an entry on its way through the review.
async fn a_change(app: &TestApp) -> (String, EntryContent, Value) {
    let content = app.content("行政区划代码", "proactive");
    let entry = app.published_entry(&content).await;
    let changed = EntryContent {
        summary: "增加户数一项。".to_owned(),
        ..content
    };
    app.submit("stats", &changed).await;
    let case = app
        .open_about("stats", "catalogue_change", ("entry", &entry))
        .await;
    (entry, changed, case)
}

/// LY-9.1
#[tokio::test]
async fn ly_9_1_readers_keep_the_first_version_until_the_second_is_approved() {
    let app = TestApp::under_luyi().await;
    let (entry, changed, case) = a_change(&app).await;
    let read = || async {
        let seen = app
            .as_person("civil")
            .get(&format!("/catalogue/entries/{entry}"))
            .await
            .ok();
        (
            seen["version_no"].clone(),
            seen["content"]["summary"].clone(),
        )
    };
    assert_eq!(step(&case, "review")["role_name"], "库管理人员");
    assert_eq!(read().await.0, 1);
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &case, "review", accept).await;
    assert_eq!(read().await.0, 1, "reviewed, not approved");
    app.decide("authority", &case, "approve", "approved").await;
    assert_eq!(read().await, (json!(2), json!(changed.summary)));
    app.finish().await;
}

/// LY-9.2
#[tokio::test]
async fn ly_9_2_approval_opens_a_supply_task_for_the_provider() {
    let app = TestApp::under_luyi().await;
    let (_, _, case) = a_change(&app).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &case, "review", accept).await;
    assert!(!app.waits_for("stats", &case).await);
    let case = app.decide("authority", &case, "approve", "approved").await;
    let supply = step(&case, "supply");
    assert_eq!(
        (
            &supply["state"],
            &supply["clock"]["word"],
            &supply["clause"]["id"]
        ),
        (&json!("open"), &json!("promptly"), &json!("LY-9.2"))
    );
    assert!(app.waits_for("stats", &case).await);
    app.finish().await;
}

/// LY-10.1
#[tokio::test]
async fn ly_10_1_what_is_shared_proactively_meets_no_approval() {
    let app = TestApp::under_luyi().await;
    let entry = app.pooled("行政区划代码", "proactive").await;
    let request = app.ask(&entry).await;
    let steps = request["steps"].as_array().unwrap();
    assert!(
        steps.iter().all(|step| step["action"] != "decide"),
        "{steps:?}"
    );
    assert_eq!(
        (
            &request["grant"]["basis"],
            step(&request, "self_service")["state"].as_str()
        ),
        (&json!("LY-10.1"), Some("open")),
        "granted in the moment of asking"
    );
    app.finish().await;
}

/// LY-10.1
#[tokio::test]
async fn ly_10_1_a_requester_fetches_proactive_data_itself() {
    let app = TestApp::under_luyi().await;
    let entry = app.pooled("行政区划代码", "proactive").await;
    let request = app.ask(&entry).await;
    app.try_fetch("civil", &request).await.ok();
    assert_eq!(app.request_of(&request).await["state"], "completed");
    let rows = app.store("civil").await;
    assert_eq!(rows.number("SELECT count(*) FROM division_village"), 20);
    app.finish().await;
}

/// LY-10.2
#[tokio::test]
async fn ly_10_2_a_provider_may_open_its_information_by_a_statement() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let request = app.ask(&entry).await;
    assert_eq!(step(&request, "decide")["state"], "open");
    app.publish("stats", &app.content("行政区划代码", "proactive"))
        .await;
    let mut again = a_request(&entry);
    again["version_no"] = json!(2);
    let request = app.as_person("civil").post("/requests", again).await.ok();
    assert_eq!(step(&request, "self_service")["state"], "open");
    app.finish().await;
}

/// A decision of the steering group, with its document.
fn decided(input: Value) -> Value {
    let mut input = input;
    input["form"] = json!({ "attachment_id": crate::support::UPLOAD });
    input
}

/// LY-10.3
#[tokio::test]
async fn ly_10_3_the_steering_groups_decision_changes_the_class_against_the_providers_will() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    app.try_open(
        "stats",
        json!({ "process_id": "steering_class", "subject": { "kind": "entry", "id": entry } }),
    )
    .await
    .refused(403, "case.wrong_actor");
    let case = app
        .open_about("authority", "steering_class", ("entry", &entry))
        .await;
    let against = json!({ "reason": "涉及本单位业务，不宜主动提供" });
    app.take("stats", &case, "opinion", against).await;
    let proactive = json!({ "facts": { "determined_class": "proactive" } });
    let bare = app.try_take("authority", &case, "record", proactive.clone());
    let problem = bare.await.refused(422, "case.form_required");
    assert_eq!(problem["clause"], "LY-10.3", "without the decision itself");
    app.try_take("stats", &case, "record", decided(proactive.clone()))
        .await
        .refused(403, "case.wrong_actor");
    let case = app
        .take("authority", &case, "record", decided(proactive))
        .await;
    let record = step(&case, "record");
    assert_eq!(
        (
            &case["state"],
            &record["decided_by_name"],
            &record["clause"]["id"]
        ),
        (&json!("completed"), &json!("建设小组"), &json!("LY-10.3"))
    );
    let events = case["events"].as_array().unwrap();
    assert!(
        events
            .iter()
            .any(|event| event["attachment_id"].is_string())
    );

    let mut request = a_request(&entry);
    request["version_no"] = json!(2);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    assert_eq!(request["grant"]["basis"], "LY-10.1", "nobody decides on it");
    app.idle().await;
    let ledger = app.ledger_text();
    let on_record = ledger
        .lines()
        .find(|line| line.contains("catalogue.class_determined"))
        .expect("it is on record");
    let case_id = case["case_id"].as_str().unwrap();
    assert!(on_record.contains("LY-10.3") && on_record.contains(case_id));

    // The provider can't take it back with a version of its own.
    let back = app
        .submit("stats", &app.content("行政区划代码", "on_application"))
        .await;
    let path = format!("/catalogue/versions/{back}/publication");
    let problem = app.as_person("authority").post(&path, json!({})).await;
    let problem = problem.refused(409, "catalogue.class_determined_otherwise");
    assert_eq!(problem["clause"], "LY-10.3");
    app.finish().await;
}

/// LY-4
#[tokio::test]
async fn ly_4_a_decision_of_the_steering_group_is_linked_to_its_case_and_seen_by_the_parties() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let request = app.ask(&entry).await;
    app.decide("stats", &request, "decide", "refused").await;
    let about = request["case_id"].as_str().unwrap();
    app.try_open(
        "civil",
        json!({ "process_id": "steering_decision", "subject": { "kind": "case", "id": about } }),
    )
    .await
    .refused(403, "case.wrong_actor");
    let case = app
        .open_about("authority", "steering_decision", ("case", about))
        .await;
    let approve = json!({ "outcome": "approved" });
    let bare = app
        .try_take("authority", &case, "record", approve.clone())
        .await;
    assert_eq!(bare.refused(422, "case.form_required")["clause"], "LY-4");
    app.take("authority2", &case, "record", decided(approve))
        .await;
    for person in ["civil", "stats"] {
        let seen = app.case(person, &request).await;
        let link = &seen["linked"][0];
        assert_eq!(
            (&link["case_id"], &link["state"]),
            (&case["case_id"], &json!("completed")),
            "{person}"
        );
        let decision = app.case(person, &case).await;
        assert_eq!(step(&decision, "record")["decided_by_name"], "建设小组");
        assert!(app.was_told(person, &case).await, "{person}");
    }
    let stranger = format!("/cases/{}", case["case_id"].as_str().unwrap());
    app.as_person("tax")
        .get(&stranger)
        .await
        .refused(403, "access.other_department");
    app.finish().await;
}

/// LY-11
#[tokio::test]
async fn ly_11_consent_needs_its_reason_as_refusal_does() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let request = app.ask(&entry).await;
    assert_eq!(step(&request, "decide")["due_on"], "2026-10-08");
    for outcome in ["approved", "refused"] {
        let bare = json!({ "outcome": outcome, "reason": " " });
        let problem = app.try_take("stats", &request, "decide", bare).await;
        let problem = problem.refused(422, "case.reason_required");
        assert_eq!(problem["clause"], "LY-11", "{outcome}");
    }
    // No consent is deemed given when the days are over.
    app.set_clock("2026-10-12T01:00:00Z").await;
    let late = app.request_of(&request).await;
    assert_eq!(
        (&late["state"], &step(&late, "decide")["clock"]["kind"]),
        (&json!("open"), &json!("overdue"))
    );
    app.decide("stats", &request, "decide", "approved").await;
    assert_eq!(app.request_of(&request).await["grant"]["basis"], "LY-11");
    app.finish().await;
}

/// LY-12
#[tokio::test]
async fn ly_12_nothing_is_exchanged_under_an_agreement_that_is_not_on_file() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let case = app
        .open_about("civil", "agreement_filing", ("entry", &entry))
        .await;
    assert_eq!(step(&case, "sign")["state"], "done");
    let problem = app.try_take("operator", &case, "share", json!({})).await;
    assert_eq!(
        problem.refused(409, "case.step_not_open")["clause"],
        "LY-12"
    );
    app.try_take("civil", &case, "countersign", json!({}))
        .await
        .refused(403, "case.own_request");
    app.try_take("civil_head", &case, "countersign", json!({}))
        .await
        .refused(403, "case.wrong_actor");
    app.try_take("civil", &case, "file", json!({}))
        .await
        .refused(409, "case.step_not_open");
    assert!(app.waits_for("stats", &case).await, "both parties sign");
    let signed = json!({ "outcome": "approved" });
    app.take("stats", &case, "countersign", signed).await;
    let unfiled = app.ask(&entry).await;
    assert_eq!(step(&unfiled, "decide")["state"], "open", "not on file yet");
    let case = app.take("civil", &case, "file", json!({})).await;
    assert_eq!(step(&case, "share")["state"], "open");
    assert!(app.was_told("authority", &case).await);
    app.finish().await;
}

/// An agreement of the civil affairs bureau with the statistics bureau on an entry, put on file.
async fn agreed(app: &TestApp, entry: &str) -> Value {
    let case = app
        .open_about("civil", "agreement_filing", ("entry", entry))
        .await;
    let signed = json!({ "outcome": "approved" });
    app.take("stats", &case, "countersign", signed).await;
    app.take("civil", &case, "file", json!({})).await
}

/// LY-12
#[tokio::test]
async fn ly_12_under_a_filed_agreement_nobody_decides_on_a_request_again() {
    let app = TestApp::under_luyi().await;
    let entry = app.pooled("行政区划代码", "on_application").await;
    let other = app.published("村级联系电话", "on_application").await;
    let case = agreed(&app, &entry).await;

    let request = app.ask(&entry).await;
    let steps = request["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["action"] != "decide"));
    assert_eq!(
        (
            &request["grant"]["basis"],
            &step(&request, "deliver_by_agreement")["state"]
        ),
        (&json!("LY-12"), &json!("open"))
    );
    assert_eq!(app.delivered(&request).await["state"], "completed");

    // It holds between the two and on this entry only.
    let elsewhere = app.ask(&other).await;
    assert_eq!(step(&elsewhere, "decide")["state"], "open");
    let third = app
        .as_person("tax")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    assert_eq!(step(&third, "decide")["state"], "open");

    // And as long as it lasts.
    let ended = app.take("stats", &case, "end", json!({})).await;
    assert_eq!(ended["state"], "completed");
    let later = app.ask(&entry).await;
    assert_eq!(step(&later, "decide")["state"], "open");
    app.finish().await;
}

/// LY-12
#[tokio::test]
async fn ly_12_a_provider_that_does_not_sign_ends_the_matter() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let case = app
        .open_about("civil", "agreement_filing", ("entry", &entry))
        .await;
    let declined = json!({ "outcome": "refused" });
    let case = app.take("stats", &case, "countersign", declined).await;
    assert_eq!(case["state"], "refused");
    let request = app.ask(&entry).await;
    assert_eq!(step(&request, "decide")["state"], "open");
    app.finish().await;
}

/// LY-12
#[tokio::test]
async fn ly_12_nobody_claims_an_agreement_that_the_platform_does_not_know() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "on_application").await;
    let mut claim = a_request(&entry);
    claim["facts"] = json!({ "agreement": "true" });
    let request = app.as_person("civil").post("/requests", claim).await.ok();
    assert_eq!(
        (&step(&request, "decide")["state"], &request["grant"]),
        (&json!("open"), &Value::Null),
        "the provider is asked all the same"
    );
    app.finish().await;
}

/// LY-13.1
#[tokio::test]
async fn ly_13_1_the_access_method_is_put_on_file_with_the_bureau() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let case = app
        .open_about("civil", "access_method_filing", ("entry", &entry))
        .await;
    assert_eq!(
        (&case["state"], &step(&case, "file")["state"]),
        (&json!("open"), &json!("done"))
    );
    assert!(app.was_told("authority", &case).await);
    let done = app.take("civil", &case, "stop", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// LY-13.2
#[tokio::test]
async fn ly_13_2_a_change_of_method_needs_a_reason() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let case = app
        .open_about("civil", "access_method_filing", ("entry", &entry))
        .await;
    let problem = app.try_take("civil", &case, "adjust", json!({})).await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "LY-13.2");
    for reason in ["改用前置机接口", "前置机迁移，改回网页访问"] {
        let now = app
            .take("civil", &case, "adjust", json!({ "reason": reason }))
            .await;
        assert_eq!(now["state"], "open", "it may be adjusted again");
    }
    app.finish().await;
}

/// LY-15
#[tokio::test]
async fn ly_15_nothing_is_released_outside_without_the_providers_consent() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let body = |form: Value| {
        json!({
            "process_id": "external_release", "subject": { "kind": "entry", "id": entry },
            "title": "向社会公布村级区划", "step": { "form": form },
        })
    };
    let problem = app.try_open("civil", body(json!({}))).await;
    let problem = problem.refused(422, "case.form_required");
    assert_eq!(problem["clause"], "LY-15", "in writing");
    let written = json!({ "attachment_id": crate::support::UPLOAD });
    let case = app.try_open("civil", body(written.clone())).await.ok();
    app.try_take("civil", &case, "release", json!({}))
        .await
        .refused(409, "case.step_not_open");
    let refused = json!({ "outcome": "refused" });
    let case = app.take("stats", &case, "decide", refused).await;
    assert_eq!(case["state"], "refused");
    app.try_take("civil", &case, "release", json!({}))
        .await
        .refused(409, "case.ended");

    let case = app.try_open("civil", body(written)).await.ok();
    app.decide("stats", &case, "decide", "approved").await;
    let done = app.take("civil", &case, "release", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// LY-17.p2
#[tokio::test]
async fn ly_17_p2_a_units_fault_report_reaches_the_bureau() {
    let app = TestApp::under_luyi().await;
    let case = app.open_about("tax", "fault_report", ("matter", "")).await;
    assert_eq!(
        (
            &step(&case, "report")["clock"]["word"],
            &step(&case, "report")["clause"]["id"]
        ),
        (&json!("promptly"), &json!("LY-17.p2"))
    );
    let done = app.take("tax", &case, "report", json!({})).await;
    assert_eq!(done["state"], "completed");
    assert!(app.was_told("authority", &case).await);
    app.finish().await;
}

/// LY-21
#[tokio::test]
async fn ly_21_an_order_counts_down_and_closes_with_proof_only() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let case = app
        .open_about("authority", "rectification", ("entry", &entry))
        .await;
    let bare = app
        .try_take("authority", &case, "circular", json!({}))
        .await;
    assert_eq!(bare.refused(422, "case.ground_required")["clause"], "LY-21");
    let late = json!({ "ground": "sharing_not_in_time" });
    app.take("authority", &case, "circular", late).await;

    let order = |due: Value| json!({ "facts": { "serious": "true" }, "orders_due_on": due });
    for due in [Value::Null, json!("2026-09-20")] {
        let problem = app.try_take("authority", &case, "order", order(due)).await;
        let problem = problem.refused(422, "case.due_date_invalid");
        assert_eq!(problem["clause"], "LY-21");
    }
    // Ten working days from the 21st.
    app.take("authority", &case, "order", order(json!("2026-10-12")))
        .await;
    let now = app.case("stats", &case).await;
    let correct = step(&now, "correct");
    assert_eq!(
        (
            &correct["due_on"],
            &correct["clock"]["kind"],
            &correct["clock"]["days"]
        ),
        (&json!("2026-10-12"), &json!("on_time"), &json!(10))
    );
    assert!(app.waits_for("stats", &case).await);
    let problem = app.try_take("stats", &case, "correct", json!({})).await;
    assert_eq!(
        problem.refused(422, "case.form_required")["clause"],
        "LY-21",
        "no proof, no closure"
    );
    let proof = json!({ "form": { "attachment_id": crate::support::UPLOAD } });
    let now = app.take("stats", &case, "correct", proof).await;
    let events = now["events"].as_array().unwrap();
    let kept = events
        .iter()
        .rev()
        .find_map(|e| e["attachment_id"].as_str());
    // The record names the upload, and whoever reads the case opens it under that name.
    let path = format!("/attachments/{}/info", kept.unwrap());
    app.as_person("authority").get(&path).await.ok();
    assert_eq!(
        (&now["state"], &step(&now, "refer")["state"]),
        (&json!("open"), &json!("open")),
        "serious consequences are referred besides"
    );
    let done = app.take("authority", &case, "refer", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// LY-17.p2
#[tokio::test]
async fn ly_17_p2_a_step_that_either_unit_may_take_waits_on_both_desks() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let case = app
        .open_about("civil", "fault_report", ("entry", &entry))
        .await;
    for person in ["civil", "stats"] {
        assert!(app.waits_for(person, &case).await, "{person}");
        let own = app.as_person(person).get("/cases").await.ok();
        assert_eq!(own["items"][0]["case_id"], case["case_id"], "{person}");
        let desk = app.as_person(person).get("/desk").await.ok();
        assert_eq!(desk["lamps"]["ample"], 1, "{person}");
    }
    app.take("stats", &case, "report", json!({})).await;
    for person in ["civil", "stats"] {
        assert!(!app.waits_for(person, &case).await, "{person}");
    }
    app.finish().await;
}

/// LY-21: what is handed in wrongly is answered with the field that is at fault.
#[tokio::test]
async fn ly_21_a_refusal_names_the_field_that_is_at_fault() {
    let app = TestApp::under_luyi().await;
    let entry = app.published("行政区划代码", "proactive").await;
    let case = app
        .open_about("authority", "rectification", ("entry", &entry))
        .await;
    let field = |reply: crate::support::Reply, code: &str| {
        let problem = reply.refused(422, code);
        problem["fields"][0]["field"].as_str().unwrap().to_owned()
    };
    let circular = |ground: Value| app.try_take("authority", &case, "circular", ground);
    let missing = circular(json!({})).await;
    assert_eq!(field(missing, "case.ground_required"), "ground");
    let wrong = circular(json!({ "ground": "haste" })).await;
    assert_eq!(field(wrong, "case.ground_not_allowed"), "ground");
    circular(json!({ "ground": "sharing_not_in_time" }))
        .await
        .ok();
    let order = |input: Value| app.try_take("authority", &case, "order", input);
    let silent = order(json!({ "orders_due_on": "2026-10-12" })).await;
    assert_eq!(field(silent, "case.fact_missing"), "facts.serious");
    let facts = json!({ "facts": { "serious": "perhaps" }, "orders_due_on": "2026-10-12" });
    assert_eq!(
        field(order(facts).await, "case.fact_invalid"),
        "facts.serious"
    );
    let undated = order(json!({ "facts": { "serious": "false" } })).await;
    assert_eq!(field(undated, "case.due_date_invalid"), "orders_due_on");
    let dated = json!({ "facts": { "serious": "false" }, "orders_due_on": "2026-10-12" });
    order(dated).await.ok();
    let bare = app.try_take("stats", &case, "correct", json!({})).await;
    assert_eq!(field(bare, "case.form_required"), "form");
    app.finish().await;
}

/// LY-8.1: a fault of the template names the clause that asks for what is missing.
#[tokio::test]
async fn ly_8_1_a_fault_in_the_template_names_its_clause() {
    let app = TestApp::under_luyi().await;
    let mut content = app.content("行政区划代码", "proactive");
    content.items[1].standard = None;
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[content]))
        .await
        .ok();
    let fault = &imported["faults"][0];
    assert_eq!(
        (&fault["code"], &fault["clause"]),
        (&json!("item.standard_missing"), &json!("LY-8.1"))
    );
    app.finish().await;
}

/// LY-24
#[tokio::test]
async fn ly_24_in_force_from_an_unknown_day_of_its_year_without_an_end() {
    let app = TestApp::under_luyi().await;
    let shown = app
        .as_person("stats")
        .get("/law/packs/luyi-2019")
        .await
        .ok();
    let line = &shown["pack"];
    assert_eq!(
        (
            &line["standing"],
            &line["first_day"],
            &line["last_day"],
            &line["issued_year"]
        ),
        (&json!("in_force"), &Value::Null, &Value::Null, &json!(2019))
    );
    assert_eq!(shown["validity_clause"]["id"], "LY-24");
    let pack = app.pack();
    let on = |day: &str| pack.in_force_on(day.parse().unwrap());
    assert_eq!(
        (
            pack.meta.first_day,
            pack.meta.last_day,
            pack.meta.issued_year
        ),
        (None, None, Some(2019))
    );
    assert_eq!(on("2018-12-31"), Standing::NotInForce);
    assert_eq!(on("2019-01-01"), Standing::InForce);
    assert_eq!(on("2049-12-31"), Standing::InForce);
    app.finish().await;
}
