//! All SQL of the catalogue. What stands behind an entry has a room of its own.

mod mountings;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tongqu_domain::{
    catalogue::{DataItem, EntryContent, VersionState},
    codes::ResourceCode,
    ids::{DepartmentId, EntryId, PersonId, VersionId},
    time::instant_text,
};

use crate::platform::{
    db::{Db, DbError, RowExt as _, Tx, counters, in_places, placed},
    secrets::random_hex,
};

pub use mountings::{find_mounting, interface_terms, mounting_of};
pub(super) use mountings::{mountings, save_arrival, save_interface_terms, save_mounting};

/// A catalogue entry over all its versions.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: EntryId,
    pub department_id: DepartmentId,
    pub name: String,
    pub code: ResourceCode,
    /// The version that readers see; `None` until one is published.
    pub active_no: Option<u32>,
}

/// One version of an entry.
#[derive(Debug, Clone)]
pub struct Version {
    pub id: VersionId,
    pub entry_id: EntryId,
    pub no: u32,
    pub content: EntryContent,
    pub state: VersionState,
    pub submitted_by: Option<PersonId>,
    pub published_at: Option<Timestamp>,
}

/// A version together with its entry, as lists show them.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub entry: Entry,
    pub version: Version,
}

fn broken(column: &'static str) -> impl Fn(String) -> DbError {
    move |reason| DbError::BrokenRow { column, reason }
}

fn version_no(n: i64) -> Result<u32, DbError> {
    u32::try_from(n).map_err(|e| broken("no")(e.to_string()))
}

fn entry(row: &sqlx::any::AnyRow, id_column: &'static str) -> Result<Entry, DbError> {
    let sequence =
        u64::try_from(row.int("sequence")?).map_err(|e| broken("sequence")(e.to_string()))?;
    let code = ResourceCode::new(&row.text("class_code")?, sequence)
        .map_err(|e| broken("class_code")(e.to_string()))?;
    Ok(Entry {
        id: row.id(id_column)?,
        department_id: row.id("department_id")?,
        name: row.text("name")?,
        code,
        active_no: row.opt_int("active_no")?.map(version_no).transpose()?,
    })
}

fn version(row: &sqlx::any::AnyRow) -> Result<Version, DbError> {
    Ok(Version {
        id: row.id("id")?,
        entry_id: row.id("entry_id")?,
        no: version_no(row.int("no")?)?,
        content: row.json("content")?,
        state: row.json("state")?,
        submitted_by: row.opt_id("submitted_by")?,
        published_at: row.opt_instant("published_at")?,
    })
}

fn listed(row: &sqlx::any::AnyRow) -> Result<Listed, DbError> {
    Ok(Listed {
        entry: entry(row, "entry_id")?,
        version: version(row)?,
    })
}

