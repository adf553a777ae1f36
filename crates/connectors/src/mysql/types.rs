//! MySQL's types: which are carried exactly, how they are declared, and how values are read and bound.

use std::fmt::Write as _;

use mysql_async::Value as Stored;
use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::KEY_BYTES_MAX;
use crate::rows::kind_of;
use crate::text::{self, MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::types::{decimal, holds};

/// Bytes that a character may take in utf8mb4.
const CHAR_BYTES_MAX: u32 = 4;

/// Longer texts aren't declared with a length: all such columns of a row share 65,535 bytes.
const VARCHAR_CHARS_MAX: u32 = 500;

/// The instants of TIMESTAMP, in microseconds since 1970: its second 0 stands for nothing.
const TIMESTAMP_MICROS: std::ops::RangeInclusive<i64> = 1_000_000..=2_147_483_647_999_999;

/// What a column of the catalogue tells about itself.
pub(super) struct Declared<'a> {
    /// `data_type`, in lower case.
    pub name: &'a str,
    /// `column_type`, with everything in brackets and `unsigned`.
    pub whole: &'a str,
    pub chars_max: Option<u64>,
    pub bytes_max: Option<u64>,
    pub precision: Option<u64>,
    pub scale: Option<u64>,
    pub second_digits: Option<u64>,
}

/// How a column's values come over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    Integer,
    /// `bit(1)`.
    Bit,
    Float,
    Double,
    Decimal,
    Text,
    Bytes,
    Date,
    Time,
    DateTime,
    Timestamp,
}

/// What a column means, and what it would change in a value that is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub native: Native,
    pub column_type: ColumnType,
    pub limits: Limits,
}

/// What a column changes without a word, so that we have to look before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    pub chars_max: Option<u32>,
    pub bytes_max: Option<u64>,
    /// Decimals of seconds, if fewer than microseconds.
    pub second_digits: Option<u32>,
    /// `char(n)`: blanks at the end are lost.
    pub strips_blanks: bool,
    /// `binary(n)`: shorter values are filled up.
    pub bytes_exact: Option<u64>,
    /// Why nothing can be written exactly at all.
    pub read_only: Option<&'static str>,
}

pub(super) fn meaning(declared: &Declared<'_>) -> Result<Meaning, String> {
    match declared.name {
        "decimal" | "numeric" => {
            let digits = |n: Option<u64>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            let scale = i32::try_from(digits(declared.scale)).unwrap_or(0);
            let column_type = decimal(digits(declared.precision), scale)?;
            Ok(Meaning::of(Native::Decimal, column_type))
        }
        other => number(declared)
            .or_else(|| text_or_bytes(declared))
            .or_else(|| moment(declared))
            .ok_or_else(|| {
                format!(
                    "the type {other} has no exact counterpart; \
                     read it through a view that casts it, for example to CHAR"
                )
            }),
    }
}

impl Meaning {
    /// A column that takes its values as they are.
    fn of(native: Native, column_type: ColumnType) -> Self {
        let limits = Limits::default();
        Self {
            native,
            column_type,
            limits,
        }
    }

    fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn only_read(self, reason: &'static str) -> Self {
        self.within(Limits {
            read_only: Some(reason),
            ..Limits::default()
        })
    }
}

fn number(declared: &Declared<'_>) -> Option<Meaning> {
    let is_unsigned = declared.whole.contains("unsigned");
    let integer = |signed, unsigned| {
        Meaning::of(Native::Integer, if is_unsigned { unsigned } else { signed })
    };
    // float(7,2) and the like round what is written.
    let float = |native, column_type| {
        let plain = Meaning::of(native, column_type);
        if declared.whole.contains('(') {
            plain.only_read("it rounds to the digits declared; declare it without")
        } else {
            plain
        }
    };
    Some(match declared.name {
        "tinyint" => integer(ColumnType::Int16, ColumnType::Int16),
        "smallint" => integer(ColumnType::Int16, ColumnType::Int32),
        "mediumint" => integer(ColumnType::Int32, ColumnType::Int32),
        "int" | "integer" => integer(ColumnType::Int32, ColumnType::Int64),
        "bigint" => integer(ColumnType::Int64, ColumnType::UInt64),
        "year" => integer(ColumnType::Int16, ColumnType::Int16)
            .only_read("YEAR holds few numbers; declare SMALLINT"),
        "bit" if declared.precision == Some(1) => Meaning::of(Native::Bit, ColumnType::Boolean),
        "float" => float(Native::Float, ColumnType::Float32),
        "double" => float(Native::Double, ColumnType::Float64),
        _ => return None,
    })
}

