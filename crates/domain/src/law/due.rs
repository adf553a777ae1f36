//! Due dates without a case: by when each step of a process is due, given what happened when.
//!
//! It is what `tongqu law due` and the page 时限计算器 show. The rule itself isn't written here a second
//! time: dates come from the same reckoning that runs the clocks of cases (`case`), and which steps
//! there are comes from the pack. This room adds what a case would know by its history: which events
//! come about in the same moment as those that are given.
//!
//! Nothing is guessed. A step whose start isn't known has no date and says what it waits for; a year
//! whose holiday notice isn't loaded is an error.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::deadline::{Due, Limit, LimitSource};
use super::facts::{FactValue, Facts, Holds};
use super::pack::{Pack, PeriodicDuty};
use super::process::{Process, Step};
use super::words::{ClauseId, Event, LimitWord, Outcome, ProcessId, RoleId, SILENT, StepKind};
use crate::calendar::{Calendar, CalendarError};
use crate::case::{due_from, last_closed_day};
use crate::kind::Kind;
use crate::time::china_date;

/// The fact that says who decides; the pack's rules settle it unless it is given.
const DECIDER: &str = "decider";

/// When what happened, by the name of the event.
pub type EventTimes = BTreeMap<String, Timestamp>;

/// By when one step is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDue {
    /// The step, or the periodic duty.
    pub id: String,
    /// The role that takes it.
    pub actor: RoleId,
    /// The last day in time, inclusive, China Standard Time. `None` where the regulation sets no date,
    /// or while its start isn't known: then `waits_for` names the event.
    pub due_on: Option<Date>,
    /// The number of working days of the limit, where it is counted in them.
    pub working_days: Option<u32>,
    /// The clause of the limit; of the step where it has none.
    pub clause: ClauseId,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// The word, where the limit is one: it ages and is never overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<LimitWord>,
    /// The event that the date is counted from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_from: Option<Event>,
    /// The regulation doesn't state that event; it is our reading.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_is_reading: bool,
    /// The event that has to happen before there is a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Event>,
    /// Whether pack or national ceiling decided the date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_by: Option<LimitSource>,
    /// The first day on which the step may be taken, where the regulation sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Date>,
}

/// Why nothing can be reckoned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DueError {
    /// The pack has no such process and no such periodic duty.
    #[error("{pack} has no process {process}; it has {}", .known.join(", "))]
    UnknownProcess {
        /// The pack.
        pack: String,
        /// What was asked for.
        process: String,
        /// What is there.
        known: Vec<String>,
    },
    /// The pack doesn't declare the fact.
    #[error("{pack} knows no fact {fact}; it asks about {}", .known.join(", "))]
    UnknownFact {
        /// The pack.
        pack: String,
        /// What was given.
        fact: String,
        /// What is there.
        known: Vec<String>,
    },
    /// The fact never has this value.
    #[error("{fact} is never {value}; it can be {}", .known.join(", "))]
    UnknownValue {
        /// The fact.
        fact: String,
        /// What was given.
        value: String,
        /// What it can be.
        known: Vec<String>,
    },
    /// There is no such event.
    #[error("there is no event {event}; {process} knows {}", .known.join(", "))]
    UnknownEvent {
        /// The process.
        process: String,
        /// What was given.
        event: String,
        /// The events that open or end a step of the process or start a clock of it.
        known: Vec<String>,
    },
    /// The calendar lacks a year.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

