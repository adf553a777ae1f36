//! The schedule by which a mounted resource is collected, and its subscribers served, without anybody's asking.
//! Spec: PDS-8.1 (the provider updates periodically), YC-18 (promptly).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query},
};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    catalogue::DataItem,
    exchange::{Measure, Schedule, ScheduleFault, WatchFault, check_overlap},
    time::instant_text,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    change_logs::{ChangeLogView, Names},
    engine::{RunError, may_follow},
    following,
    jobs::limits,
    resource::Resource,
    store::{self, NewSchedule, Watch},
};
use crate::{
    app::{App, connector_error},
    features::{
        catalogue::{self, Entry, Mounting},
        directory,
    },
    platform::{
        db::change_logs,
        evidence,
        http::{ApiError, Ctx, Problem, Reply, reply},
        jobs,
    },
};

/// Kinds of stores whose change log is read.
const LOGGED_ENGINES: [&str; 4] = ["postgres", "postgresql", "mysql", "mariadb"];

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
    /// Whether it reads only what a column of the table says has changed; absent: it compares the whole each time.
    pub watched: Option<WatchedView>,
    /// The columns that could say so.
    pub watchable: Vec<WatchableView>,
    /// Whether the store's change log is followed, so that changes arrive right away. The whole is compared when `cron`
    /// says so.
    pub follows: bool,
    /// Whether the kind of store has a change log that can be followed.
    pub may_follow: bool,
    /// How the log stands, once it was opened.
    pub log: Option<ChangeLogView>,
}

/// A column that grows with every change of its row. Once a day, and whenever somebody asks for a collection, the whole
/// is compared all the same, because such a column doesn't tell of rows that are gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchedView {
    /// The column of the provider's table.
    pub column: String,
    /// How far each reading goes back behind the last one, in the unit of the column.
    pub overlap: i64,
    /// Instant of the last comparison of the whole.
    pub compared_at: Option<String>,
}

/// A column that may be watched.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchableView {
    pub column: String,
    /// Name of the data item that it carries.
    pub item_name: String,
    /// `seconds` or `numbers`.
    pub unit: &'static str,
    /// The overlap that suits most tables.
    pub overlap: i64,
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
    /// Read only what this column says has changed; absent: compare the whole each time.
    pub watched: Option<WatchedBody>,
    /// Follow the store's change log, and compare the whole when `cron` says so. Not together with `watched`.
    #[serde(default)]
    pub follows: bool,
}

/// The column to be watched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchedBody {
    /// A column of the mounted table.
    pub column: String,
    /// How far each reading goes back behind the last one: seconds, or numbers where the column holds numbers.
    pub overlap: i64,
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
    if body.follows {
        must_be_followable(&ctx, &entry, &body).await?;
    }
    let mut tx = ctx.begin().await?;
    let schedule = body.cron.as_deref().map(|text| parse(text, tx.at()));
    let schedule = schedule.transpose()?;
    let mounting = catalogue::mounting_of(&mut tx, &entry.id).await?;
    let mounting = mounting.ok_or_else(|| ApiError::conflict("exchange.not_mounted"))?;
    let watch = body.watched.map(|watched| watch(&mounting, watched));
    let watch = watch.transpose()?;
    let watched = watch.as_ref().map_or("", |watch| &watch.column).to_owned();
    let new = match &schedule {
        None => None,
        Some(schedule) => {
            let next = schedule.next_after(tx.at());
            Some(NewSchedule {
                schedule,
                next_at: next.ok_or_else(|| refused(ScheduleFault::Never))?,
                watch,
                follows: body.follows,
            })
        }
    };
    store::set_schedule(&mut tx, &entry.id, new, &ctx.actor.person).await?;
    following::changed(&mut tx, &entry.id, body.follows).await?;
    let did = ctx.did("exchange.schedule_set").on("entry", &entry.id);
    let cron = schedule.as_ref().map_or("", Schedule::text);
    let did = did.with("cron", cron).with("watched", watched);
    tx.commit(did.with("follows", body.follows)).await?;
    view(&ctx, &entry, None).await
}

