//! A department states what it needs; entries of the catalogue that may have it are proposed at once.
//! Spec: YC-12.2, YJ-1.2, TP-11.

use std::collections::BTreeMap;

use axum::Json;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    demand::{DemandContent, DemandState, ResourceLevel, check_demand, resource_key},
    ids::{DepartmentId, EntryId},
    law::HandedIn,
};
use utoipa::ToSchema;

use super::{
    direct::active_department,
    read::{own_level, view},
    store::{self, Demand},
    views::DemandView,
};
use crate::{
    features::{
        case, catalogue,
        directory::{self, Notice},
    },
    platform::{
        db::{Db, Tx},
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// How many entries are proposed.
const PROPOSALS_MAX: usize = 5;
/// How much of a text is looked for in the catalogue, in characters.
const QUESTION_CHARS_MAX: usize = 60;
/// Beginning of the numbers of demands.
const NUMBER_PREFIX: &str = "XQ";

/// What is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandBody {
    /// In a line; 1-200 characters.
    pub title: String,
    /// Content and fields wanted; 1-2000 characters.
    pub wanted: String,
    /// What they are for; 1-2000 characters.
    pub purpose: String,
    /// The duty that makes it necessary; 1-2000 characters.
    pub duty: String,
    /// Whose resource it is: `county`, `city`, `province`, `state`.
    #[schema(value_type = String)]
    pub level: ResourceLevel,
    /// The resource by its name; needed for one above the own area.
    #[serde(default)]
    pub resource: Option<String>,
    /// The department from which it is wanted, if that is known.
    #[serde(default)]
    pub asked_department_id: Option<String>,
}

/// State a demand. It reaches the authority that the regulation names for demands, and the department
/// asked, if one is.
#[utoipa::path(post, path = "/demands", tag = "demand", operation_id = "state_demand", request_body = DemandBody,
    responses((status = 200, body = DemandView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn state_demand(ctx: Ctx, Json(body): Json<DemandBody>) -> Reply<DemandView> {
    ctx.must(Action::StateDemand, &Subject::Department(ctx.department()))?;
    let mut db = ctx.read().await?;
    let pack = case::pack_for(&ctx.app, &mut db, Some(ctx.department()), ctx.now).await?;
    let content = content(&body);
    let faults = check_demand(&content, own_level(&pack));
    if !faults.is_empty() {
        let error = ApiError::invalid("demand.faulty");
        return Err(faults.iter().fold(error, |e, f| e.field(f.field, f.code)));
    }
    let asked = match body.asked_department_id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(active_department(&ctx, &mut db, id, "asked_department_id").await?),
    };
    let division = directory::find_department(&mut db, ctx.department())
        .await?
        .map(|department| department.division_code);
    let receiver = directory::receiver(&mut db, &pack, HandedIn::Demands, division.as_deref())
        .await?
        .ok_or_else(|| ApiError::bug("somebody works for a platform that wasn't set up"))?;
    let proposals = proposals(&ctx, &mut db, &content).await?;
    drop(db);
    let id = format!("dem-{}", random_hex::<8>());
    let mut tx = ctx.begin().await?;
    let demand = Demand {
        id: id.clone(),
        number: case::next_number(&mut tx, NUMBER_PREFIX).await?,
        requester: ctx.department().clone(),
        receiver: receiver.department,
        pack_id: pack.meta.id.to_string(),
        pack_version: pack.version.clone(),
        stated_by: ctx.actor.person.clone(),
        stated_at: ctx.now,
        resource_key: content
            .resource
            .as_deref()
            .map_or(String::new(), resource_key),
        content,
        proposals,
        asked,
        entry: None,
        state: DemandState::Open,
        answer: None,
        answered_at: None,
        application_id: None,
        revision: 1,
    };
    store::insert(&mut tx, &demand).await?;
    tell(&mut tx, &demand, &demand.receiver, "demand.stated").await?;
    if let Some(asked) = &demand.asked {
        tell(&mut tx, &demand, asked, "demand.directed").await?;
    }
    let entries = demand.proposals.iter().map(ToString::to_string);
    tx.commit(
        ctx.did("demand.stated")
            .on("demand", &demand.id)
            .with("number", demand.number.as_str())
            .with("level", demand.content.level.code())
            .with("receiver", demand.receiver.as_str())
            .with("asked", demand.asked.as_ref().map(ToString::to_string))
            .with("proposals", entries.collect::<Vec<_>>())
            .under(receiver.clause.map(|clause| clause.to_string())),
    )
    .await?;
    reply(view(&ctx, &id).await?)
}

fn content(body: &DemandBody) -> DemandContent {
    let resource = body.resource.as_deref().map(str::trim);
    DemandContent {
        title: body.title.trim().to_owned(),
        wanted: body.wanted.trim().to_owned(),
        purpose: body.purpose.trim().to_owned(),
        duty: body.duty.trim().to_owned(),
        level: body.level,
        resource: resource.filter(|name| !name.is_empty()).map(str::to_owned),
    }
}

/// Entries of other departments that may have what is wanted: found by the title, and where that finds
/// nothing, by what is wanted. Spec: YC-12.2.
async fn proposals(
    ctx: &Ctx,
    db: &mut Db,
    content: &DemandContent,
) -> Result<Vec<EntryId>, ApiError> {
    let resource = content.resource.as_deref().unwrap_or_default();
    for text in [content.title.as_str(), resource, content.wanted.as_str()] {
        let question: String = text.chars().take(QUESTION_CHARS_MAX).collect();
        let found: Vec<EntryId> = catalogue::find_matching(&ctx.app, db, &question)
            .await?
            .into_iter()
            .filter(|entry| entry.department_id != *ctx.department())
            .map(|entry| entry.id)
            .take(PROPOSALS_MAX)
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Tells a department about a demand.
pub(super) async fn tell(
    tx: &mut Tx,
    demand: &Demand,
    to: &DepartmentId,
    kind: &'static str,
) -> Result<(), ApiError> {
    let names = directory::department_names(tx).await?;
    let requester = names.get(demand.requester.as_str()).cloned();
    let answer = demand.answer.as_ref().map_or("", |a| a.kind.label());
    let notice = Notice {
        to,
        kind,
        subject: ("demand", &demand.id),
        facts: BTreeMap::from([
            ("number", demand.number.clone()),
            ("name", demand.content.title.clone()),
            ("requester", requester.unwrap_or_default()),
            ("outcome", answer.to_owned()),
        ]),
    };
    directory::notify(tx, &notice).await?;
    Ok(())
}
