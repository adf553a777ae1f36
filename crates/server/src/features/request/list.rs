//! The own department's requests: where each is stuck, since when, until when.

use std::collections::BTreeMap;

use axum::extract::Query;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::{CaseId, EntryId},
    time::instant_text,
};
use utoipa::IntoParams;

use super::{
    store::{self, Request},
    views::{RequestLineView, line},
};
use crate::{
    features::{case, catalogue, directory},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
    },
};

/// Which of the own department's requests.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct RequestsQuery {
    /// `open` or `ended`; both if left out.
    pub state: Option<String>,
}

impl RequestsQuery {
    /// Whether the cases of the requests have to have ended, or mustn't have.
    ///
    /// Errors: `request.unknown_filter`.
    pub(super) fn ended(&self) -> Result<Option<bool>, ApiError> {
        match self.state.as_deref() {
            None | Some("") => Ok(None),
            Some("open") => Ok(Some(false)),
            Some("ended") => Ok(Some(true)),
            Some(_) => Err(ApiError::invalid("request.unknown_filter")
                .field("state", "request.unknown_filter")),
        }
    }
}

/// Requests that the own department has filed, newest first.
#[utoipa::path(get, path = "/requests", tag = "request", operation_id = "list_requests", params(RequestsQuery, PageQuery),
    responses((status = 200, body = Page<RequestLineView>), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn list_requests(
    ctx: Ctx,
    Query(asked): Query<RequestsQuery>,
    Query(query): Query<PageQuery>,
) -> Reply<Page<RequestLineView>> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let ended = asked.ended()?;
    let mut db = ctx.read().await?;
    // A department that others were merged into goes on with what was theirs.
    let own = directory::answers_for(&mut db, ctx.department()).await?;
    let cursor = query.cursor.as_deref();
    let rows = store::requests_of_department(&mut db, &own, ended, cursor, query.size()).await?;
    let departments = directory::department_names(&mut db).await?;
    let page = Page::cut(rows, query.size(), |r| {
        format!("{} {}", instant_text(r.created_at), r.id)
    });
    reply(Page {
        items: lines(&ctx, &mut db, &page.items, &departments).await?,
        next_cursor: page.next_cursor,
    })
}

/// The lines of several requests, in their order and in a few statements however many they are.
pub async fn lines(
    ctx: &Ctx,
    db: &mut Db,
    requests: &[Request],
    departments: &BTreeMap<String, String>,
) -> Result<Vec<RequestLineView>, ApiError> {
    let cases: Vec<CaseId> = requests.iter().map(|it| it.case_id.clone()).collect();
    let cases = case::find_many(db, &ctx.app, &cases).await?;
    let entries: Vec<&EntryId> = requests.iter().map(|it| &it.content.entry_id).collect();
    let names = catalogue::entry_names(db, &entries).await?;
    requests
        .iter()
        .map(|request| {
            let row = cases
                .get(&request.case_id)
                .ok_or_else(|| ApiError::bug("a request names a case that isn't there"))?;
            let name = names.get(&request.content.entry_id);
            line(
                ctx,
                request,
                row,
                name.cloned().unwrap_or_default(),
                departments,
            )
        })
        .collect()
}
