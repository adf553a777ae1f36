//! Evidence that waits for its place in the ledger, and the index of what has one.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Db, DbError, Engine, Registry, RowExt as _};

/// A record without a place yet.
#[derive(Debug)]
pub struct Waiting {
    pub id: i64,
    pub record_id: String,
    pub record: String,
}

/// Records of a node without a place, oldest first; of nobody if it is empty.
pub async fn waiting(db: &mut Db, node_id: &str, limit: i64) -> Result<Vec<Waiting>, DbError> {
    sqlx::query(
        "SELECT id, record_id, record FROM evidence WHERE ledger_index IS NULL AND COALESCE(node_id, '') = $1 \
         ORDER BY id LIMIT $2",
    )
    .bind(node_id)
    .bind(limit)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Waiting {
            id: row.int("id")?,
            record_id: row.text("record_id")?,
            record: row.text("record")?,
        })
    })
    .collect()
}

/// Gives records that wait and are nobody's to a node; of two that do so at once each gets others. An embedded registry
/// has one node, which may have lost its name: there it gets all that wait.
pub(super) async fn adopt(registry: &Registry, node_id: &str) -> Result<(), DbError> {
    let mut tx = registry.begin(Timestamp::UNIX_EPOCH).await?;
    let is_alone = registry.engine() == Engine::Sqlite;
    sqlx::query(
        "UPDATE evidence SET node_id = $1 WHERE ledger_index IS NULL AND (node_id IS NULL OR $2 = 1)",
    )
    .bind(node_id)
    .bind(i64::from(is_alone))
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await
}

/// Number and act of the records above `floor`, in the order of their numbers.
pub async fn since(db: &mut Db, floor: i64, limit: i64) -> Result<Vec<(i64, String)>, DbError> {
    sqlx::query("SELECT id, what FROM evidence WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(floor)
        .bind(limit)
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((row.int("id")?, row.text("what")?)))
        .collect()
}

/// The highest number of a record.
pub async fn newest(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) AS newest FROM evidence")
        .fetch_one(db)
        .await?
        .int("newest")
}

/// Ids of all records without a place.
pub async fn waiting_ids(db: &mut Db) -> Result<HashSet<String>, DbError> {
    sqlx::query("SELECT record_id FROM evidence WHERE ledger_index IS NULL")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.text("record_id"))
        .collect()
}

/// Notes where records stand in the ledger.
pub async fn mark(registry: &Registry, marks: &[(i64, u64)]) -> Result<(), DbError> {
    let mut tx = registry.begin(Timestamp::UNIX_EPOCH).await?;
    for (id, index) in marks {
        sqlx::query("UPDATE evidence SET ledger_index = $1 WHERE id = $2")
            .bind(i64::try_from(*index).unwrap_or(i64::MAX))
            .bind(id)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit_bookkeeping().await
}

/// A record with its place, for auditors.
#[derive(Debug)]
pub struct Indexed {
    pub ledger_index: Option<i64>,
    pub id: i64,
    pub at: String,
    pub what: String,
    pub person_id: Option<String>,
    pub department_id: Option<String>,
    pub subject_kind: String,
    pub subject_id: String,
    pub record: String,
}

/// What to look for; empty texts mean anything.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub what: &'a str,
    pub subject_id: &'a str,
    pub person_id: &'a str,
    /// Only records older than this.
    pub before: Option<i64>,
}

/// Records, newest first; one more than `size`.
pub async fn find(db: &mut Db, wanted: &Wanted<'_>, size: u32) -> Result<Vec<Indexed>, DbError> {
    sqlx::query(
        "SELECT id, ledger_index, at, what, person_id, department_id, subject_kind, subject_id, record FROM evidence \
         WHERE ($1 = '' OR what = $1) AND ($2 = '' OR subject_id = $2) AND ($3 = '' OR person_id = $3) AND id < $4 \
         ORDER BY id DESC LIMIT $5",
    )
    .bind(wanted.what)
    .bind(wanted.subject_id)
    .bind(wanted.person_id)
    .bind(wanted.before.unwrap_or(i64::MAX))
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Indexed {
            id: row.int("id")?,
            ledger_index: row.opt_int("ledger_index")?,
            at: row.text("at")?,
            what: row.text("what")?,
            person_id: row.opt_text("person_id")?,
            department_id: row.opt_text("department_id")?,
            subject_kind: row.text("subject_kind")?,
            subject_id: row.text("subject_id")?,
            record: row.text("record")?,
        })
    })
    .collect()
}
