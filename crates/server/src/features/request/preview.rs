//! What filing a request would mean: the promised dates, who decides, and a form filled in as far as
//! the platform can. Shown before anything is submitted. Spec: PDS-10.1, PDS-10.2a, PDS-10.2b.

use axum::extract::Query;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    case::promise,
    ids::{EntryId, RequestId},
    law::{BarredAct, FactValue, Facts, Pack, Process, RoleId, words::FactSource},
    request::PurposeKind,
    time::china_date,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    paper::may_enter,
    read::columns as columns_of,
    rules::{UndertakingView, is_recipient, undertaking_views},
    store::{self, Request},
    views::{ColumnView, TermView, terms_of},
};
use crate::{
    app::App,
    features::{
        case::{self, ClauseView, FactView, FormView, clause_view, fact_views, form_view},
        catalogue::{self, Entry, Version},
        directory::{self, Department},
        forms,
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Language, Problem, Reply, reply},
    },
};

/// Which entry.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PreviewQuery {
    pub entry_id: String,
    /// A request of the own department on this entry whose values the form is filled in with; the newest if left
    /// out.
    pub from: Option<String>,
    /// The department that has applied on paper, for whoever enters it; the own department if left out.
    pub department_id: Option<String>,
}

/// What filing would mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    pub entry_id: String,
    pub version_no: u32,
    /// The day on which the clocks would start, today.
    pub start_on: String,
    /// Ways to get the data that this entry offers and the platform carries.
    pub modes: Vec<ModePreviewView>,
    pub prefill: PrefillView,
    /// What the department promises with a request.
    pub undertakings: Vec<UndertakingView>,
    /// The duties registered for the asking department, to choose from.
    pub own_duties: Vec<String>,
    /// Departments that use it already, and for what.
    pub users: Vec<UserView>,
}

/// One way to get the data.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModePreviewView {
    pub mode: String,
    pub mode_name: String,
    pub process_name: String,
    pub clause: ClauseView,
    pub promises: Vec<PromiseView>,
    /// The form that the first step needs, with its seal, if it needs one.
    pub form: Option<FormView>,
    /// What the form asks beside, for example whether the data are for a development activity.
    pub facts: Vec<FactView>,
}

/// The latest date of one step if every step takes its whole time.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseView {
    pub step_id: String,
    pub name: String,
    pub role_name: String,
    /// Civil date; absent where the law sets none.
    pub due_on: Option<String>,
    pub working_days: Option<u32>,
    /// The year whose holiday notice is missing, if that is why there is no date.
    pub missing_year: Option<i16>,
    pub clause: ClauseView,
}

/// The form, filled in from a request of the department on this entry; without one, as far as its last request
/// on anything tells. Everything is looked at anew against the version that is published now.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrefillView {
    /// Absent where nothing is known, or where it is no longer offered.
    pub mode: Option<String>,
    /// Data items that were asked for and are no longer in the entry.
    pub dropped: Vec<ColumnView>,
    /// Conditions that no longer fit the entry.
    pub dropped_condition: Vec<TermView>,
    pub columns: Vec<String>,
    pub condition: Vec<TermView>,
    #[schema(value_type = String)]
    pub purpose_kind: PurposeKind,
    pub purpose: String,
    pub duty: String,
    pub consumer_system: String,
    pub term_months: Option<u32>,
    /// The request that these values come from, if there is one.
    pub previous_request_id: Option<String>,
}

/// A department that uses an entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    pub department_name: String,
    pub purpose: String,
    /// Civil date of the grant.
    pub since: String,
}

