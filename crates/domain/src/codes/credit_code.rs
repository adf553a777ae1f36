//! Unified social credit code 统一社会信用代码, GB 32100-2015.
//!
//! `authority, type, division (6), organisation code (9), check`. The organisation code has its own
//! check character by GB 11714.

use std::fmt;

use super::CodeFault;

/// The characters by their worth: no I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Factor of each of the first 17 characters: `3^place mod 31`.
const WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];

/// Factor of each of the 8 characters of the organisation code.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Authority and type with the label of the standard. 99 is met in the wild but in no list we trust,
/// so it passes without a label.
const TYPES: &[(&str, Option<&str>)] = &[
    ("11", Some("机关")),
    ("12", Some("事业单位")),
    ("13", Some("编办直接管理机构编制的群众团体")),
    ("19", Some("其他")),
    ("21", Some("外国常驻新闻机构")),
    ("29", Some("其他")),
    ("31", Some("律师执业机构")),
    ("32", Some("公证处")),
    ("33", Some("基层法律服务所")),
    ("34", Some("司法鉴定机构")),
    ("35", Some("仲裁委员会")),
    ("39", Some("其他")),
    ("41", Some("外国在华文化中心")),
    ("49", Some("其他")),
    ("51", Some("社会团体")),
    ("52", Some("民办非企业单位")),
    ("53", Some("基金会")),
    ("59", Some("其他")),
    ("61", Some("外国旅游部门常驻代表机构")),
    ("62", Some("港澳台地区旅游部门常驻内地代表机构")),
    ("69", Some("其他")),
    ("71", Some("宗教活动场所")),
    ("72", Some("宗教院校")),
    ("79", Some("其他")),
    ("81", Some("基层工会")),
    ("89", Some("其他")),
    ("91", Some("企业")),
    ("92", Some("个体工商户")),
    ("93", Some("农民专业合作社")),
    ("99", None),
    ("A1", Some("军队事业单位")),
    ("A9", Some("其他")),
    ("N1", Some("组级集体经济组织")),
    ("N2", Some("村级集体经济组织")),
    ("N3", Some("乡镇级集体经济组织")),
    ("N9", Some("其他")),
    ("Y1", Some("其他")),
];

/// A well-formed unified social credit code in capitals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    /// Checks length, characters, authority and type, the organisation code inside, and the check
    /// character. Small letters are taken for capitals.
    ///
    /// Errors: the `CreditCode...` variants of [`CodeFault`].
    pub fn parse(text: &str) -> Result<Self, CodeFault> {
        verify(text).map(|bytes| Self(bytes.iter().copied().map(char::from).collect()))
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What sort of organisation it is, in the words of the standard; `None` for type 99, which
    /// should be looked at by a person.
    #[must_use]
    pub fn type_label(&self) -> Option<&'static str> {
        TYPES
            .iter()
            .find(|(code, _)| *code == &self.0[..2])
            .and_then(|(_, label)| *label)
    }

    /// The division that registered the organisation, 6 digits.
    #[must_use]
    pub fn division(&self) -> &str {
        &self.0[2..8]
    }

    /// The organisation code 组织机构代码 of GB 11714, 9 characters.
    #[must_use]
    pub fn organisation_code(&self) -> &str {
        &self.0[8..17]
    }

    /// Whether it is a private business 个体工商户, whose data count as personal information.
    #[must_use]
    pub fn is_individual_business(&self) -> bool {
        self.0.starts_with("92")
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The check without an allocation, for millions of rows; gives the characters in capitals.
pub(crate) fn verify(text: &str) -> Result<[u8; 18], CodeFault> {
    if text.chars().count() != 18 {
        return Err(CodeFault::CreditCodeLength);
    }
    let mut bytes: [u8; 18] = text
        .as_bytes()
        .try_into()
        .map_err(|_| CodeFault::CreditCodeCharacter)?;
    bytes.make_ascii_uppercase();
    let mut worths = [0_u32; 18];
    for (worth, byte) in worths.iter_mut().zip(bytes) {
        *worth = worth_of(byte).ok_or(CodeFault::CreditCodeCharacter)?;
    }
    if !bytes[2..8].iter().all(u8::is_ascii_digit) {
        return Err(CodeFault::CreditCodeCharacter);
    }
    if !TYPES.iter().any(|(code, _)| code.as_bytes() == &bytes[..2]) {
        return Err(CodeFault::CreditCodeType);
    }
    let sum: u32 = worths
        .iter()
        .zip(WEIGHTS)
        .map(|(worth, weight)| worth * weight)
        .sum();
    if worths[17] != (31 - sum % 31) % 31 {
        return Err(CodeFault::CreditCodeCheck);
    }
    if bytes[16] != organisation_check(&bytes[8..16]) {
        return Err(CodeFault::CreditCodeOrganisation);
    }
    Ok(bytes)
}

fn worth_of(byte: u8) -> Option<u32> {
    let place = ALPHABET.iter().position(|c| *c == byte)?;
    u32::try_from(place).ok()
}

/// GB 11714: the worth of a letter is its place in the full alphabet after the ten digits.
fn organisation_check(body: &[u8]) -> u8 {
    let worth = |byte: u8| {
        if byte.is_ascii_digit() {
            u32::from(byte - b'0')
        } else {
            u32::from(byte - b'A') + 10
        }
    };
    let sum: u32 = body
        .iter()
        .zip(ORGANISATION_WEIGHTS)
        .map(|(byte, weight)| worth(*byte) * weight)
        .sum();
    match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        rest => b"0123456789"[usize::try_from(rest).expect("less than 10")],
    }
}
