//! The life cycle of one version of an entry.
//!
//! ```text
//!            submit             publish             supersede
//!   Draft ----------> Submitted ---------> Published ---------> Superseded
//!                      |     ^
//!          return_with v     | submit
//!                     Returned
//! ```
//!
//! A draft and a returned version may be edited; from `Submitted` on nothing changes any more, so that
//! what was reviewed is what is published. Who may do it is `access::may`; that the new version and
//! the superseded one change together is the caller's transaction. Spec: PDS-5.1, YC-12.3 (return for
//! correction), YC-14.2.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, VersionId};
use crate::kind::Kind;

/// The longest reason for a return, in characters.
pub const REASON_CHARS_MAX: usize = 2000;

/// Where a version stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum VersionState {
    /// Being written 草稿.
    Draft,
    /// Waiting for the review 待审核.
    Submitted {
        /// When it was submitted.
        at: Timestamp,
        /// Who submitted it.
        by: PersonId,
    },
    /// Sent back for correction 退回.
    Returned {
        /// When it was returned.
        at: Timestamp,
        /// Who returned it.
        by: PersonId,
        /// What has to be mended.
        reason: String,
    },
    /// In the catalogue 已发布.
    Published {
        /// When it was published.
        at: Timestamp,
        /// Who published it.
        by: PersonId,
    },
    /// Was in the catalogue and still can be read 已更新.
    Superseded {
        /// When it had been published.
        published_at: Timestamp,
        /// When the next version took its place.
        at: Timestamp,
        /// The version that took its place.
        by_version: VersionId,
    },
}

/// Why a version can't take a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The step doesn't lead on from here; somebody may have been faster.
    #[error("a version that is {state} can't be {step}")]
    NotPossible {
        /// The state it is in.
        state: &'static str,
        /// The step in the past tense.
        step: &'static str,
    },
    /// A return without a reason.
    #[error("a version is returned with a reason, so that the department knows what to mend")]
    ReasonMissing,
    /// A reason beyond [`REASON_CHARS_MAX`].
    #[error("the reason is longer than {REASON_CHARS_MAX} characters")]
    ReasonTooLong,
}

impl VersionError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPossible { .. } => "version.not_possible",
            Self::ReasonMissing => "version.reason_missing",
            Self::ReasonTooLong => "version.reason_too_long",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotPossible { .. } => Kind::Conflict,
            Self::ReasonMissing | Self::ReasonTooLong => Kind::Invalid,
        }
    }
}

impl VersionState {
    /// The name of the state in stores and interfaces.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted { .. } => "submitted",
            Self::Returned { .. } => "returned",
            Self::Published { .. } => "published",
            Self::Superseded { .. } => "superseded",
        }
    }

    /// Whether the content may still be changed.
    #[must_use]
    pub fn may_edit(&self) -> bool {
        match self {
            Self::Draft | Self::Returned { .. } => true,
            Self::Submitted { .. } | Self::Published { .. } | Self::Superseded { .. } => false,
        }
    }

    /// Whether every department may read it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        match self {
            Self::Published { .. } | Self::Superseded { .. } => true,
            Self::Draft | Self::Submitted { .. } | Self::Returned { .. } => false,
        }
    }

    /// Hands a draft or a mended version to the review.
    ///
    /// Errors: [`VersionError::NotPossible`].
    pub fn submit(self, at: Timestamp, by: PersonId) -> Result<Self, VersionError> {
        match self {
            Self::Draft | Self::Returned { .. } => Ok(Self::Submitted { at, by }),
            Self::Submitted { .. } | Self::Published { .. } | Self::Superseded { .. } => {
                Err(self.refuse("submitted"))
            }
        }
    }

    /// Sends a submitted version back.
    ///
    /// Errors: [`VersionError::NotPossible`], [`VersionError::ReasonMissing`], [`VersionError::ReasonTooLong`].
    pub fn return_with(
        self,
        at: Timestamp,
        by: PersonId,
        reason: &str,
    ) -> Result<Self, VersionError> {
        match self {
            Self::Submitted { .. } => {}
            Self::Draft
            | Self::Returned { .. }
            | Self::Published { .. }
            | Self::Superseded { .. } => {
                return Err(self.refuse("returned"));
            }
        }
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(VersionError::ReasonMissing);
        }
        if reason.chars().count() > REASON_CHARS_MAX {
            return Err(VersionError::ReasonTooLong);
        }
        Ok(Self::Returned {
            at,
            by,
            reason: reason.to_owned(),
        })
    }

    /// Puts a submitted version into the catalogue.
    ///
    /// Errors: [`VersionError::NotPossible`].
    pub fn publish(self, at: Timestamp, by: PersonId) -> Result<Self, VersionError> {
        match self {
            Self::Submitted { .. } => Ok(Self::Published { at, by }),
            Self::Draft
            | Self::Returned { .. }
            | Self::Published { .. }
            | Self::Superseded { .. } => Err(self.refuse("published")),
        }
    }

    /// Gives the place of a published version to the next.
    ///
    /// Errors: [`VersionError::NotPossible`].
    pub fn supersede(self, at: Timestamp, by_version: VersionId) -> Result<Self, VersionError> {
        match self {
            Self::Published {
                at: published_at, ..
            } => Ok(Self::Superseded {
                published_at,
                at,
                by_version,
            }),
            Self::Draft
            | Self::Submitted { .. }
            | Self::Returned { .. }
            | Self::Superseded { .. } => Err(self.refuse("superseded")),
        }
    }

    fn refuse(&self, step: &'static str) -> VersionError {
        VersionError::NotPossible {
            state: self.name(),
            step,
        }
    }
}
