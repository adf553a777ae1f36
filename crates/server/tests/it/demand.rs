//! The demand list: what departments need of others, from the statement to the answer.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use serde_json::{Value, json};

use crate::support::{TestApp, faults, nothing};

/// What a department needs, for its own area.
fn a_demand(title: &str) -> Value {
    json!({
        "title": title, "wanted": "名称、代码、所在乡镇", "purpose": "核对补贴对象", "duty": "发放高龄津贴",
        "level": "county",
    })
}

/// The same of a resource above.
fn a_demand_above(level: &str, resource: &str) -> Value {
    let mut body = a_demand(resource);
    body["level"] = json!(level);
    body["resource"] = json!(resource);
    body
}

impl TestApp {
    async fn state_demand(&self, person: &str, body: Value) -> Value {
        self.as_person(person).post("/demands", body).await.ok()
    }

    async fn demand(&self, person: &str, demand: &Value) -> Value {
        let id = demand["demand_id"].as_str().unwrap();
        self.as_person(person)
            .get(&format!("/demands/{id}"))
            .await
            .ok()
    }

    /// Does something with a demand or an application as it stands now.
    async fn on_demand(
        &self,
        person: &str,
        demand: &Value,
        what: &str,
        mut body: Value,
    ) -> crate::support::Reply {
        let id = demand["demand_id"].as_str().unwrap();
        let by = if what == "withdrawal" {
            person
        } else {
            "leader"
        };
        body["revision"] = self.demand(by, demand).await["revision"].clone();
        self.as_person(person)
            .post(&format!("/demands/{id}/{what}"), body)
            .await
    }

    async fn demands(&self, person: &str, scope: &str) -> Vec<Value> {
        let list = self
            .as_person(person)
            .get(&format!("/demands?scope={scope}&size=100"))
            .await
            .ok();
        list["items"].as_array().unwrap().clone()
    }

