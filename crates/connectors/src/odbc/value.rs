//! How values cross between a driver and us.

use std::fmt::Write as _;

use odbc_api::parameter::{InputParameter, VarBinaryBox, VarWCharBox};
use odbc_api::{IntoParameter, Nullable};
use tongqu_domain::exchange::{ColumnType, ValueRef};

use crate::rows::kind_of;
use crate::text;

/// The form in which the driver hands a value over: no other is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A 64-bit integer.
    Int,
    /// A double.
    Float,
    /// UTF-16.
    Text,
    Bytes,
}

/// What is selected for a column, and how it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wire {
    /// The expression in SQL.
    pub sql: String,
    pub form: Form,
    /// Whether a text begins with what it is, see [`read_tagged`].
    pub is_tagged: bool,
    /// As what a text is read, if not as the column's own type.
    pub read_as: Option<ColumnType>,
    /// The most units of a text or bytes; `None` if it may be any number.
    pub units_max: Option<usize>,
}

impl Wire {
    pub(super) fn new(sql: impl Into<String>, form: Form) -> Self {
        let units_max = match form {
            Form::Int | Form::Float => Some(8),
            Form::Text | Form::Bytes => None,
        };
        Self {
            sql: sql.into(),
            form,
            is_tagged: false,
            read_as: None,
            units_max,
        }
    }

    /// For values whose text is short: numbers, dates, times.
    pub(super) fn short_text(sql: impl Into<String>) -> Self {
        /// A decimal of 38 digits, a timestamp with a zone.
        const UNITS: usize = 48;
        Self {
            units_max: Some(UNITS),
            ..Self::new(sql, Form::Text)
        }
    }

    /// For text of at most so many characters.
    pub(super) fn text_of(sql: impl Into<String>, chars_max: Option<u32>) -> Self {
        // A character has one or two units of UTF-16.
        let units_max = chars_max.and_then(|chars| usize::try_from(chars).ok()?.checked_mul(2));
        Self {
            units_max,
            ..Self::new(sql, Form::Text)
        }
    }

    /// Read as this type, if it isn't the column's own.
    pub(super) fn read_as(self, column_type: ColumnType) -> Self {
        Self {
            read_as: Some(column_type),
            ..self
        }
    }

    pub(super) fn tagged(sql: impl Into<String>) -> Self {
        Self {
            is_tagged: true,
            ..Self::new(sql, Form::Text)
        }
    }
}

/// A value on its way to the driver.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null(Form),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// The value as a parameter of one statement.
    pub(super) fn into_parameter(self) -> Box<dyn InputParameter> {
        match self {
            Self::Null(Form::Int) => Box::new(Nullable::<i64>::null()),
            Self::Null(Form::Float) => Box::new(Nullable::<f64>::null()),
            Self::Null(Form::Text) => Box::new(VarWCharBox::null()),
            Self::Null(Form::Bytes) => Box::new(VarBinaryBox::null()),
            Self::Int(value) => Box::new(value.into_parameter()),
            Self::Float(value) => Box::new(value.into_parameter()),
            Self::Text(value) => {
                let units: Vec<u16> = value.encode_utf16().collect();
                Box::new(VarWCharBox::from_vec(units))
            }
            Self::Bytes(value) => Box::new(VarBinaryBox::from_vec(value)),
        }
    }
}

/// Where a value is bound in a statement: `?`, mostly within a cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub sql: String,
    pub form: Form,
}

impl Slot {
    pub(super) fn new(sql: impl Into<String>, form: Form) -> Self {
        Self {
            sql: sql.into(),
            form,
        }
    }
}

/// A bound value with its place in the statement.
pub(super) struct Param {
    pub place: String,
    pub cell: Cell,
}

