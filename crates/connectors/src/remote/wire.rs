//! What is asked and answered on a line, in CBOR: fields may be added without breaking an older side.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body as HttpBody;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Body, MESSAGE_BYTES_MAX};
use crate::{KeyCheck, TableInfo};

/// What both sides of a line call this way of talking. Another number means that one of them is too old.
pub const PROTOCOL: &str = "tongqu-agent/1";

/// With which the platform begins on a new line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The node that asks.
    pub node: String,
    /// Another one after each start of that node: it has forgotten what it asked before.
    pub session: String,
}

/// How the agent answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Version of the agent's program.
    pub version: String,
    /// The stores that can be reached through it.
    pub stores: Vec<StoreFacts>,
}

/// A store beside an agent. Its address stays there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFacts {
    /// Its name in the agent's settings.
    pub name: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub engine: String,
    /// See [`crate::Store::prefers_key_order`].
    pub prefers_key_order: bool,
}

/// How an agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostState {
    /// Bytes in its spool.
    pub spool_bytes: u64,
    /// Bytes that the spool may hold.
    pub spool_bytes_max: u64,
    /// Readings and writings under way.
    pub transfers: u64,
}

/// A call that is answered at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    Ping,
    Tables,
    Discover { table: String },
    CheckKey { table: String, key: Vec<String> },
    Cursor { consumer: String },
    DropConsumer { consumer: String },
}

/// The answers, one for each [`Ask`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Done,
    Tables(Vec<String>),
    Table(TableInfo),
    Key(KeyCheck),
    Cursor(Option<i64>),
}

/// How far the agent has come with a writing.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The number of the first frame that it doesn't have.
    pub next: u64,
}

/// A message as it travels.
pub(super) fn message<T: Serialize>(said: &T) -> Bytes {
    let mut bytes = Vec::new();
    ciborium::into_writer(said, &mut bytes).expect("memory takes every message");
    bytes.into()
}

/// A body that is one message.
pub(super) fn body<T: Serialize>(said: &T) -> Body {
    whole(message(said))
}

/// A body of these bytes.
pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Why a message can't be taken.
#[derive(Debug)]
pub(super) enum Unread {
    /// The line was cut in the middle of it.
    Cut,
    /// It isn't what was expected.
    Unfit,
}

/// The message that a body is.
pub(super) async fn read<T: DeserializeOwned>(
    body: impl HttpBody<Data = Bytes, Error = hyper::Error>,
) -> Result<T, Unread> {
    let limited = Limited::new(body, MESSAGE_BYTES_MAX).collect().await;
    let bytes = limited.map_err(|error| {
        let is_too_long = error.is::<http_body_util::LengthLimitError>();
        if is_too_long {
            Unread::Unfit
        } else {
            Unread::Cut
        }
    })?;
    ciborium::from_reader(&*bytes.to_bytes()).map_err(|_| Unread::Unfit)
}
