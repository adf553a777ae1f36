//! Notices 消息 to a department, written in the same transaction as what they tell. Spec: PDS-10.1.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use tongqu_domain::{
    ids::DepartmentId,
    law::{Named, Outcome, Pack},
    supervision::FindingKind,
};
use utoipa::ToSchema;

use super::store;
use crate::platform::{
    db::{DbError, Tx},
    http::{Ctx, Language, Page, PageQuery, Problem, Reply, reply},
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
    let mut page = Page::cut(rows, query.size(), |n| format!("{} {}", n.at, n.id));
    if ctx.language == Language::English {
        let packs = ctx.app.packs.current();
        for notice in &mut page.items {
            say_in_english(notice, &packs);
        }
    }
    reply(page)
}

/// Puts the English name for each Chinese one that a pack gives. A notice keeps what was told when it was written; a name
/// that no pack has any more stays as it is.
fn say_in_english(notice: &mut NoticeView, packs: &[Arc<Pack>]) {
    let processes = || packs.iter().flat_map(|pack| &pack.processes);
    let is_report = notice.kind == "supervision.report_received";
    for (fact, told) in &mut notice.facts {
        let english = match fact.as_str() {
            "process" => english_of(processes(), told),
            "step" => english_of(processes().flat_map(|process| &process.steps), told),
            "outcome" => english_of(Outcome::ALL, told),
            "kind" => english_of(FindingKind::ALL, told),
            "name" if is_report => english_of(packs.iter().flat_map(|pack| &pack.periodic), told),
            _ => None,
        };
        if let Some(english) = english {
            *told = english;
        }
    }
}

fn english_of<'a, N: Named + 'a>(
    all: impl IntoIterator<Item = &'a N>,
    chinese: &str,
) -> Option<String> {
    all.into_iter()
        .find(|named| named.name() == chinese)
        .map(|named| named.name_en().to_owned())
}
