//! Taking a step in a request's case: load, decide, save, account. All the law is in `domain::case`.

use std::{collections::BTreeMap, sync::Arc};

use tongqu_domain::{
    case::{Act, Case, CaseOutcome, Deed, Parties, StepInput},
    grant::{Grant, GrantState, check_terms},
    ids::{EntryId, GrantId, RequestId},
    law::{Action, Event, Pack, StepId},
    request::{GrantedPart, PartialApproval},
    time::china_date,
};

use super::{
    hold, part,
    store::{self, Request},
};
use crate::{
    app::App,
    features::{
        attachment,
        case::{self, CaseRow, NewCase, refusal},
        catalogue::{self, Version},
        directory::{self, Notice},
    },
    platform::{
        db::Tx,
        evidence::{Entry, Evidence},
        http::{ApiError, Ctx, Language},
        secrets::random_hex,
    },
};

/// What an act is called in evidence and notices.
#[derive(Debug, Clone, Copy)]
pub struct Acted {
    /// Past tense, for example `request.decided`.
    pub what: &'static str,
}

/// Does `deed` in the request's case and saves what follows from it.
///
/// Errors: the case engine's refusal with its clause; `platform.changed_meanwhile` if somebody was faster.
pub async fn act(
    ctx: &Ctx,
    request: &Request,
    row: &CaseRow,
    deed: Deed,
    acted: Acted,
) -> Result<(), ApiError> {
    act_in_part(ctx, request, row, deed, acted, None).await
}

/// The same, where a decision grants a part only: in which step, and what it takes away.
pub(super) async fn act_in_part(
    ctx: &Ctx,
    request: &Request,
    row: &CaseRow,
    deed: Deed,
    acted: Acted,
    part: Option<(&StepId, &PartialApproval)>,
) -> Result<(), ApiError> {
    let act = Act {
        actor: ctx.actor.clone(),
        at: ctx.now,
        deed,
    };
    let after = row
        .case
        .apply(act, &row.pack, &ctx.app.calendar())
        .map_err(refusal)?;
    let mut tx = ctx.begin().await?;
    // Whoever goes on with a request that is held back lets the others see it.
    let shown = hold::release(&ctx.app, &mut tx, request).await?;
    case::save_steps(&mut tx, &row.case, &after, &row.pack, &ctx.app.calendar()).await?;
    attachment::bind_new(&mut tx, &after, row.case.last_seq()).await?;
    let version = catalogue::find_version(
        &mut tx,
        &request.content.entry_id,
        request.content.version_no,
    )
    .await?
    .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
    if let Some((step, part)) = part {
        store::insert_part(&mut tx, &request.id, step, part).await?;
    }
    let mut more = shown.unwrap_or_default();
    more.extend(grant_if_due(&ctx.app, &mut tx, request, &after, &row.pack, &version).await?);
    let outcome = match part {
        Some(_) => part::outcome_name(Language::Chinese).to_owned(),
        None => outcome_of(row, &after),
    };
    tell_parties(&mut tx, request, row, &version, outcome, acted).await?;
    let first = account(ctx.did(acted.what), request, row, &after);
    let first = match part {
        Some((_, part)) => part::account(first, part),
        None => first,
    };
    tx.commit(Evidence::of(first, more)).await?;
    Ok(())
}

/// The evidence of what an act has added to a request's case.
fn account(entry: Entry, request: &Request, row: &CaseRow, after: &Case) -> Entry {
    case::account(
        entry.on("request", &request.id),
        after,
        row.case.last_seq(),
        &row.pack,
    )
}

/// How the step that an act has taken ended, in a word; empty if it took none.
fn outcome_of(row: &CaseRow, after: &Case) -> String {
    after
        .events_after(row.case.last_seq())
        .iter()
        .find_map(|e| e.outcome)
        .map_or(String::new(), |o| o.label().to_owned())
}

