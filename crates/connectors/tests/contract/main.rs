//! One contract for every engine, on real servers.
//!
//! Each function of `suite` is a test that knows no engine; `store_suite!` runs it on all of them.
//! What only one engine can show (its own types, its own collations) lies in `<engine>.rs`.
//! A server that isn't installed is a failure, never a skip.

#![expect(
    clippy::unwrap_used,
    reason = "the whole binary is a test, its helpers too"
)]

mod agent;
mod engines;
mod logs;
mod mysql;
mod mysql_log;
#[cfg(feature = "odbc")]
mod odbc;
mod postgres;
mod postgres_log;
mod sqlite;
mod suite;
mod support;
