//! Texts of dates, times and decimals, written one way only, so that their order as text is their
//! order as values, and read strictly, so that nothing is guessed.

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The largest precision of a decimal, in digits: what 128 bits hold.
pub(crate) const DECIMAL_DIGITS_MAX: u8 = 38;

/// `one(item)` for each item, separated: how lists get into SQL.
pub(crate) fn joined<T>(
    items: impl IntoIterator<Item = T>,
    separator: &str,
    one: impl Fn(T) -> String,
) -> String {
    let mut out = String::new();
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push_str(separator);
        }
        out.push_str(&one(item));
    }
    out
}

/// The smallest text that is greater than every text beginning with `prefix`, in bytewise order;
/// `None` if there is none.
pub(crate) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // Skips the surrogates, which no text holds, and so keeps the order of code points.
        if let Some(next) = (u32::from(last) + 1..=0x0010_FFFF).find_map(char::from_u32) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// Days since 1970-01-01 of a civil date in the proleptic Gregorian calendar; `None` if the month
/// has no such day.
pub(crate) fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let fits = "the days of an i32 lie within some six million years";
    (
        i32::try_from(year).expect(fits),
        u32::try_from(month).expect(fits),
        u32::try_from(day).expect(fits),
    )
}

/// Splits microseconds into whole days and the rest of the day.
pub(crate) fn split_days(micros: i64) -> Option<(i32, i64)> {
    let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?;
    Some((days, micros.rem_euclid(MICROS_PER_DAY)))
}

/// Appends `YYYY-MM-DD`. `None`, with nothing usable appended, outside the years 0-9999, where the
/// text's order would no longer be that of the dates.
pub(crate) fn write_date(out: &mut String, days: i32) -> Option<()> {
    let (year, month, day) = civil_from_days(days);
    if !(0..=9999).contains(&year) {
        return None;
    }
    push_digits(out, year.unsigned_abs().into(), 4);
    out.push('-');
    push_digits(out, month.into(), 2);
    out.push('-');
    push_digits(out, day.into(), 2);
    Some(())
}

/// Appends `HH:MM:SS.ffffff`; 24:00:00 is allowed as the end of a day, `None` beyond and below zero.
pub(crate) fn write_time(out: &mut String, micros: i64) -> Option<()> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return None;
    }
    let micros = micros.unsigned_abs();
    let second = MICROS_PER_SECOND.unsigned_abs();
    let (seconds, fraction) = (micros / second, micros % second);
    push_digits(out, seconds / 3_600, 2);
    out.push(':');
    push_digits(out, seconds / 60 % 60, 2);
    out.push(':');
    push_digits(out, seconds % 60, 2);
    out.push('.');
    push_digits(out, fraction, 6);
    Some(())
}

/// Appends a number with at least `width` digits. Millions of them are written, so it goes without the formatter.
fn push_digits(out: &mut String, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while number > 0 || digits.len() - first < width {
        first -= 1;
        digits[first] = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[first..]).expect("digits are text"));
}

/// Appends `YYYY-MM-DD HH:MM:SS.ffffff`.
pub(crate) fn write_timestamp(out: &mut String, micros: i64) -> Option<()> {
    let (days, rest) = split_days(micros)?;
    write_date(out, days)?;
    out.push(' ');
    write_time(out, rest)
}

/// Appends `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
pub(crate) fn write_instant(out: &mut String, micros: i64) -> Option<()> {
    let (days, rest) = split_days(micros)?;
    write_date(out, days)?;
    out.push('T');
    write_time(out, rest)?;
    out.push('Z');
    Some(())
}

