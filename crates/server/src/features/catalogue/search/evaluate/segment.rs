//! One segment under evaluation: the rarest clause is read, the others are looked up for what it leaves.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{BlockSegmentPostings, Postings, SegmentPostings, TermInfo};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Searcher};

use super::super::snapshot::Bits;
use super::Scratch;
use super::lookup::{Found, FoundClause, read};
use super::tally::{Repetitions, index, precise};

/// How fast repetition stops counting, and how much the length of a text counts: the usual values of BM25.
const K1: f32 = 1.2;
const B: f32 = 0.75;
/// Scores are worked out once for terms that are repeated up to so often.
const REPEATED_MAX: usize = 4;
/// Lengths of texts that tantivy tells apart.
const LENGTHS: usize = 256;
/// Looking an entry up in the postings of a term takes as long as reading so many of them.
const POSTINGS_PER_LOOKUP: u64 = 16;

/// One segment under evaluation.
pub(super) struct Segment<'a> {
    searcher: &'a Searcher,
    at: usize,
    /// What may be found in it.
    seen: &'a Bits,
    averages: &'a HashMap<Field, f32>,
    fields: HashMap<Field, Arc<Place>>,
    scratch: &'a mut Scratch,
}

/// One field of a segment.
struct Place {
    index: Arc<InvertedIndexReader>,
    lengths: FieldNormReader,
    /// By length of the text, as tantivy codes it: how much its length weakens a term.
    weakening: Vec<f32>,
    /// By repetitions of a term and by length: its score.
    scores: Vec<f32>,
}

impl Place {
    fn new(index: Arc<InvertedIndexReader>, lengths: FieldNormReader, average: f32) -> Self {
        let weakening: Vec<f32> = (0..=u8::MAX)
            .map(|id| {
                K1 * (1.0 - B
                    + B * precise(u64::from(FieldNormReader::id_to_fieldnorm(id))) / average)
            })
            .collect();
        let scores = (0..=REPEATED_MAX)
            .zip(0..)
            .flat_map(|(_, repetitions)| {
                weakening
                    .iter()
                    .map(move |weakening| saturated(repetitions, *weakening))
            })
            .collect();
        Self {
            index,
            lengths,
            weakening,
            scores,
        }
    }

    #[inline]
    fn score(&self, doc: DocId, repetitions: u32) -> f32 {
        let length = usize::from(self.lengths.fieldnorm_id(doc));
        match self.scores.get(index(repetitions) * LENGTHS + length) {
            Some(score) => *score,
            None => saturated(repetitions, self.weakening[length]),
        }
    }

    /// To look entries up in.
    fn postings(&self, term: &TermInfo) -> tantivy::Result<SegmentPostings> {
        Ok(self
            .index
            .read_postings_from_terminfo(term, IndexRecordOption::WithFreqs)?)
    }

    /// Gives every entry that has a term, in order, with its repetitions. Reading whole blocks takes a fraction of what
    /// stepping from entry to entry takes.
    fn each(&self, term: &TermInfo, mut take: impl FnMut(DocId, u32)) -> tantivy::Result<()> {
        let mut postings: BlockSegmentPostings = self
            .index
            .read_block_postings_from_terminfo(term, IndexRecordOption::WithFreqs)?;
        while postings.block_len() > 0 {
            for (doc, repetitions) in postings.docs().iter().zip(postings.freqs()) {
                take(*doc, *repetitions);
            }
            postings.advance();
        }
        Ok(())
    }
}

/// What a term is worth that is repeated so often in a text that weakens it so much.
fn saturated(repetitions: u32, weakening: f32) -> f32 {
    let repetitions = precise(u64::from(repetitions));
    repetitions * (1.0 + K1) / (repetitions + weakening)
}

/// An entry that is still in question: its position among those asked for, the entry, its score.
type Left = (usize, DocId, f32);

impl<'a> Segment<'a> {
    pub(super) fn new(
        searcher: &'a Searcher,
        at: usize,
        seen: &'a Bits,
        averages: &'a HashMap<Field, f32>,
        scratch: &'a mut Scratch,
    ) -> Self {
        let entries = index(searcher.segment_readers()[at].max_doc());
        scratch.sum.widen(entries);
        scratch.clause.widen(entries);
        scratch.way.widen(entries);
        scratch.group.widen(entries);
        Self {
            searcher,
            at,
            seen,
            averages,
            fields: HashMap::new(),
            scratch,
        }
    }

