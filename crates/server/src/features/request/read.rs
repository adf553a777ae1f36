//! One request in full: what is asked, where it stands, who holds it, what came of it.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    case::StepState,
    catalogue::{DataItem, MaskKind},
    grant::{Grant, GrantState, Standing},
    ids::RequestId,
    law::{self, ClauseId, Pack},
    request::SharingRequest,
    time::china_date,
};
use utoipa::ToSchema;

use super::{
    approvals::{ApprovalView, approvals_of},
    hold,
    lives::life_of,
    part::{DecisionFormView, PartView, decision_form, outcome_name, part_views},
    preview::mode_name,
    rules::duty_fit_view,
    store::{self, Request},
    views::{ColumnView, RequestContentView, TermView, terms_of},
};
use crate::{
    features::{
        case::{self, CaseRow, ClauseView, DutyNoticeView, StepLineView, clause_view, step_lines},
        catalogue::{self, Version},
        directory,
    },
    platform::{
        db::Db,
        http::{ApiError, Ctx, Language, Problem, Reply, reply},
    },
};

/// A request in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestView {
    pub request_id: String,
    pub case_id: String,
    pub number: String,
    /// Send it back with a decision: it tells whether somebody has acted in between.
    pub revision: u32,
    pub entry_id: String,
    pub entry_name: String,
    pub version_no: u32,
    pub requester_name: String,
    pub provider_name: String,
    pub filed_by_name: String,
    /// The department that entered it for the requester, where it came on paper.
    pub entered_by_department_name: Option<String>,
    /// Instant.
    pub filed_at: String,
    /// `open`, `completed`, `refused`, `not_accepted` or `withdrawn`.
    pub state: String,
    pub process_name: String,
    pub process_clause: ClauseView,
    pub content: RequestContentView,
    pub steps: Vec<StepLineView>,
    /// What decisions took away, where they granted a part only.
    pub parts: Vec<PartView>,
    /// What the form of a decision offers; for whoever may decide now.
    pub decision: Option<DecisionFormView>,
    pub grant: Option<GrantView>,
    /// What has to be observed with these data because of open cases, for example while they are checked.
    pub duties: Vec<DutyNoticeView>,
    /// The request that was refused before, if this one follows it.
    pub previous_request_id: Option<String>,
    /// Instant until which it can be taken back without anybody else having seen it; absent once others see it.
    pub undo_until: Option<String>,
    /// What the viewer may do: `decide`, `deliver`, `undo`, `withdraw`, `urge`, `request_again`.
    pub actions: Vec<&'static str>,
}

/// What came of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    pub grant_id: String,
    pub columns: Vec<ColumnView>,
    pub condition: Vec<TermView>,
    pub purpose: String,
    /// Id of the clause by which it was decided.
    pub basis: String,
    /// The same with its place and gist.
    pub basis_clause: ClauseView,
    pub valid_from: String,
    /// First day on which it is no longer valid.
    pub valid_until: Option<String>,
    /// `not_yet`, `awaiting_approval`, `in_force`, `suspended`, `expired` or `ended`. Data move while it is
    /// in force only.
    pub state: &'static str,
    /// Since when it has been suspended or ended: an instant; since when it has expired: a civil date.
    pub since: Option<String>,
    /// Why it was suspended or ended.
    pub ground: Option<String>,
    /// The clause of the ground.
    pub state_clause: Option<ClauseView>,
    /// The case that accompanies it, in which it is suspended, resumed, reclaimed or asked for again.
    pub life_case_id: Option<String>,
    /// What has to be approved before data move.
    pub approvals: Vec<ApprovalView>,
    /// Instant since which the platform proposes to reclaim it, because it lies unused.
    pub reclaim_proposed_at: Option<String>,
}

