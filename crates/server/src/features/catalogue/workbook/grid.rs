//! The cells of a sheet as they are, before anything is made of them.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Dimensions, Reader, Xlsx};

use super::columns::{ENTRY_SHEET, ITEM_SHEET, Sheet};
use super::{EXAMPLE_MARK, Limits, WorkbookError};

/// Columns kept: those of the template and some beside them.
const COLUMNS_MAX: usize = 64;
/// Longest text a cell can hold in the format.
const CELL_CHARS_MAX: usize = 32_767;
/// Merged regions looked at per sheet.
const MERGED_MAX: usize = 10_000;
/// Rows a sheet can have in the format.
const ROWS_MAX: u32 = 1_048_576;
/// Header of the column in which a returned workbook tells its faults; it is not read.
pub(super) const PROBLEM_HEADER: &str = "问题";
/// Hidden sheet that carries the version of the template.
pub(super) const MARKER_SHEET: &str = "_模板";
/// Rows of examples and blank lines skipped without counting against the limits.
const SKIPPED_ROWS_MAX: usize = 1_000;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    /// Text, not empty after trimming.
    Text(String),
    Number(f64),
    Bool(bool),
    /// A number shown as a date: days since the epoch of Excel.
    Date(f64),
    /// An error value, as shown.
    Error(String),
    /// The text of a formula, without `=`.
    Formula(String),
}

/// One row with something in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawRow {
    /// The header is row 1.
    pub(super) number: u32,
    /// Column from 0, in order; blank cells are left out.
    pub(super) cells: Vec<(usize, Raw)>,
}

impl RawRow {
    pub(super) fn get(&self, column: usize) -> Option<&Raw> {
        self.cells
            .iter()
            .find(|(at, _)| *at == column)
            .map(|(_, raw)| raw)
    }

    /// Whether the row is an example, which is kept but not read.
    pub(super) fn is_example(&self) -> bool {
        let mark = EXAMPLE_MARK.trim_end_matches('：');
        matches!(self.get(0), Some(Raw::Text(text)) if text.strip_prefix(mark).is_some_and(|rest| rest.starts_with(['：', ':'])))
    }
}

/// The rows of one sheet below its header, and its merged regions.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct RawSheet {
    pub(super) header: Vec<(usize, Raw)>,
    pub(super) rows: Vec<RawRow>,
    pub(super) merged: Vec<Region>,
}

/// A rectangle of cells; rows from 1, columns from 0, all inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) first: (u32, usize),
    pub(super) last: (u32, usize),
}

impl Region {
    pub(super) fn covers(&self, row: u32, column: usize) -> bool {
        (self.first.0..=self.last.0).contains(&row)
            && (self.first.1..=self.last.1).contains(&column)
    }

    pub(super) fn name(&self) -> String {
        format!(
            "{}:{}",
            cell_name(self.first.0, self.first.1),
            cell_name(self.last.0, self.last.1)
        )
    }
}

/// Name of a cell: row from 1, column from 0.
pub(super) fn cell_name(row: u32, column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(char::from(
            b'A' + u8::try_from(rest % 26).expect("a remainder of 26 fits"),
        ));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    format!("{}{row}", letters.into_iter().rev().collect::<String>())
}

/// Both sheets.
pub(super) struct Grids {
    pub(super) entries: RawSheet,
    pub(super) items: RawSheet,
    /// Text of the version marker, if the file still has it.
    pub(super) version: Option<String>,
}

/// Reads the cells of both sheets. Stops at the first row beyond a limit.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Grids, WorkbookError> {
    // The parser is written for honest files: on crafted ones its arithmetic may panic, which must stay here.
    catch_unwind(AssertUnwindSafe(|| read_workbook(bytes, limits)))
        .unwrap_or(Err(WorkbookError::Unreadable))
}

fn read_workbook(bytes: &[u8], limits: &Limits) -> Result<Grids, WorkbookError> {
    let mut workbook: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|_| WorkbookError::Unreadable)?;
    let names = workbook.sheet_names();
    let find = |wanted: &'static str| {
        names
            .iter()
            .find(|name| name.trim() == wanted)
            .cloned()
            .ok_or(WorkbookError::SheetMissing { sheet: wanted })
    };
    let (entry_name, item_name) = (find(ENTRY_SHEET.name)?, find(ITEM_SHEET.name)?);
    let version = if names.iter().any(|name| name == MARKER_SHEET) {
        read_version(&mut workbook)?
    } else {
        None
    };
    let too_many_entries = || WorkbookError::TooManyEntries {
        entries_max: limits.entries_max,
    };
    let too_many_items = || WorkbookError::TooManyItems {
        items_max: limits.items_max,
    };
    Ok(Grids {
        entries: read_sheet(
            &mut workbook,
            &entry_name,
            &ENTRY_SHEET,
            limits.entries_max,
            too_many_entries,
        )?,
        items: read_sheet(
            &mut workbook,
            &item_name,
            &ITEM_SHEET,
            limits.items_max,
            too_many_items,
        )?,
        version,
    })
}

type Workbook<'a> = Xlsx<Cursor<&'a [u8]>>;

