//! What the regulations ask of whoever uses data, and to whom the data belong.

use serde_json::{Value, json};
use tongqu_domain::catalogue::{DataItem, EntryContent, Sensitivity};

use crate::support::{TestApp, a_request, nothing, village_rows};

/// Files a request of the civil affairs bureau whose promises aren't given.
async fn without_promise(app: &TestApp, entry: &str) -> Value {
    let mut body = a_request(entry);
    body["undertaken"] = json!(false);
    app.as_person("civil")
        .post("/requests", body)
        .await
        .refused(422, "request.undertakings_missing")
}

/// LY-16.1, LY-5.2
#[tokio::test]
async fn ly_16_1_the_terms_are_accepted_before_a_grant_is_in_force() {
    let app = TestApp::under_luyi().await;
    let entry = app.pooled("行政区划代码", "proactive").await;
    let refused = without_promise(&app, &entry).await;
    assert_eq!(refused["clause"], "LY-16.1");
    let request = app.ask(&entry).await;
    let clauses: Vec<&str> = request["content"]["undertakings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|clause| clause["id"].as_str().unwrap())
        .collect();
    assert_eq!(clauses, ["LY-16.1", "LY-16.2"]);
    assert_eq!(
        request["content"]["duty_fit"]["clause"]["id"], "LY-5.2",
        "duties are compared"
    );
    app.idle().await;
    let id = request["request_id"].as_str().unwrap();
    let on_record = app
        .ledger_text()
        .lines()
        .any(|line| line.contains(id) && line.contains("LY-16.1 LY-16.2"));
    assert!(on_record, "the evidence names what was promised");
    app.finish().await;
}

/// YC-41.4, YC-41.5, YC-42.4
#[tokio::test]
async fn yc_41_4_the_reviewer_sees_that_no_duty_matches() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    assert_eq!(without_promise(&app, &entry).await["clause"], "YC-41.5");
    let fit = async |app: &TestApp, request: &Value| {
        let seen = app.request_seen_by("stats", request).await;
        (
            seen["content"]["duty_fit"]["code"].clone(),
            seen["content"]["duty_fit"]["clause"]["id"].clone(),
        )
    };
    let request = app.ask(&entry).await;
    assert_eq!(
        fit(&app, &request).await,
        (json!("none_registered"), json!("YC-41.4"))
    );
    app.register_duties("civil", &["殡葬管理"]).await;
    assert_eq!(
        fit(&app, &request).await,
        (json!("no_match"), json!("YC-41.4"))
    );
    app.register_duties("civil", &["殡葬管理", "社会救助"])
        .await;
    assert_eq!(
        fit(&app, &request).await,
        (json!("matches"), json!("YC-41.4"))
    );
    app.finish().await;
}

/// TP-5.4, TP-22b
#[tokio::test]
async fn tp_5_4_a_request_outside_the_duties_is_flagged() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    app.register_duties("civil", &["殡葬管理"]).await;
    assert_eq!(without_promise(&app, &entry).await["clause"], "TP-22b");
    let request = app.ask(&entry).await;
    assert_eq!(request["content"]["duty_fit"]["code"], "no_match");
    assert_eq!(
        request["content"]["duty_fit"]["clause"]["id"], "TP-5.4",
        "it is a hint and bars nothing"
    );
    app.finish().await;
}

/// TP-22a
#[tokio::test]
async fn tp_22a_only_units_of_the_city_are_served() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    app.move_department("civil", "410105").await;
    let refused = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .refused(403, "request.outside_audience");
    assert_eq!(refused["clause"], "TP-22a");
    app.move_department("civil", "410404").await;
    app.ask(&entry).await;
    app.finish().await;
}

/// YC-4
#[tokio::test]
async fn yc_4_the_data_belong_to_the_county_government() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let seen = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(seen["owner"]["name"], "伊川县人民政府");
    assert_eq!(seen["owner"]["clause"]["id"], "YC-4");
    assert_eq!(
        seen["department"]["name"],
        app.department_name("stats"),
        "it answers for them"
    );
    app.finish().await;
}