impl DueError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownProcess { .. } => "due.unknown_process",
            Self::UnknownFact { .. } => "due.unknown_fact",
            Self::UnknownValue { .. } => "due.unknown_value",
            Self::UnknownEvent { .. } => "due.unknown_event",
            Self::Calendar(error) => error.code(),
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::UnknownProcess { .. } => Kind::NotFound,
            Self::UnknownFact { .. } | Self::UnknownValue { .. } | Self::UnknownEvent { .. } => {
                Kind::Invalid
            }
            Self::Calendar(error) => error.kind(),
        }
    }

    /// What is wrong and what there is, in Chinese. `Display` says it in English.
    #[must_use]
    pub fn in_chinese(&self) -> String {
        match self {
            Self::UnknownProcess {
                pack,
                process,
                known,
            } => format!("{pack} 没有流程 {process}。可选：{}。", known.join("、")),
            Self::UnknownFact { pack, fact, known } => {
                format!("{pack} 没有事项 {fact}。可选：{}。", known.join("、"))
            }
            Self::UnknownValue { fact, value, known } => {
                format!("事项 {fact} 不能是 {value}。可选：{}。", known.join("、"))
            }
            Self::UnknownEvent {
                process,
                event,
                known,
            } => format!(
                "没有事件 {event}。流程 {process} 涉及：{}。",
                known.join("、")
            ),
            Self::Calendar(error) => match error {
                CalendarError::YearNotPublished { year } => {
                    format!("{year}年的放假安排还没有载入，算不出工作日。请先载入该年的工作日历。")
                }
                CalendarError::Unreadable { .. } => error.to_string(),
            },
        }
    }
}

/// By when each step of a process is due, in the order of the process.
///
/// `process` is the id of a process or of a periodic duty. Steps that the facts rule out are left out.
/// Facts that aren't given have their default, are settled by the process or follow from the events
/// (`authorisation_received` says `approved`); steps that hang on a fact which stays open are listed.
/// Facts that rule out the process itself leave no step. Besides the facts of the pack, `accepted`,
/// `approved`, `agreed` and `decider` may be given.
///
/// `events` are instants; they count by their date in China Standard Time. Events that are one act
/// with a given one, and those that the platform brings about in the same moment, needn't be given.
/// For a periodic duty any event will do: its due date is the first one not before the earliest.
///
/// Errors: [`DueError`]; nothing is reckoned in part.
///
/// Spec: PDS-17 (the online record time decides).
pub fn reckon(
    pack: &Pack,
    process: &str,
    facts: &Facts,
    events: &EventTimes,
    calendar: &Calendar,
) -> Result<Vec<StepDue>, DueError> {
    check_facts(pack, facts)?;
    let found = ProcessId::parse(process)
        .ok()
        .and_then(|id| pack.process(&id));
    if let Some(process) = found {
        let known = Known::of(pack, process, facts, events)?;
        return known
            .steps()
            .map(|step| known.due(step, calendar))
            .collect();
    }
    match pack.periodic.iter().find(|duty| duty.id == process) {
        Some(duty) => periodic(duty, events, calendar).map(|due| vec![due]),
        None => Err(DueError::UnknownProcess {
            pack: pack.meta.id.to_string(),
            process: process.to_owned(),
            known: pack
                .processes
                .iter()
                .map(|process| process.id.to_string())
                .chain(pack.periodic.iter().map(|duty| duty.id.clone()))
                .collect(),
        }),
    }
}

/// The value of a fact as a person writes it: `true` and `false` are yes and no, all else is a code.
#[must_use]
pub fn fact_value(text: &str) -> FactValue {
    text.parse::<bool>()
        .map_or_else(|_| FactValue::from(text), FactValue::from)
}

fn check_facts(pack: &Pack, facts: &Facts) -> Result<(), DueError> {
    for (name, value) in facts {
        let Some(rule) = pack.facts.iter().find(|rule| rule.id == *name) else {
            return Err(DueError::UnknownFact {
                pack: pack.meta.id.to_string(),
                fact: name.clone(),
                known: pack.facts.iter().map(|rule| rule.id.clone()).collect(),
            });
        };
        if !rule.values.contains(value) {
            return Err(DueError::UnknownValue {
                fact: name.clone(),
                value: value.to_string(),
                known: rule.values.iter().map(ToString::to_string).collect(),
            });
        }
    }
    Ok(())
}

fn periodic(
    duty: &PeriodicDuty,
    events: &EventTimes,
    calendar: &Calendar,
) -> Result<StepDue, DueError> {
    let due_on = match events.values().min() {
        Some(start) => duty.due.last_day(china_date(*start), calendar)?,
        None => None,
    };
    Ok(StepDue {
        id: duty.id.clone(),
        actor: duty.role.clone(),
        due_on,
        working_days: duty.due.working_days(),
        clause: duty.due_clause.clone(),
        name: duty.name.clone(),
        name_en: duty.name_en.clone(),
        word: duty.due.word(),
        counted_from: None,
        from_is_reading: false,
        waits_for: None,
        due_by: due_on.map(|_| LimitSource::Pack),
        not_before: None,
    })
}