/// Refuses what can't be followed with what is to be changed for it.
async fn must_be_followable(ctx: &Ctx, entry: &Entry, body: &ScheduleBody) -> Result<(), ApiError> {
    let refused = |code, field| Err(ApiError::invalid(code).field(field, code));
    if body.watched.is_some() {
        return refused("exchange.follow_and_watch", "column");
    }
    if body.cron.is_none() {
        return refused("exchange.follow_without_schedule", "cron");
    }
    let mut db = ctx.read().await?;
    if catalogue::mounting_of(&mut db, &entry.id).await?.is_none() {
        return Err(ApiError::conflict("exchange.not_mounted"));
    }
    let resource = Resource::find(&mut db, &entry.id).await?;
    drop(db);
    let source = resource.source(&ctx.app, None)?;
    let checked = may_follow(&source, limits(&ctx.app)).await;
    checked.map_err(|error| match error {
        RunError::Store { source, .. } => connector_error(source),
        error => ApiError::conflict(error.code()),
    })
}

/// What is to be watched, if the mounted table has such a column and it grows.
fn watch(mounting: &Mounting, body: WatchedBody) -> Result<Watch, ApiError> {
    let refused =
        |fault: WatchFault, field| ApiError::invalid(fault.code()).field(field, fault.code());
    let mut columns = mounting.columns.iter().map(|mounted| &mounted.column);
    let column = columns.find(|column| column.name == body.column);
    let measure = column.map_or(Err(WatchFault::Type), |column| {
        Measure::of(column.column_type)
    });
    measure.map_err(|fault| refused(fault, "column"))?;
    check_overlap(body.overlap).map_err(|fault| refused(fault, "overlap"))?;
    Ok(Watch {
        column: body.column,
        overlap: body.overlap,
        mounting_id: mounting.id.clone(),
        seen: None,
        compared_at: None,
    })
}

/// Columns that may be watched, those of times first.
fn watchable(mounting: &Mounting, items: &[DataItem]) -> Vec<WatchableView> {
    let mut found: Vec<(Measure, WatchableView)> = Vec::new();
    for mounted in &mounting.columns {
        let Ok(measure) = Measure::of(mounted.column.column_type) else {
            continue;
        };
        let item = items.iter().find(|item| item.code == mounted.item);
        let view = WatchableView {
            column: mounted.column.name.clone(),
            item_name: item.map_or(&mounted.item, |item| &item.name).clone(),
            unit: measure.unit(),
            overlap: measure.usual_overlap(),
        };
        found.push((measure, view));
    }
    found.sort_by_key(|(measure, _)| *measure);
    found.into_iter().map(|(_, view)| view).collect()
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
    let mounting = catalogue::mounting_of(&mut db, &entry.id).await?;
    let store = match &mounting {
        Some(mounting) => directory::find_store(&mut db, &mounting.store_id).await?,
        None => None,
    };
    let log = change_logs::find(&mut db, &entry.id).await?;
    drop(db);
    let now = ctx.app.clock.now();
    let follows = set.as_ref().is_some_and(|set| set.follows);
    let names = Names {
        entries: BTreeMap::from([(entry.id.to_string(), (entry.name.clone(), String::new()))]),
        stores: store
            .iter()
            .map(|store| (store.id.to_string(), store.name.clone()))
            .collect(),
    };
    let (cron, watch) = set.map(|set| (set.cron, set.watch)).unzip();
    let items = version
        .as_ref()
        .map(|version| version.content.items.as_slice());
    let watchable = mounting.map(|mounting| watchable(&mounting, items.unwrap_or_default()));
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
        watched: watch.flatten().map(|watch| WatchedView {
            column: watch.column,
            overlap: watch.overlap,
            compared_at: watch.compared_at.map(instant_text),
        }),
        watchable: watchable.unwrap_or_default(),
        follows,
        may_follow: store.is_some_and(|store| LOGGED_ENGINES.contains(&store.engine())),
        log: log.map(|log| ChangeLogView::new(ctx, log, &names)),
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
