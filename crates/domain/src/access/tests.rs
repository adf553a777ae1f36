use std::fmt::Write;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn department(id: &str) -> DepartmentId {
    DepartmentId::parse(id).unwrap()
}

fn person(id: &str) -> PersonId {
    PersonId::parse(id).unwrap()
}

fn actor(roles: &[Role]) -> Actor {
    Actor::new(
        person("wang"),
        department("tax"),
        roles.to_vec(),
        date(2026, 9, 21),
    )
}

/// Every post against every action, on the own department, on another one, and on the platform.
#[test]
fn the_table_of_posts_and_actions() {
    let own = department("tax");
    let other = department("health");
    let somebody = person("zhao");
    let mut text = String::new();
    for action in Action::ALL {
        writeln!(text, "{action}").unwrap();
        for role in Role::ALL {
            let actor = actor(&[*role]);
            let own_parties = [&own, &other];
            let foreign_parties = [&other];
            let subjects = [
                ("platform", Subject::Platform),
                ("own", Subject::Department(&own)),
                ("other", Subject::Department(&other)),
                (
                    "submission",
                    Subject::Submission {
                        department: &other,
                        submitted_by: &somebody,
                    },
                ),
                ("own case", Subject::Parties(&own_parties)),
                ("other case", Subject::Parties(&foreign_parties)),
            ];
            let allowed: Vec<&str> = subjects
                .iter()
                .filter(|(_, subject)| may(&actor, *action, subject).allowed)
                .map(|(name, _)| *name)
                .collect();
            if !allowed.is_empty() {
                writeln!(text, "    {role}: {}", allowed.join(", ")).unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn nobody_reviews_their_own_submission() {
    let tax = department("tax");
    let reviewer = actor(&[Role::Authority]);
    let decide = |submitted_by: &str, actor: &Actor| {
        let submitted_by = person(submitted_by);
        let subject = Subject::Submission {
            department: &tax,
            submitted_by: &submitted_by,
        };
        may(actor, Action::PublishCatalogue, &subject)
    };
    assert_eq!(decide("wang", &reviewer).because, Because::OwnRequest);
    // A colleague's is another matter, also within the authority's own department.
    assert!(decide("zhao", &reviewer).allowed);
    let contractor = Actor {
        contractor: true,
        ..reviewer
    };
    assert_eq!(decide("zhao", &contractor).because, Because::Contractor);
}

#[test]
fn the_three_administrators_are_separate_from_each_other_and_from_business() {
    for (first, second) in [
        (Role::SystemAdmin, Role::SecurityAdmin),
        (Role::SystemAdmin, Role::Auditor),
        (Role::SecurityAdmin, Role::Auditor),
        (Role::Auditor, Role::DataOfficer),
        (Role::SystemAdmin, Role::Authority),
    ] {
        assert!(check_posts(&[first, second]).is_err() && check_posts(&[second, first]).is_err());
        let both = actor(&[first, second]);
        for action in Action::ALL {
            assert!(!may(&both, *action, &Subject::Platform).allowed, "{action}");
        }
    }
    assert!(check_posts(&[Role::DataOfficer, Role::Head, Role::Authority]).is_ok());
    for role in Role::ALL {
        assert!(check_posts(&[*role]).is_ok());
    }
}

#[test]
fn an_administrators_post_cannot_be_delegated() {
    let delegated = |role: Role, to: &[Role]| Actor {
        delegations: vec![Delegation {
            by: person("zhao"),
            department: department("tax"),
            role,
            first_day: date(2026, 9, 1),
            last_day: date(2026, 9, 30),
        }],
        ..actor(to)
    };
    let read = |actor: &Actor| may(actor, Action::ReadLedger, &Subject::Platform).allowed;
    assert!(!read(&delegated(Role::Auditor, &[Role::DataOfficer])));
    let review = |actor: &Actor| may(actor, Action::LoadCalendar, &Subject::Platform).allowed;
    assert!(review(&delegated(Role::Authority, &[Role::DataOfficer])));
    // Nor does an administrator gain business by one.
    assert!(!review(&delegated(Role::Authority, &[Role::Auditor])));
}

#[test]
fn a_delegation_holds_from_its_first_to_its_last_day() {
    let on = |today| Actor {
        delegations: vec![Delegation {
            by: person("zhao"),
            department: department("health"),
            role: Role::Head,
            first_day: date(2026, 9, 20),
            last_day: date(2026, 9, 22),
        }],
        today,
        ..actor(&[])
    };
    let health = department("health");
    let may_submit = |today| {
        may(
            &on(today),
            Action::SubmitCatalogue,
            &Subject::Department(&health),
        )
        .allowed
    };
    assert!(!may_submit(date(2026, 9, 19)));
    assert!(may_submit(date(2026, 9, 20)) && may_submit(date(2026, 9, 22)));
    assert!(!may_submit(date(2026, 9, 23)));
}

#[test]
fn a_step_belongs_to_its_department_and_posts() {
    let health = department("health");
    let step = |action| StepSubject {
        department: Some(&health),
        posts: &[Role::DataOfficer],
        action,
        filed_by: None,
    };
    let decide = |actor: &Actor| {
        may(
            actor,
            Action::TakeStep,
            &Subject::Step(step(crate::law::Action::Decide)),
        )
        .because
    };
    assert_eq!(
        decide(&actor(&[Role::DataOfficer])),
        Because::OtherDepartment
    );
    assert_eq!(decide(&actor(&[Role::Head])), Because::NoPost);
    let there = Actor {
        department: department("health"),
        ..actor(&[Role::DataOfficer])
    };
    assert_eq!(decide(&there), Because::Post(Role::DataOfficer));
    // A step is nothing to read or publish.
    assert_eq!(
        may(
            &there,
            Action::PublishCatalogue,
            &Subject::Step(step(crate::law::Action::Decide))
        )
        .because,
        Because::WrongSubject
    );
    assert_eq!(
        may(&there, Action::TakeStep, &Subject::Platform).because,
        Because::WrongSubject
    );
}

#[test]
fn every_reason_has_its_code() {
    let conflict = check_posts(&[Role::Auditor, Role::Head]).unwrap_err();
    assert_eq!(conflict.code(), "access.posts_conflict");
    assert_eq!(Because::OwnRequest.code(), "access.own_request");
}

proptest! {
    #[test]
    fn a_contractor_is_never_allowed_more_than_staff(
        roles in prop::collection::vec(prop::sample::select(Role::ALL), 0..4),
        action in prop::sample::select(Action::ALL),
    ) {
        let staff = actor(&roles);
        let contractor = Actor { contractor: true, ..staff.clone() };
        let own = department("tax");
        for subject in [Subject::Platform, Subject::Department(&own)] {
            prop_assert!(may(&staff, action, &subject).allowed || !may(&contractor, action, &subject).allowed);
        }
    }
}
