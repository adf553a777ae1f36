//! What this installation is, before anybody signs in.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap};
use serde::Serialize;
use tongqu_domain::time::china_date;
use utoipa::ToSchema;

use crate::{
    app::App,
    features::directory,
    platform::{
        http::{Guest, Problem, Reply, reply},
        session,
    },
};

/// This installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformView {
    /// Name in the header; empty before set-up.
    pub name: String,
    /// The competent department.
    pub authority_name: Option<String>,
    pub version: &'static str,
    /// Whether this is the demo with its movable clock.
    pub demo: bool,
    /// Server time, an instant.
    pub now: String,
    /// The civil date in China.
    pub today: String,
    /// `working`, `weekend`, `holiday`, `make_up`, or `unknown` beyond the published calendars.
    pub day_kind: &'static str,
    /// Whether the asker is signed in, so that the portal needn't try.
    pub signed_in: bool,
    /// Whether the installation is still empty and waits for its first administrator.
    pub setup_needed: bool,
}

/// What this installation is called, and what day it is here.
#[utoipa::path(get, path = "/platform", tag = "home", operation_id = "read_platform",
    responses((status = 200, body = PlatformView), (status = 503, body = Problem)))]
pub async fn read_platform(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    guest: Guest,
) -> Reply<PlatformView> {
    let mut db = app.registry.read().await?;
    let today = china_date(guest.now);
    let authority = match directory::platform_department(&mut db).await? {
        Some(id) => directory::find_department(&mut db, &id).await?,
        None => None,
    };
    let signed_in = match session::token_of(&headers) {
        Some(token) => (app.find_actor)(&mut db, token, guest.now).await?.is_some(),
        None => false,
    };
    reply(PlatformView {
        name: directory::setting(&mut db, "platform_name")
            .await?
            .unwrap_or_default(),
        authority_name: authority.map(|d| d.name),
        version: env!("CARGO_PKG_VERSION"),
        demo: app.clock.is_demo(),
        now: guest.now.to_string(),
        today: today.to_string(),
        day_kind: app
            .calendar()
            .day(today)
            .map_or("unknown", |day| day.kind.code()),
        signed_in,
        setup_needed: !directory::has_people(&mut db).await?,
    })
}
