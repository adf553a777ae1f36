//! How the change logs stand that providers' stores hold back for the platform.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::access::{Action, Subject};
use utoipa::ToSchema;

use super::following::is_too_large;
use crate::{
    features::{catalogue, directory},
    platform::{
        db::change_logs::{self, HeldLog},
        http::{Ctx, Page, Problem, Reply, reply},
    },
};

/// A change log that is followed, or still held by its store.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeLogView {
    pub entry_id: String,
    pub entry_name: String,
    pub department_name: String,
    pub store_name: String,
    /// `opening`, `following` or `failing`.
    pub state: &'static str,
    /// Machine instant since when it is so.
    pub since: String,
    /// Machine instant of the last look at it.
    pub checked_at: String,
    /// How many transactions were taken over since it was opened.
    pub transactions: i64,
    /// Machine instant at which the last one was taken over.
    pub changed_at: Option<String>,
    /// `reserved`, `extended`, `endangered` or `lost`, as the store says.
    pub health: Option<String>,
    /// Bytes that the store has written and the platform hasn't taken over.
    pub lag_bytes: Option<i64>,
    /// Bytes that the store can't delete because of it.
    pub retained_bytes: Option<i64>,
    /// Whether that is more than is asked of a store for a log that nobody reads.
    pub is_too_large: bool,
    pub error_code: Option<String>,
    /// What is wrong and what to do, in the user's language.
    pub message: Option<String>,
}

/// Names that lines are filled in with.
pub(super) struct Names {
    pub entries: BTreeMap<String, (String, String)>,
    pub stores: BTreeMap<String, String>,
}

impl ChangeLogView {
    pub(super) fn new(ctx: &Ctx, log: HeldLog, names: &Names) -> Self {
        let (entry_name, department_name) = names
            .entries
            .get(log.entry_id.as_str())
            .cloned()
            .unwrap_or_default();
        Self {
            is_too_large: is_too_large(&ctx.app, &log),
            store_name: names
                .stores
                .get(log.store_id.as_str())
                .cloned()
                .unwrap_or_default(),
            entry_id: log.entry_id.to_string(),
            entry_name,
            department_name,
            state: log.stage.code(),
            since: log.since.to_string(),
            checked_at: log.checked_at.to_string(),
            transactions: log.transactions,
            changed_at: log.changed_at.map(|at| at.to_string()),
            health: log.health,
            lag_bytes: log.lag_bytes,
            retained_bytes: log.retained_bytes,
            message: log.error_code.as_ref().map(|code| ctx.sentence(code, &[])),
            error_code: log.error_code,
        }
    }
}

/// Read how the change logs stand. For the operator and the system administrator.
#[utoipa::path(get, path = "/exchange/change-logs", tag = "exchange", operation_id = "list_change_logs",
    responses((status = 200, body = Page<ChangeLogView>), (status = 403, body = Problem)))]
pub async fn list_change_logs(ctx: Ctx) -> Reply<Page<ChangeLogView>> {
    if !ctx.may(Action::ManageSettings, &Subject::Platform) {
        ctx.must(Action::Deliver, &Subject::Platform)?;
    }
    let mut db = ctx.read().await?;
    let logs = change_logs::all(&mut db).await?;
    let departments = directory::department_names(&mut db).await?;
    let stores = directory::every_store(&mut db).await?;
    let mut entries = BTreeMap::new();
    for log in &logs {
        if let Some(entry) = catalogue::find_entry(&mut db, &log.entry_id).await? {
            let department = departments.get(entry.department_id.as_str());
            let names = (entry.name, department.cloned().unwrap_or_default());
            entries.insert(entry.id.to_string(), names);
        }
    }
    drop(db);
    let stores = stores
        .into_iter()
        .map(|store| (store.id.to_string(), store.name));
    let names = Names {
        entries,
        stores: stores.collect(),
    };
    reply(Page {
        items: logs
            .into_iter()
            .map(|log| ChangeLogView::new(&ctx, log, &names))
            .collect(),
        next_cursor: None,
    })
}
