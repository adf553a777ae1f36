//! What is said around the thing that is looked for: 谁有, 在哪里, 怎么查.

use std::collections::BTreeSet;
use std::sync::OnceLock;

/// One phrase per line; `#` begins a comment line.
const PHRASES: &str = include_str!("fillers.txt");

/// The length of the longest such phrase at the beginning of `chars`, in characters; 0 if there is none.
pub(super) fn at_beginning(chars: &[char]) -> usize {
    let (phrases, longest) = phrases();
    (2..=chars.len().min(*longest))
        .rev()
        .find(|length| phrases.contains(&chars[..*length]))
        .unwrap_or(0)
}

/// The phrases, and the length of the longest.
fn phrases() -> &'static (BTreeSet<Vec<char>>, usize) {
    static PARSED: OnceLock<(BTreeSet<Vec<char>>, usize)> = OnceLock::new();
    PARSED.get_or_init(|| {
        let phrases: BTreeSet<Vec<char>> = PHRASES
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.chars().collect())
            .collect();
        let longest = phrases.iter().map(Vec::len).max().unwrap_or(0);
        (phrases, longest)
    })
}
