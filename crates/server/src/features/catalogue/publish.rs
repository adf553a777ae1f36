//! The authority publishes a submitted version; the one before stays readable. Spec: PDS-5.1.

use axum::extract::Path;
use std::collections::BTreeMap;
use tongqu_domain::{
    access::Action,
    ids::{EntryId, PersonId},
};

use super::{
    class::must_be_approved,
    search_entries, store,
    submit::{load, reload, submission, version_error},
    views::VersionLineView,
};
use crate::{
    app::App,
    features::directory::{self, Notice},
    platform::{
        db::Tx,
        evidence::{Entry, Evidence},
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
    let mut tx = ctx.begin().await?;
    let more = publish(&ctx.app, &mut tx, &listed, &ctx.actor.person).await?;
    let first = ctx
        .did("catalogue.version_published")
        .on("version", &listed.version.id)
        .with("entry_id", listed.version.entry_id.as_str())
        .with("no", listed.version.no);
    tx.commit(Evidence::of(first, more)).await?;
    search_entries::index_entry(&ctx.app, &listed.version.entry_id).await?;
    reload(&ctx, &listed.version.id).await
}

/// Publishes the submitted version of an entry, if there is one, as part of the caller's write: for a
/// step of a case that is the publication. Spec: YC-14.2, YJ-3.1.2b, LY-9.1.
pub async fn publish_submitted(
    app: &App,
    tx: &mut Tx,
    entry_id: &EntryId,
    by: &PersonId,
) -> Result<Vec<Entry>, ApiError> {
    let Some(listed) = store::submitted_of(tx, entry_id).await? else {
        return Ok(Vec::new());
    };
    let mut entries = publish(app, tx, &listed, by).await?;
    entries.push(
        Entry::by_platform("catalogue.version_published")
            .on("version", &listed.version.id)
            .with("entry_id", entry_id.as_str())
            .with("no", listed.version.no),
    );
    Ok(entries)
}

/// Makes a submitted version the active one and supersedes the one before.
pub(super) async fn publish(
    app: &App,
    tx: &mut Tx,
    listed: &store::Listed,
    by: &PersonId,
) -> Result<Vec<Entry>, ApiError> {
    must_be_approved(app, tx, listed).await?;
    let before = &listed.version;
    let state = before
        .state
        .clone()
        .publish(tx.at(), by.clone())
        .map_err(version_error)?;
    let mut more = Vec::new();
    if let Some(active_no) = listed.entry.active_no {
        let earlier = store::find_version(tx, &before.entry_id, active_no)
            .await?
            .ok_or_else(|| ApiError::bug("an entry names an active version that isn't there"))?;
        let superseded = earlier
            .state
            .clone()
            .supersede(tx.at(), before.id.clone())
            .map_err(version_error)?;
        store::save_state(tx, &earlier, &superseded, None).await?;
        more.push(
            Entry::by_platform("catalogue.version_superseded")
                .on("version", &earlier.id)
                .with("by_no", before.no),
        );
    }
    store::save_state(tx, before, &state, None).await?;
    store::activate(tx, before).await?;
    directory::notify(
        tx,
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
    Ok(more)
}
