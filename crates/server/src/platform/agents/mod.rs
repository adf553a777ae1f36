//! Agents 前置机: programs in the departments' own networks, through which their exchange stores are reached.
//!
//! Here is what the platform's side and the agent's side share: certificates, and how a line begins. Lines of agents
//! come in on a port of their own. Which of three things a line is for is agreed in the TLS handshake (ALPN): to be
//! enrolled with a one-time code, to get the certificate renewed, or to be asked for rows.
//!
//! Spec: PDS-8.1 (table mode)

mod authority;
mod lines;
mod talk;
mod tls;

pub use authority::{Authority, AuthorityError, fingerprint};
pub use lines::{Lines, Listening};
pub use talk::{Asked, Issued, Refused, TalkError, read_message, write_message};
pub use tls::{Purpose, TlsError, Trust, agent_side, platform_name, platform_side, purpose_of};

/// The name in the certificate of every node. Agents trust their platform's own authority and nobody else, so it
/// doesn't matter under which address a node is reached.
pub const PLATFORM_NAME: &str = "tongqu-platform";