fn text_or_bytes(declared: &Declared<'_>) -> Option<Meaning> {
    let chars_max = declared.chars_max.and_then(|n| u32::try_from(n).ok());
    let bytes_max = declared.bytes_max;
    let text = |chars_max| Meaning::of(Native::Text, ColumnType::Text { chars_max });
    let bytes = Meaning::of(Native::Bytes, ColumnType::Bytes);
    Some(match declared.name {
        "varchar" => text(chars_max).within(Limits {
            chars_max,
            ..Limits::default()
        }),
        "char" => text(chars_max).within(Limits {
            chars_max,
            strips_blanks: true,
            ..Limits::default()
        }),
        "tinytext" | "text" | "mediumtext" | "longtext" => text(None).within(Limits {
            bytes_max,
            ..Limits::default()
        }),
        "enum" | "set" | "json" => text(None).only_read(
            "its type can be read but not written exactly; declare it as VARCHAR or TEXT",
        ),
        "binary" => bytes.within(Limits {
            bytes_exact: bytes_max,
            ..Limits::default()
        }),
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => bytes.within(Limits {
            bytes_max,
            ..Limits::default()
        }),
        _ => return None,
    })
}

fn moment(declared: &Declared<'_>) -> Option<Meaning> {
    let second_digits = declared.second_digits.and_then(|n| u32::try_from(n).ok());
    let to_the_digit = Limits {
        second_digits: Some(second_digits.unwrap_or(0)).filter(|digits| *digits < 6),
        ..Limits::default()
    };
    let (native, column_type, limits) = match declared.name {
        "date" => (Native::Date, ColumnType::Date, Limits::default()),
        "time" => (Native::Time, ColumnType::Time, to_the_digit),
        "datetime" => (Native::DateTime, ColumnType::Timestamp, to_the_digit),
        "timestamp" => (Native::Timestamp, ColumnType::Instant, to_the_digit),
        _ => return None,
    };
    Some(Meaning::of(native, column_type).within(limits))
}

/// Whether a column of `held` can be read as `wanted`. Truth values live in small integers, and each
/// value of them is checked when it is read.
pub(super) fn gives(held: ColumnType, wanted: ColumnType) -> Result<(), String> {
    if held == ColumnType::Int16 && wanted == ColumnType::Boolean {
        return Ok(());
    }
    holds(wanted, held).map_err(|_| format!("it is {held}, which can't be read as {wanted}"))
}

/// Whether a column can be written with values of `offered`.
pub(super) fn takes(held: &Meaning, offered: ColumnType) -> Result<(), String> {
    if let Some(reason) = held.limits.read_only {
        return Err(reason.to_owned());
    }
    if held.column_type == ColumnType::Int16 && offered == ColumnType::Boolean {
        return Ok(());
    }
    holds(held.column_type, offered)
}

/// The type to declare for a column that isn't part of a key.
pub(super) fn declared(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "TINYINT(1)".to_owned(),
        ColumnType::Int16 => "SMALLINT".to_owned(),
        ColumnType::Int32 => "INT".to_owned(),
        ColumnType::Int64 => "BIGINT".to_owned(),
        ColumnType::UInt64 => "BIGINT UNSIGNED".to_owned(),
        ColumnType::Float32 => "FLOAT".to_owned(),
        ColumnType::Float64 => "DOUBLE".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        ColumnType::Text {
            chars_max: Some(chars_max @ 1..=VARCHAR_CHARS_MAX),
        } => {
            format!("VARCHAR({chars_max})")
        }
        ColumnType::Text { .. } => "LONGTEXT".to_owned(),
        ColumnType::Bytes => "LONGBLOB".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Time => "TIME(6)".to_owned(),
        ColumnType::Timestamp => "DATETIME(6)".to_owned(),
        ColumnType::Instant => "TIMESTAMP(6)".to_owned(),
    }
}

