//! The interface that every engine has, and how one is opened.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tongqu_domain::exchange::Column;

use crate::address::Place;
use crate::sqlite::Creation;
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ChangeLog, ConnectorError, LogPosition, LogQuery,
    LogState, Query, Result, Snapshot, mysql, postgres, sqlite,
};

/// The platform's own tables in a store begin with this; [`Store::tables`] leaves them out.
pub(crate) const OWN_PREFIX: &str = "_tongqu_";

/// The table of consumers' cursors, in the target itself so that cursor and data can't part.
pub(crate) const CURSOR_TABLE: &str = "_tongqu_cursor";

/// A foreign store, or the pool. Cheap to clone behind its `Arc`; every call has a connection to itself,
/// so that one slow reader never holds up another.
///
/// Spec: PDS-8.1 (table mode)
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The address, printing without its password.
    fn address(&self) -> &Address;

    /// Whether the store answers and lets us in.
    ///
    /// Errors: `unreachable`, `login_refused`, `missing`, `timeout`.
    async fn ping(&self) -> Result<()>;

    /// Names of tables and views, sorted bytewise, without the platform's own.
    async fn tables(&self) -> Result<Vec<String>>;

    /// Columns, types and key of a table or view.
    ///
    /// Errors: `table_missing`. A column whose type can't be carried exactly isn't an error; it is
    /// listed in [`TableInfo::refused`].
    async fn discover(&self, table: &str) -> Result<TableInfo>;

    /// Counts what speaks against `key` as a key. Reads the whole table. Text is told apart bytewise.
    ///
    /// Errors: `table_missing`, `column_missing`, `plan_invalid` if `key` is empty.
    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck>;

    /// Reads one consistent snapshot. The stream holds the snapshot's transaction, so read it to its
    /// end or drop it. A stream that ends without an error was complete.
    ///
    /// Errors, here or in the stream: `table_missing`, `column_missing`, `type_refused`,
    /// `value_refused` naming the column of the first value that doesn't fit its type, `interrupted`.
    async fn read(&self, query: Query) -> Result<BatchStream>;

    /// A view of the query's rows in which they can be summed up before they are read, by the columns `key`; `None`
    /// where the engine has no sums.
    ///
    /// Errors: as [`Store::read`].
    async fn snapshot(&self, query: Query, key: &[String]) -> Result<Option<Box<dyn Snapshot>>> {
        let _ = (query, key);
        Ok(None)
    }

    /// Whether a table here lies in the order of its key, so that many rows are taken in much faster in that order.
    fn prefers_key_order(&self) -> bool {
        false
    }

    /// Brings `changes` into the plan's table and moves the consumer's cursor, both or neither.
    ///
    /// Each batch holds the plan's columns in order and, trailing, `_op` (see [`crate::rows::OP_COLUMN`]);
    /// without `_op` every row is an upsert. A key may occur once only. The same apply may be repeated
    /// without harm. An error within `changes` leaves the target as it was.
    ///
    /// The table is created if it is missing (on MySQL before the transaction, because DDL ends
    /// one there: a crash just then leaves an empty table).
    ///
    /// Errors: `column_missing`, `type_refused`, `value_refused`, `null_refused`, `key_missing`,
    /// `key_duplicates`, `key_nulls`, `cursor_backwards`, `timeout`, and the first error of `changes`.
    ///
    /// Spec: PDS-8.1 (table mode)
    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied>;

    /// How far `consumer` has come in this store; `None` if it never applied anything.
    async fn cursor(&self, consumer: &str) -> Result<Option<i64>>;

    /// Forgets `consumer`'s cursor; its table stays. Harmless if there is none.
    async fn drop_consumer(&self, consumer: &str) -> Result<()>;

    /// Opens the change log for a consumer. At no position, a log is made anew, and the one that the consumer had is
    /// dropped; it begins at [`ChangeLog::start`], and what was there before is to be read after this call. At a
    /// position, the log goes on behind it.
    ///
    /// Errors: `log_unavailable` and `log_identity` with what is to be changed at the store, `permission_missing`,
    /// `log_busy` while another reader has it, `log_lost` if the log doesn't reach back to `after` any more or isn't
    /// there: then it is to be opened at no position. `table_missing`, `column_missing`, `type_refused`.
    async fn open_log(
        &self,
        query: LogQuery,
        after: Option<LogPosition>,
    ) -> Result<Box<dyn ChangeLog>> {
        let _ = (query, after);
        Err(self.no_log())
    }

    /// Whether [`Store::open_log`] can be expected to take this query. Changes nothing.
    ///
    /// Errors: as of [`Store::open_log`].
    async fn check_log(&self, query: &LogQuery) -> Result<()> {
        let _ = query;
        Err(self.no_log())
    }

    /// How the consumer's log stands. It can be asked while the log is read.
    ///
    /// Errors: `log_lost` if there is none, `log_unavailable`.
    async fn log_state(&self, consumer: &str) -> Result<LogState> {
        let _ = consumer;
        Err(self.no_log())
    }

    /// Ends the consumer's log, so that the store can delete what it held back. Harmless if there is none.
    ///
    /// Errors: `log_busy` while it is read, `permission_missing`.
    async fn drop_log(&self, consumer: &str) -> Result<()> {
        let _ = consumer;
        Ok(())
    }

    /// The answer of a store whose engine has no change log that is read here.
    #[doc(hidden)]
    fn no_log(&self) -> ConnectorError {
        ConnectorError::LogUnavailable {
            store: self.address().to_string(),
            reason: "the change log of this kind of database isn't read".to_owned(),
        }
    }
}

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableInfo {
    /// The table's name, as asked for.
    pub name: String,
    /// Columns that can be carried exactly, in the table's order.
    pub columns: Vec<Column>,
    /// Columns of the primary key, in its order; empty if there is none, as with views.
    pub key: Vec<String>,
    /// About how many rows, if the database knows without counting.
    pub rows_estimate: Option<u64>,
    /// Columns that can't be carried, with the reason.
    pub refused: Vec<Refusal>,
}

