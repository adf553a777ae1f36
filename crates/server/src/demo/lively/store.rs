//! The tables of the departments' own systems, and what happens to them from day to day. All SQL of the
//! lively county; these are foreign databases, not the platform's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::{ToSpan as _, civil::Date};
use rusqlite::{Connection, types::Value};
use tongqu_domain::catalogue::{CheckKind, DataItem, DataType};

use super::numbers::{Dice, credit_code, id_number, mistyped};

/// A table with what is in it.
pub(super) struct SourceTable {
    path: PathBuf,
    name: String,
    items: Vec<DataItem>,
    /// Rows at the beginning.
    first: u64,
    /// Numbers of the rows that are there.
    live: Vec<u64>,
    next: u64,
    /// Rows whose identity number was mistyped and not yet mended.
    faulty: Vec<u64>,
}

/// The day before which everything lies that the tables begin with.
const FIRST_DAY: Date = jiff::civil::date(2026, 8, 14);

/// What may stand in a column, by the item's code.
pub(super) type Values = BTreeMap<String, Vec<String>>;

/// One row in so many is changed, and one in so many appears, from one exchange to the next.
const CHANGED_OF: u64 = 60;
const NEW_OF: u64 = 120;
const GONE_OF: u64 = 240;

impl SourceTable {
    /// Makes the table with its first rows.
    pub(super) fn make(
        path: &Path,
        name: &str,
        items: &[DataItem],
        rows: u32,
        values: &Values,
        today: Date,
    ) -> anyhow::Result<Self> {
        let mut db = open(path)?;
        let columns: Vec<String> = items.iter().map(declared).collect();
        db.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE {name} ({});",
            columns.join(", ")
        ))?;
        let mut table = Self {
            path: path.to_owned(),
            name: name.to_owned(),
            items: items.to_vec(),
            first: u64::from(rows),
            live: (0..u64::from(rows)).collect(),
            next: u64::from(rows),
            faulty: Vec::new(),
        };
        let tx = db.transaction()?;
        for n in 0..u64::from(rows) {
            table.put(&tx, n, 0, today, values)?;
        }
        tx.commit()?;
        table.live.sort_unstable();
        Ok(table)
    }

    /// A day's work of the department: some rows change, some appear, some go. Every now and then somebody
    /// mistypes an identity number, and days later somebody mends it.
    pub(super) fn day(&mut self, day: u32, today: Date, values: &Values) -> anyhow::Result<()> {
        let mut db = open(&self.path)?;
        let mut dice = Dice::of(&self.name, u64::from(day) + 1_000_000);
        let size = u64::try_from(self.live.len())?;
        let tx = db.transaction()?;
        for _ in 0..=size / CHANGED_OF {
            if let Some(n) = self.pick(&mut dice) {
                self.put(&tx, n, u64::from(day), today, values)?;
            }
        }
        for _ in 0..size / GONE_OF {
            if let Some(n) = self.pick(&mut dice) {
                let key = self.row(n, 0, today, values)[0].clone();
                let sql = format!(
                    "DELETE FROM {} WHERE {} = ?1",
                    self.name, self.items[0].code
                );
                tx.execute(&sql, [key])?;
                self.live.retain(|live| *live != n);
            }
        }
        for _ in 0..=size / NEW_OF {
            let n = self.next;
            self.next += 1;
            self.put(&tx, n, u64::from(day), today, values)?;
            self.live.push(n);
        }
        let checked = self
            .items
            .iter()
            .position(|i| i.check == Some(CheckKind::IdNumber) && !i.key);
        if let Some(at) = checked {
            match day % 6 {
                2 => {
                    for _ in 0..2 {
                        let n = self.next;
                        self.next += 1;
                        let mut row = self.row(n, u64::from(day), today, values);
                        if let Value::Text(number) = &mut row[at] {
                            *number = mistyped(number);
                        }
                        self.write(&tx, &row)?;
                        self.live.push(n);
                        self.faulty.push(n);
                    }
                }
                5 => {
                    for n in std::mem::take(&mut self.faulty) {
                        self.put(&tx, n, u64::from(day), today, values)?;
                    }
                }
                _ => {}
            }
        }
        tx.commit()?;
        Ok(())
    }

    /// The supplier of the department's program renames a column.
    pub(super) fn lose_column(&self, column: &str) -> anyhow::Result<()> {
        self.rename(column, &format!("{column}_old"))
    }

    /// The department gives the column its name back.
    pub(super) fn restore_column(&self, column: &str) -> anyhow::Result<()> {
        self.rename(&format!("{column}_old"), column)
    }

    fn rename(&self, from: &str, to: &str) -> anyhow::Result<()> {
        open(&self.path)?.execute_batch(&format!(
            "ALTER TABLE {} RENAME COLUMN {from} TO {to};",
            self.name
        ))?;
        Ok(())
    }

    fn pick(&self, dice: &mut Dice) -> Option<u64> {
        let at = dice.below(u64::try_from(self.live.len()).ok()?);
        self.live.get(usize::try_from(at).ok()?).copied()
    }

    fn put(
        &self,
        tx: &Connection,
        n: u64,
        revision: u64,
        today: Date,
        values: &Values,
    ) -> anyhow::Result<()> {
        self.write(tx, &self.row(n, revision, today, values))
    }

    fn write(&self, tx: &Connection, row: &[Value]) -> anyhow::Result<()> {
        let columns: Vec<&str> = self.items.iter().map(|i| i.code.as_str()).collect();
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!(
            "INSERT OR REPLACE INTO {} ({}) VALUES ({places})",
            self.name,
            columns.join(", ")
        );
        tx.prepare_cached(&sql)?
            .execute(rusqlite::params_from_iter(row))?;
        Ok(())
    }

    /// A row. What tells it apart stays through all revisions; some of the rest changes.
    fn row(&self, n: u64, revision: u64, today: Date, values: &Values) -> Vec<Value> {
        let mut who = Dice::of(&self.name, n);
        let mut what = Dice::of(&self.name, n.wrapping_mul(977).wrapping_add(revision));
        let person = Person::new(&mut who, n, values);
        // What has happened stays on its day, whatever day it is now.
        let happened = match n.checked_sub(self.first) {
            None => before(FIRST_DAY, who.below(700)),
            Some(later) => {
                (FIRST_DAY + i64::try_from(later / 4).unwrap_or_default().days()).min(today)
            }
        };
        self.items
            .iter()
            .map(|item| {
                cell(
                    item, n, &person, happened, today, &mut who, &mut what, values,
                )
            })
            .collect()
    }
}

