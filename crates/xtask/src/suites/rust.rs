//! All tests of the workspace, and its doc examples.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::Counts;
use crate::proc::{self, Output};
use crate::{repo, setup};

/// Addresses of the private databases, under the names the tests look for.
pub type Environment = Vec<(&'static str, String)>;

/// Runs every test of the workspace under nextest, or under `cargo test` where that is not to be had.
pub fn run(environment: &Environment) -> Result<Counts> {
    let mut counts = if setup::has_nextest() {
        nextest(environment)?
    } else {
        plain(environment, &["--all-targets"])?
    };
    // The doc examples of the libraries; nextest doesn't run them. There may be none.
    counts += plain(
        environment,
        &[
            "--doc",
            "--package",
            "tongqu-domain",
            "--package",
            "tongqu-connectors",
            "--features=tongqu-connectors/odbc",
        ],
    )?;
    Ok(counts)
}

fn nextest(environment: &Environment) -> Result<Counts> {
    let report = junit_path();
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut cargo = repo::cargo()?;
    cargo
        .args([
            "nextest",
            "run",
            "--workspace",
            repo::FEATURES,
            "--locked",
            "--profile",
            "xtask",
        ])
        .envs(environment.iter().cloned());
    let outcome = proc::run(&mut cargo, Output::Show, None)?;
    let Ok(text) = fs::read_to_string(&report) else {
        bail!(
            "nextest {} before it ran a test: the messages above say why",
            outcome.describe()
        );
    };
    Ok(read_junit(&text)?.under_status(outcome.ok()))
}

fn junit_path() -> PathBuf {
    // nextest keeps its store beside the sources, wherever the build goes.
    repo::root().join("target/nextest/xtask/junit.xml")
}

/// Reads the totals from the head of a JUnit report.
fn read_junit(text: &str) -> Result<Counts> {
    let head = text
        .split_once("<testsuites")
        .and_then(|(_, rest)| rest.split_once('>'))
        .context("not a JUnit report")?
        .0;
    let number = |name: &str| -> Result<u64> {
        let value = head
            .split_once(&format!(" {name}=\""))
            .and_then(|(_, rest)| rest.split_once('"'));
        value
            .and_then(|(value, _)| value.parse().ok())
            .with_context(|| format!("the JUnit report has no `{name}`"))
    };
    let failed = number("failures")? + number("errors")?;
    Ok(Counts {
        passed: number("tests")?.saturating_sub(failed),
        failed,
    })
}

fn plain(environment: &Environment, arguments: &[&str]) -> Result<Counts> {
    let mut cargo = repo::cargo()?;
    cargo
        .args(["test", "--locked", "--no-fail-fast"])
        .args(arguments)
        .envs(environment.iter().cloned());
    if !arguments.contains(&"--package") {
        cargo.args(["--workspace", repo::FEATURES]);
    }
    let outcome = proc::run(&mut cargo, Output::Tee, None)?;
    Ok(read_libtest(&outcome.stdout).under_status(outcome.ok()))
}

/// Sums the `test result:` lines of libtest. An ignored test has not passed.
fn read_libtest(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text
        .lines()
        .filter_map(|line| line.strip_prefix("test result: "))
    {
        let before = |word: &str| -> u64 {
            let mut words = line
                .split([' ', ';'])
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .into_iter()
                .rev();
            words.find(|part| *part == word);
            words
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or(0)
        };
        counts.passed += before("passed");
        counts.failed += before("failed") + before("ignored");
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_totals_are_read() {
        let text = r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="12" failures="2" errors="1" time="0.5"><testsuite/></testsuites>"#;
        assert_eq!(
            read_junit(text).unwrap(),
            Counts {
                passed: 9,
                failed: 3
            }
        );
        assert!(read_junit("<testsuites name=\"x\">").is_err());
        assert!(read_junit("nothing").is_err());
    }

    #[test]
    fn libtest_lines_are_summed_and_ignored_is_not_passed() {
        let text = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 4 passed; 1 failed; 1 ignored; 0 measured\n";
        assert_eq!(
            read_libtest(text),
            Counts {
                passed: 6,
                failed: 2
            }
        );
        assert_eq!(read_libtest(""), Counts::default());
    }
}
