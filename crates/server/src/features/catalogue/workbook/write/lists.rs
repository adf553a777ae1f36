//! The lists to choose from, and the sheet that explains how to fill in and holds them.

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, Format, FormatAlign,
    FormatBorder, Formula, Worksheet, XlsxError,
};

use super::super::columns::{ENTRY_SHEET, ITEM_SHEET, LISTS, List, Need, SEPARATOR, Shape, YES_NO};
use super::super::grid::cell_name;
use super::super::{EXAMPLE_MARK, SHEET_GUIDE, TEMPLATE_VERSION, TemplateOptions};

/// Modes of which every combination is offered; more would make the list too long to read.
const COMBINED_MODES_MAX: usize = 4;
/// First column of the lists in 填写说明, and their first row, both from 0.
const LISTS_COLUMN: u16 = 5;
const LISTS_ROW: u32 = 4;

/// Where the lists stand in 填写说明.
pub(super) struct ListRanges {
    columns: Vec<(ListKind, String, Vec<String>)>,
}

/// A list, or the combinations of a list of which several may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListKind {
    Single(List),
    Combined(List),
}

impl ListRanges {
    pub(super) fn new(options: &TemplateOptions) -> Self {
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
        let first = cell_name(0, column).trim_end_matches('0').to_owned();
        let last_row = LISTS_ROW + u32::try_from(self.columns[at].2.len()).ok()?;
        Some(format!(
            "='{SHEET_GUIDE}'!${first}${}:${first}${last_row}",
            LISTS_ROW + 1
        ))
    }

    pub(super) fn validation(&self, shape: Shape) -> Option<DataValidation> {
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

pub(super) fn write_guide(
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
