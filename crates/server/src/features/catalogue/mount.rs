//! Mounting 挂接: an entry is bound to a table of the department's exchange store.
//!
//! The table's columns, types and key are discovered and matched with the data items by name. Nothing
//! moves through an entry that isn't mounted. Spec: PDS-6.1, PDS-8.1.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tongqu_connectors::TableInfo;
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::DataItem,
    exchange::{Column, check_mount},
    ids::{EntryId, MountingId, StoreId},
};
use utoipa::{IntoParams, ToSchema};

use super::{read::find, store};
use crate::{
    app::connector_error,
    features::{directory, responsibility},
    platform::{
        db::{DbError, Tx},
        http::{ApiError, Ctx, Page, Problem, Reply, reply},
        jobs,
        secrets::random_hex,
    },
};

/// The binding of an entry to a table.
#[derive(Debug, Clone)]
pub struct Mounting {
    pub id: MountingId,
    pub entry_id: EntryId,
    pub store_id: StoreId,
    pub table: String,
    /// In the order of the data items.
    pub columns: Vec<ItemColumn>,
    /// Column names of the key.
    pub key: Vec<String>,
    /// Whether a collection into the pool has succeeded.
    pub pooled: bool,
    pub rows_total: Option<i64>,
    pub last_arrival_at: Option<Timestamp>,
}

/// A data item and the column that carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemColumn {
    /// Code of the data item.
    pub item: String,
    /// The column as discovered.
    pub column: Column,
}

/// Which table to mount.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct MountingBody {
    pub store_id: String,
    pub table: String,
}

/// What was discovered, and how it fits the entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct MountingPreview {
    pub table: String,
    pub rows_estimate: Option<u64>,
    /// Columns of the primary key, as declared in the table.
    pub key: Vec<String>,
    pub columns: Vec<ColumnMatchView>,
    /// What keeps the table from being mounted; empty if nothing does.
    pub faults: Vec<crate::platform::http::FieldFault>,
}

/// A discovered column and the data item that it carries.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnMatchView {
    pub column: String,
    /// Type as discovered, for example `text(12)`.
    pub column_type: String,
    pub nullable: bool,
    /// Code and name of the matched data item; absent if no item has this name.
    pub item_code: Option<String>,
    pub item_name: Option<String>,
}

/// The tables of an exchange store.
#[utoipa::path(get, path = "/stores/{store_id}/tables", tag = "catalogue", operation_id = "list_tables",
    params(("store_id" = String, Path)),
    responses((status = 200, body = Page<String>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 502, body = Problem)))]
pub async fn list_tables(ctx: Ctx, Path(store_id): Path<String>) -> Reply<Page<String>> {
    let (_, connector) = open(&ctx, &store_id).await?;
    let items = connector.tables().await.map_err(connector_error)?;
    reply(Page {
        items,
        next_cursor: None,
    })
}

/// Look at a table before mounting it: columns, key, and how they match the data items.
#[utoipa::path(get, path = "/catalogue/entries/{entry_id}/mounting/preview", tag = "catalogue",
    operation_id = "preview_mounting", params(("entry_id" = String, Path), MountingBody),
    responses((status = 200, body = MountingPreview), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 502, body = Problem)))]
pub async fn preview_mounting(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Query(body): Query<MountingBody>,
) -> Reply<MountingPreview> {
    let found = discover(&ctx, &entry_id, &body).await?;
    let faults = found.fit().err();
    let by_column: BTreeMap<String, &DataItem> = found
        .column_of_item()
        .iter()
        .filter_map(|(i, c)| Some((c.clone(), found.item(i)?)))
        .collect();
    reply(MountingPreview {
        table: found.table.name.clone(),
        rows_estimate: found.table.rows_estimate,
        key: found.table.key.clone(),
        columns: found
            .table
            .columns
            .iter()
            .map(|c| ColumnMatchView {
                column: c.name.clone(),
                column_type: c.column_type.to_string(),
                nullable: c.nullable,
                item_code: by_column.get(&c.name).map(|i| i.code.clone()),
                item_name: by_column.get(&c.name).map(|i| i.name.clone()),
            })
            .collect(),
        faults: faults
            .map(|e| e.localised(ctx.language))
            .unwrap_or_default(),
    })
}

