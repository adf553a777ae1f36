//! What becomes of a grant with time: its term ends, it is used, it lies unused, it is asked for again.
//!
//! The case that accompanies a grant watches these; what follows is its steps', and a person takes them.
//! Nothing is revoked here. Spec: PDS-19.2, YC-29.p3.

use std::collections::BTreeMap;

use tongqu_domain::{
    access::Actor,
    case::{Act, Case, Deed, StepInput},
    grant::{Grant, Standing},
    ids::{CaseId, DepartmentId, EntryId, GrantId},
    law::{Action, ClauseId, Event, StepId},
    time::china_date,
};

use super::store;
use crate::{
    app::App,
    features::{
        case::{self, CaseRow, refusal},
        catalogue,
        directory::{self, Notice},
    },
    platform::{
        db::{Db, Tx},
        evidence::Entry,
        http::{ApiError, Ctx},
    },
};

/// Grants looked at, at once.
const BATCH_ROWS: u32 = 200;

/// The open cases that accompany a grant.
async fn lives(db: &mut Db, app: &App, id: &GrantId) -> Result<Vec<CaseRow>, ApiError> {
    let mut rows = Vec::new();
    for line in case::open_about(db, ("grant", id.as_str())).await? {
        rows.push(case::find(db, app, &line.case_id).await?);
    }
    Ok(rows)
}

/// Notes once for every grant whose term has ended that it has: in its case, as evidence and to both
/// parties. Deliveries have stopped by themselves. Gives how many.
///
/// Spec: PDS-19.2, YC-29.p3.
pub async fn note_expired(app: &App) -> Result<u32, ApiError> {
    let mut noted = 0;
    loop {
        let today = china_date(app.clock.now());
        let mut db = app.registry.read().await?;
        let grants = store::expired_unnoted(&mut db, today, BATCH_ROWS).await?;
        // The connection goes back before the write, which waits for the only writer of an embedded registry.
        drop(db);
        if grants.is_empty() {
            return Ok(noted);
        }
        for grant in grants {
            noted += u32::from(expire(app, &grant).await?);
        }
    }
}

/// Whether it wasn't noted before.
async fn expire(app: &App, grant: &Grant) -> Result<bool, ApiError> {
    let mut tx = app.registry.begin(app.clock.now()).await?;
    if !store::mark_expired(&mut tx, &grant.id).await? {
        return Ok(false);
    }
    let mut clause = None;
    for row in lives(&mut tx, app, &grant.id).await? {
        if let Some(after) = noted(app, &mut tx, &row, Event::GrantExpired).await? {
            clause = clause.or(opened_by(&row, &after, Event::GrantExpired));
        }
    }
    let parties = [&grant.requester, &grant.provider];
    tell(&mut tx, grant, "grant.expired", &parties, clause.as_ref()).await?;
    let entry = Entry::by_platform("grant.expired")
        .on("grant", &grant.id)
        .with("valid_until", grant.valid_until.map(|day| day.to_string()))
        .under(clause.map(|clause| clause.to_string()));
    tx.commit(entry).await?;
    Ok(true)
}

/// Notes an outside event in a case that watches for it; `None` if it doesn't.
async fn noted(
    app: &App,
    tx: &mut Tx,
    row: &CaseRow,
    event: Event,
) -> Result<Option<Case>, ApiError> {
    let calendar = app.calendar();
    let Ok(after) = row.case.note(event, tx.at(), &row.pack, &calendar) else {
        return Ok(None);
    };
    case::save_steps(tx, &row.case, &after, &row.pack, &calendar).await?;
    Ok(Some(after))
}

/// The clause of a step that an event has opened.
fn opened_by(row: &CaseRow, after: &Case, event: Event) -> Option<ClauseId> {
    let process = row.pack.process(&row.case.head().process)?;
    let mut open = after.open_steps().filter_map(|id| process.step(id));
    open.find(|step| step.opens_on.contains(&event))
        .map(|step| step.clause.clone())
}

/// Notes that a grant was used, at most once a day; a proposal to reclaim it falls away. Part of the
/// caller's write. Spec: PDS-19.2, YC-29.p3.
pub async fn note_used(app: &App, tx: &mut Tx, grant: &Grant) -> Result<(), ApiError> {
    let today = china_date(tx.at());
    for row in lives(tx, app, &grant.id).await? {
        let known_today =
            row.case.events().iter().rev().any(|event| {
                event.events.contains(&Event::LastUsed) && china_date(event.at) == today
            });
        if !known_today {
            noted(app, tx, &row, Event::LastUsed).await?;
        }
    }
    store::unmark_proposed(tx, &grant.id).await?;
    Ok(())
}

/// Proposes to the provider to reclaim every grant that the regulation lets it reclaim for not having
/// been used, once each. Whether it does is its decision; an exception on record means no proposal.
///
/// Spec: PDS-19.2, YC-29.p3.
pub async fn propose_reclaims(app: &App) -> Result<u32, ApiError> {
    let mut proposed = 0;
    let mut after = String::new();
    loop {
        let mut db = app.registry.read().await?;
        let grants = store::active_unproposed(&mut db, &after, BATCH_ROWS).await?;
        let Some(last) = grants.last() else {
            return Ok(proposed);
        };
        last.id.as_str().clone_into(&mut after);
        let mut due = Vec::new();
        for grant in grants {
            if let Some(clause) = reclaimable(app, &mut db, &grant).await? {
                due.push((grant, clause));
            }
        }
        drop(db);
        for (grant, clause) in due {
            proposed += u32::from(propose(app, &grant, &clause).await?);
        }
    }
}

