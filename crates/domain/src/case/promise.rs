//! The dates that a process promises before it is begun.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::view::{due_from, missing_year};
use crate::calendar::Calendar;
use crate::law::{
    ClauseId, Event, Facts, Holds, Limit, LimitSource, LimitWord, Pack, Process, RoleId, Step,
    StepId, StepKind,
};

/// The latest date of one step, if all goes well and every step takes its whole time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// The step.
    pub step: StepId,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Who takes it.
    pub role: RoleId,
    /// The last day in time; `None` where the regulation sets no date, where a step before has none,
    /// or where the calendar lacks a year.
    pub due_on: Option<Date>,
    /// The number of working days of the limit, where it is counted in them.
    pub working_days: Option<u32>,
    /// The word, where the limit is one.
    pub word: Option<LimitWord>,
    /// The year whose holiday notice is missing.
    pub missing_year: Option<i16>,
    /// Whether pack or national ceiling decided the date.
    pub due_by: Option<LimitSource>,
    /// The clause: of the limit, or of the step where it has none.
    pub clause: ClauseId,
}

/// Reckons the latest dates of the steps that people take, in the order in which they open.
///
/// `start` is the day on which the process begins, China Standard Time. The step that begins it,
/// what the platform does by itself, and what is optional aren't listed. Facts that aren't known yet
/// count as going well: the request is accepted and approved.
#[must_use]
pub fn promise(
    pack: &Pack,
    process: &Process,
    facts: &Facts,
    start: Date,
    calendar: &Calendar,
) -> Vec<Promise> {
    let mut forecast = Forecast {
        pack,
        process,
        calendar,
        facts: pack.settled_facts(process, facts),
        days: process
            .starts_on
            .map(|event| (event, Some(start)))
            .into_iter()
            .collect(),
        over: BTreeSet::new(),
        promises: Vec::new(),
    };
    if process.starts_on.is_none()
        && let Some(first) = process.steps.first()
    {
        forecast.finish(first, Some(start));
    }
    forecast.run();
    forecast.promises
}

struct Forecast<'a> {
    pack: &'a Pack,
    process: &'a Process,
    calendar: &'a Calendar,
    facts: Facts,
    /// The latest day of each event; `None` where it has none.
    days: BTreeMap<Event, Option<Date>>,
    over: BTreeSet<StepId>,
    promises: Vec<Promise>,
}

impl Forecast<'_> {
    fn run(&mut self) {
        while let Some(step) = self.process.steps.iter().find(|step| self.is_next(step)) {
            if step.when.holds(&self.facts) == Holds::No
                || matches!(step.kind, StepKind::Optional | StepKind::Duty)
            {
                self.over.insert(step.id.clone());
            } else if step.kind == StepKind::Automatic {
                let opened_on = step
                    .opens_on
                    .iter()
                    .find_map(|event| self.days.get(event))
                    .copied()
                    .flatten();
                self.finish(step, opened_on);
            } else {
                let promise = self.promise(step);
                let due_on = promise.due_on;
                self.promises.push(promise);
                self.finish(step, due_on);
            }
        }
    }

    fn is_next(&self, step: &Step) -> bool {
        if self.over.contains(&step.id) {
            return false;
        }
        match step.when.holds(&self.facts) {
            Holds::No => true,
            Holds::NotYetKnown => false,
            Holds::Yes => {
                (step.opens_on.is_empty()
                    || step
                        .opens_on
                        .iter()
                        .any(|event| self.days.contains_key(event)))
                    && step.after.iter().all(|id| self.over.contains(id))
            }
        }
    }

    fn finish(&mut self, step: &Step, on: Option<Date>) {
        let outcome = step.action.good_outcome();
        for event in step.events_of(outcome) {
            self.days.insert(event, on);
        }
        if let Some((fact, value)) = outcome.fact() {
            self.facts.insert(fact.to_owned(), value.into());
        }
        self.over.insert(step.id.clone());
    }

    fn promise(&self, step: &Step) -> Promise {
        let day_of = |event: Event| self.days.get(&event).copied().flatten();
        let due = due_from(
            self.pack,
            self.process,
            step,
            &self.facts,
            day_of,
            self.calendar,
        );
        let missing_year = due.as_ref().err().map(missing_year);
        let due = due.ok().flatten();
        let limit = due
            .as_ref()
            .map(|due| due.limit)
            .or(step.deadline.as_ref().map(|deadline| deadline.limit));
        Promise {
            step: step.id.clone(),
            name: step.name.clone(),
            name_en: step.name_en.clone(),
            role: step.role.clone(),
            due_on: due.as_ref().map(|due| due.on),
            working_days: limit.and_then(Limit::working_days),
            word: limit.and_then(Limit::word),
            missing_year,
            due_by: due.as_ref().map(|due| due.source),
            clause: due
                .map(|due| due.clause)
                .or(step
                    .deadline
                    .as_ref()
                    .map(|deadline| deadline.clause.clone()))
                .unwrap_or_else(|| step.clause.clone()),
        }
    }
}
