//! The given/when/then of Luyi's clauses.

use super::world::*;
use super::*;
use crate::law::{Event, LimitWord};

const PROACTIVE: &[(&str, &str)] = &[("class", "proactive"), ("mode", "table")];
const ON_APPLICATION: &[(&str, &str)] = &[("class", "on_application"), ("mode", "table")];

fn luyi() -> &'static World {
    world("luyi-2019")
}

/// Spec: LY-8.2, LY-21.
#[test]
fn ly_8_2_a_change_on_monday_is_to_be_supplied_by_wednesday() {
    let luyi = luyi();
    let case = luyi.open("data_supply_after_change", &[], MONDAY);
    assert_eq!(luyi.due(&case, "supply").as_deref(), Some("2021-03-03"));
    assert_eq!(
        luyi.clock(&case, "supply", "2021-03-04"),
        Clock::Overdue { by: 1 }
    );
    let late = luyi
        .take(&case, "supply", StepInput::default(), "2021-03-04")
        .unwrap();
    assert_eq!(
        luyi.clock(&late, "supply", "2021-03-04"),
        Clock::Done {
            in_time: Some(false)
        }
    );
    let follow_up = luyi.step_of(&case, "supply").on_overdue.as_ref().unwrap();
    assert_eq!(follow_up.clause.as_str(), "LY-21");
}

/// Spec: LY-9.1, LY-9.2.
#[test]
fn ly_9_1_an_item_is_reviewed_then_approved_then_supplied() {
    let luyi = luyi();
    let case = luyi.open("catalogue_change", &[], MONDAY);
    assert_eq!(open_now(&case), ["review"]);
    assert_eq!(
        luyi.clock(&case, "review", "2021-06-01"),
        Clock::NoLimit,
        "no limit is stated"
    );
    assert_eq!(
        code(luyi.take_as(
            &case,
            person("lu", "statistics", Role::DataOfficer),
            "review",
            ending(Outcome::Accepted),
            MONDAY
        )),
        "case.wrong_actor"
    );
    let case = luyi
        .take(&case, "review", ending(Outcome::Accepted), "2021-03-02")
        .unwrap();
    assert_eq!(open_now(&case), ["approve"]);
    let approved = luyi
        .take(&case, "approve", ending(Outcome::Approved), "2021-03-03")
        .unwrap();
    assert_eq!(open_now(&approved), ["supply"], "LY-9.2: a task arises");
    assert_eq!(
        luyi.clock(&approved, "supply", "2021-03-10"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 7
        }
    );
    let refused = luyi
        .take(&case, "approve", ending(Outcome::Refused), "2021-03-03")
        .unwrap();
    assert_eq!(refused.outcome(), Some(CaseOutcome::Refused));
}

