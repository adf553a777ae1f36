//! All SQL of sessions.

use std::{future::Future, pin::Pin};

use jiff::Timestamp;
use tongqu_domain::{
    access::{Actor, Role},
    ids::{DepartmentId, PersonId},
    time::{china_date, instant_text},
};

use crate::platform::{
    db::{Db, DbError, RowExt as _, Tx},
    session::token_hash,
};

pub(super) struct Account {
    pub person_id: PersonId,
    pub department_id: DepartmentId,
    pub password_hash: String,
    pub active: bool,
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
}

pub(super) struct Person {
    pub name: String,
    pub actor: Actor,
}

pub(super) async fn find_account(
    db: &mut Db,
    login_name: &str,
) -> Result<Option<Account>, DbError> {
    let row = sqlx::query(
        "SELECT id, department_id, password_hash, active, failures, locked_until FROM people WHERE login_name = $1",
    )
    .bind(login_name)
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Account {
            person_id: row.id("id")?,
            department_id: row.id("department_id")?,
            password_hash: row.text("password_hash")?,
            active: row.flag("active")?,
            failures: row.int("failures")?,
            locked_until: row.opt_instant("locked_until")?,
        })
    })
    .transpose()
}

pub(super) async fn find_person(
    db: &mut Db,
    id: &PersonId,
    now: Timestamp,
) -> Result<Option<Person>, DbError> {
    let row = sqlx::query(
        "SELECT name, department_id, contractor FROM people WHERE id = $1 AND active = 1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let posts = sqlx::query("SELECT role FROM posts WHERE person_id = $1 ORDER BY role")
        .bind(id.as_str())
        .fetch_all(&mut *db)
        .await?
        .iter()
        .map(|r| {
            let code = r.text("role")?;
            Role::find(&code).ok_or_else(|| DbError::BrokenRow {
                column: "role",
                reason: format!("unknown role {code}"),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let actor = Actor {
        person: id.clone(),
        department: row.id("department_id")?,
        roles: posts,
        contractor: row.flag("contractor")?,
        delegations: Vec::new(),
        today: china_date(now),
    };
    Ok(Some(Person {
        name: row.text("name")?,
        actor,
    }))
}

/// The actor behind a session token that hasn't expired.
pub fn find_actor<'a>(
    db: &'a mut Db,
    token: String,
    now: Timestamp,
) -> Pin<Box<dyn Future<Output = Result<Option<Actor>, DbError>> + Send + 'a>> {
    Box::pin(async move {
        let row =
            sqlx::query("SELECT person_id FROM sessions WHERE token_hash = $1 AND expires_at > $2")
                .bind(token_hash(&token))
                .bind(instant_text(now))
                .fetch_optional(&mut *db)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let person_id: PersonId = row.id("person_id")?;
        Ok(find_person(db, &person_id, now).await?.map(|p| p.actor))
    })
}

pub(super) async fn save_failure(
    tx: &mut Tx,
    id: &PersonId,
    failures: i64,
    locked_until: Option<Timestamp>,
) -> Result<(), DbError> {
    sqlx::query("UPDATE people SET failures = $1, locked_until = $2 WHERE id = $3")
        .bind(failures)
        .bind(locked_until.map(instant_text))
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn open_session(
    tx: &mut Tx,
    id: &PersonId,
    token: &str,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let now = instant_text(tx.at());
    sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
        .bind(&now)
        .execute(&mut **tx)
        .await?;
    sqlx::query("INSERT INTO sessions (token_hash, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(token_hash(token))
        .bind(id.as_str())
        .bind(&now)
        .bind(instant_text(expires_at))
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE people SET failures = 0, locked_until = NULL WHERE id = $1")
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Lets all open sessions last until `until`.
pub async fn prolong_all(tx: &mut Tx, until: Timestamp) -> Result<(), DbError> {
    sqlx::query("UPDATE sessions SET expires_at = $1")
        .bind(instant_text(until))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn close_session(tx: &mut Tx, token: &str) -> Result<(), DbError> {
    sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
        .bind(token_hash(token))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
