//! Rows on their way to the server, each value looked at before: as lines of LOAD DATA, or as what a statement binds.

use std::fmt::Write as _;

use mysql_async::Value as Stored;
use tongqu_domain::exchange::{ColumnType, ValueRef};

use super::super::catalog::HeldColumn;
use super::super::types::{self, Limits, Native};
use super::super::{quoted, quoted_table};
use super::Target;
use crate::rows::{OP_COLUMN, Op, Rows};
use crate::text::joined;
use crate::{ApplyPlan, ConnectorError, RecordBatch, Result};

/// What goes out for each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The columns, and what the row does.
    Staged,
    /// The columns. A row that deletes sends nothing.
    Plain,
}

/// Where encoded values go.
pub(super) trait Output {
    /// Takes the next value of the row, or tells what kind of value MySQL hasn't.
    fn value(&mut self, value: ValueRef<'_>) -> Result<(), &'static str>;
    fn end_row(&mut self);
    fn is_full(&self) -> bool;
}

/// Looks at rows, counts them, and hands them on.
pub(super) struct Encoder {
    plan: ApplyPlan,
    form: Form,
    columns: Vec<Place>,
    pub upserts: u64,
    pub deletes: u64,
}

/// What a column of the table asks of its values.
struct Place {
    limits: Limits,
    takes_null: bool,
    /// How LOAD DATA writes it, where the text of a value isn't what the column takes.
    written: Option<Written>,
}

#[derive(Clone, Copy)]
enum Written {
    /// In hexadecimal, since bytes are no text in any character set.
    Hex,
    /// As a number: a text would be taken for bits.
    Bits,
}

impl Encoder {
    /// `declared` are the types of columns that are still to be created.
    pub(super) fn new(plan: &ApplyPlan, target: &Target, declared: &[String], form: Form) -> Self {
        let columns = plan.columns.iter().zip(&target.columns).zip(declared);
        let columns = columns.map(|((column, held), declared)| {
            let meaning = held.as_ref().and_then(|held| held.meaning.as_ref().ok());
            let is_bits = form == Form::Plain && meaning.is_some_and(|m| m.native == Native::Bit);
            Place {
                limits: meaning.map_or_else(|| types::limits_of(declared), |m| m.limits),
                takes_null: held
                    .as_ref()
                    .map_or(column.nullable || target.exists, |held: &HeldColumn| {
                        held.is_nullable
                    }),
                written: match column.column_type {
                    ColumnType::Bytes => Some(Written::Hex),
                    _ if is_bits => Some(Written::Bits),
                    _ => None,
                },
            }
        });
        Self {
            plan: plan.clone(),
            form,
            columns: columns.collect(),
            upserts: 0,
            deletes: 0,
        }
    }

    /// How many values a row sends.
    pub(super) fn width(&self) -> usize {
        self.columns.len() + usize::from(self.form == Form::Staged)
    }

    /// How many rows were sent.
    pub(super) fn sent(&self) -> u64 {
        match self.form {
            Form::Staged => self.upserts + self.deletes,
            Form::Plain => self.upserts,
        }
    }

    /// Hands on rows from `first` on until `out` is full, and gives back where to go on.
    pub(super) fn encode(
        &mut self,
        batch: &RecordBatch,
        first: usize,
        out: &mut impl Output,
    ) -> Result<usize> {
        let rows = Rows::new(batch)?;
        if first == 0 {
            rows.check_columns(&self.plan.columns)?;
            self.plan.check_key_values(&rows)?;
        }
        let mut row = first;
        while row < rows.len() && !out.is_full() {
            self.encode_row(&rows, row, out)?;
            row += 1;
        }
        Ok(row)
    }

    fn encode_row(&mut self, rows: &Rows<'_>, row: usize, out: &mut impl Output) -> Result<()> {
        let op = rows.op(row);
        match op {
            Op::Upsert => self.upserts += 1,
            Op::Delete => self.deletes += 1,
        }
        if (op, self.form) == (Op::Delete, Form::Plain) {
            return Ok(());
        }
        for (position, place) in self.columns.iter().enumerate() {
            let value = rows.value(row, position);
            let name = || {
                (
                    self.plan.table.clone(),
                    self.plan.columns[position].name.clone(),
                )
            };
            if matches!(value, ValueRef::Null) && !place.takes_null && op == Op::Upsert {
                let (table, column) = name();
                return Err(ConnectorError::NullRefused { table, column });
            }
            let refused = |reason: String| {
                let (table, column) = name();
                ConnectorError::ValueRefused {
                    table,
                    column,
                    reason,
                }
            };
            if let Some(reason) = place.limits.refusal(value) {
                return Err(refused(reason));
            }
            out.value(value)
                .map_err(|found| refused(format!("it is {found}")))?;
        }
        if self.form == Form::Staged {
            let marked = out.value(ValueRef::Int(op.code().into()));
            marked.expect("an operation is a small number");
        }
        out.end_row();
        Ok(())
    }

    /// The columns of an INSERT.
    pub(super) fn names(&self) -> String {
        let mark = (self.form == Form::Staged).then_some(OP_COLUMN);
        let names = self.plan.columns.iter().map(|column| column.name.as_str());
        joined(names.chain(mark), ", ", quoted)
    }

