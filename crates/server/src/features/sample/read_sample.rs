//! Look at a sample.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    time::china_date,
};
use utoipa::ToSchema;

use super::store::{self, Sample};
use crate::{
    features::catalogue::{self, Entry},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The sample of an entry, or that there is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleView {
    /// `none`, `drawn` (the provider sees it only), `released`, or `outdated` (of an earlier version).
    pub state: &'static str,
    pub columns: Vec<SampleColumnView>,
    /// Masked values in the order of `columns`; each column is mixed, so that no line is a record.
    pub lines: Vec<Vec<Option<String>>>,
    /// Civil date on which it was released, or drawn.
    pub on: Option<String>,
    /// What the viewer may do: `draw`, `release`, `withdraw`.
    pub actions: Vec<&'static str>,
}

/// A column of a sample.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleColumnView {
    pub code: String,
    pub name: String,
    /// How it is masked; absent where it isn't.
    pub mask_name: Option<String>,
}

/// Look at the sample of an entry. Others than the provider see what was released for the present version.
#[utoipa::path(get, path = "/catalogue/entries/{entry_id}/sample", tag = "catalogue", operation_id = "read_sample",
    params(("entry_id" = String, Path)),
    responses((status = 200, body = SampleView), (status = 404, body = Problem)))]
pub async fn read_sample(ctx: Ctx, Path(entry_id): Path<String>) -> Reply<SampleView> {
    let mut db = ctx.read().await?;
    let entry = published(&mut db, &entry_id).await?;
    reply(view(&ctx, &mut db, &entry).await?)
}

/// The entry of a path. Errors: `catalogue.entry_not_found`, also while no version is published.
pub(super) async fn published(db: &mut Db, entry_id: &str) -> Result<Entry, ApiError> {
    let not_found = || ApiError::not_found("catalogue.entry_not_found");
    let id = tongqu_domain::ids::EntryId::parse(entry_id).map_err(|_| not_found())?;
    let entry = catalogue::find_entry(db, &id).await?;
    entry
        .filter(|entry| entry.active_no.is_some())
        .ok_or_else(not_found)
}

pub(super) async fn view(ctx: &Ctx, db: &mut Db, entry: &Entry) -> Result<SampleView, ApiError> {
    let is_owner = ctx.may(
        Action::MountEntry,
        &Subject::Department(&entry.department_id),
    );
    let sample = store::find(db, &entry.id).await?;
    let state = match &sample {
        None => "none",
        Some(sample) if Some(sample.version_no) != entry.active_no => "outdated",
        Some(Sample {
            released_at: None, ..
        }) => "drawn",
        Some(_) => "released",
    };
    let is_pooled = catalogue::mounting_of(db, &entry.id)
        .await?
        .is_some_and(|mounting| mounting.pooled);
    let actions = [
        ("draw", is_pooled),
        ("release", state == "drawn"),
        ("withdraw", sample.is_some()),
    ];
    let actions = actions
        .into_iter()
        .filter(|(_, applies)| is_owner && *applies)
        .map(|(action, _)| action)
        .collect();
    let Some(sample) = sample.filter(|_| state == "released" || (is_owner && state == "drawn"))
    else {
        return Ok(SampleView {
            // What the provider has only drawn isn't there for others.
            state: if is_owner { state } else { "none" },
            columns: Vec::new(),
            lines: Vec::new(),
            on: None,
            actions,
        });
    };
    let items = catalogue::active_items(db, &entry.id).await?;
    Ok(SampleView {
        state,
        columns: sample
            .columns
            .iter()
            .map(|code| {
                let item = items.iter().find(|item| item.code == *code);
                SampleColumnView {
                    code: code.clone(),
                    name: item.map_or_else(|| code.clone(), |item| item.name.clone()),
                    mask_name: item
                        .and_then(|item| item.mask)
                        .map(|mask| ctx.language.name_of(&mask)),
                }
            })
            .collect(),
        lines: sample.lines,
        on: Some(china_date(sample.released_at.unwrap_or(sample.drawn_at)).to_string()),
        actions,
    })
}
