//! The authority's queue of submitted versions. Spec: PDS-5.1.

use axum::extract::Query;
use tongqu_domain::access::{Action, Subject};

use super::{store, submit::submission, views::VersionLineView};
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
    ctx.must(Action::ReviewCatalogue, &Subject::Platform)?;
    let mut db = ctx.read().await?;
    let rows = store::submitted(
        &mut db,
        query.cursor.as_deref().unwrap_or_default(),
        query.size(),
    )
    .await?;
    let departments = directory::department_names(&mut db).await?;
    let lines = rows
        .iter()
        .map(|listed| {
            let mut line = VersionLineView::new(listed, &departments, &ctx.app.pack());
            if submission(listed).is_ok_and(|s| ctx.may(Action::PublishCatalogue, &s)) {
                line.actions = vec!["publish", "return"];
            }
            line
        })
        .collect();
    reply(Page::cut(lines, query.size(), |l| l.version_id.clone()))
}
