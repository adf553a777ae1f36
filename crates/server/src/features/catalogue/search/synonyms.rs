//! Different names of the same thing: 身份证 is found by 公民身份号码.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::text;

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

/// The names that belong to a phrase which is typed by its sound, the phrase left out: `dibao` means 最低生活保障.
pub(super) fn by_sound(letters: &str) -> &'static [&'static str] {
    static SOUNDS: OnceLock<BTreeMap<String, Vec<&'static str>>> = OnceLock::new();
    let sounds = SOUNDS.get_or_init(|| {
        let mut sounds: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        for (phrase, others) in &table().0 {
            let spelt: Option<String> = phrase
                .chars()
                .map(|c| text::readings(c).first().copied())
                .collect();
            if let Some(spelt) = spelt {
                sounds.entry(spelt).or_default().extend(others);
            }
        }
        sounds
    });
    sounds.get(letters).map_or(&[], Vec::as_slice)
}
