//! Move the demo clock on by whole days.

use std::sync::Arc;

use axum::{Json, extract::State};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tongqu_domain::time::china_date;
use utoipa::ToSchema;

use super::CLOCK_SHIFT;
use crate::{
    app::App,
    features::{directory, session, supervision},
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// The most days that one step may skip.
const DAYS_MAX: u32 = 31;

/// How far.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceBody {
    /// Days, 1-31.
    pub days: u32,
}

/// What the clock says now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockNowView {
    /// Instant.
    pub now: String,
    /// Civil date in China.
    pub today: String,
}

/// Move the demo clock on. Outside the demo there is no such thing.
#[utoipa::path(post, path = "/demo/clock", tag = "demo", operation_id = "advance_clock", request_body = AdvanceBody,
    responses((status = 200, body = ClockNowView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn advance_clock(
    State(app): State<Arc<App>>,
    ctx: Ctx,
    Json(body): Json<AdvanceBody>,
) -> Reply<ClockNowView> {
    if !app.clock.is_demo() {
        return Err(ApiError::not_found("platform.no_such_operation"));
    }
    if !(1..=DAYS_MAX).contains(&body.days) {
        return Err(ApiError::invalid("demo.days").arg("max", DAYS_MAX));
    }
    let until = ctx.now + SignedDuration::from_hours(24 * i64::from(body.days));
    let mut tx = app.registry.begin(until).await?;
    // Nobody is signed out because the demo skips a night: the clock is moved when all sessions last longer.
    session::prolong_all(
        &mut tx,
        until + SignedDuration::from_hours(app.config.session.hours_max),
    )
    .await?;
    directory::save_setting(
        &mut tx,
        CLOCK_SHIFT,
        &app.clock.shift_to_s(until).to_string(),
    )
    .await?;
    tx.commit(ctx.did("demo.clock_moved").with("days", body.days))
        .await?;
    app.clock.set(until);
    supervision::new_day(&app).await?;
    reply(ClockNowView {
        now: until.to_string(),
        today: china_date(until).to_string(),
    })
}
