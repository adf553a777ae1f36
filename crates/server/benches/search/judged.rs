//! How well the catalogue is searched: what officials type, and whether the entry they mean is among the first five,
//! beside a plain search for the typed text. The catalogue and the judged queries are in `bench/search/`.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use pinyin::ToPinyin as _;
use serde::Deserialize;
use tongqu::features::catalogue::search::{Doc, DocItem, Index, SearchQuery, Segment};
use tongqu_domain::{
    catalogue::UpdateCycle,
    ids::{DepartmentId, EntryId},
};

/// Hits that are looked at.
const SHOWN: usize = 5;

#[derive(Deserialize)]
struct Catalogue {
    departments: Vec<Department>,
}

#[derive(Deserialize)]
struct Department {
    name: String,
    short: String,
    /// Name, summary, data items parted by spaces.
    entries: Vec<(String, String, String)>,
}

#[derive(Deserialize)]
struct Judged {
    kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    name: String,
    /// What is typed, and the entries that answer it.
    queries: Vec<Vec<String>>,
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> anyhow::Result<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../bench/search")
        .join(file);
    let text =
        fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    Ok(toml::from_str(&text)?)
}

fn initials(name: &str) -> String {
    name.chars()
        .filter_map(|c| c.to_pinyin())
        .map(pinyin::Pinyin::first_letter)
        .collect()
}

fn docs(catalogue: &Catalogue) -> anyhow::Result<Vec<Doc>> {
    let mut docs = Vec::new();
    for (department_no, department) in catalogue.departments.iter().enumerate() {
        for (entry_no, (name, summary, items)) in department.entries.iter().enumerate() {
            docs.push(Doc {
                entry_id: EntryId::parse(&format!("ent-{department_no:02}-{entry_no:02}"))?,
                code: format!("307{department_no:03}/{entry_no}"),
                name: name.clone(),
                summary: summary.clone(),
                department_id: DepartmentId::parse(&format!("dep-{department_no:02}"))?,
                department: department.name.clone(),
                department_short: Some(department.short.clone()),
                class_code: format!("307{department_no:03}"),
                sharing_class: "conditional".to_owned(),
                modes: vec!["table".to_owned()],
                base_library: None,
                update_cycle: UpdateCycle::Monthly,
                grade: 2,
                items: items
                    .split(' ')
                    .map(|item| DocItem {
                        name: item.to_owned(),
                        code: initials(item),
                    })
                    .collect(),
                mounted: true,
                published_at: i64::try_from(docs.len())?,
                visible_to: vec!["officers".to_owned()],
            });
        }
    }
    Ok(docs)
}

/// Recall within the first five and mean reciprocal rank.
#[derive(Debug, Default)]
pub struct Score {
    pub queries: u32,
    found: u32,
    ranks: f64,
}

impl Score {
    fn note(&mut self, rank: Option<usize>) {
        self.queries += 1;
        if let Some(rank) = rank {
            self.found += 1;
            self.ranks += 1.0 / (f64::from(u32::try_from(rank).unwrap_or(u32::MAX)) + 1.0);
        }
    }

    /// The part of the queries whose entry is among the first five.
    pub fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.queries)
    }

    /// Mean reciprocal rank, a miss being 0.
    pub fn reciprocal_rank(&self) -> f64 {
        self.ranks / f64::from(self.queries)
    }
}

/// What a plain search over the texts finds: entries that hold every word, those with it in the name first.
fn plainly(docs: &[Doc], typed: &str) -> Vec<String> {
    let words: Vec<&str> = typed.split(' ').collect();
    let mut found: Vec<(usize, String)> = docs
        .iter()
        .filter_map(|doc| {
            let items: Vec<&str> = doc.items.iter().map(|item| item.name.as_str()).collect();
            let text = format!(
                "{}\n{}\n{}\n{}",
                doc.name,
                doc.summary,
                doc.department,
                items.join("\n")
            );
            let outside = words
                .iter()
                .filter(|word| !doc.name.contains(**word))
                .count();
            words
                .iter()
                .all(|word| text.contains(word))
                .then(|| (outside, doc.name.clone()))
        })
        .collect();
    found.sort_by_key(|(outside, _)| *outside);
    found
        .into_iter()
        .map(|(_, name)| name)
        .take(SHOWN)
        .collect()
}

/// Our search and the plain one over the same queries.
#[derive(Debug, Default)]
pub struct Judgement {
    pub ours: Score,
    pub plain: Score,
    /// By kind of query.
    kinds: Vec<(String, Score, Score)>,
    /// Our misses, with what was found instead.
    pub missed: Vec<String>,
}

impl Judgement {
    /// A table, and the misses.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let all = ("all".to_owned(), &self.ours, &self.plain);
        let kinds = self
            .kinds
            .iter()
            .map(|(kind, ours, plain)| (kind.clone(), ours, plain));
        for (kind, ours, plain) in kinds.chain([all]) {
            // Writing to a text can't fail.
            let _ = writeln!(
                text,
                "  {kind:<12} {:>4} queries   recall in the first {SHOWN} {:.3}, MRR {:.3}   plain scan {:.3}, {:.3}",
                ours.queries,
                ours.recall(),
                ours.reciprocal_rank(),
                plain.recall(),
                plain.reciprocal_rank(),
            );
        }
        for missed in &self.missed {
            let _ = writeln!(text, "  missed: {missed}");
        }
        text
    }
}

/// Asks all judged queries.
pub fn judge() -> anyhow::Result<Judgement> {
    let catalogue: Catalogue = read("entries.toml")?;
    let judged: Judged = read("queries.toml")?;
    let docs = docs(&catalogue)?;
    let folder = tempfile::tempdir()?;
    let index = Index::open(folder.path())?;
    index.rebuild(docs.clone())?;
    let mut judgement = Judgement::default();
    for kind in judged.kinds {
        let (mut ours, mut plain) = (Score::default(), Score::default());
        for query in &kind.queries {
            let (typed, expected) = query.split_first().context("a query without a text")?;
            anyhow::ensure!(!expected.is_empty(), "{typed} expects nothing");
            for name in expected {
                anyhow::ensure!(
                    docs.iter().any(|doc| doc.name == *name),
                    "{name} isn't in the catalogue"
                );
            }
            let page = index.search(&SearchQuery {
                text: typed.clone(),
                labels: vec!["officers".to_owned()],
                limit: SHOWN,
                ..SearchQuery::default()
            })?;
            let names: Vec<String> = page
                .hits
                .iter()
                .map(|hit| Segment::plain(&hit.name))
                .collect();
            let rank = |names: &[String]| names.iter().position(|name| expected.contains(name));
            if rank(&names).is_none() {
                judgement
                    .missed
                    .push(format!("{} `{typed}`: {names:?}", kind.name));
            }
            let plainly = rank(&plainly(&docs, typed));
            for score in [&mut ours, &mut judgement.ours] {
                score.note(rank(&names));
            }
            for score in [&mut plain, &mut judgement.plain] {
                score.note(plainly);
            }
        }
        judgement.kinds.push((kind.name, ours, plain));
    }
    Ok(judgement)
}
