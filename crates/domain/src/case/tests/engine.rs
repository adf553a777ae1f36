//! The engine beyond single clauses: who, when, in which order, and what never changes.

use super::*;
use crate::access::Delegation;
use crate::law::{Ceilings, Event, LimitSource, Unconfirmed};

fn invented() -> Pack {
    let source = include_str!("../../law/tests/invented.toml");
    Pack::load(source, "invented.toml").unwrap()
}

fn correction(pack: &Pack, on: &str) -> Case {
    let opening = Opening {
        actor: Some(person("liu", "public", Role::Citizen)),
        ..opening("correction", &[], on)
    };
    Case::open(opening, pack, calendar()).unwrap()
}

fn take_under(
    pack: &Pack,
    case: &Case,
    actor: Actor,
    id: &str,
    input: StepInput,
    on: &str,
) -> Result<Case, Refusal> {
    let deed = Deed::TakeStep {
        step: step(id),
        input,
    };
    case.apply(
        Act {
            actor,
            at: morning(on),
            deed,
        },
        pack,
        calendar(),
    )
}

fn due_under(pack: &Pack, case: &Case, id: &str) -> Option<String> {
    let views = case.steps(pack, calendar(), morning("2026-03-02")).unwrap();
    views
        .into_iter()
        .find(|view| view.id == step(id))?
        .due_on
        .map(|date| date.to_string())
}

/// Filed on the given day: due for an unconditional delivery, a decision, and the delivery after a
/// decision on the last day. Reckoned by hand over Mid-Autumn (25-27 September off, 20 September
/// worked) and National Day 2026 (1-7 October off, 10 October worked).
///
/// Spec: PDS-10.2a, PDS-10.2b, PDS-10.2c.
#[test]
fn dates_over_the_national_day_of_2026() {
    let table = [
        ("2026-09-21", "2026-09-24", "2026-09-29", "2026-10-09"),
        ("2026-09-23", "2026-09-29", "2026-10-08", "2026-10-12"),
        ("2026-09-24", "2026-09-30", "2026-10-09", "2026-10-13"),
        ("2026-09-25", "2026-09-30", "2026-10-09", "2026-10-13"),
        ("2026-09-29", "2026-10-09", "2026-10-12", "2026-10-15"),
        ("2026-09-30", "2026-10-10", "2026-10-13", "2026-10-16"),
        ("2026-10-07", "2026-10-10", "2026-10-13", "2026-10-16"),
        ("2026-10-09", "2026-10-13", "2026-10-15", "2026-10-20"),
    ];
    for (filed, delivery, decision, delivery_after) in table {
        assert_eq!(
            due(
                &table_request("unconditional", filed),
                "deliver_unconditional"
            )
            .as_deref(),
            Some(delivery),
            "filed {filed}"
        );
        let case = table_request("conditional", filed);
        assert_eq!(
            due(&case, "decide").as_deref(),
            Some(decision),
            "filed {filed}"
        );
        let case = take(
            &case,
            provider(),
            "decide",
            ending(Outcome::Approved),
            decision,
        )
        .unwrap();
        assert_eq!(
            due(&case, "deliver_conditional").as_deref(),
            Some(delivery_after),
            "filed {filed}"
        );
    }
}

