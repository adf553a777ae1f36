//! The template for a city-wide measure, as a city has adopted it: four bodies, one of them decides.

use serde_json::{Value, json};
use tongqu_domain::catalogue::EntryContent;

use crate::support::{START, TestApp, a_request, faults, step};

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

/// TP-meta: nobody's rules until a city has adopted them.
#[tokio::test]
async fn tp_meta_the_bare_template_is_never_in_force() {
    let app = TestApp::under("city-template", START).await;
    app.bind("collector", "service").await;
    let entry = app.published("行政区划代码", "conditional").await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .refused(409, "case.pack_not_in_force");
    app.finish().await;
}

/// TP-2
#[tokio::test]
async fn tp_2_state_secrets_are_kept_out() {
    let app = TestApp::under_the_template().await;
    let secret = EntryContent {
        declared_unclassified: false,
        ..app.content("行政区划代码", "unconditional")
    };
    assert_eq!(
        faults_of(&app, secret).await,
        ["entry.not_declared_unclassified"]
    );
    app.finish().await;
}

/// TP-4
#[tokio::test]
async fn tp_4_collector_and_authority_are_two_bodies() {
    let app = TestApp::under_the_template().await;
    let roles = app.as_person("stats").get("/law/roles").await.ok();
    let holder = |id: &str| {
        let mut roles = roles["items"].as_array().unwrap().iter();
        roles.find(|role| role["id"] == id).unwrap()["department_name"].clone()
    };
    assert_eq!(holder("authority"), app.department_name("bigdata"));
    assert_eq!(holder("collector"), app.department_name("service"));
    assert_eq!(holder("legal_review"), app.department_name("justice"));
    app.finish().await;
}

/// Opens a project check of one kind.
async fn project(app: &TestApp, kind: &str) -> Value {
    let body = json!({
        "process_id": "project_check", "subject": { "kind": "matter" }, "title": "社会救助系统",
        "facts": { "project_kind": kind },
    });
    app.try_open("civil", body).await.ok()
}

/// TP-3b
#[tokio::test]
async fn tp_3b_a_data_centre_of_ones_own_needs_approval() {
    let app = TestApp::under_the_template().await;
    let case = project(&app, "own_data_centre").await;
    assert_eq!(step(&case, "own_data_centre")["clause"]["id"], "TP-3b");
    let no = json!({ "outcome": "refused" });
    app.try_take("civil", &case, "own_data_centre", no.clone())
        .await
        .refused(403, "case.own_request");
    let done = app.take("authority", &case, "own_data_centre", no).await;
    assert_eq!(done["state"], "refused");
    app.finish().await;
}

/// TP-5.5
#[tokio::test]
async fn tp_5_5_development_is_approved_before_it_begins() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("civil", "development_activity", ("entry", &entry))
        .await;
    assert!(app.waits_for("authority", &case).await);
    let yes = json!({ "outcome": "approved" });
    app.try_take("stats", &case, "approve", yes.clone())
        .await
        .refused(403, "case.wrong_actor");
    let done = app.take("authority", &case, "approve", yes).await;
    assert_eq!(
        (&done["state"], &step(&done, "approve")["clause"]["id"]),
        (&json!("completed"), &json!("TP-5.5"))
    );
    app.finish().await;
}

