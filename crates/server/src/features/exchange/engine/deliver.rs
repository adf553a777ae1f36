//! Delivery: what changed in the pool goes, cut to the grant and masked, into the requester's store;
//! then what was sent is read back and both digests are compared. Spec: PDS-8.1, PDS-10.2a, PDS-10.2c.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use tongqu_connectors::{
    ApplyPlan, BatchStream, ConnectorError, Filter, FilterOp, Query, RecordBatch, Store, Value,
    rows::{BatchBuilder, Op, Rows},
};
use tongqu_domain::{
    catalogue::{DataItem, MaskKind},
    exchange::{
        ConditionOp, Counts, Delivered as GrantedValue, Plan, PseudonymKey, TableDigest, ValueRef,
    },
    grant::Grant,
};

use super::{
    Changes, Limits, RunError, Side, at,
    collect::pool_cursor,
    pool::{PoolTable, SEQ},
    send, stream_of,
};

/// What is to be delivered, and where.
pub struct Delivery {
    pub table: PoolTable,
    /// The entry's data items.
    pub items: Vec<DataItem>,
    /// What may be delivered.
    pub grant: Grant,
    /// The requester's key of pseudonyms, where the grant has any.
    pub pseudonyms: Option<PseudonymKey>,
    pub target: Arc<dyn Store>,
    pub target_table: String,
    /// Who keeps the cursor in the target: the subscription.
    pub consumer: String,
    /// How much is compared at least: the whole if an earlier delivery may have ended before it was read back.
    pub compares: Reach,
}

impl Delivery {
    pub(super) fn plan(&self) -> Result<Plan, RunError> {
        let is_pseudonym = |mask: &MaskKind| *mask == MaskKind::Pseudonym;
        if self.pseudonyms.is_none() && self.grant.masks.values().any(is_pseudonym) {
            return Err(RunError::PseudonymKeyMissing);
        }
        let key = self.pseudonyms.as_ref();
        Plan::for_grant(&self.grant, &self.items, &self.table.columns, key)
            .map_err(|_| RunError::MountingUnfit)
    }

    /// A cursor belongs to one pool table and one plan: a new mounting begins anew, and so does a grant that
    /// covers other rows or masks otherwise (also under another key of pseudonyms), because rows that didn't change would stay as they were.
    pub(super) fn consumer_under(&self, plan: &Plan) -> String {
        format!(
            "{}/{}/{}",
            self.consumer,
            self.table.name,
            plan.fingerprint()
        )
    }

    /// How far the target has come; `None` if nothing was delivered into it yet.
    pub(super) async fn reached(&self, consumer: &str) -> Result<Option<i64>, RunError> {
        match self.target.cursor(consumer).await {
            Ok(reached) => Ok(reached),
            Err(ConnectorError::StoreMissing { .. }) => Ok(None),
            Err(error) => Err(at(Side::Requester)(error)),
        }
    }

    /// Has the next delivery bring the whole again, in place of whatever the target holds.
    pub(super) async fn forget(&self, consumer: &str) -> Result<(), RunError> {
        let forgotten = self.target.drop_consumer(consumer).await;
        forgotten.map_err(at(Side::Requester))
    }
}

/// What a delivery did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivered {
    pub counts: Counts,
    /// How far both digests reach.
    pub reach: Reach,
    /// Digest of what the target should hold, from the pool, masked.
    pub sent: TableDigest,
    /// Digest of what the target holds, read back.
    pub held: TableDigest,
}

impl Delivered {
    /// Both deliveries as one, of which `later` came after this one. Each row counts as often as it was brought.
    #[must_use]
    pub fn and(&self, later: &Self) -> Self {
        let counts = self.counts.merge(&later.counts);
        if later.reach == Reach::Whole {
            return Self {
                counts,
                ..later.clone()
            };
        }
        Self {
            counts,
            reach: self.reach,
            sent: self.sent.merge(&later.sent),
            held: self.held.merge(&later.held),
        }
    }
}

/// Which rows a comparison of pool and target has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Those that the delivery brought or took away.
    Changed,
    /// All that the grant covers and all that the target holds.
    Whole,
}

impl Reach {
    /// The code in store and interface.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Whole => "whole",
        }
    }

    /// The reach of a code.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        [Self::Changed, Self::Whole]
            .into_iter()
            .find(|reach| reach.code() == code)
    }
}

