//! Cases 办件 of every process that a rule pack knows: what may be begun, beginning, taking steps,
//! urging, pausing, and what a step changes elsewhere on the platform.
//!
//! Which processes and steps there are, who takes them and by when is the rule pack's; this room knows
//! none of them by name. What follows from an event of the law (a grant suspended, a catalogue updated)
//! stands in `effects.rs`, one line per event. Spec: PDS-9, PDS-17.

mod act;
mod body;
mod effects;
mod gates;
mod list;
mod open;
mod processes;
mod read;
mod subject;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(processes::list_processes))
        .routes(routes!(gates::check_gate))
        .routes(routes!(list::list_cases, open::open_case))
        .routes(routes!(read::read_case))
        .routes(routes!(act::take_step))
        .routes(routes!(act::claim_exception))
        .routes(routes!(act::urge_step))
        .routes(routes!(act::pause_step))
        .routes(routes!(act::resume_step))
        .routes(routes!(act::withdraw_case))
}
