//! Any of the five regulations at work in a small county of invented people: one per role of the pack.

use std::sync::LazyLock;

use super::*;
use crate::law::tests::{REGULATIONS, regulation};
use crate::law::{Event, FactValue, PackRole, Step};

/// A pack and the people who act under it.
pub(super) struct World {
    pub pack: Pack,
}

/// A Monday in a month without holidays on which all five regulations are in force.
pub(super) const MONDAY: &str = "2021-03-01";

/// The five regulations, the template as a city adopted it.
pub(super) fn worlds() -> &'static [World] {
    static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
        REGULATIONS
            .iter()
            .map(|(id, source)| {
                let pack = if *id == "city-template" {
                    adopted(source)
                } else {
                    regulation(id)
                };
                World { pack }
            })
            .collect()
    });
    &WORLDS
}

pub(super) fn world(id: &str) -> &'static World {
    worlds()
        .iter()
        .find(|world| world.pack.meta.id.as_str() == id)
        .unwrap()
}

/// The template after a city has put its name to it.
fn adopted(source: &str) -> Pack {
    let own = source.replacen(
        "template = true",
        "issuer = \"某市人民政府\"\nnumber = \"某政〔2020〕1号\"\nissued_year = 2020",
        1,
    );
    Pack::load(&own, "adopted.toml").unwrap()
}

fn department_of(role: &PackRole) -> DepartmentId {
    let id = match role.held_by {
        HeldBy::Requester => "civil-affairs".to_owned(),
        HeldBy::Provider => "statistics".to_owned(),
        // Two roles with one body are one department.
        HeldBy::Bound if role.id.as_str() == "platform" => "authority-dept".to_owned(),
        HeldBy::Bound => format!("{}-dept", role.id.as_str().replace('_', "-")),
        HeldBy::Outside => "public".to_owned(),
        HeldBy::Every => "health".to_owned(),
    };
    department(&id)
}

impl World {
    /// Whoever plays a role: a person of their own, with the first post that the role asks for.
    pub fn player(&self, role: &str) -> Actor {
        let role = self.pack.role(&RoleId::parse(role).unwrap()).unwrap();
        let post = *role.posts.first().unwrap();
        let person_id = format!("p-{}", role.id.as_str().replace('_', "-"));
        person(&person_id, department_of(role).as_str(), post)
    }

    /// Everybody, one per role that somebody holds.
    pub fn players(&self) -> Vec<Actor> {
        self.pack
            .roles
            .iter()
            .filter(|role| !role.posts.is_empty())
            .map(|role| self.player(role.id.as_str()))
            .collect()
    }

    pub fn parties(&self) -> Parties {
        let bound = self
            .pack
            .roles
            .iter()
            .filter(|role| role.held_by == HeldBy::Bound);
        Parties {
            requester: Some(department("civil-affairs")),
            provider: Some(department("statistics")),
            filed_by: None,
            bound: bound
                .map(|role| (role.id.clone(), department_of(role)))
                .collect(),
        }
    }

    pub fn process(&self, id: &str) -> &Process {
        self.pack.process(&ProcessId::parse(id).unwrap()).unwrap()
    }

    /// How a process begins: by whoever may, with whatever its first step needs.
    pub fn opening(&self, process: &str, given: &[(&str, &str)], on: &str) -> Opening {
        self.opening_of(self.process(process), facts(given), morning(on))
    }

    pub fn opening_of(&self, process: &Process, facts: Facts, at: Timestamp) -> Opening {
        let first = process.steps.first().unwrap();
        let (role, began_at, input) = match process.starts_on {
            None => (Some(&first.role), None, handed_in(first)),
            Some(_) => (process.opened_by.first(), Some(at), StepInput::default()),
        };
        Opening {
            id: CaseId::parse("case-1").unwrap(),
            process: process.id.clone(),
            parties: self.parties(),
            facts,
            previous_case: None,
            actor: role.map(|role| self.player(role.as_str())),
            at,
            began_at,
            input,
        }
    }

    pub fn open(&self, process: &str, given: &[(&str, &str)], on: &str) -> Case {
        self.try_open(self.opening(process, given, on)).unwrap()
    }

    pub fn try_open(&self, opening: Opening) -> Result<Case, Refusal> {
        Case::open(opening, &self.pack, calendar())
    }

