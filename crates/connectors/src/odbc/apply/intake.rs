//! Filling the stage: rows are bound as arrays, as many as fit into buffers of a set size.

use odbc_api::buffers::BoxColumBufferRefMut;
use odbc_api::handles::StatementImpl;
use odbc_api::{BindParamDesc, Prepared};
use tongqu_domain::exchange::ValueRef;

use super::super::catalog::Meaning;
use super::super::value::{Cell, Form, Slot};
use super::{Applying, Target};
use crate::batches::Changes;
use crate::rows::{OP_COLUMN, Op, Rows};
use crate::text::{MICROS_PER_SECOND, joined};
use crate::{ConnectorError, RecordBatch, Result};

/// Bytes of the buffers that one call hands over, exceeded only by a single row that is larger by itself.
const CALL_BYTES: usize = 2 * 1024 * 1024;

const DOING: &str = "fill the stage";

/// What was staged.
#[derive(Default)]
pub(super) struct Staged {
    pub upserts: u64,
    pub deletes: u64,
}

/// What a column of the table asks of its values.
struct Asked {
    slot: Slot,
    held: Option<Meaning>,
    takes_null: bool,
}

/// Rows that wait for the next call, column by column.
struct Call {
    cells: Vec<Vec<Cell>>,
    /// The largest value of each column, in units of its form.
    units_max: Vec<usize>,
    rows: usize,
    rows_max: usize,
}

impl Call {
    fn new(width: usize, rows_max: usize) -> Self {
        Self {
            cells: (0..width).map(|_| Vec::new()).collect(),
            units_max: vec![1; width],
            rows: 0,
            rows_max,
        }
    }

    /// Bytes of the buffers with one more row of these cells.
    fn bytes_with(&self, row: &[Cell]) -> usize {
        let widths = self.units_max.iter().zip(row);
        let width: usize = widths.map(|(max, cell)| bytes_of(cell, *max)).sum();
        width * (self.rows + 1)
    }

    fn is_full_for(&self, row: &[Cell]) -> bool {
        self.rows > 0 && (self.rows >= self.rows_max || self.bytes_with(row) > CALL_BYTES)
    }

    fn push(&mut self, row: Vec<Cell>) {
        for (place, cell) in row.into_iter().enumerate() {
            self.units_max[place] = self.units_max[place].max(units_of(&cell));
            self.cells[place].push(cell);
        }
        self.rows += 1;
    }
}

fn units_of(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.encode_utf16().count(),
        Cell::Bytes(bytes) => bytes.len(),
        _ => 1,
    }
}

fn bytes_of(cell: &Cell, units_max: usize) -> usize {
    let units = units_of(cell).max(units_max);
    match cell {
        Cell::Text(_) | Cell::Null(Form::Text) => 2 * units + 10,
        _ => units + 16,
    }
}

