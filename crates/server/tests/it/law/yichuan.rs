//! The rules of Yichuan County, in 2021, when they were in force.
//!
//! Days from Monday 2021-09-13: three working days end on Thursday the 16th, five on Saturday the 18th
//! (a make-up day), ten on Monday the 27th (after the Mid-Autumn Festival, with Sunday the 26th worked).

use serde_json::{Value, json};
use tongqu_domain::{catalogue::EntryContent, grant::GrantState};

use crate::support::{TestApp, a_request, duty, may_request, step};

/// The demand form with the department's seal.
fn sealed() -> Value {
    json!({ "form": { "seal_kind": "department_seal", "attachment_id": crate::support::UPLOAD } })
}

/// An entry that can't be imported; gives the codes of its faults.
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

/// YC-2
#[tokio::test]
async fn yc_2_what_is_secret_stays_out() {
    let app = TestApp::under_yichuan().await;
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

/// YC-12.1, YC-12.2
#[tokio::test]
async fn yc_12_1_a_department_compiles_and_reports_its_lists() {
    let app = TestApp::under_yichuan().await;
    let stats = app
        .open_about("stats", "catalogue_compile", ("matter", ""))
        .await;
    let civil = app
        .open_about("civil", "catalogue_compile", ("matter", ""))
        .await;
    // Stating what is needed of others is open to the department, not asked of it.
    let now = app.case("stats", &stats).await;
    assert_eq!(
        (
            &step(&now, "demand")["state"],
            &step(&now, "demand")["kind"]
        ),
        (&json!("open"), &json!("optional"))
    );
    app.take("stats", &stats, "demand", json!({})).await;
    for (person, case) in [("stats", &stats), ("civil", &civil)] {
        app.take(person, case, "submit", json!({})).await;
        assert!(app.waits_for("authority", case).await);
        let now = app.case("authority", case).await;
        assert_eq!(
            now["provider_name"],
            app.department_name(person),
            "its origin is kept"
        );
    }
    app.finish().await;
}

/// YC-12.3
#[tokio::test]
async fn yc_12_3_a_returned_list_comes_again_and_both_rounds_are_kept() {
    let app = TestApp::under_yichuan().await;
    let first = app
        .open_about("stats", "catalogue_compile", ("matter", ""))
        .await;
    app.take("stats", &first, "submit", json!({})).await;
    let back = json!({ "outcome": "not_accepted", "reason": "漏报统计联网直报的数据" });
    let first = app.take("authority", &first, "review", back).await;
    assert_eq!(first["state"], "not_accepted");

    let body = json!({
        "process_id": "catalogue_compile", "subject": { "kind": "matter" }, "title": "目录清单（补报）",
        "previous_case_id": first["case_id"],
    });
    let second = app.try_open("stats", body).await.ok();
    app.take("stats", &second, "submit", json!({})).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("authority", &second, "review", accept).await;
    let now = app.case("stats", &second).await;
    assert_eq!(now["previous_case_id"], first["case_id"]);
    let kept = app.case("stats", &first).await;
    assert_eq!(step(&kept, "review")["reason"], "漏报统计联网直报的数据");
    app.finish().await;
}

/// YC-13.1
#[tokio::test]
async fn yc_13_1_the_authority_makes_responsibility_lists_before_it_publishes() {
    let app = TestApp::under_yichuan().await;
    let case = app
        .open_about("stats", "catalogue_compile", ("matter", ""))
        .await;
    app.take("stats", &case, "submit", json!({})).await;
    let accept = json!({ "outcome": "accepted" });
    app.take("authority", &case, "review", accept).await;
    app.try_take("authority", &case, "publish", json!({}))
        .await
        .refused(409, "case.step_not_open");
    app.try_take("stats", &case, "decompose", json!({}))
        .await
        .refused(403, "case.wrong_actor");
    let now = app.take("authority", &case, "decompose", json!({})).await;
    assert_eq!(step(&now, "publish")["clause"]["id"], "YC-26");
    let done = app.take("authority", &case, "publish", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// YC-14.1
#[tokio::test]
async fn yc_14_1_ten_working_days_to_apply_after_a_law_has_changed() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("authority", "catalogue_change", ("entry", &entry))
        .await;
    let apply = step(&case, "apply");
    assert_eq!(
        (&apply["due_on"], &apply["clause"]["id"]),
        (&json!("2021-09-27"), &json!("YC-14.1"))
    );
    assert!(app.waits_for("stats", &case).await);
    app.set_clock("2021-09-28T01:00:00Z").await;
    let now = app.case("stats", &case).await;
    assert_eq!(
        (
            &step(&now, "apply")["clock"]["kind"],
            &step(&now, "apply")["clock"]["days"]
        ),
        (&json!("overdue"), &json!(1))
    );
    app.finish().await;
}

/// YC-14.2
#[tokio::test]
async fn yc_14_2_the_authority_updates_the_catalogue_in_five_working_days() {
    let app = TestApp::under_yichuan().await;
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
    let case = app.take("stats", &case, "apply", json!({})).await;
    let update = step(&case, "update");
    assert_eq!(
        (&update["due_on"], &update["clause"]["id"]),
        (&json!("2021-09-18"), &json!("YC-14.2"))
    );
    let read = || async {
        app.as_person("civil")
            .get(&format!("/catalogue/entries/{entry}"))
            .await
            .ok()
    };
    assert_eq!(read().await["version_no"], 1);
    app.try_take("stats", &case, "update", json!({}))
        .await
        .refused(403, "case.wrong_actor");
    let done = app.take("authority", &case, "update", json!({})).await;
    assert_eq!(done["state"], "completed");
    let now = read().await;
    assert_eq!(
        (&now["version_no"], &now["content"]["summary"]),
        (&json!(2), &json!(changed.summary))
    );
    app.finish().await;
}

/// YC-19.1
#[tokio::test]
async fn yc_19_1_the_authority_watches_over_open_corrections() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("citizen", "correction_by_citizen", ("entry", &entry))
        .await;
    app.set_clock("2021-09-16T01:00:00Z").await;
    let open = app
        .as_person("authority")
        .get("/cases?scope=all&state=open&process_id=correction_by_citizen")
        .await
        .ok();
    assert_eq!(open["items"][0]["case_id"], case["case_id"]);
    let now = app.case("authority", &case).await;
    let check = step(&now, "check");
    assert!(
        check["opened_at"]
            .as_str()
            .unwrap()
            .starts_with("2021-09-13")
    );
    assert_eq!(
        (&check["clock"]["kind"], &check["clock"]["days"]),
        (&json!("on_time"), &json!(7))
    );
    app.finish().await;
}

/// YC-19.2
#[tokio::test]
async fn yc_19_2_extension_needs_the_heads_consent() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("citizen", "correction_by_citizen", ("entry", &entry))
        .await;
    assert_eq!(step(&case, "check")["due_on"], "2021-09-27");
    // The ninth working day, a Sunday that is worked.
    app.set_clock("2021-09-26T01:00:00Z").await;
    let by = |days: u32| json!({ "extra_working_days": days });
    let problem = app.try_take("stats", &case, "extend", by(10)).await;
    let problem = problem.refused(422, "case.consent_required");
    assert_eq!(problem["clause"], "YC-19.2");
    app.try_take("stats_head", &case, "extend", by(11))
        .await
        .refused(422, "case.extension_invalid");
    let now = app.take("stats_head", &case, "extend", by(10)).await;
    assert_eq!(
        step(&now, "check")["due_on"],
        "2021-10-15",
        "ten more from the 27th, over the National Day"
    );
    let consent = now["events"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&consent["consent_name"], &consent["extra_working_days"]),
        (&json!("统计局长"), &json!(10))
    );
    app.try_take("stats_head", &case, "extend", by(1))
        .await
        .refused(409, "case.already_decided");
    let done = app.take("stats", &case, "check", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// YC-19.3
#[tokio::test]
async fn yc_19_3_business_goes_on_while_a_correction_is_open() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let case = app
        .open_about("citizen", "correction_by_citizen", ("entry", &entry))
        .await;
    let now = app.case("stats", &case).await;
    assert!(duty(&now, "YC-19.3"), "{now:#}");
    // Nobody can tick it off, and it doesn't keep the case open.
    app.try_take("stats", &case, "keep_serving", json!({}))
        .await
        .refused(409, "case.not_by_hand");
    let done = app.take("stats", &case, "check", json!({})).await;
    assert!(!duty(&done, "YC-19.3"), "{done:#}");
    app.finish().await;
}

