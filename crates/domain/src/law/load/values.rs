//! Values that occur in several parts of a pack: clauses, limits, conditions, words.

use std::collections::BTreeMap;

use jiff::civil::Date;
use toml::de::DeValue;

use super::fault::FaultKind;
use super::source::{Citation, Table, nearest};
use crate::law::deadline::Limit;
use crate::law::facts::{Condition, FactValue};
use crate::law::process::{Exception, Ground};
use crate::law::words::{ClauseId, LimitWord, RoleId};

/// The longest limit that is taken for meant, in working days or months.
const LIMIT_MAX: i64 = 366;

/// Stands in where a clause is missing or malformed.
const NO_CLAUSE: &str = "NONE-0";

/// The English name of what needs none, because packs that were taken into use long ago have only the Chinese `name`.
pub(super) fn english_name(table: &Table<'_>, name: &str) -> String {
    table.text_opt("name_en").unwrap_or(name).to_owned()
}

pub(super) fn grounds(table: &Table<'_>, key: &'static str) -> Vec<Ground> {
    table
        .tables(key)
        .into_iter()
        .map(|inner| {
            let name = inner.text("name");
            let ground = Ground {
                code: inner.text("code").to_owned(),
                name: name.to_owned(),
                name_en: english_name(&inner, name),
                clause: clause(&inner),
                line: inner.line(),
            };
            inner.finish();
            ground
        })
        .collect()
}

pub(super) fn exceptions(table: &Table<'_>, key: &'static str) -> Vec<Exception> {
    table
        .tables(key)
        .into_iter()
        .map(|inner| {
            let name = inner.text("name");
            let exception = Exception {
                code: inner.text("code").to_owned(),
                name: name.to_owned(),
                name_en: english_name(&inner, name),
                by: inner.has("by").then(|| id(&inner, "by", RoleId::parse)),
                clause: clause(&inner),
                line: inner.line(),
            };
            inner.finish();
            exception
        })
        .collect()
}

/// A limit in one of its forms: `working_days`, `months`, `years`, `month` with `day`, or `word`.
pub(super) fn limit(table: &Table<'_>) -> Option<Limit> {
    let annual = table.has("month") || table.has("day");
    let given = [
        table.has("working_days"),
        table.has("months"),
        table.has("years"),
        annual,
        table.has("word"),
    ];
    match given.iter().filter(|given| **given).count() {
        0 => {
            table.fault(
                "word",
                FaultKind::BadLimit,
                "no limit".to_owned(),
                "write one of working_days, months, years, month with day, word; where the regulation is silent, leave the whole deadline out",
            );
            return None;
        }
        1 => {}
        _ => {
            table.fault(
                "word",
                FaultKind::BadLimit,
                "more than one limit".to_owned(),
                "keep only one of them",
            );
            return None;
        }
    }
    if table.has("working_days") {
        count(table, "working_days").map(Limit::WorkingDays)
    } else if table.has("months") {
        count(table, "months").map(Limit::Months)
    } else if table.has("years") {
        count(table, "years").map(|years| Limit::Months(years * 12))
    } else if annual {
        annual_date(table)
    } else {
        word(table, "word", LimitWord::ALL, LimitWord::code).map(Limit::Word)
    }
}

/// A count of days, months or years: at least 1, and not beyond reason.
pub(super) fn count(table: &Table<'_>, key: &'static str) -> Option<u32> {
    let number = table.integer_opt(key)?;
    match u32::try_from(number) {
        Ok(count) if (1..=LIMIT_MAX).contains(&number) => Some(count),
        Ok(_) | Err(_) => {
            table.fault(
                key,
                FaultKind::BadLimit,
                format!("a limit of {number} {}", key.replace('_', " ")),
                format!("write a number from 1 to {LIMIT_MAX}; where the regulation is silent, leave the whole deadline out"),
            );
            None
        }
    }
}

fn annual_date(table: &Table<'_>) -> Option<Limit> {
    for key in ["month", "day"] {
        if !table.has(key) {
            table.missing(key);
        }
    }
    let month = i8::try_from(table.integer_opt("month")?).ok();
    let day = i8::try_from(table.integer_opt("day")?).ok();
    // A leap year, so that 29 February is a date.
    match (month, day) {
        (Some(month), Some(day)) if Date::new(2024, month, day).is_ok() => {
            Some(Limit::AnnualDate { month, day })
        }
        _ => {
            table.fault(
                "month",
                FaultKind::BadDate,
                "no date of the calendar".to_owned(),
                "month 1-12, day 1-31",
            );
            None
        }
    }
}

/// The condition under `key`; an absent one holds always.
pub(super) fn condition(table: &Table<'_>, key: &'static str) -> Condition {
    table
        .table_opt(key)
        .as_ref()
        .map(read_condition)
        .unwrap_or_default()
}

