//! The catalogue template to fill in. Spec: PDS-6.1, YC-10.

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use tongqu_domain::access::{Action, Subject};

use super::{import::template_options, workbook};
use crate::platform::http::{ApiError, Ctx, Problem};

/// The media type of XLSX workbooks.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Download the catalogue template as XLSX, with the codes of the rule pack in force.
#[utoipa::path(get, path = "/catalogue/template", tag = "catalogue", operation_id = "download_template",
    responses((status = 200, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = [u8]),
        (status = 403, body = Problem)))]
pub async fn download_template(ctx: Ctx) -> Result<Response, ApiError> {
    ctx.must(
        Action::CompileCatalogue,
        &Subject::Department(ctx.department()),
    )?;
    let options = template_options(&ctx.app.pack());
    let bytes = tokio::task::spawn_blocking(move || workbook::template(&options))
        .await
        .map_err(ApiError::bug)?
        .map_err(ApiError::bug)?;
    Ok(workbook_reply(bytes, "catalogue-template.xlsx"))
}

/// A workbook to be saved under `file_name`.
pub(super) fn workbook_reply(bytes: Vec<u8>, file_name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{file_name}\"");
    (
        [
            (header::CONTENT_TYPE, XLSX.to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        bytes,
    )
        .into_response()
}
