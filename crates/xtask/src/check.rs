//! `cargo xtask check` and `test`: the same steps, the second with everything that needs a server or a browser.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::databases::{mariadb, postgres};
use crate::demo::{self, Profile};
use crate::generated::{self, Mode};
use crate::proc::{self, Output};
use crate::repo::{self, TempDir};
use crate::setup::{Purpose, find_program, setup};
use crate::suites::{Counts, Report, browser, rust, story, structure, web as portal};
use crate::web;

/// What a developer runs before every commit: formatting, lints, structure, generated files, unit tests.
pub fn check() -> Result<bool> {
    proc::catch_interrupts()?;
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
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    );
    report.add("generated", generated::run(Mode::Check));
    report.add("rust", rust::run(&Vec::new()));
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

/// Everything the project can show about itself. The last line printed is `N passed, N failed`.
pub fn test() -> Result<bool> {
    proc::catch_interrupts()?;
    let started = Instant::now();
    let mut report = Report::default();
    let ended = run_suites(&mut report);
    if let Err(error) = ended {
        report.add("run", Err(error));
    }
    println!("\n{} minutes", started.elapsed().as_secs().div_ceil(60));
    Ok(report.print())
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

    let mut environment = rust::Environment::new();
    let postgres = postgres::start_cluster(&scratch.path().join("postgres"));
    let mariadb = mariadb::start_server(&scratch.path().join("mariadb"));
    let mut servers = Vec::new();
    for (name, variable, server) in [
        ("PostgreSQL", "TONGQU_TEST_POSTGRES", postgres),
        ("MariaDB", "TONGQU_TEST_MARIADB", mariadb),
    ] {
        match server {
            Ok(server) => {
                environment.push((variable, server.url.clone()));
                servers.push(server);
            }
            Err(error) => report.add(name, Err(error)),
        }
    }
    report.add("rust", rust::run(&environment));
    proc::stop_if_interrupted()?;
    report.add("generated", generated::run(Mode::Check));
    drop(servers);
    proc::stop_if_interrupted()?;

    let binary = demo::binary(Profile::Release)?;
    if let Err(error) = demo::build(Profile::Release) {
        report.add("story", Err(error));
        bail!("without the program there is nothing to open in a browser");
    }
    report.add("story", story::run(&binary, scratch.path()));
    proc::stop_if_interrupted()?;
    report.add("browser", browser::run(&binary, scratch.path()));
    proc::stop_if_interrupted()
}
