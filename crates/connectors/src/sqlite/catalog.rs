//! What a SQLite file holds: tables, columns, keys.

use rusqlite::Connection;
use tongqu_domain::exchange::{Column, ColumnType};

use super::{File, quoted, types};
use crate::store::OWN_PREFIX;
use crate::text::joined;
use crate::{ConnectorError, KeyCheck, Refusal, Result, TableInfo};

/// A column as the file declares it.
pub(super) struct HeldColumn {
    pub name: String,
    /// The type, or why it can't be carried.
    pub meaning: Result<ColumnType, String>,
    pub is_nullable: bool,
    /// Its place in the primary key, from 1; 0 if it isn't part of it.
    pub key_place: i64,
    /// Computed by the database; can be read, not written.
    pub is_generated: bool,
}

pub(super) fn tables(connection: &Connection, file: &File) -> Result<Vec<String>> {
    let list = || {
        let sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND substr(name, 1, length(?1)) <> ?1
                   ORDER BY name COLLATE BINARY";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([OWN_PREFIX], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    };
    list().map_err(|error| file.failure("list its tables", "", error))
}

pub(super) fn exists(connection: &Connection, file: &File, table: &str) -> Result<bool> {
    let found = connection.query_row(
        "SELECT count(*) FROM pragma_table_xinfo(?1)",
        [table],
        |row| row.get::<_, i64>(0),
    );
    found
        .map(|columns| columns > 0)
        .map_err(|error| file.failure("look for a table", table, error))
}

/// The columns of a table; empty if there is no such table.
pub(super) fn columns(
    connection: &Connection,
    file: &File,
    table: &str,
) -> Result<Vec<HeldColumn>> {
    let list = || {
        // `hidden`: 1 = of a virtual table's own, 2 and 3 = generated.
        let sql = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([table], |row| {
            let declared: String = row.get(1)?;
            Ok(HeldColumn {
                name: row.get(0)?,
                meaning: types::meaning(&declared),
                is_nullable: !row.get::<_, bool>(2)?,
                key_place: row.get(3)?,
                is_generated: row.get::<_, i64>(4)? >= 2,
            })
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut columns =
        list().map_err(|error| file.failure("read the columns of a table", table, error))?;
    // `INTEGER PRIMARY KEY` is the row's number, which is never NULL although it isn't declared so.
    let mut key = columns.iter_mut().filter(|column| column.key_place > 0);
    if let (Some(only), None) = (key.next(), key.next())
        && only.meaning == Ok(ColumnType::Int64)
    {
        only.is_nullable = false;
    }
    Ok(columns)
}

/// The named column; SQLite takes names without regard to the case of ASCII letters.
pub(super) fn find<'c>(
    columns: &'c [HeldColumn],
    table: &str,
    name: &str,
) -> Result<&'c HeldColumn> {
    columns
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| ConnectorError::ColumnMissing {
            table: table.to_owned(),
            column: name.to_owned(),
        })
}

/// As [`columns`], for a table that has to be there.
pub(super) fn columns_of(
    connection: &Connection,
    file: &File,
    table: &str,
) -> Result<Vec<HeldColumn>> {
    let columns = columns(connection, file, table)?;
    if columns.is_empty() {
        Err(ConnectorError::TableMissing {
            table: table.to_owned(),
        })
    } else {
        Ok(columns)
    }
}

pub(super) fn discover(connection: &Connection, file: &File, table: &str) -> Result<TableInfo> {
    let held = columns_of(connection, file, table)?;
    let mut key: Vec<&HeldColumn> = held.iter().filter(|column| column.key_place > 0).collect();
    key.sort_by_key(|column| column.key_place);
    let key = key.into_iter().map(|column| column.name.clone()).collect();
    let mut info = TableInfo {
        name: table.to_owned(),
        columns: Vec::new(),
        key,
        rows_estimate: rows_estimate(connection, table),
        refused: Vec::new(),
    };
    for column in held {
        match column.meaning {
            Ok(column_type) => {
                info.columns.push(Column {
                    name: column.name,
                    column_type,
                    nullable: column.is_nullable,
                });
            }
            Err(reason) => info.refused.push(Refusal {
                column: column.name,
                reason,
            }),
        }
    }
    Ok(info)
}

/// The largest row number: right for a table that never lost a row, and found without reading it.
/// Views and tables without row numbers have none.
fn rows_estimate(connection: &Connection, table: &str) -> Option<u64> {
    let sql = format!("SELECT COALESCE(max(rowid), 0) FROM {}", quoted(table));
    let largest: i64 = connection.query_row(&sql, [], |row| row.get(0)).ok()?;
    u64::try_from(largest).ok()
}

pub(super) fn check_key(
    connection: &Connection,
    file: &File,
    table: &str,
    key: &[String],
) -> Result<KeyCheck> {
    if key.is_empty() {
        return Err(ConnectorError::plan_invalid(
            table,
            "no key column is named",
        ));
    }
    let held = columns_of(connection, file, table)?;
    for name in key {
        find(&held, table, name)?;
    }
    let names = joined(key, ", ", |name| format!("{} COLLATE BINARY", quoted(name)));
    let is_null = joined(key, " OR ", |name| format!("{} IS NULL", quoted(name)));
    let table_name = quoted(table);
    let sql = format!(
        "SELECT (SELECT count(*) FROM {table_name} WHERE {is_null}),
                (SELECT COALESCE(sum(n - 1), 0) FROM
                   (SELECT count(*) AS n FROM {table_name} WHERE NOT ({is_null}) GROUP BY {names} HAVING count(*) > 1))"
    );
    let counted = connection.query_row(&sql, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    let (nulls, duplicates) = counted.map_err(|error| file.failure("check a key", table, error))?;
    Ok(KeyCheck {
        duplicates: duplicates.unsigned_abs(),
        nulls: nulls.unsigned_abs(),
    })
}
