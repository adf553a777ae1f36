//! All SQL of the directory.

use std::collections::BTreeMap;

use tongqu_domain::{
    access::Role,
    ids::{DepartmentId, PersonId, StoreId},
    law::RoleId,
    time::instant_text,
};

use super::{
    notices::{Notice, NoticeView},
    people::{NewPerson, PersonView},
    roles::Binding,
    stores::StoreView,
};
use crate::platform::{
    db::{Db, DbError, RowExt as _, Tx},
    secrets::random_hex,
};

/// The setting that names the department which is platform unit and authority.
pub(super) const PLATFORM_DEPARTMENT: &str = "platform_department_id";

/// A department as stored.
#[derive(Debug, Clone)]
pub struct Department {
    pub id: DepartmentId,
    pub name: String,
    pub short_name: String,
    pub credit_code: String,
    pub division_code: String,
    pub level: String,
}

/// An exchange store as stored; `url` may hold credentials.
#[derive(Clone)]
pub struct ExchangeStore {
    pub id: StoreId,
    pub department_id: DepartmentId,
    pub name: String,
    pub url: String,
}

impl ExchangeStore {
    /// The engine that the address names.
    #[must_use]
    pub fn engine(&self) -> &str {
        engine_of(&self.url)
    }
}

fn engine_of(url: &str) -> &str {
    url.split_once(':').map_or("", |(engine, _)| engine)
}

fn department(row: &sqlx::any::AnyRow) -> Result<Department, DbError> {
    Ok(Department {
        id: row.id("id")?,
        name: row.text("name")?,
        short_name: row.text("short_name")?,
        credit_code: row.text("credit_code")?,
        division_code: row.text("division_code")?,
        level: row.text("level")?,
    })
}

