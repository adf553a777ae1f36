//! The responsibility list 采集责任清单: for each data item of the published catalogue, the one
//! department that has to collect it, and how far it has done so.
//!
//! The list is a log: each publication changes the lines of its own entry and gives the list its next
//! version. What changes is reckoned here; the registry keeps lines with the versions in which they hold.
//!
//! Spec: YC-13.1, YC-13.2, YC-14.2.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::catalogue::DataItem;
use crate::demand::resource_key;

/// An item as the list carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedItem {
    /// Code of the data item, unique within its entry.
    pub code: String,
    /// Name of the data item.
    pub name: String,
    /// Part of the key: it says which thing a row is about and is collected by everybody.
    pub key: bool,
}

impl ListedItem {
    /// The item of an entry.
    #[must_use]
    pub fn of(item: &DataItem) -> Self {
        Self {
            code: item.code.clone(),
            name: item.name.clone(),
            key: item.key,
        }
    }

    /// What two departments may not both be responsible for; `None` for an item that only tells the
    /// things apart which the data are about.
    ///
    /// Spec: YC-13.1 (exactly one responsible department), YC-16.1 (one source per datum).
    #[must_use]
    pub fn contested_name(&self) -> Option<String> {
        (!self.key).then(|| resource_key(&self.name))
    }
}

/// What a publication changes in the lines of an entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Lines that begin with the new version of the list.
    pub added: Vec<ListedItem>,
    /// Codes of lines that end with it.
    pub removed: Vec<String>,
}

/// Compares the lines of an entry with the items that are now published. A line whose name changed ends,
/// and another begins; what stays the same isn't touched.
#[must_use]
pub fn changes(lines: &[ListedItem], published: &[ListedItem]) -> Changes {
    let before: BTreeMap<&str, &ListedItem> = lines
        .iter()
        .map(|line| (line.code.as_str(), line))
        .collect();
    let after: BTreeMap<&str, &ListedItem> = published
        .iter()
        .map(|item| (item.code.as_str(), item))
        .collect();
    Changes {
        added: published
            .iter()
            .filter(|item| before.get(item.code.as_str()) != Some(item))
            .cloned()
            .collect(),
        removed: lines
            .iter()
            .filter(|line| after.get(line.code.as_str()) != Some(line))
            .map(|line| line.code.clone())
            .collect(),
    }
}

/// How many of the items that a department has to collect have arrived.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Fulfilment {
    /// Items that it is responsible for.
    pub items: u32,
    /// Those of them that are mounted and have arrived on the platform.
    pub delivered: u32,
}

impl Fulfilment {
    /// The rate in whole percent, rounded down, so that 100 means everything; `None` where nothing is owed.
    ///
    /// Spec: YC-13.2.
    #[must_use]
    pub fn percent(self) -> Option<u32> {
        let share = u64::from(self.delivered.min(self.items)) * 100;
        share
            .checked_div(u64::from(self.items))
            .and_then(|percent| u32::try_from(percent).ok())
    }
}
