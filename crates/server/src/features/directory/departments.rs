//! List, enter and edit departments. Spec: YC-3, YC-44, PDS-6.3.

use axum::{
    Json,
    extract::{Path, Query},
};
use jiff::civil::Date;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    codes::{CreditCode, DivisionCode},
    ids::DepartmentId,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    DepartmentView,
    contacts::{Contact, ContactsBody},
    read_department::{DepartmentDetail, detail},
    store::{self, Department},
    succession::names_over_time,
};
use crate::platform::{
    db::Db,
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
    secrets::random_hex,
};

/// The longest name of a department or person, in characters.
pub(super) const NAME_CHARS_MAX: usize = 100;

/// The most duties of a department, and the longest one in characters.
const DUTIES_MAX: usize = 100;
const DUTY_CHARS_MAX: usize = 300;

/// Levels of departments, from the top: the platform's own is `city`.
pub(super) const LEVELS: &[&str] = &["province", "city", "county"];

/// Kinds of departments. Spec: YC-3, YC-44.
pub(super) const KINDS: &[&str] = &[
    "organ",
    "public_institution",
    "social_organisation",
    "utility",
];

fn an_organ() -> String {
    KINDS[0].to_owned()
}

/// A department to be entered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartmentBody {
    /// Full name.
    pub name: String,
    /// Name in lists; the full name if left empty.
    #[serde(default)]
    pub short_name: String,
    /// Unified social credit code, 18 characters.
    pub credit_code: String,
    /// Administrative division code, 6 digits.
    pub division_code: String,
    /// `province` (above the platform), `city` (the platform's own level) or `county` (the level below).
    pub level: String,
    /// `organ`, `public_institution`, `social_organisation` or `utility`.
    #[serde(default = "an_organ")]
    pub kind: String,
    /// The regulation applies by reference only: its duties are advice.
    #[serde(default)]
    pub by_reference: bool,
    /// The department above it.
    #[serde(default)]
    pub superior_id: Option<String>,
    /// Who answers in it; left out, nobody is named yet.
    #[serde(default)]
    pub contacts: ContactsBody,
}

/// Faults by field, until all have been found.
#[derive(Default)]
pub(super) struct Faults(Vec<(String, &'static str)>);

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, code: &'static str) {
        self.0.push((field.into(), code));
    }

    /// Field and code of each.
    pub(super) fn found(self) -> Vec<(String, &'static str)> {
        self.0
    }

    pub(super) fn check(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.0.into_iter().fold(
            ApiError::invalid("directory.invalid"),
            |e, (field, code)| e.field(field, code),
        ))
    }
}

/// What the law knows a department by.
pub(super) struct Naming {
    pub name: String,
    pub short_name: String,
    pub credit_code: String,
}

/// Checks names and credit code.
pub(super) fn naming(
    name: &str,
    short_name: &str,
    credit_code: &str,
    faults: &mut Faults,
) -> Naming {
    let (name, short_name) = (name.trim(), short_name.trim());
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        faults.add("name", "directory.name");
    }
    if short_name.chars().count() > NAME_CHARS_MAX {
        faults.add("short_name", "directory.name");
    }
    let credit_code = CreditCode::parse(credit_code);
    if credit_code.is_err() {
        faults.add("credit_code", "directory.credit_code");
    }
    Naming {
        name: name.to_owned(),
        short_name: if short_name.is_empty() {
            name
        } else {
            short_name
        }
        .to_owned(),
        credit_code: credit_code.map_or_else(|_| String::new(), |c| c.to_string()),
    }
}

/// Checks division, level and kind; what is faulty is left as it came.
pub(super) fn check_place(division_code: &str, level: &str, kind: &str, faults: &mut Faults) {
    if DivisionCode::parse(division_code).is_err() {
        faults.add("division_code", "directory.division_code");
    }
    if !LEVELS.contains(&level) {
        faults.add("level", "directory.level");
    }
    if !KINDS.contains(&kind) {
        faults.add("kind", "directory.kind");
    }
}

pub(super) fn new_id() -> DepartmentId {
    DepartmentId::parse(&format!("dep-{}", random_hex::<6>())).expect("hex fits an identifier")
}

