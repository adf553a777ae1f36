//! What holds for every process of the five regulations, whatever happens in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Weekday;
use proptest::prelude::*;

use super::world::{World, beginnings, handed_in, worlds};
use super::*;
use crate::calendar::STATUTORY_CSV;
use crate::law::words::SETTLED_FACTS;
use crate::law::{Event, FactValue, Limit, Outcome, Step, StepKind};

// --- every state there is ------------------------------------------------------------------------

/// A state without its dates.
fn state_of(case: &Case) -> String {
    let process = worlds()
        .iter()
        .find(|world| world.pack.meta.id == case.head().pack)
        .unwrap()
        .process(case.head().process.as_str());
    let steps: Vec<String> = process
        .steps
        .iter()
        .map(|step| match case.step_state(&step.id).unwrap() {
            StepState::Waiting => format!("{} waits", step.id),
            StepState::Open { .. } => format!("{} OPEN", step.id),
            StepState::Done { outcome, .. } => format!("{} {outcome}", step.id),
            StepState::Skipped => format!("{} skipped", step.id),
        })
        .collect();
    format!(
        "{} {:?} {:?}",
        steps.join(", "),
        case.facts(),
        case.outcome()
    )
}

/// Every way to state the facts that a step establishes.
fn statements(world: &World, step: &Step) -> Vec<Facts> {
    let mut statements = vec![Facts::new()];
    for name in &step.establishes {
        let rule = world
            .pack
            .facts
            .iter()
            .find(|rule| rule.id == *name)
            .unwrap();
        statements = statements
            .iter()
            .flat_map(|facts| {
                rule.values.iter().map(move |value: &FactValue| {
                    let mut facts = facts.clone();
                    facts.insert(rule.id.clone(), value.clone());
                    facts
                })
            })
            .collect();
    }
    statements
}

fn full_input(
    world: &World,
    step: &Step,
    outcome: Outcome,
    facts: Facts,
    at: Timestamp,
) -> StepInput {
    StepInput {
        outcome: Some(outcome),
        reason: Some("依据".to_owned()),
        facts,
        consent: step
            .consent_of
            .as_ref()
            .map(|role| Box::new(world.player(role.as_str()))),
        extra_working_days: step
            .extends
            .as_ref()
            .map(|extension| extension.working_days_max),
        orders_due_on: step
            .sets_due_of
            .as_ref()
            .map(|_| crate::time::china_date(at)),
        ..handed_in(step)
    }
}

fn outside_events() -> impl Iterator<Item = Event> {
    Event::ALL
        .iter()
        .copied()
        .filter(|event| event.is_outside())
}

/// Everything that can follow from a state: each open step in each way, and what happens outside.
fn next_of(world: &World, case: &Case, at: Timestamp) -> Vec<(Option<StepId>, Case)> {
    let pack = &world.pack;
    let mut next = Vec::new();
    for id in case.open_steps() {
        let step = world
            .process(case.head().process.as_str())
            .step(id)
            .unwrap();
        if step.kind == StepKind::Duty {
            continue;
        }
        for outcome in step.action.outcomes() {
            for facts in statements(world, step) {
                let act = Act {
                    actor: world.player(step.role.as_str()),
                    at,
                    deed: Deed::TakeStep {
                        step: id.clone(),
                        input: full_input(world, step, *outcome, facts, at),
                    },
                };
                let after = case
                    .apply(act, pack, calendar())
                    .unwrap_or_else(|refusal| panic!("{id}: {refusal}"));
                next.push((Some(id.clone()), after));
            }
        }
    }
    for event in outside_events() {
        if let Ok(after) = case.note(event, at, pack, calendar()) {
            next.push((None, after));
        }
    }
    next
}

