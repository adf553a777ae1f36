//! Calls of an agent: to be enrolled, to be renewed, and to be asked.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tongqu_connectors::{
    Store,
    remote::{Host, Spool},
};

use super::{identity::Identity, settings::Settings};
use crate::platform::{
    agents::{
        Asked, Issued, Purpose, Refused, TalkError, TlsError, Trust, agent_side, platform_name,
        read_message, write_message,
    },
    clock::Clock,
    secrets::random_number,
};

/// A node that doesn't answer in this time is called again later.
const CALL_MAX: Duration = Duration::from_secs(15);
/// Between a line that ended and the next call; doubled with each call in vain.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How often it is looked whether the certificate is to be renewed, and what is to be given up.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// Why an agent can't do its work.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("the code isn't one; it has three parts, separated by full stops")]
    Code,
    #[error(
        "this agent isn't enrolled: have a code made for it in the portal, and run it once with --enrol CODE"
    )]
    NotEnrolled,
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{hub} can't be reached: {source}")]
    Call { hub: String, source: io::Error },
    #[error("{hub} doesn't answer")]
    Silent { hub: String },
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("{0}")]
    Talk(#[from] TalkError),
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("a key can't be made: {0}")]
    Key(#[from] rcgen::Error),
    #[error("{0}")]
    Store(#[from] tongqu_connectors::ConnectorError),
}

/// Enrols this agent with a one-time code at the first node that answers. What it was before is replaced.
///
/// Errors: [`AgentError`].
pub async fn enrol(settings: &Settings, code: &str, clock: &Clock) -> Result<String, AgentError> {
    let mut parts = code.trim().splitn(3, '.');
    let (Some(agent), Some(secret), Some(fingerprint)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(AgentError::Code);
    };
    let tls = agent_side(&Trust::Fingerprint(fingerprint), None, Purpose::Enrol)?;
    let said = |request| Asked {
        agent: agent.to_owned(),
        secret: secret.to_owned(),
        request,
    };
    let identity = certified(settings, &TlsConnector::from(tls), said, clock).await?;
    keep(settings, &identity)?;
    Ok(identity.agent)
}

async fn renewed(
    settings: &Settings,
    before: &Identity,
    clock: &Clock,
) -> Result<Identity, AgentError> {
    let authority = before.authority();
    let tls = agent_side(
        &Trust::Authority(&authority),
        Some(before.shown()),
        Purpose::Renew,
    )?;
    let said = |request| Asked {
        agent: String::new(),
        secret: String::new(),
        request,
    };
    let identity = certified(settings, &TlsConnector::from(tls), said, clock).await?;
    keep(settings, &identity)?;
    Ok(identity)
}

fn keep(settings: &Settings, identity: &Identity) -> Result<(), AgentError> {
    let kept = identity.keep(&settings.data_dir);
    kept.map_err(|source| file_fault(settings, source))
}

fn file_fault(settings: &Settings, source: io::Error) -> AgentError {
    AgentError::File {
        path: settings.data_dir.clone(),
        source,
    }
}

/// Has a new key certified by the first node that answers.
async fn certified(
    settings: &Settings,
    tls: &TlsConnector,
    said: impl Fn(Vec<u8>) -> Asked,
    clock: &Clock,
) -> Result<Identity, AgentError> {
    let key = KeyPair::generate()?;
    let request = CertificateParams::new(Vec::new())?.serialize_request(&key)?;
    let mut last = AgentError::NotEnrolled;
    for hub in &settings.hubs {
        let mut line = match call(hub, tls).await {
            Ok(line) => line,
            Err(error) => {
                last = error;
                continue;
            }
        };
        let said = said(request.der().to_vec());
        let talk = async {
            write_message(&mut line, &said).await?;
            read_message::<Result<Issued, Refused>>(&mut line).await
        };
        let silent = || AgentError::Silent { hub: hub.clone() };
        let issued = timeout(CALL_MAX, talk).await.map_err(|_| silent())??;
        return Ok(Identity::of(issued?, key.serialize_der(), clock.wall()));
    }
    Err(last)
}

async fn call(hub: &str, tls: &TlsConnector) -> Result<TlsStream<TcpStream>, AgentError> {
    let silent = || AgentError::Silent {
        hub: hub.to_owned(),
    };
    let calling = async {
        let stream = TcpStream::connect(hub).await?;
        stream.set_nodelay(true)?;
        tls.connect(platform_name(), stream).await
    };
    let line = timeout(CALL_MAX, calling).await.map_err(|_| silent())?;
    line.map_err(|source| AgentError::Call {
        hub: hub.to_owned(),
        source,
    })
}

/// Works until `stop` turns true: calls every node, and answers on the lines.
///
/// Errors: [`AgentError`] where it can't begin; what happens later is written down and tried again.
pub async fn run(
    settings: Settings,
    clock: Arc<Clock>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    let settings = Arc::new(settings);
    let found = Identity::read(&settings.data_dir).map_err(|e| file_fault(&settings, e))?;
    let identity = watch::Sender::new(found.ok_or(AgentError::NotEnrolled)?);
    let mut stores = BTreeMap::<String, Arc<dyn Store>>::new();
    for (name, url) in &settings.stores {
        let store = tongqu_connectors::open_or_create(url.reveal())?;
        stores.insert(name.clone(), store);
    }
    let spool = Spool::open(
        &settings.data_dir.join("spool"),
        settings.spool_mb_max.saturating_mul(1024 * 1024),
    )
    .map_err(|e| file_fault(&settings, e))?;
    let kept_for = Duration::from_hours(settings.cut_max_h.max(1));
    let host = Host::new(stores, spool, kept_for);
    let mut lines = JoinSet::new();
    for hub in &settings.hubs {
        lines.spawn(keep_calling(
            hub.clone(),
            host.clone(),
            identity.subscribe(),
        ));
    }
    loop {
        if identity.borrow().is_due(clock.wall()) {
            let before = identity.borrow().clone();
            match renewed(&settings, &before, &clock).await {
                Ok(newer) => {
                    tracing::info!(agent = newer.agent, "a new certificate was issued");
                    identity.send_replace(newer);
                }
                Err(error) => tracing::warn!(%error, "the certificate can't be renewed yet"),
            }
        }
        host.tidy();
        tokio::select! {
            () = sleep(LOOK_INTERVAL) => {}
            // A dropped sender means stop as well.
            _stopped = stop.wait_for(|stop| *stop) => break,
        }
    }
    lines.shutdown().await;
    Ok(())
}

async fn keep_calling(hub: String, host: Arc<Host>, mut identity: watch::Receiver<Identity>) {
    let mut wait = WAIT_MIN;
    loop {
        let own = identity.borrow_and_update().clone();
        match line(&hub, &own).await {
            Ok(line) => {
                tracing::info!(hub, agent = own.agent, "connected");
                wait = WAIT_MIN;
                tokio::select! {
                    ended = host.clone().serve(line) => match ended {
                        Ok(()) => tracing::info!(hub, "the line ended"),
                        Err(error) => tracing::warn!(hub, %error, "the line broke"),
                    },
                    // The platform counts on seeing the newer certificate.
                    _newer = identity.changed() => {}
                }
            }
            Err(error) => {
                tracing::warn!(hub, %error, "the platform can't be reached; it is called again");
                wait = (wait * 2).min(WAIT_MAX);
            }
        }
        // Agents that were cut off together don't call back together.
        let parts = u32::try_from(random_number() % 1000).unwrap_or(0);
        sleep(wait / 2 + wait * parts / 2000).await;
    }
}

async fn line(hub: &str, own: &Identity) -> Result<TlsStream<TcpStream>, AgentError> {
    let authority = own.authority();
    let tls = agent_side(
        &Trust::Authority(&authority),
        Some(own.shown()),
        Purpose::Serve,
    )?;
    call(hub, &TlsConnector::from(tls)).await
}
