//! Who is asking, in which language, under which trace id.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;
use serde_json::json;
use tongqu_domain::{
    access::{Action, Actor, Because, Subject, may},
    ids::DepartmentId,
    law::Named,
};

use super::{ApiError, error::ASKED, texts};
use crate::{
    app::App,
    platform::{
        db::{Db, DbError, Tx},
        evidence::Entry,
        secrets::random_hex,
        session,
    },
};

/// The language of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    fn of(headers: &HeaderMap) -> Self {
        let wanted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        if wanted.trim_start().to_ascii_lowercase().starts_with("en") {
            Self::English
        } else {
            Self::Chinese
        }
    }

    /// The name of something in this language.
    #[must_use]
    pub fn name_of(self, named: &impl Named) -> String {
        self.of_both(named.name(), named.name_en()).to_owned()
    }

    /// That of two texts which is in this language.
    #[must_use]
    pub fn of_both<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// A signed-in person's request: the application, the actor and the instant.
pub struct Ctx {
    pub app: Arc<App>,
    pub actor: Actor,
    pub now: Timestamp,
    pub language: Language,
    /// The delegation that the last permitted act rested on, for its evidence.
    deputising: Mutex<Option<Because>>,
}

/// A request that needs no sign-in.
pub struct Guest {
    pub app: Arc<App>,
    pub now: Timestamp,
    pub language: Language,
}

impl Ctx {
    /// Begins a write recorded under this request's instant.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.app.registry.begin(self.now).await
    }

    /// Borrows a connection for reading.
    pub async fn read(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, DbError> {
        self.app.registry.read().await
    }

    /// An entry of evidence in the actor's name. If what was permitted last rested on a delegation, the entry
    /// says whose post it was and for which days.
    #[must_use]
    pub fn did(&self, what: &'static str) -> Entry {
        let entry = Entry::by(
            what,
            self.actor.person.as_str(),
            self.actor.department.as_str(),
        );
        let deputising = self
            .deputising
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*deputising {
            Some(Because::Delegation {
                role,
                by,
                department,
                first_day,
                last_day,
            }) => entry.with(
                "delegation",
                json!({
                    "by": by.as_str(),
                    "role": role.code(),
                    "department": department.as_str(),
                    "first_day": first_day.to_string(),
                    "last_day": last_day.to_string(),
                }),
            ),
            _ => entry,
        }
    }

    /// The sentence for a code in the user's language, for replies that carry one.
    #[must_use]
    pub fn sentence(&self, code: &str, args: &[(&'static str, String)]) -> String {
        texts::sentence(code, self.language, args)
    }

    /// Whether the actor may do `action` to `subject`.
    #[must_use]
    pub fn may(&self, action: Action, subject: &Subject<'_>) -> bool {
        may(&self.actor, action, subject).allowed
    }

    /// Goes on only if the actor may.
    ///
    /// Errors: `access.*`, naming what is missing.
    pub fn must(&self, action: Action, subject: &Subject<'_>) -> Result<(), ApiError> {
        let decision = may(&self.actor, action, subject);
        if decision.allowed {
            let mut deputising = self
                .deputising
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *deputising =
                matches!(decision.because, Because::Delegation { .. }).then_some(decision.because);
            return Ok(());
        }
        let what = match self.language {
            Language::Chinese => action.label(),
            Language::English => action.label_en(),
        };
        Err(ApiError::forbidden(decision.because.code()).arg("action", what))
    }

    /// The department that the actor works for.
    #[must_use]
    pub fn department(&self) -> &DepartmentId {
        &self.actor.department
    }
}

impl FromRequestParts<Arc<App>> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let guest = Guest::from_request_parts(parts, app).await?;
        let token = session::token_of(&parts.headers)
            .ok_or_else(|| ApiError::forbidden("session.required"))?;
        let mut db = app.registry.read().await?;
        let actor = (app.find_actor)(&mut db, token, guest.now).await?;
        let actor = actor.ok_or_else(|| ApiError::forbidden("session.required"))?;
        Ok(Self {
            app: app.clone(),
            actor,
            now: guest.now,
            language: guest.language,
            deputising: Mutex::new(None),
        })
    }
}

impl FromRequestParts<Arc<App>> for Guest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        refuse_forged_write(parts)?;
        Ok(Self {
            app: app.clone(),
            now: app.clock.now(),
            language: Language::of(&parts.headers),
        })
    }
}

/// A form on a foreign page can't set this header, so a write without it isn't ours. The session
/// cookie is SameSite=Strict besides.
fn refuse_forged_write(parts: &Parts) -> Result<(), ApiError> {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    if is_read || parts.headers.contains_key("x-requested-with") {
        Ok(())
    } else {
        Err(ApiError::forbidden("session.forged_write"))
    }
}

/// The outermost layer: gives each request a trace id and its language, and echoes the id.
pub async fn traced(request: Request, next: Next) -> Response {
    let trace_id = random_hex::<8>();
    let language = Language::of(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut response = ASKED
        .scope((language, trace_id.clone()), next.run(request))
        .await;
    let status = response.status().as_u16();
    tracing::debug!(%method, path, status, trace_id, "answered");
    if let Ok(value) = trace_id.parse() {
        response.headers_mut().insert("x-trace-id", value);
    }
    response
}

/// Looks up the actor behind a session token; given by the directory when the parts are put together,
/// because the platform knows no feature.
pub type FindActor = for<'a> fn(
    &'a mut Db,
    String,
    Timestamp,
) -> std::pin::Pin<
    Box<dyn Future<Output = Result<Option<Actor>, DbError>> + Send + 'a>,
>;
