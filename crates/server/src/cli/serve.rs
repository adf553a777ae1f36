//! `tongqu serve`.

use std::{net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    app::{App, Running},
    platform::{clock::Clock, config::Config},
    router::router,
};

/// Serves until asked to stop.
pub(super) fn serve(config: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    runtime()?.block_on(async {
        let served = Served::start(config, Clock::system()).await?;
        super::print(&served.greeting())?;
        let reloading = tokio::spawn(reload_on_signal(served.app().clone()));
        stop_signal().await;
        reloading.abort();
        served.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// The runtime of all commands that serve.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// A server that is up.
pub(crate) struct Served {
    pub running: Running,
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Served {
    /// Opens the stores, binds the address and begins to answer.
    pub(crate) async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("can't listen on {listen}"))?;
        let address = listener.local_addr()?;
        let running = App::start(config, clock).await?;
        let (stop, mut stopping) = watch::channel(false);
        let service = router(running.app.clone());
        let serving = tokio::spawn(async move {
            let stopped = async move {
                // A dropped sender means stop as well.
                let _stopped = stopping.wait_for(|s| *s).await;
            };
            if let Err(error) = axum::serve(listener, service)
                .with_graceful_shutdown(stopped)
                .await
            {
                tracing::error!(%error, "the server ended badly");
            }
        });
        Ok(Self {
            running,
            address,
            stop,
            serving,
        })
    }

    /// The application behind it.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.running.app
    }

    /// Finishes what is under way and closes all stores.
    pub(crate) async fn stop(self) {
        // Streams of changes end by themselves only when told to.
        self.running.app.live.close();
        // No receiver left means that it has ended already.
        let _ended = self.stop.send(true);
        let grace = std::time::Duration::from_secs(5);
        if tokio::time::timeout(grace, self.serving).await.is_err() {
            tracing::warn!("open connections were cut");
        }
        self.running.stop().await;
    }

    fn greeting(&self) -> String {
        let server = &self.app().config.server;
        let base = if server.public_url.is_empty() {
            format!("http://{}", self.address)
        } else {
            server.public_url.trim_end_matches('/').to_owned()
        };
        let token = self
            .app()
            .setup_token
            .lock()
            .expect("no holder panics")
            .clone();
        match token {
            Some(token) => format!(
                "Tongqu is up at {base}\nNobody has an account yet. Open this link once to make the first \
                 administrator:\n  {base}/setup?token={token}\n"
            ),
            None => format!("Tongqu is up at {base}\n"),
        }
    }
}

/// Reads the rule packs anew whenever the process gets a hang-up signal.
async fn reload_on_signal(app: Arc<App>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup()).expect("a process may listen to its signals");
        while hangup.recv().await.is_some() {
            match app.reload_packs().await {
                Ok(()) => tracing::info!("the rule packs were read anew"),
                Err(error) => {
                    tracing::error!(%error, "the rule packs stay as they were");
                }
            }
        }
    }
    #[cfg(not(unix))]
    drop(app);
}

/// Returns when the process is asked to stop.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate =
            signal(SignalKind::terminate()).expect("a process may listen to its signals");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "can't listen to signals");
    }
}
