//! PostgreSQL's types: which are carried exactly, how they are declared and how their bytes are read.

use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::binary;
use crate::types::{decimal, holds};

/// Text longer than this can't be declared with a length.
const VARCHAR_CHARS_MAX: u32 = 10_485_760;

/// How a column's bytes come over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
    Boolean,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    /// `text`, `varchar`.
    Text,
    /// `char(n)`: padded with blanks, which are part of what is read.
    Padded,
    /// Carried as its text, as the server itself writes and reads it.
    ShownAsText,
    Bytea,
    Date,
    Time,
    Timestamp,
    Timestamptz,
}

/// What a type of the catalogue means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub native: Native,
    pub column_type: ColumnType,
    /// Decimals of seconds that a time keeps, if fewer than microseconds.
    pub second_digits: Option<u32>,
}

/// What a type means: `name` and `kind` are `typname` and `typtype`, `modifier` the column's.
pub(crate) fn meaning(name: &str, kind: &str, modifier: i32) -> Result<Meaning, String> {
    let plain = |native, column_type| {
        Ok(Meaning {
            native,
            column_type,
            second_digits: None,
        })
    };
    // The length of text is kept with four bytes of header; -1 stands for none.
    let chars_max = u32::try_from(modifier - 4).ok();
    let of_time = |native, column_type| {
        let second_digits = u32::try_from(modifier).ok().filter(|digits| *digits < 6);
        Ok(Meaning {
            native,
            column_type,
            second_digits,
        })
    };
    match (name, kind) {
        ("bool", _) => plain(Native::Boolean, ColumnType::Boolean),
        ("int2", _) => plain(Native::Int2, ColumnType::Int16),
        ("int4", _) => plain(Native::Int4, ColumnType::Int32),
        ("int8", _) => plain(Native::Int8, ColumnType::Int64),
        ("float4", _) => plain(Native::Float4, ColumnType::Float32),
        ("float8", _) => plain(Native::Float8, ColumnType::Float64),
        ("numeric", _) if modifier >= 4 => plain(Native::Numeric, numeric(modifier)?),
        ("text", _) => plain(Native::Text, ColumnType::Text { chars_max: None }),
        ("varchar", _) => plain(Native::Text, ColumnType::Text { chars_max }),
        ("bpchar", _) => plain(Native::Padded, ColumnType::Text { chars_max }),
        ("uuid", _) => plain(
            Native::ShownAsText,
            ColumnType::Text {
                chars_max: Some(36),
            },
        ),
        (name, kind) if is_shown_as_text(name, kind) => {
            plain(Native::ShownAsText, ColumnType::Text { chars_max: None })
        }
        ("bytea", _) => plain(Native::Bytea, ColumnType::Bytes),
        ("date", _) => plain(Native::Date, ColumnType::Date),
        ("time", _) => of_time(Native::Time, ColumnType::Time),
        ("timestamp", _) => of_time(Native::Timestamp, ColumnType::Timestamp),
        ("timestamptz", _) => of_time(Native::Timestamptz, ColumnType::Instant),
        _ => Err(format!(
            "the type {name} has no exact counterpart; read it through a view that casts it, for example to text"
        )),
    }
}

/// Types without a counterpart elsewhere whose text says everything: a numeric of any size, enumerations, ranges,
/// composites, arrays and those that are named.
fn is_shown_as_text(name: &str, kind: &str) -> bool {
    matches!(kind, "e" | "r" | "m" | "c")
        || name.starts_with('_')
        || matches!(
            name,
            "numeric"
                | "json"
                | "jsonb"
                | "citext"
                | "interval"
                | "timetz"
                | "money"
                | "inet"
                | "cidr"
                | "macaddr"
                | "macaddr8"
                | "bit"
                | "varbit"
                | "xml"
                | "point"
                | "line"
                | "lseg"
                | "box"
                | "path"
                | "polygon"
                | "circle"
                | "tsvector"
                | "tsquery"
        )
}

/// Precision and scale lie in the upper and lower half of the modifier, after four bytes of header.
fn numeric(modifier: i32) -> Result<ColumnType, String> {
    let packed = (modifier - 4).unsigned_abs();
    // The scale is an 11-bit number with sign.
    let scale = i32::try_from(packed & 0x7ff).expect("eleven bits");
    let scale = if scale > 1_000 { scale - 2_048 } else { scale };
    decimal(packed >> 16, scale)
}

/// The type to declare for a new column.
pub(crate) fn declared(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::Int16 => "smallint".to_owned(),
        ColumnType::Int32 => "integer".to_owned(),
        ColumnType::Int64 => "bigint".to_owned(),
        ColumnType::UInt64 => "numeric(20,0)".to_owned(),
        ColumnType::Float32 => "real".to_owned(),
        ColumnType::Float64 => "double precision".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        ColumnType::Text {
            chars_max: Some(chars_max @ 1..=VARCHAR_CHARS_MAX),
        } => {
            format!("varchar({chars_max})")
        }
        ColumnType::Text { .. } => "text".to_owned(),
        ColumnType::Bytes => "bytea".to_owned(),
        ColumnType::Date => "date".to_owned(),
        ColumnType::Time => "time(6)".to_owned(),
        ColumnType::Timestamp => "timestamp(6)".to_owned(),
        ColumnType::Instant => "timestamptz(6)".to_owned(),
    }
}

