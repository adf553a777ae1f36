//! Names one field of a form: `name`, `related_codes[1]`, `items[3].code`.

use std::fmt;

use serde::{Serialize, Serializer};

/// Where in a form a fault is. Lists count from 0; the page and the spreadsheet turn it into a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    /// The field of the form.
    pub field: &'static str,
    /// The place in the field, if it is a list and one element is meant.
    pub index: Option<usize>,
    /// The field of that element.
    pub part: Option<&'static str>,
}

impl FieldPath {
    /// A whole field, for example `name`.
    #[must_use]
    pub fn of(field: &'static str) -> Self {
        Self {
            field,
            index: None,
            part: None,
        }
    }

    /// One element of a list, for example `columns[2]`.
    #[must_use]
    pub fn element(field: &'static str, index: usize) -> Self {
        Self {
            field,
            index: Some(index),
            part: None,
        }
    }

    /// A field of one data item, for example `items[3].code`.
    #[must_use]
    pub fn item(index: usize, part: &'static str) -> Self {
        Self {
            field: "items",
            index: Some(index),
            part: Some(part),
        }
    }

    /// A field of a field, for example `technical_contact.phone`.
    #[must_use]
    pub fn part_of(field: &'static str, part: &'static str) -> Self {
        Self {
            field,
            index: None,
            part: Some(part),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        if let Some(index) = self.index {
            write!(f, "[{index}]")?;
        }
        if let Some(part) = self.part {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
