//! The desk 我的工作台: what waits for me, what I wait for, what was settled. Reads only.

mod read_desk;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(read_desk::read_desk))
}
