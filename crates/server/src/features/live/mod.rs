//! Live pages: a stream that says what has changed, so that whoever may see it reads it again.

mod follow_changes;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(follow_changes::follow_changes))
}
