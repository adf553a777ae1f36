//! List and enter people, and give them posts, in one department or in several.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Role, Subject, check_posts},
    ids::{DepartmentId, PersonId},
};
use utoipa::ToSchema;

use super::{contacts::PHONE_CHARS_MAX, departments::NAME_CHARS_MAX, store};
use crate::platform::{
    db::{Db, DbError},
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
    secrets::{Secret, hash_password, random_hex},
};

/// A person to be entered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonBody {
    /// Login name: 2-40 characters of `a-z`, `0-9`, `.`, `_`, `-`.
    pub login_name: String,
    pub name: String,
    #[serde(default)]
    pub phone: String,
    pub department_id: String,
    /// Role codes; usually none, see `assign_posts`. The three administrators 三员 can't be combined with anything.
    #[serde(default)]
    pub posts: Vec<String>,
    /// Works for a contractor: may run, never approve.
    #[serde(default)]
    pub contractor: bool,
    /// For contractors: the department that watches over them.
    #[serde(default)]
    pub supervising_department_id: Option<String>,
    /// For contractors: the company that employs them.
    #[serde(default)]
    pub contract_company: String,
    /// Left out, the person sets it by a one-time link, see `invite_person`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<Secret>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    pub id: String,
    pub login_name: String,
    pub name: String,
    pub department_id: String,
    pub department_name: String,
    /// Posts in the person's own department.
    pub posts: Vec<String>,
    pub posts_text: String,
    /// Posts in other departments.
    pub posts_elsewhere: Vec<PostsView>,
    pub contractor: bool,
    /// For contractors: the department that watches over them. Spec: YC-30.
    pub supervising_department_id: Option<String>,
    /// For contractors: the company that employs them.
    pub contract_company: String,
    pub active: bool,
    /// Has been invited and hasn't set a password yet.
    pub invited: bool,
}

/// Posts in a department.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostsView {
    pub department_id: String,
    pub department_name: String,
    /// Role codes.
    pub posts: Vec<String>,
    pub posts_text: String,
}

impl PostsView {
    pub(super) fn of(id: &DepartmentId, name: String, roles: &[Role]) -> Self {
        Self {
            department_id: id.to_string(),
            department_name: name,
            posts: roles.iter().map(|r| r.code().to_owned()).collect(),
            posts_text: labels(roles),
        }
    }
}

fn labels(roles: &[Role]) -> String {
    roles
        .iter()
        .map(|r| r.label())
        .collect::<Vec<_>>()
        .join("、")
}

/// A checked person, ready to be stored.
pub(super) struct NewPerson {
    pub id: PersonId,
    pub login_name: String,
    pub name: String,
    pub phone: String,
    pub department_id: DepartmentId,
    pub posts: Vec<Role>,
    /// `None` for the bodies' own staff.
    pub contract: Option<Contract>,
    /// Empty until the person sets a password.
    pub password_hash: String,
}

/// Under whose eyes, and for whom, a contractor's person works. Spec: YC-30.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contract {
    pub supervising_department_id: DepartmentId,
    pub company: String,
}

