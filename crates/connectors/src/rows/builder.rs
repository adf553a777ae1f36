//! Rows into batches.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use super::{Op, UTC, change_schema, schema};
use crate::text::{MICROS_PER_DAY, fits_precision, rescale};

/// A value that its column can't hold exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    /// The column's position.
    pub column: usize,
    /// What kind of value it was; the value itself is not told.
    pub found: &'static str,
}

/// Gathers rows into a batch: either value by value with [`BatchBuilder::push`], each row from first
/// to last column, or row by row with [`BatchBuilder::push_row`].
pub struct BatchBuilder {
    columns: Vec<ColumnBuilder>,
    ops: Option<Int8Builder>,
    schema: SchemaRef,
    nullable: Vec<bool>,
    rows: usize,
    bytes: usize,
}

enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal {
        builder: Decimal128Builder,
        precision: u8,
        scale: i8,
    },
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Instant(TimestampMicrosecondBuilder),
}

impl BatchBuilder {
    /// For plain rows.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self::with_schema(columns, schema(columns), None)
    }

    /// For changes: [`BatchBuilder::push_change`] adds the rows.
    #[must_use]
    pub fn for_changes(columns: &[Column]) -> Self {
        Self::with_schema(columns, change_schema(columns), Some(Int8Builder::new()))
    }

    fn with_schema(columns: &[Column], schema: SchemaRef, ops: Option<Int8Builder>) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|column| ColumnBuilder::new(column.column_type))
                .collect(),
            nullable: columns
                .iter()
                .map(|column| column.nullable || ops.is_some())
                .collect(),
            ops,
            schema,
            rows: 0,
            bytes: 0,
        }
    }

    /// Adds the value of `column` in the row that [`BatchBuilder::end_row`] will close.
    ///
    /// An integer goes into any number type that can hold it, a decimal into any scale that keeps
    /// its digits.
    ///
    /// Errors: [`Misfit`] if the column can't hold the value exactly, NULL included; nothing was added then, and the
    /// unfinished row makes the builder unfit for use.
    pub fn push(&mut self, column: usize, value: ValueRef<'_>) -> Result<(), Misfit> {
        if matches!(value, ValueRef::Null) && !self.nullable[column] {
            return Err(Misfit {
                column,
                found: kind_of(value),
            });
        }
        let bytes = self.columns[column]
            .push(value)
            .map_err(|found| Misfit { column, found })?;
        self.bytes += bytes;
        Ok(())
    }

    /// Closes a row of which every column was pushed.
    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Adds a row. Errors as with [`BatchBuilder::push`].
    ///
    /// # Panics
    /// If the row has another number of values than there are columns, or the builder is for changes.
    pub fn push_row(&mut self, row: &[ValueRef<'_>]) -> Result<(), Misfit> {
        assert!(self.ops.is_none(), "a row of changes needs its operation");
        self.push_values(row)
    }

    /// Adds a change. With [`Op::Delete`] only the key's values matter. Errors as with [`BatchBuilder::push`].
    ///
    /// # Panics
    /// If the row has another number of values than there are columns, or the builder isn't for changes.
    pub fn push_change(&mut self, op: Op, row: &[ValueRef<'_>]) -> Result<(), Misfit> {
        self.push_values(row)?;
        let ops = self.ops.as_mut().expect("the builder was made for changes");
        ops.append_value(op.code());
        Ok(())
    }

    fn push_values(&mut self, row: &[ValueRef<'_>]) -> Result<(), Misfit> {
        assert_eq!(
            row.len(),
            self.columns.len(),
            "a row has one value for each column"
        );
        for (column, value) in row.iter().enumerate() {
            self.push(column, *value)?;
        }
        self.end_row();
        Ok(())
    }

    /// Rows gathered so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of values gathered so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one of the limits is reached.
    #[must_use]
    pub fn is_full(&self, rows_max: usize, bytes_max: usize) -> bool {
        self.rows >= rows_max || self.bytes >= bytes_max
    }

    /// The batch; the builder is empty again afterwards.
    ///
    /// # Panics
    /// If a row was left unfinished.
    pub fn finish(&mut self) -> RecordBatch {
        let mut arrays: Vec<ArrayRef> =
            self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        if let Some(ops) = &mut self.ops {
            arrays.push(Arc::new(ops.finish()));
        }
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .expect("the builders were made from the schema")
    }
}

impl ColumnBuilder {
    fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Int16 => Self::Int16(Int16Builder::new()),
            ColumnType::Int32 => Self::Int32(Int32Builder::new()),
            ColumnType::Int64 => Self::Int64(Int64Builder::new()),
            ColumnType::UInt64 => Self::UInt64(UInt64Builder::new()),
            ColumnType::Float32 => Self::Float32(Float32Builder::new()),
            ColumnType::Float64 => Self::Float64(Float64Builder::new()),
            ColumnType::Decimal { precision, scale } => Self::Decimal {
                builder: Decimal128Builder::new().with_data_type(super::data_type(column_type)),
                precision,
                scale,
            },
            ColumnType::Text { .. } => Self::Text(StringBuilder::new()),
            ColumnType::Bytes => Self::Bytes(BinaryBuilder::new()),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            ColumnType::Instant => {
                Self::Instant(TimestampMicrosecondBuilder::new().with_timezone(UTC))
            }
        }
    }

    /// Adds the value and gives back its size in bytes, or what kind of value doesn't fit.
    fn push(&mut self, value: ValueRef<'_>) -> Result<usize, &'static str> {
        if matches!(value, ValueRef::Null) {
            return Ok(self.push_null());
        }
        match (&mut *self, value) {
            (Self::Boolean(builder), ValueRef::Bool(v)) => builder.append_value(v),
            (Self::Int16(builder), _) => builder.append_value(fitting(integer(value)?)?),
            (Self::Int32(builder), _) => builder.append_value(fitting(integer(value)?)?),
            (Self::Int64(builder), _) => builder.append_value(fitting(integer(value)?)?),
            (Self::UInt64(builder), _) => builder.append_value(fitting(integer(value)?)?),
            (Self::Float32(builder), ValueRef::Float(v)) => builder.append_value(single(v)?),
            (Self::Float64(builder), ValueRef::Float(v)) => builder.append_value(v),
            (
                Self::Decimal {
                    builder,
                    precision,
                    scale,
                },
                _,
            ) => {
                builder.append_value(decimal(value, *precision, *scale)?);
            }
            (Self::Text(builder), ValueRef::Text(v)) => {
                builder.append_value(v);
                return Ok(v.len() + size_of::<i32>());
            }
            (Self::Bytes(builder), ValueRef::Bytes(v)) => {
                builder.append_value(v);
                return Ok(v.len() + size_of::<i32>());
            }
            (Self::Date(builder), ValueRef::Date(v)) => builder.append_value(v),
            (Self::Time(builder), ValueRef::Time(v)) => {
                if !(0..=MICROS_PER_DAY).contains(&v) {
                    return Err("a time beyond one day");
                }
                builder.append_value(v);
            }
            (Self::Timestamp(builder), ValueRef::Timestamp(v))
            | (Self::Instant(builder), ValueRef::Instant(v)) => {
                builder.append_value(v);
            }
            (_, value) => return Err(kind_of(value)),
        }
        Ok(self.width())
    }

    fn push_null(&mut self) -> usize {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::UInt64(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Decimal { builder, .. } => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp(builder) | Self::Instant(builder) => builder.append_null(),
        }
        self.width()
    }

    /// Bytes that a value takes, without the bytes of text.
    fn width(&self) -> usize {
        match self {
            Self::Boolean(_) => 1,
            Self::Int16(_) => 2,
            Self::Int32(_) | Self::Float32(_) | Self::Date(_) | Self::Text(_) | Self::Bytes(_) => 4,
            Self::Int64(_)
            | Self::UInt64(_)
            | Self::Float64(_)
            | Self::Time(_)
            | Self::Timestamp(_)
            | Self::Instant(_) => 8,
            Self::Decimal { .. } => 16,
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::UInt64(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Decimal { builder, .. } => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) | Self::Instant(builder) => Arc::new(builder.finish()),
        }
    }
}

fn fitting<T: TryFrom<i128>>(value: i128) -> Result<T, &'static str> {
    T::try_from(value).map_err(|_| "a number out of its range")
}

