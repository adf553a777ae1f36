//! Where things lie: the checkout, the build cache, the run's own temporary folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The root of the checkout this command was built from.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/xtask lies two folders below the root")
        .to_path_buf()
}

/// Where cargo builds: `CARGO_TARGET_DIR` if it is set, else a folder outside the checkout, so that a
/// fresh clone finds what an earlier one has built.
pub fn target_dir() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("CARGO_TARGET_DIR") {
        return Ok(root().join(dir));
    }
    Ok(cache_dir()?.join("target"))
}

/// `$XDG_CACHE_HOME/tongqu`, or `~/.cache/tongqu`.
fn cache_dir() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value: &OsString| !value.is_empty());
    if let Some(dir) = set("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(dir).join("tongqu"));
    }
    let home = set("HOME").context(
        "neither HOME nor XDG_CACHE_HOME is set: set CARGO_TARGET_DIR to a folder for the build",
    )?;
    Ok(PathBuf::from(home).join(".cache/tongqu"))
}

/// The features with which everything is built here: one set, so that nothing is compiled twice.
pub const FEATURES: &str = "--features=tongqu/odbc";

/// `cargo`, told to build in [`target_dir`].
pub fn cargo() -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target_dir()?);
    Ok(command)
}

/// The files git tracks, as paths relative to the root, without those deleted in the work tree.
pub fn tracked_files() -> Result<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .context("git can't be run: install it, the structure checks read its list of files")?;
    if !output.status.success() {
        bail!(
            "`git ls-files` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let mut files: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|path| !path.is_empty() && root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// A digest over names and contents, for the stamps that tell whether something has to be built again.
/// It differs between versions of the standard library, which costs one more build and nothing else.
pub fn digest(files: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(file)
            .with_context(|| format!("can't read {}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// A folder for one run, removed when it is dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes `tongqu-<purpose>-<pid>` in the system's temporary folder. Others may enter it, because
    /// the test databases run as another user when we are root.
    pub fn new(purpose: &str) -> Result<Self> {
        let path = env::temp_dir().join(format!("tongqu-{purpose}-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("can't make {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("could not remove {}: {error}", self.0.display());
        }
    }
}
