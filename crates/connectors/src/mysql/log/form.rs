//! How the log has a column's values, and how they are read: made into what the driver gives for the same value when
//! the table is read, and from there on the same way.

use std::sync::Arc;

use mysql_async::Value as Driver;
use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::super::types::{self, Meaning, Native};
use super::charset::Charset;
use super::event::little;
use super::rows::{Logged, big, code, decimal_text, micros};
use crate::log::layout;

/// What a value's bytes are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Integer {
        is_unsigned: bool,
    },
    Year,
    Bit,
    Float,
    Double,
    Decimal {
        precision: usize,
        scale: usize,
    },
    Text {
        charset: Charset,
        is_char: bool,
    },
    /// By the number of a member.
    Enumeration(Arc<[String]>),
    /// By a bit for each member.
    Set(Arc<[String]>),
    Bytes {
        exactly: Option<usize>,
    },
    Date,
    Time,
    DateTime,
    Timestamp,
    /// In a form of its own: the row is read again.
    Again,
}

/// A column of a table as the catalogue has it now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Declared {
    pub name: String,
    /// `data_type`, in lower case.
    pub type_name: String,
    /// `column_type`, as it is.
    pub whole: String,
    pub bytes_max: Option<u64>,
    pub charset: Option<Charset>,
    pub meaning: Result<Meaning, String>,
    /// Computed when it is read, and never logged.
    pub is_virtual: bool,
}

impl Declared {
    /// Errors: why the type can't be read from the log, though its table can.
    pub(super) fn kind(&self) -> Result<Kind, String> {
        let meaning = self.meaning.as_ref().map_err(Clone::clone)?;
        if self.is_virtual {
            return Err(
                "the database computes it itself when it is read, and the change log doesn't tell it"
                    .to_owned(),
            );
        }
        let is_unsigned = self.whole.to_lowercase().contains("unsigned");
        Ok(match (meaning.native, self.type_name.as_str()) {
            (Native::Integer, "year") => Kind::Year,
            (Native::Integer, _) => Kind::Integer { is_unsigned },
            (Native::Bit, _) => Kind::Bit,
            (Native::Float, _) => Kind::Float,
            (Native::Double, _) => Kind::Double,
            (Native::Decimal, _) => {
                let ColumnType::Decimal { precision, scale } = meaning.column_type else {
                    return Ok(Kind::Again);
                };
                Kind::Decimal {
                    precision: precision.into(),
                    scale: usize::try_from(scale).unwrap_or(0),
                }
            }
            (Native::Text, "enum") => Kind::Enumeration(members(&self.whole).into()),
            (Native::Text, "set") => Kind::Set(members(&self.whole).into()),
            // MySQL's own form of JSON; MariaDB's is a text.
            (Native::Text, "json") => Kind::Again,
            // MariaDB's columns that are compressed each by itself.
            (Native::Text | Native::Bytes, _) if self.whole.contains("/*") => Kind::Again,
            (Native::Text, type_name) => match &self.charset {
                Some(charset) => Kind::Text {
                    charset: charset.clone(),
                    is_char: type_name == "char",
                },
                None => Kind::Again,
            },
            (Native::Bytes, "binary") => Kind::Bytes {
                exactly: self.bytes_max.and_then(|n| usize::try_from(n).ok()),
            },
            (Native::Bytes, _) => Kind::Bytes { exactly: None },
            (Native::Date, _) => Kind::Date,
            (Native::Time, _) => Kind::Time,
            (Native::DateTime, _) => Kind::DateTime,
            (Native::Timestamp, _) => Kind::Timestamp,
        })
    }

    /// Whether rows of this column can look like that in the log.
    pub(super) fn fits(&self, logged: Logged) -> bool {
        use super::rows::code as c;
        let lengths = |code| logged.code == code && self.is_as_long(logged);
        match self.type_name.as_str() {
            "tinyint" => logged.code == c::TINY,
            "smallint" => logged.code == c::SHORT,
            "mediumint" => logged.code == c::INT24,
            "int" | "integer" => logged.code == c::LONG,
            "bigint" => logged.code == c::LONGLONG,
            "year" => logged.code == c::YEAR,
            "bit" => logged.code == c::BIT,
            "float" => logged.code == c::FLOAT,
            "double" => logged.code == c::DOUBLE,
            "decimal" | "numeric" => {
                let digits = |byte: u8| usize::from(byte);
                let (precision, scale) = (digits(logged.first), digits(logged.second));
                logged.code == c::DECIMAL
                    && self
                        .kind()
                        .map_or(true, |kind| kind == Kind::Decimal { precision, scale })
            }
            "varchar" | "varbinary" => {
                lengths(c::VARCHAR) || lengths(c::VAR_STRING) || logged.code == c::PACKED_VARCHAR
            }
            "char" | "binary" => lengths(c::STRING),
            "enum" => logged.code == c::ENUM,
            "set" => logged.code == c::SET,
            "tinytext" | "tinyblob" => is_blob(logged, 1),
            "text" | "blob" => is_blob(logged, 2),
            "mediumtext" | "mediumblob" => is_blob(logged, 3),
            "longtext" | "longblob" => is_blob(logged, 4),
            "json" => logged.code == c::JSON,
            "date" => matches!(logged.code, c::DATE | c::NEWDATE),
            "time" => self.is_moment(logged, c::TIME, c::OLD_TIME),
            "datetime" => self.is_moment(logged, c::DATETIME, c::OLD_DATETIME),
            "timestamp" => self.is_moment(logged, c::TIMESTAMP, c::OLD_TIMESTAMP),
            // Not carried: it only has to be passed over.
            _ => true,
        }
    }

