//! SQLite, by libsqliteodbc. Any column may hold any value there, and the driver would make each what its column
//! declares; so each is asked for with what it is, see [`super::super::value::read_tagged`]. Texts cross as bytes, since
//! the driver ends them at a zero character.

use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::super::catalog::{Declared, Meaning};
use super::super::session::Access;
use super::super::value::{self, Cell, Form, Slot, Wire};
use super::{Cause, Dialect, Fetching, Upsert};
use crate::rows::kind_of;
use crate::sqlite::types;
use crate::text::{self, joined};

pub(super) struct Sqlite;

impl Dialect for Sqlite {
    fn attributes(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("NoCreat", "1"),
            ("LongNames", "0"),
            ("FKSupport", "1"),
            ("SyncPragma", "FULL"),
            ("Timeout", "30000"),
        ]
    }

    fn settings(&self, access: Access) -> Vec<String> {
        match access {
            Access::Read => Vec::new(),
            // Readers go on beside the one big transaction of an apply.
            Access::Write => vec!["PRAGMA journal_mode = WAL".to_owned()],
        }
    }

    fn has_schemas(&self) -> bool {
        false
    }

    fn details(&self) -> Option<&'static str> {
        Some(
            "SELECT name, type, CASE WHEN hidden >= 2 THEN 'g' ELSE '' END \
             FROM pragma_table_xinfo(CAST(? AS TEXT)) WHERE hidden <> 1",
        )
    }

    fn unique_keys(&self) -> Option<&'static str> {
        Some(
            "SELECT CAST(l.seq AS TEXT), i.name FROM pragma_index_list(CAST(? AS TEXT)) AS l \
             JOIN pragma_index_xinfo(l.name) AS i WHERE l.\"unique\" AND NOT l.partial AND i.key \
             AND i.coll IN ('BINARY', 'NOCASE', 'RTRIM') ORDER BY l.seq, i.seqno",
        )
    }

    fn meaning(&self, declared: &Declared) -> Result<Meaning, String> {
        let [name, generated] = declared.details.as_slice() else {
            return Err("the database says nothing of its type".to_owned());
        };
        Ok(Meaning {
            is_generated: generated == "g",
            // A declared length says nothing there.
            is_any_length: self.takes_any_length(),
            ..Meaning::of(types::meaning(name)?)
        })
    }

    fn gives(&self, held: ColumnType, wanted: ColumnType) -> Result<(), String> {
        types::gives(held, wanted)
    }

    fn takes(&self, held: &Meaning, offered: ColumnType) -> Result<(), String> {
        types::carries(held.column_type, offered)
    }

    fn read(&self, name: &str, held: &Meaning, _wanted: ColumnType) -> Wire {
        const INTEGER: (&str, &str) = ("integer", "'=' || {}");
        // Twenty digits are more than a double has: reading them gives the same one.
        const REAL: (&str, &str) = ("real", "'r' || printf('%!.20g', {})");
        const TEXT: (&str, &str) = ("text", "'h' || hex(CAST({} AS BLOB))");
        const BLOB: (&str, &str) = ("blob", "'h' || hex({})");
        let kinds: &[(&str, &str)] = match held.column_type {
            ColumnType::Boolean | ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
                &[INTEGER]
            }
            ColumnType::UInt64 => &[INTEGER, TEXT],
            ColumnType::Float32 | ColumnType::Float64 => &[REAL, INTEGER, TEXT],
            ColumnType::Decimal { .. } => &[TEXT, INTEGER, REAL],
            ColumnType::Bytes => &[BLOB],
            ColumnType::Text { .. }
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::Timestamp
            | ColumnType::Instant => &[TEXT],
        };
        let cases = joined(kinds, " ", |(kind, sql)| {
            format!("WHEN '{kind}' THEN {}", sql.replace("{}", name))
        });
        Wire::tagged(format!(
            "CASE typeof({name}) WHEN 'null' THEN NULL {cases} ELSE '!' || typeof({name}) END"
        ))
    }

    fn slot(&self, column_type: ColumnType) -> Slot {
        match column_type {
            ColumnType::Boolean | ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
                Slot::new("?", Form::Int)
            }
            ColumnType::Float32 | ColumnType::Float64 => Slot::new("?", Form::Float),
            ColumnType::Bytes => Slot::new("?", Form::Bytes),
            _ => Slot::new("CAST(? AS TEXT)", Form::Bytes),
        }
    }

    fn cell(
        &self,
        value: ValueRef<'_>,
        column_type: ColumnType,
        form: Form,
    ) -> Result<Cell, &'static str> {
        match (form, value) {
            (Form::Float, ValueRef::Float(v)) if v.is_nan() => {
                Err("no number, which the driver would make NULL")
            }
            (Form::Float, ValueRef::Int(v)) => i32::try_from(v)
                .map(|v| Cell::Float(v.into()))
                .map_err(|_| "a large integer"),
            (Form::Float, ValueRef::Decimal { unscaled, scale }) => {
                let mut digits = String::new();
                text::write_decimal(&mut digits, unscaled, scale);
                digits.parse().map(Cell::Float).map_err(|_| kind_of(value))
            }
            (Form::Bytes, ValueRef::Null | ValueRef::Text(_) | ValueRef::Bytes(_)) => {
                value::cell(value, column_type, form)
            }
            (Form::Bytes, _) => match value::cell(value, column_type, Form::Text)? {
                Cell::Text(text) => Ok(Cell::Bytes(text.into_bytes())),
                other => Ok(other),
            },
            _ => value::cell(value, column_type, form),
        }
    }

    fn compared_as(&self, value: ValueRef<'_>, column_type: ColumnType) -> ColumnType {
        // Integers and doubles are compared exactly there.
        match value {
            ValueRef::Int(_) => ColumnType::Int64,
            ValueRef::UInt(v) if i64::try_from(v).is_ok() => ColumnType::Int64,
            ValueRef::UInt(_) | ValueRef::Decimal { .. } => ColumnType::Float64,
            _ => column_type,
        }
    }

    fn orders(&self, held: &Meaning) -> Result<(), String> {
        match held.column_type {
            ColumnType::UInt64
            | ColumnType::Decimal { .. }
            | ColumnType::Time
            | ColumnType::Timestamp
            | ColumnType::Instant => Err(format!(
                "SQLite keeps {} as text, which can't be ordered or compared by value through ODBC; open the file by a sqlite: address",
                held.column_type
            )),
            _ => Ok(()),
        }
    }

    fn bytewise(&self, sql: &str, held: &Meaning) -> String {
        match held.column_type {
            ColumnType::Text { .. } | ColumnType::Date => format!("{sql} COLLATE BINARY"),
            _ => sql.to_owned(),
        }
    }

    fn fetching(&self) -> Fetching {
        Fetching::ByCopy
    }

    fn call_rows_max(&self) -> usize {
        // Of bytes in an array, the driver takes each to be as long as the first. There is no way to a server that
        // would make calls dear.
        1
    }

    fn primary_key(&self) -> Option<&'static str> {
        // The driver gives the columns in the table's order.
        Some("SELECT name, CAST(pk AS TEXT) FROM pragma_table_xinfo(CAST(? AS TEXT)) WHERE pk > 0")
    }

    fn cause(&self, _state: &str, native: i32, message: &str) -> Option<Cause> {
        // The low byte is the result code; its upper ones say more.
        match native & 0xff {
            5 | 6 => Some(Cause::Busy),
            8 => Some(Cause::ReadOnly),
            10 => Some(Cause::Unreachable("the disk reports an error")),
            11 => Some(Cause::Unreachable("the file is damaged")),
            13 => Some(Cause::Full),
            14 => Some(Cause::Unreachable("the file can't be opened")),
            19 if message.contains("UNIQUE constraint") => Some(Cause::Duplicate),
            19 if message.contains("NOT NULL constraint") => Some(Cause::Null),
            26 => Some(Cause::Unreachable("the file is not an SQLite database")),
            _ if message.contains("no such table") => Some(Cause::NoTable),
            _ => None,
        }
    }

    fn declared(&self, column_type: ColumnType, _is_key: bool) -> Result<String, String> {
        Ok(types::declared(column_type))
    }

    fn stage(&self, name: &str) -> String {
        format!("temp.{name}")
    }

    fn create_stage(&self, stage: &str, columns: &str) -> String {
        format!("CREATE TABLE {stage} ({columns})")
    }

    fn settle_stage(&self, stage: &str, key: &str) -> Vec<String> {
        let name = stage.trim_start_matches("temp.");
        vec![format!("CREATE INDEX temp.{name}_key ON {name} ({key})")]
    }

    fn table_end(&self) -> &'static str {
        " WITHOUT ROWID"
    }

    fn differs(&self, name: &str, _held: Option<&Meaning>, column_type: ColumnType) -> String {
        let collation = match column_type {
            ColumnType::Text { .. } => " COLLATE BINARY",
            _ => "",
        };
        format!("t.{name}{collation} IS NOT s.{name}")
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String {
        upsert.on_conflict()
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
    }

    fn takes_any_length(&self) -> bool {
        true
    }

    fn takes_zero_characters(&self) -> bool {
        true
    }
}
