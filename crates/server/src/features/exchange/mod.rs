//! Exchange of tables: subscriptions, runs, receipts.
//!
//! Owns `subscriptions` and `runs`. The rows themselves are moved by [`engine`]; this room decides
//! what is to run, keeps its account, and tells the parties. Spec: PDS-5.3, PDS-8.1, PDS-10.2a, PDS-10.2c.

mod change_logs;
mod coming_back;
mod due;
pub mod engine;
mod failure;
mod following;
mod jobs;
mod lanes;
mod list_runs;
mod open_delivery;
mod pseudonyms;
mod quarantine;
mod read_overview;
mod read_run;
mod reading;
mod reconcile;
mod resource;
mod schedule;
mod start_run;
mod store;
#[cfg(test)]
mod store_tests;
mod subscribed;
mod views;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use coming_back::go_on_behind;
pub use due::{start_due, watch};
pub use jobs::handle;
pub use store::{LastDelivery, delivered_rows, last_deliveries, moved, runs_of_case};
pub use views::RunLineView;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_runs::list_runs))
        .routes(routes!(read_run::read_run))
        .routes(routes!(quarantine::download_quarantine))
        .routes(routes!(read_overview::read_overview))
        .routes(routes!(start_run::start_run))
        .routes(routes!(reconcile::start_reconciliation))
        .routes(routes!(schedule::read_schedule, schedule::put_schedule))
        .routes(routes!(change_logs::list_change_logs))
        .routes(routes!(open_delivery::open_delivery))
}
