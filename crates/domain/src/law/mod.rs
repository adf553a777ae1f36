//! Law as data: what a rule pack can say, and how it is read.
//!
//! A regulation is one TOML file under `regulations/`. [`Pack::load`] reads it whole and reports all
//! its faults at once; what it returns is consistent, so that the case engine (`case`) never meets an
//! unknown step, event or role. No deadline, step, role, sharing class or mandatory reason stands in
//! code: this room knows only the words that packs are written in ([`words`]).
//!
//! Silence stays silent: a point on which a regulation says nothing is `None` here, and nothing is
//! borrowed from elsewhere.
//!
//! A change in the law starts in the pack file. A new kind of rule starts in [`process`] or [`pack`],
//! then in `load`.

pub mod ceiling;
pub mod deadline;
pub mod facts;
mod load;
pub mod pack;
pub mod process;
pub mod words;

#[cfg(test)]
mod tests;

pub use ceiling::{Ceiling, Ceilings, Unconfirmed};
pub use deadline::{Deadline, Due, Limit, LimitSource, NotBefore};
pub use facts::{Condition, FactValue, Facts, Holds};
pub use load::{PackFault, PackFaults};
pub use pack::{
    ClauseNote, CodeList, CodeListItem, Coverage, Decider, ExchangeMode, FactRule, Meta, Pack,
    PackRole, PeriodicDuty, SharingClass, Standing,
};
pub use process::{FollowUp, Process, Step};
pub use words::{
    Action, ClauseId, DecidedBy, Event, HeldBy, LimitWord, Outcome, PackId, ProcessId, RoleId,
    StepId, StepKind,
};

/// The rules of Pingdingshan City, as compiled in. Installations may override them by a file.
///
/// Spec: PDS-2, PDS-5.5, PDS-5.6, PDS-6.2, PDS-6.3, PDS-7, PDS-8.1, PDS-8.2, PDS-8.3, PDS-10.1,
/// Spec: PDS-10.2a, PDS-10.2b, PDS-10.2c, PDS-10.3, PDS-11.1, PDS-11.2, PDS-11.3, PDS-12, PDS-13,
/// Spec: PDS-14.1, PDS-14.2, PDS-15.1, PDS-15.2, PDS-16, PDS-17, PDS-18, PDS-19.1, PDS-19.2, PDS-20,
/// Spec: PDS-22.1, PDS-22.2, PDS-23, PDS-26.
pub const PINGDINGSHAN_2020: &str = include_str!("../../../../regulations/pingdingshan-2020.toml");
