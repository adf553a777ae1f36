//! The program `tongqu agent` 前置机: runs in a department's own network beside its exchange stores.
//!
//! It calls the platform and is never called; what it may reach, and with which passwords, stands in its own
//! settings and never leaves its machine. It enrols with a one-time code, gets itself new certificates in time, and
//! calls again when a line ends. Spec: PDS-8.1 (table mode)

mod calling;
mod identity;
mod settings;

pub use calling::{AgentError, enrol, run};
pub use settings::Settings;
