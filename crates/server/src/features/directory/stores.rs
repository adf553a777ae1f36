//! Exchange stores 前置库: list and register.

use axum::Json;
use serde::{Deserialize, Serialize};
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
    /// `sqlite:PATH`, `postgres://...` or `mysql://...`; credentials are kept and never shown again.
    pub url: String,
}

/// An exchange store. Its address is never shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreView {
    pub id: String,
    pub department_id: String,
    pub department_name: String,
    pub name: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub engine: String,
}

/// The exchange stores that the viewer may use: the own department's, or all for administrators and operators.
#[utoipa::path(get, path = "/stores", tag = "directory", operation_id = "list_stores",
    responses((status = 200, body = Page<StoreView>), (status = 401, body = Problem)))]
pub async fn list_stores(ctx: Ctx) -> Reply<Page<StoreView>> {
    let mut db = ctx.read().await?;
    let sees_all = ctx.may(Action::ManageDirectory, &Subject::Platform)
        || ctx.may(Action::Deliver, &Subject::Platform);
    let mut items = store::stores(&mut db).await?;
    items.retain(|s| sees_all || s.department_id == ctx.department().as_str());
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
    };
    let mut tx = ctx.begin().await?;
    store::insert_store(&mut tx, &exchange_store).await?;
    tx.commit(
        ctx.did("directory.store_registered")
            .on("store", &exchange_store.id),
    )
    .await?;
    reply(StoreView {
        id: exchange_store.id.to_string(),
        department_id: exchange_store.department_id.to_string(),
        department_name: department.name,
        engine: exchange_store.engine().to_owned(),
        name: exchange_store.name,
    })
}
