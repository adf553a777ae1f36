//! A private MariaDB server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::{ACCOUNT, Durability, Owner, Server, free_port, password, prepare, start};
use crate::setup::find_program;

/// The programs a server is made with.
pub struct Programs {
    install: PathBuf,
    server: PathBuf,
    admin: PathBuf,
}

/// Finds them under their own names and under the older MySQL ones.
pub fn programs() -> Result<Programs> {
    let find = |names: [&str; 2]| {
        names
            .into_iter()
            .find_map(find_program)
            .context("MariaDB is missing: `cargo xtask setup` installs it")
    };
    Ok(Programs {
        install: find(["mariadb-install-db", "mysql_install_db"])?,
        server: find(["mariadbd", "mysqld"])?,
        admin: find(["mariadb-admin", "mysqladmin"])?,
    })
}

/// Starts a server in `folder`, which must not exist yet. No configuration of the machine is read.
pub fn start_server(folder: &Path, durability: Durability) -> Result<Server> {
    let programs = programs()?;
    let owner = Owner::new("mysql")?;
    owner.make_folder(folder)?;
    let data = folder.join("data");
    let password = password()?;
    prepare(
        owner
            .command(&programs.install, folder)
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", data.display())),
    )?;
    let accounts = folder.join("accounts.sql");
    let host = format!("'{ACCOUNT}'@'127.0.0.1'");
    fs::write(
        &accounts,
        format!(
            "DROP USER IF EXISTS 'root'@'127.0.0.1';\nCREATE USER {host} IDENTIFIED BY '{password}';\n\
             GRANT ALL PRIVILEGES ON *.* TO {host} WITH GRANT OPTION;\nCREATE DATABASE {ACCOUNT} CHARACTER SET utf8mb4;\n"
        ),
    )?;
    owner.give(&accounts)?;
    let port = free_port()?.to_string();
    let mut server = owner.command(&programs.server, folder);
    server
        .args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--max-connections=300",
        ])
        .args([
            "--character-set-server=utf8mb4",
            "--local-infile=1",
            // Not the connectors' own zone, so that a time which depends on it shows.
            "--default-time-zone=+08:00",
            "--max-allowed-packet=64M",
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--datadir={}", data.display()))
        // A server that starts clears its folder of temporary tables, in which those of another may lie.
        .arg(format!("--tmpdir={}", folder.display()))
        .arg(format!("--socket={}", folder.join("server.sock").display()))
        .arg(format!(
            "--pid-file={}",
            folder.join("server.pid").display()
        ))
        .arg(format!("--init-file={}", accounts.display()));
    if durability == Durability::Forgets {
        server.args([
            "--innodb-flush-log-at-trx-commit=0",
            // For the tests of the change log.
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--server-id=1",
            "--sync-binlog=0",
        ]);
    }
    let ready = || {
        let mut probe = owner.command(&programs.admin, folder);
        let login = [
            format!("--user={ACCOUNT}"),
            format!("--port={port}"),
            "--host=127.0.0.1".to_owned(),
        ];
        probe
            .arg("--no-defaults")
            .args(login)
            .arg("ping")
            .env("MYSQL_PWD", &password);
        probe
            .output()
            .is_ok_and(|output| output.status.success() && output.stdout.ends_with(b"alive\n"))
    };
    let child = start(server, &folder.join("server.log"), ready)?;
    Ok(Server {
        child,
        stop_signal: Signal::SIGTERM,
        url: format!("mysql://{ACCOUNT}:{password}@127.0.0.1:{port}/"),
    })
}
