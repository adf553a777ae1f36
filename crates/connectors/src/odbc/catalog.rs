//! What a database says of itself through ODBC: tables, columns, keys.

use std::collections::HashMap;

use tongqu_domain::exchange::{Column, ColumnType};

use super::session::{NO_SUCH_NAMES, Session};
use super::value::Cell;
use crate::store::OWN_PREFIX;
use crate::text::joined;
use crate::{ConnectorError, KeyCheck, Refusal, Result, TableInfo};

/// What the catalogue says of a column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The database's own name of the type.
    pub type_name: String,
    /// ODBC's number of it.
    pub data_type: i64,
    /// Characters, bytes or digits.
    pub size: Option<i64>,
    /// Digits after the point, or of a second.
    pub digits: Option<i64>,
    /// What [`super::dialect::Dialect::details`] asked for.
    pub details: Vec<String>,
}

/// What a type means, and what it asks of values.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own of a declared type"
)]
pub(super) struct Meaning {
    pub column_type: ColumnType,
    /// Decimals of seconds that a time keeps, if fewer than microseconds.
    pub second_digits: Option<u32>,
    /// A text of a fixed length, which gets blanks at its end.
    pub is_padded: bool,
    /// Something else is kept than the text that is read.
    pub is_shown: bool,
    /// Computed by the database; can be read, not written.
    pub is_generated: bool,
    /// The declared length is no limit.
    pub is_any_length: bool,
    /// The declared length is one of bytes.
    pub counts_bytes: bool,
    /// A large object, which can't be compared.
    pub is_long: bool,
}

impl Meaning {
    pub(super) fn of(column_type: ColumnType) -> Self {
        Self {
            column_type,
            second_digits: None,
            is_padded: false,
            is_shown: false,
            is_generated: false,
            is_any_length: false,
            counts_bytes: false,
            is_long: false,
        }
    }

    /// The longest text, in characters or bytes.
    pub(super) fn chars_max(&self) -> Option<usize> {
        match self.column_type {
            ColumnType::Text {
                chars_max: Some(chars),
            } if !self.is_any_length => usize::try_from(chars).ok(),
            _ => None,
        }
    }

    pub(super) fn padded(self) -> Self {
        Self {
            is_padded: true,
            ..self
        }
    }
}

/// A column as the database declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeldColumn {
    pub name: String,
    pub is_nullable: bool,
    /// The type, or why it can't be carried.
    pub meaning: Result<Meaning, String>,
}

/// A table or view that is there.
pub(super) struct FoundTable {
    /// The schema, where there are any.
    pub schema: Option<String>,
    pub name: String,
    pub is_view: bool,
}

/// What SQLTables calls tables and views.
const KINDS: &str = "TABLE,VIEW";

/// The schema in which names without one are looked for.
fn current_schema(session: &Session) -> Result<Option<String>> {
    let Some(sql) = session.dialect.current_schema() else {
        return Ok(None);
    };
    let rows = session.texts(sql, Vec::new(), 1, "look for its schema", "")?;
    Ok(rows.into_iter().next().map(|mut row| row.remove(0)))
}

/// Schema, name and kind of all tables and views that match.
fn listed(session: &Session, schema: &str, table: &str) -> Result<Vec<FoundTable>> {
    let doing = "list its tables";
    let failed = |error| session.failure(doing, table, &error);
    let statement = session.connection.preallocate().map_err(failed)?;
    // An empty schema would ask for tables that have none.
    let rows = statement
        .into_tables_cursor("", schema, table, KINDS)
        .map_err(failed)?;
    let rows = session.texts_of(rows, &[1, 2, 3, 4], doing, table)?;
    let has_schemas = session.dialect.has_schemas();
    Ok(rows
        .into_iter()
        .filter(|row| session.is_in_catalog(&row[0]))
        .map(|mut row| {
            let (kind, name) = (row.remove(3), row.remove(2));
            FoundTable {
                schema: Some(row.remove(1)).filter(|schema| has_schemas && !schema.is_empty()),
                name,
                is_view: kind.to_uppercase().contains("VIEW"),
            }
        })
        .collect())
}

