//! What is wrong with a returned workbook, by row and column.

use std::collections::BTreeMap;

use super::super::CellFault;
use super::super::columns::Sheet;
use super::super::grid::cell_name;

/// Marked cells that get a note; beyond, the column 问题 alone tells them.
const NOTES_MAX: usize = 2_000;

/// What is wrong, by row and column.
pub(super) struct Problems {
    by_cell: BTreeMap<(u32, usize), Vec<String>>,
    pub(super) notes_left: usize,
}

impl Problems {
    pub(super) fn new(sheet: &Sheet, faults: &[CellFault]) -> Self {
        let mut by_cell: BTreeMap<(u32, usize), Vec<String>> = BTreeMap::new();
        for fault in faults.iter().filter(|fault| fault.sheet == sheet.name) {
            if let Some(cell) = parse_cell(&fault.cell) {
                by_cell.entry(cell).or_default().push(fault.message.clone());
            }
        }
        Self {
            by_cell,
            notes_left: NOTES_MAX,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_cell.is_empty()
    }

    pub(super) fn at(&self, row: u32, column: usize) -> Option<&Vec<String>> {
        self.by_cell.get(&(row, column))
    }

    pub(super) fn cells(&self) -> Vec<(u32, usize, String)> {
        self.by_cell
            .iter()
            .map(|((row, column), messages)| (*row, *column, messages.join("\n")))
            .collect()
    }

    pub(super) fn rows(&self) -> BTreeMap<u32, String> {
        let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for ((row, column), messages) in &self.by_cell {
            let cell = cell_name(*row, *column);
            rows.entry(*row)
                .or_default()
                .extend(messages.iter().map(|message| format!("{cell}：{message}")));
        }
        rows.into_iter()
            .map(|(row, messages)| (row, messages.join("\n")))
            .collect()
    }
}

/// Row from 1 and column from 0 of a cell name; `None` if it is no name within the sheet.
fn parse_cell(name: &str) -> Option<(u32, usize)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = name.split_at(digits);
    if letters.is_empty() || letters.len() > 2 || !letters.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let column = letters.bytes().fold(0, |column, letter| {
        column * 26 + usize::from(letter - b'A') + 1
    }) - 1;
    let row = row
        .parse()
        .ok()
        .filter(|row| (1..=1_048_576).contains(row))?;
    Some((row, column))
}
