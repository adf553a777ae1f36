//! The exchange at a glance: what moved, between whom, what fails and whose turn it is, and whether it adds up.
//! Spec: PDS-5.3, PDS-22.1.

use std::collections::BTreeMap;

use axum::extract::Query;
use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject},
    exchange::Counts,
    ids::DepartmentId,
    time::{china_date, china_midnight},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    engine::Side,
    list_runs::names,
    store::{self, Failing, Hour, Moved, Run, RunKind},
    views::{CountsView, Names},
};
use crate::{
    features::directory::{self, Department},
    platform::{
        db::Db,
        http::{ApiError, Ctx, Problem, Reply, reply},
    },
};

/// The days of the chart.
const CHART_DAYS: i32 = 30;
/// The most days that the picture of flows sums up.
const FLOW_DAYS_MAX: i32 = 31;
/// The most alarms shown; the list of runs has all of them.
const ALARMS_MAX: u32 = 20;
/// The most lines between two departments; those with most rows are kept.
const PAIRS_MAX: usize = 200;

/// What to sum up.
#[derive(Debug, Deserialize, IntoParams)]
pub struct OverviewQuery {
    /// Days that the flows sum up, today included: 1 to 31; 7 if left out.
    pub days: Option<i32>,
}

/// The exchange at a glance. Whoever sees the own part only gets sums of the own part only.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewView {
    /// The civil date in China that `today` sums up.
    pub date: String,
    /// Whether these are the sums of the viewer's department only.
    pub own_part: bool,
    pub today: TodayView,
    /// Days that the flows sum up, today included.
    pub days: i32,
    /// Departments that gave or received in these days, the busiest first.
    pub flows: Vec<FlowView>,
    /// From whom to whom, by rows.
    pub pairs: Vec<PairView>,
    /// What fails at present, the newest first.
    pub alarms: Vec<AlarmView>,
    pub reconciliation: ReconciliationView,
    /// The last 30 days, oldest first.
    pub chart: Vec<ChartDayView>,
    /// The hours of today so far.
    pub hours: Vec<HourView>,
}

/// Today's figures.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct TodayView {
    pub runs: i64,
    pub collections: i64,
    pub deliveries: i64,
    /// Under way at present, whenever they began.
    pub running: i64,
    pub failed: i64,
    /// Rows that reached requesters.
    pub delivered: u64,
    /// The same yesterday, over the whole day.
    pub delivered_yesterday: u64,
    /// Rows that providers' stores gave.
    pub provided: u64,
    /// Rows set aside because they are faulty.
    pub quarantined: u64,
}

/// What one department gave to the platform and received from it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowView {
    pub department_id: String,
    pub name: String,
    pub short_name: String,
    /// Rows that came from it into the pool.
    pub given_rows: u64,
    pub collections: i64,
    /// Rows that went to it.
    pub received_rows: u64,
    pub deliveries: i64,
    /// `failing` if something that it gives or receives fails at present, else `ok`.
    pub state: &'static str,
}

/// Deliveries from one department to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct PairView {
    pub provider_id: String,
    pub provider_name: String,
    pub requester_id: String,
    pub requester_name: String,
    pub deliveries: i64,
    pub rows: u64,
}

/// Something that fails, with its owner and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlarmView {
    /// The newest failed run.
    pub run_id: String,
    /// `collection` or `delivery`.
    pub kind: &'static str,
    pub entry_id: String,
    pub entry_name: String,
    /// Instant: since when no run has gone well.
    pub since: String,
    /// Instant of the newest failed run.
    pub last_at: String,
    pub in_a_row: i64,
    /// Deliveries that are paused because of it.
    pub paused: i64,
    pub code: String,
    /// What happened and what to do next, in the user's language.
    pub message: String,
    /// `provider`, `platform` or `requester`.
    #[schema(value_type = String)]
    pub side: Side,
    /// The department on that side.
    pub owner_name: String,
    /// Who answers there for technical questions, as published in the directory.
    pub contact: Option<String>,
}

