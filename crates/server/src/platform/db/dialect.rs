//! Where SQLite and PostgreSQL can't share a text: connection settings and row locking.

use super::DbError;

/// One text, two row locks.
macro_rules! concat_claim {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1 \
             WHERE id = (SELECT j.id FROM jobs j WHERE j.state = 'queued' AND j.standing = $4 \
             AND (j.run_after <= $3 OR j.run_after > $5) \
             AND NOT EXISTS (SELECT 1 FROM jobs k WHERE k.lane = j.lane AND (k.state = 'running' \
             OR (j.standing = 1 AND k.standing = 0 AND k.state = 'queued' \
             AND (k.run_after <= $3 OR k.run_after > $5)))) \
             ORDER BY j.run_after, j.id LIMIT 1",
            $lock,
            ") RETURNING id, kind, lane, payload, attempts, progress"
        )
    };
}

/// The engine under the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// WAL lets readers go on beside the one writer; FULL keeps a commit through a power cut, which the
/// ledger's outbox relies on.
pub const SQLITE_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 15000;";

impl Engine {
    /// The engine that an address names.
    ///
    /// Errors: [`DbError::UnknownEngine`].
    pub fn of(url: &str) -> Result<Self, DbError> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Ok(Self::Postgres)
        } else {
            Err(DbError::UnknownEngine)
        }
    }

    /// The code in stores and interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// The statement by which one free job is claimed: bind worker, lease end, now, 1 for one that stands, and the
    /// latest instant to which a job can be put off. One that stands lets the others of its lane go first.
    ///
    /// SQLite has a single writer, so the plain subquery is enough; PostgreSQL skips rows that another
    /// node is claiming.
    #[must_use]
    pub fn claim_job(self) -> &'static str {
        match self {
            Self::Sqlite => concat_claim!(""),
            Self::Postgres => concat_claim!(" FOR UPDATE SKIP LOCKED"),
        }
    }
}
