//! The main road once from end to end: described, published, found, requested, decided in time,
//! delivered exactly, proven.

use serde_json::{Value, json};
use tongqu_domain::catalogue::EntryContent;

use crate::support::{
    ExchangeDb, TestApp, a_request, an_entry, nothing, village_rows, villages_entry,
};

#[tokio::test]
async fn the_whole_road_on_an_embedded_registry() {
    the_whole_road(TestApp::start().await).await;
}

#[tokio::test]
async fn the_whole_road_on_a_registry_in_postgres() {
    the_whole_road(TestApp::on_postgres().await).await;
}

/// Spec: PDS-5.1, PDS-6.1, PDS-7, PDS-8.1, PDS-10.1, PDS-10.2a, PDS-10.2b, PDS-10.2c.
async fn the_whole_road(app: TestApp) {
    describe_and_publish(&app).await;
    let open = entry_called(&app, "行政区划代码").await;
    let closed = entry_called(&app, "行政区划联系电话").await;
    a_second_version_leaves_the_first_readable(&app, &open).await;

    let source = app.store("stats").await;
    source.sql(&village_rows(400));
    mount(&app, &open).await;
    mount(&app, &closed).await;
    find_with_the_hit_marked(&app, &open).await;

    let target = app.store("civil").await;
    an_unconditional_entry_goes_straight_to_delivery(&app, &open, &target).await;
    app.set_clock("2026-09-28T02:00:00Z").await;
    a_conditional_entry_is_decided_by_its_provider(&app, &closed, &source, &target).await;
    app.finish().await;
}

