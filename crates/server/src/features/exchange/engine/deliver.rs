//! Delivery: what changed in the pool goes, cut to the grant and masked, into the requester's store;
//! then the target is read back and both digests are compared. Spec: PDS-8.1, PDS-10.2a, PDS-10.2c.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use tongqu_connectors::{
    ApplyPlan, BatchStream, ConnectorError, Filter, FilterOp, Query, RecordBatch, Store, Value,
    rows::{BatchBuilder, Op, Rows},
};
use tongqu_domain::{
    catalogue::DataItem,
    exchange::{ConditionOp, Counts, Delivered as GrantedValue, Plan, TableDigest, ValueRef},
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
    pub target: Arc<dyn Store>,
    pub target_table: String,
    /// Who keeps the cursor in the target: the subscription.
    pub consumer: String,
}

/// What a delivery did.
#[derive(Debug, Clone)]
pub struct Delivered {
    pub counts: Counts,
    /// Digest of what the grant covers in the pool, masked.
    pub sent: TableDigest,
    /// Digest of what the target holds, read back.
    pub held: TableDigest,
}

/// How a subscriber is fed.
#[derive(Clone, Copy)]
enum Feed {
    /// Everything, in place of whatever the target holds.
    Whole,
    /// Rows whose change number is greater than this.
    After(i64),
}

/// Brings the target up to the pool's present state.
///
/// Errors: [`RunError`]; up to the comparison of digests the target is then as it was.
pub async fn deliver(
    delivery: &Delivery,
    pool: &Arc<dyn Store>,
    run_id: &str,
    limits: Limits,
) -> Result<Delivered, RunError> {
    let plan = Plan::for_grant(&delivery.grant, &delivery.items, &delivery.table.columns)
        .map_err(|_| RunError::MountingUnfit)?;
    // A cursor belongs to one pool table: a new mounting begins anew.
    let consumer = format!("{}/{}", delivery.consumer, delivery.table.name);
    let upto = pool_cursor(pool.as_ref(), &delivery.table)
        .await?
        .unwrap_or(0);
    let reached = match delivery.target.cursor(&consumer).await {
        Ok(reached) => reached,
        Err(ConnectorError::StoreMissing { .. }) => None,
        Err(error) => return Err(at(Side::Requester)(error)),
    };
    let feed = reached.map_or(Feed::Whole, Feed::After);

    let mut rows = pool
        .read(feed_query(&delivery.table, feed, upto, limits))
        .await
        .map_err(at(Side::Platform))?;
    let feeding_plan = plan.clone();
    let (changes, feeding) = stream_of(|changes| async move {
        feed_all(&feeding_plan, feed, &mut rows, limits, &changes).await
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
    let sent = match fed.sent {
        Some(sent) => sent,
        None => digest_of_scope(delivery, &plan, pool.as_ref(), limits).await?,
    };
    let held = digest_of_target(delivery, &plan, limits).await?;
    if sent != held {
        return Err(RunError::DigestDiffers);
    }
    Ok(Delivered { counts, sent, held })
}

fn feed_query(table: &PoolTable, feed: Feed, upto: i64, limits: Limits) -> Query {
    let query = match feed {
        Feed::Whole => table.live_rows(),
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
    /// Digest of what was fed, where that is all that the grant covers.
    sent: Option<TableDigest>,
}

async fn feed_all(
    plan: &Plan,
    feed: Feed,
    rows: &mut BatchStream,
    limits: Limits,
    changes: &Changes,
) -> Result<Fed, RunError> {
    let mut fed = Fed {
        read: 0,
        upserts: 0,
        deletions: 0,
        sent: match feed {
            Feed::Whole => Some(TableDigest::new()),
            Feed::After(_) => None,
        },
    };
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
        if let Some(sent) = &mut fed.sent {
            sent.add_row(&values);
        }
        builder
            .push_change(op, &values)
            .map_err(|_| RunError::MountingUnfit)?;
    }
    Ok(())
}

/// The grant's condition in a form that the pool's engine can use. It may let more rows through than the
/// condition, never fewer; the plan has the last word.
fn filters(delivery: &Delivery) -> Vec<Filter> {
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

async fn digest_of_target(
    delivery: &Delivery,
    plan: &Plan,
    limits: Limits,
) -> Result<TableDigest, RunError> {
    let query = limits.bound(Query::all(&delivery.target_table, plan.target_columns()));
    let mut batches = delivery
        .target
        .read(query)
        .await
        .map_err(at(Side::Requester))?;
    let mut digest = TableDigest::new();
    while let Some(batch) = batches.try_next().await.map_err(at(Side::Requester))? {
        let rows = Rows::new(&batch).map_err(at(Side::Requester))?;
        let mut values = Vec::new();
        for n in 0..rows.len() {
            rows.fill(n, &mut values);
            digest.add_row(&values);
        }
    }
    Ok(digest)
}
