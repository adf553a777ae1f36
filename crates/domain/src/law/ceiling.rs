//! National ceilings: limits of a higher rule that no local regulation may exceed.
//!
//! They are data like the packs, kept in a file of their own, and off unless an installation turns
//! them on. A ceiling whose value isn't confirmed in a source stays out even then, unless it is asked
//! for expressly.

use serde::Serialize;

use super::facts::{Condition, Facts, Holds};
use super::process::{Process, Step};
use super::words::{Action, ClauseId, Event};

/// One ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ceiling {
    /// Its name within the file.
    pub id: String,
    /// The topics of the processes it applies to.
    pub topics: Vec<String>,
    /// The action of the steps it applies to.
    pub action: Action,
    /// The facts under which it applies.
    pub when: Condition,
    /// The longest that the step may take.
    pub working_days: u32,
    /// The event whose day is day 0.
    pub from: Event,
    /// Whether the value was confirmed in a source.
    pub confirmed: bool,
    /// The title of the higher rule.
    pub source: Option<String>,
    /// The clause of the higher rule.
    pub clause: ClauseId,
}

/// The ceilings that are in use. The default is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ceilings {
    pub(super) list: Vec<Ceiling>,
}

/// What to do with ceilings that nobody confirmed in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unconfirmed {
    /// Leave them out, as every installation does unless told otherwise.
    Leave,
    /// Use them as well.
    Use,
}

impl Ceilings {
    /// The ceilings for a step, under the facts of a case.
    pub fn for_step<'a>(
        &'a self,
        process: &'a Process,
        step: &'a Step,
        facts: &'a Facts,
    ) -> impl Iterator<Item = &'a Ceiling> {
        self.list.iter().filter(move |ceiling| {
            ceiling.action == step.action
                && ceiling
                    .topics
                    .iter()
                    .any(|topic| process.topics.contains(topic))
                && ceiling.when.holds(facts) == Holds::Yes
        })
    }

    /// How many are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether none is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
