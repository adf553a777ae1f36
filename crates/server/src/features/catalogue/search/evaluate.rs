//! Runs a plan over the postings of a segment.
//!
//! The clause that fewest entries meet comes first: one way after the other is added into an array with a slot per
//! entry, which for common terms beats walking all postings side by side. Every further clause is only looked up for
//! the entries that are left.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Searcher, TERMINATED, Term};

use super::plan::{Clause, Group, Plan, Way};

/// Terms looked up for one beginning or one mistyped word.
const EXPANSIONS_MAX: usize = 500;
/// How fast repetition stops counting, and how much the length of a text counts: the usual values of BM25.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Entries that match, in order, with their scores, by segment.
pub(super) type Matches = Vec<Vec<(DocId, f32)>>;

/// Room for scores, kept from search to search: making it anew for a million entries takes longer than most searches.
#[derive(Default)]
pub(super) struct Scratch {
    /// Of several clauses, of a clause, of a way, of a group.
    sum: Tally,
    clause: Tally,
    way: Tally,
    group: Tally,
}

/// Runs plans over every segment, and remembers the terms that it has looked up for one.
pub(super) struct Evaluator<'a> {
    lookup: Lookup<'a>,
    scratch: &'a mut Scratch,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(searcher: &'a Searcher, scratch: &'a mut Scratch) -> Self {
        Self {
            lookup: Lookup {
                searcher,
                found: HashMap::new(),
                averages: HashMap::new(),
            },
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
        for at in 0..searcher.segment_readers().len() {
            let mut segment = Segment::new(searcher, at, &self.lookup.averages, self.scratch);
            matches.push(segment.run(&clauses, plan.needed, &lifts)?);
        }
        Ok(matches)
    }
}

/// A way whose terms have been looked up.
struct Found {
    /// Field, and its weight.
    places: Vec<(Field, f32)>,
    /// By place, group, segment: the terms.
    terms: Vec<Vec<Arc<[Vec<TermInfo>]>>>,
    /// By group: how rare it is, the same in all places. A word that is common in names and rare in items would
    /// otherwise count more in the items, and the weights decide nothing.
    rarity: Vec<f32>,
}

impl Found {
    /// Postings that have to be read at least to find what goes this way.
    fn cost(&self, segment: usize) -> u64 {
        self.terms
            .iter()
            .map(|groups| {
                groups
                    .iter()
                    .map(|group| read(&group[segment]))
                    .min()
                    .unwrap_or(0)
            })
            .sum()
    }
}

/// Postings of some terms.
fn read(terms: &[TermInfo]) -> u64 {
    terms.iter().map(|term| u64::from(term.doc_freq)).sum()
}

enum FoundClause {
    Any(Vec<Found>),
    AnyOrAll(Vec<Found>, Vec<Vec<Found>>),
}

impl FoundClause {
    fn cost(&self, segment: usize) -> u64 {
        let all = |ways: &[Found]| ways.iter().map(|way| way.cost(segment)).sum::<u64>();
        match self {
            Self::Any(ways) => all(ways),
            Self::AnyOrAll(ways, each) => {
                all(ways) + each.iter().map(|ways| all(ways)).min().unwrap_or(0)
            }
        }
    }
}

/// Looks terms up, each once.
struct Lookup<'a> {
    searcher: &'a Searcher,
    found: HashMap<(Field, String), Arc<[Vec<TermInfo>]>>,
    /// Average length of each field, in terms.
    averages: HashMap<Field, f32>,
}

