//! The real program, killed with SIGKILL at random moments of a run and started again: the target is always
//! one whole earlier or later state, and in the end it equals the source. Spec: PDS-8.1, PDS-10.2a.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    time::{Duration, Instant},
};

use tongqu_connectors::testing;

use crate::support::{
    ExchangeDb, HandedOver, Program, Random, Setting, TestApp, more_villages, verified,
    village_rows, villages_entry, villages_of_41,
};

/// How often the program is killed.
const KILLS: u32 = 20;
/// Rows at the source; every second one is in scope.
const ROWS: u32 = 12_000;

#[tokio::test]
async fn killed_at_any_moment_a_sqlite_target_ends_equal() {
    let app = TestApp::on_the_machines_clock(|_| {}).await;
    let target = Target::Sqlite(app.store("civil").await);
    killed_at_any_moment(app, target).await;
}

#[tokio::test]
async fn killed_at_any_moment_a_postgres_target_ends_equal() {
    let app = TestApp::on_the_machines_clock(|_| {}).await;
    let url = testing::postgres().fresh_database().unwrap();
    app.register_store("civil", &url).await;
    killed_at_any_moment(app, Target::Postgres(url)).await;
}

async fn killed_at_any_moment(app: TestApp, target: Target) {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "unconditional"))
        .await;
    let source = app.store("stats").await;
    source.sql(&village_rows(ROWS));
    app.mount(&entry, "division_village").await;
    let request = villages_of_41(&entry);
    let request = app.as_person("civil").post("/requests", request).await.ok();
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    let run = format!(
        "/subscriptions/{}/runs",
        opened["subscription_id"].as_str().unwrap()
    );
    let platform = app.hand_over().await;

    let mut states = vec![state(&expected(&source))];
    assert_eq!(state(&target.rows().await), states[0]);
    change(&source, 0);
    states.push(state(&expected(&source)));
    let took = one_run_to_its_end(&platform, &run).await;
    assert_eq!(state(&target.rows().await), states[1]);

    let mut random = Random::from_seed(u64::from(std::process::id()));
    let mut reached = 1;
    let mut moments = Vec::new();
    for round in 1..=KILLS {
        change(&source, round);
        states.push(state(&expected(&source)));
        let moment = took.mul_f64(random.share() * 1.2);
        moments.push(moment);
        let mut program = started(&platform).await;
        program.post(&run).await;
        tokio::time::sleep(moment).await;
        program.kill();
        // Whatever moment it was, the target is one of the states that the source had, and never an
        // earlier one than before.
        let held = state(&target.rows().await);
        let at = states.iter().rposition(|s| *s == held);
        let at = at.unwrap_or_else(|| panic!("a half state after {moments:?}"));
        assert!(
            at >= reached,
            "back from state {reached} to {at} after {moments:?}"
        );
        reached = at;
    }
    one_run_to_its_end(&platform, &run).await;
    let expected = expected(&source);
    assert!(
        target.rows().await == expected,
        "the target isn't the source after {moments:?}; the runs: {:#?}",
        last_runs(&platform)
    );
    pool_equals_the_source(&platform, &source);
    assert_eq!(
        registry_number(
            &platform,
            "SELECT COUNT(*) FROM runs WHERE state_code = 'running'"
        ),
        0
    );
    let interrupted = "SELECT COUNT(*) FROM runs WHERE failure LIKE '%exchange.interrupted%'";
    assert!(
        registry_number(&platform, interrupted) > 0,
        "no run was hit: {moments:?}, a run takes {took:?}"
    );
    evidence_is_whole(&platform);
}

/// Changes some rows, takes some away, adds some.
fn change(source: &ExchangeDb, round: u32) {
    source.sql(&format!(
        "UPDATE division_village SET name = '第{round}次改' WHERE households % 20 = {}",
        round % 20
    ));
    source.sql(&format!(
        "DELETE FROM division_village WHERE households % 97 = {round} AND name LIKE '%村'"
    ));
    source.sql(&more_villages(ROWS + round * 100, 100));
}

