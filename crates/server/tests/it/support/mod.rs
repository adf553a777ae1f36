//! A running platform for a test: in process, on a port of its own, with its own folder and clock.
//!
//! What every test gets for nothing stands in [`TestApp::finish`]: the work is done, nothing was logged
//! as an error unexpectedly, the ledger is whole and holds every record, and each reply was one that the
//! OpenAPI document describes.

mod catalogue;
mod documented;
mod exchange;
mod law;
mod live;
mod logs;
pub mod pdf;
mod people;
mod program;
mod random;
mod reply;
mod request;
pub mod xlsx;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tongqu::{
    app::{App, Running},
    platform::{
        clock::Clock,
        config::{self, Config},
        db::outbox,
        jobs, ledger,
    },
    router::router,
};
use tongqu_connectors::testing;

pub use catalogue::{an_entry, an_item, villages_entry};
pub use exchange::{ExchangeDb, Run, more_villages, village_rows};
pub use law::{duty, may_request, step};
pub use program::{Program, Setting, last_words, verified};
pub use random::Random;
pub use reply::{Reply, faults};
pub use request::{a_request, villages_of_41};

/// A Monday morning in China, four working days before the Mid-Autumn Festival of 2026.
pub const START: &str = "2026-09-21T01:00:00Z";

/// Written as the upload of a form: a file is uploaded in the person's name and handed in.
pub const UPLOAD: &str = "upload";

/// The smallest file that passes for a PDF.
const A_PDF: &[u8] =
    b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n";

/// Work that takes longer than this is stuck.
const IDLE_WAIT: Duration = Duration::from_mins(1);

/// The password of everybody in the tests.
pub const PASSWORD: &str = "yunxi-2026-test";

/// A platform under test. End it with [`TestApp::finish`].
pub struct TestApp {
    live: Option<Live>,
    config: Config,
    http: reqwest::Client,
    known: tokio::sync::Mutex<Known>,
    answers: Mutex<Vec<documented::Answer>>,
    is_finished: bool,
    // Last, so that the folder outlives whoever writes into it.
    dir: tempfile::TempDir,
}

struct Live {
    running: Running,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

/// What is left of a platform that was stopped: its folder, and sessions that are still good.
pub struct HandedOver {
    pub dir: tempfile::TempDir,
    pub data_dir: PathBuf,
    /// Where registry and pool are.
    pub stores: config::Stores,
    pub sessions: HashMap<String, String>,
}

/// Ids and sessions, by the short names that the tests use.
#[derive(Default)]
struct Known {
    departments: HashMap<String, String>,
    people: HashMap<String, String>,
    sessions: HashMap<String, String>,
    stores: HashMap<String, String>,
}

impl TestApp {
    /// A platform on embedded stores, set up with its first administrator.
    pub async fn start() -> Self {
        let app = Self::start_empty(|_| {}).await;
        app.set_up().await;
        app
    }

    /// The same with a registry on PostgreSQL, in a database of its own.
    pub async fn on_postgres() -> Self {
        let url = testing::postgres()
            .fresh_database()
            .expect("a private PostgreSQL gives databases");
        let app = Self::start_empty(|config| config.stores.registry_url = url).await;
        app.set_up().await;
        app
    }

    /// A platform with some settings of its own.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let app = Self::start_empty(change).await;
        app.set_up().await;
        app
    }

    /// A platform outside the demo, whose clock is the machine's.
    pub async fn on_the_machines_clock(change: impl FnOnce(&mut Config)) -> Self {
        let app = Self::start_on(Clock::system(), change).await;
        app.set_up().await;
        app
    }

    /// A platform in which there is nobody yet.
    pub async fn start_empty(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(Clock::demo_from(START.parse().unwrap()), change).await
    }

    async fn start_on(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        logs::listen();
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stores")).unwrap();
        let mut config = Config::load(None).unwrap();
        config.stores.data_dir = dir.path().join("data");
        config.exchange.retry_wait_ms = 20;
        config.ledger.head_interval_ms = 100;
        // What is filed is seen at once; tests of the holding time set their own.
        config.request.undo_minutes = 0;
        change(&mut config);
        let mut app = Self {
            live: None,
            config,
            http: reqwest::Client::builder()
                .timeout(Duration::from_mins(1))
                .build()
                .unwrap(),
            known: tokio::sync::Mutex::default(),
            answers: Mutex::default(),
            is_finished: false,
            dir,
        };
        app.open(clock).await;
        app
    }

