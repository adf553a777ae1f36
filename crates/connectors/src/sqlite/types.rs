//! SQLite's types: what a declared type means, how a value is stored, and how it is read back.
//!
//! SQLite keeps numbers only as 64-bit integers and doubles, and lets any value into any column. So
//! decimals and large unsigned integers are stored as text under declared types of our own whose
//! names give text affinity (`DECIMAL_TEXT(p,s)`, `U64_TEXT`), and each value read is checked.

use std::cmp::Ordering;

use rusqlite::types::{ToSqlOutput, ValueRef as Stored};
use rusqlite::{Connection, types};
use tongqu_domain::exchange::{ColumnType, ValueRef};

use crate::rows::kind_of;
use crate::text::{self, DECIMAL_DIGITS_MAX};
use crate::types::{decimal, holds};

/// Orders decimal texts by value.
const BY_NUMBER: &str = "tongqu_number";
/// Orders texts of times and timestamps by value, whichever of the accepted forms they have.
const BY_MOMENT: &str = "tongqu_moment";

/// A not-a-number, which SQLite would turn into NULL, is stored as this text.
const NAN: &str = "NaN";

/// Digits that a double keeps for certain.
const DOUBLE_DIGITS: u8 = 15;
/// Digits that a 64-bit integer keeps for certain.
const INTEGER_DIGITS: u8 = 18;

pub(super) fn add_collations(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation(BY_NUMBER, |a, b| by_value(a, b, number))?;
    connection.create_collation(BY_MOMENT, |a, b| by_value(a, b, moment))
}

