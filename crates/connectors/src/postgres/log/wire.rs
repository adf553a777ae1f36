//! A connection in replication mode: sign-in, `START_REPLICATION`, and the messages that follow.
//!
//! Written by hand over the driver's own protocol crate, because the driver speaks no replication. The crates that do
//! (pgwire-replication 0.5, pg_walstream 0.10) were looked at: the one bounds what waits by events, not by bytes, and
//! brings a second sign-in; the other brings a second TLS stack. All that we need is below, and nothing is read from
//! the socket before the caller wants it, so that the server waits when we do.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::LogPosition;

/// How often the server hears from us: well within the minute after which it gives a silent reader up.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// A server that says nothing for so long, though it is asked every [`STATUS_EVERY`], is gone.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Room for reading: a few hundred small changes at once.
const READ_BYTES: usize = 64 * 1024;

/// No message is longer: a row has at most 1 GB at the server.
const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// What went wrong on the wire.
pub(super) enum WireError {
    /// The connection.
    Broken(String),
    /// The server refused the sign-in in a way of its own, or wants one that we don't have.
    Login,
    /// The server's own error.
    Said(Said),
}

/// An error as the server tells it.
pub(super) struct Said {
    pub code: String,
    pub message: String,
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

fn odd() -> WireError {
    WireError::Broken("the server's answer can't be read".to_owned())
}

type Stream = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Reads whole messages: a tag and a body.
struct Reader {
    from: ReadHalf<Stream>,
    buffer: BytesMut,
}

impl Reader {
    /// A message that has come already as a whole.
    fn buffered(&mut self) -> Result<Option<(u8, Bytes)>, WireError> {
        let Some(head) = self.buffer.get(..5) else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let length = usize::try_from(length).map_err(|_| odd())?;
        if !(4..=MESSAGE_BYTES_MAX).contains(&length) {
            return Err(odd());
        }
        if self.buffer.len() < length + 1 {
            return Ok(None);
        }
        let mut message = self.buffer.split_to(length + 1).freeze();
        let tag = message.get_u8();
        message.advance(4);
        Ok(Some((tag, message)))
    }

    /// Takes more from the socket. May be dropped while it waits.
    async fn fill(&mut self) -> Result<(), WireError> {
        self.buffer.reserve(READ_BYTES);
        let read = self.from.read_buf(&mut self.buffer).await?;
        if read == 0 {
            return Err(WireError::Broken(
                "the server closed the connection".to_owned(),
            ));
        }
        Ok(())
    }

    async fn message(&mut self) -> Result<(u8, Bytes), WireError> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(message);
            }
            tokio::time::timeout(SILENCE_MAX, self.fill())
                .await
                .map_err(|_| WireError::Broken("the server fell silent".to_owned()))??;
        }
    }
}

/// What is told to the server while it sends: how far we are.
struct Speaker {
    confirmed: AtomicU64,
    /// Rung when the server should hear from us at once.
    bell: Notify,
}

impl Speaker {
    /// Speaks every so often, also while the caller is busy with what it was given, until the connection breaks,
    /// which is found by the one who reads. By a task of its own, so that no word is cut short.
    async fn run(&self, mut into: WriteHalf<Stream>) {
        loop {
            let asked = tokio::time::timeout(STATUS_EVERY, self.bell.notified()).await;
            // Only what comes of itself asks for an answer, lest the two of us never stop.
            let status = self.status(asked.is_err());
            let Ok(status) = status else { return };
            if send(&mut into, &status).await.is_err() {
                return;
            }
        }
    }

    fn status(&self, ask: bool) -> io::Result<BytesMut> {
        let confirmed = self.confirmed.load(Ordering::Acquire);
        let mut body = BytesMut::with_capacity(34);
        body.put_u8(b'r');
        // Written, flushed, applied: for us they are one.
        for _ in 0..3 {
            body.put_u64(confirmed);
        }
        body.put_i64(0);
        body.put_u8(ask.into());
        let mut out = BytesMut::new();
        frontend::CopyData::new(body.freeze())?.write(&mut out);
        Ok(out)
    }
}

