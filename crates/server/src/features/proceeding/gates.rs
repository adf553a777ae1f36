//! Whether something outside the platform may go on: a project's approval, its acceptance.
//!
//! The platform bars nothing there; it answers whoever has to. Spec: TP-7a, TP-7b, YC-40.

use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    case::StepState,
    law::{Outcome, Step},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    features::case::{self, CaseRow, ClauseView, clause_view},
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// About what.
#[derive(Debug, Deserialize, IntoParams)]
pub struct GateQuery {
    /// Kind of the thing that it is about; `matter` if left out.
    pub subject_kind: Option<String>,
    /// Its id, for a thing that has one.
    pub subject_id: Option<String>,
    /// The title of its case, for a matter: the name of the project.
    pub title: Option<String>,
}

/// Whether a gate is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateView {
    /// For example `project_approval`.
    pub gate: String,
    /// Whether what has to be done before was done.
    pub met: bool,
    /// The process in which it is done, and its step.
    pub process_id: String,
    pub process_name: String,
    pub step_name: String,
    /// The clause that asks for it.
    pub clause: ClauseView,
    /// The case that was looked at; absent where there is none.
    pub case_id: Option<String>,
}

/// Ask whether what a regulation wants done before something was done. Everybody may ask.
#[utoipa::path(get, path = "/gates/{gate}", tag = "case", operation_id = "check_gate",
    params(("gate" = String, Path), GateQuery),
    responses((status = 200, body = GateView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn check_gate(
    ctx: Ctx,
    Path(gate): Path<String>,
    Query(query): Query<GateQuery>,
) -> Reply<GateView> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let pack = ctx.app.pack();
    let (process, step) = pack
        .processes
        .iter()
        .flat_map(|process| process.steps.iter().map(move |step| (process, step)))
        .find(|(_, step)| step.gate.as_deref() == Some(gate.as_str()))
        .ok_or_else(|| ApiError::not_found("case.unknown_gate"))?;
    let kind = query.subject_kind.as_deref().unwrap_or("matter");
    let id = query.subject_id.as_deref().unwrap_or_default();
    let mut db = ctx.read().await?;
    let mut looked_at: Option<(CaseRow, bool)> = None;
    for line in case::of_process_about(&mut db, &process.id, (kind, id)).await? {
        let is_named = query
            .title
            .as_ref()
            .is_none_or(|title| *title == line.title);
        // A matter has no id: only its title tells one from another.
        if !is_named || (id.is_empty() && query.title.is_none()) {
            continue;
        }
        let row = case::find(&mut db, &ctx.app, &line.case_id).await?;
        let met = is_met(&row, step);
        if met || looked_at.is_none() {
            looked_at = Some((row, met));
        }
        if met {
            break;
        }
    }
    reply(GateView {
        gate,
        met: looked_at.as_ref().is_some_and(|(_, met)| *met),
        process_id: process.id.to_string(),
        process_name: ctx.language.name_of(process),
        step_name: ctx.language.name_of(step),
        clause: clause_view(&step.clause, &pack),
        case_id: looked_at.map(|(row, _)| row.case.head().id.to_string()),
    })
}

/// Whether the step was done with a good end, or an exception of the regulation lifts it.
fn is_met(row: &CaseRow, step: &Step) -> bool {
    match row.case.step_state(&step.id) {
        Some(StepState::Done { outcome, .. }) => {
            !matches!(outcome, Outcome::Refused | Outcome::NotAccepted)
        }
        Some(StepState::Waiting | StepState::Open { .. } | StepState::Skipped) | None => {
            row.case.exception_of(&step.id).is_some()
        }
    }
}
