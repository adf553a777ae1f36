//! A private PostgreSQL cluster.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::{ACCOUNT, Durability, Owner, Server, free_port, password, prepare, programs_in, start};
use crate::setup::find_program;

/// The folder of `initdb` and `postgres`: Debian keeps them off the path, one folder per version.
pub fn programs() -> Result<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders.extend(
        find_program("initdb")
            .and_then(|path| fs::canonicalize(path).ok())
            .and_then(|path| path.parent().map(Path::to_path_buf)),
    );
    programs_in(&folders, &["initdb", "postgres", "pg_isready", "createdb"])
        .context("PostgreSQL is missing: `cargo xtask setup` installs it")
}

/// Starts a cluster in `folder`, which must not exist yet.
///
/// Text sorts bytewise, as the product expects of no engine but must bear.
pub fn start_cluster(folder: &Path, durability: Durability) -> Result<Server> {
    let bin = programs()?;
    let owner = Owner::new("postgres")?;
    owner.make_folder(folder)?;
    let data = folder.join("data");
    let password = password()?;
    let secret = folder.join("password");
    fs::write(&secret, &password)?;
    owner.give(&secret)?;
    prepare(
        owner
            .command(&bin.join("initdb"), folder)
            .args([
                "--username",
                ACCOUNT,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(&secret)
            .arg("--pgdata")
            .arg(&data),
    )?;
    let port = free_port()?.to_string();
    let mut server = owner.command(&bin.join("postgres"), folder);
    server
        .arg("-D")
        .arg(&data)
        .args(["-p", &port, "-k"])
        .arg(folder);
    let hasty = [
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=300",
    ];
    let hasty = hasty.iter().filter(|_| durability == Durability::Forgets);
    // Each test of the change log has a slot and a sender of its own.
    let always = [
        "listen_addresses=127.0.0.1",
        "wal_level=logical",
        "max_replication_slots=100",
        "max_wal_senders=100",
    ];
    for setting in always.iter().chain(hasty) {
        server.args(["-c", setting]);
    }
    let ready = || {
        let mut probe = owner.command(&bin.join("pg_isready"), folder);
        probe
            .args(["-q", "-h", "127.0.0.1", "-p", &port])
            .status()
            .is_ok_and(|status| status.success())
    };
    let child = start(server, &folder.join("server.log"), ready)?;
    let url = format!("postgres://{ACCOUNT}:{password}@127.0.0.1:{port}/");
    // From here on the server is stopped by its drop, whatever fails. SIGINT is its fast shutdown.
    let server = Server {
        child,
        stop_signal: Signal::SIGINT,
        url,
    };
    prepare(
        owner
            .command(&bin.join("createdb"), folder)
            .env("PGPASSWORD", &password)
            .args(["-h", "127.0.0.1", "-p", &port, "-U", ACCOUNT, ACCOUNT]),
    )?;
    Ok(server)
}
