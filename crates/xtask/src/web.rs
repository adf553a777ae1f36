//! The portal's own tools, called through npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{proc, repo};

/// Folders of `web/` that are made from the rest.
const MADE: &[&str] = &["node_modules", "dist", "coverage"];

/// An npm script of `web/`.
pub fn npm(script: &str) -> Command {
    let mut command = Command::new("npm");
    command
        .args(["run", "--silent", script])
        .current_dir(repo::root().join("web"));
    command
}

/// Builds `web/dist`, which the server embeds, unless it was built from these very sources.
pub fn build() -> Result<()> {
    let web = repo::root().join("web");
    let stamp = web.join("node_modules/.tongqu-dist-stamp");
    let wanted = repo::digest(&sources(&web)?)?;
    let fresh = web.join("dist/index.html").exists()
        && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
    if fresh {
        return Ok(());
    }
    proc::must(&mut npm("build"))?;
    fs::write(&stamp, wanted).with_context(|| format!("can't write {}", stamp.display()))
}

/// All files of the portal that a build may read, in a fixed order.
fn sources(web: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![web.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("can't read {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                let made = folder == web
                    && path
                        .file_name()
                        .is_some_and(|name| MADE.iter().any(|made| name == *made));
                if !made {
                    folders.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_leave_out_what_is_made_from_them() {
        let dir = repo::TempDir::new("web-sources-test").unwrap();
        for file in [
            "src/main.ts",
            "src/dist/kept.ts",
            "dist/index.html",
            "node_modules/vue/index.js",
            "index.html",
        ] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let names: Vec<PathBuf> = sources(dir.path()).unwrap();
        let names: Vec<&str> = names
            .iter()
            .map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["index.html", "src/dist/kept.ts", "src/main.ts"]);
    }
}
