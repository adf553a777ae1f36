//! The key that signs heads: made at the first start, kept apart from the ledger.

use std::{fs, path::Path};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::LedgerError;
use crate::platform::secrets::{random_hex, write_private};

/// The signing key with its id.
pub struct SigningKeys {
    key: SigningKey,
    id: String,
}

impl SigningKeys {
    /// Reads the key in `secrets_dir`, or makes one on the first start, and puts the public half into
    /// `ledger_dir`.
    pub fn open(secrets_dir: &Path, ledger_dir: &Path) -> Result<Self, LedgerError> {
        fs::create_dir_all(secrets_dir)?;
        fs::create_dir_all(ledger_dir)?;
        let path = secrets_dir.join("ledger.key");
        if !path.exists() {
            write_private(&path, &random_hex::<32>())?;
        }
        let seed = hex::decode(fs::read_to_string(&path)?.trim()).map_err(|_| LedgerError::Key)?;
        let key = SigningKey::from_bytes(&seed.try_into().map_err(|_| LedgerError::Key)?);
        let id = key_id(&key.verifying_key());
        let public = ledger_dir.join(format!("key-{id}.pub"));
        if !public.exists() {
            fs::write(&public, hex::encode(key.verifying_key().as_bytes()))?;
        }
        Ok(Self { key, id })
    }

    /// The id of the public key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs `bytes`; the signature as hex.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.key.sign(bytes).to_bytes())
    }
}

/// The id of a public key: the first 16 hex digits of its SHA-256.
pub(super) fn key_id(key: &VerifyingKey) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))[..16].to_owned()
}

/// Reads the public key with this id from a ledger's folder; `None` if it is missing or isn't what it
/// says it is.
pub(super) fn public_key(ledger_dir: &Path, id: &str) -> Option<VerifyingKey> {
    let is_id = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let text = is_id
        .then(|| fs::read_to_string(ledger_dir.join(format!("key-{id}.pub"))).ok())
        .flatten()?;
    let bytes: [u8; 32] = hex::decode(text.trim()).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes)
        .ok()
        .filter(|key| key_id(key) == id)
}

/// Whether `signature` (hex) is `key`'s over `bytes`.
pub(super) fn is_signed(key: &VerifyingKey, bytes: &[u8], signature: &str) -> bool {
    let signature: Option<[u8; 64]> = hex::decode(signature).ok().and_then(|s| s.try_into().ok());
    signature.is_some_and(|s| key.verify_strict(bytes, &Signature::from_bytes(&s)).is_ok())
}
