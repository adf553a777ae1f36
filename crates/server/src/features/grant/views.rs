//! JSON shapes of lists of grants.

use serde::Serialize;
use utoipa::ToSchema;

use crate::features::{
    case::{ClauseView, GroundView},
    request::{ColumnView, TermView},
};

/// A page of grants, with how many stand where.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantsView {
    pub items: Vec<GrantLineView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub counts: GrantCountsView,
    /// How many days before its end a term counts as ending soon.
    pub expiring_days: u32,
}

/// How many grants stand where. One may be in two of them: in force, and ending soon.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantCountsView {
    pub in_force: u64,
    pub expiring: u64,
    pub unused: u64,
    pub suspended: u64,
    pub expired: u64,
    pub ended: u64,
}

/// A grant in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantLineView {
    pub grant_id: String,
    /// The request that it came of, and its number.
    pub request_id: String,
    pub number: String,
    pub entry_id: String,
    pub entry_name: String,
    pub requester_name: String,
    pub provider_name: String,
    /// The program that uses the data; may be empty.
    pub consumer_system: String,
    pub columns: Vec<ColumnView>,
    pub condition: Vec<TermView>,
    pub purpose: String,
    /// The clause by which it was decided.
    pub basis: ClauseView,
    pub valid_from: String,
    /// First day on which it is no longer valid.
    pub valid_until: Option<String>,
    /// Whether its term ends soon, see `expiring_days`.
    pub expiring: bool,
    /// `not_yet`, `awaiting_approval`, `in_force`, `suspended`, `expired` or `ended`.
    pub state: &'static str,
    /// Since when it has been suspended or ended: an instant.
    pub since: Option<String>,
    /// Why it was suspended or ended.
    pub ground: Option<String>,
    /// Instant of the last delivery that ended well.
    pub last_delivery_at: Option<String>,
    /// Rows at the requester after it.
    pub last_delivery_rows: Option<u64>,
    /// The table in the requester's exchange store.
    pub table: Option<String>,
    /// Instant since which the platform proposes to reclaim it, because it lies unused.
    pub reclaim_proposed_at: Option<String>,
    /// The case that accompanies it, and its `revision`; absent where the regulation knows none.
    pub life_case_id: Option<String>,
    pub life_revision: Option<u32>,
    /// What the viewer may do with it.
    pub actions: Vec<GrantActView>,
    /// Whether the viewer may ask for the same again.
    pub may_request_again: bool,
}

/// Something that may be done with a grant: a step of the case that accompanies it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantActView {
    /// `suspend`, `end`, `resume` or `reclaim`.
    pub kind: &'static str,
    pub step_id: String,
    /// How the step ends by it; absent for a step that ends in one way only.
    pub outcome: Option<String>,
    /// Grounds of which one has to be chosen.
    pub grounds: Vec<GroundView>,
    /// Whether a reason in words is needed.
    pub needs_reason: bool,
    pub clause: ClauseView,
    /// Whether it stops what others rely on, so that the name of the entry is to be typed before.
    pub dangerous: bool,
}
