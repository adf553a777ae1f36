//! The rules of Pingdingshan City: the exchange platform's own procedures, with their exact clocks.

use serde_json::{Value, json};
use tongqu_domain::{
    catalogue::{Contact, EntryContent},
    grant::GrantState,
};

use crate::support::{START, TestApp, a_request, faults, step};

/// PDS-2
#[tokio::test]
async fn pds_2_three_roles_act() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let held_by = |id| {
        let step = step(&request, id);
        (step["role_name"].clone(), step["department_name"].clone())
    };
    for (id, role, department) in [
        ("apply", "数据需求方", "civil"),
        ("decide", "数据提供方", "stats"),
        ("deliver_conditional", "平台建设管理单位", "bigdata"),
    ] {
        let expected = (json!(role), json!(app.department_name(department)));
        assert_eq!(held_by(id), expected, "{id}");
    }
    app.finish().await;
}

/// PDS-5.1
#[tokio::test]
async fn pds_5_1_an_unreleased_version_is_not_visible() {
    let app = TestApp::under_pingdingshan().await;
    let content = app.content("行政区划代码", "unconditional");
    app.submit("stats", &content).await;
    let find = || app.as_person("civil").get("/catalogue/entries");
    assert_eq!(find().await.ok()["total"], 0);
    app.publish("stats", &app.content("村级区划代码", "unconditional"))
        .await;
    assert_eq!(find().await.ok()["total"], 1, "only what was released");
    app.finish().await;
}

/// PDS-5.4
#[tokio::test]
async fn pds_5_4_city_and_county_applications_are_in_one_queue() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let city = app.ask(&entry).await;
    let county = app
        .as_person("county")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    for request in [&city, &county] {
        assert!(app.waits_for("operator", request).await, "{request:#}");
    }
    app.finish().await;
}

/// PDS-5.5
#[tokio::test]
async fn pds_5_5_what_is_not_pooled_is_supplied_first() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    assert_eq!(
        (
            &step(&request, "supply")["state"],
            &step(&request, "supply")["department_name"],
            &step(&request, "deliver_unconditional")["state"]
        ),
        (
            &json!("open"),
            &json!(app.department_name("stats")),
            &json!("waiting")
        )
    );
    assert!(!app.waits_for("operator", &request).await);
    assert!(app.waits_for("stats", &request).await);

    app.finish().await;
}

/// The rules with a base library named: which there are stands outside the text.
async fn with_a_base_library() -> TestApp {
    TestApp::under_a_changed("pingdingshan-2020", START, |text| {
        format!(
            "{text}\n[[list]]\nid = \"base_libraries\"\nname = \"基础库\"\nclause = \"PDS-5.5\"\n\
             items = [{{ code = \"population\", name = \"人口库\" }}]\n"
        )
    })
    .await
}

/// PDS-5.5
#[tokio::test]
async fn pds_5_5_base_library_data_are_the_platforms_to_authorise() {
    let app = with_a_base_library().await;
    let base = EntryContent {
        base_library: Some("population".to_owned()),
        ..app.content("人口基础信息", "conditional")
    };
    let base = app.published_entry(&base).await;
    let request = app.ask(&base).await;
    let own = step(&request, "decide_base_library");
    assert_eq!(
        (&own["state"], &own["clause"]["id"], &own["due_on"]),
        (&json!("open"), &json!("PDS-5.5"), &Value::Null)
    );
    let no = json!({ "outcome": "approved" });
    app.try_take("stats", &request, "decide_base_library", no)
        .await
        .refused(403, "case.wrong_actor");
    app.decide("operator", &request, "decide_base_library", "approved")
        .await;
    assert!(!app.request_of(&request).await["grant"].is_null());
    app.finish().await;
}

/// PDS-6.3
#[tokio::test]
async fn pds_6_3_an_entry_without_contacts_is_rejected() {
    let app = TestApp::under_pingdingshan().await;
    let nobody = || Contact {
        name: String::new(),
        phone: String::new(),
    };
    let content = EntryContent {
        authorising_contact: nobody(),
        technical_contact: nobody(),
        ..app.content("行政区划代码", "unconditional")
    };
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[content]))
        .await
        .ok();
    assert_eq!(
        (&imported["accepted_total"], &imported["faults_total"]),
        (&json!(0), &json!(4)),
        "name and number of whoever authorises and of whoever helps: {imported}"
    );
    // And where they are there, everybody can call them.
    let entry = app.published("村级区划代码", "unconditional").await;
    let seen = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(
        seen["content"]["authorising_contact"]["phone"],
        "0375-7000003"
    );
    app.finish().await;
}

