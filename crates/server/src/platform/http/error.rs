//! One error type for all operations: class, stable code, faults by field, clause. The sentence that
//! a person reads is chosen by code and language; the internal chain goes to the log only, once.

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tongqu_domain::kind::Kind;
use utoipa::ToSchema;

use super::{Language, texts};
use crate::platform::db::DbError;

/// A refusal or failure on its way to the border. Boxed, because every operation's result carries room for it.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .0.code, .0.internal.as_ref().map(|i| format!(": {i}")).unwrap_or_default())]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    code: String,
    args: Vec<(&'static str, String)>,
    fields: Vec<FieldFault>,
    clause: Option<String>,
    process_id: Option<String>,
    internal: Option<String>,
    said: Option<String>,
}

/// What is wrong with one field of the input.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldFault {
    /// Name of the field as in the request body, for example `columns` or `items[3].code`.
    pub field: String,
    /// Stable code of the fault.
    pub code: String,
    /// What to do, in the user's language.
    pub message: String,
}

/// The body of every error reply.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Stable code, `<noun>.<what>`.
    pub code: String,
    /// What happened and what to do next, in the user's language.
    pub message: String,
    /// Faults by field, if the input was at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFault>,
    /// The clause that the refusal rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The process to begin first, where an approval is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<String>,
    /// Number to read over the phone.
    pub trace_id: String,
}

impl ApiError {
    /// An error with a stable code; its sentence stands in `messages.toml`.
    #[must_use]
    pub fn new(kind: Kind, code: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            code: code.into(),
            args: Vec::new(),
            fields: Vec::new(),
            clause: None,
            process_id: None,
            internal: None,
            said: None,
        }))
    }

    /// The input can't be accepted.
    #[must_use]
    pub fn invalid(code: &'static str) -> Self {
        Self::new(Kind::Invalid, code)
    }

    /// The thing isn't there or may not be seen.
    #[must_use]
    pub fn not_found(code: &'static str) -> Self {
        Self::new(Kind::NotFound, code)
    }

    /// The thing is no longer in a state for this.
    #[must_use]
    pub fn conflict(code: &'static str) -> Self {
        Self::new(Kind::Conflict, code)
    }

    /// The actor may not do this; `because` names the right that is missing.
    #[must_use]
    pub fn forbidden(code: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, code)
    }

    /// Our own fault; `internal` goes to the log.
    #[must_use]
    pub fn bug(internal: impl std::fmt::Display) -> Self {
        let mut error = Self::new(Kind::Bug, "platform.bug");
        error.0.internal = Some(internal.to_string());
        error
    }

    /// A value for a placeholder of the sentence. Names and counts, never data values.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.0.args.push((name, value.to_string()));
        self
    }

    /// A fault of one field; its sentence is chosen by `code`.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, code: impl Into<String>) -> Self {
        self.0.fields.push(FieldFault {
            field: field.into(),
            code: code.into(),
            message: String::new(),
        });
        self
    }

    /// A sentence that is made where the fault is found, in place of the one chosen by code.
    #[must_use]
    pub fn saying(mut self, sentence: String) -> Self {
        self.0.said = Some(sentence);
        self
    }

    /// A fault of one field with a sentence made where it was found.
    #[must_use]
    pub fn field_saying(mut self, field: String, code: String, message: String) -> Self {
        self.0.fields.push(FieldFault {
            field,
            code,
            message,
        });
        self
    }

    /// The clause behind the refusal.
    #[must_use]
    pub fn under(mut self, clause: Option<impl std::fmt::Display>) -> Self {
        self.0.clause = clause.map(|c| c.to_string());
        self
    }

    /// The process that has to be begun first.
    #[must_use]
    pub fn begin(mut self, process_id: impl std::fmt::Display) -> Self {
        self.0.process_id = Some(process_id.to_string());
        self
    }

    /// What the log should know; never values of data.
    #[must_use]
    pub fn because(mut self, internal: impl std::fmt::Display) -> Self {
        self.0.internal = Some(internal.to_string());
        self
    }

    /// The faults by field, with their sentences in `language`.
    #[must_use]
    pub fn localised(self, language: Language) -> Vec<FieldFault> {
        self.problem(language, "").fields
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether it is our own fault or that of what we stand on, and no answer to what was asked.
    #[must_use]
    pub fn is_bug(&self) -> bool {
        matches!(self.0.kind, Kind::Bug | Kind::Unavailable | Kind::Upstream)
    }

    fn status(&self) -> StatusCode {
        match self.0.kind {
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Forbidden if self.0.code == "session.required" => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Kind::Upstream => StatusCode::BAD_GATEWAY,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body in `language`, carrying `trace_id`.
    #[must_use]
    pub fn problem(self, language: Language, trace_id: &str) -> Problem {
        let mut parts = *self.0;
        for fault in parts.fields.iter_mut().filter(|f| f.message.is_empty()) {
            fault.message = texts::sentence(&fault.code, language, &parts.args);
        }
        let chosen = || texts::sentence(&parts.code, language, &parts.args);
        Problem {
            message: parts.said.unwrap_or_else(chosen),
            code: parts.code,
            fields: parts.fields,
            clause: parts.clause,
            process_id: parts.process_id,
            trace_id: trace_id.to_owned(),
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Stale => Self::conflict("platform.changed_meanwhile"),
            DbError::KeyTaken => Self::conflict("platform.idempotency_key_busy"),
            // Two people entered the same thing at once, and this one came second.
            _ if error.is_collision() || error.is_unique_violation() => {
                Self::conflict("platform.changed_meanwhile").because(error)
            }
            DbError::Engine(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => {
                Self::new(Kind::Unavailable, "platform.registry_away").because(error)
            }
            other => Self::bug(other),
        }
    }
}

tokio::task_local! {
    /// Language and trace id of the request under way, set by the outermost layer.
    pub(super) static ASKED: (Language, String);
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (language, trace_id) = ASKED
            .try_with(Clone::clone)
            .unwrap_or_else(|_| (Language::Chinese, String::new()));
        let status = self.status();
        if let Some(internal) = &self.0.internal {
            if matches!(self.0.kind, Kind::Bug | Kind::Unavailable | Kind::Upstream) {
                tracing::error!(code = %self.0.code, trace_id = %trace_id, cause = %internal, "request failed");
            } else {
                tracing::debug!(code = %self.0.code, trace_id = %trace_id, cause = %internal, "request refused");
            }
        }
        (status, Json(self.problem(language, &trace_id))).into_response()
    }
}

/// Gives refusals that come from below the operations (a body that isn't JSON, a path parameter that
/// isn't a number, a time-out) the form of every other problem.
pub async fn in_one_form(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_api || !is_refusal || is_problem {
        return response;
    }
    let code = match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "platform.malformed",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "platform.no_such_operation",
        StatusCode::PAYLOAD_TOO_LARGE => "platform.body_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "platform.media_type",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => "platform.timeout",
        _ => "platform.refused",
    };
    let (language, trace_id) = asked();
    let problem = ApiError::new(Kind::Invalid, code).problem(language, &trace_id);
    let mut reply = (status, Json(problem)).into_response();
    // Says which methods there are, where the method was wrong.
    let allowed: Option<HeaderValue> = response.headers().get(header::ALLOW).cloned();
    if let Some(allowed) = allowed {
        reply.headers_mut().insert(header::ALLOW, allowed);
    }
    reply
}

/// Language and trace id of the request under way.
fn asked() -> (Language, String) {
    ASKED
        .try_with(Clone::clone)
        .unwrap_or_else(|_| (Language::Chinese, String::new()))
}
