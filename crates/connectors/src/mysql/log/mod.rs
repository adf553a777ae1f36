//! The change log of MySQL and MariaDB: the binary log, in rows, as a replica gets it.
//!
//! The server sends whole transactions in the order of their commits, each after it is decided. Unlike PostgreSQL it
//! knows nothing of a reader: it holds nothing back, and deletes old files by its own rules. So a position is looked
//! up among the files that are there, and is lost when its file is gone ([`place`]).
//!
//! A log of rows tells every column of a row, but neither names nor character sets, and of a declaration only its
//! text. What the catalogue says is therefore compared with the map that comes before rows; where a table was altered
//! in a way by which rows or their places may have changed, or somebody logged a statement instead of rows, the log
//! counts as lost: the whole is compared once, and a new log begins. That is dearer than guessing, and never wrong.
//!
//! What was looked at instead: mysql-binlog-connector-rust brings a driver of its own beside ours; the driver's reading
//! of rows ([`mysql_async::binlog::row`]) lacks MariaDB's events and the signs of its numbers.

mod charset;
mod declared;
mod event;
mod fold;
mod form;
mod place;
mod rows;
mod setup;
mod statement;
mod wire;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::event::{Event, RowsEvent, XaName};
use self::fold::{Fault, fold_rows};
use self::form::Column;
use self::place::{FILE_BEGIN, Names, Place};
use self::rows::{Logged, TableMap};
use self::setup::{Known, Settings, Settled, Written};
use self::statement::Name;
use self::wire::{AtEnd, Lock, Reader, Sent, Wire};
use super::{MysqlStore, Progress};
use crate::log::gather::{Coming, Gatherer};
use crate::{
    ChangeLog, ConnectorError, LogBatch, LogHealth, LogPosition, LogQuery, LogState, Result,
};

/// How long the first events may take to come.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// Log of other tables that passes before the consumer is told that nothing happened: while it waits, and while more
/// of it comes.
const IDLE_BYTES: u64 = 1024 * 1024;
const BUSY_BYTES: u64 = 16 * 1024 * 1024;

/// Prepared transactions whose changes are kept until it is decided about them.
const PREPARED_MAX: usize = 64;

pub(super) async fn open(
    store: &MysqlStore,
    query: LogQuery,
    after: Option<LogPosition>,
) -> Result<MysqlLog> {
    query.check()?;
    let reader = Reader::of(store, &query.consumer);
    let mut session = store.session().await?;
    let (settings, written, known) = check_all(store, &mut session, &query).await?;
    let lock = Lock::take(store.session().await?, &reader).await?;
    let (from, settled) = match after {
        None => setup::begin(&mut session, &settings, &written, &known).await?,
        Some(after) => {
            let from = Place::of(after);
            let files = setup::files(&mut session, &written.names).await?;
            let is_there = |(number, size): &(u32, u64)| {
                *number == from.file && u64::from(from.offset) <= *size
            };
            if !files.iter().any(is_there) {
                let reason = "the server deleted what was not taken over";
                return Err(reader.lost(&session.store, reason));
            }
            (from, None)
        }
    };
    let file = written.names.file(from.file);
    let wire = Wire::start(store, &reader, &file, from.offset, AtEnd::Wait).await?;
    let mut log = MysqlLog {
        store: store.clone(),
        reader,
        wire,
        lock,
        names: written.names,
        folds_names: settings.folds_names(),
        known,
        tables: HashMap::new(),
        place: from,
        is_marked: false,
        is_beyond: false,
        is_torn: false,
        is_settled: settled.is_some(),
        settled,
        prepared: VecDeque::new(),
        passed: 0,
        told_file: from.file,
        changed: 0,
        start: from.position(),
        gatherer: Gatherer::new(Arc::new(store.clone()), query, from.position()),
        is_broken: true,
    };
    log.find_start(after.is_some()).await?;
    log.is_broken = false;
    log.note(log.start);
    Ok(log)
}

