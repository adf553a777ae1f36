//! Entries: import, review, visibility, search, mounting; and what a clerk can get wrong.

use serde_json::{Value, json};
use tongqu_domain::catalogue::{DataItem, EntryContent};

use crate::support::{
    TestApp, an_entry, an_item, faults, nothing, village_rows, villages_entry,
    xlsx::{self, Cell, Sheets},
};

/// What the statistics bureau has written, and what was kept of its uploads.
async fn nothing_was_kept(app: &TestApp) {
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    assert_eq!(own["items"], json!([]), "nothing is half imported");
}

#[tokio::test]
async fn a_renamed_zip_is_no_workbook() {
    let app = TestApp::start().await;
    app.as_person("stats")
        .upload(xlsx::renamed_zip())
        .await
        .refused(422, "workbook.not_xlsx");
    app.as_person("stats")
        .upload(b"PK\x03\x04 and no more".to_vec())
        .await
        .refused(422, "workbook.unreadable");
    app.as_person("stats")
        .upload(Vec::new())
        .await
        .refused(422, "workbook.not_xlsx");
    app.as_person("stats")
        .upload("名称,摘要\n人口,人口数\n".into())
        .await
        .refused(422, "workbook.not_xlsx");
    nothing_was_kept(&app).await;
    app.finish().await;
}

#[tokio::test]
async fn a_template_with_shifted_columns_is_refused_with_its_headers() {
    let app = TestApp::start().await;
    let mut sheets = Sheets::of(&app.workbook(&[an_entry("人口数")]));
    for row in sheets.rows("目录") {
        row.insert(2, Cell::Text(String::new()));
    }
    let problem = app
        .as_person("stats")
        .upload(sheets.bytes())
        .await
        .refused(422, "workbook.headers");
    assert!(
        faults(&problem).iter().any(|f| f.starts_with("目录!C1")),
        "{problem}"
    );
    nothing_was_kept(&app).await;
    app.finish().await;
}

#[tokio::test]
async fn a_hundred_thousand_entries_are_too_many() {
    let app = TestApp::start().await;
    let mut sheets = Sheets::of(&app.workbook(&[an_entry("人口数")]));
    let rows = sheets.rows("目录");
    let sound = rows[2].clone();
    rows.extend((0..100_000).map(|n| {
        let mut row = sound[..3].to_vec();
        row[0] = Cell::Text(format!("指标{n}"));
        row
    }));
    let problem = app
        .as_person("stats")
        .upload(sheets.bytes())
        .await
        .refused(429, "workbook.too_many_entries");
    assert!(
        problem["message"].as_str().unwrap().contains("2000"),
        "the limit is named: {problem}"
    );
    nothing_was_kept(&app).await;
    app.finish().await;
}

