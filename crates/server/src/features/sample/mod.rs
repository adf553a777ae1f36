//! Samples of data 样例: what the values of an entry look like, for whoever wonders whether they fit.
//!
//! Nothing of a provider's data is shown without its will: an officer draws a sample, looks at it, and releases
//! it. It is masked and mixed, see `domain::exchange`; it belongs to one version of the entry.
//! Spec: YC-9, PDS-6.1.

mod change_sample;
mod read_sample;
mod store;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(
            read_sample::read_sample,
            change_sample::draw_sample,
            change_sample::withdraw_sample
        ))
        .routes(routes!(change_sample::release_sample))
}
