//! Starts the platform on a filled registry and asks it over HTTP.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tongqu::{
    app::{App, Running},
    features::supervision,
    platform::{clock::Clock, config::Config},
    router::router,
};
use tongqu_connectors::testing;
use tongqu_domain::law::Pack;

use super::{
    DESK_TARGET_MS, Engine, SWEEP_TARGET_MS,
    fill::{self, DEPARTMENTS, Template},
};

/// How often the desk is asked for.
const DESK_CALLS: usize = 50;
/// How often a bare statement is repeated.
const RAW_CALLS: usize = 5;
/// A Saturday before anything is due, so that the start finds nothing to do.
const BEFORE: &str = "2026-08-01T04:00:00Z";
/// The morning on which the desk is looked at.
const MORNING: &str = "2026-09-21T01:00:00Z";
const PASSWORD: &str = "yunxi-2026-bench";

/// What was measured on one engine. All times are milliseconds.
pub struct Measured {
    engine: Engine,
    cases: u32,
    fill_ms: f64,
    overdue: u64,
    desk_median_ms: f64,
    desk_p95_ms: f64,
    desk_raw_ms: f64,
    sweep_ms: f64,
    sweep_again_ms: f64,
    sweep_raw_ms: f64,
    day_ms: f64,
}

impl Measured {
    pub fn json(&self) -> Value {
        json!({
            "benchmark": "cases",
            "engine": self.engine.name(),
            "cases": self.cases,
            "departments": DEPARTMENTS,
            "overdue": self.overdue,
            "fill_ms": round(self.fill_ms),
            "desk_median_ms": round(self.desk_median_ms),
            "desk_p95_ms": round(self.desk_p95_ms),
            "desk_raw_ms": round(self.desk_raw_ms),
            "desk_ratio": round(self.desk_median_ms / self.desk_raw_ms),
            "desk_target_ms": DESK_TARGET_MS,
            "sweep_ms": round(self.sweep_ms),
            "sweep_again_ms": round(self.sweep_again_ms),
            "sweep_raw_ms": round(self.sweep_raw_ms),
            "sweep_ratio": round(self.sweep_ms / self.sweep_raw_ms),
            "sweep_target_ms": SWEEP_TARGET_MS,
            "digests_ms": round(self.day_ms),
            "held": self.held(),
        })
    }

    pub fn text(&self) -> String {
        format!(
            "{}: {} open cases in {} departments, filled in {:.1} s\n\
             \x20 desk     median {:.1} ms, p95 {:.1} ms (target {DESK_TARGET_MS} ms); bare statement {:.2} ms, ratio {:.0}\n\
             \x20 sweep    {:.1} s for {} overdue steps (target {:.0} s); bare statement {:.0} ms, ratio {:.0}\n\
             \x20 again    {:.1} s when nothing is new; digests of all departments {:.1} s\n\
             \x20 {}\n",
            self.engine.name(),
            self.cases,
            DEPARTMENTS,
            self.fill_ms / 1000.0,
            self.desk_median_ms,
            self.desk_p95_ms,
            self.desk_raw_ms,
            self.desk_median_ms / self.desk_raw_ms,
            self.sweep_ms / 1000.0,
            self.overdue,
            SWEEP_TARGET_MS / 1000.0,
            self.sweep_raw_ms,
            self.sweep_ms / self.sweep_raw_ms,
            self.sweep_again_ms / 1000.0,
            self.day_ms / 1000.0,
            if self.held() {
                "both targets held"
            } else {
                "a target was MISSED"
            },
        )
    }

    fn held(&self) -> bool {
        self.desk_p95_ms < DESK_TARGET_MS && self.sweep_ms < SWEEP_TARGET_MS
    }
}

fn round(n: f64) -> f64 {
    (n * 100.0).round() / 100.0
}

/// A platform that runs.
struct Served {
    running: Running,
    serving: JoinHandle<()>,
    base: String,
    http: reqwest::Client,
}

