//! `tongqu demo`: an invented county on real division data, with a clock of its own.
//!
//! Everything in it is made through the same REST API as the portal's; only the departments' own
//! exchange stores are written directly, because in life they are foreign databases.

mod client;
mod county;
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

/// How the demo is run.
#[derive(Debug)]
pub struct Options {
    pub data: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub port: u16,
    pub headless: bool,
    pub json: bool,
}

/// The day and hour at which the demo begins: Monday, 21 September 2026, nine o'clock in China. The
/// Mid-Autumn and National Day holidays with their make-up days lie just ahead.
const BEGINS_AT: &str = "2026-09-21T01:00:00Z";

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
    config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let begins_at: Timestamp = BEGINS_AT.parse().expect("a constant instant");
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
    }
    print(&if options.json {
        greeting_json(&base)
    } else {
        greeting(&base, data)
    })?;
    stop_signal().await;
    served.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// One line for programs.
fn greeting_json(base: &str) -> String {
    let sign_ins: Vec<serde_json::Value> = county::PEOPLE
        .iter()
        .map(|p| {
            serde_json::json!({
                "role": p.posts.join(" "), "department": p.department, "person": p.name,
                "login": p.login_name, "password": county::PASSWORD,
            })
        })
        .collect();
    format!(
        "{}\n",
        serde_json::json!({ "address": base, "sign_ins": sign_ins })
    )
}

fn greeting(base: &str, data: &Path) -> String {
    let people: Vec<String> = county::PEOPLE
        .iter()
        .map(|p| format!("  {:<12} {}  {}", p.login_name, p.name, p.what))
        .collect();
    format!(
        "\nOpen {base}\n\nSign in as (password for all: {}):\n{}\n\n\
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