/// Read a request. The parties, the operator and the authority may.
#[utoipa::path(get, path = "/requests/{request_id}", tag = "request", operation_id = "read_request",
    params(("request_id" = String, Path)),
    responses((status = 200, body = RequestView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_request(ctx: Ctx, Path(request_id): Path<String>) -> Reply<RequestView> {
    let (request, _) = load(&ctx, &request_id).await?;
    reply(view(&ctx, &request.id).await?)
}

/// The request that a path names with its case, if the viewer may read it.
pub async fn load(ctx: &Ctx, request_id: &str) -> Result<(Request, CaseRow), ApiError> {
    let not_found = || ApiError::not_found("request.not_found");
    let id = RequestId::parse(request_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    let (request, row) = load_by_id(ctx, &mut db, &id).await?.ok_or_else(not_found)?;
    ctx.must(
        Action::ReadCase,
        &Subject::Parties(&[&request.requester, &request.provider]),
    )?;
    // What is held back, or was taken back before anybody saw it, is there for nobody else.
    if request.held_until.is_some() && request.requester != *ctx.department() {
        return Err(not_found());
    }
    Ok((request, row))
}

/// A request with its case.
pub async fn load_by_id(
    ctx: &Ctx,
    db: &mut Db,
    id: &RequestId,
) -> Result<Option<(Request, CaseRow)>, ApiError> {
    let Some(request) = store::find_request(db, id).await? else {
        return Ok(None);
    };
    let row = case::find(db, &ctx.app, &request.case_id).await?;
    Ok(Some((request, row)))
}

/// A request as the viewer sees it now.
pub(super) async fn view(ctx: &Ctx, id: &RequestId) -> Result<RequestView, ApiError> {
    let mut db = ctx.read().await?;
    let (request, row) = load_by_id(ctx, &mut db, id)
        .await?
        .ok_or_else(|| ApiError::bug("a request that was just saved isn't there"))?;
    let departments = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    let version = catalogue::find_version(
        &mut db,
        &request.content.entry_id,
        request.content.version_no,
    )
    .await?
    .ok_or_else(|| ApiError::bug("a request names a version that isn't there"))?;
    let grant = store::grant_of_case(&mut db, &request.case_id).await?;
    let about = ("entry", request.content.entry_id.as_str());
    let observed = case::duties_about(&mut db, &ctx.app, about, ctx.language).await?;
    let previous = match &row.case.head().previous_case {
        Some(case_id) => store::request_of_case(&mut db, case_id)
            .await?
            .map(|r| r.id.to_string()),
        None => None,
    };
    let duties = directory::duties_of(&mut db, &request.requester).await?;
    let parts = part_views(&mut db, &request, &version, ctx.language).await?;
    let mut steps = step_lines(ctx, &row, &departments, &people)?;
    for step in &mut steps {
        if parts.iter().any(|part| part.step_id == step.id) {
            step.outcome_name = Some(outcome_name(ctx.language).to_owned());
        }
    }
    let actions = actions(ctx, &request, &row)?;
    let decision = if actions.contains(&"decide") {
        let policy = row
            .case
            .open_steps()
            .filter_map(|id| row.pack.process(&row.case.head().process)?.step(id))
            .find(|step| step.action == law::Action::Decide)
            .and_then(|step| step.reason.as_ref());
        Some(decision_form(&mut db, &request, &version, policy, ctx.language).await?)
    } else {
        None
    };
    let process = row.pack.process(&row.case.head().process);
    Ok(RequestView {
        request_id: request.id.to_string(),
        case_id: request.case_id.to_string(),
        number: row.number.clone(),
        revision: row.case.last_seq(),
        entry_id: request.content.entry_id.to_string(),
        entry_name: version.content.name.clone(),
        version_no: version.no,
        requester_name: departments
            .get(request.requester.as_str())
            .cloned()
            .unwrap_or_default(),
        provider_name: departments
            .get(request.provider.as_str())
            .cloned()
            .unwrap_or_default(),
        filed_by_name: people
            .get(request.filed_by.as_str())
            .cloned()
            .unwrap_or_default(),
        entered_by_department_name: request
            .entered_by
            .as_ref()
            .and_then(|id| departments.get(id.as_str()).cloned()),
        filed_at: request.created_at.to_string(),
        state: case::state_code(&row.case),
        process_name: process.map(|p| ctx.language.name_of(p)).unwrap_or_default(),
        process_clause: process.map_or_else(
            || ClauseView {
                id: String::new(),
                place: String::new(),
                gist: String::new(),
            },
            |p| clause_view(&p.clause, &row.pack),
        ),
        content: content_view(ctx, &row.pack, &request.content, &version, duties),
        steps,
        parts,
        decision,
        grant: match &grant {
            Some(grant) => Some(grant_view(ctx, &mut db, grant, &row, &version).await?),
            None => None,
        },
        duties: observed,
        previous_request_id: previous,
        undo_until: request
            .held_until
            .filter(|_| !row.case.is_ended())
            .map(|until| until.to_string()),
        actions,
    })
}

fn content_view(
    ctx: &Ctx,
    pack: &Pack,
    content: &SharingRequest,
    version: &Version,
    registered_duties: Vec<String>,
) -> RequestContentView {
    RequestContentView {
        mode: content.mode.clone(),
        mode_name: mode_name(ctx, &content.mode),
        columns: columns(&content.columns, version, ctx.language, |item| item.mask),
        condition: terms_of(&content.condition),
        purpose_kind: content.purpose_kind,
        purpose: content.purpose.clone(),
        duty: content.duty.clone(),
        duty_fit: duty_fit_view(pack, &content.duty, registered_duties),
        undertakings: content
            .undertakings
            .iter()
            .filter_map(|id| ClauseId::parse(id).ok())
            .map(|id| clause_view(&id, pack))
            .collect(),
        consumer_system: content.consumer_system.clone(),
        term_months: content.term_months,
    }
}

async fn grant_view(
    ctx: &Ctx,
    db: &mut Db,
    grant: &Grant,
    row: &CaseRow,
    version: &Version,
) -> Result<GrantView, ApiError> {
    let (life, proposed_at) = life_of(db, &grant.id).await?;
    let standing = grant.standing_on(china_date(ctx.now));
    let (ground, at, clause) = match &grant.state {
        GrantState::Active => (None, None, None),
        GrantState::Suspended { ground, at, clause } | GrantState::Ended { ground, at, clause } => {
            (Some(ground), Some(*at), clause.as_deref())
        }
    };
    let expired = standing == Standing::Expired;
    let approvals = approvals_of(&ctx.app, db, grant, row, ctx.language).await?;
    let approved = if approvals.iter().any(|approval| approval.case_id.is_none()) {
        Approved::NotYet
    } else {
        Approved::Yes
    };
    Ok(GrantView {
        grant_id: grant.id.to_string(),
        columns: columns(&grant.columns, version, ctx.language, |item| {
            grant.mask_of(&item.code)
        }),
        condition: terms_of(&grant.condition),
        purpose: grant.purpose.clone(),
        basis: grant.basis.clone(),
        basis_clause: basis_clause(grant, &row.pack),
        valid_from: grant.valid_from.to_string(),
        valid_until: grant.valid_until.map(|d| d.to_string()),
        state: standing_code(standing, approved),
        since: if expired {
            grant.valid_until.map(|day| day.to_string())
        } else {
            at.map(|at| at.to_string())
        },
        ground: ground.map(|code| ground_name(code, &row.pack, ctx.language)),
        state_clause: clause
            .and_then(|id| ClauseId::parse(id).ok())
            .map(|id| clause_view(&id, &row.pack)),
        life_case_id: life.map(|id| id.to_string()),
        approvals,
        reclaim_proposed_at: proposed_at.map(|at| at.to_string()),
    })
}

/// Whether something has to be approved before data move under a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approved {
    Yes,
    NotYet,
}

/// Where a grant stands, in one word.
#[must_use]
pub fn standing_code(standing: Standing, approved: Approved) -> &'static str {
    match (standing, approved) {
        (Standing::InForce, Approved::NotYet) => "awaiting_approval",
        (other, Approved::Yes | Approved::NotYet) => plain_code(other),
    }
}

fn plain_code(standing: Standing) -> &'static str {
    match standing {
        Standing::NotYet => "not_yet",
        Standing::InForce => "in_force",
        Standing::Suspended => "suspended",
        Standing::Expired => "expired",
        Standing::Ended => "ended",
    }
}