/// PDS-7
#[tokio::test]
async fn pds_7_a_request_needs_a_duty_and_keeps_to_the_entry() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let mut request = a_request(&entry);
    request["duty"] = json!(" ");
    request["columns"] = json!(["code", "income"]);
    let problem = app
        .as_person("civil")
        .post("/requests", request)
        .await
        .refused(422, "request.faulty");
    assert_eq!(
        faults(&problem),
        [
            "columns[1]: request.field_not_in_entry",
            "duty: request.duty_missing"
        ]
    );
    assert_eq!(problem["clause"], "PDS-7");
    app.finish().await;
}

/// PDS-7, PDS-10.1: what is asked for, for what duty, stands in a request; a case without one asks for nothing.
#[tokio::test]
async fn pds_7_a_sharing_request_has_one_way_in() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    for process in ["table_file_subscription_city", "interface_application_city"] {
        let body = json!({
            "process_id": process, "subject": { "kind": "entry", "id": entry },
            "facts": { "mode": "table" }, "step": { "form": { "seal_kind": "electronic_seal_online", "attachment_id": crate::support::UPLOAD } },
        });
        app.try_open("civil", body)
            .await
            .refused(422, "case.wrong_process");
    }
    app.finish().await;
}

/// PDS-10.1
#[tokio::test]
async fn pds_10_1_the_provider_is_told_in_the_same_act() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let (applied, notify) = (step(&request, "apply"), step(&request, "notify_provider"));
    assert_eq!(
        (
            &notify["state"],
            &notify["done_at"],
            &notify["clause"]["id"]
        ),
        (&json!("done"), &applied["done_at"], &json!("PDS-10.1"))
    );
    let notices = app.as_person("stats").get("/notices").await.ok();
    let told = &notices["items"][0];
    let instant = |text: &Value| -> jiff::Timestamp { text.as_str().unwrap().parse().unwrap() };
    assert_eq!(told["subject_id"], request["request_id"]);
    assert_eq!(instant(&told["at"]), instant(&request["filed_at"]));
    app.finish().await;
}

/// PDS-10.2a
#[tokio::test]
async fn pds_10_2a_data_that_anybody_may_have_arrive_within_three_working_days() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    for (now, kind, days) in [
        ("2026-09-24T10:00:00Z", "due_today", 0),
        // The 25th is the Mid-Autumn Festival, the weekend follows.
        ("2026-09-28T01:00:00Z", "overdue", 1),
    ] {
        app.set_clock(now).await;
        let seen = app.request_of(&request).await;
        let clock = &step(&seen, "deliver_unconditional")["clock"];
        assert_eq!(
            (&clock["kind"], &clock["days"]),
            (&json!(kind), &json!(days)),
            "{now}"
        );
    }
    let done = app.delivered(&request).await;
    let delivered = step(&done, "deliver_unconditional");
    assert_eq!(
        (&delivered["due_on"], &delivered["clock"]["in_time"]),
        (&json!("2026-09-24"), &json!(false)),
        "late, and it stays so"
    );
    app.finish().await;
}

/// PDS-10.2b
#[tokio::test]
async fn pds_10_2b_a_refusal_states_its_reason_and_consent_authorises_at_once() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let refuse = json!({ "outcome": "refused", "reason": "  " });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "PDS-10.2b");
    assert_eq!(problem["fields"][0]["field"], "reason");

    let consent = json!({ "outcome": "approved" });
    app.take("stats", &request, "decide", consent).await;
    let now = app.request_of(&request).await;
    assert_eq!(
        (
            &step(&now, "authorise")["state"],
            &step(&now, "authorise")["done_at"]
        ),
        (&json!("done"), &step(&now, "decide")["done_at"])
    );
    assert_eq!(now["grant"]["basis"], "PDS-10.2b");
    app.finish().await;
}

