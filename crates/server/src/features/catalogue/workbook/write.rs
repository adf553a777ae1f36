//! Writes workbooks: the empty template, one with entries filled in, and a returned one with its faults.

mod cells;
mod lists;
mod problems;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Note, Workbook,
    Worksheet, XlsxError,
};
use tongqu_domain::catalogue::EntryContent;

use self::cells::{entry_cells, example, item_cells, row};
use self::lists::{ListRanges, write_guide};
use self::problems::Problems;
use super::columns::{ENTRY_SHEET, ITEM_SHEET, Need, Shape, Sheet};
use super::grid::{MARKER_SHEET, PROBLEM_HEADER, Raw, RawRow, RawSheet};
use super::{CellFault, Import, TEMPLATE_VERSION, TemplateOptions, WorkbookError};

/// Rows for which lists to choose from are laid out.
const ENTRY_ROWS: u32 = 5_000;
const ITEM_ROWS: u32 = 50_000;
/// Longest text in a cell.
const CELL_CHARS_MAX: usize = 32_767;

/// The empty template, with an example that is not read back.
///
/// Errors: [`WorkbookError::Write`], when a name in the options doesn't fit into a cell.
pub fn template(options: &TemplateOptions) -> Result<Vec<u8>, WorkbookError> {
    filled(options, &[])
}

/// The template with entries filled in, to change them and upload them again.
///
/// Errors: as [`template`].
pub fn filled(
    options: &TemplateOptions,
    entries: &[EntryContent],
) -> Result<Vec<u8>, WorkbookError> {
    let example = example(options);
    let mut entry_sheet = RawSheet::default();
    let mut item_sheet = RawSheet::default();
    for entry in std::iter::once(&example).chain(entries) {
        entry_sheet
            .rows
            .push(row(&entry_sheet.rows, entry_cells(entry, options)));
        for item in &entry.items {
            item_sheet
                .rows
                .push(row(&item_sheet.rows, item_cells(&entry.name, item)));
        }
    }
    write(options, [&entry_sheet, &item_sheet], &[]).map_err(WorkbookError::Write)
}

/// The uploaded workbook again, the same values in the same cells, with each faulty cell coloured and explained in
/// a note and in a column 问题. It can be corrected and uploaded as it is. Sheets of the department's own are left out;
/// formulas come back as text, so that nothing is computed.
///
/// `faults` are those to show, usually those of the import and of the content together.
///
/// Errors: as [`template`].
pub fn annotated(
    import: &Import,
    options: &TemplateOptions,
    faults: &[CellFault],
) -> Result<Vec<u8>, WorkbookError> {
    write(options, [&import.entry_sheet, &import.item_sheet], faults).map_err(WorkbookError::Write)
}

fn write(
    options: &TemplateOptions,
    sheets: [&RawSheet; 2],
    faults: &[CellFault],
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // A fixed time: the same input gives the same bytes.
    let created = ExcelDateTime::from_ymd(2026, 1, 1)?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title("政务数据目录模板")
            .set_author("通衢")
            .set_creation_datetime(&created),
    );
    let lists = ListRanges::new(options);
    for (sheet, raw, rows) in [
        (&ENTRY_SHEET, sheets[0], ENTRY_ROWS),
        (&ITEM_SHEET, sheets[1], ITEM_ROWS),
    ] {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(sheet.name)?;
        lay_out(worksheet, sheet, rows, &lists)?;
        write_rows(worksheet, sheet, raw, faults)?;
    }
    write_guide(workbook.add_worksheet(), options, &lists)?;
    let marker = workbook.add_worksheet();
    marker.set_name(MARKER_SHEET)?.set_hidden(true);
    marker.write_string(0, 0, "tongqu-catalogue-template")?;
    marker.write_string(0, 1, TEMPLATE_VERSION.to_string())?;
    workbook.save_to_buffer()
}

/// Headers, widths, formats and lists of a sheet.
fn lay_out(
    worksheet: &mut Worksheet,
    sheet: &Sheet,
    rows: u32,
    lists: &ListRanges,
) -> Result<(), XlsxError> {
    let header = Format::new()
        .set_bold()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap();
    let required = header
        .clone()
        .set_background_color(Color::RGB(0x0016_60CC))
        .set_font_color(Color::White);
    let optional = header
        .set_background_color(Color::RGB(0x00DF_EBFC))
        .set_font_color(Color::RGB(0x0014_233C));
    worksheet.set_freeze_panes(1, 1)?;
    worksheet.set_row_height(0, 30)?;
    for (at, column) in (0_u16..).zip(sheet.columns) {
        let format = match column.need {
            Need::Required => &required,
            Need::Optional => &optional,
        };
        worksheet.set_column_width(at, column.width)?;
        worksheet.set_column_format(at, &cell_format(column.shape))?;
        worksheet.write_string_with_format(0, at, column.marked_header(), format)?;
        if let Some(validation) = lists.validation(column.shape) {
            let validation = validation
                .set_input_title(column.header)?
                .set_input_message(column.hint)?;
            worksheet.add_data_validation(1, at, rows, at, &validation)?;
        }
    }
    Ok(())
}