/// What is known about a process under way: the given facts and events, and all that follows from them.
struct Known<'a> {
    pack: &'a Pack,
    process: &'a Process,
    /// Whether the given facts rule the whole process out.
    ruled_out: bool,
    facts: Facts,
    times: BTreeMap<Event, Timestamp>,
}

impl<'a> Known<'a> {
    fn of(
        pack: &'a Pack,
        process: &'a Process,
        facts: &Facts,
        events: &EventTimes,
    ) -> Result<Self, DueError> {
        let mut times = BTreeMap::new();
        for (name, at) in events {
            let event = Event::find(name).ok_or_else(|| DueError::UnknownEvent {
                process: process.id.to_string(),
                event: name.clone(),
                known: events_of(process).iter().map(ToString::to_string).collect(),
            })?;
            times.insert(event, *at);
        }
        let mut known = Self {
            pack,
            process,
            ruled_out: process.when.holds(facts) == Holds::No,
            facts: settled(pack, process, facts),
            times,
        };
        while known.derive() {}
        Ok(known)
    }

    /// The steps that the facts don't rule out.
    fn steps(&self) -> impl Iterator<Item = &'a Step> {
        self.process
            .steps
            .iter()
            .filter(|step| !self.ruled_out && step.when.holds(&self.facts) != Holds::No)
    }

    /// Adds what follows from what is known; whether that was anything.
    fn derive(&mut self) -> bool {
        let steps: Vec<&Step> = self.steps().collect();
        steps.iter().any(|step| {
            self.taken_at(step, &steps)
                .is_some_and(|at| self.conclude(step, at))
        })
    }

    /// When a step was taken, as its events tell, or its kind; `None` if it wasn't, or may not have been.
    fn taken_at(&self, step: &Step, steps: &[&Step]) -> Option<Timestamp> {
        // An event that several steps may bring about doesn't tell which of them was taken.
        let tells = |event: &Event| {
            steps
                .iter()
                .filter(|other| other.possible_events().any(|possible| possible == *event))
                .count()
                == 1
        };
        let told = step
            .possible_events()
            .filter(tells)
            .find_map(|event| self.times.get(&event).copied());
        match step.kind {
            StepKind::Automatic => told.or_else(|| self.opening(step)),
            StepKind::Required | StepKind::Optional | StepKind::Duty => told,
        }
    }

    /// Records what it means that a step was taken; whether that is news. What was given stays.
    fn conclude(&mut self, step: &Step, at: Timestamp) -> bool {
        let mut news = false;
        let outcome = self.outcome(step);
        if let Some((fact, value)) = outcome.and_then(Outcome::fact)
            && !self.facts.contains_key(fact)
        {
            self.facts.insert(fact.to_owned(), value.into());
            news = true;
        }
        let further = outcome.and_then(|outcome| step.then.get(&outcome));
        for event in step.done_by.iter().chain(further.into_iter().flatten()) {
            if !self.times.contains_key(event) {
                self.times.insert(*event, at);
                news = true;
            }
        }
        news
    }

    /// How a step that was taken ended, as far as that is known.
    fn outcome(&self, step: &Step) -> Option<Outcome> {
        let possible = step.action.outcomes();
        if let [only] = possible {
            return Some(*only);
        }
        let told_by_event = possible.iter().find(|outcome| {
            let mut further = step.then.get(outcome).into_iter().flatten();
            further.any(|event| self.times.contains_key(event))
        });
        let told_by_fact = || {
            possible.iter().find(|outcome| {
                outcome.fact().is_some_and(|(fact, value)| {
                    self.facts.get(fact) == Some(&FactValue::Bool(value))
                })
            })
        };
        told_by_event.or_else(told_by_fact).copied()
    }

    /// When a step that the platform takes by itself opened; `None` if it hasn't, or may not have.
    fn opening(&self, step: &Step) -> Option<Timestamp> {
        if step.when.holds(&self.facts) != Holds::Yes {
            return None;
        }
        let mut opened = step
            .opens_on
            .iter()
            .filter_map(|event| self.times.get(event))
            .min()
            .copied();
        if opened.is_none() && !step.opens_on.is_empty() {
            return None;
        }
        for before in self.steps().filter(|other| step.after.contains(&other.id)) {
            let done = before
                .done_by
                .iter()
                .find_map(|event| self.times.get(event))?;
            opened = opened.max(Some(*done));
        }
        opened
    }

    fn day_of(&self, event: Event) -> Option<Date> {
        self.times.get(&event).map(|at| china_date(*at))
    }

    fn due(&self, step: &Step, calendar: &Calendar) -> Result<StepDue, DueError> {
        let day_of = |event: Event| self.day_of(event);
        let due = due_from(self.pack, self.process, step, &self.facts, day_of, calendar)?;
        let closed = match &step.not_before {
            Some(rule) => last_closed_day(rule, day_of, day_of, calendar)?,
            None => None,
        };
        Ok(self.step_due(step, due, closed))
    }

    fn step_due(&self, step: &Step, due: Option<Due>, closed: Option<Date>) -> StepDue {
        let deadline = step.deadline.as_ref();
        let limit = due
            .as_ref()
            .map(|due| due.limit)
            .or(deadline.map(|deadline| deadline.limit));
        let ceilings = || self.pack.ceilings.for_step(self.process, step, &self.facts);
        let by_ceiling = due
            .as_ref()
            .filter(|due| due.source == LimitSource::NationalCeiling)
            .and_then(|due| ceilings().find(|ceiling| ceiling.clause == due.clause));
        let counted_from = match by_ceiling {
            Some(ceiling) => Some(ceiling.from),
            None => deadline.and_then(|deadline| deadline.from),
        };
        let dated_from = deadline
            .filter(|deadline| deadline.limit.word().is_none())
            .and_then(|deadline| deadline.from)
            .or_else(|| ceilings().map(|ceiling| ceiling.from).next());
        StepDue {
            id: step.id.to_string(),
            actor: step.role.clone(),
            due_on: due.as_ref().map(|due| due.on),
            working_days: limit.and_then(Limit::working_days),
            clause: due
                .as_ref()
                .map(|due| &due.clause)
                .or(deadline.map(|deadline| &deadline.clause))
                .unwrap_or(&step.clause)
                .clone(),
            name: step.name.clone(),
            name_en: step.name_en.clone(),
            word: limit.and_then(Limit::word),
            counted_from,
            from_is_reading: by_ceiling.is_none()
                && deadline.is_some_and(|deadline| deadline.from_is_reading),
            waits_for: dated_from.filter(|_| due.is_none()),
            due_by: due.map(|due| due.source),
            not_before: closed.and_then(|date| date.tomorrow().ok()),
        }
    }
}