impl Lookup<'_> {
    fn clause(&mut self, clause: &Clause) -> tantivy::Result<FoundClause> {
        Ok(match clause {
            Clause::Any(ways) => FoundClause::Any(self.ways(ways)?),
            Clause::AnyOrAll(ways, each) => FoundClause::AnyOrAll(
                self.ways(ways)?,
                each.iter()
                    .map(|ways| self.ways(ways))
                    .collect::<tantivy::Result<_>>()?,
            ),
        })
    }

    fn ways(&mut self, ways: &[Way]) -> tantivy::Result<Vec<Found>> {
        ways.iter().map(|way| self.way(way)).collect()
    }

    fn way(&mut self, way: &Way) -> tantivy::Result<Found> {
        let mut terms = Vec::new();
        for (field, _) in &way.places {
            self.measure(*field)?;
            terms.push(
                way.groups
                    .iter()
                    .map(|group| self.group(*field, group))
                    .collect::<tantivy::Result<Vec<_>>>()?,
            );
        }
        let entries = precise(
            self.searcher
                .segment_readers()
                .iter()
                .map(|reader| u64::from(reader.max_doc()))
                .sum(),
        );
        let rarity = (0..way.groups.len())
            .map(|at| {
                let holding = terms
                    .iter()
                    .map(|place: &Vec<Arc<[Vec<TermInfo>]>>| frequency(&place[at]))
                    .max()
                    .unwrap_or(0);
                let holding = precise(holding).min(entries);
                (1.0 + (entries - holding + 0.5) / (holding + 0.5)).ln()
            })
            .collect();
        Ok(Found {
            places: way.places.clone(),
            terms,
            rarity,
        })
    }

    fn group(&mut self, field: Field, group: &Group) -> tantivy::Result<Arc<[Vec<TermInfo>]>> {
        match group {
            Group::Terms(texts) if texts.len() == 1 => self.term(field, &texts[0]),
            Group::Terms(texts) => {
                let mut all = vec![Vec::new(); self.searcher.segment_readers().len()];
                for text in texts {
                    for (segment, terms) in all.iter_mut().zip(self.term(field, text)?.iter()) {
                        segment.extend(terms.iter().cloned());
                    }
                }
                Ok(all.into())
            }
            Group::Beginning(text) => self.each_segment(field, |index| {
                let mut terms = Vec::new();
                let mut stream = index.terms().range().ge(text.as_bytes()).into_stream()?;
                while stream.advance()
                    && stream.key().starts_with(text.as_bytes())
                    && terms.len() < EXPANSIONS_MAX
                {
                    terms.push(stream.value().clone());
                }
                Ok(terms)
            }),
            Group::Nearly(text) => {
                let nearly = FuzzyTermQuery::new(Term::from_field_text(field, text), 1, true);
                self.each_segment(field, |index| {
                    let mut terms = Vec::new();
                    let mut stream = index.terms().search(nearly.automaton()?).into_stream()?;
                    while stream.advance() && terms.len() < EXPANSIONS_MAX {
                        terms.push(stream.value().clone());
                    }
                    Ok(terms)
                })
            }
        }
    }

    fn term(&mut self, field: Field, text: &str) -> tantivy::Result<Arc<[Vec<TermInfo>]>> {
        let key = (field, text.to_owned());
        if let Some(found) = self.found.get(&key) {
            return Ok(Arc::clone(found));
        }
        let found = self.each_segment(field, |index| {
            Ok(index.terms().get(text.as_bytes())?.into_iter().collect())
        })?;
        self.found.insert(key, Arc::clone(&found));
        Ok(found)
    }

    fn each_segment(
        &self,
        field: Field,
        look: impl Fn(&InvertedIndexReader) -> tantivy::Result<Vec<TermInfo>>,
    ) -> tantivy::Result<Arc<[Vec<TermInfo>]>> {
        self.searcher
            .segment_readers()
            .iter()
            .map(|reader| look(&*reader.inverted_index(field)?))
            .collect()
    }

    fn measure(&mut self, field: Field) -> tantivy::Result<()> {
        if self.averages.contains_key(&field) {
            return Ok(());
        }
        let (mut terms, mut entries) = (0, 0);
        for reader in self.searcher.segment_readers() {
            terms += reader.inverted_index(field)?.total_num_tokens();
            entries += u64::from(reader.max_doc());
        }
        self.averages
            .insert(field, precise(terms) / precise(entries.max(1)));
        Ok(())
    }
}

