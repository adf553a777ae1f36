//! Which department stands behind a bound role 指定单位 of the regulation: data, not code.
//!
//! Authority, platform unit, operator, collector and the like may be one body or several, and a county's
//! authority serves the departments of its own division only. Where nothing is bound, the platform's
//! department answers, so that no step is without a holder.
//! Spec: PCK-02, PDS-5.1, PDS-13, YJ-2.1, YJ-2.3.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    codes::DivisionCode,
    ids::DepartmentId,
    law::{HeldBy, Pack, PackRole, RoleId},
};
use utoipa::ToSchema;

use super::store;
use crate::platform::{
    db::{Db, DbError},
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
};

/// A role bound to a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub role: RoleId,
    /// The division whose departments it is for; empty: all.
    pub division_code: String,
    pub department: DepartmentId,
}

/// The bound roles of a pack and the department behind each, as they are for a requester of this division.
///
/// Of several bindings the one for the narrowest division counts. A role without one is served by the
/// binding of a role with the same body, then by the platform's department. Empty before set-up.
pub async fn bound_roles(
    db: &mut Db,
    pack: &Pack,
    requester_division: Option<&str>,
) -> Result<BTreeMap<RoleId, DepartmentId>, DbError> {
    let bindings = store::bindings(db).await?;
    let platform = store::platform_department(db).await?;
    Ok(bound(pack)
        .filter_map(|role| {
            let department = holder(pack, role, &bindings, requester_division)
                .map(|(binding, _)| binding.department.clone())
                .or_else(|| platform.clone())?;
            Some((role.id.clone(), department))
        })
        .collect())
}

fn bound(pack: &Pack) -> impl Iterator<Item = &PackRole> {
    pack.roles
        .iter()
        .filter(|role| role.held_by == HeldBy::Bound)
}

/// Why a department stands behind a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Bound,
    SameBody,
}

/// The binding that counts for a role, and whether it is its own.
fn holder<'a>(
    pack: &Pack,
    role: &PackRole,
    bindings: &'a [Binding],
    division: Option<&str>,
) -> Option<(&'a Binding, Source)> {
    let narrowest = |id: &RoleId| {
        bindings
            .iter()
            .filter(|b| b.role == *id && covers(&b.division_code, division))
            .max_by_key(|b| stem(&b.division_code).len())
    };
    if let Some(own) = narrowest(&role.id) {
        return Some((own, Source::Bound));
    }
    let body = role.body.as_ref()?;
    bound(pack)
        .filter(|other| other.id != role.id && other.body.as_ref() == Some(body))
        .find_map(|other| narrowest(&other.id))
        .map(|binding| (binding, Source::SameBody))
}

/// Whether a division lies in the one that a binding is for.
fn covers(bound: &str, division: Option<&str>) -> bool {
    bound.is_empty() || division.is_some_and(|code| code.starts_with(stem(bound)))
}

/// A division code without the levels that it leaves open: `410400` is `4104`.
///
/// GB/T 2260 numbers province, city and county with two digits each, its extension town and village with three.
fn stem(code: &str) -> &str {
    [0, 2, 4, 6, 9]
        .into_iter()
        .find_map(|end| {
            let (head, rest) = code.split_at_checked(end)?;
            rest.bytes().all(|b| b == b'0').then_some(head)
        })
        .unwrap_or(code)
}

/// A bound role of the pack in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    pub id: String,
    pub name: String,
    pub name_en: String,
    /// The body that the regulation names.
    pub body: Option<String>,
    /// The posts in the bound department of which one is needed.
    pub posts: Vec<String>,
    /// The clause that names the role.
    pub clause: String,
    /// The department that holds the role where no division's own binding goes before it.
    pub department_id: Option<String>,
    pub department_name: Option<String>,
    /// Why it is that department: `bound`, `same_body` (a role of the same body is bound), `platform`
    /// (nothing is bound).
    pub because: &'static str,
    pub bindings: Vec<BindingView>,
}

/// A binding.
#[derive(Debug, Serialize, ToSchema)]
pub struct BindingView {
    /// The division whose departments it is for; empty: all.
    pub division_code: String,
    pub department_id: String,
    pub department_name: String,
}

/// The bound roles of the pack in force, and the departments behind them.
#[utoipa::path(get, path = "/law/roles", tag = "directory", operation_id = "list_roles",
    responses((status = 200, body = Page<RoleView>), (status = 401, body = Problem)))]
pub async fn list_roles(ctx: Ctx) -> Reply<Page<RoleView>> {
    let mut db = ctx.read().await?;
    let items = views(&mut db, &ctx.app.pack()).await?;
    reply(Page {
        items,
        next_cursor: None,
    })
}

