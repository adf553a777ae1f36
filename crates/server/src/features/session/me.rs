//! Who is signed in, and which menus that person sees. The menus only hide; each operation decides.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, http::HeaderMap};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Actor, Subject, may},
    ids::{DepartmentId, PersonId},
    law::{self, HandedIn},
};
use utoipa::ToSchema;

use super::store::{self, Person};
use crate::{
    app::App,
    features::directory,
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
        session::token_of,
    },
};

/// The signed-in person.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeView {
    pub person_id: String,
    pub name: String,
    pub department: directory::DepartmentView,
    /// Role codes.
    pub posts: Vec<String>,
    /// Role names in Chinese, for the header.
    pub posts_text: String,
    /// Works for a contractor: may run, never approve.
    pub contractor: bool,
    /// Every department that the person may act for; `department` is the one acted for now.
    pub departments: Vec<ActsForView>,
    /// What the menus may offer, by name.
    pub may: BTreeMap<&'static str, bool>,
}

/// A department that the person may act for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActsForView {
    pub department_id: String,
    pub department_name: String,
    /// Role codes of posts held there.
    pub posts: Vec<String>,
    pub posts_text: String,
    /// Posts there for which the person deputises today.
    pub delegated: Vec<DelegatedView>,
    /// Acted for now.
    pub chosen: bool,
}

/// A post for which somebody deputises.
#[derive(Debug, Serialize, ToSchema)]
pub struct DelegatedView {
    /// Role code.
    pub post: String,
    pub post_text: String,
    /// Whose post it is.
    pub by_name: String,
    /// Civil dates, both inclusive.
    pub first_day: String,
    pub last_day: String,
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", operation_id = "read_me",
    responses((status = 200, body = MeView), (status = 401, body = Problem)))]
pub async fn read_me(ctx: Ctx) -> Reply<MeView> {
    let mut db = ctx.read().await?;
    reply(view(&mut db, &ctx.app, &ctx.actor.person, Some(ctx.department())).await?)
}

/// The department to act for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenPostBody {
    pub department_id: String,
}

