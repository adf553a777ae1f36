//! The rows of an uploaded table, whatever it was made with: XLSX, or CSV in UTF-8 or GB18030. What it is
//! is told by its content, never by its name.
//!
//! What is uploaded is taken for hostile: packed sizes are checked before anything is parsed, rows, columns
//! and cells have limits, formulas are refused.

use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx};

use crate::platform::xlsx;

/// Rows below the header.
pub(super) const ROWS_MAX: usize = 5_000;
/// Columns looked at.
const COLUMNS_MAX: usize = 64;
/// The longest text in a cell, in characters.
const CELL_CHARS_MAX: usize = 1_000;
/// A number in a cell that is larger isn't shown exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A table: its header and the rows below.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row with something in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// As office programs count; the header is row 1.
    pub number: u32,
    /// Trimmed texts, by column.
    pub cells: Vec<String>,
}

/// Why nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    TooLarge,
    TooManyRows,
    /// Neither XLSX nor text.
    Format,
    /// Text in an encoding other than UTF-8 and GB18030.
    Encoding,
    /// A formula stands in this cell.
    Formula(u32, usize),
    Empty,
}

impl Unreadable {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "directory.import_too_large",
            Self::TooManyRows => "directory.import_too_many_rows",
            Self::Format => "directory.import_format",
            Self::Encoding => "directory.import_encoding",
            Self::Formula(..) => "directory.import_formula",
            Self::Empty => "directory.import_empty",
        }
    }
}

/// Name of a cell: row from 1, column from 0.
pub(super) fn cell_name(row: u32, column: usize) -> String {
    let letter =
        |n: usize| char::from(b'A' + u8::try_from(n % 26).expect("a remainder of 26 fits"));
    let mut name = String::new();
    if column >= 26 {
        name.push(letter(column / 26 - 1));
    }
    name.push(letter(column));
    format!("{name}{row}")
}

/// Reads a table. `bytes_max` bounds the upload.
pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Result<Table, Unreadable> {
    if bytes.len() > bytes_max {
        return Err(Unreadable::TooLarge);
    }
    let records = if bytes.starts_with(b"PK") {
        from_xlsx(bytes, bytes_max)?
    } else {
        from_csv(bytes)?
    };
    let mut rows = records
        .into_iter()
        .filter(|row| row.cells.iter().any(|cell| !cell.is_empty()));
    let header = rows.next().ok_or(Unreadable::Empty)?.cells;
    let rows: Vec<Row> = rows.take(ROWS_MAX + 1).collect();
    match rows.len() {
        0 => Err(Unreadable::Empty),
        n if n > ROWS_MAX => Err(Unreadable::TooManyRows),
        _ => Ok(Table { header, rows }),
    }
}

fn clean(text: &str) -> String {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}'))
        .chars()
        .take(CELL_CHARS_MAX)
        .collect()
}

fn decode(bytes: &[u8]) -> Result<String, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Old workbooks, pictures and UTF-16 hold zeros; text in our two encodings doesn't.
    if bytes.contains(&0) {
        return Err(Unreadable::Format);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let (text, had_errors) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if had_errors {
        Err(Unreadable::Encoding)
    } else {
        Ok(text.into_owned())
    }
}

fn from_csv(bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
    // One sort of line ends, also at the end, so that lines can be counted behind each record.
    let mut text = decode(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
    text.push('\n');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    // A cell with line breaks is one row to an office program and several lines to the reader.
    let mut breaks: u64 = 0;
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|_| Unreadable::Format)?
    {
        let inside: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        breaks += u64::try_from(inside).unwrap_or(u64::MAX);
        // The reader stands on the line behind the record; it has skipped blank lines before it.
        let row = reader.position().line().saturating_sub(1 + breaks);
        rows.push(Row {
            number: u32::try_from(row).unwrap_or(u32::MAX),
            cells: record.iter().take(COLUMNS_MAX).map(clean).collect(),
        });
        if rows.len() > ROWS_MAX * 2 {
            return Err(Unreadable::TooManyRows);
        }
    }
    Ok(rows)
}

