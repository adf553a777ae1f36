//! What must hold before a case begins or a step is taken.

use jiff::{Timestamp, civil::Date};

use super::event::{ActedBy, FormGiven};
use super::view::{StepState, due, last_day_before};
use super::{Case, Parties, Refusal};
use crate::access::{self, Actor, Because, Decision, StepSubject, Subject};
use crate::calendar::Calendar;
use crate::law::words::{FactSource, SETTLED_FACTS};
use crate::law::{
    Action, DecidedBy, Exception, Facts, HeldBy, Holds, Outcome, Pack, Process, RoleId, Standing,
    Step, StepId, StepKind,
};
use crate::time::china_date;

impl Case {
    pub(super) fn check_time(&self, at: Timestamp) -> Result<(), Refusal> {
        match self.events.last() {
            Some(last) if at < last.at => Err(Refusal::BeforeLastEvent),
            Some(_) | None => Ok(()),
        }
    }

    /// In which role of the step the actor may take it.
    ///
    /// The ban on judging one's own request doesn't hold where whoever began the case did so in the
    /// same capacity: a body that acts of its own motion judges nobody's request.
    pub(super) fn check_taker<'a>(
        &self,
        pack: &Pack,
        step: &'a Step,
        actor: &Actor,
    ) -> Result<(&'a RoleId, Decision), Refusal> {
        let mut refusal = None;
        for role in step.takers() {
            if !step.also.is_empty() && self.head.parties.lacks(pack, role) {
                continue;
            }
            match self.check_actor(pack, step, role, actor) {
                Ok(decision) => return Ok((role, decision)),
                Err(first) => refusal = refusal.or(Some(first)),
            }
        }
        Err(refusal.unwrap_or(Refusal::WrongActor {
            because: Because::NoPost,
            clause: Some(step.clause.clone()),
        }))
    }

    /// Whether whoever began the case did so in the capacity in which the step is taken.
    fn began_in(&self, pack: &Pack, role: &RoleId) -> bool {
        let began = self.events.first().and_then(|event| event.by.as_ref());
        let Some(began) = began.and_then(|by| by.role.as_ref()) else {
            return false;
        };
        let bound = |role: &RoleId| {
            pack.role(role)
                .is_some_and(|role| role.held_by == HeldBy::Bound)
        };
        let one_body = bound(began)
            && bound(role)
            && self.head.parties.holder(pack, began) == self.head.parties.holder(pack, role);
        began == role || one_body
    }

    /// Whether the actor may claim an exception: in the role that the pack names, which then judges
    /// nobody's request, else in a role that takes the step.
    pub(super) fn check_claimant(
        &self,
        pack: &Pack,
        step: &Step,
        exception: &Exception,
        actor: &Actor,
    ) -> Result<ActedBy, Refusal> {
        let Some(role) = &exception.by else {
            let (role, decision) = self.check_taker(pack, step, actor)?;
            return Ok(acted_by(actor, Some(role), &decision));
        };
        let subject = StepSubject {
            department: self.head.parties.holder(pack, role),
            posts: pack
                .role(role)
                .map(|role| role.posts.as_slice())
                .unwrap_or_default(),
            action: Action::File,
            filed_by: None,
        };
        let decision = access::may(actor, access::Action::TakeStep, &Subject::Step(subject));
        if decision.allowed {
            Ok(acted_by(actor, Some(role), &decision))
        } else {
            Err(refused(decision.because, Some(step)))
        }
    }

    /// Whether the actor may act in a role of the step.
    pub(super) fn check_actor(
        &self,
        pack: &Pack,
        step: &Step,
        role: &RoleId,
        actor: &Actor,
    ) -> Result<Decision, Refusal> {
        let subject = StepSubject {
            department: self.head.parties.holder(pack, role),
            posts: pack
                .role(role)
                .map(|role| role.posts.as_slice())
                .unwrap_or_default(),
            action: step.action,
            filed_by: self
                .head
                .parties
                .filed_by
                .as_ref()
                .filter(|_| !self.began_in(pack, role)),
        };
        let decision = access::may(actor, access::Action::TakeStep, &Subject::Step(subject));
        if decision.allowed {
            Ok(decision)
        } else {
            Err(refused(decision.because, Some(step)))
        }
    }

    /// Whether the actor's post allows something that belongs to the requester's side.
    pub(super) fn check_post(
        &self,
        actor: &Actor,
        action: access::Action,
    ) -> Result<Decision, Refusal> {
        let requester: Vec<_> = self.head.parties.requester.iter().collect();
        let decision = access::may(actor, action, &Subject::Parties(&requester));
        if decision.allowed {
            Ok(decision)
        } else {
            Err(refused(decision.because, None))
        }
    }

    pub(super) fn check_open(&self, step: &Step) -> Result<(), Refusal> {
        if matches!(step.kind, StepKind::Automatic | StepKind::Duty) {
            return Err(Refusal::NotByHand {
                step: step.id.clone(),
            });
        }
        match self.step_state(&step.id) {
            Some(StepState::Open { .. }) => Ok(()),
            Some(StepState::Done { .. }) => Err(Refusal::AlreadyDecided {
                step: step.id.clone(),
                clause: step.clause.clone(),
            }),
            Some(StepState::Waiting | StepState::Skipped) if self.is_ended() => Err(Refusal::Ended),
            Some(StepState::Waiting | StepState::Skipped) => Err(Refusal::StepNotOpen {
                step: step.id.clone(),
                clause: step.clause.clone(),
            }),
            None => Err(Refusal::UnknownStep {
                step: step.id.clone(),
            }),
        }
    }

    pub(super) fn check_earliest(
        &self,
        step: &Step,
        at: Timestamp,
        calendar: &Calendar,
    ) -> Result<(), Refusal> {
        let Some(not_before) = &step.not_before else {
            return Ok(());
        };
        match last_day_before(step, &self.folded, calendar)? {
            Some(last_day_before) if china_date(at) <= last_day_before => Err(Refusal::TooEarly {
                last_day_before,
                clause: not_before.clause.clone(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn check_consent(
        &self,
        pack: &Pack,
        step: &Step,
        actor: &Actor,
        consent: Option<&Actor>,
    ) -> Result<Option<ActedBy>, Refusal> {
        let Some(role) = &step.consent_of else {
            return Ok(None);
        };
        let consenting = consent.unwrap_or(actor);
        match self.check_actor(pack, step, role, consenting) {
            Ok(decision) => Ok(Some(acted_by(consenting, Some(role), &decision))),
            Err(_) => Err(Refusal::ConsentRequired {
                role: role.clone(),
                clause: step.clause.clone(),
            }),
        }
    }

    /// The due date that a step keeps when it is finished; a gap in the calendar stops no work.
    pub(super) fn due_on(
        &self,
        pack: &Pack,
        process: &Process,
        step: &Step,
        calendar: &Calendar,
    ) -> Option<Date> {
        due(pack, process, step, &self.folded, calendar)
            .ok()
            .flatten()
            .map(|due| due.on)
    }
}

fn refused(because: Because, step: Option<&Step>) -> Refusal {
    match because {
        Because::OwnRequest => Refusal::OwnRequest,
        Because::Contractor => Refusal::Contractor,
        Because::Post(_)
        | Because::Delegation { .. }
        | Because::Everybody
        | Because::NoPost
        | Because::OtherDepartment
        | Because::PostsConflict(_)
        | Because::WrongSubject => Refusal::WrongActor {
            because,
            clause: step.map(|step| step.clause.clone()),
        },
    }
}

pub(super) fn acted_by(actor: &Actor, role: Option<&RoleId>, decision: &Decision) -> ActedBy {
    ActedBy {
        person: actor.person.clone(),
        department: match &decision.because {
            Because::Delegation { department, .. } => department.clone(),
            Because::Post(_)
            | Because::Everybody
            | Because::NoPost
            | Because::OtherDepartment
            | Because::OwnRequest
            | Because::Contractor
            | Because::PostsConflict(_)
            | Because::WrongSubject => actor.department.clone(),
        },
        role: role.cloned(),
        on_behalf_of: match &decision.because {
            Because::Delegation { by, .. } => Some(by.clone()),
            Because::Post(_)
            | Because::Everybody
            | Because::NoPost
            | Because::OtherDepartment
            | Because::OwnRequest
            | Because::Contractor
            | Because::PostsConflict(_)
            | Because::WrongSubject => None,
        },
    }
}

pub(super) fn find_step<'a>(process: &'a Process, id: &StepId) -> Result<&'a Step, Refusal> {
    process
        .step(id)
        .ok_or_else(|| Refusal::UnknownStep { step: id.clone() })
}

pub(super) fn find_exception<'a>(step: &'a Step, code: &str) -> Result<&'a Exception, Refusal> {
    step.exceptions
        .iter()
        .find(|exception| exception.code == code)
        .ok_or_else(|| Refusal::ExceptionNotOffered {
            step: step.id.clone(),
            clause: step.clause.clone(),
        })
}

