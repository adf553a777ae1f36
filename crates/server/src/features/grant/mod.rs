//! Grants in lists: what a department has granted, what it holds, what may be done with each.
//!
//! Owns nothing: grants are made and changed by `request` and by the steps of the cases that accompany
//! them; this room reads both and shows them together with what was delivered.
//! Spec: PDS-7, PDS-19.1, PDS-19.2, YC-29.p2, YC-29.p3.

mod list;
mod store;
mod views;
mod workbook;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list_grants))
        .routes(routes!(workbook::download_grants))
}
