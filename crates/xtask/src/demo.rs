//! `cargo xtask demo` and `serve`: build the portal and the program, then become the program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::setup::{Purpose, setup};
use crate::{proc, repo, web};

/// How the program is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// What stands after the command's name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    data: Option<OsString>,
    port: Option<u16>,
    /// Handed on as they are.
    extra: Vec<OsString>,
}

fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Arguments> {
    let mut parsed = Arguments::default();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--data") => {
                parsed.data = Some(
                    words
                        .next()
                        .context("--data needs a folder: `--data DIR`")?,
                );
            }
            Some("--port") => {
                let number = words
                    .next()
                    .context("--port needs a number: `--port 8080`")?;
                let number = number.to_str().and_then(|text| text.parse().ok());
                parsed.port = Some(number.context("--port needs a number from 0 to 65535")?);
            }
            Some("--") => parsed.extra.extend(words.by_ref()),
            _ => bail!(
                "`{}` is not known here; put arguments of the program itself behind `--`",
                word.to_string_lossy()
            ),
        }
    }
    Ok(parsed)
}

/// Builds whatever is out of date and becomes `tongqu demo`.
pub fn demo(profile: Profile, words: impl Iterator<Item = OsString>) -> Result<()> {
    let arguments = parse(words)?;
    let binary = binary(profile)?;
    if !binary.exists() {
        announce_first_build(profile)?;
    }
    let started = Instant::now();
    println!("[1/3] what the machine needs");
    setup(Purpose::Demo)?;
    println!(
        "[2/3] the portal ({} s so far)",
        started.elapsed().as_secs()
    );
    web::build()?;
    println!(
        "[3/3] the program ({} s so far)",
        started.elapsed().as_secs()
    );
    build(profile)?;
    println!("ready after {} s", started.elapsed().as_secs());
    let mut command = Command::new(&binary);
    command.arg("demo");
    if let Some(data) = arguments.data {
        command.arg("--data").arg(data);
    }
    if let Some(port) = arguments.port {
        command.arg("--port").arg(port.to_string());
    }
    command.args(arguments.extra);
    // Returns only if the program could not be started.
    Err(command.exec()).with_context(|| format!("can't start {}", binary.display()))
}

/// The program, once built.
pub fn binary(profile: Profile) -> Result<PathBuf> {
    Ok(repo::target_dir()?.join(profile.folder()).join("tongqu"))
}

/// Builds the program; the portal must have been built.
pub fn build(profile: Profile) -> Result<()> {
    let mut cargo = repo::cargo()?;
    cargo.args(["build", "--locked", "--package", "tongqu", repo::FEATURES]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    proc::must(&mut cargo)
}

fn announce_first_build(profile: Profile) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let minutes = if profile == Profile::Release { 20 } else { 8 };
    println!(
        "The first build compiles several hundred libraries: up to {minutes} minutes on 2 cores (here: {cores}).\n\
         Its progress is shown below. The result is kept in {}; later starts take seconds.",
        repo::target_dir()?.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Arguments> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn arguments_are_read_and_the_rest_handed_on() {
        let parsed = words("--data kept --port 0 -- --headless --json").unwrap();
        assert_eq!(parsed.data.unwrap(), "kept");
        assert_eq!(parsed.port, Some(0));
        assert_eq!(parsed.extra, ["--headless", "--json"]);
        assert_eq!(words("").unwrap(), Arguments::default());
    }

    #[test]
    fn a_wrong_argument_says_what_is_expected() {
        for (line, hint) in [
            ("--port many", "0 to 65535"),
            ("--data", "--data DIR"),
            ("--headless", "behind `--`"),
        ] {
            assert!(
                words(line).unwrap_err().to_string().contains(hint),
                "{line}"
            );
        }
    }
}
