//! JSON shapes of exchange.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::exchange::Counts;
use utoipa::ToSchema;

use super::store::{Run, RunKind};

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunLineView {
    pub run_id: String,
    /// `collection` (source to pool) or `delivery` (pool to target).
    pub kind: &'static str,
    pub entry_id: String,
    pub entry_name: String,
    pub provider_name: String,
    /// For deliveries.
    pub requester_name: Option<String>,
    /// `running`, `succeeded` or `failed`.
    pub state: String,
    /// Instant.
    pub started_at: String,
    pub finished_at: Option<String>,
    /// Whole milliseconds from begin to end.
    pub duration_ms: Option<i64>,
    pub counts: CountsView,
    /// For deliveries that ended well: whether the digests agree.
    pub digests_equal: Option<bool>,
}

/// What became of the rows: read = delivered + unchanged + out of scope + quarantined.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountsView {
    pub read: u64,
    pub delivered: u64,
    pub unchanged: u64,
    pub out_of_scope: u64,
    pub quarantined: u64,
    pub inserted: u64,
    pub updated: u64,
    /// Rows taken away at the target; they aren't read at the source.
    pub deleted: u64,
    /// Whether the sum above holds.
    pub adds_up: bool,
}

impl From<&Counts> for CountsView {
    fn from(c: &Counts) -> Self {
        Self {
            read: c.read,
            delivered: c.delivered,
            unchanged: c.unchanged,
            out_of_scope: c.out_of_scope,
            quarantined: c.quarantined,
            inserted: c.inserted,
            updated: c.updated,
            deleted: c.deleted,
            adds_up: c.adds_up(),
        }
    }
}

/// Names that lines are filled in with.
pub(super) struct Names {
    pub departments: BTreeMap<String, String>,
    pub entries: BTreeMap<String, String>,
}

impl RunLineView {
    pub(super) fn new(run: &Run, names: &Names) -> Self {
        let name_of = |id: &str| names.departments.get(id).cloned().unwrap_or_default();
        Self {
            run_id: run.id.to_string(),
            kind: run.kind.code(),
            entry_id: run.entry_id.to_string(),
            entry_name: names
                .entries
                .get(run.entry_id.as_str())
                .cloned()
                .unwrap_or_default(),
            provider_name: name_of(run.provider_department_id.as_str()),
            requester_name: run
                .requester_department_id
                .as_ref()
                .map(|d| name_of(d.as_str())),
            state: run.state_code.clone(),
            started_at: run.created_at.to_string(),
            finished_at: run.finished_at.map(|at| at.to_string()),
            duration_ms: run
                .finished_at
                .map(|at| at.as_millisecond() - run.created_at.as_millisecond()),
            counts: (&run.counts).into(),
            digests_equal: match run.kind {
                RunKind::Delivery | RunKind::Reconciliation if run.source_digest.is_some() => {
                    Some(run.source_digest == run.target_digest)
                }
                RunKind::Delivery | RunKind::Reconciliation | RunKind::Collection => None,
            },
        }
    }
}
