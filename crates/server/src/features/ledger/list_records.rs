//! Who did what, newest first.

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    time::china_date,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    features::directory,
    platform::{
        db::outbox::{self, Wanted},
        http::{Ctx, Page, Problem, Reply, reply},
    },
};

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct RecordsQuery {
    /// Act, for example `request.decided`.
    pub what: Option<String>,
    /// The thing it was done to.
    pub subject_id: Option<String>,
    /// Who did it.
    pub person_id: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// A record of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordView {
    /// Place in the ledger; absent for a moment, until it is appended.
    pub index: Option<i64>,
    /// Instant.
    pub at: String,
    pub what: String,
    /// Absent where the platform acted by itself.
    pub person_name: Option<String>,
    pub department_name: Option<String>,
    pub subject_kind: String,
    pub subject_id: String,
    /// The record as it stands in the ledger: canonical JSON.
    pub record: String,
}

/// Records of the ledger, newest first. For auditors.
#[utoipa::path(get, path = "/ledger/records", tag = "ledger", operation_id = "list_records", params(RecordsQuery),
    responses((status = 200, body = Page<RecordView>), (status = 403, body = Problem)))]
pub async fn list_records(ctx: Ctx, Query(query): Query<RecordsQuery>) -> Reply<Page<RecordView>> {
    ctx.must(Action::ReadLedger, &Subject::Platform)?;
    let size = query.size.unwrap_or(20).clamp(1, 100);
    let mut db = ctx.read().await?;
    let wanted = Wanted {
        what: query.what.as_deref().unwrap_or_default(),
        subject_id: query.subject_id.as_deref().unwrap_or_default(),
        person_id: query.person_id.as_deref().unwrap_or_default(),
        before: query.cursor.as_deref().and_then(|c| c.parse().ok()),
    };
    let rows = outbox::find(&mut db, &wanted, size).await?;
    let people = directory::people_names(&mut db).await?;
    let departments = directory::names_over_time(&mut db).await?;
    let page = Page::cut(rows, size, |r| r.id.to_string());
    let items = page
        .items
        .into_iter()
        .map(|r| RecordView {
            index: r.ledger_index,
            person_name: r.person_id.and_then(|id| people.get(&id).cloned()),
            // As it was called then.
            department_name: r.department_id.and_then(|id| {
                let at: jiff::Timestamp = r.at.parse().ok()?;
                departments.on(&id, china_date(at)).map(str::to_owned)
            }),
            at: r.at,
            what: r.what,
            subject_kind: r.subject_kind,
            subject_id: r.subject_id,
            record: r.record,
        })
        .collect();
    reply(Page {
        items,
        next_cursor: page.next_cursor,
    })
}
