//! The ledger 存证: an append-only log that proves afterwards who gave what to whom, and on what ground.
//!
//! A record is canonical JSON; its leaf hash is `SM3(0x00 || bytes)`, an inner node is
//! `SM3(0x01 || left || right)`, and the tree over the leaves is that of RFC 9162 (Certificate
//! Transparency 2.0), so that a head of 32 bytes commits to every record, a record proves its place
//! with a few hashes, and an older head proves that nothing before it was changed.
//!
//! Records hold ids, digests, counts and grounds, never data values; what goes into a record is the
//! business of the features. This room knows no file, key or clock: signing and writing are done
//! around it.
//!
//! - `canonical`: the one way to write a record.
//! - `tree`: the Merkle tree and its proofs; [`Frontier`] if only the head is wanted.
//! - `proof`: verification, which needs nothing but the proof and a head.
//! - `line`: one record in a ledger file.
//! - `head`: what is signed.
//!
//! A change here changes the format: old files must stay readable and verifiable.
//! Spec: PDS-21.3 (whole-process audit; an altered line makes verification fail).

mod canonical;
mod head;
mod line;
mod proof;
#[cfg(test)]
mod tests;
mod tree;

pub use canonical::{CanonicalError, NESTING_MAX, canonical_json, parse_canonical};
pub use head::Head;
pub use line::{LINE_BYTES_MAX, Line, LineFault};
pub use proof::{
    ConsistencyProof, InclusionProof, ProofFault, verify_consistency, verify_inclusion,
};
pub use tree::{
    Frontier, InvalidHash, Tree, TreeError, TreeHash, empty_root, leaf_hash, node_hash,
};
