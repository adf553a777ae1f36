//! JSON shapes of cases: steps with holder, date, lamp and clause. The page draws; it reckons nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::{
    case::{Case, CaseOutcome, Clock, StepState, StepView},
    law::{ClauseId, Pack, Step, StepKind},
};
use utoipa::ToSchema;

use super::{CaseLine, CaseRow, FactView, fact_views, refusal};
use crate::platform::{
    evidence::Entry,
    http::{ApiError, Ctx, Language},
};

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

/// An exception of a step: a case in which it isn't to be taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExceptionView {
    pub code: String,
    pub name: String,
    pub clause: ClauseView,
    /// Whether the viewer may claim it now.
    pub may_claim: bool,
}

/// An exception that was claimed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClaimedView {
    pub name: String,
    /// The basis that was stated.
    pub reason: String,
    /// Instant.
    pub at: String,
    pub by_name: Option<String>,
    pub clause: ClauseView,
}

/// A way in which a step can end.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OutcomeView {
    /// For example `approved`.
    pub code: String,
    pub name: String,
    /// Whether it needs a reason in words.
    pub needs_reason: bool,
}

/// A form that a step needs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FormView {
    pub name: String,
    /// Kinds of seal of which one is needed; none: the form needs no seal.
    pub seal_kinds: Vec<String>,
    /// The seal is a reading of the clause, not stated in it.
    pub seal_is_reading: bool,
    pub clause: ClauseView,
}

/// The form that a step needs, if it needs one.
#[must_use]
pub fn form_view(step: &Step, pack: &Pack, language: Language) -> Option<FormView> {
    step.form.as_ref().map(|form| FormView {
        name: language.name_of(form),
        seal_kinds: form.seal_kinds.clone(),
        seal_is_reading: form.seal_is_reading,
        clause: clause_view(&form.clause, pack),
    })
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
    /// Cases in which it isn't to be taken, as the regulation names them.
    pub exceptions: Vec<ExceptionView>,
    /// The exception that was claimed; nobody takes the step then.
    pub claimed: Option<ClaimedView>,
    /// The body whose decision the step records, where it isn't the one that takes it.
    pub decided_by_name: Option<String>,
    /// How it can end; one that can end in one way only is just done.
    pub outcomes: Vec<OutcomeView>,
    pub form: Option<FormView>,
    /// Facts that whoever takes it has to state.
    pub establishes: Vec<FactView>,
    /// The role whose consent is needed as well.
    pub consent_role_name: Option<String>,
    /// For a step that prolongs a limit: by how many working days at most.
    pub extension_days_max: Option<u32>,
    /// The first day on which it may be taken, where the regulation sets one.
    pub earliest_on: Option<String>,
    /// Whether its clock may be stopped.
    pub pausable: bool,
    /// Instant of the last urging.
    pub last_urged_at: Option<String>,
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
        .filter(|s| {
            // What may be done besides is shown once it can be, or was.
            let optional = s.kind == StepKind::Optional && matches!(s.state, StepState::Waiting);
            let excepted = row.case.exception_of(&s.id).is_some();
            excepted || (!matches!(s.state, StepState::Skipped) && !optional)
        })
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
    let rule = row
        .pack
        .process(&row.case.head().process)
        .and_then(|process| process.step(&step.id));
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
        name: ctx.language.name_of(step),
        action: step.action.code().to_owned(),
        kind: step.kind.code().to_owned(),
        role_name: ctx
            .language
            .of_both(&step.role_name, &step.role_name_en)
            .to_owned(),
        department_name: step
            .department
            .as_ref()
            .and_then(|d| departments.get(d.as_str()).cloned()),
        state,
        opened_at,
        done_at,
        done_by_name: done_by.and_then(|p| people.get(p.as_str()).cloned()),
        outcome: outcome.map(|o| o.code().to_owned()),
        outcome_name: outcome.map(|o| ctx.language.name_of(&o)),
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
                name: ctx.language.name_of(g),
            })
            .collect(),
        exceptions: rule.map_or_else(Vec::new, |rule| exception_views(ctx, row, rule)),
        claimed: rule.and_then(|rule| claimed_view(ctx, row, rule, people)),
        decided_by_name: rule
            .and_then(|rule| row.pack.role(rule.decided_by.as_ref()?))
            .map(|role| ctx.language.name_of(role)),
        outcomes: step
            .outcomes
            .iter()
            .map(|o| OutcomeView {
                code: o.code().to_owned(),
                name: ctx.language.name_of(o),
                needs_reason: step.reason.as_ref().is_some_and(|r| r.rule.demands(*o)),
            })
            .collect(),
        form: rule.and_then(|rule| form_view(rule, &row.pack, ctx.language)),
        establishes: rule.map_or_else(Vec::new, |rule| {
            fact_views(
                rule.establishes.iter().map(String::as_str),
                &row.pack,
                ctx.language,
            )
        }),
        consent_role_name: rule
            .and_then(|rule| row.pack.role(rule.consent_of.as_ref()?))
            .map(|role| ctx.language.name_of(role)),
        extension_days_max: rule
            .and_then(|rule| rule.extends.as_ref())
            .map(|extension| extension.working_days_max),
        earliest_on: step.earliest_on.map(|day| day.to_string()),
        pausable: rule.is_some_and(|rule| rule.pause.is_some()),
        last_urged_at: step.last_urged_at.map(|at| at.to_string()),
        may_take: row.case.may_take(&ctx.actor, &step.id, &row.pack).is_ok(),
    }
}

