//! The states of a grant and the steps between them.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Grant;
use crate::catalogue::MaskKind;
use crate::exchange::RowCondition;
use crate::kind::Kind;

/// The longest ground, in characters.
pub const GROUND_CHARS_MAX: usize = 2000;

/// Where a grant stands, apart from its term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum GrantState {
    /// Data may move within the term.
    Active,
    /// Nothing moves until it is resumed 暂停.
    Suspended {
        /// Why.
        ground: String,
        /// Since when.
        at: Timestamp,
        /// By which clause of the regulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clause: Option<String>,
    },
    /// Over for good 终止, 收回.
    Ended {
        /// Why.
        ground: String,
        /// Since when.
        at: Timestamp,
        /// By which clause of the regulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clause: Option<String>,
    },
}

/// What a grant is worth on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its first day hasn't come.
    NotYet,
    /// Data may move.
    InForce,
    /// Suspended.
    Suspended,
    /// Its term is over; a new request is needed. Spec: PDS-19.2.
    Expired,
    /// Ended.
    Ended,
}

/// A step that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The step doesn't lead on from here; somebody may have been faster.
    #[error("a grant that is {state} can't be {step}")]
    NotPossible {
        /// The state it is in.
        state: &'static str,
        /// The step in the past tense.
        step: &'static str,
    },
    /// A suspension or end without a ground.
    #[error("a grant is suspended or ended with a ground")]
    GroundMissing,
    /// A ground beyond [`GROUND_CHARS_MAX`].
    #[error("the ground is longer than {GROUND_CHARS_MAX} characters")]
    GroundTooLong,
    /// A narrowing to columns that weren't granted, or to none.
    #[error("a grant can only be narrowed to some of its own columns")]
    ColumnsNotWithin,
    /// A narrowing that exchanges a mask for another than `Hidden`: it might show more than before.
    #[error(
        "a mask can only be put on or exchanged for the one that hides all; anything else needs a new request"
    )]
    MaskNotStricter,
    /// A narrowing with a later end, or one before the first day.
    #[error("the new end of a grant has to lie after its first day and not after its present end")]
    TermNotWithin,
}

impl GrantError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPossible { .. } => "grant.not_possible",
            Self::GroundMissing => "grant.ground_missing",
            Self::GroundTooLong => "grant.ground_too_long",
            Self::ColumnsNotWithin => "grant.columns_not_within",
            Self::MaskNotStricter => "grant.mask_not_stricter",
            Self::TermNotWithin => "grant.term_not_within",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotPossible { .. } => Kind::Conflict,
            Self::GroundMissing
            | Self::GroundTooLong
            | Self::ColumnsNotWithin
            | Self::MaskNotStricter
            | Self::TermNotWithin => Kind::Invalid,
        }
    }
}

/// What a narrowed grant is left with; `None` leaves a part as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Narrowing {
    /// The columns that stay granted.
    pub columns: Option<Vec<String>>,
    /// A condition that has to hold besides the present one.
    pub condition: Option<RowCondition>,
    /// Masks that are put on, by item code; over a mask only `Hidden` can be put.
    pub masks: BTreeMap<String, MaskKind>,
    /// The new end of the term, exclusive.
    pub valid_until: Option<Date>,
}

impl GrantState {
    /// The name of the state in stores and interfaces.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Ended { .. } => "ended",
        }
    }
}

impl Grant {
    /// What the grant is worth on `date` in China Standard Time. An end outweighs an expiry, an expiry
    /// a suspension.
    #[must_use]
    pub fn standing_on(&self, date: Date) -> Standing {
        let has_expired = self.valid_until.is_some_and(|end| date >= end);
        match &self.state {
            GrantState::Ended { .. } => Standing::Ended,
            GrantState::Active | GrantState::Suspended { .. } if has_expired => Standing::Expired,
            GrantState::Suspended { .. } => Standing::Suspended,
            GrantState::Active if date < self.valid_from => Standing::NotYet,
            GrantState::Active => Standing::InForce,
        }
    }

    /// Stops everything under the grant until it is resumed.
    ///
    /// Errors: [`GrantError::NotPossible`], [`GrantError::GroundMissing`], [`GrantError::GroundTooLong`].
    /// Spec: PDS-19.1.
    pub fn suspend(self, ground: &str, at: Timestamp) -> Result<Self, GrantError> {
        match self.state {
            GrantState::Active => {
                let state = GrantState::Suspended {
                    ground: checked_ground(ground)?,
                    at,
                    clause: None,
                };
                Ok(Self { state, ..self })
            }
            GrantState::Suspended { .. } | GrantState::Ended { .. } => {
                Err(self.refuse("suspended"))
            }
        }
    }

