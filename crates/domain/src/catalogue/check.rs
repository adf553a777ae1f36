//! The check of an entry's content: every fault at once, each at its field, so that a department
//! mends a template of a hundred entries in one go.
//!
//! Most of what is demanded are the core items of the national catalogue guide 发改高技〔2017〕1272号,
//! cited as `GUIDE-<number of the item>`. What a sharing class demands is the rule pack's business and
//! comes in as [`ClassRules`] with its own clauses.

use std::collections::BTreeSet;

use serde::Serialize;

use super::content::{
    CheckKind, Contact, DataItem, DataType, EntryContent, GRADE_MAX, ResourceFormat,
};
use super::field_path::FieldPath;
use super::propose::ClassHint;
use crate::codes::{ClassCode, ResourceCode};
use crate::kind::Kind;

/// The most data items of an entry; the engines of exchange stores take about as many columns.
pub const ITEMS_MAX: usize = 500;

/// Codes a data item can't have, because the pool and the batches use columns of these names.
pub const RESERVED_ITEM_CODES: &[&str] = &["_seq", "_deleted", "_op"];

const NAME_CHARS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 2000;
const ITEM_CODE_CHARS_MAX: usize = 60;
const PHONE_CHARS: std::ops::RangeInclusive<usize> = 5..=30;
const NUMBER_DIGITS_MAX: u32 = 38;

/// What the rule pack in force says about sharing classes and modes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassRules {
    /// The sharing classes 共享类型.
    pub classes: Vec<ClassRule>,
    /// The codes of the modes 共享方式.
    pub modes: Vec<String>,
    /// The base libraries 基础库, where the pack lists them.
    pub libraries: Vec<LibraryRule>,
    /// The classes preferred for some entries, in the order in which they are tried.
    pub hints: Vec<ClassHint>,
    /// The clause by which every entry belongs to a base library. Spec: LY-2.
    pub library_required: Option<String>,
    /// The clause by which every data item names its standard. Spec: LY-8.1.
    pub standard_required: Option<String>,
}

/// One base library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryRule {
    /// The code, for example `population`.
    pub code: String,
    /// The only sharing class that its entries can have, with the clause that says so. Spec: YC-25.2,
    /// TP-9a, YJ-3.1.4.
    pub locked: Option<(String, String)>,
}

/// Something that an entry of a class has to state, with the clause that demands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What.
    pub what: Stated,
    /// The clause.
    pub clause: String,
}

/// What a sharing class may demand of an entry. Spec: YC-24, TP-8b, YJ-3.1.3a, YJ-3.1.3b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// 共享条件, or why it isn't shared.
    Condition,
    /// 共享范围.
    Recipients,
    /// 用途.
    Purposes,
    /// 共享范围, or only some of the data items in the condition.
    RecipientsOrCondition,
}

/// One sharing class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassRule {
    /// The code, for example `conditional`.
    pub code: String,
    /// The name in the regulation.
    pub name: String,
    /// Whether the entry has to state the conditions 共享条件.
    pub needs_condition: bool,
    /// Whether the entry has to state the legal basis 依据.
    pub needs_legal_basis: bool,
    /// What else it has to state.
    pub requirements: Vec<Requirement>,
    /// The clause that sets the class, for example `YC-25.1`.
    pub clause: Option<String>,
}

/// A fault of an entry's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {code}")]
pub struct ContentFault {
    /// Where.
    pub field: FieldPath,
    /// What: the stable code `entry....` or `item....`.
    pub code: &'static str,
    /// Which clause demands it.
    pub clause: Option<String>,
}

