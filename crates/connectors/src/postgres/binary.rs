//! PostgreSQL's binary form of values, as in results, parameters and `COPY ... (FORMAT binary)`.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tongqu_domain::exchange::{ColumnType, ValueRef};

use crate::rows::kind_of;
use crate::text::{MICROS_PER_DAY, rescale};

/// Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 10_957 * MICROS_PER_DAY;

/// The first days that PostgreSQL has, and the first that it has no more: 4714-11-24 BC, 5874898-01-01.
const DAYS_MIN: i32 = -2_440_588;
const DAYS_END: i32 = 2_145_042_906;

/// What stands for `infinity` and `-infinity`, which lie beyond every date: the ends of our own numbers.
const FOREVER_DAYS: [i32; 2] = [i32::MIN, i32::MAX];
const FOREVER_MICROS: [i64; 2] = [i64::MIN, i64::MAX];

/// What opens and closes a stream of `COPY ... (FORMAT binary)`.
pub(super) const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
pub(super) const COPY_TRAILER: i16 = -1;

const INFINITE: &str = "infinite";
const BEYOND: &str = "a date or time beyond the range";

/// A value's bytes as they came.
pub(super) struct Raw<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A bound value, in the type that [`super::types::bound_type`] gives it.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub ValueRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            ValueRef::Null => return Ok(IsNull::Yes),
            ValueRef::UInt(v) => write_numeric(out, v.into(), 0),
            ValueRef::Decimal { unscaled, scale } => {
                let scale_up = i32::from(scale.min(0).unsigned_abs());
                let unscaled = rescale(unscaled, scale_up).ok_or("a number too large to bind")?;
                write_numeric(out, unscaled, scale.max(0).unsigned_abs().into());
            }
            ValueRef::Int(v) => out.put_i64(v),
            ValueRef::Float(v) => out.put_f64(v),
            other => write_plain(out, other)?,
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A bound value in the form of a staged column of this type, as in COPY.
#[derive(Debug)]
pub(super) struct Typed<'a>(pub ValueRef<'a>, pub ColumnType);

impl ToSql for Typed<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        if self.0.is_null() {
            return Ok(IsNull::Yes);
        }
        write_typed(out, self.0, self.1)?;
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

pub(super) fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

pub(super) fn read_date(bytes: &[u8]) -> Result<ValueRef<'static>, &'static str> {
    let days = fixed(bytes).map(i32::from_be_bytes).ok_or(BEYOND)?;
    if FOREVER_DAYS.contains(&days) {
        return Ok(ValueRef::Date(days));
    }
    days.checked_add(EPOCH_DAYS)
        .map(ValueRef::Date)
        .ok_or(BEYOND)
}

pub(super) fn read_stamp(bytes: &[u8]) -> Result<i64, &'static str> {
    let micros = fixed(bytes).map(i64::from_be_bytes).ok_or(BEYOND)?;
    if FOREVER_MICROS.contains(&micros) {
        return Ok(micros);
    }
    micros.checked_add(EPOCH_MICROS).ok_or(BEYOND)
}

/// A numeric: groups of four decimal digits, the first of weight 10000^`weight`, and `scale` digits
/// to be shown after the point.
pub(super) fn read_numeric(bytes: &[u8]) -> Result<ValueRef<'static>, &'static str> {
    const TOO_LONG: &str = "a number with more digits";
    let (head, groups) = bytes.split_at_checked(8).ok_or("a broken number")?;
    let number = |at: usize| i16::from_be_bytes([head[at], head[at + 1]]);
    let (weight, sign, scale) = (number(2), number(4).cast_unsigned(), number(6));
    let is_negative = match sign {
        0x0000 => false,
        0x4000 => true,
        0xC000 => return Err("not a number"),
        _ => return Err(INFINITE),
    };
    let mut unscaled: i128 = 0;
    for (position, group) in groups.chunks_exact(2).enumerate() {
        let group = i128::from(i16::from_be_bytes([group[0], group[1]]));
        let position = i32::try_from(position).map_err(|_| TOO_LONG)?;
        let shift = (i32::from(weight) - position) * 4 + i32::from(scale);
        let part = rescale(group, shift).ok_or(TOO_LONG)?;
        unscaled = unscaled.checked_add(part).ok_or(TOO_LONG)?;
    }
    let scale = i8::try_from(scale).map_err(|_| TOO_LONG)?;
    Ok(ValueRef::Decimal {
        unscaled: if is_negative { -unscaled } else { unscaled },
        scale,
    })
}

/// Appends a numeric of `scale` digits after the point, at most 38.
pub(super) fn write_numeric(out: &mut BytesMut, unscaled: i128, scale: u16) {
    let mut rest = unscaled.unsigned_abs();
    let mut groups = [0_u16; 12];
    let mut count = 0_usize;
    let mut take = |rest: &mut u128, unit: u128, fill: u128| {
        groups[count] = u16::try_from(*rest % unit * fill).expect("a group has four digits");
        *rest /= unit;
        count += 1;
    };
    // The last group holds what is left of the fraction, filled up with zeros.
    let odd_digits = u32::from(scale % 4);
    if odd_digits > 0 {
        take(
            &mut rest,
            10_u128.pow(odd_digits),
            10_u128.pow(4 - odd_digits),
        );
    }
    while rest > 0 {
        take(&mut rest, 10_000, 1);
    }
    let fraction_groups = scale.div_ceil(4);
    while count > 0 && groups[count - 1] == 0 {
        count -= 1;
    }
    let count = u16::try_from(count).expect("at most twelve groups");
    let weight = i32::from(count) - i32::from(fraction_groups) - 1;
    out.put_u16(count);
    out.put_i16(if count == 0 {
        0
    } else {
        i16::try_from(weight).expect("at most twelve groups")
    });
    out.put_u16(if unscaled < 0 { 0x4000 } else { 0 });
    out.put_u16(scale);
    for group in groups[..usize::from(count)].iter().rev() {
        out.put_u16(*group);
    }
}

