//! The scene of every fault: a bureau with two resources, one in PostgreSQL and one in MariaDB; two departments that
//! get both, one into PostgreSQL, the other into MariaDB; each server private to the test, which may kill it.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tongqu_connectors::testing::{Memory, TestServer};
use tongqu_domain::catalogue::{DataItem, DataType, EntryContent};

use super::{Rounds, sql, verdict, writers::Writers};
use crate::support::{
    HandedOver, Program, Setting, TestApp, a_request, an_item, last_words, villages_entry,
};

/// Rows numbered below this never go; every second one is in scope. Enough for sums where both sides have them.
pub const STABLE: u32 = 24_000;
/// The first row of the transactions that stay open.
pub const OF_THE_LONG_ONES: u32 = 900_000;
/// Longer than this nothing takes, even on a machine with much else to do.
const QUIET_WAIT: Duration = Duration::from_mins(3);

/// The key of a row: a division code, in scope if its number is even.
pub fn code_of(row: u32) -> String {
    let province = if row.is_multiple_of(2) { "41" } else { "42" };
    format!("{province}0402{row:06}")
}

/// Which of the product's stores hold the platform itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Files in the data folder, as in a county.
    Embedded,
    /// PostgreSQL for registry and pool, as in a city.
    Grown,
}

/// A private server, or one that only some scenes need.
pub enum Place {
    /// PostgreSQL with the first resource.
    Source,
    /// PostgreSQL with the first department's exchange store.
    Target,
    /// MariaDB with the second resource and the second department's exchange store.
    Maria,
}

/// A resource: where it is, and who gets it.
#[derive(Clone)]
pub struct Resource {
    pub entry: String,
    /// Address of the source's database.
    pub source: String,
    pub table: &'static str,
    pub targets: Vec<Target>,
}

/// Where a resource is delivered to.
#[derive(Clone)]
pub struct Target {
    pub subscription: String,
    pub url: String,
    pub table: String,
}

/// A county under way.
pub struct Scene {
    pub platform: HandedOver,
    pub resources: Vec<Resource>,
    pub setting: Setting,
    pub writers: Writers,
    pub source: TestServer,
    pub target: TestServer,
    pub maria: TestServer,
    // PostgreSQL of registry and pool, as long as the scene.
    _home: Option<TestServer>,
    /// Versions of the marked rows, as the targets had them last.
    pub reached: Vec<i64>,
    /// Keys of rows at the source that are in quarantine.
    pub set_aside: Vec<String>,
    pub seed: u64,
}

/// What the suite sets otherwise than a site does: leases run out soon, and nothing is tried for minutes.
pub const HASTY: &str = "[exchange]\nretry_wait_ms = 100\nlease_s = 4\nrun_attempts_max = 5\n\
                         [ledger]\nhead_interval_ms = 200\n[node]\nheartbeat_s = 1\n";

/// How a scene is to be.
pub struct Plan {
    pub home: Home,
    /// A folder with disks `pool`, `target` and `maria` on which a grown pool and the two exchange stores lie.
    pub disk: Option<PathBuf>,
}

impl Scene {
    pub async fn begin(rounds: &Rounds, home: Home) -> Self {
        Self::of(rounds, Plan { home, disk: None }).await
    }

