//! Open an attachment. Its own department may, and whoever may read the case that it belongs to.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse as _, Response},
};
use tongqu_domain::{
    access::{Action, Subject},
    ids::{AttachmentId, DepartmentId},
};

use super::{
    store::{self, AttachmentRow},
    views::AttachmentView,
};
use crate::{
    features::directory,
    platform::{
        db::Db,
        files,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// Download an attachment.
#[utoipa::path(get, path = "/attachments/{attachment_id}", tag = "attachment", operation_id = "download_attachment",
    params(("attachment_id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = [u8]),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn download_attachment(
    ctx: Ctx,
    Path(attachment_id): Path<String>,
) -> Result<Response, ApiError> {
    let mut db = ctx.read().await?;
    let row = load(&ctx, &mut db, &attachment_id).await?;
    drop(db);
    let dir = ctx.app.config.data_dir().join("files");
    let digest = row.digest.clone();
    let bytes = tokio::task::spawn_blocking(move || files::read(&dir, &digest))
        .await
        .map_err(ApiError::bug)?
        .map_err(ApiError::bug)?;
    // Saved, never shown in a page of ours: what others uploaded mustn't run here.
    let headers = [
        (header::CONTENT_TYPE, row.content_type.clone()),
        (header::CONTENT_DISPOSITION, disposition(&row)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// What an attachment is.
#[utoipa::path(get, path = "/attachments/{attachment_id}/info", tag = "attachment", operation_id = "read_attachment",
    params(("attachment_id" = String, Path)),
    responses((status = 200, body = AttachmentView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_attachment(ctx: Ctx, Path(attachment_id): Path<String>) -> Reply<AttachmentView> {
    let mut db = ctx.read().await?;
    let row = load(&ctx, &mut db, &attachment_id).await?;
    let people = directory::people_names(&mut db).await?;
    let name = people.get(row.uploaded_by.as_str()).cloned();
    reply(AttachmentView::of(&row, name.unwrap_or_default()))
}

async fn load(ctx: &Ctx, db: &mut Db, id: &str) -> Result<AttachmentRow, ApiError> {
    let not_found = || ApiError::not_found("attachment.not_found");
    let id = AttachmentId::parse(id).map_err(|_| not_found())?;
    let row = store::find(db, &id).await?.ok_or_else(not_found)?;
    may_read(ctx, db, &row).await?;
    Ok(row)
}

/// Goes on only if the asker may open the attachment: one of the department that uploaded it, or
/// somebody who may read the case that has taken it.
///
/// Errors: `attachment.not_found` for an upload of others that belongs to no case yet, `access.*` for one
/// that belongs to a case of others.
pub async fn may_read(ctx: &Ctx, db: &mut Db, row: &AttachmentRow) -> Result<(), ApiError> {
    if row.department_id == *ctx.department() {
        let own = [&row.department_id];
        return ctx.must(Action::ReadCase, &Subject::Parties(&own));
    }
    let parties = match &row.used_by_case {
        Some(case_id) => store::parties_of(db, case_id).await?,
        None => None,
    };
    let parties = parties.ok_or_else(|| ApiError::not_found("attachment.not_found"))?;
    let departments: Vec<&DepartmentId> = parties
        .requester
        .iter()
        .chain(&parties.provider)
        .chain(parties.bound.values())
        .collect();
    ctx.must(Action::ReadCase, &Subject::Parties(&departments))
}

/// RFC 6266: a plain name for old programs, the real one for the others.
fn disposition(row: &AttachmentRow) -> String {
    let ending = row.name.rsplit('.').next().unwrap_or_default();
    format!(
        "attachment; filename=\"{}.{ending}\"; filename*=UTF-8''{}",
        row.id,
        percent_encoded(&row.name)
    )
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
