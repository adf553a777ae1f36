//! Asks the departments' exchange stores whether they answer, so that a dead one is known before the next run.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::extract::State;
use futures_util::{StreamExt as _, stream};
use tokio::{sync::watch, time::Instant};
use tongqu_domain::ids::StoreId;

use super::read_nodes::{NodesView, may_watch, view};
use crate::{
    app::App,
    features::directory::{self, ExchangeStore},
    platform::{
        db::nodes::{self, StoreCheck},
        http::{ApiError, Ctx, Problem, Reply, reply},
        node,
    },
};

/// Stores that are asked at the same time.
const AT_ONCE: usize = 8;
/// A store that says nothing for so long is as good as away.
const PATIENCE: Duration = Duration::from_secs(10);
/// After the start, so that the first runs and sign-ins come first.
const FIRST_AFTER: Duration = Duration::from_secs(15);

/// Asks all stores at intervals until `stop` turns true.
pub async fn watch(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let interval = Duration::from_secs(app.config.node.store_check_s.max(1));
    let mut wait = FIRST_AFTER.min(interval);
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // A dropped sender means stop as well.
            _stopped = stop.wait_for(|stop| *stop) => return,
        }
        wait = interval;
        if let Err(error) = ask_all(&app, interval / 2).await {
            tracing::warn!(%error, "the exchange stores can't be checked");
        }
    }
}

/// Ask every exchange store now whether it answers.
#[utoipa::path(post, path = "/nodes/store-checks", tag = "nodes", operation_id = "check_stores",
    responses((status = 200, body = NodesView), (status = 403, body = Problem)))]
pub async fn check_stores(State(app): State<Arc<App>>, ctx: Ctx) -> Reply<NodesView> {
    may_watch(&ctx)?;
    ask_all(&app, Duration::ZERO).await?;
    reply(view(&ctx).await?)
}

/// Asks all stores that no node has asked within `lately`.
async fn ask_all(app: &Arc<App>, lately: Duration) -> Result<(), ApiError> {
    let mut db = app.registry.read().await?;
    let stores = directory::every_store(&mut db).await?;
    let known: BTreeMap<StoreId, StoreCheck> = nodes::store_checks(&mut db)
        .await?
        .into_iter()
        .map(|check| (check.store_id.clone(), check))
        .collect();
    drop(db);
    let now = app.clock.wall();
    let due = stores.into_iter().filter(|store| {
        known
            .get(&store.id)
            .is_none_or(|check| now.duration_since(check.checked_at).unsigned_abs() >= lately)
    });
    let mut asked =
        stream::iter(due.map(|store| ask(app.clone(), store))).buffer_unordered(AT_ONCE);
    while let Some(mut check) = asked.next().await {
        let before = known.get(&check.store_id);
        if let Some(same) = before.filter(|before| before.error_code == check.error_code) {
            check.since = same.since;
        }
        node::note_store_check(app, &check, before).await?;
    }
    Ok(())
}

async fn ask(app: Arc<App>, store: ExchangeStore) -> StoreCheck {
    let asked = Instant::now();
    let answer = match app.open_store(&store.url) {
        Ok(connector) => match tokio::time::timeout(PATIENCE, connector.ping()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.code().to_owned()),
            Err(_too_late) => Some("store.timeout".to_owned()),
        },
        Err(error) => Some(error.code().to_owned()),
    };
    let now = app.clock.wall();
    StoreCheck {
        store_id: store.id,
        node_id: app.node.id.clone(),
        checked_at: now,
        since: now,
        error_code: answer,
        latency_ms: i64::try_from(asked.elapsed().as_millis()).unwrap_or(i64::MAX),
    }
}
