//! PostgreSQL's change log: logical decoding by the server's own `pgoutput`.
//!
//! A slot holds the log back for the consumer, and a publication says which tables are sent. The server decodes,
//! waits for each commit, and sends whole transactions in their order, with values in the same binary form as
//! reading a table gives (protocol version 1, `binary 'true'`): large ones wait on the server's disk, not in our
//! memory. Here a transaction is put together key by key ([`crate::log::gather`]).
//!
//! What was looked at instead: `pg_logical_slot_peek_binary_changes` decodes everything since the slot's start anew
//! at each call and has to be asked again and again; for the crates see [`wire`].

mod layout;
mod pgoutput;
mod setup;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::layout::{Form, Place};
use self::pgoutput::{Message, Relation, Tuple};
use self::wire::{Sent, Wire, WireError};
use super::types::{self, Meaning};
use super::{PostgresStore, Said, Session, said_failure};
use crate::log::gather::Gatherer;
use crate::{ChangeLog, ConnectorError, LogBatch, LogPosition, LogQuery, LogState, Result};

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
        gatherer: Gatherer::new(Arc::new(store.clone()), query, start),
        store: store.clone(),
        slot,
        wire,
        oids,
        relations: HashMap::new(),
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
    store: PostgresStore,
    gatherer: Gatherer<Place>,
    slot: String,
    wire: Wire,
    /// The wanted tables' numbers in the server.
    oids: Vec<u32>,
    /// For each number whose relation was told: the wanted table, and the layout that its rows have now.
    relations: HashMap<u32, (usize, usize)>,
    start: LogPosition,
    /// An error, or a caller who went away in the middle of something, left it of no use.
    is_broken: bool,
}

#[async_trait]
impl ChangeLog for PostgresLog {
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
            let sent = self.sent(until).await?;
            self.is_broken = true;
            let Some(sent) = sent else {
                let passed = self.gatherer.reached().0 - self.gatherer.told().0;
                let batch = self.gatherer.batch(passed >= IDLE_BYTES).await?;
                self.is_broken = false;
                return Ok(batch);
            };
            self.take(sent).await?;
            self.is_broken = false;
        }
    }

    async fn confirm(&mut self, upto: LogPosition) -> Result<()> {
        self.wire.confirm(upto);
        Ok(())
    }
}

impl PostgresLog {
    /// What comes next; `None` once it is time to tell what there is. Loses nothing if it is dropped.
    async fn sent(&mut self, until: Instant) -> Result<Option<Sent>> {
        if self.gatherer.is_due() {
            return Ok(None);
        }
        let sent = if self.gatherer.has_ended() {
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
        failure(&self.store.address.to_string(), &self.slot, error)
    }

    async fn take(&mut self, sent: Sent) -> Result<()> {
        let body = match sent {
            Sent::Alive(reached) => {
                self.gatherer.pass(reached);
                return Ok(());
            }
            Sent::Data(body) => body,
        };
        let message = pgoutput::parse(body).map_err(|_| ConnectorError::Interrupted {
            store: self.store.address.to_string(),
        })?;
        match message {
            Message::Begin => self.gatherer.begin(),
            Message::Commit { end } => self.gatherer.end(end),
            Message::Relation(relation) => self.learn(relation).await?,
            Message::Insert { table, new } => self.change(table, Some(&new), None)?,
            Message::Update { table, old, new } => self.change(table, Some(&new), old.as_ref())?,
            Message::Delete { table, old } => self.change(table, None, Some(&old))?,
            Message::Truncate { tables } => self.truncate(&tables),
            Message::Other => {}
        }
        self.gatherer.relieve().await
    }

    fn change(&mut self, table: u32, new: Option<&Tuple>, old: Option<&Tuple>) -> Result<()> {
        let (Some((table, layout)), Some((fold, decoder))) =
            (self.relations.get(&table), self.gatherer.open())
        else {
            return Ok(());
        };
        let layout = &decoder.layouts[*layout];
        let gone = old.map(|old| layout::gone(layout, old)).transpose()?;
        match (new, gone) {
            (Some(new), gone) => fold.upsert(*table, layout, layout::row(layout, new, old)?, gone),
            (None, Some(gone)) => fold.delete(*table, layout, gone),
            (None, None) => Ok(()),
        }
    }

    fn truncate(&mut self, tables: &[u32]) {
        let Some((fold, _)) = self.gatherer.open() else {
            return;
        };
        for (place, oid) in self.oids.iter().enumerate() {
            if tables.contains(oid) {
                fold.truncate(place);
            }
        }
    }

    /// Notes what the rows of a relation look like from here on.
    async fn learn(&mut self, relation: Relation) -> Result<()> {
        let Some(table) = self.oids.iter().position(|oid| *oid == relation.table) else {
            return Ok(());
        };
        let decoder = &mut self.gatherer.decoder;
        let wanted = &decoder.query.tables[table];
        let session = self.store.session().await?;
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
        let place = decoder.place_of(table, columns);
        self.relations.insert(relation.table, (table, place));
        Ok(())
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
