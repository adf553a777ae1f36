//! One run in full: steps, counts, receipt, quarantine, and what to do if it failed.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::RunId,
};
use utoipa::ToSchema;

use super::{
    engine::{self, PoolTable, Reach, Side},
    list_runs::names,
    store::{self, Run, RunKind},
    views::RunLineView,
};
use crate::{
    features::{catalogue, directory, request},
    platform::http::{ApiError, Ctx, Problem, Reply, reply},
};

/// The most rows that the page shows by name.
const ROWS_SHOWN_MAX: usize = 200;

/// A run in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunView {
    #[serde(flatten)]
    pub line: RunLineView,
    pub steps: Vec<RunStepView>,
    /// For deliveries that ended well.
    pub receipt: Option<ReceiptView>,
    /// Why it failed.
    pub failure: Option<FailureView>,
    /// Rows set aside by this resource's last collection; for the provider only, because they hold values.
    pub quarantine: Vec<QuarantineView>,
    /// Rows of pool and target that a reconciliation found to differ; for the parties only, because keys are
    /// values. The most recent reconciliation's only.
    pub differences: Vec<DifferenceView>,
    /// The collection that a delivery followed.
    pub collection_run_id: Option<String>,
    /// What the viewer may do: `run_again`, `reconcile`.
    pub actions: Vec<&'static str>,
    /// For `run_again` of a delivery.
    pub subscription_id: Option<String>,
    /// Who answers for the use of what a delivery brought.
    pub answers: Option<AnswersView>,
}

/// Under which grant data went out, and who asked for them and answers for their use.
/// Spec: TP-5.6, YJ-4.1.3.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswersView {
    pub grant_id: String,
    pub request_id: String,
    /// The department that uses the data.
    pub department_name: String,
    /// Whoever asked for them there.
    pub person_name: String,
    pub purpose: String,
    pub consumer_system: String,
}

/// What was done when.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunStepView {
    /// `began`, `collected`, `applied`, `read_back`.
    pub name: String,
    /// Instant.
    pub at: String,
    pub rows: Option<u64>,
}

/// Proof of a delivery: what was sent and what the target holds, by digest.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptView {
    /// Rows that both digests are of.
    pub rows: i64,
    /// Rows that the target has afterwards.
    pub rows_held: i64,
    /// `changed`: the rows that the delivery brought or took away; `whole`: all that the grant covers.
    pub reach: &'static str,
    /// Digest of what the target should hold, from the pool, masked.
    pub sent_digest: String,
    /// Digest of what was read back from the target.
    pub held_digest: String,
    pub equal: bool,
}

/// Why a run failed, whose turn it is, and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureView {
    pub code: String,
    /// `provider`, `platform` or `requester`.
    #[schema(value_type = String)]
    pub side: Side,
    /// What happened and what to do next, in the user's language.
    pub message: String,
}

/// A row that differs between pool and target.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceView {
    pub key: String,
    /// `missing`, `altered` or `superfluous`, as seen at the target.
    pub kind: &'static str,
}

/// A row in quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineView {
    pub key: String,
    /// Code of the data item at fault.
    pub column: String,
    pub code: String,
    /// The reason, in the user's language.
    pub message: String,
}