/// TP-7a
#[tokio::test]
async fn tp_7a_a_new_system_without_an_interface_is_not_approved() {
    let app = TestApp::under_the_template().await;
    let case = project(&app, "new_system").await;
    let steps: Vec<&Value> = case["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["id"])
        .collect();
    assert_eq!(steps, ["new_system"], "the other kinds don't concern it");
    let no = json!({ "outcome": "not_accepted", "reason": "没有预留共享接口" });
    let done = app.take("authority", &case, "new_system", no).await;
    assert_eq!(
        (&done["state"], &step(&done, "new_system")["clause"]["id"]),
        (&json!("not_accepted"), &json!("TP-7a"))
    );
    app.finish().await;
}

/// TP-7b
#[tokio::test]
async fn tp_7b_a_system_that_does_not_connect_is_not_accepted() {
    let app = TestApp::under_the_template().await;
    let case = project(&app, "in_construction").await;
    let no = json!({ "outcome": "not_accepted", "reason": "试调用失败" });
    let done = app.take("authority", &case, "in_construction", no).await;
    assert_eq!(
        (
            &done["state"],
            &step(&done, "in_construction")["clause"]["id"]
        ),
        (&json!("not_accepted"), &json!("TP-7b"))
    );
    app.finish().await;
}

/// TP-7c
#[tokio::test]
async fn tp_7c_a_built_system_is_settled_by_the_government_only() {
    let app = TestApp::under_the_template().await;
    let case = project(&app, "built_system").await;
    let decision = json!({ "outcome": "approved", "reason": "市政府专题会议纪要〔2026〕3号" });
    app.try_take("authority", &case, "government_decision", decision.clone())
        .await
        .refused(409, "case.step_not_open");
    let case = app
        .take("authority", &case, "built_system", json!({}))
        .await;
    assert_eq!(case["state"], "open", "studied, not decided");
    let done = app
        .take("authority", &case, "government_decision", decision)
        .await;
    assert_eq!(
        (
            &done["state"],
            &step(&done, "government_decision")["reason"]
        ),
        (&json!("completed"), &json!("市政府专题会议纪要〔2026〕3号"))
    );
    app.finish().await;
}

/// TP-8a
#[tokio::test]
async fn tp_8a_conditional_sharing_states_its_preconditions() {
    let app = TestApp::under_the_template().await;
    let content = EntryContent {
        sharing_condition: None,
        ..app.content("行政区划联系电话", "conditional")
    };
    assert_eq!(faults_of(&app, content).await, ["entry.condition_missing"]);
    app.finish().await;
}

/// TP-8b
#[tokio::test]
async fn tp_8b_there_is_no_class_not_shared_and_special_needs_its_basis() {
    let app = TestApp::under_the_template().await;
    let codes: Vec<String> = app
        .template_options()
        .sharing_classes
        .into_iter()
        .map(|class| class.code)
        .collect();
    assert_eq!(codes, ["unconditional", "conditional", "special"]);
    let special = EntryContent {
        legal_basis: None,
        ..app.content("未成年人救助", "special")
    };
    assert_eq!(
        faults_of(&app, special).await,
        ["entry.legal_basis_missing"]
    );
    app.finish().await;
}

/// TP-8b
#[tokio::test]
async fn tp_8b_special_sharing_names_its_recipients() {
    let app = TestApp::under_the_template().await;
    let special = EntryContent {
        recipients: Vec::new(),
        ..app.content("未成年人救助", "special")
    };
    assert_eq!(faults_of(&app, special).await, ["entry.recipients_missing"]);
    app.finish().await;
}

/// TP-9a
#[tokio::test]
async fn tp_9a_base_items_are_unconditional() {
    let app = TestApp::under_the_template().await;
    for class in ["conditional", "special"] {
        let base = EntryContent {
            base_library: Some("population".to_owned()),
            ..app.content("人口基础信息", class)
        };
        assert_eq!(
            faults_of(&app, base).await,
            ["entry.class_locked"],
            "{class}"
        );
    }
    // Real estate is a base library too, but not among those whose items are locked.
    app.published_entry(&EntryContent {
        base_library: Some("real_estate".to_owned()),
        ..app.content("不动产登记", "conditional")
    })
    .await;
    app.finish().await;
}

/// Begins the determination of a class.
async fn classification(app: &TestApp, class: &str) -> Value {
    let entry = app.published("行政区划联系电话", class).await;
    app.open_about("stats", "classification", ("entry", &entry))
        .await
}

/// TP-9c
#[tokio::test]
async fn tp_9c_two_opinions_do_not_determine_a_class() {
    let app = TestApp::under_the_template().await;
    let case = classification(&app, "conditional").await;
    let determined = json!({ "facts": { "determined_class": "conditional" } });
    let determine = || app.try_take("authority", &case, "conditional_or_not", determined.clone());
    let problem = determine().await.refused(409, "case.step_not_open");
    assert_eq!(problem["clause"], "TP-9c");
    app.take("stats", &case, "provider_opinion", json!({}))
        .await;
    determine().await.refused(409, "case.step_not_open");
    app.try_take("stats", &case, "legal_opinion", json!({}))
        .await
        .refused(403, "case.wrong_actor");
    app.take("justice", &case, "legal_opinion", json!({})).await;
    assert_eq!(determine().await.ok()["state"], "completed");
    app.finish().await;
}

/// TP-9d
#[tokio::test]
async fn tp_9d_special_sharing_is_determined_by_the_provider_and_reviewed() {
    let app = TestApp::under_the_template().await;
    let case = classification(&app, "special").await;
    let accept = json!({ "outcome": "accepted" });
    app.try_take("authority", &case, "special_review", accept.clone())
        .await
        .refused(409, "case.step_not_open");
    app.take("stats", &case, "special_by_provider", json!({}))
        .await;
    app.try_take("stats", &case, "special_review", accept.clone())
        .await
        .refused(403, "case.own_request");
    let done = app.take("authority", &case, "special_review", accept).await;
    assert_eq!(done["state"], "completed");
    // And an entry of that class isn't published by its provider alone.
    let version = app
        .submit("stats", &app.content("未成年人救助", "special"))
        .await;
    let path = format!("/catalogue/versions/{version}/publication");
    let reply = app.as_person("stats").post(&path, json!({})).await;
    assert_eq!(reply.status, 403, "{}", reply.json());
    app.finish().await;
}

/// TP-9c
#[tokio::test]
async fn tp_9c_nothing_is_published_before_its_class_was_determined() {
    let app = TestApp::under_the_template().await;
    let content = app.content("行政区划联系电话", "unconditional");
    let version = app.submit("stats", &content).await;
    let publish = |version: String| {
        let path = format!("/catalogue/versions/{version}/publication");
        let app = &app;
        async move { app.as_person("service").post(&path, json!({})).await }
    };
    let problem = publish(version.clone()).await;
    let problem = problem.refused(409, "catalogue.approval_needed");
    assert_eq!(
        (&problem["clause"], &problem["process_id"]),
        (&json!("TP-9c"), &json!("classification"))
    );
    app.classify_if_asked("stats", &content).await;
    assert_eq!(publish(version).await.ok()["state"]["code"], "published");

    // What was determined to be one class isn't published as another.
    let other = app
        .submit("stats", &app.content("行政区划联系电话", "conditional"))
        .await;
    let problem = publish(other).await;
    let problem = problem.refused(409, "catalogue.class_determined_otherwise");
    assert_eq!(problem["clause"], "TP-9c");
    app.finish().await;
}

/// TP-9c
#[tokio::test]
async fn tp_9c_the_class_that_was_determined_becomes_the_entrys() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划联系电话", "unconditional").await;
    let case = app
        .open_about("stats", "classification", ("entry", &entry))
        .await;
    app.take("stats", &case, "provider_opinion", json!({}))
        .await;
    app.take("justice", &case, "legal_opinion", json!({})).await;
    let read = || async {
        let path = format!("/catalogue/entries/{entry}");
        let seen = app.as_person("civil").get(&path).await.ok();
        (
            seen["version_no"].clone(),
            seen["content"]["sharing_class"]["code"].clone(),
        )
    };
    assert_eq!(read().await, (json!(1), json!("unconditional")));
    let private = json!({ "facts": { "determined_class": "conditional" } });
    app.take("authority", &case, "conditional_or_not", private)
        .await;
    assert_eq!(read().await, (json!(2), json!("conditional")));
    let mut request = a_request(&entry);
    request["version_no"] = json!(2);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    assert_eq!(step(&request, "judge_conditions")["state"], "open");
    app.idle().await;
    let record = app.ledger_text();
    let record = record
        .lines()
        .find(|line| line.contains("catalogue.class_determined"))
        .expect("it is on record");
    assert!(record.contains("TP-9c"), "{record}");
    app.finish().await;
}

