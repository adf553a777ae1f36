//! The runs under which a follower accounts for what it takes over.

use std::sync::Arc;

use tongqu_domain::ids::RunId;

use super::super::{
    engine::{Collected, Followed, RunError},
    failure::record_failure,
    jobs::{Done, JobError, Then, begin_collection, finish_collection, step},
    resource::Resource,
    store::RunStep,
};
use super::account::{Accounts, Span, Tally};
use crate::app::App;

/// The runs under which the follower accounts for what it takes over.
pub(super) struct Runs {
    pub app: Arc<App>,
    pub resource: Resource,
    pub accounts: Arc<Accounts>,
    open: Option<Open>,
}

/// A run that is being added to.
struct Open {
    run_id: RunId,
    collected: Collected,
    began: RunStep,
    span: Span,
}

impl Runs {
    pub(super) fn of(app: Arc<App>, resource: Resource) -> Self {
        Self {
            app,
            resource,
            accounts: Arc::default(),
            open: None,
        }
    }

    /// The open run; begins one if none is.
    pub(super) async fn begin(&mut self) -> Result<RunId, JobError> {
        if let Some(open) = &self.open {
            return Ok(open.run_id.clone());
        }
        let run_id = begin_collection(&self.app, &self.resource, None).await?;
        self.open = Some(Open {
            run_id: run_id.clone(),
            collected: Collected {
                live_rows: self.resource.rows(),
                ..Collected::default()
            },
            began: step(&self.app, "began", None),
            span: Span::begin(),
        });
        Ok(run_id)
    }

    pub(super) fn add(&mut self, followed: &Followed) {
        let Some(open) = &mut self.open else { return };
        let collected = &mut open.collected;
        collected.counts = collected.counts.merge(&followed.counts);
        collected.live_rows = collected
            .live_rows
            .saturating_add_signed(followed.grown_by());
        collected.seq = followed.seq;
        open.span.go_on();
        let tally = Tally::Collection {
            entry_id: self.resource.entry.id.clone(),
            collected: collected.clone(),
        };
        self.accounts.keep(&open.run_id, tally);
    }

    /// Ends the open run, under which the whole was compared.
    pub(super) async fn compared(&mut self, collected: Collected) -> Result<(), JobError> {
        if let Some(open) = &mut self.open {
            open.collected = collected;
        }
        self.end("collected", true).await
    }

    pub(super) fn is_over(&self) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|open| open.span.is_over(&self.app.config.exchange))
    }

    /// Ends the open run, if there is one.
    pub(super) async fn close(&mut self) -> Result<(), JobError> {
        self.end("followed", false).await
    }

    async fn end(&mut self, how: &str, is_whole: bool) -> Result<(), JobError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let collected = open.collected;
        let done = Done {
            mounting: &self.resource.mounting,
            collected: &collected,
            is_whole,
            steps: &[
                open.began,
                step(&self.app, how, Some(collected.counts.read)),
            ],
        };
        finish_collection(&self.app, &open.run_id, done, Then::Nothing).await?;
        self.accounts.close(&open.run_id);
        self.resource.has_rows(collected.live_rows);
        Ok(())
    }

    /// Tells why it can't go on, unless the same was told when it failed before.
    pub(super) async fn fail(
        &mut self,
        error: &RunError,
        before: Option<&str>,
    ) -> Result<(), JobError> {
        let counted = self.open.as_ref().map(|open| open.collected.counts.read);
        if counted.is_some_and(|read| read > 0) {
            self.close().await?;
        }
        if self.open.is_none() && before == Some(error.code()) {
            return Ok(());
        }
        let run_id = self.begin().await?;
        let began = self.open.take().map(|open| open.began);
        self.accounts.close(&run_id);
        let entry = &self.resource.entry;
        let parties = vec![entry.department_id.clone()];
        let steps: Vec<RunStep> = began.into_iter().collect();
        record_failure(
            &self.app,
            &run_id,
            &entry.id,
            &entry.name,
            parties,
            error,
            &steps,
        )
        .await
    }
}
