//! The responsibility list: made from the catalogue, changed with it, and how far departments fulfil it.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use serde_json::{Value, json};
use tongqu_domain::catalogue::{DataItem, EntryContent};

use crate::support::{ExchangeDb, TestApp, an_item, village_rows};

/// An entry with a key and these items, under the rules in force.
fn an_entry_of(app: &TestApp, name: &str, items: &[(&str, &str)]) -> EntryContent {
    let content = app.content(name, app.pack().sharing_classes()[0].code.as_str());
    let key = content.items[0].clone();
    let standard = key.standard.clone();
    EntryContent {
        items: std::iter::once(key)
            .chain(items.iter().map(|(name, code)| DataItem {
                standard: standard.clone(),
                ..an_item(name, code)
            }))
            .collect(),
        ..content
    }
}

impl TestApp {
    async fn list_of(&self, person: &str, query: &str) -> Value {
        self.as_person(person)
            .get(&format!("/responsibility-list?size=100&{query}"))
            .await
            .ok()
    }

    async fn fulfilment(&self, person: &str, department: &str) -> Value {
        let id = self.department(department).await;
        let found = self
            .as_person(person)
            .get(&format!(
                "/responsibility-list/fulfilment?department_id={id}"
            ))
            .await
            .ok();
        found["departments"][0].clone()
    }

    async fn settle(&self, person: &str, body: Value) -> crate::support::Reply {
        self.as_person(person)
            .post("/responsibility-list/conflicts", body)
            .await
    }
}

/// Names of the items of a list with their states.
fn states(list: &Value) -> Vec<(&str, &str)> {
    let items = list["items"].as_array().unwrap().iter();
    let mut states: Vec<_> = items
        .map(|line| {
            (
                line["item_name"].as_str().unwrap(),
                line["state"].as_str().unwrap(),
            )
        })
        .collect();
    states.sort_unstable();
    states
}

/// YC-13.1
#[tokio::test]
async fn yc_13_1_each_data_item_has_exactly_one_responsible_department() {
    let app = TestApp::under_yichuan().await;
    let capital = [("注册资本", "capital"), ("法人姓名", "legal_person")];
    app.publish("stats", &an_entry_of(&app, "企业名录", &capital))
        .await;
    let none = app
        .as_person("leader")
        .get("/responsibility-list/conflicts")
        .await
        .ok();
    assert_eq!(none["items"], json!([]));
    let tax_items = [("注册 资本", "reg_capital"), ("纳税等级", "grade")];
    app.publish("tax", &an_entry_of(&app, "纳税人", &tax_items))
        .await;

    // Six lines, of which the two of one name have nobody until that is settled; keys are nobody's alone.
    let list = app.list_of("leader", "").await;
    let lines = list["items"].as_array().unwrap();
    assert_eq!(lines.len(), 6);
    let open: Vec<_> = lines
        .iter()
        .filter(|line| line["responsible_department_id"].is_null())
        .map(|line| line["item_code"].as_str().unwrap())
        .collect();
    assert_eq!(open.len(), 2);
    assert!(open.contains(&"capital") && open.contains(&"reg_capital"));
    let conflicts = app
        .as_person("authority")
        .get("/responsibility-list/conflicts")
        .await
        .ok();
    let conflict = &conflicts["items"][0];
    assert_eq!(
        (
            &conflict["name"],
            &conflict["settled"],
            &conflict["actions"]
        ),
        (&json!("注册资本"), &json!(false), &json!(["settle"]))
    );
    assert_eq!(conflict["places"].as_array().unwrap().len(), 2);

    let (stats, civil) = (app.department("stats").await, app.department("civil").await);
    let on_stats = json!({ "name": "注册资本", "department_id": stats, "reason": "以登记为准" });
    app.settle("stats", on_stats.clone())
        .await
        .refused(403, "access.no_post");
    let on_civil = json!({ "name": "注册资本", "department_id": civil, "reason": "以登记为准" });
    app.settle("authority", on_civil)
        .await
        .refused(422, "responsibility.not_among");
    app.settle("authority", json!({ "name": "注册资本", "reason": " " }))
        .await
        .refused(422, "responsibility.reason");
    app.settle("authority", json!({ "name": "法人姓名", "reason": "无" }))
        .await
        .refused(404, "responsibility.no_conflict");
    let settled = app.settle("authority", on_stats).await.ok();
    assert_eq!(settled["settled_department_id"], *stats);

    let now = app.list_of("leader", "").await;
    assert_eq!((&now["version"], &list["version"]), (&json!(3), &json!(2)));
    for line in now["items"].as_array().unwrap() {
        assert!(line["responsible_department_id"].is_string(), "{line}");
    }
    let tax = app.list_of("tax", "").await;
    assert!(states(&tax).contains(&("注册 资本", "elsewhere")));
    assert_eq!(app.fulfilment("tax", "tax").await["items"], 2);
    assert_eq!(app.fulfilment("stats", "stats").await["items"], 3);
    // The version before still says what it said.
    let before = app.list_of("leader", "version=2").await;
    assert_eq!(before["items"], list["items"]);

    // Where the one that answered gives the item up, the other one has it.
    app.publish("stats", &an_entry_of(&app, "企业名录", &capital[1..]))
        .await;
    assert_eq!(app.fulfilment("tax", "tax").await["items"], 3);
    app.finish().await;
}

