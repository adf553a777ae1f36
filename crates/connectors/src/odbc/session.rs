//! A connection of one call, and what its failures mean.

use std::cell::OnceCell;

use odbc_api::parameter::InputParameter;
use odbc_api::{Connection, ConnectionOptions, Cursor, CursorImpl, Error, handles::StatementImpl};
use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::Place;
use super::catalog;
use super::dialect::{self, Cause, Dialect};
use super::fetch::read_units;
use super::value::{Cell, Param};
use crate::address::Place as Where;
use crate::store::CURSOR_TABLE;
use crate::{ConnectorError, Result};

/// How long a connection may take to come about: long enough for a distant county's line.
const CONNECT_WAIT_S: u32 = 10;

/// How long a lock is waited for, where the database can be told; it is said in errors.
const LOCK_WAIT_MS: u64 = 30_000;

/// Characters of what a driver says of a failed connection that are passed on.
const REASON_CHARS_MAX: usize = 300;

/// Characters of two, three and four bytes, of which one lies beyond 16 bits.
const SAMPLE: &str = "é中𠮷";

/// Why a name can't be used.
pub(super) const NO_SUCH_NAMES: &str = "the ODBC driver here passes on names in ASCII only; give it such a name, or use a view that has one";

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The rows of a statement.
pub(super) type Rows<'s> = CursorImpl<StatementImpl<'s>>;

pub(super) struct Session {
    pub connection: Connection<'static>,
    pub dialect: &'static dyn Dialect,
    store: String,
    /// The database that the connection is in, where it says so.
    catalog: String,
    /// Whether names beyond ASCII arrive as they are, once that was tried.
    passes_all_names: OnceCell<bool>,
}

impl Session {
    pub(super) fn open(place: &Place, access: Access) -> Result<Self> {
        let store = place.shown();
        let Where::Odbc(attributes) = place.address.place() else {
            unreachable!("only an odbc: address comes here");
        };
        let failed = |error: Error| {
            let secrets: Vec<&str> = attributes.secrets().collect();
            not_connected(&store, &secrets, &error)
        };
        let environment = odbc_api::environment().map_err(failed)?;
        let connect = |more: &[(&str, &str)]| {
            let options = ConnectionOptions {
                login_timeout_sec: Some(CONNECT_WAIT_S),
                packet_size: None,
            };
            environment.connect_with_connection_string(&attributes.with(more), options)
        };
        // What the driver is to do can be said only at the beginning; who it is shows for certain only then.
        let guessed = dialect::of(attributes.driver()).attributes();
        let mut connection = connect(guessed).map_err(failed)?;
        let name = connection.database_management_system_name();
        let dialect = dialect::of(&name.map_err(failed)?);
        if dialect.attributes() != guessed {
            drop(connection);
            connection = connect(dialect.attributes()).map_err(failed)?;
        }
        // Not every driver has an answer, and psqlodbc gives half of one, filled up with zero characters.
        let catalog = connection.current_catalog().ok();
        let catalog = catalog.filter(|name| !name.contains('\0'));
        let session = Self {
            connection,
            dialect,
            store,
            catalog: catalog.unwrap_or_default(),
            passes_all_names: OnceCell::new(),
        };
        for setting in dialect.settings(access) {
            session.run(&setting, "prepare the session", "")?;
        }
        Ok(session)
    }

    pub(super) fn shown(&self) -> &str {
        &self.store
    }

    /// Whether what the catalogue lists lies in the database of the connection: some list those of all.
    pub(super) fn is_in_catalog(&self, catalog: &str) -> bool {
        catalog.is_empty() || self.catalog.is_empty() || catalog == self.catalog
    }

    pub(super) fn quoted(&self, name: &str) -> String {
        self.dialect.quoted(name)
    }

    /// `table` or `schema.table`, quoted.
    pub(super) fn quoted_table(&self, table: &str) -> String {
        match self.parts(table) {
            (Some(schema), table) => format!("{}.{}", self.quoted(schema), self.quoted(table)),
            (None, table) => self.quoted(table),
        }
    }

