//! The given/when/then of the template's clauses, in a city that has adopted it.

use super::world::*;
use super::*;
use crate::law::{Event, LimitWord};

fn city() -> &'static World {
    world("city-template")
}

const CONDITIONAL: &[(&str, &str)] = &[("class", "conditional"), ("mode", "table")];

/// Spec: TP-2.
#[test]
fn tp_2_nothing_begins_under_the_template_itself() {
    let template = crate::law::tests::regulation("city-template");
    let opening = city().opening("development_activity", &[], MONDAY);
    assert_eq!(
        code(Case::open(opening, &template, calendar())),
        "case.pack_not_in_force"
    );
}

/// Spec: TP-3b.
#[test]
fn tp_3b_an_own_data_centre_needs_approval() {
    let city = city();
    let given = [("project_kind", "own_data_centre")];
    let case = city.open("project_check", &given, MONDAY);
    assert_eq!(open_now(&case), ["own_data_centre"]);
    let case = city
        .take(
            &case,
            "own_data_centre",
            ending(Outcome::Refused),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Refused));
}

/// Spec: TP-5.5.
#[test]
fn tp_5_5_a_development_activity_is_approved_beforehand() {
    let city = city();
    let case = city.open("development_activity", &[], MONDAY);
    let approve = city.step_of(&case, "approve");
    assert_eq!(approve.gate.as_deref(), Some("development_activity"));
    assert_eq!(open_now(&case), ["approve"]);
    assert!(
        city.take(&case, "approve", ending(Outcome::Approved), MONDAY)
            .unwrap()
            .is_ended()
    );
}

/// Spec: TP-7a, TP-7b.
#[test]
fn tp_7a_new_systems_and_those_in_construction_are_checked_at_their_gates() {
    let city = city();
    for (kind, gate, clause) in [
        ("new_system", "project_approval", "TP-7a"),
        ("in_construction", "project_acceptance", "TP-7b"),
    ] {
        let case = city.open("project_check", &[("project_kind", kind)], MONDAY);
        assert_eq!(open_now(&case), [kind]);
        let step = city.step_of(&case, kind);
        assert_eq!(
            (step.gate.as_deref(), step.clause.as_str()),
            (Some(gate), clause)
        );
        let unfit = city
            .take(&case, kind, ending(Outcome::NotAccepted), "2021-03-02")
            .unwrap();
        assert_eq!(unfit.outcome(), Some(CaseOutcome::NotAccepted));
    }
}

/// Spec: TP-7c.
#[test]
fn tp_7c_a_case_on_a_built_system_does_not_close_without_the_governments_decision() {
    let city = city();
    let given = [("project_kind", "built_system")];
    let case = city.open("project_check", &given, MONDAY);
    let case = city
        .take(&case, "built_system", StepInput::default(), "2021-03-02")
        .unwrap();
    assert!(!case.is_ended());
    assert_eq!(open_now(&case), ["government_decision"]);
    let decision = city.step_of(&case, "government_decision");
    assert_eq!(decision.decided_by.as_ref().unwrap().as_str(), "government");
    assert!(
        city.take(
            &case,
            "government_decision",
            ending(Outcome::Approved),
            "2021-03-09"
        )
        .unwrap()
        .is_ended()
    );
}

/// Spec: TP-9c.
#[test]
fn tp_9c_two_opinions_are_not_enough_for_a_class() {
    let city = city();
    let case = city.open("classification", &[("class", "conditional")], MONDAY);
    assert_eq!(open_now(&case), ["provider_opinion", "legal_opinion"]);
    let class = || stating(&[("determined_class", "conditional")]);
    let case = city
        .take(&case, "provider_opinion", StepInput::default(), MONDAY)
        .unwrap();
    let early = city.take(&case, "conditional_or_not", class(), MONDAY);
    assert_eq!(refused(early), under("case.step_not_open", "TP-9c"));
    let case = city
        .take(&case, "legal_opinion", StepInput::default(), MONDAY)
        .unwrap();
    let case = city
        .take(&case, "conditional_or_not", class(), MONDAY)
        .unwrap();
    assert!(case.is_ended());
    assert_eq!(
        case.facts().get("determined_class"),
        Some(&"conditional".into())
    );
}