/// YJ-4.2.1
#[tokio::test]
async fn yj_4_2_1_owner_and_first_responsible_persons_are_known() {
    let app = TestApp::under_yanjin().await;
    let entry = app.published("行政区划代码", "conditional").await;
    let seen = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(seen["owner"]["name"], "延津县人民政府");
    let gaps = async |app: &TestApp| {
        app.as_person("authority")
            .get("/departments/gaps")
            .await
            .ok()
    };
    let stats = app.department("stats").await;
    let lacks = |gaps: &Value| {
        gaps["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|gap| gap["department_id"] == stats.as_str())
            .is_some_and(|gap| gap["missing"].to_string().contains("first_responsible"))
    };
    assert!(lacks(&gaps(&app).await), "nobody is first responsible yet");
    app.name_first_responsible("stats", "统计局长").await;
    assert!(!lacks(&gaps(&app).await));
    app.finish().await;
}

/// YC-6
#[tokio::test]
async fn yc_6_the_authority_sees_how_every_department_stands() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "conditional").await;
    app.ask(&entry).await;
    let lamps = async |person: &str| {
        let lamps = app.as_person(person).get("/supervision/lamps").await.ok();
        lamps["departments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d["department_name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let stats = app.department_name("stats").to_owned();
    assert!(lamps("authority").await.contains(&stats));
    assert!(!lamps("tax").await.contains(&stats));
    app.finish().await;
}

/// YC-10
#[tokio::test]
async fn yc_10_nothing_flows_without_a_published_entry() {
    let app = TestApp::under_yichuan().await;
    let source = app.store("stats").await;
    source.sql(&village_rows(5));
    let store_id = app.store_id("stats").await;
    let mount = async |entry: &str| {
        app.as_person("stats")
            .put(
                &format!("/catalogue/entries/{entry}/mounting"),
                json!({ "store_id": store_id, "table": "division_village" }),
            )
            .await
    };
    mount("ent-000000000000")
        .await
        .refused(404, "catalogue.entry_not_found");
    let content = app.content("行政区划代码", "conditional");
    let draft = app.submit("stats", &content).await;
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    let entry = own["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["version_id"] == draft.as_str())
        .expect("it waits for review")["entry_id"]
        .as_str()
        .unwrap()
        .to_owned();
    mount(&entry).await.refused(409, "mounting.not_published");
    app.finish().await;
}

/// YJ-3.1.1b
#[tokio::test]
async fn yj_3_1_1b_an_entry_without_data_counts_against_its_provider() {
    let app = TestApp::under_yanjin().await;
    let unmounted = async || {
        let lamps = app
            .as_person("authority")
            .get("/supervision/lamps")
            .await
            .ok();
        let stats = app.department("stats").await;
        lamps["departments"]
            .as_array()
            .unwrap()
            .iter()
            .find(|d| d["department_id"] == stats.as_str())
            .map_or(0, |d| d["unmounted"].as_i64().unwrap())
    };
    app.published("企业名录", "conditional").await;
    assert_eq!(unmounted().await, 1);
    app.pooled("行政区划代码", "unconditional").await;
    assert_eq!(unmounted().await, 1, "one of the two has data");
    app.finish().await;
}

/// The class that an entry gets which states none, with the clause; what was imported is a draft.
async fn proposed(app: &TestApp, content: EntryContent) -> (String, String) {
    let open = EntryContent {
        sharing_class: String::new(),
        ..content
    };
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[open]))
        .await
        .ok();
    let row = &imported["entries"][0];
    assert_eq!(row["outcome"], "draft", "{imported}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&row["proposed_class"]["class"]["code"]),
        text(&row["proposed_class"]["clause"]["id"]),
    )
}

fn is(class: &str, clause: &str) -> (String, String) {
    (class.to_owned(), clause.to_owned())
}

/// YJ-1.1
#[tokio::test]
async fn yj_1_1_an_entry_without_a_class_is_proposed_as_unconditional() {
    let app = TestApp::under_yanjin().await;
    let content = app.content("企业名录", "unconditional");
    assert_eq!(proposed(&app, content).await, is("unconditional", "YJ-1.1"));
    app.finish().await;
}

/// TP-9e
#[tokio::test]
async fn tp_9e_parallel_approval_opens_an_entry_to_the_departments_concerned() {
    let app = TestApp::under_the_template().await;
    app.department("tax").await;
    let shared = EntryContent {
        purposes: vec!["并联审批".to_owned()],
        recipients: vec![app.department_name("tax").to_owned()],
        ..app.content("施工许可", "unconditional")
    };
    assert_eq!(
        proposed(&app, shared.clone()).await,
        is("unconditional", "TP-9e")
    );
    let jointly = app.content("矛盾纠纷", "conditional");
    let items = jointly.items.iter().cloned().map(|item| DataItem {
        sensitivity: Sensitivity::Sensitive,
        ..item
    });
    let jointly = EntryContent {
        purposes: vec!["协同管理".to_owned()],
        items: items.collect(),
        ..jointly
    };
    assert_eq!(proposed(&app, jointly).await, is("conditional", "TP-9e"));
    // Nobody decides on it, so it goes to those whom it names and to nobody else.
    let entry = app.published_entry(&shared).await;
    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .refused(403, "request.not_a_recipient");
    let mut body = a_request(&entry);
    body["duty"] = json!("税收征管");
    app.as_person("tax").post("/requests", body).await.ok();
    app.finish().await;
}

