//! Exchange stores 前置库: list and register.

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_connectors::Rate;
use tongqu_domain::{
    access::{Action, Subject},
    ids::{DepartmentId, StoreId},
};
use utoipa::ToSchema;

use super::{departments::NAME_CHARS_MAX, store};
use crate::platform::{
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
    secrets::random_hex,
};

/// An exchange store to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreBody {
    pub department_id: String,
    /// Name in lists, for example 统计局前置库.
    pub name: String,
    /// `sqlite:PATH`, `postgres://...`, `mysql://...` or `odbc:` with a connection string; credentials are kept and never shown again.
    pub url: String,
}

/// An exchange store. Its address is never shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreView {
    pub id: String,
    pub department_id: String,
    pub department_name: String,
    pub name: String,
    /// `sqlite`, `postgres`, `mysql` or `odbc`.
    pub engine: String,
    /// The most rows a second that the platform reads and writes; absent where there is no limit.
    pub rows_per_s: Option<i64>,
    /// The most bytes of values a second.
    pub bytes_per_s: Option<i64>,
    /// What the viewer may do: `throttle`.
    pub actions: Vec<&'static str>,
}

/// How fast the platform may read and write a store. What is left out or null is without limit.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThrottleBody {
    /// Rows a second, 1 to 10,000,000.
    pub rows_per_s: Option<i64>,
    /// Bytes of values a second, 1,024 to 10,737,418,240 (10 GiB).
    pub bytes_per_s: Option<i64>,
}

/// More is no limit for any store, and hides a slip of the pen.
const ROWS_PER_S_MAX: u64 = 10_000_000;
/// Less would keep a table of any size for months.
const BYTES_PER_S_MIN: u64 = 1024;
const BYTES_PER_S_MAX: u64 = 10 * 1024 * 1024 * 1024;

/// The exchange stores that the viewer may use: the own department's, or all for administrators and operators.
#[utoipa::path(get, path = "/stores", tag = "directory", operation_id = "list_stores",
    responses((status = 200, body = Page<StoreView>), (status = 401, body = Problem)))]
pub async fn list_stores(ctx: Ctx) -> Reply<Page<StoreView>> {
    let mut db = ctx.read().await?;
    let sees_all = ctx.may(Action::ManageDirectory, &Subject::Platform)
        || ctx.may(Action::Deliver, &Subject::Platform);
    let mut items = store::stores(&mut db).await?;
    items.retain(|s| sees_all || s.department_id == ctx.department().as_str());
    for item in &mut items {
        if DepartmentId::parse(&item.department_id).is_ok_and(|owner| may_throttle(&ctx, &owner)) {
            item.actions.push("throttle");
        }
    }
    reply(Page {
        items,
        next_cursor: None,
    })
}

/// Register a department's exchange store; it is tried before it is kept. For system administrators.
#[utoipa::path(post, path = "/stores", tag = "directory", operation_id = "create_store",
    request_body = StoreBody,
    responses((status = 200, body = StoreView), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 502, body = Problem)))]
pub async fn create_store(ctx: Ctx, Json(body): Json<StoreBody>) -> Reply<StoreView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let unknown =
        || ApiError::invalid("directory.invalid").field("department_id", "directory.department_id");
    let department_id = DepartmentId::parse(&body.department_id).map_err(|_| unknown())?;
    let mut db = ctx.read().await?;
    let department = store::find_department(&mut db, &department_id)
        .await?
        .filter(store::Department::is_active)
        .ok_or_else(unknown)?;
    drop(db);
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::invalid("directory.invalid").field("name", "directory.name"));
    }
    let connector = ctx.app.open_or_create_store(&body.url)?;
    connector
        .ping()
        .await
        .map_err(crate::app::connector_error)?;
    let exchange_store = store::ExchangeStore {
        id: StoreId::parse(&format!("sto-{}", random_hex::<6>())).expect("hex fits an identifier"),
        department_id,
        name,
        url: body.url,
        rate: Rate::default(),
    };
    let mut tx = ctx.begin().await?;
    store::insert_store(&mut tx, &exchange_store).await?;
    tx.commit(
        ctx.did("directory.store_registered")
            .on("store", &exchange_store.id),
    )
    .await?;
    reply(view(&ctx, exchange_store, department.name))
}

