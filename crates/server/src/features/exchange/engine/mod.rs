//! Moving rows: collection 汇聚 from a provider's store into the pool, delivery 交付 from the pool
//! into a requester's store.
//!
//! It knows stores, batches and the rules of `domain::exchange`; it knows neither HTTP nor the
//! registry. Each side ends in one transaction of the target that holds data and cursor together, so
//! a run may die anywhere and simply be run again. Spec: PDS-8.1, PDS-10.2a, PDS-10.2c.

pub mod collect;
pub mod deliver;
mod differences;
mod follow;
mod merge;
mod pool;
mod quarantine;
mod reconcile;
mod sides;
mod since;
mod unordered;

pub use collect::{Collected, Source, Watched, collect};
pub use deliver::{Delivered, Delivery, KEYS_READ_BACK_MAX, Reach, deliver};
pub use differences::{Difference, DifferenceKind, read_differences};
pub use follow::{Followed, Follower, may_follow, unfollow};
pub use merge::QUARANTINE_ROWS_MAX;
pub use pool::{PoolTable, QuarantinedRow, read_live_rows, read_quarantine};
pub use reconcile::{Reconciled, is_behind, reconcile};
pub use since::collect_since;

use futures_util::{StreamExt as _, stream};
use tokio::{sync::mpsc, task::JoinHandle};
use tongqu_connectors::{BatchStream, ConnectorError, Query, RecordBatch};
use tongqu_domain::exchange::diff::DiffError;

/// Which party has to act when a run fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The provider's exchange store.
    Provider,
    /// The platform and its pool.
    Platform,
    /// The requester's exchange store.
    Requester,
}

/// Why a run stopped. Names tables, columns and counts, never values.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A store refused or failed.
    #[error("{side:?} store: {source}")]
    Store { side: Side, source: ConnectorError },
    /// The source's rows can't be compared with the pool's.
    #[error("source rows: {0}")]
    Order(#[from] DiffError),
    /// A column that the mounting names is gone from the table.
    #[error("column {column} is gone from the source table")]
    ColumnGone { column: String },
    /// A column of the table has another type than at mounting.
    #[error("column {column} of the source table has another type than when it was mounted")]
    ColumnChanged { column: String },
    /// More rows are faulty than the limit allows, so nothing was changed.
    #[error("{quarantined} of {read} rows are faulty")]
    TooManyFaults {
        read: u64,
        quarantined: u64,
        /// The faulty rows, as far as they are kept in detail.
        rows: Vec<QuarantinedRow>,
    },
    /// After the delivery the target doesn't hold what was sent.
    #[error("the target doesn't hold what was sent")]
    DigestDiffers,
    /// A comparison of the whole found rows that differ; their keys are kept.
    #[error("{rows} rows of pool and target differ")]
    RowsDiffer { rows: u64 },
    /// The target lacks changes that the pool has, so that comparing the whole would blame it for them.
    #[error("the target lacks changes that the pool has")]
    Behind,
    /// Rows were counted that are neither delivered nor accounted for.
    #[error("the counts don't add up")]
    CountsDiffer,
    /// The mounting and the data items no longer fit together.
    #[error("the mounting doesn't fit the data items")]
    MountingUnfit,
    /// The grant has pseudonyms, and this node lacks the platform's key of them.
    #[error("this node lacks the platform's key of pseudonyms")]
    PseudonymKeyMissing,
}