#[tokio::test]
async fn a_formula_is_refused_in_its_cell_and_the_rest_is_kept() {
    let app = TestApp::start().await;
    let mut sheets = Sheets::of(&app.workbook(&[an_entry("人口数"), an_entry("户数")]));
    sheets.rows("目录")[2][2] = Cell::Formula("=CONCATENATE(\"人\",\"口\")");
    let imported = app.as_person("stats").upload(sheets.bytes()).await.ok();
    assert_eq!(
        (&imported["accepted_total"], &imported["faults_total"]),
        (&json!(1), &json!(1))
    );
    let fault = &imported["faults"][0];
    assert_eq!(
        (&fault["sheet"], &fault["cell"], &fault["code"]),
        (&json!("目录"), &json!("C3"), &json!("workbook.formula"))
    );
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    let names: Vec<&str> = own["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["户数"]);
    app.finish().await;
}

#[tokio::test]
async fn another_department_does_not_fetch_a_returned_workbook() {
    let app = TestApp::start().await;
    let imported = app
        .as_person("stats")
        .upload(app.workbook(&[an_entry("人口数")]))
        .await
        .ok();
    let path = format!(
        "/catalogue/imports/{}/workbook",
        imported["import_id"].as_str().unwrap()
    );
    app.as_person("stats_head").get(&path).await.ok();
    app.as_person("civil")
        .get(&path)
        .await
        .refused(403, "access.other_department");
    app.as_person("stats")
        .get("/catalogue/imports/imp-0/workbook")
        .await
        .refused(404, "catalogue.import_not_found");
    app.finish().await;
}

/// Spec: PDS-5.1.
#[tokio::test]
async fn only_the_own_department_and_the_authority_see_what_is_not_published() {
    let app = TestApp::start().await;
    let version = app.draft("stats", &an_entry("人口数")).await;
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    let entry = own["items"][0]["entry_id"].as_str().unwrap().to_owned();
    let path = format!("/catalogue/entries/{entry}");
    let submission = format!("/catalogue/versions/{version}/submission");
    for state in ["draft", "submitted"] {
        for reader in ["stats", "stats_head", "authority"] {
            let seen = app.as_person(reader).get(&path).await.ok();
            assert_eq!(seen["state"]["code"], state, "{reader}");
        }
        for reader in ["civil", "operator", "auditor", "leader"] {
            app.as_person(reader)
                .get(&path)
                .await
                .refused(404, "catalogue.version_not_found");
            let found = app
                .as_person(reader)
                .get("/catalogue/entries?q=人口数")
                .await
                .ok();
            assert_eq!(found["total"], 0, "{reader}");
        }
        if state == "draft" {
            app.as_person("civil")
                .post(&submission, nothing())
                .await
                .refused(403, "access.other_department");
            app.as_person("stats")
                .post(&submission, nothing())
                .await
                .ok();
        }
    }
    app.as_person("authority")
        .post(
            &format!("/catalogue/versions/{version}/publication"),
            nothing(),
        )
        .await
        .ok();
    let found = app
        .as_person("civil")
        .get("/catalogue/entries?q=人口数")
        .await
        .ok();
    assert_eq!(found["total"], 1);
    app.finish().await;
}

#[tokio::test]
async fn nobody_reviews_the_own_submission() {
    let app = TestApp::start().await;
    let version = app.submit("both", &an_entry("人口数")).await;
    for verdict in ["publication", "return"] {
        let path = format!("/catalogue/versions/{version}/{verdict}");
        let body = if verdict == "return" {
            json!({ "reason": "再看看" })
        } else {
            nothing()
        };
        app.as_person("both")
            .post(&path, body)
            .await
            .refused(403, "access.own_request");
    }
    let queue = app.as_person("both").get("/catalogue/reviews").await.ok();
    assert_eq!(
        queue["items"][0]["actions"],
        json!([]),
        "it isn't offered either"
    );
    app.as_person("authority")
        .post(
            &format!("/catalogue/versions/{version}/publication"),
            nothing(),
        )
        .await
        .ok();
    app.finish().await;
}

#[tokio::test]
async fn a_contractor_never_publishes() {
    let app = TestApp::start().await;
    let version = app.submit("stats", &an_entry("人口数")).await;
    let path = format!("/catalogue/versions/{version}/publication");
    app.as_person("contractor")
        .post(&path, nothing())
        .await
        .refused(403, "access.contractor");
    app.finish().await;
}

#[tokio::test]
async fn a_version_is_published_once() {
    let app = TestApp::start().await;
    let published = app.publish("stats", &an_entry("人口数")).await;
    let version = published["version_id"].as_str().unwrap();
    let path = |verdict: &str| format!("/catalogue/versions/{version}/{verdict}");
    app.as_person("authority")
        .post(&path("publication"), nothing())
        .await
        .refused(409, "version.not_possible");
    let reason = json!({ "reason": "太晚了" });
    app.as_person("authority")
        .post(&path("return"), reason)
        .await
        .refused(409, "version.not_possible");
    app.as_person("stats")
        .post(&path("submission"), nothing())
        .await
        .refused(409, "version.not_possible");
    let unknown = "/catalogue/versions/ver-000000000000/publication";
    app.as_person("authority")
        .post(unknown, nothing())
        .await
        .refused(404, "catalogue.version_not_found");
    app.finish().await;
}

#[tokio::test]
async fn two_reviewers_at_once_publish_a_version_once() {
    let app = TestApp::start().await;
    two_reviewers_at_once(app).await;
}

#[tokio::test]
async fn two_reviewers_at_once_publish_a_version_once_in_postgres() {
    let app = TestApp::on_postgres().await;
    two_reviewers_at_once(app).await;
}

async fn two_reviewers_at_once(app: TestApp) {
    app.person("authority").await;
    app.person("authority2").await;
    for round in 0..4 {
        let version = app
            .submit("stats", &an_entry(&format!("指标{round}")))
            .await;
        let publication = format!("/catalogue/versions/{version}/publication");
        let returning = format!("/catalogue/versions/{version}/return");
        let (published, returned) = tokio::join!(
            app.as_person("authority").post(&publication, nothing()),
            app.as_person("authority2")
                .post(&returning, json!({ "reason": "请补充" })),
        );
        let mut statuses = [published.status, returned.status];
        let is_published = published.status == 200;
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [200, 409],
            "one wins: {} {}",
            published.json(),
            returned.json()
        );
        let found = app
            .as_person("civil")
            .get(&format!("/catalogue/entries?q=指标{round}"))
            .await
            .ok();
        let names: Vec<String> = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(plain_name)
            .collect();
        assert_eq!(names.contains(&format!("指标{round}")), is_published);
    }
    app.finish().await;
}