    pub(super) fn run(
        &mut self,
        clauses: &[FoundClause],
        needed: usize,
        lifts: &[Found],
    ) -> tantivy::Result<Vec<(DocId, f32)>> {
        let mut clauses: Vec<&FoundClause> = clauses.iter().collect();
        clauses.sort_by_cached_key(|clause| clause.cost(self.at));
        let mut matches = if needed == clauses.len() {
            self.all(&clauses)?
        } else {
            self.some(&clauses, needed)?
        };
        for way in lifts {
            if matches.is_empty() {
                break;
            }
            let lifted = self.among(std::slice::from_ref(way), &matches)?;
            for ((_, score), lift) in matches.iter_mut().zip(lifted) {
                *score += lift.unwrap_or(0.0);
            }
        }
        Ok(matches)
    }

    /// What meets every clause.
    fn all(&mut self, clauses: &[&FoundClause]) -> tantivy::Result<Vec<(DocId, f32)>> {
        let Some((first, others)) = clauses.split_first() else {
            return Ok(Vec::new());
        };
        let mut matches = self.clause(first)?;
        for clause in others {
            if matches.is_empty() {
                break;
            }
            let scores = self.clause_among(clause, &matches)?;
            keep_met(&mut matches, &scores);
        }
        Ok(matches)
    }

    /// What meets at least so many clauses.
    fn some(
        &mut self,
        clauses: &[&FoundClause],
        needed: usize,
    ) -> tantivy::Result<Vec<(DocId, f32)>> {
        // Whoever meets enough of them meets at least one of the first ones.
        let (first, others) = clauses.split_at(clauses.len() + 1 - needed.clamp(1, clauses.len()));
        let entries = index(self.searcher.segment_readers()[self.at].max_doc());
        let mut counts = vec![0_u8; entries];
        for clause in first {
            for (doc, score) in self.clause(clause)? {
                self.scratch.sum.add(doc, score);
                counts[index(doc)] += 1;
            }
        }
        let mut matches = self.scratch.sum.drained();
        for (number, clause) in others.iter().enumerate() {
            // Whoever can't get there any more need not be looked at.
            let left = others.len() - number;
            matches.retain(|(doc, _)| usize::from(counts[index(*doc)]) + left >= needed);
            let scores = self.clause_among(clause, &matches)?;
            for ((doc, sum), score) in matches.iter_mut().zip(scores) {
                counts[index(*doc)] += u8::from(score.is_some());
                *sum += score.unwrap_or(0.0);
            }
        }
        matches.retain(|(doc, _)| usize::from(counts[index(*doc)]) >= needed);
        Ok(matches)
    }

    /// What meets a clause.
    fn clause(&mut self, clause: &FoundClause) -> tantivy::Result<Vec<(DocId, f32)>> {
        match clause {
            FoundClause::Any(ways) => self.best(ways),
            FoundClause::AnyOrAll(ways, each) => {
                let mut each: Vec<&Vec<Found>> = each.iter().collect();
                each.sort_by_cached_key(|ways| {
                    ways.iter().map(|way| way.cost(self.at)).sum::<u64>()
                });
                let mut all = match each.first() {
                    Some(first) => self.best(first)?,
                    None => Vec::new(),
                };
                for ways in each.iter().skip(1) {
                    if all.is_empty() {
                        break;
                    }
                    let scores = self.among(ways, &all)?;
                    keep_met(&mut all, &scores);
                }
                for (doc, score) in self.best(ways)?.into_iter().chain(all) {
                    self.scratch.clause.lift(doc, score);
                }
                Ok(self.scratch.clause.drained())
            }
        }
    }

    /// How well each of these entries meets a clause; `None` if it doesn't.
    fn clause_among(
        &mut self,
        clause: &FoundClause,
        docs: &[(DocId, f32)],
    ) -> tantivy::Result<Vec<Option<f32>>> {
        match clause {
            FoundClause::Any(ways) => self.among(ways, docs),
            FoundClause::AnyOrAll(ways, each) => {
                let mut best = self.among(ways, docs)?;
                let mut all = vec![Some(0.0); docs.len()];
                for ways in each {
                    for (sum, score) in all.iter_mut().zip(self.among(ways, docs)?) {
                        *sum = sum.zip(score).map(|(sum, score)| sum + score);
                    }
                }
                for (best, all) in best.iter_mut().zip(all) {
                    *best = better(*best, all);
                }
                Ok(best)
            }
        }
    }

    /// What goes one of several ways, with the score of its best.
    fn best(&mut self, ways: &[Found]) -> tantivy::Result<Vec<(DocId, f32)>> {
        for way in ways {
            self.way(way)?;
            if ways.len() > 1 {
                let Scratch { clause, way, .. } = &mut *self.scratch;
                way.drain(|doc, score| clause.lift(doc, score));
            }
        }
        Ok(if ways.len() == 1 {
            self.scratch.way.drained()
        } else {
            self.scratch.clause.drained()
        })
    }

