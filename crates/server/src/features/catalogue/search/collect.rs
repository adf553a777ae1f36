//! One pass over what matched: the best hits, their number, and the counts of every facet.
//!
//! The filters are applied here and not before, because the counts of a facet leave its own filter out: an entry
//! that fails exactly one filter still counts in the facet of that filter.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use tantivy::{DocAddress, DocId, SegmentReader};

use super::evaluate::Matches;
use super::snapshot::{Row, Snapshot};
use super::{Facet, FacetCount, SearchQuery, Sort};

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
    for (segment, reader) in (0..).zip(snapshot.searcher.segment_readers()) {
        for doc in 0..reader.max_doc() {
            page.take(segment, reader, doc, 1.0);
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
    for ((segment, reader), matches) in (0..).zip(snapshot.searcher.segment_readers()).zip(matches)
    {
        for (doc, score) in matches {
            page.take(segment, reader, *doc, *score);
        }
    }
    page.close()
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
    fn passes(&self, row: &Row) -> bool {
        if Facet::ALL[self.facet] == Facet::Mode {
            row.modes & self.modes != 0
        } else {
            self.allowed[usize::from(row.values[self.facet])]
        }
    }
}

struct Page<'a> {
    snapshot: &'a Snapshot,
    sort: Sort,
    /// Hits kept: those of the page and all before it.
    kept_max: usize,
    visible: Vec<bool>,
    filters: Vec<Filter>,
    mounted: Option<u16>,
    /// By facet and number of the value.
    counts: Vec<Vec<usize>>,
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
        let filters = query
            .filters
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(facet, values)| {
                let facet = position(*facet);
                let mut allowed = vec![false; numbers.count(facet)];
                let mut modes = 0;
                for number in values.iter().filter_map(|value| numbers.find(facet, value)) {
                    allowed[usize::from(number)] = true;
                    modes |= 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
                }
                Filter {
                    facet,
                    allowed,
                    modes,
                }
            })
            .collect();
        Self {
            snapshot,
            sort: query.sort,
            kept_max,
            visible: numbers.visible(&query.labels),
            filters,
            mounted: numbers.find(position(Facet::Mounted), "true"),
            counts: (0..Facet::ALL.len())
                .map(|facet| vec![0; numbers.count(facet)])
                .collect(),
            worst_kept: None,
            matched: 0,
            total: 0,
            best: Vec::new(),
        }
    }

    fn take(&mut self, segment: u32, reader: &SegmentReader, doc: DocId, score: f32) {
        let rows = &self.snapshot.tables[usize::try_from(segment).unwrap_or(0)].rows;
        let Some(row) = usize::try_from(doc)
            .ok()
            .and_then(|doc| rows.get(doc))
            .copied()
        else {
            return;
        };
        let is_visible =
            usize::try_from(row.labels).is_ok_and(|labels| self.visible.get(labels) == Some(&true));
        if !is_visible || reader.is_deleted(doc) {
            return;
        }
        self.matched += 1;
        let mut failed = None;
        for filter in &self.filters {
            if !filter.passes(&row) {
                if failed.is_some() {
                    return;
                }
                failed = Some(filter.facet);
            }
        }
        if let Some(only) = failed {
            self.count(only, &row);
            return;
        }
        for facet in 0..Facet::ALL.len() {
            self.count(facet, &row);
        }
        self.total += 1;
        self.offer(&row, DocAddress::new(segment, doc), score);
    }

    fn count(&mut self, facet: usize, row: &Row) {
        let counts = &mut self.counts[facet];
        if Facet::ALL[facet] == Facet::Mode {
            let mut modes = row.modes;
            while modes != 0 {
                counts[usize::try_from(modes.trailing_zeros()).unwrap_or(0)] += 1;
                modes &= modes - 1;
            }
        } else {
            counts[usize::from(row.values[facet])] += 1;
        }
    }

    fn offer(&mut self, row: &Row, address: DocAddress, relevance: f32) {
        if self.kept_max == 0 {
            return;
        }
        let is_mounted = self.mounted == Some(row.values[position(Facet::Mounted)]);
        let score = match self.sort {
            Sort::PublishedAt => 0.0,
            Sort::Relevance if is_mounted => relevance,
            Sort::Relevance => relevance * UNMOUNTED_FACTOR,
        };
        let candidate = Candidate {
            score,
            published_at: row.published_at,
            tie: row.tie,
            address,
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

    /// Most frequent first, then by value.
    fn named(&self, facet: usize) -> Vec<FacetCount> {
        let numbers = &self.snapshot.numbers;
        let mut named: Vec<FacetCount> = self.counts[facet]
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .filter_map(|(number, count)| {
                Some(FacetCount {
                    value: numbers.name(facet, number)?.to_owned(),
                    count: *count,
                })
            })
            .collect();
        named.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        named
    }
}
