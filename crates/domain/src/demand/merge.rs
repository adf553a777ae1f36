//! Many demands, one list: what asks for the same thing becomes one line with all its requesters.

use std::collections::BTreeMap;

use crate::ids::{DepartmentId, EntryId};

/// A demand as far as merging looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'a> {
    /// Who needs it.
    pub requester: &'a DepartmentId,
    /// In a line.
    pub title: &'a str,
    /// Who is to provide it, if that is known.
    pub provider: Option<&'a DepartmentId>,
    /// The entry of the catalogue that was found to match.
    pub entry: Option<&'a EntryId>,
}

/// What several demands have in common that ask for the same thing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Same<'a> {
    Entry(&'a EntryId),
    Words(Option<&'a DepartmentId>, String),
}

/// Puts together the demands that ask for the same thing: the same entry, or else the same words of the
/// same provider. Gives their places, each group in the order given, groups by their first.
///
/// Spec: YJ-2.1.
#[must_use]
pub fn merge(demands: &[Stated<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: BTreeMap<Same<'_>, usize> = BTreeMap::new();
    for (place, demand) in demands.iter().enumerate() {
        let same = match demand.entry {
            Some(entry) => Same::Entry(entry),
            None => Same::Words(demand.provider, resource_key(demand.title)),
        };
        let group = *known.entry(same).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(members) = groups.get_mut(group) {
            members.push(place);
        }
    }
    groups
}

/// The name of a resource without what people write differently: blanks, letter case, full-width forms.
///
/// Spec: PDS-5.6 (demands for one resource are merged).
#[must_use]
pub fn resource_key(name: &str) -> String {
    name.chars()
        .map(|sign| match sign {
            // Full-width forms lie at one distance from ASCII.
            '\u{ff01}'..='\u{ff5e}' => u32::from(sign)
                .checked_sub(0xfee0)
                .and_then(char::from_u32)
                .unwrap_or(sign),
            other => other,
        })
        .filter(|sign| !sign.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}
