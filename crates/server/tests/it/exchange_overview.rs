//! The exchange at a glance: sums that agree with the runs behind them, alarms with their owner, and every
//! department its own part only.

use serde_json::{Value, json};

use crate::{
    exchange::{Open, open},
    support::TestApp,
};

async fn overview(app: &TestApp, person: &str) -> Value {
    app.as_person(person).get("/exchange/overview").await.ok()
}

/// A collection with a faulty row, and its delivery, on top of the first ones.
async fn with_a_faulty_row(app: &TestApp) -> Open {
    let open = open(app, 100).await;
    open.source
        .sql("INSERT INTO division_village VALUES ('41040299999X', '字母村', '410402', NULL, 1)");
    app.run_again(&open.subscription).await;
    open
}

#[tokio::test]
async fn sums_agree_with_the_runs_behind_them() {
    sums_agree(TestApp::start().await).await;
}

#[tokio::test]
async fn sums_agree_with_the_runs_behind_them_on_postgres() {
    sums_agree(TestApp::on_postgres().await).await;
}

async fn sums_agree(app: TestApp) {
    with_a_faulty_row(&app).await;
    let seen = overview(&app, "operator").await;
    let runs = app.as_person("operator").get("/runs?size=100").await.ok();
    let runs = runs["items"].as_array().unwrap();
    let sum = |kind: &str, count: &str| -> u64 {
        let of_kind = runs.iter().filter(|run| run["kind"] == kind);
        of_kind
            .map(|run| run["counts"][count].as_u64().unwrap())
            .sum()
    };
    let today = &seen["today"];
    assert_eq!(seen["own_part"], false);
    assert_eq!(today["runs"], json!(runs.len()));
    assert_eq!(today["delivered"], json!(sum("delivery", "delivered")));
    assert_eq!(today["provided"], json!(sum("collection", "read")));
    assert_eq!(
        (&today["quarantined"], &today["running"]),
        (&json!(1), &json!(0))
    );
    for (kind, part) in [("collection", "collected"), ("delivery", "delivered")] {
        let counts = &seen["reconciliation"][part];
        assert_eq!(counts["adds_up"], true, "{counts}");
        for count in [
            "read",
            "delivered",
            "unchanged",
            "out_of_scope",
            "quarantined",
        ] {
            assert_eq!(counts[count], json!(sum(kind, count)), "{kind} {count}");
        }
    }

    let flows = seen["flows"].as_array().unwrap();
    assert_eq!(flows.len(), 2, "{flows:?}");
    let of = |name: &str| flows.iter().find(|f| f["name"] == name).unwrap();
    assert_eq!(
        of("云溪县统计局")["given_rows"],
        json!(sum("collection", "delivered"))
    );
    assert_eq!(
        of("云溪县民政局")["received_rows"],
        json!(sum("delivery", "delivered"))
    );
    assert_eq!(
        (
            &seen["pairs"][0]["provider_name"],
            &seen["pairs"][0]["requester_name"]
        ),
        (&json!("云溪县统计局"), &json!("云溪县民政局"))
    );

    let chart = seen["chart"].as_array().unwrap();
    assert_eq!(chart.len(), 30);
    let last = &chart[29];
    assert_eq!(
        (&last["date"], &last["day_kind"]),
        (&json!("2026-09-21"), &json!("working"))
    );
    assert_eq!(last["rows"], json!(sum("delivery", "delivered")));
    // The Sunday before is worked for the National Day.
    assert_eq!(
        (&chart[27]["day_kind"], &chart[28]["day_kind"]),
        (&json!("weekend"), &json!("make_up"))
    );
    let hours = seen["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 1);
    assert_eq!(hours[0]["hour"], 9, "nine o'clock in China: {hours:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_department_sees_sums_of_its_own_part_only() {
    let app = TestApp::start().await;
    with_a_faulty_row(&app).await;
    let civil = overview(&app, "civil").await;
    assert_eq!(civil["own_part"], true);
    assert_eq!(
        civil["today"]["provided"], 0,
        "collections are the provider's business"
    );
    assert_eq!(civil["today"]["quarantined"], 0);
    let lines = civil["reconciliation"]["lines"].as_array().unwrap();
    let names: Vec<&str> = lines.iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["云溪县民政局"]);
    let tax = overview(&app, "tax").await;
    assert_eq!(
        (&tax["today"]["runs"], &tax["flows"], &tax["pairs"]),
        (&json!(0), &json!([]), &json!([]))
    );
    app.as_person("auditor")
        .get("/exchange/overview")
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

#[tokio::test]
async fn what_fails_names_its_owner_until_it_is_mended() {
    what_fails(TestApp::start().await).await;
}

#[tokio::test]
async fn what_fails_names_its_owner_until_it_is_mended_on_postgres() {
    what_fails(TestApp::on_postgres().await).await;
}

async fn what_fails(app: TestApp) {
    let open = open(&app, 20).await;
    let contact = json!({ "technical": { "name": "赵工", "phone": "0375-1234567" } });
    let department = app.department("stats").await;
    app.as_person("stats")
        .put(&format!("/departments/{department}/contacts"), contact)
        .await
        .ok();
    assert_eq!(overview(&app, "operator").await["alarms"], json!([]));

    let away = open.source.path().with_extension("away");
    open.source.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    std::fs::rename(open.source.path(), &away).unwrap();
    app.run_again(&open.subscription).await;
    let first = app.last_run("stats", &open.entry, "collection").await;
    app.run_again(&open.subscription).await;
    let last = app.last_run("stats", &open.entry, "collection").await;
    assert_ne!(first.id(), last.id());

    let seen = overview(&app, "operator").await;
    let alarms = seen["alarms"].as_array().unwrap();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    let alarm = &alarms[0];
    assert_eq!(alarm["run_id"], last.id());
    assert_eq!(
        (&alarm["side"], &alarm["in_a_row"]),
        (&json!("provider"), &json!(2))
    );
    assert_eq!(alarm["since"], first.0["started_at"]);
    assert_eq!(alarm["owner_name"], "云溪县统计局");
    assert_eq!(alarm["contact"], "赵工 0375-1234567");
    assert!(alarm["message"].as_str().unwrap().contains('请'), "{alarm}");
    let flows = seen["flows"].as_array().unwrap();
    let stats = flows.iter().find(|f| f["name"] == "云溪县统计局").unwrap();
    assert_eq!(stats["state"], "failing");
    assert_eq!(
        overview(&app, "stats").await["alarms"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        overview(&app, "tax").await["alarms"],
        json!([]),
        "nobody else's business"
    );

    std::fs::rename(&away, open.source.path()).unwrap();
    app.run_again(&open.subscription).await;
    assert_eq!(overview(&app, "operator").await["alarms"], json!([]));
    app.finish().await;
}

#[tokio::test]
async fn runs_are_found_by_what_is_asked_of_them() {
    let app = TestApp::start().await;
    let open = with_a_faulty_row(&app).await;
    let civil = app.department("civil").await;
    let found = async |question: &str| {
        let path = format!("/runs?size=100&{question}");
        let runs = app.as_person("operator").get(&path).await.ok();
        runs["items"].as_array().unwrap().len()
    };
    let all = found("").await;
    let (collections, deliveries) = (found("kind=collection").await, found("kind=delivery").await);
    assert_eq!(collections + deliveries, all);
    assert_eq!(found("with_faults=true").await, 1);
    assert_eq!(found("state=failed").await, 0);
    assert_eq!(found(&format!("department_id={civil}")).await, deliveries);
    assert_eq!(found(&format!("entry_id={}", open.entry)).await, all);
    assert_eq!(found("from=2026-09-21&to=2026-09-21").await, all);
    assert_eq!(found("to=2026-09-20").await, 0);
    assert_eq!(found("from=2026-09-22").await, 0);
    app.as_person("operator")
        .get("/runs?from=yesterday")
        .await
        .refused(422, "exchange.date");
    app.finish().await;
}