    /// The same grant, its suspension or end resting on a clause.
    #[must_use]
    pub fn under(self, by: Option<String>) -> Self {
        let state = match self.state {
            GrantState::Active => GrantState::Active,
            GrantState::Suspended { ground, at, .. } => GrantState::Suspended {
                ground,
                at,
                clause: by,
            },
            GrantState::Ended { ground, at, .. } => GrantState::Ended {
                ground,
                at,
                clause: by,
            },
        };
        Self { state, ..self }
    }

    /// Lifts a suspension. When and why it had been is in the ledger.
    ///
    /// Errors: [`GrantError::NotPossible`].
    pub fn resume(self) -> Result<Self, GrantError> {
        match self.state {
            GrantState::Suspended { .. } => Ok(Self {
                state: GrantState::Active,
                ..self
            }),
            GrantState::Active | GrantState::Ended { .. } => Err(self.refuse("resumed")),
        }
    }

    /// Ends the grant for good: misuse, reclaim, or the requester's own wish.
    ///
    /// Errors: [`GrantError::NotPossible`], [`GrantError::GroundMissing`], [`GrantError::GroundTooLong`].
    /// Spec: PDS-19.1, PDS-19.2.
    pub fn end(self, ground: &str, at: Timestamp) -> Result<Self, GrantError> {
        match self.state {
            GrantState::Active | GrantState::Suspended { .. } => {
                let state = GrantState::Ended {
                    ground: checked_ground(ground)?,
                    at,
                    clause: None,
                };
                Ok(Self { state, ..self })
            }
            GrantState::Ended { .. } => Err(self.refuse("ended")),
        }
    }

    /// Takes back columns, rows, plain sight or time. The next run takes them back at the target.
    /// Masks of columns that aren't granted any more go with them.
    ///
    /// Errors: [`GrantError::NotPossible`], [`GrantError::ColumnsNotWithin`] (also for a mask on a column
    /// that isn't granted), [`GrantError::MaskNotStricter`], [`GrantError::TermNotWithin`].
    pub fn narrow(self, narrowing: &Narrowing) -> Result<Self, GrantError> {
        match self.state {
            GrantState::Active | GrantState::Suspended { .. } => {}
            GrantState::Ended { .. } => return Err(self.refuse("narrowed")),
        }
        let mut next = self;
        if let Some(columns) = &narrowing.columns {
            let is_within = !columns.is_empty() && columns.iter().all(|column| next.covers(column));
            if !is_within {
                return Err(GrantError::ColumnsNotWithin);
            }
            // The order of delivery stays, and a column named twice stays one.
            next.columns.retain(|column| columns.contains(column));
        }
        if !narrowing.masks.keys().all(|column| next.covers(column)) {
            return Err(GrantError::ColumnsNotWithin);
        }
        let is_stricter = |(column, mask): (&String, &MaskKind)| {
            *mask == MaskKind::Hidden || next.mask_of(column).is_none_or(|present| present == *mask)
        };
        if !narrowing.masks.iter().all(is_stricter) {
            return Err(GrantError::MaskNotStricter);
        }
        next.masks.extend(narrowing.masks.clone());
        let granted = &next.columns;
        next.masks.retain(|column, _| granted.contains(column));
        if let Some(condition) = &narrowing.condition {
            next.condition = next.condition.and(condition);
        }
        if let Some(end) = narrowing.valid_until {
            if end <= next.valid_from || next.valid_until.is_some_and(|present| end > present) {
                return Err(GrantError::TermNotWithin);
            }
            next.valid_until = Some(end);
        }
        Ok(next)
    }

    fn refuse(&self, step: &'static str) -> GrantError {
        GrantError::NotPossible {
            state: self.state.name(),
            step,
        }
    }
}

fn checked_ground(ground: &str) -> Result<String, GrantError> {
    let ground = ground.trim();
    if ground.is_empty() {
        return Err(GrantError::GroundMissing);
    }
    if ground.chars().count() > GROUND_CHARS_MAX {
        return Err(GrantError::GroundTooLong);
    }
    Ok(ground.to_owned())
}
