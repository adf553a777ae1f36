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
pub mod pack;
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

/// The rules of Luyi County, as compiled in.
///
/// Spec: LY-2, LY-3.1, LY-3.2, LY-3.3, LY-4, LY-8.1, LY-8.2, LY-9.1, LY-9.2, LY-10.1, LY-10.2, LY-10.3,
/// Spec: LY-11, LY-12, LY-13.1, LY-13.2, LY-15, LY-16.1, LY-16.2, LY-17.1, LY-17.p2, LY-19, LY-21, LY-24.
pub const LUYI_2019: &str = include_str!("../../../../regulations/luyi-2019.toml");

/// The rules of Yichuan County, as compiled in.
///
/// Spec: YC-2, YC-6, YC-7.1, YC-11, YC-12.1, YC-12.2, YC-12.3, YC-13.1, YC-14.1, YC-14.2, YC-16.2, YC-18,
/// Spec: YC-19.2, YC-19.3, YC-23, YC-24, YC-25.1, YC-25.2, YC-26, YC-27, YC-28, YC-29.1, YC-29.2,
/// Spec: YC-29.p2, YC-29.p3, YC-35, YC-36, YC-37, YC-38, YC-39, YC-40, YC-41.1, YC-41.2, YC-41.3,
/// Spec: YC-41.4, YC-41.5, YC-41.6, YC-41.7, YC-41.8, YC-42.1, YC-42.2, YC-42.3, YC-42.4, YC-44, YC-46.
pub const YICHUAN_2020: &str = include_str!("../../../../regulations/yichuan-2020.toml");

/// The reference template for a city, as compiled in. Never in force by itself.
///
/// Spec: TP-2, TP-3b, TP-4, TP-5.5, TP-7a, TP-7b, TP-7c, TP-8a, TP-8b, TP-9a, TP-9b, TP-9c, TP-9d, TP-12b,
/// Spec: TP-12c, TP-13a, TP-13b, TP-14, TP-15, TP-16, TP-17, TP-18, TP-19, TP-20a, TP-20b, TP-21a, TP-21b,
/// Spec: TP-24, TP-25a, TP-25b, TP-26a.
pub const CITY_TEMPLATE: &str = include_str!("../../../../regulations/city-template.toml");

/// The rules of Yanjin County, as compiled in.
///
/// Spec: YJ-1.2, YJ-1.3, YJ-2.1, YJ-2.3, YJ-3.1.1b, YJ-3.1.1c, YJ-3.1.1d, YJ-3.1.2a, YJ-3.1.2b, YJ-3.1.3a,
/// Spec: YJ-3.1.3b, YJ-3.1.4, YJ-3.1.5, YJ-3.2.2, YJ-3.2.3a, YJ-3.2.3b, YJ-3.2.4, YJ-4.2.2, YJ-4.2.3.
pub const YANJIN_2019: &str = include_str!("../../../../regulations/yanjin-2019.toml");
