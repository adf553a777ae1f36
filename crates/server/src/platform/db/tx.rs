//! The one way to write: a transaction whose only commit takes evidence.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, Transaction};
use tokio::sync::{Notify, watch};
use tongqu_domain::time::instant_text;

use super::{DbError, idempotency};
use crate::platform::evidence::Evidence;

/// A write under way. Dropped without [`Tx::commit`], it leaves nothing.
#[must_use = "a transaction that isn't committed leaves nothing"]
pub struct Tx {
    inner: Transaction<'static, Any>,
    at: Timestamp,
    node_id: Option<String>,
    committed: Arc<Notify>,
    written: watch::Sender<u64>,
}

impl Tx {
    pub(super) fn new(
        inner: Transaction<'static, Any>,
        at: Timestamp,
        node_id: Option<String>,
        committed: Arc<Notify>,
        written: watch::Sender<u64>,
    ) -> Self {
        Self {
            inner,
            at,
            node_id,
            committed,
            written,
        }
    }

    /// The instant that this write is recorded under.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Commits the changes together with their evidence.
    ///
    /// The records go into the outbox in the same transaction; the ledger's sequencer appends them
    /// right after. A crash in between loses nothing, because start-up replays the outbox.
    ///
    /// Errors: [`DbError::KeyTaken`] if this is the write of a post that was done under its key already.
    pub async fn commit(mut self, evidence: impl Into<Evidence>) -> Result<(), DbError> {
        idempotency::write_key(&mut self).await?;
        for record in evidence.into().records(self.at) {
            sqlx::query(
                "INSERT INTO evidence (record_id, what, at, person_id, department_id, subject_kind, subject_id, record, \
                 node_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(record.id)
            .bind(record.what)
            .bind(instant_text(self.at))
            .bind(record.person_id)
            .bind(record.department_id)
            .bind(record.subject_kind)
            .bind(record.subject_id)
            .bind(record.canonical)
            .bind(self.node_id.clone())
            .execute(&mut *self.inner)
            .await?;
        }
        self.inner.commit().await?;
        self.committed.notify_waiters();
        self.committed.notify_one();
        self.written.send_modify(|writes| *writes += 1);
        Ok(())
    }

    /// Commits what is no act towards anybody: a mark of the outbox, a lease of a job. For the
    /// platform only; features have nothing but [`Tx::commit`].
    pub(in crate::platform) async fn commit_bookkeeping(self) -> Result<(), DbError> {
        Ok(self.inner.commit().await?)
    }
}

impl Deref for Tx {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}
