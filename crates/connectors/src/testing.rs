//! Private database servers for tests: started on a free port in a temporary folder, stopped and
//! removed when the process ends, however it ends.
//!
//! Uses the standard library alone, so that other crates' tests and `xtask` can take this one file.
//! `TONGQU_TEST_POSTGRES` and `TONGQU_TEST_MARIADB` name running servers instead, as
//! `scheme://user:password@host:port/database` with the right to create databases: a run over many
//! test processes starts one server each and shares it.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment and the waiting of a test's own servers"
)]

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The variable that names a running PostgreSQL.
pub const POSTGRES_VARIABLE: &str = "TONGQU_TEST_POSTGRES";
/// The variable that names a running MariaDB.
pub const MARIADB_VARIABLE: &str = "TONGQU_TEST_MARIADB";

/// Sign-in of the servers started here; they listen on loopback only.
const USER: &str = "tongqu";
const PASSWORD: &str = "tongqu-test";

/// A small machine with a cold disk needs some seconds; beyond this something is wrong.
const START_WAIT: Duration = Duration::from_mins(1);

/// Somebody else may take the free port between our look and the server's start.
const STARTS_MAX: u32 = 4;

/// Keeps the server as long as its standard input is open, and starts it again after it was killed. When the
/// process that started it dies, the pipe closes by itself, so that no server is left behind even by SIGKILL.
const KEEPER: &str = r#"
dir=$1; stop=$2; shift 2
trap '' INT TERM
"$@" >"$dir/server.log" 2>&1 </dev/null &
pid=$!
echo "$pid"
while read -r _; do
  wait "$pid" 2>/dev/null
  "$@" >>"$dir/server.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid"
done
kill "-$stop" "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
rm -rf "$dir"
"#;

const NOT_OURS: &str = "this server was not started here, so it is not killed either";

/// What went wrong while starting a server, with advice.
#[derive(Debug)]
pub struct TestServerError(String);

impl fmt::Display for TestServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TestServerError {}

type Result<T> = std::result::Result<T, TestServerError>;

fn fault(text: impl Into<String>) -> TestServerError {
    TestServerError(text.into())
}

/// What a server still has of its commits after it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Perhaps not the last ones: for tests in which no server dies, because it is faster.
    Short,
    /// All of them, as long as the machine under it goes on.
    Long,
}

/// A running server.
#[derive(Debug)]
pub struct TestServer {
    url: String,
    port: u16,
    kept: Option<Kept>,
}

/// A server that was started here.
#[derive(Debug)]
struct Kept {
    keeper: Child,
    words: BufReader<ChildStdout>,
    dir: PathBuf,
    pid: u32,
}

/// The process's PostgreSQL: the one that the variable names, or a private one started now.
///
/// # Panics
/// If it can't be had; a missing server is a failure, never a skip.
#[must_use]
pub fn postgres() -> &'static TestServer {
    static SERVER: OnceLock<Result<TestServer>> = OnceLock::new();
    shared(&SERVER, POSTGRES_VARIABLE, || {
        TestServer::start_postgres(Memory::Short)
    })
}

/// The process's MariaDB: the one that the variable names, or a private one started now.
///
/// # Panics
/// If it can't be had; a missing server is a failure, never a skip.
#[must_use]
pub fn mariadb() -> &'static TestServer {
    static SERVER: OnceLock<Result<TestServer>> = OnceLock::new();
    shared(&SERVER, MARIADB_VARIABLE, TestServer::start_logging_mariadb)
}

/// A failure is kept too, so that a hundred tests don't each wait for a server that can't start.
fn shared(
    server: &'static OnceLock<Result<TestServer>>,
    variable: &str,
    start: impl Fn() -> Result<TestServer>,
) -> &'static TestServer {
    let outcome = server.get_or_init(|| match std::env::var(variable) {
        Ok(url) if !url.is_empty() => Ok(TestServer {
            url,
            port: 0,
            kept: None,
        }),
        _ => start(),
    });
    match outcome {
        Ok(server) => server,
        Err(error) => panic!("{error}. Or set {variable} to the address of a running server"),
    }
}

