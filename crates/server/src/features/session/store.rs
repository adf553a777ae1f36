//! All SQL of sessions.

use std::{collections::BTreeMap, future::Future, pin::Pin};

use jiff::Timestamp;
use tongqu_domain::{
    access::{Actor, Role},
    ids::{DepartmentId, PersonId},
    time::{china_date, instant_text},
};

use crate::{
    features::directory,
    platform::{
        db::{Db, DbError, RowExt as _, Tx},
        session::token_hash,
    },
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
    /// The department that the person belongs to.
    pub home: DepartmentId,
    /// All posts of the person, by department.
    pub posts: BTreeMap<DepartmentId, Vec<Role>>,
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

/// A person acting for `chosen`, if the person has anything to do there; otherwise for the own department.
pub(super) async fn find_person(
    db: &mut Db,
    id: &PersonId,
    chosen: Option<&DepartmentId>,
    now: Timestamp,
) -> Result<Option<Person>, DbError> {
    let row = sqlx::query(
        "SELECT name, department_id, contractor FROM people WHERE id = $1 AND active = 1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let home: DepartmentId = row.id("department_id")?;
    let today = china_date(now);
    let posts = directory::posts_of(db, id).await?;
    // Administrators and supervisors deputise for nobody, whatever department they act for.
    let stands_alone = posts.values().flatten().any(|role| role.stands_alone());
    let delegations = if stands_alone {
        Vec::new()
    } else {
        directory::delegations_in_force(db, id, today).await?
    };
    let acts_for = |department: &DepartmentId| {
        *department == home
            || posts.contains_key(department)
            || delegations.iter().any(|d| d.department == *department)
    };
    let department = match chosen.filter(|department| acts_for(department)) {
        Some(department) => department.clone(),
        None if posts.contains_key(&home) => home.clone(),
        None => posts.keys().next().unwrap_or(&home).clone(),
    };
    let mut departments: Vec<DepartmentId> =
        delegations.iter().map(|d| d.department.clone()).collect();
    departments.push(department.clone());
    let actor = Actor {
        person: id.clone(),
        roles: posts.get(&department).cloned().unwrap_or_default(),
        department,
        contractor: row.flag("contractor")?,
        delegations,
        successions: directory::successions(db, &departments).await?,
        today,
    };
    Ok(Some(Person {
        name: row.text("name")?,
        actor,
        home,
        posts,
    }))
}

/// The actor behind a session token that hasn't expired.
pub fn find_actor<'a>(
    db: &'a mut Db,
    token: String,
    now: Timestamp,
) -> Pin<Box<dyn Future<Output = Result<Option<Actor>, DbError>> + Send + 'a>> {
    Box::pin(async move {
        let row = sqlx::query(
            "SELECT person_id, department_id FROM sessions WHERE token_hash = $1 AND expires_at > $2",
        )
        .bind(token_hash(&token))
        .bind(instant_text(now))
        .fetch_optional(&mut *db)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let person_id: PersonId = row.id("person_id")?;
        let chosen: Option<DepartmentId> = row.opt_id("department_id")?;
        Ok(find_person(db, &person_id, chosen.as_ref(), now)
            .await?
            .map(|p| p.actor))
    })
}

/// Lets a session act for a department.
pub(super) async fn choose_department(
    tx: &mut Tx,
    token: &str,
    department: &DepartmentId,
) -> Result<(), DbError> {
    sqlx::query("UPDATE sessions SET department_id = $1 WHERE token_hash = $2")
        .bind(department.as_str())
        .bind(token_hash(token))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The person behind a one-time link that hasn't expired; the link is used up.
pub(super) async fn take_invitation(
    tx: &mut Tx,
    token: &str,
) -> Result<Option<(PersonId, DepartmentId)>, DbError> {
    let now = instant_text(tx.at());
    let row = sqlx::query(
        "SELECT p.id, p.department_id FROM invitations i JOIN people p ON p.id = i.person_id \
         WHERE i.token_hash = $1 AND i.expires_at > $2 AND p.active = 1",
    )
    .bind(token_hash(token))
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let person: PersonId = row.id("id")?;
    let done = sqlx::query("DELETE FROM invitations WHERE token_hash = $1")
        .bind(token_hash(token))
        .execute(&mut **tx)
        .await?;
    // Of two who use one link at the same moment only one goes on.
    if done.rows_affected() != 1 {
        return Ok(None);
    }
    Ok(Some((person, row.id("department_id")?)))
}

/// Sets a password and forgets wrong ones.
pub(super) async fn save_password(
    tx: &mut Tx,
    id: &PersonId,
    password_hash: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE people SET password_hash = $1, failures = 0, locked_until = NULL WHERE id = $2",
    )
    .bind(password_hash)
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
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