/// The value as it is bound in `form` for a column of `column_type`, or what kind of value can't be.
pub(super) fn cell(
    value: ValueRef<'_>,
    column_type: ColumnType,
    form: Form,
) -> Result<Cell, &'static str> {
    let year = "a date outside the years 0 to 9999";
    let mut out = String::new();
    match (form, value) {
        (_, ValueRef::Null) => return Ok(Cell::Null(form)),
        (Form::Int, ValueRef::Bool(v)) => return Ok(Cell::Int(v.into())),
        (Form::Int, ValueRef::Int(v)) => return Ok(Cell::Int(v)),
        (Form::Int, ValueRef::UInt(v)) => {
            return i64::try_from(v).map(Cell::Int).map_err(|_| kind_of(value));
        }
        (Form::Float, ValueRef::Float(v)) => return Ok(Cell::Float(v)),
        (Form::Bytes, ValueRef::Bytes(v)) => return Ok(Cell::Bytes(v.to_vec())),
        (Form::Bytes, ValueRef::Text(v)) => return Ok(Cell::Bytes(v.as_bytes().to_vec())),
        (Form::Int | Form::Float | Form::Bytes, other) => return Err(kind_of(other)),
        (Form::Text, ValueRef::Text(v)) => out.push_str(v),
        (Form::Text, ValueRef::Bool(v)) => out.push(if v { '1' } else { '0' }),
        (Form::Text, ValueRef::Int(v)) => write!(out, "{v}").expect("a text takes all"),
        (Form::Text, ValueRef::UInt(v)) => write!(out, "{v}").expect("a text takes all"),
        (Form::Text, ValueRef::Float(v)) => write_float(&mut out, v),
        (Form::Text, ValueRef::Decimal { unscaled, scale }) => {
            let wanted = match column_type {
                ColumnType::Decimal { scale, .. } => scale,
                _ => scale,
            };
            let unscaled = text::rescale(unscaled, i32::from(wanted) - i32::from(scale));
            let unscaled = unscaled.ok_or("a number with more digits after the point")?;
            text::write_decimal(&mut out, unscaled, wanted);
        }
        (Form::Text, ValueRef::Bytes(v)) => write_hex(&mut out, v),
        (Form::Text, ValueRef::Date(v)) => text::write_date(&mut out, v).ok_or(year)?,
        (Form::Text, ValueRef::Time(v)) => {
            text::write_time(&mut out, v).ok_or("a time beyond one day")?;
        }
        (Form::Text, ValueRef::Timestamp(v)) => text::write_timestamp(&mut out, v).ok_or(year)?,
        (Form::Text, ValueRef::Instant(v)) => text::write_instant(&mut out, v).ok_or(year)?,
    }
    Ok(Cell::Text(out))
}

/// The shortest digits that give the same number, in a form that every database reads.
fn write_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        write!(out, "{value:e}").expect("a text takes all");
    }
}

fn write_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(out, "{byte:02X}").expect("a text takes all");
    }
}

fn read_hex(text: &str, out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    let digits = text.as_bytes();
    out.reserve(digits.len() / 2);
    let mut at = 0;
    while at + 1 < digits.len() {
        out.push(nibble(digits[at])? << 4 | nibble(digits[at + 1])?);
        at += 2;
    }
    (at == digits.len()).then_some(())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A text as a value of `column_type`, or what kind of text it is if it is none; `room` lends the room for bytes.
pub(super) fn read_text<'a>(
    given: &'a str,
    column_type: ColumnType,
    room: &'a mut Vec<u8>,
) -> Result<ValueRef<'a>, &'static str> {
    match column_type {
        ColumnType::Text { .. } => Ok(ValueRef::Text(given)),
        ColumnType::Boolean => match given {
            "0" => Ok(ValueRef::Bool(false)),
            "1" => Ok(ValueRef::Bool(true)),
            _ => Err("something other than 0 and 1"),
        },
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => given
            .parse()
            .map(ValueRef::Int)
            .map_err(|_| "text that is no integer"),
        ColumnType::UInt64 => given
            .parse()
            .map(ValueRef::UInt)
            .map_err(|_| "text that is no unsigned integer"),
        ColumnType::Float32 | ColumnType::Float64 => given
            .parse()
            .map(ValueRef::Float)
            .map_err(|_| "text that is no number"),
        ColumnType::Decimal { precision, scale } => text::parse_decimal(given, precision, scale)
            .map(|unscaled| ValueRef::Decimal { unscaled, scale })
            .ok_or("text that is no decimal number of this size"),
        ColumnType::Bytes => match read_hex(given, room) {
            Some(()) => Ok(ValueRef::Bytes(room)),
            None => Err("text that is no hexadecimal number"),
        },
        ColumnType::Date => text::parse_date(given)
            .map(ValueRef::Date)
            .ok_or("text that is no date YYYY-MM-DD"),
        ColumnType::Time => text::parse_time(given)
            .map(ValueRef::Time)
            .ok_or("text that is no time HH:MM:SS"),
        ColumnType::Timestamp => text::parse_timestamp(given)
            .map(ValueRef::Timestamp)
            .ok_or("text that is no YYYY-MM-DD HH:MM:SS without zone, to the microsecond at most"),
        // What the database was asked to show in UTC has no zone any more.
        ColumnType::Instant => text::parse_instant(given)
            .or_else(|| text::parse_timestamp(given))
            .map(ValueRef::Instant)
            .ok_or("text that is no date and time, to the microsecond at most"),
    }
}

