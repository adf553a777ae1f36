//! People from a table, known again by their login name; and the one-time links for their first password.

use axum::{body::Bytes, extract::Path, response::Response};
use jiff::SignedDuration;
use tongqu_domain::{
    access::{Action, Subject},
    ids::DepartmentId,
    time::instant_text,
};

use super::{
    super::{
        contacts::PHONE_CHARS_MAX,
        departments::NAME_CHARS_MAX,
        people::{Contract, NewPerson, login_name_fits, new_id},
        store::{self, Department, PersonRow},
    },
    Cells, Column, Import, ImportPreviewView, ImportRowView, ImportedView, InvitationView, preview,
    table, template, yes_or_no,
};
use crate::platform::{
    db::{DbError, Tx},
    http::{ApiError, Ctx, Problem, Reply, reply},
    session::{new_token, token_hash},
};

/// How long a one-time link is good.
const INVITATION_HOURS: i64 = 7 * 24;

const LOGIN_NAME: &str = "登录名";
const NAME: &str = "姓名";
const DEPARTMENT: &str = "部门";
const PHONE: &str = "电话";
const CONTRACTOR: &str = "外包人员";
const SUPERVISING: &str = "监管部门";
const COMPANY: &str = "合同单位";

const COLUMNS: &[Column] = &[
    Column {
        name: LOGIN_NAME,
        needed: true,
        hint: "必填。2 至 40 个字符：小写字母、数字、点、下划线、短横线；同一登录名再次导入时更新原有人员。",
    },
    Column {
        name: NAME,
        needed: true,
        hint: "必填。",
    },
    Column {
        name: DEPARTMENT,
        needed: true,
        hint: "必填。部门的统一社会信用代码或全称。",
    },
    Column {
        name: PHONE,
        needed: false,
        hint: "可不填。",
    },
    Column {
        name: CONTRACTOR,
        needed: false,
        hint: "是或否；新人员不填为否。",
    },
    Column {
        name: SUPERVISING,
        needed: false,
        hint: "外包人员必填。监管部门的统一社会信用代码或全称。",
    },
    Column {
        name: COMPANY,
        needed: false,
        hint: "外包人员必填。合同单位名称。",
    },
];

/// Download the table of people to fill in, as XLSX.
#[utoipa::path(get, path = "/people/template.xlsx", tag = "directory", operation_id = "download_people_template",
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem)))]
pub async fn download_people_template(ctx: Ctx) -> Result<Response, ApiError> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    template("人员", COLUMNS).await
}

/// Import people from a table: XLSX, or CSV in UTF-8 or GB18030, told by its content. For system administrators.
///
/// Nothing is written unless every row is good. A person is known again by the login name; cells left empty
/// leave what is there. New people have no password: each gets a one-time link, shown in this reply only.
/// Posts are the security administrator's business, so nobody is moved away from posts they hold.
#[utoipa::path(post, path = "/people/import", tag = "directory", operation_id = "import_people",
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = ImportedView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn import_people(ctx: Ctx, body: Bytes) -> Reply<ImportedView> {
    let import = import(&ctx, body).await?;
    let entry = ctx.did("directory.people_imported");
    reply(import.commit(entry).await?)
}

/// Look at what an import of people would do, or at what is wrong with it. Nothing is written.
#[utoipa::path(post, path = "/people/import/preview", tag = "directory", operation_id = "preview_people_import",
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = ImportPreviewView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn preview_people_import(ctx: Ctx, body: Bytes) -> Reply<ImportPreviewView> {
    let import = import(&ctx, body).await;
    reply(preview(&ctx, import)?)
}

async fn import(ctx: &Ctx, body: Bytes) -> Result<Import, ApiError> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let mut cells = table(ctx, body, COLUMNS).await?;
    cells.check_needed();
    cells.check_once(LOGIN_NAME);
    let mut tx = ctx.begin().await?;
    let departments = store::departments(&mut tx).await?;
    let known = store::people(&mut tx).await?;
    let mut wanted: Vec<(u32, NewPerson, bool)> = Vec::with_capacity(cells.rows.len());
    for row in 0..cells.rows.len() {
        let number = cells.number(row);
        let found = read(&mut cells, row, &departments, &known);
        wanted.extend(found.map(|(person, is_new)| (number, person, is_new)));
    }
    cells.check()?;
    let (mut rows, mut invitations) = (Vec::with_capacity(wanted.len()), Vec::new());
    for (row, person, is_new) in wanted {
        if is_new {
            store::insert_person(&mut tx, &person).await?;
            invitations.push(invite(&mut tx, &person.id, &person.login_name, &person.name).await?);
        } else {
            store::save_person(&mut tx, &person).await?;
        }
        rows.push(ImportRowView {
            row,
            name: person.name,
            key: person.login_name,
            is_new,
        });
    }
    Ok(Import {
        tx,
        rows,
        invitations,
    })
}