/// PDS-10.2c
#[tokio::test]
async fn pds_10_2c_three_working_days_from_friday_end_on_wednesday() {
    let app = TestApp::under("pingdingshan-2020", "2026-09-07T01:00:00Z").await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    // Friday the 11th, late in the evening in China.
    app.set_clock("2026-09-11T15:59:00Z").await;
    app.decide("stats", &request, "decide", "approved").await;
    let now = app.request_of(&request).await;
    let deliver = step(&now, "deliver_conditional");
    assert_eq!(
        (&deliver["due_on"], &deliver["clause"]["id"]),
        (&json!("2026-09-16"), &json!("PDS-10.2c"))
    );
    app.finish().await;
}

/// PDS-11.1
#[tokio::test]
async fn pds_11_1_a_county_department_subscribes_without_a_check_by_its_county() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app
        .as_person("county")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    assert_eq!(request["process_clause"]["id"], "PDS-11.1");
    let steps = request["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .all(|step| !["county_review", "notify_provider"]
                .contains(&step["id"].as_str().unwrap())),
        "neither the county's check nor the duty to notify is stated: {steps:?}"
    );
    assert_eq!(step(&request, "decide")["state"], "open");
    app.finish().await;
}

/// PDS-11.2
#[tokio::test]
async fn pds_11_2_county_rows_go_into_the_countys_store_only() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let county = app.store("county").await;
    let request = app
        .as_person("county")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let decide = step(&request, "decide");
    assert_eq!(
        (&decide["due_on"], &decide["clause"]["id"]),
        (&json!("2026-09-29"), &json!("PDS-11.2"))
    );
    let refuse = json!({ "outcome": "refused" });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    assert_eq!(
        problem.refused(422, "case.reason_required")["clause"],
        "PDS-11.2"
    );
    app.decide("stats", &request, "decide", "approved").await;
    let now = app.request_of(&request).await;
    assert_eq!(step(&now, "deliver_conditional")["due_on"], "2026-09-24");
    app.delivered(&request).await;
    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'division_village'";
    assert_eq!(county.number("SELECT count(*) FROM division_village"), 20);
    assert_eq!(app.store("civil").await.number(tables), 0);
    app.finish().await;
}

/// PDS-11.3
#[tokio::test]
async fn pds_11_3_a_county_department_feeds_back_under_the_same_clocks() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("county", "correction_by_department", ("entry", &entry))
        .await;
    assert_eq!(step(&case, "report")["due_on"], "2026-09-22");
    let case = app.take("county", &case, "report", json!({})).await;
    assert_eq!(step(&case, "handle")["due_on"], "2026-09-24");
    assert!(app.was_told("stats", &case).await);
    assert!(app.was_told("operator", &case).await);
    app.finish().await;
}

/// An interface application with a sealed form.
pub(super) async fn interface_application(app: &TestApp, entry: &str) -> Value {
    let form = json!({ "form": { "seal_kind": "electronic_seal_online", "attachment_id": crate::support::UPLOAD } });
    app.ask_for_interface(entry, form).await.ok()
}

/// PDS-12
#[tokio::test]
async fn pds_12_an_interface_application_carries_a_seal() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    for form in [
        json!({}),
        json!({ "form": {} }),
        json!({ "form": { "seal_kind": "thumbprint", "attachment_id": crate::support::UPLOAD } }),
    ] {
        let problem = app.ask_for_interface(&entry, form).await;
        let problem = problem.refused(422, "case.form_required");
        assert_eq!(problem["clause"], "PDS-12");
    }
    interface_application(&app, &entry).await;
    let scan = json!({ "form": { "seal_kind": "scan_of_stamped_form", "attachment_id": crate::support::UPLOAD } });
    let request = app.ask_for_interface(&entry, scan).await.ok();
    assert_eq!(step(&request, "compliance_check")["state"], "open");
    app.finish().await;
}

