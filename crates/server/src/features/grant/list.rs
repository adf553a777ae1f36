//! Grants that a department gave or holds: where each stands, what was delivered under it, what may be done.

use std::collections::BTreeMap;

use axum::extract::Query;
use jiff::ToSpan as _;
use serde::Deserialize;
use tongqu_domain::{
    access::{Action, Subject},
    grant::{GrantState, Standing as Worth},
    ids::{CaseId, DepartmentId, EntryId, GrantId},
    law::{self, Outcome},
    time::china_date,
};
use utoipa::IntoParams;

use super::{
    store::{self, Counts, Row, Side, Standing, Wanted},
    views::{GrantActView, GrantCountsView, GrantLineView, GrantsView},
};
use crate::{
    features::{
        case::{self, CaseRow, StepLineView},
        catalogue::{self, Version},
        directory,
        exchange::{self, LastDelivery},
        request,
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, PageQuery, Problem, Reply, reply},
    },
};

/// Which grants.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct GrantsQuery {
    /// `provided` (the default): what the own department gave; `received`: what it holds; `all`: every grant,
    /// for those who watch over the platform.
    pub side: Option<String>,
    /// `in_force`, `expiring`, `unused`, `suspended`, `expired` or `ended`; all if left out.
    pub state: Option<String>,
    /// Part of the name of an entry or of a department.
    pub q: Option<String>,
    /// Only grants on this entry.
    pub entry_id: Option<String>,
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

/// A question that the viewer may ask, with what it stands for.
pub(super) struct Asked {
    side: Side,
    departments: Vec<DepartmentId>,
    standing: Option<Standing>,
    text: String,
    entry_id: Option<EntryId>,
    today: jiff::civil::Date,
    soon: jiff::civil::Date,
}

impl Asked {
    /// Reads a question.
    ///
    /// Errors: `access.*`; `grant.unknown_filter` for a side or a state that there isn't.
    pub(super) async fn read(
        ctx: &Ctx,
        db: &mut Db,
        query: &GrantsQuery,
    ) -> Result<Self, ApiError> {
        let unknown =
            |field| ApiError::invalid("grant.unknown_filter").field(field, "grant.unknown_filter");
        let side = match query.side.as_deref().unwrap_or("provided") {
            "provided" => Side::Provided,
            "received" => Side::Received,
            "all" => Side::Everybody,
            _ => return Err(unknown("side")),
        };
        match side {
            Side::Everybody => ctx.must(Action::ReadGrant, &Subject::Platform)?,
            Side::Provided | Side::Received => {
                ctx.must(Action::ReadGrant, &Subject::Parties(&[ctx.department()]))?;
            }
        }
        let standing = match query.state.as_deref() {
            None | Some("") => None,
            Some(code) => Some(Standing::find(code).ok_or_else(|| unknown("state"))?),
        };
        let entry_id = match query.entry_id.as_deref() {
            None | Some("") => None,
            Some(id) => Some(EntryId::parse(id).map_err(|_| unknown("entry_id"))?),
        };
        let today = china_date(ctx.now);
        Ok(Self {
            side,
            // A department that others were merged into goes on with what was theirs.
            departments: directory::answers_for(db, ctx.department()).await?,
            standing,
            text: query.q.as_deref().unwrap_or_default().trim().to_owned(),
            entry_id,
            today,
            soon: today.saturating_add(i64::from(ctx.app.config.request.expiring_days).days()),
        })
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            side: self.side,
            departments: &self.departments,
            standing: self.standing,
            text: &self.text,
            entry_id: self.entry_id.as_ref(),
            today: self.today,
            soon: self.soon,
        }
    }
}

