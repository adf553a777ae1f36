//! Runs a plan over the postings of a segment.
//!
//! One way after the other is added into an array with a slot per entry. For the terms that matter here, common ones
//! over at most some hundred thousand entries, this beats walking all postings side by side.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, TermInfo};
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Searcher, TERMINATED, Term};

use super::plan::{Clause, Group, Plan, Way};

/// Terms looked up for one beginning or one mistyped word.
const EXPANSIONS_MAX: usize = 500;
/// How fast repetition stops counting, and how much the length of a text counts: the usual values of BM25.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Entries that match, with their scores, by segment.
pub(super) type Matches = Vec<Vec<(DocId, f32)>>;

/// Runs a plan over every segment.
pub(super) fn run(plan: &Plan, searcher: &Searcher) -> tantivy::Result<Matches> {
    let mut lookup = Lookup {
        searcher,
        found: HashMap::new(),
        averages: HashMap::new(),
    };
    let clauses = plan
        .clauses
        .iter()
        .map(|clause| lookup.clause(clause))
        .collect::<tantivy::Result<Vec<_>>>()?;
    let lifts = lookup.ways(&plan.lifts)?;
    let mut matches = Vec::new();
    for at in 0..searcher.segment_readers().len() {
        let mut segment = Segment::new(searcher, at, &lookup.averages);
        matches.push(segment.run(&clauses, plan.needed, &lifts)?);
    }
    Ok(matches)
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

enum FoundClause {
    Any(Vec<Found>),
    AnyOrAll(Vec<Found>, Vec<Vec<Found>>),
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
    group
        .iter()
        .flatten()
        .map(|term| u64::from(term.doc_freq))
        .sum()
}

/// A count as a number to reckon scores with; beyond 2^24 the last digits are lost, which no score notices.
#[expect(clippy::cast_precision_loss, reason = "scores are rough by nature")]
fn precise(count: u64) -> f32 {
    count as f32
}

/// Scores by entry, and which entries have one.
struct Tally {
    scores: Vec<f32>,
    bits: Vec<u64>,
}

impl Tally {
    fn new(entries: usize) -> Self {
        Self {
            scores: vec![0.0; entries],
            bits: vec![0; entries.div_ceil(64)],
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

    fn get(&self, doc: DocId) -> Option<f32> {
        let at = index(doc);
        (self.bits[at / 64] >> (at % 64) & 1 == 1).then(|| self.scores[at])
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
    /// Of a clause, of a way, of a group.
    clause: Tally,
    way: Tally,
    group: Tally,
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

    fn postings(&self, term: &TermInfo) -> tantivy::Result<tantivy::postings::SegmentPostings> {
        Ok(self
            .index
            .read_postings_from_terminfo(term, IndexRecordOption::WithFreqs)?)
    }
}

impl<'a> Segment<'a> {
    fn new(searcher: &'a Searcher, at: usize, averages: &'a HashMap<Field, f32>) -> Self {
        let entries = index(searcher.segment_readers()[at].max_doc());
        let tally = || Tally::new(entries);
        Self {
            searcher,
            at,
            averages,
            fields: HashMap::new(),
            clause: tally(),
            way: tally(),
            group: tally(),
        }
    }

    fn run(
        &mut self,
        clauses: &[FoundClause],
        needed: usize,
        lifts: &[Found],
    ) -> tantivy::Result<Vec<(DocId, f32)>> {
        let mut matches = if needed == clauses.len() {
            self.all(clauses)?
        } else {
            self.some(clauses, needed)?
        };
        for way in lifts {
            if matches.is_empty() {
                break;
            }
            self.way(way)?;
            for (doc, score) in &mut matches {
                *score += self.way.get(*doc).unwrap_or(0.0);
            }
            self.way.drain(|_, _| {});
        }
        Ok(matches)
    }

    /// What meets every clause.
    fn all(&mut self, clauses: &[FoundClause]) -> tantivy::Result<Vec<(DocId, f32)>> {
        let mut matches: Vec<(DocId, f32)> = Vec::new();
        for (number, clause) in clauses.iter().enumerate() {
            self.clause(clause)?;
            if number == 0 {
                self.clause.drain(|doc, score| matches.push((doc, score)));
            } else {
                self.narrow(&mut matches);
            }
            if matches.is_empty() {
                break;
            }
        }
        Ok(matches)
    }

    /// Keeps what the clause has as well.
    fn narrow(&mut self, matches: &mut Vec<(DocId, f32)>) {
        matches.retain_mut(|(doc, score)| match self.clause.get(*doc) {
            Some(more) => {
                *score += more;
                true
            }
            None => false,
        });
        self.clause.drain(|_, _| {});
    }

    /// What meets at least so many clauses.
    fn some(
        &mut self,
        clauses: &[FoundClause],
        needed: usize,
    ) -> tantivy::Result<Vec<(DocId, f32)>> {
        let mut met: HashMap<DocId, (usize, f32)> = HashMap::new();
        for clause in clauses {
            self.clause(clause)?;
            self.clause.drain(|doc, score| {
                let entry = met.entry(doc).or_default();
                entry.0 += 1;
                entry.1 += score;
            });
        }
        let mut matches: Vec<(DocId, f32)> = met
            .into_iter()
            .filter(|(_, (count, _))| *count >= needed)
            .map(|(doc, (_, score))| (doc, score))
            .collect();
        matches.sort_unstable_by_key(|(doc, _)| *doc);
        Ok(matches)
    }

    /// Fills the tally of the clause.
    fn clause(&mut self, clause: &FoundClause) -> tantivy::Result<()> {
        match clause {
            FoundClause::Any(ways) => self.best(ways),
            FoundClause::AnyOrAll(ways, each) => {
                let mut all: Vec<(DocId, f32)> = Vec::new();
                for (number, ways) in each.iter().enumerate() {
                    self.best(ways)?;
                    if number == 0 {
                        self.clause.drain(|doc, score| all.push((doc, score)));
                    } else {
                        self.narrow(&mut all);
                    }
                }
                self.best(ways)?;
                for (doc, score) in all {
                    self.clause.lift(doc, score);
                }
                Ok(())
            }
        }
    }

    /// Fills the tally of the clause with the best of several ways.
    fn best(&mut self, ways: &[Found]) -> tantivy::Result<()> {
        for way in ways {
            self.way(way)?;
            let clause = &mut self.clause;
            self.way.drain(|doc, score| clause.lift(doc, score));
        }
        Ok(())
    }

    /// Fills the tally of the way: what its places give, added up.
    fn way(&mut self, way: &Found) -> tantivy::Result<()> {
        for ((field, weight), groups) in way.places.iter().zip(&way.terms) {
            let place = self.place(*field)?;
            let mut groups: Vec<(&[TermInfo], f32)> = groups
                .iter()
                .zip(&way.rarity)
                .map(|(segments, rarity)| (segments[self.at].as_slice(), weight * rarity))
                .collect();
            // The rarest first: the others only need to be looked up for what it leaves.
            groups.sort_by_key(|(terms, _)| {
                terms
                    .iter()
                    .map(|term| u64::from(term.doc_freq))
                    .sum::<u64>()
            });
            if groups.first().is_none_or(|(terms, _)| terms.is_empty()) {
                continue;
            }
            if let [(terms, weight)] = groups[..] {
                self.only_group(&place, terms, weight)?;
            } else {
                self.all_groups(&place, &groups)?;
            }
        }
        Ok(())
    }

    fn only_group(
        &mut self,
        place: &Place,
        terms: &[TermInfo],
        weight: f32,
    ) -> tantivy::Result<()> {
        if let [term] = terms {
            let way = &mut self.way;
            each(place.postings(term)?, |doc, repetitions| {
                way.add(doc, weight * place.score(doc, repetitions));
            });
            return Ok(());
        }
        self.fill_group(place, terms)?;
        let way = &mut self.way;
        self.group.drain(|doc, score| way.add(doc, weight * score));
        Ok(())
    }

    fn all_groups(&mut self, place: &Place, groups: &[(&[TermInfo], f32)]) -> tantivy::Result<()> {
        let mut left: Vec<(DocId, f32)> = Vec::new();
        for (number, (terms, weight)) in groups.iter().enumerate() {
            match terms {
                [term] if number > 0 => {
                    let mut postings = place.postings(term)?;
                    left.retain_mut(|(doc, score)| {
                        let found = postings.doc() == *doc
                            || (postings.doc() < *doc && postings.seek(*doc) == *doc);
                        if found {
                            *score += weight * place.score(*doc, postings.term_freq());
                        }
                        found
                    });
                }
                [term] => each(place.postings(term)?, |doc, repetitions| {
                    left.push((doc, weight * place.score(doc, repetitions)));
                }),
                _ => {
                    self.fill_group(place, terms)?;
                    if number == 0 {
                        self.group
                            .drain(|doc, score| left.push((doc, weight * score)));
                    } else {
                        left.retain_mut(|(doc, score)| {
                            let more = self.group.get(*doc);
                            *score += weight * more.unwrap_or(0.0);
                            more.is_some()
                        });
                        self.group.drain(|_, _| {});
                    }
                }
            }
        }
        for (doc, score) in left {
            self.way.add(doc, score);
        }
        Ok(())
    }

    /// Fills the tally of the group with the best of its terms.
    fn fill_group(&mut self, place: &Place, terms: &[TermInfo]) -> tantivy::Result<()> {
        for term in terms {
            let group = &mut self.group;
            each(place.postings(term)?, |doc, repetitions| {
                group.lift(doc, place.score(doc, repetitions));
            });
        }
        Ok(())
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

fn each(mut postings: tantivy::postings::SegmentPostings, mut take: impl FnMut(DocId, u32)) {
    let mut doc = postings.doc();
    while doc != TERMINATED {
        take(doc, postings.term_freq());
        doc = postings.advance();
    }
}
