//! The quarantine as a workbook: for the provider's eyes, in its language, and never a formula.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use serde_json::{Value, json};

use crate::{
    exchange::open,
    support::{TestApp, more_villages},
};

/// Rows that are faulty and hostile.
const HOSTILE: &str = "INSERT INTO division_village VALUES \
    ('=1+1', '=HYPERLINK(\"http://x\",\"点\")', '410402', '+8613800000000', 1), \
    ('41040299999X', '@SUM(A1)', '-2+3', NULL, 7)";

struct Sheet {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn read(bytes: &[u8]) -> Sheet {
    let mut workbook: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(bytes.to_vec())).unwrap();
    let names = workbook.sheet_names();
    let rows = workbook.worksheet_range(&names[0]).unwrap();
    let is_text = |cell: &Data| matches!(cell, Data::String(_) | Data::Empty);
    assert!(rows.rows().flatten().all(is_text), "every cell is a text");
    let rows = rows
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect());
    let rows = rows.collect();
    assert!(workbook.worksheet_formula(&names[0]).unwrap().is_empty());
    Sheet { names, rows }
}

fn path(run: &str) -> String {
    format!("/runs/{run}/quarantine/workbook")
}

#[tokio::test]
async fn the_quarantine_is_downloaded_by_its_department_only() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    let clean = app.last_run("stats", &open.entry, "collection").await;
    app.as_person("stats")
        .get(&path(clean.id()))
        .await
        .refused(409, "exchange.nothing_quarantined");
    open.source.sql(HOSTILE);
    app.run_again(&open.subscription).await;
    let run = app.last_run("stats", &open.entry, "collection").await;
    let path = path(run.id());

    let reply = app.as_person("stats").get(&path).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .header("content-disposition")
            .contains("quarantine.xlsx")
    );
    let sheet = read(&reply.bytes);
    assert_eq!(sheet.names, ["隔离区"]);
    assert_eq!(
        sheet.rows[0][..8],
        [
            "序号",
            "主键",
            "信息项",
            "列名",
            "原因代码",
            "原因",
            "区划代码 code",
            "区划名称 name"
        ]
    );
    let mut keys: Vec<&str> = sheet.rows[1..].iter().map(|row| row[1].as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["41040299999X", "=1+1"]);
    let hostile = sheet.rows.iter().find(|row| row[1] == "=1+1").unwrap();
    assert_eq!(
        hostile[6..],
        [
            "=1+1",
            "=HYPERLINK(\"http://x\",\"点\")",
            "410402",
            "+8613800000000",
            "1"
        ]
    );
    assert_eq!(
        (hostile[2].as_str(), hostile[3].as_str()),
        ("区划代码", "code")
    );
    assert!(hostile[4].starts_with("division_code."));
    assert!(hostile[5].contains('。'), "a sentence: {}", hostile[5]);

    // In the language that was asked for, whatever the browser says.
    let english = app.as_person("stats").get(&format!("{path}?lang=en")).await;
    let sheet = read(&english.bytes);
    assert_eq!(sheet.names, ["Quarantine"]);
    assert_eq!(sheet.rows[0][5], "Reason");
    assert!(
        sheet.rows[1][5].is_ascii() || sheet.rows[1][5].ends_with('.'),
        "{:?}",
        sheet.rows[1]
    );
    let chinese = app
        .as_person("stats")
        .in_english()
        .get(&format!("{path}?lang=zh"))
        .await;
    assert_eq!(read(&chinese.bytes).names, ["隔离区"]);
    app.as_person("stats")
        .get(&format!("{path}?lang=fr"))
        .await
        .refused(422, "exchange.language");

    for person in ["operator", "authority", "civil", "auditor"] {
        let reply = app.as_person(person).get(&path).await;
        assert_eq!(reply.status, 403, "{person}");
    }
    let delivery = app.last_run("stats", &open.entry, "delivery").await;
    app.as_person("stats")
        .get(&self::path(delivery.id()))
        .await
        .refused(409, "exchange.nothing_quarantined");

    let records = app
        .as_person("auditor")
        .get(&format!(
            "/ledger/records?what=exchange.quarantine_downloaded&subject_id={}",
            run.id()
        ))
        .await
        .ok();
    assert_eq!(records["items"].as_array().unwrap().len(), 3);
    let record: Value =
        serde_json::from_str(records["items"][0]["record"].as_str().unwrap()).unwrap();
    assert_eq!(record["detail"]["rows"], json!(2));
    assert!(!app.ledger_text().contains("HYPERLINK"));
    app.finish().await;
}

/// What is kept is the last collection's and at most 20,000 rows of it, and the sheet says both.
#[tokio::test]
async fn the_sheet_says_what_it_leaves_out_and_whose_rows_they_are() {
    let app =
        TestApp::start_with(|config| config.exchange.quarantine_share_max_percent = 100).await;
    let open = open(&app, 4).await;
    open.source
        .sql("INSERT INTO division_village VALUES ('41040299999X', '先', '410402', NULL, 1)");
    app.run_again(&open.subscription).await;
    let earlier = app.last_run("stats", &open.entry, "collection").await;
    open.source.sql(&more_villages(100, 20_010));
    open.source
        .sql("UPDATE division_village SET code = code || 'X' WHERE length(name) > 4");
    let faulty = open
        .source
        .number("SELECT count(*) FROM division_village WHERE code LIKE '%X'");
    assert!(faulty > 20_000);
    app.run_again(&open.subscription).await;
    let run = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(run.0["counts"]["quarantined"], json!(faulty));

    // The kept rows belong to the last collection, whichever is asked about.
    let reply = app.as_person("stats").get(&path(earlier.id())).await;
    let sheet = read(&reply.bytes);
    assert!(
        sheet.rows[0][0].starts_with("以下是最近一次汇聚（2026-"),
        "{:?}",
        sheet.rows[0]
    );
    assert_eq!(
        sheet.rows[1][0],
        format!(
            "共有 {faulty} 行有问题，平台只留存前 20000 行的内容。请先改正这些行，重新汇聚后再看其余的行。"
        )
    );
    assert_eq!(sheet.rows[2][0], "序号");
    assert_eq!(sheet.rows.len(), 20_003);
    assert_eq!(sheet.rows[20_002][0], "20000");
    app.finish().await;
}
