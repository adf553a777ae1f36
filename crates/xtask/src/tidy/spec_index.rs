//! `docs/spec-index.md`: every clause, where it lives and which test shows it.
//!
//! `docs/clauses.toml` lists the clauses. The index is written from it and from the citations in the
//! sources by `cargo xtask gen`, so that a listed test exists and cites its clause by construction. A
//! clause that no test cites has to say why: it waits for an area of later work, or no software can
//! support it. `gen` takes such a word out as soon as a test cites the clause, so the list shrinks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use toml::de::{DeTable, DeValue};

use super::clauses::{Citation, citations, is_clause};
use super::{Finding, Tree, numbered};

pub const PATH: &str = "docs/spec-index.md";
pub const CLAUSES: &str = "docs/clauses.toml";

/// The areas of work that a clause can wait for.
const AREAS: &[&str] = &[
    "law",
    "portal",
    "exchange",
    "gateway",
    "files",
    "quality",
    "security",
    "open data",
    "credit",
    "cascade",
    "operations",
];

const HEAD: &str = "\
# Clause index

Every clause of the five regulations that software can support, where it lives and which test shows
it. It is made by `cargo xtask gen` from `docs/clauses.toml` and from the comments that cite a clause as `Spec: PDS-10.2b`, in the code
or the rule pack that carries it and above the test that shows it. `cargo xtask clauses` prints who cites what.

The last column is empty where tests show the clause. Otherwise it says what is still missing, which area of work the clause waits
for, or why no software can support it.

An id names the regulation, then article and item: `PDS-10.2` is article 10, item (二). A `p` counts paragraphs, a letter sentences.
";

/// One regulation of the list.
struct Regulation {
    prefix: String,
    title: String,
    count: i64,
    clauses: Vec<Clause>,
}

/// One clause of the list.
struct Clause {
    id: String,
    line: usize,
    features: Vec<String>,
    /// By key: `part`, `waits_for`, `reason`.
    open: BTreeMap<&'static str, String>,
}

const PART: &str = "part";
const WAITS_FOR: &str = "waits_for";
const REASON: &str = "reason";

impl Clause {
    fn remark(&self) -> String {
        let said = |key: &str, word: &str| self.open.get(key).map(|text| format!("{word}{text}"));
        [
            said(PART, "part: "),
            said(WAITS_FOR, "waits: "),
            said(REASON, "none: "),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
    }
}

/// The list, or what keeps it from being read.
fn listed(text: &str) -> Result<Vec<Regulation>, Finding> {
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_at(text, span.start));
        Finding::new(CLAUSES, line, error.message(), "mend the TOML syntax")
    })?;
    let mut regulations: Vec<(usize, Regulation)> = document
        .get_ref()
        .iter()
        .map(|(prefix, table)| {
            let regulation = Regulation {
                prefix: prefix.get_ref().to_string(),
                title: string(table.get_ref(), "title"),
                count: integer(table.get_ref(), "count"),
                clauses: clauses(text, table.get_ref()),
            };
            (prefix.span().start, regulation)
        })
        .collect();
    regulations.sort_by_key(|(at, _)| *at);
    Ok(regulations.into_iter().map(|(_, it)| it).collect())
}

fn clauses(text: &str, regulation: &DeValue<'_>) -> Vec<Clause> {
    let Some(table) = regulation
        .get("clauses")
        .and_then(|it| it.get_ref().as_table().cloned())
    else {
        return Vec::new();
    };
    let mut clauses: Vec<Clause> = table
        .iter()
        .map(|(id, value)| {
            let value = value.get_ref();
            let open = [PART, WAITS_FOR, REASON]
                .into_iter()
                .map(|key| (key, string(value, key)))
                .filter(|(_, text)| !text.is_empty())
                .collect();
            let features = value
                .get("features")
                .and_then(|it| it.get_ref().as_array().cloned())
                .map(|it| {
                    it.iter()
                        .filter_map(|f| f.get_ref().as_str().map(str::to_owned))
                        .collect()
                })
                .unwrap_or_default();
            Clause {
                id: id.get_ref().to_string(),
                line: line_at(text, id.span().start),
                features,
                open,
            }
        })
        .collect();
    clauses.sort_by_key(|clause| clause.line);
    clauses
}

fn string(value: &DeValue<'_>, key: &str) -> String {
    let found = value.get(key).and_then(|it| it.get_ref().as_str());
    found.unwrap_or_default().to_owned()
}