async fn tell_parties(
    tx: &mut Tx,
    request: &Request,
    row: &CaseRow,
    version: &Version,
    outcome: String,
    acted: Acted,
) -> Result<(), ApiError> {
    for to in [&request.requester, &request.provider] {
        let notice = Notice {
            to,
            kind: acted.what,
            subject: ("request", request.id.as_str()),
            facts: BTreeMap::from([
                ("number", row.number.clone()),
                ("name", version.content.name.clone()),
                ("outcome", outcome.clone()),
            ]),
        };
        directory::notify(tx, &notice).await?;
    }
    Ok(())
}

/// Opens the grant once a delivery is due: nothing moves without one, and whether it is due is the
/// rule pack's word. Spec: PDS-5.5, PDS-10.2a, PDS-10.2b.
pub(super) async fn grant_if_due(
    app: &App,
    tx: &mut Tx,
    request: &Request,
    case: &Case,
    pack: &Arc<Pack>,
    version: &Version,
) -> Result<Vec<Entry>, ApiError> {
    let steps = case
        .steps(pack, &app.calendar(), tx.at())
        .map_err(refusal)?;
    let to_deliver = steps
        .iter()
        .find(|s| is_delivery(s.action) && s.state.is_open())
        .map(|s| &s.clause);
    // Where the regulation names no step for the delivery, the end of a request that was granted opens
    // the data. Spec: LY-11, YJ-3.2.2, TP-18.
    let consented = (case.outcome() == Some(CaseOutcome::Completed))
        .then(|| {
            pack.process(&case.head().process)
                .map(|process| &process.clause)
        })
        .flatten();
    let Some(clause) = to_deliver.or(consented) else {
        return Ok(Vec::new());
    };
    if store::grant_of_case(tx, &request.case_id).await?.is_some() {
        return Ok(Vec::new());
    }
    let today = china_date(tx.at());
    let parts: Vec<PartialApproval> = store::parts_of(tx, &request.id)
        .await?
        .into_iter()
        .map(|(_, part)| part)
        .collect();
    let granted = GrantedPart::of(&request.content, &parts, &version.content.items);
    let grant = Grant {
        id: GrantId::parse(&format!("gra-{}", random_hex::<8>())).expect("hex fits an identifier"),
        case_id: request.case_id.clone(),
        entry_id: request.content.entry_id.clone(),
        version_no: request.content.version_no,
        provider: request.provider.clone(),
        requester: request.requester.clone(),
        valid_until: granted.ends_on(today),
        masks: granted.masks,
        columns: granted.columns,
        condition: granted.condition,
        purpose: request.content.purpose.clone(),
        basis: pack
            .decider(case.facts())
            .map_or(clause, |d| &d.clause)
            .to_string(),
        valid_from: today,
        state: GrantState::Active,
    };
    let faults = check_terms(&grant, &version.content.items);
    if let Some(fault) = faults.first() {
        return Err(ApiError::bug(format!(
            "a checked request gives a faulty grant: {fault}"
        )));
    }
    store::insert_grant(tx, &grant).await?;
    let entry = Entry::by_platform("grant.opened")
        .on("grant", &grant.id)
        .with("case_id", grant.case_id.as_str())
        .with("entry_id", grant.entry_id.as_str())
        .with("requester", grant.requester.as_str())
        .with("columns", grant.columns.join(" "))
        .under(Some(grant.basis.clone()));
    let mut entries = vec![entry];
    entries.extend(begin_life(app, tx, request, &grant, case, pack, version).await?);
    Ok(entries)
}

/// Whether a step is the way in which the data get to the requester.
fn is_delivery(action: Action) -> bool {
    matches!(action, Action::Deliver | Action::Obtain)
}

