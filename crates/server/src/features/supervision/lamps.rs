//! Lamps by department, for the authority; a department sees its own.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    time::china_date,
};
use utoipa::ToSchema;

use super::{digest::next_working_day, duties, store};
use crate::{
    features::directory,
    platform::http::{Ctx, Problem, Reply, reply},
};

/// How the open steps of all departments stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct LampsByDepartmentView {
    /// The day they are reckoned for: a civil date.
    pub today: String,
    /// By name; departments that owe nothing are left out.
    pub departments: Vec<DepartmentLampsView>,
}

/// How a department stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentLampsView {
    pub department_id: String,
    pub department_name: String,
    /// Open steps.
    pub open: i64,
    pub overdue: i64,
    pub due_today: i64,
    /// Due after today, up to the next working day.
    pub due_next: i64,
    /// Everything else: later dates, and steps without one.
    pub ample: i64,
    /// Drafts about its overdue steps that the authority hasn't settled. 0 for everybody else.
    pub drafts: i64,
    /// Periodic reports that weren't handed in in time.
    pub duties_overdue: i64,
    /// Published entries with no data behind them. Spec: YJ-3.1.1b.
    pub unmounted: i64,
}

/// The lamps of every department, or of the own one.
#[utoipa::path(get, path = "/supervision/lamps", tag = "supervision", operation_id = "read_lamps",
    responses((status = 200, body = LampsByDepartmentView), (status = 403, body = Problem)))]
pub async fn read_lamps(ctx: Ctx) -> Reply<LampsByDepartmentView> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let of_all = ctx.may(Action::ReadSupervision, &Subject::Platform);
    let today = china_date(ctx.now);
    let next = next_working_day(&ctx.app.calendar(), today);
    let duties_overdue = duties::overdue_by_department(&ctx).await?;
    let mut db = ctx.read().await?;
    let names = directory::department_names(&mut db).await?;
    let drafts = if ctx.may(Action::Supervise, &Subject::Platform) {
        store::drafts_by_department(&mut db).await?
    } else {
        BTreeMap::new()
    };
    let unmounted = store::unmounted_by_department(&mut db).await?;
    let lamps: BTreeMap<String, store::Lamps> = store::lamps(&mut db, today, next, None)
        .await?
        .into_iter()
        .map(|lamps| (lamps.department_id.to_string(), lamps))
        .collect();
    let mut departments: Vec<DepartmentLampsView> = names
        .into_iter()
        .filter(|(id, _)| of_all || id == ctx.department().as_str())
        .map(|(id, name)| {
            let of = |count: fn(&store::Lamps) -> i64| lamps.get(&id).map_or(0, count);
            let (open, overdue) = (of(|l| l.open), of(|l| l.overdue));
            let (due_today, due_next) = (of(|l| l.due_today), of(|l| l.due_next));
            DepartmentLampsView {
                open,
                overdue,
                due_today,
                due_next,
                ample: open - overdue - due_today - due_next,
                drafts: drafts.get(&id).copied().unwrap_or(0),
                duties_overdue: duties_overdue.get(&id).copied().unwrap_or(0),
                unmounted: unmounted.get(&id).copied().unwrap_or(0),
                department_id: id,
                department_name: name,
            }
        })
        .filter(|d| d.open + d.drafts + d.duties_overdue + d.unmounted > 0)
        .collect();
    departments.sort_by(|a, b| a.department_name.cmp(&b.department_name));
    reply(LampsByDepartmentView {
        today: today.to_string(),
        departments,
    })
}
