//! The log that a provider's store holds back: how it stands, and when the store may forget it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tongqu_connectors::{ConnectorError, LogHealth, LogState, Store};

use super::super::{
    engine::{self, PoolTable, RunError},
    jobs::{JobError, payload},
    resource::Resource,
    store,
};
use super::{FollowPayload, is_followed};
use crate::{
    app::App,
    features::directory,
    platform::{
        db::change_logs::{self, HeldLog, LogStage},
        evidence::Entry,
        http::ApiError,
        jobs::Claimed,
    },
};

/// After this time without a look it is asked by whoever comes whether a log grows without end.
const LOOKED_AT_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// The log of a resource, and where its state is kept.
pub(super) struct Holding {
    app: Arc<App>,
    log: HeldLog,
}

impl Holding {
    /// The log of a resource. One of an earlier mounting is given back.
    pub(super) async fn of(
        app: &Arc<App>,
        resource: &Resource,
        held: Option<HeldLog>,
    ) -> Result<Self, JobError> {
        let now = app.clock.wall();
        let (mounting, store_id) = (&resource.mounting.id, &resource.store.id);
        let log = match held {
            Some(log) if log.mounting_id == *mounting && log.store_id == *store_id => log,
            earlier => {
                if let Some(earlier) = earlier {
                    give_back(app, &earlier, "exchange.log_given_back").await?;
                }
                HeldLog {
                    entry_id: resource.entry.id.clone(),
                    mounting_id: mounting.clone(),
                    store_id: store_id.clone(),
                    consumer: PoolTable::of(&resource.mounting, &resource.items)
                        .consumer()
                        .to_owned(),
                    stage: LogStage::Opening,
                    error_code: None,
                    since: now,
                    checked_at: now,
                    transactions: 0,
                    changed_at: None,
                    health: None,
                    lag_bytes: None,
                    retained_bytes: None,
                }
            }
        };
        Ok(Self {
            app: app.clone(),
            log,
        })
    }

    /// What it failed with when it was last tried.
    pub(super) fn fails_with(&self) -> Option<String> {
        self.log.error_code.clone()
    }

    /// Kept before the log is opened: whoever comes later knows then what there may be to be given back.
    pub(super) async fn opens(&mut self) -> Result<(), JobError> {
        if self.log.stage != LogStage::Failing {
            self.enter(LogStage::Opening, None);
        }
        self.save().await
    }

    pub(super) fn begun_anew(&mut self) {
        self.log.transactions = 0;
        self.log.changed_at = None;
    }

    pub(super) fn took_over(&mut self, transactions: u64) {
        let more = i64::try_from(transactions).unwrap_or(i64::MAX);
        self.log.transactions = self.log.transactions.saturating_add(more);
        self.log.changed_at = Some(self.app.clock.wall());
    }

    /// Asks the store how the log stands, while it is followed. What can't be asked now is asked next time.
    pub(super) async fn follows(&mut self, store: &dyn Store) -> Result<(), JobError> {
        let was_failing = self.log.stage == LogStage::Failing;
        self.enter(LogStage::Following, None);
        if let Ok(state) = store.log_state(&self.log.consumer).await {
            self.stands(&state);
        }
        self.save().await?;
        if was_failing {
            let (app, entry_id) = (&self.app, &self.log.entry_id);
            let mut tx = app.registry.begin(app.clock.now()).await?;
            store::set_paused(&mut tx, entry_id, None).await?;
            let again = Entry::by_platform("exchange.following_again").on("entry", entry_id);
            tx.commit(again).await?;
        }
        Ok(())
    }

    pub(super) async fn fails(&mut self, code: &str) -> Result<(), JobError> {
        self.enter(LogStage::Failing, Some(code.to_owned()));
        self.save().await
    }

    fn enter(&mut self, stage: LogStage, error_code: Option<String>) {
        if (self.log.stage, &self.log.error_code) != (stage, &error_code) {
            self.log.since = self.app.clock.wall();
        }
        (self.log.stage, self.log.error_code) = (stage, error_code);
    }

    fn stands(&mut self, state: &LogState) {
        stands(&mut self.log, state);
    }

    async fn save(&mut self) -> Result<(), JobError> {
        self.log.checked_at = self.app.clock.wall();
        Ok(change_logs::save(&self.app.registry, &self.log).await?)
    }
}

