//! The list at any of its versions: of one department, or of the county. Spec: YC-13.1.

use std::collections::BTreeMap;

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use tongqu_domain::access::{Action, Subject};
use utoipa::{IntoParams, ToSchema};

use super::store::{self, Listed, Wanted, Which};
use crate::{
    features::directory,
    platform::http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct ResponsibilityQuery {
    /// Of this department; others than the authority see their own only.
    pub department_id: Option<String>,
    /// Version of the list; the one that holds now if left out.
    pub version: Option<i64>,
    /// `missing`: only what hasn't arrived.
    pub show: Option<String>,
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// The list at one version.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponsibilityListView {
    /// The version shown.
    pub version: i64,
    /// The version that holds now.
    pub current_version: i64,
    pub items: Vec<ResponsibilityLineView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A data item and who answers for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponsibilityLineView {
    pub entry_id: String,
    pub entry_name: String,
    pub item_code: String,
    pub item_name: String,
    /// Part of the key.
    pub key: bool,
    /// The department whose entry has it.
    pub department_id: String,
    pub department_name: String,
    /// The one department that has to collect it; absent while several have an item of this name and
    /// nobody has settled that.
    pub responsible_department_id: Option<String>,
    pub responsible_name: Option<String>,
    /// `delivered`, `missing`, or `elsewhere` (another department has to collect it).
    pub state: &'static str,
    /// Instant since which its data are on the platform.
    pub delivered_at: Option<String>,
}

/// Which department's lines the viewer may ask for; empty: all.
pub(super) fn scope<'a>(ctx: &'a Ctx, wanted: Option<&'a str>) -> Result<&'a str, ApiError> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let of_all = ctx.may(Action::ReadSupervision, &Subject::Platform);
    Ok(match wanted {
        Some(id) if of_all => id,
        None if of_all => "",
        Some(_) | None => ctx.department().as_str(),
    })
}

pub(super) fn line(listed: Listed, names: &BTreeMap<String, String>) -> ResponsibilityLineView {
    let is_contested = listed.departments > 1 && !listed.settled;
    let responsible = match &listed.settled_on {
        Some(department) => Some(department.clone()),
        None if is_contested => None,
        None => Some(listed.department_id.clone()),
    };
    let elsewhere = responsible
        .as_ref()
        .is_some_and(|department| *department != listed.department_id);
    let state = match listed.delivered_at {
        _ if elsewhere => "elsewhere",
        Some(_) => "delivered",
        None => "missing",
    };
    let name = |id: &String| names.get(id).cloned().unwrap_or_default();
    ResponsibilityLineView {
        entry_id: listed.entry_id,
        entry_name: listed.entry_name,
        item_code: listed.item.code,
        item_name: listed.item.name,
        key: listed.item.key,
        department_name: name(&listed.department_id),
        department_id: listed.department_id,
        responsible_name: responsible.as_ref().map(name),
        responsible_department_id: responsible,
        state,
        delivered_at: listed.delivered_at.map(|at| at.to_string()),
    }
}

/// Who has to collect which data item, by department and entry.
#[utoipa::path(get, path = "/responsibility-list", tag = "responsibility", operation_id = "read_responsibility_list",
    params(ResponsibilityQuery),
    responses((status = 200, body = ResponsibilityListView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn read_responsibility_list(
    ctx: Ctx,
    Query(query): Query<ResponsibilityQuery>,
) -> Reply<ResponsibilityListView> {
    let department_id = scope(&ctx, query.department_id.as_deref())?;
    let which = match query.show.as_deref() {
        None | Some("") => Which::All,
        Some("missing") => Which::Missing,
        Some(_) => {
            return Err(
                ApiError::invalid("responsibility.show").field("show", "responsibility.show")
            );
        }
    };
    let size = PageQuery {
        cursor: None,
        size: query.size,
    }
    .size();
    let mut db = ctx.read().await?;
    let current = store::current_no(&mut db).await?;
    let no = query.version.unwrap_or(current);
    if !(0..=current).contains(&no) {
        return Err(ApiError::not_found("responsibility.no_such_version"));
    }
    let mut place = query.cursor.as_deref().unwrap_or_default().splitn(3, ' ');
    let mut part = || place.next().unwrap_or_default();
    let wanted = Wanted {
        no,
        department_id,
        which,
        after: (part(), part(), part()),
        limit: size + 1,
    };
    let found = store::lines(&mut db, &wanted).await?;
    let names = directory::department_names(&mut db).await?;
    let page = Page::cut(found, size, |l| {
        format!("{} {} {}", l.department_id, l.entry_id, l.item.code)
    });
    reply(ResponsibilityListView {
        version: no,
        current_version: current,
        items: page.items.into_iter().map(|l| line(l, &names)).collect(),
        next_cursor: page.next_cursor,
    })
}