/// Text, so that Excel leaves codes and telephone numbers alone; numbers only where numbers are meant.
fn cell_format(shape: Shape) -> Format {
    let format = Format::new().set_align(FormatAlign::Top);
    match shape {
        Shape::Number { .. } => format,
        Shape::Paragraph { .. } => format.set_num_format("@").set_text_wrap(),
        Shape::Line { .. } | Shape::One(_) | Shape::Several(_) | Shape::Lines { .. } => {
            format.set_num_format("@")
        }
    }
}

fn write_rows(
    worksheet: &mut Worksheet,
    sheet: &Sheet,
    raw: &RawSheet,
    faults: &[CellFault],
) -> Result<(), XlsxError> {
    let mut problems = Problems::new(sheet, faults);
    for row in &raw.rows {
        for (at, value) in &row.cells {
            let shape = sheet
                .columns
                .get(*at)
                .map_or(Shape::Line { chars_max: 0 }, |column| column.shape);
            let format = shade(
                cell_format(shape),
                row,
                problems.at(row.number, *at).is_some(),
            );
            write_raw(
                worksheet,
                row.number - 1,
                column_number(*at),
                value,
                &format,
            )?;
        }
    }
    // Faulty cells without a value are coloured too.
    let used = raw
        .rows
        .iter()
        .flat_map(|row| row.cells.iter().map(|(at, _)| at + 1))
        .max()
        .unwrap_or(0);
    let problem_column = used.max(sheet.columns.len());
    let value_at = |number: u32, column: usize| {
        let at = raw
            .rows
            .binary_search_by_key(&number, |row| row.number)
            .ok()?;
        raw.rows[at].get(column)
    };
    for (number, column, text) in problems.cells() {
        let at = column_number(column);
        if number > 1 && value_at(number, column).is_none() {
            let shape = sheet
                .columns
                .get(column)
                .map_or(Shape::Line { chars_max: 0 }, |column| column.shape);
            worksheet.write_blank(number - 1, at, &faulty(cell_format(shape)))?;
        }
        if problems.notes_left > 0 {
            problems.notes_left -= 1;
            worksheet.insert_note(number - 1, at, &note(&text))?;
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let at = column_number(problem_column);
    let header = Format::new()
        .set_bold()
        .set_align(FormatAlign::Center)
        .set_background_color(Color::RGB(0x00B3_202C))
        .set_font_color(Color::White);
    worksheet.set_column_width(at, 60)?;
    worksheet.write_string_with_format(0, at, PROBLEM_HEADER, &header)?;
    let told = Format::new()
        .set_font_color(Color::RGB(0x00B3_202C))
        .set_text_wrap()
        .set_align(FormatAlign::Top);
    for (number, text) in problems.rows() {
        worksheet.write_string_with_format(number.max(2) - 1, at, cut(&text), &told)?;
    }
    Ok(())
}

fn shade(format: Format, row: &RawRow, is_faulty: bool) -> Format {
    if row.is_example() {
        format
            .set_italic()
            .set_font_color(Color::RGB(0x0055_657E))
            .set_background_color(Color::RGB(0x00F2_F2F2))
    } else if is_faulty {
        faulty(format)
    } else {
        format
    }
}

fn faulty(format: Format) -> Format {
    format
        .set_background_color(Color::RGB(0x00FF_C7CE))
        .set_font_color(Color::RGB(0x009C_0006))
}

fn note(text: &str) -> Note {
    let lines = u32::try_from(text.chars().count() / 20 + text.lines().count()).unwrap_or(u32::MAX);
    Note::new(cut(text))
        .add_author_prefix(false)
        .set_width(280)
        .set_height((lines * 18 + 20).clamp(60, 400))
}

fn cut(text: &str) -> String {
    text.chars().take(CELL_CHARS_MAX).collect()
}

fn column_number(column: usize) -> u16 {
    u16::try_from(column).expect("at most 64 columns are read")
}

fn write_raw(
    worksheet: &mut Worksheet,
    row: u32,
    column: u16,
    value: &Raw,
    format: &Format,
) -> Result<(), XlsxError> {
    match value {
        Raw::Text(text) | Raw::Error(text) => {
            worksheet.write_string_with_format(row, column, cut(text), format)
        }
        Raw::Formula(formula) => {
            worksheet.write_string_with_format(row, column, cut(&format!("={formula}")), format)
        }
        Raw::Number(number) => worksheet.write_number_with_format(row, column, *number, format),
        Raw::Date(days) => worksheet.write_number_with_format(
            row,
            column,
            *days,
            &format.clone().set_num_format("yyyy-mm-dd"),
        ),
        Raw::Bool(value) => worksheet.write_boolean_with_format(row, column, *value, format),
    }
    .map(|_| ())
}
