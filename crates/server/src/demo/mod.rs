//! `tongqu demo`: an invented county on real division data.

use std::{path::PathBuf, process::ExitCode};

/// How the demo is run.
#[derive(Debug)]
pub struct Options {
    pub data: Option<PathBuf>,
    pub port: u16,
    pub headless: bool,
    pub json: bool,
}

/// Runs the demo.
pub fn run(_options: &Options) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
