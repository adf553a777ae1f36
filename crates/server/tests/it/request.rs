//! Requests: who may ask, who may decide, and what a decision needs.

use serde_json::{Value, json};
use tongqu_domain::catalogue::EntryContent;

use crate::support::{TestApp, a_request, an_entry, faults, nothing, village_rows, villages_entry};

/// A request of the civil affairs bureau on a conditional entry of the statistics bureau.
async fn filed(app: &TestApp) -> Value {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok()
}

fn path(request: &Value, verb: &str) -> String {
    format!(
        "/requests/{}/{verb}",
        request["request_id"].as_str().unwrap()
    )
}

fn verdict(request: &Value, verdict: &str) -> Value {
    let reason = (verdict == "refuse").then_some("超出履职范围");
    json!({ "verdict": verdict, "reason": reason, "revision": request["revision"] })
}

async fn read(app: &TestApp, person: &str, request: &Value) -> Value {
    app.as_person(person)
        .get(&format!(
            "/requests/{}",
            request["request_id"].as_str().unwrap()
        ))
        .await
        .ok()
}

/// Spec: PDS-7.
#[tokio::test]
async fn a_field_that_is_not_in_the_entry_is_refused() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let mut request = a_request(&entry);
    request["columns"] = json!(["code", "income"]);
    let problem = app
        .as_person("civil")
        .post("/requests", request)
        .await
        .refused(422, "request.faulty");
    assert_eq!(faults(&problem), ["columns[1]: request.field_not_in_entry"]);
    assert_eq!(problem["clause"], "PDS-7");
    let mine = app.as_person("civil").get("/requests").await.ok();
    assert_eq!(mine["items"], json!([]), "nothing is half filed");
    app.finish().await;
}

#[tokio::test]
async fn a_request_names_all_its_faults_at_once() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let mut request = a_request(&entry);
    request["columns"] = json!(["name", "income"]);
    request["condition"] = json!([{ "column": "age", "op": "eq", "values": ["1"] }]);
    request["purpose"] = json!(" ");
    request["term_months"] = json!(0);
    let problem = app
        .as_person("civil")
        .post("/requests", request)
        .await
        .refused(422, "request.faulty");
    let faults = faults(&problem);
    for expected in [
        "columns[1]: request.field_not_in_entry",
        "columns: request.key_missing",
        "purpose: request.purpose_missing",
        "term_months: request.term_out_of_range",
    ] {
        assert!(
            faults.iter().any(|f| f == expected),
            "{expected} isn't among {faults:?}"
        );
    }
    assert!(
        faults
            .iter()
            .any(|f| f.starts_with("condition[0]: condition.")),
        "{faults:?}"
    );
    app.finish().await;
}

/// Spec: PDS-10.2b.
#[tokio::test]
async fn a_refusal_without_reason_is_refused() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    for reason in [Value::Null, json!(""), json!("  \n")] {
        let body =
            json!({ "verdict": "refuse", "reason": reason, "revision": request["revision"] });
        let reply = app
            .as_person("stats")
            .post(&path(&request, "decision"), body)
            .await;
        assert_eq!(
            reply.refused(422, "case.reason_required")["clause"],
            "PDS-10.2b"
        );
    }
    let seen = read(&app, "civil", &request).await;
    assert_eq!(
        (&seen["state"], &seen["revision"]),
        (&json!("open"), &request["revision"])
    );
    app.finish().await;
}

#[tokio::test]
async fn nobody_decides_the_own_request() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    for verb in ["approve", "refuse"] {
        let reply = app
            .as_person("civil")
            .post(&path(&request, "decision"), verdict(&request, verb))
            .await;
        reply.refused(403, "case.own_request");
    }
    let seen = read(&app, "civil", &request).await;
    assert!(
        !seen["actions"]
            .as_array()
            .unwrap()
            .contains(&json!("decide"))
    );
    assert_eq!(
        (&seen["state"], &seen["revision"]),
        (&json!("open"), &request["revision"])
    );
    app.finish().await;
}

#[tokio::test]
async fn a_department_does_not_ask_itself() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.as_person("stats2")
        .post("/requests", a_request(&entry))
        .await
        .refused(422, "case.own_data");
    let seen = app
        .as_person("stats")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert!(
        !seen["actions"]
            .as_array()
            .unwrap()
            .contains(&json!("request"))
    );
    app.finish().await;
}

#[tokio::test]
async fn a_request_is_decided_once() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    let decision = path(&request, "decision");
    let approved = app
        .as_person("stats")
        .post(&decision, verdict(&request, "approve"))
        .await
        .ok();
    for body in [
        verdict(&request, "refuse"),
        verdict(&approved, "refuse"),
        verdict(&approved, "approve"),
    ] {
        app.as_person("stats_head")
            .post(&decision, body)
            .await
            .refused(409, "case.already_decided");
    }
    let seen = read(&app, "civil", &request).await;
    assert_eq!(
        (&seen["revision"], &seen["grant"]["grant_id"]),
        (&approved["revision"], &approved["grant"]["grant_id"])
    );
    app.finish().await;
}

