//! SQL belongs to stores, HTTP to operations; neither enters the other's file.

use super::source::{Source, line_of};
use super::{Finding, Tree};

/// Beginnings of SQL statements, as they are written here: keywords in capitals.
const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT ", ""),
    ("INSERT ", "INTO"),
    ("UPDATE ", "SET"),
    ("DELETE ", "FROM"),
    ("CREATE ", "TABLE"),
    ("CREATE ", "INDEX"),
    ("ALTER ", "TABLE"),
    ("DROP ", "TABLE"),
    ("WITH ", "SELECT"),
    ("PRAGMA ", ""),
    ("BEGIN IMMEDIATE", ""),
];

const PLATFORM: &str = "crates/server/src/platform/";

/// Where SQL may stand: stores, the platform's database room, foreign systems, tests and this tool.
fn may_hold_sql(path: &str) -> bool {
    is_store(path)
        || path.starts_with("crates/server/src/platform/db")
        || path.starts_with("crates/connectors/")
        || path.starts_with("crates/xtask/")
}

fn is_store(path: &str) -> bool {
    path.ends_with("/store.rs") || path.contains("/store/")
}

/// SQL text, and the library that runs it, outside the stores.
pub fn sql_outside_stores(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree
        .rust
        .iter()
        .filter(|source| !may_hold_sql(&source.path))
    {
        for (line, text) in &source.strings {
            if is_sql(text) && !source.is_test(*line) {
                findings.push(Finding::new(&source.path, *line, "SQL outside a store", "move the statement into the feature's `store.rs` behind a function that takes and gives domain types"));
            }
        }
        // The platform hands connections out and tells their errors apart, so it may name the library.
        let platform = source.path.starts_with(PLATFORM);
        for line in lines_naming(source, "sqlx") {
            if !platform && !source.is_test(line) {
                findings.push(Finding::new(&source.path, line, "sqlx outside a store", "use the types of `platform::db`, or move the access into the feature's `store.rs`"));
            }
        }
    }
    findings
}

fn is_sql(text: &str) -> bool {
    let text = text.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\\');
    STATEMENTS.iter().any(|(begin, later)| {
        text.strip_prefix(begin)
            .is_some_and(|rest| rest.contains(later))
    })
}

/// HTTP types in a store.
pub fn http_in_stores(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree
        .rust
        .iter()
        .filter(|source| source.path.starts_with("crates/server/") && is_store(&source.path))
    {
        for name in ["axum", "utoipa", "http"] {
            for line in lines_naming(source, name) {
                findings.push(Finding::new(
                    &source.path,
                    line,
                    format!("`{name}` in a store"),
                    "give back a domain type; the operation's own file turns it into a reply",
                ));
            }
        }
    }
    findings
}

/// The lines of a file on which a crate is named: `name::` as a path's first part.
fn lines_naming(source: &Source, name: &str) -> Vec<usize> {
    let path = format!("{name}::");
    let first = |offset: usize| {
        !source.code[..offset]
            .ends_with(|sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':')
    };
    source
        .code
        .match_indices(&path)
        .filter(|(offset, _)| first(*offset))
        .map(|(offset, _)| line_of(&source.code, offset))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "const Q: &str = \"SELECT id FROM cases WHERE id = $1\";\n";

    #[test]
    fn sql_is_found_outside_stores_only() {
        let tree = Tree::of(&[
            ("crates/server/src/features/request/store.rs", SQL),
            ("crates/server/src/features/request/store/cases.rs", SQL),
            ("crates/server/src/platform/db/tx.rs", SQL),
            ("crates/connectors/src/postgres/read.rs", SQL),
            ("crates/server/tests/it/request.rs", SQL),
            ("crates/server/src/features/request/decide.rs", SQL),
            (
                "crates/server/src/platform/http/error.rs",
                "fn f(error: sqlx::Error) {}\n",
            ),
            ("crates/server/src/platform/http/session.rs", SQL),
            (
                "crates/domain/src/case/mod.rs",
                "fn f() { sqlx::query(\"x\"); }\n",
            ),
        ]);
        let findings = sql_outside_stores(&tree);
        let paths: Vec<&str> = findings
            .iter()
            .map(|finding| finding.path.as_str())
            .collect();
        assert_eq!(
            paths,
            [
                "crates/server/src/features/request/decide.rs",
                "crates/server/src/platform/http/session.rs",
                "crates/domain/src/case/mod.rs"
            ]
        );
    }

    #[test]
    fn plain_words_are_not_sql() {
        for text in [
            "Select a department",
            "UPDATE your browser",
            "Delete the file",
            "with a reason",
        ] {
            assert!(!is_sql(text), "{text}");
        }
        assert!(
            is_sql("\n    INSERT INTO t (a) VALUES ($1)")
                && is_sql("\\\n UPDATE t SET a = $1")
                && is_sql("WITH x AS (SELECT 1) DELETE FROM t")
        );
    }

    #[test]
    fn a_store_may_not_speak_http() {
        let tree = Tree::of(&[
            (
                "crates/server/src/features/request/store.rs",
                "use axum::Json;\nfn f() { domain::http::x(); }\n",
            ),
            (
                "crates/server/src/features/request/decide.rs",
                "use axum::Json;\n",
            ),
        ]);
        assert_eq!(http_in_stores(&tree).len(), 1);
    }
}