/// Spec: TP-9d.
#[test]
fn tp_9d_a_special_class_is_determined_by_the_provider_and_reviewed() {
    let city = city();
    let case = city.open("classification", &[("class", "special")], MONDAY);
    assert_eq!(open_now(&case), ["special_by_provider"]);
    let case = city
        .take(&case, "special_by_provider", StepInput::default(), MONDAY)
        .unwrap();
    assert!(!case.is_ended(), "not without the review");
    let case = city
        .take(
            &case,
            "special_review",
            ending(Outcome::NotAccepted),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::NotAccepted));
}

/// Spec: TP-12b, TP-12c.
#[test]
fn tp_12c_collection_by_another_department_is_put_on_file() {
    let city = city();
    let case = city.open("uncollected_demand", &[], MONDAY);
    let consulted = |other: &str| {
        let input = StepInput {
            outcome: Some(Outcome::NotAgreed),
            ..stating(&[("collected_by_other", other)])
        };
        city.take(&case, "consult", input, "2021-03-02").unwrap()
    };
    assert!(consulted("false").is_ended());
    let by_other = consulted("true");
    assert_eq!(open_now(&by_other), ["file"]);
    let file = city.step_of(&by_other, "file");
    assert_eq!(file.addressee.as_ref().unwrap().as_str(), "collector");
}

/// Spec: TP-13a.
#[test]
fn tp_13a_feedback_is_checked_promptly_and_data_are_updated_in_real_time() {
    let city = city();
    let case = city.open("feedback", &[], MONDAY);
    assert_eq!(
        city.clock(&case, "verify", "2021-03-04"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 3
        }
    );
    let case = city.open("data_supply_after_change", &[], MONDAY);
    assert_eq!(
        city.clock(&case, "update", MONDAY),
        Clock::Word {
            word: LimitWord::Realtime,
            age_days: 0
        }
    );
}

/// Spec: TP-15.
#[test]
fn tp_15_a_superiors_system_stays_an_open_task_until_the_data_are_back() {
    let city = city();
    let case = city.open("vertical_backflow", &[], MONDAY);
    assert_eq!(open_now(&case), ["agree"]);
    let case = city
        .take(&case, "agree", StepInput::default(), "2021-03-02")
        .unwrap();
    assert_eq!(
        city.clock(&case, "return", "2021-03-05"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 3
        }
    );
    assert!(
        city.take(&case, "return", StepInput::default(), "2021-03-05")
            .unwrap()
            .is_ended()
    );
}