/// YC-19.3
#[tokio::test]
async fn yc_19_3_every_department_that_holds_the_data_sees_that_business_goes_on() {
    let app = TestApp::under_yichuan().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    assert_eq!(request["duties"], json!([]));
    let case = app
        .open_about("citizen", "correction_by_citizen", ("entry", &entry))
        .await;
    let seen = app
        .as_person("civil")
        .get(&format!(
            "/requests/{}",
            request["request_id"].as_str().unwrap()
        ))
        .await
        .ok();
    let notice = &seen["duties"][0];
    assert_eq!(
        (&notice["name"], &notice["clause"]["id"], &notice["number"]),
        (&json!("照常办理"), &json!("YC-19.3"), &case["number"])
    );
    assert_eq!(told(&app, "civil", "case.duty_begun").await, 1);
    assert_eq!(told(&app, "tax", "case.duty_begun").await, 0, "no holder");
    app.take("stats", &case, "check", json!({})).await;
    assert_eq!(app.request_of(&request).await["duties"], json!([]));
    assert_eq!(told(&app, "civil", "case.duty_begun").await, 1, "once");
    app.finish().await;
}

/// YC-24
#[tokio::test]
async fn yc_24_only_the_granted_fields_are_delivered() {
    let app = TestApp::under_yichuan().await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    app.take("civil", &request, "form", sealed()).await;
    app.decide("stats", &request, "decide", "approved").await;
    let done = app.delivered(&request).await;
    assert_eq!(done["state"], "completed");
    let columns = "SELECT name FROM pragma_table_info('division_village') ORDER BY name";
    assert_eq!(
        app.store("civil").await.rows(columns),
        [["code"], ["name"]],
        "of five fields"
    );
    app.finish().await;
}

