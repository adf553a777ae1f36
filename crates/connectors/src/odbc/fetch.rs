//! Rows of a result into batches: by buffers that the driver fills with many rows at once where every value has a
//! largest size, one by one where a value may have any.

use odbc_api::buffers::{AnyColumnBufferSlice, BufferDesc, ColumnarDynBuffer};
use odbc_api::{Cursor, Error, Nullable};
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use super::session::{Rows, Session};
use super::value::{Form, Wire, read_tagged, read_text};
use crate::batches::Feeder;
use crate::rows::BatchBuilder;
use crate::{ConnectorError, Query, Result};

/// Bytes of the buffers that the driver fills: large enough for its round trips to vanish beside the rows.
const BUFFER_BYTES: usize = 1024 * 1024;

/// Rows of the buffers at most.
const BUFFER_ROWS_MAX: usize = 1_000;

/// A value that may have more units than this is fetched by itself.
const BUFFER_UNITS_MAX: usize = 8_000;

/// Units that are asked for first of a value that may have any number. The whole room is written over each time, so
/// that the room of a large value would make all after it dear.
const FIRST_UNITS: usize = 1_024;

/// A column that is fetched.
pub(super) struct Fetched {
    pub wire: Wire,
    /// As what its texts are read.
    pub read_as: ColumnType,
}

/// Whether there is somebody who wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Waits,
    Gone,
}

