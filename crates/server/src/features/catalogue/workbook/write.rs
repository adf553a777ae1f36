//! Writes workbooks: the empty template, one with entries filled in, and a returned one with its faults.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties,
    ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Note, Workbook, Worksheet,
    XlsxError,
};
use tongqu_domain::catalogue::{
    CheckKind, Contact, DataItem, DataType, EntryContent, MaskKind, ResourceFormat, Sensitivity,
    UpdateCycle,
};

use super::columns::{ENTRY_SHEET, ITEM_SHEET, LISTS, List, Need, SEPARATOR, Shape, Sheet, YES_NO};
use super::grid::{MARKER_SHEET, PROBLEM_HEADER, Raw, RawRow, RawSheet};
use super::{
    CellFault, Choice, EXAMPLE_MARK, Import, SHEET_GUIDE, TEMPLATE_VERSION, TemplateOptions,
    WorkbookError,
};

/// Rows for which lists to choose from are laid out.
const ENTRY_ROWS: u32 = 5_000;
const ITEM_ROWS: u32 = 50_000;
/// Modes of which every combination is offered; more would make the list too long to read.
const COMBINED_MODES_MAX: usize = 4;
/// First column of the lists in 填写说明, and their first row, both from 0.
const LISTS_COLUMN: u16 = 5;
const LISTS_ROW: u32 = 4;
/// Marked cells that get a note; beyond, the column 问题 alone tells them.
const NOTES_MAX: usize = 2_000;
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

/// What is wrong, by row and column.
struct Problems {
    by_cell: BTreeMap<(u32, usize), Vec<String>>,
    notes_left: usize,
}

