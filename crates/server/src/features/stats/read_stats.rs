//! The statistics of a period. Spec: PDS-22.1.

use axum::extract::Query;
use jiff::{ToSpan as _, civil::Date};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    time::china_date,
};
use utoipa::IntoParams;

use super::{
    compute::{Period, statistics},
    views::StatsView,
};
use crate::platform::http::{ApiError, Ctx, Problem, Reply, reply};

/// Which period; the thirty days up to today if left out.
#[derive(Debug, Deserialize, IntoParams)]
pub struct StatsQuery {
    /// First civil date.
    pub from: Option<String>,
    /// Last civil date, inclusive; a year after the first at most.
    pub to: Option<String>,
}

impl StatsQuery {
    pub(super) fn period(&self, ctx: &Ctx) -> Result<Period, ApiError> {
        let today = china_date(ctx.now);
        let last = self.to.clone().unwrap_or_else(|| today.to_string());
        let first = match &self.from {
            Some(from) => from.clone(),
            None => last
                .parse::<Date>()
                .and_then(|last| last.checked_sub(29.days()))
                .map_err(|_| ApiError::invalid("usage.period").field("to", "usage.period"))?
                .to_string(),
        };
        Period::parse(&first, &last)
    }
}

/// Read the statistics of a period, of the whole platform and by department. For whoever may read reports.
#[utoipa::path(get, path = "/statistics/departments", tag = "statistics", operation_id = "read_stats",
    params(StatsQuery),
    responses((status = 200, body = StatsView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn read_stats(ctx: Ctx, Query(query): Query<StatsQuery>) -> Reply<StatsView> {
    ctx.must(Action::ReadReport, &Subject::Platform)?;
    let period = query.period(&ctx)?;
    reply(statistics(&ctx, period).await?)
}
