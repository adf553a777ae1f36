//! The schedule by which a mounted resource is collected, and its subscribers served, without anybody's asking.
//! Spec: PDS-8.1 (the provider updates periodically), YC-18 (promptly).

use axum::{
    Json,
    extract::{Path, Query},
};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    exchange::{Schedule, ScheduleFault},
};
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::{
    app::App,
    features::catalogue::{self, Entry},
    platform::{
        evidence,
        http::{ApiError, Ctx, Problem, Reply, reply},
        jobs,
    },
};

/// Collections that are set going at once.
const BATCH_ROWS: i64 = 200;

/// The next times that are shown.
const SHOWN: usize = 3;

/// When a resource is collected by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleView {
    /// Minute, hour, day of the month, month and weekday, by the clock of China; absent if it is collected only when
    /// somebody asks for it.
    pub cron: Option<String>,
    /// What suits the update cycle of the entry.
    pub suggested: Option<&'static str>,
    /// The next instants of `cron`, or of the one that was asked about.
    pub following: Vec<String>,
}

/// Which schedule to look at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ScheduleQuery {
    /// Instead of the one that is set: when would this one come?
    pub cron: Option<String>,
}

/// The schedule to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleBody {
    /// Minute, hour, day of the month, month and weekday; absent: collect only when asked to.
    pub cron: Option<String>,
}

/// Look at the schedule of a resource, or at what another one would mean.
#[utoipa::path(get, path = "/catalogue/entries/{entry_id}/schedule", tag = "exchange", operation_id = "read_schedule",
    params(("entry_id" = String, Path), ScheduleQuery),
    responses((status = 200, body = ScheduleView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn read_schedule(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Query(query): Query<ScheduleQuery>,
) -> Reply<ScheduleView> {
    let entry = own_entry(&ctx, &entry_id).await?;
    view(&ctx, &entry, query.cron.as_deref()).await
}

/// Set the schedule of a resource, or take it away.
#[utoipa::path(put, path = "/catalogue/entries/{entry_id}/schedule", tag = "exchange", operation_id = "set_schedule",
    params(("entry_id" = String, Path)), request_body = ScheduleBody,
    responses((status = 200, body = ScheduleView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn put_schedule(
    ctx: Ctx,
    Path(entry_id): Path<String>,
    Json(body): Json<ScheduleBody>,
) -> Reply<ScheduleView> {
    let entry = own_entry(&ctx, &entry_id).await?;
    let mut tx = ctx.begin().await?;
    let schedule = body.cron.as_deref().map(|text| parse(text, tx.at()));
    let schedule = schedule.transpose()?;
    if catalogue::mounting_of(&mut tx, &entry.id).await?.is_none() {
        return Err(ApiError::conflict("exchange.not_mounted"));
    }
    let next = match &schedule {
        None => None,
        Some(schedule) => {
            let next = schedule.next_after(tx.at());
            Some((schedule, next.ok_or_else(|| refused(ScheduleFault::Never))?))
        }
    };
    store::set_schedule(&mut tx, &entry.id, next, &ctx.actor.person).await?;
    let did = ctx.did("exchange.schedule_set").on("entry", &entry.id);
    let cron = schedule.as_ref().map_or("", Schedule::text);
    tx.commit(did.with("cron", cron)).await?;
    view(&ctx, &entry, None).await
}

/// The entry of a path, if its mounting is the viewer's business.
async fn own_entry(ctx: &Ctx, entry_id: &str) -> Result<Entry, ApiError> {
    let entry = catalogue::entry_at(ctx, entry_id).await?;
    let own = Subject::Department(&entry.department_id);
    ctx.must(Action::MountEntry, &own)?;
    Ok(entry)
}

async fn view(ctx: &Ctx, entry: &Entry, asked: Option<&str>) -> Reply<ScheduleView> {
    let mut db = ctx.read().await?;
    let set = store::schedule_of(&mut db, &entry.id).await?;
    let version = match entry.active_no {
        Some(no) => catalogue::find_version(&mut db, &entry.id, no).await?,
        None => None,
    };
    drop(db);
    let now = ctx.app.clock.now();
    let cron = set.map(|set| set.cron);
    let shown = asked.or(cron.as_deref());
    let shown = shown.map(|text| parse(text, now)).transpose()?;
    let following = shown.map(|schedule| schedule.following(now, SHOWN));
    reply(ScheduleView {
        suggested: version.and_then(|version| Schedule::suggested(version.content.update_cycle)),
        following: following
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect(),
        cron,
    })
}

fn parse(text: &str, now: jiff::Timestamp) -> Result<Schedule, ApiError> {
    Schedule::parse(text, now).map_err(refused)
}

fn refused(fault: ScheduleFault) -> ApiError {
    ApiError::invalid(fault.code()).field("cron", fault.code())
}

/// Sets those collections going whose time has come by the platform's clock. Times that were missed while nothing
/// ran are made up for once. Two nodes never start one twice.
///
/// Errors: of the registry.
pub async fn start_due(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    let mut db = app.registry.read().await?;
    let due = store::due_schedules(&mut db, now, BATCH_ROWS).await?;
    drop(db);
    for scheduled in due {
        let schedule = Schedule::parse(&scheduled.cron, now);
        let Some(next) = schedule.ok().and_then(|schedule| schedule.next_after(now)) else {
            tracing::error!(entry = %scheduled.entry_id, "a schedule has no next time");
            continue;
        };
        let mut tx = app.registry.begin(now).await?;
        if !store::move_schedule_on(&mut tx, &scheduled, next).await? {
            continue;
        }
        let job = catalogue::collection_job(&scheduled.entry_id, None);
        let due = evidence::Entry::by_platform("exchange.collection_due");
        let due = due.on("entry", &scheduled.entry_id);
        if jobs::is_queued(&mut tx, &job).await? {
            tx.commit(due.with("queued", "already")).await?;
            continue;
        }
        jobs::enqueue(&mut tx, job).await?;
        tx.commit(due.with("queued", "now")).await?;
    }
    Ok(())
}
