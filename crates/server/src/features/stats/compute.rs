//! The figures of a period, put together from what the features have stored.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    calendar::Calendar,
    catalogue::UpdateCycle,
    law::Outcome,
    time::{china_date, china_midnight},
};

use super::{
    store::{self, Held, Taken},
    views::{DepartmentFiguresView, FiguresView, SecurityView, StatsView},
};
use crate::{
    features::{directory, exchange, supervision},
    platform::http::{ApiError, Ctx},
};

/// The longest period, in days: the steps of a case are read one by one.
const DAYS_MAX: i32 = 366;

/// A period of civil dates, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub first: Date,
    pub last: Date,
}

impl Period {
    /// Reads both dates.
    ///
    /// Errors: `usage.period` if they aren't dates in order, `stats.too_long` beyond a year.
    pub fn parse(from: &str, to: &str) -> Result<Self, ApiError> {
        let (Ok(first), Ok(last)) = (from.parse::<Date>(), to.parse::<Date>()) else {
            return Err(ApiError::invalid("usage.period").field("from", "usage.period"));
        };
        if first > last {
            return Err(ApiError::invalid("usage.period").field("to", "usage.period"));
        }
        let days = last.since(first).map_err(ApiError::bug)?.get_days();
        if days >= DAYS_MAX {
            return Err(ApiError::invalid("stats.too_long").field("from", "stats.too_long"));
        }
        Ok(Self { first, last })
    }

    /// Its first instant, and the first after it.
    fn instants(self) -> Result<(Timestamp, Timestamp), ApiError> {
        let next = self.last.tomorrow().map_err(ApiError::bug)?;
        let begins = |date| china_midnight(date).map_err(ApiError::bug);
        Ok((begins(self.first)?, begins(next)?))
    }
}

/// Figures under way: sums from which averages are taken at the end.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    figures: FiguresView,
    /// Working days of all decisions, and how many have them.
    decision_days: i64,
    decisions: i64,
    /// Working days allowed for those with a last day, and how many those are.
    limit_days: i64,
    limited: i64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        let (to, from) = (&mut self.figures, &other.figures);
        to.entries += from.entries;
        to.mounted += from.mounted;
        to.with_data += from.with_data;
        to.in_cycle += from.in_cycle;
        to.requests_received += from.requests_received;
        to.requests_filed += from.requests_filed;
        to.granted += from.granted;
        to.refused += from.refused;
        to.steps += from.steps;
        to.steps_on_time += from.steps_on_time;
        to.grants_given += from.grants_given;
        to.grants_held += from.grants_held;
        to.grants_unused += from.grants_unused;
        to.rows_given += from.rows_given;
        to.rows_received += from.rows_received;
        to.rows_read += from.rows_read;
        to.rows_quarantined += from.rows_quarantined;
        self.decision_days += other.decision_days;
        self.decisions += other.decisions;
        self.limit_days += other.limit_days;
        self.limited += other.limited;
    }

    fn view(self) -> FiguresView {
        FiguresView {
            decision_days: average(self.decision_days, self.decisions),
            limit_days: average(self.limit_days, self.limited),
            ..self.figures
        }
    }
}

/// To one decimal.
fn average(sum: i64, of: i64) -> Option<f64> {
    let tenths = i32::try_from((sum * 20 + of).checked_div(of * 2)?).ok()?;
    Some(f64::from(tenths) / 10.0)
}

/// The days after which an arrival is too old for its cycle; `None` where the entry promises no cycle.
fn days_of(cycle: UpdateCycle) -> Option<i64> {
    match cycle {
        UpdateCycle::Realtime | UpdateCycle::Daily => Some(1),
        UpdateCycle::Weekly => Some(7),
        UpdateCycle::Monthly => Some(31),
        UpdateCycle::Quarterly => Some(92),
        UpdateCycle::Yearly => Some(366),
        UpdateCycle::Other => None,
    }
}

fn is_in_cycle(held: &Held, today: Date) -> bool {
    let (Some(arrived), Some(days)) = (held.last_arrival_at, days_of(held.cycle)) else {
        return held.last_arrival_at.is_some();
    };
    let age = today.since(china_date(arrived));
    age.is_ok_and(|age| i64::from(age.get_days()) <= days)
}

impl Sums {
    /// A decision that the provider took on a request for its data.
    fn note_decision(&mut self, taken: &Taken, calendar: &Calendar) {
        match taken.event.outcome {
            Some(Outcome::Approved) => self.figures.granted += 1,
            Some(Outcome::Refused) => self.figures.refused += 1,
            _ => return,
        }
        let filed = china_date(taken.opened_at);
        // A year whose holidays aren't published yet has no working days to count.
        if let Ok(days) = calendar.working_days_between(filed, china_date(taken.event.at)) {
            self.decision_days += days;
            self.decisions += 1;
        }
        let limit = taken
            .event
            .due_on
            .and_then(|due| calendar.working_days_between(filed, due).ok());
        if let Some(days) = limit {
            self.limit_days += days;
            self.limited += 1;
        }
    }

    fn note_step(&mut self, taken: &Taken) {
        if let Some(due_on) = taken.event.due_on {
            self.figures.steps += 1;
            self.figures.steps_on_time += i64::from(china_date(taken.event.at) <= due_on);
        }
    }
}

