//! One demand in full, and what the viewer may do with it.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::Path;
use tongqu_domain::{
    access::{Action, Subject},
    demand::{DemandState, ResourceLevel},
    ids::{DepartmentId, EntryId},
    law::{self, HandedIn, Pack},
    time::china_date,
};

use super::{
    store::{self, Demand},
    views::{DemandAnswerView, DemandLineView, DemandMatchView, DemandView, upward_line},
};
use crate::{
    features::{
        case::clause_view,
        catalogue,
        directory::{self, ReceivedBy},
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// Read a demand: for whoever states it, is asked for it or received it, and for those who see all.
#[utoipa::path(get, path = "/demands/{demand_id}", tag = "demand", operation_id = "read_demand",
    params(("demand_id" = String, Path)),
    responses((status = 200, body = DemandView), (status = 404, body = Problem)))]
pub async fn read_demand(ctx: Ctx, Path(demand_id): Path<String>) -> Reply<DemandView> {
    reply(view(&ctx, &demand_id).await?)
}

/// A demand that the viewer may see.
///
/// Errors: `demand.not_found`, for those of others as well.
pub(super) async fn load(ctx: &Ctx, db: &mut Db, id: &str) -> Result<Demand, ApiError> {
    store::find(db, id)
        .await?
        .filter(|demand| may_read(ctx, demand))
        .ok_or_else(|| ApiError::not_found("demand.not_found"))
}

fn may_read(ctx: &Ctx, demand: &Demand) -> bool {
    let mut parties: Vec<&DepartmentId> = vec![&demand.requester, &demand.receiver];
    parties.extend(&demand.asked);
    ctx.may(Action::ReadCase, &Subject::Parties(&parties))
}

/// The rules that a demand was stated under.
pub(super) fn pack_of(ctx: &Ctx, demand: &Demand) -> Result<Arc<Pack>, ApiError> {
    ctx.app
        .packs
        .of_case(&demand.pack_id, &demand.pack_version)
        .ok_or_else(|| ApiError::bug(format!("rule pack {} isn't loaded", demand.pack_id)))
}

/// Who has a demand on the desk: the department that received it, with the posts that its rules ask for.
pub(super) async fn held_by(
    db: &mut Db,
    demand: &Demand,
    pack: &Pack,
) -> Result<ReceivedBy, ApiError> {
    let rule = directory::receiver(db, pack, HandedIn::Demands, None).await?;
    let rule = rule.ok_or_else(|| ApiError::bug("there is a demand before set-up"))?;
    Ok(ReceivedBy {
        department: demand.receiver.clone(),
        ..rule
    })
}

/// The level of the area that a platform is for.
pub(super) fn own_level(pack: &Pack) -> ResourceLevel {
    ResourceLevel::find(&pack.meta.jurisdiction.level).unwrap_or(ResourceLevel::County)
}

/// What the viewer may do with a demand.
pub(super) fn actions(
    ctx: &Ctx,
    demand: &Demand,
    holder: &ReceivedBy,
    pack: &Pack,
) -> Vec<&'static str> {
    if demand.state != DemandState::Open {
        return Vec::new();
    }
    let mut actions = Vec::new();
    let review = holder.step(law::Action::Review, Some(&demand.stated_by));
    if ctx.may(Action::TakeStep, &review) {
        actions.extend(["confirm_match", "direct"]);
    }
    let answers = |asked| ctx.may(Action::AnswerDemand, &Subject::Department(asked));
    if demand.asked.as_ref().is_some_and(answers) {
        actions.push("answer");
    }
    let own = Subject::Department(&demand.requester);
    if demand.application_id.is_none() && ctx.may(Action::StateDemand, &own) {
        actions.push("withdraw");
    }
    let merge = holder.step(law::Action::Merge, None);
    if demand.application_id.is_none()
        && demand.content.level.is_above(own_level(pack))
        && ctx.may(Action::TakeStep, &merge)
    {
        actions.push("merge_upward");
    }
    actions
}

