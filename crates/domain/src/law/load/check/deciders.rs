//! Whether the rules on who decides can be told apart.

use std::collections::BTreeSet;

use super::Check;
use crate::law::facts::{Facts, Holds};
use crate::law::load::fault::FaultKind;
use crate::law::pack::Decider;

/// So many combinations of facts are tried one by one to find rules that never apply.
const COMBINATIONS_MAX: usize = 20_000;

impl Check<'_> {
    pub(super) fn deciders(&self) {
        let deciders = &self.pack.deciders;
        for decider in deciders {
            self.condition(&decider.when, decider.line, "decider");
            for role in &decider.notify {
                self.role(role, decider.line, "decider");
            }
        }
        for (at, first) in deciders.iter().enumerate() {
            for second in &deciders[at + 1..] {
                self.decider_pair(first, second);
            }
        }
        self.deciders_that_never_win();
    }

    fn decider_pair(&self, first: &Decider, second: &Decider) {
        let same = first.when == second.when;
        let narrower_first = first.when.is_within(&second.when) && !same;
        if first.decides == second.decides
            || first.prevails
            || narrower_first
            || !first.when.overlaps(&second.when)
        {
            return;
        }
        self.fault(
            second.line,
            FaultKind::OverlappingDeciders,
            format!(
                "two deciders apply to the same case: {} (line {}) says {}, {} says {}",
                first.when.in_words(),
                first.line,
                first.decides,
                second.when.in_words(),
                second.decides
            ),
            "narrow one of them, put the narrower one first, or mark the one that goes first with prevails = true",
        );
    }

    /// Tries every combination of the facts that deciders ask about.
    fn deciders_that_never_win(&self) {
        let deciders = &self.pack.deciders;
        let asked: BTreeSet<&str> = deciders
            .iter()
            .flat_map(|decider| decider.when.facts())
            .collect();
        let mut combinations: Vec<Facts> = vec![Facts::new()];
        for name in asked {
            let Some(fact) = self.fact(name) else { return };
            if combinations.len() * fact.values.len() > COMBINATIONS_MAX {
                return;
            }
            combinations = combinations
                .iter()
                .flat_map(|facts| {
                    fact.values.iter().map(move |value| {
                        let mut facts = facts.clone();
                        facts.insert(fact.id.clone(), value.clone());
                        facts
                    })
                })
                .collect();
        }
        let winners: BTreeSet<usize> = combinations
            .iter()
            .filter_map(|facts| {
                deciders
                    .iter()
                    .position(|decider| decider.when.holds(facts) == Holds::Yes)
            })
            .collect();
        for (at, decider) in deciders.iter().enumerate() {
            if !winners.contains(&at) {
                self.fault(
                    decider.line,
                    FaultKind::NeverWins,
                    format!(
                        "the decider for {} never applies: earlier ones cover all its cases",
                        decider.when.in_words()
                    ),
                    "move it up or remove it",
                );
            }
        }
    }
}
