//! What happened in a case: the rows it is stored as.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::ids::{AttachmentId, DepartmentId, PersonId};
use crate::law::{Event, Facts, Outcome, RoleId, StepId};

/// One row of the history of a case. Rows are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEvent {
    /// 1, 2, 3... within the case.
    pub seq: u32,
    /// What sort of thing happened.
    pub happening: Happening,
    /// The step it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The events of the regulation that it is, for example `application_submitted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// When it was recorded, by the server's clock: the time that decides. Spec: PDS-17.
    pub at: Timestamp,
    /// When it happened, where that was before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
    /// Who did it; `None`: the platform itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ActedBy>,
    /// How the step ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The reason given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ground chosen, a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
    /// The form attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<FormGiven>,
    /// Who consented, where the step needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ActedBy>,
    /// Facts that the step established.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: Facts,
    /// By how many working days a limit was prolonged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_working_days: Option<u32>,
    /// The last day that an order set for a later step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders_due_on: Option<Date>,
    /// The due date of the step as it stood when the step was done; it never moves afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
}

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// The case was begun by something outside.
    Opened,
    /// A step was taken.
    StepDone,
    /// Something happened outside that the case watches.
    Noted,
    /// The clock of a step was stopped.
    Paused,
    /// The clock of a step runs on.
    Resumed,
    /// A step isn't to be taken: an exception of the regulation was claimed.
    Excepted,
    /// Somebody was urged 催办. It changes no date.
    Urged,
    /// The requester took the request back.
    Withdrawn,
}

/// Who did something, in which capacity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActedBy {
    /// The person.
    pub person: PersonId,
    /// The department acted for.
    pub department: DepartmentId,
    /// The role of the pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
    /// Whose deputy the person was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<PersonId>,
}

/// A form as it was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormGiven {
    /// The kind of seal on it, a code of the form policy; `None`: no seal.
    pub seal_kind: Option<String>,
    /// The content digest of the uploaded file; `None` for a form filled in online, which bears no seal.
    pub file_digest: Option<String>,
    /// The upload under which the file can be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentId>,
}