    /// Sets up the county, delivers everything once, and sets the writers to work.
    pub async fn of(rounds: &Rounds, plan: Plan) -> Self {
        let start_postgres = || TestServer::start_postgres(Memory::Long).unwrap();
        let (source, target) = (start_postgres(), start_postgres());
        let maria = TestServer::start_mariadb(Memory::Long).unwrap();
        let home = (plan.home == Home::Grown).then(start_postgres);
        let app = TestApp::on_the_machines_clock(|config| {
            let Some(home) = &home else { return };
            config.stores.registry_url = home.fresh_database().unwrap();
            config.stores.pool_url = match &plan.disk {
                Some(disk) => database_on(home, &disk.join("pool/space")),
                None => home.fresh_database().unwrap(),
            };
        })
        .await;
        let targets = [
            match &plan.disk {
                Some(disk) => database_on(&target, &disk.join("target/space")),
                None => target.fresh_database().unwrap(),
            },
            maria.fresh_database().unwrap(),
        ];
        let sources = [
            source.fresh_database().unwrap(),
            maria.fresh_database().unwrap(),
        ];
        app.register_store("civil", &targets[0]).await;
        app.register_store("tax", &targets[1]).await;
        let mut resources = Vec::new();
        for (url, table, name) in [
            (&sources[0], "village_east", "东部行政区划代码"),
            (&sources[1], "village_west", "西部行政区划代码"),
        ] {
            fill(url, table).await;
            let store = app.register_store("stats", url).await;
            let entry = app.published_entry(&versioned_entry(name)).await;
            app.mount_from(&entry, &store, table).await;
            let mut resource = Resource {
                entry,
                source: url.clone(),
                table,
                targets: Vec::new(),
            };
            if let Some(disk) = &plan.disk {
                lay_on(disk, &maria, &targets[1], table).await;
            }
            for (person, url) in ["civil", "tax"].into_iter().zip(&targets) {
                resource
                    .targets
                    .push(opened(&app, &resource.entry, person, url).await);
            }
            resources.push(resource);
        }
        let platform = app.hand_over().await;
        let setting = Setting::of(&platform, "site.toml", &platform.data_dir, HASTY);
        let mut scene = Self {
            writers: Writers::start(&resources, rounds.seed),
            platform,
            resources,
            setting,
            source,
            target,
            maria,
            _home: home,
            reached: vec![0; 4],
            set_aside: Vec::new(),
            seed: rounds.seed,
        };
        verdict::the_targets_are_whole(&mut scene, "the beginning").await;
        scene
    }

    /// Starts the program.
    pub async fn hub(&self) -> Program {
        Program::start(&self.setting, &self.platform.sessions["operator"]).await
    }

    /// The server of a place.
    pub fn server(&mut self, place: &Place) -> &mut TestServer {
        match place {
            Place::Source => &mut self.source,
            Place::Target => &mut self.target,
            Place::Maria => &mut self.maria,
        }
    }

    /// Asks for a run of everything.
    pub async fn run_all(&self, hub: &Program) {
        for resource in &self.resources {
            let subscription = &resource.targets[0].subscription;
            hub.post(&format!("/subscriptions/{subscription}/runs"))
                .await;
        }
    }

    /// A few thousand rows of each source change: too many for the short way of few rows.
    pub async fn much_changes(&self, round: u32) {
        for resource in &self.resources {
            for province in [0, 1] {
                let first = round % 8 * 3000 + province;
                let change = format!(
                    "UPDATE {} SET name = CONCAT('第{round}轮', SUBSTR(code, 7)) WHERE code >= '{}' AND code < '{}'",
                    resource.table,
                    code_of(first),
                    code_of(first + 3000)
                );
                sql::until_done(&resource.source, &change).await;
            }
        }
    }

    /// A number of the registry.
    pub async fn registry(&self, query: &str) -> i64 {
        let url = &self.platform.stores.registry_url;
        if url.is_empty() {
            let path = self.platform.data_dir.join("registry.db");
            return crate::support::ExchangeDb::at(&path).number(query);
        }
        sql::number(url, query).await
    }

    /// Rows of the registry.
    pub async fn registry_rows(&self, query: &str) -> sql::Rows {
        let url = &self.platform.stores.registry_url;
        if url.is_empty() {
            let path = self.platform.data_dir.join("registry.db");
            return crate::support::ExchangeDb::at(&path).rows(query);
        }
        sql::rows(url, query).await
    }

