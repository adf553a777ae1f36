//! The readings and writings that are under way at an agent.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant};

use super::spool::{Queue, Spool};
use super::wire::Hello;
use crate::{Applied, Result};

/// How a writing ended, once it has.
pub(super) type Outcome = Option<Result<Applied>>;

/// A transaction at a department's database isn't kept open for longer than this when its rows don't come on.
const OPEN_FOR_MAX: Duration = Duration::from_mins(2);

/// One reading or writing.
pub(super) struct Transfer {
    pub queue: Queue,
    pub outcome: watch::Sender<Outcome>,
    touched: Mutex<Instant>,
    work: Mutex<Option<AbortHandle>>,
    /// A line that is dead and the one that follows it may both bring a frame.
    intake: tokio::sync::Mutex<()>,
}

impl Transfer {
    fn new(spool: Arc<Spool>) -> Self {
        Self {
            queue: Queue::new(spool),
            outcome: watch::Sender::new(None),
            touched: Mutex::new(Instant::now()),
            work: Mutex::default(),
            intake: tokio::sync::Mutex::default(),
        }
    }

    /// Whatever happens on its behalf keeps it alive.
    pub(super) fn touch(&self) {
        *locked(&self.touched) = Instant::now();
    }

    /// The work behind it ends with it.
    pub(super) fn depends_on(&self, work: AbortHandle) {
        *locked(&self.work) = Some(work);
    }

    /// Takes a frame in, unless it is here already.
    ///
    /// Errors: if one before it is missing, and those of the spool.
    pub(super) async fn take_in(&self, number: u64, payload: Bytes) -> io::Result<()> {
        let _alone = self.intake.lock().await;
        let next = self.queue.next();
        if number > next {
            return Err(io::Error::other("a frame is missing"));
        }
        if number == next {
            let taken = self.queue.push(payload).await;
            taken.map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn end(&self) {
        self.queue.give_up();
        if let Some(work) = locked(&self.work).take() {
            work.abort();
        }
    }

    fn is_forgotten(&self, kept_for: Duration) -> bool {
        let idle = locked(&self.touched).elapsed();
        let is_open = self.queue.is_cramped() && self.outcome.borrow().is_none();
        idle > kept_for || (is_open && idle > OPEN_FOR_MAX)
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.end();
    }
}

/// All of them, by their names: `<node>.<session>.<number>`.
pub(super) struct Transfers {
    spool: Arc<Spool>,
    all: Mutex<HashMap<String, Arc<Transfer>>>,
}

impl Transfers {
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self {
            spool,
            all: Mutex::default(),
        }
    }

    pub(super) fn spool(&self) -> &Spool {
        &self.spool
    }

    pub(super) fn count(&self) -> usize {
        locked(&self.all).len()
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Transfer>> {
        let found = locked(&self.all).get(name).cloned();
        found.inspect(|transfer| transfer.touch())
    }

    /// A transfer of this name, and whether it is new.
    pub(super) fn begin(&self, name: &str) -> (Arc<Transfer>, bool) {
        let mut all = locked(&self.all);
        if let Some(found) = all.get(name) {
            return (found.clone(), false);
        }
        let made = Arc::new(Transfer::new(self.spool.clone()));
        all.insert(name.to_owned(), made.clone());
        (made, true)
    }

    pub(super) fn end(&self, name: &str) {
        if let Some(transfer) = locked(&self.all).remove(name) {
            transfer.end();
        }
    }

    /// A node that was started anew doesn't come back to what it had begun.
    pub(super) fn end_earlier(&self, hello: &Hello) {
        let of_node = format!("{}.", hello.node);
        let of_session = format!("{of_node}{}.", hello.session);
        self.end_where(|name, _| name.starts_with(&of_node) && !name.starts_with(&of_session));
    }

    /// Ends what nobody has asked about for so long.
    pub(super) fn end_forgotten(&self, kept_for: Duration) {
        self.end_where(|_, transfer| transfer.is_forgotten(kept_for));
    }

    fn end_where(&self, unwanted: impl Fn(&str, &Transfer) -> bool) {
        let mut ended = Vec::new();
        locked(&self.all).retain(|name, transfer| {
            let is_over = unwanted(name, transfer);
            if is_over {
                ended.push(transfer.clone());
            }
            !is_over
        });
        for transfer in ended {
            transfer.end();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