/// Twelve entries, two of them faulty: the faults come back in their cells, the rest is kept.
async fn describe_and_publish(app: &TestApp) {
    let mut entries: Vec<EntryContent> = (1..=10)
        .map(|n| an_entry(&format!("统计指标{n}")))
        .collect();
    entries.push(villages_entry("行政区划代码", "unconditional"));
    entries.push(villages_entry("行政区划联系电话", "conditional"));
    let mut faulty = entries.clone();
    "99".clone_into(&mut faulty[2].class_code);
    faulty[5].summary = String::new();
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&faulty))
        .await
        .ok();
    assert_eq!(
        (&imported["accepted_total"], &imported["faults_total"]),
        (&json!(10), &json!(2))
    );
    let cells: Vec<(&str, &str)> = imported["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["sheet"].as_str().unwrap(), f["cell"].as_str().unwrap()))
        .collect();
    // Row 1 is the header, row 2 the example.
    assert_eq!(
        cells,
        [("目录", "B5"), ("目录", "C8")],
        "in the order in which a person goes through the file"
    );
    let import_id = imported["import_id"].as_str().unwrap();
    let marked = app
        .as_person("stats")
        .get(&format!("/catalogue/imports/{import_id}/workbook"))
        .await;
    assert!(marked.bytes.starts_with(b"PK"));
    marked.ok();

    let imported = app
        .as_person("stats")
        .upload(app.workbook(&entries))
        .await
        .ok();
    assert_eq!(
        (&imported["accepted_total"], &imported["faults_total"]),
        (&json!(12), &json!(0))
    );
    let versions: Vec<&str> = imported["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["version_id"].as_str().unwrap())
        .collect();
    for version in &versions {
        app.as_person("stats")
            .post(
                &format!("/catalogue/versions/{version}/submission"),
                nothing(),
            )
            .await
            .ok();
    }
    let queue = app
        .as_person("authority")
        .get("/catalogue/reviews")
        .await
        .ok();
    assert_eq!(queue["items"].as_array().unwrap().len(), 12);

    let (returned, published) = versions.split_first().unwrap();
    let path = format!("/catalogue/versions/{returned}/return");
    let silent = app
        .as_person("authority")
        .post(&path, json!({ "reason": "  " }))
        .await
        .refused(422, "version.reason_missing");
    assert_eq!(silent["fields"][0]["field"], "reason");
    let back = app
        .as_person("authority")
        .post(&path, json!({ "reason": "摘要请写明统计口径" }))
        .await
        .ok();
    assert_eq!(
        back["state"],
        json!({ "code": "returned", "reason": "摘要请写明统计口径" })
    );
    for version in published {
        let path = format!("/catalogue/versions/{version}/publication");
        assert_eq!(
            app.as_person("authority").post(&path, nothing()).await.ok()["state"]["code"],
            "published"
        );
    }
    let found = app.as_person("civil").get("/catalogue/entries").await.ok();
    assert_eq!(found["total"], 11);
}

async fn entry_called(app: &TestApp, name: &str) -> String {
    let own = app
        .as_person("stats")
        .get("/catalogue/own?size=100")
        .await
        .ok();
    let entries = own["items"].as_array().unwrap();
    let entry = entries
        .iter()
        .find(|e| e["name"] == name)
        .unwrap_or_else(|| panic!("no entry {name}"));
    entry["entry_id"].as_str().unwrap().to_owned()
}

async fn a_second_version_leaves_the_first_readable(app: &TestApp, entry: &str) {
    let second = EntryContent {
        summary: "县级以下村级行政区划代码与名称，2026年版。".to_owned(),
        ..villages_entry("行政区划代码", "unconditional")
    };
    let path = format!("/catalogue/entries/{entry}");
    let before = app.as_person("civil").get(&path).await.ok();
    let version = app.submit("stats", &second).await;
    // Until it is published, readers see nothing of it.
    let seen = app.as_person("civil").get(&path).await.ok();
    assert_eq!(
        (&seen["version_no"], &seen["content"]),
        (&json!(1), &before["content"])
    );
    app.as_person("civil")
        .get(&format!("{path}?version=2"))
        .await
        .refused(404, "catalogue.version_not_found");

    app.as_person("authority")
        .post(
            &format!("/catalogue/versions/{version}/publication"),
            nothing(),
        )
        .await
        .ok();
    let now = app.as_person("civil").get(&path).await.ok();
    assert_eq!(
        (&now["version_no"], &now["content"]["summary"]),
        (&json!(2), &json!(second.summary))
    );
    let first = app
        .as_person("civil")
        .get(&format!("{path}?version=1"))
        .await
        .ok();
    assert_eq!(
        (&first["state"]["code"], &first["content"]),
        (&json!("superseded"), &before["content"])
    );
    let diff = app
        .as_person("civil")
        .get(&format!("{path}/diff?from=1&to=2"))
        .await
        .ok();
    assert_eq!(
        (&diff["fields"], &diff["items"]),
        (&json!(["summary"]), &json!([]))
    );
}

async fn mount(app: &TestApp, entry: &str) {
    let store_id = app.store_id("stats").await;
    let path = format!("/catalogue/entries/{entry}/mounting");
    let preview = app
        .as_person("stats")
        .get(&format!(
            "{path}/preview?store_id={store_id}&table=division_village"
        ))
        .await
        .ok();
    assert_eq!(
        (&preview["key"], &preview["faults"]),
        (&json!(["code"]), &json!([]))
    );
    let matched: Vec<(&str, &str)> = preview["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            (
                c["column"].as_str().unwrap(),
                c["item_name"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("code", "区划代码"),
        ("name", "区划名称"),
        ("parent_code", "上级代码"),
        ("phone", "联系电话"),
        ("households", "户数"),
    ];
    assert_eq!(matched, expected);
    app.mount(entry, "division_village").await;
    let run = app.last_run("stats", entry, "collection").await;
    assert_eq!(
        (run.state(), run.counts().as_str()),
        (
            "succeeded",
            "400 read, 400 delivered, 0 unchanged, 0 out of scope, 0 quarantined; +400 ~0 -0"
        )
    );
    let seen = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(
        (&seen["mounting"]["pooled"], &seen["mounting"]["rows_total"]),
        (&json!(true), &json!(400))
    );
    assert_eq!(
        seen["mounting"]["table"],
        Value::Null,
        "the table's name is the provider's business"
    );
}

async fn find_with_the_hit_marked(app: &TestApp, entry: &str) {
    let found = app
        .as_person("civil")
        .get("/catalogue/entries?q=行政区划")
        .await
        .ok();
    let hits = found["items"].as_array().unwrap();
    let hit = hits
        .iter()
        .find(|h| h["entry_id"] == entry)
        .expect("the entry is found by its name");
    let marked: String = hit["name"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["hit"] == true)
        .map(|s| s["text"].as_str().unwrap())
        .collect();
    assert!(marked.contains("行政区划"), "{hit}");
    assert_eq!(
        (&hit["mounted"], &hit["rows_total"], &hit["may_request"]),
        (&json!(true), &json!(400), &json!(true))
    );
}

/// Filed on Monday the 21st: three working days end on Thursday the 24th, before the festival of the 25th.
async fn an_unconditional_entry_goes_straight_to_delivery(
    app: &TestApp,
    entry: &str,
    target: &ExchangeDb,
) {
    let preview = app
        .as_person("civil")
        .get(&format!("/requests/preview?entry_id={entry}"))
        .await
        .ok();
    assert_eq!(
        promised(&preview),
        [("deliver_unconditional", "2026-09-24")]
    );
    let mut request = a_request(entry);
    request["version_no"] = json!(2);
    request["columns"] = json!(["code", "name", "households"]);
    let filed = app.as_person("civil").post("/requests", request).await.ok();
    let id = filed["request_id"].as_str().unwrap();
    assert_eq!(
        (&filed["state"], due(&filed, "deliver_unconditional")),
        (&json!("open"), "2026-09-24")
    );
    assert_eq!(filed["number"], "SQ-2026-0921-0001");
    let desk = app.as_person("operator").get("/desk").await.ok();
    assert_eq!(
        (&desk["todo"][0]["subject_id"], &desk["todo"][0]["may_take"]),
        (&json!(id), &json!(true))
    );

    let opened = app.deliver(id).await;
    assert_eq!(opened["table"], "division_village");
    let run = app.last_run("civil", entry, "delivery").await;
    assert_eq!(
        run.counts(),
        "400 read, 400 delivered, 0 unchanged, 0 out of scope, 0 quarantined; +400 ~0 -0"
    );
    assert_eq!(
        (&run.0["receipt"]["equal"], &run.0["receipt"]["rows"]),
        (&json!(true), &json!(400))
    );
    assert_eq!(
        columns(target, "division_village"),
        ["code", "name", "households"]
    );
    assert_eq!(target.number("SELECT COUNT(*) FROM division_village"), 400);
    let done = app
        .as_person("civil")
        .get(&format!("/requests/{id}"))
        .await
        .ok();
    assert_eq!(done["state"], "completed");
}

/// Filed on Monday 28 September. Five working days, over National Day (1-7 October) and with the make-up
/// Saturday of the 10th: 29, 30, 8, 9, 10. Then three for the delivery: 12, 13, 14.
async fn a_conditional_entry_is_decided_by_its_provider(
    app: &TestApp,
    entry: &str,
    source: &ExchangeDb,
    target: &ExchangeDb,
) {
    let preview = app
        .as_person("civil")
        .get(&format!("/requests/preview?entry_id={entry}"))
        .await
        .ok();
    assert_eq!(
        promised(&preview),
        [
            ("decide", "2026-10-10"),
            ("deliver_conditional", "2026-10-14")
        ]
    );
    let mut request = a_request(entry);
    request["columns"] = json!(["code", "name", "phone", "parent_code"]);
    request["condition"] = json!([{ "column": "code", "op": "prefix", "values": ["41"] }]);
    let filed = app
        .as_person("civil")
        .post("/requests", request.clone())
        .await
        .ok();
    let first = filed["request_id"].as_str().unwrap();
    assert_eq!(due(&filed, "decide"), "2026-10-10");
    let path = format!("/requests/{first}/decision");
    let refusal = json!({ "verdict": "refuse", "revision": filed["revision"] });
    let problem = app
        .as_person("stats")
        .post(&path, refusal)
        .await
        .refused(422, "case.reason_required");
    assert_eq!(problem["clause"], "PDS-10.2b");
    let refusal =
        json!({ "verdict": "refuse", "reason": "请缩小到本省范围", "revision": filed["revision"] });
    let refused = app.as_person("stats").post(&path, refusal).await.ok();
    assert_eq!(
        (&refused["state"], &refused["grant"]),
        (&json!("refused"), &Value::Null)
    );
    app.as_person("operator")
        .post(&format!("/requests/{first}/delivery"), nothing())
        .await
        .refused(409, "exchange.nothing_to_deliver");

    request["previous_request_id"] = json!(first);
    request["purpose"] = json!("核对本省最低生活保障对象的所在村");
    let again = app.as_person("civil").post("/requests", request).await.ok();
    let id = again["request_id"].as_str().unwrap();
    assert_eq!(
        (&again["previous_request_id"], due(&again, "decide")),
        (&json!(first), "2026-10-10")
    );

    // The provider approves after the holiday; the delivery's clock starts then: 9, 10, 12.
    app.set_clock("2026-10-08T07:00:00Z").await;
    let desk = app.as_person("stats").get("/desk").await.ok();
    assert_eq!(
        desk["todo"][0]["clock"]["kind"], "on_time",
        "{}",
        desk["todo"][0]
    );
    let seen = app
        .as_person("stats_head")
        .get(&format!("/requests/{id}"))
        .await
        .ok();
    assert!(
        seen["actions"]
            .as_array()
            .unwrap()
            .contains(&json!("decide")),
        "{}",
        seen["actions"]
    );
    let approval = json!({ "verdict": "approve", "revision": seen["revision"] });
    let approved = app
        .as_person("stats_head")
        .post(&format!("/requests/{id}/decision"), approval)
        .await
        .ok();
    assert_eq!(due(&approved, "deliver_conditional"), "2026-10-12");
    assert_eq!(approved["grant"]["basis"], "PDS-10.2b");

    app.set_clock("2026-10-12T15:50:00Z").await;
    let opened = app.deliver(id).await;
    // The first table of this name belongs to the other subscription.
    assert_eq!(opened["table"], "division_village_2");
    let run = app.last_run("civil", entry, "delivery").await;
    assert_eq!(
        run.counts(),
        "400 read, 200 delivered, 0 unchanged, 200 out of scope, 0 quarantined; +200 ~0 -0"
    );
    assert_eq!(run.0["receipt"]["equal"], true);
    let done = app
        .as_person("civil")
        .get(&format!("/requests/{id}"))
        .await
        .ok();
    assert_eq!(done["state"], "completed");
    assert_eq!(
        step(&done, "deliver_conditional")["clock"]["in_time"],
        true,
        "ten minutes before midnight is in time"
    );

    assert_eq!(
        columns(target, "division_village_2"),
        ["code", "name", "phone", "parent_code"]
    );
    let sent = source.rows("SELECT code, name, phone, parent_code FROM division_village WHERE code LIKE '41%' ORDER BY code");
    let expected: Vec<Vec<String>> = sent
        .into_iter()
        .map(|mut row| {
            if row[2] != "-" {
                row[2] = format!("{}****{}", &row[2][..3], &row[2][7..]);
            }
            row
        })
        .collect();
    let held =
        target.rows("SELECT code, name, phone, parent_code FROM division_village_2 ORDER BY code");
    assert_eq!(held, expected);
}

/// Steps with a date, in order.
fn promised(preview: &Value) -> Vec<(&str, &str)> {
    let promises = preview["modes"][0]["promises"].as_array().unwrap();
    promises
        .iter()
        .filter_map(|p| Some((p["step_id"].as_str()?, p["due_on"].as_str()?)))
        .collect()
}

fn step<'a>(request: &'a Value, id: &str) -> &'a Value {
    request["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["id"] == id)
        .unwrap_or_else(|| panic!("no step {id}"))
}

fn due<'a>(request: &'a Value, id: &str) -> &'a str {
    step(request, id)["due_on"].as_str().unwrap_or("no date")
}

fn columns(db: &ExchangeDb, table: &str) -> Vec<String> {
    db.rows(&format!("SELECT name FROM pragma_table_info('{table}')"))
        .into_iter()
        .map(|mut r| r.remove(0))
        .collect()
}
