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
    let bytes = tokio::task::spawn_blocking(move || write(sheet, columns, &rows))
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

fn write(sheet: &str, columns: &[SheetColumn], rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let heading = Format::new().set_bold();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet)?;
    for (at, column) in (0_u16..).zip(columns) {
        worksheet.write_string_with_format(0, at, column.name, &heading)?;
        worksheet.set_column_width(at, column.width)?;
    }
    for (number, row) in (1_u32..).zip(rows) {
        for (at, text) in (0_u16..).zip(row) {
            worksheet.write_string(number, at, fitting(text))?;
        }
    }
    worksheet.set_freeze_panes(1, 0)?;
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
