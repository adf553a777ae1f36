//! The writing thread: group commit of records, signed heads at an interval.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    time::Duration,
};

use tokio::sync::oneshot;
use tongqu_domain::ledger::{Frontier, Head, Line, LineFault};

use super::{
    LedgerError, SignedHead, SigningKeys,
    files::{for_each_line, heads_path, segment_path, segments},
};
use crate::platform::{clock::Clock, config};

/// Appends that may wait for the writing thread.
const WAITING_MAX: usize = 1024;

struct Append {
    lines: Vec<Line>,
    reply: oneshot::Sender<Result<u64, LedgerError>>,
}

/// The ledger of this node, open for writing.
pub struct Ledger {
    dir: PathBuf,
    appends: Mutex<Option<SyncSender<Append>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    key_id: String,
}

/// Where records were found whose place wasn't known: record id to index.
pub type FoundRecords = HashMap<String, u64>;

impl Ledger {
    /// Opens the ledger in `dir`, cuts off a record that a crash left half written, and starts the
    /// writing thread. Tells where the records with the ids in `wanted` are.
    ///
    /// Errors: [`LedgerError::Broken`] if a record before the last was changed: then nothing more is
    /// appended until somebody has looked.
    pub fn open(
        dir: &Path,
        keys: SigningKeys,
        clock: Arc<Clock>,
        limits: &config::Ledger,
        wanted: &std::collections::HashSet<String>,
    ) -> Result<(Self, FoundRecords), LedgerError> {
        std::fs::create_dir_all(dir)?;
        let (state, found) = Writing::resume(dir, wanted)?;
        let key_id = keys.id().to_owned();
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let mut writer = Writer {
            state,
            keys,
            clock,
            limits: limits.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&receiver))?;
        let ledger = Self {
            dir: dir.to_owned(),
            appends: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            key_id,
        };
        Ok((ledger, found))
    }

    /// Appends lines in order; the reply is the index of the first, once all are on disk.
    pub async fn append(&self, lines: Vec<Line>) -> Result<u64, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let sender = self
            .appends
            .lock()
            .expect("no holder panics")
            .clone()
            .ok_or(LedgerError::Closed)?;
        let append = Append { lines, reply };
        tokio::task::spawn_blocking(move || sender.send(append))
            .await
            .map_err(|_| LedgerError::Closed)?
            .map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The id of the key that signs the heads.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Writes what waits, signs a last head and ends the thread.
    pub fn close(&self) {
        drop(self.appends.lock().expect("no holder panics").take());
        if let Some(thread) = self.thread.lock().expect("no holder panics").take()
            && thread.join().is_err()
        {
            tracing::error!("the ledger's writing thread panicked");
        }
    }
}

/// The open files and the state of the tree.
struct Writing {
    dir: PathBuf,
    segment: u32,
    file: File,
    bytes: u64,
    heads: File,
    frontier: Frontier,
    head_size: u64,
}

impl Writing {
    fn resume(
        dir: &Path,
        wanted: &std::collections::HashSet<String>,
    ) -> Result<(Self, FoundRecords), LedgerError> {
        let mut found = FoundRecords::new();
        let mut frontier = Frontier::new();
        let numbers = segments(dir)?;
        let last = numbers.last().copied().unwrap_or(1);
        let mut torn_at = None;
        for number in &numbers {
            for_each_line::<LedgerError>(&segment_path(dir, *number), |offset, bytes| {
                let index = frontier.size();
                match Line::parse(bytes) {
                    Ok(line) => {
                        if !wanted.is_empty()
                            && let Some(id) = line.record().get("id").and_then(|v| v.as_str())
                            && wanted.contains(id)
                        {
                            found.insert(id.to_owned(), index);
                        }
                        frontier.push(line.leaf());
                        Ok(())
                    }
                    Err(LineFault::Torn) if *number == last => {
                        torn_at = Some(offset);
                        Ok(())
                    }
                    Err(fault) => Err(LedgerError::Broken { index, fault }),
                }
            })?;
        }
        let path = segment_path(dir, last);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        if let Some(offset) = torn_at {
            tracing::warn!(
                offset,
                "the last record was cut off by a crash; it is written again from the outbox"
            );
            file.set_len(offset)?;
            file.sync_all()?;
        }
        let bytes = file.metadata()?.len();
        let heads = OpenOptions::new()
            .create(true)
            .append(true)
            .open(heads_path(dir))?;
        sync_dir(dir)?;
        Ok((
            Self {
                dir: dir.to_owned(),
                segment: last,
                file,
                bytes,
                heads,
                frontier,
                head_size: 0,
            },
            found,
        ))
    }

