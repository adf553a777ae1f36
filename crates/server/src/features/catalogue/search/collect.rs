//! One pass over what matched: the best hits, their number, and the counts of every facet.
//!
//! The filters are applied here and not in the query, because the counts of a facet leave its own filter out:
//! an entry that fails exactly one filter still counts in the facet of that filter.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Cardinality, Column, StrColumn};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use super::schema::{PUBLISHED_AT, TIE};
use super::{Facet, FacetCount, Sort};

/// An entry without data behind it keeps this part of its score, so that it sinks below its equals.
const UNMOUNTED_FACTOR: f32 = 0.8;

/// Collects one page.
pub(super) struct Page<'a> {
    pub(super) filters: &'a BTreeMap<Facet, Vec<String>>,
    pub(super) sort: Sort,
    /// Hits kept: those of the page and all before it.
    pub(super) kept_max: usize,
    /// Whether there is a text whose relevance counts.
    pub(super) scoring: Scoring,
}

/// Whether matches differ in relevance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scoring {
    /// By relevance to a text.
    ByText,
    /// All alike: nothing was typed.
    Even,
}

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
    pub(super) score: Score,
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

impl Collector for Page<'_> {
    type Fruit = Collected;
    type Child = SegmentPage;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentPage> {
        let columns = reader.fast_fields();
        let facets = Facet::ALL
            .iter()
            .map(|facet| FacetColumn::open(*facet, columns.str(facet.column())?, self.filters.get(facet)))
            .collect::<tantivy::Result<Vec<_>>>()?;
        let mounted = columns.str(Facet::Mounted.column())?.map(|column| OrdColumn::new(&column));
        let mounted_ord = match columns.str(Facet::Mounted.column())? {
            Some(column) => column.dictionary().term_ord("true")?,
            None => None,
        };
        Ok(SegmentPage {
            segment,
            filtered: facets.iter().enumerate().filter(|(_, facet)| facet.allowed.is_some()).map(|(at, _)| at).collect(),
            facets,
            mounted,
            mounted_ord,
            published_at: columns.i64(PUBLISHED_AT)?,
            tie: columns.u64(TIE)?,
            sort: self.sort,
            scoring: self.scoring,
            kept_max: self.kept_max,
            worst_kept: None,
            matched: 0,
            total: 0,
            best: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.scoring == Scoring::ByText && self.sort == Sort::Relevance
    }

    fn merge_fruits(&self, segments: Vec<SegmentFruit>) -> tantivy::Result<Collected> {
        let mut matched = 0;
        let mut total = 0;
        let mut best = Vec::new();
        let mut counts: BTreeMap<Facet, HashMap<String, usize>> = BTreeMap::new();
        for segment in segments {
            let segment = segment?;
            matched += segment.matched;
            total += segment.total;
            best.extend(segment.best);
            for (facet, value, count) in segment.counts {
                *counts.entry(facet).or_default().entry(value).or_default() += count;
            }
        }
        keep_best(&mut best, self.kept_max);
        best.sort_unstable_by(Candidate::rank);
        let facets = Facet::ALL.iter().map(|facet| (*facet, sorted(counts.remove(facet).unwrap_or_default()))).collect();
        Ok(Collected { matched, total, best, facets })
    }
}

/// Most frequent first, then by value, so that the order never depends on a hash.
fn sorted(counts: HashMap<String, usize>) -> Vec<FacetCount> {
    let mut sorted: Vec<FacetCount> = counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
    sorted.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    sorted
}

fn keep_best(best: &mut Vec<Candidate>, kept_max: usize) {
    if kept_max == 0 {
        best.clear();
    } else if best.len() > kept_max {
        best.select_nth_unstable_by(kept_max - 1, Candidate::rank);
        best.truncate(kept_max);
    }
}

/// The ordinals of a facet's values in one segment.
struct OrdColumn {
    ords: Column<u64>,
    several: bool,
}

impl OrdColumn {
    fn new(column: &StrColumn) -> Self {
        let ords = column.ords().clone();
        Self { several: ords.get_cardinality() == Cardinality::Multivalued, ords }
    }
}

/// One facet in one segment.
struct FacetColumn {
    facet: Facet,
    column: Option<(StrColumn, OrdColumn)>,
    /// By ordinal: whether the filter lets the value pass. `None` without a filter.
    allowed: Option<Vec<bool>>,
    counts: Vec<usize>,
}

impl FacetColumn {
    fn open(facet: Facet, column: Option<StrColumn>, filter: Option<&Vec<String>>) -> tantivy::Result<Self> {
        let terms = column.as_ref().map_or(0, |column| column.num_terms());
        let allowed = match filter.filter(|values| !values.is_empty()) {
            None => None,
            Some(values) => {
                let mut allowed = vec![false; terms];
                for value in values {
                    let ord = match &column {
                        Some(column) => column.dictionary().term_ord(value)?,
                        None => None,
                    };
                    if let Some(slot) = ord.and_then(|ord| usize::try_from(ord).ok()).and_then(|ord| allowed.get_mut(ord)) {
                        *slot = true;
                    }
                }
                Some(allowed)
            }
        };
        let column = column.map(|column| {
            let ords = OrdColumn::new(&column);
            (column, ords)
        });
        Ok(Self { facet, column, allowed, counts: vec![0; terms] })
    }

    fn passes(&self, doc: DocId) -> bool {
        let (Some(allowed), Some((_, ords))) = (&self.allowed, &self.column) else { return self.allowed.is_none() };
        let is_allowed = |ord: u64| usize::try_from(ord).is_ok_and(|ord| allowed.get(ord).copied().unwrap_or(false));
        if ords.several { ords.ords.values_for_doc(doc).any(is_allowed) } else { ords.ords.first(doc).is_some_and(is_allowed) }
    }

    fn count(&mut self, doc: DocId) {
        let Some((_, ords)) = &self.column else { return };
        let counts = &mut self.counts;
        let mut add = |ord: u64| {
            if let Some(count) = usize::try_from(ord).ok().and_then(|ord| counts.get_mut(ord)) {
                *count += 1;
            }
        };
        if ords.several { ords.ords.values_for_doc(doc).for_each(add) } else { ords.ords.first(doc).into_iter().for_each(&mut add) }
    }
}

/// The collector of one segment.
pub(super) struct SegmentPage {
    segment: SegmentOrdinal,
    facets: Vec<FacetColumn>,
    /// Positions in `facets` that have a filter.
    filtered: Vec<usize>,
    mounted: Option<OrdColumn>,
    mounted_ord: Option<u64>,
    published_at: Column<i64>,
    tie: Column<u64>,
    sort: Sort,
    scoring: Scoring,
    kept_max: usize,
    /// The worst of `kept_max` hits at the last clearing: whatever is worse needs no second look.
    worst_kept: Option<Candidate>,
    matched: usize,
    total: usize,
    best: Vec<Candidate>,
}

impl SegmentPage {
    fn offer(&mut self, doc: DocId, score: Score) {
        if self.kept_max == 0 {
            return;
        }
        let score = self.score(doc, score);
        if self.worst_kept.is_some_and(|worst| score < worst.score) {
            return;
        }
        let candidate = Candidate {
            score,
            published_at: self.published_at.first(doc).unwrap_or(0),
            tie: self.tie.first(doc).unwrap_or(0),
            address: DocAddress::new(self.segment, doc),
        };
        if self.worst_kept.is_some_and(|worst| candidate.rank(&worst) == Ordering::Greater) {
            return;
        }
        self.best.push(candidate);
        if self.best.len() >= self.kept_max.saturating_mul(2) {
            keep_best(&mut self.best, self.kept_max);
            self.worst_kept = self.best.iter().max_by(|a, b| a.rank(b)).copied();
        }
    }

    fn score(&self, doc: DocId, score: Score) -> Score {
        if self.sort == Sort::PublishedAt {
            return 0.0;
        }
        let relevance = if self.scoring == Scoring::ByText { score } else { 1.0 };
        let is_mounted = match (&self.mounted, self.mounted_ord) {
            (Some(column), Some(mounted)) => column.ords.first(doc) == Some(mounted),
            _ => false,
        };
        if is_mounted { relevance } else { relevance * UNMOUNTED_FACTOR }
    }
}

impl SegmentCollector for SegmentPage {
    type Fruit = SegmentFruit;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.matched += 1;
        let mut failed = None;
        for at in &self.filtered {
            if !self.facets[*at].passes(doc) {
                if failed.is_some() {
                    return;
                }
                failed = Some(*at);
            }
        }
        if let Some(only) = failed {
            self.facets[only].count(doc);
            return;
        }
        for facet in &mut self.facets {
            facet.count(doc);
        }
        self.total += 1;
        self.offer(doc, score);
    }

    fn harvest(mut self) -> SegmentFruit {
        keep_best(&mut self.best, self.kept_max);
        let counts = self
            .facets
            .iter()
            .map(counts_by_value)
            .collect::<tantivy::Result<Vec<_>>>()
            .map(|counts| counts.into_iter().flatten().collect());
        counts.map(|counts| SegmentCounts { matched: self.matched, total: self.total, best: self.best, counts })
    }
}

/// What one segment gives; fails when its dictionary can't be read.
pub(super) type SegmentFruit = tantivy::Result<SegmentCounts>;

/// See [`SegmentFruit`].
pub(super) struct SegmentCounts {
    matched: usize,
    total: usize,
    best: Vec<Candidate>,
    counts: Vec<(Facet, String, usize)>,
}

fn counts_by_value(facet: &FacetColumn) -> tantivy::Result<Vec<(Facet, String, usize)>> {
    let Some((column, _)) = &facet.column else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (ord, count) in (0_u64..).zip(&facet.counts) {
        let mut value = String::new();
        if *count > 0 && column.ord_to_str(ord, &mut value)? {
            found.push((facet.facet, value, *count));
        }
    }
    Ok(found)
}