/// Walks through every state that a process can reach from a beginning, and returns the steps taken.
///
/// Panics where nobody may act although the case is open, or where no way leads to an end.
fn walk(world: &World, first: Case) -> BTreeSet<StepId> {
    let at = first
        .head()
        .opened_at
        .checked_add(jiff::SignedDuration::from_hours(24 * 200))
        .unwrap();
    let players = world.players();
    let mut taken = BTreeSet::new();
    let mut number: BTreeMap<String, usize> = BTreeMap::from([(state_of(&first), 0)]);
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut ended: Vec<bool> = Vec::new();
    let mut to_visit = VecDeque::from([first.clone()]);
    taken.extend(first.events().iter().filter_map(|event| event.step.clone()));
    while let Some(case) = to_visit.pop_front() {
        let here = ended.len();
        ended.push(case.is_ended());
        let somebody = case.open_steps().any(|step| {
            players
                .iter()
                .any(|actor| case.may_take(actor, step, &world.pack).is_ok())
        });
        assert!(
            case.is_ended() || somebody,
            "{} {}: nobody may act in {}",
            world.pack.meta.id,
            case.head().process,
            state_of(&case)
        );
        assert!(!case.is_ended() || case.open_steps().next().is_none());
        if case.is_ended() {
            continue;
        }
        for (_, after) in next_of(world, &case, at) {
            taken.extend(after.events().iter().filter_map(|event| event.step.clone()));
            let fresh = number.len();
            let there = *number.entry(state_of(&after)).or_insert(fresh);
            edges.push((here, there));
            if there == fresh {
                to_visit.push_back(after);
            }
        }
    }
    let mut leads_to_an_end = ended;
    loop {
        let before = leads_to_an_end.iter().filter(|leads| **leads).count();
        for (from, to) in &edges {
            leads_to_an_end[*from] |= leads_to_an_end[*to];
        }
        if leads_to_an_end.iter().filter(|leads| **leads).count() == before {
            break;
        }
    }
    for (state, at) in &number {
        assert!(leads_to_an_end[*at], "no way out of {state}");
    }
    taken
}

#[test]
fn in_every_reachable_state_of_every_process_somebody_may_act_and_an_end_is_in_reach() {
    let mut processes = 0;
    for world in worlds() {
        for process in &world.pack.processes {
            processes += 1;
            let mut taken = BTreeSet::new();
            let mut begun = 0;
            for facts in beginnings(&world.pack, process) {
                let opening = world.opening_of(process, facts.clone(), morning(world::MONDAY));
                match world.try_open(opening) {
                    Ok(case) => {
                        begun += 1;
                        taken.extend(walk(world, case));
                    }
                    Err(refusal) => assert!(
                        ["case.not_offered", "case.wrong_process"].contains(&refusal.code()),
                        "{} {} {facts:?}: {refusal}",
                        world.pack.meta.id,
                        process.id
                    ),
                }
            }
            assert!(begun > 0, "{} {}", world.pack.meta.id, process.id);
            for step in process
                .steps
                .iter()
                .filter(|step| step.kind != StepKind::Duty)
            {
                assert!(
                    taken.contains(&step.id),
                    "{} {}.{} is never taken",
                    world.pack.meta.id,
                    process.id,
                    step.id
                );
            }
        }
    }
    assert_eq!(processes, 49);
}

#[test]
fn every_process_promises_its_dates() {
    for world in worlds() {
        for process in &world.pack.processes {
            for facts in beginnings(&world.pack, process) {
                for promise in promise(&world.pack, process, &facts, day(world::MONDAY), calendar())
                {
                    assert!(process.step(&promise.step).is_some());
                    assert_eq!(promise.missing_year, None);
                }
            }
        }
    }
}

// --- an independent reckoning --------------------------------------------------------------------

/// The days that differ from their weekday, read from the file and nothing else.
fn special_days() -> &'static BTreeMap<Date, bool> {
    static DAYS: LazyLock<BTreeMap<Date, bool>> = LazyLock::new(|| {
        STATUTORY_CSV
            .lines()
            .skip(1)
            .map(|line| {
                let mut cells = line.split(',');
                let date = day(cells.next().unwrap());
                (date, cells.next().unwrap() == "workday")
            })
            .collect()
    });
    &DAYS
}

fn is_worked(date: Date) -> bool {
    let by_weekday = !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    special_days().get(&date).copied().unwrap_or(by_weekday)
}

/// Day by day; `None` beyond the last published year.
fn by_hand(start: Date, working_days: u32) -> Option<Date> {
    let mut date = start;
    let mut counted = 0;
    while counted < working_days {
        date = date.checked_add(1.day()).unwrap();
        if date.year() > 2026 {
            return None;
        }
        counted += u32::from(is_worked(date));
    }
    Some(date)
}

/// Spec: LY-8.2, LY-11, YC-14.1, YC-14.2, YC-19.2, YC-29.1, YC-29.2, TP-21a, TP-21b, YJ-3.2.2.
#[test]
fn due_dates_agree_with_a_count_day_by_day_for_every_start_and_length() {
    let calendar = calendar();
    let mut start = day("2019-01-01");
    let mut compared = 0;
    while start <= day("2026-12-31") {
        let mut date = Some(start);
        for days in 1..=30 {
            // The next worked day after the one for a day less.
            date = date.and_then(|date| by_hand(date, 1));
            let reckoned = Limit::WorkingDays(days).last_day(start, calendar);
            match (reckoned, date) {
                (Ok(found), expected) if expected.is_some() => {
                    assert_eq!(found, expected, "{days} from {start}");
                    compared += 1;
                }
                (Err(error), None) => assert_eq!(error.code(), "calendar.year_not_published"),
                (found, expected) => panic!("{days} from {start}: {found:?}, not {expected:?}"),
            }
        }
        start = start.checked_add(1.day()).unwrap();
    }
    assert!(compared > 86_000, "{compared}");
}

