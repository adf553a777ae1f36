//! The loader, fault by fault, and what a loaded pack answers.

mod all;
mod faults;
mod packs;

use super::*;

pub(super) const INVENTED: &str = include_str!("tests/invented.toml");

pub(super) fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

pub(super) fn facts(given: &[(&str, FactValue)]) -> Facts {
    given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}
