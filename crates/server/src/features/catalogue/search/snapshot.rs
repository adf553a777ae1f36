//! A committed state of the index, with the columns of its entries laid out in memory for counting.
//!
//! Counting eight facets over every match reads eight columns; one row of 48 bytes per entry, made once per segment,
//! makes that a single step. Values get numbers that stay the same over segments and commits.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::columnar::StrColumn;
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use super::Facet;
use super::schema::{LABEL_SEPARATOR, PUBLISHED_AT, TIE, VISIBLE_TO};

/// Modes told apart; the packs know three.
const MODES_MAX: u16 = 63;

/// What counting and ordering need of one entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// Number of the value of each facet, by position in [`Facet::ALL`]; 0 is none. For the mode, which may have
    /// several, see `modes`.
    pub(super) values: [u16; Facet::ALL.len()],
    /// Bit n stands for the mode with number n.
    pub(super) modes: u64,
    /// Number of the set of labels.
    pub(super) labels: u32,
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
}

/// Number `n` belongs to the name at `n - 1`; 0 is no name.
#[derive(Debug, Clone, Default)]
struct Names {
    by_name: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        let number = u32::try_from(self.names.len()).unwrap_or(0);
        self.by_name.insert(name, number);
        number
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
            .names
            .get(number.checked_sub(1)?)
            .map(AsRef::as_ref)
    }

    /// One more than the highest number of a facet.
    pub(super) fn count(&self, facet: usize) -> usize {
        self.values[facet].names.len() + 1
    }

    /// By number of a set of labels: whether it holds one of these.
    pub(super) fn visible(&self, labels: &[String]) -> Vec<bool> {
        let holds = |set: &str| {
            set.split(LABEL_SEPARATOR)
                .any(|label| labels.iter().any(|wanted| wanted == label))
        };
        std::iter::once(false)
            .chain(self.labels.names.iter().map(|set| holds(set)))
            .collect()
    }
}

/// One committed state.
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) numbers: Numbers,
    /// Rows by segment, in the order of the searcher.
    pub(super) tables: Vec<Arc<Table>>,
}

/// The rows of one segment, by document.
pub(super) struct Table {
    segment: SegmentId,
    pub(super) rows: Vec<Row>,
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
                None => Arc::new(Table {
                    segment: reader.segment_id(),
                    rows: rows(reader, &mut numbers)?,
                }),
            });
        }
        Ok(Self {
            searcher,
            numbers,
            tables,
        })
    }
}

fn rows(reader: &SegmentReader, numbers: &mut Numbers) -> tantivy::Result<Vec<Row>> {
    let columns = reader.fast_fields();
    let mut rows = vec![Row::default(); usize::try_from(reader.max_doc()).unwrap_or(0)];
    for (at, facet) in Facet::ALL.iter().enumerate() {
        let Some(column) = columns.str(facet.column())? else {
            continue;
        };
        let numbered = numbered(&column, &mut numbers.values[at])?;
        for (doc, row) in (0..).zip(&mut rows) {
            for number in ords(&column, doc)
                .filter_map(|ord| numbered.get(ord))
                .filter_map(|number| u16::try_from(*number).ok())
            {
                if *facet != Facet::Mode {
                    row.values[at] = number;
                } else if number <= MODES_MAX {
                    row.modes |= 1 << number;
                }
            }
        }
    }
    if let Some(column) = columns.str(VISIBLE_TO)? {
        let numbered = numbered(&column, &mut numbers.labels)?;
        for (doc, row) in (0..).zip(&mut rows) {
            row.labels = ords(&column, doc)
                .find_map(|ord| numbered.get(ord).copied())
                .unwrap_or(0);
        }
    }
    let (published_at, tie) = (columns.i64(PUBLISHED_AT)?, columns.u64(TIE)?);
    for (doc, row) in (0..).zip(&mut rows) {
        row.published_at = published_at.first(doc).unwrap_or(0);
        row.tie = tie.first(doc).unwrap_or(0);
    }
    Ok(rows)
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
    for ord in 0..u64::try_from(column.num_terms()).unwrap_or(0) {
        let mut name = String::new();
        column.ord_to_str(ord, &mut name)?;
        numbered.push(names.number(&name));
    }
    Ok(numbered)
}
