//! The fold: from a head and its events to the state of every step.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::event::{CaseEvent, Happening};
use super::view::StepState;
use super::{CaseHead, CaseOutcome, Ending};
use crate::law::{Event, Facts, Holds, Outcome, Process, Step, StepId, StepKind};

/// The state of a case, as far as its events tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded {
    pub facts: Facts,
    /// When each event first and last happened.
    pub happened: BTreeMap<Event, Occurrences>,
    /// In the order of the process.
    pub steps: Vec<Progress>,
    pub ending: Option<Ending>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occurrences {
    pub first: Timestamp,
    pub last: Timestamp,
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    pub id: StepId,
    pub state: StepState,
    /// From when to when its clock stood; the last one may last still.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// By how much its limit was prolonged.
    pub extra_working_days: u32,
    /// The last day that an order set for it.
    pub ordered_due_on: Option<Date>,
    pub last_urged_at: Option<Timestamp>,
}

impl Progress {
    pub(super) fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|(_, until)| until.is_none())
    }
}

impl Folded {
    pub(super) fn begin(process: &Process, head: &CaseHead) -> Self {
        let steps = process
            .steps
            .iter()
            .map(|step| Progress {
                id: step.id.clone(),
                state: StepState::Waiting,
                pauses: Vec::new(),
                extra_working_days: 0,
                ordered_due_on: None,
                last_urged_at: None,
            })
            .collect();
        let mut folded = Self {
            facts: head.facts.clone(),
            happened: BTreeMap::new(),
            steps,
            ending: None,
        };
        if process.starts_on.is_none() {
            folded.advance(process, head.opened_at);
        }
        folded
    }

    pub(super) fn step(&self, id: &StepId) -> Option<&Progress> {
        self.steps.iter().find(|step| step.id == *id)
    }

    fn step_mut(&mut self, id: &StepId) -> Option<&mut Progress> {
        self.steps.iter_mut().find(|step| step.id == *id)
    }

    /// Takes one event in; `None` if it can't have happened in this state.
    pub(super) fn fold(&mut self, process: &Process, event: &CaseEvent) -> Option<()> {
        if self.ending.is_some() {
            return None;
        }
        match event.happening {
            Happening::Opened | Happening::Noted => self.record(event),
            Happening::StepDone => self.finish_step(process, event)?,
            Happening::Paused => {
                let progress = self.step_mut(event.step.as_ref()?)?;
                if !progress.state.is_open() || progress.is_paused() {
                    return None;
                }
                progress.pauses.push((event.at, None));
            }
            Happening::Resumed => {
                let progress = self.step_mut(event.step.as_ref()?)?;
                let (_, until) = progress
                    .pauses
                    .last_mut()
                    .filter(|(_, until)| until.is_none())?;
                *until = Some(event.at);
            }
            Happening::Excepted => {
                let progress = self.step_mut(event.step.as_ref()?)?;
                if !progress.state.is_open() {
                    return None;
                }
                progress.state = StepState::Skipped;
            }
            Happening::Urged => self.step_mut(event.step.as_ref()?)?.last_urged_at = Some(event.at),
            Happening::Withdrawn => self.end(event.at, CaseOutcome::Withdrawn),
        }
        if self.ending.is_none() {
            self.advance(process, event.at);
        }
        Some(())
    }

    fn record(&mut self, event: &CaseEvent) {
        let at = event.happened_at.unwrap_or(event.at);
        for name in &event.events {
            self.happened
                .entry(*name)
                .and_modify(|occurrences| {
                    occurrences.first = occurrences.first.min(at);
                    occurrences.last = occurrences.last.max(at);
                })
                .or_insert(Occurrences {
                    first: at,
                    last: at,
                });
        }
    }

    fn finish_step(&mut self, process: &Process, event: &CaseEvent) -> Option<()> {
        let id = event.step.as_ref()?;
        let step = process.step(id)?;
        let outcome = event.outcome?;
        let progress = self.step_mut(id)?;
        if !progress.state.is_open() {
            return None;
        }
        if let Some((_, until @ None)) = progress.pauses.last_mut() {
            *until = Some(event.at);
        }
        progress.state = if step.repeats {
            StepState::Open {
                opened_at: event.at,
            }
        } else {
            StepState::Done {
                at: event.at,
                by: event.by.clone(),
                outcome,
                due_on: event.due_on,
                in_time: event
                    .due_on
                    .map(|due_on| crate::time::china_date(event.at) <= due_on),
            }
        };
        if let (Some(extension), Some(days)) = (&step.extends, event.extra_working_days) {
            let extended = self.step_mut(&extension.step)?;
            extended.extra_working_days = extended.extra_working_days.checked_add(days)?;
        }
        if let (Some(ordered), Some(date)) = (&step.sets_due_of, event.orders_due_on) {
            self.step_mut(ordered)?.ordered_due_on = Some(date);
        }
        self.record(event);
        self.facts.extend(event.facts.clone());
        if let Some((fact, value)) = outcome.fact() {
            self.facts.insert(fact.to_owned(), value.into());
        }
        if step.ends_on.contains(&outcome) {
            self.end(event.at, outcome_of(outcome));
        }
        Some(())
    }

