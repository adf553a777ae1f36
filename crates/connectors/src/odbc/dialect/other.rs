//! A database that nobody described here: read as ODBC and standard SQL have it, not written to.

use tongqu_domain::exchange::ColumnType;

use super::super::catalog::{Declared, Meaning};
use super::super::value::{Form, Slot, Wire};
use super::{Dialect, Upsert, odbc_meaning};

pub(super) struct Other;

const UNKNOWN: &str = "this kind of database isn't known, so what it makes of values isn't either";

impl Dialect for Other {
    fn meaning(&self, declared: &Declared) -> Result<Meaning, String> {
        odbc_meaning(declared)
    }

    fn read(&self, name: &str, held: &Meaning, _wanted: ColumnType) -> Wire {
        match held.column_type {
            ColumnType::Boolean | ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
                Wire::new(name, Form::Int)
            }
            // Texts of doubles are rounded by most drivers.
            ColumnType::Float32 | ColumnType::Float64 => Wire::new(name, Form::Float),
            ColumnType::Text { chars_max } => Wire::text_of(name, chars_max),
            ColumnType::Bytes => Wire::new(name, Form::Bytes),
            _ => Wire::short_text(name),
        }
    }

    fn slot(&self, column_type: ColumnType) -> Slot {
        let form = match column_type {
            ColumnType::Boolean | ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
                Form::Int
            }
            ColumnType::Float32 | ColumnType::Float64 => Form::Float,
            ColumnType::Bytes => Form::Bytes,
            _ => Form::Text,
        };
        Slot::new("?", form)
    }

    fn orders(&self, held: &Meaning) -> Result<(), String> {
        match held.column_type {
            ColumnType::Text { .. } | ColumnType::Bytes => Err(format!(
                "{UNKNOWN}: neither how it orders texts; order by numbers or dates"
            )),
            _ => Ok(()),
        }
    }

    fn ordered(&self, sql: &str) -> String {
        format!("CASE WHEN {sql} IS NULL THEN 0 ELSE 1 END, {sql}")
    }

    fn refuses_writing(&self) -> Option<&'static str> {
        Some(UNKNOWN)
    }

    fn declared(&self, _column_type: ColumnType, _is_key: bool) -> Result<String, String> {
        Err(UNKNOWN.to_owned())
    }

    fn create_stage(&self, stage: &str, columns: &str) -> String {
        format!("CREATE TEMPORARY TABLE {stage} ({columns})")
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String {
        upsert.merge("")
    }
}
