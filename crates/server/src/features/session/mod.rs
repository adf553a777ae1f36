//! Signing in and out, and who one is.
//!
//! Owns the table `sessions` and the sign-in columns of `people`, and uses up `invitations`. Spec: PDS-21.3, YC-42.1 (lockout).

mod invitation;
mod me;
mod setup;
mod sign_in;
mod sign_out;
mod store;
#[cfg(test)]
mod store_tests;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

pub use me::MeView;
pub use store::{find_actor, prolong_all};

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::sign_in, me::read_me, sign_out::sign_out))
        .routes(routes!(me::choose_post))
        .routes(routes!(invitation::accept_invitation))
        .routes(routes!(setup::set_up))
}
