//! Begin a case.

use std::{collections::BTreeMap, sync::Arc};

use axum::Json;
use jiff::Timestamp;
use serde::Deserialize;
use tongqu_domain::{
    ids::{CaseId, DepartmentId},
    law::{FactValue, Facts, HeldBy, Pack, Process, ProcessId},
};
use utoipa::ToSchema;

use super::{
    act::{settle, tell, tell_holders},
    body::StepBody,
    effects,
    read::{ProceedingView, view},
    subject::{Known, SubjectBody, look_up},
};
use crate::{
    features::{
        attachment,
        case::{self, NewCase},
        directory, request,
    },
    platform::{
        db::Db,
        evidence::Evidence,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// A case to be begun.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBody {
    /// The process of the regulation in force, see `list_processes`.
    pub process_id: String,
    pub subject: SubjectBody,
    /// What it is about, in a line; the subject's name if left out.
    #[serde(default)]
    pub title: Option<String>,
    /// The department whose data or duty it concerns, where the subject doesn't tell.
    #[serde(default)]
    pub provider_department_id: Option<String>,
    /// What the form asks, see the facts of the process.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// Instant at which the event happened that starts the process, for one that an event starts;
    /// now if left out.
    #[serde(default)]
    pub began_at: Option<String>,
    /// The ended case that this one follows.
    #[serde(default)]
    pub previous_case_id: Option<String>,
    /// What goes with the first step, for a process that begins with a step.
    #[serde(default)]
    pub step: StepBody,
}

/// Begin a case of any process but a sharing request, which has an operation of its own.
#[utoipa::path(post, path = "/cases", tag = "case", operation_id = "open_case", request_body = OpenBody,
    responses((status = 200, body = ProceedingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn open_case(ctx: Ctx, Json(body): Json<OpenBody>) -> Reply<ProceedingView> {
    let unknown =
        || ApiError::invalid("case.unknown_process").field("process_id", "case.unknown_process");
    let mut db = ctx.read().await?;
    let known = look_up(&ctx, &mut db, &body.subject).await?;
    let named = provider_named(&mut db, body.provider_department_id.as_deref()).await?;
    let about = named.as_ref().or(known.provider.as_ref());
    let pack = case::pack_for(&ctx.app, &mut db, about, ctx.now).await?;
    let process_id = ProcessId::parse(&body.process_id).map_err(|_| unknown())?;
    let process = pack.process(&process_id).ok_or_else(unknown)?;
    if request::is_sharing_request(process) {
        return Err(
            ApiError::invalid("case.wrong_process").field("process_id", "case.wrong_process")
        );
    }
    let title = title(body.title.as_deref(), &known)?;
    let began_at = began_at(&ctx, process, body.began_at.as_deref())?;
    let provider = named.or(known.provider.clone());
    let (requester, provider) = sides(&ctx, &pack, process, &known, provider);
    let parties = case::parties(&mut db, &pack, requester.as_ref(), provider.as_ref()).await?;
    let level = directory::find_department(&mut db, ctx.department())
        .await?
        .map(|d| d.level)
        .unwrap_or_default();
    let subject = [(known.kind.code(), known.id.as_str())];
    let between = case::Between {
        requester: requester.as_ref(),
        provider: provider.as_ref(),
        subjects: if known.id.is_empty() { &[] } else { &subject },
    };
    let mut known_facts = case::shown_facts(&ctx.app, &mut db, &pack, &between).await?;
    known_facts.extend(known.facts.clone());
    let facts = facts(&pack, &known_facts, &body.facts, &level);
    let previous_case = match body.previous_case_id.as_deref() {
        None => None,
        Some(id) => Some(CaseId::parse(id).map_err(|_| ApiError::not_found("case.not_found"))?),
    };
    let form = attachment::form_given(&mut db, ctx.department(), body.step.form.as_ref()).await?;
    drop(db);

    let mut tx = ctx.begin().await?;
    let new = NewCase {
        pack: Arc::clone(&pack),
        process: process_id,
        parties,
        facts,
        previous_case,
        subject: (known.kind.code(), &known.id),
        title: &title,
        actor: Some(ctx.actor.clone()),
        began_at,
        input: body.step.into_input(&pack, form)?,
    };
    let begun = case::begin(&ctx.app, &mut tx, new).await?;
    let row = case::CaseRow {
        number: begun.number.clone(),
        title: title.clone(),
        subject: (known.kind.code().to_owned(), known.id.clone()),
        case: begun.case.clone(),
        pack: begun.pack.clone(),
        held: false,
    };
    attachment::bind_new(&mut tx, &begun.case, 0).await?;
    let more = settle(&ctx.app, &mut tx, &row, 0).await?;
    tell(&mut tx, &row, 0, "case.opened").await?;
    tell_holders(&mut tx, None, &row).await?;
    let first = case::opened(ctx.did("case.opened"), &begun);
    tx.commit(Evidence::of(first, more)).await?;
    effects::show(&ctx.app, &row, 0).await?;
    reply(view(&ctx, &begun.case.head().id).await?)
}

async fn provider_named(db: &mut Db, id: Option<&str>) -> Result<Option<DepartmentId>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let not_there = || {
        ApiError::invalid("directory.invalid")
            .field("provider_department_id", "directory.department_id")
    };
    let id = DepartmentId::parse(id).map_err(|_| not_there())?;
    directory::find_department(db, &id)
        .await?
        .ok_or_else(not_there)?;
    Ok(Some(id))
}

fn title(given: Option<&str>, known: &Known) -> Result<String, ApiError> {
    let given = given.map(str::trim).filter(|t| !t.is_empty());
    let title = given.unwrap_or(&known.name);
    if title.is_empty() {
        return Err(ApiError::invalid("case.title_missing").field("title", "case.title_missing"));
    }
    if title.chars().count() > TITLE_CHARS_MAX {
        return Err(
            ApiError::invalid("request.text_too_long").field("title", "request.text_too_long")
        );
    }
    Ok(title.to_owned())
}

fn began_at(
    ctx: &Ctx,
    process: &Process,
    given: Option<&str>,
) -> Result<Option<Timestamp>, ApiError> {
    if process.starts_on.is_none() {
        return Ok(None);
    }
    match given {
        None => Ok(Some(ctx.now)),
        Some(text) => text.parse().map(Some).map_err(|_| {
            ApiError::invalid("case.start_invalid").field("began_at", "case.start_invalid")
        }),
    }
}

/// Which department asks and which provides: the subject's, and the own one for the side on which the
/// process begins.
fn sides(
    ctx: &Ctx,
    pack: &Pack,
    process: &Process,
    known: &Known,
    provider: Option<DepartmentId>,
) -> (Option<DepartmentId>, Option<DepartmentId>) {
    let own = ctx.department();
    if known.requester.is_some() {
        return (known.requester.clone(), provider);
    }
    let first = process.steps.first().map(|step| &step.role);
    let beginners: Vec<HeldBy> = match process.starts_on {
        Some(_) => process.opened_by.iter().collect(),
        None => Vec::from_iter(first),
    }
    .into_iter()
    .filter_map(|role| pack.role(role))
    .map(|role| role.held_by)
    .collect();
    let asks = beginners.contains(&HeldBy::Requester);
    let provides = beginners.contains(&HeldBy::Provider);
    match provider {
        // Whoever may begin on either side begins on the provider's side with its own things only.
        Some(provider) if provider == *own && provides => (None, Some(provider)),
        Some(provider) if asks => (Some(own.clone()), Some(provider)),
        None if provides => (asks.then(|| own.clone()), Some(own.clone())),
        None if asks => (Some(own.clone()), None),
        provider => (None, provider),
    }
}

/// What the platform knows and what the form says, as far as the pack asks for it.
fn facts(
    pack: &Pack,
    known: &Facts,
    written: &BTreeMap<String, String>,
    requester_level: &str,
) -> Facts {
    let mut facts = known.clone();
    facts.insert(
        "requester_level".to_owned(),
        FactValue::from(requester_level),
    );
    // What the platform knows goes before what somebody writes; a value that the pack doesn't have
    // (an entry of another class, a level that it doesn't tell apart) says nothing.
    facts.retain(|name, value| {
        pack.facts
            .iter()
            .any(|rule| rule.id == *name && rule.values.contains(value))
    });
    // Which of the ways of exchange it is about is stated too, where the subject has several.
    let mode = written.get_key_value("mode");
    let mode = mode.map(|(name, code)| (name.clone(), FactValue::from(code.as_str())));
    for (name, value) in case::facts_asked(written, pack).into_iter().chain(mode) {
        facts.entry(name).or_insert(value);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::proceeding::subject::SubjectKind;

    #[test]
    fn a_title_is_the_subjects_name_unless_one_is_given() {
        let known = Known {
            kind: SubjectKind::Matter,
            id: String::new(),
            name: String::new(),
            provider: None,
            requester: None,
            facts: Facts::new(),
        };
        assert!(title(None, &known).is_err());
        assert_eq!(title(Some(" 新建系统 "), &known).unwrap(), "新建系统");
        assert!(title(Some(&"长".repeat(201)), &known).is_err());
    }
}
