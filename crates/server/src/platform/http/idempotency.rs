//! A POST that is repeated with the same `Idempotency-Key` gives the first reply again.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts as _, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};

use super::{ApiError, Ctx};
use crate::{
    app::App,
    platform::db::idempotency::{self, KeptReply},
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
    let body = to_bytes(body, app.config.server.body_bytes_max)
        .await
        .map_err(|e| ApiError::invalid("platform.body_too_large").because(e))?;
    let asked = Asked {
        person_id: ctx.actor.person.to_string(),
        key,
        route: format!("{} {}", parts.method, parts.uri.path()),
        body_digest: hex::encode(Sha256::digest(&body)),
    };
    if let Some(earlier) = asked.find_reply(&ctx).await? {
        return Ok(earlier);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, app.config.server.body_bytes_max)
        .await
        .map_err(ApiError::bug)?;
    asked.keep_reply(&ctx, head.status, &body).await?;
    Ok(Response::from_parts(head, Body::from(body)))
}

struct Asked {
    person_id: String,
    key: String,
    route: String,
    body_digest: String,
}

impl Asked {
    async fn find_reply(&self, ctx: &Ctx) -> Result<Option<Response>, ApiError> {
        let mut db = ctx.read().await?;
        let row = idempotency::find(&mut db, &self.person_id, &self.key).await?;
        let Some(row) = row else { return Ok(None) };
        if row.route != self.route || row.body_digest != self.body_digest {
            return Err(ApiError::conflict("platform.idempotency_key_reused"));
        }
        let status = StatusCode::from_u16(row.status).map_err(ApiError::bug)?;
        Ok(Some(
            (
                status,
                [(header::CONTENT_TYPE, "application/json")],
                row.reply,
            )
                .into_response(),
        ))
    }

    async fn keep_reply(
        &self,
        ctx: &Ctx,
        status: StatusCode,
        body: &Bytes,
    ) -> Result<(), ApiError> {
        let mut tx = ctx.begin().await?;
        let reply = String::from_utf8_lossy(body).into_owned();
        let kept = KeptReply {
            route: self.route.clone(),
            body_digest: self.body_digest.clone(),
            status: status.as_u16(),
            reply,
        };
        idempotency::keep(&mut tx, &self.person_id, &self.key, &kept).await?;
        tx.commit(
            ctx.did("platform.reply_kept")
                .with("route", self.route.clone()),
        )
        .await?;
        Ok(())
    }
}