/// The type of a column of the stage: as declared, but text of any length, so that what is too long
/// can be counted and named before the table is touched.
pub(crate) fn staged(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Text { .. } => "text".to_owned(),
        other => declared(other),
    }
}

/// The type of a bound value, said explicitly so that the server doesn't guess another.
pub(super) fn bound_type(value: &ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null | ValueRef::Text(_) => "text",
        ValueRef::Bool(_) => "boolean",
        ValueRef::Int(_) => "bigint",
        ValueRef::UInt(_) | ValueRef::Decimal { .. } => "numeric",
        ValueRef::Float(_) => "double precision",
        ValueRef::Bytes(_) => "bytea",
        ValueRef::Date(_) => "date",
        ValueRef::Time(_) => "time",
        ValueRef::Timestamp(_) => "timestamp",
        ValueRef::Instant(_) => "timestamptz",
    }
}

/// Whether a column of `held` can be read as `wanted`. Large unsigned integers live in numerics, and
/// each value of them is checked when it is read.
pub(crate) fn gives(held: ColumnType, wanted: ColumnType) -> Result<(), String> {
    let is_whole = matches!(
        held,
        ColumnType::Int16
            | ColumnType::Int32
            | ColumnType::Int64
            | ColumnType::Decimal { scale: 0, .. }
    );
    if is_whole && wanted == ColumnType::UInt64 {
        return Ok(());
    }
    holds(wanted, held).map_err(|_| format!("it is {held}, which can't be read as {wanted}"))
}

/// Whether a column can be written with values of `offered`.
pub(super) fn takes(held: &Meaning, offered: ColumnType) -> Result<(), String> {
    if held.native == Native::ShownAsText && !matches!(offered, ColumnType::Text { .. }) {
        return Err(format!(
            "it takes text, which the server reads, but not {offered}"
        ));
    }
    holds(held.column_type, offered)
}

/// The value in these bytes, or what kind of value it is if it can't be carried.
pub(super) fn read(native: Native, bytes: &[u8]) -> Result<ValueRef<'_>, &'static str> {
    let short = "of another length than its type has";
    match native {
        Native::Boolean => binary::fixed::<1>(bytes)
            .map(|b| ValueRef::Bool(b != [0]))
            .ok_or(short),
        Native::Int2 => binary::fixed(bytes)
            .map(|b| ValueRef::Int(i16::from_be_bytes(b).into()))
            .ok_or(short),
        Native::Int4 => binary::fixed(bytes)
            .map(|b| ValueRef::Int(i32::from_be_bytes(b).into()))
            .ok_or(short),
        Native::Int8 => binary::fixed(bytes)
            .map(|b| ValueRef::Int(i64::from_be_bytes(b)))
            .ok_or(short),
        Native::Float4 => binary::fixed(bytes)
            .map(|b| ValueRef::Float(f32::from_be_bytes(b).into()))
            .ok_or(short),
        Native::Float8 => binary::fixed(bytes)
            .map(|b| ValueRef::Float(f64::from_be_bytes(b)))
            .ok_or(short),
        Native::Numeric => binary::read_numeric(bytes),
        Native::Text | Native::Padded | Native::ShownAsText => std::str::from_utf8(bytes)
            .map(ValueRef::Text)
            .map_err(|_| "text that is not UTF-8"),
        Native::Bytea => Ok(ValueRef::Bytes(bytes)),
        Native::Date => binary::read_date(bytes),
        Native::Time => binary::fixed(bytes)
            .map(|b| ValueRef::Time(i64::from_be_bytes(b)))
            .ok_or(short),
        Native::Timestamp => binary::read_stamp(bytes).map(ValueRef::Timestamp),
        Native::Timestamptz => binary::read_stamp(bytes).map(ValueRef::Instant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(name: &str, modifier: i32) -> Result<ColumnType, String> {
        meaning(name, "b", modifier).map(|meaning| meaning.column_type)
    }

    #[test]
    fn modifiers_tell_length_and_digits() {
        let text = |chars_max| Ok(ColumnType::Text { chars_max });
        assert_eq!(type_of("varchar", 54), text(Some(50)));
        assert_eq!(type_of("varchar", -1), text(None));
        let numeric = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(
            type_of("numeric", numeric(18, 2)),
            Ok(ColumnType::Decimal {
                precision: 18,
                scale: 2
            })
        );
        assert_eq!(type_of("numeric", -1), text(None));
        for refused in [numeric(39, 0), numeric(5, 7), numeric(5, -2)] {
            assert!(type_of("numeric", refused).is_err(), "{refused}");
        }
        assert_eq!(meaning("timestamp", "b", 0).unwrap().second_digits, Some(0));
        assert_eq!(meaning("timestamp", "b", -1).unwrap().second_digits, None);
        assert_eq!(meaning("timestamp", "b", 6).unwrap().second_digits, None);
        assert_eq!(type_of("interval", -1), text(None));
        assert_eq!(type_of("_int4", -1), text(None));
        assert!(type_of("regclass", -1).is_err());
    }
}