// --- whatever is tried ---------------------------------------------------------------------------

/// One attempt: who, what, and how many days later.
#[derive(Debug, Clone)]
struct Attempt {
    pick: usize,
    player: usize,
    outcome: usize,
    statement: usize,
    kind: u8,
    days_later: i64,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let attempt = (
        0..64_usize,
        0..64_usize,
        0..12_usize,
        0..8_usize,
        0..17_u8,
        0..6_i64,
    )
        .prop_map(
            |(pick, player, outcome, statement, kind, days_later)| Attempt {
                pick,
                player,
                outcome,
                statement,
                kind,
                days_later,
            },
        );
    prop::collection::vec(attempt, 0..14)
}

/// A start on which all five regulations are in force.
fn starts() -> impl Strategy<Value = Date> {
    (0..700_i64).prop_map(|days| day("2020-10-12").checked_add(days.days()).unwrap())
}

fn attempt_on(world: &World, case: &Case, attempt: &Attempt, at: Timestamp) -> Option<Case> {
    let process = world.process(case.head().process.as_str());
    let open: Vec<&StepId> = case.open_steps().collect();
    let players: Vec<Actor> = world.players().into_iter().chain(everybody()).collect();
    let step = match attempt.kind {
        // Mostly something that can be done, by somebody who may.
        0..=9 if !open.is_empty() => process.step(open[attempt.pick % open.len()]).unwrap(),
        _ => &process.steps[attempt.pick % process.steps.len()],
    };
    let right = match attempt.kind {
        0..=9 => {
            let takers: Vec<&RoleId> = step.takers().collect();
            world.player(takers[attempt.player % takers.len()].as_str())
        }
        _ => players[attempt.player % players.len()].clone(),
    };
    let outcomes = match attempt.kind {
        0..=9 => step.action.outcomes(),
        _ => Outcome::ALL,
    };
    let outcome = outcomes[attempt.outcome % outcomes.len()];
    let statements = statements(world, step);
    let facts = statements[attempt.statement % statements.len()].clone();
    let deed = match attempt.kind {
        10 => Deed::Withdraw { reason: None },
        11 => Deed::Urge {
            step: step.id.clone(),
        },
        12 => {
            let events: Vec<Event> = outside_events().collect();
            let event = events[attempt.pick % events.len()];
            return case.note(event, at, &world.pack, calendar()).ok();
        }
        13 => {
            return case
                .complete_by_machine(&step.id, at, &world.pack, calendar())
                .ok();
        }
        _ => Deed::TakeStep {
            step: step.id.clone(),
            input: full_input(world, step, outcome, facts, at),
        },
    };
    let act = Act {
        actor: right,
        at,
        deed,
    };
    case.apply(act, &world.pack, calendar()).ok()
}

/// All that came of the attempts, for one beginning of every process of every pack.
fn histories(start: Date, choice: usize, attempts: &[Attempt]) -> Vec<(&'static World, Vec<Case>)> {
    let mut histories = Vec::new();
    for world in worlds() {
        for process in &world.pack.processes {
            let begun = beginnings(&world.pack, process);
            let opening = world.opening_of(
                process,
                begun[choice % begun.len()].clone(),
                morning(&start.to_string()),
            );
            let Ok(mut case) = world.try_open(opening) else {
                continue;
            };
            let mut at = morning(&start.to_string());
            let mut states = vec![case.clone()];
            for attempt in attempts {
                at = at
                    .checked_add(jiff::SignedDuration::from_hours(24 * attempt.days_later))
                    .unwrap();
                if let Some(next) = attempt_on(world, &case, attempt, at) {
                    case = next;
                    states.push(case.clone());
                }
            }
            histories.push((world, states));
        }
    }
    histories
}

fn holidays(days: &[String]) -> Calendar {
    let rows: Vec<String> = days
        .iter()
        .map(|day| format!("{day},holiday,国庆节"))
        .collect();
    Calendar::parse_csv(&format!("date,kind,name\n{}\n", rows.join("\n"))).unwrap()
}