impl RunError {
    /// The stable code, for sentence and statistics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store { source, .. } => source.code(),
            Self::Order(error) => error.code(),
            Self::ColumnGone { .. } => "exchange.column_gone",
            Self::ColumnChanged { .. } => "exchange.column_changed",
            Self::TooManyFaults { .. } => "exchange.too_many_faults",
            Self::DigestDiffers => "exchange.digest_differs",
            Self::RowsDiffer { .. } => "exchange.rows_differ",
            Self::Behind => "exchange.behind",
            Self::CountsDiffer => "exchange.counts_differ",
            Self::MountingUnfit => "exchange.mounting_unfit",
            Self::PseudonymKeyMissing => "exchange.pseudonym_key_missing",
        }
    }

    /// Who has to act.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::Store { side, .. } => *side,
            Self::Order(_)
            | Self::ColumnGone { .. }
            | Self::ColumnChanged { .. }
            | Self::TooManyFaults { .. }
            | Self::MountingUnfit => Side::Provider,
            Self::DigestDiffers | Self::RowsDiffer { .. } => Side::Requester,
            Self::Behind | Self::CountsDiffer | Self::PseudonymKeyMissing => Side::Platform,
        }
    }

    /// Whether the same run may succeed later without anybody's doing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // Whoever follows begins a new log with the next attempt; another node may have the key, and run it.
            Self::Store {
                source: ConnectorError::LogLost { .. },
                ..
            }
            | Self::PseudonymKeyMissing => true,
            Self::Store { source, .. } => source.is_transient(),
            Self::Order(_)
            | Self::ColumnGone { .. }
            | Self::ColumnChanged { .. }
            | Self::TooManyFaults { .. }
            | Self::DigestDiffers
            | Self::RowsDiffer { .. }
            | Self::Behind
            | Self::CountsDiffer
            | Self::MountingUnfit => false,
        }
    }

    /// Whether the source's table is no longer what was mounted, so that deliveries have to pause.
    #[must_use]
    pub fn is_schema_change(&self) -> bool {
        matches!(self, Self::ColumnGone { .. } | Self::ColumnChanged { .. })
            || matches!(
                self,
                Self::Store {
                    side: Side::Provider,
                    source: ConnectorError::TableMissing { .. }
                }
            )
    }

    /// Rows read and rows faulty, where that is why it stopped.
    #[must_use]
    pub fn faulty_of_read(&self) -> Option<(u64, u64)> {
        match self {
            Self::TooManyFaults {
                read, quarantined, ..
            } => Some((*quarantined, *read)),
            Self::Store { .. }
            | Self::Order(_)
            | Self::ColumnGone { .. }
            | Self::ColumnChanged { .. }
            | Self::DigestDiffers
            | Self::RowsDiffer { .. }
            | Self::Behind
            | Self::CountsDiffer
            | Self::MountingUnfit
            | Self::PseudonymKeyMissing => None,
        }
    }

    /// How many rows differ, where that is what was found.
    #[must_use]
    pub fn differing(&self) -> Option<u64> {
        match self {
            Self::RowsDiffer { rows } => Some(*rows),
            Self::Store { .. }
            | Self::Order(_)
            | Self::ColumnGone { .. }
            | Self::ColumnChanged { .. }
            | Self::TooManyFaults { .. }
            | Self::DigestDiffers
            | Self::Behind
            | Self::CountsDiffer
            | Self::MountingUnfit
            | Self::PseudonymKeyMissing => None,
        }
    }

    /// The column concerned, for the sentence.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::ColumnGone { column } | Self::ColumnChanged { column } => Some(column),
            Self::Store { .. }
            | Self::Order(_)
            | Self::TooManyFaults { .. }
            | Self::DigestDiffers
            | Self::RowsDiffer { .. }
            | Self::Behind
            | Self::CountsDiffer
            | Self::MountingUnfit
            | Self::PseudonymKeyMissing => None,
        }
    }
}

impl RunError {
    /// The requester's store refused or failed.
    #[must_use]
    pub fn of_target(source: ConnectorError) -> Self {
        Self::Store {
            side: Side::Requester,
            source,
        }
    }
}

/// Puts the blame for a store's error on the side that the store belongs to.
fn at(side: Side) -> impl Fn(ConnectorError) -> RunError {
    move |source| RunError::Store { side, source }
}

/// What a task hands over as a stream of changes; dropped without an end, it ends the stream.
type Changes = mpsc::Sender<Result<RecordBatch, ConnectorError>>;

/// Runs `work` in a task of its own and gives what it sends as a stream of changes. If the work fails,
/// the stream ends with an error, so that the target keeps nothing of it; the task tells why.
fn stream_of<T, F>(
    work: impl FnOnce(Changes) -> F,
) -> (BatchStream, JoinHandle<Result<T, RunError>>)
where
    T: Send + 'static,
    F: Future<Output = Result<T, RunError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
    let failed = sender.clone();
    let work = work(sender);
    let task = tokio::spawn(async move {
        let done = work.await;
        if let Err(error) = &done {
            let stopped = ConnectorError::Stopped {
                reason: error.code().to_owned(),
            };
            // If the store has gone away already, its own error is the one that is reported.
            let _gone = failed.send(Err(stopped)).await;
        }
        done
    });
    let changes = stream::unfold(receiver, |mut receiver| async move {
        let next = receiver.recv().await?;
        Some((next, receiver))
    });
    (changes.boxed(), task)
}

/// Batches of changes that may wait for the target: one to be taken while one is made.
const BATCHES_WAITING_MAX: usize = 2;

/// Sends a batch. A receiver that is gone has its own error to report, so a failed send ends nothing.
async fn send(changes: &Changes, batch: RecordBatch) {
    let _gone = changes.send(Ok(batch)).await;
}

/// How large batches may get, and how many rows may be faulty.
#[expect(
    clippy::struct_field_names,
    reason = "each is an upper bound, and its name says so"
)]
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub batch_rows_max: usize,
    pub batch_bytes_max: usize,
    /// In thousandths of the rows read.
    pub quarantine_permille_max: u16,
}

impl Limits {
    /// The same reading in batches no larger than these limits.
    fn bound(self, query: Query) -> Query {
        Query {
            batch_rows_max: self.batch_rows_max,
            batch_bytes_max: self.batch_bytes_max,
            ..query
        }
    }
}
