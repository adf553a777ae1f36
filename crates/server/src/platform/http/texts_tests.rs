//! Every stable code that people can meet has a sentence in `messages.toml`, and every sentence a code.
//!
//! Codes stand in the sources as text (`"case.ended"`), so the sources are read. A new family of codes
//! is entered in [`FAMILIES`]; a text that only looks like a code in [`NOT_SAID`] or [`NOTED_AFTER`].

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;
use tongqu_domain::{
    catalogue::{ITEMS_MAX, REASON_CHARS_MAX},
    exchange::{CONDITION_TERMS_MAX, CONDITION_VALUES_MAX},
    grant::GROUND_CHARS_MAX,
    request::TERM_MONTHS_MAX,
};

use super::{Language, sentence};

/// The first words of codes that are said through `messages.toml`.
const FAMILIES: &[&str] = &[
    "access",
    "agent",
    "attachment",
    "calendar",
    "case",
    "catalogue",
    "class_code",
    "code",
    "condition",
    "credit_code",
    "delegation",
    "demand",
    "demo",
    "digest",
    "directory",
    "division_code",
    "due",
    "duty",
    "entry",
    "exchange",
    "finding",
    "grant",
    "id_number",
    "item",
    "law",
    "ledger",
    "live",
    "mounting",
    "platform",
    "request",
    "resource_code",
    "responsibility",
    "row",
    "sample",
    "schedule",
    "session",
    "setup",
    "stats",
    "store",
    "usage",
    "version",
];

/// Folders whose codes are never looked up here.
const WITH_WORDS_OF_THEIR_OWN: &[&str] = &[
    "server/src/demo/", // a client of ours: names the steps of its story, and expects codes
    "domain/src/law/load/", // faults of a rule pack, said at the start with line and advice
    "domain/src/law/inherit", // the same
    "domain/src/ledger/", // faults of a ledger, said by `tongqu ledger verify`
    "server/src/platform/ledger/", // the same
    "server/src/features/catalogue/search/", // a broken index is `platform.bug` to people
    "server/src/features/catalogue/workbook/", // its sentences name cells and values and are made there
];

/// What stands before the name of an act in evidence and notices, which isn't a code of a refusal.
const NOTED_AFTER: &[&str] = &["did(", "Entry::by(", "by_platform(", "kind:", "what:"];

/// Texts that look like codes and aren't.
const NOT_SAID: &[&str] = &[
    "exchange.collect",   // kind of job
    "exchange.deliver",   // kind of job
    "exchange.reconcile", // kind of job
    "exchange.follow",    // kind of job
    "exchange.unfollow",  // kind of job
    "session.refused",    // evidence of a wrong password
    // Acts in evidence and notices, handed on before they are recorded.
    "agent.invited",
    "agent.invited_again",
    "case.exception_claimed",
    "case.opened",
    "case.paused",
    "case.resumed",
    "case.step_taken",
    "case.urged",
    "case.withdrawn",
    "exchange.following_due",
    "exchange.unfollowing_due",
    "exchange.log_given_back",
    "exchange.log_given_up",
    "demand.answered",
    "demand.directed",
    "demand.matched",
    "demand.merged_upward",
    "demand.sent_upward",
    "demand.stated",
    "demand.withdrawn",
    "grant.ended",
    "grant.expired",
    "grant.reclaim_proposed",
    "grant.resumed",
    "grant.suspended",
    "law.packs_loaded",
];

