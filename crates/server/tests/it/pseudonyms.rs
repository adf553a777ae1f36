//! Pseudonyms: one requester's tables join, two requesters' don't, and nobody sees what is behind them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tongqu_connectors::testing;
use tongqu_domain::catalogue::{DataItem, DataType, EntryContent, MaskKind};

use crate::support::{
    ExchangeDb, Run, TestApp, a_request, an_item, faults, nothing, village_rows, villages_entry,
};

/// Villages whose code (the key) and telephone number are pseudonymised.
fn villages() -> EntryContent {
    let mut content = villages_entry("村级区划", "conditional");
    for item in &mut content.items {
        if item.key || item.code == "phone" {
            item.mask = Some(MaskKind::Pseudonym);
        }
    }
    content
}

/// Households in villages, whose code stands here as a number.
fn households() -> EntryContent {
    EntryContent {
        items: vec![
            DataItem {
                key: true,
                nullable: false,
                ..an_item("户编号", "code")
            },
            DataItem {
                data_type: DataType::Integer,
                length: None,
                mask: Some(MaskKind::Pseudonym),
                ..an_item("所在村", "name")
            },
        ],
        ..villages_entry("低保户", "conditional")
    }
}

async fn delivered(
    app: &TestApp,
    person: &str,
    entry: &str,
    columns: &[&str],
) -> (Value, ExchangeDb) {
    let mut request = a_request(entry);
    request["columns"] = json!(columns);
    let target = app.store(person).await;
    let request = app.as_person(person).post("/requests", request).await.ok();
    let path = format!(
        "/requests/{}/decision",
        request["request_id"].as_str().unwrap()
    );
    let decision = json!({ "verdict": "approve", "revision": request["revision"] });
    app.as_person("stats").post(&path, decision).await.ok();
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    let run = app.last_run("operator", entry, "delivery").await;
    assert_eq!(run.state(), "succeeded", "{}", run.0["failure"]);
    (opened, target)
}

const COLUMNS: &[&str] = &["code", "name", "phone"];

#[tokio::test]
async fn the_tables_of_one_requester_join_and_those_of_two_do_not() {
    two_requesters(TestApp::start().await).await;
}

#[tokio::test]
async fn the_tables_of_one_requester_join_in_postgres_as_well() {
    two_requesters(TestApp::on_postgres().await).await;
}

/// Spec: YC-9.
async fn two_requesters(app: TestApp) {
    let source = app.store("stats").await;
    source.sql(&village_rows(40));
    source.sql(
        "CREATE TABLE household (code VARCHAR(20) NOT NULL PRIMARY KEY, name BIGINT); \
         INSERT INTO household SELECT 'H' || code, CAST(code AS INTEGER) FROM division_village; \
         INSERT INTO household VALUES ('H-nowhere', NULL)",
    );
    let entry = app.published_entry(&villages()).await;
    app.mount(&entry, "division_village").await;
    let second = app.published_entry(&households()).await;
    app.mount(&second, "household").await;

    let (opened, civil) = delivered(&app, "civil", &entry, COLUMNS).await;
    let (_, tax) = delivered(&app, "tax", &entry, COLUMNS).await;
    delivered(&app, "civil", &second, &["code", "name"]).await;

    let texts = |db: &ExchangeDb, sql: &str| -> BTreeSet<String> {
        db.rows(sql).concat().into_iter().collect()
    };
    let codes = "SELECT code FROM division_village";
    let (at_civil, at_tax) = (texts(&civil, codes), texts(&tax, codes));
    assert_eq!((at_civil.len(), at_tax.len()), (40, 40), "a key stays one");
    assert!(at_civil.is_disjoint(&at_tax), "no join across requesters");
    assert!(
        at_civil
            .iter()
            .all(|code| code.len() == 28 && code.starts_with("PN"))
    );
    assert_eq!(
        civil.number("SELECT count(*) FROM division_village v JOIN household h ON h.name = v.code"),
        40,
        "a number and a text of the same digits"
    );
    assert_eq!(
        civil.rows("SELECT name FROM household WHERE code = 'H-nowhere'"),
        [["-"]]
    );
    assert_eq!(
        civil.number("SELECT count(*) FROM division_village WHERE phone IS NULL"),
        source.number("SELECT count(*) FROM division_village WHERE phone IS NULL"),
        "NULL stays NULL"
    );
    assert_eq!(
        civil.number("SELECT count(*) FROM division_village WHERE phone LIKE '138%' OR phone = ''"),
        0
    );

    // Later runs find their rows by the pseudonyms.
    source.sql(
        "UPDATE division_village SET name = '改' WHERE code = '410402000004'; \
         DELETE FROM division_village WHERE code = '410402000006'",
    );
    let subscription = opened["subscription_id"].as_str().unwrap();
    app.run_again(subscription).await;
    let mut own = None;
    for line in app.runs(&entry, "delivery").await {
        let path = format!("/runs/{}", line["run_id"].as_str().unwrap());
        let seen = app.as_person("civil").get(&path).await;
        if own.is_none() && seen.status == 200 {
            own = Some(Run(seen.ok()));
        }
    }
    let run = own.unwrap();
    assert_eq!(
        run.counts(),
        "2 read, 2 delivered, 0 unchanged, 0 out of scope, 0 quarantined; +0 ~1 -1"
    );
    assert_eq!(
        civil.number("SELECT count(*) FROM division_village WHERE name = '改'"),
        1
    );
    let ledger = app.ledger_text();
    assert!(ledger.contains("exchange.pseudonym_key_taken_up"));
    assert!(!ledger.contains("410402000004"));
    app.finish().await;
}