/// The type to declare for a column of the key, of which `texts` are text or bytes and share what
/// the server indexes; or why it can't be part of one.
pub(super) fn declared_key(column_type: ColumnType, texts: u32) -> Result<String, String> {
    // Room is left for the key's other columns.
    let bytes = (KEY_BYTES_MAX - 256) / texts.max(1);
    match column_type {
        ColumnType::Text { chars_max } => {
            let chars = bytes / CHAR_BYTES_MAX;
            match chars_max {
                Some(wanted) if wanted > chars => Err(format!(
                    "MySQL can index at most {chars} characters of it; choose a shorter key"
                )),
                Some(wanted) => Ok(format!("VARCHAR({})", wanted.max(1))),
                None => Ok(format!("VARCHAR({})", chars.min(255))),
            }
        }
        ColumnType::Bytes => Ok(format!("VARBINARY({})", bytes.min(255))),
        other => Ok(declared(other)),
    }
}

/// The limits of a column declared like this.
pub(super) fn limits_of(declared: &str) -> Limits {
    let inside = declared
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    let length = inside.and_then(|length| length.parse::<u32>().ok());
    match declared.split('(').next() {
        Some("VARCHAR") => Limits {
            chars_max: length,
            ..Limits::default()
        },
        Some("VARBINARY") => Limits {
            bytes_max: length.map(Into::into),
            ..Limits::default()
        },
        _ => Limits::default(),
    }
}

/// The stored value as `wanted`, or what kind of value it is if it can't be carried.
pub(super) fn read(
    native: Native,
    held: ColumnType,
    wanted: ColumnType,
    stored: &Stored,
) -> Result<ValueRef<'_>, &'static str> {
    match (native, stored) {
        (_, Stored::NULL) => Ok(ValueRef::Null),
        (Native::Integer, Stored::Int(0) | Stored::UInt(0)) if wanted == ColumnType::Boolean => {
            Ok(ValueRef::Bool(false))
        }
        (Native::Integer, Stored::Int(1) | Stored::UInt(1)) if wanted == ColumnType::Boolean => {
            Ok(ValueRef::Bool(true))
        }
        (Native::Integer, _) if wanted == ColumnType::Boolean => Err("a number other than 0 and 1"),
        (Native::Integer, Stored::Int(v)) => Ok(ValueRef::Int(*v)),
        (Native::Integer, Stored::UInt(v)) => Ok(ValueRef::UInt(*v)),
        (Native::Bit, Stored::Bytes(v)) => Ok(ValueRef::Bool(v.iter().any(|byte| *byte != 0))),
        (Native::Float, Stored::Float(v)) => Ok(ValueRef::Float((*v).into())),
        (Native::Double, Stored::Double(v)) => Ok(ValueRef::Float(*v)),
        (Native::Decimal, Stored::Bytes(v)) => {
            let ColumnType::Decimal { precision, scale } = held else {
                return Err("a decimal number");
            };
            std::str::from_utf8(v)
                .ok()
                .and_then(|v| text::parse_decimal(v, precision, scale))
                .map(|unscaled| ValueRef::Decimal { unscaled, scale })
                .ok_or("a number with more digits")
        }
        (Native::Text, Stored::Bytes(v)) => std::str::from_utf8(v)
            .map(ValueRef::Text)
            .map_err(|_| "text that is not UTF-8"),
        (Native::Bytes, Stored::Bytes(v)) => Ok(ValueRef::Bytes(v)),
        (Native::Date, Stored::Date(year, month, day, ..)) => {
            days(*year, *month, *day).map(ValueRef::Date)
        }
        (Native::DateTime, stored) => stamp(stored).map(ValueRef::Timestamp),
        (Native::Timestamp, stored) => stamp(stored).map(ValueRef::Instant),
        (Native::Time, Stored::Time(is_negative, days, hours, minutes, seconds, micros)) => {
            let hours = i64::from(*days) * 24 + i64::from(*hours);
            let seconds = (hours * 60 + i64::from(*minutes)) * 60 + i64::from(*seconds);
            let total = seconds * MICROS_PER_SECOND + i64::from(*micros);
            if (*is_negative && total != 0) || total > MICROS_PER_DAY {
                return Err("a span of time, not a time of day");
            }
            Ok(ValueRef::Time(total))
        }
        _ => Err("of another type than the column declares"),
    }
}

