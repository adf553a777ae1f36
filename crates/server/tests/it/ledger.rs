//! Evidence: what is recorded, what is not, and how it is proven.

use serde_json::{Value, json};
use tongqu::platform::ledger::verify;

use crate::support::{PASSWORD, TestApp, a_request, village_rows, villages_entry};

/// A platform on which something was asked for, granted and delivered.
async fn something_was_delivered(app: &TestApp) -> Value {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    let (source, target) = (app.store("stats").await, app.store("civil").await);
    source.sql(&village_rows(20));
    source.sql("INSERT INTO division_village VALUES ('41040299999X', '坏码村', '410402', '13912345678', 1)");
    target.sql("SELECT 1");
    app.mount(&entry, "division_village").await;
    let mut request = a_request(&entry);
    request["columns"] = json!(["code", "name", "phone"]);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    app.deliver(request["request_id"].as_str().unwrap()).await;
    app.idle().await;
    request
}

/// Spec: PDS-21.3.
#[tokio::test]
async fn the_ledger_holds_no_data_values_and_no_secrets() {
    let app = TestApp::start().await;
    let request = something_was_delivered(&app).await;
    let url = app.store("stats").await.url();
    let ledger = app.ledger_text();
    assert!(
        ledger.contains(request["request_id"].as_str().unwrap()),
        "the request itself is recorded"
    );
    assert!(ledger.contains("exchange.delivered"));
    for value in [
        "第1村",
        "村",
        "410402000000",
        "41040299999X",
        "1380000",
        "13912345678",
        PASSWORD,
        &url,
        "stats.db",
        "系统员",
        "民政专员",
        "0375-7000003",
        "argon2",
    ] {
        assert!(!ledger.contains(value), "{value} is in the ledger");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_auditor_follows_a_request_from_filing_to_delivery() {
    let app = TestApp::start().await;
    let request = something_was_delivered(&app).await;
    let id = request["request_id"].as_str().unwrap();
    let records = app
        .as_person("auditor")
        .get(&format!("/ledger/records?subject_id={id}"))
        .await
        .ok();
    let acts: Vec<(&str, &str)> = records["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            (
                r["what"].as_str().unwrap(),
                r["person_name"].as_str().unwrap_or("the platform"),
            )
        })
        .collect();
    assert_eq!(
        acts,
        [
            ("request.delivered", "the platform"),
            ("request.filed", "民政专员")
        ]
    );
    let grant = request["grant"]["grant_id"].as_str().unwrap();
    let records = app
        .as_person("auditor")
        .get(&format!("/ledger/records?subject_id={grant}"))
        .await
        .ok();
    let record: Value =
        serde_json::from_str(records["items"][0]["record"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&record["what"], &record["clause"]),
        (&json!("grant.opened"), &json!("PDS-5.5"))
    );
    app.finish().await;
}

/// The proof that the API gives holds with nothing but the record, the path and the root.
#[tokio::test]
async fn a_record_is_proven_by_its_path() {
    let app = TestApp::start().await;
    something_was_delivered(&app).await;
    let records = app
        .as_person("auditor")
        .get("/ledger/records?what=request.filed")
        .await
        .ok();
    let record = &records["items"][0];
    let proof = app
        .as_person("auditor")
        .get(&format!("/ledger/records/{}/proof", record["index"]))
        .await
        .ok();
    assert_eq!(proof["record"], record["record"]);
    let hash = |v: &Value| v.as_str().unwrap().parse().unwrap();
    let inclusion = tongqu_domain::ledger::InclusionProof {
        index: proof["index"].as_u64().unwrap(),
        size: proof["size"].as_u64().unwrap(),
        path: proof["path"].as_array().unwrap().iter().map(hash).collect(),
    };
    let holds = |text: &str| {
        let leaf = tongqu_domain::ledger::leaf_hash(text.as_bytes());
        tongqu_domain::ledger::verify_inclusion(&leaf, &inclusion, &hash(&proof["root"])).is_ok()
    };
    let text = proof["record"].as_str().unwrap();
    assert!(holds(text));
    assert!(
        !holds(&text.replace("request.filed", "request.fileD")),
        "a changed record isn't proven"
    );
    app.as_person("auditor")
        .get("/ledger/records/999999/proof")
        .await
        .refused(404, "ledger.record_not_found");
    app.finish().await;
}

#[tokio::test]
async fn a_changed_byte_is_found_and_the_record_named() {
    let app = TestApp::start().await;
    something_was_delivered(&app).await;
    let copy = tempfile::tempdir().unwrap();
    let ledger_dir = app.ledger_dir();
    // Another second of life, so that a head is signed over everything.
    app.finish_keeping(|| {
        for file in std::fs::read_dir(&ledger_dir).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    })
    .await;
    let report = verify(copy.path(), None).unwrap();
    assert!(report.is_whole() && report.records > 20, "{report:?}");

    let path = copy.path().join("records-000001.log");
    let sound = std::fs::read(&path).unwrap();
    let lines: Vec<&[u8]> = sound.split_inclusive(|b| *b == b'\n').collect();
    for changed in [0, 7, lines.len() - 1] {
        let at: usize = lines[..changed].iter().map(|l| l.len()).sum::<usize>() + 30;
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let report = verify(copy.path(), None).unwrap();
        assert!(!report.is_whole());
        assert_eq!(
            report.faults[0].place,
            format!("record {changed}"),
            "{:?}",
            report.faults
        );
    }
    // A record taken out, and one put in that was never written, are found by the signed heads.
    let mut without: Vec<&[u8]> = lines.clone();
    without.remove(5);
    std::fs::write(&path, without.concat()).unwrap();
    assert!(!verify(copy.path(), None).unwrap().is_whole());
    let mut doubled = lines.clone();
    doubled.insert(5, lines[5]);
    std::fs::write(&path, doubled.concat()).unwrap();
    assert!(!verify(copy.path(), None).unwrap().is_whole());
    std::fs::write(&path, &sound).unwrap();
    assert!(verify(copy.path(), None).unwrap().is_whole());
}

#[tokio::test]
async fn a_restart_goes_on_where_the_ledger_ended() {
    let mut app = TestApp::start().await;
    something_was_delivered(&app).await;
    let before = app
        .as_person("auditor")
        .get("/ledger/records?size=1")
        .await
        .ok();
    app.restart().await;
    app.person("tax").await;
    app.idle().await;
    let after = app
        .as_person("auditor")
        .get("/ledger/records?size=1")
        .await
        .ok();
    let index = |page: &Value| page["items"][0]["index"].as_i64().unwrap_or(-1);
    assert!(index(&after) > index(&before), "{before} {after}");
    app.finish().await;
}
