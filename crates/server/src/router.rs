//! The list of features and their URL prefix, and the layers around them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode},
    middleware,
    routing::get,
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer,
    set_header::SetResponseHeaderLayer, timeout::TimeoutLayer,
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        InfoBuilder, OpenApi as Document,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::App,
    features,
    platform::{
        http::{ApiError, repeatable, traced},
        web_assets,
    },
};

/// Where the REST API lives.
const API: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(modifiers(&SessionCookie))]
struct Api;

struct SessionCookie;

impl Modify for SessionCookie {
    fn modify(&self, document: &mut Document) {
        document.info = InfoBuilder::new()
            .title("Tongqu 通衢")
            .description(Some(
                "Government data sharing and exchange: catalogue, requests, exchange, evidence.",
            ))
            .version(env!("CARGO_PKG_VERSION"))
            .build();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("tongqu_session")));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", cookie);
    }
}

fn api() -> OpenApiRouter<Arc<App>> {
    let features = OpenApiRouter::new()
        .merge(features::session::routes())
        .merge(features::home::routes())
        .merge(features::directory::routes())
        .merge(features::catalogue::routes())
        .merge(features::request::routes())
        .merge(features::desk::routes())
        .merge(features::exchange::routes())
        .merge(features::ledger::routes())
        .merge(features::demo::routes());
    OpenApiRouter::with_openapi(Api::openapi()).nest(API, features)
}

/// The OpenAPI document of everything that there is.
#[must_use]
pub fn openapi() -> Document {
    api().split_for_parts().1
}

/// The whole server: API, health, portal.
pub fn router(app: Arc<App>) -> Router {
    let (api, document) = api().split_for_parts();
    let document = Arc::new(document);
    let limits = &app.config.server;
    let hardening = ServiceBuilder::new()
        .layer(always("x-content-type-options", "nosniff"))
        .layer(always("referrer-policy", "same-origin"))
        .layer(always("x-frame-options", "DENY"))
        .layer(always(
            "content-security-policy",
            "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'self'; \
             form-action 'self'; frame-ancestors 'none'",
        ));
    api.layer(middleware::from_fn_with_state(app.clone(), repeatable))
        .route(
            "/api/v1/openapi.json",
            get(move || async move { axum::Json(document.as_ref().clone()) }),
        )
        .route("/api/{*rest}", axum::routing::any(no_such_operation))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .fallback(web_assets::serve)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(traced))
                .layer(CatchPanicLayer::custom(|_| {
                    axum::response::IntoResponse::into_response(ApiError::bug(
                        "an operation panicked",
                    ))
                }))
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Duration::from_secs(limits.request_timeout_s),
                ))
                .layer(CompressionLayer::new()),
        )
        .layer(hardening)
        .with_state(app)
}

fn always(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}

async fn no_such_operation() -> ApiError {
    ApiError::not_found("platform.no_such_operation")
}

/// Ready once the registry answers.
async fn ready(
    axum::extract::State(app): axum::extract::State<Arc<App>>,
) -> Result<&'static str, ApiError> {
    app.registry.read().await?;
    Ok("ok")
}
