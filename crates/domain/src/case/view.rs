//! How a case looks at a given moment: each step with its holder, due date and lamp.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::event::ActedBy;
use super::fold::{Folded, Progress};
use super::{Case, Parties, Refusal};
use crate::calendar::{Calendar, CalendarError};
use crate::ids::DepartmentId;
use crate::law::process::{FormPolicy, Ground, ReasonPolicy};
use crate::law::{
    Action, ClauseId, Due, Event, Facts, Limit, LimitSource, LimitWord, NotBefore, Outcome, Pack,
    Process, RoleId, Step, StepId, StepKind,
};
use crate::time::china_date;

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepState {
    /// Its event hasn't happened.
    Waiting,
    /// It can be taken.
    Open {
        /// Since when.
        opened_at: Timestamp,
    },
    /// It was taken.
    Done {
        /// When.
        at: Timestamp,
        /// By whom; `None`: by the platform itself.
        by: Option<ActedBy>,
        /// How it ended.
        outcome: Outcome,
        /// The due date as it stood then.
        due_on: Option<Date>,
        /// Whether it was in time; `None` where there was no due date.
        in_time: Option<bool>,
    },
    /// It isn't part of the case, or can't come any more.
    Skipped,
}

impl StepState {
    /// Whether the step can be taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Whether the step is done or skipped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Skipped)
    }
}

/// The lamp of a step. All numbers are working days, except the age of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "lamp", rename_all = "snake_case")]
pub enum Clock {
    /// Not open yet, or skipped.
    Off,
    /// Open, and the regulation sets no limit.
    NoLimit,
    /// More than one working day is left after today.
    OnTime {
        /// Working days after today, the due day included.
        left: u32,
    },
    /// At most one working day is left after today.
    DueSoon {
        /// Working days after today, the due day included.
        left: u32,
    },
    /// Today is the last day.
    DueToday,
    /// The last day has passed.
    Overdue {
        /// Working days since; 0 on rest days right after the last day.
        by: u32,
    },
    /// The limit is a word: it ages and is never overdue.
    Word {
        /// The word.
        word: LimitWord,
        /// Days since its event, or since the step opened.
        age_days: u32,
    },
    /// The clock stands.
    Paused,
    /// The step is done.
    Done {
        /// Whether in time; `None` where there was no due date.
        in_time: Option<bool>,
    },
    /// The date can't be reckoned: the holiday notice of the year isn't loaded. Never a guess.
    CalendarMissing {
        /// The year.
        year: i16,
    },
}

/// A step as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// The step.
    pub id: StepId,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// What is done.
    pub action: Action,
    /// How it comes to be taken.
    pub kind: StepKind,
    /// Who takes it.
    pub role: RoleId,
    /// The role in Chinese.
    pub role_name: String,
    /// The role in English.
    pub role_name_en: String,
    /// The department that holds it; `None` where no particular one does.
    pub department: Option<DepartmentId>,
    /// Where it stands.
    pub state: StepState,
    /// The last day in time, China Standard Time; known from the moment its event happened.
    pub due_on: Option<Date>,
    /// The number of working days of the limit, where it is counted in them.
    pub working_days: Option<u32>,
    /// The event that the limit counts from.
    pub counted_from: Option<Event>,
    /// When that event first happened; `None` until it has.
    pub counted_at: Option<Timestamp>,
    /// The regulation doesn't state that event; it is our reading.
    pub from_is_reading: bool,
    /// Whether pack or national ceiling decided the due date.
    pub due_by: Option<LimitSource>,
    /// The clause of the limit.
    pub due_clause: Option<ClauseId>,
    /// The first day on which it may be taken, where the regulation sets one.
    pub earliest_on: Option<Date>,
    /// The lamp.
    pub clock: Clock,
    /// The last time somebody was urged.
    pub last_urged_at: Option<Timestamp>,
    /// How it can end.
    pub outcomes: Vec<Outcome>,
    /// When a reason is demanded.
    pub reason: Option<ReasonPolicy>,
    /// The form it needs.
    pub form: Option<FormPolicy>,
    /// The only grounds allowed; empty: any that aren't barred.
    pub grounds: Vec<Ground>,
    /// The clause of the step.
    pub clause: ClauseId,
}

impl Case {
    /// Every step of the process, in order, as it stands at `now`.
    ///
    /// Errors: [`Refusal::OtherPack`], [`Refusal::UnknownProcess`].
    pub fn steps(
        &self,
        pack: &Pack,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<Vec<StepView>, Refusal> {
        let process = self.process(pack)?;
        let today = china_date(now);
        Ok(process
            .steps
            .iter()
            .zip(&self.folded.steps)
            .map(|(step, progress)| {
                view_step(
                    &Glance {
                        pack,
                        process,
                        parties: &self.head.parties,
                        folded: &self.folded,
                        calendar,
                        today,
                    },
                    step,
                    progress,
                )
            })
            .collect())
    }
}

/// Everything that is needed to look at a step.
struct Glance<'a> {
    pack: &'a Pack,
    process: &'a Process,
    parties: &'a Parties,
    folded: &'a Folded,
    calendar: &'a Calendar,
    today: Date,
}

