//! Departments: what they are, who answers there, and what is left of them after a reform.

use serde_json::{Value, json};
use tongqu::features::directory::{answers_for, names_over_time};
use tongqu_domain::ids::DepartmentId;

use crate::support::{TestApp, a_request, faults, villages_entry};

async fn detail(app: &TestApp, person: &str, id: &str) -> Value {
    app.as_person(person)
        .get(&format!("/departments/{id}"))
        .await
        .ok()
}

fn everybody() -> Value {
    let contact = |name: &str, phone: &str| json!({ "name": name, "phone": phone });
    json!({
        "first_responsible": contact("钱大", "0375-7000001"),
        "lead_office": contact("数据科", ""),
        "leader_in_charge": contact("孙二", ""),
        "data_officer": contact("李三", "0375-7000003 转 8"),
        "technical": contact("周四", "0375-7000004"),
    })
}

/// Authorised social organisations and utilities are departments too. Spec: YC-3.
#[tokio::test]
async fn yc_3_a_social_organisation_is_a_department() {
    let app = TestApp::start().await;
    let bigdata = app.department("bigdata").await;
    let mut body = json!({
        "name": "云溪县供水公司", "credit_code": "", "division_code": "410404", "level": "county",
        "kind": "utility", "by_reference": true, "superior_id": bigdata, "contacts": everybody(),
    });
    body["credit_code"] = json!("114104040057000575");
    let made = app
        .as_person("admin")
        .post("/departments", body.clone())
        .await
        .ok();
    assert_eq!(
        (
            &made["kind"],
            &made["by_reference"],
            &made["superior_id"],
            &made["active"]
        ),
        (
            &json!("utility"),
            &json!(true),
            &json!(bigdata),
            &json!(true)
        )
    );
    let id = made["id"].as_str().unwrap();
    let path = format!("/departments/{id}");
    let edit = |kind: &str, level: &str, superior: Value| {
        json!({
            "division_code": "410400", "level": level, "kind": kind, "by_reference": false, "superior_id": superior,
        })
    };
    let put = |body: Value| app.as_person("admin").put(&path, body);
    let edited = put(edit("social_organisation", "province", Value::Null))
        .await
        .ok();
    assert_eq!(
        (&edited["kind"], &edited["level"], &edited["superior_id"]),
        (
            &json!("social_organisation"),
            &json!("province"),
            &Value::Null
        )
    );
    assert_eq!(
        edited["contacts"]["data_officer"]["name"], "李三",
        "contacts that weren't sent stay"
    );
    let problem = put(edit("club", "planet", json!(id)))
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        ["level: directory.level", "kind: directory.kind"]
    );
    // Nobody is above themselves, also not in a circle.
    let problem = put(edit("organ", "city", json!(id)))
        .await
        .refused(422, "directory.invalid");
    assert_eq!(faults(&problem), ["superior_id: directory.superior"]);
    for person in ["security", "civil_head"] {
        app.as_person(person)
            .put(&path, edit("organ", "city", Value::Null))
            .await
            .refused(403, "access.no_post");
    }
    app.finish().await;
}

/// PDS-6.3: who authorises and who gives technical support is published to all departments.
#[tokio::test]
async fn pds_6_3_contacts_are_published_to_all_departments() {
    let app = TestApp::start().await;
    app.person("stats").await;
    let stats = app.department("stats").await;
    let path = format!("/departments/{stats}/contacts");
    // The department itself keeps them; others don't.
    app.as_person("civil_head")
        .put(&path, everybody())
        .await
        .refused(403, "access.other_department");
    app.as_person("stats").put(&path, everybody()).await.ok();
    let seen = detail(&app, "civil", &stats).await;
    assert_eq!(seen["contacts"]["technical"]["phone"], "0375-7000004");
    assert_eq!(seen["contacts"]["lead_office"]["name"], "数据科");
    assert_eq!(
        seen["people"],
        json!([]),
        "accounts are the department's own business"
    );
    let own = detail(&app, "stats", &stats).await;
    assert_eq!(own["people"][0]["posts"], json!(["data_officer"]));
    // The page offers what the server would let through.
    assert_eq!(seen["actions"], json!([]));
    assert_eq!(own["actions"], json!(["contacts"]));
    let kept = detail(&app, "admin", &stats).await;
    assert_eq!(
        kept["actions"],
        json!(["edit", "rename", "merge", "contacts"])
    );

    let mut faulty = everybody();
    faulty["technical"] = json!({ "name": "周四", "phone": " " });
    faulty["lead_office"] = json!({ "name": "", "phone": "see door" });
    let problem = app
        .as_person("admin")
        .put(&path, faulty)
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        [
            "contacts.lead_office.name: directory.name",
            "contacts.lead_office.phone: directory.phone",
            "contacts.technical.phone: directory.phone_needed"
        ]
    );
    app.finish().await;
}

