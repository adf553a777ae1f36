//! Signing in and out, the first administrator, and writes that aren't ours.

use serde_json::json;

use crate::support::{PASSWORD, TestApp, an_entry, nothing};

/// Spec: YC-42.1 (lockout).
#[tokio::test]
async fn five_wrong_passwords_lock_an_account_for_a_while() {
    let app = TestApp::start().await;
    app.person("stats").await;
    let sign_in = |password: &str| json!({ "login_name": "stats", "password": password });
    for _ in 0..5 {
        let problem = app
            .as_guest()
            .post("/session", sign_in("wrong-password"))
            .await;
        problem.refused(422, "session.wrong_name_or_password");
    }
    app.as_guest()
        .post("/session", sign_in(PASSWORD))
        .await
        .refused(429, "session.locked");
    app.set_clock("2026-09-21T01:14:00Z").await;
    app.as_guest()
        .post("/session", sign_in(PASSWORD))
        .await
        .refused(429, "session.locked");
    app.set_clock("2026-09-21T01:17:00Z").await;
    app.as_guest()
        .post("/session", sign_in(PASSWORD))
        .await
        .ok();
    app.finish().await;
}

#[tokio::test]
async fn a_sign_in_that_works_forgets_earlier_failures() {
    let app = TestApp::start().await;
    app.person("stats").await;
    for _ in 0..3 {
        for password in ["wrong-password"; 4] {
            let body = json!({ "login_name": "stats", "password": password });
            app.as_guest()
                .post("/session", body)
                .await
                .refused(422, "session.wrong_name_or_password");
        }
        app.sign_in("stats").await;
    }
    app.finish().await;
}

#[tokio::test]
async fn nobody_learns_which_names_exist() {
    let app = TestApp::start().await;
    let wrong = app
        .as_guest()
        .post(
            "/session",
            json!({ "login_name": "admin", "password": "wrong-password" }),
        )
        .await;
    let unknown = app
        .as_guest()
        .post(
            "/session",
            json!({ "login_name": "nobody", "password": "wrong-password" }),
        )
        .await;
    let wrong = wrong.refused(422, "session.wrong_name_or_password");
    let unknown = unknown.refused(422, "session.wrong_name_or_password");
    assert_eq!(wrong["message"], unknown["message"]);
    app.finish().await;
}

#[tokio::test]
async fn setting_up_works_once_and_with_the_right_link_only() {
    let app = TestApp::start_empty(|_| {}).await;
    let body = app.set_up_body();
    let mut forged = body.clone();
    forged["token"] = json!("0".repeat(32));
    app.as_guest()
        .post("/setup", forged)
        .await
        .refused(403, "setup.wrong_token");
    let mut short = body.clone();
    short["password"] = json!("short");
    app.as_guest()
        .post("/setup", short)
        .await
        .refused(422, "directory.invalid");

    app.as_guest().post("/setup", body.clone()).await.ok();
    app.as_guest()
        .post("/setup", body)
        .await
        .refused(403, "setup.wrong_token");
    let mut empty = app.set_up_body();
    assert_eq!(empty["token"], "", "the token is gone");
    empty["login_name"] = json!("second");
    app.as_guest()
        .post("/setup", empty)
        .await
        .refused(403, "setup.wrong_token");
    let me = app.as_person("admin").get("/session").await.ok();
    assert_eq!(
        (&me["posts"], &me["may"]["manage_directory"]),
        (&json!(["system_admin"]), &json!(true))
    );
    app.finish().await;
}

#[tokio::test]
async fn a_set_up_platform_offers_no_link_after_a_restart() {
    let mut app = TestApp::start().await;
    app.restart().await;
    assert!(app.app().setup_token.lock().unwrap().is_none());
    app.as_person("admin").get("/session").await.ok();
    app.finish().await;
}

#[tokio::test]
async fn an_expired_session_does_nothing_any_more() {
    let app = TestApp::start().await;
    let version = app.draft("stats", &an_entry("人口数")).await;
    let old = format!("tongqu_session={}", app.sign_in("stats").await);
    let path = format!("/catalogue/versions/{version}/submission");
    let session = || app.as_guest().with("cookie", &old);
    session().get("/session").await.ok();

    // A session lasts a working day of eight hours.
    app.set_clock("2026-09-21T08:59:00Z").await;
    session().get("/session").await.ok();
    app.set_clock("2026-09-21T09:01:00Z").await;
    session()
        .get("/session")
        .await
        .refused(401, "session.required");
    session()
        .post(&path, nothing())
        .await
        .refused(401, "session.required");
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    assert_eq!(
        own["items"][0]["state"]["code"], "draft",
        "nothing was submitted"
    );
    app.finish().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let app = TestApp::start().await;
    let cookie = format!("tongqu_session={}", app.sign_in("admin").await);
    let gone = app
        .as_guest()
        .with("cookie", &cookie)
        .delete("/session")
        .await;
    assert_eq!(
        (gone.status, gone.header("set-cookie").contains("Max-Age=0")),
        (204, true)
    );
    app.as_guest()
        .with("cookie", &cookie)
        .get("/session")
        .await
        .refused(401, "session.required");
    app.finish().await;
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_for_pages_and_foreign_sites() {
    let app = TestApp::start().await;
    let body = json!({ "login_name": "admin", "password": PASSWORD });
    let reply = app.as_guest().post("/session", body).await;
    let cookie = reply.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=28800"] {
        assert!(cookie.contains(part), "{part} isn't in the cookie");
    }
    assert!(!String::from_utf8_lossy(&reply.bytes).contains("tongqu_session"));
    app.finish().await;
}

#[tokio::test]
async fn a_write_from_a_foreign_page_is_refused() {
    let app = TestApp::start().await;
    let version = app.draft("stats", &an_entry("人口数")).await;
    let path = format!("/catalogue/versions/{version}/submission");
    let reply = app
        .as_person("stats")
        .post_as_a_foreign_page_would(&path, nothing())
        .await;
    reply.refused(403, "session.forged_write");
    let body = json!({ "login_name": "stats", "password": PASSWORD });
    app.as_guest()
        .post_as_a_foreign_page_would("/session", body)
        .await
        .refused(403, "session.forged_write");
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    assert_eq!(own["items"][0]["state"]["code"], "draft");
    app.finish().await;
}
