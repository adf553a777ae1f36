//! The sweep: every open step past its date gets exactly one record. Nothing is sent.
//!
//! It goes through the overdue steps in the order of their dates, a bounded number at a time, each batch
//! in a short write of its own. Run twice, or by two nodes at once, it adds nothing more: the registry
//! keeps one record for a step and the instant it opened.
//! Spec: YC-41.8, PDS-22.2.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::extract::State;
use serde::Serialize;
use tongqu_domain::{
    access::{Action, Subject},
    ids::DepartmentId,
    law::{Pack, StepId},
    supervision::{Binding, Consequences, FindingKind, consequences},
    time::china_date,
};
use utoipa::ToSchema;

use super::store::{self, OverdueStep, Place};
use crate::{
    app::App,
    features::directory,
    platform::{
        evidence::Entry,
        http::{ApiError, Ctx, Problem, Reply, reply},
        secrets::random_hex,
    },
};

/// Steps looked at, and records written, at once.
const BATCH_ROWS: u32 = 500;

/// What a sweep found that wasn't known yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SweepView {
    /// Drafts of notices to rectify.
    pub notices: u32,
    /// Findings of prohibited conduct.
    pub findings: u32,
    /// Reminders, where the regulation attaches no consequence.
    pub reminders: u32,
}

impl SweepView {
    fn count(&mut self, kind: FindingKind) {
        match kind {
            FindingKind::Notice => self.notices += 1,
            FindingKind::Finding => self.findings += 1,
            FindingKind::Reminder => self.reminders += 1,
        }
    }
}

/// Look for overdue steps now, as the platform does by itself every day.
#[utoipa::path(post, path = "/supervision/sweep", tag = "supervision", operation_id = "sweep_overdue",
    responses((status = 200, body = SweepView), (status = 403, body = Problem)))]
pub async fn sweep_overdue(State(app): State<Arc<App>>, ctx: Ctx) -> Reply<SweepView> {
    ctx.must(Action::Supervise, &Subject::Platform)?;
    reply(sweep(&app).await?)
}

/// Gives every overdue step its record, if it has none.
pub(super) async fn sweep(app: &App) -> Result<SweepView, ApiError> {
    let mut found = SweepView::default();
    let mut place = Place::default();
    let mut db = app.registry.read().await?;
    let by_reference = directory::departments_by_reference(&mut db).await?;
    drop(db);
    let mut packs = Known::default();
    loop {
        let today = china_date(app.clock.now());
        let mut db = app.registry.read().await?;
        let steps = store::overdue(&mut db, today, &place, BATCH_ROWS).await?;
        let Some(last) = steps.last() else {
            return Ok(found);
        };
        place = last.place();
        let mut drafts = Vec::new();
        // The connection goes back before the write, which waits for the only writer of an embedded registry.
        drop(db);
        for step in steps {
            if let Some(what) = packs.consequences(app, &step, &by_reference)? {
                drafts.push((format!("fin-{}", random_hex::<8>()), step, what));
            }
        }
        save(app, drafts, &mut found).await?;
    }
}

async fn save(
    app: &App,
    drafts: Vec<(String, OverdueStep, Consequences)>,
    found: &mut SweepView,
) -> Result<(), ApiError> {
    if drafts.is_empty() {
        return Ok(());
    }
    let mut tx = app.registry.begin(app.clock.now()).await?;
    let kept = store::insert(&mut tx, &drafts).await?;
    if kept.is_empty() {
        return Ok(());
    }
    let mut batch = SweepView::default();
    for (_, _, what) in drafts.iter().filter(|(id, _, _)| kept.contains(id)) {
        batch.count(what.kind);
        found.count(what.kind);
    }
    tx.commit(
        Entry::by_platform("supervision.overdue_found")
            .with("notices", batch.notices)
            .with("findings", batch.findings)
            .with("reminders", batch.reminders)
            .with("finding_ids", kept.into_iter().collect::<Vec<_>>()),
    )
    .await?;
    Ok(())
}

/// Packs already looked up in this sweep, by id and version.
#[derive(Default)]
struct Known(BTreeMap<(String, String), Arc<Pack>>);

impl Known {
    /// What a step comes to; `None` if its pack has no such step.
    fn consequences(
        &mut self,
        app: &App,
        overdue: &OverdueStep,
        by_reference: &BTreeSet<DepartmentId>,
    ) -> Result<Option<Consequences>, ApiError> {
        let key = (overdue.pack_id.clone(), overdue.pack_version.clone());
        let pack = if let Some(known) = self.0.get(&key) {
            known.clone()
        } else {
            let pack = app
                .packs
                .of_case(&key.0, &key.1)
                .ok_or_else(|| ApiError::bug(format!("rule pack {} isn't loaded", key.0)))?;
            self.0.insert(key, pack.clone());
            pack
        };
        let step = StepId::parse(&overdue.step_id)
            .ok()
            .and_then(|id| pack.process(&overdue.process_id)?.step(&id));
        let Some(step) = step else {
            tracing::error!(case_id = %overdue.case_id, step = overdue.step_id, "an open step isn't in its rule pack");
            return Ok(None);
        };
        let binding = if by_reference.contains(&overdue.department_id) {
            Binding::ByReference
        } else {
            Binding::Bound
        };
        Ok(Some(consequences(step, binding)))
    }
}
