//! Frames that wait for the other side: on the agent's disk, as many as its settings allow.
//!
//! Small transfers stay in memory. What is in the spool doesn't outlive the program: a run that is broken off begins
//! anew from the cursor in the target, so nothing here has to.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::watch;

use super::frames::is_last;

/// How the names of files end.
const FRAME: &str = "frame";

/// Bytes that each transfer may hold in memory; what is more goes to the disk.
const MEMORY_BYTES: u64 = 1024 * 1024;

/// The room of all transfers of an agent.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    bytes_max: u64,
    /// Bytes in use.
    held: watch::Sender<u64>,
    files: AtomicU64,
}

/// Why a frame can't be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SpoolFault {
    /// The transfer was dropped.
    #[error("the transfer was given up")]
    Dropped,
    /// The disk refused it.
    #[error("the spool's disk: {0}")]
    Disk(#[from] io::Error),
}

impl Spool {
    /// A spool in `dir`, which is made if it is missing. Frames that an earlier start left there are deleted, and
    /// nothing else: the folder is named by somebody's settings.
    ///
    /// Errors: those of the disk.
    pub fn open(dir: &Path, bytes_max: u64) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(dir)?;
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == FRAME) {
                std::fs::remove_file(path)?;
            }
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(Arc::new(Self {
            dir: dir.to_owned(),
            bytes_max,
            held: watch::Sender::new(0),
            files: AtomicU64::new(0),
        }))
    }

    /// Bytes that wait in it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        *self.held.borrow()
    }

    /// Bytes that may wait in it.
    #[must_use]
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Whether there was room, which is then taken.
    fn reserve(&self, bytes: u64, in_any_case: bool) -> bool {
        self.held.send_if_modified(|held| {
            let fits = in_any_case || held.saturating_add(bytes) <= self.bytes_max;
            if fits {
                *held += bytes;
            }
            fits
        })
    }

    fn release(&self, bytes: u64) {
        self.held.send_modify(|held| *held -= bytes);
    }

    fn new_path(&self) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("{number}.{FRAME}"))
    }
}

/// The frames of one transfer, from the first that the other side hasn't seen.
#[derive(Debug)]
pub(super) struct Queue {
    spool: Arc<Spool>,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Number of the first frame that is kept.
    first: u64,
    kept: VecDeque<Kept>,
    in_memory: u64,
    /// The last frame has come.
    whole: bool,
    /// A frame waits for room.
    cramped: bool,
    dropped: bool,
}

#[derive(Debug, Clone)]
enum Kept {
    Memory(Bytes),
    File { path: PathBuf, bytes: u64 },
}

impl Kept {
    fn bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => length(bytes),
            Self::File { bytes, .. } => *bytes,
        }
    }
}

fn length(payload: &Bytes) -> u64 {
    u64::try_from(payload.len()).unwrap_or(u64::MAX)
}

impl State {
    fn next(&self) -> u64 {
        self.first + u64::try_from(self.kept.len()).unwrap_or(u64::MAX)
    }
}

