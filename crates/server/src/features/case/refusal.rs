//! What the case engine refuses, as an answer.

use tongqu_domain::case::Refusal;

use crate::platform::http::ApiError;

/// A refusal of the case engine as an answer, with the clause it rests on and the field that is at fault.
#[must_use]
pub fn refusal(refusal: Refusal) -> ApiError {
    let error = ApiError::new(refusal.kind(), refusal.code()).under(refusal.clause());
    // The page marks the field.
    let error = match field_of(&refusal) {
        Some(field) => error.field(field, refusal.code()),
        None => error,
    };
    match refusal {
        // Whoever set the pack that follows wants people to be sent there.
        Refusal::PackNotInForce {
            successor: Some(successor),
            clause,
            ..
        } => ApiError::conflict("case.pack_succeeded")
            .arg("successor", successor)
            .under(clause),
        // A broken history is ours; the log has to know where.
        Refusal::BrokenHistory { .. } | Refusal::OtherPack { .. } => error.because(refusal),
        _ => error,
    }
}

/// The field of what was handed in that a refusal is about, as far as it is about one.
fn field_of(refusal: &Refusal) -> Option<String> {
    let field = match refusal {
        Refusal::UnknownProcess { .. } => "process_id",
        Refusal::FactMissing { fact }
        | Refusal::FactInvalid { fact }
        | Refusal::WrongProcess { fact, .. } => return Some(format!("facts.{fact}")),
        Refusal::StartInvalid { .. } => "began_at",
        Refusal::OutcomeNotOffered { .. } => "outcome",
        Refusal::ReasonRequired { .. } => "reason",
        Refusal::GroundNotAllowed { .. } | Refusal::GroundRequired { .. } => "ground",
        Refusal::ExceptionNotOffered { .. } => "exception",
        Refusal::FormRequired { .. } => "form",
        Refusal::ExtensionInvalid { .. } => "extra_working_days",
        Refusal::DueDateInvalid { .. } => "orders_due_on",
        Refusal::PackNotInForce { .. }
        | Refusal::OtherPack { .. }
        | Refusal::BrokenHistory { .. }
        | Refusal::NotOffered { .. }
        | Refusal::OwnData { .. }
        | Refusal::RoleUnbound { .. }
        | Refusal::Ended
        | Refusal::UnknownStep { .. }
        | Refusal::AlreadyDecided { .. }
        | Refusal::StepNotOpen { .. }
        | Refusal::NotByHand { .. }
        | Refusal::OwnRequest
        | Refusal::Contractor
        | Refusal::WrongActor { .. }
        | Refusal::ConsentRequired { .. }
        | Refusal::TooEarly { .. }
        | Refusal::CalendarMissing { .. }
        | Refusal::NotWithdrawable
        | Refusal::NotPausable { .. }
        | Refusal::EventNotExpected { .. }
        | Refusal::BeforeLastEvent => return None,
    };
    Some(field.to_owned())
}
