//! Sessions that are kept for the next call.
//!
//! Signing in takes longer than a small change does, so a call that ended well leaves its session to the next one of
//! the same store: with no transaction open, and nothing in it but its settings and the statements that it knows.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::Session;

/// Sessions of one store that wait: as many as the two ends of a road use at the same time.
const KEPT_MAX: usize = 4;

/// How long one waits before it is closed: other accounts need connections too.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// After this time it is asked whether the server is still there.
const TRUSTED_FOR: Duration = Duration::from_millis(20);

/// How long that answer may take; a new session is the better way then.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Waiting {
    sessions: Vec<(Session, Instant)>,
    /// A task closes those that waited too long.
    is_watched: bool,
}

/// The sessions of one store. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Waiting>>);

impl Kept {
    /// One that still answers.
    pub(super) async fn take(&self) -> Option<Session> {
        loop {
            let (session, since) = self.lock().sessions.pop()?;
            if session.client.is_closed() {
                continue;
            }
            if since.elapsed() < TRUSTED_FOR {
                return Some(session);
            }
            let asked = session.client.batch_execute("");
            if let Ok(Ok(())) = tokio::time::timeout(ANSWER_WAIT, asked).await {
                return Some(session);
            }
        }
    }

    /// Keeps one that has no transaction open and holds nothing of the call that ended.
    pub(super) fn keep(&self, session: Session) {
        let mut waiting = self.lock();
        if waiting.sessions.len() >= KEPT_MAX || session.client.is_closed() {
            return;
        }
        waiting.sessions.push((session, Instant::now()));
        if !waiting.is_watched {
            waiting.is_watched = true;
            tokio::spawn(close_old(Arc::downgrade(&self.0)));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with the store, or once nothing waits.
async fn close_old(kept: Weak<Mutex<Waiting>>) {
    loop {
        tokio::time::sleep(KEPT_FOR / 4).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut waiting = kept.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .sessions
            .retain(|(_, since)| since.elapsed() < KEPT_FOR);
        if waiting.sessions.is_empty() {
            waiting.is_watched = false;
            return;
        }
    }
}