fn view_step(glance: &Glance<'_>, step: &Step, progress: &Progress) -> StepView {
    let role = glance.pack.role(&step.role);
    let due = due(
        glance.pack,
        glance.process,
        step,
        glance.folded,
        glance.calendar,
    );
    let clock = clock(glance, step, progress, &due);
    let due = due.ok().flatten();
    let due_on = match &progress.state {
        StepState::Done { due_on, .. } => *due_on,
        StepState::Skipped => None,
        StepState::Waiting | StepState::Open { .. } => due.as_ref().map(|due| due.on),
    };
    let limit = due
        .as_ref()
        .map(|due| due.limit)
        .or(step.deadline.as_ref().map(|deadline| deadline.limit));
    StepView {
        id: step.id.clone(),
        name: step.name.clone(),
        name_en: step.name_en.clone(),
        action: step.action,
        kind: step.kind,
        role: step.role.clone(),
        role_name: role.map(|role| role.name.clone()).unwrap_or_default(),
        role_name_en: role.map(|role| role.name_en.clone()).unwrap_or_default(),
        department: glance.parties.holder(glance.pack, &step.role).cloned(),
        state: progress.state.clone(),
        due_on,
        working_days: limit.and_then(Limit::working_days),
        counted_from: step.deadline.as_ref().and_then(|deadline| deadline.from),
        counted_at: counted_at(glance, step),
        from_is_reading: step
            .deadline
            .as_ref()
            .is_some_and(|deadline| deadline.from_is_reading),
        due_by: due.as_ref().map(|due| due.source),
        due_clause: due.map(|due| due.clause).or(step
            .deadline
            .as_ref()
            .map(|deadline| deadline.clause.clone())),
        earliest_on: last_day_before(step, glance.folded, glance.calendar)
            .ok()
            .flatten()
            .and_then(|date| date.tomorrow().ok()),
        clock,
        last_urged_at: progress.last_urged_at,
        outcomes: step.action.outcomes().to_vec(),
        reason: step.reason.clone(),
        form: step.form.clone(),
        grounds: step.grounds.clone(),
        clause: step.clause.clone(),
    }
}

fn clock(
    glance: &Glance<'_>,
    step: &Step,
    progress: &Progress,
    due: &Result<Option<Due>, CalendarError>,
) -> Clock {
    let opened_at = match &progress.state {
        StepState::Waiting | StepState::Skipped => return Clock::Off,
        StepState::Done { in_time, .. } => return Clock::Done { in_time: *in_time },
        StepState::Open { opened_at } => *opened_at,
    };
    match due {
        Err(error) if !progress.is_paused() => Clock::CalendarMissing {
            year: missing_year(error),
        },
        due => Clock::of_open(
            step,
            &OpenStep {
                opened_at,
                counted_at: counted_at(glance, step),
                due_on: due.as_ref().ok().and_then(Option::as_ref).map(|due| due.on),
                is_paused: progress.is_paused(),
            },
            glance.today,
            glance.calendar,
        ),
    }
}

fn counted_at(glance: &Glance<'_>, step: &Step) -> Option<Timestamp> {
    let from = step.deadline.as_ref()?.from?;
    glance.folded.happened.get(&from).map(|it| it.first)
}

/// What a lamp needs to know of an open step, so that a desk can be drawn without replaying its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenStep {
    /// Since when it can be taken.
    pub opened_at: Timestamp,
    /// When the event happened that its limit counts from.
    pub counted_at: Option<Timestamp>,
    /// Its due date, see [`StepView::due_on`].
    pub due_on: Option<Date>,
    /// Its clock stands.
    pub is_paused: bool,
}

impl Clock {
    /// The lamp of an open step on a day.
    #[must_use]
    pub fn of_open(step: &Step, open: &OpenStep, today: Date, calendar: &Calendar) -> Self {
        if open.is_paused {
            return Self::Paused;
        }
        let missing = |error: &CalendarError| Self::CalendarMissing {
            year: missing_year(error),
        };
        if let Some(due_on) = open.due_on {
            return lamp(due_on, today, calendar).unwrap_or_else(|error| missing(&error));
        }
        let Some(limit) = step.deadline.as_ref().map(|deadline| deadline.limit) else {
            return Self::NoLimit;
        };
        match (limit.word(), open.counted_at) {
            (Some(word), since) => Self::Word {
                word,
                age_days: days_since(china_date(since.unwrap_or(open.opened_at)), today),
            },
            // A limit in numbers whose event has happened has a date, unless the calendar lacks it.
            (None, Some(since)) => match limit.last_day(china_date(since), calendar) {
                Err(error) => missing(&error),
                Ok(_) => Self::NoLimit,
            },
            (None, None) => Self::NoLimit,
        }
    }
}