fn read_version(workbook: &mut Workbook<'_>) -> Result<Option<String>, WorkbookError> {
    let mut cells = workbook
        .worksheet_cells_reader(MARKER_SHEET)
        .map_err(|_| WorkbookError::Unreadable)?;
    while let Some(cell) = cells.next_cell().map_err(|_| WorkbookError::Unreadable)? {
        if cell.get_position() == (0, 1) {
            return Ok(match raw(cell.get_value()) {
                Some(Raw::Text(text)) => Some(text),
                Some(Raw::Number(number)) => Some(number.to_string()),
                Some(_) | None => None,
            });
        }
    }
    Ok(None)
}

fn read_sheet(
    workbook: &mut Workbook<'_>,
    name: &str,
    sheet: &Sheet,
    rows_max: usize,
    too_many: impl Fn() -> WorkbookError,
) -> Result<RawSheet, WorkbookError> {
    let mut found = RawSheet::default();
    let mut counted: usize = 0;
    let mut skipped: usize = 0;
    let mut take = |row: RawRow, found: &mut RawSheet| {
        if row.number == 1 {
            found.header = row.cells;
            return Ok(());
        }
        let limit = if row.is_example() {
            (&mut skipped, SKIPPED_ROWS_MAX)
        } else {
            (&mut counted, rows_max)
        };
        *limit.0 += 1;
        if *limit.0 > limit.1 {
            return Err(too_many());
        }
        found.rows.push(row);
        Ok(())
    };

    let mut cells = workbook
        .worksheet_cells_reader(name)
        .map_err(|_| WorkbookError::Unreadable)?;
    let mut open: Option<RawRow> = None;
    while let Some(record) = cells
        .next_cell_with_formula_metadata()
        .map_err(|_| WorkbookError::Unreadable)?
    {
        let (row, column) = record.pos;
        let (Ok(column), true) = (usize::try_from(column), row < ROWS_MAX) else {
            return Err(WorkbookError::Unreadable);
        };
        let value = match record.formula {
            Some(formula) => Some(Raw::Formula(formula_text(formula))),
            None => raw(&record.value),
        };
        let (Some(value), true) = (value, column < COLUMNS_MAX) else {
            continue;
        };
        match &mut open {
            Some(current) if current.number == row + 1 => current.cells.push((column, value)),
            _ => {
                if let Some(done) = open.replace(RawRow {
                    number: row + 1,
                    cells: vec![(column, value)],
                }) {
                    // Rows out of order would put faults into the wrong cells.
                    if done.number > row {
                        return Err(WorkbookError::Unreadable);
                    }
                    take(done, &mut found)?;
                }
            }
        }
    }
    drop(cells);
    if let Some(done) = open {
        take(done, &mut found)?;
    }
    drop_problem_column(&mut found, sheet);
    let merged = workbook
        .merge_cells_by_sheet_name(name)
        .map_err(|_| WorkbookError::Unreadable)?;
    found.merged = merged.iter().take(MERGED_MAX).filter_map(region).collect();
    Ok(found)
}

/// The column with the faults of an earlier return is ours, not the department's.
fn drop_problem_column(found: &mut RawSheet, sheet: &Sheet) {
    let problem = found
        .header
        .iter()
        .find(|(at, raw)| {
            *at >= sheet.columns.len()
                && matches!(raw, Raw::Text(text) if text.trim() == PROBLEM_HEADER)
        })
        .map(|(at, _)| *at);
    let Some(problem) = problem else { return };
    found.header.retain(|(at, _)| *at != problem);
    for row in &mut found.rows {
        row.cells.retain(|(at, _)| *at != problem);
    }
    found.rows.retain(|row| !row.cells.is_empty());
}

fn region(dimensions: &Dimensions) -> Option<Region> {
    let corner =
        |(row, column): (u32, u32)| Some((row.checked_add(1)?, usize::try_from(column).ok()?));
    Some(Region {
        first: corner(dimensions.start)?,
        last: corner(dimensions.end)?,
    })
}

fn raw(value: &DataRef<'_>) -> Option<Raw> {
    match value {
        DataRef::Empty => None,
        DataRef::Int(number) => Some(Raw::Text(number.to_string())),
        DataRef::Float(number) => Some(Raw::Number(*number)),
        DataRef::SharedString(written) => text(written),
        DataRef::Bool(value) => Some(Raw::Bool(*value)),
        DataRef::DateTime(date) => Some(Raw::Date(date.as_f64())),
        DataRef::String(written)
        | DataRef::DateTimeIso(written)
        | DataRef::DurationIso(written) => text(written),
        DataRef::Error(error) => Some(Raw::Error(error.to_string())),
    }
}

fn text(written: &str) -> Option<Raw> {
    let trimmed =
        written.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}'));
    (!trimmed.is_empty()).then(|| {
        Raw::Text(
            trimmed
                .replace("\r\n", "\n")
                .chars()
                .take(CELL_CHARS_MAX)
                .collect(),
        )
    })
}

fn formula_text(formula: calamine::XlsxFormulaMetadata) -> String {
    use calamine::XlsxFormulaMetadata as Formula;
    let text = match formula {
        Formula::Normal { formula } | Formula::Shared { formula, .. } => formula,
        _ => String::new(),
    };
    text.chars().take(CELL_CHARS_MAX - 1).collect()
}
