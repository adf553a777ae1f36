//! JSON shapes of requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongqu_domain::{
    case::StepState,
    exchange::{ConditionOp, RowCondition, Term},
    request::PurposeKind,
};
use utoipa::ToSchema;

use super::{rules::DutyFitView, store::Request};
use crate::{
    features::case::{CaseRow, ClauseView, ClockView, clock_view, refusal, state_code},
    platform::http::{ApiError, Ctx},
};

/// One term of a row condition; all terms must hold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TermView {
    /// Code of a data item.
    pub column: String,
    /// `eq`, `in` or `prefix`.
    #[schema(value_type = String)]
    pub op: ConditionOp,
    pub values: Vec<String>,
}

/// The condition that the terms make.
pub(super) fn condition_of(terms: Vec<TermView>) -> RowCondition {
    RowCondition::new(
        terms
            .into_iter()
            .map(|t| Term {
                column: t.column,
                op: t.op,
                values: t.values,
            })
            .collect(),
    )
}

/// The terms of a condition.
#[must_use]
pub fn terms_of(condition: &RowCondition) -> Vec<TermView> {
    condition
        .terms()
        .iter()
        .map(|t| TermView {
            column: t.column.clone(),
            op: t.op,
            values: t.values.clone(),
        })
        .collect()
}

/// What a request asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestContentView {
    pub mode: String,
    pub mode_name: String,
    /// Codes and names of the data items asked for.
    pub columns: Vec<ColumnView>,
    pub condition: Vec<TermView>,
    /// `admin_basis`, `work_reference`, `data_check` or `business_collaboration`.
    #[schema(value_type = String)]
    pub purpose_kind: PurposeKind,
    pub purpose: String,
    pub duty: String,
    /// How the duty stands to the registered ones; absent where the regulation asks for no such check.
    pub duty_fit: Option<DutyFitView>,
    /// The clauses whose undertakings the department has accepted.
    pub undertakings: Vec<ClauseView>,
    pub consumer_system: String,
    pub term_months: Option<u32>,
}

/// A data item asked for or granted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    pub code: String,
    pub name: String,
    /// How it is masked; absent where it isn't.
    pub mask_name: Option<String>,
}

/// A request in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestLineView {
    pub request_id: String,
    pub number: String,
    pub entry_id: String,
    pub entry_name: String,
    pub requester_name: String,
    pub provider_name: String,
    /// Instant.
    pub filed_at: String,
    /// `open`, `completed`, `refused`, `not_accepted` or `withdrawn`.
    pub state: String,
    /// Where it is stuck: the step that is open, and who holds it.
    pub step_name: Option<String>,
    pub holder_name: Option<String>,
    pub due_on: Option<String>,
    pub clock: Option<ClockView>,
}

/// The line of a request, as the viewer sees it now.
pub fn line(
    ctx: &Ctx,
    request: &Request,
    row: &CaseRow,
    entry_name: String,
    departments: &BTreeMap<String, String>,
) -> Result<RequestLineView, ApiError> {
    let steps = row
        .case
        .steps(&row.pack, &ctx.app.calendar(), ctx.now)
        .map_err(refusal)?;
    let open = steps
        .iter()
        .find(|s| matches!(s.state, StepState::Open { .. }));
    let name_of = |id: &str| departments.get(id).cloned().unwrap_or_default();
    Ok(RequestLineView {
        request_id: request.id.to_string(),
        number: row.number.clone(),
        entry_id: request.content.entry_id.to_string(),
        entry_name,
        requester_name: name_of(request.requester.as_str()),
        provider_name: name_of(request.provider.as_str()),
        filed_at: request.created_at.to_string(),
        state: state_code(&row.case),
        step_name: open.map(|s| ctx.language.name_of(s)),
        holder_name: open
            .and_then(|s| s.department.as_ref())
            .map(|d| name_of(d.as_str())),
        due_on: open.and_then(|s| s.due_on).map(|d| d.to_string()),
        clock: open.map(|s| clock_view(&s.clock, s.working_days)),
    })
}
