//! Delegation 委托代办: a holder, or the head of the department, passes posts to a deputy for certain days.
//!
//! What may be passed on is decided in `domain::access::check_delegation`; whether a delegation counts at an
//! act, in `domain::access::may`. Days are those of China.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Delegation, DelegationPlan, Deputy, Role, check_delegation},
    ids::{DepartmentId, PersonId},
    time::{china_date, instant_text},
};
use utoipa::ToSchema;

use super::{departments::Faults, store};
use crate::platform::{
    db::{Db, DbError, Tx},
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
    secrets::random_hex,
};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// A delegation as stored.
#[derive(Debug, Clone)]
pub(super) struct DelegationRow {
    pub id: String,
    pub department: DepartmentId,
    pub from: PersonId,
    pub to: PersonId,
    pub roles: Vec<Role>,
    pub first_day: Date,
    pub last_day: Date,
    pub reason: String,
    pub made_by: PersonId,
    pub revoked_at: Option<Timestamp>,
}

/// The posts that a person deputises for on a day, each still held by whoever passed it on.
pub async fn delegations_in_force(
    db: &mut Db,
    person: &PersonId,
    today: Date,
) -> Result<Vec<Delegation>, DbError> {
    let mut delegations = Vec::new();
    for row in store::delegations_to(db, person, today).await? {
        let held = store::posts_of(db, &row.from).await?;
        let held = held.get(&row.department).map_or(&[][..], Vec::as_slice);
        delegations.extend(
            row.roles
                .iter()
                .filter(|role| held.contains(role))
                .map(|role| Delegation {
                    by: row.from.clone(),
                    department: row.department.clone(),
                    role: *role,
                    first_day: row.first_day,
                    last_day: row.last_day,
                }),
        );
    }
    Ok(delegations)
}

/// Posts to be passed to a deputy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationBody {
    /// Who is to deputise; works in the same department.
    pub to_person: String,
    /// Whose posts they are; oneself if left out. Another's are passed on by the head of the department only.
    #[serde(default)]
    pub from_person: Option<String>,
    /// Role codes that the holder has in the department.
    pub roles: Vec<String>,
    /// The department of the posts; the one acted for if left out.
    #[serde(default)]
    pub department_id: Option<String>,
    /// `YYYY-MM-DD`, from today on.
    pub first_day: String,
    /// `YYYY-MM-DD`, inclusive.
    pub last_day: String,
    pub reason: String,
}

/// A delegation.
#[derive(Debug, Serialize, ToSchema)]
pub struct DelegationView {
    pub id: String,
    pub department_id: String,
    pub department_name: String,
    pub from_person: String,
    pub from_name: String,
    pub to_person: String,
    pub to_name: String,
    /// Role codes.
    pub roles: Vec<String>,
    pub roles_text: String,
    /// Civil dates, both inclusive.
    pub first_day: String,
    pub last_day: String,
    pub reason: String,
    /// Who arranged it: the holder or the head.
    pub made_by_name: String,
    /// `coming`, `in_force`, `ended`, `revoked`.
    pub state: &'static str,
    /// Instant.
    pub revoked_at: Option<String>,
}

