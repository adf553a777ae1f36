//! Notices 消息 to a department, written in the same transaction as what they tell. Spec: PDS-10.1.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::ids::DepartmentId;
use utoipa::ToSchema;

use super::store;
use crate::platform::{
    db::{DbError, Tx},
    http::{Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// What a department is told. `kind` chooses the sentence in the portal; `facts` fill it in.
#[derive(Debug)]
pub struct Notice<'a> {
    pub to: &'a DepartmentId,
    pub kind: &'static str,
    pub subject: (&'static str, &'a str),
    pub facts: BTreeMap<&'static str, String>,
}

/// Tells a department, at the instant of the write.
pub async fn notify(tx: &mut Tx, notice: &Notice<'_>) -> Result<(), DbError> {
    store::insert_notice(tx, notice).await
}

/// A notice.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeView {
    pub id: String,
    /// Instant.
    pub at: String,
    pub kind: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub facts: BTreeMap<String, String>,
}

/// Notices to the own department, newest first.
#[utoipa::path(get, path = "/notices", tag = "directory", operation_id = "list_notices", params(PageQuery),
    responses((status = 200, body = Page<NoticeView>), (status = 401, body = Problem)))]
pub async fn list_notices(
    ctx: Ctx,
    axum::extract::Query(query): axum::extract::Query<PageQuery>,
) -> Reply<Page<NoticeView>> {
    let mut db = ctx.read().await?;
    let rows = store::notices(
        &mut db,
        ctx.department(),
        query.cursor.as_deref(),
        query.size(),
    )
    .await?;
    reply(Page::cut(rows, query.size(), |n| {
        format!("{} {}", n.at, n.id)
    }))
}
