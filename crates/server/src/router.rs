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
        Content, InfoBuilder, OpenApi as Document, Ref, ResponseBuilder,
        path::Operation,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::App,
    features,
    platform::{
        http::{ApiError, in_one_form, repeatable, traced},
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
        .merge(features::first_steps::routes())
        .merge(features::directory::routes())
        .merge(features::calendar::routes())
        .merge(features::catalogue::routes())
        .merge(features::sample::routes())
        .merge(features::responsibility::routes())
        .merge(features::request::routes())
        .merge(features::grant::routes())
        .merge(features::demand::routes())
        .merge(features::attachment::routes())
        .merge(features::proceeding::routes())
        .merge(features::desk::routes())
        .merge(features::exchange::routes())
        .merge(features::law::routes())
        .merge(features::ledger::routes())
        .merge(features::live::routes())
        .merge(features::nodes::routes())
        .merge(features::agent::routes())
        .merge(features::supervision::routes())
        .merge(features::stats::routes())
        .merge(features::demo::routes());
    OpenApiRouter::with_openapi(Api::openapi()).nest(API, features)
}

/// The OpenAPI document of everything that there is.
#[must_use]
pub fn openapi() -> Document {
    described().1
}

/// The routes and their document, in which each operation also names the refusals that all have in common.
fn described() -> (Router<Arc<App>>, Document) {
    let (routes, mut document) = api().split_for_parts();
    for item in document.paths.paths.values_mut() {
        let reads = [&mut item.get]
            .into_iter()
            .flatten()
            .map(|o| (o, Effect::Reads));
        let posts = [&mut item.post]
            .into_iter()
            .flatten()
            .map(|o| (o, Effect::Posts));
        let writes = [&mut item.put, &mut item.delete]
            .into_iter()
            .flatten()
            .map(|o| (o, Effect::Writes));
        for (operation, effect) in reads.chain(posts).chain(writes) {
            add_common_refusals(operation, effect);
        }
    }
    (routes, document)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    Writes,
    /// Writes and may be repeated under an `Idempotency-Key`.
    Posts,
}

/// Operations that need no session.
const FOR_GUESTS: &[&str] = &["sign_in", "set_up", "accept_invitation", "read_platform"];

fn add_common_refusals(operation: &mut Operation, effect: Effect) {
    let for_guests = operation
        .operation_id
        .as_deref()
        .is_some_and(|id| FOR_GUESTS.contains(&id));
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|p| !p.is_empty());
    let common = [
        (
            "400",
            "The request has not the form that is described here",
            has_body || has_parameters,
        ),
        ("401", "There is no session, or it has ended", !for_guests),
        (
            "403",
            "Not permitted; or the header X-Requested-With is missing",
            effect != Effect::Reads,
        ),
        (
            "409",
            "Somebody was faster; or the Idempotency-Key was used before",
            effect != Effect::Reads,
        ),
        (
            "413",
            "The body is larger than the platform takes",
            has_body,
        ),
        (
            "415",
            "The body has not the media type that is described here",
            has_body,
        ),
        (
            "422",
            "The content can't be accepted",
            has_body || effect == Effect::Posts,
        ),
        ("500", "The platform's own fault", true),
        ("503", "Something that is needed doesn't answer", true),
    ];
    for (status, description, applies) in common {
        if applies {
            operation
                .responses
                .responses
                .entry(status.to_owned())
                .or_insert_with(|| {
                    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
                    ResponseBuilder::new()
                        .description(description)
                        .content("application/json", problem)
                        .build()
                        .into()
                });
        }
    }
}

/// The whole server: API, health, portal.
pub fn router(app: Arc<App>) -> Router {
    let (api, document) = described();
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
                .layer(middleware::from_fn(in_one_form))
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