/// PDS-13
#[tokio::test]
async fn pds_13_interface_applications_of_a_county_go_through_its_authority() {
    let app = TestApp::under_pingdingshan().await;
    let body =
        json!({ "department_id": app.department("county_data").await, "division_code": "410404" });
    app.as_person("admin")
        .put("/law/roles/county_authority", body)
        .await
        .ok();
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let mut body = a_request(&entry);
    body["mode"] = json!("interface");
    let file = |body: Value| app.as_person("county").post("/requests", body);
    let problem = file(body.clone()).await.refused(422, "case.form_required");
    assert_eq!(problem["clause"], "PDS-13", "a scan of the form goes along");
    body["form"] = json!({ "seal_kind": "scan_of_form", "attachment_id": crate::support::UPLOAD });
    let request = file(body).await.ok();

    assert_eq!(
        step(&request, "county_review")["department_name"],
        app.department_name("county_data")
    );
    assert!(app.waits_for("county_authority", &request).await);
    // Nothing of it is before the city yet, and the department can't bring it there itself.
    let accept = json!({ "outcome": "accepted" });
    app.try_take("operator", &request, "compliance_check", accept.clone())
        .await
        .refused(409, "case.step_not_open");
    app.try_take("county", &request, "file_upward", json!({}))
        .await
        .refused(403, "case.wrong_actor");
    app.take("county_authority", &request, "county_review", accept)
        .await;
    app.set_clock("2026-09-22T01:00:00Z").await;
    let now = app
        .take("county_authority", &request, "file_upward", json!({}))
        .await;
    assert_eq!(
        step(&now, "compliance_check")["due_on"],
        "2026-09-28",
        "three working days from the filing upward, over the festival"
    );
    app.finish().await;
}

/// PDS-14.1
#[tokio::test]
async fn pds_14_1_what_is_not_accepted_is_told_why() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(&app, &entry).await;
    let check = step(&request, "compliance_check");
    assert_eq!(
        (&check["due_on"], &check["clause"]["id"]),
        (&json!("2026-09-24"), &json!("PDS-14.1"))
    );
    let silent = json!({ "outcome": "not_accepted" });
    let problem = app
        .try_take("operator", &request, "compliance_check", silent)
        .await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "PDS-14.1");
    let said = json!({ "outcome": "not_accepted", "reason": "申请表没有写明使用范围" });
    app.take("operator", &request, "compliance_check", said)
        .await;
    let now = app.request_of(&request).await;
    assert_eq!(
        (&now["state"], &now["grant"]),
        (&json!("not_accepted"), &Value::Null)
    );
    app.finish().await;
}

/// PDS-14.2
#[tokio::test]
async fn pds_14_2_the_providers_clock_starts_at_forwarding() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(&app, &entry).await;
    assert_eq!(step(&request, "decide")["due_on"], Value::Null);
    app.set_clock("2026-09-23T01:00:00Z").await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    let now = app.request_of(&request).await;
    assert_eq!(
        step(&now, "forward")["done_at"],
        step(&now, "compliance_check")["done_at"],
        "the platform forwards it in the same moment"
    );
    let decide = step(&now, "decide");
    assert_eq!(
        (&decide["state"], &decide["due_on"]),
        (&json!("open"), &json!("2026-10-08")),
        "five working days from the 23rd, over two holidays"
    );
    app.finish().await;
}

/// PDS-15.1
#[tokio::test]
async fn pds_15_1_a_provider_who_has_not_decided_by_the_fifth_working_day_is_overdue() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(&app, &entry).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    app.set_clock("2026-09-30T01:00:00Z").await;
    let now = app.request_of(&request).await;
    let decide = step(&now, "decide");
    assert_eq!(
        (
            &decide["due_on"],
            &decide["clock"]["kind"],
            &decide["clause"]["id"]
        ),
        (&json!("2026-09-29"), &json!("overdue"), &json!("PDS-15.1"))
    );
    let refuse = json!({ "outcome": "refused" });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "PDS-15.1");
    app.finish().await;
}

/// PDS-15.2
#[tokio::test]
async fn pds_15_2_the_platform_answers_on_the_next_working_day() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(&app, &entry).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    // Authorised at five in the afternoon.
    app.set_clock("2026-09-23T09:00:00Z").await;
    app.decide("stats", &request, "decide", "approved").await;
    app.set_clock("2026-09-28T01:00:00Z").await;
    let now = app.request_of(&request).await;
    let answer = step(&now, "answer");
    assert_eq!(
        (
            &answer["due_on"],
            &answer["clock"]["kind"],
            &answer["clause"]["id"]
        ),
        (&json!("2026-09-24"), &json!("overdue"), &json!("PDS-15.2"))
    );
    app.take("operator", &request, "answer", json!({})).await;
    let now = app.request_of(&request).await;
    assert_eq!(now["state"], "completed");
    assert_eq!(now["grant"]["basis"], "PDS-6.2");
    app.finish().await;
}

