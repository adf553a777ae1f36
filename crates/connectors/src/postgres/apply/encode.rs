//! Rows in the form that COPY takes, each value looked at on its way.

use bytes::{BufMut, Bytes, BytesMut};
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use super::super::binary::{COPY_HEADER, COPY_TRAILER, write_field};
use super::super::catalog::HeldColumn;
use super::super::types::Native;
use super::Target;
use crate::rows::{Op, Rows};
use crate::{ApplyPlan, ConnectorError, RecordBatch, Result};

/// Bytes that are gathered before they go out: large enough that the socket is worked in few calls.
const CHUNK_BYTES: usize = 256 * 1024;

/// What goes out for each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The columns, what the row does, and its number.
    Staged,
    /// The columns. A row that deletes sends nothing.
    Plain,
}

/// Writes rows and counts them, and what the table's columns would cut, pad or round without a word.
pub(super) struct Encoder<'p> {
    plan: &'p ApplyPlan,
    form: Form,
    out: BytesMut,
    narrowings: Vec<Option<Narrowing>>,
    /// Values by column that a narrowing would change.
    changed: Vec<u64>,
    pub upserts: u64,
    pub deletes: u64,
}

/// What a column of the table would do to values that don't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrowing {
    /// Refuse or cut text of more characters.
    Longer(u32),
    /// Pad text of other than so many characters.
    Other(u32),
    /// Round times to this number of decimals.
    Rounded { digits: u32 },
}

impl<'p> Encoder<'p> {
    pub(super) fn new(plan: &'p ApplyPlan, target: &Target, form: Form) -> Self {
        let mut out = BytesMut::with_capacity(CHUNK_BYTES * 2);
        out.put_slice(COPY_HEADER);
        let columns = plan.columns.iter().zip(&target.columns);
        Self {
            plan,
            form,
            out,
            narrowings: columns
                .map(|(column, held)| Narrowing::of(column, held.as_ref()))
                .collect(),
            changed: vec![0; plan.columns.len()],
            upserts: 0,
            deletes: 0,
        }
    }

    /// Appends rows from `first` on until the chunk is full, and gives back where to go on.
    pub(super) fn encode(&mut self, batch: &RecordBatch, first: usize) -> Result<usize> {
        let rows = Rows::new(batch)?;
        let marks = match self.form {
            Form::Staged => 2,
            Form::Plain => 0,
        };
        let width = i16::try_from(self.plan.columns.len() + marks).map_err(|_| {
            ConnectorError::LimitPassed {
                what: "the number of columns".into(),
                limit: 1_600,
            }
        })?;
        let mut row = first;
        while row < rows.len() && self.out.len() < CHUNK_BYTES {
            self.encode_row(&rows, row, width)?;
            row += 1;
        }
        Ok(row)
    }

    fn encode_row(&mut self, rows: &Rows<'_>, row: usize, width: i16) -> Result<()> {
        let op = rows.op(row);
        if (op, self.form) == (Op::Delete, Form::Plain) {
            self.deletes += 1;
            return Ok(());
        }
        self.out.put_i16(width);
        for (position, column) in self.plan.columns.iter().enumerate() {
            let value = rows.value(row, position);
            if let Some(narrowing) = self.narrowings[position]
                && op == Op::Upsert
                && narrowing.changes(&value)
            {
                self.changed[position] += 1;
            }
            write_field(&mut self.out, value, column.column_type).map_err(|found| {
                let (table, name) = (&self.plan.table, &column.name);
                ConnectorError::value_refused(table, name, column.column_type, found)
            })?;
        }
        if self.form == Form::Staged {
            self.out.put_i32(2);
            self.out.put_i16(op.code().into());
            self.out.put_i32(8);
            self.out.put_u64(self.upserts + self.deletes);
        }
        match op {
            Op::Upsert => self.upserts += 1,
            Op::Delete => self.deletes += 1,
        }
        Ok(())
    }

    /// What has been gathered, once it is worth a call.
    pub(super) fn full_chunk(&mut self) -> Option<Bytes> {
        (self.out.len() >= CHUNK_BYTES).then(|| self.out.split().freeze())
    }

    /// What is left, with COPY's end.
    pub(super) fn last_chunk(&mut self) -> Bytes {
        self.out.put_i16(COPY_TRAILER);
        self.out.split().freeze()
    }

    /// Refuses what the table would have cut, padded or rounded.
    pub(super) fn refuse_changed_values(&self) -> Result<()> {
        let changed = self.plan.columns.iter().zip(&self.narrowings);
        let changed = changed.zip(&self.changed).find(|(_, count)| **count > 0);
        let Some(((column, Some(narrowing)), count)) = changed else {
            return Ok(());
        };
        Err(ConnectorError::ValueRefused {
            table: self.plan.table.clone(),
            column: column.name.clone(),
            reason: format!("in {count} row(s) it {}", narrowing.reason()),
        })
    }
}

impl Narrowing {
    fn of(column: &Column, held: Option<&HeldColumn>) -> Option<Self> {
        let meaning = held.and_then(|held| held.meaning.as_ref().ok());
        if let Some(digits) = meaning.and_then(|meaning| meaning.second_digits) {
            return Some(Self::Rounded { digits });
        }
        let column_type = meaning.map_or(column.column_type, |meaning| meaning.column_type);
        let ColumnType::Text {
            chars_max: Some(chars_max),
        } = column_type
        else {
            return None;
        };
        if meaning.is_some_and(|meaning| meaning.native == Native::Padded) {
            return Some(Self::Other(chars_max));
        }
        Some(Self::Longer(chars_max))
    }

    fn changes(self, value: &ValueRef<'_>) -> bool {
        // No text has more characters than bytes, so most need no counting.
        let chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        match (self, value) {
            (Self::Longer(most), ValueRef::Text(text)) => {
                let is_short = u32::try_from(text.len()).is_ok_and(|bytes| bytes <= most);
                !is_short && chars(text) > most
            }
            (Self::Other(exactly), ValueRef::Text(text)) => chars(text) != exactly,
            (
                Self::Rounded { digits },
                ValueRef::Time(micros) | ValueRef::Timestamp(micros) | ValueRef::Instant(micros),
            ) => micros % 10_i64.pow(6 - digits) != 0,
            _ => false,
        }
    }

    fn reason(self) -> String {
        match self {
            Self::Longer(most) => format!("is longer than the {most} characters of the column"),
            Self::Other(exactly) => {
                format!("doesn't have the {exactly} characters to which the table would pad it")
            }
            Self::Rounded { digits } => {
                format!("has more than the {digits} decimals of seconds that the table keeps")
            }
        }
    }
}
