//! All SQL of samples.

use jiff::Timestamp;
use tongqu_domain::{
    ids::{EntryId, PersonId},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// Lines of masked values, in the order of the columns.
pub type Lines = Vec<Vec<Option<String>>>;

/// A sample as stored.
#[derive(Debug)]
pub struct Sample {
    pub version_no: u32,
    /// Item codes.
    pub columns: Vec<String>,
    pub lines: Lines,
    pub drawn_at: Timestamp,
    pub released_at: Option<Timestamp>,
}

/// The sample of an entry, released or not.
pub async fn find(db: &mut Db, entry_id: &EntryId) -> Result<Option<Sample>, DbError> {
    sqlx::query(
        "SELECT version_no, columns, lines, drawn_at, released_at FROM samples WHERE entry_id = $1",
    )
    .bind(entry_id.as_str())
    .fetch_optional(db)
    .await?
    .map(|row| {
        Ok(Sample {
            version_no: u32::try_from(row.int("version_no")?).map_err(|fault| {
                DbError::BrokenRow {
                    column: "version_no",
                    reason: fault.to_string(),
                }
            })?,
            columns: row.json("columns")?,
            lines: row.json("lines")?,
            drawn_at: row.instant("drawn_at")?,
            released_at: row.opt_instant("released_at")?,
        })
    })
    .transpose()
}

/// Keeps a new sample in place of an earlier one; nobody else sees it yet.
pub async fn save(
    tx: &mut Tx,
    entry_id: &EntryId,
    version_no: u32,
    columns: &[String],
    lines: &Lines,
    drawn_by: &PersonId,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    remove(tx, entry_id).await?;
    sqlx::query(
        "INSERT INTO samples (entry_id, version_no, columns, lines, drawn_at, drawn_by) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(entry_id.as_str())
    .bind(i64::from(version_no))
    .bind(serde_json::to_string(columns).expect("texts make JSON"))
    .bind(serde_json::to_string(lines).expect("texts make JSON"))
    .bind(at)
    .bind(drawn_by.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Shows the sample to everybody; whether there was one that wasn't shown yet.
pub async fn release(tx: &mut Tx, entry_id: &EntryId, by: &PersonId) -> Result<bool, DbError> {
    let at = instant_text(tx.at());
    let done = sqlx::query(
        "UPDATE samples SET released_at = $1, released_by = $2 WHERE entry_id = $3 AND released_at IS NULL",
    )
    .bind(at)
    .bind(by.as_str())
    .bind(entry_id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the sample away; whether there was one.
pub async fn remove(tx: &mut Tx, entry_id: &EntryId) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM samples WHERE entry_id = $1")
        .bind(entry_id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
