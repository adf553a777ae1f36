//! Batches as rows.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt64Type,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow_schema::DataType;
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use super::{OP_COLUMN, Op, columns_of};
use crate::{ConnectorError, Result};

/// The rows of a batch. Types are looked at once, so that [`Rows::value`] is a table look-up.
pub struct Rows<'b> {
    columns: Vec<ColumnView<'b>>,
    ops: OpView<'b>,
    names: Vec<Column>,
    len: usize,
}

enum ColumnView<'b> {
    Boolean(&'b BooleanArray),
    Int16(&'b Int16Array),
    Int32(&'b Int32Array),
    Int64(&'b Int64Array),
    UInt64(&'b UInt64Array),
    Float32(&'b Float32Array),
    Float64(&'b Float64Array),
    Decimal(&'b Decimal128Array, i8),
    Text(&'b StringArray),
    Bytes(&'b BinaryArray),
    Date(&'b Date32Array),
    Time(&'b Time64MicrosecondArray),
    Timestamp(&'b TimestampMicrosecondArray),
    Instant(&'b TimestampMicrosecondArray),
}

enum OpView<'b> {
    AllUpserts,
    Flags(&'b BooleanArray),
    Int8(&'b Int8Array),
    Int16(&'b Int16Array),
}

impl<'b> Rows<'b> {
    /// Looks at a batch. A trailing `_op` column (Int8, Int16 or Boolean) isn't counted as a column.
    ///
    /// Errors: [`ConnectorError::BatchInvalid`] for types that no [`ColumnType`] stands for.
    pub fn new(batch: &'b RecordBatch) -> Result<Self> {
        let schema = batch.schema_ref();
        let names = columns_of(schema)?;
        let ops = match schema.index_of(OP_COLUMN) {
            Err(_) => OpView::AllUpserts,
            Ok(position) if position != names.len() => {
                return Err(ConnectorError::BatchInvalid {
                    reason: format!("{OP_COLUMN} is not its last column"),
                });
            }
            Ok(position) => OpView::new(batch.column(position).as_ref())?,
        };
        let columns = names
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| ColumnView::new(column, array))
            .collect();
        Ok(Self {
            columns,
            ops,
            names,
            len: batch.num_rows(),
        })
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The columns, without `_op`.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.names
    }

    /// Where a column stands.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.names.iter().position(|c| c.name == column)
    }

    /// One value.
    ///
    /// # Panics
    /// If `row` or `column` lies outside the batch.
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> ValueRef<'b> {
        self.columns[column].value(row)
    }

    /// Puts the row's values into `out`, which is emptied first, so that one buffer serves all rows.
    ///
    /// # Panics
    /// If `row` lies outside the batch.
    pub fn fill(&self, row: usize, out: &mut Vec<ValueRef<'b>>) {
        out.clear();
        out.extend(self.columns.iter().map(|column| column.value(row)));
    }

    /// What the row does; an upsert in a batch without `_op`.
    ///
    /// # Panics
    /// If `row` lies outside the batch.
    #[must_use]
    pub fn op(&self, row: usize) -> Op {
        let is_delete = match &self.ops {
            OpView::AllUpserts => false,
            OpView::Flags(flags) => flags.value(row),
            OpView::Int8(ops) => ops.value(row) != 0,
            OpView::Int16(ops) => ops.value(row) != 0,
        };
        if is_delete { Op::Delete } else { Op::Upsert }
    }

    /// How many values of a column are NULL.
    ///
    /// # Panics
    /// If `column` lies outside the batch.
    #[must_use]
    pub fn null_count(&self, column: usize) -> usize {
        self.columns[column].array().null_count()
    }

    /// Whether the batch has exactly these columns, by name and type, in this order.
    ///
    /// Errors: [`ConnectorError::BatchInvalid`] naming the first that differs.
    pub fn check_columns(&self, expected: &[Column]) -> Result<()> {
        let invalid = |reason| Err(ConnectorError::BatchInvalid { reason });
        if self.names.len() != expected.len() {
            return invalid(format!(
                "it has {} columns instead of {}",
                self.names.len(),
                expected.len()
            ));
        }
        for (found, expected) in self.names.iter().zip(expected) {
            if found.name != expected.name || !alike(found.column_type, expected.column_type) {
                return invalid(format!(
                    "it has {} ({}) where {} ({}) belongs",
                    found.name, found.column_type, expected.name, expected.column_type
                ));
            }
        }
        Ok(())
    }
}

/// Equal but for the length of text, which a batch doesn't enforce.
fn alike(a: ColumnType, b: ColumnType) -> bool {
    matches!((a, b), (ColumnType::Text { .. }, ColumnType::Text { .. })) || a == b
}

impl<'b> OpView<'b> {
    fn new(array: &'b dyn Array) -> Result<Self> {
        let invalid = |reason: String| Err(ConnectorError::BatchInvalid { reason });
        if array.null_count() > 0 {
            return invalid(format!("{OP_COLUMN} has no value in some row"));
        }
        let (view, is_known) = match array.data_type() {
            DataType::Boolean => (Self::Flags(array.as_boolean()), true),
            DataType::Int8 => {
                let ops: &Int8Array = array.as_primitive::<Int8Type>();
                (
                    Self::Int8(ops),
                    ops.values().iter().all(|op| matches!(op, 0 | 1)),
                )
            }
            DataType::Int16 => {
                let ops: &Int16Array = array.as_primitive::<Int16Type>();
                (
                    Self::Int16(ops),
                    ops.values().iter().all(|op| matches!(op, 0 | 1)),
                )
            }
            other => return invalid(format!("{OP_COLUMN} has the type {other}")),
        };
        if is_known {
            Ok(view)
        } else {
            invalid(format!("{OP_COLUMN} is neither 0 nor 1 in some row"))
        }
    }
}

impl<'b> ColumnView<'b> {
    fn new(column: &Column, array: &'b dyn Array) -> Self {
        match column.column_type {
            ColumnType::Boolean => Self::Boolean(array.as_boolean()),
            ColumnType::Int16 => Self::Int16(array.as_primitive::<Int16Type>()),
            ColumnType::Int32 => Self::Int32(array.as_primitive::<Int32Type>()),
            ColumnType::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            ColumnType::UInt64 => Self::UInt64(array.as_primitive::<UInt64Type>()),
            ColumnType::Float32 => Self::Float32(array.as_primitive::<Float32Type>()),
            ColumnType::Float64 => Self::Float64(array.as_primitive::<Float64Type>()),
            ColumnType::Decimal { scale, .. } => {
                Self::Decimal(array.as_primitive::<Decimal128Type>(), scale)
            }
            ColumnType::Text { .. } => Self::Text(array.as_string()),
            ColumnType::Bytes => Self::Bytes(array.as_binary()),
            ColumnType::Date => Self::Date(array.as_primitive::<Date32Type>()),
            ColumnType::Time => Self::Time(array.as_primitive::<Time64MicrosecondType>()),
            ColumnType::Timestamp => {
                Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>())
            }
            ColumnType::Instant => Self::Instant(array.as_primitive::<TimestampMicrosecondType>()),
        }
    }

    fn array(&self) -> &'b dyn Array {
        match *self {
            Self::Boolean(array) => array,
            Self::Int16(array) => array,
            Self::Int32(array) => array,
            Self::Int64(array) => array,
            Self::UInt64(array) => array,
            Self::Float32(array) => array,
            Self::Float64(array) => array,
            Self::Decimal(array, _) => array,
            Self::Text(array) => array,
            Self::Bytes(array) => array,
            Self::Date(array) => array,
            Self::Time(array) => array,
            Self::Timestamp(array) | Self::Instant(array) => array,
        }
    }

    fn value(&self, row: usize) -> ValueRef<'b> {
        if self.array().is_null(row) {
            return ValueRef::Null;
        }
        match *self {
            Self::Boolean(array) => ValueRef::Bool(array.value(row)),
            Self::Int16(array) => ValueRef::Int(array.value(row).into()),
            Self::Int32(array) => ValueRef::Int(array.value(row).into()),
            Self::Int64(array) => ValueRef::Int(array.value(row)),
            Self::UInt64(array) => ValueRef::UInt(array.value(row)),
            Self::Float32(array) => ValueRef::Float(array.value(row).into()),
            Self::Float64(array) => ValueRef::Float(array.value(row)),
            Self::Decimal(array, scale) => ValueRef::Decimal {
                unscaled: array.value(row),
                scale,
            },
            Self::Text(array) => ValueRef::Text(array.value(row)),
            Self::Bytes(array) => ValueRef::Bytes(array.value(row)),
            Self::Date(array) => ValueRef::Date(array.value(row)),
            Self::Time(array) => ValueRef::Time(array.value(row)),
            Self::Timestamp(array) => ValueRef::Timestamp(array.value(row)),
            Self::Instant(array) => ValueRef::Instant(array.value(row)),
        }
    }
}