impl DepartmentBody {
    /// Parses the body; every fault is named at once. Whether the superior is there is asked in [`superior`].
    pub(super) fn parse(self) -> Result<(Department, Vec<Contact>), ApiError> {
        let mut faults = Faults::default();
        let naming = naming(&self.name, &self.short_name, &self.credit_code, &mut faults);
        check_place(&self.division_code, &self.level, &self.kind, &mut faults);
        let superior_id = parse_superior(self.superior_id.as_deref(), &mut faults);
        let contacts = self.contacts.parse().unwrap_or_else(|found| {
            faults.0.extend(found);
            Vec::new()
        });
        faults.check()?;
        let department = Department {
            id: new_id(),
            name: naming.name,
            short_name: naming.short_name,
            credit_code: naming.credit_code,
            division_code: self.division_code,
            level: self.level,
            kind: self.kind,
            by_reference: self.by_reference,
            superior_id,
            merged: None,
        };
        Ok((department, contacts))
    }
}

fn parse_superior(id: Option<&str>, faults: &mut Faults) -> Option<DepartmentId> {
    let id = id.map(str::trim).filter(|id| !id.is_empty())?;
    let parsed = DepartmentId::parse(id);
    if parsed.is_err() {
        faults.add("superior_id", "directory.superior");
    }
    parsed.ok()
}

/// Goes on only if the superior is there and isn't the department itself or below it.
pub(super) async fn check_superior(db: &mut Db, department: &Department) -> Result<(), ApiError> {
    let wrong =
        || ApiError::invalid("directory.invalid").field("superior_id", "directory.superior");
    let all = store::departments_by_id(db).await?;
    let mut above = department.superior_id.as_ref();
    let mut steps = 0;
    while let Some(id) = above {
        let superior = all.get(id.as_str()).ok_or_else(wrong)?;
        if superior.id == department.id || !superior.is_active() || steps > all.len() {
            return Err(wrong());
        }
        above = superior.superior_id.as_ref();
        steps += 1;
    }
    Ok(())
}

/// A department that is there and hasn't been merged.
///
/// Errors: `directory.department_not_found`, `directory.department_gone`.
pub(super) async fn active(db: &mut Db, id: &str) -> Result<Department, ApiError> {
    let department = known(db, id).await?;
    if department.is_active() {
        Ok(department)
    } else {
        Err(ApiError::conflict("directory.department_gone"))
    }
}

pub(super) async fn known(db: &mut Db, id: &str) -> Result<Department, ApiError> {
    let not_found = || ApiError::not_found("directory.department_not_found");
    let id = DepartmentId::parse(id).map_err(|_| not_found())?;
    store::find_department(db, &id).await?.ok_or_else(not_found)
}

/// Tells a name or code that is there already from other failures.
pub(super) fn taken(error: crate::platform::db::DbError) -> ApiError {
    if error.is_unique_violation() {
        ApiError::conflict("directory.department_exists")
    } else {
        error.into()
    }
}

/// Which departments are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct DepartmentsQuery {
    /// Names as they were on this day (`YYYY-MM-DD`); then departments that are gone are listed too.
    pub on: Option<String>,
}

