//! The arrows between crates.

use serde_json::Value;

use super::{Finding, Tree};

/// All that the domain may depend on, itself included.
const DOMAIN: &str = "tongqu-domain";
const DOMAIN_MAY_USE: &[&str] = &[
    "hex",
    "hmac",
    "cronexpr",
    "jiff",
    "serde",
    "serde_json",
    "sha2",
    "sm3",
    "thiserror",
    "toml",
];

/// What each crate of the workspace may use of the others.
const ARROWS: &[(&str, &[&str])] = &[
    (DOMAIN, &[]),
    ("tongqu-connectors", &[DOMAIN]),
    ("tongqu", &[DOMAIN, "tongqu-connectors"]),
    ("xtask", &[]),
];

/// Dependencies against the arrows, read from `cargo metadata`.
pub fn arrows(tree: &Tree) -> Vec<Finding> {
    find(&tree.metadata)
}

fn find(metadata: &Value) -> Vec<Finding> {
    let packages = list(&metadata["packages"]);
    let members: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = format!("manifest of `{name}`");
        let Some((_, may_use)) = ARROWS.iter().find(|(member, _)| *member == name) else {
            findings.push(Finding::new(&manifest, 0, "a crate that the map doesn't know", "give it a place in crates/xtask/src/tidy/crates.rs and in ARCHITECTURE.md, or make it a module"));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let used = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            // A crate may name itself to switch on a feature for its own tests.
            if used == name {
                continue;
            }
            if members.contains(&used) && !may_use.contains(&used) {
                findings.push(Finding::new(
                    &manifest,
                    0,
                    format!("`{name}` depends on `{used}`"),
                    "move what both need down into `tongqu-domain`, or hand it in from the server",
                ));
            } else if name == DOMAIN && !for_tests && !DOMAIN_MAY_USE.contains(&used) {
                findings.push(Finding::new(&manifest, 0, format!("the domain depends on `{used}`"), "keep the domain free of I/O: do this in a connector or the server and hand the result in"));
            }
        }
    }
    findings
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `match` over the domain's own enums names every variant, so that a new one is a compile error at
/// each place that has to think about it.
pub fn domain_lints(tree: &Tree) -> Vec<Finding> {
    let path = "crates/domain/src/lib.rs";
    let set = tree.rust.iter().any(|source| {
        source.path == path && source.code.contains("clippy::wildcard_enum_match_arm")
    });
    if set {
        return Vec::new();
    }
    vec![Finding::new(
        path,
        0,
        "wildcard arms over enums are not refused",
        "put `#![deny(clippy::wildcard_enum_match_arm)]` below the crate's documentation",
    )]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> = uses
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind}))
            .collect();
        json!({"name": name, "dependencies": dependencies})
    }

    #[test]
    fn the_arrows_as_drawn_are_clean() {
        let metadata = json!({"packages": [
            package(DOMAIN, &[("serde", None), ("insta", Some("dev")), ("tokio", Some("dev"))]),
            package("tongqu-connectors", &[(DOMAIN, None), ("tokio", None), ("tongqu-connectors", Some("dev"))]),
            package("tongqu", &[(DOMAIN, None), ("tongqu-connectors", None), ("axum", None)]),
        ]});
        assert_eq!(find(&metadata), []);
    }

    #[test]
    fn arrows_against_the_map_are_found() {
        let metadata = json!({"packages": [
            package(DOMAIN, &[("tokio", None), ("tongqu-connectors", None)]),
            package("tongqu-connectors", &[("tongqu", None)]),
            package("tongqu", &[]),
            package("tongqu-common", &[]),
        ]});
        let found: Vec<String> = find(&metadata)
            .into_iter()
            .map(|finding| finding.what)
            .collect();
        assert_eq!(
            found,
            [
                "the domain depends on `tokio`",
                "`tongqu-domain` depends on `tongqu-connectors`",
                "`tongqu-connectors` depends on `tongqu`",
                "a crate that the map doesn't know"
            ]
        );
    }

    #[test]
    fn the_domain_must_refuse_wildcards() {
        assert_eq!(
            domain_lints(&Tree::of(&[(
                "crates/domain/src/lib.rs",
                "//! Rules.\npub mod ids;\n"
            )]))
            .len(),
            1
        );
        assert_eq!(
            domain_lints(&Tree::of(&[(
                "crates/domain/src/lib.rs",
                "#![deny(clippy::wildcard_enum_match_arm)]\n"
            )])),
            []
        );
    }
}
