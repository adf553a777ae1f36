//! JSON shapes of cases: steps with holder, date, lamp and clause. The page draws; it reckons nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::{
    case::{Clock, Refusal, StepState, StepView},
    law::{ClauseId, Pack, StepKind},
};
use utoipa::ToSchema;

use super::CaseRow;
use crate::platform::http::{ApiError, Ctx};

/// A clause, with what a page shows beside a button or a date.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClauseView {
    pub id: String,
    /// Place in the regulation, for example 第十条第（二）项.
    pub place: String,
    /// What it says, in our words.
    pub gist: String,
}

/// The note on a clause; the bare id if the pack has none.
#[must_use]
pub fn clause_view(id: &ClauseId, pack: &Pack) -> ClauseView {
    let note = pack.clause(id);
    ClauseView {
        id: id.to_string(),
        place: note.map(|n| n.place.clone()).unwrap_or_default(),
        gist: note.map(|n| n.gist.clone()).unwrap_or_default(),
    }
}

/// The lamp of a step.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClockView {
    /// `off`, `no_limit`, `on_time`, `due_soon`, `due_today`, `overdue`, `word`, `paused`, `done`,
    /// `calendar_missing`.
    pub kind: &'static str,
    /// Working days left, or by which it is overdue; calendar days of age for `word`.
    pub days: Option<u32>,
    /// Working days of the limit, for the day squares.
    pub limit: Option<u32>,
    /// For `done`: whether it was in time. Absent where there was no date.
    pub in_time: Option<bool>,
    /// For `word`: its code, for example `promptly`.
    pub word: Option<String>,
    /// For `calendar_missing`: the year whose holiday notice isn't loaded.
    pub year: Option<i16>,
}

/// How a clock is drawn, with `limit` working days in all.
#[must_use]
pub fn clock_view(clock: &Clock, limit: Option<u32>) -> ClockView {
    let plain = |kind| ClockView {
        kind,
        days: None,
        limit,
        in_time: None,
        word: None,
        year: None,
    };
    match clock {
        Clock::Off => plain("off"),
        Clock::NoLimit => plain("no_limit"),
        Clock::OnTime { left } => ClockView {
            days: Some(*left),
            ..plain("on_time")
        },
        Clock::DueSoon { left } => ClockView {
            days: Some(*left),
            ..plain("due_soon")
        },
        Clock::DueToday => ClockView {
            days: Some(0),
            ..plain("due_today")
        },
        Clock::Overdue { by } => ClockView {
            days: Some(*by),
            ..plain("overdue")
        },
        Clock::Word { word, age_days } => ClockView {
            days: Some(*age_days),
            word: Some(word.code().to_owned()),
            ..plain("word")
        },
        Clock::Paused => plain("paused"),
        Clock::Done { in_time } => ClockView {
            in_time: *in_time,
            ..plain("done")
        },
        Clock::CalendarMissing { year } => ClockView {
            year: Some(*year),
            ..plain("calendar_missing")
        },
    }
}

/// A ground that may be chosen.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GroundView {
    pub code: String,
    pub name: String,
}

/// A step of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepLineView {
    pub id: String,
    pub name: String,
    /// What is done: `file`, `decide`, `deliver`...
    pub action: String,
    /// `required`, `automatic`, `optional` or `duty`.
    pub kind: String,
    pub role_name: String,
    /// The department that holds it.
    pub department_name: Option<String>,
    /// `waiting`, `open`, `done` or `skipped`.
    pub state: &'static str,
    /// Instants.
    pub opened_at: Option<String>,
    pub done_at: Option<String>,
    pub done_by_name: Option<String>,
    pub outcome: Option<String>,
    pub outcome_name: Option<String>,
    pub reason: Option<String>,
    /// Civil date; absent where the law sets none.
    pub due_on: Option<String>,
    pub working_days: Option<u32>,
    pub clock: ClockView,
    pub clause: ClauseView,
    /// Whether a refusal needs its reason in words.
    pub refusal_needs_reason: bool,
    pub grounds: Vec<GroundView>,
    /// Whether the viewer may take it now.
    pub may_take: bool,
}

/// The steps of a case as `ctx`'s viewer sees them.
pub fn step_lines(
    ctx: &Ctx,
    row: &CaseRow,
    departments: &BTreeMap<String, String>,
    people: &BTreeMap<String, String>,
) -> Result<Vec<StepLineView>, ApiError> {
    let steps = row
        .case
        .steps(&row.pack, &ctx.app.calendar(), ctx.now)
        .map_err(refusal)?;
    Ok(steps
        .iter()
        .filter(|s| !matches!(s.state, StepState::Skipped) && s.kind != StepKind::Optional)
        .map(|step| step_line(ctx, row, step, departments, people))
        .collect())
}

fn step_line(
    ctx: &Ctx,
    row: &CaseRow,
    step: &StepView,
    departments: &BTreeMap<String, String>,
    people: &BTreeMap<String, String>,
) -> StepLineView {
    let reason = row
        .case
        .events()
        .iter()
        .rev()
        .find(|e| e.step.as_ref() == Some(&step.id))
        .and_then(|e| e.reason.clone());
    let (state, opened_at, done_at, done_by, outcome) = match &step.state {
        StepState::Waiting => ("waiting", None, None, None, None),
        StepState::Open { opened_at } => ("open", Some(opened_at.to_string()), None, None, None),
        StepState::Done {
            at, by, outcome, ..
        } => (
            "done",
            None,
            Some(at.to_string()),
            by.as_ref().map(|b| &b.person),
            Some(*outcome),
        ),
        StepState::Skipped => ("skipped", None, None, None, None),
    };
    StepLineView {
        id: step.id.to_string(),
        name: step.name.clone(),
        action: step.action.code().to_owned(),
        kind: step.kind.code().to_owned(),
        role_name: step.role_name.clone(),
        department_name: step
            .department
            .as_ref()
            .and_then(|d| departments.get(d.as_str()).cloned()),
        state,
        opened_at,
        done_at,
        done_by_name: done_by.and_then(|p| people.get(p.as_str()).cloned()),
        outcome: outcome.map(|o| o.code().to_owned()),
        outcome_name: outcome.map(|o| o.label().to_owned()),
        reason,
        due_on: step.due_on.map(|d| d.to_string()),
        working_days: step.working_days,
        clock: clock_view(&step.clock, step.working_days),
        clause: clause_view(step.due_clause.as_ref().unwrap_or(&step.clause), &row.pack),
        refusal_needs_reason: step.reason.is_some(),
        grounds: step
            .grounds
            .iter()
            .map(|g| GroundView {
                code: g.code.clone(),
                name: g.name.clone(),
            })
            .collect(),
        may_take: row.case.may_take(&ctx.actor, &step.id, &row.pack).is_ok(),
    }
}

/// A refusal of the case engine as an answer, with the clause it rests on.
#[must_use]
pub fn refusal(refusal: Refusal) -> ApiError {
    let error = ApiError::new(refusal.kind(), refusal.code()).under(refusal.clause());
    match refusal {
        // A broken history is ours; the log has to know where.
        Refusal::BrokenHistory { .. } | Refusal::OtherPack { .. } => error.because(refusal),
        // The page marks the field that is empty.
        Refusal::ReasonRequired { .. } => error.field("reason", refusal.code()),
        _ => error,
    }
}
