//! The schema for editors: fresh, in the words and keys of the loader, and fit for all built-in packs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::super::schema::pack_schema;
use super::super::words::{BarredAct, FactSource, ReasonRule};
use super::*;
use crate::access::Role;

static SCHEMA: LazyLock<Value> = LazyLock::new(pack_schema);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../regulations")
}

#[test]
fn the_file_beside_the_packs_is_the_schema() {
    let file = std::fs::read_to_string(folder().join("pack.schema.json")).unwrap();
    let found: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(found, pack_schema(), "run `cargo xtask gen`");
}

/// What doesn't fit, each with its place. Keywords that aren't understood are a fault, too.
fn misfits(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let members = schema.as_object().unwrap();
    for (keyword, rule) in members {
        let fits = match keyword.as_str() {
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                other => panic!("type {other}"),
            },
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                let defined = &SCHEMA["$defs"][name];
                assert!(defined.is_object(), "{name} isn't defined");
                misfits(defined, value, place).is_empty()
            }
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|one| misfits(one, value, place).is_empty()),
            "minimum" => value.as_i64() >= rule.as_i64(),
            "maximum" => value.as_i64() <= rule.as_i64(),
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(misfits(rule, item, &format!("{place}[{at}]")));
                }
                true
            }
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            // Looked at below, or only for people.
            "properties"
            | "additionalProperties"
            | "description"
            | "title"
            | "$schema"
            | "$defs"
            | "format" => true,
            other => panic!("keyword {other}"),
        };
        if !fits {
            found.push(format!("{place}: {keyword} {rule}, not {value}"));
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{key}");
        match (
            members.get("properties").and_then(|p| p.get(key)),
            members.get("additionalProperties"),
        ) {
            (Some(rule), _) => found.extend(misfits(rule, inner, &place)),
            (None, Some(Value::Bool(false))) => found.push(format!("{place}: unknown key")),
            (None, Some(rule)) if rule.is_object() => found.extend(misfits(rule, inner, &place)),
            (None, Some(_) | None) => {}
        }
    }
    found
}

fn json_of(text: &str) -> Value {
    fn convert(value: toml::Value) -> Value {
        match value {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(flag) => flag.into(),
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(items) => items.into_iter().map(convert).collect(),
            toml::Value::Table(table) => {
                let table = table.into_iter().map(|(key, value)| (key, convert(value)));
                Value::Object(table.collect())
            }
        }
    }
    convert(toml::Value::Table(text.parse().unwrap()))
}

