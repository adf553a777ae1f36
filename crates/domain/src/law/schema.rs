//! The JSON schema of pack files, for editors: what keys there are, and the words they take.
//!
//! The loader is the judge; the schema only helps while writing. Its words come from [`super::words`],
//! and a test holds its keys against those that the loader knows. A child says only what it changes,
//! so little is required.

use serde_json::{Map, Value, json};

use super::words::{
    Action, BarredAct, DecidedBy, Event, FactSource, HandedIn, HeldBy, LimitWord, Outcome,
    ReasonRule, StepKind,
};
use crate::access::Role;

/// The schema, draft 2020-12.
#[must_use]
pub fn pack_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tongqu rule pack",
        "description": "One regulation as data; see README.md beside it.",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "pack"],
        "properties": {
            "schema": { "const": 1, "description": "The version of this form." },
            "pack": pack(),
            "clauses": {
                "type": "object",
                "description": "Each clause that is cited: its place in the regulation and, in our words, what it says.",
                "additionalProperties": object(&["place", "gist"], vec![("place", text()), ("gist", text())]),
            },
            "role": entries(role()),
            "fact": entries(fact()),
            "sharing_class": entries(sharing_class()),
            "exchange_mode": entries(exchange_mode()),
            "decider": many(decider()),
            "approval": many(approval()),
            "barred_ground": many(ground()),
            "received_by": received_by(),
            "process": entries(process()),
            "periodic": entries(periodic()),
            "list": entries(list()),
        },
        "$defs": {
            "action": words(Action::ALL, Action::code),
            "barred_act": words(BarredAct::ALL, BarredAct::code),
            "decided_by": words(DecidedBy::ALL, DecidedBy::code),
            "event": words(Event::ALL, Event::code),
            "fact_source": words(FactSource::ALL, FactSource::code),
            "held_by": words(HeldBy::ALL, HeldBy::code),
            "limit_word": words(LimitWord::ALL, LimitWord::code),
            "outcome": words(Outcome::ALL, Outcome::code),
            "post": words(Role::ALL, Role::code),
            "reason_rule": words(ReasonRule::ALL, ReasonRule::code),
            "step_kind": words(StepKind::ALL, StepKind::code),
        },
    })
}

fn pack() -> Value {
    let jurisdiction = object(
        &["name", "level", "clause"],
        vec![
            ("name", text()),
            ("level", text()),
            ("division", said("GB/T 2260 code.")),
            ("clause", clause()),
        ],
    );
    let validity = object(
        &["clause"],
        vec![
            ("first_day", date()),
            ("last_day", date()),
            ("last_day_is_reading", flag()),
            ("note", text()),
            ("clause", clause()),
        ],
    );
    let forwarded = object(
        &["jurisdiction", "by", "number", "date", "clause"],
        vec![
            ("jurisdiction", text()),
            ("division", said("GB/T 2260 code.")),
            ("by", text()),
            ("number", text()),
            ("date", date()),
            ("clause", clause()),
        ],
    );
    object(
        &["id"],
        vec![
            ("id", text()),
            ("inherits", said("The pack that all else comes from.")),
            ("prefix", said("What heads the ids of its clauses.")),
            ("title", text()),
            ("title_en", text()),
            ("issuer", text()),
            ("number", text()),
            ("issued_year", json!({ "type": "integer" })),
            ("template", flag()),
            (
                "successor",
                said("The pack for the time after the last day."),
            ),
            ("jurisdiction", jurisdiction),
            ("validity", validity),
            ("forwarded", many(forwarded)),
            ("clause", clause()),
        ],
    )
}

fn role() -> Vec<(&'static str, Value)> {
    vec![
        ("held_by", word("held_by")),
        ("body", text()),
        ("posts", one_or_many(word("post"))),
        ("clause", clause()),
    ]
}

fn fact() -> Vec<(&'static str, Value)> {
    vec![
        ("from", word("fact_source")),
        ("values", one_or_many(text())),
        ("default", fact_value()),
        ("implied_by", many(condition())),
        (
            "shown_by",
            describe(
                object(
                    &["process", "event"],
                    vec![("process", text()), ("event", event())],
                ),
                "The case between the same departments that shows it.",
            ),
        ),
    ]
}

