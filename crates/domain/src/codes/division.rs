//! Division codes 行政区划代码: GB/T 2260 down to the county, the statistical extension below it.

use std::fmt;

use super::CodeFault;

/// The province-level divisions by their two digits, GB/T 2260.
pub const PROVINCES: &[(&str, &str)] = &[
    ("11", "北京市"),
    ("12", "天津市"),
    ("13", "河北省"),
    ("14", "山西省"),
    ("15", "内蒙古自治区"),
    ("21", "辽宁省"),
    ("22", "吉林省"),
    ("23", "黑龙江省"),
    ("31", "上海市"),
    ("32", "江苏省"),
    ("33", "浙江省"),
    ("34", "安徽省"),
    ("35", "福建省"),
    ("36", "江西省"),
    ("37", "山东省"),
    ("41", "河南省"),
    ("42", "湖北省"),
    ("43", "湖南省"),
    ("44", "广东省"),
    ("45", "广西壮族自治区"),
    ("46", "海南省"),
    ("50", "重庆市"),
    ("51", "四川省"),
    ("52", "贵州省"),
    ("53", "云南省"),
    ("54", "西藏自治区"),
    ("61", "陕西省"),
    ("62", "甘肃省"),
    ("63", "青海省"),
    ("64", "宁夏回族自治区"),
    ("65", "新疆维吾尔自治区"),
    ("71", "台湾省"),
    ("81", "香港特别行政区"),
    ("82", "澳门特别行政区"),
];

/// How far down a division code reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DivisionLevel {
    /// 省级: 2 digits.
    Province,
    /// 地级: 4 digits.
    City,
    /// 县级: 6 digits.
    County,
    /// 乡级: 9 digits.
    Town,
    /// 村级: 12 digits.
    Village,
}

impl DivisionLevel {
    fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::City => 4,
            Self::County => 6,
            Self::Town => 9,
            Self::Village => 12,
        }
    }

    /// Finds a level by its word in rule packs: `province`, `city`, `county`.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        match word {
            "province" => Some(Self::Province),
            "city" => Some(Self::City),
            "county" => Some(Self::County),
            _ => None,
        }
    }
}

/// A division code of 6, 9 or 12 digits, as written.
///
/// The same division can be written in several lengths (`410000` and `410000000000`); they stay
/// different texts but have the same [`DivisionCode::prefix`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivisionCode(String);

impl DivisionCode {
    /// Checks the length, the digits, and that the first two belong to a province.
    ///
    /// Errors: the `DivisionCode...` variants of [`CodeFault`].
    pub fn parse(text: &str) -> Result<Self, CodeFault> {
        verify(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The digits as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The lowest level that isn't all zeros.
    #[must_use]
    pub fn level(&self) -> DivisionLevel {
        let is_named = |from: usize, to: usize| {
            self.0
                .get(from..to)
                .is_some_and(|part| part.bytes().any(|b| b != b'0'))
        };
        if is_named(9, 12) {
            DivisionLevel::Village
        } else if is_named(6, 9) {
            DivisionLevel::Town
        } else if is_named(4, 6) {
            DivisionLevel::County
        } else if is_named(2, 4) {
            DivisionLevel::City
        } else {
            DivisionLevel::Province
        }
    }

    /// The digits that every division inside begins with, for example `41` for a province.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..self.level().digits()]
    }

    /// Whether both lie in one division of that level, for example in one city.
    #[must_use]
    pub fn shares(&self, level: DivisionLevel, other: &Self) -> bool {
        let both = (self.level().min(other.level()) >= level).then_some(level.digits());
        both.is_some_and(|digits| self.0.get(..digits) == other.0.get(..digits))
    }

    /// Whether this division is `other` or lies in it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(other.prefix())
    }

    /// The name of the province.
    #[must_use]
    pub fn province_name(&self) -> &'static str {
        province(&self.0).expect("parse lets known provinces pass only")
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn province(text: &str) -> Option<&'static str> {
    let digits = text.get(..2)?;
    PROVINCES
        .iter()
        .find(|(code, _)| *code == digits)
        .map(|(_, name)| *name)
}

/// The check without a copy.
fn verify(text: &str) -> Result<(), CodeFault> {
    if !matches!(text.chars().count(), 6 | 9 | 12) {
        return Err(CodeFault::DivisionCodeLength);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CodeFault::DivisionCodeCharacter);
    }
    province(text)
        .map(|_| ())
        .ok_or(CodeFault::DivisionCodeProvince)
}

/// The twelve-digit statistical code 统计用区划代码, without a copy.
pub(crate) fn verify_statistical(text: &str) -> Result<(), CodeFault> {
    if text.chars().count() != 12 {
        return Err(CodeFault::DivisionCodeLength);
    }
    verify(text)
}