/// Whether every row of today is accounted for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciliationView {
    /// Collections: what providers' stores gave and what became of it.
    pub collected: CountsView,
    /// Deliveries: what the pool gave and what became of it.
    pub delivered: CountsView,
    /// By department, in both roles.
    pub lines: Vec<ReconciledView>,
}

/// One department's account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReconciledView {
    pub department_id: String,
    pub name: String,
    /// `collection`: as a provider; `delivery`: as a requester.
    pub kind: &'static str,
    pub runs: i64,
    pub failed: i64,
    pub counts: CountsView,
}

/// A day of the chart.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChartDayView {
    pub date: String,
    /// `working`, `weekend`, `holiday`, `make_up`, or `unknown` beyond the published calendars.
    pub day_kind: &'static str,
    /// The festival, on special days.
    pub day_name: Option<String>,
    pub runs: i64,
    pub failed: i64,
    /// Rows that reached requesters.
    pub rows: i64,
}

/// An hour of today.
#[derive(Debug, Serialize, ToSchema)]
pub struct HourView {
    /// Hour of the day in China, 0 to 23.
    pub hour: i8,
    pub runs: i64,
    pub rows: i64,
}

/// Read the exchange at a glance: everything for the operator and the authority, the own part for a department.
#[utoipa::path(get, path = "/exchange/overview", tag = "exchange", operation_id = "read_overview",
    params(OverviewQuery), responses((status = 200, body = OverviewView), (status = 403, body = Problem)))]
pub async fn read_overview(ctx: Ctx, Query(query): Query<OverviewQuery>) -> Reply<OverviewView> {
    let sees_all = ctx.may(Action::ReadRun, &Subject::Platform);
    if !sees_all {
        ctx.must(Action::ReadRun, &Subject::Department(ctx.department()))?;
    }
    let party = (!sees_all).then(|| ctx.department());
    let days = query.days.unwrap_or(7).clamp(1, FLOW_DAYS_MAX);
    let today = china_date(ctx.now);
    let begins = |days_back: i32| {
        let day = today.checked_sub(days_back.days()).map_err(ApiError::bug)?;
        Ok::<_, ApiError>((day, china_midnight(day).map_err(ApiError::bug)?))
    };
    let (tomorrow, midnight) = (begins(-1)?.1, begins(0)?.1);
    let (chart_from, chart_begins) = begins(CHART_DAYS - 1)?;

    let mut db = ctx.read().await?;
    let departments = directory::departments_by_id(&mut db).await?;
    let of_today = store::moved(&mut db, party, midnight, tomorrow).await?;
    let of_yesterday = store::moved(&mut db, party, begins(1)?.1, midnight).await?;
    let of_days = store::moved(&mut db, party, begins(days - 1)?.1, tomorrow).await?;
    let hours = store::hours(&mut db, party, chart_begins, tomorrow).await?;
    let failing = store::failing(&mut db, party, chart_begins, ALARMS_MAX).await?;
    let running = store::running(&mut db, party).await?;
    let runs: Vec<Run> = failing.iter().map(|f| f.run.clone()).collect();
    let names = names(&mut db, &runs).await?;
    let alarms = alarms(&ctx, &mut db, &failing, &names).await?;
    drop(db);

    let part = Part { party, departments };
    reply(OverviewView {
        date: today.to_string(),
        own_part: party.is_some(),
        today: today_view(&of_today, &of_yesterday, running),
        days,
        flows: part.flows(&of_days, &runs),
        pairs: part.pairs(&of_days),
        alarms,
        reconciliation: part.reconciliation(&of_today),
        chart: chart(&ctx, &hours, chart_from, today),
        hours: hours_of(&hours, today),
    })
}

/// The sum of the counts.
fn sum<'a>(counts: impl Iterator<Item = &'a Counts>) -> Counts {
    counts.fold(Counts::default(), |mut sum, one| {
        sum.read += one.read;
        sum.delivered += one.delivered;
        sum.unchanged += one.unchanged;
        sum.out_of_scope += one.out_of_scope;
        sum.quarantined += one.quarantined;
        sum.inserted += one.inserted;
        sum.updated += one.updated;
        sum.deleted += one.deleted;
        sum
    })
}

