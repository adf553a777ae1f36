//! Tables of exchange stores for which the catalogue has no entry.
//!
//! Once a day the platform compares the tables of every exchange store with what is mounted and with what
//! it delivered there itself. A table that is neither is a finding for the authority, which asks the
//! department to describe it or takes it off the list with a reason. Only under a regulation that forbids
//! to leave entries out. Spec: YC-41.1.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    ids::{DepartmentId, StoreId},
    law::Pack,
    time::china_date,
};
use utoipa::ToSchema;

use super::{
    settle::words,
    store::{self, UnlistedTable},
};
use crate::{
    app::{App, connector_error},
    features::{
        case::{self, ClauseView, clause_view},
        directory,
    },
    platform::{
        evidence::Entry,
        http::{ApiError, Ctx, Page, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// The conduct that the regulation forbids, in its list `prohibited`.
const CONDUCT: &str = "hide_or_omit_catalogue";

/// A table that no entry describes.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnlistedTableView {
    pub id: String,
    pub department_id: String,
    pub department_name: String,
    pub store_name: String,
    pub table: String,
    /// Civil date on which it was first seen.
    pub found_on: String,
    /// Why the authority took it off the list; absent while it is open.
    pub excused: Option<String>,
    pub clause: ClauseView,
    /// What the viewer may do: `excuse`.
    pub actions: Vec<&'static str>,
}

/// What a comparison came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScanView {
    /// Tables that weren't known before.
    pub found: u32,
    /// Tables that have an entry by now, or are gone.
    pub settled: u32,
    /// Exchange stores that couldn't be reached; their tables stay as they were.
    pub unreachable: u32,
}

/// Compare the tables of all exchange stores with the catalogue now, as the platform does every day.
#[utoipa::path(post, path = "/supervision/unlisted-tables/scan", tag = "supervision",
    operation_id = "scan_tables",
    responses((status = 200, body = ScanView), (status = 403, body = Problem)))]
pub async fn scan_tables(State(app): State<Arc<App>>, ctx: Ctx) -> Reply<ScanView> {
    ctx.must(Action::Supervise, &Subject::Platform)?;
    reply(scan(&app).await?)
}

/// Looks at every exchange store; one that can't be reached keeps none of the others from being looked at.
pub(super) async fn scan(app: &App) -> Result<ScanView, ApiError> {
    let mut scanned = ScanView::default();
    let mut db = app.registry.read().await?;
    let stores = directory::every_store(&mut db).await?;
    drop(db);
    for exchange_store in stores {
        let mut db = app.registry.read().await?;
        let pack = case::pack_for(
            app,
            &mut db,
            Some(&exchange_store.department_id),
            app.clock.now(),
        )
        .await?;
        drop(db);
        if clause(&pack).is_none() {
            continue;
        }
        let tables = match app.open_store(&exchange_store.url) {
            Ok(connector) => connector.tables().await.map_err(connector_error),
            Err(error) => Err(error),
        };
        match tables {
            Ok(tables) => compare(app, &exchange_store, &pack, &tables, &mut scanned).await?,
            Err(error) => {
                scanned.unreachable += 1;
                tracing::warn!(store_id = %exchange_store.id, code = error.code(), "the tables of an exchange store can't be listed");
            }
        }
    }
    Ok(scanned)
}

fn clause(pack: &Pack) -> Option<String> {
    let conduct = pack.list("prohibited")?;
    let item = conduct.items.iter().find(|item| item.code == CONDUCT)?;
    Some(item.clause.to_string())
}

async fn compare(
    app: &App,
    exchange_store: &directory::ExchangeStore,
    pack: &Pack,
    tables: &[String],
    scanned: &mut ScanView,
) -> Result<(), ApiError> {
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let described = store::described_tables(&mut tx, &exchange_store.id).await?;
    let known: BTreeSet<String> = store::unlisted_of_store(&mut tx, &exchange_store.id)
        .await?
        .into_iter()
        .collect();
    let unlisted: BTreeSet<String> = tables
        .iter()
        .filter(|table| !described.contains(&table.to_lowercase()))
        .cloned()
        .collect();
    let found: Vec<&String> = unlisted.difference(&known).collect();
    let settled: Vec<&String> = known.difference(&unlisted).collect();
    if found.is_empty() && settled.is_empty() {
        return Ok(());
    }
    for table in &found {
        let id = format!("unl-{}", random_hex::<8>());
        let place = (&exchange_store.id, &exchange_store.department_id);
        store::insert_unlisted(&mut tx, &id, place, table, pack).await?;
    }
    for table in &settled {
        store::delete_unlisted(&mut tx, &exchange_store.id, table).await?;
    }
    let count = |tables: &[&String]| u32::try_from(tables.len()).unwrap_or(u32::MAX);
    scanned.found += count(&found);
    scanned.settled += count(&settled);
    tx.commit(
        Entry::by_platform("supervision.tables_compared")
            .on("store", &exchange_store.id)
            .with("found", found.len())
            .with("settled", settled.len())
            .under(clause(pack)),
    )
    .await?;
    Ok(())
}