/// Somebody who doesn't exist.
struct Person {
    name: String,
    born: Date,
    id_number: String,
}

impl Person {
    fn new(dice: &mut Dice, n: u64, values: &Values) -> Self {
        let born = before(jiff::civil::date(2008, 6, 30), dice.below(25_000));
        Self {
            name: format!(
                "{}{}",
                one(dice, values, "family_name"),
                one(dice, values, "given_name")
            ),
            id_number: id_number(&born.strftime("%Y%m%d").to_string(), n),
            born,
        }
    }
}

fn one<'a>(dice: &mut Dice, values: &'a Values, of: &str) -> &'a str {
    values.get(of).map_or("", |list| dice.one(list))
}

fn before(day: Date, days: u64) -> Date {
    day - i64::try_from(days).unwrap_or_default().days()
}

#[expect(
    clippy::too_many_arguments,
    reason = "everything that a cell may be made of"
)]
fn cell(
    item: &DataItem,
    n: u64,
    person: &Person,
    happened: Date,
    today: Date,
    who: &mut Dice,
    what: &mut Dice,
    values: &Values,
) -> Value {
    let text = |text: String| Value::Text(text);
    match item.code.as_str() {
        "name" | "right_holder" | "household_head" | "legal_rep" => text(person.name.clone()),
        "guardian_name" => text(format!("{}某", one(who, values, "family_name"))),
        "id_number" => text(person.id_number.clone()),
        "birth_date" => text(person.born.to_string()),
        "credit_code" => text(credit_code(n * 7 + 11)),
        "ent_name" => text(
            ["ent_name_head", "ent_name_core", "ent_name_tail"]
                .map(|part| one(who, values, part))
                .concat(),
        ),
        "death_on" => text(happened.to_string()),
        "cremated_on" => text((happened + 2.days()).to_string()),
        "record_no" | "household_no" | "case_no" => text(format!("YX2026{n:06}")),
        "title_no" => text(format!("豫（2026）云溪县不动产权第{n:07}号")),
        "estate_no" => text(format!(
            "{:018}GB{:05}F{:02}",
            419_900_000_000 + n,
            n % 9000,
            n % 90
        )),
        "disability_no" => text(format!("{}{}", person.id_number, 41 + n % 4)),
        "phone" | "guardian_phone" | "contact_phone" => {
            text(format!("1990375{:04}", who.below(10_000)))
        }
        "bank_card" => text(format!("62000375{:08}", who.below(100_000_000))),
        "located_at" | "reg_address" | "hukou_address" | "residence_address" => text(format!(
            "云溪县{}{}{}号",
            one(who, values, "town_name"),
            one(who, values, "located_street"),
            1 + who.below(320)
        )),
        "division_code" => text(format!("410404{:06}", 100_001 + who.below(40))),
        "monthly_amount" => text(format!("{}.00", 320 + what.below(60) * 10)),
        "start_month" => text(
            before(FIRST_DAY, who.below(1500))
                .strftime("%Y%m")
                .to_string(),
        ),
        "issued_at" => text(format!(
            "{happened} {:02}:{:02}:00",
            who.below(24),
            who.below(60)
        )),
        "stop_month" | "lifted_at" => Value::Null,
        "valid_until" | "use_until" => text((FIRST_DAY + 720.days()).to_string()),
        "updated_on" => text(today.to_string()),
        "death_cause" => text(one(who, values, "death_cause").to_owned()),
        "disability_kind" | "ethnicity" | "gender" | "ent_type" => {
            text(one(who, values, &item.code).to_owned())
        }
        code if values.contains_key(code) => text(one(what, values, code).to_owned()),
        _ => match item.data_type {
            DataType::Integer => Value::Integer(i64::try_from(1 + what.below(6)).unwrap_or(1)),
            DataType::Number | DataType::Float => {
                let scale = usize::try_from(item.scale.unwrap_or(2)).unwrap_or(2);
                text(format!("{}.{:0scale$}", 40 + what.below(460), 0))
            }
            DataType::Date => text(before(FIRST_DAY, who.below(2400)).to_string()),
            DataType::DateTime => text(format!("{} 08:00:00", before(today, what.below(30)))),
            DataType::Boolean => Value::Integer(0),
            DataType::Text | DataType::Memo | DataType::Binary => Value::Null,
        },
    }
}

