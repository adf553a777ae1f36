//! Stores in a department's own network, reached through the agent that runs beside them.
//!
//! The agent calls the platform, never the other way round; on the line that it opened, the platform asks and the
//! agent answers (HTTP/2 with its two sides exchanged, so that many readings and writings share a line and each has
//! flow control of its own). The addresses of the stores, and their passwords, stay with the agent.
//!
//! What is long travels in numbered frames ([`frames`]) by way of the agent's spool ([`spool`]): a reading runs into
//! it at the pace of the database, a writing is collected in it first, so that no transaction stays open at a
//! department's database because a network is slow. A line that is cut is taken up again where it was: frames are
//! kept until the other side has seen them. An agent that was started anew has forgotten its transfers, and so has a
//! node; then the run begins anew, and the cursor in the target sees to it that nothing comes twice.

mod frames;
mod host;
mod line;
mod sending;
mod spool;
mod store;
mod transfers;
mod wire;

use std::io;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

pub use host::Host;
pub use line::{Line, LineEnded};
pub use spool::{Spool, SpoolFault};
pub use store::AgentStore;
pub use wire::{HostState, PROTOCOL, StoreFacts, Welcome};

/// What goes either way on a line.
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Bytes of one frame's rows, uncompressed, unless a single row is larger: little enough to get through a line that
/// is cut again and again.
const FRAME_ROWS_BYTES: u64 = 256 * 1024;

/// Bytes of a message that isn't a frame: a reading may name ten thousand keys.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that may be under way on one transfer, and on a line.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const LINE_WINDOW: u32 = 16 * 1024 * 1024;

/// A line over which nothing comes for the sum of both is dead.
const SIGN_EVERY: std::time::Duration = std::time::Duration::from_secs(10);
const SIGN_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);
