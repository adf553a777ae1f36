//! The demo 演示: an invented county on real division data, with a clock that can be moved on.
//!
//! Nothing in here works outside `tongqu demo`.

mod advance_clock;
mod change_source;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The setting that keeps how far the demo clock is shifted.
pub const CLOCK_SHIFT: &str = "demo_clock_shift_s";

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(advance_clock::advance_clock))
        .routes(routes!(change_source::change_source))
}
