//! What a fresh Debian machine still lacks, installed once: system packages, npm packages, the test runner.
//!
//! A need counts as met when the program is there, whoever installed it. Packages are asked for only
//! if something is missing, and no service of theirs is started: the tests run their own servers.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{databases, proc, repo};

/// The oldest Node the portal's tools run on.
const NODE_MIN: (u32, u32) = (20, 19);

/// What a command is about to do, which decides what has to be there; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Build and run the product.
    Demo,
    /// Also check it: lints, the test runner and the test databases.
    Check,
    /// Also a browser.
    Test,
}

struct Need {
    what: &'static str,
    packages: &'static [&'static str],
    purpose: Purpose,
    met: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler",
        packages: &["gcc", "libc6-dev"],
        purpose: Purpose::Demo,
        met: has_c_compiler,
    },
    Need {
        what: "the ODBC driver manager",
        packages: &["unixodbc-dev"],
        purpose: Purpose::Demo,
        met: || in_library_folders("libodbc.so"),
    },
    Need {
        what: "git",
        packages: &["git"],
        purpose: Purpose::Check,
        met: || find_program("git").is_some(),
    },
    Need {
        what: "PostgreSQL",
        packages: &["postgresql"],
        purpose: Purpose::Check,
        met: || databases::postgres::programs().is_ok(),
    },
    Need {
        what: "MariaDB",
        packages: &["mariadb-server"],
        purpose: Purpose::Check,
        met: || databases::mariadb::programs().is_ok(),
    },
    Need {
        what: "ODBC drivers",
        packages: &["odbc-postgresql", "libsqliteodbc", "odbc-mariadb"],
        purpose: Purpose::Check,
        met: has_odbc_drivers,
    },
    Need {
        what: "faketime",
        packages: &["faketime"],
        purpose: Purpose::Check,
        met: has_faketime,
    },
    Need {
        what: "Chromium",
        packages: &["chromium"],
        purpose: Purpose::Test,
        met: || chromium().is_some(),
    },
    Need {
        what: "Chinese fonts",
        packages: &["fonts-noto-cjk"],
        purpose: Purpose::Test,
        met: has_chinese_fonts,
    },
];

/// Makes sure that everything `purpose` needs is there, and says what it does about it.
pub fn setup(purpose: Purpose) -> Result<()> {
    check_node()?;
    system_packages(purpose)?;
    npm_packages(&repo::root().join("web"))?;
    if purpose == Purpose::Test {
        npm_packages(&repo::root().join("e2e"))?;
    }
    if purpose != Purpose::Demo {
        test_runner()?;
    }
    Ok(())
}

/// The system packages alone.
pub fn system_packages(purpose: Purpose) -> Result<()> {
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| need.purpose <= purpose && !(need.met)())
        .collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    Ok(())
}

/// A program by its name: on the path, or in the folders that only root has on its path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

pub fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The browser of the end-to-end tests.
pub fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(find_program)
}

/// Whether `cargo nextest` is there; without it the tests run under `cargo test`.
pub fn has_nextest() -> bool {
    succeeds(Command::new("cargo").args(["nextest", "--version"]))
}

fn has_c_compiler() -> bool {
    // The headers come in a package of their own.
    find_program("cc").is_some() && Path::new("/usr/include/stdio.h").exists()
}

/// The library that sets a program's clock.
fn has_faketime() -> bool {
    in_library_folders("faketime/libfaketimeMT.so.1")
}

/// Whether a library is there; Debian has one folder per architecture.
fn in_library_folders(library: &str) -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut libraries = folders.map(|folder| folder.path().join(library));
    libraries.any(|library| library.exists())
}

/// The drivers under whose names the tests look for them.
fn has_odbc_drivers() -> bool {
    let listed = fs::read_to_string("/etc/odbcinst.ini").unwrap_or_default();
    ["PostgreSQL Unicode", "SQLite3", "MariaDB Unicode"]
        .iter()
        .all(|driver| listed.contains(&format!("[{driver}]")))
        && in_library_folders("odbc/psqlodbcw.so")
        && in_library_folders("odbc/libsqlite3odbc.so")
        && in_library_folders("odbc/libmaodbc.so")
}

