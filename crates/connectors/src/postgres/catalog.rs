//! What a PostgreSQL database holds: tables, columns, keys.
//!
//! Asks only for what databases that speak the protocol have had since version 9.

use tongqu_domain::exchange::{Column, ColumnType};

use super::types::{self, Meaning, Native};
use super::{Session, quoted, quoted_table};
use crate::store::OWN_PREFIX;
use crate::text::joined;
use crate::{ConnectorError, KeyCheck, Refusal, Result, TableInfo};

/// A table or view that is there.
pub(super) struct FoundTable {
    pub oid: u32,
    /// About how many rows; negative if the server doesn't know.
    rows: f32,
    /// Whether rows can be written: it isn't a view or a foreign table.
    pub is_table: bool,
}

/// A column as the database declares it.
#[derive(PartialEq, Eq)]
pub(super) struct HeldColumn {
    pub name: String,
    pub is_nullable: bool,
    /// The type, or why it can't be carried.
    pub meaning: Result<Meaning, String>,
    /// The collation's quoted name, for text.
    pub collation: Option<String>,
    /// Whether its collation orders bytewise already.
    pub is_bytewise: bool,
    /// The type as SQL names it.
    pub declared: String,
    /// Whether the server computes it from other columns, so that nothing can be written there.
    pub is_generated: bool,
}

pub(super) async fn tables(session: &Session) -> Result<Vec<String>> {
    // A child of an inheritance is part of its parent.
    let sql = "SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text
                           ELSE n.nspname || '.' || c.relname END
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                 AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
                 AND substr(c.relname::text, 1, length($1)) <> $1
                 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)";
    let rows = session
        .rows(sql, &[&OWN_PREFIX], "list its tables", "")
        .await?;
    let mut names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    names.sort_unstable();
    Ok(names)
}

pub(super) async fn find_table(session: &Session, table: &str) -> Result<Option<FoundTable>> {
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (Some(schema), name),
        None => (None, table),
    };
    let sql = "SELECT c.oid, c.reltuples, c.relkind IN ('r', 'p')
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relname::text = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                 AND CASE WHEN $2::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
                          ELSE n.nspname::text = $2 END";
    let rows = session
        .rows(sql, &[&name, &schema], "look for a table", table)
        .await?;
    Ok(rows.first().map(|row| FoundTable {
        oid: row.get(0),
        rows: row.get(1),
        is_table: row.get(2),
    }))
}

pub(super) async fn require_table(session: &Session, table: &str) -> Result<FoundTable> {
    let found = find_table(session, table).await?;
    found.ok_or_else(|| ConnectorError::TableMissing {
        table: table.to_owned(),
    })
}

pub(super) async fn columns(
    session: &Session,
    table: &str,
    found: &FoundTable,
) -> Result<Vec<HeldColumn>> {
    // A domain is carried as what it is based on. Servers before PostgreSQL 12 have no column `attgenerated` to ask for.
    let sql = "SELECT a.attname::text, a.attnotnull,
                      COALESCE(b.typname, t.typname)::text, COALESCE(b.typtype, t.typtype)::text,
                      CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END,
                      quote_ident(cn.nspname) || '.' || quote_ident(co.collname),
                      co.collname IN ('C', 'POSIX')
                        OR (co.collname = 'default' AND d.datcollate IN ('C', 'POSIX')),
                      pg_catalog.format_type(a.atttypid, a.atttypmod),
                      row_to_json(a)::text ~ '\"attgenerated\":\"[a-z]\"'
               FROM pg_catalog.pg_attribute a
               JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
               JOIN pg_catalog.pg_database d ON d.datname = current_database()
               LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
               LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
               LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
               WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    let rows = session
        .rows(sql, &[&found.oid], "read the columns of a table", table)
        .await?;
    Ok(rows
        .iter()
        .map(|row| HeldColumn {
            name: row.get(0),
            is_nullable: !row.get::<_, bool>(1),
            meaning: types::meaning(row.get(2), row.get(3), row.get(4)),
            collation: row.get(5),
            is_bytewise: row.get::<_, Option<bool>>(6).unwrap_or(false),
            declared: row.get(7),
            is_generated: row.get(8),
        })
        .collect())
}

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

