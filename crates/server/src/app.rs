//! The only place where the parts are put together.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use tokio::{sync::watch, task::JoinHandle};
use tongqu_connectors::{ConnectorError, PacedStore, Store};
use tongqu_domain::{calendar::Calendar, law::Pack};

use crate::{
    features::{self, directory::ExchangeStore},
    platform::{
        agents::Lines,
        clock::Clock,
        config::Config,
        db::{Registry, outbox},
        http::{ApiError, FindActor},
        jobs,
        ledger::{self, Ledger, SigningKeys},
        live::{self, Live},
        node,
        paces::Paces,
        packs::{Packs, PacksError},
        secrets::{Secret, hash_password, random_hex},
    },
};

/// Everything that an operation may reach.
pub struct App {
    pub config: Config,
    pub clock: Arc<Clock>,
    pub registry: Arc<Registry>,
    pub ledger: Arc<Ledger>,
    /// Who this node is.
    pub node: node::Identity,
    /// Whoever is told of changes.
    pub live: Arc<Live>,
    /// Every pack that cases may have begun under.
    pub packs: Packs,
    /// The calendar in force; a new holiday notice replaces it.
    calendar: RwLock<Arc<Calendar>>,
    pub pool: Arc<dyn Store>,
    /// The ways to the agents.
    pub lines: Lines,
    /// How fast each exchange store is read and written.
    pub paces: Paces,
    pub search: features::catalogue::search::Index,
    /// Finds the actor behind a session; given by the session feature.
    pub find_actor: FindActor,
    /// Called after departments got other names or went into others.
    pub directory_changed: DirectoryChanged,
    /// The one-time token for the first administrator, while there is nobody.
    pub setup_token: Mutex<Option<String>>,
    /// A password hash that nothing matches, so that unknown names cost as much as known ones.
    pub decoy_hash: String,
}

/// What has to follow a change of departments elsewhere; the directory knows no feature above it.
pub type DirectoryChanged =
    fn(Arc<App>) -> std::pin::Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send>>;

/// A running application: its parts and the tasks behind them.
pub struct Running {
    pub app: Arc<App>,
    stop: watch::Sender<bool>,
    sequencing: JoinHandle<()>,
    working: JoinHandle<()>,
    supervising: JoinHandle<()>,
    telling: JoinHandle<()>,
    beating: JoinHandle<()>,
    checking: JoinHandle<()>,
    starting_due: JoinHandle<()>,
    answering_agents: JoinHandle<()>,
    /// Agents are answered until the jobs have ended, whose rows they carry.
    stop_answering: watch::Sender<bool>,
}

