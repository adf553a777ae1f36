//! From the registry's outbox into the ledger: at once after each commit, and after a crash at start.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tongqu_domain::ledger::{Line, parse_canonical};

use super::{Ledger, LedgerError, writer::FoundRecords};
use crate::platform::db::{DbError, Registry, outbox};

/// Records taken from the outbox at once.
const TAKEN_MAX: i64 = 1000;

/// Moves this node's evidence from the outbox into its ledger until `stop` turns true, then moves the rest.
///
/// `found` tells which waiting records a crash left in the ledger already: they are only marked.
pub async fn sequence(
    registry: Arc<Registry>,
    ledger: Arc<Ledger>,
    mut found: FoundRecords,
    mut stop: watch::Receiver<bool>,
) {
    let committed = registry.committed();
    loop {
        let stopping = *stop.borrow();
        match drain(&registry, &ledger, &mut found).await {
            Ok(0) if stopping => return,
            Ok(0) => {
                tokio::select! {
                    () = committed.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(500)) => {}
                    _ = stop.changed() => {}
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "evidence waits in the outbox");
                if stopping {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum SequenceError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("an evidence record can't be written down: {0}")]
    Record(#[from] tongqu_domain::ledger::LineFault),
    #[error("an evidence record in the outbox isn't canonical: {0}")]
    Canonical(#[from] tongqu_domain::ledger::CanonicalError),
}

async fn drain(
    registry: &Registry,
    ledger: &Ledger,
    found: &mut FoundRecords,
) -> Result<usize, SequenceError> {
    let mut db = registry.read().await?;
    let waiting = outbox::waiting(&mut db, registry.node_id(), TAKEN_MAX).await?;
    drop(db);
    if waiting.is_empty() {
        return Ok(0);
    }
    let (known, new): (Vec<_>, Vec<_>) = waiting
        .iter()
        .partition(|w| found.contains_key(&w.record_id));
    let mut marks: Vec<(i64, u64)> = known.iter().map(|w| (w.id, found[&w.record_id])).collect();
    if !new.is_empty() {
        let lines = new
            .iter()
            .map(|w| Ok(Line::new(&parse_canonical(&w.record)?)?))
            .collect::<Result<Vec<_>, SequenceError>>()?;
        let first = ledger.append(lines).await?;
        for (index, waiting) in (first..).zip(&new) {
            // Remembered until marked: if marking fails, the record must not be written twice.
            found.insert(waiting.record_id.clone(), index);
            marks.push((waiting.id, index));
        }
    }
    outbox::mark(registry, &marks).await?;
    for waiting in &waiting {
        found.remove(&waiting.record_id);
    }
    Ok(waiting.len())
}
