//! The catalogue in Excel: the template a department fills in, its reading, and its return with each fault in
//! the cell where it is.
//!
//! A workbook has three sheets: 目录 with one row per entry, 信息项 with one row per data item, joined to its entry
//! by 资源名称, and 填写说明 with what to write where. `columns` is the one place that says which column holds what.
//!
//! What is uploaded is taken for hostile: its size is checked packed and unpacked before anything is parsed, every
//! count has a limit, and formulas are refused, never evaluated.
//!
//! Spec: YC-11, PDS-6.1.

mod columns;
mod faults;
mod grid;
mod package;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Serialize};
use tongqu_domain::catalogue::EntryContent;
use tongqu_domain::kind::Kind;

pub use faults::CellFault;
pub use parse::read;
pub use write::{annotated, filled, template};

pub use crate::platform::xlsx::FoundFormat;

use grid::RawSheet;

/// Sheet with one row per entry.
pub const SHEET_ENTRIES: &str = "目录";
/// Sheet with one row per data item.
pub const SHEET_ITEMS: &str = "信息项";
/// Sheet that explains the others.
pub const SHEET_GUIDE: &str = "填写说明";
/// The layout of the template; a file of another version is refused with the advice to fetch the new one.
pub const TEMPLATE_VERSION: u32 = 1;
/// Rows whose first cell begins so are examples and are not read.
pub const EXAMPLE_MARK: &str = "示例：";

/// A code of the rule pack in force and the name by which people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The code that is stored, for example `unconditional`.
    pub code: String,
    /// The name in the template, for example 无条件共享.
    pub name: String,
}

/// What the rule pack in force lets a department choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateOptions {
    /// 共享类型.
    pub sharing_classes: Vec<Choice>,
    /// 共享方式; an entry may have several.
    pub modes: Vec<Choice>,
    /// 所属基础库.
    pub base_libraries: Vec<Choice>,
    /// What an empty cell of 共享类型 means.
    pub unclassed: Unclassed,
}

/// What it means that an entry states no sharing class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unclassed {
    /// Something is missing.
    #[default]
    Fault,
    /// The class that the regulation prefers is proposed; the content comes without one.
    Proposed,
}

/// How much a workbook may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "limits end in `_max` throughout the product"
)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub bytes_max: usize,
    /// Size of all its parts unpacked, in bytes: guards against a small file that swells.
    pub unpacked_bytes_max: u64,
    /// Size of each unpacked part other than a sheet, in bytes: the shared texts are held in memory as a whole.
    pub part_bytes_max: u64,
    /// Rows of 目录, examples aside.
    pub entries_max: usize,
    /// Rows of 信息项, examples aside.
    pub items_max: usize,
    /// Faults that are told one by one; more are only counted.
    pub faults_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 20_000_000,
            unpacked_bytes_max: 256_000_000,
            part_bytes_max: 64_000_000,
            entries_max: 5_000,
            items_max: 50_000,
            faults_max: 2_000,
        }
    }
}

/// What was read from a workbook: the entries, and everything that is wrong with it at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// In the order of their rows.
    pub entries: Vec<ImportedEntry>,
    /// In the order of sheets and cells, at most `faults_max`.
    pub faults: Vec<CellFault>,
    /// All faults, those beyond the limit included.
    pub faults_total: usize,
    entry_sheet: RawSheet,
    item_sheet: RawSheet,
}

/// One row of 目录 with its rows of 信息项.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedEntry {
    /// Row in 目录, the header being row 1.
    pub row: u32,
    /// What the department states; `None` if any cell of the entry or of its items is faulty.
    pub content: Option<EntryContent>,
    /// What could be read nevertheless, with empty texts where cells are faulty.
    draft: Option<EntryContent>,
    /// Rows in 信息项 of the items of `content` or `draft`, in their order.
    item_rows: Vec<u32>,
}

impl ImportedEntry {
    /// What can be checked further, so that all faults of a file are told at once: the content, or what could be
    /// read of a faulty entry. Never store it: [`ImportedEntry::content`] is what may be stored.
    #[must_use]
    pub fn for_checking(&self) -> Option<&EntryContent> {
        self.content.as_ref().or(self.draft.as_ref())
    }
}

