//! The working-day calendar in force: which years are known, what a holiday notice would change, and
//! loading it.
//!
//! Owns `calendars`. A notice replaces the years it covers; the due dates of open steps are reckoned
//! anew in the same write, those of finished steps stand in their events and never move.
//! Spec: PDS-17, YC-29.1, YC-29.2, LY-8.2.

mod load;
mod moves;
mod read;
mod store;
mod views;

use std::sync::Arc;

use tongqu_domain::calendar::Calendar;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    platform::{
        db::{Db, DbError},
        evidence::Evidence,
        http::ApiError,
    },
};

use store::Notice;

/// The operations of this feature.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(load::load_calendar, read::list_calendars))
        .routes(routes!(load::preview_calendar))
        .routes(routes!(read::read_calendar))
}

/// The built-in years with every notice loaded since, and the number of the last notice; 0 without one.
///
/// Errors: [`DbError::BrokenRow`] if a notice that was taken once can't be read any more.
pub async fn in_force(db: &mut Db) -> Result<(Calendar, i64), DbError> {
    let notices = store::notices(db).await?;
    let last = notices.last().map_or(0, |notice| notice.no);
    Ok((calendar_of(&notices), last))
}

fn calendar_of(notices: &[Notice]) -> Calendar {
    notices
        .iter()
        .fold(Calendar::statutory(), |calendar, notice| {
            calendar.with(notice.calendar.clone())
        })
}

/// Takes over what this or another node has loaded since notice `known`, and reckons once more the steps
/// that were saved while the calendars differed. Gives the number of the last notice.
pub async fn follow(app: &App, known: i64) -> Result<i64, ApiError> {
    let mut db = app.registry.read().await?;
    if store::last_no(&mut db).await? == known {
        return Ok(known);
    }
    let notices = store::notices(&mut db).await?;
    let Some(newest) = notices.last() else {
        return Ok(known);
    };
    let before = calendar_of(&notices[..notices.partition_point(|n| n.no <= known)]);
    let calendar = calendar_of(&notices);
    app.set_calendar(calendar.clone());
    if let Some(change) = before.changes_to(&calendar).first() {
        let moved = moves::moved(app, &mut db, &calendar, change.date).await?;
        drop(db);
        let mut tx = app.registry.begin(app.clock.now()).await?;
        let mut entries = moves::save(&mut tx, &moved, newest.no, &newest.title)
            .await?
            .into_iter();
        if let Some(first) = entries.next() {
            tx.commit(Evidence::of(first, entries)).await?;
        }
    }
    Ok(newest.no)
}
