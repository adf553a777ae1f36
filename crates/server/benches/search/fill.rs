//! Puts published entries into a registry by the bulk, in the shape of one that the platform itself has written.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tongqu_domain::{catalogue::VersionState, ids::PersonId, time::instant_text};

use super::entries::entry;

/// Sequences of resource codes from here on, above those that the platform has given.
const FIRST_SEQUENCE: i64 = 1_000_000;

/// Puts so many entries into a SQLite registry that nobody has open. One entry must be there: the others get its
/// terms of sharing. The index is left as it is; the platform builds it anew when it starts.
pub fn registry(path: &Path, entries: usize) -> anyhow::Result<()> {
    let mut db = rusqlite::Connection::open(path)?;
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;")?;
    let (content, class_code): (String, String) = db
        .query_row(
            "SELECT v.content, e.class_code FROM versions v JOIN entries e ON e.id = v.entry_id LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .context("the registry has no entry to copy")?;
    let person: String = db.query_row("SELECT id FROM people LIMIT 1", [], |row| row.get(0))?;
    let departments: Vec<String> = db
        .prepare("SELECT id FROM departments")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let listed: i64 = db.query_row(
        "SELECT COALESCE(MAX(no), 0) FROM responsibility_versions",
        [],
        |row| row.get(0),
    )?;
    let template: Value = serde_json::from_str(&content)?;
    let item = template["items"]
        .get(0)
        .context("the entry has no data item to copy")?
        .clone();
    let tx = db.transaction()?;
    {
        let mut put_entry = tx.prepare(
            "INSERT INTO entries (id, department_id, name, class_code, sequence, active_no, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)",
        )?;
        let mut put_version = tx.prepare(
            "INSERT INTO versions (id, entry_id, no, content, state_code, state, submitted_by, published_at, created_at) \
             VALUES (?1, ?2, 1, ?3, 'published', ?4, ?5, ?6, ?6)",
        )?;
        // As if it stood in the responsibility list already: listing all of them isn't what is measured.
        let mut put_listed = tx.prepare(
            "INSERT INTO responsibility_versions (no, at, kind, entry_id, entry_version_no, name, added, removed) \
             VALUES (?1, ?2, 'published', ?3, 1, ?4, 0, 0)",
        )?;
        for number in 0..entries {
            let doc = entry(number);
            let id = format!("ent-bench{number:08}");
            let name = format!("{} {number}", doc.name);
            let at = Timestamp::from_microsecond(doc.published_at)?;
            let state = VersionState::Published {
                at,
                by: PersonId::parse(&person)?,
            };
            let mut content = template.clone();
            content["name"] = json!(name);
            content["summary"] = json!(doc.summary);
            content["items"] = doc
                .items
                .iter()
                .map(|wanted| {
                    let mut item = item.clone();
                    item["name"] = json!(wanted.name);
                    item["code"] = json!(wanted.code);
                    item["key"] = json!(false);
                    item
                })
                .collect();
            let at = instant_text(at);
            let department = &departments[number % departments.len()];
            put_entry.execute((
                &id,
                department,
                &name,
                &class_code,
                FIRST_SEQUENCE + i64::try_from(number)?,
                &at,
            ))?;
            put_version.execute((
                format!("ver-bench{number:08}"),
                &id,
                content.to_string(),
                serde_json::to_string(&state)?,
                &person,
                &at,
            ))?;
            let no = listed + 1 + i64::try_from(number)?;
            put_listed.execute((no, &at, &id, &name))?;
        }
    }
    tx.commit()?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
