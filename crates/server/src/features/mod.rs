//! The features as vertical slices: one folder per noun of the regulation. Each owns its operations,
//! its SQL (`store.rs`) and its JSON shapes (`views.rs`); the rules are in the domain.

pub mod agent;
pub mod attachment;
pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod demand;
pub mod demo;
pub mod desk;
pub mod directory;
pub mod exchange;
pub mod first_steps;
pub mod forms;
pub mod grant;
pub mod home;
pub mod law;
pub mod ledger;
pub mod live;
pub mod nodes;
pub mod proceeding;
pub mod request;
pub mod responsibility;
pub mod sample;
pub mod session;
pub mod stats;
pub mod supervision;
