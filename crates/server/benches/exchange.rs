//! How long a million rows take from a provider's exchange store to a requester's, beside the shortest pipe that
//! PostgreSQL's own tools make, in the same run and interleaved.
//!
//! `cargo xtask bench exchange [--json] [--rows N] [--runs N]`
//!
//! Two private PostgreSQL servers with the settings of a fresh installation, which wait for the disk: one holds
//! the provider's store and the pool, the other the requester's.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark speaks through its standard output"
)]

#[path = "exchange/person.rs"]
mod person;
#[path = "exchange/report.rs"]
mod report;
#[path = "exchange/road.rs"]
mod road;
#[path = "exchange/servers.rs"]
mod servers;

use std::process::ExitCode;

use anyhow::{Context as _, bail};

/// As in service: memory is measured too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    json: bool,
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
    let measured = runtime.block_on(road::measure(&servers, options.rows, options.runs))?;
    if options.json {
        println!("{}", measured.json());
    } else {
        print!("{}", measured.text());
    }
    Ok(())
}

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        json: false,
        rows: 1_000_000,
        runs: 3,
    };
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<u64> {
            let n = words
                .next()
                .with_context(|| format!("{word} needs a number"))?;
            n.parse().with_context(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--json" => options.json = true,
            "--rows" => options.rows = number()?,
            "--runs" => options.runs = number()?,
            unknown => bail!("{unknown} isn't known: --json, --rows N, --runs N"),
        }
    }
    if options.rows < 10_000 || options.runs == 0 {
        bail!("--rows has to be 10000 or more, --runs 1 or more");
    }
    Ok(options)
}
