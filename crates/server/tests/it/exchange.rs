//! Runs: what changed is found exactly, what is faulty is set aside, what breaks is told and mended.

use serde_json::{Value, json};
use tongqu_domain::catalogue::EntryContent;

use crate::support::{
    ExchangeDb, TestApp, a_request, an_entry, more_villages, nothing, village_rows, villages_entry,
    villages_of_41,
};

/// A delivery that is open: the villages of province 41 go to the civil affairs bureau.
pub struct Open {
    pub entry: String,
    pub subscription: String,
    pub source: ExchangeDb,
    pub target: ExchangeDb,
}

pub async fn open(app: &TestApp, rows: u32) -> Open {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    let (source, target) = (app.store("stats").await, app.store("civil").await);
    source.sql(&village_rows(rows));
    app.mount(&entry, "division_village").await;
    let request = villages_of_41(&entry);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    let open = Open {
        entry,
        subscription: opened["subscription_id"].as_str().unwrap().to_owned(),
        source,
        target,
    };
    open.is_equal();
    open
}

impl Open {
    /// Compares source (in scope, projected, masked) and target row by row.
    #[track_caller]
    fn is_equal(&self) {
        self.is_equal_where("1");
    }

    #[track_caller]
    fn is_equal_where(&self, sound: &str) {
        let expected = self.source.rows(&format!(
            "SELECT code, name, substr(phone, 1, 3) || '****' || substr(phone, 8) FROM division_village \
             WHERE code LIKE '41%' AND {sound} ORDER BY code"
        ));
        let held = self
            .target
            .rows("SELECT code, name, phone FROM division_village ORDER BY code");
        assert!(!expected.is_empty());
        assert_eq!(held, expected);
    }
}

/// The source has no change log and no time column. Spec: PDS-8.1.
/// A row of one side waits in front while the other side fetches its next batch, whichever row that is.
/// Spec: PDS-8.1.
#[tokio::test]
async fn a_row_may_go_or_come_at_any_edge_of_a_batch() {
    let app = TestApp::start_with(|config| config.exchange.batch_rows_max = 3).await;
    let open = open(&app, 24).await;
    for n in 0..24 {
        open.source.sql(&format!(
            "DELETE FROM division_village WHERE households = {n}; {}",
            more_villages(24 + n, 1)
        ));
        app.run_again(&open.subscription).await;
        open.is_equal();
    }
    app.finish().await;
}

#[tokio::test]
async fn the_next_run_finds_exactly_what_has_changed() {
    exactly_what_has_changed(TestApp::start().await).await;
}

#[tokio::test]
async fn the_next_run_finds_exactly_what_has_changed_in_postgres() {
    exactly_what_has_changed(TestApp::on_postgres().await).await;
}

async fn exactly_what_has_changed(app: TestApp) {
    let open = open(&app, 3000).await;
    // Every second row is in scope: numbers 0, 2, 4... Of a hundred numbers in a row fifty are.
    open.source.sql(
        "UPDATE division_village SET name = name || '（改）' WHERE substr(code, 7) < '000100'",
    );
    open.source
        .sql("DELETE FROM division_village WHERE substr(code, 7) BETWEEN '000200' AND '000249'");
    open.source.sql(&more_villages(3000, 50));
    open.source.sql(
        "INSERT INTO division_village VALUES ('4104029999', '短码村', '410402', NULL, 1), \
         ('41040299999X', '字母村', '410402', NULL, 1), ('994104029999', '无此省村', '994104', NULL, 1)",
    );
    app.run_again(&open.subscription).await;
    let collected = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        collected.counts(),
        "3003 read, 150 delivered, 2850 unchanged, 0 out of scope, 3 quarantined; +50 ~100 -50"
    );
    let delivered = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(
        delivered.counts(),
        "200 read, 100 delivered, 0 unchanged, 100 out of scope, 0 quarantined; +25 ~50 -25"
    );
    assert_eq!(delivered.0["receipt"]["equal"], true);
    let receipt = &delivered.0["receipt"];
    assert_eq!(
        (&receipt["rows"], &receipt["rows_held"]),
        (&json!(75), &json!(1500))
    );
    open.is_equal_where("length(code) = 12 AND code NOT LIKE '%X'");

    let quarantine = collected.0["quarantine"].as_array().unwrap();
    let mut set_aside: Vec<(&str, &str)> = quarantine
        .iter()
        .map(|q| (q["column"].as_str().unwrap(), q["code"].as_str().unwrap()))
        .collect();
    set_aside.sort_unstable();
    assert_eq!(
        set_aside.iter().map(|s| s.0).collect::<Vec<_>>(),
        ["code"; 3]
    );
    assert!(
        set_aside.iter().all(|s| s.1.starts_with("division_code.")),
        "{set_aside:?}"
    );

    // Mended at the source, the rows come along with the next run.
    open.source
        .sql("DELETE FROM division_village WHERE name IN ('字母村', '无此省村')");
    open.source
        .sql("UPDATE division_village SET code = '410402999999' WHERE name = '短码村'");
    app.run_again(&open.subscription).await;
    let collected = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        collected.counts(),
        "3001 read, 1 delivered, 3000 unchanged, 0 out of scope, 0 quarantined; +1 ~0 -0"
    );
    assert_eq!(collected.0["quarantine"], json!([]));
    open.is_equal();
    app.finish().await;
}

