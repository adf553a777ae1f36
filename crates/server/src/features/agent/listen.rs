//! The port on which agents call.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{certify, store};
use crate::{
    app::App,
    features::exchange,
    platform::{
        agents::{
            Asked, Authority, Issued, Listening, Purpose, Refused, fingerprint, platform_side,
            purpose_of, read_message, write_message,
        },
        db::agents::{self, Sign},
    },
};

/// Whoever takes longer to show who it is, is cut off.
const HANDSHAKE_MAX: Duration = Duration::from_secs(15);

/// Waits for agents until `stop` turns true; does nothing where the settings name no port.
///
/// Errors: whatever keeps the port from being opened, in words for an administrator.
pub async fn listen(app: Arc<App>, stop: watch::Receiver<bool>) -> anyhow::Result<JoinHandle<()>> {
    let settings = &app.config.agents;
    if settings.listen.is_empty() {
        return Ok(tokio::spawn(async {}));
    }
    let now = app.clock.wall();
    let authority = Authority::open(&app.config.data_dir().join("secrets"), now)?;
    let (certificate, key) = authority.for_node(now)?;
    let tls = platform_side(authority.certificate(), certificate, key)?;
    let listener = TcpListener::bind(&settings.listen)
        .await
        .with_context(|| format!("[agents] can't listen on {}", settings.listen))?;
    app.lines.listen(Listening {
        at: listener.local_addr()?,
        fingerprint: authority.fingerprint(),
    });
    agents::note_gone(&app.registry, &app.node.id, None, now).await?;
    let door = Door {
        places: Arc::new(Semaphore::new(settings.lines_max.max(1))),
        authority,
        tls: TlsAcceptor::from(tls),
        app,
    };
    Ok(tokio::spawn(answer(Arc::new(door), listener, stop)))
}

struct Door {
    app: Arc<App>,
    authority: Authority,
    tls: TlsAcceptor,
    places: Arc<Semaphore>,
}

async fn answer(door: Arc<Door>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let mut lines = JoinSet::new();
    loop {
        let come = tokio::select! {
            come = listener.accept() => come,
            // A dropped sender means stop as well.
            _stopped = stop.wait_for(|stop| *stop) => break,
        };
        while lines.try_join_next().is_some() {}
        let (stream, from) = match come {
            Ok(come) => come,
            Err(error) => {
                tracing::warn!(%error, "an agent's call can't be taken");
                // Out of handles, as a rule: they come back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = door.places.clone().try_acquire_owned() else {
            tracing::warn!(%from, "as many agents as allowed are connected; one was turned away");
            continue;
        };
        let door = door.clone();
        lines.spawn(async move {
            let _place = place;
            if let Err(error) = door.take(stream, from).await {
                tracing::info!(%from, %error, "an agent's line ended");
            }
        });
    }
    // Jobs have ended by now, and with them what they had under way.
    lines.shutdown().await;
}

impl Door {
    async fn take(&self, stream: TcpStream, from: SocketAddr) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let mut line = timeout(HANDSHAKE_MAX, self.tls.accept(stream)).await??;
        let (_, session) = line.get_ref();
        let shown = session
            .peer_certificates()
            .and_then(|certificates| certificates.first())
            .map(|certificate| fingerprint(certificate));
        let purpose = purpose_of(session.alpn_protocol()).context("no purpose was agreed")?;
        match (purpose, shown) {
            (Purpose::Enrol, _) => {
                let asked = timeout(HANDSHAKE_MAX, read_message(&mut line)).await??;
                let issued = certify::enrol(&self.app, &self.authority, asked).await;
                if let Err(refused) = &issued {
                    tracing::warn!(%from, %refused, "an agent wasn't enrolled");
                }
                tell(&mut line, &issued).await
            }
            (Purpose::Renew, Some(shown)) => {
                let asked: Asked = timeout(HANDSHAKE_MAX, read_message(&mut line)).await??;
                let issued = match certify::shown_by(&self.app, &shown).await? {
                    Some(agent) => {
                        certify::renew(&self.app, &self.authority, &agent, &shown, asked).await
                    }
                    None => Err(Refused::Certificate),
                };
                tell(&mut line, &issued).await
            }
            (Purpose::Serve, Some(shown)) => self.serve(line, &shown).await,
            (Purpose::Renew | Purpose::Serve, None) => {
                anyhow::bail!("it shows no certificate")
            }
        }
    }

    /// Uses the line for as long as it lives and the agent may come in.
    async fn serve(&self, line: TlsStream<TcpStream>, shown: &str) -> anyhow::Result<()> {
        let agent = certify::shown_by(&self.app, shown).await?;
        let agent = agent.context("its certificate isn't, or is no longer, an agent's")?;
        tracing::info!(agent = %agent.id, "an agent is connected");
        let way = self.app.lines.to(agent.id.as_str());
        let ended = tokio::select! {
            ended = way.run(line) => ended.map_err(anyhow::Error::from),
            ended = self.watch(&agent, shown) => ended,
        };
        let (registry, node) = (&self.app.registry, &self.app.node.id);
        agents::note_gone(registry, node, Some(&agent.id), self.app.clock.wall()).await?;
        ended
    }

    /// Keeps the agent's signs of life; returns when it was shut out.
    async fn watch(&self, agent: &store::Agent, shown: &str) -> anyhow::Result<()> {
        let app = &self.app;
        let interval = Duration::from_secs(app.config.node.heartbeat_s.max(1));
        let way = app.lines.to(agent.id.as_str());
        let mut is_new = true;
        loop {
            if certify::shown_by(app, shown).await?.is_none() {
                anyhow::bail!("it was shut out, or enrolled anew");
            }
            // It answers late where its line is slow: then the line itself says when it is dead.
            if let (Ok(state), Some(welcome)) = (way.state().await, way.welcome()) {
                let sign = Sign {
                    id: &agent.id,
                    node: &app.node.id,
                    welcome: &welcome,
                    state: &state,
                    at: app.clock.wall(),
                };
                agents::keep_sign(&app.registry, &sign).await?;
                if std::mem::take(&mut is_new) {
                    exchange::go_on_behind(app, &agent.id).await?;
                }
            }
            tokio::time::sleep(interval).await;
        }
    }
}

async fn tell(
    line: &mut TlsStream<TcpStream>,
    issued: &Result<Issued, Refused>,
) -> anyhow::Result<()> {
    timeout(HANDSHAKE_MAX, write_message(line, issued)).await??;
    tokio::io::AsyncWriteExt::shutdown(line).await?;
    Ok(())
}