/// Bind an entry to a table. Its key must be unique and without NULL. The data are collected into the
/// pool right after.
#[utoipa::path(put, path = "/catalogue/entries/{entry_id}/mounting", tag = "catalogue", operation_id = "mount_entry",
    params(("entry_id" = String, Path)), request_body = MountingBody,
    responses((status = 200, body = MountingPreview), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 502, body = Problem)))]
pub async fn mount_entry(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Json(body): Json<MountingBody>,
) -> Reply<MountingPreview> {
    let found = discover(&ctx, &entry_id, &body).await?;
    let columns = found.fit()?;
    let key = found.key();
    let check = found
        .connector
        .check_key(&found.table.name, &key)
        .await
        .map_err(connector_error)?;
    if check.duplicates > 0 || check.nulls > 0 {
        return Err(ApiError::invalid("mounting.key_unfit")
            .arg("duplicates", check.duplicates)
            .arg("nulls", check.nulls)
            .field(
                "table",
                if check.nulls > 0 {
                    "mounting.key_nulls"
                } else {
                    "mounting.key_duplicates"
                },
            ));
    }
    let mut tx = ctx.begin().await?;
    let earlier = store::mounting_of(&mut tx, &found.entry.id).await?;
    let same = earlier.filter(|earlier| earlier.columns == columns && earlier.key == key);
    let id = if let Some(same) = same {
        same.id
    } else {
        responsibility::begin_anew(&mut tx, &found.entry.id).await?;
        MountingId::parse(&format!("mnt-{}", random_hex::<6>())).expect("hex fits an identifier")
    };
    let mounting = Mounting {
        id,
        entry_id: found.entry.id.clone(),
        store_id: found.store_id.clone(),
        table: found.table.name.clone(),
        columns,
        key,
        pooled: false,
        rows_total: None,
        last_arrival_at: None,
    };
    store::save_mounting(&mut tx, &mounting).await?;
    jobs::enqueue(&mut tx, collection_job(&found.entry.id, None)).await?;
    let entry = ctx
        .did("catalogue.entry_mounted")
        .on("entry", &found.entry.id);
    tx.commit(
        entry
            .with("store_id", mounting.store_id.as_str())
            .with("table", mounting.table.clone()),
    )
    .await?;
    preview_mounting(ctx, Path(entry_id), Query(body)).await
}

/// Takes note of a successful collection, as part of the caller's write: how many rows are now in the
/// pool, and that these items are delivered. Spec: YC-13.2.
pub async fn arrived(tx: &mut Tx, mounting: &Mounting, rows_total: i64) -> Result<(), DbError> {
    store::save_arrival(tx, mounting, rows_total).await?;
    let items: Vec<&str> = mounting.columns.iter().map(|c| c.item.as_str()).collect();
    responsibility::delivered(tx, &mounting.entry_id, &items).await
}

/// The kind of the job that collects a mounted resource into the pool.
pub const COLLECT: &str = "exchange.collect";

/// What a collection job carries.
#[derive(Debug, Serialize, Deserialize)]
pub struct CollectPayload {
    pub entry_id: EntryId,
    /// The person who asked for it, if one did.
    pub started_by: Option<String>,
}

/// The job that collects this entry's data.
#[must_use]
pub fn collection_job(entry_id: &EntryId, started_by: Option<&str>) -> jobs::NewJob {
    let payload = CollectPayload {
        entry_id: entry_id.clone(),
        started_by: started_by.map(str::to_owned),
    };
    jobs::NewJob::new(COLLECT, lane(entry_id), &payload)
}