/// What the target must hold: in scope, projected, masked.
fn expected(source: &ExchangeDb) -> Vec<Vec<String>> {
    source.rows(
        "SELECT code, name, substr(phone, 1, 3) || '****' || substr(phone, 8) FROM division_village \
         WHERE code LIKE '41%' ORDER BY code",
    )
}

fn state(rows: &[Vec<String>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    rows.hash(&mut hasher);
    hasher.finish()
}

enum Target {
    Sqlite(ExchangeDb),
    Postgres(String),
}

impl Target {
    async fn rows(&self) -> Vec<Vec<String>> {
        let sql = "SELECT code, name, phone FROM division_village ORDER BY code";
        match self {
            Self::Sqlite(db) => db.rows(sql),
            Self::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
                    .await
                    .unwrap();
                let connection = tokio::spawn(connection);
                let text = |row: &tokio_postgres::Row, n: usize| {
                    row.get::<_, Option<String>>(n)
                        .unwrap_or_else(|| "-".to_owned())
                };
                let rows = client.query(sql, &[]).await.unwrap();
                let rows = rows
                    .iter()
                    .map(|row| (0..3).map(|n| text(row, n)).collect())
                    .collect();
                drop(client);
                connection.await.unwrap().unwrap();
                rows
            }
        }
    }
}

async fn started(platform: &HandedOver) -> Program {
    let hasty = "[exchange]\nretry_wait_ms = 20\n";
    let setting = Setting::of(platform, "site.toml", &platform.data_dir, hasty);
    Program::start(&setting, &platform.sessions["operator"]).await
}

/// Starts the program, runs the subscription, waits until there is no work left; gives how long the run took.
async fn one_run_to_its_end(platform: &HandedOver, run: &str) -> Duration {
    let mut program = started(platform).await;
    program.post(run).await;
    let begun = Instant::now();
    let unfinished = "SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'running')";
    while registry_number(platform, unfinished) > 0 {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "the work doesn't end"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = begun.elapsed();
    program.kill();
    took
}

fn registry_number(platform: &HandedOver, sql: &str) -> i64 {
    ExchangeDb::at(&platform.data_dir.join("registry.db")).number(sql)
}

/// How the last runs ended, newest first.
fn last_runs(platform: &HandedOver) -> Vec<Vec<String>> {
    ExchangeDb::at(&platform.data_dir.join("registry.db")).rows(
        "SELECT id, kind, state_code, COALESCE(failure, '-') FROM runs ORDER BY created_at DESC, id LIMIT 8",
    )
}

fn pool_equals_the_source(platform: &HandedOver, source: &ExchangeDb) {
    let pool = ExchangeDb::at(&platform.data_dir.join("pool.db"));
    let table = pool
        .rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'res_%'")
        .remove(0)
        .remove(0);
    let columns = "code, name, parent_code, phone, households";
    let held = pool.rows(&format!(
        "SELECT {columns} FROM {table} WHERE _deleted = 0 ORDER BY code"
    ));
    assert_eq!(
        held,
        source.rows(&format!(
            "SELECT {columns} FROM division_village ORDER BY code"
        ))
    );
    assert_eq!(
        pool.number(&format!(
            "SELECT COUNT(*) - COUNT(DISTINCT _seq) FROM {table}"
        )),
        0,
        "numbers are given once"
    );
}

/// The ledger is whole after all those deaths, and every record of the registry's outbox is in it once.
fn evidence_is_whole(platform: &HandedOver) {
    let ledger = platform.data_dir.join("ledger");
    let report = verified(&ledger);
    let records = report["records"].as_i64().unwrap();
    let (total, unplaced, places) = (
        registry_number(platform, "SELECT COUNT(*) FROM evidence"),
        registry_number(
            platform,
            "SELECT COUNT(*) FROM evidence WHERE ledger_index IS NULL",
        ),
        registry_number(
            platform,
            "SELECT COUNT(DISTINCT ledger_index) FROM evidence",
        ),
    );
    // What the last kill left waiting goes in with the next start.
    assert_eq!(
        (total - unplaced, places),
        (total - unplaced, total - unplaced)
    );
    assert!(
        records >= total - unplaced && records <= total,
        "{records} in the ledger, {total} in the registry"
    );
}