fn of_kind(moved: &[Moved], kind: RunKind) -> impl Iterator<Item = &Moved> {
    moved.iter().filter(move |m| m.kind == kind)
}

fn today_view(today: &[Moved], yesterday: &[Moved], running: i64) -> TodayView {
    let runs = |kind| of_kind(today, kind).map(|m| m.runs).sum::<i64>();
    let delivered = |moved| sum(of_kind(moved, RunKind::Delivery).map(|m| &m.counts)).delivered;
    let collected = sum(of_kind(today, RunKind::Collection).map(|m| &m.counts));
    let (collections, deliveries) = (runs(RunKind::Collection), runs(RunKind::Delivery));
    TodayView {
        runs: collections + deliveries,
        collections,
        deliveries,
        running,
        failed: today.iter().map(|m| m.failed).sum(),
        delivered: delivered(today),
        delivered_yesterday: delivered(yesterday),
        provided: collected.read,
        quarantined: collected.quarantined,
    }
}

/// What the viewer sees: everything, or what concerns one department.
struct Part<'a> {
    party: Option<&'a DepartmentId>,
    departments: BTreeMap<String, Department>,
}

impl Part<'_> {
    fn name_of(&self, id: &DepartmentId) -> String {
        let department = self.departments.get(id.as_str());
        department.map_or_else(String::new, |d| d.name.clone())
    }

    /// Whether a line about `department` is the viewer's business.
    fn shows(&self, department: &DepartmentId) -> bool {
        self.party.is_none_or(|party| party == department)
    }

    fn flows(&self, moved: &[Moved], failing: &[Run]) -> Vec<FlowView> {
        let mut flows: BTreeMap<&DepartmentId, FlowView> = BTreeMap::new();
        for one in moved {
            let department = match one.kind {
                RunKind::Collection => Some(&one.provider),
                RunKind::Delivery => one.requester.as_ref(),
                RunKind::Reconciliation => None,
            };
            let Some(department) = department else {
                continue;
            };
            let flow = flows
                .entry(department)
                .or_insert_with(|| self.still(department, failing));
            match one.kind {
                RunKind::Collection => {
                    flow.given_rows += one.counts.delivered;
                    flow.collections += one.runs;
                }
                RunKind::Delivery => {
                    flow.received_rows += one.counts.delivered;
                    flow.deliveries += one.runs;
                }
                RunKind::Reconciliation => {}
            }
        }
        let mut flows: Vec<FlowView> = flows.into_values().collect();
        flows.sort_by_key(|f| std::cmp::Reverse((f.given_rows + f.received_rows, f.collections)));
        flows
    }

    fn still(&self, department: &DepartmentId, failing: &[Run]) -> FlowView {
        let fails = failing.iter().any(|run| match run.kind {
            RunKind::Collection => run.provider_department_id == *department,
            RunKind::Delivery | RunKind::Reconciliation => {
                run.requester_department_id.as_ref() == Some(department)
            }
        });
        let short_name = self.departments.get(department.as_str());
        FlowView {
            department_id: department.to_string(),
            name: self.name_of(department),
            short_name: short_name.map_or_else(String::new, |d| d.short_name.clone()),
            given_rows: 0,
            collections: 0,
            received_rows: 0,
            deliveries: 0,
            state: if fails { "failing" } else { "ok" },
        }
    }

    fn pairs(&self, moved: &[Moved]) -> Vec<PairView> {
        let mut pairs: Vec<PairView> = of_kind(moved, RunKind::Delivery)
            .filter_map(|one| {
                let requester = one.requester.as_ref()?;
                Some(PairView {
                    provider_id: one.provider.to_string(),
                    provider_name: self.name_of(&one.provider),
                    requester_id: requester.to_string(),
                    requester_name: self.name_of(requester),
                    deliveries: one.runs,
                    rows: one.counts.delivered,
                })
            })
            .collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse((pair.rows, pair.deliveries)));
        pairs.truncate(PAIRS_MAX);
        pairs
    }

    fn reconciliation(&self, moved: &[Moved]) -> ReconciliationView {
        let total = |kind| (&sum(of_kind(moved, kind).map(|m| &m.counts))).into();
        let mut lines: BTreeMap<(&'static str, &DepartmentId), Vec<&Moved>> = BTreeMap::new();
        for one in moved {
            let department = match one.kind {
                RunKind::Collection => Some(&one.provider),
                RunKind::Delivery => one.requester.as_ref(),
                RunKind::Reconciliation => None,
            };
            if let Some(department) = department.filter(|d| self.shows(d)) {
                lines
                    .entry((one.kind.code(), department))
                    .or_default()
                    .push(one);
            }
        }
        ReconciliationView {
            collected: total(RunKind::Collection),
            delivered: total(RunKind::Delivery),
            lines: lines
                .into_iter()
                .map(|((kind, department), moved)| ReconciledView {
                    department_id: department.to_string(),
                    name: self.name_of(department),
                    kind,
                    runs: moved.iter().map(|m| m.runs).sum(),
                    failed: moved.iter().map(|m| m.failed).sum(),
                    counts: (&sum(moved.iter().map(|m| &m.counts))).into(),
                })
                .collect(),
        }
    }
}

