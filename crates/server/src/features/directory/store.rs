//! All SQL of the directory.

mod delegations;
mod departments;
mod people;

use std::collections::BTreeSet;

use tongqu_connectors::Rate;
use tongqu_domain::{
    ids::{DepartmentId, StoreId},
    law::RoleId,
    time::instant_text,
};

use super::{
    notices::{Notice, NoticeView},
    roles::Binding,
    stores::StoreView,
};
use crate::platform::{
    db::{Db, DbError, RowExt as _, Tx},
    secrets::random_hex,
};

pub(super) use delegations::*;
pub use departments::{
    Department, Merger, department_names, departments_by_id, departments_by_reference,
    departments_count, duties_of, find_department, technical_contact,
};
pub(super) use departments::{
    contacts, departments, entries_in_both, former_names, insert_department, merge, mergers,
    rename, replace_contacts, replace_duties, save_department,
};
pub(super) use people::{
    PersonRow, insert_person, is_held, people, replace_posts, save_invitation, save_person,
};
pub use people::{has_people, people_names, posts_of};

/// The setting that names the department which is platform unit and authority.
pub(super) const PLATFORM_DEPARTMENT: &str = "platform_department_id";

/// An exchange store as stored; `url` may hold credentials.
#[derive(Clone)]
pub struct ExchangeStore {
    pub id: StoreId,
    pub department_id: DepartmentId,
    pub name: String,
    pub url: String,
    /// How fast it may be read and written.
    pub rate: Rate,
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

pub(super) async fn stores(db: &mut Db) -> Result<Vec<StoreView>, DbError> {
    sqlx::query(
        "SELECT s.id, s.department_id, d.name AS department_name, s.name, s.url, s.rows_per_s, s.bytes_per_s FROM stores s \
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
            rows_per_s: row.opt_int("rows_per_s")?,
            bytes_per_s: row.opt_int("bytes_per_s")?,
            actions: Vec::new(),
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
        rate: Rate {
            rows: limit(row, "rows_per_s")?,
            bytes: limit(row, "bytes_per_s")?,
        },
    })
}

fn limit(row: &sqlx::any::AnyRow, column: &'static str) -> Result<Option<u64>, DbError> {
    let limit = row.opt_int(column)?.map(u64::try_from).transpose();
    limit.map_err(|fault| DbError::BrokenRow {
        column,
        reason: fault.to_string(),
    })
}

/// An exchange store by its id.
pub async fn find_store(db: &mut Db, id: &StoreId) -> Result<Option<ExchangeStore>, DbError> {
    sqlx::query(
        "SELECT id, department_id, name, url, rows_per_s, bytes_per_s FROM stores WHERE id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?
    .as_ref()
    .map(exchange_store)
    .transpose()
}

/// All exchange stores, oldest first.
pub async fn every_store(db: &mut Db) -> Result<Vec<ExchangeStore>, DbError> {
    sqlx::query("SELECT id, department_id, name, url, rows_per_s, bytes_per_s FROM stores ORDER BY created_at, id")
        .fetch_all(db)
        .await?
        .iter()
        .map(exchange_store)
        .collect()
}

/// The exchange stores of a department, oldest first.
pub(super) async fn stores_of(
    db: &mut Db,
    department_id: &DepartmentId,
) -> Result<Vec<ExchangeStore>, DbError> {
    sqlx::query("SELECT id, department_id, name, url, rows_per_s, bytes_per_s FROM stores WHERE department_id = $1 ORDER BY created_at, id")
        .bind(department_id.as_str())
        .fetch_all(db)
        .await?
        .iter()
        .map(exchange_store)
        .collect()
}

/// Sets how fast a store may be read and written.
pub(super) async fn set_rate(tx: &mut Tx, id: &StoreId, rate: Rate) -> Result<(), DbError> {
    let limit = |limit: Option<u64>| limit.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    sqlx::query("UPDATE stores SET rows_per_s = $1, bytes_per_s = $2 WHERE id = $3")
        .bind(limit(rate.rows))
        .bind(limit(rate.bytes))
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
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

/// The codes of all posts that somebody holds.
pub async fn posts_held(db: &mut Db) -> Result<BTreeSet<String>, DbError> {
    sqlx::query("SELECT DISTINCT role FROM posts")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.text("role"))
        .collect()
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

/// To the department and to those merged into it. One more than `size`, so that the caller knows whether there is a next page.
pub(super) async fn notices(
    db: &mut Db,
    department_id: &DepartmentId,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<NoticeView>, DbError> {
    sqlx::query(
        "WITH RECURSIVE own (id) AS (SELECT id FROM departments WHERE id = $1 \
         UNION SELECT d.id FROM departments d JOIN own ON d.merged_into = own.id) \
         SELECT id, at, kind, subject_kind, subject_id, facts FROM notices \
         WHERE department_id IN (SELECT id FROM own) AND at || ' ' || id < $2 ORDER BY at DESC, id DESC LIMIT $3",
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