/// A pseudonymised key is a key on every engine: rows arrive, are read back, changed and compared.
#[tokio::test]
async fn pseudonyms_are_keys_on_servers_as_well() {
    for url in [
        testing::postgres().fresh_database().unwrap(),
        testing::mariadb().fresh_database().unwrap(),
    ] {
        let app = TestApp::start().await;
        let source = app.store("stats").await;
        source.sql(&village_rows(40));
        let entry = app.published_entry(&villages()).await;
        app.mount(&entry, "division_village").await;
        app.register_store("civil", &url).await;
        let (opened, _) = delivered(&app, "civil", &entry, COLUMNS).await;
        let subscription = opened["subscription_id"].as_str().unwrap();
        source.sql(
            "UPDATE division_village SET name = '改' WHERE code = '410402000004'; \
             DELETE FROM division_village WHERE code = '410402000006'",
        );
        app.run_again(subscription).await;
        let run = app.last_run("civil", &entry, "delivery").await;
        assert_eq!(
            run.counts(),
            "2 read, 2 delivered, 0 unchanged, 0 out of scope, 0 quarantined; +0 ~1 -1"
        );
        let path = format!("/subscriptions/{subscription}/reconciliations");
        app.as_person("operator").post(&path, nothing()).await.ok();
        app.idle().await;
        let compared = app.last_run("civil", &entry, "reconciliation").await;
        let rows = &compared.0["receipt"]["rows"];
        assert_eq!((compared.state(), rows), ("succeeded", &json!(39)));
        app.finish().await;
    }
}

