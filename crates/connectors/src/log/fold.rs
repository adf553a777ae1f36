//! Changes put together: of each row the last state alone, by its key.

use std::collections::BTreeMap;

use super::layout::{Form, Layout};
use crate::Result;
use crate::rows::Op;

/// What a row costs beside its values.
const ROW_BYTES: usize = 96;

/// The last state of a row, its values still as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub op: Op,
    /// Which layout the cells have.
    pub layout: u32,
    /// For each wanted column its length and its bytes, see [`Layout`].
    pub cells: Box<[u8]>,
}

/// The changes of one table.
#[derive(Default)]
pub(crate) struct TableFold {
    pub truncated: bool,
    /// By the key's bytes, so that they lie near each other where they go.
    pub rows: BTreeMap<Box<[u8]>, Row>,
}

/// The changes of all tables.
pub(crate) struct Fold {
    pub tables: Vec<TableFold>,
    pub rows: usize,
    pub bytes: usize,
}

impl Fold {
    pub(crate) fn new(tables: usize) -> Self {
        Self {
            tables: std::iter::repeat_with(TableFold::default)
                .take(tables)
                .collect(),
            rows: 0,
            bytes: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0 && !self.tables.iter().any(|table| table.truncated)
    }

    pub(crate) fn put(&mut self, table: usize, key: Box<[u8]>, row: Row) {
        let key_bytes = key.len() + ROW_BYTES;
        self.bytes += row.cells.len();
        if let Some(before) = self.tables[table].rows.insert(key, row) {
            self.bytes -= before.cells.len();
        } else {
            self.rows += 1;
            self.bytes += key_bytes;
        }
    }

    pub(crate) fn truncate(&mut self, table: usize) {
        let table = &mut self.tables[table];
        table.truncated = true;
        for (key, row) in std::mem::take(&mut table.rows) {
            self.rows -= 1;
            self.bytes -= key.len() + ROW_BYTES + row.cells.len();
        }
    }

    /// Adds what came later.
    pub(crate) fn add(&mut self, later: Self) {
        for (place, table) in later.tables.into_iter().enumerate() {
            if table.truncated {
                self.truncate(place);
            }
            for (key, row) in table.rows {
                self.put(place, key, row);
            }
        }
    }

    /// A row that is there afterwards, and was there as `before` if that is known.
    pub(crate) fn upsert<F: Form>(
        &mut self,
        table: usize,
        layout: &Layout<F>,
        row: Row,
        before: Option<Row>,
    ) -> Result<()> {
        let key = layout.key_of(&row.cells)?;
        if let Some(before) = before {
            let key_before = layout.key_of(&before.cells)?;
            if key_before != key {
                self.put(table, key_before, before);
            }
        }
        self.put(table, key, row);
        Ok(())
    }

    pub(crate) fn delete<F: Form>(
        &mut self,
        table: usize,
        layout: &Layout<F>,
        row: Row,
    ) -> Result<()> {
        let key = layout.key_of(&row.cells)?;
        self.put(table, key, row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Box<[u8]> {
        text.as_bytes().into()
    }

    fn row(op: Op, cells: &str) -> Row {
        Row {
            op,
            layout: 0,
            cells: cells.as_bytes().into(),
        }
    }

    #[test]
    fn the_last_state_wins_and_everything_is_counted_off_again() {
        let mut fold = Fold::new(1);
        fold.put(0, key("a"), row(Op::Upsert, "long before"));
        let mut later = Fold::new(1);
        later.put(0, key("a"), row(Op::Delete, ""));
        later.put(0, key("b"), row(Op::Upsert, "x"));
        fold.add(later);
        assert_eq!(fold.rows, 2);
        assert_eq!(fold.tables[0].rows[&key("a")].op, Op::Delete);
        let mut emptied = Fold::new(1);
        emptied.truncate(0);
        fold.add(emptied);
        assert_eq!((fold.rows, fold.bytes, fold.is_empty()), (0, 0, false));
    }
}