/// Limit how fast the platform reads and writes a store, all runs of a node together. A run under way keeps to it
/// from its next rows on if it runs on the node that was asked, else from the next run on.
#[utoipa::path(put, path = "/stores/{store_id}/throttle", tag = "directory", operation_id = "throttle_store",
    params(("store_id" = String, Path)), request_body = ThrottleBody,
    responses((status = 200, body = StoreView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn throttle_store(
    ctx: Ctx,
    Path(store_id): Path<String>,
    Json(body): Json<ThrottleBody>,
) -> Reply<StoreView> {
    let not_found = || ApiError::not_found("store.not_found");
    let id = StoreId::parse(&store_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    let mut found = store::find_store(&mut db, &id)
        .await?
        .ok_or_else(not_found)?;
    let department = store::find_department(&mut db, &found.department_id).await?;
    drop(db);
    if !may_throttle(&ctx, &found.department_id) {
        ctx.must(
            Action::ManageStore,
            &Subject::Department(&found.department_id),
        )?;
    }
    found.rate = rate_of(&body)?;
    let mut tx = ctx.begin().await?;
    store::set_rate(&mut tx, &id, found.rate).await?;
    tx.commit(
        ctx.did("directory.store_throttled")
            .on("store", &id)
            .with("rows_per_s", found.rate.rows)
            .with("bytes_per_s", found.rate.bytes),
    )
    .await?;
    ctx.app.paces.set(&id, found.rate);
    let name = department.map(|d| d.name).unwrap_or_default();
    reply(view(&ctx, found, name))
}

/// The department whose store it is, and whoever runs the platform.
fn may_throttle(ctx: &Ctx, owner: &DepartmentId) -> bool {
    ctx.may(Action::ManageStore, &Subject::Department(owner))
        || ctx.may(Action::ManageDirectory, &Subject::Platform)
}

fn rate_of(body: &ThrottleBody) -> Result<Rate, ApiError> {
    let mut faults = Vec::new();
    let mut within = |value: Option<i64>, field, least, most, code| {
        let limit = value.map(|n| u64::try_from(n).unwrap_or(0));
        if limit.is_some_and(|n| !(least..=most).contains(&n)) {
            faults.push((field, code));
        }
        limit
    };
    let (rows, bytes) = (body.rows_per_s, body.bytes_per_s);
    let rate = Rate {
        rows: within(rows, "rows_per_s", 1, ROWS_PER_S_MAX, "store.rows_per_s"),
        bytes: within(
            bytes,
            "bytes_per_s",
            BYTES_PER_S_MIN,
            BYTES_PER_S_MAX,
            "store.bytes_per_s",
        ),
    };
    if faults.is_empty() {
        return Ok(rate);
    }
    let error = ApiError::invalid("directory.invalid");
    Err(faults
        .into_iter()
        .fold(error, |error, (field, code)| error.field(field, code)))
}

fn view(ctx: &Ctx, exchange_store: store::ExchangeStore, department_name: String) -> StoreView {
    let shown = |limit: Option<u64>| limit.and_then(|n| i64::try_from(n).ok());
    let may = may_throttle(ctx, &exchange_store.department_id);
    StoreView {
        id: exchange_store.id.to_string(),
        department_id: exchange_store.department_id.to_string(),
        department_name,
        engine: exchange_store.engine().to_owned(),
        rows_per_s: shown(exchange_store.rate.rows),
        bytes_per_s: shown(exchange_store.rate.bytes),
        actions: may.then_some("throttle").into_iter().collect(),
        name: exchange_store.name,
    }
}