async fn check_all(
    store: &MysqlStore,
    session: &mut super::Session,
    query: &LogQuery,
) -> Result<(Settings, Written, Vec<Known>)> {
    let settings = Settings::load(session).await?;
    setup::check_server(session, &settings).await?;
    let written = setup::written(session).await?;
    let mut known = Vec::with_capacity(query.tables.len());
    for table in &query.tables {
        let table = setup::check_table(store, session, table).await?;
        written.check_database(session, &table.schema)?;
        known.push(table);
    }
    Ok((settings, written, known))
}

/// Whether a log of these tables can be expected to open.
pub(super) async fn check(store: &MysqlStore, query: &LogQuery) -> Result<()> {
    query.check()?;
    let mut session = store.session().await?;
    let (_, written, _) = check_all(store, &mut session, query).await?;
    // Only by asking for it is it seen whether the account may have it.
    let reader = Reader::looking(store, &query.consumer);
    let end = u32::try_from(written.offset).unwrap_or(FILE_BEGIN);
    let file = written.names.file(written.file);
    let wire = Wire::start(store, &reader, &file, end, AtEnd::Stop).await?;
    wire.prove().await
}

pub(super) async fn state(store: &MysqlStore, consumer: &str) -> Result<LogState> {
    let reader = Reader::of(store, consumer);
    let progress = {
        let logs = store.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.get(consumer).copied()
    };
    let mut session = store.session().await?;
    let progress = progress.ok_or_else(|| {
        let reason = "nothing is kept for it there, and it isn't read from here";
        reader.lost(&session.store, reason)
    })?;
    let settings = Settings::load(&mut session).await?;
    let written = setup::written(&mut session).await?;
    let from = Place::of(progress.confirmed);
    let behind = setup::behind(&mut session, &settings, &written, from, progress.changed).await?;
    let current = Place {
        file: written.file,
        offset: u32::try_from(written.offset).unwrap_or(u32::MAX),
        mark: from.mark,
    };
    Ok(LogState {
        confirmed: progress.confirmed,
        current: current.position(),
        lag_bytes: behind.bytes,
        retained_bytes: 0,
        kept_for: behind.kept_for,
        health: match (behind.is_there, behind.is_endangered) {
            (false, _) => LogHealth::Lost,
            (true, true) => LogHealth::Endangered,
            (true, false) => LogHealth::Reserved,
        },
        is_read: reader.is_used(&mut session).await?,
    })
}

pub(super) async fn drop_log(store: &MysqlStore, consumer: &str) -> Result<()> {
    let reader = Reader::of(store, consumer);
    reader.check_unused(&mut store.session().await?).await?;
    let mut logs = store.logs.lock().unwrap_or_else(PoisonError::into_inner);
    logs.remove(consumer);
    Ok(())
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about what is being read"
)]
pub(super) struct MysqlLog {
    store: MysqlStore,
    reader: Reader,
    wire: Wire,
    lock: Lock,
    gatherer: Gatherer<Column>,
    names: Names,
    /// Whether names of tables are taken without regard to case.
    folds_names: bool,
    /// The wanted tables as the catalogue has them.
    known: Vec<Known>,
    /// For each number under which rows of a wanted table come.
    tables: HashMap<u64, Followed>,
    /// The end of what came last.
    place: Place,
    /// Whether the mark of the file is known.
    is_marked: bool,
    /// A transaction is so large that its end can't be named in its file.
    is_beyond: bool,
    /// A part of the transaction was taken back.
    is_torn: bool,
    /// What is in the tables that are read beside.
    settled: Option<Settled>,
    /// That holds for the rows of the transaction that comes.
    is_settled: bool,
    /// Prepared transactions, by their names.
    prepared: VecDeque<(XaName, Coming)>,
    /// Bytes of log since the caller was told something.
    passed: u64,
    told_file: u32,
    /// The second, since 1970, of the last event.
    changed: u64,
    start: LogPosition,
    /// An error, or a caller who went away in the middle of something, left it of no use.
    is_broken: bool,
}