/// Grants, the newest first.
#[utoipa::path(get, path = "/grants", tag = "grant", operation_id = "list_grants", params(GrantsQuery),
    responses((status = 200, body = GrantsView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn list_grants(ctx: Ctx, Query(query): Query<GrantsQuery>) -> Reply<GrantsView> {
    let mut db = ctx.read().await?;
    let asked = Asked::read(&ctx, &mut db, &query).await?;
    let size = PageQuery {
        cursor: None,
        size: query.size,
    }
    .size();
    let mut rows = store::list(&mut db, &asked.wanted(), query.cursor.as_deref(), size).await?;
    let counts = store::counts(&mut db, &asked.wanted()).await?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next_cursor = more.then(|| rows.last().map(store::place)).flatten();
    reply(GrantsView {
        items: lines(&ctx, &mut db, &asked, &rows).await?,
        next_cursor,
        counts: counts_view(&counts),
        expiring_days: ctx.app.config.request.expiring_days,
    })
}

fn counts_view(counts: &Counts) -> GrantCountsView {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    GrantCountsView {
        in_force: count(counts.in_force),
        expiring: count(counts.expiring),
        unused: count(counts.unused),
        suspended: count(counts.suspended),
        expired: count(counts.expired),
        ended: count(counts.ended),
    }
}

/// The grants as the viewer sees them.
pub(super) async fn lines(
    ctx: &Ctx,
    db: &mut Db,
    asked: &Asked,
    rows: &[Row],
) -> Result<Vec<GrantLineView>, ApiError> {
    let departments = directory::department_names(db).await?;
    let people = directory::people_names(db).await?;
    let grants: Vec<&GrantId> = rows.iter().map(|row| &row.grant.id).collect();
    let deliveries = exchange::last_deliveries(db, &grants).await?;
    let lives = case::open_about_each(db, "grant", &grants).await?;
    let ids: Vec<CaseId> = rows
        .iter()
        .map(|row| row.grant.case_id.clone())
        .chain(lives.values().cloned())
        .collect();
    let cases = case::find_many(db, &ctx.app, &ids).await?;
    let mut versions: BTreeMap<(EntryId, u32), Version> = BTreeMap::new();
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let grant = &row.grant;
        let decided = cases
            .get(&grant.case_id)
            .ok_or_else(|| ApiError::bug("a grant names a case that isn't there"))?;
        let key = (grant.entry_id.clone(), grant.version_no);
        if !versions.contains_key(&key) {
            let version = catalogue::find_version(db, &grant.entry_id, grant.version_no)
                .await?
                .ok_or_else(|| ApiError::bug("a grant names a version that isn't there"))?;
            versions.insert(key.clone(), version);
        }
        let approved = request::is_approved(&ctx.app, db, grant, decided).await?;
        let life = lives
            .get(grant.id.as_str())
            .and_then(|case_id| cases.get(case_id));
        let around = Around {
            ctx,
            asked,
            departments: &departments,
            people: &people,
            decided,
            version: &versions[&key],
            life,
            delivery: deliveries.get(&grant.id),
            approved,
        };
        lines.push(line(&around, row)?);
    }
    Ok(lines)
}

/// What is known beside the grant itself.
struct Around<'a> {
    ctx: &'a Ctx,
    asked: &'a Asked,
    departments: &'a BTreeMap<String, String>,
    people: &'a BTreeMap<String, String>,
    /// The case that decided it.
    decided: &'a CaseRow,
    version: &'a Version,
    /// The case that accompanies it.
    life: Option<&'a CaseRow>,
    delivery: Option<&'a LastDelivery>,
    approved: request::Approved,
}

