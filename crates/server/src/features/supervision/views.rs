//! JSON shapes of findings.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use tongqu_domain::{
    law::{ClauseId, Pack, Step, StepId},
    supervision::FindingState,
};
use utoipa::ToSchema;

use super::store::Finding;
use crate::{
    features::case::{ClauseView, clause_view},
    platform::http::{ApiError, Ctx},
};

/// What was found about an overdue step.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingView {
    pub finding_id: String,
    /// `notice`: to rectify, opens a case; `finding`: of prohibited conduct; `reminder`: nothing is attached.
    pub kind: &'static str,
    pub kind_name: String,
    /// `draft`, `issued` or `dismissed`.
    pub state: &'static str,
    pub state_name: String,
    /// `overdue`: the step is still open; `done`: it was done meanwhile; `moved`: its date has moved on.
    pub standing: &'static str,
    pub case_id: String,
    pub number: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub step_id: String,
    pub step_name: String,
    /// Who held the step.
    pub department_id: String,
    pub department_name: String,
    /// The date that had passed.
    pub due_on: String,
    /// Instant.
    pub found_at: String,
    /// Of a finding: code and name of the prohibited conduct.
    pub code: Option<String>,
    pub code_name: Option<String>,
    /// Of a notice: the process that sending it opens.
    pub process_name: Option<String>,
    pub clause: ClauseView,
    /// As it was sent, or why it was set aside.
    pub text: Option<String>,
    pub settled_by_name: Option<String>,
    /// Instant.
    pub settled_at: Option<String>,
    /// The case that it opened.
    pub follow_up_case_id: Option<String>,
    /// What the viewer may do: `issue`, `dismiss`.
    pub actions: Vec<&'static str>,
}

/// A finding with its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingDetailView {
    #[serde(flatten)]
    pub finding: FindingView,
    /// Role of the holder, as the regulation names it.
    pub role_name: String,
    /// Since when the step was open: an instant.
    pub opened_at: String,
    /// Instant, if it was done meanwhile.
    pub done_at: Option<String>,
    pub done_by_name: Option<String>,
    /// The date of the step now, if it is still open.
    pub due_on_now: Option<String>,
    /// Working days from the date to today, or to the day on which it was done.
    pub late_working_days: Option<u32>,
    /// Departments to which it goes.
    pub addressees: Vec<String>,
    /// What may be sent, in words; the sender changes it at will.
    pub draft_text: String,
}

/// How the step of a finding stands on a day.
pub(super) fn standing(finding: &Finding, today: Date) -> &'static str {
    match (finding.open, finding.due_on_now) {
        (false, _) => "done",
        (true, Some(due_on)) if today > due_on => "overdue",
        (true, _) => "moved",
    }
}

/// The step of a finding in its pack.
pub(super) fn step_of<'a>(finding: &Finding, pack: &'a Pack) -> Option<&'a Step> {
    let id = StepId::parse(&finding.step_id).ok()?;
    pack.process(&finding.case_process_id)?.step(&id)
}

/// What a finding looks like to somebody who may do `actions` with drafts.
pub(super) fn finding_view(
    ctx: &Ctx,
    finding: &Finding,
    pack: &Pack,
    today: Date,
    departments: &BTreeMap<String, String>,
    people: &BTreeMap<String, String>,
    may_settle: MaySettle,
) -> Result<FindingView, ApiError> {
    let clause = ClauseId::parse(&finding.clause).map_err(ApiError::bug)?;
    let code_name = finding.code.as_ref().and_then(|code| {
        let items = &pack.list("prohibited")?.items;
        items
            .iter()
            .find(|item| item.code == *code)
            .map(|item| ctx.language.name_of(item))
    });
    let standing = standing(finding, today);
    let actions = match (may_settle, finding.state, standing) {
        (MaySettle::Yes, FindingState::Draft, "moved") => vec!["dismiss"],
        (MaySettle::Yes, FindingState::Draft, _) => vec!["issue", "dismiss"],
        (MaySettle::Yes | MaySettle::No, _, _) => Vec::new(),
    };
    Ok(FindingView {
        finding_id: finding.id.clone(),
        kind: finding.kind.code(),
        kind_name: ctx.language.name_of(&finding.kind),
        state: finding.state.code(),
        state_name: ctx.language.name_of(&finding.state),
        standing,
        case_id: finding.case_id.to_string(),
        number: finding.number.clone(),
        subject_kind: finding.subject_kind.clone(),
        subject_id: finding.subject_id.clone(),
        step_id: finding.step_id.clone(),
        step_name: step_of(finding, pack).map_or(String::new(), |step| ctx.language.name_of(step)),
        department_id: finding.department_id.to_string(),
        department_name: departments
            .get(finding.department_id.as_str())
            .cloned()
            .unwrap_or_default(),
        due_on: finding.due_on.to_string(),
        found_at: finding.found_at.to_string(),
        code: finding.code.clone(),
        code_name,
        process_name: finding
            .process_id
            .as_ref()
            .and_then(|id| pack.process(id))
            .map(|process| ctx.language.name_of(process)),
        clause: clause_view(&clause, pack),
        text: finding.text.clone(),
        settled_by_name: finding
            .settled_by
            .as_ref()
            .and_then(|id| people.get(id).cloned()),
        settled_at: finding.settled_at.map(|at| at.to_string()),
        follow_up_case_id: finding.follow_up_case_id.clone(),
        actions,
    })
}

/// Whether the viewer may settle drafts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MaySettle {
    Yes,
    No,
}
