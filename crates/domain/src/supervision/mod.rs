//! Supervision 督查: what an overdue step comes to, and what every department owes from time to time.
//!
//! Everything here is a draft or a list: whether a notice is sent is decided by a person. What follows
//! a missed limit comes from the rule pack; where it attaches nothing, there is a reminder and no more.
//! This room knows no case beyond its step, and no store.
//!
//! Spec: YC-41.8, PDS-22.2 (overdue steps), YC-39, YJ-4.2.3, LY-19, LY-8.1, PDS-22.1, YC-35, YC-36,
//! YC-38 (what comes round).

mod duty;
#[cfg(test)]
mod tests;

use crate::law::words::words;
use crate::law::{ClauseId, FollowUp, ProcessId, Step};

pub use duty::{DutyItem, Period, duty_items};

words! {
    /// What an overdue step comes to.
    FindingKind {
        Notice = "notice" / "整改通知" / "notice to rectify",
        Finding = "finding" / "违规记录" / "finding",
        Reminder = "reminder" / "提醒" / "reminder",
    }
}

words! {
    /// What became of it.
    FindingState {
        Draft = "draft" / "待处理" / "draft",
        Issued = "issued" / "已发出" / "issued",
        Dismissed = "dismissed" / "不予处理" / "set aside",
    }
}

/// Whether the regulation binds a department by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// It does.
    Bound,
    /// The department only acts by reference to it 参照执行, so nothing but a reminder follows.
    ByReference,
}

/// What an overdue step comes to, and by which clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequences {
    /// What sort of record.
    pub kind: FindingKind,
    /// The code of the list `prohibited`, for a finding.
    pub code: Option<String>,
    /// The process that sending it opens, for a notice.
    pub process: Option<ProcessId>,
    /// The clause of the consequence; of the limit where none is attached.
    pub clause: ClauseId,
}

/// What `step` comes to once its limit has passed.
///
/// Spec: YC-41.8, PDS-22.2.
#[must_use]
pub fn consequences(step: &Step, binding: Binding) -> Consequences {
    let reminder = || Consequences {
        kind: FindingKind::Reminder,
        code: None,
        process: None,
        clause: step
            .deadline
            .as_ref()
            .map_or(&step.clause, |deadline| &deadline.clause)
            .clone(),
    };
    match (&step.on_overdue, binding) {
        (None, _) | (Some(_), Binding::ByReference) => reminder(),
        (Some(attached), Binding::Bound) => match &attached.follow_up {
            FollowUp::Case(process) => Consequences {
                kind: FindingKind::Notice,
                process: Some(process.clone()),
                clause: attached.clause.clone(),
                ..reminder()
            },
            FollowUp::Finding(code) => Consequences {
                kind: FindingKind::Finding,
                code: Some(code.clone()),
                clause: attached.clause.clone(),
                ..reminder()
            },
        },
    }
}
