//! The grant 授权: the one value without which nothing moves.
//!
//! Table delivery, file download and gateway call all take it: which columns of which entry, which
//! rows, masked how, for whom, for what purpose, on which ground, from when to when. It is opened by
//! the decision of a case and keeps that case's id as its ground.
//!
//! ```text
//!            suspend                 end
//!   Active <---------> Suspended ----------> Ended
//!      |     resume                            ^
//!      +---------------------------------------+
//!                        end
//! ```
//!
//! A grant may be narrowed while it isn't ended, never widened: more data need a new request.
//! Expiry is no state but a question of the date. Who may take a step is `access::may`; this room
//! knows no store and no subscription. A change starts in `GrantTerms` and [`check_terms`].
//!
//! Spec: PDS-7 (within the authorised scope), PDS-19.1 (suspension and end with a ground), PDS-19.2
//! (term), YC-24 (only the granted fields), YC-29.p2, YC-29.p3.

mod check;
mod state;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalogue::{DataItem, MaskKind};
use crate::exchange::RowCondition;
use crate::ids::{CaseId, DepartmentId, EntryId, GrantId};

pub use check::{GrantFault, check_terms, mask_faults, told_by};
pub use state::{GROUND_CHARS_MAX, GrantError, GrantState, Narrowing, Standing};

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The case that decided it.
    pub case_id: CaseId,
    /// The entry it is for.
    pub entry_id: EntryId,
    /// The version of the entry it was decided on.
    pub version_no: u32,
    /// The department that gives.
    pub provider: DepartmentId,
    /// The department that receives.
    pub requester: DepartmentId,
    /// The codes of the granted data items, in the order of delivery.
    pub columns: Vec<String>,
    /// The granted rows.
    pub condition: RowCondition,
    /// How granted columns are masked, by item code.
    pub masks: BTreeMap<String, MaskKind>,
    /// What the data may be used for, in words.
    pub purpose: String,
    /// The clause or decision it rests on.
    pub basis: String,
    /// The first day, in China Standard Time.
    pub valid_from: Date,
    /// The day on which it is no longer valid; `None` has no end.
    pub valid_until: Option<Date>,
    /// Where it stands.
    pub state: GrantState,
}

impl Grant {
    /// Whether the data item is granted.
    #[must_use]
    pub fn covers(&self, column: &str) -> bool {
        self.columns.iter().any(|granted| granted == column)
    }

    /// How a granted data item is masked; `None` delivers it as it is.
    #[must_use]
    pub fn mask_of(&self, column: &str) -> Option<MaskKind> {
        self.masks.get(column).copied()
    }

    /// Whether data may move under it on `date` in China Standard Time: active, begun, not expired.
    ///
    /// Spec: PDS-19.2 (use within the term).
    #[must_use]
    pub fn is_active_on(&self, date: Date) -> bool {
        self.standing_on(date) == Standing::InForce
    }
}

/// The masks of the entry for these columns: what a decision starts from.
#[must_use]
pub fn default_masks(columns: &[String], items: &[DataItem]) -> BTreeMap<String, MaskKind> {
    items
        .iter()
        .filter(|item| columns.contains(&item.code))
        .filter_map(|item| Some((item.code.clone(), item.mask?)))
        .collect()
}