    async fn open(&mut self, clock: Clock) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let running = App::start(self.config.clone(), clock).await.unwrap();
        let service = router(running.app.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        self.live = Some(Live {
            running,
            address,
            serving,
        });
    }

    async fn close(&mut self) {
        let live = self.live.take().expect("it runs");
        live.serving.abort();
        live.running.stop().await;
    }

    /// Stops and starts again on the same stores; the clock goes on.
    pub async fn restart(&mut self) {
        let now = self.app().clock.now();
        self.close().await;
        self.open(Clock::demo_from(now)).await;
    }

    /// What stands behind the API, for what a test can't ask the API.
    pub fn app(&self) -> &Arc<App> {
        &self.live.as_ref().expect("it runs").running.app
    }

    /// The folder of everything that belongs to this platform.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The folder of the ledger.
    pub fn ledger_dir(&self) -> PathBuf {
        self.config.data_dir().join("ledger")
    }

    /// Moves the clock of law and records; sessions run out with it, so everybody signs in anew.
    pub async fn set_clock(&self, instant: &str) {
        let instant: Timestamp = instant.parse().unwrap();
        self.app().clock.set(instant);
        self.known.lock().await.sessions.clear();
    }

    /// Waits until there is no work left.
    pub async fn idle(&self) {
        let deadline = Instant::now() + IDLE_WAIT;
        loop {
            let mut db = self.app().registry.read().await.unwrap();
            let jobs = jobs::unfinished(&mut db).await.unwrap();
            let waiting = outbox::waiting_ids(&mut db).await.unwrap().len();
            drop(db);
            if jobs == 0 && waiting == 0 {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "still {jobs} jobs and {waiting} records waiting"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the platform and checks what must hold after every test.
    pub async fn finish(self) {
        self.finish_keeping(|| {}).await;
    }

    /// The same; `keep` is called before the folder is removed.
    pub async fn finish_keeping(mut self, keep: impl FnOnce()) {
        self.idle().await;
        let mut db = self.app().registry.read().await.unwrap();
        let records = records_count(&mut db).await;
        drop(db);
        self.close().await;
        self.is_finished = true;
        let report = ledger::verify(&self.ledger_dir(), None).unwrap();
        assert!(
            report.is_whole(),
            "the ledger isn't whole: {:?}",
            report.faults
        );
        assert_eq!(
            (report.records, report.unsigned_records),
            (records, 0),
            "records in the ledger, unsigned ones"
        );
        documented::check(&self.answers.lock().unwrap());
        assert_eq!(
            logs::unexpected(),
            Vec::<String>::new(),
            "errors in the log"
        );
        keep();
    }

    /// Stops the platform and gives its stores to a process of its own.
    pub async fn hand_over(mut self) -> HandedOver {
        self.idle().await;
        let sessions = std::mem::take(&mut self.known.lock().await.sessions);
        self.close().await;
        self.is_finished = true;
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap());
        HandedOver {
            dir,
            data_dir: self.config.data_dir().to_owned(),
            stores: self.config.stores.clone(),
            sessions,
        }
    }

    /// From here on an error with this text in the log is no fault of the test.
    pub fn expects_in_log(&self, text: &str) {
        logs::expect(text);
    }

    /// Everything that the ledger holds, as text.
    pub fn ledger_text(&self) -> String {
        let mut text = String::new();
        for file in std::fs::read_dir(self.ledger_dir()).unwrap() {
            text.push_str(&String::from_utf8_lossy(
                &std::fs::read(file.unwrap().path()).unwrap(),
            ));
        }
        text
    }

    /// Whoever has this login name, see [`people`]; the account is opened when it is first needed.
    pub fn as_person<'a>(&'a self, login_name: &'a str) -> Caller<'a> {
        Caller {
            app: self,
            who: Who::Person(login_name),
            language: "zh-CN",
            headers: Vec::new(),
        }
    }

    /// Somebody who hasn't signed in.
    pub fn as_guest(&self) -> Caller<'_> {
        Caller {
            app: self,
            who: Who::Guest,
            language: "zh-CN",
            headers: Vec::new(),
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(
            self.is_finished || std::thread::panicking(),
            "end the TestApp with finish()"
        );
    }
}

/// How many records of evidence there are.
async fn records_count(db: &mut tongqu::platform::db::Db) -> u64 {
    let wanted = outbox::Wanted::default();
    let mut records = 0;
    let mut before = None;
    loop {
        let page = outbox::find(db, &outbox::Wanted { before, ..wanted }, 1000)
            .await
            .unwrap();
        let more = page.len() > 1000;
        let taken = page.len().min(1000);
        records += u64::try_from(taken).unwrap();
        before = page.get(taken.saturating_sub(1)).map(|r| r.id);
        if !more {
            return records;
        }
    }
}

enum Who<'a> {
    Guest,
    Person(&'a str),
}

/// Calls the API in somebody's name.
pub struct Caller<'a> {
    app: &'a TestApp,
    who: Who<'a>,
    language: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Caller<'_> {
    /// The same person with an English page.
    pub fn in_english(mut self) -> Self {
        self.language = "en";
        self
    }

    /// With a further header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub async fn get(self, path: &str) -> Reply {
        self.call(reqwest::Method::GET, path, None).await
    }

