//! The catalogue 目录: what a department holds, described in versions that never change once published.
//!
//! - `content`: what the department states.
//! - `field_path`: names one field of a form, so that a fault can be shown where it is.
//! - `check`: every fault of a content at once.
//! - `propose`: the sharing class of an entry that leaves it open.
//! - `version`: the life cycle of a version.
//! - `diff`: what differs between two versions.
//!
//! Which sharing classes and modes there are is the rule pack's business; this room is handed them as
//! [`ClassRules`]. It knows no table or store: binding an entry to real data is `exchange::check_mount`.
//! A change in the metadata of an entry usually starts in `content.rs`.
//!
//! Spec: YC-10 (no data flow without a catalogue entry), YC-11, PDS-5.1 (check and release), PDS-6.1,
//! PDS-6.3, YC-25.1.

mod check;
mod content;
mod diff;
mod field_path;
mod propose;
#[cfg(test)]
pub(crate) mod tests;
mod version;

pub use check::{
    ClassRule, ClassRules, ContentFault, ITEMS_MAX, LibraryRule, RESERVED_ITEM_CODES, Requirement,
    Stated, check_content,
};
pub use content::*;
pub use diff::{ContentDiff, FieldChange, ItemChange, difference};
pub use field_path::FieldPath;
pub use propose::{ClassHint, ProposedClass, propose_class};
pub use version::{REASON_CHARS_MAX, VersionError, VersionState};