/// The placeholders that the code fills in for a sentence. A placeholder that isn't filled in would be
/// read as `{name}`.
const FILLED_IN: &[(&str, &[&str])] = &[
    ("access.contractor", &["action"]),
    ("access.no_post", &["action"]),
    ("access.other_department", &["action"]),
    ("access.own_request", &["action"]),
    ("access.wrong_subject", &["action"]),
    ("attachment.image_small", &["pixels"]),
    ("attachment.too_large", &["megabytes"]),
    ("case.pack_succeeded", &["successor"]),
    ("catalogue.approval_needed", &["process"]),
    ("catalogue.class_determined_otherwise", &["class"]),
    ("demo.days", &["max"]),
    ("directory.entries_in_both", &["names"]),
    ("directory.import_faulty", &["faults"]),
    ("directory.import_too_many_rows", &["rows"]),
    ("directory.password_short", &["chars"]),
    ("duty.months", &["max"]),
    ("duty.text", &["chars"]),
    ("exchange.column_changed", &["column"]),
    ("exchange.column_gone", &["column"]),
    ("exchange.rows_differ", &["differing"]),
    (
        "finding.draft_finding",
        &["clause", "department", "due_on", "late", "number", "step"],
    ),
    (
        "finding.draft_notice",
        &["clause", "department", "due_on", "late", "number", "step"],
    ),
    (
        "finding.draft_reminder",
        &["clause", "department", "due_on", "late", "number", "step"],
    ),
    ("finding.text_needed", &["chars"]),
    ("mounting.key_duplicates", &["duplicates"]),
    ("mounting.key_nulls", &["nulls"]),
    ("mounting.key_unfit", &["duplicates", "nulls"]),
    ("request.approval_needed", &["process"]),
    ("request.not_alike", &["number"]),
    ("responsibility.too_long", &["lines"]),
    ("request.outside_audience", &["audience"]),
    ("request.too_many_together", &["max"]),
    ("request.version_changed", &["version"]),
    ("session.locked", &["minutes"]),
];

#[derive(Deserialize)]
struct Said {
    zh: String,
    en: String,
}

fn sentences() -> BTreeMap<String, Said> {
    toml::from_str(include_str!("messages.toml"))
        .expect("messages.toml is TOML with `zh` and `en` for each code")
}

/// A text in quotes that looks like a code, and what stands before it.
struct Found {
    text: String,
    before: String,
    file: String,
}

impl Found {
    fn family(&self) -> &str {
        self.text.split('.').next().unwrap_or_default()
    }

    /// Whether nothing but a code stands in such a place.
    fn is_surely_code(&self) -> bool {
        let constructors = [
            "ApiError::invalid(",
            "ApiError::not_found(",
            "ApiError::conflict(",
            "ApiError::forbidden(",
        ];
        self.before.ends_with("=>") || constructors.iter().any(|c| self.before.ends_with(c))
    }

    fn is_said(&self) -> bool {
        FAMILIES.contains(&self.family())
            && !NOTED_AFTER
                .iter()
                .any(|before| self.before.ends_with(before))
            && !NOT_SAID.contains(&self.text.as_str())
    }
}

/// Everything in the sources outside tests that looks like a code.
fn found_in_sources() -> Vec<Found> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the server stands among the crates");
    let mut found = Vec::new();
    for name in ["domain", "connectors", "server"] {
        walk(&crates.join(name).join("src"), crates, &mut found);
    }
    found
}

fn walk(folder: &Path, crates: &Path, found: &mut Vec<Found>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources can be listed").path();
        let file = path
            .strip_prefix(crates)
            .expect("below the crates")
            .to_string_lossy()
            .replace('\\', "/");
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if stem == "tests" || stem == "testing" || stem.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            walk(&path, crates, found);
        } else if path.extension().is_some_and(|e| e == "rs")
            && !WITH_WORDS_OF_THEIR_OWN
                .iter()
                .any(|own| file.starts_with(own))
        {
            let source = std::fs::read_to_string(&path).expect("a source is text");
            read(&source, &file, found);
        }
    }
}

fn read(source: &str, file: &str, found: &mut Vec<Found>) {
    let lines: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = lines.join("\n");
    let code = code
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let pieces: Vec<&str> = code.split('"').collect();
    for pair in pieces.windows(2).filter(|pair| looks_like_code(pair[1])) {
        found.push(Found {
            text: pair[1].to_owned(),
            before: pair[0].trim_end().to_owned(),
            file: file.to_owned(),
        });
    }
}

fn looks_like_code(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split_once('.')
        .is_some_and(|(noun, what)| is_word(noun) && is_word(what))
}

fn codes_in_sources() -> BTreeSet<String> {
    found_in_sources()
        .into_iter()
        .filter(Found::is_said)
        .map(|f| f.text)
        .collect()
}

fn placeholders(sentence: &str) -> BTreeSet<&str> {
    sentence
        .split('{')
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap_or_default())
        .collect()
}