/// The clause by which a grant in force may be reclaimed today; `None` if it may not.
async fn reclaimable(app: &App, db: &mut Db, grant: &Grant) -> Result<Option<ClauseId>, ApiError> {
    let now = app.clock.now();
    let today = china_date(now);
    if grant.standing_on(today) != Standing::InForce {
        return Ok(None);
    }
    for row in lives(db, app, &grant.id).await? {
        let steps = row
            .case
            .steps(&row.pack, &app.calendar(), now)
            .map_err(refusal)?;
        let due = steps.into_iter().find(|step| {
            step.action == Action::Reclaim
                && step.state.is_open()
                && step.earliest_on.is_some_and(|day| day <= today)
        });
        if let Some(step) = due {
            return Ok(Some(step.clause));
        }
    }
    Ok(None)
}

async fn propose(app: &App, grant: &Grant, clause: &ClauseId) -> Result<bool, ApiError> {
    let mut tx = app.registry.begin(app.clock.now()).await?;
    if !store::mark_proposed(&mut tx, &grant.id).await? {
        return Ok(false);
    }
    // The requester learns of it too: it may know of a need that returns with the season.
    let parties = [&grant.provider, &grant.requester];
    tell(
        &mut tx,
        grant,
        "grant.reclaim_proposed",
        &parties,
        Some(clause),
    )
    .await?;
    let entry = Entry::by_platform("grant.reclaim_proposed")
        .on("grant", &grant.id)
        .with("provider", grant.provider.as_str())
        .under(Some(clause.to_string()));
    tx.commit(entry).await?;
    Ok(true)
}

async fn tell(
    tx: &mut Tx,
    grant: &Grant,
    kind: &'static str,
    to: &[&DepartmentId],
    clause: Option<&ClauseId>,
) -> Result<(), ApiError> {
    let request = store::request_of_case(tx, &grant.case_id).await?;
    let name = catalogue::find_entry(tx, &grant.entry_id)
        .await?
        .map(|entry| entry.name)
        .unwrap_or_default();
    let subject = request
        .as_ref()
        .map_or(("grant", grant.id.as_str()), |request| {
            ("request", request.id.as_str())
        });
    for department in to {
        let notice = Notice {
            to: department,
            kind,
            subject,
            facts: BTreeMap::from([
                ("name", name.clone()),
                (
                    "valid_until",
                    grant
                        .valid_until
                        .map(|day| day.to_string())
                        .unwrap_or_default(),
                ),
                (
                    "clause",
                    clause.map(ToString::to_string).unwrap_or_default(),
                ),
            ]),
        };
        directory::notify(tx, &notice).await?;
    }
    Ok(())
}

/// Takes the step with which the `actor`'s department asks again after the term, for every expired grant that it
/// holds on an entry: a new request is that step. Part of the caller's write.
///
/// Spec: PDS-19.2, YC-29.p3.
pub(super) async fn renew(
    ctx: &Ctx,
    tx: &mut Tx,
    actor: &Actor,
    entry_id: &EntryId,
) -> Result<Vec<Entry>, ApiError> {
    let today = china_date(ctx.now);
    let calendar = ctx.app.calendar();
    let mut entries = Vec::new();
    for grant in store::grants_held(tx, &actor.department, entry_id).await? {
        if grant.standing_on(today) != Standing::Expired {
            continue;
        }
        for row in lives(tx, &ctx.app, &grant.id).await? {
            let Some(step) =
                renewal(&row).filter(|step| row.case.may_take(actor, step, &row.pack).is_ok())
            else {
                continue;
            };
            let act = Act {
                actor: actor.clone(),
                at: ctx.now,
                deed: Deed::TakeStep {
                    step,
                    input: StepInput::default(),
                },
            };
            let after = row.case.apply(act, &row.pack, &calendar).map_err(refusal)?;
            case::save_steps(tx, &row.case, &after, &row.pack, &calendar).await?;
            entries.push(case::account(
                ctx.did("case.step_taken").on("case", &row.case.head().id),
                &after,
                row.case.last_seq(),
                &row.pack,
            ));
        }
    }
    Ok(entries)
}

/// The open step that is a new application after the term.
fn renewal(row: &CaseRow) -> Option<StepId> {
    let process = row.pack.process(&row.case.head().process)?;
    let mut open = row.case.open_steps().filter_map(|id| process.step(id));
    open.find(|step| {
        step.opens_on.contains(&Event::GrantExpired)
            && step.done_by.contains(&Event::ApplicationSubmitted)
    })
    .map(|step| step.id.clone())
}

/// The open case that accompanies a grant, and since when a reclaim is proposed.
pub(super) async fn life_of(
    db: &mut Db,
    id: &GrantId,
) -> Result<(Option<CaseId>, Option<jiff::Timestamp>), ApiError> {
    let life = case::open_about(db, ("grant", id.as_str())).await?;
    let proposed_at = store::proposed_at(db, id).await?;
    Ok((
        life.into_iter().next().map(|line| line.case_id),
        proposed_at,
    ))
}
