//! What a new installation still lacks, and the choice of the regulation that is one of its steps.

use serde_json::{Value, json};

use crate::support::{TestApp, an_entry};

fn open(steps: &Value) -> Vec<&str> {
    steps["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["done"] == false)
        .map(|step| step["code"].as_str().unwrap())
        .collect()
}

fn step<'a>(steps: &'a Value, code: &str) -> &'a Value {
    let mut all = steps["steps"].as_array().unwrap().iter();
    all.find(|step| step["code"] == code).unwrap()
}

/// Each step counts once it is taken, and says whose work it is.
#[tokio::test]
async fn a_new_installation_is_led_from_the_county_to_its_first_entry() {
    let app = TestApp::start().await;
    let steps = app.as_person("admin").get("/first-steps").await.ok();
    assert_eq!(
        open(&steps),
        ["departments", "people", "store", "entry"],
        "the area of the test has a regulation of its own, and the calendar of this year is built in"
    );
    assert_eq!(step(&steps, "departments")["yours"], true);
    assert_eq!(step(&steps, "entry")["yours"], false);
    assert_eq!(step(&steps, "entry")["taken_by"], "数据专员");
    assert!(
        step(&steps, "people")["missing"]
            .as_array()
            .unwrap()
            .contains(&json!("审计员"))
    );

    // These open the accounts they need, each in its department.
    app.publish("stats", &an_entry("企业名录")).await;
    for person in ["security", "auditor", "operator"] {
        app.as_person(person).get("/session").await.ok();
    }
    app.store("stats").await;
    let steps = app.as_person("admin").get("/first-steps").await.ok();
    assert_eq!(open(&steps), Vec::<&str>::new());
    assert_eq!(steps["done"], true);
    app.as_person("stats")
        .get("/first-steps")
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

/// Only the competent department chooses, only what hasn't ended, and the choice outlives a restart.
#[tokio::test]
async fn the_competent_department_chooses_the_regulation_for_areas_without_one() {
    let mut app = TestApp::start().await;
    let choose = "/law/packs/luyi-2019/choose";
    app.as_person("admin")
        .post(choose, json!({}))
        .await
        .refused(403, "access.no_post");
    app.as_person("authority")
        .post("/law/packs/nowhere/choose", json!({}))
        .await
        .refused(404, "law.pack_not_found");
    let before = app.app().pack().meta.id.to_string();
    assert_ne!(before, "luyi-2019");

    let chosen = app
        .as_person("authority")
        .post(choose, json!({}))
        .await
        .ok();
    assert_eq!(chosen["is_default"], true);
    app.restart().await;
    assert_eq!(app.app().pack().meta.id.as_str(), "luyi-2019");
    app.finish().await;
}

/// What an administrator wrote into the configuration isn't overridden on a page.
#[tokio::test]
async fn a_configured_regulation_is_not_chosen_away() {
    let app = TestApp::start_with(|config| config.law.pack = "yanjin-2019".to_owned()).await;
    app.as_person("authority")
        .post("/law/packs/luyi-2019/choose", json!({}))
        .await
        .refused(409, "law.pack_fixed");
    assert_eq!(app.app().pack().meta.id.as_str(), "yanjin-2019");
    app.finish().await;
}
