//! The portal: it builds, its lints and types hold, its unit tests pass.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Counts;
use crate::proc::{self, Output};
use crate::web;

/// Everything the portal can show by itself; `scratch` takes the report of its test runner.
pub fn run(scratch: &Path) -> Result<Counts> {
    web::build()?;
    let mut counts = Counts::PASSED;
    counts += lint_and_types()?;
    counts += unit_tests(scratch)?;
    Ok(counts)
}

/// Lint and type check, one count each.
pub fn lint_and_types() -> Result<Counts> {
    let mut counts = Counts::default();
    for script in ["lint", "typecheck"] {
        let outcome = proc::run(&mut web::npm(script), Output::Show, None)?;
        println!(
            "{} web {script}",
            if outcome.ok() { "ok" } else { "not ok" }
        );
        counts += if outcome.ok() {
            Counts::PASSED
        } else {
            Counts::FAILED
        };
    }
    Ok(counts)
}

/// The unit tests, counted from the runner's report.
pub fn unit_tests(scratch: &Path) -> Result<Counts> {
    let report = scratch.join("vitest.json");
    let mut npm = web::npm("test");
    npm.args(["--", "--reporter=default", "--reporter=json"])
        .arg(format!("--outputFile.json={}", report.display()));
    let outcome = proc::run(&mut npm, Output::Show, None)?;
    let text = fs::read_to_string(&report)
        .with_context(|| format!("vitest {} and left no report", outcome.describe()))?;
    Ok(read_report(&text)?.under_status(outcome.ok()))
}

/// A test that did not run has not passed.
fn read_report(text: &str) -> Result<Counts> {
    let report: Value = serde_json::from_str(text).context("vitest's report is not JSON")?;
    let number = |name: &str| {
        report[name]
            .as_u64()
            .with_context(|| format!("vitest's report has no `{name}`"))
    };
    let passed = number("numPassedTests")?;
    Ok(Counts {
        passed,
        failed: number("numTotalTests")?.saturating_sub(passed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_tests_have_not_passed() {
        let text = r#"{"numTotalTests": 9, "numPassedTests": 6, "numFailedTests": 2, "numPendingTests": 1, "success": false}"#;
        assert_eq!(
            read_report(text).unwrap(),
            Counts {
                passed: 6,
                failed: 3
            }
        );
        assert!(read_report("{}").is_err());
    }
}
