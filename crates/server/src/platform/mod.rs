//! What every feature stands on: stores, sessions, jobs, evidence, HTTP. It never names a feature.

pub mod agents;
pub mod clock;
pub mod config;
pub mod db;
pub mod evidence;
pub mod files;
pub mod http;
pub mod jobs;
pub mod ledger;
pub mod live;
pub mod node;
pub mod paces;
pub mod packs;
pub mod pdf;
pub mod secrets;
pub mod session;
pub mod sheet;
pub mod telemetry;
pub mod web_assets;
pub mod xlsx;