/// Spec: TP-17.
#[test]
fn tp_17_unconditional_data_are_obtained_at_once() {
    let city = city();
    let given = [("class", "unconditional"), ("mode", "file")];
    let case = city.open("subscription", &given, MONDAY);
    assert_eq!(open_now(&case), ["self_service"]);
    let case = case
        .complete_by_machine(
            &step("self_service"),
            morning(MONDAY),
            &city.pack,
            calendar(),
        )
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

fn judged(met: &str) -> Case {
    let city = city();
    let case = city.open("subscription", CONDITIONAL, MONDAY);
    assert_eq!(open_now(&case), ["judge_conditions"]);
    city.take(
        &case,
        "judge_conditions",
        stating(&[("conditions_met", met)]),
        "2021-03-02",
    )
    .unwrap()
}

/// Spec: TP-18.
#[test]
fn tp_18_where_the_conditions_are_met_the_authority_approves_and_tells_the_provider() {
    let city = city();
    let case = judged("true");
    assert_eq!(open_now(&case), ["approve"]);
    assert_eq!(
        city.clock(&case, "approve", "2021-12-31"),
        Clock::NoLimit,
        "no limit anywhere"
    );
    assert_eq!(
        city.step_of(&case, "approve").notify[0].as_str(),
        "provider"
    );
    let by_provider = city.take_as(
        &case,
        city.player("provider"),
        "approve",
        ending(Outcome::Approved),
        "2021-03-02",
    );
    assert_eq!(code(by_provider), "case.wrong_actor");
    let case = city
        .take(&case, "approve", ending(Outcome::Approved), "2021-03-02")
        .unwrap();
    assert_eq!(open_now(&case), ["deliver"]);
}

/// Spec: TP-18.
#[test]
fn tp_18_a_refusal_after_consultation_does_not_close_without_the_providers_reason() {
    let city = city();
    let case = judged("false");
    assert_eq!(open_now(&case), ["consult"]);
    let case = city
        .take(&case, "consult", ending(Outcome::NotAgreed), "2021-03-03")
        .unwrap();
    assert_eq!(open_now(&case), ["refuse"]);
    let silent = city.take(&case, "refuse", StepInput::default(), "2021-03-04");
    assert_eq!(refused(silent), under("case.reason_required", "TP-18"));
    assert!(!case.is_ended());
    let explained = because(Outcome::Refused, "依法不得用于该用途");
    let case = city.take(&case, "refuse", explained, "2021-03-04").unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Refused));
}

/// Spec: TP-18.
#[test]
fn tp_18_an_agreement_in_the_consultation_leads_to_the_data() {
    let city = city();
    let case = city
        .take(
            &judged("false"),
            "consult",
            ending(Outcome::Agreed),
            "2021-03-03",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["approve_after_consultation"]);
    let case = city
        .take(
            &case,
            "approve_after_consultation",
            StepInput::default(),
            "2021-03-03",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["deliver"]);
    let case = city
        .take(&case, "deliver", StepInput::default(), "2021-03-03")
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: TP-8b, TP-19.
#[test]
fn tp_19_special_data_go_to_the_named_recipients_only() {
    let city = city();
    let given = |named: &'static str| {
        [
            ("class", "special"),
            ("mode", "table"),
            ("designated_recipient", named),
        ]
    };
    let stranger = city.try_open(city.opening("subscription", &given("false"), MONDAY));
    assert_eq!(refused(stranger), under("case.not_offered", "TP-19"));
    let case = city.open("subscription", &given("true"), MONDAY);
    assert_eq!(open_now(&case), ["approve_special"]);
    let case = city
        .take(
            &case,
            "approve_special",
            ending(Outcome::Approved),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["deliver"]);
}

fn reported() -> Case {
    let city = city();
    let case = city.open("correction_by_department", &[], MONDAY);
    let spoken = city.take(&case, "report", StepInput::default(), "2021-03-02");
    assert_eq!(refused(spoken), under("case.form_required", "TP-21a"));
    city.take(&case, "report", document(), "2021-03-02")
        .unwrap()
}

/// Spec: TP-21a.
#[test]
fn tp_21a_the_authority_checks_within_five_working_days() {
    let city = city();
    let case = reported();
    assert_eq!(city.due(&case, "check").as_deref(), Some("2021-03-09"));
    assert_eq!(
        city.clock(&case, "check", "2021-03-10"),
        Clock::Overdue { by: 1 }
    );
    let technical = city
        .take(
            &case,
            "check",
            stating(&[("technical_cause", "true")]),
            "2021-03-04",
        )
        .unwrap();
    assert_eq!(technical.outcome(), Some(CaseOutcome::Completed));
    let unsaid = city.take(&case, "check", StepInput::default(), "2021-03-04");
    assert_eq!(code(unsaid), "case.fact_missing");
}

