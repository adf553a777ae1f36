//! Two connections: one over which the server sends its log, and one beside it that holds a lock in the consumer's
//! name, so that no two readers have the same log.
//!
//! The driver's own stream is used for the log's packets alone; what an event holds is read here, because the driver
//! doesn't know MariaDB's events and makes numbers and JSON into other texts than the server does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use mysql_async::binlog::BinlogChecksumAlg;
use mysql_async::binlog::events::Event as Packet;
use mysql_async::prelude::Queryable;
use mysql_async::{BinlogStream, BinlogStreamRequest, Error, OptsBuilder};
use tokio::task::JoinHandle;
use tongqu_domain::exchange::{RowHash, ValueRef};

use super::super::{MysqlStore, Session};
use super::setup;
use crate::text::joined;
use crate::{ConnectorError, Result};

/// How often the server says that it is there, in seconds, and the silence after which it is gone.
const HEARTBEAT_S: u64 = 10;
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// How often the lock's connection is looked at: well within what the server allows a silent one.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// How long a lock is waited for that another connection still holds: our own last one, as a rule, whose end the
/// server is about to notice.
const BUSY_WAIT_S: u32 = 5;

/// Events may be as large as packets can be.
const PACKET_BYTES_MAX: usize = 1 << 30;

/// The first event of a file.
const FORMAT: u8 = 15;

/// Marks of an event: the server made it up, so that it is no place in the file; readers may pass over it.
const MADE_UP: u16 = 0x20;
const MAY_BE_IGNORED: u16 = 0x80;

/// Who reads, towards the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    /// Of the lock, and in messages.
    pub name: String,
    /// As another server would have it; the upper half is hardly used by people.
    pub server_id: u32,
    uuid: String,
}

impl Reader {
    pub(super) fn of(store: &MysqlStore, consumer: &str) -> Self {
        let database = store.opts.db_name().unwrap_or_default();
        let hash = RowHash::of(&[ValueRef::Text(database), ValueRef::Text(consumer)]).0;
        let hex = |bytes: &[u8]| joined(bytes, "", |byte| format!("{byte:02x}"));
        let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        let uuid = [0..4, 4..6, 6..8, 8..10, 10..16];
        Self {
            name: format!("tongqu_log_{}", hex(&hash[..16])),
            server_id: number | 1 << 31,
            uuid: joined(uuid, "-", |part| hex(&hash[part])),
        }
    }

    /// One that only looks whether it could read: the server ends who reads under the same number.
    pub(super) fn looking(store: &MysqlStore, consumer: &str) -> Self {
        Self::of(store, &format!("{consumer} looks"))
    }

    fn busy(&self, store: &str) -> ConnectorError {
        ConnectorError::LogBusy {
            store: store.to_owned(),
            log: self.name.clone(),
        }
    }

    pub(super) fn lost(&self, store: &str, reason: impl Into<String>) -> ConnectorError {
        ConnectorError::LogLost {
            store: store.to_owned(),
            log: self.name.clone(),
            reason: reason.into(),
        }
    }

    /// Whether somebody reads under this name.
    pub(super) async fn is_used(&self, session: &mut Session) -> Result<bool> {
        let sql = "SELECT IS_USED_LOCK(?) IS NOT NULL";
        let rows = session
            .rows(sql, (&self.name,), "look who reads its change log", "")
            .await?;
        Ok(rows.first().and_then(|row| row.get(0)) == Some(1_u8))
    }

    /// Refuses to give a log away that is read.
    pub(super) async fn check_unused(&self, session: &mut Session) -> Result<()> {
        if self.is_used(session).await? {
            return Err(self.busy(&session.store));
        }
        Ok(())
    }
}

/// Holds the lock in the reader's name until it is dropped.
pub(super) struct Lock {
    holding: JoinHandle<()>,
    is_lost: Arc<AtomicBool>,
}

impl Lock {
    /// Errors: `log_busy`.
    pub(super) async fn take(mut session: Session, reader: &Reader) -> Result<Self> {
        let sql = "SELECT GET_LOCK(?, ?)";
        let rows = session
            .rows(
                sql,
                (&reader.name, BUSY_WAIT_S),
                "keep its change log to itself",
                "",
            )
            .await?;
        if rows
            .first()
            .and_then(|row| row.get::<Option<u8>, _>(0))
            .flatten()
            != Some(1)
        {
            return Err(reader.busy(&session.store));
        }
        let is_lost = Arc::new(AtomicBool::new(false));
        let lost = Arc::clone(&is_lost);
        let holding = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let answer = tokio::time::timeout(SILENCE_MAX, session.conn.query_drop("DO 1"));
                if !matches!(answer.await, Ok(Ok(()))) {
                    lost.store(true, Ordering::Release);
                    return;
                }
            }
        });
        Ok(Self { holding, is_lost })
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.holding.abort();
    }
}

/// Whether the server ends the log when there is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtEnd {
    Wait,
    Stop,
}

/// A connection over which the server sends its log.
pub(super) struct Wire {
    store: String,
    reader: Reader,
    stream: BinlogStream,
    /// How long nothing came while it was waited for.
    silent: Duration,
}

