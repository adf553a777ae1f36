//! What a reader asks for: columns, rows, order and how much at once.

use serde::{Deserialize, Serialize};
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use crate::rows::kind_of;
use crate::text;
use crate::{ConnectorError, Result};

/// Rows of a batch unless the caller says otherwise: enough that the cost per batch vanishes beside
/// the cost per row, few enough that progress is seen and a stop is obeyed within a fraction of a second.
pub const BATCH_ROWS_MAX: usize = 16_384;

/// Bytes of values in a batch unless the caller says otherwise: about four batches of a stream are
/// alive at once, so a stream holds some 32 MiB however wide its rows are.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// No caller may set more: Arrow counts the bytes of a text column in 31 bits, and one row may come
/// on top of a batch that is all but full.
pub(crate) const BATCH_BYTES_LIMIT: usize = 256 * 1024 * 1024;

/// Values that one filter may list: beyond it the databases' own limits on bound values come near.
pub const FILTER_VALUES_MAX: usize = 10_000;

/// One reading of a table: a consistent snapshot of the chosen columns and rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Table or view; `schema.table` on PostgreSQL and `database.table` on MySQL reach another schema.
    pub table: String,
    /// The columns in the order wanted, with the types wanted. A type may be wider than the table's.
    /// NULL in a column that isn't nullable here is an error that ends the stream; whoever wants to
    /// put such rows aside asks for the column as nullable and looks.
    pub columns: Vec<Column>,
    /// Conditions that must all hold. They may name columns that aren't read.
    pub filter: Vec<Filter>,
    /// Where there are any: sets of conditions, of which at least one must hold whole.
    pub any_of: Vec<Vec<Filter>>,
    /// Columns to order by, ascending; text bytewise, NULL first. Empty: no order is promised.
    pub order_by: Vec<String>,
    /// Most rows of a batch; at least 1.
    pub batch_rows_max: usize,
    /// Most bytes of values in a batch, exceeded only by a single row that is larger by itself.
    pub batch_bytes_max: usize,
}

impl Query {
    /// The whole table, in no promised order and with the usual batch sizes.
    #[must_use]
    pub fn all(table: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            table: table.into(),
            columns,
            filter: Vec::new(),
            any_of: Vec::new(),
            order_by: Vec::new(),
            batch_rows_max: BATCH_ROWS_MAX,
            batch_bytes_max: BATCH_BYTES_MAX,
        }
    }

    /// The same, only rows for which `filter` holds too.
    #[must_use]
    pub fn only(mut self, filter: Filter) -> Self {
        self.filter.push(filter);
        self
    }

    /// How many keys of so many columns one reading may name: few enough for a statement that every engine
    /// plans at once.
    #[must_use]
    pub fn keys_max(key_columns: usize) -> usize {
        if key_columns == 1 { 2_000 } else { 250 }
    }

    /// The same, only rows whose columns `key` have the values of one of `keys`. They should be at most
    /// [`Query::keys_max`]; of no keys, there is no row.
    #[must_use]
    pub fn with_keys(mut self, key: &[String], keys: Vec<Vec<Value>>) -> Self {
        if let [column] = key {
            let values = keys.into_iter().flatten().collect();
            return self.only(Filter::within(column, values));
        }
        let one = |values: Vec<Value>| {
            let parts = key.iter().zip(values);
            parts.map(|(column, value)| Filter::eq(column, value))
        };
        if keys.is_empty() {
            return self.only(Filter::within(
                key.first().cloned().unwrap_or_default(),
                Vec::new(),
            ));
        }
        self.any_of = keys.into_iter().map(|key| one(key).collect()).collect();
        self
    }

    /// The same, ordered by these columns.
    #[must_use]
    pub fn ordered_by(mut self, columns: &[impl AsRef<str>]) -> Self {
        self.order_by = columns
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect();
        self
    }

    /// The same, in batches of at most so many rows.
    #[must_use]
    pub fn in_batches_of(mut self, rows: usize) -> Self {
        self.batch_rows_max = rows;
        self
    }

    /// The caller's limits, kept within ours.
    pub(crate) fn limits(&self) -> (usize, usize) {
        (
            self.batch_rows_max.max(1),
            self.batch_bytes_max.clamp(1, BATCH_BYTES_LIMIT),
        )
    }

    /// Errors: [`ConnectorError::PlanInvalid`], [`ConnectorError::LimitPassed`].
    pub(crate) fn check(&self) -> Result<()> {
        if self.columns.is_empty() {
            return Err(ConnectorError::plan_invalid(
                &self.table,
                "no column is asked for",
            ));
        }
        for filter in self.filters() {
            filter.check(&self.table)?;
        }
        Ok(())
    }

    /// Every condition, in the order in which [`Query::where_clause`] writes them.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.filter.iter().chain(self.any_of.iter().flatten())
    }

    /// The clause that holds the conditions, each as `write` writes it; empty if there are none.
    pub(crate) fn where_clause(
        &self,
        mut write: impl FnMut(&Filter) -> Result<String>,
    ) -> Result<String> {
        let mut all = Vec::with_capacity(self.filter.len() + 1);
        for filter in &self.filter {
            all.push(write(filter)?);
        }
        let mut alternatives = Vec::with_capacity(self.any_of.len());
        for set in &self.any_of {
            let set: Vec<String> = set.iter().map(&mut write).collect::<Result<_>>()?;
            alternatives.push(format!("({})", set.join(" AND ")));
        }
        if !alternatives.is_empty() {
            all.push(format!("({})", alternatives.join(" OR ")));
        }
        if all.is_empty() {
            return Ok(String::new());
        }
        Ok(format!(" WHERE {}", all.join(" AND ")))
    }
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterOp {
    /// Equal to the value; text bytewise.
    Eq,
    /// Equal to one of the values; of none, if there are none.
    In,
    /// Text that begins with the value.
    Prefix,
    /// Greater than the value.
    Gt,
    /// Greater than or equal to the value.
    Ge,
    /// Less than the value.
    Lt,
    /// Less than or equal to the value.
    Le,
}

