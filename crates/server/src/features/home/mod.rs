//! The first page: what the platform is, what is on it, how it is doing. Reads only.
//!
//! Spec: PDS-22.1 (statistics on the portal), PDS-3.2.

mod read_home;
mod read_platform;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(read_platform::read_platform))
        .routes(routes!(read_home::read_home))
}
