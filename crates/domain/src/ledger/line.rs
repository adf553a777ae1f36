//! One record in a ledger file: `<canonical JSON> TAB <leaf hash> LF`.
//!
//! A file can be read with any text tool, a record is found by its line number, and each line can be
//! checked alone. Canonical JSON has neither a raw tab nor a raw line feed in it.

use serde_json::Value;

use super::canonical::{CanonicalError, canonical_json, parse_canonical};
use super::tree::{TreeHash, leaf_hash};
use crate::kind::Kind;

/// The longest line that is read or written, in bytes with its line feed. Records hold no data, so
/// a longer one is a mistake or an attack.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// A record with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    json: String,
    leaf: TreeHash,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LineFault {
    /// No line feed at the end: the last write of a crash. Everything before it is whole.
    #[error("the line has no end; the write was cut off")]
    Torn,
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("the line is longer than a ledger record may be")]
    TooLong,
    /// Not UTF-8.
    #[error("the line isn't UTF-8 text")]
    NotText,
    /// Not one tab with something on both sides.
    #[error("the line isn't a record, a tab and a hash")]
    Form,
    /// The second part isn't a hash.
    #[error("the line has no readable hash")]
    Hash,
    /// The hash is of another record: the record or the hash was changed.
    #[error("the hash doesn't belong to the record: one of them was changed")]
    Changed,
    /// The record isn't canonical JSON though its hash agrees: it wasn't written by us.
    #[error("the record isn't canonical JSON: {0}")]
    Record(#[from] CanonicalError),
}

impl LineFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Torn => "ledger.line_torn",
            Self::TooLong => "ledger.line_too_long",
            Self::NotText => "ledger.line_not_text",
            Self::Form => "ledger.line_form",
            Self::Hash => "ledger.line_hash",
            Self::Changed => "ledger.line_changed",
            Self::Record(error) => error.code(),
        }
    }

    /// What sort of refusal it is: a ledger that can't be read is broken data of our own.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Torn
            | Self::TooLong
            | Self::NotText
            | Self::Form
            | Self::Hash
            | Self::Changed
            | Self::Record(_) => Kind::Bug,
        }
    }
}

impl Line {
    /// The line of a record.
    ///
    /// Errors: [`LineFault::Record`] if the record has no canonical form, [`LineFault::TooLong`].
    pub fn new(record: &Value) -> Result<Self, LineFault> {
        let json = canonical_json(record)?;
        // 64 digits, a tab and a line feed come on top.
        if json.len() + 66 > LINE_BYTES_MAX {
            return Err(LineFault::TooLong);
        }
        let leaf = leaf_hash(json.as_bytes());
        Ok(Self { json, leaf })
    }

    /// Reads one line with its line feed and checks the record against its hash.
    ///
    /// Errors: every [`LineFault`]. Which record of the file it is the caller knows.
    pub fn parse(line: &[u8]) -> Result<Self, LineFault> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LineFault::TooLong);
        }
        let line = line.strip_suffix(b"\n").ok_or(LineFault::Torn)?;
        let line = std::str::from_utf8(line).map_err(|_| LineFault::NotText)?;
        let (json, hash) = line.split_once('\t').ok_or(LineFault::Form)?;
        let leaf: TreeHash = hash.parse().map_err(|_| LineFault::Hash)?;
        if leaf_hash(json.as_bytes()) != leaf {
            return Err(LineFault::Changed);
        }
        parse_canonical(json)?;
        Ok(Self {
            json: json.to_owned(),
            leaf,
        })
    }

    /// The record as canonical JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> Value {
        parse_canonical(&self.json).expect("a line holds canonical JSON, checked when it was made")
    }

    /// The hash that goes into the tree.
    #[must_use]
    pub fn leaf(&self) -> TreeHash {
        self.leaf
    }

    /// The bytes to append to the file, with the line feed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{}\t{}\n", self.json, self.leaf).into_bytes()
    }
}