    /// How well each of these entries goes the best of several ways.
    fn among(
        &mut self,
        ways: &[Found],
        docs: &[(DocId, f32)],
    ) -> tantivy::Result<Vec<Option<f32>>> {
        let mut best: Vec<Option<f32>> = Vec::new();
        for way in ways {
            let sums = self.way_among(way, docs)?;
            if best.is_empty() {
                best = sums;
                continue;
            }
            for (best, sum) in best.iter_mut().zip(sums) {
                *best = better(*best, sum);
            }
        }
        best.resize(docs.len(), None);
        Ok(best)
    }

    /// How well each of these entries goes a way.
    fn way_among(
        &mut self,
        way: &Found,
        docs: &[(DocId, f32)],
    ) -> tantivy::Result<Vec<Option<f32>>> {
        let mut sums: Vec<Option<f32>> = vec![None; docs.len()];
        for (place, groups) in self.laid_out(way)? {
            let [(terms, weight), others @ ..] = &groups[..] else {
                continue;
            };
            let group = &mut self.scratch.group;
            let mut left: Vec<Left> = Vec::new();
            score_each(&place, terms, *weight, docs, group, |at, doc, score| {
                if others.is_empty() {
                    sums[at] = Some(sums[at].unwrap_or(0.0) + score);
                } else {
                    left.push((at, doc, score));
                }
            })?;
            for (terms, weight) in others {
                if left.is_empty() {
                    break;
                }
                narrow(&place, terms, *weight, &mut left, group)?;
            }
            for (at, _, score) in left {
                sums[at] = Some(sums[at].unwrap_or(0.0) + score);
            }
        }
        Ok(sums)
    }

    /// Fills the tally of the way: what its places give, added up.
    fn way(&mut self, way: &Found) -> tantivy::Result<()> {
        for (place, groups) in self.laid_out(way)? {
            let [(terms, weight), others @ ..] = &groups[..] else {
                continue;
            };
            let Scratch { way, group, .. } = &mut *self.scratch;
            let seen = self.seen;
            if others.is_empty() {
                group_of(&place, terms, seen, group, |doc, score| {
                    way.add(doc, weight * score);
                })?;
                continue;
            }
            let mut left: Vec<Left> = Vec::new();
            group_of(&place, terms, seen, group, |doc, score| {
                left.push((0, doc, weight * score));
            })?;
            for (terms, weight) in others {
                narrow(&place, terms, *weight, &mut left, group)?;
            }
            for (_, doc, score) in left {
                way.add(doc, score);
            }
        }
        Ok(())
    }

    /// The places of a way in which it can be found at all, each with the terms of its groups and what they are
    /// worth. The rarest group comes first: the others only need to be looked up for what it leaves.
    fn laid_out<'f>(&mut self, way: &'f Found) -> tantivy::Result<Vec<LaidOut<'f>>> {
        let mut places = Vec::with_capacity(way.places.len());
        for ((field, weight), groups) in way.places.iter().zip(&way.terms) {
            let mut groups: Vec<(&[TermInfo], f32)> = groups
                .iter()
                .zip(&way.rarity)
                .map(|(segments, rarity)| (segments[self.at].as_slice(), weight * rarity))
                .collect();
            groups.sort_by_key(|(terms, _)| read(terms));
            if groups.first().is_some_and(|(terms, _)| !terms.is_empty()) {
                places.push((self.place(*field)?, groups));
            }
        }
        Ok(places)
    }

    fn place(&mut self, field: Field) -> tantivy::Result<Arc<Place>> {
        if let Some(place) = self.fields.get(&field) {
            return Ok(Arc::clone(place));
        }
        let reader = &self.searcher.segment_readers()[self.at];
        let average = self.averages.get(&field).copied().unwrap_or(1.0).max(1.0);
        let place = Arc::new(Place::new(
            reader.inverted_index(field)?,
            reader.get_fieldnorms_reader(field)?,
            average,
        ));
        self.fields.insert(field, Arc::clone(&place));
        Ok(place)
    }
}

/// A place, and the terms of each group with what the group is worth there.
type LaidOut<'f> = (Arc<Place>, Vec<(&'f [TermInfo], f32)>);

/// The greater of two scores, if there is any.
fn better(one: Option<f32>, other: Option<f32>) -> Option<f32> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