async fn alarms(
    ctx: &Ctx,
    db: &mut Db,
    failing: &[Failing],
    names: &Names,
) -> Result<Vec<AlarmView>, ApiError> {
    let platform = directory::platform_department(db).await?;
    let mut alarms = Vec::new();
    for one in failing {
        let run = &one.run;
        let Some(failure) = &run.failure else {
            continue;
        };
        let owner = match failure.side {
            Side::Provider => Some(&run.provider_department_id),
            Side::Platform => platform.as_ref(),
            Side::Requester => run.requester_department_id.as_ref(),
        };
        let contact = match owner {
            Some(owner) => directory::technical_contact(db, owner).await?,
            None => None,
        };
        let named = |id: &DepartmentId| names.departments.get(id.as_str()).cloned();
        let column = failure.column.clone().unwrap_or_default();
        alarms.push(AlarmView {
            run_id: run.id.to_string(),
            kind: run.kind.code(),
            entry_id: run.entry_id.to_string(),
            entry_name: names
                .entries
                .get(run.entry_id.as_str())
                .cloned()
                .unwrap_or_default(),
            since: one.since.to_string(),
            last_at: run.created_at.to_string(),
            in_a_row: one.in_a_row,
            paused: one.paused,
            message: ctx.sentence(&failure.code, &[("column", column)]),
            code: failure.code.clone(),
            side: failure.side,
            owner_name: owner.and_then(named).unwrap_or_default(),
            contact: contact.map(|(name, phone)| format!("{name} {phone}").trim().to_owned()),
        });
    }
    Ok(alarms)
}

fn chart(ctx: &Ctx, hours: &[Hour], from: Date, to: Date) -> Vec<ChartDayView> {
    let calendar = ctx.app.calendar();
    from.series(1.day())
        .take_while(|date| *date <= to)
        .map(|date| {
            let of_day = || hours.iter().filter(|hour| china_date(hour.at) == date);
            let day = calendar.day(date);
            ChartDayView {
                date: date.to_string(),
                day_kind: day.as_ref().map_or("unknown", |day| day.kind.code()),
                day_name: day.ok().and_then(|day| day.name.map(str::to_owned)),
                runs: of_day().map(|hour| hour.runs).sum(),
                failed: of_day().map(|hour| hour.failed).sum(),
                rows: of_day().map(|hour| hour.delivered).sum(),
            }
        })
        .collect()
}

fn hours_of(hours: &[Hour], today: Date) -> Vec<HourView> {
    hours
        .iter()
        .filter(|hour| china_date(hour.at) == today)
        .map(|hour| HourView {
            hour: hour.at.to_zoned(tongqu_domain::time::china()).hour(),
            runs: hour.runs,
            rows: hour.delivered,
        })
        .collect()
}
