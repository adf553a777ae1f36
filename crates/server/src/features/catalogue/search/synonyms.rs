//! Different names of the same thing: 身份证 is found by 公民身份号码.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Groups, one per line, members parted by tabs; `#` begins a comment line.
const GROUPS: &str = include_str!("synonyms.tsv");

fn groups() -> impl Iterator<Item = Vec<&'static str>> {
    GROUPS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            line.split('\t')
                .map(str::trim)
                .filter(|phrase| !phrase.is_empty())
                .collect::<Vec<_>>()
        })
        .filter(|group| group.len() > 1)
}

/// Every phrase of every group.
pub(super) fn phrases() -> impl Iterator<Item = &'static str> {
    groups().flatten()
}

/// The longest phrase of a group at the beginning of `chars`: its length in characters, and the other names.
pub(super) fn at_beginning(chars: &[char]) -> Option<(usize, &'static [&'static str])> {
    let (table, longest) = table();
    (2..=chars.len().min(*longest)).rev().find_map(|length| {
        let phrase: String = chars[..length].iter().collect();
        table
            .get(phrase.as_str())
            .map(|others| (length, others.as_slice()))
    })
}

type Table = BTreeMap<&'static str, Vec<&'static str>>;

/// Other names by phrase, and the length of the longest phrase in characters.
fn table() -> &'static (Table, usize) {
    static TABLE: OnceLock<(Table, usize)> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::new();
        for group in groups() {
            for phrase in &group {
                table
                    .entry(phrase)
                    .or_default()
                    .extend(group.iter().filter(|other| *other != phrase));
            }
        }
        let longest = table
            .keys()
            .map(|phrase| phrase.chars().count())
            .max()
            .unwrap_or(0);
        (table, longest)
    })
}
