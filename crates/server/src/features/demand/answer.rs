//! The department asked answers, visible to whoever asked; or the demand is taken back.
//! Spec: TP-5.2, YJ-1.2.

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    demand::{Answer, AnswerKind, DemandError, DemandState, check_answer},
};
use utoipa::ToSchema;

use super::{
    direct::{published, refused},
    read::{load, view},
    state_demand::tell,
    store::{self, Demand},
    views::DemandView,
};
use crate::platform::http::{ApiError, Ctx, Problem, Reply, reply};

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandAnswerBody {
    /// `will_provide`, `in_catalogue` or `cannot`.
    #[schema(value_type = String)]
    pub kind: AnswerKind,
    /// The reason where it can't be provided; else what is to be said. At most 2000 characters.
    #[serde(default)]
    pub text: String,
    /// For `in_catalogue`: the entry.
    #[serde(default)]
    pub entry_id: Option<String>,
    /// `revision` of the demand as it was read.
    pub revision: i64,
}

/// Why a demand is taken back, if one says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalBody {
    /// `revision` of the demand as it was read.
    pub revision: i64,
}

/// Answer a demand for the department that is asked.
#[utoipa::path(post, path = "/demands/{demand_id}/answer", tag = "demand", operation_id = "answer_demand",
    params(("demand_id" = String, Path)), request_body = DemandAnswerBody,
    responses((status = 200, body = DemandView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn answer_demand(
    ctx: Ctx,
    Path(demand_id): Path<String>,
    Json(body): Json<DemandAnswerBody>,
) -> Reply<DemandView> {
    let mut db = ctx.read().await?;
    let demand = load(&ctx, &mut db, &demand_id).await?;
    demand.state.must_be_open().map_err(refused)?;
    let asked = demand
        .asked
        .clone()
        .ok_or_else(|| refused(DemandError::NobodyAsked))?;
    ctx.must(Action::AnswerDemand, &Subject::Department(&asked))?;
    if demand.revision != body.revision {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    let entry = match body.entry_id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(published(&mut db, id).await?.id),
    };
    drop(db);
    let answer = check_answer(Answer {
        kind: body.kind,
        text: body.text,
        entry,
        department: Some(asked),
    })
    .map_err(refused)?;
    let after = Demand {
        // Where it is in the catalogue, the answer is the match.
        entry: answer.entry.clone().or(demand.entry),
        state: DemandState::Answered,
        answer: Some(answer.clone()),
        answered_at: Some(ctx.now),
        ..demand
    };
    let mut tx = ctx.begin().await?;
    store::save(&mut tx, &after).await?;
    tell(&mut tx, &after, &after.requester, "demand.answered").await?;
    tx.commit(
        ctx.did("demand.answered")
            .on("demand", &after.id)
            .with("number", after.number.as_str())
            .with("answer", answer.kind.code())
            .with("entry_id", answer.entry.map(|id| id.to_string()))
            .with("text", answer.text),
    )
    .await?;
    reply(view(&ctx, &demand_id).await?)
}

/// Take a demand back, as long as it is open and in no application upward.
#[utoipa::path(post, path = "/demands/{demand_id}/withdrawal", tag = "demand", operation_id = "withdraw_demand",
    params(("demand_id" = String, Path)), request_body = WithdrawalBody,
    responses((status = 200, body = DemandView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn withdraw_demand(
    ctx: Ctx,
    Path(demand_id): Path<String>,
    Json(body): Json<WithdrawalBody>,
) -> Reply<DemandView> {
    let demand = load(&ctx, &mut *ctx.read().await?, &demand_id).await?;
    ctx.must(Action::StateDemand, &Subject::Department(&demand.requester))?;
    demand.state.must_be_open().map_err(refused)?;
    if demand.application_id.is_some() {
        return Err(refused(DemandError::InApplication));
    }
    if demand.revision != body.revision {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    let after = Demand {
        state: DemandState::Withdrawn,
        ..demand
    };
    let mut tx = ctx.begin().await?;
    store::save(&mut tx, &after).await?;
    if let Some(asked) = &after.asked {
        tell(&mut tx, &after, asked, "demand.withdrawn").await?;
    }
    tx.commit(
        ctx.did("demand.withdrawn")
            .on("demand", &after.id)
            .with("number", after.number.as_str()),
    )
    .await?;
    reply(view(&ctx, &demand_id).await?)
}
