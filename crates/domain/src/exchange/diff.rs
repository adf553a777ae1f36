//! Snapshot difference: an ordered merge of the source against the pool.
//!
//! Both sides are pulled in ascending order of the key. [`step`] looks at the two keys in front and
//! says which side to take; [`OrderGuard`] stands beside each side and notices an engine that sorts
//! otherwise, a key that occurs twice, or NULL in a key, any of which would turn into wrong
//! deletions without a sound.

use std::cmp::Ordering;

use super::value::ValueRef;
use crate::kind::Kind;

/// Compares two keys value by value; a key that is the beginning of the other comes first.
///
/// Text is compared by its UTF-8 bytes, so each engine has to order by a binary collation.
#[must_use]
pub fn compare_keys(a: &[ValueRef<'_>], b: &[ValueRef<'_>]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(x, y)| x.total_cmp(y))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Whether two rows hold the same values.
#[must_use]
pub fn same_row(a: &[ValueRef<'_>], b: &[ValueRef<'_>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.is_same(y))
}

/// What the smallest key in front of the two sides tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Only the source has it: insert, and pull the source.
    OnlySource,
    /// Only the pool has it: delete, and pull the pool.
    OnlyPool,
    /// Both have it: update if the rows differ, and pull both.
    Both,
}

/// The next step of the merge; `None` when both sides are at their end (`None`).
#[must_use]
pub fn step(source: Option<&[ValueRef<'_>]>, pool: Option<&[ValueRef<'_>]>) -> Option<Step> {
    match (source, pool) {
        (None, None) => None,
        (Some(_), None) => Some(Step::OnlySource),
        (None, Some(_)) => Some(Step::OnlyPool),
        (Some(source), Some(pool)) => Some(match compare_keys(source, pool) {
            Ordering::Less => Step::OnlySource,
            Ordering::Greater => Step::OnlyPool,
            Ordering::Equal => Step::Both,
        }),
    }
}

/// Why a side can't be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// Keys came in another order than ours.
    #[error(
        "the rows don't come in binary order of the key; the engine has to sort by a binary collation"
    )]
    NotAscending,
    /// A key came twice.
    #[error("a key occurs twice; the table needs a key that is unique")]
    DuplicateKey,
    /// NULL in a key.
    #[error("a key holds NULL; the table needs a key without NULL")]
    NullInKey,
}

impl DiffError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAscending => "exchange.keys_not_ascending",
            Self::DuplicateKey => "exchange.duplicate_key",
            Self::NullInKey => "exchange.null_in_key",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotAscending | Self::DuplicateKey | Self::NullInKey => Kind::Upstream,
        }
    }
}

/// Sees to it that the keys of one side come strictly ascending and without NULL. It keeps a copy of
/// the last key, because the batch it came from may be gone, and reuses its memory.
#[derive(Debug, Clone, Default)]
pub struct OrderGuard {
    last: Option<Vec<OwnedValue>>,
}

impl OrderGuard {
    /// A guard at the beginning of a side.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the next key pass.
    ///
    /// Errors: every [`DiffError`].
    pub fn admit(&mut self, key: &[ValueRef<'_>]) -> Result<(), DiffError> {
        if key.iter().any(ValueRef::is_null) {
            return Err(DiffError::NullInKey);
        }
        let order = self.last.as_ref().map(|last| compare_with_owned(last, key));
        match order {
            None | Some(Ordering::Less) => {}
            Some(Ordering::Equal) => return Err(DiffError::DuplicateKey),
            Some(Ordering::Greater) => return Err(DiffError::NotAscending),
        }
        let last = self.last.get_or_insert_default();
        last.resize_with(key.len(), OwnedValue::default);
        for (own, value) in last.iter_mut().zip(key) {
            own.assign(value);
        }
        Ok(())
    }
}

fn compare_with_owned(a: &[OwnedValue], b: &[ValueRef<'_>]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(x, y)| x.as_ref().total_cmp(y))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// A kept value: bytes and text in a buffer that is used again, everything else as it is.
#[derive(Debug, Clone)]
enum OwnedValue {
    Text(String),
    Bytes(Vec<u8>),
    Plain(ValueRef<'static>),
}

impl Default for OwnedValue {
    fn default() -> Self {
        Self::Plain(ValueRef::Null)
    }
}

impl OwnedValue {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Text(text) => ValueRef::Text(text),
            Self::Bytes(bytes) => ValueRef::Bytes(bytes),
            Self::Plain(value) => *value,
        }
    }

    fn assign(&mut self, value: &ValueRef<'_>) {
        match (&mut *self, *value) {
            (Self::Text(own), ValueRef::Text(text)) => {
                own.clear();
                own.push_str(text);
            }
            (Self::Bytes(own), ValueRef::Bytes(bytes)) => {
                own.clear();
                own.extend_from_slice(bytes);
            }
            (_, value) => *self = Self::of(value),
        }
    }

    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(text) => Self::Text(text.to_owned()),
            ValueRef::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            ValueRef::Null => Self::Plain(ValueRef::Null),
            ValueRef::Bool(v) => Self::Plain(ValueRef::Bool(v)),
            ValueRef::Int(v) => Self::Plain(ValueRef::Int(v)),
            ValueRef::UInt(v) => Self::Plain(ValueRef::UInt(v)),
            ValueRef::Float(v) => Self::Plain(ValueRef::Float(v)),
            ValueRef::Decimal { unscaled, scale } => {
                Self::Plain(ValueRef::Decimal { unscaled, scale })
            }
            ValueRef::Date(v) => Self::Plain(ValueRef::Date(v)),
            ValueRef::Time(v) => Self::Plain(ValueRef::Time(v)),
            ValueRef::Timestamp(v) => Self::Plain(ValueRef::Timestamp(v)),
            ValueRef::Instant(v) => Self::Plain(ValueRef::Instant(v)),
        }
    }
}