/// What came over it.
pub(super) struct Sent {
    pub kind: u8,
    /// In seconds since 1970.
    pub at: u64,
    pub server_id: u32,
    /// The end of the event in its file; `None` if it isn't in the file.
    pub end: Option<u32>,
    /// Of the event, with its head.
    pub bytes: u64,
    pub may_be_ignored: bool,
    packet: Packet,
}

impl Sent {
    pub(super) fn body(&self) -> &[u8] {
        self.packet.data()
    }
}

impl Wire {
    /// Asks for the log from this place on.
    pub(super) async fn start(
        store: &MysqlStore,
        reader: &Reader,
        file: &str,
        offset: u32,
        at_end: AtEnd,
    ) -> Result<Self> {
        let opts = OptsBuilder::from_opts(store.opts.clone());
        let opts = opts.max_allowed_packet(Some(PACKET_BYTES_MAX)).into();
        let mut session = store.session_with(opts).await?;
        let every = HEARTBEAT_S * 1_000_000_000;
        // Told to either server in its own words; one doesn't mind the other's. MariaDB then sends its marks of
        // transactions as they are.
        let settings = format!(
            "SET @mariadb_slave_capability = 4, @master_heartbeat_period = {every}, \
             @source_heartbeat_period = {every}, @slave_uuid = '{0}', @replica_uuid = '{0}'",
            reader.uuid
        );
        session
            .run(&settings, "prepare to send its log", "")
            .await?;
        let request = BinlogStreamRequest::new(reader.server_id)
            .with_filename(file.as_bytes())
            .with_pos(u64::from(offset));
        let request = match at_end {
            AtEnd::Wait => request,
            AtEnd::Stop => request.with_non_blocking(),
        };
        let Session { store, conn, .. } = session;
        let stream = conn.get_binlog_stream(request).await;
        let stream = stream.map_err(|error| failure(&store, reader, &error))?;
        Ok(Self {
            store,
            reader: reader.clone(),
            stream,
            silent: Duration::ZERO,
        })
    }

    /// The next event, within this time; `None` if none came. Loses nothing if it is dropped.
    pub(super) async fn next_within(&mut self, wait: Duration) -> Result<Option<Sent>> {
        if let Ok(come) = tokio::time::timeout(wait, self.stream.next()).await {
            return self.take(come);
        }
        self.silent += wait;
        if self.silent > SILENCE_MAX {
            return Err(self.broken("the server fell silent"));
        }
        Ok(None)
    }

    /// The next event if it has come already.
    pub(super) fn next_waiting(&mut self) -> Result<Option<Sent>> {
        match self.stream.next().now_or_never() {
            Some(come) => self.take(come),
            None => Ok(None),
        }
    }

    /// Reads on to the first event of the file, or to the end of the log: then the server lets us have it.
    pub(super) async fn prove(mut self) -> Result<()> {
        while let Some(come) = self.stream.next().await {
            let packet = come.map_err(|error| failure(&self.store, &self.reader, &error))?;
            if packet.header().event_type_raw() == FORMAT {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn broken(&self, reason: &str) -> ConnectorError {
        ConnectorError::Unreachable {
            store: self.store.clone(),
            reason: reason.to_owned(),
        }
    }

    fn take(&mut self, come: Option<mysql_async::Result<Packet>>) -> Result<Option<Sent>> {
        self.silent = Duration::ZERO;
        let packet = match come {
            Some(Ok(packet)) => packet,
            Some(Err(error)) => return Err(failure(&self.store, &self.reader, &error)),
            None => return Err(self.broken("the server ended its log")),
        };
        let header = packet.header();
        let is_made_up = header.log_pos() == 0 || header.flags_raw() & MADE_UP != 0;
        if !is_made_up && !is_sound(&packet) {
            return Err(self.broken("an event of the log doesn't have the checksum that it says"));
        }
        Ok(Some(Sent {
            kind: header.event_type_raw(),
            at: header.timestamp().into(),
            server_id: header.server_id(),
            end: Some(header.log_pos()).filter(|_| !is_made_up),
            bytes: header.event_size().into(),
            may_be_ignored: header.flags_raw() & MAY_BE_IGNORED != 0,
            packet,
        }))
    }
}

/// The driver reads the checksum, and leaves it to us.
fn is_sound(packet: &Packet) -> bool {
    let crc = BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32;
    if packet.footer().get_checksum_alg() != Ok(Some(crc)) {
        return true;
    }
    let told = packet.checksum();
    told.is_none_or(|told| u32::from_le_bytes(told) == packet.calc_checksum(crc))
}

/// What an error of the connection means.
fn failure(store: &str, reader: &Reader, error: &Error) -> ConnectorError {
    let Error::Server(said) = error else {
        return match super::super::failure(store, "send its change log", "", error) {
            // The driver's own words for a stream that broke in the middle.
            ConnectorError::Database { store, .. } => ConnectorError::Interrupted { store },
            known => known,
        };
    };
    match said.code {
        1227 | 1045 | 1142 => setup::permission(store, setup::SEND),
        // One code for all that keeps it from sending; the words tell names of files at most.
        1236 if said.message.contains("has connected") || said.message.contains("same server") => {
            reader.busy(store)
        }
        1236 => reader.lost(
            store,
            "the server has no such place in its log (any more): it was deleted or begun anew",
        ),
        _ => super::super::failure(store, "send its change log", "", error),
    }
}
