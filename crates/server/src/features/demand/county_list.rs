//! The county list 应用需求数据清单: the demands that stand, merged into a numbered list that never changes.
//! Spec: YJ-2.1, YC-12.3.

use axum::extract::{Path, Query};
use tongqu_domain::{
    access::{Action, Subject},
    demand::{DemandError, Stated, is_on_list, merge},
    ids::EntryId,
    law::{self, HandedIn},
    time::instant_text,
};

use super::{
    direct::refused,
    read::match_view,
    store::{self, Demand, DemandList, ListLine, Requester},
    views::{DemandListDetailView, DemandListView, line_view, list_view},
};
use crate::{
    features::{
        case,
        directory::{self, ReceivedBy},
    },
    platform::{
        db::{Db, counters},
        http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// The most demands that one list merges; a county has some hundreds.
pub(super) const DEMANDS_MAX: u32 = 10_000;
/// The most users that one application upward lists.
pub(super) const USERS_MAX: u32 = 1_000;

/// The viewer's own department as the authority for demands.
///
/// Errors: `access.*` if it isn't.
pub(super) async fn as_authority(ctx: &Ctx, db: &mut Db) -> Result<ReceivedBy, ApiError> {
    let pack = case::pack_for(&ctx.app, db, Some(ctx.department()), ctx.now).await?;
    let division = directory::find_department(db, ctx.department())
        .await?
        .map(|department| department.division_code);
    let holder = directory::receiver(db, &pack, HandedIn::Demands, division.as_deref())
        .await?
        .ok_or_else(|| ApiError::bug("somebody works for a platform that wasn't set up"))?;
    ctx.must(Action::TakeStep, &holder.step(law::Action::Merge, None))?;
    Ok(holder)
}

/// Merge the demands that stand into the next county list: those that wait for an answer, and those that
/// somebody promised to meet.
#[utoipa::path(post, path = "/demand-lists", tag = "demand", operation_id = "make_demand_list",
    responses((status = 200, body = DemandListDetailView), (status = 403, body = Problem),
        (status = 409, body = Problem)))]
pub async fn make_demand_list(ctx: Ctx) -> Reply<DemandListDetailView> {
    let mut db = ctx.read().await?;
    let holder = as_authority(&ctx, &mut db).await?;
    drop(db);
    let mut tx = ctx.begin().await?;
    // The number goes first: whoever makes a list at the same time waits here and sees what this one saw.
    let counter = format!("demand-list:{}", holder.department);
    let no = counters::next(&mut tx, &counter).await?;
    let demands: Vec<Demand> = store::standing(&mut tx, &holder.department, DEMANDS_MAX)
        .await?
        .into_iter()
        .filter(|d| is_on_list(d.state, d.answer.as_ref().map(|a| a.kind)))
        .collect();
    if demands.is_empty() {
        return Err(refused(DemandError::NothingToMerge));
    }
    let lines = merged(&mut tx, &demands).await?;
    let count = |n: usize| i64::try_from(n).map_err(ApiError::bug);
    let list = DemandList {
        id: format!("dls-{}", random_hex::<8>()),
        receiver: holder.department,
        no,
        demands_count: count(demands.len())?,
        lines_count: count(lines.len())?,
        made_by: ctx.actor.person.to_string(),
        made_at: ctx.now,
        clause: holder.clause.map(|clause| clause.to_string()),
    };
    store::insert_list(&mut tx, &list, &lines).await?;
    tx.commit(
        ctx.did("demand.list_made")
            .on("demand_list", &list.id)
            .with("no", list.no)
            .with("demands", list.demands_count)
            .with("lines", list.lines_count)
            .under(list.clause.clone()),
    )
    .await?;
    reply(detail(&ctx, &list.id, None, PageQuery::default().size()).await?)
}

