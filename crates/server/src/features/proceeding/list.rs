//! Cases of the own department, or all of them for those who watch over the platform.

use std::collections::BTreeMap;

use axum::extract::Query;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    time::instant_text,
};
use utoipa::IntoParams;

use crate::{
    features::{
        case::{self, CaseFilter, CaseLineView, case_line},
        directory,
    },
    platform::http::{Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// Which cases.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct CasesQuery {
    /// `own` (the default): cases of the own department; `all`: every case, for operator and authority.
    pub scope: Option<String>,
    /// `open` or `ended`; both if left out.
    pub state: Option<String>,
    /// Only cases of this process.
    pub process_id: Option<String>,
    /// Only cases about this thing: its kind.
    pub subject_kind: Option<String>,
    /// Only cases about this thing: its id.
    pub subject_id: Option<String>,
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// Cases, newest first.
#[utoipa::path(get, path = "/cases", tag = "case", operation_id = "list_cases", params(CasesQuery),
    responses((status = 200, body = Page<CaseLineView>), (status = 403, body = Problem)))]
pub async fn list_cases(ctx: Ctx, Query(query): Query<CasesQuery>) -> Reply<Page<CaseLineView>> {
    let all = query.scope.as_deref() == Some("all");
    if all {
        ctx.must(Action::ReadCase, &Subject::Platform)?;
    } else {
        ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    }
    let size = PageQuery {
        cursor: None,
        size: query.size,
    }
    .size();
    let mut db = ctx.read().await?;
    // A department that others were merged into goes on with what was theirs.
    let own = directory::answers_for(&mut db, ctx.department()).await?;
    let filter = CaseFilter {
        of: (!all).then_some(own.as_slice()),
        process: query.process_id.as_deref(),
        subject: query
            .subject_kind
            .as_deref()
            .zip(query.subject_id.as_deref()),
        ended: match query.state.as_deref() {
            Some("open") => Some(false),
            Some("ended") => Some(true),
            _ => None,
        },
    };
    let departments: BTreeMap<String, String> = directory::department_names(&mut db).await?;
    let rows = case::list(&mut db, &filter, query.cursor.as_deref(), size).await?;
    let page = Page::cut(rows, size, |line| {
        format!("{} {}", instant_text(line.opened_at), line.case_id)
    });
    reply(Page {
        items: page
            .items
            .iter()
            .map(|line| case_line(&ctx, line, &departments))
            .collect(),
        next_cursor: page.next_cursor,
    })
}
