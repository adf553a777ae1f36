//! The program as an administrator runs it: a process of its own, which a test may kill.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{HandedOver, PASSWORD};

/// How `tongqu serve` is run.
#[derive(Clone)]
pub struct Setting {
    config: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Setting {
    /// Writes the site's configuration as `name` beside the data folder.
    pub fn of(platform: &HandedOver, name: &str, data_dir: &Path, more: &str) -> Self {
        let config = platform.dir.path().join(name);
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[stores]\ndata_dir = \"{}\"\nregistry_url = \"{}\"\npool_url = \"{}\"\n\
             [request]\nundo_minutes = 0\n{more}",
            data_dir.display(),
            platform.stores.registry_url,
            platform.stores.pool_url,
        );
        std::fs::write(&config, text).unwrap();
        Self {
            config,
            environment: Vec::new(),
        }
    }

    /// With a variable in the program's environment.
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.environment.push((name, value));
        self
    }
}

/// `tongqu serve` as a process; killed when it is dropped.
pub struct Program {
    process: Child,
    base: String,
    http: reqwest::Client,
    session: String,
    // Its reader must not go before the process, or a greeting would end it.
    _stdout: BufReader<tokio::process::ChildStdout>,
}

impl Program {
    /// Starts it, and waits until it answers. What it logs goes into a file beside its configuration.
    pub async fn start(setting: &Setting, session: &str) -> Self {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(setting.config.with_extension("log"))
            .unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tongqu"))
            .args(["serve", "--config"])
            .arg(&setting.config)
            .envs(setting.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let stdout = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        let base = line.trim().rsplit(' ').next().unwrap_or_default();
        assert!(
            base.starts_with("http://127.0.0.1:"),
            "{line}{}",
            last_words(setting)
        );
        Self {
            process,
            base: base.to_owned(),
            http: reqwest::Client::builder().build().unwrap(),
            session: session.to_owned(),
            _stdout: stdout,
        }
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Signs in as somebody, from whom all later calls come.
    pub async fn sign_in(&mut self, login_name: &str) {
        let body = json!({ "login_name": login_name, "password": PASSWORD });
        let request = self.http.post(format!("{}/api/v1/session", self.base));
        let reply = request
            .header("x-requested-with", "tests")
            .json(&body)
            .send()
            .await
            .unwrap();
        let cookie = reply.headers()["set-cookie"].to_str().unwrap();
        let (_, rest) = cookie.split_once("tongqu_session=").unwrap();
        rest.split(';')
            .next()
            .unwrap()
            .clone_into(&mut self.session);
    }

    pub async fn post(&self, path: &str) -> Value {
        let request = self.http.post(format!("{}/api/v1{path}", self.base));
        let request = request.json(&json!({}));
        send(&self.session, path, request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.get_as(&self.session, path).await
    }

    /// In somebody else's name.
    pub async fn get_as(&self, session: &str, path: &str) -> Value {
        let request = self.http.get(format!("{}/api/v1{path}", self.base));
        send(session, path, request).await
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM: it finishes what is under way.
    pub async fn stop(mut self) {
        self.signal("TERM");
        let process = tokio::task::spawn_blocking(move || self.process.wait().unwrap());
        assert!(process.await.unwrap().success(), "it ended badly");
    }

    /// Sends the process a signal by its name.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let sent = kill.arg(format!("-{name}")).arg(self.pid().to_string());
        assert!(sent.status().unwrap().success());
    }
}

async fn send(session: &str, path: &str, request: reqwest::RequestBuilder) -> Value {
    let reply = request
        .header("cookie", format!("tongqu_session={session}"))
        .header("x-requested-with", "tests")
        .send()
        .await
        .unwrap();
    let (status, text) = (reply.status(), reply.text().await.unwrap());
    assert!(status.is_success(), "{path} was answered {status}: {text}");
    serde_json::from_str(&text).unwrap()
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be dead already.
        let _dead = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The end of what the program has logged.
pub fn last_words(setting: &Setting) -> String {
    let log = std::fs::read(setting.config.with_extension("log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// What `tongqu ledger verify` says of a folder, which must be whole.
pub fn verified(ledger: &Path) -> Value {
    let out = Command::new(env!("CARGO_BIN_EXE_tongqu"))
        .args(["ledger", "verify", "--json"])
        .arg(ledger)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stdout)
    );
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["faults"], json!([]));
    report
}
