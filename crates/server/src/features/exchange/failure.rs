//! Runs that failed: what is kept of them, and who is told.

use std::collections::BTreeMap;

use tongqu_domain::ids::{DepartmentId, EntryId, RunId};

use super::{
    engine::{RunError, Side},
    jobs::JobError,
    store::{self, Failure, RunStep},
};
use crate::{
    app::App,
    features::{
        directory::{self, Notice},
        request,
    },
    platform::{
        db::{DbError, Tx},
        evidence::Entry,
    },
};

/// Keeps why a run failed, tells the parties of what is new to them, and pauses deliveries if the source's table is no
/// longer what was mounted.
pub(super) async fn record_failure(
    app: &App,
    run_id: &RunId,
    entry_id: &EntryId,
    entry_name: &str,
    parties: Vec<DepartmentId>,
    error: &RunError,
    steps: &[RunStep],
) -> Result<(), JobError> {
    tracing::warn!(run = %run_id, code = error.code(), cause = %error, "a run failed");
    let failure = Failure {
        code: error.code().to_owned(),
        side: error.side(),
        column: error.column().map(str::to_owned),
        faulty_of_read: error.faulty_of_read(),
        differing: error.differing(),
    };
    let mut tx = app.registry.begin(app.clock.now()).await?;
    store::fail(&mut tx, run_id, &failure, steps).await?;
    // Who knows already isn't told with each new attempt; how often it has failed is on the page.
    let is_known = store::failed_alike_before(&mut tx, run_id, &failure.code).await?;
    let mut told = parties;
    if error.is_schema_change() {
        for subscription in store::active_subscriptions(&mut tx, entry_id).await? {
            if let Some(grant) = request::find_grant(&mut tx, &subscription.grant_id).await? {
                told.push(grant.requester);
            }
        }
        store::set_paused(&mut tx, entry_id, Some(error.code())).await?;
    }
    told.sort();
    told.dedup();
    if !is_known {
        tell(&mut tx, run_id, entry_name, &told, &failure).await?;
    }
    let side = match failure.side {
        Side::Provider => "provider",
        Side::Platform => "platform",
        Side::Requester => "requester",
    };
    let entry = Entry::by_platform("exchange.run_failed")
        .on("run", run_id)
        .with("code", failure.code);
    tx.commit(entry.with("side", side).with("entry_id", entry_id.as_str()))
        .await?;
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    run_id: &RunId,
    entry_name: &str,
    parties: &[DepartmentId],
    failure: &Failure,
) -> Result<(), DbError> {
    for to in parties {
        let mut facts = BTreeMap::from([
            ("name", entry_name.to_owned()),
            ("code", failure.code.clone()),
        ]);
        if let Some(column) = &failure.column {
            facts.insert("column", column.clone());
        }
        let notice = Notice {
            to,
            kind: "exchange.run_failed",
            subject: ("run", run_id.as_str()),
            facts,
        };
        directory::notify(tx, &notice).await?;
    }
    Ok(())
}