/// Appends the bytes of a value whose form doesn't depend on the column.
fn write_plain(out: &mut BytesMut, value: ValueRef<'_>) -> Result<(), &'static str> {
    match value {
        ValueRef::Bool(v) => out.put_u8(v.into()),
        ValueRef::Text(v) if v.contains('\0') => {
            return Err("text with a NUL character, which PostgreSQL has not");
        }
        ValueRef::Text(v) => out.put_slice(v.as_bytes()),
        ValueRef::Bytes(v) => out.put_slice(v),
        ValueRef::Date(v) if (DAYS_MIN..DAYS_END).contains(&v) => out.put_i32(v - EPOCH_DAYS),
        ValueRef::Date(v) if FOREVER_DAYS.contains(&v) => out.put_i32(v),
        ValueRef::Time(v) => out.put_i64(v),
        ValueRef::Timestamp(v) | ValueRef::Instant(v) if FOREVER_MICROS.contains(&v) => {
            out.put_i64(v);
        }
        ValueRef::Timestamp(v) | ValueRef::Instant(v) => {
            out.put_i64(v.checked_sub(EPOCH_MICROS).ok_or(BEYOND)?);
        }
        ValueRef::Date(_) => return Err(BEYOND),
        other => return Err(kind_of(other)),
    }
    Ok(())
}

/// Appends a field of a COPY stream: its length and its bytes in the form of a staged `column_type`.
pub(super) fn write_field(
    out: &mut BytesMut,
    value: ValueRef<'_>,
    column_type: ColumnType,
) -> Result<(), &'static str> {
    if value.is_null() {
        out.put_i32(-1);
        return Ok(());
    }
    let start = out.len();
    out.put_i32(0);
    write_typed(out, value, column_type)?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| "a value beyond 2 GB")?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn write_typed(
    out: &mut BytesMut,
    value: ValueRef<'_>,
    column_type: ColumnType,
) -> Result<(), &'static str> {
    let range = "a number out of its range";
    match (column_type, value) {
        (ColumnType::Int16, ValueRef::Int(v)) => out.put_i16(i16::try_from(v).map_err(|_| range)?),
        (ColumnType::Int32, ValueRef::Int(v)) => out.put_i32(i32::try_from(v).map_err(|_| range)?),
        (ColumnType::Int64, ValueRef::Int(v)) => out.put_i64(v),
        (ColumnType::UInt64, ValueRef::UInt(v)) => write_numeric(out, v.into(), 0),
        (ColumnType::Float32, ValueRef::Float(v)) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a batch's single precision column gives nothing else"
            )]
            out.put_f32(v as f32);
        }
        (ColumnType::Float64, ValueRef::Float(v)) => out.put_f64(v),
        (ColumnType::Decimal { .. }, ValueRef::Decimal { unscaled, scale }) => {
            write_numeric(out, unscaled, scale.max(0).unsigned_abs().into());
        }
        (
            ColumnType::Boolean
            | ColumnType::Text { .. }
            | ColumnType::Bytes
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::Timestamp
            | ColumnType::Instant,
            value,
        ) => write_plain(out, value)?,
        (_, other) => return Err(kind_of(other)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(unscaled: i128, scale: u16) -> BytesMut {
        let mut out = BytesMut::new();
        write_numeric(&mut out, unscaled, scale);
        out
    }

    #[test]
    fn numerics_come_back_at_every_scale() {
        let largest = 10_i128.pow(38) - 1;
        for scale in 0..=38_u16 {
            for unscaled in [
                0,
                1,
                -1,
                9,
                10,
                9_999,
                10_000,
                123_456_789,
                -largest,
                largest,
            ] {
                let bytes = numeric(unscaled, scale);
                let Ok(ValueRef::Decimal {
                    unscaled: back,
                    scale: back_scale,
                }) = read_numeric(&bytes)
                else {
                    panic!("{unscaled} at {scale}");
                };
                assert_eq!((back, u16::try_from(back_scale)), (unscaled, Ok(scale)));
            }
        }
    }

    /// The bytes that the server itself sends for these (`numeric_send`).
    #[test]
    fn numerics_have_the_server_s_own_form() {
        let hex = |bytes: &[u8]| {
            bytes
                .chunks(2)
                .map(|b| format!("{:02x}{:02x}", b[0], b[1]))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            hex(&numeric(1_234_567, 2)),
            "0003 0001 0000 0002 0001 0929 1a2c"
        );
        assert_eq!(hex(&numeric(-5, 3)), "0001 ffff 4000 0003 0032");
        assert_eq!(hex(&numeric(0, 2)), "0000 0000 0000 0002");
    }

    #[test]
    fn what_is_no_finite_value_is_refused() {
        let not_a_number = [0, 0, 0, 0, 0xC0, 0, 0, 0];
        assert_eq!(read_numeric(&not_a_number).err(), Some("not a number"));
        assert_eq!(
            read_stamp(&(i64::MAX - 1).to_be_bytes()).err(),
            Some(BEYOND)
        );
    }
}
