//! Where the wanted columns lie in the rows of a relation, and how their bytes are read.
//!
//! A large value that an update left as it was is not in the log. Where the table's identity tells the whole row as
//! it was, it is taken from there.

use tongqu_domain::exchange::ValueRef;

use super::super::types::{self, Native};
use super::pgoutput::{Cell, Tuple};
use crate::log::fold::Row;
use crate::log::layout::{self, Layout};
use crate::rows::Op;
use crate::{ConnectorError, Result};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// In the relation.
    pub at: usize,
    pub form: Form,
    /// Whether it is part of the table's identity.
    pub is_identity: bool,
}

impl layout::Form for Place {
    type Scratch = String;

    fn read<'a>(
        &'a self,
        bytes: &'a [u8],
        scratch: &'a mut String,
    ) -> Result<ValueRef<'a>, &'static str> {
        self.form.read(bytes, scratch)
    }
}

/// The row as it is now.
pub(super) fn row(layout: &Layout<Place>, new: &Tuple, old: Option<&Tuple>) -> Result<Row> {
    let mut cells = Vec::with_capacity(64);
    for (position, place) in layout.columns.iter().enumerate() {
        let mut cell = cell_at(new, place.at);
        if let (Cell::Unchanged, Some(old)) = (cell, old)
            && (!old.key_only || place.is_identity)
        {
            cell = cell_at(old, place.at);
        }
        pack(layout, &mut cells, position, cell)?;
    }
    Ok(layout.packed(Op::Upsert, cells))
}

/// The row as gone: its key alone.
pub(super) fn gone(layout: &Layout<Place>, old: &Tuple) -> Result<Row> {
    let mut cells = Vec::with_capacity(64);
    for (position, place) in layout.columns.iter().enumerate() {
        let cell = if layout.key.contains(&position) {
            cell_at(old, place.at)
        } else {
            &Cell::Null
        };
        pack(layout, &mut cells, position, cell)?;
    }
    Ok(layout.packed(Op::Delete, cells))
}

fn pack(layout: &Layout<Place>, out: &mut Vec<u8>, position: usize, cell: &Cell) -> Result<()> {
    let cell = match cell {
        Cell::Null => layout::Cell::Null,
        Cell::Unchanged => layout::Cell::Unknown,
        Cell::Binary(bytes) => layout::Cell::Value(bytes),
        Cell::Text => {
            let (table, column) = (&layout.wanted.table, &layout.wanted.columns[position].name);
            let reason = "the change log doesn't tell it in a form that keeps it exactly";
            return Err(ConnectorError::type_refused(table, column, reason));
        }
    };
    layout.pack(out, position, cell)
}

/// A relation may have lost columns since; their absence is found when its message comes.
fn cell_at(tuple: &Tuple, at: usize) -> &Cell {
    tuple.cells.get(at).unwrap_or(&Cell::Text)
}
