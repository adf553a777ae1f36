//! Departments, people, posts and exchange stores.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, an_entry, faults, nothing};

/// 三员: system, security and audit administration are three people, kept apart from each other and from
/// all business.
#[tokio::test]
async fn none_of_the_three_administrators_does_the_work_of_another() {
    let app = TestApp::start().await;
    let version = app.submit("stats", &an_entry("人口数")).await;
    let department_id = app.department("stats").await;
    let stats = app.person("stats").await;
    let person = json!({
        "login_name": "somebody", "name": "某人", "department_id": department_id, "password": PASSWORD,
    });
    let posts = json!({ "posts": ["data_officer"] });
    for administrator in ["admin", "security", "auditor"] {
        let as_person = || app.as_person(administrator);
        if administrator != "admin" {
            as_person()
                .post("/people", person.clone())
                .await
                .refused(403, "access.no_post");
        }
        // The security administrator has to see the people whose posts are to be given.
        if administrator == "auditor" {
            as_person()
                .get("/people")
                .await
                .refused(403, "access.no_post");
        }
        if administrator != "security" {
            as_person()
                .put(&format!("/people/{stats}/posts"), posts.clone())
                .await
                .refused(403, "access.no_post");
        }
        if administrator != "auditor" {
            as_person()
                .get("/ledger/records")
                .await
                .refused(403, "access.no_post");
        }
        let path = format!("/catalogue/versions/{version}/publication");
        as_person()
            .post(&path, nothing())
            .await
            .refused(403, "access.no_post");
        as_person()
            .get("/desk")
            .await
            .refused(403, "access.no_post");
        as_person()
            .get("/runs")
            .await
            .refused(403, "access.no_post");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_administrator_holds_no_second_post() {
    let app = TestApp::start().await;
    let stats = app.person("stats").await;
    for posts in [
        json!(["system_admin", "data_officer"]),
        json!(["auditor", "security_admin"]),
    ] {
        let body = json!({ "posts": posts });
        let problem = app
            .as_person("security")
            .put(&format!("/people/{stats}/posts"), body)
            .await;
        let problem = problem.refused(422, "directory.invalid");
        assert_eq!(faults(&problem), ["posts: access.posts_conflict"]);
    }
    let unknown = json!({ "posts": ["emperor"] });
    let problem = app
        .as_person("security")
        .put(&format!("/people/{stats}/posts"), unknown)
        .await;
    assert_eq!(
        faults(&problem.refused(422, "directory.invalid")),
        ["posts: directory.posts"]
    );
    let me = app.as_person("stats").get("/session").await.ok();
    assert_eq!(
        me["posts"],
        json!(["data_officer"]),
        "the posts are as before"
    );
    app.finish().await;
}

#[tokio::test]
async fn nobody_gives_posts_to_themselves() {
    let app = TestApp::start().await;
    let security = app.person("security").await;
    let body = json!({ "posts": ["authority"] });
    app.as_person("security")
        .put(&format!("/people/{security}/posts"), body)
        .await
        .refused(403, "directory.own_posts");
    app.finish().await;
}

#[tokio::test]
async fn the_system_administrator_names_the_first_security_administrator_only() {
    let app = TestApp::start().await;
    let department_id = app.department("bigdata").await;
    let person = |login_name: &str, posts: Value| {
        json!({
            "login_name": login_name, "name": "某人", "department_id": department_id, "posts": posts,
            "password": PASSWORD,
        })
    };
    let admin = || app.as_person("admin");
    admin()
        .post("/people", person("officer", json!(["authority"])))
        .await
        .refused(403, "access.no_post");
    admin()
        .post("/people", person("first", json!(["security_admin"])))
        .await
        .ok();
    admin()
        .post("/people", person("second", json!(["security_admin"])))
        .await
        .refused(403, "access.no_post");
    let people = admin().get("/people").await.ok();
    assert_eq!(
        people["items"].as_array().unwrap().len(),
        2,
        "nobody was half made"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_department_is_refused_with_all_its_faults() {
    let app = TestApp::start().await;
    let body = json!({ "name": " ", "credit_code": "11410400005700014Y", "division_code": "99", "level": "planet" });
    let problem = app
        .as_person("admin")
        .post("/departments", body)
        .await
        .refused(422, "directory.invalid");
    assert_eq!(
        faults(&problem),
        [
            "name: directory.name",
            "credit_code: directory.credit_code",
            "division_code: directory.division_code",
            "level: directory.level"
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn names_and_codes_are_given_out_once() {
    let app = TestApp::start().await;
    app.department("stats").await;
    let body = json!({
        "name": app.department_name("stats"), "credit_code": "11410400005700030K", "division_code": "410400",
        "level": "city",
    });
    app.as_person("admin")
        .post("/departments", body)
        .await
        .refused(409, "directory.department_exists");
    let department_id = app.department("stats").await;
    let body = json!({
        "login_name": "admin", "name": "又一个", "department_id": department_id, "password": PASSWORD,
    });
    app.as_person("admin")
        .post("/people", body)
        .await
        .refused(409, "directory.login_name_taken");
    app.finish().await;
}

#[tokio::test]
async fn the_address_of_a_store_is_never_shown() {
    let app = TestApp::start().await;
    let url = app.store("stats").await.url();
    for person in ["admin", "operator", "stats"] {
        let stores = app.as_person(person).get("/stores").await;
        let text = String::from_utf8_lossy(&stores.bytes).into_owned();
        assert!(
            !text.contains(&url) && text.contains("stats前置库"),
            "{text}"
        );
    }
    let foreign = app.as_person("civil").get("/stores").await.ok();
    assert_eq!(
        foreign["items"],
        json!([]),
        "another department's store isn't listed"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_registered() {
    let app = TestApp::start().await;
    let department_id = app.department("stats").await;
    let body = |url: &str| json!({ "department_id": department_id, "name": "前置库", "url": url });
    let admin = || app.as_person("admin");
    app.expects_in_log("store.unreachable");
    // Port 1 is reserved and nobody listens there.
    let away = body("postgres://tongqu:s3cret@127.0.0.1:1/exchange");
    let problem = admin()
        .post("/stores", away)
        .await
        .refused(503, "store.unreachable");
    assert!(!problem.to_string().contains("s3cret"));
    admin()
        .post("/stores", body("ftp://127.0.0.1/x"))
        .await
        .refused(422, "store.address_invalid");
    let stores = admin().get("/stores").await.ok();
    assert_eq!(stores["items"], json!([]));
    app.finish().await;
}
