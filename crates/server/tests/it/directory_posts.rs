//! Posts in several departments, delegations with dates, contractors and supervisors.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, a_request, an_entry, faults, nothing};

async fn posts(app: &TestApp, login_name: &str, department: &str, posts: Value) {
    let person = app.person(login_name).await;
    let department_id = app.department(department).await;
    let body = json!({ "posts": posts, "department_id": department_id });
    app.as_person("security")
        .put(&format!("/people/{person}/posts"), body)
        .await
        .ok();
}

fn delegation(to: &str, roles: Value) -> Value {
    json!({
        "to_person": to, "roles": roles, "first_day": "2026-09-21", "last_day": "2026-09-25", "reason": "外出培训",
    })
}

#[tokio::test]
async fn a_person_acts_for_one_department_at_a_time() {
    let app = TestApp::start().await;
    app.person("stats").await;
    let (stats, civil, tax) = (
        app.department("stats").await,
        app.department("civil").await,
        app.department("tax").await,
    );
    posts(&app, "stats", "civil", json!(["head"])).await;
    let me = app.as_person("stats").get("/session").await.ok();
    assert_eq!(
        (&me["department"]["id"], &me["posts"]),
        (&json!(stats), &json!(["data_officer"]))
    );
    let held: Vec<(&str, &Value, bool)> = me["departments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["department_id"].as_str().unwrap(),
                &d["posts"],
                d["chosen"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(held.len(), 2);
    assert!(held.contains(&(&stats, &json!(["data_officer"]), true)));
    assert!(held.contains(&(&civil, &json!(["head"]), false)));

    let choose = |id: &str| {
        app.as_person("stats")
            .put("/session/post", json!({ "department_id": id }))
    };
    choose(&tax).await.refused(422, "session.no_post_there");
    let me = choose(&civil).await.ok();
    assert_eq!(
        (&me["department"]["id"], &me["posts"]),
        (&json!(civil), &json!(["head"]))
    );
    // What is made now belongs to the department chosen, and the evidence says for whom it was done.
    let version = app.draft("stats", &an_entry("低保对象")).await;
    let own = app.as_person("civil").get("/catalogue/own").await.ok();
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
    choose(&stats).await.ok();
    let path = format!("/catalogue/versions/{version}/submission");
    app.as_person("stats")
        .post(&path, nothing())
        .await
        .refused(403, "access.other_department");
    // Whoever loses the post acts for the own department again.
    choose(&civil).await.ok();
    posts(&app, "stats", "civil", json!([])).await;
    let me = app.as_person("stats").get("/session").await.ok();
    assert_eq!(me["department"]["id"], stats);
    app.finish().await;
}

/// 三员 and supervisors are exclusive across departments.
#[tokio::test]
async fn an_administrator_holds_no_post_in_another_department_either() {
    let app = TestApp::start().await;
    let tax = app.department("tax").await;
    for person in ["auditor", "supervisor"] {
        let id = app.person(person).await;
        let body = json!({ "posts": ["data_officer"], "department_id": tax });
        let problem = app
            .as_person("security")
            .put(&format!("/people/{id}/posts"), body)
            .await
            .refused(422, "directory.invalid");
        assert_eq!(faults(&problem), ["posts: access.posts_conflict"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_delegation_counts_between_its_days_only() {
    let app = TestApp::start().await;
    let stats = app.person("stats").await;
    let deputy = app.person("stats2").await;
    // The deputy has nothing of their own.
    let none = json!({ "posts": [] });
    app.as_person("security")
        .put(&format!("/people/{deputy}/posts"), none)
        .await
        .ok();
    let draft = |name: &'static str| {
        let app = &app;
        async move {
            app.as_person("stats2")
                .upload(app.workbook(&[an_entry(name)]))
                .await
        }
    };
    draft("甲").await.refused(403, "access.no_post");
    let mut body = delegation(&deputy, json!(["data_officer"]));
    body["first_day"] = json!("2026-09-22");
    body["last_day"] = json!("2026-09-23");
    let made = app.as_person("stats").post("/delegations", body).await.ok();
    assert_eq!(
        (&made["state"], &made["from_person"], &made["to_name"]),
        (&json!("coming"), &json!(stats), &json!("统计专员乙"))
    );
    draft("甲").await.refused(403, "access.no_post");
    // Midnight in China is 16:00 UTC of the day before.
    for (at, allowed) in [
        ("2026-09-21T15:59:00Z", false),
        ("2026-09-21T16:01:00Z", true),
        ("2026-09-23T15:59:00Z", true),
        ("2026-09-23T16:01:00Z", false),
    ] {
        app.set_clock(at).await;
        let reply = draft(if at.contains("21T16") { "甲" } else { "乙" }).await;
        if allowed {
            reply.ok();
        } else {
            reply.refused(403, "access.no_post");
        }
    }
    app.set_clock("2026-09-22T01:00:00Z").await;
    let me = app.as_person("stats2").get("/session").await.ok();
    let here = &me["departments"][0]["delegated"][0];
    assert_eq!(
        (&here["post"], &here["by_name"], &here["last_day"]),
        (
            &json!("data_officer"),
            &json!("统计专员"),
            &json!("2026-09-23")
        )
    );
    assert_eq!(me["may"]["compile_catalogue"], true);

    // The head sees it, and may take it back; nothing is left of it.
    let seen = app.as_person("stats_head").get("/delegations").await.ok();
    assert_eq!(seen["items"][0]["state"], "in_force");
    let id = made["id"].as_str().unwrap();
    let path = format!("/delegations/{id}");
    app.as_person("civil")
        .delete(&path)
        .await
        .refused(403, "delegation.not_yours");
    let revoked = app.as_person("stats_head").delete(&path).await.ok();
    assert_eq!(revoked["state"], "revoked");
    app.as_person("stats_head")
        .delete(&path)
        .await
        .refused(409, "delegation.over");
    draft("丙").await.refused(403, "access.no_post");
    app.idle().await;
    let ledger = app.ledger_text();
    assert!(
        ledger.contains("directory.posts_delegated")
            && ledger.contains("directory.delegation_revoked")
    );
    app.finish().await;
}

/// What is done by delegation says so in the evidence: whose post, and for which days.
#[tokio::test]
async fn an_act_by_delegation_is_recorded_as_one() {
    let app = TestApp::start().await;
    let version = app.draft("stats", &an_entry("人口数")).await;
    let (stats, deputy) = (app.person("stats").await, app.person("stats_head").await);
    let none = json!({ "posts": [] });
    app.as_person("security")
        .put(&format!("/people/{deputy}/posts"), none)
        .await
        .ok();
    let body = delegation(&deputy, json!(["data_officer"]));
    app.as_person("stats").post("/delegations", body).await.ok();
    let path = format!("/catalogue/versions/{version}/submission");
    app.as_person("stats_head")
        .post(&path, nothing())
        .await
        .ok();
    app.idle().await;
    let records = app
        .as_person("auditor")
        .get("/ledger/records?what=catalogue.version_submitted")
        .await
        .ok();
    let record: Value =
        serde_json::from_str(records["items"][0]["record"].as_str().unwrap()).unwrap();
    assert_eq!(record["who"]["person"], json!(deputy));
    let by = &record["detail"]["delegation"];
    assert_eq!(
        (&by["by"], &by["role"], &by["last_day"]),
        (&json!(stats), &json!("data_officer"), &json!("2026-09-25"))
    );
    app.finish().await;
}

/// A contractor never gets a post that approves, not for a day either. Spec: YC-30, YJ-2.3.
#[tokio::test]
async fn yj_2_3_what_can_not_be_delegated() {
    let app = TestApp::start().await;
    let (stats2, civil) = (app.person("stats2").await, app.person("civil").await);
    let (contractor, auditor) = (
        app.person("stats_contractor").await,
        app.person("auditor").await,
    );
    let stats = app.person("stats").await;
    let with = |field: &str, value: Value| {
        let mut body = delegation(&stats2, json!(["data_officer"]));
        body[field] = value;
        body
    };
    for (body, fault) in [
        (with("roles", json!([])), "roles: delegation.no_post"),
        (with("roles", json!(["head"])), "roles: delegation.not_held"),
        (with("roles", json!(["emperor"])), "roles: directory.posts"),
        (
            with("to_person", json!(stats)),
            "to_person: delegation.to_oneself",
        ),
        (
            with("to_person", json!("per-none")),
            "to_person: directory.person_unknown",
        ),
        (
            with("to_person", json!(contractor)),
            "to_person: delegation.to_contractor",
        ),
        (
            with("to_person", json!(civil)),
            "to_person: delegation.to_another_department",
        ),
        (
            with("first_day", json!("2026-09-20")),
            "first_day: delegation.days_past",
        ),
        (
            with("last_day", json!("2026-09-20")),
            "last_day: delegation.days_reversed",
        ),
        (with("last_day", json!("soon")), "last_day: directory.date"),
        (with("reason", json!(" ")), "reason: delegation.reason"),
    ] {
        let problem = app
            .as_person("stats")
            .post("/delegations", body)
            .await
            .refused(422, "directory.invalid");
        assert_eq!(faults(&problem), [fault]);
    }
    // Administrators act in person, and take no other post.
    let bigdata_officer = app.person("bigdata_officer").await;
    let problem = app
        .as_person("auditor")
        .post(
            "/delegations",
            delegation(&bigdata_officer, json!(["auditor"])),
        )
        .await
        .refused(422, "directory.invalid");
    assert_eq!(faults(&problem), ["roles: delegation.not_delegable"]);
    let problem = app
        .as_person("bigdata_officer")
        .post(
            "/delegations",
            delegation(&auditor, json!(["data_officer"])),
        )
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        ["to_person: delegation.to_one_who_stands_alone"]
    );
    // Running things may be passed to a contractor.
    let contractor = app.person("contractor").await;
    app.as_person("operator")
        .post("/delegations", delegation(&contractor, json!(["operator"])))
        .await
        .ok();
    app.finish().await;
}

#[tokio::test]
async fn only_the_head_delegates_for_others_and_no_deputy_passes_on() {
    let app = TestApp::start().await;
    let (stats, stats2, head) = (
        app.person("stats").await,
        app.person("stats2").await,
        app.person("stats_head").await,
    );
    let none = json!({ "posts": [] });
    app.as_person("security")
        .put(&format!("/people/{stats2}/posts"), none)
        .await
        .ok();
    let department = app.department("stats").await;
    let for_stats = |to: &str| {
        let mut body = delegation(to, json!(["data_officer"]));
        body["department_id"] = json!(department);
        body["from_person"] = json!(stats);
        body
    };
    app.as_person("stats2")
        .post("/delegations", for_stats(&stats2))
        .await
        .refused(403, "delegation.not_yours");
    app.as_person("civil_head")
        .post("/delegations", for_stats(&stats2))
        .await
        .refused(403, "delegation.not_yours");
    app.as_person("stats_head")
        .post("/delegations", for_stats(&stats2))
        .await
        .ok();
    // A deputy in the head's post is no head here, and what was delegated isn't held.
    app.as_person("stats_head")
        .post("/delegations", delegation(&stats2, json!(["head"])))
        .await
        .ok();
    app.as_person("stats2")
        .post("/delegations", for_stats(&head))
        .await
        .refused(403, "delegation.not_yours");
    let problem = app
        .as_person("stats2")
        .post("/delegations", delegation(&head, json!(["data_officer"])))
        .await
        .refused(422, "directory.invalid");
    assert_eq!(faults(&problem), ["roles: delegation.not_held"]);
    // Whoever loses the post can't be deputised for any longer.
    let draft = || {
        app.as_person("stats2")
            .upload(app.workbook(&[an_entry("甲")]))
    };
    draft().await.ok();
    let none = json!({ "posts": [] });
    app.as_person("security")
        .put(&format!("/people/{stats}/posts"), none.clone())
        .await
        .ok();
    draft().await.ok();
    app.as_person("security")
        .put(&format!("/people/{head}/posts"), none)
        .await
        .ok();
    draft().await.refused(403, "access.no_post");
    app.finish().await;
}

/// A contractor's person is registered with the department that watches over them. Spec: YC-30.
#[tokio::test]
async fn yc_30_a_contractor_needs_a_supervising_department() {
    let app = TestApp::start().await;
    let bigdata = app.department("bigdata").await;
    let person = |supervisor: Value, company: &str| {
        json!({
            "login_name": "outsider", "name": "驻场", "department_id": bigdata, "contractor": true,
            "supervising_department_id": supervisor, "contract_company": company, "password": PASSWORD,
        })
    };
    let post = |body: Value| app.as_person("admin").post("/people", body);
    let problem = post(person(Value::Null, ""))
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        [
            "supervising_department_id: directory.supervising_department",
            "contract_company: directory.contract_company"
        ]
    );
    let problem = post(person(json!("dep-none"), "某公司"))
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        ["supervising_department_id: directory.supervising_department"]
    );
    let made = post(person(json!(bigdata), "某公司")).await.ok();
    assert_eq!(
        (
            &made["contractor"],
            &made["contract_company"],
            &made["supervising_department_id"]
        ),
        (&json!(true), &json!("某公司"), &json!(bigdata))
    );
    app.finish().await;
}

/// YC-34: the supervisor reads cases, runs, people and the ledger, and changes nothing.
#[tokio::test]
async fn yc_34_a_supervisor_sees_all_and_changes_nothing() {
    let app = TestApp::start().await;
    let entry = app.published_entry(&an_entry("人口数")).await;
    let version = app.submit("stats", &an_entry("户数")).await;
    let department = app.department("civil").await;
    let supervisor = || app.as_person("supervisor");
    for path in [
        "/people",
        "/ledger/records",
        "/runs",
        "/departments/gaps",
        "/departments",
    ] {
        supervisor().get(path).await.ok();
    }
    let person = app.person("civil").await;
    let body = json!({
        "name": "民政部门", "from_date": "2026-09-21", "basis": "文",
    });
    for (path, body) in [
        ("/requests".to_owned(), a_request(&entry)),
        (
            format!("/catalogue/versions/{version}/publication"),
            nothing(),
        ),
        (format!("/departments/{department}/rename"), body),
        (
            "/delegations".to_owned(),
            delegation(&person, json!(["supervisor"])),
        ),
    ] {
        let reply = supervisor().post(&path, body).await;
        assert!(
            matches!(reply.status, 403 | 422),
            "{path}: {}",
            reply.status
        );
    }
    for (path, body) in [
        (format!("/people/{person}/posts"), json!({ "posts": [] })),
        ("/law/roles/authority".to_owned(), json!({})),
        (format!("/departments/{department}/contacts"), json!({})),
    ] {
        supervisor()
            .put(&path, body)
            .await
            .refused(403, "access.no_post");
    }
    app.finish().await;
}