/// The facts as the pack settles them, a given `decider` first. Where too little is known for a rule on
/// who decides to apply, the decider stays open, so that no step is left out because of it.
fn settled(pack: &Pack, process: &Process, facts: &Facts) -> Facts {
    let mut settled = pack.settled_facts(process, facts);
    if let Some(given) = facts.get(DECIDER) {
        settled.insert(DECIDER.to_owned(), given.clone());
        return settled;
    }
    let nobody = settled.get(DECIDER) == Some(&FactValue::from(SILENT));
    let undecided = pack
        .deciders
        .iter()
        .any(|decider| decider.when.holds(&settled) == Holds::NotYetKnown);
    if nobody && undecided {
        settled.remove(DECIDER);
    }
    settled
}

/// The events that open or end a step of the process, or start a clock of it.
#[must_use]
pub fn events_of(process: &Process) -> Vec<Event> {
    let mut events: Vec<Event> = process.starts_on.into_iter().collect();
    for step in &process.steps {
        events.extend(&step.opens_on);
        events.extend(step.deadline.iter().filter_map(|deadline| deadline.from));
        if let Some(rule) = &step.not_before {
            events.push(rule.from);
            events.extend(rule.restart_on);
        }
        events.extend(step.possible_events());
    }
    events.sort_unstable();
    events.dedup();
    events
}
