//! The rows a grant covers: a few plain conditions that all have to hold, which every engine can
//! turn into a filter and this room can decide on a row in hand.

use serde::{Deserialize, Serialize};

use super::value::ValueRef;
use crate::catalogue::{DataItem, DataType};
use crate::kind::Kind;

/// The most terms of a condition.
pub const CONDITION_TERMS_MAX: usize = 16;

/// The most values of a term.
pub const CONDITION_VALUES_MAX: usize = 1000;

/// Which rows are covered: those for which every term holds. Without a term, all.
///
/// Spec: YC-24 (conditional sharing gives to some departments or in part), PDS-7 (within the
/// authorised scope).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowCondition {
    terms: Vec<Term>,
}

/// One condition on one data item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The code of the data item.
    pub column: String,
    /// How the value is compared.
    pub op: ConditionOp,
    /// What it is compared with, in the form of [`ValueRef::plain_text`]: one value for `eq` and
    /// `prefix`, any number for `in`.
    pub values: Vec<String>,
}

/// How a term compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionOp {
    /// The value is this one.
    Eq,
    /// The value is one of these.
    In,
    /// The text begins with this one.
    Prefix,
}

/// A fault of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("term {} on {column}: {kind}", .term + 1)]
pub struct ConditionFault {
    /// The place of the term, from 0.
    pub term: usize,
    /// The code of the data item it names.
    pub column: String,
    /// What is wrong.
    pub kind: ConditionFaultKind,
}

/// What can be wrong with a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ConditionFaultKind {
    /// The item isn't in the entry.
    #[error("the entry has no such data item")]
    UnknownItem,
    /// Items of this type can't be compared exactly on every engine.
    #[error("data items of this type can't be used in a condition")]
    UnsuitableType,
    /// No value given, or more than the operation takes.
    #[error("`eq` and `prefix` need one value, `in` needs at least one")]
    NumberOfValues,
    /// An empty prefix would cover everything and look like a limit.
    #[error("a prefix can't be empty")]
    EmptyPrefix,
    /// Prefixes are for text.
    #[error("`prefix` needs a data item of text")]
    PrefixNeedsText,
    /// The value can't be one of the item.
    #[error("a value isn't in the form of the data item")]
    UnreadableValue,
    /// Too many terms or values.
    #[error("the condition has too many terms or values")]
    TooMany,
}

impl ConditionFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            ConditionFaultKind::UnknownItem => "condition.unknown_item",
            ConditionFaultKind::UnsuitableType => "condition.unsuitable_type",
            ConditionFaultKind::NumberOfValues => "condition.number_of_values",
            ConditionFaultKind::EmptyPrefix => "condition.empty_prefix",
            ConditionFaultKind::PrefixNeedsText => "condition.prefix_needs_text",
            ConditionFaultKind::UnreadableValue => "condition.unreadable_value",
            ConditionFaultKind::TooMany => "condition.too_many",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.kind {
            ConditionFaultKind::TooMany => Kind::TooMany,
            ConditionFaultKind::UnknownItem
            | ConditionFaultKind::UnsuitableType
            | ConditionFaultKind::NumberOfValues
            | ConditionFaultKind::EmptyPrefix
            | ConditionFaultKind::PrefixNeedsText
            | ConditionFaultKind::UnreadableValue => Kind::Invalid,
        }
    }
}

impl RowCondition {
    /// The condition that covers every row.
    #[must_use]
    pub fn all_rows() -> Self {
        Self::default()
    }

