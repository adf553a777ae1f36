//! One pass over what matched: the best hits, their number, and the counts of every facet.
//!
//! The filters are applied here and not before, because the counts of a facet leave its own filter out: an entry
//! that fails exactly one filter still counts in the facet of that filter.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use tantivy::{DocAddress, DocId, SegmentReader};

use super::evaluate::Matches;
use super::snapshot::{Order, Profile, Row, Snapshot, Table, WIDE};
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
pub(super) fn everything(snapshot: &Snapshot, query: &SearchQuery, kept_max: usize) -> Collected {
    let mut page = Page::new(snapshot, query, kept_max);
    for ((segment, reader), table) in (0..)
        .zip(snapshot.searcher.segment_readers())
        .zip(&snapshot.tables)
    {
        for (doc, row) in (0..).zip(&table.rows) {
            page.take(
                Found {
                    segment,
                    doc,
                    reader,
                    table,
                },
                *row,
                1.0,
            );
        }
    }
    page.close()
}

/// What a plan has matched.
pub(super) fn matching(
    matches: &Matches,
    snapshot: &Snapshot,
    query: &SearchQuery,
    kept_max: usize,
) -> Collected {
    let mut page = Page::new(snapshot, query, kept_max);
    for (((segment, reader), table), matches) in (0..)
        .zip(snapshot.searcher.segment_readers())
        .zip(&snapshot.tables)
        .zip(matches)
    {
        for (doc, score) in matches.iter().copied() {
            if let Some(row) = table.rows.get(at(doc)) {
                page.take(
                    Found {
                        segment,
                        doc,
                        reader,
                        table,
                    },
                    *row,
                    score,
                );
            }
        }
    }
    page.close()
}

/// An entry that matches, and where it lies.
#[derive(Clone, Copy)]
struct Found<'a> {
    segment: u32,
    doc: DocId,
    reader: &'a SegmentReader,
    table: &'a Table,
}

fn at(doc: DocId) -> usize {
    usize::try_from(doc).expect("a segment has fewer entries than an address space")
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
    /// It fails this facet's filter only.
    Fails(usize),
    /// It fails several.
    Out,
}

impl Verdict {
    fn failing(self, facet: usize) -> Self {
        match self {
            Self::Passes => Self::Fails(facet),
            Self::Fails(_) | Self::Out => Self::Out,
        }
    }
}

struct Page<'a> {
    snapshot: &'a Snapshot,
    /// Hits kept: those of the page and all before it.
    kept_max: usize,
    visible: Vec<bool>,
    /// By number of the profile: what the filters of its facets say.
    verdicts: Vec<Verdict>,
    /// By number of the profile: the part of the relevance that counts.
    factors: Vec<f32>,
    /// Filters of the facets in [`WIDE`], with their position there.
    wide_filters: Vec<(usize, Filter)>,
    /// By number of the profile.
    counts: Vec<usize>,
    /// By position in [`WIDE`] and number of the value.
    wide_counts: [Vec<usize>; WIDE.len()],
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
            visible: numbers.visible(&query.labels),
            verdicts: numbers.profiles().iter().map(verdict).collect(),
            factors: numbers.profiles().iter().map(factor).collect(),
            wide_filters,
            counts: vec![0; numbers.profiles().len()],
            wide_counts: WIDE.map(|facet| vec![0; numbers.count(position(facet))]),
            worst_kept: None,
            matched: 0,
            total: 0,
            best: Vec::new(),
        }
    }

    fn take(&mut self, found: Found<'_>, row: Row, score: f32) {
        let is_visible =
            usize::try_from(row.labels).is_ok_and(|labels| self.visible.get(labels) == Some(&true));
        if !is_visible || found.reader.is_deleted(found.doc) {
            return;
        }
        self.matched += 1;
        let profile = at(row.profile);
        let mut verdict = self.verdicts[profile];
        for (wide, filter) in &self.wide_filters {
            if !filter.allowed[usize::from(row.wide[*wide])] {
                verdict = verdict.failing(filter.facet);
            }
        }
        match verdict {
            Verdict::Passes => {
                self.counts[profile] += 1;
                for (counts, number) in self.wide_counts.iter_mut().zip(row.wide) {
                    counts[usize::from(number)] += 1;
                }
                self.total += 1;
                self.offer(found, score * self.factors[profile]);
            }
            Verdict::Fails(facet) => {
                match WIDE.map(position).iter().position(|wide| *wide == facet) {
                    Some(wide) => self.wide_counts[wide][usize::from(row.wide[wide])] += 1,
                    // `named` knows from the verdict that these count in this facet only.
                    None => self.counts[profile] += 1,
                }
            }
            Verdict::Out => {}
        }
    }

    fn offer(&mut self, found: Found<'_>, score: f32) {
        if self.kept_max == 0 || self.worst_kept.is_some_and(|worst| score < worst.score) {
            return;
        }
        let Some(Order { published_at, tie }) = found.table.orders.get(at(found.doc)).copied()
        else {
            return;
        };
        let candidate = Candidate {
            score,
            published_at,
            tie,
            address: DocAddress::new(found.segment, found.doc),
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
        let mut named: Vec<(usize, &str, usize)> = counted
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .filter_map(|(number, count)| Some((*count, numbers.name(facet, number)?, number)))
            .collect();
        let order = |a: &(usize, &str, usize), b: &(usize, &str, usize)| {
            b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1))
        };
        if named.len() > FACET_VALUES_MAX {
            named.select_nth_unstable_by(FACET_VALUES_MAX, order);
            let is_wanted = |number: usize| {
                self.wide_filters
                    .iter()
                    .any(|(_, filter)| filter.facet == facet && filter.allowed[number])
            };
            let (shown, rest) = named.split_at(FACET_VALUES_MAX);
            named = shown
                .iter()
                .chain(rest.iter().filter(|(.., number)| is_wanted(*number)))
                .copied()
                .collect();
        }
        named.sort_unstable_by(order);
        named
            .into_iter()
            .map(|(count, value, _)| FacetCount {
                value: value.to_owned(),
                count,
            })
            .collect()
    }

    /// By number of the value.
    fn counted(&self, facet: usize) -> Cow<'_, [usize]> {
        if let Some(wide) = WIDE.iter().position(|wide| position(*wide) == facet) {
            return Cow::Borrowed(&self.wide_counts[wide]);
        }
        let mut counts = vec![0; self.snapshot.numbers.count(facet)];
        let profiles = self.snapshot.numbers.profiles();
        for ((profile, verdict), count) in profiles.iter().zip(&self.verdicts).zip(&self.counts) {
            if *count == 0
                || !matches!(verdict, Verdict::Passes) && *verdict != Verdict::Fails(facet)
            {
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