/// The whole number that the value is.
fn integer(value: ValueRef<'_>) -> Result<i128, &'static str> {
    match value {
        ValueRef::Int(v) => Ok(v.into()),
        ValueRef::UInt(v) => Ok(v.into()),
        ValueRef::Decimal { unscaled, scale } => {
            rescale(unscaled, -i32::from(scale)).ok_or("a number with a fraction")
        }
        other => Err(kind_of(other)),
    }
}

fn decimal(value: ValueRef<'_>, precision: u8, scale: i8) -> Result<i128, &'static str> {
    let (unscaled, from) = match value {
        ValueRef::Int(v) => (v.into(), 0),
        ValueRef::UInt(v) => (v.into(), 0),
        ValueRef::Decimal { unscaled, scale } => (unscaled, scale),
        other => return Err(kind_of(other)),
    };
    let value = rescale(unscaled, i32::from(scale) - i32::from(from))
        .ok_or("a number with more digits after the point")?;
    if fits_precision(value, precision) {
        Ok(value)
    } else {
        Err("a number with more digits")
    }
}

/// The same number in single precision.
fn single(value: f64) -> Result<f32, &'static str> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what it changes is refused"
    )]
    let single = value as f32;
    if f64::from(single).total_cmp(&value).is_eq() || value.is_nan() {
        Ok(single)
    } else {
        Err("a number that single precision would round")
    }
}

/// What a value is, in words that don't tell it.
pub(crate) fn kind_of(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "empty",
        ValueRef::Bool(_) => "a truth value",
        ValueRef::Int(_) | ValueRef::UInt(_) => "an integer",
        ValueRef::Float(_) => "a floating point number",
        ValueRef::Decimal { .. } => "a decimal number",
        ValueRef::Text(_) => "text",
        ValueRef::Bytes(_) => "bytes",
        ValueRef::Date(_) => "a date",
        ValueRef::Time(_) => "a time",
        ValueRef::Timestamp(_) => "a date and time without zone",
        ValueRef::Instant(_) => "a date and time with zone",
    }
}
