//! The program `tongqu`: one binary for portal, API, exchange and proof.

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    tongqu::cli::run(tongqu::cli::Cli::parse())
}