/// TP-5.6
#[tokio::test]
async fn tp_5_6_an_access_names_who_answers_for_it() {
    let app = TestApp::under_the_template().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let request = app.ask(&entry).await;
    app.try_fetch("civil", &request).await.ok();
    let run = app.last_run("operator", &entry, "delivery").await;
    let seen = app
        .as_person("operator")
        .get(&format!("/runs/{}", run.id()))
        .await
        .ok();
    assert_eq!(
        seen["answers"]["department_name"],
        app.department_name("civil")
    );
    assert_eq!(seen["answers"]["person_name"], "民政专员");
    assert_eq!(seen["answers"]["request_id"], request["request_id"]);
    app.finish().await;
}

/// YC-41.1
#[tokio::test]
async fn yc_41_1_a_table_without_an_entry_is_found() {
    let app = TestApp::under_yichuan().await;
    let entry = app.pooled("行政区划代码", "unconditional").await;
    let scan = async || {
        let scanned = app
            .as_person("authority")
            .post("/supervision/unlisted-tables/scan", nothing())
            .await
            .ok();
        let count = |name: &str| scanned[name].as_i64().unwrap();
        (count("found"), count("settled"), count("unreachable"))
    };
    let listed = async |person: &str| {
        let listed = app
            .as_person(person)
            .get("/supervision/unlisted-tables")
            .await
            .ok();
        listed["items"].as_array().unwrap().clone()
    };
    // Both stores of the test begin with a working table.
    assert_eq!(
        scan().await,
        (2, 0, 0),
        "the table behind {entry} isn't among them"
    );
    let source = app.store("stats").await;
    source.sql("DROP TABLE kept_apart");
    app.store("civil").await.sql("DROP TABLE kept_apart");
    assert_eq!(scan().await, (0, 2, 0), "what is gone is settled");
    source.sql("CREATE TABLE hidden_enterprises (id INTEGER PRIMARY KEY, name TEXT)");
    assert_eq!(scan().await, (1, 0, 0));
    assert_eq!(scan().await, (0, 0, 0), "it is found once");
    let rows = listed("authority").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["table"], "hidden_enterprises");
    assert_eq!(rows[0]["clause"]["id"], "YC-41.1");
    assert_eq!(rows[0]["department_name"], app.department_name("stats"));
    assert_eq!(listed("tax").await.len(), 0, "another department's");
    let excuse = format!(
        "/supervision/unlisted-tables/{}/excuse",
        rows[0]["id"].as_str().unwrap()
    );
    app.as_person("stats")
        .post(&excuse, json!({ "reason": "临时表" }))
        .await
        .refused(403, "access.no_post");
    app.as_person("authority")
        .post(&excuse, json!({ "reason": " " }))
        .await
        .refused(422, "finding.text_needed");
    let excused = app
        .as_person("authority")
        .post(&excuse, json!({ "reason": "程序自用的临时表" }))
        .await
        .ok();
    assert_eq!(excused["excused"], "程序自用的临时表");
    assert_eq!(excused["actions"], json!([]));
    source.sql("DROP TABLE hidden_enterprises");
    assert_eq!(scan().await, (0, 1, 0));
    assert_eq!(listed("authority").await.len(), 0);
    app.finish().await;
}

/// YC-41.1: no other regulation asks for it, so nothing is found under them.
#[tokio::test]
async fn yc_41_1_where_the_regulation_is_silent_no_table_is_a_finding() {
    let app = TestApp::under_yanjin().await;
    let source = app.store("stats").await;
    source.sql("CREATE TABLE hidden_enterprises (id INTEGER PRIMARY KEY, name TEXT)");
    let scanned = app
        .as_person("authority")
        .post("/supervision/unlisted-tables/scan", nothing())
        .await
        .ok();
    assert_eq!(scanned["found"], 0);
    app.finish().await;
}

/// YC-11
#[tokio::test]
async fn yc_11_an_entry_without_a_security_level_is_rejected_by_its_clause() {
    let app = TestApp::under_yichuan().await;
    let ungraded = EntryContent {
        grade: 0,
        ..app.content("行政区划代码", "unconditional")
    };
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[ungraded]))
        .await
        .ok();
    let fault = &imported["faults"][0];
    assert_eq!(fault["cell"], "L3", "{imported}");
    assert_eq!(fault["clause"], "YC-11");
    assert_eq!(imported["accepted_total"], 0);
    app.finish().await;
}