/// Read a run.
#[utoipa::path(get, path = "/runs/{run_id}", tag = "exchange", operation_id = "read_run",
    params(("run_id" = String, Path)),
    responses((status = 200, body = RunView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read_run(ctx: Ctx, Path(run_id): Path<String>) -> Reply<RunView> {
    let run = load(&ctx, &run_id).await?;
    let mut db = ctx.read().await?;
    let names = names(&mut db, std::slice::from_ref(&run)).await?;
    drop(db);
    let answers = answers(&ctx, &run).await?;
    let own_data = Subject::Department(&run.provider_department_id);
    let quarantine = if ctx.may(Action::ReadQuarantine, &own_data) {
        quarantine(&ctx, &run).await?
    } else {
        Vec::new()
    };
    let mut actions = Vec::new();
    if run.subscription_id.is_some() && ctx.may(Action::StartRun, &Subject::Parties(&parties(&run)))
    {
        actions.extend(["run_again", "reconcile"]);
    }
    let own_copy = run
        .requester_department_id
        .as_ref()
        .map(Subject::Department);
    let is_party = std::iter::once(own_data)
        .chain(own_copy)
        .any(|department| ctx.may(Action::ReadQuarantine, &department));
    let differences = if is_party {
        differences(&ctx, &run).await?
    } else {
        Vec::new()
    };
    reply(RunView {
        line: RunLineView::new(&run, &names),
        steps: run
            .steps
            .iter()
            .map(|s| RunStepView {
                name: s.name.clone(),
                at: s.at.clone(),
                rows: s.rows,
            })
            .collect(),
        receipt: receipt(&run),
        failure: run.failure.as_ref().map(|f| FailureView {
            code: f.code.clone(),
            side: f.side,
            message: ctx.sentence(
                &f.code,
                &[
                    ("column", f.column.clone().unwrap_or_default()),
                    ("differing", f.differing.unwrap_or_default().to_string()),
                ],
            ),
        }),
        quarantine,
        differences,
        collection_run_id: run.collection_run_id.as_ref().map(ToString::to_string),
        actions,
        subscription_id: run.subscription_id.as_ref().map(ToString::to_string),
        answers,
    })
}

async fn answers(ctx: &Ctx, run: &Run) -> Result<Option<AnswersView>, ApiError> {
    let Some(id) = &run.subscription_id else {
        return Ok(None);
    };
    let broken = |what| ApiError::bug(format!("a delivery's {what} isn't there"));
    let mut db = ctx.read().await?;
    let subscription = store::find_subscription(&mut db, id)
        .await?
        .ok_or_else(|| broken("subscription"))?;
    let grant = request::find_grant(&mut db, &subscription.grant_id)
        .await?
        .ok_or_else(|| broken("grant"))?;
    let asked = request::request_of_case(&mut db, &grant.case_id)
        .await?
        .ok_or_else(|| broken("request"))?;
    let departments = directory::department_names(&mut db).await?;
    let people = directory::people_names(&mut db).await?;
    Ok(Some(AnswersView {
        grant_id: grant.id.to_string(),
        request_id: asked.id.to_string(),
        department_name: departments
            .get(asked.requester.as_str())
            .cloned()
            .unwrap_or_default(),
        person_name: people
            .get(asked.filed_by.as_str())
            .cloned()
            .unwrap_or_default(),
        purpose: grant.purpose,
        consumer_system: asked.content.consumer_system,
    }))
}

fn receipt(run: &Run) -> Option<ReceiptView> {
    let (sent_digest, held_digest) = (run.source_digest.clone()?, run.target_digest.clone()?);
    Some(ReceiptView {
        rows: run.digest_rows.unwrap_or_default(),
        rows_held: run.rows_held.or(run.digest_rows).unwrap_or_default(),
        reach: run.digest_reach.unwrap_or(Reach::Whole).code(),
        equal: sent_digest == held_digest,
        sent_digest,
        held_digest,
    })
}

/// The departments between which a run goes.
pub(super) fn parties(run: &Run) -> Vec<&tongqu_domain::ids::DepartmentId> {
    std::iter::once(&run.provider_department_id)
        .chain(&run.requester_department_id)
        .collect()
}

/// The run that a path names, if the viewer may read it.
pub(super) async fn load(ctx: &Ctx, run_id: &str) -> Result<Run, ApiError> {
    let not_found = || ApiError::not_found("exchange.run_not_found");
    let id = RunId::parse(run_id).map_err(|_| not_found())?;
    let mut db = ctx.read().await?;
    let run = store::find_run(&mut db, &id).await?.ok_or_else(not_found)?;
    ctx.must(Action::ReadRun, &Subject::Parties(&parties(&run)))?;
    Ok(run)
}

/// Whether the run has set rows aside, also if it stopped because of them.
fn has_faulty_rows(run: &Run) -> bool {
    let stopped = run
        .failure
        .as_ref()
        .and_then(|f| f.faulty_of_read)
        .is_some();
    stopped || run.counts.quarantined > 0
}

async fn quarantine(ctx: &Ctx, run: &Run) -> Result<Vec<QuarantineView>, ApiError> {
    if run.kind != RunKind::Collection || !has_faulty_rows(run) {
        return Ok(Vec::new());
    }
    let mut db = ctx.read().await?;
    let Some(mounting) = catalogue::mounting_of(&mut db, &run.entry_id).await? else {
        return Ok(Vec::new());
    };
    let items = catalogue::active_items(&mut db, &run.entry_id).await?;
    drop(db);
    let table = PoolTable::of(&mounting, &items);
    let rows = engine::read_quarantine(ctx.app.pool.as_ref(), &table, ROWS_SHOWN_MAX)
        .await
        .map_err(ApiError::bug)?;
    Ok(rows
        .into_iter()
        .map(|r| QuarantineView {
            message: ctx.sentence(&r.code, &[]),
            key: r.key,
            column: r.column,
            code: r.code,
        })
        .collect())
}

async fn differences(ctx: &Ctx, run: &Run) -> Result<Vec<DifferenceView>, ApiError> {
    let (RunKind::Reconciliation, Some(subscription)) = (run.kind, &run.subscription_id) else {
        return Ok(Vec::new());
    };
    let pool = ctx.app.pool.as_ref();
    let rows =
        engine::read_differences(pool, subscription.as_str(), run.id.as_str(), ROWS_SHOWN_MAX)
            .await
            .map_err(ApiError::bug)?;
    Ok(rows
        .into_iter()
        .map(|row| DifferenceView {
            key: row.key,
            kind: row.kind.code(),
        })
        .collect())
}
