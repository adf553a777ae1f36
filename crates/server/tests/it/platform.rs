//! What every operation has in common: problems, languages, repeated posts, health.

use serde_json::json;

use crate::support::{TestApp, a_request, an_entry, nothing, villages_entry};

#[tokio::test]
async fn an_unknown_operation_is_a_problem_in_json() {
    let app = TestApp::start().await;
    for path in ["/no-such-thing", "/requests/a/b/c", "/"] {
        let reply = app.as_guest().get(path).await;
        assert!(
            reply.header("content-type").starts_with("application/json"),
            "{path}"
        );
        reply.refused(404, "platform.no_such_operation");
    }
    app.finish().await;
}

/// Whatever is wrong with a request's form, the answer is a problem with a code and a sentence.
#[tokio::test]
async fn a_request_of_the_wrong_form_is_a_problem_in_json() {
    let app = TestApp::start().await;
    let admin = || app.as_person("admin");
    let json_type = "application/json";
    admin()
        .send("/departments", json_type, b"{\"name\": ".to_vec())
        .await
        .refused(400, "platform.malformed");
    admin()
        .send("/departments", json_type, b"{}".to_vec())
        .await
        .refused(422, "platform.malformed");
    let unknown = json!({
        "name": "审计局", "credit_code": "11410400005700030K", "division_code": "410400", "level": "city", "color": 1,
    });
    admin()
        .post("/departments", unknown)
        .await
        .refused(422, "platform.malformed");
    admin()
        .send("/departments", "text/plain", b"{}".to_vec())
        .await
        .refused(415, "platform.media_type");
    admin()
        .delete("/departments")
        .await
        .refused(405, "platform.no_such_operation");
    app.as_person("auditor")
        .get("/ledger/records/seven/proof")
        .await
        .refused(400, "platform.malformed");
    admin().get("/departments?size=many").await.ok();
    app.as_person("stats")
        .get("/catalogue/own?size=many")
        .await
        .refused(400, "platform.malformed");
    app.as_person("stats")
        .upload(vec![0; 17 << 20])
        .await
        .refused(413, "platform.body_too_large");
    app.finish().await;
}

#[tokio::test]
async fn a_problem_speaks_the_language_of_the_page() {
    let app = TestApp::start().await;
    let chinese = app
        .as_guest()
        .get("/session")
        .await
        .refused(401, "session.required");
    let english = app
        .as_guest()
        .in_english()
        .get("/session")
        .await
        .refused(401, "session.required");
    let (chinese, english) = (
        chinese["message"].as_str().unwrap(),
        english["message"].as_str().unwrap(),
    );
    assert!(
        chinese
            .chars()
            .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
        "{chinese}"
    );
    assert!(english.is_ascii(), "{english}");
    app.finish().await;
}

#[tokio::test]
async fn a_post_repeated_with_its_key_gives_the_first_reply_again() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let file = |key: &str, body| {
        app.as_person("civil")
            .with("idempotency-key", key)
            .post("/requests", body)
    };
    let first = file("a-1", a_request(&entry)).await.ok();
    let again = file("a-1", a_request(&entry)).await.ok();
    assert_eq!(again, first);
    let mut other = a_request(&entry);
    other["purpose"] = json!("另一用途");
    file("a-1", other)
        .await
        .refused(409, "platform.idempotency_key_reused");
    file("", a_request(&entry))
        .await
        .refused(422, "platform.idempotency_key");
    file(&"x".repeat(101), a_request(&entry))
        .await
        .refused(422, "platform.idempotency_key");
    // The key belongs to the person: somebody else's is another one.
    app.as_person("tax")
        .with("idempotency-key", "a-1")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let mine = app.as_person("civil").get("/requests").await.ok();
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_refused_post_may_be_mended_under_its_key() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let file = |body| {
        app.as_person("civil")
            .with("idempotency-key", "b-1")
            .post("/requests", body)
    };
    let mut faulty = a_request(&entry);
    faulty["duty"] = json!("");
    file(faulty).await.refused(422, "request.faulty");
    file(a_request(&entry)).await.ok();
    app.finish().await;
}

#[tokio::test]
async fn two_posts_at_once_with_one_key_do_the_thing_once() {
    posts_at_once(TestApp::start().await).await;
}

#[tokio::test]
async fn two_posts_at_once_with_one_key_do_the_thing_once_in_postgres() {
    posts_at_once(TestApp::on_postgres().await).await;
}

async fn posts_at_once(app: TestApp) {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.person("civil").await;
    app.sign_in("civil").await;
    for round in 1..=4 {
        let key = format!("c-{round}");
        let file = || {
            app.as_person("civil")
                .with("idempotency-key", &key)
                .post("/requests", a_request(&entry))
        };
        let (a, b, c) = tokio::join!(file(), file(), file());
        let mut done = 0;
        for reply in [a, b, c] {
            match reply.status {
                200 => done += 1,
                _ => drop(reply.refused(409, "platform.idempotency_key_busy")),
            }
        }
        assert!(done >= 1);
        let mine = app.as_person("civil").get("/requests").await.ok();
        assert_eq!(
            mine["items"].as_array().unwrap().len(),
            round,
            "one request for each key"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn health_is_told_without_signing_in() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/readyz"] {
        let reply = app.as_guest().get(path).await;
        assert_eq!(
            (reply.status, reply.bytes.as_slice()),
            (200, b"ok".as_slice())
        );
    }
    let platform = app.as_guest().get("/platform").await.ok();
    assert_eq!(platform["name"], "云溪县政务数据共享交换平台");
    app.finish().await;
}

#[tokio::test]
async fn nothing_but_the_door_is_open_to_guests() {
    let app = TestApp::start().await;
    let document = serde_json::to_value(tongqu::router::openapi()).unwrap();
    let mut open = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path
            .trim_start_matches("/api/v1")
            .replace("{index}", "0")
            .replace(['{', '}'], "");
        for method in operations.as_object().unwrap().keys() {
            let reply = match method.as_str() {
                "get" => app.as_guest().get(&path).await,
                "delete" => app.as_guest().delete(&path).await,
                "put" => app.as_guest().put(&path, nothing()).await,
                _ => app.as_guest().post(&path, nothing()).await,
            };
            if reply.status != 401 {
                open.push(format!("{method} {path}"));
            }
        }
    }
    open.sort();
    assert_eq!(
        open,
        [
            "get /platform",
            "post /invitation",
            "post /session",
            "post /setup"
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn the_demo_clock_moves_by_whole_days_and_never_far() {
    let app = TestApp::start().await;
    app.publish("stats", &an_entry("人口数")).await;
    app.as_person("stats")
        .post("/demo/clock", json!({ "days": 0 }))
        .await
        .refused(422, "demo.days");
    app.as_person("stats")
        .post("/demo/clock", json!({ "days": 32 }))
        .await
        .refused(422, "demo.days");
    let moved = app
        .as_person("stats")
        .post("/demo/clock", json!({ "days": 10 }))
        .await
        .ok();
    assert_eq!(moved["today"], "2026-10-01");
    app.finish().await;
}

#[tokio::test]
async fn outside_the_demo_there_is_no_clock_to_move() {
    let app = TestApp::on_the_machines_clock(|_| {}).await;
    app.as_person("admin")
        .post("/demo/clock", json!({ "days": 1 }))
        .await
        .refused(404, "platform.no_such_operation");
    app.finish().await;
}
