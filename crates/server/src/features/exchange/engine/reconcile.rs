//! Reconciliation 全量核对: everything that a grant covers in the pool beside everything that the target
//! holds, row by row in the order of the key, and the keys of the rows that differ by name. Where the key is
//! pseudonymised the two orders have nothing to do with each other, see `unordered`.
//!
//! Receipts of later deliveries look at the changed rows only; what somebody does to the others is found here.
//! Spec: PDS-8.1 (differences are reported).

use std::{collections::VecDeque, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _};
use tongqu_connectors::{BatchStream, Query, RecordBatch, Store, Value, rows::Rows};
use tongqu_domain::exchange::{
    Delivered as GrantedValue, Plan, RowHash, TableDigest, ValueRef,
    diff::{self, OrderGuard, Step},
};

use super::{
    Limits, RunError, Side, at,
    collect::pool_cursor,
    deliver::{Delivery, filters},
    differences::{Difference, DifferenceKind, keep_differences},
    pool::key_text,
    unordered,
};

/// Differing keys that are kept by name; beyond it they are only counted.
pub(super) const KEPT_MAX: usize = 10_000;

/// What a reconciliation found.
#[derive(Debug, Clone)]
pub struct Reconciled {
    /// Digest of what the grant covers in the pool, masked.
    pub sent: TableDigest,
    /// Digest of what the target holds.
    pub held: TableDigest,
    /// Rows that differ: missing, altered or superfluous at the target.
    pub differing: u64,
}

/// Compares the whole, and keeps the differing keys in the pool. If there are any, the next delivery brings the
/// whole again.
///
/// Errors: [`RunError`]; [`RunError::Behind`] if the target lacks changes that the pool has, or the pool moved on while
/// it was compared and would have the target blamed for that.
pub async fn reconcile(
    delivery: &Delivery,
    pool: &Arc<dyn Store>,
    run_id: &str,
    limits: Limits,
) -> Result<Reconciled, RunError> {
    if is_behind(delivery, pool).await? {
        return Err(RunError::Behind);
    }
    let state = pool_cursor(pool.as_ref(), &delivery.table).await?;
    let plan = delivery.plan()?;
    let found = if plan.reorders_key() {
        unordered::compare(delivery, &plan, pool.as_ref(), limits).await?
    } else {
        compare(delivery, &plan, pool.as_ref(), limits).await?
    };
    let is_overtaken = pool_cursor(pool.as_ref(), &delivery.table).await? != state;
    if is_overtaken && found.reconciled.differing > 0 {
        return Err(RunError::Behind);
    }
    keep_differences(pool.as_ref(), &delivery.consumer, run_id, &found.kept).await?;
    if found.reconciled.differing > 0 {
        delivery.forget(&delivery.consumer_under(&plan)).await?;
    }
    Ok(found.reconciled)
}

/// What a comparison found, and the first of the keys that differ.
pub(super) struct Found {
    pub reconciled: Reconciled,
    pub kept: Vec<Difference>,
}

/// Walks both sides in the order of the key.
async fn compare(
    delivery: &Delivery,
    plan: &Plan,
    pool: &dyn Store,
    limits: Limits,
) -> Result<Found, RunError> {
    let mut sent = Walker::over_scope(delivery, plan, pool, limits).await?;
    let mut held = Walker::over_target(delivery, plan, limits).await?;
    let mut kept = Vec::new();
    let mut differing = 0;
    loop {
        let (ours, theirs) = (sent.front().await?, held.front().await?);
        let (our_key, their_key) = (ours.map(Keyed::key), theirs.map(Keyed::key));
        let Some(step) = diff::step(our_key.as_deref(), their_key.as_deref()) else {
            break;
        };
        let (kind, key) = match step {
            Step::OnlySource => (Some(DifferenceKind::Missing), our_key),
            Step::OnlyPool => (Some(DifferenceKind::Superfluous), their_key),
            Step::Both => {
                let is_same = ours.map(|row| row.hash) == theirs.map(|row| row.hash);
                ((!is_same).then_some(DifferenceKind::Altered), our_key)
            }
        };
        if let Some(kind) = kind {
            differing += 1;
            if kept.len() < KEPT_MAX {
                let key = key_text(&key.unwrap_or_default());
                kept.push(Difference { key, kind });
            }
        }
        if step != Step::OnlyPool {
            sent.take();
        }
        if step != Step::OnlySource {
            held.take();
        }
    }
    Ok(Found {
        reconciled: Reconciled {
            sent: sent.digest,
            held: held.digest,
            differing,
        },
        kept,
    })
}