/// Preview a request: promised dates and a filled-in form.
#[utoipa::path(get, path = "/requests/preview", tag = "request", operation_id = "preview_request", params(PreviewQuery),
    responses((status = 200, body = PreviewView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn preview_request(ctx: Ctx, Query(query): Query<PreviewQuery>) -> Reply<PreviewView> {
    let mut db = ctx.read().await?;
    let (entry, version) = published(&mut db, &query.entry_id).await?;
    let asking = match query.department_id.as_deref() {
        None | Some("") => requester(&ctx, &mut db).await?,
        Some(id) => may_enter(&ctx, &mut db, &query.entry_id, id).await?,
    };
    let today = china_date(ctx.now);
    let pack = case::pack_for(&ctx.app, &mut db, Some(&entry.department_id), ctx.now).await?;
    let on = On {
        pack: &pack,
        entry: &entry,
        version: &version,
        requester: &asking,
    };
    let mut modes = Vec::new();
    for mode in &version.content.modes {
        let facts = facts(&ctx.app, &mut db, &on, mode).await?;
        let Some(process) = pack.process_for(topic(mode), &facts) else {
            continue;
        };
        let role_name = |id: &RoleId| {
            let role = pack.role(id);
            role.map(|r| ctx.language.name_of(r)).unwrap_or_default()
        };
        modes.push(ModePreviewView {
            mode: mode.clone(),
            mode_name: mode_name(&ctx, mode),
            process_name: ctx.language.name_of(process),
            clause: clause_view(&process.clause, &pack),
            form: forms::form_step(process).and_then(|step| form_view(step, &pack, ctx.language)),
            facts: fact_views(form_facts(process, &pack), &pack, ctx.language),
            promises: promise(&pack, process, &facts, today, &ctx.app.calendar())
                .into_iter()
                .map(|p| PromiseView {
                    step_id: p.step.to_string(),
                    role_name: role_name(&p.role),
                    name: ctx.language.name_of(&p),
                    due_on: p.due_on.map(|d| d.to_string()),
                    working_days: p.working_days,
                    missing_year: p.missing_year,
                    clause: clause_view(&p.clause, &pack),
                })
                .collect(),
        });
    }
    let departments = directory::department_names(&mut db).await?;
    let users = store::users_of_entry(&mut db, &entry.id)
        .await?
        .into_iter()
        .map(|g| UserView {
            department_name: departments
                .get(g.requester.as_str())
                .cloned()
                .unwrap_or_default(),
            purpose: g.purpose,
            since: g.valid_from.to_string(),
        })
        .collect();
    let from = query.from.as_deref();
    let prefill = prefill(&mut db, &asking, &entry, &version, from).await?;
    reply(PreviewView {
        entry_id: entry.id.to_string(),
        version_no: version.no,
        start_on: today.to_string(),
        modes,
        prefill,
        undertakings: undertaking_views(&pack, ctx.language),
        own_duties: directory::duties_of(&mut db, &asking.id).await?,
        users,
    })
}

/// The facts that the form of a request has to ask for: those of its process, and those on which it
/// depends whether something has to be approved first.
fn form_facts<'a>(process: &'a Process, pack: &'a Pack) -> Vec<&'a str> {
    let mut names: Vec<&str> = process
        .asked_facts()
        .chain(
            pack.approvals
                .iter()
                .filter(|it| it.act == BarredAct::Deliver)
                .flat_map(|it| it.when.facts()),
        )
        .filter(|name| {
            pack.facts
                .iter()
                .any(|rule| rule.id == *name && rule.source == FactSource::Form)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The topic under which packs keep the process for a way of exchange.
pub(super) fn topic(mode: &str) -> &'static str {
    if mode == "interface" {
        "interface_application"
    } else {
        "table_file_subscription"
    }
}

/// Whether a process is the road of a sharing request, which says what is asked for, and for what duty.
#[must_use]
pub fn is_sharing_request(process: &Process) -> bool {
    let roads = ["interface", "table"].map(topic);
    process
        .topics
        .iter()
        .any(|name| roads.contains(&name.as_str()))
}

/// The active version of the entry that the text names.
pub(super) async fn published(db: &mut Db, entry_id: &str) -> Result<(Entry, Version), ApiError> {
    let not_found = || ApiError::not_found("catalogue.entry_not_found");
    let id = EntryId::parse(entry_id).map_err(|_| not_found())?;
    let entry = catalogue::find_entry(db, &id)
        .await?
        .ok_or_else(not_found)?;
    let no = entry.active_no.ok_or_else(not_found)?;
    let version = catalogue::find_version(db, &id, no)
        .await?
        .ok_or_else(|| ApiError::bug("an entry names an active version that isn't there"))?;
    Ok((entry, version))
}

/// The asking department.
pub(super) async fn requester(ctx: &Ctx, db: &mut Db) -> Result<Department, ApiError> {
    directory::find_department(db, ctx.department())
        .await?
        .ok_or_else(|| ApiError::bug("the actor's department isn't there"))
}

/// What somebody asks for, and under which regulation.
pub(super) struct On<'a> {
    pub pack: &'a Pack,
    pub entry: &'a Entry,
    pub version: &'a Version,
    pub requester: &'a Department,
}

/// What is known before the case begins, in the words of the packs. Packs say what each fact means.
/// What is agreed between the two departments is known from the cases in which they did. Spec: LY-12.
pub(super) async fn facts(
    app: &App,
    db: &mut Db,
    on: &On<'_>,
    mode: &str,
) -> Result<Facts, ApiError> {
    let On {
        pack,
        entry,
        version,
        requester,
    } = on;
    let is_designated = is_recipient(&version.content, requester);
    let pooled = catalogue::mounting_of(db, &entry.id)
        .await?
        .is_some_and(|m| m.pooled);
    let between = case::Between {
        requester: Some(&requester.id),
        provider: Some(&entry.department_id),
        subjects: &[("entry", entry.id.as_str())],
    };
    let mut facts = case::shown_facts(app, db, pack, &between).await?;
    facts.extend(catalogue::interface_terms(db, &entry.id).await?.facts());
    facts.extend([
        (
            "class".to_owned(),
            FactValue::from(version.content.sharing_class.as_str()),
        ),
        ("mode".to_owned(), FactValue::from(mode)),
        (
            "requester_level".to_owned(),
            FactValue::from(requester.level.as_str()),
        ),
        ("pooled".to_owned(), FactValue::from(pooled)),
        (
            "base_library".to_owned(),
            FactValue::from(version.content.base_library.is_some()),
        ),
        (
            "designated_recipient".to_owned(),
            FactValue::from(is_designated),
        ),
    ]);
    Ok(facts)
}

pub(super) fn mode_name(ctx: &Ctx, mode: &str) -> String {
    ctx.app
        .pack()
        .exchange_modes()
        .iter()
        .find(|m| m.code == mode)
        .map_or_else(|| mode.to_owned(), |m| ctx.language.name_of(m))
}

/// The request whose values are filled in, if there is one.
///
/// Errors: `request.not_found` for one that isn't the department's own, or on another entry.
async fn source(
    db: &mut Db,
    asking: &Department,
    entry: &Entry,
    from: Option<&str>,
) -> Result<Option<Request>, ApiError> {
    let Some(from) = from.filter(|id| !id.is_empty()) else {
        let own = store::requests_on_entry(db, &asking.id, &entry.id).await?;
        return Ok(own.into_iter().next());
    };
    let not_found = || ApiError::not_found("request.not_found");
    let id = RequestId::parse(from).map_err(|_| not_found())?;
    let own = directory::answers_for(db, &asking.id).await?;
    let request = store::find_request(db, &id).await?.ok_or_else(not_found)?;
    if !own.contains(&request.requester) || request.content.entry_id != entry.id {
        return Err(not_found());
    }
    Ok(Some(request))
}

async fn prefill(
    db: &mut Db,
    asking: &Department,
    entry: &Entry,
    version: &Version,
    from: Option<&str>,
) -> Result<PrefillView, ApiError> {
    let items = &version.content.items;
    let offered = |mode: &String| version.content.modes.contains(mode).then(|| mode.clone());
    let Some(last) = source(db, asking, entry, from).await? else {
        // What a department does and with which system rarely changes from one request to the next.
        let own = std::slice::from_ref(&asking.id);
        let latest = store::requests_of_department(db, own, None, None, 1)
            .await?
            .into_iter()
            .next();
        let key = items.iter().filter(|i| i.key).map(|i| i.code.clone());
        return Ok(PrefillView {
            mode: latest.as_ref().and_then(|it| offered(&it.content.mode)),
            dropped: Vec::new(),
            dropped_condition: Vec::new(),
            columns: key.collect(),
            condition: Vec::new(),
            purpose_kind: PurposeKind::AdminBasis,
            purpose: String::new(),
            duty: latest
                .as_ref()
                .map_or(String::new(), |it| it.content.duty.clone()),
            consumer_system: latest.map_or(String::new(), |it| it.content.consumer_system),
            term_months: None,
            previous_request_id: None,
        });
    };
    let asked = &last.content;
    let (columns, gone): (Vec<String>, Vec<String>) = asked
        .columns
        .iter()
        .cloned()
        .partition(|code| items.iter().any(|item| item.code == *code));
    let faulty: Vec<usize> = asked
        .condition
        .validate(items)
        .iter()
        .map(|fault| fault.term)
        .collect();
    let terms = terms_of(&asked.condition).into_iter().enumerate();
    let (misfit, condition): (Vec<_>, Vec<_>) = terms.partition(|(at, _)| faulty.contains(at));
    let then = catalogue::find_version(db, &asked.entry_id, asked.version_no)
        .await?
        .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
    Ok(PrefillView {
        mode: offered(&asked.mode),
        // Without masks there is nothing to be said in a language.
        dropped: columns_of(&gone, &then, Language::Chinese, |_| None),
        dropped_condition: misfit.into_iter().map(|(_, term)| term).collect(),
        columns,
        condition: condition.into_iter().map(|(_, term)| term).collect(),
        purpose_kind: asked.purpose_kind,
        purpose: asked.purpose.clone(),
        duty: asked.duty.clone(),
        consumer_system: asked.consumer_system.clone(),
        term_months: asked.term_months,
        previous_request_id: Some(last.id.to_string()),
    })
}