fn days(year: u16, month: u8, day: u8) -> Result<i32, &'static str> {
    text::days_from_civil(year.into(), month.into(), day.into())
        .ok_or("a date that is none, such as 0000-00-00")
}

fn stamp(stored: &Stored) -> Result<i64, &'static str> {
    let Stored::Date(year, month, day, hours, minutes, seconds, micros) = stored else {
        return Err("of another type than the column declares");
    };
    let days = i64::from(days(*year, *month, *day)?);
    let seconds = (i64::from(*hours) * 60 + i64::from(*minutes)) * 60 + i64::from(*seconds);
    Ok(days * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + i64::from(*micros))
}

/// The value as it is bound, or what kind of value MySQL hasn't.
pub(super) fn bound(value: ValueRef<'_>) -> Result<Stored, &'static str> {
    Ok(match value {
        ValueRef::Null => Stored::NULL,
        ValueRef::Bool(v) => Stored::Int(v.into()),
        ValueRef::Int(v) => Stored::Int(v),
        ValueRef::UInt(v) => Stored::UInt(v),
        ValueRef::Float(v) if !v.is_finite() => return Err(NO_NUMBER),
        ValueRef::Float(v) => Stored::Double(v),
        ValueRef::Decimal { unscaled, scale } => {
            let mut out = String::new();
            text::write_decimal(&mut out, unscaled, scale);
            Stored::Bytes(out.into_bytes())
        }
        ValueRef::Text(v) => Stored::Bytes(v.as_bytes().to_vec()),
        ValueRef::Bytes(v) => Stored::Bytes(v.to_vec()),
        ValueRef::Date(v) => {
            let (year, month, day) = civil(v)?;
            Stored::Date(year, month, day, 0, 0, 0, 0)
        }
        ValueRef::Time(v) => {
            let (hours, minutes, seconds, micros) = clock(v)?;
            Stored::Time(
                false,
                u32::from(hours / 24),
                hours % 24,
                minutes,
                seconds,
                micros,
            )
        }
        ValueRef::Instant(v) if !TIMESTAMP_MICROS.contains(&v) => return Err(NO_INSTANT),
        ValueRef::Timestamp(v) | ValueRef::Instant(v) => {
            let (days, rest) = text::split_days(v).ok_or(BEYOND)?;
            let (year, month, day) = civil(days)?;
            let (hours, minutes, seconds, micros) = clock(rest)?;
            Stored::Date(year, month, day, hours, minutes, seconds, micros)
        }
    })
}

/// Appends the value as LOAD DATA reads it, or tells what kind of value MySQL hasn't. Texts and bytes need more than
/// that and are not written here.
pub(super) fn write_text(out: &mut String, value: ValueRef<'_>) -> Result<(), &'static str> {
    let fits = "a text takes all";
    match value {
        ValueRef::Bool(v) => out.push(if v { '1' } else { '0' }),
        ValueRef::Int(v) => write!(out, "{v}").expect(fits),
        ValueRef::UInt(v) => write!(out, "{v}").expect(fits),
        ValueRef::Float(v) if !v.is_finite() => return Err(NO_NUMBER),
        // The shortest digits that give the same number again.
        ValueRef::Float(v) => write!(out, "{v:e}").expect(fits),
        ValueRef::Decimal { unscaled, scale } => text::write_decimal(out, unscaled, scale),
        ValueRef::Date(v) => {
            civil(v)?;
            text::write_date(out, v).ok_or(BEYOND)?;
        }
        ValueRef::Time(v) => text::write_time(out, v).ok_or(BEYOND_A_DAY)?,
        ValueRef::Instant(v) if !TIMESTAMP_MICROS.contains(&v) => return Err(NO_INSTANT),
        ValueRef::Timestamp(v) | ValueRef::Instant(v) => {
            let (days, _) = text::split_days(v).ok_or(BEYOND)?;
            civil(days)?;
            text::write_timestamp(out, v).ok_or(BEYOND)?;
        }
        value @ (ValueRef::Null | ValueRef::Text(_) | ValueRef::Bytes(_)) => {
            return Err(kind_of(value));
        }
    }
    Ok(())
}

const NO_NUMBER: &str = "not a number or infinite, which MySQL has not";
const NO_INSTANT: &str = "an instant outside 1970 to 2038, which MySQL's TIMESTAMP has not";
const BEYOND_A_DAY: &str = "a time beyond one day";
const BEYOND: &str = "a date outside the years 1 to 9999";

fn civil(days: i32) -> Result<(u16, u8, u8), &'static str> {
    let (year, month, day) = text::civil_from_days(days);
    let year = u16::try_from(year)
        .ok()
        .filter(|year| (1..=9999).contains(year))
        .ok_or(BEYOND)?;
    let small = "months and days are small";
    Ok((
        year,
        u8::try_from(month).expect(small),
        u8::try_from(day).expect(small),
    ))
}

fn clock(micros: i64) -> Result<(u8, u8, u8, u32), &'static str> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return Err(BEYOND_A_DAY);
    }
    let seconds = micros / MICROS_PER_SECOND;
    let fits = "within one day";
    Ok((
        u8::try_from(seconds / 3_600).expect(fits),
        u8::try_from(seconds / 60 % 60).expect(fits),
        u8::try_from(seconds % 60).expect(fits),
        u32::try_from(micros % MICROS_PER_SECOND).expect(fits),
    ))
}

