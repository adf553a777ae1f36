//! Limits and due dates.
//!
//! The counting rule (start day = day 0, the last day is inclusive) is the calendar's; which number
//! counts from which event is the pack's. Here the two meet.

use jiff::{ToSpan, civil::Date};
use serde::Serialize;

use super::words::{ClauseId, Event, LimitWord};
use crate::calendar::{Calendar, CalendarError};

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many working days 工作日 after the start day.
    WorkingDays(u32),
    /// So many calendar months: the same day number of the target month, or its last day.
    Months(u32),
    /// A fixed day of each year; the first one not before the start day.
    AnnualDate {
        /// 1-12.
        month: i8,
        /// 1-31; a day that the month doesn't have falls on its last day.
        day: i8,
    },
    /// A word without a number: it ages, and is never overdue.
    Word(LimitWord),
}

impl Limit {
    /// The last day on which the act is in time, inclusive, in China Standard Time.
    ///
    /// `None` for a word, which has no such day.
    ///
    /// Errors: [`CalendarError::YearNotPublished`].
    pub fn last_day(self, start: Date, calendar: &Calendar) -> Result<Option<Date>, CalendarError> {
        match self {
            Self::WorkingDays(days) => calendar.add_working_days(start, days).map(Some),
            Self::Months(months) => start
                .checked_add(i64::from(months).months())
                .map(Some)
                .map_err(|_| CalendarError::YearNotPublished { year: start.year() }),
            Self::AnnualDate { month, day } => Ok(annual_date(start, month, day)),
            Self::Word(_) => Ok(None),
        }
    }

    /// The number of working days, where the limit is counted in them.
    #[must_use]
    pub fn working_days(self) -> Option<u32> {
        match self {
            Self::WorkingDays(days) => Some(days),
            Self::Months(_) | Self::AnnualDate { .. } | Self::Word(_) => None,
        }
    }

    /// The word, where the limit is one.
    #[must_use]
    pub fn word(self) -> Option<LimitWord> {
        match self {
            Self::Word(word) => Some(word),
            Self::WorkingDays(_) | Self::Months(_) | Self::AnnualDate { .. } => None,
        }
    }
}

fn annual_date(start: Date, month: i8, day: i8) -> Option<Date> {
    let in_year = |year: i16| {
        let first = Date::new(year, month, 1).ok()?;
        Date::new(year, month, day.min(first.days_in_month())).ok()
    };
    in_year(start.year())
        .filter(|date| *date >= start)
        .or_else(|| in_year(start.year().checked_add(1)?))
}

/// The limit of a step: how long, from which event to which, and by which clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// How long.
    pub limit: Limit,
    /// The event whose day is day 0; `None` only for words that name no start.
    pub from: Option<Event>,
    /// The event that must have happened by then.
    pub to: Option<Event>,
    /// The regulation doesn't state the start event; ours is a reading.
    pub from_is_reading: bool,
    /// The clause that sets it.
    pub clause: ClauseId,
}

/// The earliest date on which a step may be taken, for example a reclaim after months without use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotBefore {
    /// How long must have passed; the step may be taken from the day after.
    pub limit: Limit,
    /// The event whose day is day 0.
    pub from: Event,
    /// A later event that starts the count again.
    pub restart_on: Option<Event>,
    /// The restart is our reading, not stated in the regulation.
    pub restart_is_reading: bool,
    /// The clause that sets it.
    pub clause: ClauseId,
}

/// Which rule decided a due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitSource {
    /// The rule pack of the case.
    Pack,
    /// A national ceiling that is shorter than the pack, or stands where the pack is silent.
    NationalCeiling,
}

/// A due date and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The last day in time, inclusive, China Standard Time.
    pub on: Date,
    /// The limit it was reckoned with.
    pub limit: Limit,
    /// Whether pack or ceiling decided.
    pub source: LimitSource,
    /// The clause.
    pub clause: ClauseId,
}