    fn is_as_long(&self, logged: Logged) -> bool {
        let length_max = u64::from(logged.length_max());
        self.bytes_max.is_none_or(|bytes| bytes == length_max)
    }

    /// As many digits of seconds. The forms of old servers have none.
    fn is_moment(&self, logged: Logged, code: u8, old: u8) -> bool {
        let digits = self.whole.split(['(', ')']).nth(1);
        let digits: u8 = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
        (logged.code == code && logged.first == digits) || (logged.code == old && digits == 0)
    }
}

fn is_blob(logged: Logged, length: u8) -> bool {
    let is_blob = matches!(logged.code, code::TINY_BLOB..=code::BLOB);
    (is_blob && logged.first == length) || logged.code == code::PACKED_BLOB
}

/// The members of `enum('a','b')` or `set(...)`.
fn members(whole: &str) -> Vec<String> {
    let mut members = Vec::new();
    let mut chars = whole.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\'' {
            continue;
        }
        let mut member = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.peek() == Some(&'\'') => member.extend(chars.next()),
                '\'' => break,
                '\\' => member.extend(chars.next().map(|c| match c {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '0' => '\0',
                    'Z' => '\u{1a}',
                    other => other,
                })),
                other => member.push(other),
            }
        }
        members.push(member);
    }
    members
}

/// How a wanted column is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// In the row.
    pub at: usize,
    pub kind: Kind,
    pub native: Native,
    /// The type that it has in the table, and the one that is wanted.
    pub held: ColumnType,
    pub wanted: ColumnType,
    /// The form in which it was logged.
    pub logged: Logged,
}

/// A value as the driver would give it.
pub(super) struct Scratch(Driver);

impl Default for Scratch {
    fn default() -> Self {
        Self(Driver::NULL)
    }
}

impl layout::Form for Column {
    type Scratch = Scratch;

    fn read<'a>(
        &'a self,
        bytes: &'a [u8],
        scratch: &'a mut Scratch,
    ) -> Result<ValueRef<'a>, &'static str> {
        if let (Native::Bytes, Kind::Bytes { exactly: None }) = (self.native, &self.kind) {
            return Ok(ValueRef::Bytes(bytes));
        }
        scratch.0 = self.driver_value(bytes)?;
        types::read(self.native, self.held, self.wanted, &scratch.0)
    }
}

const ODD: &str = "of another form than its type has";

