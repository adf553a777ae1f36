//! What people do in a case, and whether they may.

use jiff::Timestamp;
use jiff::civil::Date;

use super::check::{
    check_established, check_extension, check_facts, check_form, check_ground, check_in_force,
    check_ordered_date, check_outcome, check_parties, check_reason, find_exception, find_step,
    non_blank,
};
use super::event::{ActedBy, CaseEvent, FormGiven, Happening};
use super::fold::Folded;
use super::view::StepState;
use super::{Case, CaseHead, Parties, Refusal};
use crate::access::{self, Actor, Because, StepSubject, Subject};
use crate::calendar::Calendar;
use crate::case::check::acted_by;
use crate::ids::CaseId;
use crate::law::{Event, Facts, Outcome, Pack, Process, ProcessId, Step, StepId, StepKind};

/// What is needed to begin a case.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The identifier of the new case.
    pub id: CaseId,
    /// The process, see [`Pack::process_for`].
    pub process: ProcessId,
    /// Between whom; `filed_by` is taken from the actor.
    pub parties: Parties,
    /// What is known.
    pub facts: Facts,
    /// The ended case that this one follows.
    pub previous_case: Option<CaseId>,
    /// Who begins it; `None`: the platform itself, which may only where an event starts the process.
    pub actor: Option<Actor>,
    /// The server's time.
    pub at: Timestamp,
    /// When the starting event happened, for a process that one starts; otherwise `None`.
    pub began_at: Option<Timestamp>,
    /// What goes with the first step, for a process that its first step starts.
    pub input: StepInput,
}

/// What somebody hands in with a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepInput {
    /// How the step ends; `None` means the only way there is.
    pub outcome: Option<Outcome>,
    /// The reason, in words.
    pub reason: Option<String>,
    /// The ground, a code.
    pub ground: Option<String>,
    /// The form.
    pub form: Option<FormGiven>,
    /// Facts that the step establishes.
    pub facts: Facts,
    /// Who consents, where the step needs it and the actor isn't that person.
    pub consent: Option<Box<Actor>>,
    /// By how many working days a limit is prolonged, for a step that does.
    pub extra_working_days: Option<u32>,
    /// The last day for a later step, for a step that sets it.
    pub orders_due_on: Option<Date>,
}

/// Something that somebody does in a case.
#[derive(Debug, Clone)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// The server's time.
    pub at: Timestamp,
    /// What.
    pub deed: Deed,
}

/// What somebody does.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Takes a step.
    TakeStep {
        /// Which.
        step: StepId,
        /// What goes with it.
        input: StepInput,
    },
    /// Takes the request back.
    Withdraw {
        /// Why, if they say.
        reason: Option<String>,
    },
    /// Claims that a step isn't to be taken, because the regulation excepts the case.
    ClaimException {
        /// Which.
        step: StepId,
        /// The exception, a code.
        exception: String,
        /// On which basis, in words.
        basis: String,
    },
    /// Urges whoever holds a step 催办.
    Urge {
        /// Which.
        step: StepId,
    },
    /// Stops the clock of a step, where the pack allows it.
    Pause {
        /// Which.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// Lets the clock of a step run on.
    Resume {
        /// Which.
        step: StepId,
    },
}

impl Case {
    /// Begins a case.
    ///
    /// A process without a starting event begins with its first step, taken by the actor; the other
    /// ones begin with that event, and the actor, if there is one, must hold a role that may bring it
    /// up. What the platform does by itself at that moment is in the result already.
    ///
    /// Errors: a [`Refusal`]; then there is no case.
    pub fn open(opening: Opening, pack: &Pack, calendar: &Calendar) -> Result<Self, Refusal> {
        let process = pack
            .process(&opening.process)
            .ok_or_else(|| Refusal::UnknownProcess {
                process: opening.process.clone(),
            })?;
        check_in_force(pack, opening.at)?;
        let facts = check_facts(pack, process, &opening.facts)?;
        let parties = Parties {
            filed_by: opening.actor.as_ref().map(|actor| actor.person.clone()),
            ..opening.parties
        };
        check_parties(pack, process, &facts, &parties)?;
        let head = CaseHead {
            id: opening.id,
            pack: pack.meta.id.clone(),
            pack_version: pack.version.clone(),
            process: process.id.clone(),
            parties,
            facts,
            opened_at: opening.at,
            previous_case: opening.previous_case,
        };
        let folded = Folded::begin(process, &head);
        let case = Self {
            head,
            events: Vec::new(),
            folded,
        };
        match (process.starts_on, opening.actor, opening.began_at) {
            (None, Some(actor), None) => {
                let first = process.steps.first().expect("a loaded process has steps");
                case.take_step(&actor, opening.at, &first.id, opening.input, pack, calendar)
            }
            (Some(event), actor, Some(began_at)) if began_at <= opening.at => {
                case.begin_on(event, actor.as_ref(), began_at, opening.at, pack, calendar)
            }
            (None | Some(_), _, _) => Err(Refusal::StartInvalid {
                clause: process.clause.clone(),
            }),
        }
    }

