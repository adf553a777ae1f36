//! Rows of the log into batches, in the values and types that reading the table gives.
//!
//! Where the log doesn't tell a value (a large one that an update left as it was), or has it in a form that can't be
//! read exactly, the row is read again by its key. What is read then may be newer than the log's place. It is a state that the row truly had, and the log will still tell the changes that led to it, so
//! that the row ends right; where the row is gone by now, its deletion will follow and is only told early.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use tongqu_domain::exchange::{RowHash, ValueRef};

use super::fold::Row;
use super::layout::{Form, Layout};
use super::spill::Spill;
use crate::rows::{BatchBuilder, Op, RecordBatch, Rows};
use crate::{BatchStream, LogQuery, LogTable, Query, Result, Store, Value};

/// What decoding needs, apart from the log itself.
pub(crate) struct Decoder<F> {
    pub store: Arc<dyn Store>,
    pub query: Arc<LogQuery>,
    pub layouts: Vec<Arc<Layout<F>>>,
}

impl<F> Clone for Decoder<F> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            query: Arc::clone(&self.query),
            layouts: self.layouts.clone(),
        }
    }
}

/// Rows that were read again, by the hash of their key.
type ReadAgain = HashMap<RowHash, Vec<Value>>;

impl<F: Form> Decoder<F> {
    fn layout(&self, row: &Row) -> &Layout<F> {
        let place = usize::try_from(row.layout).unwrap_or(usize::MAX);
        &self.layouts[place]
    }

    /// The place of the layout in which the table's wanted columns have these forms.
    pub(crate) fn place_of(&mut self, table: usize, columns: Vec<F>) -> usize {
        let wanted: &LogTable = &self.query.tables[table];
        let mut known = self.layouts.iter();
        let known = known.position(|known| known.wanted == *wanted && known.columns == columns);
        known.unwrap_or_else(|| {
            let place = self.layouts.len();
            let number = u32::try_from(place).expect("a table isn't altered so often");
            let layout = Layout::new(number, wanted.clone(), columns);
            self.layouts.push(Arc::new(layout));
            place
        })
    }

    /// One batch of all `rows`.
    pub(crate) async fn batch(&self, table: usize, rows: &[Row]) -> Result<RecordBatch> {
        let wanted = &self.query.tables[table];
        let read_again = self.read_again(table, rows).await?;
        let mut builder = BatchBuilder::for_changes(&wanted.columns);
        for row in rows {
            let layout = self.layout(row);
            let values = values_of(layout, row)?;
            if row.is_whole() {
                push(layout, &mut builder, row.op, &values)?;
                continue;
            }
            match read_again.get(&key_hash(layout, &values)) {
                Some(values) => push(layout, &mut builder, Op::Upsert, values)?,
                None => push(layout, &mut builder, Op::Delete, &key_alone(layout, values))?,
            }
        }
        Ok(builder.finish())
    }

    async fn read_again(&self, table: usize, rows: &[Row]) -> Result<ReadAgain> {
        let mut keys = Vec::new();
        for row in rows.iter().filter(|row| !row.is_whole()) {
            let layout = self.layout(row);
            let values = values_of(layout, row)?;
            keys.push(
                layout
                    .key
                    .iter()
                    .map(|place| values[*place].clone())
                    .collect(),
            );
        }
        let wanted = &self.query.tables[table];
        let mut found = ReadAgain::new();
        for some in keys.chunks(Query::keys_max(wanted.key.len())) {
            let query = Query::all(&wanted.table, wanted.columns.clone());
            let query = query.with_keys(&wanted.key, some.to_vec());
            let mut batches = self.store.read(query).await?;
            while let Some(batch) = batches.try_next().await? {
                let batch = Rows::new(&batch)?;
                for n in 0..batch.len() {
                    let values: Vec<Value> = (0..wanted.columns.len())
                        .map(|place| batch.value(n, place).into())
                        .collect();
                    let key = wanted.key.iter().filter_map(|name| batch.position(name));
                    let key: Vec<ValueRef<'_>> = key.map(|place| batch.value(n, place)).collect();
                    found.insert(RowHash::of(&key), values);
                }
            }
        }
        Ok(found)
    }

    /// The rows of a spilled table, batch by batch.
    pub(super) fn stream(self, spill: Arc<Spill>, table: usize) -> BatchStream {
        let begin = (self, spill, None::<Box<[u8]>>);
        let batches = stream::try_unfold(begin, move |(decoder, spill, after)| async move {
            let (rows_max, bytes_max) =
                (decoder.query.batch_rows_max, decoder.query.batch_bytes_max);
            let rows = spill
                .rows(table, after, rows_max.max(1), bytes_max.max(1))
                .await?;
            let Some((last, _)) = rows.last() else {
                return Ok(None);
            };
            let last = last.clone();
            let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
            let batch = decoder.batch(table, &rows).await?;
            Ok(Some((batch, (decoder, spill, Some(last)))))
        });
        batches.boxed()
    }
}

fn values_of<F: Form>(layout: &Layout<F>, row: &Row) -> Result<Vec<Value>> {
    let mut values = Vec::with_capacity(layout.columns.len());
    layout.read_row(row, |_, value| {
        values.push(value.into());
        Ok(())
    })?;
    Ok(values)
}

fn key_hash<F: Form>(layout: &Layout<F>, values: &[Value]) -> RowHash {
    let key: Vec<ValueRef<'_>> = layout
        .key
        .iter()
        .map(|place| values[*place].as_ref())
        .collect();
    RowHash::of(&key)
}

fn key_alone<F: Form>(layout: &Layout<F>, mut values: Vec<Value>) -> Vec<Value> {
    for (place, value) in values.iter_mut().enumerate() {
        if !layout.key.contains(&place) {
            *value = Value::Null;
        }
    }
    values
}

fn push<F: Form>(
    layout: &Layout<F>,
    builder: &mut BatchBuilder,
    op: Op,
    values: &[Value],
) -> Result<()> {
    let columns = layout.wanted.columns.iter().zip(values);
    for (position, (column, value)) in columns.enumerate() {
        if op == Op::Upsert && !column.nullable && *value == Value::Null {
            return Err(layout.refused(position, "empty"));
        }
    }
    let values: Vec<ValueRef<'_>> = values.iter().map(Value::as_ref).collect();
    builder
        .push_change(op, &values)
        .map_err(|misfit| layout.refused(misfit.column, misfit.found))
}