/// TP-9d
#[tokio::test]
async fn tp_9d_special_sharing_without_its_review_is_not_published() {
    let app = TestApp::under_the_template().await;
    let content = app.content("未成年人救助", "special");
    let version = app.submit("stats", &content).await;
    let path = format!("/catalogue/versions/{version}/publication");
    let publish = || app.as_person("service").post(&path, json!({}));
    let problem = publish().await.refused(409, "catalogue.approval_needed");
    assert_eq!(problem["clause"], "TP-9d");
    app.classify_if_asked("stats", &content).await;
    publish().await.ok();
    app.finish().await;
}

/// A request on an entry, with something of its own in it, that the authority has approved.
async fn approved(app: &TestApp, more: Value) -> Value {
    let entry = app.pooled("行政区划联系电话", "conditional").await;
    let mut body = a_request(&entry);
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let request = app.as_person("civil").post("/requests", body).await.ok();
    let met = json!({ "facts": { "conditions_met": "true" } });
    app.take("authority", &request, "judge_conditions", met)
        .await;
    app.decide("authority", &request, "approve", "approved")
        .await;
    app.request_of(&request).await
}

/// Checks that a grant stays inactive and says which process it waits for.
async fn waits(app: &TestApp, request: &Value, process: &str, clause: &str) {
    assert_eq!(request["grant"]["state"], "awaiting_approval");
    let needed = &request["grant"]["approvals"][0];
    assert_eq!(
        (&needed["process_id"], &needed["clause"]["id"]),
        (&json!(process), &json!(clause))
    );
    let problem = app.try_fetch("operator", request).await;
    let problem = problem.refused(409, "request.approval_needed");
    assert_eq!(
        (&problem["process_id"], &problem["clause"]),
        (&json!(process), &json!(clause))
    );
    let rows = app.store("civil").await;
    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'division_village'";
    assert_eq!(rows.number(tables), 0, "nothing has moved");
}