/// The pool comes in the order of the codes and the target in that of their pseudonyms.
#[tokio::test]
async fn a_reconciliation_finds_differing_rows_under_pseudonyms() {
    let app = TestApp::start_with(|config| config.exchange.batch_rows_max = 7).await;
    app.store("stats").await.sql(&village_rows(60));
    let entry = app.published_entry(&villages()).await;
    app.mount(&entry, "division_village").await;
    let (opened, target) = delivered(&app, "civil", &entry, COLUMNS).await;
    let path = format!(
        "/subscriptions/{}/reconciliations",
        opened["subscription_id"].as_str().unwrap()
    );
    let compare = async || {
        app.as_person("operator").post(&path, nothing()).await.ok();
        app.idle().await;
        app.last_run("civil", &entry, "reconciliation").await.0
    };
    let alike = compare().await;
    assert_eq!(
        (&alike["state"], &alike["receipt"]["rows"]),
        (&json!("succeeded"), &json!(60))
    );

    let some = target
        .rows("SELECT code FROM division_village ORDER BY code LIMIT 2")
        .concat();
    target.sql(&format!(
        "UPDATE division_village SET name = '改名村' WHERE code = '{}'; \
         DELETE FROM division_village WHERE code = '{}'; \
         INSERT INTO division_village (code, name) VALUES ('PN-foreign', '多出村')",
        some[0], some[1]
    ));
    let found = compare().await;
    assert_eq!(found["state"], "failed");
    let lines: BTreeSet<String> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            format!(
                "{} {}",
                d["key"].as_str().unwrap(),
                d["kind"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        format!("{} altered", some[0]),
        format!("{} missing", some[1]),
        "PN-foreign superfluous".to_owned(),
    ];
    assert_eq!(lines, expected.into_iter().collect());
    app.run_again(opened["subscription_id"].as_str().unwrap())
        .await;
    assert_eq!(compare().await["state"], "succeeded");
    app.finish().await;
}

/// A later generation of the secret begins every delivery with pseudonyms anew; a node without the platform's
/// secret delivers none.
#[tokio::test]
async fn another_secret_begins_anew_and_a_missing_one_stops() {
    let app = TestApp::start().await;
    app.store("stats").await.sql(&village_rows(10));
    let entry = app.published_entry(&villages()).await;
    app.mount(&entry, "division_village").await;
    let (opened, target) = delivered(&app, "civil", &entry, COLUMNS).await;
    let subscription = opened["subscription_id"].as_str().unwrap();
    let codes = || {
        target
            .rows("SELECT code FROM division_village ORDER BY code")
            .concat()
    };
    let before = codes();
    let file = app
        .app()
        .config
        .data_dir()
        .join("secrets")
        .join("pseudonym.key");
    let first = std::fs::read_to_string(&file).unwrap();
    assert!(first.starts_with("1 "));

    std::fs::write(&file, format!("2 {}\n", "ab".repeat(32))).unwrap();
    app.run_again(subscription).await;
    let run = app.last_run("civil", &entry, "delivery").await;
    assert_eq!(
        (run.state(), &run.0["receipt"]["reach"]),
        ("succeeded", &json!("whole"))
    );
    let after = codes();
    assert_eq!(after.len(), 10);
    assert!(after.iter().all(|code| !before.contains(code)));

    app.expects_in_log("the key of pseudonyms isn't the one that the platform uses");
    std::fs::write(&file, &first).unwrap();
    let path = format!("/subscriptions/{subscription}/runs");
    app.as_person("operator").post(&path, nothing()).await.ok();
    let failed = loop {
        let run = app.last_run("civil", &entry, "delivery").await;
        if run.state() == "failed" {
            break run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(
        (&failed.0["failure"]["code"], &failed.0["failure"]["side"]),
        (&json!("exchange.pseudonym_key_missing"), &json!("platform"))
    );
    assert_eq!(codes(), after, "nothing was delivered");
    std::fs::write(&file, format!("2 {}\n", "ab".repeat(32))).unwrap();
    app.finish().await;
}

/// Whoever decides may put pseudonyms on a key, but not on a type without them, and not where the rows would tell.
#[tokio::test]
async fn pseudonyms_are_decided_on_field_by_field() {
    let app = TestApp::start().await;
    let mut content = villages_entry("村级区划", "conditional");
    content.items.push(DataItem {
        data_type: DataType::DateTime,
        length: None,
        ..an_item("更新时间", "changed_at")
    });
    let entry = app.published_entry(&content).await;
    app.store("civil").await;
    app.store("stats").await.sql(&format!(
        "{} ALTER TABLE division_village ADD COLUMN changed_at DATETIME",
        village_rows(10)
    ));
    app.mount(&entry, "division_village").await;
    let mut body = a_request(&entry);
    body["columns"] = json!(["code", "name", "changed_at"]);
    body["condition"] = json!([{ "column": "name", "op": "prefix", "values": ["第"] }]);
    let request = app.as_person("civil").post("/requests", body).await.ok();
    let id = request["request_id"].as_str().unwrap();
    let form = app.request_seen_by("stats", &request).await;
    let offered = |code: &str| -> Vec<String> {
        let items = form["decision"]["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["code"] == code).unwrap();
        let masks = item["masks"].as_array().unwrap().iter();
        masks
            .map(|mask| mask["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        offered("code"),
        ["pseudonym"],
        "a key shows itself or a pseudonym"
    );
    assert!(offered("name").contains(&"pseudonym".to_owned()));
    assert!(!offered("changed_at").contains(&"pseudonym".to_owned()));

    let decide = async |part: Value| {
        let body = json!({ "verdict": "approve", "reason": "仅供统计", "revision": request["revision"], "part": part });
        app.as_person("stats")
            .post(&format!("/requests/{id}/decision"), body)
            .await
    };
    let refused =
        decide(json!({ "masks": { "changed_at": "pseudonym", "name": "pseudonym" } })).await;
    assert_eq!(
        faults(&refused.refused(422, "request.part_faulty")),
        [
            "part.masks: grant.pseudonym_unfit",
            "part.condition: grant.condition_on_pseudonym"
        ]
    );
    decide(json!({ "masks": { "code": "pseudonym" } }))
        .await
        .ok();
    app.deliver(id).await;
    let target = app.store("civil").await;
    assert_eq!(
        target.number(
            "SELECT count(*) FROM division_village WHERE code LIKE 'PN%' AND length(code) = 28"
        ),
        10
    );
    app.finish().await;
}

/// A sample is for everybody who reads the catalogue, so it shows no pseudonym of anything. Spec: YC-9, PDS-6.1.
#[tokio::test]
async fn a_sample_shows_the_form_of_a_pseudonym_only() {
    let app = TestApp::start().await;
    app.store("stats").await.sql(&village_rows(200));
    let entry = app.published_entry(&villages()).await;
    app.mount(&entry, "division_village").await;
    let path = format!("/catalogue/entries/{entry}/sample");
    let drawn = app.as_person("stats").post(&path, json!({})).await.ok();
    let columns = drawn["columns"].as_array().unwrap();
    for (at, column) in columns.iter().enumerate() {
        if ["code", "phone"].contains(&column["code"].as_str().unwrap()) {
            assert_eq!(column["mask_name"], "假名化");
            for line in drawn["lines"].as_array().unwrap() {
                assert!(
                    line[at].is_null() || line[at] == "PN**************************",
                    "{line}"
                );
            }
        }
    }
    app.finish().await;
}
