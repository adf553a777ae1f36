//! The check of what a demand states: every fault at once.

use serde::Serialize;

use super::{DemandContent, ResourceLevel};
use crate::kind::Kind;

/// The longest title and name of a resource, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// The longest text, in characters.
pub const TEXT_CHARS_MAX: usize = 2000;

/// A fault of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {code}")]
pub struct DemandFault {
    /// The field.
    pub field: &'static str,
    /// The stable code `demand....`.
    pub code: &'static str,
}

impl DemandFault {
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

/// Checks what is stated; empty if it can be put on the list. `own` is the level of the platform's area.
///
/// A resource of a higher level has to be named, because applications upward are merged by it.
/// Spec: YC-12.2, TP-5.4 (a duty), PDS-5.6.
#[must_use]
pub fn check_demand(content: &DemandContent, own: ResourceLevel) -> Vec<DemandFault> {
    let needed = [
        (
            "title",
            &content.title,
            "demand.title_missing",
            TITLE_CHARS_MAX,
        ),
        (
            "wanted",
            &content.wanted,
            "demand.wanted_missing",
            TEXT_CHARS_MAX,
        ),
        (
            "purpose",
            &content.purpose,
            "demand.purpose_missing",
            TEXT_CHARS_MAX,
        ),
        ("duty", &content.duty, "demand.duty_missing", TEXT_CHARS_MAX),
    ];
    let mut faults: Vec<DemandFault> = needed
        .into_iter()
        .filter_map(|(field, text, missing, chars_max)| {
            let code = if text.trim().is_empty() {
                missing
            } else if text.chars().count() > chars_max {
                "demand.text_too_long"
            } else {
                return None;
            };
            Some(DemandFault { field, code })
        })
        .collect();
    let code = match &content.resource {
        Some(name) if name.chars().count() > TITLE_CHARS_MAX => Some("demand.text_too_long"),
        Some(name) if !name.trim().is_empty() => None,
        Some(_) | None if content.level.is_above(own) => Some("demand.resource_missing"),
        Some(_) | None => None,
    };
    faults.extend(code.map(|code| DemandFault {
        field: "resource",
        code,
    }));
    faults
}
