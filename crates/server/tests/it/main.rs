//! The platform from outside: its API as the portal and other systems call it, its stores as departments
//! see them, its process as an administrator runs it.
#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "helpers of tests fail as tests do, and a scenario is told in one piece"
)]

mod agent;
mod calendar;
mod catalogue;
mod demand;
mod demo_county;
mod directory;
mod directory_departments;
mod directory_import;
mod directory_posts;
mod directory_roles;
mod engine;
mod engine_follow;
mod exchange;
mod exchange_overview;
mod faults;
mod first_steps;
mod following;
mod forms;
mod forms_pdf;
mod grant;
mod killed;
mod law;
mod ledger;
mod live;
mod nodes;
mod odbc;
mod platform;
mod proceeding;
mod pseudonyms;
mod quarantine;
mod registry;
mod request;
mod request_again;
mod request_part;
mod request_together;
mod request_undo;
mod responsibility;
mod road;
mod sample;
mod search_quality;
mod session;
mod stats;
mod supervision;
mod support;
mod throttle;
