//! Statistics of authorisation and use over a closed period, published to everybody on the portal.
//! Spec: PDS-22.1.

use std::collections::BTreeMap;

use axum::extract::Query;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    time::china_date,
};
use utoipa::{IntoParams, ToSchema};

use super::{figures, store};
use crate::{
    features::{
        case::{ClauseView, clause_view},
        directory,
    },
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// Which period.
#[derive(Debug, Deserialize, IntoParams)]
pub struct UsageQuery {
    /// First civil date.
    pub from: String,
    /// Last civil date, inclusive; it has to be over.
    pub to: String,
}

/// How data were shared in a period.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageView {
    pub from: String,
    pub to: String,
    pub total: UsageCountsView,
    /// By way of exchange 共享方式.
    pub modes: Vec<UsageLineView>,
    /// By the department whose data they are.
    pub providers: Vec<UsageLineView>,
    /// By the department that uses them.
    pub requesters: Vec<UsageLineView>,
    /// The clause that has them published; absent where the pack in force is silent.
    pub clause: Option<ClauseView>,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageLineView {
    /// Code of the mode, or id of the department.
    pub id: String,
    pub name: String,
    #[serde(flatten)]
    pub counts: UsageCountsView,
}

/// Counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageCountsView {
    /// Grants given in the period.
    pub authorisations: i64,
    /// Grants under which data were delivered in it.
    pub used: i64,
    /// Deliveries that succeeded.
    pub deliveries: i64,
    /// Rows delivered.
    pub rows: i64,
}

impl UsageCountsView {
    fn add(&mut self, other: Self) {
        self.authorisations += other.authorisations;
        self.used += other.used;
        self.deliveries += other.deliveries;
        self.rows += other.rows;
    }
}

/// Authorisations and use in a closed period, by mode, provider and requester.
#[utoipa::path(get, path = "/statistics/usage", tag = "supervision", operation_id = "read_usage", params(UsageQuery),
    responses((status = 200, body = UsageView), (status = 422, body = Problem)))]
pub async fn read_usage(ctx: Ctx, Query(query): Query<UsageQuery>) -> Reply<UsageView> {
    ctx.must(Action::BrowseCatalogue, &Subject::Platform)?;
    let (Ok(from), Ok(to)) = (query.from.parse::<Date>(), query.to.parse::<Date>()) else {
        return Err(ApiError::invalid("usage.period"));
    };
    if from > to {
        return Err(ApiError::invalid("usage.period"));
    }
    if to >= china_date(ctx.now) {
        return Err(ApiError::invalid("usage.period_open").field("to", "usage.period_open"));
    }
    let (first, until) = figures::span(from, to)?;
    let mut db = ctx.read().await?;
    let names = directory::department_names(&mut db).await?;
    let mut total = UsageCountsView::default();
    let mut modes: BTreeMap<String, UsageCountsView> = BTreeMap::new();
    let mut providers = modes.clone();
    let mut requesters = modes.clone();
    for grant in store::usage(&mut db, first, until).await? {
        let counts = UsageCountsView {
            authorisations: i64::from(grant.granted_at >= first),
            used: i64::from(grant.runs > 0),
            deliveries: grant.runs,
            rows: grant.rows,
        };
        if counts == UsageCountsView::default() {
            continue;
        }
        total.add(counts);
        modes.entry(grant.mode).or_default().add(counts);
        providers.entry(grant.provider_id).or_default().add(counts);
        requesters
            .entry(grant.requester_id)
            .or_default()
            .add(counts);
    }
    let pack = &ctx.app.pack();
    let mode_name = |code: &str| {
        let mode = pack.exchange_modes().iter().find(|mode| mode.code == code);
        mode.map_or_else(|| code.to_owned(), |mode| ctx.language.name_of(mode))
    };
    let department_name = |id: &str| names.get(id).cloned().unwrap_or_default();
    let published = pack
        .periodic
        .iter()
        .find(|duty| duty.published_on.is_some());
    reply(UsageView {
        from: from.to_string(),
        to: to.to_string(),
        total,
        modes: lines(modes, mode_name),
        providers: lines(providers, department_name),
        requesters: lines(requesters, department_name),
        clause: published.map(|duty| clause_view(&duty.clause, pack)),
    })
}

/// Lines with their names, the busiest first.
fn lines(
    counts: BTreeMap<String, UsageCountsView>,
    name_of: impl Fn(&str) -> String,
) -> Vec<UsageLineView> {
    let mut lines: Vec<UsageLineView> = counts
        .into_iter()
        .map(|(id, counts)| UsageLineView {
            name: name_of(&id),
            id,
            counts,
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.counts.rows, line.counts.authorisations)));
    lines
}
