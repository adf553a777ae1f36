//! Files that are made from others and committed: written by `gen`, compared by `gen --check`.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::suites::Counts;
use crate::tidy::{self, spec_index};
use crate::{proc, repo, web};

/// Whether files are written or only compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

struct Generated {
    path: &'static str,
    from: &'static str,
    make: fn() -> Result<String>,
}

/// In the order in which one is made from the other.
const GENERATED: &[Generated] = &[
    Generated {
        path: spec_index::CLAUSES,
        from: "the clauses that tests cite",
        make: clauses,
    },
    Generated {
        path: spec_index::PATH,
        from: "docs/clauses.toml and the clauses cited in the sources",
        make: clause_index,
    },
    Generated {
        path: "regulations/pack.schema.json",
        from: "`tongqu law schema`",
        make: pack_schema,
    },
    Generated {
        path: "openapi.json",
        from: "`tongqu openapi`",
        make: openapi,
    },
    Generated {
        path: "web/src/api/schema.gen.ts",
        from: "openapi.json by `npm run gen:api`",
        make: api_client,
    },
];

/// Writes or compares the generated files, or only those of `paths` if there are any; one count per file.
pub fn run(mode: Mode, paths: &[String]) -> Result<Counts> {
    let known = |path: &String| GENERATED.iter().any(|it| it.path == path);
    if let Some(unknown) = paths.iter().find(|path| !known(path)) {
        let known: Vec<&str> = GENERATED.iter().map(|it| it.path).collect();
        bail!("{unknown} isn't generated; these are: {}", known.join(", "));
    }
    let mut counts = Counts::default();
    let wanted = |it: &&Generated| paths.is_empty() || paths.iter().any(|path| it.path == path);
    for generated in GENERATED.iter().filter(wanted) {
        let path = repo::root().join(generated.path);
        let found = fs::read_to_string(&path).ok();
        let fresh = match (generated.make)() {
            Ok(fresh) => fresh,
            Err(error) => {
                println!(
                    "not ok {} could not be made from {}: {error:#}",
                    generated.path, generated.from
                );
                counts += Counts::FAILED;
                continue;
            }
        };
        let same = found.as_deref() == Some(fresh.as_str());
        if mode == Mode::Write && !same {
            fs::write(&path, fresh).with_context(|| format!("can't write {}", path.display()))?;
        }
        let outcome = match (mode, same) {
            (_, true) => "is fresh",
            (Mode::Write, false) => "written",
            (Mode::Check, false) => "is stale: run `cargo xtask gen` and commit it",
        };
        let ok = same || mode == Mode::Write;
        println!(
            "{} {} {outcome}",
            if ok { "ok" } else { "not ok" },
            generated.path
        );
        counts += if ok { Counts::PASSED } else { Counts::FAILED };
    }
    Ok(counts)
}

fn pack_schema() -> Result<String> {
    told(&["law", "schema"])
}

fn openapi() -> Result<String> {
    told(&["openapi"])
}

/// What the program says, which has to be JSON. It embeds the portal, so that has to be there before.
fn told(words: &[&str]) -> Result<String> {
    web::build()?;
    let run = [
        "run",
        "--quiet",
        "--locked",
        "--package",
        "tongqu",
        repo::FEATURES,
        "--",
    ];
    let document = proc::read(repo::cargo()?.args(run).args(words))?;
    serde_json::from_str::<Value>(&document).with_context(|| {
        format!(
            "`tongqu {}` printed something else than JSON",
            words.join(" ")
        )
    })?;
    Ok(document)
}

/// Lets the portal's own script write the file, reads it, and puts back what was there.
fn api_client() -> Result<String> {
    let path = repo::root().join("web/src/api/schema.gen.ts");
    let before = fs::read(&path).ok();
    let made = proc::run(&mut web::npm("gen:api"), proc::Output::Keep, None);
    let fresh = fs::read_to_string(&path)
        .with_context(|| format!("`npm run gen:api` wrote no {}", path.display()));
    match before {
        Some(bytes) => fs::write(&path, bytes)?,
        None => drop(fs::remove_file(&path)),
    }
    let made = made?;
    if !made.ok() {
        bail!("`npm run gen:api` {}", made.describe());
    }
    fresh
}

fn clauses() -> Result<String> {
    spec_index::pruned(&tidy::Tree::read()?)
        .with_context(|| format!("{} can't be read", spec_index::CLAUSES))
}

fn clause_index() -> Result<String> {
    spec_index::render(&tidy::Tree::read()?)
        .with_context(|| format!("{} can't be read", spec_index::CLAUSES))
}