/// Checks a login name.
pub(super) fn login_name_fits(name: &str) -> bool {
    (2..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

pub(super) fn new_id() -> PersonId {
    PersonId::parse(&format!("per-{}", random_hex::<6>())).expect("hex fits an identifier")
}

/// Checks a person's texts and posts and hashes the password; every fault is named at once.
pub(super) async fn parse(
    body: PersonBody,
    password_chars_min: usize,
) -> Result<NewPerson, ApiError> {
    let mut error = Some(ApiError::invalid("directory.invalid").arg("chars", password_chars_min));
    let mut faults = 0;
    let mut fault = |field: &str, code: &str| {
        error = error.take().map(|e| e.field(field, code));
        faults += 1;
    };
    if !login_name_fits(&body.login_name) {
        fault("login_name", "directory.login_name");
    }
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        fault("name", "directory.name");
    }
    if body.phone.trim().chars().count() > PHONE_CHARS_MAX {
        fault("phone", "directory.phone");
    }
    let department_id = DepartmentId::parse(&body.department_id);
    if department_id.is_err() {
        fault("department_id", "directory.department_id");
    }
    let posts = parse_posts(&body.posts);
    if let Err(code) = posts {
        fault("posts", code);
    }
    let company = body.contract_company.trim().to_owned();
    let supervising = body
        .supervising_department_id
        .as_deref()
        .and_then(|id| DepartmentId::parse(id).ok());
    if body.contractor && supervising.is_none() {
        fault(
            "supervising_department_id",
            "directory.supervising_department",
        );
    }
    if body.contractor && (company.is_empty() || company.chars().count() > NAME_CHARS_MAX) {
        fault("contract_company", "directory.contract_company");
    }
    let is_short = |p: &Secret| p.reveal().chars().count() < password_chars_min;
    if body.password.as_ref().is_some_and(is_short) {
        fault("password", "directory.password_short");
    }
    let (Ok(department_id), Ok(posts), 0) = (department_id, posts, faults) else {
        return Err(error.expect("put back after each fault"));
    };
    let password_hash = match body.password {
        Some(password) => tokio::task::spawn_blocking(move || hash_password(&password))
            .await
            .map_err(ApiError::bug)?,
        None => String::new(),
    };
    Ok(NewPerson {
        id: new_id(),
        login_name: body.login_name,
        name,
        phone: body.phone.trim().to_owned(),
        department_id,
        posts,
        contract: supervising
            .filter(|_| body.contractor)
            .map(|supervising_department_id| Contract {
                supervising_department_id,
                company,
            }),
        password_hash,
    })
}

/// All people, by department and name. For system and security administrators, and for supervisors.
#[utoipa::path(get, path = "/people", tag = "directory", operation_id = "list_people",
    responses((status = 200, body = Page<PersonView>), (status = 403, body = Problem)))]
pub async fn list_people(ctx: Ctx) -> Reply<Page<PersonView>> {
    ctx.must(Action::ReadDirectory, &Subject::Platform)?;
    let mut db = ctx.read().await?;
    reply(Page {
        items: views(&mut db).await?,
        next_cursor: None,
    })
}

async fn views(db: &mut Db) -> Result<Vec<PersonView>, DbError> {
    let names = store::department_names(db).await?;
    Ok(store::people(db)
        .await?
        .into_iter()
        .map(|p| view(p, &names))
        .collect())
}

fn view(mut person: store::PersonRow, names: &BTreeMap<String, String>) -> PersonView {
    let name = |id: &DepartmentId| names.get(id.as_str()).cloned().unwrap_or_default();
    let own = person
        .posts
        .remove(&person.department_id)
        .unwrap_or_default();
    PersonView {
        department_name: name(&person.department_id),
        posts: own.iter().map(|r| r.code().to_owned()).collect(),
        posts_text: labels(&own),
        posts_elsewhere: person
            .posts
            .iter()
            .map(|(id, roles)| PostsView::of(id, name(id), roles))
            .collect(),
        id: person.id.to_string(),
        login_name: person.login_name,
        name: person.name,
        department_id: person.department_id.to_string(),
        contractor: person.contractor,
        supervising_department_id: person.supervising_department_id.map(|id| id.to_string()),
        contract_company: person.contract_company,
        active: person.active,
        invited: person.invited,
    }
}

async fn view_of(db: &mut Db, id: &PersonId) -> Result<PersonView, ApiError> {
    views(db)
        .await?
        .into_iter()
        .find(|p| p.id == id.as_str())
        .ok_or_else(|| ApiError::not_found("directory.person_not_found"))
}

/// A department that people may be in.
async fn open_department(
    db: &mut Db,
    id: &DepartmentId,
    field: &'static str,
    code: &'static str,
) -> Result<store::Department, ApiError> {
    store::find_department(db, id)
        .await?
        .filter(store::Department::is_active)
        .ok_or_else(|| ApiError::invalid("directory.invalid").field(field, code))
}