    /// Opens what can be opened, skips what can't happen any more, and ends the case when nothing
    /// remains.
    fn advance(&mut self, process: &Process, at: Timestamp) {
        self.skip_and_open(process, at);
        self.skip_unreachable(process);
        // What was skipped may have been all that another step was waiting for.
        self.skip_and_open(process, at);
        let remains = process.standing
            || process
                .steps
                .iter()
                .zip(&self.steps)
                .any(|(step, progress)| {
                    matches!(step.kind, StepKind::Required | StepKind::Automatic)
                        && !progress.state.is_over()
                });
        if !remains {
            self.end(at, self.outcome_so_far());
        }
    }

    fn skip_and_open(&mut self, process: &Process, at: Timestamp) {
        loop {
            let mut changed = false;
            for (index, step) in process.steps.iter().enumerate() {
                let holds = step.when.holds(&self.facts);
                // What comes round again does so whenever its condition holds: a suspension is lifted
                // while there is one.
                if step.repeats && holds == Holds::No {
                    if self.steps[index].state.is_open() {
                        self.steps[index].state = StepState::Waiting;
                    }
                    continue;
                }
                if self.steps[index].state != StepState::Waiting {
                    continue;
                }
                let next = match holds {
                    Holds::No => StepState::Skipped,
                    Holds::Yes if self.may_open(step) => StepState::Open { opened_at: at },
                    Holds::Yes | Holds::NotYetKnown => continue,
                };
                self.steps[index].state = next;
                changed = true;
            }
            if !changed {
                return;
            }
        }
    }

    fn may_open(&self, step: &Step) -> bool {
        let happened = step.opens_on.is_empty()
            || step
                .opens_on
                .iter()
                .any(|event| self.happened.contains_key(event));
        happened
            && step
                .after
                .iter()
                .all(|id| self.step(id).is_some_and(|step| step.state.is_over()))
    }

    fn skip_unreachable(&mut self, process: &Process) {
        let reachable = self.reachable(process);
        for (progress, reachable) in self.steps.iter_mut().zip(reachable) {
            if progress.state == StepState::Waiting && !reachable {
                progress.state = StepState::Skipped;
            }
        }
    }

    /// Which steps are open or may still open, whatever happens.
    fn reachable(&self, process: &Process) -> Vec<bool> {
        let mut reachable: Vec<bool> = self.steps.iter().map(|step| step.state.is_open()).collect();
        loop {
            let mut changed = false;
            for (index, step) in process.steps.iter().enumerate() {
                if !reachable[index]
                    && self.steps[index].state == StepState::Waiting
                    && self.may_still_open(process, step, &reachable)
                {
                    reachable[index] = true;
                    changed = true;
                }
            }
            if !changed {
                return reachable;
            }
        }
    }

    fn may_still_open(&self, process: &Process, step: &Step, reachable: &[bool]) -> bool {
        let by_reachable = |test: &dyn Fn(&Step) -> bool| {
            process
                .steps
                .iter()
                .zip(reachable)
                .any(|(other, reachable)| *reachable && test(other))
        };
        let event = step.opens_on.is_empty()
            || step.opens_on.iter().any(|event| {
                self.happened.contains_key(event)
                    || (process.standing && event.is_outside())
                    || by_reachable(&|other| {
                        other.possible_events().any(|possible| possible == *event)
                    })
            });
        let before = step.after.iter().all(|id| {
            self.step(id)
                .is_some_and(|progress| progress.state.is_over())
                || by_reachable(&|other| other.id == *id)
        });
        let facts = step.when.facts().all(|fact| {
            self.facts.contains_key(fact) || by_reachable(&|other| other.may_settle(fact))
        });
        event && before && facts
    }

    fn outcome_so_far(&self) -> CaseOutcome {
        let ended_as = |wanted: Outcome| {
            self.steps.iter().any(
                |step| matches!(step.state, StepState::Done { outcome, .. } if outcome == wanted),
            )
        };
        if ended_as(Outcome::Refused) {
            CaseOutcome::Refused
        } else if ended_as(Outcome::NotAccepted) {
            CaseOutcome::NotAccepted
        } else {
            CaseOutcome::Completed
        }
    }

    fn end(&mut self, at: Timestamp, outcome: CaseOutcome) {
        self.ending = Some(Ending { at, outcome });
        for step in &mut self.steps {
            if !step.state.is_over() {
                step.state = StepState::Skipped;
            }
        }
    }
}

/// How a case ends with a step that ended so.
fn outcome_of(outcome: Outcome) -> CaseOutcome {
    match outcome {
        Outcome::Refused => CaseOutcome::Refused,
        Outcome::NotAccepted => CaseOutcome::NotAccepted,
        Outcome::Done
        | Outcome::Accepted
        | Outcome::Approved
        | Outcome::Agreed
        | Outcome::NotAgreed
        | Outcome::Suspended
        | Outcome::Resumed
        | Outcome::Ended => CaseOutcome::Completed,
    }
}
