//! An upload becomes part of a case. Spec: YC-29.2, PDS-12, PDS-13.

use tongqu_domain::ids::{AttachmentId, CaseId, DepartmentId};

use super::store::{self, AttachmentRow};
use crate::platform::{db::Tx, http::ApiError};

/// Takes an upload into a step of a case, once; part of the caller's write, so that it is free again if
/// the step is refused. `department` is the one that acts.
///
/// Errors: `attachment.not_found` if there is no such upload or another department made it (which is
/// none of the asker's business), `attachment.already_used` if a case has it already.
pub async fn take(
    tx: &mut Tx,
    id: &str,
    case_id: &CaseId,
    department: &DepartmentId,
) -> Result<AttachmentRow, ApiError> {
    let not_found = || ApiError::not_found("attachment.not_found");
    let id = AttachmentId::parse(id).map_err(|_| not_found())?;
    let row = store::find(tx, &id)
        .await?
        .filter(|row| row.department_id == *department)
        .ok_or_else(not_found)?;
    if !store::bind(tx, &id, case_id).await? {
        return Err(ApiError::conflict("attachment.already_used"));
    }
    Ok(AttachmentRow {
        used_by_case: Some(case_id.clone()),
        ..row
    })
}