/// YC-13.1: or they are different data of one name, and each department answers for its own.
#[tokio::test]
async fn yc_13_1_different_data_of_one_name_stay_with_their_departments() {
    let app = TestApp::under_yichuan().await;
    for (person, name) in [("stats", "企业名录"), ("tax", "纳税人")] {
        app.publish(person, &an_entry_of(&app, name, &[("状态", "state")]))
            .await;
    }
    let different = json!({ "name": "状态", "reason": "一为经营状态，一为征管状态" });
    let settled = app.settle("authority", different).await.ok();
    assert_eq!(
        (&settled["settled"], &settled["settled_department_id"]),
        (&json!(true), &Value::Null)
    );
    for department in ["stats", "tax"] {
        assert_eq!(app.fulfilment("leader", department).await["items"], 2);
    }
    let list = app.list_of("leader", "").await;
    for line in list["items"].as_array().unwrap() {
        assert_eq!(line["responsible_department_id"], line["department_id"]);
    }
    app.finish().await;
}

/// YC-13.2
#[tokio::test]
async fn yc_13_2_eight_of_ten_items_delivered_are_eighty_percent() {
    let app = TestApp::under_yichuan().await;
    // Five items and three that arrive, two that nobody has mounted.
    let source = app.store("stats").await;
    source.sql(&village_rows(5));
    source.sql(
        "CREATE TABLE town (code VARCHAR(12) NOT NULL PRIMARY KEY, area VARCHAR(60), head VARCHAR(60)); \
         INSERT INTO town VALUES ('410402000000', '12', '王')",
    );
    let villages = app.published("行政区划代码", "unconditional").await;
    let towns = an_entry_of(
        &app,
        "乡镇基本情况",
        &[("面积", "area"), ("负责人", "head")],
    );
    let towns = app.published_entry(&towns).await;
    let missing = an_entry_of(&app, "乡镇企业", &[("企业数", "companies")]);
    let missing = app.published_entry(&missing).await;
    let rate = |found: &Value| {
        (
            found["delivered"].as_u64().unwrap(),
            found["items"].as_u64().unwrap(),
            found["percent"].as_u64().unwrap(),
        )
    };
    assert_eq!(rate(&app.fulfilment("stats", "stats").await), (0, 10, 0));
    app.mount(&villages, "division_village").await;
    assert_eq!(rate(&app.fulfilment("stats", "stats").await), (5, 10, 50));
    app.mount(&towns, "town").await;
    let found = app.fulfilment("authority", "stats").await;
    assert_eq!(rate(&found), (8, 10, 80));
    let named: Vec<_> = found["missing"].as_array().unwrap().iter().collect();
    assert_eq!(named.len(), 2);
    for (line, name) in named.iter().zip(["区划代码", "企业数"]) {
        assert_eq!(line["entry_id"], *missing);
        assert!(named.iter().any(|line| line["item_name"] == name));
    }
    let list = app.list_of("stats", "show=missing").await;
    assert_eq!(
        states(&list),
        [("企业数", "missing"), ("区划代码", "missing")]
    );

    // A further item of an entry that has arrived hasn't; a new name for the same item has.
    let more = [
        ("面积", "area"),
        ("负责人姓名", "head"),
        ("人口", "population"),
    ];
    app.publish("stats", &an_entry_of(&app, "乡镇基本情况", &more))
        .await;
    assert_eq!(rate(&app.fulfilment("stats", "stats").await), (8, 11, 72));
    // Bound to other columns, the entry begins anew until they have arrived.
    source.sql("ALTER TABLE town ADD COLUMN population VARCHAR(60)");
    app.mount(&towns, "town").await;
    assert_eq!(rate(&app.fulfilment("stats", "stats").await), (9, 11, 81));
    app.finish().await;
}

