//! What can be wrong with a workbook, and the sentence that tells a person what to do about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FoundFormat, SHEET_ENTRIES, WorkbookError};

/// Something wrong in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellFault {
    /// The sheet, by its name.
    pub sheet: String,
    /// The cell, for example `C5`.
    pub cell: String,
    /// The field of the content the cell stands for, for example `summary`; empty for a cell outside the table.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// What is wrong and what to do next, in Chinese.
    pub message: String,
    /// What the message was made from, for other languages.
    pub data: BTreeMap<String, String>,
    /// The clause that asks for it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
}

impl CellFault {
    /// Where it stands among others: by sheet, row and column, as a person goes through the file.
    pub(crate) fn place(&self) -> impl Ord + '_ {
        let letters = self.cell.trim_end_matches(|c: char| c.is_ascii_digit());
        let row: u32 = self.cell[letters.len()..].parse().unwrap_or_default();
        (self.sheet != SHEET_ENTRIES, row, letters.len(), letters)
    }
}

/// Every fault of a cell that this module finds. `{…}` in a text is filled in from the data of the fault.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal : $text:literal,)+) => {
        /// Kinds of faults.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every kind.
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Stable code.
            pub(super) fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Chinese text.
            fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// A required cell is empty.
    Required = "workbook.required" : "“{header}”是必填项，请填写。",
    /// A formula, or a text that would become one.
    Formula = "workbook.formula" : "这里是公式，不能导入。请改为直接填写的值（复制后选择性粘贴为“数值”）。",
    /// Not in the list.
    UnknownValue = "workbook.unknown_value" : "“{header}”没有这个选项，请改为：{allowed}。",
    /// Too many characters.
    TooLong = "workbook.too_long" : "“{header}”最多 {max} 个字，现在是 {length} 个，请缩短。",
    /// Fractions, or more than 15 digits: Excel may have changed it.
    NumberLossy = "workbook.number_lossy" : "这里是数字，可能已被 Excel 改动（小数、科学计数或超过 15 位）。请把单元格格式设为“文本”后重新填写。",
    /// Not a whole number within the bounds.
    NotANumber = "workbook.not_a_number" : "“{header}”应为 {min} 至 {max} 的整数，请修改。",
    /// Excel took the input for a date.
    DateValue = "workbook.date_value" : "这里被 Excel 识别成了日期。请把单元格格式设为“文本”后重新填写。",
    /// TRUE or FALSE where text is expected.
    BooleanValue = "workbook.boolean_value" : "这里是 TRUE 或 FALSE，“{header}”应填写文字，请修改。",
    /// #REF! and the like.
    ErrorValue = "workbook.error_value" : "这里是错误值（例如 #REF!），请重新填写。",
    /// A line break in a one-line text.
    LineBreak = "workbook.line_break" : "“{header}”不能换行，请删除换行。",
    /// Invisible control characters.
    ControlCharacter = "workbook.control_character" : "“{header}”含有看不见的控制字符，请删除后重新填写。",
    /// Part of a merged region.
    Merged = "workbook.merged" : "{range} 是合并单元格。请取消合并，并在每一行单独填写。",
    /// Two entries of one name.
    DuplicateName = "workbook.duplicate_name" : "资源名称与第 {row} 行相同。请改名，或删除其中一行。",
    /// An item of an entry that isn't there.
    OrphanItem = "workbook.orphan_item" : "“目录”表中没有这个资源名称。请改成与“目录”表完全一致的名称。",
    /// Something written beside the table.
    OutsideColumns = "workbook.outside_columns" : "这一列不属于模板，内容不会导入。请移到对应的列，或删除。",
    /// A header that isn't the one of the template.
    Header = "workbook.header" : "这一列的表头应为“{expected}”，现在是“{found}”。请改回模板的表头。",
    /// A column of the template is missing here.
    ColumnMissing = "workbook.column_missing" : "这里缺少“{expected}”列，后面的列都错位了（现在是“{found}”）。请按模板补上这一列。",
    /// A column was put in here.
    ColumnExtra = "workbook.column_extra" : "这里多出“{found}”列，应为“{expected}”。请删除多出的列。",
}

