//! Law is data: no deadline and no regulation is written in code.

use super::source::{is_test_path, line_of};
use super::{Finding, Tree, ending};

const PACKS: &str = "regulations/";

/// Files among the packs that are none.
const OTHERS: &[&str] = &["index", "national-ceilings"];

/// The short names of the five regulations, as they head the clause ids.
const SHORT_NAMES: &[&str] = &["ly", "yc", "tp", "yj", "pds"];

/// Where a number of days or months becomes a deadline.
const DEADLINES: &[&str] = &[
    "WorkingDays(",
    "Months(",
    "working_days:",
    "working_days =",
    "term_months:",
    "due_in:",
];

const ADVICE: &str = "let the rule pack say it and read it from the case or the pack; tests and `regulations/` may name it";

/// Pack names in strings, and deadlines as numbers, outside tests and the packs themselves.
pub fn law_in_code(tree: &Tree) -> Vec<Finding> {
    let packs = pack_names(tree);
    let mut findings = Vec::new();
    for source in tree
        .rust
        .iter()
        .filter(|source| !source.path.starts_with("crates/xtask/"))
    {
        for (line, text) in &source.strings {
            if !source.is_test(*line) && names_a_pack(text, &packs) {
                findings.push(Finding::new(
                    &source.path,
                    *line,
                    "a regulation named in code",
                    ADVICE,
                ));
            }
        }
        for mark in DEADLINES {
            for (offset, _) in source.code.match_indices(mark) {
                let value = source.code[offset + mark.len()..].trim_start();
                let line = line_of(&source.code, offset);
                if value.starts_with(|sign: char| ('1'..='9').contains(&sign))
                    && !source.is_test(line)
                {
                    findings.push(Finding::new(
                        &source.path,
                        line,
                        "a deadline as a number in code",
                        ADVICE,
                    ));
                }
            }
        }
        for (line, code) in super::numbered(&source.code) {
            if adds_literal_days(code) && !source.is_test(line) {
                findings.push(Finding::new(
                    &source.path,
                    line,
                    "a deadline as a number in code",
                    ADVICE,
                ));
            }
        }
    }
    let portal = |path: &str| path.starts_with("web/src/") && matches!(ending(path), "ts" | "vue");
    for (path, text) in tree
        .texts
        .iter()
        .filter(|(path, _)| portal(path) && !is_test_path(path))
    {
        for (line, code) in super::numbered(text) {
            let quoted = code.split(['\'', '"', '`']).skip(1).step_by(2);
            if quoted.into_iter().any(|text| names_a_pack(text, &packs)) {
                findings.push(Finding::new(
                    path,
                    line,
                    "a regulation named in the portal",
                    "show what the server sends",
                ));
            }
        }
    }
    findings
}

/// The stems of the pack files, with and without their year: `pingdingshan-2020`, `pingdingshan`.
fn pack_names(tree: &Tree) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (path, _) in &tree.texts {
        let Some(stem) = path
            .strip_prefix(PACKS)
            .and_then(|name| name.strip_suffix(".toml"))
        else {
            continue;
        };
        if OTHERS.contains(&stem) {
            continue;
        }
        names.push(stem.to_owned());
        let place =
            stem.trim_end_matches(|sign: char| sign.is_ascii_digit() || matches!(sign, '-' | '_'));
        if place.len() > 3 {
            names.push(place.to_owned());
        }
    }
    names.retain(|name| !SHORT_NAMES.contains(&name.as_str()));
    names.sort();
    names.dedup();
    names
}

/// A path into `regulations/` is how a pack is compiled in, and no law by itself.
fn names_a_pack(text: &str, packs: &[String]) -> bool {
    if text.contains(PACKS) {
        return false;
    }
    SHORT_NAMES.contains(&text) || packs.iter().any(|pack| text.contains(pack.as_str()))
}

/// `add_working_days(start, 5)`.
fn adds_literal_days(code: &str) -> bool {
    code.match_indices("add_working_days(")
        .any(|(offset, call)| {
            let arguments = code[offset + call.len()..]
                .split(')')
                .next()
                .unwrap_or_default();
            let last = arguments.rsplit(',').next().unwrap_or_default().trim();
            arguments.contains(',') && last.starts_with(|sign: char| ('1'..='9').contains(&sign))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(code: &str) -> Vec<usize> {
        let tree = Tree::of(&[
            ("regulations/pingdingshan-2020.toml", ""),
            ("regulations/index.toml", ""),
            ("crates/server/src/features/request/submit.rs", code),
        ]);
        law_in_code(&tree)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn a_pack_by_any_of_its_names_is_found() {
        assert_eq!(
            lines(
                "fn f() { load(\"pds\"); }\nconst P: &str = \"pingdingshan-2020\";\nlet x = \"the pingdingshan rules\";\n"
            ),
            [1, 2, 3]
        );
        assert!(lines("/// Spec: PDS-2, as in pingdingshan-2020.\nfn f() { g(\"only\", \"http\", \"index\"); }\n#[cfg(test)]\nmod tests { const P: &str = \"pds\"; }\n").is_empty());
    }

    #[test]
    fn a_pack_may_be_compiled_in() {
        assert!(
            lines("const P: &str = include_str!(\"../../regulations/pingdingshan-2020.toml\");\n")
                .is_empty()
        );
    }

    #[test]
    fn a_deadline_as_a_number_is_found() {
        assert_eq!(
            lines(
                "let a = Deadline::WorkingDays(5);\nlet b = Step { working_days: 3 };\nlet c = calendar.add_working_days(start, 10)?;\n"
            ),
            [1, 2, 3]
        );
        assert!(lines("let a = Deadline::WorkingDays(days);\nlet c = calendar.add_working_days(start, days)?;\nlet d = x.working_days();\n").is_empty());
    }

    #[test]
    fn the_portal_names_no_pack_either() {
        let tree = Tree::of(&[
            ("regulations/yanjin-2019.toml", ""),
            (
                "web/src/features/request/rules.ts",
                "if (pack === 'yj') {}\nconst ok = 'yes'\n",
            ),
            (
                "web/src/features/request/rules.test.ts",
                "const pack = 'yanjin-2019'\n",
            ),
        ]);
        assert_eq!(law_in_code(&tree).len(), 1);
    }
}