/// Up to so many changed rows are read back one by one, by their keys; beyond, reading the whole costs less.
pub const KEYS_READ_BACK_MAX: usize = 20_000;

/// How a subscriber is fed.
#[derive(Clone, Copy)]
enum Feed {
    /// Everything, in place of whatever the target holds.
    Whole,
    /// Rows whose change number is greater than this.
    After(i64),
}

/// How often a comparison of the whole begins anew because the pool has moved on meanwhile.
const ROUNDS_MAX: u32 = 10;

/// Brings the target up to the pool's present state. The pool may move on while it does: what comes later is left to the
/// next delivery.
///
/// Errors: [`RunError`]; up to the comparison of digests the target is then as it was. [`RunError::Behind`] if the pool
/// moves on faster than the whole can be compared.
pub async fn deliver(
    delivery: &Delivery,
    pool: &Arc<dyn Store>,
    run_id: &str,
    limits: Limits,
) -> Result<Delivered, RunError> {
    let mut counts = Counts::default();
    let mut compares = delivery.compares;
    for _ in 0..ROUNDS_MAX {
        let brought = bring(delivery, pool, run_id, limits, compares).await?;
        let Delivered {
            sent, held, reach, ..
        } = brought.delivered;
        counts = counts.merge(&brought.delivered.counts);
        if sent == held {
            return Ok(Delivered {
                counts,
                reach,
                sent,
                held,
            });
        }
        let is_overtaken = brought.is_beside_the_pool
            && pool_cursor(pool.as_ref(), &delivery.table).await? != Some(brought.upto);
        if !is_overtaken {
            delivery.forget(&brought.consumer).await?;
            return Err(RunError::DigestDiffers);
        }
        compares = Reach::Whole;
    }
    Err(RunError::Behind)
}

/// What was brought, and how it compares.
struct Brought {
    delivered: Delivered,
    consumer: String,
    /// The pool's state that was brought.
    upto: i64,
    /// Whether the target was held beside the pool as it is, and not beside what was sent.
    is_beside_the_pool: bool,
}

async fn bring(
    delivery: &Delivery,
    pool: &Arc<dyn Store>,
    run_id: &str,
    limits: Limits,
    compares: Reach,
) -> Result<Brought, RunError> {
    let plan = delivery.plan()?;
    let consumer = delivery.consumer_under(&plan);
    let upto = pool_cursor(pool.as_ref(), &delivery.table)
        .await?
        .unwrap_or(0);
    let reached = delivery.reached(&consumer).await?;
    let feed = reached.map_or(Feed::Whole, Feed::After);

    let mut query = feed_query(&delivery.table, feed, upto, limits);
    let keeps_order = delivery.target.prefers_key_order() && !plan.reorders_key();
    if matches!(feed, Feed::Whole) && keeps_order {
        query = query.ordered_by(&delivery.table.key);
    }
    let mut rows = pool.read(query).await.map_err(at(Side::Platform))?;
    let (feeding_plan, fed) = (plan.clone(), Fed::new(feed, compares));
    let (changes, feeding) = stream_of(|changes| async move {
        feed_all(&feeding_plan, feed, fed, &mut rows, limits, &changes).await
    });
    let apply_plan = ApplyPlan::new(
        &delivery.target_table,
        plan.target_columns(),
        &plan.key(),
        &consumer,
        upto,
        run_id,
    );
    let apply_plan = match feed {
        Feed::Whole => apply_plan.replacing_all(),
        Feed::After(_) => apply_plan,
    };
    let applied = delivery.target.apply(apply_plan, changes).await;
    let fed = feeding.await.map_err(|_| RunError::CountsDiffer)??;
    let applied = applied.map_err(at(Side::Requester))?;

    let counts = match feed {
        Feed::Whole => Counts {
            read: fed.read,
            delivered: applied.inserted + applied.updated,
            unchanged: applied.unchanged,
            out_of_scope: fed.read - fed.upserts,
            quarantined: 0,
            inserted: applied.inserted,
            updated: applied.updated,
            deleted: applied.deleted,
        },
        // Of the rows to be taken away only those count that were there; the others never were in scope.
        Feed::After(_) => {
            let upserts_unchanged = fed
                .upserts
                .saturating_sub(applied.inserted + applied.updated);
            Counts {
                read: fed.read,
                delivered: applied.inserted + applied.updated + applied.deleted,
                unchanged: upserts_unchanged,
                out_of_scope: fed.deletions.saturating_sub(applied.deleted),
                quarantined: 0,
                inserted: applied.inserted,
                updated: applied.updated,
                deleted: applied.deleted,
            }
        }
    };
    if !counts.adds_up() {
        return Err(RunError::CountsDiffer);
    }
    let is_beside_the_pool = fed.sent.is_none();
    let (reach, sent, held) = match (fed.sent, &fed.keys) {
        (Some(sent), Some(keys)) => {
            let held = held_under(delivery, &plan, keys, limits).await?;
            (Reach::Changed, sent, held)
        }
        (Some(sent), None) => {
            let held = digest_of_target(delivery, &plan, limits).await?;
            (Reach::Whole, sent, held)
        }
        (None, _) => {
            let sent = digest_of_scope(delivery, &plan, pool.as_ref(), limits).await?;
            let held = digest_of_target(delivery, &plan, limits).await?;
            (Reach::Whole, sent, held)
        }
    };
    Ok(Brought {
        delivered: Delivered {
            counts,
            reach,
            sent,
            held,
        },
        consumer,
        upto,
        is_beside_the_pool,
    })
}