/// Whether the target lacks changes that the pool has, or never had any.
///
/// Errors: [`RunError::Store`], [`RunError::MountingUnfit`].
pub async fn is_behind(delivery: &Delivery, pool: &Arc<dyn Store>) -> Result<bool, RunError> {
    let consumer = delivery.consumer_under(&delivery.plan()?);
    let reached = delivery.reached(&consumer).await?;
    let upto = pool_cursor(pool.as_ref(), &delivery.table).await?;
    Ok(reached.is_none() || reached != upto)
}

/// A row by its key, and the hash of all of it as it is delivered.
struct Keyed {
    key: Vec<Value>,
    hash: RowHash,
}

impl Keyed {
    fn key(&self) -> Vec<ValueRef<'_>> {
        self.key.iter().map(Value::as_ref).collect()
    }
}

/// One side, row by row.
struct Walker<'p> {
    batches: BatchStream,
    side: Side,
    plan: &'p Plan,
    key: Vec<usize>,
    /// Rows of the batch at hand that weren't taken yet.
    rows: VecDeque<Keyed>,
    order: OrderGuard,
    digest: TableDigest,
}

impl<'p> Walker<'p> {
    /// What the grant covers in the pool, as it is delivered.
    async fn over_scope(
        delivery: &Delivery,
        plan: &'p Plan,
        pool: &dyn Store,
        limits: Limits,
    ) -> Result<Self, RunError> {
        let live = delivery.table.live_rows().ordered_by(&plan.key());
        let query = filters(delivery).into_iter().fold(live, Query::only);
        let batches = pool.read(limits.bound(query)).await;
        Ok(Self::of(
            batches.map_err(at(Side::Platform))?,
            Side::Platform,
            plan,
        ))
    }

    async fn over_target(
        delivery: &Delivery,
        plan: &'p Plan,
        limits: Limits,
    ) -> Result<Self, RunError> {
        let query = Query::all(&delivery.target_table, plan.target_columns());
        let query = query.ordered_by(&plan.key());
        let batches = delivery.target.read(limits.bound(query)).await;
        Ok(Self::of(
            batches.map_err(at(Side::Requester))?,
            Side::Requester,
            plan,
        ))
    }

    fn of(batches: BatchStream, side: Side, plan: &'p Plan) -> Self {
        Self {
            // It is asked again after its end while the other side still has rows.
            batches: batches.fuse().boxed(),
            side,
            plan,
            key: plan.key_positions(),
            rows: VecDeque::new(),
            order: OrderGuard::new(),
            digest: TableDigest::new(),
        }
    }

    /// The next row; `None` at the end.
    async fn front(&mut self) -> Result<Option<&Keyed>, RunError> {
        while self.rows.is_empty() {
            let next = self.batches.try_next().await.map_err(at(self.side))?;
            let Some(batch) = next else { return Ok(None) };
            self.take_in(&batch)?;
        }
        Ok(self.rows.front())
    }

    fn take(&mut self) {
        self.rows.pop_front();
    }

    fn take_in(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let rows = Rows::new(batch).map_err(at(self.side))?;
        let mut values = Vec::new();
        for n in 0..rows.len() {
            rows.fill(n, &mut values);
            if self.side == Side::Requester {
                self.admit(&values)?;
            } else if self.plan.is_in_scope(&values) {
                let delivered = self.plan.project(&values);
                let row: Vec<ValueRef<'_>> = delivered.iter().map(GrantedValue::as_value).collect();
                self.admit(&row)?;
            }
        }
        Ok(())
    }

    fn admit(&mut self, row: &[ValueRef<'_>]) -> Result<(), RunError> {
        let key: Vec<ValueRef<'_>> = self.key.iter().map(|place| row[*place]).collect();
        self.order.admit(&key)?;
        let hash = RowHash::of(row);
        self.digest.add(&hash);
        self.rows.push_back(Keyed {
            key: key.into_iter().map(Value::from).collect(),
            hash,
        });
        Ok(())
    }
}
