//! The given/when/then of Yanjin's clauses.

use super::world::*;
use super::*;
use crate::law::LimitWord;

fn yanjin() -> &'static World {
    world("yanjin-2019")
}

const CONDITIONAL: &[(&str, &str)] = &[("class", "conditional"), ("mode", "table")];

/// Spec: YJ-2.3.
#[test]
fn yj_2_3_the_operator_never_decides() {
    let yanjin = yanjin();
    let case = yanjin.open("subscription", CONDITIONAL, MONDAY);
    let operator = yanjin.player("platform");
    let decided = yanjin.take_as(
        &case,
        operator,
        "decide",
        ending(Outcome::Approved),
        "2021-03-02",
    );
    assert_eq!(refused(decided), under("case.wrong_actor", "YJ-3.2.2"));
}

/// Spec: YJ-3.1.1c.
#[test]
fn yj_3_1_1c_the_provider_reviews_an_unconditional_interface_with_controlled_parameters() {
    let yanjin = yanjin();
    let flagged = [
        ("class", "unconditional"),
        ("mode", "interface"),
        ("param_control", "true"),
    ];
    let case = yanjin.open("subscription", &flagged, MONDAY);
    assert_eq!(open_now(&case), ["review_param_control"]);
    assert_eq!(
        yanjin.clock(&case, "review_param_control", "2021-06-01"),
        Clock::NoLimit,
        "no limit is stated"
    );
    let case = yanjin
        .take(
            &case,
            "review_param_control",
            ending(Outcome::Approved),
            "2021-03-02",
        )
        .unwrap();
    assert_eq!(open_now(&case), ["deliver"]);
    // A table has no parameters to control.
    let table = [
        ("class", "unconditional"),
        ("mode", "table"),
        ("param_control", "true"),
    ];
    assert_eq!(
        open_now(&yanjin.open("subscription", &table, MONDAY)),
        ["self_service"]
    );
}

/// Spec: YJ-3.1.1d.
#[test]
fn yj_3_1_1d_a_change_is_pushed_in_real_time() {
    let yanjin = yanjin();
    let case = yanjin.open("data_supply_after_change", &[], MONDAY);
    assert_eq!(yanjin.due(&case, "push"), None, "a word is never a date");
    assert_eq!(
        yanjin.clock(&case, "push", "2021-04-01"),
        Clock::Word {
            word: LimitWord::Realtime,
            age_days: 31
        }
    );
}

