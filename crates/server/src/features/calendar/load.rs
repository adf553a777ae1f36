//! A holiday notice: what it would change, and loading it.

use axum::Json;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    calendar::{Calendar, CalendarError},
};
use utoipa::ToSchema;

use super::{
    moves::{self, Moved},
    store,
    views::{DayChangeView, MovedStepView, NoticeEffectView},
};
use crate::{
    features::directory,
    platform::{
        evidence::Evidence,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// Steps that a reply lists; their total is always told.
const LISTED_MAX: usize = 500;
/// The longest title of a notice, in characters.
const TITLE_CHARS_MAX: usize = 200;
/// The longest document number, in characters.
const NUMBER_CHARS_MAX: usize = 100;

/// The days of a notice, before it is loaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    /// `date,kind,name` with kind `holiday` or `workday`, a heading first: the days that differ from
    /// their weekday.
    pub csv: String,
}

/// A holiday notice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeBody {
    /// Title of the notice.
    pub title: String,
    /// Its document number 发文字号.
    pub number: String,
    /// As in the preview.
    pub csv: String,
}

/// What loading a notice would come to.
struct Effect {
    calendar: Calendar,
    years: Vec<i16>,
    new_years: Vec<i16>,
    days: Vec<DayChangeView>,
    moved: Vec<Moved>,
}

/// What a notice would change: days, and open steps whose date would move. Nothing is written.
/// Finished steps keep the date of their event.
#[utoipa::path(post, path = "/calendars/preview", tag = "calendar", operation_id = "preview_calendar",
    request_body = PreviewBody,
    responses((status = 200, body = NoticeEffectView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn preview_calendar(ctx: Ctx, Json(body): Json<PreviewBody>) -> Reply<NoticeEffectView> {
    ctx.must(Action::LoadCalendar, &Subject::Platform)?;
    let effect = effect(&ctx, &body.csv).await?;
    let mut view = view(&ctx, effect).await?;
    view.loaded = false;
    reply(view)
}

/// Load a notice: the years it covers are replaced, and the dates of open steps move with them.
#[utoipa::path(post, path = "/calendars", tag = "calendar", operation_id = "load_calendar", request_body = NoticeBody,
    responses((status = 200, body = NoticeEffectView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn load_calendar(ctx: Ctx, Json(body): Json<NoticeBody>) -> Reply<NoticeEffectView> {
    ctx.must(Action::LoadCalendar, &Subject::Platform)?;
    let title = body.title.trim();
    let number = body.number.trim();
    let mut error = ApiError::invalid("calendar.unreadable");
    let mut is_faulty = false;
    for (field, text, chars_max, code) in [
        ("title", title, TITLE_CHARS_MAX, "calendar.notice_title"),
        ("number", number, NUMBER_CHARS_MAX, "calendar.notice_number"),
    ] {
        if text.is_empty() || text.chars().count() > chars_max {
            error = error.field(field, code);
            is_faulty = true;
        }
    }
    if is_faulty {
        return Err(error);
    }
    let effect = effect(&ctx, &body.csv).await?;
    let before = ctx.app.calendar();
    let mut tx = ctx.begin().await?;
    let no =
        store::insert_notice(&mut tx, title, number, &body.csv, ctx.actor.person.as_str()).await?;
    let moves = moves::save(&mut tx, &effect.moved, no, title).await?;
    let loaded = ctx
        .did("calendar.loaded")
        .on("calendar", no)
        .with("title", title)
        .with("number", number)
        .with("years", effect.years.clone())
        .with("days", effect.days.len())
        .with("steps", effect.moved.len());
    // In force before the commit: on an embedded registry this write still holds the only writer, so no
    // case can be saved with the old dates in between. Other nodes follow, see `follow`.
    ctx.app.set_calendar(effect.calendar.clone());
    if let Err(error) = tx.commit(Evidence::of(loaded, moves)).await {
        ctx.app.set_calendar(before.as_ref().clone());
        return Err(error.into());
    }
    reply(view(&ctx, effect).await?)
}

async fn effect(ctx: &Ctx, csv: &str) -> Result<Effect, ApiError> {
    let notice = Calendar::parse_csv(csv).map_err(unreadable)?;
    let before = ctx.app.calendar();
    let years: Vec<i16> = notice.published_years().collect();
    let known: Vec<i16> = before.published_years().collect();
    let new_years = years
        .iter()
        .copied()
        .filter(|y| !known.contains(y))
        .collect();
    let calendar = before.as_ref().clone().with(notice);
    let changes = before.changes_to(&calendar);
    let moved = match changes.first() {
        Some(first) => {
            let mut db = ctx.read().await?;
            moves::moved(&ctx.app, &mut db, &calendar, first.date).await?
        }
        None => Vec::new(),
    };
    Ok(Effect {
        calendar,
        years,
        new_years,
        days: changes.into_iter().map(DayChangeView::from).collect(),
        moved,
    })
}

/// All faults of a file at once, each under its line.
fn unreadable(error: CalendarError) -> ApiError {
    let problem = ApiError::invalid("calendar.unreadable");
    match error {
        CalendarError::Unreadable { faults } => faults.iter().fold(problem, |problem, fault| {
            problem.field(format!("csv[{}]", fault.line), fault.kind.code())
        }),
        CalendarError::YearNotPublished { .. } => problem,
    }
}

async fn view(ctx: &Ctx, effect: Effect) -> Result<NoticeEffectView, ApiError> {
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    Ok(NoticeEffectView {
        years: effect.years,
        new_years: effect.new_years,
        days: effect.days,
        steps_total: effect.moved.len(),
        steps: effect
            .moved
            .iter()
            .take(LISTED_MAX)
            .map(|moved| MovedStepView::of(moved, &departments))
            .collect(),
        loaded: true,
    })
}
