//! Nodes 节点: which nodes serve and how they are doing, and whether the departments' exchange stores answer.

mod check_stores;
mod read_nodes;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use check_stores::watch;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(read_nodes::read_nodes))
        .routes(routes!(check_stores::check_stores))
}
