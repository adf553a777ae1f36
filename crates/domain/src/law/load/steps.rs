//! Processes and their steps.

use std::collections::BTreeMap;

use super::fault::FaultKind;
use super::source::Table;
use super::values::{
    clause, condition, count, english_name, exceptions, find_word, grounds, id, limit,
    required_word, roles, texts, word, words_of,
};
use crate::law::deadline::{Deadline, Limit, NotBefore};
use crate::law::process::{
    Consequence, Extension, FollowUp, FormPolicy, Process, ReasonPolicy, Step,
};
use crate::law::words::{
    Action, ClauseId, Event, Outcome, ProcessId, ReasonRule, RoleId, StepId, StepKind,
};

/// The length of a limit that couldn't be read.
const STAND_IN_DAYS: u32 = 1;

pub(super) fn read_process(mut table: Table<'_>) -> Process {
    let process_name = table.text("id").to_owned();
    table.rename(format!("process {process_name}"));
    let broken_before = table.source().broken_references();
    let steps: Vec<Step> = table
        .tables("step")
        .into_iter()
        .map(|step| read_step(step, &process_name))
        .collect();
    if !table.has("step") {
        table.fault(
            "step",
            FaultKind::MissingKey,
            "no step".to_owned(),
            "add at least one [[process.step]]",
        );
    }
    let topics = texts(&table, "topics");
    if topics.is_empty() {
        table.fault(
            "topics",
            FaultKind::MissingKey,
            "topics are missing".to_owned(),
            "name the topics it answers: topics = [\"...\"]",
        );
    }
    let process = Process {
        id: id(&table, "id", ProcessId::parse),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        topics,
        when: condition(&table, "when"),
        starts_on: word(&table, "starts_on", Event::ALL, Event::code),
        opened_by: roles(&table, "opened_by"),
        subjects: texts(&table, "subjects"),
        when_is_reading: table.flag("when_is_reading"),
        standing: table.flag("standing"),
        steps,
        clause: clause(&table),
        line: table.line(),
        references_hold: table.source().broken_references() == broken_before,
    };
    table.finish();
    process
}

fn read_step(mut table: Table<'_>, process: &str) -> Step {
    table.rename(format!("step {process}.{}", table.text("id")));
    let action = required_word(&table, "action", Action::ALL, Action::code, Action::File);
    let step = Step {
        id: id(&table, "id", StepId::parse),
        name: table.text("name").to_owned(),
        name_en: table.text("name_en").to_owned(),
        role: id(&table, "role", RoleId::parse),
        role_is_reading: table.flag("role_is_reading"),
        also: roles(&table, "also"),
        decided_by: table
            .has("decided_by")
            .then(|| id(&table, "decided_by", RoleId::parse)),
        action,
        kind: word(&table, "kind", StepKind::ALL, StepKind::code).unwrap_or(StepKind::Required),
        opens_on: words_of(&table, "opens_on", Event::ALL, Event::code),
        after: step_ids(&table, "after"),
        when: condition(&table, "when"),
        done_by: words_of(&table, "done_by", Event::ALL, Event::code),
        then: read_then(&table),
        establishes: texts(&table, "establishes"),
        deadline: table.table_opt("deadline").map(read_deadline),
        not_before: table.table_opt("not_before").and_then(read_not_before),
        reason: table.table_opt("reason").and_then(read_reason),
        form: table.table_opt("form").map(read_form),
        grounds: grounds(&table, "grounds"),
        exceptions: exceptions(&table, "exceptions"),
        fields: texts(&table, "fields"),
        consent_of: table
            .has("consent_of")
            .then(|| id(&table, "consent_of", RoleId::parse)),
        extends: table.table_opt("extends").and_then(read_extension),
        sets_due_of: table
            .has("sets_due_of")
            .then(|| id(&table, "sets_due_of", StepId::parse)),
        pause: table.table_opt("pause").map(read_pause),
        on_overdue: table.table_opt("on_overdue").and_then(read_consequence),
        repeats: table.flag("repeats"),
        ends_on: words_of(&table, "ends_on", Outcome::ALL, Outcome::code),
        with: roles(&table, "with"),
        notify: roles(&table, "notify"),
        addressee: table
            .has("addressee")
            .then(|| id(&table, "addressee", RoleId::parse)),
        target: table.text_opt("target").map(str::to_owned),
        gate: table.text_opt("gate").map(str::to_owned),
        clause: clause(&table),
        line: table.line(),
    };
    table.finish();
    step
}