/// One condition on one column. NULL never fulfils it. Values are bound, never written into SQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// The column.
    pub column: String,
    /// How it is compared.
    pub op: FilterOp,
    /// One value, or any number with [`FilterOp::In`].
    pub values: Vec<Value>,
}

impl Filter {
    /// A condition with one value.
    #[must_use]
    pub fn new(column: impl Into<String>, op: FilterOp, value: Value) -> Self {
        Self {
            column: column.into(),
            op,
            values: vec![value],
        }
    }

    /// The column equals `value`.
    #[must_use]
    pub fn eq(column: impl Into<String>, value: Value) -> Self {
        Self::new(column, FilterOp::Eq, value)
    }

    /// The column is greater than `value`.
    #[must_use]
    pub fn gt(column: impl Into<String>, value: Value) -> Self {
        Self::new(column, FilterOp::Gt, value)
    }

    /// The column is at most `value`.
    #[must_use]
    pub fn le(column: impl Into<String>, value: Value) -> Self {
        Self::new(column, FilterOp::Le, value)
    }

    /// The column's text begins with `text`.
    #[must_use]
    pub fn prefix(column: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(column, FilterOp::Prefix, Value::Text(text.into()))
    }

    /// The column equals one of `values`.
    #[must_use]
    pub fn within(column: impl Into<String>, values: Vec<Value>) -> Self {
        Self {
            column: column.into(),
            op: FilterOp::In,
            values,
        }
    }

    fn check(&self, table: &str) -> Result<()> {
        let unsound = |what: &str| {
            Err(ConnectorError::plan_invalid(
                table,
                format!("the filter on {} {what}", self.column),
            ))
        };
        if self.op != FilterOp::In && self.values.len() != 1 {
            return unsound("needs exactly one value");
        }
        if self.values.len() > FILTER_VALUES_MAX {
            return Err(ConnectorError::LimitPassed {
                what: "the number of values in a filter".into(),
                limit: u64::try_from(FILTER_VALUES_MAX).expect("a small constant"),
            });
        }
        if self.values.contains(&Value::Null) {
            return unsound("compares with NULL, which nothing equals");
        }
        if self.op == FilterOp::Prefix && !matches!(self.values[0], Value::Text(_)) {
            return unsound("asks for a prefix that is not text");
        }
        Ok(())
    }

    /// Whether the values can be compared with a column of this type: engines differ wildly in what
    /// they make of the rest.
    ///
    /// Errors: [`ConnectorError::PlanInvalid`].
    pub(crate) fn check_type(&self, table: &str, column_type: ColumnType) -> Result<()> {
        let is_number = |value: &ValueRef<'_>| {
            matches!(
                value,
                ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Decimal { .. }
            )
        };
        let takes_numbers = matches!(
            column_type,
            ColumnType::Int16
                | ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::UInt64
                | ColumnType::Decimal { .. }
        );
        for value in &self.values {
            let value = value.as_ref();
            let is_comparable = column_type.accepts(&value) || (takes_numbers && is_number(&value));
            if !is_comparable {
                let (column, kind) = (&self.column, kind_of(value));
                let reason =
                    format!("the filter on {column} ({column_type}) compares it with {kind}");
                return Err(ConnectorError::plan_invalid(table, reason));
            }
        }
        Ok(())
    }

    /// The filter as plain comparisons that every engine has: a prefix becomes a half-open range,
    /// which, unlike LIKE, needs no escaping and can use a bytewise index.
    pub(crate) fn comparisons(&self) -> Vec<Comparison<'_>> {
        let first = || self.values[0].as_ref();
        let single = |operator| {
            vec![Comparison {
                operator,
                values: vec![Operand::Given(first())],
            }]
        };
        match self.op {
            FilterOp::Eq => single("="),
            FilterOp::Gt => single(">"),
            FilterOp::Ge => single(">="),
            FilterOp::Lt => single("<"),
            FilterOp::Le => single("<="),
            FilterOp::In => {
                vec![Comparison {
                    operator: "IN",
                    values: self
                        .values
                        .iter()
                        .map(|v| Operand::Given(v.as_ref()))
                        .collect(),
                }]
            }
            FilterOp::Prefix => {
                let mut range = single(">=");
                if let ValueRef::Text(prefix) = first()
                    && let Some(end) = text::prefix_end(prefix)
                {
                    range.push(Comparison {
                        operator: "<",
                        values: vec![Operand::Made(end)],
                    });
                }
                range
            }
        }
    }
}