/// Tables without an entry, open ones first. Departments see their own, the authority all.
#[utoipa::path(get, path = "/supervision/unlisted-tables", tag = "supervision",
    operation_id = "list_unlisted_tables",
    responses((status = 200, body = Page<UnlistedTableView>), (status = 403, body = Problem)))]
pub async fn list_unlisted_tables(ctx: Ctx) -> Reply<Page<UnlistedTableView>> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let of_all = ctx.may(Action::ReadSupervision, &Subject::Platform);
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let items = store::unlisted(&mut db)
        .await?
        .iter()
        .filter(|table| of_all || table.department_id == *ctx.department())
        .map(|table| view(&ctx, table, departments.get(table.department_id.as_str())))
        .collect::<Result<_, _>>()?;
    reply(Page {
        items,
        next_cursor: None,
    })
}

fn view(
    ctx: &Ctx,
    table: &UnlistedTable,
    department_name: Option<&String>,
) -> Result<UnlistedTableView, ApiError> {
    let pack = ctx
        .app
        .packs
        .of_case(&table.pack_id, &table.pack_version)
        .ok_or_else(|| ApiError::bug(format!("rule pack {} isn't loaded", table.pack_id)))?;
    let conduct = pack
        .list("prohibited")
        .and_then(|list| list.items.iter().find(|item| item.code == CONDUCT))
        .ok_or_else(|| ApiError::bug("the pack of a finding no longer knows it"))?;
    let mut actions = Vec::new();
    if table.excused.is_none() && ctx.may(Action::Supervise, &Subject::Platform) {
        actions.push("excuse");
    }
    Ok(UnlistedTableView {
        id: table.id.clone(),
        department_id: table.department_id.to_string(),
        department_name: department_name.cloned().unwrap_or_default(),
        store_name: table.store_name.clone(),
        table: table.table.clone(),
        found_on: china_date(table.found_at).to_string(),
        excused: table.excused.clone(),
        clause: clause_view(&conduct.clause, &pack),
        actions,
    })
}

/// Why a table needs no entry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcuseBody {
    /// In words; 1-2000 characters.
    pub reason: String,
}

/// Take a table off the list, because it needs no entry: working tables, for example. For the authority.
#[utoipa::path(post, path = "/supervision/unlisted-tables/{id}/excuse", tag = "supervision",
    operation_id = "excuse_table", params(("id" = String, Path)), request_body = ExcuseBody,
    responses((status = 200, body = UnlistedTableView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn excuse_table(
    ctx: Ctx,
    Path(id): Path<String>,
    Json(body): Json<ExcuseBody>,
) -> Reply<UnlistedTableView> {
    ctx.must(Action::Supervise, &Subject::Platform)?;
    let reason = words(&body.reason, "reason")?;
    let mut tx = ctx.begin().await?;
    if !store::excuse(&mut tx, &id, &reason).await? {
        return Err(ApiError::not_found("finding.not_found"));
    }
    let excused = ctx
        .did("supervision.table_excused")
        .on("finding", &id)
        .with("reason", reason);
    tx.commit(excused).await?;
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let table = store::unlisted(&mut db)
        .await?
        .into_iter()
        .find(|table| table.id == id)
        .ok_or_else(|| ApiError::not_found("finding.not_found"))?;
    reply(view(
        &ctx,
        &table,
        departments.get(table.department_id.as_str()),
    )?)
}

/// Where a table lies: its exchange store and the department that owns it.
pub(super) type TablePlace<'a> = (&'a StoreId, &'a DepartmentId);
