//! Facts about a case, and the conditions of a pack on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is known about a case, by the name of the fact, for example `class` = `conditional`.
pub type Facts = BTreeMap<String, FactValue>;

/// The value of one fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// Yes or no.
    Bool(bool),
    /// A code.
    Text(String),
}

impl From<bool> for FactValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for FactValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl std::fmt::Display for FactValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Whether a condition holds, as far as the facts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Every fact is known and fits.
    Yes,
    /// At least one known fact doesn't fit.
    No,
    /// What is known fits, but something isn't known yet.
    NotYetKnown,
}

/// A condition: every named fact must have one of its listed values. The empty condition holds always.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Condition(pub BTreeMap<String, Vec<FactValue>>);

impl Condition {
    /// Weighs the condition against the facts.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> Holds {
        let mut verdict = Holds::Yes;
        for (name, values) in &self.0 {
            match facts.get(name) {
                Some(value) if values.contains(value) => {}
                Some(_) => return Holds::No,
                None => verdict = Holds::NotYetKnown,
            }
        }
        verdict
    }

    /// The names of the facts it asks about.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether some combination of facts fulfils both conditions.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, values)| {
            other
                .0
                .get(name)
                .is_none_or(|others| values.iter().any(|value| others.contains(value)))
        })
    }

    /// Whether everything that fulfils this condition also fulfils `wider`.
    #[must_use]
    pub fn is_within(&self, wider: &Self) -> bool {
        wider.0.iter().all(|(name, allowed)| {
            self.0
                .get(name)
                .is_some_and(|values| values.iter().all(|value| allowed.contains(value)))
        })
    }

    /// The condition in the form of a pack, for messages: `class=conditional, mode=table|file`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|(name, values)| {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                format!("{name}={}", values.join("|"))
            })
            .collect();
        if parts.is_empty() {
            "always".to_owned()
        } else {
            parts.join(", ")
        }
    }
}
