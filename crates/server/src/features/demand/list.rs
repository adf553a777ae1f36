//! The list of demands, from each side.

use std::collections::BTreeMap;

use axum::extract::Query;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    demand::DemandState,
    time::instant_text,
};
use utoipa::IntoParams;

use super::{
    read::{actions, held_by, line, pack_of},
    store::{self, Side, Wanted},
    views::DemandLineView,
};
use crate::{
    features::directory,
    platform::http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
};

/// Which demands.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct DemandsQuery {
    /// `stated` (by the own department), `asked` (of it), `received` (by it as the authority), `all` that
    /// the viewer may see; the last one if left out.
    pub scope: Option<String>,
    /// `open`, `answered` or `withdrawn`.
    pub state: Option<String>,
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// Demands, the newest first.
#[utoipa::path(get, path = "/demands", tag = "demand", operation_id = "list_demands", params(DemandsQuery),
    responses((status = 200, body = Page<DemandLineView>), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn list_demands(
    ctx: Ctx,
    Query(query): Query<DemandsQuery>,
) -> Reply<Page<DemandLineView>> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let sees_all = ctx.may(Action::ReadCase, &Subject::Platform);
    let side = match query.scope.as_deref() {
        Some("stated") => Side::Requester,
        Some("asked") => Side::Asked,
        Some("received") => Side::Receiver,
        Some("all") | None if sees_all => Side::Everybody,
        Some("all") | None => Side::Any,
        Some(_) => {
            return Err(ApiError::invalid("demand.scope").field("scope", "demand.scope"));
        }
    };
    let state = match query.state.as_deref() {
        None | Some("") => None,
        Some(code) => Some(
            DemandState::find(code)
                .ok_or_else(|| ApiError::invalid("demand.scope").field("state", "demand.scope"))?,
        ),
    };
    let size = PageQuery {
        cursor: None,
        size: query.size,
    }
    .size();
    let mut db = ctx.read().await?;
    let departments = directory::answers_for(&mut db, ctx.department()).await?;
    let wanted = Wanted {
        side,
        departments: &departments,
        state,
        cursor: query.cursor.as_deref(),
    };
    let page = Page::cut(store::list(&mut db, &wanted, size).await?, size, |d| {
        format!("{} {}", instant_text(d.stated_at), d.id)
    });
    let names = directory::department_names(&mut db).await?;
    let mut holders = BTreeMap::new();
    let mut items = Vec::with_capacity(page.items.len());
    for demand in &page.items {
        let pack = pack_of(&ctx, demand)?;
        let key = (demand.receiver.clone(), pack.version.clone());
        if !holders.contains_key(&key) {
            holders.insert(key.clone(), held_by(&mut db, demand, &pack).await?);
        }
        let number = match &demand.application_id {
            Some(id) => store::find_upward(&mut db, id).await?.map(|a| a.number),
            None => None,
        };
        let actions = holders
            .get(&key)
            .map(|holder| actions(&ctx, demand, holder, &pack))
            .unwrap_or_default();
        items.push(line(&ctx, demand, &names, actions, number));
    }
    reply(Page {
        items,
        next_cursor: page.next_cursor,
    })
}
