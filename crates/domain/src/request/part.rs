//! What a decision grants of a request where it isn't all of it 部分同意: fewer data items, fewer rows,
//! stricter masks, a shorter term. Nothing in it can widen what was asked.
//!
//! Spec: YC-24 (conditional sharing gives to some departments or in part), PDS-7 (within the authorised
//! scope), PDS-10.2b (what isn't agreed to has its reason).

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{RequestFault, SharingRequest, check::TEXT_CHARS_MAX};
use crate::catalogue::{DataItem, FieldPath, MaskKind};
use crate::exchange::RowCondition;
use crate::grant::{default_masks, mask_faults, told_by};

/// What a decision takes away from a request; nothing of it leaves the request whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PartialApproval {
    /// Data items that aren't granted, each with the reason; an empty reason stands for `reason`.
    pub refused: BTreeMap<String, String>,
    /// A condition that has to hold besides the one that was asked for.
    pub condition: RowCondition,
    /// Masks put on granted data items; over a mask of the entry only the one that hides all.
    pub masks: BTreeMap<String, MaskKind>,
    /// A shorter term, in calendar months.
    pub term_months: Option<u32>,
    /// Why rows or time were taken away, and any data item without a reason of its own.
    pub reason: Option<String>,
}

impl PartialApproval {
    /// Whether nothing is taken away.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.refused.is_empty()
            && self.condition.covers_all_rows()
            && self.masks.is_empty()
            && self.term_months.is_none()
    }

    /// Why a data item isn't granted; `None` if it is, or if nobody says why.
    #[must_use]
    pub fn reason_of(&self, column: &str) -> Option<&str> {
        let own = self.refused.get(column)?.as_str();
        let said = if own.trim().is_empty() {
            self.reason.as_deref().unwrap_or_default()
        } else {
            own
        };
        (!said.trim().is_empty()).then_some(said)
    }

    /// The fields that lack a reason, where a refusal needs one: data items, rows and time that aren't granted.
    /// A mask takes nothing away that a reason would be owed for.
    #[must_use]
    pub fn lacks_reason(&self) -> Vec<FieldPath> {
        let columns = self
            .refused
            .keys()
            .enumerate()
            .filter(|(_, column)| self.reason_of(column).is_none())
            .map(|(index, _)| FieldPath::element("part.refused", index));
        let is_cut = !self.condition.covers_all_rows() || self.term_months.is_some();
        let is_silent = self.reason.as_deref().unwrap_or_default().trim().is_empty();
        columns
            .chain((is_cut && is_silent).then(|| FieldPath::of("reason")))
            .collect()
    }
}

/// What is granted of a request after every decision on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedPart {
    /// Some of the data items asked for, in their order.
    pub columns: Vec<String>,
    /// The rows asked for, and every further condition.
    pub condition: RowCondition,
    /// The masks of the entry, and every stricter one.
    pub masks: BTreeMap<String, MaskKind>,
    /// The shortest term that was asked for or decided.
    pub term_months: Option<u32>,
}

impl GrantedPart {
    /// What `decisions` leave of a request on an entry with these data items.
    #[must_use]
    pub fn of(request: &SharingRequest, decisions: &[PartialApproval], items: &[DataItem]) -> Self {
        let whole = Self {
            columns: request.columns.clone(),
            condition: request.condition.clone(),
            masks: default_masks(&request.columns, items),
            term_months: request.term_months,
        };
        decisions.iter().fold(whole, Self::narrowed)
    }

    fn narrowed(mut self, by: &PartialApproval) -> Self {
        self.columns
            .retain(|column| !by.refused.contains_key(column));
        self.condition = self.condition.and(&by.condition);
        for (column, mask) in &by.masks {
            // A mask that is there gives way to the one that hides all, and to no other.
            let mask = match self.masks.get(column) {
                Some(present) if *mask != MaskKind::Hidden => *present,
                Some(_) | None => *mask,
            };
            self.masks.insert(column.clone(), mask);
        }
        let granted = &self.columns;
        self.masks.retain(|column, _| granted.contains(column));
        self.term_months = match (self.term_months, by.term_months) {
            (Some(asked), Some(left)) => Some(asked.min(left)),
            (asked, left) => asked.or(left),
        };
        self
    }

    /// The first day on which a grant of `from` is no longer valid; `None` has no end.
    #[must_use]
    pub fn ends_on(&self, from: Date) -> Option<Date> {
        self.term_months
            .map(|months| from.saturating_add(i64::from(months).months()))
    }
}

/// Checks a decision against the request as far as it was granted before; empty if it can be taken.
///
/// Codes: `request.refused_not_asked`, `request.key_refused` (a table is delivered row by row under its
/// key), `request.nothing_granted`, those of [`crate::exchange::ConditionFault`], `grant.mask_without_column`,
/// `grant.key_masked`, `grant.pseudonym_unfit`, `grant.mask_not_stricter`, `grant.condition_on_pseudonym` (also
/// where the condition was asked for and the pseudonym is new), `request.term_not_shorter`, `request.text_too_long`.
///
/// Spec: PDS-7, YC-24.
#[must_use]
pub fn check_part(
    part: &PartialApproval,
    request: &SharingRequest,
    before: &GrantedPart,
    items: &[DataItem],
) -> Vec<RequestFault> {
    let mut faults = Vec::new();
    let mut fault = |field, code, clause| {
        faults.push(RequestFault {
            field,
            code,
            clause,
        });
    };
    let is_key = |column: &String| items.iter().any(|item| item.key && item.code == *column);
    for (index, (column, reason)) in part.refused.iter().enumerate() {
        let field = FieldPath::element("part.refused", index);
        if !before.columns.contains(column) {
            fault(field, "request.refused_not_asked", Some("PDS-7"));
        } else if request.mode == "table" && is_key(column) {
            fault(field, "request.key_refused", None);
        } else if reason.chars().count() > TEXT_CHARS_MAX {
            fault(field, "request.text_too_long", None);
        }
    }
    let left = |column: &String| !part.refused.contains_key(column);
    if !before.columns.is_empty() && !before.columns.iter().any(left) {
        fault(
            FieldPath::of("part.refused"),
            "request.nothing_granted",
            None,
        );
    }
    for condition_fault in part.condition.validate(items) {
        fault(
            FieldPath::element("part.condition", condition_fault.term),
            condition_fault.code(),
            None,
        );
    }
    for (column, mask) in &part.masks {
        let field = FieldPath::of("part.masks");
        if !before.columns.contains(column) || !left(column) {
            fault(field, "grant.mask_without_column", None);
        } else if let Some(code) = mask_faults(*mask, column, items).first() {
            fault(field, code, None);
        } else if *mask != MaskKind::Hidden
            && before
                .masks
                .get(column)
                .is_some_and(|present| present != mask)
        {
            fault(field, "grant.mask_not_stricter", None);
        }
    }
    let after = before.clone().narrowed(part);
    if !told_by(&after.condition, &after.masks).is_empty() {
        let field = FieldPath::of("part.condition");
        fault(field, "grant.condition_on_pseudonym", None);
    }
    let is_shorter =
        |months: u32| months >= 1 && before.term_months.is_none_or(|asked| months < asked);
    if part.term_months.is_some_and(|months| !is_shorter(months)) {
        fault(
            FieldPath::of("part.term_months"),
            "request.term_not_shorter",
            Some("PDS-19.2"),
        );
    }
    let said = part.reason.as_deref().unwrap_or_default();
    if said.chars().count() > TEXT_CHARS_MAX {
        fault(FieldPath::of("reason"), "request.text_too_long", None);
    }
    faults
}
