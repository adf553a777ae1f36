//! Verification of proofs: it needs the proof and the heads, nothing of the ledger.

use serde::{Deserialize, Serialize};

use super::tree::{TreeHash, empty_root, node_hash};
use crate::kind::Kind;

/// The proof that a record lies at a place of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The place of the record, from 0.
    pub index: u64,
    /// The number of records in the tree.
    pub size: u64,
    /// The neighbours on the way from the leaf to the root.
    pub path: Vec<TreeHash>,
}

/// The proof that a tree is the beginning of a later one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// The number of records in the older tree.
    pub old_size: u64,
    /// The number of records in the newer tree.
    pub new_size: u64,
    /// The nodes from which both roots are made.
    pub path: Vec<TreeHash>,
}

/// Why a proof doesn't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProofFault {
    /// Places and sizes that can't be.
    #[error("the proof names a place or size that can't be")]
    Sizes,
    /// Too few or too many hashes for the sizes.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root: the record, the place or the ledger isn't what is claimed.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another older root: what came before was changed.
    #[error("the proof leads to another older root: the records before it were changed")]
    OldRoot,
}

impl ProofFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sizes => "proof.sizes",
            Self::Length => "proof.length",
            Self::Root => "proof.root",
            Self::OldRoot => "proof.old_root",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sizes | Self::Length => Kind::Invalid,
            Self::Root | Self::OldRoot => Kind::Conflict,
        }
    }
}

/// Verifies that the record with hash `leaf` lies where `proof` says under `root` (RFC 9162, 2.1.3.2).
///
/// Errors: [`ProofFault::Sizes`], [`ProofFault::Length`], [`ProofFault::Root`].
pub fn verify_inclusion(
    leaf: &TreeHash,
    proof: &InclusionProof,
    root: &TreeHash,
) -> Result<(), ProofFault> {
    if proof.index >= proof.size {
        return Err(ProofFault::Sizes);
    }
    let (mut place, mut last) = (proof.index, proof.size - 1);
    let mut node = *leaf;
    for neighbour in &proof.path {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if place % 2 == 1 || place == last {
            node = node_hash(neighbour, &node);
            // A node without a right neighbour rises unchanged until it is a right child.
            while place % 2 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, neighbour);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofFault::Length);
    }
    if node == *root {
        Ok(())
    } else {
        Err(ProofFault::Root)
    }
}

/// Verifies that the tree under `old_root` is the beginning of that under `new_root` (RFC 9162, 2.1.4.2).
///
/// Errors: every [`ProofFault`].
pub fn verify_consistency(
    proof: &ConsistencyProof,
    old_root: &TreeHash,
    new_root: &TreeHash,
) -> Result<(), ProofFault> {
    if proof.old_size > proof.new_size {
        return Err(ProofFault::Sizes);
    }
    if proof.old_size == 0 || proof.old_size == proof.new_size {
        return verify_without_path(proof, old_root, new_root);
    }

    let mut path = proof.path.iter();
    // The old root is its own first node when the old tree is full.
    let first = if proof.old_size.is_power_of_two() {
        old_root
    } else {
        path.next().ok_or(ProofFault::Length)?
    };
    let (mut place, mut last) = (proof.old_size - 1, proof.new_size - 1);
    while place % 2 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_node, mut new_node) = (*first, *first);
    for neighbour in path {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if place % 2 == 1 || place == last {
            old_node = node_hash(neighbour, &old_node);
            new_node = node_hash(neighbour, &new_node);
            while place % 2 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_node = node_hash(&new_node, neighbour);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofFault::Length);
    }
    if old_node != *old_root {
        return Err(ProofFault::OldRoot);
    }
    if new_node == *new_root {
        Ok(())
    } else {
        Err(ProofFault::Root)
    }
}

/// From the empty tree everything follows; equal sizes need equal roots. RFC 9162 leaves the first case
/// out; we take it, so that the first head a witness sees needs no special treatment.
fn verify_without_path(
    proof: &ConsistencyProof,
    old_root: &TreeHash,
    new_root: &TreeHash,
) -> Result<(), ProofFault> {
    if !proof.path.is_empty() {
        return Err(ProofFault::Length);
    }
    if proof.old_size == 0 && *old_root != empty_root() {
        return Err(ProofFault::OldRoot);
    }
    if proof.old_size == proof.new_size && old_root != new_root {
        return Err(ProofFault::Root);
    }
    Ok(())
}
