//! Which secret of pseudonyms the platform uses, among the facts about the installation.

use super::super::pseudonyms::KeyMark;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

const NAME: &str = "pseudonym_key";

/// The secret that is used; `None` before the first.
pub(in super::super) async fn pseudonym_mark(db: &mut Db) -> Result<Option<KeyMark>, DbError> {
    let row = sqlx::query("SELECT value FROM settings WHERE name = $1")
        .bind(NAME)
        .fetch_optional(db)
        .await?;
    let value = row.map(|row| row.text("value")).transpose()?;
    value
        .map(|value| {
            KeyMark::parse(&value).ok_or(DbError::BrokenRow {
                column: "value",
                reason: "no generation and id".to_owned(),
            })
        })
        .transpose()
}

/// Has another secret used in place of `before`; whether nobody was faster.
pub(in super::super) async fn change_pseudonym_mark(
    tx: &mut Tx,
    before: Option<&KeyMark>,
    after: &KeyMark,
) -> Result<bool, DbError> {
    let query = match before {
        Some(before) => {
            sqlx::query("UPDATE settings SET value = $1 WHERE name = $2 AND value = $3")
                .bind(after.to_string())
                .bind(NAME)
                .bind(before.to_string())
        }
        None => sqlx::query(
            "INSERT INTO settings (value, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(after.to_string())
        .bind(NAME),
    };
    let done = query.execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}
