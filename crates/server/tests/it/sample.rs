//! Samples of data: drawn and released by the provider, masked, mixed, and of one version.

use serde_json::{Value, json};
use tongqu_domain::catalogue::{MaskKind, Sensitivity};

use crate::support::{TestApp, village_rows, villages_entry};

/// An entry whose villages have arrived on the platform; the name is masked.
async fn arrived(app: &TestApp, rows: u32) -> String {
    let mut content = villages_entry("村级区划", "unconditional");
    let name = content.items.iter_mut().find(|i| i.code == "name").unwrap();
    name.mask = Some(MaskKind::PersonName);
    name.sensitivity = Sensitivity::Sensitive;
    let entry = app.published_entry(&content).await;
    let store = app.store("stats").await;
    store.sql(&village_rows(rows));
    app.mount(&entry, "division_village").await;
    app.idle().await;
    entry
}

fn path(entry: &str) -> String {
    format!("/catalogue/entries/{entry}/sample")
}

fn texts(sample: &Value, code: &str) -> Vec<String> {
    let columns = sample["columns"].as_array().unwrap();
    let at = columns.iter().position(|c| c["code"] == code).unwrap();
    let lines = sample["lines"].as_array().unwrap().iter();
    lines
        .map(|line| line[at].as_str().unwrap_or("-").to_owned())
        .collect()
}

/// Others see nothing until the provider releases it; then masked values, of which no line is a record.
#[tokio::test]
async fn a_sample_is_seen_once_its_provider_releases_it() {
    let app = TestApp::start().await;
    let entry = arrived(&app, 200).await;
    let path = path(&entry);
    let (provider, other) = (app.as_person("stats"), app.as_person("civil"));

    let before = other.get(&path).await.ok();
    assert_eq!(
        (&before["state"], &before["actions"]),
        (&json!("none"), &json!([]))
    );
    app.as_person("civil")
        .post(&path, json!({}))
        .await
        .refused(403, "access.other_department");

    let drawn = provider.post(&path, json!({})).await.ok();
    assert_eq!(drawn["state"], "drawn");
    assert_eq!(drawn["actions"], json!(["draw", "release", "withdraw"]));
    assert_eq!(drawn["lines"].as_array().unwrap().len(), 8);
    assert!(
        texts(&drawn, "name").iter().all(|name| name.contains('*')),
        "every name is masked"
    );
    assert_eq!(
        app.as_person("civil").get(&path).await.ok()["state"],
        "none"
    );

    let provider = app.as_person("stats");
    provider
        .post(&format!("{path}/release"), json!({}))
        .await
        .ok();
    let seen = app.as_person("civil").get(&path).await.ok();
    assert_eq!(seen["state"], "released");
    assert_eq!(seen["lines"], drawn["lines"]);
    assert_eq!(seen["actions"], json!([]));

    app.as_person("stats")
        .post(&format!("{path}/release"), json!({}))
        .await
        .refused(409, "sample.nothing_to_release");
    app.as_person("stats").delete(&path).await.ok();
    assert_eq!(
        app.as_person("civil").get(&path).await.ok()["state"],
        "none"
    );
    for value in texts(&drawn, "code") {
        assert!(
            !app.ledger_text().contains(&value),
            "evidence holds no value"
        );
    }
    app.finish().await;
}

/// A handful of rows would be recognised however they are mixed.
#[tokio::test]
async fn too_few_rows_give_no_sample() {
    let app = TestApp::start().await;
    let entry = arrived(&app, 20).await;
    app.as_person("stats")
        .post(&path(&entry), json!({}))
        .await
        .refused(409, "sample.too_few_rows");
    app.finish().await;
}

/// The masks are those of a version, so a new version takes its sample away until there is another one.
#[tokio::test]
async fn a_new_version_needs_a_sample_of_its_own() {
    let app = TestApp::start().await;
    let entry = arrived(&app, 200).await;
    let path = path(&entry);
    app.as_person("stats").post(&path, json!({})).await.ok();
    app.as_person("stats")
        .post(&format!("{path}/release"), json!({}))
        .await
        .ok();
    let mut changed = villages_entry("村级区划", "unconditional");
    changed.summary.push_str("，含撤并信息");
    app.published_entry(&changed).await;
    assert_eq!(
        app.as_person("civil").get(&path).await.ok()["state"],
        "none"
    );
    let own = app.as_person("stats").get(&path).await.ok();
    assert_eq!(
        (&own["state"], &own["lines"]),
        (&json!("outdated"), &json!([]))
    );
    app.finish().await;
}
