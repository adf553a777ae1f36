//! From cells to entries: every cell is looked at, and every fault is kept with its cell.

mod cells;

use std::collections::HashMap;

use tongqu_domain::catalogue::{
    CheckKind, Contact, DataItem, DataType, EntryContent, MaskKind, ResourceFormat, Sensitivity,
    UpdateCycle,
};

use self::cells::{Cells, code_of};
use super::Unclassed;
use super::columns::{Column, ENTRY_SHEET, ITEM_SHEET, LINK_FIELD, Sheet};
use super::faults::{Code, Faults, fault};
use super::grid::{self, Raw, RawRow, RawSheet, cell_name};
use super::{
    CellFault, Import, ImportedEntry, Limits, TEMPLATE_VERSION, TemplateOptions, WorkbookError,
    package,
};

/// Reads a filled-in template.
///
/// Faults in cells are part of the result, all of them at once. Errors are what makes the whole file unusable:
/// not a workbook, too large, other columns than those of the template, nothing filled in.
/// Memory stays within a small multiple of the limits. Takes about a second for a file at the limits.
pub fn read(
    bytes: &[u8],
    options: &TemplateOptions,
    limits: &Limits,
) -> Result<Import, WorkbookError> {
    package::inspect(bytes, limits)?;
    let grids = grid::read(bytes, limits)?;
    if let Some(found) = grids
        .version
        .filter(|found| *found != TEMPLATE_VERSION.to_string())
    {
        return Err(WorkbookError::Version {
            found,
            expected: TEMPLATE_VERSION,
        });
    }
    let mut header_faults = header_faults(&grids.entries, &ENTRY_SHEET);
    header_faults.extend(self::header_faults(&grids.items, &ITEM_SHEET));
    if !header_faults.is_empty() {
        return Err(WorkbookError::Headers(header_faults));
    }
    if grids.entries.rows.iter().all(RawRow::is_example) {
        return Err(WorkbookError::Empty);
    }
    let mut faults = Faults::new(limits.faults_max);
    let mut entries = read_entries(&grids.entries, options, &mut faults);
    read_items(&grids.items, options, &mut entries, &mut faults);
    Ok(Import {
        entries: entries.into_iter().map(OpenEntry::close).collect(),
        faults: faults.list,
        faults_total: faults.total,
        entry_sheet: grids.entries,
        item_sheet: grids.items,
    })
}

/// Compares the header row with the template. A column too many or too few is told once, not for every column
/// that it moved.
fn header_faults(found: &RawSheet, sheet: &Sheet) -> Vec<CellFault> {
    let text = |at: usize| match found.header.iter().find(|(column, _)| *column == at) {
        Some((_, Raw::Text(text))) => text.as_str(),
        Some(_) => "？",
        None => "",
    };
    let is_next = |column: Option<&Column>, at: usize| {
        column.is_some_and(|column| column.is_headed_by(text(at)))
    };
    let mut faults = Vec::new();
    let (mut expected, mut at) = (0, 0);
    while let Some(column) = sheet.columns.get(expected) {
        if column.is_headed_by(text(at)) {
            expected += 1;
            at += 1;
            continue;
        }
        let shown = if text(at).is_empty() { "空" } else { text(at) };
        let data = [
            ("expected", column.marked_header()),
            ("found", shown.to_owned()),
        ];
        let cell = cell_name(1, at);
        if is_next(sheet.columns.get(expected + 1), at) {
            faults.push(fault(Code::ColumnMissing, sheet.name, cell, "", &data));
            expected += 1;
        } else if is_next(Some(column), at + 1) {
            faults.push(fault(Code::ColumnExtra, sheet.name, cell, "", &data));
            at += 1;
        } else {
            faults.push(fault(Code::Header, sheet.name, cell, "", &data));
            expected += 1;
            at += 1;
        }
    }
    faults
}

/// An entry whose items are still being read.
struct OpenEntry {
    row: u32,
    /// What its items call it, whatever else may be wrong with the entry.
    name: Option<String>,
    is_faulty: bool,
    content: Option<EntryContent>,
    item_rows: Vec<u32>,
}

impl OpenEntry {
    fn close(self) -> ImportedEntry {
        let (content, draft) = if self.is_faulty {
            (None, self.content)
        } else {
            (self.content, None)
        };
        ImportedEntry {
            row: self.row,
            content,
            draft,
            item_rows: self.item_rows,
        }
    }
}

fn read_entries(raw: &RawSheet, options: &TemplateOptions, faults: &mut Faults) -> Vec<OpenEntry> {
    merged_faults(raw, &ENTRY_SHEET, faults);
    let mut rows_by_name: HashMap<String, u32> = HashMap::new();
    let mut entries = Vec::new();
    for row in raw.rows.iter().filter(|row| !row.is_example()) {
        let mut cells = Cells {
            sheet: &ENTRY_SHEET,
            row,
            merged: &raw.merged,
            options,
            faults,
            is_faulty: false,
        };
        let content = entry(&mut cells);
        let name = cells.peek("name");
        if let Some(first) = name.as_ref().and_then(|name| rows_by_name.get(name)) {
            cells.report(Code::DuplicateName, "name", &[("row", first.to_string())]);
        } else if let Some(name) = &name {
            rows_by_name.insert(name.clone(), row.number);
        }
        cells.report_outside();
        let is_faulty = cells.is_faulty || content.is_none();
        entries.push(OpenEntry {
            row: row.number,
            name,
            is_faulty,
            content,
            item_rows: Vec::new(),
        });
    }
    entries
}

