//! Whether a table fits the data items of an entry 挂接.

use std::collections::BTreeMap;

use super::value::{Column, ColumnType};
use crate::catalogue::{DataItem, DataType};
use crate::kind::Kind;

/// A fault between an item and its column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data item {item}: {kind}")]
pub struct MountFault {
    /// The code of the data item; empty where the fault is of the whole table.
    pub item: String,
    /// What doesn't fit.
    pub kind: MountFaultKind,
}

/// What can keep a table from being mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MountFaultKind {
    /// The map names no column for it.
    #[error("no column is chosen for it")]
    NotMapped,
    /// The chosen column isn't in the table, or isn't any more.
    #[error("the chosen column isn't in the table")]
    ColumnMissing,
    /// One column stands for two items.
    #[error("the chosen column already stands for another data item")]
    ColumnTwice,
    /// The column's type can't carry the item.
    #[error("the type of the column doesn't fit the type of the data item")]
    TypeDiffers,
    /// The entry has no key, so no row can be told from another.
    #[error("the entry has no key; mark at least one data item as part of the primary key")]
    NoKey,
}

impl MountFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            MountFaultKind::NotMapped => "mounting.not_mapped",
            MountFaultKind::ColumnMissing => "mounting.column_missing",
            MountFaultKind::ColumnTwice => "mounting.column_twice",
            MountFaultKind::TypeDiffers => "mounting.type_differs",
            MountFaultKind::NoKey => "mounting.no_key",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.kind {
            MountFaultKind::NotMapped
            | MountFaultKind::ColumnTwice
            | MountFaultKind::TypeDiffers
            | MountFaultKind::NoKey => Kind::Invalid,
            MountFaultKind::ColumnMissing => Kind::Conflict,
        }
    }
}

/// Matches the items of an entry with the columns of a table by `column_of_item` (item code to column
/// name). Gives the table's columns in the order of the items, still under the table's names.
///
/// Whether the key is unique and without NULL only the store can tell; ask it as well.
///
/// Errors: every [`MountFault`] at once, in the order of the items. Spec: PDS-6.1 (mounting), PDS-8.1.
pub fn check_mount(
    items: &[DataItem],
    columns: &[Column],
    column_of_item: &BTreeMap<String, String>,
) -> Result<Vec<Column>, Vec<MountFault>> {
    let mut faults = Vec::new();
    let mut mounted: Vec<Column> = Vec::with_capacity(items.len());
    for item in items {
        let verdict = match column_of_item.get(&item.code) {
            None => Err(MountFaultKind::NotMapped),
            Some(name) => match columns.iter().find(|column| column.name == *name) {
                None => Err(MountFaultKind::ColumnMissing),
                Some(column) if mounted.contains(column) => Err(MountFaultKind::ColumnTwice),
                Some(column) if !can_carry(column.column_type, item.data_type) => {
                    Err(MountFaultKind::TypeDiffers)
                }
                Some(column) => Ok(column.clone()),
            },
        };
        match verdict {
            Ok(column) => mounted.push(column),
            Err(kind) => faults.push(MountFault {
                item: item.code.clone(),
                kind,
            }),
        }
    }
    if !items.iter().any(|item| item.key) {
        faults.push(MountFault {
            item: String::new(),
            kind: MountFaultKind::NoKey,
        });
    }
    if faults.is_empty() {
        Ok(mounted)
    } else {
        Err(faults)
    }
}

/// Whether values of the column are values of the item as they stand. Nothing is converted: a number
/// kept as text has to be described as text.
fn can_carry(column_type: ColumnType, data_type: DataType) -> bool {
    match data_type {
        DataType::Text | DataType::Memo => matches!(column_type, ColumnType::Text { .. }),
        DataType::Integer => matches!(
            column_type,
            ColumnType::Int16
                | ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::UInt64
                | ColumnType::Decimal { scale: ..=0, .. }
        ),
        DataType::Number => matches!(
            column_type,
            ColumnType::Int16
                | ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::UInt64
                | ColumnType::Decimal { .. }
        ),
        DataType::Float => matches!(column_type, ColumnType::Float32 | ColumnType::Float64),
        DataType::Date => matches!(column_type, ColumnType::Date),
        DataType::DateTime => matches!(column_type, ColumnType::Timestamp | ColumnType::Instant),
        DataType::Boolean => matches!(column_type, ColumnType::Boolean),
        DataType::Binary => matches!(column_type, ColumnType::Bytes),
    }
}
