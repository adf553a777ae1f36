//! The numbers that a report begins with.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{ids::DepartmentId, time::china};

use super::store;
use crate::platform::{db::Db, http::ApiError};

/// The instant at which a civil date begins in China.
pub(super) fn begins(date: Date) -> Result<Timestamp, ApiError> {
    date.to_zoned(china())
        .map(|zoned| zoned.timestamp())
        .map_err(ApiError::bug)
}

/// The first and the last instant (not included) of a span of civil dates, both inclusive.
pub(super) fn span(first: Date, last: Date) -> Result<(Timestamp, Timestamp), ApiError> {
    let next = last.tomorrow().map_err(ApiError::bug)?;
    Ok((begins(first)?, begins(next)?))
}

/// What a department has provided and used from `first` to `last`, by code.
pub(super) async fn of_department(
    db: &mut Db,
    department_id: &DepartmentId,
    first: Date,
    last: Date,
) -> Result<BTreeMap<String, i64>, ApiError> {
    let (from, until) = span(first, last)?;
    let totals = store::totals(db, department_id, from, until).await?;
    let worked = store::worked(db, department_id, from, until).await?;
    let figures = [
        ("entries_published", totals.entries_published),
        ("requests_filed", totals.requests_filed),
        ("requests_received", totals.requests_received),
        ("requests_decided", worked.decided),
        ("requests_decided_on_time", worked.decided_on_time),
        ("steps_done", worked.steps_done),
        ("steps_late", worked.steps_late),
        ("grants_given", totals.grants_given),
        ("grants_held", totals.grants_held),
        ("grants_used", totals.grants_used),
        ("runs", totals.runs),
        ("rows_received", totals.rows_received),
        ("rows_delivered", totals.rows_delivered),
    ];
    Ok(figures
        .into_iter()
        .map(|(code, value)| (code.to_owned(), value))
        .collect())
}
