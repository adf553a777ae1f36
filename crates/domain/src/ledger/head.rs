//! The head of a ledger: what is signed at an interval and witnessed by other nodes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::canonical::canonical_json;
use super::tree::TreeHash;
use crate::time::instant_text;

/// The state of a ledger at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of records.
    pub size: u64,
    /// The root over all of them.
    pub root: TreeHash,
    /// When the head was made, by the server's clock.
    pub at: Timestamp,
    /// Which key signs it.
    pub key_id: String,
}

impl Head {
    /// The bytes to sign. They begin with what they are, so that a signature of anything else made
    /// with the same key can't be passed off as that of a head.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let value = serde_json::json!({
            "at": instant_text(self.at),
            "key_id": self.key_id,
            "root": self.root.to_string(),
            "size": self.size,
        });
        let json =
            canonical_json(&value).expect("texts and one whole number have a canonical form");
        format!("tongqu-ledger-head-v1\n{json}\n").into_bytes()
    }
}