impl ContentFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Checks a content; empty if it can be submitted.
///
/// Spec: YC-11 (fields of an entry), YC-25.1 (legal basis), PDS-3.1 (no state secret), PDS-6.3
/// (contacts).
#[must_use]
pub fn check_content(content: &EntryContent, rules: &ClassRules) -> Vec<ContentFault> {
    let mut check = Check { faults: Vec::new() };
    check.texts(content);
    check.class_code(content);
    check.sharing(content, rules);
    check.library(content, rules);
    check.modes(content, rules);
    check.opening(content);
    if !(1..=GRADE_MAX).contains(&content.grade) {
        check.fault(FieldPath::of("grade"), "entry.grade_unknown", Some("YC-11"));
    }
    check.contact("authorising_contact", &content.authorising_contact);
    check.contact("technical_contact", &content.technical_contact);
    check.related_codes(content);
    if !content.declared_unclassified {
        check.fault(
            FieldPath::of("declared_unclassified"),
            "entry.not_declared_unclassified",
            Some("PDS-3.1"),
        );
    }
    check.items(content);
    if let Some(clause) = &rules.standard_required {
        check.standards(content, clause);
    }
    check.faults
}

struct Check {
    faults: Vec<ContentFault>,
}

impl Check {
    fn fault(&mut self, field: FieldPath, code: &'static str, clause: Option<&str>) {
        self.faults.push(ContentFault {
            field,
            code,
            clause: clause.map(str::to_owned),
        });
    }

    /// A text that has to be there and has a limit.
    fn required(&mut self, field: FieldPath, text: &str, chars_max: usize, clause: Option<&str>) {
        if text.trim().is_empty() {
            self.fault(field, "entry.field_empty", clause);
        } else {
            self.limited(field, text, chars_max);
        }
    }

    /// Line feeds and tabs are fine in longer texts; other control characters come from broken files.
    fn limited(&mut self, field: FieldPath, text: &str, chars_max: usize) {
        if text.chars().count() > chars_max {
            self.fault(field, "entry.field_too_long", None);
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            self.fault(field, "entry.field_control_character", None);
        }
    }

    fn texts(&mut self, content: &EntryContent) {
        self.required(
            FieldPath::of("name"),
            &content.name,
            NAME_CHARS_MAX,
            Some("GUIDE-2"),
        );
        self.required(
            FieldPath::of("summary"),
            &content.summary,
            TEXT_CHARS_MAX,
            Some("GUIDE-6"),
        );
        let optional = [
            ("sharing_condition", &content.sharing_condition),
            ("legal_basis", &content.legal_basis),
            ("open_condition", &content.open_condition),
            ("source_system", &content.source_system),
            ("base_library", &content.base_library),
            ("theme", &content.theme),
        ];
        for (field, text) in optional {
            if let Some(text) = text {
                self.limited(FieldPath::of(field), text, TEXT_CHARS_MAX);
            }
        }
    }

    fn class_code(&mut self, content: &EntryContent) {
        if let Err(fault) = ClassCode::parse(&content.class_code) {
            self.fault(FieldPath::of("class_code"), fault.code(), Some("GUIDE-1"));
        }
    }

    fn sharing(&mut self, content: &EntryContent, rules: &ClassRules) {
        let Some(class) = rules
            .classes
            .iter()
            .find(|class| class.code == content.sharing_class)
        else {
            return self.fault(
                FieldPath::of("sharing_class"),
                "entry.class_unknown",
                Some("GUIDE-9"),
            );
        };
        let clause = class.clause.as_deref();
        if class.needs_condition && is_blank(content.sharing_condition.as_deref()) {
            self.fault(
                FieldPath::of("sharing_condition"),
                "entry.condition_missing",
                clause,
            );
        }
        if class.needs_legal_basis && is_blank(content.legal_basis.as_deref()) {
            self.fault(
                FieldPath::of("legal_basis"),
                "entry.legal_basis_missing",
                clause,
            );
        }
        let has_condition = !is_blank(content.sharing_condition.as_deref());
        for requirement in &class.requirements {
            let (field, code, is_stated) = match requirement.what {
                Stated::Condition => (
                    "sharing_condition",
                    "entry.condition_missing",
                    has_condition,
                ),
                Stated::Recipients => (
                    "recipients",
                    "entry.recipients_missing",
                    !content.recipients.is_empty(),
                ),
                Stated::Purposes => (
                    "purposes",
                    "entry.purposes_missing",
                    !content.purposes.is_empty(),
                ),
                Stated::RecipientsOrCondition => (
                    "recipients",
                    "entry.recipients_missing",
                    has_condition || !content.recipients.is_empty(),
                ),
            };
            if !is_stated {
                self.fault(FieldPath::of(field), code, Some(&requirement.clause));
            }
        }
    }

