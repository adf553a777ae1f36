//! Upload a file for a step of a case. Spec: YC-29.2, PDS-12, PDS-13.

use axum::{
    body::{Body, to_bytes},
    extract::Query,
};
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::AttachmentId,
};
use utoipa::IntoParams;

use super::{
    content::{AttachmentFault, Format, IMAGE_PIXELS_MIN, recognise},
    store::{self, AttachmentRow},
    views::{AttachmentKind, AttachmentView},
};
use crate::{
    features::directory,
    platform::{
        files,
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// The longest file name that is kept, in characters.
const NAME_CHARS_MAX: usize = 120;

const MEGABYTE: usize = 1024 * 1024;

/// What is uploaded.
#[derive(Debug, Deserialize, IntoParams)]
pub struct UploadQuery {
    /// `sealed_form`, `agreement`, `minutes`, `proof`, `written_report` or `legal_basis`.
    pub kind: String,
    /// File name, for people; what the file is, its content says.
    #[serde(default)]
    pub name: String,
}

/// Upload a file (PDF, OFD, JPEG or PNG as the request body), to be taken into a step of a case later.
#[utoipa::path(post, path = "/attachments", tag = "attachment", operation_id = "upload_attachment",
    params(UploadQuery), request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = AttachmentView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn upload_attachment(
    ctx: Ctx,
    Query(query): Query<UploadQuery>,
    body: Body,
) -> Reply<AttachmentView> {
    ctx.must(Action::Attach, &Subject::Department(ctx.department()))?;
    let kind = AttachmentKind::find(&query.kind).ok_or_else(|| {
        ApiError::invalid("attachment.kind_unknown").field("kind", "attachment.kind_unknown")
    })?;
    let bytes_max = ctx.app.config.forms.attachment_bytes_max;
    let body = to_bytes(body, bytes_max).await.map_err(|e| {
        ApiError::invalid("attachment.too_large")
            .arg("megabytes", bytes_max.div_ceil(MEGABYTE))
            .because(e)
    })?;
    let bytes = u64::try_from(body.len()).map_err(ApiError::bug)?;
    let dir = ctx.app.config.data_dir().join("files");
    let kept = tokio::task::spawn_blocking(move || {
        recognise(&body).map(|format| (format, files::keep(&dir, &body)))
    });
    let (format, digest) = kept.await.map_err(ApiError::bug)?.map_err(refused)?;
    let row = AttachmentRow {
        id: AttachmentId::parse(&format!("att-{}", random_hex::<8>()))
            .expect("hex fits an identifier"),
        digest: digest.map_err(ApiError::bug)?,
        kind,
        name: file_name(&query.name, kind, format),
        content_type: format.media_type().to_owned(),
        bytes,
        department_id: ctx.department().clone(),
        uploaded_by: ctx.actor.person.clone(),
        at: ctx.now,
        used_by_case: None,
    };
    let mut tx = ctx.begin().await?;
    store::insert(&mut tx, &row).await?;
    let people = directory::people_names(&mut tx).await?;
    let uploaded = ctx
        .did("attachment.uploaded")
        .on("attachment", &row.id)
        .with("kind", row.kind.code())
        .with("digest", row.digest.as_str())
        .with("bytes", row.bytes);
    tx.commit(uploaded).await?;
    let name = people.get(row.uploaded_by.as_str()).cloned();
    reply(AttachmentView::of(&row, name.unwrap_or_default()))
}

fn refused(fault: AttachmentFault) -> ApiError {
    ApiError::new(fault.kind(), fault.code()).arg("pixels", IMAGE_PIXELS_MIN)
}

/// A name for people: the last part of a path, without control characters, ending as the content asks.
fn file_name(given: &str, kind: AttachmentKind, format: Format) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let stem: String = stem
        .chars()
        .filter(|sign| !sign.is_control() && !"<>:\"|?*".contains(*sign))
        .take(NAME_CHARS_MAX)
        .collect();
    let stem = match stem.trim() {
        "" => kind.label(),
        stem => stem,
    };
    format!("{stem}.{}", format.ending())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folders_and_the_ending_of_its_content() {
        let name = |given| file_name(given, AttachmentKind::SealedForm, Format::Pdf);
        assert_eq!(name("申请表.pdf"), "申请表.pdf");
        assert_eq!(name("C:\\扫描\\申请表.exe"), "申请表.pdf");
        assert_eq!(name("../../etc/passwd"), "passwd.pdf");
        assert_eq!(name("a\"\r\nb.pdf"), "ab.pdf");
        assert_eq!(name(""), "盖章表单.pdf");
    }
}
