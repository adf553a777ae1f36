//! The border to HTTP: errors, who is asking, paging, repeatable posts.

mod ctx;
mod error;
mod idempotency;
mod outbound;
mod page;
mod texts;
#[cfg(test)]
mod texts_tests;

pub use ctx::{Ctx, FindActor, Guest, Language, traced};
pub use error::{ApiError, FieldFault, Problem, in_one_form};
pub use idempotency::repeatable;
pub use outbound::outbound_client;
pub use page::{Page, PageQuery};
pub use texts::{has_sentence, sentence};

use axum::Json;

/// What an operation answers: JSON, or a problem.
pub type Reply<T> = Result<Json<T>, ApiError>;

/// Answers `200 OK` with `value`.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the last line of an operation, whose result may be a problem"
)]
pub fn reply<T>(value: T) -> Reply<T> {
    Ok(Json(value))
}
