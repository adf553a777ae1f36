//! SQL of what stands behind an entry: the table that it is mounted to, the terms of its interface.

use tongqu_domain::{ids::EntryId, time::instant_text};

use super::{
    super::{interface::InterfaceTerms, mount::Mounting},
    broken, json,
};
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

fn mounting(row: &sqlx::any::AnyRow) -> Result<Mounting, DbError> {
    Ok(Mounting {
        id: row.id("id")?,
        entry_id: row.id("entry_id")?,
        store_id: row.id("store_id")?,
        table: row.text("table_name")?,
        columns: row.json("columns")?,
        key: row.json("key_columns")?,
        pooled: row.flag("pooled")?,
        rows_total: row.opt_int("rows_total")?,
        last_arrival_at: row.opt_instant("last_arrival_at")?,
    })
}

/// The mounting of an entry, if it has one.
pub async fn mounting_of(db: &mut Db, entry_id: &EntryId) -> Result<Option<Mounting>, DbError> {
    sqlx::query(
        "SELECT id, entry_id, store_id, table_name, columns, key_columns, pooled, rows_total, last_arrival_at \
         FROM mountings WHERE entry_id = $1",
    )
    .bind(entry_id.as_str())
    .fetch_optional(db)
    .await?
    .map(|row| mounting(&row))
    .transpose()
}

/// A mounting that must be there, because something refers to it.
pub async fn find_mounting(db: &mut Db, entry_id: &EntryId) -> Result<Mounting, DbError> {
    mounting_of(db, entry_id)
        .await?
        .ok_or_else(|| broken("entry_id")("the entry isn't mounted".to_owned()))
}

pub(in super::super) async fn mountings(db: &mut Db) -> Result<Vec<Mounting>, DbError> {
    sqlx::query(
        "SELECT id, entry_id, store_id, table_name, columns, key_columns, pooled, rows_total, last_arrival_at \
         FROM mountings",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(mounting)
    .collect()
}

/// Binds an entry to a table, in place of an earlier binding. A binding with other columns has another
/// id and with it another pool table, so the pool begins anew.
pub(in super::super) async fn save_mounting(
    tx: &mut Tx,
    mounting: &Mounting,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO mountings (id, entry_id, store_id, table_name, columns, key_columns, pooled, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7) \
         ON CONFLICT (entry_id) DO UPDATE SET id = excluded.id, store_id = excluded.store_id, \
         table_name = excluded.table_name, columns = excluded.columns, key_columns = excluded.key_columns, \
         pooled = CASE WHEN mountings.id = excluded.id THEN mountings.pooled ELSE 0 END",
    )
    .bind(mounting.id.as_str())
    .bind(mounting.entry_id.as_str())
    .bind(mounting.store_id.as_str())
    .bind(&mounting.table)
    .bind(json(&mounting.columns))
    .bind(json(&mounting.key))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes note of a successful collection: how many rows are now in the pool.
pub(in super::super) async fn save_arrival(
    tx: &mut Tx,
    mounting: &Mounting,
    rows_total: i64,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "UPDATE mountings SET pooled = 1, rows_total = $1, last_arrival_at = $2 WHERE id = $3",
    )
    .bind(rows_total)
    .bind(at)
    .bind(mounting.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The terms of an entry's interface.
pub async fn interface_terms(db: &mut Db, id: &EntryId) -> Result<InterfaceTerms, DbError> {
    let row = sqlx::query(
        "SELECT param_control, direct_authorisation FROM interface_terms WHERE entry_id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    match row {
        None => Ok(InterfaceTerms::default()),
        Some(row) => Ok(InterfaceTerms {
            param_control: row.int("param_control")? == 1,
            direct_authorisation: row.int("direct_authorisation")? == 1,
        }),
    }
}

pub(in super::super) async fn save_interface_terms(
    tx: &mut Tx,
    id: &EntryId,
    terms: InterfaceTerms,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO interface_terms (entry_id, param_control, direct_authorisation) VALUES ($1, $2, $3) \
         ON CONFLICT (entry_id) DO UPDATE SET param_control = excluded.param_control, \
         direct_authorisation = excluded.direct_authorisation",
    )
    .bind(id.as_str())
    .bind(i64::from(terms.param_control))
    .bind(i64::from(terms.direct_authorisation))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
