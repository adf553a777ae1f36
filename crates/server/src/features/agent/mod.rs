//! Agents 前置机 of the departments: invited with a one-time code, connected by mutual TLS, watched, shut out.
//!
//! Owns `agents`. What travels on their lines is the connectors' (`tongqu_connectors::remote`); the program that
//! runs in the department's network is [`crate::agent`]. Spec: PDS-8.1 (table mode).

mod certify;
mod invite;
mod list_agents;
mod listen;
mod revoke;
mod store;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use listen::listen;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_agents::list_agents, invite::invite_agent))
        .routes(routes!(invite::invite_agent_again))
        .routes(routes!(revoke::revoke_agent))
}
