//! PostgreSQL's change log: logical decoding by the server's own `pgoutput`.
//!
//! A slot holds the log back for the consumer, and a publication says which tables are sent. The server decodes,
//! waits for each commit, and sends whole transactions in their order, with values in the same binary form as
//! reading a table gives (protocol version 1, `binary 'true'`): large ones wait on the server's disk, not in our
//! memory. Here a transaction is put together key by key; beyond the batch's limits it goes into a temporary file
//! ([`spill`]) and comes out as a stream of batches. So memory holds at most two batches of rows that are put
//! together, and what is being decoded of one.
//!
//! What was looked at instead: `pg_logical_slot_peek_binary_changes` decodes everything since the slot's start anew
//! at each call and has to be asked again and again; for the crates see [`wire`].

mod decode;
mod fold;
mod layout;
mod pgoutput;
mod setup;
mod spill;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::decode::Decoder;
use self::fold::{Fold, Row};
use self::layout::{Form, Layout, Place};
use self::pgoutput::{Message, Relation, Tuple};
use self::spill::Spill;
use self::wire::{Sent, Wire, WireError};
use super::types::{self, Meaning};
use super::{PostgresStore, Said, Session, said_failure};
use crate::{
    ChangeLog, ConnectorError, LogBatch, LogPosition, LogQuery, LogState, Result, TableChanges,
    one_batch,
};

/// How long a slot is waited for that another connection still holds: our own last one, as a rule, whose end the
/// server is about to notice.
const BUSY_WAIT: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Log of other tables that passes before the consumer is told that nothing happened: the server may then delete it.
const IDLE_BYTES: u64 = 1024 * 1024;

pub(super) async fn open(
    store: &PostgresStore,
    query: LogQuery,
    after: Option<LogPosition>,
) -> Result<PostgresLog> {
    query.check()?;
    let slot = slot_of(store, &query.consumer);
    let session = store.session().await?;
    let oids = setup::check(&session, &query).await?;
    let until = Instant::now() + BUSY_WAIT;
    let start = loop {
        let opened = match after {
            None => setup::create(&session, &slot, &query).await,
            Some(after) => setup::check_reach(&session, &slot, &oids, after)
                .await
                .map(|()| after),
        };
        match opened {
            Err(ConnectorError::LogBusy { .. }) if Instant::now() < until => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            opened => break opened?,
        }
    };
    let options = format!("proto_version '1', publication_names '\"{slot}\"', binary 'true'");
    let wire = loop {
        let started = Wire::start(&store.config, &slot, start, &options).await;
        match started.map_err(|error| failure(&session.store, &slot, error)) {
            Err(ConnectorError::LogBusy { .. }) if Instant::now() < until => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            started => break started?,
        }
    };
    Ok(PostgresLog {
        done: Fold::new(query.tables.len()),
        decoder: Decoder {
            store: store.clone(),
            query: Arc::new(query),
            layouts: Vec::new(),
        },
        slot,
        wire,
        oids,
        relations: HashMap::new(),
        reached: start,
        told: start,
        transactions: 0,
        open: None,
        ended: None,
        start,
        is_broken: false,
    })
}

/// Whether a log of these tables can be expected to open.
pub(super) async fn check(store: &PostgresStore, query: &LogQuery) -> Result<()> {
    query.check()?;
    let session = store.session().await?;
    let checked = setup::check(&session, query).await.map(drop);
    store.done(session, checked)
}

fn slot_of(store: &PostgresStore, consumer: &str) -> String {
    let config = &store.config;
    let database = config.get_dbname().or(config.get_user());
    setup::slot_name(database.unwrap_or_default(), consumer)
}

pub(super) async fn state(store: &PostgresStore, consumer: &str) -> Result<LogState> {
    let session = store.session().await?;
    let state = setup::state(&session, &slot_of(store, consumer)).await;
    store.done(session, state)
}

pub(super) async fn drop_log(store: &PostgresStore, consumer: &str) -> Result<()> {
    setup::drop_both(&store.session().await?, &slot_of(store, consumer)).await
}