/// Spec: LY-10.1.
#[test]
fn ly_10_1_a_proactive_item_needs_no_approval() {
    let luyi = luyi();
    let case = luyi.open("subscription", PROACTIVE, MONDAY);
    assert_eq!(open_now(&case), ["self_service"]);
    assert_eq!(case.step_state(&step("decide")), Some(&StepState::Skipped));
    let at_once = case
        .complete_by_machine(
            &step("self_service"),
            morning(MONDAY),
            &luyi.pack,
            calendar(),
        )
        .unwrap();
    assert_eq!(at_once.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: LY-11.
#[test]
fn ly_11_the_provider_has_seven_working_days() {
    let luyi = luyi();
    let case = luyi.open("subscription", ON_APPLICATION, MONDAY);
    assert_eq!(luyi.due(&case, "decide").as_deref(), Some("2021-03-10"));
    assert_eq!(
        luyi.clock(&case, "decide", "2021-03-11"),
        Clock::Overdue { by: 1 }
    );
    assert!(
        luyi.step_of(&case, "decide").on_overdue.is_none(),
        "no consequence is attached"
    );
}

/// Spec: LY-11.
#[test]
fn ly_11_consent_needs_a_reason_too() {
    let luyi = luyi();
    let case = luyi.open("subscription", ON_APPLICATION, MONDAY);
    for outcome in [Outcome::Approved, Outcome::Refused] {
        let silent = luyi.take(&case, "decide", ending(outcome), "2021-03-02");
        assert_eq!(refused(silent), under("case.reason_required", "LY-11"));
        let blank = luyi.take(&case, "decide", because(outcome, "  "), "2021-03-02");
        assert_eq!(refused(blank), under("case.reason_required", "LY-11"));
    }
    let agreed = because(Outcome::Approved, "办理低保核对需要");
    let case = luyi.take(&case, "decide", agreed, "2021-03-02").unwrap();
    assert_eq!(open_now(&case), ["deliver"]);
    assert_eq!(
        luyi.clock(&case, "deliver", "2021-05-01"),
        Clock::NoLimit,
        "no limit for the delivery"
    );
}

/// Spec: LY-12.
#[test]
fn ly_12_nothing_is_exchanged_before_the_agreement_is_on_file() {
    let luyi = luyi();
    let case = luyi.open("agreement_filing", &[], MONDAY);
    let early = luyi.take(&case, "share", StepInput::default(), MONDAY);
    assert_eq!(refused(early), under("case.step_not_open", "LY-12"));
    let unsigned = luyi.take(&case, "file", StepInput::default(), MONDAY);
    assert_eq!(refused(unsigned), under("case.step_not_open", "LY-12"));
    let case = luyi
        .take(&case, "countersign", because(Outcome::Approved, ""), MONDAY)
        .unwrap();
    assert!(!case.shows(Event::Filed, &luyi.pack));
    let case = luyi
        .take(&case, "file", StepInput::default(), "2021-03-02")
        .unwrap();
    assert!(case.shows(Event::Filed, &luyi.pack));
    let case = luyi
        .take(&case, "share", StepInput::default(), "2021-03-02")
        .unwrap();
    assert!(!case.is_ended(), "an agreement lasts");
    let case = luyi
        .take(&case, "end", StepInput::default(), "2021-03-02")
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
    assert!(!case.shows(Event::Filed, &luyi.pack));
}

/// Spec: LY-12.
#[test]
fn ly_12_under_a_filed_agreement_nobody_decides_again() {
    let luyi = luyi();
    let given = [
        ("class", "on_application"),
        ("mode", "table"),
        ("agreement", "true"),
    ];
    let case = luyi.open("subscription", &given, MONDAY);
    assert_eq!(open_now(&case), ["deliver_by_agreement"]);
    let decider = luyi.pack.decider(&facts(&given)).unwrap();
    assert_eq!(decider.clause.as_str(), "LY-12");
}

/// Spec: LY-13.1, LY-13.2.
#[test]
fn ly_13_2_a_change_of_method_needs_a_reason() {
    let luyi = luyi();
    let case = luyi.open("access_method_filing", &[], MONDAY);
    assert!(!case.is_ended(), "LY-13.1: the filing lasts");
    let silent = luyi.take(&case, "adjust", StepInput::default(), "2021-03-02");
    assert_eq!(refused(silent), under("case.reason_required", "LY-13.2"));
    let case = luyi
        .note(&case, Event::MethodChanged, "2021-03-02")
        .unwrap();
    assert_eq!(
        luyi.clock(&case, "adjust", "2021-03-05"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 3
        }
    );
    let changed = because(Outcome::Done, "改用前置机");
    let case = luyi.take(&case, "adjust", changed, "2021-03-05").unwrap();
    assert!(
        open_now(&case).contains(&"adjust"),
        "it may be changed again"
    );
    let case = luyi
        .take(&case, "stop", StepInput::default(), "2021-04-01")
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: LY-15.
#[test]
fn ly_15_a_release_is_asked_for_in_writing_and_needs_consent() {
    let luyi = luyi();
    let spoken = Opening {
        input: StepInput::default(),
        ..luyi.opening("external_release", &[], MONDAY)
    };
    assert_eq!(
        refused(luyi.try_open(spoken)),
        under("case.form_required", "LY-15")
    );
    let case = luyi.open("external_release", &[], MONDAY);
    let early = luyi.take(&case, "release", StepInput::default(), MONDAY);
    assert_eq!(refused(early), under("case.step_not_open", "LY-15"));
    let refused = luyi
        .take(&case, "decide", ending(Outcome::Refused), "2021-03-02")
        .unwrap();
    assert_eq!(
        refused.step_state(&step("release")),
        Some(&StepState::Skipped)
    );
    let agreed = luyi
        .take(&case, "decide", ending(Outcome::Approved), "2021-03-02")
        .unwrap();
    let released = luyi
        .take(&agreed, "release", StepInput::default(), "2021-03-03")
        .unwrap();
    assert_eq!(released.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: LY-17.p2.
#[test]
fn ly_17_p2_user_or_provider_reports_a_fault() {
    let luyi = luyi();
    let case = luyi.open("fault_report", &[], MONDAY);
    assert_eq!(
        luyi.clock(&case, "report", "2021-03-03"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 2
        }
    );
    for role in ["requester", "provider"] {
        let done = luyi
            .take_as(
                &case,
                luyi.player(role),
                "report",
                StepInput::default(),
                "2021-03-02",
            )
            .unwrap();
        assert_eq!(done.outcome(), Some(CaseOutcome::Completed), "{role}");
        let by = done.events().last().unwrap().by.clone().unwrap();
        assert_eq!(by.role, Some(RoleId::parse(role).unwrap()));
    }
    let other = luyi.take_as(
        &case,
        person("gao", "health", Role::DataOfficer),
        "report",
        StepInput::default(),
        "2021-03-02",
    );
    assert_eq!(code(other), "case.wrong_actor");

    // A provider alone, without anybody who asked for anything.
    let alone = Opening {
        parties: Parties {
            requester: None,
            ..luyi.parties()
        },
        actor: Some(luyi.player("provider")),
        ..luyi.opening("fault_report", &[], MONDAY)
    };
    let case = luyi.try_open(alone).unwrap();
    assert!(
        luyi.take_as(
            &case,
            luyi.player("provider"),
            "report",
            StepInput::default(),
            MONDAY
        )
        .is_ok()
    );
    let nobodys = luyi.take_as(
        &case,
        luyi.player("requester"),
        "report",
        StepInput::default(),
        MONDAY,
    );
    assert_eq!(
        code(nobodys),
        "case.wrong_actor",
        "who is no party has no part in it"
    );
}

fn order(serious: &str, due_on: Option<&str>) -> StepInput {
    StepInput {
        orders_due_on: due_on.map(day),
        ..stating(&[("serious", serious)])
    }
}

fn circulated(luyi: &World) -> Case {
    let case = luyi.open("rectification", &[], MONDAY);
    let circular = StepInput {
        ground: Some("sharing_not_in_time".to_owned()),
        ..StepInput::default()
    };
    luyi.take(&case, "circular", circular, MONDAY).unwrap()
}

/// Spec: LY-21.
#[test]
fn ly_21_a_circular_names_one_of_the_four_grounds() {
    let luyi = luyi();
    let case = luyi.open("rectification", &[], MONDAY);
    let circular = |ground: Option<&str>| {
        let input = StepInput {
            ground: ground.map(str::to_owned),
            ..StepInput::default()
        };
        luyi.take(&case, "circular", input, MONDAY)
    };
    assert_eq!(
        refused(circular(None)),
        under("case.ground_required", "LY-21")
    );
    assert_eq!(
        refused(circular(Some("rudeness"))),
        under("case.ground_not_allowed", "LY-21")
    );
    let grounds = &luyi.step_of(&case, "circular").grounds;
    assert_eq!(grounds.len(), 4);
    for ground in grounds {
        assert!(circular(Some(&ground.code)).is_ok());
    }
}

/// Spec: LY-21.
#[test]
fn ly_21_the_order_sets_the_last_day_and_the_unit_sees_the_countdown() {
    let luyi = luyi();
    let case = circulated(luyi);
    let without = luyi.take(&case, "order", order("false", None), "2021-03-02");
    assert_eq!(refused(without), under("case.due_date_invalid", "LY-21"));
    let backdated = luyi.take(
        &case,
        "order",
        order("false", Some("2021-03-01")),
        "2021-03-02",
    );
    assert_eq!(refused(backdated), under("case.due_date_invalid", "LY-21"));

    let case = luyi
        .take(
            &case,
            "order",
            order("false", Some("2021-03-16")),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["correct"]);
    assert_eq!(luyi.due(&case, "correct").as_deref(), Some("2021-03-16"));
    assert_eq!(
        luyi.clock(&case, "correct", "2021-03-02"),
        Clock::OnTime { left: 10 }
    );
    assert_eq!(
        luyi.clock(&case, "correct", "2021-03-17"),
        Clock::Overdue { by: 1 }
    );

    // What was ordered is kept in the event, so that a replay knows it.
    let again = Case::replay(case.head().clone(), case.events().to_vec(), &luyi.pack).unwrap();
    assert_eq!(luyi.due(&again, "correct").as_deref(), Some("2021-03-16"));
}

/// Spec: LY-21.
#[test]
fn ly_21_a_case_closes_only_with_proof_of_the_correction() {
    let luyi = luyi();
    let case = luyi
        .take(
            &circulated(luyi),
            "order",
            order("false", Some("2021-03-16")),
            "2021-03-02",
        )
        .unwrap();
    let unproven = luyi.take(&case, "correct", StepInput::default(), "2021-03-10");
    assert_eq!(refused(unproven), under("case.form_required", "LY-21"));
    let filled_in = StepInput {
        form: Some(FormGiven {
            seal_kind: None,
            file_digest: None,
            attachment: None,
        }),
        ..StepInput::default()
    };
    assert_eq!(
        code(luyi.take(&case, "correct", filled_in, "2021-03-10")),
        "case.form_required"
    );
    assert!(!case.is_ended());
    let closed = luyi
        .take(&case, "correct", document(), "2021-03-10")
        .unwrap();
    assert_eq!(closed.outcome(), Some(CaseOutcome::Completed));
    assert_eq!(
        luyi.clock(&closed, "correct", "2021-06-01"),
        Clock::Done {
            in_time: Some(true)
        }
    );
}

/// Spec: LY-21.
#[test]
fn ly_21_serious_consequences_are_referred_to_supervision() {
    let luyi = luyi();
    let case = luyi
        .take(
            &circulated(luyi),
            "order",
            order("true", Some("2021-03-16")),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["correct", "refer"]);
    let case = luyi
        .take(&case, "correct", document(), "2021-03-10")
        .unwrap();
    assert!(!case.is_ended(), "the referral is still to come");
    let case = luyi
        .take(&case, "refer", StepInput::default(), "2021-03-11")
        .unwrap();
    assert!(case.is_ended());
    let refer = luyi.step_of(&case, "refer");
    assert_eq!(refer.addressee.as_ref().unwrap().as_str(), "supervision");
}

/// Spec: LY-21.
#[test]
fn ly_21_whoever_opens_a_rectification_may_order_it() {
    let luyi = luyi();
    let case = circulated(luyi);
    let same_person = case.head().parties.filed_by.clone().unwrap();
    assert_eq!(same_person, luyi.player("authority").person);
    assert!(
        luyi.take(
            &case,
            "order",
            order("false", Some("2021-03-16")),
            "2021-03-02"
        )
        .is_ok()
    );
}