/// The statistics of a period.
pub(super) async fn statistics(ctx: &Ctx, period: Period) -> Result<StatsView, ApiError> {
    let (from, until) = period.instants()?;
    let today = china_date(ctx.now);
    let calendar = ctx.app.calendar();
    let mut db = ctx.read().await?;
    let mut by_department: BTreeMap<String, Sums> = BTreeMap::new();
    for (id, entries) in store::entries(&mut db).await? {
        let figures = &mut by_department.entry(id).or_default().figures;
        figures.entries = entries.published;
        figures.mounted = entries.mounted;
        figures.with_data = entries.with_data;
    }
    for held in store::held(&mut db).await? {
        let is_in_cycle = is_in_cycle(&held, today);
        let sums = by_department.entry(held.department_id).or_default();
        sums.figures.in_cycle += i64::from(is_in_cycle);
    }
    for asked in store::asked(&mut db, from, until).await? {
        let requests = asked.requests;
        let sides = [asked.provider_id, asked.requester_id];
        for_both(&mut by_department, sides, |given, own| {
            given.figures.requests_received += requests;
            own.figures.requests_filed += requests;
        });
    }
    store::for_each_step(&mut db, from, until, |taken| {
        let Some(by) = &taken.event.by else {
            return;
        };
        let sums = by_department.entry(by.department.to_string()).or_default();
        sums.note_step(taken);
        if taken.on_request && by.department.as_str() == taken.provider_id {
            sums.note_decision(taken, &calendar);
        }
    })
    .await?;
    for grant in supervision::usage(&mut db, from, until).await? {
        let active = i64::from(grant.is_active_on(period.last));
        let unused = if grant.runs == 0 { active } else { 0 };
        let rows = grant.rows;
        let sides = [grant.provider_id, grant.requester_id];
        for_both(&mut by_department, sides, |given, own| {
            given.figures.grants_given += active;
            given.figures.rows_given += rows;
            own.figures.grants_held += active;
            own.figures.grants_unused += unused;
            own.figures.rows_received += rows;
        });
    }
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    for moved in exchange::moved(&mut db, None, from, until).await? {
        if moved.requester.is_none() {
            let sums = by_department.entry(moved.provider.to_string()).or_default();
            sums.figures.rows_read += count(moved.counts.read);
            sums.figures.rows_quarantined += count(moved.counts.quarantined);
        }
    }
    let refused = store::acts(&mut db, ["session.refused", "session.locked"], from, until).await?;
    let names = directory::department_names(&mut db).await?;
    drop(db);

    let mut total = Sums::default();
    let mut departments: Vec<DepartmentFiguresView> = Vec::new();
    for (id, sums) in by_department {
        total.add(&sums);
        departments.push(DepartmentFiguresView {
            department_name: names.get(&id).cloned().unwrap_or_default(),
            department_id: id,
            figures: sums.view(),
        });
    }
    departments.retain(|one| one.figures != FiguresView::default());
    departments.sort_by(|a, b| a.department_name.cmp(&b.department_name));
    let acts = |what| refused.get(what).copied().unwrap_or_default();
    Ok(StatsView {
        from: period.first.to_string(),
        to: period.last.to_string(),
        total: total.view(),
        departments,
        security: SecurityView {
            sign_ins_refused: acts("session.refused"),
            accounts_locked: acts("session.locked"),
        },
    })
}

/// Adds what `note` says of the provider and of the requester, which may be the same department.
fn for_both(
    by_department: &mut BTreeMap<String, Sums>,
    sides: [String; 2],
    note: impl Fn(&mut Sums, &mut Sums),
) {
    let mut sums = [Sums::default(), Sums::default()];
    let [given, own] = &mut sums;
    note(given, own);
    for (side, sums) in sides.into_iter().zip(sums) {
        by_department.entry(side).or_default().add(&sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded_to_one_decimal() {
        assert_eq!(average(0, 0), None);
        assert_eq!(average(7, 2), Some(3.5));
        assert_eq!(average(10, 3), Some(3.3));
        assert_eq!(average(5, 3), Some(1.7));
    }

    #[test]
    fn an_arrival_is_in_its_cycle_until_the_cycle_is_over() {
        let held = |cycle, at: Option<&str>| Held {
            department_id: "dep-a".to_owned(),
            cycle,
            last_arrival_at: at.map(|at| at.parse().unwrap()),
        };
        let today = jiff::civil::date(2026, 9, 21);
        let at = |cycle, at| is_in_cycle(&held(cycle, at), today);
        assert!(at(UpdateCycle::Daily, Some("2026-09-20T01:00:00Z")));
        assert!(!at(UpdateCycle::Daily, Some("2026-09-19T01:00:00Z")));
        assert!(at(UpdateCycle::Weekly, Some("2026-09-14T01:00:00Z")));
        assert!(!at(UpdateCycle::Weekly, Some("2026-09-13T01:00:00Z")));
        assert!(at(UpdateCycle::Other, Some("2020-01-01T01:00:00Z")));
        assert!(!at(UpdateCycle::Other, None), "nothing has arrived");
    }

    #[test]
    fn a_period_is_a_year_at_most_and_in_order() {
        assert!(Period::parse("2026-01-01", "2026-12-31").is_ok());
        for (from, to, code) in [
            ("2026-01-02", "2026-01-01", "usage.period"),
            ("yesterday", "2026-01-01", "usage.period"),
            ("2025-01-01", "2026-12-31", "stats.too_long"),
        ] {
            assert_eq!(Period::parse(from, to).unwrap_err().code(), code);
        }
    }
}
