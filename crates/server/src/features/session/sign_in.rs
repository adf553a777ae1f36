//! Sign in with login name and password.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use jiff::SignedDuration;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

use super::{MeView, store};
use crate::{
    app::App,
    platform::{
        evidence::Entry,
        http::{ApiError, Guest, Problem},
        secrets::{Secret, password_matches},
        session::{cookie, new_token},
    },
};

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInBody {
    /// Login name.
    pub login_name: String,
    /// Password.
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
}

/// Sign in. Sets the session cookie.
///
/// A wrong name, a wrong password and a closed account share one answer, so that nobody learns which
/// names exist. After too many wrong passwords the account is locked for a while.
#[utoipa::path(post, path = "/session", tag = "session", operation_id = "sign_in",
    request_body = SignInBody,
    responses((status = 200, body = MeView), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    guest: Guest,
    Json(body): Json<SignInBody>,
) -> Result<Response, ApiError> {
    let mut db = guest.app.registry.read().await?;
    let account = store::find_account(&mut db, &body.login_name).await?;
    drop(db);
    let limits = &app.config.session;
    if let Some(locked_until) = account.as_ref().and_then(|a| a.locked_until)
        && locked_until > guest.now
    {
        return Err(
            ApiError::new(tongqu_domain::kind::Kind::TooMany, "session.locked")
                .arg("minutes", limits.lock_minutes),
        );
    }
    // An unknown name costs as much time as a known one.
    // So does one that was invited and has no password yet.
    let hash = account
        .as_ref()
        .filter(|a| !a.password_hash.is_empty())
        .map_or_else(|| app.decoy_hash.clone(), |a| a.password_hash.clone());
    let matches = tokio::task::spawn_blocking(move || password_matches(&body.password, &hash))
        .await
        .map_err(ApiError::bug)?;
    let Some(account) = account.filter(|a| a.active) else {
        return Err(ApiError::invalid("session.wrong_name_or_password"));
    };
    if !matches {
        let failures = account.failures + 1;
        let locked_until = (failures >= limits.failures_max)
            .then(|| guest.now + SignedDuration::from_mins(limits.lock_minutes));
        let mut tx = app.registry.begin(guest.now).await?;
        store::save_failure(&mut tx, &account.person_id, failures, locked_until).await?;
        let what = if locked_until.is_some() {
            "session.locked"
        } else {
            "session.refused"
        };
        tx.commit(
            Entry::by_platform(what)
                .on("person", &account.person_id)
                .with("failures", failures),
        )
        .await?;
        return Err(ApiError::invalid("session.wrong_name_or_password"));
    }
    let token = new_token();
    let expires_at = guest.now + SignedDuration::from_hours(limits.hours_max);
    let mut tx = app.registry.begin(guest.now).await?;
    store::open_session(&mut tx, &account.person_id, &token, expires_at).await?;
    let entry = Entry::by(
        "session.opened",
        account.person_id.as_str(),
        account.department_id.as_str(),
    );
    tx.commit(entry.on("person", &account.person_id)).await?;

    let mut db = app.registry.read().await?;
    let me = super::me::view(&mut db, &app, &account.person_id, None).await?;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::SET_COOKIE,
        cookie(
            &token,
            limits.hours_max * 3600,
            app.config.server.secure_cookies.into(),
        ),
    );
    Ok((headers, Json(me)).into_response())
}