/// A department by its id.
pub async fn find_department(
    db: &mut Db,
    id: &DepartmentId,
) -> Result<Option<Department>, DbError> {
    sqlx::query("SELECT id, name, short_name, credit_code, division_code, level FROM departments WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(department)
        .transpose()
}

pub(super) async fn departments(db: &mut Db) -> Result<Vec<Department>, DbError> {
    sqlx::query("SELECT id, name, short_name, credit_code, division_code, level FROM departments ORDER BY name")
        .fetch_all(db)
        .await?
        .iter()
        .map(department)
        .collect()
}

/// How many departments are connected.
pub async fn departments_count(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM departments")
        .fetch_one(db)
        .await?
        .int("n")
}

/// All departments, by id.
pub async fn departments_by_id(db: &mut Db) -> Result<BTreeMap<String, Department>, DbError> {
    Ok(departments(db)
        .await?
        .into_iter()
        .map(|d| (d.id.to_string(), d))
        .collect())
}

/// Full names of all departments, by id.
pub async fn department_names(db: &mut Db) -> Result<BTreeMap<String, String>, DbError> {
    Ok(departments(db)
        .await?
        .into_iter()
        .map(|d| (d.id.to_string(), d.name))
        .collect())
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

pub(super) async fn insert_department(tx: &mut Tx, department: &Department) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO departments (id, name, short_name, credit_code, division_code, level, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(department.id.as_str())
    .bind(&department.name)
    .bind(&department.short_name)
    .bind(&department.credit_code)
    .bind(&department.division_code)
    .bind(&department.level)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether anybody has an account.
pub async fn has_people(db: &mut Db) -> Result<bool, DbError> {
    Ok(sqlx::query("SELECT COUNT(*) AS n FROM people")
        .fetch_one(db)
        .await?
        .int("n")?
        > 0)
}

pub(super) async fn people(db: &mut Db) -> Result<Vec<PersonView>, DbError> {
    let mut posts: BTreeMap<String, Vec<Role>> = BTreeMap::new();
    for row in sqlx::query("SELECT person_id, role FROM posts ORDER BY role")
        .fetch_all(&mut *db)
        .await?
    {
        posts
            .entry(row.text("person_id")?)
            .or_default()
            .extend(Role::find(&row.text("role")?));
    }
    sqlx::query(
        "SELECT p.id, p.login_name, p.name, p.department_id, d.name AS department_name, p.contractor, p.active \
         FROM people p JOIN departments d ON d.id = p.department_id ORDER BY d.name, p.name",
    )
    .fetch_all(&mut *db)
    .await?
    .iter()
    .map(|row| {
        let id = row.text("id")?;
        let roles = posts.remove(&id).unwrap_or_default();
        Ok(PersonView {
            id,
            login_name: row.text("login_name")?,
            name: row.text("name")?,
            department_id: row.text("department_id")?,
            department_name: row.text("department_name")?,
            posts: roles.iter().map(|r| r.code().to_owned()).collect(),
            posts_text: roles.iter().map(|r| r.label()).collect::<Vec<_>>().join("、"),
            contractor: row.flag("contractor")?,
            active: row.flag("active")?,
        })
    })
    .collect()
}

pub(super) async fn insert_person(tx: &mut Tx, person: &NewPerson) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO people (id, login_name, name, department_id, phone, password_hash, contractor, active, \
         failures, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, $8)",
    )
    .bind(person.id.as_str())
    .bind(&person.login_name)
    .bind(&person.name)
    .bind(person.department_id.as_str())
    .bind(&person.phone)
    .bind(&person.password_hash)
    .bind(i64::from(person.contractor))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    replace_posts(tx, &person.id, &person.posts).await
}

/// Whether anybody holds a post.
pub(super) async fn is_held(db: &mut Db, role: Role) -> Result<bool, DbError> {
    let n = sqlx::query("SELECT COUNT(*) AS n FROM posts WHERE role = $1")
        .bind(role.code())
        .fetch_one(db)
        .await?
        .int("n")?;
    Ok(n > 0)
}

/// Gives a person these posts in place of those held.
pub(super) async fn replace_posts(
    tx: &mut Tx,
    person_id: &PersonId,
    posts: &[Role],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM posts WHERE person_id = $1")
        .bind(person_id.as_str())
        .execute(&mut **tx)
        .await?;
    for role in posts {
        sqlx::query("INSERT INTO posts (person_id, role) VALUES ($1, $2) ON CONFLICT (person_id, role) DO NOTHING")
            .bind(person_id.as_str())
            .bind(role.code())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

pub(super) async fn stores(db: &mut Db) -> Result<Vec<StoreView>, DbError> {
    sqlx::query(
        "SELECT s.id, s.department_id, d.name AS department_name, s.name, s.url FROM stores s \
         JOIN departments d ON d.id = s.department_id ORDER BY d.name, s.name",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(StoreView {
            id: row.text("id")?,
            department_id: row.text("department_id")?,
            department_name: row.text("department_name")?,
            name: row.text("name")?,
            engine: engine_of(&row.text("url")?).to_owned(),
        })
    })
    .collect()
}

fn exchange_store(row: &sqlx::any::AnyRow) -> Result<ExchangeStore, DbError> {
    Ok(ExchangeStore {
        id: row.id("id")?,
        department_id: row.id("department_id")?,
        name: row.text("name")?,
        url: row.text("url")?,
    })
}

/// An exchange store by its id.
pub async fn find_store(db: &mut Db, id: &StoreId) -> Result<Option<ExchangeStore>, DbError> {
    sqlx::query("SELECT id, department_id, name, url FROM stores WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(exchange_store)
        .transpose()
}

/// The exchange stores of a department, oldest first.
pub async fn stores_of(
    db: &mut Db,
    department_id: &DepartmentId,
) -> Result<Vec<ExchangeStore>, DbError> {
    sqlx::query("SELECT id, department_id, name, url FROM stores WHERE department_id = $1 ORDER BY created_at, id")
        .bind(department_id.as_str())
        .fetch_all(db)
        .await?
        .iter()
        .map(exchange_store)
        .collect()
}

pub(super) async fn insert_store(tx: &mut Tx, store: &ExchangeStore) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO stores (id, department_id, name, url, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(store.id.as_str())
    .bind(store.department_id.as_str())
    .bind(&store.name)
    .bind(&store.url)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A fact about this installation.
pub async fn setting(db: &mut Db, name: &str) -> Result<Option<String>, DbError> {
    let row = sqlx::query("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?;
    row.map(|r| r.text("value")).transpose()
}

/// Keeps a fact about this installation.
pub async fn save_setting(tx: &mut Tx, name: &str, value: &str) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The department that is platform unit and authority; `None` before set-up.
pub async fn platform_department(db: &mut Db) -> Result<Option<DepartmentId>, DbError> {
    setting(db, PLATFORM_DEPARTMENT)
        .await?
        .map(|id| {
            DepartmentId::parse(&id).map_err(|e| DbError::BrokenRow {
                column: "value",
                reason: e.to_string(),
            })
        })
        .transpose()
}

pub(super) async fn insert_notice(tx: &mut Tx, notice: &Notice<'_>) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    let facts = serde_json::to_string(&notice.facts).expect("texts make JSON");
    sqlx::query(
        "INSERT INTO notices (id, department_id, at, kind, subject_kind, subject_id, facts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(random_hex::<12>())
    .bind(notice.to.as_str())
    .bind(at)
    .bind(notice.kind)
    .bind(notice.subject.0)
    .bind(notice.subject.1)
    .bind(facts)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One more than `size`, so that the caller knows whether there is a next page.
pub(super) async fn notices(
    db: &mut Db,
    department_id: &DepartmentId,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<NoticeView>, DbError> {
    sqlx::query(
        "SELECT id, at, kind, subject_kind, subject_id, facts FROM notices \
         WHERE department_id = $1 AND at || ' ' || id < $2 ORDER BY at DESC, id DESC LIMIT $3",
    )
    .bind(department_id.as_str())
    .bind(cursor.unwrap_or("~"))
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(NoticeView {
            id: row.text("id")?,
            at: row.text("at")?,
            kind: row.text("kind")?,
            subject_kind: row.text("subject_kind")?,
            subject_id: row.text("subject_id")?,
            facts: row.json("facts")?,
        })
    })
    .collect()
}

/// All role bindings, in the order of roles and divisions.
pub(super) async fn bindings(db: &mut Db) -> Result<Vec<Binding>, DbError> {
    sqlx::query(
        "SELECT role, division_code, department_id FROM role_bindings ORDER BY role, division_code",
    )
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        Ok(Binding {
            role: row.id("role")?,
            division_code: row.text("division_code")?,
            department: row.id("department_id")?,
        })
    })
    .collect()
}

/// Binds a role in place of an earlier binding for the same division.
pub(super) async fn save_binding(tx: &mut Tx, binding: &Binding) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO role_bindings (role, division_code, department_id) VALUES ($1, $2, $3) \
         ON CONFLICT (role, division_code) DO UPDATE SET department_id = excluded.department_id",
    )
    .bind(binding.role.as_str())
    .bind(&binding.division_code)
    .bind(binding.department.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a binding away; whether there was one.
pub(super) async fn delete_binding(
    tx: &mut Tx,
    role: &RoleId,
    division_code: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM role_bindings WHERE role = $1 AND division_code = $2")
        .bind(role.as_str())
        .bind(division_code)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}
