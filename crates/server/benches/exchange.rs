//! How long a million rows take from a provider's exchange store to a requester's, beside the shortest pipe that
//! PostgreSQL's own tools make, in the same run and interleaved.
//!
//! `cargo xtask bench exchange [--json] [--rows N] [--runs N] [--part road|engines|log]`
//!
//! Two private PostgreSQL servers with the settings of a fresh installation, which wait for the disk: one holds
//! the provider's store and the pool, the other the requester's. A MariaDB server like them, and files of SQLite,
//! take the place of either in the hops between engines. What is followed by the change log stands beside the servers'
//! own logical replication. The figures of a whole run are kept in
//! `bench/results/exchange.json`. Other tools that are installed run beside, see `exchange/peers.rs`.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark speaks through its standard output"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "it stands outside the product, reads its own environment and waits for its own servers"
)]

#[path = "exchange/engines.rs"]
mod engines;
#[path = "exchange/log.rs"]
mod log;
#[path = "exchange/mariadb.rs"]
mod mariadb;
#[path = "exchange/peers.rs"]
mod peers;
#[path = "exchange/person.rs"]
mod person;
#[path = "exchange/report.rs"]
mod report;
#[path = "shared/results.rs"]
mod results;
#[path = "exchange/road.rs"]
mod road;
#[path = "exchange/servers.rs"]
mod servers;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::json;

/// As in service: memory is measured too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    json: bool,
    /// Only the part of this name, if one is named.
    part: Option<String>,
    rows: u64,
    runs: u64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let servers = servers::Servers::from_environment()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let is_wanted = |part: &str| options.part.as_deref().is_none_or(|only| only == part);
    let mut figures = serde_json::Map::new();
    if is_wanted("road") {
        let measured = runtime.block_on(road::measure(&servers, options.rows, options.runs))?;
        print!("{}", measured.text());
        figures.extend(measured.json());
    }
    if is_wanted("engines") {
        let hops = runtime.block_on(engines::measure(&servers, options.rows, options.runs))?;
        print!("{}", hops.text());
        figures.extend(hops.json());
    }
    if is_wanted("log") {
        let followed = runtime.block_on(log::measure(&servers, options.runs))?;
        print!("{}", followed.text());
        figures.extend(followed.json());
    }
    let figures = serde_json::Value::Object(figures);
    if options.part.is_none() {
        results::keep(json!({
            "figures": &figures,
            "rows": options.rows,
            "runs": options.runs,
        }))?;
    }
    if options.json {
        println!("{figures}");
    }
    Ok(())
}

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        json: false,
        part: None,
        rows: 1_000_000,
        runs: 3,
    };
    while let Some(word) = words.next() {
        let mut next = || {
            let next = words.next();
            next.with_context(|| format!("{word} needs something behind it"))
        };
        let mut number = || -> anyhow::Result<u64> {
            let n = next()?;
            n.parse().with_context(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--json" => options.json = true,
            "--part" => options.part = Some(next()?),
            "--rows" => options.rows = number()?,
            "--runs" => options.runs = number()?,
            unknown => {
                bail!("{unknown} isn't known: --json, --rows N, --runs N, --part road|engines|log")
            }
        }
    }
    if !matches!(
        options.part.as_deref(),
        None | Some("road" | "engines" | "log")
    ) {
        bail!("--part is road, engines or log");
    }
    if options.rows < 10_000 || options.runs == 0 {
        bail!("--rows has to be 10000 or more, --runs 1 or more");
    }
    Ok(options)
}
