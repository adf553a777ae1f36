//! The codes that identify people, organisations, places and resources.
//!
//! Each code is a type that can only be made by its `parse`: inside, nobody checks again. A fault is
//! a [`CodeFault`], whose code says which rule of which standard failed and never the value. This
//! room knows no register: a code that passes is well formed, not proven to exist.
//!
//! A new type of organisation starts in `credit_code.rs`. Standards: GB 11643 (citizen identity
//! number), GB 32100 and GB 11714 (unified social credit code with the organisation code inside),
//! GB/T 2260 (division codes), the national catalogue guide (resource code).
//! Spec: YC-16.2 (natural and legal persons are keyed by these numbers), TP-16.

mod credit_code;
mod division;
mod id_number;
mod resource;
#[cfg(test)]
mod tests;

pub use credit_code::CreditCode;
pub use division::{DivisionCode, DivisionLevel, PROVINCES};
pub use id_number::{IdNumber, Sex, check_id_number};
pub use resource::{CLASS_CODE_CHARS_MAX, ClassCode, ResourceCode, SEQUENCE_DIGITS_MAX};

pub(crate) use credit_code::verify as verify_credit_code;
pub(crate) use division::verify_statistical as verify_statistical_division;
pub(crate) use id_number::verify as verify_id_number;

use crate::kind::Kind;

/// The rule a code breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CodeFault {
    /// GB 11643: 18 characters; the 15-digit numbers ended in 2013.
    #[error("a citizen identity number has 18 characters")]
    IdNumberLength,
    /// GB 11643: 17 digits, then a digit or X.
    #[error("a citizen identity number has 17 digits and then a digit or X")]
    IdNumberCharacter,
    /// GB 11643: digits 7 to 14 are a day of the calendar.
    #[error("the date of birth in the citizen identity number isn't a day of the calendar")]
    IdNumberBirthDate,
    /// Nobody is born tomorrow.
    #[error("the date of birth in the citizen identity number lies in the future")]
    IdNumberBornInFuture,
    /// GB 11643: ISO 7064 MOD 11-2.
    #[error("the last character of the citizen identity number doesn't agree with the others")]
    IdNumberCheck,
    /// GB 32100: 18 characters.
    #[error("a unified social credit code has 18 characters")]
    CreditCodeLength,
    /// GB 32100: digits and capital letters without I, O, S, V, Z; digits 3 to 8 are a division.
    #[error(
        "a unified social credit code has digits and letters without I, O, S, V, Z, and a division in places 3 to 8"
    )]
    CreditCodeCharacter,
    /// GB 32100: the registering authority and the type of organisation.
    #[error(
        "the first two characters of the unified social credit code name no known authority and type"
    )]
    CreditCodeType,
    /// GB 11714: the check character of the organisation code inside.
    #[error(
        "place 17 of the unified social credit code doesn't agree with the organisation code in it"
    )]
    CreditCodeOrganisation,
    /// GB 32100: modulus 31.
    #[error("the last character of the unified social credit code doesn't agree with the others")]
    CreditCodeCheck,
    /// 6, 9 or 12 digits; a check may ask for 12.
    #[error("a division code has 6, 9 or 12 digits; the statistical one has 12")]
    DivisionCodeLength,
    /// Digits only.
    #[error("a division code has digits only")]
    DivisionCodeCharacter,
    /// GB/T 2260: no province begins like this.
    #[error("no province has the first two digits of the division code")]
    DivisionCodeProvince,
    /// The national catalogue guide: 类 1-3, 项 2 digits, 目 3 digits, 细目.
    #[error("a class code is 1, 2 or 3, then 5 digits, then any letters or digits")]
    ClassCodePattern,
    /// The national catalogue guide: class code, `/`, sequence number.
    #[error("a resource code is a class code, a slash and a sequence number of digits")]
    ResourceCodePattern,
    /// The value isn't text at all.
    #[error("the code has to be stored as text")]
    NotText,
}

impl CodeFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::IdNumberLength => "id_number.length",
            Self::IdNumberCharacter => "id_number.character",
            Self::IdNumberBirthDate => "id_number.birth_date",
            Self::IdNumberBornInFuture => "id_number.born_in_future",
            Self::IdNumberCheck => "id_number.check_character",
            Self::CreditCodeLength => "credit_code.length",
            Self::CreditCodeCharacter => "credit_code.character",
            Self::CreditCodeType => "credit_code.type",
            Self::CreditCodeOrganisation => "credit_code.organisation_check",
            Self::CreditCodeCheck => "credit_code.check_character",
            Self::DivisionCodeLength => "division_code.length",
            Self::DivisionCodeCharacter => "division_code.character",
            Self::DivisionCodeProvince => "division_code.province",
            Self::ClassCodePattern => "class_code.pattern",
            Self::ResourceCodePattern => "resource_code.pattern",
            Self::NotText => "code.not_text",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        Kind::Invalid
    }
}
