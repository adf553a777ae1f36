//! A POST that is repeated with the same `Idempotency-Key` does its thing once and gives the first reply
//! again. While the first one is under way, or if its reply was lost, the repeated one is told so.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts as _, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};

use super::{ApiError, Ctx};
use crate::{
    app::App,
    platform::db::idempotency::{self, Post},
};

/// The longest key accepted, in characters.
const KEY_CHARS_MAX: usize = 100;

/// The layer around all operations. Without the header, or for other methods, it does nothing.
pub async fn repeatable(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let key = request
        .headers()
        .get("idempotency-key")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    match key {
        Some(key) if request.method() == Method::POST => first_or_again(&app, key, request, next)
            .await
            .unwrap_or_else(ApiError::into_response),
        _ => next.run(request).await,
    }
}

async fn first_or_again(
    app: &Arc<App>,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if key.is_empty() || key.len() > KEY_CHARS_MAX {
        return Err(ApiError::invalid("platform.idempotency_key"));
    }
    let (mut parts, body) = request.into_parts();
    let ctx = Ctx::from_request_parts(&mut parts, app).await?;
    let body = to_bytes(body, app.config.any_body_bytes_max())
        .await
        .map_err(|e| ApiError::invalid("platform.body_too_large").because(e))?;
    let post = Post {
        person_id: ctx.actor.person.to_string(),
        key,
        route: format!("{} {}", parts.method, parts.uri.path()),
        body_digest: hex::encode(Sha256::digest(&body)),
    };
    if let Some(earlier) = earlier_reply(&ctx, &post).await? {
        return Ok(earlier);
    }
    let response = idempotency::once(
        post.clone(),
        next.run(Request::from_parts(parts, Body::from(body))),
    )
    .await;
    // A printed form is made anew each time; only what an operation answers in JSON is kept.
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !response.status().is_success() || !is_json {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, app.config.server.body_bytes_max)
        .await
        .map_err(ApiError::bug)?;
    let reply = String::from_utf8_lossy(&body);
    idempotency::keep(&app.registry, ctx.now, &post, head.status.as_u16(), &reply).await?;
    Ok(Response::from_parts(head, Body::from(body)))
}

async fn earlier_reply(ctx: &Ctx, post: &Post) -> Result<Option<Response>, ApiError> {
    let mut db = ctx.read().await?;
    let Some(kept) = idempotency::find(&mut db, &post.person_id, &post.key).await? else {
        return Ok(None);
    };
    if kept.route != post.route || kept.body_digest != post.body_digest {
        return Err(ApiError::conflict("platform.idempotency_key_reused"));
    }
    if kept.status == 0 {
        return Err(ApiError::conflict("platform.idempotency_key_busy"));
    }
    let status = StatusCode::from_u16(kept.status).map_err(ApiError::bug)?;
    Ok(Some(
        (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            kept.reply,
        )
            .into_response(),
    ))
}