/// YC-25.1
#[tokio::test]
async fn yc_25_1_holding_back_needs_a_basis_in_law() {
    let app = TestApp::under_yichuan().await;
    for class in ["conditional", "not_shared"] {
        let content = EntryContent {
            legal_basis: None,
            ..app.content("行政区划代码", class)
        };
        assert_eq!(
            faults_of(&app, content).await,
            ["entry.legal_basis_missing"],
            "{class}"
        );
    }
    app.published("行政区划代码", "unconditional").await;
    app.finish().await;
}

/// YC-24
#[tokio::test]
async fn yc_24_conditional_is_for_some_departments_or_only_in_part() {
    let app = TestApp::under_yichuan().await;
    let content = app.content("行政区划代码", "conditional");
    let for_everybody = EntryContent {
        recipients: Vec::new(),
        sharing_condition: None,
        ..content.clone()
    };
    assert_eq!(
        faults_of(&app, for_everybody).await,
        ["entry.recipients_missing"]
    );
    let in_part = EntryContent {
        recipients: Vec::new(),
        ..content
    };
    app.published_entry(&in_part).await;
    app.finish().await;
}

/// YC-25.2
#[tokio::test]
async fn yc_25_2_base_items_are_unconditional() {
    let app = TestApp::under_yichuan().await;
    let base = |class| EntryContent {
        base_library: Some("natural_person".to_owned()),
        ..app.content("人口基础信息", class)
    };
    for class in ["conditional", "not_shared"] {
        let faults = faults_of(&app, base(class)).await;
        assert_eq!(faults, ["entry.class_locked"], "{class}");
    }
    app.published_entry(&base("unconditional")).await;
    app.finish().await;
}

/// YC-26
#[tokio::test]
async fn yc_26_what_is_not_shared_is_listed_and_not_given() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("法人行政处罚", "not_shared").await;
    let found = app.as_person("civil").get("/catalogue/entries").await.ok();
    assert_eq!(
        (&found["total"], &found["items"][0]["sharing_class"]["code"]),
        (&json!(1), &json!("not_shared")),
        "{found:#}"
    );
    let problem = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await;
    let problem = problem.refused(409, "case.not_offered");
    assert_eq!(problem["clause"], "YC-24");
    app.finish().await;
}

