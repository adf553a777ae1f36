//! `docs/spec-index.md`: every clause, where it lives, which test shows it, and how far it is.
//!
//! The cells `code` and `test` are written by `cargo xtask gen` from the citations in the sources, so
//! that a listed test exists and cites its clause by construction. The cell `state` is a person's
//! word: `built`, `part: <what is missing>`, `planned`, or `waits: <area>`. `gen` turns `planned` into
//! `built` as soon as code and a test cite the clause.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::clauses::{Citation, citations, is_clause};
use super::{Finding, Tree, numbered};

pub const PATH: &str = "docs/spec-index.md";

/// One line of the table.
struct Row<'a> {
    line: usize,
    clause: &'a str,
    demand: &'a str,
    code: &'a str,
    test: &'a str,
    state: &'a str,
}

fn rows(text: &str) -> impl Iterator<Item = Row<'_>> {
    numbered(text).filter_map(|(line, text)| row(line, text))
}

fn row(line: usize, text: &str) -> Option<Row<'_>> {
    let cells: Vec<&str> = text
        .strip_prefix('|')?
        .strip_suffix('|')?
        .split('|')
        .map(str::trim)
        .collect();
    let [clause, demand, code, test, state] = cells[..] else {
        return None;
    };
    is_clause(clause).then_some(Row {
        line,
        clause,
        demand,
        code,
        test,
        state,
    })
}

/// The index with its generated cells as the sources have them.
pub fn render(tree: &Tree) -> Option<String> {
    let text = tree.text(PATH)?;
    let citations = citations(tree);
    let mut fresh = String::with_capacity(text.len());
    for (line, text) in numbered(text) {
        match row(line, text) {
            None => fresh.push_str(text),
            Some(row) => {
                let (code, test) = cells(row.clause, &citations);
                let done = row.state == "planned" && !code.is_empty() && !test.is_empty();
                let state = if done { "built" } else { row.state };
                let cells = [row.clause, row.demand, &code, &test, state];
                fresh.push('|');
                for cell in cells {
                    fresh.push_str(if cell.is_empty() { "" } else { " " });
                    fresh.push_str(cell);
                    fresh.push_str(" |");
                }
            }
        }
        fresh.push('\n');
    }
    Some(fresh)
}

/// The places that cite a clause, in code and in tests.
fn cells(clause: &str, citations: &[Citation]) -> (String, String) {
    let places = |tests: bool| -> String {
        let here = citations
            .iter()
            .filter(|citation| citation.clause == clause && citation.is_test == tests);
        let places: BTreeSet<String> = here.map(Citation::place).collect();
        places
            .into_iter()
            .map(|place| format!("`{place}`"))
            .collect::<Vec<_>>()
            .join("<br>")
    };
    (places(false), places(true))
}

/// Clauses that are cited but not listed.
pub fn unknown_clauses(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(PATH).unwrap_or_default();
    let known: BTreeSet<&str> = rows(text).map(|row| row.clause).collect();
    let unknown = citations(tree)
        .into_iter()
        .filter(|citation| !known.contains(citation.clause.as_str()));
    unknown
        .map(|citation| {
            let what = format!("{} is not a clause of {PATH}", citation.clause);
            Finding::new(
                &citation.path,
                citation.line,
                what,
                "correct the id; each one stands in the first column of the index",
            )
        })
        .collect()
}

/// Rows that say something else than the sources, or nothing that can be checked.
pub fn untrue_rows(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(PATH) else {
        return vec![Finding::new(
            PATH,
            0,
            "the clause index is missing",
            "restore it; it lists every clause",
        )];
    };
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows(text) {
        let mut find = |what: String, instead: &str| {
            findings.push(Finding::new(PATH, row.line, what, instead));
        };
        if !seen.insert(row.clause) {
            find(format!("{} stands here twice", row.clause), "keep one row");
        }
        let said = |kind: &str| {
            row.state
                .strip_prefix(kind)
                .is_some_and(|rest| !rest.trim().is_empty())
        };
        match row.state {
            "built" if row.code.is_empty() || row.test.is_empty() => {
                let missing = if row.code.is_empty() { "code" } else { "test" };
                find(
                    format!(
                        "{} is said to be built, but no {missing} cites it",
                        row.clause
                    ),
                    "write `Spec: <clause>` in the comment above what carries it and run `cargo xtask gen`, or change the state",
                );
            }
            state if said("part: ") && row.code.is_empty() => {
                find(
                    format!(
                        "{} is said to be `{state}`, but no code cites it",
                        row.clause
                    ),
                    "cite it where it is carried, or write `waits: <area>`",
                );
            }
            "built" | "planned" => {}
            _ if said("part: ") || said("waits: ") => {}
            state => find(
                format!("the state `{state}` is unknown"),
                "write `built`, `part: <what is missing>`, `planned` or `waits: <area>`",
            ),
        }
    }
    if seen.is_empty() {
        findings.push(Finding::new(
            PATH,
            0,
            "the clause index has no rows",
            "restore it; it lists every clause",
        ));
    }
    if render(tree).is_some_and(|fresh| fresh != text) {
        findings.push(Finding::new(
            PATH,
            0,
            "the cells `code` and `test` are stale",
            "run `cargo xtask gen`",
        ));
    }
    findings
}

