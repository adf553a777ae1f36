//! Search the catalogue: words, sounds, near misses, facets with counts. Spec: PDS-3.2.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::UpdateCycle,
    ids::EntryId,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    rules::is_offered,
    search::{Doc, DocItem, Facet, IndexError, Matched, SearchQuery, Segment, Sort},
    store::{self, Entry, Listed},
    views::{CodeView, class_view, mode_view, published_on},
};
use crate::{
    app::App,
    features::directory,
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The label under which every signed-in person of the platform finds an entry.
const OFFICERS: &str = "officers";

/// The most entries that one page may lie behind; further ones are reached by narrowing the search.
const OFFSET_MAX: usize = 10_000;

/// What is looked for. A facet may be given several values, separated by commas.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct EntriesQuery {
    /// Words, pinyin or initials; everything if empty.
    #[serde(default)]
    pub q: String,
    pub sharing_class: Option<String>,
    pub mode: Option<String>,
    pub department_id: Option<String>,
    pub base_library: Option<String>,
    pub update_cycle: Option<String>,
    pub grade: Option<String>,
    /// `true`: only entries with data behind them.
    pub mounted: Option<String>,
    /// `relevance` (default) or `published_at`.
    pub sort: Option<String>,
    /// From 1.
    pub page: Option<u32>,
    /// How many on a page, 1-100; 10 if left out.
    pub size: Option<u32>,
}

/// One page of hits.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntriesView {
    pub total: usize,
    /// Microseconds that the search itself took.
    pub took_us: u64,
    /// `exactly`, `similar` (a near miss was taken) or `partly` (not every word was found).
    pub matched: String,
    pub items: Vec<EntryHitView>,
    pub facets: Vec<FacetView>,
}

/// A piece of text, marked if it was hit.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentView {
    pub text: String,
    pub hit: bool,
}

/// An entry that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryHitView {
    pub entry_id: String,
    pub code: String,
    /// The name in pieces, to be shown with its hits marked.
    pub name: Vec<SegmentView>,
    pub summary: Vec<SegmentView>,
    pub department_id: String,
    pub department_name: String,
    pub sharing_class: CodeView,
    pub modes: Vec<CodeView>,
    pub items_count: usize,
    pub update_cycle_name: String,
    pub published_on: Option<String>,
    /// Whether there is data behind it.
    pub mounted: bool,
    /// Instant of the last arrival.
    pub last_arrival_at: Option<String>,
    pub rows_total: Option<i64>,
    /// Data items that were hit.
    pub matched_items: Vec<Vec<SegmentView>>,
    /// Whether the viewer may ask for it.
    pub may_request: bool,
}

/// A facet with its values.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetView {
    /// Name of the query parameter.
    pub field: String,
    pub values: Vec<FacetValueView>,
}

/// A value of a facet and how many hits have it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetValueView {
    pub value: String,
    pub label: String,
    pub count: usize,
}

/// Search published entries.
#[utoipa::path(get, path = "/catalogue/entries", tag = "catalogue", operation_id = "search_entries",
    params(EntriesQuery), responses((status = 200, body = EntriesView), (status = 401, body = Problem)))]
