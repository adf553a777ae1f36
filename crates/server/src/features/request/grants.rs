//! What happens to a grant after it was opened: suspended, resumed, ended. Spec: PDS-19.1, PDS-19.2.

use tongqu_domain::ids::GrantId;

use super::store;
use crate::platform::{db::Tx, evidence::Entry, http::ApiError};

/// A change of a grant that a step of a case brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantChange {
    /// Nothing moves until it is resumed.
    Suspend,
    /// A suspension is lifted.
    Resume,
    /// Over for good.
    End,
}

/// Changes a grant as part of the caller's write. `ground` says why, `clause` by which clause; what was
/// granted stands still from the next call or batch on.
///
/// Errors: `grant.*` if the change doesn't lead on from where the grant stands, or has no ground.
pub async fn change_grant(
    tx: &mut Tx,
    id: &GrantId,
    change: GrantChange,
    ground: &str,
    clause: Option<String>,
) -> Result<Entry, ApiError> {
    let grant = store::find_grant(tx, id)
        .await?
        .ok_or_else(|| ApiError::bug("a case names a grant that isn't there"))?;
    let at = tx.at();
    let (changed, what) = match change {
        GrantChange::Suspend => (grant.suspend(ground, at), "grant.suspended"),
        GrantChange::Resume => (grant.resume(), "grant.resumed"),
        GrantChange::End => (grant.end(ground, at), "grant.ended"),
    };
    let grant = changed
        .map_err(|error| ApiError::new(error.kind(), error.code()))?
        .under(clause.clone());
    store::save_grant(tx, &grant).await?;
    Ok(Entry::by_platform(what)
        .on("grant", id)
        .with("ground", ground)
        .under(clause))
}
