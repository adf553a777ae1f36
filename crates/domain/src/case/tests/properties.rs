//! What holds for every sequence of deeds.

use proptest::prelude::*;

use super::*;
use crate::law::Outcome;

/// One attempt: who, what, and how many days later.
#[derive(Debug, Clone)]
struct Attempt {
    actor: usize,
    step: usize,
    outcome: usize,
    kind: u8,
    days_later: i64,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let attempt = (0..10_usize, 0..8_usize, 0..9_usize, 0..12_u8, 0..4_i64).prop_map(
        |(actor, step, outcome, kind, days_later)| Attempt {
            actor,
            step,
            outcome,
            kind,
            days_later,
        },
    );
    prop::collection::vec(attempt, 0..30)
}

/// Every way in which a case can begin.
fn beginnings() -> Vec<Opening> {
    let mut openings = Vec::new();
    for class in ["unconditional", "conditional"] {
        for (flag, value) in [
            ("pooled", "true"),
            ("pooled", "false"),
            ("base_library", "true"),
            ("direct_authorisation", "true"),
            ("param_control", "true"),
        ] {
            for level in ["city", "county"] {
                let table = [
                    ("class", class),
                    (flag, value),
                    ("requester_level", level),
                    ("mode", "table"),
                ];
                let interface = [
                    ("class", class),
                    (flag, value),
                    ("requester_level", level),
                    ("mode", "interface"),
                ];
                openings.push(opening(
                    &format!("table_file_subscription_{level}"),
                    &table,
                    "2026-09-21",
                ));
                let seal = if level == "city" {
                    "scan_of_stamped_form"
                } else {
                    "scan_of_form"
                };
                openings.push(Opening {
                    input: sealed(seal),
                    ..opening(
                        &format!("interface_application_{level}"),
                        &interface,
                        "2026-09-21",
                    )
                });
            }
        }
    }
    openings.push(opening("cross_level_request", &[], "2026-09-21"));
    for (process, mode) in [
        ("correction_by_department", "table"),
        ("correction_by_department_interface", "interface"),
        ("data_supply_after_change", "table"),
        ("dispute", "table"),
        ("grant_lifecycle", "interface"),
        ("rectification", "table"),
    ] {
        openings.push(Opening {
            actor: None,
            began_at: Some(morning("2026-09-21")),
            ..opening(process, &[("mode", mode)], "2026-09-21")
        });
    }
    openings
}

fn try_all(opening: Opening, attempts: &[Attempt]) -> Vec<Case> {
    let pack = pack();
    let calendar = calendar();
    let mut case = Case::open(opening, pack, calendar).unwrap();
    let process = pack.process(&case.head().process).unwrap().clone();
    let actors = everybody();
    let mut at = morning("2026-09-21");
    let mut states = vec![case.clone()];
    for attempt in attempts {
        at = at
            .checked_add(jiff::SignedDuration::from_hours(24 * attempt.days_later))
            .unwrap();
        let step = &process.steps[attempt.step % process.steps.len()];
        let deed = match attempt.kind {
            0 => Deed::Withdraw { reason: None },
            1 => Deed::Urge {
                step: step.id.clone(),
            },
            _ => Deed::TakeStep {
                step: step.id.clone(),
                input: StepInput {
                    outcome: Some(Outcome::ALL[attempt.outcome]),
                    reason: (attempt.kind > 3).then(|| "依据不足".to_owned()),
                    ground: step.grounds.first().map(|ground| ground.code.clone()),
                    ..StepInput::default()
                },
            },
        };
        let act = Act {
            actor: actors[attempt.actor].clone(),
            at,
            deed,
        };
        if let Ok(next) = case.apply(act, pack, calendar) {
            case = next;
            states.push(case.clone());
        }
    }
    states
}

fn holidays(days: &[String]) -> Calendar {
    let rows: Vec<String> = days
        .iter()
        .map(|day| format!("{day},holiday,国庆节"))
        .collect();
    Calendar::parse_csv(&format!("date,kind,name\n{}\n", rows.join("\n"))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn folding_the_events_again_gives_the_same_case(start in prop::sample::select(beginnings()), attempts in attempts()) {
        let pack = pack();
        for case in try_all(start, &attempts) {
            let again = Case::replay(case.head().clone(), case.events().to_vec(), pack).unwrap();
            prop_assert_eq!(again, case);
        }
    }

    #[test]
    fn an_open_case_always_has_somebody_who_may_act(start in prop::sample::select(beginnings()), attempts in attempts()) {
        let pack = pack();
        for case in try_all(start, &attempts) {
            let somebody = case.open_steps().any(|step| everybody().iter().any(|actor| case.may_take(actor, step, pack).is_ok()));
            prop_assert!(case.is_ended() || somebody, "stuck: {:?}", case.events());
            prop_assert!(!case.is_ended() || case.open_steps().next().is_none());
        }
    }

    #[test]
    fn a_finished_step_never_changes(start in prop::sample::select(beginnings()), attempts in attempts()) {
        let pack = pack();
        let states = try_all(start, &attempts);
        // A later notice gives six more weeks off.
        let rest: Vec<String> = (22..=30).map(|day| format!("2026-09-{day}")).chain((1..=31).map(|day| format!("2026-10-{day:02}"))).collect();
        let changed = calendar().clone().with(holidays(&rest));
        for pair in states.windows(2) {
            let [before, after] = pair else { unreachable!() };
            for view in before.steps(pack, calendar(), morning("2026-10-20")).unwrap() {
                if matches!(view.state, StepState::Done { .. }) {
                    let later = after.steps(pack, &changed, morning("2026-12-20")).unwrap().into_iter().find(|it| it.id == view.id).unwrap();
                    prop_assert_eq!((later.state, later.due_on, later.clock), (view.state, view.due_on, view.clock));
                }
            }
        }
    }

    #[test]
    fn history_only_grows(start in prop::sample::select(beginnings()), attempts in attempts()) {
        for pair in try_all(start, &attempts).windows(2) {
            let [before, after] = pair else { unreachable!() };
            prop_assert_eq!(&after.events()[..before.events().len()], before.events());
            prop_assert!(after.events().len() > before.events().len());
            prop_assert_eq!(after.events_after(before.last_seq()), &after.events()[before.events().len()..]);
        }
    }
}

#[test]
fn a_new_notice_moves_the_dates_of_open_steps() {
    let case = table_request("conditional", "2026-09-28");
    assert_eq!(due(&case, "decide").as_deref(), Some("2026-10-10"));
    let longer: Vec<String> = (1..=11).map(|day| format!("2026-10-{day:02}")).collect();
    let changed = holidays(&longer);
    let view = &case.steps(pack(), &changed, morning("2026-09-28")).unwrap()[4];
    assert_eq!(
        (view.id.as_str(), view.due_on),
        ("decide", Some(day("2026-10-14")))
    );
}