#[test]
fn every_built_in_pack_fits() {
    let schema = pack_schema();
    let mut packs = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("\n[pack]") {
            continue;
        }
        let found = misfits(&schema, &json_of(&text), "");
        assert!(found.is_empty(), "{}: {found:#?}", path.display());
        packs += 1;
    }
    assert!(packs > 0);
    assert_eq!(
        misfits(&schema, &json_of(INVENTED), ""),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_wrong_does_not_fit() {
    let schema = pack_schema();
    for (find, replace, place) in [
        ("action = \"urge\"", "action = \"urg\"", ".action"),
        (
            "action = \"urge\"",
            "action = \"urge\"\ndeadlin = 1",
            ".deadlin: unknown key",
        ),
        ("schema = 1", "schema = 2", ".schema"),
        ("held_by = \"provider\"", "held_by = 1", ".held_by"),
    ] {
        assert!(INVENTED.contains(find), "{find}");
        let found = misfits(&schema, &json_of(&INVENTED.replacen(find, replace, 1)), "");
        assert!(
            found.iter().any(|line| line.contains(place)),
            "{place}: {found:?}"
        );
    }
}

/// Every enumeration of the schema, wherever it stands.
fn enums(schema: &Value, found: &mut BTreeSet<Vec<String>>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(codes)) = members.get("enum") {
                found.insert(
                    codes
                        .iter()
                        .map(|code| code.as_str().unwrap().to_owned())
                        .collect(),
                );
            }
            members.values().for_each(|member| enums(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| enums(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn its_words_are_those_of_the_engine() {
    fn codes<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> Vec<String> {
        all.iter().map(|word| code(*word).to_owned()).collect()
    }
    let mut found = BTreeSet::new();
    let file = std::fs::read_to_string(folder().join("pack.schema.json")).unwrap();
    enums(&serde_json::from_str(&file).unwrap(), &mut found);
    let expected = BTreeSet::from([
        codes(Event::ALL, Event::code),
        codes(Action::ALL, Action::code),
        codes(BarredAct::ALL, BarredAct::code),
        codes(Outcome::ALL, Outcome::code),
        codes(LimitWord::ALL, LimitWord::code),
        codes(DecidedBy::ALL, DecidedBy::code),
        codes(ReasonRule::ALL, ReasonRule::code),
        codes(StepKind::ALL, StepKind::code),
        codes(HeldBy::ALL, HeldBy::code),
        codes(FactSource::ALL, FactSource::code),
        codes(Role::ALL, Role::code),
    ]);
    assert_eq!(found, expected);
}

/// The keys that the loader knows in each table, which it names when it meets one that it doesn't.
fn keys_of_the_loader() -> BTreeMap<&'static str, BTreeSet<String>> {
    const STRANGE: &str = "zzzzzzzzzzzz = 1";
    let tables = [
        ("pack", "[pack]"),
        ("forwarded", "[[pack.forwarded]]"),
        ("jurisdiction", "[pack.jurisdiction]"),
        ("validity", "[pack.validity]"),
        ("role", "[[role]]"),
        ("fact", "[[fact]]"),
        ("shown_by", "[fact.shown_by]"),
        ("sharing_class", "[[sharing_class]]"),
        ("exchange_mode", "[[exchange_mode]]"),
        ("decider", "[[decider]]"),
        ("approval", "[[approval]]"),
        ("barred_ground", "[[barred_ground]]"),
        ("received_by", "[received_by]"),
        ("demands", "[received_by.demands]"),
        ("process", "[[process]]"),
        ("step", "[[process.step]]"),
        ("deadline", "[process.step.deadline]"),
        ("not_before", "[process.step.not_before]"),
        ("reason", "[process.step.reason]"),
        ("form", "[process.step.form]"),
        ("extends", "[process.step.extends]"),
        ("pause", "[process.step.pause]"),
        ("on_overdue", "[process.step.on_overdue]"),
        ("then", "[process.step.then]"),
        ("grounds", "[[process.step.grounds]]"),
        ("exceptions", "[[process.step.exceptions]]"),
        ("periodic", "[[periodic]]"),
        ("due", "[periodic.due]"),
        ("list", "[[list]]"),
    ];
    let mut text = "schema = 1\n".to_owned();
    let mut lines = BTreeMap::new();
    for (name, heading) in tables {
        // A limit that is there lets the loader look at all the forms it might have.
        let more = if ["deadline", "not_before", "due"].contains(&name) {
            "\nmonth = 1\nday = 1"
        } else {
            ""
        };
        writeln!(text, "{heading}{more}\n{STRANGE}").unwrap();
        lines.insert(text.lines().count(), name);
    }
    let faults = Pack::load(&text, "strange.toml").unwrap_err();
    let mut known = BTreeMap::new();
    for fault in &faults.faults {
        let line = usize::try_from(fault.line).unwrap();
        if let (Some(name), Some((_, keys))) =
            (lines.get(&line), fault.advice.split_once("known here: "))
            && fault.code() == "law.unknown_key"
        {
            known.insert(*name, keys.split(", ").map(str::to_owned).collect());
        }
    }
    assert_eq!(known.len(), lines.len(), "{faults}");
    known
}

#[test]
fn its_keys_are_those_of_the_loader() {
    let schema = pack_schema();
    let at = |path: &[&str]| {
        let mut found = &schema;
        for key in path {
            found = &found["properties"][key];
            if found["type"] == json!("array") {
                found = &found["items"];
            }
        }
        let properties = found["properties"].as_object().unwrap();
        properties
            .keys()
            .filter(|key| !["drop", "without"].contains(&key.as_str()))
            .cloned()
            .collect::<BTreeSet<String>>()
    };
    for (name, keys) in keys_of_the_loader() {
        let path: Vec<&str> = match name {
            "forwarded" | "jurisdiction" | "validity" => vec!["pack", name],
            "step" => vec!["process", "step"],
            "deadline" | "not_before" | "reason" | "form" | "extends" | "pause" | "on_overdue"
            | "then" | "grounds" | "exceptions" => vec!["process", "step", name],
            "demands" => vec!["received_by", name],
            "due" => vec!["periodic", "due"],
            "shown_by" => vec!["fact", "shown_by"],
            other => vec![other],
        };
        assert_eq!(at(&path), keys, "{name}");
    }
}
