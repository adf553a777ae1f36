//! A committed state of the index, with the columns of its entries laid out in memory for counting.
//!
//! Counting eight facets over every match reads eight columns; one row of 12 bytes per entry, made once per segment,
//! makes that three steps: the combination of its values, its department, its theme. Values get numbers that stay the
//! same over segments and commits.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::columnar::StrColumn;
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use super::Facet;
use super::schema::{LABEL_SEPARATOR, PUBLISHED_AT, TIE, VISIBLE_TO};

/// Modes told apart; the packs know three.
const MODES_MAX: u16 = 63;

/// What counting needs of one entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// Number of its [`Profile`].
    pub(super) profile: u32,
    /// Number of the set of labels.
    pub(super) labels: u32,
    /// Numbers of the values of [`WIDE`].
    pub(super) wide: [u16; WIDE.len()],
}

/// Facets with many values; those of the others come in few combinations.
pub(super) const WIDE: [Facet; 2] = [Facet::DepartmentId, Facet::Theme];

/// A combination of values that entries have: whole heaps of entries share one, and are counted by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Profile {
    /// Number of the value of each facet, by position in [`Facet::ALL`]; 0 is none, as it is for [`WIDE`] and for
    /// the mode, which may have several.
    pub(super) values: [u16; Facet::ALL.len()],
    /// Bit n stands for the mode with number n.
    pub(super) modes: u64,
}

/// What ordering needs of one entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Order {
    /// Microseconds since 1970.
    pub(super) published_at: i64,
    /// Orders what is otherwise equal.
    pub(super) tie: u64,
}

/// Numbers for values and back; only ever grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    values: [Names; Facet::ALL.len()],
    labels: Names,
    /// By label: the numbers of the sets that hold it.
    sets_by_label: HashMap<Arc<str>, Vec<u32>>,
    profiles: Vec<Profile>,
    by_profile: HashMap<Profile, u32>,
}

/// Number `n` belongs to the name at `n - 1`; 0 is no name.
#[derive(Debug, Clone, Default)]
struct Names {
    by_name: HashMap<Arc<str>, u32>,
    list: Vec<Arc<str>>,
    /// By number: its place among the names in order; what has no name comes last.
    ranks: Vec<u32>,
    /// By place: the number.
    by_rank: Vec<u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        self.list.push(Arc::clone(&name));
        let number = u32::try_from(self.list.len()).unwrap_or(0);
        self.by_name.insert(name, number);
        number
    }

    /// Ranks the names that have come since the last time: comparing places is cheaper than comparing names.
    fn rank(&mut self) {
        if self.by_rank.len() == self.list.len() {
            return;
        }
        self.by_rank = (1..).take(self.list.len()).collect();
        let name = |number: &u32| &self.list[slot(*number) - 1];
        self.by_rank.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        self.ranks = vec![u32::MAX; self.list.len() + 1];
        for (rank, number) in (0..).zip(&self.by_rank) {
            self.ranks[slot(*number)] = rank;
        }
    }
}

impl Numbers {
    /// The number of a value, if any entry ever had it.
    pub(super) fn find(&self, facet: usize, value: &str) -> Option<u16> {
        self.values[facet]
            .by_name
            .get(value)
            .and_then(|number| u16::try_from(*number).ok())
    }

    /// The value of a number.
    pub(super) fn name(&self, facet: usize, number: usize) -> Option<&str> {
        self.values[facet]
            .list
            .get(number.checked_sub(1)?)
            .map(AsRef::as_ref)
    }

    /// By number: the place of the value among all values of the facet in order.
    pub(super) fn ranks(&self, facet: usize) -> &[u32] {
        &self.values[facet].ranks
    }

    /// The number of the value at a place.
    pub(super) fn ranked(&self, facet: usize, rank: usize) -> Option<usize> {
        self.values[facet]
            .by_rank
            .get(rank)
            .map(|number| slot(*number))
    }

    /// One more than the highest number of a facet.
    pub(super) fn count(&self, facet: usize) -> usize {
        self.values[facet].list.len() + 1
    }

    /// Every combination of values that any entry ever had, by its number.
    pub(super) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    fn profile(&mut self, profile: Profile) -> u32 {
        *self.by_profile.entry(profile).or_insert_with(|| {
            self.profiles.push(profile);
            u32::try_from(self.profiles.len() - 1).unwrap_or(0)
        })
    }