    /// A step, taken by whoever plays its role.
    pub fn take(&self, case: &Case, id: &str, input: StepInput, on: &str) -> Result<Case, Refusal> {
        let role = &self.step_of(case, id).role;
        self.take_as(case, self.player(role.as_str()), id, input, on)
    }

    pub fn take_as(
        &self,
        case: &Case,
        actor: Actor,
        id: &str,
        input: StepInput,
        on: &str,
    ) -> Result<Case, Refusal> {
        let act = Act {
            actor,
            at: morning(on),
            deed: Deed::TakeStep {
                step: step(id),
                input,
            },
        };
        case.apply(act, &self.pack, calendar())
    }

    pub fn step_of(&self, case: &Case, id: &str) -> &Step {
        let process = self.pack.process(&case.head().process).unwrap();
        process.step(&step(id)).unwrap()
    }

    pub fn view(&self, case: &Case, id: &str, on: &str) -> StepView {
        case.steps(&self.pack, calendar(), morning(on))
            .unwrap()
            .into_iter()
            .find(|view| view.id == step(id))
            .unwrap()
    }

    pub fn clock(&self, case: &Case, id: &str, on: &str) -> Clock {
        self.view(case, id, on).clock
    }

    pub fn due(&self, case: &Case, id: &str) -> Option<String> {
        self.view(case, id, MONDAY)
            .due_on
            .map(|date| date.to_string())
    }

    pub fn note(&self, case: &Case, event: Event, on: &str) -> Result<Case, Refusal> {
        case.note(event, morning(on), &self.pack, calendar())
    }
}

/// Whatever a step asks for besides its outcome.
pub(super) fn handed_in(step: &Step) -> StepInput {
    StepInput {
        ground: step.grounds.first().map(|ground| ground.code.clone()),
        form: step.form.as_ref().map(|form| FormGiven {
            seal_kind: form.seal_kinds.first().cloned(),
            file_digest: Some("d1".to_owned()),
            attachment: None,
        }),
        ..StepInput::default()
    }
}

/// A document without a seal.
pub(super) fn document() -> StepInput {
    StepInput {
        form: Some(FormGiven {
            seal_kind: None,
            file_digest: Some("d1".to_owned()),
            attachment: None,
        }),
        ..StepInput::default()
    }
}

/// A step that states facts.
pub(super) fn stating(given: &[(&str, &str)]) -> StepInput {
    StepInput {
        facts: facts(given),
        ..StepInput::default()
    }
}

/// An ending with its reason.
pub(super) fn because(outcome: Outcome, reason: &str) -> StepInput {
    StepInput {
        reason: Some(reason.to_owned()),
        ..ending(outcome)
    }
}

pub(super) fn open_now(case: &Case) -> Vec<&str> {
    case.open_steps().map(StepId::as_str).collect()
}

/// The code and the clause of a refusal.
pub(super) fn refused(result: Result<Case, Refusal>) -> (&'static str, String) {
    let refusal = result.expect_err("it should have been refused");
    (
        refusal.code(),
        refusal
            .clause()
            .map(ToString::to_string)
            .unwrap_or_default(),
    )
}

pub(super) fn under(code: &'static str, clause: &str) -> (&'static str, String) {
    (code, clause.to_owned())
}

/// Every combination of the facts that can be known when a case of the process begins.
pub(super) fn beginnings(pack: &Pack, process: &Process) -> Vec<Facts> {
    let mut asked: Vec<&str> = process.asked_facts().collect();
    asked.extend(pack.deciders.iter().flat_map(|rule| rule.when.facts()));
    asked.sort_unstable();
    asked.dedup();
    let mut combinations = vec![Facts::new()];
    for name in asked {
        let Some(rule) = pack.facts.iter().find(|rule| rule.id == name) else {
            continue;
        };
        if rule.source == crate::law::words::FactSource::Step {
            continue;
        }
        combinations = combinations
            .iter()
            .flat_map(|facts| {
                rule.values.iter().map(move |value: &FactValue| {
                    let mut facts = facts.clone();
                    facts.insert(rule.id.clone(), value.clone());
                    facts
                })
            })
            .collect();
    }
    combinations
}
