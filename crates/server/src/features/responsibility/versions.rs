//! The versions of the list: what changed it, and when. Spec: YC-14.2.

use axum::extract::Query;
use serde::Serialize;
use utoipa::ToSchema;

use super::{list::scope, store};
use crate::platform::http::{Ctx, Page, PageQuery, Problem, Reply, reply};

/// A version of the list and what made it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponsibilityVersionView {
    pub no: i64,
    /// Instant.
    pub at: String,
    /// `published`: an entry was; `settled`: it was settled who answers for a name.
    pub kind: String,
    /// Of a publication: the entry and its version.
    pub entry_id: Option<String>,
    pub entry_version_no: Option<i64>,
    /// Of the entry, or of the item that was settled.
    pub name: String,
    /// Lines that came and went.
    pub added: i64,
    pub removed: i64,
}

/// Versions of the responsibility list, the newest first.
#[utoipa::path(get, path = "/responsibility-list/versions", tag = "responsibility",
    operation_id = "list_responsibility_versions", params(PageQuery),
    responses((status = 200, body = Page<ResponsibilityVersionView>), (status = 403, body = Problem)))]
pub async fn list_responsibility_versions(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<ResponsibilityVersionView>> {
    scope(&ctx, None)?;
    let before = query.cursor.as_deref().and_then(|c| c.parse().ok());
    let mut db = ctx.read().await?;
    let found = store::versions(&mut db, before.unwrap_or(i64::MAX), query.size()).await?;
    let page = Page::cut(found, query.size(), |version| version.no.to_string());
    reply(Page {
        items: page
            .items
            .into_iter()
            .map(|version| ResponsibilityVersionView {
                no: version.no,
                at: version.at.to_string(),
                kind: version.kind,
                entry_id: version.entry_id,
                entry_version_no: version.entry_version_no,
                name: version.name,
                added: version.added,
                removed: version.removed,
            })
            .collect(),
        next_cursor: page.next_cursor,
    })
}