    /// A condition of these terms; see [`RowCondition::validate`].
    #[must_use]
    pub fn new(terms: Vec<Term>) -> Self {
        Self { terms }
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether every row is covered.
    #[must_use]
    pub fn covers_all_rows(&self) -> bool {
        self.terms.is_empty()
    }

    /// The condition under which both hold. A narrowing can therefore never widen.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for term in &other.terms {
            if !self.terms.contains(term) {
                self.terms.push(term.clone());
            }
        }
        self
    }

    /// All faults against the data items of an entry; empty if the condition can be used.
    #[must_use]
    pub fn validate(&self, items: &[DataItem]) -> Vec<ConditionFault> {
        let mut faults: Vec<ConditionFault> = self
            .terms
            .iter()
            .enumerate()
            .filter_map(|(place, term)| {
                let kind = term.fault(items)?;
                Some(ConditionFault {
                    term: place,
                    column: term.column.clone(),
                    kind,
                })
            })
            .collect();
        if let Some(term) = self.terms.get(CONDITION_TERMS_MAX) {
            let kind = ConditionFaultKind::TooMany;
            faults.push(ConditionFault {
                term: CONDITION_TERMS_MAX,
                column: term.column.clone(),
                kind,
            });
        }
        faults
    }

    /// Whether a row is covered; `get` gives the value of a data item by its code.
    ///
    /// NULL matches nothing, and a value that has no plain text doesn't either, so that a fault of
    /// the data can't let a row out.
    pub fn matches<'a>(&self, get: impl Fn(&str) -> ValueRef<'a>) -> bool {
        self.terms
            .iter()
            .all(|term| term.matches(&get(&term.column)))
    }
}

impl Term {
    fn fault(&self, items: &[DataItem]) -> Option<ConditionFaultKind> {
        let Some(item) = items.iter().find(|item| item.code == self.column) else {
            return Some(ConditionFaultKind::UnknownItem);
        };
        if self.values.len() > CONDITION_VALUES_MAX {
            return Some(ConditionFaultKind::TooMany);
        }
        let one_value = match self.op {
            ConditionOp::Eq | ConditionOp::Prefix => self.values.len() == 1,
            ConditionOp::In => !self.values.is_empty(),
        };
        if !one_value {
            return Some(ConditionFaultKind::NumberOfValues);
        }
        if self.op == ConditionOp::Prefix
            && !matches!(item.data_type, DataType::Text | DataType::Memo)
        {
            return Some(ConditionFaultKind::PrefixNeedsText);
        }
        if self.op == ConditionOp::Prefix && self.values[0].is_empty() {
            return Some(ConditionFaultKind::EmptyPrefix);
        }
        self.values
            .iter()
            .find_map(|value| value_fault(item.data_type, value))
    }

    fn matches(&self, value: &ValueRef<'_>) -> bool {
        if let Some(text) = value.as_text() {
            return self.matches_text(text);
        }
        value
            .plain_text()
            .is_some_and(|text| self.matches_text(&text))
    }

    fn matches_text(&self, text: &str) -> bool {
        match self.op {
            ConditionOp::Eq | ConditionOp::In => self.values.iter().any(|value| value == text),
            ConditionOp::Prefix => self
                .values
                .iter()
                .any(|value| text.starts_with(value.as_str())),
        }
    }
}

/// A value has to be written as [`ValueRef::plain_text`] would, or it would silently match nothing.
fn value_fault(data_type: DataType, value: &str) -> Option<ConditionFaultKind> {
    let is_readable = match data_type {
        DataType::Text | DataType::Memo => !value.contains('\0'),
        DataType::Integer => value
            .parse::<i64>()
            .is_ok_and(|number| number.to_string() == value),
        DataType::Number => is_plain_decimal(value),
        DataType::Date => value
            .parse::<jiff::civil::Date>()
            .is_ok_and(|date| date.to_string() == value),
        DataType::Boolean => matches!(value, "true" | "false"),
        DataType::Float | DataType::DateTime | DataType::Binary => {
            return Some(ConditionFaultKind::UnsuitableType);
        }
    };
    (!is_readable).then_some(ConditionFaultKind::UnreadableValue)
}

/// `-12.5`: no plus, no leading or trailing zeros, no bare point, no minus zero.
fn is_plain_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let has_plain_whole = all_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let has_plain_part = part.is_none_or(|part| all_digits(part) && !part.ends_with('0'));
    has_plain_whole && has_plain_part && text != "-0"
}
