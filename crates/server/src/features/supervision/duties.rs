//! What comes round: annual reports, reports on secure use, statistics, assessments, drills.
//!
//! What is owed isn't stored: it is reckoned from the pack in force, the departments and the periods that
//! the authority has set; stored is what was handed in.
//! Spec: YC-39, YJ-4.2.3, LY-19, LY-8.1, PDS-22.1, YC-35, YC-36, YC-37, YC-38.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, Query};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, StepSubject, Subject},
    ids::DepartmentId,
    law::{self, HeldBy, Pack, PeriodicDuty},
    supervision::{DutyItem, duty_items},
    time::china_date,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    figures,
    store::{self, Owing, Report},
};
use crate::{
    features::{
        case::{ClauseView, clause_view},
        directory,
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Page, PageQuery, Problem, Reply, reply},
    },
};

/// Stands in the id of an occasion that has no period.
const UNDATED: &str = "undated";

/// One occasion of a duty for one department.
pub(super) struct Occasion<'a> {
    pub(super) duty: &'a PeriodicDuty,
    pub(super) department_id: DepartmentId,
    pub(super) item: DutyItem,
    report: Option<Report>,
}

impl Occasion<'_> {
    pub(super) fn owing(&self) -> Owing {
        Owing {
            duty_id: self.duty.id.clone(),
            department_id: self.department_id.to_string(),
            period_from: self
                .item
                .covers
                .map_or(String::new(), |(first, _)| first.to_string()),
        }
    }

    pub(super) fn id(&self) -> String {
        let owing = self.owing();
        let period = if owing.period_from.is_empty() {
            UNDATED
        } else {
            &owing.period_from
        };
        format!("{}.{}.{period}", owing.duty_id, owing.department_id)
    }

    /// Without a period one may report again and again, so it is never done with.
    pub(super) fn is_submitted(&self) -> bool {
        self.report.is_some() && self.item.covers.is_some()
    }

    fn state(&self, today: Date) -> &'static str {
        if self.is_submitted() {
            "submitted"
        } else if self.item.is_overdue(today) {
            "overdue"
        } else {
            "open"
        }
    }
}

/// Every occasion that has come, of one department or of all.
async fn occasions<'a>(
    db: &mut Db,
    pack: &'a Pack,
    only: Option<&DepartmentId>,
    today: Date,
) -> Result<Vec<Occasion<'a>>, ApiError> {
    let pack_id = pack.meta.id.as_str();
    let periods = store::periods(db, pack_id).await?;
    let mut reports = store::reports(db, pack_id, only.map_or("", |id| id.as_str())).await?;
    let departments = store::departments(db).await?;
    let bound = directory::bound_roles(db, pack, None).await?;
    let providers = store::providers(db).await?;
    let requesters = store::requesters(db).await?;
    let holds = |duty: &PeriodicDuty, id: &DepartmentId| {
        let among = |some: &BTreeSet<String>| some.contains(id.as_str());
        pack.role(&duty.role)
            .is_some_and(|role| match role.held_by {
                HeldBy::Every => true,
                HeldBy::Provider => among(&providers),
                HeldBy::Requester => among(&requesters),
                HeldBy::Bound => bound.get(&duty.role) == Some(id),
                // Whoever isn't on the platform reports elsewhere.
                HeldBy::Outside => false,
            })
    };
    let mut found = Vec::new();
    for duty in &pack.periodic {
        for (department_id, since) in &departments {
            if only.is_some_and(|only| only != department_id) || !holds(duty, department_id) {
                continue;
            }
            let set = periods.get(&duty.id).copied();
            for item in duty_items(duty, set, china_date(*since), today) {
                let mut occasion = Occasion {
                    duty,
                    department_id: department_id.clone(),
                    item,
                    report: None,
                };
                occasion.report = reports.remove(&occasion.owing());
                found.push(occasion);
            }
        }
    }
    Ok(found)
}

/// How many reports are overdue, by department; of the own one only for those who see no other.
pub(super) async fn overdue_by_department(ctx: &Ctx) -> Result<BTreeMap<String, i64>, ApiError> {
    let of_all = ctx.may(Action::ReadSupervision, &Subject::Platform);
    let only = (!of_all).then(|| ctx.department().clone());
    let today = china_date(ctx.now);
    let mut db = ctx.read().await?;
    let mut overdue = BTreeMap::new();
    for occasion in occasions(&mut db, &ctx.app.pack(), only.as_ref(), today).await? {
        if occasion.state(today) == "overdue" {
            *overdue
                .entry(occasion.department_id.to_string())
                .or_default() += 1;
        }
    }
    Ok(overdue)
}