    /// Does something in the case; the result has the new events at its end.
    ///
    /// `calendar` fixes the due date that a finished step keeps. Where it lacks a year the work isn't
    /// stopped: the step is done without a due date.
    ///
    /// Errors: a [`Refusal`]; then nothing has changed.
    pub fn apply(&self, act: Act, pack: &Pack, calendar: &Calendar) -> Result<Self, Refusal> {
        let process = self.process(pack)?;
        self.check_time(act.at)?;
        let Act { actor, at, deed } = act;
        match deed {
            Deed::TakeStep { step, input } => self
                .clone()
                .take_step(&actor, at, &step, input, pack, calendar),
            Deed::Withdraw { reason } => {
                self.may_withdraw(&actor, pack)?;
                let decision = self.check_post(&actor, access::Action::WithdrawCase)?;
                let withdrawn = CaseEvent {
                    by: Some(acted_by(&actor, None, &decision)),
                    reason: non_blank(reason),
                    ..self.row(Happening::Withdrawn, at)
                };
                self.clone().push(process, withdrawn)
            }
            Deed::ClaimException {
                step,
                exception,
                basis,
            } => {
                let step = find_step(process, &step)?;
                let exception = find_exception(step, &exception)?;
                let by = self.check_claimant(pack, step, exception, &actor)?;
                self.check_open(step)?;
                let basis = non_blank(Some(basis)).ok_or_else(|| Refusal::ReasonRequired {
                    clause: exception.clause.clone(),
                })?;
                let claimed = CaseEvent {
                    step: Some(step.id.clone()),
                    by: Some(by),
                    ground: Some(exception.code.clone()),
                    reason: Some(basis),
                    ..self.row(Happening::Excepted, at)
                };
                self.clone()
                    .push(process, claimed)
                    .map(|case| case.run_automatic(process, at, pack, calendar))
            }
            Deed::Urge { step } => self.urge(process, &actor, at, &step),
            Deed::Pause { step, reason } => {
                let step = find_step(process, &step)?;
                let (role, decision) = self.check_taker(pack, step, &actor)?;
                let clause = step.pause.clone().ok_or_else(|| Refusal::NotPausable {
                    step: step.id.clone(),
                })?;
                let reason = non_blank(Some(reason)).ok_or(Refusal::ReasonRequired { clause })?;
                let by = acted_by(&actor, Some(role), &decision);
                self.turn_clock(process, step, Happening::Paused, by, at, Some(reason))
            }
            Deed::Resume { step } => {
                let step = find_step(process, &step)?;
                let (role, decision) = self.check_taker(pack, step, &actor)?;
                let by = acted_by(&actor, Some(role), &decision);
                self.turn_clock(process, step, Happening::Resumed, by, at, None)
            }
        }
    }

    /// Finishes a step that the platform's own machinery brought about, for example a delivery whose
    /// receipt is in. The row names nobody; who started the machinery is the run's evidence.
    ///
    /// Errors: [`Refusal::WrongActor`] for steps that only a person can take, otherwise as
    /// [`Case::apply`].
    pub fn complete_by_machine(
        &self,
        step: &StepId,
        at: Timestamp,
        pack: &Pack,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let process = self.process(pack)?;
        self.check_time(at)?;
        let step = find_step(process, step)?;
        let needs_a_person = step.form.is_some()
            || step.consent_of.is_some()
            || step.sets_due_of.is_some()
            || !step.grounds.is_empty()
            || !step.establishes.is_empty();
        if !step.action.is_by_machine() || needs_a_person {
            return Err(Refusal::WrongActor {
                because: Because::NoPost,
                clause: Some(step.clause.clone()),
            });
        }
        self.check_open(step)?;
        self.check_earliest(step, at, calendar)?;
        let case = self
            .clone()
            .finish_by_platform(process, step, at, pack, calendar);
        Ok(case.run_automatic(process, at, pack, calendar))
    }

