//! Working days 工作日: which day counts, and on which day a limit ends.
//!
//! The weekday alone doesn't decide: the State Council publishes holidays and make-up days once a
//! year, so a calendar is a table of special days over whole, published years. This room knows no
//! regulation; how many days somebody has is the rule pack's business (`law`).
//!
//! The convention, which no regulation here states and which is general civil law: the start day is
//! day 0 and doesn't count, whether it is a working day or not; counting begins on the next working
//! day; the limit ends with the last one counted.
//!
//! Outside the published years there is no answer, only [`CalendarError::YearNotPublished`]: a
//! guessed date may be enforced against somebody. One softness stays and can't be removed: the notice
//! for a year may name days of the December before it, so a date in the last weeks of the last
//! published year can still move when the next notice is loaded.
//!
//! A new notice is a new CSV, see [`Calendar::parse_csv`] and [`Calendar::with`].

mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::civil::{Date, Weekday};

use crate::kind::Kind;

pub use parse::{CalendarFault, FaultKind};

/// The holidays and make-up days of 2019 to 2026 as published by the General Office of the State
/// Council: only the days that differ from their weekday (weekdays off, weekend days worked).
pub const STATUTORY_CSV: &str = include_str!("holidays.csv");

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayKind {
    /// Monday to Friday, nothing special.
    Working,
    /// Saturday or Sunday, nothing special.
    Weekend,
    /// A day off by the notice 放假.
    Holiday,
    /// A Saturday or Sunday worked by the notice 调休上班.
    MakeUp,
}

impl DayKind {
    /// The code in interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Weekend => "weekend",
            Self::Holiday => "holiday",
            Self::MakeUp => "make_up",
        }
    }

    /// Whether the day counts as a working day.
    #[must_use]
    pub fn is_working(self) -> bool {
        match self {
            Self::Working | Self::MakeUp => true,
            Self::Weekend | Self::Holiday => false,
        }
    }
}

/// One day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day<'a> {
    /// The civil date in China Standard Time.
    pub date: Date,
    /// What the day is.
    pub kind: DayKind,
    /// The festival that makes it special, for example 国庆节; `None` on ordinary days.
    pub name: Option<&'a str>,
}

/// A day that another calendar sees differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayChange {
    /// The civil date in China Standard Time.
    pub date: Date,
    /// What it is so far; by its weekday alone where its year isn't published yet.
    pub before: DayKind,
    /// What it is in the other calendar.
    pub after: DayKind,
    /// The festival behind it, of whichever calendar names one.
    pub name: Option<String>,
}

/// Why the calendar gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The notice for a needed year isn't loaded. Time passes or an administrator loads it; a date
    /// is never guessed.
    #[error(
        "the working days of {year} aren't known: load the State Council's holiday notice for {year} (calendar CSV) and try again"
    )]
    YearNotPublished {
        /// The first year that was needed and is missing.
        year: i16,
    },
    /// A calendar file has faults; all of them, in the order of its lines.
    #[error("the calendar file has {} fault(s), the first: {}", .faults.len(), .faults[0])]
    Unreadable {
        /// Never empty.
        faults: Vec<CalendarFault>,
    },
}

impl CalendarError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::YearNotPublished { .. } => "calendar.year_not_published",
            Self::Unreadable { .. } => "calendar.unreadable",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::YearNotPublished { .. } => Kind::Unavailable,
            Self::Unreadable { .. } => Kind::Invalid,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SpecialDay {
    kind: DayKind,
    name: String,
}

/// The known special days, and the whole years they cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    special_days: BTreeMap<Date, SpecialDay>,
    published_years: BTreeSet<i16>,
}

impl Calendar {
    /// The calendar of [`STATUTORY_CSV`], which every installation starts from.
    #[must_use]
    pub fn statutory() -> Self {
        Self::parse_csv(STATUTORY_CSV).expect("the built-in table is read by a test")
    }

    /// Reads `date,kind,name[,status]` with `kind` = `holiday` or `workday`; `#` begins a comment line.
    ///
    /// A year counts as published when the file names a National Day holiday in October of that
    /// year: every yearly notice has one, whereas single days of a neighbouring December, which the
    /// New Year holiday brings along, don't make a year known. Rows of status `statutory-weekday`
    /// (the festival is certain, the moved days aren't known) are checked and left out, so that
    /// their year stays unpublished.
    ///
    /// Errors: [`CalendarError::Unreadable`] with every fault and its line.
    pub fn parse_csv(csv: &str) -> Result<Self, CalendarError> {
        parse::parse(csv)
    }

