//! Resources whose provider's change log is followed: changes arrive right away, whatever else happens to the resource.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_postgres::Client;
use tongqu_connectors::testing;

use crate::support::{
    ExchangeDb, Program, Random, Setting, TestApp, nothing, verified, villages_entry,
    villages_of_41,
};

const WAIT_MAX: Duration = Duration::from_mins(1);

/// A provider and a requester, with a delivery of the villages of province 41.
struct Followed {
    entry: String,
    subscription: String,
    source: Database,
    target: Database,
}

/// What a department has its villages in.
enum Database {
    Postgres(Client),
    Maria(Mutex<mysql_async::Conn>),
}

impl Database {
    async fn postgres(app: &TestApp, department: &str) -> Self {
        let url = testing::postgres().fresh_database().unwrap();
        app.register_store(department, &url).await;
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        Self::Postgres(client)
    }

    async fn maria(app: &TestApp, department: &str) -> Self {
        let url = testing::mariadb().fresh_database().unwrap();
        app.register_store(department, &url).await;
        let opts = mysql_async::Opts::from_url(&url).unwrap();
        let conn = mysql_async::Conn::new(opts).await.unwrap();
        Self::Maria(Mutex::new(conn))
    }

    async fn try_sql(&self, sql: &str) -> bool {
        match self {
            Self::Postgres(client) => client.batch_execute(sql).await.is_ok(),
            Self::Maria(conn) => conn.lock().await.query_drop(sql).await.is_ok(),
        }
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Postgres(client) => {
                let rows = client.query(sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Maria(conn) => conn.lock().await.query(sql).await.unwrap(),
        }
    }

    async fn make_villages(&self) {
        let numbers = match self {
            Self::Postgres(_) => "generate_series(0, 199) AS n(seq)",
            Self::Maria(_) => "seq_0_to_199",
        };
        let made = self
            .try_sql(&format!(
                "CREATE TABLE division_village (code varchar(12) NOT NULL PRIMARY KEY, \
                 name varchar(60) NOT NULL, parent_code varchar(9) NOT NULL, phone varchar(20), households bigint); \
                 INSERT INTO division_village SELECT \
                 concat(41 + seq % 2, '0402', lpad(concat(seq, ''), 6, '0')), concat('第', seq, '村'), \
                 concat(41 + seq % 2, '0402000'), concat('138', lpad(concat(seq, ''), 8, '0')), seq % 900 \
                 FROM {numbers}"
            ))
            .await;
        assert!(made, "the villages can't be made");
    }
}

/// Spans end soon, and everything else is as in service.
async fn started() -> TestApp {
    TestApp::start_with(|config| {
        config.exchange.span_idle_s = 1;
        config.exchange.span_max_s = 20;
    })
    .await
}

impl Followed {
    async fn new(app: &TestApp) -> Self {
        let source = Database::postgres(app, "stats").await;
        Self::of(app, source).await
    }

    async fn of(app: &TestApp, source: Database) -> Self {
        let target = Database::postgres(app, "civil").await;
        let entry = app
            .published_entry(&villages_entry("行政区划代码", "unconditional"))
            .await;
        source.make_villages().await;
        app.mount(&entry, "division_village").await;
        let request = villages_of_41(&entry);
        let request = app.as_person("civil").post("/requests", request).await.ok();
        let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
        Self {
            entry,
            subscription: opened["subscription_id"].as_str().unwrap().to_owned(),
            source,
            target,
        }
    }

    async fn sql(&self, sql: &str) {
        assert!(self.source.try_sql(sql).await, "{sql}");
    }

    async fn expected(&self) -> Vec<String> {
        let sql = "SELECT concat(code, ' ', name, ' ', left(phone, 3), '****', substr(phone, 8)) \
             FROM division_village WHERE code LIKE '41%' ORDER BY code";
        self.source.texts(sql).await
    }

    async fn held(&self) -> Vec<String> {
        let sql = "SELECT code || ' ' || name || ' ' || phone FROM division_village ORDER BY code";
        self.target.texts(sql).await
    }

