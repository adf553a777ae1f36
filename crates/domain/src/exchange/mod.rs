//! What an exchange of tables may do with data: types, digests, masks, checks, scope, difference.
//!
//! Connectors turn foreign rows into [`ValueRef`]s, borrowed and without a copy; everything said here
//! about a value is said for all engines alike. This room reads and writes no store and knows no
//! batches of a foreign library; it never logs or returns a value in an error, only names and codes.
//!
//! - `value`: the values and column types that cross the border.
//! - `digest`: the order-independent digest on which receipts rest.
//! - `mask`: desensitisation 脱敏 on delivery.
//! - `pseudonym`: what stands for a value at one requester 假名化.
//! - `check`: what puts a row into quarantine, and why.
//! - `condition`: the rows a grant covers.
//! - `diff`: the ordered merge that finds what changed in a source that tells nothing.
//! - `counts`: the account of a run.
//! - `mount`: whether a table fits the data items of an entry 挂接.
//! - `plan`: what a delivery under a grant does with each row.
//! - `sample`: what the values look like, without any row.
//! - `schedule`: when a resource is collected by itself.
//! - `watch`: the column by which changes are found between two comparisons of the whole.
//!
//! A new column type starts in `value.rs`; a new reason for quarantine in `check.rs`.
//! Spec: PDS-8.1 (table mode), YC-17 (cleaning with counts), YC-16.2 (identifiers checked at intake),
//! YC-9 (masking), YC-24 (only the granted fields).

mod check;
mod condition;
mod counts;
pub mod diff;
mod digest;
mod mask;
mod mount;
mod plan;
mod pseudonym;
mod sample;
mod schedule;
#[cfg(test)]
mod tests;
mod value;
mod watch;

pub use check::{CheckFault, RowCheck, RowCheckError, RowFault, check_value};
pub use condition::{
    CONDITION_TERMS_MAX, CONDITION_VALUES_MAX, ConditionFault, ConditionFaultKind, ConditionOp,
    RowCondition, Term,
};
pub use counts::Counts;
pub use digest::{InvalidDigest, RowHash, RowHasher, TableDigest};
pub use mask::{apply_mask, mask_value};
pub use mount::{MountFault, MountFaultKind, check_mount};
pub use plan::{Delivered, Plan, PlanFault, PlanFaultKind, PlannedColumn};
pub use pseudonym::{PSEUDONYM_CHARS, PseudonymKey, PseudonymSecret};
pub use sample::{ROWS_FOR_EACH_LINE, lay_out_sample, sample_value};
pub use schedule::{Schedule, ScheduleFault};
pub use value::{Column, ColumnType, ValueRef};
pub use watch::{Measure, WatchFault, check_overlap, count_of};
