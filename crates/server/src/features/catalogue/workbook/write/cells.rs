//! Entries and items as cells.

use tongqu_domain::catalogue::{
    CheckKind, Contact, DataItem, DataType, EntryContent, MaskKind, ResourceFormat, Sensitivity,
    UpdateCycle,
};

use super::super::columns::{ENTRY_SHEET, ITEM_SHEET, SEPARATOR, YES_NO};
use super::super::grid::{Raw, RawRow};
use super::super::{Choice, EXAMPLE_MARK, TemplateOptions};

pub(super) fn row(rows: &[RawRow], cells: Vec<Option<Raw>>) -> RawRow {
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

pub(super) fn text(value: &str) -> Option<Raw> {
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
pub(super) fn entry_cells(entry: &EntryContent, options: &TemplateOptions) -> Vec<Option<Raw>> {
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
pub(super) fn item_cells(entry_name: &str, item: &DataItem) -> Vec<Option<Raw>> {
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
pub(super) fn example(options: &TemplateOptions) -> EntryContent {
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
