//! Forms that are handed in with a step.

use serde::{Deserialize, Serialize};
use tongqu_domain::case::FormGiven;
use utoipa::ToSchema;

use crate::platform::{db::Db, http::ApiError};

/// A form that is handed in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormBody {
    /// The kind of seal on it, one of those that the step names; none for a form without a seal.
    #[serde(default)]
    pub seal_kind: Option<String>,
    /// The uploaded file; none for a form that is filled in online.
    #[serde(default)]
    pub attachment_id: Option<String>,
}

/// The form as a case keeps it.
pub async fn form_given(
    _db: &mut Db,
    form: Option<&FormBody>,
) -> Result<Option<FormGiven>, ApiError> {
    Ok(form.map(|form| FormGiven {
        seal_kind: form.seal_kind.clone(),
        file_digest: form.attachment_id.clone(),
        attachment: None,
    }))
}