/// The due date of a step, reckoned from the rows of the case without the engine.
fn due_by_hand(case: &Case, step: &Step) -> Option<Date> {
    let limit = step.deadline.as_ref()?;
    let from = limit.from?;
    let days = limit.limit.working_days()?;
    let began = case
        .events()
        .iter()
        .filter(|event| event.events.contains(&from))
        .map(|event| event.happened_at.unwrap_or(event.at))
        .min()?;
    let process = worlds()
        .iter()
        .find(|world| world.pack.meta.id == case.head().pack)?
        .process(case.head().process.as_str());
    let more: u32 = case
        .events()
        .iter()
        .filter(|event| {
            event
                .step
                .as_ref()
                .and_then(|id| process.step(id))
                .and_then(|taken| taken.extends.as_ref())
                .is_some_and(|extension| extension.step == step.id)
        })
        .filter_map(|event| event.extra_working_days)
        .sum();
    by_hand(crate::time::china_date(began), days + more)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn folding_the_events_again_gives_the_same_case(start in starts(), choice in 0..1000_usize, attempts in attempts()) {
        for (world, states) in histories(start, choice, &attempts) {
            for case in states {
                let again = Case::replay(case.head().clone(), case.events().to_vec(), &world.pack).unwrap();
                let twice = Case::replay(again.head().clone(), again.events().to_vec(), &world.pack).unwrap();
                prop_assert_eq!(&again, &case);
                prop_assert_eq!(twice, again);
            }
        }
    }

    #[test]
    fn an_open_case_always_has_somebody_who_may_act(start in starts(), choice in 0..1000_usize, attempts in attempts()) {
        for (world, states) in histories(start, choice, &attempts) {
            let players = world.players();
            for case in states {
                let somebody = case.open_steps().any(|step| players.iter().any(|actor| case.may_take(actor, step, &world.pack).is_ok()));
                prop_assert!(case.is_ended() || somebody, "stuck: {:?}", case.events());
                prop_assert!(!case.is_ended() || case.open_steps().next().is_none());
            }
        }
    }

    #[test]
    fn changing_the_calendar_never_changes_a_finished_step(start in starts(), choice in 0..1000_usize, attempts in attempts()) {
        // A later notice gives the six weeks after the start off.
        let off = (1..=42_i64).map(|days| start.checked_add(days.days()).unwrap().to_string());
        let rest: BTreeSet<String> = (2020..=2022).map(|year| format!("{year}-10-01")).chain(off).collect();
        let changed = calendar().clone().with(holidays(&rest.into_iter().collect::<Vec<_>>()));
        for (world, states) in histories(start, choice, &attempts) {
            for pair in states.windows(2) {
                let [before, after] = pair else { unreachable!() };
                let later = after.steps(&world.pack, &changed, morning("2024-12-20")).unwrap();
                for view in before.steps(&world.pack, calendar(), morning("2023-10-20")).unwrap() {
                    if matches!(view.state, StepState::Done { .. }) {
                        let later = later.iter().find(|it| it.id == view.id).unwrap();
                        prop_assert_eq!((&later.state, later.due_on, later.clock), (&view.state, view.due_on, view.clock));
                    }
                }
            }
        }
    }

    #[test]
    fn due_dates_of_cases_agree_with_a_count_day_by_day(start in starts(), choice in 0..1000_usize, attempts in attempts()) {
        for (world, states) in histories(start, choice, &attempts) {
            let case = states.last().unwrap();
            let process = world.process(case.head().process.as_str());
            for view in case.steps(&world.pack, calendar(), morning("2023-01-10")).unwrap() {
                let step = process.step(&view.id).unwrap();
                let counted = step.deadline.as_ref().is_some_and(|limit| limit.limit.working_days().is_some());
                if counted && view.state != StepState::Skipped {
                    prop_assert_eq!(view.due_on, due_by_hand(case, step), "{} {}.{}", world.pack.meta.id, process.id, step.id);
                }
            }
        }
    }

    #[test]
    fn history_only_grows_and_no_fact_is_unsaid(start in starts(), choice in 0..1000_usize, attempts in attempts()) {
        for (_, states) in histories(start, choice, &attempts) {
            for pair in states.windows(2) {
                let [before, after] = pair else { unreachable!() };
                prop_assert_eq!(&after.events()[..before.events().len()], before.events());
                prop_assert!(after.events().len() > before.events().len());
                prop_assert_eq!(after.events_after(before.last_seq()), &after.events()[before.events().len()..]);
                for (name, value) in before.facts() {
                    let settled = SETTLED_FACTS.contains(&name.as_str());
                    prop_assert!(settled || after.facts().get(name) == Some(value));
                }
            }
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
