//! The regulations themselves: which are there, what each says, and by when something is due under one.
//!
//! Everything here is read from the rule packs; a case isn't needed. Spec: PDS-2, PDS-26, LY-24, YC-46.

mod choose;
mod due;
mod packs;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(packs::list_packs))
        .routes(routes!(packs::read_pack))
        .routes(routes!(choose::choose_pack))
        .routes(routes!(due::reckon_due))
}
