//! Numbers that are given out once each, without gaps, although many ask at the same time.

use super::{DbError, RowExt as _, Tx};

/// The next number of `name`, from 1. Whoever asks at the same time waits until this write has ended, and
/// a write that is undone gives its number back.
pub async fn next(tx: &mut Tx, name: &str) -> Result<i64, DbError> {
    sqlx::query(
        "INSERT INTO counters (name, last) VALUES ($1, 1) \
         ON CONFLICT (name) DO UPDATE SET last = counters.last + 1 RETURNING last",
    )
    .bind(name)
    .fetch_one(&mut **tx)
    .await?
    .int("last")
}
