//! The notice of Yanjin County: the county decides, an operator runs, and few numbers are set.

use serde_json::{Value, json};
use tongqu_domain::{
    catalogue::EntryContent,
    law::{CodeListItem, FactValue},
};

use crate::support::{TestApp, a_request, duty, faults, step};

/// What is wrong with an entry that can't be imported, by code.
async fn faults_of(app: &TestApp, content: EntryContent) -> Vec<String> {
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[content]))
        .await
        .ok();
    let faults = imported["faults"].as_array().unwrap();
    faults
        .iter()
        .map(|fault| fault["code"].as_str().unwrap().to_owned())
        .collect()
}

/// YJ-1.2
#[tokio::test]
async fn yj_1_2_an_application_without_a_purpose_is_rejected() {
    let app = TestApp::under_yanjin().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let mut request = a_request(&entry);
    request["purpose"] = json!("");
    let problem = app
        .as_person("civil")
        .post("/requests", request)
        .await
        .refused(422, "request.faulty");
    assert_eq!(faults(&problem), ["purpose: request.purpose_missing"]);
    app.finish().await;
}

/// YJ-2.3
#[tokio::test]
async fn yj_2_3_the_operator_runs_things_and_decides_nothing() {
    let app = TestApp::under_yanjin().await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let approve = json!({ "outcome": "approved" });
    for person in ["operator", "contractor"] {
        app.try_take(person, &request, "decide", approve.clone())
            .await
            .refused(
                403,
                if person == "operator" {
                    "case.wrong_actor"
                } else {
                    "case.contractor"
                },
            );
    }
    app.decide("stats", &request, "decide", "approved").await;
    // Authority and operator are two roles here: what the operator does isn't the authority's.
    let id = request["request_id"].as_str().unwrap();
    let delivery = format!("/requests/{id}/delivery");
    let reply = app.as_person("authority").post(&delivery, json!({})).await;
    assert_eq!(reply.status, 403, "{}", reply.json());
    app.as_person("contractor")
        .post(&delivery, json!({}))
        .await
        .ok();
    app.idle().await;
    assert_eq!(app.request_of(&request).await["state"], "completed");
    app.finish().await;
}

/// YJ-3.1.1c
#[tokio::test]
async fn yj_3_1_1c_an_open_interface_with_controlled_parameters_is_reviewed_by_the_provider() {
    let app = TestApp::under_yanjin().await;
    let entry = app
        .published_interface("行政区划代码", "unconditional")
        .await;
    let path = format!("/catalogue/entries/{entry}/interface");
    let control = json!({ "param_control": true });
    app.as_person("stats").put(&path, control).await.ok();
    let request = app.ask_for_interface(&entry, json!({})).await.ok();
    let review = step(&request, "review_param_control");
    assert_eq!(
        (&review["state"], &review["clause"]["id"], &request["grant"]),
        (&json!("open"), &json!("YJ-3.1.1c"), &Value::Null)
    );
    app.decide("stats", &request, "review_param_control", "approved")
        .await;
    let now = app.request_of(&request).await;
    assert_eq!(now["grant"]["basis"], "YJ-3.1.1c");
    app.finish().await;
}

/// YJ-3.1.1c
#[tokio::test]
async fn yj_3_1_1c_an_open_interface_without_controlled_parameters_needs_no_review() {
    let app = TestApp::under_yanjin().await;
    let entry = app
        .published_interface("行政区划代码", "unconditional")
        .await;
    let request = app.ask_for_interface(&entry, json!({})).await.ok();
    assert_eq!(step(&request, "self_service")["state"], "open");
    let conditional = app
        .published_interface("行政区划联系电话", "conditional")
        .await;
    let request = app.ask_for_interface(&conditional, json!({})).await.ok();
    assert_eq!(
        step(&request, "decide")["department_name"],
        app.department_name("stats")
    );
    app.finish().await;
}

/// YJ-3.1.2a
#[tokio::test]
async fn yj_3_1_2a_an_entry_states_how_it_is_shared() {
    let app = TestApp::under_yanjin().await;
    let content = EntryContent {
        modes: Vec::new(),
        ..app.content("行政区划代码", "unconditional")
    };
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[content]))
        .await
        .ok();
    assert_eq!(imported["accepted_total"], 0, "{imported}");
    app.finish().await;
}