/// TP-25a
#[tokio::test]
async fn tp_25a_sensitive_data_stay_where_they_are_until_the_agreement_is_signed() {
    let app = TestApp::under_the_template().await;
    let sensitive = json!({ "columns": ["code", "name", "phone"] });
    let request = approved(&app, sensitive).await;
    waits(&app, &request, "sensitive_access", "TP-25a").await;

    let entry = request["entry_id"].as_str().unwrap();
    // Somebody else's agreement doesn't help.
    let signed = json!({ "form": { "attachment_id": crate::support::UPLOAD } });
    for person in ["tax", "civil"] {
        let again = app.request_of(&request).await;
        assert_eq!(again["grant"]["state"], "awaiting_approval", "{person}");
        let case = app
            .open_about(person, "sensitive_access", ("entry", entry))
            .await;
        app.take("stats", &case, "agreement", signed.clone()).await;
    }
    let now = app.request_of(&request).await;
    assert_eq!(now["grant"]["state"], "in_force");
    assert_eq!(app.delivered(&request).await["state"], "completed");
    app.finish().await;
}

/// TP-5.5
#[tokio::test]
async fn tp_5_5_a_development_activity_gets_no_data_before_it_is_approved() {
    let app = TestApp::under_the_template().await;
    let development = json!({ "facts": { "development": "true" } });
    let request = approved(&app, development).await;
    waits(&app, &request, "development_activity", "TP-5.5").await;
    let entry = request["entry_id"].as_str().unwrap();
    for (outcome, state) in [("refused", "awaiting_approval"), ("approved", "in_force")] {
        let case = app
            .open_about("civil", "development_activity", ("entry", entry))
            .await;
        app.decide("authority", &case, "approve", outcome).await;
        let now = app.request_of(&request).await;
        assert_eq!(now["grant"]["state"], state, "{outcome}");
    }
    assert_eq!(app.delivered(&request).await["state"], "completed");
    app.finish().await;
}

/// TP-25b
#[tokio::test]
async fn tp_25b_an_opening_to_a_business_waits_for_its_assessment() {
    let app = TestApp::under_the_template().await;
    let opening = json!({ "facts": { "third_party": "true" } });
    let request = approved(&app, opening).await;
    waits(&app, &request, "third_party_opening", "TP-25b").await;
    let entry = request["entry_id"].as_str().unwrap();
    let case = app
        .open_about("civil", "third_party_opening", ("entry", entry))
        .await;
    app.decide("authority", &case, "approve", "approved").await;
    let state = || async { app.request_of(&request).await["grant"]["state"].clone() };
    assert_eq!(state().await, "awaiting_approval", "not assessed");
    app.take("civil", &case, "assess", json!({})).await;
    assert_eq!(state().await, "in_force");
    app.take("civil", &case, "close", json!({})).await;
    assert_eq!(state().await, "awaiting_approval", "the opening is over");
    app.finish().await;
}

