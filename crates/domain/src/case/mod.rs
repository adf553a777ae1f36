//! Cases: a process of a regulation under way, from the application to its end.
//!
//! A [`Case`] is its head (what was begun, under which pack and version, between whom) and its events.
//! Its state is a fold over the events, nothing else; every transition is pure. What may be done and
//! by when comes from the rule pack (`law`), who may do it from `access`, which day counts from
//! `calendar`. This room knows no regulation.
//!
//! ```text
//! a step:  Waiting --its event, its predecessors, its facts--> Open --act--> Done
//!             \------- its facts don't hold, or its event can't come ------> Skipped
//! a case:  open while a required step is waiting or open; then Completed, Refused, NotAccepted
//!          open --withdrawn by the requester, before anything was decided--> Withdrawn
//! ```
//!
//! After a refusal the case is ended; asking again is another case that names the previous one.
//! Due dates are reckoned when they are looked at, so that a new holiday notice moves them; the due
//! date of a finished step is kept in its event and never moves.
//!
//! Spec: PDS-9, PDS-17 (the online record time decides). The clauses of single steps stand in the pack.

mod act;
mod check;
mod event;
mod fold;
mod promise;
mod refusal;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CaseId, DepartmentId, PersonId};
use crate::law::{Event, Facts, HeldBy, Outcome, Pack, PackId, Process, ProcessId, RoleId, StepId};

pub use act::{Act, Deed, Opening, StepInput};
pub use event::{ActedBy, CaseEvent, FormGiven, Happening};
pub use promise::{Promise, promise};
pub use refusal::Refusal;
pub use view::{Clock, OpenStep, StepState, StepView};
pub(crate) use view::{due_from, last_closed_day};

use fold::Folded;

/// A process under way or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    head: CaseHead,
    events: Vec<CaseEvent>,
    folded: Folded,
}

/// What doesn't change over the life of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseHead {
    /// The case.
    pub id: CaseId,
    /// The rule pack it was begun under and keeps.
    pub pack: PackId,
    /// The version of that pack, see [`Pack::version`].
    pub pack_version: String,
    /// The process.
    pub process: ProcessId,
    /// Between whom.
    pub parties: Parties,
    /// The facts at the beginning, with defaults filled in and the decider reckoned.
    pub facts: Facts,
    /// When it was begun, by the server's clock.
    pub opened_at: Timestamp,
    /// The refused or ended case that this one follows.
    pub previous_case: Option<CaseId>,
}

/// The departments and the person behind a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parties {
    /// The department that asks.
    pub requester: Option<DepartmentId>,
    /// The department whose data it is about.
    pub provider: Option<DepartmentId>,
    /// Who filed it; `None` if the platform itself opened the case.
    pub filed_by: Option<PersonId>,
    /// The departments bound to the other roles of the pack.
    pub bound: BTreeMap<RoleId, DepartmentId>,
}

impl Parties {
    /// The department that holds a role in this case; `None` where no particular one does.
    #[must_use]
    pub fn holder(&self, pack: &Pack, role: &RoleId) -> Option<&DepartmentId> {
        match pack.role(role)?.held_by {
            HeldBy::Requester => self.requester.as_ref(),
            HeldBy::Provider => self.provider.as_ref(),
            HeldBy::Bound => self.bound.get(role),
            HeldBy::Outside | HeldBy::Every => None,
        }
    }

    /// Whether the role belongs to one department and this case has none for it, so that nobody
    /// holds it here.
    pub(crate) fn lacks(&self, pack: &Pack, role: &RoleId) -> bool {
        pack.role(role).is_some_and(|role| match role.held_by {
            HeldBy::Requester | HeldBy::Provider | HeldBy::Bound => true,
            HeldBy::Outside | HeldBy::Every => false,
        }) && self.holder(pack, role).is_none()
    }
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// All was done that the regulation asks.
    Completed,
    /// The request was refused.
    Refused,
    /// The request wasn't accepted.
    NotAccepted,
    /// The requester took it back.
    Withdrawn,
}

/// The end of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: CaseOutcome,
}

