//! What a table's map says of its columns, and where each value lies in a row.

use super::event::{Rest, Unreadable, little};

/// Codes of the types that are told apart here.
pub(super) mod code {
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const OLD_TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const OLD_TIME: u8 = 11;
    pub const OLD_DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP: u8 = 17;
    pub const DATETIME: u8 = 18;
    pub const TIME: u8 = 19;
    /// MariaDB's columns that are compressed each by itself.
    pub const PACKED_BLOB: u8 = 140;
    pub const PACKED_VARCHAR: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const DECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// What the column names in a map's additional part come under.
const NAMES: u64 = 4;

/// Bytes of a decimal's digits that don't fill a group of nine.
const DIGIT_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// A column as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Logged {
    pub code: u8,
    /// Length, precision or the like; what it means depends on the type.
    pub first: u8,
    pub second: u8,
}

impl Logged {
    /// The greatest length of a text or of bytes.
    pub(super) fn length_max(self) -> u32 {
        match self.code {
            code::STRING => {
                let (first, second) = (u32::from(self.first), u32::from(self.second));
                // Two bits of long ones hide in the type's, inverted.
                if first == 0 {
                    second
                } else {
                    second | (((first & 0x30) ^ 0x30) << 4)
                }
            }
            _ => u32::from(self.first) | u32::from(self.second) << 8,
        }
    }
}

/// A table as it was when its rows were logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableMap {
    pub schema: Vec<u8>,
    pub name: Vec<u8>,
    pub columns: Vec<Logged>,
    /// Names of the columns, where the server tells them.
    pub names: Option<Vec<String>>,
}

impl TableMap {
    /// Database and table alone.
    pub(super) fn names_of(body: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
        let mut rest = Rest(body);
        Ok((name(&mut rest)?, name(&mut rest)?))
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let mut rest = Rest(body);
        let (schema, table) = (name(&mut rest)?, name(&mut rest)?);
        let width = rest.packed()?;
        let codes = rest.take(width)?;
        let length = rest.packed()?;
        let mut about = Rest(rest.take(length)?);
        let columns = codes.iter().map(|code| logged(*code, &mut about));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        rest.take(width.div_ceil(8))?;
        Ok(Self {
            schema: schema.to_vec(),
            name: table.to_vec(),
            columns,
            names: names(rest)?.filter(|names| names.len() == width),
        })
    }
}

fn name<'a>(rest: &mut Rest<'a>) -> Result<&'a [u8], Unreadable> {
    let length = rest.size(1)?;
    let name = rest.take(length)?;
    rest.take(1)?;
    Ok(name)
}

fn logged(code: u8, about: &mut Rest<'_>) -> Result<Logged, Unreadable> {
    use self::code as c;
    let count = match code {
        c::FLOAT
        | c::DOUBLE
        | c::TIMESTAMP
        | c::DATETIME
        | c::TIME
        | c::PACKED_BLOB
        | c::VECTOR
        | c::JSON
        | c::TINY_BLOB..=c::BLOB
        | c::GEOMETRY => 1,
        c::VARCHAR
        | c::BIT
        | c::PACKED_VARCHAR
        | c::DECIMAL
        | c::ENUM
        | c::SET
        | c::VAR_STRING
        | c::STRING => 2,
        c::TINY..=c::DOUBLE | c::OLD_TIMESTAMP..=c::NEWDATE => 0,
        _ => return Err(Unreadable),
    };
    let bytes = about.take(count)?;
    let (first, second) = (
        bytes.first().copied().unwrap_or(0),
        bytes.get(1).copied().unwrap_or(0),
    );
    // Enumerations and sets hide behind the type of short texts.
    let hidden = first | 0x30;
    let code = match code {
        c::STRING if first != 0 && matches!(hidden, c::ENUM | c::SET) => hidden,
        code => code,
    };
    Ok(Logged {
        code,
        first,
        second,
    })
}

fn names(mut rest: Rest<'_>) -> Result<Option<Vec<String>>, Unreadable> {
    while !rest.0.is_empty() {
        let kind = rest.number(1)?;
        let length = rest.packed()?;
        let mut part = Rest(rest.take(length)?);
        if kind != NAMES {
            continue;
        }
        let mut names = Vec::new();
        while !part.0.is_empty() {
            let length = part.packed()?;
            let name = part.take(length)?.to_vec();
            names.push(String::from_utf8(name).map_err(|_| Unreadable)?);
        }
        return Ok(Some(names));
    }
    Ok(None)
}

/// A value of a row, without the number that says its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    Null,
    Bytes(&'a [u8]),
    /// The event doesn't tell the column.
    Absent,
}

/// Takes one row off the front.
pub(super) fn take_row<'a>(
    rest: &mut Rest<'a>,
    columns: &[Logged],
    told: &[u8],
    out: &mut Vec<Stored<'a>>,
) -> Result<(), Unreadable> {
    out.clear();
    let is_set = |bits: &[u8], place: usize| {
        let byte = bits.get(place / 8).copied().unwrap_or(0);
        byte >> (place % 8) & 1 == 1
    };
    let count = (0..columns.len())
        .filter(|place| is_set(told, *place))
        .count();
    let nulls = rest.take(count.div_ceil(8))?;
    let mut place_told = 0;
    for (place, column) in columns.iter().enumerate() {
        if !is_set(told, place) {
            out.push(Stored::Absent);
            continue;
        }
        let is_null = is_set(nulls, place_told);
        place_told += 1;
        out.push(if is_null {
            Stored::Null
        } else {
            Stored::Bytes(take_value(rest, *column)?)
        });
    }
    Ok(())
}