impl App {
    /// Opens all stores, brings them up to date and starts the tasks behind the scenes.
    ///
    /// Errors: whatever keeps the installation from starting, in words for an administrator.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Running> {
        let clock = Arc::new(clock);
        let data_dir = config.data_dir().to_owned();
        std::fs::create_dir_all(&data_dir)?;
        let registry =
            Arc::new(Registry::open(&config.registry_url(), config.stores.readers_max).await?);
        let node = node::Identity::open(&data_dir, clock.wall())?;
        registry.work_for(&node.id).await?;
        let ledger_dir = data_dir.join("ledger");
        let keys = SigningKeys::open(&data_dir.join("secrets"), &ledger_dir)?;
        let waiting: HashSet<String> = outbox::waiting_ids(&mut *registry.read().await?).await?;
        let (ledger, found) =
            Ledger::open(&ledger_dir, keys, clock.clone(), &config.ledger, &waiting)?;
        let ledger = Arc::new(ledger);
        let packs = Packs::load(&config.law, &registry, clock.now()).await?;
        let (calendar, notice_no) =
            features::calendar::in_force(&mut *registry.read().await?).await?;
        let pool = tongqu_connectors::open_or_create(&config.pool_url())?;
        let search = features::catalogue::search::Index::open(&data_dir.join("search"))?;
        let has_people = features::directory::has_people(&mut *registry.read().await?).await?;
        let live = Arc::new(Live::new(&config.live));
        let patience = std::time::Duration::from_secs(config.agents.patience_s);
        let lines = Lines::new(&node.id, random_hex::<6>(), patience);
        let app = Arc::new(Self {
            clock,
            registry: registry.clone(),
            ledger: ledger.clone(),
            node,
            live: live.clone(),
            packs,
            calendar: RwLock::new(Arc::new(calendar)),
            pool,
            lines,
            paces: Paces::default(),
            search,
            find_actor: features::session::find_actor,
            directory_changed: |app| {
                Box::pin(async move { features::catalogue::rebuild_index(&app).await })
            },
            setup_token: Mutex::new((!has_people).then(random_hex::<16>)),
            decoy_hash: hash_password(&Secret::new(random_hex::<16>())),
            config,
        });
        features::catalogue::rebuild_index(&app).await?;
        features::catalogue::list_responsibilities(&app).await?;
        if registry.engine() == crate::platform::db::Engine::Sqlite {
            // An embedded registry has no other node: whatever runs there is a dead process's.
            jobs::requeue_orphans(&registry, app.clock.now()).await?;
        }
        let (stop, stopping) = watch::channel(false);
        let (stop_answering, answering) = watch::channel(false);
        let answering_agents = features::agent::listen(app.clone(), answering).await?;
        let telling = tokio::spawn(live::tell(registry.clone(), live, stopping.clone()));
        let sequencing = tokio::spawn(ledger::sequence(registry, ledger, found, stopping.clone()));
        let working = tokio::spawn(jobs::work(
            app.clone(),
            features::exchange::handle,
            stopping.clone(),
        ));
        let beating = tokio::spawn(node::beat(app.clone(), stopping.clone()));
        let checking = tokio::spawn(features::nodes::watch(app.clone(), stopping.clone()));
        let starting_due = tokio::spawn(features::exchange::watch(app.clone(), stopping.clone()));
        let supervising = tokio::spawn(features::supervision::watch(
            app.clone(),
            notice_no,
            stopping,
        ));
        Ok(Running {
            app,
            stop,
            sequencing,
            working,
            supervising,
            telling,
            beating,
            checking,
            starting_due,
            answering_agents,
            stop_answering,
        })
    }

    /// The rule pack for new cases where nothing else is said.
    #[must_use]
    pub fn pack(&self) -> Arc<Pack> {
        self.packs.default_pack()
    }

    /// Reads the rule packs anew, for cases that begin from now on.
    ///
    /// Errors: [`PacksError`]; then the packs stay as they were.
    pub async fn reload_packs(&self) -> Result<(), PacksError> {
        self.packs.reload(&self.registry, self.clock.now()).await
    }

    /// The working-day calendar in force.
    #[must_use]
    pub fn calendar(&self) -> Arc<Calendar> {
        self.calendar
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts another calendar into force, for dates that are reckoned from now on.
    pub fn set_calendar(&self, calendar: Calendar) {
        *self
            .calendar
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(calendar);
    }

    /// A department's exchange store; it must exist.
    ///
    /// Errors: `store.*` if the address isn't one.
    pub fn open_store(&self, url: &str) -> Result<Arc<dyn Store>, ApiError> {
        self.opened(url, tongqu_connectors::open)
    }

    /// A department's exchange store behind the pace that is set for it; for whatever moves rows.
    #[must_use]
    pub fn paced(&self, registered: &ExchangeStore, opened: Arc<dyn Store>) -> Arc<dyn Store> {
        let pace = self.paces.of(&registered.id, registered.rate);
        PacedStore::of(opened, pace)
    }

    /// A department's exchange store, made when it is first written to if it is an embedded one.
    ///
    /// Errors: `store.*` if the address isn't one.
    pub fn open_or_create_store(&self, url: &str) -> Result<Arc<dyn Store>, ApiError> {
        self.opened(url, tongqu_connectors::open_or_create)
    }

    fn opened(
        &self,
        url: &str,
        open: fn(&str) -> Result<Arc<dyn Store>, ConnectorError>,
    ) -> Result<Arc<dyn Store>, ApiError> {
        match self.lines.store(url).map_err(connector_error)? {
            Some(behind_agent) => Ok(behind_agent),
            None => open(url).map_err(connector_error),
        }
    }
}

impl Running {
    /// Ends the tasks: jobs under way are finished, waiting evidence goes into the ledger, a last head
    /// is signed.
    pub async fn stop(self) {
        // No receiver left means that the tasks have ended already.
        let _ended = self.stop.send(true);
        self.app.live.close();
        let tasks = [
            ("changes", self.telling),
            ("signs of life", self.beating),
            ("checks of stores", self.checking),
            ("runs that are due", self.starting_due),
            ("supervision", self.supervising),
            ("jobs", self.working),
            ("evidence", self.sequencing),
        ];
        for (name, task) in tasks {
            ended(name, task).await;
        }
        let _ended = self.stop_answering.send(true);
        ended("agents", self.answering_agents).await;
        let ledger = self.app.ledger.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || ledger.close()).await {
            tracing::error!(%error, "the ledger wasn't closed");
        }
        self.app.registry.close().await;
    }
}

async fn ended(name: &str, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, name, "a task ended badly");
    }
}

/// A store's refusal as an answer to whoever asked for it. The text names tables and columns, never values.
#[must_use]
pub fn connector_error(error: ConnectorError) -> ApiError {
    ApiError::new(error.kind(), error.code()).because(error)
}
