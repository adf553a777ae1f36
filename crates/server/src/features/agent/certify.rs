//! Certificates for agents: the first for a one-time code, the others for the one before.

use jiff::{Timestamp, ToSpan as _};
use rustls::pki_types::CertificateDer;
use tongqu_domain::ids::AgentId;

use super::{
    invite::code_hash,
    store::{self, Agent},
};
use crate::{
    app::App,
    platform::{
        agents::{Asked, Authority, Issued, Refused, fingerprint},
        db::DbError,
        evidence::Entry,
    },
};

/// Issues the first certificate to whoever has the code.
///
/// Errors: [`Refused`], which tells a stranger nothing.
pub(super) async fn enrol(
    app: &App,
    authority: &Authority,
    asked: Asked,
) -> Result<Issued, Refused> {
    let id = AgentId::parse(&asked.agent).map_err(|_| Refused::Code)?;
    let (certificate, until) = certificate(app, authority, &id, asked.request)?;
    let now = app.clock.wall();
    let kept = async {
        let mut tx = app.registry.begin(app.clock.now()).await?;
        let (hash, shown) = (code_hash(&asked.secret), fingerprint(&certificate));
        if !store::enrol(&mut tx, &id, &hash, &shown, until, now).await? {
            return Ok(false);
        }
        let entry = Entry::by_platform("agent.enrolled").on("agent", &id);
        tx.commit(entry.with("certificate", shown)).await?;
        Ok(true)
    };
    match kept.await {
        Ok(true) => Ok(issued(&id, certificate, authority, until)),
        Ok(false) => Err(Refused::Code),
        Err(error) => Err(failed(&error)),
    }
}

/// Issues another certificate to an agent that shows a good one.
///
/// Errors: [`Refused`].
pub(super) async fn renew(
    app: &App,
    authority: &Authority,
    agent: &Agent,
    shown: &str,
    asked: Asked,
) -> Result<Issued, Refused> {
    let (certificate, until) = certificate(app, authority, &agent.id, asked.request)?;
    let kept = async {
        let mut tx = app.registry.begin(app.clock.now()).await?;
        let next = fingerprint(&certificate);
        if !store::renew(&mut tx, &agent.id, shown, &next, until).await? {
            return Ok(false);
        }
        let entry = Entry::by_platform("agent.renewed").on("agent", &agent.id);
        tx.commit(entry.with("certificate", next)).await?;
        Ok(true)
    };
    match kept.await {
        Ok(true) => Ok(issued(&agent.id, certificate, authority, until)),
        Ok(false) => Err(Refused::Certificate),
        Err(error) => Err(failed(&error)),
    }
}

/// The agent that shows this certificate, if it may still come in. With the first showing of a newer certificate the
/// one before it is good no longer.
///
/// Errors: of the registry.
pub(super) async fn shown_by(app: &App, shown: &str) -> Result<Option<Agent>, DbError> {
    let found = store::find_by_certificate(&mut *app.registry.read().await?, shown).await?;
    let Some(agent) = found.filter(|agent| agent.revoked_at.is_none()) else {
        return Ok(None);
    };
    if agent.next_fingerprint.as_deref() == Some(shown) {
        let mut tx = app.registry.begin(app.clock.now()).await?;
        // Two nodes may see it first.
        if store::take_over(&mut tx, &agent.id, shown).await? {
            let entry = Entry::by_platform("agent.certificate_changed").on("agent", &agent.id);
            tx.commit(entry.with("certificate", shown)).await?;
        }
    }
    Ok(Some(agent))
}

fn certificate(
    app: &App,
    authority: &Authority,
    id: &AgentId,
    request: Vec<u8>,
) -> Result<(CertificateDer<'static>, Timestamp), Refused> {
    let (now, days) = (app.clock.wall(), app.config.agents.certificate_days.max(1));
    let made = authority.for_agent(id.as_str(), request, now, days);
    let certificate = made.map_err(|error| {
        tracing::warn!(agent = %id, %error, "a signing request was refused");
        Refused::Request
    })?;
    Ok((certificate, now + (days * 24).hours()))
}

fn issued(
    id: &AgentId,
    certificate: CertificateDer<'static>,
    authority: &Authority,
    until: Timestamp,
) -> Issued {
    Issued {
        agent: id.to_string(),
        certificate: certificate.to_vec(),
        authority: authority.certificate().to_vec(),
        until,
    }
}

fn failed(error: &DbError) -> Refused {
    tracing::error!(%error, "an agent's certificate can't be kept");
    Refused::Failed
}
