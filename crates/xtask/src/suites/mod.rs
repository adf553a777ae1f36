//! The suites of `cargo xtask test`, each of which gives back what it counted.
//!
//! Nothing here trusts an exit status alone: passed and failed come from a report of the runner, a
//! runner that fails without naming a failure adds one, and a suite without a single test has failed.

pub mod browser;
pub mod rust;
pub mod story;
pub mod structure;
pub mod web;

use std::fmt;
use std::ops::AddAssign;

use anyhow::Result;

/// What one suite counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
}

impl Counts {
    pub const PASSED: Self = Self {
        passed: 1,
        failed: 0,
    };
    pub const FAILED: Self = Self {
        passed: 0,
        failed: 1,
    };

    /// Counts of a runner that also ended with a status: if that speaks of a failure which the report
    /// doesn't show, it counts as one.
    pub fn under_status(self, succeeded: bool) -> Self {
        if succeeded || self.failed > 0 {
            self
        } else {
            Self { failed: 1, ..self }
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The sum over all suites of a run, and why those failed that did not count themselves.
#[derive(Default)]
pub struct Report {
    rows: Vec<(String, Counts, Option<String>)>,
}

impl Report {
    /// Adds what a suite counted, or one failure with its reason if it could not run.
    pub fn add(&mut self, suite: &str, result: Result<Counts>) {
        let (counts, reason) = match result {
            Ok(counts) if counts == Counts::default() => {
                (Counts::FAILED, Some("ran no test at all".to_owned()))
            }
            Ok(counts) => (counts, None),
            Err(error) => (Counts::FAILED, Some(format!("{error:#}"))),
        };
        println!(
            "== {suite}: {counts}{}",
            reason
                .as_ref()
                .map(|reason| format!(" ({reason})"))
                .unwrap_or_default()
        );
        self.rows.push((suite.to_owned(), counts, reason));
    }

    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for (_, counts, _) in &self.rows {
            total += *counts;
        }
        total
    }

    /// One line per suite and, as the very last, the total. Gives back whether everything passed.
    pub fn print(&self) -> bool {
        println!();
        for (suite, counts, reason) in &self.rows {
            println!(
                "{suite:<12} {counts}{}",
                reason
                    .as_ref()
                    .map(|reason| format!("  <- {reason}"))
                    .unwrap_or_default()
            );
        }
        let total = self.total();
        println!("{total}");
        total.failed == 0 && total.passed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_suite_and_one_that_could_not_start_have_failed() {
        let mut report = Report::default();
        report.add(
            "rust",
            Ok(Counts {
                passed: 7,
                failed: 0,
            }),
        );
        assert!(report.print());
        report.add("browser", Ok(Counts::default()));
        report.add("story", Err(anyhow::anyhow!("no program")));
        assert_eq!(
            report.total(),
            Counts {
                passed: 7,
                failed: 2
            }
        );
        assert!(!report.print());
    }

    #[test]
    fn a_failing_status_without_a_failed_test_counts() {
        let counts = Counts {
            passed: 3,
            failed: 0,
        };
        assert_eq!(
            counts.under_status(false),
            Counts {
                passed: 3,
                failed: 1
            }
        );
        assert_eq!(counts.under_status(true), counts);
        assert_eq!(
            Counts {
                passed: 3,
                failed: 2
            }
            .under_status(false)
            .failed,
            2
        );
    }
}
