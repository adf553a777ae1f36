//! All SQL of supervision.

mod digests;
mod duties;
mod figures;
mod findings;

pub(super) use digests::{Lamps, begin_digest, digest_before, lamps};
pub(super) use duties::{
    Owing, Report, departments, insert_report, periods, providers, reports, requesters, set_period,
};
pub(super) use figures::{totals, usage, worked};
pub(super) use findings::{
    Finding, OverdueStep, Place, Settled, Wanted, drafts_by_department, find, insert, list,
    overdue, settle,
};

use crate::platform::db::DbError;

fn broken(column: &'static str, reason: impl std::fmt::Display) -> DbError {
    DbError::BrokenRow {
        column,
        reason: reason.to_string(),
    }
}