/// Longest header or value repeated in a message, in characters.
const QUOTED_CHARS_MAX: usize = 60;

/// Makes a fault.
pub(super) fn fault(
    code: Code,
    sheet: &str,
    cell: String,
    field: &str,
    data: &[(&str, String)],
) -> CellFault {
    let data: BTreeMap<String, String> = data
        .iter()
        .map(|(key, value)| {
            (
                (*key).to_owned(),
                value.chars().take(quoted_max(key)).collect(),
            )
        })
        .collect();
    let message = data
        .iter()
        .fold(code.text().to_owned(), |text, (key, value)| {
            text.replace(&format!("{{{key}}}"), value)
        });
    CellFault {
        sheet: sheet.to_owned(),
        cell,
        field: field.to_owned(),
        code: code.code().to_owned(),
        message,
        data,
        clause: None,
    }
}

/// Lists of what is allowed come from us and are shown whole.
fn quoted_max(key: &str) -> usize {
    if key == "allowed" {
        usize::MAX
    } else {
        QUOTED_CHARS_MAX
    }
}

/// Collects faults up to a limit and counts all of them.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) list: Vec<CellFault>,
    pub(super) total: usize,
    max: usize,
}

impl Faults {
    pub(super) fn new(max: usize) -> Self {
        Self {
            list: Vec::new(),
            total: 0,
            max,
        }
    }

    pub(super) fn push(&mut self, fault: impl FnOnce() -> CellFault) {
        self.total += 1;
        if self.list.len() < self.max {
            self.list.push(fault());
        }
    }
}

/// What to do about a workbook that can't be read.
pub(super) fn error_message(error: &WorkbookError) -> String {
    match error {
        WorkbookError::FileTooLarge { bytes_max } => {
            format!("文件超过 {} MB，请拆成几个文件分别上传。", bytes_max / 1_000_000)
        }
        WorkbookError::NotXlsx { found } => match found {
            FoundFormat::Nothing => "文件是空的，请重新选择填写好的模板。".to_owned(),
            FoundFormat::OldOfficeOrEncrypted => "这是旧版 .xls 文件或带密码的文件。请去掉密码，另存为 .xlsx 后再上传。".to_owned(),
            FoundFormat::OtherArchive => "这是改了扩展名的压缩包或其他文档，不是 Excel 表格。请上传填写好的目录模板（.xlsx）。".to_owned(),
            FoundFormat::Other => "这不是 .xlsx 文件。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。".to_owned(),
        },
        WorkbookError::Unreadable => "文件已损坏，无法读取。请用 Excel 或 WPS 打开并重新保存后再上传。".to_owned(),
        WorkbookError::UnpacksTooLarge { bytes_max } => {
            format!("文件解开后超过 {} MB，不予读取。请只保留模板中的表，重新保存后再上传。", bytes_max / 1_000_000)
        }
        WorkbookError::SheetMissing { sheet } => format!("文件中没有“{sheet}”表。请下载最新的目录模板，把内容填到模板里。"),
        WorkbookError::Version { expected, .. } => {
            format!("这个文件不是用第 {expected} 版模板填写的。请下载最新的目录模板，把内容复制过去。")
        }
        WorkbookError::Headers(_) => "表头与模板不一致，无法确定每一列的含义。请按下列位置改回模板的表头。".to_owned(),
        WorkbookError::TooManyEntries { entries_max } => {
            format!("“目录”表超过 {entries_max} 行。请拆成几个文件，每个不超过 {entries_max} 行。")
        }
        WorkbookError::TooManyItems { items_max } => {
            format!("“信息项”表超过 {items_max} 行。请拆成几个文件，每个不超过 {items_max} 行。")
        }
        WorkbookError::Empty => "“目录”表里还没有填写内容。示例行不会导入，请从示例行下面开始填写。".to_owned(),
        WorkbookError::Write(_) => "生成 Excel 文件失败，请重试；仍然失败请联系平台运营。".to_owned(),
    }
}