impl Problems {
    fn new(sheet: &Sheet, faults: &[CellFault]) -> Self {
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

    fn is_empty(&self) -> bool {
        self.by_cell.is_empty()
    }

    fn at(&self, row: u32, column: usize) -> Option<&Vec<String>> {
        self.by_cell.get(&(row, column))
    }

    fn cells(&self) -> Vec<(u32, usize, String)> {
        self.by_cell
            .iter()
            .map(|((row, column), messages)| (*row, *column, messages.join("\n")))
            .collect()
    }

    fn rows(&self) -> BTreeMap<u32, String> {
        let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for ((row, column), messages) in &self.by_cell {
            let cell = super::grid::cell_name(*row, *column);
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

/// Where the lists stand in 填写说明.
struct ListRanges {
    columns: Vec<(ListKind, String, Vec<String>)>,
}

/// A list, or the combinations of a list of which several may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListKind {
    Single(List),
    Combined(List),
}

impl ListRanges {
    fn new(options: &TemplateOptions) -> Self {
        let mut columns: Vec<(ListKind, String, Vec<String>)> = LISTS
            .iter()
            .map(|list| {
                (
                    ListKind::Single(*list),
                    list.title().to_owned(),
                    list.labels(options),
                )
            })
            .filter(|(_, _, labels)| !labels.is_empty())
            .collect();
        let modes = List::Mode.labels(options);
        if (1..=COMBINED_MODES_MAX).contains(&modes.len()) {
            columns.push((
                ListKind::Combined(List::Mode),
                format!("{}（可多选）", List::Mode.title()),
                combinations(&modes),
            ));
        }
        Self { columns }
    }

    fn range(&self, kind: ListKind) -> Option<String> {
        let at = self
            .columns
            .iter()
            .position(|(found, _, _)| *found == kind)?;
        let column = usize::from(LISTS_COLUMN) + at;
        let first = super::grid::cell_name(0, column)
            .trim_end_matches('0')
            .to_owned();
        let last_row = LISTS_ROW + u32::try_from(self.columns[at].2.len()).ok()?;
        Some(format!(
            "='{SHEET_GUIDE}'!${first}${}:${first}${last_row}",
            LISTS_ROW + 1
        ))
    }

    fn validation(&self, shape: Shape) -> Option<DataValidation> {
        match shape {
            Shape::One(list) => {
                let range = self.range(ListKind::Single(list))?;
                let validation = DataValidation::new().allow_list_formula(Formula::new(range));
                Some(told(
                    validation,
                    DataValidationErrorStyle::Stop,
                    "请从下拉列表中选择。",
                ))
            }
            Shape::Several(list) => {
                let range = self.range(ListKind::Combined(list))?;
                let validation = DataValidation::new().allow_list_formula(Formula::new(range));
                // Another order of the same values is right as well, so it is only a hint.
                Some(told(
                    validation,
                    DataValidationErrorStyle::Information,
                    "可以多选，用“、”分隔。",
                ))
            }
            Shape::Number { min, max } => {
                let rule =
                    DataValidationRule::Between(i32::try_from(min).ok()?, i32::try_from(max).ok()?);
                let validation = DataValidation::new().allow_whole_number(rule);
                Some(told(
                    validation,
                    DataValidationErrorStyle::Stop,
                    "请填写整数。",
                ))
            }
            Shape::Line { .. } | Shape::Paragraph { .. } | Shape::Lines { .. } => {
                Some(DataValidation::new().allow_any_value())
            }
        }
    }
}

fn told(
    validation: DataValidation,
    style: DataValidationErrorStyle,
    message: &str,
) -> DataValidation {
    let validation = validation.set_error_style(style);
    validation
        .clone()
        .set_error_message(message)
        .unwrap_or(validation)
}

/// Every choice of one or more, in the order of the list.
fn combinations(labels: &[String]) -> Vec<String> {
    let mut found: Vec<Vec<&str>> = vec![Vec::new()];
    for label in labels {
        let with: Vec<Vec<&str>> = found
            .iter()
            .map(|chosen| [chosen.as_slice(), &[label.as_str()]].concat())
            .collect();
        found.extend(with);
    }
    found.retain(|chosen| !chosen.is_empty());
    found.sort_by_key(Vec::len);
    found
        .into_iter()
        .map(|chosen| chosen.join(SEPARATOR))
        .collect()
}

fn write_guide(
    worksheet: &mut Worksheet,
    options: &TemplateOptions,
    lists: &ListRanges,
) -> Result<(), XlsxError> {
    let title = Format::new().set_bold().set_font_size(14);
    let head = Format::new()
        .set_bold()
        .set_border(FormatBorder::Thin)
        .set_background_color(Color::RGB(0x00DF_EBFC));
    let body = Format::new()
        .set_border(FormatBorder::Thin)
        .set_text_wrap()
        .set_align(FormatAlign::Top);
    worksheet.set_name(SHEET_GUIDE)?;
    worksheet.write_string_with_format(
        0,
        0,
        format!("政务数据目录模板（第 {TEMPLATE_VERSION} 版）填写说明"),
        &title,
    )?;
    worksheet.write_string(
        1,
        0,
        format!(
            "“目录”表一行填一个资源，“信息项”表一行填一个信息项。带 * 的列必须填写。请不要增删、移动或改名任何列，不要合并单元格，不要使用公式。以“{EXAMPLE_MARK}”开头的行是示例，不会导入。"
        ),
    )?;
    for (at, text) in (0_u16..).zip(["工作表", "列", "必填", "怎么填"]) {
        worksheet.write_string_with_format(3, at, text, &head)?;
    }
    let rows = [&ENTRY_SHEET, &ITEM_SHEET]
        .into_iter()
        .flat_map(|sheet| sheet.columns.iter().map(move |column| (sheet, column)));
    for (at, (sheet, column)) in (4_u32..).zip(rows) {
        worksheet.write_string_with_format(at, 0, sheet.name, &body)?;
        worksheet.write_string_with_format(at, 1, column.header, &body)?;
        worksheet.write_string_with_format(
            at,
            2,
            if column.need == Need::Required {
                YES_NO[0]
            } else {
                YES_NO[1]
            },
            &body,
        )?;
        let limit = match column.shape {
            Shape::Line { chars_max } | Shape::Paragraph { chars_max } => {
                format!("（最多 {chars_max} 字）")
            }
            Shape::Lines { chars_max } => format!("（每个最多 {chars_max} 字）"),
            Shape::Number { .. } | Shape::One(_) | Shape::Several(_) => String::new(),
        };
        worksheet.write_string_with_format(at, 3, format!("{}{limit}", column.hint), &body)?;
    }
    for (column, width) in [(0, 10.0), (1, 18.0), (2, 6.0), (3, 60.0), (4, 4.0)] {
        worksheet.set_column_width(column, width)?;
    }
    for (at, (_, name, labels)) in (LISTS_COLUMN..).zip(&lists.columns) {
        worksheet.set_column_width(at, 18)?;
        worksheet.write_string_with_format(LISTS_ROW - 1, at, name, &head)?;
        for (row, label) in (LISTS_ROW..).zip(labels) {
            worksheet.write_string_with_format(row, at, label, &body)?;
        }
    }
    if options.base_libraries.is_empty() {
        worksheet.write_string(2, 0, "现行规则没有列出基础库，“所属基础库”请留空。")?;
    }
    Ok(())
}

fn row(rows: &[RawRow], cells: Vec<Option<Raw>>) -> RawRow {
    let number = rows.last().map_or(2, |last| last.number + 1);
    RawRow {
        number,
        cells: cells
            .into_iter()
            .enumerate()
            .filter_map(|(at, raw)| raw.map(|raw| (at, raw)))
            .collect(),
    }
}

fn text(value: &str) -> Option<Raw> {
    (!value.is_empty()).then(|| Raw::Text(value.to_owned()))
}

fn flag(value: bool) -> Option<Raw> {
    text(YES_NO[usize::from(!value)])
}

fn name_of(choices: &[Choice], code: &str) -> String {
    choices
        .iter()
        .find(|choice| choice.code == code)
        .map_or_else(|| code.to_owned(), |choice| choice.name.clone())
}

/// The cells of an entry, in the order of the columns.
fn entry_cells(entry: &EntryContent, options: &TemplateOptions) -> Vec<Option<Raw>> {
    let modes: Vec<String> = entry
        .modes
        .iter()
        .map(|mode| name_of(&options.modes, mode))
        .collect();
    let optional = |value: &Option<String>| value.as_deref().and_then(text);
    ENTRY_SHEET
        .columns
        .iter()
        .map(|column| match column.field {
            "name" => text(&entry.name),
            "class_code" => text(&entry.class_code),
            "summary" => text(&entry.summary),
            "format" => text(entry.format.label()),
            "sharing_class" => text(&name_of(&options.sharing_classes, &entry.sharing_class)),
            "sharing_condition" => optional(&entry.sharing_condition),
            "legal_basis" => optional(&entry.legal_basis),
            "modes" => text(&modes.join(SEPARATOR)),
            "open" => flag(entry.open),
            "open_condition" => optional(&entry.open_condition),
            "update_cycle" => text(entry.update_cycle.label()),
            "grade" => Some(Raw::Number(f64::from(entry.grade))),
            "source_system" => optional(&entry.source_system),
            "base_library" => entry
                .base_library
                .as_deref()
                .and_then(|code| text(&name_of(&options.base_libraries, code))),
            "authorising_contact.name" => text(&entry.authorising_contact.name),
            "authorising_contact.phone" => text(&entry.authorising_contact.phone),
            "technical_contact.name" => text(&entry.technical_contact.name),
            "technical_contact.phone" => text(&entry.technical_contact.phone),
            "related_codes" => text(&entry.related_codes.join(SEPARATOR)),
            "declared_unclassified" => flag(entry.declared_unclassified),
            "recipients" => text(&entry.recipients.join(SEPARATOR)),
            "purposes" => text(&entry.purposes.join(SEPARATOR)),
            "theme" => optional(&entry.theme),
            other => unreachable!("column {other} has no field to fill it from"),
        })
        .collect()
}

/// The cells of an item, in the order of the columns.
fn item_cells(entry_name: &str, item: &DataItem) -> Vec<Option<Raw>> {
    let number = |value: Option<u32>| value.map(|value| Raw::Number(f64::from(value)));
    ITEM_SHEET
        .columns
        .iter()
        .map(|column| match column.field {
            "entry" => text(entry_name),
            "name" => text(&item.name),
            "code" => text(&item.code),
            "data_type" => text(item.data_type.label()),
            "length" => number(item.length),
            "scale" => number(item.scale),
            "nullable" => flag(item.nullable),
            "key" => flag(item.key),
            "sensitivity" => text(item.sensitivity.label()),
            "mask" => item.mask.and_then(|mask| text(mask.label())),
            "check" => item.check.and_then(|check| text(check.label())),
            "standard" => item.standard.as_deref().and_then(text),
            other => unreachable!("column {other} has no field to fill it from"),
        })
        .collect()
}

/// An invented entry that shows how to fill in each column.
fn example(options: &TemplateOptions) -> EntryContent {
    let first = |choices: &[Choice]| choices.first().map(|choice| choice.code.clone());
    let item = |name: &str, code: &str, length, check| DataItem {
        name: name.to_owned(),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(length),
        scale: None,
        nullable: false,
        key: false,
        sensitivity: Sensitivity::General,
        mask: None,
        check,
        standard: None,
    };
    EntryContent {
        name: format!("{EXAMPLE_MARK}企业登记信息（本行不会导入）"),
        class_code: "307001".to_owned(),
        summary: "本县登记在册企业的名称、代码和状态".to_owned(),
        format: ResourceFormat::Database,
        sharing_class: first(&options.sharing_classes).unwrap_or_default(),
        sharing_condition: None,
        legal_basis: None,
        modes: first(&options.modes).into_iter().collect(),
        open: false,
        open_condition: None,
        update_cycle: UpdateCycle::Daily,
        grade: 2,
        source_system: Some("企业登记系统".to_owned()),
        base_library: None,
        authorising_contact: Contact {
            name: "张三".to_owned(),
            phone: "0375-0000001".to_owned(),
        },
        technical_contact: Contact {
            name: "李四".to_owned(),
            phone: "0375-0000002".to_owned(),
        },
        related_codes: Vec::new(),
        declared_unclassified: true,
        recipients: Vec::new(),
        purposes: Vec::new(),
        theme: None,
        items: vec![
            DataItem {
                key: true,
                standard: Some("GB 32100".to_owned()),
                ..item("统一社会信用代码", "uscc", 18, Some(CheckKind::CreditCode))
            },
            item("企业名称", "company_name", 200, None),
            DataItem {
                sensitivity: Sensitivity::Sensitive,
                mask: Some(MaskKind::PersonName),
                ..item("法定代表人", "representative", 50, None)
            },
        ],
    }
}
