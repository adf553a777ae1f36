//! Who cites which clause of a regulation.

use super::source::is_test_path;
use super::{Tree, ending, numbered};

/// What heads the id of a clause, by regulation.
const PREFIXES: &[&str] = &["LY-", "YC-", "TP-", "YJ-", "PDS-"];

const MARK: &str = "Spec:";

/// One `Spec: PDS-10.2b` in a comment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Citation {
    pub clause: String,
    pub path: String,
    /// The function the comment speaks of, if any.
    pub function: Option<String>,
    pub line: usize,
    pub is_test: bool,
}

impl Citation {
    /// How the index names the place.
    pub fn place(&self) -> String {
        match &self.function {
            Some(function) if self.is_test => format!("{}::{function}", self.path),
            _ => self.path.clone(),
        }
    }
}

/// Every citation in the product's own files, in order of clause and place.
pub fn citations(tree: &Tree) -> Vec<Citation> {
    let mut found = Vec::new();
    for source in tree.rust.iter().filter(|source| is_product(&source.path)) {
        for (line, comment) in &source.comments {
            for clause in cited(comment) {
                let function = source.function_at(*line).map(str::to_owned);
                found.push(Citation {
                    clause,
                    path: source.path.clone(),
                    function,
                    line: *line,
                    is_test: source.is_test(*line),
                });
            }
        }
    }
    for (path, text) in tree.texts.iter().filter(|(path, _)| is_pack(path)) {
        for (line, text) in numbered(text) {
            for clause in rested_on(text) {
                found.push(Citation {
                    clause,
                    path: path.clone(),
                    function: None,
                    line,
                    is_test: false,
                });
            }
        }
    }
    for (path, text) in &tree.texts {
        if !is_product(path) || !matches!(ending(path), "ts" | "vue" | "mjs" | "sql") {
            continue;
        }
        for (line, text) in numbered(text) {
            for clause in cited(text) {
                found.push(Citation {
                    clause,
                    path: path.clone(),
                    function: None,
                    line,
                    is_test: is_test_path(path),
                });
            }
        }
    }
    found.sort();
    found
}

fn is_product(path: &str) -> bool {
    ["crates/", "web/src/", "e2e/"]
        .iter()
        .any(|folder| path.starts_with(folder))
        && !path.starts_with("crates/xtask/")
}

/// Rule packs carry a clause where a value of theirs rests on it.
fn is_pack(path: &str) -> bool {
    path.starts_with("regulations/") && ending(path) == "toml"
}

/// The clauses that values in a line of a pack rest on.
fn rested_on(line: &str) -> Vec<String> {
    line.split("clause = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|word| is_clause(word))
        .map(str::to_owned)
        .collect()
}

/// The clauses that a line of a comment cites: after the mark, or if it says nothing else.
fn cited(comment: &str) -> Vec<String> {
    let bare = comment.trim().trim_end_matches('.');
    let list = match comment.split_once(MARK) {
        Some((_, list)) => list,
        None if bare
            .split(", ")
            .all(|word| is_clause(word) && !word.contains(' ')) =>
        {
            bare
        }
        None => return Vec::new(),
    };
    let words =
        list.split(|sign: char| !(sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.')));
    words
        .map(|word| word.trim_end_matches(['.', '-']))
        .filter(|word| is_clause(word))
        .map(str::to_owned)
        .collect()
}

/// Whether a word has the form of a clause id: `PDS-10.2b`, `YC-29.p2`, `LY-meta`.
pub fn is_clause(word: &str) -> bool {
    PREFIXES
        .iter()
        .filter_map(|prefix| word.strip_prefix(prefix))
        .any(|rest| rest == "meta" || rest.starts_with(|sign: char| sign.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_the_mark_on() {
        assert_eq!(
            cited(" Spec: PDS-10.2b (reply period), GB 11643, YC-29.p2. Cases: `tests::x`."),
            ["PDS-10.2b", "YC-29.p2"]
        );
        assert_eq!(cited(" as PDS-10.2b says"), Vec::<String>::new());
        assert_eq!(cited(" Spec: LY-meta, GB-11643, PDS-x"), ["LY-meta"]);
        assert_eq!(cited(" YC-19.2, YC-19.1."), ["YC-19.2", "YC-19.1"]);
        assert_eq!(cited(" YC-19.2 is long"), Vec::<String>::new());
    }

    #[test]
    fn a_pack_carries_what_its_values_rest_on() {
        let tree = Tree::of(&[(
            "regulations/xy.toml",
            "\"PDS-1\" = { place = \"x\" }\nreason = { when = \"always\", clause = \"LY-11\" }\nclause = \"GB-1\"\n",
        )]);
        let found = citations(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].clause.as_str(), found[0].line), ("LY-11", 2));
        assert!(!found[0].is_test);
    }

    #[test]
    fn a_citation_knows_whether_it_stands_in_a_test() {
        let tree = Tree::of(&[
            (
                "crates/domain/src/case/step.rs",
                "/// Spec: PDS-10.2b\npub fn due() {}\n",
            ),
            (
                "crates/domain/src/case/tests.rs",
                "// Spec: PDS-10.2b\n#[test]\nfn late_is_late() {}\n",
            ),
            ("web/src/features/request/rules.ts", "// Spec: PDS-9\n"),
            ("crates/xtask/src/main.rs", "// Spec: PDS-1\n"),
        ]);
        let places: Vec<(bool, String)> = citations(&tree)
            .iter()
            .map(|citation| (citation.is_test, citation.place()))
            .collect();
        assert_eq!(
            places,
            [
                (false, "crates/domain/src/case/step.rs".to_owned()),
                (
                    true,
                    "crates/domain/src/case/tests.rs::late_is_late".to_owned()
                ),
                (false, "web/src/features/request/rules.ts".to_owned()),
            ]
        );
    }
}
