//! The daily digest: on working days each department is told once how its open steps stand.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tongqu_domain::{calendar::Calendar, time::china_date};

use super::store::{self, Lamps};
use crate::{
    app::App,
    features::directory::{self, Notice},
    platform::{evidence::Entry, http::ApiError},
};

/// Departments told in one write.
const DEPARTMENTS_AT_ONCE: usize = 100;

/// The first working day after `day`; `None` where the calendar doesn't know.
pub(super) fn next_working_day(calendar: &Calendar, day: Date) -> Option<Date> {
    calendar.next_working_day(day).ok()
}

/// Tells every department that holds an open step, unless it was told today or today is no working day.
pub(super) async fn send(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    let today = china_date(now);
    let calendar = app.calendar();
    // Where the calendar doesn't know the day, nobody can say whether it is a working day.
    if !calendar.is_working_day(today).unwrap_or(false) {
        return Ok(());
    }
    let mut db = app.registry.read().await?;
    let since = store::digest_before(&mut db, today).await?;
    let all = store::lamps(&mut db, today, next_working_day(&calendar, today), since).await?;
    drop(db);
    for some in all.chunks(DEPARTMENTS_AT_ONCE) {
        tell(app, today, some).await?;
    }
    Ok(())
}

async fn tell(app: &App, today: Date, some: &[Lamps]) -> Result<(), ApiError> {
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let mut told = 0_u32;
    for lamps in some {
        if !store::begin_digest(&mut tx, &lamps.department_id, today).await? {
            continue;
        }
        let day = today.to_string();
        let notice = Notice {
            to: &lamps.department_id,
            kind: "supervision.digest",
            subject: ("digest", &day),
            facts: BTreeMap::from([
                ("overdue", lamps.overdue.to_string()),
                ("due_today", lamps.due_today.to_string()),
                ("due_next", lamps.due_next.to_string()),
                ("new", lamps.new.to_string()),
                ("open", lamps.open.to_string()),
            ]),
        };
        directory::notify(&mut tx, &notice).await?;
        told += 1;
    }
    if told == 0 {
        return Ok(());
    }
    tx.commit(
        Entry::by_platform("supervision.digests_sent")
            .with("day", today.to_string())
            .with("departments", told),
    )
    .await?;
    Ok(())
}