/// The lamp for a due date on a given day.
pub(super) fn lamp(due_on: Date, today: Date, calendar: &Calendar) -> Result<Clock, CalendarError> {
    let left = calendar.working_days_between(today, due_on)?;
    let days = u32::try_from(left.unsigned_abs()).unwrap_or(u32::MAX);
    Ok(match today.cmp(&due_on) {
        std::cmp::Ordering::Greater => Clock::Overdue { by: days },
        std::cmp::Ordering::Equal => Clock::DueToday,
        std::cmp::Ordering::Less if days <= 1 => Clock::DueSoon { left: days },
        std::cmp::Ordering::Less => Clock::OnTime { left: days },
    })
}

fn days_since(from: Date, today: Date) -> u32 {
    from.until(today)
        .ok()
        .and_then(|span| u32::try_from(span.get_days()).ok())
        .unwrap_or(0)
}

/// The year that a calendar lacks; 0 for its other errors, which looking up a date never brings on.
pub(super) fn missing_year(error: &CalendarError) -> i16 {
    match error {
        CalendarError::YearNotPublished { year } => *year,
        CalendarError::Unreadable { .. } => 0,
    }
}

/// The due date of a step, pauses and extensions included; `None` where there is none (yet).
pub(super) fn due(
    pack: &Pack,
    process: &Process,
    step: &Step,
    folded: &Folded,
    calendar: &Calendar,
) -> Result<Option<Due>, CalendarError> {
    let day_of = |event: Event| folded.happened.get(&event).map(|it| china_date(it.first));
    let mut due = due_from(pack, process, step, &folded.facts, day_of, calendar)?;
    if let (Some(due), Some(progress)) = (&mut due, folded.step(&step.id))
        && matches!(due.limit, Limit::WorkingDays(_))
    {
        due.on = calendar.add_working_days(due.on, progress.extra_working_days)?;
        for (from, until) in &progress.pauses {
            if let Some(until) = until {
                let stood = calendar.working_days_between(china_date(*from), china_date(*until))?;
                due.on = calendar.add_working_days(due.on, u32::try_from(stood).unwrap_or(0))?;
            }
        }
    }
    // An order's own date is the order's to state; a shorter ceiling would still go before it.
    let ordered = step.deadline.as_ref().and_then(|deadline| {
        let on = folded.step(&step.id)?.ordered_due_on?;
        Some(Due {
            on,
            limit: deadline.limit,
            source: LimitSource::Pack,
            clause: deadline.clause.clone(),
        })
    });
    Ok(match (due, ordered) {
        (Some(due), Some(ordered)) => Some(if due.on < ordered.on { due } else { ordered }),
        (due, ordered) => due.or(ordered),
    })
}

/// The due date by pack and ceilings, whichever is earlier, given the days of the events.
pub(crate) fn due_from(
    pack: &Pack,
    process: &Process,
    step: &Step,
    facts: &Facts,
    day_of: impl Fn(Event) -> Option<Date>,
    calendar: &Calendar,
) -> Result<Option<Due>, CalendarError> {
    let mut earliest: Option<Due> = None;
    let by_pack = step.deadline.as_ref().and_then(|deadline| {
        let start = deadline.from.and_then(&day_of)?;
        Some((start, deadline.limit, LimitSource::Pack, &deadline.clause))
    });
    let by_ceiling = pack
        .ceilings
        .for_step(process, step, facts)
        .filter_map(|ceiling| {
            let start = day_of(ceiling.from)?;
            Some((
                start,
                Limit::WorkingDays(ceiling.working_days),
                LimitSource::NationalCeiling,
                &ceiling.clause,
            ))
        });
    for (start, limit, source, clause) in by_pack.into_iter().chain(by_ceiling) {
        let Some(on) = limit.last_day(start, calendar)? else {
            continue;
        };
        if earliest.as_ref().is_none_or(|due| on < due.on) {
            earliest = Some(Due {
                on,
                limit,
                source,
                clause: clause.clone(),
            });
        }
    }
    Ok(earliest)
}

/// The last day on which a step may not be taken yet; `None` where it may at once.
pub(super) fn last_day_before(
    step: &Step,
    folded: &Folded,
    calendar: &Calendar,
) -> Result<Option<Date>, CalendarError> {
    let Some(not_before) = &step.not_before else {
        return Ok(None);
    };
    let times = |event: Event| folded.happened.get(&event);
    last_closed_day(
        not_before,
        |event| times(event).map(|it| china_date(it.first)),
        |event| times(event).map(|it| china_date(it.last)),
        calendar,
    )
}

/// The last day on which a rule still keeps a step closed, given the first and the last day of each
/// event; `None` while its event hasn't happened.
pub(crate) fn last_closed_day(
    rule: &NotBefore,
    first_of: impl Fn(Event) -> Option<Date>,
    last_of: impl Fn(Event) -> Option<Date>,
    calendar: &Calendar,
) -> Result<Option<Date>, CalendarError> {
    let began = first_of(rule.from);
    let restarted = rule.restart_on.and_then(last_of);
    match began.max(restarted) {
        Some(start) => rule.limit.last_day(start, calendar),
        None => Ok(None),
    }
}
