//! Why something can't be done in a case.

use jiff::civil::Date;

use crate::access::Because;
use crate::ids::DepartmentId;
use crate::kind::Kind;
use crate::law::{ClauseId, Event, PackId, ProcessId, RoleId, StepId};

/// Why an act was refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The rule pack isn't in force for new cases.
    #[error("the rule pack {pack} isn't in force for new cases on this day")]
    PackNotInForce {
        /// The pack.
        pack: PackId,
        /// The pack that follows it, if one is set.
        successor: Option<PackId>,
        /// The clause on validity.
        clause: Option<ClauseId>,
    },
    /// The case runs under another pack or version.
    #[error("the case runs under rule pack {pack}, version {version}")]
    OtherPack {
        /// The pack of the case.
        pack: PackId,
        /// Its version.
        version: String,
    },
    /// The pack has no such process.
    #[error("the rule pack has no process {process}")]
    UnknownProcess {
        /// The process asked for.
        process: ProcessId,
    },
    /// The stored history can't have happened.
    #[error("the stored history breaks at event {seq}")]
    BrokenHistory {
        /// The first event that doesn't fit.
        seq: u32,
    },
    /// The facts don't belong to this process.
    #[error("the process isn't meant for this: the fact {fact} doesn't fit")]
    WrongProcess {
        /// The fact that doesn't fit.
        fact: String,
        /// The clause of the process.
        clause: ClauseId,
    },
    /// A fact is needed and wasn't given.
    #[error("the fact {fact} is missing")]
    FactMissing {
        /// Its name.
        fact: String,
    },
    /// A fact has a value that the pack doesn't know.
    #[error("the fact {fact} has an unknown value")]
    FactInvalid {
        /// Its name.
        fact: String,
    },
    /// The data aren't offered for sharing.
    #[error("nobody decides on this: the data aren't offered for sharing")]
    NotOffered {
        /// The clause.
        clause: ClauseId,
    },
    /// The department asks for its own data.
    #[error("a department can't ask itself: {department} is requester and provider")]
    OwnData {
        /// The department.
        department: DepartmentId,
    },
    /// No department is bound to a role that the process needs.
    #[error("no department is bound to the role {role}")]
    RoleUnbound {
        /// The role.
        role: RoleId,
    },
    /// The event that starts the case is missing, in the future, or wasn't asked for.
    #[error("the event that starts the case is missing or lies in the future")]
    StartInvalid {
        /// The clause of the process.
        clause: ClauseId,
    },
    /// The case is over.
    #[error("the case is ended")]
    Ended,
    /// The process has no such step.
    #[error("the process has no step {step}")]
    UnknownStep {
        /// The step asked for.
        step: StepId,
    },
    /// Somebody took the step before.
    #[error("the step {step} is already decided")]
    AlreadyDecided {
        /// The step.
        step: StepId,
        /// Its clause.
        clause: ClauseId,
    },
    /// The step isn't open (yet).
    #[error("the step {step} isn't open")]
    StepNotOpen {
        /// The step.
        step: StepId,
        /// Its clause.
        clause: ClauseId,
    },
    /// The platform takes the step by itself, or nobody completes it at all.
    #[error("the step {step} isn't taken by a person")]
    NotByHand {
        /// The step.
        step: StepId,
    },
    /// Somebody would decide their own request.
    #[error("nobody decides their own request")]
    OwnRequest,
    /// A contractor would approve.
    #[error("a contractor never approves")]
    Contractor,
    /// The person doesn't hold the role.
    #[error("the step is for somebody else ({})", because.code())]
    WrongActor {
        /// Why not.
        because: Because,
        /// The clause of the step.
        clause: Option<ClauseId>,
    },
    /// The step can't end that way.
    #[error("the step {step} can't end that way")]
    OutcomeNotOffered {
        /// The step.
        step: StepId,
    },
    /// A reason must be stated.
    #[error("a reason must be stated")]
    ReasonRequired {
        /// The clause that demands it.
        clause: ClauseId,
    },
    /// The ground isn't one that the regulation allows.
    #[error("this ground isn't allowed")]
    GroundNotAllowed {
        /// The clause that says so.
        clause: ClauseId,
    },
    /// A ground must be chosen.
    #[error("a ground must be chosen")]
    GroundRequired {
        /// The clause that lists the grounds.
        clause: ClauseId,
    },
    /// The regulation names no such exception of the step.
    #[error("the step {step} has no such exception")]
    ExceptionNotOffered {
        /// The step.
        step: StepId,
        /// Its clause.
        clause: ClauseId,
    },
    /// The sealed form is missing or has the wrong seal.
    #[error("the sealed form {form} is required")]
    FormRequired {
        /// Its name.
        form: String,
        /// The clause that demands it.
        clause: ClauseId,
    },
    /// Somebody else's consent is missing.
    #[error("the consent of {role} is required")]
    ConsentRequired {
        /// Whose.
        role: RoleId,
        /// The clause.
        clause: ClauseId,
    },
    /// The extension is missing or too long.
    #[error("an extension is from 1 to {working_days_max} working days")]
    ExtensionInvalid {
        /// The most allowed.
        working_days_max: u32,
        /// The clause.
        clause: ClauseId,
    },
    /// The last day that an order has to set is missing or has passed.
    #[error("the order has to set a last day that hasn't passed")]
    DueDateInvalid {
        /// The clause.
        clause: ClauseId,
    },
    /// The time for the step hasn't come.
    #[error("the step may be taken after {last_day_before}")]
    TooEarly {
        /// The last day on which it may not.
        last_day_before: Date,
        /// The clause.
        clause: ClauseId,
    },
    /// A date can't be reckoned because a year's holiday notice isn't loaded.
    #[error("the working days of {year} aren't published yet")]
    CalendarMissing {
        /// The year.
        year: i16,
    },
    /// Something was decided already, so that the request can't be taken back.
    #[error("the request can't be taken back: it was decided on")]
    NotWithdrawable,
    /// The clock of the step can't be stopped, or runs, or stands, already.
    #[error("the clock of the step {step} can't be stopped or started now")]
    NotPausable {
        /// The step.
        step: StepId,
    },
    /// The case doesn't watch for this event.
    #[error("the case doesn't watch for {event}")]
    EventNotExpected {
        /// The event.
        event: Event,
    },
    /// The act is recorded earlier than the last one.
    #[error("the act lies before the last event of the case")]
    BeforeLastEvent,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PackNotInForce { .. } => "case.pack_not_in_force",
            Self::OtherPack { .. } => "case.other_pack",
            Self::UnknownProcess { .. } => "case.unknown_process",
            Self::BrokenHistory { .. } => "case.broken_history",
            Self::WrongProcess { .. } => "case.wrong_process",
            Self::FactMissing { .. } => "case.fact_missing",
            Self::FactInvalid { .. } => "case.fact_invalid",
            Self::NotOffered { .. } => "case.not_offered",
            Self::OwnData { .. } => "case.own_data",
            Self::RoleUnbound { .. } => "case.role_unbound",
            Self::StartInvalid { .. } => "case.start_invalid",
            Self::Ended => "case.ended",
            Self::UnknownStep { .. } => "case.unknown_step",
            Self::AlreadyDecided { .. } => "case.already_decided",
            Self::StepNotOpen { .. } => "case.step_not_open",
            Self::NotByHand { .. } => "case.not_by_hand",
            Self::OwnRequest => "case.own_request",
            Self::Contractor => "case.contractor",
            Self::WrongActor { .. } => "case.wrong_actor",
            Self::OutcomeNotOffered { .. } => "case.outcome_not_offered",
            Self::ReasonRequired { .. } => "case.reason_required",
            Self::GroundNotAllowed { .. } => "case.ground_not_allowed",
            Self::GroundRequired { .. } => "case.ground_required",
            Self::ExceptionNotOffered { .. } => "case.exception_not_offered",
            Self::FormRequired { .. } => "case.form_required",
            Self::ConsentRequired { .. } => "case.consent_required",
            Self::ExtensionInvalid { .. } => "case.extension_invalid",
            Self::DueDateInvalid { .. } => "case.due_date_invalid",
            Self::TooEarly { .. } => "case.too_early",
            Self::CalendarMissing { .. } => "case.calendar_missing",
            Self::NotWithdrawable => "case.not_withdrawable",
            Self::NotPausable { .. } => "case.not_pausable",
            Self::EventNotExpected { .. } => "case.event_not_expected",
            Self::BeforeLastEvent => "case.before_last_event",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::OwnRequest | Self::Contractor | Self::WrongActor { .. } => Kind::Forbidden,
            Self::UnknownStep { .. } | Self::UnknownProcess { .. } => Kind::NotFound,
            Self::Ended
            | Self::AlreadyDecided { .. }
            | Self::StepNotOpen { .. }
            | Self::NotByHand { .. }
            | Self::TooEarly { .. }
            | Self::NotWithdrawable
            | Self::NotPausable { .. }
            | Self::EventNotExpected { .. }
            | Self::BeforeLastEvent
            | Self::PackNotInForce { .. }
            | Self::NotOffered { .. } => Kind::Conflict,
            Self::WrongProcess { .. }
            | Self::FactMissing { .. }
            | Self::FactInvalid { .. }
            | Self::OwnData { .. }
            | Self::StartInvalid { .. }
            | Self::OutcomeNotOffered { .. }
            | Self::ReasonRequired { .. }
            | Self::GroundNotAllowed { .. }
            | Self::GroundRequired { .. }
            | Self::ExceptionNotOffered { .. }
            | Self::FormRequired { .. }
            | Self::ConsentRequired { .. }
            | Self::DueDateInvalid { .. }
            | Self::ExtensionInvalid { .. } => Kind::Invalid,
            Self::CalendarMissing { .. } | Self::RoleUnbound { .. } => Kind::Unavailable,
            Self::OtherPack { .. } | Self::BrokenHistory { .. } => Kind::Bug,
        }
    }

    /// The clause it rests on, if a regulation says so.
    #[must_use]
    pub fn clause(&self) -> Option<&ClauseId> {
        match self {
            Self::WrongProcess { clause, .. }
            | Self::NotOffered { clause }
            | Self::StartInvalid { clause }
            | Self::AlreadyDecided { clause, .. }
            | Self::StepNotOpen { clause, .. }
            | Self::ReasonRequired { clause }
            | Self::GroundNotAllowed { clause }
            | Self::GroundRequired { clause }
            | Self::ExceptionNotOffered { clause, .. }
            | Self::FormRequired { clause, .. }
            | Self::ConsentRequired { clause, .. }
            | Self::ExtensionInvalid { clause, .. }
            | Self::DueDateInvalid { clause }
            | Self::TooEarly { clause, .. } => Some(clause),
            Self::PackNotInForce { clause, .. } | Self::WrongActor { clause, .. } => {
                clause.as_ref()
            }
            Self::OtherPack { .. }
            | Self::UnknownProcess { .. }
            | Self::BrokenHistory { .. }
            | Self::FactMissing { .. }
            | Self::FactInvalid { .. }
            | Self::OwnData { .. }
            | Self::RoleUnbound { .. }
            | Self::Ended
            | Self::UnknownStep { .. }
            | Self::NotByHand { .. }
            | Self::OwnRequest
            | Self::Contractor
            | Self::OutcomeNotOffered { .. }
            | Self::CalendarMissing { .. }
            | Self::NotWithdrawable
            | Self::NotPausable { .. }
            | Self::EventNotExpected { .. }
            | Self::BeforeLastEvent => None,
        }
    }
}

impl From<crate::calendar::CalendarError> for Refusal {
    fn from(error: crate::calendar::CalendarError) -> Self {
        Self::CalendarMissing {
            year: crate::case::view::missing_year(&error),
        }
    }
}