#[test]
fn every_code_has_a_sentence() {
    let said = sentences();
    let codes = codes_in_sources();
    // One of each way in which codes are written down, so that a blind reader of sources is noticed.
    let known = [
        "case.reason_required",
        "credit_code.length",
        "directory.password_short",
        "directory.posts",
        "exchange.interrupted",
        "mounting.key_nulls",
        "mounting.type_refused",
        "platform.bug",
        "row.null",
        "session.locked",
        "store.unreachable",
    ];
    for code in known {
        assert!(codes.contains(code), "{code} wasn't found in the sources");
    }
    let silent: Vec<_> = codes
        .iter()
        .filter(|code| !said.contains_key(*code))
        .collect();
    assert!(
        silent.is_empty(),
        "no sentence in messages.toml for {silent:#?}"
    );
}

#[test]
fn every_sentence_has_a_code() {
    let codes = codes_in_sources();
    let unused: Vec<_> = sentences()
        .into_keys()
        .filter(|code| !codes.contains(code))
        .collect();
    assert!(unused.is_empty(), "nobody says {unused:#?}");
}

#[test]
fn every_family_of_codes_is_known() {
    let unknown: Vec<_> = found_in_sources()
        .into_iter()
        .filter(|f| f.is_surely_code() && !FAMILIES.contains(&f.family()))
        .map(|f| format!("{} in {}", f.text, f.file))
        .collect();
    assert!(
        unknown.is_empty(),
        "enter the first words in FAMILIES: {unknown:#?}"
    );
}

#[test]
fn placeholders_are_those_that_the_code_fills_in() {
    let filled_in: BTreeMap<_, _> = FILLED_IN.iter().copied().collect();
    for (code, said) in sentences() {
        let expected: BTreeSet<&str> = filled_in
            .get(code.as_str())
            .copied()
            .unwrap_or_default()
            .iter()
            .copied()
            .collect();
        assert_eq!(
            placeholders(&said.zh),
            expected,
            "placeholders of {code} in Chinese"
        );
        assert_eq!(
            placeholders(&said.en),
            expected,
            "placeholders of {code} in English"
        );
    }
}

#[test]
fn sentences_are_sentences() {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let said = sentences();
    for (code, Said { zh, en }) in &said {
        assert!(
            zh.chars().any(is_chinese) && zh.ends_with('。'),
            "{code} in Chinese: {zh}"
        );
        assert!(
            en.ends_with('.') && !en.chars().any(is_chinese),
            "{code} in English: {en}"
        );
        for text in [zh, en] {
            assert!(!text.contains(['!', '！']), "{code} shouts: {text}");
            assert_eq!(text.trim(), text, "{code} has blanks at its ends");
            assert!(
                said.keys().all(|other| !text.contains(other.as_str())),
                "{code} shows a bare code: {text}"
            );
        }
    }
}

#[test]
fn limits_in_sentences_are_those_of_the_domain() {
    let limits = [
        ("condition.too_many", CONDITION_TERMS_MAX.to_string()),
        ("condition.too_many", CONDITION_VALUES_MAX.to_string()),
        ("entry.too_many_items", ITEMS_MAX.to_string()),
        ("grant.ground_too_long", GROUND_CHARS_MAX.to_string()),
        ("request.term_out_of_range", TERM_MONTHS_MAX.to_string()),
        ("version.reason_too_long", REASON_CHARS_MAX.to_string()),
    ];
    let said = sentences();
    for (code, limit) in limits {
        let numbers = |text: &str| {
            text.split(|c: char| !c.is_ascii_digit())
                .any(|n| n == limit)
        };
        assert!(
            numbers(&said[code].zh) && numbers(&said[code].en),
            "{code} doesn't say {limit}"
        );
    }
}

#[test]
fn a_sentence_is_filled_in_and_an_unknown_code_gives_the_general_one() {
    let args = [("minutes", "15".to_owned())];
    assert_eq!(
        sentence("session.locked", Language::Chinese, &args),
        "密码连续输错，账号已暂时锁定。请过 15 分钟再登录。"
    );
    let general = &sentences()["platform.refused"];
    assert_eq!(
        sentence("nothing.like_it", Language::Chinese, &[]),
        general.zh
    );
    assert_eq!(
        sentence("nothing.like_it", Language::English, &[]),
        general.en
    );
}
