//! What can go wrong with a foreign store, one variant per thing that a person could do differently.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tongqu_domain::exchange::ColumnType;
use tongqu_domain::kind::Kind;

/// A refusal or failure of a store.
///
/// The text says what to do next. It names stores (with the password as `***`), tables, columns and
/// counts, and never holds a value of a row: database messages that quote values are dropped and
/// only their code is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorError {
    /// The address can't be read.
    #[error(
        "the store address is not valid: {reason}. Write sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE, mysql://USER:PASSWORD@HOST:PORT/DATABASE, odbc:Driver={{DRIVER}};Server=HOST;Uid=USER;Pwd=PASSWORD, or agent://AGENT/STORE for a store behind an agent"
    )]
    AddressInvalid {
        /// What is wrong with it, without quoting it.
        reason: String,
    },
    /// Nobody answers, or the connection broke.
    #[error(
        "{store} can't be reached: {reason}. Check that the database runs and that the network lets this machine through, then repeat"
    )]
    Unreachable {
        /// The store, without password.
        store: String,
        /// The operating system's or driver's words.
        reason: String,
    },
    /// The store answered and turned the sign-in down.
    #[error("{store} refused the sign-in. Check user, password and access rules of that database")]
    LoginRefused {
        /// The store, without password.
        store: String,
    },
    /// The account lacks a right.
    #[error("{store} doesn't permit this on {table}: grant the account the right to {right}")]
    PermissionMissing {
        /// The store, without password.
        store: String,
        /// The table that was touched.
        table: String,
        /// What the account must be allowed to do.
        right: Cow<'static, str>,
    },
    /// The SQLite file or the database isn't there.
    #[error("{store} does not exist. Correct the address, or create it first")]
    StoreMissing {
        /// The store, without password.
        store: String,
    },
    /// No such table or view.
    #[error("table {table} does not exist. Check its name, or whether it was renamed or dropped")]
    TableMissing {
        /// The name that was asked for.
        table: String,
    },
    /// The table lacks a column that the plan or query names.
    #[error(
        "table {table} has no column {column}. If it was dropped or renamed, mount the table anew; if it was added to the resource, add it to the table"
    )]
    ColumnMissing {
        /// The table.
        table: String,
        /// The column that isn't there.
        column: String,
    },
    /// A column's type can't carry the values exactly.
    #[error("column {column} of {table} can't be mapped exactly: {reason}")]
    TypeRefused {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Why, and what to declare instead.
        reason: String,
    },
    /// A value doesn't fit its column. The value itself is not told.
    #[error(
        "column {column} of {table} holds a value that can't be carried over exactly: {reason}. Correct it at the source"
    )]
    ValueRefused {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What kind of value it is, without quoting it.
        reason: String,
    },
    /// A NULL for a column that doesn't take one.
    #[error(
        "column {column} of {table} must not be empty, but a row has no value there. Correct it at the source, or let the column be empty"
    )]
    NullRefused {
        /// The table.
        table: String,
        /// The column, or `(unknown)` where the database doesn't say.
        column: String,
    },
    /// The target has no unique key over the plan's key columns, or the plan has no key.
    #[error(
        "table {table} has no primary key or unique index over ({key}). Declare one, because rows are matched by it"
    )]
    KeyMissing {
        /// The table.
        table: String,
        /// The key columns, separated by commas.
        key: String,
    },
    /// Several rows share one key.
    #[error(
        "{duplicates} row(s) for {table} repeat a key that another row has. Choose a key that tells all rows apart, or remove the duplicates at the source"
    )]
    KeyDuplicates {
        /// The table.
        table: String,
        /// Rows beyond the first of each key; at least 1, exact where the database could count.
        duplicates: u64,
    },
    /// A key column holds NULL.
    #[error(
        "key column {column} of {table} is empty in {nulls} row(s). A key needs a value in each row: correct them at the source, or choose another key"
    )]
    KeyNulls {
        /// The table.
        table: String,
        /// The first key column in which a NULL was met.
        column: String,
        /// Rows with a NULL in that column, as far as read.
        nulls: u64,
    },
    /// The table exists but its engine can't undo (MyISAM, Aria).
    #[error(
        "table {table} uses the storage engine {engine}, which has no transactions. Run ALTER TABLE ... ENGINE=InnoDB first"
    )]
    NotTransactional {
        /// The table.
        table: String,
        /// The storage engine's name.
        engine: String,
    },
    /// The consumer is already further on than the plan.
    #[error(
        "the target already holds consumer {consumer} at {held}, and {offered} was to follow. Another run was faster: read the cursor again and go on from there"
    )]
    CursorBackwards {
        /// The consumer.
        consumer: String,
        /// The cursor in the target.
        held: i64,
        /// The cursor of the refused plan.
        offered: i64,
    },
    /// Waiting took too long.
    #[error(
        "{store} took longer than {waited_ms} ms to {doing}. Try again when it is less busy; if it stays so, look for a long transaction there"
    )]
    Timeout {
        /// The store, without password.
        store: String,
        /// What was waited for.
        doing: Cow<'static, str>,
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
    /// The store has no room left.
    #[error("{store} has no space left. Free some space there, then repeat: nothing was changed")]
    SpaceLacking {
        /// The store, without password.
        store: String,
    },
    /// A limit of this crate or of the database was passed.
    #[error("{what} is beyond the limit of {limit}. Ask for less at once")]
    LimitPassed {
        /// What was too much.
        what: Cow<'static, str>,
        /// The limit.
        limit: u64,
    },
    /// The plan or query contradicts itself.
    #[error("the plan for {table} is not sound: {reason}")]
    PlanInvalid {
        /// The table.
        table: String,
        /// What contradicts.
        reason: String,
    },
    /// A batch doesn't have the columns that were agreed.
    #[error("a batch doesn't fit the plan: {reason}")]
    BatchInvalid {
        /// What differs.
        reason: String,
    },
    /// The stream broke off before its end; nothing after it may be trusted.
    #[error(
        "reading from {store} broke off before the end. Repeat the run: nothing was changed by this one"
    )]
    Interrupted {
        /// The store, without password.
        store: String,
    },
    /// The one who fed the stream gave up; the target is untouched.
    #[error("the run was stopped before anything was changed: {reason}")]
    Stopped {
        /// Why, in the words of the one who stopped it.
        reason: String,
    },
    /// The store has no change log that could be read, or not for this table.
    #[error("{store} has no change log to read from: {reason}")]
    LogUnavailable {
        /// The store, without password.
        store: String,
        /// Why, and what to change there.
        reason: String,
    },
    /// Updates and deletes don't tell in the change log which row they changed.
    #[error(
        "the change log doesn't tell the key ({key}) of rows that are updated or deleted in {table}. Make it the table's primary key, or run ALTER TABLE ... REPLICA IDENTITY FULL"
    )]
    LogIdentity {
        /// The table.
        table: String,
        /// The key columns, separated by commas.
        key: String,
    },
    /// The change log has a gap, or is gone.
    #[error(
        "{store} no longer holds the change log {log} from where it was left: {reason}. Compare the whole table once and begin a new log"
    )]
    LogLost {
        /// The store, without password.
        store: String,
        /// The log's name there.
        log: String,
        /// What happened to it.
        reason: String,
    },
    /// Somebody else reads the consumer's change log.
    #[error(
        "{store} is sending the change log {log} to another reader. Try again when that has ended"
    )]
    LogBusy {
        /// The store, without password.
        store: String,
        /// The log's name there.
        log: String,
    },
    /// The database said something that we have no better word for.
    #[error(
        "{store} failed while asked to {doing} (database code {code}){hint}. See that database's own log at this time"
    )]
    Database {
        /// The store, without password.
        store: String,
        /// What it was asked.
        doing: Cow<'static, str>,
        /// SQLSTATE (of ODBC with the driver's own number), MySQL error number or SQLite extended result code.
        code: String,
        /// The database's own words where its code guarantees that they quote no value, with a
        /// leading `: `; else empty.
        hint: String,
    },
}