/// What lists and the page have in common.
pub(super) fn line(
    ctx: &Ctx,
    demand: &Demand,
    names: &BTreeMap<String, String>,
    actions: Vec<&'static str>,
    application_number: Option<String>,
) -> DemandLineView {
    let name = |id: &DepartmentId| names.get(id.as_str()).cloned().unwrap_or_default();
    let age = china_date(ctx.now) - china_date(demand.stated_at);
    DemandLineView {
        demand_id: demand.id.clone(),
        number: demand.number.clone(),
        title: demand.content.title.clone(),
        level: demand.content.level,
        resource: demand.content.resource.clone(),
        requester_name: name(&demand.requester),
        requester_department_id: demand.requester.to_string(),
        asked_name: demand.asked.as_ref().map(name),
        asked_department_id: demand.asked.as_ref().map(ToString::to_string),
        state: demand.state,
        answer_kind: demand.answer.as_ref().map(|a| a.kind),
        stated_at: demand.stated_at.to_string(),
        // Spec: TP-5.2.
        age_days: (demand.state == DemandState::Open).then(|| age.get_days()),
        proposals_count: demand.proposals.len(),
        application_number,
        actions,
    }
}

/// An entry as a match; `None` if it is gone.
pub(super) async fn match_view(
    db: &mut Db,
    id: &EntryId,
    names: &BTreeMap<String, String>,
) -> Result<Option<DemandMatchView>, ApiError> {
    let entry = catalogue::find_entry(db, id).await?;
    Ok(entry.map(|entry| DemandMatchView {
        entry_id: entry.id.to_string(),
        name: entry.name,
        department_name: names
            .get(entry.department_id.as_str())
            .cloned()
            .unwrap_or_default(),
        department_id: entry.department_id.to_string(),
    }))
}

pub(super) async fn view(ctx: &Ctx, id: &str) -> Result<DemandView, ApiError> {
    let mut db = ctx.read().await?;
    let demand = load(ctx, &mut db, id).await?;
    let pack = pack_of(ctx, &demand)?;
    let holder = held_by(&mut db, &demand, &pack).await?;
    let names = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let mut proposals = Vec::new();
    for entry in &demand.proposals {
        proposals.extend(match_view(&mut db, entry, &names).await?);
    }
    let confirmed = match &demand.entry {
        Some(entry) => match_view(&mut db, entry, &names).await?,
        None => None,
    };
    let application = match &demand.application_id {
        Some(id) => store::find_upward(&mut db, id).await?,
        None => None,
    };
    let answer = match (&demand.answer, demand.answered_at) {
        (Some(answer), Some(at)) => Some(DemandAnswerView {
            kind: answer.kind,
            text: answer.text.clone(),
            entry: match &answer.entry {
                Some(entry) => match_view(&mut db, entry, &names).await?,
                None => None,
            },
            department_name: answer
                .department
                .as_ref()
                .and_then(|id| names.get(id.as_str()).cloned()),
            at: at.to_string(),
        }),
        (None, _) | (_, None) => None,
    };
    let actions = actions(ctx, &demand, &holder, &pack);
    let number = application.as_ref().map(|a| a.number.clone());
    Ok(DemandView {
        wanted: demand.content.wanted.clone(),
        purpose: demand.content.purpose.clone(),
        duty: demand.content.duty.clone(),
        stated_by_name: people
            .get(demand.stated_by.as_str())
            .cloned()
            .unwrap_or_default(),
        receiver_department_id: demand.receiver.to_string(),
        receiver_name: names
            .get(demand.receiver.as_str())
            .cloned()
            .unwrap_or_default(),
        clause: holder.clause.as_ref().map(|c| clause_view(c, &pack)),
        proposals,
        confirmed,
        answer,
        application: application.map(|a| upward_line(&a, &pack)),
        revision: demand.revision,
        line: line(ctx, &demand, &names, actions, number),
    })
}
