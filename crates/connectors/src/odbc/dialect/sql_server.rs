//! Microsoft SQL Server 2019 or later, by msodbcsql. Written from what is generally known of it, not run against a server here.

use tongqu_domain::exchange::ColumnType;

use super::super::catalog::{Declared, Meaning};
use super::super::value::{Form, Slot, Wire};
use super::{Dialect, Upsert, odbc_meaning};

pub(super) struct SqlServer;

/// Compares texts as their UTF-8 bytes, blanks at the end included.
const BYTEWISE: &str = "Latin1_General_100_BIN2_UTF8";

/// The longest text of a column with a length, and of a key.
const CHARS_MAX: u32 = 4_000;
const KEY_CHARS_MAX: u32 = 400;

/// ODBC numbers of the driver's own types.
const TIME: i64 = -154;
const DATETIMEOFFSET: i64 = -155;
const UNIQUEIDENTIFIER: i64 = -11;

impl Dialect for SqlServer {
    fn echo(&self, text: &str) -> String {
        format!("SELECT N'{text}'")
    }

    fn begin_snapshot(&self) -> &'static [&'static str] {
        // SNAPSHOT has to be switched on for a database; this level is always there, and holds writers up.
        &["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"]
    }

    fn current_schema(&self) -> Option<&'static str> {
        Some("SELECT SCHEMA_NAME()")
    }

    fn meaning(&self, declared: &Declared) -> Result<Meaning, String> {
        let micros = |column_type| {
            let digits = declared
                .digits
                .and_then(|digits| u32::try_from(digits).ok());
            Ok(Meaning {
                second_digits: digits.filter(|digits| *digits < 6),
                ..Meaning::of(column_type)
            })
        };
        match (declared.data_type, declared.type_name.as_str()) {
            (TIME, _) => micros(ColumnType::Time),
            (DATETIMEOFFSET, _) => micros(ColumnType::Instant),
            (UNIQUEIDENTIFIER, _) => Ok(Meaning {
                is_shown: true,
                ..Meaning::of(ColumnType::Text {
                    chars_max: Some(36),
                })
            }),
            // They keep three hundredths of a second, and minutes: fit for reading only.
            (_, "datetime" | "smalldatetime") => Ok(Meaning {
                is_shown: true,
                ..Meaning::of(ColumnType::Timestamp)
            }),
            _ => odbc_meaning(declared),
        }
    }

    fn takes(&self, held: &Meaning, offered: ColumnType) -> Result<(), String> {
        if held.is_shown {
            return Err(
                "it would be kept otherwise than it was sent; declare datetime2(6) or nvarchar(36)"
                    .to_owned(),
            );
        }
        crate::types::holds(held.column_type, offered)
    }

    fn read(&self, name: &str, held: &Meaning, _wanted: ColumnType) -> Wire {
        let shown = |sql: String| Wire::short_text(sql);
        match held.column_type {
            ColumnType::Boolean => Wire::new(format!("CAST({name} AS int)"), Form::Int),
            ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => Wire::new(name, Form::Int),
            ColumnType::Float32 | ColumnType::Float64 => {
                Wire::new(format!("CAST({name} AS float(53))"), Form::Float)
            }
            // Money shows two of its four decimals unless it is made a decimal first.
            ColumnType::UInt64 => shown(format!("CONVERT(varchar(48), {name})")),
            ColumnType::Decimal { precision, scale } => shown(format!(
                "CONVERT(varchar(48), CAST({name} AS decimal({precision},{scale})))"
            )),
            ColumnType::Text { .. } if held.is_shown => {
                shown(format!("CONVERT(varchar(36), {name})"))
            }
            ColumnType::Text { chars_max } => {
                Wire::text_of(format!("CAST({name} AS nvarchar(max))"), chars_max)
            }
            ColumnType::Bytes => Wire::new(name, Form::Bytes),
            ColumnType::Date => shown(format!("CONVERT(varchar(10), {name}, 23)")),
            ColumnType::Time | ColumnType::Timestamp => {
                shown(format!("CONVERT(varchar(27), {name}, 121)"))
            }
            ColumnType::Instant => shown(format!(
                "CONVERT(varchar(27), CAST(SWITCHOFFSET({name}, '+00:00') AS datetime2(7)), 121)"
            )),
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
        let declared = match column_type {
            ColumnType::Text { .. } => "nvarchar(max)".to_owned(),
            other => plain(other),
        };
        Slot::new(format!("CAST(? AS {declared})"), form)
    }

    fn orders(&self, held: &Meaning) -> Result<(), String> {
        if held.column_type == ColumnType::Bytes {
            Err(
                "the database takes bytes that differ in zeros at their end only for equal"
                    .to_owned(),
            )
        } else {
            Ok(())
        }
    }

    fn bytewise(&self, sql: &str, held: &Meaning) -> String {
        match held.column_type {
            ColumnType::Text { .. } => bytes_of(sql),
            _ => sql.to_owned(),
        }
    }

    fn ordered(&self, sql: &str) -> String {
        // NULL comes first there anyhow.
        sql.to_owned()
    }

    fn declared(&self, column_type: ColumnType, is_key: bool) -> Result<String, String> {
        let ColumnType::Text { chars_max } = column_type else {
            return match column_type {
                ColumnType::Bytes if is_key => {
                    Err("bytes of any length can't be a key there".to_owned())
                }
                other => Ok(plain(other)),
            };
        };
        let limit = if is_key { KEY_CHARS_MAX } else { CHARS_MAX };
        let length = match chars_max {
            Some(chars) if chars <= limit => chars.max(1).to_string(),
            None if is_key => KEY_CHARS_MAX.to_string(),
            _ if is_key => {
                return Err(format!(
                    "a key there has at most {KEY_CHARS_MAX} characters"
                ));
            }
            _ => "max".to_owned(),
        };
        Ok(format!(
            "nvarchar({length}) COLLATE Latin1_General_100_BIN2"
        ))
    }

    fn staged(&self, column_type: ColumnType, is_key: bool) -> Result<String, String> {
        match column_type {
            ColumnType::Text { .. } if !is_key => {
                Ok("nvarchar(max) COLLATE Latin1_General_100_BIN2".to_owned())
            }
            other => self.declared(other, is_key),
        }
    }

    fn stage(&self, name: &str) -> String {
        format!("#{name}")
    }

    fn create_stage(&self, stage: &str, columns: &str) -> String {
        format!("CREATE TABLE {stage} ({columns})")
    }

    fn add_column(&self, table: &str, column: &str) -> String {
        format!("ALTER TABLE {table} ADD {column}")
    }

    fn lock(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT TOP (0) 1 FROM {table} WITH (TABLOCKX, HOLDLOCK)"
        ))
    }

    fn differs(&self, name: &str, _held: Option<&Meaning>, column_type: ColumnType) -> String {
        let (t, s) = (format!("t.{name}"), format!("s.{name}"));
        let (left, right) = match column_type {
            ColumnType::Text { .. } => (bytes_of(&t), bytes_of(&s)),
            // Bytes that differ in zeros at their end only count as equal there; their number tells them apart.
            ColumnType::Bytes => (counted(&t), counted(&s)),
            _ => (t.clone(), s.clone()),
        };
        format!(
            "({left} <> {right} OR ({t} IS NULL AND {s} IS NOT NULL) OR ({t} IS NOT NULL AND {s} IS NULL))"
        )
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String {
        upsert.merge(";")
    }

    fn now(&self) -> &'static str {
        "SYSDATETIMEOFFSET()"
    }
}

fn bytes_of(sql: &str) -> String {
    format!("CAST(CAST({sql} COLLATE {BYTEWISE} AS varchar(max)) AS varbinary(max))")
}

/// Bytes behind their number.
fn counted(sql: &str) -> String {
    format!("CAST(DATALENGTH({sql}) AS binary(8)) + {sql}")
}

fn plain(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "bit".to_owned(),
        ColumnType::Int16 => "smallint".to_owned(),
        ColumnType::Int32 => "int".to_owned(),
        ColumnType::Int64 => "bigint".to_owned(),
        ColumnType::UInt64 => "decimal(20,0)".to_owned(),
        ColumnType::Float32 => "real".to_owned(),
        ColumnType::Float64 => "float(53)".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        ColumnType::Text { .. } => "nvarchar(max)".to_owned(),
        ColumnType::Bytes => "varbinary(max)".to_owned(),
        ColumnType::Date => "date".to_owned(),
        ColumnType::Time => "time(6)".to_owned(),
        ColumnType::Timestamp => "datetime2(6)".to_owned(),
        ColumnType::Instant => "datetimeoffset(6)".to_owned(),
    }
}