fn feed_query(table: &PoolTable, feed: Feed, upto: i64, limits: Limits) -> Query {
    let query = match feed {
        // Rows that the pool gets just now come as they are then, and once more with the next delivery: left out,
        // they would be missing from the target until then.
        Feed::Whole => return limits.bound(table.live_rows()),
        Feed::After(reached) => {
            let marked = table
                .stored_columns()
                .into_iter()
                .filter(|c| c.name != SEQ)
                .collect();
            Query::all(&table.name, marked).only(Filter::gt(SEQ, Value::Int(reached)))
        }
    };
    limits.bound(query.only(Filter::le(SEQ, Value::Int(upto))))
}

struct Fed {
    read: u64,
    upserts: u64,
    deletions: u64,
    /// Digest of what was fed and is to be held.
    sent: Option<TableDigest>,
    /// Keys of the rows that were fed, where they aren't all that the grant covers.
    keys: Option<Vec<Vec<Value>>>,
}

impl Fed {
    fn new(feed: Feed, compares: Reach) -> Self {
        let (sent, keys) = match (feed, compares) {
            (Feed::Whole, _) => (Some(TableDigest::new()), None),
            (Feed::After(_), Reach::Changed) => (Some(TableDigest::new()), Some(Vec::new())),
            (Feed::After(_), Reach::Whole) => (None, None),
        };
        Self {
            read: 0,
            upserts: 0,
            deletions: 0,
            sent,
            keys,
        }
    }

