//! Repeated posts: each does its thing once, and its reply is kept.
//!
//! The key is written in the same transaction as what the post does (see [`Tx::commit`]). So of two
//! posts under one key only one commits, and one whose reply was lost in a crash isn't done again.

use std::sync::Mutex;

use jiff::Timestamp;
use tongqu_domain::time::instant_text;

use super::{Db, DbError, Registry, RowExt as _, Tx};

/// A post that may be repeated.
#[derive(Debug, Clone)]
pub struct Post {
    pub person_id: String,
    pub key: String,
    pub route: String,
    pub body_digest: String,
}

tokio::task_local! {
    /// The repeatable post under way whose key isn't written yet.
    static UNDER_WAY: Mutex<Option<Post>>;
}

/// Runs `operation`, whose first write also writes the key of `post`.
pub async fn once<F: Future>(post: Post, operation: F) -> F::Output {
    UNDER_WAY.scope(Mutex::new(Some(post)), operation).await
}

/// Writes the key of the post under way, if there is one and this is its first write.
///
/// Errors: [`DbError::KeyTaken`] if another post under the same key was faster.
pub(super) async fn write_key(tx: &mut Tx) -> Result<(), DbError> {
    let post = UNDER_WAY
        .try_with(|post| post.lock().expect("no holder panics").take())
        .ok()
        .flatten();
    let Some(post) = post else { return Ok(()) };
    let at = instant_text(tx.at());
    let written = sqlx::query(
        "INSERT INTO idempotency_keys (person_id, idempotency_key, route, body_digest, status, reply, at) \
         VALUES ($1, $2, $3, $4, 0, '', $5) ON CONFLICT (person_id, idempotency_key) DO NOTHING",
    )
    .bind(post.person_id)
    .bind(post.key)
    .bind(post.route)
    .bind(post.body_digest)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    if written.rows_affected() == 1 {
        Ok(())
    } else {
        Err(DbError::KeyTaken)
    }
}

/// The first reply to a post.
#[derive(Debug)]
pub struct KeptReply {
    pub route: String,
    pub body_digest: String,
    /// 0 while the post is under way, or if its reply was lost.
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

/// Keeps the reply to a post.
pub async fn keep(
    registry: &Registry,
    at: Timestamp,
    post: &Post,
    status: u16,
    reply: &str,
) -> Result<(), DbError> {
    let mut tx = registry.begin(at).await?;
    sqlx::query(
        "INSERT INTO idempotency_keys (person_id, idempotency_key, route, body_digest, status, reply, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (person_id, idempotency_key) DO UPDATE SET status = excluded.status, reply = excluded.reply",
    )
    .bind(&post.person_id)
    .bind(&post.key)
    .bind(&post.route)
    .bind(&post.body_digest)
    .bind(i64::from(status))
    .bind(reply)
    .bind(instant_text(at))
    .execute(&mut *tx)
    .await?;
    tx.commit_bookkeeping().await
}