fn frequency(group: &[Vec<TermInfo>]) -> u64 {
    group.iter().map(|terms| read(terms)).sum()
}

/// A count as a number to reckon scores with; beyond 2^24 the last digits are lost, which no score notices.
#[expect(clippy::cast_precision_loss, reason = "scores are rough by nature")]
fn precise(count: u64) -> f32 {
    count as f32
}

/// Scores by entry, and which entries have one. Emptied by `drain`.
#[derive(Default)]
struct Tally {
    scores: Vec<f32>,
    bits: Vec<u64>,
}

impl Tally {
    /// Makes room for so many entries.
    fn widen(&mut self, entries: usize) {
        if self.scores.len() < entries {
            self.scores.resize(entries, 0.0);
            self.bits.resize(entries.div_ceil(64), 0);
        }
    }

    fn add(&mut self, doc: DocId, score: f32) {
        let at = index(doc);
        self.scores[at] += score;
        self.bits[at / 64] |= 1 << (at % 64);
    }

    fn lift(&mut self, doc: DocId, score: f32) {
        let at = index(doc);
        self.scores[at] = self.scores[at].max(score);
        self.bits[at / 64] |= 1 << (at % 64);
    }

    /// Gives every entry with its score, in order, and starts anew.
    fn drain(&mut self, mut take: impl FnMut(DocId, f32)) {
        for (word, bits) in self.bits.iter_mut().enumerate() {
            while *bits != 0 {
                let at = word * 64 + usize::try_from(bits.trailing_zeros()).unwrap_or(0);
                *bits &= *bits - 1;
                take(
                    DocId::try_from(at).unwrap_or(DocId::MAX),
                    std::mem::take(&mut self.scores[at]),
                );
            }
        }
    }

    fn drained(&mut self) -> Vec<(DocId, f32)> {
        let held = self.bits.iter().map(|bits| bits.count_ones()).sum::<u32>();
        let mut all = Vec::with_capacity(index(held));
        self.drain(|doc, score| all.push((doc, score)));
        all
    }
}

fn index(doc: DocId) -> usize {
    usize::try_from(doc).expect("a segment has fewer entries than an address space")
}

/// One segment under evaluation.
struct Segment<'a> {
    searcher: &'a Searcher,
    at: usize,
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
}

impl Place {
    fn score(&self, doc: DocId, repetitions: u32) -> f32 {
        let repetitions = precise(u64::from(repetitions));
        repetitions * (1.0 + K1)
            / (repetitions + self.weakening[usize::from(self.lengths.fieldnorm_id(doc))])
    }

    fn postings(&self, term: &TermInfo) -> tantivy::Result<SegmentPostings> {
        Ok(self
            .index
            .read_postings_from_terminfo(term, IndexRecordOption::WithFreqs)?)
    }
}

/// An entry that is still in question: its position among those asked for, the entry, its score.
type Left = (usize, DocId, f32);

