//! PostgreSQL and its kin, by psqlodbc. Numbers, dates and times come as the server's own texts, instants in UTC.

use tongqu_domain::exchange::ColumnType;

use super::super::catalog::{Declared, Meaning};
use super::super::session::Access;
use super::super::value::{Form, Slot, Wire};
use super::{Dialect, Fetching, Upsert};
use crate::postgres::types::{self, Native};

pub(super) struct Postgres;

impl Dialect for Postgres {
    fn attributes(&self) -> &'static [(&'static str, &'static str)] {
        &[
            // What is sent isn't noted down, whatever the driver's own settings say.
            ("Debug", "0"),
            ("CommLog", "0"),
            // Line feeds and empty texts stay as they are.
            ("LFConversion", "0"),
            ("DisallowPremature", "0"),
            // A failed statement fails its transaction; a savepoint around each would cost as much as the statement.
            ("Protocol", "7.4-0"),
            ("UseDeclareFetch", "0"),
            ("ByteaAsLongVarBinary", "1"),
            ("BoolsAsChar", "0"),
            ("BatchSize", "500"),
        ]
    }

    fn settings(&self, access: Access) -> Vec<String> {
        let mut settings = vec![
            "SET DateStyle = 'ISO, YMD'".to_owned(),
            "SET IntervalStyle = 'postgres'".to_owned(),
            "SET TimeZone = 'UTC'".to_owned(),
            "SET extra_float_digits = 3".to_owned(),
            "SET lock_timeout = 30000".to_owned(),
        ];
        if access == Access::Write {
            settings.push("SET synchronous_commit = on".to_owned());
        }
        settings
    }

    fn begin_snapshot(&self) -> &'static [&'static str] {
        &["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"]
    }

    fn current_schema(&self) -> Option<&'static str> {
        Some("SELECT CAST(current_schema() AS text)")
    }

    fn details(&self) -> Option<&'static str> {
        Some(
            "SELECT CAST(a.attname AS text), CAST(COALESCE(b.typname, t.typname) AS text), \
             CAST(COALESCE(b.typtype, t.typtype) AS text), \
             CAST(CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END AS text), \
             CASE WHEN CAST(row_to_json(a) AS text) ~ '\"attgenerated\":\"[a-z]\"' THEN 'g' ELSE '' END \
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype \
             WHERE n.nspname = CAST(? AS text) AND c.relname = CAST(? AS text) \
             AND a.attnum > 0 AND NOT a.attisdropped",
        )
    }

    fn unique_keys(&self) -> Option<&'static str> {
        Some(
            "SELECT CAST(i.indexrelid AS text), CAST(a.attname AS text) FROM pg_catalog.pg_index i \
             JOIN pg_catalog.pg_class c ON c.oid = i.indrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid \
             AND a.attnum = ANY (CAST(i.indkey AS smallint[])) \
             WHERE n.nspname = CAST(? AS text) AND c.relname = CAST(? AS text) \
             AND i.indisunique AND i.indisvalid AND i.indimmediate \
             AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY 1",
        )
    }

    fn meaning(&self, declared: &Declared) -> Result<Meaning, String> {
        let [name, kind, modifier, generated] = declared.details.as_slice() else {
            return Err("the database says nothing of its type".to_owned());
        };
        let modifier = modifier.parse().unwrap_or(-1);
        let held = types::meaning(name, kind, modifier)?;
        Ok(Meaning {
            second_digits: held.second_digits,
            is_padded: held.native == Native::Padded,
            is_shown: held.native == Native::ShownAsText,
            is_generated: generated == "g",
            ..Meaning::of(held.column_type)
        })
    }

    fn gives(&self, held: ColumnType, wanted: ColumnType) -> Result<(), String> {
        types::gives(held, wanted)
    }

    fn takes(&self, held: &Meaning, offered: ColumnType) -> Result<(), String> {
        if held.is_shown {
            return Err(
                "the server may write its text otherwise; write it by a postgres:// address"
                    .to_owned(),
            );
        }
        crate::types::holds(held.column_type, offered)
    }

    fn read(&self, name: &str, held: &Meaning, _wanted: ColumnType) -> Wire {
        match held.column_type {
            ColumnType::Boolean => Wire::new(format!("CAST({name} AS integer)"), Form::Int),
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => Wire::new(name, Form::Int),
            // A single's shortest digits would be read as another double.
            ColumnType::Float32 | ColumnType::Float64 => {
                Wire::short_text(format!("CAST(CAST({name} AS double precision) AS text)"))
            }
            ColumnType::Text { .. } if held.is_shown => {
                Wire::new(format!("CAST({name} AS text)"), Form::Text)
            }
            ColumnType::Text { chars_max } => Wire::text_of(name, chars_max),
            ColumnType::Bytes => Wire::new(name, Form::Bytes),
            ColumnType::UInt64
            | ColumnType::Decimal { .. }
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::Timestamp => Wire::short_text(format!("CAST({name} AS text)")),
            ColumnType::Instant => {
                Wire::short_text(format!("CAST({name} AT TIME ZONE 'UTC' AS text)"))
            }
        }
    }

    fn slot(&self, column_type: ColumnType) -> Slot {
        let cast = |name: &str, form| Slot::new(format!("CAST(? AS {name})"), form);
        match column_type {
            // Bound as text, so that the driver has no say in it.
            ColumnType::Text { .. } => cast("text", Form::Text),
            ColumnType::Bytes => cast("bytea", Form::Bytes),
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
                cast(&types::declared(column_type), Form::Int)
            }
            other => cast(&types::declared(other), Form::Text),
        }
    }

    fn bytewise(&self, sql: &str, held: &Meaning) -> String {
        match held.column_type {
            // Comparing char(n) would leave blanks at the end aside; its bytes have them.
            ColumnType::Text { .. } if held.is_padded => {
                format!("convert_from(bpcharsend({sql}), 'UTF8') COLLATE \"C\"")
            }
            ColumnType::Text { .. } if held.is_shown => {
                format!("CAST({sql} AS text) COLLATE \"C\"")
            }
            ColumnType::Text { .. } => format!("{sql} COLLATE \"C\""),
            _ => sql.to_owned(),
        }
    }

    fn fetching(&self) -> Fetching {
        Fetching::ByCursor
    }

    fn declared(&self, column_type: ColumnType, is_key: bool) -> Result<String, String> {
        let collation = match column_type {
            // Key texts of our own tables lie in bytewise order, so that reading by key can use the index.
            ColumnType::Text { .. } if is_key => " COLLATE \"C\"",
            _ => "",
        };
        Ok(format!("{}{collation}", types::declared(column_type)))
    }

    fn staged(&self, column_type: ColumnType, _is_key: bool) -> Result<String, String> {
        Ok(types::staged(column_type))
    }

    fn stage(&self, name: &str) -> String {
        format!("pg_temp.{name}")
    }

    fn create_stage(&self, stage: &str, columns: &str) -> String {
        format!("CREATE TABLE {stage} ({columns})")
    }

    fn settle_stage(&self, stage: &str, key: &str) -> Vec<String> {
        vec![
            format!("CREATE INDEX ON {stage} ({key})"),
            format!("ANALYZE {stage}"),
        ]
    }

    fn lock(&self, table: &str) -> Option<String> {
        Some(format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
    }

    fn differs(&self, name: &str, _held: Option<&Meaning>, column_type: ColumnType) -> String {
        match column_type {
            ColumnType::Text { .. } => {
                format!("t.{name} COLLATE \"C\" IS DISTINCT FROM s.{name} COLLATE \"C\"")
            }
            _ => format!("t.{name} IS DISTINCT FROM s.{name}"),
        }
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String {
        upsert.on_conflict()
    }

    fn now(&self) -> &'static str {
        "now()"
    }
}
