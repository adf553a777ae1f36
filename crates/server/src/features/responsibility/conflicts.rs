//! Items of one name with several departments: shown, and settled by the authority. Spec: YC-13.1.

use std::collections::BTreeMap;

use axum::{Json, extract::Query};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::Action,
    demand::resource_key,
    ids::DepartmentId,
    law::{self, HandedIn},
};
use utoipa::ToSchema;

use super::{
    list::scope,
    store::{self, Contested, NewVersion},
};
use crate::{
    features::directory::{self, ReceivedBy},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
    },
};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 2000;

/// A name that stands with several departments.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponsibilityConflictView {
    /// Name of the item, as it is compared.
    pub name: String,
    /// Where it stands.
    pub places: Vec<ConflictPlaceView>,
    /// Whether the authority has settled it.
    pub settled: bool,
    /// The one department that has to collect it; absent where they were found to be different data.
    pub settled_department_id: Option<String>,
    pub settled_name: Option<String>,
    pub reason: Option<String>,
    /// What the viewer may do: `settle`.
    pub actions: Vec<&'static str>,
}

/// A department and an entry that have an item of the name.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictPlaceView {
    pub department_id: String,
    pub department_name: String,
    pub entry_id: String,
    pub entry_name: String,
    pub item_name: String,
}

/// Who answers for a name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlementBody {
    /// Name of the item.
    pub name: String,
    /// The one department; left out: they are different data, and each answers for its own.
    #[serde(default)]
    pub department_id: Option<String>,
    /// Why; 1-2000 characters.
    pub reason: String,
}

/// Who makes the list: whoever receives the catalogue.
async fn maker(ctx: &Ctx, db: &mut Db) -> Result<ReceivedBy, ApiError> {
    directory::receiver(db, &ctx.app.pack(), HandedIn::Catalogue, None)
        .await?
        .ok_or_else(|| ApiError::bug("somebody works for a platform that wasn't set up"))
}

/// Items whose name stands with several departments.
#[utoipa::path(get, path = "/responsibility-list/conflicts", tag = "responsibility",
    operation_id = "list_responsibility_conflicts", params(PageQuery),
    responses((status = 200, body = Page<ResponsibilityConflictView>), (status = 403, body = Problem)))]
pub async fn list_responsibility_conflicts(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<ResponsibilityConflictView>> {
    let department_id = scope(&ctx, None)?;
    let mut db = ctx.read().await?;
    let maker = maker(&ctx, &mut db).await?;
    let may_settle = ctx.may(Action::TakeStep, &maker.step(law::Action::Determine, None));
    let names = directory::department_names(&mut db).await?;
    let after = query.cursor.as_deref().unwrap_or_default();
    let found = store::contested(&mut db, department_id, "", after, query.size() + 1).await?;
    let mut by_name: BTreeMap<String, Vec<Contested>> = BTreeMap::new();
    for place in found {
        by_name.entry(place.name.clone()).or_default().push(place);
    }
    let items = by_name
        .into_iter()
        .map(|(name, places)| conflict(name, places, &names, may_settle))
        .collect();
    reply(Page::cut(items, query.size(), |conflict| {
        conflict.name.clone()
    }))
}

fn conflict(
    name: String,
    places: Vec<Contested>,
    names: &BTreeMap<String, String>,
    may_settle: bool,
) -> ResponsibilityConflictView {
    let named = |id: &str| names.get(id).cloned().unwrap_or_default();
    let first = places.first();
    let settled_on = first.and_then(|place| place.settled_on.clone());
    ResponsibilityConflictView {
        name,
        settled: first.is_some_and(|place| place.settled),
        settled_name: settled_on.as_deref().map(named),
        settled_department_id: settled_on,
        reason: first.and_then(|place| place.reason.clone()),
        places: places
            .into_iter()
            .map(|place| ConflictPlaceView {
                department_name: named(&place.department_id),
                department_id: place.department_id,
                entry_id: place.entry_id,
                entry_name: place.entry_name,
                item_name: place.item_name,
            })
            .collect(),
        actions: if may_settle {
            vec!["settle"]
        } else {
            Vec::new()
        },
    }
}

/// Settle which one department has to collect an item that stands with several, or that they are different
/// data. The list gets its next version.
#[utoipa::path(post, path = "/responsibility-list/conflicts", tag = "responsibility",
    operation_id = "settle_responsibility", request_body = SettlementBody,
    responses((status = 200, body = ResponsibilityConflictView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn settle_responsibility(
    ctx: Ctx,
    Json(body): Json<SettlementBody>,
) -> Reply<ResponsibilityConflictView> {
    let mut db = ctx.read().await?;
    let maker = maker(&ctx, &mut db).await?;
    drop(db);
    ctx.must(Action::TakeStep, &maker.step(law::Action::Determine, None))?;
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(
            ApiError::invalid("responsibility.reason").field("reason", "responsibility.reason")
        );
    }
    let name = resource_key(&body.name);
    let mut tx = ctx.begin().await?;
    let version = NewVersion {
        kind: "settled",
        entry: None,
        name: &name,
        added: 0,
        removed: 0,
    };
    // The number goes first: from here on no publication changes who has the item.
    let no = store::begin_version(&mut tx, &version).await?;
    let departments = store::departments_with(&mut tx, &name).await?;
    if departments.len() < 2 {
        return Err(ApiError::not_found("responsibility.no_conflict"));
    }
    let department = match body.department_id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(
            DepartmentId::parse(id)
                .ok()
                .filter(|id| departments.iter().any(|one| one == id.as_str()))
                .ok_or_else(|| {
                    ApiError::invalid("responsibility.not_among")
                        .field("department_id", "responsibility.not_among")
                })?,
        ),
    };
    let by = &ctx.actor.person;
    store::settle(&mut tx, &name, no, department.as_ref(), reason, by).await?;
    tx.commit(
        ctx.did("responsibility.settled")
            .on("responsibility", no)
            .with("no", no)
            .with("name", name.clone())
            .with("department_id", department.map(|id| id.to_string()))
            .with("reason", reason)
            .under(maker.clause.map(|clause| clause.to_string())),
    )
    .await?;
    let mut db = ctx.read().await?;
    let names = directory::department_names(&mut db).await?;
    let places = store::contested(&mut db, "", &name, "", 1).await?;
    reply(conflict(name, places, &names, true))
}