impl TestServer {
    /// Starts a private PostgreSQL from the newest installed version. Its clock shows China Standard
    /// Time, so that a mix-up of zones is seen. It doesn't wait for the disk.
    ///
    /// Errors: no server installed, or it doesn't start; the text says what to do.
    pub fn start_postgres(memory: Memory) -> Result<Self> {
        let binaries = postgres_binaries()?;
        retry(|| {
            let dir = folder("postgres")?;
            let data = dir.join("data");
            let account = server_account("postgres", &dir)?;
            let password_file = dir.join("password");
            fs::write(&password_file, PASSWORD).map_err(|error| {
                fault(format!("can't write {}: {error}", password_file.display()))
            })?;
            let mut initdb = as_account(account, &binaries.join("initdb"));
            initdb
                .arg("-D")
                .arg(&data)
                .arg(format!("--pwfile={}", password_file.display()))
                .args([
                    "-U",
                    USER,
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                ]);
            run(initdb, "initdb")?;
            let port = free_port()?;
            let mut server = as_account(account, &binaries.join("postgres"));
            server.arg("-D").arg(&data);
            let port_setting = format!("port={port}");
            for setting in [
                port_setting.as_str(),
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "max_connections=200",
                "timezone=Asia/Shanghai",
                "wal_level=logical",
                // Each test of the change log has its own.
                "max_replication_slots=100",
                "max_wal_senders=100",
                "jit=off",
                // Nothing outlives the test, so nothing has to reach the disk.
                "fsync=off",
            ] {
                server.args(["-c", setting]);
            }
            if memory == Memory::Short {
                server.args(["-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
            }
            let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres");
            // SIGINT: end the sessions and stop at once.
            Self::keep(&dir, "INT", &server, url, port)
        })
    }

    /// Starts a private MariaDB, or MySQL where that is what is installed under the same names. Its
    /// clock shows China Standard Time and its collation folds case, so that a mix-up is seen.
    ///
    /// Errors: no server installed, or it doesn't start; the text says what to do.
    pub fn start_mariadb(memory: Memory) -> Result<Self> {
        Self::start_mariadb_with(memory, &["--skip-log-bin"])
    }

    /// The same with a change log of rows, and a short memory.
    ///
    /// Errors: as of [`TestServer::start_mariadb`].
    pub fn start_logging_mariadb() -> Result<Self> {
        let log = [
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--server-id=1",
            "--sync-binlog=0",
        ];
        Self::start_mariadb_with(Memory::Short, &log)
    }

    fn start_mariadb_with(memory: Memory, log: &[&str]) -> Result<Self> {
        let server_binary = in_path(&["mariadbd", "mysqld"])
            .ok_or_else(|| no_server("MariaDB", "mariadb-server"))?;
        let installer = in_path(&["mariadb-install-db"])
            .ok_or_else(|| no_server("MariaDB", "mariadb-server"))?;
        retry(|| {
            let dir = folder("mariadb")?;
            let account = server_account("mysql", &dir)?;
            let data = dir.join("data");
            let mut install = as_account(account, &installer);
            install
                .arg("--no-defaults")
                .arg(format!("--datadir={}", data.display()))
                .args([
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    "--skip-name-resolve",
                ]);
            run(install, "mariadb-install-db")?;
            let init = dir.join("init.sql");
            let grants = format!(
                "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
            );
            fs::write(&init, grants)
                .map_err(|error| fault(format!("can't write {}: {error}", init.display())))?;
            let port = free_port()?;
            let mut server = as_account(account, &server_binary);
            server.arg("--no-defaults").args([
                format!("--datadir={}", data.display()),
                format!("--port={port}"),
                format!("--socket={}", dir.join("socket").display()),
                // A server that starts clears its folder of temporary tables, in which those of another
                // server may lie.
                format!("--tmpdir={}", dir.display()),
                format!("--pid-file={}", dir.join("pid").display()),
                format!("--init-file={}", init.display()),
            ]);
            server.args([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--default-time-zone=+08:00",
                "--character-set-server=utf8mb4",
                "--collation-server=utf8mb4_general_ci",
                "--innodb-buffer-pool-size=64M",
                "--innodb-flush-method=nosync",
                "--max-connections=200",
            ]);
            server.args(log);
            server.args(match memory {
                Memory::Short => [
                    "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-doublewrite=0",
                ],
                // With each commit to the system, which outlives the server.
                Memory::Long => [
                    "--innodb-flush-log-at-trx-commit=2",
                    "--innodb-doublewrite=1",
                ],
            });
            let url = format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/mysql");
            // SIGKILL: an orderly stop writes out what nobody will read.
            Self::keep(&dir, "KILL", &server, url, port)
        })
    }

    /// The address of the server's own first database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database of its own for a test, and gives back its address.
    ///
    /// Errors: the client program is missing, or the server refuses.
    pub fn fresh_database(&self) -> Result<String> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        // The numbers of processes come again within one run of all tests.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let name = format!(
            "t_{}_{}_{:x}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed),
            now.unwrap_or_default().as_nanos()
        );
        self.execute(&format!("CREATE DATABASE {name}"))?;
        let (server, _) = self
            .url
            .rsplit_once('/')
            .ok_or_else(|| fault("the server's address has no database"))?;
        Ok(format!("{server}/{name}"))
    }

