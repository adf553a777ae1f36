//! The sharing request 申请: what a department asks for, of which entry, for which purpose and duty.
//!
//! This room says what a request states and whether that can be decided at all. Its steps, deadlines
//! and decision are a case (`case`) under a rule pack; what comes out of it is a `grant`.
//! A decision may grant a part of what was asked, see [`PartialApproval`]. A new field of the form starts here.
//!
//! Spec: PDS-7 (for own duties), PDS-10.1, PDS-12 (the form), TP-20a (purpose), YC-41.4 (nothing
//! unrelated to the duties).

mod check;
mod duty;
mod part;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::exchange::RowCondition;
use crate::ids::EntryId;

pub use check::{RequestFault, TERM_MONTHS_MAX, check_request};
pub use duty::{DutyFit, duty_fit};
pub use part::{GrantedPart, PartialApproval, check_part};

/// What a requester states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingRequest {
    /// The entry.
    pub entry_id: EntryId,
    /// The version of the entry the requester saw.
    pub version_no: u32,
    /// How the data are wanted: a code of the pack's exchange modes that the entry offers.
    pub mode: String,
    /// The codes of the wanted data items, in the order of delivery.
    pub columns: Vec<String>,
    /// The wanted rows.
    pub condition: RowCondition,
    /// What the data are for, in words.
    pub purpose: String,
    /// What sort of use it is.
    pub purpose_kind: PurposeKind,
    /// The duty 职责 they are needed for, with its ground.
    pub duty: String,
    /// The program that will use them; may be empty unless the mode is `interface`.
    pub consumer_system: String,
    /// For how long, in calendar months; `None` asks for no end.
    pub term_months: Option<u32>,
    /// The undertakings of the regulation that the department has accepted with it, by clause.
    /// Spec: LY-16.1.
    #[serde(default)]
    pub undertakings: Vec<String>,
}

/// 使用目的, the four of TP-20a.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurposeKind {
    /// 行政依据.
    AdminBasis,
    /// 工作参考.
    WorkReference,
    /// 数据校核.
    DataCheck,
    /// 业务协同.
    BusinessCollaboration,
}

impl PurposeKind {
    /// Every value, in the order of the regulation.
    pub const ALL: &'static [Self] = &[
        Self::AdminBasis,
        Self::WorkReference,
        Self::DataCheck,
        Self::BusinessCollaboration,
    ];

    /// The code in stores and interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AdminBasis => "admin_basis",
            Self::WorkReference => "work_reference",
            Self::DataCheck => "data_check",
            Self::BusinessCollaboration => "business_collaboration",
        }
    }

    /// The Chinese label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::AdminBasis => "行政依据",
            Self::WorkReference => "工作参考",
            Self::DataCheck => "数据校核",
            Self::BusinessCollaboration => "业务协同",
        }
    }

    /// Finds a value by its code or label; `None` if it is neither.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.code() == text || kind.label() == text)
    }
}
