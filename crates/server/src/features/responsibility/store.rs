//! All SQL of the responsibility list.

use jiff::Timestamp;
use tongqu_domain::{
    ids::{DepartmentId, EntryId, PersonId},
    responsibility::{Fulfilment, ListedItem},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx, counters};

/// A line of an entry as it holds now.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub item: ListedItem,
    pub delivered_at: Option<Timestamp>,
}

/// A version that a write begins.
pub(super) struct NewVersion<'a> {
    /// `published` or `settled`.
    pub kind: &'static str,
    /// The entry and its version, of a publication.
    pub entry: Option<(&'a EntryId, u32)>,
    pub name: &'a str,
    pub added: usize,
    pub removed: usize,
}

/// A version of the list.
#[derive(Debug)]
pub(super) struct Version {
    pub no: i64,
    pub at: Timestamp,
    pub kind: String,
    pub entry_id: Option<String>,
    pub entry_version_no: Option<i64>,
    pub name: String,
    pub added: i64,
    pub removed: i64,
}

/// A line of the list at some version.
#[derive(Debug)]
pub(super) struct Listed {
    pub entry_id: String,
    pub entry_name: String,
    pub item: ListedItem,
    pub department_id: String,
    pub delivered_at: Option<Timestamp>,
    /// How many departments have an item of this name.
    pub departments: i64,
    /// Whether the name was settled, and on whom.
    pub settled: bool,
    pub settled_on: Option<String>,
}

/// A name that stands with several departments, one line for each place where it stands.
#[derive(Debug)]
pub(super) struct Contested {
    pub name: String,
    pub item_name: String,
    pub department_id: String,
    pub entry_id: String,
    pub entry_name: String,
    pub settled: bool,
    pub settled_on: Option<String>,
    pub reason: Option<String>,
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn item(row: &sqlx::any::AnyRow) -> Result<ListedItem, DbError> {
    Ok(ListedItem {
        code: row.text("item_code")?,
        name: row.text("item_name")?,
        key: row.flag("is_key")?,
    })
}

/// Gives the list its next version. Whoever does so at the same time waits until this write has ended.
pub(super) async fn begin_version(tx: &mut Tx, new: &NewVersion<'_>) -> Result<i64, DbError> {
    let no = counters::next(tx, "responsibility").await?;
    sqlx::query(
        "INSERT INTO responsibility_versions (no, at, kind, entry_id, entry_version_no, name, added, removed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(no)
    .bind(instant_text(tx.at()))
    .bind(new.kind)
    .bind(new.entry.map(|(id, _)| id.to_string()))
    .bind(new.entry.map(|(_, no)| i64::from(no)))
    .bind(new.name)
    .bind(count(new.added))
    .bind(count(new.removed))
    .execute(&mut **tx)
    .await?;
    Ok(no)
}

/// The lines of an entry as they hold now.
pub(super) async fn lines_of(db: &mut Db, entry_id: &EntryId) -> Result<Vec<Line>, DbError> {
    sqlx::query(
        "SELECT item_code, item_name, is_key, delivered_at FROM responsibility_lines \
         WHERE entry_id = $1 AND until_no IS NULL ORDER BY item_code",
    )
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Line {
            item: item(row)?,
            delivered_at: row.opt_instant("delivered_at")?,
        })
    })
    .collect()
}

pub(super) async fn end_line(
    tx: &mut Tx,
    entry_id: &EntryId,
    code: &str,
    no: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE responsibility_lines SET until_no = $1 \
         WHERE entry_id = $2 AND item_code = $3 AND until_no IS NULL",
    )
    .bind(no)
    .bind(entry_id.as_str())
    .bind(code)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lines entered in one statement: their columns stay far below what an engine takes.
const LINES_AT_ONCE: usize = 100;
/// Columns of a new line.
const COLUMNS: usize = 8;