/// TP-24
#[tokio::test]
async fn tp_24_disclosure_is_claimed_with_its_legal_basis_and_needs_no_consent() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("civil", "external_release", ("entry", &entry))
        .await;
    let exception = &step(&case, "consent")["exceptions"][0];
    assert_eq!(
        (
            &exception["name"],
            &exception["clause"]["id"],
            &exception["may_claim"]
        ),
        (&json!("属于政府信息公开"), &json!("TP-24"), &json!(true))
    );
    let claim = |person: &'static str, body: Value| {
        let id = case["case_id"].as_str().unwrap();
        let path = format!("/cases/{id}/steps/consent/exception");
        let app = &app;
        async move { app.as_person(person).post(&path, body).await }
    };
    let disclosure = "within_government_information_disclosure";
    let bare = json!({ "exception": disclosure, "reason": " " });
    let problem = claim("civil", bare)
        .await
        .refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "TP-24");
    let based = json!({ "exception": disclosure, "reason": "《政府信息公开条例》第二十条" });
    claim("tax", based.clone())
        .await
        .refused(403, "access.other_department");
    claim("stats", based.clone())
        .await
        .refused(403, "case.wrong_actor");
    let other = json!({ "exception": "haste", "reason": "急" });
    let problem = claim("civil", other).await;
    let problem = problem.refused(422, "case.exception_not_offered");
    assert_eq!(problem["clause"], "TP-24");

    let done = claim("civil", based).await.ok();
    let consent = step(&done, "consent");
    assert_eq!(
        (
            &done["state"],
            &consent["state"],
            &consent["claimed"]["reason"]
        ),
        (
            &json!("completed"),
            &json!("skipped"),
            &json!("《政府信息公开条例》第二十条")
        )
    );
    assert!(app.was_told("stats", &case).await, "the provider is told");
    app.finish().await;
}

/// TP-7a, TP-7b
#[tokio::test]
async fn tp_7a_a_gate_answers_and_a_law_may_say_otherwise() {
    let app = TestApp::under_the_template().await;
    let gate = |name: &'static str, title: &'static str| {
        let path = format!("/gates/{name}?title={title}");
        let app = &app;
        async move { app.as_person("authority").get(&path).await.ok() }
    };
    let project = |kind: &str, title: &str| {
        json!({
            "process_id": "project_check", "subject": { "kind": "matter" }, "title": title,
            "facts": { "project_kind": kind },
        })
    };
    let answer = gate("project_approval", "甲系统").await;
    assert_eq!(
        (&answer["met"], &answer["clause"]["id"], &answer["case_id"]),
        (&json!(false), &json!("TP-7a"), &Value::Null)
    );
    let unfit = app
        .try_open("authority", project("new_system", "甲系统"))
        .await
        .ok();
    let no = json!({ "outcome": "not_accepted" });
    app.take("authority", &unfit, "new_system", no).await;
    assert_eq!(gate("project_approval", "甲系统").await["met"], false);

    let excepted = app
        .try_open("authority", project("new_system", "乙系统"))
        .await
        .ok();
    let id = excepted["case_id"].as_str().unwrap();
    let path = format!("/cases/{id}/steps/new_system/exception");
    let claim =
        json!({ "exception": "law_says_otherwise", "reason": "《保守国家秘密法》另有规定" });
    app.as_person("civil")
        .post(&path, claim.clone())
        .await
        .refused(403, "access.other_department");
    app.as_person("authority").post(&path, claim).await.ok();
    assert_eq!(gate("project_approval", "乙系统").await["met"], true);

    let fit = app
        .try_open("authority", project("in_construction", "丙系统"))
        .await
        .ok();
    let yes = json!({ "outcome": "accepted" });
    app.take("authority", &fit, "in_construction", yes).await;
    let answer = gate("project_acceptance", "丙系统").await;
    assert_eq!(
        (&answer["met"], &answer["clause"]["id"], &answer["case_id"]),
        (&json!(true), &json!("TP-7b"), &fit["case_id"])
    );
    app.as_person("authority")
        .get("/gates/no_such_gate?title=x")
        .await
        .refused(404, "case.unknown_gate");
    app.finish().await;
}

/// TP-12b, TP-12c
#[tokio::test]
async fn tp_12b_what_is_not_collected_is_consulted_on_and_filed() {
    let app = TestApp::under_the_template().await;
    let body = json!({
        "process_id": "uncollected_demand", "subject": { "kind": "matter" }, "title": "需要困难群众住房信息",
        "provider_department_id": app.department("stats").await,
    });
    let case = app.try_open("civil", body).await.ok();
    assert_eq!(case["provider_name"], app.department_name("stats"));
    assert!(app.was_told("stats", &case).await, "it takes part");
    let other = json!({ "outcome": "agreed", "facts": { "collected_by_other": "true" } });
    let case = app.take("civil", &case, "consult", other).await;
    let file = step(&case, "file");
    assert_eq!(
        (&file["state"], &file["clause"]["id"]),
        (&json!("open"), &json!("TP-12c"))
    );
    let done = app.take("civil", &case, "file", json!({})).await;
    assert_eq!(done["state"], "completed");
    assert!(app.was_told("service", &case).await, "it is filed there");
    app.finish().await;
}

