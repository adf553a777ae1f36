//! The list of runs. Spec: PDS-5.3.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Query;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::EntryId,
};
use utoipa::IntoParams;

use super::{
    store::{self, Run},
    views::{Names, RunLineView},
};
use crate::{
    features::{catalogue, directory},
    platform::{
        db::{Db, DbError},
        http::{Ctx, Page, Problem, Reply, reply},
    },
};

/// Which runs.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct RunsQuery {
    /// Only runs of this entry.
    pub entry_id: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// Runs, newest first: the operator and the authority see all, a department those it is a party to.
#[utoipa::path(get, path = "/runs", tag = "exchange", operation_id = "list_runs", params(RunsQuery),
    responses((status = 200, body = Page<RunLineView>), (status = 403, body = Problem)))]
pub async fn list_runs(ctx: Ctx, Query(query): Query<RunsQuery>) -> Reply<Page<RunLineView>> {
    let sees_all = ctx.may(Action::ReadRun, &Subject::Platform);
    if !sees_all {
        ctx.must(Action::ReadRun, &Subject::Department(ctx.department()))?;
    }
    let size = query.size.unwrap_or(20).clamp(1, 100);
    let entry_id = query
        .entry_id
        .as_deref()
        .and_then(|id| EntryId::parse(id).ok());
    let party = (!sees_all).then(|| ctx.department());
    let mut db = ctx.read().await?;
    let runs = store::runs(
        &mut db,
        party,
        entry_id.as_ref(),
        query.cursor.as_deref(),
        size,
    )
    .await?;
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