    fn library(&mut self, content: &EntryContent, rules: &ClassRules) {
        let field = FieldPath::of("base_library");
        let Some(code) = content
            .base_library
            .as_deref()
            .filter(|c| !c.trim().is_empty())
        else {
            if let Some(clause) = &rules.library_required {
                self.fault(field, "entry.library_missing", Some(clause));
            }
            return;
        };
        match rules.libraries.iter().find(|library| library.code == code) {
            None if rules.libraries.is_empty() => {}
            None => self.fault(
                field,
                "entry.library_unknown",
                rules.library_required.as_deref(),
            ),
            Some(LibraryRule {
                locked: Some((class, clause)),
                ..
            }) if *class != content.sharing_class => {
                self.fault(
                    FieldPath::of("sharing_class"),
                    "entry.class_locked",
                    Some(clause),
                );
            }
            Some(_) => {}
        }
    }

    fn standards(&mut self, content: &EntryContent, clause: &str) {
        for (index, item) in content.items.iter().enumerate() {
            if is_blank(item.standard.as_deref()) {
                self.fault(
                    FieldPath::item(index, "standard"),
                    "item.standard_missing",
                    Some(clause),
                );
            }
        }
    }

    fn modes(&mut self, content: &EntryContent, rules: &ClassRules) {
        if content.modes.is_empty() {
            self.fault(FieldPath::of("modes"), "entry.no_mode", Some("GUIDE-9"));
        }
        let mut seen = BTreeSet::new();
        for (index, mode) in content.modes.iter().enumerate() {
            let field = FieldPath::element("modes", index);
            if !rules.modes.contains(mode) {
                self.fault(field, "entry.mode_unknown", Some("GUIDE-9"));
            } else if !seen.insert(mode) {
                self.fault(field, "entry.mode_twice", None);
            } else if !mode_fits_format(mode, content.format) {
                self.fault(field, "entry.mode_does_not_fit_format", Some("GUIDE-7"));
            }
        }
    }

    fn opening(&mut self, content: &EntryContent) {
        if !content.open && !is_blank(content.open_condition.as_deref()) {
            self.fault(
                FieldPath::of("open_condition"),
                "entry.open_condition_without_opening",
                Some("GUIDE-10"),
            );
        }
    }