    /// Runs a statement in the server's first database, through the server's own client program.
    ///
    /// Errors: the client program is missing, or the server refuses.
    pub fn execute(&self, sql: &str) -> Result<()> {
        if self.url.starts_with("postgres") {
            let mut psql = Command::new(postgres_binaries()?.join("psql"));
            psql.args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                &self.url,
                "-c",
                sql,
            ]);
            return run(psql, "psql");
        }
        let client = in_path(&["mariadb", "mysql"])
            .ok_or_else(|| no_server("MariaDB's client", "mariadb-client"))?;
        let (_, rest) = self
            .url
            .split_once("://")
            .ok_or_else(|| fault("the server's address has no scheme"))?;
        let (login, place) = rest
            .rsplit_once('@')
            .ok_or_else(|| fault("the server's address has no user"))?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, database) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = host.split_once(':').unwrap_or((host, "3306"));
        let mut command = Command::new(client);
        command.args([
            "--no-defaults",
            "--protocol=tcp",
            "-h",
            host,
            "-P",
            port,
            "-u",
            user,
        ]);
        if !database.is_empty() {
            command.args(["-D", database]);
        }
        command.args(["-e", sql]);
        command.env("MYSQL_PWD", password);
        run(command, "the MariaDB client")
    }

    /// Starts `server` under the keeper and waits until it accepts connections.
    fn keep(dir: &Path, stop: &str, server: &Command, url: String, port: u16) -> Result<Self> {
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(dir)
            .arg(stop)
            .arg(server.get_program())
            .args(server.get_args());
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper
            .spawn()
            .map_err(|error| fault(format!("can't run sh: {error}")))?;
        let stdout = keeper.stdout.take().expect("it was asked for");
        let mut started = Self {
            url,
            port,
            kept: Some(Kept {
                keeper,
                words: BufReader::new(stdout),
                dir: dir.to_owned(),
                pid: 0,
            }),
        };
        started.wait_until_it_answers()?;
        Ok(started)
    }

    /// Reads the number of the process that the keeper has started, and waits for the server's first answer.
    fn wait_until_it_answers(&mut self) -> Result<()> {
        let kept = self.kept.as_mut().ok_or_else(|| fault(NOT_OURS))?;
        let mut pid = String::new();
        kept.words
            .read_line(&mut pid)
            .map_err(|error| fault(format!("the keeper says nothing: {error}")))?;
        let pid = pid.trim();
        kept.pid = pid
            .parse()
            .map_err(|_| fault(format!("the keeper says {pid:?}")))?;
        let log = kept.dir.join("server.log");
        let deadline = Instant::now() + START_WAIT;
        while Instant::now() < deadline {
            if self.execute("SELECT 1").is_ok()
                && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            {
                return Ok(());
            }
            if !is_alive(pid) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        Err(fault(format!(
            "{} did not start; its last words, newest first: {}",
            self.url.split(':').next().unwrap_or_default(),
            lines.join(" | ")
        )))
    }

    /// Kills the server with all its processes by SIGKILL: no chance to tidy up.
    ///
    /// Errors: it wasn't started here.
    pub fn kill(&mut self) -> Result<()> {
        let kept = self.kept.as_ref().ok_or_else(|| fault(NOT_OURS))?;
        let mut kill = Command::new("kill");
        kill.arg("-KILL").arg(kept.pid.to_string());
        let parts = children_of(kept.pid);
        kill.args(parts.iter().map(u32::to_string));
        // One of them may have ended by itself, of which `kill` complains.
        let _complaint = kill.stderr(Stdio::null()).status();
        let deadline = Instant::now() + START_WAIT;
        while parts
            .iter()
            .chain([&kept.pid])
            .any(|pid| is_alive(&pid.to_string()))
        {
            if Instant::now() > deadline {
                return Err(fault(format!("{} can't be killed", kept.pid)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Starts the server again on the same data after [`TestServer::kill`], and waits until it answers.
    ///
    /// Errors: it wasn't started here, or it doesn't come up again.
    pub fn start_again(&mut self) -> Result<()> {
        let kept = self.kept.as_mut().ok_or_else(|| fault(NOT_OURS))?;
        let stdin = kept.keeper.stdin.as_mut().expect("it was asked for");
        stdin
            .write_all(b"again\n")
            .map_err(|error| fault(format!("the keeper is gone: {error}")))?;
        self.wait_until_it_answers()
    }

    /// Gives a folder to the account that the server runs as.
    ///
    /// Errors: we aren't root and it belongs to somebody else.
    pub fn give(&self, folder: &Path) -> Result<()> {
        let account = if self.url.starts_with("postgres") {
            "postgres"
        } else {
            "mysql"
        };
        server_account(account, folder).map(drop)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut kept) = self.kept.take() {
            drop(kept.keeper.stdin.take());
            let _ = kept.keeper.wait();
        }
    }
}

fn retry(start: impl Fn() -> Result<TestServer>) -> Result<TestServer> {
    let mut outcome = start();
    for _ in 1..STARTS_MAX {
        if outcome.is_ok() {
            break;
        }
        outcome = start();
    }
    outcome
}

/// Processes whose parent is this one.
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in brackets may hold anything; behind it come the state and the parent.
        let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        rest.split(' ').nth(1) == Some(parent.to_string().as_str())
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_child)
        .collect()
}

/// Whether the process runs; one that has ended and waits to be reaped doesn't.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn no_server(what: &str, package: &str) -> TestServerError {
    fault(format!(
        "{what} is not installed. Install it (Debian: apt-get install {package})"
    ))
}

fn postgres_binaries() -> Result<PathBuf> {
    // A link to one program often stands alone; its brothers lie where it leads.
    if let Some(found) = in_path(&["initdb"]).and_then(|link| link.canonicalize().ok()) {
        return Ok(found.parent().expect("a file lies in a folder").to_owned());
    }
    let versions =
        fs::read_dir("/usr/lib/postgresql").map_err(|_| no_server("PostgreSQL", "postgresql"))?;
    let newest = versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let binaries = entry.path().join("bin");
            binaries
                .join("initdb")
                .exists()
                .then_some((version, binaries))
        })
        .max();
    newest
        .map(|(_, binaries)| binaries)
        .ok_or_else(|| no_server("PostgreSQL", "postgresql"))
}