/// YC-14.2
#[tokio::test]
async fn yc_14_2_the_list_changes_in_the_transaction_that_updates_the_catalogue() {
    let app = TestApp::under_yichuan().await;
    let first = [("面积", "area"), ("负责人", "head")];
    let entry = app
        .published_entry(&an_entry_of(&app, "乡镇基本情况", &first))
        .await;
    let before = app.list_of("stats", "").await;
    assert_eq!(before["current_version"], 1);
    let second = [("面积", "area"), ("人口", "population")];
    app.submit("stats", &an_entry_of(&app, "乡镇基本情况", &second))
        .await;
    let case = app
        .open_about("stats", "catalogue_change", ("entry", &entry))
        .await;
    app.take("stats", &case, "apply", json!({})).await;
    assert_eq!(
        app.list_of("stats", "").await,
        before,
        "nothing is decided yet"
    );
    app.set_clock("2021-09-15T02:00:00Z").await;
    app.take("authority", &case, "update", json!({})).await;

    let now = app.list_of("stats", "").await;
    assert_eq!(now["version"], 2);
    assert_eq!(
        states(&now)
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>(),
        ["人口", "区划代码", "面积"]
    );
    let versions = app
        .as_person("stats")
        .get("/responsibility-list/versions")
        .await
        .ok();
    let newest = &versions["items"][0];
    assert_eq!(
        (
            &newest["entry_id"],
            &newest["entry_version_no"],
            &newest["added"],
            &newest["removed"]
        ),
        (&json!(entry), &json!(2), &json!(1), &json!(1))
    );
    let written = |what: &'static str| {
        let caller = app.as_person("auditor");
        async move {
            let records = caller
                .get(&format!("/ledger/records?what={what}&size=1"))
                .await
                .ok();
            let at = records["items"][0]["at"].as_str().unwrap();
            at.parse::<jiff::Timestamp>().unwrap()
        }
    };
    app.idle().await;
    let published = written("catalogue.version_published").await;
    assert_eq!(
        published,
        written("responsibility.changed").await,
        "one write"
    );
    assert_eq!(newest["at"], published.to_string());
    // The list as it was can be read as it was.
    assert_eq!(
        app.list_of("stats", "version=1").await["items"],
        before["items"]
    );
    app.as_person("stats")
        .get("/responsibility-list?version=3")
        .await
        .refused(404, "responsibility.no_such_version");
    // A publication that is refused leaves the list as it is.
    let version = app
        .submit("stats", &an_entry_of(&app, "乡镇基本情况", &first))
        .await;
    let path = format!("/catalogue/versions/{version}/publication");
    app.as_person("stats2")
        .post(&path, json!({}))
        .await
        .refused(403, "access.no_post");
    assert_eq!(app.list_of("stats", "").await["version"], 2);
    app.idle().await;
    assert!(app.ledger_text().contains("responsibility.changed"));
    app.finish().await;
}

/// LY-9.1
#[tokio::test]
async fn ly_9_1_the_list_follows_the_version_that_was_approved() {
    let app = TestApp::under_luyi().await;
    let entry = app
        .published_entry(&an_entry_of(&app, "乡镇基本情况", &[("面积", "area")]))
        .await;
    let more = [("面积", "area"), ("人口", "population")];
    app.submit("stats", &an_entry_of(&app, "乡镇基本情况", &more))
        .await;
    let case = app
        .open_about("stats", "catalogue_change", ("entry", &entry))
        .await;
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &case, "review", accept).await;
    assert_eq!(states(&app.list_of("stats", "").await).len(), 2);
    app.decide("authority", &case, "approve", "approved").await;
    assert_eq!(states(&app.list_of("stats", "").await).len(), 3);
    app.finish().await;
}

