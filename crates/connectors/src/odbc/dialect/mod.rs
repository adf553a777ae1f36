//! What differs between databases behind ODBC: names, types, what is asked in SQL so that drivers convert nothing.
//!
//! PostgreSQL and SQLite are proven by the contract suite. Dameng, Oracle and SQL Server are written from what is
//! generally known of them and have not been run against a server here. Any other database is read as standard SQL has it.

mod dameng;
mod oracle;
mod other;
mod postgres;
mod sql_server;
mod sqlite;

use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::catalog::{Declared, Meaning};
use super::session::Access;
use super::value::{self, Cell, Form, Slot, Wire};
use crate::text::joined;
use crate::types::holds;

/// The dialect of a database that names itself so.
pub(super) fn of(database: &str) -> &'static dyn Dialect {
    let name = database.to_lowercase();
    let is = |word: &str| name.contains(word);
    // Kingbase and openGauss speak the same SQL.
    if is("postgres") || is("kingbase") || is("opengauss") {
        &postgres::Postgres
    } else if is("sqlite") {
        &sqlite::Sqlite
    } else if is("dameng") || name.starts_with("dm") {
        &dameng::Dameng
    } else if is("oracle") {
        &oracle::Oracle
    } else if is("microsoft sql server") {
        &sql_server::SqlServer
    } else {
        &other::Other
    }
}

/// Why a statement failed, where the SQLSTATE alone doesn't say.
pub(super) enum Cause {
    Duplicate,
    Null,
    Busy,
    Full,
    ReadOnly,
    Unreachable(&'static str),
    NoTable,
}

/// How the rows of a query are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetching {
    /// By one statement, whose rows the driver hands on as they come.
    AtOnce,
    /// In parts, by a cursor of SQL: the driver takes in the whole result of a statement.
    ByCursor,
    /// In parts, of a temporary copy: the driver takes in the whole result of a statement, and there are no cursors.
    ByCopy,
}

/// A merge of staged rows into a table.
pub(super) struct Upsert<'a> {
    /// The table, as it stands in SQL.
    pub table: &'a str,
    /// The columns to write and those of the key, quoted.
    pub columns: &'a [String],
    pub key: &'a [String],
    /// The stage, and which of its rows are to be written: those that the table hasn't alike.
    pub stage: &'a str,
    pub rows: &'a str,
    /// Equality of the keys of `t` and `s`.
    pub same_key: &'a str,
}

impl Upsert<'_> {
    fn names(&self) -> String {
        self.columns.join(", ")
    }

    fn staged(&self) -> String {
        joined(self.columns, ", ", |name| format!("s.{name}"))
    }

    /// The columns beside the key.
    fn others(&self) -> Vec<&String> {
        let others = self.columns.iter();
        others.filter(|name| !self.key.contains(name)).collect()
    }

    /// `INSERT ... ON CONFLICT`, as PostgreSQL and SQLite have it.
    fn on_conflict(&self) -> String {
        let set = joined(self.columns, ", ", |name| {
            format!("{name} = excluded.{name}")
        });
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {} s WHERE {} ON CONFLICT ({}) DO UPDATE SET {set}",
            self.table,
            self.names(),
            self.staged(),
            self.stage,
            self.rows,
            self.key.join(", ")
        )
    }

    /// `MERGE`, as Oracle, Dameng and SQL Server have it. The key itself can't be set there.
    fn merge(&self, end: &str) -> String {
        let set = joined(self.others(), ", ", |name| format!("t.{name} = s.{name}"));
        let matched = if set.is_empty() {
            String::new()
        } else {
            format!(" WHEN MATCHED THEN UPDATE SET {set}")
        };
        let staged = joined(self.columns, ", ", |name| format!("s.{name}"));
        format!(
            "MERGE INTO {} t USING (SELECT {} FROM {} s WHERE {}) s ON ({}){matched} \
             WHEN NOT MATCHED THEN INSERT ({}) VALUES ({staged}){end}",
            self.table,
            self.staged(),
            self.stage,
            self.rows,
            self.same_key,
            self.names()
        )
    }
}

