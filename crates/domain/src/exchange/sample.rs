//! A sample 样例 of a table: what its values look like, without any row of it.
//!
//! Whoever wonders whether data fit sees a few values of each column. Each column is masked by its data item
//! and put into an order of its own, so that no line of a sample is a record. Spec: YC-9, PDS-6.1.

use super::mask::mask_value;
use super::value::ValueRef;
use crate::catalogue::{DataItem, MaskKind, Sensitivity};

/// With fewer rows than this for each line shown, the columns would hardly be mixed.
pub const ROWS_FOR_EACH_LINE: usize = 4;

/// Longer texts are cut: a sample shows the form of a value, not a document.
const CHARS_MAX: usize = 40;

/// One value as a sample shows it; `None` for NULL.
///
/// A sensitive item without a mask of its own is hidden whole.
#[must_use]
pub fn sample_value(item: &DataItem, value: &ValueRef<'_>) -> Option<String> {
    let mask = match (item.mask, item.sensitivity) {
        (Some(mask), _) => Some(mask),
        (None, Sensitivity::Sensitive) => Some(MaskKind::Hidden),
        (None, _) => None,
    };
    match mask {
        Some(mask) => mask_value(mask, value),
        None => open_text(value),
    }
    .map(|text| shortened(&text))
}

/// Lays out a sample of `lines` lines from columns of masked values, all of the same length. `seed` decides
/// the orders; the same seed gives the same sample.
///
/// `None` if there are fewer than [`ROWS_FOR_EACH_LINE`] rows for each line.
#[must_use]
pub fn lay_out_sample(
    columns: Vec<Vec<Option<String>>>,
    lines: usize,
    seed: u64,
) -> Option<Vec<Vec<Option<String>>>> {
    if columns
        .iter()
        .any(|column| column.len() < lines * ROWS_FOR_EACH_LINE)
    {
        return None;
    }
    let mut chance = Chance(seed);
    let mut drawn: Vec<_> = columns
        .into_iter()
        .map(|column| draw(column, lines, &mut chance).into_iter())
        .collect();
    Some(
        (0..lines)
            .map(|_| drawn.iter_mut().filter_map(Iterator::next).collect())
            .collect(),
    )
}

/// Takes `lines` of the values, in an order of chance.
fn draw(mut column: Vec<Option<String>>, lines: usize, chance: &mut Chance) -> Vec<Option<String>> {
    for at in 0..lines {
        let other = at + chance.below(column.len() - at);
        column.swap(at, other);
    }
    column.truncate(lines);
    column
}

fn open_text(value: &ValueRef<'_>) -> Option<String> {
    const MICROSECONDS_A_DAY: i64 = 86_400_000_000;
    match *value {
        // The day is enough to see what is meant.
        ValueRef::Timestamp(at) | ValueRef::Instant(at) => {
            let day = i32::try_from(at.div_euclid(MICROSECONDS_A_DAY)).ok()?;
            ValueRef::Date(day).plain_text()
        }
        ValueRef::Float(number) => Some(number.to_string()),
        ValueRef::Bytes(bytes) => Some(format!("{} B", bytes.len())),
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::Int(_)
        | ValueRef::UInt(_)
        | ValueRef::Decimal { .. }
        | ValueRef::Text(_)
        | ValueRef::Date(_)
        | ValueRef::Time(_) => value.plain_text(),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CHARS_MAX).chain(['…']).collect()
}

/// SplitMix64: enough to mix, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where there is none.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }
}
