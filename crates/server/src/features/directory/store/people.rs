//! SQL of people, their posts and their invitations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tongqu_domain::{
    access::Role,
    ids::{DepartmentId, PersonId},
    time::instant_text,
};

use super::super::people::NewPerson;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// A person as stored.
#[derive(Debug, Clone)]
pub(in super::super) struct PersonRow {
    pub id: PersonId,
    pub login_name: String,
    pub name: String,
    pub phone: String,
    pub department_id: DepartmentId,
    pub contractor: bool,
    pub supervising_department_id: Option<DepartmentId>,
    pub contract_company: String,
    pub active: bool,
    /// Has never set a password.
    pub invited: bool,
    /// Posts by department.
    pub posts: BTreeMap<DepartmentId, Vec<Role>>,
}

/// Names of all people, by id.
pub async fn people_names(db: &mut Db) -> Result<BTreeMap<String, String>, DbError> {
    sqlx::query("SELECT id, name FROM people")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((row.text("id")?, row.text("name")?)))
        .collect()
}

/// Whether anybody has an account.
pub async fn has_people(db: &mut Db) -> Result<bool, DbError> {
    Ok(sqlx::query("SELECT COUNT(*) AS n FROM people")
        .fetch_one(db)
        .await?
        .int("n")?
        > 0)
}

fn role(row: &sqlx::any::AnyRow) -> Result<Role, DbError> {
    let code = row.text("role")?;
    Role::find(&code).ok_or_else(|| DbError::BrokenRow {
        column: "role",
        reason: format!("unknown role {code}"),
    })
}

/// The posts of a person, by department.
pub async fn posts_of(
    db: &mut Db,
    person: &PersonId,
) -> Result<BTreeMap<DepartmentId, Vec<Role>>, DbError> {
    let mut posts: BTreeMap<DepartmentId, Vec<Role>> = BTreeMap::new();
    for row in
        sqlx::query("SELECT department_id, role FROM posts WHERE person_id = $1 ORDER BY role")
            .bind(person.as_str())
            .fetch_all(db)
            .await?
    {
        posts
            .entry(row.id("department_id")?)
            .or_default()
            .push(role(&row)?);
    }
    Ok(posts)
}

/// Everybody, by department and name.
pub(in super::super) async fn people(db: &mut Db) -> Result<Vec<PersonRow>, DbError> {
    let mut posts: BTreeMap<String, BTreeMap<DepartmentId, Vec<Role>>> = BTreeMap::new();
    for row in sqlx::query("SELECT person_id, department_id, role FROM posts ORDER BY role")
        .fetch_all(&mut *db)
        .await?
    {
        posts
            .entry(row.text("person_id")?)
            .or_default()
            .entry(row.id("department_id")?)
            .or_default()
            .push(role(&row)?);
    }
    sqlx::query(
        "SELECT p.id, p.login_name, p.name, p.phone, p.department_id, p.contractor, p.supervising_department_id, \
         p.contract_company, p.active, p.password_hash FROM people p JOIN departments d ON d.id = p.department_id \
         ORDER BY d.name, p.name, p.id",
    )
    .fetch_all(&mut *db)
    .await?
    .iter()
    .map(|row| {
        Ok(PersonRow {
            posts: posts.remove(&row.text("id")?).unwrap_or_default(),
            id: row.id("id")?,
            login_name: row.text("login_name")?,
            name: row.text("name")?,
            phone: row.text("phone")?,
            department_id: row.id("department_id")?,
            contractor: row.flag("contractor")?,
            supervising_department_id: row.opt_id("supervising_department_id")?,
            contract_company: row.text("contract_company")?,
            active: row.flag("active")?,
            invited: row.text("password_hash")?.is_empty(),
        })
    })
    .collect()
}

pub(in super::super) async fn insert_person(
    tx: &mut Tx,
    person: &NewPerson,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO people (id, login_name, name, department_id, phone, password_hash, contractor, \
         supervising_department_id, contract_company, active, failures, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 0, $10)",
    )
    .bind(person.id.as_str())
    .bind(&person.login_name)
    .bind(&person.name)
    .bind(person.department_id.as_str())
    .bind(&person.phone)
    .bind(&person.password_hash)
    .bind(i64::from(person.contract.is_some()))
    .bind(person.contract.as_ref().map(|c| c.supervising_department_id.to_string()))
    .bind(person.contract.as_ref().map_or("", |c| c.company.as_str()))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    replace_posts(tx, &person.id, &person.department_id, &person.posts).await
}

/// Saves what may change of a person: everything but login name, password and posts.
pub(in super::super) async fn save_person(tx: &mut Tx, person: &NewPerson) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE people SET name = $1, department_id = $2, phone = $3, contractor = $4, \
         supervising_department_id = $5, contract_company = $6 WHERE id = $7",
    )
    .bind(&person.name)
    .bind(person.department_id.as_str())
    .bind(&person.phone)
    .bind(i64::from(person.contract.is_some()))
    .bind(
        person
            .contract
            .as_ref()
            .map(|c| c.supervising_department_id.to_string()),
    )
    .bind(person.contract.as_ref().map_or("", |c| c.company.as_str()))
    .bind(person.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether anybody holds a post.
pub(in super::super) async fn is_held(db: &mut Db, role: Role) -> Result<bool, DbError> {
    let n = sqlx::query("SELECT COUNT(*) AS n FROM posts WHERE role = $1")
        .bind(role.code())
        .fetch_one(db)
        .await?
        .int("n")?;
    Ok(n > 0)
}

/// Gives a person these posts in a department, in place of those held there.
pub(in super::super) async fn replace_posts(
    tx: &mut Tx,
    person_id: &PersonId,
    department_id: &DepartmentId,
    posts: &[Role],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM posts WHERE person_id = $1 AND department_id = $2")
        .bind(person_id.as_str())
        .bind(department_id.as_str())
        .execute(&mut **tx)
        .await?;
    for role in posts {
        sqlx::query(
            "INSERT INTO posts (person_id, department_id, role) VALUES ($1, $2, $3) \
             ON CONFLICT (person_id, department_id, role) DO NOTHING",
        )
        .bind(person_id.as_str())
        .bind(department_id.as_str())
        .bind(role.code())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Keeps the digest of a one-time link in place of an earlier one.
pub(in super::super) async fn save_invitation(
    tx: &mut Tx,
    person_id: &PersonId,
    token_hash: &str,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO invitations (person_id, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (person_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at, \
         expires_at = excluded.expires_at",
    )
    .bind(person_id.as_str())
    .bind(token_hash)
    .bind(at)
    .bind(instant_text(expires_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