/// YC-27
#[tokio::test]
async fn yc_27_the_authority_coordinates_with_the_provider() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    let subject = ("request", request["request_id"].as_str().unwrap());
    let case = app.open_about("civil", "dispute", subject).await;
    assert_eq!(
        (&case["provider_name"], &case["requester_name"]),
        (
            &json!(app.department_name("stats")),
            &json!(app.department_name("civil"))
        )
    );
    assert!(app.waits_for("authority", &case).await);
    assert!(
        app.was_told("stats", &case).await,
        "the provider takes part"
    );
    // No escalation is stated, so failing ends it too.
    let not_agreed = json!({ "outcome": "not_agreed" });
    let done = app.take("authority", &case, "coordinate", not_agreed).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// YC-29.1
#[tokio::test]
async fn yc_29_1_the_platform_shares_what_anybody_may_have_in_three_working_days() {
    let app = TestApp::under_yichuan().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    let share = step(&request, "review_and_deliver");
    assert_eq!(
        (&share["due_on"], &share["clause"]["id"]),
        (&json!("2021-09-16"), &json!("YC-29.1"))
    );
    app.set_clock("2021-09-17T01:00:00Z").await;
    let now = app.request_of(&request).await;
    assert_eq!(step(&now, "review_and_deliver")["clock"]["kind"], "overdue");
    assert!(app.waits_for("operator", &request).await);
    app.finish().await;
}

/// YC-29.2
#[tokio::test]
async fn yc_29_2_the_provider_decides_on_a_sealed_form_and_gives_reasons() {
    let app = TestApp::under_yichuan().await;
    let entry = app.pooled("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    // The provider hasn't received anything before the form is there.
    assert_eq!(step(&request, "decide")["state"], "waiting");
    for form in [
        json!({}),
        json!({ "form": { "seal_kind": "personal", "attachment_id": crate::support::UPLOAD } }),
    ] {
        let problem = app.try_take("civil", &request, "form", form).await;
        let problem = problem.refused(422, "case.form_required");
        assert_eq!(problem["clause"], "YC-29.2");
    }
    app.set_clock("2021-09-14T01:00:00Z").await;
    app.take("civil", &request, "form", sealed()).await;
    let now = app.request_of(&request).await;
    assert_eq!(
        step(&now, "decide")["due_on"],
        "2021-09-22",
        "five working days from the 14th, over the Mid-Autumn Festival"
    );
    let refuse = json!({ "outcome": "refused" });
    let problem = app.try_take("stats", &request, "decide", refuse).await;
    let problem = problem.refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "YC-29.2");
    app.set_clock("2021-09-17T01:00:00Z").await;
    app.decide("stats", &request, "decide", "approved").await;
    let now = app.request_of(&request).await;
    assert_eq!(
        step(&now, "deliver")["due_on"],
        "2021-09-23",
        "three from Friday the 17th: Saturday is worked, the festival isn't"
    );
    app.finish().await;
}

/// A granted interface and the standing case of its life.
async fn granted_interface(app: &TestApp) -> (Value, Value) {
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let request = app.ask_for_interface(&entry, json!({})).await.ok();
    app.take("civil", &request, "form", sealed()).await;
    app.decide("stats", &request, "decide", "approved").await;
    let life = app.life_of(&request).await;
    (request, life)
}

/// YC-29.p2
#[tokio::test]
async fn yc_29_p2_a_provider_suspends_on_a_ground_of_the_regulation() {
    let app = TestApp::under_yichuan().await;
    let (request, life) = granted_interface(&app).await;
    let bare = json!({ "outcome": "suspended" });
    let problem = app.try_take("stats", &life, "suspend_or_end", bare).await;
    let problem = problem.refused(422, "case.ground_required");
    assert_eq!(problem["clause"], "YC-29.p2");
    let misuse = json!({ "outcome": "suspended", "ground": "violation" });
    app.take("stats", &life, "suspend_or_end", misuse).await;
    assert!(
        matches!(&app.grant(&request).await.state, GrantState::Suspended { ground, .. } if ground == "violation")
    );
    app.finish().await;
}

