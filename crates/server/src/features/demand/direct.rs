//! The authority finds out who has what is wanted: it confirms a match, or names the competent department.
//! Spec: YC-12.2, TP-12b.

use axum::{Json, extract::Path};
use serde::Deserialize;
use tongqu_domain::{
    access::Action,
    demand::DemandError,
    ids::{DepartmentId, EntryId},
    law,
};
use utoipa::ToSchema;

use super::{
    read::{held_by, load, pack_of, view},
    state_demand::tell,
    store::{self, Demand},
    views::DemandView,
};
use crate::{
    features::{catalogue, directory},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The entry that has what is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchBody {
    /// One of the proposals, or any other published entry.
    pub entry_id: String,
    /// `revision` of the demand as it was read.
    pub revision: i64,
}

/// The department whose business it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectionBody {
    pub department_id: String,
    /// `revision` of the demand as it was read.
    pub revision: i64,
}

/// A refusal of the demand's own rules as an answer.
pub(super) fn refused(error: DemandError) -> ApiError {
    let code = error.code();
    let refusal = ApiError::new(error.kind(), code).because(error);
    match error.field() {
        Some(field) => refusal.field(field, code),
        None => refusal,
    }
}

/// Confirm that an entry of the catalogue has what is wanted. Its department is asked then.
#[utoipa::path(post, path = "/demands/{demand_id}/match", tag = "demand", operation_id = "confirm_match",
    params(("demand_id" = String, Path)), request_body = MatchBody,
    responses((status = 200, body = DemandView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn confirm_match(
    ctx: Ctx,
    Path(demand_id): Path<String>,
    Json(body): Json<MatchBody>,
) -> Reply<DemandView> {
    let demand = reviewed(&ctx, &demand_id, body.revision).await?;
    let mut db = ctx.read().await?;
    let entry = published(&mut db, &body.entry_id).await?;
    drop(db);
    let after = Demand {
        entry: Some(entry.id.clone()),
        ..asking(demand, entry.department_id)?
    };
    ask(&ctx, &after, "demand.matched").await?;
    reply(view(&ctx, &demand_id).await?)
}

/// Name the competent department. It is asked then.
#[utoipa::path(post, path = "/demands/{demand_id}/direction", tag = "demand", operation_id = "direct_demand",
    params(("demand_id" = String, Path)), request_body = DirectionBody,
    responses((status = 200, body = DemandView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn direct_demand(
    ctx: Ctx,
    Path(demand_id): Path<String>,
    Json(body): Json<DirectionBody>,
) -> Reply<DemandView> {
    let demand = reviewed(&ctx, &demand_id, body.revision).await?;
    let mut db = ctx.read().await?;
    let department = active_department(&ctx, &mut db, &body.department_id, "department_id").await?;
    drop(db);
    let after = Demand {
        entry: None,
        ..asking(demand, department)?
    };
    ask(&ctx, &after, "demand.directed").await?;
    reply(view(&ctx, &demand_id).await?)
}

/// An open demand that the viewer has to look into.
async fn reviewed(ctx: &Ctx, id: &str, revision: i64) -> Result<Demand, ApiError> {
    let mut db = ctx.read().await?;
    let demand = load(ctx, &mut db, id).await?;
    let holder = held_by(&mut db, &demand, &*pack_of(ctx, &demand)?).await?;
    let review = holder.step(law::Action::Review, Some(&demand.stated_by));
    ctx.must(Action::TakeStep, &review)?;
    demand.state.must_be_open().map_err(refused)?;
    if demand.revision != revision {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    Ok(demand)
}

fn asking(demand: Demand, department: DepartmentId) -> Result<Demand, ApiError> {
    if demand.requester == department {
        return Err(refused(DemandError::OwnData));
    }
    Ok(Demand {
        asked: Some(department),
        ..demand
    })
}

/// Saves who is asked and tells both sides.
async fn ask(ctx: &Ctx, demand: &Demand, what: &'static str) -> Result<(), ApiError> {
    let clause = pack_of(ctx, demand)?
        .receiver(law::HandedIn::Demands)
        .map(|rule| rule.clause.to_string());
    let mut tx = ctx.begin().await?;
    store::save(&mut tx, demand).await?;
    if let Some(asked) = &demand.asked {
        tell(&mut tx, demand, asked, "demand.directed").await?;
    }
    tell(&mut tx, demand, &demand.requester, "demand.matched").await?;
    tx.commit(
        ctx.did(what)
            .on("demand", &demand.id)
            .with("number", demand.number.as_str())
            .with("asked", demand.asked.as_ref().map(ToString::to_string))
            .with("entry_id", demand.entry.as_ref().map(ToString::to_string))
            .under(clause),
    )
    .await?;
    Ok(())
}

/// An entry that readers can see.
pub(super) async fn published(db: &mut Db, id: &str) -> Result<catalogue::Entry, ApiError> {
    let not_there =
        || ApiError::invalid("demand.entry_unknown").field("entry_id", "demand.entry_unknown");
    let id = EntryId::parse(id).map_err(|_| not_there())?;
    catalogue::find_entry(db, &id)
        .await?
        .filter(|entry| entry.active_no.is_some())
        .ok_or_else(not_there)
}

/// A department that can be asked by the own one.
pub(super) async fn active_department(
    ctx: &Ctx,
    db: &mut Db,
    id: &str,
    field: &'static str,
) -> Result<DepartmentId, ApiError> {
    let not_there =
        || ApiError::invalid("directory.invalid").field(field, "directory.department_id");
    let id = DepartmentId::parse(id).map_err(|_| not_there())?;
    let department = directory::find_department(db, &id)
        .await?
        .filter(directory::Department::is_active)
        .ok_or_else(not_there)?;
    if field == "asked_department_id" && department.id == *ctx.department() {
        return Err(ApiError::invalid("demand.own_data").field(field, "demand.own_data"));
    }
    Ok(department.id)
}
