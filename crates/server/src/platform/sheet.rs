//! A list as an XLSX workbook: one sheet with a header that stays in place.

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::http::ApiError;

/// The media type of XLSX workbooks.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The longest text that a cell takes, in characters; the rest is cut off with a sign.
const CELL_CHARS_MAX: usize = 32_000;

/// A column: heading and width in characters.
#[derive(Debug, Clone, Copy)]
pub struct SheetColumn {
    pub name: &'static str,
    pub width: u16,
}

/// One sheet, whose texts are made for whoever asks.
#[derive(Debug)]
pub struct Sheet {
    /// At most 31 characters, none of `[]:*?/\`.
    pub name: &'static str,
    /// Headings and widths in characters.
    pub columns: Vec<(String, u16)>,
    /// Lines above the header.
    pub notes: Vec<String>,
    /// Texts in the order of the columns.
    pub rows: Vec<Vec<String>>,
}

/// Makes a workbook of `rows` and gives it to be saved as `file_name`. Every cell is a text, so nothing in
/// it is ever taken for a formula.
///
/// Errors: `platform.bug` if the library refuses.
pub async fn sheet_reply(
    sheet: &'static str,
    columns: &'static [SheetColumn],
    rows: Vec<Vec<String>>,
    file_name: &str,
) -> Result<Response, ApiError> {
    let columns = columns.iter().map(|c| (c.name.to_owned(), c.width));
    let sheet = Sheet {
        name: sheet,
        columns: columns.collect(),
        notes: Vec::new(),
        rows,
    };
    sheet_file(sheet, file_name).await
}

/// The same for a sheet whose columns aren't known beforehand.
///
/// Errors: `platform.bug` if the library refuses.
pub async fn sheet_file(sheet: Sheet, file_name: &str) -> Result<Response, ApiError> {
    let bytes = tokio::task::spawn_blocking(move || write(&sheet))
        .await
        .map_err(ApiError::bug)?
        .map_err(ApiError::bug)?;
    let disposition = format!("attachment; filename=\"{file_name}\"");
    Ok((
        [
            (header::CONTENT_TYPE, XLSX.to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        bytes,
    )
        .into_response())
}

fn write(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let heading = Format::new().set_bold();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet.name)?;
    for (number, note) in (0_u32..).zip(&sheet.notes) {
        worksheet.write_string(number, 0, fitting(note))?;
    }
    let header = u32::try_from(sheet.notes.len()).unwrap_or(0);
    for (at, (name, width)) in (0_u16..).zip(&sheet.columns) {
        worksheet.write_string_with_format(header, at, fitting(name), &heading)?;
        worksheet.set_column_width(at, *width)?;
    }
    for (number, row) in (header + 1..).zip(&sheet.rows) {
        for (at, text) in (0_u16..).zip(row) {
            worksheet.write_string(number, at, fitting(text))?;
        }
    }
    worksheet.set_freeze_panes(header + 1, 0)?;
    workbook.save_to_buffer()
}

fn fitting(text: &str) -> String {
    if text.chars().count() <= CELL_CHARS_MAX {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(CELL_CHARS_MAX).collect();
    cut.push('…');
    cut
}
