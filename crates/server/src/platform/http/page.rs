//! Paging by cursor: a list never comes whole.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Query of a paged list.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct PageQuery {
    /// `next_cursor` of the page before; leave out for the first page.
    pub cursor: Option<String>,
    /// How many at most, 1-100; 20 if left out.
    pub size: Option<u32>,
}

impl PageQuery {
    /// The size asked for, within 1-100.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size.unwrap_or(20).clamp(1, 100)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `rows`, fetched with one more than `size`, into a page; `key` gives a row's place.
    #[must_use]
    pub fn cut(mut rows: Vec<T>, size: u32, key: impl Fn(&T) -> String) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = if more { rows.last().map(key) } else { None };
        Self {
            items: rows,
            next_cursor,
        }
    }
}
