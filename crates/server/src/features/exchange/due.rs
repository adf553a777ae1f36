//! What is set going without anybody's asking, when its time has come by the platform's clock.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{following, reconcile, schedule};
use crate::{app::App, platform::http::ApiError};

/// How often it is looked whether something is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(20);

/// Sets going what is due, until `stop` turns true.
pub async fn watch(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = start_due(&app).await {
            tracing::error!(%error, "can't set going what is due; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
            // A dropped sender means stop as well.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Sets going the collections whose time has come, what is to be followed, and the comparisons of deliveries that are
/// due.
///
/// Errors: of the registry; what comes after is tried with the next look.
pub async fn start_due(app: &App) -> Result<(), ApiError> {
    schedule::start_due(app).await?;
    following::start_due(app).await?;
    reconcile::start_due(app).await
}
