//! The own department's requests: where each is stuck, since when, until when.

use axum::extract::Query;
use tongqu_domain::{
    access::{Action, Subject},
    time::instant_text,
};

use super::{
    store,
    views::{RequestLineView, line},
};
use crate::{
    features::{case, catalogue, directory},
    platform::http::{Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// Requests that the own department has filed, newest first.
#[utoipa::path(get, path = "/requests", tag = "request", operation_id = "list_requests", params(PageQuery),
    responses((status = 200, body = Page<RequestLineView>), (status = 403, body = Problem)))]
pub async fn list_requests(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<RequestLineView>> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let mut db = ctx.read().await?;
    // A department that others were merged into goes on with what was theirs.
    let own = directory::answers_for(&mut db, ctx.department()).await?;
    let rows =
        store::requests_of_department(&mut db, &own, query.cursor.as_deref(), query.size()).await?;
    let departments = directory::department_names(&mut db).await?;
    let page = Page::cut(rows, query.size(), |r| {
        format!("{} {}", instant_text(r.created_at), r.id)
    });
    let mut items = Vec::with_capacity(page.items.len());
    for request in &page.items {
        let row = case::find(&mut db, &ctx.app, &request.case_id).await?;
        let entry_name = catalogue::find_entry(&mut db, &request.content.entry_id)
            .await?
            .map(|e| e.name)
            .unwrap_or_default();
        items.push(line(&ctx, request, &row, entry_name, &departments)?);
    }
    reply(Page {
        items,
        next_cursor: page.next_cursor,
    })
}
