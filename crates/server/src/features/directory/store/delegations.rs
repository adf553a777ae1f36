//! SQL of delegations.

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    access::Role,
    ids::{DepartmentId, PersonId},
    time::instant_text,
};

use super::super::delegations::DelegationRow;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, department_id, from_person, to_person, roles, first_day, last_day, reason, made_by, revoked_at \
             FROM delegations ",
            $tail
        )
    };
}

fn delegation(row: &sqlx::any::AnyRow) -> Result<DelegationRow, DbError> {
    Ok(DelegationRow {
        id: row.text("id")?,
        department: row.id("department_id")?,
        from: row.id("from_person")?,
        to: row.id("to_person")?,
        roles: row.json::<Vec<Role>>("roles")?,
        first_day: row.parsed("first_day")?,
        last_day: row.parsed("last_day")?,
        reason: row.text("reason")?,
        made_by: row.id("made_by")?,
        revoked_at: row.opt_instant("revoked_at")?,
    })
}

pub(in super::super) async fn insert_delegation(
    tx: &mut Tx,
    d: &DelegationRow,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO delegations (id, department_id, from_person, to_person, roles, first_day, last_day, reason, \
         made_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&d.id)
    .bind(d.department.as_str())
    .bind(d.from.as_str())
    .bind(d.to.as_str())
    .bind(serde_json::to_string(&d.roles).expect("roles make JSON"))
    .bind(d.first_day.to_string())
    .bind(d.last_day.to_string())
    .bind(&d.reason)
    .bind(d.made_by.as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A delegation by its id.
pub(in super::super) async fn find_delegation(
    db: &mut Db,
    id: &str,
) -> Result<Option<DelegationRow>, DbError> {
    sqlx::query(select!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(delegation)
        .transpose()
}

/// Delegations from or to a person, the newest first.
pub(in super::super) async fn delegations_of(
    db: &mut Db,
    person: &PersonId,
) -> Result<Vec<DelegationRow>, DbError> {
    sqlx::query(select!(
        "WHERE from_person = $1 OR to_person = $1 ORDER BY last_day DESC, created_at DESC, id"
    ))
    .bind(person.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(delegation)
    .collect()
}

/// Delegations of a department's posts, the newest first.
pub(in super::super) async fn delegations_in(
    db: &mut Db,
    department: &DepartmentId,
) -> Result<Vec<DelegationRow>, DbError> {
    sqlx::query(select!(
        "WHERE department_id = $1 ORDER BY last_day DESC, created_at DESC, id"
    ))
    .bind(department.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(delegation)
    .collect()
}

/// What a person deputises for on a day: not revoked, and by somebody who is still there.
pub(in super::super) async fn delegations_to(
    db: &mut Db,
    person: &PersonId,
    today: Date,
) -> Result<Vec<DelegationRow>, DbError> {
    sqlx::query(select!(
        "WHERE to_person = $1 AND first_day <= $2 AND last_day >= $2 AND revoked_at IS NULL \
         AND EXISTS (SELECT 1 FROM people WHERE people.id = from_person AND people.active = 1) ORDER BY first_day, id"
    ))
    .bind(person.as_str())
    .bind(today.to_string())
    .fetch_all(db)
    .await?
    .iter()
    .map(delegation)
    .collect()
}

/// Ends a delegation now.
pub(in super::super) async fn revoke(
    tx: &mut Tx,
    id: &str,
    at: Timestamp,
    by: &PersonId,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE delegations SET revoked_at = $1, revoked_by = $2 WHERE id = $3 AND revoked_at IS NULL",
    )
    .bind(instant_text(at))
    .bind(by.as_str())
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