pub async fn search_entries(ctx: Ctx, Query(query): Query<EntriesQuery>) -> Reply<EntriesView> {
    ctx.must(Action::BrowseCatalogue, &Subject::Platform)?;
    let wanted = wanted(&query);
    let app = ctx.app.clone();
    let page = tokio::task::spawn_blocking(move || app.search.search(&wanted))
        .await
        .map_err(ApiError::bug)?
        .map_err(index_error)?;
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let may_file = ctx.may(Action::FileRequest, &Subject::Department(ctx.department()));
    let mut items = Vec::with_capacity(page.hits.len());
    for hit in page.hits {
        let Some(listed) = published_entry(&mut db, &hit.entry_id).await? else {
            continue;
        };
        let mounting = store::mounting_of(&mut db, &hit.entry_id).await?;
        let content = &listed.version.content;
        items.push(EntryHitView {
            entry_id: hit.entry_id.to_string(),
            code: listed.entry.code.to_string(),
            name: segments(hit.name),
            summary: segments(hit.summary),
            department_id: listed.entry.department_id.to_string(),
            department_name: departments
                .get(listed.entry.department_id.as_str())
                .cloned()
                .unwrap_or_default(),
            sharing_class: class_view(&content.sharing_class, &ctx.app.pack(), ctx.language),
            modes: content
                .modes
                .iter()
                .map(|m| mode_view(m, &ctx.app.pack(), ctx.language))
                .collect(),
            items_count: content.items.len(),
            update_cycle_name: ctx.language.name_of(&content.update_cycle),
            published_on: published_on(&listed.version),
            mounted: mounting.as_ref().is_some_and(|m| m.pooled),
            last_arrival_at: mounting
                .as_ref()
                .and_then(|m| m.last_arrival_at)
                .map(|at| at.to_string()),
            rows_total: mounting.and_then(|m| m.rows_total),
            matched_items: hit
                .matched_items
                .into_iter()
                .map(|i| segments(i.name))
                .collect(),
            may_request: may_file
                && is_offered(&ctx.app.pack(), &listed.version.content.sharing_class)
                && listed.entry.department_id != *ctx.department(),
        });
    }
    let facets = page
        .facets
        .into_iter()
        .filter(|(facet, _)| *facet != Facet::Theme)
        .map(|(facet, counts)| FacetView {
            field: facet.column().to_owned(),
            values: counts
                .into_iter()
                .map(|c| FacetValueView {
                    label: facet_label(&ctx, facet, &c.value, &departments),
                    value: c.value,
                    count: c.count,
                })
                .collect(),
        })
        .collect();
    reply(EntriesView {
        total: page.total,
        took_us: page.took_us,
        matched: serde_json::to_value(page.matched)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default(),
        items,
        facets,
    })
}

fn wanted(query: &EntriesQuery) -> SearchQuery {
    let size = usize::try_from(query.size.unwrap_or(10).clamp(1, 100)).unwrap_or(10);
    let page = usize::try_from(query.page.unwrap_or(1).max(1)).unwrap_or(1);
    let given = [
        (Facet::SharingClass, &query.sharing_class),
        (Facet::Mode, &query.mode),
        (Facet::DepartmentId, &query.department_id),
        (Facet::BaseLibrary, &query.base_library),
        (Facet::UpdateCycle, &query.update_cycle),
        (Facet::Grade, &query.grade),
        (Facet::Mounted, &query.mounted),
    ];
    let filters: BTreeMap<Facet, Vec<String>> = given
        .into_iter()
        .filter_map(|(facet, value)| {
            let values: Vec<String> = value
                .as_deref()?
                .split(',')
                .filter(|v| !v.is_empty())
                .map(str::to_owned)
                .collect();
            (!values.is_empty()).then_some((facet, values))
        })
        .collect();
    SearchQuery {
        text: query.q.clone(),
        filters,
        labels: vec![OFFICERS.to_owned()],
        sort: if query.sort.as_deref() == Some("published_at") {
            Sort::PublishedAt
        } else {
            Sort::Relevance
        },
        offset: ((page - 1) * size).min(OFFSET_MAX),
        limit: size,
    }
}

/// The most entries that are looked through for a match.
const MATCHES_MAX: usize = 20;

/// Published entries that a text in words finds, the best first. Spec: YC-12.2.
pub async fn find_matching(
    app: &Arc<App>,
    db: &mut Db,
    text: &str,
) -> Result<Vec<Entry>, ApiError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let wanted = SearchQuery {
        text: text.to_owned(),
        filters: BTreeMap::new(),
        labels: vec![OFFICERS.to_owned()],
        sort: Sort::Relevance,
        offset: 0,
        limit: MATCHES_MAX,
    };
    let app = app.clone();
    let page = tokio::task::spawn_blocking(move || app.search.search(&wanted))
        .await
        .map_err(ApiError::bug)?
        .map_err(index_error)?;
    let is_loose = page.matched == Matched::Partly;
    let mut found = Vec::with_capacity(page.hits.len());
    for hit in page.hits {
        if is_loose && !covers_half(&hit.name, text) {
            continue;
        }
        found.extend(published_entry(db, &hit.entry_id).await?.map(|l| l.entry));
    }
    Ok(found)
}

/// Whether a name has at least half of what was looked for: words such as 信息 stand in every other name.
fn covers_half(name: &[Segment], text: &str) -> bool {
    let signs = |text: &str| text.chars().filter(|sign| !sign.is_whitespace()).count();
    let hit: usize = name
        .iter()
        .filter(|segment| segment.marked)
        .map(|segment| signs(&segment.text))
        .sum();
    hit * 2 >= signs(text)
}

fn segments(segments: Vec<Segment>) -> Vec<SegmentView> {
    segments
        .into_iter()
        .map(|s| SegmentView {
            text: s.text,
            hit: s.marked,
        })
        .collect()
}