    /// The schema and the table that a name means.
    pub(super) fn parts<'t>(&self, table: &'t str) -> (Option<&'t str>, &'t str) {
        match table.split_once('.') {
            Some((schema, table)) if self.dialect.has_schemas() => (Some(schema), table),
            _ => (None, table),
        }
    }

    /// Refuses a name that the driver would pass on otherwise: to one that knows no UTF-16, the driver manager hands
    /// statements in the character set of this process, which may be no more than ASCII.
    ///
    /// Errors: [`ConnectorError::TypeRefused`].
    pub(super) fn check_name(&self, table: &str, name: &str) -> Result<()> {
        if name.is_ascii() || self.passes_all_names()? {
            return Ok(());
        }
        Err(ConnectorError::type_refused(table, name, NO_SUCH_NAMES))
    }

    pub(super) fn passes_all_names(&self) -> Result<bool> {
        if let Some(known) = self.passes_all_names.get() {
            return Ok(*known);
        }
        let sql = self.dialect.echo(SAMPLE);
        let rows = self.texts(&sql, Vec::new(), 1, "try its character set", "")?;
        let passes = rows.first().is_some_and(|row| row[0] == SAMPLE);
        Ok(*self.passes_all_names.get_or_init(|| passes))
    }

    /// Runs a statement; rows that it may give are left aside.
    pub(super) fn run(&self, sql: &str, doing: &'static str, table: &str) -> Result<()> {
        self.rows(sql, Vec::new(), doing, table).map(drop)
    }

    /// Runs a statement that gives rows.
    pub(super) fn rows(
        &self,
        sql: &str,
        cells: Vec<Cell>,
        doing: &'static str,
        table: &str,
    ) -> Result<Option<Rows<'_>>> {
        let failed = |error| self.failure(doing, table, &error);
        if cells.is_empty() {
            return self.connection.execute(sql, (), None).map_err(failed);
        }
        let parameters = bound(cells);
        let rows = self.connection.execute(sql, parameters.as_slice(), None);
        rows.map_err(failed)
    }

    /// Runs a statement that changes rows, and gives back how many.
    pub(super) fn change(
        &self,
        sql: &str,
        cells: Vec<Cell>,
        doing: &'static str,
        table: &str,
    ) -> Result<u64> {
        let failed = |error| self.failure(doing, table, &error);
        let mut statement = self.connection.preallocate().map_err(failed)?;
        let rows = if cells.is_empty() {
            statement.execute(sql, ()).map(drop)
        } else {
            let parameters = bound(cells);
            statement.execute(sql, parameters.as_slice()).map(drop)
        };
        rows.map_err(failed)?;
        let changed = statement.row_count().map_err(failed)?;
        // Without rows to change some say that there is no count.
        let changed = changed.unwrap_or(0);
        Ok(u64::try_from(changed).expect("a count of rows"))
    }

    /// All rows of a statement as texts; NULL is empty. For catalogues, which are small.
    pub(super) fn texts(
        &self,
        sql: &str,
        cells: Vec<Cell>,
        columns: u16,
        doing: &'static str,
        table: &str,
    ) -> Result<Vec<Vec<String>>> {
        match self.rows(sql, cells, doing, table)? {
            None => Ok(Vec::new()),
            Some(rows) => {
                let places: Vec<u16> = (1..=columns).collect();
                self.texts_of(rows, &places, doing, table)
            }
        }
    }

    /// The columns at these places of all rows, as texts.
    pub(super) fn texts_of(
        &self,
        mut rows: Rows<'_>,
        places: &[u16],
        doing: &'static str,
        table: &str,
    ) -> Result<Vec<Vec<String>>> {
        let failed = |error| self.failure(doing, table, &error);
        let mut all = Vec::new();
        let mut units = Vec::new();
        while let Some(mut row) = rows.next_row().map_err(failed)? {
            let mut texts = Vec::with_capacity(places.len());
            for place in places {
                row.get_wide_text(*place, &mut units).map_err(failed)?;
                let mut text = String::new();
                // Names hold no zero character; some drivers count more units than there are.
                let end = units.iter().position(|unit| *unit == 0);
                let units = &units[..end.unwrap_or(units.len())];
                read_units(units, &mut text).map_err(|_| self.unreadable(doing))?;
                texts.push(text);
            }
            all.push(texts);
        }
        Ok(all)
    }

    /// The only value of the only row, as a number.
    pub(super) fn count(&self, sql: &str, doing: &'static str, table: &str) -> Result<u64> {
        let rows = self.texts(sql, Vec::new(), 1, doing, table)?;
        let number = rows.first().and_then(|row| row[0].parse().ok());
        number.ok_or_else(|| self.unreadable(doing))
    }

    fn unreadable(&self, doing: &'static str) -> ConnectorError {
        ConnectorError::Database {
            store: self.store.clone(),
            doing: doing.into(),
            code: "driver".to_owned(),
            hint: String::new(),
        }
    }

    /// A text to bind.
    pub(super) fn text_param(&self, text: &str) -> Result<Param> {
        self.param(ValueRef::Text(text), ColumnType::Text { chars_max: None })
    }

    /// A value of our own to bind.
    pub(super) fn param(&self, value: ValueRef<'_>, column_type: ColumnType) -> Result<Param> {
        let slot = self.dialect.slot(column_type);
        let cell = self.dialect.cell(value, column_type, slot.form);
        let cell = cell.map_err(|found| {
            ConnectorError::value_refused(CURSOR_TABLE, "(bound)", column_type, found)
        })?;
        Ok(Param {
            place: slot.sql,
            cell,
        })
    }

    pub(super) fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        if catalog::find_table(self, CURSOR_TABLE)?.is_none() {
            return Ok(None);
        }
        self.cursor_there(consumer)
    }

    /// As [`Session::cursor`], where the table of cursors is known to be there.
    pub(super) fn cursor_there(&self, consumer: &str) -> Result<Option<i64>> {
        let doing = "read a cursor";
        let name = self.text_param(consumer)?;
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = {}",
            self.quoted("cursor"),
            self.quoted(CURSOR_TABLE),
            self.quoted("consumer"),
            name.place
        );
        let rows = self.texts(&sql, vec![name.cell], 1, doing, CURSOR_TABLE)?;
        match rows.first() {
            None => Ok(None),
            Some(row) => row[0].parse().map(Some).map_err(|_| self.unreadable(doing)),
        }
    }

    /// From here on, statements make one transaction.
    pub(super) fn begin(&self, doing: &'static str) -> Result<()> {
        let begun = self.connection.set_autocommit(false);
        begun.map_err(|error| self.failure(doing, "", &error))
    }

    pub(super) fn commit(&self, doing: &'static str, table: &str) -> Result<()> {
        let committed = self.connection.commit();
        committed.map_err(|error| self.failure(doing, table, &error))
    }

    /// Gives up the transaction. It is given up anyhow when the connection ends.
    pub(super) fn roll_back(&self) {
        if let Err(error) = self.connection.rollback() {
            let state = state_of(&error);
            tracing::debug!(store = self.store, state, "the rollback failed");
        }
    }

    /// What a failure means. Drivers quote values, so only their codes are kept.
    pub(super) fn failure(
        &self,
        doing: &'static str,
        table: &str,
        error: &Error,
    ) -> ConnectorError {
        let store = self.store.clone();
        let (state, native, message) = said(error);
        if let Some(cause) = self.dialect.cause(&state, native, &message) {
            return caused(cause, store, doing, table);
        }
        let table = table.to_owned();
        match state.as_str() {
            "23505" | "23000" => caused(Cause::Duplicate, store, doing, &table),
            "23502" => caused(Cause::Null, store, doing, &table),
            "42S02" | "42P01" => ConnectorError::TableMissing { table },
            "42501" => ConnectorError::PermissionMissing {
                store,
                table,
                right: "read and change it".into(),
            },
            "22001" => ConnectorError::ValueRefused {
                table,
                column: "(unknown)".to_owned(),
                reason: "it is longer than the column".to_owned(),
            },
            "22003" => ConnectorError::ValueRefused {
                table,
                column: "(unknown)".to_owned(),
                reason: "it is out of the column's range".to_owned(),
            },
            // Deadlock, serialization, lock and time limits: all of them pass.
            "40001" | "40P01" | "55P03" | "57014" | "HYT00" => {
                caused(Cause::Busy, store, doing, &table)
            }
            "53100" | "53200" => ConnectorError::SpaceLacking { store },
            state if self.is_gone(state) => ConnectorError::Unreachable {
                store,
                reason: "the connection broke".to_owned(),
            },
            _ => ConnectorError::Database {
                store,
                doing: doing.into(),
                code: format!("{state}/{native}"),
                hint: String::new(),
            },
        }
    }

    fn is_gone(&self, state: &str) -> bool {
        state.starts_with("08")
            || matches!(state, "57P01" | "57P02" | "57P03" | "HYT01")
            || self.connection.is_dead().unwrap_or(false)
    }
}

