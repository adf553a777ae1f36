//! The two sides of a collection, source and pool, opened for reading in the least that has to be read.

use std::{pin::Pin, sync::Arc};

use futures_util::{StreamExt as _, stream};
use tongqu_connectors::{
    BatchStream, ConnectorError, Differing, Query, RecordBatch, Snapshot, Store, share_bits,
};
use tongqu_domain::exchange::Column;

use super::{Limits, RunError, Side, Source, at, pool::PoolTable};

/// Fewer rows are read sooner than they are summed up.
const SUMMED_UP_ROWS_MIN: u64 = 20_000;

/// If more than one row in so many lies in a share that differs, everything is read at once.
const DIFFERING_ROWS_MAX: u64 = 4;

/// Source and pool.
pub(super) struct Sides {
    pub ours: BatchStream,
    pub theirs: BatchStream,
    /// Rows that both have alike and that aren't among those to be read.
    pub alike: u64,
    /// The pool has no rows, so nothing is compared and the source comes in any order.
    pub is_first: bool,
}

/// How the rows of both sides are asked for.
pub(super) struct Asked<'a> {
    pub source: &'a Source,
    /// The mounted columns as the source has them.
    pub columns: Vec<Column>,
    /// About how many rows there are, as far as somebody knows.
    pub rows: u64,
    pub table: &'a PoolTable,
    pub limits: Limits,
}

impl Asked<'_> {
    fn ours(&self) -> Query {
        let query = Query::all(&self.source.mounting.table, self.columns.clone());
        self.limits.bound(query)
    }

    fn theirs(&self) -> Query {
        let query = self.table.live_rows().ordered_by(&self.table.key);
        self.limits.bound(query)
    }

    /// Opens both sides; those that differ only, where both stores can tell.
    pub(super) async fn open(self, pool: &Arc<dyn Store>) -> Result<Sides, RunError> {
        if self.rows >= SUMMED_UP_ROWS_MIN
            && let Some(sides) = self.differing(pool.as_ref()).await?
        {
            return Ok(sides);
        }
        let mut theirs = self.live_pool_rows(pool.as_ref()).await?.peekable();
        // An empty pool needs no comparing, so the source need not sort; the pool's own key then finds keys that
        // come twice.
        let is_first = Pin::new(&mut theirs).peek().await.is_none();
        let mut ours = self.ours();
        if !is_first {
            ours = ours.ordered_by(&self.source.mounting.key);
        }
        let ours = self.source.store.read(ours).await;
        Ok(Sides {
            ours: ours.map_err(at(Side::Provider))?,
            theirs: theirs.boxed(),
            alike: 0,
            is_first,
        })
    }

    async fn live_pool_rows(&self, pool: &dyn Store) -> Result<BatchStream, RunError> {
        let rows = pool.read(self.theirs()).await;
        let none = || stream::empty::<Result<RecordBatch, ConnectorError>>().boxed();
        Ok(if_there(rows)?.unwrap_or_else(none))
    }

    /// Both sides, each in one view in which its rows are summed up first; `None` where they can't be compared by
    /// sums.
    async fn differing(&self, pool: &dyn Store) -> Result<Option<Sides>, RunError> {
        let theirs = pool.snapshot(self.theirs(), &self.table.key).await;
        let Some(theirs) = if_there(theirs)?.flatten() else {
            return Ok(None);
        };
        let key = &self.source.mounting.key;
        let ours = self.ours().ordered_by(key);
        let ours = self.source.store.snapshot(ours, key).await;
        let Some(ours) = ours.map_err(at(Side::Provider))? else {
            return Ok(None);
        };
        let (mut ours, mut theirs): (Box<dyn Snapshot>, Box<dyn Snapshot>) = (ours, theirs);
        let bits = share_bits(self.rows);
        let (our_sums, their_sums) = tokio::try_join!(
            async { ours.sums(bits).await.map_err(at(Side::Provider)) },
            async { theirs.sums(bits).await.map_err(at(Side::Platform)) },
        )?;
        if their_sums.rows() == 0 {
            return Ok(None);
        }
        let Some(differing) = our_sums.differing(&their_sums) else {
            return Ok(None);
        };
        let is_few = differing.rows() * DIFFERING_ROWS_MAX <= their_sums.rows();
        let only = is_few.then_some(&differing);
        let (ours, theirs) = tokio::try_join!(
            async { ours.read(only).await.map_err(at(Side::Provider)) },
            async { theirs.read(only).await.map_err(at(Side::Platform)) },
        )?;
        Ok(Some(Sides {
            ours,
            theirs,
            alike: only.map_or(0, Differing::rows_alike),
            is_first: false,
        }))
    }
}

/// What a pool has that may not exist yet.
fn if_there<T>(found: Result<T, ConnectorError>) -> Result<Option<T>, RunError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ConnectorError::TableMissing { .. } | ConnectorError::StoreMissing { .. }) => Ok(None),
        Err(error) => Err(at(Side::Platform)(error)),
    }
}