/// Act for another of the departments in which one holds posts or deputises, from now on in this session.
#[utoipa::path(put, path = "/session/post", tag = "session", operation_id = "choose_post",
    request_body = ChosenPostBody,
    responses((status = 200, body = MeView), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn choose_post(
    ctx: Ctx,
    headers: HeaderMap,
    Json(body): Json<ChosenPostBody>,
) -> Reply<MeView> {
    let token = token_of(&headers).ok_or_else(|| ApiError::forbidden("session.required"))?;
    let no_post = || {
        ApiError::invalid("session.no_post_there").field("department_id", "session.no_post_there")
    };
    let department = DepartmentId::parse(&body.department_id).map_err(|_| no_post())?;
    let mut tx = ctx.begin().await?;
    let person = store::find_person(&mut tx, &ctx.actor.person, Some(&department), ctx.now)
        .await?
        .filter(|p| p.actor.department == department)
        .ok_or_else(no_post)?;
    store::choose_department(&mut tx, &token, &person.actor.department).await?;
    tx.commit(
        ctx.did("session.post_chosen")
            .on("person", &ctx.actor.person)
            .with("department_id", department.as_str()),
    )
    .await?;
    let mut db = ctx.read().await?;
    reply(view(&mut db, &ctx.app, &ctx.actor.person, Some(&department)).await?)
}

/// What the menus ask about.
const MENUS: &[(&str, Action)] = &[
    ("file_request", Action::FileRequest),
    ("state_demand", Action::StateDemand),
    ("read_case", Action::ReadCase),
    ("read_grant", Action::ReadGrant),
    ("read_supervision", Action::ReadSupervision),
    ("compile_catalogue", Action::CompileCatalogue),
    ("review_catalogue", Action::ReviewCatalogue),
    ("read_run", Action::ReadRun),
    ("deliver", Action::Deliver),
    ("manage_directory", Action::ManageDirectory),
    ("assign_posts", Action::AssignPosts),
    ("manage_rules", Action::ManageRules),
    ("read_ledger", Action::ReadLedger),
    ("supervise", Action::Supervise),
];

pub(super) async fn view(
    db: &mut Db,
    app: &App,
    person_id: &PersonId,
    chosen: Option<&DepartmentId>,
) -> Result<MeView, ApiError> {
    let person = store::find_person(db, person_id, chosen, app.clock.now())
        .await?
        .ok_or_else(|| ApiError::bug("a session names a person who isn't there"))?;
    let department = directory::find_department(db, &person.actor.department)
        .await?
        .ok_or_else(|| ApiError::bug("a person's department isn't there"))?;
    let departments = departments(db, &person).await?;
    Ok(MeView {
        departments,
        person_id: person_id.to_string(),
        name: person.name,
        department: department.into(),
        posts: person
            .actor
            .roles
            .iter()
            .map(|r| r.code().to_owned())
            .collect(),
        posts_text: person
            .actor
            .roles
            .iter()
            .map(|r| r.label())
            .collect::<Vec<_>>()
            .join("、"),
        contractor: person.actor.contractor,
        may: menus(db, &person.actor, app).await?,
    })
}

async fn departments(db: &mut Db, person: &Person) -> Result<Vec<ActsForView>, ApiError> {
    let names = directory::department_names(db).await?;
    let people = directory::people_names(db).await?;
    let actor = &person.actor;
    let mut ids: BTreeSet<&DepartmentId> = person.posts.keys().collect();
    ids.extend(actor.delegations.iter().map(|d| &d.department));
    ids.insert(&person.home);
    Ok(ids
        .into_iter()
        .map(|id| {
            let roles = person.posts.get(id).map_or(&[][..], Vec::as_slice);
            ActsForView {
                department_id: id.to_string(),
                department_name: names.get(id.as_str()).cloned().unwrap_or_default(),
                posts: roles.iter().map(|r| r.code().to_owned()).collect(),
                posts_text: roles
                    .iter()
                    .map(|r| r.label())
                    .collect::<Vec<_>>()
                    .join("、"),
                delegated: actor
                    .delegations
                    .iter()
                    .filter(|d| d.department == *id)
                    .map(|d| DelegatedView {
                        post: d.role.code().to_owned(),
                        post_text: d.role.label().to_owned(),
                        by_name: people.get(d.by.as_str()).cloned().unwrap_or_default(),
                        first_day: d.first_day.to_string(),
                        last_day: d.last_day.to_string(),
                    })
                    .collect(),
                chosen: *id == actor.department,
            }
        })
        .collect())
}

/// A menu is shown if its action is open for things of the own department at least.
fn reaches_own(actor: &Actor, action: Action) -> bool {
    may(actor, action, &Subject::Platform).allowed
        || may(actor, action, &Subject::Department(&actor.department)).allowed
        || actor
            .delegations
            .iter()
            .any(|d| may(actor, action, &Subject::Department(&d.department)).allowed)
}

/// What departments hand in and the menu behind which it is received.
const DESKS: &[(&str, HandedIn, law::Action)] = &[
    ("review_catalogue", HandedIn::Catalogue, law::Action::Review),
    ("receive_demands", HandedIn::Demands, law::Action::Review),
    (
        "enter_paper",
        HandedIn::PaperApplications,
        law::Action::File,
    ),
];

async fn menus(
    db: &mut Db,
    actor: &Actor,
    app: &App,
) -> Result<BTreeMap<&'static str, bool>, ApiError> {
    let mut menus: BTreeMap<_, _> = MENUS
        .iter()
        .map(|(name, action)| (*name, reaches_own(actor, *action)))
        .collect();
    let pack = app.pack();
    let division = directory::find_department(db, &actor.department)
        .await?
        .map(|department| department.division_code);
    for (menu, what, action) in DESKS {
        // Where the regulation doesn't say who receives the catalogue, the table of posts does.
        if *what == HandedIn::Catalogue && pack.receiver(*what).is_none() {
            continue;
        }
        let holder = directory::receiver(db, &pack, *what, division.as_deref()).await?;
        let receives = holder.is_some_and(|holder| {
            let step = holder.step(*action, None);
            may(actor, Action::TakeStep, &step).allowed
        });
        menus.insert(menu, receives);
    }
    let sees_all = may(actor, Action::ReadGrant, &Subject::Platform).allowed;
    menus.insert("read_all_grants", sees_all);
    menus.insert("move_clock", app.clock.is_demo());
    Ok(menus)
}