/// Sets the terms of an interface.
async fn set_terms(
    app: &TestApp,
    person: &str,
    entry: &str,
    terms: Value,
) -> crate::support::Reply {
    let path = format!("/catalogue/entries/{entry}/interface");
    app.as_person(person).put(&path, terms).await
}

/// PDS-6.2
#[tokio::test]
async fn pds_6_2_an_open_interface_with_controlled_parameters_is_the_providers_to_authorise() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app
        .published_interface("行政区划代码", "unconditional")
        .await;
    let control = json!({ "param_control": true });
    set_terms(&app, "civil", &entry, control.clone())
        .await
        .refused(403, "access.other_department");
    set_terms(&app, "authority", &entry, control.clone())
        .await
        .refused(403, "access.no_post");
    set_terms(&app, "stats", &entry, json!({}))
        .await
        .refused(422, "catalogue.interface_unchanged");
    set_terms(&app, "stats", &entry, control).await.ok();
    // Whatever the platform would authorise directly, these stay the provider's.
    let direct = json!({ "direct_authorisation": true });
    let terms = set_terms(&app, "authority", &entry, direct).await.ok();
    assert_eq!(
        terms,
        json!({ "param_control": true, "direct_authorisation": true })
    );
    let request = interface_application(&app, &entry).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    let now = app.request_of(&request).await;
    assert_eq!(step(&now, "decide")["state"], "open");
    app.decide("stats", &request, "decide", "approved").await;
    app.take("operator", &request, "answer", json!({})).await;
    let now = app.request_of(&request).await;
    assert_eq!(now["grant"]["basis"], "PDS-6.2");
    app.finish().await;
}

/// PDS-16
#[tokio::test]
async fn pds_16_the_authority_says_which_interfaces_the_platform_authorises_directly() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app
        .published_interface("行政区划代码", "unconditional")
        .await;
    let direct = json!({ "direct_authorisation": true });
    set_terms(&app, "stats", &entry, direct.clone())
        .await
        .refused(403, "access.no_post");
    set_terms(&app, "authority", &entry, direct).await.ok();
    let read = format!("/catalogue/entries/{entry}");
    let seen = app.as_person("civil").get(&read).await.ok();
    assert_eq!(seen["interface"]["direct_authorisation"], true);
    let request = interface_application(&app, &entry).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    let now = app.request_of(&request).await;
    let own = step(&now, "authorise_directly");
    assert_eq!(
        (&own["state"], &own["clause"]["id"]),
        (&json!("open"), &json!("PDS-16"))
    );
    app.finish().await;
}

/// PDS-16
#[tokio::test]
async fn pds_16_an_interface_that_the_platform_authorises_needs_no_provider() {
    let app = with_a_base_library().await;
    // Base library data are the platform's to authorise (PDS-5.5).
    let entry = app
        .published_entry(&EntryContent {
            base_library: Some("population".to_owned()),
            modes: vec!["interface".to_owned()],
            ..app.content("人口基础信息", "conditional")
        })
        .await;
    let request = interface_application(&app, &entry).await;
    app.set_clock("2026-09-22T01:00:00Z").await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    let now = app.request_of(&request).await;
    let steps = now["steps"].as_array().unwrap();
    assert!(
        steps.iter().all(|step| step["role_name"] != "数据提供方"),
        "no step of the provider arises: {steps:?}"
    );
    let own = step(&now, "authorise_directly");
    assert_eq!(
        (&own["state"], &own["due_on"], &own["clause"]["id"]),
        (&json!("open"), &json!("2026-09-28"), &json!("PDS-16"))
    );
    let refuse = json!({ "outcome": "refused" });
    let problem = app
        .try_take("operator", &request, "authorise_directly", refuse)
        .await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "PDS-16");
    app.decide("operator", &request, "authorise_directly", "approved")
        .await;
    assert_eq!(app.request_of(&request).await["state"], "completed");
    app.finish().await;
}

