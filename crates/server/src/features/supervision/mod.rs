//! Supervision 督查: overdue steps, what comes round, the daily digest, statistics.
//!
//! Finds and lists; whatever reaches a department is sent by a person. What follows an overdue step
//! comes from the rule pack of its case, see `domain::supervision`.
//! Owns `findings`, `unlisted_tables`, `duty_periods`, `duty_reports`, `digests`.
//! Spec: YC-41.8, PDS-22.2, PDS-22.1, YC-39, YJ-4.2.3, LY-19, LY-8.1, LY-8.2, LY-21, YC-35, YC-36,
//! YC-37, YC-38, YC-41.1, YC-14.1, YC-19.2.

mod daily;
mod digest;
mod duties;
mod figures;
mod findings;
mod follow_up;
mod lamps;
mod set_period;
mod settle;
mod statistics;
mod store;
mod submit_duty;
mod sweep;
mod unlisted;
mod views;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use daily::{new_day, watch};
pub use store::usage;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sweep::sweep_overdue))
        .routes(routes!(findings::list_findings))
        .routes(routes!(findings::read_finding))
        .routes(routes!(settle::issue_finding))
        .routes(routes!(settle::dismiss_finding))
        .routes(routes!(lamps::read_lamps))
        .routes(routes!(duties::list_duties))
        .routes(routes!(duties::read_duty))
        .routes(routes!(submit_duty::submit_duty))
        .routes(routes!(set_period::set_period))
        .routes(routes!(statistics::read_usage))
        .routes(routes!(unlisted::list_unlisted_tables))
        .routes(routes!(unlisted::scan_tables))
        .routes(routes!(unlisted::excuse_table))
}
