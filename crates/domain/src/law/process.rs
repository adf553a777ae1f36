//! A process of a regulation: its steps, in order, each with what the law says about it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::deadline::{Deadline, NotBefore};
use super::facts::Condition;
use super::words::{
    Action, ClauseId, Event, Outcome, ProcessId, ReasonRule, RoleId, StepId, StepKind,
};

/// One process 办理流程.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Unique within the pack.
    pub id: ProcessId,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// The topics it answers, the same words in every pack.
    pub topics: Vec<String>,
    /// The facts under which it is the right one for its topics.
    pub when: Condition,
    /// The outside event that starts it; `None` where a person starts it by taking the first step.
    pub starts_on: Option<Event>,
    /// The roles that may bring up the starting event; empty where only the platform itself does.
    pub opened_by: Vec<RoleId>,
    /// What it is about, or what sets it off: codes that narrow the process down.
    pub subjects: Vec<String>,
    /// That it serves all that `when` names isn't stated; it is our reading.
    pub when_is_reading: bool,
    /// It accompanies a standing thing, for example a grant, and ends only when a step ends it.
    pub standing: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The clause it rests on.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
    /// Whether every event and word in it could be read; a loaded pack has no other processes.
    #[serde(skip)]
    pub(super) references_hold: bool,
}

impl Process {
    /// The step with this id.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// The facts that the process asks about, in its own condition and in those of its steps.
    pub fn asked_facts(&self) -> impl Iterator<Item = &str> {
        self.when
            .facts()
            .chain(self.steps.iter().flat_map(|step| step.when.facts()))
    }
}

/// One step 环节.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Unique within the process.
    pub id: StepId,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Who takes it.
    pub role: RoleId,
    /// The regulation doesn't say who; the role is our reading.
    pub role_is_reading: bool,
    /// Roles that may take it as well; it is done once.
    pub also: Vec<RoleId>,
    /// The role whose decision the step records, where it isn't the one that takes it.
    pub decided_by: Option<RoleId>,
    /// What is done.
    pub action: Action,
    /// How it comes to be taken.
    pub kind: StepKind,
    /// It opens on any of these; empty: no event is needed.
    pub opens_on: Vec<Event>,
    /// It opens only after all of these are done or skipped.
    pub after: Vec<StepId>,
    /// The facts under which the step is part of the case at all; otherwise it is skipped.
    pub when: Condition,
    /// The events that its completion is.
    pub done_by: Vec<Event>,
    /// Further events, by outcome.
    pub then: BTreeMap<Outcome, Vec<Event>>,
    /// Facts that whoever takes the step has to state.
    pub establishes: Vec<String>,
    /// The limit; `None` where the regulation sets none.
    pub deadline: Option<Deadline>,
    /// The earliest date.
    pub not_before: Option<NotBefore>,
    /// When a reason is demanded.
    pub reason: Option<ReasonPolicy>,
    /// The form to attach.
    pub form: Option<FormPolicy>,
    /// The only grounds that may be given; empty: any.
    pub grounds: Vec<Ground>,
    /// Cases in which the step isn't to be taken, as the regulation names them.
    pub exceptions: Vec<Exception>,
    /// What has to be filled in.
    pub fields: Vec<String>,
    /// The role whose consent is needed as well.
    pub consent_of: Option<RoleId>,
    /// The limit that this step prolongs.
    pub extends: Option<Extension>,
    /// The step whose due date whoever takes this one states, for example in an order to correct.
    pub sets_due_of: Option<StepId>,
    /// The clause that lets whoever holds the step stop its clock.
    pub pause: Option<ClauseId>,
    /// What follows if the limit passes.
    pub on_overdue: Option<Consequence>,
    /// It opens again after it is done; only in a standing process.
    pub repeats: bool,
    /// The outcomes that end a standing process.
    pub ends_on: Vec<Outcome>,
    /// Roles that take part.
    pub with: Vec<RoleId>,
    /// Roles that are told when it is done.
    pub notify: Vec<RoleId>,
    /// The role it is addressed to.
    pub addressee: Option<RoleId>,
    /// Where the data go, if the clause names the place.
    pub target: Option<String>,
    /// What can't go on before the step is done, for example `project_approval`.
    pub gate: Option<String>,
    /// The clause it rests on.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

impl Step {
    /// The roles of which one is needed to take it, the main one first.
    pub fn takers(&self) -> impl Iterator<Item = &RoleId> {
        std::iter::once(&self.role).chain(&self.also)
    }

    /// Every event that the step makes happen when it ends in `outcome`.
    pub fn events_of(&self, outcome: Outcome) -> impl Iterator<Item = Event> {
        let further = self.then.get(&outcome).into_iter().flatten();
        self.done_by.iter().chain(further).copied()
    }

    /// Every event that the step may make happen.
    pub fn possible_events(&self) -> impl Iterator<Item = Event> {
        self.done_by
            .iter()
            .chain(self.then.values().flatten())
            .copied()
    }

    /// Whether the step may settle the fact, by its outcome or by a statement.
    #[must_use]
    pub fn may_settle(&self, fact: &str) -> bool {
        self.establishes.iter().any(|name| name == fact)
            || self
                .action
                .outcomes()
                .iter()
                .any(|outcome| outcome.fact().is_some_and(|(name, _)| name == fact))
    }
}

/// When a reason is demanded, and by which clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonPolicy {
    /// When.
    pub rule: ReasonRule,
    /// The clause.
    pub clause: ClauseId,
}

/// The form a step needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormPolicy {
    /// Its name.
    pub name: String,
    /// English name; the Chinese one where the pack has none.
    pub name_en: String,
    /// The kinds of seal of which one is needed; empty: the form needs no seal and may be filled in online.
    pub seal_kinds: Vec<String>,
    /// It has to be handed in as a document; filling in nothing isn't enough.
    pub written: bool,
    /// The seal is our reading, not stated in the clause.
    pub seal_is_reading: bool,
    /// The clause.
    pub clause: ClauseId,
}

/// A ground or exception that a regulation names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ground {
    /// The code in cases and interfaces.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// English name; the Chinese one where the pack has none.
    pub name_en: String,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// A case in which a step isn't to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// The code in cases and interfaces.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// English name; the Chinese one where the pack has none.
    pub name_en: String,
    /// Who claims it; `None`: whoever would take the step.
    pub by: Option<RoleId>,
    /// The clause.
    pub clause: ClauseId,
    /// The line in the pack file.
    pub line: u32,
}

/// A step that prolongs the limit of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// The step whose limit it is.
    pub step: StepId,
    /// The most by which it may be prolonged, in working days.
    pub working_days_max: u32,
    /// The clause.
    pub clause: ClauseId,
}

/// What the regulation attaches to a missed limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consequence {
    /// What follows.
    pub follow_up: FollowUp,
    /// The clause.
    pub clause: ClauseId,
}

/// What follows a missed limit. It is always a draft for a person to send, never automatic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    /// A case of this process.
    Case(ProcessId),
    /// A finding with this code, one of the list `prohibited` of the pack.
    Finding(String),
}
