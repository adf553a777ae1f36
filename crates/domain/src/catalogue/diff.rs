//! What differs between two versions of an entry, field by field.
//!
//! Data items are told apart by their code, the column name, so a renamed column is one removed and
//! one added, which is what it is for those who receive it.

use serde::Serialize;
use serde_json::Value;

use super::content::{DataItem, EntryContent};

/// The differences of two contents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ContentDiff {
    /// Changed fields of the entry itself, by name.
    pub fields: Vec<FieldChange>,
    /// Data items only the newer version has, in its order.
    pub items_added: Vec<DataItem>,
    /// Data items only the older version has, in its order.
    pub items_removed: Vec<DataItem>,
    /// Data items that both have and that differ, in the newer order.
    pub items_changed: Vec<ItemChange>,
    /// Whether the data items both have come in another order.
    pub items_reordered: bool,
}

/// A changed field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The name of the field, as in JSON.
    pub field: String,
    /// What it was.
    pub before: Value,
    /// What it is.
    pub after: Value,
}

/// A changed data item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemChange {
    /// The code both versions have.
    pub code: String,
    /// Its changed fields, by name.
    pub fields: Vec<FieldChange>,
}

impl ContentDiff {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The codes of data items that those who receive them can't take as before: removed, or changed
    /// in type, length, scale, nullability or key. A running subscription has to be looked at.
    #[must_use]
    pub fn unsettled_items(&self) -> Vec<&str> {
        let shape = ["data_type", "length", "scale", "nullable", "key"];
        let removed = self.items_removed.iter().map(|item| item.code.as_str());
        let changed = self.items_changed.iter().filter(|item| {
            item.fields
                .iter()
                .any(|change| shape.contains(&change.field.as_str()))
        });
        removed
            .chain(changed.map(|item| item.code.as_str()))
            .collect()
    }
}

/// Compares an older with a newer version.
#[must_use]
pub fn difference(older: &EntryContent, newer: &EntryContent) -> ContentDiff {
    let find = |content: &EntryContent, code: &str| {
        content.items.iter().find(|item| item.code == code).cloned()
    };
    let missing_in = |content: &EntryContent, items: &[DataItem]| -> Vec<DataItem> {
        items
            .iter()
            .filter(|item| find(content, &item.code).is_none())
            .cloned()
            .collect()
    };
    let items_changed = newer
        .items
        .iter()
        .filter_map(|item| {
            let fields = changed_fields(&json(&find(older, &item.code)?), &json(item));
            (!fields.is_empty()).then(|| ItemChange {
                code: item.code.clone(),
                fields,
            })
        })
        .collect();
    let without_items = |content: &EntryContent| {
        json(&EntryContent {
            items: Vec::new(),
            ..content.clone()
        })
    };
    ContentDiff {
        fields: changed_fields(&without_items(older), &without_items(newer)),
        items_added: missing_in(older, &newer.items),
        items_removed: missing_in(newer, &older.items),
        items_changed,
        items_reordered: kept_codes(older, newer) != kept_codes(newer, older),
    }
}

/// The codes of `content` that `other` has as well, in the order of `content`.
fn kept_codes<'a>(content: &'a EntryContent, other: &EntryContent) -> Vec<&'a str> {
    let codes = content.items.iter().map(|item| item.code.as_str());
    codes
        .filter(|code| other.items.iter().any(|item| item.code == *code))
        .collect()
}

/// Both sides are structs of one type, so they have the same fields.
fn changed_fields(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return Vec::new();
    };
    let mut changes: Vec<FieldChange> = after
        .iter()
        .filter(|(field, value)| before.get(*field) != Some(value))
        .map(|(field, value)| FieldChange {
            field: field.clone(),
            before: before.get(field).cloned().unwrap_or_default(),
            after: value.clone(),
        })
        .collect();
    changes.sort_by(|a, b| a.field.cmp(&b.field));
    changes
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("contents are plain structs of texts, numbers and lists")
}