/// Enter a person. For system administrators.
///
/// Posts are given by the security administrator, so that no one person can make officials. Only where
/// nobody holds that post yet, the system administrator names the first one. Whoever works for a
/// contractor is entered with the company and the department that watches over them. Spec: YC-30.
#[utoipa::path(post, path = "/people", tag = "directory", operation_id = "create_person",
    request_body = PersonBody,
    responses((status = 200, body = PersonView), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_person(ctx: Ctx, Json(body): Json<PersonBody>) -> Reply<PersonView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let person = parse(body, ctx.app.config.session.password_chars_min).await?;
    let mut db = ctx.read().await?;
    open_department(
        &mut db,
        &person.department_id,
        "department_id",
        "directory.department_id",
    )
    .await?;
    if let Some(contract) = &person.contract {
        open_department(
            &mut db,
            &contract.supervising_department_id,
            "supervising_department_id",
            "directory.supervising_department",
        )
        .await?;
    }
    if !person.posts.is_empty() && !ctx.may(Action::AssignPosts, &Subject::Platform) {
        let first_of_kind = person.posts == [Role::SecurityAdmin]
            && !store::is_held(&mut db, Role::SecurityAdmin).await?;
        if !first_of_kind {
            ctx.must(Action::AssignPosts, &Subject::Platform)?;
        }
    }
    drop(db);
    let mut tx = ctx.begin().await?;
    store::insert_person(&mut tx, &person).await.map_err(|e| {
        if e.is_unique_violation() {
            ApiError::conflict("directory.login_name_taken")
        } else {
            e.into()
        }
    })?;
    let entry = ctx
        .did("directory.person_created")
        .on("person", &person.id)
        .with("posts", codes(&person.posts));
    let entry = match &person.contract {
        Some(contract) => entry
            .with("contract_company", contract.company.clone())
            .with(
                "supervising_department_id",
                contract.supervising_department_id.as_str(),
            ),
        None => entry,
    };
    tx.commit(entry.with("department_id", person.department_id.as_str()))
        .await?;
    let mut db = ctx.read().await?;
    reply(view_of(&mut db, &person.id).await?)
}

/// The posts of a person in a department.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostsBody {
    /// Role codes; none takes all posts in the department away.
    pub posts: Vec<String>,
    /// The department; the person's own if left out.
    #[serde(default)]
    pub department_id: Option<String>,
}

/// Give a person posts in a department, in place of those held there. For security administrators, and not
/// for oneself.
#[utoipa::path(put, path = "/people/{person_id}/posts", tag = "directory", operation_id = "assign_posts",
    params(("person_id" = String, Path)), request_body = PostsBody,
    responses((status = 200, body = PersonView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn assign_posts(
    ctx: Ctx,
    Path(person_id): Path<String>,
    Json(body): Json<PostsBody>,
) -> Reply<PersonView> {
    ctx.must(Action::AssignPosts, &Subject::Platform)?;
    let not_found = || ApiError::not_found("directory.person_not_found");
    let id = PersonId::parse(&person_id).map_err(|_| not_found())?;
    if id == ctx.actor.person {
        return Err(ApiError::forbidden("directory.own_posts"));
    }
    let faulty = |code| ApiError::invalid("directory.invalid").field("posts", code);
    let posts = parse_posts(&body.posts).map_err(faulty)?;
    let mut tx = ctx.begin().await?;
    let person = store::people(&mut tx)
        .await?
        .into_iter()
        .find(|p| p.id == id)
        .ok_or_else(not_found)?;
    let department_id = match body.department_id.as_deref() {
        Some(text) => {
            let unknown = || {
                ApiError::invalid("directory.invalid")
                    .field("department_id", "directory.department_id")
            };
            let id = DepartmentId::parse(text).map_err(|_| unknown())?;
            open_department(&mut tx, &id, "department_id", "directory.department_id")
                .await?
                .id
        }
        None => person.department_id,
    };
    // Administrators are kept apart from everything else, whatever the department.
    let elsewhere = person
        .posts
        .iter()
        .filter(|(department, _)| **department != department_id)
        .flat_map(|(_, roles)| roles);
    let all: Vec<Role> = posts.iter().chain(elsewhere).copied().collect();
    check_posts(&all).map_err(|conflict| faulty(conflict.code()))?;
    store::replace_posts(&mut tx, &id, &department_id, &posts).await?;
    tx.commit(
        ctx.did("directory.posts_assigned")
            .on("person", &id)
            .with("department_id", department_id.as_str())
            .with("posts", codes(&posts)),
    )
    .await?;
    let mut db = ctx.read().await?;
    reply(view_of(&mut db, &id).await?)
}

fn codes(posts: &[Role]) -> String {
    posts.iter().map(|r| r.code()).collect::<Vec<_>>().join(" ")
}

/// Posts by their codes. Errors: the code of what is wrong.
fn parse_posts(codes: &[String]) -> Result<Vec<Role>, &'static str> {
    let posts: Vec<Role> = codes
        .iter()
        .map(|c| Role::find(c))
        .collect::<Option<_>>()
        .ok_or("directory.posts")?;
    check_posts(&posts).map_err(|conflict| conflict.code())?;
    Ok(posts)
}
