//! How fast the catalogue is searched: a fixed mixture of what officials type, on 100,000 and 1,000,000 entries,
//! with facet counts, highlighting and permission filtering, beside a plain scan for the typed text.
//!
//! `cargo xtask bench search [--json] [--entries N]... [--kept FOLDER]`
//!
//! The index is built and asked through the very functions that the server calls; HTTP and the registry are left out.
//! The judged queries of `bench/search/` are asked as well. The figures of a whole run, which builds the index of both
//! sizes anew, are kept in `bench/results/search.json`.
//!
//! `--fill REGISTRY` puts so many entries into the SQLite registry of a platform that doesn't run, and measures nothing:
//! the benchmark of the portal uses it.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark speaks through its standard output"
)]

#[path = "search/entries.rs"]
mod entries;
#[path = "search/fill.rs"]
mod fill;
#[path = "search/judged.rs"]
mod judged;
#[path = "search/measure.rs"]
mod measure;
#[path = "search/queries.rs"]
mod queries;
#[path = "shared/results.rs"]
mod results;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use serde_json::json;

/// As in service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The sizes of a whole run.
const SIZES: [usize; 2] = [100_000, 1_000_000];

struct Options {
    json: bool,
    /// Only these sizes, if any are named.
    sizes: Vec<usize>,
    /// Where indexes stay from run to run.
    kept: Option<PathBuf>,
    /// A registry to be filled instead of measuring.
    fill: Option<PathBuf>,
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
    if let Some(registry) = &options.fill {
        for size in options.sizes() {
            fill::registry(registry, *size)?;
        }
        return Ok(());
    }
    let judgement = judged::judge()?;
    if !options.json {
        print!("judged queries\n{}", judgement.text());
    }
    let mut figures = Vec::new();
    for size in options.sizes() {
        let measured = measure::measure(*size, options.kept.as_deref())?;
        figures.push(measured.json(&judgement));
        match figures.last() {
            Some(line) if options.json => println!("{line}"),
            _ => print!("{}", measured.text()),
        }
    }
    if options.is_whole() {
        results::keep(json!({ "figures": figures }))?;
    }
    Ok(())
}

impl Options {
    fn sizes(&self) -> &[usize] {
        if self.sizes.is_empty() {
            &SIZES
        } else {
            &self.sizes
        }
    }

    /// All is measured, the building of the indexes too.
    fn is_whole(&self) -> bool {
        self.sizes.is_empty() && self.kept.is_none()
    }
}

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        json: false,
        sizes: Vec::new(),
        kept: None,
        fill: None,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--json" => options.json = true,
            "--entries" => {
                let n = words.next().context("--entries needs a number")?;
                options
                    .sizes
                    .push(n.parse().context("--entries needs a number")?);
            }
            "--kept" => options.kept = Some(words.next().context("--kept needs a folder")?.into()),
            "--fill" => {
                options.fill = Some(words.next().context("--fill needs a registry")?.into());
            }
            unknown => {
                bail!("{unknown} isn't known: --json, --entries N, --kept FOLDER, --fill REGISTRY")
            }
        }
    }
    Ok(options)
}
