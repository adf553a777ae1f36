//! What is set going when stores can be reached again.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use tongqu_connectors::Address;
use tongqu_domain::ids::{AgentId, EntryId, StoreId};

use super::{engine::Side, store};
use crate::{
    app::App,
    features::{catalogue, directory},
    platform::{evidence::Entry, http::ApiError, jobs},
};

/// What failed longer ago is left to its schedule.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24 * 31);

/// As many are set going at once; the others with their schedules.
const FAILING_MAX: u32 = 1000;

/// Starts again what failed because nobody answered at a store behind this agent, and wasn't made good since.
///
/// Errors: of the registry.
pub async fn go_on_behind(app: &App, agent: &AgentId) -> Result<(), ApiError> {
    let mut db = app.registry.read().await?;
    let behind = stores_behind(directory::every_store(&mut db).await?, agent);
    if behind.is_empty() {
        return Ok(());
    }
    let mut entries = BTreeSet::<EntryId>::new();
    let from = app.clock.now() - LOOKED_BACK;
    for failing in store::failing(&mut db, None, from, FAILING_MAX).await? {
        let run = failing.run;
        let Some(failure) = run.failure.filter(|it| it.code == "store.unreachable") else {
            continue;
        };
        let store = match (failure.side, &run.subscription_id) {
            (Side::Requester, Some(id)) => {
                let subscription = store::find_subscription(&mut db, id).await?;
                subscription.map(|it| it.store_id)
            }
            (Side::Provider, _) => Some(
                catalogue::find_mounting(&mut db, &run.entry_id)
                    .await?
                    .store_id,
            ),
            (Side::Requester | Side::Platform, _) => None,
        };
        if store.is_some_and(|id| behind.contains(&id)) {
            entries.insert(run.entry_id);
        }
    }
    drop(db);
    for entry_id in entries {
        let mut tx = app.registry.begin(app.clock.now()).await?;
        jobs::enqueue(&mut tx, catalogue::collection_job(&entry_id, None)).await?;
        let entry = Entry::by_platform("exchange.store_back").on("entry", &entry_id);
        tx.commit(entry.with("agent", agent.as_str())).await?;
    }
    Ok(())
}

fn stores_behind(stores: Vec<directory::ExchangeStore>, agent: &AgentId) -> BTreeSet<StoreId> {
    let is_behind = |url: &str| {
        Address::parse(url).is_ok_and(
            |address| matches!(address.behind_agent(), Some((it, _)) if it == agent.as_str()),
        )
    };
    let behind = stores.into_iter().filter(|store| is_behind(&store.url));
    behind.map(|store| store.id).collect()
}
