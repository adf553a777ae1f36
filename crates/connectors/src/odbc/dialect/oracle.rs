//! Oracle 12c or later with the character set AL32UTF8, by Oracle's own driver. Written from what is generally known of it, not
//! run against a server here.

use tongqu_domain::exchange::ColumnType;

use super::super::catalog::{Declared, Meaning};
use super::super::session::Access;
use super::super::value::{Form, Slot, Wire};
use super::{Dialect, Upsert};
use crate::types::decimal;

pub(super) struct Oracle;

/// The longest text of a column with a length, in characters of four bytes.
const CHARS_MAX: u32 = 1_000;

const MOMENT: &str = "SYYYY-MM-DD HH24:MI:SS.FF9";

impl Dialect for Oracle {
    fn settings(&self, _access: Access) -> Vec<String> {
        vec![
            "ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,'".to_owned(),
            "ALTER SESSION SET NLS_SORT = BINARY".to_owned(),
            "ALTER SESSION SET NLS_COMP = BINARY".to_owned(),
        ]
    }

    fn echo(&self, text: &str) -> String {
        format!("SELECT '{text}' FROM DUAL")
    }

    fn begin_snapshot(&self) -> &'static [&'static str] {
        &["SET TRANSACTION READ ONLY"]
    }

    fn current_schema(&self) -> Option<&'static str> {
        Some("SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM DUAL")
    }

    fn details(&self) -> Option<&'static str> {
        Some(
            "SELECT COLUMN_NAME, DATA_TYPE, TO_CHAR(DATA_PRECISION), TO_CHAR(DATA_SCALE), \
             TO_CHAR(CHAR_LENGTH), CHAR_USED, VIRTUAL_COLUMN FROM ALL_TAB_COLS \
             WHERE OWNER = ? AND TABLE_NAME = ? AND HIDDEN_COLUMN = 'NO'",
        )
    }

    fn meaning(&self, declared: &Declared) -> Result<Meaning, String> {
        let [name, precision, scale, chars, used, generated] = declared.details.as_slice() else {
            return Err("the database says nothing of its type".to_owned());
        };
        let chars_max = chars.parse().ok().filter(|chars| *chars > 0);
        let scale = scale.parse::<i32>().ok();
        let second_digits = scale.and_then(|n| u32::try_from(n).ok()).filter(|n| *n < 6);
        let moment = |column_type| Meaning {
            second_digits,
            ..Meaning::of(column_type)
        };
        let long = |column_type| Meaning {
            is_long: true,
            ..Meaning::of(column_type)
        };
        let text = Meaning {
            counts_bytes: used == "B",
            ..Meaning::of(ColumnType::Text { chars_max })
        };
        let plain = match name.as_str() {
            "NUMBER" => match precision.parse() {
                Ok(precision) => Meaning::of(decimal(precision, scale.unwrap_or(0))?),
                Err(_) => {
                    return Err("it declares no number of digits; declare NUMBER(p,s)".to_owned());
                }
            },
            "BINARY_FLOAT" => Meaning::of(ColumnType::Float32),
            "BINARY_DOUBLE" => Meaning::of(ColumnType::Float64),
            "VARCHAR2" | "NVARCHAR2" => text,
            "CHAR" | "NCHAR" => text.padded(),
            "CLOB" | "NCLOB" => long(ColumnType::Text { chars_max: None }),
            "RAW" => Meaning::of(ColumnType::Bytes),
            "BLOB" => long(ColumnType::Bytes),
            "DATE" => Meaning {
                second_digits: Some(0),
                ..Meaning::of(ColumnType::Timestamp)
            },
            name if name.starts_with("TIMESTAMP") && name.contains("TIME ZONE") => {
                moment(ColumnType::Instant)
            }
            name if name.starts_with("TIMESTAMP") => moment(ColumnType::Timestamp),
            _ => {
                return Err(format!(
                    "the type {name} has no exact counterpart; read it through a view that casts it"
                ));
            }
        };
        Ok(Meaning {
            is_generated: generated == "YES",
            ..plain
        })
    }

    fn gives(&self, held: ColumnType, wanted: ColumnType) -> Result<(), String> {
        let is_whole = matches!(held, ColumnType::Decimal { scale: 0, .. });
        match (held, wanted) {
            (ColumnType::Timestamp, ColumnType::Date) => Ok(()),
            (
                _,
                ColumnType::Boolean
                | ColumnType::Int16
                | ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::UInt64,
            ) if is_whole => Ok(()),
            _ => crate::types::holds(wanted, held)
                .map_err(|_| format!("it is {held}, which can't be read as {wanted}")),
        }
    }

    fn takes(&self, held: &Meaning, offered: ColumnType) -> Result<(), String> {
        match (held.column_type, offered) {
            (ColumnType::Timestamp, ColumnType::Date)
            | (ColumnType::Decimal { .. }, ColumnType::Boolean) => Ok(()),
            (held, offered) => crate::types::holds(held, offered),
        }
    }

    fn read(&self, name: &str, held: &Meaning, wanted: ColumnType) -> Wire {
        match (held.column_type, wanted) {
            (ColumnType::Decimal { .. }, wanted) => {
                let wire = Wire::short_text(format!("TO_CHAR({name}, 'TM9')"));
                if wanted == ColumnType::Boolean {
                    wire.read_as(wanted)
                } else {
                    wire
                }
            }
            (ColumnType::Float32 | ColumnType::Float64, _) => {
                Wire::new(format!("CAST({name} AS BINARY_DOUBLE)"), Form::Float)
            }
            (ColumnType::Text { chars_max }, _) => Wire::text_of(name, chars_max),
            (ColumnType::Bytes, _) => Wire::new(name, Form::Bytes),
            // A day, if it is no more than one.
            (ColumnType::Timestamp, ColumnType::Date) => Wire::short_text(format!(
                "CASE WHEN {name} = TRUNC({name}) THEN LTRIM(TO_CHAR({name}, 'SYYYY-MM-DD')) ELSE 'no day' END"
            ))
            .read_as(wanted),
            (ColumnType::Instant, _) => Wire::short_text(format!(
                "LTRIM(TO_CHAR(SYS_EXTRACT_UTC({name}), '{MOMENT}'))"
            )),
            _ => Wire::short_text(format!(
                "LTRIM(TO_CHAR(CAST({name} AS TIMESTAMP(9)), '{MOMENT}'))"
            )),
        }
    }

    fn slot(&self, column_type: ColumnType) -> Slot {
        match column_type {
            ColumnType::Text { .. } => Slot::new("?", Form::Text),
            ColumnType::Bytes => Slot::new("?", Form::Bytes),
            ColumnType::Float32 | ColumnType::Float64 => Slot::new("?", Form::Float),
            ColumnType::Date => Slot::new("TO_DATE(?, 'YYYY-MM-DD')", Form::Text),
            ColumnType::Instant => Slot::new(
                "FROM_TZ(TO_TIMESTAMP(?, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6\"Z\"'), 'UTC')",
                Form::Text,
            ),
            ColumnType::Time | ColumnType::Timestamp => {
                Slot::new("TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS.FF6')", Form::Text)
            }
            // The driver knows no integers of 64 bits.
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
        Some((
            "SELECT VALUE FROM NLS_DATABASE_PARAMETERS WHERE PARAMETER = 'NLS_CHARACTERSET'",
            "AL32UTF8",
        ))
    }

    fn bytewise(&self, sql: &str, held: &Meaning) -> String {
        match held.column_type {
            ColumnType::Text { .. } => format!("NLSSORT({sql}, 'NLS_SORT=BINARY')"),
            _ => sql.to_owned(),
        }
    }

    fn declared(&self, column_type: ColumnType, is_key: bool) -> Result<String, String> {
        match column_type {
            ColumnType::Time => Err("Oracle has no type for a time of day".to_owned()),
            ColumnType::Text {
                chars_max: Some(chars),
            } if chars <= CHARS_MAX => Ok(format!("VARCHAR2({} CHAR)", chars.max(1))),
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

    fn add_column(&self, table: &str, column: &str) -> String {
        format!("ALTER TABLE {table} ADD ({column})")
    }

    fn lock(&self, table: &str) -> Option<String> {
        Some(format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
    }

    fn differs(&self, name: &str, held: Option<&Meaning>, column_type: ColumnType) -> String {
        let (t, s) = (format!("t.{name}"), format!("s.{name}"));
        let is_long = match column_type {
            ColumnType::Text { chars_max } => chars_max.is_none_or(|chars| chars > CHARS_MAX),
            other => other == ColumnType::Bytes,
        };
        if held.map_or(is_long, |held| held.is_long) {
            return format!(
                "(DBMS_LOB.COMPARE({t}, {s}) <> 0 OR ({t} IS NULL AND {s} IS NOT NULL) OR ({t} IS NOT NULL AND {s} IS NULL))"
            );
        }
        // It takes NULL for equal to NULL.
        format!("DECODE({t}, {s}, 0, 1) = 1")
    }

    fn upsert(&self, upsert: &Upsert<'_>) -> String {
        upsert.merge("")
    }

    fn now(&self) -> &'static str {
        "SYSTIMESTAMP"
    }

    fn empty_is_null(&self) -> bool {
        true
    }
}

fn plain(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "NUMBER(1)".to_owned(),
        ColumnType::Int16 => "NUMBER(5)".to_owned(),
        ColumnType::Int32 => "NUMBER(10)".to_owned(),
        ColumnType::Int64 => "NUMBER(19)".to_owned(),
        ColumnType::UInt64 => "NUMBER(20)".to_owned(),
        ColumnType::Float32 => "BINARY_FLOAT".to_owned(),
        ColumnType::Float64 => "BINARY_DOUBLE".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("NUMBER({precision},{scale})"),
        ColumnType::Text { .. } => "CLOB".to_owned(),
        ColumnType::Bytes => "BLOB".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Time | ColumnType::Timestamp => "TIMESTAMP(6)".to_owned(),
        ColumnType::Instant => "TIMESTAMP(6) WITH TIME ZONE".to_owned(),
    }
}
