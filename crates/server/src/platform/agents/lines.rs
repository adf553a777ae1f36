//! The ways from this node to the agents.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tongqu_connectors::{
    Address, ConnectorError, Store,
    remote::{AgentStore, Line},
};

/// Where agents call, and by what they know the platform.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The port that was bound.
    pub at: SocketAddr,
    /// Of the authority's certificate.
    pub fingerprint: String,
}

/// One [`Line`] for each agent that was asked or that called since the start.
#[derive(Debug)]
pub struct Lines {
    node: String,
    session: String,
    patience: Duration,
    all: Mutex<HashMap<String, Arc<Line>>>,
    listening: OnceLock<Listening>,
}

impl Lines {
    /// The ways of `node`; `session` is another after each start. A run waits for up to `patience` for a line that
    /// is cut.
    #[must_use]
    pub fn new(node: &str, session: String, patience: Duration) -> Self {
        Self {
            node: node.to_owned(),
            session,
            patience,
            all: Mutex::default(),
            listening: OnceLock::new(),
        }
    }

    /// Where this node waits for agents, once it does.
    #[must_use]
    pub fn listening(&self) -> Option<&Listening> {
        self.listening.get()
    }

    /// Notes where this node waits for agents; once, at its start.
    pub fn listen(&self, listening: Listening) {
        self.listening.get_or_init(|| listening);
    }

    /// The way to an agent, whether it is there or not.
    pub fn to(&self, agent: &str) -> Arc<Line> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Line::new(agent, &self.node, &self.session, self.patience);
        all.entry(agent.to_owned()).or_insert_with(made).clone()
    }

    /// The store at `url`, if that is one behind an agent.
    ///
    /// Errors: `address_invalid`.
    pub fn store(&self, url: &str) -> Result<Option<Arc<dyn Store>>, ConnectorError> {
        let address = Address::parse(url)?;
        let Some((agent, _)) = address.behind_agent() else {
            return Ok(None);
        };
        let line = self.to(agent);
        AgentStore::of(address, line).map(Some)
    }
}
