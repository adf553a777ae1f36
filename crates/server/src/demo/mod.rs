//! `tongqu demo`: an invented county on real division data, with a clock of its own.
//!
//! Everything in it is made through the same REST API as the portal's; only the departments' own
//! exchange stores are written directly, because in life they are foreign databases.

mod client;
mod county;
mod lively;
mod seed;
mod store;
mod story;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use jiff::Timestamp;

pub use store::change_source;

use crate::{
    cli::{Served, print, runtime, stop_signal},
    features::{demo::CLOCK_SHIFT, directory},
    platform::{clock::Clock, config::Config},
};

/// Which county the demo opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CountyKind {
    /// A month of its life lies behind it: catalogue, requests, disputes, exchanges.
    Lively,
    /// Its people and three entries; for walking the first steps oneself.
    Small,
}

/// How the demo is run.
#[derive(Debug)]
pub struct Options {
    pub county: CountyKind,
    pub data: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub port: u16,
    pub headless: bool,
    pub json: bool,
}

/// The day and hour at which the demo begins: Monday, 21 September 2026, nine o'clock in China. The
/// Mid-Autumn and National Day holidays with their make-up days lie just ahead.
const BEGINS_AT: &str = "2026-09-21T01:00:00Z";

impl Options {
    /// The county; the story without a browser is that of the small one.
    fn county(&self) -> CountyKind {
        if self.headless {
            CountyKind::Small
        } else {
            self.county
        }
    }
}

/// Runs the demo.
///
/// Errors: whatever keeps it from starting, in words for whoever typed the command.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let (data, is_temporary) = match &options.data {
        Some(dir) => (dir.clone(), false),
        None => (
            std::env::temp_dir().join(format!("tongqu-demo-{}", std::process::id())),
            true,
        ),
    };
    std::fs::create_dir_all(&data).with_context(|| format!("can't make {}", data.display()))?;
    let done = runtime()?.block_on(async {
        if options.headless {
            story::walk(&data, options).await
        } else {
            open(&data, options).await
        }
    });
    if is_temporary && let Err(error) = std::fs::remove_dir_all(&data) {
        tracing::warn!(%error, "the temporary folder stays");
    }
    done
}

/// Starts the county in `data` on 127.0.0.1, empty or as it was left.
async fn start(data: &Path, options: &Options) -> anyhow::Result<Served> {
    let mut config = Config::load(options.config.as_deref())?;
    config.stores.data_dir = data.to_owned();
    if options.config.is_none() {
        // Whoever walks both sides of a request in one sitting wants to see it arrive.
        config.request.undo_minutes = 0;
    }
    config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let mut begins_at: Timestamp = BEGINS_AT.parse().expect("a constant instant");
    // A folder goes on as what it was begun as; an empty one becomes what is asked for.
    let is_new = !data.join("secrets").exists();
    let is_lively = lively::lies_in(data) || (is_new && options.county() == CountyKind::Lively);
    if is_lively {
        begins_at = lively::begins_at(begins_at);
        lively::put_rules(&mut config, data)?;
    }
    let served = Served::start(config, Clock::demo_from(begins_at)).await?;
    let mut db = served.app().registry.read().await?;
    if let Some(shift) = directory::setting(&mut db, CLOCK_SHIFT).await? {
        served
            .app()
            .clock
            .restore_shift(shift.parse().context("the kept demo clock can't be read")?);
    }
    Ok(served)
}

async fn open(data: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    if !options.json {
        print("Tongqu demo: preparing an invented county...\n")?;
    }
    let served = start(data, options).await?;
    let base = format!("http://{}", served.address);
    let is_empty = served
        .app()
        .setup_token
        .lock()
        .expect("no holder panics")
        .is_some();
    if is_empty {
        seed::county(&served, data).await?;
        seed::first_entries(&served).await?;
        if options.county == CountyKind::Lively {
            let progress = if options.json {
                lively::Progress::Silent
            } else {
                lively::Progress::Told
            };
            lively::live(&served, data, progress).await?;
        }
    }
    let others = if lively::lies_in(data) {
        lively::officers()?
    } else {
        Vec::new()
    };
    print(&if options.json {
        greeting_json(&base, others)
    } else {
        greeting(&base, data, &others)
    })?;
    stop_signal().await;
    served.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Somebody who may sign in, for the list of sign-ins.
struct SignIn {
    role: String,
    department: String,
    person: String,
    login: String,
}

/// One line for programs.
fn greeting_json(base: &str, others: Vec<SignIn>) -> String {
    let sign_ins: Vec<serde_json::Value> = county::PEOPLE
        .iter()
        .map(|p| SignIn {
            role: p.posts.join(" "),
            department: p.department.to_owned(),
            person: p.name.to_owned(),
            login: p.login_name.to_owned(),
        })
        .chain(others)
        .map(|p| {
            serde_json::json!({
                "role": p.role, "department": p.department, "person": p.person,
                "login": p.login, "password": county::PASSWORD,
            })
        })
        .collect();
    format!(
        "{}\n",
        serde_json::json!({ "address": base, "sign_ins": sign_ins })
    )
}

fn greeting(base: &str, data: &Path, others: &[SignIn]) -> String {
    let people: Vec<String> = county::PEOPLE
        .iter()
        .map(|p| format!("  {:<12} {}  {}", p.login_name, p.name, p.what))
        .collect();
    let others: Vec<String> = others
        .iter()
        .map(|p| format!("{} {}", p.login, p.department))
        .collect();
    let more = if others.is_empty() {
        String::new()
    } else {
        format!(
            "The other departments' data officers: {}.\n\
             A newcomer finds a tour of ten steps in the header: 十步看懂.\n\n",
            others.join(", ")
        )
    };
    format!(
        "\nOpen {base}\n\nSign in as (password for all: {}):\n{}\n\n{more}\
         Templates to upload as tongji, in {}:\n  \
         {} (two entries are faulty), then {}\n\
         Everything lies in {}. Ctrl-C ends the demo.\n",
        county::PASSWORD,
        people.join("\n"),
        data.join("templates").display(),
        seed::FAULTY,
        seed::CORRECTED,
        data.display()
    )
}
