//! The rules of Tongqu: everything that can be decided by thinking alone.
//!
//! This crate knows no clock, network, database or file. Times, dates and calendars come in as
//! arguments; verdicts, digests and new states go out. A change in the law starts here or, better,
//! in a rule pack under `regulations/`.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod access;
pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod codes;
pub mod demand;
pub mod exchange;
pub mod grant;
pub mod ids;
pub mod kind;
pub mod law;
pub mod ledger;
pub mod request;
pub mod responsibility;
pub mod supervision;
pub mod time;