    /// Notes something that happened outside and that the process watches for, for example that a
    /// grant was used or expired.
    ///
    /// Errors: [`Refusal::EventNotExpected`], [`Refusal::Ended`], [`Refusal::BeforeLastEvent`].
    pub fn note(
        &self,
        event: Event,
        at: Timestamp,
        pack: &Pack,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let process = self.process(pack)?;
        self.check_time(at)?;
        if self.is_ended() {
            return Err(Refusal::Ended);
        }
        let watched = process.steps.iter().any(|step| {
            step.opens_on.contains(&event)
                || step
                    .deadline
                    .as_ref()
                    .is_some_and(|deadline| deadline.from == Some(event))
                || step
                    .not_before
                    .as_ref()
                    .is_some_and(|limit| limit.from == event || limit.restart_on == Some(event))
        });
        if !event.is_outside() || !watched {
            return Err(Refusal::EventNotExpected { event });
        }
        let noted = CaseEvent {
            events: vec![event],
            ..self.row(Happening::Noted, at)
        };
        self.clone()
            .push(process, noted)
            .map(|case| case.run_automatic(process, at, pack, calendar))
    }

    /// Whether `actor` may take `step` now, as far as the person goes; the page offers it only then.
    ///
    /// Errors: the [`Refusal`] that taking it would meet.
    pub fn may_take(&self, actor: &Actor, step: &StepId, pack: &Pack) -> Result<(), Refusal> {
        let process = self.process(pack)?;
        let step = find_step(process, step)?;
        self.check_taker(pack, step, actor)?;
        self.check_open(step)
    }

    /// Whether `actor` may claim an exception of `step` now.
    ///
    /// Errors: the [`Refusal`] that claiming it would meet, its basis aside.
    pub fn may_claim(
        &self,
        actor: &Actor,
        step: &StepId,
        exception: &str,
        pack: &Pack,
    ) -> Result<(), Refusal> {
        let process = self.process(pack)?;
        let step = find_step(process, step)?;
        let exception = find_exception(step, exception)?;
        self.check_claimant(pack, step, exception, actor)?;
        self.check_open(step)
    }

    /// The event in which an exception of a step was claimed, so that nobody takes it.
    #[must_use]
    pub fn exception_of(&self, step: &StepId) -> Option<&CaseEvent> {
        self.events.iter().find(|event| {
            event.happening == Happening::Excepted && event.step.as_ref() == Some(step)
        })
    }

    /// Whether `actor` may take the request back now.
    ///
    /// Errors: the [`Refusal`] that withdrawing would meet.
    pub fn may_withdraw(&self, actor: &Actor, pack: &Pack) -> Result<(), Refusal> {
        let process = self.process(pack)?;
        self.check_post(actor, access::Action::WithdrawCase)?;
        if self.is_ended() {
            return Err(Refusal::Ended);
        }
        let settled = process.steps.iter().any(|step| {
            step.action.settles()
                && matches!(self.step_state(&step.id), Some(StepState::Done { .. }))
        });
        if settled {
            Err(Refusal::NotWithdrawable)
        } else {
            Ok(())
        }
    }

    fn begin_on(
        self,
        event: Event,
        actor: Option<&Actor>,
        began_at: Timestamp,
        at: Timestamp,
        pack: &Pack,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let process = self.process(pack)?;
        let by = match actor {
            None => None,
            Some(actor) => Some(self.opened_by(pack, process, actor)?),
        };
        let opened = CaseEvent {
            events: vec![event],
            happened_at: (began_at != at).then_some(began_at),
            by,
            ..self.row(Happening::Opened, at)
        };
        self.push(process, opened)
            .map(|case| case.run_automatic(process, at, pack, calendar))
    }

    fn opened_by(&self, pack: &Pack, process: &Process, actor: &Actor) -> Result<ActedBy, Refusal> {
        let mut because = Because::NoPost;
        for role in &process.opened_by {
            let Some(pack_role) = pack.role(role) else {
                continue;
            };
            if self.head.parties.lacks(pack, role) {
                continue;
            }
            let subject = StepSubject {
                department: self.head.parties.holder(pack, role),
                posts: &pack_role.posts,
                action: crate::law::Action::File,
                filed_by: None,
            };
            let decision = access::may(actor, access::Action::TakeStep, &Subject::Step(subject));
            if decision.allowed {
                return Ok(acted_by(actor, Some(role), &decision));
            }
            because = decision.because;
        }
        Err(Refusal::WrongActor {
            because,
            clause: Some(process.clause.clone()),
        })
    }

