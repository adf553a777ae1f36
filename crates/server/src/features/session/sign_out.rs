//! Sign out.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::store;
use crate::platform::{
    http::{ApiError, Ctx, Problem},
    session::{cookie, token_of},
};

/// Sign out: the session ends at once and the cookie is taken back.
#[utoipa::path(delete, path = "/session", tag = "session", operation_id = "sign_out",
    responses((status = 204), (status = 401, body = Problem)))]
pub async fn sign_out(ctx: Ctx, headers: HeaderMap) -> Result<Response, ApiError> {
    let token = token_of(&headers).ok_or_else(|| ApiError::forbidden("session.required"))?;
    let mut tx = ctx.begin().await?;
    store::close_session(&mut tx, &token).await?;
    tx.commit(ctx.did("session.closed").on("person", &ctx.actor.person))
        .await?;
    let mut reply = HeaderMap::new();
    reply.insert(
        header::SET_COOKIE,
        cookie("", 0, ctx.app.config.server.secure_cookies.into()),
    );
    Ok((StatusCode::NO_CONTENT, reply).into_response())
}
