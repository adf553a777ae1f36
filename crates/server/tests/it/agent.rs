//! Agents: `tongqu agent` as a process of its own in a department's network, whose line a test may cut and slow down.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::support::{
    ExchangeDb, Run, TestApp, more_villages, nothing, village_rows, villages_entry, villages_of_41,
};

const WAIT_MAX: Duration = Duration::from_mins(1);

async fn started() -> TestApp {
    TestApp::start_with(|config| {
        "127.0.0.1:0".clone_into(&mut config.agents.listen);
        config.agents.patience_s = 20;
        config.node.heartbeat_s = 1;
    })
    .await
}

/// The network between agents and platform: everything passes here, until it is cut.
pub struct Network {
    at: SocketAddr,
    pub fate: Arc<Fate>,
    carrying: JoinHandle<()>,
}

#[derive(Default)]
pub struct Fate {
    /// Bytes after which a connection is cut; 0: never.
    pub cut_after: AtomicU64,
    pub cuts: AtomicU64,
    /// Bytes a second of a connection, either way; 0: as fast as it goes.
    pub bytes_a_second: AtomicU64,
    /// Connections aren't let through at all.
    is_down: AtomicU64,
}

impl Network {
    async fn to(platform: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let fate = Arc::new(Fate::default());
        let carrying = tokio::spawn({
            let fate = fate.clone();
            async move {
                loop {
                    let (agent, _) = listener.accept().await.unwrap();
                    tokio::spawn(connection(agent, platform, fate.clone()));
                }
            }
        });
        Self { at, fate, carrying }
    }

