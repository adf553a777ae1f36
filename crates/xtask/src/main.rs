//! Every script of the project, as `cargo xtask <command>`. CI runs the same commands and nothing else.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool speaks through its standard output"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tool stands outside the product and reads its own environment"
)]

mod bench;
mod check;
mod databases;
mod demo;
mod faults;
mod generated;
mod portal_bench;
mod proc;
mod repo;
mod setup;
mod suites;
mod tidy;
mod web;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};

use demo::Profile;
use generated::Mode;
use setup::Purpose;
use tidy::spec_index;

const USAGE: &str = "\
cargo xtask <command>

  demo [--data DIR] [--port N] [-- ...]   build the portal and the program, start an invented county
  serve [--data DIR] [--port N] [-- ...]  the same from an unoptimised build, for work on the product
  test                                    every suite, with private databases and a browser
  check                                   formatting, lints, structure, generated files, unit tests
  tidy                                    the structure checks alone
  gen [--check] [PATH ...]                write (or compare) the files made from others, or some of them
  clauses                                 who cites which clause of the regulations
  with-databases COMMAND ...              run a command with the tests' PostgreSQL and MariaDB behind it
  faults [--rounds N] [--seed N]          the fault suite of the exchange, 100 rounds of each fault
  bench [NAME]                            run a benchmark, or list them
  setup                                   install what the commands above need";

fn main() -> ExitCode {
    match run(env::args_os().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; `false` means that it ran and found faults.
fn run(mut words: impl Iterator<Item = OsString>) -> Result<bool> {
    proc::catch_interrupts()?;
    let command = words.next().unwrap_or_default();
    match command.to_string_lossy().as_ref() {
        "demo" => demo::demo(Profile::Release, words).map(|()| true),
        "serve" => demo::demo(Profile::Dev, words).map(|()| true),
        "test" => Ok(check::test()),
        "check" => check::check(),
        "tidy" => Ok(suites::structure::run()?.failed == 0),
        "gen" => gen_files(words),
        "with-databases" => check::with_databases(&words.collect::<Vec<_>>()),
        "clauses" => {
            print!("{}", spec_index::overview(&tidy::Tree::read()?));
            Ok(true)
        }
        "faults" => faults::run(words),
        "bench" => {
            let words: Vec<String> = words
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            bench::run(
                words.first().map(String::as_str),
                words.get(1..).unwrap_or_default(),
            )?;
            Ok(true)
        }
        "setup" => setup::setup(Purpose::Test).map(|()| true),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(true)
        }
        unknown => bail!("there is no command `{unknown}`\n\n{USAGE}"),
    }
}

fn gen_files(words: impl Iterator<Item = OsString>) -> Result<bool> {
    let mut paths: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let before = paths.len();
    paths.retain(|word| word != "--check");
    let mode = if paths.len() < before {
        Mode::Check
    } else {
        Mode::Write
    };
    Ok(generated::run(mode, &paths)?.failed == 0)
}