/// An occasion of a periodic duty.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyItemView {
    pub duty_item_id: String,
    /// The duty in the rule pack.
    pub duty_id: String,
    pub name: String,
    pub department_id: String,
    pub department_name: String,
    /// To whom, as the regulation names it.
    pub addressee_name: Option<String>,
    /// What it covers, as the pack lists it.
    pub covers: Vec<String>,
    /// First and last civil date reported on; absent where nobody has set a period.
    pub period_from: Option<String>,
    pub period_to: Option<String>,
    /// Civil date, inclusive; absent where there is none: then it is never overdue.
    pub due_on: Option<String>,
    /// `open`, `overdue` or `submitted`. Without a period it stays `open`.
    pub state: &'static str,
    /// Instant of the report, or of the last one where there is no period.
    pub submitted_at: Option<String>,
    /// Whether the report was in time; absent where there was no date.
    pub in_time: Option<bool>,
    pub clause: ClauseView,
}

/// An occasion with its numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyItemDetailView {
    #[serde(flatten)]
    pub duty: DutyItemView,
    /// By code: as submitted, or from the registry for the period so far.
    pub figures: BTreeMap<String, i64>,
    /// The report.
    pub text: Option<String>,
    pub submitted_by_name: Option<String>,
    /// Where the regulation has it published.
    pub published_on: Option<String>,
    /// Whether the viewer may hand it in now.
    pub may_submit: bool,
}

fn duty_view(
    ctx: &Ctx,
    occasion: &Occasion<'_>,
    pack: &Pack,
    today: Date,
    departments: &BTreeMap<String, String>,
) -> DutyItemView {
    let duty = occasion.duty;
    let report = occasion.report.as_ref();
    DutyItemView {
        duty_item_id: occasion.id(),
        duty_id: duty.id.clone(),
        name: ctx.language.name_of(duty),
        department_id: occasion.department_id.to_string(),
        department_name: departments
            .get(occasion.department_id.as_str())
            .cloned()
            .unwrap_or_default(),
        addressee_name: duty
            .addressee
            .as_ref()
            .and_then(|role| pack.role(role))
            .map(|role| ctx.language.name_of(role)),
        covers: duty.covers.clone(),
        period_from: occasion.item.covers.map(|(first, _)| first.to_string()),
        period_to: occasion.item.covers.map(|(_, last)| last.to_string()),
        due_on: occasion.item.due_on.map(|d| d.to_string()),
        state: occasion.state(today),
        submitted_at: report.map(|r| r.submitted_at.to_string()),
        in_time: report.and_then(|r| Some(china_date(r.submitted_at) <= r.due_on?)),
        clause: clause_view(&duty.due_clause, pack),
    }
}

/// Which occasions.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct DutiesQuery {
    /// Of this department; others than the authority see their own only.
    pub department_id: Option<String>,
    /// `open`, `overdue` or `submitted`.
    pub state: Option<String>,
    /// Of this duty.
    pub duty_id: Option<String>,
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// What is owed under the pack in force: overdue first, then by date.
#[utoipa::path(get, path = "/duties", tag = "supervision", operation_id = "list_duties", params(DutiesQuery),
    responses((status = 200, body = Page<DutyItemView>), (status = 403, body = Problem)))]
