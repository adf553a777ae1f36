//! The departments' own exchange stores: the statistics bureau's real table, and what happens to it.
//! All SQL of the demo.

use std::path::Path;

use flate2::read::GzDecoder;
use rusqlite::{Connection, params};

/// All village-level divisions of China, compressed; see `demo/` for origin and licence.
const DIVISIONS: &[u8] = include_bytes!("../../../../demo/divisions_villages.csv.gz");

/// How many rows that is.
pub(super) const DIVISIONS_TOTAL: u64 = 620_573;

/// The table in the statistics bureau's exchange store.
pub(super) const TABLE: &str = "division_village";

/// Makes the statistics bureau's exchange store with the real table. It keeps no change log and no time
/// of change, as many an old database.
pub(super) fn make_source(path: &Path) -> anyhow::Result<()> {
    let mut db = Connection::open(path)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE division_village (
           code TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, street_code TEXT NOT NULL,
           province_code TEXT NOT NULL, city_code TEXT NOT NULL, area_code TEXT NOT NULL
         ) WITHOUT ROWID;",
    )?;
    let tx = db.transaction()?;
    {
        let mut insert =
            tx.prepare("INSERT INTO division_village VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut rows = csv::Reader::from_reader(GzDecoder::new(DIVISIONS));
        for row in rows.records() {
            let row = row?;
            let field = |n: usize| row.get(n).unwrap_or_default();
            insert.execute(params![
                field(0),
                field(1),
                field(2),
                field(3),
                field(4),
                field(5)
            ])?;
        }
    }
    tx.commit()?;
    Ok(())
}

/// Makes an empty exchange store.
pub(super) fn make_empty(path: &Path) -> anyhow::Result<()> {
    Connection::open(path)?.execute_batch(
        "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS readme (text TEXT);",
    )?;
    Ok(())
}

/// How many rows of each kind [`change_source`] touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceChange {
    pub updated: u64,
    pub inserted: u64,
    pub deleted: u64,
    /// Rows with a malformed code, which have to end in quarantine.
    pub malformed: u64,
}

/// What happens at the source between two runs: 1,000 rows change, 500 appear, 500 disappear, and three
/// malformed ones come along. Half of it lies in province 41. May be done again and again.
pub fn change_source(path: &Path) -> anyhow::Result<SourceChange> {
    let mut db = Connection::open(path)?;
    db.busy_timeout(std::time::Duration::from_secs(15))?;
    let tx = db.transaction()?;
    let (mut updated, mut inserted, mut deleted) = (0, 0, 0);
    for area in [["41", "4104", "410404"], ["37", "3701", "370102"]] {
        let [province, city, area] = area;
        updated += tx.execute(
            "UPDATE division_village SET name = name || '（新）' WHERE code IN (SELECT code FROM division_village \
             WHERE province_code = ?1 ORDER BY code LIMIT 500 OFFSET 100)",
            params![province],
        )?;
        deleted += tx.execute(
            "DELETE FROM division_village WHERE code IN (SELECT code FROM division_village \
             WHERE province_code = ?1 ORDER BY code LIMIT 250 OFFSET 2000)",
            params![province],
        )?;
        let earlier: u32 = tx.query_row(
            "SELECT COUNT(*) FROM division_village WHERE area_code = ?1 AND street_code >= ?1 || '900'",
            params![area],
            |row| row.get(0),
        )?;
        for n in earlier..earlier + 250 {
            let street = format!("{area}{}", 900 + n / 1000);
            let code = format!("{street}{:03}", n % 1000);
            let row = params![code, format!("新建社区{n}"), street, province, city, area];
            inserted += tx.execute(
                "INSERT INTO division_village VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                row,
            )?;
        }
    }
    let mut malformed = 0;
    let earlier: u32 = tx.query_row(
        "SELECT COUNT(*) FROM division_village WHERE code LIKE '41O4%'",
        [],
        |row| row.get(0),
    )?;
    for n in earlier..earlier + 3 {
        // The letter O in place of the digit: a mistake that people really make.
        let row = params![
            format!("41O404998{n:03}"),
            "误录社区",
            "410404998",
            "41",
            "4104",
            "410404"
        ];
        malformed += tx.execute(
            "INSERT INTO division_village VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            row,
        )?;
    }
    tx.commit()?;
    let rows = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Ok(SourceChange {
        updated: rows(updated),
        inserted: rows(inserted),
        deleted: rows(deleted),
        malformed: rows(malformed),
    })
}

/// One row of the statistics bureau's table, as far as the story asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Division {
    pub code: String,
    pub name: String,
    pub area_code: String,
    pub province_code: String,
}

/// The rows of a province at the source whose codes are sound, in the order of their codes.
pub(super) fn sound_rows(path: &Path, province: &str) -> anyhow::Result<Vec<Division>> {
    let sql = "SELECT code, name, area_code, province_code FROM division_village \
               WHERE province_code = ?1 AND code NOT GLOB '*[^0-9]*' ORDER BY code";
    read_divisions(path, sql, &[&province])
}

/// All rows that a delivery has put into a table of the requester's store, in the order of their codes.
pub(super) fn delivered_rows(path: &Path) -> anyhow::Result<Vec<Division>> {
    read_divisions(
        path,
        "SELECT code, name, area_code, province_code FROM division_village ORDER BY code",
        &[],
    )
}

fn read_divisions(
    path: &Path,
    sql: &str,
    params: &[&dyn rusqlite::ToSql],
) -> anyhow::Result<Vec<Division>> {
    let db = Connection::open(path)?;
    let mut query = db.prepare(sql)?;
    let rows = query.query_map(params, |row| {
        Ok(Division {
            code: row.get(0)?,
            name: row.get(1)?,
            area_code: row.get(2)?,
            province_code: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Names of the columns of a table.
pub(super) fn columns(path: &Path, table: &str) -> anyhow::Result<Vec<String>> {
    let db = Connection::open(path)?;
    let mut query = db.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let names = query.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// How many rows the source has.
pub(super) fn rows_total(path: &Path) -> anyhow::Result<u64> {
    let count: i64 =
        Connection::open(path)?.query_row("SELECT COUNT(*) FROM division_village", [], |row| {
            row.get(0)
        })?;
    Ok(u64::try_from(count)?)
}