/// PDS-9
#[tokio::test]
async fn pds_9_a_paper_application_runs_from_its_online_record() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    app.person("civil").await;
    // The paper came on Monday and is entered on Wednesday, with the scan.
    app.set_clock("2026-09-23T01:00:00Z").await;
    let upload = |person| {
        let caller = app.as_person(person);
        async move {
            let pdf =
                b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n";
            let path = "/attachments?kind=sealed_form&name=scan.pdf";
            let sent = caller.send(path, "application/octet-stream", pdf.to_vec());
            sent.await.ok()["attachment_id"].clone()
        }
    };
    let scan = upload("operator").await;
    let on_paper = |department: String, scan: &Value| {
        let mut body = a_request(&entry);
        body["on_paper"] = json!({ "department_id": department, "attachment_id": scan });
        body
    };
    let civil = app.department("civil").await;
    let body = on_paper(civil.clone(), &scan);
    app.as_person("tax")
        .post("/requests", body.clone())
        .await
        .refused(403, "access.no_post");
    // Nothing is entered without its scan, and the provider doesn't apply to itself.
    let foreign = upload("tax").await;
    app.as_person("operator")
        .post("/requests", on_paper(civil.clone(), &foreign))
        .await
        .refused(404, "attachment.not_found");
    let own = on_paper(app.department("stats").await, &scan);
    app.as_person("operator")
        .post("/requests", own)
        .await
        .refused(422, "case.own_data");

    let request = app
        .as_person("operator")
        .post("/requests", body.clone())
        .await
        .ok();
    assert_eq!(request["requester_name"], app.department_name("civil"));
    assert_eq!(
        (
            &request["filed_by_name"],
            &request["entered_by_department_name"]
        ),
        (&json!("运营员"), &json!(app.department_name("bigdata")))
    );
    let case = app.case("civil", &request).await;
    let opened = &case["events"][0];
    assert_eq!(
        (&opened["at"], &opened["happened_at"]),
        (&case["opened_at"], &Value::Null),
        "no other date than that of the entry"
    );
    assert!(
        case["opened_at"]
            .as_str()
            .unwrap()
            .starts_with("2026-09-23T01:00")
    );
    // Five working days from Wednesday the 23rd: Friday is the Mid-Autumn Festival.
    let decide = step(&request, "decide");
    assert_eq!(decide["clause"]["id"], "PDS-10.2b");
    let online = app
        .as_person("tax")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    assert_eq!(decide["due_on"], step(&online, "decide")["due_on"]);
    assert!(app.was_told("civil", &request).await);
    assert!(app.was_told("stats", &request).await);
    // The applicant goes on with it as with its own.
    app.urge("civil", &request, "decide").await;
    let file = scan.as_str().unwrap();
    let kept = app
        .as_person("civil")
        .get(&format!("/attachments/{file}/info"))
        .await
        .ok();
    assert_eq!(kept["case_id"], request["case_id"]);
    // A scan belongs to one application.
    app.as_person("operator")
        .post("/requests", body)
        .await
        .refused(409, "attachment.already_used");
    let id = request["request_id"].as_str().unwrap();
    app.idle().await;
    let records = app
        .as_person("auditor")
        .get(&format!("/ledger/records?subject_id={id}"))
        .await
        .ok();
    let filed = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["what"] == "request.filed")
        .unwrap();
    let told = filed.to_string();
    for part in [app.person("operator").await, civil, file.to_owned()] {
        assert!(told.contains(&part), "{part} in {told}");
    }
    app.finish().await;
}

/// PDS-9: other regulations know nothing of paper.
#[tokio::test]
async fn pds_9_paper_is_entered_only_where_the_regulation_knows_it() {
    let app = TestApp::under_yanjin().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let mut body = a_request(&entry);
    let civil = app.department("civil").await;
    body["on_paper"] = json!({ "department_id": civil, "attachment_id": "att-1" });
    app.as_person("operator")
        .post("/requests", body)
        .await
        .refused(422, "request.not_on_paper");
    app.finish().await;
}

/// PDS-17
#[tokio::test]
async fn pds_17_missing_paper_is_no_ground_and_the_online_record_decides() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(&app, &entry).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    let now = app.request_of(&request).await;
    assert_eq!(step(&now, "decide")["grounds"], json!([]));
    let refuse = json!({
        "outcome": "refused", "reason": "没有收到纸质申请", "ground": "no_paper_application_received",
    });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    let problem = problem.refused(422, "case.ground_not_allowed");
    assert_eq!(problem["clause"], "PDS-17");
    let now = app.case("stats", &request).await;
    let opened = &now["events"][0];
    assert_eq!(
        (&opened["at"], &opened["happened_at"]),
        (&now["opened_at"], &Value::Null),
        "no other date than the server's"
    );
    app.finish().await;
}

