//! One entry in full. Spec: PDS-3.2 (query), PDS-5.1 (only what is released is visible).

use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::VersionState,
    ids::EntryId,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    interface::InterfaceTerms,
    reviewer::is_reviewer,
    rules::{data_owner, is_offered},
    store::{self, Entry, Version},
    views::{ContentView, StateView, VersionTabView, published_on},
};
use crate::{
    features::{
        case::{ClauseView, clause_view},
        directory::{self, DepartmentView},
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// Which version to read.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ReadQuery {
    /// Version number; the active one if left out.
    pub version: Option<u32>,
}

/// An entry in one of its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    pub entry_id: String,
    /// Resource code.
    pub code: String,
    pub name: String,
    pub version_id: String,
    pub version_no: u32,
    pub state: StateView,
    pub published_on: Option<String>,
    /// Whether this is the version that readers see without asking for another.
    pub active: bool,
    pub department: DepartmentView,
    /// To whom the data belong, where the regulation says so; the department answers for them.
    pub owner: Option<OwnerView>,
    pub content: ContentView,
    /// Versions that the viewer may read, newest first.
    pub versions: Vec<VersionTabView>,
    /// Where the data come from; absent while there is none behind the entry.
    pub mounting: Option<MountingView>,
    /// What decides who authorises the use of its interface.
    pub interface: InterfaceTerms,
    /// What the viewer may do: `request`, `mount`, `control_parameters`, `authorise_directly`.
    pub actions: Vec<&'static str>,
}

/// To whom the data belong. Spec: YC-4, YJ-4.2.1.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnerView {
    pub name: String,
    pub clause: ClauseView,
}

/// The binding of an entry to a table.
#[derive(Debug, Serialize, ToSchema)]
pub struct MountingView {
    /// Name of the exchange store.
    pub store_name: String,
    /// Table; shown to the own department and the operator only.
    pub table: Option<String>,
    /// Whether the data have arrived on the platform.
    pub pooled: bool,
    pub rows_total: Option<i64>,
    /// Instant of the last arrival.
    pub last_arrival_at: Option<String>,
}

/// Read an entry. Readers see published versions; the own department and the authority see all.
#[utoipa::path(get, path = "/catalogue/entries/{entry_id}", tag = "catalogue", operation_id = "read_entry",
    params(("entry_id" = String, Path), ReadQuery),
    responses((status = 200, body = EntryView), (status = 404, body = Problem)))]
pub async fn read_entry(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Query(query): Query<ReadQuery>,
) -> Reply<EntryView> {
    let entry = find(&ctx, &entry_id).await?;
    let mut db = ctx.read().await?;
    let reader = reader(&ctx, &mut db, &entry).await?;
    let versions: Vec<Version> = store::versions_of(&mut db, &entry.id)
        .await?
        .into_iter()
        .filter(|v| may_read(reader, v))
        .collect();
    let wanted = query
        .version
        .or(entry.active_no)
        .or_else(|| versions.first().map(|v| v.no));
    let version = versions
        .iter()
        .find(|v| Some(v.no) == wanted)
        .ok_or_else(|| ApiError::not_found("catalogue.version_not_found"))?;
    let department = directory::find_department(&mut db, &entry.department_id)
        .await?
        .ok_or_else(|| ApiError::bug("an entry's department isn't there"))?;
    let own = Subject::Department(&entry.department_id);
    let mounting = match store::mounting_of(&mut db, &entry.id).await? {
        None => None,
        Some(mounting) => {
            let exchange_store = directory::find_store(&mut db, &mounting.store_id).await?;
            Some(MountingView {
                store_name: exchange_store.map(|s| s.name).unwrap_or_default(),
                table: ctx
                    .may(Action::MountEntry, &own)
                    .then(|| mounting.table.clone()),
                pooled: mounting.pooled,
                rows_total: mounting.rows_total,
                last_arrival_at: mounting.last_arrival_at.map(|at| at.to_string()),
            })
        }
    };
    let interface = store::interface_terms(&mut db, &entry.id).await?;
    let pack = ctx.app.pack();
    let is_active = Some(version.no) == entry.active_no;
    let mut actions = Vec::new();
    let may_request = ctx.may(Action::FileRequest, &Subject::Department(ctx.department()));
    let is_offered = is_offered(&pack, &version.content.sharing_class);
    if is_active && may_request && is_offered && entry.department_id != *ctx.department() {
        actions.push("request");
    }
    if entry.active_no.is_some() && ctx.may(Action::MountEntry, &own) {
        actions.push("mount");
    }
    if version.content.modes.iter().any(|mode| mode == "interface") {
        if ctx.may(Action::SubmitCatalogue, &own) {
            actions.push("control_parameters");
        }
        if ctx.may(Action::ReviewCatalogue, &Subject::Platform) {
            actions.push("authorise_directly");
        }
    }
    reply(EntryView {
        entry_id: entry.id.to_string(),
        code: entry.code.to_string(),
        name: version.content.name.clone(),
        version_id: version.id.to_string(),
        version_no: version.no,
        state: (&version.state).into(),
        published_on: published_on(version),
        active: is_active,
        department: department.into(),
        owner: data_owner(&pack).map(|owner| OwnerView {
            name: ctx.language.name_of(owner),
            clause: clause_view(&owner.clause, &pack),
        }),
        content: ContentView::new(&version.content, &pack, ctx.language),
        versions: versions
            .iter()
            .map(|v| VersionTabView {
                version_no: v.no,
                state: (&v.state).into(),
                published_on: published_on(v),
                active: Some(v.no) == entry.active_no,
            })
            .collect(),
        mounting,
        interface,
        actions,
    })
}

/// The entry that a path names.
pub async fn find(ctx: &Ctx, entry_id: &str) -> Result<Entry, ApiError> {
    let not_found = || ApiError::not_found("catalogue.entry_not_found");
    let id = EntryId::parse(entry_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    store::find_entry(&mut db, &id).await?.ok_or_else(not_found)
}

/// Who reads an entry. Spec: PDS-5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// The own department and whoever reviews: all versions.
    Involved,
    /// Everybody else: what was published.
    Other,
}

/// What the viewer is to an entry.
pub(super) async fn reader(ctx: &Ctx, db: &mut Db, entry: &Entry) -> Result<Reader, ApiError> {
    let own = Subject::Department(&entry.department_id);
    if ctx.may(Action::CompileCatalogue, &own) || is_reviewer(ctx, db).await? {
        return Ok(Reader::Involved);
    }
    Ok(Reader::Other)
}

/// Whether a version may be read.
pub(super) fn may_read(reader: Reader, version: &Version) -> bool {
    reader == Reader::Involved
        || match version.state {
            VersionState::Published { .. } | VersionState::Superseded { .. } => true,
            VersionState::Draft
            | VersionState::Submitted { .. }
            | VersionState::Returned { .. } => false,
        }
}
