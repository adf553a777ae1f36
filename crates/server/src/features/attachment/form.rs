//! A form that is handed in with a step.

use serde::{Deserialize, Serialize};
use tongqu_domain::{
    case::{Case, FormGiven},
    ids::{AttachmentId, DepartmentId},
};
use utoipa::ToSchema;

use super::{store, take::take};
use crate::platform::{
    db::{Db, Tx},
    http::ApiError,
};

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

/// The form as a case keeps it. The upload is bound to the case by [`bind_new`], in the write of the step.
///
/// Errors: `attachment.not_found` if there is no such upload of this department.
pub async fn form_given(
    db: &mut Db,
    department: &DepartmentId,
    form: Option<&FormBody>,
) -> Result<Option<FormGiven>, ApiError> {
    let Some(form) = form else { return Ok(None) };
    let Some(id) = form.attachment_id.as_deref() else {
        return Ok(Some(FormGiven {
            seal_kind: form.seal_kind.clone(),
            file_digest: None,
            attachment: None,
        }));
    };
    let not_found = || ApiError::not_found("attachment.not_found");
    let id = AttachmentId::parse(id).map_err(|_| not_found())?;
    let row = store::find(db, &id)
        .await?
        .filter(|row| row.department_id == *department)
        .ok_or_else(not_found)?;
    Ok(Some(row.form_given(form.seal_kind.clone())))
}

/// Binds the uploads that the events after number `known` hand in to their case, each once; part of the
/// caller's write.
///
/// Errors: `attachment.not_found`, `attachment.already_used`.
pub async fn bind_new(tx: &mut Tx, case: &Case, known: u32) -> Result<(), ApiError> {
    for event in case.events_after(known) {
        let upload = event
            .form
            .as_ref()
            .and_then(|form| form.attachment.as_ref());
        if let (Some(id), Some(by)) = (upload, &event.by) {
            take(tx, id.as_str(), &case.head().id, &by.department).await?;
        }
    }
    Ok(())
}
