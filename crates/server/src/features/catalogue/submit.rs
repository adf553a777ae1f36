//! A department submits a version for review. Spec: PDS-6.1, PDS-5.1.

use axum::extract::Path;
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::{VersionError, check_content},
    ids::VersionId,
};

use super::{rules::content_rules, store, views::VersionLineView};
use crate::{
    features::directory,
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// Submit a draft or a returned version. It is checked once more, because the rule pack may have
/// changed since it was written.
#[utoipa::path(post, path = "/catalogue/versions/{version_id}/submission", tag = "catalogue",
    operation_id = "submit_version", params(("version_id" = String, Path)),
    responses((status = 200, body = VersionLineView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn submit_version(ctx: Ctx, Path(version_id): Path<String>) -> Reply<VersionLineView> {
    let listed = load(&ctx, &version_id).await?;
    ctx.must(
        Action::SubmitCatalogue,
        &Subject::Department(&listed.entry.department_id),
    )?;
    let faults = check_content(&listed.version.content, &content_rules(&ctx.app.pack()));
    if !faults.is_empty() {
        let error = ApiError::invalid("catalogue.content_faulty");
        return Err(faults
            .iter()
            .fold(error, |e, f| e.field(f.field.to_string(), f.code)));
    }
    let before = listed.version.clone();
    let state = before
        .state
        .clone()
        .submit(ctx.now, ctx.actor.person.clone())
        .map_err(version_error)?;
    let mut tx = ctx.begin().await?;
    store::save_state(&mut tx, &before, &state, Some(&ctx.actor.person)).await?;
    let entry = ctx
        .did("catalogue.version_submitted")
        .on("version", &before.id);
    tx.commit(
        entry
            .with("entry_id", before.entry_id.as_str())
            .with("no", before.no),
    )
    .await?;
    reload(&ctx, &before.id).await
}

/// What a review is done to: the submission, so that nobody reviews the own one.
pub(super) fn submission(listed: &store::Listed) -> Result<Subject<'_>, ApiError> {
    match &listed.version.submitted_by {
        Some(submitted_by) => Ok(Subject::Submission {
            department: &listed.entry.department_id,
            submitted_by,
        }),
        None => Err(ApiError::conflict("catalogue.not_submitted")),
    }
}

/// A version with its entry, by the id in the path.
pub(super) async fn load(ctx: &Ctx, version_id: &str) -> Result<store::Listed, ApiError> {
    let not_found = || ApiError::not_found("catalogue.version_not_found");
    let id = VersionId::parse(version_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    store::find_listed(&mut db, &id)
        .await?
        .ok_or_else(not_found)
}

/// The version as it stands now.
pub(super) async fn reload(ctx: &Ctx, id: &VersionId) -> Reply<VersionLineView> {
    let mut db = ctx.read().await?;
    let listed = store::find_listed(&mut db, id)
        .await?
        .ok_or_else(|| ApiError::bug("a version that was just saved isn't there"))?;
    let departments = directory::department_names(&mut db).await?;
    reply(VersionLineView::new(
        &listed,
        &departments,
        &ctx.app.pack(),
        ctx.language,
    ))
}

/// A life cycle's refusal as an answer.
pub(super) fn version_error(error: VersionError) -> ApiError {
    let code = error.code();
    let refusal = ApiError::new(error.kind(), code).because(&error);
    match error {
        // The page marks the field that is at fault.
        VersionError::ReasonMissing | VersionError::ReasonTooLong => refusal.field("reason", code),
        VersionError::NotPossible { .. } => refusal,
    }
}
