//! The structure checks: what a compiler can't see about where things stand.
//!
//! Each check is a pure function from the tracked files to findings, so that its own tests can show it
//! a small wrong tree. A finding says what to do instead, not only what is wrong.

pub mod clauses;
mod crates;
mod edges;
mod features;
mod hygiene;
mod law;
mod migrations;
mod source;
pub mod spec_index;
mod sql;

use std::fmt;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{proc, repo};
use source::Source;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    /// Counted from 1; 0 where the whole file is meant.
    line: usize,
    what: String,
    instead: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            instead: instead.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path)?;
        if self.line > 0 {
            write!(formatter, ":{}", self.line)?;
        }
        write!(formatter, ": {}. Instead: {}.", self.what, self.instead)
    }
}

/// One rule and the function that finds what breaks it.
pub struct Check {
    pub rule: &'static str,
    pub find: fn(&Tree) -> Vec<Finding>,
}

/// All structure checks, in the order they are reported.
pub const CHECKS: &[Check] = &[
    Check {
        rule: "crates depend along the arrows only",
        find: crates::arrows,
    },
    Check {
        rule: "the domain takes its enums apart without a wildcard",
        find: crates::domain_lints,
    },
    Check {
        rule: "SQL stands in stores only",
        find: sql::sql_outside_stores,
    },
    Check {
        rule: "stores know nothing of HTTP",
        find: sql::http_in_stores,
    },
    Check {
        rule: "the platform knows no feature",
        find: features::platform_names_features,
    },
    Check {
        rule: "features use one another along the allowed pairs",
        find: features::forbidden_edges,
    },
    Check {
        rule: "clock, environment and chance come from the platform",
        find: features::doors,
    },
    Check {
        rule: "no deadline and no regulation is written in code",
        find: law::law_in_code,
    },
    Check {
        rule: "clauses cited in code are in the index",
        find: spec_index::unknown_clauses,
    },
    Check {
        rule: "the clause index tells the truth",
        find: spec_index::untrue,
    },
    Check {
        rule: "migrations have the same names for both engines",
        find: migrations::unpaired,
    },
    Check {
        rule: "tracked files name no machine and no registry",
        find: hygiene::machines_and_registries,
    },
    Check {
        rule: "nothing is left unfinished or switched off",
        find: hygiene::unfinished,
    },
];

/// What the checks look at.
pub struct Tree {
    /// Rust files, taken apart.
    rust: Vec<Source>,
    /// All tracked text files, Rust among them, as they are.
    texts: Vec<(String, String)>,
    /// `cargo metadata --no-deps`.
    metadata: Value,
}

impl Tree {
    /// Reads the checkout.
    pub fn read() -> Result<Self> {
        let mut texts = Vec::new();
        for path in repo::tracked_files()? {
            let bytes =
                fs::read(repo::root().join(&path)).with_context(|| format!("can't read {path}"))?;
            // What isn't text (pictures, packed data) has nothing to check.
            if let Ok(text) = String::from_utf8(bytes) {
                texts.push((path, text));
            }
        }
        let metadata = proc::read(repo::cargo()?.args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--locked",
        ]))?;
        let metadata = serde_json::from_str(&metadata)
            .context("`cargo metadata` printed something else than JSON")?;
        Ok(Self::new(texts, metadata))
    }

    fn new(texts: Vec<(String, String)>, metadata: Value) -> Self {
        let is_rust = |path: &str| ending(path) == "rs";
        let rust = texts
            .iter()
            .filter(|(path, _)| is_rust(path))
            .map(|(path, text)| Source::new(path, text))
            .collect();
        Self {
            rust,
            texts,
            metadata,
        }
    }

    /// A small tree for the checks' own tests.
    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let texts = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Self::new(texts, Value::Null)
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.texts
            .iter()
            .find(|(found, _)| found == path)
            .map(|(_, text)| text.as_str())
    }
}

/// What stands behind the last dot of a path.
fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// The lines of a text with their numbers, counted from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_fault_and_advice() {
        let finding = Finding::new("a.rs", 3, "SQL here", "move it");
        assert_eq!(finding.to_string(), "a.rs:3: SQL here. Instead: move it.");
        assert_eq!(
            Finding::new("a.rs", 0, "b", "c").to_string(),
            "a.rs: b. Instead: c."
        );
    }
}
