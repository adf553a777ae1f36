//! The comparison of pool and target where the target's key comes in another order, as pseudonyms do.
//!
//! Rows are thrown into buckets by a hash of the delivered key, and each bucket has a digest on either side. The
//! buckets whose digests are alike are done with; the rows of the others are read again, some buckets at a time, and
//! compared by their keys. So what is held in memory is bounded however large the tables are, and where nothing
//! differs each side is read once.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use tongqu_connectors::{BatchStream, Query, Store, rows::Rows};
use tongqu_domain::exchange::{Delivered as GrantedValue, Plan, RowHash, TableDigest, ValueRef};

use super::{
    Limits, RunError, Side, at,
    deliver::{Delivery, filters},
    differences::{Difference, DifferenceKind},
    pool::key_text,
    reconcile::{Found, KEPT_MAX, Reconciled},
};

/// Two bytes of the key's hash.
const BUCKETS: usize = 1 << 16;

/// Rows of both sides that are held at once while buckets are compared row by row, about 200 bytes each.
const ROWS_HELD_MAX: u64 = 500_000;

/// Compares the whole.
///
/// Errors: [`RunError`].
pub(super) async fn compare(
    delivery: &Delivery,
    plan: &Plan,
    pool: &dyn Store,
    limits: Limits,
) -> Result<Found, RunError> {
    let both = Both {
        delivery,
        plan,
        pool,
        limits,
    };
    let (mut ours, mut theirs) = (Buckets::new(), Buckets::new());
    both.each_sent(|key, row| ours.add(key, row)).await?;
    both.each_held(|key, row| theirs.add(key, row)).await?;
    let mut found = Found {
        reconciled: Reconciled {
            sent: ours.whole,
            held: theirs.whole,
            differing: 0,
        },
        kept: Vec::new(),
    };
    for group in groups(&ours, &theirs) {
        note(&mut found, both.rows_of(&group).await?);
    }
    Ok(found)
}

/// The digests of one side.
struct Buckets {
    digests: Vec<TableDigest>,
    whole: TableDigest,
}

impl Buckets {
    fn new() -> Self {
        Self {
            digests: vec![TableDigest::new(); BUCKETS],
            whole: TableDigest::new(),
        }
    }

    fn add(&mut self, key: &[ValueRef<'_>], row: &RowHash) {
        self.digests[bucket_of(&RowHash::of(key))].add(row);
        self.whole.add(row);
    }
}

fn bucket_of(key: &RowHash) -> usize {
    usize::from(u16::from_be_bytes([key.0[0], key.0[1]]))
}

/// The buckets that differ, in groups that fit into memory.
fn groups(ours: &Buckets, theirs: &Buckets) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut rows = u64::MAX;
    for (bucket, (our, their)) in ours.digests.iter().zip(&theirs.digests).enumerate() {
        if our == their {
            continue;
        }
        let more = our.rows() + their.rows();
        rows = rows.saturating_add(more);
        match groups.last_mut() {
            Some(group) if rows <= ROWS_HELD_MAX => group.push(bucket),
            _ => {
                groups.push(vec![bucket]);
                rows = more;
            }
        }
    }
    groups
}

/// A key on either side.
#[derive(Default)]
struct Pair {
    key: String,
    ours: Option<RowHash>,
    theirs: Option<RowHash>,
}

fn note(found: &mut Found, pairs: BTreeMap<RowHash, Pair>) {
    for pair in pairs.into_values() {
        let kind = match (pair.ours, pair.theirs) {
            (Some(ours), Some(theirs)) if ours == theirs => continue,
            (Some(_), Some(_)) => DifferenceKind::Altered,
            (Some(_), None) => DifferenceKind::Missing,
            (None, _) => DifferenceKind::Superfluous,
        };
        found.reconciled.differing += 1;
        if found.kept.len() < KEPT_MAX {
            found.kept.push(Difference {
                key: pair.key,
                kind,
            });
        }
    }
}

/// The two sides of a delivery.
struct Both<'d> {
    delivery: &'d Delivery,
    plan: &'d Plan,
    pool: &'d dyn Store,
    limits: Limits,
}

impl Both<'_> {
    /// Gives each row that the grant covers, as it is delivered: its key and the hash of all of it.
    async fn each_sent(
        &self,
        mut take: impl FnMut(&[ValueRef<'_>], &RowHash),
    ) -> Result<(), RunError> {
        let live = self.delivery.table.live_rows();
        let query = filters(self.delivery).into_iter().fold(live, Query::only);
        let batches = self.pool.read(self.limits.bound(query)).await;
        let batches = batches.map_err(at(Side::Platform))?;
        each_row(batches, Side::Platform, |row| {
            if self.plan.is_in_scope(row) {
                let delivered = self.plan.project(row);
                let row: Vec<ValueRef<'_>> = delivered.iter().map(GrantedValue::as_value).collect();
                take(&self.key_of(&row), &RowHash::of(&row));
            }
        })
        .await
    }

    /// Gives each row of the target.
    async fn each_held(
        &self,
        mut take: impl FnMut(&[ValueRef<'_>], &RowHash),
    ) -> Result<(), RunError> {
        let query = Query::all(&self.delivery.target_table, self.plan.target_columns());
        let batches = self.delivery.target.read(self.limits.bound(query)).await;
        let batches = batches.map_err(at(Side::Requester))?;
        each_row(batches, Side::Requester, |row| {
            take(&self.key_of(row), &RowHash::of(row));
        })
        .await
    }

    fn key_of<'v>(&self, row: &[ValueRef<'v>]) -> Vec<ValueRef<'v>> {
        let places = self.plan.key_positions();
        places.into_iter().map(|place| row[place]).collect()
    }

    /// The rows of these buckets, by the hash of their key.
    async fn rows_of(&self, buckets: &[usize]) -> Result<BTreeMap<RowHash, Pair>, RunError> {
        let mut pairs: BTreeMap<RowHash, Pair> = BTreeMap::new();
        let mut admit = |key: &[ValueRef<'_>], note: &dyn Fn(&mut Pair)| {
            let hash = RowHash::of(key);
            if buckets.binary_search(&bucket_of(&hash)).is_ok() {
                let pair = pairs.entry(hash).or_default();
                if pair.key.is_empty() {
                    pair.key = key_text(key);
                }
                note(pair);
            }
        };
        self.each_sent(|key, row| admit(key, &|pair| pair.ours = Some(*row)))
            .await?;
        self.each_held(|key, row| admit(key, &|pair| pair.theirs = Some(*row)))
            .await?;
        Ok(pairs)
    }
}

async fn each_row(
    mut batches: BatchStream,
    side: Side,
    mut take: impl FnMut(&[ValueRef<'_>]),
) -> Result<(), RunError> {
    while let Some(batch) = batches.try_next().await.map_err(at(side))? {
        let rows = Rows::new(&batch).map_err(at(side))?;
        let mut values = Vec::new();
        for n in 0..rows.len() {
            rows.fill(n, &mut values);
            take(&values);
        }
    }
    Ok(())
}
