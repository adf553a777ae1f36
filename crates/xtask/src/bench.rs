//! `cargo xtask bench [NAME]`: the benchmarks of the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::databases::Durability;
use crate::databases::mariadb::start_server;
use crate::databases::postgres::start_cluster;
use crate::demo::{self, Profile};
use crate::setup::{Purpose, setup};
use crate::{portal_bench, proc, repo};

/// The benchmarks that aren't of a crate: the built program under a browser, and under a hundred officers at once.
pub const PORTAL: &str = "portal";
const OFFICERS: &str = "officers";
/// The benchmark that needs servers of its own.
const EXCHANGE: &str = "exchange";
/// Where a benchmark of a crate finds the file that it keeps the figures of a whole run in.
const RESULTS: &str = "TONGQU_BENCH_RESULTS";
/// The benchmarks of a crate that keep them.
const KEPT: [&str; 2] = [EXCHANGE, "search"];

/// Without a name, lists what there is; with one, runs it with the words behind it.
pub fn run(name: Option<&str>, words: &[String]) -> Result<()> {
    let found = benches(&repo::root().join("crates"))?;
    let list: Vec<&str> = found
        .iter()
        .map(|(_, bench)| bench.as_str())
        .chain([OFFICERS, PORTAL])
        .collect();
    let list = list.join(", ");
    let Some(name) = name else {
        println!("benchmarks: {list}");
        return Ok(());
    };
    if name == PORTAL {
        return portal_bench::run(words);
    }
    if name == OFFICERS {
        setup(Purpose::Test)?;
        demo::build(Profile::Release)?;
        return proc::must(
            Command::new("node")
                .arg("bench/officers.mjs")
                .args(words)
                .current_dir(repo::root().join("e2e"))
                .env("TONGQU_BIN", demo::binary(Profile::Release)?),
        );
    }
    let Some((folder, _)) = found.iter().find(|(_, bench)| bench == name) else {
        bail!("there is no benchmark `{name}`; there are: {list}");
    };
    let mut bench = command(folder, name)?;
    bench.arg("--").args(words);
    if KEPT.contains(&name) {
        bench.env(RESULTS, results(name));
    }
    if name == EXCHANGE {
        return exchange(bench);
    }
    proc::must(&mut bench)
}

/// Runs it beside three servers of its own, which wait for the disk as in service.
fn exchange(mut bench: Command) -> Result<()> {
    setup(Purpose::Test)?;
    let scratch = repo::TempDir::new("bench-exchange")?;
    let source = start_cluster(&scratch.path().join("source"), Durability::Waits)?;
    let target = start_cluster(&scratch.path().join("target"), Durability::Waits)?;
    let mariadb = start_server(&scratch.path().join("mariadb"), Durability::Waits)?;
    proc::must(
        bench
            .env("TONGQU_BENCH_SOURCE", &source.url)
            .env("TONGQU_BENCH_TARGET", &target.url)
            .env("TONGQU_BENCH_MARIADB", &mariadb.url),
    )
}

/// The file with the figures of a benchmark.
pub fn results(name: &str) -> PathBuf {
    repo::root().join(format!("bench/results/{name}.json"))
}

/// Builds a benchmark of a crate, and runs it with the words behind `--`.
pub fn command(folder: &str, name: &str) -> Result<Command> {
    let mut cargo = repo::cargo()?;
    let manifest = format!("crates/{folder}/Cargo.toml");
    cargo.args([
        "bench",
        "--locked",
        "--manifest-path",
        &manifest,
        "--bench",
        name,
    ]);
    if folder == "server" {
        cargo.arg(repo::FEATURES);
    }
    Ok(cargo)
}

/// Crate folder and name of each `crates/*/benches/*.rs`.
fn benches(crates: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(crates).with_context(|| format!("can't read {}", crates.display()))? {
        let folder = entry?;
        let Ok(files) = fs::read_dir(folder.path().join("benches")) else {
            continue;
        };
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|ending| ending == "rs") {
                let stem = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                found.push((folder.file_name().to_string_lossy().into_owned(), stem));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_found_in_every_crate() {
        let dir = repo::TempDir::new("bench-test").unwrap();
        for file in [
            "server/benches/search.rs",
            "domain/benches/digest.rs",
            "domain/benches/data.csv",
            "domain/src/lib.rs",
        ] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let expected = [("domain", "digest"), ("server", "search")]
            .map(|(folder, name)| (folder.to_owned(), name.to_owned()));
        assert_eq!(benches(dir.path()).unwrap(), expected);
    }
}
