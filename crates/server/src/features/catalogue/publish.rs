//! The authority publishes a submitted version; the one before stays readable. Spec: PDS-5.1.

use axum::extract::Path;
use std::collections::BTreeMap;
use tongqu_domain::{
    access::Action,
    ids::{EntryId, PersonId},
};

use super::{
    class::must_be_approved,
    reviewer::must_review,
    search_entries, store,
    submit::{load, reload, version_error},
    views::VersionLineView,
};
use crate::{
    app::App,
    features::{
        directory::{self, Notice},
        responsibility::{self, Published},
    },
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
    must_review(&ctx, &listed, Action::PublishCatalogue).await?;
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

/// A version as the responsibility list takes it.
fn published(listed: &store::Listed) -> Published<'_> {
    Published {
        entry_id: &listed.entry.id,
        version_no: listed.version.no,
        name: &listed.version.content.name,
        department_id: &listed.entry.department_id,
        items: &listed.version.content.items,
    }
}

/// Entries taken into the responsibility list in one write.
const LISTED_AT_ONCE: u32 = 200;

/// Takes what was published before there was a responsibility list into it. Spec: YC-13.1.
pub async fn list_responsibilities(app: &App) -> Result<(), ApiError> {
    loop {
        let mut db = app.registry.read().await?;
        let unlisted = store::unlisted(&mut db, LISTED_AT_ONCE).await?;
        drop(db);
        if unlisted.is_empty() {
            return Ok(());
        }
        let mut tx = app.registry.begin(app.clock.now()).await?;
        let mut more = Vec::with_capacity(unlisted.len());
        for listed in &unlisted {
            more.push(responsibility::published(&mut tx, published(listed)).await?);
            let mounting = store::mounting_of(&mut tx, &listed.entry.id).await?;
            if let Some(mounting) = mounting.filter(|mounting| mounting.pooled) {
                let items: Vec<&str> = mounting.columns.iter().map(|c| c.item.as_str()).collect();
                responsibility::delivered(&mut tx, &listed.entry.id, &items).await?;
            }
        }
        let first = Entry::by_platform("responsibility.generated").with("entries", unlisted.len());
        tx.commit(Evidence::of(first, more)).await?;
    }
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
    // The list of who collects what changes in the same transaction. Spec: YC-14.2.
    more.push(responsibility::published(tx, published(listed)).await?);
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
