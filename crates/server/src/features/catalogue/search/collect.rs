//! One pass over what matched: the best hits, their number, and the counts of every facet.
//!
//! The filters are applied here and not before, because the counts of a facet leave its own filter out: an entry
//! that fails exactly one filter still counts in the facet of that filter.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use tantivy::{DocAddress, DocId};

use super::evaluate::Matches;
use super::snapshot::{Bits, Order, Profile, Row, Snapshot, Table, WIDE, slot};
use super::{FACET_VALUES_MAX, Facet, FacetCount, SearchQuery, Sort};

/// An entry without data behind it keeps this part of its score, so that it sinks below its equals.
const UNMOUNTED_FACTOR: f32 = 0.8;

/// What was collected.
pub(super) struct Collected {
    /// Entries that match the text and are visible, filters aside.
    pub(super) matched: usize,
    /// Entries that pass the filters as well.
    pub(super) total: usize,
    /// Best first, at most `kept_max`.
    pub(super) best: Vec<Candidate>,
    /// Counts by value.
    pub(super) facets: BTreeMap<Facet, Vec<FacetCount>>,
}

/// A hit and what orders it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) score: f32,
    published_at: i64,
    tie: u64,
    pub(super) address: DocAddress,
}

impl Candidate {
    /// Better first.
    fn rank(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then_with(|| other.published_at.cmp(&self.published_at))
            .then_with(|| self.tie.cmp(&other.tie))
            .then_with(|| self.address.cmp(&other.address))
    }
}

/// Everything visible, all alike: nothing was typed.
pub(super) fn everything(
    snapshot: &Snapshot,
    seen: &[Bits],
    query: &SearchQuery,
    kept_max: usize,
) -> Collected {
    let mut page = Page::new(snapshot, query, kept_max);
    for (place, seen) in places(snapshot).zip(seen) {
        seen.each(|doc| {
            if let Some(row) = place.table.rows.get(slot(doc)) {
                page.count(*row);
            }
        });
        page.offer_newest(place, seen);
    }
    page.close()
}

/// What a plan has matched of what the viewer sees.
pub(super) fn matching(
    matches: &Matches,
    snapshot: &Snapshot,
    query: &SearchQuery,
    kept_max: usize,
) -> Collected {
    let mut page = Page::new(snapshot, query, kept_max);
    for (place, matches) in places(snapshot).zip(matches) {
        for (doc, score) in matches.iter().copied() {
            let Some(row) = place.table.rows.get(slot(doc)).copied() else {
                continue;
            };
            if page.count(row) {
                page.offer(place, doc, score * page.gates[slot(row.profile)].factor);
            }
        }
    }
    page.close()
}

/// A segment that is being collected.
#[derive(Clone, Copy)]
struct Place<'a> {
    segment: u32,
    table: &'a Table,
}

fn places(snapshot: &Snapshot) -> impl Iterator<Item = Place<'_>> {
    (0..)
        .zip(&snapshot.tables)
        .map(|(segment, table)| Place { segment, table })
}

/// A filter of one facet.
struct Filter {
    facet: usize,
    /// By number of the value: whether it passes.
    allowed: Vec<bool>,
    /// For the mode: the bits that pass.
    modes: u64,
}

impl Filter {
    fn passes(&self, profile: &Profile) -> bool {
        if Facet::ALL[self.facet] == Facet::Mode {
            profile.modes & self.modes != 0
        } else {
            self.allowed[usize::from(profile.values[self.facet])]
        }
    }
}

/// What the filters say of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passes,
    /// It fails the filter of the facet at this position only.
    Fails(u8),
    /// It fails several.
    Out,
}

impl Verdict {
    fn failing(self, facet: usize) -> Self {
        match self {
            Self::Passes => u8::try_from(facet).map_or(Self::Out, Self::Fails),
            Self::Fails(_) | Self::Out => Self::Out,
        }
    }
}

/// What the query makes of all entries of a profile.
#[derive(Debug, Clone, Copy)]
struct Gate {
    /// What the filters of its facets say.
    verdict: Verdict,
    /// The part of the relevance that counts.
    factor: f32,
}

