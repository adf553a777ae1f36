//! Canonical JSON: the one way to write a record, so that its hash has one meaning.
//!
//! Objects with their keys in the order of their UTF-8 bytes, no white space, strings with the
//! shortest escapes, numbers only whole and within 64 bits. Floating point numbers are refused: there
//! is more than one way to write them, and a ledger has no use for them.

use std::fmt::Write;

use serde_json::Value;

use crate::kind::Kind;

/// How deep arrays and objects may lie in each other.
pub const NESTING_MAX: usize = 32;

/// Why a value has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CanonicalError {
    /// A number that isn't whole or doesn't fit 64 bits.
    #[error("a ledger record holds whole numbers of at most 64 bits only")]
    Number,
    /// Nested deeper than [`NESTING_MAX`].
    #[error("a ledger record is nested too deep")]
    TooDeep,
    /// Not JSON.
    #[error("the record isn't JSON")]
    NotJson,
    /// JSON, but written in another way.
    #[error("the record isn't written in the canonical form")]
    NotCanonical,
}

impl CanonicalError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Number => "ledger.number",
            Self::TooDeep => "ledger.too_deep",
            Self::NotJson => "ledger.not_json",
            Self::NotCanonical => "ledger.not_canonical",
        }
    }

    /// What sort of refusal it is: a record we can't write is our own mistake.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number | Self::TooDeep | Self::NotJson | Self::NotCanonical => Kind::Bug,
        }
    }
}

/// Writes `value` in its canonical form.
///
/// Errors: [`CanonicalError::Number`], [`CanonicalError::TooDeep`].
pub fn canonical_json(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write_value(value, 0, &mut out)?;
    Ok(out)
}

/// Reads a text that has to be in canonical form already, so that two different texts never pass for
/// one record (double keys, other spaces or escapes).
///
/// Errors: every [`CanonicalError`].
pub fn parse_canonical(text: &str) -> Result<Value, CanonicalError> {
    let value: Value = serde_json::from_str(text).map_err(|_| CanonicalError::NotJson)?;
    if canonical_json(&value)? == text {
        Ok(value)
    } else {
        Err(CanonicalError::NotCanonical)
    }
}

fn write_value(value: &Value, depth: usize, out: &mut String) -> Result<(), CanonicalError> {
    if depth > NESTING_MAX {
        return Err(CanonicalError::TooDeep);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            if !number.is_i64() && !number.is_u64() {
                return Err(CanonicalError::Number);
            }
            out.push_str(&number.to_string());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(values) => {
            out.push('[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(value, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            // The map may keep the order of insertion, depending on features of the whole build.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_bytes());
            out.push('{');
            for (i, (key, value)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_value(value, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Escapes quotation mark, backslash and control characters, nothing else.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a string doesn't fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
