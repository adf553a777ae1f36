//! JSON shapes of the calendar.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::calendar::{Calendar, Day, DayChange};
use utoipa::ToSchema;

use super::{moves::Moved, store::Notice};

/// Where a year's working days come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceView {
    /// `built_in`: delivered with the platform; `notice`: loaded by the authority.
    pub kind: &'static str,
    /// Title of the notice.
    pub title: Option<String>,
    /// Its document number.
    pub number: Option<String>,
    /// Instant.
    pub loaded_at: Option<String>,
    pub loaded_by_name: Option<String>,
}

impl SourceView {
    fn built_in() -> Self {
        Self {
            kind: "built_in",
            title: None,
            number: None,
            loaded_at: None,
            loaded_by_name: None,
        }
    }

    fn of(notice: &Notice, people: &BTreeMap<String, String>) -> Self {
        Self {
            kind: "notice",
            title: Some(notice.title.clone()),
            number: Some(notice.number.clone()),
            loaded_at: Some(notice.loaded_at.to_string()),
            loaded_by_name: people.get(&notice.loaded_by).cloned(),
        }
    }
}

/// A year whose working days are known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KnownYearView {
    pub year: i16,
    pub source: SourceView,
}

/// Every known year with its source; a later notice goes over an earlier one.
pub(super) fn known_years(
    notices: &[Notice],
    people: &BTreeMap<String, String>,
) -> Vec<KnownYearView> {
    let mut sources: BTreeMap<i16, SourceView> = Calendar::statutory()
        .published_years()
        .map(|year| (year, SourceView::built_in()))
        .collect();
    for notice in notices {
        for year in notice.calendar.published_years() {
            sources.insert(year, SourceView::of(notice, people));
        }
    }
    sources
        .into_iter()
        .map(|(year, source)| KnownYearView { year, source })
        .collect()
}

/// The calendars that are known.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarsView {
    pub years: Vec<KnownYearView>,
    /// Whether the viewer may load a notice.
    pub may_load: bool,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarDayView {
    /// Civil date.
    pub date: String,
    /// `working`, `weekend`, `holiday` or `make_up`.
    pub kind: &'static str,
    /// The festival that makes it special.
    pub name: Option<String>,
}

impl From<Day<'_>> for CalendarDayView {
    fn from(day: Day<'_>) -> Self {
        Self {
            date: day.date.to_string(),
            kind: day.kind.code(),
            name: day.name.map(str::to_owned),
        }
    }
}

/// A year, day by day.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarView {
    pub year: i16,
    pub source: SourceView,
    pub days: Vec<CalendarDayView>,
    pub working_days: u32,
    pub years: Vec<KnownYearView>,
}

/// A day that a notice changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayChangeView {
    pub date: String,
    /// What it is so far; by its weekday alone where the year isn't known yet.
    pub before: &'static str,
    pub after: &'static str,
    pub name: Option<String>,
}

impl From<DayChange> for DayChangeView {
    fn from(change: DayChange) -> Self {
        Self {
            date: change.date.to_string(),
            before: change.before.code(),
            after: change.after.code(),
            name: change.name,
        }
    }
}

/// An open step whose date moves.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedStepView {
    pub case_id: String,
    /// Number of the case.
    pub number: String,
    pub step_id: String,
    pub step_name: String,
    /// The department that holds it.
    pub department_name: String,
    /// Civil date; absent where it couldn't be reckoned so far.
    pub before: Option<String>,
    /// Civil date; absent where it can't be reckoned still.
    pub after: Option<String>,
}

impl MovedStepView {
    pub(super) fn of(moved: &Moved, departments: &BTreeMap<String, String>) -> Self {
        Self {
            case_id: moved.step.case_id.to_string(),
            number: moved.step.number.clone(),
            step_id: moved.step.step_id.clone(),
            step_name: moved.step_name.clone(),
            department_name: departments
                .get(moved.step.department_id.as_str())
                .cloned()
                .unwrap_or_default(),
            before: moved.step.due_on.map(|d| d.to_string()),
            after: moved.after.map(|d| d.to_string()),
        }
    }
}

/// What a notice changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeEffectView {
    /// Years that the notice covers as a whole.
    pub years: Vec<i16>,
    /// Those of them that weren't known so far.
    pub new_years: Vec<i16>,
    pub days: Vec<DayChangeView>,
    /// How many open steps move; finished ones never do.
    pub steps_total: usize,
    /// The first of them.
    pub steps: Vec<MovedStepView>,
    /// Whether it is in force now; a preview writes nothing.
    pub loaded: bool,
}
