//! The county of `tongqu demo` that lives: as large as promised, in every state and under every lamp, with a
//! month of exchanges, two failures and their cures, and a ledger that holds. All of it is asked of the API of the
//! real program.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// The password that the demo prints.
const PASSWORD: &str = "yunxi-2026";

#[tokio::test]
async fn the_lively_county_is_as_large_and_as_varied_as_promised() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path()).await;
    let operator = demo.sign_in("yunying").await;
    let authority = demo.sign_in("zhuguan").await;

    let departments = authority.get("/departments").await;
    assert!(departments["items"].as_array().unwrap().len() >= 24);
    the_catalogue(&authority).await;
    the_cases(&operator).await;
    the_exchanges(&operator).await;

    let today = authority.get("/platform").await["today"].clone();
    assert_eq!(today, "2026-09-21", "the demo's own day");
    demo.stop();
    let verified = Command::new(env!("CARGO_BIN_EXE_tongqu"))
        .args(["ledger", "verify"])
        .arg(dir.path().join("ledger"))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(verified.success(), "the ledger doesn't hold");
}

/// 300 entries, some of each class, and at least 20 with several versions.
async fn the_catalogue(viewer: &Viewer) {
    let mut of_class: BTreeMap<char, usize> = BTreeMap::new();
    let mut several = 0;
    let mut page = 1;
    loop {
        let found = viewer
            .get(&format!("/catalogue/entries?size=100&page={page}"))
            .await;
        let hits = found["items"].as_array().unwrap().clone();
        for hit in &hits {
            let entry = viewer
                .get(&format!("/catalogue/entries/{}", text(hit, "entry_id")))
                .await;
            let class = text(&entry["content"], "class_code")
                .chars()
                .next()
                .unwrap();
            *of_class.entry(class).or_default() += 1;
            several += usize::from(entry["version_no"].as_u64().unwrap() > 1);
        }
        if hits.len() < 100 {
            break;
        }
        page += 1;
    }
    assert!(of_class.values().sum::<usize>() >= 300, "{of_class:?}");
    for class in ['1', '2', '3'] {
        assert!(of_class[&class] >= 30, "{of_class:?}");
    }
    assert!(several >= 20, "{several} entries with several versions");
}

/// 60 cases in every state, with open steps under every lamp; demands in every state but those of lists upward.
async fn the_cases(operator: &Viewer) {
    let cases = operator.all("/cases?scope=all").await;
    let states = counted(&cases, "state");
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for state in ["open", "completed", "refused", "not_accepted", "withdrawn"] {
        assert!(states.contains_key(state), "no case is {state}: {states:?}");
    }
    let processes = counted(&cases, "process_id");
    assert!(processes.len() >= 8, "{processes:?}");
    let mut lamps: BTreeMap<String, usize> = BTreeMap::new();
    let mut prolonged = 0;
    for case in cases.iter().filter(|case| case["state"] == "open") {
        let case = operator
            .get(&format!("/cases/{}", text(case, "case_id")))
            .await;
        for step in case["steps"].as_array().unwrap() {
            let is_done = step["state"] == "done" && step["id"] == "extend";
            prolonged += usize::from(is_done);
            if step["state"] == "open" || step["state"] == "paused" {
                *lamps.entry(text(&step["clock"], "kind")).or_default() += 1;
            }
        }
    }
    for lamp in [
        "on_time",
        "due_soon",
        "due_today",
        "overdue",
        "paused",
        "no_limit",
    ] {
        assert!(lamps.contains_key(lamp), "no lamp is {lamp}: {lamps:?}");
    }
    assert!(prolonged >= 2, "{prolonged} limits were prolonged");
    let demands = operator.all("/demands?scope=all").await;
    assert!(counted(&demands, "state").len() >= 3, "{demands:?}");
}

/// Exchanges on most days of the month; two that failed, each followed by one that succeeded.
async fn the_exchanges(operator: &Viewer) {
    let mut runs = operator.all("/runs").await;
    runs.reverse();
    let days: BTreeSet<String> = runs
        .iter()
        .map(|run| text(run, "started_at")[..10].to_owned())
        .collect();
    assert!(days.len() >= 20, "runs on {} days", days.len());
    // An episode: one or more failures of the same delivery or collection in a row, and what came after.
    let mut standing: BTreeMap<String, &str> = BTreeMap::new();
    let mut failed = 0;
    for run in &runs {
        let what = format!(
            "{} {} {}",
            run["entry_id"], run["kind"], run["requester_name"]
        );
        let state = run["state"].as_str().unwrap();
        if state == "failed" && standing.get(&what) != Some(&"failed") {
            failed += 1;
        }
        standing.insert(what, state);
    }
    assert_eq!(failed, 2, "episodes of failure");
    let broken = standing.iter().filter(|(_, state)| **state != "succeeded");
    assert_eq!(broken.count(), 0, "{standing:?}");
    let quarantined = runs
        .iter()
        .filter(|run| run["counts"]["quarantined"].as_u64() > Some(0));
    assert!(quarantined.count() > 0, "no row was held back");
    assert!(
        runs.iter()
            .all(|run| run["state"] == "failed" || run["counts"]["adds_up"] == true)
    );
}

fn counted(lines: &[Value], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(text(line, field)).or_default() += 1;
    }
    counts
}

fn text(value: &Value, field: &str) -> String {
    let found = value[field].as_str();
    found
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

/// `tongqu demo` as a process.
struct Demo {
    process: Child,
    base: String,
}

impl Demo {
    async fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tongqu"))
            .args(["--log", "error", "demo", "--json", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await.unwrap();
        let said: Value = serde_json::from_str(&line).expect("the demo says where it is");
        Self {
            process,
            base: text(&said, "address"),
        }
    }

    async fn sign_in(&self, login: &str) -> Viewer {
        let http = reqwest::Client::builder().build().unwrap();
        let reply = http
            .post(format!("{}/api/v1/session", self.base))
            .header("x-requested-with", "tests")
            .json(&json!({ "login_name": login, "password": PASSWORD }))
            .send()
            .await
            .unwrap();
        let cookie = reply.headers()["set-cookie"].to_str().unwrap();
        Viewer {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            http,
            base: format!("{}/api/v1", self.base),
        }
    }

    fn stop(mut self) {
        let told = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        assert!(told.unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already unless the test has failed.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Somebody who is signed in.
struct Viewer {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

impl Viewer {
    async fn get(&self, path: &str) -> Value {
        let reply = self
            .http
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .send()
            .await
            .unwrap();
        let status = reply.status();
        let body = reply.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// All lines of a list.
    async fn all(&self, path: &str) -> Vec<Value> {
        let and = if path.contains('?') { '&' } else { '?' };
        let mut lines = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{and}size=100{cursor}")).await;
            lines.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return lines,
            }
        }
    }
}