/// The lane of all jobs that move this entry's data: one at a time.
#[must_use]
pub fn lane(entry_id: &EntryId) -> String {
    format!("entry:{entry_id}")
}

struct Found {
    entry: store::Entry,
    items: Vec<DataItem>,
    store_id: StoreId,
    table: TableInfo,
    connector: std::sync::Arc<dyn tongqu_connectors::Store>,
}

impl Found {
    fn item(&self, code: &str) -> Option<&DataItem> {
        self.items.iter().find(|i| i.code == code)
    }

    /// Item code to column name, where the names agree apart from case.
    fn column_of_item(&self) -> BTreeMap<String, String> {
        let columns = &self.table.columns;
        self.items
            .iter()
            .filter_map(|item| {
                let column = columns
                    .iter()
                    .find(|c| c.name.eq_ignore_ascii_case(&item.code))?;
                Some((item.code.clone(), column.name.clone()))
            })
            .collect()
    }

    /// The columns in the order of the items, or all faults at once.
    fn fit(&self) -> Result<Vec<ItemColumn>, ApiError> {
        let map = self.column_of_item();
        match check_mount(&self.items, &self.table.columns, &map) {
            Ok(columns) => Ok(self
                .items
                .iter()
                .zip(columns)
                .map(|(item, column)| ItemColumn {
                    item: item.code.clone(),
                    column,
                })
                .collect()),
            Err(faults) => {
                Err(faults
                    .iter()
                    .fold(ApiError::invalid("mounting.unfit"), |error, fault| {
                        let refused = self
                            .table
                            .refused
                            .iter()
                            .any(|r| r.column.eq_ignore_ascii_case(&fault.item));
                        error.field(
                            fault.item.clone(),
                            if refused {
                                "mounting.type_refused"
                            } else {
                                fault.code()
                            },
                        )
                    }))
            }
        }
    }

    /// Column names of the key items.
    fn key(&self) -> Vec<String> {
        let map = self.column_of_item();
        self.items
            .iter()
            .filter(|i| i.key)
            .filter_map(|i| map.get(&i.code).cloned())
            .collect()
    }
}

async fn open(
    ctx: &Ctx,
    store_id: &str,
) -> Result<(StoreId, std::sync::Arc<dyn tongqu_connectors::Store>), ApiError> {
    let not_found = || ApiError::not_found("directory.store_not_found");
    let id = StoreId::parse(store_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    let exchange_store = directory::find_store(&mut db, &id)
        .await?
        .ok_or_else(not_found)?;
    ctx.must(
        Action::MountEntry,
        &Subject::Department(&exchange_store.department_id),
    )?;
    Ok((id, ctx.app.open_store(&exchange_store.url)?))
}

async fn discover(ctx: &Ctx, entry_id: &str, body: &MountingBody) -> Result<Found, ApiError> {
    let entry = find(ctx, entry_id).await?;
    ctx.must(
        Action::MountEntry,
        &Subject::Department(&entry.department_id),
    )?;
    let (store_id, connector) = open(ctx, &body.store_id).await?;
    let mut db = ctx.read().await?;
    let exchange_store = directory::find_store(&mut db, &store_id)
        .await?
        .ok_or_else(|| ApiError::not_found("directory.store_not_found"))?;
    if exchange_store.department_id != entry.department_id {
        return Err(ApiError::invalid("mounting.foreign_store"));
    }
    let no = entry
        .active_no
        .ok_or_else(|| ApiError::conflict("mounting.not_published"))?;
    let version = store::find_version(&mut db, &entry.id, no)
        .await?
        .ok_or_else(|| ApiError::bug("an entry names an active version that isn't there"))?;
    drop(db);
    let table = connector
        .discover(&body.table)
        .await
        .map_err(connector_error)?;
    Ok(Found {
        entry,
        items: version.content.items,
        store_id,
        table,
        connector,
    })
}
