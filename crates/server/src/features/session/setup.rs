//! The first administrator of an empty installation, by the one-time link printed at the start.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use crate::{
    app::App,
    features::directory,
    platform::{
        http::{ApiError, Guest, Problem, Reply, reply},
        secrets::Secret,
    },
};

/// What an installation needs to know before anybody can sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpBody {
    /// The token of the one-time link.
    #[schema(value_type = String)]
    pub token: Secret,
    /// Name of the platform as shown in the header, for example 云溪县政务数据共享交换平台.
    pub platform_name: String,
    /// The competent department, which is also the platform unit unless the directory says otherwise.
    pub department: directory::DepartmentBody,
    /// The first administrator.
    pub login_name: String,
    pub name: String,
    pub phone: String,
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
}

/// What was set up.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetUpView {
    pub department_id: String,
    pub person_id: String,
}

/// Set up an empty installation: its name, the competent department, and one system administrator.
///
/// Works once: the token ends with it, and there is no standing account before or after.
#[utoipa::path(post, path = "/setup", tag = "session", operation_id = "set_up",
    request_body = SetUpBody,
    responses((status = 200, body = SetUpView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn set_up(
    State(app): State<Arc<App>>,
    guest: Guest,
    Json(body): Json<SetUpBody>,
) -> Reply<SetUpView> {
    let expected = app.setup_token.lock().expect("no holder panics").clone();
    let fits =
        expected.is_some_and(|t| bool::from(t.as_bytes().ct_eq(body.token.reveal().as_bytes())));
    if !fits {
        return Err(ApiError::forbidden("setup.wrong_token"));
    }
    let first = directory::FirstAdministrator {
        platform_name: body.platform_name,
        department: body.department,
        login_name: body.login_name,
        name: body.name,
        phone: body.phone,
        password: body.password,
    };
    let (department_id, person_id) = directory::set_up(&app, guest.now, first).await?;
    *app.setup_token.lock().expect("no holder panics") = None;
    reply(SetUpView {
        department_id: department_id.to_string(),
        person_id: person_id.to_string(),
    })
}
