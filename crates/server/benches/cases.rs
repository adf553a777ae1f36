//! How a registry with a million open cases answers: an officer's desk, and the nightly sweep for overdue
//! steps, on SQLite and on PostgreSQL, each beside what a bare statement over the same rows takes.
//!
//! `cargo xtask bench cases [--json] [--cases N] [--engine sqlite|postgres]`
//!
//! The rows have the shapes that the platform itself writes: one case is opened by the case engine, and
//! copied with other numbers, departments and dates. PostgreSQL is the private server of the tests,
//! which doesn't wait for the disk; SQLite waits, as in service.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark speaks through its standard output"
)]

#[path = "cases/fill.rs"]
mod fill;
#[path = "cases/measure.rs"]
mod measure;

use std::process::ExitCode;

use anyhow::{Context as _, bail};

/// Targets of the product, in milliseconds.
const DESK_TARGET_MS: f64 = 100.0;
const SWEEP_TARGET_MS: f64 = 60_000.0;

/// The engines that can hold a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

struct Options {
    json: bool,
    cases: u32,
    engines: Vec<Engine>,
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    for engine in &options.engines {
        let measured = runtime.block_on(measure::measure(*engine, options.cases))?;
        if options.json {
            println!("{}", measured.json());
        } else {
            print!("{}", measured.text());
        }
    }
    Ok(())
}

fn options(words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        json: false,
        cases: 1_000_000,
        engines: vec![Engine::Sqlite, Engine::Postgres],
    };
    let mut words = words;
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--json" => options.json = true,
            "--cases" => {
                let n = words.next().context("--cases needs a number")?;
                options.cases = n.parse().context("--cases needs a number")?;
            }
            "--engine" => {
                options.engines = match words.next().as_deref() {
                    Some("sqlite") => vec![Engine::Sqlite],
                    Some("postgres") => vec![Engine::Postgres],
                    other => bail!("--engine is sqlite or postgres, not {other:?}"),
                };
            }
            unknown => bail!("{unknown} isn't known: --json, --cases N, --engine sqlite|postgres"),
        }
    }
    if options.cases < 1000 {
        bail!("--cases has to be 1000 or more");
    }
    Ok(options)
}
