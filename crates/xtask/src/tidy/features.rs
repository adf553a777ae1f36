//! Borders inside the server: platform below features, features side by side, the world behind doors.

use super::edges;
use super::source::{Source, line_of};
use super::{Finding, Tree};

const FEATURES: &str = "crates/server/src/features/";
const PLATFORM: &str = "crates/server/src/platform/";

/// The platform serves features it doesn't know.
pub fn platform_names_features(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree
        .rust
        .iter()
        .filter(|source| source.path.starts_with(PLATFORM))
    {
        for (offset, _) in source.code.match_indices("features") {
            let named = is_word(&source.code, offset, "features")
                && source.code[offset..]
                    .trim_start_matches("features")
                    .trim_start()
                    .starts_with("::");
            if named {
                findings.push(Finding::new(
                    &source.path,
                    line_of(&source.code, offset),
                    "the platform names a feature",
                    "let the feature call the platform, or hand what it needs in from `app.rs`",
                ));
            }
        }
    }
    findings
}

/// A feature uses another only along `edges.rs`, and never its store or views.
pub fn forbidden_edges(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.rust {
        let Some(user) = source
            .path
            .strip_prefix(FEATURES)
            .and_then(|rest| rest.split(['/', '.']).next())
        else {
            continue;
        };
        if user == "mod" {
            continue;
        }
        for (line, path) in feature_paths(source) {
            let mut parts = path.iter().map(String::as_str);
            let Some(used) = parts.next() else { continue };
            match edges::may_use(user, used) {
                Some(true) => {}
                Some(false) => findings.push(Finding::new(
                    &source.path,
                    line,
                    format!("`{user}` uses `{used}`"),
                    format!("turn the arrow round, hand the value in from `app.rs`, or add the pair to crates/xtask/src/tidy/edges.rs with the reason in the commit; `{user} -> {used}` must not close a circle"),
                )),
                None => findings.push(Finding::new(&source.path, line, format!("`{user}` has no line in the table of pairs"), "add it to crates/xtask/src/tidy/edges.rs")),
            }
            let inner = parts.next().unwrap_or_default();
            if user != used && matches!(inner, "store" | "views") {
                findings.push(Finding::new(
                    &source.path,
                    line,
                    format!("`{user}` reaches into `{used}::{inner}`"),
                    format!("call a `pub` function of features/{used}/mod.rs; add one there if it is missing"),
                ));
            }
        }
    }
    findings
}

/// All paths below `features::` in a file, as far as two names deep, with their lines.
fn feature_paths(source: &Source) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (offset, _) in source.code.match_indices("features") {
        if !is_word(&source.code, offset, "features") {
            continue;
        }
        let rest = source.code[offset + "features".len()..].trim_start();
        if let Some(rest) = rest.strip_prefix("::") {
            let line = line_of(&source.code, offset);
            found.extend(heads(rest).into_iter().map(|path| (line, path)));
        }
    }
    found
}

/// The one or more paths a `use` tail begins: `a::b`, or `{a::b, c}`.
fn heads(tail: &str) -> Vec<Vec<String>> {
    let tail = tail.trim_start();
    let Some(group) = tail.strip_prefix('{') else {
        return vec![head(tail)];
    };
    let mut depth = 1_usize;
    let mut start = 0;
    let mut found = Vec::new();
    for (offset, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && sign == ',') {
            found.push(head(group[start..offset].trim_start()));
            start = offset + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

fn head(tail: &str) -> Vec<String> {
    let mut path = Vec::new();
    let mut rest = tail;
    while path.len() < 2 {
        let end = rest
            .find(|sign: char| !(sign.is_alphanumeric() || sign == '_'))
            .unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        path.push(rest[..end].to_owned());
        let Some(next) = rest[end..].trim_start().strip_prefix("::") else {
            break;
        };
        rest = next.trim_start();
    }
    path
}

fn is_word(text: &str, offset: usize, word: &str) -> bool {
    let name = |sign: char| sign.is_alphanumeric() || sign == '_';
    !text[..offset].ends_with(name) && !text[offset + word.len()..].starts_with(name)
}

/// Where the clippy rule against calling the world directly may be lifted.
pub fn doors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.rust {
        let allowed = source.path.starts_with(PLATFORM)
            || source.path.starts_with("crates/xtask/")
            || source.path.ends_with("/build.rs");
        for (offset, _) in source.code.match_indices("clippy::disallowed_methods") {
            let line = line_of(&source.code, offset);
            if !allowed && !source.is_test(line) {
                findings.push(Finding::new(
                    &source.path,
                    line,
                    "a door to the world outside the platform",
                    "ask `platform::clock`, `platform::config` or `platform::secrets`, or hand the value in as an argument",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_may_not_name_a_feature() {
        let tree = Tree::of(&[
            (
                "crates/server/src/platform/http.rs",
                "use crate::features::request;\n// features::x in a comment\nfn f() { let features = 1; }\n",
            ),
            (
                "crates/server/src/app.rs",
                "use crate::features::request;\n",
            ),
        ]);
        assert_eq!(platform_names_features(&tree).len(), 1);
    }

    #[test]
    fn pairs_outside_the_table_are_found_in_every_spelling() {
        let code = "use crate::features::{catalogue, directory::Person, exchange::{run, plan}};\nfn f() { crate::features::exchange::go(); }\n";
        let tree = Tree::of(&[("crates/server/src/features/request/submit.rs", code)]);
        let findings = forbidden_edges(&tree);
        assert_eq!(
            findings
                .iter()
                .map(|finding| finding.line)
                .collect::<Vec<_>>(),
            [1, 2]
        );
        assert!(findings[0].what.contains("`request` uses `exchange`"));
    }

    #[test]
    fn an_allowed_feature_is_used_by_its_front_only() {
        let code = "use crate::features::catalogue::store::load;\nuse crate::features::catalogue::read_entry;\nuse crate::features::request::store;\n";
        let findings = forbidden_edges(&Tree::of(&[(
            "crates/server/src/features/request/submit.rs",
            code,
        )]));
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].what.contains("catalogue::store")
                && findings[0].instead.contains("catalogue/mod.rs")
        );
    }

    #[test]
    fn an_unlisted_feature_must_be_listed_and_the_demo_may_use_all() {
        let unlisted = Tree::of(&[(
            "crates/server/src/features/weather/mod.rs",
            "use crate::features::catalogue;",
        )]);
        assert!(forbidden_edges(&unlisted)[0].instead.contains("edges.rs"));
        let demo = Tree::of(&[(
            "crates/server/src/features/demo/story.rs",
            "use crate::features::exchange;",
        )]);
        assert!(forbidden_edges(&demo).is_empty());
    }

    #[test]
    fn doors_open_in_the_platform_and_in_tests_only() {
        let line = "#[expect(clippy::disallowed_methods, reason = \"x\")]\nfn f() {}\n";
        let tree = Tree::of(&[
            ("crates/server/src/platform/clock.rs", line),
            ("crates/server/tests/it/support/mod.rs", line),
            ("crates/server/src/features/request/submit.rs", line),
        ]);
        let findings = doors(&tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].path.contains("submit"));
    }
}
