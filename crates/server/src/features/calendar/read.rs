//! Which years are known, from where, and what each day is.

use axum::extract::Path;
use jiff::civil::Date;
use tongqu_domain::access::{Action, Subject};

use super::{
    store,
    views::{CalendarDayView, CalendarView, CalendarsView, KnownYearView, known_years},
};
use crate::{
    features::directory,
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

async fn years(ctx: &Ctx) -> Result<Vec<KnownYearView>, ApiError> {
    let mut db = ctx.read().await?;
    let people = directory::people_names(&mut db).await?;
    Ok(known_years(&store::notices(&mut db).await?, &people))
}

/// The years whose working days are known, each with its source.
#[utoipa::path(get, path = "/calendars", tag = "calendar", operation_id = "list_calendars",
    responses((status = 200, body = CalendarsView)))]
pub async fn list_calendars(ctx: Ctx) -> Reply<CalendarsView> {
    reply(CalendarsView {
        years: years(&ctx).await?,
        may_load: ctx.may(Action::LoadCalendar, &Subject::Platform),
    })
}

/// A year, day by day. A year that no notice covers is refused, never guessed.
#[utoipa::path(get, path = "/calendars/{year}", tag = "calendar", operation_id = "read_calendar",
    params(("year" = i16, Path, description = "Four digits")),
    responses((status = 200, body = CalendarView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn read_calendar(ctx: Ctx, Path(year): Path<i16>) -> Reply<CalendarView> {
    let (Ok(first), Ok(last)) = (Date::new(year, 1, 1), Date::new(year, 12, 31)) else {
        return Err(ApiError::invalid("calendar.year_out_of_range"));
    };
    let years = years(&ctx).await?;
    let calendar = ctx.app.calendar();
    let mut days = Vec::new();
    let mut working_days = 0;
    for date in first
        .series(jiff::Span::new().days(1))
        .take_while(|d| *d <= last)
    {
        let day = calendar
            .day(date)
            .map_err(|error| ApiError::not_found(error.code()).because(error))?;
        working_days += u32::from(day.kind.is_working());
        days.push(CalendarDayView::from(day));
    }
    let source = years
        .iter()
        .find(|known| known.year == year)
        .map(|known| known.source.clone())
        .ok_or_else(|| ApiError::bug("a year is in force and no notice covers it"))?;
    reply(CalendarView {
        year,
        source,
        days,
        working_days,
        years,
    })
}