fn take_value<'a>(rest: &mut Rest<'a>, column: Logged) -> Result<&'a [u8], Unreadable> {
    use self::code as c;
    let (first, second) = (usize::from(column.first), usize::from(column.second));
    let fraction = first.div_ceil(2);
    let length = match column.code {
        c::TINY | c::YEAR => 1,
        c::SHORT => 2,
        c::INT24 | c::DATE | c::NEWDATE | c::OLD_TIME => 3,
        c::LONG | c::FLOAT | c::OLD_TIMESTAMP => 4,
        c::LONGLONG | c::DOUBLE | c::OLD_DATETIME => 8,
        c::TIMESTAMP => 4 + fraction,
        c::DATETIME => 5 + fraction,
        c::TIME => 3 + fraction,
        c::BIT => second + usize::from(first > 0),
        c::ENUM | c::SET => second,
        c::DECIMAL => decimal_bytes(first, second)?,
        c::PACKED_BLOB | c::VECTOR | c::JSON | c::TINY_BLOB..=c::BLOB | c::GEOMETRY => {
            rest.size(first)?
        }
        c::VARCHAR | c::PACKED_VARCHAR | c::VAR_STRING | c::STRING => {
            rest.size(if column.length_max() < 256 { 1 } else { 2 })?
        }
        _ => return Err(Unreadable),
    };
    rest.take(length)
}

/// Bytes of a decimal of so many digits, of which so many stand behind the point.
fn decimal_bytes(precision: usize, scale: usize) -> Result<usize, Unreadable> {
    let whole = precision.checked_sub(scale).ok_or(Unreadable)?;
    let part = |digits: usize| digits / 9 * 4 + DIGIT_BYTES[digits % 9];
    Ok(part(whole) + part(scale))
}

/// The digits of a decimal as text; `None` if the bytes aren't one.
pub(super) fn decimal_text(bytes: &[u8], precision: usize, scale: usize) -> Option<String> {
    use std::fmt::Write as _;
    let whole = precision.checked_sub(scale)?;
    let mut bytes = bytes.to_vec();
    // The sign stands in the first bit, and a negative number is inverted.
    let is_negative = bytes.first()? & 0x80 == 0;
    bytes[0] ^= 0x80;
    if is_negative {
        for byte in &mut bytes {
            *byte = !*byte;
        }
    }
    let mut rest = Rest(&bytes);
    let mut out = String::with_capacity(precision + 3);
    if is_negative {
        out.push('-');
    }
    let mut group = |digits: usize, out: &mut String| {
        let group = rest.take(DIGIT_BYTES[digits]).ok()?;
        let number = group
            .iter()
            .fold(0_u32, |n, byte| n << 8 | u32::from(*byte));
        write!(out, "{number:0digits$}").ok()
    };
    out.push('0');
    if !whole.is_multiple_of(9) {
        group(whole % 9, &mut out)?;
    }
    for _ in 0..whole / 9 {
        group(9, &mut out)?;
    }
    if scale > 0 {
        out.push('.');
    }
    for _ in 0..scale / 9 {
        group(9, &mut out)?;
    }
    if !scale.is_multiple_of(9) {
        group(scale % 9, &mut out)?;
    }
    Some(out)
}

/// A fraction of a second in microseconds, kept with so many digits.
pub(super) fn micros(bytes: &[u8]) -> u32 {
    let number = bytes
        .iter()
        .fold(0_u32, |n, byte| n << 8 | u32::from(*byte));
    match bytes.len() {
        1 => number * 10_000,
        2 => number * 100,
        _ => number,
    }
}

/// A number of which the first byte counts most.
pub(super) fn big(bytes: &[u8]) -> u64 {
    let turned: Vec<u8> = bytes.iter().rev().copied().collect();
    little(&turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_to_the_last_digit() {
        // The example of the server's own source: 1234567890.1234 as decimal(14,4).
        let bytes = [0x81, 0x0D, 0xFB, 0x38, 0xD2, 0x04, 0xD2];
        assert_eq!(decimal_bytes(14, 4), Ok(bytes.len()));
        assert_eq!(decimal_text(&bytes, 14, 4).unwrap(), "01234567890.1234");
        let negative: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        assert_eq!(decimal_text(&negative, 14, 4).unwrap(), "-01234567890.1234");
        assert_eq!(decimal_text(&[0x80], 2, 2).unwrap(), "0.00");
        assert_eq!(decimal_bytes(2, 3), Err(Unreadable));
    }

    #[test]
    fn a_map_tells_lengths_names_and_hidden_types() {
        let mut body = b"\x01d\0\x01t\0\x03\x03\xfe\xfe\x04\xf7\x01\xce\xff\0".to_vec();
        body.extend_from_slice(b"\x04\x06\x01a\x01b\x01c");
        let map = TableMap::parse(&body).unwrap();
        assert_eq!(map.names.unwrap(), ["a", "b", "c"]);
        assert_eq!(map.columns[1].code, code::ENUM);
        // char(255) of four bytes each: 1020.
        assert_eq!(
            (map.columns[2].code, map.columns[2].length_max()),
            (code::STRING, 1_023)
        );
        for end in 0..14 {
            assert!(TableMap::parse(&body[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn values_that_are_not_told_are_told_apart_from_null() {
        let int = |code| Logged {
            code,
            first: 0,
            second: 0,
        };
        let columns = [int(code::TINY), int(code::SHORT), int(code::TINY)];
        let mut rest = Rest(&[0b01, 9]);
        let mut row = Vec::new();
        take_row(&mut rest, &columns, &[0b101], &mut row).unwrap();
        assert_eq!(row, [Stored::Null, Stored::Absent, Stored::Bytes(&[9])]);
        assert!(take_row(&mut Rest(&[0]), &columns, &[0b101], &mut row).is_err());
    }
}
