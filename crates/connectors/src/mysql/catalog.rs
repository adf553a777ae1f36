//! What a MySQL database holds: tables, columns, keys.

use mysql_async::{Row, Value as Stored};
use tongqu_domain::exchange::{Column, ColumnType};

use super::types::{self, Declared, Meaning};
use super::{Session, quoted, quoted_table};
use crate::store::OWN_PREFIX;
use crate::text::joined;
use crate::{ConnectorError, KeyCheck, Refusal, Result, TableInfo};

/// Collations that compare texts as their bytes and take blanks at the end for what they are, best
/// first; the last one is what every server has, and does not.
pub(super) const COLLATIONS: [&str; 3] = ["utf8mb4_nopad_bin", "utf8mb4_0900_bin", "utf8mb4_bin"];

/// A table or view that is there.
pub(super) struct FoundTable {
    rows: Option<u64>,
    pub is_view: bool,
    /// `BASE TABLE`, `VIEW`, or something rarer.
    pub kind: String,
    pub engine: String,
    pub is_transactional: bool,
}

/// A column as the database declares it.
#[derive(PartialEq, Eq)]
pub(super) struct HeldColumn {
    pub name: String,
    pub is_nullable: bool,
    /// The type, or why it can't be carried.
    pub meaning: Result<Meaning, String>,
    /// `column_type`, to declare another column alike.
    pub declared: String,
    /// Character set and collation, for text.
    pub charset: Option<String>,
    pub collation: Option<String>,
    /// Computed by the database; can be read, not written.
    pub is_generated: bool,
}

/// The database and the table that a name means; no database means the session's own.
pub(super) fn parts(table: &str) -> (Option<&str>, &str) {
    match table.split_once('.') {
        Some((database, table)) => (Some(database), table),
        None => (None, table),
    }
}

