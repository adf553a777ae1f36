//! What the departments catalogue from day to day: first versions, better ones, and some that aren't
//! through yet.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tongqu_domain::catalogue::{DataItem, DataType, EntryContent};

use super::{
    super::{client::Client, seed::text},
    Walk,
    data::{County, DemoEntry},
    people::AT_ONCE,
};
use crate::features::catalogue::{
    template_options,
    workbook::{self, TemplateOptions},
};

/// The last day on which a first version is drafted.
const LAST_DRAFTED: u32 = 31;

/// Items with which a better version comes, if the entry hasn't them.
const BETTER: &[(&str, &str)] = &[
    ("data_source", "数据来源"),
    ("operator_no", "经办人编号"),
    ("valid_flag", "有效标识"),
    ("source_record_no", "源系统记录号"),
];

/// How far a version gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Published,
    Returned,
    Submitted,
    Drafted,
}

/// A version that is drafted on a day.
struct Draft {
    department: String,
    version_no: u32,
    content: EntryContent,
    fate: Fate,
}

/// What is drafted when, and what has come of it.
#[derive(Default)]
pub(super) struct Shelves {
    days: BTreeMap<u32, Vec<Draft>>,
    /// Ids of the published entries, by name.
    entries: BTreeMap<String, String>,
    later_versions: usize,
}

impl Shelves {
    /// Spreads the entries over the month. What the story or a table needs comes first.
    pub(super) fn plan(county: &County) -> Self {
        let needed: BTreeSet<&str> = county
            .deals
            .iter()
            .map(|deal| deal.about.as_str())
            .chain(county.tables.iter().map(|table| table.entry.as_str()))
            .collect();
        let mounted: BTreeSet<&str> = county
            .tables
            .iter()
            .map(|table| table.entry.as_str())
            .collect();
        let mut shelves = Self::default();
        for (n, entry) in (0_u32..).zip(&county.entries) {
            let is_needed = needed.contains(entry.content.name.as_str());
            // Two of three stand there from the beginning; the others come bit by bit, on working days.
            let day = if is_needed || n % 3 != 0 {
                0
            } else {
                7 * (n % 5) + n % 4
            };
            let day = day.min(LAST_DRAFTED);
            shelves.add(day, entry, 1, Fate::Published);
            if mounted.contains(entry.content.name.as_str()) {
                continue;
            }
            if n % 8 == 3 {
                let second = (day + 8 + n % 3).min(32);
                shelves.add(second, entry, 2, Fate::Published);
                if n % 40 == 3 && second < 28 {
                    shelves.add(32, entry, 3, Fate::Published);
                }
            } else if n % 30 == 7 {
                let fate = [Fate::Drafted, Fate::Submitted, Fate::Returned]
                    [usize::try_from(n / 30 % 3).unwrap_or(0)];
                shelves.add(34, entry, 2, fate);
            }
        }
        shelves
    }

    fn add(&mut self, day: u32, entry: &DemoEntry, version_no: u32, fate: Fate) {
        // Nobody drafts on a weekend.
        let day = match day % 7 {
            5 if day < 33 => day + 2,
            6 if day < 33 => day + 1,
            _ => day,
        };
        self.days.entry(day).or_default().push(Draft {
            department: entry.department.clone(),
            version_no,
            content: better(&entry.content, version_no),
            fate,
        });
    }