fn sharing_class() -> Vec<(&'static str, Value)> {
    vec![
        ("needs_condition", flag()),
        ("needs_legal_basis", flag()),
        ("needs_recipients", flag()),
        ("is_reading", flag()),
        ("clause", clause()),
    ]
}

fn exchange_mode() -> Vec<(&'static str, Value)> {
    vec![
        ("via", text()),
        ("is_reading", flag()),
        ("clause", clause()),
    ]
}

fn decider() -> Value {
    object(
        &["decides", "clause"],
        vec![
            ("when", condition()),
            ("decides", word("decided_by")),
            (
                "prevails",
                describe(flag(), "It goes before later rules that it overlaps with."),
            ),
            ("is_reading", flag()),
            ("notify", one_or_many(text())),
            ("clause", clause()),
        ],
    )
}

fn approval() -> Value {
    object(
        &["act", "process", "until", "clause"],
        vec![
            ("act", word("barred_act")),
            ("when", condition()),
            ("process", text()),
            (
                "until",
                describe(event(), "The event of that process which is the approval."),
            ),
            ("clause", clause()),
        ],
    )
}

fn exception() -> Value {
    object(
        &["code"],
        vec![
            ("code", text()),
            ("name", text()),
            ("name_en", text()),
            (
                "by",
                said("The role that claims it; otherwise whoever would take the step."),
            ),
            ("clause", clause()),
        ],
    )
}

fn ground() -> Value {
    object(
        &["code"],
        vec![
            ("code", text()),
            ("name", text()),
            ("name_en", text()),
            ("clause", clause()),
        ],
    )
}

fn received_by() -> Value {
    let receiver = || {
        object(
            &["role", "clause"],
            vec![("role", text()), ("clause", clause())],
        )
    };
    let all = HandedIn::ALL.iter().map(|what| (what.code(), receiver()));
    describe(
        object(&[], all.collect()),
        "Whose desk the lists of the departments reach: a bound role each.",
    )
}

fn process() -> Vec<(&'static str, Value)> {
    vec![
        ("topics", one_or_many(text())),
        ("when", condition()),
        ("when_is_reading", flag()),
        ("starts_on", event()),
        ("opened_by", one_or_many(text())),
        ("subjects", one_or_many(text())),
        ("standing", flag()),
        ("clause", clause()),
        ("step", entries(step())),
    ]
}

fn step() -> Vec<(&'static str, Value)> {
    let outcome = || word("outcome");
    let then = Outcome::ALL
        .iter()
        .map(|outcome| (outcome.code(), one_or_many(event())))
        .collect();
    let reason = object(
        &["when", "clause"],
        vec![("when", word("reason_rule")), ("clause", clause())],
    );
    let form = object(
        &["name", "clause"],
        vec![
            ("name", text()),
            ("name_en", text()),
            ("seal_kinds", one_or_many(text())),
            ("seal_is_reading", flag()),
            ("written", flag()),
            ("clause", clause()),
        ],
    );
    let extends = object(
        &["step", "working_days_max", "clause"],
        vec![
            ("step", text()),
            ("working_days_max", count()),
            ("clause", clause()),
        ],
    );
    let on_overdue = object(
        &["clause"],
        vec![("opens", text()), ("finding", text()), ("clause", clause())],
    );
    vec![
        ("role", text()),
        ("role_is_reading", flag()),
        ("also", one_or_many(text())),
        ("decided_by", text()),
        ("action", word("action")),
        ("kind", word("step_kind")),
        ("opens_on", one_or_many(event())),
        ("after", one_or_many(text())),
        ("when", condition()),
        ("done_by", one_or_many(event())),
        ("then", object(&[], then)),
        ("establishes", one_or_many(text())),
        ("deadline", deadline()),
        ("sets_due_of", text()),
        ("not_before", not_before()),
        ("reason", reason),
        ("form", form),
        ("grounds", many(ground())),
        ("exceptions", many(exception())),
        ("fields", one_or_many(text())),
        ("consent_of", text()),
        ("extends", extends),
        ("pause", object(&["clause"], vec![("clause", clause())])),
        ("on_overdue", on_overdue),
        ("repeats", flag()),
        ("ends_on", one_or_many(outcome())),
        ("with", one_or_many(text())),
        ("notify", one_or_many(text())),
        ("addressee", text()),
        ("target", text()),
        ("gate", text()),
        ("clause", clause()),
    ]
}