    async fn told_kinds(&self, person: &str) -> Vec<String> {
        let notices = self.as_person(person).get("/notices?size=100").await.ok();
        let kinds = notices["items"].as_array().unwrap().iter();
        kinds
            .map(|n| n["kind"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn titles(demands: &[Value]) -> Vec<&str> {
    demands
        .iter()
        .map(|d| d["title"].as_str().unwrap())
        .collect()
}

/// YC-12.2
#[tokio::test]
async fn yc_12_2_a_demand_that_matches_an_entry_proposes_it() {
    let app = TestApp::under_yichuan().await;
    let entry = app.published("行政区划代码", "unconditional").await;
    let demand = app.state_demand("civil", a_demand("行政区划")).await;
    assert_eq!(demand["proposals"][0]["entry_id"], *entry);
    assert_eq!(
        demand["proposals"][0]["department_name"],
        app.department_name("stats")
    );
    // A word that stands in every other name is no match.
    app.published("企业登记信息", "unconditional").await;
    let other = app.state_demand("civil", a_demand("不动产权属信息")).await;
    assert_eq!(other["proposals"], json!([]));
    assert_eq!(demand["clause"]["id"], "YC-12.2");
    assert_eq!(demand["confirmed"], Value::Null, "a person confirms it");

    // Whoever states it doesn't settle it, and whom it doesn't concern doesn't see it.
    let matching = json!({ "entry_id": entry });
    app.on_demand("civil_head", &demand, "match", matching.clone())
        .await
        .refused(403, "access.no_post");
    let path = format!("/demands/{}", demand["demand_id"].as_str().unwrap());
    app.as_person("tax")
        .get(&path)
        .await
        .refused(404, "demand.not_found");
    app.as_person("stats")
        .get(&path)
        .await
        .refused(404, "demand.not_found");

    let received = app.demands("authority", "received").await;
    assert_eq!(received[1]["actions"], json!(["confirm_match", "direct"]));
    let confirmed = app
        .on_demand("authority", &demand, "match", matching)
        .await
        .ok();
    assert_eq!(confirmed["confirmed"]["entry_id"], *entry);
    assert_eq!(confirmed["asked_name"], app.department_name("stats"));
    assert_eq!(titles(&app.demands("stats", "asked").await), ["行政区划"]);
    assert!(
        app.told_kinds("stats")
            .await
            .contains(&"demand.directed".to_owned())
    );

    // The answer is on record and reaches the requester.
    let answer = json!({ "kind": "in_catalogue", "entry_id": entry, "text": "请直接在目录中申请" });
    app.on_demand("stats", &demand, "answer", answer).await.ok();
    let now = app.demand("civil", &demand).await;
    assert_eq!(
        (
            &now["state"],
            &now["answer"]["kind"],
            &now["answer"]["entry"]["entry_id"]
        ),
        (&json!("answered"), &json!("in_catalogue"), &json!(entry))
    );
    assert!(
        app.told_kinds("civil")
            .await
            .contains(&"demand.answered".to_owned())
    );
    app.idle().await;
    let ledger = app.ledger_text();
    for what in ["demand.stated", "demand.matched", "demand.answered"] {
        assert!(ledger.contains(what), "{what}");
    }
    app.finish().await;
}

/// TP-11
#[tokio::test]
async fn tp_11_each_list_lands_on_the_desk_of_its_own_authority() {
    let app = TestApp::under_the_template().await;
    let content = app.content("行政区划代码", "unconditional");
    let version = app.submit("stats", &content).await;
    app.classify_if_asked("stats", &content).await;
    let demand = app.state_demand("civil", a_demand("企业登记信息")).await;

    // What can be shared goes to the government service department...
    let reviews = app
        .as_person("service")
        .get("/catalogue/reviews")
        .await
        .ok();
    assert_eq!(reviews["items"][0]["version_id"], version);
    app.as_person("authority")
        .get("/catalogue/reviews")
        .await
        .refused(403, "access.other_department");
    let publication = format!("/catalogue/versions/{version}/publication");
    app.as_person("authority")
        .post(&publication, nothing())
        .await
        .refused(403, "access.other_department");

    // ...and what is needed to the industry and IT department.
    assert_eq!(demand["clause"]["id"], "TP-11");
    let received = app.demands("authority", "received").await;
    assert_eq!(titles(&received), ["企业登记信息"]);
    assert!(app.demands("service", "received").await.is_empty());
    let path = format!(
        "/demands/{}/direction",
        demand["demand_id"].as_str().unwrap()
    );
    let stats = app.department("stats").await;
    let body = json!({ "department_id": stats, "revision": 1 });
    app.as_person("service")
        .post(&path, body.clone())
        .await
        .refused(404, "demand.not_found");
    app.as_person("authority").post(&path, body).await.ok();
    app.as_person("service")
        .post(&publication, nothing())
        .await
        .ok();

    let may = |me: Value, menu: &str| me["may"][menu].as_bool().unwrap();
    let service = app.as_person("service").get("/session").await.ok();
    let authority = app.as_person("authority").get("/session").await.ok();
    assert!(may(service.clone(), "review_catalogue") && !may(service, "receive_demands"));
    assert!(!may(authority.clone(), "review_catalogue") && may(authority, "receive_demands"));
    app.finish().await;
}

/// TP-5.2
#[tokio::test]
async fn tp_5_2_an_unanswered_demand_shows_its_age_and_is_never_overdue() {
    let app = TestApp::under_the_template().await;
    let mut body = a_demand("企业登记信息");
    body["asked_department_id"] = json!(app.department("stats").await);
    app.person("stats").await;
    let demand = app.state_demand("civil", body).await;
    assert_eq!(demand["age_days"], 0);
    assert!(
        app.told_kinds("stats")
            .await
            .contains(&"demand.directed".to_owned())
    );
    // An evening in UTC is the next day in China already.
    app.set_clock("2026-11-29T17:00:00Z").await;
    let now = app.demands("stats", "asked").await;
    assert_eq!(
        (&now[0]["age_days"], &now[0]["state"]),
        (&json!(70), &json!("open"))
    );
    let full = app.demand("civil", &demand).await.to_string();
    assert!(!full.contains("due") && !full.contains("overdue"), "{full}");

    let problem = app
        .on_demand(
            "stats",
            &demand,
            "answer",
            json!({ "kind": "cannot", "text": " " }),
        )
        .await
        .refused(422, "demand.reason_missing");
    assert_eq!(faults(&problem), ["text: demand.reason_missing"]);
    app.on_demand(
        "civil_head",
        &demand,
        "answer",
        json!({ "kind": "will_provide" }),
    )
    .await
    .refused(403, "access.other_department");
    app.on_demand(
        "stats_contractor",
        &demand,
        "answer",
        json!({ "kind": "will_provide" }),
    )
    .await
    .refused(403, "access.contractor");
    let answer = json!({ "kind": "cannot", "text": "本部门不采集该信息" });
    let answered = app
        .on_demand("stats", &demand, "answer", answer.clone())
        .await
        .ok();
    assert_eq!(
        (&answered["age_days"], &answered["actions"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(
        app.demand("civil", &demand).await["answer"]["text"],
        "本部门不采集该信息"
    );
    app.on_demand("stats", &demand, "answer", answer)
        .await
        .refused(409, "demand.not_open");
    app.finish().await;
}

/// YJ-2.1
#[tokio::test]
async fn yj_2_1_ten_demands_become_one_list_with_requesters_and_providers() {
    let app = TestApp::under_yanjin().await;
    app.as_person("authority")
        .post("/demand-lists", nothing())
        .await
        .refused(409, "demand.nothing_to_merge");
    let entry = app.published("行政区划代码", "unconditional").await;
    let mut demands = Vec::new();
    // Six want the same thing, three another one, one something that nobody has yet.
    for person in [
        "civil",
        "tax",
        "county",
        "justice",
        "service",
        "bigdata_officer",
    ] {
        demands.push(app.state_demand(person, a_demand("行政区划代码")).await);
    }
    for person in ["civil", "tax", "justice"] {
        let mut body = a_demand("企业 登记信息");
        body["asked_department_id"] = json!(app.department("service").await);
        demands.push(app.state_demand(person, body).await);
    }
    demands.push(app.state_demand("stats", a_demand("火灾隐患单位")).await);
    for demand in &demands[..6] {
        let body = json!({ "entry_id": entry });
        app.on_demand("authority", demand, "match", body).await.ok();
    }
    app.as_person("stats")
        .post("/demand-lists", nothing())
        .await
        .refused(403, "access.no_post");
    let list = app
        .as_person("authority")
        .post("/demand-lists", nothing())
        .await
        .ok();
    assert_eq!(
        (&list["no"], &list["demands_count"], &list["lines_count"]),
        (&json!(1), &json!(10), &json!(3))
    );
    assert_eq!(list["clause"]["id"], "YJ-2.1");
    let lines = list["lines"].as_array().unwrap();
    let read: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["provider_name"].as_str(),
                line["entry_name"].as_str(),
                line["requesters"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            (Some(app.department_name("stats")), Some("行政区划代码"), 6),
            (Some(app.department_name("service")), None, 3),
            (None, None, 1),
        ]
    );
    assert_eq!(
        lines[0]["requesters"][0]["department_name"],
        app.department_name("civil")
    );

    // The next list is another version; the first one stays as it was.
    let refusal = json!({ "kind": "cannot", "text": "不采集" });
    for demand in &demands[6..9] {
        app.on_demand("service", demand, "answer", refusal.clone())
            .await
            .ok();
    }
    app.on_demand("stats", &demands[9], "withdrawal", json!({}))
        .await
        .ok();
    let next = app
        .as_person("authority")
        .post("/demand-lists", nothing())
        .await
        .ok();
    assert_eq!((&next["no"], &next["lines_count"]), (&json!(2), &json!(1)));
    let id = list["list_id"].as_str().unwrap();
    let first = app
        .as_person("civil")
        .get(&format!("/demand-lists/{id}"))
        .await
        .ok();
    assert_eq!(first["lines"], list["lines"]);
    let pages = app
        .as_person("civil")
        .get(&format!("/demand-lists/{id}?size=2"))
        .await
        .ok();
    assert_eq!(pages["lines"].as_array().unwrap().len(), 2);
    let rest = app
        .as_person("civil")
        .get(&format!(
            "/demand-lists/{id}?size=2&cursor={}",
            pages["next_cursor"].as_str().unwrap()
        ))
        .await
        .ok();
    assert_eq!(rest["lines"][0]["no"], 3);

    let file = app
        .as_person("civil")
        .get(&format!("/demand-lists/{id}/workbook"))
        .await;
    let mut workbook: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(file.bytes.clone())).unwrap();
    let sheet = workbook.worksheet_range("应用需求数据清单").unwrap();
    assert_eq!(sheet.height(), 4);
    let cell = |row, column| sheet.get_value((row, column)).unwrap().to_string();
    assert_eq!(cell(1, 5), "行政区划代码");
    assert_eq!(cell(1, 6).split('；').count(), 6);
    app.finish().await;
}

/// PDS-5.6
#[tokio::test]
async fn pds_5_6_five_demands_for_one_provincial_entry_become_one_application_with_five_users() {
    let app = TestApp::under_pingdingshan().await;
    let missing = app
        .as_person("civil")
        .post("/demands", {
            let mut body = a_demand("社保缴费");
            body["level"] = json!("province");
            body
        })
        .await
        .refused(422, "demand.faulty");
    assert_eq!(faults(&missing), ["resource: demand.resource_missing"]);

    let mut first = Value::Null;
    for (person, name) in [
        ("civil", "社保缴费信息"),
        ("tax", "社保 缴费信息"),
        ("county", "社保缴费信息"),
        ("justice", "社保缴费信息"),
        ("service", "社保缴费信息 "),
    ] {
        first = app
            .state_demand(person, a_demand_above("province", name))
            .await;
    }
    // The same name on another level, and another name, are other resources.
    app.state_demand("civil", a_demand_above("state", "社保缴费信息"))
        .await;
    app.state_demand("civil", a_demand_above("province", "不动产登记"))
        .await;
    assert_eq!(first["clause"]["id"], "PDS-5.6");
    let own = app.state_demand("civil", a_demand("低保名单")).await;
    let merge = |demand: &Value| json!({ "demand_id": demand["demand_id"] });
    app.as_person("operator")
        .post("/upward-applications", merge(&own))
        .await
        .refused(422, "demand.not_above");
    app.as_person("civil")
        .post("/upward-applications", merge(&own))
        .await
        .refused(403, "access.no_post");
    let upward = app
        .as_person("operator")
        .post("/upward-applications", merge(&first))
        .await
        .ok();
    let users: Vec<_> = upward["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["department_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        users,
        ["civil", "tax", "county", "justice", "service"].map(|d| app.department_name(d))
    );
    app.as_person("operator")
        .post("/upward-applications", merge(&first))
        .await
        .refused(409, "demand.in_application");
    let all = app
        .as_person("operator")
        .get("/upward-applications")
        .await
        .ok();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "one application");
    // Whoever asked follows it there; whoever didn't doesn't see it.
    let seen = app.as_person("tax").get("/upward-applications").await.ok();
    assert_eq!(seen["items"][0]["number"], upward["number"]);
    let none = app
        .as_person("stats")
        .get("/upward-applications")
        .await
        .ok();
    assert_eq!(none["items"], json!([]));
    app.finish().await;
}

/// PDS-18
#[tokio::test]
async fn pds_18_an_application_upward_is_merged_then_sent_then_answered() {
    let app = TestApp::under_pingdingshan().await;
    let demand = app
        .state_demand("civil", a_demand_above("province", "不动产登记接口"))
        .await;
    let body = json!({ "demand_id": demand["demand_id"] });
    let upward = app
        .as_person("operator")
        .post("/upward-applications", body)
        .await
        .ok();
    assert_eq!(
        (&upward["state"], &upward["actions"]),
        (&json!("merged"), &json!(["send"]))
    );
    let id = upward["application_id"].as_str().unwrap();
    let act = |person, what: &str, body: Value| {
        let path = format!("/upward-applications/{id}/{what}");
        let caller = app.as_person(person);
        async move { caller.post(&path, body).await }
    };
    let answer =
        json!({ "reference": "豫政数函〔2026〕8号", "kind": "will_provide", "revision": 1 });
    act("operator", "answer", answer)
        .await
        .refused(409, "demand.wrong_step");
    act(
        "operator",
        "sending",
        json!({ "reference": " ", "revision": 1 }),
    )
    .await
    .refused(422, "demand.reference_missing");
    act(
        "civil",
        "sending",
        json!({ "reference": "x", "revision": 1 }),
    )
    .await
    .refused(403, "access.no_post");
    let sending = json!({ "reference": "平政数〔2026〕31号", "revision": 1 });
    let sent = act("operator", "sending", sending.clone()).await.ok();
    assert_eq!(
        (&sent["state"], &sent["sent_reference"]),
        (&json!("sent"), &json!("平政数〔2026〕31号"))
    );
    act("operator", "sending", sending)
        .await
        .refused(409, "platform.changed_meanwhile");
    assert_eq!(
        app.demand("civil", &demand).await["application"]["state"],
        "sent"
    );
    app.on_demand("civil", &demand, "withdrawal", json!({}))
        .await
        .refused(409, "demand.in_application");

    let answer = json!({ "reference": "豫政数函〔2026〕8号", "kind": "cannot", "text": "接口在建", "revision": 2 });
    let answered = act("operator", "answer", answer).await.ok();
    assert_eq!(
        (
            &answered["state"],
            &answered["answer_reference"],
            &answered["actions"]
        ),
        (
            &json!("answered"),
            &json!("豫政数函〔2026〕8号"),
            &json!([])
        )
    );
    let now = app.demand("civil", &demand).await;
    assert_eq!(
        (
            &now["state"],
            &now["answer"]["text"],
            &now["application"]["state"]
        ),
        (&json!("answered"), &json!("接口在建"), &json!("answered"))
    );
    app.idle().await;
    let ledger = app.ledger_text();
    for what in [
        "demand.merged_upward",
        "demand.sent_upward",
        "demand.answered_from_above",
    ] {
        assert!(ledger.contains(what), "{what}");
    }
    app.finish().await;
}

/// What is wrong with a demand comes back at once, and nobody works on what has changed.
#[tokio::test]
async fn a_demand_is_checked_and_guarded() {
    let app = TestApp::start().await;
    let empty = json!({ "title": "", "wanted": "", "purpose": "", "duty": "", "level": "county" });
    let problem = app
        .as_person("civil")
        .post("/demands", empty)
        .await
        .refused(422, "demand.faulty");
    assert_eq!(faults(&problem).len(), 4);
    let mut own = a_demand("低保名单");
    own["asked_department_id"] = json!(app.department("civil").await);
    app.as_person("civil")
        .post("/demands", own)
        .await
        .refused(422, "demand.own_data");
    app.as_person("citizen")
        .post("/demands", a_demand("低保名单"))
        .await
        .refused(403, "access.no_post");

    let demand = app.state_demand("civil", a_demand("低保名单")).await;
    app.on_demand(
        "stats",
        &demand,
        "answer",
        json!({ "kind": "will_provide" }),
    )
    .await
    .refused(404, "demand.not_found");
    let id = demand["demand_id"].as_str().unwrap();
    let stats = app.department("stats").await;
    let body = json!({ "department_id": stats, "revision": 7 });
    app.as_person("authority")
        .post(&format!("/demands/{id}/direction"), body)
        .await
        .refused(409, "platform.changed_meanwhile");
    let itself = json!({ "department_id": app.department("civil").await });
    app.on_demand("authority", &demand, "direction", itself)
        .await
        .refused(422, "demand.own_data");
    let unknown = json!({ "entry_id": "ent-0" });
    app.on_demand("authority", &demand, "match", unknown)
        .await
        .refused(422, "demand.entry_unknown");
    app.on_demand("civil", &demand, "withdrawal", json!({}))
        .await
        .ok();
    let body = json!({ "department_id": stats });
    app.on_demand("authority", &demand, "direction", body)
        .await
        .refused(409, "demand.not_open");
    let open = app
        .as_person("civil")
        .get("/demands?scope=stated&state=open")
        .await
        .ok();
    assert_eq!(open["items"], json!([]));
    app.as_person("civil")
        .get("/demands?scope=mine")
        .await
        .refused(422, "demand.scope");
    app.finish().await;
}
