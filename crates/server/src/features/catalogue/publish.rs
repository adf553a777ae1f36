//! The authority publishes a submitted version; the one before stays readable. Spec: PDS-5.1.

use axum::extract::Path;
use std::collections::BTreeMap;
use tongqu_domain::access::Action;

use super::{
    search_entries, store,
    submit::{load, reload, submission, version_error},
    views::VersionLineView,
};
use crate::{
    features::directory::{self, Notice},
    platform::{
        evidence::Evidence,
        http::{ApiError, Ctx, Problem, Reply},
    },
};

/// Publish a submitted version: it becomes the active one, and an earlier one is superseded, in one
/// transaction.
#[utoipa::path(post, path = "/catalogue/versions/{version_id}/publication", tag = "catalogue",
    operation_id = "publish_version", params(("version_id" = String, Path)),
    responses((status = 200, body = VersionLineView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn publish_version(ctx: Ctx, Path(version_id): Path<String>) -> Reply<VersionLineView> {
    let listed = load(&ctx, &version_id).await?;
    ctx.must(Action::PublishCatalogue, &submission(&listed)?)?;
    let before = listed.version;
    let state = before
        .state
        .clone()
        .publish(ctx.now, ctx.actor.person.clone())
        .map_err(version_error)?;
    let mut tx = ctx.begin().await?;
    let mut more = Vec::new();
    if let Some(active_no) = listed.entry.active_no {
        let earlier = store::find_version(&mut tx, &before.entry_id, active_no)
            .await?
            .ok_or_else(|| ApiError::bug("an entry names an active version that isn't there"))?;
        let superseded = earlier
            .state
            .clone()
            .supersede(ctx.now, before.id.clone())
            .map_err(version_error)?;
        store::save_state(&mut tx, &earlier, &superseded, None).await?;
        more.push(
            ctx.did("catalogue.version_superseded")
                .on("version", &earlier.id)
                .with("by_no", before.no),
        );
    }
    store::save_state(&mut tx, &before, &state, None).await?;
    store::activate(&mut tx, &before).await?;
    directory::notify(
        &mut tx,
        &Notice {
            to: &listed.entry.department_id,
            kind: "catalogue.published",
            subject: ("entry", listed.entry.id.as_str()),
            facts: BTreeMap::from([
                ("name", before.content.name.clone()),
                ("no", before.no.to_string()),
            ]),
        },
    )
    .await?;
    let first = ctx
        .did("catalogue.version_published")
        .on("version", &before.id);
    let first = first
        .with("entry_id", before.entry_id.as_str())
        .with("no", before.no);
    tx.commit(Evidence::of(first, more)).await?;
    search_entries::index_entry(&ctx.app, &before.entry_id).await?;
    reload(&ctx, &before.id).await
}
