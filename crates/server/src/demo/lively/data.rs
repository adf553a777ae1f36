//! The county as data: read from the files beside this one, strictly, so that a slip of the pen in them
//! is a sentence and not an empty page.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use tongqu_domain::catalogue::{
    CheckKind, Contact, DataItem, DataType, EntryContent, MaskKind, ResourceFormat, Sensitivity,
    UpdateCycle,
};

const COUNTY: &str = include_str!("county.toml");
const FIELDS: &str = include_str!("fields.csv");
const ENTRIES: &str = include_str!("entries.csv");
const STORY: &str = include_str!("story.csv");

/// The rules of the county, which add to those of its city.
pub(super) const RULES: &str = include_str!("rules.toml");

/// Entries with fewer items than this get those that every system keeps beside.
const ITEMS_MIN: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountyFile {
    known: Vec<Known>,
    department: Vec<NewDepartment>,
    person: Vec<NewPerson>,
    themes: BTreeMap<String, String>,
    sets: BTreeMap<String, String>,
    condition: Vec<Condition>,
    table: Vec<Table>,
    values: BTreeMap<String, Vec<String>>,
}

/// What the entries of a department have in common.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    short_name: String,
    class: String,
    system: String,
    duty: String,
    officer: String,
}

/// A department beyond those of the small county.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDepartment {
    pub short_name: String,
    pub name: String,
    /// Name of its exchange store's file.
    pub store: String,
    pub credit_code: String,
    pub level: String,
    class: String,
    system: String,
    /// What it is there for, in words.
    pub duty: String,
    /// Its data officer.
    pub login: String,
    pub officer: String,
}

/// A person beside the data officers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPerson {
    pub login: String,
    pub name: String,
    pub department: String,
    pub post: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    text: String,
}

/// A table that is mounted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// Name of the entry.
    pub entry: String,
    #[serde(rename = "table")]
    pub name: String,
    pub rows: u32,
    /// Days from one exchange to the next.
    pub every: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    code: String,
    name: String,
    #[serde(rename = "type")]
    form: String,
    mask: String,
    check: String,
    standard: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    department: String,
    class: String,
    name: String,
    sharing: String,
    cycle: String,
    items: String,
    summary: String,
}

/// An entry of the county.
#[derive(Debug, Clone)]
pub(super) struct DemoEntry {
    /// Short name of its department.
    pub department: String,
    pub content: EntryContent,
}

/// Something that somebody begins on a day of the month, and what becomes of it.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub day: u32,
    /// Login name.
    pub by: String,
    pub kind: String,
    pub about: String,
    pub text: String,
    pub duty: String,
    pub then: Vec<Turn>,
}

/// What somebody does on a day about a deal.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub day: u32,
    /// Login name.
    pub by: String,
    /// What, with what belongs to it: `take`, `convene`, `agreed=true`.
    pub verb: Vec<String>,
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DealLine {
    day: u32,
    by: String,
    kind: String,
    about: String,
    text: String,
    duty: String,
    then: String,
}

/// All of it.
#[derive(Debug)]
pub(super) struct County {
    pub departments: Vec<NewDepartment>,
    pub people: Vec<NewPerson>,
    pub entries: Vec<DemoEntry>,
    pub tables: Vec<Table>,
    pub deals: Vec<Deal>,
    pub values: BTreeMap<String, Vec<String>>,
}