/// The lines of a list, with the names as they are now: the list keeps them.
async fn merged(db: &mut Db, demands: &[Demand]) -> Result<Vec<ListLine>, ApiError> {
    let names = directory::department_names(db).await?;
    let stated: Vec<Stated<'_>> = demands
        .iter()
        .map(|demand| Stated {
            requester: &demand.requester,
            title: &demand.content.title,
            provider: demand.asked.as_ref(),
            entry: demand.entry.as_ref(),
        })
        .collect();
    let mut lines = Vec::new();
    for group in merge(&stated) {
        let members: Vec<&Demand> = group.iter().filter_map(|at| demands.get(*at)).collect();
        let Some(first) = members.first() else {
            continue;
        };
        let entry = match &first.entry {
            Some(entry) => match_view(db, entry, &names).await?,
            None => None,
        };
        lines.push(ListLine {
            title: first.content.title.clone(),
            wanted: first.content.wanted.clone(),
            level: first.content.level,
            provider_id: first.asked.as_ref().map(ToString::to_string),
            provider_name: first
                .asked
                .as_ref()
                .and_then(|id| names.get(id.as_str()).cloned()),
            entry_id: first.entry.as_ref().map(EntryId::to_string),
            entry_name: entry.map(|entry| entry.name),
            requesters: members
                .iter()
                .map(|demand| Requester {
                    department_id: demand.requester.to_string(),
                    department_name: names
                        .get(demand.requester.as_str())
                        .cloned()
                        .unwrap_or_default(),
                    demand_id: demand.id.clone(),
                    number: demand.number.clone(),
                    purpose: demand.content.purpose.clone(),
                })
                .collect(),
        });
    }
    Ok(lines)
}

/// County lists, the newest first. Whoever states demands may read them: departments supply by them.
/// Spec: YJ-2.2.
#[utoipa::path(get, path = "/demand-lists", tag = "demand", operation_id = "list_demand_lists", params(PageQuery),
    responses((status = 200, body = Page<DemandListView>), (status = 403, body = Problem)))]
pub async fn list_demand_lists(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<DemandListView>> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let mut db = ctx.read().await?;
    let names = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let found = store::lists(&mut db, None, query.cursor.as_deref(), query.size()).await?;
    let page = Page::cut(found, query.size(), |list| {
        format!("{} {}", instant_text(list.made_at), list.id)
    });
    let name = |names: &std::collections::BTreeMap<String, String>, id: &str| {
        names.get(id).cloned().unwrap_or_default()
    };
    reply(Page {
        items: page
            .items
            .iter()
            .map(|list| {
                list_view(
                    list,
                    &ctx.app.pack(),
                    name(&names, list.receiver.as_str()),
                    name(&people, &list.made_by),
                )
            })
            .collect(),
        next_cursor: page.next_cursor,
    })
}

/// A county list with its lines.
#[utoipa::path(get, path = "/demand-lists/{list_id}", tag = "demand", operation_id = "read_demand_list",
    params(("list_id" = String, Path), PageQuery),
    responses((status = 200, body = DemandListDetailView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_demand_list(
    ctx: Ctx,
    Path(list_id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Reply<DemandListDetailView> {
    reply(detail(&ctx, &list_id, query.cursor.as_deref(), query.size()).await?)
}

/// A list that the viewer may read.
pub(super) async fn load_list(ctx: &Ctx, db: &mut Db, id: &str) -> Result<DemandList, ApiError> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    store::find_list(db, id)
        .await?
        .ok_or_else(|| ApiError::not_found("demand.list_not_found"))
}

async fn detail(
    ctx: &Ctx,
    id: &str,
    cursor: Option<&str>,
    size: u32,
) -> Result<DemandListDetailView, ApiError> {
    let mut db = ctx.read().await?;
    let list = load_list(ctx, &mut db, id).await?;
    let after = cursor.and_then(|c| c.parse().ok()).unwrap_or(0);
    let lines = store::lines(&mut db, id, after, size + 1).await?;
    let page = Page::cut(lines, size, |(no, _)| no.to_string());
    let names = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    Ok(DemandListDetailView {
        list: list_view(
            &list,
            &ctx.app.pack(),
            names
                .get(list.receiver.as_str())
                .cloned()
                .unwrap_or_default(),
            people.get(&list.made_by).cloned().unwrap_or_default(),
        ),
        lines: page.items.into_iter().map(line_view).collect(),
        next_cursor: page.next_cursor,
    })
}