    pub(super) fn published(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn later_versions(&self) -> usize {
        self.later_versions
    }

    /// Id of a published entry; `None` if there is none of this name.
    pub(super) fn entry_id(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(String::as_str)
    }
}

/// The content of a later version: an item more for each, and said so.
fn better(content: &EntryContent, version_no: u32) -> EntryContent {
    let mut content = content.clone();
    for n in 1..version_no {
        let missing = BETTER
            .iter()
            .find(|(code, _)| content.items.iter().all(|i| i.code != *code));
        let Some((code, name)) = missing else { break };
        content.items.push(DataItem {
            name: (*name).to_owned(),
            code: (*code).to_owned(),
            data_type: DataType::Text,
            length: Some(50),
            scale: None,
            nullable: true,
            key: false,
            sensitivity: tongqu_domain::catalogue::Sensitivity::General,
            mask: None,
            check: None,
            standard: None,
        });
        let again = if n == 1 {
            "自第二版起"
        } else {
            "第三版"
        };
        content.summary = format!("{}{again}增加“{name}”。", content.summary);
    }
    content
}

impl Walk<'_> {
    /// What is drafted, submitted and reviewed on this day.
    pub(super) async fn catalogue_day(&mut self, day: u32) -> anyhow::Result<()> {
        let Some(drafts) = self.shelves.days.remove(&day) else {
            return Ok(());
        };
        let mut by_department: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
        for draft in drafts {
            by_department
                .entry(draft.department.clone())
                .or_default()
                .push(draft);
        }
        let options = template_options(&self.served.app().pack());
        let authority = self.session("zhuguan")?;
        let mut work = Vec::new();
        for (department, drafts) in by_department {
            work.push((self.officer_of(&department)?, drafts));
        }
        let done: Vec<Vec<Kept>> = stream::iter(work)
            .map(|(officer, drafts)| compile(officer, authority, &options, drafts))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        for kept in done.into_iter().flatten() {
            if kept.version_no > 1 {
                self.shelves.later_versions += 1;
            }
            self.shelves.entries.insert(kept.name, kept.entry_id);
        }
        Ok(())
    }
}

/// A version that was published.
struct Kept {
    name: String,
    entry_id: String,
    version_no: u32,
}

/// A department's work of a day: one workbook, its versions submitted, and what the authority makes of them.
async fn compile(
    officer: &Client,
    authority: &Client,
    options: &TemplateOptions,
    drafts: Vec<Draft>,
) -> anyhow::Result<Vec<Kept>> {
    let contents: Vec<EntryContent> = drafts.iter().map(|d| d.content.clone()).collect();
    let answer = officer
        .upload("/catalogue/imports", workbook::filled(options, &contents)?)
        .await?;
    ensure!(
        answer.status.is_success() && answer.body["faults_total"] == 0,
        "POST /catalogue/imports: {} {}",
        answer.status,
        answer.body
    );
    let lines = answer.body["entries"].as_array().context("no entries")?;
    let mut published = Vec::new();
    for (draft, line) in drafts.iter().zip(lines) {
        ensure!(
            line["version_no"] == draft.version_no,
            "{} is version {}",
            draft.content.name,
            line["version_no"]
        );
        let id = text(line, "version_id")?;
        if draft.fate == Fate::Drafted {
            continue;
        }
        officer
            .press(&format!("/catalogue/versions/{id}/submission"))
            .await?;
        match draft.fate {
            Fate::Published => {
                let done = authority
                    .press(&format!("/catalogue/versions/{id}/publication"))
                    .await?;
                published.push(Kept {
                    name: draft.content.name.clone(),
                    entry_id: text(&done, "entry_id")?,
                    version_no: draft.version_no,
                });
            }
            Fate::Returned => {
                let reason = json!({ "reason": "新增数据项请补充代码标准和取值说明后再报。" });
                authority
                    .post(&format!("/catalogue/versions/{id}/return"), reason)
                    .await?;
            }
            Fate::Submitted | Fate::Drafted => {}
        }
    }
    Ok(published)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_one_after_the_other_on_working_days() {
        let county = County::read().unwrap();
        let shelves = Shelves::plan(&county);
        let mut last: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for (day, drafts) in &shelves.days {
            assert!(day % 7 < 5 || *day == 34, "day {day}");
            for draft in drafts {
                let name = draft.content.name.as_str();
                let earlier = last.insert(name, (draft.version_no, *day));
                assert_eq!(
                    draft.version_no,
                    earlier.map_or(1, |(no, _)| no + 1),
                    "{name}"
                );
                assert!(earlier.is_none_or(|(_, before)| before < *day), "{name}");
            }
        }
        assert!(last.values().filter(|(no, _)| *no > 1).count() >= 30);
    }
}
