//! The account of a run.

use serde::{Deserialize, Serialize};

/// What became of the rows of a run. The first five account for every row read; the last three say
/// what happened at the target, where deletions come from rows that weren't read.
///
/// Spec: YC-17 (counts per stage).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    /// Rows read from the source.
    pub read: u64,
    /// Rows written to the target because they are new or differ.
    pub delivered: u64,
    /// Rows that were already there as they are.
    pub unchanged: u64,
    /// Rows outside the grant's condition.
    pub out_of_scope: u64,
    /// Rows set aside with a reason.
    pub quarantined: u64,
    /// Rows the target didn't have.
    pub inserted: u64,
    /// Rows the target had otherwise.
    pub updated: u64,
    /// Rows taken away at the target.
    pub deleted: u64,
}

impl Counts {
    /// Whether every row read is accounted for: read = delivered + unchanged + out of scope + quarantined.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        [self.unchanged, self.out_of_scope, self.quarantined]
            .into_iter()
            .try_fold(self.delivered, u64::checked_add)
            .is_some_and(|sum| sum == self.read)
    }

    /// The account of both parts together; saturates at the largest number.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        Self {
            read: self.read.saturating_add(other.read),
            delivered: self.delivered.saturating_add(other.delivered),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            out_of_scope: self.out_of_scope.saturating_add(other.out_of_scope),
            quarantined: self.quarantined.saturating_add(other.quarantined),
            inserted: self.inserted.saturating_add(other.inserted),
            updated: self.updated.saturating_add(other.updated),
            deleted: self.deleted.saturating_add(other.deleted),
        }
    }

    /// Whether the run has to stop: more than `permille_max` of the rows read so far are faulty.
    /// With nothing read it goes on.
    #[must_use]
    pub fn has_too_many_faults(&self, permille_max: u16) -> bool {
        u128::from(self.quarantined) * 1000 > u128::from(self.read) * u128::from(permille_max)
    }
}