#[test]
fn the_promise_before_submitting_is_kept_by_the_case() {
    let pack = pack();
    let process = pack
        .process_for(
            "table_file_subscription",
            &facts(&[("class", "conditional"), ("mode", "table")]),
        )
        .unwrap();
    let promised = promise(
        pack,
        process,
        &facts(&[("class", "conditional"), ("mode", "table")]),
        day("2026-09-21"),
        calendar(),
    );
    let lines: Vec<String> = promised
        .iter()
        .map(|it| {
            format!(
                "{} {} {:?} {}",
                it.step,
                it.due_on.unwrap(),
                it.working_days,
                it.clause
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "decide 2026-09-29 Some(5) PDS-10.2b",
            "deliver_conditional 2026-10-09 Some(3) PDS-10.2c"
        ]
    );

    let unpooled = facts(&[
        ("class", "unconditional"),
        ("mode", "table"),
        ("pooled", "false"),
    ]);
    let promised = promise(pack, process, &unpooled, day("2026-09-21"), calendar());
    let dates: Vec<(&str, Option<Date>)> = promised
        .iter()
        .map(|it| (it.step.as_str(), it.due_on))
        .collect();
    assert_eq!(
        dates,
        [
            ("supply", None),
            ("deliver_unconditional", Some(day("2026-09-24")))
        ]
    );
}

#[test]
fn a_promise_for_an_interface_runs_through_every_hand() {
    let pack = pack();
    let given = facts(&[("class", "conditional"), ("mode", "interface")]);
    let process = pack.process_for("interface_application", &given).unwrap();
    let promised = promise(pack, process, &given, day("2026-09-07"), calendar());
    let dates: Vec<String> = promised
        .iter()
        .map(|it| format!("{} {}", it.step, it.due_on.unwrap()))
        .collect();
    assert_eq!(
        dates,
        [
            "compliance_check 2026-09-10",
            "decide 2026-09-17",
            "answer 2026-09-18"
        ]
    );
}

#[test]
fn a_promise_for_a_process_that_an_event_starts_counts_from_the_event() {
    let given = facts(&[("mode", "table")]);
    let process = pack()
        .process_for("correction_by_department", &given)
        .unwrap();
    let promised = promise(pack(), process, &given, day("2026-09-07"), calendar());
    let dates: Vec<String> = promised
        .iter()
        .map(|it| format!("{} {}", it.step, it.due_on.unwrap()))
        .collect();
    assert_eq!(dates, ["report 2026-09-08", "handle 2026-09-11"]);
}

#[test]
fn a_date_beyond_the_published_calendar_is_never_guessed() {
    let case = table_request("conditional", "2026-12-28");
    let decide = view(&case, "decide", "2026-12-29");
    assert_eq!(
        (decide.due_on, decide.clock),
        (None, Clock::CalendarMissing { year: 2027 })
    );
    let pack = pack();
    let process = pack.process(&case.head().process).unwrap();
    let promised = promise(pack, process, case.facts(), day("2026-12-28"), calendar());
    assert_eq!(
        (promised[0].due_on, promised[0].missing_year),
        (None, Some(2027))
    );
    // Work goes on all the same.
    let decided = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-12-29",
    )
    .unwrap();
    assert_eq!(
        view(&decided, "decide", "2026-12-29").clock,
        Clock::Done { in_time: None }
    );
}

#[test]
fn nobody_decides_their_own_request() {
    let case = table_request("conditional", "2026-09-21");
    // The same person, now acting as the provider's officer.
    let both = Actor {
        department: department("statistics"),
        ..requester()
    };
    assert_eq!(
        code(take(
            &case,
            both,
            "decide",
            ending(Outcome::Approved),
            "2026-09-22"
        )),
        "case.own_request"
    );
    // A deputy of the person who filed it.
    let deputy = Actor {
        delegations: vec![Delegation {
            by: requester().person,
            department: department("statistics"),
            role: Role::DataOfficer,
            first_day: day("2026-09-01"),
            last_day: day("2026-09-30"),
        }],
        ..person("jiang", "archives", Role::DataOfficer)
    };
    assert_eq!(
        code(take(
            &case,
            deputy,
            "decide",
            ending(Outcome::Approved),
            "2026-09-22"
        )),
        "case.own_request"
    );
    // A department that asks itself.
    let parties = Parties {
        provider: Some(department("civil-affairs")),
        ..parties()
    };
    let opening = Opening {
        parties,
        ..opening(
            "table_file_subscription_city",
            &[("class", "conditional"), ("mode", "table")],
            "2026-09-21",
        )
    };
    assert_eq!(
        code(Case::open(opening, pack(), calendar())),
        "case.own_data"
    );
}

#[test]
fn a_deputy_acts_under_a_dated_delegation() {
    let case = table_request("conditional", "2026-09-21");
    let deputy = |last_day: &str| Actor {
        delegations: vec![Delegation {
            by: provider().person,
            department: department("statistics"),
            role: Role::DataOfficer,
            first_day: day("2026-09-01"),
            last_day: day(last_day),
        }],
        ..person("jiang", "archives", Role::DataOfficer)
    };
    assert_eq!(
        code(take(
            &case,
            deputy("2026-09-20"),
            "decide",
            ending(Outcome::Approved),
            "2026-09-21"
        )),
        "case.wrong_actor"
    );
    let case = take(
        &case,
        deputy("2026-09-21"),
        "decide",
        ending(Outcome::Approved),
        "2026-09-21",
    )
    .unwrap();
    let decided = case
        .events()
        .iter()
        .find(|event| event.step == Some(step("decide")))
        .unwrap();
    let by = decided.by.clone().unwrap();
    assert_eq!(by.on_behalf_of, Some(provider().person));
    assert_eq!(by.department, department("statistics"));
}