/// One kind of database.
pub(super) trait Dialect: Sync {
    /// Attributes that its driver needs beside those of the address.
    fn attributes(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Statements at the beginning of a session.
    fn settings(&self, access: Access) -> Vec<String> {
        let _ = access;
        Vec::new()
    }

    /// Statements at the beginning of the transaction that reads one snapshot, where there is one. A failure of these
    /// is a failure of the reading.
    fn begin_snapshot(&self) -> &'static [&'static str] {
        &[]
    }

    fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A statement that gives this text back, which stands in the statement itself.
    fn echo(&self, text: &str) -> String {
        format!("SELECT '{text}'")
    }

    fn has_schemas(&self) -> bool {
        true
    }

    /// Asks for the schema in which a name without one is looked for.
    fn current_schema(&self) -> Option<&'static str> {
        None
    }

    /// Asks for what ODBC's catalogue doesn't say of the columns of a table: their names first, then what
    /// [`Dialect::meaning`] takes as [`Declared::details`]. Binds schema and table, as many as there are `?`.
    fn details(&self) -> Option<&'static str> {
        None
    }

    /// Asks for unique indexes: number of the index, then a column. Binds as [`Dialect::details`].
    fn unique_keys(&self) -> Option<&'static str> {
        None
    }

    fn meaning(&self, declared: &Declared) -> Result<Meaning, String>;

    /// Whether a column of `held` can be read as `wanted`.
    fn gives(&self, held: ColumnType, wanted: ColumnType) -> Result<(), String> {
        let is_whole = matches!(held, ColumnType::Decimal { scale: 0, .. });
        let counts = matches!(
            wanted,
            ColumnType::Boolean
                | ColumnType::Int16
                | ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::UInt64
        );
        // Each value is looked at when it is read.
        if is_whole && counts {
            return Ok(());
        }
        holds(wanted, held).map_err(|_| format!("it is {held}, which can't be read as {wanted}"))
    }

    /// Whether a column can be written with values of `offered`.
    fn takes(&self, held: &Meaning, offered: ColumnType) -> Result<(), String> {
        holds(held.column_type, offered)
    }

    /// What is selected for a column that is wanted as another type.
    fn read(&self, name: &str, held: &Meaning, wanted: ColumnType) -> Wire;

    /// Where a value of this type is bound.
    fn slot(&self, column_type: ColumnType) -> Slot;

    /// The value as it is bound.
    fn cell(
        &self,
        value: ValueRef<'_>,
        column_type: ColumnType,
        form: Form,
    ) -> Result<Cell, &'static str> {
        value::cell(value, column_type, form)
    }

    /// As which type a filter's value is compared with a column of `column_type`.
    fn compared_as(&self, value: ValueRef<'_>, column_type: ColumnType) -> ColumnType {
        let decimal = |scale| ColumnType::Decimal {
            precision: crate::text::DECIMAL_DIGITS_MAX,
            scale,
        };
        match value {
            ValueRef::Int(_) => ColumnType::Int64,
            ValueRef::UInt(_) => decimal(0),
            ValueRef::Decimal { scale, .. } => decimal(scale),
            _ => column_type,
        }
    }

    /// Whether values can be ordered and compared by value, or why not.
    fn orders(&self, held: &Meaning) -> Result<(), String> {
        let _ = held;
        Ok(())
    }

    /// Asks for the character set, and the answer with which bytes of texts are those of UTF-8; nothing where
    /// [`Dialect::bytewise`] has them in any case.
    fn charset(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// A text, of the column `held` or bound, as an expression that orders and compares bytewise.
    fn bytewise(&self, sql: &str, held: &Meaning) -> String {
        let _ = held;
        sql.to_owned()
    }

    /// An expression to order by, NULL first.
    fn ordered(&self, sql: &str) -> String {
        format!("{sql} NULLS FIRST")
    }

    /// How rows are fetched without the driver keeping all of them.
    fn fetching(&self) -> Fetching {
        Fetching::AtOnce
    }

    /// Rows that one call may bring into the stage.
    fn call_rows_max(&self) -> usize {
        1_000
    }

    /// Asks for the primary key, column and place, where what the driver says of it isn't so. Binds as
    /// [`Dialect::details`].
    fn primary_key(&self) -> Option<&'static str> {
        None
    }

    /// What the driver's own words say, which aren't shown.
    fn cause(&self, state: &str, native: i32, message: &str) -> Option<Cause> {
        let _ = (state, native, message);
        None
    }

    // From here on: writing.

    /// Why it isn't written to; `None` if it is.
    fn refuses_writing(&self) -> Option<&'static str> {
        None
    }

    /// The type of a column that is created.
    fn declared(&self, column_type: ColumnType, is_key: bool) -> Result<String, String>;

    /// The type of a column of the stage.
    fn staged(&self, column_type: ColumnType, is_key: bool) -> Result<String, String> {
        self.declared(column_type, is_key)
    }

    /// The stage's name in SQL; `name` is no other session's.
    fn stage(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Creates the stage with these columns.
    fn create_stage(&self, stage: &str, columns: &str) -> String;

    /// Statements when the stage is filled.
    fn settle_stage(&self, stage: &str, key: &str) -> Vec<String> {
        let _ = (stage, key);
        Vec::new()
    }

    /// Removes the stage, where it doesn't end with the session.
    fn drop_stage(&self, stage: &str) -> Vec<String> {
        let _ = stage;
        Vec::new()
    }

    /// Whether creating a table ends a transaction.
    fn creates_outside(&self) -> bool {
        false
    }

    /// What stands behind the columns of a table that is created.
    fn table_end(&self) -> &'static str {
        ""
    }

    fn add_column(&self, table: &str, column: &str) -> String {
        format!("ALTER TABLE {table} ADD COLUMN {column}")
    }

    /// Keeps other writers out of a table until the transaction ends.
    fn lock(&self, table: &str) -> Option<String> {
        let _ = table;
        None
    }

    /// Whether the values of a column differ in `t` and `s`, NULL equal to NULL.
    fn differs(&self, name: &str, held: Option<&Meaning>, column_type: ColumnType) -> String {
        let _ = (held, column_type);
        format!(
            "(t.{name} <> s.{name} OR (t.{name} IS NULL AND s.{name} IS NOT NULL) \
             OR (t.{name} IS NOT NULL AND s.{name} IS NULL))"
        )
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String;

    /// The moment, for whoever looks into the database.
    fn now(&self) -> &'static str {
        "CURRENT_TIMESTAMP"
    }

    /// Whether a text may hold a zero character.
    fn takes_zero_characters(&self) -> bool {
        false
    }

    /// Whether the declared length of a text is no limit.
    fn takes_any_length(&self) -> bool {
        false
    }

    /// Whether an empty text becomes NULL.
    fn empty_is_null(&self) -> bool {
        false
    }
}

