//! The check of a request against the entry it is for: every fault at once.

use std::collections::BTreeSet;

use serde::Serialize;

use super::SharingRequest;
use crate::catalogue::{EntryContent, FieldPath};
use crate::grant::{default_masks, told_by};
use crate::kind::Kind;

/// The longest term that can be asked for, in months; a longer need is asked for again.
pub const TERM_MONTHS_MAX: u32 = 120;

/// The longest text of a request or of a decision on it, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 2000;

/// A fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {code}")]
pub struct RequestFault {
    /// Where.
    pub field: FieldPath,
    /// What: the stable code `request....` or `condition....`.
    pub code: &'static str,
    /// Which clause demands it.
    pub clause: Option<&'static str>,
}

impl RequestFault {
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

/// Checks a request against the content of its entry; empty if it can be submitted.
///
/// A table is delivered row by row under its key, so in mode `table` the key items have to be among
/// the columns (`request.key_missing`). An entry without data items (a document) takes no columns.
///
/// Spec: PDS-7, YC-41.4 (duty), TP-20a (purpose), PDS-19.1 (interfaces are bound to a system).
#[must_use]
pub fn check_request(request: &SharingRequest, entry: &EntryContent) -> Vec<RequestFault> {
    let mut check = Check { faults: Vec::new() };
    if !entry.modes.contains(&request.mode) {
        check.fault(FieldPath::of("mode"), "request.mode_not_offered", None);
    }
    check.columns(request, entry);
    for fault in request.condition.validate(&entry.items) {
        check.fault(
            FieldPath::element("condition", fault.term),
            fault.code(),
            None,
        );
    }
    let masks = default_masks(&request.columns, &entry.items);
    for term in told_by(&request.condition, &masks) {
        let field = FieldPath::element("condition", term);
        check.fault(field, "grant.condition_on_pseudonym", None);
    }
    check.text(
        "purpose",
        &request.purpose,
        "request.purpose_missing",
        Some("TP-20a"),
    );
    check.text(
        "duty",
        &request.duty,
        "request.duty_missing",
        Some("YC-41.4"),
    );
    if request.mode == "interface" {
        check.text(
            "consumer_system",
            &request.consumer_system,
            "request.system_missing",
            Some("PDS-19.1"),
        );
    } else {
        check.length("consumer_system", &request.consumer_system);
    }
    if request
        .term_months
        .is_some_and(|months| !(1..=TERM_MONTHS_MAX).contains(&months))
    {
        check.fault(
            FieldPath::of("term_months"),
            "request.term_out_of_range",
            Some("PDS-19.2"),
        );
    }
    check.faults
}

struct Check {
    faults: Vec<RequestFault>,
}

impl Check {
    fn fault(&mut self, field: FieldPath, code: &'static str, clause: Option<&'static str>) {
        self.faults.push(RequestFault {
            field,
            code,
            clause,
        });
    }

    fn columns(&mut self, request: &SharingRequest, entry: &EntryContent) {
        let columns = FieldPath::of("columns");
        if request.columns.is_empty() && !entry.items.is_empty() {
            return self.fault(columns, "request.no_columns", Some("PDS-7"));
        }
        let mut seen = BTreeSet::new();
        for (index, column) in request.columns.iter().enumerate() {
            let field = FieldPath::element("columns", index);
            if entry.items.iter().all(|item| item.code != *column) {
                self.fault(field, "request.field_not_in_entry", Some("PDS-7"));
            } else if !seen.insert(column) {
                self.fault(field, "request.column_twice", None);
            }
        }
        let lacks_key = entry
            .items
            .iter()
            .any(|item| item.key && !request.columns.contains(&item.code));
        if request.mode == "table" && lacks_key {
            self.fault(columns, "request.key_missing", None);
        }
    }

    fn text(
        &mut self,
        field: &'static str,
        text: &str,
        missing: &'static str,
        clause: Option<&'static str>,
    ) {
        if text.trim().is_empty() {
            self.fault(FieldPath::of(field), missing, clause);
        } else {
            self.length(field, text);
        }
    }

    fn length(&mut self, field: &'static str, text: &str) {
        if text.chars().count() > TEXT_CHARS_MAX {
            self.fault(FieldPath::of(field), "request.text_too_long", None);
        }
    }
}
