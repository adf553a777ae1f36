//! Statistics: figures that agree with what was done, formulas as they are written, a file that says the same.

use calamine::{Data, Reader as _, Xlsx};
use serde_json::{Value, json};

use crate::{
    exchange::open,
    support::{TestApp, a_request, villages_entry},
};

const PATH: &str = "/statistics/departments";

fn department<'a>(stats: &'a Value, name: &str) -> &'a Value {
    let departments = stats["departments"].as_array().unwrap();
    let found = departments.iter().find(|d| d["department_name"] == name);
    found.unwrap_or_else(|| panic!("{name} isn't in {stats}"))
}

#[tokio::test]
async fn figures_agree_with_what_was_done() {
    figures_agree(TestApp::start().await).await;
}

#[tokio::test]
async fn figures_agree_with_what_was_done_on_postgres() {
    figures_agree(TestApp::on_postgres().await).await;
}

async fn figures_agree(app: TestApp) {
    // An open delivery with a faulty row, and two requests that the provider decides: one in time, one late.
    let delivery = open(&app, 100).await;
    delivery
        .source
        .sql("INSERT INTO division_village VALUES ('41040299999X', '字母村', '410402', NULL, 1)");
    app.run_again(&delivery.subscription).await;
    let entry = app
        .published_entry(&villages_entry("村居名册", "conditional"))
        .await;
    let ask = async |person: &str| {
        let request = a_request(&entry);
        app.as_person(person).post("/requests", request).await.ok()
    };
    let decide = async |request: &Value, verdict: &str| {
        let path = format!(
            "/requests/{}/decision",
            request["request_id"].as_str().unwrap()
        );
        let body = json!({
            "verdict": verdict, "reason": "按规定办理", "revision": request["revision"],
        });
        app.as_person("stats").post(&path, body).await.ok();
    };
    let first = ask("civil").await;
    app.set_clock("2026-09-22T02:00:00Z").await;
    decide(&first, "approve").await;
    let second = ask("tax").await;
    app.set_clock("2026-10-20T02:00:00Z").await;
    decide(&second, "refuse").await;
    app.idle().await;

    let seen = app
        .as_person("leader")
        .get(&format!("{PATH}?from=2026-09-01&to=2026-10-31"))
        .await
        .ok();
    let stats = department(&seen, "云溪县统计局");
    let civil = department(&seen, "云溪县民政局");
    let expected = [
        ("entries", 2),
        ("mounted", 1),
        ("with_data", 1),
        ("in_cycle", 1),
        ("requests_received", 3),
        ("granted", 1),
        ("refused", 1),
        ("grants_given", 2),
        ("rows_given", 50),
    ];
    for (name, figure) in expected {
        assert_eq!(stats[name], json!(figure), "{name} of {stats}");
        if !name.starts_with("grants_") && !name.starts_with("rows_") {
            assert_eq!(
                seen["total"][name],
                json!(figure),
                "{name} of {}",
                seen["total"]
            );
        }
    }
    // One working day for the first; for the second from 22 September to 20 October with both holidays between.
    let working = app.app().calendar();
    let days = |from: &str, to: &str| {
        working
            .working_days_between(from.parse().unwrap(), to.parse().unwrap())
            .unwrap()
    };
    let sum = days("2026-09-21", "2026-09-22") + days("2026-09-22", "2026-10-20");
    let average = f64::from(i32::try_from(sum).unwrap()) / 2.0;
    assert_eq!(stats["decision_days"], json!(average));
    assert!(stats["limit_days"].as_f64() > Some(0.0), "{stats}");
    assert_eq!(
        (&stats["steps"], &stats["steps_on_time"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(stats["rows_quarantined"], 1);
    assert_eq!(
        (
            &civil["requests_filed"],
            &civil["grants_held"],
            &civil["grants_unused"]
        ),
        (&json!(2), &json!(2), &json!(1))
    );
    assert_eq!(civil["rows_received"], stats["rows_given"]);

    let before = app
        .as_person("leader")
        .get(&format!("{PATH}?from=2026-08-01&to=2026-08-31"))
        .await
        .ok();
    let stats = department(&before, "云溪县统计局");
    assert_eq!(
        (&stats["requests_received"], &stats["rows_read"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        stats["decision_days"],
        Value::Null,
        "there is nothing to average"
    );
    assert_eq!(stats["entries"], 2, "the catalogue is counted as of now");
    app.finish().await;
}

#[tokio::test]
async fn the_file_says_the_same_as_the_page() {
    let app = TestApp::start().await;
    open(&app, 20).await;
    let question = "from=2026-09-01&to=2026-09-30";
    let seen = app
        .as_person("authority")
        .get(&format!("{PATH}?{question}"))
        .await
        .ok();
    let file = app
        .as_person("authority")
        .get(&format!("{PATH}/workbook?{question}"))
        .await;
    assert!(
        file.header("content-disposition")
            .contains("statistics-2026-09-01-2026-09-30.xlsx")
    );
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(std::io::Cursor::new(file.bytes)).unwrap();
    let rows: Vec<Vec<String>> = book
        .worksheet_range("统计与考核")
        .unwrap()
        .rows()
        .map(|row| row.iter().map(Data::to_string).collect())
        .collect();
    assert_eq!(
        rows.len(),
        2 + seen["departments"].as_array().unwrap().len()
    );
    assert_eq!((rows[1][0].as_str(), rows[1][1].as_str()), ("全平台", "1"));
    let stats = rows.iter().find(|row| row[0] == "云溪县统计局").unwrap();
    let of_page = department(&seen, "云溪县统计局");
    assert_eq!(stats[16], of_page["rows_given"].to_string());
    assert_eq!(stats[9], "—", "nothing was decided");
    app.finish().await;
}

#[tokio::test]
async fn refused_sign_ins_are_counted_and_periods_are_bounded() {
    let app = TestApp::start().await;
    app.person("stats").await;
    for _ in 0..2 {
        let body = json!({ "login_name": "stats", "password": "nicht-richtig" });
        assert_eq!(app.as_guest().post("/session", body).await.status, 422);
    }
    let seen = app.as_person("operator").get(PATH).await.ok();
    assert_eq!(
        seen["security"],
        json!({ "sign_ins_refused": 2, "accounts_locked": 0 })
    );
    assert_eq!(
        (&seen["from"], &seen["to"]),
        (&json!("2026-08-23"), &json!("2026-09-21"))
    );
    for (question, code) in [
        ("from=2026-09-30&to=2026-09-01", "usage.period"),
        ("from=2024-09-30&to=2026-09-01", "stats.too_long"),
    ] {
        let path = format!("{PATH}?{question}");
        app.as_person("operator")
            .get(&path)
            .await
            .refused(422, code);
    }
    app.as_person("auditor")
        .get(PATH)
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}