/// TP-13a
#[tokio::test]
async fn tp_13a_a_users_feedback_is_checked_promptly() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app.open_about("civil", "feedback", ("entry", &entry)).await;
    let verify = step(&case, "verify");
    assert_eq!(
        (
            &verify["due_on"],
            &verify["clock"]["word"],
            &verify["clause"]["id"]
        ),
        (&Value::Null, &json!("promptly"), &json!("TP-13a"))
    );
    let done = app.take("stats", &case, "verify", json!({})).await;
    assert_eq!(done["state"], "completed");
    assert!(app.was_told("civil", &case).await);
    app.finish().await;
}

/// TP-15
#[tokio::test]
async fn tp_15_a_superiors_system_leaves_an_open_task() {
    let app = TestApp::under_the_template().await;
    let case = app
        .open_about("stats", "vertical_backflow", ("matter", ""))
        .await;
    assert!(app.waits_for("stats", &case).await, "not agreed yet");
    app.try_take("stats", &case, "return", json!({}))
        .await
        .refused(409, "case.step_not_open");
    let case = app.take("stats", &case, "agree", json!({})).await;
    assert_eq!(step(&case, "return")["clock"]["word"], "promptly");
    let done = app.take("stats", &case, "return", json!({})).await;
    assert_eq!(done["state"], "completed");
    assert!(app.was_told("operator", &case).await, "the centre is told");
    app.finish().await;
}

/// TP-17
#[tokio::test]
async fn tp_17_whoever_asks_for_open_data_holds_the_grant_at_once() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    assert_eq!(request["grant"]["basis"], "TP-17");
    assert!(
        app.grant(&request)
            .await
            .is_active_on("2026-09-21".parse().unwrap())
    );
    assert!(app.waits_for("civil", &request).await);
    app.finish().await;
}

/// TP-17
#[tokio::test]
async fn tp_17_a_requester_fetches_open_data_itself() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    app.try_fetch("civil", &request).await.ok();
    assert_eq!(app.request_of(&request).await["state"], "completed");
    let rows = app.store("civil").await;
    assert_eq!(rows.number("SELECT count(*) FROM division_village"), 20);
    app.finish().await;
}

/// TP-18
#[tokio::test]
async fn tp_18_the_authority_approves_and_tells_the_provider() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("行政区划联系电话", "conditional").await;
    let request = app.ask(&entry).await;
    assert!(app.waits_for("authority", &request).await);
    let met = json!({ "facts": { "conditions_met": "true" } });
    app.take("authority", &request, "judge_conditions", met)
        .await;
    app.decide("authority", &request, "approve", "approved")
        .await;
    let now = app.request_of(&request).await;
    assert_eq!(
        (&now["grant"]["basis"], &step(&now, "deliver")["due_on"]),
        (&json!("TP-18"), &Value::Null)
    );
    let notices = app.as_person("stats").get("/notices").await.ok();
    assert!(
        notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|notice| notice["facts"]["outcome"] == "同意"),
        "{notices:#}"
    );
    app.finish().await;
}

/// TP-18
#[tokio::test]
async fn tp_18_without_the_providers_written_reason_the_case_stays_open() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划联系电话", "conditional").await;
    let request = app.ask(&entry).await;
    let not_met = json!({ "facts": { "conditions_met": "false" } });
    app.take("authority", &request, "judge_conditions", not_met)
        .await;
    let apart = json!({ "outcome": "not_agreed" });
    app.take("authority", &request, "consult", apart).await;
    let problem = app.try_take("stats", &request, "refuse", json!({})).await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "TP-18");
    assert_eq!(app.request_of(&request).await["state"], "open");
    let why = json!({ "reason": "涉及个人隐私" });
    app.take("stats", &request, "refuse", why).await;
    assert_eq!(app.request_of(&request).await["state"], "refused");

    // Where they do agree, the authority authorises.
    let request = app.ask(&entry).await;
    let not_met = json!({ "facts": { "conditions_met": "false" } });
    app.take("authority", &request, "judge_conditions", not_met)
        .await;
    let agreed = json!({ "outcome": "agreed" });
    app.take("authority", &request, "consult", agreed).await;
    app.take(
        "authority",
        &request,
        "approve_after_consultation",
        json!({}),
    )
    .await;
    assert!(!app.request_of(&request).await["grant"].is_null());
    app.finish().await;
}