/// PDS-18
#[tokio::test]
async fn pds_18_an_application_to_the_province_is_merged_and_sent_upward() {
    let app = TestApp::under_pingdingshan().await;
    let case = app
        .open_about("civil", "cross_level_request", ("matter", ""))
        .await;
    assert_eq!(step(&case, "merge")["state"], "open");
    assert!(app.waits_for("operator", &case).await);
    app.try_take("operator", &case, "file_upward", json!({}))
        .await
        .refused(409, "case.step_not_open");
    let case = app.take("operator", &case, "merge", json!({})).await;
    assert_eq!(
        (
            &step(&case, "merge")["state"],
            &step(&case, "file_upward")["due_on"]
        ),
        (&json!("done"), &Value::Null),
        "the limit stands in the provincial measure"
    );
    let case = app.take("operator", &case, "file_upward", json!({})).await;
    assert_eq!(step(&case, "file_upward")["state"], "done");
    app.finish().await;
}

/// A granted interface and the standing case of its life.
pub(super) async fn granted_interface(app: &TestApp) -> (Value, Value) {
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(app, &entry).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    app.decide("stats", &request, "decide", "approved").await;
    app.take("operator", &request, "answer", json!({})).await;
    let life = app.life_of(&request).await;
    (request, life)
}

/// PDS-19.1
#[tokio::test]
async fn pds_19_1_a_provider_suspends_on_a_ground_of_the_regulation() {
    let app = TestApp::under_pingdingshan().await;
    let (request, life) = granted_interface(&app).await;
    let suspend = |ground: Value| json!({ "outcome": "suspended", "ground": ground });
    for (ground, code) in [
        (Value::Null, "case.ground_required"),
        (json!("budget"), "case.ground_not_allowed"),
    ] {
        let problem = app
            .try_take("stats", &life, "suspend_or_end", suspend(ground))
            .await;
        assert_eq!(problem.refused(422, code)["clause"], "PDS-19.1");
    }
    app.try_take(
        "civil",
        &life,
        "suspend_or_end",
        suspend(json!("over_scope")),
    )
    .await
    .refused(403, "case.wrong_actor");
    assert_eq!(app.grant(&request).await.state, GrantState::Active);
    let case = app
        .take(
            "stats",
            &life,
            "suspend_or_end",
            suspend(json!("over_scope")),
        )
        .await;
    assert_eq!(case["state"], "open", "a suspension isn't the end");
    assert!(
        matches!(&app.grant(&request).await.state, GrantState::Suspended { ground, .. } if ground == "over_scope")
    );
    let end = json!({ "outcome": "ended", "ground": "security_risk" });
    let case = app.take("stats", &life, "suspend_or_end", end).await;
    assert_eq!(case["state"], "completed");
    assert!(matches!(
        app.grant(&request).await.state,
        GrantState::Ended { .. }
    ));
    assert!(app.was_told("civil", &life).await);
    app.finish().await;
}

/// PDS-19.2
#[tokio::test]
async fn pds_19_2_an_authorisation_unused_for_three_months_may_be_reclaimed() {
    let app = TestApp::under_pingdingshan().await;
    let (request, life) = granted_interface(&app).await;
    let reclaim = |person| app.try_take(person, &life, "reclaim_unused", json!({}));
    // Authorised on 21 September: on 21 December the three months aren't exceeded yet.
    app.set_clock("2026-12-21T01:00:00Z").await;
    let problem = reclaim("stats").await.refused(409, "case.too_early");
    assert_eq!(problem["clause"], "PDS-19.2");
    app.set_clock("2026-12-22T01:00:00Z").await;
    let now = app.case("stats", &life).await;
    assert_eq!(step(&now, "reclaim_unused")["earliest_on"], "2026-12-22");
    assert_eq!(
        (&now["state"], app.grant(&request).await.state),
        (&json!("open"), GrantState::Active),
        "nothing is revoked by itself"
    );
    reclaim("operator").await.refused(403, "case.wrong_actor");
    assert_eq!(reclaim("stats").await.ok()["state"], "completed");
    assert!(matches!(
        app.grant(&request).await.state,
        GrantState::Ended { .. }
    ));
    app.finish().await;
}