impl Column {
    fn driver_value(&self, bytes: &[u8]) -> Result<Driver, &'static str> {
        Ok(match &self.kind {
            Kind::Integer { is_unsigned: true } => Driver::UInt(little(bytes)),
            Kind::Integer { is_unsigned: false } => Driver::Int(signed(bytes)),
            Kind::Year => match little(bytes) {
                0 => Driver::UInt(0),
                year => Driver::UInt(1_900 + year),
            },
            Kind::Float => Driver::Float(f32::from_le_bytes(bytes.try_into().map_err(|_| ODD)?)),
            Kind::Double => Driver::Double(f64::from_le_bytes(bytes.try_into().map_err(|_| ODD)?)),
            Kind::Decimal { precision, scale } => {
                let text = decimal_text(bytes, *precision, *scale).ok_or(ODD)?;
                Driver::Bytes(text.into_bytes())
            }
            Kind::Text { charset, is_char } => {
                let text = charset.decode(bytes)?;
                let text = if *is_char {
                    text.trim_end_matches(' ')
                } else {
                    &text
                };
                Driver::Bytes(text.as_bytes().to_vec())
            }
            Kind::Enumeration(members) => {
                let number = usize::try_from(little(bytes)).map_err(|_| ODD)?;
                // What was no member became number 0, which reads as nothing.
                let member = match number.checked_sub(1) {
                    Some(place) => members.get(place).ok_or(ODD)?,
                    None => "",
                };
                Driver::Bytes(member.as_bytes().to_vec())
            }
            Kind::Set(members) => {
                let bits = little(bytes);
                let is_in = |place: &usize| bits >> place & 1 == 1;
                let chosen: Vec<&str> = (0..64_usize)
                    .filter(is_in)
                    .map(|place| members.get(place).map(String::as_str).ok_or(ODD))
                    .collect::<Result<_, _>>()?;
                Driver::Bytes(chosen.join(",").into_bytes())
            }
            Kind::Bit => Driver::Bytes(bytes.to_vec()),
            Kind::Bytes { exactly } => {
                let mut bytes = bytes.to_vec();
                // Zeros at the end aren't logged.
                bytes.resize(exactly.unwrap_or(bytes.len()).max(bytes.len()), 0);
                Driver::Bytes(bytes)
            }
            Kind::Date => date(little(bytes)),
            Kind::Time => self.time(bytes)?,
            Kind::DateTime => self.datetime(bytes)?,
            Kind::Timestamp => self.timestamp(bytes)?,
            Kind::Again => return Err(ODD),
        })
    }

    fn time(&self, bytes: &[u8]) -> Result<Driver, &'static str> {
        const ZERO: u64 = 0x80_0000;
        // Negative ones only have to be told apart.
        let negative = Driver::Time(true, 0, 0, 0, 1, 0);
        if self.logged.code == code::OLD_TIME {
            let time = signed(bytes);
            let Ok(time) = u32::try_from(time) else {
                return Ok(negative);
            };
            return Ok(clock(time / 10_000, time / 100 % 100, time % 100, 0));
        }
        let (whole, fraction) = bytes.split_at_checked(3).ok_or(ODD)?;
        let Some(time) = big(whole).checked_sub(ZERO) else {
            return Ok(negative);
        };
        let time = u32::try_from(time).map_err(|_| ODD)?;
        Ok(clock(
            time >> 12,
            time >> 6 & 63,
            time & 63,
            micros(fraction),
        ))
    }

    fn datetime(&self, bytes: &[u8]) -> Result<Driver, &'static str> {
        const ZERO: u64 = 1 << 39;
        if self.logged.code == code::OLD_DATETIME {
            let digits = little(bytes);
            let part = |unit: u64, below: u64| digits / unit % below;
            return moment(
                [
                    part(10_000_000_000, 10_000),
                    part(100_000_000, 100),
                    part(1_000_000, 100),
                ],
                [part(10_000, 100), part(100, 100), part(1, 100)],
                0,
            );
        }
        let (whole, fraction) = bytes.split_at_checked(5).ok_or(ODD)?;
        let whole = big(whole).checked_sub(ZERO).ok_or(ODD)?;
        let (day, time) = (whole >> 17, whole & 0x1_FFFF);
        let month = day >> 5;
        moment(
            [month / 13, month % 13, day & 31],
            [time >> 12, time >> 6 & 63, time & 63],
            micros(fraction),
        )
    }

    /// In UTC, as the sessions that read tables have it.
    fn timestamp(&self, bytes: &[u8]) -> Result<Driver, &'static str> {
        let (seconds, fraction) = bytes.split_at_checked(4).ok_or(ODD)?;
        let seconds = if self.logged.code == code::OLD_TIMESTAMP {
            little(seconds)
        } else {
            big(seconds)
        };
        let micros = micros(fraction);
        // The second 0 stands for no moment.
        if seconds == 0 && micros == 0 {
            return moment([0, 0, 0], [0, 0, 0], 0);
        }
        let days = i32::try_from(seconds / 86_400).map_err(|_| ODD)?;
        let (year, month, day) = crate::text::civil_from_days(days);
        let year = u64::try_from(year).map_err(|_| ODD)?;
        let time = seconds % 86_400;
        moment(
            [year, month.into(), day.into()],
            [time / 3_600, time / 60 % 60, time % 60],
            micros,
        )
    }
}

fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * u32::try_from(bytes.len().clamp(1, 8)).unwrap_or(8);
    (little(bytes) << unused).cast_signed() >> unused
}

fn date(packed: u64) -> Driver {
    let small = |number: u64| u8::try_from(number).unwrap_or(0);
    let year = u16::try_from(packed >> 9).unwrap_or(0);
    Driver::Date(
        year,
        small(packed >> 5 & 15),
        small(packed & 31),
        0,
        0,
        0,
        0,
    )
}

fn clock(hours: u32, minutes: u32, seconds: u32, micros: u32) -> Driver {
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    Driver::Time(
        false,
        hours / 24,
        small(hours % 24),
        small(minutes),
        small(seconds),
        micros,
    )
}

fn moment(day: [u64; 3], time: [u64; 3], micros: u32) -> Result<Driver, &'static str> {
    let small = |number: u64| u8::try_from(number).map_err(|_| ODD);
    let year = u16::try_from(day[0]).map_err(|_| ODD)?;
    Ok(Driver::Date(
        year,
        small(day[1])?,
        small(day[2])?,
        small(time[0])?,
        small(time[1])?,
        small(time[2])?,
        micros,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_they_were_declared() {
        assert_eq!(
            members("enum('no','Yes','it''s','a,b','\\n')"),
            ["no", "Yes", "it's", "a,b", "\n"]
        );
        assert_eq!(members("set('')"), [""]);
    }

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(signed(&[0x80]), -128);
        assert_eq!(signed(&[0xFF, 0xFF, 0x7F]), 8_388_607);
        assert_eq!(signed(&[0, 0, 0x80]), -8_388_608);
        assert_eq!(signed(&i64::MIN.to_le_bytes()), i64::MIN);
    }
}
