//! Applications upward: all demands for one resource of a higher level, applied for in one go; then what
//! was sent and what was answered is put on record. Spec: PDS-5.6, PDS-18.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query},
};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    demand::{
        Answer, AnswerKind, DemandError, DemandState, TITLE_CHARS_MAX, UpwardState, check_answer,
    },
    ids::DepartmentId,
    law,
    time::instant_text,
};
use utoipa::ToSchema;

use super::{
    county_list::USERS_MAX,
    direct::refused,
    read::{held_by, load, own_level, pack_of},
    state_demand::tell,
    store::{self, Demand, Upward},
    views::{DemandRequesterView, UpwardLineView, UpwardView, upward_line},
};
use crate::{
    features::{
        case,
        directory::{self, ReceivedBy},
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// Beginning of the numbers of applications upward.
const NUMBER_PREFIX: &str = "SB";

/// The resource, named by one of the demands for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeUpwardBody {
    /// One of the demands; all others for the same resource go with it.
    pub demand_id: String,
}

/// The letter upward.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendingBody {
    /// Its number; 1-200 characters.
    pub reference: String,
    /// `revision` of the application as it was read.
    pub revision: i64,
}

/// The answer from above.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerFromAboveBody {
    /// Number of the letter from above; 1-200 characters.
    pub reference: String,
    /// `will_provide` or `cannot`.
    #[schema(value_type = String)]
    pub kind: AnswerKind,
    /// The reason of a refusal, or what else is said. At most 2000 characters.
    #[serde(default)]
    pub text: String,
    /// `revision` of the application as it was read.
    pub revision: i64,
}

