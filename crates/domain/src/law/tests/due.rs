//! Due dates without a case, against dates counted by hand.

use super::super::due::{fact_value, reckon};
use super::*;
use crate::calendar::Calendar;

fn pingdingshan() -> Pack {
    Pack::load(PINGDINGSHAN_2020, "pingdingshan-2020.toml")
        .unwrap_or_else(|faults| panic!("{faults}"))
}

fn invented() -> Pack {
    Pack::load(INVENTED, "invented.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

fn given(facts: &[&str], events: &[&str]) -> (Facts, EventTimes) {
    let facts = facts
        .iter()
        .filter_map(|text| text.split_once('='))
        .map(|(name, value)| (name.to_owned(), fact_value(value)))
        .collect();
    let events = events
        .iter()
        .filter_map(|text| text.split_once('='))
        .map(|(name, at)| (name.to_owned(), at.parse().unwrap()))
        .collect();
    (facts, events)
}

fn due(
    pack: &Pack,
    process: &str,
    facts: &[&str],
    events: &[&str],
) -> Result<Vec<StepDue>, DueError> {
    let (facts, events) = given(facts, events);
    reckon(pack, process, &facts, &events, &Calendar::statutory())
}

/// One line a step: id, role, date or what it waits for, working days, clause.
fn check(pack: &Pack, process: &str, facts: &[&str], events: &[&str], expected: &[&str]) {
    let steps = due(pack, process, facts, events).unwrap_or_else(|error| panic!("{error}"));
    let lines: Vec<String> = steps
        .iter()
        .map(|step| {
            let when = match (step.due_on, step.waits_for, step.word) {
                (Some(date), _, _) => date.to_string(),
                (None, Some(event), _) => format!("after {event}"),
                (None, None, Some(word)) => word.to_string(),
                (None, None, None) => "-".to_owned(),
            };
            let days = step
                .working_days
                .map_or("-".to_owned(), |days| days.to_string());
            format!("{} {} {when} {days} {}", step.id, step.actor, step.clause)
        })
        .collect();
    assert_eq!(lines, expected);
}

/// Spec: PDS-10.1, PDS-10.2b, PDS-10.2c.
#[test]
fn only_what_has_begun_has_a_date() {
    // Friday before the National Day of 2025, which with the Mid-Autumn Festival is off from 1 to 8
    // October; Sunday 28 September and Saturday 11 October are worked.
    check(
        &pingdingshan(),
        "table_file_subscription_city",
        &["class=conditional"],
        &["application_submitted=2025-09-26T09:00:00+08:00"],
        &[
            "apply requester - - PDS-10.1",
            "notify_provider requester same_time - PDS-10.1",
            "decide provider 2025-10-10 5 PDS-10.2b",
            "authorise provider same_time - PDS-10.2b",
            "deliver_conditional platform after authorisation_received 3 PDS-10.2c",
        ],
    );
}

/// Spec: PDS-10.2c.
#[test]
fn what_comes_about_in_the_same_moment_need_not_be_given() {
    let begun = "application_received=2026-03-02T09:00:00+08:00";
    let steps = due(
        &pingdingshan(),
        "table_file_subscription_city",
        &["class=conditional", "approved=true"],
        &[begun, "decided=2026-03-05T18:00:00+08:00"],
    )
    .unwrap();
    let deliver = steps.last().unwrap();
    assert_eq!(deliver.id, "deliver_conditional");
    assert_eq!(deliver.due_on, Some(day("2026-03-10")));
    assert_eq!(deliver.counted_from, Some(Event::AuthorisationReceived));
    // Without a word on the decision the platform has no authorisation yet.
    let steps = due(
        &pingdingshan(),
        "table_file_subscription_city",
        &["class=conditional"],
        &[begun, "decided=2026-03-05T18:00:00+08:00"],
    )
    .unwrap();
    assert_eq!(steps.last().unwrap().due_on, None);
    // A refused request is delivered to nobody.
    check(
        &pingdingshan(),
        "table_file_subscription_city",
        &["class=conditional", "approved=false"],
        &[begun],
        &[
            "apply requester - - PDS-10.1",
            "notify_provider requester same_time - PDS-10.1",
            "decide provider 2026-03-09 5 PDS-10.2b",
        ],
    );
}

/// Spec: PDS-14.1, PDS-14.2, PDS-15.1, PDS-15.2.
#[test]
fn an_outcome_follows_from_its_event() {
    check(
        &pingdingshan(),
        "interface_application_city",
        &["class=conditional"],
        &[
            "application_received=2026-03-02T09:00:00+08:00",
            "application_accepted=2026-03-03T10:00:00+08:00",
            "authorisation_received=2026-03-06T10:00:00+08:00",
        ],
        &[
            "apply requester - - PDS-12",
            "compliance_check platform 2026-03-05 3 PDS-14.1",
            "forward platform - - PDS-14.2",
            "decide provider 2026-03-10 5 PDS-15.1",
            "answer platform 2026-03-09 1 PDS-15.2",
        ],
    );
    check(
        &pingdingshan(),
        "interface_application_city",
        &["direct_authorisation=true"],
        &["application_accepted=2026-03-03T10:00:00+08:00"],
        &[
            "apply requester - - PDS-12",
            "compliance_check platform after application_received 3 PDS-14.1",
            "authorise_directly platform 2026-03-06 3 PDS-16",
        ],
    );
}

/// Spec: PDS-17.
#[test]
fn an_instant_counts_by_its_date_in_china() {
    let at = |instant: &str| {
        let events = [format!("application_submitted={instant}")];
        let steps = due(
            &pingdingshan(),
            "table_file_subscription_city",
            &["class=unconditional"],
            &[&events[0]],
        )
        .unwrap();
        steps.last().unwrap().due_on
    };
    assert_eq!(at("2026-03-02T15:59:59Z"), Some(day("2026-03-05")));
    assert_eq!(at("2026-03-02T16:00:00Z"), Some(day("2026-03-06")));
}

/// Spec: PDS-19.2.
#[test]
fn an_earliest_date_runs_from_the_last_use() {
    let earliest = |events: &[&str]| {
        let steps = due(&pingdingshan(), "grant_lifecycle", &[], events).unwrap();
        let reclaim = steps
            .into_iter()
            .find(|step| step.id == "reclaim_unused")
            .unwrap();
        assert_eq!(reclaim.due_on, None);
        reclaim.not_before
    };
    assert_eq!(earliest(&[]), None);
    let authorised = "authorised=2026-01-15T10:00:00+08:00";
    assert_eq!(earliest(&[authorised]), Some(day("2026-04-16")));
    assert_eq!(
        earliest(&[authorised, "last_used=2026-03-31T10:00:00+08:00"]),
        Some(day("2026-07-01")),
        "30 June is the last day of three months from 31 March"
    );
}

#[test]
fn facts_that_rule_the_process_out_leave_no_step() {
    check(
        &pingdingshan(),
        "table_file_subscription_city",
        &["mode=interface"],
        &[],
        &[],
    );
}

#[test]
fn a_periodic_duty_falls_due_every_year() {
    let report = |event: &str| due(&invented(), "annual_report", &[], &[event]).unwrap()[0].due_on;
    assert_eq!(
        report("year_started=2026-01-01T00:00:00+08:00"),
        Some(day("2026-01-31"))
    );
    assert_eq!(
        report("year_started=2026-02-01T00:00:00+08:00"),
        Some(day("2027-01-31"))
    );
    let word = due(&pingdingshan(), "usage_statistics", &[], &[]).unwrap();
    assert_eq!(
        (word[0].due_on, word[0].word),
        (None, Some(LimitWord::Periodic))
    );
}

#[test]
fn a_national_ceiling_that_is_shorter_decides_and_says_so() {
    let ceilings = "schema = 1\n[[ceiling]]\nid = \"x\"\ntopics = [\"table_file_subscription\"]\naction = \"decide\"\nworking_days = 2\nfrom = \"application_submitted\"\nconfirmed = true\nclause = \"GL-1\"\n";
    let ceilings = Ceilings::load(ceilings, "ceilings.toml", Unconfirmed::Leave).unwrap();
    let pack = pingdingshan().with_ceilings(ceilings);
    let decide = |events: &[&str]| {
        let steps = due(
            &pack,
            "table_file_subscription_city",
            &["class=conditional"],
            events,
        )
        .unwrap();
        steps.into_iter().find(|step| step.id == "decide").unwrap()
    };
    let step = decide(&["application_submitted=2026-03-02T09:00:00+08:00"]);
    assert_eq!(step.due_on, Some(day("2026-03-04")));
    assert_eq!(step.due_by, Some(LimitSource::NationalCeiling));
    assert_eq!(step.clause.as_str(), "GL-1");
    assert_eq!(step.working_days, Some(2));
    assert_eq!(step.counted_from, Some(Event::ApplicationSubmitted));
}

#[test]
fn a_year_without_its_notice_is_never_guessed() {
    let error = due(
        &pingdingshan(),
        "table_file_subscription_city",
        &["class=unconditional"],
        &["application_submitted=2026-12-31T09:00:00+08:00"],
    )
    .unwrap_err();
    assert_eq!(error.code(), "calendar.year_not_published");
    assert!(error.to_string().contains("2027"), "{error}");
    assert!(error.in_chinese().contains("2027"));
}

#[test]
fn what_is_unknown_is_refused_with_what_there_is() {
    let refused = |process: &str, facts: &[&str], events: &[&str], code: &str, named: &str| {
        let error = due(&pingdingshan(), process, facts, events).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.in_chinese().contains(named), "{}", error.in_chinese());
    };
    let city = "table_file_subscription_city";
    refused("subscription", &[], &[], "due.unknown_process", city);
    refused(
        "subscription",
        &[],
        &[],
        "due.unknown_process",
        "usage_statistics",
    );
    refused(
        city,
        &["klass=conditional"],
        &[],
        "due.unknown_fact",
        "class",
    );
    refused(
        city,
        &["class=secret"],
        &[],
        "due.unknown_value",
        "unconditional",
    );
    refused(
        city,
        &["approved=perhaps"],
        &[],
        "due.unknown_value",
        "true",
    );
    let soon = ["submitted=2026-03-02T09:00:00+08:00"];
    refused(
        city,
        &[],
        &soon,
        "due.unknown_event",
        "application_submitted",
    );
}

#[test]
fn the_json_has_the_agreed_keys() {
    let steps = due(
        &pingdingshan(),
        "table_file_subscription_city",
        &["class=unconditional"],
        &["application_submitted=2026-03-02T09:00:00+08:00"],
    )
    .unwrap();
    let json = serde_json::to_value(steps.last().unwrap()).unwrap();
    assert_eq!(json["id"], "deliver_unconditional");
    assert_eq!(json["actor"], "platform");
    assert_eq!(json["due_on"], "2026-03-05");
    assert_eq!(json["working_days"], 3);
    assert_eq!(json["clause"], "PDS-10.2a");
    let first = serde_json::to_value(&steps[0]).unwrap();
    assert!(first["due_on"].is_null() && first["working_days"].is_null());
    assert!(first.as_object().unwrap().contains_key("due_on"));
}