/// What ODBC itself calls a column's type: the numbers of its types and sizes, for databases whose own catalogue isn't
/// asked.
pub(super) fn odbc_meaning(declared: &Declared) -> Result<Meaning, String> {
    let size = declared.size.and_then(|size| u32::try_from(size).ok());
    let digits = declared
        .digits
        .and_then(|digits| i32::try_from(digits).ok());
    let text = || {
        // A size of zero or beyond all reason stands for none.
        let chars_max = size.filter(|size| (1..=32_767).contains(size));
        Ok(Meaning::of(ColumnType::Text { chars_max }))
    };
    match declared.data_type {
        -7 => Ok(Meaning::of(ColumnType::Boolean)),
        -6 | 5 => Ok(Meaning::of(ColumnType::Int16)),
        4 => Ok(Meaning::of(ColumnType::Int32)),
        -5 => Ok(Meaning::of(ColumnType::Int64)),
        2 | 3 => crate::types::decimal(size.unwrap_or(0), digits.unwrap_or(0)).map(Meaning::of),
        7 => Ok(Meaning::of(ColumnType::Float32)),
        6 | 8 => Ok(Meaning::of(ColumnType::Float64)),
        12 | -1 | -9 | -10 => text(),
        1 | -8 => text().map(Meaning::padded),
        -4..=-2 => Ok(Meaning::of(ColumnType::Bytes)),
        91 => Ok(Meaning::of(ColumnType::Date)),
        92 => Ok(moment(ColumnType::Time, digits)),
        93 => Ok(moment(ColumnType::Timestamp, digits)),
        _ => Err(format!(
            "the type {} has no exact counterpart; read it through a view that casts it, for example to text",
            declared.type_name
        )),
    }
}

