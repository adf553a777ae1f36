//! The values and types that cross the border between a foreign table and the platform.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One value of a row, borrowed from wherever the row lies.
///
/// The variants are what every engine can carry exactly. Two values are the same for digest and
/// comparison when they mean the same: `Int(1)`, `UInt(1)` and `Decimal { unscaled: 10, scale: 1 }`
/// are one number. Text is compared byte by byte, so an empty text differs from NULL and from a space.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    /// SQL NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number, for engines that have them.
    UInt(u64),
    /// A binary floating point number.
    Float(f64),
    /// `unscaled * 10^-scale`, exactly.
    Decimal {
        /// The digits.
        unscaled: i128,
        /// Digits after the decimal point; negative for trailing zeros before it.
        scale: i8,
    },
    /// Text in UTF-8.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01T00:00:00 of a clock without a zone.
    Timestamp(i64),
    /// Microseconds since 1970-01-01T00:00:00 UTC.
    Instant(i64),
}

impl<'a> ValueRef<'a> {
    /// Whether the value is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a text value; `None` for every other type, NULL included.
    #[must_use]
    pub fn as_text(&self) -> Option<&'a str> {
        if let Self::Text(text) = *self {
            Some(text)
        } else {
            None
        }
    }

    /// The value as people write it: numbers in decimal without superfluous zeros, dates as
    /// `2026-10-01`, flags as `true` and `false`, text as it is.
    ///
    /// `None` where there is no one way to write it: NULL, floating point numbers, bytes, times of
    /// day, time stamps, and dates outside the years -9999 to 9999.
    #[must_use]
    pub fn plain_text(&self) -> Option<String> {
        match *self {
            Self::Bool(flag) => Some(flag.to_string()),
            Self::Int(number) => Some(number.to_string()),
            Self::UInt(number) => Some(number.to_string()),
            Self::Decimal { unscaled, scale } => Some(decimal_text(unscaled, scale)),
            Self::Text(text) => Some(text.to_owned()),
            Self::Date(days) => date_of(days).map(|date| date.to_string()),
            Self::Null
            | Self::Float(_)
            | Self::Bytes(_)
            | Self::Time(_)
            | Self::Timestamp(_)
            | Self::Instant(_) => None,
        }
    }

    /// A total order over all values: NULL, flags, exact numbers by their worth, floating point
    /// numbers (not-a-number last), text by its UTF-8 bytes, bytes, dates, times, time stamps,
    /// instants. Values of one column are of one type, so the order between types only keeps it total.
    #[must_use]
    pub fn total_cmp(&self, other: &ValueRef<'_>) -> Ordering {
        match (*self, *other) {
            (Self::Bool(a), ValueRef::Bool(b)) => a.cmp(&b),
            (Self::Float(a), ValueRef::Float(b)) => float_cmp(a, b),
            (Self::Text(a), ValueRef::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Bytes(a), ValueRef::Bytes(b)) => a.cmp(b),
            (Self::Date(a), ValueRef::Date(b)) => a.cmp(&b),
            (Self::Int(a), ValueRef::Int(b))
            | (Self::Time(a), ValueRef::Time(b))
            | (Self::Timestamp(a), ValueRef::Timestamp(b))
            | (Self::Instant(a), ValueRef::Instant(b)) => a.cmp(&b),
            (a, b) => match (a.exact_number(), b.exact_number()) {
                (Some(a), Some(b)) => decimal_cmp(a, b),
                _ => a.rank().cmp(&b.rank()),
            },
        }
    }

    /// Whether both mean the same, in the sense of [`ValueRef::total_cmp`].
    #[must_use]
    pub fn is_same(&self, other: &ValueRef<'_>) -> bool {
        self.total_cmp(other) == Ordering::Equal
    }

    /// `(unscaled, scale)` of an exact number.
    pub(super) fn exact_number(&self) -> Option<(i128, i8)> {
        match *self {
            Self::Int(number) => Some((i128::from(number), 0)),
            Self::UInt(number) => Some((i128::from(number), 0)),
            Self::Decimal { unscaled, scale } => Some((unscaled, scale)),
            Self::Null
            | Self::Bool(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::Date(_)
            | Self::Time(_)
            | Self::Timestamp(_)
            | Self::Instant(_) => None,
        }
    }

    /// The place of the type in the total order; exact numbers share one.
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::UInt(_) | Self::Decimal { .. } => 2,
            Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::Date(_) => 6,
            Self::Time(_) => 7,
            Self::Timestamp(_) => 8,
            Self::Instant(_) => 9,
        }
    }
}