pub(super) fn tables(session: &Session) -> Result<Vec<String>> {
    let current = current_schema(session)?;
    let listed = listed(session, "", "")?;
    // A name that doesn't arrive as it is names nothing.
    let are_all_ascii = listed.iter().all(|table| table.name.is_ascii());
    let passes_all = are_all_ascii || session.passes_all_names()?;
    let mut names: Vec<String> = listed
        .into_iter()
        .filter(|table| passes_all || table.name.is_ascii())
        .filter(|table| !table.name.starts_with(OWN_PREFIX) && !is_systems(table))
        .map(|table| match table.schema {
            Some(schema) if current.as_ref() != Some(&schema) && current.is_some() => {
                format!("{schema}.{}", table.name)
            }
            _ => table.name,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Tables of the database's own that some drivers list with the others.
fn is_systems(table: &FoundTable) -> bool {
    let schema = table.schema.as_deref().unwrap_or_default().to_lowercase();
    schema.starts_with("pg_")
        || matches!(schema.as_str(), "information_schema" | "sys" | "sysdba_sys")
        || table.name.starts_with("sqlite_")
}

pub(super) fn find_table(session: &Session, table: &str) -> Result<Option<FoundTable>> {
    session.check_name(table, table)?;
    let (schema, name) = session.parts(table);
    let schema = match schema {
        Some(schema) => Some(schema.to_owned()),
        None => current_schema(session)?,
    };
    let is_it = |found: &FoundTable| {
        // Where no schema is told, the name has to do.
        let fits = schema.is_none() || found.schema.is_none() || found.schema == schema;
        fits && found.name == name
    };
    // The name is a pattern there, in which a low line matches anything.
    let found = listed(session, schema.as_deref().unwrap_or_default(), name)?;
    Ok(found.into_iter().find(is_it))
}

pub(super) fn require_table(session: &Session, table: &str) -> Result<FoundTable> {
    find_table(session, table)?.ok_or_else(|| ConnectorError::TableMissing {
        table: table.to_owned(),
    })
}

/// Schema and name to bind, as many as the statement takes.
fn bound(session: &Session, found: &FoundTable, sql: &str) -> Result<Vec<Cell>> {
    let schema = found.schema.clone().unwrap_or_default();
    let names = [schema.as_str(), found.name.as_str()];
    let first = names.len() - sql.matches('?').count().min(names.len());
    let names = names[first..].iter();
    names
        .map(|name| Ok(session.text_param(name)?.cell))
        .collect()
}

/// The columns of a table in its order.
pub(super) fn columns(
    session: &Session,
    table: &str,
    found: &FoundTable,
) -> Result<Vec<HeldColumn>> {
    let doing = "read the columns of a table";
    let mut details: HashMap<String, Vec<String>> = HashMap::new();
    if let Some(sql) = session.dialect.details() {
        let width = u16::try_from(asked(sql)).expect("a statement selects few columns");
        let cells = bound(session, found, sql)?;
        for mut row in session.texts(sql, cells, width, doing, table)? {
            details.insert(row.remove(0), row);
        }
    }
    let failed = |error| session.failure(doing, table, &error);
    let statement = session.connection.preallocate().map_err(failed)?;
    let schema = found.schema.as_deref().unwrap_or_default();
    let rows = statement
        .into_columns_cursor("", schema, &found.name, "")
        .map_err(failed)?;
    // Catalogue, schema, table, column, number and name of the type, size, digits, whether NULL is taken, place.
    let rows = session.texts_of(rows, &[1, 2, 3, 4, 5, 6, 7, 9, 11, 17], doing, table)?;
    let mut columns: Vec<(i64, HeldColumn)> = rows
        .into_iter()
        .filter(|row| {
            row[2] == found.name
                && (row[1].is_empty() || row[1] == schema || schema.is_empty())
                && session.is_in_catalog(&row[0])
        })
        .map(|row| {
            let number = |place: usize| row[place].parse::<i64>().ok();
            let declared = Declared {
                type_name: row[5].clone(),
                data_type: number(4).unwrap_or(0),
                size: number(6),
                digits: number(7),
                details: details.remove(&row[3]).unwrap_or_default(),
            };
            let held = HeldColumn {
                name: row[3].clone(),
                // Only a plain no keeps NULL out.
                is_nullable: number(8) != Some(0),
                meaning: session.dialect.meaning(&declared),
            };
            (number(9).unwrap_or(0), held)
        })
        .collect();
    columns.sort_by_key(|(place, _)| *place);
    let mut columns: Vec<HeldColumn> = columns.into_iter().map(|(_, held)| held).collect();
    if columns.iter().any(|column| !column.name.is_ascii()) && !session.passes_all_names()? {
        for column in columns.iter_mut().filter(|column| !column.name.is_ascii()) {
            column.meaning = Err(NO_SUCH_NAMES.to_owned());
        }
    }
    Ok(columns)
}

/// How many columns a statement of a dialect selects: commas outside of parentheses, up to its FROM.
fn asked(sql: &str) -> usize {
    let mut depth = 0_usize;
    let mut columns = 1;
    for (at, character) in sql.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => columns += 1,
            'F' if depth == 0 && sql[at..].starts_with("FROM ") => break,
            _ => {}
        }
    }
    columns
}

/// The named column.
pub(super) fn find<'c>(
    columns: &'c [HeldColumn],
    table: &str,
    name: &str,
) -> Result<&'c HeldColumn> {
    columns
        .iter()
        .find(|column| column.name == name)
        .ok_or_else(|| ConnectorError::ColumnMissing {
            table: table.to_owned(),
            column: name.to_owned(),
        })
}

