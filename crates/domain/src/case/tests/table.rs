//! Every reachable state of the subscription processes against everything that can be tried in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

use super::*;
use crate::law::StepKind;

/// A state in words: the steps with their state, in the order of the process.
fn state_of(case: &Case, process: &Process) -> String {
    let steps: Vec<String> = process
        .steps
        .iter()
        .filter_map(|step| {
            let word = match case.step_state(&step.id).unwrap() {
                StepState::Waiting => "waiting".to_owned(),
                StepState::Open { .. } => "OPEN".to_owned(),
                StepState::Done { outcome, .. } => outcome.code().to_owned(),
                StepState::Skipped => return None,
            };
            Some(format!("{}={word}", step.id))
        })
        .collect();
    let end = case
        .outcome()
        .map_or(String::new(), |outcome| format!(" | {outcome:?}"));
    format!("{}{end}", steps.join(" "))
}

/// What can be tried: every step with every outcome by whoever may hold its role, and withdrawal.
fn deeds(pack: &Pack, process: &Process) -> Vec<(String, Actor, Deed)> {
    let mut deeds = Vec::new();
    for step in &process.steps {
        let actor = match pack.role(&step.role).unwrap().id.as_str() {
            "requester" => person("wu", "civil-affairs", Role::Head),
            "provider" => provider(),
            "platform" => authority(),
            "county_authority" => county_authority(),
            other => panic!("nobody plays {other}"),
        };
        for outcome in step.action.outcomes() {
            let input = StepInput {
                reason: Some("依据不足".to_owned()),
                ..ending(*outcome)
            };
            let deed = Deed::TakeStep {
                step: step.id.clone(),
                input,
            };
            deeds.push((format!("{} {outcome}", step.id), actor.clone(), deed));
        }
    }
    deeds.push((
        "withdraw".to_owned(),
        requester(),
        Deed::Withdraw { reason: None },
    ));
    deeds
}

fn transition_table(process: &str, variants: &[&[(&str, &str)]]) -> String {
    let pack = pack();
    let calendar = calendar();
    let mut text = String::new();
    for variant in variants {
        let first = Case::open(opening(process, variant, "2026-09-21"), pack, calendar).unwrap();
        let process = pack.process(&first.head().process).unwrap();
        let words: Vec<String> = variant.iter().map(|(k, v)| format!("{k}={v}")).collect();
        writeln!(text, "## {}", words.join(" ")).unwrap();
        let mut seen: BTreeSet<String> = BTreeSet::from([state_of(&first, process)]);
        let mut to_visit = VecDeque::from([first]);
        while let Some(case) = to_visit.pop_front() {
            writeln!(text, "\n{}", state_of(&case, process)).unwrap();
            let mut results: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, actor, deed) in deeds(pack, process) {
                let act = Act {
                    actor,
                    at: morning("2026-09-22"),
                    deed,
                };
                let result = match case.apply(act, pack, calendar) {
                    Ok(next) => {
                        let state = state_of(&next, process);
                        if seen.insert(state.clone()) {
                            to_visit.push_back(next);
                        }
                        format!("-> {state}")
                    }
                    Err(refusal) => refusal.code().to_owned(),
                };
                results.entry(result).or_default().push(name);
            }
            for (result, names) in results {
                writeln!(text, "    {}: {result}", names.join(", ")).unwrap();
            }
        }
        writeln!(text).unwrap();
    }
    text
}

const VARIANTS: [&[(&str, &str)]; 6] = [
    &[("class", "unconditional"), ("mode", "table")],
    &[
        ("class", "unconditional"),
        ("mode", "table"),
        ("pooled", "false"),
    ],
    &[
        ("class", "unconditional"),
        ("mode", "file"),
        ("base_library", "true"),
    ],
    &[("class", "conditional"), ("mode", "table")],
    &[
        ("class", "conditional"),
        ("mode", "file"),
        ("pooled", "false"),
    ],
    &[
        ("class", "conditional"),
        ("mode", "table"),
        ("base_library", "true"),
    ],
];

/// Spec: PDS-10.1, PDS-10.2a, PDS-10.2b, PDS-10.2c, PDS-5.5.
#[test]
fn every_state_of_a_city_subscription_against_every_deed() {
    insta::assert_snapshot!(transition_table("table_file_subscription_city", &VARIANTS));
}

/// Spec: PDS-11.1, PDS-11.2, PDS-5.5.
#[test]
fn every_state_of_a_county_subscription_against_every_deed() {
    let county: Vec<Vec<(&str, &str)>> = VARIANTS
        .iter()
        .map(|variant| {
            variant
                .iter()
                .copied()
                .chain([("requester_level", "county")])
                .collect()
        })
        .collect();
    let county: Vec<&[(&str, &str)]> = county.iter().map(Vec::as_slice).collect();
    insta::assert_snapshot!(transition_table("table_file_subscription_county", &county));
}

#[test]
fn no_automatic_step_is_ever_left_open() {
    let pack = pack();
    for process in &pack.processes {
        for step in process
            .steps
            .iter()
            .filter(|step| step.kind == StepKind::Automatic)
        {
            assert_eq!(
                step.action.outcomes().len(),
                1,
                "{}.{}",
                process.id,
                step.id
            );
        }
    }
}
