//! `cargo xtask check` and `test`: the same steps, the second with everything that needs a server or a browser.

use std::ffi::OsString;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::databases::Databases;
use crate::demo::{self, Profile};
use crate::generated::{self, Mode};
use crate::proc::{self, Output};
use crate::repo::{self, TempDir};
use crate::setup::{Purpose, find_program, setup, system_packages};
use crate::suites::{Counts, Report, browser, rust, story, structure, web as portal};
use crate::web;

/// What a developer runs before every commit: formatting, lints, structure, generated files, unit tests.
pub fn check() -> Result<bool> {
    setup(Purpose::Check)?;
    let scratch = TempDir::new("check")?;
    let mut report = Report::default();
    report.add("format", cargo_passes(&["fmt", "--all", "--check"]));
    report.add("structure", structure::run());
    report.add("portal", portal::lint_and_types());
    report.add("portal unit", portal::unit_tests(scratch.path()));
    // Everything below compiles the program, which embeds the built portal.
    report.add("portal build", web::build().map(|()| Counts::PASSED));
    report.add(
        "clippy",
        cargo_passes(&[
            "clippy",
            "--workspace",
            repo::FEATURES,
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    );
    report.add("generated", generated::run(Mode::Check, &[]));
    let databases = Databases::start(scratch.path(), &mut report);
    report.add("rust", rust::run(&databases.environment));
    drop(databases);
    if find_program("cargo-deny").is_some() {
        report.add(
            "dependencies",
            cargo_passes(&["deny", "--offline", "check", "bans", "licenses", "sources"]),
        );
    } else {
        println!("cargo-deny is not installed, so deny.toml was not checked");
    }
    proc::stop_if_interrupted()?;
    Ok(report.print())
}

fn cargo_passes(arguments: &[&str]) -> Result<Counts> {
    let outcome = proc::run(repo::cargo()?.args(arguments), Output::Show, None)?;
    Ok(if outcome.ok() {
        Counts::PASSED
    } else {
        Counts::FAILED
    })
}

/// Runs a command with both private databases behind it, for work on a store or a connector.
pub fn with_databases(words: &[OsString]) -> Result<bool> {
    let Some((program, arguments)) = words.split_first() else {
        bail!(
            "name the command to run: `cargo xtask with-databases cargo nextest run -p tongqu-connectors`"
        );
    };
    system_packages(Purpose::Check)?;
    let scratch = TempDir::new("databases")?;
    let mut report = Report::default();
    let databases = Databases::start(scratch.path(), &mut report);
    if report.total().failed > 0 {
        bail!("the databases did not start");
    }
    for (name, url) in &databases.environment {
        println!("{name}={url}");
    }
    let outcome = proc::run(
        Command::new(program)
            .args(arguments)
            .envs(databases.environment.iter().cloned()),
        Output::Show,
        None,
    )?;
    Ok(outcome.ok())
}

/// Everything the project can show about itself. The last line printed is `N passed, N failed`.
pub fn test() -> bool {
    let started = Instant::now();
    let mut report = Report::default();
    let ended = run_suites(&mut report);
    if let Err(error) = ended {
        report.add("run", Err(error));
    }
    println!("\n{} minutes", started.elapsed().as_secs().div_ceil(60));
    report.print()
}

fn run_suites(report: &mut Report) -> Result<()> {
    if let Err(error) = setup(Purpose::Test) {
        // What is there can still be tested; what is missing will say so once more.
        report.add("setup", Err(error));
    }
    let scratch = TempDir::new("test")?;
    report.add("structure", structure::run());
    report.add("portal", portal::run(scratch.path()));
    proc::stop_if_interrupted()?;

    let databases = Databases::start(scratch.path(), report);
    report.add("rust", rust::run(&databases.environment));
    proc::stop_if_interrupted()?;
    report.add("generated", generated::run(Mode::Check, &[]));
    proc::stop_if_interrupted()?;

    let binary = demo::binary(Profile::Release)?;
    if let Err(error) = demo::build(Profile::Release) {
        report.add("story", Err(error));
        bail!("without the program there is nothing to open in a browser");
    }
    report.add("story", story::run(&binary, scratch.path()));
    proc::stop_if_interrupted()?;
    report.add(
        "browser",
        browser::run(&binary, scratch.path(), &databases.environment),
    );
    proc::stop_if_interrupted()
}
