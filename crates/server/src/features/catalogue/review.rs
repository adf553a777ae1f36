//! The queue of submitted versions on the desk of whoever reviews them. Spec: PDS-5.1, TP-11.

use axum::extract::Query;

use super::{
    reviewer::{Reviewing, must_see_queue, reviews},
    store,
    views::VersionLineView,
};
use crate::{
    features::directory,
    platform::http::{Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// Versions awaiting review, of all departments.
#[utoipa::path(get, path = "/catalogue/reviews", tag = "catalogue", operation_id = "list_reviews", params(PageQuery),
    responses((status = 200, body = Page<VersionLineView>), (status = 403, body = Problem)))]
pub async fn list_reviews(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<VersionLineView>> {
    let mut db = ctx.read().await?;
    must_see_queue(&ctx, &mut db).await?;
    let rows = store::submitted(
        &mut db,
        query.cursor.as_deref().unwrap_or_default(),
        query.size(),
    )
    .await?;
    let departments = directory::department_names(&mut db).await?;
    let page = Page::cut(rows, query.size(), |listed| listed.version.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for listed in &page.items {
        let mut line = VersionLineView::new(listed, &departments, &ctx.app.pack(), ctx.language);
        match reviews(&ctx, &mut db, listed).await? {
            Reviewing::Not => continue,
            Reviewing::MayPublish => line.actions = vec!["publish", "return"],
            Reviewing::Sees => {}
        }
        items.push(line);
    }
    reply(Page {
        items,
        next_cursor: page.next_cursor,
    })
}