impl Served {
    async fn start(config: &Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base = format!("http://{}/api/v1", listener.local_addr()?);
        let running = App::start(config.clone(), Clock::demo_from(BEFORE.parse()?)).await?;
        let service = router(running.app.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                eprintln!("the server ended: {error}");
            }
        });
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(30))
            .build()?;
        Ok(Self {
            running,
            serving,
            base,
            http,
        })
    }

    async fn stop(self) {
        self.serving.abort();
        self.running.stop().await;
    }

    async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        session: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(Value, Option<String>)> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-requested-with", "bench")
            .header("cookie", format!("tongqu_session={session}"));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let cookie = response
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.split_once("tongqu_session="))
            .and_then(|(_, rest)| rest.split(';').next())
            .map(str::to_owned);
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{path} was answered {status}: {text}");
        }
        Ok((serde_json::from_str(&text).unwrap_or(Value::Null), cookie))
    }

    async fn post(&self, path: &str, session: &str, body: Value) -> anyhow::Result<Value> {
        let (reply, _) = self
            .call(reqwest::Method::POST, path, session, Some(body))
            .await?;
        Ok(reply)
    }

    async fn sign_in(&self, login_name: &str) -> anyhow::Result<String> {
        let body = json!({ "login_name": login_name, "password": PASSWORD });
        let (_, cookie) = self
            .call(reqwest::Method::POST, "/session", "", Some(body))
            .await?;
        cookie.context("no session came back")
    }

    /// The first administrator, and with their help the security administrator.
    async fn set_up(&self) -> anyhow::Result<()> {
        let token = self
            .running
            .app
            .setup_token
            .lock()
            .map_err(|_| anyhow::anyhow!("the token is lost"))?
            .clone();
        let body = json!({
            "token": token,
            "platform_name": "云溪县政务数据共享交换平台",
            "department": {
                "name": "云溪县政务服务和大数据管理局",
                "credit_code": "11410400005700014X",
                "division_code": "410400",
                "level": "city",
            },
            "login_name": "admin", "name": "系统员", "phone": "0375-7000001", "password": PASSWORD,
        });
        let made = self.post("/setup", "", body).await?;
        let admin = self.sign_in("admin").await?;
        let department = made["department_id"].clone();
        self.person(&admin, "security", &department, json!(["security_admin"]))
            .await?;
        let authority = self
            .person(&admin, "authority", &department, json!([]))
            .await?;
        self.posts(&authority, "authority").await
    }

    async fn person(
        &self,
        admin: &str,
        login_name: &str,
        department_id: &Value,
        posts: Value,
    ) -> anyhow::Result<String> {
        let body = json!({
            "login_name": login_name, "name": login_name, "phone": "0375-7000002", "posts": posts,
            "department_id": department_id, "contractor": false, "password": PASSWORD,
        });
        let made = self.post("/people", admin, body).await?;
        Ok(made["id"].as_str().context("no id came back")?.to_owned())
    }

    async fn posts(&self, person_id: &str, post: &str) -> anyhow::Result<()> {
        let security = self.sign_in("security").await?;
        let path = format!("/people/{person_id}/posts");
        let body = json!({ "posts": [post] });
        self.call(reqwest::Method::PUT, &path, &security, Some(body))
            .await?;
        Ok(())
    }

    /// An officer of a department that the bulk has brought.
    async fn officer(&self) -> anyhow::Result<()> {
        let admin = self.sign_in("admin").await?;
        let department = json!(fill::department_id(7));
        let id = self
            .person(&admin, "officer", &department, json!([]))
            .await?;
        self.posts(&id, "data_officer").await
    }
}

/// Where the registry is, for statements beside the platform.
enum Beside {
    Sqlite(PathBuf),
    Postgres(Box<tokio_postgres::Client>),
}

impl Beside {
    async fn open(engine: Engine, config: &Config) -> anyhow::Result<Self> {
        Ok(match engine {
            Engine::Sqlite => Self::Sqlite(config.data_dir().join("registry.db")),
            Engine::Postgres => {
                let (client, connection) =
                    tokio_postgres::connect(&config.registry_url(), tokio_postgres::NoTls).await?;
                tokio::spawn(connection);
                Self::Postgres(Box::new(client))
            }
        })
    }

    async fn fill(&self, template: &Template, cases: u32) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(path) => fill::into_sqlite(path, template, cases),
            Self::Postgres(client) => fill::into_postgres(client, template, cases).await,
        }
    }

    /// The median time of fetching all rows of a statement, and how many there are.
    async fn time(&self, sql: &str) -> anyhow::Result<(f64, u64)> {
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..RAW_CALLS {
            let begun = Instant::now();
            rows = match self {
                Self::Sqlite(path) => count_rows(path, sql)?,
                Self::Postgres(client) => u64::try_from(client.query(sql, &[]).await?.len())?,
            };
            times.push(elapsed_ms(begun));
        }
        Ok((median(&mut times), rows))
    }
}