#[test]
fn a_contractor_runs_and_checks_but_never_approves() {
    let case = table_request("unconditional", "2026-09-21");
    assert!(
        take(
            &case,
            contractor(),
            "deliver_unconditional",
            StepInput::default(),
            "2026-09-22"
        )
        .is_ok()
    );
    let given = [
        ("class", "unconditional"),
        ("mode", "interface"),
        ("direct_authorisation", "true"),
    ];
    let case = interface_request(&given, "2026-09-21");
    let case = take(
        &case,
        contractor(),
        "compliance_check",
        ending(Outcome::Accepted),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(
        code(take(
            &case,
            contractor(),
            "authorise_directly",
            ending(Outcome::Approved),
            "2026-09-22"
        )),
        "case.contractor"
    );
}

#[test]
fn deciding_twice_is_refused_however_it_ended() {
    let case = table_request("conditional", "2026-09-21");
    for outcome in [ending(Outcome::Approved), refusal("超出履职范围")] {
        let decided = take(&case, provider(), "decide", outcome, "2026-09-22").unwrap();
        assert_eq!(
            code(take(
                &decided,
                provider(),
                "decide",
                ending(Outcome::Approved),
                "2026-09-22"
            )),
            "case.already_decided"
        );
    }
}

#[test]
fn after_a_refusal_asking_again_is_a_new_case() {
    let refused = take(
        &table_request("conditional", "2026-09-21"),
        provider(),
        "decide",
        refusal("用途不明"),
        "2026-09-22",
    )
    .unwrap();
    assert!(refused.is_ended());
    let opening = Opening {
        id: CaseId::parse("case-2").unwrap(),
        previous_case: Some(refused.head().id.clone()),
        ..opening(
            "table_file_subscription_city",
            &[("class", "conditional"), ("mode", "table")],
            "2026-09-23",
        )
    };
    let again = Case::open(opening, pack(), calendar()).unwrap();
    assert_eq!(again.head().previous_case, Some(refused.head().id.clone()));
    assert_eq!(due(&again, "decide").as_deref(), Some("2026-10-08"));
}

#[test]
fn the_requester_withdraws_before_anything_is_decided() {
    let withdraw = |case: &Case, actor: Actor| {
        let act = Act {
            actor,
            at: morning("2026-09-22"),
            deed: Deed::Withdraw {
                reason: Some("不再需要".to_owned()),
            },
        };
        case.apply(act, pack(), calendar())
    };
    let case = table_request("conditional", "2026-09-21");
    assert_eq!(code(withdraw(&case, provider())), "case.wrong_actor");
    assert_eq!(
        withdraw(&case, requester()).unwrap().outcome(),
        Some(CaseOutcome::Withdrawn)
    );
    let decided = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(
        code(withdraw(&decided, requester())),
        "case.not_withdrawable"
    );
}

#[test]
fn urging_is_recorded_and_moves_no_date() {
    let case = table_request("conditional", "2026-09-21");
    let urge = |actor: Actor| {
        case.apply(
            Act {
                actor,
                at: morning("2026-09-23"),
                deed: Deed::Urge {
                    step: step("decide"),
                },
            },
            pack(),
            calendar(),
        )
    };
    assert_eq!(code(urge(provider())), "case.wrong_actor");
    let urged = urge(requester()).unwrap();
    let decide = view(&urged, "decide", "2026-09-23");
    assert_eq!(decide.last_urged_at, Some(morning("2026-09-23")));
    assert_eq!(decide.due_on, view(&case, "decide", "2026-09-23").due_on);
}

#[test]
fn machinery_may_deliver_but_not_decide() {
    let case = table_request("unconditional", "2026-09-21");
    let delivered = case
        .complete_by_machine(
            &step("deliver_unconditional"),
            morning("2026-09-22"),
            pack(),
            calendar(),
        )
        .unwrap();
    assert_eq!(delivered.outcome(), Some(CaseOutcome::Completed));
    assert_eq!(delivered.events().last().unwrap().by, None);
    let case = table_request("conditional", "2026-09-21");
    assert_eq!(
        code(case.complete_by_machine(&step("decide"), morning("2026-09-22"), pack(), calendar())),
        "case.wrong_actor"
    );
    assert_eq!(
        code(case.complete_by_machine(
            &step("deliver_conditional"),
            morning("2026-09-22"),
            pack(),
            calendar()
        )),
        "case.step_not_open"
    );
}

#[test]
fn time_never_runs_backwards_in_a_case() {
    let case = table_request("conditional", "2026-09-22");
    assert_eq!(
        code(take(
            &case,
            provider(),
            "decide",
            ending(Outcome::Approved),
            "2026-09-21"
        )),
        "case.before_last_event"
    );
}

#[test]
fn a_case_begins_only_with_facts_that_make_sense() {
    let open = |given: &[(&str, &str)]| {
        code(Case::open(
            opening("table_file_subscription_city", given, "2026-09-21"),
            pack(),
            calendar(),
        ))
    };
    assert_eq!(open(&[("mode", "table")]), "case.fact_missing");
    assert_eq!(
        open(&[("class", "secret"), ("mode", "table")]),
        "case.fact_invalid"
    );
    assert_eq!(
        open(&[("class", "conditional"), ("mode", "interface")]),
        "case.wrong_process"
    );
    // Nobody may bring the decision along.
    assert_eq!(
        open(&[
            ("class", "conditional"),
            ("mode", "table"),
            ("approved", "true")
        ]),
        "case.fact_invalid"
    );
}

#[test]
fn a_case_begins_only_between_departments_that_exist() {
    let unbound = Opening {
        parties: Parties {
            bound: std::collections::BTreeMap::new(),
            ..parties()
        },
        ..opening(
            "table_file_subscription_city",
            &[("class", "unconditional"), ("mode", "table")],
            "2026-09-21",
        )
    };
    assert_eq!(
        code(Case::open(unbound, pack(), calendar())),
        "case.role_unbound"
    );
    let stranger = Opening {
        actor: Some(person("feng", "health", Role::DataOfficer)),
        ..opening(
            "table_file_subscription_city",
            &[("class", "unconditional"), ("mode", "table")],
            "2026-09-21",
        )
    };
    assert_eq!(
        code(Case::open(stranger, pack(), calendar())),
        "case.wrong_actor"
    );
    let by_nobody = Opening {
        actor: None,
        ..opening(
            "table_file_subscription_city",
            &[("class", "unconditional"), ("mode", "table")],
            "2026-09-21",
        )
    };
    assert_eq!(
        code(Case::open(by_nobody, pack(), calendar())),
        "case.start_invalid"
    );
    let from_the_future = Opening {
        began_at: Some(morning("2026-09-22")),
        ..opening(
            "correction_by_department",
            &[("mode", "table")],
            "2026-09-21",
        )
    };
    assert_eq!(
        code(Case::open(from_the_future, pack(), calendar())),
        "case.start_invalid"
    );
}

#[test]
fn a_case_keeps_the_version_of_the_pack_it_began_under() {
    let case = table_request("conditional", "2026-09-21");
    let source = crate::law::PINGDINGSHAN_2020.replace("working_days = 5", "working_days = 4");
    let changed = Pack::load(&source, "changed.toml").unwrap();
    assert_ne!(changed.version, pack().version);
    let refused = case
        .steps(&changed, calendar(), morning("2026-09-22"))
        .unwrap_err();
    assert_eq!(refused.code(), "case.other_pack");
}

#[test]
fn an_ended_pack_takes_no_new_case_and_names_its_successor() {
    let pack = invented();
    let opening = Opening {
        actor: Some(person("liu", "public", Role::Citizen)),
        ..opening("correction", &[], "2028-01-03")
    };
    let refused = Case::open(opening, &pack, calendar()).unwrap_err();
    assert_eq!(refused.code(), "case.pack_not_in_force");
    let Refusal::PackNotInForce { successor, .. } = refused else {
        panic!()
    };
    assert_eq!(successor.unwrap().as_str(), "pingdingshan-2020");
}

#[test]
fn a_limit_is_extended_once_with_the_consent_of_the_head() {
    let pack = invented();
    let case = correction(&pack, "2026-03-02");
    assert_eq!(
        due_under(&pack, &case, "check").as_deref(),
        Some("2026-03-16")
    );
    let extend = |days: u32, consent: Option<Actor>| StepInput {
        extra_working_days: Some(days),
        consent: consent.map(Box::new),
        ..StepInput::default()
    };
    let head = || person("zheng", "statistics", Role::Head);
    let try_to = |input| take_under(&pack, &case, provider(), "extend", input, "2026-03-03");
    assert_eq!(code(try_to(extend(10, None))), "case.consent_required");
    assert_eq!(
        code(try_to(extend(10, Some(requester())))),
        "case.consent_required"
    );
    assert_eq!(
        code(try_to(extend(11, Some(head())))),
        "case.extension_invalid"
    );
    assert_eq!(
        code(try_to(extend(0, Some(head())))),
        "case.extension_invalid"
    );
    let extended = try_to(extend(10, Some(head()))).unwrap();
    assert_eq!(
        due_under(&pack, &extended, "check").as_deref(),
        Some("2026-03-30")
    );
    assert_eq!(
        code(take_under(
            &pack,
            &extended,
            head(),
            "extend",
            extend(1, None),
            "2026-03-04"
        )),
        "case.already_decided"
    );
    // Without the extension the case ends just as well.
    let input = StepInput {
        facts: facts(&[("technical_cause", "true")]),
        ..StepInput::default()
    };
    assert!(
        take_under(&pack, &case, provider(), "check", input, "2026-03-04")
            .unwrap()
            .is_ended()
    );
}

#[test]
fn a_pause_moves_the_due_date_by_the_working_days_it_lasts() {
    let pack = invented();
    let case = correction(&pack, "2026-03-02");
    let turn = |case: &Case, deed: Deed, on: &str| {
        case.apply(
            Act {
                actor: provider(),
                at: morning(on),
                deed,
            },
            &pack,
            calendar(),
        )
    };
    let pause = |reason: &str| Deed::Pause {
        step: step("check"),
        reason: reason.to_owned(),
    };
    let resume = || Deed::Resume {
        step: step("check"),
    };
    assert_eq!(
        code(turn(&case, pause(" "), "2026-03-04")),
        "case.reason_required"
    );
    assert_eq!(
        code(turn(&case, resume(), "2026-03-04")),
        "case.not_pausable"
    );
    let paused = turn(&case, pause("待补正"), "2026-03-04").unwrap();
    let lamp = paused
        .steps(&pack, calendar(), morning("2026-06-01"))
        .unwrap()[1]
        .clock;
    assert_eq!(lamp, Clock::Paused);
    assert_eq!(
        code(turn(&paused, pause("再次"), "2026-03-05")),
        "case.not_pausable"
    );
    // From Wednesday to the Monday after: three working days.
    let resumed = turn(&paused, resume(), "2026-03-09").unwrap();
    assert_eq!(
        due_under(&pack, &resumed, "check").as_deref(),
        Some("2026-03-19")
    );
}

#[test]
fn a_step_establishes_the_facts_that_later_steps_ask_for() {
    let pack = invented();
    let case = correction(&pack, "2026-03-02");
    let check = |given: &[(&str, &str)]| {
        let input = StepInput {
            facts: facts(given),
            ..StepInput::default()
        };
        take_under(&pack, &case, provider(), "check", input, "2026-03-03")
    };
    assert_eq!(code(check(&[])), "case.fact_missing");
    assert_eq!(
        code(check(&[("technical_cause", "true"), ("class", "open")])),
        "case.fact_invalid"
    );
    assert_eq!(
        check(&[("technical_cause", "true")]).unwrap().outcome(),
        Some(CaseOutcome::Completed)
    );
    let urged = check(&[("technical_cause", "false")]).unwrap();
    assert_eq!(
        urged.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["extend", "keep_serving", "urge"]
    );
    assert_eq!(
        code(take_under(
            &pack,
            &urged,
            requester(),
            "keep_serving",
            StepInput::default(),
            "2026-03-03"
        )),
        "case.not_by_hand"
    );
}

#[test]
fn consent_needs_a_reason_too_where_the_law_says_so_and_months_end_on_their_day() {
    let pack = invented();
    let opening = opening("agreement", &[], "2026-01-31");
    let case = Case::open(opening, &pack, calendar()).unwrap();
    assert_eq!(
        due_under(&pack, &case, "decide").as_deref(),
        Some("2026-02-28")
    );
    assert_eq!(
        code(take_under(
            &pack,
            &case,
            provider(),
            "decide",
            ending(Outcome::Approved),
            "2026-02-02"
        )),
        "case.reason_required"
    );
    let input = StepInput {
        reason: Some("长期稳定需求".to_owned()),
        ..ending(Outcome::Approved)
    };
    let case = take_under(&pack, &case, provider(), "decide", input, "2026-02-02").unwrap();
    let case = take_under(
        &pack,
        &case,
        requester(),
        "sign",
        StepInput::default(),
        "2026-02-03",
    )
    .unwrap();
    let case = take_under(
        &pack,
        &case,
        requester(),
        "file",
        StepInput::default(),
        "2026-02-03",
    )
    .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

const CEILINGS: &str = r#"
schema = 1

[[ceiling]]
id = "reply"
topics = ["table_file_subscription"]
action = "decide"
when = { class = "conditional" }
working_days = 4
from = "application_received"
confirmed = true
clause = "GL-21"

[[ceiling]]
id = "supply"
topics = ["table_file_subscription"]
action = "deliver"
working_days = 20
from = "authorisation_received"
confirmed = true
clause = "GL-22"

[[ceiling]]
id = "base_library"
topics = ["table_file_subscription"]
action = "supply"
working_days = 2
from = "application_submitted"
confirmed = false
clause = "GL-23"
"#;

#[test]
fn the_shorter_of_pack_and_national_ceiling_decides_and_says_so() {
    let ceilings = Ceilings::load(CEILINGS, "ceilings.toml", Unconfirmed::Leave).unwrap();
    assert_eq!(ceilings.len(), 2);
    let pack = pack().clone().with_ceilings(ceilings);
    let case = table_request("conditional", "2026-09-21");
    let views = case
        .steps(&pack, calendar(), morning("2026-09-21"))
        .unwrap();
    let decide = views.iter().find(|view| view.id == step("decide")).unwrap();
    assert_eq!(decide.due_on, Some(day("2026-09-28")));
    assert_eq!(
        (decide.due_by, decide.working_days),
        (Some(LimitSource::NationalCeiling), Some(4))
    );
    assert_eq!(decide.due_clause.as_ref().unwrap().as_str(), "GL-21");
    let case = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-09-22",
    )
    .unwrap();
    let views = case
        .steps(&pack, calendar(), morning("2026-09-22"))
        .unwrap();
    let deliver = views
        .iter()
        .find(|view| view.id == step("deliver_conditional"))
        .unwrap();
    assert_eq!(
        (deliver.due_by, deliver.working_days),
        (Some(LimitSource::Pack), Some(3))
    );
}

#[test]
fn an_unconfirmed_ceiling_counts_only_when_asked_for() {
    let case = Case::open(
        opening(
            "table_file_subscription_city",
            &[
                ("class", "unconditional"),
                ("mode", "table"),
                ("pooled", "false"),
            ],
            "2026-09-21",
        ),
        pack(),
        calendar(),
    )
    .unwrap();
    let due_with = |unconfirmed| {
        let pack = pack()
            .clone()
            .with_ceilings(Ceilings::load(CEILINGS, "ceilings.toml", unconfirmed).unwrap());
        let views = case
            .steps(&pack, calendar(), morning("2026-09-21"))
            .unwrap();
        views
            .iter()
            .find(|view| view.id == step("supply"))
            .unwrap()
            .due_on
    };
    assert_eq!(due_with(Unconfirmed::Leave), None);
    assert_eq!(due_with(Unconfirmed::Use), Some(day("2026-09-23")));
}

#[test]
fn only_what_the_process_watches_for_can_be_noted() {
    let case = table_request("conditional", "2026-09-21");
    for event in [Event::LastUsed, Event::Decided] {
        assert_eq!(
            code(case.note(event, morning("2026-09-22"), pack(), calendar())),
            "case.event_not_expected"
        );
    }
}

#[test]
fn a_history_that_cannot_have_happened_is_found_on_reading() {
    let case = take(
        &table_request("conditional", "2026-09-21"),
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-09-22",
    )
    .unwrap();
    let replay = |events: Vec<CaseEvent>| Case::replay(case.head().clone(), events, pack());
    assert_eq!(replay(case.events().to_vec()).unwrap(), case);
    let mut missing = case.events().to_vec();
    missing.remove(1);
    assert_eq!(code(replay(missing)), "case.broken_history");
    let mut twice = case.events().to_vec();
    twice.push(CaseEvent {
        seq: 5,
        ..case.events()[2].clone()
    });
    assert_eq!(code(replay(twice)), "case.broken_history");
}

#[test]
fn events_are_stored_as_they_are_read() {
    let case = take(
        &table_request("conditional", "2026-09-21"),
        provider(),
        "decide",
        refusal("用途不明"),
        "2026-09-22",
    )
    .unwrap();
    let text = serde_json::to_string(case.events()).unwrap();
    let back: Vec<CaseEvent> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, case.events());
    insta::assert_snapshot!(serde_json::to_string_pretty(&case.events()[2]).unwrap());
}