async fn views(db: &mut Db, pack: &Pack) -> Result<Vec<RoleView>, DbError> {
    let bindings = store::bindings(db).await?;
    let platform = store::platform_department(db).await?;
    let names = store::department_names(db).await?;
    let name = |id: &DepartmentId| names.get(id.as_str()).cloned().unwrap_or_default();
    Ok(bound(pack)
        .map(|role| {
            let (department, because) = match holder(pack, role, &bindings, None) {
                Some((binding, Source::Bound)) => (Some(binding.department.clone()), "bound"),
                Some((binding, Source::SameBody)) => {
                    (Some(binding.department.clone()), "same_body")
                }
                None => (platform.clone(), "platform"),
            };
            RoleView {
                id: role.id.to_string(),
                name: role.name.clone(),
                name_en: role.name_en.clone(),
                body: role.body.clone(),
                posts: role.posts.iter().map(|r| r.code().to_owned()).collect(),
                clause: role.clause.to_string(),
                department_name: department.as_ref().map(name),
                department_id: department.map(|d| d.to_string()),
                because,
                bindings: bindings
                    .iter()
                    .filter(|b| b.role == role.id)
                    .map(|b| BindingView {
                        division_code: b.division_code.clone(),
                        department_id: b.department.to_string(),
                        department_name: name(&b.department),
                    })
                    .collect(),
            }
        })
        .collect())
}

/// A department for a role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingBody {
    /// The department; none takes the binding away.
    #[serde(default)]
    pub department_id: Option<String>,
    /// For the departments of this division only; empty: for all.
    #[serde(default)]
    pub division_code: String,
}

/// Bind a role of the pack in force to a department. For system administrators.
///
/// Open cases keep the departments they began with; new ones take the binding.
#[utoipa::path(put, path = "/law/roles/{role}", tag = "directory", operation_id = "bind_role",
    params(("role" = String, Path)), request_body = BindingBody,
    responses((status = 200, body = RoleView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn bind_role(
    ctx: Ctx,
    Path(role): Path<String>,
    Json(body): Json<BindingBody>,
) -> Reply<RoleView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let not_bound = || ApiError::not_found("directory.role_not_bound");
    let pack = ctx.app.pack();
    let role = bound(&pack)
        .find(|r| r.id.as_str() == role)
        .ok_or_else(not_bound)?;
    let division_code = body.division_code.trim();
    if !division_code.is_empty() && DivisionCode::parse(division_code).is_err() {
        return Err(ApiError::invalid("directory.invalid")
            .field("division_code", "directory.division_code"));
    }
    let mut tx = ctx.begin().await?;
    let entry = ctx
        .did("directory.role_bound")
        .on("role", &role.id)
        .with("pack", pack.meta.id.as_str())
        .with("division_code", division_code);
    let entry = if let Some(id) = body.department_id {
        let unknown = || {
            ApiError::invalid("directory.invalid").field("department_id", "directory.department_id")
        };
        let id = DepartmentId::parse(&id).map_err(|_| unknown())?;
        let department = store::find_department(&mut tx, &id)
            .await?
            .filter(store::Department::is_active)
            .ok_or_else(unknown)?;
        let binding = Binding {
            role: role.id.clone(),
            division_code: division_code.to_owned(),
            department: department.id,
        };
        store::save_binding(&mut tx, &binding).await?;
        entry.with("department_id", binding.department.as_str())
    } else {
        store::delete_binding(&mut tx, &role.id, division_code).await?;
        entry.with("department_id", "")
    };
    tx.commit(entry.under(Some(role.clause.to_string())))
        .await?;
    let mut db = ctx.read().await?;
    let view = views(&mut db, &pack).await?;
    reply(
        view.into_iter()
            .find(|v| v.id == role.id.as_str())
            .ok_or_else(not_bound)?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_division_code_covers_what_lies_in_it() {
        assert_eq!(stem("410000"), "41");
        assert_eq!(stem("410400"), "4104");
        assert_eq!(stem("411000"), "4110");
        assert_eq!(stem("410404"), "410404");
        assert_eq!(stem("410404001000"), "410404001");
        assert_eq!(stem(""), "");
        assert!(covers("410404", Some("410404")));
        assert!(covers("410400", Some("410404")));
        assert!(!covers("410404", Some("410400")));
        assert!(!covers("410404", Some("410403")));
        assert!(!covers("410404", None));
        assert!(covers("", None) && covers("", Some("410403")));
    }
}
