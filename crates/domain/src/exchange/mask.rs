//! Masks 脱敏: what is left of a value when it is delivered without need for the whole.
//!
//! The rules are conventions, not statute, and the mask of a data item is chosen in its catalogue
//! entry. All work on Unicode characters and give an answer for every text, also for one that isn't
//! what the mask expects. Where a rule would keep the whole value because it is too short, nothing is
//! kept: a mask that hides nothing is a leak that looks like protection. Empty text stays empty.

use super::pseudonym::pseudonym_form;
use super::value::ValueRef;
use crate::catalogue::MaskKind;
use crate::codes::CreditCode;

/// Stands for what is hidden where even its length would tell something.
const HIDDEN: &str = "***";

/// Masks a text.
///
/// | mask | keeps |
/// | --- | --- |
/// | `PersonName` | the first character |
/// | `IdNumber` | first 3 and last 2 |
/// | `IdNumberTail`, `IdNumberArea` | first 3 or 6 and last 4 |
/// | `Phone` | first 3 and last 4 |
/// | `BankCard`, `BankCardIssuer` | last 4; with the first 6 |
/// | `Address` | down to town or street; without one down to the county; else nothing |
/// | `Email` | first character and domain |
/// | `Plate` | first 2 and last 2 |
/// | `BirthDate` | the year |
/// | `SoleTraderCode` | first 2 and last 2 of a code that begins with 92; other valid credit codes whole |
/// | `Pseudonym` | nothing but its form: whoever has the key of a requester takes [`PseudonymKey`] |
/// | `Hidden` | nothing, not even the length or whether it was empty |
///
/// Spec: YC-9 (sensitive content).
#[must_use]
pub fn apply_mask(kind: MaskKind, text: &str) -> String {
    let tells_of_nothing = matches!(kind, MaskKind::Hidden | MaskKind::Pseudonym);
    if text.is_empty() && !tells_of_nothing {
        return String::new();
    }
    match kind {
        MaskKind::PersonName => keep_ends(text, 1, 0),
        MaskKind::IdNumber => keep_ends(text, 3, 2),
        MaskKind::IdNumberTail | MaskKind::Phone => keep_ends(text, 3, 4),
        MaskKind::IdNumberArea | MaskKind::BankCardIssuer => keep_ends(text, 6, 4),
        MaskKind::BankCard => keep_ends(text, 0, 4),
        MaskKind::Address => mask_address(text),
        MaskKind::Email => mask_email(text),
        MaskKind::Plate => keep_ends(text, 2, 2),
        MaskKind::BirthDate => mask_birth_date(text),
        MaskKind::SoleTraderCode => mask_trader_code(text),
        // An empty text has a pseudonym like others.
        MaskKind::Pseudonym => pseudonym_form(),
        MaskKind::Hidden => HIDDEN.to_owned(),
    }
}

/// Masks any value; `None` for NULL, which stays NULL except under `Hidden`.
///
/// Numbers and dates are masked in the form people write them; what has no such form (floating point
/// numbers, bytes, times) is hidden whole, whatever the mask. A masked column is therefore delivered
/// as text.
#[must_use]
pub fn mask_value(kind: MaskKind, value: &ValueRef<'_>) -> Option<String> {
    if value.is_null() {
        return (kind == MaskKind::Hidden).then(|| HIDDEN.to_owned());
    }
    if let Some(text) = value.as_text() {
        return Some(apply_mask(kind, text));
    }
    Some(match value.plain_text() {
        Some(text) => apply_mask(kind, &text),
        None if kind == MaskKind::Pseudonym => pseudonym_form(),
        None => HIDDEN.to_owned(),
    })
}

/// A company is no person and shows its code. What isn't a code in force may be the number of one.
fn mask_trader_code(text: &str) -> String {
    match CreditCode::parse(text) {
        Ok(code) if !code.is_individual_business() => text.to_owned(),
        Ok(_) | Err(_) => keep_ends(text, 2, 2),
    }
}

/// Keeps `first` and `last` characters and stars each one between.
fn keep_ends(text: &str, first: usize, last: usize) -> String {
    let chars = text.chars().count();
    let (first, last) = if chars > first + last {
        (first, last)
    } else {
        (0, 0)
    };
    text.chars()
        .enumerate()
        .map(|(i, c)| {
            if i < first || i >= chars - last {
                c
            } else {
                '*'
            }
        })
        .collect()
}

fn mask_email(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((local, domain)) => match local.chars().next() {
            Some(first) if !domain.is_empty() => format!("{first}{HIDDEN}@{domain}"),
            _ => keep_ends(text, 0, 0),
        },
        None => keep_ends(text, 0, 0),
    }
}

/// Keeps four leading digits and the separators, so that the reader still sees a date.
fn mask_birth_date(text: &str) -> String {
    let leading_digits = text.chars().take_while(char::is_ascii_digit).count();
    if leading_digits < 4 {
        return keep_ends(text, 0, 0);
    }
    text.chars()
        .enumerate()
        .map(|(i, c)| {
            if i < 4 || matches!(c, '-' | '/' | '.' | '年' | '月' | '日') {
                c
            } else {
                '*'
            }
        })
        .collect()
}

/// Characters that belong to a street, a house or a village: behind them nothing is kept.
const BELOW_TOWN: &[char] = &[
    '路', '街', '巷', '弄', '号', '栋', '幢', '楼', '室', '座', '园', '苑', '村', '组', '社', '庄',
    '屯', '胡', '道', '#',
];

fn mask_address(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let kept = address_cut(&chars);
    if kept == 0 {
        return HIDDEN.to_owned();
    }
    let mut masked: String = chars[..kept].iter().collect();
    if kept < chars.len() {
        masked.push_str(HIDDEN);
    }
    masked
}

/// How many characters lead down to the town, or at least to the county.
///
/// It goes by the last character of each level. In doubt it ends early: showing less is harmless.
fn address_cut(chars: &[char]) -> usize {
    let mut cut = 0;
    for (i, &c) in chars.iter().enumerate() {
        let next = chars.get(i + 1).copied();
        let has_name = i > cut;
        match c {
            '街' if next == Some('道') && has_name => return i + 2,
            // 东乡族自治县, 新乡市, 景德镇市: the character is part of a higher name.
            '镇' | '乡' if matches!(next, Some('市' | '县' | '区' | '族')) => {}
            '镇' | '乡' if has_name => return i + 1,
            // 石家庄市, 台儿庄区, 李村镇.
            '庄' | '屯' | '村' if matches!(next, Some('市' | '县' | '镇' | '乡')) => {}
            '庄' if next == Some('区') => {}
            // 某某小区 is a housing estate, not a district.
            '区' if i > 0 && chars[i - 1] == '小' => return cut,
            '省' | '市' | '县' | '区' | '旗' | '州' | '盟' if has_name => cut = i + 1,
            _ if c.is_numeric() || BELOW_TOWN.contains(&c) => return cut,
            _ => {}
        }
    }
    cut
}
