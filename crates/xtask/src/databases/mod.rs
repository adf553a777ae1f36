//! The private servers of a test run: one PostgreSQL cluster and one MariaDB, on free loopback ports,
//! in the run's own folder, stopped when they are dropped.

pub mod mariadb;
pub mod postgres;

use std::fs::{self, DirBuilder, File};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::User;

use crate::proc;
use crate::suites::Report;
use crate::suites::rust::Environment;

/// The account both servers know, and the name of its first database.
pub const ACCOUNT: &str = "tongqu";

/// What a server does about the machine stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It forgets what it wrote: the tests kill the product, never the database or the machine under it.
    Forgets,
    /// It waits for the disk, with all settings as a fresh installation has them: for benchmarks.
    Waits,
}

/// How long a server may take from its start to its first answer.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Both servers, and where the tests find them.
pub struct Databases {
    /// `TONGQU_TEST_POSTGRES` and `TONGQU_TEST_MARIADB`: addresses that end in `/`, each with an account
    /// that may create databases and with one named like the account.
    pub environment: Environment,
    servers: Vec<Server>,
}

impl Databases {
    /// Starts both below `scratch`. One that doesn't start counts as failed in the report, and its
    /// variable is not set.
    pub fn start(scratch: &Path, report: &mut Report) -> Self {
        let postgres = postgres::start_cluster(&scratch.join("postgres"), Durability::Forgets);
        let mariadb = mariadb::start_server(&scratch.join("mariadb"), Durability::Forgets);
        let mut started = Self {
            environment: Vec::new(),
            servers: Vec::new(),
        };
        for (variable, server) in [
            ("TONGQU_TEST_POSTGRES", postgres),
            ("TONGQU_TEST_MARIADB", mariadb),
        ] {
            match server {
                Ok(server) => {
                    started.environment.push((variable, server.url.clone()));
                    started.servers.push(server);
                }
                Err(error) => report.add(variable, Err(error)),
            }
        }
        started
    }
}

/// A server that runs, and the address its tests use.
pub struct Server {
    child: Child,
    stop_signal: Signal,
    pub url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        proc::stop(&mut self.child, self.stop_signal);
    }
}

/// The user a server runs as: both refuse to run as root, so root lends them an unprivileged account.
struct Owner(Option<User>);

impl Owner {
    fn new(account: &str) -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(Self(None));
        }
        for name in [account, "nobody"] {
            if let Some(user) = User::from_name(name)? {
                return Ok(Self(Some(user)));
            }
        }
        bail!("neither `{account}` nor `nobody` is a user here: run the tests as an ordinary user")
    }

    /// Makes a folder that belongs to the owner and that only the owner can read.
    fn make_folder(&self, path: &Path) -> Result<()> {
        let private = DirBuilder::new().mode(0o700).create(path);
        private.with_context(|| format!("can't make {}", path.display()))?;
        self.give(path)
    }

    fn give(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.0 {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("can't give {} to {}", path.display(), user.name))?;
        }
        Ok(())
    }

    /// A command that runs as the owner, in its own process group, in a folder it can read.
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            .env("HOME", folder)
            .env("TZ", "UTC");
        if let Some(user) = &self.0 {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

/// Starts a server and waits until `answers` says that it is there. Its log lies at `log`.
fn start(mut command: Command, log: &Path, mut answers: impl FnMut() -> bool) -> Result<Child> {
    let name = proc::describe(&command);
    let out = File::create(log).with_context(|| format!("can't write {}", log.display()))?;
    command
        .stdout(out.try_clone()?)
        .stderr(out)
        .process_group(0);
    let mut child = command
        .spawn()
        .with_context(|| format!("can't start `{name}`"))?;
    let until = Instant::now() + START_LIMIT;
    loop {
        let ended = child.try_wait()?;
        if ended.is_none() && answers() {
            return Ok(child);
        }
        if ended.is_some() || Instant::now() > until || proc::stop_if_interrupted().is_err() {
            proc::stop(&mut child, Signal::SIGKILL);
            bail!(
                "`{name}` did not come up; the end of its log:\n{}",
                tail(log)
            );
        }
        thread::park_timeout(Duration::from_millis(100));
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// Runs a preparing program of a server; its output is shown only if it fails.
fn prepare(command: &mut Command) -> Result<()> {
    let name = proc::describe(command);
    let output = command
        .output()
        .with_context(|| format!("can't start `{name}`"))?;
    if !output.status.success() {
        bail!(
            "`{name}` failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// A port nobody listens on at this moment.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))
        .context("no free port on loopback")?
        .local_addr()?
        .port())
}

/// A password for this run, so that other users of the machine can't enter the servers.
fn password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("can't read /dev/urandom")?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// The first of `folders` that holds all of `names`, or the path's own programs.
fn programs_in(folders: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    folders
        .iter()
        .find(|folder| {
            names
                .iter()
                .all(|name| crate::setup::is_executable(&folder.join(name)))
        })
        .cloned()
}