/// YC-29.p2
#[tokio::test]
async fn yc_29_p2_a_suspension_is_shown_with_its_ground_and_lifted_again() {
    let app = TestApp::under_yichuan().await;
    let (request, life) = granted_interface(&app).await;
    let now = app.request_of(&request).await;
    assert_eq!(
        (&now["grant"]["state"], &now["grant"]["life_case_id"]),
        (&json!("in_force"), &life["case_id"])
    );
    let resume = |person| app.try_take(person, &life, "resume", json!({}));
    resume("stats").await.refused(409, "case.step_not_open");
    let misuse = json!({ "outcome": "suspended", "ground": "violation" });
    for round in 0..2 {
        app.take("stats", &life, "suspend_or_end", misuse.clone())
            .await;
        let now = app.request_of(&request).await;
        let grant = &now["grant"];
        assert_eq!(
            (
                &grant["state"],
                &grant["ground"],
                &grant["state_clause"]["id"]
            ),
            (&json!("suspended"), &json!("违规使用"), &json!("YC-29.p2")),
            "round {round}"
        );
        let since = grant["since"].as_str().unwrap();
        assert!(since.starts_with("2021-09-13T01:"), "{since}");
        resume("civil").await.refused(403, "case.wrong_actor");
        resume("stats_contractor")
            .await
            .refused(403, "case.contractor");
        let case = resume("stats").await.ok();
        assert_eq!(case["state"], "open");
        let now = app.request_of(&request).await;
        assert_eq!(
            (&now["grant"]["state"], &now["grant"]["ground"]),
            (&json!("in_force"), &Value::Null)
        );
        resume("stats").await.refused(409, "case.step_not_open");
    }
    app.finish().await;
}

/// YC-29.p3
#[tokio::test]
async fn yc_29_p3_a_term_that_is_over_is_noted_once_and_asked_for_again() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let term = json!({ "term_months": 1 });
    let request = app.ask_for_interface(&entry, term.clone()).await.ok();
    app.take("civil", &request, "form", sealed()).await;
    app.decide("stats", &request, "decide", "approved").await;
    let life = app.life_of(&request).await;

    app.set_clock("2021-10-12T01:00:00Z").await;
    assert_eq!(expired(&app).await, 0, "the last day of the term");
    app.set_clock("2021-10-13T01:00:00Z").await;
    assert_eq!((expired(&app).await, expired(&app).await), (1, 0), "once");
    let now = app.request_of(&request).await;
    assert_eq!(
        (&now["grant"]["state"], &now["grant"]["since"]),
        (&json!("expired"), &json!("2021-10-13"))
    );
    assert_eq!(
        (
            told(&app, "civil", "grant.expired").await,
            told(&app, "stats", "grant.expired").await
        ),
        (1, 1)
    );
    let renew = app.case("civil", &life).await;
    let renew = step(&renew, "renew").clone();
    assert_eq!(
        (&renew["state"], &renew["clause"]["id"]),
        (&json!("open"), &json!("YC-29.p3"))
    );

    // The form comes with what was asked for the last time; filing it is the step.
    let preview = app
        .as_person("civil")
        .get(&format!("/requests/preview?entry_id={entry}"))
        .await
        .ok();
    assert_eq!(
        (
            &preview["prefill"]["previous_request_id"],
            &preview["prefill"]["purpose"],
            &preview["prefill"]["term_months"]
        ),
        (
            &request["request_id"],
            &request["content"]["purpose"],
            &json!(1)
        )
    );
    app.ask_for_interface(&entry, term).await.ok();
    let ended = app.case("civil", &life).await;
    assert_eq!(
        (&ended["state"], &step(&ended, "renew")["state"]),
        (&json!("completed"), &json!("done"))
    );
    app.finish().await;
}

/// How many notices of a kind the department of a person has.
async fn told(app: &TestApp, person: &str, kind: &str) -> usize {
    let page = app.as_person(person).get("/notices?size=100").await.ok();
    let notices = page["items"].as_array().unwrap().iter();
    notices.filter(|notice| notice["kind"] == kind).count()
}

/// What the day's work notes as expired.
async fn expired(app: &TestApp) -> u32 {
    tongqu::features::request::note_expired(app.app())
        .await
        .unwrap()
}

