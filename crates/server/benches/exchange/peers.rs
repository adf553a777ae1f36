//! Other tools on the same hop, those of them that are installed.
//!
//! `pgloader` is looked for among the programs; the others in virtual environments of Python in the folder
//! `$TONGQU_PEERS/venv`: `ingestr0` (ingestr), `sling2` (sling), `adbc` (connectorx with adbc-driver-postgresql).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;

use crate::person;
use crate::servers::Servers;

/// Reads with ConnectorX and writes with ADBC, into the table that is there.
const CONNECTORX_ADBC: &str = r#"
import sys
import adbc_driver_postgresql.dbapi as adbc
import connectorx
rows = connectorx.read_sql(sys.argv[1], "SELECT * FROM person", return_type="arrow", protocol="binary")
with adbc.connect(sys.argv[2]) as target:
    with target.cursor() as cursor:
        cursor.adbc_ingest("person", rows, mode="append")
    target.commit()
"#;

/// A tool that is installed, with the seconds of its runs.
pub struct Peer {
    pub name: &'static str,
    program: PathBuf,
    pub seconds: Vec<f64>,
}

/// The tools that are installed here.
pub fn installed() -> Vec<Peer> {
    let folder = std::env::var_os("TONGQU_PEERS").map(PathBuf::from);
    let in_folder = |place: &str| {
        let program = folder.as_ref()?.join("venv").join(place);
        program.exists().then_some(program)
    };
    let found = [
        ("pgloader", on_path("pgloader")),
        ("ingestr", in_folder("ingestr0/bin/ingestr")),
        ("sling", folder.as_deref().and_then(sling)),
        ("connectorx_adbc", in_folder("adbc/bin/python")),
    ];
    let peers = found.into_iter().filter_map(|(name, program)| {
        Some(Peer {
            name,
            program: program?,
            seconds: Vec::new(),
        })
    });
    peers.collect()
}

/// Its package keeps the program beside its own files.
fn sling(folder: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(folder.join("venv/sling2/lib")).ok()?;
    versions.flatten().find_map(|version| {
        let program = "site-packages/sling_linux_amd64/bin/sling-linux-amd64";
        let program = version.path().join(program);
        program.exists().then_some(program)
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|program| program.exists())
}

impl Peer {
    /// Has the tool bring the provider's table into the requester's, which is empty and has its key. A tool that breaks
    /// off, or brings other rows, is said to have done so and has no time.
    pub fn run(&mut self, servers: &Servers, rows: u64) -> anyhow::Result<()> {
        servers.clear(&servers.requester())?;
        servers.sql(&servers.requester(), person::POSTGRES)?;
        servers.settle()?;
        let script = tempfile::NamedTempFile::new()?;
        let mut command = self.command(servers, script.path())?;
        let begun = Instant::now();
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("can't start {}", self.name))?;
        let seconds = begun.elapsed().as_secs_f64();
        let counted = servers.value(&servers.requester(), "SELECT count(*) FROM person");
        if status.success() && counted.is_ok_and(|counted| counted == rows.to_string()) {
            self.seconds.push(seconds);
        } else {
            eprintln!("{} didn't bring all rows ({status})", self.name);
        }
        Ok(())
    }

    fn command(&self, servers: &Servers, script: &Path) -> anyhow::Result<Command> {
        let (from, to) = (servers.provider(), servers.requester());
        let plain = |url: &str| url.replacen("postgres://", "postgresql://", 1);
        let mut command = Command::new(&self.program);
        let write = |text: &str| -> anyhow::Result<()> {
            std::fs::File::create(script)?.write_all(text.as_bytes())?;
            Ok(())
        };
        match self.name {
            "pgloader" => {
                write(&format!(
                    "LOAD DATABASE FROM {} INTO {} WITH data only, truncate \
                     INCLUDING ONLY TABLE NAMES MATCHING 'person' IN SCHEMA 'public';",
                    plain(&from),
                    plain(&to)
                ))?;
                command.arg(script);
            }
            "ingestr" => {
                command
                    .env("DISABLE_TELEMETRY", "true")
                    .args(["ingest", "--yes", "--progress", "log"])
                    .args(["--source-uri", &plain(&from), "--dest-uri", &plain(&to)])
                    .args(["--source-table", "public.person"])
                    .args(["--dest-table", "public.person"]);
            }
            "sling" => {
                command
                    .env("S", format!("{from}?sslmode=disable"))
                    .env("D", format!("{to}?sslmode=disable"))
                    .args(["run", "--src-conn", "S", "--tgt-conn", "D"])
                    .args(["--src-stream", "public.person"])
                    .args(["--tgt-object", "public.person"])
                    .args(["--mode", "full-refresh"]);
            }
            _ => {
                write(CONNECTORX_ADBC)?;
                command.arg(script).args([plain(&from), plain(&to)]);
            }
        }
        Ok(command)
    }
}