/// A wanted table whose rows come under a number.
#[derive(Clone)]
struct Followed {
    table: usize,
    /// In the decoder.
    layout: usize,
    map: Arc<TableMap>,
}

#[async_trait]
impl ChangeLog for MysqlLog {
    fn start(&self) -> LogPosition {
        self.start
    }

    async fn next(&mut self, wait: Duration) -> Result<Option<LogBatch>> {
        if self.is_broken {
            let store = self.store.address.to_string();
            return Err(ConnectorError::Interrupted { store });
        }
        let until = Instant::now() + wait;
        loop {
            let sent = match self.sent(until).await {
                Ok(sent) => sent,
                Err(error) => {
                    self.is_broken = true;
                    return Err(error);
                }
            };
            self.is_broken = true;
            let Some(sent) = sent else {
                let has_passed = self.passed >= IDLE_BYTES || self.place.file != self.told_file;
                let batch = self.gatherer.batch(has_passed).await?;
                if batch.is_some() {
                    (self.passed, self.told_file) = (0, self.place.file);
                }
                self.is_broken = false;
                return Ok(batch);
            };
            self.take(&sent).await?;
            self.is_broken = false;
        }
    }

    async fn confirm(&mut self, upto: LogPosition) -> Result<()> {
        self.note(upto);
        Ok(())
    }
}

impl MysqlLog {
    /// How far the consumer is: only the store of this process knows.
    fn note(&self, confirmed: LogPosition) {
        let changed = self.changed;
        let mut logs = self
            .store
            .logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let consumer = self.gatherer.decoder.query.consumer.clone();
        logs.insert(consumer, Progress { confirmed, changed });
    }

    fn lost(&self, reason: impl Into<String>) -> ConnectorError {
        self.reader.lost(&self.store.address.to_string(), reason)
    }

    /// Reads on to the first event of the file, which says whether it is the file that was meant, and past what is in
    /// the tables already.
    async fn find_start(&mut self, is_known: bool) -> Result<()> {
        let meant = self.place;
        while !self.is_marked {
            self.take_next().await?;
        }
        if is_known && self.place.mark != meant.mark {
            return Err(self.lost("it was begun anew, or another server answers at this address"));
        }
        let marked = Place {
            mark: self.place.mark,
            ..meant
        };
        self.gatherer.pass(marked.position());
        // Where nothing is committed there is nothing more to be read yet.
        while self.is_settled
            && self
                .settled
                .is_some_and(|settled| self.here() < settled.declared)
        {
            self.take_next().await?;
        }
        self.start = self.gatherer.reached();
        Ok(())
    }

    async fn take_next(&mut self) -> Result<()> {
        let Some(sent) = self.wire.next_within(FIRST_WAIT).await? else {
            return Err(self.wire.broken("the server doesn't begin to send"));
        };
        self.take(&sent).await
    }

    /// What comes next; `None` once it is time to tell what there is. Loses nothing if it is dropped.
    async fn sent(&mut self, until: Instant) -> Result<Option<Sent>> {
        if self.lock.is_lost() {
            return Err(self.wire.broken("the connection beside it broke"));
        }
        let is_idle = !self.gatherer.is_open() && self.passed >= BUSY_BYTES;
        if self.gatherer.is_due() || (is_idle && self.is_marked) {
            return Ok(None);
        }
        if self.gatherer.has_ended() {
            return self.wire.next_waiting();
        }
        let left = until.saturating_duration_since(Instant::now());
        self.wire.next_within(left).await
    }

