//! Row checks: what puts a row into quarantine, and why. A faulty row never stops the good ones, so
//! each check ends in a code that is stored beside the row, never in an end of the run.

use jiff::civil::Date;

use super::value::{Column, ColumnType, ValueRef, fits_decimal};
use crate::catalogue::{CheckKind, DataItem, DataType};
use crate::codes::{self, CodeFault};
use crate::kind::Kind;

/// Why a value fails its check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the value fails the check {code}")]
pub struct CheckFault {
    /// The stable code, for example `credit_code.check_character`.
    pub code: &'static str,
}

impl CheckFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

impl From<CodeFault> for CheckFault {
    fn from(fault: CodeFault) -> Self {
        Self { code: fault.code() }
    }
}

/// Checks one value. NULL passes: whether a value may be missing is another question. `today` is the
/// date in China Standard Time after which nobody can be born yet.
///
/// Division codes may also be stored as whole numbers; the other codes only as text.
///
/// Errors: [`CheckFault`] with the code of the broken rule. Spec: YC-16.2, TP-16.
pub fn check_value(kind: CheckKind, value: ValueRef<'_>, today: Date) -> Result<(), CheckFault> {
    if value.is_null() {
        return Ok(());
    }
    match (kind, value.as_text()) {
        (CheckKind::IdNumber, Some(text)) => codes::verify_id_number(text, today).map(|_| ())?,
        (CheckKind::CreditCode, Some(text)) => codes::verify_credit_code(text).map(|_| ())?,
        (CheckKind::DivisionCode, Some(text)) => codes::verify_statistical_division(text)?,
        (CheckKind::DivisionCode, None) => {
            let is_number = matches!(
                value,
                ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Decimal { .. }
            );
            let text = value
                .plain_text()
                .filter(|_| is_number)
                .ok_or(CodeFault::NotText)?;
            codes::verify_statistical_division(&text)?;
        }
        (CheckKind::IdNumber | CheckKind::CreditCode, None) => {
            return Err(CodeFault::NotText.into());
        }
    }
    Ok(())
}

/// Why a row is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("column {column} fails the check {code}")]
pub struct RowFault {
    /// The name of the first faulty column.
    pub column: String,
    /// The stable code: `row....` for the form of the value, else that of its [`CheckKind`].
    pub code: &'static str,
}

impl RowFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// A row check that can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowCheckError {
    /// A data item has no column of its name.
    #[error("the data item {item} has no column; map it in the mounting")]
    ItemWithoutColumn {
        /// The code of the item.
        item: String,
    },
}

impl RowCheckError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ItemWithoutColumn { .. } => "exchange.item_without_column",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::ItemWithoutColumn { .. } => Kind::Invalid,
        }
    }
}

/// Checks rows of one table against the data items of its catalogue entry.
#[derive(Debug, Clone)]
pub struct RowCheck {
    columns: Vec<ColumnCheck>,
    today: Date,
}

#[derive(Debug, Clone)]
struct ColumnCheck {
    name: String,
    column_type: ColumnType,
    may_be_null: bool,
    chars_max: Option<u32>,
    number: Option<(u8, i8)>,
    check: Option<CheckKind>,
}

impl RowCheck {
    /// A check for rows whose values come in the order of `columns`. A column belongs to the data
    /// item whose code is its name; rename columns by the mounting first. A column without an item is
    /// checked by its type alone.
    ///
    /// Errors: [`RowCheckError::ItemWithoutColumn`].
    pub fn new(items: &[DataItem], columns: &[Column], today: Date) -> Result<Self, RowCheckError> {
        if let Some(item) = items
            .iter()
            .find(|item| columns.iter().all(|column| column.name != item.code))
        {
            return Err(RowCheckError::ItemWithoutColumn {
                item: item.code.clone(),
            });
        }
        let columns = columns
            .iter()
            .map(|column| {
                ColumnCheck::new(column, items.iter().find(|item| item.code == column.name))
            })
            .collect();
        Ok(Self { columns, today })
    }

    /// Checks one row and reports its first fault, in the order of the columns.
    ///
    /// Codes: `row.width`, `row.null`, `row.type` (another type, or a number beyond the column),
    /// `row.nul_character` (PostgreSQL can't store U+0000), `row.too_long`, `row.number_too_long`,
    /// and those of [`check_value`].
    ///
    /// Errors: [`RowFault`].
    pub fn check(&self, row: &[ValueRef<'_>]) -> Result<(), RowFault> {
        if row.len() != self.columns.len() {
            return Err(RowFault {
                column: String::new(),
                code: "row.width",
            });
        }
        for (column, value) in self.columns.iter().zip(row) {
            column.check(value, self.today).map_err(|code| RowFault {
                column: column.name.clone(),
                code,
            })?;
        }
        Ok(())
    }
}

impl ColumnCheck {
    fn new(column: &Column, item: Option<&DataItem>) -> Self {
        let column_chars = match column.column_type {
            ColumnType::Text { chars_max } => chars_max,
            ColumnType::Boolean
            | ColumnType::Int16
            | ColumnType::Int32
            | ColumnType::Int64
            | ColumnType::UInt64
            | ColumnType::Float32
            | ColumnType::Float64
            | ColumnType::Decimal { .. }
            | ColumnType::Bytes
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::Timestamp
            | ColumnType::Instant => None,
        };
        let item_chars = item.and_then(|item| item.length);
        Self {
            name: column.name.clone(),
            column_type: column.column_type,
            may_be_null: column.nullable && item.is_none_or(|item| item.nullable && !item.key),
            chars_max: match (column_chars, item_chars) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            number: item.and_then(number_limits),
            check: item.and_then(|item| item.check),
        }
    }

    fn check(&self, value: &ValueRef<'_>, today: Date) -> Result<(), &'static str> {
        if value.is_null() {
            return if self.may_be_null {
                Ok(())
            } else {
                Err("row.null")
            };
        }
        if !self.column_type.accepts(value) {
            return Err("row.type");
        }
        if let Some(text) = value.as_text() {
            self.check_text(text)?;
        }
        if let (Some((precision, scale)), Some((unscaled, own_scale))) =
            (self.number, value.exact_number())
            && !fits_decimal(unscaled, own_scale, precision, scale)
        {
            return Err("row.number_too_long");
        }
        match self.check {
            Some(kind) => check_value(kind, *value, today).map_err(|fault| fault.code),
            None => Ok(()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), &'static str> {
        if text.as_bytes().contains(&0) {
            return Err("row.nul_character");
        }
        let Some(chars_max) = self.chars_max.and_then(|chars| usize::try_from(chars).ok()) else {
            return Ok(());
        };
        // Bytes are never fewer than characters, so most values need no counting.
        if text.len() > chars_max && text.chars().count() > chars_max {
            return Err("row.too_long");
        }
        Ok(())
    }
}

/// Total digits and digits after the point of a number item that states its length.
fn number_limits(item: &DataItem) -> Option<(u8, i8)> {
    let scale = match item.data_type {
        DataType::Number => item.scale.unwrap_or(0),
        DataType::Integer => 0,
        DataType::Text
        | DataType::Float
        | DataType::Date
        | DataType::DateTime
        | DataType::Boolean
        | DataType::Memo
        | DataType::Binary => return None,
    };
    Some((u8::try_from(item.length?).ok()?, i8::try_from(scale).ok()?))
}