/// Pass posts to a deputy for certain days. For their holder, or for the head of the department.
#[utoipa::path(post, path = "/delegations", tag = "directory", operation_id = "create_delegation",
    request_body = DelegationBody,
    responses((status = 200, body = DelegationView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn create_delegation(
    ctx: Ctx,
    Json(body): Json<DelegationBody>,
) -> Reply<DelegationView> {
    let mut tx = ctx.begin().await?;
    let mut faults = Faults::default();
    let department = match &body.department_id {
        Some(id) => match DepartmentId::parse(id) {
            Ok(id) => store::find_department(&mut tx, &id).await?.map(|d| d.id),
            Err(_) => None,
        },
        None => Some(ctx.department().clone()),
    };
    if department.is_none() {
        faults.add("department_id", "directory.department_id");
    }
    let department = department.unwrap_or_else(|| ctx.department().clone());
    let people = store::people(&mut tx).await?;
    let find = |id: &str| people.iter().find(|p| p.id.as_str() == id && p.active);
    let holder_id = body
        .from_person
        .as_deref()
        .unwrap_or(ctx.actor.person.as_str());
    let holder = find(holder_id);
    if holder.is_none() {
        faults.add("from_person", "directory.person_unknown");
    }
    if holder_id != ctx.actor.person.as_str() && !is_head(&people, &ctx, &department) {
        return Err(ApiError::forbidden("delegation.not_yours"));
    }
    let deputy = find(&body.to_person);
    if deputy.is_none() {
        faults.add("to_person", "directory.person_unknown");
    }
    if deputy.is_some_and(|p| p.department_id != department && !p.posts.contains_key(&department)) {
        faults.add("to_person", "delegation.to_another_department");
    }
    let roles: Option<Vec<Role>> = body.roles.iter().map(|code| Role::find(code)).collect();
    if roles.is_none() {
        faults.add("roles", "directory.posts");
    }
    let mut day = |field: &str, text: &str| {
        let day = text.trim().parse::<Date>();
        if day.is_err() {
            faults.add(field, "directory.date");
        }
        day.ok()
    };
    let first_day = day("first_day", &body.first_day);
    let last_day = day("last_day", &body.last_day);
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        faults.add("reason", "delegation.reason");
    }
    let (Some(holder), Some(deputy), Some(roles), Some(first_day), Some(last_day)) =
        (holder, deputy, roles, first_day, last_day)
    else {
        faults.check()?;
        return Err(ApiError::bug("what is missing is a fault"));
    };
    let all_posts: Vec<Role> = deputy.posts.values().flatten().copied().collect();
    let plan = DelegationPlan {
        by: &holder.id,
        held: holder.posts.get(&department).map_or(&[][..], Vec::as_slice),
        roles: &roles,
        deputy: Deputy {
            person: &deputy.id,
            posts: &all_posts,
            contractor: deputy.contractor,
        },
        first_day,
        last_day,
    };
    for fault in check_delegation(&plan, china_date(ctx.now)) {
        faults.add(fault.field(), fault.code());
    }
    faults.check()?;
    let row = DelegationRow {
        id: format!("del-{}", random_hex::<8>()),
        department,
        from: holder.id.clone(),
        to: deputy.id.clone(),
        roles,
        first_day,
        last_day,
        reason: reason.to_owned(),
        made_by: ctx.actor.person.clone(),
        revoked_at: None,
    };
    save(&ctx, tx, row).await
}

async fn save(ctx: &Ctx, mut tx: Tx, row: DelegationRow) -> Reply<DelegationView> {
    store::insert_delegation(&mut tx, &row).await?;
    tx.commit(
        ctx.did("directory.posts_delegated")
            .on("delegation", &row.id)
            .with("from_person", row.from.as_str())
            .with("to_person", row.to.as_str())
            .with("department_id", row.department.as_str())
            .with("roles", codes(&row.roles))
            .with("first_day", row.first_day.to_string())
            .with("last_day", row.last_day.to_string())
            .with("reason", row.reason.clone()),
    )
    .await?;
    let mut db = ctx.read().await?;
    one(views(ctx, &mut db, vec![row]).await?)
}

fn codes(roles: &[Role]) -> String {
    roles.iter().map(|r| r.code()).collect::<Vec<_>>().join(" ")
}

fn one(mut views: Vec<DelegationView>) -> Reply<DelegationView> {
    reply(
        views
            .pop()
            .ok_or_else(|| ApiError::not_found("delegation.not_found"))?,
    )
}

/// Whether the actor is the department's head by a post of their own: a deputy passes nothing on.
fn is_head(people: &[store::PersonRow], ctx: &Ctx, department: &DepartmentId) -> bool {
    people
        .iter()
        .find(|p| p.id == ctx.actor.person)
        .and_then(|p| p.posts.get(department))
        .is_some_and(|roles| roles.contains(&Role::Head))
}

/// Delegations from and to oneself; for heads those of the department's posts.
#[utoipa::path(get, path = "/delegations", tag = "directory", operation_id = "list_delegations",
    responses((status = 200, body = Page<DelegationView>), (status = 401, body = Problem)))]
