//! The ledger for auditors: who did what, where it stands, and the proof of it. Reads only.
//!
//! Spec: PDS-21.3.

mod list_records;
mod prove_record;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_records::list_records))
        .routes(routes!(prove_record::prove_record))
}
