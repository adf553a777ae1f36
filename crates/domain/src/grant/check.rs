//! The check of a grant's terms against the entry, before it is opened.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Grant;
use crate::catalogue::{DataItem, FieldPath, MaskKind};
use crate::exchange::RowCondition;
use crate::kind::Kind;

/// A fault of a grant's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {code}")]
pub struct GrantFault {
    /// Where.
    pub field: FieldPath,
    /// What.
    pub code: &'static str,
    /// Which clause demands it.
    pub clause: Option<&'static str>,
}

impl GrantFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Checks the terms of a grant against the data items of its entry; empty if it can be opened.
///
/// Codes: `grant.no_columns`, `grant.unknown_column`, `grant.column_twice`, those of
/// [`crate::exchange::ConditionFault`], `grant.mask_without_column`, `grant.key_masked` (a masked key
/// would make different rows one, except under a pseudonym), `grant.pseudonym_unfit` (of this type of
/// data), `grant.condition_on_pseudonym`, `grant.purpose_missing`, `grant.basis_missing`, `grant.term_empty`.
///
/// Spec: PDS-7, YC-24 (fields), TP-20a (purpose), PDS-19.2 (term).
#[must_use]
pub fn check_terms(grant: &Grant, items: &[DataItem]) -> Vec<GrantFault> {
    let mut faults = Vec::new();
    let mut fault = |field, code, clause| {
        faults.push(GrantFault {
            field,
            code,
            clause,
        });
    };

    if grant.columns.is_empty() {
        fault(FieldPath::of("columns"), "grant.no_columns", Some("YC-24"));
    }
    let mut seen = BTreeSet::new();
    for (index, column) in grant.columns.iter().enumerate() {
        let field = FieldPath::element("columns", index);
        if items.iter().all(|item| item.code != *column) {
            fault(field, "grant.unknown_column", Some("PDS-7"));
        } else if !seen.insert(column) {
            fault(field, "grant.column_twice", None);
        }
    }
    for condition_fault in grant.condition.validate(items) {
        fault(
            FieldPath::element("condition", condition_fault.term),
            condition_fault.code(),
            None,
        );
    }
    for (column, mask) in &grant.masks {
        if !grant.covers(column) {
            fault(FieldPath::of("masks"), "grant.mask_without_column", None);
        }
        for code in mask_faults(*mask, column, items) {
            fault(FieldPath::of("masks"), code, None);
        }
    }
    for index in told_by(&grant.condition, &grant.masks) {
        let field = FieldPath::element("condition", index);
        fault(field, "grant.condition_on_pseudonym", None);
    }
    if grant.purpose.trim().is_empty() {
        fault(
            FieldPath::of("purpose"),
            "grant.purpose_missing",
            Some("TP-20a"),
        );
    }
    if grant.basis.trim().is_empty() {
        fault(FieldPath::of("basis"), "grant.basis_missing", None);
    }
    if grant.valid_until.is_some_and(|end| end <= grant.valid_from) {
        fault(
            FieldPath::of("valid_until"),
            "grant.term_empty",
            Some("PDS-19.2"),
        );
    }
    faults
}

/// The codes of what speaks against a mask on a data item: `grant.key_masked`, `grant.pseudonym_unfit`.
#[must_use]
pub fn mask_faults(mask: MaskKind, column: &str, items: &[DataItem]) -> Vec<&'static str> {
    let Some(item) = items.iter().find(|item| item.code == column) else {
        return Vec::new();
    };
    let mut codes = Vec::new();
    if item.key && !mask.keeps_apart() {
        codes.push("grant.key_masked");
    }
    if !mask.fits(item.data_type) {
        codes.push("grant.pseudonym_unfit");
    }
    codes
}

/// The terms of a condition that would tell the value behind a pseudonym, by their index: whoever gets
/// only the rows of one person knows whose pseudonym it is.
#[must_use]
pub fn told_by(condition: &RowCondition, masks: &BTreeMap<String, MaskKind>) -> Vec<usize> {
    let terms = condition.terms().iter().enumerate();
    terms
        .filter(|(_, term)| masks.get(&term.column) == Some(&MaskKind::Pseudonym))
        .map(|(index, _)| index)
        .collect()
}