    /// Adds a later notice: a year it publishes replaces the whole year known so far, and single days
    /// in other years (the December before) are put over the known ones.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.special_days
            .retain(|date, _| !other.published_years.contains(&date.year()));
        self.special_days.extend(other.special_days);
        self.published_years.extend(other.published_years);
        self
    }

    /// The first to the last published year. A year between them can still be missing; then the
    /// questions about it are refused all the same.
    #[must_use]
    pub fn years(&self) -> RangeInclusive<i16> {
        let first = self
            .published_years
            .first()
            .expect("a calendar has at least one published year");
        let last = self
            .published_years
            .last()
            .expect("a calendar has at least one published year");
        *first..=*last
    }

    /// Every published year, in order.
    pub fn published_years(&self) -> impl Iterator<Item = i16> {
        self.published_years.iter().copied()
    }

    /// The special days of a year, in order; none if it isn't published.
    pub fn special_days(&self, year: i16) -> impl Iterator<Item = Day<'_>> {
        let published = self.published_years.contains(&year);
        self.special_days
            .iter()
            .filter(move |(date, _)| published && date.year() == year)
            .map(|(date, special)| Day {
                date: *date,
                kind: special.kind,
                name: Some(&special.name),
            })
    }

    /// The days that are of another kind in `other`, in order.
    ///
    /// Of a year that only one of them publishes, these are the days that differ from their weekday.
    #[must_use]
    pub fn changes_to(&self, other: &Self) -> Vec<DayChange> {
        let dates: BTreeSet<Date> = self
            .special_days
            .keys()
            .chain(other.special_days.keys())
            .copied()
            .collect();
        dates
            .into_iter()
            .filter_map(|date| {
                let (here, there) = (self.special_days.get(&date), other.special_days.get(&date));
                let kind =
                    |special: Option<&SpecialDay>| special.map_or(ordinary_kind(date), |s| s.kind);
                let (before, after) = (kind(here), kind(there));
                (before != after).then(|| DayChange {
                    date,
                    before,
                    after,
                    name: there.or(here).map(|special| special.name.clone()),
                })
            })
            .collect()
    }

    /// What `date` is, and the name of its festival.
    ///
    /// Errors: [`CalendarError::YearNotPublished`].
    pub fn day(&self, date: Date) -> Result<Day<'_>, CalendarError> {
        if !self.published_years.contains(&date.year()) {
            return Err(CalendarError::YearNotPublished { year: date.year() });
        }
        Ok(match self.special_days.get(&date) {
            Some(special) => Day {
                date,
                kind: special.kind,
                name: Some(&special.name),
            },
            None => Day {
                date,
                kind: ordinary_kind(date),
                name: None,
            },
        })
    }

    /// Whether `date` counts.
    ///
    /// Errors: [`CalendarError::YearNotPublished`].
    pub fn is_working_day(&self, date: Date) -> Result<bool, CalendarError> {
        Ok(self.day(date)?.kind.is_working())
    }

    /// The first working day after `day`.
    ///
    /// Errors: [`CalendarError::YearNotPublished`].
    pub fn next_working_day(&self, day: Date) -> Result<Date, CalendarError> {
        const NEXT: u32 = 1;
        self.add_working_days(day, NEXT)
    }

    /// The last day of a limit of `working_days` that began on `start`.
    ///
    /// `start` is day 0 and doesn't count; with 0 days it is returned as it is. The result is a civil
    /// date in China Standard Time, inclusive: an act at 23:59:59 on it is in time. Only the days
    /// after `start` have to be published.
    ///
    /// Errors: [`CalendarError::YearNotPublished`].
    pub fn add_working_days(&self, start: Date, working_days: u32) -> Result<Date, CalendarError> {
        let mut date = start;
        let mut left = working_days;
        while left > 0 {
            date = next_day(date)?;
            if self.is_working_day(date)? {
                left -= 1;
            }
        }
        Ok(date)
    }

    /// How many working days lie after `from` up to and including `to`; negative if `to` is earlier.
    ///
    /// It undoes [`Calendar::add_working_days`]: from a start to its due date there are exactly the
    /// days of the limit. From a due date to today it tells how many working days somebody is late.
    ///
    /// Errors: [`CalendarError::YearNotPublished`].
    pub fn working_days_between(&self, from: Date, to: Date) -> Result<i64, CalendarError> {
        let (first, last, sign) = if from <= to {
            (from, to, 1)
        } else {
            (to, from, -1)
        };
        let mut date = first;
        let mut count = 0;
        while date < last {
            date = next_day(date)?;
            if self.is_working_day(date)? {
                count += sign;
            }
        }
        Ok(count)
    }
}

fn ordinary_kind(date: Date) -> DayKind {
    match date.weekday() {
        Weekday::Saturday | Weekday::Sunday => DayKind::Weekend,
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => DayKind::Working,
    }
}

/// The day after `date`. The end of representable time is reported as an unpublished year, which it is.
fn next_day(date: Date) -> Result<Date, CalendarError> {
    date.tomorrow()
        .map_err(|_| CalendarError::YearNotPublished { year: date.year() })
}