/// TP-19
#[tokio::test]
async fn tp_19_who_is_not_named_as_a_recipient_is_refused() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("未成年人救助", "special").await;
    let mut claim = a_request(&entry);
    for facts in [json!({}), json!({ "designated_recipient": "true" })] {
        claim["facts"] = facts;
        let problem = app
            .as_person("tax")
            .post("/requests", claim.clone())
            .await
            .refused(409, "case.not_offered");
        assert_eq!(problem["clause"], "TP-19");
    }
    app.finish().await;
}

/// TP-19
#[tokio::test]
async fn tp_19_the_authority_approves_for_each_recipient() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("未成年人救助", "special").await;
    let request = app.ask(&entry).await;
    let approve = step(&request, "approve_special");
    assert_eq!(
        (&approve["department_name"], &approve["clause"]["id"]),
        (&json!(app.department_name("bigdata")), &json!("TP-19"))
    );
    app.try_take(
        "stats",
        &request,
        "approve_special",
        json!({ "outcome": "approved" }),
    )
    .await
    .refused(403, "case.wrong_actor");
    app.decide("authority", &request, "approve_special", "approved")
        .await;
    assert_eq!(app.delivered(&request).await["state"], "completed");
    app.finish().await;
}

/// TP-20a
#[tokio::test]
async fn tp_20a_the_purpose_is_stated() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let mut request = a_request(&entry);
    request["purpose"] = json!(" ");
    let file = |request: Value| app.as_person("civil").post("/requests", request);
    let problem = file(request.clone()).await.refused(422, "request.faulty");
    assert_eq!(faults(&problem), ["purpose: request.purpose_missing"]);
    assert_eq!(problem["clause"], "TP-20a");
    request["purpose"] = json!("核对低保对象所在村");
    request["purpose_kind"] = json!("business_collaboration");
    let filed = file(request).await.ok();
    assert_eq!(filed["content"]["purpose_kind"], "business_collaboration");
    assert_eq!(filed["grant"]["purpose"], "核对低保对象所在村");
    app.finish().await;
}

/// An error that a unit reports in writing.
async fn reported(app: &TestApp) -> Value {
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("civil", "correction_by_department", ("entry", &entry))
        .await;
    let problem = app.try_take("civil", &case, "report", json!({})).await;
    let problem = problem.refused(422, "case.form_required");
    assert_eq!(problem["clause"], "TP-21a", "in writing");
    let written = json!({ "form": { "attachment_id": crate::support::UPLOAD } });
    app.take("civil", &case, "report", written).await
}

/// TP-21a
#[tokio::test]
async fn tp_21a_the_authority_checks_within_five_working_days() {
    let app = TestApp::under_the_template().await;
    let case = reported(&app).await;
    let check = step(&case, "check");
    assert_eq!(
        (
            &check["due_on"],
            &check["department_name"],
            &check["clause"]["id"]
        ),
        (
            &json!("2026-09-29"),
            &json!(app.department_name("bigdata")),
            &json!("TP-21a")
        )
    );
    app.set_clock("2026-09-30T01:00:00Z").await;
    let now = app.case("authority", &case).await;
    assert_eq!(step(&now, "check")["clock"]["kind"], "overdue");
    let technical = json!({ "facts": { "technical_cause": "true" } });
    let done = app.take("authority", &case, "check", technical).await;
    assert_eq!(done["state"], "completed", "the provider isn't concerned");
    app.finish().await;
}

