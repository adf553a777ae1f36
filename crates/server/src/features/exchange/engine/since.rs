//! Collection of what the watched column says has changed since the last time: each of those rows is compared with the
//! pool's under the same key. Rows that are gone aren't seen so; comparing the whole finds them.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::TryStreamExt as _;
use tongqu_connectors::{
    BatchStream, Filter, FilterOp, Query, RecordBatch, Store, Value, rows::Rows,
};
use tongqu_domain::exchange::ColumnType;

use super::{
    Changes, Collected, Limits, RunError, Side, Source, at,
    collect::{Collecting, refill},
    merge::{FAULT_SHARE_ROWS_MIN, Front, Merge, QUARANTINE_ROWS_MAX},
    pool::{PoolTable, key_text, read_quarantine},
    quarantine::keep_quarantine,
    send, stream_of,
};

/// Brings those rows of the source into the pool whose watched column is `from` or more, as the column counts.
///
/// Errors: [`RunError`]; the pool is then as it was. [`RunError::MountingUnfit`] if no column is watched.
pub async fn collect_since(
    source: &Source,
    pool: &Arc<dyn Store>,
    run_id: &str,
    limits: Limits,
    from: i64,
) -> Result<Collected, RunError> {
    let (collecting, columns) = Collecting::begin(source, pool, run_id, limits).await?;
    let changed = changed_since(source, from)?;
    let query = Query::all(&source.mounting.table, columns)
        .only(changed)
        .ordered_by(&source.mounting.key);
    let mut query = limits.bound(query);
    query.batch_rows_max = Query::keys_max(source.mounting.key.len()).min(query.batch_rows_max);
    let rows = source.store.read(query).await;
    let table = &collecting.table;
    let set_aside = read_quarantine(pool.as_ref(), table, QUARANTINE_ROWS_MAX).await?;
    let mut walk = Walk {
        rows: rows.map_err(at(Side::Provider))?,
        pool: pool.clone(),
        table: collecting.table.clone(),
        limits,
        not_seen: set_aside.iter().map(|row| row.key.clone()).collect(),
    };
    let merge = collecting.merge()?;
    let (walked, not_seen) = tokio::sync::oneshot::channel();
    let (changes, merging) = stream_of(|changes| async move {
        let merge = walk.all(merge, &changes).await?;
        // Nobody waits for it if the pool has refused meanwhile.
        let _gone = walked.send(walk.not_seen);
        Ok(merge)
    });
    let mut merge = collecting.apply(changes, merging).await?;
    let not_seen = not_seen.await.map_err(|_| RunError::CountsDiffer)?;
    let faulty = std::mem::take(&mut merge.quarantine);
    let mended = set_aside.len() > not_seen.len();
    if mended || !faulty.is_empty() {
        let mut rows = set_aside;
        rows.retain(|row| not_seen.contains(&row.key));
        rows.extend(faulty);
        rows.truncate(QUARANTINE_ROWS_MAX);
        let seq = collecting.seq();
        keep_quarantine(pool.as_ref(), table, run_id, seq, &rows).await?;
    }
    let before = source.mounting.rows_total.unwrap_or(0);
    let before = u64::try_from(before).unwrap_or(0);
    Ok(collecting.collected(&merge, before + merge.counts.inserted))
}

fn changed_since(source: &Source, from: i64) -> Result<Filter, RunError> {
    let watched = source.watched.as_ref().ok_or(RunError::MountingUnfit)?;
    let place = source.place_of(&watched.column);
    let place = place.ok_or(RunError::MountingUnfit)?;
    let value = match source.mounting.columns[place].column.column_type {
        ColumnType::Date => Value::Date(i32::try_from(from).unwrap_or(i32::MIN)),
        ColumnType::Timestamp => Value::Timestamp(from),
        ColumnType::Instant => Value::Instant(from),
        _ => Value::Int(from),
    };
    Ok(Filter::new(&watched.column, FilterOp::Ge, value))
}

struct Walk {
    /// What has changed at the source, in the order of the key.
    rows: BatchStream,
    pool: Arc<dyn Store>,
    table: PoolTable,
    limits: Limits,
    /// Keys of the rows in quarantine that haven't been read again so far, as people read them.
    not_seen: BTreeSet<String>,
}

impl Walk {
    async fn all(&mut self, mut merge: Merge, changes: &Changes) -> Result<Merge, RunError> {
        while let Some(batch) = self.rows.try_next().await.map_err(at(Side::Provider))? {
            let keys = self.keys_of(&batch)?;
            self.one(&mut merge, batch, keys, changes).await?;
        }
        // Few rows tell little about the share of faulty ones.
        if merge.counts.read >= FAULT_SHARE_ROWS_MIN {
            merge.refuse_too_many_faults()?;
        }
        if let Some(batch) = merge.finish() {
            send(changes, batch).await;
        }
        Ok(merge)
    }

    /// Keys without NULL; rows that lack one are set aside without a look at the pool.
    fn keys_of(&mut self, batch: &RecordBatch) -> Result<Vec<Vec<Value>>, RunError> {
        let rows = Rows::new(batch).map_err(at(Side::Provider))?;
        let places = self.table.key_positions();
        let mut keys = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let key: Vec<_> = places.iter().map(|place| rows.value(row, *place)).collect();
            if !self.not_seen.is_empty() {
                self.not_seen.remove(&key_text(&key));
            }
            let key: Vec<Value> = key.into_iter().map(Value::from).collect();
            if !key.contains(&Value::Null) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Compares one batch with the pool's rows of the same keys.
    async fn one(
        &mut self,
        merge: &mut Merge,
        batch: RecordBatch,
        keys: Vec<Vec<Value>>,
        changes: &Changes,
    ) -> Result<(), RunError> {
        let key = &self.table.key;
        let query = self.table.live_rows().with_keys(key, keys).ordered_by(key);
        let theirs = self.pool.read(self.limits.bound(query)).await;
        let mut theirs = theirs.map_err(at(Side::Platform))?;
        let (mut source, mut pool) = (Front::of(batch), Front::default());
        while !source.is_dry() {
            if pool.is_dry() {
                refill(&mut pool, &mut theirs, Side::Platform).await?;
                continue;
            }
            if let Some(batch) = merge.advance(&mut source, &mut pool)? {
                send(changes, batch).await;
            }
        }
        Ok(())
    }
}