impl Limits {
    /// What the column would do to the value, if it would change it.
    pub(super) fn refusal(&self, value: ValueRef<'_>) -> Option<String> {
        match value {
            ValueRef::Text(v) => self.text_refusal(v),
            ValueRef::Bytes(v) => {
                let length = u64::try_from(v.len()).expect("a length fits");
                if self.bytes_exact.is_some_and(|exact| length != exact) {
                    return Some(
                        "it is shorter than the column, which would fill it up".to_owned(),
                    );
                }
                let bytes_max = self.bytes_max.filter(|max| length > *max)?;
                Some(format!(
                    "it is longer than the {bytes_max} bytes of the column"
                ))
            }
            ValueRef::Time(v) | ValueRef::Timestamp(v) | ValueRef::Instant(v) => {
                let digits = self.second_digits?;
                let kept = 10_i64.pow(6 - digits);
                (v % kept != 0).then(|| {
                    format!(
                        "it has more than the {digits} decimals of seconds that the column keeps"
                    )
                })
            }
            _ => None,
        }
    }

    fn text_refusal(&self, text: &str) -> Option<String> {
        // Counting characters is only worth while where they might be too many.
        let chars_max = self
            .chars_max
            .map(|max| usize::try_from(max).unwrap_or(usize::MAX));
        if let Some(chars_max) = chars_max
            && text.len() > chars_max
            && text.chars().count() > chars_max
        {
            return Some(format!(
                "it is longer than the {chars_max} characters of the column"
            ));
        }
        if self.strips_blanks && text.ends_with(' ') {
            return Some("it ends with a blank, which CHAR doesn't keep".to_owned());
        }
        let bytes_max = self
            .bytes_max
            .filter(|max| u64::try_from(text.len()).is_ok_and(|n| n > *max))?;
        Some(format!(
            "it is longer than the {bytes_max} bytes of the column"
        ))
    }
}

/// How a bound value is written in a comparison with a column: decimals, which are sent as text,
/// would otherwise be compared as floating point numbers.
pub(super) fn placeholder(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Decimal { scale, .. } => format!("CAST(? AS DECIMAL(65,{}))", scale.clamp(0, 30)),
        ValueRef::Text(_) => "CAST(? AS BINARY)".to_owned(),
        _ => "?".to_owned(),
    }
}

/// What kind of value can't be bound; only for filters, where nothing is stored.
pub(super) fn bound_in_filter(value: ValueRef<'_>) -> Result<Stored, String> {
    bound(value).map_err(|reason| format!("{} is compared that is {reason}", kind_of(value)))
}