/// TP-21b
#[tokio::test]
async fn tp_21b_what_is_not_technical_goes_to_the_provider_for_three_working_days() {
    let app = TestApp::under_the_template().await;
    let case = reported(&app).await;
    let problem = app.try_take("authority", &case, "check", json!({})).await;
    problem.refused(422, "case.fact_missing");
    let not_technical = json!({ "facts": { "technical_cause": "false" } });
    app.take("authority", &case, "check", not_technical).await;
    app.set_clock("2026-09-22T01:00:00Z").await;
    let case = app.take("authority", &case, "urge", json!({})).await;
    let provider = step(&case, "provider_check");
    assert_eq!(
        (&provider["due_on"], &provider["clause"]["id"]),
        (&json!("2026-09-28"), &json!("TP-21b"))
    );
    assert!(app.waits_for("stats", &case).await);
    assert!(!app.was_told("service", &case).await);
    let done = app.take("stats", &case, "provider_check", json!({})).await;
    assert_eq!(done["state"], "completed");
    for person in ["service", "civil"] {
        assert!(app.was_told(person, &case).await, "{person}");
    }
    app.finish().await;
}

/// TP-24
#[tokio::test]
async fn tp_24_publishing_needs_the_providers_consent() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("civil", "external_release", ("entry", &entry))
        .await;
    let no = json!({ "outcome": "refused" });
    app.try_take("authority", &case, "consent", no.clone())
        .await
        .refused(403, "case.wrong_actor");
    let done = app.take("stats", &case, "consent", no).await;
    assert_eq!(
        (&done["state"], &step(&done, "consent")["clause"]["id"]),
        (&json!("refused"), &json!("TP-24"))
    );
    app.finish().await;
}

/// TP-25a
#[tokio::test]
async fn tp_25a_sensitive_data_need_named_persons_and_an_agreement() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划联系电话", "conditional").await;
    let case = app
        .open_about("civil", "sensitive_access", ("entry", &entry))
        .await;
    let agreement = step(&case, "agreement");
    assert_eq!(
        (
            &agreement["state"],
            &agreement["department_name"],
            &agreement["form"]["name"]
        ),
        (
            &json!("open"),
            &json!(app.department_name("stats")),
            &json!("保密协议")
        )
    );
    app.try_take("civil", &case, "agreement", json!({}))
        .await
        .refused(403, "case.wrong_actor");
    let signed = json!({ "form": { "attachment_id": crate::support::UPLOAD } });
    let done = app.take("stats", &case, "agreement", signed).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// TP-25b
#[tokio::test]
async fn tp_25b_an_opening_is_approved_assessed_and_then_inspected() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let open = || app.open_about("civil", "third_party_opening", ("entry", &entry));
    let refused = open().await;
    let no = json!({ "outcome": "refused" });
    let refused = app.take("authority", &refused, "approve", no).await;
    assert_eq!(refused["state"], "refused");

    let case = open().await;
    app.try_take("civil", &case, "assess", json!({}))
        .await
        .refused(409, "case.step_not_open");
    app.decide("authority", &case, "approve", "approved").await;
    app.try_take("authority", &case, "inspect", json!({}))
        .await
        .refused(409, "case.step_not_open");
    app.take("civil", &case, "assess", json!({})).await;
    for _ in 0..2 {
        let now = app.take("authority", &case, "inspect", json!({})).await;
        assert_eq!(
            (&now["state"], &step(&now, "inspect")["clock"]["word"]),
            (&json!("open"), &json!("periodic")),
            "it comes round"
        );
    }
    let done = app.take("civil", &case, "close", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// TP-26a
#[tokio::test]
async fn tp_26a_whoever_may_not_have_open_data_is_told_the_basis() {
    let app = TestApp::under_the_template().await;
    let entry = app.published("行政区划联系电话", "conditional").await;
    // It isn't open: the entry says so, and nobody else has to.
    let case = app
        .open_about("citizen", "open_data_application", ("entry", &entry))
        .await;
    assert_eq!(case["title"], "open_data_application的办件");
    let reply = json!({ "reason": " " });
    let problem = app.try_take("authority", &case, "reply", reply).await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "TP-26a");
    let reply = json!({ "reason": "目录：行政区划联系电话；依据：个人信息保护法第十三条" });
    let done = app.take("authority", &case, "reply", reply).await;
    assert_eq!(done["state"], "completed");

    let open = app
        .published_entry(&EntryContent {
            open: true,
            ..app.content("行政区划代码", "unconditional")
        })
        .await;
    let case = app
        .open_about("citizen", "open_data_application", ("entry", &open))
        .await;
    assert_eq!(case["state"], "completed", "what is open needs no reply");
    app.finish().await;
}
