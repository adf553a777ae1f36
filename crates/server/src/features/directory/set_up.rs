//! The first department and the first administrator of an empty installation.

use jiff::Timestamp;
use tongqu_domain::{
    access::Role,
    ids::{DepartmentId, PersonId},
};

use super::{DepartmentBody, people, store};
use crate::{
    app::App,
    platform::{evidence::Entry, http::ApiError, secrets::Secret},
};

/// Who and what an installation begins with.
pub struct FirstAdministrator {
    pub platform_name: String,
    pub department: DepartmentBody,
    pub login_name: String,
    pub name: String,
    pub phone: String,
    pub password: Secret,
}

/// Enters the competent department, binds the roles of authority and platform unit to it, and opens
/// one system administrator's account.
///
/// Errors: `setup.already_done` if there is anybody already.
pub async fn set_up(
    app: &App,
    now: Timestamp,
    first: FirstAdministrator,
) -> Result<(DepartmentId, PersonId), ApiError> {
    let (department, contacts) = first.department.parse()?;
    let body = people::PersonBody {
        login_name: first.login_name,
        name: first.name,
        phone: first.phone,
        department_id: department.id.to_string(),
        posts: vec![Role::SystemAdmin.code().to_owned()],
        contractor: false,
        supervising_department_id: None,
        contract_company: String::new(),
        password: Some(first.password),
    };
    let person = people::parse(body, app.config.session.password_chars_min).await?;
    let platform_name = first.platform_name.trim();
    if platform_name.is_empty() {
        return Err(ApiError::invalid("directory.invalid").field("platform_name", "directory.name"));
    }
    let mut tx = app.registry.begin(now).await?;
    if store::has_people(&mut tx).await? {
        return Err(ApiError::conflict("setup.already_done"));
    }
    store::insert_department(&mut tx, &department).await?;
    store::replace_contacts(&mut tx, &department.id, &contacts).await?;
    store::insert_person(&mut tx, &person).await?;
    store::save_setting(&mut tx, "platform_name", platform_name).await?;
    store::save_setting(&mut tx, store::PLATFORM_DEPARTMENT, department.id.as_str()).await?;
    let entry = Entry::by(
        "platform.set_up",
        person.id.as_str(),
        department.id.as_str(),
    );
    tx.commit(entry.on("department", &department.id)).await?;
    Ok((department.id, person.id))
}
