//! The Merkle tree of RFC 9162, section 2.1, with SM3.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sm3::{Digest, Sm3};

use super::proof::{ConsistencyProof, InclusionProof};
use crate::kind::Kind;

/// A hash in the tree: of a leaf, of an inner node, or the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreeHash(pub [u8; 32]);

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ledger hash is 64 lower-case hexadecimal digits")]
pub struct InvalidHash;

impl InvalidHash {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "ledger.invalid_hash"
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

impl FromStr for TreeHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidHash)?;
        // One hash has one text, or a byte of a file could be changed unnoticed.
        let has_capitals = text.bytes().any(|b| b.is_ascii_uppercase());
        if has_capitals {
            Err(InvalidHash)
        } else {
            Ok(Self(bytes))
        }
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl TryFrom<String> for TreeHash {
    type Error = InvalidHash;
    fn try_from(text: String) -> Result<Self, InvalidHash> {
        text.parse()
    }
}

impl From<TreeHash> for String {
    fn from(hash: TreeHash) -> String {
        hash.to_string()
    }
}

/// The hash of a record: `SM3(0x00 || record)`.
#[must_use]
pub fn leaf_hash(record: &[u8]) -> TreeHash {
    let mut hasher = Sm3::new();
    hasher.update([0]);
    hasher.update(record);
    TreeHash(hasher.finalize().into())
}

/// The hash of an inner node: `SM3(0x01 || left || right)`. The different first byte keeps a record
/// from passing for a node.
#[must_use]
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    let mut hasher = Sm3::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    TreeHash(hasher.finalize().into())
}

/// The root of the tree without leaves: SM3 of nothing.
#[must_use]
pub fn empty_root() -> TreeHash {
    TreeHash(Sm3::digest([]).into())
}

/// Why the tree gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TreeError {
    /// The tree hasn't grown that far.
    #[error("the ledger has {len} records, {size} were asked for")]
    SizeBeyondEnd {
        /// The size asked for.
        size: u64,
        /// The leaves there are.
        len: u64,
    },
    /// The record isn't among the first `size`.
    #[error("record {index} isn't among the first {size}")]
    IndexBeyondSize {
        /// The record asked for, from 0.
        index: u64,
        /// The size asked for.
        size: u64,
    },
    /// A proof of consistency leads from the smaller to the larger tree.
    #[error("a proof of consistency leads from the older to the newer head")]
    SizesReversed,
}

impl TreeError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SizeBeyondEnd { .. } => "ledger.size_beyond_end",
            Self::IndexBeyondSize { .. } => "ledger.index_beyond_size",
            Self::SizesReversed => "ledger.sizes_reversed",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::SizeBeyondEnd { .. } | Self::IndexBeyondSize { .. } => Kind::NotFound,
            Self::SizesReversed => Kind::Invalid,
        }
    }
}

/// A tree that keeps every full node, for roots of any earlier size and for proofs. It takes 64 bytes
/// a record; a writer that only needs heads takes a [`Frontier`].
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the node over the leaves `i * 2^k .. (i + 1) * 2^k`; only full nodes are kept.
    levels: Vec<Vec<TreeHash>>,
}

impl Tree {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of leaves.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| {
            u64::try_from(leaves.len()).expect("memory ends before 2^64")
        })
    }

    /// Whether there is no leaf.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The hash of leaf `index`; `None` beyond the end.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<TreeHash> {
        self.levels
            .first()?
            .get(usize::try_from(index).ok()?)
            .copied()
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut node = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            if !nodes.len().is_multiple_of(2) {
                break;
            }
            node = node_hash(&nodes[nodes.len() - 2], &nodes[nodes.len() - 1]);
        }
    }

    /// The root over the first `size` leaves.
    ///
    /// Errors: [`TreeError::SizeBeyondEnd`].
    pub fn root(&self, size: u64) -> Result<TreeHash, TreeError> {
        self.check_size(size)?;
        Ok(if size == 0 {
            empty_root()
        } else {
            self.subtree(0, size)
        })
    }

    /// The proof that leaf `index` is in the tree of the first `size` leaves (RFC 9162, 2.1.3.1).
    ///
    /// Errors: [`TreeError::SizeBeyondEnd`], [`TreeError::IndexBeyondSize`].
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<InclusionProof, TreeError> {
        self.check_size(size)?;
        if index >= size {
            return Err(TreeError::IndexBeyondSize { index, size });
        }
        let mut path = Vec::new();
        let (mut start, mut len) = (0, size);
        while len > 1 {
            let left = split(len);
            if index < start + left {
                path.push(self.subtree(start + left, len - left));
                len = left;
            } else {
                path.push(self.subtree(start, left));
                start += left;
                len -= left;
            }
        }
        path.reverse();
        Ok(InclusionProof { index, size, path })
    }

    /// The proof that the tree of the first `old_size` leaves is the beginning of that of the first
    /// `new_size` (RFC 9162, 2.1.4.1). It is empty if the sizes are equal or the old tree is empty.
    ///
    /// Errors: [`TreeError::SizeBeyondEnd`], [`TreeError::SizesReversed`].
    pub fn consistency_proof(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<ConsistencyProof, TreeError> {
        self.check_size(new_size)?;
        if old_size > new_size {
            return Err(TreeError::SizesReversed);
        }
        let mut path = Vec::new();
        if old_size > 0 && old_size < new_size {
            let (mut start, mut len, mut old_len) = (0, new_size, old_size);
            // Whether the part of the old tree under us is that tree's own root, which the verifier has.
            let mut is_old_root = true;
            while old_len < len {
                let left = split(len);
                if old_len <= left {
                    path.push(self.subtree(start + left, len - left));
                    len = left;
                } else {
                    path.push(self.subtree(start, left));
                    start += left;
                    len -= left;
                    old_len -= left;
                    is_old_root = false;
                }
            }
            if !is_old_root {
                path.push(self.subtree(start, len));
            }
            path.reverse();
        }
        Ok(ConsistencyProof {
            old_size,
            new_size,
            path,
        })
    }

    fn check_size(&self, size: u64) -> Result<(), TreeError> {
        let len = self.len();
        if size > len {
            Err(TreeError::SizeBeyondEnd { size, len })
        } else {
            Ok(())
        }
    }

    /// The hash over `len > 0` leaves from `start`, where `start` is a multiple of the power of two at
    /// or above `len`, as it is for every node of the tree.
    fn subtree(&self, start: u64, len: u64) -> TreeHash {
        if len.is_power_of_two() {
            let level = usize::try_from(len.trailing_zeros()).expect("at most 64");
            let place = usize::try_from(start / len).expect("the node is in memory");
            return self.levels[level][place];
        }
        let left = split(len);
        node_hash(
            &self.subtree(start, left),
            &self.subtree(start + left, len - left),
        )
    }
}

/// The largest power of two smaller than `len > 1`: the leaves of the left half.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

/// The right edge of a tree: all that is needed to go on appending and to state the head, at most one
/// hash for each bit of the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the full subtrees from left to right, one for each set bit of `size`.
    full: Vec<TreeHash>,
}

impl Frontier {
    /// The edge of a tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self
                .full
                .pop()
                .expect("one full subtree for each set bit of the size");
            node = node_hash(&left, &node);
        }
        self.full.push(node);
        self.size += 1;
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        let mut nodes = self.full.iter().rev();
        match nodes.next() {
            Some(last) => nodes.fold(*last, |right, left| node_hash(left, &right)),
            None => empty_root(),
        }
    }
}
