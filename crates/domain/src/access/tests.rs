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

/// YC-34: whoever supervises may read everything that isn't somebody's data, and change nothing.
#[test]
fn yc_34_a_supervisor_reads_everything_and_changes_nothing() {
    let supervisor = actor(&[Role::Supervisor]);
    let (own, other, somebody) = (department("tax"), department("health"), person("zhao"));
    let allowed = |action: Action| {
        [
            Subject::Platform,
            Subject::Department(&own),
            Subject::Department(&other),
            Subject::Submission {
                department: &own,
                submitted_by: &somebody,
            },
            Subject::Parties(&[&own]),
        ]
        .iter()
        .any(|subject| may(&supervisor, action, subject).allowed)
    };
    let found: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|a| allowed(*a))
        .collect();
    assert_eq!(
        found,
        [
            Action::BrowseCatalogue,
            Action::ReadCase,
            Action::ReadGrant,
            Action::ReadRun,
            Action::ReadReport,
            Action::ReadDirectory,
            Action::ReadLedger,
            Action::ReadSupervision,
        ]
    );
    // Nor by a second post, held or delegated.
    assert!(check_posts(&[Role::Supervisor, Role::DataOfficer]).is_err());
    let deputy = Actor {
        delegations: vec![Delegation {
            by: somebody,
            department: own.clone(),
            role: Role::Head,
            first_day: date(2026, 9, 1),
            last_day: date(2026, 9, 30),
        }],
        ..supervisor
    };
    assert!(!may(&deputy, Action::SubmitCatalogue, &Subject::Department(&own)).allowed);
}

/// YC-30, YJ-2.3: who runs the platform under contract never gets a post that approves.
#[test]
fn yj_2_3_a_contractor_deputises_in_no_post_that_approves() {
    let health = department("health");
    let deputy = |role| Actor {
        contractor: true,
        delegations: vec![Delegation {
            by: person("zhao"),
            department: department("health"),
            role,
            first_day: date(2026, 9, 21),
            last_day: date(2026, 9, 21),
        }],
        ..actor(&[])
    };
    let may_run = |role| {
        may(
            &deputy(role),
            Action::StartRun,
            &Subject::Department(&health),
        )
        .allowed
    };
    assert!(may_run(Role::Operator));
    assert!(!may_run(Role::DataOfficer));
}

#[test]
fn what_was_merged_is_answered_for_by_its_successor() {
    let (tax, land, health) = (department("tax"), department("land"), department("health"));
    let officer = Actor {
        successions: vec![Succession {
            gone: land.clone(),
            successor: tax.clone(),
        }],
        ..actor(&[Role::DataOfficer])
    };
    let reads = |actor: &Actor, party: &DepartmentId| {
        may(actor, Action::ReadCase, &Subject::Parties(&[party])).allowed
    };
    assert!(reads(&officer, &land) && reads(&officer, &tax) && !reads(&officer, &health));
    assert!(!reads(&actor(&[Role::DataOfficer]), &land));
    let step = StepSubject {
        department: Some(&land),
        posts: &[Role::DataOfficer],
        action: crate::law::Action::Decide,
        filed_by: None,
    };
    assert!(may(&officer, Action::TakeStep, &Subject::Step(step)).allowed);
    // A post in another department doesn't reach there, although the same person acts.
    let elsewhere = Actor {
        department: health,
        ..officer
    };
    assert!(!reads(&elsewhere, &land));
}

#[test]
fn a_delegation_is_named_with_its_days() {
    let deputy = Actor {
        delegations: vec![Delegation {
            by: person("zhao"),
            department: department("tax"),
            role: Role::Head,
            first_day: date(2026, 9, 20),
            last_day: date(2026, 9, 22),
        }],
        ..actor(&[])
    };
    let decision = may(
        &deputy,
        Action::SubmitCatalogue,
        &Subject::Department(&department("tax")),
    );
    assert_eq!(
        decision.because,
        Because::Delegation {
            role: Role::Head,
            by: person("zhao"),
            department: department("tax"),
            first_day: date(2026, 9, 20),
            last_day: date(2026, 9, 22),
        }
    );
}

#[test]
fn a_delegation_is_checked_before_it_is_made() {
    let (zhao, qian) = (person("zhao"), person("qian"));
    let today = date(2026, 9, 21);
    let plan = DelegationPlan {
        by: &zhao,
        held: &[Role::Head, Role::DataOfficer],
        roles: &[Role::DataOfficer],
        deputy: Deputy {
            person: &qian,
            posts: &[Role::Operator],
            contractor: false,
        },
        first_day: today,
        last_day: today,
    };
    assert_eq!(check_delegation(&plan, today), []);
    let to = |posts, contractor| Deputy {
        person: &qian,
        posts,
        contractor,
    };
    let wrong = [
        (
            DelegationPlan { roles: &[], ..plan },
            DelegationFault::NoPost,
        ),
        (
            DelegationPlan {
                roles: &[Role::DataOfficer, Role::Authority],
                ..plan
            },
            DelegationFault::NotHeld,
        ),
        (
            DelegationPlan {
                held: &[Role::Auditor],
                roles: &[Role::Auditor],
                ..plan
            },
            DelegationFault::NotDelegable,
        ),
        (
            DelegationPlan { by: &qian, ..plan },
            DelegationFault::ToOneself,
        ),
        (
            DelegationPlan {
                deputy: to(&[Role::Supervisor], false),
                ..plan
            },
            DelegationFault::ToOneWhoStandsAlone,
        ),
        (
            DelegationPlan {
                deputy: to(&[], true),
                ..plan
            },
            DelegationFault::ToContractor,
        ),
        (
            DelegationPlan {
                last_day: date(2026, 9, 20),
                ..plan
            },
            DelegationFault::DaysReversed,
        ),
        (
            DelegationPlan {
                first_day: date(2026, 9, 20),
                ..plan
            },
            DelegationFault::DaysPast,
        ),
    ];
    for (plan, fault) in wrong {
        assert_eq!(check_delegation(&plan, today), [fault]);
        assert!(fault.code().starts_with("delegation."));
    }
    let may_run = DelegationPlan {
        held: &[Role::Operator],
        roles: &[Role::Operator],
        deputy: to(&[], true),
        ..plan
    };
    assert_eq!(check_delegation(&may_run, today), []);
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
