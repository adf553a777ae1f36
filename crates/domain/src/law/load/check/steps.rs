//! Whether processes and steps make sense in themselves.

use super::Check;
use crate::law::deadline::Limit;
use crate::law::load::fault::FaultKind;
use crate::law::process::{FollowUp, Process, Step};
use crate::law::words::{FactSource, LimitWord, Outcome, ReasonRule, SETTLED_FACTS, StepKind};

impl Check<'_> {
    pub(super) fn process(&self, process: &Process) {
        let what = format!("process {}", process.id);
        self.condition(&process.when, process.line, &what);
        for role in &process.opened_by {
            self.role(role, process.line, &what);
        }
        match process.starts_on {
            Some(event) if !event.is_outside() => self.fault(
                process.line,
                FaultKind::Contradiction,
                format!("{what}: {event} is the work of a step and can't start a case"),
                "let the first step start it, or name an event from outside",
            ),
            None if !process.opened_by.is_empty() => self.fault(
                process.line,
                FaultKind::Contradiction,
                format!("{what}: opened_by without starts_on"),
                "whoever takes the first step opens the case; leave opened_by out",
            ),
            None if process.steps.first().is_some_and(|step| {
                step.kind == StepKind::Automatic
                    || !step.opens_on.is_empty()
                    || !step.after.is_empty()
            }) =>
            {
                self.fault(
                    process.line,
                    FaultKind::Contradiction,
                    format!("{what}: nobody can start it"),
                    "let a person take the first step, without opens_on or after; or name starts_on",
                );
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn step(&self, process: &Process, step: &Step) {
        let what = format!("step {}.{}", process.id, step.id);
        self.condition(&step.when, step.line, &what);
        let others = step
            .with
            .iter()
            .chain(&step.notify)
            .chain(&step.addressee)
            .chain(&step.also)
            .chain(&step.decided_by)
            .chain(&step.consent_of)
            .chain(
                step.exceptions
                    .iter()
                    .filter_map(|exception| exception.by.as_ref()),
            );
        for role in others.chain([&step.role]) {
            self.role(role, step.line, &what);
        }
        for fact in &step.establishes {
            let declared = self
                .fact(fact)
                .is_some_and(|fact| fact.source == FactSource::Step);
            if !declared || SETTLED_FACTS.contains(&fact.as_str()) {
                self.fault(
                    step.line,
                    FaultKind::UnknownFact,
                    format!("{what}: {fact} is no fact that a step can establish"),
                    "declare it as a [[fact]] with from = \"step\"",
                );
            }
        }
        self.who_can_act(step, &what);
        self.outcomes(process, step, &what);
        self.limits(process, step, &what);
    }

    fn who_can_act(&self, step: &Step, what: &str) {
        if step.kind == StepKind::Automatic {
            let needs_a_person = step.action.outcomes().len() > 1
                || step.reason.is_some()
                || step.form.is_some()
                || !step.establishes.is_empty()
                || step.sets_due_of.is_some()
                || step
                    .deadline
                    .as_ref()
                    .is_some_and(|deadline| deadline.limit.word().is_none());
            if needs_a_person {
                self.fault(
                    step.line,
                    FaultKind::Contradiction,
                    format!("{what}: an automatic step can't choose, explain, fill in a form or have a limit"),
                    "leave kind out, so that a person takes it",
                );
            }
            return;
        }
        for id in step.takers().chain(&step.consent_of) {
            if let Some(role) = self.pack.role(id)
                && role.posts.is_empty()
                && step.kind != StepKind::Duty
            {
                self.fault(
                    step.line,
                    FaultKind::NobodyCanAct,
                    format!("{what}: nobody on the platform holds the role {id}"),
                    format!("give [[role]] {id} posts, or let another role record the step"),
                );
            }
        }
    }

    fn outcomes(&self, process: &Process, step: &Step, what: &str) {
        let possible = step.action.outcomes();
        for outcome in step
            .then
            .keys()
            .chain(&step.ends_on)
            .filter(|outcome| !possible.contains(outcome))
        {
            self.fault(
                step.line,
                FaultKind::Contradiction,
                format!("{what}: {} can't end as {outcome}", step.action),
                format!(
                    "it ends as {}",
                    possible
                        .iter()
                        .map(|outcome| outcome.code())
                        .collect::<Vec<_>>()
                        .join(" or ")
                ),
            );
        }
        let demanded = step.reason.as_ref().map(|reason| match reason.rule {
            ReasonRule::OnRefusal => Some(Outcome::Refused),
            ReasonRule::OnNonAcceptance => Some(Outcome::NotAccepted),
            ReasonRule::Always => None,
        });
        if let Some(Some(outcome)) = demanded
            && !possible.contains(&outcome)
        {
            self.fault(
                step.line,
                FaultKind::Contradiction,
                format!(
                    "{what}: a reason for {outcome}, but {} can't end so",
                    step.action
                ),
                "mend the reason or the action",
            );
        }
        if (step.repeats || !step.ends_on.is_empty()) && !process.standing {
            self.fault(
                step.line,
                FaultKind::Contradiction,
                format!("{what}: repeats and ends_on belong to standing processes"),
                "write standing = true at the process, or leave them out",
            );
        }
        if step.repeats && step.kind == StepKind::Automatic {
            self.fault(
                step.line,
                FaultKind::Contradiction,
                format!("{what}: an automatic step that repeats would never stop"),
                "leave repeats out",
            );
        }
    }

    fn limits(&self, process: &Process, step: &Step, what: &str) {
        if let Some(to) = step.deadline.as_ref().and_then(|deadline| deadline.to)
            && !step.possible_events().any(|event| event == to)
        {
            self.fault(
                step.line,
                FaultKind::Contradiction,
                format!("{what}: the limit runs to {to}, which the step doesn't bring about"),
                format!("add {to} to done_by, or mend to"),
            );
        }
        if let Some(consequence) = &step.on_overdue {
            let numbered = step
                .deadline
                .as_ref()
                .is_some_and(|deadline| deadline.limit.word().is_none());
            if !numbered {
                self.fault(
                    step.line,
                    FaultKind::Contradiction,
                    format!("{what}: on_overdue, but no limit that can pass"),
                    "add a deadline with a number or a date, or leave on_overdue out",
                );
            }
            self.follow_up(&consequence.follow_up, step.line, what);
        }
        if let Some(extension) = &step.extends {
            let extended = process.step(&extension.step);
            let countable = extended
                .and_then(|step| step.deadline.as_ref())
                .is_some_and(|deadline| matches!(deadline.limit, Limit::WorkingDays(_)));
            if !countable || extension.step == step.id {
                self.fault(
                    step.line,
                    FaultKind::UnknownStep,
                    format!(
                        "{what}: {} has no limit in working days to extend",
                        extension.step
                    ),
                    "name another step of the process that has one",
                );
            }
        }
        if let Some(other) = &step.sets_due_of {
            let set_in_order = process
                .step(other)
                .and_then(|step| step.deadline.as_ref())
                .is_some_and(|deadline| deadline.limit == Limit::Word(LimitWord::SetInOrder));
            if !set_in_order || *other == step.id {
                self.fault(
                    step.line,
                    FaultKind::UnknownStep,
                    format!("{what}: {other} has no limit that an order sets"),
                    "name another step of the process whose deadline is { word = \"set_in_order\", ... }",
                );
            }
        }
        let countable = step
            .deadline
            .as_ref()
            .is_some_and(|deadline| matches!(deadline.limit, Limit::WorkingDays(_)));
        if step.pause.is_some() && !countable {
            self.fault(
                step.line,
                FaultKind::Contradiction,
                format!("{what}: only a limit in working days can be paused"),
                "leave pause out",
            );
        }
    }

    fn follow_up(&self, follow_up: &FollowUp, line: u32, what: &str) {
        match follow_up {
            FollowUp::Case(process) if self.pack.process(process).is_none() => self.fault(
                line,
                FaultKind::UnknownStep,
                format!("{what}: on_overdue opens {process}, which is no process"),
                "name a process of this pack",
            ),
            FollowUp::Finding(code)
                if !self
                    .pack
                    .list("prohibited")
                    .is_some_and(|list| list.items.iter().any(|item| item.code == *code)) =>
            {
                self.fault(
                    line,
                    FaultKind::UnknownWord,
                    format!("{what}: finding {code} isn't in the list prohibited"),
                    "add it to the list, with its clause",
                );
            }
            FollowUp::Case(_) | FollowUp::Finding(_) => {}
        }
    }
}
