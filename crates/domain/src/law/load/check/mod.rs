//! What can only be seen once the whole pack is read: references, doublets, contradictions.

mod deciders;
mod graph;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use super::fault::FaultKind;
use super::source::{Citation, Source, nearest};
use crate::law::facts::{Condition, FactValue};
use crate::law::pack::{FactRule, Pack, ShownBy};
use crate::law::words::{
    ClauseId, Event, FactSource, HeldBy, PLATFORM_FACTS, ProcessId, RoleId, SETTLED_FACTS,
};

pub(super) fn check(source: &Source, pack: &Pack) {
    let check = Check { source, pack };
    check.doublets();
    check.clauses();
    check.facts();
    check.roles();
    check.deciders();
    check.approvals();
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
                .map(|item| (item.code.as_str(), item.line)),
        );
        self.once(
            "exchange_mode",
            pack.exchange_modes
                .iter()
                .map(|item| (item.code.as_str(), item.line)),
        );
        self.once(
            "list",
            pack.lists.iter().map(|item| (item.id.as_str(), item.line)),
        );
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
                    format!(
                        "{noun} {id} is given twice, first in line {}",
                        self.source.place(first)
                    ),
                    "rename or remove one of them",
                );
            }
        }
    }

    fn clauses(&self) {
        let known: BTreeSet<&ClauseId> = self.pack.clauses.iter().map(|note| &note.id).collect();
        for Citation { clause, line, what } in self.source.citations() {
            if known.contains(&clause) {
                continue;
            }
            let near = nearest(clause.as_str(), known.iter().map(|known| known.as_str()));
            let advice = near.map_or_else(
                || format!("add \"{clause}\" = {{ place = \"...\", gist = \"...\" }} to [clauses]"),
                |near| format!("did you mean {near}? Otherwise add it to [clauses]"),
            );
            let what = format!("{what}: clause {clause} isn't listed");
            self.fault(line, FaultKind::UnknownClause, what, advice);
        }
        for note in &self.pack.clauses {
            let prefix = note
                .id
                .as_str()
                .split_once('-')
                .map_or("", |(prefix, _)| prefix);
            let inherited = self.source.inherited_prefixes();
            if prefix != self.pack.meta.prefix
                && !self.pack.meta.prefix.is_empty()
                && !inherited.iter().any(|known| known == prefix)
            {
                self.fault(
                    note.line,
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
            if let Some(shown_by) = &fact.shown_by {
                self.shown_by(fact, shown_by);
            }
            if fact.source == FactSource::Platform
                && fact.shown_by.is_none()
                && !PLATFORM_FACTS.contains(&fact.id.as_str())
            {
                self.fault(
                    fact.line,
                    FaultKind::UnknownFact,
                    format!("the platform can't tell the fact {}", fact.id),
                    format!(
                        "write shown_by = {{ process, event }} to have it told by earlier cases, or from = \"form\" \
                         to have it asked when filing; the platform itself knows {}",
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

    /// A case can show a fact only if there is such a case, and the event can happen in it.
    fn shown_by(&self, fact: &FactRule, shown_by: &ShownBy) {
        let what = format!("fact {}", fact.id);
        let yes_or_no = fact.values.contains(&FactValue::Bool(true));
        if fact.source != FactSource::Platform || !yes_or_no {
            self.fault(
                fact.line,
                FaultKind::Contradiction,
                format!("{what} is shown by a case, but isn't the platform's yes or no"),
                "write from = \"platform\" and leave values out, or leave shown_by out",
            );
        }
        self.event_of(&shown_by.process, shown_by.event, fact.line, &what);
    }

    /// Nothing may wait for an approval that can't come.
    fn approvals(&self) {
        for approval in &self.pack.approvals {
            let what = format!("approval before {}", approval.act);
            self.condition(&approval.when, approval.line, &what);
            self.event_of(&approval.process, approval.until, approval.line, &what);
        }
    }

    /// Whether a process of the pack can bring an event about.
    fn event_of(&self, process: &ProcessId, event: Event, line: u32, what: &str) {
        let Some(process) = self.pack.process(process) else {
            self.fault(
                line,
                FaultKind::UnknownStep,
                format!("{what} names {process}, which is no process"),
                "name a process of this pack",
            );
            return;
        };
        let mut steps = process.steps.iter();
        if !steps.any(|step| step.possible_events().any(|possible| possible == event)) {
            self.fault(
                line,
                FaultKind::UnknownEvent,
                format!("{what}: no step of {} brings about {event}", process.id),
                "name an event in done_by or then of one of its steps",
            );
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
        for receiver in &self.pack.received_by {
            let what = format!("received_by {}", receiver.what);
            self.role(&receiver.role, receiver.line, &what);
            let role = self.pack.role(&receiver.role);
            if role.is_some_and(|role| role.held_by != HeldBy::Bound) {
                self.fault(
                    receiver.line,
                    FaultKind::Contradiction,
                    format!("{what}: {} isn't bound to one department", receiver.role),
                    "name a role with held_by = \"bound\"",
                );
            }
        }
        for duty in &self.pack.periodic {
            self.role(&duty.role, duty.line, &format!("periodic {}", duty.id));
            for role in duty.addressee.iter().chain(&duty.with) {
                self.role(role, duty.line, &format!("periodic {}", duty.id));
            }
        }
        for list in &self.pack.lists {
            for item in &list.items {
                for role in &item.notify {
                    self.role(role, item.line, &format!("list {}: {}", list.id, item.code));
                }
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
}
