//! The evidence on disk: an append-only ledger with group commit and signed heads.
//!
//! A folder holds `records-NNNNNN.log` (one record a line, see `domain::ledger`), `heads.log` (signed
//! heads) and the public keys `key-<id>.pub`. Anybody can check it with [`verify()`], without the
//! platform. The writing thread takes what has gathered, writes it, syncs once and answers all.
//! Spec: PDS-21.3.

mod files;
mod keys;
mod sequencer;
mod verify;
mod writer;

pub use files::{SignedHead, last_head};
pub use keys::SigningKeys;
pub use sequencer::sequence;
pub use verify::{Fault, Report, prove, verify};
pub use writer::Ledger;

/// Why the ledger can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk said no.
    #[error("ledger: {0}")]
    Io(#[from] std::io::Error),
    /// A record on disk doesn't read back.
    #[error("ledger record {index} is broken: {fault}; run `tongqu ledger verify`")]
    Broken {
        index: u64,
        fault: tongqu_domain::ledger::LineFault,
    },
    /// The key file isn't a key.
    #[error("the ledger's signing key can't be read")]
    Key,
    /// The record asked for isn't there.
    #[error("the ledger has no record {0}")]
    Missing(u64),
    /// The writing thread has ended.
    #[error("the ledger is closed")]
    Closed,
}