/// An active department by credit code or full name.
fn department_of(text: &str, departments: &[Department]) -> Option<DepartmentId> {
    departments
        .iter()
        .find(|d| d.is_active() && (d.credit_code == text || d.name == text))
        .map(|d| d.id.clone())
}

fn read(
    cells: &mut Cells,
    row: usize,
    departments: &[Department],
    known: &[PersonRow],
) -> Option<(NewPerson, bool)> {
    let text = |name: &str| cells.text(row, name).to_owned();
    let mut found: Vec<(&str, &'static str)> = Vec::new();
    let (login_name, name, phone) = (text(LOGIN_NAME), text(NAME), text(PHONE));
    let old = known.iter().find(|p| p.login_name == login_name);
    if !login_name_fits(&login_name) {
        found.push((LOGIN_NAME, "directory.login_name"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        found.push((NAME, "directory.name"));
    }
    if phone.chars().count() > PHONE_CHARS_MAX {
        found.push((PHONE, "directory.phone"));
    }
    let department = department_of(&text(DEPARTMENT), departments);
    match (&department, old) {
        (None, _) => found.push((DEPARTMENT, "directory.import_department")),
        (Some(to), Some(old))
            if *to != old.department_id && old.posts.contains_key(&old.department_id) =>
        {
            found.push((DEPARTMENT, "directory.import_posts_held"));
        }
        (Some(_), _) => {}
    }
    let contractor = yes_or_no(&text(CONTRACTOR)).unwrap_or_else(|code| {
        found.push((CONTRACTOR, code));
        None
    });
    let contractor = contractor.unwrap_or_else(|| old.is_some_and(|p| p.contractor));
    let contract = if contractor {
        let supervising = match text(SUPERVISING).as_str() {
            "" => old.and_then(|p| p.supervising_department_id.clone()),
            written => department_of(written, departments),
        };
        let company = match text(COMPANY) {
            company if company.is_empty() => {
                old.map(|p| p.contract_company.clone()).unwrap_or_default()
            }
            company => company,
        };
        if supervising.is_none() {
            found.push((SUPERVISING, "directory.supervising_department"));
        }
        if company.is_empty() || company.chars().count() > NAME_CHARS_MAX {
            found.push((COMPANY, "directory.contract_company"));
        }
        supervising.map(|supervising_department_id| Contract {
            supervising_department_id,
            company,
        })
    } else {
        None
    };
    // What is empty and needed has been named already.
    found.retain(|(name, _)| {
        !text(name).is_empty() || !COLUMNS.iter().any(|c| c.needed && c.name == *name)
    });
    let is_good = found.is_empty();
    for (name, code) in found {
        cells.fault(row, name, code);
    }
    let department_id = department.filter(|_| is_good)?;
    let person = NewPerson {
        id: old.map_or_else(new_id, |p| p.id.clone()),
        login_name,
        name,
        phone: match old {
            Some(old) if phone.is_empty() => old.phone.clone(),
            Some(_) | None => phone,
        },
        department_id,
        posts: Vec::new(),
        contract,
        password_hash: String::new(),
    };
    Some((person, old.is_none()))
}

/// Makes a one-time link; only its digest is kept.
async fn invite(
    tx: &mut Tx,
    person: &tongqu_domain::ids::PersonId,
    login_name: &str,
    name: &str,
) -> Result<InvitationView, DbError> {
    let token = new_token();
    let expires_at = tx.at() + SignedDuration::from_hours(INVITATION_HOURS);
    store::save_invitation(tx, person, &token_hash(&token), expires_at).await?;
    Ok(InvitationView {
        person_id: person.to_string(),
        login_name: login_name.to_owned(),
        name: name.to_owned(),
        token,
        expires_at: instant_text(expires_at),
    })
}

/// Issue a new one-time link for somebody who hasn't set a password yet; an earlier one ends. For system administrators.
#[utoipa::path(post, path = "/people/{person_id}/invitation", tag = "directory", operation_id = "invite_person",
    params(("person_id" = String, Path)),
    responses((status = 200, body = InvitationView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn invite_person(ctx: Ctx, Path(person_id): Path<String>) -> Reply<InvitationView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let mut tx = ctx.begin().await?;
    let person = store::people(&mut tx)
        .await?
        .into_iter()
        .find(|p| p.id.as_str() == person_id)
        .ok_or_else(|| ApiError::not_found("directory.person_not_found"))?;
    if !person.invited {
        return Err(ApiError::conflict("directory.password_is_set"));
    }
    let invitation = invite(&mut tx, &person.id, &person.login_name, &person.name).await?;
    tx.commit(ctx.did("directory.person_invited").on("person", &person.id))
        .await?;
    reply(invitation)
}