fn plain_name(hit: &Value) -> String {
    hit["name"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn entries_imported_at_once_get_codes_of_their_own() {
    imported_at_once(TestApp::start().await).await;
}

#[tokio::test]
async fn entries_imported_at_once_get_codes_of_their_own_in_postgres() {
    imported_at_once(TestApp::on_postgres().await).await;
}

async fn imported_at_once(app: TestApp) {
    for person in ["stats", "civil", "tax"] {
        app.person(person).await;
    }
    for round in 0..3 {
        let books: Vec<Vec<u8>> = ["统计", "民政", "税务"]
            .map(|name| {
                app.workbook(&[
                    an_entry(&format!("{name}{round}甲")),
                    an_entry(&format!("{name}{round}乙")),
                ])
            })
            .into();
        let [a, b, c]: [Vec<u8>; 3] = books.try_into().unwrap();
        let (a, b, c) = tokio::join!(
            app.as_person("stats").upload(a),
            app.as_person("civil").upload(b),
            app.as_person("tax").upload(c)
        );
        for imported in [a, b, c] {
            assert_eq!(imported.ok()["accepted_total"], 2);
        }
    }
    let mut codes = Vec::new();
    for person in ["stats", "civil", "tax"] {
        let own = app
            .as_person(person)
            .get("/catalogue/own?size=100")
            .await
            .ok();
        codes.extend(
            own["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["code"].as_str().unwrap().to_owned()),
        );
    }
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 18, "{codes:?}");
    app.finish().await;
}

#[tokio::test]
async fn long_lists_come_in_pages_without_gaps() {
    let app = TestApp::start().await;
    let entries: Vec<EntryContent> = (0..25).map(|n| an_entry(&format!("指标{n:02}"))).collect();
    app.as_person("stats")
        .upload(app.workbook(&entries))
        .await
        .ok();
    let mut names = Vec::new();
    let mut path = "/catalogue/own?size=10".to_owned();
    for page_size in [10, 10, 5] {
        let page = app.as_person("stats").get(&path).await.ok();
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), page_size);
        names.extend(items.iter().map(|e| e["name"].as_str().unwrap().to_owned()));
        path = format!(
            "/catalogue/own?size=10&cursor={}",
            page["next_cursor"].as_str().unwrap_or("none")
        );
    }
    assert!(path.ends_with("none"), "the last page leads nowhere");
    names.sort();
    let expected: Vec<String> = entries.iter().map(|e| e.name.clone()).collect();
    assert_eq!(names, expected);
    app.finish().await;
}

/// An entry, its store, and a table in it: what a mounting begins with.
async fn before_mounting(app: &TestApp, content: &EntryContent, table: &str) -> (String, Value) {
    let entry = app.published_entry(content).await;
    app.store("stats").await.sql(table);
    let body = json!({ "store_id": app.store_id("stats").await, "table": "t" });
    (format!("/catalogue/entries/{entry}/mounting"), body)
}

/// Spec: PDS-6.1, PDS-8.1.
#[tokio::test]
async fn a_key_with_duplicates_is_not_mounted() {
    let app = TestApp::start().await;
    let table = "CREATE TABLE t (code VARCHAR(12), name VARCHAR(60)); \
                 INSERT INTO t VALUES ('1', 'a'), ('1', 'b'), ('2', 'c'), ('1', 'd')";
    let (path, body) = before_mounting(&app, &an_entry("人口数"), table).await;
    let problem = app
        .as_person("stats")
        .put(&path, body)
        .await
        .refused(422, "mounting.key_unfit");
    assert_eq!(faults(&problem), ["table: mounting.key_duplicates"]);
    not_mounted(&app, &path).await;
    app.finish().await;
}

#[tokio::test]
async fn a_key_with_null_is_not_mounted() {
    let app = TestApp::start().await;
    let table = "CREATE TABLE t (code VARCHAR(12), name VARCHAR(60)); \
                 INSERT INTO t VALUES ('1', 'a'), (NULL, 'b'), (NULL, 'c')";
    let (path, body) = before_mounting(&app, &an_entry("人口数"), table).await;
    let problem = app
        .as_person("stats")
        .put(&path, body)
        .await
        .refused(422, "mounting.key_unfit");
    assert_eq!(faults(&problem), ["table: mounting.key_nulls"]);
    not_mounted(&app, &path).await;
    app.finish().await;
}

async fn not_mounted(app: &TestApp, path: &str) {
    app.idle().await;
    let entry = app
        .as_person("stats")
        .get(path.trim_end_matches("/mounting"))
        .await
        .ok();
    assert_eq!(entry["mounting"], Value::Null, "nothing is half mounted");
}