/// Keeps what has a score, and adds it.
fn keep_met(matches: &mut Vec<(DocId, f32)>, scores: &[Option<f32>]) {
    let mut scores = scores.iter();
    matches.retain_mut(|(_, sum)| match scores.next().copied().flatten() {
        Some(more) => {
            *sum += more;
            true
        }
        None => false,
    });
}

/// Keeps the entries that have one of the terms, and adds the best of them; `group` is room for that.
fn narrow(
    place: &Place,
    terms: &[TermInfo],
    weight: f32,
    left: &mut Vec<Left>,
    group: &mut Repetitions,
) -> tantivy::Result<()> {
    let keep = |doc: DocId, score: &mut f32, repetitions: u32| {
        if repetitions > 0 {
            *score += weight * place.score(doc, repetitions);
        }
        repetitions > 0
    };
    match Repeated::new(place, terms, left.len(), group)? {
        Repeated::Read(group) => {
            left.retain_mut(|(_, doc, score)| keep(*doc, score, group.of(*doc)));
            group.clear();
        }
        Repeated::Sought(mut postings) => {
            left.retain_mut(|(_, doc, score)| keep(*doc, score, sought(&mut postings, *doc)));
        }
    }
    Ok(())
}

/// Gives those of the entries that have one of the terms, with their position and the score of the best; `group` is room
/// for that.
fn score_each(
    place: &Place,
    terms: &[TermInfo],
    weight: f32,
    docs: &[(DocId, f32)],
    group: &mut Repetitions,
    mut take: impl FnMut(usize, DocId, f32),
) -> tantivy::Result<()> {
    let mut give = |at: usize, doc: DocId, repetitions: u32| {
        if repetitions > 0 {
            take(at, doc, weight * place.score(doc, repetitions));
        }
    };
    match Repeated::new(place, terms, docs.len(), group)? {
        Repeated::Read(group) => {
            for (at, (doc, _)) in docs.iter().enumerate() {
                give(at, *doc, group.of(*doc));
            }
            group.clear();
        }
        Repeated::Sought(mut postings) => {
            for (at, (doc, _)) in docs.iter().enumerate() {
                give(at, *doc, sought(&mut postings, *doc));
            }
        }
    }
    Ok(())
}

/// How often the one of several terms that is repeated most stands in a text: it is the best of them there.
enum Repeated<'a> {
    /// All postings have been read.
    Read(&'a mut Repetitions),
    /// The postings are to be sought through, one entry after the other.
    Sought(Vec<SegmentPostings>),
}

impl<'a> Repeated<'a> {
    fn new(
        place: &Place,
        terms: &[TermInfo],
        asked: usize,
        group: &'a mut Repetitions,
    ) -> tantivy::Result<Self> {
        if are_sought(terms, asked) {
            let postings = terms.iter().map(|term| place.postings(term));
            return Ok(Self::Sought(postings.collect::<tantivy::Result<_>>()?));
        }
        group.note(place, terms)?;
        Ok(Self::Read(group))
    }
}

fn sought(postings: &mut [SegmentPostings], doc: DocId) -> u32 {
    postings
        .iter_mut()
        .filter_map(|postings| seek(postings, doc).then(|| postings.term_freq()))
        .max()
        .unwrap_or(0)
}

/// Whether so few entries are left that they are better looked up one by one than all postings read.
fn are_sought(terms: &[TermInfo], left: usize) -> bool {
    let lookups = u64::try_from(left * terms.len()).unwrap_or(u64::MAX);
    lookups.saturating_mul(POSTINGS_PER_LOOKUP) < read(terms)
}

fn seek(postings: &mut SegmentPostings, doc: DocId) -> bool {
    postings.doc() == doc || (postings.doc() < doc && postings.seek(doc) == doc)
}

/// Gives every entry that may be found and has one of the terms, in order, with the score of the best; `group` is room
/// for that.
fn group_of(
    place: &Place,
    terms: &[TermInfo],
    seen: &Bits,
    group: &mut Repetitions,
    mut take: impl FnMut(DocId, f32),
) -> tantivy::Result<()> {
    let mut take = |doc, repetitions| {
        if seen.has(doc) {
            take(doc, place.score(doc, repetitions));
        }
    };
    if let [term] = terms {
        return place.each(term, take);
    }
    group.note(place, terms)?;
    group.drain(&mut take);
    Ok(())
}

impl Repetitions {
    /// Of several terms in one text, the one that is repeated most is the best.
    fn note(&mut self, place: &Place, terms: &[TermInfo]) -> tantivy::Result<()> {
        terms
            .iter()
            .try_for_each(|term| place.each(term, |doc, repetitions| self.lift(doc, repetitions)))
    }
}