fn step_ids(table: &Table<'_>, key: &'static str) -> Vec<StepId> {
    table
        .texts(key)
        .into_iter()
        .filter_map(|(text, _)| StepId::parse(text).ok())
        .collect()
}

fn read_then(table: &Table<'_>) -> BTreeMap<Outcome, Vec<Event>> {
    let Some(inner) = table.table_opt("then") else {
        return BTreeMap::new();
    };
    let mut then = BTreeMap::new();
    for outcome in Outcome::ALL {
        if inner.has(outcome.code()) {
            let events = inner
                .texts(outcome.code())
                .into_iter()
                .filter_map(|(text, line)| {
                    find_word(&inner, "then", text, line, Event::ALL, Event::code)
                })
                .collect();
            then.insert(*outcome, events);
        }
    }
    inner.finish();
    then
}

/// A limit that can't be read is stood in for by one day, so that what rests on it isn't reported too.
fn read_deadline(table: Table<'_>) -> Deadline {
    let limit = limit(&table);
    let from = word(&table, "from", Event::ALL, Event::code);
    if let Some(limit) = limit
        && limit.word().is_none()
        && !table.has("from")
    {
        table.fault(
            "from",
            FaultKind::MissingKey,
            "from is missing".to_owned(),
            "name the event whose day is day 0",
        );
    }
    let deadline = Deadline {
        limit: limit.unwrap_or(Limit::WorkingDays(STAND_IN_DAYS)),
        from,
        to: word(&table, "to", Event::ALL, Event::code),
        from_is_reading: table.flag("from_is_reading"),
        clause: clause(&table),
    };
    table.finish();
    deadline
}

fn read_not_before(table: Table<'_>) -> Option<NotBefore> {
    let limit = limit(&table);
    if limit.is_some_and(|limit| limit.word().is_some()) {
        table.fault(
            "word",
            FaultKind::BadLimit,
            "an earliest date needs a number".to_owned(),
            "write working_days or months",
        );
    }
    if !table.has("from") {
        table.missing("from");
    }
    let from = word(&table, "from", Event::ALL, Event::code);
    let restart_on = word(&table, "restart_on", Event::ALL, Event::code);
    let restart_is_reading = table.flag("restart_is_reading");
    let clause = clause(&table);
    table.finish();
    Some(NotBefore {
        limit: limit?,
        from: from?,
        restart_on,
        restart_is_reading,
        clause,
    })
}

fn read_reason(table: Table<'_>) -> Option<ReasonPolicy> {
    if !table.has("when") {
        table.missing("when");
    }
    let rule = word(&table, "when", ReasonRule::ALL, ReasonRule::code);
    let clause = clause(&table);
    table.finish();
    rule.map(|rule| ReasonPolicy { rule, clause })
}

fn read_form(table: Table<'_>) -> FormPolicy {
    let name = table.text("name");
    let form = FormPolicy {
        name: name.to_owned(),
        name_en: english_name(&table, name),
        seal_kinds: texts(&table, "seal_kinds"),
        written: table.flag("written"),
        seal_is_reading: table.flag("seal_is_reading"),
        clause: clause(&table),
    };
    table.finish();
    form
}

fn read_extension(table: Table<'_>) -> Option<Extension> {
    if !table.has("working_days_max") {
        table.missing("working_days_max");
    }
    let working_days_max = count(&table, "working_days_max");
    let extension = Extension {
        step: id(&table, "step", StepId::parse),
        working_days_max: working_days_max.unwrap_or(1),
        clause: clause(&table),
    };
    table.finish();
    working_days_max.map(|_| extension)
}

fn read_pause(table: Table<'_>) -> ClauseId {
    let clause = clause(&table);
    table.finish();
    clause
}

fn read_consequence(table: Table<'_>) -> Option<Consequence> {
    let opens = table
        .text_opt("opens")
        .and_then(|text| ProcessId::parse(text).ok())
        .map(FollowUp::Case);
    let finding = table
        .text_opt("finding")
        .map(|code| FollowUp::Finding(code.to_owned()));
    let follow_up = match (opens, finding) {
        (Some(follow_up), None) | (None, Some(follow_up)) => Some(follow_up),
        (None, None) | (Some(_), Some(_)) => {
            table.fault(
                "opens",
                FaultKind::Contradiction,
                "a consequence is either a process or a finding".to_owned(),
                "write either opens = \"process id\" or finding = \"code\"",
            );
            None
        }
    };
    let clause = clause(&table);
    table.finish();
    follow_up.map(|follow_up| Consequence { follow_up, clause })
}
