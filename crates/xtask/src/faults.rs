//! `cargo xtask faults`: the fault suite of the exchange with as many rounds as one has time for. `cargo xtask test`
//! runs the same tests with a few.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::proc;
use crate::repo;
use crate::setup::{self, Purpose, setup};

/// Rounds of each fault where nobody says otherwise.
const ROUNDS: u32 = 100;

const USAGE: &str = "cargo xtask faults [--rounds N] [--seed N] [FILTER ...]";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    rounds: u32,
    seed: Option<u32>,
    /// Parts of names of tests; all of the suite if there is none.
    filters: Vec<String>,
}

/// Runs the suite; `false` means that a fault left something behind.
pub fn run(words: impl Iterator<Item = OsString>) -> Result<bool> {
    let wanted = parse(words.map(|word| word.to_string_lossy().into_owned()))?;
    setup(Purpose::Check)?;
    let seed = wanted.seed.unwrap_or_else(std::process::id);
    println!("{} rounds of each fault, --seed {seed}", wanted.rounds);
    let mut cargo = repo::cargo()?;
    let filters = if wanted.filters.is_empty() {
        vec!["faults::".to_owned()]
    } else {
        wanted.filters
    };
    if setup::has_nextest() {
        cargo.args(["nextest", "run", "--profile", "faults"]);
    } else {
        cargo.arg("test");
    }
    cargo
        .args(["--locked", "--package", "tongqu", repo::FEATURES])
        .args(["--test", "it"])
        .args(&filters)
        .env("TONGQU_FAULT_ROUNDS", wanted.rounds.to_string())
        .env("TONGQU_FAULT_SEED", seed.to_string());
    if !setup::has_nextest() {
        cargo.args(["--", "--nocapture", "--test-threads", "2"]);
    }
    let outcome = proc::run(&mut cargo, proc::Output::Show, None)?;
    println!("{} rounds of each fault, --seed {seed}", wanted.rounds);
    Ok(outcome.ok())
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Wanted> {
    let mut wanted = Wanted {
        rounds: ROUNDS,
        seed: None,
        filters: Vec::new(),
    };
    while let Some(word) = words.next() {
        let mut number = || -> Result<u32> {
            let value = words
                .next()
                .with_context(|| format!("{word} lacks a number; {USAGE}"))?;
            let number = value.parse();
            number.with_context(|| format!("{value} is no number for {word}; {USAGE}"))
        };
        match word.as_str() {
            "--rounds" => wanted.rounds = number()?,
            "--seed" => wanted.seed = Some(number()?),
            _ if word.starts_with('-') => bail!("{word} isn't known; {USAGE}"),
            _ => wanted.filters.push(word),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Wanted> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn rounds_seed_and_filters_are_read() {
        let all = parsed("").unwrap();
        assert_eq!((all.rounds, all.seed, all.filters.len()), (ROUNDS, None, 0));
        let some = parsed("--rounds 7 faults::hubs --seed 12").unwrap();
        assert_eq!((some.rounds, some.seed), (7, Some(12)));
        assert_eq!(some.filters, ["faults::hubs"]);
    }

    #[test]
    fn what_is_no_number_or_unknown_is_refused() {
        for line in ["--rounds", "--rounds many", "--seed -1", "--round 3"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