pub async fn list_delegations(ctx: Ctx) -> Reply<Page<DelegationView>> {
    let mut db = ctx.read().await?;
    let mut rows = store::delegations_of(&mut db, &ctx.actor.person).await?;
    if ctx.actor.roles.contains(&Role::Head) {
        for row in store::delegations_in(&mut db, ctx.department()).await? {
            if rows.iter().all(|known| known.id != row.id) {
                rows.push(row);
            }
        }
    }
    reply(Page {
        items: views(&ctx, &mut db, rows).await?,
        next_cursor: None,
    })
}

/// Take a delegation back, from now on. For the holder, whoever arranged it, the deputy, and the department's head.
#[utoipa::path(delete, path = "/delegations/{delegation_id}", tag = "directory", operation_id = "revoke_delegation",
    params(("delegation_id" = String, Path)),
    responses((status = 200, body = DelegationView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn revoke_delegation(
    ctx: Ctx,
    Path(delegation_id): Path<String>,
) -> Reply<DelegationView> {
    let not_found = || ApiError::not_found("delegation.not_found");
    let mut tx = ctx.begin().await?;
    let row = store::find_delegation(&mut tx, &delegation_id)
        .await?
        .ok_or_else(not_found)?;
    let me = &ctx.actor.person;
    let is_party = [&row.from, &row.to, &row.made_by].contains(&me);
    if !is_party && !is_head(&store::people(&mut tx).await?, &ctx, &row.department) {
        return Err(ApiError::forbidden("delegation.not_yours"));
    }
    if row.last_day < china_date(ctx.now) || !store::revoke(&mut tx, &row.id, ctx.now, me).await? {
        return Err(ApiError::conflict("delegation.over"));
    }
    tx.commit(
        ctx.did("directory.delegation_revoked")
            .on("delegation", &row.id)
            .with("from_person", row.from.as_str())
            .with("to_person", row.to.as_str()),
    )
    .await?;
    let mut db = ctx.read().await?;
    let row = store::find_delegation(&mut db, &row.id)
        .await?
        .ok_or_else(not_found)?;
    one(views(&ctx, &mut db, vec![row]).await?)
}

async fn views(
    ctx: &Ctx,
    db: &mut Db,
    rows: Vec<DelegationRow>,
) -> Result<Vec<DelegationView>, DbError> {
    let people = store::people_names(db).await?;
    let departments = store::department_names(db).await?;
    let find =
        |names: &BTreeMap<String, String>, id: &str| names.get(id).cloned().unwrap_or_default();
    let today = china_date(ctx.now);
    Ok(rows
        .into_iter()
        .map(|row| DelegationView {
            state: if row.revoked_at.is_some() {
                "revoked"
            } else if today < row.first_day {
                "coming"
            } else if today > row.last_day {
                "ended"
            } else {
                "in_force"
            },
            department_name: find(&departments, row.department.as_str()),
            from_name: find(&people, row.from.as_str()),
            to_name: find(&people, row.to.as_str()),
            made_by_name: find(&people, row.made_by.as_str()),
            id: row.id,
            department_id: row.department.to_string(),
            from_person: row.from.to_string(),
            to_person: row.to.to_string(),
            roles: row.roles.iter().map(|r| r.code().to_owned()).collect(),
            roles_text: row
                .roles
                .iter()
                .map(|r| r.label())
                .collect::<Vec<_>>()
                .join("、"),
            first_day: row.first_day.to_string(),
            last_day: row.last_day.to_string(),
            reason: row.reason,
            revoked_at: row.revoked_at.map(instant_text),
        })
        .collect())
}
