//! The watched column: a time or number that grows with every change of its row, by which changes are found between
//! two comparisons of the whole.
//!
//! Whoever writes first may commit last, so each reading goes back by an overlap behind the highest value that was
//! seen. What comes later still, and rows that are gone, are found when the whole is compared.

use jiff::{SignedDuration, Timestamp};

use super::value::{ColumnType, ValueRef};
use crate::kind::Kind;

const MICROS: i64 = 1_000_000;
const DAY_S: i64 = 86_400;

/// No wall clock on Earth is further ahead of UTC.
const WALL_CLOCK_AHEAD: SignedDuration = SignedDuration::from_hours(14);

/// The longest overlap: seconds of a week, or as many numbers.
const OVERLAP_MAX: i64 = 7 * DAY_S;

/// The overlap that suits most tables: transactions rarely take ten minutes, or number a thousand rows meanwhile.
const OVERLAP_S: i64 = 600;
const OVERLAP_NUMBERS: i64 = 1_000;

/// How a watched column counts; what suits best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Microseconds since 1970-01-01 00:00 UTC.
    Instants,
    /// Microseconds of a wall clock whose zone nobody tells.
    WallClock,
    /// Whole days since 1970-01-01.
    Days,
    /// Numbers.
    Numbers,
}

/// Why a column can't be watched so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatchFault {
    /// The type of the column doesn't grow.
    #[error("only a column of dates, times or whole numbers can be watched")]
    Type,
    /// The overlap is below zero or too large.
    #[error("the overlap lies between 0 and 604800")]
    Overlap,
}

impl WatchFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Type => "exchange.watch_type",
            Self::Overlap => "exchange.watch_overlap",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Type | Self::Overlap => Kind::Invalid,
        }
    }
}

impl Measure {
    /// How a column of this type counts.
    ///
    /// Errors: [`WatchFault::Type`].
    pub fn of(column_type: ColumnType) -> Result<Self, WatchFault> {
        match column_type {
            ColumnType::Date => Ok(Self::Days),
            ColumnType::Timestamp => Ok(Self::WallClock),
            ColumnType::Instant => Ok(Self::Instants),
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => Ok(Self::Numbers),
            ColumnType::Boolean
            | ColumnType::UInt64
            | ColumnType::Float32
            | ColumnType::Float64
            | ColumnType::Decimal { .. }
            | ColumnType::Text { .. }
            | ColumnType::Bytes
            | ColumnType::Time => Err(WatchFault::Type),
        }
    }

    /// In what an overlap is told: `seconds` or `numbers`.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Days | Self::WallClock | Self::Instants => "seconds",
            Self::Numbers => "numbers",
        }
    }

    /// The overlap that suits most tables.
    #[must_use]
    pub fn usual_overlap(self) -> i64 {
        match self {
            Self::Days | Self::WallClock | Self::Instants => OVERLAP_S,
            Self::Numbers => OVERLAP_NUMBERS,
        }
    }

    /// The highest value that can be true at `now`. A row stamped beyond it mustn't hide those that come after it.
    #[must_use]
    pub fn highest_at(self, now: Timestamp) -> i64 {
        let ahead = || now.saturating_add(WALL_CLOCK_AHEAD).unwrap_or(now);
        match self {
            Self::Days => ahead().as_second().div_euclid(DAY_S),
            Self::WallClock => ahead().as_microsecond(),
            Self::Instants => now.as_microsecond(),
            Self::Numbers => i64::MAX,
        }
    }

    /// From which value on rows are read, if `seen` was the highest: earlier by `overlap`, which is seconds for times,
    /// begun days for dates, and numbers for numbers.
    #[must_use]
    pub fn from(self, seen: i64, overlap: i64) -> i64 {
        let back = match self {
            Self::Days => overlap.div_euclid(DAY_S) + i64::from(overlap % DAY_S > 0),
            Self::WallClock | Self::Instants => overlap.saturating_mul(MICROS),
            Self::Numbers => overlap,
        };
        seen.saturating_sub(back)
    }
}

/// Looks whether an overlap may be set.
///
/// Errors: [`WatchFault::Overlap`].
pub fn check_overlap(overlap: i64) -> Result<(), WatchFault> {
    if (0..=OVERLAP_MAX).contains(&overlap) {
        Ok(())
    } else {
        Err(WatchFault::Overlap)
    }
}

/// A value of a watched column as the column counts; `None` for NULL and for what doesn't grow.
#[must_use]
pub fn count_of(value: &ValueRef<'_>) -> Option<i64> {
    match *value {
        ValueRef::Int(number) => Some(number),
        ValueRef::Date(days) => Some(days.into()),
        ValueRef::Timestamp(micros) | ValueRef::Instant(micros) => Some(micros),
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::UInt(_)
        | ValueRef::Float(_)
        | ValueRef::Decimal { .. }
        | ValueRef::Text(_)
        | ValueRef::Bytes(_)
        | ValueRef::Time(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_goes_back_by_its_own_units() {
        assert_eq!(Measure::Instants.from(10_000_000, 3), 7_000_000);
        assert_eq!(Measure::WallClock.from(0, 1), -1_000_000);
        assert_eq!(Measure::Numbers.from(500, 100), 400);
        let days = [0, 1, 86_400, 86_401].map(|overlap| Measure::Days.from(20_000, overlap));
        assert_eq!(days, [20_000, 19_999, 19_999, 19_998]);
        assert_eq!(Measure::Numbers.from(i64::MIN + 1, 100), i64::MIN);
    }

    #[test]
    fn no_stamp_of_the_future_is_believed() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(Measure::Instants.highest_at(now), now.as_microsecond());
        // In China it is eight in the evening, and on the first islands the second of March.
        let china: Timestamp = "2026-03-01T20:00:00Z".parse().unwrap();
        assert!(Measure::WallClock.highest_at(now) > china.as_microsecond());
        let second = jiff::civil::date(2026, 3, 2) - jiff::civil::date(1970, 1, 1);
        assert_eq!(Measure::Days.highest_at(now), i64::from(second.get_days()));
        assert_eq!(Measure::Numbers.highest_at(now), i64::MAX);
    }

    #[test]
    fn overlaps_have_bounds() {
        assert_eq!(
            [-1, 0, 604_800, 604_801].map(check_overlap),
            [
                Err(WatchFault::Overlap),
                Ok(()),
                Ok(()),
                Err(WatchFault::Overlap)
            ]
        );
    }
}
