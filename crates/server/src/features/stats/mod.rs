//! Statistics and assessment 统计与考核: how departments describe, share and use data, computed from the
//! catalogue, the cases and the runs. Owns no table and writes nothing. Spec: PDS-22.1, PDS-22.2.
//!
//! How each figure is computed stands at its field in [`views::FiguresView`]; the page says the same in words.

mod compute;
mod read_stats;
mod store;
mod views;
mod workbook;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(read_stats::read_stats))
        .routes(routes!(workbook::download_stats))
}
