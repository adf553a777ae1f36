//! Jobs that stand: they go on until another job waits for their lane, make way for it, and go on afterwards. They take
//! no worker from the others.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::{
    Handler, attempt, claim,
    store::{self, Sort},
};
use crate::{
    app::App,
    platform::{db::DbError, secrets::random_hex},
};

/// How often it is looked who waits. Commits aren't listened to: each would wake this instead of a worker.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// After the registry failed.
const PAUSE: Duration = Duration::from_secs(2);

/// The standing jobs that this node holds.
struct Standing {
    worker: String,
    running: JoinSet<String>,
    /// By lane: what tells the job to make way.
    signs: HashMap<String, watch::Sender<bool>>,
}

/// Runs standing jobs until `stop` turns true; then they make way, and are queued for another node.
pub(super) async fn work(app: Arc<App>, handler: Handler, mut stop: watch::Receiver<bool>) {
    let mut standing = Standing {
        worker: format!("{}-{}", app.node.id, random_hex::<4>()),
        running: JoinSet::new(),
        signs: HashMap::new(),
    };
    while !*stop.borrow() {
        if let Err(error) = standing.look(&app, handler).await {
            tracing::error!(%error, "can't look for standing work");
            tokio::time::sleep(PAUSE).await;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
            Some(ended) = standing.running.join_next(), if !standing.running.is_empty() => standing.forget(ended),
            _ = stop.changed() => {}
        }
    }
    for sign in standing.signs.values() {
        sign.send_replace(true);
    }
    while standing.running.join_next().await.is_some() {}
}

impl Standing {
    /// Tells those to make way for whom others wait, and takes what is free.
    async fn look(&mut self, app: &Arc<App>, handler: Handler) -> Result<(), DbError> {
        while let Some(ended) = self.running.try_join_next() {
            self.forget(ended);
        }
        if !self.signs.is_empty() {
            let wanted: HashSet<String> =
                store::wanted_lanes(&app.registry, app.clock.wall()).await?;
            for lane in &wanted {
                if let Some(sign) = self.signs.get(lane) {
                    sign.send_replace(true);
                }
            }
        }
        while self.signs.len() < app.config.exchange.standing_max {
            let Some(mut job) = claim(app, &self.worker, Sort::Standing).await? else {
                break;
            };
            let (sign, makes_way) = watch::channel(false);
            job.makes_way = makes_way;
            self.signs.insert(job.lane.clone(), sign);
            let (app, lane) = (app.clone(), job.lane.clone());
            self.running.spawn(async move {
                attempt(&app, handler, Sort::Standing, job).await;
                lane
            });
        }
        Ok(())
    }

    fn forget(&mut self, ended: Result<String, tokio::task::JoinError>) {
        match ended {
            Ok(lane) => drop(self.signs.remove(&lane)),
            Err(error) => tracing::error!(%error, "a standing job ended badly"),
        }
    }
}
