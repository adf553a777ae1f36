//! Set how long the periods of a duty are that the regulation calls periodic without a number.

use axum::{Json, extract::Path};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    law::Limit,
    supervision::Period,
    time::china_date,
};
use utoipa::ToSchema;

use super::store;
use crate::{
    features::case::{ClauseView, clause_view},
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// The longest period, in months.
const MONTHS_MAX: u32 = 120;

/// How long the period of a duty is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodBody {
    /// Calendar months, 1-120.
    pub months: u32,
    /// The civil date on which the first period begins; the first of January of this year if left out.
    #[serde(default)]
    pub first_day: Option<String>,
}

/// The period of a duty.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodView {
    pub duty_id: String,
    pub name: String,
    pub months: u32,
    pub first_day: String,
    pub clause: ClauseView,
}

/// Set the period of a duty that the regulation calls periodic without a number.
#[utoipa::path(put, path = "/duties/{duty_id}/period", tag = "supervision", operation_id = "set_period",
    params(("duty_id" = String, Path, description = "The duty in the rule pack")), request_body = PeriodBody,
    responses((status = 200, body = PeriodView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn set_period(
    ctx: Ctx,
    Path(duty_id): Path<String>,
    Json(body): Json<PeriodBody>,
) -> Reply<PeriodView> {
    ctx.must(Action::Supervise, &Subject::Platform)?;
    let pack = &ctx.app.pack();
    let duty = pack
        .periodic
        .iter()
        .find(|duty| duty.id == duty_id)
        .ok_or_else(|| ApiError::not_found("duty.not_found"))?;
    if !matches!(duty.due, Limit::Word(_)) {
        return Err(ApiError::conflict("duty.period_by_law").under(Some(&duty.due_clause)));
    }
    if !(1..=MONTHS_MAX).contains(&body.months) {
        return Err(ApiError::invalid("duty.months")
            .field("months", "duty.months")
            .arg("max", MONTHS_MAX));
    }
    let first_day = match &body.first_day {
        Some(text) => text.parse::<Date>().map_err(|_| {
            ApiError::invalid("duty.first_day").field("first_day", "duty.first_day")
        })?,
        None => Date::new(china_date(ctx.now).year(), 1, 1).map_err(ApiError::bug)?,
    };
    let period = Period {
        months: body.months,
        first_day,
    };
    let mut tx = ctx.begin().await?;
    let person = ctx.actor.person.as_str();
    store::set_period(&mut tx, pack.meta.id.as_str(), &duty.id, period, person).await?;
    tx.commit(
        ctx.did("duty.period_set")
            .on("duty", &duty.id)
            .with("pack", pack.meta.id.as_str())
            .with("months", body.months)
            .with("first_day", first_day.to_string())
            .under(Some(duty.due_clause.to_string())),
    )
    .await?;
    reply(PeriodView {
        duty_id: duty.id.clone(),
        name: ctx.language.name_of(duty),
        months: body.months,
        first_day: first_day.to_string(),
        clause: clause_view(&duty.due_clause, pack),
    })
}