fn integer(value: &DeValue<'_>, key: &str) -> i64 {
    value
        .get(key)
        .and_then(|it| it.get_ref().as_integer())
        .and_then(|it| it.as_str().parse().ok())
        .unwrap_or(0)
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The list without the words on clauses that a test cites by now; `None` if it can't be read.
pub fn pruned(tree: &Tree) -> Option<String> {
    let text = tree.text(CLAUSES)?;
    let covered = covered(&citations(tree));
    let settled: BTreeSet<usize> = listed(text)
        .ok()?
        .iter()
        .flat_map(|regulation| &regulation.clauses)
        .filter(|clause| covered.contains(&clause.id))
        .map(|clause| clause.line)
        .collect();
    let mut fresh = String::with_capacity(text.len());
    for (number, line) in numbered(text) {
        if settled.contains(&number) {
            fresh.push_str(&without(&without(line, WAITS_FOR), REASON));
        } else {
            fresh.push_str(line);
        }
        fresh.push('\n');
    }
    Some(fresh)
}

/// The line without `, key = "..."`.
fn without(line: &str, key: &str) -> String {
    let begin = format!(", {key} = \"");
    match line.split_once(&begin) {
        Some((before, rest)) => {
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            format!("{before}{after}")
        }
        None => line.to_owned(),
    }
}

/// The index as list and sources have it; `None` if the list can't be read.
pub fn render(tree: &Tree) -> Option<String> {
    let text = pruned(tree)?;
    let citations = citations(tree);
    let mut fresh = HEAD.to_owned();
    for regulation in listed(&text).ok()? {
        let _infallible = write!(
            fresh,
            "\n## {}: {} ({} clauses)\n\n| clause | features | code | test | still open |\n| --- | --- | --- | --- | --- |\n",
            regulation.prefix,
            regulation.title,
            regulation.clauses.len(),
        );
        for clause in regulation.clauses {
            let (code, test) = cells(&clause.id, &citations);
            let features = clause.features.join(" ");
            let remark = clause.remark();
            fresh.push('|');
            for cell in [&clause.id, &features, &code, &test, &remark] {
                fresh.push_str(if cell.is_empty() { "" } else { " " });
                fresh.push_str(cell);
                fresh.push_str(" |");
            }
            fresh.push('\n');
        }
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

/// The clauses that a test cites.
fn covered(citations: &[Citation]) -> BTreeSet<String> {
    citations
        .iter()
        .filter(|citation| citation.is_test)
        .map(|citation| citation.clause.clone())
        .collect()
}

/// Clauses that are cited but not listed.
pub fn unknown_clauses(tree: &Tree) -> Vec<Finding> {
    let regulations = listed(tree.text(CLAUSES).unwrap_or_default()).unwrap_or_default();
    let known: BTreeSet<&str> = regulations
        .iter()
        .flat_map(|regulation| &regulation.clauses)
        .map(|clause| clause.id.as_str())
        .collect();
    // Packs cite more of their regulation than software can support: its head, its basis.
    let unknown = citations(tree).into_iter().filter(|citation| {
        !known.contains(citation.clause.as_str()) && !citation.path.starts_with("regulations/")
    });
    unknown
        .map(|citation| {
            let what = format!("{} is not a clause of {CLAUSES}", citation.clause);
            Finding::new(
                &citation.path,
                citation.line,
                what,
                "correct the id; each one stands in the index",
            )
        })
        .collect()
}

/// What in list or index isn't true, or says nothing that can be checked.
pub fn untrue(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(CLAUSES) else {
        let what = "the list of clauses is missing";
        return vec![Finding::new(CLAUSES, 0, what, "restore it from git")];
    };
    let regulations = match listed(text) {
        Ok(regulations) => regulations,
        Err(finding) => return vec![finding],
    };
    let covered = covered(&citations(tree));
    let mut findings = Vec::new();
    for regulation in &regulations {
        let found = regulation.clauses.len();
        if i64::try_from(found) != Ok(regulation.count) {
            findings.push(Finding::new(
                CLAUSES,
                0,
                format!(
                    "{} has {found} clauses, not {}",
                    regulation.prefix, regulation.count
                ),
                "restore the clauses, or correct `count`",
            ));
        }
        for clause in &regulation.clauses {
            check(
                clause,
                &regulation.prefix,
                covered.contains(&clause.id),
                &mut findings,
            );
        }
    }
    if tree.text(PATH) != render(tree).as_deref() {
        findings.push(Finding::new(
            PATH,
            0,
            "the index is stale",
            "run `cargo xtask gen`",
        ));
    }
    findings
}

fn check(clause: &Clause, prefix: &str, is_covered: bool, findings: &mut Vec<Finding>) {
    let id = &clause.id;
    let mut find = |what: String, instead: &str| {
        findings.push(Finding::new(CLAUSES, clause.line, what, instead));
    };
    if !is_clause(id) || id.split('-').next() != Some(prefix) {
        find(format!("{id} is no clause of {prefix}"), "correct the id");
    }
    if clause.features.is_empty() {
        find(format!("{id} lacks features"), "fill them in");
    }
    let waits_for = clause.open.get(WAITS_FOR);
    if let Some(area) = waits_for.filter(|area| !AREAS.contains(&area.as_str())) {
        let known = format!("write one of {}", AREAS.join(", "));
        find(format!("{id} waits for the unknown area `{area}`"), &known);
    }
    let explained = waits_for.is_some() || clause.open.contains_key(REASON);
    match (is_covered, explained) {
        (false, false) => find(
            format!("no test cites {id}, and nothing says why"),
            "write the test with `Spec: <clause>` in its comment, or say waits_for or reason",
        ),
        (true, true) => find(
            format!("{id} says why no test cites it, but one does"),
            "run `cargo xtask gen`, which takes the word out",
        ),
        (true, false) | (false, true) => {}
    }
}

/// What is known of each clause that is cited or not merely waiting, for the person who keeps the list.
pub fn overview(tree: &Tree) -> String {
    let citations = citations(tree);
    let mut lines = String::new();
    let regulations = listed(tree.text(CLAUSES).unwrap_or_default()).unwrap_or_default();
    for clause in regulations
        .iter()
        .flat_map(|regulation| &regulation.clauses)
    {
        let (code, test) = cells(&clause.id, &citations);
        if code.is_empty() && test.is_empty() {
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
            clause.id,
            clause.remark(),
            shown(code),
            shown(test)
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: (&str, &str) = (
        "crates/domain/src/case/mod.rs",
        "/// Spec: PDS-9\npub fn f() {}\n",
    );
    const TEST: (&str, &str) = (
        "crates/domain/src/case/tests.rs",
        "// Spec: PDS-9\n#[test]\nfn online_first() {}\n",
    );

    /// A list with one clause, the index that belongs to it, and some sources.
    fn tree(more: &str, files: &[(&str, &str)]) -> Tree {
        let list = format!(
            "[PDS]\ntitle = \"T\"\ncount = 1\n\n[PDS.clauses]\n\"PDS-9\" = {{ features = [\"SHR-04\"]{more} }}\n"
        );
        let mut all = vec![(CLAUSES, list.as_str())];
        all.extend_from_slice(files);
        let index = render(&Tree::of(&all)).unwrap();
        all.push((PATH, index.as_str()));
        Tree::of(&all)
    }

    fn faults(more: &str, files: &[(&str, &str)]) -> Vec<String> {
        untrue(&tree(more, files))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn the_index_names_code_and_test() {
        let index = render(&tree("", &[CODE, TEST])).unwrap();
        assert!(index.ends_with(
            "| PDS-9 | SHR-04 | `crates/domain/src/case/mod.rs` | `crates/domain/src/case/tests.rs::online_first` | |\n"
        ), "{index}");
        let index = render(&tree(", waits_for = \"portal\"", &[CODE])).unwrap();
        assert!(
            index.ends_with("| `crates/domain/src/case/mod.rs` | | waits: portal |\n"),
            "{index}"
        );
    }

    #[test]
    fn a_clause_is_covered_or_explained() {
        assert_eq!(faults("", &[CODE, TEST]), Vec::<String>::new());
        assert_eq!(faults(", part = \"half\"", &[TEST]), Vec::<String>::new());
        assert_eq!(
            faults(", waits_for = \"open data\"", &[CODE]),
            Vec::<String>::new()
        );
        assert_eq!(faults(", reason = \"money\"", &[]), Vec::<String>::new());
        assert_eq!(
            faults("", &[CODE]),
            ["no test cites PDS-9, and nothing says why"]
        );
        assert_eq!(
            faults(", waits_for = \"later\"", &[]),
            ["PDS-9 waits for the unknown area `later`"]
        );
    }

    #[test]
    fn what_is_covered_is_not_explained_any_more() {
        let late = tree(", part = \"half\", waits_for = \"portal\"", &[CODE, TEST]);
        let found: Vec<String> = untrue(&late).into_iter().map(|f| f.what).collect();
        assert_eq!(found, ["PDS-9 says why no test cites it, but one does"]);
        assert!(
            pruned(&late)
                .unwrap()
                .ends_with("features = [\"SHR-04\"], part = \"half\" }\n")
        );
    }

    #[test]
    fn a_stale_index_and_a_lost_clause_are_found() {
        let whole = tree("", &[CODE, TEST]);
        let list = whole.text(CLAUSES).unwrap();
        let stale = Tree::of(&[(CLAUSES, list), (PATH, "# Clause index\n"), CODE, TEST]);
        assert_eq!(untrue(&stale)[0].what, "the index is stale");
        let lost = list.replace("count = 1", "count = 2");
        let lost = Tree::of(&[(CLAUSES, lost.as_str()), CODE, TEST]);
        assert_eq!(untrue(&lost)[0].what, "PDS has 1 clauses, not 2");
        let broken = Tree::of(&[(CLAUSES, "[PDS]\ntitle = = 1\n")]);
        assert_eq!(untrue(&broken)[0].line, 2);
    }

    #[test]
    fn a_clause_that_does_not_exist_is_found_where_it_is_cited() {
        let wrong = (
            "crates/domain/src/grant/mod.rs",
            "//! Grants.\n//! Spec: PDS-99.\n",
        );
        let findings = unknown_clauses(&tree("", &[CODE, TEST, wrong]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), (wrong.0, 2));
    }
}