    /// Writes all lines, syncs once, and gives the index of the first.
    fn write(&mut self, lines: &[&Line], segment_bytes_max: u64) -> Result<u64, LedgerError> {
        if self.bytes >= segment_bytes_max {
            self.segment += 1;
            self.file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(segment_path(&self.dir, self.segment))?;
            self.bytes = 0;
            sync_dir(&self.dir)?;
        }
        let first = self.frontier.size();
        let buffer: Vec<u8> = lines.iter().flat_map(|l| l.to_bytes()).collect();
        let written = self
            .file
            .write_all(&buffer)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a batch must not stay in front of the next one.
            self.file.set_len(self.bytes)?;
            return Err(error.into());
        }
        self.bytes += u64::try_from(buffer.len()).unwrap_or(0);
        for line in lines {
            self.frontier.push(line.leaf());
        }
        Ok(first)
    }
}

struct Writer {
    state: Writing,
    keys: SigningKeys,
    clock: Arc<Clock>,
    limits: config::Ledger,
}

impl Writer {
    fn run(&mut self, appends: &Receiver<Append>) {
        let interval = Duration::from_millis(self.limits.head_interval_ms);
        loop {
            match appends.recv_timeout(interval) {
                Ok(first) => self.commit_group(first, appends),
                Err(RecvTimeoutError::Timeout) => self.sign_head(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.sign_head();
                    return;
                }
            }
        }
    }

    /// Takes what else has gathered, so that one sync serves all.
    fn commit_group(&mut self, first: Append, appends: &Receiver<Append>) {
        let mut group = vec![first];
        let mut records = group[0].lines.len();
        while records < self.limits.batch_records_max {
            match appends.try_recv() {
                Ok(next) => {
                    records += next.lines.len();
                    group.push(next);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let lines: Vec<&Line> = group.iter().flat_map(|a| &a.lines).collect();
        match self.state.write(&lines, self.limits.segment_bytes_max) {
            Ok(first_index) => {
                let mut index = first_index;
                for append in group {
                    let count = u64::try_from(append.lines.len()).unwrap_or(0);
                    // Whoever asked may have gone away; the record stands all the same.
                    let _gone = append.reply.send(Ok(index));
                    index += count;
                }
            }
            Err(error) => {
                tracing::error!(%error, "the ledger can't be written");
                let message = error.to_string();
                for append in group {
                    let _gone = append
                        .reply
                        .send(Err(std::io::Error::other(message.clone()).into()));
                }
            }
        }
    }

    fn sign_head(&mut self) {
        let size = self.state.frontier.size();
        if size == self.state.head_size {
            return;
        }
        let head = Head {
            size,
            root: self.state.frontier.root(),
            at: self.clock.now(),
            key_id: self.keys.id().to_owned(),
        };
        let signature = self.keys.sign(&head.signed_bytes());
        let mut line =
            serde_json::to_vec(&SignedHead { head, signature }).expect("a head makes JSON");
        line.push(b'\n');
        match self
            .state
            .heads
            .write_all(&line)
            .and_then(|()| self.state.heads.sync_data())
        {
            Ok(()) => self.state.head_size = size,
            Err(error) => tracing::error!(%error, "a ledger head can't be written"),
        }
    }
}

/// A new file is only there for sure once its folder is synced.
fn sync_dir(dir: &Path) -> Result<(), LedgerError> {
    Ok(File::open(dir)?.sync_all()?)
}
