//! Finds the terms of a plan, each once: by field, by segment, with how rare a group is.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

use super::super::plan::{Clause, Group, Way};
use super::tally::precise;

/// Terms looked up for one beginning or one mistyped word.
const EXPANSIONS_MAX: usize = 500;

/// A way whose terms have been looked up.
pub(super) struct Found {
    /// Field, and its weight.
    pub(super) places: Vec<(Field, f32)>,
    /// By place, group, segment: the terms.
    pub(super) terms: Vec<Vec<Arc<[Vec<TermInfo>]>>>,
    /// By group: how rare it is, the same in all places. A word that is common in names and rare in items would
    /// otherwise count more in the items, and the weights decide nothing.
    pub(super) rarity: Vec<f32>,
}

impl Found {
    /// Postings that have to be read at least to find what goes this way.
    pub(super) fn cost(&self, segment: usize) -> u64 {
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
pub(super) fn read(terms: &[TermInfo]) -> u64 {
    terms.iter().map(|term| u64::from(term.doc_freq)).sum()
}

pub(super) enum FoundClause {
    Any(Vec<Found>),
    AnyOrAll(Vec<Found>, Vec<Vec<Found>>),
}

impl FoundClause {
    pub(super) fn cost(&self, segment: usize) -> u64 {
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
pub(super) struct Lookup<'a> {
    pub(super) searcher: &'a Searcher,
    found: HashMap<(Field, String), Arc<[Vec<TermInfo>]>>,
    /// Average length of each field, in terms.
    pub(super) averages: HashMap<Field, f32>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(searcher: &'a Searcher) -> Self {
        Self {
            searcher,
            found: HashMap::new(),
            averages: HashMap::new(),
        }
    }

    pub(super) fn clause(&mut self, clause: &Clause) -> tantivy::Result<FoundClause> {
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

    pub(super) fn ways(&mut self, ways: &[Way]) -> tantivy::Result<Vec<Found>> {
        ways.iter().map(|way| self.way(way)).collect()
    }

    pub(super) fn way(&mut self, way: &Way) -> tantivy::Result<Found> {
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

    pub(super) fn group(
        &mut self,
        field: Field,
        group: &Group,
    ) -> tantivy::Result<Arc<[Vec<TermInfo>]>> {
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

    pub(super) fn term(
        &mut self,
        field: Field,
        text: &str,
    ) -> tantivy::Result<Arc<[Vec<TermInfo>]>> {
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

    pub(super) fn each_segment(
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

    pub(super) fn measure(&mut self, field: Field) -> tantivy::Result<()> {
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

pub(super) fn frequency(group: &[Vec<TermInfo>]) -> u64 {
    group.iter().map(|terms| read(terms)).sum()
}
