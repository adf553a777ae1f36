//! The authority returns a submitted version with a reason. Spec: PDS-5.1 (sharing check).

use axum::{Json, extract::Path};
use serde::Deserialize;
use std::collections::BTreeMap;
use tongqu_domain::access::Action;
use utoipa::ToSchema;

use super::{
    reviewer::must_review,
    store,
    submit::{load, reload, version_error},
    views::VersionLineView,
};
use crate::{
    features::directory::{self, Notice},
    platform::http::{Ctx, Problem, Reply},
};

/// Why it is returned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnBody {
    /// What has to be mended; must not be empty.
    pub reason: String,
}

/// Return a submitted version to its department.
#[utoipa::path(post, path = "/catalogue/versions/{version_id}/return", tag = "catalogue",
    operation_id = "return_version", params(("version_id" = String, Path)), request_body = ReturnBody,
    responses((status = 200, body = VersionLineView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn return_version(
    ctx: Ctx,
    Path(version_id): Path<String>,
    Json(body): Json<ReturnBody>,
) -> Reply<VersionLineView> {
    let listed = load(&ctx, &version_id).await?;
    must_review(&ctx, &listed, Action::ReviewCatalogue).await?;
    let before = listed.version;
    let state = before
        .state
        .clone()
        .return_with(ctx.now, ctx.actor.person.clone(), &body.reason)
        .map_err(version_error)?;
    let mut tx = ctx.begin().await?;
    store::save_state(&mut tx, &before, &state, None).await?;
    directory::notify(
        &mut tx,
        &Notice {
            to: &listed.entry.department_id,
            kind: "catalogue.returned",
            subject: ("entry", listed.entry.id.as_str()),
            facts: BTreeMap::from([
                ("name", before.content.name.clone()),
                ("reason", body.reason.clone()),
            ]),
        },
    )
    .await?;
    let entry = ctx
        .did("catalogue.version_returned")
        .on("version", &before.id);
    tx.commit(
        entry
            .with("entry_id", before.entry_id.as_str())
            .with("reason", body.reason),
    )
    .await?;
    reload(&ctx, &before.id).await
}