/// By value where both have one; texts without a value come last, bytewise.
fn by_value<V: Ord>(a: &str, b: &str, value: impl Fn(&str) -> Option<V>) -> Ordering {
    match (value(a), value(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// A decimal as whole part and fraction, which compare exactly at any scale.
fn number(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole_value = text::parse_decimal(
        if matches!(whole, "" | "-" | "+") {
            "0"
        } else {
            whole
        },
        DECIMAL_DIGITS_MAX,
        0,
    )?;
    let digits = i8::try_from(fraction.len())
        .ok()
        .filter(|digits| *digits <= 38)?;
    let fraction_value = text::rescale(
        text::parse_decimal(&format!("0{fraction}"), 39, 0)?,
        38 - i32::from(digits),
    )?;
    let is_negative = text.starts_with('-');
    Some((
        whole_value,
        if is_negative {
            -fraction_value
        } else {
            fraction_value
        },
    ))
}

fn moment(text: &str) -> Option<i64> {
    text::parse_instant(text)
        .or_else(|| text::parse_timestamp(text))
        .or_else(|| text::parse_time(text))
}

/// The collation under which a column is ordered and compared, with a leading space; empty for
/// values that aren't text.
pub(super) fn collation(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Text { .. } | ColumnType::Date => " COLLATE BINARY".to_owned(),
        ColumnType::Decimal { .. } | ColumnType::UInt64 => format!(" COLLATE {BY_NUMBER}"),
        ColumnType::Time | ColumnType::Timestamp | ColumnType::Instant => {
            format!(" COLLATE {BY_MOMENT}")
        }
        ColumnType::Boolean
        | ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Float32
        | ColumnType::Float64
        | ColumnType::Bytes => String::new(),
    }
}

/// The type to declare for a new column.
pub(crate) fn declared(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "BOOLEAN".to_owned(),
        ColumnType::Int16 => "SMALLINT".to_owned(),
        ColumnType::Int32 => "INT4".to_owned(),
        ColumnType::Int64 => "BIGINT".to_owned(),
        ColumnType::UInt64 => "U64_TEXT".to_owned(),
        ColumnType::Float32 => "FLOAT4".to_owned(),
        ColumnType::Float64 => "DOUBLE".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("DECIMAL_TEXT({precision},{scale})"),
        ColumnType::Text { chars_max: None } => "TEXT".to_owned(),
        ColumnType::Text {
            chars_max: Some(chars_max),
        } => format!("VARCHAR({chars_max})"),
        ColumnType::Bytes => "BLOB".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Time => "TIME".to_owned(),
        ColumnType::Timestamp => "TIMESTAMP".to_owned(),
        ColumnType::Instant => "TIMESTAMPTZ".to_owned(),
    }
}

/// What a declared type means, or why it can't be carried exactly.
pub(crate) fn meaning(declared: &str) -> Result<ColumnType, String> {
    let upper = declared.trim().to_ascii_uppercase();
    let (name, arguments) = match upper.split_once('(') {
        None => (upper.as_str(), Vec::new()),
        Some((name, rest)) => {
            let inside = rest.split(')').next().unwrap_or_default();
            (
                name.trim_end(),
                inside
                    .split(',')
                    .map(|number| number.trim().parse::<i32>().ok())
                    .collect(),
            )
        }
    };
    let chars_max = arguments
        .first()
        .copied()
        .flatten()
        .and_then(|n| u32::try_from(n).ok());
    match name {
        "BOOLEAN" | "BOOL" => Ok(ColumnType::Boolean),
        "TINYINT" | "SMALLINT" | "INT2" => Ok(ColumnType::Int16),
        "MEDIUMINT" | "INT4" => Ok(ColumnType::Int32),
        "INT" | "INTEGER" | "BIGINT" | "INT8" => Ok(ColumnType::Int64),
        "U64_TEXT" => Ok(ColumnType::UInt64),
        "FLOAT4" => Ok(ColumnType::Float32),
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "FLOAT8" => Ok(ColumnType::Float64),
        "DECIMAL_TEXT" => declared_decimal(&arguments, DECIMAL_DIGITS_MAX),
        "DECIMAL" | "NUMERIC" | "NUMBER" => {
            let is_whole = arguments.get(1).copied().flatten().unwrap_or(0) == 0;
            declared_decimal(&arguments, if is_whole { INTEGER_DIGITS } else { DOUBLE_DIGITS })
        }
        "TEXT" | "CLOB" | "NTEXT" => Ok(ColumnType::Text { chars_max: None }),
        "VARCHAR" | "NVARCHAR" | "CHAR" | "NCHAR" | "CHARACTER" | "CHARACTER VARYING" | "VARYING CHARACTER" | "NATIVE CHARACTER"
        | "VARCHAR2" | "NVARCHAR2" => Ok(ColumnType::Text { chars_max }),
        "BLOB" => Ok(ColumnType::Bytes),
        "DATE" => Ok(ColumnType::Date),
        "TIME" => Ok(ColumnType::Time),
        "DATETIME" | "TIMESTAMP" => Ok(ColumnType::Timestamp),
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => Ok(ColumnType::Instant),
        "" => Err("it has no declared type; declare one, or CAST it in a view".to_owned()),
        "STRING" => Err("SQLite reads the type STRING as a number, so that codes lose leading zeros; declare TEXT".to_owned()),
        _ => Err(format!("the declared type {name} is not known; declare one of INTEGER, DOUBLE, DECIMAL(p,s), TEXT, VARCHAR(n), BLOB, BOOLEAN, DATE, TIME, TIMESTAMP, TIMESTAMPTZ")),
    }
}

fn declared_decimal(arguments: &[Option<i32>], digits_max: u8) -> Result<ColumnType, String> {
    let Some(Some(precision)) = arguments.first().copied() else {
        return Err("it declares no number of digits; declare DECIMAL(p,s)".to_owned());
    };
    let scale = arguments.get(1).copied().flatten().unwrap_or(0);
    if precision > i32::from(digits_max) && digits_max < DECIMAL_DIGITS_MAX {
        return Err(format!(
            "SQLite keeps it as a number of {digits_max} digits, not {precision}; declare DECIMAL_TEXT({precision},{scale})"
        ));
    }
    decimal(u32::try_from(precision).unwrap_or(0), scale)
}

/// Whether a column declared as `held` can give, or take, values of type `wanted`. Since each value
/// is checked when it is read, integers only have to be integers.
pub(crate) fn carries(held: ColumnType, wanted: ColumnType) -> Result<(), String> {
    let is_integer = |column_type| {
        matches!(
            column_type,
            ColumnType::Boolean | ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64
        )
    };
    if is_integer(held) && is_integer(wanted) {
        return Ok(());
    }
    holds(held, wanted)
}

/// As [`carries`], for reading: a wider type may be wanted than is held.
pub(crate) fn gives(held: ColumnType, wanted: ColumnType) -> Result<(), String> {
    if matches!(
        (held, wanted),
        (
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64,
            ColumnType::UInt64
        )
    ) {
        return Ok(());
    }
    carries(held, wanted)
        .or_else(|_| holds(wanted, held))
        .map_err(|_| format!("it is {held}, which can't be read as {wanted}"))
}

/// The stored value as `column_type`, or what kind of value it is if it isn't one.
pub(super) fn read<'a>(
    stored: Stored<'a>,
    column_type: ColumnType,
) -> Result<ValueRef<'a>, &'static str> {
    let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).map_err(|_| "text that is not UTF-8");
    match (column_type, stored) {
        (_, Stored::Null) => Ok(ValueRef::Null),
        (ColumnType::Boolean, Stored::Integer(0)) => Ok(ValueRef::Bool(false)),
        (ColumnType::Boolean, Stored::Integer(1)) => Ok(ValueRef::Bool(true)),
        (ColumnType::Boolean, Stored::Integer(_)) => Err("a number other than 0 and 1"),
        (
            ColumnType::Int16
            | ColumnType::Int32
            | ColumnType::Int64
            | ColumnType::UInt64
            | ColumnType::Decimal { .. },
            Stored::Integer(v),
        ) => Ok(ValueRef::Int(v)),
        (ColumnType::UInt64, Stored::Text(v)) => text(v)?
            .parse()
            .map(ValueRef::UInt)
            .map_err(|_| "text that is no unsigned integer"),
        (ColumnType::Float32 | ColumnType::Float64, Stored::Real(v)) => Ok(ValueRef::Float(v)),
        (ColumnType::Float32 | ColumnType::Float64, Stored::Integer(v)) => i32::try_from(v)
            .map(|v| ValueRef::Float(v.into()))
            .map_err(|_| "a large integer"),
        (ColumnType::Float32 | ColumnType::Float64, Stored::Text(v)) if v == NAN.as_bytes() => {
            Ok(ValueRef::Float(f64::NAN))
        }
        (ColumnType::Decimal { precision, scale }, Stored::Text(v)) => {
            text::parse_decimal(text(v)?, precision, scale)
                .map(|unscaled| ValueRef::Decimal { unscaled, scale })
                .ok_or("text that is no decimal number of this size")
        }
        // The shortest text that gives the same double is what the database itself shows.
        (ColumnType::Decimal { precision, scale }, Stored::Real(v)) => {
            text::parse_decimal(&format!("{v}"), precision, scale)
                .map(|unscaled| ValueRef::Decimal { unscaled, scale })
                .ok_or("a number with more digits")
        }
        (ColumnType::Text { .. }, Stored::Text(v)) => text(v).map(ValueRef::Text),
        (ColumnType::Bytes, Stored::Blob(v)) => Ok(ValueRef::Bytes(v)),
        (ColumnType::Date, Stored::Text(v)) => text::parse_date(text(v)?)
            .map(ValueRef::Date)
            .ok_or("text that is no date YYYY-MM-DD"),
        (ColumnType::Time, Stored::Text(v)) => text::parse_time(text(v)?)
            .map(ValueRef::Time)
            .ok_or("text that is no time HH:MM:SS"),
        (ColumnType::Timestamp, Stored::Text(v)) => text::parse_timestamp(text(v)?)
            .map(ValueRef::Timestamp)
            .ok_or("text that is no YYYY-MM-DD HH:MM:SS without zone, to the microsecond at most"),
        (ColumnType::Instant, Stored::Text(v)) => text::parse_instant(text(v)?)
            .map(ValueRef::Instant)
            .ok_or("text that is no YYYY-MM-DDTHH:MM:SS with zone, to the microsecond at most"),
        (_, Stored::Integer(_)) => Err("an integer"),
        (_, Stored::Real(_)) => Err("a floating point number"),
        (_, Stored::Text(_)) => Err("text"),
        (_, Stored::Blob(_)) => Err("bytes"),
    }
}