#[tokio::test]
async fn a_run_without_changes_touches_nothing() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    app.run_again(&open.subscription).await;
    let collected = app.last_run("operator", &open.entry, "collection").await;
    assert_eq!(
        collected.counts(),
        "100 read, 0 delivered, 100 unchanged, 0 out of scope, 0 quarantined; +0 ~0 -0"
    );
    let delivered = app.last_run("operator", &open.entry, "delivery").await;
    assert_eq!(
        delivered.counts(),
        "0 read, 0 delivered, 0 unchanged, 0 out of scope, 0 quarantined; +0 ~0 -0"
    );
    assert_eq!(
        (
            &delivered.0["receipt"]["equal"],
            &delivered.0["receipt"]["rows_held"]
        ),
        (&json!(true), &json!(50))
    );
    app.finish().await;
}

/// A row that moves out of the grant's condition is taken away at the target, one that moves in arrives.
#[tokio::test]
async fn rows_follow_the_condition_of_the_grant() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    open.source.sql("UPDATE division_village SET code = '52' || substr(code, 3) WHERE name IN ('第0村', '第2村', '第4村')");
    open.source
        .sql("UPDATE division_village SET code = '41' || substr(code, 3) WHERE name = '第1村'");
    app.run_again(&open.subscription).await;
    open.is_equal();
    assert_eq!(
        open.target.number("SELECT COUNT(*) FROM division_village"),
        48
    );
    // Gone, and back again.
    open.source
        .sql("DELETE FROM division_village WHERE name = '第6村'");
    app.run_again(&open.subscription).await;
    open.is_equal();
    open.source.sql("INSERT INTO division_village VALUES ('410402000006', '第6村', '410402000', '13800000006', 6)");
    app.run_again(&open.subscription).await;
    open.is_equal();
    app.finish().await;
}

#[tokio::test]
async fn a_row_that_turns_faulty_keeps_its_last_good_state_in_the_pool() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    open.source
        .sql("UPDATE division_village SET parent_code = '4104020000' WHERE name = '第2村'");
    app.run_again(&open.subscription).await;
    let collected = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        collected.counts(),
        "100 read, 0 delivered, 99 unchanged, 0 out of scope, 1 quarantined; +0 ~0 -0"
    );
    let fault = &collected.0["quarantine"][0];
    assert_eq!(
        (&fault["key"], &fault["column"]),
        (&json!("410402000002"), &json!("parent_code"))
    );
    assert_eq!(
        open.target
            .number("SELECT COUNT(*) FROM division_village WHERE name = '第2村'"),
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn too_many_faulty_rows_stop_the_run_before_it_changes_anything() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    open.source.sql(
        "UPDATE division_village SET parent_code = '4104020000' WHERE substr(code, 7) < '000040'",
    );
    open.source
        .sql("DELETE FROM division_village WHERE name = '第98村'");
    app.run_again(&open.subscription).await;
    let collected = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        (collected.state(), &collected.0["failure"]["code"]),
        ("failed", &json!("exchange.too_many_faults"))
    );
    assert_eq!(collected.0["failure"]["side"], "provider");
    assert_eq!(
        open.target.number("SELECT COUNT(*) FROM division_village"),
        50,
        "the target is as it was"
    );
    app.finish().await;
}

/// Spec: PDS-21.1.
#[tokio::test]
async fn quarantined_rows_are_seen_by_their_department_only() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    open.source
        .sql("INSERT INTO division_village VALUES ('41040299999X', '机密村', '410402', NULL, 1)");
    app.run_again(&open.subscription).await;
    let run = app.last_run("stats_head", &open.entry, "collection").await;
    assert_eq!(run.0["quarantine"][0]["key"], "41040299999X");
    let path = format!("/runs/{}", run.id());
    for person in ["operator", "authority", "leader"] {
        let seen = app.as_person(person).get(&path).await.ok();
        assert_eq!(
            (&seen["quarantine"], &seen["counts"]["quarantined"]),
            (&json!([]), &json!(1)),
            "{person}"
        );
    }
    app.as_person("civil")
        .get(&path)
        .await
        .refused(403, "access.other_department");
    app.as_person("auditor")
        .get(&path)
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

