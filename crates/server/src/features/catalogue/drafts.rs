//! What the own department has written: the newest version of each of its entries. Spec: PDS-6.1.

use axum::extract::Query;
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::VersionState,
};

use super::{store, views::VersionLineView};
use crate::{
    features::directory,
    platform::http::{Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// The own department's entries in their newest versions, whatever their state.
#[utoipa::path(get, path = "/catalogue/own", tag = "catalogue", operation_id = "list_own_versions", params(PageQuery),
    responses((status = 200, body = Page<VersionLineView>), (status = 403, body = Problem)))]
pub async fn list_own_versions(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<VersionLineView>> {
    let own = Subject::Department(ctx.department());
    ctx.must(Action::CompileCatalogue, &own)?;
    let mut db = ctx.read().await?;
    let cursor = query.cursor.as_deref().unwrap_or_default();
    let rows = store::newest_of_department(&mut db, ctx.department(), cursor, query.size()).await?;
    let departments = directory::department_names(&mut db).await?;
    let mut lines = Vec::with_capacity(rows.len());
    for listed in &rows {
        let mut line = VersionLineView::new(listed, &departments, &ctx.app.pack(), ctx.language);
        line.mounted = store::mounting_of(&mut db, &listed.entry.id)
            .await?
            .is_some();
        if matches!(
            listed.version.state,
            VersionState::Draft | VersionState::Returned { .. }
        ) {
            line.actions.push("submit");
        }
        if listed.entry.active_no.is_some() && ctx.may(Action::MountEntry, &own) {
            line.actions.push("mount");
        }
        lines.push(line);
    }
    reply(Page::cut(lines, query.size(), |l| l.entry_id.clone()))
}
