//! Lists of grants: who sees which, where each stands, what may be done with it.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use serde_json::{Value, json};
use tongqu_domain::grant::GrantState;

use crate::support::{TestApp, UPLOAD, a_request, village_rows, villages_entry};

/// What a person sees of a list.
async fn grants(app: &TestApp, person: &str, query: &str) -> Value {
    app.as_person(person)
        .get(&format!("/grants?{query}"))
        .await
        .ok()
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|it| it["entry_name"].as_str().unwrap())
        .collect()
}

fn kinds(grant: &Value) -> Vec<&str> {
    let actions = grant["actions"].as_array().unwrap();
    actions
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect()
}

/// Three grants of the statistics bureau to civil affairs, one of them delivered, one of a month.
async fn three_grants(app: &TestApp) -> String {
    let mut first = String::new();
    for (name, months) in [("甲表", None), ("乙表", Some(1)), ("丙_表", Some(12))] {
        let entry = app
            .published_entry(&villages_entry(name, "unconditional"))
            .await;
        if first.is_empty() {
            app.store("civil").await;
            app.store("stats").await.sql(&village_rows(6));
            app.mount(&entry, "division_village").await;
        }
        let mut body = a_request(&entry);
        body["term_months"] = json!(months);
        body["columns"] = json!(["code", "name", "phone"]);
        if first.is_empty() {
            let request = app.as_person("civil").post("/requests", body).await.ok();
            app.deliver(request["request_id"].as_str().unwrap()).await;
            first = request["request_id"].as_str().unwrap().to_owned();
        } else {
            let mut pooled = body.clone();
            pooled["entry_id"] = json!(entry);
            app.mount(&entry, "division_village").await;
            app.as_person("civil").post("/requests", pooled).await.ok();
        }
    }
    first
}