impl ConnectorError {
    /// The stable code, `store.<what>`, by which the portal chooses its text.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressInvalid { .. } => "store.address_invalid",
            Self::Unreachable { .. } => "store.unreachable",
            Self::LoginRefused { .. } => "store.login_refused",
            Self::PermissionMissing { .. } => "store.permission_missing",
            Self::StoreMissing { .. } => "store.missing",
            Self::TableMissing { .. } => "store.table_missing",
            Self::ColumnMissing { .. } => "store.column_missing",
            Self::TypeRefused { .. } => "store.type_refused",
            Self::ValueRefused { .. } => "store.value_refused",
            Self::NullRefused { .. } => "store.null_refused",
            Self::KeyMissing { .. } => "store.key_missing",
            Self::KeyDuplicates { .. } => "store.key_duplicates",
            Self::KeyNulls { .. } => "store.key_nulls",
            Self::NotTransactional { .. } => "store.not_transactional",
            Self::CursorBackwards { .. } => "store.cursor_backwards",
            Self::Timeout { .. } => "store.timeout",
            Self::SpaceLacking { .. } => "store.space_lacking",
            Self::LimitPassed { .. } => "store.limit_passed",
            Self::PlanInvalid { .. } => "store.plan_invalid",
            Self::BatchInvalid { .. } => "store.batch_invalid",
            Self::Interrupted { .. } => "store.interrupted",
            Self::Stopped { .. } => "store.stopped",
            Self::LogUnavailable { .. } => "store.log_unavailable",
            Self::LogIdentity { .. } => "store.log_identity",
            Self::LogLost { .. } => "store.log_lost",
            Self::LogBusy { .. } => "store.log_busy",
            Self::Database { .. } => "store.database_failed",
        }
    }

    /// The class of the refusal, for the HTTP border.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::AddressInvalid { .. }
            | Self::TypeRefused { .. }
            | Self::ValueRefused { .. }
            | Self::NullRefused { .. }
            | Self::KeyMissing { .. }
            | Self::KeyDuplicates { .. }
            | Self::KeyNulls { .. }
            | Self::NotTransactional { .. }
            | Self::LogUnavailable { .. }
            | Self::LogIdentity { .. } => Kind::Invalid,
            Self::StoreMissing { .. } | Self::TableMissing { .. } | Self::ColumnMissing { .. } => {
                Kind::NotFound
            }
            Self::CursorBackwards { .. } | Self::Stopped { .. } | Self::LogLost { .. } => {
                Kind::Conflict
            }
            Self::LimitPassed { .. } => Kind::TooMany,
            Self::LoginRefused { .. } | Self::PermissionMissing { .. } | Self::Database { .. } => {
                Kind::Upstream
            }
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::SpaceLacking { .. }
            | Self::Interrupted { .. }
            | Self::LogBusy { .. } => Kind::Unavailable,
            Self::PlanInvalid { .. } | Self::BatchInvalid { .. } => Kind::Bug,
        }
    }

    /// Whether the same call may well succeed later with nothing changed by anybody: a caller may
    /// retry it after a pause.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        // Where another was faster, the next attempt goes on from there.
        self.kind() == Kind::Unavailable || matches!(self, Self::CursorBackwards { .. })
    }

    /// The table's column can't carry the type.
    pub(crate) fn type_refused(table: &str, column: &str, reason: impl Into<String>) -> Self {
        Self::TypeRefused {
            table: table.to_owned(),
            column: column.to_owned(),
            reason: reason.into(),
        }
    }

    /// The column holds a value that doesn't fit `column_type`; `found` says what kind it is.
    pub(crate) fn value_refused(
        table: &str,
        column: &str,
        column_type: ColumnType,
        found: &str,
    ) -> Self {
        Self::ValueRefused {
            table: table.to_owned(),
            column: column.to_owned(),
            reason: format!("it is {found}, the column is read as {column_type}"),
        }
    }

    /// The plan or query is at odds with itself.
    pub(crate) fn plan_invalid(table: &str, reason: impl Into<String>) -> Self {
        Self::PlanInvalid {
            table: table.to_owned(),
            reason: reason.into(),
        }
    }
}