impl Case {
    /// What doesn't change.
    #[must_use]
    pub fn head(&self) -> &CaseHead {
        &self.head
    }

    /// Everything that happened, in order.
    #[must_use]
    pub fn events(&self) -> &[CaseEvent] {
        &self.events
    }

    /// The events after the one with number `seq`: what an act has added.
    #[must_use]
    pub fn events_after(&self, seq: u32) -> &[CaseEvent] {
        let from = self.events.partition_point(|event| event.seq <= seq);
        &self.events[from..]
    }

    /// The number of the last event; 0 if there is none.
    #[must_use]
    pub fn last_seq(&self) -> u32 {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// What is known about the case by now.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.folded.facts
    }

    /// Whether nothing remains to be done.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.folded.ending.is_some()
    }

    /// When and how it ended; `None` while it is open.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.folded.ending
    }

    /// How it ended; `None` while it is open.
    #[must_use]
    pub fn outcome(&self) -> Option<CaseOutcome> {
        self.folded.ending.map(|ending| ending.outcome)
    }

    /// Whether the case shows that something is so: the event has happened in it, the request wasn't
    /// refused or taken back, and a case that accompanies something still does.
    ///
    /// Spec: LY-12 (a filed agreement), as far as a pack says so with `shown_by` or `approval`.
    #[must_use]
    pub fn shows(&self, event: Event, pack: &Pack) -> bool {
        let lasts = match self.outcome() {
            None => true,
            Some(CaseOutcome::Completed) => pack
                .process(&self.head.process)
                .is_some_and(|process| !process.standing),
            Some(CaseOutcome::Refused | CaseOutcome::NotAccepted | CaseOutcome::Withdrawn) => false,
        };
        lasts && self.folded.happened.contains_key(&event)
    }

    /// The steps that can be taken now, in the order of the process.
    pub fn open_steps(&self) -> impl Iterator<Item = &StepId> {
        self.folded
            .steps
            .iter()
            .filter(|step| step.state.is_open())
            .map(|step| &step.id)
    }

    /// The state of a step; `None` if the process has no such step.
    #[must_use]
    pub fn step_state(&self, id: &StepId) -> Option<&StepState> {
        self.folded.step(id).map(|step| &step.state)
    }

    /// How a step ended, if it did.
    #[must_use]
    pub fn step_outcome(&self, id: &StepId) -> Option<Outcome> {
        match self.step_state(id)? {
            StepState::Done { outcome, .. } => Some(*outcome),
            StepState::Waiting | StepState::Open { .. } | StepState::Skipped => None,
        }
    }

    /// Builds a case from what was stored.
    ///
    /// History isn't judged again: who might do what was settled when it was recorded.
    ///
    /// Errors: [`Refusal::OtherPack`] if `pack` isn't the one and version the case was begun under;
    /// [`Refusal::BrokenHistory`] if the events can't have happened in this process.
    pub fn replay(head: CaseHead, events: Vec<CaseEvent>, pack: &Pack) -> Result<Self, Refusal> {
        let process = process_of(&head, pack)?;
        let mut folded = Folded::begin(process, &head);
        for (at, event) in events.iter().enumerate() {
            let in_order = u32::try_from(at + 1).is_ok_and(|seq| seq == event.seq);
            if !in_order || folded.fold(process, event).is_none() {
                return Err(Refusal::BrokenHistory { seq: event.seq });
            }
        }
        Ok(Self {
            head,
            events,
            folded,
        })
    }

    fn process<'a>(&self, pack: &'a Pack) -> Result<&'a Process, Refusal> {
        process_of(&self.head, pack)
    }
}

fn process_of<'a>(head: &CaseHead, pack: &'a Pack) -> Result<&'a Process, Refusal> {
    if head.pack != pack.meta.id || head.pack_version != pack.version {
        return Err(Refusal::OtherPack {
            pack: head.pack.clone(),
            version: head.pack_version.clone(),
        });
    }
    pack.process(&head.process)
        .ok_or_else(|| Refusal::UnknownProcess {
            process: head.process.clone(),
        })
}