/// Both zeros are one number: engines that store whole floats as integers lose the sign of zero.
fn float_cmp(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Compares `unscaled * 10^-scale` without losing a digit.
fn decimal_cmp(a: (i128, i8), b: (i128, i8)) -> Ordering {
    match a.1.cmp(&b.1) {
        Ordering::Equal => a.0.cmp(&b.0),
        Ordering::Greater => decimal_cmp(b, a).reverse(),
        Ordering::Less => {
            let digits = i16::from(b.1) - i16::from(a.1);
            // A product beyond 128 bits is larger than anything the other side can hold.
            match scale_up(a.0, digits) {
                Some(scaled) => scaled.cmp(&b.0),
                None => a.0.cmp(&0),
            }
        }
    }
}

/// `number * 10^digits`, or `None` if that doesn't fit; zero always fits.
pub(super) fn scale_up(number: i128, digits: i16) -> Option<i128> {
    if number == 0 {
        return Some(0);
    }
    let digits = u32::try_from(digits).ok()?;
    number.checked_mul(10_i128.checked_pow(digits)?)
}

/// Strips trailing zeros, so that equal numbers become equal pairs. Zero is `(0, 0)`.
pub(super) fn normalise_decimal(mut unscaled: i128, scale: i8) -> (i128, i16) {
    let mut scale = i16::from(scale);
    if unscaled == 0 {
        return (0, 0);
    }
    while unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    (unscaled, scale)
}

fn decimal_text(unscaled: i128, scale: i8) -> String {
    let (unscaled, scale) = normalise_decimal(unscaled, scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    match usize::try_from(scale) {
        Err(_) => format!(
            "{sign}{digits}{}",
            "0".repeat(usize::from(scale.unsigned_abs()))
        ),
        Ok(0) => format!("{sign}{digits}"),
        Ok(scale) if digits.len() > scale => {
            let (whole, part) = digits.split_at(digits.len() - scale);
            format!("{sign}{whole}.{part}")
        }
        Ok(scale) => format!("{sign}0.{digits:0>scale$}"),
    }
}

/// The civil date of a day number; `None` outside the years that have one.
fn date_of(days: i32) -> Option<Date> {
    Date::constant(1970, 1, 1)
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

/// The type of a column, as the platform keeps it.
///
/// Each connector maps its own types to these exactly or refuses the column with a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// -2^15 to 2^15 - 1.
    Int16,
    /// -2^31 to 2^31 - 1.
    Int32,
    /// -2^63 to 2^63 - 1.
    Int64,
    /// 0 to 2^64 - 1.
    #[serde(rename = "uint64")]
    UInt64,
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    Float64,
    /// An exact number.
    Decimal {
        /// All digits, at most 38.
        precision: u8,
        /// Digits after the decimal point.
        scale: i8,
    },
    /// Text.
    Text {
        /// The longest value in characters; `None` is unbounded.
        chars_max: Option<u32>,
    },
    /// Bytes.
    Bytes,
    /// A civil date.
    Date,
    /// A time of day in microseconds.
    Time,
    /// A date and time without a zone, in microseconds.
    Timestamp,
    /// An instant, in microseconds UTC.
    Instant,
}

impl ColumnType {
    /// Whether a value of this column may look like this: its type fits and its number lies within
    /// the range. NULL always fits; nullability and lengths are checked apart.
    #[must_use]
    pub fn accepts(self, value: &ValueRef<'_>) -> bool {
        if value.is_null() {
            return true;
        }
        match self {
            Self::Boolean => matches!(value, ValueRef::Bool(_)),
            Self::Int16 => whole_within(value, i128::from(i16::MIN), i128::from(i16::MAX)),
            Self::Int32 => whole_within(value, i128::from(i32::MIN), i128::from(i32::MAX)),
            Self::Int64 => whole_within(value, i128::from(i64::MIN), i128::from(i64::MAX)),
            Self::UInt64 => whole_within(value, 0, i128::from(u64::MAX)),
            Self::Float32 | Self::Float64 => matches!(value, ValueRef::Float(_)),
            Self::Decimal { precision, scale } => {
                value.exact_number().is_some_and(|(unscaled, own_scale)| {
                    fits_decimal(unscaled, own_scale, precision, scale)
                })
            }
            Self::Text { .. } => matches!(value, ValueRef::Text(_)),
            Self::Bytes => matches!(value, ValueRef::Bytes(_)),
            Self::Date => matches!(value, ValueRef::Date(_)),
            Self::Time => matches!(value, ValueRef::Time(_)),
            Self::Timestamp => matches!(value, ValueRef::Timestamp(_)),
            Self::Instant => matches!(value, ValueRef::Instant(_)),
        }
    }
}

fn whole_within(value: &ValueRef<'_>, min: i128, max: i128) -> bool {
    match *value {
        ValueRef::Int(number) => (min..=max).contains(&i128::from(number)),
        ValueRef::UInt(number) => (min..=max).contains(&i128::from(number)),
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::Float(_)
        | ValueRef::Decimal { .. }
        | ValueRef::Text(_)
        | ValueRef::Bytes(_)
        | ValueRef::Date(_)
        | ValueRef::Time(_)
        | ValueRef::Timestamp(_)
        | ValueRef::Instant(_) => false,
    }
}

/// Whether the number has at most `scale` digits after the point and `precision - scale` before it.
pub(super) fn fits_decimal(unscaled: i128, own_scale: i8, precision: u8, scale: i8) -> bool {
    let (digits, own_scale) = normalise_decimal(unscaled, own_scale);
    if own_scale > i16::from(scale) {
        return false;
    }
    let limit = 10_i128
        .checked_pow(u32::from(precision))
        .map_or(u128::MAX, i128::unsigned_abs);
    scale_up(digits, i16::from(scale) - own_scale)
        .is_some_and(|scaled| scaled.unsigned_abs() < limit)
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Int16 => f.write_str("int16"),
            Self::Int32 => f.write_str("int32"),
            Self::Int64 => f.write_str("int64"),
            Self::UInt64 => f.write_str("uint64"),
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Text { chars_max: None } => f.write_str("text"),
            Self::Text {
                chars_max: Some(chars),
            } => write!(f, "text({chars})"),
            Self::Bytes => f.write_str("bytes"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Instant => f.write_str("instant"),
        }
    }
}

/// A column of a table.
#[expect(
    clippy::struct_field_names,
    reason = "`type` is a keyword, and `column_type` is what it is called everywhere"
)]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name, as the engine spells it.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
    /// Whether NULL is allowed.
    pub nullable: bool,
}