pub(super) async fn begin_lines(
    tx: &mut Tx,
    entry_id: &EntryId,
    department_id: &DepartmentId,
    no: i64,
    lines: &[Line],
) -> Result<(), DbError> {
    for some in lines.chunks(LINES_AT_ONCE) {
        let rows: Vec<String> = (0..some.len())
            .map(|row| {
                let marks: Vec<String> = (1..=COLUMNS)
                    .map(|column| format!("${}", row * COLUMNS + column))
                    .collect();
                format!("({})", marks.join(", "))
            })
            .collect();
        let text = format!(
            "INSERT INTO responsibility_lines (entry_id, from_no, item_code, item_name, is_key, contested_name, \
             department_id, delivered_at) VALUES {}",
            rows.join(", ")
        );
        // Nothing but numbered placeholders is put into the text.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for line in some {
            query = query
                .bind(entry_id.to_string())
                .bind(no)
                .bind(line.item.code.clone())
                .bind(line.item.name.clone())
                .bind(i64::from(line.item.key))
                .bind(line.item.contested_name())
                .bind(department_id.to_string())
                .bind(line.delivered_at.map(instant_text));
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Codes of the lines of an entry whose data haven't arrived.
pub(super) async fn undelivered(db: &mut Db, entry_id: &EntryId) -> Result<Vec<String>, DbError> {
    sqlx::query(
        "SELECT item_code FROM responsibility_lines \
         WHERE entry_id = $1 AND until_no IS NULL AND delivered_at IS NULL",
    )
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.text("item_code"))
    .collect()
}

pub(super) async fn deliver(tx: &mut Tx, entry_id: &EntryId, code: &str) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "UPDATE responsibility_lines SET delivered_at = $1 \
         WHERE entry_id = $2 AND item_code = $3 AND until_no IS NULL",
    )
    .bind(at)
    .bind(entry_id.as_str())
    .bind(code)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn undeliver(tx: &mut Tx, entry_id: &EntryId) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE responsibility_lines SET delivered_at = NULL \
         WHERE entry_id = $1 AND until_no IS NULL AND delivered_at IS NOT NULL",
    )
    .bind(entry_id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The number of the list as it is now; 0 before the first publication.
pub(super) async fn current_no(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COALESCE(MAX(no), 0) AS no FROM responsibility_versions")
        .fetch_one(db)
        .await?
        .int("no")
}

fn version(row: &sqlx::any::AnyRow) -> Result<Version, DbError> {
    Ok(Version {
        no: row.int("no")?,
        at: row.instant("at")?,
        kind: row.text("kind")?,
        entry_id: row.opt_text("entry_id")?,
        entry_version_no: row.opt_int("entry_version_no")?,
        name: row.text("name")?,
        added: row.int("added")?,
        removed: row.int("removed")?,
    })
}

/// Versions before number `before`, the newest first.
pub(super) async fn versions(db: &mut Db, before: i64, size: u32) -> Result<Vec<Version>, DbError> {
    sqlx::query(
        "SELECT no, at, kind, entry_id, entry_version_no, name, added, removed FROM responsibility_versions \
         WHERE no < $1 ORDER BY no DESC LIMIT $2",
    )
    .bind(before)
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(version)
    .collect()
}

/// Which lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The version of the list.
    pub no: i64,
    /// Of this department; empty: of all.
    pub department_id: &'a str,
    pub which: Which,
    /// The place after which to begin: department, entry, item.
    pub after: (&'a str, &'a str, &'a str),
    pub limit: u32,
}

/// Which lines of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// What the department has to collect and hasn't delivered.
    Missing,
}

macro_rules! select_lines {
    ($which:literal) => {
        concat!(
            "SELECT l.entry_id, e.name AS entry_name, l.item_code, l.item_name, l.is_key, l.department_id, \
             l.delivered_at, s.contested_name AS settled_name, s.department_id AS settled_on, \
             (SELECT COUNT(DISTINCT o.department_id) FROM responsibility_lines o \
             WHERE o.contested_name = l.contested_name AND o.from_no <= $1 \
             AND (o.until_no IS NULL OR o.until_no > $1)) AS departments \
             FROM responsibility_lines l JOIN entries e ON e.id = l.entry_id \
             LEFT JOIN responsibility_settlements s ON s.contested_name = l.contested_name AND s.from_no <= $1 \
             AND (s.until_no IS NULL OR s.until_no > $1) \
             WHERE l.from_no <= $1 AND (l.until_no IS NULL OR l.until_no > $1) \
             AND ($2 = '' OR l.department_id = $2) \
             AND (l.department_id, l.entry_id, l.item_code) > ($3, $4, $5) ",
            $which,
            " ORDER BY l.department_id, l.entry_id, l.item_code LIMIT $6"
        )
    };
}

/// Lines of the list, by department, entry and item.
pub(super) async fn lines(db: &mut Db, wanted: &Wanted<'_>) -> Result<Vec<Listed>, DbError> {
    let text = match wanted.which {
        Which::All => select_lines!(""),
        Which::Missing => select_lines!(
            "AND l.delivered_at IS NULL AND (s.department_id IS NULL OR s.department_id = l.department_id)"
        ),
    };
    sqlx::query(text)
        .bind(wanted.no)
        .bind(wanted.department_id)
        .bind(wanted.after.0)
        .bind(wanted.after.1)
        .bind(wanted.after.2)
        .bind(i64::from(wanted.limit))
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| {
            Ok(Listed {
                entry_id: row.text("entry_id")?,
                entry_name: row.text("entry_name")?,
                item: item(row)?,
                department_id: row.text("department_id")?,
                delivered_at: row.opt_instant("delivered_at")?,
                departments: row.int("departments")?,
                settled: row.opt_text("settled_name")?.is_some(),
                settled_on: row.opt_text("settled_on")?,
            })
        })
        .collect()
}