/// Takes values in and hands batches on.
pub(super) struct Sink<'a> {
    session: &'a Session,
    query: &'a Query,
    columns: &'a [Fetched],
    builder: BatchBuilder,
    limits: (usize, usize),
    feeder: &'a Feeder,
    /// Room for texts and bytes, used again for each.
    text: String,
    scratch: String,
    bytes: Vec<u8>,
    /// Rows and bytes that were taken in.
    pub rows: usize,
    pub value_bytes: usize,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        session: &'a Session,
        query: &'a Query,
        columns: &'a [Fetched],
        feeder: &'a Feeder,
    ) -> Self {
        Self {
            session,
            query,
            columns,
            builder: BatchBuilder::new(&query.columns),
            limits: query.limits(),
            feeder,
            text: String::new(),
            scratch: String::new(),
            bytes: Vec::new(),
            rows: 0,
            value_bytes: 0,
        }
    }

    /// Takes in all rows of a result.
    pub(super) fn take(&mut self, rows: Rows<'_>) -> Result<Reader> {
        match self.buffers() {
            Some((capacity, buffers)) => self.take_blocks(rows, capacity, buffers),
            None => self.take_singly(rows),
        }
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) {
        if self.builder.rows() > 0 {
            // A reader that went away needs no answer.
            let _ = self.feeder.give_blocking(self.builder.finish());
        }
    }

    /// Buffers for all columns, if each has a largest value.
    fn buffers(&self) -> Option<(usize, Vec<BufferDesc>)> {
        let mut buffers = Vec::with_capacity(self.columns.len());
        let mut row_bytes = 1;
        for column in self.columns {
            let units = column
                .wire
                .units_max
                .filter(|max| *max <= BUFFER_UNITS_MAX)?;
            let buffer = match column.wire.form {
                Form::Int => BufferDesc::I64 { nullable: true },
                Form::Float => BufferDesc::F64 { nullable: true },
                Form::Text => BufferDesc::WText { max_str_len: units },
                Form::Bytes => BufferDesc::Binary { max_bytes: units },
            };
            row_bytes += buffer.bytes_per_row();
            buffers.push(buffer);
        }
        let capacity = (BUFFER_BYTES / row_bytes).clamp(1, BUFFER_ROWS_MAX);
        Some((capacity, buffers))
    }

    fn take_blocks(
        &mut self,
        rows: Rows<'_>,
        capacity: usize,
        buffers: Vec<BufferDesc>,
    ) -> Result<Reader> {
        let session = self.session;
        let failed = |error| session.failure("read a table", &self.query.table, &error);
        let buffer = ColumnarDynBuffer::from_descs(capacity, buffers);
        let mut blocks = rows.bind_buffer(buffer).map_err(failed)?;
        loop {
            let block = match blocks.fetch_with_truncation_check(true) {
                Ok(None) => return Ok(Reader::Waits),
                Ok(Some(block)) => block,
                Err(Error::TooLargeValueForBuffer { buffer_index, .. }) => {
                    return Err(self.refused(buffer_index, "longer than its column is declared"));
                }
                Err(error) => {
                    return Err(session.failure("read a table", &self.query.table, &error));
                }
            };
            let count = block.num_rows();
            for row in 0..count {
                for position in 0..self.columns.len() {
                    self.take_cell(block.column(position), row, position)?;
                }
                if self.end_row() == Reader::Gone {
                    return Ok(Reader::Gone);
                }
            }
        }
    }

    fn take_cell(
        &mut self,
        cells: AnyColumnBufferSlice<'_>,
        row: usize,
        position: usize,
    ) -> Result<()> {
        let made_so = "the buffer was made for this form";
        match self.columns[position].wire.form {
            Form::Int => {
                let cells = cells.as_nullable_slice::<i64>().expect(made_so);
                self.push_number(position, cells.get(row).map(|v| ValueRef::Int(*v)))
            }
            Form::Float => {
                let cells = cells.as_nullable_slice::<f64>().expect(made_so);
                self.push_number(position, cells.get(row).map(|v| ValueRef::Float(*v)))
            }
            Form::Text => match cells.as_wide_text().expect(made_so).get(row) {
                None => self.push(position, ValueRef::Null),
                Some(units) => self.push_units(position, units),
            },
            Form::Bytes => match cells.as_binary().expect(made_so).get(row) {
                None => self.push(position, ValueRef::Null),
                Some(bytes) => self.push_bytes(position, bytes),
            },
        }
    }

    fn take_singly(&mut self, mut rows: Rows<'_>) -> Result<Reader> {
        let session = self.session;
        let table = &self.query.table;
        let failed = |error| session.failure("read a table", table, &error);
        while let Some(mut row) = rows.next_row().map_err(failed)? {
            for position in 0..self.columns.len() {
                let place = u16::try_from(position + 1).expect("a table has few columns");
                match self.columns[position].wire.form {
                    Form::Int => {
                        let mut cell = Nullable::<i64>::null();
                        row.get_data(place, &mut cell).map_err(failed)?;
                        self.push_number(position, cell.into_opt().map(ValueRef::Int))?;
                    }
                    Form::Float => {
                        let mut cell = Nullable::<f64>::null();
                        row.get_data(place, &mut cell).map_err(failed)?;
                        self.push_number(position, cell.into_opt().map(ValueRef::Float))?;
                    }
                    Form::Text => {
                        let mut units = Vec::with_capacity(FIRST_UNITS);
                        if row.get_wide_text(place, &mut units).map_err(failed)? {
                            self.push_units(position, &units)?;
                        } else {
                            self.push(position, ValueRef::Null)?;
                        }
                    }
                    Form::Bytes => {
                        let mut bytes = Vec::with_capacity(FIRST_UNITS);
                        if row.get_binary(place, &mut bytes).map_err(failed)? {
                            self.push_bytes(position, &bytes)?;
                        } else {
                            self.push(position, ValueRef::Null)?;
                        }
                    }
                }
            }
            if self.end_row() == Reader::Gone {
                return Ok(Reader::Gone);
            }
        }
        Ok(Reader::Waits)
    }

    fn push_number(&mut self, position: usize, value: Option<ValueRef<'_>>) -> Result<()> {
        let is_truth = self.columns[position].read_as == ColumnType::Boolean;
        match value {
            None => self.push(position, ValueRef::Null),
            Some(ValueRef::Int(0)) if is_truth => self.push(position, ValueRef::Bool(false)),
            Some(ValueRef::Int(1)) if is_truth => self.push(position, ValueRef::Bool(true)),
            Some(value) => self.push(position, value),
        }
    }

    fn push_units(&mut self, position: usize, units: &[u16]) -> Result<()> {
        self.value_bytes += 2 * units.len();
        let mut text = std::mem::take(&mut self.text);
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut bytes = std::mem::take(&mut self.bytes);
        let column = &self.columns[position];
        let value = read_units(units, &mut text).and_then(|()| {
            if column.wire.is_tagged {
                read_tagged(&text, column.read_as, &mut bytes, &mut scratch)
            } else {
                read_text(&text, column.read_as, &mut bytes)
            }
        });
        let pushed = match value {
            Ok(value) => self.push(position, value),
            Err(found) => Err(self.refused(position, found)),
        };
        (self.text, self.scratch, self.bytes) = (text, scratch, bytes);
        pushed
    }

    fn push_bytes(&mut self, position: usize, bytes: &[u8]) -> Result<()> {
        self.value_bytes += bytes.len();
        match self.columns[position].read_as {
            ColumnType::Text { .. } => match std::str::from_utf8(bytes) {
                Ok(text) => self.push(position, ValueRef::Text(text)),
                Err(_) => Err(self.refused(position, "text that is not UTF-8")),
            },
            _ => self.push(position, ValueRef::Bytes(bytes)),
        }
    }

    fn push(&mut self, position: usize, value: ValueRef<'_>) -> Result<()> {
        let pushed = self.builder.push(position, value);
        pushed.map_err(|misfit| self.refused(position, misfit.found))
    }

    fn end_row(&mut self) -> Reader {
        self.rows += 1;
        self.builder.end_row();
        let (rows_max, bytes_max) = self.limits;
        if self.builder.is_full(rows_max, bytes_max)
            && self.feeder.give_blocking(self.builder.finish()).is_err()
        {
            return Reader::Gone;
        }
        Reader::Waits
    }

    fn refused(&self, position: usize, found: &str) -> ConnectorError {
        let column: &Column = &self.query.columns[position];
        ConnectorError::value_refused(&self.query.table, &column.name, column.column_type, found)
    }
}

/// UTF-16 as text, or what it is instead.
pub(super) fn read_units(units: &[u16], out: &mut String) -> Result<(), &'static str> {
    *out = String::from_utf16(units).map_err(|_| "text that is not UTF-16")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_no_text() {
        let mut out = String::new();
        let whole: Vec<u16> = "𠮷a".encode_utf16().collect();
        assert_eq!(read_units(&whole, &mut out), Ok(()));
        assert_eq!(out, "𠮷a");
        assert!(read_units(&whole[..1], &mut out).is_err());
    }
}