/// What is known of each clause that is cited or not merely waiting, for the person who keeps the index.
pub fn overview(tree: &Tree) -> String {
    let citations = citations(tree);
    let mut lines = String::new();
    for row in rows(tree.text(PATH).unwrap_or_default()) {
        let (code, test) = cells(row.clause, &citations);
        if row.state.starts_with("waits:") && code.is_empty() && test.is_empty() {
            continue;
        }
        let shown = |cell: String| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                cell.replace("<br>", " ").replace('`', "")
            }
        };
        let _infallible = writeln!(
            lines,
            "{:<10} {:<30} code: {}  test: {}",
            row.clause,
            row.state,
            shown(code),
            shown(test)
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "# Index\n\n| clause | asks | code | test | state |\n| --- | --- | --- | --- | --- |\n";
    const CODE: (&str, &str) = (
        "crates/domain/src/case/mod.rs",
        "/// Spec: PDS-9\npub fn f() {}\n",
    );
    const TEST: (&str, &str) = (
        "crates/domain/src/case/tests.rs",
        "// Spec: PDS-9\n#[test]\nfn online_first() {}\n",
    );
    const FULL: &str = "| PDS-9 | Online first. | `crates/domain/src/case/mod.rs` | `crates/domain/src/case/tests.rs::online_first` | built |\n";

    fn tree(row: &str, files: &[(&str, &str)]) -> Tree {
        let index = format!("{HEAD}{row}");
        let mut all = vec![(PATH, index.as_str())];
        all.extend_from_slice(files);
        Tree::of(&all)
    }

    fn faults(row: &str, files: &[(&str, &str)]) -> Vec<String> {
        untrue_rows(&tree(row, files))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn a_planned_clause_becomes_built_when_code_and_test_cite_it() {
        let planned = "| PDS-9 | Online first. | | | planned |\n";
        assert_eq!(
            render(&tree(planned, &[CODE, TEST])).unwrap(),
            format!("{HEAD}{FULL}")
        );
        assert!(render(&tree(planned, &[CODE])).unwrap().ends_with(
            "| PDS-9 | Online first. | `crates/domain/src/case/mod.rs` | | planned |\n"
        ));
        assert_eq!(faults(FULL, &[CODE, TEST]), Vec::<String>::new());
    }

    #[test]
    fn a_built_clause_without_its_test_is_untrue() {
        let row = "| PDS-9 | Online first. | `crates/domain/src/case/mod.rs` | | built |\n";
        assert_eq!(
            faults(row, &[CODE]),
            ["PDS-9 is said to be built, but no test cites it"]
        );
        assert!(
            faults(FULL, &[CODE])
                .iter()
                .any(|fault| fault.contains("stale"))
        );
    }

    #[test]
    fn states_must_say_something() {
        assert_eq!(
            faults("| PDS-9 | x | | | soon |\n", &[]),
            ["the state `soon` is unknown"]
        );
        assert_eq!(
            faults("| PDS-9 | x | | | waits: |\n", &[]),
            ["the state `waits:` is unknown"]
        );
        assert_eq!(
            faults("| PDS-9 | x | | | waits: gateway |\n", &[]),
            Vec::<String>::new()
        );
        assert!(faults("", &[]).contains(&"the clause index has no rows".to_owned()));
    }

    #[test]
    fn a_clause_that_does_not_exist_is_found_where_it_is_cited() {
        let wrong = (
            "crates/domain/src/grant/mod.rs",
            "//! Grants.\n//! Spec: PDS-99.\n",
        );
        let findings = unknown_clauses(&tree(FULL, &[CODE, TEST, wrong]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), (wrong.0, 2));
    }
}