/// An entry by its id.
pub async fn find_entry(db: &mut Db, id: &EntryId) -> Result<Option<Entry>, DbError> {
    sqlx::query("SELECT id, department_id, name, class_code, sequence, active_no FROM entries WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .map(|row| entry(&row, "id"))
        .transpose()
}

/// The names of several entries, in a few statements however many they are.
pub async fn entry_names(
    db: &mut Db,
    ids: &[&EntryId],
) -> Result<BTreeMap<EntryId, String>, DbError> {
    let mut names = BTreeMap::new();
    for places in placed(ids) {
        let mut query = sqlx::query(concat!(
            "SELECT id, name FROM entries WHERE id IN ",
            in_places!()
        ));
        for place in places {
            query = query.bind(place);
        }
        for row in query.fetch_all(&mut *db).await? {
            names.insert(row.id("id")?, row.text("name")?);
        }
    }
    Ok(names)
}

/// The entry of a department with this name.
pub(super) async fn find_entry_by_name(
    db: &mut Db,
    department_id: &DepartmentId,
    name: &str,
) -> Result<Option<Entry>, DbError> {
    sqlx::query(
        "SELECT id, department_id, name, class_code, sequence, active_no FROM entries \
         WHERE department_id = $1 AND name = $2",
    )
    .bind(department_id.as_str())
    .bind(name)
    .fetch_optional(db)
    .await?
    .map(|row| entry(&row, "id"))
    .transpose()
}

/// One version of an entry.
pub async fn find_version(
    db: &mut Db,
    entry_id: &EntryId,
    no: u32,
) -> Result<Option<Version>, DbError> {
    sqlx::query(
        "SELECT id, entry_id, no, content, state, submitted_by, published_at FROM versions \
         WHERE entry_id = $1 AND no = $2",
    )
    .bind(entry_id.as_str())
    .bind(i64::from(no))
    .fetch_optional(db)
    .await?
    .map(|row| version(&row))
    .transpose()
}

/// The data items of the version that readers see; none while nothing is published.
pub async fn active_items(db: &mut Db, entry_id: &EntryId) -> Result<Vec<DataItem>, DbError> {
    let Some(no) = find_entry(db, entry_id).await?.and_then(|e| e.active_no) else {
        return Ok(Vec::new());
    };
    Ok(find_version(db, entry_id, no)
        .await?
        .map(|v| v.content.items)
        .unwrap_or_default())
}

/// A version by its own id, with its entry.
pub(super) async fn find_listed(db: &mut Db, id: &VersionId) -> Result<Option<Listed>, DbError> {
    sqlx::query(
        "SELECT v.id, v.entry_id, v.no, v.content, v.state, v.submitted_by, v.published_at, \
         e.department_id, e.name, e.class_code, e.sequence, e.active_no \
         FROM versions v JOIN entries e ON e.id = v.entry_id WHERE v.id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?
    .map(|row| listed(&row))
    .transpose()
}

/// The version of an entry that waits for its publication, if there is one.
pub(super) async fn submitted_of(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Option<Listed>, DbError> {
    sqlx::query(
        "SELECT v.id, v.entry_id, v.no, v.content, v.state, v.submitted_by, v.published_at, \
         e.department_id, e.name, e.class_code, e.sequence, e.active_no \
         FROM versions v JOIN entries e ON e.id = v.entry_id \
         WHERE v.entry_id = $1 AND v.state_code = 'submitted' ORDER BY v.no DESC LIMIT 1",
    )
    .bind(entry_id.as_str())
    .fetch_optional(db)
    .await?
    .map(|row| listed(&row))
    .transpose()
}

/// The newest version of an entry, whatever its state.
pub async fn newest_version(db: &mut Db, entry_id: &EntryId) -> Result<Option<Version>, DbError> {
    Ok(versions_of(db, entry_id).await?.into_iter().next())
}

/// All versions of an entry, newest first.
pub(super) async fn versions_of(db: &mut Db, entry_id: &EntryId) -> Result<Vec<Version>, DbError> {
    sqlx::query(
        "SELECT id, entry_id, no, content, state, submitted_by, published_at FROM versions \
         WHERE entry_id = $1 ORDER BY no DESC",
    )
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(version)
    .collect()
}

/// The newest version of each entry of a department, by name.
pub(super) async fn newest_of_department(
    db: &mut Db,
    department_id: &DepartmentId,
    cursor: &str,
    size: u32,
) -> Result<Vec<Listed>, DbError> {
    sqlx::query(
        "SELECT v.id, v.entry_id, v.no, v.content, v.state, v.submitted_by, v.published_at, \
         e.department_id, e.name, e.class_code, e.sequence, e.active_no \
         FROM entries e JOIN versions v ON v.entry_id = e.id \
         AND v.no = (SELECT MAX(w.no) FROM versions w WHERE w.entry_id = e.id) \
         WHERE e.department_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3",
    )
    .bind(department_id.as_str())
    .bind(cursor)
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(listed)
    .collect()
}

/// Submitted versions awaiting review, in the order of their ids.
pub(super) async fn submitted(
    db: &mut Db,
    cursor: &str,
    size: u32,
) -> Result<Vec<Listed>, DbError> {
    sqlx::query(
        "SELECT v.id, v.entry_id, v.no, v.content, v.state, v.submitted_by, v.published_at, \
         e.department_id, e.name, e.class_code, e.sequence, e.active_no \
         FROM versions v JOIN entries e ON e.id = v.entry_id \
         WHERE v.state_code = 'submitted' AND v.id > $1 ORDER BY v.id LIMIT $2",
    )
    .bind(cursor)
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(listed)
    .collect()
}

/// Published entries with their active versions, newest first; at most `limit`.
pub(super) async fn published(db: &mut Db, limit: u32) -> Result<Vec<Listed>, DbError> {
    sqlx::query(
        "SELECT v.id, v.entry_id, v.no, v.content, v.state, v.submitted_by, v.published_at, \
         e.department_id, e.name, e.class_code, e.sequence, e.active_no \
         FROM entries e JOIN versions v ON v.entry_id = e.id AND v.no = e.active_no \
         ORDER BY v.published_at DESC, v.id LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(listed)
    .collect()
}

/// Published entries that the responsibility list doesn't have in their active version; at most `limit`.
pub(super) async fn unlisted(db: &mut Db, limit: u32) -> Result<Vec<Listed>, DbError> {
    sqlx::query(
        "SELECT v.id, v.entry_id, v.no, v.content, v.state, v.submitted_by, v.published_at, \
         e.department_id, e.name, e.class_code, e.sequence, e.active_no \
         FROM entries e JOIN versions v ON v.entry_id = e.id AND v.no = e.active_no \
         WHERE NOT EXISTS (SELECT 1 FROM responsibility_versions r \
         WHERE r.entry_id = e.id AND r.entry_version_no = e.active_no) ORDER BY e.id LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(listed)
    .collect()
}

/// The newest published entries: entry, active version.
pub async fn newest_published(db: &mut Db, limit: u32) -> Result<Vec<(Entry, Version)>, DbError> {
    Ok(published(db, limit)
        .await?
        .into_iter()
        .map(|l| (l.entry, l.version))
        .collect())
}

/// How many entries are published.
pub async fn entries_count(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM entries WHERE active_no IS NOT NULL")
        .fetch_one(db)
        .await?
        .int("n")
}

/// Published entries by department, most first.
pub async fn counts_by_department(db: &mut Db, limit: u32) -> Result<Vec<(String, i64)>, DbError> {
    sqlx::query(
        "SELECT department_id, COUNT(*) AS n FROM entries WHERE active_no IS NOT NULL \
         GROUP BY department_id ORDER BY n DESC, department_id LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((row.text("department_id")?, row.int("n")?)))
    .collect()
}

/// Enters a new entry with the next sequence of its class.
pub(super) async fn insert_entry(
    tx: &mut Tx,
    department_id: &DepartmentId,
    content: &EntryContent,
) -> Result<Entry, DbError> {
    let at = instant_text(tx.at());
    let id = EntryId::parse(&format!("ent-{}", random_hex::<6>())).expect("hex fits an identifier");
    let sequence = counters::next(tx, &format!("code:{}", content.class_code)).await?;
    let row = sqlx::query(
        "INSERT INTO entries (id, department_id, name, class_code, sequence, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, department_id, name, class_code, sequence, active_no",
    )
    .bind(id.as_str())
    .bind(department_id.as_str())
    .bind(&content.name)
    .bind(&content.class_code)
    .bind(sequence)
    .bind(at)
    .fetch_one(&mut **tx)
    .await?;
    entry(&row, "id")
}

/// Enters a version in the given state.
pub(super) async fn insert_version(
    tx: &mut Tx,
    entry_id: &EntryId,
    no: u32,
    content: &EntryContent,
    state: &VersionState,
) -> Result<VersionId, DbError> {
    let at = instant_text(tx.at());
    let id =
        VersionId::parse(&format!("ver-{}", random_hex::<6>())).expect("hex fits an identifier");
    sqlx::query(
        "INSERT INTO versions (id, entry_id, no, content, state_code, state, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.as_str())
    .bind(entry_id.as_str())
    .bind(i64::from(no))
    .bind(json(content))
    .bind(state.name())
    .bind(json(state))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

/// Replaces the content of a version that nobody has submitted yet, or that was returned.
pub(super) async fn replace_content(
    tx: &mut Tx,
    before: &Version,
    content: &EntryContent,
    state: &VersionState,
) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE versions SET content = $1, state_code = $2, state = $3 WHERE id = $4 AND state = $5")
        .bind(json(content))
        .bind(state.name())
        .bind(json(state))
        .bind(before.id.as_str())
        .bind(json(&before.state))
        .execute(&mut **tx)
        .await?;
    changed_one(&done)
}

/// Saves a new state of a version. Errors: [`DbError::Stale`] if somebody was faster.
pub(super) async fn save_state(
    tx: &mut Tx,
    before: &Version,
    state: &VersionState,
    submitted_by: Option<&PersonId>,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE versions SET state_code = $1, state = $2, submitted_by = COALESCE($3, submitted_by) \
         WHERE id = $4 AND state = $5",
    )
    .bind(state.name())
    .bind(json(state))
    .bind(submitted_by.map(|p| p.as_str().to_owned()))
    .bind(before.id.as_str())
    .bind(json(&before.state))
    .execute(&mut **tx)
    .await?;
    changed_one(&done)
}

/// Makes a version the one that readers see.
pub(super) async fn activate(tx: &mut Tx, version: &Version) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query("UPDATE versions SET published_at = $1 WHERE id = $2")
        .bind(at)
        .bind(version.id.as_str())
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE entries SET active_no = $1, name = $2 WHERE id = $3")
        .bind(i64::from(version.no))
        .bind(&version.content.name)
        .bind(version.entry_id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn changed_one(done: &sqlx::any::AnyQueryResult) -> Result<(), DbError> {
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(DbError::Stale)
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("domain structures make JSON")
}

/// An upload of the template, kept so that the marked workbook can be fetched.
pub(super) struct Import {
    pub id: String,
    pub department_id: DepartmentId,
    pub file_digest: String,
}

pub(super) async fn insert_import(
    tx: &mut Tx,
    import: &Import,
    person_id: &PersonId,
    entries_total: i64,
    faults: &str,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO imports (id, department_id, person_id, at, entries_total, faults, workbook) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&import.id)
    .bind(import.department_id.as_str())
    .bind(person_id.as_str())
    .bind(at)
    .bind(entries_total)
    .bind(faults)
    .bind(&import.file_digest)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn find_import(db: &mut Db, id: &str) -> Result<Option<Import>, DbError> {
    sqlx::query("SELECT id, department_id, workbook FROM imports WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?
        .map(|row| {
            Ok(Import {
                id: row.text("id")?,
                department_id: row.id("department_id")?,
                file_digest: row.text("workbook")?,
            })
        })
        .transpose()
}
