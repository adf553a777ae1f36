//! The subscribers of a followed resource, each served by a task of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{
    sync::{RwLock, watch},
    task::JoinSet,
};
use tongqu_domain::ids::{EntryId, SubscriptionId};

use super::super::{jobs::JobError, store};
use super::{
    account::Accounts,
    serving::{Moved, Serving},
};
use crate::{app::App, platform::http::ApiError};

/// The tasks that serve subscribers.
pub(super) struct Served {
    app: Arc<App>,
    entry_id: EntryId,
    moved: watch::Receiver<Moved>,
    /// Held by whoever compares the whole.
    pub gate: Arc<RwLock<()>>,
    accounts: Arc<Accounts>,
    tasks: JoinSet<SubscriptionId>,
    /// What tells each of them to end.
    leave: BTreeMap<SubscriptionId, watch::Sender<bool>>,
}

impl Served {
    pub(super) fn new(
        app: Arc<App>,
        entry_id: EntryId,
        moved: watch::Receiver<Moved>,
        accounts: Arc<Accounts>,
    ) -> Self {
        Self {
            app,
            entry_id,
            moved,
            gate: Arc::default(),
            accounts,
            tasks: JoinSet::new(),
            leave: BTreeMap::new(),
        }
    }

    /// Begins to serve whoever has come, and ends with those who have gone.
    pub(super) async fn review(&mut self) -> Result<(), JobError> {
        while let Some(ended) = self.tasks.try_join_next() {
            match ended {
                Ok(id) => drop(self.leave.remove(&id)),
                Err(error) => return Err(JobError::Platform(ApiError::bug(error))),
            }
        }
        let mut db = self.app.registry.read().await?;
        let active = store::active_subscriptions(&mut db, &self.entry_id).await?;
        drop(db);
        let active: BTreeSet<SubscriptionId> = active.into_iter().map(|s| s.id).collect();
        for (id, leave) in &self.leave {
            if !active.contains(id) {
                leave.send_replace(true);
            }
        }
        for id in active {
            if self.leave.contains_key(&id) {
                continue;
            }
            let (leave, leaves) = watch::channel(false);
            let serving = Serving::new(
                self.app.clone(),
                id.clone(),
                self.moved.clone(),
                self.gate.clone(),
                self.accounts.clone(),
            );
            self.leave.insert(id.clone(), leave);
            self.tasks.spawn(async move {
                Box::pin(serving.until(leaves)).await;
                id
            });
        }
        Ok(())
    }

    /// Each finishes what it is bringing.
    pub(super) async fn leave(&mut self) {
        for leave in self.leave.values() {
            leave.send_replace(true);
        }
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(entry = %self.entry_id, %error, "a task that serves a subscriber ended badly");
            }
        }
    }
}