fn stands(log: &mut HeldLog, state: &LogState) {
    let health = match state.health {
        LogHealth::Reserved => "reserved",
        LogHealth::Extended => "extended",
        LogHealth::Endangered => "endangered",
        LogHealth::Lost => "lost",
    };
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    log.health = Some(health.to_owned());
    log.lag_bytes = Some(bytes(state.lag_bytes));
    log.retained_bytes = Some(bytes(state.retained_bytes));
}

/// Lets the store forget a resource's log, unless it is followed again meanwhile.
pub(in super::super) async fn unfollow(app: &Arc<App>, job: &Claimed) -> Result<(), JobError> {
    let FollowPayload { entry_id } = payload(job)?;
    let mut db = app.registry.read().await?;
    let is_followed = is_followed(&mut db, &entry_id).await?;
    let held = change_logs::find(&mut db, &entry_id).await?;
    drop(db);
    match held {
        Some(log) if !is_followed => give_back(app, &log, "exchange.log_given_back").await,
        _ => Ok(()),
    }
}

/// Lets the store forget a log, and forgets it here. A store that is registered no more holds nothing for us.
async fn give_back(app: &App, log: &HeldLog, what: &'static str) -> Result<(), JobError> {
    let mut db = app.registry.read().await?;
    let registered = directory::find_store(&mut db, &log.store_id).await?;
    drop(db);
    if let Some(registered) = registered {
        let opened = app.open_store(&registered.url)?;
        let dropped = engine::unfollow(opened.as_ref(), app.pool.as_ref(), &log.consumer).await;
        dropped.map_err(JobError::Run)?;
    }
    change_logs::forget(&app.registry, &log.entry_id, &log.consumer).await?;
    let tx = app.registry.begin(app.clock.now()).await?;
    let given_back = Entry::by_platform(what)
        .on("entry", &log.entry_id)
        .with("store_id", log.store_id.as_str());
    Ok(tx.commit(given_back).await?)
}

/// Whether a store holds back more than it should have to.
pub(in super::super) fn is_too_large(app: &App, log: &HeldLog) -> bool {
    let max = app
        .config
        .exchange
        .log_retained_mb_max
        .saturating_mul(1 << 20);
    let retained = log.retained_bytes.and_then(|n| u64::try_from(n).ok());
    retained.is_some_and(|retained| retained > max)
}

/// Looks at the logs that nobody reads, and gives up those that have grown too large: the provider's disk is worth
/// more than a comparison of the whole, with which following then begins anew.
///
/// Errors: of the registry.
pub(super) async fn give_up_endless(app: &App, held: &[HeldLog]) -> Result<(), ApiError> {
    let now = app.clock.wall();
    for log in held {
        if now.duration_since(log.checked_at) < LOOKED_AT_WITHIN {
            continue;
        }
        if let Err(JobError::Run(error)) = look_at(app, log.clone(), now).await {
            tracing::warn!(entry = %log.entry_id, code = error.code(), "can't look at a change log");
        }
    }
    Ok(())
}

async fn look_at(app: &App, mut log: HeldLog, now: Timestamp) -> Result<(), JobError> {
    let Some(state) = state_of(app, &log).await? else {
        return Ok(());
    };
    stands(&mut log, &state);
    log.checked_at = now;
    change_logs::save(&app.registry, &log).await?;
    if state.is_read || !is_too_large(app, &log) {
        return Ok(());
    }
    tracing::warn!(entry = %log.entry_id, retained = state.retained_bytes, "a change log that nobody reads is given up");
    give_back(app, &log, "exchange.log_given_up").await
}

/// How a log stands; `None` if the store has none.
async fn state_of(app: &App, log: &HeldLog) -> Result<Option<LogState>, JobError> {
    let mut db = app.registry.read().await?;
    let registered = directory::find_store(&mut db, &log.store_id).await?;
    drop(db);
    let Some(registered) = registered else {
        return Ok(None);
    };
    let opened = app.open_store(&registered.url)?;
    match opened.log_state(&log.consumer).await {
        Ok(state) => Ok(Some(state)),
        Err(ConnectorError::LogLost { .. }) => Ok(None),
        Err(source) => Err(JobError::Run(RunError::Store {
            side: engine::Side::Provider,
            source,
        })),
    }
}