fn facet_label(
    ctx: &Ctx,
    facet: Facet,
    value: &str,
    departments: &BTreeMap<String, String>,
) -> String {
    match facet {
        Facet::SharingClass => class_view(value, &ctx.app.pack(), ctx.language).name,
        Facet::Mode => mode_view(value, &ctx.app.pack(), ctx.language).name,
        Facet::DepartmentId => departments
            .get(value)
            .cloned()
            .unwrap_or_else(|| value.to_owned()),
        Facet::UpdateCycle => UpdateCycle::find(value)
            .map_or_else(|| value.to_owned(), |cycle| ctx.language.name_of(&cycle)),
        Facet::BaseLibrary | Facet::Theme | Facet::Grade | Facet::Mounted => value.to_owned(),
    }
}

async fn published_entry(db: &mut Db, id: &EntryId) -> Result<Option<Listed>, ApiError> {
    let Some(entry) = store::find_entry(db, id).await? else {
        return Ok(None);
    };
    let Some(no) = entry.active_no else {
        return Ok(None);
    };
    Ok(store::find_version(db, id, no)
        .await?
        .map(|version| Listed { entry, version }))
}

/// Brings the index up to what the registry says of one entry.
pub async fn index_entry(app: &Arc<App>, id: &EntryId) -> Result<(), ApiError> {
    let mut db = app.registry.read().await?;
    let listed = published_entry(&mut db, id).await?;
    let departments = directory::departments_by_id(&mut db).await?;
    let mounted = store::mounting_of(&mut db, id)
        .await?
        .is_some_and(|m| m.pooled);
    drop(db);
    let id = id.clone();
    let app = app.clone();
    tokio::task::spawn_blocking(move || {
        match listed {
            Some(listed) => app.search.put(&doc(&listed, &departments, mounted))?,
            None => app.search.remove(&id),
        }
        app.search.commit()
    })
    .await
    .map_err(ApiError::bug)?
    .map_err(index_error)
}

/// Up to so many entries the index is built anew at every start, which takes a moment.
const REBUILT_ALWAYS_MAX: i64 = 2_000;

/// Builds the index anew from the registry where that is cheap, or where the index lacks something: a
/// crash may have left it behind its registry.
pub async fn rebuild_index(app: &Arc<App>) -> Result<(), ApiError> {
    let mut db = app.registry.read().await?;
    let published = store::entries_count(&mut db).await?;
    let is_complete = app.search.is_fresh() && i64::try_from(app.search.entries()) == Ok(published);
    if is_complete && published > REBUILT_ALWAYS_MAX {
        return Ok(());
    }
    let departments = directory::departments_by_id(&mut db).await?;
    let mounted: std::collections::BTreeSet<EntryId> = store::mountings(&mut db)
        .await?
        .into_iter()
        .filter(|m| m.pooled)
        .map(|m| m.entry_id)
        .collect();
    let docs: Vec<Doc> = store::published(&mut db, u32::MAX)
        .await?
        .iter()
        .map(|listed| doc(listed, &departments, mounted.contains(&listed.entry.id)))
        .collect();
    drop(db);
    let app = app.clone();
    tokio::task::spawn_blocking(move || app.search.rebuild(docs))
        .await
        .map_err(ApiError::bug)?
        .map_err(index_error)
}

fn doc(
    listed: &Listed,
    departments: &BTreeMap<String, directory::Department>,
    mounted: bool,
) -> Doc {
    let Listed { entry, version } = listed;
    let content = &version.content;
    let department = departments.get(entry.department_id.as_str());
    Doc {
        entry_id: entry.id.clone(),
        code: entry.code.to_string(),
        name: content.name.clone(),
        summary: content.summary.clone(),
        department_id: entry.department_id.clone(),
        department: department.map(|d| d.name.clone()).unwrap_or_default(),
        department_short: department.map(|d| d.short_name.clone()),
        class_code: content.class_code.clone(),
        sharing_class: content.sharing_class.clone(),
        modes: content.modes.clone(),
        base_library: content.base_library.clone(),
        update_cycle: content.update_cycle,
        grade: content.grade,
        items: content
            .items
            .iter()
            .map(|i| DocItem {
                name: i.name.clone(),
                code: i.code.clone(),
            })
            .collect(),
        mounted,
        published_at: version
            .published_at
            .map_or(0, jiff::Timestamp::as_microsecond),
        visible_to: vec![OFFICERS.to_owned()],
    }
}

fn index_error(error: IndexError) -> ApiError {
    ApiError::bug(error)
}