#[tokio::test]
async fn a_refused_request_stays_refused() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    let decision = path(&request, "decision");
    let refused = app
        .as_person("stats")
        .post(&decision, verdict(&request, "refuse"))
        .await
        .ok();
    let late = app
        .as_person("stats_head")
        .post(&decision, verdict(&refused, "approve"))
        .await;
    assert_eq!(late.status, 409, "{}", late.json());
    let seen = read(&app, "civil", &request).await;
    assert_eq!(
        (&seen["state"], &seen["grant"]),
        (&json!("refused"), &Value::Null)
    );
    assert!(
        seen["actions"]
            .as_array()
            .unwrap()
            .contains(&json!("request_again"))
    );
    app.finish().await;
}

#[tokio::test]
async fn of_two_officers_who_decide_at_once_one_wins() {
    two_officers(TestApp::start().await).await;
}

#[tokio::test]
async fn of_two_officers_who_decide_at_once_one_wins_in_postgres() {
    two_officers(TestApp::on_postgres().await).await;
}

async fn two_officers(app: TestApp) {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.person("stats").await;
    app.person("stats_head").await;
    for _ in 0..5 {
        let request = app
            .as_person("civil")
            .post("/requests", a_request(&entry))
            .await
            .ok();
        let decision = path(&request, "decision");
        let (approved, refused) = tokio::join!(
            app.as_person("stats")
                .post(&decision, verdict(&request, "approve")),
            app.as_person("stats_head")
                .post(&decision, verdict(&request, "refuse")),
        );
        let (winner, loser) = if approved.status == 200 {
            (approved, refused)
        } else {
            (refused, approved)
        };
        let won = winner.ok();
        let code = loser.json()["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!(loser.status, 409, "{}", loser.json());
        assert!(
            [
                "platform.changed_meanwhile",
                "case.already_decided",
                "case.ended"
            ]
            .contains(&code.as_str()),
            "{code}"
        );
        let seen = read(&app, "civil", &request).await;
        assert_eq!(
            (&seen["state"], &seen["revision"], seen["grant"].is_null()),
            (&won["state"], &won["revision"], won["state"] == "refused")
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn requests_filed_at_once_get_numbers_of_their_own() {
    filed_at_once(TestApp::start().await).await;
}

#[tokio::test]
async fn requests_filed_at_once_get_numbers_of_their_own_in_postgres() {
    filed_at_once(TestApp::on_postgres().await).await;
}

async fn filed_at_once(app: TestApp) {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    for person in ["civil", "civil_head", "tax", "county"] {
        app.person(person).await;
    }
    let mut numbers = Vec::new();
    for _ in 0..4 {
        let file = |person| app.as_person(person).post("/requests", a_request(&entry));
        let (a, b, c, d) = tokio::join!(
            file("civil"),
            file("civil_head"),
            file("tax"),
            file("county")
        );
        for reply in [a, b, c, d] {
            numbers.push(reply.ok()["number"].as_str().unwrap().to_owned());
        }
    }
    numbers.sort();
    let expected: Vec<String> = (1..=16).map(|n| format!("SQ-2026-0921-{n:04}")).collect();
    assert_eq!(numbers, expected);
    app.finish().await;
}

/// The one on whose page somebody has acted in between is told, and nothing is done.
#[tokio::test]
async fn a_decision_on_a_stale_page_is_refused() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    app.as_person("civil")
        .post(&path(&request, "urging"), nothing())
        .await
        .ok();
    let reply = app
        .as_person("stats")
        .post(&path(&request, "decision"), verdict(&request, "approve"))
        .await;
    reply.refused(409, "platform.changed_meanwhile");
    let fresh = read(&app, "stats", &request).await;
    assert_eq!(
        (&fresh["state"], &fresh["grant"]),
        (&json!("open"), &Value::Null)
    );
    app.as_person("stats")
        .post(&path(&request, "decision"), verdict(&fresh, "approve"))
        .await
        .ok();
    app.finish().await;
}

/// Spec: PDS-10.2b (the provider decides).
#[tokio::test]
async fn only_the_provider_decides() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    let decision = path(&request, "decision");
    for person in ["civil_head", "operator", "authority"] {
        app.as_person(person)
            .post(&decision, verdict(&request, "approve"))
            .await
            .refused(403, "case.wrong_actor");
    }
    // A department that is no party doesn't even see the request.
    for person in ["tax", "admin", "security", "auditor"] {
        let reply = app
            .as_person(person)
            .post(&decision, verdict(&request, "approve"))
            .await;
        assert_eq!(reply.status, 403, "{person}: {}", reply.json());
    }
    app.as_person("tax")
        .get(&format!(
            "/requests/{}",
            request["request_id"].as_str().unwrap()
        ))
        .await
        .refused(403, "access.other_department");
    app.finish().await;
}

#[tokio::test]
async fn a_contractor_delivers_but_never_approves() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.store("stats").await.sql(&village_rows(20));
    app.store("civil").await;
    app.mount(&entry, "division_village").await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let decision = path(&request, "decision");
    let reply = app
        .as_person("stats_contractor")
        .post(&decision, verdict(&request, "approve"))
        .await;
    reply.refused(403, "case.contractor");
    app.as_person("stats")
        .post(&decision, verdict(&request, "approve"))
        .await
        .ok();
    app.as_person("contractor")
        .post(&path(&request, "delivery"), nothing())
        .await
        .ok();
    app.idle().await;
    assert_eq!(read(&app, "civil", &request).await["state"], "completed");
    app.finish().await;
}

#[tokio::test]
async fn a_request_is_taken_back_before_it_is_decided_only() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    let withdrawal = path(&request, "withdrawal");
    let why = json!({ "reason": "重复申请" });
    app.as_person("stats")
        .post(&withdrawal, why.clone())
        .await
        .refused(403, "case.wrong_actor");
    let gone = app
        .as_person("civil")
        .post(&withdrawal, why.clone())
        .await
        .ok();
    assert_eq!(gone["state"], "withdrawn");
    let late = app
        .as_person("stats")
        .post(&path(&request, "decision"), verdict(&gone, "approve"))
        .await;
    assert_eq!(late.status, 409, "{}", late.json());

    let entry = request["entry_id"].as_str().unwrap();
    let other = app
        .as_person("civil")
        .post("/requests", a_request(entry))
        .await
        .ok();
    app.as_person("stats")
        .post(&path(&other, "decision"), verdict(&other, "approve"))
        .await
        .ok();
    app.as_person("civil")
        .post(&path(&other, "withdrawal"), why)
        .await
        .refused(409, "case.not_withdrawable");
    app.finish().await;
}