    /// The sets of labels that hold one of these.
    fn sets(&self, labels: &[String]) -> impl Iterator<Item = u32> {
        labels
            .iter()
            .filter_map(|label| self.sets_by_label.get(label.as_str()))
            .flatten()
            .copied()
    }

    /// Notes which labels the sets from this number on hold.
    fn note_labels(&mut self, known: usize) {
        for (number, set) in (1..).zip(&self.labels.list).skip(known) {
            for label in set.split(LABEL_SEPARATOR) {
                self.sets_by_label
                    .entry(label.into())
                    .or_default()
                    .push(number);
            }
        }
    }
}

/// One committed state.
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) numbers: Numbers,
    /// Rows by segment, in the order of the searcher.
    pub(super) tables: Vec<Arc<Table>>,
    /// By segment: what has been deleted from it.
    deleted: Vec<Vec<DocId>>,
}

/// Some entries of a segment, a bit for each entry.
#[derive(Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn none(entries: usize) -> Self {
        Self(vec![0; entries.div_ceil(64)])
    }

    fn add(&mut self, doc: DocId) {
        self.0[slot(doc) / 64] |= 1 << (doc % 64);
    }

    fn remove(&mut self, doc: DocId) {
        self.0[slot(doc) / 64] &= !(1 << (doc % 64));
    }

    #[inline]
    pub(super) fn has(&self, doc: DocId) -> bool {
        self.0[slot(doc) / 64] & 1 << (doc % 64) != 0
    }

    /// The entries, in order.
    pub(super) fn each(&self, mut take: impl FnMut(DocId)) {
        for (first, bits) in (0..).step_by(64).zip(&self.0) {
            let mut bits = *bits;
            while bits != 0 {
                take(first + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }
}

/// The rows of one segment, by document.
pub(super) struct Table {
    segment: SegmentId,
    pub(super) rows: Vec<Row>,
    pub(super) orders: Vec<Order>,
    /// The documents, the newest first.
    pub(super) newest: Vec<DocId>,
    /// By number of a set of labels: the documents that carry it.
    carriers: HashMap<u32, Carriers>,
}

/// The documents that carry a set of labels.
enum Carriers {
    Few(Vec<DocId>),
    Many(Bits),
}

/// Carriers are few if they are fewer than one in so many documents: a list of them is shorter then.
const FEW: usize = 32;

fn carriers(rows: &[Row]) -> HashMap<u32, Carriers> {
    let mut docs: HashMap<u32, Vec<DocId>> = HashMap::new();
    for (doc, row) in (0..).zip(rows) {
        docs.entry(row.labels).or_default().push(doc);
    }
    let carriers = |docs: Vec<DocId>| {
        if docs.len() < rows.len() / FEW {
            return Carriers::Few(docs);
        }
        let mut bits = Bits::none(rows.len());
        for doc in docs {
            bits.add(doc);
        }
        Carriers::Many(bits)
    };
    docs.into_iter()
        .map(|(labels, docs)| (labels, carriers(docs)))
        .collect()
}

impl Table {
    fn new(reader: &SegmentReader, numbers: &mut Numbers) -> tantivy::Result<Self> {
        let orders = orders(reader)?;
        let mut newest: Vec<DocId> = (0..reader.max_doc()).collect();
        newest.sort_unstable_by_key(|doc| {
            let Order { published_at, tie } = orders[slot(*doc)];
            (std::cmp::Reverse(published_at), tie, *doc)
        });
        let rows = rows(reader, numbers)?;
        Ok(Self {
            segment: reader.segment_id(),
            carriers: carriers(&rows),
            rows,
            orders,
            newest,
        })
    }
}

/// A number as the position that it stands for.
#[inline]
pub(super) fn slot(number: u32) -> usize {
    usize::try_from(number).expect("a segment has fewer entries than an address space")
}

impl Snapshot {
    /// Lays out what is new since `before`.
    pub(super) fn new(searcher: Searcher, before: Option<&Self>) -> tantivy::Result<Self> {
        let mut numbers = before
            .map(|before| before.numbers.clone())
            .unwrap_or_default();
        let mut tables = Vec::new();
        for reader in searcher.segment_readers() {
            let kept = before.and_then(|before| {
                before
                    .tables
                    .iter()
                    .find(|table| table.segment == reader.segment_id())
            });
            tables.push(match kept {
                Some(table) => Arc::clone(table),
                None => Arc::new(Table::new(reader, &mut numbers)?),
            });
        }
        numbers.values.iter_mut().for_each(Names::rank);
        let deleted = searcher.segment_readers().iter().map(deleted).collect();
        Ok(Self {
            searcher,
            numbers,
            tables,
            deleted,
        })
    }

    /// By segment: what a viewer with these labels sees.
    pub(super) fn seen(&self, labels: &[String]) -> Vec<Bits> {
        self.tables
            .iter()
            .zip(&self.deleted)
            .map(|(table, deleted)| {
                let mut seen = Bits::none(table.rows.len());
                for carriers in self
                    .numbers
                    .sets(labels)
                    .filter_map(|set| table.carriers.get(&set))
                {
                    match carriers {
                        Carriers::Few(docs) => {
                            for doc in docs {
                                seen.add(*doc);
                            }
                        }
                        Carriers::Many(bits) => {
                            for (seen, bits) in seen.0.iter_mut().zip(&bits.0) {
                                *seen |= bits;
                            }
                        }
                    }
                }
                for doc in deleted {
                    seen.remove(*doc);
                }
                seen
            })
            .collect()
    }
}

fn deleted(reader: &SegmentReader) -> Vec<DocId> {
    reader.alive_bitset().map_or_else(Vec::new, |alive| {
        (0..reader.max_doc())
            .filter(|doc| alive.is_deleted(*doc))
            .collect()
    })
}

fn rows(reader: &SegmentReader, numbers: &mut Numbers) -> tantivy::Result<Vec<Row>> {
    let columns = reader.fast_fields();
    let entries = usize::try_from(reader.max_doc()).unwrap_or(0);
    let mut rows = vec![Row::default(); entries];
    let mut profiles = vec![Profile::default(); entries];
    for (at, facet) in Facet::ALL.iter().enumerate() {
        let Some(column) = columns.str(facet.column())? else {
            continue;
        };
        let wide = WIDE.iter().position(|wide| wide == facet);
        let numbered = numbered(&column, &mut numbers.values[at])?;
        for ((doc, row), profile) in (0..).zip(&mut rows).zip(&mut profiles) {
            for number in ords(&column, doc)
                .filter_map(|ord| numbered.get(ord))
                .filter_map(|number| u16::try_from(*number).ok())
            {
                if let Some(wide) = wide {
                    row.wide[wide] = number;
                } else if *facet != Facet::Mode {
                    profile.values[at] = number;
                } else if number <= MODES_MAX {
                    profile.modes |= 1 << number;
                }
            }
        }
    }
    for (row, profile) in rows.iter_mut().zip(profiles) {
        row.profile = numbers.profile(profile);
    }
    if let Some(column) = columns.str(VISIBLE_TO)? {
        let known = numbers.labels.list.len();
        let numbered = numbered(&column, &mut numbers.labels)?;
        numbers.note_labels(known);
        for (doc, row) in (0..).zip(&mut rows) {
            row.labels = ords(&column, doc)
                .find_map(|ord| numbered.get(ord).copied())
                .unwrap_or(0);
        }
    }
    Ok(rows)
}

fn orders(reader: &SegmentReader) -> tantivy::Result<Vec<Order>> {
    let columns = reader.fast_fields();
    let (published_at, tie) = (columns.i64(PUBLISHED_AT)?, columns.u64(TIE)?);
    Ok((0..reader.max_doc())
        .map(|doc| Order {
            published_at: published_at.first(doc).unwrap_or(0),
            tie: tie.first(doc).unwrap_or(0),
        })
        .collect())
}

fn ords(column: &StrColumn, doc: DocId) -> impl Iterator<Item = usize> + '_ {
    column
        .ords()
        .values_for_doc(doc)
        .filter_map(|ord| usize::try_from(ord).ok())
}

/// Numbers by ordinal.
fn numbered(column: &StrColumn, names: &mut Names) -> tantivy::Result<Vec<u32>> {
    let mut numbered = Vec::with_capacity(column.num_terms());
    let mut terms = column.dictionary().stream()?;
    while terms.advance() {
        numbered.push(names.number(&String::from_utf8_lossy(terms.key())));
    }
    Ok(numbered)
}