/// Spec: TP-21b.
#[test]
fn tp_21b_a_cause_that_is_not_technical_gives_the_provider_three_working_days() {
    let city = city();
    let case = city
        .take(
            &reported(),
            "check",
            stating(&[("technical_cause", "false")]),
            "2021-03-04",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["urge"]);
    let case = city
        .take(&case, "urge", StepInput::default(), "2021-03-05")
        .unwrap();
    let view = city.view(&case, "provider_check", "2021-03-05");
    assert_eq!(view.due_on, Some(day("2021-03-10")));
    assert!(view.from_is_reading, "the start isn't stated");
    let told: Vec<&str> = city
        .step_of(&case, "provider_check")
        .notify
        .iter()
        .map(RoleId::as_str)
        .collect();
    assert_eq!(told, ["collector", "requester"]);
    let case = city
        .take(&case, "provider_check", StepInput::default(), "2021-03-10")
        .unwrap();
    assert!(case.is_ended());
}

/// Spec: TP-24.
#[test]
fn tp_24_nothing_is_published_without_the_providers_consent() {
    let city = city();
    let case = city.open("external_release", &[], MONDAY);
    assert_eq!(open_now(&case), ["consent"]);
    let consent = city.step_of(&case, "consent");
    assert_eq!(
        consent.exceptions[0].code,
        "within_government_information_disclosure"
    );
    let case = city
        .take(&case, "consent", ending(Outcome::Refused), "2021-03-02")
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Refused));
}

/// Spec: TP-25a.
#[test]
fn tp_25a_there_is_no_access_before_persons_are_named_and_an_agreement_signed() {
    let city = city();
    let case = city.open("sensitive_access", &[], MONDAY);
    assert_eq!(open_now(&case), ["agreement"]);
    assert_eq!(
        city.step_of(&case, "agreement").gate.as_deref(),
        Some("access")
    );
    assert!(!case.is_ended());
}

/// Spec: TP-25b.
#[test]
fn tp_25b_an_opening_is_approved_assessed_inspected_and_corrected() {
    let city = city();
    let case = city.open("third_party_opening", &[], MONDAY);
    let refused_one = city
        .take(&case, "approve", ending(Outcome::Refused), "2021-03-02")
        .unwrap();
    assert_eq!(refused_one.outcome(), Some(CaseOutcome::Refused));
    let case = city
        .take(&case, "approve", ending(Outcome::Approved), "2021-03-02")
        .unwrap();
    assert_eq!(open_now(&case), ["assess"]);
    assert_eq!(
        city.step_of(&case, "assess").gate.as_deref(),
        Some("before_opening")
    );
    let case = city
        .take(&case, "assess", StepInput::default(), "2021-03-05")
        .unwrap();
    assert_eq!(open_now(&case), ["inspect", "close"]);
    let case = city
        .note(&case, Event::IncidentFound, "2021-04-01")
        .unwrap();
    assert_eq!(
        city.clock(&case, "correct", "2021-04-01"),
        Clock::Word {
            word: LimitWord::Immediately,
            age_days: 0
        }
    );
    let case = city
        .take(&case, "correct", StepInput::default(), "2021-04-01")
        .unwrap();
    let case = city
        .take(&case, "inspect", StepInput::default(), "2021-04-06")
        .unwrap();
    assert!(open_now(&case).contains(&"inspect"), "it comes round again");
    assert!(
        city.take(&case, "close", StepInput::default(), "2021-09-01")
            .unwrap()
            .is_ended()
    );
}

/// Spec: TP-26a.
#[test]
fn tp_26a_the_reply_holds_the_basis_of_the_restriction() {
    let city = city();
    let case = city.open(
        "open_data_application",
        &[("open_class", "not_open")],
        MONDAY,
    );
    let silent = city.take(&case, "reply", StepInput::default(), "2021-03-02");
    assert_eq!(refused(silent), under("case.reason_required", "TP-26a"));
    assert!(
        city.take(
            &case,
            "reply",
            because(Outcome::Done, "依据某法第三条"),
            "2021-03-02"
        )
        .unwrap()
        .is_ended()
    );
    let open = city.open(
        "open_data_application",
        &[("open_class", "open_unconditional")],
        MONDAY,
    );
    assert!(open.is_ended(), "what is open needs no reply");
}
