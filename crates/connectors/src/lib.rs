//! Foreign stores behind one small interface: discover, read, apply.
//!
//! What it is for: a department's exchange store, and the pool itself, may be SQLite, PostgreSQL,
//! MySQL/MariaDB, or, in builds with the feature `odbc`, whatever has an ODBC driver. [`Store`] reads one consistent snapshot as bounded columnar batches, and applies
//! changes exactly once, because the consumer's cursor is a row of the same transaction.
//!
//! What it may not know: the catalogue, grants, masks, runs. It moves what it is told to move and
//! either keeps every value exactly or refuses, naming table and column but never a value.
//!
//! Where a change usually starts: a type of one engine in `<engine>/types.rs`; a behaviour of all
//! engines in the contract suite `tests/contract/`.
//!
//! Four promises hold on every engine:
//! 1. Text is ordered and compared bytewise, whatever collation the table declares, so that ordered
//!    streams of different engines can be merged.
//! 2. A stream that ends without error was complete: a lost connection is an error, not an end.
//! 3. An apply changes the target in one transaction, together with the cursor, or not at all.
//! 4. Errors and logs name tables, columns and counts; they hold no row values and no passwords.

mod address;
mod apply;
mod batches;
mod error;
mod log;
mod mysql;
#[cfg(feature = "odbc")]
mod odbc;
mod paced;
mod postgres;
mod query;
pub mod remote;
pub mod rows;
mod sqlite;
mod store;
mod sums;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod types;

pub use address::{Address, is_plain_name};
pub use apply::{AddColumns, Applied, ApplyMode, ApplyPlan};
pub use batches::{BatchStream, one_batch};
pub use error::ConnectorError;
pub use log::{
    ChangeLog, LogBatch, LogHealth, LogPosition, LogQuery, LogState, LogTable, TableChanges,
};
pub use paced::{Pace, PacedStore, Rate, paced};
pub use query::{Filter, FilterOp, Query, Value};
pub use rows::RecordBatch;
pub use store::{KeyCheck, Refusal, Store, TableInfo, open, open_or_create};
pub use sums::{Differing, Snapshot, Sums, share_bits};

/// What a call on a store gives back.
pub type Result<T, E = ConnectorError> = std::result::Result<T, E>;