    pub async fn post(self, path: &str, mut body: Value) -> Reply {
        self.upload_forms(&mut body).await;
        self.call(reqwest::Method::POST, path, Some(Body::Json(body)))
            .await
    }

    pub async fn put(self, path: &str, body: Value) -> Reply {
        self.call(reqwest::Method::PUT, path, Some(Body::Json(body)))
            .await
    }

    pub async fn delete(self, path: &str) -> Reply {
        self.call(reqwest::Method::DELETE, path, None).await
    }

    /// Sends bytes as they are.
    pub async fn send(self, path: &str, media_type: &'static str, bytes: Vec<u8>) -> Reply {
        self.call(
            reqwest::Method::POST,
            path,
            Some(Body::Bytes(media_type, bytes)),
        )
        .await
    }

    /// Uploads a file for every form that asks for one with [`UPLOAD`], and names it there.
    async fn upload_forms(&self, body: &mut Value) {
        let Who::Person(login_name) = self.who else {
            return;
        };
        for place in ["/form", "/input/form", "/step/form"] {
            let Some(form) = body.pointer_mut(place) else {
                continue;
            };
            if form["attachment_id"] == UPLOAD {
                let path = "/attachments?kind=sealed_form&name=form.pdf";
                let media_type = "application/octet-stream";
                let caller = self.app.as_person(login_name);
                let uploaded = Box::pin(caller.send(path, media_type, A_PDF.to_vec()))
                    .await
                    .ok();
                form["attachment_id"] = uploaded["attachment_id"].clone();
            }
        }
    }

    /// Uploads a workbook.
    pub async fn upload(self, workbook: Vec<u8>) -> Reply {
        let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        self.send("/catalogue/imports", media_type, workbook).await
    }

    /// Writes without the header that only our own page can set.
    pub async fn post_as_a_foreign_page_would(self, path: &str, body: Value) -> Reply {
        self.request(
            reqwest::Method::POST,
            path,
            Some(Body::Json(body)),
            Forged::Yes,
        )
        .await
    }

    async fn call(self, method: reqwest::Method, path: &str, body: Option<Body>) -> Reply {
        self.request(method, path, body, Forged::No).await
    }

    async fn request(
        self,
        method: reqwest::Method,
        path: &str,
        body: Option<Body>,
        forged: Forged,
    ) -> Reply {
        let session = match self.who {
            Who::Guest => None,
            Who::Person(login_name) => Some(Box::pin(self.app.session_of(login_name)).await),
        };
        let address = self.app.live.as_ref().expect("it runs").address;
        let place = if path.starts_with("/healthz") || path.starts_with("/readyz") {
            ""
        } else {
            "/api/v1"
        };
        let mut request = self
            .app
            .http
            .request(method.clone(), format!("http://{address}{place}{path}"))
            .header("accept-language", self.language);
        if let Some(session) = session {
            request = request.header("cookie", format!("tongqu_session={session}"));
        }
        if matches!(forged, Forged::No) {
            request = request.header("x-requested-with", "tests");
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request = match body {
            None => request,
            Some(Body::Json(body)) => request.json(&body),
            Some(Body::Bytes(media_type, bytes)) => {
                request.header("content-type", media_type).body(bytes)
            }
        };
        let reply = Reply::read(method.as_str(), path, request.send().await.unwrap()).await;
        self.app
            .answers
            .lock()
            .unwrap()
            .push(documented::Answer::of(&reply));
        reply
    }
}

enum Body {
    Json(Value),
    Bytes(&'static str, Vec<u8>),
}

enum Forged {
    Yes,
    No,
}

/// An empty body, for posts that need none.
pub fn nothing() -> Value {
    json!({})
}
