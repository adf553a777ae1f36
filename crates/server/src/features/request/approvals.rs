//! What has to be approved before data move under a grant. Until it is, the grant stays inactive.
//!
//! Which approvals, under which facts, is the rule pack's. Spec: TP-5.5, TP-25a, TP-25b.

use serde::Serialize;
use tongqu_domain::{
    catalogue::{EntryContent, Sensitivity},
    grant::Grant,
    law::{BarredAct, FactValue},
};
use utoipa::ToSchema;

use super::{read::Approved, store};
use crate::{
    app::App,
    features::case::{self, Between, CaseRow, ClauseView, clause_view},
    platform::{
        db::Db,
        http::{ApiError, Language},
    },
};

/// An approval that a grant needs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApprovalView {
    /// The process in which it is given; the requester begins it about the entry.
    pub process_id: String,
    pub process_name: String,
    pub clause: ClauseView,
    /// The case in which it was given; absent while there is none.
    pub case_id: Option<String>,
}

/// The approvals that a grant needs, each with the case in which it was given.
pub(super) async fn approvals_of(
    app: &App,
    db: &mut Db,
    grant: &Grant,
    row: &CaseRow,
    language: Language,
) -> Result<Vec<ApprovalView>, ApiError> {
    let pack = &row.pack;
    let mut needed = pack
        .approvals_for(BarredAct::Deliver, row.case.facts())
        .peekable();
    if needed.peek().is_none() {
        return Ok(Vec::new());
    }
    let request = store::request_of_case(db, &grant.case_id).await?;
    let mut subjects = vec![
        ("entry", grant.entry_id.as_str()),
        ("grant", grant.id.as_str()),
    ];
    subjects.extend(request.iter().map(|it| ("request", it.id.as_str())));
    let between = Between {
        requester: Some(&grant.requester),
        provider: None,
        subjects: &subjects,
    };
    let mut views = Vec::new();
    for approval in needed {
        let shown = case::showing(app, db, &approval.process, approval.until, &between).await?;
        views.push(ApprovalView {
            process_id: approval.process.to_string(),
            process_name: pack
                .process(&approval.process)
                .map(|process| language.name_of(process))
                .unwrap_or_default(),
            clause: clause_view(&approval.clause, pack),
            case_id: shown.map(|row| row.case.head().id.to_string()),
        });
    }
    Ok(views)
}

/// Whether a grant waits for an approval, so that nothing moves under it.
pub async fn awaits_approval(app: &App, db: &mut Db, grant: &Grant) -> Result<bool, ApiError> {
    let row = case::find(db, app, &grant.case_id).await?;
    Ok(is_approved(app, db, grant, &row).await? == Approved::NotYet)
}

/// The same where the case that decided the grant is at hand.
pub async fn is_approved(
    app: &App,
    db: &mut Db,
    grant: &Grant,
    decided: &CaseRow,
) -> Result<Approved, ApiError> {
    let needed = approvals_of(app, db, grant, decided, Language::Chinese).await?;
    Ok(if needed.iter().any(|view| view.case_id.is_none()) {
        Approved::NotYet
    } else {
        Approved::Yes
    })
}

/// Refuses to move data under a grant that waits for an approval.
///
/// Errors: `request.approval_needed` with the process to begin and its clause.
pub async fn must_be_approved(app: &App, db: &mut Db, grant: &Grant) -> Result<(), ApiError> {
    let row = case::find(db, app, &grant.case_id).await?;
    let needed = approvals_of(app, db, grant, &row, Language::Chinese).await?;
    match needed.into_iter().find(|view| view.case_id.is_none()) {
        None => Ok(()),
        Some(missing) => Err(ApiError::conflict("request.approval_needed")
            .arg("process", &missing.process_name)
            .begin(&missing.process_id)
            .under(Some(missing.clause.id))),
    }
}

/// Whether any of the data items asked for is marked as sensitive.
pub(super) fn is_sensitive(content: &EntryContent, columns: &[String]) -> FactValue {
    let mut asked = content
        .items
        .iter()
        .filter(|item| columns.contains(&item.code));
    FactValue::from(asked.any(|item| item.sensitivity == Sensitivity::Sensitive))
}
