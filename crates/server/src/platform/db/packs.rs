//! Rule packs in every version that was ever loaded.

use tongqu_domain::time::instant_text;

use super::{Db, DbError, RowExt as _, Tx};

/// A pack as it was loaded.
#[derive(Debug)]
pub struct KeptPack {
    pub id: String,
    pub version: String,
    pub source: String,
}

/// Every version of every pack.
pub async fn all(db: &mut Db) -> Result<Vec<KeptPack>, DbError> {
    sqlx::query("SELECT id, version, source FROM packs ORDER BY id, loaded_at")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| {
            Ok(KeptPack {
                id: row.text("id")?,
                version: row.text("version")?,
                source: row.text("source")?,
            })
        })
        .collect()
}

/// Keeps a version; whether it wasn't there yet.
pub async fn keep(tx: &mut Tx, id: &str, version: &str, source: &str) -> Result<bool, DbError> {
    let at = instant_text(tx.at());
    let done = sqlx::query(
        "INSERT INTO packs (id, version, source, loaded_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id, version) DO NOTHING",
    )
    .bind(id)
    .bind(version)
    .bind(source)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Names the pack that the competent department chose.
const CHOSEN: &str = "law_pack";

/// The pack that was chosen for where nothing else is said; `None` while nobody chose.
pub async fn chosen(db: &mut Db) -> Result<Option<String>, DbError> {
    let row = sqlx::query("SELECT value FROM settings WHERE name = $1")
        .bind(CHOSEN)
        .fetch_optional(db)
        .await?;
    row.map(|row| row.text("value")).transpose()
}

/// Keeps the choice of a pack.
pub async fn choose(tx: &mut Tx, id: &str) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(CHOSEN)
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
