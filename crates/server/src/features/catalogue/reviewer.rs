//! Who reviews what departments submit: the department and the posts that the regulation names, and where it
//! names none, the authority at large. Spec: TP-11, YC-12.1, PDS-5.1.

use tongqu_domain::{
    access::{Action, Subject},
    law::{self, HandedIn},
};

use super::{store::Listed, submit::submission};
use crate::{
    features::directory::{self, ReceivedBy},
    platform::{
        db::Db,
        http::{ApiError, Ctx},
    },
};

/// Who reviews the entries of a department of this division; `None`: the regulation doesn't say.
pub(super) async fn named(
    ctx: &Ctx,
    db: &mut Db,
    division: Option<&str>,
) -> Result<Option<ReceivedBy>, ApiError> {
    let pack = ctx.app.pack();
    if pack.receiver(HandedIn::Catalogue).is_none() {
        return Ok(None);
    }
    Ok(directory::receiver(db, &pack, HandedIn::Catalogue, division).await?)
}

/// Who reviews this submission.
async fn named_for(
    ctx: &Ctx,
    db: &mut Db,
    listed: &Listed,
) -> Result<Option<ReceivedBy>, ApiError> {
    let division = directory::find_department(db, &listed.entry.department_id)
        .await?
        .map(|department| department.division_code);
    named(ctx, db, division.as_deref()).await
}

/// Goes on only if the viewer may do this with a submission.
///
/// Errors: `access.*`; `catalogue.not_submitted`.
pub(super) async fn must_review(
    ctx: &Ctx,
    listed: &Listed,
    action: Action,
) -> Result<(), ApiError> {
    let submitted = submission(listed)?;
    let mut db = ctx.read().await?;
    match named_for(ctx, &mut db, listed).await? {
        None => ctx.must(action, &submitted),
        Some(holder) => {
            let by = listed.version.submitted_by.as_ref();
            ctx.must(Action::TakeStep, &holder.step(law::Action::Publish, by))
        }
    }
}

/// Whether the viewer reviews this submission, and may publish it.
pub(super) async fn reviews(
    ctx: &Ctx,
    db: &mut Db,
    listed: &Listed,
) -> Result<Reviewing, ApiError> {
    let Ok(submitted) = submission(listed) else {
        return Ok(Reviewing::Not);
    };
    let Some(holder) = named_for(ctx, db, listed).await? else {
        return Ok(if ctx.may(Action::PublishCatalogue, &submitted) {
            Reviewing::MayPublish
        } else {
            Reviewing::Sees
        });
    };
    let by = listed.version.submitted_by.as_ref();
    let may = |filed_by| {
        ctx.may(
            Action::TakeStep,
            &holder.step(law::Action::Publish, filed_by),
        )
    };
    Ok(match (may(by), may(None)) {
        (true, _) => Reviewing::MayPublish,
        // The own submission is in the queue, for others to publish.
        (false, true) => Reviewing::Sees,
        (false, false) => Reviewing::Not,
    })
}

/// What a viewer has to do with a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reviewing {
    MayPublish,
    Sees,
    /// It is on another authority's desk.
    Not,
}

/// Goes on only with somebody who reviews.
///
/// Errors: `access.*`.
pub(super) async fn must_see_queue(ctx: &Ctx, db: &mut Db) -> Result<(), ApiError> {
    match own_desk(ctx, db).await? {
        None => ctx.must(Action::ReviewCatalogue, &Subject::Platform),
        Some(holder) => ctx.must(Action::TakeStep, &holder.step(law::Action::Review, None)),
    }
}

/// Whether the viewer reviews what departments submit, and so may read it before it is published.
pub(super) async fn is_reviewer(ctx: &Ctx, db: &mut Db) -> Result<bool, ApiError> {
    Ok(match own_desk(ctx, db).await? {
        None => ctx.may(Action::ReviewCatalogue, &Subject::Platform),
        Some(holder) => ctx.may(Action::TakeStep, &holder.step(law::Action::Review, None)),
    })
}

async fn own_desk(ctx: &Ctx, db: &mut Db) -> Result<Option<ReceivedBy>, ApiError> {
    let division = directory::find_department(db, ctx.department())
        .await?
        .map(|department| department.division_code);
    named(ctx, db, division.as_deref()).await
}