pub(super) fn non_blank(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

pub(super) fn check_in_force(pack: &Pack, at: Timestamp) -> Result<(), Refusal> {
    match pack.in_force_on(china_date(at)) {
        Standing::InForce => Ok(()),
        Standing::NotInForce | Standing::Ended { .. } => Err(Refusal::PackNotInForce {
            pack: pack.meta.id.clone(),
            successor: pack.meta.successor.clone(),
            clause: pack.meta.validity_clause.clone(),
        }),
    }
}

/// The facts as the process sees them, if they are complete and make sense.
pub(super) fn check_facts(pack: &Pack, process: &Process, given: &Facts) -> Result<Facts, Refusal> {
    for (name, value) in given {
        let rule = pack.facts.iter().find(|rule| rule.id == *name);
        let settled_later = SETTLED_FACTS.contains(&name.as_str())
            || rule.is_some_and(|rule| rule.source == FactSource::Step);
        if settled_later || rule.is_some_and(|rule| !rule.values.contains(value)) {
            return Err(Refusal::FactInvalid { fact: name.clone() });
        }
    }
    let facts = pack.settled_facts(process, given);
    let mut asked: Vec<&str> = process.asked_facts().collect();
    if asked.contains(&"decider") {
        asked.extend(
            pack.deciders
                .iter()
                .flat_map(|decider| decider.when.facts()),
        );
    }
    for name in asked {
        let known_now = pack
            .facts
            .iter()
            .any(|rule| rule.id == name && rule.source != FactSource::Step);
        if known_now && !facts.contains_key(name) {
            return Err(Refusal::FactMissing {
                fact: name.to_owned(),
            });
        }
    }
    if process.when.holds(&facts) == Holds::No {
        let odd = process.when.0.iter().find(|(name, values)| {
            facts
                .get(*name)
                .is_some_and(|value| !values.contains(value))
        });
        return Err(Refusal::WrongProcess {
            fact: odd.map(|(name, _)| name.clone()).unwrap_or_default(),
            clause: process.clause.clone(),
        });
    }
    Ok(facts)
}

pub(super) fn check_parties(
    pack: &Pack,
    process: &Process,
    facts: &Facts,
    parties: &Parties,
) -> Result<(), Refusal> {
    let grants_something = process.steps.iter().any(|step| step.action.settles());
    if grants_something
        && let Some(decider) = pack.decider(facts)
        && decider.decides == DecidedBy::NobodyNotOffered
    {
        return Err(Refusal::NotOffered {
            clause: decider.clause.clone(),
        });
    }
    for step in process
        .steps
        .iter()
        .filter(|step| step.when.holds(facts) != Holds::No)
    {
        // One of the roles suffices where the step names several.
        let role = step
            .takers()
            .find(|role| !parties.lacks(pack, role))
            .unwrap_or(&step.role);
        let Some(role) = pack.role(role) else {
            continue;
        };
        let judged_by_provider = role.held_by == HeldBy::Provider && step.action.judges();
        if judged_by_provider
            && let (Some(requester), Some(provider)) = (&parties.requester, &parties.provider)
            && requester == provider
        {
            return Err(Refusal::OwnData {
                department: requester.clone(),
            });
        }
        if parties.lacks(pack, &role.id) {
            return Err(Refusal::RoleUnbound {
                role: step.role.clone(),
            });
        }
    }
    Ok(())
}

pub(super) fn check_outcome(step: &Step, asked: Option<Outcome>) -> Result<Outcome, Refusal> {
    match (step.action.outcomes(), asked) {
        ([only], None) => Ok(*only),
        (possible, Some(outcome)) if possible.contains(&outcome) => Ok(outcome),
        (_, _) => Err(Refusal::OutcomeNotOffered {
            step: step.id.clone(),
        }),
    }
}

pub(super) fn check_reason(
    step: &Step,
    outcome: Outcome,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    match &step.reason {
        Some(policy) if policy.rule.demands(outcome) && reason.is_none() => {
            Err(Refusal::ReasonRequired {
                clause: policy.clause.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn check_ground(pack: &Pack, step: &Step, ground: Option<&str>) -> Result<(), Refusal> {
    let Some(ground) = ground else {
        return match step.grounds.first() {
            Some(first) => Err(Refusal::GroundRequired {
                clause: first.clause.clone(),
            }),
            None => Ok(()),
        };
    };
    if let Some(barred) = pack
        .barred_grounds
        .iter()
        .find(|barred| barred.code == ground)
    {
        return Err(Refusal::GroundNotAllowed {
            clause: barred.clause.clone(),
        });
    }
    match step.grounds.first() {
        Some(first) if !step.grounds.iter().any(|allowed| allowed.code == ground) => {
            Err(Refusal::GroundNotAllowed {
                clause: first.clause.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// A seal is on a file: the scan of the stamped paper, or the document that was sealed electronically.
/// Whoever states a seal without the file has shown nothing. Spec: YC-29.2, PDS-12, PDS-13.
pub(super) fn check_form(step: &Step, form: Option<&FormGiven>) -> Result<(), Refusal> {
    let Some(policy) = &step.form else {
        return Ok(());
    };
    let needs_seal = !policy.seal_kinds.is_empty();
    let handed_in = form.is_some_and(|form| form.file_digest.is_some());
    let sealed = form
        .and_then(|form| form.seal_kind.as_ref())
        .is_some_and(|seal| policy.seal_kinds.contains(seal));
    let lacks_file = (policy.written || needs_seal) && !handed_in;
    let lacks_seal = needs_seal && !sealed;
    if !lacks_file && !lacks_seal {
        return Ok(());
    }
    Err(Refusal::FormRequired {
        form: policy.name.clone(),
        clause: policy.clause.clone(),
    })
}

/// A step states exactly the facts it is to establish.
pub(super) fn check_established(pack: &Pack, step: &Step, facts: &Facts) -> Result<(), Refusal> {
    for name in &step.establishes {
        if !facts.contains_key(name) {
            return Err(Refusal::FactMissing { fact: name.clone() });
        }
    }
    for (name, value) in facts {
        let known = step.establishes.contains(name)
            && pack
                .facts
                .iter()
                .any(|rule| rule.id == *name && rule.values.contains(value));
        if !known {
            return Err(Refusal::FactInvalid { fact: name.clone() });
        }
    }
    Ok(())
}

pub(super) fn check_extension(step: &Step, extra: Option<u32>) -> Result<Option<u32>, Refusal> {
    match (&step.extends, extra) {
        (None, _) => Ok(None),
        (Some(extension), Some(days)) if (1..=extension.working_days_max).contains(&days) => {
            Ok(Some(days))
        }
        (Some(extension), _) => Err(Refusal::ExtensionInvalid {
            working_days_max: extension.working_days_max,
            clause: extension.clause.clone(),
        }),
    }
}

/// The last day that an order sets for a later step: from the day of the order on.
pub(super) fn check_ordered_date(
    step: &Step,
    given: Option<Date>,
    at: Timestamp,
) -> Result<Option<Date>, Refusal> {
    match (&step.sets_due_of, given) {
        (None, _) => Ok(None),
        (Some(_), Some(date)) if date >= china_date(at) => Ok(Some(date)),
        (Some(_), _) => Err(Refusal::DueDateInvalid {
            clause: step.clause.clone(),
        }),
    }
}
