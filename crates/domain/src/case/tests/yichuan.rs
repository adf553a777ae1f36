//! The given/when/then of Yichuan's clauses.

use super::world::*;
use super::*;
use crate::law::{Event, FollowUp, LimitWord};

fn yichuan() -> &'static World {
    world("yichuan-2020")
}

const CONDITIONAL: &[(&str, &str)] = &[("class", "conditional"), ("mode", "table")];

fn form() -> StepInput {
    sealed("department_seal")
}

/// Spec: YC-12.1, YC-12.2, YC-12.3, YC-13.1, YC-26.
#[test]
fn yc_12_3_lists_are_submitted_reviewed_decomposed_and_published() {
    let yichuan = yichuan();
    let case = yichuan.open("catalogue_compile", &[], MONDAY);
    assert_eq!(
        open_now(&case),
        ["demand", "submit"],
        "YC-12.2: a demand list may go with it"
    );
    let case = yichuan
        .take(&case, "demand", StepInput::default(), MONDAY)
        .unwrap();
    let case = yichuan
        .take(&case, "submit", StepInput::default(), MONDAY)
        .unwrap();
    let returned = yichuan
        .take(&case, "review", ending(Outcome::NotAccepted), "2021-03-02")
        .unwrap();
    assert_eq!(returned.outcome(), Some(CaseOutcome::NotAccepted));
    let mut case = yichuan
        .take(&case, "review", ending(Outcome::Accepted), "2021-03-02")
        .unwrap();
    for id in ["decompose", "publish"] {
        assert_eq!(open_now(&case), [id]);
        case = yichuan
            .take(&case, id, StepInput::default(), "2021-03-03")
            .unwrap();
    }
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: YC-14.1, YC-41.8.
#[test]
fn yc_14_1_an_update_is_applied_for_within_ten_working_days() {
    let yichuan = yichuan();
    let case = yichuan.open("catalogue_change", &[], MONDAY);
    assert_eq!(yichuan.due(&case, "apply").as_deref(), Some("2021-03-15"));
    assert_eq!(
        yichuan.clock(&case, "apply", "2021-03-16"),
        Clock::Overdue { by: 1 }
    );
    let overdue = yichuan.step_of(&case, "apply").on_overdue.as_ref().unwrap();
    assert_eq!(overdue.clause.as_str(), "YC-41.8");
    assert_eq!(
        overdue.follow_up,
        FollowUp::Finding("late_catalogue_check_or_opening".to_owned())
    );
}

/// Spec: YC-14.2.
#[test]
fn yc_14_2_the_authority_updates_within_five_working_days() {
    let yichuan = yichuan();
    let case = yichuan.open("catalogue_change", &[], MONDAY);
    let case = yichuan
        .take(&case, "apply", StepInput::default(), "2021-03-04")
        .unwrap();
    assert_eq!(yichuan.due(&case, "update").as_deref(), Some("2021-03-11"));
    let case = yichuan
        .take(&case, "update", StepInput::default(), "2021-03-11")
        .unwrap();
    assert_eq!(
        yichuan.clock(&case, "update", "2021-03-11"),
        Clock::Done {
            in_time: Some(true)
        }
    );
}

/// Spec: YC-18.
#[test]
fn yc_18_pools_are_updated_promptly() {
    let yichuan = yichuan();
    let case = yichuan.open("data_supply_after_change", &[], MONDAY);
    assert_eq!(
        yichuan.clock(&case, "update", "2021-03-03"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 2
        }
    );
}

fn extension(days: u32, consent: Option<Actor>) -> StepInput {
    StepInput {
        extra_working_days: Some(days),
        consent: consent.map(Box::new),
        ..StepInput::default()
    }
}

/// Spec: YC-19.2, YC-41.8.
#[test]
fn yc_19_2_a_citizens_request_is_checked_within_ten_working_days() {
    let yichuan = yichuan();
    let case = yichuan.open("correction_by_citizen", &[], MONDAY);
    assert_eq!(yichuan.due(&case, "check").as_deref(), Some("2021-03-15"));
    let overdue = yichuan.step_of(&case, "check").on_overdue.as_ref().unwrap();
    assert_eq!(overdue.clause.as_str(), "YC-41.8");
}

/// Spec: YC-19.2.
#[test]
fn yc_19_2_extension_needs_the_heads_consent() {
    let yichuan = yichuan();
    let case = yichuan.open("correction_by_citizen", &[], MONDAY);
    let ninth = "2021-03-12";
    for consent in [
        None,
        Some(yichuan.player("provider")),
        Some(person("ma", "health", Role::Head)),
    ] {
        let alone = yichuan.take(&case, "extend", extension(10, consent), ninth);
        assert_eq!(refused(alone), under("case.consent_required", "YC-19.2"));
    }
    let head = yichuan.player("provider_head");
    let case = yichuan
        .take(&case, "extend", extension(10, Some(head.clone())), ninth)
        .unwrap();
    assert_eq!(yichuan.due(&case, "check").as_deref(), Some("2021-03-29"));
    let consent = case.events().last().unwrap().consent.clone().unwrap();
    assert_eq!(consent.person, head.person);
    assert_eq!(consent.role, Some(RoleId::parse("provider_head").unwrap()));
}

/// Spec: YC-19.2.
#[test]
fn yc_19_2_one_extension_of_at_most_ten_working_days() {
    let yichuan = yichuan();
    let case = yichuan.open("correction_by_citizen", &[], MONDAY);
    let head = || Some(yichuan.player("provider_head"));
    for days in [0, 11] {
        let odd = yichuan.take(&case, "extend", extension(days, head()), MONDAY);
        assert_eq!(refused(odd), under("case.extension_invalid", "YC-19.2"));
    }
    let case = yichuan
        .take(&case, "extend", extension(4, head()), MONDAY)
        .unwrap();
    assert_eq!(yichuan.due(&case, "check").as_deref(), Some("2021-03-19"));
    let twice = yichuan.take(&case, "extend", extension(6, head()), MONDAY);
    assert_eq!(refused(twice), under("case.already_decided", "YC-19.2"));
}

/// Spec: YC-19.3.
#[test]
fn yc_19_3_the_duty_to_keep_serving_stands_while_the_check_is_open() {
    let yichuan = yichuan();
    let case = yichuan.open("correction_by_citizen", &[], MONDAY);
    assert!(open_now(&case).contains(&"keep_serving"));
    let by_hand = yichuan.take(&case, "keep_serving", StepInput::default(), MONDAY);
    assert_eq!(code(by_hand), "case.not_by_hand");
    let case = yichuan
        .take(&case, "check", StepInput::default(), "2021-03-02")
        .unwrap();
    assert!(case.is_ended());
    assert!(open_now(&case).is_empty());
}

/// Spec: YC-24.
#[test]
fn yc_24_what_is_not_shared_cannot_be_asked_for() {
    let yichuan = yichuan();
    let given = [("class", "not_shared"), ("mode", "table")];
    let asked = yichuan.try_open(yichuan.opening("subscription", &given, MONDAY));
    assert_eq!(refused(asked), under("case.not_offered", "YC-24"));
    // Doubts about it may be raised all the same.
    let dispute = yichuan.try_open(yichuan.opening("dispute", &given, MONDAY));
    assert!(dispute.is_ok());
}

/// Spec: YC-27.
#[test]
fn yc_27_the_authority_coordinates_with_the_provider_and_nothing_is_escalated() {
    let yichuan = yichuan();
    let case = yichuan.open("dispute", &[], MONDAY);
    assert_eq!(open_now(&case), ["coordinate"]);
    assert_eq!(
        yichuan.step_of(&case, "coordinate").with[0].as_str(),
        "provider"
    );
    for outcome in [Outcome::Agreed, Outcome::NotAgreed] {
        let over = yichuan
            .take(&case, "coordinate", ending(outcome), "2021-03-02")
            .unwrap();
        assert_eq!(over.outcome(), Some(CaseOutcome::Completed));
    }
}

/// Spec: YC-29.1.
#[test]
fn yc_29_1_unconditional_data_are_shared_within_three_working_days() {
    let yichuan = yichuan();
    let given = [("class", "unconditional"), ("mode", "interface")];
    let case = yichuan.open("subscription", &given, MONDAY);
    assert_eq!(open_now(&case), ["review_and_deliver"]);
    assert_eq!(
        yichuan.due(&case, "review_and_deliver").as_deref(),
        Some("2021-03-04")
    );
    assert_eq!(
        yichuan.clock(&case, "review_and_deliver", "2021-03-05"),
        Clock::Overdue { by: 1 }
    );
}

/// Spec: YC-29.2.
#[test]
fn yc_29_2_the_form_needs_the_departments_seal() {
    let yichuan = yichuan();
    let case = yichuan.open("subscription", CONDITIONAL, MONDAY);
    assert_eq!(open_now(&case), ["form"]);
    assert_eq!(yichuan.due(&case, "decide"), None);
    for input in [StepInput::default(), document(), sealed("scan_of_form")] {
        let unsealed = yichuan.take(&case, "form", input, MONDAY);
        assert_eq!(refused(unsealed), under("case.form_required", "YC-29.2"));
    }
    let case = yichuan.take(&case, "form", form(), "2021-03-02").unwrap();
    assert_eq!(
        yichuan.due(&case, "decide").as_deref(),
        Some("2021-03-09"),
        "the provider's days run from the form"
    );
}

/// Spec: YC-29.2.
#[test]
fn yc_29_2_refusal_needs_a_reason_and_consent_starts_the_delivery() {
    let yichuan = yichuan();
    let case = yichuan.open("subscription", CONDITIONAL, MONDAY);
    let case = yichuan.take(&case, "form", form(), MONDAY).unwrap();
    let silent = yichuan.take(&case, "decide", ending(Outcome::Refused), "2021-03-02");
    assert_eq!(refused(silent), under("case.reason_required", "YC-29.2"));
    let refused = yichuan
        .take(
            &case,
            "decide",
            because(Outcome::Refused, "与职责无关"),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(refused.outcome(), Some(CaseOutcome::Refused));
    let case = yichuan
        .take(&case, "decide", ending(Outcome::Approved), "2021-03-05")
        .unwrap();
    assert_eq!(
        yichuan.due(&case, "deliver").as_deref(),
        Some("2021-03-10"),
        "approved on Friday, due on Wednesday"
    );
}

fn grant(yichuan: &World) -> Case {
    let opening = Opening {
        actor: None,
        ..yichuan.opening("grant_lifecycle", &[], MONDAY)
    };
    yichuan.try_open(opening).unwrap()
}

/// Spec: YC-29.p2.
#[test]
fn yc_29_p2_a_suspension_names_one_of_the_grounds() {
    let yichuan = yichuan();
    let case = grant(yichuan);
    let silent = yichuan.take(
        &case,
        "suspend_or_end",
        ending(Outcome::Suspended),
        "2021-03-02",
    );
    assert_eq!(refused(silent), under("case.ground_required", "YC-29.p2"));
    let ground = |outcome| StepInput {
        ground: Some("security_risk".to_owned()),
        ..ending(outcome)
    };
    let case = yichuan
        .take(
            &case,
            "suspend_or_end",
            ground(Outcome::Suspended),
            "2021-03-02",
        )
        .unwrap();
    assert!(!case.is_ended(), "suspended is not ended");
    let case = yichuan
        .take(
            &case,
            "suspend_or_end",
            ground(Outcome::Ended),
            "2021-03-03",
        )
        .unwrap();
    assert!(case.is_ended());
}

/// Spec: YC-29.p2.
#[test]
fn yc_29_p2_a_suspension_is_lifted_while_there_is_one_and_no_longer() {
    let yichuan = yichuan();
    let mut case = grant(yichuan);
    let resume = |case: &Case| yichuan.take(case, "resume", ending(Outcome::Resumed), "2021-03-03");
    assert_eq!(code(resume(&case)), "case.step_not_open");
    for _ in 0..2 {
        let suspended = StepInput {
            ground: Some("violation".to_owned()),
            ..ending(Outcome::Suspended)
        };
        let stopped = yichuan.take(&case, "suspend_or_end", suspended, "2021-03-03");
        case = resume(&stopped.unwrap()).unwrap();
        assert!(!case.is_ended());
        assert_eq!(code(resume(&case)), "case.step_not_open");
        let again = Case::replay(case.head().clone(), case.events().to_vec(), &yichuan.pack);
        assert_eq!(again.unwrap(), case);
    }
}

/// Spec: YC-29.p3.
#[test]
fn yc_29_p3_reclaim_only_after_more_than_three_months_without_use() {
    let yichuan = yichuan();
    let case = grant(yichuan);
    let reclaim =
        |case: &Case, on: &str| yichuan.take(case, "reclaim_unused", StepInput::default(), on);
    assert_eq!(
        refused(reclaim(&case, "2021-06-01")),
        under("case.too_early", "YC-29.p3")
    );
    assert!(reclaim(&case, "2021-06-02").unwrap().is_ended());
    let used = yichuan.note(&case, Event::LastUsed, "2021-05-20").unwrap();
    assert_eq!(code(reclaim(&used, "2021-08-20")), "case.too_early");
    assert!(reclaim(&used, "2021-08-21").is_ok());
    assert!(
        !used.is_ended(),
        "nothing is taken back by the passing of time"
    );
}

/// Spec: YC-29.p3.
#[test]
fn yc_29_p3_after_the_term_the_requester_applies_again() {
    let yichuan = yichuan();
    let case = grant(yichuan);
    let early = yichuan.take(&case, "renew", StepInput::default(), "2021-03-02");
    assert_eq!(refused(early), under("case.step_not_open", "YC-29.p3"));
    let case = yichuan
        .note(&case, Event::GrantExpired, "2021-09-01")
        .unwrap();
    assert!(
        yichuan
            .take(&case, "renew", StepInput::default(), "2021-09-02")
            .unwrap()
            .is_ended()
    );
}

/// Spec: YC-36.
#[test]
fn yc_36_an_incident_is_answered_immediately_by_authority_or_provider() {
    let yichuan = yichuan();
    let case = yichuan.open("security_incident", &[], MONDAY);
    assert_eq!(open_now(&case), ["respond", "report"]);
    assert_eq!(
        yichuan.clock(&case, "respond", MONDAY),
        Clock::Word {
            word: LimitWord::Immediately,
            age_days: 0
        }
    );
    let case = yichuan
        .take_as(
            &case,
            yichuan.player("provider"),
            "respond",
            StepInput::default(),
            MONDAY,
        )
        .unwrap();
    let case = yichuan
        .take(&case, "report", StepInput::default(), MONDAY)
        .unwrap();
    assert!(case.is_ended());
}

/// Spec: YC-39.
#[test]
fn yc_39_the_report_is_late_on_1_february() {
    let yichuan = yichuan();
    let report = yichuan
        .pack
        .periodic
        .iter()
        .find(|duty| duty.id == "annual_report")
        .unwrap();
    let last = |start: &str| report.due.last_day(day(start), calendar()).unwrap();
    assert_eq!(last("2021-01-31"), Some(day("2021-01-31")));
    assert_eq!(last("2021-02-01"), Some(day("2022-01-31")));
}

/// Spec: YC-40.
#[test]
fn yc_40_a_project_has_its_list_before_approval_and_completed_at_acceptance() {
    let yichuan = yichuan();
    let case = yichuan.open("project_check", &[], MONDAY);
    assert_eq!(open_now(&case), ["acceptance"]);
    let gate = |id: &str| yichuan.step_of(&case, id).gate.clone().unwrap();
    assert_eq!(gate("pre_catalogue"), "project_approval");
    assert_eq!(gate("acceptance"), "project_acceptance");
}

/// Spec: YC-46.
#[test]
fn yc_46_new_cases_are_refused_after_two_years_and_old_ones_run_on() {
    let yichuan = yichuan();
    let on = |date: &str| yichuan.try_open(yichuan.opening("dispute", &[], date));
    assert!(on("2022-10-12").is_ok());
    assert_eq!(
        refused(on("2022-10-13")),
        under("case.pack_not_in_force", "YC-46")
    );
    let old = on("2022-10-12").unwrap();
    assert!(
        yichuan
            .take(&old, "coordinate", ending(Outcome::Agreed), "2023-01-10")
            .is_ok()
    );
}
