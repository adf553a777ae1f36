//! Signs of life of agents: what a node keeps of those that are connected to it. Instants are the machine's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tongqu_connectors::remote::{HostState, Welcome};
use tongqu_domain::{ids::AgentId, time::instant_text};

use super::{DbError, Registry};

/// A store that an agent has named.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoreBeside {
    pub name: String,
    pub engine: String,
}

/// An agent's sign of life.
pub struct Sign<'a> {
    pub id: &'a AgentId,
    /// The node that it is connected to.
    pub node: &'a str,
    pub welcome: &'a Welcome,
    pub state: &'a HostState,
    pub at: Timestamp,
}

/// Keeps an agent's sign of life.
pub async fn keep_sign(registry: &Registry, sign: &Sign<'_>) -> Result<(), DbError> {
    let stores = sign.welcome.stores.iter().map(|store| StoreBeside {
        name: store.name.clone(),
        engine: store.engine.clone(),
    });
    let stores: Vec<StoreBeside> = stores.collect();
    let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut tx = registry.begin(sign.at).await?;
    sqlx::query(
        "UPDATE agents SET node_id = $1, seen_at = $2, version = $3, spool_bytes = $4, spool_bytes_max = $5, \
         transfers = $6, stores = $7 WHERE id = $8 AND revoked_at IS NULL",
    )
    .bind(sign.node)
    .bind(instant_text(sign.at))
    .bind(&sign.welcome.version)
    .bind(number(sign.state.spool_bytes))
    .bind(number(sign.state.spool_bytes_max))
    .bind(number(sign.state.transfers))
    .bind(serde_json::to_string(&stores).expect("names are JSON"))
    .bind(sign.id.as_str())
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await
}

/// Notes that an agent is no longer connected to a node; all of them where none is named, because the node has only
/// just started.
pub async fn note_gone(
    registry: &Registry,
    node: &str,
    id: Option<&AgentId>,
    at: Timestamp,
) -> Result<(), DbError> {
    let mut tx = registry.begin(at).await?;
    sqlx::query("UPDATE agents SET node_id = NULL WHERE node_id = $1 AND ($2 = '' OR id = $2)")
        .bind(node)
        .bind(id.map_or("", AgentId::as_str))
        .execute(&mut *tx)
        .await?;
    tx.commit_bookkeeping().await
}
