//! All SQL of agents. Instants are the machine's, as the terms of certificates are.

use jiff::Timestamp;
use tongqu_domain::{
    ids::{AgentId, DepartmentId},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx, agents::StoreBeside};

/// An agent as stored.
#[derive(Debug, Clone)]
pub(super) struct Agent {
    pub id: AgentId,
    pub department_id: DepartmentId,
    pub name: String,
    pub code_until: Option<Timestamp>,
    pub enrolled_at: Option<Timestamp>,
    pub next_fingerprint: Option<String>,
    pub certificate_until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub node_id: Option<String>,
    pub seen_at: Option<Timestamp>,
    pub version: Option<String>,
    pub spool_bytes: Option<i64>,
    pub spool_bytes_max: Option<i64>,
    pub transfers: Option<i64>,
    pub stores: Vec<StoreBeside>,
}

/// A question for whole agents.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, department_id, name, code_until, enrolled_at, next_fingerprint, \
             certificate_until, revoked_at, node_id, seen_at, version, spool_bytes, spool_bytes_max, transfers, \
             stores FROM agents ",
            $rest
        )
    };
}

fn agent(row: &sqlx::any::AnyRow) -> Result<Agent, DbError> {
    let stores = row.opt_text("stores")?;
    let stores = stores.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Agent {
        id: row.id("id")?,
        department_id: row.id("department_id")?,
        name: row.text("name")?,
        code_until: row.opt_instant("code_until")?,
        enrolled_at: row.opt_instant("enrolled_at")?,
        next_fingerprint: row.opt_text("next_fingerprint")?,
        certificate_until: row.opt_instant("certificate_until")?,
        revoked_at: row.opt_instant("revoked_at")?,
        node_id: row.opt_text("node_id")?,
        seen_at: row.opt_instant("seen_at")?,
        version: row.opt_text("version")?,
        spool_bytes: row.opt_int("spool_bytes")?,
        spool_bytes_max: row.opt_int("spool_bytes_max")?,
        transfers: row.opt_int("transfers")?,
        stores: stores
            .map_err(|fault| DbError::BrokenRow {
                column: "stores",
                reason: fault.to_string(),
            })?
            .unwrap_or_default(),
    })
}

/// All agents, by department and name.
pub(super) async fn agents(db: &mut Db) -> Result<Vec<Agent>, DbError> {
    sqlx::query(select!("ORDER BY department_id, name, id"))
        .fetch_all(db)
        .await?
        .iter()
        .map(agent)
        .collect()
}

/// An agent by its id.
pub(super) async fn find(db: &mut Db, id: &AgentId) -> Result<Option<Agent>, DbError> {
    let row = sqlx::query(select!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(agent).transpose()
}

/// The agent whose certificate this is, or will be; shut out ones included.
pub(super) async fn find_by_certificate(
    db: &mut Db,
    fingerprint: &str,
) -> Result<Option<Agent>, DbError> {
    let row = sqlx::query(select!("WHERE fingerprint = $1 OR next_fingerprint = $1"))
        .bind(fingerprint)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(agent).transpose()
}

/// Keeps a new agent that may enrol with a code.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &AgentId,
    department: &DepartmentId,
    name: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("INSERT INTO agents (id, department_id, name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id.as_str())
        .bind(department.as_str())
        .bind(name)
        .bind(instant_text(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Lets an agent enrol with the code of this hash, and with no earlier one.
pub(super) async fn set_code(
    tx: &mut Tx,
    id: &AgentId,
    hash: &str,
    until: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("UPDATE agents SET code_hash = $1, code_until = $2 WHERE id = $3")
        .bind(hash)
        .bind(instant_text(until))
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Uses a code up; whether it was good. What the agent had before is good no longer.
pub(super) async fn enrol(
    tx: &mut Tx,
    id: &AgentId,
    code_hash: &str,
    fingerprint: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE agents SET code_hash = NULL, code_until = NULL, enrolled_at = $1, fingerprint = $2, \
         next_fingerprint = NULL, certificate_until = $3 \
         WHERE id = $4 AND code_hash = $5 AND code_until > $1 AND revoked_at IS NULL",
    )
    .bind(instant_text(now))
    .bind(fingerprint)
    .bind(instant_text(until))
    .bind(id.as_str())
    .bind(code_hash)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the certificate that an agent was issued in place of the one that it shows.
pub(super) async fn renew(
    tx: &mut Tx,
    id: &AgentId,
    shown: &str,
    next: &str,
    until: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE agents SET fingerprint = $1, next_fingerprint = $2, certificate_until = $3 \
         WHERE id = $4 AND revoked_at IS NULL AND (fingerprint = $1 OR next_fingerprint = $1)",
    )
    .bind(shown)
    .bind(next)
    .bind(instant_text(until))
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The agent has begun to show its newer certificate: the earlier one is good no longer.
pub(super) async fn take_over(tx: &mut Tx, id: &AgentId, shown: &str) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE agents SET fingerprint = $1, next_fingerprint = NULL WHERE id = $2 AND next_fingerprint = $1",
    )
    .bind(shown)
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Shuts an agent out; whether it wasn't already.
pub(super) async fn revoke(tx: &mut Tx, id: &AgentId, now: Timestamp) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE agents SET revoked_at = $1, code_hash = NULL, code_until = NULL, node_id = NULL \
         WHERE id = $2 AND revoked_at IS NULL",
    )
    .bind(instant_text(now))
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
