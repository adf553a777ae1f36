//! Print the application form, before filing to be stamped and scanned, or afterwards from the record.
//! Spec: YC-29.2, PDS-12, PDS-13.

use axum::{Json, extract::Path, response::Response};
use jiff::Timestamp;
use tongqu_domain::{
    access::{Action, Subject},
    ids::{DepartmentId, PersonId},
    law::{Pack, Process},
    request::SharingRequest,
};

use super::{asked::check, file::FileBody, preview::requester, read::load, rules::undertakings};
use crate::{
    features::{
        attachment::{self, AttachmentKind},
        catalogue::{self, Entry, Version},
        directory::{self, Department},
        forms::{self, Applicant, Application, application_form, form_step, printed},
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem},
    },
};

/// Print the application form of what would be filed; nothing is stored.
#[utoipa::path(post, path = "/requests/form.pdf", tag = "request", operation_id = "print_application",
    request_body = FileBody,
    responses((status = 200, content_type = "application/pdf", body = [u8]), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn print_application(ctx: Ctx, Json(body): Json<FileBody>) -> Result<Response, ApiError> {
    ctx.must(Action::FileRequest, &Subject::Department(ctx.department()))?;
    let mut db = ctx.read().await?;
    let asking = requester(&ctx, &mut db).await?;
    let asked = check(&ctx, &mut db, &body, &asking).await?;
    let process = asked
        .pack
        .process(&asked.process)
        .ok_or_else(|| ApiError::bug("a checked request names a process that isn't there"))?;
    let paper = Paper {
        pack: &asked.pack,
        process,
        number: "",
        filed_at: ctx.now,
        content: &asked.content,
        version: &asked.version,
        entry: &asked.entry,
        requester: ctx.department(),
        filed_by: &ctx.actor.person,
        attachments: Vec::new(),
    };
    print(&ctx, &mut db, paper, "application.pdf").await
}

/// Print the application form of a request that was filed.
#[utoipa::path(get, path = "/requests/{request_id}/form.pdf", tag = "request", operation_id = "print_request",
    params(("request_id" = String, Path)),
    responses((status = 200, content_type = "application/pdf", body = [u8]), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn print_request(ctx: Ctx, Path(request_id): Path<String>) -> Result<Response, ApiError> {
    let (request, row) = load(&ctx, &request_id).await?;
    let mut db = ctx.read().await?;
    let content = &request.content;
    let missing = |what| ApiError::bug(format!("a request names {what} that isn't there"));
    let entry = catalogue::find_entry(&mut db, &content.entry_id)
        .await?
        .ok_or_else(|| missing("an entry"))?;
    let version = catalogue::find_version(&mut db, &content.entry_id, content.version_no)
        .await?
        .ok_or_else(|| missing("a version"))?;
    let process = row
        .pack
        .process(&row.case.head().process)
        .ok_or_else(|| missing("a process"))?;
    // The stamped form is this very paper.
    let attachments = attachment::of_case(&mut db, &request.case_id)
        .await?
        .into_iter()
        .filter(|file| file.kind != AttachmentKind::SealedForm)
        .map(|file| file.name)
        .collect();
    let paper = Paper {
        pack: &row.pack,
        process,
        number: &row.number,
        filed_at: request.created_at,
        content,
        version: &version,
        entry: &entry,
        requester: &request.requester,
        filed_by: &request.filed_by,
        attachments,
    };
    print(&ctx, &mut db, paper, &format!("{}.pdf", row.number)).await
}

/// What is printed, before names are looked up.
struct Paper<'a> {
    pack: &'a Pack,
    process: &'a Process,
    number: &'a str,
    filed_at: Timestamp,
    content: &'a SharingRequest,
    version: &'a Version,
    entry: &'a Entry,
    requester: &'a DepartmentId,
    filed_by: &'a PersonId,
    attachments: Vec<String>,
}

async fn print(
    ctx: &Ctx,
    db: &mut Db,
    paper: Paper<'_>,
    file_name: &str,
) -> Result<Response, ApiError> {
    let step = form_step(paper.process).ok_or_else(|| ApiError::bug("a process without steps"))?;
    let requester = department(db, paper.requester).await?;
    let provider = department(db, &paper.entry.department_id).await?;
    let applicant = forms::applicant(db, paper.filed_by)
        .await?
        .unwrap_or(Applicant {
            name: String::new(),
            phone: String::new(),
        });
    let undertakings: Vec<String> = undertakings(paper.pack)
        .iter()
        .map(|it| it.name.clone())
        .collect();
    let form = application_form(&Application {
        pack: paper.pack,
        process: paper.process,
        step,
        number: paper.number,
        filed_at: paper.filed_at,
        printed_at: ctx.now,
        content: paper.content,
        entry: &paper.version.content,
        resource_code: &paper.entry.code.to_string(),
        requester: &requester,
        provider: &provider,
        applicant: &applicant,
        undertakings: &undertakings,
        attachments: &paper.attachments,
    });
    printed(form, file_name).await
}

async fn department(db: &mut Db, id: &DepartmentId) -> Result<Department, ApiError> {
    directory::find_department(db, id)
        .await?
        .ok_or_else(|| ApiError::bug("a party is no department"))
}
