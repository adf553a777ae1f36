//! Rows of a log in a packed form: for each wanted column its length and its bytes as the log has them, and how they
//! are read.

use tongqu_domain::exchange::ValueRef;

use super::fold::Row;
use crate::rows::Op;
use crate::{ConnectorError, LogTable, Result};

/// In the place of a cell's length: no value, and one that isn't known from the log.
const NULL: i32 = -1;
const UNKNOWN: i32 = -2;

/// How the bytes of one column are read.
pub(crate) trait Form: std::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Holds a value that isn't made of the log's bytes as they are.
    type Scratch: Default + Send;

    /// The value in these bytes, or what kind of value it is if it can't be carried.
    fn read<'a>(
        &'a self,
        bytes: &'a [u8],
        scratch: &'a mut Self::Scratch,
    ) -> Result<ValueRef<'a>, &'static str>;
}

/// A cell of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    /// It isn't in the log, or in no form that could be read: the row is to be read again.
    Unknown,
    Value(&'a [u8]),
}

/// How the rows of a table come, from some place of the log on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout<F> {
    pub number: u32,
    pub wanted: LogTable,
    /// One for each wanted column.
    pub columns: Vec<F>,
    /// Places of the key among the wanted columns.
    pub key: Vec<usize>,
}

impl<F: Form> Layout<F> {
    pub(crate) fn new(number: u32, wanted: LogTable, columns: Vec<F>) -> Self {
        let place_of = |name: &String| {
            let mut columns = wanted.columns.iter();
            columns.position(|column| column.name == *name)
        };
        Self {
            number,
            key: wanted.key.iter().filter_map(place_of).collect(),
            wanted,
            columns,
        }
    }

    /// A row of these cells, one for each wanted column.
    pub(crate) fn packed(&self, op: Op, cells: Vec<u8>) -> Row {
        Row {
            op,
            layout: self.number,
            cells: cells.into(),
        }
    }

    /// Appends the cell of the column at `position`.
    pub(crate) fn pack(&self, out: &mut Vec<u8>, position: usize, cell: Cell<'_>) -> Result<()> {
        let (length, bytes) = match cell {
            Cell::Null => (NULL, &[][..]),
            Cell::Unknown => (UNKNOWN, &[][..]),
            Cell::Value(bytes) => {
                let length = i32::try_from(bytes.len());
                (
                    length.map_err(|_| self.refused(position, "beyond 2 GB"))?,
                    bytes,
                )
            }
        };
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// The bytes of the key.
    ///
    /// Errors: `log_identity` if a part of it isn't known.
    pub(crate) fn key_of(&self, cells: &[u8]) -> Result<Box<[u8]>> {
        let all: Vec<Cell<'_>> = unpack(cells).collect();
        let mut key = Vec::with_capacity(32);
        for position in &self.key {
            match all.get(*position) {
                Some(Cell::Null) => key.extend_from_slice(&NULL.to_be_bytes()),
                Some(Cell::Value(bytes)) => {
                    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    key.extend_from_slice(&length.to_be_bytes());
                    key.extend_from_slice(bytes);
                }
                Some(Cell::Unknown) | None => return Err(self.keyless()),
            }
        }
        Ok(key.into())
    }

    /// The log doesn't tell a row's key.
    fn keyless(&self) -> ConnectorError {
        ConnectorError::LogIdentity {
            table: self.wanted.table.clone(),
            key: self.wanted.key.join(", "),
        }
    }

    /// Gives each value of a row to `take`, with its position; what isn't known counts as NULL.
    pub(crate) fn read_row(
        &self,
        row: &Row,
        mut take: impl FnMut(usize, ValueRef<'_>) -> Result<(), &'static str>,
    ) -> Result<()> {
        let mut scratch = F::Scratch::default();
        for (position, (cell, form)) in unpack(&row.cells).zip(&self.columns).enumerate() {
            let value = match cell {
                Cell::Null | Cell::Unknown => Ok(ValueRef::Null),
                Cell::Value(bytes) => form.read(bytes, &mut scratch),
            };
            value
                .and_then(|value| take(position, value))
                .map_err(|found| self.refused(position, found))?;
        }
        Ok(())
    }

    pub(crate) fn refused(&self, position: usize, found: &str) -> ConnectorError {
        let column = &self.wanted.columns[position];
        let (table, name) = (&self.wanted.table, &column.name);
        ConnectorError::value_refused(table, name, column.column_type, found)
    }
}

impl Row {
    /// Whether each value of the row is known from the log.
    pub(crate) fn is_whole(&self) -> bool {
        self.op == Op::Delete || !unpack(&self.cells).any(|cell| cell == Cell::Unknown)
    }
}

fn unpack(mut cells: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    std::iter::from_fn(move || {
        let (length, rest) = cells.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        let Ok(size) = usize::try_from(length) else {
            cells = rest;
            return Some(if length == NULL {
                Cell::Null
            } else {
                Cell::Unknown
            });
        };
        let (value, rest) = rest.split_at_checked(size)?;
        cells = rest;
        Some(Cell::Value(value))
    })
}