impl Import {
    /// Whether nothing is wrong with the workbook.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults_total == 0
    }

    /// Sheet and cell of a field: `name`, `technical_contact.phone`, `items[3].code` (from 0). A field that has no cell
    /// of its own, such as `items`, is shown in the cell of the entry's name. `None` if there is no such entry or field.
    #[must_use]
    pub fn cell_of(&self, entry_index: usize, field: &str) -> Option<(&'static str, String)> {
        let entry = self.entries.get(entry_index)?;
        let Some(rest) = field.strip_prefix("items[") else {
            let column = columns::ENTRY_SHEET.position_of_path(field)?;
            return Some((SHEET_ENTRIES, grid::cell_name(entry.row, column)));
        };
        let (index, rest) = rest.split_once(']')?;
        let row = *entry.item_rows.get(index.parse::<usize>().ok()?)?;
        let column = columns::ITEM_SHEET.position_of_path(rest.trim_start_matches('.'))?;
        Some((SHEET_ITEMS, grid::cell_name(row, column)))
    }

    /// Turns a fault of the content into one of its cell. `None` if the cell is known to be faulty already, because
    /// what follows from a fault need not be told, or if there is no such cell.
    #[must_use]
    pub fn content_fault(
        &self,
        entry_index: usize,
        field: &str,
        code: &str,
        message: &str,
    ) -> Option<CellFault> {
        let (sheet, cell) = self.cell_of(entry_index, field)?;
        let is_known = self
            .faults
            .iter()
            .any(|fault| fault.sheet == sheet && fault.cell == cell);
        (!is_known).then(|| CellFault {
            sheet: sheet.to_owned(),
            cell,
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            data: std::collections::BTreeMap::new(),
            clause: None,
        })
    }
}

/// The workbook can't be read at all, or couldn't be written.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// The file is larger than allowed.
    #[error("the file has more than {bytes_max} bytes")]
    FileTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// Not an XLSX file: something else under its name.
    #[error("not an XLSX file but {found}")]
    NotXlsx {
        /// What it looks like.
        found: FoundFormat,
    },
    /// An XLSX file whose insides are broken or unusual.
    #[error("the XLSX file can't be read")]
    Unreadable,
    /// It unpacks to more than allowed.
    #[error("the XLSX file unpacks to more than {bytes_max} bytes")]
    UnpacksTooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// A sheet of the template is missing.
    #[error("the sheet {sheet} is missing")]
    SheetMissing {
        /// Its name.
        sheet: &'static str,
    },
    /// Filled in on a template of another version.
    #[error("template version {found}, expected {expected}")]
    Version {
        /// The version of the file.
        found: String,
        /// The version in use.
        expected: u32,
    },
    /// Columns are missing, added, renamed or moved, so that no cell can be trusted.
    #[error("{} column headers are not those of the template", .0.len())]
    Headers(Vec<CellFault>),
    /// More entries than allowed.
    #[error("more than {entries_max} entries")]
    TooManyEntries {
        /// The limit.
        entries_max: usize,
    },
    /// More data items than allowed.
    #[error("more than {items_max} data items")]
    TooManyItems {
        /// The limit.
        items_max: usize,
    },
    /// Nothing was filled in.
    #[error("no entry is filled in")]
    Empty,
    /// Our own writing failed.
    #[error("the workbook couldn't be written")]
    Write(#[source] rust_xlsxwriter::XlsxError),
}

impl WorkbookError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileTooLarge { .. } => "workbook.file_too_large",
            Self::NotXlsx { .. } => "workbook.not_xlsx",
            Self::Unreadable => "workbook.unreadable",
            Self::UnpacksTooLarge { .. } => "workbook.unpacks_too_large",
            Self::SheetMissing { .. } => "workbook.sheet_missing",
            Self::Version { .. } => "workbook.version",
            Self::Headers(_) => "workbook.headers",
            Self::TooManyEntries { .. } => "workbook.too_many_entries",
            Self::TooManyItems { .. } => "workbook.too_many_items",
            Self::Empty => "workbook.empty",
            Self::Write(_) => "workbook.write",
        }
    }

    /// Class of the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::FileTooLarge { .. }
            | Self::UnpacksTooLarge { .. }
            | Self::TooManyEntries { .. }
            | Self::TooManyItems { .. } => Kind::TooMany,
            Self::NotXlsx { .. }
            | Self::Unreadable
            | Self::SheetMissing { .. }
            | Self::Version { .. }
            | Self::Headers(_)
            | Self::Empty => Kind::Invalid,
            Self::Write(_) => Kind::Bug,
        }
    }

    /// What to do next, in Chinese.
    #[must_use]
    pub fn message(&self) -> String {
        faults::error_message(self)
    }

    /// The cells concerned, if the error lies in cells.
    #[must_use]
    pub fn faults(&self) -> &[CellFault] {
        match self {
            Self::Headers(faults) => faults,
            Self::FileTooLarge { .. }
            | Self::NotXlsx { .. }
            | Self::Unreadable
            | Self::UnpacksTooLarge { .. }
            | Self::SheetMissing { .. }
            | Self::Version { .. }
            | Self::TooManyEntries { .. }
            | Self::TooManyItems { .. }
            | Self::Empty
            | Self::Write(_) => &[],
        }
    }
}
