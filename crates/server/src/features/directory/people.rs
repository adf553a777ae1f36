//! List and create people with their posts.

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Role, Subject, check_posts},
    ids::{DepartmentId, PersonId},
};
use utoipa::ToSchema;

use super::{departments::NAME_CHARS_MAX, store};
use crate::platform::{
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
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    pub id: String,
    pub login_name: String,
    pub name: String,
    pub department_id: String,
    pub department_name: String,
    pub posts: Vec<String>,
    pub posts_text: String,
    pub contractor: bool,
    pub active: bool,
}

/// A checked person, ready to be stored.
pub(super) struct NewPerson {
    pub id: PersonId,
    pub login_name: String,
    pub name: String,
    pub phone: String,
    pub department_id: DepartmentId,
    pub posts: Vec<Role>,
    pub contractor: bool,
    pub password_hash: String,
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
    let login_fits = (2..=40).contains(&body.login_name.len())
        && body
            .login_name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if !login_fits {
        fault("login_name", "directory.login_name");
    }
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        fault("name", "directory.name");
    }
    let department_id = DepartmentId::parse(&body.department_id);
    if department_id.is_err() {
        fault("department_id", "directory.department_id");
    }
    let posts = parse_posts(&body.posts);
    if let Err(code) = posts {
        fault("posts", code);
    }
    if body.password.reveal().chars().count() < password_chars_min {
        fault("password", "directory.password_short");
    }
    let (Ok(department_id), Ok(posts), 0) = (department_id, posts, faults) else {
        return Err(error.expect("put back after each fault"));
    };
    let password = body.password;
    let password_hash = tokio::task::spawn_blocking(move || hash_password(&password))
        .await
        .map_err(ApiError::bug)?;
    Ok(NewPerson {
        id: PersonId::parse(&format!("per-{}", random_hex::<6>())).expect("hex fits an identifier"),
        login_name: body.login_name,
        name,
        phone: body.phone.trim().to_owned(),
        department_id,
        posts,
        contractor: body.contractor,
        password_hash,
    })
}

/// All people, by department and name. For system and security administrators.
#[utoipa::path(get, path = "/people", tag = "directory", operation_id = "list_people",
    responses((status = 200, body = Page<PersonView>), (status = 403, body = Problem)))]
pub async fn list_people(ctx: Ctx) -> Reply<Page<PersonView>> {
    if !ctx.may(Action::AssignPosts, &Subject::Platform) {
        ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    }
    let mut db = ctx.read().await?;
    reply(Page {
        items: store::people(&mut db).await?,
        next_cursor: None,
    })
}

/// Enter a person. For system administrators.
///
/// Posts are given by the security administrator, so that no one person can make officials. Only where
/// nobody holds that post yet, the system administrator names the first one.
#[utoipa::path(post, path = "/people", tag = "directory", operation_id = "create_person",
    request_body = PersonBody,
    responses((status = 200, body = PersonView), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_person(ctx: Ctx, Json(body): Json<PersonBody>) -> Reply<PersonView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let person = parse(body, ctx.app.config.session.password_chars_min).await?;
    let mut db = ctx.read().await?;
    let department = store::find_department(&mut db, &person.department_id)
        .await?
        .ok_or_else(|| {
            ApiError::invalid("directory.invalid").field("department_id", "directory.department_id")
        })?;
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
    tx.commit(entry.with("department_id", person.department_id.as_str()))
        .await?;
    reply(PersonView {
        id: person.id.to_string(),
        login_name: person.login_name,
        name: person.name,
        department_id: person.department_id.to_string(),
        department_name: department.name,
        posts_text: person
            .posts
            .iter()
            .map(|r| r.label())
            .collect::<Vec<_>>()
            .join("、"),
        posts: person.posts.iter().map(|r| r.code().to_owned()).collect(),
        contractor: person.contractor,
        active: true,
    })
}

/// The posts of a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostsBody {
    /// Role codes; none takes all posts away.
    pub posts: Vec<String>,
}

/// Give a person posts, in place of those held. For security administrators, and not for oneself.
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
    let posts = parse_posts(&body.posts)
        .map_err(|code| ApiError::invalid("directory.invalid").field("posts", code))?;
    let mut tx = ctx.begin().await?;
    if !store::people(&mut tx)
        .await?
        .iter()
        .any(|p| p.id == id.as_str())
    {
        return Err(not_found());
    }
    store::replace_posts(&mut tx, &id, &posts).await?;
    tx.commit(
        ctx.did("directory.posts_assigned")
            .on("person", &id)
            .with("posts", codes(&posts)),
    )
    .await?;
    let mut db = ctx.read().await?;
    let person = store::people(&mut db)
        .await?
        .into_iter()
        .find(|p| p.id == id.as_str());
    reply(person.ok_or_else(not_found)?)
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