fn from_xlsx(bytes: &[u8], bytes_max: usize) -> Result<Vec<Row>, Unreadable> {
    let limits = xlsx::Limits {
        bytes_max,
        ..xlsx::Limits::default()
    };
    xlsx::inspect(bytes, &limits).map_err(|fault| match fault {
        xlsx::PackageFault::TooLarge | xlsx::PackageFault::UnpacksTooLarge => Unreadable::TooLarge,
        xlsx::PackageFault::NotXlsx(_) | xlsx::PackageFault::Unreadable => Unreadable::Format,
    })?;
    let broken = |_| Unreadable::Format;
    let mut workbook: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(broken)?;
    let name = workbook
        .sheet_names()
        .into_iter()
        .next()
        .ok_or(Unreadable::Empty)?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(broken)?;
    let mut rows: Vec<Row> = Vec::new();
    while let Some(record) = cells.next_cell_with_formula_metadata().map_err(broken)? {
        let number = record.pos.0.saturating_add(1);
        let column = usize::try_from(record.pos.1).unwrap_or(usize::MAX);
        if column >= COLUMNS_MAX {
            continue;
        }
        if record.formula.is_some() {
            return Err(Unreadable::Formula(number, column));
        }
        let text = match &record.value {
            DataRef::Empty => continue,
            DataRef::Int(n) => n.to_string(),
            DataRef::Float(n) => number_text(*n),
            DataRef::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
            DataRef::SharedString(text) => clean(text),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                clean(text)
            }
            DataRef::DateTime(date) => number_text(date.as_f64()),
            DataRef::Error(error) => error.to_string(),
        };
        match rows.last_mut() {
            Some(row) if row.number == number => put(row, column, text),
            Some(row) if row.number > number => return Err(Unreadable::Format),
            _ => {
                if rows.len() > ROWS_MAX * 2 {
                    return Err(Unreadable::TooManyRows);
                }
                let mut row = Row {
                    number,
                    cells: Vec::new(),
                };
                put(&mut row, column, text);
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn put(row: &mut Row, column: usize, text: String) {
    if row.cells.len() <= column {
        row.cells.resize(column + 1, String::new());
    }
    row.cells[column] = text;
}

/// A whole number as people typed it, without the `.0`: phone numbers and codes are often kept as numbers.
fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < EXACT_MAX {
        format!("{number:.0}")
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1_000_000;

    fn texts(table: &Table) -> Vec<(u32, Vec<&str>)> {
        table
            .rows
            .iter()
            .map(|row| (row.number, row.cells.iter().map(String::as_str).collect()))
            .collect()
    }

    #[test]
    fn text_is_read_in_both_encodings_with_and_without_mark() {
        let text = "登录名,姓名\r\nwang, 王㐂 \r\n\r\nli,李四\r\n";
        let (gb, _, _) = encoding_rs::GB18030.encode(text);
        let marked = format!("\u{feff}{text}");
        for bytes in [text.as_bytes(), &gb, marked.as_bytes()] {
            let table = read(bytes, MAX).unwrap();
            assert_eq!(table.header, ["登录名", "姓名"]);
            assert_eq!(
                texts(&table),
                [(2, vec!["wang", "王㐂"]), (4, vec!["li", "李四"])]
            );
        }
    }

    #[test]
    fn rows_are_counted_as_office_programs_do() {
        let table = read("a,b\n\"1\n2\",x\n3,y\n".as_bytes(), MAX).unwrap();
        assert_eq!(texts(&table), [(2, vec!["1\n2", "x"]), (3, vec!["3", "y"])]);
        assert_eq!(cell_name(5, 2), "C5");
        assert_eq!(cell_name(1, 25), "Z1");
        assert_eq!(cell_name(1, 26), "AA1");
    }

    #[test]
    fn numbers_are_read_as_they_look() {
        assert_eq!(number_text(410_400.0), "410400");
        assert_eq!(number_text(13_800_000_000.0), "13800000000");
        assert_eq!(number_text(0.5), "0.5");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (bytes, fault) in [
            (&b""[..], Unreadable::Empty),
            (b"a,b\n", Unreadable::Empty),
            (b"PK\x03\x04 not a workbook", Unreadable::Format),
            (b"\xd0\xcf\x11\xe0\x00\x00", Unreadable::Format),
            (b"a\n\xff\xff\xff", Unreadable::Encoding),
        ] {
            assert_eq!(read(bytes, MAX).unwrap_err(), fault, "{bytes:?}");
        }
        assert_eq!(read(b"a\nb\n", 3).unwrap_err(), Unreadable::TooLarge);
        let long = format!("a\n{}", "x\n".repeat(ROWS_MAX + 1));
        assert_eq!(
            read(long.as_bytes(), MAX).unwrap_err(),
            Unreadable::TooManyRows
        );
    }
}
