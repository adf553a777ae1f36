//! What can only be seen once the whole pack is read: references, doublets, contradictions.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::FaultKind;
use super::graph;
use super::parts::NO_CLAUSE;
use super::source::{Source, nearest};
use crate::law::deadline::Limit;
use crate::law::facts::{Condition, FactValue, Facts, Holds};
use crate::law::pack::{Decider, FactRule, Pack};
use crate::law::process::{FollowUp, Process, Step};
use crate::law::words::{
    ClauseId, Event, FactSource, HeldBy, Outcome, PLATFORM_FACTS, ReasonRule, RoleId,
    SETTLED_FACTS, StepKind,
};

/// So many combinations of facts are tried one by one to find rules that never apply.
const COMBINATIONS_MAX: usize = 20_000;

pub(super) fn check(source: &Source, pack: &Pack) {
    let check = Check { source, pack };
    check.doublets();
    check.clauses();
    check.facts();
    check.roles();
    check.deciders();
    for process in &pack.processes {
        check.process(process);
        for step in &process.steps {
            check.step(process, step);
        }
        if process.references_hold {
            graph::check(source, process);
        }
    }
    check.topics();
}

struct Check<'a> {
    source: &'a Source,
    pack: &'a Pack,
}

impl Check<'_> {
    fn fault(&self, line: u32, kind: FaultKind, what: String, advice: impl Into<String>) {
        self.source.fault(line, kind, what, advice);
    }

    fn doublets(&self) {
        let pack = self.pack;
        self.once(
            "process",
            pack.processes
                .iter()
                .map(|item| (item.id.as_str(), item.line)),
        );
        self.once(
            "role",
            pack.roles.iter().map(|item| (item.id.as_str(), item.line)),
        );
        self.once(
            "periodic",
            pack.periodic
                .iter()
                .map(|item| (item.id.as_str(), item.line)),
        );
        self.once(
            "fact",
            pack.facts
                .iter()
                .map(|item| (item.id.as_str(), item.line))
                .filter(|(_, line)| *line > 0),
        );
        self.once(
            "sharing_class",
            pack.sharing_classes
                .iter()
                .map(|item| (item.code.as_str(), 1)),
        );
        self.once(
            "exchange_mode",
            pack.exchange_modes
                .iter()
                .map(|item| (item.code.as_str(), 1)),
        );
        self.once("list", pack.lists.iter().map(|item| (item.id.as_str(), 1)));
        for process in &pack.processes {
            self.once(
                &format!("process {}: step", process.id),
                process
                    .steps
                    .iter()
                    .map(|step| (step.id.as_str(), step.line)),
            );
        }
    }

    fn once<'b>(&self, noun: &str, ids: impl Iterator<Item = (&'b str, u32)>) {
        let mut seen = BTreeMap::new();
        for (id, line) in ids {
            if let Some(first) = seen.insert(id, line) {
                self.fault(
                    line,
                    FaultKind::Duplicate,
                    format!("{noun} {id} is given twice, first in line {first}"),
                    "rename or remove one of them",
                );
            }
        }
    }

    fn clauses(&self) {
        let known: BTreeSet<&ClauseId> = self.pack.clauses.iter().map(|note| &note.id).collect();
        for (clause, line, what) in cited(self.pack) {
            if clause.as_str() == NO_CLAUSE || known.contains(clause) {
                continue;
            }
            let near = nearest(clause.as_str(), known.iter().map(|known| known.as_str()));
            let advice = near.map_or_else(
                || format!("add \"{clause}\" = {{ place = \"...\", gist = \"...\" }} to [clauses]"),
                |near| format!("did you mean {near}? Otherwise add it to [clauses]"),
            );
            self.fault(
                line,
                FaultKind::UnknownClause,
                format!("{what}: clause {clause} isn't listed"),
                advice,
            );
        }
        for note in &self.pack.clauses {
            let prefix = note
                .id
                .as_str()
                .split_once('-')
                .map_or("", |(prefix, _)| prefix);
            if prefix != self.pack.meta.prefix && !self.pack.meta.prefix.is_empty() {
                self.fault(
                    1,
                    FaultKind::UnknownClause,
                    format!("clause {} doesn't belong to this regulation", note.id),
                    format!("its clauses begin with {}-", self.pack.meta.prefix),
                );
            }
        }
    }

    fn facts(&self) {
        for fact in &self.pack.facts {
            if fact.line == 0 {
                continue;
            }
            if SETTLED_FACTS.contains(&fact.id.as_str()) {
                self.fault(
                    fact.line,
                    FaultKind::Contradiction,
                    format!("fact {} is settled by the engine", fact.id),
                    "remove it, or give your fact another name",
                );
            }
            if fact.source == FactSource::Platform && !PLATFORM_FACTS.contains(&fact.id.as_str()) {
                self.fault(
                    fact.line,
                    FaultKind::UnknownFact,
                    format!("the platform can't tell the fact {}", fact.id),
                    format!(
                        "write from = \"form\" to have it asked when filing; the platform knows {}",
                        PLATFORM_FACTS.join(", ")
                    ),
                );
            }
            for condition in &fact.implied_by {
                self.condition(condition, fact.line, &format!("fact {}", fact.id));
            }
        }
        if let Some(class) = self.fact("class") {
            self.codes_known(
                class,
                &self
                    .pack
                    .sharing_classes
                    .iter()
                    .map(|class| class.code.as_str())
                    .collect::<Vec<_>>(),
                "sharing_class",
            );
        }
    }

    fn codes_known(&self, fact: &FactRule, codes: &[&str], table: &str) {
        for value in &fact.values {
            let known = matches!(value, FactValue::Text(code) if codes.contains(&code.as_str()));
            if !known {
                self.fault(
                    fact.line,
                    FaultKind::UnknownFact,
                    format!("fact {}: {value} is no {table}", fact.id),
                    format!("add a [[{table}]], or use one of {}", codes.join(", ")),
                );
            }
        }
    }

    fn fact(&self, id: &str) -> Option<&FactRule> {
        self.pack.facts.iter().find(|fact| fact.id == id)
    }

    fn condition(&self, condition: &Condition, line: u32, what: &str) {
        for (name, values) in &condition.0 {
            let Some(fact) = self.fact(name) else {
                let near = nearest(name, self.pack.facts.iter().map(|fact| fact.id.as_str()));
                let advice = near.map_or("declare it as a [[fact]]".to_owned(), |near| {
                    format!("did you mean {near}? Otherwise declare it as a [[fact]]")
                });
                self.fault(
                    line,
                    FaultKind::UnknownFact,
                    format!("{what}: nobody declares the fact {name}"),
                    advice,
                );
                continue;
            };
            if values.is_empty() {
                self.fault(
                    line,
                    FaultKind::UnknownFact,
                    format!("{what}: {name} has no value"),
                    "name at least one value",
                );
            }
            for value in values.iter().filter(|value| !fact.values.contains(value)) {
                let known: Vec<String> = fact.values.iter().map(ToString::to_string).collect();
                self.fault(
                    line,
                    FaultKind::UnknownFact,
                    format!("{what}: {name} is never {value}"),
                    format!("it can be {}", known.join(", ")),
                );
            }
        }
    }

    fn roles(&self) {
        for role in &self.pack.roles {
            let named = role.body.is_some();
            if named && role.held_by != HeldBy::Bound {
                self.fault(
                    role.line,
                    FaultKind::Contradiction,
                    format!("role {} names a body but isn't bound to one", role.id),
                    "write held_by = \"bound\" or leave body out",
                );
            }
        }
        for duty in &self.pack.periodic {
            self.role(&duty.role, duty.line, &format!("periodic {}", duty.id));
            if let Some(addressee) = &duty.addressee {
                self.role(addressee, duty.line, &format!("periodic {}", duty.id));
            }
        }
    }

    fn role(&self, id: &RoleId, line: u32, what: &str) {
        if id.as_str().starts_with("unnamed") || self.pack.role(id).is_some() {
            return;
        }
        let known: Vec<&str> = self
            .pack
            .roles
            .iter()
            .map(|role| role.id.as_str())
            .collect();
        let advice = nearest(id.as_str(), known.iter().copied()).map_or_else(
            || "declare it as a [[role]]".to_owned(),
            |near| format!("did you mean {near}? Otherwise declare it as a [[role]]"),
        );
        self.fault(
            line,
            FaultKind::UnknownRole,
            format!("{what}: unknown role {id}"),
            advice,
        );
    }

    fn deciders(&self) {
        let deciders = &self.pack.deciders;
        for decider in deciders {
            self.condition(&decider.when, decider.line, "decider");
            for role in &decider.notify {
                self.role(role, decider.line, "decider");
            }
        }
        for (at, first) in deciders.iter().enumerate() {
            for second in &deciders[at + 1..] {
                self.decider_pair(first, second);
            }
        }
        self.deciders_that_never_win();
    }

    fn decider_pair(&self, first: &Decider, second: &Decider) {
        let same = first.when == second.when;
        let narrower_first = first.when.is_within(&second.when) && !same;
        if first.decides == second.decides
            || first.prevails
            || narrower_first
            || !first.when.overlaps(&second.when)
        {
            return;
        }
        self.fault(
            second.line,
            FaultKind::OverlappingDeciders,
            format!(
                "two deciders apply to the same case: {} (line {}) says {}, {} says {}",
                first.when.in_words(),
                first.line,
                first.decides,
                second.when.in_words(),
                second.decides
            ),
            "narrow one of them, put the narrower one first, or mark the one that goes first with prevails = true",
        );
    }

    /// Tries every combination of the facts that deciders ask about.
    fn deciders_that_never_win(&self) {
        let deciders = &self.pack.deciders;
        let asked: BTreeSet<&str> = deciders
            .iter()
            .flat_map(|decider| decider.when.facts())
            .collect();
        let mut combinations: Vec<Facts> = vec![Facts::new()];
        for name in asked {
            let Some(fact) = self.fact(name) else { return };
            if combinations.len() * fact.values.len() > COMBINATIONS_MAX {
                return;
            }
            combinations = combinations
                .iter()
                .flat_map(|facts| {
                    fact.values.iter().map(move |value| {
                        let mut facts = facts.clone();
                        facts.insert(fact.id.clone(), value.clone());
                        facts
                    })
                })
                .collect();
        }
        let winners: BTreeSet<usize> = combinations
            .iter()
            .filter_map(|facts| {
                deciders
                    .iter()
                    .position(|decider| decider.when.holds(facts) == Holds::Yes)
            })
            .collect();
        for (at, decider) in deciders.iter().enumerate() {
            if !winners.contains(&at) {
                self.fault(
                    decider.line,
                    FaultKind::NeverWins,
                    format!(
                        "the decider for {} never applies: earlier ones cover all its cases",
                        decider.when.in_words()
                    ),
                    "move it up or remove it",
                );
            }
        }
    }

    fn topics(&self) {
        let processes = &self.pack.processes;
        for (at, first) in processes.iter().enumerate() {
            for second in &processes[at + 1..] {
                let shared = first
                    .topics
                    .iter()
                    .find(|topic| second.topics.contains(topic));
                if let Some(topic) = shared
                    && first.when.overlaps(&second.when)
                {
                    self.fault(
                        second.line,
                        FaultKind::OverlappingProcesses,
                        format!(
                            "processes {} and {} both answer the topic {topic}",
                            first.id, second.id
                        ),
                        "tell them apart by when",
                    );
                }
            }
        }
    }

    fn process(&self, process: &Process) {
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

    fn step(&self, process: &Process, step: &Step) {
        let what = format!("step {}.{}", process.id, step.id);
        self.condition(&step.when, step.line, &what);
        let others = step
            .with
            .iter()
            .chain(&step.notify)
            .chain(&step.addressee)
            .chain(&step.consent_of);
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
        for id in [Some(&step.role), step.consent_of.as_ref()]
            .into_iter()
            .flatten()
        {
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

/// Every clause that the pack cites, with the line and the thing that cites it.
fn cited(pack: &Pack) -> Vec<(&ClauseId, u32, String)> {
    let meta = &pack.meta;
    let mut cited = vec![
        (&meta.clause, 1, "pack".to_owned()),
        (&meta.jurisdiction.clause, 1, "jurisdiction".to_owned()),
    ];
    cited.extend(
        meta.validity_clause
            .iter()
            .map(|clause| (clause, 1, "validity".to_owned())),
    );
    cited.extend(
        meta.forwarded
            .iter()
            .map(|item| (&item.clause, 1, "forwarded".to_owned())),
    );
    cited.extend(
        pack.roles
            .iter()
            .map(|item| (&item.clause, item.line, format!("role {}", item.id))),
    );
    cited.extend(
        pack.sharing_classes
            .iter()
            .map(|item| (&item.clause, 1, format!("sharing_class {}", item.code))),
    );
    cited.extend(
        pack.exchange_modes
            .iter()
            .map(|item| (&item.clause, 1, format!("exchange_mode {}", item.code))),
    );
    cited.extend(
        pack.deciders
            .iter()
            .map(|item| (&item.clause, item.line, "decider".to_owned())),
    );
    cited.extend(
        pack.barred_grounds
            .iter()
            .map(|item| (&item.clause, 1, format!("barred_ground {}", item.code))),
    );
    for list in &pack.lists {
        let items = list.items.iter().map(|item| &item.clause);
        cited.extend(
            std::iter::once(&list.clause)
                .chain(items)
                .map(|clause| (clause, 1, format!("list {}", list.id))),
        );
    }
    for duty in &pack.periodic {
        cited.extend(
            [&duty.clause, &duty.due_clause]
                .map(|clause| (clause, duty.line, format!("periodic {}", duty.id))),
        );
    }
    for process in &pack.processes {
        cited.push((
            &process.clause,
            process.line,
            format!("process {}", process.id),
        ));
        for step in &process.steps {
            let what = format!("step {}.{}", process.id, step.id);
            cited.extend(cited_by_step(step).map(|clause| (clause, step.line, what.clone())));
        }
    }
    cited.dedup();
    cited
}

fn cited_by_step(step: &Step) -> impl Iterator<Item = &ClauseId> {
    std::iter::once(&step.clause)
        .chain(step.deadline.iter().map(|part| &part.clause))
        .chain(step.not_before.iter().map(|part| &part.clause))
        .chain(step.reason.iter().map(|part| &part.clause))
        .chain(step.form.iter().map(|part| &part.clause))
        .chain(step.extends.iter().map(|part| &part.clause))
        .chain(step.on_overdue.iter().map(|part| &part.clause))
        .chain(&step.pause)
        .chain(
            step.grounds
                .iter()
                .chain(&step.exceptions)
                .map(|ground| &ground.clause),
        )
}

/// The events that may be named in a process: those its steps bring about and those from outside.
pub(super) fn known_events(process: &Process) -> BTreeSet<Event> {
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