impl Applying<'_> {
    pub(super) fn take_in(&self, target: &Target, changes: &mut Changes) -> Result<Staged> {
        let asked = self.asked(target);
        let names = self.plan.columns.iter().map(|column| column.name.as_str());
        let names = joined(names.chain([OP_COLUMN]), ", ", |name| self.quoted(name));
        let places = joined(
            asked
                .iter()
                .map(|asked| asked.slot.sql.as_str())
                .chain(["?"]),
            ", ",
            str::to_owned,
        );
        let sql = format!("INSERT INTO {} ({names}) VALUES ({places})", self.stage);
        let prepared = self.session.connection.prepare(&sql);
        let mut prepared = prepared.map_err(|error| self.failed(&error))?;
        let mut staged = Staged::default();
        let rows_max = self.session.dialect.call_rows_max();
        let mut call = Call::new(asked.len() + 1, rows_max);
        loop {
            match changes.blocking_recv() {
                Some(Some(batch)) => {
                    self.take_batch(&batch?, &asked, &mut prepared, &mut call, &mut staged)?;
                }
                Some(None) => break,
                None => {
                    return Err(ConnectorError::Stopped {
                        reason: "the caller went away".to_owned(),
                    });
                }
            }
        }
        self.send(&mut prepared, &asked, &mut call)?;
        Ok(staged)
    }

    fn failed(&self, error: &odbc_api::Error) -> ConnectorError {
        self.session.failure(DOING, &self.plan.table, error)
    }

    fn asked(&self, target: &Target) -> Vec<Asked> {
        let columns = self.plan.columns.iter().zip(&target.columns);
        columns
            .map(|(column, held)| Asked {
                slot: self.session.dialect.slot(column.column_type),
                held: held.as_ref().and_then(|held| held.meaning.clone().ok()),
                takes_null: held
                    .as_ref()
                    .map_or(column.nullable || target.exists, |held| held.is_nullable),
            })
            .collect()
    }

    fn take_batch(
        &self,
        batch: &RecordBatch,
        asked: &[Asked],
        prepared: &mut Prepared<StatementImpl<'_>>,
        call: &mut Call,
        staged: &mut Staged,
    ) -> Result<()> {
        let rows = Rows::new(batch)?;
        rows.check_columns(&self.plan.columns)?;
        self.plan.check_key_values(&rows)?;
        for row in 0..rows.len() {
            let op = rows.op(row);
            match op {
                Op::Upsert => staged.upserts += 1,
                Op::Delete => staged.deletes += 1,
            }
            let mut cells = Vec::with_capacity(asked.len() + 1);
            for (position, asked) in asked.iter().enumerate() {
                cells.push(self.cell(rows.value(row, position), position, asked, op)?);
            }
            cells.push(Cell::Int(op.code().into()));
            if call.is_full_for(&cells) {
                self.send(prepared, asked, call)?;
            }
            call.push(cells);
        }
        Ok(())
    }

    /// The value as it is bound, if the table takes it as it is.
    fn cell(&self, value: ValueRef<'_>, position: usize, asked: &Asked, op: Op) -> Result<Cell> {
        let column = &self.plan.columns[position];
        let refused = |reason: String| ConnectorError::ValueRefused {
            table: self.plan.table.clone(),
            column: column.name.clone(),
            reason,
        };
        if matches!(value, ValueRef::Null) {
            if !asked.takes_null && op == Op::Upsert {
                return Err(ConnectorError::NullRefused {
                    table: self.plan.table.clone(),
                    column: column.name.clone(),
                });
            }
            return Ok(Cell::Null(asked.slot.form));
        }
        let dialect = self.session.dialect;
        if let ValueRef::Text(text) = value {
            if text.contains('\0') && !dialect.takes_zero_characters() {
                return Err(refused(
                    "it has a zero character, which the database can't hold".to_owned(),
                ));
            }
            if text.is_empty() && dialect.empty_is_null() {
                return Err(refused("the database makes an empty text NULL".to_owned()));
            }
        }
        let declared;
        let held = if let Some(held) = &asked.held {
            held
        } else {
            // What is still to be created takes what the plan says.
            declared = Meaning {
                is_any_length: dialect.takes_any_length(),
                ..Meaning::of(column.column_type)
            };
            &declared
        };
        if let Some(reason) = refusal(value, held) {
            return Err(refused(reason));
        }
        dialect
            .cell(value, column.column_type, asked.slot.form)
            .map_err(|found| refused(format!("it is {found}")))
    }

    /// Hands the waiting rows over.
    fn send(
        &self,
        prepared: &mut Prepared<StatementImpl<'_>>,
        asked: &[Asked],
        call: &mut Call,
    ) -> Result<()> {
        if call.rows == 0 {
            return Ok(());
        }
        let sent = std::mem::replace(call, Call::new(asked.len() + 1, call.rows_max));
        let forms = asked.iter().map(|asked| asked.slot.form).chain([Form::Int]);
        let buffers: Vec<BindParamDesc> = forms
            .zip(&sent.units_max)
            .map(|(form, units)| match form {
                Form::Int => BindParamDesc::i64(true),
                Form::Float => BindParamDesc::f64(true),
                Form::Text => BindParamDesc::wide_text(*units),
                Form::Bytes => BindParamDesc::binary(*units),
            })
            .collect();
        let inserter = prepared.column_inserter(sent.rows, buffers);
        let mut inserter = inserter.map_err(|error| self.failed(&error))?;
        inserter.set_num_rows(sent.rows);
        for (place, cells) in sent.cells.iter().enumerate() {
            let form = asked.get(place).map_or(Form::Int, |asked| asked.slot.form);
            fill(inserter.column_mut(place), form, cells);
        }
        let done = inserter.execute();
        done.map(drop).map_err(|error| self.failed(&error))
    }
}

/// Puts the values of a column into its buffer.
fn fill(buffer: BoxColumBufferRefMut<'_>, form: Form, cells: &[Cell]) {
    let made_so = "the buffer was made for this form";
    let cells = cells.iter().enumerate();
    match form {
        Form::Int => {
            let mut buffer = buffer.as_nullable_slice::<i64>().expect(made_so);
            for (row, cell) in cells {
                let value = if let Cell::Int(v) = cell {
                    Some(*v)
                } else {
                    None
                };
                buffer.set_cell(row, value);
            }
        }
        Form::Float => {
            let mut buffer = buffer.as_nullable_slice::<f64>().expect(made_so);
            for (row, cell) in cells {
                let value = if let Cell::Float(v) = cell {
                    Some(*v)
                } else {
                    None
                };
                buffer.set_cell(row, value);
            }
        }
        Form::Text => {
            let mut buffer = buffer.as_wide_text().expect(made_so);
            let mut units: Vec<u16> = Vec::new();
            for (row, cell) in cells {
                units.clear();
                let is_text = matches!(cell, Cell::Text(_));
                if let Cell::Text(text) = cell {
                    units.extend(text.encode_utf16());
                }
                buffer.set_cell(row, is_text.then_some(&units));
            }
        }
        Form::Bytes => {
            let mut buffer = buffer.as_binary().expect(made_so);
            for (row, cell) in cells {
                let value = if let Cell::Bytes(v) = cell {
                    Some(v.as_slice())
                } else {
                    None
                };
                buffer.set_cell(row, value);
            }
        }
    }
}

/// Why the column can't hold the value unchanged, if so.
fn refusal(value: ValueRef<'_>, held: &Meaning) -> Option<String> {
    match value {
        ValueRef::Text(text) => {
            let limit = held.chars_max()?;
            let length = if held.counts_bytes {
                text.len()
            } else {
                text.chars().count()
            };
            if length > limit {
                Some(format!("it is longer than the {limit} of its column"))
            } else if held.is_padded && length < limit {
                Some(format!(
                    "it is shorter than the {limit} of its column, which adds blanks"
                ))
            } else {
                None
            }
        }
        ValueRef::Time(micros) | ValueRef::Timestamp(micros) | ValueRef::Instant(micros) => {
            let digits = held.second_digits?;
            let unit = MICROS_PER_SECOND / 10_i64.pow(digits.min(6));
            (micros % unit != 0).then(|| {
                format!("its column keeps {digits} decimals of a second and would round it")
            })
        }
        _ => None,
    }
}
