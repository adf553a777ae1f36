//! Keys of rows that differ between pool and target, kept in the pool: they are values, which the registry and the
//! ledger never hold.

use futures_util::TryStreamExt as _;
use tongqu_connectors::{
    ApplyPlan, ConnectorError, Query, Store, one_batch,
    rows::{BatchBuilder, Op, Rows},
};
use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use super::{RunError, Side, at};

/// In what way the target differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The target lacks the row.
    Missing,
    /// The target has the row with other values.
    Altered,
    /// The target has a row that it shouldn't have.
    Superfluous,
}

impl DifferenceKind {
    const ALL: [Self; 3] = [Self::Missing, Self::Altered, Self::Superfluous];

    /// The code in store and interface.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Superfluous => "superfluous",
        }
    }
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key as text.
    pub key: String,
    pub kind: DifferenceKind,
}

/// Puts what a reconciliation found in the place of what an earlier one has found.
pub(super) async fn keep_differences(
    pool: &dyn Store,
    consumer: &str,
    run_id: &str,
    differences: &[Difference],
) -> Result<(), RunError> {
    let columns = columns();
    let mut builder = BatchBuilder::for_changes(&columns);
    for (n, difference) in (0_i64..).zip(differences) {
        let values = [
            ValueRef::Int(n),
            ValueRef::Text(&difference.key),
            ValueRef::Text(difference.kind.code()),
            ValueRef::Text(run_id),
        ];
        builder
            .push_change(Op::Upsert, &values)
            .map_err(|_| RunError::MountingUnfit)?;
    }
    let table = table_of(consumer);
    let plan = ApplyPlan::new(&table, columns, &["n"], &table, 0, run_id).replacing_all();
    let kept = pool.apply(plan, one_batch(builder.finish())).await;
    kept.map(drop).map_err(at(Side::Platform))
}

/// The differences that the reconciliation `run_id` found, at most `limit`; none if a later one has taken its
/// place.
///
/// Errors: [`RunError::Store`] if the pool can't be read.
pub async fn read_differences(
    pool: &dyn Store,
    consumer: &str,
    run_id: &str,
    limit: usize,
) -> Result<Vec<Difference>, RunError> {
    let query = Query::all(table_of(consumer), columns()).ordered_by(&["n"]);
    let mut batches = match pool.read(query).await {
        Ok(batches) => batches,
        Err(ConnectorError::TableMissing { .. } | ConnectorError::StoreMissing { .. }) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(at(Side::Platform)(error)),
    };
    let mut found = Vec::new();
    while let Some(batch) = batches.try_next().await.map_err(at(Side::Platform))? {
        let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
        for n in 0..rows.len().min(limit - found.len()) {
            let text = |column| rows.value(n, column).as_text().unwrap_or_default();
            let kind = DifferenceKind::ALL
                .into_iter()
                .find(|kind| kind.code() == text(2));
            if let Some(kind) = kind.filter(|_| text(3) == run_id) {
                let key = text(1).to_owned();
                found.push(Difference { key, kind });
            }
        }
    }
    Ok(found)
}

fn table_of(consumer: &str) -> String {
    format!("diff_{}", consumer.replace('-', "_"))
}

fn columns() -> Vec<Column> {
    let column = |name: &str, column_type| Column {
        name: name.to_owned(),
        column_type,
        nullable: false,
    };
    let text = ColumnType::Text { chars_max: None };
    vec![
        column("n", ColumnType::Int64),
        column("row_key", text),
        column("kind", text),
        column("run_id", text),
    ]
}