struct Page<'a> {
    snapshot: &'a Snapshot,
    /// Hits kept: those of the page and all before it.
    kept_max: usize,
    /// By number of the profile.
    gates: Vec<Gate>,
    /// Filters of the facets in [`WIDE`], with their position there.
    wide_filters: Vec<(usize, Filter)>,
    /// By number of the profile.
    counts: Vec<u32>,
    /// By position in [`WIDE`] and number of the value.
    wide_counts: [Vec<u32>; WIDE.len()],
    /// The worst of `kept_max` hits at the last clearing: whatever is worse needs no second look.
    worst_kept: Option<Candidate>,
    matched: usize,
    total: usize,
    best: Vec<Candidate>,
}

/// Position of a facet in [`Facet::ALL`].
fn position(facet: Facet) -> usize {
    Facet::ALL
        .iter()
        .position(|other| *other == facet)
        .expect("every facet is in the list of all")
}

impl<'a> Page<'a> {
    fn new(snapshot: &'a Snapshot, query: &SearchQuery, kept_max: usize) -> Self {
        let numbers = &snapshot.numbers;
        let mut filters = Vec::new();
        let mut wide_filters = Vec::new();
        for (facet, values) in query
            .filters
            .iter()
            .filter(|(_, values)| !values.is_empty())
        {
            let wide = WIDE.iter().position(|wide| wide == facet);
            let facet = position(*facet);
            let mut allowed = vec![false; numbers.count(facet)];
            let mut modes = 0;
            for number in values.iter().filter_map(|value| numbers.find(facet, value)) {
                allowed[usize::from(number)] = true;
                modes |= 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
            }
            let filter = Filter {
                facet,
                allowed,
                modes,
            };
            match wide {
                Some(wide) => wide_filters.push((wide, filter)),
                None => filters.push(filter),
            }
        }
        let verdict = |profile: &Profile| {
            filters
                .iter()
                .filter(|filter| !filter.passes(profile))
                .fold(Verdict::Passes, |verdict, filter| {
                    verdict.failing(filter.facet)
                })
        };
        let mounted = numbers.find(position(Facet::Mounted), "true");
        let factor = |profile: &Profile| match query.sort {
            Sort::PublishedAt => 0.0,
            Sort::Relevance if mounted == Some(profile.values[position(Facet::Mounted)]) => 1.0,
            Sort::Relevance => UNMOUNTED_FACTOR,
        };
        Self {
            snapshot,
            kept_max,
            gates: numbers
                .profiles()
                .iter()
                .map(|profile| Gate {
                    verdict: verdict(profile),
                    factor: factor(profile),
                })
                .collect(),
            wide_filters,
            counts: vec![0; numbers.profiles().len()],
            wide_counts: WIDE.map(|facet| vec![0; numbers.count(position(facet))]),
            worst_kept: None,
            matched: 0,
            total: 0,
            best: Vec::new(),
        }
    }

    /// Counts an entry; whether it passes the filters.
    #[inline]
    fn count(&mut self, row: Row) -> bool {
        self.matched += 1;
        match self.verdict(row) {
            Verdict::Passes => {
                self.counts[slot(row.profile)] += 1;
                for (counts, number) in self.wide_counts.iter_mut().zip(row.wide) {
                    counts[usize::from(number)] += 1;
                }
                self.total += 1;
                true
            }
            Verdict::Fails(facet) => {
                let facet = usize::from(facet);
                match WIDE.map(position).iter().position(|wide| *wide == facet) {
                    Some(wide) => self.wide_counts[wide][usize::from(row.wide[wide])] += 1,
                    // `named` knows from the verdict that these count in this facet only.
                    None => self.counts[slot(row.profile)] += 1,
                }
                false
            }
            Verdict::Out => false,
        }
    }

    #[inline]
    fn verdict(&self, row: Row) -> Verdict {
        let mut verdict = self.gates[slot(row.profile)].verdict;
        for (wide, filter) in &self.wide_filters {
            if !filter.allowed[usize::from(row.wide[*wide])] {
                verdict = verdict.failing(filter.facet);
            }
        }
        verdict
    }

    /// Offers the newest entries of a segment, until there are as many as can be kept of the best.
    fn offer_newest(&mut self, place: Place<'_>, seen: &Bits) {
        let best = self
            .gates
            .iter()
            .filter(|gate| gate.verdict == Verdict::Passes)
            .map(|gate| gate.factor)
            .fold(0.0, f32::max);
        let mut wanted = self.kept_max;
        for doc in place.table.newest.iter().copied() {
            if wanted == 0 {
                break;
            }
            let Some(row) = place.table.rows.get(slot(doc)).copied() else {
                continue;
            };
            if seen.has(doc) && self.verdict(row) == Verdict::Passes {
                let score = self.gates[slot(row.profile)].factor;
                self.offer(place, doc, score);
                wanted -= usize::from(score >= best);
            }
        }
    }

