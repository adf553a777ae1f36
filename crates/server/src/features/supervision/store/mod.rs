//! All SQL of supervision.

mod digests;
mod duties;
mod figures;
mod findings;
mod unlisted;

pub(super) use digests::{Lamps, begin_digest, digest_before, lamps};
pub(super) use duties::{
    Owing, Report, departments, insert_report, periods, providers, reports, requesters, set_period,
};
pub use figures::usage;
pub(super) use figures::{totals, unmounted_by_department, worked};
pub(super) use findings::{
    Finding, OverdueStep, Place, Settled, Wanted, drafts_by_department, find, insert, list,
    overdue, settle,
};

pub(super) use unlisted::{
    UnlistedTable, delete_unlisted, described_tables, excuse, insert_unlisted, unlisted,
    unlisted_of_store,
};

use crate::platform::db::DbError;

fn broken(column: &'static str, reason: impl std::fmt::Display) -> DbError {
    DbError::BrokenRow {
        column,
        reason: reason.to_string(),
    }
}