    async fn take(&mut self, sent: &Sent) -> Result<()> {
        self.passed += sent.bytes;
        self.changed = self.changed.max(sent.at);
        if let Some(end) = sent.end {
            // Ends are told with 32 bits, which a very large transaction passes.
            self.is_beyond |= end < self.place.offset && !matches!(sent.kind, 4 | 15);
            self.place.offset = end;
        }
        let event = event::parse(sent.kind, sent.body()).map_err(|_| self.unreadable())?;
        match event {
            Event::Rotate { file } => self.rotate(file)?,
            Event::Format => self.begin_file(sent),
            Event::Begin {
                committed,
                is_alone,
            } => self.begin(committed, is_alone),
            Event::Statement { schema, sql } => {
                let schema = String::from_utf8_lossy(schema).into_owned();
                let sql = String::from_utf8_lossy(&sql).into_owned();
                self.state(&schema, &sql).await?;
            }
            Event::Table { id, body } => self.map(id, body, sent.at).await?,
            Event::Rows(rows) => self.rows(&rows)?,
            Event::Commit => self.commit()?,
            Event::Prepare { name } => self.prepare(name),
            Event::Incident => {
                return Err(self.lost("the server says that changes are missing in it"));
            }
            Event::Unreadable(reason) if !self.is_settled => return Err(self.lost(reason)),
            Event::Unknown if !sent.may_be_ignored && !self.is_settled => {
                return Err(self.lost("it has an event of a kind that isn't known here"));
            }
            Event::Unreadable(_) | Event::Unknown => {}
            Event::Other => {
                if !self.gatherer.is_open() {
                    self.pass();
                }
            }
        }
        self.gatherer.relieve().await
    }

    fn unreadable(&self) -> ConnectorError {
        self.lost("it has an event that can't be read")
    }

    /// Up to here nothing is left open.
    fn pass(&mut self) {
        if self.is_marked && !self.is_beyond {
            self.gatherer.pass(self.place.position());
        }
    }

    fn rotate(&mut self, file: &[u8]) -> Result<()> {
        let number = self.names.number_of(file, self.place.file);
        let number = number.filter(|number| *number >= self.place.file);
        let number = number.ok_or_else(|| self.lost("its files are called otherwise now"))?;
        if number != self.place.file {
            self.place = Place {
                file: number,
                offset: FILE_BEGIN,
                mark: 0,
            };
            self.is_marked = false;
        }
        Ok(())
    }

    /// The first event of a file, which comes first also where the log is read from its middle.
    fn begin_file(&mut self, sent: &Sent) {
        self.place.mark = place::mark(sent.server_id, u32::try_from(sent.at).unwrap_or(0));
        let is_new = !std::mem::replace(&mut self.is_marked, true);
        self.tables.clear();
        if is_new && self.is_beyond {
            // The end of a transaction that had no name is the beginning of the next file.
            self.is_beyond = false;
            let begin = Place {
                offset: FILE_BEGIN,
                ..self.place
            };
            self.gatherer.end(begin.position());
        } else {
            // A transaction that breaks off here was never decided: the server died.
            self.gatherer.take_open();
        }
        self.pass();
    }

    fn begin(&mut self, committed: Option<u64>, is_alone: bool) {
        if let Some(settled) = self.settled {
            self.is_settled = committed.is_some_and(|committed| committed < settled.rows);
        }
        if !is_alone {
            self.open();
        }
    }

    fn open(&mut self) {
        self.is_torn = false;
        if !self.is_settled && !self.is_beyond {
            self.gatherer.begin();
        }
    }

    fn commit(&mut self) -> Result<()> {
        if self.is_torn {
            return Err(self.lost(
                "a part of a transaction that also changed tables without transactions was taken back",
            ));
        }
        // One whose end has no name goes on until the file ends, with what comes behind it.
        if !self.is_beyond {
            self.gatherer.end(self.place.position());
            self.pass();
        }
        Ok(())
    }

