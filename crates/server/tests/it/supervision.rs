//! Supervision: overdue steps, what comes round, the daily digest, statistics.

use serde_json::{Value, json};

use crate::support::{TestApp, a_request, faults, nothing, villages_entry};

const PINGDINGSHAN_2020: &str = include_str!("../../../../regulations/pingdingshan-2020.toml");

/// The pack in force with a finding in place of the notice, and with duties that come round.
fn with_findings_and_duties() -> String {
    let pack = PINGDINGSHAN_2020.replace(
        "on_overdue = { opens = \"rectification\", clause = \"PDS-22.2\" }",
        "on_overdue = { finding = \"late_check\", clause = \"PDS-22.2\" }",
    );
    format!(
        "{pack}
[[list]]
id = \"prohibited\"
name = \"禁止行为\"
clause = \"PDS-22.2\"
items = [{{ code = \"late_check\", name = \"逾期核查\" }}]

[[role]]
id = \"all_units\"
name = \"各单位\"
name_en = \"All units\"
held_by = \"every\"
posts = [\"data_officer\", \"head\"]
clause = \"PDS-22.1\"

[[periodic]]
id = \"annual_report\"
name = \"年度报告\"
name_en = \"Annual report\"
role = \"all_units\"
addressee = \"authority\"
covers = [\"previous_year\"]
due = {{ month = 1, day = 31, clause = \"PDS-22.1\" }}
clause = \"PDS-22.1\"

[[periodic]]
id = \"security_usage_report\"
name = \"安全使用情况报告\"
name_en = \"Report on secure use\"
role = \"all_units\"
addressee = \"authority\"
due = {{ word = \"periodic\", clause = \"PDS-22.1\" }}
clause = \"PDS-22.1\"
"
    )
}

/// A platform under that pack.
async fn with_duties() -> (TestApp, tempfile::TempDir) {
    let packs = tempfile::tempdir().unwrap();
    std::fs::write(packs.path().join("test.toml"), with_findings_and_duties()).unwrap();
    let folder = packs.path().display().to_string();
    let app = TestApp::start_with(|config| config.law.packs_dir = folder).await;
    (app, packs)
}

/// Files a request on a conditional entry; the provider has to decide by 29 September.
async fn filed(app: &TestApp) -> Value {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok()
}

async fn approve(app: &TestApp, request: &Value) {
    let path = format!(
        "/requests/{}/decision",
        request["request_id"].as_str().unwrap()
    );
    let body = json!({ "verdict": "approve", "reason": null, "revision": request["revision"] });
    app.as_person("stats").post(&path, body).await.ok();
}

async fn sweep(app: &TestApp) -> Value {
    app.as_person("authority")
        .post("/supervision/sweep", nothing())
        .await
        .ok()
}

async fn items(app: &TestApp, person: &str, path: &str) -> Vec<Value> {
    let page = app.as_person(person).get(path).await.ok();
    page["items"].as_array().unwrap().clone()
}

async fn notices(app: &TestApp, person: &str, kind: &str) -> Vec<Value> {
    let mut told = items(app, person, "/notices?size=100").await;
    told.retain(|n| n["kind"] == kind);
    told
}

fn of(finding: &Value, verb: &str) -> String {
    format!(
        "/supervision/findings/{}{verb}",
        finding["finding_id"].as_str().unwrap()
    )
}

/// Spec: YC-44.
#[tokio::test]
async fn yc_44_a_missed_date_of_a_unit_by_reference_is_a_reminder_only() {
    let (app, _packs) = with_duties().await;
    filed(&app).await;
    let path = format!("/departments/{}", app.department("stats").await);
    let edit = json!({
        "division_code": "410400", "level": "city", "kind": "utility", "by_reference": true,
    });
    app.as_person("admin").put(&path, edit).await.ok();
    app.set_clock("2026-09-30T02:00:00Z").await;
    assert_eq!(
        sweep(&app).await,
        json!({ "notices": 0, "findings": 0, "reminders": 1 })
    );
    app.finish().await;
}

/// Spec: YC-41.8.
#[tokio::test]
async fn yc_41_8_an_overdue_check_is_one_finding() {
    let (app, _packs) = with_duties().await;
    let request = filed(&app).await;
    app.set_clock("2026-09-29T15:40:00Z").await;
    assert_eq!(sweep(&app).await["findings"], 0, "the last day is in time");
    app.set_clock("2026-09-29T16:00:01Z").await;
    let (one, other) = tokio::join!(sweep(&app), sweep(&app));
    let found = one["findings"].as_u64().unwrap() + other["findings"].as_u64().unwrap();
    assert_eq!(found, 1, "two sweeps at once find it once");
    assert_eq!(
        sweep(&app).await,
        json!({ "notices": 0, "findings": 0, "reminders": 0 })
    );
    let findings = items(&app, "authority", "/supervision/findings").await;
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(
        (
            &finding["kind"],
            &finding["code"],
            &finding["code_name"],
            &finding["clause"]["id"]
        ),
        (
            &json!("finding"),
            &json!("late_check"),
            &json!("逾期核查"),
            &json!("PDS-22.2")
        )
    );
    assert_eq!(
        (
            &finding["state"],
            &finding["standing"],
            &finding["due_on"],
            &finding["number"]
        ),
        (
            &json!("draft"),
            &json!("overdue"),
            &json!("2026-09-29"),
            &request["number"]
        )
    );
    let detail = app.as_person("authority").get(&of(finding, "")).await.ok();
    assert_eq!(detail["late_working_days"], 1);
    assert_eq!(detail["department_name"], app.department_name("stats"));
    assert_eq!(detail["role_name"], "数据提供方");
    assert!(
        detail["draft_text"]
            .as_str()
            .unwrap()
            .contains("2026-09-29")
    );
    for (query, n) in [
        ("?state=draft", 1),
        ("?state=issued", 0),
        ("?clause=PDS-22.2", 1),
        ("?clause=PDS-9", 0),
    ] {
        let path = format!("/supervision/findings{query}");
        assert_eq!(items(&app, "authority", &path).await.len(), n, "{query}");
    }
    app.finish().await;
}

/// A platform under another of the regulations that come with the product.
async fn under(pack: &str) -> TestApp {
    let pack = pack.to_owned();
    TestApp::start_with(|config| config.law.pack = pack).await
}

/// Spec: YC-41.8, YC-14.1.
#[tokio::test]
async fn yc_14_1_a_late_application_to_update_the_catalogue_is_one_finding() {
    let app = under("yichuan-2020").await;
    let mut content = villages_entry("行政区划代码", "conditional");
    content.legal_basis = Some("《行政区划管理条例》第五条".to_owned());
    let entry = app.published_entry(&content).await;
    app.set_clock("2021-03-01T02:00:00Z").await;
    let body = json!({
        "process_id": "catalogue_change",
        "subject": { "kind": "entry", "id": entry },
        "title": "机构改革后职责调整",
        "began_at": "2021-03-01T01:00:00Z",
    });
    let case = app.as_person("stats").post("/cases", body).await.ok();
    // The tenth working day after 1 March 2021.
    app.set_clock("2021-03-15T15:59:00Z").await;
    assert_eq!(sweep(&app).await["findings"], 0);
    app.set_clock("2021-03-15T16:01:00Z").await;
    assert_eq!(
        sweep(&app).await,
        json!({ "notices": 0, "findings": 1, "reminders": 0 })
    );
    assert_eq!(sweep(&app).await["findings"], 0);
    let found = items(&app, "authority", "/supervision/findings?clause=YC-41.8").await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (
            &found[0]["number"],
            &found[0]["step_id"],
            &found[0]["due_on"],
            &found[0]["code"]
        ),
        (
            &case["number"],
            &json!("apply"),
            &json!("2021-03-15"),
            &json!("late_catalogue_check_or_opening")
        )
    );
    assert!(
        found[0]["code_name"].is_string(),
        "the list of prohibited conduct names it"
    );
    app.finish().await;
}

/// Spec: YC-39, YC-35, YC-36, YC-38.
#[tokio::test]
async fn yc_39_the_county_reports_by_the_end_of_january() {
    let app = under("yichuan-2020").await;
    app.set_clock("2021-06-01T01:00:00Z").await;
    // The department is entered now, and so owes what is due from here on.
    app.department("stats").await;
    for (at, state) in [
        ("2022-01-31T15:59:00Z", "open"),
        ("2022-01-31T16:00:00Z", "overdue"),
    ] {
        app.set_clock(at).await;
        let duties = items(&app, "stats", "/duties").await;
        let report = duties
            .iter()
            .find(|d| d["duty_id"] == "annual_report")
            .unwrap();
        assert_eq!(
            (
                &report["state"],
                &report["clause"]["id"],
                &report["period_to"]
            ),
            (&json!(state), &json!("YC-39"), &json!("2021-12-31"))
        );
        for id in ["risk_assessment", "emergency_drill"] {
            let duty = duties.iter().find(|d| d["duty_id"] == id).unwrap();
            assert_eq!(
                (&duty["state"], &duty["due_on"]),
                (&json!("open"), &Value::Null),
                "{id}"
            );
        }
        assert!(
            duties.iter().all(|d| d["duty_id"] != "annual_evaluation"),
            "the evaluation is the authority's"
        );
    }
    app.finish().await;
}

/// Spec: YJ-4.2.3.
#[tokio::test]
async fn yj_4_2_3_the_report_is_overdue_on_the_sixth_of_january() {
    let app = under("yanjin-2019").await;
    app.department("stats").await;
    for (at, state) in [
        ("2027-01-05T15:59:00Z", "open"),
        ("2027-01-05T16:00:00Z", "overdue"),
    ] {
        app.set_clock(at).await;
        let duties = items(&app, "stats", "/duties?duty_id=annual_report").await;
        assert_eq!(duties.len(), 1);
        assert_eq!(
            (&duties[0]["state"], &duties[0]["clause"]["id"]),
            (&json!(state), &json!("YJ-4.2.3"))
        );
    }
    app.finish().await;
}

/// Spec: LY-19, LY-8.1.
#[tokio::test]
async fn ly_8_1_the_item_table_is_owed_by_those_who_provide() {
    let app = under("luyi-2019").await;
    app.department("civil").await;
    let mut content = villages_entry("行政区划代码", "proactive");
    content.base_library = Some("population".to_owned());
    for item in &mut content.items {
        item.standard = Some("GB/T 2260".to_owned());
    }
    app.published_entry(&content).await;
    let owed = |duties: Vec<Value>| -> Vec<String> {
        let mut ids: Vec<String> = duties
            .iter()
            .map(|d| d["duty_id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(
        owed(items(&app, "stats", "/duties").await),
        ["publish_data_item_table", "security_usage_report"]
    );
    assert_eq!(
        owed(items(&app, "civil", "/duties").await),
        ["security_usage_report"]
    );
    app.finish().await;
}

/// Spec: PDS-22.2.
#[tokio::test]
async fn pds_22_2_an_overdue_authorisation_prepares_a_draft_that_only_a_person_sends() {
    let app = TestApp::start().await;
    filed(&app).await;
    app.set_clock("2026-09-30T01:00:00Z").await;
    assert_eq!(
        sweep(&app).await,
        json!({ "notices": 1, "findings": 0, "reminders": 0 })
    );
    let findings = items(&app, "authority", "/supervision/findings").await;
    let finding = &findings[0];
    assert_eq!(
        (
            &finding["kind"],
            &finding["process_name"],
            &finding["actions"]
        ),
        (
            &json!("notice"),
            &json!("通知排查整改"),
            &json!(["issue", "dismiss"])
        )
    );
    for person in ["stats", "civil"] {
        assert!(
            notices(&app, person, "supervision.issued").await.is_empty(),
            "nothing is sent by itself"
        );
        assert!(
            items(&app, person, "/supervision/findings")
                .await
                .is_empty()
        );
        app.as_person(person)
            .get(&of(finding, ""))
            .await
            .refused(404, "finding.not_found");
        let reply = app
            .as_person(person)
            .post(&of(finding, "/issue"), json!({ "text": "请整改" }))
            .await;
        assert_eq!(reply.status, 403);
    }
    let problem = app
        .as_person("authority")
        .post(&of(finding, "/issue"), json!({ "text": "  " }))
        .await
        .refused(422, "finding.text_needed");
    assert_eq!(faults(&problem), ["text: finding.text_needed"]);

    let issued = app
        .as_person("authority")
        .post(
            &of(finding, "/issue"),
            json!({ "text": "请于一周内排查整改" }),
        )
        .await
        .ok();
    assert_eq!(
        (&issued["state"], &issued["actions"]),
        (&json!("issued"), &json!([]))
    );
    assert_eq!(
        issued["addressees"],
        json!([app.department_name("stats"), app.department_name("civil")])
    );
    assert!(
        issued["follow_up_case_id"].is_string(),
        "the pack names a process"
    );
    for person in ["stats", "civil"] {
        let told = notices(&app, person, "supervision.issued").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["facts"]["text"], "请于一周内排查整改");
    }
    assert_eq!(
        items(&app, "stats", "/supervision/findings").await.len(),
        1,
        "what was sent is seen"
    );
    assert!(
        items(&app, "civil", "/supervision/findings")
            .await
            .is_empty(),
        "the others' isn't"
    );
    app.as_person("authority")
        .post(&of(finding, "/issue"), json!({ "text": "再发一次" }))
        .await
        .refused(409, "finding.settled");
    assert_eq!(sweep(&app).await["notices"], 0);
    app.finish().await;
}

/// Spec: PDS-22.2.
#[tokio::test]
async fn a_step_done_meanwhile_is_said_and_a_late_delivery_is_a_reminder() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    app.set_clock("2026-09-30T01:00:00Z").await;
    sweep(&app).await;
    approve(&app, &request).await;
    let late = &items(&app, "authority", "/supervision/findings").await[0];
    assert_eq!(late["standing"], "done");
    let detail = app.as_person("authority").get(&of(late, "")).await.ok();
    assert_eq!(
        (&detail["done_by_name"], &detail["late_working_days"]),
        (&json!("统计专员"), &json!(1))
    );
    // The delivery is due on 12 October, three working days after the national holiday's make-up day.
    app.set_clock("2026-10-20T01:00:00Z").await;
    assert_eq!(
        sweep(&app).await,
        json!({ "notices": 0, "findings": 0, "reminders": 1 })
    );
    let newest = &items(&app, "authority", "/supervision/findings").await[0];
    assert_eq!(
        (&newest["kind"], &newest["clause"]["id"]),
        (&json!("reminder"), &json!("PDS-10.2c"))
    );
    let problem = app
        .as_person("authority")
        .post(&of(newest, "/dismiss"), json!({ "reason": "" }))
        .await
        .refused(422, "finding.text_needed");
    assert_eq!(faults(&problem), ["reason: finding.text_needed"]);
    let dismissed = app
        .as_person("authority")
        .post(
            &of(newest, "/dismiss"),
            json!({ "reason": "前置库当日检修" }),
        )
        .await
        .ok();
    assert_eq!(
        (&dismissed["state"], &dismissed["text"]),
        (&json!("dismissed"), &json!("前置库当日检修"))
    );
    assert_eq!(
        notices(&app, "bigdata_officer", "supervision.issued")
            .await
            .len(),
        0
    );
    app.finish().await;
}

/// Spec: PDS-22.2.
#[tokio::test]
async fn a_step_whose_date_moved_on_is_not_sent() {
    let app = TestApp::start().await;
    filed(&app).await;
    app.set_clock("2026-09-30T01:00:00Z").await;
    sweep(&app).await;
    let csv: Vec<&str> = tongqu_domain::calendar::STATUTORY_CSV
        .lines()
        .filter(|line| line.starts_with("date") || line.starts_with("2026"))
        .chain(["2026-09-29,holiday,临时放假"])
        .collect();
    let notice = json!({ "title": "临时放假通知", "number": "1号", "csv": csv.join("\n") });
    app.as_person("authority")
        .post("/calendars", notice)
        .await
        .ok();
    let finding = &items(&app, "authority", "/supervision/findings").await[0];
    assert_eq!(
        (&finding["standing"], &finding["actions"]),
        (&json!("moved"), &json!(["dismiss"]))
    );
    app.as_person("authority")
        .post(&of(finding, "/issue"), json!({ "text": "请整改" }))
        .await
        .refused(409, "finding.not_overdue");
    app.finish().await;
}

/// Spec: YC-39.
#[tokio::test]
async fn yc_39_a_department_without_report_is_overdue_on_the_first_of_february() {
    let (app, _packs) = with_duties().await;
    let request = filed(&app).await;
    approve(&app, &request).await;
    let path = "/duties?duty_id=annual_report&size=100";
    assert!(
        items(&app, "authority", path).await.is_empty(),
        "the report on 2025 was due before anybody came"
    );
    app.set_clock("2027-01-31T15:00:00Z").await;
    let overdue = "/duties?duty_id=annual_report&state=overdue&size=100";
    assert!(
        items(&app, "authority", overdue).await.is_empty(),
        "the last of January is in time"
    );
    let mine = items(&app, "stats", path).await;
    assert_eq!(mine.len(), 1);
    assert_eq!(
        (
            &mine[0]["due_on"],
            &mine[0]["period_from"],
            &mine[0]["period_to"],
            &mine[0]["state"]
        ),
        (
            &json!("2027-01-31"),
            &json!("2026-01-01"),
            &json!("2026-12-31"),
            &json!("open")
        )
    );
    let submit = format!(
        "/duties/{}/submit",
        mine[0]["duty_item_id"].as_str().unwrap()
    );
    let prefilled = app
        .as_person("stats")
        .get(&format!(
            "/duties/{}",
            mine[0]["duty_item_id"].as_str().unwrap()
        ))
        .await
        .ok();
    let figures = &prefilled["figures"];
    for (code, n) in [
        ("entries_published", 1),
        ("requests_received", 1),
        ("requests_decided", 1),
        ("requests_decided_on_time", 1),
        ("grants_given", 1),
        ("steps_late", 0),
        ("requests_filed", 0),
    ] {
        assert_eq!(figures[code], n, "{code}");
    }
    assert_eq!(prefilled["may_submit"], true);
    app.as_person("civil")
        .post(&submit, json!({ "text": "代交" }))
        .await
        .refused(404, "duty.not_found");
    app.as_person("authority")
        .post(&submit, json!({ "text": "代交" }))
        .await
        .refused(403, "duty.not_yours");
    app.as_person("stats")
        .post(&submit, json!({ "text": " " }))
        .await
        .refused(422, "duty.text");
    let done = app
        .as_person("stats")
        .post(
            &submit,
            json!({ "text": "2026 年度报告", "figures": figures }),
        )
        .await
        .ok();
    assert_eq!(
        (&done["state"], &done["in_time"]),
        (&json!("submitted"), &json!(true))
    );
    assert_eq!(&done["figures"], figures);
    app.as_person("stats")
        .post(&submit, json!({ "text": "再交一次" }))
        .await
        .refused(409, "duty.submitted");
    assert_eq!(
        notices(&app, "authority", "supervision.report_received")
            .await
            .len(),
        1
    );

    app.set_clock("2027-01-31T16:00:00Z").await;
    let mut late: Vec<Value> = items(&app, "authority", overdue).await;
    late.sort_by_key(|d| d["department_name"].as_str().unwrap().to_owned());
    let names: Vec<&str> = late
        .iter()
        .map(|d| d["department_name"].as_str().unwrap())
        .collect();
    let mut expected = vec![app.department_name("bigdata"), app.department_name("civil")];
    expected.sort_unstable();
    assert_eq!(names, expected);
    let lamps = app
        .as_person("authority")
        .get("/supervision/lamps")
        .await
        .ok();
    let owing: i64 = lamps["departments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["duties_overdue"].as_i64().unwrap())
        .sum();
    assert_eq!(owing, 2);
    app.finish().await;
}

/// Spec: LY-19.
#[tokio::test]
async fn ly_19_a_report_has_a_date_only_after_its_period_was_set() {
    let (app, _packs) = with_duties().await;
    let path = "/duties?duty_id=security_usage_report";
    let undated = items(&app, "stats", path).await;
    assert_eq!(undated.len(), 1);
    assert_eq!(
        (
            &undated[0]["due_on"],
            &undated[0]["period_from"],
            &undated[0]["state"]
        ),
        (&Value::Null, &Value::Null, &json!("open"))
    );
    let quarter = json!({ "months": 3, "first_day": "2026-01-01" });
    let set = "/duties/security_usage_report/period";
    let reply = app.as_person("stats").put(set, quarter.clone()).await;
    assert_eq!(reply.status, 403);
    app.as_person("authority")
        .put("/duties/annual_report/period", quarter.clone())
        .await
        .refused(409, "duty.period_by_law");
    app.as_person("authority")
        .put(set, json!({ "months": 0 }))
        .await
        .refused(422, "duty.months");
    app.as_person("authority").put(set, quarter).await.ok();
    // The department came in September: the quarter under way then is the first that it reports on.
    assert!(items(&app, "stats", path).await.is_empty());
    app.set_clock("2026-10-01T01:00:00Z").await;
    let dated = items(&app, "stats", path).await;
    assert_eq!(dated.len(), 1);
    assert_eq!(
        (
            &dated[0]["period_from"],
            &dated[0]["period_to"],
            &dated[0]["due_on"],
            &dated[0]["state"]
        ),
        (
            &json!("2026-07-01"),
            &json!("2026-09-30"),
            &json!("2026-12-31"),
            &json!("open")
        )
    );
    app.set_clock("2027-01-01T01:00:00Z").await;
    let states: Vec<Value> = items(&app, "stats", path)
        .await
        .iter()
        .map(|d| d["state"].clone())
        .collect();
    assert_eq!(states, ["overdue", "open"]);
    app.finish().await;
}

/// Spec: MON-03.
#[tokio::test]
async fn a_department_gets_one_digest_on_a_working_day() {
    let mut app = TestApp::start().await;
    filed(&app).await;
    let one_day = json!({ "days": 1 });
    for _ in 0..2 {
        app.as_person("operator")
            .post("/demo/clock", one_day.clone())
            .await
            .ok();
    }
    assert_eq!(notices(&app, "stats", "supervision.digest").await.len(), 2);
    app.restart().await;
    app.as_person("operator")
        .post("/demo/clock", one_day.clone())
        .await
        .ok();
    let told = notices(&app, "stats", "supervision.digest").await;
    assert_eq!(told.len(), 3, "a restart on the same day adds none");
    let counts = |n: &Value| {
        ["overdue", "due_today", "due_next", "new"]
            .map(|code| n["facts"][code].as_str().unwrap().to_owned())
    };
    assert_eq!(counts(&told[2]), ["0", "0", "0", "1"]);
    assert_eq!(counts(&told[0]), ["0", "0", "0", "0"]);
    assert!(
        notices(&app, "tax", "supervision.digest").await.is_empty(),
        "who holds nothing isn't told"
    );
    // 25 to 27 September are days off.
    for _ in 0..3 {
        app.as_person("operator")
            .post("/demo/clock", one_day.clone())
            .await
            .ok();
    }
    assert_eq!(notices(&app, "stats", "supervision.digest").await.len(), 3);
    app.as_person("operator")
        .post("/demo/clock", one_day.clone())
        .await
        .ok();
    let told = notices(&app, "stats", "supervision.digest").await;
    assert_eq!(told.len(), 4);
    assert_eq!(counts(&told[0]), ["0", "0", "1", "0"]);
    app.as_person("operator")
        .post("/demo/clock", json!({ "days": 2 }))
        .await
        .ok();
    let told = notices(&app, "stats", "supervision.digest").await;
    assert_eq!(counts(&told[0]), ["1", "0", "0", "0"]);
    let drafts = items(&app, "authority", "/supervision/findings").await;
    assert_eq!(drafts.len(), 1, "the day's sweep ran with the demo's clock");
    app.finish().await;
}

#[tokio::test]
async fn lamps_are_shown_by_department() {
    let app = TestApp::start().await;
    filed(&app).await;
    for (at, lamp) in [
        ("2026-09-21T02:00:00Z", "ample"),
        ("2026-09-28T01:00:00Z", "due_next"),
        ("2026-09-29T01:00:00Z", "due_today"),
        ("2026-09-30T01:00:00Z", "overdue"),
    ] {
        app.set_clock(at).await;
        let lamps = app
            .as_person("authority")
            .get("/supervision/lamps")
            .await
            .ok();
        let stats = lamps["departments"]
            .as_array()
            .unwrap()
            .iter()
            .find(|d| d["department_name"] == app.department_name("stats"))
            .unwrap()
            .clone();
        for name in ["ample", "due_next", "due_today", "overdue"] {
            assert_eq!(stats[name], i64::from(name == lamp), "{name} at {at}");
        }
    }
    let own = app.as_person("civil").get("/supervision/lamps").await.ok();
    assert_eq!(
        own["departments"],
        json!([]),
        "the others' lamps are the authority's"
    );
    let reply = app.as_person("auditor").get("/supervision/lamps").await;
    assert_eq!(reply.status, 403);
    app.finish().await;
}

/// Spec: PDS-22.1.
#[tokio::test]
async fn pds_22_1_a_closed_period_shows_counts_by_mode_provider_and_requester() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    approve(&app, &request).await;
    let path = "/statistics/usage?from=2026-09-01&to=2026-09-30";
    app.as_person("tax")
        .get(path)
        .await
        .refused(422, "usage.period_open");
    app.set_clock("2026-10-01T01:00:00Z").await;
    let usage = app.as_person("tax").get(path).await.ok();
    assert_eq!(usage["clause"]["id"], "PDS-22.1");
    let counts = json!({ "authorisations": 1, "used": 0, "deliveries": 0, "rows": 0 });
    assert_eq!(usage["total"], counts);
    for (list, name) in [
        ("modes", "库表"),
        ("providers", app.department_name("stats")),
        ("requesters", app.department_name("civil")),
    ] {
        let lines = usage[list].as_array().unwrap();
        assert_eq!(lines.len(), 1, "{list}");
        assert!(
            lines[0]["name"].as_str().unwrap().contains(name),
            "{list}: {}",
            lines[0]
        );
        assert_eq!(lines[0]["authorisations"], 1, "{list}");
    }
    let before = app
        .as_person("tax")
        .get("/statistics/usage?from=2026-08-01&to=2026-08-31")
        .await
        .ok();
    assert_eq!(before["total"]["authorisations"], 0);
    app.as_person("tax")
        .get("/statistics/usage?from=2026-09-30&to=2026-09-01")
        .await
        .refused(422, "usage.period");
    app.finish().await;
}
