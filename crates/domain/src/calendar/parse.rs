//! The calendar file: every fault at once, so that an administrator mends a notice in one go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use super::{Calendar, CalendarError, DayKind, SpecialDay, ordinary_kind};

/// One fault of a calendar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFault {
    /// The line, counted from 1; 0 where the fault is of the whole file.
    pub line: usize,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What can be wrong with a line of a calendar file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The first line isn't the expected heading.
    #[error("the first line has to be `date,kind,name` or `date,kind,name,status`")]
    Heading,
    /// Too few or too many cells.
    #[error("the line needs as many cells as the heading")]
    Cells,
    /// Not a date.
    #[error("the date has to be a day like 2026-10-01")]
    Date,
    /// Neither `holiday` nor `workday`.
    #[error("the kind has to be `holiday` or `workday`")]
    Kind,
    /// No festival named.
    #[error("the name of the festival is missing")]
    Name,
    /// A status we don't know; we don't guess what it means.
    #[error("the status has to be empty, `published` or `statutory-weekday`")]
    Status,
    /// The day was already given.
    #[error("the day appears twice")]
    Twice,
    /// A make-up day from Monday to Friday: a slip, as those days are worked anyway.
    #[error("a make-up `workday` has to be a Saturday or Sunday")]
    WorkdayOnWeekday,
    /// No year is covered.
    #[error("no year is covered: a yearly notice has National Day holidays in October")]
    NoYear,
}

impl FaultKind {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Heading => "calendar.heading",
            Self::Cells => "calendar.cells",
            Self::Date => "calendar.date",
            Self::Kind => "calendar.kind",
            Self::Name => "calendar.name",
            Self::Status => "calendar.status",
            Self::Twice => "calendar.twice",
            Self::WorkdayOnWeekday => "calendar.workday_on_weekday",
            Self::NoYear => "calendar.no_year",
        }
    }
}

impl fmt::Display for CalendarFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.kind),
            line => write!(f, "line {line}: {}", self.kind),
        }
    }
}

/// What one line says, once it is understood.
struct Row {
    date: Date,
    kind: DayKind,
    name: String,
    published: bool,
}

pub(super) fn parse(csv: &str) -> Result<Calendar, CalendarError> {
    // Spreadsheet programs begin a UTF-8 file with a byte order mark.
    let csv = csv.strip_prefix('\u{feff}').unwrap_or(csv);
    let mut lines = csv
        .lines()
        .enumerate()
        .map(|(index, text)| (index + 1, text.trim()))
        .filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));

    let columns = match lines.next() {
        Some((_, "date,kind,name")) => 3,
        Some((_, "date,kind,name,status")) => 4,
        other => {
            return Err(unreadable(vec![CalendarFault {
                line: other.map_or(1, |(n, _)| n),
                kind: FaultKind::Heading,
            }]));
        }
    };

    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut special_days = BTreeMap::new();
    let mut published_years = BTreeSet::new();
    for (line, text) in lines {
        let row = match parse_row(text, columns) {
            Ok(row) => row,
            Err(kind) => {
                faults.push(CalendarFault { line, kind });
                continue;
            }
        };
        if !seen.insert(row.date) {
            faults.push(CalendarFault {
                line,
                kind: FaultKind::Twice,
            });
        }
        if row.published {
            if row.kind == DayKind::Holiday && row.date.month() == 10 {
                published_years.insert(row.date.year());
            }
            special_days.insert(
                row.date,
                SpecialDay {
                    kind: row.kind,
                    name: row.name,
                },
            );
        }
    }
    if faults.is_empty() && published_years.is_empty() {
        faults.push(CalendarFault {
            line: 0,
            kind: FaultKind::NoYear,
        });
    }
    if faults.is_empty() {
        Ok(Calendar {
            special_days,
            published_years,
        })
    } else {
        Err(unreadable(faults))
    }
}

fn unreadable(faults: Vec<CalendarFault>) -> CalendarError {
    CalendarError::Unreadable { faults }
}

fn parse_row(text: &str, columns: usize) -> Result<Row, FaultKind> {
    let cells: Vec<&str> = text.split(',').map(str::trim).collect();
    if cells.len() != columns {
        return Err(FaultKind::Cells);
    }
    let date = parse_date(cells[0]).ok_or(FaultKind::Date)?;
    let kind = match cells[1] {
        "holiday" => DayKind::Holiday,
        "workday" => DayKind::MakeUp,
        _ => return Err(FaultKind::Kind),
    };
    if cells[2].is_empty() {
        return Err(FaultKind::Name);
    }
    if kind == DayKind::MakeUp && ordinary_kind(date) == DayKind::Working {
        return Err(FaultKind::WorkdayOnWeekday);
    }
    let published = match cells.get(3).copied() {
        None | Some("" | "published") => true,
        Some("statutory-weekday") => false,
        Some(_) => return Err(FaultKind::Status),
    };
    Ok(Row {
        date,
        kind,
        name: cells[2].to_owned(),
        published,
    })
}

/// Only the form `2026-10-01`: jiff reads more forms, in which a slip could hide.
fn parse_date(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}
