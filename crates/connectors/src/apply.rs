//! What a writer is told, and what it did.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use tongqu_domain::exchange::Column;

use crate::rows::{OP_COLUMN, Rows};
use crate::{ConnectorError, Result};

/// One apply: a set of changes for one table on behalf of one consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyPlan {
    /// The table; created with `key` as primary key if it is missing.
    pub table: String,
    /// The columns that the batches hold, in their order.
    pub columns: Vec<Column>,
    /// The columns by which rows are matched; not nullable, at least one.
    pub key: Vec<String>,
    /// On whose behalf; one cursor is kept for each.
    pub consumer: String,
    /// How far the consumer has come when this is done. May stay, may not go backwards.
    pub cursor: i64,
    /// Whether the cursor may not stay either: who finds it where it is to be put comes too late.
    pub advances: bool,
    /// Further cursors that are set in the same transaction, each under its own name: where the changes came from,
    /// such as the position in a change log. They may go either way.
    pub marks: Vec<(String, i64)>,
    /// The run, kept beside the cursor for whoever looks into the database.
    pub run_id: String,
    /// What happens to rows of the table that aren't among the changes.
    pub mode: ApplyMode,
    /// What happens if the table lacks a column of the plan.
    pub add_columns: AddColumns,
    /// Columns that get an index of their own when the table is created, such as the pool's `_seq`.
    pub index_on: Vec<String>,
}

/// What happens to rows of the table that aren't among the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyMode {
    /// They stay.
    Upsert,
    /// They are deleted: afterwards the table holds exactly the staged rows.
    ReplaceAll,
}

/// What happens if the table lacks a column of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddColumns {
    /// `column_missing` is answered: a change of the schema is the caller's decision.
    Refuse,
    /// The column is added, nullable, in the same transaction (on MySQL before it).
    Allow,
}

impl ApplyPlan {
    /// A plan that upserts, refuses to change the schema and asks for no further index.
    #[must_use]
    pub fn new(
        table: &str,
        columns: Vec<Column>,
        key: &[impl AsRef<str>],
        consumer: &str,
        cursor: i64,
        run_id: &str,
    ) -> Self {
        Self {
            table: table.to_owned(),
            columns,
            key: key.iter().map(|name| name.as_ref().to_owned()).collect(),
            consumer: consumer.to_owned(),
            cursor,
            advances: false,
            marks: Vec::new(),
            run_id: run_id.to_owned(),
            mode: ApplyMode::Upsert,
            add_columns: AddColumns::Refuse,
            index_on: Vec::new(),
        }
    }

    /// The same plan, refused as `cursor_backwards` where the cursor is there already. For two who may have begun at the
    /// same place, of whom only one may bring anything.
    #[must_use]
    pub fn advancing(mut self) -> Self {
        self.advances = true;
        self
    }

    /// Whether a consumer that has come so far is beyond what the plan brings.
    pub(crate) fn comes_too_late(&self, held: i64) -> bool {
        held > self.cursor || (self.advances && held == self.cursor)
    }

    /// The same plan, which also sets the cursor `name` to `cursor`.
    #[must_use]
    pub fn marking(mut self, name: &str, cursor: i64) -> Self {
        self.marks.push((name.to_owned(), cursor));
        self
    }

    /// The same plan, after which the table holds exactly the staged rows.
    #[must_use]
    pub fn replacing_all(mut self) -> Self {
        self.mode = ApplyMode::ReplaceAll;
        self
    }

    /// Errors: [`ConnectorError::PlanInvalid`], [`ConnectorError::KeyMissing`].
    pub(crate) fn check(&self) -> Result<()> {
        let unsound = |reason: String| Err(ConnectorError::plan_invalid(&self.table, reason));
        let mut names = HashSet::new();
        for column in &self.columns {
            // Databases differ on whether case tells columns apart, so it never may.
            if column.name.is_empty()
                || column.name == OP_COLUMN
                || !names.insert(column.name.to_lowercase())
            {
                return unsound(format!(
                    "column {:?} is empty, reserved or there twice",
                    column.name
                ));
            }
        }
        if self.key.is_empty() {
            return Err(ConnectorError::KeyMissing {
                table: self.table.clone(),
                key: "no column".to_owned(),
            });
        }
        for (position, name) in self.key.iter().enumerate() {
            if self.key[..position].contains(name) {
                return unsound(format!("key column {name} is there twice"));
            }
            match self.columns.iter().find(|column| column.name == *name) {
                None => return unsound(format!("key column {name} is not among its columns")),
                Some(column) if column.nullable => {
                    return unsound(format!("key column {name} is nullable"));
                }
                Some(_) => {}
            }
        }
        if let Some(name) = self
            .index_on
            .iter()
            .find(|name| !self.columns.iter().any(|c| c.name == **name))
        {
            return unsound(format!(
                "column {name} is to be indexed but not among its columns"
            ));
        }
        let names = self.marks.iter().map(|(name, _)| name);
        if names.clone().any(|name| *name == self.consumer) {
            return unsound("a mark is named like the consumer".to_owned());
        }
        let is_unfit = |name: &String| name.is_empty() || name.chars().count() > CONSUMER_CHARS_MAX;
        if names.chain([&self.consumer]).any(is_unfit) {
            return unsound(format!(
                "the consumer's name must have 1 to {CONSUMER_CHARS_MAX} characters"
            ));
        }
        Ok(())
    }

    /// Where each key column stands among the columns.
    pub(crate) fn key_positions(&self) -> Vec<usize> {
        self.key
            .iter()
            .filter_map(|name| self.columns.iter().position(|column| column.name == *name))
            .collect()
    }

    /// Refuses a batch in which a key column has no value.
    ///
    /// Errors: [`ConnectorError::KeyNulls`].
    pub(crate) fn check_key_values(&self, rows: &Rows<'_>) -> Result<()> {
        for position in self.key_positions() {
            let nulls = u64::try_from(rows.null_count(position)).expect("a batch's rows are few");
            if nulls > 0 {
                let (table, column) = (self.table.clone(), self.columns[position].name.clone());
                return Err(ConnectorError::KeyNulls {
                    table,
                    column,
                    nulls,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn key_list(&self) -> String {
        self.key.join(", ")
    }
}

/// The longest name of a consumer: it is a primary key everywhere.
pub(crate) const CONSUMER_CHARS_MAX: usize = 191;

/// What an apply did, in rows. Counted exactly, in the transaction itself:
/// staged rows = inserted + updated + unchanged + deleted, where [`ApplyMode::ReplaceAll`] also
/// counts as deleted the rows that weren't staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Applied {
    /// Rows that weren't there.
    pub inserted: u64,
    /// Rows that were there with another value in at least one column.
    pub updated: u64,
    /// Rows that were there and are gone.
    pub deleted: u64,
    /// Upserts that were there alike, and deletes of rows that weren't there.
    pub unchanged: u64,
}