    fn take_step(
        self,
        actor: &Actor,
        at: Timestamp,
        step: &StepId,
        input: StepInput,
        pack: &Pack,
        calendar: &Calendar,
    ) -> Result<Self, Refusal> {
        let process = self.process(pack)?;
        let step = find_step(process, step)?;
        let (role, decision) = self.check_taker(pack, step, actor)?;
        self.check_open(step)?;
        self.check_earliest(step, at, calendar)?;
        let outcome = check_outcome(step, input.outcome)?;
        let reason = non_blank(input.reason);
        check_reason(step, outcome, reason.as_deref())?;
        check_ground(pack, step, input.ground.as_deref())?;
        check_form(step, input.form.as_ref())?;
        check_established(pack, step, &input.facts)?;
        let extra_working_days = check_extension(step, input.extra_working_days)?;
        let orders_due_on = check_ordered_date(step, input.orders_due_on, at)?;
        let consent = self.check_consent(pack, step, actor, input.consent.as_deref())?;
        let done = CaseEvent {
            step: Some(step.id.clone()),
            events: step.events_of(outcome).collect(),
            by: Some(acted_by(actor, Some(role), &decision)),
            outcome: Some(outcome),
            reason,
            ground: input.ground,
            form: input.form,
            consent,
            facts: input.facts,
            extra_working_days,
            orders_due_on,
            due_on: self.due_on(pack, process, step, calendar),
            ..self.row(Happening::StepDone, at)
        };
        self.push(process, done)
            .map(|case| case.run_automatic(process, at, pack, calendar))
    }

    /// Takes the steps that the platform takes by itself, at the moment they open, in the order of
    /// the process. Each can be taken once, so this ends.
    fn run_automatic(
        self,
        process: &Process,
        at: Timestamp,
        pack: &Pack,
        calendar: &Calendar,
    ) -> Self {
        let mut case = self;
        loop {
            let next = process.steps.iter().find(|step| {
                step.kind == StepKind::Automatic
                    && case.step_state(&step.id).is_some_and(StepState::is_open)
            });
            let Some(step) = next else { return case };
            case = case.finish_by_platform(process, step, at, pack, calendar);
        }
    }

    fn finish_by_platform(
        self,
        process: &Process,
        step: &Step,
        at: Timestamp,
        pack: &Pack,
        calendar: &Calendar,
    ) -> Self {
        let outcome = step.action.good_outcome();
        let done = CaseEvent {
            step: Some(step.id.clone()),
            events: step.events_of(outcome).collect(),
            outcome: Some(outcome),
            due_on: self.due_on(pack, process, step, calendar),
            ..self.row(Happening::StepDone, at)
        };
        self.push(process, done)
            .expect("an open step can be finished")
    }

    fn urge(
        &self,
        process: &Process,
        actor: &Actor,
        at: Timestamp,
        step: &StepId,
    ) -> Result<Self, Refusal> {
        let step = find_step(process, step)?;
        let decision = self.check_post(actor, access::Action::UrgeStep)?;
        self.check_open(step)?;
        let urged = CaseEvent {
            step: Some(step.id.clone()),
            by: Some(acted_by(actor, None, &decision)),
            ..self.row(Happening::Urged, at)
        };
        self.clone().push(process, urged)
    }

    fn turn_clock(
        &self,
        process: &Process,
        step: &Step,
        happening: Happening,
        by: ActedBy,
        at: Timestamp,
        reason: Option<String>,
    ) -> Result<Self, Refusal> {
        self.check_open(step)?;
        let turned = CaseEvent {
            step: Some(step.id.clone()),
            by: Some(by),
            reason,
            ..self.row(happening, at)
        };
        self.clone()
            .push(process, turned)
            .map_err(|_| Refusal::NotPausable {
                step: step.id.clone(),
            })
    }

    fn row(&self, happening: Happening, at: Timestamp) -> CaseEvent {
        CaseEvent {
            seq: self.last_seq() + 1,
            happening,
            step: None,
            events: Vec::new(),
            at,
            happened_at: None,
            by: None,
            outcome: None,
            reason: None,
            ground: None,
            form: None,
            consent: None,
            facts: Facts::new(),
            extra_working_days: None,
            orders_due_on: None,
            due_on: None,
        }
    }

    fn push(mut self, process: &Process, event: CaseEvent) -> Result<Self, Refusal> {
        self.folded
            .fold(process, &event)
            .ok_or(Refusal::BrokenHistory { seq: event.seq })?;
        self.events.push(event);
        Ok(self)
    }
}