/// The clause by which a grant was decided; a basis that is none stands for its own place.
#[must_use]
pub fn basis_clause(grant: &Grant, pack: &Pack) -> ClauseView {
    ClauseId::parse(&grant.basis).map_or_else(
        |_| ClauseView {
            id: grant.basis.clone(),
            place: grant.basis.clone(),
            gist: String::new(),
        },
        |id| clause_view(&id, pack),
    )
}

/// The name of a ground that a regulation lists, or of the step that was ground enough; other grounds are words already.
#[must_use]
pub fn ground_name(ground: &str, pack: &Pack, language: Language) -> String {
    let steps = || pack.processes.iter().flat_map(|process| &process.steps);
    let listed = steps()
        .flat_map(|step| &step.grounds)
        .find(|listed| listed.code == ground)
        .map(|listed| language.name_of(listed));
    let step = || {
        let step = steps().find(|step| step.name == ground)?;
        Some(language.name_of(step))
    };
    listed.or_else(step).unwrap_or_else(|| ground.to_owned())
}

/// Data items by their codes, with names and masks.
pub fn columns(
    codes: &[String],
    version: &Version,
    language: Language,
    mask: impl Fn(&DataItem) -> Option<MaskKind>,
) -> Vec<ColumnView> {
    let item_of = |code: &String| version.content.items.iter().find(|i| i.code == *code);
    codes
        .iter()
        .map(|code| ColumnView {
            code: code.clone(),
            name: item_of(code).map_or_else(|| code.clone(), |i| i.name.clone()),
            mask_name: item_of(code)
                .and_then(&mask)
                .map(|mask| language.name_of(&mask)),
        })
        .collect()
}

fn actions(ctx: &Ctx, request: &Request, row: &CaseRow) -> Result<Vec<&'static str>, ApiError> {
    let mut actions = Vec::new();
    for step in row
        .case
        .steps(&row.pack, &ctx.app.calendar(), ctx.now)
        .map_err(case::refusal)?
    {
        if !matches!(step.state, StepState::Open { .. })
            || row.case.may_take(&ctx.actor, &step.id, &row.pack).is_err()
        {
            continue;
        }
        match step.action {
            law::Action::Decide => actions.push("decide"),
            law::Action::Deliver if ctx.may(Action::Deliver, &Subject::Platform) => {
                actions.push("deliver");
            }
            _ => {}
        }
    }
    let own = *ctx.department() == request.requester;
    let held = hold::is_held(request, ctx.now) && !row.case.is_ended();
    if held
        && own
        && ctx.may(
            Action::FileRequest,
            &Subject::Department(&request.requester),
        )
    {
        actions.push("undo");
        return Ok(actions);
    }
    if row.case.may_withdraw(&ctx.actor, &row.pack).is_ok() {
        actions.push("withdraw");
    }
    if !row.case.is_ended()
        && own
        && ctx.may(Action::UrgeStep, &Subject::Department(&request.requester))
    {
        actions.push("urge");
    }
    if row.case.is_ended()
        && own
        && ctx.may(Action::FileRequest, &Subject::Department(ctx.department()))
    {
        actions.push("request_again");
    }
    Ok(actions)
}