/// Appends a decimal with exactly `scale` digits after the point: `-0.50`.
pub(crate) fn write_decimal(out: &mut String, unscaled: i128, scale: i8) {
    if unscaled < 0 {
        out.push('-');
    }
    let point = usize::try_from(scale).unwrap_or(0);
    // Almost all of them are small.
    if let Ok(small) = u64::try_from(unscaled.unsigned_abs())
        && let Some(unit) = u32::try_from(scale)
            .ok()
            .and_then(|n| 10_u64.checked_pow(n))
    {
        push_digits(out, small / unit, 1);
        if point > 0 {
            out.push('.');
            push_digits(out, small % unit, point);
        }
        return;
    }
    let digits = unscaled.unsigned_abs().to_string();
    if point == 0 {
        out.push_str(&digits);
        // A negative scale stands for zeros before the point.
        out.extend(std::iter::repeat_n(
            '0',
            usize::from(scale.min(0).unsigned_abs()),
        ));
        return;
    }
    let digits = format!("{digits:0>width$}", width = point + 1);
    let split = digits.len() - point;
    out.push_str(&digits[..split]);
    out.push('.');
    out.push_str(&digits[split..]);
}

/// Reads a plain decimal (`-12.50`, also with an exponent) as an unscaled integer at `scale`.
/// `None` if it isn't one, has non-zero digits beyond the scale, or more digits than `precision`.
pub(crate) fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
    };
    let (is_negative, mantissa) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))?;
    }
    // Bring `fraction.len() - exponent` digits after the point to `scale` of them.
    let shift = i32::from(scale) - i32::try_from(fraction.len()).ok()? + exponent;
    let value = rescale(value, shift)?;
    let value = if is_negative { -value } else { value };
    fits_precision(value, precision).then_some(value)
}

/// `value` times ten to the `shift`; `None` if digits other than zero would fall away, or on overflow.
pub(crate) fn rescale(value: i128, shift: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        value.checked_mul(power)
    } else {
        (value % power == 0).then_some(value / power)
    }
}

/// Whether the integer has at most `precision` digits.
pub(crate) fn fits_precision(value: i128, precision: u8) -> bool {
    10_u128
        .checked_pow(u32::from(precision))
        .is_none_or(|limit| value.unsigned_abs() < limit)
}

/// Takes exactly `count` digits off the front.
fn take_digits(text: &mut &[u8], count: usize) -> Option<u32> {
    let (head, tail) = text.split_at_checked(count)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + u32::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
    }
    *text = tail;
    Some(value)
}

fn take_byte(text: &mut &[u8], one_of: &[u8]) -> Option<()> {
    let (first, tail) = text.split_first()?;
    one_of.contains(first).then(|| *text = tail)
}

fn take_date(text: &mut &[u8]) -> Option<i32> {
    let year = take_digits(text, 4)?;
    take_byte(text, b"-")?;
    let month = take_digits(text, 2)?;
    take_byte(text, b"-")?;
    let day = take_digits(text, 2)?;
    days_from_civil(i32::try_from(year).ok()?, month, day)
}

/// `HH:MM`, `HH:MM:SS` or with a fraction; digits beyond microseconds must be zero.
fn take_time(text: &mut &[u8]) -> Option<i64> {
    let hours = take_digits(text, 2)?;
    take_byte(text, b":")?;
    let minutes = take_digits(text, 2)?;
    let mut seconds = 0;
    let mut micros = 0;
    if take_byte(text, b":").is_some() {
        seconds = take_digits(text, 2)?;
        if take_byte(text, b".").is_some() {
            let mut unit = 100_000;
            let mut is_empty = true;
            while let Some(digit) = take_digits(text, 1) {
                is_empty = false;
                if unit == 0 && digit != 0 {
                    return None;
                }
                micros += i64::from(digit) * unit;
                unit /= 10;
            }
            if is_empty {
                return None;
            }
        }
    }
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let total = (i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds))
        * MICROS_PER_SECOND
        + micros;
    (total <= MICROS_PER_DAY).then_some(total)
}

/// `YYYY-MM-DD` as days since 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let mut rest = text.as_bytes();
    take_date(&mut rest).filter(|_| rest.is_empty())
}

/// `HH:MM[:SS[.ffffff]]` as microseconds since midnight.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    take_time(&mut rest).filter(|_| rest.is_empty())
}

fn take_timestamp(rest: &mut &[u8]) -> Option<i64> {
    let days = take_date(rest)?;
    let mut micros = 0;
    if !rest.is_empty() {
        take_byte(rest, b" T")?;
        micros = take_time(rest)?;
    }
    Some(i64::from(days) * MICROS_PER_DAY + micros)
}