/// A column whose type can't be carried exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The column.
    pub column: String,
    /// Why, and what would help.
    pub reason: String,
}

/// What speaks against a set of columns as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyCheck {
    /// Rows beyond the first of each key, rows with NULL in the key left aside.
    pub duplicates: u64,
    /// Rows with NULL in at least one key column.
    pub nulls: u64,
}

impl KeyCheck {
    /// Whether the columns are a key.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.duplicates == 0 && self.nulls == 0
    }
}

/// The store at `url`, which must exist when it is used; nothing is connected yet.
///
/// Errors: [`crate::ConnectorError::AddressInvalid`].
pub fn open(url: &str) -> Result<Arc<dyn Store>> {
    open_with(url, Creation::Never)
}

/// Like [`open`], but a SQLite file that is missing is created when the store is first written to.
/// A database on a server is never created here.
///
/// Errors: [`crate::ConnectorError::AddressInvalid`].
pub fn open_or_create(url: &str) -> Result<Arc<dyn Store>> {
    open_with(url, Creation::OnWrite)
}

fn open_with(url: &str, creation: Creation) -> Result<Arc<dyn Store>> {
    let address = Address::parse(url)?;
    Ok(match address.place() {
        Place::Sqlite(path) => {
            let path = path.clone();
            Arc::new(sqlite::SqliteStore::new(address, path, creation))
        }
        Place::Postgres => Arc::new(postgres::PostgresStore::new(address)?),
        Place::Mysql => Arc::new(mysql::MysqlStore::new(address)?),
        Place::Agent { .. } => {
            return Err(ConnectorError::AddressInvalid {
                reason: "a store behind an agent is reached only where the agent is connected"
                    .to_owned(),
            });
        }
        #[cfg(feature = "odbc")]
        Place::Odbc(_) => Arc::new(crate::odbc::OdbcStore::new(address)),
        #[cfg(not(feature = "odbc"))]
        Place::Odbc(_) => {
            return Err(ConnectorError::AddressInvalid {
                reason: "this program was built without ODBC (its feature `odbc`)".to_owned(),
            });
        }
    })
}

#[cfg(all(test, not(feature = "odbc")))]
mod tests {
    #[test]
    fn a_build_without_odbc_says_so() {
        let error = super::open("odbc:DSN=tax;Pwd=s3cret").unwrap_err();
        assert_eq!(error.code(), "store.address_invalid");
        let told = error.to_string();
        assert!(
            told.contains("without ODBC") && !told.contains("s3cret"),
            "{told}"
        );
    }
}