pub(super) struct PostgresLog {
    decoder: Decoder,
    slot: String,
    wire: Wire,
    /// The wanted tables' numbers in the server.
    oids: Vec<u32>,
    /// For each number whose relation was told: the wanted table, and the layout that its rows have now.
    relations: HashMap<u32, (usize, usize)>,
    /// Transactions that have ended and are still to be told.
    done: Fold,
    transactions: u64,
    /// Up to where everything that came is in `done`, or was told.
    reached: LogPosition,
    /// Up to where the caller knows.
    told: LogPosition,
    /// The transaction that is coming.
    open: Option<Coming>,
    /// One that has ended and has no room beside those before it.
    ended: Option<(Coming, LogPosition)>,
    start: LogPosition,
    /// An error, or a caller who went away in the middle of something, left it of no use.
    is_broken: bool,
}

/// A transaction, in memory and, beyond the limits, in a file.
struct Coming {
    fold: Fold,
    spill: Option<Spill>,
}

#[async_trait]
impl ChangeLog for PostgresLog {
    fn start(&self) -> LogPosition {
        self.start
    }

    async fn next(&mut self, wait: Duration) -> Result<Option<LogBatch>> {
        if self.is_broken {
            let store = self.decoder.store.address.to_string();
            return Err(ConnectorError::Interrupted { store });
        }
        let until = Instant::now() + wait;
        let batch = loop {
            if let Some(sent) = self.sent(until).await? {
                self.is_broken = true;
                self.take(sent).await?;
                self.is_broken = false;
            } else {
                self.is_broken = true;
                let batch = self.batch().await?;
                self.is_broken = false;
                break batch;
            }
        };
        if let Some(batch) = &batch {
            self.told = batch.upto;
        }
        Ok(batch)
    }

    async fn confirm(&mut self, upto: LogPosition) -> Result<()> {
        self.wire.confirm(upto);
        Ok(())
    }
}

impl PostgresLog {
    /// What comes next; `None` once it is time to tell what there is. Loses nothing if it is dropped.
    async fn sent(&mut self, until: Instant) -> Result<Option<Sent>> {
        if self.ended.is_some() || self.is_full(&self.done) {
            return Ok(None);
        }
        let sent = if self.transactions > 0 {
            self.wire.next_waiting().await
        } else {
            match tokio::time::timeout_at(until, self.wire.next()).await {
                Ok(sent) => sent.map(Some),
                Err(_) => return Ok(None),
            }
        };
        sent.map_err(|error| self.broken(error))
    }

    fn broken(&mut self, error: WireError) -> ConnectorError {
        self.is_broken = true;
        failure(&self.decoder.store.address.to_string(), &self.slot, error)
    }

    fn is_full(&self, fold: &Fold) -> bool {
        let query = &self.decoder.query;
        fold.rows >= query.batch_rows_max.max(1) || fold.bytes >= query.batch_bytes_max.max(1)
    }

    async fn take(&mut self, sent: Sent) -> Result<()> {
        let body = match sent {
            Sent::Alive(reached) => {
                if self.open.is_none() {
                    self.reached = self.reached.max(reached);
                }
                return Ok(());
            }
            Sent::Data(body) => body,
        };
        let message = pgoutput::parse(body).map_err(|_| ConnectorError::Interrupted {
            store: self.decoder.store.address.to_string(),
        })?;
        match message {
            Message::Begin => self.open = Some(Coming::new(self.oids.len())),
            Message::Commit { end } => self.end(end),
            Message::Relation(relation) => self.learn(relation).await?,
            Message::Insert { table, new } => self.change(table, Some(&new), None)?,
            Message::Update { table, old, new } => self.change(table, Some(&new), old.as_ref())?,
            Message::Delete { table, old } => self.change(table, None, Some(&old))?,
            Message::Truncate { tables } => self.truncate(&tables),
            Message::Other => {}
        }
        let is_full = self
            .open
            .as_ref()
            .is_some_and(|open| self.is_full(&open.fold));
        if let Some(open) = self.open.as_mut().filter(|_| is_full) {
            open.spill().await?;
        }
        Ok(())
    }