    /// Takes the network down, or up again; connections that there are go with it.
    pub fn set_down(&self, down: bool) {
        self.fate.is_down.store(u64::from(down), Ordering::SeqCst);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn connection(agent: TcpStream, platform: SocketAddr, fate: Arc<Fate>) {
    let Ok(platform) = TcpStream::connect(platform).await else {
        return;
    };
    let passed = AtomicU64::new(0);
    let ((from_agent, to_agent), (from_platform, to_platform)) =
        (agent.into_split(), platform.into_split());
    let down = async {
        while fate.is_down.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = carry(from_agent, to_platform, &fate, &passed) => {}
        () = carry(from_platform, to_agent, &fate, &passed) => {}
        () = down => {}
    }
    fate.cuts.fetch_add(1, Ordering::SeqCst);
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    fate: &Fate,
    passed: &AtomicU64,
) {
    let mut piece = vec![0; 8 << 10];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let bytes = u64::try_from(read).unwrap();
        let before = passed.fetch_add(bytes, Ordering::SeqCst);
        let limit = fate.cut_after.load(Ordering::SeqCst);
        if limit > 0 && before > limit {
            return;
        }
        let rate = fate.bytes_a_second.load(Ordering::SeqCst);
        if let Some(micros) = (bytes * 1_000_000).checked_div(rate) {
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

/// An agent of a department beside one store named `own`.
pub struct Agent {
    id: String,
    config: PathBuf,
    data_dir: PathBuf,
    process: Option<Child>,
}

impl Agent {
    /// Invited, enrolled and started; its store is registered as the department's.
    async fn beside(app: &TestApp, network: &Network, department: &str, url: &str) -> Self {
        let mut agent = Self::invited(app, network, department, url).await;
        agent.start();
        agent.is(app, "connected").await;
        let address = format!("agent://{}/own", agent.id);
        app.register_store(department, &address).await;
        agent
    }

    async fn invited(app: &TestApp, network: &Network, department: &str, url: &str) -> Self {
        let body = json!({ "department_id": app.department(department).await, "name": format!("{department}前置机") });
        let invited = app.as_person("admin").post("/agents", body).await.ok();
        assert_eq!(invited["agent"]["state"], "invited");
        let data_dir = app.dir().join(format!("agent-{department}"));
        let config = app.dir().join(format!("agent-{department}.toml"));
        let text = format!(
            "hubs = [\"{}\"]\ndata_dir = \"{}\"\nspool_mb_max = 8\n[stores]\nown = \"{url}\"\n",
            network.at,
            data_dir.display()
        );
        std::fs::write(&config, text).unwrap();
        let agent = Self {
            id: invited["agent"]["id"].as_str().unwrap().to_owned(),
            config,
            data_dir,
            process: None,
        };
        let enrolled = agent.enrol(invited["code"].as_str().unwrap()).await;
        let said = String::from_utf8_lossy(&enrolled.stderr).into_owned();
        assert!(enrolled.status.success(), "{said}");
        agent
    }

    /// Runs `tongqu agent --enrol`.
    async fn enrol(&self, code: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tongqu"));
        command.args(["agent", "--config"]).arg(&self.config);
        command.args(["--enrol", code]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    pub fn start(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.config.with_extension("log"))
            .unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_tongqu"))
            .args(["agent", "--config"])
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    async fn view(&self, app: &TestApp) -> Value {
        let agents = app.as_person("operator").get("/agents").await.ok();
        let agents = agents["items"].as_array().unwrap().clone();
        agents
            .into_iter()
            .find(|it| it["id"] == self.id.as_str())
            .unwrap()
    }

    async fn is(&self, app: &TestApp, state: &str) -> Value {
        let begun = Instant::now();
        loop {
            let view = self.view(app).await;
            if view["state"] == state {
                return view;
            }
            let log = std::fs::read_to_string(self.config.with_extension("log"));
            assert!(
                begun.elapsed() < WAIT_MAX,
                "{state} is awaited: {view}\n{}",
                log.unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn identity(&self) -> Value {
        let text = std::fs::read_to_string(self.data_dir.join("identity.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn set_identity(&self, identity: &Value) {
        let text = identity.to_string();
        std::fs::write(self.data_dir.join("identity.json"), text).unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Statistics and civil affairs, each behind an agent of its own.
pub struct Scene {
    pub app: TestApp,
    pub network: Network,
    pub source: ExchangeDb,
    pub target: ExchangeDb,
    pub provider: Agent,
    pub requester: Agent,
}

impl Scene {
    pub async fn new() -> Self {
        let app = started().await;
        let network = Network::to(app.app().lines.listening().unwrap().at).await;
        let folder = app.dir().join("away");
        std::fs::create_dir_all(&folder).unwrap();
        let source = database(&folder, "stats");
        let target = database(&folder, "civil");
        let provider = Agent::beside(&app, &network, "stats", &source.url()).await;
        let requester = Agent::beside(&app, &network, "civil", &target.url()).await;
        Self {
            app,
            network,
            source,
            target,
            provider,
            requester,
        }
    }

    /// Villages of which those of province 41 are granted and delivered.
    pub async fn delivered(&self, rows: u32) -> (String, String) {
        let app = &self.app;
        self.source.sql(&village_rows(rows));
        let entry = villages_entry("行政区划代码", "unconditional");
        let entry = app.published_entry(&entry).await;
        app.mount(&entry, "division_village").await;
        let request = app
            .as_person("civil")
            .post("/requests", villages_of_41(&entry))
            .await
            .ok();
        let opened = app.deliver(request["request_id"].as_str().unwrap()).await;
        let subscription = opened["subscription_id"].as_str().unwrap().to_owned();
        (entry, subscription)
    }

    pub fn expected(&self) -> Vec<Vec<String>> {
        let sql = "SELECT code, name FROM division_village WHERE code LIKE '41%' ORDER BY code";
        self.source.rows(sql)
    }

    pub fn held(&self) -> Vec<Vec<String>> {
        self.target
            .rows("SELECT code, name FROM division_village ORDER BY code")
    }

    pub async fn arrives(&self) {
        let begun = Instant::now();
        while self.held() != self.expected() {
            assert!(begun.elapsed() < WAIT_MAX, "it doesn't arrive");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn run_again(&self, subscription: &str) {
        let path = format!("/subscriptions/{subscription}/runs");
        let operator = self.app.as_person("operator");
        operator.post(&path, nothing()).await.ok();
    }
}

fn database(folder: &Path, name: &str) -> ExchangeDb {
    let db = ExchangeDb::at(&folder.join(format!("{name}.db")));
    db.sql("PRAGMA journal_mode = WAL");
    db
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_travel_between_two_departments_networks() {
    let scene = Scene::new().await;
    let (entry, subscription) = scene.delivered(2000).await;
    assert_eq!(scene.held(), scene.expected());
    let run: Run = scene.app.last_run("civil", &entry, "delivery").await;
    assert_eq!(run.state(), "succeeded");
    assert_eq!(run.0["source_digest"], run.0["target_digest"]);
    scene.source.sql(&more_villages(2000, 500));
    scene
        .source
        .sql("DELETE FROM division_village WHERE code < '410402000100'");
    scene.app.run_again(&subscription).await;
    assert_eq!(scene.held(), scene.expected());
    let view = scene.provider.is(&scene.app, "connected").await;
    assert_eq!(view["stores"][0]["engine"], "sqlite");
    assert_eq!(
        view["stores"][0]["url"],
        format!("agent://{}/own", scene.provider.id)
    );
    let stores = scene.app.as_person("admin").get("/stores").await.ok();
    assert!(
        stores["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["engine"] == "agent")
    );
    let ledger = scene.app.ledger_text();
    assert!(ledger.contains("agent.invited") && ledger.contains("agent.enrolled"));
    assert!(
        !ledger.contains("sqlite:"),
        "addresses stay with the agents"
    );
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_cut_again_and_again_loses_nothing() {
    let scene = Scene::new().await;
    let fate = &scene.network.fate;
    fate.cut_after.store(400_000, Ordering::SeqCst);
    let (entry, _) = scene.delivered(20_000).await;
    assert_eq!(scene.held(), scene.expected());
    assert!(fate.cuts.load(Ordering::SeqCst) >= 2, "it was never cut");
    let run = scene.app.last_run("civil", &entry, "delivery").await;
    assert_eq!(run.state(), "succeeded");
    assert_eq!(
        scene.app.runs(&entry, "delivery").await.len(),
        1,
        "it went on each time"
    );
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_while_the_network_was_down_comes_when_it_is_back() {
    let scene = Scene::new().await;
    let (_, subscription) = scene.delivered(200).await;
    scene.app.expects_in_log("store.unreachable");
    scene.network.set_down(true);
    scene.requester.is(&scene.app, "away").await;
    scene.source.sql(&more_villages(200, 100));
    scene.run_again(&subscription).await;
    scene.app.idle().await;
    assert_ne!(scene.held(), scene.expected());
    scene.network.set_down(false);
    scene.arrives().await;
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_good_once_and_for_this_platform_only() {
    let app = started().await;
    let network = Network::to(app.app().lines.listening().unwrap().at).await;
    let url = database(app.dir(), "own").url();
    let agent = Agent::invited(&app, &network, "stats", &url).await;
    let path = format!("/agents/{}/codes", agent.id);
    let earlier = app.as_person("admin").post(&path, nothing()).await.ok();
    let invited = app.as_person("admin").post(&path, nothing()).await.ok();
    let code = invited["code"].as_str().unwrap();
    let (rest, fingerprint) = code.rsplit_once('.').unwrap();
    let other = format!("{rest}.{}", fingerprint.chars().rev().collect::<String>());
    for (code, said) in [
        (other.as_str(), "isn't the platform"),
        (earlier["code"].as_str().unwrap(), "code isn't valid"),
        ("nonsense", "three parts"),
    ] {
        let refused = agent.enrol(code).await;
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains(said), "{text}");
    }
    let before = agent.identity();
    assert!(agent.enrol(code).await.status.success());
    assert_ne!(agent.identity()["certificate"], before["certificate"]);
    assert!(!agent.enrol(code).await.status.success(), "once only");
    // What it had before is good no longer.
    agent.set_identity(&before);
    let mut agent = agent;
    agent.start();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(agent.view(&app).await["state"], "away");
    let officer = app.as_person("stats").post(&path, nothing()).await;
    assert_eq!(officer.status, 403);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_in_time_and_the_one_before_it_ends() {
    let app = started().await;
    let network = Network::to(app.app().lines.listening().unwrap().at).await;
    let url = database(app.dir(), "own").url();
    let mut agent = Agent::invited(&app, &network, "stats", &url).await;
    let mut before = agent.identity();
    before["issued_at"] = json!("2020-01-01T00:00:00Z");
    agent.set_identity(&before);
    agent.start();
    agent.is(&app, "connected").await;
    let begun = Instant::now();
    while !app.ledger_text().contains("agent.certificate_changed") {
        assert!(begun.elapsed() < WAIT_MAX, "it isn't renewed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = agent.identity();
    assert_ne!(after["certificate"], before["certificate"]);
    agent.is(&app, "connected").await;
    agent.kill();
    agent.is(&app, "away").await;
    agent.set_identity(&before);
    agent.start();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        agent.view(&app).await["state"],
        "away",
        "it shows the old one"
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_shut_out_reaches_nothing_any_more() {
    let scene = Scene::new().await;
    let path = format!("/agents/{}/revocation", scene.requester.id);
    assert_eq!(
        scene
            .app
            .as_person("operator")
            .post(&path, nothing())
            .await
            .status,
        403
    );
    let revoked = scene
        .app
        .as_person("admin")
        .post(&path, nothing())
        .await
        .ok();
    assert_eq!(
        (&revoked["state"], &revoked["actions"]),
        (&json!("revoked"), &json!([]))
    );
    let again = scene.app.as_person("admin").post(&path, nothing()).await;
    again.refused(409, "agent.revoked");
    let begun = Instant::now();
    while scene
        .app
        .app()
        .lines
        .to(&scene.requester.id)
        .welcome()
        .is_some()
    {
        assert!(begun.elapsed() < WAIT_MAX, "its line isn't cut");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let checks = scene
        .app
        .as_person("operator")
        .post("/nodes/store-checks", nothing())
        .await
        .ok();
    let states: Vec<_> = checks["stores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert!(
        states.contains(&json!("reachable")) && states.contains(&json!("unreachable")),
        "{states:?}"
    );
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_port_nobody_is_invited() {
    let app = TestApp::start().await;
    let body = json!({ "department_id": app.department("stats").await, "name": "x" });
    let refused = app.as_person("admin").post("/agents", body).await;
    refused.refused(409, "agent.not_listening");
    let bad = started().await;
    let body = json!({ "department_id": "nobody", "name": "x" });
    let refused = bad.as_person("admin").post("/agents", body).await;
    refused.refused(422, "agent.invalid");
    app.finish().await;
    bad.finish().await;
}
