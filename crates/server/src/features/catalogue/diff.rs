//! What changed between two versions of an entry. Spec: PDS-5.1.

use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tongqu_domain::catalogue::{self as rules, DataItem, EntryContent};
use utoipa::{IntoParams, ToSchema};

use super::{
    read::{find, may_read, reader},
    store,
    views::ItemView,
};
use crate::platform::http::{ApiError, Ctx, Problem, Reply, reply};

/// The two versions to compare.
#[derive(Debug, Deserialize, IntoParams)]
pub struct DiffQuery {
    /// The older version's number.
    pub from: u32,
    /// The newer version's number.
    pub to: u32,
}

/// The difference of two versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffView {
    pub from: u32,
    pub to: u32,
    /// Names of the entry's fields that differ, for example `summary`.
    pub fields: Vec<String>,
    /// Data items that differ.
    pub items: Vec<ItemDiffView>,
}

/// One data item that differs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemDiffView {
    /// Item code.
    pub code: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    pub before: Option<ItemView>,
    pub after: Option<ItemView>,
}

/// Compare two versions of an entry field by field.
#[utoipa::path(get, path = "/catalogue/entries/{entry_id}/diff", tag = "catalogue", operation_id = "diff_versions",
    params(("entry_id" = String, Path), DiffQuery),
    responses((status = 200, body = DiffView), (status = 404, body = Problem)))]
pub async fn diff_versions(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Query(query): Query<DiffQuery>,
) -> Reply<DiffView> {
    let entry = find(&ctx, &entry_id).await?;
    let mut db = ctx.read().await?;
    let reader = reader(&ctx, &mut db, &entry).await?;
    let mut pair = Vec::with_capacity(2);
    for no in [query.from, query.to] {
        let version = store::find_version(&mut db, &entry.id, no)
            .await?
            .filter(|v| may_read(reader, v));
        pair.push(
            version
                .ok_or_else(|| ApiError::not_found("catalogue.version_not_found"))?
                .content,
        );
    }
    let diff = rules::difference(&pair[0], &pair[1]);
    let shown = |item: &DataItem| ItemView::new(item, ctx.language);
    let find = |content: &EntryContent, code: &str| {
        content.items.iter().find(|i| i.code == code).map(shown)
    };
    let added = diff.items_added.iter().map(|i| ItemDiffView {
        code: i.code.clone(),
        change: "added",
        before: None,
        after: Some(shown(i)),
    });
    let removed = diff.items_removed.iter().map(|i| ItemDiffView {
        code: i.code.clone(),
        change: "removed",
        before: Some(shown(i)),
        after: None,
    });
    let changed = diff.items_changed.iter().map(|c| ItemDiffView {
        code: c.code.clone(),
        change: "changed",
        before: find(&pair[0], &c.code),
        after: find(&pair[1], &c.code),
    });
    reply(DiffView {
        from: query.from,
        to: query.to,
        fields: diff.fields.iter().map(|f| f.field.clone()).collect(),
        items: added.chain(removed).chain(changed).collect(),
    })
}