    /// Waits until there is no work left.
    pub async fn quiet(&self, after: &str) {
        let deadline = Instant::now() + QUIET_WAIT;
        let unfinished = "SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'running')";
        while self.registry(unfinished).await > 0 {
            if Instant::now() > deadline {
                self.fails(after, "the work doesn't end").await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A run of everything on a quiet platform; how long it takes.
    pub async fn one_run(&self, hub: &Program) -> Duration {
        self.quiet("nothing").await;
        let begun = Instant::now();
        self.run_all(hub).await;
        self.quiet("nothing").await;
        begun.elapsed()
    }

    /// What helps to understand a failure: the last runs, jobs that are left, the end of the log.
    pub async fn words(&self) -> String {
        let mut text = String::new();
        for (name, query) in [
            (
                "runs",
                "SELECT id, kind, state_code, created_at, COALESCE(failure, '-') FROM runs \
                 ORDER BY created_at DESC, id LIMIT 12",
            ),
            (
                "jobs",
                "SELECT id, kind, state, attempts, COALESCE(worker, '-'), COALESCE(lease_until, '-') FROM jobs \
                 WHERE state NOT IN ('done') ORDER BY created_at DESC LIMIT 12",
            ),
        ] {
            let rows = self.registry_rows(query).await;
            let _infallible = writeln!(text, "{name}:");
            for row in rows {
                let _infallible = writeln!(text, "  {}", row.join(" "));
            }
        }
        text + &last_words(&self.setting)
    }

    /// A failure in words: what, after what, and how to see it again.
    pub async fn fails(&self, after: &str, what: &str) -> ! {
        panic!(
            "{what}; after {after}; TONGQU_FAULT_SEED={}\n{}",
            self.seed,
            self.words().await
        )
    }

    /// The runs of an entry, newest first, as the operator sees them.
    pub async fn runs(&self, hub: &Program, resource: &Resource) -> Vec<Value> {
        let path = format!("/runs?entry_id={}&size=100", resource.entry);
        hub.get(&path).await["items"].as_array().unwrap().clone()
    }
}

/// The villages with a version, by which it is seen whether somebody was thrown back.
fn versioned_entry(name: &str) -> EntryContent {
    let mut entry = villages_entry(name, "unconditional");
    entry.recipients = ["云溪县民政局", "云溪县税务局"].map(str::to_owned).to_vec();
    entry.items.push(DataItem {
        data_type: DataType::Integer,
        length: None,
        ..an_item("版本", "version")
    });
    entry
}

/// Opens the delivery of a resource to a department: projected, masked, half of the rows.
async fn opened(app: &TestApp, entry: &str, person: &str, url: &str) -> Target {
    let mut request = a_request(entry);
    request["columns"] = json!(["code", "name", "phone", "households", "version"]);
    request["condition"] = json!([{ "column": "code", "op": "prefix", "values": ["41"] }]);
    let request = app.as_person(person).post("/requests", request).await.ok();
    let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
    Target {
        subscription: opened["subscription_id"].as_str().unwrap().to_owned(),
        url: url.to_owned(),
        table: opened["table"].as_str().unwrap().to_owned(),
    }
}

/// A source table with its first rows.
async fn fill(url: &str, table: &str) {
    let mut session = sql::Session::open(url).await.unwrap();
    let create = format!(
        "CREATE TABLE {table} (code VARCHAR(12) NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL, \
         parent_code VARCHAR(9) NOT NULL, phone VARCHAR(20), households BIGINT, version BIGINT)"
    );
    session.run(&create).await.unwrap();
    for first in (0..STABLE).step_by(4000) {
        let rows = (first..first + 4000).map(|row| {
            let phone = if row % 7 == 0 {
                "NULL".to_owned()
            } else {
                format!("'138{row:08}'")
            };
            let (code, households) = (code_of(row), row % 900);
            format!("('{code}', '第{row}村', '410402000', {phone}, {households}, 0)")
        });
        let rows: Vec<String> = rows.collect();
        let insert = format!("INSERT INTO {table} VALUES {}", rows.join(", "));
        session.run(&insert).await.unwrap();
    }
}

/// A database of a PostgreSQL that lies in a folder of its own.
fn database_on(server: &TestServer, folder: &Path) -> String {
    std::fs::create_dir(folder).unwrap();
    server.give(folder).unwrap();
    let place = folder.display();
    for statement in [
        format!("CREATE TABLESPACE small LOCATION '{place}'"),
        "CREATE DATABASE small TABLESPACE small".to_owned(),
    ] {
        server.execute(&statement).unwrap();
    }
    let (address, _) = server.url().rsplit_once('/').unwrap();
    format!("{address}/small")
}

/// The table that will be delivered into, made beforehand by its department on a disk of its own.
async fn lay_on(disk: &Path, server: &TestServer, url: &str, table: &str) {
    let folder = disk.join("maria/space");
    if !folder.exists() {
        std::fs::create_dir(&folder).unwrap();
        server.give(&folder).unwrap();
    }
    let create = format!(
        "CREATE TABLE {table} (code VARCHAR(12) NOT NULL PRIMARY KEY, name VARCHAR(60), phone VARCHAR(60), \
         households BIGINT, version BIGINT) DATA DIRECTORY = '{}' CHARACTER SET utf8mb4",
        folder.display()
    );
    sql::run(url, &create).await;
}
