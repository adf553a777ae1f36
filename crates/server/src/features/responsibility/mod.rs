//! The responsibility list 采集责任清单: which department has to collect which data item, and how far it
//! has done so.
//!
//! The catalogue tells this room what it publishes and what has arrived, each time in its own write, so the
//! list and the catalogue never differ. A publication touches the lines of its own entry only; the list at
//! any version is a question to the lines. Owns `responsibility_versions`, `responsibility_lines` and
//! `responsibility_settlements`. Spec: YC-13.1, YC-13.2, YC-14.2, LY-9.1.

mod change;
mod conflicts;
mod fulfilment;
mod list;
mod store;
mod versions;
mod workbook;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use change::{Published, begin_anew, delivered, published};

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::read_responsibility_list))
        .routes(routes!(versions::list_responsibility_versions))
        .routes(routes!(fulfilment::read_fulfilment))
        .routes(routes!(workbook::download_responsibility_list))
        .routes(routes!(
            conflicts::list_responsibility_conflicts,
            conflicts::settle_responsibility
        ))
}