#[tokio::test]
async fn a_department_sees_the_runs_to_which_it_is_a_party() {
    let app = TestApp::start().await;
    open(&app, 20).await;
    for (person, expected) in [
        ("stats", vec!["collection", "collection", "delivery"]),
        ("civil", vec!["delivery"]),
        ("tax", vec![]),
    ] {
        let runs = app.as_person(person).get("/runs").await.ok();
        let mut kinds: Vec<&str> = runs["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["kind"].as_str().unwrap())
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{person}");
    }
    app.as_person("auditor")
        .get("/runs")
        .await
        .refused(403, "access.no_post");
    app.as_person("operator")
        .get("/runs/run-0000")
        .await
        .refused(404, "exchange.run_not_found");
    app.finish().await;
}

/// What the newest notice about a run says to a person's department, and its code.
async fn told(app: &TestApp, person: &str) -> (String, String) {
    let notices = app.as_person(person).get("/notices").await.ok();
    let newest = notices["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n["subject_kind"] == "run")
        .cloned();
    let newest = newest.unwrap_or(Value::Null);
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    (
        text(&newest["facts"]["code"]),
        text(&newest["facts"]["column"]),
    )
}

/// How many notices about runs a person's department has.
async fn notices_about_runs(app: &TestApp, person: &str) -> usize {
    let notices = app.as_person(person).get("/notices").await.ok();
    let items = notices["items"].as_array().unwrap();
    items.iter().filter(|n| n["subject_kind"] == "run").count()
}

/// A column that is dropped between mounting and run pauses the deliveries and tells both sides; put back,
/// everything goes on.
#[tokio::test]
async fn a_dropped_column_pauses_the_delivery_and_tells_both_sides() {
    let app = TestApp::start().await;
    let open = open(&app, 100).await;
    open.source.sql("ALTER TABLE division_village DROP COLUMN phone; DELETE FROM division_village WHERE name = '第4村'");
    app.run_again(&open.subscription).await;
    let run = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        (run.state(), &run.0["failure"]["code"]),
        ("failed", &json!("exchange.column_gone"))
    );
    assert_eq!(run.0["failure"]["side"], "provider");
    for person in ["stats", "civil"] {
        assert_eq!(
            told(&app, person).await,
            ("exchange.column_gone".to_owned(), "phone".to_owned()),
            "{person}"
        );
    }
    assert_eq!(
        app.runs(&open.entry, "delivery").await.len(),
        1,
        "nothing is delivered while it is paused"
    );
    assert_eq!(
        open.target.number("SELECT COUNT(*) FROM division_village"),
        50,
        "the target is as it was"
    );
    let compare = format!("/subscriptions/{}/reconciliations", open.subscription);
    app.as_person("operator")
        .post(&compare, nothing())
        .await
        .refused(409, "exchange.subscription_paused");
    let once = notices_about_runs(&app, "stats").await;
    let runs = app.runs(&open.entry, "collection").await.len();
    app.run_again(&open.subscription).await;
    assert_eq!(
        (
            app.runs(&open.entry, "collection").await.len(),
            notices_about_runs(&app, "stats").await
        ),
        (runs + 1, once),
        "who knows isn't told again"
    );

    open.source.sql("ALTER TABLE division_village ADD COLUMN phone VARCHAR(20); UPDATE division_village SET phone = '13900000000'");
    app.run_again(&open.subscription).await;
    let delivered = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(
        (delivered.state(), &delivered.0["receipt"]["equal"]),
        ("succeeded", &json!(true))
    );
    open.is_equal();
    app.finish().await;
}

#[tokio::test]
async fn a_narrowed_column_pauses_the_delivery() {
    let app = TestApp::start().await;
    let open = open(&app, 20).await;
    open.source.sql(
        "CREATE TABLE narrowed (code VARCHAR(12) NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL, \
         parent_code VARCHAR(9) NOT NULL, phone BIGINT, households BIGINT); DROP TABLE division_village; \
         ALTER TABLE narrowed RENAME TO division_village",
    );
    app.run_again(&open.subscription).await;
    assert_eq!(
        told(&app, "civil").await,
        ("exchange.column_changed".to_owned(), "phone".to_owned())
    );
    assert_eq!(
        open.target.number("SELECT COUNT(*) FROM division_village"),
        10,
        "the target is as it was"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_source_that_is_down_fails_the_run_and_changes_nothing() {
    let app = TestApp::start().await;
    let open = open(&app, 20).await;
    let away = open.source.path().with_extension("away");
    open.source
        .sql("DELETE FROM division_village WHERE name = '第0村'; PRAGMA wal_checkpoint(TRUNCATE)");
    std::fs::rename(open.source.path(), &away).unwrap();
    app.run_again(&open.subscription).await;
    let run = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        (run.state(), &run.0["failure"]["code"]),
        ("failed", &json!("store.missing"))
    );
    assert_eq!(told(&app, "stats").await.0, "store.missing");
    assert_eq!(
        open.target.number("SELECT COUNT(*) FROM division_village"),
        10
    );
    assert!(!open.source.path().exists(), "a missing source isn't made");
    std::fs::rename(&away, open.source.path()).unwrap();
    app.run_again(&open.subscription).await;
    open.is_equal();
    app.finish().await;
}

#[tokio::test]
async fn a_target_that_is_down_fails_the_delivery_and_keeps_the_collection() {
    let app = TestApp::start().await;
    let open = open(&app, 20).await;
    open.source
        .sql("UPDATE division_village SET name = name || '（改）'");
    let away = open.target.path().with_extension("away");
    open.target
        .sql("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    std::fs::rename(open.target.path(), &away).unwrap();
    std::fs::create_dir(open.target.path()).unwrap();
    app.expects_in_log("store.");
    app.run_again(&open.subscription).await;
    let delivery = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(
        (delivery.state(), &delivery.0["failure"]["side"]),
        ("failed", &json!("requester"))
    );
    assert_eq!(
        app.last_run("stats", &open.entry, "collection")
            .await
            .state(),
        "succeeded"
    );
    for person in ["stats", "civil"] {
        assert!(
            told(&app, person).await.0.starts_with("store."),
            "{person} is told"
        );
    }
    std::fs::remove_dir(open.target.path()).unwrap();
    std::fs::rename(&away, open.target.path()).unwrap();
    app.run_again(&open.subscription).await;
    open.is_equal();
    // What the broken delivery had written by then was never read back, so now everything is.
    let mended = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(mended.0["receipt"]["reach"], "whole");
    app.run_again(&open.subscription).await;
    let next = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(next.0["receipt"]["reach"], "changed");
    app.finish().await;
}

/// Something at the target changes what a delivery brings: the receipt finds it, and the next delivery brings the
/// whole again.
#[tokio::test]
async fn what_a_delivery_brings_is_read_back() {
    let app = TestApp::start().await;
    let open = open(&app, 20).await;
    let first = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(first.0["receipt"]["reach"], "whole");
    let rename = |suffix: &str| {
        let at = "code IN ('410402000004', '410402000008')";
        let sql = format!("UPDATE division_village SET name = name || '{suffix}' WHERE {at}");
        open.source.sql(&sql);
    };
    open.source
        .sql("DELETE FROM division_village WHERE code = '410402000006'");
    rename("新");
    app.run_again(&open.subscription).await;
    let sound = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(sound.state(), "succeeded");
    let receipt = &sound.0["receipt"];
    assert_eq!(
        (&receipt["reach"], &receipt["rows"], &receipt["equal"]),
        (&json!("changed"), &json!(2), &json!(true))
    );

    open.target.sql(
        "CREATE TRIGGER meddling AFTER UPDATE ON division_village WHEN new.code = '410402000004' \
         BEGIN UPDATE division_village SET name = '改名村' WHERE code = new.code; END",
    );
    rename("又");
    app.run_again(&open.subscription).await;
    let delivery = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(
        (delivery.state(), &delivery.0["failure"]["code"]),
        ("failed", &json!("exchange.digest_differs"))
    );
    assert_eq!(delivery.0["failure"]["side"], "requester");
    open.target.sql("DROP TRIGGER meddling");
    app.run_again(&open.subscription).await;
    open.is_equal();
    let mended = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(mended.0["receipt"]["reach"], "whole");
    app.finish().await;
}

/// The runs' kind, state and what they say to `person` about the rows that differ.
async fn compared(app: &TestApp, open: &Open, person: &str) -> (String, Vec<String>) {
    let run = app.last_run(person, &open.entry, "reconciliation").await;
    let differences = run.0["differences"].as_array().unwrap().iter();
    let lines = differences.map(|d| {
        let text = |name: &str| d[name].as_str().unwrap().to_owned();
        format!("{} {}", text("key"), text("kind"))
    });
    (run.state().to_owned(), lines.collect())
}

/// Somebody writes into the delivered table, beside what deliveries change: the comparison of the whole names the
/// keys to the parties, and the next delivery mends it. Spec: PDS-8.1.
#[tokio::test]
async fn a_reconciliation_names_the_rows_that_differ() {
    let app = TestApp::start().await;
    let open = open(&app, 40).await;
    let path = format!("/subscriptions/{}/reconciliations", open.subscription);
    let compare = async |person: &str| app.as_person(person).post(&path, nothing()).await;
    compare("authority").await.refused(403, "access.no_post");
    compare("operator").await.ok();
    app.idle().await;
    assert_eq!(
        compared(&app, &open, "civil").await,
        ("succeeded".to_owned(), vec![])
    );
    let run = app.last_run("civil", &open.entry, "reconciliation").await;
    assert_eq!(
        run.counts(),
        "20 read, 0 delivered, 20 unchanged, 0 out of scope, 0 quarantined; +0 ~0 -0"
    );
    assert_eq!(run.0["receipt"]["rows"], 20);

    open.target.sql(
        "UPDATE division_village SET name = '改名村' WHERE code = '410402000004'; \
         DELETE FROM division_village WHERE code = '410402000010'; \
         INSERT INTO division_village (code, name) VALUES ('410402000011', '多出村')",
    );
    app.run_again(&open.subscription).await;
    let unaware = app.last_run("civil", &open.entry, "delivery").await;
    assert_eq!(unaware.state(), "succeeded", "it brought nothing");
    compare("operator").await.ok();
    app.idle().await;
    let found = [
        "410402000004 altered",
        "410402000010 missing",
        "410402000011 superfluous",
    ];
    for person in ["civil", "stats"] {
        let (state, lines) = compared(&app, &open, person).await;
        assert_eq!(
            (state.as_str(), lines),
            ("failed", found.map(str::to_owned).to_vec())
        );
        assert_eq!(told(&app, person).await.0, "exchange.rows_differ");
    }
    assert_eq!(
        compared(&app, &open, "operator").await.1,
        Vec::<String>::new()
    );
    let failed = app.last_run("civil", &open.entry, "reconciliation").await;
    let failure = &failed.0["failure"];
    assert_eq!(
        (&failure["code"], &failure["side"]),
        (&json!("exchange.rows_differ"), &json!("requester"))
    );
    assert!(failure["message"].as_str().unwrap().contains("3 行"));

    // Now the target is behind, so nobody is blamed until it has been brought up to date.
    compare("operator").await.ok();
    app.idle().await;
    let behind = app.last_run("civil", &open.entry, "reconciliation").await;
    assert_eq!(behind.0["failure"]["code"], "exchange.behind");
    app.run_again(&open.subscription).await;
    open.is_equal();
    compare("operator").await.ok();
    app.idle().await;
    assert_eq!(compared(&app, &open, "civil").await.0, "succeeded");
    app.finish().await;
}

/// Moves the clock on by so many minutes.
async fn later(app: &TestApp, minutes: i64) {
    let then = app.app().clock.now() + jiff::SignedDuration::from_mins(minutes);
    app.set_clock(&then.to_string()).await;
}

/// Once a day, without anybody's asking, and once only. Spec: PDS-8.1.
#[tokio::test]
async fn the_whole_is_compared_when_it_is_due() {
    let app = TestApp::start().await;
    let open = open(&app, 20).await;
    let due = async || {
        tongqu::features::exchange::start_due(app.app())
            .await
            .unwrap();
        app.idle().await;
        app.runs(&open.entry, "reconciliation").await.len()
    };
    assert_eq!(due().await, 0);
    later(&app, 25 * 60).await;
    assert_eq!((due().await, due().await), (1, 1));
    let run = app.last_run("civil", &open.entry, "reconciliation").await;
    assert_eq!(
        (run.state(), &run.0["started_by"]),
        ("succeeded", &Value::Null)
    );

    // What is found is looked at again once a delivery has mended it.
    open.target.sql("DELETE FROM division_village");
    later(&app, 25 * 60).await;
    assert_eq!(due().await, 2);
    later(&app, 11).await;
    assert_eq!(due().await, 2, "it waits for the delivery");
    app.run_again(&open.subscription).await;
    later(&app, 11).await;
    assert_eq!(due().await, 3);
    let run = app.last_run("civil", &open.entry, "reconciliation").await;
    assert_eq!(run.state(), "succeeded");
    app.finish().await;
}

/// By the clock of China, without anybody's asking; what was missed is made up for once. Spec: PDS-8.1, YC-18.
#[tokio::test]
async fn a_resource_is_collected_by_its_schedule() {
    let app = TestApp::start().await;
    let open = open(&app, 20).await;
    app.set_clock("2026-10-09T01:00:00Z").await;
    let path = format!("/catalogue/entries/{}/schedule", open.entry);
    let set = async |person: &str, cron: Value| {
        app.as_person(person)
            .put(&path, json!({ "cron": cron }))
            .await
    };
    let read = app.as_person("stats").get(&path).await.ok();
    assert_eq!(read["cron"], Value::Null);
    assert_eq!(
        read["suggested"], "0 2 1 1 *",
        "the entry is updated once a year"
    );
    let asked = format!("{path}?cron=30%202%20*%20*%201");
    assert_eq!(
        app.as_person("stats").get(&asked).await.ok()["following"][0],
        "2026-10-11T18:30:00Z"
    );
    set("civil", json!("0 2 * * *"))
        .await
        .refused(403, "access.other_department");
    set("stats", json!("0 2 * *"))
        .await
        .refused(422, "schedule.unreadable");
    set("stats", json!("* * * * *"))
        .await
        .refused(422, "schedule.too_often");
    let nightly = set("stats", json!(" 0 2 * * *")).await.ok();
    assert_eq!(nightly["cron"], "0 2 * * *");

    let collections = async || {
        tongqu::features::exchange::start_due(app.app())
            .await
            .unwrap();
        app.idle().await;
        app.runs(&open.entry, "collection").await.len()
    };
    let before = collections().await;
    open.source
        .sql("UPDATE division_village SET name = name || '（改）'");
    app.set_clock("2026-10-09T17:59:00Z").await;
    assert_eq!(collections().await, before);
    app.set_clock("2026-10-09T18:00:00Z").await;
    assert_eq!(collections().await, before + 1);
    open.is_equal();
    let run = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(run.0["started_by"], Value::Null);
    app.set_clock("2026-10-14T03:00:00Z").await;
    assert_eq!(collections().await, before + 2);
    assert_eq!(collections().await, before + 2);

    set("operator", Value::Null).await.ok();
    app.set_clock("2026-10-20T03:00:00Z").await;
    assert_eq!(collections().await, before + 2);
    app.finish().await;
}

/// Between two comparisons of the whole a schedule may read only what a column tells; once a day, and for whoever asks,
/// the whole is compared, which finds what the column didn't tell. Spec: PDS-8.1, YC-18.
#[tokio::test]
async fn a_schedule_reads_what_a_column_tells() {
    let app = TestApp::start().await;
    let open = open(&app, 40).await;
    app.set_clock("2026-10-09T01:00:00Z").await;
    let path = format!("/catalogue/entries/{}/schedule", open.entry);
    let set = async |watched: Value| {
        let body = json!({ "cron": "0 * * * *", "watched": watched });
        app.as_person("stats").put(&path, body).await
    };
    set(json!({ "column": "name", "overlap": 0 }))
        .await
        .refused(422, "exchange.watch_type");
    set(json!({ "column": "nowhere", "overlap": 0 }))
        .await
        .refused(422, "exchange.watch_type");
    set(json!({ "column": "households", "overlap": -1 }))
        .await
        .refused(422, "exchange.watch_overlap");
    let view = set(json!({ "column": "households", "overlap": 0 }))
        .await
        .ok();
    assert_eq!(view["watched"]["column"], "households");
    assert_eq!(view["watched"]["compared_at"], Value::Null);
    assert_eq!(
        view["watchable"],
        json!([{ "column": "households", "item_name": "户数", "unit": "numbers", "overlap": 1000 }])
    );

    let collected = async |at: &str| {
        app.set_clock(at).await;
        tongqu::features::exchange::start_due(app.app())
            .await
            .unwrap();
        app.idle().await;
        let run = app.last_run("stats", &open.entry, "collection").await;
        let step = run.0["steps"][1]["name"].as_str().unwrap().to_owned();
        (run.counts(), step)
    };
    let (_, step) = collected("2026-10-09T02:00:00Z").await;
    assert_eq!(step, "collected", "until the column has been seen");
    open.source.sql(
        "UPDATE division_village SET name = '改一', households = 1000 WHERE name = '第2村'; \
         UPDATE division_village SET name = '改二', households = 1001 WHERE name = '第3村'; \
         INSERT INTO division_village VALUES ('410402900000', '新村', '410402900', NULL, 1002); \
         UPDATE division_village SET name = '没说' WHERE name = '第4村'; \
         DELETE FROM division_village WHERE name = '第6村'",
    );
    assert_eq!(
        collected("2026-10-09T03:00:00Z").await,
        (
            "4 read, 3 delivered, 1 unchanged, 0 out of scope, 0 quarantined; +1 ~2 -0".to_owned(),
            "collected_since".to_owned()
        )
    );
    let names = || {
        open.target
            .rows("SELECT name FROM division_village WHERE name NOT LIKE '第%' ORDER BY name")
            .concat()
    };
    assert_eq!(names(), ["改一", "新村"], "within the grant");
    let entry = format!("/catalogue/entries/{}", open.entry);
    let entry = app.as_person("stats").get(&entry).await.ok();
    assert_eq!(entry["mounting"]["rows_total"], 41);

    app.run_again(&open.subscription).await;
    let asked = app.last_run("stats", &open.entry, "collection").await;
    assert_eq!(
        asked.counts(),
        "40 read, 1 delivered, 39 unchanged, 0 out of scope, 0 quarantined; +0 ~1 -1"
    );
    open.is_equal();
    let view = app.as_person("stats").get(&path).await.ok();
    let compared_at = view["watched"]["compared_at"].as_str().unwrap();
    assert!(
        compared_at.starts_with("2026-10-09T03:00:0"),
        "{compared_at}"
    );

    open.source
        .sql("DELETE FROM division_village WHERE name = '第8村'");
    let (counts, _) = collected("2026-10-09T04:00:00Z").await;
    assert!(counts.starts_with("1 read"), "{counts}");
    let (counts, step) = collected("2026-10-10T04:00:00Z").await;
    assert!(counts.ends_with("-1"), "{counts}");
    assert_eq!(step, "collected", "once a day");
    open.is_equal();
    app.finish().await;
}

/// Spec: PDS-7.
#[tokio::test]
async fn nothing_moves_without_a_grant() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.store("stats").await.sql(&village_rows(10));
    let target = app.store("civil").await;
    app.mount(&entry, "division_village").await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let delivery = format!(
        "/requests/{}/delivery",
        request["request_id"].as_str().unwrap()
    );
    app.as_person("operator")
        .post(&delivery, nothing())
        .await
        .refused(409, "exchange.nothing_to_deliver");
    for person in ["civil", "stats", "authority"] {
        app.as_person(person)
            .post(&delivery, nothing())
            .await
            .refused(403, "access.no_post");
    }
    app.idle().await;
    assert_eq!(
        target.rows("SELECT name FROM sqlite_schema WHERE name LIKE 'division%'"),
        Vec::<Vec<String>>::new()
    );
    app.finish().await;
}

#[tokio::test]
async fn a_delivery_ends_with_the_term_of_its_grant() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    let (source, target) = (app.store("stats").await, app.store("civil").await);
    source.sql(&village_rows(10));
    app.mount(&entry, "division_village").await;
    let mut request = a_request(&entry);
    request["term_months"] = json!(1);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    assert_eq!(
        (
            &request["grant"]["valid_from"],
            &request["grant"]["valid_until"]
        ),
        (&json!("2026-09-21"), &json!("2026-10-21"))
    );
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    let subscription = opened["subscription_id"].as_str().unwrap();
    source.sql("UPDATE division_village SET name = '新名' WHERE code = '410402000000'");
    app.set_clock("2026-10-20T15:30:00Z").await;
    app.run_again(subscription).await;
    assert_eq!(
        target.number("SELECT COUNT(*) FROM division_village WHERE name = '新名'"),
        1,
        "the last day counts"
    );
    source.sql("UPDATE division_village SET name = '更新名' WHERE code = '410402000000'");
    app.set_clock("2026-10-20T16:30:00Z").await;
    app.run_again(subscription).await;
    assert_eq!(
        target.number("SELECT COUNT(*) FROM division_village WHERE name = '更新名'"),
        0,
        "the day after doesn't"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_delivery_needs_data_and_a_place_to_go() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let id = request["request_id"].as_str().unwrap();
    let approval = json!({ "verdict": "approve", "revision": request["revision"] });
    app.as_person("stats")
        .post(&format!("/requests/{id}/decision"), approval)
        .await
        .ok();
    let delivery = format!("/requests/{id}/delivery");
    app.as_person("operator")
        .post(&delivery, nothing())
        .await
        .refused(409, "exchange.not_mounted");
    app.store("stats").await.sql(&village_rows(10));
    app.mount(&entry, "division_village").await;
    app.as_person("operator")
        .post(&delivery, nothing())
        .await
        .refused(409, "exchange.no_target_store");
    app.store("civil").await;
    app.deliver(id).await;
    assert_eq!(
        app.as_person("civil")
            .get(&format!("/requests/{id}"))
            .await
            .ok()["state"],
        "completed"
    );
    app.finish().await;
}

/// Spec: PDS-5.5: what isn't on the platform yet has to be supplied first.
#[tokio::test]
async fn an_unconditional_request_before_the_mounting_waits_for_the_provider() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    app.store("civil").await;
    let request = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let id = request["request_id"].as_str().unwrap();
    let open: Vec<&str> = request["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["state"] == "open")
        .map(|s| s["id"].as_str().unwrap())
        .collect();
    assert_eq!(open, ["supply"]);
    app.as_person("operator")
        .post(&format!("/requests/{id}/delivery"), nothing())
        .await
        .refused(409, "exchange.nothing_to_deliver");
    app.store("stats").await.sql(&village_rows(10));
    app.mount(&entry, "division_village").await;
    app.deliver(id).await;
    assert_eq!(
        app.as_person("civil")
            .get(&format!("/requests/{id}"))
            .await
            .ok()["state"],
        "completed"
    );
    app.finish().await;
}

/// A value's type decides how it travels; each comes back as it was.
#[tokio::test]
async fn every_kind_of_value_arrives_as_it_was() {
    let app = TestApp::start().await;
    let mut content: EntryContent = an_entry("各类数据");
    let item = |code: &str, data_type: &str, length: Option<u32>, scale: Option<u32>| {
        let data_type = tongqu_domain::catalogue::DataType::find(data_type).unwrap();
        tongqu_domain::catalogue::DataItem {
            data_type,
            length,
            scale,
            ..crate::support::an_item(&format!("项{code}"), code)
        }
    };
    content.items.extend([
        item("amount", "number", Some(18), Some(4)),
        item("born", "date", None, None),
        item("seen", "datetime", None, None),
        item("married", "boolean", None, None),
        item("ratio", "float", None, None),
        item("remark", "memo", None, None),
    ]);
    let entry = app.published_entry(&content).await;
    let (source, target) = (app.store("stats").await, app.store("civil").await);
    source.sql(
        "CREATE TABLE t (code VARCHAR(12) NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL, amount DECIMAL_TEXT(18,4), \
         born DATE, seen TIMESTAMP, married BOOLEAN, ratio DOUBLE, remark TEXT); \
         INSERT INTO t VALUES ('1', '𠮷野家', '12345678901234.5678', '1949-10-01', '2026-02-28 23:59:59.123456', 1, 0.1, ''), \
         ('2', 'Ω', '-0.0001', '0001-01-01', '1970-01-01 00:00:00.000000', 0, -1e300, NULL), \
         ('3', ' 空格 ', NULL, NULL, NULL, NULL, NULL, '第一行' || char(10) || '第二行' || char(9) || '''')",
    );
    app.mount(&entry, "t").await;
    let mut request = a_request(&entry);
    let codes: Vec<&str> = content.items.iter().map(|i| i.code.as_str()).collect();
    request["columns"] = json!(codes);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    app.deliver(request["request_id"].as_str().unwrap()).await;
    let all = "SELECT * FROM t ORDER BY code";
    assert_eq!(target.rows(all), source.rows(all));
    let run = app.last_run("civil", &entry, "delivery").await;
    assert_eq!(run.0["receipt"]["equal"], true);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_subscriber_delays_neither_the_others_nor_the_next_collection() {
    let app = TestApp::start().await;
    app.store("stats").await.sql(&village_rows(4000));
    let mut entry = villages_entry("行政区划代码", "unconditional");
    entry.recipients.push(app.department_name("tax").to_owned());
    let entry = app.published_entry(&entry).await;
    app.mount(&entry, "division_village").await;
    let mut subscriptions = Vec::new();
    for department in ["civil", "tax"] {
        app.store(department).await;
        let request = app
            .as_person(department)
            .post("/requests", villages_of_41(&entry))
            .await
            .ok();
        let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
        subscriptions.push(opened["subscription_id"].as_str().unwrap().to_owned());
    }
    let slow = app.store_id("civil").await;
    let throttle = json!({ "rows_per_s": 100 });
    app.as_person("admin")
        .put(&format!("/stores/{slow}/throttle"), throttle)
        .await
        .ok();

    let (slow, quick) = (app.store("civil").await, app.store("tax").await);
    let count = "SELECT COUNT(*) FROM division_village";
    let path = format!("/subscriptions/{}/runs", subscriptions[0]);
    for round in 1..=2 {
        let added = more_villages(round * 10_000, 2000);
        app.store("stats").await.sql(&added);
        app.as_person("operator").post(&path, nothing()).await.ok();
        let begun = std::time::Instant::now();
        while quick.number(count) < 2000 + i64::from(round) * 1000 {
            assert!(begun.elapsed().as_secs() < 8, "the quick one waits");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(slow.number(count), 2000, "the slow one is still at it");
    }
    let id = app.store_id("civil").await;
    let unlimited = json!({});
    app.as_person("admin")
        .put(&format!("/stores/{id}/throttle"), unlimited)
        .await
        .ok();
    app.idle().await;
    assert_eq!(slow.number(count), 4000);
    let runs = app.runs(&entry, "delivery").await;
    assert!(
        runs.iter().all(|run| run["state"] == "succeeded"),
        "{runs:?}"
    );
    app.finish().await;
}