    fn change(&mut self, table: u32, new: Option<&Tuple>, old: Option<&Tuple>) -> Result<()> {
        let (Some((table, layout)), Some(open)) = (self.relations.get(&table), &mut self.open)
        else {
            return Ok(());
        };
        let layout = &self.decoder.layouts[*layout];
        match (new, old) {
            (Some(new), old) => open.fold.upsert(*table, layout, new, old),
            (None, Some(old)) => open.fold.delete(*table, layout, old),
            (None, None) => Ok(()),
        }
    }

    fn truncate(&mut self, tables: &[u32]) {
        for (place, oid) in self.oids.iter().enumerate() {
            if let Some(open) = self.open.as_mut().filter(|_| tables.contains(oid)) {
                open.fold.truncate(place);
            }
        }
    }

    /// Puts a transaction that has ended behind those before it, if there is room.
    fn end(&mut self, end: LogPosition) {
        let Some(open) = self.open.take() else { return };
        if open.spill.is_none() && open.fold.is_empty() {
            self.reached = self.reached.max(end);
            return;
        }
        let query = &self.decoder.query;
        let has_room = self.transactions == 0
            || (self.done.rows + open.fold.rows <= query.batch_rows_max
                && self.done.bytes + open.fold.bytes <= query.batch_bytes_max);
        if open.spill.is_some() || !has_room {
            self.ended = Some((open, end));
            return;
        }
        self.done.add(open.fold);
        self.transactions += 1;
        self.reached = end;
    }

    /// What is to be told now.
    async fn batch(&mut self) -> Result<Option<LogBatch>> {
        if self.transactions > 0 {
            return self.small_batch().await.map(Some);
        }
        match self.ended.take() {
            Some((coming, end)) => {
                self.reached = end;
                if let Some(spill) = coming.spill {
                    return self.large_batch(coming.fold, spill).await.map(Some);
                }
                self.done = coming.fold;
                self.transactions = 1;
                self.small_batch().await.map(Some)
            }
            None if self.reached.0 - self.told.0 >= IDLE_BYTES => Ok(Some(LogBatch {
                upto: self.reached,
                transactions: 0,
                tables: Vec::new(),
            })),
            None => Ok(None),
        }
    }

    async fn small_batch(&mut self) -> Result<LogBatch> {
        let done = std::mem::replace(&mut self.done, Fold::new(self.oids.len()));
        let transactions = std::mem::take(&mut self.transactions);
        let mut tables = Vec::new();
        for (table, fold) in done.tables.into_iter().enumerate() {
            let rows: Vec<Row> = fold.rows.into_values().collect();
            if rows.is_empty() && !fold.truncated {
                continue;
            }
            tables.push(TableChanges {
                table,
                truncated: fold.truncated,
                rows: u64::try_from(rows.len()).unwrap_or(u64::MAX),
                changes: one_batch(self.decoder.batch(table, &rows).await?),
            });
        }
        Ok(LogBatch {
            upto: self.reached,
            transactions,
            tables,
        })
    }

    async fn large_batch(&mut self, rest: Fold, mut spill: Spill) -> Result<LogBatch> {
        spill.add(rest).await?;
        let spill = Arc::new(spill);
        let mut tables = Vec::new();
        for table in 0..self.oids.len() {
            let held = spill.held(table).await?;
            if held.rows == 0 && !held.truncated {
                continue;
            }
            tables.push(TableChanges {
                table,
                truncated: held.truncated,
                rows: held.rows,
                changes: self.decoder.clone().stream(Arc::clone(&spill), table),
            });
        }
        Ok(LogBatch {
            upto: self.reached,
            transactions: 1,
            tables,
        })
    }