fn bound(cells: Vec<Cell>) -> Vec<Box<dyn InputParameter>> {
    cells.into_iter().map(Cell::into_parameter).collect()
}

/// SQLSTATE, the driver's own number and its words.
fn said(error: &Error) -> (String, i32, String) {
    match error {
        Error::Diagnostics { record, .. }
        | Error::UnsupportedOdbcApiVersion(record)
        | Error::InvalidRowArraySize { record, .. }
        | Error::UnableToRepresentNull(record)
        | Error::OracleOdbcDriverDoesNotSupport64Bit(record) => (
            record.state.as_str().to_owned(),
            record.native_error,
            String::from_utf16_lossy(&record.message),
        ),
        _ => ("HY000".to_owned(), 0, String::new()),
    }
}

fn state_of(error: &Error) -> String {
    said(error).0
}

fn caused(cause: Cause, store: String, doing: &'static str, table: &str) -> ConnectorError {
    let table = table.to_owned();
    match cause {
        Cause::Duplicate => ConnectorError::KeyDuplicates {
            table,
            duplicates: 1,
        },
        Cause::Null => ConnectorError::NullRefused {
            table,
            column: "(unknown)".to_owned(),
        },
        Cause::Busy => ConnectorError::Timeout {
            store,
            doing: doing.into(),
            waited_ms: LOCK_WAIT_MS,
        },
        Cause::Full => ConnectorError::SpaceLacking { store },
        Cause::ReadOnly => ConnectorError::PermissionMissing {
            store,
            table,
            right: "write the file and its folder".into(),
        },
        Cause::Unreachable(reason) => ConnectorError::Unreachable {
            store,
            reason: reason.to_owned(),
        },
        Cause::NoTable => ConnectorError::TableMissing { table },
    }
}