    fn offer(&mut self, place: Place<'_>, doc: DocId, score: f32) {
        if self.kept_max == 0 || self.worst_kept.is_some_and(|worst| score < worst.score) {
            return;
        }
        let Some(Order { published_at, tie }) = place.table.orders.get(slot(doc)).copied() else {
            return;
        };
        let candidate = Candidate {
            score,
            published_at,
            tie,
            address: DocAddress::new(place.segment, doc),
        };
        if self
            .worst_kept
            .is_some_and(|worst| candidate.rank(&worst) == Ordering::Greater)
        {
            return;
        }
        self.best.push(candidate);
        if self.best.len() >= self.kept_max.saturating_mul(2) {
            self.keep_best();
            self.worst_kept = self.best.iter().max_by(|a, b| a.rank(b)).copied();
        }
    }

    fn keep_best(&mut self) {
        if self.best.len() > self.kept_max {
            self.best
                .select_nth_unstable_by(self.kept_max - 1, Candidate::rank);
            self.best.truncate(self.kept_max);
        }
    }

    fn close(mut self) -> Collected {
        self.keep_best();
        self.best.sort_unstable_by(Candidate::rank);
        let facets = Facet::ALL
            .iter()
            .enumerate()
            .map(|(at, facet)| (*facet, self.named(at)))
            .collect();
        Collected {
            matched: self.matched,
            total: self.total,
            best: self.best,
            facets,
        }
    }

    /// Most frequent first, then by value; of the many, only the first and those that are filtered by.
    fn named(&self, facet: usize) -> Vec<FacetCount> {
        let numbers = &self.snapshot.numbers;
        let counted = self.counted(facet);
        // Ordered by these: how rare it is, its place among the values in order.
        let mut shown: Vec<(u32, u32)> = counted
            .iter()
            .zip(numbers.ranks(facet))
            .filter(|(count, _)| **count > 0)
            .map(|(count, rank)| (u32::MAX - *count, *rank))
            .collect();
        if shown.len() > FACET_VALUES_MAX {
            shown.select_nth_unstable(FACET_VALUES_MAX);
            let is_wanted = |rank: u32| {
                let number = numbers.ranked(facet, slot(rank)).unwrap_or(0);
                self.wide_filters
                    .iter()
                    .any(|(_, filter)| filter.facet == facet && filter.allowed[number])
            };
            let mut rest = shown.split_off(FACET_VALUES_MAX);
            rest.retain(|(_, rank)| is_wanted(*rank));
            shown.extend(rest);
        }
        shown.sort_unstable();
        shown
            .into_iter()
            .filter_map(|(rarity, rank)| {
                let number = numbers.ranked(facet, slot(rank))?;
                Some(FacetCount {
                    value: numbers.name(facet, number)?.to_owned(),
                    count: slot(u32::MAX - rarity),
                })
            })
            .collect()
    }

    /// By number of the value.
    fn counted(&self, facet: usize) -> Cow<'_, [u32]> {
        if let Some(wide) = WIDE.iter().position(|wide| position(*wide) == facet) {
            return Cow::Borrowed(&self.wide_counts[wide]);
        }
        let mut counts = vec![0_u32; self.snapshot.numbers.count(facet)];
        let profiles = self.snapshot.numbers.profiles();
        let counts_here = |verdict: Verdict| {
            verdict == Verdict::Passes || verdict == Verdict::Passes.failing(facet)
        };
        for ((profile, gate), count) in profiles.iter().zip(&self.gates).zip(&self.counts) {
            if *count == 0 || !counts_here(gate.verdict) {
                continue;
            }
            if Facet::ALL[facet] == Facet::Mode {
                let mut modes = profile.modes;
                while modes != 0 {
                    counts[usize::try_from(modes.trailing_zeros()).unwrap_or(0)] += *count;
                    modes &= modes - 1;
                }
            } else {
                counts[usize::from(profile.values[facet])] += *count;
            }
        }
        Cow::Owned(counts)
    }
}
