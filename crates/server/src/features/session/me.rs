//! Who is signed in, and which menus that person sees. The menus only hide; each operation decides.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::{
    access::{Action, Actor, Subject, may},
    ids::PersonId,
};
use utoipa::ToSchema;

use super::store;
use crate::{
    app::App,
    features::directory,
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
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
    /// What the menus may offer, by name.
    pub may: BTreeMap<&'static str, bool>,
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", operation_id = "read_me",
    responses((status = 200, body = MeView), (status = 401, body = Problem)))]
pub async fn read_me(ctx: Ctx) -> Reply<MeView> {
    let mut db = ctx.read().await?;
    reply(view(&mut db, &ctx.app, &ctx.actor.person).await?)
}

/// What the menus ask about.
const MENUS: &[(&str, Action)] = &[
    ("file_request", Action::FileRequest),
    ("compile_catalogue", Action::CompileCatalogue),
    ("review_catalogue", Action::ReviewCatalogue),
    ("read_run", Action::ReadRun),
    ("deliver", Action::Deliver),
    ("manage_directory", Action::ManageDirectory),
    ("assign_posts", Action::AssignPosts),
    ("read_ledger", Action::ReadLedger),
];

pub(super) async fn view(db: &mut Db, app: &App, person_id: &PersonId) -> Result<MeView, ApiError> {
    let person = store::find_person(db, person_id, app.clock.now())
        .await?
        .ok_or_else(|| ApiError::bug("a session names a person who isn't there"))?;
    let department = directory::find_department(db, &person.actor.department)
        .await?
        .ok_or_else(|| ApiError::bug("a person's department isn't there"))?;
    Ok(MeView {
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
        may: menus(&person.actor, app),
    })
}

/// A menu is shown if its action is open for things of the own department at least.
fn reaches_own(actor: &Actor, action: Action) -> bool {
    may(actor, action, &Subject::Platform).allowed
        || may(actor, action, &Subject::Department(&actor.department)).allowed
}

fn menus(actor: &Actor, app: &App) -> BTreeMap<&'static str, bool> {
    let mut menus: BTreeMap<_, _> = MENUS
        .iter()
        .map(|(name, action)| (*name, reaches_own(actor, *action)))
        .collect();
    menus.insert("move_clock", app.clock.is_demo());
    menus
}