/// Merge all open demands for one resource of a higher level into one application upward.
#[utoipa::path(post, path = "/upward-applications", tag = "demand", operation_id = "merge_upward",
    request_body = MergeUpwardBody,
    responses((status = 200, body = UpwardView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn merge_upward(ctx: Ctx, Json(body): Json<MergeUpwardBody>) -> Reply<UpwardView> {
    let mut db = ctx.read().await?;
    let demand = load(&ctx, &mut db, &body.demand_id).await?;
    let pack = pack_of(&ctx, &demand)?;
    let holder = held_by(&mut db, &demand, &pack).await?;
    drop(db);
    ctx.must(Action::TakeStep, &holder.step(law::Action::Merge, None))?;
    demand.state.must_be_open().map_err(refused)?;
    if demand.application_id.is_some() {
        return Err(refused(DemandError::InApplication));
    }
    let level = demand.content.level;
    let Some(resource) = demand
        .content
        .resource
        .clone()
        .filter(|_| level.is_above(own_level(&pack)))
    else {
        return Err(refused(DemandError::NotAbove));
    };
    let mut tx = ctx.begin().await?;
    let upward = Upward {
        id: format!("upw-{}", random_hex::<8>()),
        number: case::next_number(&mut tx, NUMBER_PREFIX).await?,
        applicant: demand.receiver.clone(),
        level,
        resource,
        state: UpwardState::Merged,
        merged_by: ctx.actor.person.clone(),
        merged_at: ctx.now,
        sent_at: None,
        sent_reference: None,
        answered_at: None,
        answer_reference: None,
        answer: None,
        clause: holder.clause.map(|clause| clause.to_string()),
        revision: 1,
    };
    store::insert_upward(&mut tx, &upward).await?;
    let key = &demand.resource_key;
    let merged = store::for_resource(&mut tx, &demand.receiver, level, key, USERS_MAX).await?;
    let mut numbers = Vec::with_capacity(merged.len());
    for one in merged {
        let after = Demand {
            application_id: Some(upward.id.clone()),
            ..one
        };
        store::save(&mut tx, &after).await?;
        tell(&mut tx, &after, &after.requester, "demand.merged_upward").await?;
        numbers.push(after.number);
    }
    tx.commit(
        ctx.did("demand.merged_upward")
            .on("upward_application", &upward.id)
            .with("number", upward.number.as_str())
            .with("level", level.code())
            .with("demands", numbers)
            .under(upward.clause.clone()),
    )
    .await?;
    reply(view(&ctx, &upward.id).await?)
}

/// Put on record that an application was sent upward.
#[utoipa::path(post, path = "/upward-applications/{application_id}/sending", tag = "demand",
    operation_id = "send_upward", params(("application_id" = String, Path)), request_body = SendingBody,
    responses((status = 200, body = UpwardView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn send_upward(
    ctx: Ctx,
    Path(application_id): Path<String>,
    Json(body): Json<SendingBody>,
) -> Reply<UpwardView> {
    let before = applied(&ctx, &application_id, body.revision).await?;
    let after = Upward {
        state: before.state.send().map_err(refused)?,
        sent_at: Some(ctx.now),
        sent_reference: Some(reference(&body.reference)?),
        ..before
    };
    let mut tx = ctx.begin().await?;
    store::save_upward(&mut tx, &after).await?;
    for demand in store::of_application(&mut tx, &after.id).await? {
        tell(&mut tx, &demand, &demand.requester, "demand.sent_upward").await?;
    }
    tx.commit(
        ctx.did("demand.sent_upward")
            .on("upward_application", &after.id)
            .with("number", after.number.as_str())
            .with("reference", after.sent_reference.clone())
            .under(after.clause.clone()),
    )
    .await?;
    reply(view(&ctx, &application_id).await?)
}

/// Put the answer from above on record. Every demand that went into the application is answered by it.
#[utoipa::path(post, path = "/upward-applications/{application_id}/answer", tag = "demand",
    operation_id = "record_answer_from_above", params(("application_id" = String, Path)),
    request_body = AnswerFromAboveBody,
    responses((status = 200, body = UpwardView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn record_answer_from_above(
    ctx: Ctx,
    Path(application_id): Path<String>,
    Json(body): Json<AnswerFromAboveBody>,
) -> Reply<UpwardView> {
    let before = applied(&ctx, &application_id, body.revision).await?;
    let answer = check_answer(Answer {
        kind: body.kind,
        text: body.text,
        entry: None,
        department: None,
    })
    .map_err(refused)?;
    let after = Upward {
        state: before.state.answer().map_err(refused)?,
        answered_at: Some(ctx.now),
        answer_reference: Some(reference(&body.reference)?),
        answer: Some(answer.clone()),
        ..before
    };
    let mut tx = ctx.begin().await?;
    store::save_upward(&mut tx, &after).await?;
    for demand in store::of_application(&mut tx, &after.id).await? {
        // Whoever was answered meanwhile keeps that answer.
        if demand.state != DemandState::Open {
            continue;
        }
        let demand = Demand {
            state: DemandState::Answered,
            answer: Some(answer.clone()),
            answered_at: Some(ctx.now),
            ..demand
        };
        store::save(&mut tx, &demand).await?;
        tell(&mut tx, &demand, &demand.requester, "demand.answered").await?;
    }
    tx.commit(
        ctx.did("demand.answered_from_above")
            .on("upward_application", &after.id)
            .with("number", after.number.as_str())
            .with("reference", after.answer_reference.clone())
            .with("answer", answer.kind.code())
            .with("text", answer.text)
            .under(after.clause.clone()),
    )
    .await?;
    reply(view(&ctx, &application_id).await?)
}

fn reference(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TITLE_CHARS_MAX {
        return Err(refused(DemandError::ReferenceMissing));
    }
    Ok(text.to_owned())
}

/// The applicant with the posts that the rules in force ask for.
async fn applicant(ctx: &Ctx, db: &mut Db, upward: &Upward) -> Result<ReceivedBy, ApiError> {
    let pack = case::pack_for(&ctx.app, db, Some(&upward.applicant), ctx.now).await?;
    let rule = directory::receiver(db, &pack, law::HandedIn::Demands, None).await?;
    let rule = rule.ok_or_else(|| ApiError::bug("there is an application before set-up"))?;
    Ok(ReceivedBy {
        department: upward.applicant.clone(),
        ..rule
    })
}

/// An application that the viewer may go on with.
async fn applied(ctx: &Ctx, id: &str, revision: i64) -> Result<Upward, ApiError> {
    let mut db = ctx.read().await?;
    let (upward, _) = load_upward(ctx, &mut db, id).await?;
    let holder = applicant(ctx, &mut db, &upward).await?;
    ctx.must(Action::TakeStep, &holder.step(law::Action::Merge, None))?;
    if upward.revision != revision {
        return Err(ApiError::conflict("platform.changed_meanwhile"));
    }
    Ok(upward)
}

/// An application that the viewer may see, with its demands.
async fn load_upward(ctx: &Ctx, db: &mut Db, id: &str) -> Result<(Upward, Vec<Demand>), ApiError> {
    let not_found = || ApiError::not_found("demand.application_not_found");
    let upward = store::find_upward(db, id).await?.ok_or_else(not_found)?;
    let demands = store::of_application(db, id).await?;
    let mut parties: Vec<&DepartmentId> = vec![&upward.applicant];
    parties.extend(demands.iter().map(|demand| &demand.requester));
    if !ctx.may(Action::ReadCase, &Subject::Parties(&parties)) {
        return Err(not_found());
    }
    Ok((upward, demands))
}

/// Applications upward, the newest first: of those that a department takes part in, or all.
#[utoipa::path(get, path = "/upward-applications", tag = "demand", operation_id = "list_upward_applications",
    params(PageQuery),
    responses((status = 200, body = Page<UpwardLineView>), (status = 403, body = Problem)))]
pub async fn list_upward_applications(
    ctx: Ctx,
    Query(query): Query<PageQuery>,
) -> Reply<Page<UpwardLineView>> {
    ctx.must(Action::ReadCase, &Subject::Parties(&[ctx.department()]))?;
    let sees_all = ctx.may(Action::ReadCase, &Subject::Platform);
    let of = (!sees_all).then(|| ctx.department());
    let mut db = ctx.read().await?;
    let found = store::upwards(&mut db, of, query.cursor.as_deref(), query.size()).await?;
    let page = Page::cut(found, query.size(), |upward| {
        format!("{} {}", instant_text(upward.merged_at), upward.id)
    });
    reply(Page {
        items: page
            .items
            .iter()
            .map(|upward| upward_line(upward, &ctx.app.pack()))
            .collect(),
        next_cursor: page.next_cursor,
    })
}

/// An application upward with its users.
#[utoipa::path(get, path = "/upward-applications/{application_id}", tag = "demand",
    operation_id = "read_upward_application", params(("application_id" = String, Path)),
    responses((status = 200, body = UpwardView), (status = 404, body = Problem)))]
pub async fn read_upward_application(
    ctx: Ctx,
    Path(application_id): Path<String>,
) -> Reply<UpwardView> {
    reply(view(&ctx, &application_id).await?)
}

async fn view(ctx: &Ctx, id: &str) -> Result<UpwardView, ApiError> {
    let mut db = ctx.read().await?;
    let (upward, demands) = load_upward(ctx, &mut db, id).await?;
    let holder = applicant(ctx, &mut db, &upward).await?;
    let names: BTreeMap<String, String> = directory::department_names(&mut db).await?;
    let name = |id: &DepartmentId| names.get(id.as_str()).cloned().unwrap_or_default();
    let may = ctx.may(Action::TakeStep, &holder.step(law::Action::Merge, None));
    let actions = match upward.state {
        UpwardState::Merged if may => vec!["send"],
        UpwardState::Sent if may => vec!["record_answer"],
        UpwardState::Merged | UpwardState::Sent | UpwardState::Answered => Vec::new(),
    };
    Ok(UpwardView {
        applicant_department_id: upward.applicant.to_string(),
        applicant_name: name(&upward.applicant),
        users: demands
            .iter()
            .map(|demand| DemandRequesterView {
                department_id: demand.requester.to_string(),
                department_name: name(&demand.requester),
                demand_id: demand.id.clone(),
                number: demand.number.clone(),
                purpose: demand.content.purpose.clone(),
            })
            .collect(),
        revision: upward.revision,
        actions,
        application: upward_line(&upward, &ctx.app.pack()),
    })
}
