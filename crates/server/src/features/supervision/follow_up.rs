//! The case that a notice begins, where the pack names its process. Spec: PDS-22.2.

use tongqu_domain::{
    access::Actor,
    calendar::Calendar,
    case::{Act, Case, Deed, Opening, Parties, StepInput, StepState},
    ids::CaseId,
    law::{Action, Facts, Pack, ProcessId},
};

use crate::{
    app::App,
    features::case::{self, refusal},
    platform::{db::Tx, evidence::Entry, http::ApiError},
};

/// The beginning of numbers of such cases.
const NUMBER_PREFIX: &str = "DC";

/// A notice that is being sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct FollowUpCase<'a> {
    pub finding_id: &'a str,
    /// The process that the pack names.
    pub process: &'a ProcessId,
    pub pack: &'a Pack,
    /// The case whose step was overdue; its parties are those of the new one.
    pub overdue: &'a Case,
    /// Who sends the notice.
    pub actor: &'a Actor,
}

/// Opens the case with the starting event of its process. Sending the notice is itself the step that
/// notifies, if the sender may take it.
///
/// Errors: the case engine's refusal with its clause.
pub(super) async fn open_follow_up(
    app: &App,
    tx: &mut Tx,
    notice: FollowUpCase<'_>,
) -> Result<(CaseId, Entry), ApiError> {
    let calendar = app.calendar();
    let id = case::new_id();
    let before = &notice.overdue.head().parties;
    let opening = Opening {
        id: id.clone(),
        process: notice.process.clone(),
        parties: Parties {
            requester: before.requester.clone(),
            provider: before.provider.clone(),
            filed_by: None,
            bound: before.bound.clone(),
        },
        facts: Facts::new(),
        previous_case: None,
        actor: None,
        at: tx.at(),
        began_at: Some(tx.at()),
        input: StepInput::default(),
    };
    let opened = Case::open(opening, notice.pack, &calendar).map_err(refusal)?;
    let case = notified(opened, &notice, tx, &calendar)?;
    let number = case::next_number(tx, NUMBER_PREFIX).await?;
    let process = notice.pack.process(notice.process);
    let title = process.map_or("", |process| process.name.as_str());
    let subject = ("finding", notice.finding_id);
    case::save_new(tx, &number, subject, title, &case, notice.pack, &calendar).await?;
    let clause = process.map(|process| process.clause.to_string());
    let entry = Entry::by_platform("supervision.case_opened")
        .on("case", &id)
        .with("number", number)
        .with("finding_id", notice.finding_id)
        .with("overdue_case_id", notice.overdue.head().id.as_str())
        .under(clause);
    Ok((id, entry))
}

fn notified(
    case: Case,
    notice: &FollowUpCase<'_>,
    tx: &Tx,
    calendar: &Calendar,
) -> Result<Case, ApiError> {
    let Some(process) = notice.pack.process(notice.process) else {
        return Ok(case);
    };
    let step = process.steps.iter().find(|step| {
        step.action == Action::Notify
            && case.step_state(&step.id).is_some_and(StepState::is_open)
            && case.may_take(notice.actor, &step.id, notice.pack).is_ok()
    });
    let Some(step) = step else { return Ok(case) };
    let act = Act {
        actor: notice.actor.clone(),
        at: tx.at(),
        deed: Deed::TakeStep {
            step: step.id.clone(),
            input: StepInput::default(),
        },
    };
    case.apply(act, notice.pack, calendar).map_err(refusal)
}