fn declared(item: &DataItem) -> String {
    let form = match item.data_type {
        DataType::Text => format!("VARCHAR({})", item.length.unwrap_or(200)),
        DataType::Memo | DataType::Binary => "TEXT".to_owned(),
        DataType::Integer => "INTEGER".to_owned(),
        DataType::Number | DataType::Float => format!(
            "DECIMAL_TEXT({}, {})",
            item.length.unwrap_or(18),
            item.scale.unwrap_or_default()
        ),
        DataType::Date => "DATE".to_owned(),
        DataType::DateTime => "TIMESTAMP".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
    };
    let key = if item.key {
        " NOT NULL PRIMARY KEY"
    } else {
        ""
    };
    format!("{} {form}{key}", item.code)
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let db = Connection::open(path).with_context(|| format!("can't open {}", path.display()))?;
    db.busy_timeout(std::time::Duration::from_secs(15))?;
    Ok(db)
}

/// A department's store that can't be reached: its disk is full, its machine is off, its line is cut. Here
/// something else lies in its place.
pub(super) struct Unreachable {
    path: PathBuf,
    aside: PathBuf,
}

impl Unreachable {
    /// Takes the store away.
    pub(super) fn cut(path: &Path) -> anyhow::Result<Self> {
        // What is in the write-ahead log goes into the file, so that the file alone is the store.
        open(path)?
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;")?;
        let aside = path.with_extension("aside");
        std::fs::rename(path, &aside)?;
        std::fs::create_dir(path)?;
        Ok(Self {
            path: path.to_owned(),
            aside,
        })
    }

    /// Brings it back as it was.
    pub(super) fn mend(self) -> anyhow::Result<()> {
        std::fs::remove_dir(&self.path)?;
        std::fs::rename(&self.aside, &self.path)?;
        open(&self.path)?.execute_batch("PRAGMA journal_mode = WAL;")?;
        Ok(())
    }
}