/// YC-7.2, YJ-4.2.1: a department without a first responsible person, an office or officers is listed.
#[tokio::test]
async fn yc_7_2_departments_with_gaps_are_listed() {
    let app = TestApp::start().await;
    app.person("stats").await;
    let (stats, tax) = (app.department("stats").await, app.department("tax").await);
    let gaps = || async {
        let gaps = app.as_person("leader").get("/departments/gaps").await.ok();
        gaps["items"].as_array().unwrap().clone()
    };
    let of = |gaps: &[Value], id: &str| gaps.iter().find(|g| g["department_id"] == id).cloned();
    let found = gaps().await;
    assert_eq!(
        of(&found, &tax).unwrap()["missing"],
        json!([
            "first_responsible",
            "lead_office",
            "leader_in_charge",
            "data_officer",
            "technical"
        ])
    );
    // Somebody with the post is a named officer.
    assert_eq!(
        of(&found, &stats).unwrap()["missing"],
        json!([
            "first_responsible",
            "lead_office",
            "leader_in_charge",
            "technical"
        ])
    );
    for id in [&stats, &tax] {
        app.as_person("admin")
            .put(&format!("/departments/{id}/contacts"), everybody())
            .await
            .ok();
    }
    let found = gaps().await;
    assert_eq!((of(&found, &stats), of(&found, &tax)), (None, None));
    let mut without_head = everybody();
    without_head["first_responsible"] = Value::Null;
    app.as_person("admin")
        .put(&format!("/departments/{tax}/contacts"), without_head)
        .await
        .ok();
    assert_eq!(
        of(&gaps().await, &tax).unwrap()["missing"],
        json!(["first_responsible"])
    );
    app.as_person("auditor")
        .get("/departments/gaps")
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

/// YC-44: where the regulation applies by reference, a gap is advice.
#[tokio::test]
async fn yc_44_by_reference_a_gap_is_advice() {
    let app = TestApp::start().await;
    let (tax, civil) = (app.department("tax").await, app.department("civil").await);
    let body = json!({
        "division_code": "410400", "level": "city", "kind": "utility", "by_reference": true,
    });
    app.as_person("admin")
        .put(&format!("/departments/{tax}"), body)
        .await
        .ok();
    let gaps = app.as_person("leader").get("/departments/gaps").await.ok();
    let items = gaps["items"].as_array().unwrap();
    let find = |id: &str| items.iter().position(|g| g["department_id"] == id).unwrap();
    assert_eq!(items[find(&tax)]["advisory"], true);
    assert_eq!(items[find(&civil)]["advisory"], false);
    assert!(
        find(&civil) < find(&tax),
        "what must be comes before advice"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_renamed_department_keeps_its_names_with_their_days() {
    let app = TestApp::start().await;
    let stats = app.department("stats").await;
    app.as_person("stats").get("/session").await.ok();
    let path = format!("/departments/{stats}/rename");
    let rename = |name: &str, from: &str| json!({ "name": name, "from_date": from, "basis": "云政办〔2026〕9号" });
    let post = |body: Value| app.as_person("admin").post(&path, body);
    for (body, fault) in [
        (
            rename("新名", "2026-09-22"),
            "from_date: directory.date_ahead",
        ),
        (rename("新名", "yesterday"), "from_date: directory.date"),
        (rename(" ", "2026-09-01"), "name: directory.name"),
        (
            json!({ "name": "新名", "from_date": "2026-09-01", "basis": "" }),
            "basis: directory.basis",
        ),
    ] {
        let problem = post(body).await.refused(422, "directory.invalid");
        assert_eq!(faults(&problem), [fault]);
    }
    app.department("civil").await;
    post(rename(app.department_name("civil"), "2026-09-01"))
        .await
        .refused(409, "directory.department_exists");
    let old = app.department_name("stats");
    app.set_clock("2026-10-09T01:00:00Z").await;
    let renamed = post(rename("云溪县统计和大数据局", "2026-10-01"))
        .await
        .ok();
    assert_eq!(renamed["name"], "云溪县统计和大数据局");
    let former = renamed["former_names"].as_array().unwrap();
    assert_eq!(
        (former.len(), &former[0]["name"], &former[0]["until"]),
        (1, &json!(old), &json!("2026-10-01"))
    );
    let problem = post(rename("又一个", "2026-10-01"))
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        ["from_date: directory.date_before_last_change"]
    );
    for (day, name) in [("2026-08-31", old), ("2026-10-01", "云溪县统计和大数据局")] {
        let listed = app
            .as_person("civil")
            .get(&format!("/departments?on={day}"))
            .await
            .ok();
        let items = listed["items"].as_array().unwrap();
        let found = items.iter().find(|d| d["id"] == json!(stats)).unwrap();
        assert_eq!(found["name"], name, "on {day}");
    }
    // A record shows the name of its day.
    app.idle().await;
    let person = app.person("stats").await;
    app.as_person("stats").get("/session").await.ok();
    let records = app
        .as_person("auditor")
        .get(&format!(
            "/ledger/records?what=session.opened&person_id={person}"
        ))
        .await
        .ok();
    let names: Vec<&str> = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["department_name"].as_str().unwrap())
        .collect();
    assert_eq!(names.first(), Some(&"云溪县统计和大数据局"), "{names:?}");
    assert_eq!(names.last(), Some(&old), "{names:?}");
    app.finish().await;
}

/// A merger in the middle of things: cases, grants and records stay as they were, and the successor answers for them.
#[tokio::test]
async fn a_merged_department_lives_on_in_its_successor() {
    merge_with_an_open_case(TestApp::start().await).await;
}

#[tokio::test]
async fn a_merger_on_postgres() {
    merge_with_an_open_case(TestApp::on_postgres().await).await;
}

async fn merge_with_an_open_case(app: TestApp) {
    let entry = app
        .published_entry(&villages_entry("村级区划", "conditional"))
        .await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let request_id = request["request_id"].as_str().unwrap().to_owned();
    let (stats, tax) = (app.department("stats").await, app.department("tax").await);
    let (person, officer) = (app.person("stats").await, app.person("tax").await);
    app.as_person("tax")
        .get(&format!("/requests/{request_id}"))
        .await
        .refused(403, "access.other_department");
    // Somebody with the same post in both keeps it once.
    let twice = json!({ "posts": ["data_officer"], "department_id": stats });
    app.as_person("security")
        .put(&format!("/people/{officer}/posts"), twice)
        .await
        .ok();
    let path = format!("/departments/{stats}/merge");
    let merge =
        |into: &str| json!({ "into": into, "from_date": "2026-09-21", "basis": "云发〔2026〕3号" });
    let post = |body: Value| app.as_person("admin").post(&path, body);
    app.as_person("security")
        .post(&path, merge(&tax))
        .await
        .refused(403, "access.no_post");
    for into in [stats.as_str(), "dep-none"] {
        let problem = post(merge(into)).await.refused(422, "directory.invalid");
        assert_eq!(faults(&problem), ["into: directory.successor"]);
    }
    let merged = post(merge(&tax)).await.ok();
    assert_eq!(
        (
            &merged["active"],
            &merged["merged"]["into_id"],
            &merged["merged"]["on"]
        ),
        (&json!(false), &json!(tax), &json!("2026-09-21"))
    );

    // People, posts and entries moved; the list has the successor only; the gone one can't be changed.
    let me = app.as_person("stats").get("/session").await.ok();
    assert_eq!(
        (&me["department"]["id"], &me["posts"]),
        (&json!(tax), &json!(["data_officer"]))
    );
    let after = detail(&app, "tax", &tax).await;
    assert_eq!(after["predecessors"][0]["id"], json!(stats));
    let here: Vec<&Value> = after["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["id"])
        .collect();
    assert!(here.contains(&&json!(person)) && here.contains(&&json!(officer)));
    let listed = app.as_person("civil").get("/departments").await.ok();
    assert!(!listed.to_string().contains(&stats));
    let found = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(found["department"]["id"], json!(tax));
    post(merge(&tax))
        .await
        .refused(409, "directory.department_gone");

    // The request still names the old department, and the successor's officer sees and decides it.
    let seen = app
        .as_person("tax")
        .get(&format!("/requests/{request_id}"))
        .await
        .ok();
    assert!(
        seen.to_string().contains(app.department_name("stats")),
        "{seen}"
    );
    // It waits on the successor's desk, and stands in its lists.
    let desk = app.as_person("tax").get("/desk").await.ok();
    let task = &desk["todo"][0];
    assert_eq!(
        (&task["case_id"], &task["may_take"], &desk["lamps"]["ample"]),
        (&seen["case_id"], &json!(true), &json!(1))
    );
    let own = app.as_person("tax").get("/cases").await.ok();
    assert_eq!(own["items"][0]["case_id"], seen["case_id"]);
    let decided = app
        .as_person("tax")
        .post(
            &format!("/requests/{request_id}/decision"),
            json!({ "verdict": "approve", "reason": null, "revision": seen["revision"] }),
        )
        .await;
    decided.ok();

    let mut db = app.app().registry.read().await.unwrap();
    let id = |text: &str| DepartmentId::parse(text).unwrap();
    assert_eq!(
        answers_for(&mut db, &id(&tax)).await.unwrap(),
        [id(&tax), id(&stats)]
    );
    assert_eq!(
        answers_for(&mut db, &id(&stats)).await.unwrap(),
        [id(&stats)]
    );
    let names = names_over_time(&mut db).await.unwrap();
    let day = "2026-09-20".parse().unwrap();
    assert_eq!(names.on(&stats, day), Some(app.department_name("stats")));
    drop(db);

    // Notices to the old one reach the successor.
    let notices = app.as_person("tax").get("/notices").await.ok();
    assert!(notices.to_string().contains("request.filed"), "{notices}");
    app.idle().await;
    assert!(app.ledger_text().contains("directory.department_merged"));

    // And again: the chain ends at the last one.
    let civil = app.department("civil").await;
    let body = json!({ "into": civil, "from_date": "2026-09-21", "basis": "云发〔2026〕4号" });
    app.as_person("admin")
        .post(&format!("/departments/{tax}/merge"), body)
        .await
        .ok();
    let mut db = app.app().registry.read().await.unwrap();
    let mut answered = answers_for(&mut db, &id(&civil)).await.unwrap();
    answered.sort();
    let mut all = vec![id(&civil), id(&tax), id(&stats)];
    all.sort();
    assert_eq!(answered, all);
    drop(db);
    app.finish().await;
}

#[tokio::test]
async fn entries_of_one_name_stop_a_merger_and_nothing_is_half_done() {
    let app = TestApp::start().await;
    app.draft("stats", &villages_entry("村级区划", "conditional"))
        .await;
    app.draft("tax", &villages_entry("村级区划", "conditional"))
        .await;
    let (stats, tax) = (app.department("stats").await, app.department("tax").await);
    let body = json!({ "into": tax, "from_date": "2026-09-21", "basis": "文" });
    let problem = app
        .as_person("admin")
        .post(&format!("/departments/{stats}/merge"), body)
        .await
        .refused(409, "directory.entries_in_both");
    assert!(problem["message"].as_str().unwrap().contains("村级区划"));
    assert_eq!(detail(&app, "stats", &stats).await["active"], true);
    app.finish().await;
}

/// The platform's own department may be merged too: its successor is platform unit and holds the bound roles.
#[tokio::test]
async fn the_platforms_department_may_be_merged() {
    let app = TestApp::start().await;
    let (bigdata, civil, tax) = (
        app.department("bigdata").await,
        app.department("civil").await,
        app.department("tax").await,
    );
    app.person("tax").await;
    app.as_person("admin")
        .put(
            "/law/roles/county_authority",
            json!({ "department_id": civil }),
        )
        .await
        .ok();
    for gone in [&bigdata, &civil] {
        let body = json!({ "into": tax, "from_date": "2026-09-21", "basis": "文" });
        app.as_person("admin")
            .post(&format!("/departments/{gone}/merge"), body)
            .await
            .ok();
    }
    let roles = app.as_person("tax").get("/law/roles").await.ok();
    for role in roles["items"].as_array().unwrap() {
        assert_eq!(role["department_id"], json!(tax), "{role}");
    }
    app.finish().await;
}
