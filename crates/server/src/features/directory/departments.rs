//! List and create departments.

use axum::Json;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    codes::{CreditCode, DivisionCode},
    ids::DepartmentId,
};
use utoipa::ToSchema;

use super::{DepartmentView, store};
use crate::platform::{
    http::{ApiError, Ctx, Page, Problem, Reply, reply},
    secrets::random_hex,
};

/// The longest name of a department or person, in characters.
pub(super) const NAME_CHARS_MAX: usize = 100;

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
    /// `city` (the platform's own level) or `county` (the level below).
    pub level: String,
}

impl DepartmentBody {
    /// Parses the body; every fault is named at once.
    pub(super) fn parse(self) -> Result<store::Department, ApiError> {
        let mut error = ApiError::invalid("directory.invalid");
        let mut faults = 0;
        let mut fault = |field: &str, code: &str| {
            error = std::mem::replace(&mut error, ApiError::invalid("directory.invalid"))
                .field(field, code);
            faults += 1;
        };
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            fault("name", "directory.name");
        }
        let credit_code = CreditCode::parse(&self.credit_code);
        if credit_code.is_err() {
            fault("credit_code", "directory.credit_code");
        }
        let division_code = DivisionCode::parse(&self.division_code);
        if division_code.is_err() {
            fault("division_code", "directory.division_code");
        }
        if !matches!(self.level.as_str(), "city" | "county") {
            fault("level", "directory.level");
        }
        let (Ok(credit_code), Ok(division_code), 0) = (credit_code, division_code, faults) else {
            return Err(error);
        };
        let short_name = self.short_name.trim();
        Ok(store::Department {
            id: DepartmentId::parse(&format!("dep-{}", random_hex::<6>()))
                .expect("hex fits an identifier"),
            short_name: if short_name.is_empty() {
                name.clone()
            } else {
                short_name.to_owned()
            },
            name,
            credit_code: credit_code.to_string(),
            division_code: division_code.to_string(),
            level: self.level,
        })
    }
}

/// All departments, by name.
#[utoipa::path(get, path = "/departments", tag = "directory", operation_id = "list_departments",
    responses((status = 200, body = Page<DepartmentView>), (status = 401, body = Problem)))]
pub async fn list_departments(ctx: Ctx) -> Reply<Page<DepartmentView>> {
    let mut db = ctx.read().await?;
    let items = store::departments(&mut db)
        .await?
        .into_iter()
        .map(DepartmentView::from)
        .collect();
    reply(Page {
        items,
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
    let department = body.parse()?;
    let mut tx = ctx.begin().await?;
    store::insert_department(&mut tx, &department)
        .await
        .map_err(|e| {
            if e.is_unique_violation() {
                ApiError::conflict("directory.department_exists")
            } else {
                e.into()
            }
        })?;
    let entry = ctx
        .did("directory.department_created")
        .on("department", &department.id);
    tx.commit(entry.with("credit_code", department.credit_code.clone()))
        .await?;
    reply(department.into())
}