/// `YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]]`, or the date alone for its midnight; a zone isn't accepted.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    take_timestamp(&mut rest).filter(|_| rest.is_empty())
}

/// A timestamp with `Z` or an offset `+HH:MM`, `+HHMM` or `+HH`, as microseconds since 1970 UTC.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let local = take_timestamp(&mut rest)?;
    if take_byte(&mut rest, b"Zz").is_some() {
        return rest.is_empty().then_some(local);
    }
    let sign = if take_byte(&mut rest, b"+").is_some() {
        1
    } else {
        take_byte(&mut rest, b"-").map(|()| -1)?
    };
    let hours = take_digits(&mut rest, 2)?;
    let _ = take_byte(&mut rest, b":");
    let minutes = if rest.is_empty() {
        0
    } else {
        take_digits(&mut rest, 2)?
    };
    if !rest.is_empty() || hours > 18 || minutes > 59 {
        return None;
    }
    Some(local - sign * (i64::from(hours) * 3_600 + i64::from(minutes) * 60) * MICROS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_comes_back() {
        let first = days_from_civil(0, 1, 1).unwrap();
        let last = days_from_civil(9999, 12, 31).unwrap();
        assert_eq!((first, last), (-719_528, 2_932_896));
        for days in first..=last {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), Some(days));
        }
        assert_eq!(
            civil_from_days(days_from_civil(2024, 2, 29).unwrap()),
            (2024, 2, 29)
        );
        assert_eq!(days_from_civil(2023, 2, 29), None);
    }

    #[test]
    fn times_are_written_one_way_and_read_strictly() {
        let mut out = String::new();
        write_instant(&mut out, 1_790_038_923_000_004).unwrap();
        assert_eq!(out, "2026-09-22T01:02:03.000004Z");
        assert_eq!(parse_instant(&out), Some(1_790_038_923_000_004));
        assert_eq!(
            parse_instant("2026-09-22T09:02:03.000004+08:00"),
            Some(1_790_038_923_000_004)
        );
        assert_eq!(
            parse_timestamp("2026-09-22 01:02"),
            Some(1_790_038_920_000_000)
        );
        assert_eq!(parse_timestamp("1969-12-31 23:59:59.999999"), Some(-1));
        for text in [
            "2026-09-22 01:02:03Z",
            "2026-9-2",
            "2026-02-30",
            "2026-09-22 24:00:01",
            "2026-09-22 01:02:03.0000001",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
        assert_eq!(parse_time("24:00:00"), Some(MICROS_PER_DAY));
        assert_eq!(parse_instant("2026-09-22 01:02:03"), None);
    }

    #[test]
    fn decimals_keep_every_digit_or_are_refused() {
        let written = |unscaled, scale| {
            let mut out = String::new();
            write_decimal(&mut out, unscaled, scale);
            out
        };
        assert_eq!(written(-5, 2), "-0.05");
        assert_eq!(written(1234, 2), "12.34");
        assert_eq!(written(7, 0), "7");
        assert_eq!(
            written(10_i128.pow(38) - 1, 38),
            format!("0.{}", "9".repeat(38))
        );
        assert_eq!(parse_decimal("-0.05", 10, 2), Some(-5));
        assert_eq!(parse_decimal("12.3", 10, 2), Some(1230));
        assert_eq!(parse_decimal("12.300", 10, 2), Some(1230));
        assert_eq!(parse_decimal("1e2", 10, 2), Some(10_000));
        assert_eq!(parse_decimal("12.345", 10, 2), None);
        assert_eq!(parse_decimal("123456789", 10, 2), None);
        for text in ["", "-", ".", "1.2.3", "0x1", "NaN", " 1"] {
            assert_eq!(parse_decimal(text, 10, 2), None, "{text}");
        }
    }

    #[test]
    fn a_prefix_ends_where_the_next_one_begins() {
        assert_eq!(prefix_end("41").as_deref(), Some("42"));
        assert_eq!(prefix_end("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(prefix_end(""), None);
        assert_eq!(prefix_end("\u{10FFFF}"), None);
    }
}