pub async fn list_duties(ctx: Ctx, Query(query): Query<DutiesQuery>) -> Reply<Page<DutyItemView>> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let of_all = ctx.may(Action::ReadSupervision, &Subject::Platform);
    let wanted = query
        .department_id
        .as_deref()
        .and_then(|id| DepartmentId::parse(id).ok());
    let only = if of_all {
        wanted
    } else {
        Some(ctx.department().clone())
    };
    let today = china_date(ctx.now);
    let mut db = ctx.read().await?;
    let departments = directory::department_names(&mut db).await?;
    let pack = &ctx.app.pack();
    let mut views: Vec<DutyItemView> = occasions(&mut db, pack, only.as_ref(), today)
        .await?
        .iter()
        .filter(|o| {
            query
                .state
                .as_deref()
                .is_none_or(|state| state == o.state(today))
        })
        .filter(|o| query.duty_id.as_ref().is_none_or(|id| *id == o.duty.id))
        .map(|o| duty_view(&ctx, o, pack, today, &departments))
        .collect();
    let rank = |state: &str| {
        ["overdue", "open", "submitted"]
            .iter()
            .position(|s| *s == state)
    };
    views.sort_by_cached_key(|v| {
        let due_on = v.due_on.clone().unwrap_or_else(|| "9999".to_owned());
        (
            rank(v.state),
            due_on,
            v.department_name.clone(),
            v.duty_item_id.clone(),
        )
    });
    let begun = query.cursor.as_ref().map_or(0, |cursor| {
        views
            .iter()
            .position(|v| v.duty_item_id == *cursor)
            .map_or(0, |at| at + 1)
    });
    let rest = views.split_off(begun);
    let size = PageQuery {
        cursor: None,
        size: query.size,
    }
    .size();
    reply(Page::cut(rest, size, |v| v.duty_item_id.clone()))
}

/// The occasion with this id, if the viewer may see it.
pub(super) async fn load<'a>(
    ctx: &Ctx,
    db: &mut Db,
    pack: &'a Pack,
    id: &str,
) -> Result<Occasion<'a>, ApiError> {
    ctx.must(
        Action::ReadSupervision,
        &Subject::Department(ctx.department()),
    )?;
    let gone = || ApiError::not_found("duty.not_found");
    let department_id = id
        .split('.')
        .nth(1)
        .and_then(|id| DepartmentId::parse(id).ok())
        .ok_or_else(gone)?;
    if !ctx.may(
        Action::ReadSupervision,
        &Subject::Department(&department_id),
    ) {
        return Err(gone());
    }
    occasions(db, pack, Some(&department_id), china_date(ctx.now))
        .await?
        .into_iter()
        .find(|occasion| occasion.id() == id)
        .ok_or_else(gone)
}

/// Whether the viewer holds the role of a duty in the department that owes it.
pub(super) fn may_submit(ctx: &Ctx, occasion: &Occasion<'_>, pack: &Pack) -> bool {
    pack.role(&occasion.duty.role).is_some_and(|role| {
        let subject = StepSubject {
            department: Some(&occasion.department_id),
            posts: &role.posts,
            action: law::Action::Report,
            filed_by: None,
        };
        ctx.may(Action::TakeStep, &Subject::Step(subject))
    })
}

pub(super) async fn detail(ctx: &Ctx, id: &str) -> Result<DutyItemDetailView, ApiError> {
    let pack = &ctx.app.pack();
    let today = china_date(ctx.now);
    let mut db = ctx.read().await?;
    let occasion = load(ctx, &mut db, pack, id).await?;
    let departments = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let figures = match &occasion.report {
        Some(report) if occasion.is_submitted() => report.figures.clone(),
        Some(_) | None => {
            // Where nobody has set a period, the numbers are those of the year so far.
            let year_begins = Date::new(today.year(), 1, 1).map_err(ApiError::bug)?;
            let (first, last) = occasion.item.covers.unwrap_or((year_begins, today));
            figures::of_department(&mut db, &occasion.department_id, first, last).await?
        }
    };
    let report = occasion.report.as_ref();
    Ok(DutyItemDetailView {
        duty: duty_view(ctx, &occasion, pack, today, &departments),
        figures,
        text: report.map(|r| r.text.clone()),
        submitted_by_name: report.and_then(|r| people.get(&r.submitted_by).cloned()),
        published_on: occasion.duty.published_on.clone(),
        may_submit: !occasion.is_submitted() && may_submit(ctx, &occasion, pack),
    })
}

/// An occasion, prefilled with the numbers of the registry.
#[utoipa::path(get, path = "/duties/{duty_id}", tag = "supervision", operation_id = "read_duty",
    params(("duty_id" = String, Path, description = "`duty_item_id` of the list")),
    responses((status = 200, body = DutyItemDetailView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_duty(ctx: Ctx, Path(id): Path<String>) -> Reply<DutyItemDetailView> {
    reply(detail(&ctx, &id).await?)
}