/// YJ-3.1.2b
#[tokio::test]
async fn yj_3_1_2b_a_providers_change_is_live_at_once_and_put_on_file() {
    let app = TestApp::under_yanjin().await;
    let content = app.content("行政区划代码", "unconditional");
    let entry = app.published_entry(&content).await;
    let changed = EntryContent {
        summary: "按新的统计用区划代码编制。".to_owned(),
        ..content
    };
    app.submit("stats", &changed).await;
    let case = app
        .open_about("stats", "catalogue_change", ("entry", &entry))
        .await;
    let update = step(&case, "update");
    assert_eq!(
        (
            &update["due_on"],
            &update["clock"]["word"],
            &update["clause"]["id"]
        ),
        (&Value::Null, &json!("realtime"), &json!("YJ-3.1.2b"))
    );
    let case = app.take("stats", &case, "update", json!({})).await;
    let now = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(
        (&now["version_no"], &now["content"]["summary"]),
        (&json!(2), &json!(changed.summary)),
        "nobody had to approve it"
    );
    let done = app.take("stats", &case, "file", json!({})).await;
    assert_eq!(done["state"], "completed");
    assert!(app.was_told("authority", &case).await);
    app.finish().await;
}

/// YJ-3.1.3a
#[tokio::test]
async fn yj_3_1_3a_only_what_is_not_shared_needs_a_basis() {
    let app = TestApp::under_yanjin().await;
    let conditional = app.content("行政区划联系电话", "conditional");
    assert_eq!(conditional.legal_basis, None);
    app.published_entry(&conditional).await;
    let held_back = EntryContent {
        legal_basis: None,
        ..app.content("法人行政处罚", "not_shared")
    };
    assert_eq!(
        faults_of(&app, held_back).await,
        ["entry.legal_basis_missing"]
    );
    let entry = app.published("法人行政处罚", "not_shared").await;
    let problem = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .refused(409, "case.not_offered");
    assert_eq!(problem["clause"], "YJ-3.1.3a");
    app.finish().await;
}

/// YJ-3.1.3b
#[tokio::test]
async fn yj_3_1_3b_conditional_sharing_states_its_conditions() {
    let app = TestApp::under_yanjin().await;
    let content = EntryContent {
        sharing_condition: None,
        ..app.content("行政区划联系电话", "conditional")
    };
    let faults = faults_of(&app, content).await;
    assert!(
        faults.iter().any(|code| code == "entry.condition_missing"),
        "{faults:?}"
    );
    app.finish().await;
}

/// YJ-3.1.3b
#[tokio::test]
async fn yj_3_1_3b_conditional_sharing_states_scope_and_purposes() {
    let app = TestApp::under_yanjin().await;
    let content = app.content("行政区划联系电话", "conditional");
    let without_purposes = EntryContent {
        purposes: Vec::new(),
        ..content.clone()
    };
    assert_eq!(
        faults_of(&app, without_purposes).await,
        ["entry.purposes_missing"]
    );
    let without_scope = EntryContent {
        recipients: Vec::new(),
        ..content
    };
    assert_eq!(
        faults_of(&app, without_scope).await,
        ["entry.recipients_missing"]
    );
    app.finish().await;
}

/// YJ-3.1.4
#[tokio::test]
async fn yj_3_1_4_five_libraries_with_their_builders_and_base_items_unconditional() {
    let app = TestApp::under_yanjin().await;
    let pack = app.pack();
    let libraries = pack.list("base_libraries").unwrap();
    let built_by = |builder: &str| {
        let of =
            |item: &&CodeListItem| item.marks.get("builder") == Some(&FactValue::from(builder));
        libraries.items.iter().filter(of).count()
    };
    assert_eq!((built_by("authority"), built_by("lead_department")), (3, 2));
    for library in &libraries.items {
        let base = EntryContent {
            base_library: Some(library.code.clone()),
            ..app.content("基础信息", "conditional")
        };
        let faults = faults_of(&app, base).await;
        assert_eq!(faults, ["entry.class_locked"], "{}", library.code);
    }
    app.finish().await;
}

/// YJ-3.2.2
#[tokio::test]
async fn yj_3_2_2_a_requester_fetches_open_data_itself() {
    let app = TestApp::under_yanjin().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    app.try_fetch("civil", &request).await.ok();
    assert_eq!(app.request_of(&request).await["state"], "completed");
    let rows = app.store("civil").await;
    assert_eq!(rows.number("SELECT count(*) FROM division_village"), 20);
    app.finish().await;
}

/// YJ-3.2.2
#[tokio::test]
async fn yj_3_2_2_consent_authorises_the_operator_in_the_same_act() {
    let app = TestApp::under_yanjin().await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let decide = step(&request, "decide");
    assert_eq!(
        (&decide["due_on"], &decide["clause"]["id"]),
        (&json!("2026-09-29"), &json!("YJ-3.2.2"))
    );
    let refuse = json!({ "outcome": "refused" });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    assert_eq!(
        problem.refused(422, "case.reason_required")["clause"],
        "YJ-3.2.2"
    );
    app.decide("stats", &request, "decide", "approved").await;
    let now = app.request_of(&request).await;
    assert_eq!(
        step(&now, "authorise")["done_at"],
        step(&now, "decide")["done_at"]
    );
    assert_eq!(now["grant"]["basis"], "YJ-3.2.2");
    assert!(app.waits_for("operator", &request).await);
    assert_eq!(
        step(&now, "deliver")["due_on"],
        Value::Null,
        "the notice sets no limit for it"
    );
    app.finish().await;
}