async fn send(into: &mut WriteHalf<Stream>, bytes: &[u8]) -> io::Result<()> {
    into.write_all(bytes).await?;
    into.flush().await
}

/// A connection over which the server sends its log.
pub(super) struct Wire {
    reader: Reader,
    speaker: Arc<Speaker>,
    speaking: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.speaking.abort();
    }
}

/// A message of the log.
pub(super) enum Sent {
    /// One of the output plugin's.
    Data(Bytes),
    /// Everything up to here has been sent.
    Alive(LogPosition),
}

impl Wire {
    /// Signs in and asks for the log of `slot` from `from` on.
    pub(super) async fn start(
        config: &Config,
        slot: &str,
        from: LogPosition,
        options: &str,
    ) -> Result<Self, WireError> {
        let (from_server, mut to_server) = tokio::io::split(connect(config).await?);
        let mut reader = Reader {
            from: from_server,
            buffer: BytesMut::new(),
        };
        sign_in(&mut reader, &mut to_server, config).await?;
        let mut out = BytesMut::new();
        let ask = format!("START_REPLICATION SLOT \"{slot}\" LOGICAL {from} ({options})");
        frontend::query(&ask, &mut out)?;
        send(&mut to_server, &out).await?;
        loop {
            match reader.message().await? {
                (b'W', _) => break,
                (b'E', body) => return Err(WireError::Said(said(&body)?)),
                (b'N' | b'S', _) => {}
                _ => return Err(odd()),
            }
        }
        let speaker = Arc::new(Speaker {
            confirmed: AtomicU64::new(from.0),
            bell: Notify::new(),
        });
        let speaks = Arc::clone(&speaker);
        let speaking = tokio::spawn(async move { speaks.run(to_server).await });
        Ok(Self {
            reader,
            speaker,
            speaking,
        })
    }

    /// The next message of the log. May be dropped while it waits, without loss.
    pub(super) async fn next(&mut self) -> Result<Sent, WireError> {
        loop {
            let message = self.reader.message().await?;
            if let Some(sent) = self.take(message)? {
                return Ok(sent);
            }
        }
    }

    /// The next message if it has come already.
    pub(super) async fn next_waiting(&mut self) -> Result<Option<Sent>, WireError> {
        loop {
            if let Some(message) = self.reader.buffered()? {
                if let Some(sent) = self.take(message)? {
                    return Ok(Some(sent));
                }
                continue;
            }
            match self.reader.fill().now_or_never() {
                Some(filled) => filled?,
                None => return Ok(None),
            }
        }
    }

    fn take(&mut self, message: (u8, Bytes)) -> Result<Option<Sent>, WireError> {
        let (tag, mut body) = message;
        match tag {
            b'd' => {}
            b'E' => return Err(WireError::Said(said(&body)?)),
            b'N' | b'S' => return Ok(None),
            _ => return Err(WireError::Broken("the server ended its log".to_owned())),
        }
        match body.first() {
            // Where it lies, how far the server is, and when it was sent.
            Some(b'w') if body.len() >= 25 => {
                body.advance(25);
                Ok(Some(Sent::Data(body)))
            }
            Some(b'k') if body.len() >= 18 => {
                body.advance(1);
                let reached = LogPosition(body.get_u64());
                body.advance(8);
                if body.get_u8() == 1 {
                    self.speaker.bell.notify_one();
                }
                Ok(Some(Sent::Alive(reached)))
            }
            _ => Err(odd()),
        }
    }

    /// Tells the server that everything up to `upto` is safe.
    pub(super) fn confirm(&mut self, upto: LogPosition) {
        self.speaker.confirmed.fetch_max(upto.0, Ordering::AcqRel);
        self.speaker.bell.notify_one();
    }
}