/// The departments, by name; with `on` also those that are gone, under the names of that day.
#[utoipa::path(get, path = "/departments", tag = "directory", operation_id = "list_departments",
    params(DepartmentsQuery),
    responses((status = 200, body = Page<DepartmentView>), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
pub async fn list_departments(
    ctx: Ctx,
    Query(query): Query<DepartmentsQuery>,
) -> Reply<Page<DepartmentView>> {
    let on: Option<Date> = query
        .on
        .map(|day| day.parse())
        .transpose()
        .map_err(|_| ApiError::invalid("directory.invalid").field("on", "directory.date"))?;
    let mut db = ctx.read().await?;
    let mut departments = store::departments(&mut db).await?;
    match on {
        Some(day) => {
            let names = names_over_time(&mut db).await?;
            for department in &mut departments {
                names.take_back(department, day);
            }
        }
        None => departments.retain(Department::is_active),
    }
    reply(Page {
        items: departments.into_iter().map(DepartmentView::from).collect(),
        next_cursor: None,
    })
}

/// Enter a department. For system administrators.
#[utoipa::path(post, path = "/departments", tag = "directory", operation_id = "create_department",
    request_body = DepartmentBody,
    responses((status = 200, body = DepartmentView), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_department(
    ctx: Ctx,
    Json(body): Json<DepartmentBody>,
) -> Reply<DepartmentView> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let (department, contacts) = body.parse()?;
    let mut tx = ctx.begin().await?;
    check_superior(&mut tx, &department).await?;
    store::insert_department(&mut tx, &department)
        .await
        .map_err(taken)?;
    store::replace_contacts(&mut tx, &department.id, &contacts).await?;
    let entry = ctx
        .did("directory.department_created")
        .on("department", &department.id);
    tx.commit(entry.with("credit_code", department.credit_code.clone()))
        .await?;
    reply(department.into())
}

/// What may change of a department without a decision on its name.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    /// Administrative division code, 6 digits.
    pub division_code: String,
    /// `province`, `city` or `county`.
    pub level: String,
    /// `organ`, `public_institution`, `social_organisation` or `utility`.
    pub kind: String,
    /// The regulation applies by reference only: its duties are advice.
    pub by_reference: bool,
    /// The department above it; none if left out.
    #[serde(default)]
    pub superior_id: Option<String>,
    /// Who answers in it; left out, the contacts stay as they are.
    #[serde(default)]
    pub contacts: Option<ContactsBody>,
    /// Its duties, one sentence each, at most 100; left out, they stay as they are.
    #[serde(default)]
    pub duties: Option<Vec<String>>,
}

/// Edit a department. For system administrators. Names and credit code change by `rename_department`.
#[utoipa::path(put, path = "/departments/{department_id}", tag = "directory", operation_id = "edit_department",
    params(("department_id" = String, Path)), request_body = EditBody,
    responses((status = 200, body = DepartmentDetail), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn edit_department(
    ctx: Ctx,
    Path(department_id): Path<String>,
    Json(body): Json<EditBody>,
) -> Reply<DepartmentDetail> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let mut tx = ctx.begin().await?;
    let before = active(&mut tx, &department_id).await?;
    let mut faults = Faults::default();
    check_place(&body.division_code, &body.level, &body.kind, &mut faults);
    let superior_id = parse_superior(body.superior_id.as_deref(), &mut faults);
    let contacts = match body.contacts.map(ContactsBody::parse) {
        Some(Ok(contacts)) => Some(contacts),
        Some(Err(found)) => {
            faults.0.extend(found);
            None
        }
        None => None,
    };
    let duties = body.duties.map(|duties| parse_duties(duties, &mut faults));
    faults.check()?;
    let after = Department {
        division_code: body.division_code,
        level: body.level,
        kind: body.kind,
        by_reference: body.by_reference,
        superior_id,
        ..before
    };
    check_superior(&mut tx, &after).await?;
    store::save_department(&mut tx, &after).await?;
    if let Some(contacts) = &contacts {
        store::replace_contacts(&mut tx, &after.id, contacts).await?;
    }
    if let Some(duties) = &duties {
        store::replace_duties(&mut tx, &after.id, duties).await?;
    }
    tx.commit(
        ctx.did("directory.department_edited")
            .on("department", &after.id)
            .with("division_code", after.division_code.clone())
            .with("level", after.level.clone())
            .with("kind", after.kind.clone())
            .with("by_reference", after.by_reference),
    )
    .await?;
    let mut db = ctx.read().await?;
    reply(detail(&ctx, &mut db, &after.id).await?)
}

/// Trims the duties and leaves out empty lines.
fn parse_duties(duties: Vec<String>, faults: &mut Faults) -> Vec<String> {
    let duties: Vec<String> = duties
        .iter()
        .map(|duty| duty.trim().to_owned())
        .filter(|duty| !duty.is_empty())
        .collect();
    if duties.len() > DUTIES_MAX {
        faults.add("duties", "directory.duties");
    }
    for (at, duty) in duties.iter().enumerate() {
        if duty.chars().count() > DUTY_CHARS_MAX {
            faults.add(format!("duties[{at}]"), "directory.duties");
        }
    }
    duties
}