/// YJ-3.2.3a
#[tokio::test]
async fn yj_3_2_3a_a_doubt_reaches_provider_and_authority() {
    let app = TestApp::under_yanjin().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("civil", "correction_by_department", ("entry", &entry))
        .await;
    assert_eq!(step(&case, "report")["clock"]["word"], "promptly");
    let case = app.take("civil", &case, "report", json!({})).await;
    for person in ["stats", "authority"] {
        assert!(app.was_told(person, &case).await, "{person}");
    }
    assert!(app.waits_for("stats", &case).await);
    assert_eq!(
        step(&case, "check")["clock"]["kind"],
        "no_limit",
        "no number is set, so none is made up"
    );
    app.finish().await;
}

/// YJ-3.2.3b
#[tokio::test]
async fn yj_3_2_3b_business_goes_on_while_data_are_checked() {
    let app = TestApp::under_yanjin().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("civil", "correction_by_department", ("entry", &entry))
        .await;
    assert!(!duty(&case, "YJ-3.2.3b"), "nothing is being checked yet");
    let case = app.take("civil", &case, "report", json!({})).await;
    assert!(duty(&case, "YJ-3.2.3b"), "{case:#}");
    let done = app.take("stats", &case, "check", json!({})).await;
    assert_eq!(done["state"], "completed");
    assert!(!duty(&done, "YJ-3.2.3b"), "{done:#}");
    app.finish().await;
}

/// YJ-3.2.3b
#[tokio::test]
async fn yj_3_2_3b_every_department_that_holds_the_data_sees_that_business_goes_on() {
    let app = TestApp::under_yanjin().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let held = app.ask(&entry).await;
    // Somebody else finds the error; the holder is no party of that case.
    let case = app
        .open_about("tax", "correction_by_department", ("entry", &entry))
        .await;
    assert_eq!(app.request_of(&held).await["duties"], json!([]));
    app.take("tax", &case, "report", json!({})).await;
    let seen = app.request_of(&held).await;
    assert_eq!(seen["duties"][0]["clause"]["id"], "YJ-3.2.3b");
    let notices = app.as_person("civil").get("/notices?size=100").await.ok();
    let notices = notices["items"].as_array().unwrap();
    assert!(notices.iter().any(|it| it["kind"] == "case.duty_begun"));
    app.take("stats", &case, "check", json!({})).await;
    assert_eq!(app.request_of(&held).await["duties"], json!([]));
    app.finish().await;
}

/// YJ-3.2.4
#[tokio::test]
async fn yj_3_2_4_without_agreement_the_matter_goes_to_the_county_government() {
    let app = TestApp::under_yanjin().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let subject = ("request", request["request_id"].as_str().unwrap());
    let case = app.open_about("civil", "dispute", subject).await;
    let not_agreed =
        json!({ "outcome": "not_agreed", "reason": "会商纪要：双方对共享范围意见不一" });
    let case = app.take("authority", &case, "convene", not_agreed).await;
    for person in ["stats", "civil", "operator"] {
        assert!(app.was_told(person, &case).await, "{person}");
    }
    let escalate = step(&case, "escalate");
    assert_eq!(
        (&escalate["state"], &escalate["clause"]["id"]),
        (&json!("open"), &json!("YJ-3.2.4"))
    );
    assert!(
        step(&case, "convene")["reason"]
            .as_str()
            .unwrap()
            .contains("会商纪要"),
        "the minutes go along"
    );
    let done = app.take("authority", &case, "escalate", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// YJ-4.2.2
#[tokio::test]
async fn yj_4_2_2_a_project_that_does_not_share_is_not_approved() {
    let app = TestApp::under_yanjin().await;
    let case = app
        .open_about("civil", "project_check", ("matter", ""))
        .await;
    let gate = step(&case, "gate");
    assert_eq!(
        (&gate["state"], &gate["clause"]["id"]),
        (&json!("open"), &json!("YJ-4.2.2"))
    );
    app.try_take("operator", &case, "gate", json!({ "outcome": "accepted" }))
        .await
        .refused(403, "case.wrong_actor");
    let no = json!({ "outcome": "not_accepted", "reason": "没有共享接口" });
    let done = app.take("authority", &case, "gate", no).await;
    assert_eq!(done["state"], "not_accepted");
    assert!(app.was_told("civil", &case).await);
    app.finish().await;
}
