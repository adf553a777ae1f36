//! The list of runs. Spec: PDS-5.3.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Query;
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    time::china_midnight,
};
use utoipa::IntoParams;

use super::{
    store::{self, Run, Wanted},
    views::{Names, RunLineView},
};
use crate::{
    features::{catalogue, directory},
    platform::{
        db::{Db, DbError},
        http::{ApiError, Ctx, Page, Problem, Reply, reply},
    },
};

/// Which runs.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct RunsQuery {
    /// Only runs of this entry.
    pub entry_id: Option<String>,
    /// `collection` or `delivery`.
    pub kind: Option<String>,
    /// `running`, `succeeded` or `failed`.
    pub state: Option<String>,
    /// Only runs to which this department is a party.
    pub department_id: Option<String>,
    /// Only runs that set faulty rows aside.
    pub with_faults: Option<bool>,
    /// First civil date in China on which they began.
    pub from: Option<String>,
    /// Last one, inclusive.
    pub to: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// Runs, newest first: the operator and the authority see all, a department those it is a party to.
#[utoipa::path(get, path = "/runs", tag = "exchange", operation_id = "list_runs", params(RunsQuery),
    responses((status = 200, body = Page<RunLineView>), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn list_runs(ctx: Ctx, Query(query): Query<RunsQuery>) -> Reply<Page<RunLineView>> {
    let sees_all = ctx.may(Action::ReadRun, &Subject::Platform);
    if !sees_all {
        ctx.must(Action::ReadRun, &Subject::Department(ctx.department()))?;
    }
    let size = query.size.unwrap_or(20).clamp(1, 100);
    let wanted = Wanted {
        party: (!sees_all).then(|| ctx.department()),
        department: query.department_id.as_deref().unwrap_or_default(),
        entry: query.entry_id.as_deref().unwrap_or_default(),
        kind: query.kind.as_deref().unwrap_or_default(),
        state: query.state.as_deref().unwrap_or_default(),
        with_faults: query.with_faults.unwrap_or_default(),
        from: instant(query.from.as_deref(), "from", Ok)?,
        until: instant(query.to.as_deref(), "to", Date::tomorrow)?,
    };
    let mut db = ctx.read().await?;
    let runs = store::runs(&mut db, &wanted, query.cursor.as_deref(), size).await?;
    let names = names(&mut db, &runs).await?;
    let keys: Vec<String> = runs
        .iter()
        .map(|r| {
            format!(
                "{} {}",
                tongqu_domain::time::instant_text(r.created_at),
                r.id
            )
        })
        .collect();
    let lines: Vec<(String, RunLineView)> = keys
        .into_iter()
        .zip(runs.iter().map(|r| RunLineView::new(r, &names)))
        .collect();
    let page = Page::cut(lines, size, |(key, _)| key.clone());
    reply(Page {
        items: page.items.into_iter().map(|(_, line)| line).collect(),
        next_cursor: page.next_cursor,
    })
}

/// The instant at which a date of the query, or the day that it leads to, begins.
fn instant(
    date: Option<&str>,
    field: &'static str,
    leads_to: fn(Date) -> Result<Date, jiff::Error>,
) -> Result<Option<Timestamp>, ApiError> {
    let Some(date) = date.filter(|date| !date.is_empty()) else {
        return Ok(None);
    };
    date.parse::<Date>()
        .and_then(leads_to)
        .and_then(china_midnight)
        .map(Some)
        .map_err(|_| ApiError::invalid("exchange.date").field(field, "exchange.date"))
}

/// Names of the departments and entries that `runs` mention.
pub(super) async fn names(db: &mut Db, runs: &[Run]) -> Result<Names, DbError> {
    let mut entries = BTreeMap::new();
    for id in runs.iter().map(|r| &r.entry_id).collect::<BTreeSet<_>>() {
        if let Some(entry) = catalogue::find_entry(db, id).await? {
            entries.insert(id.to_string(), entry.name);
        }
    }
    Ok(Names {
        departments: directory::department_names(db).await?,
        entries,
    })
}
