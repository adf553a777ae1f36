//! The sharing class of an entry as others determine it: what has to be approved before a version is
//! published, and what a determination changes.
//!
//! Who determines, and whether anybody does, is the rule pack's. Spec: TP-9c, TP-9d, LY-10.3.

use tongqu_domain::{
    catalogue::{EntryContent, VersionState},
    ids::{EntryId, PersonId},
    law::{BarredAct, Event, FactValue, Facts, Pack, Standing},
    time::china_date,
};

use super::{publish::publish, store, submit::version_error};
use crate::{
    app::App,
    features::case::{self, Between, CaseRow},
    platform::{
        db::{Db, Tx},
        evidence::Entry,
        http::ApiError,
    },
};

/// Refuses what may not be published yet: the regulation asks for a determination that isn't there, or
/// the class was determined to be another.
///
/// Errors: `catalogue.approval_needed` with the process to begin and its clause,
/// `catalogue.class_determined_otherwise`.
pub(super) async fn must_be_approved(
    app: &App,
    db: &mut Db,
    listed: &store::Listed,
) -> Result<(), ApiError> {
    let content = &listed.version.content;
    let now = app.clock.now();
    let pack = case::pack_for(app, db, Some(&listed.entry.department_id), now).await?;
    let between = Between {
        requester: None,
        provider: Some(&listed.entry.department_id),
        subjects: &[("entry", listed.entry.id.as_str())],
    };
    // Where no rules are in force, none asks for anything, and no case could be begun.
    let in_force = pack.in_force_on(china_date(now)) == Standing::InForce;
    let facts = facts_of(content);
    let needed = pack.approvals_for(BarredAct::Publish, &facts);
    for approval in needed.filter(|_| in_force) {
        let shown = case::showing(app, db, &approval.process, approval.until, &between).await?;
        if shown.is_none() {
            let name = pack
                .process(&approval.process)
                .map_or("", |process| &process.name);
            return Err(ApiError::conflict("catalogue.approval_needed")
                .arg("process", name)
                .begin(&approval.process)
                .under(Some(&approval.clause)));
        }
    }
    let Some((row, class)) = determined(app, db, &pack, &between).await? else {
        return Ok(());
    };
    if class == content.sharing_class {
        return Ok(());
    }
    let name = pack
        .sharing_classes()
        .iter()
        .find(|known| known.code == class)
        .map_or(class.as_str(), |known| &known.name);
    Err(ApiError::conflict("catalogue.class_determined_otherwise")
        .arg("class", name)
        .field("sharing_class", "catalogue.class_determined_otherwise")
        .under(
            row.pack
                .process(&row.case.head().process)
                .map(|process| &process.clause),
        ))
}

fn facts_of(content: &EntryContent) -> Facts {
    Facts::from([
        (
            "class".to_owned(),
            FactValue::from(content.sharing_class.as_str()),
        ),
        (
            "base_library".to_owned(),
            FactValue::from(content.base_library.is_some()),
        ),
    ])
}

/// The newest determination of an entry's class, with the class.
async fn determined(
    app: &App,
    db: &mut Db,
    pack: &Pack,
    between: &Between<'_>,
) -> Result<Option<(CaseRow, String)>, ApiError> {
    let mut newest: Option<(CaseRow, String)> = None;
    for process in &pack.processes {
        let mut steps = process.steps.iter();
        if !steps.any(|step| {
            step.possible_events()
                .any(|event| event == Event::Classified)
        }) {
            continue;
        }
        let Some(row) = case::showing(app, db, &process.id, Event::Classified, between).await?
        else {
            continue;
        };
        let Some(class) = class_in(row.case.facts()) else {
            continue;
        };
        let is_newer = newest
            .as_ref()
            .is_none_or(|(known, _)| known.case.head().opened_at < row.case.head().opened_at);
        if is_newer {
            newest = Some((row, class));
        }
    }
    Ok(newest)
}

/// The class that a case determines: the one stated, else the one that was proposed.
#[must_use]
pub fn class_in(facts: &Facts) -> Option<String> {
    match facts.get("determined_class").or_else(|| facts.get("class")) {
        Some(FactValue::Text(class)) => Some(class.clone()),
        Some(FactValue::Bool(_)) | None => None,
    }
}

/// Gives a published entry the class that was determined, as part of the caller's write: a new version
/// with that class takes the place of the active one. What isn't published yet is held to it when it is.
///
/// Spec: TP-9c, LY-10.3 (even if the provider objects).
pub async fn determine_class(
    app: &App,
    tx: &mut Tx,
    entry_id: &EntryId,
    class: &str,
    by: &PersonId,
) -> Result<Vec<Entry>, ApiError> {
    let entry = store::find_entry(tx, entry_id)
        .await?
        .ok_or_else(|| ApiError::bug("a case names an entry that isn't there"))?;
    let Some(active_no) = entry.active_no else {
        return Ok(Vec::new());
    };
    let active = store::find_version(tx, entry_id, active_no)
        .await?
        .ok_or_else(|| ApiError::bug("an entry names an active version that isn't there"))?;
    if active.content.sharing_class == class {
        return Ok(Vec::new());
    }
    let newest = store::newest_version(tx, entry_id).await?;
    let no = newest.map_or(active_no, |version| version.no) + 1;
    let before = active.content.sharing_class.clone();
    let content = EntryContent {
        sharing_class: class.to_owned(),
        ..active.content
    };
    let state = VersionState::Draft
        .submit(tx.at(), by.clone())
        .map_err(version_error)?;
    let id = store::insert_version(tx, entry_id, no, &content, &state).await?;
    let listed = store::find_listed(tx, &id)
        .await?
        .ok_or_else(|| ApiError::bug("a version that was just saved isn't there"))?;
    let mut entries = publish(app, tx, &listed, by).await?;
    entries.push(
        Entry::by_platform("catalogue.class_determined")
            .on("version", &id)
            .with("entry_id", entry_id.as_str())
            .with("no", no)
            .with("before", before)
            .with("class", class),
    );
    Ok(entries)
}