    /// Notes what the rows of a relation look like from here on.
    async fn learn(&mut self, relation: Relation) -> Result<()> {
        let Some(table) = self.oids.iter().position(|oid| *oid == relation.table) else {
            return Ok(());
        };
        let wanted = self.decoder.query.tables[table].clone();
        let session = self.decoder.store.session().await?;
        let types = types_of(&session, &relation).await?;
        let mut columns = Vec::with_capacity(wanted.columns.len());
        for column in &wanted.columns {
            let found = relation
                .columns
                .iter()
                .position(|told| told.name == column.name);
            let at = found.ok_or_else(|| ConnectorError::ColumnMissing {
                table: wanted.table.clone(),
                column: column.name.clone(),
            })?;
            let refused =
                |reason: String| ConnectorError::type_refused(&wanted.table, &column.name, reason);
            let gone = || "its type was dropped since the change was made".to_owned();
            let (name, meaning) = types.get(&at).ok_or_else(gone).map_err(refused)?;
            let meaning = meaning.as_ref().map_err(|reason| refused(reason.clone()))?;
            types::gives(meaning.column_type, column.column_type).map_err(refused)?;
            columns.push(Place {
                at,
                form: Form::of(meaning.native, name).map_err(refused)?,
                is_identity: relation.columns[at].is_identity,
            });
        }
        let place_of = |name: &String| {
            wanted
                .columns
                .iter()
                .position(|column| column.name == *name)
        };
        let key = wanted.key.iter().filter_map(place_of).collect();
        let place = self.decoder.layouts.len();
        let known = self.decoder.layouts.iter();
        let known = known
            .clone()
            .position(|known| known.wanted == wanted && known.columns == columns);
        let place = known.unwrap_or_else(|| {
            let number = u32::try_from(place).expect("a table isn't altered so often");
            self.decoder.layouts.push(Arc::new(Layout {
                number,
                wanted,
                columns,
                key,
            }));
            place
        });
        self.relations.insert(relation.table, (table, place));
        Ok(())
    }
}

impl Coming {
    fn new(tables: usize) -> Self {
        Self {
            fold: Fold::new(tables),
            spill: None,
        }
    }

    async fn spill(&mut self) -> Result<()> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill::new()?),
        };
        let tables = self.fold.tables.len();
        spill
            .add(std::mem::replace(&mut self.fold, Fold::new(tables)))
            .await
    }
}

type TypeOf = (String, Result<Meaning, String>);

/// Name and meaning of each column's type, by the column's place. A domain is what it is based on.
async fn types_of(session: &Session, relation: &Relation) -> Result<HashMap<usize, TypeOf>> {
    let sql =
        "SELECT t.oid, COALESCE(b.typname, t.typname)::text, COALESCE(b.typtype, t.typtype)::text,
                      CASE WHEN b.oid IS NOT NULL THEN t.typtypmod END
               FROM pg_catalog.pg_type t
               LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
               WHERE t.oid = ANY($1)";
    let oids: Vec<u32> = relation
        .columns
        .iter()
        .map(|column| column.type_oid)
        .collect();
    let rows = session
        .rows(sql, &[&oids], "look at the types of a table", "")
        .await?;
    let mut types = HashMap::new();
    for row in &rows {
        let (oid, name, kind): (u32, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let of_domain: Option<i32> = row.get(3);
        for (place, column) in relation.columns.iter().enumerate() {
            if column.type_oid == oid {
                let meaning = types::meaning(name, kind, of_domain.unwrap_or(column.modifier));
                types.insert(place, (layout::called(name, kind).to_owned(), meaning));
            }
        }
    }
    Ok(types)
}

/// What an error of the connection means.
fn failure(store: &str, slot: &str, error: WireError) -> ConnectorError {
    let store = store.to_owned();
    let said = match error {
        WireError::Broken(reason) => return ConnectorError::Unreachable { store, reason },
        WireError::Login => return ConnectorError::LoginRefused { store },
        WireError::Said(said) => said,
    };
    let log = slot.to_owned();
    match said.code.as_str() {
        "55006" => ConnectorError::LogBusy { store, log },
        // The slot or its publication isn't there, was invalidated, or its file was deleted.
        "42704" | "55000" | "58P01" => ConnectorError::LogLost {
            store,
            log,
            reason: "the server no longer has it".to_owned(),
        },
        "42501" => ConnectorError::PermissionMissing {
            store,
            table: "its change log".to_owned(),
            right: "read the change log (ALTER ROLE ... REPLICATION, and pg_hba.conf)".into(),
        },
        "53300" => ConnectorError::LogUnavailable {
            store,
            reason: "all its senders are taken: raise max_wal_senders".to_owned(),
        },
        code => said_failure(
            store,
            "send its change log",
            "",
            Said {
                code,
                message: &said.message,
                column: None,
            },
        ),
    }
}