/// Why there is no connection. Drivers differ in their codes here, so their words are looked at.
fn not_connected(store: &str, secrets: &[&str], error: &Error) -> ConnectorError {
    let store = store.to_owned();
    let (state, _, message) = said(error);
    let lower = message.to_lowercase();
    let says = |words: &str| lower.contains(words);
    let is_refused = state == "28000"
        || says("authentication failed")
        || says("login failed")
        || says("ora-01017")
        || (says("role") && says("does not exist"));
    if is_refused {
        return ConnectorError::LoginRefused { store };
    }
    if (says("database") && says("does not exist")) || state == "3D000" {
        return ConnectorError::StoreMissing { store };
    }
    let reason = match state.as_str() {
        "IM002" | "IM003" | "IM004" => {
            "the ODBC driver or data source isn't set up on this machine".to_owned()
        }
        _ if says("can't open lib") => "the ODBC driver isn't installed on this machine".to_owned(),
        _ => shortened(&message, secrets),
    };
    ConnectorError::Unreachable { store, reason }
}

/// The first line of what the driver says, without secrets.
fn shortened(message: &str, secrets: &[&str]) -> String {
    let mut line = message.lines().next().unwrap_or_default().to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        line = line.replace(secret, "***");
    }
    line.chars().take(REASON_CHARS_MAX).collect()
}