/// A time that keeps so many decimals of a second.
fn moment(column_type: ColumnType, digits: Option<i32>) -> Meaning {
    let digits = digits.and_then(|digits| u32::try_from(digits).ok());
    Meaning {
        second_digits: digits.filter(|digits| *digits < 6),
        ..Meaning::of(column_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(data_type: i64, size: i64, digits: i64) -> Declared {
        Declared {
            type_name: "type".to_owned(),
            data_type,
            size: Some(size),
            digits: Some(digits),
            details: Vec::new(),
        }
    }

    #[test]
    fn a_database_is_known_by_its_name_and_others_are_not_written_to() {
        for name in [
            "PostgreSQL",
            "SQLite",
            "DM Database Server x64",
            "DAMENG",
            "Oracle",
            "Microsoft SQL Server",
        ] {
            assert!(of(name).refuses_writing().is_none(), "{name}");
        }
        for name in ["MariaDB", "Firebird", "", "ACCESS"] {
            assert!(of(name).refuses_writing().is_some(), "{name}");
        }
    }

    #[test]
    fn types_that_odbc_names_are_carried_or_refused() {
        let type_of = |data_type, size, digits| {
            odbc_meaning(&declared(data_type, size, digits)).map(|meaning| meaning.column_type)
        };
        let text = |chars_max| Ok(ColumnType::Text { chars_max });
        assert_eq!(type_of(12, 20, 0), text(Some(20)));
        assert_eq!(type_of(-10, 1_073_741_823, 0), text(None));
        assert_eq!(type_of(-9, 0, 0), text(None));
        let decimal = ColumnType::Decimal {
            precision: 12,
            scale: 2,
        };
        assert_eq!(type_of(3, 12, 2), Ok(decimal));
        assert!(type_of(2, 0, 0).is_err());
        assert!(type_of(2, 40, 0).is_err());
        // An interval.
        assert!(type_of(103, 2, 0).is_err());
        let seconds = odbc_meaning(&declared(93, 19, 0)).unwrap();
        assert_eq!(seconds.second_digits, Some(0));
        let nanos = odbc_meaning(&declared(93, 29, 9)).unwrap();
        assert_eq!(nanos.second_digits, None);
        assert!(odbc_meaning(&declared(1, 5, 0)).unwrap().is_padded);
    }

    /// What can't be tried here is at least written down.
    #[test]
    fn merges_are_written_as_each_database_has_them() {
        let names = ["\"id\"".to_owned(), "\"name\"".to_owned()];
        let upsert = Upsert {
            table: "t1",
            columns: &names,
            key: &names[..1],
            stage: "s1",
            rows: "s.o = 0",
            same_key: "t.\"id\" = s.\"id\"",
        };
        let merge = "MERGE INTO t1 t USING (SELECT s.\"id\", s.\"name\" FROM s1 s WHERE s.o = 0) s \
                     ON (t.\"id\" = s.\"id\") WHEN MATCHED THEN UPDATE SET t.\"name\" = s.\"name\" \
                     WHEN NOT MATCHED THEN INSERT (\"id\", \"name\") VALUES (s.\"id\", s.\"name\")";
        assert_eq!(of("Oracle").upsert(&upsert), merge);
        assert_eq!(of("DM").upsert(&upsert), merge);
        assert_eq!(
            of("Microsoft SQL Server").upsert(&upsert),
            format!("{merge};")
        );
        let key_alone = Upsert {
            columns: &names[..1],
            ..upsert
        };
        assert!(!of("Oracle").upsert(&key_alone).contains("UPDATE"));
    }
}
