//! 时限计算器: by when each step of a process is due, without a case.

use std::collections::BTreeMap;

use axum::Json;
use serde::{Deserialize, Serialize};
use tongqu_domain::law::{
    StepDue,
    due::{fact_value, reckon},
};
use utoipa::ToSchema;

use crate::{
    features::case::{ClauseView, clause_view},
    platform::http::{ApiError, Ctx, Language, Problem, Reply, reply},
};

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DueBody {
    /// The regulation; the one in force for new cases if left out.
    #[serde(default)]
    pub pack_id: Option<String>,
    /// A process, or a periodic duty.
    pub process_id: String,
    /// What is known: codes, or `true` or `false`.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// When what happened: instants by the code of the event.
    pub events: BTreeMap<String, String>,
}

/// The dates of a process.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueView {
    pub steps: Vec<StepDueView>,
}

/// By when one step is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepDueView {
    pub id: String,
    pub name: String,
    /// The role, as the regulation names it.
    pub actor: String,
    pub actor_name: String,
    /// Civil date; absent where the law sets none or the event isn't known.
    pub due_on: Option<String>,
    pub working_days: Option<u32>,
    /// The word in which the law gives the limit.
    pub word: Option<String>,
    /// The event that has to happen first, in words.
    pub waits_for: Option<String>,
    /// The event that the limit counts from, in words.
    pub counted_from: Option<String>,
    pub from_is_reading: bool,
    /// The earliest day, where the law sets one.
    pub not_before: Option<String>,
    pub clause: ClauseView,
}

/// Reckon by when the steps of a process are due. Nothing is stored.
#[utoipa::path(post, path = "/law/due", tag = "law", operation_id = "reckon_due", request_body = DueBody,
    responses((status = 200, body = DueView), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn reckon_due(ctx: Ctx, Json(body): Json<DueBody>) -> Reply<DueView> {
    let pack = match body.pack_id.as_deref() {
        None => ctx.app.pack(),
        Some(id) => ctx
            .app
            .packs
            .named(id)
            .ok_or_else(|| ApiError::not_found("law.pack_not_found"))?,
    };
    let facts = body
        .facts
        .iter()
        .map(|(name, value)| (name.clone(), fact_value(value)))
        .collect();
    let mut events = BTreeMap::new();
    for (event, at) in body.events {
        let instant = at.parse().map_err(|_| {
            ApiError::invalid("law.instant_invalid")
                .field(format!("events.{event}"), "law.instant_invalid")
        })?;
        events.insert(event, instant);
    }
    let steps = reckon(
        &pack,
        &body.process_id,
        &facts,
        &events,
        &ctx.app.calendar(),
    )
    .map_err(|error| {
        let refused = ApiError::new(error.kind(), error.code());
        match ctx.language {
            Language::Chinese => refused.saying(error.in_chinese()),
            Language::English => refused.saying(error.to_string()),
        }
    })?;
    let view = |step: StepDue| StepDueView {
        actor_name: pack
            .role(&step.actor)
            .map(|role| ctx.language.name_of(role))
            .unwrap_or_default(),
        actor: step.actor.to_string(),
        due_on: step.due_on.map(|day| day.to_string()),
        working_days: step.working_days,
        word: step.word.map(|word| ctx.language.name_of(&word)),
        waits_for: step.waits_for.map(|event| ctx.language.name_of(&event)),
        counted_from: step.counted_from.map(|event| ctx.language.name_of(&event)),
        from_is_reading: step.from_is_reading,
        not_before: step.not_before.map(|day| day.to_string()),
        clause: clause_view(&step.clause, &pack),
        name: ctx.language.name_of(&step),
        id: step.id,
    };
    reply(DueView {
        steps: steps.into_iter().map(view).collect(),
    })
}