#[tokio::test]
async fn a_request_on_an_older_version_is_refused() {
    let app = TestApp::start().await;
    let content = an_entry("人口数");
    let entry = app.published_entry(&content).await;
    app.publish(
        "stats",
        &EntryContent {
            grade: 3,
            ..content
        },
    )
    .await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .refused(409, "request.version_changed");
    app.finish().await;
}

#[tokio::test]
async fn both_sides_are_told_of_each_act() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    app.as_person("stats")
        .post(&path(&request, "decision"), verdict(&request, "refuse"))
        .await
        .ok();
    for (person, expected) in [
        ("stats", vec!["request.decided", "request.filed"]),
        ("civil", vec!["request.decided"]),
    ] {
        let notices = app.as_person(person).get("/notices").await.ok();
        let about: Vec<&str> = notices["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|n| n["subject_id"] == request["request_id"])
            .map(|n| n["kind"].as_str().unwrap())
            .collect();
        assert_eq!(about, expected, "{person}");
    }
    app.finish().await;
}

/// Spec: PDS-11.1, PDS-11.2 (the same limits for departments of the counties).
#[tokio::test]
async fn a_department_of_a_county_asks_under_its_own_process() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let request = app
        .as_person("county")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    assert_eq!(request["process_clause"]["id"], "PDS-11.1");
    let decide = request["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["action"] == "decide")
        .unwrap();
    // Filed on Monday the 21st; the 25th is the Mid-Autumn Festival.
    assert_eq!(
        (&decide["due_on"], &decide["clause"]["id"]),
        (&json!("2026-09-29"), &json!("PDS-11.2"))
    );
    app.finish().await;
}

/// The lamp goes from on time over due to overdue, and the next days show the holiday.
#[tokio::test]
async fn the_desk_counts_working_days() {
    let app = TestApp::start().await;
    filed(&app).await;
    for (now, kind, days) in [
        ("2026-09-21T02:00:00Z", "on_time", 5),
        ("2026-09-28T02:00:00Z", "due_soon", 1),
        ("2026-09-29T02:00:00Z", "due_today", 0),
        // Two working days late, as the holiday of 1-7 October doesn't count: the 30th and the 8th.
        ("2026-10-08T02:00:00Z", "overdue", 2),
    ] {
        app.set_clock(now).await;
        let desk = app.as_person("stats").get("/desk").await.ok();
        let clock = &desk["todo"][0]["clock"];
        assert_eq!(
            (&clock["kind"], &clock["days"]),
            (&json!(kind), &json!(days)),
            "{now}"
        );
    }
    app.set_clock("2026-09-28T02:00:00Z").await;
    let desk = app.as_person("stats").get("/desk").await.ok();
    let kinds: Vec<&str> = desk["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "working", "working", "working", "holiday", "holiday", "weekend", "weekend", "holiday",
        "holiday", "holiday", "working", "working", "make_up", "weekend",
    ];
    assert_eq!(kinds, expected);
    app.finish().await;
}