    fn prepare(&mut self, name: XaName) {
        let Some(coming) = self.gatherer.take_open() else {
            return;
        };
        if self.prepared.len() >= PREPARED_MAX {
            self.prepared.pop_front();
        }
        self.prepared.push_back((name, coming));
        self.pass();
    }

    fn decided(&mut self, name: Option<&XaName>) -> Option<Coming> {
        let mut prepared = self.prepared.iter();
        let place = prepared.position(|(known, _)| Some(known) == name)?;
        self.prepared.remove(place).map(|(_, coming)| coming)
    }

    /// Notes under which number rows of a table come, and what they look like.
    async fn map(&mut self, id: u64, body: &[u8], at: u64) -> Result<()> {
        if self.is_settled {
            return Ok(());
        }
        let (schema, name) = TableMap::names_of(body).map_err(|_| self.unreadable())?;
        let name = Name {
            schema: None,
            table: String::from_utf8_lossy(name).into_owned(),
        };
        let Some(table) = self.table_of(&String::from_utf8_lossy(schema), &name) else {
            self.tables.remove(&id);
            return Ok(());
        };
        let map = TableMap::parse(body).map_err(|_| self.unreadable())?;
        if self.tables.get(&id).is_some_and(|known| *known.map == map) {
            return Ok(());
        }
        // What a table looked like before it was altered isn't known any more.
        let is_older = at + 1 < self.known[table].made;
        let columns = match self.columns(table, &map) {
            Some(columns) if !is_older => columns,
            _ => {
                self.known[table] = self.look_again(table).await?;
                let columns = self.columns(table, &map).filter(|_| !is_older);
                columns.ok_or_else(|| self.remade(table))?
            }
        };
        let layout = self.gatherer.decoder.place_of(table, columns);
        let map = Arc::new(map);
        self.tables.insert(id, Followed { table, layout, map });
        Ok(())
    }

    /// Where the wanted columns lie; `None` if these aren't the table's rows as it is known.
    fn columns(&self, table: usize, map: &TableMap) -> Option<Vec<Column>> {
        let known = &self.known[table];
        let is_fit = |(held, logged): (&form::Declared, &Logged)| held.fits(*logged);
        if map.names.is_none()
            && (map.columns.len() != known.columns.len()
                || !known.columns.iter().zip(&map.columns).all(is_fit))
        {
            return None;
        }
        let wanted = &self.gatherer.decoder.query.tables[table].columns;
        let column = |wanted: &tongqu_domain::exchange::Column| {
            let (place, held) = known.column(&wanted.name)?;
            let at = match &map.names {
                Some(names) => names
                    .iter()
                    .position(|name| self.is_same_column(name, held))?,
                None => place,
            };
            let logged = *map.columns.get(at)?;
            let meaning = held.meaning.as_ref().ok().filter(|_| held.fits(logged))?;
            Some(Column {
                at,
                kind: held.kind().ok()?,
                native: meaning.native,
                held: meaning.column_type,
                wanted: wanted.column_type,
                logged,
            })
        };
        wanted.iter().map(column).collect()
    }

    fn is_same_column(&self, name: &str, held: &form::Declared) -> bool {
        name.to_lowercase() == held.name.to_lowercase()
    }

    fn rows(&mut self, event: &RowsEvent<'_>) -> Result<()> {
        if event.table == event::NO_TABLE || self.is_settled {
            return Ok(());
        }
        let Some(followed) = self.tables.get(&event.table).cloned() else {
            return Ok(());
        };
        if event.width != followed.map.columns.len() {
            return Err(self.unreadable());
        }
        if !self.gatherer.is_open() {
            self.gatherer.begin();
        }
        let done = fold_rows(&mut self.gatherer, &followed, event);
        done.map_err(|fault| match fault {
            Fault::Unreadable => self.unreadable(),
            Fault::Absent => self.lost(
                "a session doesn't log whole rows: have every session use binlog_row_image = FULL",
            ),
            Fault::Refused(error) => error,
        })
    }
}
