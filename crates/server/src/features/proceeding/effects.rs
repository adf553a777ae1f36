//! What an event of the law changes on the platform beside the case in which it happened.

use std::sync::Arc;

use tongqu_domain::{
    case::CaseEvent,
    ids::{EntryId, GrantId},
    law::{ClauseId, Event, Outcome, Step},
};

use crate::{
    app::App,
    features::{case::CaseRow, catalogue, request},
    platform::{db::Tx, evidence::Entry, http::ApiError},
};

use super::subject::SubjectKind;

/// What `happened`, an event of the case's last acts, brings about; part of the caller's write.
pub(super) async fn of(
    app: &App,
    tx: &mut Tx,
    row: &CaseRow,
    happened: Event,
    event: &CaseEvent,
) -> Result<Vec<Entry>, ApiError> {
    match happened {
        Event::GrantSuspended => {
            let ends = event.outcome == Some(Outcome::Ended);
            let change = if ends {
                request::GrantChange::End
            } else {
                request::GrantChange::Suspend
            };
            change_grant(tx, row, change, event).await
        }
        // Who may suspend lifts the suspension too. Spec: PDS-19.1, YC-29.p2.
        Event::GrantResumed => change_grant(tx, row, request::GrantChange::Resume, event).await,
        Event::GrantReclaimed => change_grant(tx, row, request::GrantChange::End, event).await,
        // The catalogue and the responsibility list made from it change in one transaction.
        // Spec: YC-14.2, YJ-3.1.2b, LY-9.1.
        Event::CatalogueUpdated | Event::ItemApproved => publish(app, tx, row, event).await,
        Event::Classified => classify(app, tx, row, event).await,
        _ => Ok(Vec::new()),
    }
}

/// Lets readers find what the events after number `known` have published; after the write.
pub(super) async fn show(app: &Arc<App>, row: &CaseRow, known: u32) -> Result<(), ApiError> {
    let published = row.case.events_after(known).iter().any(|event| {
        event.events.contains(&Event::CatalogueUpdated)
            || event.events.contains(&Event::ItemApproved)
            || event.events.contains(&Event::Classified)
    });
    if published && row.subject.0 == SubjectKind::Entry.code() {
        let id = EntryId::parse(&row.subject.1).map_err(ApiError::bug)?;
        catalogue::index_entry(app, &id).await?;
    }
    Ok(())
}

async fn change_grant(
    tx: &mut Tx,
    row: &CaseRow,
    change: request::GrantChange,
    event: &CaseEvent,
) -> Result<Vec<Entry>, ApiError> {
    if row.subject.0 != SubjectKind::Grant.code() {
        return Ok(Vec::new());
    }
    let id = GrantId::parse(&row.subject.1).map_err(ApiError::bug)?;
    let step = step_of(row, event);
    // Where the regulation asks for no ground of its own, the step that it allows is the ground.
    let clause = step.map(|step| clause_of(step, event).to_string());
    let ground = event
        .ground
        .as_deref()
        .or(event.reason.as_deref())
        .or(step.map(|step| step.name.as_str()));
    let ground = ground.unwrap_or_default();
    Ok(vec![
        request::change_grant(tx, &id, change, ground, clause).await?,
    ])
}

/// The clause of the ground that was chosen, else that of the step.
fn clause_of<'a>(step: &'a Step, event: &CaseEvent) -> &'a ClauseId {
    step.grounds
        .iter()
        .find(|ground| Some(&ground.code) == event.ground.as_ref())
        .map_or(&step.clause, |ground| &ground.clause)
}

/// The class that was determined becomes the entry's, whoever may object. Spec: TP-9c, TP-9d, LY-10.3.
async fn classify(
    app: &App,
    tx: &mut Tx,
    row: &CaseRow,
    event: &CaseEvent,
) -> Result<Vec<Entry>, ApiError> {
    let (Some(by), Some(class), true) = (
        &event.by,
        catalogue::class_in(row.case.facts()),
        row.subject.0 == SubjectKind::Entry.code(),
    ) else {
        return Ok(Vec::new());
    };
    let id = EntryId::parse(&row.subject.1).map_err(ApiError::bug)?;
    let clause = step_of(row, event).map(|step| step.clause.to_string());
    let changed = catalogue::determine_class(app, tx, &id, &class, &by.person).await?;
    let case_id = row.case.head().id.as_str();
    Ok(changed
        .into_iter()
        .map(|entry| entry.with("case_id", case_id).under(clause.clone()))
        .collect())
}

fn step_of<'a>(row: &'a CaseRow, event: &CaseEvent) -> Option<&'a Step> {
    let process = row.pack.process(&row.case.head().process)?;
    process.step(event.step.as_ref()?)
}

async fn publish(
    app: &App,
    tx: &mut Tx,
    row: &CaseRow,
    event: &CaseEvent,
) -> Result<Vec<Entry>, ApiError> {
    let (Some(by), true) = (&event.by, row.subject.0 == SubjectKind::Entry.code()) else {
        return Ok(Vec::new());
    };
    let id = EntryId::parse(&row.subject.1).map_err(ApiError::bug)?;
    catalogue::publish_submitted(app, tx, &id, &by.person).await
}