/// The content of a row without its items; `None` if a cell is faulty for which no empty value can stand.
fn entry(cells: &mut Cells<'_>) -> Option<EntryContent> {
    let name = cells.text("name");
    let class_code = cells.text("class_code");
    let summary = cells.text("summary");
    let format = cells.one("format", ResourceFormat::find);
    let classes = &cells.options.sharing_classes;
    let sharing_class = match (cells.options.unclassed, cells.peek("sharing_class")) {
        (Unclassed::Proposed, None) => Some(String::new()),
        (Unclassed::Proposed, Some(_)) | (Unclassed::Fault, _) => {
            cells.one("sharing_class", |text| code_of(classes, text))
        }
    };
    let sharing_condition = cells.optional_text("sharing_condition");
    let legal_basis = cells.optional_text("legal_basis");
    let modes = cells.modes();
    let open = cells.yes_no("open");
    let open_condition = cells.optional_text("open_condition");
    let update_cycle = cells.one("update_cycle", UpdateCycle::find);
    let grade = cells
        .number("grade")
        .and_then(|grade| u8::try_from(grade).ok());
    let source_system = cells.optional_text("source_system");
    let libraries = &cells.options.base_libraries;
    let base_library = cells.one("base_library", |text| code_of(libraries, text));
    let authorising_contact = Contact {
        name: cells.text("authorising_contact.name"),
        phone: cells.text("authorising_contact.phone"),
    };
    let technical_contact = Contact {
        name: cells.text("technical_contact.name"),
        phone: cells.text("technical_contact.phone"),
    };
    let related_codes = cells.lines("related_codes");
    let declared_unclassified = cells.yes_no("declared_unclassified");
    let recipients = cells.lines("recipients");
    let purposes = cells.lines("purposes");
    let theme = cells.optional_text("theme");
    Some(EntryContent {
        name,
        class_code,
        summary,
        format: format?,
        sharing_class: sharing_class?,
        sharing_condition,
        legal_basis,
        modes,
        open: open?,
        open_condition,
        update_cycle: update_cycle?,
        grade: grade?,
        source_system,
        base_library,
        authorising_contact,
        technical_contact,
        related_codes,
        declared_unclassified: declared_unclassified?,
        recipients,
        purposes,
        theme,
        items: Vec::new(),
    })
}

fn read_items(
    raw: &RawSheet,
    options: &TemplateOptions,
    entries: &mut [OpenEntry],
    faults: &mut Faults,
) {
    merged_faults(raw, &ITEM_SHEET, faults);
    let mut index_by_name: HashMap<String, usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(name) = &entry.name {
            index_by_name.entry(name.clone()).or_insert(index);
        }
    }
    for row in raw.rows.iter().filter(|row| !row.is_example()) {
        let mut cells = Cells {
            sheet: &ITEM_SHEET,
            row,
            merged: &raw.merged,
            options,
            faults,
            is_faulty: false,
        };
        let link = cells.optional_text(LINK_FIELD);
        let index = link
            .as_ref()
            .and_then(|link| index_by_name.get(link))
            .copied();
        if index.is_none() && link.is_some() {
            cells.report(Code::OrphanItem, LINK_FIELD, &[]);
        }
        let item = item(&mut cells);
        cells.report_outside();
        let is_faulty = cells.is_faulty;
        let Some(entry) = index.and_then(|index| entries.get_mut(index)) else {
            continue;
        };
        entry.is_faulty |= is_faulty || item.is_none();
        if let (Some(content), Some(item)) = (&mut entry.content, item) {
            content.items.push(item);
            entry.item_rows.push(row.number);
        }
    }
}

fn item(cells: &mut Cells<'_>) -> Option<DataItem> {
    let name = cells.text("name");
    let code = cells.text("code");
    let data_type = cells.one("data_type", DataType::find);
    let length = cells.number("length");
    let scale = cells.number("scale");
    let nullable = cells.yes_no("nullable");
    let key = cells.yes_no("key").unwrap_or(false);
    let sensitivity = cells.one("sensitivity", Sensitivity::find);
    let mask = cells.one("mask", MaskKind::find);
    let check = cells.one("check", CheckKind::find);
    let standard = cells.optional_text("standard");
    Some(DataItem {
        name,
        code,
        data_type: data_type?,
        length,
        scale,
        nullable: nullable?,
        key,
        sensitivity: sensitivity?,
        mask,
        check,
        standard,
    })
}

fn merged_faults(raw: &RawSheet, sheet: &Sheet, faults: &mut Faults) {
    for region in raw
        .merged
        .iter()
        .filter(|region| region.first.1 < sheet.columns.len())
    {
        let cell = cell_name(region.first.0, region.first.1);
        faults.push(|| {
            fault(
                Code::Merged,
                sheet.name,
                cell,
                sheet.columns[region.first.1].field,
                &[("range", region.name())],
            )
        });
    }
}
