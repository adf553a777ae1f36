//! The pool 汇聚库: one table per mounted resource, in any store.
//!
//! A pool table holds the mounted columns under their item codes, the key, `_seq` (a number that
//! grows with each change) and `_deleted` (1 for a tombstone). A second table beside it holds the
//! rows in quarantine.

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value as Json};
use tongqu_connectors::{Filter, Query, Store, Value, rows::Rows};
use tongqu_domain::{
    catalogue::DataItem,
    exchange::{Column, ColumnType, RowFault, ValueRef},
};

use super::{RunError, Side, at};
use crate::features::catalogue::Mounting;

/// Column of the change number.
pub(super) const SEQ: &str = "_seq";
/// Column of the tombstone mark.
pub(super) const DELETED: &str = "_deleted";

/// Where a resource lies in the pool, and what its rows look like.
#[derive(Debug, Clone)]
pub struct PoolTable {
    /// Table of the rows.
    pub name: String,
    /// Table of the rows in quarantine.
    pub quarantine: String,
    /// The mounted columns under their item codes, in the order of the items. All but the key may be
    /// NULL, because a tombstone has nothing else.
    pub columns: Vec<Column>,
    /// Item codes of the key.
    pub key: Vec<String>,
}

impl PoolTable {
    /// The pool table of a mounting.
    #[must_use]
    pub fn of(mounting: &Mounting, items: &[DataItem]) -> Self {
        let place = mounting.id.as_str().replace('-', "_");
        let is_key = |code: &str| items.iter().any(|i| i.key && i.code == code);
        Self {
            name: format!("res_{place}"),
            quarantine: format!("quar_{place}"),
            columns: mounting
                .columns
                .iter()
                .map(|c| Column {
                    name: c.item.clone(),
                    column_type: c.column.column_type,
                    nullable: !is_key(&c.item),
                })
                .collect(),
            key: mounting
                .columns
                .iter()
                .map(|c| &c.item)
                .filter(|code| is_key(code))
                .cloned()
                .collect(),
        }
    }

    /// On whose behalf the pool is written: one cursor for each resource.
    #[must_use]
    pub fn consumer(&self) -> &str {
        &self.name
    }

    /// Where the key stands among the columns.
    pub(super) fn key_positions(&self) -> Vec<usize> {
        self.key
            .iter()
            .filter_map(|k| self.columns.iter().position(|c| c.name == *k))
            .collect()
    }

    /// The columns as the pool keeps them.
    pub(super) fn stored_columns(&self) -> Vec<Column> {
        let mut columns = self.columns.clone();
        columns.push(Column {
            name: SEQ.to_owned(),
            column_type: ColumnType::Int64,
            nullable: false,
        });
        columns.push(Column {
            name: DELETED.to_owned(),
            column_type: ColumnType::Int16,
            nullable: false,
        });
        columns
    }

