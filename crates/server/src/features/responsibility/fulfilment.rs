//! How far the departments have delivered what they have to collect. Spec: YC-13.2.

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    list::scope,
    store::{self, Wanted, Which},
};
use crate::{
    features::directory,
    platform::http::{Ctx, Problem, Reply, reply},
};

/// How many missing items are named for one department; the list shows all of them.
const MISSING_MAX: u32 = 50;

/// Of which department.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct FulfilmentQuery {
    /// Of this department; others than the authority see their own only.
    pub department_id: Option<String>,
}

/// How the departments stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct FulfilmentView {
    /// The version of the list that it is reckoned by.
    pub version: i64,
    /// By rate, the lowest first.
    pub departments: Vec<DepartmentFulfilmentView>,
}

/// How a department stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentFulfilmentView {
    pub department_id: String,
    pub department_name: String,
    /// Items that it has to collect.
    pub items: u32,
    /// Those of them whose data are on the platform.
    pub delivered: u32,
    /// Whole percent, rounded down.
    pub percent: u32,
    /// What is missing; named where one department is asked about, the first of them.
    pub missing: Vec<MissingItemView>,
}

/// An item whose data haven't arrived.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingItemView {
    pub entry_id: String,
    pub entry_name: String,
    pub item_code: String,
    pub item_name: String,
}

/// How far departments have delivered what they have to collect; for one department with what is missing.
#[utoipa::path(get, path = "/responsibility-list/fulfilment", tag = "responsibility", operation_id = "read_fulfilment",
    params(FulfilmentQuery),
    responses((status = 200, body = FulfilmentView), (status = 403, body = Problem)))]
pub async fn read_fulfilment(
    ctx: Ctx,
    Query(query): Query<FulfilmentQuery>,
) -> Reply<FulfilmentView> {
    let department_id = scope(&ctx, query.department_id.as_deref())?;
    let mut db = ctx.read().await?;
    let no = store::current_no(&mut db).await?;
    let names = directory::department_names(&mut db).await?;
    let mut departments = Vec::new();
    for (id, found) in store::fulfilment(&mut db, department_id).await? {
        let missing = if department_id.is_empty() {
            Vec::new()
        } else {
            let wanted = Wanted {
                no,
                department_id,
                which: Which::Missing,
                after: ("", "", ""),
                limit: MISSING_MAX,
            };
            store::lines(&mut db, &wanted).await?
        };
        departments.push(DepartmentFulfilmentView {
            department_name: names.get(&id).cloned().unwrap_or_default(),
            department_id: id,
            items: found.items,
            delivered: found.delivered,
            // A department without items isn't in the list.
            percent: found.percent().unwrap_or(0),
            missing: missing
                .into_iter()
                .map(|line| MissingItemView {
                    entry_id: line.entry_id,
                    entry_name: line.entry_name,
                    item_code: line.item.code,
                    item_name: line.item.name,
                })
                .collect(),
        });
    }
    departments
        .sort_by(|a, b| (a.percent, &a.department_name).cmp(&(b.percent, &b.department_name)));
    reply(FulfilmentView {
        version: no,
        departments,
    })
}