/// A text of the catalogue; servers differ in whether it comes as text or bytes.
pub(super) fn text_at(row: &Row, place: usize) -> Option<String> {
    match row.as_ref(place) {
        Some(Stored::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

pub(super) fn number_at(row: &Row, place: usize) -> Option<u64> {
    match row.as_ref(place) {
        Some(Stored::Int(number)) => u64::try_from(*number).ok(),
        Some(Stored::UInt(number)) => Some(*number),
        // Some versions count in decimals.
        Some(Stored::Bytes(digits)) => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

pub(super) async fn tables(session: &mut Session) -> Result<Vec<String>> {
    let sql =
        "SELECT t.TABLE_NAME FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = DATABASE()";
    let rows = session.rows(sql, (), "list its tables", "").await?;
    let mut names: Vec<String> = rows.iter().filter_map(|row| text_at(row, 0)).collect();
    names.retain(|name| !name.starts_with(OWN_PREFIX));
    names.sort_unstable();
    Ok(names)
}

pub(super) async fn find_table(session: &mut Session, table: &str) -> Result<Option<FoundTable>> {
    let sql = "SELECT t.TABLE_ROWS, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS
               FROM information_schema.TABLES t
               LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
               WHERE t.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND t.TABLE_NAME = ?";
    let rows = session
        .rows(sql, parts(table), "look for a table", table)
        .await?;
    Ok(rows.first().map(|row| FoundTable {
        rows: number_at(row, 0),
        is_view: text_at(row, 1).is_some_and(|kind| kind.contains("VIEW")),
        kind: text_at(row, 1).unwrap_or_default(),
        engine: text_at(row, 2).unwrap_or_default(),
        is_transactional: text_at(row, 3).is_some_and(|answer| answer == "YES"),
    }))
}

pub(super) async fn require_table(session: &mut Session, table: &str) -> Result<FoundTable> {
    let found = find_table(session, table).await?;
    found.ok_or_else(|| ConnectorError::TableMissing {
        table: table.to_owned(),
    })
}

pub(super) async fn columns(session: &mut Session, table: &str) -> Result<Vec<HeldColumn>> {
    let sql = "SELECT c.COLUMN_NAME, c.IS_NULLABLE, c.DATA_TYPE, c.COLUMN_TYPE,
                      c.CHARACTER_MAXIMUM_LENGTH, c.CHARACTER_OCTET_LENGTH, c.NUMERIC_PRECISION,
                      c.NUMERIC_SCALE, c.DATETIME_PRECISION, c.CHARACTER_SET_NAME, c.COLLATION_NAME, c.EXTRA
               FROM information_schema.COLUMNS c
               WHERE c.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND c.TABLE_NAME = ?
               ORDER BY c.ORDINAL_POSITION";
    let rows = session
        .rows(sql, parts(table), "read the columns of a table", table)
        .await?;
    Ok(rows.iter().map(held).collect())
}

fn held(row: &Row) -> HeldColumn {
    let name_of_type = text_at(row, 2).unwrap_or_default().to_lowercase();
    let whole = text_at(row, 3).unwrap_or_default().to_lowercase();
    let meaning = types::meaning(&Declared {
        name: &name_of_type,
        whole: &whole,
        chars_max: number_at(row, 4),
        bytes_max: number_at(row, 5),
        precision: number_at(row, 6),
        scale: number_at(row, 7),
        second_digits: number_at(row, 8),
    });
    HeldColumn {
        name: text_at(row, 0).unwrap_or_default(),
        is_nullable: text_at(row, 1).is_none_or(|answer| answer == "YES"),
        meaning,
        declared: whole,
        charset: text_at(row, 9),
        collation: text_at(row, 10),
        is_generated: text_at(row, 11).is_some_and(|extra| {
            extra.to_uppercase().contains("GENERATED")
                && !extra.to_uppercase().contains("DEFAULT_GENERATED")
        }),
    }
}

/// The named column; MySQL takes names of columns without regard to case.
pub(super) fn find<'c>(
    columns: &'c [HeldColumn],
    table: &str,
    name: &str,
) -> Result<&'c HeldColumn> {
    let wanted = name.to_lowercase();
    columns
        .iter()
        .find(|column| column.name.to_lowercase() == wanted)
        .ok_or_else(|| ConnectorError::ColumnMissing {
            table: table.to_owned(),
            column: name.to_owned(),
        })
}

/// Columns of each unique index over whole columns; the primary key comes first.
pub(super) async fn unique_keys(session: &mut Session, table: &str) -> Result<Vec<UniqueKey>> {
    let sql = "SELECT s.INDEX_NAME, s.COLUMN_NAME, s.SUB_PART FROM information_schema.STATISTICS s
               WHERE s.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
               ORDER BY s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX";
    let rows = session
        .rows(sql, parts(table), "look for its keys", table)
        .await?;
    let mut keys: Vec<(String, UniqueKey)> = Vec::new();
    for row in &rows {
        let index = text_at(row, 0).unwrap_or_default();
        if keys.last().is_none_or(|(last, _)| *last != index) {
            let is_primary = index == "PRIMARY";
            keys.push((
                index,
                UniqueKey {
                    is_primary,
                    columns: Vec::new(),
                    is_whole: true,
                },
            ));
        }
        let (_, key) = keys.last_mut().expect("one was pushed");
        // An expression has no name, a prefix has a length.
        key.is_whole &= number_at(row, 2).is_none() && text_at(row, 1).is_some();
        key.columns.extend(text_at(row, 1));
    }
    Ok(keys
        .into_iter()
        .map(|(_, key)| key)
        .filter(|key| key.is_whole)
        .collect())
}

pub(super) struct UniqueKey {
    pub is_primary: bool,
    pub columns: Vec<String>,
    is_whole: bool,
}

pub(super) async fn discover(session: &mut Session, table: &str) -> Result<TableInfo> {
    let found = require_table(session, table).await?;
    let keys = unique_keys(session, table).await?;
    let mut info = TableInfo {
        name: table.to_owned(),
        columns: Vec::new(),
        key: keys
            .into_iter()
            .find(|key| key.is_primary)
            .map(|key| key.columns)
            .unwrap_or_default(),
        rows_estimate: found.rows.filter(|_| !found.is_view),
        refused: Vec::new(),
    };
    for column in columns(session, table).await? {
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

pub(super) async fn check_key(
    session: &mut Session,
    table: &str,
    key: &[String],
) -> Result<KeyCheck> {
    if key.is_empty() {
        return Err(ConnectorError::plan_invalid(
            table,
            "no key column is named",
        ));
    }
    require_table(session, table).await?;
    let held = columns(session, table).await?;
    let key = key
        .iter()
        .map(|name| find(&held, table, name))
        .collect::<Result<Vec<_>>>()?;
    let names = joined(&key, ", ", |column| bytewise(column, &quoted(&column.name)));
    let is_null = joined(&key, " OR ", |column| {
        format!("{} IS NULL", quoted(&column.name))
    });
    let table_name = quoted_table(table);
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM {table_name} WHERE {is_null}),
                (SELECT COALESCE(SUM(n - 1), 0) FROM
                   (SELECT COUNT(*) AS n FROM {table_name} WHERE NOT ({is_null})
                    GROUP BY {names} HAVING COUNT(*) > 1) AS repeated)"
    );
    let rows = session.rows(&sql, (), "check a key", table).await?;
    let count = |place| {
        rows.first()
            .and_then(|row| number_at(row, place))
            .expect("a count has a row")
    };
    Ok(KeyCheck {
        nulls: count(0),
        duplicates: count(1),
    })
}

/// Whether the column's own collation compares texts as their bytes in UTF-8.
pub(super) fn is_bytewise(column: &HeldColumn) -> bool {
    column
        .collation
        .as_deref()
        .is_some_and(|name| COLLATIONS[..2].contains(&name))
}

/// `expression`, which stands for the column, as one that orders and compares bytewise.
pub(super) fn bytewise(column: &HeldColumn, expression: &str) -> String {
    match &column.meaning {
        Ok(Meaning {
            column_type: ColumnType::Text { .. },
            ..
        }) if !is_bytewise(column) => {
            if column.charset.as_deref() == Some("utf8mb4") {
                format!("CAST({expression} AS BINARY)")
            } else {
                format!("CAST(CONVERT({expression} USING utf8mb4) AS BINARY)")
            }
        }
        _ => expression.to_owned(),
    }
}
