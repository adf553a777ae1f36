//! Dameng (DM8), by its own driver. Written from what is generally known of it, not run against a server here.

use tongqu_domain::exchange::ColumnType;

use super::super::catalog::{Declared, Meaning};
use super::super::value::{Form, Slot, Wire};
use super::{Dialect, Upsert, odbc_meaning};

pub(super) struct Dameng;

/// The longest text of a column with a length, in characters of four bytes: a row lies within a page of 8 KiB or more.
const CHARS_MAX: u32 = 1_000;

impl Dialect for Dameng {
    fn begin_snapshot(&self) -> &'static [&'static str] {
        &["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"]
    }

    fn current_schema(&self) -> Option<&'static str> {
        Some("SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')")
    }

    fn meaning(&self, declared: &Declared) -> Result<Meaning, String> {
        let name = declared.type_name.to_uppercase();
        if name.contains("TIME ZONE") {
            return Err(
                "how the driver hands over a time with a zone isn't known; read it through a view that casts it"
                    .to_owned(),
            );
        }
        Ok(Meaning {
            // A length counts bytes there unless the database was made otherwise.
            counts_bytes: true,
            is_long: matches!(
                name.as_str(),
                "CLOB" | "TEXT" | "LONGVARCHAR" | "BLOB" | "IMAGE" | "LONGVARBINARY"
            ),
            ..odbc_meaning(declared)?
        })
    }

    fn read(&self, name: &str, held: &Meaning, _wanted: ColumnType) -> Wire {
        match held.column_type {
            ColumnType::Boolean => Wire::new(format!("CAST({name} AS INT)"), Form::Int),
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => Wire::new(name, Form::Int),
            ColumnType::Float32 | ColumnType::Float64 => {
                Wire::new(format!("CAST({name} AS DOUBLE)"), Form::Float)
            }
            ColumnType::Text { chars_max } => Wire::text_of(name, chars_max),
            ColumnType::Bytes => Wire::new(name, Form::Bytes),
            ColumnType::Date => Wire::short_text(format!("TO_CHAR({name}, 'YYYY-MM-DD')")),
            ColumnType::Timestamp => {
                Wire::short_text(format!("TO_CHAR({name}, 'YYYY-MM-DD HH24:MI:SS.FF6')"))
            }
            _ => Wire::short_text(format!("CAST({name} AS VARCHAR(64))")),
        }
    }

    fn slot(&self, column_type: ColumnType) -> Slot {
        match column_type {
            ColumnType::Text { .. } => Slot::new("?", Form::Text),
            ColumnType::Bytes => Slot::new("?", Form::Bytes),
            ColumnType::Float32 | ColumnType::Float64 => Slot::new("?", Form::Float),
            ColumnType::Boolean | ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => {
                Slot::new("?", Form::Int)
            }
            other => Slot::new(format!("CAST(? AS {})", plain(other)), Form::Text),
        }
    }

    fn orders(&self, held: &Meaning) -> Result<(), String> {
        if held.is_long {
            Err("the database doesn't compare large objects; order by another column".to_owned())
        } else {
            Ok(())
        }
    }

    fn charset(&self) -> Option<(&'static str, &'static str)> {
        Some(("SELECT SF_GET_UNICODE_FLAG()", "1"))
    }

    fn bytewise(&self, sql: &str, held: &Meaning) -> String {
        match held.column_type {
            // Bytes of UTF-8 as hexadecimal digits have their order, whatever case and blanks count for.
            ColumnType::Text { .. } => format!("RAWTOHEX(UTL_RAW.CAST_TO_RAW({sql}))"),
            _ => sql.to_owned(),
        }
    }

    fn declared(&self, column_type: ColumnType, is_key: bool) -> Result<String, String> {
        match column_type {
            ColumnType::Instant => {
                Err("how the driver hands over a time with a zone isn't known".to_owned())
            }
            ColumnType::Text {
                chars_max: Some(chars),
            } if chars <= CHARS_MAX => Ok(format!("VARCHAR({})", 4 * chars.max(1))),
            ColumnType::Text { .. } | ColumnType::Bytes if is_key => Err(format!(
                "a key there is a text of at most {CHARS_MAX} characters"
            )),
            other => Ok(plain(other)),
        }
    }

    fn create_stage(&self, stage: &str, columns: &str) -> String {
        format!("CREATE GLOBAL TEMPORARY TABLE {stage} ({columns}) ON COMMIT PRESERVE ROWS")
    }

    fn drop_stage(&self, stage: &str) -> Vec<String> {
        vec![
            format!("TRUNCATE TABLE {stage}"),
            format!("DROP TABLE {stage}"),
        ]
    }

    fn creates_outside(&self) -> bool {
        true
    }

    fn lock(&self, table: &str) -> Option<String> {
        Some(format!("LOCK TABLE {table} IN EXCLUSIVE MODE"))
    }

    fn differs(&self, name: &str, held: Option<&Meaning>, column_type: ColumnType) -> String {
        let (t, s) = (format!("t.{name}"), format!("s.{name}"));
        let is_long = held.is_none_or(|held| held.is_long);
        let other = match column_type {
            ColumnType::Text { chars_max: None } | ColumnType::Bytes if is_long => {
                format!("DBMS_LOB.COMPARE({t}, {s}) <> 0")
            }
            ColumnType::Text { .. } => {
                format!("RAWTOHEX(UTL_RAW.CAST_TO_RAW({t})) <> RAWTOHEX(UTL_RAW.CAST_TO_RAW({s}))")
            }
            _ => format!("{t} <> {s}"),
        };
        format!(
            "({other} OR ({t} IS NULL AND {s} IS NOT NULL) OR ({t} IS NOT NULL AND {s} IS NULL))"
        )
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String {
        upsert.merge("")
    }
}

fn plain(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "BIT".to_owned(),
        ColumnType::Int16 => "SMALLINT".to_owned(),
        ColumnType::Int32 => "INT".to_owned(),
        ColumnType::Int64 => "BIGINT".to_owned(),
        ColumnType::UInt64 => "DECIMAL(20,0)".to_owned(),
        ColumnType::Float32 => "REAL".to_owned(),
        ColumnType::Float64 => "DOUBLE".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        ColumnType::Text { .. } => "CLOB".to_owned(),
        ColumnType::Bytes => "BLOB".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Time => "TIME(6)".to_owned(),
        ColumnType::Timestamp | ColumnType::Instant => "TIMESTAMP(6)".to_owned(),
    }
}