impl<'a> Segment<'a> {
    fn new(
        searcher: &'a Searcher,
        at: usize,
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
            averages,
            fields: HashMap::new(),
            scratch,
        }
    }

    fn run(
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
        let mut best = vec![None; docs.len()];
        for way in ways {
            let mut sums: Vec<Option<f32>> = vec![None; docs.len()];
            for (place, groups) in self.laid_out(way)? {
                let mut left: Vec<Left> = docs
                    .iter()
                    .enumerate()
                    .map(|(at, (doc, _))| (at, *doc, 0.0))
                    .collect();
                for (terms, weight) in groups {
                    if left.is_empty() {
                        break;
                    }
                    narrow(&place, terms, weight, &mut left)?;
                }
                for (at, _, score) in left {
                    sums[at] = Some(sums[at].unwrap_or(0.0) + score);
                }
            }
            for (best, sum) in best.iter_mut().zip(sums) {
                *best = better(*best, sum);
            }
        }
        Ok(best)
    }

    /// Fills the tally of the way: what its places give, added up.
    fn way(&mut self, way: &Found) -> tantivy::Result<()> {
        for (place, groups) in self.laid_out(way)? {
            let [(terms, weight), others @ ..] = &groups[..] else {
                continue;
            };
            let Scratch { way, group, .. } = &mut *self.scratch;
            if others.is_empty() {
                group_of(&place, terms, group, |doc, score| {
                    way.add(doc, weight * score);
                })?;
                continue;
            }
            let mut left: Vec<Left> = Vec::new();
            group_of(&place, terms, group, |doc, score| {
                left.push((0, doc, weight * score));
            })?;
            for (terms, weight) in others {
                narrow(&place, terms, *weight, &mut left)?;
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
        let weakening = (0..=u8::MAX)
            .map(|id| {
                K1 * (1.0 - B
                    + B * precise(u64::from(FieldNormReader::id_to_fieldnorm(id))) / average)
            })
            .collect();
        let place = Arc::new(Place {
            index: reader.inverted_index(field)?,
            lengths: reader.get_fieldnorms_reader(field)?,
            weakening,
        });
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

/// Keeps the entries that have one of the terms, and adds the best of them.
fn narrow(
    place: &Place,
    terms: &[TermInfo],
    weight: f32,
    left: &mut Vec<Left>,
) -> tantivy::Result<()> {
    if let [term] = terms
        && !is_rare(term, left.len())
    {
        let mut postings = place.postings(term)?;
        left.retain_mut(|(_, doc, score)| {
            let is_there = seek(&mut postings, *doc);
            if is_there {
                *score += weight * place.score(*doc, postings.term_freq());
            }
            is_there
        });
        return Ok(());
    }
    let mut found: Vec<Option<f32>> = vec![None; left.len()];
    for term in terms {
        let mut postings = place.postings(term)?;
        if is_rare(term, left.len()) {
            let mut from = 0;
            each(postings, |doc, repetitions| {
                from += left[from..].partition_point(|(_, other, _)| *other < doc);
                if left.get(from).is_some_and(|(_, other, _)| *other == doc) {
                    found[from] = better(found[from], Some(place.score(doc, repetitions)));
                }
            });
        } else {
            for ((_, doc, _), best) in left.iter().zip(&mut found) {
                if seek(&mut postings, *doc) {
                    *best = better(*best, Some(place.score(*doc, postings.term_freq())));
                }
            }
        }
    }
    let mut found = found.into_iter();
    left.retain_mut(|(_, _, score)| match found.next().flatten() {
        Some(more) => {
            *score += weight * more;
            true
        }
        None => false,
    });
    Ok(())
}

/// Whether a term has so few entries that each of them is better looked up among those left than the other way round.
fn is_rare(term: &TermInfo, left: usize) -> bool {
    index(term.doc_freq) < left / 8
}

fn seek(postings: &mut SegmentPostings, doc: DocId) -> bool {
    postings.doc() == doc || (postings.doc() < doc && postings.seek(doc) == doc)
}

/// Gives every entry that has one of the terms, in order, with the score of the best; `group` is room for that.
fn group_of(
    place: &Place,
    terms: &[TermInfo],
    group: &mut Tally,
    mut take: impl FnMut(DocId, f32),
) -> tantivy::Result<()> {
    if let [term] = terms {
        each(place.postings(term)?, |doc, repetitions| {
            take(doc, place.score(doc, repetitions));
        });
        return Ok(());
    }
    for term in terms {
        each(place.postings(term)?, |doc, repetitions| {
            group.lift(doc, place.score(doc, repetitions));
        });
    }
    group.drain(take);
    Ok(())
}

fn each(mut postings: SegmentPostings, mut take: impl FnMut(DocId, u32)) {
    let mut doc = postings.doc();
    while doc != TERMINATED {
        take(doc, postings.term_freq());
        doc = postings.advance();
    }
}