/// PDS-20
#[tokio::test]
async fn pds_20_interface_data_are_corrected_promptly_without_a_day_in_numbers() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let body = json!({
        "process_id": "correction_by_department_interface",
        "subject": { "kind": "entry", "id": entry },
    });
    let case = app.try_open("civil", body).await.ok();
    app.take("civil", &case, "report", json!({})).await;
    app.set_clock("2026-11-20T01:00:00Z").await;
    let now = app.case("stats", &case).await;
    let check = step(&now, "check");
    assert_eq!(
        (
            &check["due_on"],
            &check["clock"]["kind"],
            &check["clock"]["word"],
            &check["clock"]["days"]
        ),
        (&Value::Null, &json!("word"), &json!("promptly"), &json!(60)),
        "it has an age and is never overdue"
    );
    let done = app.take("stats", &case, "check", json!({})).await;
    assert_eq!(
        (&done["state"], &step(&done, "check")["clock"]["in_time"]),
        (&json!("completed"), &Value::Null)
    );
    app.finish().await;
}

/// PDS-22.2
#[tokio::test]
async fn pds_22_2_the_platform_notifies_both_sides_to_rectify() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = interface_application(&app, &entry).await;
    let subject = ("request", request["request_id"].as_str().unwrap());
    let body =
        json!({ "process_id": "rectification", "subject": { "kind": "request", "id": subject.1 } });
    app.try_open("stats", body)
        .await
        .refused(403, "case.wrong_actor");
    let case = app.open_about("operator", "rectification", subject).await;
    assert_eq!(
        (
            &step(&case, "notify")["due_on"],
            &step(&case, "notify")["clause"]["id"]
        ),
        (&Value::Null, &json!("PDS-22.2"))
    );
    let case = app.take("operator", &case, "notify", json!({})).await;
    assert_eq!(case["state"], "completed");
    for person in ["stats", "civil"] {
        assert!(app.was_told(person, &case).await, "{person}");
    }
    app.finish().await;
}

/// PDS-23
#[tokio::test]
async fn pds_23_an_agreement_ends_the_quarrel_without_the_government() {
    let app = TestApp::under_pingdingshan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let subject = ("request", request["request_id"].as_str().unwrap());
    let case = app.open_about("stats", "dispute", subject).await;
    let urged = app.urge("civil", &case, "convene").await;
    assert!(step(&urged, "convene")["last_urged_at"].is_string());
    let agreed = json!({ "outcome": "agreed" });
    let case = app.take("operator", &case, "convene", agreed).await;
    assert_eq!(case["state"], "completed");
    assert!(
        case["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["id"] != "escalate"),
        "{case:#}"
    );
    app.finish().await;
}

/// A district's own rules on the basis of the city's: four working days for the provider, nothing else.
const DISTRICT: &str = "schema = 1

[pack]
id = \"shilong-rules\"
inherits = \"pingdingshan-2020\"
title = \"石龙区实施细则\"
clause = \"PDS-25\"
jurisdiction = { name = \"石龙区\", level = \"county\", division = \"410404\", clause = \"PDS-25\" }

[[process]]
id = \"table_file_subscription_city\"

[[process.step]]
id = \"decide\"
deadline = { working_days = 4, clause = \"PDS-25\" }
";

/// PDS-25
#[tokio::test]
async fn pds_25_a_district_changes_one_value_and_takes_over_the_rest() {
    let app = TestApp::under_own(DISTRICT.to_owned(), START).await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let decide = step(&request, "decide");
    assert_eq!(
        (&decide["due_on"], &decide["clause"]["id"]),
        (&json!("2026-09-28"), &json!("PDS-25")),
        "its own"
    );
    let refuse = json!({ "outcome": "refused" });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    assert_eq!(
        problem.refused(422, "case.reason_required")["clause"],
        "PDS-10.2b",
        "the city's"
    );
    app.decide("stats", &request, "decide", "approved").await;
    let now = app.request_of(&request).await;
    let deliver = step(&now, "deliver_conditional");
    assert_eq!(
        (&deliver["due_on"], &deliver["clause"]["id"]),
        (&json!("2026-09-24"), &json!("PDS-10.2c"))
    );
    let case = app.case("stats", &request).await;
    assert_eq!(case["pack_id"], "shilong-rules");
    app.finish().await;
}
