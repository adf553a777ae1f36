//! The proof that a record is in the ledger.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::access::{Action, Subject};
use utoipa::ToSchema;

use crate::platform::{
    http::{ApiError, Ctx, Problem, Reply, reply},
    ledger::{LedgerError, prove},
};

/// A record and the proof of its place.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofView {
    pub index: u64,
    /// Number of records that the proof covers.
    pub size: u64,
    /// The record, canonical JSON.
    pub record: String,
    /// Hashes from the leaf up to the root, hex SM3.
    pub path: Vec<String>,
    /// Root over all records, hex SM3.
    pub root: String,
}

/// Prove a record: its RFC 9162 inclusion proof with SM3. For auditors.
#[utoipa::path(get, path = "/ledger/records/{index}/proof", tag = "ledger", operation_id = "prove_record",
    params(("index" = u64, Path)),
    responses((status = 200, body = ProofView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn prove_record(ctx: Ctx, Path(index): Path<u64>) -> Reply<ProofView> {
    ctx.must(Action::ReadLedger, &Subject::Platform)?;
    let dir = ctx.app.ledger.dir().to_owned();
    let proved = tokio::task::spawn_blocking(move || prove(&dir, index))
        .await
        .map_err(ApiError::bug)?;
    let (record, proof, root) = proved.map_err(|error| match error {
        LedgerError::Missing(_) => ApiError::not_found("ledger.record_not_found"),
        other => ApiError::bug(other),
    })?;
    reply(ProofView {
        index: proof.index,
        size: proof.size,
        record,
        path: proof.path.iter().map(ToString::to_string).collect(),
        root,
    })
}
