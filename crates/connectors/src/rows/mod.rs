//! Rows in columnar batches, and back, without an allocation per row.
//!
//! A batch's schema carries the whole [`Column`]: the Arrow type says the rest, the length of text
//! stands in the field's metadata.

mod builder;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

pub use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use tongqu_domain::exchange::{Column, ColumnType};

pub(crate) use builder::kind_of;
pub use builder::{BatchBuilder, Misfit};
pub use view::Rows;

use crate::{ConnectorError, Result};

/// The trailing column of a change batch: 0 = upsert, 1 = delete the row with this key.
pub const OP_COLUMN: &str = "_op";

/// What a row of a change batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// The row is there afterwards, with these values.
    Upsert,
    /// No row with this key is there afterwards; the other columns don't matter.
    Delete,
}

impl Op {
    /// The number that stands for it in [`OP_COLUMN`].
    #[must_use]
    pub fn code(self) -> i8 {
        match self {
            Self::Upsert => 0,
            Self::Delete => 1,
        }
    }
}

const CHARS_MAX: &str = "tongqu.chars_max";
const UTC: &str = "UTC";

/// The schema of batches with these columns.
#[must_use]
pub fn schema(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The schema of change batches: the columns, nullable where a delete may leave them out, and `_op`.
#[must_use]
pub fn change_schema(columns: &[Column]) -> SchemaRef {
    let mut fields: Vec<Field> = columns
        .iter()
        .map(|column| field(column).with_nullable(true))
        .collect();
    fields.push(Field::new(OP_COLUMN, DataType::Int8, false));
    Arc::new(Schema::new(fields))
}

/// The columns of a batch's schema, `_op` left out.
///
/// Errors: [`ConnectorError::BatchInvalid`] if a field has a type that no [`ColumnType`] stands for.
pub fn columns_of(schema: &Schema) -> Result<Vec<Column>> {
    let fields = schema
        .fields()
        .iter()
        .filter(|field| field.name() != OP_COLUMN);
    fields
        .map(|field| {
            Ok(Column {
                name: field.name().clone(),
                column_type: column_type(field)?,
                nullable: field.is_nullable(),
            })
        })
        .collect()
}

fn field(column: &Column) -> Field {
    let field = Field::new(&column.name, data_type(column.column_type), column.nullable);
    match column.column_type {
        ColumnType::Text {
            chars_max: Some(chars_max),
        } => field.with_metadata(HashMap::from([(
            CHARS_MAX.to_owned(),
            chars_max.to_string(),
        )])),
        _ => field,
    }
}

fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Int16 => DataType::Int16,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::UInt64 => DataType::UInt64,
        ColumnType::Float32 => DataType::Float32,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
        ColumnType::Text { .. } => DataType::Utf8,
        ColumnType::Bytes => DataType::Binary,
        ColumnType::Date => DataType::Date32,
        ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
    }
}

fn column_type(field: &Field) -> Result<ColumnType> {
    Ok(match field.data_type() {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int16 => ColumnType::Int16,
        DataType::Int32 => ColumnType::Int32,
        DataType::Int64 => ColumnType::Int64,
        DataType::UInt64 => ColumnType::UInt64,
        DataType::Float32 => ColumnType::Float32,
        DataType::Float64 => ColumnType::Float64,
        DataType::Decimal128(precision, scale) => ColumnType::Decimal {
            precision: *precision,
            scale: *scale,
        },
        DataType::Utf8 => ColumnType::Text {
            chars_max: field
                .metadata()
                .get(CHARS_MAX)
                .and_then(|text| text.parse().ok()),
        },
        DataType::Binary => ColumnType::Bytes,
        DataType::Date32 => ColumnType::Date,
        DataType::Time64(TimeUnit::Microsecond) => ColumnType::Time,
        DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == UTC => {
            ColumnType::Instant
        }
        other => {
            return Err(ConnectorError::BatchInvalid {
                reason: format!("column {} has the type {other}", field.name()),
            });
        }
    })
}

#[cfg(test)]
mod tests;
