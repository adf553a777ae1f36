//! What happens once a day, and whenever the demo's clock is moved on.

use std::{sync::Arc, time::Duration};

use jiff::civil::Date;
use tokio::sync::watch;
use tongqu_domain::time::china_date;

use super::{digest, sweep, unlisted};
use crate::{
    app::App,
    features::{calendar, request},
    platform::http::ApiError,
};

/// How often it is looked whether a day has begun or another node has loaded a calendar or chosen
/// a regulation.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// Sweeps and digests at the start and after each midnight of the platform's clock, and follows the
/// calendar that other nodes load and the regulation chosen there, until `stop` turns true. `notice_no` is the last notice known.
pub async fn watch(app: Arc<App>, mut notice_no: i64, mut stop: watch::Receiver<bool>) {
    let mut done_for: Option<Date> = None;
    while !*stop.borrow() {
        match calendar::follow(&app, notice_no).await {
            Ok(no) => notice_no = no,
            Err(error) => tracing::error!(%error, "can't look for a newer calendar"),
        }
        if let Err(error) = app.packs.follow(&app.registry, app.clock.now()).await {
            tracing::error!(%error, "can't look for another choice of regulation");
        }
        if let Err(error) = request::release_due(&app).await {
            tracing::error!(%error, "can't show what was held back; it is tried again");
        }
        let today = china_date(app.clock.now());
        if done_for != Some(today) {
            match new_day(&app).await {
                Ok(()) => done_for = Some(today),
                Err(error) => {
                    tracing::error!(%error, "the day's supervision failed; it is tried again");
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
            // A dropped sender means stop as well.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Does what a new day asks for; again on the same day it adds only what has become overdue since.
pub async fn new_day(app: &App) -> Result<(), ApiError> {
    request::release_due(app).await?;
    sweep::sweep(app).await?;
    request::note_expired(app).await?;
    request::propose_reclaims(app).await?;
    digest::send(app).await?;
    // Stores of other departments come last: one that answers slowly mustn't hold up the day's notices.
    unlisted::scan(app).await?;
    Ok(())
}
