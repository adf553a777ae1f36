//! The demand list 需求清单: data that a department needs from others.
//!
//! This room says what a demand states, what it may come to, and how many of them become one list or
//! one application upward. Who receives them comes from the rule pack (`Pack::receiver`). A regulation
//! sets no date for the answer, so a demand has an age and is never overdue.
//!
//! Spec: YC-12.2, TP-5.2, TP-11, YJ-2.1, PDS-5.6, PDS-18.

mod check;
mod merge;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::ids::{DepartmentId, EntryId};
use crate::kind::Kind;
use crate::law::words::words;

pub use check::{DemandFault, TEXT_CHARS_MAX, TITLE_CHARS_MAX, check_demand};
pub use merge::{Stated, merge, resource_key};

words! {
    /// Whose resource it is that is wanted, from below upward.
    ResourceLevel {
        County = "county" / "县级" / "county",
        City = "city" / "市级" / "city",
        Province = "province" / "省级" / "province",
        State = "state" / "国家级" / "state",
    }
}

impl ResourceLevel {
    /// Whether it lies above the area of a platform, so that it has to be applied for upward.
    #[must_use]
    pub fn is_above(self, own: Self) -> bool {
        self > own
    }
}

/// What a department states that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemandContent {
    /// In a line.
    pub title: String,
    /// The content and fields wanted, in words.
    pub wanted: String,
    /// What they are for.
    pub purpose: String,
    /// The duty 职责 that makes it necessary.
    pub duty: String,
    /// Whose resource it is.
    pub level: ResourceLevel,
    /// The resource by its name, where one is meant; needed for one of a higher level.
    pub resource: Option<String>,
}

words! {
    /// How a demand stands.
    DemandState {
        Open = "open" / "待答复" / "open",
        Answered = "answered" / "已答复" / "answered",
        Withdrawn = "withdrawn" / "已撤回" / "withdrawn",
    }
}

words! {
    /// What a department answers.
    AnswerKind {
        WillProvide = "will_provide" / "同意提供" / "will provide",
        InCatalogue = "in_catalogue" / "目录中已有" / "already in the catalogue",
        Cannot = "cannot" / "不能提供" / "can't provide",
    }
}

words! {
    /// How an application upward stands.
    UpwardState {
        Merged = "merged" / "已汇总" / "merged",
        Sent = "sent" / "已上报" / "sent upward",
        Answered = "answered" / "已答复" / "answered",
    }
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What it says.
    pub kind: AnswerKind,
    /// In words: the reason where it can't be provided, else what is to be said.
    pub text: String,
    /// The entry that has it already.
    pub entry: Option<EntryId>,
    /// Who answers; `None`: the answer came from above.
    pub department: Option<DepartmentId>,
}

/// Why something can't be done with a demand, a list or an application upward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// It has been answered or withdrawn.
    #[error("the demand isn't open any more")]
    NotOpen,
    /// Nobody knows yet who is to answer.
    #[error("no department is asked")]
    NobodyAsked,
    /// The department that states it is the one that would provide it.
    #[error("a department can't ask itself")]
    OwnData,
    /// The answer needs a reason.
    #[error("an answer that refuses needs its reason")]
    ReasonMissing,
    /// The answer names no entry.
    #[error("the answer names no entry of the catalogue")]
    EntryMissing,
    /// A text is too long.
    #[error("the text is too long")]
    TextTooLong,
    /// There is nothing to merge.
    #[error("there is nothing to merge")]
    NothingToMerge,
    /// It is no resource of a higher level.
    #[error("the resource doesn't lie above this platform")]
    NotAbove,
    /// It is in an application upward already.
    #[error("it is in an application already")]
    InApplication,
    /// The application is in another state.
    #[error("the application isn't in the state for this")]
    WrongStep,
    /// The reference is missing.
    #[error("the reference number is missing")]
    ReferenceMissing,
}

impl DemandError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotOpen => "demand.not_open",
            Self::NobodyAsked => "demand.nobody_asked",
            Self::OwnData => "demand.own_data",
            Self::ReasonMissing => "demand.reason_missing",
            Self::EntryMissing => "demand.entry_missing",
            Self::TextTooLong => "demand.text_too_long",
            Self::NothingToMerge => "demand.nothing_to_merge",
            Self::NotAbove => "demand.not_above",
            Self::InApplication => "demand.in_application",
            Self::WrongStep => "demand.wrong_step",
            Self::ReferenceMissing => "demand.reference_missing",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::NotOpen
            | Self::NobodyAsked
            | Self::NothingToMerge
            | Self::InApplication
            | Self::WrongStep => Kind::Conflict,
            Self::OwnData
            | Self::ReasonMissing
            | Self::EntryMissing
            | Self::TextTooLong
            | Self::NotAbove
            | Self::ReferenceMissing => Kind::Invalid,
        }
    }

    /// The field of the input that is at fault.
    #[must_use]
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::OwnData => Some("department_id"),
            Self::ReasonMissing | Self::TextTooLong => Some("text"),
            Self::EntryMissing => Some("entry_id"),
            Self::ReferenceMissing => Some("reference"),
            Self::NotOpen
            | Self::NobodyAsked
            | Self::NothingToMerge
            | Self::NotAbove
            | Self::InApplication
            | Self::WrongStep => None,
        }
    }
}

impl DemandState {
    /// Goes on only with an open demand.
    ///
    /// Errors: [`DemandError::NotOpen`].
    pub fn must_be_open(self) -> Result<(), DemandError> {
        match self {
            Self::Open => Ok(()),
            Self::Answered | Self::Withdrawn => Err(DemandError::NotOpen),
        }
    }
}

/// Checks an answer and brings it into its stored form.
///
/// Errors: [`DemandError`] for what is missing.
pub fn check_answer(answer: Answer) -> Result<Answer, DemandError> {
    let text = answer.text.trim().to_owned();
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(DemandError::TextTooLong);
    }
    match answer.kind {
        AnswerKind::InCatalogue if answer.entry.is_none() => Err(DemandError::EntryMissing),
        AnswerKind::InCatalogue => Ok(Answer { text, ..answer }),
        AnswerKind::Cannot if text.is_empty() => Err(DemandError::ReasonMissing),
        AnswerKind::WillProvide | AnswerKind::Cannot => Ok(Answer {
            text,
            entry: None,
            ..answer
        }),
    }
}

/// Whether a demand belongs on the county list: it waits for an answer, or for what was promised.
///
/// What is in the catalogue already is asked for there; what can't be provided is wanted no longer.
/// Spec: YJ-2.1, YJ-2.2.
#[must_use]
pub fn is_on_list(state: DemandState, answer: Option<AnswerKind>) -> bool {
    match state {
        DemandState::Open => true,
        DemandState::Answered => answer == Some(AnswerKind::WillProvide),
        DemandState::Withdrawn => false,
    }
}

impl UpwardState {
    /// The state after it was sent.
    ///
    /// Errors: [`DemandError::WrongStep`].
    pub fn send(self) -> Result<Self, DemandError> {
        match self {
            Self::Merged => Ok(Self::Sent),
            Self::Sent | Self::Answered => Err(DemandError::WrongStep),
        }
    }

    /// The state after the answer from above was put on record.
    ///
    /// Errors: [`DemandError::WrongStep`].
    pub fn answer(self) -> Result<Self, DemandError> {
        match self {
            Self::Sent => Ok(Self::Answered),
            Self::Merged | Self::Answered => Err(DemandError::WrongStep),
        }
    }
}
