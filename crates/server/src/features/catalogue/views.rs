//! JSON shapes of the catalogue.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::{
    catalogue::{Contact, DataItem, EntryContent, VersionState},
    law::Pack,
    time::china_date,
};
use utoipa::ToSchema;

use super::store::{Listed, Version};
use crate::platform::http::Language;

/// A code with its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CodeView {
    pub code: String,
    pub name: String,
}

/// A named contact. Spec: PDS-6.3.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactView {
    pub name: String,
    pub phone: String,
}

impl From<&Contact> for ContactView {
    fn from(c: &Contact) -> Self {
        Self {
            name: c.name.clone(),
            phone: c.phone.clone(),
        }
    }
}

/// A data item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemView {
    pub name: String,
    pub code: String,
    pub data_type: String,
    pub type_name: String,
    pub length: Option<u32>,
    pub scale: Option<u32>,
    pub nullable: bool,
    /// Part of the primary key; always delivered, because rows can't be told apart without it.
    pub key: bool,
    pub sensitive: bool,
    pub sensitivity_name: String,
    /// How it is masked on delivery; absent where it isn't.
    pub mask_name: Option<String>,
    pub check_name: Option<String>,
    pub standard: Option<String>,
}

impl ItemView {
    pub(super) fn new(item: &DataItem, language: Language) -> Self {
        Self {
            name: item.name.clone(),
            code: item.code.clone(),
            data_type: item.data_type.code().to_owned(),
            type_name: language.name_of(&item.data_type),
            length: item.length,
            scale: item.scale,
            nullable: item.nullable,
            key: item.key,
            sensitive: item.sensitivity == tongqu_domain::catalogue::Sensitivity::Sensitive,
            sensitivity_name: language.name_of(&item.sensitivity),
            mask_name: item.mask.map(|mask| language.name_of(&mask)),
            check_name: item.check.map(|check| language.name_of(&check)),
            standard: item.standard.clone(),
        }
    }
}

/// The content of a version with the names of its codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContentView {
    pub summary: String,
    pub class_code: String,
    pub format_name: String,
    pub sharing_class: CodeView,
    pub sharing_condition: Option<String>,
    pub legal_basis: Option<String>,
    pub modes: Vec<CodeView>,
    pub open: bool,
    pub open_condition: Option<String>,
    pub update_cycle_name: String,
    pub grade: u8,
    pub source_system: Option<String>,
    pub base_library: Option<String>,
    /// Departments to which it may go; empty: any.
    pub recipients: Vec<String>,
    /// What it may be used for, as the provider states it.
    pub purposes: Vec<String>,
    pub theme: Option<String>,
    pub authorising_contact: ContactView,
    pub technical_contact: ContactView,
    pub items: Vec<ItemView>,
}

impl ContentView {
    pub(super) fn new(content: &EntryContent, pack: &Pack, language: Language) -> Self {
        Self {
            summary: content.summary.clone(),
            class_code: content.class_code.clone(),
            format_name: language.name_of(&content.format),
            sharing_class: class_view(&content.sharing_class, pack, language),
            sharing_condition: content.sharing_condition.clone(),
            legal_basis: content.legal_basis.clone(),
            modes: content
                .modes
                .iter()
                .map(|m| mode_view(m, pack, language))
                .collect(),
            open: content.open,
            open_condition: content.open_condition.clone(),
            update_cycle_name: language.name_of(&content.update_cycle),
            grade: content.grade,
            source_system: content.source_system.clone(),
            base_library: content.base_library.clone(),
            recipients: content.recipients.clone(),
            purposes: content.purposes.clone(),
            theme: content.theme.clone(),
            authorising_contact: (&content.authorising_contact).into(),
            technical_contact: (&content.technical_contact).into(),
            items: content
                .items
                .iter()
                .map(|item| ItemView::new(item, language))
                .collect(),
        }
    }
}

/// A sharing class with the name that the pack gives it; the code itself if the pack has none.
pub(super) fn class_view(code: &str, pack: &Pack, language: Language) -> CodeView {
    let name = pack
        .sharing_classes()
        .iter()
        .find(|c| c.code == code)
        .map_or_else(|| code.to_owned(), |c| language.name_of(c));
    CodeView {
        code: code.to_owned(),
        name,
    }
}

/// An exchange mode with the name that the pack gives it.
pub(super) fn mode_view(code: &str, pack: &Pack, language: Language) -> CodeView {
    let name = pack
        .exchange_modes()
        .iter()
        .find(|m| m.code == code)
        .map_or_else(|| code.to_owned(), |m| language.name_of(m));
    CodeView {
        code: code.to_owned(),
        name,
    }
}

/// The state of a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateView {
    /// `draft`, `submitted`, `returned`, `published` or `superseded`.
    pub code: String,
    /// Why it was returned.
    pub reason: Option<String>,
}

impl From<&VersionState> for StateView {
    fn from(state: &VersionState) -> Self {
        let reason = match state {
            VersionState::Returned { reason, .. } => Some(reason.clone()),
            VersionState::Draft
            | VersionState::Submitted { .. }
            | VersionState::Published { .. }
            | VersionState::Superseded { .. } => None,
        };
        Self {
            code: state.name().to_owned(),
            reason,
        }
    }
}

/// A version in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionLineView {
    pub version_id: String,
    pub entry_id: String,
    /// Resource code, for example `307001/1`.
    pub code: String,
    pub name: String,
    pub version_no: u32,
    pub state: StateView,
    pub department_id: String,
    pub department_name: String,
    pub sharing_class: CodeView,
    pub modes: Vec<CodeView>,
    pub items_count: usize,
    /// Civil date; absent until published.
    pub published_on: Option<String>,
    /// Whether there is data behind the entry.
    pub mounted: bool,
    /// What the viewer may do with it: `submit`, `publish`, `return`, `mount`.
    pub actions: Vec<&'static str>,
}

impl VersionLineView {
    pub(super) fn new(
        listed: &Listed,
        departments: &BTreeMap<String, String>,
        pack: &Pack,
        language: Language,
    ) -> Self {
        let Listed { entry, version } = listed;
        Self {
            version_id: version.id.to_string(),
            entry_id: entry.id.to_string(),
            code: entry.code.to_string(),
            name: version.content.name.clone(),
            version_no: version.no,
            state: (&version.state).into(),
            department_id: entry.department_id.to_string(),
            department_name: departments
                .get(entry.department_id.as_str())
                .cloned()
                .unwrap_or_default(),
            sharing_class: class_view(&version.content.sharing_class, pack, language),
            modes: version
                .content
                .modes
                .iter()
                .map(|m| mode_view(m, pack, language))
                .collect(),
            items_count: version.content.items.len(),
            published_on: published_on(version),
            mounted: false,
            actions: Vec::new(),
        }
    }
}

/// The civil date in China on which a version was published.
pub(super) fn published_on(version: &Version) -> Option<String> {
    version.published_at.map(|at| china_date(at).to_string())
}

/// A version of an entry, as the version tab lists it.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionTabView {
    pub version_no: u32,
    pub state: StateView,
    pub published_on: Option<String>,
    /// The one that readers see without asking for another.
    pub active: bool,
}
