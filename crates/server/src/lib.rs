//! The platform as one program: portal, REST API, exchange workers, evidence.
//!
//! `app` puts the parts together, `router` lists the features, `platform` is what features stand on,
//! `features` are the slices; `agent` is the other program, for the networks of departments.

pub mod agent;
pub mod app;
pub mod cli;
pub mod demo;
pub mod features;
pub mod platform;
pub mod router;