pub(super) fn read_condition(table: &Table<'_>) -> Condition {
    let mut asked = BTreeMap::new();
    for (key, line, value) in table.other_entries() {
        let values: Vec<FactValue> = match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| fact_value(table, key, item.get_ref(), line))
                .collect(),
            single @ (DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_)) => fact_value(table, key, single, line).into_iter().collect(),
        };
        asked.insert(key.to_owned(), values);
    }
    Condition(asked)
}

pub(super) fn fact_value(
    table: &Table<'_>,
    key: &str,
    value: &DeValue<'_>,
    line: u32,
) -> Option<FactValue> {
    match value {
        DeValue::Boolean(value) => Some(FactValue::Bool(*value)),
        DeValue::String(text) => Some(FactValue::Text(text.to_string())),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => {
            table.source().fault(
                line,
                FaultKind::WrongType,
                format!(
                    "{}: {key} is neither a text nor true or false",
                    table.what()
                ),
                "write true, false or a code in quotes",
            );
            None
        }
    }
}

pub(super) fn texts(table: &Table<'_>, key: &'static str) -> Vec<String> {
    table
        .texts(key)
        .into_iter()
        .map(|(text, _)| text.to_owned())
        .collect()
}

pub(super) fn roles(table: &Table<'_>, key: &'static str) -> Vec<RoleId> {
    table
        .texts(key)
        .into_iter()
        .filter_map(|(text, line)| {
            RoleId::parse(text)
                .inspect_err(|_| bad_id(table, key, text, line))
                .ok()
        })
        .collect()
}

fn bad_id(table: &Table<'_>, key: &str, text: &str, line: u32) {
    table.source().fault(
        line,
        FaultKind::BadId,
        format!("{}: {key} \"{text}\" isn't an identifier", table.what()),
        "use at most 64 of a-z, 0-9 and _ (packs: hyphens instead)",
    );
}

/// An identifier, or a stand-in after reporting what is wrong with it.
pub(super) fn id<T>(
    table: &Table<'_>,
    key: &'static str,
    parse: fn(&str) -> Result<T, crate::ids::InvalidId>,
) -> T {
    let text = table.text(key);
    parse(text).unwrap_or_else(|_| {
        if !text.is_empty() {
            bad_id(table, key, text, table.line_of(key));
        }
        parse(&format!("unnamed{}", table.line())).expect("letters and digits fit every identifier")
    })
}

/// The clause of a table, or a stand-in after reporting what is wrong with it.
pub(super) fn clause(table: &Table<'_>) -> ClauseId {
    let text = table.text("clause");
    if let Ok(clause) = ClauseId::parse(text) {
        table.source().cite(Citation {
            clause: clause.clone(),
            line: table.line_of("clause"),
            what: table.what().to_owned(),
        });
        return clause;
    }
    if !text.is_empty() {
        table.fault(
            "clause",
            FaultKind::BadId,
            format!("\"{text}\" is no clause id"),
            "write prefix, hyphen, article, for example XY-10.2b",
        );
    }
    no_clause()
}

pub(super) fn no_clause() -> ClauseId {
    ClauseId::parse(NO_CLAUSE).expect("the stand-in has the form of a clause")
}

/// One word of a vocabulary; `None` where the key is absent or the word unknown, which is reported.
pub(super) fn word<T: Copy>(
    table: &Table<'_>,
    key: &'static str,
    all: &[T],
    code: fn(T) -> &'static str,
) -> Option<T> {
    let text = table.text_opt(key)?;
    find_word(table, key, text, table.line_of(key), all, code)
}

pub(super) fn required_word<T: Copy>(
    table: &Table<'_>,
    key: &'static str,
    all: &[T],
    code: fn(T) -> &'static str,
    stand_in: T,
) -> T {
    if !table.has(key) {
        table.missing(key);
    }
    word(table, key, all, code).unwrap_or(stand_in)
}

pub(super) fn words_of<T: Copy>(
    table: &Table<'_>,
    key: &'static str,
    all: &[T],
    code: fn(T) -> &'static str,
) -> Vec<T> {
    table
        .texts(key)
        .into_iter()
        .filter_map(|(text, line)| find_word(table, key, text, line, all, code))
        .collect()
}

pub(super) fn find_word<T: Copy>(
    table: &Table<'_>,
    key: &str,
    text: &str,
    line: u32,
    all: &[T],
    code: fn(T) -> &'static str,
) -> Option<T> {
    let found = all.iter().copied().find(|word| code(*word) == text);
    if found.is_none() {
        let known: Vec<&str> = all.iter().map(|word| code(*word)).collect();
        let advice = match nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean {near}? Known: {}", known.join(", ")),
            None => format!("known: {}", known.join(", ")),
        };
        let kind = match key {
            "opens_on" | "done_by" | "then" | "from" | "to" | "starts_on" | "restart_on" => {
                FaultKind::UnknownEvent
            }
            _ => FaultKind::UnknownWord,
        };
        table.source().broken_reference(
            line,
            kind,
            format!("{}: {key} \"{text}\" is unknown", table.what()),
            advice,
        );
    }
    found
}
