//! Runs a plan over the postings of a segment.
//!
//! The clause that fewest entries meet comes first: one way after the other is added into an array with a slot per
//! entry, which for common terms beats walking all postings side by side. Every further clause is only looked up for
//! the entries that are left.

mod lookup;
mod segment;
mod tally;

use tantivy::{DocId, Searcher};

use super::plan::Plan;
use super::snapshot::Bits;
use lookup::Lookup;
use segment::Segment;
use tally::{Repetitions, Tally};

/// Entries that match, in order, with their scores, by segment.
pub(super) type Matches = Vec<Vec<(DocId, f32)>>;

/// Room for scores, kept from search to search: making it anew for a million entries takes longer than most searches.
#[derive(Default)]
pub(super) struct Scratch {
    /// Of several clauses, of a clause, of a way, of a group.
    sum: Tally,
    clause: Tally,
    way: Tally,
    group: Repetitions,
}

/// Runs plans over every segment, and remembers the terms that it has looked up for one.
pub(super) struct Evaluator<'a> {
    lookup: Lookup<'a>,
    /// By segment: what may be found.
    seen: &'a [Bits],
    scratch: &'a mut Scratch,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(searcher: &'a Searcher, seen: &'a [Bits], scratch: &'a mut Scratch) -> Self {
        Self {
            lookup: Lookup::new(searcher),
            seen,
            scratch,
        }
    }

    pub(super) fn run(&mut self, plan: &Plan) -> tantivy::Result<Matches> {
        let searcher = self.lookup.searcher;
        let mut clauses = Vec::with_capacity(plan.clauses.len());
        for clause in &plan.clauses {
            let found = self.lookup.clause(clause)?;
            let is_nowhere = (0..searcher.segment_readers().len()).all(|at| found.cost(at) == 0);
            if is_nowhere && plan.needed == plan.clauses.len() {
                return Ok(vec![Vec::new(); searcher.segment_readers().len()]);
            }
            clauses.push(found);
        }
        let lifts = self.lookup.ways(&plan.lifts)?;
        let mut matches = Vec::new();
        for (at, seen) in self.seen.iter().enumerate() {
            let mut segment = Segment::new(searcher, at, seen, &self.lookup.averages, self.scratch);
            matches.push(segment.run(&clauses, plan.needed, &lifts)?);
        }
        Ok(matches)
    }
}
