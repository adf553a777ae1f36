//! Show a department with contacts, people, posts and history. Spec: YC-3, PDS-6.3.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::DepartmentId,
};
use utoipa::ToSchema;

use super::{
    DepartmentView,
    contacts::ContactsBody,
    departments::known,
    store::{self, Department},
    succession::{FormerNameView, answers_for},
};
use crate::platform::{
    db::Db,
    http::{ApiError, Ctx, Problem, Reply, reply},
};

/// A department with who answers in it, who works there, and its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentDetail {
    #[serde(flatten)]
    pub department: DepartmentView,
    pub superior_name: Option<String>,
    /// Who answers in it, for all departments to see. Spec: PDS-6.3.
    pub contacts: ContactsBody,
    /// What it is there for, as registered. Spec: LY-5.2, YC-41.4, TP-5.4.
    pub duties: Vec<String>,
    /// Whoever holds posts here; empty for people of other departments who don't keep the directory.
    pub people: Vec<PersonHereView>,
    /// Former names, the oldest first.
    pub former_names: Vec<FormerNameView>,
    /// Where it went, if it is gone.
    pub merged: Option<MergedView>,
    /// The departments that went into it and that it answers for.
    pub predecessors: Vec<PredecessorView>,
    /// What the viewer may do with it: `edit`, `rename`, `merge`, `contacts`.
    pub actions: Vec<&'static str>,
}

/// Somebody who holds posts in a department.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonHereView {
    pub id: String,
    pub name: String,
    pub phone: String,
    /// Role codes.
    pub posts: Vec<String>,
    pub posts_text: String,
    pub contractor: bool,
}

/// Where a department went.
#[derive(Debug, Serialize, ToSchema)]
pub struct MergedView {
    pub into_id: String,
    pub into_name: String,
    /// Civil date.
    pub on: String,
    pub basis: String,
}

/// A department that is gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct PredecessorView {
    pub id: String,
    pub name: String,
}

/// A department with contacts, people, posts and history.
#[utoipa::path(get, path = "/departments/{department_id}", tag = "directory", operation_id = "read_department",
    params(("department_id" = String, Path)),
    responses((status = 200, body = DepartmentDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn read_department(
    ctx: Ctx,
    Path(department_id): Path<String>,
) -> Reply<DepartmentDetail> {
    let mut db = ctx.read().await?;
    let department = known(&mut db, &department_id).await?;
    reply(detail(&ctx, &mut db, &department.id).await?)
}

pub(super) async fn detail(
    ctx: &Ctx,
    db: &mut Db,
    id: &DepartmentId,
) -> Result<DepartmentDetail, ApiError> {
    let all = store::departments_by_id(db).await?;
    let department = all
        .get(id.as_str())
        .cloned()
        .ok_or_else(|| ApiError::not_found("directory.department_not_found"))?;
    let name = |id: &DepartmentId| all.get(id.as_str()).map(|d| d.name.clone());
    let contacts = store::contacts(db)
        .await?
        .remove(id.as_str())
        .unwrap_or_default();
    let sees_people = ctx.department() == id || ctx.may(Action::ReadDirectory, &Subject::Platform);
    let people = if sees_people {
        store::people(db).await?
    } else {
        Vec::new()
    };
    let people = people
        .into_iter()
        .filter(|p| p.active)
        .filter_map(|mut p| {
            let roles = p.posts.remove(id)?;
            Some(PersonHereView {
                id: p.id.to_string(),
                name: p.name,
                phone: p.phone,
                posts: roles.iter().map(|r| r.code().to_owned()).collect(),
                posts_text: roles
                    .iter()
                    .map(|r| r.label())
                    .collect::<Vec<_>>()
                    .join("、"),
                contractor: p.contractor,
            })
        })
        .collect();
    let former_names = store::former_names(db)
        .await?
        .remove(id.as_str())
        .unwrap_or_default();
    let predecessors = answers_for(db, id)
        .await?
        .into_iter()
        .filter(|gone| gone != id)
        .map(|gone| PredecessorView {
            name: name(&gone).unwrap_or_default(),
            id: gone.to_string(),
        })
        .collect();
    Ok(DepartmentDetail {
        actions: actions(ctx, &department),
        superior_name: department.superior_id.as_ref().and_then(name),
        merged: department.merged.as_ref().map(|m| MergedView {
            into_id: m.into.to_string(),
            into_name: name(&m.into).unwrap_or_default(),
            on: m.on.to_string(),
            basis: m.basis.clone(),
        }),
        department: department.into(),
        contacts: ContactsBody::of(&contacts),
        duties: store::duties_of(db, id).await?,
        people,
        former_names: former_names.into_iter().map(FormerNameView::from).collect(),
        predecessors,
    })
}

fn actions(ctx: &Ctx, department: &Department) -> Vec<&'static str> {
    if !department.is_active() {
        return Vec::new();
    }
    let mut actions = Vec::new();
    if ctx.may(Action::ManageDirectory, &Subject::Platform) {
        actions.extend(["edit", "rename", "merge"]);
    }
    if ctx.may(Action::ManageContacts, &Subject::Department(&department.id)) {
        actions.push("contacts");
    }
    actions
}