#[tokio::test]
async fn a_table_that_does_not_fit_is_refused_with_all_its_faults() {
    let app = TestApp::start().await;
    let mut content = an_entry("人口数");
    content.items.push(an_item("备注", "note"));
    content.items.push(an_item("登记日期", "registered_on"));
    let table =
        "CREATE TABLE t (code VARCHAR(12) PRIMARY KEY, name BIGINT, registered_on GEOMETRY)";
    let (path, body) = before_mounting(&app, &content, table).await;
    let preview = format!(
        "{path}/preview?store_id={}&table=t",
        body["store_id"].as_str().unwrap()
    );
    let previewed = app.as_person("stats").get(&preview).await.ok();
    let expected = [
        "name: mounting.type_differs",
        "note: mounting.not_mapped",
        "registered_on: mounting.type_refused",
    ];
    assert_eq!(faults(&json!({ "fields": previewed["faults"] })), expected);
    let problem = app
        .as_person("stats")
        .put(&path, body)
        .await
        .refused(422, "mounting.unfit");
    assert_eq!(faults(&problem), expected);
    not_mounted(&app, &path).await;
    app.finish().await;
}

#[tokio::test]
async fn a_store_that_is_down_mounts_nothing() {
    let app = TestApp::start().await;
    let (path, body) = before_mounting(
        &app,
        &an_entry("人口数"),
        "CREATE TABLE t (code VARCHAR(12) PRIMARY KEY, name VARCHAR(60))",
    )
    .await;
    let store = app.store("stats").await;
    std::fs::rename(store.path(), store.path().with_extension("away")).unwrap();
    app.as_person("stats")
        .put(&path, body.clone())
        .await
        .refused(404, "store.missing");
    let tables = format!("/stores/{}/tables", body["store_id"].as_str().unwrap());
    app.as_person("stats")
        .get(&tables)
        .await
        .refused(404, "store.missing");
    assert!(
        !store.path().exists(),
        "looking at a missing store doesn't make one"
    );
    std::fs::rename(store.path().with_extension("away"), store.path()).unwrap();
    not_mounted(&app, &path).await;
    let mut elsewhere = body.clone();
    elsewhere["table"] = json!("no_such_table");
    app.as_person("stats")
        .put(&path, elsewhere)
        .await
        .refused(404, "store.table_missing");
    app.as_person("stats").put(&path, body).await.ok();
    app.finish().await;
}

#[tokio::test]
async fn an_entry_is_mounted_to_the_own_store_by_the_own_department() {
    let app = TestApp::start().await;
    let (path, body) = before_mounting(
        &app,
        &an_entry("人口数"),
        "CREATE TABLE t (code VARCHAR(12) PRIMARY KEY, name VARCHAR(60))",
    )
    .await;
    app.as_person("civil")
        .put(&path, body.clone())
        .await
        .refused(403, "access.other_department");
    let mut foreign = body.clone();
    foreign["store_id"] = json!(app.store_id("civil").await);
    app.as_person("stats")
        .put(&path, foreign.clone())
        .await
        .refused(403, "access.other_department");
    // The operator may mount anywhere, but never across departments.
    app.as_person("operator")
        .put(&path, foreign)
        .await
        .refused(422, "mounting.foreign_store");
    not_mounted(&app, &path).await;
    app.as_person("operator").put(&path, body).await.ok();
    app.finish().await;
}

#[tokio::test]
async fn an_entry_without_a_published_version_is_not_mounted() {
    let app = TestApp::start().await;
    app.draft("stats", &an_entry("人口数")).await;
    let own = app.as_person("stats").get("/catalogue/own").await.ok();
    let path = format!(
        "/catalogue/entries/{}/mounting",
        own["items"][0]["entry_id"].as_str().unwrap()
    );
    let body = json!({ "store_id": app.store_id("stats").await, "table": "t" });
    app.as_person("stats")
        .put(&path, body)
        .await
        .refused(409, "mounting.not_published");
    app.finish().await;
}

/// The columns are mounted as the first version names them; a later item comes with the next mounting.
#[tokio::test]
async fn a_new_item_does_not_stop_a_mounted_entry() {
    let app = TestApp::start().await;
    let content = villages_entry("行政区划代码", "unconditional");
    let entry = app.published_entry(&content).await;
    app.store("stats").await.sql(&village_rows(10));
    app.mount(&entry, "division_village").await;
    let mut second = content;
    second.items.push(DataItem {
        length: Some(40),
        ..an_item("备注", "note")
    });
    app.publish("stats", &second).await;
    let body = json!({ "store_id": app.store_id("stats").await, "table": "division_village" });
    let path = format!("/catalogue/entries/{entry}/mounting");
    let problem = app
        .as_person("stats")
        .put(&path, body)
        .await
        .refused(422, "mounting.unfit");
    assert_eq!(faults(&problem), ["note: mounting.not_mapped"]);
    let seen = app
        .as_person("civil")
        .get(&format!("/catalogue/entries/{entry}"))
        .await
        .ok();
    assert_eq!(
        (&seen["version_no"], &seen["mounting"]["rows_total"]),
        (&json!(2), &json!(10))
    );
    app.finish().await;
}
