//! Let the demo's source change, as it would between two runs.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    demo::change_source as change,
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// How many rows of each kind were touched.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceChangeView {
    pub updated: u64,
    pub inserted: u64,
    pub deleted: u64,
    /// Rows with a malformed code, which have to end in quarantine.
    pub malformed: u64,
}

/// Change 1,000 rows of the demo's source, add 500, take 500 away, and add three malformed ones.
/// Outside the demo there is no such thing.
#[utoipa::path(post, path = "/demo/source-change", tag = "demo", operation_id = "change_source",
    responses((status = 200, body = SourceChangeView), (status = 404, body = Problem)))]
pub async fn change_source(State(app): State<Arc<App>>, ctx: Ctx) -> Reply<SourceChangeView> {
    if !app.clock.is_demo() {
        return Err(ApiError::not_found("platform.no_such_operation"));
    }
    let path = app.config.data_dir().join("stores").join("statistics.db");
    let changed = tokio::task::spawn_blocking(move || change(&path))
        .await
        .map_err(ApiError::bug)?
        .map_err(ApiError::bug)?;
    let tx = ctx.begin().await?;
    tx.commit(
        ctx.did("demo.source_changed")
            .with("updated", changed.updated)
            .with("inserted", changed.inserted),
    )
    .await?;
    reply(SourceChangeView {
        updated: changed.updated,
        inserted: changed.inserted,
        deleted: changed.deleted,
        malformed: changed.malformed,
    })
}