impl Queue {
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self {
            spool,
            state: watch::Sender::default(),
        }
    }

    /// The number that the next frame gets.
    pub(super) fn next(&self) -> u64 {
        self.state.borrow().next()
    }

    /// Takes a frame in, as soon as there is room. A transfer may always have one.
    pub(super) async fn push(&self, payload: Bytes) -> Result<(), SpoolFault> {
        let bytes = length(&payload);
        self.make_room(bytes).await?;
        let in_memory = self.state.borrow().in_memory + bytes <= MEMORY_BYTES;
        let kept = if in_memory {
            Kept::Memory(payload.clone())
        } else {
            let path = self.spool.new_path();
            if let Err(error) = tokio::fs::write(&path, &payload).await {
                self.spool.release(bytes);
                // What was written of it isn't counted anywhere.
                let _ = std::fs::remove_file(&path);
                return Err(error.into());
            }
            Kept::File { path, bytes }
        };
        let mut kept = Some(kept);
        self.state.send_modify(|state| {
            if let Some(kept) = kept.take_if(|_| !state.dropped) {
                if matches!(kept, Kept::Memory(_)) {
                    state.in_memory += bytes;
                }
                state.kept.push_back(kept);
                state.whole |= is_last(&payload);
            }
        });
        match kept {
            None => Ok(()),
            Some(left) => {
                self.forget_one(&left);
                Err(SpoolFault::Dropped)
            }
        }
    }

    async fn make_room(&self, bytes: u64) -> Result<(), SpoolFault> {
        let mut held = self.spool.held.subscribe();
        let mut state = self.state.subscribe();
        loop {
            let is_empty = {
                let state = state.borrow_and_update();
                if state.dropped {
                    return Err(SpoolFault::Dropped);
                }
                state.kept.is_empty()
            };
            held.borrow_and_update();
            if self.spool.reserve(bytes, is_empty) {
                self.set_cramped(false);
                return Ok(());
            }
            self.set_cramped(true);
            state.borrow_and_update();
            // Both senders live as long as this.
            tokio::select! {
                _ = held.changed() => {}
                _ = state.changed() => {}
            }
        }
    }

    fn set_cramped(&self, cramped: bool) {
        self.state
            .send_if_modified(|state| std::mem::replace(&mut state.cramped, cramped) != cramped);
    }

    /// Frame `number`, as soon as it is there; `None` if there is none any more, or never will be.
    ///
    /// Errors: those of the disk.
    pub(super) async fn take(&self, number: u64) -> io::Result<Option<Bytes>> {
        let mut state = self.state.subscribe();
        let found = {
            let ready = |state: &State| state.dropped || state.whole || number < state.next();
            let Ok(state) = state.wait_for(ready).await else {
                return Ok(None);
            };
            number
                .checked_sub(state.first)
                .and_then(|place| state.kept.get(usize::try_from(place).ok()?).cloned())
        };
        match found {
            None => Ok(None),
            Some(Kept::Memory(bytes)) => Ok(Some(bytes)),
            Some(Kept::File { path, .. }) => Ok(Some(tokio::fs::read(path).await?.into())),
        }
    }

    /// Returns when all frames are there, or when waiting for more would be for ever.
    pub(super) async fn is_worth_taking(&self) {
        let mut state = self.state.subscribe();
        let ready = |state: &State| state.whole || state.cramped || state.dropped;
        // The sender lives as long as this.
        let _state = state.wait_for(ready).await;
    }

    /// Whether frames wait for room while the transfer isn't whole.
    pub(super) fn is_cramped(&self) -> bool {
        self.state.borrow().cramped
    }

    /// Deletes all frames below `number`.
    pub(super) fn forget(&self, number: u64) {
        let mut forgotten = Vec::new();
        self.state.send_if_modified(|state| {
            while state.first < number
                && let Some(kept) = state.kept.pop_front()
            {
                if let Kept::Memory(bytes) = &kept {
                    state.in_memory -= length(bytes);
                }
                state.first += 1;
                forgotten.push(kept);
            }
            !forgotten.is_empty()
        });
        for kept in &forgotten {
            self.forget_one(kept);
        }
    }

    fn forget_one(&self, kept: &Kept) {
        if let Kept::File { path, .. } = kept {
            // Whatever can't be deleted goes with the next start.
            let _ = std::fs::remove_file(path);
        }
        self.spool.release(kept.bytes());
    }

    /// Gives everything up; whoever waits is told.
    pub(super) fn give_up(&self) {
        self.state.send_modify(|state| state.dropped = true);
        self.forget(u64::MAX);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.give_up();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The payload of a batch, and of an end.
    fn payload(bytes: usize) -> Bytes {
        vec![0; bytes].into()
    }

    fn last() -> Bytes {
        vec![2].into()
    }

    fn spool(bytes_max: u64) -> (tempfile::TempDir, Arc<Spool>) {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool"), bytes_max).unwrap();
        (dir, spool)
    }

    fn files(spool: &Spool) -> usize {
        std::fs::read_dir(&spool.dir).unwrap().count()
    }

    #[tokio::test]
    async fn frames_are_kept_until_they_are_seen() {
        let (_dir, spool) = spool(100 << 20);
        let queue = Queue::new(spool.clone());
        for _ in 0..4 {
            queue.push(payload(600_000)).await.unwrap();
        }
        queue.push(last()).await.unwrap();
        assert_eq!(files(&spool), 3, "the first and the last are small enough");
        assert_eq!(queue.take(3).await.unwrap().unwrap().len(), 600_000);
        assert_eq!(queue.take(1).await.unwrap().unwrap().len(), 600_000);
        queue.forget(3);
        assert_eq!(queue.take(1).await.unwrap(), None);
        assert_eq!((files(&spool), spool.bytes()), (1, 600_001));
        assert_eq!(queue.take(5).await.unwrap(), None, "it is whole");
        assert_eq!(queue.next(), 5);
        drop(queue);
        assert_eq!((files(&spool), spool.bytes()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_for_it() {
        let (_dir, spool) = spool(2_000_000);
        let (one, other) = (
            Queue::new(spool.clone()),
            Arc::new(Queue::new(spool.clone())),
        );
        one.push(payload(1_900_000)).await.unwrap();
        other.push(payload(1_900_000)).await.unwrap();
        assert_eq!(spool.bytes(), 3_800_000, "each may have one");
        let waiting = tokio::spawn({
            let other = other.clone();
            async move { other.push(payload(500_000)).await }
        });
        other.is_worth_taking().await;
        assert!(other.is_cramped() && !waiting.is_finished());
        one.forget(1);
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(!waiting.is_finished(), "still beyond");
        other.forget(1);
        waiting.await.unwrap().unwrap();
        assert!(!other.is_cramped());
        assert_eq!(spool.bytes(), 500_000);
    }

    #[tokio::test]
    async fn what_is_given_up_ends_all_waiting() {
        let (_dir, spool) = spool(10);
        let queue = Arc::new(Queue::new(spool.clone()));
        queue.push(payload(10)).await.unwrap();
        let pushing = tokio::spawn({
            let queue = queue.clone();
            async move { queue.push(payload(10)).await }
        });
        let taking = tokio::spawn({
            let queue = queue.clone();
            async move { queue.take(7).await }
        });
        tokio::task::yield_now().await;
        queue.give_up();
        assert!(matches!(pushing.await.unwrap(), Err(SpoolFault::Dropped)));
        assert_eq!(taking.await.unwrap().unwrap(), None);
        assert_eq!(spool.bytes(), 0);
    }

    #[test]
    fn leftovers_are_deleted_when_it_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["7.frame", "mail"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        Spool::open(dir.path(), 10).unwrap();
        let left = std::fs::read_dir(dir.path()).unwrap();
        let left: Vec<_> = left.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["mail"], "what isn't ours stays");
    }
}
