//! The program `tongqu`: one binary for portal, API, exchange and proof.

use clap::Parser as _;

/// Hands freed memory back soon: an import or a hash takes many megabytes for a moment.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    tongqu::cli::run(tongqu::cli::Cli::parse())
}
