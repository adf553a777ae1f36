//! The working-day calendar: what is known, what a notice would change, and what it changes.

use serde_json::{Value, json};

use crate::support::{TestApp, a_request, faults, villages_entry};

/// The notice for 2026 as it is built in, with a further day off on 29 September.
fn notice_of_2026() -> String {
    let built_in = tongqu_domain::calendar::STATUTORY_CSV
        .lines()
        .filter(|line| line.starts_with("date") || line.starts_with("2026"))
        .collect::<Vec<_>>()
        .join("\n");
    format!("{built_in}\n2026-09-29,holiday,临时放假\n")
}

/// An invented notice for 2027.
const NOTICE_OF_2027: &str = "date,kind,name\n2027-01-01,holiday,元旦\n2027-10-01,holiday,国庆节\n";

fn notice(csv: &str) -> Value {
    json!({ "title": "关于部分节假日安排的通知", "number": "国办发明电〔2026〕9号", "csv": csv })
}

/// Files a request on a conditional entry and gives it as the requester sees it.
async fn filed(app: &TestApp, name: &str) -> Value {
    let entry = app
        .published_entry(&villages_entry(name, "conditional"))
        .await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok()
}

/// The step of a request that has this action.
async fn step(app: &TestApp, request: &Value, action: &str) -> Value {
    let path = format!("/requests/{}", request["request_id"].as_str().unwrap());
    let seen = app.as_person("civil").get(&path).await.ok();
    seen["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["action"] == action)
        .unwrap()
        .clone()
}

async fn notices(app: &TestApp, person: &str) -> Vec<Value> {
    let told = app.as_person(person).get("/notices?size=100").await.ok();
    told["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|n| n["kind"] == "calendar.dates_moved")
        .cloned()
        .collect()
}

/// Spec: PDS-17, YC-29.1.
#[tokio::test]
async fn yc_29_1_a_new_notice_moves_open_steps_and_no_finished_one() {
    let app = TestApp::start().await;
    let decided = filed(&app, "行政区划代码").await;
    let open = filed(&app, "村级行政区划").await;
    assert_eq!(step(&app, &open, "decide").await["due_on"], "2026-09-29");
    let path = format!(
        "/requests/{}/decision",
        decided["request_id"].as_str().unwrap()
    );
    app.as_person("stats")
        .post(
            &path,
            json!({ "verdict": "approve", "reason": null, "revision": decided["revision"] }),
        )
        .await
        .ok();

    let preview = app
        .as_person("authority")
        .post("/calendars/preview", json!({ "csv": notice_of_2026() }))
        .await
        .ok();
    assert_eq!(
        preview["days"],
        json!([{ "date": "2026-09-29", "before": "working", "after": "holiday", "name": "临时放假" }])
    );
    assert_eq!(preview["loaded"], false);
    let listed: Vec<(&str, &str, &str)> = preview["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (
                s["number"].as_str().unwrap(),
                s["before"].as_str().unwrap(),
                s["after"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(
        listed.contains(&(open["number"].as_str().unwrap(), "2026-09-29", "2026-09-30")),
        "{listed:?}"
    );
    assert_eq!(
        step(&app, &open, "decide").await["due_on"],
        "2026-09-29",
        "a preview writes nothing"
    );
    assert!(notices(&app, "stats").await.is_empty());

    let loaded = app
        .as_person("authority")
        .post("/calendars", notice(&notice_of_2026()))
        .await
        .ok();
    assert_eq!(loaded["steps_total"], preview["steps_total"]);
    assert_eq!(step(&app, &open, "decide").await["due_on"], "2026-09-30");
    let done = step(&app, &decided, "decide").await;
    assert_eq!(
        (&done["state"], &done["due_on"]),
        (&json!("done"), &json!("2026-09-29"))
    );
    assert_eq!(
        notices(&app, "stats").await.len(),
        1,
        "one notice for a department"
    );
    let saved = app.as_person("stats").get("/desk").await.ok();
    let due: Vec<&Value> = saved["todo"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["due_on"])
        .collect();
    assert_eq!(due, ["2026-09-30"]);
    app.finish().await;
}

/// Spec: SHR-13.
#[tokio::test]
async fn a_date_that_could_not_be_reckoned_comes_with_the_notice_of_its_year() {
    let mut app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.set_clock("2026-12-30T01:00:00Z").await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let waiting = step(&app, &request, "decide").await;
    assert_eq!(
        (&waiting["due_on"], &waiting["clock"]["kind"]),
        (&Value::Null, &json!("calendar_missing"))
    );
    app.as_person("civil")
        .get("/calendars/2027")
        .await
        .refused(404, "calendar.year_not_published");
    app.as_person("authority")
        .post("/calendars", notice(NOTICE_OF_2027))
        .await
        .ok();
    // 31 December, 4, 5, 6, 7 January.
    assert_eq!(step(&app, &request, "decide").await["due_on"], "2027-01-07");
    assert_eq!(notices(&app, "stats").await.len(), 1);
    app.restart().await;
    let year = app.as_person("civil").get("/calendars/2027").await.ok();
    assert_eq!(year["source"]["number"], "国办发明电〔2026〕9号");
    assert_eq!(year["days"].as_array().unwrap().len(), 365);
    assert_eq!(
        year["days"][0],
        json!({ "date": "2027-01-01", "kind": "holiday", "name": "元旦" })
    );
    let known: Vec<(i64, &str)> = year["years"]
        .as_array()
        .unwrap()
        .iter()
        .map(|y| {
            (
                y["year"].as_i64().unwrap(),
                y["source"]["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(known.first(), Some(&(2019, "built_in")));
    assert_eq!(known.last(), Some(&(2027, "notice")));
    app.finish().await;
}

#[tokio::test]
async fn a_faulty_notice_names_every_line_and_changes_nothing() {
    let app = TestApp::start().await;
    let csv = "date,kind,name\n2027-10-01,holiday,国庆节\n2027-13-01,holiday,国庆节\n2027-10-02,off,国庆节\n\
               2027-10-04,workday,国庆节\n2027-10-01,holiday,国庆节\n2027-10-05,holiday\n2027-10-06,holiday,\n";
    for path in ["/calendars/preview", "/calendars"] {
        let body = if path == "/calendars" {
            notice(csv)
        } else {
            json!({ "csv": csv })
        };
        let problem = app
            .as_person("authority")
            .post(path, body)
            .await
            .refused(422, "calendar.unreadable");
        assert_eq!(
            faults(&problem),
            [
                "csv[3]: calendar.date",
                "csv[4]: calendar.kind",
                "csv[5]: calendar.workday_on_weekday",
                "csv[6]: calendar.twice",
                "csv[7]: calendar.cells",
                "csv[8]: calendar.name",
            ]
        );
    }
    let problem = app
        .as_person("authority")
        .post(
            "/calendars",
            json!({ "title": " ", "number": "", "csv": NOTICE_OF_2027 }),
        )
        .await
        .refused(422, "calendar.unreadable");
    assert_eq!(
        faults(&problem),
        [
            "title: calendar.notice_title",
            "number: calendar.notice_number"
        ]
    );
    app.as_person("authority")
        .get("/calendars/2027")
        .await
        .refused(404, "calendar.year_not_published");
    app.finish().await;
}

#[tokio::test]
async fn only_the_authority_loads_a_notice() {
    let app = TestApp::start().await;
    for person in ["civil", "admin", "contractor", "leader"] {
        let reply = app
            .as_person(person)
            .post("/calendars", notice(NOTICE_OF_2027))
            .await;
        assert_eq!(reply.status, 403, "{person}");
        let reply = app
            .as_person(person)
            .post("/calendars/preview", json!({ "csv": NOTICE_OF_2027 }))
            .await;
        assert_eq!(reply.status, 403, "{person}");
    }
    let known = app.as_person("civil").get("/calendars").await.ok();
    assert_eq!(known["may_load"], false);
    app.finish().await;
}