/// The value as SQLite stores it in a column of `column_type`; `scratch` lends the room for texts.
pub(super) fn write<'a>(
    value: ValueRef<'a>,
    column_type: ColumnType,
    scratch: &'a mut String,
) -> Result<ToSqlOutput<'a>, &'static str> {
    scratch.clear();
    let year = "a date outside the years 0 to 9999";
    match (column_type, value) {
        (_, ValueRef::Null) => return Ok(owned(types::Value::Null)),
        (ColumnType::UInt64, ValueRef::UInt(v)) => scratch.push_str(&v.to_string()),
        (
            ColumnType::Decimal { scale, .. },
            ValueRef::Decimal {
                unscaled,
                scale: from,
            },
        ) => {
            let unscaled = text::rescale(unscaled, i32::from(scale) - i32::from(from));
            text::write_decimal(
                scratch,
                unscaled.ok_or("a number with more digits after the point")?,
                scale,
            );
        }
        (ColumnType::Decimal { scale, .. }, ValueRef::Int(v)) => {
            let unscaled =
                text::rescale(v.into(), scale.into()).ok_or("a number with more digits")?;
            text::write_decimal(scratch, unscaled, scale);
        }
        (_, ValueRef::Bool(v)) => return Ok(owned(types::Value::Integer(v.into()))),
        (_, ValueRef::Int(v)) => return Ok(owned(types::Value::Integer(v))),
        (_, ValueRef::Float(v)) if v.is_nan() => {
            return Ok(ToSqlOutput::Borrowed(Stored::Text(NAN.as_bytes())));
        }
        (_, ValueRef::Float(v)) => return Ok(owned(types::Value::Real(v))),
        (_, ValueRef::Text(v)) => return Ok(ToSqlOutput::Borrowed(Stored::Text(v.as_bytes()))),
        (_, ValueRef::Bytes(v)) => return Ok(ToSqlOutput::Borrowed(Stored::Blob(v))),
        (_, ValueRef::Date(v)) => text::write_date(scratch, v).ok_or(year)?,
        (_, ValueRef::Time(v)) => text::write_time(scratch, v).ok_or("a time beyond one day")?,
        (_, ValueRef::Timestamp(v)) => text::write_timestamp(scratch, v).ok_or(year)?,
        (_, ValueRef::Instant(v)) => text::write_instant(scratch, v).ok_or(year)?,
        (_, value @ (ValueRef::UInt(_) | ValueRef::Decimal { .. })) => return Err(kind_of(value)),
    }
    Ok(ToSqlOutput::Borrowed(Stored::Text(scratch.as_bytes())))
}

