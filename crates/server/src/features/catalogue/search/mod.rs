//! The search index of the catalogue: a folder that can be rebuilt from the registry at any time.
//!
//! An entry is found by its name, its data items, its department and its summary; by words, by any part of a
//! word, by pinyin and by initials; under other names of the same thing; and, when nothing is found that way,
//! by what sounds alike or has one wrong character. What a viewer may not see is never counted: every entry
//! carries the permission labels that open it.
//!
//! How a search runs: `plan` turns what was typed into ways to find it (other names are in `synonyms.tsv`, what is said
//! around the thing itself in `fillers.txt`), `evaluate` runs them over the postings that
//! tantivy keeps, `collect` counts and ranks what matched, `highlight` shows where.
//!
//! Published entries only: the caller puts an entry in when a version of it is published or mounted, and takes
//! it out when it is withdrawn. Nothing here knows the registry.

mod collect;
mod evaluate;
mod fillers;
mod highlight;
mod index;
mod plan;
mod schema;
mod snapshot;
mod synonyms;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongqu_domain::catalogue::UpdateCycle;
use tongqu_domain::ids::{DepartmentId, EntryId};

pub use highlight::Segment;
pub use index::{Index, IndexError};
pub use schema::SCHEMA_VERSION;

/// Most hits in one page.
pub const LIMIT_MAX: usize = 100;
/// Farthest hit that can be reached by paging.
pub const OFFSET_MAX: usize = 100_000;

/// Most values of one facet in a page, apart from those that are filtered by.
pub const FACET_VALUES_MAX: usize = 200;

/// What the index knows of one published entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Doc {
    /// The entry; putting it again replaces it.
    pub entry_id: EntryId,
    /// 信息资源代码, for example `307001/12`.
    pub code: String,
    /// 信息资源名称.
    pub name: String,
    /// 信息资源摘要.
    pub summary: String,
    /// The provider.
    pub department_id: DepartmentId,
    /// The provider's full name.
    pub department: String,
    /// The provider's short name.
    pub department_short: Option<String>,
    /// 信息资源分类 类/项/目/细目; its first three digits are the facet `theme`.
    pub class_code: String,
    /// 共享类型, a code of the pack.
    pub sharing_class: String,
    /// 共享方式, codes of the pack.
    pub modes: Vec<String>,
    /// 所属基础库, a code of the pack.
    pub base_library: Option<String>,
    /// 更新周期.
    pub update_cycle: UpdateCycle,
    /// 数据分级, 1 to 4.
    pub grade: u8,
    /// 信息项.
    pub items: Vec<DocItem>,
    /// Whether data is behind the entry 已挂接.
    pub mounted: bool,
    /// When the active version was published, in microseconds since 1970, UTC.
    pub published_at: i64,
    /// Permission labels, for example `public`, `officers`, `dept:civil-affairs`: who carries one of them sees the entry.
    pub visible_to: Vec<String>,
}

/// One data item of a [`Doc`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocItem {
    /// 信息项名称.
    pub name: String,
    /// 英文名.
    pub code: String,
}

/// A way to narrow the hits, with a count for each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// 共享类型.
    SharingClass,
    /// 共享方式; an entry counts once for each of its modes.
    Mode,
    /// 提供方, by identifier.
    DepartmentId,
    /// 所属基础库; entries outside every base library count nowhere.
    BaseLibrary,
    /// 类 and 项 of the class code, for example `307`.
    Theme,
    /// 更新周期.
    UpdateCycle,
    /// 数据分级, `1` to `4`.
    Grade,
    /// 挂接状态, `true` or `false`.
    Mounted,
}

impl Facet {
    /// Every facet, in the order in which a page shows them.
    pub const ALL: &'static [Self] = &[
        Self::SharingClass,
        Self::Mode,
        Self::DepartmentId,
        Self::BaseLibrary,
        Self::Theme,
        Self::UpdateCycle,
        Self::Grade,
        Self::Mounted,
    ];

    /// The name in interfaces, which is the column of the index too.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::SharingClass => "sharing_class",
            Self::Mode => "mode",
            Self::DepartmentId => "department_id",
            Self::BaseLibrary => "base_library",
            Self::Theme => "theme",
            Self::UpdateCycle => "update_cycle",
            Self::Grade => "grade",
            Self::Mounted => "mounted",
        }
    }

    fn values(self, doc: &Doc) -> Vec<String> {
        match self {
            Self::SharingClass => vec![doc.sharing_class.clone()],
            Self::Mode => doc.modes.clone(),
            Self::DepartmentId => vec![doc.department_id.as_str().to_owned()],
            Self::BaseLibrary => doc.base_library.iter().cloned().collect(),
            Self::Theme => vec![doc.class_code.chars().take(3).collect()],
            Self::UpdateCycle => vec![doc.update_cycle.code().to_owned()],
            Self::Grade => vec![doc.grade.to_string()],
            Self::Mounted => vec![doc.mounted.to_string()],
        }
    }
}

/// The order of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best first; entries without data sink below their equals; without a text the newest first.
    #[default]
    Relevance,
    /// Newest first.
    PublishedAt,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// As typed; blank means everything. No text is an error.
    pub text: String,
    /// Values of a facet are alternatives, facets add up. An unknown value matches nothing.
    pub filters: BTreeMap<Facet, Vec<String>>,
    /// The viewer's permission labels; without any, nothing is seen.
    pub labels: Vec<String>,
    /// The order of hits.
    pub sort: Sort,
    /// Hits left out at the beginning, at most [`OFFSET_MAX`].
    pub offset: usize,
    /// Hits wanted, at most [`LIMIT_MAX`].
    pub limit: usize,
}

/// How the hits of a page were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matched {
    /// As typed, under another name, or by pinyin or initials.
    Exactly,
    /// Nothing was found exactly; these sound alike or differ in one character.
    Similar,
    /// Nothing was found with all the words; these have at least half of them.
    Partly,
}

/// One page of hits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchPage {
    /// Entries that match and pass the filters.
    pub total: usize,
    /// Time spent, in microseconds.
    pub took_us: u64,
    /// How they were found.
    pub matched: Matched,
    /// The hits from `offset` on.
    pub hits: Vec<Hit>,
    /// Exact counts by facet, most frequent first, at most [`FACET_VALUES_MAX`] and those filtered by; the counts of a
    /// facet leave its own filter out.
    pub facets: BTreeMap<Facet, Vec<FacetCount>>,
}

/// One entry found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The entry.
    pub entry_id: EntryId,
    /// Its relevance; only comparable within a page.
    pub score: f32,
    /// Its name, split at what was hit.
    pub name: Vec<Segment>,
    /// The provider's name, split at what was hit.
    pub department: Vec<Segment>,
    /// The summary around what was hit, at most 160 characters.
    pub summary: Vec<Segment>,
    /// The data items that were hit, at most 20, in their order.
    pub matched_items: Vec<MatchedItem>,
}

/// A data item that was hit, by name or by code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchedItem {
    /// Its name, split at what was hit.
    pub name: Vec<Segment>,
    /// Its code, split at what was hit.
    pub code: Vec<Segment>,
}

/// How many hits have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCount {
    /// The value, a code.
    pub value: String,
    /// Hits that have it.
    pub count: usize,
}