/// Spec: YJ-3.1.2b.
#[test]
fn yj_3_1_2b_the_catalogue_is_live_at_once_and_put_on_file_without_approval() {
    let yanjin = yanjin();
    let case = yanjin.open("catalogue_change", &[], MONDAY);
    let case = yanjin
        .take(&case, "update", StepInput::default(), MONDAY)
        .unwrap();
    assert_eq!(open_now(&case), ["file"]);
    let file = yanjin.step_of(&case, "file");
    assert_eq!(file.addressee.as_ref().unwrap().as_str(), "authority");
    let case = yanjin
        .take(&case, "file", StepInput::default(), MONDAY)
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: YJ-3.1.3a.
#[test]
fn yj_3_1_3a_what_is_not_shared_cannot_be_asked_for() {
    let yanjin = yanjin();
    let given = [("class", "not_shared"), ("mode", "file")];
    let asked = yanjin.try_open(yanjin.opening("subscription", &given, MONDAY));
    assert_eq!(refused(asked), under("case.not_offered", "YJ-3.1.3a"));
}

/// Spec: YJ-3.2.2.
#[test]
fn yj_3_2_2_unconditional_data_are_obtained_directly() {
    let yanjin = yanjin();
    let given = [("class", "unconditional"), ("mode", "interface")];
    let case = yanjin.open("subscription", &given, MONDAY);
    assert_eq!(open_now(&case), ["self_service"]);
    let case = yanjin
        .take(&case, "self_service", StepInput::default(), MONDAY)
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: YJ-3.2.2.
#[test]
fn yj_3_2_2_the_provider_has_five_working_days_and_authorises_in_the_same_moment() {
    let yanjin = yanjin();
    let case = yanjin.open("subscription", CONDITIONAL, MONDAY);
    assert_eq!(yanjin.due(&case, "decide").as_deref(), Some("2021-03-08"));
    assert_eq!(
        yanjin.clock(&case, "decide", "2021-03-09"),
        Clock::Overdue { by: 1 }
    );
    let silent = yanjin.take(&case, "decide", ending(Outcome::Refused), "2021-03-02");
    assert_eq!(refused(silent), under("case.reason_required", "YJ-3.2.2"));
    let case = yanjin
        .take(&case, "decide", ending(Outcome::Approved), "2021-03-02")
        .unwrap();
    let [.., decided, authorised] = case.events() else {
        panic!()
    };
    assert_eq!(authorised.step, Some(step("authorise")));
    assert_eq!(decided.at, authorised.at);
    assert_eq!(
        yanjin.clock(&case, "deliver", "2021-09-01"),
        Clock::NoLimit,
        "no limit for the delivery"
    );
}

/// Spec: YJ-3.2.3a, YJ-3.2.3b.
#[test]
fn yj_3_2_3b_business_goes_on_as_usual_while_a_doubt_is_checked() {
    let yanjin = yanjin();
    let case = yanjin.open("correction_by_department", &[], MONDAY);
    assert_eq!(
        yanjin.clock(&case, "report", "2021-03-04"),
        Clock::Word {
            word: LimitWord::Promptly,
            age_days: 3
        }
    );
    let report = yanjin.step_of(&case, "report");
    assert_eq!(report.addressee.as_ref().unwrap().as_str(), "provider");
    assert_eq!(report.notify[0].as_str(), "authority");
    let case = yanjin
        .take(&case, "report", StepInput::default(), "2021-03-02")
        .unwrap();
    assert_eq!(open_now(&case), ["check", "keep_serving"]);
    let by_hand = yanjin.take(&case, "keep_serving", StepInput::default(), "2021-03-02");
    assert_eq!(code(by_hand), "case.not_by_hand");
    assert_eq!(
        yanjin.clock(&case, "check", "2021-06-01"),
        Clock::NoLimit,
        "no limit for the check"
    );
    let case = yanjin
        .take(&case, "check", StepInput::default(), "2021-03-05")
        .unwrap();
    assert!(case.is_ended(), "the duty ends with the check");
}

/// Spec: YJ-3.2.4.
#[test]
fn yj_3_2_4_without_agreement_the_county_government_is_asked() {
    let yanjin = yanjin();
    let case = yanjin.open("dispute", &[], MONDAY);
    let agreed = yanjin
        .take(&case, "convene", ending(Outcome::Agreed), "2021-03-02")
        .unwrap();
    assert_eq!(agreed.outcome(), Some(CaseOutcome::Completed));
    let case = yanjin
        .take(&case, "convene", ending(Outcome::NotAgreed), "2021-03-02")
        .unwrap();
    assert_eq!(open_now(&case), ["escalate"]);
    let escalate = yanjin.step_of(&case, "escalate");
    assert_eq!(escalate.addressee.as_ref().unwrap().as_str(), "government");
}

/// Spec: YJ-4.2.2.
#[test]
fn yj_4_2_2_a_project_that_does_not_share_is_not_approved_and_not_funded() {
    let yanjin = yanjin();
    let case = yanjin.open("project_check", &[], MONDAY);
    let gate = yanjin.step_of(&case, "gate");
    assert_eq!(gate.gate.as_deref(), Some("project_approval_and_funds"));
    assert!(gate.role_is_reading, "who checks isn't said");
    let case = yanjin
        .take(&case, "gate", ending(Outcome::NotAccepted), "2021-03-02")
        .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::NotAccepted));
}

/// Spec: YJ-4.2.3.
#[test]
fn yj_4_2_3_the_report_is_in_time_until_5_january() {
    let yanjin = yanjin();
    let report = &yanjin.pack.periodic[0];
    let last = |start: &str| report.due.last_day(day(start), calendar()).unwrap();
    assert_eq!(last("2021-01-05"), Some(day("2021-01-05")));
    assert_eq!(last("2021-01-06"), Some(day("2022-01-05")));
    assert!(report.due_is_reading);
}
