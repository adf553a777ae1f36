//! Draw a sample, release it, take it back.

use axum::extract::Path;
use tongqu_domain::{
    access::{Action, Subject},
    exchange::{ROWS_FOR_EACH_LINE, lay_out_sample, sample_value},
};

use super::{
    read_sample::{SampleView, published, view},
    store,
};
use crate::{
    features::{
        catalogue::{self, Entry},
        exchange::engine::{self, PoolTable},
    },
    platform::{
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_number,
    },
};

/// Draw a new sample from what has arrived on the platform. The provider alone sees it until it is released.
#[utoipa::path(post, path = "/catalogue/entries/{entry_id}/sample", tag = "catalogue", operation_id = "draw_sample",
    params(("entry_id" = String, Path)),
    responses((status = 200, body = SampleView), (status = 404, body = Problem)))]
pub async fn draw_sample(ctx: Ctx, Path(entry_id): Path<String>) -> Reply<SampleView> {
    let entry = own(&ctx, &entry_id).await?;
    let mut db = ctx.read().await?;
    let mounting = catalogue::mounting_of(&mut db, &entry.id)
        .await?
        .filter(|mounting| mounting.pooled)
        .ok_or_else(|| ApiError::conflict("sample.nothing_arrived"))?;
    let items = catalogue::active_items(&mut db, &entry.id).await?;
    drop(db);
    let table = PoolTable::of(&mounting, &items);
    // An item that was taken out of the entry isn't shown, though the pool still has it.
    let shown: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .filter_map(|(at, column)| {
            let item = items.iter().find(|item| item.code == column.name)?;
            Some((at, item))
        })
        .collect();
    let limits = &ctx.app.config.catalogue;
    let rows_max = limits
        .sample_rows_max
        .max(limits.sample_lines * ROWS_FOR_EACH_LINE);
    let mut columns = vec![Vec::new(); shown.len()];
    engine::read_live_rows(ctx.app.pool.as_ref(), &table, rows_max, |rows, n| {
        for (column, (at, item)) in columns.iter_mut().zip(&shown) {
            column.push(sample_value(item, &rows.value(n, *at)));
        }
    })
    .await
    .map_err(ApiError::bug)?;
    let lines = lay_out_sample(columns, limits.sample_lines, random_number())
        .ok_or_else(|| ApiError::conflict("sample.too_few_rows"))?;
    let codes: Vec<String> = shown.iter().map(|(_, item)| item.code.clone()).collect();
    let version_no = entry
        .active_no
        .ok_or_else(|| ApiError::bug("a published entry has no version"))?;
    let mut tx = ctx.begin().await?;
    store::save(
        &mut tx,
        &entry.id,
        version_no,
        &codes,
        &lines,
        &ctx.actor.person,
    )
    .await?;
    tx.commit(ctx.did("sample.drawn").on("entry", &entry.id))
        .await?;
    shown_after(&ctx, &entry).await
}

/// Show the sample to everybody who reads the catalogue.
#[utoipa::path(post, path = "/catalogue/entries/{entry_id}/sample/release", tag = "catalogue",
    operation_id = "release_sample", params(("entry_id" = String, Path)),
    responses((status = 200, body = SampleView), (status = 404, body = Problem)))]
pub async fn release_sample(ctx: Ctx, Path(entry_id): Path<String>) -> Reply<SampleView> {
    let entry = own(&ctx, &entry_id).await?;
    let mut tx = ctx.begin().await?;
    if !store::release(&mut tx, &entry.id, &ctx.actor.person).await? {
        return Err(ApiError::conflict("sample.nothing_to_release"));
    }
    tx.commit(ctx.did("sample.released").on("entry", &entry.id))
        .await?;
    shown_after(&ctx, &entry).await
}

/// Take the sample away.
#[utoipa::path(delete, path = "/catalogue/entries/{entry_id}/sample", tag = "catalogue", operation_id = "withdraw_sample",
    params(("entry_id" = String, Path)),
    responses((status = 200, body = SampleView), (status = 404, body = Problem)))]
pub async fn withdraw_sample(ctx: Ctx, Path(entry_id): Path<String>) -> Reply<SampleView> {
    let entry = own(&ctx, &entry_id).await?;
    let mut tx = ctx.begin().await?;
    if !store::remove(&mut tx, &entry.id).await? {
        return Err(ApiError::not_found("sample.none"));
    }
    tx.commit(ctx.did("sample.withdrawn").on("entry", &entry.id))
        .await?;
    shown_after(&ctx, &entry).await
}

/// The entry, if the viewer answers for its data.
async fn own(ctx: &Ctx, entry_id: &str) -> Result<Entry, ApiError> {
    let mut db = ctx.read().await?;
    let entry = published(&mut db, entry_id).await?;
    ctx.must(
        Action::MountEntry,
        &Subject::Department(&entry.department_id),
    )?;
    Ok(entry)
}

async fn shown_after(ctx: &Ctx, entry: &Entry) -> Reply<SampleView> {
    let mut db = ctx.read().await?;
    reply(view(ctx, &mut db, entry).await?)
}
