//! What a write leaves behind: who did what to which thing, when, on what ground.
//!
//! Entries carry ids, digests, counts and grounds, never data values. Spec: PDS-21.3.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tongqu_domain::{ledger::canonical_json, time::instant_text};

use super::secrets::random_hex;

/// The most that one text in an entry may hold, in characters; a longer ground is cut, because the
/// full text stands in the registry and the ledger holds its digest's worth of evidence only.
const TEXT_CHARS_MAX: usize = 500;

/// One act, to be recorded.
#[derive(Debug, Clone)]
pub struct Entry {
    what: &'static str,
    who: Option<(String, String)>,
    subject: (&'static str, String),
    detail: Map<String, Value>,
    clause: Option<String>,
}

impl Entry {
    /// An act of a person: `what` in the past tense (`request.decided`).
    #[must_use]
    pub fn by(what: &'static str, person_id: &str, department_id: &str) -> Self {
        Self {
            who: Some((person_id.to_owned(), department_id.to_owned())),
            ..Self::by_platform(what)
        }
    }

    /// An act that the platform takes by itself.
    #[must_use]
    pub fn by_platform(what: &'static str) -> Self {
        Self {
            what,
            who: None,
            subject: ("platform", String::new()),
            detail: Map::new(),
            clause: None,
        }
    }

    /// The thing it was done to.
    #[must_use]
    pub fn on(mut self, kind: &'static str, id: impl std::fmt::Display) -> Self {
        self.subject = (kind, id.to_string());
        self
    }

    /// A further fact: an id, a digest, a count, a ground.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Value>) -> Self {
        let fact = match fact.into() {
            Value::String(text) => Value::String(text.chars().take(TEXT_CHARS_MAX).collect()),
            other => other,
        };
        self.detail.insert(name.to_owned(), fact);
        self
    }

    /// The clause that the act rests on.
    #[must_use]
    pub fn under(mut self, clause: Option<impl Into<String>>) -> Self {
        self.clause = clause.map(Into::into);
        self
    }
}

/// The evidence of one commit: at least one entry.
#[derive(Debug)]
pub struct Evidence(Vec<Entry>);

impl From<Entry> for Evidence {
    fn from(entry: Entry) -> Self {
        Self(vec![entry])
    }
}

impl Evidence {
    /// A first entry and those that followed from it.
    #[must_use]
    pub fn of(first: Entry, more: impl IntoIterator<Item = Entry>) -> Self {
        Self(std::iter::once(first).chain(more).collect())
    }

    pub(super) fn records(self, at: Timestamp) -> Vec<Record> {
        self.0
            .into_iter()
            .map(|entry| Record::new(entry, at))
            .collect()
    }
}

/// An entry ready for outbox and ledger.
#[derive(Debug)]
pub struct Record {
    pub(super) id: String,
    pub(super) what: &'static str,
    pub(super) person_id: Option<String>,
    pub(super) department_id: Option<String>,
    pub(super) subject_kind: &'static str,
    pub(super) subject_id: String,
    pub(super) canonical: String,
}

impl Record {
    fn new(entry: Entry, at: Timestamp) -> Self {
        let id = random_hex::<16>();
        let (person_id, department_id) = entry.who.unzip();
        let value = json!({
            "id": id,
            "at": instant_text(at),
            "what": entry.what,
            "who": { "person": person_id, "department": department_id },
            "subject": { "kind": entry.subject.0, "id": entry.subject.1 },
            "detail": entry.detail,
            "clause": entry.clause,
        });
        let canonical = canonical_json(&value).expect("entries hold no floating-point numbers");
        Self {
            id,
            what: entry.what,
            person_id,
            department_id,
            subject_kind: entry.subject.0,
            subject_id: entry.subject.1,
            canonical,
        }
    }
}