    /// Notes a change. Beyond what is read back row by row both digests are taken of the whole.
    fn note(&mut self, op: Op, key: &[usize], values: &[ValueRef<'_>]) {
        if let (Some(sent), Op::Upsert) = (&mut self.sent, op) {
            sent.add_row(values);
        }
        match &mut self.keys {
            Some(keys) if keys.len() < KEYS_READ_BACK_MAX => {
                keys.push(key.iter().map(|place| values[*place].into()).collect());
            }
            Some(_) => (self.sent, self.keys) = (None, None),
            None => {}
        }
    }
}

async fn feed_all(
    plan: &Plan,
    feed: Feed,
    mut fed: Fed,
    rows: &mut BatchStream,
    limits: Limits,
    changes: &Changes,
) -> Result<Fed, RunError> {
    let mut builder = BatchBuilder::for_changes(&plan.target_columns());
    while let Some(batch) = rows.try_next().await.map_err(at(Side::Platform))? {
        feed_batch(plan, feed, &batch, &mut builder, &mut fed)?;
        if builder.is_full(limits.batch_rows_max, limits.batch_bytes_max) {
            send(changes, builder.finish()).await;
        }
    }
    if builder.rows() > 0 {
        send(changes, builder.finish()).await;
    }
    Ok(fed)
}

fn feed_batch(
    plan: &Plan,
    feed: Feed,
    batch: &RecordBatch,
    builder: &mut BatchBuilder,
    fed: &mut Fed,
) -> Result<(), RunError> {
    let rows = Rows::new(batch).map_err(at(Side::Platform))?;
    let key = plan.key_positions();
    let mut row = Vec::new();
    for n in 0..rows.len() {
        rows.fill(n, &mut row);
        fed.read += 1;
        let is_tombstone = match feed {
            Feed::Whole => false,
            Feed::After(_) => !matches!(row.last(), Some(ValueRef::Int(0))),
        };
        let op = if !is_tombstone && plan.is_in_scope(&row) {
            fed.upserts += 1;
            Op::Upsert
        } else if matches!(feed, Feed::After(_)) {
            fed.deletions += 1;
            Op::Delete
        } else {
            continue;
        };
        let delivered = plan.project(&row);
        let values: Vec<ValueRef<'_>> = delivered.iter().map(GrantedValue::as_value).collect();
        fed.note(op, &key, &values);
        builder
            .push_change(op, &values)
            .map_err(|_| RunError::MountingUnfit)?;
    }
    Ok(())
}

/// The grant's condition in a form that the pool's engine can use. It may let more rows through than the
/// condition, never fewer; the plan has the last word.
pub(super) fn filters(delivery: &Delivery) -> Vec<Filter> {
    let terms = delivery.grant.condition.terms().iter();
    terms
        .filter_map(|term| {
            let column = delivery
                .table
                .columns
                .iter()
                .find(|c| c.name == term.column)?;
            let values: Option<Vec<Value>> = term
                .values
                .iter()
                .map(|v| Value::parse(column.column_type, v))
                .collect();
            let op = match term.op {
                ConditionOp::Eq => FilterOp::Eq,
                ConditionOp::In => FilterOp::In,
                ConditionOp::Prefix => FilterOp::Prefix,
            };
            Some(Filter {
                column: term.column.clone(),
                op,
                values: values?,
            })
        })
        .collect()
}

async fn digest_of_scope(
    delivery: &Delivery,
    plan: &Plan,
    pool: &dyn Store,
    limits: Limits,
) -> Result<TableDigest, RunError> {
    let query = filters(delivery)
        .into_iter()
        .fold(delivery.table.live_rows(), Query::only);
    let mut batches = pool
        .read(limits.bound(query))
        .await
        .map_err(at(Side::Platform))?;
    let mut digest = TableDigest::new();
    while let Some(batch) = batches.try_next().await.map_err(at(Side::Platform))? {
        let rows = Rows::new(&batch).map_err(at(Side::Platform))?;
        let mut values = Vec::new();
        for n in 0..rows.len() {
            rows.fill(n, &mut values);
            if plan.is_in_scope(&values) {
                let delivered = plan.project(&values);
                let row: Vec<ValueRef<'_>> = delivered.iter().map(GrantedValue::as_value).collect();
                digest.add_row(&row);
            }
        }
    }
    Ok(digest)
}

/// The digest of the target's rows that have one of these keys.
async fn held_under(
    delivery: &Delivery,
    plan: &Plan,
    keys: &[Vec<Value>],
    limits: Limits,
) -> Result<TableDigest, RunError> {
    let names = plan.key();
    let mut digest = TableDigest::new();
    for some in keys.chunks(Query::keys_max(names.len())) {
        let query = Query::all(&delivery.target_table, plan.target_columns());
        let query = query.with_keys(&names, some.to_vec());
        add_rows(&mut digest, delivery, limits.bound(query)).await?;
    }
    Ok(digest)
}

async fn digest_of_target(
    delivery: &Delivery,
    plan: &Plan,
    limits: Limits,
) -> Result<TableDigest, RunError> {
    let query = Query::all(&delivery.target_table, plan.target_columns());
    let mut digest = TableDigest::new();
    add_rows(&mut digest, delivery, limits.bound(query)).await?;
    Ok(digest)
}

async fn add_rows(
    digest: &mut TableDigest,
    delivery: &Delivery,
    query: Query,
) -> Result<(), RunError> {
    let read = delivery.target.read(query).await;
    let mut batches = read.map_err(at(Side::Requester))?;
    while let Some(batch) = batches.try_next().await.map_err(at(Side::Requester))? {
        let rows = Rows::new(&batch).map_err(at(Side::Requester))?;
        let mut values = Vec::new();
        for n in 0..rows.len() {
            rows.fill(n, &mut values);
            digest.add_row(&values);
        }
    }
    Ok(())
}
