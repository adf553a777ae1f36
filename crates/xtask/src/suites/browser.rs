//! The end-to-end tests: Chromium against the real program, under `e2e/run.mjs`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Counts, rust::Environment};
use crate::proc::{self, Output};
use crate::{repo, setup};

/// Every story on both registries takes about half of this on two cores.
const LIMIT: Duration = Duration::from_mins(50);

/// Runs all stories in the browser, on SQLite and on the PostgreSQL of `databases`, and counts their steps.
pub fn run(binary: &Path, scratch: &Path, databases: &Environment) -> Result<Counts> {
    let chromium =
        setup::chromium().context("Chromium is missing: `cargo xtask setup` installs it")?;
    let mut node = Command::new("node");
    node.arg("run.mjs")
        .current_dir(repo::root().join("e2e"))
        .env("TONGQU_BIN", binary)
        .env("TONGQU_CHROMIUM", chromium)
        .env("TONGQU_SCRATCH", scratch)
        .envs(databases.iter().cloned());
    let outcome = proc::run(&mut node, Output::Tee, Some(LIMIT))?;
    let counts = read_lines(&outcome.stdout).under_status(outcome.ok());
    if !outcome.ok() {
        println!("the browser tests {}", outcome.describe());
    }
    Ok(counts)
}

/// Counts the lines `ok ...` and `not ok ...`.
fn read_lines(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        if line.starts_with("ok ") {
            counts.passed += 1;
        } else if line.starts_with("not ok ") {
            counts.failed += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_runner_are_counted() {
        let text = "# story\nok sign in\nnot ok search\n  not ok is indented here and counts for nothing\nok axe\n";
        assert_eq!(
            read_lines(text),
            Counts {
                passed: 2,
                failed: 1
            }
        );
    }
}