fn deadline() -> Value {
    let mut keys = limit();
    keys.extend([
        ("from", event()),
        ("to", event()),
        ("from_is_reading", flag()),
        ("clause", clause()),
    ]);
    object(&["clause"], keys)
}

fn not_before() -> Value {
    let mut keys = limit();
    keys.extend([
        ("from", event()),
        ("restart_on", event()),
        ("restart_is_reading", flag()),
        ("clause", clause()),
    ]);
    object(&["clause"], keys)
}

fn periodic() -> Vec<(&'static str, Value)> {
    let mut due = limit();
    due.extend([
        ("is_reading", flag()),
        ("note", text()),
        ("clause", clause()),
    ]);
    vec![
        ("role", text()),
        ("with", one_or_many(text())),
        ("addressee", text()),
        ("covers", one_or_many(text())),
        ("published_on", text()),
        ("due", object(&["clause"], due)),
        ("clause", clause()),
    ]
}

fn list() -> Vec<(&'static str, Value)> {
    let mut item = object(
        &["code"],
        vec![
            ("code", text()),
            ("name", text()),
            ("name_en", text()),
            ("clause", clause()),
        ],
    );
    // What else a regulation says about an entry, by any name.
    item["additionalProperties"] =
        json!({ "anyOf": [flag(), one_or_many(text()), { "type": "integer" }] });
    vec![
        ("open_ended", flag()),
        ("items", many(item)),
        ("clause", clause()),
    ]
}

/// One of these, as the loader checks.
fn limit() -> Vec<(&'static str, Value)> {
    vec![
        ("working_days", count()),
        ("months", count()),
        ("years", count()),
        (
            "month",
            json!({ "type": "integer", "minimum": 1, "maximum": 12 }),
        ),
        (
            "day",
            json!({ "type": "integer", "minimum": 1, "maximum": 31 }),
        ),
        ("word", word("limit_word")),
    ]
}

/// A list of tables that are told apart by `id` or `code` and have names; a child may take one out.
fn entries(keys: Vec<(&'static str, Value)>) -> Value {
    let named = keys
        .iter()
        .any(|(key, _)| matches!(*key, "needs_condition" | "via"));
    let id = if named { "code" } else { "id" };
    let mut all = vec![(id, text()), ("name", text()), ("name_en", text())];
    all.extend(keys);
    all.push((
        "drop",
        describe(
            json!({ "const": true }),
            "Takes the parent's entry out; only in a pack that inherits.",
        ),
    ));
    all.push((
        "without",
        describe(
            json!({ "type": "array", "items": text() }),
            "Keys that aren't taken over from the parent; only in a pack that inherits.",
        ),
    ));
    many(object(&[id], all))
}

fn object(required: &[&str], keys: Vec<(&'static str, Value)>) -> Value {
    let properties: Map<String, Value> = keys
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn many(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn one_or_many(of: Value) -> Value {
    json!({ "anyOf": [of.clone(), { "type": "array", "items": of }] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn said(description: &str) -> Value {
    describe(text(), description)
}

fn describe(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

fn clause() -> Value {
    said("The clause it rests on, for example XY-10.2b.")
}

fn date() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn fact_value() -> Value {
    json!({ "anyOf": [flag(), text()] })
}

fn condition() -> Value {
    json!({ "type": "object", "additionalProperties": one_or_many(fact_value()) })
}

fn event() -> Value {
    word("event")
}

/// One of the words in `$defs`.
fn word(kind: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{kind}") })
}

fn words<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> Value {
    let codes: Vec<&str> = all.iter().map(|word| code(*word)).collect();
    json!({ "enum": codes })
}
