//! Replies kept for repeated posts.

use tongqu_domain::time::instant_text;

use super::{Db, DbError, RowExt as _, Tx};

/// The first reply to a post.
#[derive(Debug)]
pub struct KeptReply {
    pub route: String,
    pub body_digest: String,
    pub status: u16,
    pub reply: String,
}

/// The reply kept under `key` for `person_id`, if there is one.
pub async fn find(db: &mut Db, person_id: &str, key: &str) -> Result<Option<KeptReply>, DbError> {
    let row = sqlx::query(
        "SELECT route, body_digest, status, reply FROM idempotency_keys \
         WHERE person_id = $1 AND idempotency_key = $2",
    )
    .bind(person_id)
    .bind(key)
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(KeptReply {
            route: row.text("route")?,
            body_digest: row.text("body_digest")?,
            status: u16::try_from(row.int("status")?).unwrap_or(500),
            reply: row.text("reply")?,
        })
    })
    .transpose()
}

/// Keeps the first reply; a later one under the same key changes nothing.
pub async fn keep(
    tx: &mut Tx,
    person_id: &str,
    key: &str,
    kept: &KeptReply,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO idempotency_keys (person_id, idempotency_key, route, body_digest, status, reply, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (person_id, idempotency_key) DO NOTHING",
    )
    .bind(person_id)
    .bind(key)
    .bind(&kept.route)
    .bind(&kept.body_digest)
    .bind(i64::from(kept.status))
    .bind(&kept.reply)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