    /// Waits until the target has what the source has.
    async fn arrives(&self) {
        let expected = self.expected().await;
        let begun = std::time::Instant::now();
        while self.held().await != expected {
            assert!(begun.elapsed() < WAIT_MAX, "it doesn't arrive");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn schedule(&self) -> String {
        format!("/catalogue/entries/{}/schedule", self.entry)
    }

    async fn follow(&self, app: &TestApp) {
        let body = json!({ "cron": "0 3 * * *", "follows": true });
        let view = app
            .as_person("stats")
            .put(&self.schedule(), body)
            .await
            .ok();
        assert_eq!(view["follows"], true);
        self.is(app, "following").await;
    }

    /// Waits until the log is in this state.
    async fn is(&self, app: &TestApp, state: &str) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let view = app.as_person("stats").get(&self.schedule()).await.ok();
            if view["log"]["state"] == state {
                return view["log"].clone();
            }
            assert!(begun.elapsed() < WAIT_MAX, "{state} is awaited: {view}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the newest run of this kind that ended has such a step, and gives it.
    async fn run_with(&self, app: &TestApp, kind: &str, step: &str) -> Value {
        let begun = std::time::Instant::now();
        loop {
            for run in app.runs(&self.entry, kind).await {
                let id = run["run_id"].as_str().unwrap();
                let run = app
                    .as_person("operator")
                    .get(&format!("/runs/{id}"))
                    .await
                    .ok();
                let steps = run["steps"].as_array().unwrap().clone();
                if run["state"] == "succeeded" && steps.iter().any(|s| s["name"] == step) {
                    return run;
                }
            }
            assert!(begun.elapsed() < WAIT_MAX, "no {kind} with {step}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends the platform once everything is accounted for.
    async fn finish(self, app: TestApp) {
        let begun = std::time::Instant::now();
        let running = async || {
            let runs = app.as_person("operator").get("/runs?state=running").await;
            runs.ok()["items"].as_array().unwrap().len()
        };
        while running().await > 0 {
            assert!(begun.elapsed() < WAIT_MAX, "a run stays open");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        app.finish().await;
    }

    async fn slots(&self) -> usize {
        let sql =
            "SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database()";
        self.source.texts(sql).await.len()
    }
}

/// Spec: PDS-8.1, YC-18.
#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_right_away_and_are_accounted_for() {
    let app = started().await;
    let followed = Followed::new(&app).await;
    followed.follow(&app).await;
    assert_eq!(followed.slots().await, 1);
    arrive_and_are_accounted_for(app, followed).await;
}

/// Spec: PDS-8.1, YC-18.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_mariadb_arrive_right_away_and_are_accounted_for() {
    let app = started().await;
    let source = Database::maria(&app, "stats").await;
    let followed = Followed::of(&app, source).await;
    followed.follow(&app).await;
    arrive_and_are_accounted_for(app, followed).await;
}

async fn arrive_and_are_accounted_for(app: TestApp, followed: Followed) {
    followed
        .sql(
            "BEGIN; UPDATE division_village SET name = '改一', phone = '13900000001' WHERE code = '410402000002'; \
             INSERT INTO division_village VALUES ('410402900000', '新村', '410402900', '13900000002', 1), \
                 ('420402900001', '外村', '420402900', '13900000003', 1); \
             DELETE FROM division_village WHERE code = '410402000006'; COMMIT",
        )
        .await;
    followed.arrives().await;
    let collected = followed.run_with(&app, "collection", "followed").await;
    let counts = &collected["counts"];
    assert_eq!(
        (&counts["delivered"], &counts["deleted"], &counts["adds_up"]),
        (&json!(3), &json!(1), &json!(true)),
        "{counts}"
    );
    let entry = format!("/catalogue/entries/{}", followed.entry);
    let entry = app.as_person("stats").get(&entry).await.ok();
    assert_eq!(entry["mounting"]["rows_total"], 201);

    let begun = std::time::Instant::now();
    let delivered = loop {
        let run = app.last_run("civil", &followed.entry, "delivery").await.0;
        if run["state"] == "succeeded" && run["counts"]["read"] != 200 {
            break run;
        }
        assert!(begun.elapsed() < WAIT_MAX, "{run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let counts = &delivered["counts"];
    assert_eq!(counts["adds_up"], true);
    assert_eq!(
        [
            &counts["inserted"],
            &counts["updated"],
            &counts["deleted"],
            &counts["out_of_scope"]
        ],
        [&json!(1), &json!(1), &json!(1), &json!(1)]
    );
    assert_eq!(delivered["digests_equal"], true);
    while followed.is(&app, "following").await["transactions"] != 1 {
        assert!(begun.elapsed() < WAIT_MAX, "it isn't counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    followed.finish(app).await;
}

/// Whoever wants the whole compared gets it; following goes on afterwards. So it does after a restart, with what
/// changed meanwhile. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn following_makes_way_and_goes_on() {
    let mut app = started().await;
    let followed = Followed::new(&app).await;
    followed.follow(&app).await;
    for n in 0..3 {
        followed
            .sql(&format!(
                "UPDATE division_village SET name = '改{n}' WHERE code < '41040200004'"
            ))
            .await;
        app.run_again(&followed.subscription).await;
        let path = format!("/subscriptions/{}/reconciliations", followed.subscription);
        app.as_person("operator").post(&path, nothing()).await.ok();
        app.idle().await;
        let compared = app
            .last_run("operator", &followed.entry, "reconciliation")
            .await;
        assert_eq!(compared.state(), "succeeded");
        assert_eq!(followed.held().await, followed.expected().await);
    }
    app.restart().await;
    followed
        .sql("DELETE FROM division_village WHERE code > '410402000100' AND code < '42'")
        .await;
    followed.arrives().await;
    followed.finish(app).await;
}

/// A store that forgets its log, and whatever happens then, is healed by a comparison. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_log_begins_anew() {
    let app = started().await;
    let followed = Followed::new(&app).await;
    followed.follow(&app).await;
    // All in one transaction: what it changes is in no log.
    let lose = "BEGIN; DELETE FROM division_village WHERE code < '41040200002'; \
         INSERT INTO division_village VALUES ('410402900000', '新村', '410402900', '13900000002', 1); \
         SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots \
             WHERE database = current_database() AND active; \
         SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
             WHERE database = current_database(); COMMIT";
    while !followed.source.try_sql(lose).await {
        followed.sql("ROLLBACK").await;
    }
    followed.arrives().await;
    assert_eq!(followed.slots().await, 1);
    followed
        .sql("UPDATE division_village SET name = '又改' WHERE code = '410402900000'")
        .await;
    followed.arrives().await;
    followed.finish(app).await;
}

/// What was declared anew may have changed without the log telling it: the whole is compared, and following goes on.
/// Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_lost_while_it_is_read_begins_anew() {
    let app = started().await;
    let source = Database::maria(&app, "stats").await;
    let followed = Followed::of(&app, source).await;
    followed.follow(&app).await;
    followed
        .sql(
            "UPDATE division_village SET name = '改名 ' WHERE code = '410402000002'; \
             ALTER TABLE division_village MODIFY name char(60) NOT NULL; \
             ALTER TABLE division_village MODIFY name varchar(60) NOT NULL",
        )
        .await;
    followed.arrives().await;
    followed.is(&app, "following").await;
    followed
        .sql("UPDATE division_village SET name = '又改' WHERE code = '410402000004'")
        .await;
    followed.arrives().await;
    followed.finish(app).await;
}

/// Spec: PDS-7.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_follows_a_grant_that_has_ended() {
    let app = started().await;
    let followed = Followed::new(&app).await;
    followed.follow(&app).await;
    followed
        .sql("UPDATE division_village SET name = '改一' WHERE code = '410402000002'")
        .await;
    followed.arrives().await;
    let held = followed.held().await;
    let registry = app.ledger_dir().with_file_name("registry.db");
    let end = "UPDATE grants SET content = json_set(content, '$.valid_until', '2026-01-01')";
    ExchangeDb::at(&registry).sql(end);
    followed
        .sql("UPDATE division_village SET name = '改二' WHERE code = '410402000004'")
        .await;
    followed.run_with(&app, "collection", "followed").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(followed.held().await, held);
    followed.finish(app).await;
}

/// The provider's store holds nothing back that nobody wants. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_given_back() {
    let app = started().await;
    let followed = Followed::new(&app).await;
    followed.follow(&app).await;
    let logs = app
        .as_person("operator")
        .get("/exchange/change-logs")
        .await
        .ok();
    assert_eq!(logs["items"][0]["entry_id"], followed.entry.as_str());
    assert_eq!(logs["items"][0]["is_too_large"], false);
    app.as_person("civil")
        .get("/exchange/change-logs")
        .await
        .refused(403, "access.no_post");
    let body = json!({ "cron": "0 3 * * *" });
    let view = app
        .as_person("stats")
        .put(&followed.schedule(), body)
        .await
        .ok();
    assert_eq!(view["follows"], false);
    app.idle().await;
    assert_eq!(followed.slots().await, 0);
    let logs = app
        .as_person("operator")
        .get("/exchange/change-logs")
        .await
        .ok();
    assert_eq!(logs["items"], json!([]));
    followed.finish(app).await;
}

/// What can't be followed is refused when it is asked for, with what is to be done. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused_at_once() {
    let app = started().await;
    let followed = Followed::new(&app).await;
    let set = async |body: Value| app.as_person("stats").put(&followed.schedule(), body).await;
    set(json!({ "follows": true }))
        .await
        .refused(422, "exchange.follow_without_schedule");
    let watched = json!({ "column": "households", "overlap": 0 });
    set(json!({ "cron": "0 3 * * *", "follows": true, "watched": watched }))
        .await
        .refused(422, "exchange.follow_and_watch");
    followed
        .sql("ALTER TABLE division_village REPLICA IDENTITY NOTHING")
        .await;
    set(json!({ "cron": "0 3 * * *", "follows": true }))
        .await
        .refused(422, "store.log_identity");
    assert_eq!(followed.slots().await, 0);
    followed.finish(app).await;
}

/// The program is killed again and again while changes come without end. In the end the target is what the source is,
/// every run has ended, and those that a kill left open were closed with what they had done. Spec: PDS-8.1, YC-17.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_follows() {
    let app = TestApp::on_the_machines_clock(|_| {}).await;
    let followed = Followed::new(&app).await;
    is_killed_and_goes_on(app, followed).await;
}

/// The same with a provider that holds nothing back for anybody. Spec: PDS-8.1, YC-17.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_follows_mariadb() {
    let app = TestApp::on_the_machines_clock(|_| {}).await;
    let source = Database::maria(&app, "stats").await;
    let followed = Followed::of(&app, source).await;
    is_killed_and_goes_on(app, followed).await;
}

async fn is_killed_and_goes_on(app: TestApp, followed: Followed) {
    followed.follow(&app).await;
    let platform = app.hand_over().await;
    let limits = "[exchange]\nretry_wait_ms = 20\nspan_idle_s = 2\n";
    let setting = Setting::of(&platform, "site.toml", &platform.data_dir, limits);
    let session = platform.sessions["operator"].clone();
    let mut random = Random::from_seed(u64::from(std::process::id()));
    let mut n = 0;
    for _ in 0..5 {
        let mut program = Program::start(&setting, &session).await;
        let until =
            std::time::Instant::now() + Duration::from_secs(1).mul_f64(1.5 + random.share());
        while std::time::Instant::now() < until {
            n += 1;
            let code = |at: u32| format!("{}0402{:06}", 41 + at % 2, at % 200);
            followed
                .sql(&format!(
                    "BEGIN; UPDATE division_village SET name = '改{n}' WHERE code IN ('{}', '{}'); \
                     DELETE FROM division_village WHERE code = '{}'; \
                     INSERT INTO division_village VALUES ('410402{:06}', '新{n}', '410402000', '13800000000', 1); \
                     COMMIT",
                    code(n * 7),
                    code(n * 13 + 1),
                    code(n * 31),
                    500 + n,
                ))
                .await;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        program.kill();
    }
    let program = Program::start(&setting, &session).await;
    followed.arrives().await;
    let registry = ExchangeDb::at(&platform.data_dir.join("registry.db"));
    let runs = |which: &str| registry.number(&format!("SELECT COUNT(*) FROM runs WHERE {which}"));
    let begun = std::time::Instant::now();
    while runs("state_code = 'running'") > 0 {
        assert!(begun.elapsed() < WAIT_MAX, "a run stays open");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(followed.held().await, followed.expected().await);
    assert_eq!(
        runs(
            "state_code = 'succeeded' AND rows_read <> rows_delivered + rows_unchanged \
             + rows_out_of_scope + rows_quarantined"
        ),
        0
    );
    let closed = "state_code = 'succeeded' AND steps LIKE '%\"taken_over\"%' AND kind = ";
    for kind in ["'collection'", "'delivery'"] {
        assert!(runs(&format!("{closed}{kind}")) > 0, "{kind} was hit");
    }
    program.stop().await;
    let report = verified(&platform.data_dir.join("ledger"));
    assert_eq!(report["faults"], json!([]));
}