/// Begins what the regulation lets accompany a grant: suspension, renewal, reclaim. Spec: YC-29.p2,
/// YC-29.p3, PDS-19.1, PDS-19.2.
async fn begin_life(
    app: &App,
    tx: &mut Tx,
    request: &Request,
    grant: &Grant,
    case: &Case,
    pack: &Arc<Pack>,
    version: &Version,
) -> Result<Vec<Entry>, ApiError> {
    let (head, tx_at) = (case.head(), tx.at());
    let new = |process| NewCase {
        pack: pack.clone(),
        process,
        parties: Parties {
            requester: Some(request.requester.clone()),
            provider: Some(request.provider.clone()),
            filed_by: None,
            bound: head.parties.bound.clone(),
        },
        // What was settled in the other case isn't a fact of this one.
        facts: head
            .facts
            .iter()
            .filter(|(name, _)| *name != "decider")
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect(),
        previous_case: None,
        subject: ("grant", grant.id.as_str()),
        title: &version.content.name,
        actor: None,
        began_at: Some(tx_at),
        input: StepInput::default(),
    };
    case::begin_on(app, tx, Event::Authorised, new, pack, &head.facts).await
}

/// Completes the delivery step of a case once the data have arrived; part of the caller's write. Does
/// nothing if the step is no longer open. Spec: PDS-10.2a, PDS-10.2c.
pub async fn complete_delivery(
    app: &App,
    tx: &mut Tx,
    request_id: &RequestId,
) -> Result<Option<Entry>, ApiError> {
    let request = store::find_request(tx, request_id)
        .await?
        .ok_or_else(|| ApiError::bug("a delivery names a request that isn't there"))?;
    let row = case::find(tx, app, &request.case_id).await?;
    let at = tx.at();
    let steps = row
        .case
        .steps(&row.pack, &app.calendar(), at)
        .map_err(refusal)?;
    let Some(step) = steps
        .iter()
        .find(|s| is_delivery(s.action) && s.state.is_open())
    else {
        return Ok(None);
    };
    let after = row
        .case
        .complete_by_machine(&step.id, at, &row.pack, &app.calendar())
        .map_err(refusal)?;
    case::save_steps(tx, &row.case, &after, &row.pack, &app.calendar()).await?;
    let version =
        catalogue::find_version(tx, &request.content.entry_id, request.content.version_no)
            .await?
            .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
    let acted = Acted {
        what: "request.delivered",
    };
    tell_parties(
        tx,
        &request,
        &row,
        &version,
        outcome_of(&row, &after),
        acted,
    )
    .await?;
    Ok(Some(account(
        Entry::by_platform("request.delivered"),
        &request,
        &row,
        &after,
    )))
}

/// Notes for every open request on an entry that waits for its data that they have arrived on the
/// platform; what is due then opens. Part of the caller's write. Spec: PDS-5.5.
pub async fn note_supplied(
    app: &App,
    tx: &mut Tx,
    entry_id: &EntryId,
) -> Result<Vec<Entry>, ApiError> {
    let mut entries = Vec::new();
    for request in store::open_requests_on_entry(tx, entry_id).await? {
        let row = case::find(tx, app, &request.case_id).await?;
        let steps = row
            .case
            .steps(&row.pack, &app.calendar(), tx.at())
            .map_err(refusal)?;
        let waiting = steps
            .into_iter()
            .find(|s| s.action == Action::Supply && s.state.is_open());
        let Some(step) = waiting else { continue };
        let after = row
            .case
            .complete_by_machine(&step.id, tx.at(), &row.pack, &app.calendar())
            .map_err(refusal)?;
        case::save_steps(tx, &row.case, &after, &row.pack, &app.calendar()).await?;
        let version =
            catalogue::find_version(tx, &request.content.entry_id, request.content.version_no)
                .await?
                .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
        let acted = Acted {
            what: "request.supplied",
        };
        tell_parties(
            tx,
            &request,
            &row,
            &version,
            outcome_of(&row, &after),
            acted,
        )
        .await?;
        entries.push(account(
            Entry::by_platform(acted.what),
            &request,
            &row,
            &after,
        ));
        entries.extend(grant_if_due(app, tx, &request, &after, &row.pack, &version).await?);
    }
    Ok(entries)
}
