//! What comes round: reports, statistics, assessments, and by when.

use jiff::{ToSpan, civil::Date};

use crate::law::{Limit, PeriodicDuty};

/// How long the period of a duty is, where the regulation gives none and the authority has set one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Calendar months.
    pub months: u32,
    /// The day on which the first period begins.
    pub first_day: Date,
}

/// One occasion of a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DutyItem {
    /// First and last day that it reports on; `None` where no period is known.
    pub covers: Option<(Date, Date)>,
    /// The last day in time, inclusive, China Standard Time; `None`: it is never overdue.
    pub due_on: Option<Date>,
}

impl DutyItem {
    /// Whether it isn't in time any more.
    #[must_use]
    pub fn is_overdue(&self, today: Date) -> bool {
        self.due_on.is_some_and(|due_on| today > due_on)
    }
}

/// The occasions of a duty that have come by `today`, for a department that is there `since` some day.
///
/// * An annual date is due on that day of each year and covers the year before. It is open from the
///   first day of its year on. Occasions that were due before the department came aren't its own.
/// * With a period, the report on each period opens on the day after it, and is due before the next
///   one opens: on the last day of the following period. The regulations name no date there; this is
///   the latest one that leaves no two of them open at once.
/// * Without a period there is one occasion without dates. It ages and is never overdue.
///
/// Spec: YC-39, YJ-4.2.3 (annual dates), LY-19, LY-8.1, PDS-22.1, YC-35, YC-36, YC-37, YC-38.
#[must_use]
pub fn duty_items(
    duty: &PeriodicDuty,
    set: Option<Period>,
    since: Date,
    today: Date,
) -> Vec<DutyItem> {
    match duty.due {
        Limit::AnnualDate { .. } => (since.year()..=today.year())
            .filter_map(|year| annual_item(duty.due, year))
            .filter(|item| item.due_on.is_some_and(|due_on| due_on >= since))
            .collect(),
        Limit::Months(months) => {
            let first_day = Date::new(since.year(), 1, 1).unwrap_or(since);
            closed_periods(Period { months, first_day }, since, today)
        }
        Limit::Word(_) | Limit::WorkingDays(_) => match set {
            Some(period) => closed_periods(period, since, today),
            None => vec![DutyItem {
                covers: None,
                due_on: None,
            }],
        },
    }
}

fn annual_item(limit: Limit, year: i16) -> Option<DutyItem> {
    let Limit::AnnualDate { month, day } = limit else {
        return None;
    };
    let month_begins = Date::new(year, month, 1).ok()?;
    let due_on = Date::new(year, month, day.min(month_begins.days_in_month())).ok()?;
    let before = year.checked_sub(1)?;
    Some(DutyItem {
        covers: Some((
            Date::new(before, 1, 1).ok()?,
            Date::new(before, 12, 31).ok()?,
        )),
        due_on: Some(due_on),
    })
}

fn closed_periods(period: Period, since: Date, today: Date) -> Vec<DutyItem> {
    // A period of no length would never end.
    let months = i64::from(period.months.max(1));
    let begins = |nth: i64| period.first_day.checked_add((months * nth).months()).ok();
    (0_i64..)
        .map_while(|nth| {
            let (first, next, after) = (begins(nth)?, begins(nth + 1)?, begins(nth + 2)?);
            (next <= today).then_some(())?;
            Some(DutyItem {
                covers: Some((first, next.yesterday().ok()?)),
                due_on: Some(after.yesterday().ok()?),
            })
        })
        .filter(|item| item.covers.is_some_and(|(_, last)| last >= since))
        .collect()
}