/// A department sees its own list; whoever supervises sees all, in pages and as a workbook.
#[tokio::test]
async fn the_list_is_read_by_right_in_pages_and_as_a_workbook() {
    let app = TestApp::start().await;
    for (person, name) in [("stats", "企业名录"), ("tax", "纳税人")] {
        app.publish(person, &an_entry_of(&app, name, &[(name, "text")]))
            .await;
    }
    let tax = app.department("tax").await;
    let own = app.list_of("stats", &format!("department_id={tax}")).await;
    assert_eq!(
        states(&own),
        [("企业名录", "missing"), ("区划代码", "missing")]
    );
    app.as_person("citizen")
        .get("/responsibility-list")
        .await
        .refused(403, "access.no_post");
    app.as_person("stats")
        .get("/responsibility-list?show=some")
        .await
        .refused(422, "responsibility.show");
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .as_person("leader")
            .get(&format!("/responsibility-list?size=3&cursor={cursor}"))
            .await
            .ok();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        next.replace(' ', "%20").clone_into(&mut cursor);
    }
    assert_eq!(
        seen,
        *app.list_of("leader", "").await["items"].as_array().unwrap()
    );
    assert_eq!(seen.len(), 4);
    let file = app
        .as_person("leader")
        .get("/responsibility-list/workbook")
        .await;
    let mut workbook: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(file.bytes.clone())).unwrap();
    assert_eq!(
        workbook.worksheet_range("采集责任清单").unwrap().height(),
        5
    );

    // A successor takes over what is to be collected.
    let stats = app.department("stats").await;
    let merger = json!({ "into": tax, "from_date": "2026-09-21", "basis": "机构改革方案" });
    app.as_person("admin")
        .post(&format!("/departments/{stats}/merge"), merger)
        .await
        .ok();
    assert_eq!(app.fulfilment("leader", "tax").await["items"], 4);
    app.finish().await;
}

/// What was published before there was a list is in it after the next start.
#[tokio::test]
async fn the_list_is_made_from_a_catalogue_that_was_there_before() {
    let mut app = TestApp::start().await;
    app.pooled("行政区划代码", "unconditional").await;
    app.published("企业名录", "unconditional").await;
    app.idle().await;
    let registry = ExchangeDb::at(&app.dir().join("data/registry.db"));
    registry.sql("DELETE FROM responsibility_lines; DELETE FROM responsibility_versions");
    assert_eq!(app.list_of("leader", "").await["items"], json!([]));
    app.restart().await;
    let found = app.fulfilment("leader", "stats").await;
    assert_eq!(
        (&found["items"], &found["delivered"]),
        (&json!(10), &json!(5))
    );
    app.restart().await;
    let versions = app
        .as_person("leader")
        .get("/responsibility-list/versions")
        .await
        .ok();
    assert_eq!(versions["items"].as_array().unwrap().len(), 2, "once each");
    app.finish().await;
}

/// The same statements on the other engine: lists, conflicts, settlements, demands.
#[tokio::test]
async fn lists_on_postgres() {
    let app = TestApp::on_postgres().await;
    for (person, name) in [("stats", "企业名录"), ("tax", "纳税人")] {
        app.publish(person, &an_entry_of(&app, name, &[("状态", "state")]))
            .await;
    }
    let mine = app
        .as_person("stats")
        .get("/responsibility-list/conflicts")
        .await
        .ok();
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    let body = json!({ "name": "状态", "department_id": app.department("tax").await, "reason": "以征管为准" });
    app.settle("authority", body).await.ok();
    assert!(states(&app.list_of("stats", "").await).contains(&("状态", "elsewhere")));
    assert_eq!(app.fulfilment("leader", "tax").await["items"], 2);

    let demand = json!({
        "title": "纳税人", "wanted": "名称", "purpose": "核对", "duty": "救助", "level": "province",
        "resource": "纳税人", "asked_department_id": app.department("stats").await,
    });
    let demand = app.as_person("civil").post("/demands", demand).await.ok();
    assert_eq!(demand["proposals"].as_array().unwrap().len(), 1);
    for scope in ["stated", "asked", "received", "all"] {
        app.as_person("civil")
            .get(&format!("/demands?scope={scope}&state=open"))
            .await
            .ok();
    }
    app.as_person("leader").get("/demands").await.ok();
    app.as_person("authority")
        .post("/demand-lists", json!({}))
        .await
        .ok();
    app.as_person("civil").get("/demand-lists").await.ok();
    let body = json!({ "demand_id": demand["demand_id"] });
    app.as_person("authority")
        .post("/upward-applications", body)
        .await
        .ok();
    let all = app
        .as_person("civil")
        .get("/upward-applications")
        .await
        .ok();
    assert_eq!(all["items"][0]["state"], "merged");
    app.finish().await;
}
