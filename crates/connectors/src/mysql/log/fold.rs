//! The rows of an event on their way into the transaction that is open.

use super::Followed;
use super::event::{self, Rest, RowsEvent, RowsKind};
use super::form::{Column, Kind};
use super::rows::{self, Stored};
use crate::ConnectorError;
use crate::log::fold::Row;
use crate::log::gather::Gatherer;
use crate::log::layout::{Cell, Layout};
use crate::rows::Op;

/// Why a row isn't taken.
pub(super) enum Fault {
    Unreadable,
    /// A column isn't told.
    Absent,
    Refused(ConnectorError),
}

impl From<event::Unreadable> for Fault {
    fn from(_: event::Unreadable) -> Self {
        Self::Unreadable
    }
}

impl From<ConnectorError> for Fault {
    fn from(error: ConnectorError) -> Self {
        Self::Refused(error)
    }
}

/// Takes all rows of the event over.
pub(super) fn fold_rows(
    gatherer: &mut Gatherer<Column>,
    followed: &Followed,
    event: &RowsEvent<'_>,
) -> Result<(), Fault> {
    let Some((fold, decoder)) = gatherer.open() else {
        return Ok(());
    };
    let layout = &decoder.layouts[followed.layout];
    let (table, columns) = (followed.table, &followed.map.columns);
    let mut rest = Rest(&event.rows);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    while !rest.0.is_empty() {
        rows::take_row(&mut rest, columns, event.columns, &mut first)?;
        match event.kind {
            RowsKind::Insert => fold.upsert(table, layout, row(layout, &first, &[])?, None)?,
            RowsKind::Delete => fold.delete(table, layout, gone(layout, &first)?)?,
            RowsKind::Update => {
                rows::take_row(&mut rest, columns, event.columns_after, &mut second)?;
                let before = gone(layout, &first)?;
                let now = row(layout, &second, &first)?;
                fold.upsert(table, layout, now, Some(before))?;
            }
        }
    }
    Ok(())
}

/// The row as it is now; what isn't told of it is as it was.
fn row(layout: &Layout<Column>, new: &[Stored<'_>], old: &[Stored<'_>]) -> Result<Row, Fault> {
    let mut cells = Vec::with_capacity(64);
    for (position, column) in layout.columns.iter().enumerate() {
        let stored = match new.get(column.at) {
            Some(Stored::Absent) | None => old.get(column.at),
            told => told,
        };
        layout.pack(&mut cells, position, cell(column, stored)?)?;
    }
    Ok(layout.packed(Op::Upsert, cells))
}

/// The row as gone: its key alone.
fn gone(layout: &Layout<Column>, old: &[Stored<'_>]) -> Result<Row, Fault> {
    let mut cells = Vec::with_capacity(64);
    for (position, column) in layout.columns.iter().enumerate() {
        let cell = if layout.key.contains(&position) {
            cell(column, old.get(column.at))?
        } else {
            Cell::Null
        };
        layout.pack(&mut cells, position, cell)?;
    }
    Ok(layout.packed(Op::Delete, cells))
}

fn cell<'a>(column: &Column, stored: Option<&Stored<'a>>) -> Result<Cell<'a>, Fault> {
    match stored {
        Some(Stored::Null) => Ok(Cell::Null),
        Some(Stored::Bytes(_)) if column.kind == Kind::Again => Ok(Cell::Unknown),
        Some(Stored::Bytes(bytes)) => Ok(Cell::Value(bytes)),
        Some(Stored::Absent) | None => Err(Fault::Absent),
    }
}
