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
