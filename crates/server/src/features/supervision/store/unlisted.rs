//! SQL of tables without an entry.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tongqu_domain::{
    ids::{DepartmentId, StoreId},
    law::Pack,
    time::instant_text,
};

use super::super::unlisted::TablePlace;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// A table that no entry describes.
#[derive(Debug, Clone)]
pub struct UnlistedTable {
    pub id: String,
    pub department_id: DepartmentId,
    pub store_name: String,
    pub table: String,
    pub pack_id: String,
    pub pack_version: String,
    pub found_at: Timestamp,
    /// Why it needs no entry.
    pub excused: Option<String>,
}

/// The tables of a store that entries are mounted to or that deliveries go to, in lower case.
pub async fn described_tables(
    db: &mut Db,
    store_id: &StoreId,
) -> Result<BTreeSet<String>, DbError> {
    sqlx::query(
        "SELECT table_name FROM mountings WHERE store_id = $1 \
         UNION SELECT table_name FROM subscriptions WHERE store_id = $1",
    )
    .bind(store_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok(row.text("table_name")?.to_lowercase()))
    .collect()
}

/// The tables of a store that are on the list.
pub async fn unlisted_of_store(db: &mut Db, store_id: &StoreId) -> Result<Vec<String>, DbError> {
    sqlx::query("SELECT table_name FROM unlisted_tables WHERE store_id = $1")
        .bind(store_id.as_str())
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.text("table_name"))
        .collect()
}

/// Puts a table on the list, with the regulation under which it was found.
pub async fn insert_unlisted(
    tx: &mut Tx,
    id: &str,
    (store_id, department_id): TablePlace<'_>,
    table: &str,
    pack: &Pack,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO unlisted_tables (id, store_id, department_id, table_name, pack_id, pack_version, found_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (store_id, table_name) DO NOTHING",
    )
    .bind(id)
    .bind(store_id.as_str())
    .bind(department_id.as_str())
    .bind(table)
    .bind(pack.meta.id.as_str())
    .bind(pack.version.as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a table off the list.
pub async fn delete_unlisted(tx: &mut Tx, store_id: &StoreId, table: &str) -> Result<(), DbError> {
    sqlx::query("DELETE FROM unlisted_tables WHERE store_id = $1 AND table_name = $2")
        .bind(store_id.as_str())
        .bind(table)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes why a table needs no entry; whether it was on the list.
pub async fn excuse(tx: &mut Tx, id: &str, reason: &str) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE unlisted_tables SET excused = $1 WHERE id = $2")
        .bind(reason)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The whole list, open ones first.
pub async fn unlisted(db: &mut Db) -> Result<Vec<UnlistedTable>, DbError> {
    sqlx::query(
        "SELECT u.id, u.department_id, s.name AS store_name, u.table_name, u.pack_id, u.pack_version, \
         u.found_at, u.excused FROM unlisted_tables u JOIN stores s ON s.id = u.store_id \
         ORDER BY CASE WHEN u.excused IS NULL THEN 0 ELSE 1 END, u.department_id, u.table_name",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(UnlistedTable {
            id: row.text("id")?,
            department_id: row.id("department_id")?,
            store_name: row.text("store_name")?,
            table: row.text("table_name")?,
            pack_id: row.text("pack_id")?,
            pack_version: row.text("pack_version")?,
            found_at: row.instant("found_at")?,
            excused: row.opt_text("excused")?,
        })
    })
    .collect()
}
