//! How the steps of a process follow one another: nothing may wait in a circle or for ever.

use std::collections::BTreeSet;

use crate::law::load::fault::FaultKind;
use crate::law::load::source::Source;
use crate::law::process::{Process, Step};
use crate::law::words::{Event, StepId};

pub(super) fn check(source: &Source, process: &Process) {
    let resolved = references(source, process);
    if !resolved {
        return;
    }
    let open = openable(process);
    let stuck: Vec<&Step> = process
        .steps
        .iter()
        .filter(|step| !open.contains(&step.id))
        .collect();
    for step in &stuck {
        let what = format!("step {}.{}", process.id, step.id);
        let waits_for = waits_for(step);
        if let Some(circle) = circle_from(process, step) {
            let circle: Vec<&str> = circle.iter().map(|id| id.as_str()).collect();
            source.fault(
                step.line,
                FaultKind::Cycle,
                format!("{what} waits for itself: {}", circle.join(" -> ")),
                "take one of the links out: opens_on or after",
            );
        } else {
            source.fault(
                step.line,
                FaultKind::Unreachable,
                format!(
                    "{what} can never open: it waits for {}",
                    waits_for.join(", ")
                ),
                "let an earlier step bring the event about, or mend opens_on and after",
            );
        }
    }
}

/// Reports names that nothing in the process answers to; whether all were resolved.
fn references(source: &Source, process: &Process) -> bool {
    let events = known_events(process);
    let before = source.broken_references();
    for step in &process.steps {
        let what = format!("step {}.{}", process.id, step.id);
        for other in step
            .after
            .iter()
            .filter(|other| process.step(other).is_none())
        {
            source.broken_reference(
                step.line,
                FaultKind::UnknownStep,
                format!("{what} comes after {other}, which is no step"),
                "name a step of the same process",
            );
        }
        let clock = step
            .deadline
            .iter()
            .flat_map(|deadline| deadline.from.iter());
        let earliest = step
            .not_before
            .iter()
            .flat_map(|limit| std::iter::once(&limit.from).chain(&limit.restart_on));
        for event in step
            .opens_on
            .iter()
            .chain(clock)
            .chain(earliest)
            .filter(|event| !events.contains(event))
        {
            source.broken_reference(
                step.line,
                FaultKind::UnknownEvent,
                format!("{what}: no step of the process brings about {event}"),
                "put it into done_by of the step that does, or use another event",
            );
        }
        let outside_ok = process.standing || process.starts_on.is_some();
        if !outside_ok
            && !step.opens_on.is_empty()
            && step.opens_on.iter().all(|event| {
                event.is_outside()
                    && !process
                        .steps
                        .iter()
                        .any(|step| step.possible_events().any(|own| own == *event))
            })
        {
            source.fault(
                step.line,
                FaultKind::Unreachable,
                format!("{what} waits for the world outside, which may never oblige"),
                "write starts_on at the process, or standing = true",
            );
        }
    }
    source.broken_references() == before
}

/// The steps that can open if everything goes as it may.
fn openable(process: &Process) -> BTreeSet<StepId> {
    let mut happened: BTreeSet<Event> = process.starts_on.into_iter().collect();
    if process.standing {
        happened.extend(
            Event::ALL
                .iter()
                .copied()
                .filter(|event| event.is_outside()),
        );
    }
    let mut open = BTreeSet::new();
    loop {
        let more: Vec<&Step> = process
            .steps
            .iter()
            .filter(|step| !open.contains(&step.id))
            .filter(|step| {
                step.opens_on.is_empty()
                    || step.opens_on.iter().any(|event| happened.contains(event))
            })
            .filter(|step| step.after.iter().all(|id| open.contains(id)))
            .collect();
        if more.is_empty() {
            return open;
        }
        for step in more {
            open.insert(step.id.clone());
            happened.extend(step.possible_events());
        }
    }
}

fn waits_for(step: &Step) -> Vec<String> {
    step.opens_on
        .iter()
        .map(ToString::to_string)
        .chain(step.after.iter().map(ToString::to_string))
        .collect()
}

/// The steps that a step waits for directly.
fn before<'a>(process: &'a Process, step: &'a Step) -> impl Iterator<Item = &'a Step> {
    process.steps.iter().filter(|other| {
        step.after.contains(&other.id)
            || other
                .possible_events()
                .any(|event| step.opens_on.contains(&event))
    })
}

/// The shortest circle that leads from a step back to itself, if there is one.
fn circle_from<'a>(process: &'a Process, step: &'a Step) -> Option<Vec<&'a StepId>> {
    let mut paths: Vec<Vec<&Step>> = vec![vec![step]];
    let mut seen: BTreeSet<&StepId> = BTreeSet::new();
    while let Some(path) = (!paths.is_empty()).then(|| paths.remove(0)) {
        let last = path.last().expect("a path begins with its step");
        for other in before(process, last) {
            if other.id == step.id {
                return Some(path.iter().map(|step| &step.id).chain([&step.id]).collect());
            }
            if seen.insert(&other.id) {
                paths.push(path.iter().copied().chain([other]).collect());
            }
        }
    }
    None
}

/// The events that may be named in a process: those its steps bring about and those from outside.
fn known_events(process: &Process) -> BTreeSet<Event> {
    process
        .steps
        .iter()
        .flat_map(Step::possible_events)
        .chain(
            Event::ALL
                .iter()
                .copied()
                .filter(|event| event.is_outside()),
        )
        .collect()
}