/// As [`read_text`], of a text whose first character says what the database holds: `=` a value in plain text, `h` one
/// in hexadecimal bytes of UTF-8, `r` a double, `!` something else.
pub(super) fn read_tagged<'a>(
    given: &'a str,
    column_type: ColumnType,
    room: &'a mut Vec<u8>,
    scratch: &'a mut String,
) -> Result<ValueRef<'a>, &'static str> {
    let mut rest = given.chars();
    let tag = rest.next();
    let value = rest.as_str();
    match (tag, column_type) {
        (Some('h'), wanted) if wanted != ColumnType::Bytes => {
            read_hex(value, room).ok_or("text that is no hexadecimal number")?;
            let decoded = std::str::from_utf8(room).map_err(|_| "text that is not UTF-8")?;
            scratch.clear();
            scratch.push_str(decoded);
            read_text(scratch, column_type, room)
        }
        // The shortest text that gives the same double is what the database itself shows.
        (Some('r'), ColumnType::Decimal { .. }) => {
            let double: f64 = value.parse().map_err(|_| "text that is no number")?;
            scratch.clear();
            write!(scratch, "{double}").expect("a text takes all");
            read_text(scratch, column_type, room).map_err(|_| "a number with more digits")
        }
        (Some('=' | 'h' | 'r'), _) => read_text(value, column_type, room),
        _ => Err(match value {
            "integer" => "an integer",
            "real" => "a floating point number",
            "text" => "text",
            "blob" => "bytes",
            _ => "of a kind that isn't known",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_what_is_held() {
        let decimal = ColumnType::Decimal {
            precision: 6,
            scale: 2,
        };
        let text = ColumnType::Text { chars_max: None };
        let cases = [
            ("=-7", ColumnType::Int64, Ok(ValueRef::Int(-7))),
            ("h61C3A4", text, Ok(ValueRef::Text("aä"))),
            ("hFF", text, Err("text that is not UTF-8")),
            ("hF", text, Err("text that is no hexadecimal number")),
            ("h00FF", ColumnType::Bytes, Ok(ValueRef::Bytes(&[0, 255]))),
            (
                "r1.2300000000000000",
                decimal,
                Ok(ValueRef::Decimal {
                    unscaled: 123,
                    scale: 2,
                }),
            ),
            ("r1.234", decimal, Err("a number with more digits")),
            (
                "r-1.5e300",
                ColumnType::Float64,
                Ok(ValueRef::Float(-1.5e300)),
            ),
            ("!text", ColumnType::Int64, Err("text")),
            (
                "=2",
                ColumnType::Boolean,
                Err("something other than 0 and 1"),
            ),
        ];
        for (given, column_type, expected) in cases {
            let (mut room, mut scratch) = (Vec::new(), String::new());
            let read = read_tagged(given, column_type, &mut room, &mut scratch);
            assert_eq!(format!("{read:?}"), format!("{expected:?}"), "{given}");
        }
    }

    #[test]
    fn floats_are_written_so_that_they_come_back() {
        for value in [0.1, -0.0, f64::MIN_POSITIVE, f64::MAX, 1e-310, 123_456.75] {
            let double = ColumnType::Float64;
            let Ok(Cell::Text(text)) = cell(ValueRef::Float(value), double, Form::Text) else {
                panic!("a float is written as text");
            };
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