async fn a_list_says_where_grants_stand(app: TestApp) {
    three_grants(&app).await;
    let given = grants(&app, "stats", "side=provided").await;
    assert_eq!(names(&given), ["丙_表", "乙表", "甲表"], "the newest first");
    assert_eq!(
        (&given["counts"]["in_force"], &given["counts"]["expiring"]),
        (&json!(3), &json!(1))
    );
    let delivered = &given["items"][2];
    assert_eq!(
        (
            &delivered["state"],
            &delivered["last_delivery_rows"],
            &delivered["valid_until"],
            &delivered["requester_name"],
            &delivered["basis"]["place"]
        ),
        (
            &json!("in_force"),
            &json!(6),
            &Value::Null,
            &json!("云溪县民政局"),
            &json!("第五条第（五）项")
        )
    );
    assert_eq!(delivered["columns"][2]["mask_name"], "手机号");
    assert!(delivered["last_delivery_at"].is_string());
    assert!(given["items"][0]["last_delivery_at"].is_null());
    // The other side sees the same three, and only an ending one may be asked for again.
    let held = grants(&app, "civil", "side=received").await;
    let again: Vec<&Value> = held["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["may_request_again"])
        .collect();
    assert_eq!(again, [false, true, false]);
    assert_eq!(
        names(&grants(&app, "civil", "side=provided").await),
        [""; 0]
    );
    assert_eq!(names(&grants(&app, "tax", "side=received").await), [""; 0]);
    app.finish().await;
}

#[tokio::test]
async fn a_list_of_grants_says_where_each_stands() {
    a_list_says_where_grants_stand(TestApp::start().await).await;
}

#[tokio::test]
async fn a_list_of_grants_on_postgres() {
    a_list_says_where_grants_stand(TestApp::on_postgres().await).await;
}

#[tokio::test]
async fn a_list_of_grants_is_narrowed_and_paged_by_the_server() {
    let app = TestApp::start().await;
    three_grants(&app).await;
    let of = async |query: &str| {
        let page = grants(&app, "stats", query).await;
        names(&page).join(" ")
    };
    assert_eq!(of("state=expiring").await, "乙表");
    assert_eq!(of("q=乙").await, "乙表");
    assert_eq!(
        of("q=民政").await,
        "丙_表 乙表 甲表",
        "departments count too"
    );
    assert_eq!(of("q=_").await, "丙_表", "no sign stands for others");
    assert_eq!(of("state=ended").await, "");
    let first = grants(&app, "stats", "size=2").await;
    assert_eq!(names(&first), ["丙_表", "乙表"]);
    let cursor = first["next_cursor"].as_str().unwrap().replace(' ', "%20");
    let rest = grants(&app, "stats", &format!("size=2&cursor={cursor}")).await;
    assert_eq!(
        (names(&rest), &rest["next_cursor"]),
        (vec!["甲表"], &Value::Null)
    );
    app.set_clock("2026-10-21T01:00:00Z").await;
    assert_eq!(of("state=expired").await, "乙表");
    let all = grants(&app, "stats", "").await;
    assert_eq!(
        (
            &all["counts"]["in_force"],
            &all["counts"]["expired"],
            &all["items"][1]["state"]
        ),
        (&json!(2), &json!(1), &json!("expired"))
    );
    let problem = app.as_person("stats").get("/grants?state=lost").await;
    problem.refused(422, "grant.unknown_filter");
    app.finish().await;
}

#[tokio::test]
async fn all_grants_are_for_those_who_watch_over_the_platform() {
    let app = TestApp::start().await;
    three_grants(&app).await;
    for person in ["operator", "leader", "supervisor"] {
        assert_eq!(names(&grants(&app, person, "side=all").await).len(), 3);
    }
    for person in ["stats", "civil"] {
        let reply = app.as_person(person).get("/grants?side=all").await;
        reply.refused(403, "access.other_department");
    }
    for person in ["auditor", "security"] {
        let reply = app.as_person(person).get("/grants").await;
        reply.refused(403, "access.no_post");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_list_of_grants_is_kept_as_a_workbook() {
    let app = TestApp::start().await;
    three_grants(&app).await;
    let reply = app
        .as_person("stats")
        .get("/grants/workbook?state=expiring")
        .await;
    let mut workbook: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(reply.bytes.clone())).unwrap();
    let sheet = workbook.worksheet_range("授权清单").unwrap();
    let rows: Vec<Vec<String>> = sheet
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    for (column, text) in [
        (1, "乙表"),
        (3, "云溪县民政局"),
        (11, "2026-10-21"),
        (12, "生效中"),
    ] {
        assert_eq!(rows[1][column], text, "{rows:?}");
    }
    assert!(rows[1][6].contains("手机号"), "{rows:?}");
    app.finish().await;
}

/// A granted interface, which the regulation has a case accompany.
async fn granted_interface(app: &TestApp) -> Value {
    let entry = app.published_interface("行政区划代码", "conditional").await;
    let form =
        json!({ "form": { "seal_kind": "electronic_seal_online", "attachment_id": UPLOAD } });
    let request = app.ask_for_interface(&entry, form).await.ok();
    let accept = json!({ "outcome": "accepted" });
    app.take("operator", &request, "compliance_check", accept)
        .await;
    app.decide("stats", &request, "decide", "approved").await;
    app.take("operator", &request, "answer", json!({})).await;
    request
}

/// PDS-19.1
#[tokio::test]
async fn pds_19_1_a_grant_is_suspended_and_resumed_from_the_list() {
    let app = TestApp::under_pingdingshan().await;
    let request = granted_interface(&app).await;
    let only = async |person: &str, side: &str| {
        grants(&app, person, &format!("side={side}")).await["items"][0].clone()
    };
    let mine = only("civil", "received").await;
    assert_eq!(kinds(&mine), [""; 0], "the provider's acts");
    let given = only("stats", "provided").await;
    assert_eq!(kinds(&given), ["suspend", "end"]);
    assert_eq!(given["actions"][0]["clause"]["id"], "PDS-19.1");
    assert_eq!(given["actions"][0]["grounds"].as_array().unwrap().len(), 3);
    let take = async |grant: &Value, kind: &str, ground: Value| {
        let act = grant["actions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["kind"] == kind)
            .unwrap();
        let path = format!(
            "/cases/{}/steps/{}",
            grant["life_case_id"].as_str().unwrap(),
            act["step_id"].as_str().unwrap()
        );
        let body = json!({
            "input": { "outcome": act["outcome"], "ground": ground },
            "revision": grant["life_revision"],
        });
        app.as_person("stats").post(&path, body).await.ok();
    };
    take(&given, "suspend", json!("over_scope")).await;
    let suspended = only("stats", "provided").await;
    assert_eq!(
        (&suspended["state"], &suspended["ground"]),
        (&json!("suspended"), &json!("超出授权范围"))
    );
    assert_eq!(kinds(&suspended), ["end", "resume"]);
    take(&suspended, "resume", Value::Null).await;
    let resumed = only("stats", "provided").await;
    assert_eq!(resumed["state"], "in_force");
    assert_eq!(app.grant(&request).await.state, GrantState::Active);
    app.finish().await;
}

/// PDS-19.2
#[tokio::test]
async fn pds_19_2_what_lies_unused_is_marked_and_can_be_reclaimed_from_the_list() {
    let app = TestApp::under_pingdingshan().await;
    granted_interface(&app).await;
    app.set_clock("2026-12-22T01:00:00Z").await;
    let proposed = tongqu::features::request::propose_reclaims(app.app()).await;
    assert_eq!(proposed.unwrap(), 1);
    let page = grants(&app, "stats", "state=unused").await;
    assert_eq!(page["counts"]["unused"], 1);
    let unused = &page["items"][0];
    assert!(unused["reclaim_proposed_at"].is_string());
    assert_eq!(kinds(unused), ["suspend", "end", "reclaim"]);
    app.finish().await;
}