/// One comparison of a column with bound values; `IN` may have any number of them.
pub(crate) struct Comparison<'a> {
    pub operator: &'static str,
    pub values: Vec<Operand<'a>>,
}

/// A value to bind: one of the caller's, or a text that we made from it.
pub(crate) enum Operand<'a> {
    Given(ValueRef<'a>),
    Made(String),
}

impl Operand<'_> {
    pub(crate) fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Given(value) => *value,
            Self::Made(text) => ValueRef::Text(text),
        }
    }
}

/// A value that owns what it holds; [`ValueRef`] is its borrowed form and says the units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A binary floating point number.
    Float(f64),
    /// `unscaled` times ten to the minus `scale`.
    Decimal {
        /// The digits without point.
        unscaled: i128,
        /// Digits after the point.
        scale: i8,
    },
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00 on the wall clock, no zone.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC.
    Instant(i64),
}

impl Value {
    /// The value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(v) => ValueRef::Bool(*v),
            Self::Int(v) => ValueRef::Int(*v),
            Self::UInt(v) => ValueRef::UInt(*v),
            Self::Float(v) => ValueRef::Float(*v),
            Self::Decimal { unscaled, scale } => ValueRef::Decimal {
                unscaled: *unscaled,
                scale: *scale,
            },
            Self::Text(v) => ValueRef::Text(v),
            Self::Bytes(v) => ValueRef::Bytes(v),
            Self::Date(v) => ValueRef::Date(*v),
            Self::Time(v) => ValueRef::Time(*v),
            Self::Timestamp(v) => ValueRef::Timestamp(*v),
            Self::Instant(v) => ValueRef::Instant(*v),
        }
    }

    /// Reads `text` as a value of `column_type`: what a person wrote into a row condition.
    /// `None` if it isn't one. Bytes can't be written as text.
    #[must_use]
    pub fn parse(column_type: ColumnType, text: &str) -> Option<Self> {
        match column_type {
            ColumnType::Boolean => match text {
                "true" | "1" => Some(Self::Bool(true)),
                "false" | "0" => Some(Self::Bool(false)),
                _ => None,
            },
            ColumnType::Int16 => text.parse::<i16>().ok().map(|v| Self::Int(v.into())),
            ColumnType::Int32 => text.parse::<i32>().ok().map(|v| Self::Int(v.into())),
            ColumnType::Int64 => text.parse().ok().map(Self::Int),
            ColumnType::UInt64 => text.parse().ok().map(Self::UInt),
            ColumnType::Float32 | ColumnType::Float64 => text.parse().ok().map(Self::Float),
            ColumnType::Decimal { precision, scale } => text::parse_decimal(text, precision, scale)
                .map(|unscaled| Self::Decimal { unscaled, scale }),
            ColumnType::Text { .. } => Some(Self::Text(text.to_owned())),
            ColumnType::Bytes => None,
            ColumnType::Date => text::parse_date(text).map(Self::Date),
            ColumnType::Time => text::parse_time(text).map(Self::Time),
            ColumnType::Timestamp => text::parse_timestamp(text).map(Self::Timestamp),
            ColumnType::Instant => text::parse_instant(text).map(Self::Instant),
        }
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(v) => Self::Bool(v),
            ValueRef::Int(v) => Self::Int(v),
            ValueRef::UInt(v) => Self::UInt(v),
            ValueRef::Float(v) => Self::Float(v),
            ValueRef::Decimal { unscaled, scale } => Self::Decimal { unscaled, scale },
            ValueRef::Text(v) => Self::Text(v.to_owned()),
            ValueRef::Bytes(v) => Self::Bytes(v.to_vec()),
            ValueRef::Date(v) => Self::Date(v),
            ValueRef::Time(v) => Self::Time(v),
            ValueRef::Timestamp(v) => Self::Timestamp(v),
            ValueRef::Instant(v) => Self::Instant(v),
        }
    }
}
