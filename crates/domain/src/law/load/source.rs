//! Reading TOML with line numbers, collecting faults instead of stopping at the first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Part;
use super::fault::{FaultKind, PackFault};
use crate::law::words::ClauseId;

/// What is under examination: one file, or a child with the files it inherits from one after the other.
/// Offsets and lines run through all of them; only the faults name file and line apart.
pub(super) struct Source {
    line_starts: Vec<usize>,
    /// The name of each file and the line before its first.
    files: Vec<(String, u32)>,
    /// The prefixes of the clauses that come from parents.
    inherited_prefixes: Vec<String>,
    faults: RefCell<Vec<PackFault>>,
    /// Rises when a reference can't be resolved, so that later checks built on references hold back.
    broken_references: Cell<u32>,
    citations: RefCell<Vec<Citation>>,
}

/// A clause as some value cites it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Citation {
    pub clause: ClauseId,
    pub line: u32,
    /// What cites it.
    pub what: String,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self::of(&[Part { name, text }], text)
    }

    /// `joined` is the text of all parts, one after the other with [`super::SEPARATOR`] between them.
    pub(super) fn of(parts: &[Part<'_>], joined: &str) -> Self {
        let mut files = Vec::new();
        let mut lines_before = 0;
        for part in parts {
            files.push((part.name.to_owned(), lines_before));
            let breaks = part.text.matches('\n').count() + super::SEPARATOR.matches('\n').count();
            lines_before += u32::try_from(breaks).unwrap_or(u32::MAX);
        }
        let inherited_prefixes = parts
            .iter()
            .skip(1)
            .filter_map(|part| super::files::said(part.text, "prefix"))
            .map(|(prefix, _)| prefix)
            .collect();
        let text = joined;
        let line_starts = std::iter::once(0)
            .chain(
                text.bytes()
                    .enumerate()
                    .filter(|(_, byte)| *byte == b'\n')
                    .map(|(at, _)| at + 1),
            )
            .collect();
        Self {
            line_starts,
            files,
            inherited_prefixes,
            faults: RefCell::new(Vec::new()),
            broken_references: Cell::new(0),
            citations: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn line_of(&self, offset: usize) -> u32 {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    pub(super) fn fault(
        &self,
        line: u32,
        kind: FaultKind,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.faults.borrow_mut().push(PackFault {
            file: None,
            line,
            kind,
            what: what.into(),
            advice: advice.into(),
        });
    }

    pub(super) fn broken_reference(
        &self,
        line: u32,
        kind: FaultKind,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.broken_references.set(self.broken_references.get() + 1);
        self.fault(line, kind, what, advice);
    }

    pub(super) fn cite(&self, citation: Citation) {
        self.citations.borrow_mut().push(citation);
    }

    pub(super) fn citations(&self) -> Vec<Citation> {
        self.citations.borrow().clone()
    }

    pub(super) fn broken_references(&self) -> u32 {
        self.broken_references.get()
    }

    pub(super) fn inherited_prefixes(&self) -> &[String] {
        &self.inherited_prefixes
    }

    /// A line as a person finds it: its number, with the name of the file unless it is the first.
    pub(super) fn place(&self, line: u32) -> String {
        match self.locate(line) {
            (Some(file), line) => format!("{file}:{line}"),
            (None, line) => line.to_string(),
        }
    }

    fn locate(&self, line: u32) -> (Option<&str>, u32) {
        let at = self.files.partition_point(|(_, before)| *before < line);
        match at
            .checked_sub(1)
            .and_then(|at| self.files.get(at).map(|file| (at, file)))
        {
            Some((0, _)) | None => (None, line),
            Some((_, (name, before))) => (Some(name), line - before),
        }
    }

    pub(super) fn into_faults(self) -> Vec<PackFault> {
        let mut faults = self.faults.take();
        faults.sort_by_key(|fault| fault.line);
        for fault in &mut faults {
            let (file, line) = self.locate(fault.line);
            fault.file = file.map(str::to_owned);
            fault.line = line;
        }
        faults
    }
}

/// A TOML table being read. Every key that is asked for counts as known; [`Table::finish`] reports the rest.
pub(super) struct Table<'a> {
    source: &'a Source,
    entries: &'a DeTable<'a>,
    line: u32,
    /// What the table is, for messages: `process`, `step "apply"`.
    what: String,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        source: &'a Source,
        entries: &'a DeTable<'a>,
        offset: usize,
        what: &str,
    ) -> Self {
        Self {
            source,
            entries,
            line: source.line_of(offset),
            what: what.to_owned(),
            known: RefCell::new(BTreeSet::new()),
        }
    }

    pub(super) fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// Gives the table a better name once its id is known.
    pub(super) fn rename(&mut self, what: String) {
        self.what = what;
    }

    pub(super) fn source(&self) -> &'a Source {
        self.source
    }

    /// Every entry, for tables whose keys aren't fixed. Keys already asked for are left out.
    pub(super) fn other_entries(
        &self,
    ) -> impl Iterator<Item = (&'a str, u32, &'a Spanned<DeValue<'a>>)> {
        let source = self.source;
        self.entries
            .iter()
            .filter(|(key, _)| !self.known.borrow().contains(key.get_ref().as_ref()))
            .map(move |(key, value)| {
                (
                    key.get_ref().as_ref(),
                    source.line_of(key.span().start),
                    value,
                )
            })
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key);
        self.entries.get(key)
    }

    fn line_at(&self, span: &Range<usize>) -> u32 {
        self.source.line_of(span.start)
    }

    /// The line of a key, or of the table if the key isn't there.
    pub(super) fn line_of(&self, key: &'static str) -> u32 {
        self.get(key)
            .map_or(self.line, |value| self.line_at(&value.span()))
    }

    pub(super) fn fault(
        &self,
        key: &'static str,
        kind: FaultKind,
        what: String,
        advice: impl Into<String>,
    ) {
        self.source.fault(
            self.line_of(key),
            kind,
            format!("{}: {what}", self.what),
            advice,
        );
    }

    fn wrong_type(&self, key: &str, span: &Range<usize>, wanted: &str, found: &DeValue<'_>) {
        self.source.fault(
            self.line_at(span),
            FaultKind::WrongType,
            format!(
                "{}: {key} is {} {}",
                self.what,
                article(found.type_str()),
                found.type_str()
            ),
            format!("write {wanted}"),
        );
    }

    /// Reports that a required key isn't there.
    pub(super) fn missing(&self, key: &'static str) {
        self.source.fault(
            self.line,
            if key == "clause" {
                FaultKind::MissingClause
            } else {
                FaultKind::MissingKey
            },
            format!("{}: {key} is missing", self.what),
            if key == "clause" {
                "name the clause it rests on, for example clause = \"XY-10.2\"".to_owned()
            } else {
                format!("add {key}")
            },
        );
    }

    /// A value of any type, with its line.
    pub(super) fn value_opt(&self, key: &'static str) -> Option<(&'a DeValue<'a>, u32)> {
        self.get(key)
            .map(|value| (value.get_ref(), self.line_at(&value.span())))
    }

    pub(super) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn text_opt(&self, key: &'static str) -> Option<&'a str> {
        let value = self.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if text.trim().is_empty() => {
                self.fault(
                    key,
                    FaultKind::MissingKey,
                    format!("{key} is empty"),
                    "fill it in or leave the key out",
                );
                None
            }
            Some(text) => Some(text),
            None => {
                self.wrong_type(key, &value.span(), "a text in quotes", value.get_ref());
                None
            }
        }
    }

    /// A required text; reports its absence and then gives an empty one, so that reading goes on.
    pub(super) fn text(&self, key: &'static str) -> &'a str {
        if !self.has(key) {
            self.missing(key);
        }
        self.text_opt(key).unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.get(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, &value.span(), "true or false", value.get_ref());
            false
        })
    }

    pub(super) fn integer_opt(&self, key: &'static str) -> Option<i64> {
        let value = self.get(key)?;
        let number = value.get_ref().as_integer().and_then(|integer| {
            i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        if number.is_none() {
            self.wrong_type(key, &value.span(), "a whole number", value.get_ref());
        }
        number
    }

    pub(super) fn date_opt(&self, key: &'static str) -> Option<Date> {
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::Datetime(datetime) => datetime.to_string(),
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.wrong_type(
                    key,
                    &value.span(),
                    "a date like 2022-10-12, without quotes",
                    value.get_ref(),
                );
                return None;
            }
        };
        let date = text.parse::<Date>().ok().filter(|_| text.len() == 10);
        if date.is_none() {
            self.fault(
                key,
                FaultKind::BadDate,
                format!("{key}: {text} is no date of the calendar"),
                "write year-month-day, for example 2022-10-12",
            );
        }
        date
    }

    /// A list of texts, or a single one.
    pub(super) fn texts(&self, key: &'static str) -> Vec<(&'a str, u32)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::String(text) => vec![(text.as_ref(), self.line_at(&value.span()))],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| {
                    let text = item.get_ref().as_str();
                    if text.is_none() {
                        self.wrong_type(key, &item.span(), "texts in quotes", item.get_ref());
                    }
                    text.map(|text| (text, self.line_at(&item.span())))
                })
                .collect(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => {
                self.wrong_type(
                    key,
                    &value.span(),
                    "a list of texts: [\"...\", \"...\"]",
                    value.get_ref(),
                );
                Vec::new()
            }
        }
    }

    pub(super) fn table_opt(&self, key: &'static str) -> Option<Table<'a>> {
        let value = self.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_type(key, &value.span(), "a table: { ... }", value.get_ref());
            return None;
        };
        let what = format!("{}, {key}", self.what);
        Some(Table::new(self.source, entries, value.span().start, &what))
    }

    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(
                key,
                &value.span(),
                &format!("a list of tables: [[{key}]]"),
                value.get_ref(),
            );
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| {
                let entries = item.get_ref().as_table();
                if entries.is_none() {
                    self.wrong_type(key, &item.span(), "tables: { ... }", item.get_ref());
                }
                entries.map(|entries| Table::new(self.source, entries, item.span().start, key))
            })
            .collect()
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for key in self.entries.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(name) {
                let advice = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!(
                        "remove it; known here: {}",
                        known.iter().copied().collect::<Vec<_>>().join(", ")
                    ),
                };
                self.source.fault(
                    self.source.line_of(key.span().start),
                    FaultKind::UnknownKey,
                    format!("{}: unknown key {name}", self.what),
                    advice,
                );
            }
        }
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// The known word that differs least from `word`, if it is close enough to be what was meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= word.chars().count() / 3 + 1)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance: how many characters have to be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