fn line(around: &Around<'_>, row: &Row) -> Result<GrantLineView, ApiError> {
    let (ctx, grant) = (around.ctx, &row.grant);
    let name_of = |id: &DepartmentId| {
        let name = around.departments.get(id.as_str());
        name.cloned().unwrap_or_default()
    };
    let worth = grant.standing_on(around.asked.today);
    let (ground, since) = match &grant.state {
        GrantState::Active => (None, None),
        GrantState::Suspended { ground, at, .. } | GrantState::Ended { ground, at, .. } => {
            (Some(ground), Some(*at))
        }
    };
    let pack = &around.decided.pack;
    let is_over = matches!(worth, Worth::Expired | Worth::Ended);
    let expiring = !is_over
        && grant
            .valid_until
            .is_some_and(|end| end <= around.asked.soon);
    let holds = around.asked.side != Side::Everybody && *ctx.department() == grant.requester;
    Ok(GrantLineView {
        grant_id: grant.id.to_string(),
        request_id: row.request_id.to_string(),
        number: row.number.clone(),
        entry_id: grant.entry_id.to_string(),
        entry_name: row.entry_name.clone(),
        requester_name: name_of(&grant.requester),
        provider_name: name_of(&grant.provider),
        consumer_system: row.consumer_system.clone(),
        columns: request::columns(&grant.columns, around.version, ctx.language, |item| {
            grant.mask_of(&item.code)
        }),
        condition: request::terms_of(&grant.condition),
        purpose: grant.purpose.clone(),
        basis: request::basis_clause(grant, pack),
        valid_from: grant.valid_from.to_string(),
        valid_until: grant.valid_until.map(|day| day.to_string()),
        expiring,
        state: request::standing_code(worth, around.approved),
        since: since.map(|at| at.to_string()),
        ground: ground.map(|code| request::ground_name(code, pack, around.ctx.language)),
        last_delivery_at: around
            .delivery
            .and_then(|it| it.at)
            .map(|at| at.to_string()),
        last_delivery_rows: around.delivery.and_then(|it| it.rows),
        table: around.delivery.map(|it| it.table.clone()),
        reclaim_proposed_at: row.reclaim_proposed_at.map(|at| at.to_string()),
        life_case_id: around.life.map(|life| life.case.head().id.to_string()),
        life_revision: around.life.map(|life| life.case.last_seq()),
        actions: match around.life {
            Some(life) => acts(around, life, worth)?,
            None => Vec::new(),
        },
        may_request_again: holds
            && (is_over || expiring)
            && ctx.may(Action::FileRequest, &Subject::Department(ctx.department())),
    })
}

/// What the viewer may do with a grant: steps of the case that accompanies it, as far as they lead on from
/// where the grant stands. Spec: PDS-19.1, PDS-19.2, YC-29.p2, YC-29.p3.
fn acts(around: &Around<'_>, life: &CaseRow, worth: Worth) -> Result<Vec<GrantActView>, ApiError> {
    let steps = case::step_lines(around.ctx, life, around.departments, around.people)?;
    let today = around.asked.today.to_string();
    let mut acts = Vec::new();
    for step in &steps {
        let is_early = step.earliest_on.as_ref().is_some_and(|day| *day > today);
        let Some(action) = law::Action::find(&step.action).filter(|_| step.may_take && !is_early)
        else {
            continue;
        };
        let suspended = worth == Worth::Suspended;
        match action {
            law::Action::Suspend => {
                for outcome in &step.outcomes {
                    let kind = if outcome.code == Outcome::Suspended.code() {
                        "suspend"
                    } else {
                        "end"
                    };
                    if kind == "end" || !suspended {
                        acts.push(act(kind, step, Some((&outcome.code, outcome.needs_reason))));
                    }
                }
            }
            law::Action::Resume if suspended => acts.push(act("resume", step, None)),
            law::Action::Reclaim => acts.push(act("reclaim", step, None)),
            _ => {}
        }
    }
    Ok(acts)
}

fn act(kind: &'static str, step: &StepLineView, outcome: Option<(&String, bool)>) -> GrantActView {
    GrantActView {
        kind,
        step_id: step.id.clone(),
        outcome: outcome.map(|(code, _)| code.clone()),
        grounds: step.grounds.clone(),
        needs_reason: outcome.is_some_and(|(_, needs_reason)| needs_reason),
        clause: step.clause.clone(),
        dangerous: kind != "resume",
    }
}
