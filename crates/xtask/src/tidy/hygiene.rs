//! What doesn't belong into a tracked file at all.

use super::{Finding, Tree, ending, numbered};

/// Folders of one machine. Taken apart so that this file doesn't find itself.
const MACHINE_PATHS: &[&str] = &[concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Hosts of package registries; which one is used is a setting of the machine.
const REGISTRIES: &[&str] = &[
    concat!("registry.npm", "js.org"),
    concat!("registry.npm", "mirror.com"),
    concat!("rsproxy", ".cn"),
    concat!("artifact", "ory"),
];

/// Work that was put off, and tests that were switched off.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("#[ig", "nore"),
    concat!("test.", "skip"),
    concat!("it.", "skip"),
    concat!("describe.", "skip"),
    concat!("test.", "only"),
    concat!("it.", "only"),
    concat!("describe.", "only"),
    concat!("test.", "fixme"),
    concat!("not impl", "emented"),
];
const UNFINISHED_WORDS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

const CODE: &[&str] = &["rs", "ts", "vue", "mjs", "js", "css", "sql", "toml", "html"];

/// Paths of somebody's machine, addresses of registries, lock files that say where they downloaded.
pub fn machines_and_registries(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.texts {
        let lock = path.ends_with("package-lock.json");
        if path.ends_with("Cargo.lock") {
            continue;
        }
        for (line, text) in numbered(text) {
            if MACHINE_PATHS.iter().any(|machine| text.contains(machine)) || names_a_home(text) {
                findings.push(Finding::new(
                    path,
                    line,
                    "a path of one machine",
                    "use a path relative to the checkout, or a temporary folder",
                ));
            }
            if REGISTRIES.iter().any(|host| text.contains(host))
                || (path.starts_with(".cargo/") && text.contains("replace-with"))
            {
                findings.push(Finding::new(
                    path,
                    line,
                    "the address of a package registry",
                    "leave it to the machine's own npm and cargo settings",
                ));
            }
            if lock && text.contains("\"resolved\": \"http") {
                findings.push(Finding::new(path, line, "a lock file that says where it downloaded", "put `omit-lockfile-registry-resolved=true` into the folder's .npmrc and run `npm install` again"));
                break;
            }
        }
    }
    findings
}

/// `/home/<name>/`.
fn names_a_home(text: &str) -> bool {
    let home = concat!("/ho", "me/");
    text.match_indices(home).any(|(offset, _)| {
        let rest = &text[offset + home.len()..];
        rest.split_once('/').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|sign| sign.is_ascii_lowercase())
        })
    })
}

/// Marks of work put off, and tests that don't run.
pub fn unfinished(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.texts {
        if !CODE.contains(&ending(path)) {
            continue;
        }
        for (line, text) in numbered(text) {
            let word = |word: &&str| {
                text.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'))
                    .any(|part| part == *word)
            };
            if UNFINISHED.iter().any(|mark| text.contains(mark))
                || UNFINISHED_WORDS.iter().any(word)
            {
                findings.push(Finding::new(
                    path,
                    line,
                    "something left unfinished or switched off",
                    "finish it, or take it out and say in an issue what is missing",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(check: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn machines_and_registries_are_found() {
        for text in [
            concat!("cd /ro", "ot/x"),
            concat!("open /ho", "me/anna/x"),
            concat!("https://registry.npm", "js.org/vue"),
        ] {
            assert_eq!(
                found(machines_and_registries, "docs/a.md", text),
                1,
                "{text}"
            );
        }
        assert_eq!(
            found(
                machines_and_registries,
                "docs/a.md",
                "keep it under /home/ or ~/.cache, see https://nodejs.org"
            ),
            0
        );
        assert_eq!(
            found(
                machines_and_registries,
                ".cargo/config.toml",
                "replace-with = \"mirror\""
            ),
            1
        );
        let lock = "\"resolved\": \"https://a\",\n\"resolved\": \"https://b\",\n";
        assert_eq!(
            found(machines_and_registries, "web/package-lock.json", lock),
            1
        );
    }

    #[test]
    fn unfinished_work_is_found_in_code_only() {
        for text in [
            concat!("// TO", "DO later"),
            concat!("to", "do!()"),
            concat!("#[ig", "nore]"),
            concat!("test.", "skip('x')"),
        ] {
            assert_eq!(found(unfinished, "a.rs", text), 1, "{text}");
            assert_eq!(found(unfinished, "a.md", text), 0, "{text}");
        }
        assert_eq!(found(unfinished, "clippy.toml", "todo = \"deny\""), 0);
    }
}
