//! A request that came on paper: the platform unit enters it for the department that applied, with the scan.
//!
//! The online record decides: the clock runs from the entry, and no date of the paper is taken.
//! Spec: PDS-9.

use std::collections::BTreeMap;

use serde::Deserialize;
use tongqu_domain::{
    access::{self, Actor},
    case::FormGiven,
    ids::DepartmentId,
    law::{Action, HandedIn, Pack, ProcessId},
};
use utoipa::ToSchema;

use super::{preview::published, store::Request};
use crate::{
    features::{
        attachment::{self, FormBody},
        case,
        catalogue::Version,
        directory::{self, Department, Notice},
    },
    platform::{
        db::{Db, Tx},
        http::{ApiError, Ctx},
    },
};

/// An application on paper.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperBody {
    /// The department that applied.
    pub department_id: String,
    /// The scan, uploaded before.
    pub attachment_id: String,
    /// The kind of seal on it, where the first step needs one.
    #[serde(default)]
    pub seal_kind: Option<String>,
}

/// The department that applied, if the viewer may enter what it asks.
///
/// Errors: `request.not_on_paper` where the regulation knows no applications on paper, `access.*`.
pub(super) async fn applied_on_paper(
    ctx: &Ctx,
    db: &mut Db,
    entry_id: &str,
    paper: &PaperBody,
) -> Result<Department, ApiError> {
    may_enter(ctx, db, entry_id, &paper.department_id).await
}

/// The same before anything is filed.
pub(super) async fn may_enter(
    ctx: &Ctx,
    db: &mut Db,
    entry_id: &str,
    department_id: &str,
) -> Result<Department, ApiError> {
    let (entry, _) = published(db, entry_id).await?;
    let pack = case::pack_for(&ctx.app, db, Some(&entry.department_id), ctx.now).await?;
    if pack.receiver(HandedIn::PaperApplications).is_none() {
        return Err(
            ApiError::invalid("request.not_on_paper").field("on_paper", "request.not_on_paper")
        );
    }
    let not_there = || {
        ApiError::invalid("directory.invalid")
            .field("on_paper.department_id", "directory.department_id")
    };
    let id = DepartmentId::parse(department_id).map_err(|_| not_there())?;
    let department = directory::find_department(db, &id)
        .await?
        .filter(Department::is_active)
        .ok_or_else(not_there)?;
    let division = Some(department.division_code.as_str());
    let holder = directory::receiver(db, &pack, HandedIn::PaperApplications, division)
        .await?
        .ok_or_else(|| ApiError::bug("somebody works for a platform that wasn't set up"))?;
    ctx.must(access::Action::TakeStep, &holder.step(Action::File, None))?;
    Ok(department)
}

/// The scan as the form of the case.
///
/// Errors: `attachment.not_found`.
pub(super) async fn scan(ctx: &Ctx, db: &mut Db, paper: &PaperBody) -> Result<FormGiven, ApiError> {
    let form = FormBody {
        seal_kind: paper.seal_kind.clone(),
        attachment_id: Some(paper.attachment_id.clone()),
    };
    attachment::form_given(db, ctx.department(), Some(&form))
        .await?
        .ok_or_else(|| ApiError::not_found("attachment.not_found"))
}

/// The person who enters it, as acting for the department that applied: its paper stands for the post that
/// the first step asks for.
pub(super) fn acting_for(
    ctx: &Ctx,
    department: &DepartmentId,
    pack: &Pack,
    process: &ProcessId,
) -> Actor {
    let posts = pack
        .process(process)
        .and_then(|process| process.steps.first())
        .and_then(|step| pack.role(&step.role))
        .map(|role| role.posts.clone())
        .unwrap_or_default();
    Actor {
        contractor: ctx.actor.contractor,
        ..Actor::new(
            ctx.actor.person.clone(),
            department.clone(),
            posts,
            ctx.actor.today,
        )
    }
}

/// Gives the scan to the case: it is the entering department's upload, and the case is the applicant's.
///
/// Errors: `attachment.not_found`, `attachment.already_used`.
pub(super) async fn keep_scan(
    ctx: &Ctx,
    tx: &mut Tx,
    paper: &PaperBody,
    request: &Request,
) -> Result<(), ApiError> {
    let id = &paper.attachment_id;
    attachment::take(tx, id, &request.case_id, ctx.department()).await?;
    Ok(())
}

/// Tells the department that applied that its application is on record, where others entered it.
pub(super) async fn tell_applicant(
    tx: &mut Tx,
    request: &Request,
    number: &str,
    version: &Version,
) -> Result<(), ApiError> {
    if request.entered_by.is_none() {
        return Ok(());
    }
    let notice = Notice {
        to: &request.requester,
        kind: "request.entered",
        subject: ("request", request.id.as_str()),
        facts: BTreeMap::from([
            ("number", number.to_owned()),
            ("name", version.content.name.clone()),
        ]),
    };
    directory::notify(tx, &notice).await?;
    Ok(())
}