/// How far departments have delivered what they have to collect, by department; of one, or of all.
pub(super) async fn fulfilment(
    db: &mut Db,
    department_id: &str,
) -> Result<Vec<(String, Fulfilment)>, DbError> {
    sqlx::query(
        "SELECT l.department_id, COUNT(*) AS items, \
         CAST(SUM(CASE WHEN l.delivered_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS delivered \
         FROM responsibility_lines l LEFT JOIN responsibility_settlements s \
         ON s.contested_name = l.contested_name AND s.until_no IS NULL \
         WHERE l.until_no IS NULL AND ($1 = '' OR l.department_id = $1) \
         AND (s.department_id IS NULL OR s.department_id = l.department_id) \
         GROUP BY l.department_id ORDER BY l.department_id",
    )
    .bind(department_id)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let fits = |n: i64| {
            u32::try_from(n).map_err(|e| DbError::BrokenRow {
                column: "items",
                reason: e.to_string(),
            })
        };
        let found = Fulfilment {
            items: fits(row.int("items")?)?,
            delivered: fits(row.int("delivered")?)?,
        };
        Ok((row.text("department_id")?, found))
    })
    .collect()
}

/// Names with several departments after `after`, by name, at most `names` of them; only those in which
/// one department takes part, or all; only the name `only`, unless that is empty.
pub(super) async fn contested(
    db: &mut Db,
    department_id: &str,
    only: &str,
    after: &str,
    names: u32,
) -> Result<Vec<Contested>, DbError> {
    sqlx::query(
        "SELECT l.contested_name, l.item_name, l.department_id, l.entry_id, e.name AS entry_name, \
         s.contested_name AS settled_name, s.department_id AS settled_on, s.reason \
         FROM responsibility_lines l JOIN entries e ON e.id = l.entry_id \
         LEFT JOIN responsibility_settlements s ON s.contested_name = l.contested_name AND s.until_no IS NULL \
         WHERE l.until_no IS NULL AND l.contested_name IN (SELECT c.contested_name FROM responsibility_lines c \
         WHERE c.until_no IS NULL AND c.contested_name > $1 AND ($4 = '' OR c.contested_name = $4) \
         GROUP BY c.contested_name HAVING COUNT(DISTINCT c.department_id) > 1 \
         AND ($2 = '' OR SUM(CASE WHEN c.department_id = $2 THEN 1 ELSE 0 END) > 0) \
         ORDER BY c.contested_name LIMIT $3) \
         ORDER BY l.contested_name, l.department_id, l.entry_id",
    )
    .bind(after)
    .bind(department_id)
    .bind(i64::from(names))
    .bind(only)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Contested {
            name: row.text("contested_name")?,
            item_name: row.text("item_name")?,
            department_id: row.text("department_id")?,
            entry_id: row.text("entry_id")?,
            entry_name: row.text("entry_name")?,
            settled: row.opt_text("settled_name")?.is_some(),
            settled_on: row.opt_text("settled_on")?,
            reason: row.opt_text("reason")?,
        })
    })
    .collect()
}

/// The departments that have an item of this name now.
pub(super) async fn departments_with(db: &mut Db, name: &str) -> Result<Vec<String>, DbError> {
    sqlx::query(
        "SELECT DISTINCT department_id FROM responsibility_lines \
         WHERE contested_name = $1 AND until_no IS NULL ORDER BY department_id",
    )
    .bind(name)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.text("department_id"))
    .collect()
}

/// Settles a name from version `no` on, in place of what held before.
pub(super) async fn settle(
    tx: &mut Tx,
    name: &str,
    no: i64,
    department_id: Option<&DepartmentId>,
    reason: &str,
    by: &PersonId,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE responsibility_settlements SET until_no = $1 WHERE contested_name = $2 AND until_no IS NULL",
    )
    .bind(no)
    .bind(name)
    .execute(&mut **tx)
    .await?;
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO responsibility_settlements (contested_name, from_no, department_id, reason, settled_by, \
         settled_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(name)
    .bind(no)
    .bind(department_id.map(ToString::to_string))
    .bind(reason)
    .bind(by.as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a settlement whose department has no item of the name any more: somebody else answers for it now.
pub(super) async fn end_void_settlement(tx: &mut Tx, name: &str, no: i64) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE responsibility_settlements SET until_no = $1 WHERE contested_name = $2 AND until_no IS NULL \
         AND department_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM responsibility_lines l \
         WHERE l.contested_name = responsibility_settlements.contested_name AND l.until_no IS NULL \
         AND l.department_id = responsibility_settlements.department_id)",
    )
    .bind(no)
    .bind(name)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