fn exception_views(ctx: &Ctx, row: &CaseRow, rule: &Step) -> Vec<ExceptionView> {
    rule.exceptions
        .iter()
        .map(|exception| ExceptionView {
            code: exception.code.clone(),
            name: ctx.language.name_of(exception),
            clause: clause_view(&exception.clause, &row.pack),
            may_claim: row
                .case
                .may_claim(&ctx.actor, &rule.id, &exception.code, &row.pack)
                .is_ok(),
        })
        .collect()
}

fn claimed_view(
    ctx: &Ctx,
    row: &CaseRow,
    rule: &Step,
    people: &BTreeMap<String, String>,
) -> Option<ClaimedView> {
    let event = row.case.exception_of(&rule.id)?;
    let exception = rule
        .exceptions
        .iter()
        .find(|exception| Some(&exception.code) == event.ground.as_ref())?;
    Some(ClaimedView {
        name: ctx.language.name_of(exception),
        reason: event.reason.clone().unwrap_or_default(),
        at: event.at.to_string(),
        by_name: event
            .by
            .as_ref()
            .and_then(|by| people.get(by.person.as_str()).cloned()),
        clause: clause_view(&exception.clause, &row.pack),
    })
}

/// Where a case stands: `open`, or how it ended.
#[must_use]
pub fn state_code(case: &Case) -> String {
    match case.outcome() {
        None => "open",
        Some(CaseOutcome::Completed) => "completed",
        Some(CaseOutcome::Refused) => "refused",
        Some(CaseOutcome::NotAccepted) => "not_accepted",
        Some(CaseOutcome::Withdrawn) => "withdrawn",
    }
    .to_owned()
}

/// The evidence of what the events after number `known` have added to a case.
#[must_use]
pub fn account(entry: Entry, case: &Case, known: u32, pack: &Pack) -> Entry {
    let Some(event) = case.events_after(known).first() else {
        return entry;
    };
    let facts = [
        ("step", event.step.as_ref().map(ToString::to_string)),
        ("outcome", event.outcome.map(|o| o.code().to_owned())),
        ("ground", event.ground.clone()),
        ("reason", event.reason.clone()),
        (
            "on_behalf_of",
            event
                .by
                .as_ref()
                .and_then(|by| by.on_behalf_of.as_ref())
                .map(ToString::to_string),
        ),
        (
            "consent_of",
            event.consent.as_ref().map(|by| by.person.to_string()),
        ),
    ];
    let clause = event
        .step
        .as_ref()
        .and_then(|step| pack.process(&case.head().process)?.step(step))
        .map(|step| step.clause.to_string());
    facts
        .into_iter()
        .filter_map(|(name, fact)| Some((name, fact?)))
        .fold(entry, |entry, (name, fact)| entry.with(name, fact))
        .under(clause)
}

/// A case in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseLineView {
    pub case_id: String,
    pub number: String,
    pub title: String,
    pub process_id: String,
    pub process_name: String,
    /// Kind and id of the thing that it is about: `request`, `entry`, `grant`...
    pub subject_kind: String,
    pub subject_id: String,
    pub requester_name: String,
    pub provider_name: String,
    /// Instant.
    pub opened_at: String,
    /// Instant; absent while it is open.
    pub ended_at: Option<String>,
    /// `open`, `completed`, `refused`, `not_accepted` or `withdrawn`.
    pub state: String,
}

/// The line of a case.
#[must_use]
pub fn case_line(
    ctx: &Ctx,
    line: &CaseLine,
    departments: &BTreeMap<String, String>,
) -> CaseLineView {
    let pack = ctx.app.packs.of_case(&line.pack_id, &line.pack_version);
    let name_of = |id: &str| departments.get(id).cloned().unwrap_or_default();
    CaseLineView {
        case_id: line.case_id.to_string(),
        number: line.number.clone(),
        title: line.title.clone(),
        process_id: line.process_id.to_string(),
        process_name: pack
            .as_ref()
            .and_then(|pack| pack.process(&line.process_id))
            .map(|process| ctx.language.name_of(process))
            .unwrap_or_default(),
        subject_kind: line.subject_kind.clone(),
        subject_id: line.subject_id.clone(),
        requester_name: name_of(&line.requester_department_id),
        provider_name: name_of(&line.provider_department_id),
        opened_at: line.opened_at.to_string(),
        ended_at: line.ended_at.map(|at| at.to_string()),
        state: line.outcome.clone().unwrap_or_else(|| "open".to_owned()),
    }
}