fn in_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Servers are often installed where only root's PATH looks.
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .collect();
    names.iter().find_map(|name| {
        folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    })
}

fn folder(engine: &str) -> Result<PathBuf> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!(
        "tongqu-test-{engine}-{}-{number}",
        std::process::id()
    ));
    fs::create_dir_all(&dir)
        .map_err(|error| fault(format!("can't create {}: {error}", dir.display())))?;
    Ok(dir)
}

/// Servers refuse to run as root: their folder is handed to their own account, which they run as.
fn server_account(account: &'static str, dir: &Path) -> Result<Option<&'static str>> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Ok(None);
    }
    let mut chown = Command::new("chown");
    chown.arg(account).arg(dir);
    run(chown, "chown")?;
    Ok(Some(account))
}

fn as_account(account: Option<&str>, program: &Path) -> Command {
    let Some(account) = account else {
        return Command::new(program);
    };
    let mut command = if in_path(&["setpriv"]).is_some() {
        let mut setpriv = Command::new("setpriv");
        setpriv.args([
            format!("--reuid={account}"),
            format!("--regid={account}"),
            "--init-groups".to_owned(),
            "--".to_owned(),
        ]);
        setpriv
    } else {
        let mut runuser = Command::new("runuser");
        runuser.args(["-u", account, "--"]);
        runuser
    };
    command.arg(program);
    command
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .map_err(|error| fault(format!("no free port: {error}")))?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| fault(format!("no free port: {error}")))
}

fn run(mut command: Command, name: &str) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| fault(format!("can't run {name}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(fault(format!("{name} failed: {}", words.trim())))
}