/// Columns of each unique index that can tell rows apart: whole, immediate, of columns alone.
pub(super) async fn unique_keys(
    session: &Session,
    table: &str,
    found: &FoundTable,
) -> Result<Vec<UniqueKey>> {
    let sql = "SELECT i.indisprimary,
                      ARRAY(SELECT a.attname::text FROM generate_series(1, array_length(i.indkey::int2[], 1)) AS k
                            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1]
                            ORDER BY k)
               FROM pg_catalog.pg_index i
               WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate
                 AND i.indpred IS NULL AND i.indexprs IS NULL
               ORDER BY i.indisprimary DESC, i.indexrelid";
    let rows = session
        .rows(sql, &[&found.oid], "look for its keys", table)
        .await?;
    let key = |row: &tokio_postgres::Row| UniqueKey {
        is_primary: row.get(0),
        columns: row.get(1),
    };
    Ok(rows.iter().map(key).collect())
}

pub(super) struct UniqueKey {
    pub is_primary: bool,
    pub columns: Vec<String>,
}

pub(super) async fn discover(session: &Session, table: &str) -> Result<TableInfo> {
    let found = require_table(session, table).await?;
    let keys = unique_keys(session, table, &found).await?;
    let mut info = TableInfo {
        name: table.to_owned(),
        columns: Vec::new(),
        key: keys
            .into_iter()
            .find(|key| key.is_primary)
            .map(|key| key.columns)
            .unwrap_or_default(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, and not negative"
        )]
        rows_estimate: (found.rows >= 0.0).then_some(found.rows as u64),
        refused: Vec::new(),
    };
    for column in columns(session, table, &found).await? {
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

pub(super) async fn check_key(session: &Session, table: &str, key: &[String]) -> Result<KeyCheck> {
    if key.is_empty() {
        return Err(ConnectorError::plan_invalid(
            table,
            "no key column is named",
        ));
    }
    let found = require_table(session, table).await?;
    let held = columns(session, table, &found).await?;
    let key = key
        .iter()
        .map(|name| find(&held, table, name))
        .collect::<Result<Vec<_>>>()?;
    let names = joined(&key, ", ", |column| bytewise(column));
    let is_null = joined(&key, " OR ", |column| {
        format!("{} IS NULL", quoted(&column.name))
    });
    let table_name = quoted_table(table);
    let sql = format!(
        "SELECT (SELECT count(*) FROM {table_name} WHERE {is_null}),
                (SELECT COALESCE(sum(n - 1), 0)::bigint FROM
                   (SELECT count(*) AS n FROM {table_name} WHERE NOT ({is_null})
                    GROUP BY {names} HAVING count(*) > 1) AS repeated)"
    );
    let rows = session.rows(&sql, &[], "check a key", table).await?;
    let count = |place: usize| rows[0].get::<_, i64>(place).unsigned_abs();
    Ok(KeyCheck {
        nulls: count(0),
        duplicates: count(1),
    })
}

/// The column as an expression that orders and compares bytewise.
pub(super) fn bytewise(column: &HeldColumn) -> String {
    let name = quoted(&column.name);
    match &column.meaning {
        Ok(Meaning {
            native: Native::ShownAsText,
            ..
        }) => format!("({name}::text) COLLATE \"C\""),
        // Comparing char(n) would leave blanks at the end aside; its bytes have them.
        Ok(Meaning {
            native: Native::Padded,
            ..
        }) => format!("bpcharsend({name})"),
        Ok(Meaning {
            column_type: ColumnType::Text { .. },
            ..
        }) if !column.is_bytewise => {
            format!("{name} COLLATE \"C\"")
        }
        _ => name,
    }
}
