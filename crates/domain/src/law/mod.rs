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
pub mod due;
pub mod facts;
mod load;
pub mod named;
mod pack;
pub mod process;
pub mod schema;
pub mod words;

#[cfg(test)]
pub(crate) mod tests;

pub use ceiling::{Ceiling, Ceilings, Unconfirmed};
pub use deadline::{Deadline, Due, Limit, LimitSource, NotBefore};
pub use due::{DueError, EventTimes, StepDue, reckon};
pub use facts::{Condition, FactValue, Facts, Holds};
pub use load::{LoadedPack, PackFault, PackFaults, PackFile, PackFiles};
pub use named::Named;
pub use pack::{
    Approval, ClauseNote, CodeList, CodeListItem, Coverage, Decider, ExchangeMode, FactRule, Meta,
    Pack, PackRole, PeriodicDuty, Receiver, SharingClass, ShownBy, Standing,
};
pub use process::{Exception, FollowUp, FormPolicy, Process, ReasonPolicy, Step};
pub use words::{
    Action, BarredAct, ClauseId, DecidedBy, Event, HandedIn, HeldBy, LimitWord, Outcome, PackId,
    ProcessId, RoleId, StepId, StepKind,
};

#[cfg(test)]
pub(crate) use tests::PINGDINGSHAN_2020;