/// YC-29.p3
#[tokio::test]
async fn yc_29_p3_an_unused_authorisation_is_proposed_for_reclaim_and_nothing_more() {
    let app = TestApp::under_yichuan().await;
    let (request, life) = granted_interface(&app).await;
    let propose = || async {
        tongqu::features::request::propose_reclaims(app.app())
            .await
            .unwrap()
    };
    app.set_clock("2021-12-13T01:00:00Z").await;
    assert_eq!(propose().await, 0, "three months to the day");
    app.set_clock("2021-12-14T01:00:00Z").await;
    assert_eq!((propose().await, propose().await), (1, 0), "once");
    let now = app.request_of(&request).await;
    assert_eq!(
        (
            &now["grant"]["state"],
            now["grant"]["reclaim_proposed_at"].is_string()
        ),
        (&json!("in_force"), true),
        "nothing is revoked"
    );
    for person in ["stats", "civil"] {
        let proposals = told(&app, person, "grant.reclaim_proposed").await;
        assert_eq!(proposals, 1, "{person}");
    }
    let now = app.case("stats", &life).await;
    assert_eq!(
        (&now["state"], &step(&now, "reclaim_unused")["may_take"]),
        (&json!("open"), &json!(true)),
        "the provider decides"
    );
    app.finish().await;
}

/// YC-29.p3
#[tokio::test]
async fn yc_29_p3_more_than_three_months_unused_may_be_reclaimed() {
    let app = TestApp::under_yichuan().await;
    let (request, life) = granted_interface(&app).await;
    // Authorised on 13 September; three months to the day is not more than three months.
    app.set_clock("2021-12-13T01:00:00Z").await;
    let reclaim = || app.try_take("stats", &life, "reclaim_unused", json!({}));
    let problem = reclaim().await.refused(409, "case.too_early");
    assert_eq!(problem["clause"], "YC-29.p3");
    app.set_clock("2021-12-14T01:00:00Z").await;
    assert_eq!(
        app.grant(&request).await.state,
        GrantState::Active,
        "nothing is revoked by itself"
    );
    reclaim().await.ok();
    assert!(matches!(
        app.grant(&request).await.state,
        GrantState::Ended { .. }
    ));
    app.finish().await;
}