/// What the column means.
pub(super) fn meaning<'c>(held: &'c HeldColumn, table: &str) -> Result<&'c Meaning> {
    held.meaning
        .as_ref()
        .map_err(|reason| ConnectorError::type_refused(table, &held.name, reason.as_str()))
}

/// Columns of the primary key, in its order.
pub(super) fn primary_key(
    session: &Session,
    table: &str,
    found: &FoundTable,
) -> Result<Vec<String>> {
    let doing = "look for its key";
    let rows = if let Some(sql) = session.dialect.primary_key() {
        session.texts(sql, bound(session, found, sql)?, 2, doing, table)?
    } else {
        let failed = |error| session.failure(doing, table, &error);
        let statement = session.connection.preallocate().map_err(failed)?;
        let rows = statement
            .into_primary_keys_cursor(None, found.schema.as_deref(), &found.name)
            .map_err(failed)?;
        session.texts_of(rows, &[4, 5], doing, table)?
    };
    let mut key: Vec<(u32, String)> = rows
        .into_iter()
        .map(|mut row| (row[1].parse().unwrap_or(0), row.remove(0)))
        .collect();
    key.sort();
    Ok(key.into_iter().map(|(_, name)| name).collect())
}

/// Sets of columns that tell rows apart: the primary key, and unique indexes where the dialect knows to ask.
pub(super) fn unique_keys(
    session: &Session,
    table: &str,
    found: &FoundTable,
) -> Result<Vec<Vec<String>>> {
    let mut keys = vec![primary_key(session, table, found)?];
    if let Some(sql) = session.dialect.unique_keys() {
        let cells = bound(session, found, sql)?;
        let rows = session.texts(sql, cells, 2, "look for its keys", table)?;
        let indexes = rows.chunk_by(|a, b| a[0] == b[0]);
        keys.extend(indexes.map(|index| index.iter().map(|row| row[1].clone()).collect()));
    }
    Ok(keys)
}

pub(super) fn discover(session: &Session, table: &str) -> Result<TableInfo> {
    let found = require_table(session, table)?;
    let mut info = TableInfo {
        name: table.to_owned(),
        columns: Vec::new(),
        key: if found.is_view {
            Vec::new()
        } else {
            primary_key(session, table, &found)?
        },
        rows_estimate: None,
        refused: Vec::new(),
    };
    for column in columns(session, table, &found)? {
        match column.meaning {
            Ok(meaning) => info.columns.push(Column {
                name: column.name,
                column_type: meaning.column_type,
                nullable: column.is_nullable,
            }),
            Err(reason) => info.refused.push(Refusal {
                column: column.name,
                reason,
            }),
        }
    }
    Ok(info)
}

pub(super) fn check_key(session: &Session, table: &str, key: &[String]) -> Result<KeyCheck> {
    if key.is_empty() {
        return Err(ConnectorError::plan_invalid(
            table,
            "no key column is named",
        ));
    }
    let found = require_table(session, table)?;
    let held = columns(session, table, &found)?;
    let mut names = Vec::with_capacity(key.len());
    for name in key {
        let column = find(&held, table, name)?;
        let name = session.quoted(name);
        names.push(match &column.meaning {
            Ok(meaning) => session.dialect.bytewise(&name, meaning),
            Err(_) => name,
        });
    }
    let names = names.join(", ");
    let is_null = joined(key, " OR ", |name| {
        format!("{} IS NULL", session.quoted(name))
    });
    let table_name = session.quoted_table(table);
    let doing = "check a key";
    let nulls = format!("SELECT COUNT(*) FROM {table_name} WHERE {is_null}");
    let duplicates = format!(
        "SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM {table_name} \
         WHERE NOT ({is_null}) GROUP BY {names} HAVING COUNT(*) > 1) repeated"
    );
    Ok(KeyCheck {
        nulls: session.count(&nulls, doing, table)?,
        duplicates: session.count(&duplicates, doing, table)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_statement_are_counted() {
        assert_eq!(asked("SELECT a, CAST(b AS c(1, 2)), 'x' FROM t, u"), 3);
        assert_eq!(asked("SELECT a FROM f(a, b)"), 1);
    }
}
