//! Where the wanted columns lie in the rows of a relation, and how their bytes are read.

use bytes::Bytes;
use tongqu_domain::exchange::ValueRef;

use super::super::types::{self, Native};
use super::fold::Row;
use super::pgoutput::{Cell, Tuple};
use crate::rows::Op;
use crate::{ConnectorError, LogTable, Result};

/// In the place of a cell's length: no value, and one that wasn't sent because it didn't change.
const NULL: i32 = -1;
const UNCHANGED: i32 = -2;

/// Stands for the name of any enumeration.
const ENUMERATION: &str = "enum";

/// What a type is called here: by `typname` and `typtype`.
pub(super) fn called<'a>(name: &'a str, kind: &str) -> &'a str {
    if kind == "e" { ENUMERATION } else { name }
}

/// How a column's bytes come in the log. Reading a table casts some types to text; the log can't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain(Native),
    Uuid,
    /// Text behind a byte that counts versions.
    Jsonb,
}

impl Form {
    /// Errors: why the type can't be read from the log, though its table can.
    pub(super) fn of(native: Native, type_name: &str) -> std::result::Result<Self, String> {
        match (native, type_name) {
            (Native::ShownAsText, "uuid") => Ok(Self::Uuid),
            (Native::ShownAsText, "jsonb") => Ok(Self::Jsonb),
            // Their bytes are their text.
            (Native::ShownAsText, "json" | "citext" | ENUMERATION) => Ok(Self::Plain(native)),
            (Native::ShownAsText, name) => Err(format!(
                "the change log has {name} in a form of its own; compare the table instead of following its log"
            )),
            _ => Ok(Self::Plain(native)),
        }
    }

    /// The value in these bytes; `scratch` holds the text of one that comes otherwise.
    fn read<'a>(
        self,
        bytes: &'a [u8],
        scratch: &'a mut String,
    ) -> Result<ValueRef<'a>, &'static str> {
        match self {
            Self::Plain(native) => types::read(native, bytes),
            Self::Uuid if bytes.len() == 16 => {
                uuid_text(bytes, scratch);
                Ok(ValueRef::Text(scratch))
            }
            Self::Uuid => Err("of another length than its type has"),
            Self::Jsonb => match bytes.split_first() {
                Some((1, text)) => types::read(Native::Text, text),
                _ => Err("of a version that isn't known"),
            },
        }
    }
}

fn uuid_text(bytes: &[u8], out: &mut String) {
    use std::fmt::Write as _;
    out.clear();
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{byte:02x}");
    }
}

/// How the rows of a table come, from a relation's message on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub number: u32,
    pub wanted: LogTable,
    /// For each wanted column: its place in the relation, its form, and whether it is part of the identity.
    pub columns: Vec<Place>,
    /// Places of the key among the wanted columns.
    pub key: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub at: usize,
    pub form: Form,
    pub is_identity: bool,
}

impl Layout {
    /// The row as it is now; what wasn't sent because it didn't change is taken from `old` where that tells it.
    pub(super) fn row(&self, new: &Tuple, old: Option<&Tuple>) -> Result<Row> {
        let mut cells = Vec::with_capacity(64);
        for (position, place) in self.columns.iter().enumerate() {
            let mut cell = cell_at(new, place.at);
            if let (Cell::Unchanged, Some(old)) = (cell, old)
                && (!old.key_only || place.is_identity)
            {
                cell = cell_at(old, place.at);
            }
            self.write(&mut cells, position, cell)?;
        }
        Ok(self.packed(Op::Upsert, cells))
    }

    /// The row as gone: its key alone.
    pub(super) fn gone(&self, old: &Tuple) -> Result<Row> {
        let mut cells = Vec::with_capacity(64);
        for (position, place) in self.columns.iter().enumerate() {
            let cell = if self.key.contains(&position) {
                cell_at(old, place.at)
            } else {
                &Cell::Null
            };
            self.write(&mut cells, position, cell)?;
        }
        Ok(self.packed(Op::Delete, cells))
    }

