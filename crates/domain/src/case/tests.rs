//! A small county of invented people, and what happens to their cases.

mod city_template;
mod clauses;
mod engine;
mod forms;
mod luyi;
mod properties;
mod table;
mod world;
mod yanjin;
mod yichuan;

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;

use super::*;
use crate::access::{Actor, Role};
use crate::calendar::Calendar;
use crate::ids::AttachmentId;
use crate::law::{Facts, Pack, StepId};

pub(super) fn pack() -> &'static Pack {
    static PACK: LazyLock<Pack> = LazyLock::new(|| {
        Pack::load(crate::law::PINGDINGSHAN_2020, "pingdingshan-2020.toml").unwrap()
    });
    &PACK
}

pub(super) fn calendar() -> &'static Calendar {
    static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::statutory);
    &CALENDAR
}

/// Ten o'clock in the morning in China.
pub(super) fn morning(day: &str) -> Timestamp {
    format!("{day}T10:00:00+08:00").parse().unwrap()
}

pub(super) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn department(id: &str) -> DepartmentId {
    DepartmentId::parse(id).unwrap()
}

pub(super) fn step(id: &str) -> StepId {
    StepId::parse(id).unwrap()
}

fn person(id: &str, department_id: &str, role: Role) -> Actor {
    Actor::new(
        PersonId::parse(id).unwrap(),
        department(department_id),
        vec![role],
        day("2026-09-21"),
    )
}

pub(super) fn requester() -> Actor {
    person("wang", "civil-affairs", Role::DataOfficer)
}

pub(super) fn provider() -> Actor {
    person("zhao", "statistics", Role::DataOfficer)
}

pub(super) fn operator() -> Actor {
    person("qian", "big-data", Role::Operator)
}

pub(super) fn contractor() -> Actor {
    Actor {
        contractor: true,
        ..person("sun", "big-data", Role::Operator)
    }
}

pub(super) fn authority() -> Actor {
    person("li", "big-data", Role::Authority)
}

pub(super) fn county_authority() -> Actor {
    person("zhou", "shilong-data", Role::CountyAuthority)
}

/// Everybody who might act.
pub(super) fn everybody() -> Vec<Actor> {
    vec![
        requester(),
        person("wu", "civil-affairs", Role::Head),
        provider(),
        person("zheng", "statistics", Role::Head),
        operator(),
        contractor(),
        authority(),
        county_authority(),
        person("feng", "health", Role::DataOfficer),
        person("chen", "big-data", Role::Auditor),
    ]
}

pub(super) fn parties() -> Parties {
    let bound = [
        ("platform", "big-data"),
        ("authority", "big-data"),
        ("county_authority", "shilong-data"),
    ];
    Parties {
        requester: Some(department("civil-affairs")),
        provider: Some(department("statistics")),
        filed_by: None,
        bound: bound
            .into_iter()
            .map(|(role, id)| (RoleId::parse(role).unwrap(), department(id)))
            .collect(),
    }
}

pub(super) fn facts(given: &[(&str, &str)]) -> Facts {
    given
        .iter()
        .map(|(name, value)| {
            let value = match *value {
                "true" => true.into(),
                "false" => false.into(),
                code => code.into(),
            };
            ((*name).to_owned(), value)
        })
        .collect()
}

pub(super) fn opening(process: &str, given: &[(&str, &str)], on: &str) -> Opening {
    Opening {
        id: CaseId::parse("case-1").unwrap(),
        process: ProcessId::parse(process).unwrap(),
        parties: parties(),
        facts: facts(given),
        previous_case: None,
        actor: Some(requester()),
        at: morning(on),
        began_at: None,
        input: StepInput::default(),
    }
}

/// A table of the statistics bureau, asked for by civil affairs.
pub(super) fn table_request(class: &str, on: &str) -> Case {
    let opening = opening(
        "table_file_subscription_city",
        &[("class", class), ("mode", "table")],
        on,
    );
    Case::open(opening, pack(), calendar()).unwrap()
}

pub(super) fn sealed(kind: &str) -> StepInput {
    StepInput {
        form: Some(FormGiven {
            seal_kind: Some(kind.to_owned()),
            file_digest: Some("3b0c".repeat(16)),
            attachment: AttachmentId::parse("att-1").ok(),
        }),
        ..StepInput::default()
    }
}

pub(super) fn interface_request(given: &[(&str, &str)], on: &str) -> Case {
    let opening = Opening {
        input: sealed("scan_of_stamped_form"),
        ..opening("interface_application_city", given, on)
    };
    Case::open(opening, pack(), calendar()).unwrap()
}

pub(super) fn ending(outcome: Outcome) -> StepInput {
    StepInput {
        outcome: Some(outcome),
        ..StepInput::default()
    }
}

pub(super) fn refusal(reason: &str) -> StepInput {
    StepInput {
        outcome: Some(Outcome::Refused),
        reason: Some(reason.to_owned()),
        ..StepInput::default()
    }
}

pub(super) fn take(
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
    case.apply(act, pack(), calendar())
}

pub(super) fn view(case: &Case, id: &str, on: &str) -> StepView {
    case.steps(pack(), calendar(), morning(on))
        .unwrap()
        .into_iter()
        .find(|view| view.id == step(id))
        .unwrap()
}

pub(super) fn due(case: &Case, id: &str) -> Option<String> {
    view(case, id, "2026-09-21")
        .due_on
        .map(|date| date.to_string())
}

pub(super) fn code(result: Result<Case, Refusal>) -> &'static str {
    result.expect_err("it should have been refused").code()
}