async fn sign_in(
    reader: &mut Reader,
    to_server: &mut WriteHalf<Stream>,
    config: &Config,
) -> Result<(), WireError> {
    let user = config.get_user().unwrap_or("postgres");
    let parameters = [
        ("user", user),
        ("database", config.get_dbname().unwrap_or(user)),
        ("replication", "database"),
        ("client_encoding", "UTF8"),
        (
            "application_name",
            config.get_application_name().unwrap_or("tongqu"),
        ),
    ];
    let mut out = BytesMut::new();
    frontend::startup_message(parameters, &mut out)?;
    send(to_server, &out).await?;
    let mut scram = None;
    loop {
        let (tag, mut body) = reader.message().await?;
        match tag {
            b'R' => {
                let kind = body.try_get_i32().map_err(|_| odd())?;
                let answer = answer(kind, &body, config, user, &mut scram)?;
                send(to_server, &answer).await?;
            }
            b'Z' => return Ok(()),
            b'E' => return Err(WireError::Said(said(&body)?)),
            b'S' | b'K' | b'N' => {}
            _ => return Err(odd()),
        }
    }
}

async fn connect(config: &Config) -> Result<Stream, WireError> {
    let wait = config.get_connect_timeout().copied();
    let wait = wait.unwrap_or(SILENCE_MAX);
    let mut last = WireError::Broken("no host is named".to_owned());
    for (place, host) in config.get_hosts().iter().enumerate() {
        let ports = config.get_ports();
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
        match tokio::time::timeout(wait, connect_to(host, port)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error.into(),
            Err(_) => last = WireError::Broken("connecting took too long".to_owned()),
        }
    }
    Err(last)
}

async fn connect_to(host: &Host, port: u16) -> io::Result<Stream> {
    match host {
        Host::Tcp(name) => {
            let stream = TcpStream::connect((name.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream))
        }
        Host::Unix(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{port}"));
            Ok(Box::new(UnixStream::connect(socket).await?))
        }
    }
}

/// What is answered to a message about the sign-in; nothing where it only tells that all is well.
fn answer(
    kind: i32,
    body: &Bytes,
    config: &Config,
    user: &str,
    scram: &mut Option<ScramSha256>,
) -> Result<BytesMut, WireError> {
    let mut out = BytesMut::new();
    let password = || config.get_password().ok_or(WireError::Login);
    match kind {
        0 => {}
        3 => frontend::password_message(password()?, &mut out)?,
        5 => {
            let salt = body.get(..4).and_then(|salt| salt.try_into().ok());
            let hashed = md5_hash(user.as_bytes(), password()?, salt.ok_or_else(odd)?);
            frontend::password_message(hashed.as_bytes(), &mut out)?;
        }
        10 => {
            let binding = ChannelBinding::unsupported();
            let begun = scram.insert(ScramSha256::new(password()?, binding));
            frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), &mut out)?;
        }
        11 => {
            let begun = scram.as_mut().ok_or_else(odd)?;
            begun.update(body).map_err(|_| WireError::Login)?;
            frontend::sasl_response(begun.message(), &mut out)?;
        }
        // The server proves that it knows the password too.
        12 => {
            let begun = scram.as_mut().ok_or_else(odd)?;
            begun.finish(body).map_err(|_| WireError::Login)?;
        }
        _ => return Err(WireError::Login),
    }
    Ok(out)
}

/// The code and words of an error message.
fn said(body: &Bytes) -> Result<Said, WireError> {
    let mut said = Said {
        code: String::new(),
        message: String::new(),
    };
    let mut rest: &[u8] = body;
    while let Some((kind, after)) = rest.split_first().filter(|(kind, _)| **kind != 0) {
        let end = after.iter().position(|byte| *byte == 0).ok_or_else(odd)?;
        let text = String::from_utf8_lossy(&after[..end]).into_owned();
        match kind {
            b'C' => said.code = text,
            b'M' => said.message = text,
            _ => {}
        }
        rest = &after[end + 1..];
    }
    Ok(said)
}