    /// The statement under which [`Lines`] are sent into `table`.
    pub(super) fn load(&self, table: &str) -> String {
        let mut places = Vec::with_capacity(self.columns.len() + 1);
        let mut set = Vec::new();
        for (position, (column, place)) in self.plan.columns.iter().zip(&self.columns).enumerate() {
            let name = quoted(&column.name);
            let Some(written) = place.written else {
                places.push(name);
                continue;
            };
            let variable = format!("@tongqu_{position}");
            set.push(match written {
                Written::Hex => format!("{name} = UNHEX({variable})"),
                Written::Bits => format!("{name} = CAST({variable} AS UNSIGNED)"),
            });
            places.push(variable);
        }
        if self.form == Form::Staged {
            places.push(quoted(OP_COLUMN));
        }
        let set = if set.is_empty() {
            String::new()
        } else {
            format!(" SET {}", set.join(", "))
        };
        format!(
            "LOAD DATA LOCAL INFILE 'rows' INTO TABLE {} CHARACTER SET utf8mb4 \
             FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES STARTING BY '' TERMINATED BY '\\n' \
             ({}){set}",
            quoted_table(table),
            places.join(", ")
        )
    }
}

/// Lines of LOAD DATA's text form.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    is_within_row: bool,
}

impl Lines {
    /// Bytes that are gathered before they go out: large enough that the socket is worked in few calls.
    const BYTES: usize = 256 * 1024;

    /// The largest piece, less than any server takes in one packet.
    pub(super) const PIECE_BYTES: usize = 512 * 1024;

    /// What has been gathered; it is empty again afterwards.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let room = String::with_capacity(Self::BYTES + Self::BYTES / 8);
        std::mem::replace(&mut self.text, room).into_bytes()
    }
}

impl Output for Lines {
    fn value(&mut self, value: ValueRef<'_>) -> Result<(), &'static str> {
        if self.is_within_row {
            self.text.push('\t');
        }
        self.is_within_row = true;
        match value {
            ValueRef::Null => self.text.push_str("\\N"),
            ValueRef::Text(text) => push_escaped(&mut self.text, text),
            ValueRef::Bytes(bytes) => {
                for byte in bytes {
                    write!(self.text, "{byte:02x}").expect("a text takes all");
                }
            }
            other => types::write_text(&mut self.text, other)?,
        }
        Ok(())
    }

    fn end_row(&mut self) {
        self.text.push('\n');
        self.is_within_row = false;
    }

    fn is_full(&self) -> bool {
        self.text.len() >= Self::BYTES
    }
}

/// Appends a text so that LOAD DATA reads it as it is.
fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\t', '\n', '\0']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        out.push_str(match special.as_bytes()[0] {
            b'\t' => "\\t",
            b'\n' => "\\n",
            b'\0' => "\\0",
            _ => "\\\\",
        });
        rest = &special[1..];
    }
    out.push_str(rest);
}

/// Values of one statement.
pub(super) struct Bound {
    values: Vec<Stored>,
    rows: usize,
    bytes: usize,
    rows_max: usize,
}

impl Bound {
    /// Values of one statement: the protocol counts them in 16 bits.
    const VALUES_MAX: usize = 65_535;

    /// Rows of one statement: beyond it the round trips hardly count any more.
    const ROWS_MAX: usize = 1_000;

    /// Bytes of one statement, well below what servers accept in a packet by default (4 MiB and more).
    const BYTES_MAX: usize = 1024 * 1024;

    /// For rows of so many values.
    pub(super) fn new(width: usize) -> Self {
        Self {
            values: Vec::new(),
            rows: 0,
            bytes: 0,
            rows_max: Self::ROWS_MAX.min(Self::VALUES_MAX / width),
        }
    }

    /// How many rows and which values have been gathered; it is empty again afterwards.
    pub(super) fn take(&mut self) -> (usize, Vec<Stored>) {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        (rows, std::mem::take(&mut self.values))
    }
}

impl Output for Bound {
    fn value(&mut self, value: ValueRef<'_>) -> Result<(), &'static str> {
        let bound = types::bound(value)?;
        if let Stored::Bytes(bytes) = &bound {
            self.bytes += bytes.len();
        }
        self.values.push(bound);
        Ok(())
    }

    fn end_row(&mut self) {
        self.rows += 1;
    }

    fn is_full(&self) -> bool {
        self.rows >= self.rows_max || self.bytes >= Self::BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_null_from_empty_and_escapes_what_separates() {
        let mut lines = Lines::default();
        for row in [
            [ValueRef::Null, ValueRef::Text(""), ValueRef::Text("\\N")],
            [
                ValueRef::Text("a\tb\nc\0d\\e\r𠮷"),
                ValueRef::Bytes(&[0, 9, 255]),
                ValueRef::Float(-0.5),
            ],
        ] {
            for value in row {
                lines.value(value).unwrap();
            }
            lines.end_row();
        }
        let expected = "\\N\t\t\\\\N\na\\tb\\nc\\0d\\\\e\r𠮷\t0009ff\t-5e-1\n";
        assert_eq!(String::from_utf8(lines.take()).unwrap(), expected);
    }
}
