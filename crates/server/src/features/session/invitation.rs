//! The first password of somebody who was entered without one, by a one-time link.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store;
use crate::{
    app::App,
    platform::{
        evidence::Entry,
        http::{ApiError, Guest, Problem, Reply, reply},
        secrets::{Secret, hash_password},
    },
};

/// A one-time link and the password it is used for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationBody {
    /// The token of the link.
    #[schema(value_type = String)]
    pub token: Secret,
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
}

/// Whose password was set.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedView {
    pub person_id: String,
}

/// Set the first password by a one-time link. The link ends with it.
#[utoipa::path(post, path = "/invitation", tag = "session", operation_id = "accept_invitation",
    request_body = InvitationBody,
    responses((status = 200, body = AcceptedView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn accept_invitation(
    State(app): State<Arc<App>>,
    guest: Guest,
    Json(body): Json<InvitationBody>,
) -> Reply<AcceptedView> {
    let chars_min = app.config.session.password_chars_min;
    if body.password.reveal().chars().count() < chars_min {
        return Err(ApiError::invalid("directory.invalid")
            .arg("chars", chars_min)
            .field("password", "directory.password_short"));
    }
    let password = body.password;
    let hash = tokio::task::spawn_blocking(move || hash_password(&password))
        .await
        .map_err(ApiError::bug)?;
    let mut tx = app.registry.begin(guest.now).await?;
    let (person, department) = store::take_invitation(&mut tx, body.token.reveal())
        .await?
        .ok_or_else(|| ApiError::forbidden("session.invitation_over"))?;
    store::save_password(&mut tx, &person, &hash).await?;
    let entry = Entry::by("session.password_set", person.as_str(), department.as_str());
    tx.commit(entry.on("person", &person)).await?;
    reply(AcceptedView {
        person_id: person.to_string(),
    })
}
