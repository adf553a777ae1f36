//! `tongqu ledger verify` and `tongqu ledger prove`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use serde_json::json;

use crate::platform::ledger::{prove, verify};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every record and every signed head of a ledger folder.
    Verify {
        /// The folder, for example tongqu-data/ledger.
        dir: PathBuf,
        /// Id of the key that heads must be signed with, known from elsewhere.
        #[arg(long)]
        key: Option<String>,
        /// Print the whole report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a record and the proof that it is in the ledger, as JSON.
    Prove {
        /// The folder.
        dir: PathBuf,
        /// Index of the record, from 0.
        index: u64,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Verify { dir, key, json } => {
            let report = verify(&dir, key.as_deref())?;
            if json {
                super::print(&format!("{}\n", serde_json::to_string(&report)?))?;
            } else if report.is_whole() {
                super::print(&format!(
                    "whole: {} records, {} signed heads, {} records not yet signed for\nroot: {}\n",
                    report.records,
                    report.heads,
                    report.unsigned_records,
                    report.root.as_deref().unwrap_or_default(),
                ))?;
            } else {
                for fault in &report.faults {
                    super::print(&format!(
                        "{} ({}): {} [{}]\n",
                        fault.place, fault.file, fault.message, fault.code
                    ))?;
                }
                super::print(&format!(
                    "NOT whole: {} faults in {} records\n",
                    report.faults.len(),
                    report.records
                ))?;
            }
            Ok(if report.is_whole() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Prove { dir, index } => {
            let (record, proof, root) = prove(&dir, index)?;
            let path: Vec<String> = proof.path.iter().map(ToString::to_string).collect();
            let record: serde_json::Value = serde_json::from_str(&record)?;
            let out = json!({ "record": record, "index": proof.index, "size": proof.size, "path": path, "root": root });
            super::print(&format!("{out:#}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
