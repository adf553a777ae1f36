//! What a new installation still lacks before its first department can share its first data, and who does it.
//!
//! Spec: PDS-3.1 (one platform for all departments), PDS-6.3; the order is that of the work itself.

mod read_steps;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(read_steps::read_first_steps))
}