fn has_chinese_fonts() -> bool {
    let listed = Command::new("fc-list")
        .args([":lang=zh-cn", "family"])
        .output();
    listed.is_ok_and(|output| !output.stdout.trim_ascii().is_empty())
        || Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").exists()
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn check_node() -> Result<()> {
    let (major, minor) = NODE_MIN;
    let advice = format!(
        "install Node {major}.{minor} or later with npm (https://nodejs.org), then start again"
    );
    let version = Command::new("node").arg("--version").output();
    let text = match &version {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(_) => bail!("Node is missing: {advice}"),
    };
    match parse_node_version(&text) {
        Some(found) if found >= NODE_MIN => {}
        _ => bail!("Node {text} is too old to build the portal: {advice}"),
    }
    if find_program("npm").is_none() {
        bail!("npm is missing: {advice}");
    }
    Ok(())
}

fn parse_node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn install(missing: &[&Need]) -> Result<()> {
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.packages.iter().copied())
        .collect();
    let by_hand = format!(
        "apt-get update && apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    println!(
        "missing: {}; installing {}",
        names.join(", "),
        packages.join(" ")
    );
    if find_program("apt-get").is_none() {
        bail!(
            "this is not a Debian machine: install {} by your own means, then start again",
            names.join(", ")
        );
    }
    let prefix: &[&str] = if nix::unistd::geteuid().is_root() {
        &[]
    } else if find_program("sudo").is_some() {
        &["sudo"]
    } else {
        bail!(
            "we are neither root nor is there sudo: have an administrator run `{by_hand}`, then start again"
        );
    };
    let quiet = QuietServices::hold(prefix)?;
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .collect();
        // Not through `proc`: sudo may have to ask for a password at the terminal.
        let status = Command::new(words[0])
            .args(&words[1..])
            .args(arguments)
            .status()
            .context("can't start apt-get")?;
        if !status.success() {
            bail!(
                "installing failed ({status}): run `{by_hand}` as root to see why, then start again"
            );
        }
        Ok(())
    };
    apt(&["update", "-q"])?;
    apt(&[
        &["install", "-q", "-y", "--no-install-recommends"],
        packages.as_slice(),
    ]
    .concat())?;
    drop(quiet);
    for need in missing {
        if !(need.met)() {
            bail!(
                "{} is still not found after installing {}",
                need.what,
                need.packages.join(" ")
            );
        }
    }
    Ok(())
}

/// While it lives, freshly installed packages don't start their services. A policy that an
/// administrator has put there stays as it is.
struct QuietServices {
    prefix: Option<&'static [&'static str]>,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl QuietServices {
    fn hold(prefix: &[&'static str]) -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { prefix: None });
        }
        let text = "#!/bin/sh\n# Put here by `cargo xtask setup` while it installs, removed afterwards.\nexit 101\n";
        if prefix.is_empty() {
            match fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o755)
                .open(POLICY)
            {
                Ok(mut file) => std::io::Write::write_all(&mut file, text.as_bytes())?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Ok(Self { prefix: None });
                }
                Err(error) => return Err(error).with_context(|| format!("can't write {POLICY}")),
            }
            return Ok(Self { prefix: Some(&[]) });
        }
        let script = format!("printf '%s' '{text}' > {POLICY} && chmod 755 {POLICY}");
        let status = Command::new("sudo")
            .args(["sh", "-c", &script])
            .status()
            .context("can't start sudo")?;
        if !status.success() {
            bail!(
                "sudo refused: have an administrator run `cargo xtask setup`, or install the packages by hand"
            );
        }
        Ok(Self {
            prefix: Some(&["sudo"]),
        })
    }
}

impl Drop for QuietServices {
    fn drop(&mut self) {
        let removed = match self.prefix {
            None => true,
            Some([]) => fs::remove_file(POLICY).is_ok(),
            Some(_) => succeeds(Command::new("sudo").args(["rm", "-f", POLICY])),
        };
        if !removed {
            eprintln!(
                "could not remove {POLICY}: remove it, or no newly installed service will start"
            );
        }
    }
}

/// `npm ci` in a folder, unless it was done for this very lock file and Node.
fn npm_packages(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    if !lock.exists() {
        bail!(
            "{} is missing: run `npm install` in its folder and commit it",
            lock.display()
        );
    }
    let stamp = folder.join("node_modules/.tongqu-stamp");
    let wanted = repo::digest(&[lock, folder.join("package.json")])?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!(
        "npm ci in {}",
        folder
            .strip_prefix(repo::root())
            .unwrap_or(folder)
            .display()
    );
    proc::must(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(folder),
    )?;
    fs::create_dir_all(stamp.parent().expect("the stamp lies in node_modules"))?;
    fs::write(&stamp, wanted).with_context(|| format!("can't write {}", stamp.display()))
}

fn test_runner() -> Result<()> {
    if has_nextest() {
        return Ok(());
    }
    println!(
        "installing the test runner: cargo install cargo-nextest --locked (once, several minutes)"
    );
    let outcome = proc::run(
        repo::cargo()?.args(["install", "cargo-nextest", "--locked"]),
        proc::Output::Show,
        None,
    )?;
    if !outcome.ok() {
        println!("cargo-nextest could not be installed; the tests run under `cargo test` instead");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare_by_number() {
        assert_eq!(parse_node_version("v20.20.2"), Some((20, 20)));
        assert!(parse_node_version("v9.99.0").unwrap() < NODE_MIN);
        assert_eq!(parse_node_version("nonsense"), None);
    }

    #[test]
    fn programs_are_found_off_the_path_too() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-here").is_none());
    }
}