fn count_rows(path: &Path, sql: &str) -> anyhow::Result<u64> {
    let db = rusqlite::Connection::open(path)?;
    let mut statement = db.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut n = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            let _value: rusqlite::types::ValueRef<'_> = row.get_ref(column)?;
        }
        n += 1;
    }
    Ok(n)
}

fn elapsed_ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn median(times: &mut [f64]) -> f64 {
    percentile(times, 50)
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(at).copied().unwrap_or(f64::NAN)
}

/// Fills a registry with `cases` open cases and measures the platform on it.
pub async fn measure(engine: Engine, cases: u32) -> anyhow::Result<Measured> {
    let dir = tempfile::tempdir()?;
    let mut config = Config::load(None)?;
    config.stores.data_dir = dir.path().to_owned();
    // The sweep is measured, not cut off.
    config.server.request_timeout_s = 3600;
    // What is filed reaches the desks at once, so that they have something to show.
    config.request.undo_minutes = 0;
    if engine == Engine::Postgres {
        config.stores.registry_url = testing::postgres()
            .fresh_database()
            .map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let served = Served::start(&config).await?;
    served.set_up().await?;
    let pack: Pack = served.running.app.pack().as_ref().clone();
    served.stop().await;

    let template = Template::new(&pack)?;
    let beside = Beside::open(engine, &config).await?;
    let begun = Instant::now();
    beside.fill(&template, cases).await?;
    let fill_ms = elapsed_ms(begun);

    let served = Served::start(&config).await?;
    served.officer().await?;
    served.running.app.clock.set(MORNING.parse()?);
    let measured = ask(&served, &beside, engine, cases, fill_ms).await;
    served.stop().await;
    measured
}

async fn ask(
    served: &Served,
    beside: &Beside,
    engine: Engine,
    cases: u32,
    fill_ms: f64,
) -> anyhow::Result<Measured> {
    let today = fill::today();
    let overdue_sql = format!(
        "SELECT due_on, case_id, step_id, department_id, opened_at FROM tasks WHERE due_on < '{today}' ORDER BY due_on, case_id"
    );
    let desk_sql = format!(
        "SELECT t.case_id, t.step_id, t.opened_at, t.due_on, t.paused, t.counted_at, c.number, c.title, c.subject_kind, \
         c.subject_id, c.requester_department_id, c.provider_department_id FROM tasks t \
         JOIN cases c ON c.id = t.case_id WHERE t.department_id = '{}' \
         ORDER BY t.due_on, t.opened_at, t.case_id LIMIT 200",
        fill::department_id(7)
    );
    // The desk first: the sweep's records aren't what it reads.
    let officer = served.sign_in("officer").await?;
    let get = || served.call(reqwest::Method::GET, "/desk", &officer, None);
    let (desk, _) = get().await?;
    if desk["todo"].as_array().is_none_or(Vec::is_empty) {
        bail!("the desk is empty: {desk}");
    }
    let mut times = Vec::new();
    for _ in 0..DESK_CALLS {
        let begun = Instant::now();
        get().await?;
        times.push(elapsed_ms(begun));
    }
    let (desk_raw_ms, _) = beside.time(&desk_sql).await?;
    let (sweep_raw_ms, overdue) = beside.time(&overdue_sql).await?;

    let authority = served.sign_in("authority").await?;
    let begun = Instant::now();
    let swept = served
        .post("/supervision/sweep", &authority, json!({}))
        .await?;
    let sweep_ms = elapsed_ms(begun);
    let found: u64 = ["notices", "findings", "reminders"]
        .iter()
        .filter_map(|kind| swept[kind].as_u64())
        .sum();
    if found > overdue {
        bail!("the sweep found {found} of {overdue} overdue steps");
    }
    let begun = Instant::now();
    served
        .post("/supervision/sweep", &authority, json!({}))
        .await?;
    let sweep_again_ms = elapsed_ms(begun);
    let begun = Instant::now();
    supervision::new_day(&served.running.app).await?;
    let day_ms = (elapsed_ms(begun) - sweep_again_ms).max(0.0);
    let (_, records) = beside.time("SELECT id FROM findings").await?;
    if records != overdue {
        bail!("{overdue} steps are overdue, and {records} have a record");
    }
    Ok(Measured {
        engine,
        cases,
        fill_ms,
        overdue,
        desk_median_ms: percentile(&mut times, 50),
        desk_p95_ms: percentile(&mut times, 95),
        desk_raw_ms,
        sweep_ms,
        sweep_again_ms,
        sweep_raw_ms,
        day_ms,
    })
}