    fn packed(&self, op: Op, cells: Vec<u8>) -> Row {
        Row {
            op,
            layout: self.number,
            cells: cells.into(),
        }
    }

    fn write(&self, out: &mut Vec<u8>, position: usize, cell: &Cell) -> Result<()> {
        let (length, bytes) = match cell {
            Cell::Null => (NULL, &[][..]),
            Cell::Unchanged => (UNCHANGED, &[][..]),
            Cell::Binary(bytes) => (self.length(position, bytes)?, &bytes[..]),
            Cell::Text => {
                let column = &self.wanted.columns[position].name;
                let reason = "the change log doesn't tell it in a form that keeps it exactly";
                return Err(ConnectorError::type_refused(
                    &self.wanted.table,
                    column,
                    reason,
                ));
            }
        };
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn length(&self, position: usize, bytes: &Bytes) -> Result<i32> {
        i32::try_from(bytes.len()).map_err(|_| {
            let column = &self.wanted.columns[position];
            ConnectorError::value_refused(
                &self.wanted.table,
                &column.name,
                column.column_type,
                "beyond 2 GB",
            )
        })
    }

    /// The bytes of the key; `None` if a part of it wasn't told.
    pub(super) fn key_of(&self, cells: &[u8]) -> Option<Box<[u8]>> {
        let all: Vec<Packed<'_>> = unpack(cells).collect();
        let mut key = Vec::with_capacity(32);
        for position in &self.key {
            match all.get(*position)? {
                Packed::Null => key.extend_from_slice(&NULL.to_be_bytes()),
                Packed::Unchanged => return None,
                Packed::Value(bytes) => {
                    key.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
                    key.extend_from_slice(bytes);
                }
            }
        }
        Some(key.into())
    }

    /// The log doesn't tell a row's key.
    pub(super) fn keyless(&self) -> ConnectorError {
        ConnectorError::LogIdentity {
            table: self.wanted.table.clone(),
            key: self.wanted.key.join(", "),
        }
    }

    /// Gives each value of a row to `take`, with its position; what wasn't sent counts as NULL.
    pub(super) fn read_row(
        &self,
        row: &Row,
        mut take: impl FnMut(usize, ValueRef<'_>) -> Result<(), &'static str>,
    ) -> Result<()> {
        let mut scratch = String::new();
        for (position, (cell, place)) in unpack(&row.cells).zip(&self.columns).enumerate() {
            let value = match cell {
                Packed::Null | Packed::Unchanged => Ok(ValueRef::Null),
                Packed::Value(bytes) => place.form.read(bytes, &mut scratch),
            };
            value
                .and_then(|value| take(position, value))
                .map_err(|found| self.refused(position, found))?;
        }
        Ok(())
    }

    pub(super) fn refused(&self, position: usize, found: &str) -> ConnectorError {
        let column = &self.wanted.columns[position];
        let (table, name) = (&self.wanted.table, &column.name);
        ConnectorError::value_refused(table, name, column.column_type, found)
    }
}

/// Whether each value of the row was sent.
pub(super) fn is_whole(row: &Row) -> bool {
    row.op == Op::Delete || !unpack(&row.cells).any(|cell| matches!(cell, Packed::Unchanged))
}

/// A relation may have lost columns since; their absence is found when its message comes.
fn cell_at(tuple: &Tuple, at: usize) -> &Cell {
    tuple.cells.get(at).unwrap_or(&Cell::Text)
}

enum Packed<'a> {
    Null,
    Unchanged,
    Value(&'a [u8]),
}

fn unpack(mut cells: &[u8]) -> impl Iterator<Item = Packed<'_>> {
    std::iter::from_fn(move || {
        let (length, rest) = cells.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        let Ok(size) = usize::try_from(length) else {
            cells = rest;
            return Some(if length == NULL {
                Packed::Null
            } else {
                Packed::Unchanged
            });
        };
        let (value, rest) = rest.split_at_checked(size)?;
        cells = rest;
        Some(Packed::Value(value))
    })
}