/// The value as a filter compares it with a column of `column_type`. Unlike a value to store, a
/// number may be one that the column could never hold.
pub(super) fn bound<'a>(
    value: ValueRef<'a>,
    column_type: ColumnType,
    scratch: &'a mut String,
) -> Result<ToSqlOutput<'a>, &'static str> {
    let (unscaled, scale) = match value {
        ValueRef::Int(v) => (v.into(), 0),
        ValueRef::UInt(v) => (v.into(), 0),
        ValueRef::Decimal { unscaled, scale } => (unscaled, scale),
        other => return write(other, column_type, scratch),
    };
    scratch.clear();
    text::write_decimal(scratch, unscaled, scale);
    if matches!(column_type, ColumnType::Decimal { .. } | ColumnType::UInt64) {
        return Ok(ToSqlOutput::Borrowed(Stored::Text(scratch.as_bytes())));
    }
    let whole = text::rescale(unscaled, -i32::from(scale)).and_then(|v| i64::try_from(v).ok());
    Ok(owned(match whole {
        Some(whole) => types::Value::Integer(whole),
        // SQLite compares integers with doubles exactly.
        None => types::Value::Real(scratch.parse().map_err(|_| "a broken number")?),
    }))
}

fn owned(value: types::Value) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_come_back_as_they_were_made() {
        for column_type in [
            ColumnType::Boolean,
            ColumnType::Int16,
            ColumnType::Int32,
            ColumnType::Int64,
            ColumnType::UInt64,
            ColumnType::Float32,
            ColumnType::Float64,
            ColumnType::Decimal {
                precision: 38,
                scale: 10,
            },
            ColumnType::Text { chars_max: None },
            ColumnType::Text {
                chars_max: Some(12),
            },
            ColumnType::Bytes,
            ColumnType::Date,
            ColumnType::Time,
            ColumnType::Timestamp,
            ColumnType::Instant,
        ] {
            assert_eq!(meaning(&declared(column_type)), Ok(column_type));
        }
    }

    #[test]
    fn a_declared_type_that_would_lose_digits_is_refused() {
        assert_eq!(
            meaning("decimal(10, 2)"),
            Ok(ColumnType::Decimal {
                precision: 10,
                scale: 2
            })
        );
        assert_eq!(
            meaning("NUMERIC(18)"),
            Ok(ColumnType::Decimal {
                precision: 18,
                scale: 0
            })
        );
        for refused in [
            "DECIMAL(16,2)",
            "NUMERIC(19)",
            "NUMERIC",
            "STRING",
            "",
            "JSON",
            "DECIMAL_TEXT(39,0)",
        ] {
            assert!(meaning(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn numbers_kept_as_text_order_by_value() {
        let mut texts = vec![
            "10.5",
            "-10.5",
            "9.75",
            "-0.5",
            "0.25",
            "-10.25",
            "18446744073709551615",
            "9223372036854775808",
        ];
        texts.sort_by(|a, b| by_value(a, b, number));
        assert_eq!(
            texts,
            [
                "-10.5",
                "-10.25",
                "-0.5",
                "0.25",
                "9.75",
                "10.5",
                "9223372036854775808",
                "18446744073709551615"
            ]
        );
        let longest = format!("0.{}", "9".repeat(38));
        assert_eq!(by_value(&longest, "1.0", number), Ordering::Less);
    }
}
