//! The commands.

mod agent;
mod law;
mod ledger;
mod serve;

pub(crate) use serve::{Served, runtime, stop_signal};

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::platform::{
    config::{Config, DEFAULTS},
    telemetry::{self, LogFormat},
};

/// Government data sharing and exchange platform 政务数据共享交换平台.
#[derive(Debug, Parser)]
#[command(name = "tongqu", version, about)]
pub struct Cli {
    /// What is logged, in the form of tracing directives.
    #[arg(long, global = true, default_value = "info,sqlx=warn,tantivy=error")]
    log: String,
    /// How logs are written.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the platform: portal, API, exchange workers. Without a configuration it uses embedded stores
    /// in ./tongqu-data and prints a one-time link for the first administrator.
    Serve {
        /// A file with settings that differ from the defaults.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Print the defaults with their reasons, and stop.
        #[arg(long)]
        print_config: bool,
    },
    /// Run beside the exchange stores of a department, in its own network: calls the platform, and reads and writes
    /// the stores that its settings name.
    Agent {
        /// A file with `hubs`, `data_dir` and the addresses of the stores.
        #[arg(long)]
        config: PathBuf,
        /// Enrol with this one-time code from the portal, and stop.
        #[arg(long, value_name = "CODE")]
        enrol: Option<String>,
    },
    /// Run an invented county on real division data, with a clock that can be moved on.
    Demo {
        /// Which county: one with a month of life behind it, or a small one to walk the first steps in.
        #[arg(long, value_enum, default_value_t = crate::demo::CountyKind::Lively)]
        county: crate::demo::CountyKind,
        /// Keep everything in this folder; a temporary one otherwise.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Settings that differ from the defaults, for example rule packs of one's own.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Port on 127.0.0.1; any free one otherwise.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Walk the whole story through the API without a browser; exit 0 only if every check held.
        #[arg(long)]
        headless: bool,
        /// Print JSON: with --headless an object a line for each step, else one with address and sign-ins.
        #[arg(long)]
        json: bool,
    },
    /// Check or prove evidence, on any machine and without the platform.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Check or read rule packs, and reckon due dates, on any machine and without the platform.
    #[command(subcommand)]
    Law(law::Command),
    /// Report every problem of a configuration file.
    CheckConfig {
        /// The file.
        file: PathBuf,
    },
    /// Print the OpenAPI document.
    Openapi,
}

/// Runs a command to its end.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    telemetry::start(cli.log_format, &cli.log);
    let done = match cli.command {
        Command::Serve {
            print_config: true, ..
        } => print(DEFAULTS).map(|()| ExitCode::SUCCESS),
        Command::Serve {
            config,
            print_config: false,
        } => serve::serve(config.as_deref()),
        Command::Agent { config, enrol } => agent::agent(&config, enrol.as_deref()),
        Command::Demo {
            county,
            data,
            config,
            port,
            headless,
            json,
        } => crate::demo::run(&crate::demo::Options {
            county,
            data,
            config,
            port,
            headless,
            json,
        }),
        Command::Ledger(command) => ledger::run(command),
        Command::Law(command) => law::run(command),
        Command::CheckConfig { file } => Config::load(Some(&file))
            .map_err(Into::into)
            .and_then(|_| print("The configuration is sound.\n"))
            .map(|()| ExitCode::SUCCESS),
        Command::Openapi => crate::router::openapi()
            .to_pretty_json()
            .map_err(Into::into)
            .and_then(|json| print(&format!("{json}\n")))
            .map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        ExitCode::FAILURE
    })
}

/// Writes to standard output; a reader that went away is no error of ours.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
