//! Citizen identity number 公民身份号码, GB 11643-1999.

use std::fmt;

use jiff::civil::Date;

use super::CodeFault;

/// Factor of each of the first 17 digits: `2^(17 - place) mod 11`.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The check character by the weighted sum modulo 11.
const CHECK: &[u8; 11] = b"10X98765432";

/// A well-formed citizen identity number, its letter in capitals.
///
/// It prints masked in `Debug`, so that no log line carries it; `Display` and `as_str` give it whole.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdNumber {
    text: String,
    born_on: Date,
}

/// 性别 as the number tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// An even sequence number.
    Female,
    /// An odd sequence number.
    Male,
}

impl IdNumber {
    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The date of birth in it.
    #[must_use]
    pub fn born_on(&self) -> Date {
        self.born_on
    }

    /// The county-level division in which it was given, 6 digits. Divisions are abolished and
    /// renamed while numbers live on, so it isn't checked against today's.
    #[must_use]
    pub fn division(&self) -> &str {
        &self.text[..6]
    }

    /// The sex by the parity of digit 17.
    #[must_use]
    pub fn sex(&self) -> Sex {
        if (self.text.as_bytes()[16] - b'0').is_multiple_of(2) {
            Sex::Female
        } else {
            Sex::Male
        }
    }
}

impl fmt::Display for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdNumber(***)")
    }
}

/// Checks a citizen identity number: length, characters, date of birth up to and including `today`,
/// check character. A small `x` is taken for the capital.
///
/// Errors: the `IdNumber...` variants of [`CodeFault`].
pub fn check_id_number(text: &str, today: Date) -> Result<IdNumber, CodeFault> {
    let (born_on, check) = verify(text, today)?;
    let mut text = text[..17].to_owned();
    text.push(check);
    Ok(IdNumber { text, born_on })
}

/// The check without a copy of the number, for millions of rows.
pub(crate) fn verify(text: &str, today: Date) -> Result<(Date, char), CodeFault> {
    if text.chars().count() != 18 {
        return Err(CodeFault::IdNumberLength);
    }
    let bytes = text.as_bytes();
    let given = bytes.get(17).map_or(0, u8::to_ascii_uppercase);
    if bytes.len() != 18
        || !bytes[..17].iter().all(u8::is_ascii_digit)
        || !(given.is_ascii_digit() || given == b'X')
    {
        return Err(CodeFault::IdNumberCharacter);
    }
    let born_on = birth_date(&bytes[6..14]).ok_or(CodeFault::IdNumberBirthDate)?;
    if born_on > today {
        return Err(CodeFault::IdNumberBornInFuture);
    }
    let sum: u32 = bytes
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let index = usize::try_from(sum % 11).expect("a remainder of 11");
    if CHECK[index] != given {
        return Err(CodeFault::IdNumberCheck);
    }
    Ok((born_on, char::from(given)))
}

fn birth_date(digits: &[u8]) -> Option<Date> {
    let number = |range: std::ops::Range<usize>| {
        digits[range]
            .iter()
            .fold(0_i16, |number, digit| number * 10 + i16::from(digit - b'0'))
    };
    let month = i8::try_from(number(4..6)).ok()?;
    let day = i8::try_from(number(6..8)).ok()?;
    Date::new(number(0..4), month, day).ok()
}