    fn contact(&mut self, field: &'static str, contact: &Contact) {
        self.required(
            FieldPath::part_of(field, "name"),
            &contact.name,
            NAME_CHARS_MAX,
            Some("PDS-6.3"),
        );
        let phone = FieldPath::part_of(field, "phone");
        if contact.phone.trim().is_empty() {
            return self.fault(phone, "entry.field_empty", Some("PDS-6.3"));
        }
        let is_dialled = contact
            .phone
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')'));
        if !is_dialled || !PHONE_CHARS.contains(&contact.phone.len()) {
            self.fault(phone, "entry.phone_form", Some("PDS-6.3"));
        }
    }

    fn related_codes(&mut self, content: &EntryContent) {
        let mut seen = BTreeSet::new();
        for (index, code) in content.related_codes.iter().enumerate() {
            let field = FieldPath::element("related_codes", index);
            if let Err(fault) = ResourceCode::parse(code) {
                self.fault(field, fault.code(), Some("GUIDE-13"));
            } else if !seen.insert(code) {
                self.fault(field, "entry.related_code_twice", None);
            }
        }
    }

    fn items(&mut self, content: &EntryContent) {
        let items = FieldPath::of("items");
        if content.items.is_empty() && is_structured(content.format) {
            self.fault(items, "entry.no_items", Some("GUIDE-8"));
        }
        if content.items.len() > ITEMS_MAX {
            return self.fault(items, "entry.too_many_items", None);
        }
        let (mut names, mut codes) = (BTreeSet::new(), BTreeSet::new());
        for (index, item) in content.items.iter().enumerate() {
            self.item(index, item);
            if !names.insert(item.name.as_str()) {
                self.fault(FieldPath::item(index, "name"), "item.name_twice", None);
            }
            // Some engines don't tell capitals apart in column names.
            if !codes.insert(item.code.to_ascii_lowercase()) {
                self.fault(FieldPath::item(index, "code"), "item.code_twice", None);
            }
        }
        let delivers_tables = content.modes.iter().any(|mode| mode == "table");
        if delivers_tables
            && !content.items.is_empty()
            && !content.items.iter().any(|item| item.key)
        {
            self.fault(items, "entry.no_key_item", None);
        }
    }

    fn item(&mut self, index: usize, item: &DataItem) {
        let field = |part| FieldPath::item(index, part);
        self.required(field("name"), &item.name, NAME_CHARS_MAX, Some("GUIDE-8"));
        if !is_item_code(&item.code) {
            self.fault(field("code"), "item.code_form", None);
        } else if RESERVED_ITEM_CODES.contains(&item.code.as_str()) {
            self.fault(field("code"), "item.code_reserved", None);
        }
        if let Some(standard) = &item.standard {
            self.limited(field("standard"), standard, NAME_CHARS_MAX);
        }
        self.item_size(index, item);
        if item.key && item.nullable {
            self.fault(field("nullable"), "item.key_nullable", None);
        }
        if let Some(mask) = item.mask {
            if item.key && !mask.keeps_apart() {
                self.fault(field("mask"), "item.key_masked", None);
            }
            if !mask.fits(item.data_type) {
                self.fault(field("mask"), "item.pseudonym_unfit", None);
            }
        }
        if item
            .check
            .is_some_and(|check| !check_fits_type(check, item.data_type))
        {
            self.fault(field("check"), "item.check_does_not_fit_type", None);
        }
    }

    fn item_size(&mut self, index: usize, item: &DataItem) {
        let is_number = matches!(item.data_type, DataType::Number | DataType::Integer);
        if item.length == Some(0) || (is_number && item.length > Some(NUMBER_DIGITS_MAX)) {
            self.fault(
                FieldPath::item(index, "length"),
                "item.length_out_of_range",
                None,
            );
        }
        match item.scale {
            None | Some(0) => {}
            Some(_) if item.data_type != DataType::Number => {
                self.fault(
                    FieldPath::item(index, "scale"),
                    "item.scale_without_number",
                    None,
                );
            }
            Some(scale) if scale > item.length.unwrap_or(NUMBER_DIGITS_MAX) => {
                self.fault(
                    FieldPath::item(index, "scale"),
                    "item.scale_out_of_range",
                    None,
                );
            }
            Some(_) => {}
        }
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// Formats whose content has fields.
fn is_structured(format: ResourceFormat) -> bool {
    match format {
        ResourceFormat::Database | ResourceFormat::Spreadsheet | ResourceFormat::Interface => true,
        ResourceFormat::Document
        | ResourceFormat::Image
        | ResourceFormat::Stream
        | ResourceFormat::SelfDescribing => false,
    }
}

/// The cross check of the national guide: files go as files, databases as tables or behind an
/// interface, interfaces as interfaces. Modes the guide doesn't know are left to the pack.
fn mode_fits_format(mode: &str, format: ResourceFormat) -> bool {
    match format {
        ResourceFormat::Document
        | ResourceFormat::Spreadsheet
        | ResourceFormat::Image
        | ResourceFormat::Stream
        | ResourceFormat::SelfDescribing => !matches!(mode, "table" | "interface"),
        ResourceFormat::Database => mode != "file",
        ResourceFormat::Interface => !matches!(mode, "table" | "file"),
    }
}

fn is_item_code(code: &str) -> bool {
    let mut bytes = code.bytes();
    let starts = bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    starts
        && code.len() <= ITEM_CODE_CHARS_MAX
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_fits_type(check: CheckKind, data_type: DataType) -> bool {
    match check {
        CheckKind::IdNumber | CheckKind::CreditCode => data_type == DataType::Text,
        CheckKind::DivisionCode => matches!(data_type, DataType::Text | DataType::Integer),
    }
}