/// YC-36
#[tokio::test]
async fn yc_36_an_incident_is_responded_to_at_once_and_reported() {
    let app = TestApp::under_yichuan().await;
    let case = app
        .open_about("stats", "security_incident", ("matter", ""))
        .await;
    app.set_clock("2021-09-15T01:00:00Z").await;
    let now = app.case("authority", &case).await;
    let respond = step(&now, "respond");
    assert_eq!(
        (
            &respond["due_on"],
            &respond["clock"]["word"],
            &respond["clock"]["days"]
        ),
        (&Value::Null, &json!("immediately"), &json!(2))
    );
    // Authority or department, whoever is nearer.
    app.take("stats", &case, "respond", json!({})).await;
    let done = app.take("authority", &case, "report", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// YC-40
#[tokio::test]
async fn yc_40_a_project_lists_its_data_before_approval_and_shows_them_at_acceptance() {
    let app = TestApp::under_yichuan().await;
    let case = app
        .open_about("stats", "project_check", ("matter", ""))
        .await;
    assert_eq!(
        (
            &step(&case, "pre_catalogue")["state"],
            &step(&case, "acceptance")["state"],
            &step(&case, "acceptance")["clause"]["id"]
        ),
        (&json!("done"), &json!("open"), &json!("YC-40"))
    );
    let done = app.take("stats", &case, "acceptance", json!({})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}

/// YC-46
#[tokio::test]
async fn yc_46_after_two_years_nothing_new_begins_and_what_began_runs_on() {
    let app = TestApp::under("yichuan-2020", "2022-10-12T01:00:00Z").await;
    let entry = app.published("行政区划代码", "conditional").await;
    let request = app.ask(&entry).await;
    app.set_clock("2022-10-12T16:30:00Z").await; // the 13th in China
    let standing = app
        .as_person("civil")
        .get("/law/packs/yichuan-2020")
        .await
        .ok();
    assert_eq!(
        (&standing["pack"]["standing"], &standing["pack"]["last_day"]),
        (&json!("ended"), &json!("2022-10-12"))
    );
    let late = || app.as_person("civil").post("/requests", a_request(&entry));
    let problem = late().await.refused(409, "case.pack_not_in_force");
    assert_eq!(problem["clause"], "YC-46");
    let body = json!({ "process_id": "dispute", "subject": { "kind": "request", "id": request["request_id"] } });
    app.try_open("civil", body)
        .await
        .refused(409, "case.pack_not_in_force");
    app.take("civil", &request, "form", sealed()).await;
    app.decide("stats", &request, "decide", "approved").await;
    assert!(!app.request_of(&request).await["grant"].is_null());
    app.finish().await;
}

/// YC-46
#[tokio::test]
async fn yc_46_the_refusal_names_the_pack_that_follows() {
    let app = TestApp::under_a_changed("yichuan-2020", "2022-10-13T01:00:00Z", |text| {
        text.replace(
            "clause = \"YC-meta\"\n#",
            "clause = \"YC-meta\"\nsuccessor = \"pingdingshan-2020\"\n#",
        )
    })
    .await;
    let entry = app.published("行政区划代码", "conditional").await;
    let problem = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .refused(409, "case.pack_succeeded");
    assert_eq!(problem["clause"], "YC-46");
    let sentence = problem["message"].as_str().unwrap();
    assert!(sentence.contains("pingdingshan-2020"), "{sentence}");
    app.finish().await;
}

/// YC-26
#[tokio::test]
async fn yc_26_an_entry_that_is_not_shared_offers_no_request() {
    let app = TestApp::under_yichuan().await;
    let held_back = app.published("法人行政处罚", "not_shared").await;
    let open = app.published("行政区划代码", "unconditional").await;
    let read = |id: String| {
        let app = &app;
        async move {
            app.as_person("civil")
                .get(&format!("/catalogue/entries/{id}"))
                .await
                .ok()
        }
    };
    assert!(may_request(&read(open).await));
    assert!(!may_request(&read(held_back).await));
    app.finish().await;
}

/// YC-14.2
#[tokio::test]
async fn yc_14_2_the_updated_entry_is_found_by_its_new_words() {
    let app = TestApp::under_yichuan().await;
    let content = app.content("行政区划代码", "unconditional");
    let entry = app.published_entry(&content).await;
    app.submit(
        "stats",
        &EntryContent {
            summary: "含乡镇街道撤并沿革。".to_owned(),
            ..content
        },
    )
    .await;
    let case = app
        .open_about("stats", "catalogue_change", ("entry", &entry))
        .await;
    app.take("stats", &case, "apply", json!({})).await;
    app.take("authority", &case, "update", json!({})).await;
    let found = app
        .as_person("civil")
        .get("/catalogue/entries?q=撤并沿革")
        .await
        .ok();
    assert_eq!(
        (&found["total"], &found["matched"]),
        (&json!(1), &json!("exactly")),
        "{found:#}"
    );
    app.finish().await;
}

/// YC-40
#[tokio::test]
async fn yc_40_a_project_without_its_catalogue_list_does_not_meet_the_approval() {
    let app = TestApp::under_yichuan().await;
    let gate = |name: &'static str| {
        let path = format!("/gates/{name}?title=智慧社区");
        let app = &app;
        async move { app.as_person("authority").get(&path).await.ok() }
    };
    let answer = gate("project_approval").await;
    assert_eq!(
        (
            &answer["met"],
            &answer["clause"]["id"],
            &answer["process_id"]
        ),
        (&json!(false), &json!("YC-40"), &json!("project_check"))
    );
    let body = json!({
        "process_id": "project_check", "subject": { "kind": "matter" }, "title": "智慧社区",
    });
    let case = app.try_open("stats", body).await.ok();
    assert_eq!(gate("project_approval").await["met"], true);
    assert_eq!(gate("project_acceptance").await["met"], false);
    app.take("stats", &case, "acceptance", json!({})).await;
    assert_eq!(gate("project_acceptance").await["met"], true);
    app.finish().await;
}