    /// What stands in the place of a row that is gone: its key alone.
    pub(super) fn tombstone<'v>(
        &self,
        positions: &[usize],
        key: &[ValueRef<'v>],
    ) -> Vec<ValueRef<'v>> {
        let mut tombstone = vec![ValueRef::Null; self.columns.len()];
        for (position, value) in positions.iter().zip(key) {
            tombstone[*position] = *value;
        }
        tombstone
    }

    /// A row as it is put into quarantine; without a fault of its own, its key is empty.
    pub(super) fn quarantined(
        &self,
        row: &[ValueRef<'_>],
        fault: Option<RowFault>,
    ) -> QuarantinedRow {
        let (column, code) = fault.map_or((String::new(), "row.null"), |f| (f.column, f.code));
        let key: Vec<ValueRef<'_>> = self.key_positions().iter().map(|p| row[*p]).collect();
        QuarantinedRow {
            key: key_text(&key),
            column,
            code: code.to_owned(),
            row: self.row_json(row),
        }
    }

    fn row_json(&self, row: &[ValueRef<'_>]) -> String {
        let columns = self.columns.iter().zip(row);
        let map: Map<String, Json> = columns.map(|(c, v)| (c.name.clone(), json_of(v))).collect();
        Json::Object(map).to_string()
    }

    /// The key of a row in quarantine, told apart from every other; `None` if it isn't whole.
    pub(super) fn identity_of(&self, row_json: &str) -> Option<String> {
        let row: Map<String, Json> = serde_json::from_str(row_json).ok()?;
        let key: Option<Vec<&Json>> = self
            .key
            .iter()
            .map(|code| row.get(code).filter(|value| !value.is_null()))
            .collect();
        serde_json::to_string(&key?).ok()
    }

    /// As [`PoolTable::identity_of`], from the key's values.
    pub(super) fn identity(key: &[ValueRef<'_>]) -> Option<String> {
        let key: Vec<Json> = key.iter().map(json_of).collect();
        if key.iter().any(Json::is_null) {
            return None;
        }
        serde_json::to_string(&key).ok()
    }

    /// Reads the rows that aren't tombstones.
    pub(super) fn live_rows(&self) -> Query {
        Query::all(&self.name, self.columns.clone()).only(Filter::eq(DELETED, Value::Int(0)))
    }
}

fn json_of(value: &ValueRef<'_>) -> Json {
    if value.is_null() {
        return Json::Null;
    }
    Json::String(text_of(value))
}

/// A row in quarantine.
#[derive(Debug, Clone)]
pub struct QuarantinedRow {
    /// The key as text, as far as it has one.
    pub key: String,
    /// The data item at fault.
    pub column: String,
    /// Stable code of the reason.
    pub code: String,
    /// The whole row as JSON of texts; values, so for the provider's eyes only.
    pub row: String,
}

/// A key as people read it.
pub(super) fn key_text(key: &[ValueRef<'_>]) -> String {
    key.iter().map(text_of).collect::<Vec<_>>().join("/")
}

/// A value as text, for the quarantine's page; what has no plain text shows its kind only.
pub(super) fn text_of(value: &ValueRef<'_>) -> String {
    value.plain_text().unwrap_or_else(|| {
        if value.is_null() {
            String::new()
        } else {
            "…".to_owned()
        }
    })
}

pub(super) fn quarantine_columns() -> Vec<Column> {
    let text = |name: &str| Column {
        name: name.to_owned(),
        column_type: ColumnType::Text { chars_max: None },
        nullable: false,
    };
    vec![
        Column {
            name: "n".to_owned(),
            column_type: ColumnType::Int64,
            nullable: false,
        },
        text("row_key"),
        text("column_name"),
        text("reason_code"),
        text("row_json"),
    ]
}

/// The rows of a resource that are in quarantine since its last collection, at most `limit`.
///
/// Errors: [`RunError::Store`] if the pool can't be read.
pub async fn read_quarantine(
    pool: &dyn Store,
    table: &PoolTable,
    limit: usize,
) -> Result<Vec<QuarantinedRow>, RunError> {
    let query = Query::all(&table.quarantine, quarantine_columns()).ordered_by(&["n"]);
    let mut batches = match pool.read(query).await {
        Ok(batches) => batches,
        Err(
            tongqu_connectors::ConnectorError::TableMissing { .. }
            | tongqu_connectors::ConnectorError::StoreMissing { .. },
        ) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(at(Side::Platform)(error)),
    };
    let mut found = Vec::new();
    while let Some(batch) = batches.try_next().await.map_err(at(Side::Platform))? {
        let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
        for n in 0..rows.len() {
            if found.len() == limit {
                return Ok(found);
            }
            let text = |column| match rows.value(n, column) {
                ValueRef::Text(t) => t.to_owned(),
                _ => String::new(),
            };
            found.push(QuarantinedRow {
                key: text(1),
                column: text(2),
                code: text(3),
                row: text(4),
            });
        }
    }
    Ok(found)
}

/// Reads up to `rows_max` rows of a resource that aren't tombstones; `take` is given
/// a batch and the number of a row in it.
///
/// Errors: [`RunError::Store`] of the platform's side.
pub async fn read_live_rows(
    pool: &dyn Store,
    table: &PoolTable,
    rows_max: usize,
    mut take: impl FnMut(&Rows<'_>, usize) + Send,
) -> Result<(), RunError> {
    let mut batches = pool
        .read(table.live_rows())
        .await
        .map_err(at(Side::Platform))?;
    let mut taken = 0;
    while let Some(batch) = batches.try_next().await.map_err(at(Side::Platform))? {
        let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
        for n in 0..rows.len() {
            if taken == rows_max {
                return Ok(());
            }
            take(&rows, n);
            taken += 1;
        }
    }
    Ok(())
}