impl County {
    /// Reads the files.
    ///
    /// Errors: what is wrong in them, with the line.
    pub(super) fn read() -> anyhow::Result<Self> {
        let file: CountyFile = toml::from_str(COUNTY).context("county.toml")?;
        let fields: BTreeMap<String, Field> = lines::<Field>(FIELDS)
            .context("fields.csv")?
            .into_iter()
            .map(|field| (field.code.clone(), field))
            .collect();
        let known: BTreeMap<String, Known> = file
            .known
            .iter()
            .cloned()
            .chain(file.department.iter().map(NewDepartment::known))
            .map(|known| (known.short_name.clone(), known))
            .collect();
        let shelf = Shelf {
            file: &file,
            fields: &fields,
            known: &known,
        };
        let entries = lines::<EntryLine>(ENTRIES)
            .context("entries.csv")?
            .into_iter()
            .enumerate()
            .map(|(n, line)| {
                let name = line.name.clone();
                shelf
                    .entry(n, line)
                    .with_context(|| format!("entries.csv: {name}"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let names: BTreeSet<&str> = entries.iter().map(|e| e.content.name.as_str()).collect();
        ensure!(
            names.len() == entries.len(),
            "entries.csv: two entries of one name"
        );
        for table in &file.table {
            ensure!(
                names.contains(table.entry.as_str()),
                "county.toml: no entry {}",
                table.entry
            );
        }
        let deals = lines::<DealLine>(STORY)
            .context("story.csv")?
            .into_iter()
            .map(|line| {
                let about = line.about.clone();
                deal(line).with_context(|| format!("story.csv: {about}"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self {
            entries,
            deals,
            departments: file.department,
            people: file.person,
            tables: file.table,
            values: file.values,
        })
    }

    /// The entry of this name.
    pub(super) fn entry(&self, name: &str) -> anyhow::Result<&DemoEntry> {
        let found = self.entries.iter().find(|e| e.content.name == name);
        found.with_context(|| format!("the county has no entry {name}"))
    }
}

impl NewDepartment {
    fn known(&self) -> Known {
        Known {
            short_name: self.short_name.clone(),
            class: self.class.clone(),
            system: self.system.clone(),
            duty: self.duty.clone(),
            officer: self.officer.clone(),
        }
    }
}

/// The lines of a table whose columns are parted by bars.
fn lines<T: serde::de::DeserializeOwned>(text: &str) -> anyhow::Result<Vec<T>> {
    csv::ReaderBuilder::new()
        .delimiter(b'|')
        .quoting(false)
        .from_reader(text.as_bytes())
        .deserialize()
        .map(|line| line.map_err(Into::into))
        .collect()
}

/// What entries are put together from.
struct Shelf<'a> {
    file: &'a CountyFile,
    fields: &'a BTreeMap<String, Field>,
    known: &'a BTreeMap<String, Known>,
}

impl Shelf<'_> {
    fn entry(&self, n: usize, line: EntryLine) -> anyhow::Result<DemoEntry> {
        let known = self
            .known
            .get(&line.department)
            .with_context(|| format!("no department {}", line.department))?;
        let class_code = if line.class == "d" {
            &known.class
        } else {
            &line.class
        };
        let theme = match class_code.strip_prefix('2') {
            None => None,
            Some(_) => Some(
                self.file
                    .themes
                    .get(&class_code[..3])
                    .with_context(|| format!("no theme of class {class_code}"))?
                    .clone(),
            ),
        };
        let (sharing_class, modes, format) = match line.sharing.as_str() {
            "u" => ("unconditional", vec!["table"], ResourceFormat::Database),
            "u+i" => (
                "unconditional",
                vec!["table", "interface"],
                ResourceFormat::Database,
            ),
            "uf" => ("unconditional", vec!["file"], ResourceFormat::Spreadsheet),
            "c" => ("conditional", vec!["table"], ResourceFormat::Database),
            "c+i" => (
                "conditional",
                vec!["table", "interface"],
                ResourceFormat::Database,
            ),
            other => bail!("no way of sharing {other}"),
        };
        let items = self.items(&line.items)?;
        let is_personal = items
            .iter()
            .any(|i| i.sensitivity == Sensitivity::Sensitive);
        let conditions = &self.file.condition;
        let contact = |name: &str, last: usize| Contact {
            name: name.to_owned(),
            phone: format!("0375-123{:04}", 4000 + last),
        };
        let number = self
            .known
            .keys()
            .position(|k| *k == line.department)
            .unwrap_or_default();
        Ok(DemoEntry {
            content: EntryContent {
                name: line.name,
                class_code: class_code.clone(),
                summary: line.summary,
                format,
                sharing_class: sharing_class.to_owned(),
                sharing_condition: (sharing_class == "conditional")
                    .then(|| conditions[n % conditions.len()].text.clone()),
                legal_basis: None,
                modes: modes.into_iter().map(str::to_owned).collect(),
                open: false,
                open_condition: None,
                update_cycle: cycle(&line.cycle)?,
                grade: if is_personal { 3 } else { 1 },
                source_system: Some(known.system.clone()),
                base_library: None,
                authorising_contact: contact(&known.officer, number * 10 + 1),
                technical_contact: contact("信息中心", number * 10 + 8),
                related_codes: Vec::new(),
                declared_unclassified: true,
                recipients: Vec::new(),
                purposes: vec![format!("用于{}相关业务", known.duty)],
                theme,
                items,
            },
            department: line.department,
        })
    }

    fn items(&self, text: &str) -> anyhow::Result<Vec<DataItem>> {
        let set = |name: &str| {
            let found = self.file.sets.get(name);
            found.with_context(|| format!("no set {name}"))
        };
        let mut codes: Vec<&str> = Vec::new();
        for word in text.split_whitespace() {
            match word.strip_prefix('@') {
                Some(name) => codes.extend(set(name)?.split_whitespace()),
                None => codes.push(word),
            }
        }
        for code in set("tail")?.split_whitespace() {
            if codes.len() < ITEMS_MIN && !codes.contains(&code) {
                codes.push(code);
            }
        }
        let distinct: BTreeSet<&&str> = codes.iter().collect();
        ensure!(distinct.len() == codes.len(), "an item twice in {codes:?}");
        let field = |code: &str| {
            let found = self.fields.get(code);
            found.with_context(|| format!("no item {code}"))
        };
        let mut items = codes
            .into_iter()
            .map(|code| field(code)?.item())
            .collect::<anyhow::Result<Vec<_>>>()?;
        let key = items.first_mut().context("no items")?;
        key.key = true;
        key.nullable = false;
        key.mask = None;
        Ok(items)
    }
}

impl Field {
    fn item(&self) -> anyhow::Result<DataItem> {
        let (data_type, length, scale) = form(&self.form).with_context(|| self.code.clone())?;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mask = some(&self.mask)
            .map(|code| MaskKind::find(&code).with_context(|| format!("no mask {code}")))
            .transpose()?;
        let check = some(&self.check)
            .map(|code| CheckKind::find(&code).with_context(|| format!("no check {code}")))
            .transpose()?;
        Ok(DataItem {
            name: self.name.clone(),
            code: self.code.clone(),
            data_type,
            length,
            scale,
            nullable: true,
            key: false,
            sensitivity: if mask.is_some() {
                Sensitivity::Sensitive
            } else {
                Sensitivity::General
            },
            mask,
            check,
            standard: some(&self.standard),
        })
    }
}

/// `t50` text, `n12.2` number, `i` integer, `d` date, `dt` instant, `m` long text.
fn form(text: &str) -> anyhow::Result<(DataType, Option<u32>, Option<u32>)> {
    let number = |digits: &str| {
        digits
            .parse::<u32>()
            .with_context(|| format!("no type {text}"))
    };
    Ok(match text {
        "i" => (DataType::Integer, None, None),
        "d" => (DataType::Date, None, None),
        "dt" => (DataType::DateTime, None, None),
        "m" => (DataType::Memo, None, None),
        _ => match (text.strip_prefix('t'), text.strip_prefix('n')) {
            (Some(length), _) => (DataType::Text, Some(number(length)?), None),
            (_, Some(size)) => {
                let (digits, scale) = size.split_once('.').context("a number without a scale")?;
                (
                    DataType::Number,
                    Some(number(digits)?),
                    Some(number(scale)?),
                )
            }
            (None, None) => bail!("no type {text}"),
        },
    })
}

fn cycle(letter: &str) -> anyhow::Result<UpdateCycle> {
    Ok(match letter {
        "R" => UpdateCycle::Realtime,
        "D" => UpdateCycle::Daily,
        "W" => UpdateCycle::Weekly,
        "M" => UpdateCycle::Monthly,
        "Q" => UpdateCycle::Quarterly,
        "Y" => UpdateCycle::Yearly,
        other => bail!("no cycle {other}"),
    })
}

fn deal(line: DealLine) -> anyhow::Result<Deal> {
    let then = line
        .then
        .split(';')
        .filter(|turn| !turn.is_empty())
        .map(turn)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let days: Vec<u32> = std::iter::once(line.day)
        .chain(then.iter().map(|t| t.day))
        .collect();
    ensure!(days.is_sorted(), "the days run backwards: {days:?}");
    Ok(Deal {
        day: line.day,
        by: line.by,
        kind: line.kind,
        about: line.about,
        text: line.text,
        duty: line.duty,
        then,
    })
}

/// `<day> <login> <verb:with:what> <text>`.
fn turn(text: &str) -> anyhow::Result<Turn> {
    let mut words = text.splitn(4, ' ');
    let mut word = || {
        words
            .next()
            .with_context(|| format!("`{text}` lacks a word"))
    };
    let day = word()?
        .parse()
        .with_context(|| format!("`{text}` begins with no day"))?;
    let by = word()?.to_owned();
    let verb = word()?.split(':').map(str::to_owned).collect();
    Ok(Turn {
        day,
        by,
        verb,
        text: words.next().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_county_is_as_large_as_promised() {
        let county = County::read().unwrap();
        assert!(county.departments.len() + crate::demo::county::DEPARTMENTS.len() >= 24);
        assert!(county.entries.len() >= 300);
        for class in ['1', '2', '3'] {
            let of_class = county
                .entries
                .iter()
                .filter(|e| e.content.class_code.starts_with(class));
            assert!(of_class.count() >= 30, "class {class}");
        }
        assert!(
            county
                .entries
                .iter()
                .all(|e| (ITEMS_MIN..=20).contains(&e.content.items.len()))
        );
        assert!(county.deals.len() >= 60);
    }

    #[test]
    fn nobody_acts_on_a_rest_day() {
        let county = County::read().unwrap();
        for deal in &county.deals {
            let days = std::iter::once(deal.day).chain(deal.then.iter().map(|turn| turn.day));
            for day in days {
                // The last Sunday is worked, before the National Day holidays.
                assert!(day % 7 < 5 || day == 34, "{}: day {day}", deal.about);
            }
        }
    }
}
